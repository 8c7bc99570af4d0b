r"""Logit agent quantal response equilibrium.

At its node, player ``p`` takes action ``e`` with probability :math:`\sigma(e) \propto w_e \exp(\lambda_p Q_p(e))`, where :math:`w_e` are the weights of
uniform play (the members of a group share one unit) and later play is quantal too. With perfect information the equilibrium is unique
and is computed backwards: at :math:`\lambda = 0` it is weighted uniform play, and as :math:`\lambda \to \infty` it tends to subgame perfection with ties
resolved by weight. Where several choose at once, the stage game with the continuation values of the asked precision is followed along
the branch of its logit responses from uniform play (:mod:`sim.numerics.branch`): stage by stage, so that a game in which stages turn back may have others.
With an infinite horizon the branch of stationary equilibria is followed from uniform play (:mod:`sim.solve.homotopy`).

Source: McKelvey, R. & Palfrey, T. (1998) Quantal response equilibria for extensive form games, Experimental Economics 1:9-41.
"""

# A kernel's types are its explicit signature.
# pyright: reportMissingParameterType=false, reportUnknownParameterType=false, reportCallIssue=false

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numba as nb
import numpy as np

from sim.errors import OptionError, did_you_mean
from sim.kinds import Status
from sim.numerics.signatures import FLAG, INT, REAL, read, write
from sim.numerics.threads import over_variants
from sim.solve.contract import Answer
from sim.solve.rounds import take
from sim.solve.stages import induct, logit_stage

if TYPE_CHECKING:
    from sim.game.graph import Game
    from sim.kinds import Floats
    from sim.solve.stages import Stage

__all__ = ["MAX_PRECISION", "Options", "precisions", "solve"]

