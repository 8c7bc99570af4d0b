"""The referee for finite games with perfect information, several variants abreast: one look at the graph serves all of them.

It measures what :mod:`sim.game.referee` says, for games in which one player or chance moves at a time and everybody takes expectations. Every
variant is computed alike, whoever stands beside it.
"""

# A kernel's types are its explicit signature.
# pyright: reportMissingParameterType=false, reportUnknownParameterType=false, reportCallIssue=false

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numba as nb
import numpy as np

from sim.numerics.signatures import FLAG, INT, REAL, read, write
from sim.numerics.threads import over_variants

if TYPE_CHECKING:
    from sim.game.graph import Game
    from sim.kinds import Floats

__all__ = ["LANES", "fit_abreast", "measure_abreast", "spell_out"]

TIE = 1e-9
LANES = 8
"""How many variants stand abreast."""
FEWEST = 3
MOST_BYTES = 2**28


@nb.njit(
    nb.void(
        read(INT, 1), read(INT, 1), read(FLAG, 1), read(INT, 1), read(INT, 1), read(REAL, 1), read(INT, 1), read(INT, 1), read(INT, 2), read(INT, 2),
        read(REAL, 2), read(REAL, 3), read(REAL, 3), read(REAL, 2), read(REAL, 2), read(REAL, 2), read(REAL, 2), read(INT, 1), nb.boolean,
        nb.intp, nb.intp, write(REAL, 3), write(REAL, 2),
    ),
    nogil=True,
    cache=True,
)  # fmt: skip
def _measure_abreast(
    layer_start, layer_player, layer_boundary, edge_start, edge_dst, edge_weight, edge_pay, edge_prob, node_reward, node_final,
    reward, pay, prob, discount, span, profile, precision, roots, logit, first, stop, values, out,
):  # fmt: skip
    """Measure variants ``first … stop - 1``: values at the start (v, roots, i); gain, ties, ties on path, residual, error of distributions."""
    nodes, players = len(edge_start) - 1, discount.shape[1]
    most = np.max(np.diff(edge_start))
    arrival = np.empty((nodes, players, LANES))
    several = np.empty((nodes, LANES), dtype=np.bool_)
    rewards = np.empty((reward.shape[1], LANES))
    pays = np.empty((pay.shape[1], players, LANES))
    probs = np.empty((prob.shape[1], players, LANES))
    factor, width, lam = np.empty((players, LANES)), np.empty((players, LANES)), np.empty((players, LANES))
    value, q, share = np.empty((players, LANES)), np.empty((most, LANES)), np.empty((most, LANES))
    best, mass, tied, scale = np.empty(LANES), np.empty(LANES), np.empty(LANES), np.empty(LANES)
    gain, residual, error, count = np.empty(LANES), np.empty(LANES), np.empty(LANES), np.empty(LANES)
    reached = np.empty(nodes)
    last = np.max(roots)
    for v in range(first, stop, LANES):
        for k in range(LANES):
            at = min(v + k, stop - 1)
            gain[k], residual[k], error[k], count[k] = 0.0, 0.0, 0.0, 0.0
            for row in range(reward.shape[1]):
                rewards[row, k] = reward[at, row]
            for i in range(players):
                factor[i, k], width[i, k], lam[i, k] = discount[at, i], span[at, i], precision[at, i]
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
                for k in range(LANES):
                    several[n, k] = False
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
                        best[k], mass[k], tied[k] = -np.inf, 0.0, 0.0
                        at = min(v + k, stop - 1)
                        for place in range(end - begin):
                            share[place, k] = profile[at, begin + place]
                    for e in range(begin, end):
                        to, paid, place = edge_dst[e], edge_pay[e], e - begin
                        for k in range(LANES):
                            q[place, k] = pays[paid, mover, k] + arrival[to, mover, k]
                            best[k] = max(best[k], q[place, k])
                            mass[k] += share[place, k]
                            error[k] = error[k] if share[place, k] >= 0.0 else np.inf
                        for i in range(players):
                            for k in range(LANES):
                                value[i, k] += share[place, k] * (pays[paid, i, k] + arrival[to, i, k])
                    for place in range(end - begin):
                        for k in range(LANES):
                            tied[k] += 1.0 if best[k] - q[place, k] <= TIE * width[mover, k] else 0.0
                    for k in range(LANES):
                        error[k] = max(error[k], abs(mass[k] - 1.0))
                        gain[k] = max(gain[k], (best[k] - value[mover, k]) / width[mover, k])
                        several[n, k] = tied[k] > 1.5
                        count[k] += 1.0 if tied[k] > 1.5 else 0.0
                    if logit:
                        for k in range(LANES):
                            scale[k] = 0.0
                        for e in range(begin, end):
                            place = e - begin
                            for k in range(LANES):
                                q[place, k] = edge_weight[e] * np.exp(lam[mover, k] * (q[place, k] - best[k]))
                                scale[k] += q[place, k]
                        for place in range(end - begin):
                            for k in range(LANES):
                                residual[k] = max(residual[k], abs(q[place, k] / scale[k] - share[place, k]))
                for i in range(players):
                    for k in range(LANES):
                        if boundary:
                            arrival[n, i, k] = rewards[node_reward[n, i], k] + factor[i, k] * value[i, k]
                        else:
                            arrival[n, i, k] = value[i, k]
                if n <= last:
                    for r in range(len(roots)):
                        if roots[r] == n:
                            for k in range(min(LANES, stop - v)):
                                for i in range(players):
                                    values[v + k, r, i] = value[i, k]
        for k in range(min(LANES, stop - v)):
            on_path = 0.0
            if count[k] > 0.0:
                reached[:] = 0.0
                for r in range(len(roots)):
                    reached[roots[r]] = 1.0
                for layer in range(len(layer_player)):
                    mover = layer_player[layer]
                    for n in range(layer_start[layer], layer_start[layer + 1]):
                        if reached[n] > 0.0:
                            on_path += several[n, k]
                            for e in range(edge_start[n], edge_start[n + 1]):
                                if (prob[v + k, edge_prob[e], 0] if mover == -1 else profile[v + k, e]) > 0.0:
                                    reached[edge_dst[e]] = 1.0
            out[v + k, 0], out[v + k, 1], out[v + k, 2] = gain[k], count[k], on_path
            out[v + k, 3], out[v + k, 4] = residual[k], error[k]


