r"""The referee: measures a profile, never solves.

Written apart from the solvers and as plainly as possible: values under the profile, what each player could gain by one deviation, how
often every node is reached. A solver's own word is no evidence; :attr:`Solution.certificate` holds only what is computed here.

For a profile :math:`\sigma`, :math:`V_i(n) = \sum_e \sigma(e) Q_i(e)` at a player's node, and at a chance node the same with the
probabilities that player ``i`` believes, or the certainty equivalent for a player who evaluates chance by prospect theory. The *gain* at a node
is :math:`\max_e Q_p(e) - V_p(n)` for its mover ``p``, in units of the payoff range of ``p``. By the one-shot deviation principle
a profile without gain anywhere is subgame perfect.

Where several players choose at once, :math:`\sigma` is over joint actions, and player ``i`` gains
:math:`\sum_a \max_{a'} \sum_{b} \sigma(a, b) (Q_i(a', b) - Q_i(a, b))` by answering every action ``a`` that he is to take with the best one: if choices are
independent this is the usual regret, and how far they are from it is measured too. In a stationary game values are the fixed point of
one round, found by going round until nothing moves.
"""

# A kernel's types are its explicit signature.
# pyright: reportMissingParameterType=false, reportUnknownParameterType=false, reportCallIssue=false

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numba as nb
import numpy as np

from sim.game.abreast import fit_abreast, measure_abreast
from sim.game.graph import SIMULTANEOUS
from sim.kinds import frozen
from sim.numerics.signatures import FLAG, INT, REAL, read, write
from sim.numerics.threads import over_variants

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sim.game.graph import Game
    from sim.kinds import Floats, Ints

__all__ = ["Measures", "measure", "measure_replies", "node_values", "reach"]

TIE = 1e-9
SETTLED = 1e-11  # how near values must be to the fixed point of a round, in units of the payoff range
MOST_ROUNDS = 200_000

_GRAPH = (
    read(INT, 1), read(INT, 1), read(FLAG, 1), read(INT, 1), read(INT, 1), read(REAL, 1), read(INT, 1), read(INT, 1), read(INT, 2), read(INT, 2),
    read(INT, 2), read(INT, 1),
)  # fmt: skip
_NUMBERS = (read(REAL, 2), read(REAL, 3), read(REAL, 3), read(REAL, 2), read(REAL, 2), read(REAL, 3))


