"""Private types in tables: values by type, other equilibria, and how recorded events moved beliefs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sim.analysis.beliefs import record_beliefs
from sim.present.plain import Table, number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sim.analysis.beliefs import BeliefStep
    from sim.analysis.replay import Replay
    from sim.game.histories import Types
    from sim.kinds import Floats
    from sim.solve.contract import Solution

__all__ = [
    "belief_cell",
    "belief_columns",
    "other_equilibria_table",
    "precision_line",
    "private_lines",
    "replay_belief_columns",
    "replay_belief_data",
    "shown_types",
    "step_data",
    "type_values_table",
    "types_data",
]

SAME = 1e-9


def _value(value: float) -> str:
    """Write a value, rounding error as nothing."""
    return number(0.0 if abs(value) < SAME else value)


def _with_types(types: Types) -> list[int]:
    """List the players who have several types."""
    return [i for i, count in enumerate(types.count) if count > 1]


def private_lines(solution: Solution, variant: int = 0) -> list[str]:
    """Say how large a game with private types is, which refinement the answer is, and how many others were found.

    Examples
    --------
    >>> import sim
    >>> solution = sim.solve(sim.compile(sim.load("scenarios/entry_deterrence.toml")), "perfect_bayesian")
    >>> private_lines(solution)[0]
    '30 public histories, 60 pairs of a history and a private type; 2 types of store'
    """
    types = solution.game.types
    if types is None:
        return []
    who = ", ".join(f"{types.count[i]} types of {solution.game.graph.players[i]}" for i in _with_types(types))
    size = f"{len(types.node_class):,} public histories, {types.pairs:,} pairs of a history and a private type; {who}"
    if not solution.refinement or solution.certificate.kind == "residual":
        return [size]
    others = len(solution.others)
    more = f"{others} other {'equilibrium' if others == 1 else 'equilibria'} found"
    if solution.signalling is None or not solution.signalling.complete:
        more += "; there may be more"
    return [size, f"{solution.refinement[variant]}; {more}"]


def type_values_table(solution: Solution, variant: int = 0) -> Table:
    """Tabulate what the game is worth to each type of each player who has several.

    Examples
    --------
    >>> import sim
    >>> solution = sim.solve(sim.compile(sim.load("scenarios/entry_deterrence.toml")), "perfect_bayesian")
    >>> type_values_table(solution).rows[1]
    ('Chain store', 'strong', '0.062', '1.500')
    """
    data = _type_values(solution, variant)
    names = {player.id: player.name for player in solution.game.origin.scenario.players}
    return Table(
        title="Values by private type",
        columns=("player", "type", "prior", "value"),
        rows=[
            (names[player], kind, number(one["prior"]), _value(one["value"]))
            for player, kinds in data.items()
            for kind, one in kinds.items()
        ],
    )


def _type_values(solution: Solution, variant: int) -> dict[str, dict[str, dict[str, float]]]:
    """Return prior and value of each type of each player who has several."""
    types = solution.game.types
    if types is None:
        return {}
    values = solution.certificate.measures.type_values
    return {
        solution.game.graph.players[i]: {
            name: {"prior": float(types.marginal(i)[variant, k]), "value": float(values[i][variant, k])}
            for k, name in enumerate(types.names[i])
        }
        for i in _with_types(types)
    }


def other_equilibria_table(solution: Solution, variant: int = 0) -> Table:
    """Tabulate all equilibria that were found with what they are worth, the one that is shown first."""
    players = solution.game.graph.players
    kinds = [(player, kind) for player, found in _type_values(solution, variant).items() for kind in found]
    rows: list[tuple[str, ...]] = []
    for place, one in enumerate((solution, *solution.others)):
        by_type = _type_values(one, variant)
        rows.append(
            (
                "shown" if place == 0 else str(place),
                one.refinement[variant] if one.refinement else "",
                *(_value(float(value)) for value in one.values[variant]),
                *(_value(by_type[player][kind]["value"]) for player, kind in kinds),
            )
        )
    heads = ("", "refinement", *players, *(f"{player}: {kind}" for player, kind in kinds))
    return Table(title="Values in all equilibria found", columns=heads, rows=rows)


def types_data(solution: Solution, variant: int = 0) -> dict[str, Any]:
    """Return what ``sim solve --json`` says of private types; nothing where nobody has any.

    Examples
    --------
    >>> import sim
    >>> solution = sim.solve(sim.compile(sim.load("scenarios/entry_deterrence.toml")), "perfect_bayesian")
    >>> found = types_data(solution)
    >>> found["refinement"], found["types"]["store"]["strong"]["prior"]
    ('sequential (logit trembles)', 0.0625)
    """
    types = solution.game.types
    if types is None:
        return {}
    players = solution.game.graph.players
    return {
        "histories": len(types.node_class),
        "pairs": types.pairs,
        "types": _type_values(solution, variant),
        "refinement": solution.refinement[variant] if solution.refinement else None,
        "others": [
            {
                "refinement": one.refinement[variant] if one.refinement else None,
                "values": {name: float(value) for name, value in zip(players, one.values[variant], strict=True)},
                "types": _type_values(one, variant),
            }
            for one in solution.others
        ],
    }


# -- beliefs in tables ------------------------------------------------------------------------------------------------------------------


def shown_types(names: tuple[str, ...]) -> list[int]:
    """List the types whose probability is shown: of two the last, since the other's is what is left."""
    return [1] if len(names) == 2 else list(range(len(names)))  # noqa: PLR2004 - of two one is enough


