r"""Perfect Bayesian equilibrium of games with private types, as the limit of logit responses.

The path of logit responses is followed from uniform play until it is known which actions stay in use. Every precision counts in units of the
mover's payoff range. What is used with a probability between 0 and 1 tends to its limit only as :math:`1/\lambda`, so then the equations of the
support are solved: types that mix are indifferent, the rest is not played, and what beliefs feel of it are the trembles of the path. The answer
is called *sequential (logit trembles)* where it is the limit of the path that was followed, else *perfect Bayesian*.

Other equilibria are looked for from supports and random starts: play that is nearly pure at an intermediate precision, followed from there, and
paths whose trembles weigh actions otherwise. Those found are reported, not all that there are; but a sender-receiver game is answered whole,
see :mod:`sim.solve.sender_receiver`.

Sources: Fudenberg, D. & Tirole, J. (1991) Journal of Economic Theory 53:236-260 (the concept); Kreps, D. & Wilson, R. (1982) Econometrica
50:863-894 (sequential equilibrium); McKelvey, R. & Palfrey, T. (1998) Experimental Economics 1:9-41 (the path).
"""

# The kernels' types are their explicit signatures.
# pyright: reportCallIssue=false

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sim.errors import OptionError
from sim.kinds import Status, frozen
from sim.numerics.threads import over_variants
from sim.solve.assess import (
    BOLD,
    GONE,
    LOGIT,
    Work,
    assessment_of,
    class_beliefs,
    form_of,
    normalised,
    numbers_of,
    odds,
    uniform,
)
from sim.solve.contract import Answer
from sim.solve.sender_receiver import answered
from sim.solve.trembles import ARRIVED, correct, follow

if TYPE_CHECKING:
    from sim.game.assessment import Assessment
    from sim.game.graph import Game
    from sim.kinds import Bools, Floats
    from sim.solve.assess import Form

__all__ = ["PERFECT", "SEQUENTIAL", "Options", "solve"]

