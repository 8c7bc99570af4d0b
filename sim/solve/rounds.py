r"""Fixed points of one round: how stationary games are solved, whatever is played within the round.

Given values :math:`V` of the nodes to which the last round leads back, a concept answers the round by going backwards through it. The
profile is then played on until its own values settle, and the round is answered again: policy iteration, known for zero-sum games from
Pollatschek & Avi-Itzhak. It need not converge; if answers come back in a circle, values move on by a single round at a time (Shapley), and
if that comes no nearer the caller has to try something else.

Source: Pollatschek, M. & Avi-Itzhak, B. (1969) Algorithms for stochastic games with geometrical interpretation, Management Science 15:399-415;
Shapley, L. (1953) Stochastic games, PNAS 39:1095-1100.
"""

# A kernel's types are its explicit signature.
# pyright: reportMissingParameterType=false, reportUnknownParameterType=false, reportCallIssue=false

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numba as nb
import numpy as np

from sim.numerics.signatures import FLAG, INT, REAL, read, write
from sim.numerics.threads import over_variants
from sim.solve.stages import induct
from sim.solve.watch import tell

if TYPE_CHECKING:
    from collections.abc import Callable

    from sim.game.graph import Game
    from sim.kinds import Bools, Floats
    from sim.solve.stages import Stage

__all__ = ["SETTLED", "Round", "play_on", "settle"]

SETTLED = 1e-11
MOST_ANSWERS = 2000
PATIENCE = 25  # answers without getting nearer
MOST_SWEEPS = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """How a concept answers a round.

    Attributes
    ----------
    kernel : callable
        ``make(game)`` returns the kernel of :func:`sim.solve.stages.induct` for a game with some of the variants.
    stage : callable
        ``stage(index)`` returns the function that solves stages of the variants with these places.
    """

    kernel: Callable[[Game, Any], Callable[[int, int, slice, Floats, Floats], None]]
    stage: Callable[[Any], Callable[[Stage], Floats]]


@nb.njit(
    nb.void(
        read(INT, 1), read(INT, 1), read(FLAG, 1), read(INT, 1), read(INT, 1), read(REAL, 1), read(INT, 1), read(INT, 1), read(INT, 2), read(INT, 2),
        read(INT, 1), read(REAL, 2), read(REAL, 3), read(REAL, 3), read(REAL, 2), read(REAL, 2), read(REAL, 2),
        read(REAL, 1), nb.intp, nb.intp, nb.intp, write(REAL, 3),
    ),
    nogil=True,
    cache=True,
)  # fmt: skip
def _play_on(
    layer_start, layer_player, layer_boundary, edge_start, edge_dst, _edge_weight, edge_pay, edge_prob, node_reward, node_final, node_return,
    reward, pay, prob, discount, span, profile, slack, most, first, stop, later,
):  # fmt: skip
    """Play variants ``first … stop - 1`` on under their profile until values move less than their ``slack`` (v,) of the range, or ``most`` times."""
    nodes = edge_start.shape[0] - 1
    players = discount.shape[1]
    arrival = np.empty((nodes, players))
    value = np.empty((nodes, players))
    for v in range(first, stop):
        for _ in range(most):
            for layer in range(len(layer_player) - 1, -1, -1):
                mover = layer_player[layer]
                for n in range(layer_start[layer], layer_start[layer + 1]):
                    for i in range(players):
                        total = 0.0
                        if mover == -2:
                            total = reward[v, node_final[n, i]]
                        elif mover == -4:
                            total = later[v, node_return[n], i]
                        else:
                            for e in range(edge_start[n], edge_start[n + 1]):
                                share = prob[v, edge_prob[e], 1 + i] if mover == -1 else profile[v, e]
                                if share > 0.0:
                                    total += share * (pay[v, edge_pay[e], i] + arrival[edge_dst[e], i])
                        value[n, i] = total
                        if layer_boundary[layer]:
                            arrival[n, i] = reward[v, node_reward[n, i]] + discount[v, i] * total
                        else:
                            arrival[n, i] = total
            apart = 0.0
            for n in range(nodes):
                home = node_return[n]
                if home >= 0:
                    for i in range(players):
                        gap = abs(value[home, i] - later[v, home, i])
                        apart = max(apart, gap * discount[v, i] / (1.0 - discount[v, i]) / span[v, i])
            later[v] = value
            if apart <= slack[v]:
                break


