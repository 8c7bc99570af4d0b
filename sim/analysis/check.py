"""Everything that can be wrong with a scenario once its states are known, and what is merely odd."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.analysis.history import bypassing, places, record_text
from sim.analysis.outcomes import question, reachable_values
from sim.construct.compile import compile as compile_game
from sim.construct.expand import NODE_LIMIT, locate
from sim.errors import Problem, ScenarioError
from sim.game.graph import SIMULTANEOUS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sim.game.graph import Game
    from sim.scenario.model import Scenario

__all__ = ["check", "size_bound"]


def size_bound(scenario: Scenario, rounds: int | None = None) -> int:
    """Bound the number of nodes without expanding anything.

    Every layer holds at most all conceivable states, and at most as many as the layer before times the greatest number of successors.

    Examples
    --------
    >>> import sim
    >>> size_bound(sim.load(sim.template()))
    22
    """
    states = 1
    for variable in scenario.variables:
        states *= variable.size
    width, total = 1, 1
    widest_case = {
        event: max((len(case.branches) for case in cases), default=1) for event, cases in scenario.chance.items()
    }
    last = scenario.settled + scenario.period if scenario.endless else rounds or scenario.rounds
    for number in range(1, last + 1):
        if scenario.endless and number > scenario.settled:
            width = states  # whatever the stationary rounds may reach
        for turn in scenario.turns:
            if not turn.comes_in(number):
                continue
            steps = [widest_case[e] for e in turn.events]
            if turn.players:
                steps = [
                    math.prod(
                        sum(max(1, len(action.branches)) for action in scenario.actions if name in action.players)
                        for name in turn.players
                    )
                ]
            for step in steps:
                width = min(width * max(1, step), states)
                total += width
        total += width
    return total


def check(
    scenario: Scenario,
    settings: dict[str, Any] | None = None,
    *,
    rounds: int | None = None,
    node_limit: int = NODE_LIMIT,
    hidden: Iterable[str] | str | None = None,
) -> tuple[Game | None, tuple[Problem, ...]]:
    """Compile a scenario with base values and look for what is wrong or odd.

    Parameters
    ----------
    scenario, settings, rounds, node_limit
        What to look at, as for :func:`sim.compile`.
    hidden
        Which private types to hide, as for :func:`sim.compile`.

    Returns
    -------
    tuple
        The game, or None where its size bound exceeds the node limit and its true size too; and the warnings.

    Raises
    ------
    ScenarioError
        For what is wrong.

    Examples
    --------
    >>> import sim
    >>> game, warnings = check(sim.load(sim.template()))
    >>> game.graph.node_count, len(warnings)
    (11, 0)
    """
    warnings = list(scenario.warnings)
    try:
        game = compile_game(scenario, settings, rounds=rounds, node_limit=node_limit, hidden=hidden)
    except ScenarioError as error:
        if (
            any(problem.kind == "too-many-nodes" for problem in error.problems)
            and size_bound(scenario, rounds) > node_limit
        ):
            return None, (*warnings, *error.problems)
        raise
    warnings += game.origin.warnings
    for move in dict.fromkeys(action.move for action in scenario.actions):
        if move not in game.origin.played:
            warnings.append(
                locate(
                    scenario,
                    f"moves.{move}",
                    "never-available",
                    f"move {move} is never available",
                    advice="loosen its guard, or remove it",
                )
            )
    flat = game
    if game.graph.stationary:  # paths are followed for some rounds
        flat = compile_game(scenario, settings, rounds=rounds, unrolled=True, node_limit=node_limit)
    warnings += _constant_outcomes(flat)
    problems = _history_problems(flat)
    if problems:
        raise ScenarioError(problems)
    return game, tuple(warnings)


def _constant_outcomes(game: Game) -> list[Problem]:
    """Find outcomes that every history answers alike."""
    scenario: Scenario = game.origin.scenario
    out: list[Problem] = []
    for name in scenario.questions:
        values = reachable_values(game, question(game, name))
        if len(values) == 1:
            what = f"outcome {name} is the same on every path ({question(game, name).text} gives {values[0]:g})"
            out.append(
                locate(
                    scenario, f"outcomes.{name}", "constant-outcome", what, advice="ask something that play can decide"
                )
            )
    return out


def _history_problems(game: Game) -> list[Problem]:
    """Follow the recorded history through available moves, whatever their probability."""
    scenario: Scenario = game.origin.scenario
    graph = game.graph
    source = graph.edge_source()
    position, done = -1, frozenset[str]()
    allowed = np.ones(graph.edge_count, dtype=bool)
    for record in scenario.history:
        if record.round > game.origin.rounds:
            continue
        alive = _alive(game, allowed)
        text = record_text(record)
        for layer, edges, texts in places(graph, record, position, done):
            match = (texts == text) & alive[source[edges]]
            if match.any():
                allowed[edges] = match
                allowed[bypassing(graph, layer)] = False
                done = (done if layer == position else frozenset()) | (
                    {record.player} if graph.layer_player[layer] == SIMULTANEOUS else frozenset()
                )
                position = layer
                break
        else:
            what = (
                f"recorded {text} in round {record.round} was not available in any state that the earlier records leave"
            )
            return [
                locate(
                    scenario,
                    record.place,
                    "unavailable-record",
                    what,
                    advice="correct the record, record what happened before it, or loosen the guard",
                )
            ]
    return []


def _alive(game: Game, allowed: Any) -> Any:
    """Find the nodes that allowed edges reach."""
    graph = game.graph
    alive = np.zeros(graph.node_count, dtype=bool)
    alive[graph.roots] = True
    source = graph.edge_source()
    for layer in range(graph.layer_count):
        edges = graph.edges(layer)
        live = alive[source[edges]] & allowed[edges]
        alive[graph.edge_dst[edges][live]] = True
    return alive
