"""Values of the nodes of a game with private numbers, as one expects who has seen the history and knows no number.

A player's number enters his own payoffs as a multiple, so that at an end only its expectation given his choices on the way counts; and since what is expected
is right on average, the same holds at every node before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.game.cutoff_referee import expected_shocks

if TYPE_CHECKING:
    from sim.game.graph import Game
    from sim.kinds import Floats

__all__ = ["expected_values"]


def expected_values(game: Game, profile: Floats, variant: int = 0) -> tuple[Floats, Floats]:
    """Return V and W of every node for one variant, each (n, i), as :func:`sim.game.referee.node_values` does.

    What an edge pays at the mean of all private numbers, plus W of where it leads, is what the edge is worth to those who take it. Where a
    discount is 0, what comes later is worth nothing at the start, and these values are 0.

    Parameters
    ----------
    game
        A game with private numbers.
    profile
        The shares of an equilibrium, (v, e).
    variant
        Which variant.

    Examples
    --------
    >>> import sim
    >>> solution = sim.solve(sim.compile(sim.load("scenarios/crisis_signalling.toml")), "cutoff")
    >>> value, _ = expected_values(solution.game, solution.profile)
    >>> np.allclose(value[0], solution.values[0])
    True
    """
    if game.shocks is None:
        raise TypeError("nobody knows a number privately")
    shocks, graph = game.shocks, game.graph
    one, past = shocks.games[variant], shocks.past[variant]
    mean = expected_shocks(one, profile[variant])
    load, weight = shocks.past_loading[variant], shocks.weight[variant]
    total = one.payoff + np.einsum("nid,nid->ni", one.loading, mean)
    source = graph.edge_source()
    for node in range(graph.node_count - 1, -1, -1):
        edges = graph.edges_of(node)
        if edges:
            total[node] = profile[variant, edges] @ total[graph.edge_dst[edges]]

    def later(place: Floats, paid: Floats, worth: Floats) -> Floats:
        return np.divide(place - paid, worth, out=np.zeros_like(place), where=worth > 0.0)

    value = later(total, past + np.einsum("nid,nid->ni", load, mean), weight)
    arrival = value.copy()
    told = mean[graph.edge_dst]
    before = past[source] + np.einsum("nid,nid->ni", load[source], told)
    paid = game.numbers.pay[variant, graph.edge_pay]
    arrival[graph.edge_dst] = later(total[graph.edge_dst], before, weight[source]) - paid
    return value, arrival
