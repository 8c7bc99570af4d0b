r"""Bounds on outcomes across subgame-perfect equilibria: every way to break ties and to choose among stage equilibria, one by one.

Going backwards, the game forks wherever a mover has several best actions, or a stage of two players several extreme equilibria; each fork
goes on with its own continuation values. What comes out are the equilibria in which ties are broken purely and stages are played at extreme
equilibria, all of them unless there are more than the limit: then the bounds hold for those found only, and say so. Equilibria that mix a
tie, or mix two of a component, lie between these where they exist, but may carry other choices before them.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.errors import OptionError
from sim.game.graph import CHANCE, SIMULTANEOUS, TERMINAL
from sim.solve.stages import chance_values

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.game.graph import Game
    from sim.kinds import Floats
    from sim.solve.contract import Solution

__all__ = ["MOST_EQUILIBRIA", "Bounds", "bounds"]

MOST_EQUILIBRIA = 500
TIE = 1e-9
PAIR = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Outcomes and values across equilibria.

    Attributes
    ----------
    count
        Equilibria found; those that differ only where play never comes count too.
    complete
        Whether these are all of them, in the sense of this module.
    outcomes, values
        Least, selected and greatest, by outcome and by player.
    """

    count: int
    complete: bool
    outcomes: dict[str, tuple[float, float, float]]
    values: dict[str, tuple[float, float, float]]


@dataclass(slots=True)
class _World:
    """One way to play the layers done so far."""

    profile: Floats
    arrival: Floats


def bounds(solution: Solution, limit: int = MOST_EQUILIBRIA) -> Bounds:
    """Enumerate subgame-perfect equilibria of a solved game of one variant.

    Parameters
    ----------
    solution
        Certified, under ``subgame_perfect``.
    limit
        How many equilibria to keep.

    Raises
    ------
    OptionError
        For another concept, several variants, or stages of more than two players.

    Examples
    --------
    >>> import sim
    >>> found = bounds(sim.solve(sim.compile(sim.load(sim.template()))))
    >>> found.count, found.complete
    (1, True)
    """
    from sim.solve.registry import judged

    if solution.concept != "subgame_perfect" or solution.game.variants != 1:
        raise OptionError("bounds are computed for subgame_perfect, one variant at a time")
    worlds, complete = _worlds(solution.game, limit)
    selected = solution.require()
    from sim.analysis.paths import play

    found = [judged(solution.game, "subgame_perfect", world.profile).require() for world in worlds]
    answers = [{name: float(value[0]) for name, value in play(one).outcomes().items()} for one in found]
    mine = {name: float(value[0]) for name, value in play(selected).outcomes().items()}
    players = solution.game.graph.players
    values = np.array([one.values[0] for one in found])
    return Bounds(
        count=len(found),
        complete=complete,
        outcomes={
            name: (min([x, *(a[name] for a in answers)]), x, max([x, *(a[name] for a in answers)]))
            for name, x in mine.items()
        },
        values={
            name: (
                float(min(values[:, i].min(), selected.values[0, i])),
                float(selected.values[0, i]),
                float(max(values[:, i].max(), selected.values[0, i])),
            )
            for i, name in enumerate(players)
        },
    )


def _worlds(game: Game, limit: int) -> tuple[list[_World], bool]:
    """Go backwards, forking; return what is found, and whether nothing was left out."""
    graph = game.graph
    players = len(graph.players)
    worlds = [_World(np.zeros((1, graph.edge_count)), np.zeros((graph.node_count, players)))]
    complete = True
    for layer in range(graph.layer_count - 1, -1, -1):
        after: list[_World] = []
        for world in worlds:
            for one in _forks(game, layer, world):
                if len(after) >= limit:
                    complete = False
                    break
                after.append(one)
        worlds = after
    return worlds, complete


def _forks(game: Game, layer: int, world: _World) -> Iterator[_World]:
    """Yield the world after a layer, once for each combination of choices at its nodes."""
    graph, numbers = game.graph, game.numbers
    nodes = np.arange(graph.nodes(layer).start, graph.nodes(layer).stop)
    kind = int(graph.layer_player[layer])
    if kind == TERMINAL:
        columns = graph.node_final[nodes]
        yield _arrived(game, layer, world, numbers.reward[0, columns], world.profile)
        return
    edges = np.arange(graph.edges(layer).start, graph.edges(layer).stop)
    q = numbers.pay[0, graph.edge_pay[edges]] + world.arrival[graph.edge_dst[edges]]
    start = graph.edge_start[nodes] - edges[0]
    if kind == CHANCE:
        yield _arrived(game, layer, world, chance_values(game, layer, q[None])[0], world.profile)
        return
    options = _at_once(game, nodes, q, edges[0]) if kind == SIMULTANEOUS else _one_mover(game, nodes, q, edges[0], kind)
    for combination in itertools.product(*options):
        profile = world.profile.copy()
        profile[0, edges] = np.concatenate(combination)
        yield _arrived(game, layer, world, np.add.reduceat(profile[0, edges, None] * q, start, axis=0), profile)


def _one_mover(game: Game, nodes: Any, q: Floats, first: int, mover: int) -> list[list[Floats]]:
    """List every best action at each node, as distributions."""
    graph = game.graph
    out: list[list[Floats]] = []
    for node in nodes:
        own = q[graph.edge_start[node] - first : graph.edge_start[node + 1] - first, mover]
        best = np.flatnonzero(own >= own.max() - TIE * game.numbers.span[0, mover])
        out.append([np.eye(len(own))[a] for a in best])
    return out


def _at_once(game: Game, nodes: Any, q: Floats, first: int) -> list[list[Floats]]:
    """List every extreme equilibrium at each node, as joint distributions."""
    from sim.solve.nash import equilibria

    graph = game.graph
    out: list[list[Floats]] = []
    for node in nodes:
        shape = graph.node_shape[node]
        active = [int(i) for i in np.flatnonzero(shape > 1)]
        if len(active) > PAIR:
            raise OptionError("bounds need every equilibrium of a stage, which are enumerated for two players only")
        some = q[graph.edge_start[node] - first : graph.edge_start[node + 1] - first]
        if len(active) < PAIR:
            own = some[:, active[0]] if active else np.zeros(len(some))
            span = game.numbers.span[0, active[0]] if active else 1.0
            out.append([np.eye(len(own))[a] for a in np.flatnonzero(own >= own.max() - TIE * span)])
            continue
        sizes = (int(shape[active[0]]), int(shape[active[1]]))
        found = equilibria(some[:, active[0]].reshape(sizes), some[:, active[1]].reshape(sizes))
        out.append([np.outer(one.row, one.column).reshape(-1) for one in found])
    return out


def _arrived(game: Game, layer: int, world: _World, value: Floats, profile: Floats) -> _World:
    """Return a world with a layer's values on arrival."""
    graph, numbers = game.graph, game.numbers
    nodes = graph.nodes(layer)
    if graph.layer_boundary[layer]:
        value = numbers.reward[0, graph.node_reward[nodes]] + numbers.discount[0] * value
    arrival = world.arrival.copy()
    arrival[nodes] = value
    return _World(profile, arrival)
