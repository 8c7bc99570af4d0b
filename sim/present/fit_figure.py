"""Figure of profile likelihoods: one panel for each parameter that has a scale."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.errors import OptionError
from sim.present.figures import save_figure, style

if TYPE_CHECKING:
    from pathlib import Path

    from sim.analysis.fit import Fit

__all__ = ["fit_figure"]

DEEP = 8.0  # how far below the maximum a panel reaches
MOST_PANELS = 9


def fit_figure(found: Fit, path: Path) -> Path:
    """Draw the profile log-likelihoods with the cuts of the intervals.

    Parameters
    ----------
    found
        With profiles of at most nine parameters.
    path
        An SVG, PNG or PDF file.

    Raises
    ------
    OptionError
        Without a profile, for more panels, or another ending.

    Examples
    --------
    >>> import sim, tempfile
    >>> from pathlib import Path
    >>> from sim.analysis.fit import fit
    >>> found = fit(sim.load("scenarios/rock_bottom.toml"), points=33)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     fit_figure(found, Path(folder) / "fit.svg").stat().st_size > 5000
    True
    """
    from scipy.stats import chi2

    drawn = [(one, p) for one, p in zip(found.profiles, found.parameters, strict=True) if not p.choices]
    if not 1 <= len(drawn) <= MOST_PANELS:
        raise OptionError(f"there are {len(drawn)} profiles to draw; a figure shows 1 to {MOST_PANELS}, use --json")
    best = found.log_likelihood
    wide = min(3, len(drawn))
    deep = -(-len(drawn) // wide)
    with style() as plt:
        figure, axes = plt.subplots(
            deep, wide, figsize=(0.8 + 3.9 * wide, 0.9 + 2.9 * deep), sharey=True, squeeze=False
        )
        for ax in axes.flat[len(drawn) :]:
            ax.set_axis_off()
        for ax, (one, parameter) in zip(axes.flat, drawn, strict=False):
            height = np.where(np.isfinite(one.log_likelihood), one.log_likelihood, best - 1e3)
            ax.plot(one.values, height, marker="", lw=1.8, color="#0072B2")
            ax.axvline(float(found.estimate[one.name]), color="#0072B2", lw=0.9, ls=":", marker="")
            ax.axhline(
                best - chi2.ppf(found.level, 1) / 2,
                color="0.35",
                lw=0.9,
                ls="--",
                marker="",
                label=f"{100 * found.level:g} % by χ²₁",
            )
            if parameter.kind == "precision":
                cut = chi2.ppf(2 * found.level - 1, 1) / 2
                ax.plot(
                    [0.0, parameter.knee],
                    [best - cut] * 2,
                    color="#D55E00",
                    lw=1.8,
                    ls="-",
                    marker="",
                    label="the same at 0, by the mixture",
                )
                ax.axhline(found.uniform, color="0.6", lw=0.9, ls="-.", marker="", label="uniform play")
                ax.set_xscale("symlog", linthresh=parameter.knee, linscale=1.0)
                ax.set_xlim(0.0, parameter.high)
            ax.set_xlabel(one.name.replace("precision", "precision λ").replace(".", " of ").replace("_", " "))
        for ax in axes[:, 0]:
            ax.set_ylabel("profile log-likelihood")
            ax.set_ylim(min(best - DEEP / 2, max(found.uniform, best - DEEP) - 0.5), best + 0.4)
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=min(3, len(labels)), fontsize=7)
        many = "one history" if found.histories == 1 else f"{found.histories} histories"
        figure.suptitle(f"{found.model.scenario.title}: {found.decisions} recorded moves, {many}", fontsize=10)
        saved = save_figure(figure, path)
        plt.close(figure)
    return saved
