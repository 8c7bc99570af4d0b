r"""One step of best replies, in agent form: what every node's mover would do if all other nodes were played by a given profile.

Shared by the concepts of bounded reasoning. Values under the given profile are computed backwards; at each node the mover takes the
actions with the greatest :math:`Q_p(e)`, ties (within 1e-9 of the payoff range) in proportion to their weights under uniform play.
"""

# A kernel's types are its explicit signature.
# pyright: reportMissingParameterType=false, reportUnknownParameterType=false, reportCallIssue=false

from __future__ import annotations

from typing import TYPE_CHECKING

import numba as nb
import numpy as np

from sim.numerics.signatures import FLAG, INT, REAL, read, write
from sim.numerics.threads import over_variants

if TYPE_CHECKING:
    from sim.game.graph import Game
    from sim.kinds import Floats

__all__ = ["best_replies", "uniform_play"]

TIE = 1e-9


@nb.njit(
    nb.void(
        read(INT, 1), read(INT, 1), read(FLAG, 1), read(INT, 1), read(INT, 1), read(REAL, 1), read(INT, 1), read(INT, 1), read(INT, 2), read(INT, 2),
        read(REAL, 2), read(REAL, 3), read(REAL, 3), read(REAL, 2), read(REAL, 2), read(REAL, 2), nb.intp, nb.intp, write(REAL, 2),
    ),
    nogil=True,
    cache=True,
)  # fmt: skip
def _reply(
    layer_start, layer_player, layer_boundary, edge_start, edge_dst, edge_weight, edge_pay, edge_prob, node_reward, node_final,
    reward, pay, prob, discount, span, given, first, stop, reply,
):  # fmt: skip
    """Write the replies of variants ``first … stop - 1`` to the given profile."""
    nodes = edge_start.shape[0] - 1
    players = discount.shape[1]
    arrival = np.empty((nodes, players))
    value = np.empty(players)
    for v in range(first, stop):
        for layer in range(len(layer_player) - 1, -1, -1):
            mover = layer_player[layer]
            for n in range(layer_start[layer], layer_start[layer + 1]):
                begin, end = edge_start[n], edge_start[n + 1]
                value[:] = 0.0
                if mover == -2:
                    for i in range(players):
                        value[i] = reward[v, node_final[n, i]]
                best = -np.inf
                for e in range(begin, end):
                    for i in range(players):
                        q = pay[v, edge_pay[e], i] + arrival[edge_dst[e], i]
                        value[i] += (given[v, e] if mover >= 0 else prob[v, edge_prob[e], 1 + i]) * q
                        if i == mover:
                            reply[v, e] = q
                            best = max(best, q)
                if mover >= 0:
                    total = 0.0
                    for e in range(begin, end):
                        reply[v, e] = edge_weight[e] if best - reply[v, e] <= TIE * span[v, mover] else 0.0
                        total += reply[v, e]
                    for e in range(begin, end):
                        reply[v, e] /= total
                for i in range(players):
                    if layer_boundary[layer]:
                        arrival[n, i] = reward[v, node_reward[n, i]] + discount[v, i] * value[i]
                    else:
                        arrival[n, i] = value[i]


def best_replies(game: Game, given: Floats) -> Floats:
    """Return every node's best reply to a profile, shape (v, e).

    Examples
    --------
    >>> import sim
    >>> game = sim.compile(sim.load(sim.template()))
    >>> best_replies(game, uniform_play(game))[0, :2]
    array([1., 0.])
    """
    g, x = game.graph, game.numbers
    reply = np.zeros((game.variants, g.edge_count))
    over_variants(
        lambda first, stop: _reply(
            *g.arrays(),
            x.reward, x.pay, x.prob, x.discount, x.span, given, first, stop, reply,
        ),
        game.variants,
    )  # fmt: skip
    return reply


def uniform_play(game: Game) -> Floats:
    """Return weighted uniform play, level 0: each unit of weight is equally likely, shape (v, e).

    Examples
    --------
    >>> import sim
    >>> uniform_play(sim.compile(sim.load(sim.template())))[0, :2]
    array([0.5, 0.5])
    """
    graph = game.graph
    source = graph.edge_source()
    total = np.bincount(source, weights=graph.edge_weight, minlength=graph.node_count)[source]
    shares = np.divide(graph.edge_weight, total, out=np.zeros_like(total), where=total > 0)
    return np.repeat(shares[None, :], game.variants, axis=0)