def belief_columns(solution: Solution, players: tuple[str, ...]) -> list[tuple[int, int, str]]:
    """List what tables show of beliefs: which watched player, which of his types, and the head of the column."""
    types = solution.game.types
    if types is None:
        return []
    everybody = solution.game.graph.players
    return [
        (place, k, f"{player} {types.names[everybody.index(player)][k]}")
        for place, player in enumerate(players)
        for k in shown_types(types.names[everybody.index(player)])
    ]


def belief_cell(before: Floats, after: Floats, kind: int) -> str:
    """Write how the belief in one type moved, or where it stays.

    Examples
    --------
    >>> belief_cell(np.array([0.5, 0.5]), np.array([0.25, 0.75]), 1)
    '0.500 → 0.750'
    """
    old, new = number(float(before[kind])), number(float(after[kind]))
    return new if new == old else f"{old} → {new}"


def replay_belief_columns(found: Replay) -> tuple[list[str], list[list[str]]]:
    """Return the heads, and for each record the cells, of how beliefs moved; nothing where nobody has private types."""
    if found.solution.game.types is None or not found.steps:
        return [], [[] for _ in found.steps]
    players, steps = record_beliefs(found)
    columns = belief_columns(found.solution, players)
    cells = [[belief_cell(step.before[who], step.after[who], kind) for who, kind, _ in columns] for step in steps]
    return [f"believed: {head}" for _, _, head in columns], cells


def replay_belief_data(found: Replay) -> list[dict[str, Any]]:
    """Return for each record what was believed before and after it, as plain data; empty objects where nobody has private types."""
    types = found.solution.game.types
    if types is None:
        return [{} for _ in found.steps]
    players, steps = record_beliefs(found)
    return [{"beliefs": step_data(found.solution, players, step)} for step in steps]


def step_data(solution: Solution, players: tuple[str, ...], step: BeliefStep) -> dict[str, Any]:
    """Return what a step did to the beliefs about each watched player, as plain data."""
    return {
        player: {
            "before": dict(zip(_names(solution, player), before.tolist(), strict=True)),
            "after": dict(zip(_names(solution, player), after.tolist(), strict=True)),
        }
        for player, before, after in zip(players, step.before, step.after, strict=True)
    }


def _names(solution: Solution, player: str) -> tuple[str, ...]:
    types = solution.game.types
    return types.names[solution.game.graph.players.index(player)] if types else ()


def precision_line(solution: Solution) -> str:
    """Say under which precision beliefs move.

    Examples
    --------
    >>> import sim
    >>> game = sim.compile(sim.load("scenarios/entry_deterrence.toml"))
    >>> precision_line(sim.solve(game, "quantal_response", precision=2.0))
    'Beliefs move as under quantal_response with precision λ = 2 for everybody.'
    """
    precision: Mapping[str, float] | float | None = solution.options.get("precision")
    if precision is None:
        return f"Beliefs move as under {solution.concept}: choices without error, λ without bound."
    if isinstance(precision, (int, float)):
        return f"Beliefs move as under {solution.concept} with precision λ = {number(float(precision))} for everybody."
    numbers: dict[str, Any] = dict(precision)
    told = ", ".join(f"{player} {number(float(np.ravel(value)[0]))}" for player, value in numbers.items())
    return f"Beliefs move as under {solution.concept} with precision λ by player: {told}."
