"""Where a threat becomes credible, as sentences, a table and data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sim.present.plain import Table

if TYPE_CHECKING:
    from sim.analysis.credible import Credible

__all__ = ["credible_data", "credible_lines", "credible_table"]

SHOWN = 11  # values of the scan in the table


def credible_lines(found: Credible) -> list[str]:
    """Say where the threat becomes credible, and what could have been missed.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.credible import credible
    >>> found = credible(sim.load("scenarios/crisis_signalling.toml"), "a_audience", "fight", at="challenge > resist", points=5)
    >>> print(credible_lines(found)[0])
    fight is carried out with probability 0.5 where a_audience is -1.9: less often above
    """
    who = f"{found.player}: {found.move}" if found.player else found.move
    out: list[str] = []
    for one in found.crossings:
        way = "more" if one.rising else "less"
        jump = f" (it jumps from {one.before:.3g} to {one.after:.3g})" if one.jump else ""
        out.append(
            f"{who} is carried out with probability {found.level:g} where {found.assumption} is {one.value:.6g}: {way} often above{jump}"
        )
    if not out:
        share = found.probability[np.isfinite(found.probability)]
        side = "nowhere" if (share < found.level).all() else "everywhere"
        out.append(
            f"{who} is carried out with at least probability {found.level:g} {side} between {found.values[0]:g} and {found.values[-1]:g}"
        )
    out.append(
        f"{found.concept}; scanned in steps of {found.resolution:.3g}: two crossings within one step are missed together"
    )
    if found.unsolved:
        out.append(f"without a certified answer at {len(found.unsolved)} of {len(found.values)} values")
    return out


def credible_table(found: Credible) -> Table:
    """Tabulate some values of the scan.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.credible import credible
    >>> found = credible(sim.load("scenarios/crisis_signalling.toml"), "a_audience", "fight", at="challenge > resist", points=5)
    >>> credible_table(found).columns
    ('a_audience', 'carried out')
    """
    step = max(1, (len(found.values) - 1) // (SHOWN - 1))
    rows = [
        (f"{value:.6g}", f"{share:.3f}" if np.isfinite(share) else "")
        for value, share in zip(found.values[::step].tolist(), found.probability[::step].tolist(), strict=True)
    ]
    return Table(title=f"How often {found.move} is carried out", columns=(found.assumption, "carried out"), rows=rows)


def credible_data(found: Credible) -> dict[str, Any]:
    """Return everything, for machines.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.credible import credible
    >>> found = credible(sim.load("scenarios/crisis_signalling.toml"), "a_audience", "fight", at="challenge > resist", points=5)
    >>> [round(one["value"], 3) for one in credible_data(found)["crossings"]]
    [-1.9]
    """
    return {
        "concept": found.concept,
        "assumption": found.assumption,
        "move": found.move,
        "player": found.player,
        "at": found.at,
        "level": found.level,
        "values": found.values.tolist(),
        "probability": [share if np.isfinite(share) else None for share in found.probability.tolist()],
        "crossings": [
            {
                "value": one.value,
                "low": one.low,
                "high": one.high,
                "before": one.before,
                "after": one.after,
                "jump": one.jump,
            }
            for one in found.crossings
        ],
        "resolution": found.resolution,
        "unsolved": list(found.unsolved),
    }
