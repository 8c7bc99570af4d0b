"""One player's own choices at a node: what he may do there, how likely he does, and what it would earn him.

Where one player moves these are the edges; at a simultaneous turn they are summed over what the others do, as they do it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.game.graph import SIMULTANEOUS

if TYPE_CHECKING:
    from sim.game.graph import EdgeLabel, Graph
    from sim.kinds import Floats
    from sim.solve.contract import Solution

__all__ = ["Choices", "choices_at", "choosers", "part_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """A player's own choices at a node.

    Attributes
    ----------
    player : str
    labels : tuple of EdgeLabel
        One for each action.
    probability : float array, (a,)
    values : float array, (a, i)
        What every player earns if the action is taken and all else is played as it is.
    """

    player: str
    labels: tuple[EdgeLabel, ...]
    probability: Floats
    values: Floats

    @property
    def names(self) -> tuple[str, ...]:
        """The actions' labels as texts."""
        return tuple(label.text for label in self.labels)


def choosers(graph: Graph, layer: int) -> tuple[int, ...]:
    """Return the players that choose at a layer, in order; none at chance.

    Examples
    --------
    >>> import sim
    >>> choosers(sim.compile(sim.load(sim.template())).graph, 0)
    (0,)
    """
    mover = int(graph.layer_player[layer])
    if mover >= 0:
        return (mover,)
    if mover != SIMULTANEOUS:
        return ()
    first = graph.edge_start[graph.layer_start[layer]]
    label = graph.labels[graph.edge_label[first]]
    return tuple(graph.players.index(part.player) for part in label.parts)


def part_of(label: EdgeLabel, player: str) -> EdgeLabel:
    """Return a player's part of a joint action, or the label itself."""
    return next((part for part in label.parts if part.player == player), label)


def choices_at(solution: Solution, node: int, player: int, variant: int = 0, arrival: Floats | None = None) -> Choices:
    """Return a player's own choices at a node.

    Parameters
    ----------
    solution, variant
        What is played.
    node, player
        Where, and who chooses there.
    arrival
        Values on arrival W (n, i), if they are known already; with private types leave them out, for values after a move depend on who moved.

    Examples
    --------
    >>> import sim
    >>> found = choices_at(sim.solve(sim.compile(sim.load(sim.template()))), 0, 0)
    >>> found.names, found.probability
    (('push', 'hold'), array([0., 1.]))
    """
    graph, numbers = solution.game.graph, solution.game.numbers
    edges = np.asarray(graph.edges_of(node))
    if solution.game.types is not None and arrival is None:  # what one expects who has seen the history and no type
        q = solution.action_values(node, variant)
    else:
        if arrival is None:
            _, arrival = solution.node_values(variant)
        q = numbers.pay[variant * solution.game.lanes, graph.edge_pay[edges]] + arrival[graph.edge_dst[edges]]
    share = solution.profile[variant, edges]
    count = int(graph.node_shape[node, player])
    behind = int(np.prod(graph.node_shape[node, player + 1 :]))
    own = (np.arange(len(edges)) // behind) % count
    rest = np.arange(len(edges)) - own * behind
    others: Any = np.zeros(len(edges))
    np.add.at(others, rest, share)
    weight = others[rest]
    values = np.stack([weight[own == a] @ q[own == a] for a in range(count)])
    labels = tuple(
        part_of(graph.labels[graph.edge_label[edges[np.argmax(own == a)]]], graph.players[player]) for a in range(count)
    )
    return Choices(
        player=graph.players[player],
        labels=labels,
        probability=np.bincount(own, weights=share, minlength=count).astype(np.float64),
        values=values,
    )