@nb.njit(
    nb.void(
        read(INT, 1), write(REAL, 2), read(REAL, 1), read(REAL, 1), read(REAL, 1), read(REAL, 1), nb.boolean, write(REAL, 1), write(REAL, 1),
    ),
    nogil=True,
    cache=True,
)  # fmt: skip
def _judge(shape, q, share, weight, span, precision, logit, gains, found):
    """Judge one node at which several choose: each player's gain (i,), and in ``found`` the logit residual and the dependence of choices."""
    size, players = q.shape
    product = np.ones(size)
    stride = 1
    for i in range(players - 1, -1, -1):
        count = shape[i]
        gains[i] = 0.0
        if count > 1:
            own = np.zeros(count)
            scale = np.zeros(count)
            worth = np.zeros(count)
            for k in range(size):
                own[(k // stride) % count] += share[k]
                scale[(k // stride) % count] += weight[k]
            for a in range(count):
                best = 0.0
                for other in range(count):
                    gain = 0.0
                    for k in range(size):
                        if (k // stride) % count == a:
                            gain += share[k] * (q[k + (other - a) * stride, i] - q[k, i])
                    best = max(best, gain)
                gains[i] += best / span[i]
            for k in range(size):
                a = (k // stride) % count
                product[k] *= own[a]
                others = 0.0
                for other in range(count):
                    others += share[k + (other - a) * stride]
                worth[a] += others * q[k, i]
            if logit:
                top = worth.max()
                total = 0.0
                for a in range(count):
                    total += scale[a] * np.exp(precision[i] * (worth[a] - top))
                for a in range(count):
                    found[0] = max(found[0], abs(scale[a] * np.exp(precision[i] * (worth[a] - top)) / total - own[a]))
        stride *= count
    for k in range(size):
        found[2] = max(found[2], abs(product[k] - share[k]))


@nb.njit(
    nb.float64(
        read(REAL, 2), read(INT, 1), read(REAL, 2), read(INT, 1), read(REAL, 2), read(INT, 1), nb.intp, read(REAL, 1),
    ),
    nogil=True,
    cache=True,
)  # fmt: skip
def _equivalent(prob, rows, pay, paid, arrival, after, i, given):
    """Return the certainty equivalent of a chance node for player ``i``: each outcome weighs what it adds to those that are further from 0."""
    total = 0.0
    for e in range(len(after)):
        x = pay[paid[e], i] + arrival[after[e], i]
        further, rest = 0.0, 0.0
        for f in range(len(after)):
            y = pay[paid[f], i] + arrival[after[f], i]
            if f != e:
                if (x >= 0.0 and y > x) or (x < 0.0 and y < x) or (y == x and f < e):
                    further += prob[rows[f], 1 + i]
                else:
                    rest += prob[rows[f], 1 + i]
        own = prob[rows[e], 1 + i]
        whole = further + own + rest
        power = given[2] if x >= 0.0 else given[3]
        added = 0.0
        for sign, inside in ((1.0, further + own), (-1.0, further)):
            outside = rest if sign > 0.0 else rest + own
            top, bottom = (inside / whole) ** power, (outside / whole) ** power
            added += sign * top / (top + bottom) ** (1.0 / power)
        total += added * (x ** given[0] if x >= 0.0 else -given[1] * (-x) ** given[0])
    return total ** (1.0 / given[0]) if total >= 0.0 else -((-total / given[1]) ** (1.0 / given[0]))


@nb.njit(
    nb.void(
        *_GRAPH, *_NUMBERS, read(REAL, 2), read(REAL, 2), nb.intp, nb.boolean, read(REAL, 2),
        write(REAL, 2), write(REAL, 2), write(REAL, 2), write(REAL, 1),
    ),
    nogil=True,
    cache=True,
)  # fmt: skip
def _evaluate(
    layer_start, layer_player, layer_boundary, edge_start, edge_dst, edge_weight, edge_pay, edge_prob, node_reward, node_final, node_shape, node_return,
    reward, pay, prob, discount, span, prospect, profile, precision, v, logit, later, value, arrival, excess, found,
):  # fmt: skip
    """Evaluate variant ``v``: values (n, i), values on arrival (n, i), and the mover's gain and tied-action count at each node (n, 2).

    ``later`` holds the values (n, i) of the nodes to which a stationary game leads back; ``found`` gathers the largest logit residual, the largest
    error of a distribution, and the greatest dependence of choices made at once.
    """
    players = value.shape[1]
    gains = np.zeros(players)
    for layer in range(len(layer_player) - 1, -1, -1):
        mover = layer_player[layer]
        for n in range(layer_start[layer], layer_start[layer + 1]):
            first, stop = edge_start[n], edge_start[n + 1]
            for i in range(players):
                value[n, i] = 0.0
                if mover == -2:
                    value[n, i] = reward[v, node_final[n, i]]
                elif mover == -4:
                    value[n, i] = later[node_return[n], i]
            for e in range(first, stop):
                to, paid, row = edge_dst[e], edge_pay[e], edge_prob[e]
                for i in range(players):
                    share = prob[v, row, 1 + i] if mover == -1 else profile[v, e]
                    if share > 0.0:
                        value[n, i] += share * (pay[v, paid, i] + arrival[to, i])
            if mover == -1 and len(prospect):
                for i in range(players):
                    if (prospect[v, i] != 1.0).any():
                        value[n, i] = _equivalent(
                            prob[v],
                            edge_prob[first:stop],
                            pay[v],
                            edge_pay[first:stop],
                            arrival,
                            edge_dst[first:stop],
                            i,
                            prospect[v, i],
                        )
            if mover >= 0:
                best = -np.inf
                mass = 0.0
                for e in range(first, stop):
                    q = pay[v, edge_pay[e], mover] + arrival[edge_dst[e], mover]
                    best = max(best, q)
                    mass += profile[v, e]
                    if not (profile[v, e] >= 0.0):
                        found[1] = np.inf
                found[1] = max(found[1], abs(mass - 1.0))
                tied = 0
                for e in range(first, stop):
                    q = pay[v, edge_pay[e], mover] + arrival[edge_dst[e], mover]
                    if best - q <= TIE * span[v, mover]:
                        tied += 1
                excess[n, 0] = (best - value[n, mover]) / span[v, mover]
                excess[n, 1] = tied
                if logit:
                    scale = 0.0
                    for e in range(first, stop):
                        q = pay[v, edge_pay[e], mover] + arrival[edge_dst[e], mover]
                        scale += edge_weight[e] * np.exp(precision[v, mover] * (q - best))
                    for e in range(first, stop):
                        q = pay[v, edge_pay[e], mover] + arrival[edge_dst[e], mover]
                        wanted = edge_weight[e] * np.exp(precision[v, mover] * (q - best)) / scale
                        found[0] = max(found[0], abs(wanted - profile[v, e]))
            if mover == -3:
                size = stop - first
                q = np.empty((size, players))
                mass = 0.0
                for k in range(size):
                    for i in range(players):
                        q[k, i] = pay[v, edge_pay[first + k], i] + arrival[edge_dst[first + k], i]
                    mass += profile[v, first + k]
                    if not (profile[v, first + k] >= 0.0):
                        found[1] = np.inf
                found[1] = max(found[1], abs(mass - 1.0))
                _judge(
                    node_shape[n],
                    q,
                    profile[v, first:stop],
                    edge_weight[first:stop],
                    span[v],
                    precision[v],
                    logit,
                    gains,
                    found,
                )
                excess[n, 0] = gains.max()
                excess[n, 1] = 0.0
            for i in range(players):
                if layer_boundary[layer]:
                    arrival[n, i] = reward[v, node_reward[n, i]] + discount[v, i] * value[n, i]
                else:
                    arrival[n, i] = value[n, i]


@nb.njit(
    nb.void(
        *_GRAPH, *_NUMBERS, read(REAL, 2), read(REAL, 2), nb.intp, nb.boolean,
        write(REAL, 2), write(REAL, 2), write(REAL, 2), write(REAL, 2), write(REAL, 1),
    ),
    nogil=True,
    cache=True,
)  # fmt: skip
def _settle(
    layer_start, layer_player, layer_boundary, edge_start, edge_dst, edge_weight, edge_pay, edge_prob, node_reward, node_final, node_shape, node_return,
    reward, pay, prob, discount, span, prospect, profile, precision, v, logit, later, value, arrival, excess, found,
):  # fmt: skip
    """Evaluate variant ``v`` of any game; in a stationary one go round until values move no more, and note by how much they still do.

    ``later`` starts as a guess and ends as the values; ``found[3]`` bounds their distance from the fixed point, in units of the payoff range.
    """
    players = value.shape[1]
    for _ in range(MOST_ROUNDS):
        found[:] = 0.0
        _evaluate(
            layer_start, layer_player, layer_boundary, edge_start, edge_dst, edge_weight, edge_pay, edge_prob, node_reward, node_final, node_shape, node_return,
            reward, pay, prob, discount, span, prospect, profile, precision, v, logit, later, value, arrival, excess, found,
        )  # fmt: skip
        apart = 0.0
        for layer in range(len(layer_player)):
            if layer_player[layer] == -4:
                for n in range(layer_start[layer], layer_start[layer + 1]):
                    for i in range(players):
                        moved = abs(value[node_return[n], i] - later[node_return[n], i])
                        apart = max(apart, moved * discount[v, i] / (1.0 - discount[v, i]) / span[v, i])
                        if not (moved >= 0.0):
                            apart = np.inf
        found[3] = apart
        if apart <= SETTLED:
            return
        later[:] = value


@nb.njit(
    nb.void(
        read(INT, 1),
        read(INT, 1),
        read(INT, 1),
        read(INT, 1),
        read(INT, 1),
        read(REAL, 3),
        read(REAL, 2),
        nb.intp,
        nb.boolean,
        write(REAL, 1),
    ),
    nogil=True,
    cache=True,
)
def _reach(layer_start, layer_player, edge_start, edge_dst, edge_prob, prob, profile, v, given, out):
    """Push probability forward from the nodes that hold some; chance by the profile if ``given``, else by the modeller's probabilities."""
    for layer in range(len(layer_player)):
        mover = layer_player[layer]
        for n in range(layer_start[layer], layer_start[layer + 1]):
            here = out[n]
            if here == 0.0:
                continue
            for e in range(edge_start[n], edge_start[n + 1]):
                share = profile[v, e] if mover != -1 or given else prob[v, edge_prob[e], 0]
                if share > 0.0:
                    out[edge_dst[e]] += here * share


@nb.njit(
    nb.void(
        read(INT, 1), read(INT, 1), read(INT, 1), read(INT, 1), read(INT, 1), read(REAL, 3), read(REAL, 2), nb.intp, nb.intp, write(REAL, 2)
    ),
    nogil=True,
    cache=True,
)  # fmt: skip
def _reach_all(layer_start, layer_player, edge_start, edge_dst, edge_prob, prob, profile, first, stop, out):
    """Push probability forward in variants ``first … stop - 1``, chance by the profile."""
    for v in range(first, stop):
        _reach(layer_start, layer_player, edge_start, edge_dst, edge_prob, prob, profile, v, True, out[v])


@nb.njit(
    nb.void(
        *_GRAPH, *_NUMBERS, read(REAL, 2), read(REAL, 2), read(INT, 1), nb.boolean, read(REAL, 3), nb.intp, nb.intp,
        write(REAL, 3), write(REAL, 2),
    ),
    nogil=True,
    cache=True,
)  # fmt: skip
def _measure(
    layer_start, layer_player, layer_boundary, edge_start, edge_dst, edge_weight, edge_pay, edge_prob, node_reward, node_final, node_shape, node_return,
    reward, pay, prob, discount, span, prospect, profile, precision, roots, logit, guess, first, stop, values, out,
):  # fmt: skip
    """Measure variants ``first … stop - 1``: root values (v, roots, i), and what :class:`Measures` lists (v, 7)."""
    nodes = edge_start.shape[0] - 1
    players = discount.shape[1]
    value = np.empty((nodes, players))
    arrival = np.empty((nodes, players))
    later = np.zeros((nodes, players))
    excess = np.zeros((nodes, 2))
    reached = np.empty(nodes)
    start = np.zeros(nodes)
    found = np.empty(4)
    for v in range(first, stop):
        if len(guess):
            later[:] = guess[v]
        _settle(
            layer_start, layer_player, layer_boundary, edge_start, edge_dst, edge_weight, edge_pay, edge_prob, node_reward, node_final, node_shape, node_return,
            reward, pay, prob, discount, span, prospect, profile, precision, v, logit, later, value, arrival, excess, found,
        )  # fmt: skip
        start[:] = 0.0
        for k in range(len(roots)):
            start[roots[k]] = 1.0 / len(roots)
            for i in range(players):
                values[v, k, i] = value[roots[k], i]
        again = True
        while again:  # in a stationary game, until no new state is met
            again = False
            reached[:] = start
            _reach(layer_start, layer_player, edge_start, edge_dst, edge_prob, prob, profile, v, False, reached)
            for n in range(nodes):
                if node_return[n] >= 0 and reached[n] > 0.0 and start[node_return[n]] == 0.0:
                    start[node_return[n]] = 1.0
                    again = True
        gain, tied, on_path = 0.0, 0, 0
        for layer in range(len(layer_player)):
            mover = layer_player[layer]
            if mover >= 0 or mover == -3:
                for n in range(layer_start[layer], layer_start[layer + 1]):
                    gain = max(gain, excess[n, 0])
                    if excess[n, 1] > 1.5:
                        tied += 1
                        on_path += reached[n] > 0.0
        out[v, 0] = gain
        out[v, 1] = tied
        out[v, 2] = on_path
        out[v, 3] = found[0]
        out[v, 4] = found[1]
        out[v, 5] = found[2]
        out[v, 6] = found[3]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """What the referee measured.

    Attributes
    ----------
    values : float array, (v, roots, i)
        Each player's value at the start.
    max_gain : float array, (v,)
        Largest one-shot deviation gain over all nodes, in units of the mover's payoff range.
    tied_nodes, tied_on_path : int array, (v,)
        Nodes whose mover has several best actions (within 1e-9 of the payoff range), in all and reached.
    residual : float array, (v,)
        Largest distance of a probability from the logit response; 0 unless asked for.
    distribution_error : float array, (v,)
        Largest distance of a node's probabilities from summing to 1; infinite if one is negative.
    dependence : float array, (v,)
        Where several choose at once: largest distance of a joint probability from the product of the players' own.
    value_error : float array, (v,)
        Bound on the distance of the values of a stationary game from their fixed point, in units of the payoff range.
    bayes : float array, (v,), or None
        With private types: largest distance of a posterior from Bayes' rule, wherever its denominator is positive, off the path too.
    type_values : tuple of float arrays, (v, k)
        With private types: what each type of each player expects at the start.
    """

    values: Floats
    max_gain: Floats
    tied_nodes: Ints
    tied_on_path: Ints
    residual: Floats
    distribution_error: Floats
    dependence: Floats
    value_error: Floats
    bayes: Floats | None = None
    type_values: tuple[Floats, ...] = ()


def _arrays(game: Game) -> Any:
    """List a game's arrays in the kernels' order."""
    x = game.numbers
    return (
        *game.graph.arrays(),
        game.graph.node_shape,
        game.graph.node_return,
        x.reward,
        x.pay,
        x.prob,
        x.discount,
        x.span,
        np.zeros((0, 0, 0)) if x.prospect is None else x.prospect,
    )


def measure(game: Game, profile: Floats, precision: Floats | None = None, guess: Floats | None = None) -> Measures:
    """Measure a profile.

    Parameters
    ----------
    game
        The game.
    profile
        Probability of each action, shape (v, e); ignored on chance edges.
    precision
        Shape (v, i): also measure the distance from the logit response of these precisions.
    guess
        Shape (v, n, i): where to start looking for the values of a stationary game; a bad guess costs time only.

    Returns
    -------
    Measures

    Examples
    --------
    >>> import sim
    >>> game = sim.compile(sim.load(sim.template()))
    >>> float(measure(game, game.graph.edge_weight[None, :] / 2).distribution_error[0])
    0.5
    """
    v, i = game.variants, len(game.graph.players)
    out = np.zeros((v, 7))
    logit = precision is not None
    lam = np.zeros((v, i)) if precision is None else np.ascontiguousarray(precision)
    if game.plain and fit_abreast(game):
        values, out[:, :5] = measure_abreast(game, profile, lam, logit=logit)
    else:
        values = np.empty((v, len(game.graph.roots), i))
        start = np.zeros((0, 0, 0)) if guess is None else np.ascontiguousarray(guess)
        given: Any = (*_arrays(game), profile, lam, game.graph.roots, logit, start)
        over_variants(lambda first, stop: _measure(*(*given, first, stop, values, out)), v)
    counts = out[:, 1:3].astype(np.int32)
    return Measures(
        values=frozen(values),
        max_gain=frozen(out[:, 0]),
        tied_nodes=frozen(counts[:, 0]),
        tied_on_path=frozen(counts[:, 1]),
        residual=frozen(out[:, 3]),
        distribution_error=frozen(out[:, 4]),
        dependence=frozen(out[:, 5]),
        value_error=frozen(out[:, 6]),
    )


def measure_replies(game: Game, replies: Sequence[tuple[Floats, Floats]], measures: Measures) -> Measures:
    """Measure how far each reply falls short of the best reply to what it answers.

    At every node the mover's best action value, all other nodes played as given, minus the value of the reply there; the largest over
    nodes and steps, in units of the mover's payoff range, becomes the residual.

    Parameters
    ----------
    game
        The game.
    replies
        Pairs of a profile and the reply to it, each (v, e).
    measures
        The measures of the final profile.

    Examples
    --------
    >>> import sim
    >>> game = sim.compile(sim.load(sim.template()))
    >>> solution = sim.solve(game, "level_k", level=1)
    >>> float(solution.certificate.measures.residual[0])
    0.0
    """
    graph, numbers = game.graph, game.numbers
    residual, error = np.array(measures.residual), np.array(measures.distribution_error)
    choosing = [i for i in range(len(graph.players)) if (graph.node_shape[:, i] > 1).any()]
    own = {i: _own_actions(game, i) for i in choosing}
    for given, reply in replies:
        for v in range(game.variants):
            _, arrival = node_values(game, given, v)
            for i in choosing:
                edges, nodes, starts, others = own[i]
                q = numbers.pay[v, graph.edge_pay[edges], i] + arrival[graph.edge_dst[edges], i]
                worth = np.add.reduceat(
                    _alone(given[v, edges], others) * q, starts
                )  # what each action earns against the others
                mass = np.add.reduceat(reply[v, edges], starts)
                first = np.flatnonzero(np.diff(nodes[starts], prepend=-1))
                best, got = np.maximum.reduceat(worth, first), np.add.reduceat(mass * worth, first)
                total = np.add.reduceat(mass, first)
                residual[v] = max(residual[v], float(((best - got) / numbers.span[v, i]).max(initial=0.0)))
                error[v] = max(error[v], float(np.abs(total - 1).max(initial=0.0)))
            if (reply[v] < 0).any():
                error[v] = np.inf
    return replace(measures, residual=frozen(residual), distribution_error=frozen(error))


def _own_actions(game: Game, player: int) -> tuple[Any, Any, Any, Any]:
    """Sort the edges at which a player chooses by node and own action.

    Returns
    -------
    tuple of int arrays
        The edges in that order; the node of each; where each action starts among them; and a number for what the others do at each.
    """
    graph = game.graph
    source = graph.edge_source()
    mover = np.repeat(graph.layer_player, np.diff(graph.layer_start))[source]
    edges = np.flatnonzero((graph.node_shape[source, player] > 1) & ((mover == player) | (mover == SIMULTANEOUS)))
    action = graph.edge_action(player)[edges]
    place = edges - graph.edge_start[source[edges]]
    behind = np.prod(graph.node_shape[source[edges], player + 1 :], axis=1, dtype=np.int64)
    without = graph.edge_start[source[edges]] + place - action * behind  # the same joint action with the player's first
    order = np.lexsort((place, action, source[edges]))
    edges, action, without = edges[order], action[order], without[order]
    change = np.diff(source[edges], prepend=-1).astype(bool) | np.diff(action, prepend=-1).astype(bool)
    _, others = np.unique(without, return_inverse=True)
    return edges, source[edges], np.flatnonzero(change), others


def _alone(share: Floats, others: Any) -> Floats:
    """Return how likely what the others do is at each edge, whatever the player does."""
    total: Floats = np.bincount(others, weights=share).astype(np.float64)
    return total[others]


def node_values(game: Game, profile: Floats, variant: int = 0, guess: Floats | None = None) -> tuple[Floats, Floats]:
    """Compute every node's value for one variant.

    Parameters
    ----------
    game, profile, variant
        The game, the probability of each action (v, e), and which variant.
    guess
        Where to start looking for the values of a stationary game, (n, i).

    Returns
    -------
    tuple of arrays
        Values V (n, i), counted from the node's round, and values on arrival W (n, i), which add what is paid where a round ends.
    """
    nodes, players = game.graph.node_count, len(game.graph.players)
    value, arrival, excess = np.empty((nodes, players)), np.empty((nodes, players)), np.zeros((nodes, 2))
    later = np.zeros((nodes, players)) if guess is None else np.array(guess, dtype=np.float64)
    given: Any = (*_arrays(game), profile, np.zeros((game.variants, players)), variant, False)
    _settle(*(*given, later, value, arrival, excess, np.zeros(4)))
    return value, arrival


def reach(game: Game, profile: Floats, start: Floats | None = None) -> Floats:
    """Compute how often each node is reached, exactly.

    Parameters
    ----------
    game, profile
        The game and the probability of every edge, chance included, shape (v, e).
    start
        Probability with which play starts at each node, shape (n,) or (v, n); by default the game's roots, equally.

    Returns
    -------
    float array, (v, n)
    """
    g = game.graph
    if start is None:
        start = np.zeros(g.node_count)
        start[g.roots] = 1.0 / len(g.roots)
    out = np.array(np.broadcast_to(start, (game.variants, g.node_count)), order="C")

    given: Any = (g.layer_start, g.layer_player, g.edge_start, g.edge_dst, g.edge_prob, game.numbers.prob, profile)
    over_variants(lambda first, stop: _reach_all(*(*given, first, stop, out)), game.variants)
    return out