def play_on(
    game: Game, profile: Floats, later: Floats, slack: float | Floats = SETTLED, most: int = MOST_SWEEPS
) -> None:
    """Bring values (v, n, i) nearer to those of a profile, in place.

    Parameters
    ----------
    game, profile
        A stationary game and the probabilities of actions, (v, e).
    later
        Where to start, and the result.
    slack
        Stop when values are this near to the fixed point, in units of the payoff range; a number, or one for each variant (v,).
    most
        Stop after so many rounds.
    """
    g, x = game.graph, game.numbers
    near = np.ascontiguousarray(np.broadcast_to(np.asarray(slack, dtype=np.float64), (game.variants,)))
    over_variants(
        lambda first, stop: _play_on(
            *g.arrays(),
            g.node_return,
            x.reward,
            x.pay,
            x.prob,
            x.discount,
            x.span,
            profile,
            near,
            most,
            first,
            stop,
            later,
        ),
        game.variants,
    )


def _distance(game: Game, found: Floats, before: Floats) -> Floats:
    """Bound how far values are from a fixed point, in units of the payoff range, (v,)."""
    discount, span = game.numbers.discount, game.numbers.span
    return (np.abs(found - before) * (discount / (1 - discount) / span)[:, None, :]).max(axis=(1, 2), initial=0.0)


def settle(
    game: Game, answer: Round, later: Floats | None = None, most: int = MOST_ANSWERS
) -> tuple[Floats, Floats, Bools]:
    """Answer the round until its values are those it was answered with.

    Parameters
    ----------
    game
        A stationary game.
    answer
        How the concept answers a round.
    later
        Values (v, n, i) to start from; by default those of uniform play.
    most
        Limit of answers.

    Returns
    -------
    tuple
        The profile (v, e), the values of all nodes (v, n, i), and for each variant whether they settled.
    """
    from sim.solve.replies import uniform_play

    graph = game.graph
    homes = np.unique(graph.node_return[graph.node_return >= 0])
    profile = np.zeros((game.variants, graph.edge_count))
    if later is None:
        later = np.zeros((game.variants, graph.node_count, len(graph.players)))
        play_on(game, uniform_play(game), later, 1e-3)
    values = np.array(later)
    done = np.zeros(game.variants, dtype=np.bool_)
    best = np.full(game.variants, np.inf)  # every variant for itself: none waits for those that stand beside it
    stale = np.zeros(game.variants, dtype=np.int64)
    for turn in range(most):
        tell(turn, most)
        index = np.flatnonzero(~done & (stale <= PATIENCE))
        if not len(index):
            break
        some = game if len(index) == game.variants else take(game, index)
        part, given = np.zeros((len(index), graph.edge_count)), values[index]
        found = induct(some, answer.kernel(some, index), answer.stage(index), part, given, roots=homes)
        gap = _distance(some, found, given[:, homes])
        nearer = gap < 0.9 * best[index]
        stale[index] = np.where(nearer, 0, stale[index] + 1)
        best[index] = np.where(nearer, gap, best[index])
        after = given.copy()
        after[:, homes] = found
        if turn < PATIENCE:  # later only one round at a time, which always settles in zero-sum games
            play_on(some, part, after, np.maximum(SETTLED, 0.01 * gap), MOST_SWEEPS)
        profile[index] = part
        settled = gap <= SETTLED
        values[index] = np.where(settled[:, None, None], given, after)
        done[index] = settled
    play_on(game, profile, values, SETTLED)
    return profile, values, done


def take(game: Game, index: Any) -> Game:
    """Return a game with some of the variants."""
    return replace(game, numbers=game.numbers.take(index))