@nb.njit(
    nb.void(read(INT, 1), read(INT, 1), read(INT, 1), read(INT, 1), read(REAL, 3), nb.intp, nb.intp, write(REAL, 2)),
    nogil=True,
    cache=True,
)
def _spell_out(layer_start, layer_player, edge_start, edge_prob, prob, first, stop, profile):
    """Write the modeller's probabilities of chance into the profiles of variants ``first … stop - 1``."""
    for v in range(first, stop):
        for layer in range(len(layer_player)):
            if layer_player[layer] == -1:
                for e in range(edge_start[layer_start[layer]], edge_start[layer_start[layer + 1]]):
                    profile[v, e] = prob[v, edge_prob[e], 0]


def fit_abreast(game: Game) -> bool:
    """Tell whether taking variants abreast pays: there are several, and what is kept of them fits into memory.

    Examples
    --------
    >>> import sim
    >>> game = sim.compile(sim.load(sim.template()))
    >>> fit_abreast(game), fit_abreast(game.repeat(5))
    (False, True)
    """
    bytes_kept = game.graph.node_count * len(game.graph.players) * LANES * 8
    return game.variants >= FEWEST and bytes_kept <= MOST_BYTES


def measure_abreast(game: Game, profile: Floats, precision: Floats, *, logit: bool) -> tuple[Floats, Floats]:
    """Measure a profile of a finite game in which one player or chance moves at a time.

    Parameters
    ----------
    game, profile
        The game and the probability of each action, (v, e).
    precision, logit
        Precisions (v, i), and whether to measure the distance from their logit response.

    Returns
    -------
    tuple of arrays
        Values at the start (v, roots, i); and (v, 5): largest gain, tied nodes, tied nodes on the path, residual, error of distributions.

    Examples
    --------
    >>> import sim
    >>> game = sim.compile(sim.load(sim.template()))
    >>> solution = sim.solve(game)
    >>> values, found = measure_abreast(game, solution.profile, np.zeros((1, 2)), logit=False)
    >>> float(found[0, 0])
    0.0
    """
    g, x = game.graph, game.numbers
    values, out = np.empty((game.variants, len(g.roots), len(g.players))), np.empty((game.variants, 5))
    given: Any = (*g.arrays(), x.reward, x.pay, x.prob, x.discount, x.span, profile, precision, g.roots, logit)
    over_variants(lambda first, stop: _measure_abreast(*(*given, first, stop, values, out)), game.variants, LANES)
    return values, out


def spell_out(game: Game, profile: Floats) -> None:
    """Write chance into a profile (v, e): the probabilities of the modeller, by which play is followed.

    Examples
    --------
    >>> import sim
    >>> game = sim.compile(sim.load("scenarios/brinkmanship.toml"))
    >>> profile = np.zeros((1, game.graph.edge_count))
    >>> spell_out(game, profile)
    >>> bool(profile.any())
    True
    """
    g = game.graph
    given: Any = (g.layer_start, g.layer_player, g.edge_start, g.edge_prob, game.numbers.prob)
    over_variants(lambda first, stop: _spell_out(*(*given, first, stop, profile)), game.variants)
