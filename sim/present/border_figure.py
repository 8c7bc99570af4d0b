"""Figure of borders: the region of two assumptions, and one line for each concept or case."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sim.errors import OptionError
from sim.present.figures import BLACK, save_figure, style

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["draw"]

SHADES = {"+": 0.87, "-": 1.0, "?": 0.93, " ": 0.6}
STYLES = ("-", "--", "-.", ":")


def draw(
    record: Mapping[str, Any] | Sequence[Mapping[str, Any]], path: Path, title: str = "", names: Sequence[str] = ()
) -> Path:
    """Draw the border of one record with its region shaded, or those of several over each other, one line style each.

    Parameters
    ----------
    record
        Of a border, or of several over the same two assumptions.
    path
        An SVG, PNG or PDF file.
    title
        By default the scenario's.
    names
        How several are told apart; by default their concepts.

    Raises
    ------
    OptionError
        For records over different assumptions, and another ending.

    Examples
    --------
    >>> import sim, tempfile
    >>> from pathlib import Path
    >>> from sim.analysis.border import Spec, find
    >>> from sim.analysis.survey import Case
    >>> kept = dict(scenario=sim.load("scenarios/brinkmanship.toml"), concept="subgame_perfect", options={}, case=Case())
    >>> found = find(Spec(of="backed_down", x="risk_per_rung", y="audience_cost", coarse=8, resolution=32), **kept)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     draw([found.record(), found.record()], Path(folder) / "border.svg").stat().st_size > 5000
    True
    """
    records: list[Any] = [record] if isinstance(record, dict) else list(record)
    first: Mapping[str, Any] = records[0]
    x, y = first["x"], first["y"]
    if any((one["x"]["name"], one["y"]["name"]) != (x["name"], y["name"]) for one in records):
        raise OptionError("these borders are over different assumptions; draw those over the same two")
    words = list(names) or [str(one["concept"]).replace("_", " ") for one in records]
    with style() as plt:
        figure, ax = plt.subplots(figsize=(5.2, 4.2))
        if len(records) == 1:
            _shade(ax, first)
        colours = [one["color"] for one in plt.rcParams["axes.prop_cycle"]]
        for place, (one, word) in enumerate(zip(records, words, strict=True)):
            kept = {"color": colours[place % len(colours)], "ls": STYLES[place % len(STYLES)], "marker": "", "lw": 1.8}
            ax.plot([], [], label=f"{word}: {100 * one['area']['share']:.3g} %", **kept)
            for line in one["lines"]:
                points = np.array(line["points"])
                ax.plot(points[:, 0], points[:, 1], **kept)
        if x["base"] is not None and y["base"] is not None:
            ax.plot(
                [x["base"]],
                [y["base"]],
                color=BLACK,
                marker="P",
                ls="",
                ms=7,
                label="the scenario's values",
                clip_on=False,
            )
        for axis, one in (("x", x), ("y", y)):
            getattr(ax, f"set_{axis}scale")(one["scale"])
            getattr(ax, f"set_{axis}lim")(one["low"], one["high"])
            getattr(ax, f"set_{axis}label")(
                "precision λ" if one["name"] == "precision" else one["name"].replace("_", " ")
            )
        ax.grid(visible=False)
        figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=2, fontsize=7)
        shaded = "shaded: " if len(records) == 1 else ""
        ax.set_title(f"{shaded}{first['words']} ≥ {first['crosses']:g}", fontsize=9, fontweight="normal")
        figure.suptitle(title or first["scenario"], fontsize=10)
        saved = save_figure(figure, path)
        plt.close(figure)
    return saved


def _shade(ax: Any, record: Mapping[str, Any]) -> None:
    """Shade the region at or above the level."""
    picture = np.array([[SHADES[letter] for letter in row] for row in record["region"][::-1]])
    ends: list[Any] = []
    for one in (record["x"], record["y"]):
        low, high, count = one["low"], one["high"], len(picture)
        ends.append(np.geomspace(low, high, count + 1) if one["scale"] == "log" else np.linspace(low, high, count + 1))
    ax.pcolormesh(ends[0], ends[1], picture, cmap="gray", vmin=0.0, vmax=1.0, shading="flat", rasterized=True, zorder=0)
