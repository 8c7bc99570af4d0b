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
    """Write the profile of variants ``first … stop - 1`` at layers ``bottom … top - 1``; values on arrival stay in ``kept`` if it has room."""
    nodes = edge_start.shape[0] - 1
    players = discount.shape[1]
    scratch = np.empty((0 if len(kept) else nodes, players))
    value = np.empty(players)
    for v in range(first, stop):
        arrival = kept[v] if len(kept) else scratch
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
                        row, to, paid = edge_prob[e], edge_dst[e], edge_pay[e]
                        for i in range(players):
                            q = arrival[to, i]
                            if paid:
                                q += pay[v, paid, i]
                            value[i] += prob[v, row, 1 + i] * q
                else:
                    best = -np.inf
                    chosen = begin
                    for e in range(begin, end):
                        q = arrival[edge_dst[e], mover]
                        if edge_pay[e]:
                            q += pay[v, edge_pay[e], mover]
                        profile[v, e] = q
                        if q > best:
                            best = q
                            chosen = e
                    bound = best - TIE * span[v, mover]
                    tied = 0
                    for e in range(begin, end):
                        tied += profile[v, e] >= bound
                    if tied > 1 and rule == 1:
                        total = 0.0
                        for e in range(begin, end):
                            if profile[v, e] >= bound:
                                total += edge_weight[e]
                        for e in range(begin, end):
                            share = edge_weight[e] / total if profile[v, e] >= bound else 0.0
                            profile[v, e] = share
                            if share > 0.0:
                                for i in range(players):
                                    value[i] += share * (arrival[edge_dst[e], i] + pay[v, edge_pay[e], i])
                    else:
                        if tied > 1:
                            lowest = np.inf
                            for e in range(end - 1, begin - 1, -1):
                                if profile[v, e] >= bound:
                                    rank = 0.0
                                    if rule >= 2:
                                        to = edge_dst[e]
                                        rank = node_rung[to]
                                        if node_uncertain[to]:
                                            rank = 0.0
                                            for after in range(edge_start[to], edge_start[to + 1]):
                                                rank += prob[v, edge_prob[after], 0] * node_rung[edge_dst[after]]
                                        if rule == 3:
                                            rank = -rank
                                    if rank <= lowest + (1e-12 if rule >= 2 else 0.0):
                                        lowest = min(rank, lowest)
                                        chosen = e
                        for e in range(begin, end):
                            profile[v, e] = 0.0
                        profile[v, chosen] = 1.0
                        for i in range(players):
                            value[i] = arrival[edge_dst[chosen], i] + pay[v, edge_pay[chosen], i]
                if boundary:
                    for i in range(players):
                        arrival[n, i] = reward[v, node_reward[n, i]] + discount[v, i] * value[i]
                else:
                    for i in range(players):
                        arrival[n, i] = value[i]


def induct_all(game: Game, ties: str, profile: Floats) -> None:
    """Go backwards through a whole game in which nobody moves at once; write its profile (v, e)."""
    g, x = game.graph, game.numbers
    none = np.empty((0, 0, 0))
    rule = RULES.index(ties)
    over_variants(
        lambda first, stop: _backward_induction(
            *g.arrays(),
            g.node_rung, g.node_uncertain, x.reward, x.pay, x.prob, x.discount, x.span,
            rule, 0, g.layer_count, first, stop, none, profile,
        ),
        game.variants,
    )  # fmt: skip


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
