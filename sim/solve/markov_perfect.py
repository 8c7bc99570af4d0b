r"""Markov-perfect equilibrium of games with an infinite horizon and discounting, on the graph of public states.

A stationary profile is Markov perfect if no player can gain by deviating at any state, and by the one-shot deviation principle one
deviation is enough to check: if none gains more than ``g`` of the payoff range, no deviation, however long, gains more than :math:`g / (1 -
\delta)` of it.

First the round is answered again and again by backward induction, with the values of the answer before (:mod:`sim.solve.rounds`), once for
each of the ``starts``; where that does not settle, by other rules of selection. Answers may come back in a circle, since pure stationary
equilibria need not exist even where one player moves at a time. Then the branch of stationary logit equilibria is followed from uniform
play until nobody gains (:mod:`sim.solve.homotopy`). All equilibria found that differ are reported; the first is the solution.

Source: Maskin, E. & Tirole, J. (2001) Markov perfect equilibrium, Journal of Economic Theory 100:191-219; Herings, P. J.-J. & Peeters, R.
(2004) Stationary equilibria in stochastic games, Journal of Economic Theory 118:32-60; Eibelshäuser, S. & Poensgen, D. (2019) Markov
quantal response equilibrium.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.errors import OptionError
from sim.kinds import Status
from sim.solve.contract import Answer
from sim.solve.equilibrium_stage import Chooser, check_rule
from sim.solve.homotopy import follow
from sim.solve.induction import backward, check_ties
from sim.solve.rounds import Round, settle, take

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.game.graph import Game
    from sim.kinds import Floats

__all__ = ["MOST_STARTS", "Options", "solve"]

MOST_STARTS = 100
SAME = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Options: rules for ties and among stage equilibria, how many starts to try, and whether to follow the logit branch at once.

    ``time_limit`` is in seconds, for each variant. ``starts`` counts where values begin: 1 those of uniform play, then one for the best and the
    worst of each player, then random ones. ``method`` is ``replies`` (then the branch where they fail), or ``branch``.

    Examples
    --------
    >>> Options().starts, Options(method="branch").method
    (1, 'branch')
    """

    ties: str = "uniform"
    selection: str = "payoff_dominant"
    fallback: str = "logit_limit"
    starts: int = 1
    seed: int = 0
    method: str = "replies"
    time_limit: float = 60.0

    def __post_init__(self) -> None:
        """Refuse unknown rules and numbers out of bounds."""
        check_ties(self.ties)
        check_rule(self.selection, "selection")
        check_rule(self.fallback, "fallback")
        if self.method not in ("replies", "branch"):
            raise OptionError(f"method is '{self.method}'; expected replies or branch")
        if not 1 <= self.starts <= MOST_STARTS:
            raise OptionError(f"starts is {self.starts}; expected a whole number from 1 to {MOST_STARTS}")
        if not self.time_limit > 0:
            raise OptionError(f"time_limit is {self.time_limit}; expected seconds, more than 0")


def _answer(game: Game, options: Options, selection: str) -> tuple[Round, Chooser]:
    """Return how a round is answered under one selection rule, and what counts its stages."""
    players = game.graph.players
    chooser = Chooser(players=players, variants=game.variants, selection=selection, fallback=options.fallback)

    def stage(index: Any) -> Any:
        chooser.variants = len(index)
        chooser.reset()
        return chooser

    return Round(kernel=lambda some, _: backward(some, options.ties), stage=stage), chooser


def _starts(game: Game, options: Options) -> Iterator[tuple[str, Floats | None]]:
    """Yield selection rules and values to start from, the plain one first."""
    graph = game.graph
    players = graph.players
    shape = (game.variants, graph.node_count, len(players))
    yield options.selection, None
    rules = [f"{word}:{name}" for name in players for word in ("best_for", "worst_for")]
    rng = np.random.default_rng(options.seed)
    pairs = bool((np.count_nonzero(graph.node_shape > 1, axis=1) <= 2).all())  # noqa: PLR2004 - enumerated for two players
    for number in range(options.starts - 1):
        selection = rules[number] if pairs and number < len(rules) else options.selection
        drawn = rng.uniform(-0.5, 0.5, shape) * game.numbers.span[:, None, :]
        yield selection, drawn if number >= len(rules) or not graph.simultaneous else None


