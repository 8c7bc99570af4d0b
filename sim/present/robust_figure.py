"""Figure of a robust choice: each move's values over all variants, and its regrets beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim.present.figures import save_figure, style
from sim.present.robust import where

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["draw"]

LINE, BOX, MARK = "#0072B2", "#56B4E9", "#D55E00"


def draw(records: Sequence[dict[str, Any]] | dict[str, Any], path: Path, title: str = "") -> Path:
    """Draw an interval from worst to best for each move, its quartiles, its median and its value at base; beside it its regrets.

    Parameters
    ----------
    records
        A record of a robust choice, or a list of one.
    path
        An SVG, PNG or PDF file.
    title
        Above the panels.

    Examples
    --------
    >>> import sim, tempfile
    >>> from pathlib import Path
    >>> from sim.analysis.robust import Spec, find
    >>> from sim.analysis.survey import Case
    >>> spec = Spec(rows=[{"cost_of_war": 0}, {"cost_of_war": 3}])
    >>> found = find(spec, scenario=sim.load(sim.template()), concept="subgame_perfect", options={}, case=Case())
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     draw(found.record(), Path(folder) / "a.svg").stat().st_size > 2000
    True
    """
    record = records if isinstance(records, dict) else records[0]
    moves = sorted((one for one in record["moves"] if one["worst"] is not None), key=lambda one: one["worst"])
    with style() as plt:
        figure, axes = plt.subplots(1, 2, figsize=(8.4, 1.7 + 0.42 * len(moves)), sharey=True)
        for place, one in enumerate(moves):
            _strip(axes[0], place, (one["worst"], *one["quartiles"], one["best"]))
            _strip(axes[1], place, (one["regret_quartiles"][0], *one["regret_quartiles"], one["regret"]))
            if one["base"] is not None:
                axes[0].plot([one["base"]], [place], ls="", marker="D", ms=5, color=MARK)
        for ax, rule, key in ((axes[0], "maximin", "worst"), (axes[1], "minimax_regret", "regret")):
            for name in record["rules"][rule]["winners"]:
                place = next(k for k, one in enumerate(moves) if one["name"] == name)
                ax.plot([moves[place][key]], [place], ls="", marker="o", ms=11, mfc="none", mec=MARK, mew=1.5)
        axes[0].set_yticks(range(len(moves)), [one["name"].replace("_", " ") for one in moves])
        found = "" if record["complete"] else " found"
        units = " (own ranges)" if record["own_varied"] else ""
        axes[0].set_xlabel(f"value{units}: worst and best{found}, middle half, ◆ base")
        axes[1].set_xlabel(f"regret{units}: middle half, greatest{found}")
        axes[0].set_title("ringed: best worst value", fontsize=9)
        axes[1].set_title("ringed: smallest greatest regret", fontsize=9)
        figure.suptitle(title or f"{where(record)}, {record['variants']['compared']:,} variants", fontsize=11)
        out = save_figure(figure, path)
        plt.close(figure)
    return out


def _strip(ax: Any, place: int, five: tuple[float, ...]) -> None:
    """Draw five numbers: a line, a box, and a tick."""
    low, quarter, half, three, high = five
    ax.plot([low, high], [place, place], color=LINE, ls="-", lw=1.2, marker="|", ms=8)
    ax.barh([place], [three - quarter], left=[quarter], height=0.5, color=BOX)
    ax.plot([half, half], [place - 0.25, place + 0.25], color=LINE, ls="-", lw=2, marker="")
