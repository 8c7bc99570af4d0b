"""How far a profile stays optimal when payoffs move along a straight line, as a kernel.

With chance, discounts and the profile fixed, every value is affine along the line, and so is what each mover loses by each other action, its *slack*. Two ends
determine it: the profile is optimal exactly where no slack is negative.
"""

# A kernel's types are its explicit signature.
# pyright: reportMissingParameterType=false, reportUnknownParameterType=false

from __future__ import annotations

import numba as nb
import numpy as np

from sim.numerics.signatures import FLAG, INT, REAL, read, write

__all__ = ["exits"]


@nb.njit(
    nb.void(
        read(INT, 1), read(INT, 1), read(FLAG, 1), read(INT, 1), read(INT, 1), read(INT, 1), read(INT, 1), read(INT, 2), read(INT, 2),
        read(REAL, 2), read(REAL, 3), read(REAL, 2), read(REAL, 1), read(REAL, 1), read(REAL, 2), read(REAL, 1), nb.float64,
        nb.intp, nb.intp, write(REAL, 2),
    ),
    nogil=True,
    cache=True,
)  # fmt: skip
def exits(
    layer_start, layer_player, layer_boundary, edge_start, edge_dst, edge_pay, edge_prob, node_reward, node_final,
    reward, pay, prob, discount, span, profile, where, tie, first, stop, out,
):  # fmt: skip
    """For profiles ``first … stop - 1``, each optimal at ``where`` (v,), write to ``out`` (v, 5) between which shares of the line it stays so.

    ``reward`` (2, columns) and ``pay`` (2, rows, i) are those at both ends of the line, ``prob``, ``discount`` and ``span`` those of all of it. The
    third number is the least slack at ``where`` itself, in units of the payoff range, the last two between
    which shares no other action ties that does not at ``where``. A slack of at most ``tie`` payoff ranges is a tie.
    """
    players = len(discount)
    nodes = layer_start[-1]
    arrival = np.empty((nodes, 2, players))
    value = np.empty((2, players))
    for v in range(first, stop):
        m = where[v]
        low, high, worst, first_clear, last_clear = 0.0, 1.0, np.inf, 0.0, 1.0
        for layer in range(len(layer_player) - 1, -1, -1):
            mover = layer_player[layer]
            boundary = layer_boundary[layer]
            for n in range(layer_start[layer], layer_start[layer + 1]):
                begin, end = edge_start[n], edge_start[n + 1]
                value[:] = 0.0
                if mover == -2:
                    for i in range(players):
                        value[0, i] = reward[0, node_final[n, i]]
                        value[1, i] = reward[1, node_final[n, i]]
                else:
                    for e in range(begin, end):
                        for i in range(players):
                            share = prob[edge_prob[e], 1 + i] if mover == -1 else profile[v, e]
                            if share > 0.0:
                                value[0, i] += share * (pay[0, edge_pay[e], i] + arrival[edge_dst[e], 0, i])
                                value[1, i] += share * (pay[1, edge_pay[e], i] + arrival[edge_dst[e], 1, i])
                if mover >= 0:
                    bound = -tie * span[mover]
                    for e in range(begin, end):
                        s0 = value[0, mover] - pay[0, edge_pay[e], mover] - arrival[edge_dst[e], 0, mover]
                        s1 = value[1, mover] - pay[1, edge_pay[e], mover] - arrival[edge_dst[e], 1, mover]
                        here = s0 + (s1 - s0) * m
                        worst = min(worst, here / span[mover])
                        if here > -bound and s0 < -bound:
                            first_clear = max(first_clear, (-bound - s0) / (s1 - s0))
                        if here > -bound and s1 < -bound:
                            last_clear = min(last_clear, (-bound - s0) / (s1 - s0))
                        if s0 < bound and s1 > s0:
                            low = max(low, min(s0 / (s0 - s1), m))
                        if s1 < bound and s0 > s1:
                            high = min(high, max(s0 / (s0 - s1), m))
                        if s0 < bound and s1 < bound:  # nowhere optimal, not even where it was solved
                            low, high = max(low, m), min(high, m)
                for z in range(2):
                    for i in range(players):
                        arrival[n, z, i] = (
                            reward[z, node_reward[n, i]] + discount[i] * value[z, i] if boundary else value[z, i]
                        )
        out[v, 0], out[v, 1], out[v, 2] = low, high, worst
        out[v, 3], out[v, 4] = first_clear, last_clear
