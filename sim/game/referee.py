r"""The referee: measures a profile, never solves.

Written apart from the solvers and as plainly as possible: values under the profile, what each player could gain by one deviation, how
often every node is reached. A solver's own word is no evidence; :attr:`Solution.certificate` holds only what is computed here.

For a profile :math:`\sigma`, :math:`V_i(n) = \sum_e \sigma(e) Q_i(e)` at a player's node, and at a chance node the same with the
probabilities that player ``i`` believes. The *gain* at a node is :math:`\max_e Q_p(e) - V_p(n)` for its mover ``p``, in units of the payoff
range of ``p``. By the one-shot deviation principle a profile without gain anywhere is subgame perfect.
"""

# A kernel's types are its explicit signature.
# pyright: reportMissingParameterType=false, reportUnknownParameterType=false, reportCallIssue=false

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numba as nb
import numpy as np

from sim.kinds import frozen
from sim.numerics.signatures import FLAG, INT, REAL, read, write
from sim.numerics.threads import over_variants

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sim.game.graph import Game
    from sim.kinds import Floats, Ints

__all__ = ["Measures", "measure", "measure_replies", "node_values", "reach"]

TIE = 1e-9

_GRAPH = (
    read(INT, 1),
    read(INT, 1),
    read(FLAG, 1),
    read(INT, 1),
    read(INT, 1),
    read(REAL, 1),
    read(INT, 1),
    read(INT, 1),
    read(INT, 2),
    read(INT, 2),
)
_NUMBERS = (read(REAL, 2), read(REAL, 3), read(REAL, 3), read(REAL, 2), read(REAL, 2))


@nb.njit(
    nb.void(
        *_GRAPH,
        *_NUMBERS,
        read(REAL, 2),
        read(REAL, 2),
        nb.intp,
        nb.boolean,
        write(REAL, 2),
        write(REAL, 2),
        write(REAL, 2),
        write(REAL, 1),
    ),
    nogil=True,
    cache=True,
)
def _evaluate(
    layer_start, layer_player, layer_boundary, edge_start, edge_dst, edge_weight, edge_pay, edge_prob, node_reward, node_final,
    reward, pay, prob, discount, span, profile, precision, v, logit, value, arrival, excess, found,
):  # fmt: skip
    """Evaluate variant ``v``: values (n, i), values on arrival (n, i), and the mover's gain and tied-action count at each node (n, 2).

    ``found`` gathers the largest logit residual and the largest error of a distribution.
    """
    players = value.shape[1]
    for layer in range(len(layer_player) - 1, -1, -1):
        mover = layer_player[layer]
        for n in range(layer_start[layer], layer_start[layer + 1]):
            first, stop = edge_start[n], edge_start[n + 1]
            for i in range(players):
                if mover == -2:
                    value[n, i] = reward[v, node_final[n, i]]
                    continue
                total = 0.0
                for e in range(first, stop):
                    share = profile[v, e] if mover >= 0 else prob[v, edge_prob[e], 1 + i]
                    if share > 0.0:
                        total += share * (pay[v, edge_pay[e], i] + arrival[edge_dst[e], i])
                value[n, i] = total
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
                scale = 0.0
                for e in range(first, stop):
                    q = pay[v, edge_pay[e], mover] + arrival[edge_dst[e], mover]
                    if best - q <= TIE * span[v, mover]:
                        tied += 1
                    scale += edge_weight[e] * np.exp(precision[v, mover] * (q - best))
                excess[n, 0] = (best - value[n, mover]) / span[v, mover]
                excess[n, 1] = tied
                if logit:
                    for e in range(first, stop):
                        q = pay[v, edge_pay[e], mover] + arrival[edge_dst[e], mover]
                        wanted = edge_weight[e] * np.exp(precision[v, mover] * (q - best)) / scale
                        found[0] = max(found[0], abs(wanted - profile[v, e]))
            for i in range(players):
                if layer_boundary[layer]:
                    arrival[n, i] = reward[v, node_reward[n, i]] + discount[v, i] * value[n, i]
                else:
                    arrival[n, i] = value[n, i]


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
                share = profile[v, e] if mover >= 0 or given else prob[v, edge_prob[e], 0]
                if share > 0.0:
                    out[edge_dst[e]] += here * share


