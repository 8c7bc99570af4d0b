"""Backward induction where one player or chance moves at a time, for any run of layers: shared by the equilibrium concepts.

From the last layer to the first, the mover of a node takes an action with the greatest :math:`Q_p(e)` (see :mod:`sim.game.graph`). Two
actions are *tied* when their values differ by at most 1e-9 of the mover's payoff range; a named rule resolves ties:

``first``
    the first in the order of the file
``uniform``
    all tied actions, in proportion to their weights under uniform play
``least_escalatory``, ``most_escalatory``
    the least or greatest expected next rung of the scenario's ladder, then the order of the file
"""

# A kernel's types are its explicit signature.
# pyright: reportMissingParameterType=false, reportUnknownParameterType=false, reportCallIssue=false

from __future__ import annotations

from typing import TYPE_CHECKING

import numba as nb
import numpy as np

from sim.errors import OptionError, did_you_mean
from sim.game.abreast import LANES, fit_abreast
from sim.numerics.signatures import FLAG, INT, REAL, read, write
from sim.numerics.threads import over_variants

if TYPE_CHECKING:
    from collections.abc import Callable

    from sim.game.graph import Game
    from sim.kinds import Floats

__all__ = ["RULES", "backward", "check_ties", "induct_all"]

RULES = ("first", "uniform", "least_escalatory", "most_escalatory")
TIE = 1e-9


def check_ties(ties: str) -> None:
    """Refuse an unknown rule.

    Examples
    --------
    >>> check_ties("uniform")
    """
    if ties not in RULES:
        raise OptionError(f"ties is '{ties}'; {did_you_mean(ties, RULES)}")


@nb.njit(
    nb.void(
        read(INT, 1), read(INT, 1), read(REAL, 1), read(INT, 1), read(REAL, 1), read(FLAG, 1), read(REAL, 2),
        nb.intp, nb.intp, nb.intp, nb.float64, write(REAL, 1), write(REAL, 1),
    ),
    nogil=True,
    cache=True,
)  # fmt: skip
def _resolve(
    edge_start, edge_dst, edge_weight, edge_prob, node_rung, node_uncertain, prob, rule, begin, end, bound, q, share
):
    """Share a node's choice among the actions worth ``bound`` or more, by a rule; ``q`` and ``share`` are those of its edges."""
    if rule == 1:
        total = 0.0
        for e in range(begin, end):
            if q[e - begin] >= bound:
                total += edge_weight[e]
        for e in range(begin, end):
            share[e - begin] = edge_weight[e] / total if q[e - begin] >= bound else 0.0
        return
    chosen, lowest = begin, np.inf
    for e in range(end - 1, begin - 1, -1):
        if q[e - begin] >= bound:
            rank = 0.0
            if rule >= 2:
                to = edge_dst[e]
                rank = node_rung[to]
                if node_uncertain[to]:
                    rank = 0.0
                    for after in range(edge_start[to], edge_start[to + 1]):
                        rank += prob[edge_prob[after], 0] * node_rung[edge_dst[after]]
                if rule == 3:
                    rank = -rank
            if rank <= lowest + (1e-12 if rule >= 2 else 0.0):
                lowest = min(rank, lowest)
                chosen = e
    for e in range(begin, end):
        share[e - begin] = 1.0 if e == chosen else 0.0


