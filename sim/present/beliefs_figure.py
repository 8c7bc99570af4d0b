"""Figures of beliefs: the posterior of each type by round, along single histories and over all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sim.errors import OptionError
from sim.present.figures import save_figure, style
from sim.present.private import shown_types

if TYPE_CHECKING:
    from pathlib import Path

    from sim.analysis.beliefs import BeliefPath, Beliefs

__all__ = ["beliefs_figure"]

COLOURS = ("#0072B2", "#009E73", "#CC79A7", "#56B4E9", "#7F7F7F")
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))
MARKS = "os^Dv"
RECORDED = "#D55E00"
MOST_LIKELY = 5
MOST_PANELS = 12
LEAST = 0.25  # how much of the scale from 0 to 1 is shown at least
APART = 0.08  # names of moves nearer than this share of the panel would cover each other
EVEN = 0.04  # moves that shift a belief by less of the panel are not named


def _ticks(found: Beliefs) -> list[str]:
    """Name the ends of rounds: by the date at which the round starts, or by number."""
    scenario = found.solution.game.origin.scenario
    return ["start" if place == 0 else (scenario.date_of(t) or str(t)) for place, t in enumerate(found.rounds)]


def _paths(found: Beliefs) -> list[tuple[BeliefPath, str, dict[str, Any]]]:
    """List the histories to draw, each with its name and look; later ones lie above earlier ones."""
    out: list[tuple[BeliefPath, str, dict[str, Any]]] = []
    for place, path in enumerate([path for path in found.paths if path.kind != "recorded"][:MOST_LIKELY]):
        name = "most likely history" if place == 0 else f"{place + 1}. by likelihood"
        look = {
            "color": COLOURS[place],
            "ls": DASHES[place],
            "marker": MARKS[place],
            "ms": 8 - place,
            "mfc": "white",
            "mew": 1.2,
        }
        look |= {"lw": 1.9 if place == 0 else 1.4, "zorder": 4 - 0.1 * place}
        out.append((path, f"{name}, probability {path.probability:.2g}", look))
    for path in found.paths:
        if path.kind == "recorded":
            look = {
                "color": RECORDED,
                "ls": "-",
                "marker": "X",
                "ms": 6,
                "mec": "white",
                "mew": 0.6,
                "lw": 2.2,
                "zorder": 5,
            }
            out.append((path, "recorded history" + (", forced" if path.probability <= 0 else ""), look))
    return out


def _panel(ax: Any, found: Beliefs, player: int, kind: int) -> None:
    """Draw the belief in one type of one player."""
    spread, times = found.spreads[player], list(range(len(found.rounds)))
    ax.fill_between(
        times,
        spread.low[:, kind],
        spread.high[:, kind],
        color="0.92",
        lw=0,
        zorder=1,
        label="middle 80 % of all histories",
    )
    prior = float(found.prior[player][kind])
    ax.axhline(prior, color="0.45", lw=0.9, ls=":", marker="", zorder=2, label="prior, and mean of all histories")
    if np.isfinite(spread.given[kind]).all():
        ax.plot(
            times,
            spread.given[kind, :, kind],
            color="0.25",
            lw=1.0,
            ls=(0, (6, 2)),
            marker="",
            zorder=2.5,
            label="mean where it is true",
        )
    for path, name, look in _paths(found):
        until = path.until - found.rounds[0] + 1
        ax.plot(times[:until], path.by_round[player][:until, kind], label=name, **look)


def _limits(found: Beliefs, panels: list[tuple[int, int]]) -> tuple[float, float]:
    """Return the range of beliefs to show: all that is drawn, and no less than a quarter."""
    drawn = [
        (one.by_round[j][:, k], found.spreads[j].low[:, k], found.spreads[j].high[:, k])
        for one in found.paths
        for j, k in panels
    ]
    means = [found.spreads[j].given[k, :, k] for j, k in panels]
    shown = np.concatenate([*(part for parts in drawn for part in parts), *means])
    shown = shown[np.isfinite(shown)]
    low, high = float(shown.min()), float(shown.max())
    middle, half = (low + high) / 2, max(0.6 * (high - low), LEAST / 2)
    low, high = max(0.0, middle - half), min(1.0, middle + half)
    return low - 0.03 * (high - low), high + 0.03 * (high - low)


def _name_moves(ax: Any, found: Beliefs, player: int, kind: int, height: float) -> None:
    """Write the decisive move of each history where it is made, each once and none over another."""
    taken: list[tuple[int, float]] = []
    named: set[int] = set()
    for path, _, look in sorted(_paths(found), key=lambda one: -one[2]["zorder"]):
        step = path.decisive(player)
        if (
            step is None
            or step.edge in named
            or abs(float(step.after[player][kind] - step.before[player][kind])) < EVEN * height
        ):
            continue
        place = step.round - found.rounds[0]
        at = float(path.by_round[player][place, kind])
        if any(abs(place - other) <= 1 and abs(at - there) < APART * height for other, there in taken):
            continue
        named.add(step.edge)
        taken.append((place, at))
        bottom, top = ax.get_ylim()
        up = at < bottom + 0.85 * (top - bottom)
        left = place > 0.7 * (len(found.rounds) - 1)
        ax.annotate(
            step.move.replace("_", " "), (place, at), xytext=(-6 if left else 6, 6 if up else -6), textcoords="offset points",
            ha="right" if left else "left", va="bottom" if up else "top", fontsize=7, zorder=6, color=look["color"],
            bbox={"boxstyle": "round,pad=0.12", "fc": "white", "ec": "none", "alpha": 0.8},
        )  # fmt: skip


def beliefs_figure(found: Beliefs, path: Path) -> Path:
    """Draw beliefs by round, one panel for each type of each watched player; of two types the second only.

    Parameters
    ----------
    found
        At most five of the most likely histories are drawn, and at most twelve panels.
    path
        An SVG, PNG or PDF file.

    Raises
    ------
    OptionError
        For more panels, or another ending.

    Examples
    --------
    >>> import sim, tempfile
    >>> from pathlib import Path
    >>> from sim.analysis.beliefs import belief_paths
    >>> solution = sim.solve(sim.compile(sim.load("scenarios/entry_deterrence.toml")), "perfect_bayesian")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     beliefs_figure(belief_paths(solution), Path(folder) / "beliefs.svg").stat().st_size > 5000
    True
    """
    panels = [(j, k) for j, kinds in enumerate(found.types) for k in shown_types(kinds)]
    if len(panels) > MOST_PANELS:
        raise OptionError(f"there are {len(panels)} types to draw; a figure shows at most {MOST_PANELS}, use --json")
    scenario = found.solution.game.origin.scenario
    names = {player.id: player.name for player in scenario.players}
    ticks, limits = _ticks(found), _limits(found, panels)
    wide = min(3, len(panels))
    deep = -(-len(panels) // wide)
    with style() as plt:
        figure, axes = plt.subplots(
            deep, wide, figsize=(max(5.4, 0.8 + 3.7 * wide), 1.5 + 2.6 * deep), sharex=True, sharey=True, squeeze=False
        )
        for ax in axes.flat[len(panels) :]:
            ax.set_axis_off()
        for place, (ax, (player, kind)) in enumerate(zip(axes.flat, panels, strict=False)):
            _panel(ax, found, player, kind)
            title = f"{names[found.players[player]]}: {found.types[player][kind].replace('_', ' ')}"
            ax.set_title(title, fontsize=9)
            ax.set_ylim(*limits)
            _name_moves(ax, found, player, kind, limits[1] - limits[0])
            turned = max(map(len, ticks[1:])) > 3  # noqa: PLR2004
            ax.set_xticks(range(len(ticks)), ticks, rotation=35 if turned else 0, ha="right" if turned else "center")
            ax.set_xlim(-0.25, len(ticks) - 0.75)
            if place + wide >= len(panels):
                ax.set_xlabel("end of round")
                ax.tick_params(labelbottom=True)
        for ax in axes[:, 0]:
            ax.set_ylabel("believed probability")
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(
            handles, labels, loc="outside lower center", ncols=min(len(labels), 2 if wide == 1 else 3), fontsize=7
        )
        who = f"what {found.observer.replace(':', ', ')} believes" if found.observer else "what is believed"
        concept = found.solution.concept.replace("_", " ").replace("bayesian", "Bayesian")
        figure.suptitle(f"{scenario.title}\n{who} under {concept}", fontsize=10)
        saved = save_figure(figure, path)
        plt.close(figure)
    return saved