def solve(game: Game, options: Options) -> Answer:
    """Solve every variant of a game with an infinite horizon.

    Parameters
    ----------
    game
        Stationary; players move one at a time or at once.
    options
        The rules.

    Returns
    -------
    Answer
        A profile of shape (v, e), the values that it is thought to have, and the other equilibria found, none of them measured yet.

    Examples
    --------
    >>> from sim.game.stationary import stationary_game
    >>> game = stationary_game([[[1.0], [0.0]]], [[[0], [0]]], [[[1.0], [1.0]]], 0.5, movers=[0])
    >>> solve(game, Options()).guess[0, 0]
    array([2.])
    """
    found: list[tuple[Floats, Floats, Any]] = []
    counts: dict[str, Any] = {}
    ending: Status | None = None
    for number, (selection, later) in enumerate(_starts(game, options)):
        answer, chooser = _answer(game, options, selection)
        try:
            profile, values, settled = _try(game, answer, later, options)
        except KeyboardInterrupt:
            if number == 0:
                raise
            break  # keep what was found so far
        if number == 0 and not settled.all():
            ending = _repair(game, options, (profile, values, settled))
        if number == 0:
            counts = _counts(game, answer, chooser, values)
        found.append((profile, values, settled))
    profile, values, _ = found[0]
    drawn = options.selection == "public"
    return Answer(
        profile=profile, guess=values, stages=counts, drawn=drawn, others=tuple(_others(found)), ending=ending
    )


def _try(game: Game, answer: Round, later: Floats | None, options: Options) -> tuple[Floats, Floats, Any]:
    """Answer the round until values settle, unless the branch is asked for."""
    if options.method == "replies":
        return settle(game, answer, later)
    profile = np.zeros((game.variants, game.graph.edge_count))
    values = np.zeros((game.variants, game.graph.node_count, len(game.graph.players)))
    return profile, values, np.zeros(game.variants, dtype=np.bool_)


def _repair(game: Game, options: Options, found: tuple[Floats, Floats, Any]) -> Status | None:
    """Solve the variants that have not settled: by other rules of selection, then along the branch; say how it ended."""
    profile, values, settled = found
    rules = [rule for rule in ("logit_limit", "first") if rule != options.selection] if game.graph.simultaneous else []
    for rule in rules if options.method == "replies" and options.selection != "public" else ():
        index = np.flatnonzero(~settled)
        if len(index):
            some = take(game, index)
            part = settle(some, _answer(some, options, rule)[0])
            good = part[2]
            profile[index[good]], values[index[good]] = part[0][good], part[1][good]
            settled[index[good]] = True
    late = False
    for v in np.flatnonzero(~settled):
        until = time.monotonic() + options.time_limit
        traced = follow(take(game, np.array([v])), until=until)
        profile[v], values[v], settled[v] = traced.profile, traced.values, traced.arrived
        late |= time.monotonic() > until
    if settled.all():
        return None
    return Status.TIME_LIMIT if late else Status.LOST


def _counts(game: Game, answer: Round, chooser: Chooser, values: Floats) -> dict[str, Any]:
    """Count the stages with several equilibria at the values found."""
    from sim.solve.stages import induct

    everyone = np.arange(game.variants)
    stage = answer.stage(everyone)
    if not game.graph.simultaneous:
        return {}
    scratch = np.zeros((game.variants, game.graph.edge_count))
    induct(game, answer.kernel(game, everyone), stage, scratch, values)
    return chooser.counts()


def _others(found: list[tuple[Floats, Floats, Any]]) -> Iterator[tuple[Floats, Floats]]:
    """Yield what differs, in some variant, from everything before it."""
    kept = [found[0]]
    for profile, values, settled in found[1:]:
        if settled.all() and all(np.abs(profile - other).max() > SAME for other, _, _ in kept):
            kept.append((profile, values, settled))
            yield profile, values