SEQUENTIAL = "sequential (logit trembles)"
PERFECT = "perfect Bayesian"
STATIONS = (1e4, 1e6, 1e8)
"""Precisions, in units of the payoff range, at which the path stops to see whether supports have settled."""
SHARP = 1e12
UNSETTLED = 20.0  # log odds that may still go anywhere
MOST_STEPS = 600
MOST_CORRECTIONS = 60
SOLVED = 1e-9  # steps of logarithms, relative
SMALLEST = 1e-7  # shares of an action that stays in use
WORTH = 5e-7  # regret of what is played, in units of the payoff range
NEAR = 1e-2  # how far the support's solution may be from the path for it to be the path's limit
MOST_STARTS = 1000
USUAL_STARTS = 12
DETOURS = 3  # if the path from uniform play is lost
SMALL = 2000
RARE = -4.0  # logarithm of the weight of what nearly pure play leaves out
KINDS = 3  # of starts: one in three has other trembles
APART = 1e-5  # how far the flows of two equilibria are apart at least


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Options: how many other starts are tried for further equilibria of a single variant, and the seed of what is random about them.

    By default 12 in a game of at most 2,000 unknowns (an action of a type at a node is one), and none in a larger one.

    Examples
    --------
    >>> Options(starts=0).starts
    0
    """

    starts: int | None = None
    seed: int = 0


@dataclass(slots=True)
class _Found:
    """Where one search ended: logarithms of choice probabilities and trembles (u,), the support (u,) if it is known, and how it got there."""

    z: Floats
    inside: Bools | None
    refinement: str
    arrived: bool


class _Search:
    """Searches one variant."""

    def __init__(self, game: Game, form: Form, variant: int, work: Work) -> None:
        self.game, self.form, self.work, self.variant = game, form, work, variant
        self.only = slice(variant, variant + 1)
        lanes = slice(variant * game.lanes, (variant + 1) * game.lanes)
        self.ratio = 1.0 / game.numbers.span[lanes].max(axis=0)
        self.numbers = numbers_of(game, form, variant, self.ratio)

    def settle(self, z: Floats, begin: float, bold: float = BOLD[0]) -> _Found:
        """Follow the path from where it is until the support is known, then solve the support's equations."""
        lam, z, found, settled = begin, z.copy(), None, False
        for station in STATIONS:
            lam, ending, _ = follow(
                self.form.structure, self.numbers, LOGIT, z, lam, station, MOST_STEPS, bold, self.work.all
            )
            if ending != ARRIVED:
                return _Found(z, None, PERFECT, arrived=False)
            slope = self.work.step[:, 1] * lam
            used = self.form.open & (z > np.log(SMALLEST)) & (np.abs(slope) < 1.0)
            clear = used | ~self.form.open | (slope < -1.0) & (z < np.log(SMALLEST))
            settled = bool(clear.all()) and self.told()
            if clear.all() and (settled or station == STATIONS[-1]):
                near = self.limit(z, used, lam)
                if near is not None and near.refinement == SEQUENTIAL:
                    return near
                found = near or found
        return found or _Found(z, None, SEQUENTIAL if settled else PERFECT, arrived=True)

    def told(self) -> bool:
        """Tell whether all odds between types are settled: they stay, or one of the types is ruled out."""
        found = odds(self.form.types, self.work.belief[: self.form.types.classes], self.variant)
        return bool(((found > -UNSETTLED) | (found < -GONE)).all())

    def believed(self, z: Floats) -> Floats:
        """Return what is believed in every class, (c, k), given logarithms of choice probabilities (u,)."""
        share = np.exp(
            odds(self.form.types, class_beliefs(self.game.take(self.only), self.form, z[None])[0], self.variant)
        )
        return share / share.sum(axis=1, keepdims=True)

    def limit(self, path: Floats, used: Bools, lam: float) -> _Found | None:
        """Solve the equations of a support, from the path's end; None if they have no solution near it."""
        z = path.copy()
        precision = frozen(lam * self.ratio)
        _, solved = correct(
            self.form.structure,
            self.numbers,
            (frozen(used), SHARP * float(self.ratio.max())),
            z,
            precision,
            MOST_CORRECTIONS,
            SOLVED,
            self.work.all,
        )
        if not solved or self.regret(z) > WORTH:
            return None
        moved = np.abs(np.where(used, np.exp(z), 0.0) - np.where(self.form.open, np.exp(path), 0.0)).max(initial=0.0)
        moved = max(moved, np.abs(self.believed(z) - self.believed(path)).max(initial=0.0))
        return _Found(z, used, SEQUENTIAL if moved <= NEAR else PERFECT, arrived=True)

    def regret(self, z: Floats) -> float:
        """Return the most that any type would gain by another action, in units of its player's payoff range."""
        form = self.form
        worth = np.where(form.open, self.work.worth, -np.inf)
        best = np.maximum.reduceat(worth, form.start[:-1])
        played = form.open & (z > np.log(SMALLEST))
        worst = np.minimum.reduceat(np.where(played, self.work.worth, np.inf), form.start[:-1])
        some = np.isfinite(best) & np.isfinite(worst)
        gaps = (best - worst) * self.ratio[form.player[form.start[:-1]]]
        return float(gaps[some].max(initial=0.0))

    def main(self, seed: int) -> _Found:
        """Follow the path from uniform play; where it is lost, as at a fork of symmetric play, follow others."""
        found = self.settle(uniform(self.form), 0.0)
        if not found.arrived:
            found = self.settle(uniform(self.form), 0.0, BOLD[1])
        rng = np.random.default_rng(seed)
        for attempt in range(DETOURS):
            if found.arrived:
                break
            found = self.elsewhere(rng, attempt) or found
        return found

    def elsewhere(self, rng: np.random.Generator, attempt: int) -> _Found | None:
        """Look for another equilibrium: with other trembles, or from nearly pure play at an intermediate precision."""
        form = self.form
        infoset = form.infoset
        noise = (rng.gumbel(size=form.unknowns) * rng.choice([1.0, 3.0]))[form.alike]
        if attempt % KINDS == 0:
            numbers = self.numbers
            self.numbers = (*numbers[:5], frozen(form.weight + noise), numbers[6])
            found = self.settle(normalised(form, form.weight + noise), 0.0)
            self.numbers = numbers
            return found if found.arrived else None
        level = float(rng.choice([3.0, 10.0, 30.0, 100.0]))
        top = np.full(len(form.start) - 1, -np.inf)
        np.maximum.at(top, infoset[form.open], noise[form.open])
        z = normalised(form, np.where(noise >= top[infoset], 0.0, RARE))
        _, solved = correct(
            form.structure, self.numbers, LOGIT, z, frozen(level * self.ratio), MOST_CORRECTIONS, SOLVED, self.work.all
        )
        found = self.settle(z, level) if solved else None
        return found if found and found.arrived else None


