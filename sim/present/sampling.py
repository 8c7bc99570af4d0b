"""Estimates from plays drawn by chance, beside the exact answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim.present.plain import Table, number

if TYPE_CHECKING:
    from sim.analysis.paths import Paths
    from sim.analysis.sampling import Sample

__all__ = ["MOST_VALUES", "sample_data", "sample_tables"]

MOST_VALUES = 12


def _spread(drawn: Sample) -> dict[str, tuple[Any, Any, Any]]:
    """Return the distributions of outcomes that took between three and a dozen values."""
    found = {name: drawn.distribution(name) for name in drawn.values}
    return {name: one for name, one in found.items() if 2 < len(one[0]) <= MOST_VALUES}  # noqa: PLR2004


def sample_tables(paths: Paths, drawn: Sample, variant: int = 0) -> list[Table]:
    """Tabulate estimates beside exact answers, and the distributions of numbers that take few values.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.sampling import sample
    >>> paths = sim.play(sim.solve(sim.compile(sim.load(sim.template())), "subgame_perfect"))
    >>> sample_tables(paths, sample(paths, 100, 1))[0].rows[0]
    ('war', '0', '0', '0')
    """
    exact = paths.outcomes()
    out = [
        Table(
            title=f"Outcomes of {drawn.plays:,} plays drawn with seed {drawn.seed}",
            columns=("outcome", "exact", "estimate", "standard error"),
            rows=[
                (name, number(float(exact[name][variant]), 4), number(one.value, 4), number(one.error, 4))
                for name, one in drawn.estimates().items()
            ],
        )
    ]
    for name, (values, share, error) in _spread(drawn).items():
        rows = [
            ("never" if value == float("inf") else number(float(value)), number(float(p), 4), number(float(e), 4))
            for value, p, e in zip(values, share, error, strict=True)
        ]
        out.append(Table(title=f"Distribution of {name}", columns=("value", "estimate", "standard error"), rows=rows))
    return out


def sample_data(drawn: Sample) -> dict[str, Any]:
    """Return what ``sim paths --sample --json`` adds."""
    return {
        "plays": drawn.plays,
        "seed": drawn.seed,
        "estimates": {
            name: {"value": one.value, "error": one.error, "plays": one.plays}
            for name, one in drawn.estimates().items()
        },
        "distributions": {
            name: {"values": values, "estimates": share, "errors": error}
            for name, (values, share, error) in _spread(drawn).items()
        },
    }