MAX_PRECISION = 1e9
MOST_STEPS = 600  # along the path of a game with private types


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Options: the precision λ ≥ 0, one number for all players, a number by player, or an array with a number for each variant.

    Examples
    --------
    >>> Options(precision={"usa": 2.0, "russia": 1.0}).precision
    {'usa': 2.0, 'russia': 1.0}
    """

    precision: Any = 1.0


def precisions(value: Any, players: tuple[str, ...], variants: int) -> Floats:
    """Return the precisions as an array of shape (v, i).

    Raises
    ------
    OptionError
        For negative, infinite or missing precisions.

    Examples
    --------
    >>> precisions({"a": 1.0, "b": 2.0}, ("a", "b"), 1)
    array([[1., 2.]])
    """
    if isinstance(value, dict):
        given: dict[str, Any] = value  # pyright: ignore[reportUnknownVariableType]
        for name in given:
            if name not in players:
                message = f"precision names '{name}', who is not a player; {did_you_mean(name, players)}"
                raise OptionError(message)
        missing = [name for name in players if name not in given]
        if missing:
            message = f"precision is missing for {', '.join(missing)}; give a number for each player, or one for all"
            raise OptionError(message)
        columns = [np.broadcast_to(np.asarray(given[name], dtype=np.float64), (variants,)) for name in players]
        out = np.stack(columns, axis=1)
    else:
        array = np.asarray(value, dtype=np.float64)
        if array.ndim > 1 or (array.ndim == 1 and array.size not in (1, variants)):
            message = f"precision has shape {array.shape}; expected a number or one for each of {variants} variants"
            raise OptionError(message)
        out = np.array(np.broadcast_to(array.reshape(-1, 1), (variants, len(players))))
    if not ((out >= 0) & (out <= MAX_PRECISION)).all():
        message = f"precision is {out.min():g} to {out.max():g}; expected numbers from 0 to {MAX_PRECISION:g}"
        raise OptionError(message)
    return np.ascontiguousarray(out)


@nb.njit(
    nb.void(
        read(INT, 1), read(INT, 1), read(FLAG, 1), read(INT, 1), read(INT, 1), read(REAL, 1), read(INT, 1), read(INT, 1), read(INT, 2), read(INT, 2),
        read(REAL, 2), read(REAL, 3), read(REAL, 3), read(REAL, 2), read(REAL, 2), nb.intp, nb.intp, nb.intp, nb.intp, write(REAL, 3), write(REAL, 2),
    ),
    nogil=True,
    cache=True,
)  # fmt: skip
def _logit_induction(
    layer_start, layer_player, layer_boundary, edge_start, edge_dst, edge_weight, edge_pay, edge_prob, node_reward, node_final,
    reward, pay, prob, discount, precision, bottom, top, first, stop, kept, profile,
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
                else:
                    if mover >= 0:
                        best = -np.inf
                        for e in range(begin, end):
                            q = arrival[edge_dst[e], mover]
                            if edge_pay[e]:
                                q += pay[v, edge_pay[e], mover]
                            profile[v, e] = q
                            best = max(best, q)
                        total = 0.0
                        for e in range(begin, end):
                            share = edge_weight[e] * np.exp(precision[v, mover] * (profile[v, e] - best))
                            profile[v, e] = share
                            total += share
                        for e in range(begin, end):
                            profile[v, e] /= total
                    for e in range(begin, end):
                        row, to, paid = edge_prob[e], edge_dst[e], edge_pay[e]
                        for i in range(players):
                            share = profile[v, e] if mover >= 0 else prob[v, row, 1 + i]
                            q = arrival[to, i]
                            if paid:
                                q += pay[v, paid, i]
                            value[i] += share * q
                if boundary:
                    for i in range(players):
                        arrival[n, i] = reward[v, node_reward[n, i]] + discount[v, i] * value[i]
                else:
                    for i in range(players):
                        arrival[n, i] = value[i]


def solve(game: Game, options: Options) -> Answer:
    """Solve every variant of a game.

    Parameters
    ----------
    game
        Finite; players move one at a time or at once.
    options
        The precisions.

    Returns
    -------
    Answer
        A profile of shape (v, e) and the precisions, not yet measured.

    Examples
    --------
    >>> import sim
    >>> answer = solve(sim.compile(sim.load(sim.template())), Options(precision=0.0))
    >>> answer.profile[0, :2]
    array([0.5, 0.5])
    """
    g, x = game.graph, game.numbers
    precision = precisions(options.precision, g.players, game.variants)
    if game.types is not None:
        return _private(game, precision)
    profile = np.zeros((game.variants, g.edge_count))
    if game.plain:
        none = np.empty((0, 0, 0))
        over_variants(
            lambda first, stop: _logit_induction(
                *g.arrays(),
                x.reward, x.pay, x.prob, x.discount, precision, 0, g.layer_count, first, stop, none, profile,
            ),
            game.variants,
        )  # fmt: skip
        return Answer(profile=profile, precision=precision)
    if g.stationary:
        return _stationary(game, precision)
    least = np.ones(game.variants)

    def together(stage: Stage) -> Floats:
        share, singular = logit_stage(stage, precision[stage.variants])
        least[stage.variants] = np.minimum(least[stage.variants], singular)
        return share

    induct(game, _kernel(game, precision), together, profile)
    return Answer(profile=profile, precision=precision, singular=least if g.simultaneous else None)


def _private(game: Game, precision: Floats) -> Answer:
    """Follow the path of each variant of a game with private types to the precision asked."""
    from sim.solve.assess import BOLD, LOGIT, Work, assessment_of, form_of, numbers_of, uniform
    from sim.solve.trembles import ARRIVED, follow

    form = form_of(game)
    logs, arrived = np.empty((game.variants, form.unknowns)), np.zeros(game.variants, dtype=np.bool_)
    span = game.numbers.span.reshape(game.variants, game.lanes, -1).max(axis=1)

    def some(first: int, stop: int) -> None:
        work = Work(game, form)
        for v in range(first, stop):
            z, ending = uniform(form), ARRIVED
            unit = float((precision[v] * span[v]).max())
            if unit > 0:
                numbers = numbers_of(game, form, v, precision[v] / unit)
                for bold in BOLD:  # a path that is lost in long steps is tried again in short ones
                    z = uniform(form)
                    _, ending, _ = follow(form.structure, numbers, LOGIT, z, 0.0, unit, MOST_STEPS, bold, work.all)
                    if ending == ARRIVED:
                        break
            logs[v], arrived[v] = z, ending == ARRIVED

    over_variants(some, game.variants)
    return Answer(
        profile=np.empty((game.variants, 0)),
        precision=precision,
        assessment=assessment_of(game, form, logs),
        refinement=("logit response",) * game.variants,
        ending=None if arrived.all() else Status.LOST,
    )


def _stationary(game: Game, precision: Floats) -> Answer:
    """Follow the branch of each variant of a stationary game."""
    from sim.solve.homotopy import follow

    profile = np.zeros((game.variants, game.graph.edge_count))
    values = np.zeros((game.variants, game.graph.node_count, len(game.graph.players)))
    least, arrived = np.zeros(game.variants), True
    for v in range(game.variants):
        found = follow(take(game, np.array([v])), precision[v])
        profile[v], values[v], least[v] = found.profile, found.values, found.singular
        arrived &= found.arrived
    return Answer(
        profile=profile, precision=precision, guess=values, singular=least, ending=None if arrived else Status.LOST
    )


def _kernel(game: Game, precision: Floats) -> Any:
    """Return the kernel for layers at which one player or chance moves."""
    g = game.graph

    def kernel(bottom: int, top: int, variants: slice, kept: Floats, profile: Floats) -> None:
        x, lam, part = game.numbers.take(variants), precision[variants], profile[variants]
        over_variants(
            lambda first, stop: _logit_induction(
                *g.arrays(), x.reward, x.pay, x.prob, x.discount, lam, bottom, top, first, stop, kept, part
            ),
            x.variants,
        )

    return kernel
