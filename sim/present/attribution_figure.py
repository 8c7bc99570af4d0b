"""Figure of an attribution: what each assumption adds to a change, with what it adds if it is changed first or last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim.present.figures import save_figure, style

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["draw"]

BAR, SECOND = "#0072B2", "#D55E00"


def draw(records: Sequence[dict[str, Any]] | dict[str, Any], path: Path, title: str = "") -> Path:
    """Draw one panel for each question: bars of Shapley values, marks for first and last.

    Parameters
    ----------
    records
        A record of an attribution, or a list of one.
    path
        An SVG, PNG or PDF file.
    title
        Above the panels.

    Examples
    --------
    >>> import sim, tempfile
    >>> from pathlib import Path
    >>> from sim.analysis.attribution import Spec, find
    >>> found = find(Spec(of="value_challenger", after={"prize": 4}), scenario=sim.load(sim.template()))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     draw(found.record(), Path(folder) / "a.svg").stat().st_size > 2000
    True
    """
    record = records if isinstance(records, dict) else records[0]
    parts = record["parts"]
    ranked = sorted(parts[0]["rows"], key=lambda row: abs(row["shapley"]))
    order = [row["name"] for row in ranked]
    with style() as plt:
        figure, axes = plt.subplots(
            1, len(parts), figsize=(1.6 + 3.6 * len(parts), 1.5 + 0.42 * len(order)), sharey=True, squeeze=False
        )
        for ax, part in zip(axes[0], parts, strict=True):
            rows = {row["name"]: row for row in part["rows"]}
            places = range(len(order))
            ax.barh(places, [rows[name]["shapley"] for name in order], height=0.6, color=BAR, label="Shapley value")
            if any(row["error"] is not None for row in part["rows"]):
                ax.errorbar(
                    [rows[name]["shapley"] for name in order], list(places), xerr=[rows[name]["error"] for name in order],
                    fmt="none", ecolor="0.2", lw=1,
                )  # fmt: skip
            for key, mark in (("first", "|"), ("last", "x")):
                ax.plot(
                    [rows[name][key] for name in order], list(places), ls="", marker=mark, ms=9, mew=1.6, color=SECOND,
                    label=f"changed {key}",
                )  # fmt: skip
            ax.axvline(0, color="0.3", lw=0.8, marker="")
            ax.set_yticks(list(places), [name.removesuffix("_on").replace("_", " ") for name in order])
            ax.set_title(f"{part['of']}: {part['none']:.2f} → {part['all']:.2f}", fontsize=9, wrap=True)
            ax.set_xlabel("part of the change")
        axes[0][-1].legend(loc="lower right")
        if title:
            figure.suptitle(title, fontsize=11)
        out = save_figure(figure, path)
        plt.close(figure)
    return out