@nb.njit(
    nb.void(
        *_GRAPH,
        *_NUMBERS,
        read(REAL, 2),
        read(REAL, 2),
        read(INT, 1),
        nb.boolean,
        nb.intp,
        nb.intp,
        write(REAL, 3),
        write(REAL, 2),
    ),
    nogil=True,
    cache=True,
)
def _measure(
    layer_start, layer_player, layer_boundary, edge_start, edge_dst, edge_weight, edge_pay, edge_prob, node_reward, node_final,
    reward, pay, prob, discount, span, profile, precision, roots, logit, first, stop, values, out,
):  # fmt: skip
    """Measure variants ``first … stop - 1``: root values (v, roots, i) and gain, tied nodes, tied on path, residual, distribution error (v, 5)."""
    nodes = edge_start.shape[0] - 1
    players = discount.shape[1]
    value = np.empty((nodes, players))
    arrival = np.empty((nodes, players))
    excess = np.zeros((nodes, 2))
    reached = np.empty(nodes)
    found = np.empty(2)
    for v in range(first, stop):
        found[:] = 0.0
        _evaluate(
            layer_start, layer_player, layer_boundary, edge_start, edge_dst, edge_weight, edge_pay, edge_prob, node_reward, node_final,
            reward, pay, prob, discount, span, profile, precision, v, logit, value, arrival, excess, found,
        )  # fmt: skip
        reached[:] = 0.0
        for root in roots:
            reached[root] = 1.0 / len(roots)
            for i in range(players):
                values[v, root - roots[0], i] = value[root, i]
        _reach(layer_start, layer_player, edge_start, edge_dst, edge_prob, prob, profile, v, False, reached)
        gain, tied, on_path = 0.0, 0, 0
        for layer in range(len(layer_player)):
            if layer_player[layer] >= 0:
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
    """

    values: Floats
    max_gain: Floats
    tied_nodes: Ints
    tied_on_path: Ints
    residual: Floats
    distribution_error: Floats


def _arrays(game: Game) -> Any:
    """List a game's arrays in the kernels' order."""
    x = game.numbers
    return (*game.graph.arrays(), x.reward, x.pay, x.prob, x.discount, x.span)


def measure(game: Game, profile: Floats, precision: Floats | None = None) -> Measures:
    """Measure a profile.

    Parameters
    ----------
    game
        The game.
    profile
        Probability of each action, shape (v, e); ignored on chance edges.
    precision
        Shape (v, i): also measure the distance from the logit response of these precisions.

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
    values = np.empty((v, len(game.graph.roots), i))
    out = np.empty((v, 5))
    logit = precision is not None
    lam = np.zeros((v, i)) if precision is None else np.ascontiguousarray(precision)
    given: Any = (*_arrays(game), profile, lam, game.graph.roots, logit)
    over_variants(lambda first, stop: _measure(*(*given, first, stop, values, out)), v)
    counts = out[:, 1:3].astype(np.int32)
    return Measures(
        values=frozen(values),
        max_gain=frozen(out[:, 0]),
        tied_nodes=frozen(counts[:, 0]),
        tied_on_path=frozen(counts[:, 1]),
        residual=frozen(out[:, 3]),
        distribution_error=frozen(out[:, 4]),
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
    mover = np.repeat(graph.layer_player, np.diff(graph.layer_start))
    inner = np.flatnonzero(mover >= 0)
    source = graph.edge_source()
    owner = mover[source]
    played = owner >= 0
    residual, error = np.array(measures.residual), np.array(measures.distribution_error)
    for given, reply in replies:
        for v in range(game.variants):
            _, arrival = node_values(game, given, v)
            q = numbers.pay[v, graph.edge_pay, owner] + arrival[graph.edge_dst, owner]
            best = np.full(graph.node_count, -np.inf)
            np.maximum.at(best, source[played], q[played])
            got = np.bincount(source[played], weights=(reply[v] * q)[played], minlength=graph.node_count)
            mass = np.bincount(source[played], weights=reply[v][played], minlength=graph.node_count)
            short = (best[inner] - got[inner]) / numbers.span[v, mover[inner]]
            residual[v] = max(residual[v], float(short.max(initial=0.0)))
            error[v] = max(
                error[v], float(np.abs(mass[inner] - 1).max(initial=0.0)), np.inf if (reply[v] < 0).any() else 0.0
            )
    return replace(measures, residual=frozen(residual), distribution_error=frozen(error))


def node_values(game: Game, profile: Floats, variant: int = 0) -> tuple[Floats, Floats]:
    """Compute every node's value for one variant.

    Returns
    -------
    tuple of arrays
        Values V (n, i), counted from the node's round, and values on arrival W (n, i), which add what is paid where a round ends.
    """
    nodes, players = game.graph.node_count, len(game.graph.players)
    value, arrival, excess = np.empty((nodes, players)), np.empty((nodes, players)), np.zeros((nodes, 2))
    given: Any = (*_arrays(game), profile, np.zeros((game.variants, players)), variant, False)
    _evaluate(*(*given, value, arrival, excess, np.zeros(2)))
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

    def kernel(first: int, stop: int) -> None:
        for v in range(first, stop):
            _reach(
                g.layer_start,
                g.layer_player,
                g.edge_start,
                g.edge_dst,
                g.edge_prob,
                game.numbers.prob,
                profile,
                v,
                True,
                out[v],
            )

    over_variants(kernel, game.variants)
    return out
