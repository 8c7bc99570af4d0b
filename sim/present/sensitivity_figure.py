"""Figures of what drives an answer: bars of Sobol indices, Morris' plane, tornadoes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sim.errors import OptionError
from sim.present.figures import save_figure, style

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

__all__ = ["draw", "panel_title"]

MOST = 15
FEW = 7  # names in a cloud of points
"""Assumptions that a panel shows."""
MOST_PANELS = 6
BLUE, ORANGE = "#0072B2", "#D55E00"


def draw(records: Sequence[dict[str, Any]] | dict[str, Any], path: Path, title: str = "") -> Path:
    """Draw a sensitivity analysis, one panel for each question that has something to show.

    Parameters
    ----------
    records
        A record of :class:`sim.analysis.sensitivity.Sensitivity`, or several found by the same method.
    path
        An SVG, PNG or PDF file.
    title
        The scenario's by default.

    Raises
    ------
    OptionError
        Where nothing can be drawn, or too much.

    Examples
    --------
    >>> import sim, tempfile
    >>> from pathlib import Path
    >>> from sim.analysis.sensitivity import Spec, find
    >>> from sim.analysis.survey import Case
    >>> scenario = sim.load("scenarios/brinkmanship.toml")
    >>> found = find(Spec(of="value_defender", method="tornado"), scenario=scenario, concept="subgame_perfect", options={}, case=Case())
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     draw(found.record(), Path(folder) / "tornado.svg").stat().st_size > 5000
    True
    """
    given = [records] if isinstance(records, dict) else list(records)
    methods = sorted({str(one["method"]) for one in given})
    if len(methods) != 1:
        raise OptionError(f"{' and '.join(methods)} cannot be drawn in one figure; expected one method")
    key, panel = {"sobol": ("indices", _bars), "morris": ("effects", _plane), "tornado": ("swings", _tornado)}[
        methods[0]
    ]
    drawn = [
        (panel_title(record, given, one), one)
        for record in given
        for one in record["questions"]
        if not one["why"] and one[key]
    ]
    if not 1 <= len(drawn) <= MOST_PANELS:
        raise OptionError(f"there are {len(drawn)} questions to draw; a figure shows 1 to {MOST_PANELS}, use --json")
    tall = 3.6 if key == "effects" else 1.5 + 0.26 * max(min(MOST, len(one[key])) for _, one in drawn)
    with style() as plt:
        figure, axes = plt.subplots(1, len(drawn), figsize=(1.4 + 4.4 * len(drawn), tall), squeeze=False)
        for ax, (name, one) in zip(axes[0], drawn, strict=True):
            panel(ax, one)
            if len(drawn) > 1:
                ax.set_title(name)
        handles, names = axes[0, 0].get_legend_handles_labels()
        if names:
            figure.legend(handles, names, loc="outside lower center", ncols=len(names), fontsize=7)
        scenario = given[0]["scenario"]
        figure.suptitle(title or (scenario if len(drawn) > 1 else f"{scenario}: {drawn[0][0]}"), fontsize=11)
        saved = save_figure(figure, path)
        plt.close(figure)
    return saved


def panel_title(record: Mapping[str, Any], records: Sequence[Mapping[str, Any]], question: Mapping[str, Any]) -> str:
    """Name a panel: the question, and the concept and arm where several are drawn.

    Examples
    --------
    >>> one, other = {"concept": "a"}, {"concept": "b"}
    >>> panel_title(one, [one, other], {"words": "war"}), panel_title(one, [one], {"words": "war"})
    ('war, a', 'war')
    """
    told = [
        str(record[key]).replace("_", " ")
        for key in ("concept", "arm")
        if len({str(one.get(key)) for one in records}) > 1
    ]
    return ", ".join([str(question["words"]), *told])


def _name(row: Mapping[str, Any]) -> str:
    """Write a name as one reads it."""
    return str(row["name"]).replace("_", " ")


def _rows(ax: Axes, rows: list[Any], all_: int) -> None:
    """Name the rows of a bar chart, the first on top."""
    ax.set_yticks(range(len(rows)), [_name(row) for row in rows])
    ax.invert_yaxis()
    ax.grid(visible=False, axis="y")
    if all_ > len(rows):
        ax.annotate(
            f"and {all_ - len(rows)} smaller", (1, 0), xycoords="axes fraction", ha="right", va="bottom", fontsize=7
        )


def _bars(ax: Axes, one: Mapping[str, Any]) -> None:
    """Draw first and total order with their intervals."""
    rows = sorted(one["indices"], key=lambda row: -row["total"])[:MOST]
    y = np.arange(len(rows))
    error: dict[str, Any] = {"lw": 0.9, "capsize": 1.5, "ecolor": "black"}
    for shift, key, colour, hatch, label in (
        (-0.19, "first", BLUE, "", "alone"),
        (0.19, "total", ORANGE, "//", "with all interactions"),
    ):
        ax.barh(
            y + shift, [row[key] for row in rows], 0.36, xerr=[row[f"{key}_error"] for row in rows],
            color=colour, hatch=hatch, edgecolor="white", error_kw=error, label=label,
        )  # fmt: skip
    ax.axvline(0, color="black", lw=0.8, ls="-", marker="")
    ax.set_xlabel("share of the variance")
    _rows(ax, rows, len(one["indices"]))


def _plane(ax: Axes, one: Mapping[str, Any]) -> None:
    """Draw the mean size of effects against their standard deviation; of an order, which has none, on the axis."""
    rows = sorted(one["effects"], key=lambda row: -row["mu_star"])
    for place, row in enumerate(rows):
        x, y = row["mu_star"], 0.0 if row["sigma"] is None else row["sigma"]
        ax.errorbar(
            x, y, xerr=row["error"], color=BLUE, marker="D" if row["sigma"] is None else "o", ls="", lw=0.9, capsize=1.5
        )
        if place < FEW:
            ax.annotate(_name(row), (x, y), xytext=(4, 3), textcoords="offset points", fontsize=7)
    far = max(row["mu_star"] for row in rows)
    ax.plot([0, far], [0, far], color="0.5", ls=":", lw=0.9, marker="", label="effects vary as much as their mean")
    ax.set_xlabel("mean size of the effect over the whole range")
    ax.set_ylabel("standard deviation of the effect")


def _tornado(ax: Axes, one: Mapping[str, Any]) -> None:
    """Draw the answers at the ends as bars from the base."""
    rows = [row for row in one["swings"] if row["swing"] is not None][:MOST]
    base = one["base"]
    for place, row in enumerate(rows):
        ends = sorted(
            (end for end in row["ends"] if end["answer"] is not None), key=lambda end: -abs(end["answer"] - base)
        )
        for end in ends:
            k = row["ends"].index(end)
            reach = end["answer"] - base
            ax.barh(
                place, reach, 0.62, left=base, color=(BLUE, ORANGE)[k % 2], hatch=("", "//")[k % 2], edgecolor="white"
            )
        for left in (True, False):  # all ends on one side of the base are told at the furthest, furthest first
            side = [end for end in ends if (end["answer"] < base) == left]
            if not side:
                continue
            told, same = " / ".join(_end(end) for end in side), side[0]["answer"]
            ax.annotate(
                told,
                (same, place),
                xytext=(-3 if left else 3, 0),
                textcoords="offset points",
                fontsize=6.5,
                va="center",
                ha="right" if left else "left",
            )
    ax.axvline(base, color="black", lw=0.9, ls="-", marker="")
    ax.margins(x=0.18)
    ax.set_xlabel(one["words"] + " (line: base)")
    _rows(ax, rows, len(one["swings"]))


def _end(end: Mapping[str, Any]) -> str:
    """Name an end by its value, or of an order by its word."""
    value = end["value"]
    return end["end"] if value is None else value if isinstance(value, str) else f"{value:g}"
