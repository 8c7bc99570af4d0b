"""Figure of a threshold: the answer against the assumption, every crossing marked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from sim.errors import OptionError
from sim.present.figures import BLACK, BLUE, FLAT, ORANGE, save_figure, style

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["draw"]

MOST_PANELS = 6
MOST_MARKS = 40


def draw(records: Sequence[Mapping[str, Any]] | Mapping[str, Any], path: Path, title: str = "") -> Path:
    """Draw the answer, or what jumps, against the assumption.

    Parameters
    ----------
    records
        The record of a threshold, or a list of one.
    path
        An SVG, PNG or PDF file.
    title
        By default the scenario's.

    Raises
    ------
    OptionError
        For another ending, and where nothing switches and no question was asked.

    Examples
    --------
    >>> import sim, tempfile
    >>> from pathlib import Path
    >>> from sim.analysis.survey import Case
    >>> from sim.analysis.threshold import Spec, find
    >>> kept = dict(scenario=sim.load("scenarios/brinkmanship.toml"), concept="subgame_perfect", options={}, case=Case())
    >>> found = find(Spec(of="backed_down", vary="audience_cost", crosses=0.5), **kept)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     draw(found.record(), Path(folder) / "threshold.svg").stat().st_size > 5000
    True
    """
    record = cast("Mapping[str, Any]", records[0] if isinstance(records, list) else records)
    vary, curve = record["vary"], record["curve"]
    found = record["crossings"] if "crossings" in record else record["switches"]
    names = (
        [record["of"]]
        if record["of"]
        else [name for name in curve["answers"] if any(name in one["jumps"] for one in found)]
    )
    if not names:
        raise OptionError("nothing switches, so there is nothing to draw; name a question with --outcome")
    x = np.array(curve["values"])
    with style() as plt:
        shown = names[:MOST_PANELS]
        figure, axes = plt.subplots(len(shown), 1, figsize=(5.8, 0.9 + 2.2 * len(shown)), sharex=True, squeeze=False)
        for ax, name in zip(axes[:, 0], shown, strict=True):
            y = np.array([np.nan if one is None else one for one in curve["answers"][name]])
            ax.plot(x, y, color=BLUE, marker="", lw=1.8)
            if record["crosses"] is not None:
                ax.axhline(record["crosses"], color="0.35", lw=0.9, ls="--", marker="")
            for one in found[:MOST_MARKS]:
                ax.axvline(one["value"], color=ORANGE, lw=0.9, ls=":", marker="")
            for one in record["stretches"]:
                if one["kind"] != "touch":
                    ax.axvspan(one["low"], one["high"], color="0.85" if one["kind"] == "none" else "0.93", lw=0)
            if vary["base"] is not None and vary["low"] <= vary["base"] <= vary["high"]:
                ax.plot(
                    [vary["base"]],
                    [0.0],
                    color=BLACK,
                    marker="^",
                    ls="",
                    transform=ax.get_xaxis_transform(),
                    clip_on=False,
                    zorder=5,
                )
            if np.isfinite(y).any() and np.nanmax(y) - np.nanmin(y) < FLAT:
                middle = float(np.nanmean(y))
                ax.set_ylim(middle - 0.1, middle + 0.1)
            ax.ticklabel_format(axis="y", useOffset=False)
            ax.set_ylabel(record["words"] if name == record["of"] else name.replace("_", " "))
        if vary["scale"] == "log":
            axes[-1, 0].set_xscale("log")
        axes[-1, 0].set_xlim(vary["low"], vary["high"])
        base = "" if vary["base"] is None else f" (triangle: {vary['base']:g})"
        axes[-1, 0].set_xlabel(
            ("precision λ" if vary["name"] == "precision" else vary["name"].replace("_", " ")) + base
        )
        figure.suptitle(title or record["scenario"], fontsize=10)
        saved = save_figure(figure, path)
        plt.close(figure)
    return saved