@nb.njit(
    nb.void(
        read(INT, 1), read(INT, 1), read(FLAG, 1), read(INT, 1), read(INT, 1), read(REAL, 1), read(INT, 1), read(INT, 1), read(INT, 2), read(INT, 2),
        read(REAL, 1), read(FLAG, 1), read(REAL, 2), read(REAL, 3), read(REAL, 3), read(REAL, 2), read(REAL, 2),
        nb.intp, nb.intp, nb.intp, nb.intp, nb.intp, write(REAL, 3), write(REAL, 2),
    ),
    nogil=True,
    cache=True,
)  # fmt: skip
def _backward_induction(
    layer_start, layer_player, layer_boundary, edge_start, edge_dst, edge_weight, edge_pay, edge_prob, node_reward, node_final,
    node_rung, node_uncertain, reward, pay, prob, discount, span, rule, bottom, top, first, stop, kept, profile,
):  # fmt: skip
    """Write the profile of variants ``first … stop - 1`` at layers ``bottom … top - 1``; ``kept`` (v, n, i) holds values on arrival."""
    players = discount.shape[1]
    value = np.empty(players)
    q = np.empty(np.max(np.diff(edge_start)) if len(edge_start) > 1 else 0)
    for v in range(first, stop):
        arrival = kept[v]
        for layer in range(top - 1, bottom - 1, -1):
            mover = layer_player[layer]
            boundary = layer_boundary[layer]
            for n in range(layer_start[layer], layer_start[layer + 1]):
                begin, end = edge_start[n], edge_start[n + 1]
                value[:] = 0.0
                if mover == -2:
                    for i in range(players):
                        value[i] = reward[v, node_final[n, i]]
                elif mover == -1:
                    for e in range(begin, end):
                        for i in range(players):
                            value[i] += prob[v, edge_prob[e], 1 + i] * (
                                pay[v, edge_pay[e], i] + arrival[edge_dst[e], i]
                            )
                else:
                    best = -np.inf
                    for e in range(begin, end):
                        q[e - begin] = pay[v, edge_pay[e], mover] + arrival[edge_dst[e], mover]
                        best = max(best, q[e - begin])
                    bound = best - TIE * span[v, mover]
                    _resolve(
                        edge_start, edge_dst, edge_weight, edge_prob, node_rung, node_uncertain, prob[v], rule, begin, end, bound, q,
                        profile[v, begin:end],
                    )  # fmt: skip
                    for e in range(begin, end):
                        share = profile[v, e]
                        if share > 0.0:
                            for i in range(players):
                                value[i] += share * (pay[v, edge_pay[e], i] + arrival[edge_dst[e], i])
                for i in range(players):
                    arrival[n, i] = reward[v, node_reward[n, i]] + discount[v, i] * value[i] if boundary else value[i]


