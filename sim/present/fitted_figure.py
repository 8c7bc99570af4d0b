"""Figure of an estimation's record: the profile log-likelihood of each parameter that has a scale."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim.errors import OptionError
from sim.present.figures import save_figure, style

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["draw"]

DEEP = 8.0  # how far below the maximum a panel reaches
MOST_PANELS = 6


def draw(records: Sequence[dict[str, Any]] | dict[str, Any], path: Path, title: str = "") -> Path:
    """Draw the profiles.

    Parameters
    ----------
    records
        A record of an estimation, or a list of one.
    path
        An SVG, PNG or PDF file.
    title
        Above the panels.

    Raises
    ------
    OptionError
        Without a profile that has a scale, or for more than six.

    Examples
    --------
    >>> import sim, tempfile
    >>> from pathlib import Path
    >>> from sim.analysis.estimate import Spec, find
    >>> record = find(Spec(points=33), scenario=sim.load("scenarios/rock_bottom.toml")).record()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     draw(record, Path(folder) / "fit.svg").stat().st_size > 2000
    True
    """
    record = records if isinstance(records, dict) else records[0]
    shown = {
        name: one
        for name, one in record["profiles"].items()
        if not any(isinstance(value, str) for value in one["values"])
    }
    if not 1 <= len(shown) <= MOST_PANELS:
        raise OptionError(f"there are {len(shown)} profiles to draw; a figure shows 1 to {MOST_PANELS}")
    facts = record["facts"]
    best = facts["log_likelihood"]
    with style() as plt:
        figure, axes = plt.subplots(1, len(shown), figsize=(1.2 + 3.8 * len(shown), 3.4), sharey=True, squeeze=False)
        for ax, (name, one) in zip(axes[0], shown.items(), strict=True):
            known = [(x, y) for x, y in zip(one["values"], one["log_likelihood"], strict=True) if y is not None]
            seen = [k for k, (_, y) in enumerate(known) if y >= best - DEEP]
            pairs = known[
                max(0, seen[0] - 1) : seen[-1] + 2
            ]  # as far as the panel is deep, and one point on either side
            ax.plot([x for x, _ in pairs], [y for _, y in pairs], marker="", color="#0072B2")
            ax.axvline(facts[name], color="#0072B2", lw=0.9, ls=":", marker="", label="estimate")
            ax.axhline(facts["uniform"], color="0.4", lw=0.9, ls="--", marker="", label="uniform play")
            for low, high in one["intervals"]:
                ax.axvspan(
                    low, high if high is not None else max(x for x, _ in pairs), color="#0072B2", alpha=0.08, lw=0
                )
            ax.set_ylim(best - DEEP, best + 0.5)
            if name.startswith("precision") and max(x for x, _ in pairs) > 100 * max(facts[name], 1e-9):
                ax.set_xscale("symlog", linthresh=max(facts[name] / 4, 1e-3))
            ax.set_xlabel("precision λ" if name == "precision" else name.replace("_", " "))
        axes[0][0].set_ylabel("log-likelihood")
        axes[0][-1].legend(loc="lower left")
        if title:
            figure.suptitle(title, fontsize=11)
        out = save_figure(figure, path)
        plt.close(figure)
    return out
