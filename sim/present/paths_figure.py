"""Figures of logit branches: what each player does as precision grows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sim.errors import OptionError
from sim.present.figures import save_figure, style

if TYPE_CHECKING:
    from pathlib import Path as File

    from sim.kinds import Floats
    from sim.solve.game_files import Path

__all__ = ["branch_figure"]

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#000000", "#E69F00", "#7F7F7F")
DASHES = ("-", "--", "-.", ":")
MOST_PANELS = 12
MOST_LABELS = 8
WIDE = 30.0  # largest precision over smallest positive one, above which the axis is logarithmic
GAP = 0.055


def _spread(heights: list[float]) -> list[float]:
    """Move labels apart so that none covers another, keeping their order."""
    order = np.argsort(heights)
    out = np.array(heights, dtype=np.float64)[order]
    for _ in range(50):
        for k in range(1, len(out)):
            short = GAP - (out[k] - out[k - 1])
            if short > 0:
                out[k - 1] -= short / 2
                out[k] += short / 2
        out = np.clip(out, -0.02, 1.02)
    result = np.empty(len(out))
    result[order] = out
    return result.tolist()


def _draw(ax: Any, precision: Floats, shares: Floats, names: list[str]) -> None:
    """Draw one choice: a line for each action, named where it ends."""
    for k, name in enumerate(names):
        ax.plot(
            precision,
            shares[:, k],
            color=COLOURS[k % len(COLOURS)],
            ls=DASHES[k % len(DASHES)],
            marker="",
            lw=1.7,
            label=name,
        )
    ax.set_ylim(-0.03, 1.03)
    ax.set_yticks([0, 0.25, 0.5, 0.75, 1])
    if len(names) > MOST_LABELS:
        ax.legend(fontsize=6, ncols=2)
        return
    for name, height, colour in zip(names, _spread(shares[-1].tolist()), (COLOURS * 2)[: len(names)], strict=True):
        shown = name if len(name) <= 18 else name[:17] + "…"  # noqa: PLR2004
        ax.annotate(
            shown, (1.0, height), xycoords=("axes fraction", "data"), xytext=(5, 0), textcoords="offset points",
            color=colour, fontsize=7.5, va="center", annotation_clip=False,
        )  # fmt: skip


def _title(player: str, where: str, *, alone: bool) -> str:
    """Name a choice: by its player if he has no other, else by its information set."""
    if alone:
        return player
    return where if where.startswith(f"{player}:") else f"{player}, at {where}"


def branch_figure(path: Path, file: File, title: str = "") -> File:
    """Draw a branch of logit responses, one panel for each player or information set.

    Parameters
    ----------
    path
        With at least two points; at most twelve choices are drawn.
    file
        An SVG, PNG or PDF file.
    title
        Above the figure.

    Raises
    ------
    OptionError
        If there is nothing to draw, or the file has another ending.

    Examples
    --------
    >>> import sim, tempfile
    >>> from pathlib import Path
    >>> from sim.solve.game_files import solve_file_game
    >>> answer = solve_file_game(sim.read_game("scenarios/games/selten_horse.efg"), "quantal_response")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     branch_figure(answer.path, Path(folder) / "branch.svg").stat().st_size > 5000
    True
    """
    choices: dict[tuple[str, str], list[int]] = {}
    for place, (player, where, _) in enumerate(path.labels):
        if player:
            choices.setdefault((player, where), []).append(place)
    real = {choice: places for choice, places in choices.items() if len(places) > 1}
    if len(path.precisions) <= 1 or not real:
        raise OptionError("the branch has no length to draw; ask for a precision above 0")
    drawn = list(real.items())[:MOST_PANELS]
    highest = path.precisions.max(axis=0)
    same = bool(np.allclose(path.precisions, path.precisions[:, :1]))
    axis = path.precisions[:, int(np.argmax(highest))]
    columns = 2 if len(drawn) == 4 else min(3, len(drawn))  # noqa: PLR2004
    rows = -(-len(drawn) // columns)
    with style() as plt:
        figure, axes = plt.subplots(
            rows, columns, figsize=(0.6 + 3.5 * columns, 0.7 + 2.4 * rows), sharex=True, sharey=True, squeeze=False
        )
        for ax, ((player, where), places) in zip(axes.flat, drawn, strict=False):
            _draw(ax, axis, path.profiles[:, places], [path.labels[place][2] for place in places])
            alone = [name for name, _ in real].count(player) == 1
            ax.set_title(_title(player, where, alone=alone), fontsize=9)
        for ax in axes.flat[len(drawn) :]:
            ax.set_visible(False)
        positive = axis[axis > 0]
        if positive.size and positive.max() > WIDE * max(float(np.quantile(positive, 0.3)), 1e-12):
            axes[0, 0].set_xscale("symlog", linthresh=10.0 ** round(float(np.log10(np.quantile(positive, 0.3)))))
        axes[0, 0].set_xlim(0.0, float(axis.max()))
        figure.supxlabel("precision λ" if same else "precision λ of the most precise player", fontsize=9)
        figure.supylabel("probability", fontsize=9)
        more = f" (the first {MOST_PANELS} of {len(real)} choices)" if len(real) > MOST_PANELS else ""
        if title or more:
            figure.suptitle(title + more, fontsize=11)
        saved = save_figure(figure, file)
        plt.close(figure)
    return saved
