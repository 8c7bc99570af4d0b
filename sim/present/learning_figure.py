"""Figures of learning: what each player has played so far, or the shares of his population."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim.errors import OptionError
from sim.present.figures import save_figure, style
from sim.present.learning import TITLES, who

if TYPE_CHECKING:
    from pathlib import Path

    from sim.analysis.learning import Learning
    from sim.kinds import Floats

__all__ = ["learning_figure"]

COLOURS = ("#0072B2", "#D55E00", "#000000", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#7F7F7F")
DASHES = ("-", "--", ":", "-.")
MARKS = "osD^vP*X"
MOST_ACTIONS = 16


def _panel(ax: Any, times: Floats, shares: Floats, actions: tuple[str, ...], *, logarithmic: bool) -> None:
    """Draw one player: a line for each action, told apart by colour, dash and mark."""
    for k, name in enumerate(actions):
        ax.plot(
            times,
            shares[:, k],
            color=COLOURS[k % len(COLOURS)],
            ls=DASHES[k % len(DASHES)],
            marker=MARKS[k % len(MARKS)],
            ms=4,
            markevery=(max(1, len(times) // 10) * k // max(1, len(actions)), max(1, len(times) // 10)),
            lw=1.5,
            label=name.replace("_", " "),
        )
    if logarithmic:
        ax.set_xscale("log")
    ax.set_ylim(-0.03, 1.03)
    ax.set_yticks([0, 0.25, 0.5, 0.75, 1])
    ax.set_ylabel("share of the population" if not logarithmic else "frequency so far")


def learning_figure(found: Learning, path: Path) -> Path:
    """Draw a trajectory of learning, one panel for each player; number of plays on a logarithmic axis.

    Parameters
    ----------
    found
        With at most sixteen actions for each player.
    path
        An SVG, PNG or PDF file.

    Raises
    ------
    OptionError
        For more actions, or another ending.

    Examples
    --------
    >>> import numpy as np, tempfile
    >>> from pathlib import Path
    >>> from sim.analysis.learning import fictitious_play
    >>> from sim.game.strategic import StrategicGame
    >>> pennies = StrategicGame.from_matrices([[1, -1], [-1, 1]], [[-1, 1], [1, -1]])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = learning_figure(fictitious_play(pennies, 50, rng=np.random.default_rng(1)), Path(folder) / "x.svg")
    ...     file.stat().st_size > 5000
    True
    """
    panels = who(found)
    widest = max(len(actions) for _, actions in panels)
    if widest > MOST_ACTIONS:
        raise OptionError(f"a player has {widest} actions; a figure shows at most {MOST_ACTIONS}, use --json")
    places = found.thinned()
    logarithmic = found.rule != "replicator"
    times = found.times[places] + (1.0 if logarithmic and found.times[0] == 0 else 0.0)
    same = len({actions for _, actions in panels}) == 1
    with style() as plt:
        figure, axes = plt.subplots(len(panels), 1, figsize=(5.8, 0.9 + 2.2 * len(panels)), sharex=True, squeeze=False)
        for place, (ax, (name, actions), shares) in enumerate(zip(axes[:, 0], panels, found.shares, strict=True)):
            _panel(ax, times, shares[places], actions, logarithmic=logarithmic)
            ax.set_title(name.replace("_", " "), fontsize=9)
            if not same or place == 0:
                ax.legend(fontsize=7, loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False)
        plays = "plays" if found.times[0] else "plays, the start counted as one"
        axes[-1, 0].set_xlabel(plays if logarithmic else "time")
        title = TITLES[found.rule]
        figure.suptitle(f"{found.game.title}: {title}" if found.game.title else title.capitalize(), fontsize=11)
        saved = save_figure(figure, path)
        plt.close(figure)
    return saved