def solve(game: Game, options: Options) -> Answer:
    """Solve every variant of a game with private types.

    Parameters
    ----------
    game
        A finite game with private types.
    options
        How many other starts are tried.

    Returns
    -------
    Answer
        An assessment, not yet measured, and other equilibria that were found.

    Examples
    --------
    >>> import sim
    >>> answer = solve(sim.compile(sim.load("scenarios/entry_deterrence.toml")), Options(starts=0))
    >>> answer.refinement
    ('sequential (logit trembles)',)
    """
    if not 0 <= (options.starts or 0) <= MOST_STARTS:
        raise OptionError(f"starts is {options.starts}; expected 0 to {MOST_STARTS}")
    form = form_of(game)
    starts = options.starts if options.starts is not None else USUAL_STARTS * (form.unknowns <= SMALL)
    found: list[_Found | None] = [None] * game.variants

    def some(first: int, stop: int) -> None:
        work = Work(game, form)
        for v in range(first, stop):
            found[v] = _Search(game, form, v, work).main(options.seed)

    over_variants(some, game.variants)
    kept = [one for one in found if one is not None]
    main = assessment_of(game, form, np.stack([one.z for one in kept]), [one.inside for one in kept])
    others: tuple[tuple[Assessment, tuple[str, ...]], ...] = ()
    whole = None
    if game.variants == 1 and starts:
        whole = answered(game)
        others = _others(game, form, main, starts, options.seed, () if whole is None else whole[1])
    return Answer(
        profile=np.empty((game.variants, 0)),
        assessment=main,
        assessments=others,
        refinement=tuple(one.refinement for one in kept),
        ending=None if all(one.arrived for one in kept) else Status.LOST,
        signalling=None if whole is None else whole[0],
    )


def _others(
    game: Game, form: Form, main: Assessment, starts: int, seed: int, known: tuple[Assessment, ...] = ()
) -> tuple[tuple[Assessment, tuple[str, ...]], ...]:
    """Look for equilibria whose play is not that of the first; those known already come first."""
    rng = np.random.default_rng(seed)
    search = _Search(game, form, 0, Work(game, form))
    out: list[tuple[Assessment, tuple[str, ...]]] = []
    flows = [_flow(game, main)]

    def take(one: Assessment, refinement: str) -> None:
        flow = _flow(game, one)
        if all(np.abs(flow - other).max() > APART for other in flows):
            flows.append(flow)
            out.append((one, (refinement,)))

    for one in known:
        take(one, PERFECT)
    for attempt in range(starts):
        found = search.elsewhere(rng, attempt)
        if found is not None:
            take(assessment_of(game, form, found.z[None], [found.inside]), found.refinement)
    return tuple(out)


def _flow(game: Game, assessment: Assessment) -> Floats:
    """Return how likely each edge is played along each lane, (s, e): two assessments with equal flows play the same."""
    from sim.game.referee import reach

    plain, flat = game.laid_out(), assessment.profile[0]
    return reach(plain, flat)[:, game.graph.edge_source()] * flat
