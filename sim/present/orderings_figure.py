"""Figure of an answer over all payoffs consistent with stated orderings: how often it is at most so high, under both measures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sim.errors import OptionError
from sim.present.figures import save_figure, style
from sim.present.orderings import MEASURES, claim
from sim.present.sensitivity_figure import panel_title

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

__all__ = ["draw"]

MOST_PANELS = 4


def draw(records: Sequence[dict[str, Any]] | dict[str, Any], path: Path, title: str = "") -> Path:
    """Draw the distribution of the answers, with the level and the scenario's own numbers; a panel for each record.

    Parameters
    ----------
    records
        A record of :class:`sim.analysis.orderings.Ordering`, or several.
    path
        An SVG, PNG or PDF file.
    title
        The scenario's by default.

    Raises
    ------
    OptionError
        Where no draw has a certified answer, and for too many records.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> one = {"quantiles": [0.0, 0.4, 1.0], "share": 0.4}
    >>> record = {"measures": {"uniform": one, "dirichlet": one}, "scenario": "x", "words": "war", "side": "above", "level": 0.5, "base": {"answer": 0.3}}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     draw(record, Path(folder) / "ordering.svg").stat().st_size > 5000
    True
    """
    given = [records] if isinstance(records, dict) else list(records)
    drawn = [record for record in given if any(one["quantiles"] for one in record["measures"].values())]
    if not 1 <= len(drawn) <= MOST_PANELS:
        raise OptionError(
            f"there are {len(drawn)} findings with certified answers to draw; a figure shows 1 to {MOST_PANELS}"
        )
    with style() as plt:
        figure, axes = plt.subplots(1, len(drawn), figsize=(1.0 + 4.4 * len(drawn), 3.6), sharey=True, squeeze=False)
        for ax, record in zip(axes[0], drawn, strict=True):
            _panel(ax, record)
            if len(drawn) > 1:
                ax.set_title(panel_title(record, drawn, record))
        axes[0, 0].set_ylabel("% of cardinalisations at or below")
        figure.suptitle(title or drawn[0]["scenario"], fontsize=11)
        saved = save_figure(figure, path)
        plt.close(figure)
    return saved


def _panel(ax: Axes, record: Mapping[str, Any]) -> None:
    """Draw how often the answer is at most so high."""
    for label, one in record["measures"].items():
        if one["quantiles"]:
            share = np.linspace(0, 100, len(one["quantiles"]))
            ax.plot(one["quantiles"], share, marker="", label=f"{MEASURES[label]}: {100 * one['share']:.1f} %")
    ax.axvline(record["level"], color="black", lw=0.9, ls=":", marker="", label=f"level {record['level']:g}")
    if record["base"]["answer"] is not None:
        ax.axvline(
            record["base"]["answer"], color="0.5", lw=0.9, ls="--", marker="", label="the scenario's own numbers"
        )
    ax.set_ylim(0, 100)
    ax.set_xlabel(record["words"])
    ax.legend(fontsize=6.5, title=claim(record), title_fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.2))
