"""An estimation's record, as sentences and a table."""

from __future__ import annotations

from typing import Any

from sim.present.plain import Table, number

__all__ = ["lines", "tables"]


def lines(record: dict[str, Any]) -> list[str]:
    """Say how well it fits.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.estimate import Spec, find
    >>> lines(find(Spec(points=33), scenario=sim.load("scenarios/rock_bottom.toml")).record())[0]
    'fitted to 10 recorded moves: log-likelihood -7.770, under uniform play -9.534'
    """
    facts = record["facts"]
    heights = f"log-likelihood {number(facts['log_likelihood'])}, under uniform play {number(facts['uniform'])}"
    return [
        f"fitted to {facts['decisions']} recorded moves: {heights}",
        "precision is identified only up to the scale of payoffs; with one history assumptions are profiled, not estimated",
    ]


def tables(record: dict[str, Any]) -> list[Table]:
    """Return the estimates with their likelihood-ratio intervals."""
    facts = record["facts"]
    rows: list[tuple[str, str, str]] = []
    for name, profile in record["profiles"].items():
        ends = ", ".join(
            f"{number(low)} to {'no upper end within the scan' if high is None else number(high)}"
            for low, high in profile["intervals"]
        )
        value = facts[name]
        rows.append((name, value if isinstance(value, str) else number(value), ends))
    return [Table(title="Estimates", columns=("parameter", "estimate", "interval"), rows=tuple(rows))]
