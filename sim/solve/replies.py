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

from sim.game.graph import SIMULTANEOUS
from sim.numerics.signatures import FLAG, INT, REAL, read, write
from sim.numerics.threads import over_variants
from sim.solve.stages import induct, joint

if TYPE_CHECKING:
    from sim.game.graph import Game
    from sim.kinds import Floats
    from sim.solve.stages import Stage

__all__ = ["best_replies", "uniform_play"]

TIE = 1e-9


@nb.njit(
    nb.void(
        read(INT, 1), read(INT, 1), read(FLAG, 1), read(INT, 1), read(INT, 1), read(REAL, 1), read(INT, 1), read(INT, 1), read(INT, 2), read(INT, 2),
        read(REAL, 2), read(REAL, 3), read(REAL, 3), read(REAL, 2), read(REAL, 2), read(REAL, 2),
        nb.intp, nb.intp, nb.intp, nb.intp, write(REAL, 3), write(REAL, 2),
    ),
    nogil=True,
    cache=True,
)  # fmt: skip
def _reply(
    layer_start, layer_player, layer_boundary, edge_start, edge_dst, edge_weight, edge_pay, edge_prob, node_reward, node_final,
    reward, pay, prob, discount, span, given, bottom, top, first, stop, kept, reply,
):  # fmt: skip
    """Write the replies of variants ``first … stop - 1`` to the given profile at layers ``bottom … top - 1``; see ``kept`` there."""
    nodes = edge_start.shape[0] - 1
    players = discount.shape[1]
    scratch = np.empty((0 if len(kept) else nodes, players))
    value = np.empty(players)
    for v in range(first, stop):
        arrival = kept[v] if len(kept) else scratch
        for layer in range(top - 1, bottom - 1, -1):
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
    if game.plain:
        none = np.empty((0, 0, 0))
        over_variants(
            lambda first, stop: _reply(
                *g.arrays(),
                x.reward, x.pay, x.prob, x.discount, x.span, given, 0, g.layer_count, first, stop, none, reply,
            ),
            game.variants,
        )  # fmt: skip
        return reply

    def sequential(bottom: int, top: int, variants: slice, kept: Floats, out: Floats) -> None:
        some = x.take(variants)
        _reply(
            *g.arrays(),
            some.reward, some.pay, some.prob, some.discount, some.span, given[variants],
            bottom, top, 0, some.variants, kept, out[variants],
        )  # fmt: skip

    def together(stage: Stage) -> Floats:
        played = given[stage.variants][:, stage.edges]
        own = [
            _answer(stage, player, place, played, x.span[stage.variants]) for place, player in enumerate(stage.active)
        ]
        reply[stage.variants.start : stage.variants.stop, stage.edges] = joint(own) if own else 1.0
        return played

    wanted = reply.copy()
    induct(game, sequential, together, wanted)
    mover = np.repeat(np.repeat(g.layer_player, np.diff(g.layer_start)), np.diff(g.edge_start))
    return np.where(mover == SIMULTANEOUS, reply, wanted)


def _answer(stage: Stage, player: int, place: int, played: Floats, span: Floats) -> Floats:
    """Return a player's best reply to what the others play at stages, (v, k, actions); ties in proportion to weights."""
    v, k = played.shape[:2]
    others = played.reshape(v, k, *stage.shape).sum(axis=2 + place, keepdims=True)
    worth = others * stage.q[..., player].reshape(v, k, *stage.shape)
    axes = tuple(axis for axis in range(2, 2 + len(stage.shape)) if axis != 2 + place)
    worth = worth.sum(axis=axes)
    best = worth >= worth.max(axis=2, keepdims=True) - TIE * span[:, player, None, None]
    share = best * stage.weights[place][None]
    return share / share.sum(axis=2, keepdims=True)


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
