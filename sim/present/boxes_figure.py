"""Figure of the first box: where the answer holds in fresh variants, by the two assumptions that the box restricts most tellingly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sim.errors import OptionError
from sim.present.boxes import WHY
from sim.present.figures import save_figure, style
from sim.present.orderings import claim
from sim.present.sensitivity_figure import panel_title

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

__all__ = ["draw"]

BLUE, ORANGE = "#0072B2", "#D55E00"


def draw(records: Sequence[dict[str, Any]] | dict[str, Any], path: Path, title: str = "") -> Path:
    """Draw fresh variants in the plane of the first box's two most telling assumptions, and the box; a panel for each record.

    Parameters
    ----------
    records
        A record of :class:`sim.analysis.boxes.Boxes`, or several.
    path
        An SVG, PNG or PDF file.
    title
        The scenario's and the question by default.

    Raises
    ------
    OptionError
        Where there is no box, or none that restricts a number.

    Examples
    --------
    >>> draw({"boxes": [], "why": "never"}, "boxes.svg")
    Traceback (most recent call last):
    ...
    sim.errors.OptionError: there is no box to draw: it holds in no variant, so that there is no box to look for
    """
    given = [records] if isinstance(records, dict) else list(records)
    drawn = [record for record in given if record["boxes"] and record["points"]["names"]]
    if not drawn:
        bare = [record for record in given if not record["boxes"]]
        why = (
            WHY[bare[0]["why"]]
            if bare
            else "the first box restricts no number, and there is no plane to draw it in; use --json"
        )
        raise OptionError(f"there is no box to draw: {why}")
    with style() as plt:
        figure, axes = plt.subplots(1, len(drawn), figsize=(0.9 + 4.3 * len(drawn), 4.2), squeeze=False)
        for ax, record in zip(axes[0], drawn, strict=True):
            _panel(plt, ax, record)
            if len(drawn) > 1:
                ax.set_title(panel_title(record, drawn, {"words": claim(record)}))
        handles, names = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, names, loc="outside lower center", ncols=2, fontsize=7)
        first = drawn[0]
        figure.suptitle(
            title or (first["scenario"] if len(drawn) > 1 else f"{first['scenario']}: {claim(first)}"), fontsize=11
        )
        saved = save_figure(figure, path)
        plt.close(figure)
    return saved


def _panel(plt: Any, ax: Axes, record: Mapping[str, Any]) -> None:
    """Draw the variants of one record, and its first box; along a lone assumption they are spread by number."""
    names = record["points"]["names"]
    limits = {one["name"]: one for one in record["boxes"][0]["restrictions"]}
    holds = np.array(record["points"]["holds"], dtype=bool)
    values = [np.array(column, dtype=float) for column in record["points"]["values"]]
    y = values[1] if len(names) > 1 else np.arange(len(holds)) * 0.6180339887 % 1.0
    for some, colour, marker, label in ((~holds, ORANGE, "x", "it does not hold"), (holds, BLUE, "o", "it holds")):
        ax.scatter(values[0][some], y[some], s=12, color=colour, marker=marker, linewidths=0.8, label=label)
    spans = [_span(limits[name]) for name in names] + [(0.0, 1.0)] * (2 - len(names))
    (left, right), (low, high) = spans
    ax.add_patch(plt.Rectangle((left, low), right - left, high - low, fill=False, lw=1.8, edgecolor="black", zorder=4))
    _axes(ax, names)


def _span(one: Mapping[str, Any]) -> tuple[float, float]:
    """Return the ends of a box along one assumption, those of its range where it is open."""
    low, high = one["range"] or (min(one["choices"]), max(one["choices"]))
    return (low if one["low"] is None else one["low"], high if one["high"] is None else one["high"])


def _axes(ax: Axes, names: list[str]) -> None:
    """Name the axes."""
    ax.set_xlabel(names[0].replace("_", " "))
    if len(names) > 1:
        ax.set_ylabel(names[1].replace("_", " "))
    else:
        ax.set_yticks([])
    ax.grid(visible=False)
