"""What was estimated and how much it is worth, as sentences, tables and data."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.analysis.vuong import FEW
from sim.present.plain import Table, number

if TYPE_CHECKING:
    from sim.analysis.fit import Fit, Profile

__all__ = ["fit_data", "fit_lines", "fit_tables", "interval_text"]

SHOWN = 9  # values of a profile in its table
NEAR = 10.0  # how far below the maximum they lie at most


def _value(value: Any) -> str:
    """Write a value of a parameter; choices as they are."""
    return value if isinstance(value, str) else number(float(value))


def interval_text(profile: Profile) -> str:
    """Write the values that are not rejected, with an open end where the scan found none.

    Examples
    --------
    >>> import numpy as np
    >>> from sim.analysis.fit import Interval, Profile
    >>> one = Interval(low=0.0, high=1.5, reached=(False, True))
    >>> interval_text(Profile(name="precision", values=(0.0, 2.0), log_likelihood=np.zeros(2), intervals=(one,)))
    '0 to 1.500'
    """
    out: list[str] = []
    for one in profile.intervals:
        high = number(one.high) if one.reached[1] or not profile.name.startswith("precision") else "no upper end"
        out.append(f"{number(one.low)} to {high}")
    return ", ".join(out)


def fit_lines(found: Fit) -> list[str]:
    """Say what was fitted to what, what the estimate is worth, and what it cannot tell.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.fit import fit
    >>> print(fit_lines(fit(sim.load("scenarios/rock_bottom.toml"), points=33))[1])
    quantal_response fitted to 10 recorded moves of 1 history; log-likelihood -7.770, under uniform play -9.534
    """
    many = "1 history" if found.histories == 1 else f"{found.histories:,} histories"
    heights = f"log-likelihood {found.log_likelihood:.3f}, under uniform play {found.uniform:.3f}"
    out = [
        found.model.scenario.title,
        f"quantal_response fitted to {found.decisions:,} recorded moves of {many}; {heights}",
    ]
    out += _zero_lines(found)
    for name in found.at_end:
        out.append(
            f"{name} is at an end of what was scanned ({_value(found.estimate[name])}): the slope there says only which way it would go on"
        )
    if found.flat:
        out.append("points far apart fit equally well, so that the histories do not tell them apart:")
    elif len(found.maxima) > 1:
        out.append(f"the searches ended in {len(found.maxima)} places; the likelihood may have several maxima:")
    if len(found.maxima) > 1:
        for estimate, height in found.maxima:
            told = ", ".join(f"{name} = {_value(value)}" for name, value in estimate.items())
            out.append(f"  {height:.3f} at {told}")
    if found.unsolved:
        out.append(f"{found.unsolved} of {found.solved} games had no certified answer and were left out")
    return [*out, *_word_lines(found)]


def _zero_lines(found: Fit) -> list[str]:
    """Hold λ = 0 against the estimate, and say where an interval has no end."""
    out: list[str] = []
    mixed = (
        any(one.kind == "assumption" for one in found.parameters)
        or sum(one.kind == "precision" for one in found.parameters) > 1
    )
    for one in found.profiles:
        if not one.name.startswith("precision"):
            continue
        line = (
            f"{one.name} = 0: likelihood ratio {one.zero_ratio:.2f}, p = {one.zero_p:.3f} by χ²₁,"
            f" {one.zero_p_mixed:.3f} by the half-and-half mixture with χ²₀, for 0 is on the boundary"
        )
        out.append(line)
        share = 1.0 - found.level
        if one.zero_p_mixed < share <= one.zero_p:
            out.append(f"  the {100 * found.level:g} % interval below holds 0 by χ²₁, and would not by the mixture")
        if one.intervals and not one.intervals[-1].reached[1]:
            out.append(
                f"  no upper end within the scan, which goes to {number(one.values[-1])}: play without error is not rejected"
            )
        if len(one.intervals) > 1:
            out.append("  what is not rejected has gaps")
    if mixed and out:
        out.append("Both p-values are rough here: where all precisions are 0, nothing else is identified.")
    return out


def _word_lines(found: Fit) -> list[str]:
    """Say what every reader should know."""
    out = ["Precision λ is identified only up to the scale of payoffs: payoffs twice as large mean a λ half as large."]
    if found.histories == 1:
        out.append(
            "With one history assumptions are profiled, not estimated: the intervals say what it does not rule out, by laws that hold for many."
        )
    if found.bootstrap is not None:
        boot = found.bootstrap
        ends = "; ".join(
            f"{name}: {100 * boot.at_zero[name]:.3g} % at the lower end, {100 * boot.at_end[name]:.3g} % at the upper"
            for name in boot.estimates
        )
        out.append(
            f"bootstrap: {boot.samples:,} samples drawn from the fitted model and refitted, seed {boot.seed}; {ends}"
        )
    out += [
        f"{one.concept} gives {one.impossible} probability 0: its log-likelihood is -∞, and there is nothing to test"
        for one in found.rivals
        if one.impossible
    ]
    out += [
        f"{one.concept} fits best at level 0, which is uniform play and so quantal_response at λ = 0: the test is not for models that contain each other"
        for one in found.rivals
        if one.estimate.get("level") == 0
    ]
    if any(math.isfinite(one.vuong.plain) for one in found.rivals):
        out.append(
            "Vuong's statistic is positive where quantal_response is nearer to what happened; beyond ±1.96 counts as evidence."
        )
        if found.decisions < FEW:
            out.append(
                f"{found.decisions} recorded moves are few: the statistic is normal for many, so read its sign and not its size."
            )
    return out


def fit_tables(found: Fit) -> list[Table]:
    """Tabulate the estimates, the models, and each profile.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.fit import fit
    >>> [table.columns[0] for table in fit_tables(fit(sim.load("scenarios/rock_bottom.toml"), points=33))]
    ['parameter', 'model', 'precision']
    """
    percent = f"{100 * found.level:g} %"
    boot = found.bootstrap
    by_name = {one.name: one for one in found.profiles}
    rows: list[tuple[str, ...]] = []
    for one in found.parameters:
        cells = [
            one.name,
            _value(found.estimate[one.name]),
            interval_text(by_name[one.name]) if one.name in by_name else "",
        ]
        if boot is not None:
            ends = boot.intervals.get(one.name)
            cells.append(f"{number(ends[0])} to {number(ends[1])}" if ends else "")
        rows.append(tuple(cells))
    heads = ("parameter", "estimate", f"{percent} by likelihood ratio", *((f"{percent} by bootstrap",) if boot else ()))
    title = "Best fit" if found.histories == 1 else "Estimates"
    out = [Table(title=title, columns=heads, rows=rows), _models(found)]
    out += [_profile_table(one, found.log_likelihood) for one in found.profiles]
    return out


def _models(found: Fit) -> Table:
    """Tabulate what the models are worth."""
    k = len(found.parameters)
    rows: list[tuple[str, ...]] = [
        ("quantal_response", str(k), f"{found.log_likelihood:.3f}", f"{found.aic:.2f}", "", "", "", ""),
        ("uniform play", "0", f"{found.uniform:.3f}", f"{found.uniform_aic:.2f}", "", "", "", ""),
    ]
    for one in found.rivals:
        z = one.vuong
        told = (
            ", ".join(f"{name} = {_value(value)}" for name, value in one.estimate.items()) if not one.impossible else ""
        )
        cells = (f"{x:.2f}" if math.isfinite(x) else "–" for x in (z.plain, z.akaike, z.schwarz))
        height = f"{one.log_likelihood:.3f}" if math.isfinite(one.log_likelihood) else "-∞"
        aic = f"{one.aic:.2f}" if math.isfinite(one.aic) else "∞"
        rows.append((one.concept, str(len(one.estimate)), height, aic, *cells, told))
    heads = ("model", "parameters", "log-likelihood", "AIC", "Vuong", "by Akaike", "by Schwarz", "at")
    width = len(heads) if found.rivals else 4
    return Table(title="Models", columns=heads[:width], rows=[row[:width] for row in rows])


def _profile_table(one: Profile, best: float) -> Table:
    """Tabulate some values of a profile; all choices."""
    places = range(len(one.values)) if not one.intervals else _places(one)
    rows = [
        (
            _value(one.values[k]),
            _height(float(one.log_likelihood[k])),
            _height(2.0 * (best - float(one.log_likelihood[k]))),
        )
        for k in places
    ]
    return Table(title=f"Profile of {one.name}", columns=(one.name, "log-likelihood", "likelihood ratio"), rows=rows)


def _places(one: Profile) -> list[int]:
    """Choose values to show: where the profile is not far below its maximum, evenly, with the highest and both ends among them."""
    near = np.flatnonzero(one.log_likelihood >= one.log_likelihood.max() - NEAR)
    even = near[np.linspace(0, len(near) - 1, SHOWN).round().astype(int)].tolist()
    return sorted({0, len(one.values) - 1, *even, int(one.log_likelihood.argmax())})


def _height(value: float) -> str:
    """Write a log-likelihood or a ratio."""
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    return f"{value:.3f}"


def fit_data(found: Fit) -> dict[str, Any]:
    """Return everything, for machines.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.fit import fit
    >>> sorted(fit_data(fit(sim.load("scenarios/rock_bottom.toml"), points=33))["uniform"])
    ['aic', 'log_likelihood']
    """
    boot = found.bootstrap
    return {
        "scenario": found.model.scenario.title,
        "file": found.model.scenario.file,
        "concept": found.model.concept,
        "histories": found.histories,
        "decisions": found.decisions,
        "estimate": dict(found.estimate),
        "gradient": dict(zip((one.name for one in found.parameters), found.gradient.tolist(), strict=True)),
        "at_end": list(found.at_end),
        "log_likelihood": found.log_likelihood,
        "aic": found.aic,
        "uniform": {"log_likelihood": found.uniform, "aic": found.uniform_aic},
        "maxima": [{"estimate": dict(estimate), "log_likelihood": height} for estimate, height in found.maxima],
        "flat": found.flat,
        "level": found.level,
        "profiles": {
            one.name: {
                "values": list(one.values),
                "log_likelihood": one.log_likelihood,
                "intervals": [{"low": x.low, "high": x.high, "reached": list(x.reached)} for x in one.intervals],
                "zero": {"ratio": one.zero_ratio, "p": one.zero_p, "p_mixture": one.zero_p_mixed}
                if one.name.startswith("precision")
                else None,
            }
            for one in found.profiles
        },
        "bootstrap": None
        if boot is None
        else {
            "samples": boot.samples,
            "seed": boot.seed,
            "intervals": {name: list(ends) for name, ends in boot.intervals.items()},
            "at_lower_end": dict(boot.at_zero),
            "at_upper_end": dict(boot.at_end),
        },
        "rivals": [
            {
                "concept": one.concept,
                "estimate": dict(one.estimate),
                "log_likelihood": one.log_likelihood,
                "aic": one.aic,
                "impossible": one.impossible,
                "vuong": {"plain": one.vuong.plain, "akaike": one.vuong.akaike, "schwarz": one.vuong.schwarz},
            }
            for one in found.rivals
        ],
        "solved": found.solved,
        "unsolved": found.unsolved,
        "answer": fit_lines(found),
    }