@nb.njit(
    nb.void(
        read(INT, 1), read(INT, 1), read(FLAG, 1), read(INT, 1), read(INT, 1), read(REAL, 1), read(INT, 1), read(INT, 1), read(INT, 2), read(INT, 2),
        read(REAL, 1), read(FLAG, 1), read(REAL, 2), read(REAL, 3), read(REAL, 3), read(REAL, 2), read(REAL, 2),
        nb.intp, nb.intp, nb.intp, write(REAL, 2),
    ),
    nogil=True,
    cache=True,
)  # fmt: skip
def _abreast(
    layer_start, layer_player, layer_boundary, edge_start, edge_dst, edge_weight, edge_pay, edge_prob, node_reward, node_final,
    node_rung, node_uncertain, reward, pay, prob, discount, span, rule, first, stop, profile,
):  # fmt: skip
    """Write the profile of variants ``first … stop - 1`` of a whole game, ``LANES`` of them abreast: one look at the graph serves all."""
    players = discount.shape[1]
    nodes = len(edge_start) - 1
    most = np.max(np.diff(edge_start)) if nodes else 0
    arrival = np.empty((nodes, players, LANES))
    rewards = np.empty((reward.shape[1], LANES))
    pays = np.empty((pay.shape[1], players, LANES))
    probs = np.empty((prob.shape[1], players, LANES))
    value = np.empty((players, LANES))
    q = np.empty((most, LANES))
    share = np.empty((most, LANES))
    best, bound = np.empty(LANES), np.empty(LANES)
    factor, width = np.empty((players, LANES)), np.empty((players, LANES))
    own, part = np.empty(most), np.empty(most)
    for v in range(first, stop, LANES):
        for k in range(LANES):
            at = min(v + k, stop - 1)
            for row in range(reward.shape[1]):
                rewards[row, k] = reward[at, row]
            for i in range(players):
                factor[i, k], width[i, k] = discount[at, i], span[at, i]
                for row in range(pay.shape[1]):
                    pays[row, i, k] = pay[at, row, i]
                for row in range(prob.shape[1]):
                    probs[row, i, k] = prob[at, row, 1 + i]
        for layer in range(len(layer_player) - 1, -1, -1):
            mover = layer_player[layer]
            boundary = layer_boundary[layer]
            for n in range(layer_start[layer], layer_start[layer + 1]):
                begin, end = edge_start[n], edge_start[n + 1]
                for i in range(players):
                    for k in range(LANES):
                        value[i, k] = 0.0
                if mover == -2:
                    for i in range(players):
                        for k in range(LANES):
                            value[i, k] = rewards[node_final[n, i], k]
                elif mover == -1:
                    for e in range(begin, end):
                        row, to, paid = edge_prob[e], edge_dst[e], edge_pay[e]
                        for i in range(players):
                            for k in range(LANES):
                                value[i, k] += probs[row, i, k] * (pays[paid, i, k] + arrival[to, i, k])
                else:
                    for k in range(LANES):
                        best[k] = -np.inf
                    for e in range(begin, end):
                        to, paid, place = edge_dst[e], edge_pay[e], e - begin
                        for k in range(LANES):
                            q[place, k] = pays[paid, mover, k] + arrival[to, mover, k]
                            best[k] = max(best[k], q[place, k])
                    for k in range(LANES):
                        bound[k] = best[k] - TIE * width[mover, k]
                    tied = 0.0
                    for place in range(end - begin):
                        for k in range(LANES):
                            share[place, k] = 1.0 if q[place, k] >= bound[k] else 0.0
                            tied += share[place, k]
                    if tied > LANES:
                        for k in range(LANES):
                            for place in range(end - begin):
                                own[place] = q[place, k]
                            _resolve(
                                edge_start, edge_dst, edge_weight, edge_prob, node_rung, node_uncertain, prob[min(v + k, stop - 1)],
                                rule, begin, end, bound[k], own, part,
                            )  # fmt: skip
                            for place in range(end - begin):
                                share[place, k] = part[place]
                    for k in range(min(LANES, stop - v)):
                        for place in range(end - begin):
                            profile[v + k, begin + place] = share[place, k]
                    for e in range(begin, end):
                        to, paid, place = edge_dst[e], edge_pay[e], e - begin
                        for i in range(players):
                            for k in range(LANES):
                                value[i, k] += share[place, k] * (pays[paid, i, k] + arrival[to, i, k])
                for i in range(players):
                    if boundary:
                        for k in range(LANES):
                            arrival[n, i, k] = rewards[node_reward[n, i], k] + factor[i, k] * value[i, k]
                    else:
                        for k in range(LANES):
                            arrival[n, i, k] = value[i, k]


def induct_all(game: Game, ties: str, profile: Floats) -> None:
    """Go backwards through a whole game in which nobody moves at once; write its profile (v, e)."""
    g, x = game.graph, game.numbers
    rule = RULES.index(ties)
    given = (*g.arrays(), g.node_rung, g.node_uncertain, x.reward, x.pay, x.prob, x.discount, x.span, rule)
    if fit_abreast(game):
        over_variants(lambda first, stop: _abreast(*(*given, first, stop, profile)), game.variants, LANES)
        return

    def one_by_one(first: int, stop: int) -> None:
        kept = np.empty((1, g.node_count, len(g.players)))
        for v in range(first, stop):
            some = (y[v : v + 1] for y in (x.reward, x.pay, x.prob, x.discount, x.span))
            _backward_induction(*(*given[:12], *some, rule, 0, g.layer_count, 0, 1, kept, profile[v : v + 1]))

    over_variants(one_by_one, game.variants)


def backward(game: Game, ties: str) -> Callable[[int, int, slice, Floats, Floats], None]:
    """Return the kernel that :func:`sim.solve.stages.induct` plays the layers with at which one player or chance moves."""
    g = game.graph
    rule = RULES.index(ties)

    def kernel(bottom: int, top: int, variants: slice, kept: Floats, profile: Floats) -> None:
        x = game.numbers.take(variants)
        part = profile[variants]
        over_variants(
            lambda first, stop: _backward_induction(
                *g.arrays(),
                g.node_rung, g.node_uncertain, x.reward, x.pay, x.prob, x.discount, x.span,
                rule, bottom, top, first, stop, kept, part,
            ),
            x.variants,
        )  # fmt: skip

    return kernel
