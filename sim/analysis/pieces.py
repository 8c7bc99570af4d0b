"""Where one subgame-perfect profile gives way to the next, solved exactly: for an assumption in which payoffs are affine and on which nothing else depends.

With the profile fixed, every mover's loss from every other action is then affine in the assumption (:mod:`sim.analysis.exits`), so the profile solved
at one value is an equilibrium on an interval that two evaluations determine: a *piece*. Values that no piece covers yet are solved in turn, all gaps in
one batch, until the pieces leave no gap wider than asked for. Each solve finds a whole piece, so there are about as many solves as pieces, however close
together they lie.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.analysis.affine import why_not_affine
from sim.construct.compile import renumber
from sim.kinds import frozen
from sim.numerics.threads import over_variants
from sim.solve.registry import solve

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sim.analysis.survey import Case, Survey
    from sim.game.graph import Game
    from sim.kinds import Floats

__all__ = ["Pieces", "find_pieces", "no_pieces"]

TIE = 1e-9  # slacks as small as ties are none
WRONG = -1e-7  # a slack that the referee would not have passed: then something is not affine
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Pieces:
    """The intervals on which one profile is optimal everywhere, in units of the range.

    Attributes
    ----------
    low, high : float arrays, (p,)
        Their ends, in order; a piece of length 0 is a single value at which several actions tie.
    clear : float array, (p, 2)
        Between which ends nothing ties that does not tie throughout: there the solver plays this profile and no mixture with the next.
    gaps : float array, (g, 2)
        What is not covered and wider than asked for.
    solves
        How many variants were solved.
    why_not
        Why nothing is proved, if nothing is.

    Examples
    --------
    >>> ends = np.array([[0.0, 0.25], [0.25, 1.0]])
    >>> some = Pieces(low=ends[:, 0], high=ends[:, 1], clear=ends, gaps=np.zeros((0, 2)), solves=2)
    >>> some.proved, some.breakpoints.tolist()
    (True, [0.25])
    """

    low: Floats
    high: Floats
    clear: Floats
    gaps: Floats
    solves: int
    why_not: str = ""

    @property
    def proved(self) -> bool:
        """Whether the pieces cover the whole range, up to what was asked for."""
        return not self.why_not and not len(self.gaps)

    @property
    def breakpoints(self) -> Floats:
        """Where one piece ends and the next begins; single values count as such."""
        long = self.high > self.low
        low, high = self.low[long], self.high[long]
        return frozen((high[:-1] + low[1:]) / 2)

    @property
    def covered(self) -> float:
        """The share of the range that is proved."""
        return 0.0 if self.why_not else 1.0 - float((self.gaps[:, 1] - self.gaps[:, 0]).sum())


def no_pieces(why: str) -> Pieces:
    """Say why nothing is proved.

    Examples
    --------
    >>> no_pieces("nobody asked").proved
    False
    """
    return Pieces(
        low=np.zeros(0), high=np.zeros(0), clear=np.zeros((0, 2)), gaps=np.array([[0.0, 1.0]]), solves=0, why_not=why
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """The game along the range: its structure, and its numbers at both ends."""

    game: Game
    ends: Game
    name: str
    low: float
    high: float
    settings: Mapping[str, Any]
    options: Mapping[str, Any]
    block: int

    def at(self, share: Floats) -> Game:
        """Return the game at shares of the range."""
        return renumber(self.game, {**self.settings, self.name: self.low + (self.high - self.low) * share})

    def straight(self) -> bool:
        """Whether the numbers in the middle are the mean of those at the ends: what the expressions promise, measured."""
        middle, ends = self.at(np.array([0.5])).numbers, self.ends.numbers
        pairs = ((middle.reward[0], ends.reward), (middle.pay[0], ends.pay))
        scale = max(1.0, *(float(np.abs(one).max(initial=0.0)) for _, one in pairs))
        affine = all(np.abs(one - (two[0] + two[1]) / 2).max(initial=0.0) <= ROUNDING * scale for one, two in pairs)
        fixed = (ends.prob[0] == ends.prob[1]).all() and (ends.discount[0] == ends.discount[1]).all()
        return bool(affine and fixed)

    def intervals(self, share: Floats, tell: Callable[[int], None]) -> Floats:
        """Solve at shares of the range; return on which interval each profile stays optimal, the least slack, and where it is clear, (v, 5)."""
        from sim.analysis.exits import exits

        out = np.empty((len(share), 5))
        graph, x = self.game.graph, self.ends.numbers
        kernel: Any = exits
        span = np.ascontiguousarray(x.span.max(axis=0))
        for first in range(0, len(share), self.block):
            where = np.ascontiguousarray(share[first : first + self.block])
            solution = solve(self.at(where), "subgame_perfect", **self.options)
            found = np.empty((len(where), 5))
            given: Any = (
                graph.layer_start, graph.layer_player, graph.layer_boundary, graph.edge_start, graph.edge_dst, graph.edge_pay, graph.edge_prob,
                graph.node_reward, graph.node_final, x.reward, x.pay, np.ascontiguousarray(x.prob[0]), np.ascontiguousarray(x.discount[0]), span,
                np.ascontiguousarray(solution.profile), where, TIE,
            )  # fmt: skip

            def run(a: int, b: int, given: Any = given, found: Floats = found) -> None:
                kernel(*given, a, b, found)

            over_variants(run, len(where))
            lost = ~solution.certificate.certified
            found[lost] = where[lost, None] * [1.0, 1.0, 0.0, 1.0, 1.0]
            out[first : first + self.block] = found
            tell(len(where))
        return out


def find_pieces(
    survey: Survey, case: Case, name: str, low: float, high: float, *, start: Floats, close: float, most: int,
    options: Mapping[str, Any] | None = None, tell: Callable[[int], None] | None = None,
) -> Pieces:  # fmt: skip
    """Cover a range of an assumption by pieces.

    Parameters
    ----------
    survey, case
        The game.
    name, low, high
        The assumption and its range.
    start : float array
        Shares of the range to solve first.
    close
        Gaps as narrow as this, in units of the range, stay open.
    most
        Solve at most so many variants.
    options
        Of subgame perfection: how ties are resolved.
    tell
        Called with the number of variants just solved.

    Returns
    -------
    Pieces
        :attr:`Pieces.why_not` says why nothing is proved: payoffs are not affine in the assumption, something else reads it, players choose at
        once, do not know something, play for ever, or do not take expectations.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.plan import ConceptSpec
    >>> from sim.analysis.survey import Case, Survey
    >>> survey = Survey(sim.load("scenarios/brinkmanship.toml"), [Case()], [ConceptSpec(concept="subgame_perfect")])
    >>> found = find_pieces(survey, survey.cases[0], "disaster_cost", 5, 100, start=np.linspace(0, 1, 9), close=1e-6, most=1000)
    >>> found.proved, bool((np.diff(found.breakpoints) > 0).all())
    (True, True)
    """
    why = why_not_affine(survey.scenario, name, case.set)
    if why:
        return no_pieces(why)
    game = survey.game(case, {})
    if not game.plain:
        return no_pieces(
            "players choose at once, do not know something, play for ever, or weigh chance otherwise than by expectation"
        )
    line = _Line(
        game=game, ends=renumber(game, {**case.set, name: np.array([low, high])}), name=name, low=low, high=high, settings=case.set,
        options=options or {}, block=survey.block(game),
    )  # fmt: skip
    if not line.straight():
        return no_pieces(f"the numbers of the game are not affine in {name}")
    say = tell or (lambda _count: None)
    found, asked, used = np.zeros((0, 5)), np.unique(start), 0
    while True:
        asked = asked[: max(0, most - used)]
        if len(asked):
            found = np.concatenate([found, line.intervals(asked, say)])
            used += len(asked)
        if (found[:, 2] < WRONG).any():
            return no_pieces("a profile is not optimal where it was solved, when values are taken along the line")
        found = found[np.lexsort((found[:, 1], found[:, 0]))]
        gaps = _gaps(found, close)
        if not len(asked) or not len(gaps) or used >= most:
            break
        wide = gaps[np.argsort(gaps[:, 0] - gaps[:, 1], kind="stable")]
        asked = np.sort(wide.mean(axis=1))
    ends, first = np.unique(found[:, :2], axis=0, return_index=True)
    clear = np.clip(found[first, 3:], ends[:, [0]], ends[:, [1]])
    return Pieces(low=frozen(ends[:, 0]), high=frozen(ends[:, 1]), clear=frozen(clear), gaps=frozen(gaps), solves=used)


def _gaps(found: Floats, close: float) -> Floats:
    """Return the gaps that are wider than asked for between intervals that are sorted by their lower ends."""
    reach = np.concatenate([[0.0], np.maximum.accumulate(found[:, 1])])
    begin = np.concatenate([found[:, 0], [1.0]])
    wide = begin - reach > close
    return np.column_stack([reach[wide], begin[wide]])
