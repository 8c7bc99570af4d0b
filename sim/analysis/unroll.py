"""Endless games shown for some rounds: the stationary profile on the finite graph in which paths are followed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.construct.compile import compile as compile_game
from sim.game.graph import SIMULTANEOUS
from sim.kinds import frozen

if TYPE_CHECKING:
    from sim.game.graph import Game, Graph
    from sim.kinds import Floats, Ints
    from sim.scenario.model import Scenario
    from sim.solve.contract import Solution

__all__ = ["unrolled"]


def unrolled(solution: Solution, rounds: int | None = None) -> Solution:
    """Return a solution of an endless game as one of its first rounds; others are returned as they are.

    Where the last round leaves off, the final payoff is what the stationary solution is worth from there, so that values agree.

    Parameters
    ----------
    solution
        Of any game that was compiled from a scenario.
    rounds
        How many rounds; by default those that the scenario shows.

    Examples
    --------
    >>> import sim
    >>> solution = sim.solve(sim.compile(sim.load(sim.template())))
    >>> unrolled(solution) is solution
    True
    """
    game = solution.game
    if not game.graph.stationary:
        return solution
    origin = game.origin
    flat = compile_game(
        origin.scenario, origin.settings, rounds=rounds or origin.rounds, remove=origin.removed, unrolled=True
    )
    if flat.variants < game.variants:
        flat = flat.repeat(game.variants)
    nodes, homes = _counterparts(origin.scenario, flat.graph, game.graph)
    profile = np.zeros((game.variants, flat.graph.edge_count))
    mover = flat.graph.layer_player[flat.graph.node_layer()][flat.graph.edge_source()]
    chance = (mover < 0) & (mover != SIMULTANEOUS)
    profile[:, chance] = flat.numbers.prob[:, flat.graph.edge_prob[chance], 0]
    chosen = np.flatnonzero(~chance)
    twin = _same_edges(flat.graph, game.graph, chosen, nodes[flat.graph.edge_source()[chosen]])
    profile[:, chosen[twin >= 0]] = solution.profile[:, twin[twin >= 0]]  # what a commitment took away stays at 0
    return replace(solution, game=_valued(flat, solution, homes), profile=frozen(profile), guess=None)


def _counterparts(scenario: Scenario, flat: Graph, endless: Graph) -> tuple[Ints, Ints]:
    """Find the stationary node of each node at which somebody chooses (-1 elsewhere), and of each at which the last round leaves off."""
    out = np.full(flat.node_count, -1, dtype=np.int32)
    at: dict[tuple[int, int], int] = {}
    first: dict[int, int] = {}
    for layer in range(endless.layer_count):
        number, turn = int(endless.layer_round[layer]), int(endless.layer_turn[layer])
        first.setdefault(number, layer)
        if endless.layer_player[layer] >= 0 or endless.layer_player[layer] == SIMULTANEOUS:
            at[number, turn] = layer
    for layer in range(flat.layer_count):
        if flat.layer_player[layer] >= 0 or flat.layer_player[layer] == SIMULTANEOUS:
            home = at[_stationary(scenario, int(flat.layer_round[layer])), int(flat.layer_turn[layer])]
            out[flat.nodes(layer)] = _same(endless, home, flat.node_key[flat.nodes(layer)])
    last = flat.layer_count - 1
    after = first[_stationary(scenario, int(flat.layer_round[last]) + 1)]
    return out, _same(endless, after, flat.node_key[flat.nodes(last)])


def _same_edges(flat: Graph, endless: Graph, edges: Any, nodes: Any) -> Any:
    """Find the edge with the same label that leaves the counterpart of each edge's node; -1 where there is none."""
    known = {label: place for place, label in enumerate(endless.labels)}
    names = np.array([known.get(label, -1) for label in flat.labels])[flat.edge_label[edges]]
    size = len(endless.labels)
    code = endless.edge_source().astype(np.int64) * size + endless.edge_label
    order = np.argsort(code, kind="stable")
    wanted = nodes.astype(np.int64) * size + names
    place = np.minimum(np.searchsorted(code[order], wanted), len(order) - 1)
    found = order[place]
    return np.where((names >= 0) & (code[found] == wanted), found, -1)


def _stationary(scenario: Scenario, number: int) -> int:
    """Return the round of the stationary game that stands for a round."""
    beyond = number - scenario.settled - 1
    return number if beyond < 0 else scenario.settled + 1 + beyond % scenario.period


def _same(graph: Graph, layer: int, keys: Any) -> Ints:
    """Find the nodes of a layer with given states."""
    here = graph.nodes(layer)
    found = here.start + np.searchsorted(graph.node_key[here], keys)
    return found.astype(np.int32)


def _valued(flat: Game, solution: Solution, homes: Ints) -> Game:
    """Let the last nodes pay what the stationary solution is worth from there."""
    graph, numbers = flat.graph, flat.numbers
    worth: list[Floats] = [solution.node_values(v)[0][homes] for v in range(flat.variants)]
    base = numbers.reward.shape[1]
    final = graph.node_final.copy()
    final[graph.nodes(graph.layer_count - 1)] = base + np.arange(worth[0].size).reshape(worth[0].shape)
    reward = np.concatenate((numbers.reward, np.stack([one.reshape(-1) for one in worth])), axis=1)
    return replace(
        flat,
        graph=replace(graph, node_final=frozen(final)),
        numbers=replace(numbers, reward=frozen(reward), span=solution.game.numbers.span),
    )
