"""Tables of compared concepts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim.present.plain import Table, number
from sim.present.tables import assumptions_data, path_data

if TYPE_CHECKING:
    from sim.analysis.compare import Comparison

__all__ = ["comparison_data", "comparison_tables", "parting_line"]


def comparison_tables(found: Comparison) -> list[Table]:
    """Tabulate values, outcomes and most likely moves under each concept."""
    players = found.solutions[0].game.origin.scenario.players
    values = [
        (player.name, *(number(float(solution.values[0, i])) for solution in found.solutions))
        for i, player in enumerate(players)
    ]
    outcomes = [paths.outcomes() for paths in found.paths]
    rows = [(name, *(number(float(one[name][0])) for one in outcomes)) for name in outcomes[0]]
    histories = [paths.histories(1)[0] for paths in found.paths]
    told = [
        (
            name,
            number(one.probability),
            " · ".join(f"{step.round}:{step.move}" for step in one.steps if step.move != "hold"),
        )
        for name, one in zip(found.names, histories, strict=True)
    ]
    return [
        Table(title="Values", columns=("player", *found.names), rows=values),
        Table(title="Outcomes", columns=("outcome", *found.names), rows=rows),
        Table(title="Most likely histories", columns=("concept", "probability", "moves"), rows=told),
    ]


def parting_line(found: Comparison) -> str:
    """Say in a sentence where the first two concepts part."""
    where = found.parting
    if where is None:
        return f"{found.names[0]} and {found.names[1]} favour the same action wherever both come."
    shares = "; ".join(
        f"{label} {number(float(a))} against {number(float(b))}"
        for label, a, b in zip(where.labels, *where.probabilities, strict=True)
    )
    who = f"{found.names[0]} and {found.names[1]} first part in round {where.round}"
    what = f"where {where.player} would rather {where.actions[0]} under the one and {where.actions[1]} under the other"
    worth = "; ".join(
        f"{label} {number(float(a))} and {number(float(b))}"
        for label, a, b in zip(where.labels, *where.values, strict=True)
    )
    return f"{who}, {what} ({shares}). Worth to {where.player}: {worth}."


def comparison_data(found: Comparison) -> dict[str, Any]:
    """Return what ``sim compare --json`` prints."""
    where = found.parting
    parting = where and {
        "round": where.round,
        "player": where.player,
        "state": where.state,
        "actions": dict(zip(found.names, where.actions, strict=False)),
        "probabilities": {
            name: dict(zip(where.labels, shares, strict=True))
            for name, shares in zip(found.names, where.probabilities, strict=False)
        },
        "values": {
            name: dict(zip(where.labels, values, strict=True))
            for name, values in zip(found.names, where.values, strict=False)
        },
    }
    game = found.solutions[0].game
    return {
        "scenario": game.origin.scenario.title,
        "assumptions": assumptions_data(game),
        "concepts": [
            {
                "concept": solution.concept,
                "label": name,
                "options": solution.options,
                "certificate": solution.certificate.row(),
                "values": dict(zip(game.graph.players, solution.values[0], strict=True)),
                "outcomes": {key: float(value[0]) for key, value in paths.outcomes().items()},
                "path": path_data(paths.histories(1)[0]),
            }
            for name, solution, paths in zip(found.names, found.solutions, found.paths, strict=True)
        ],
        "parting": parting,
    }
