"""Rules for choosing among moves whose worth depends on what nobody knows: a table of values, one row a variant, one column a move.

A move that ties with a winner wins too: every rule returns all its winners. Worst cases over drawn variants are bounds: the worst of all variants is at least
as bad.

Sources: A. Wald, Statistical Decision Functions (1950), for maximin; L. J. Savage, "The theory of statistical decision", Journal of the American
Statistical Association 46 (1951), for minimax regret; L. Hurwicz, Cowles Commission Discussion Paper 370 (1951); H. A. Simon, "A behavioral model of
rational choice", Quarterly Journal of Economics 69 (1955), for satisficing; R. D. Luce and H. Raiffa, Games and Decisions (1957), chapter 13.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.errors import OptionError
from sim.kinds import frozen

if TYPE_CHECKING:
    from sim.kinds import Bools, Floats, Ints

__all__ = ["RULES", "Verdict", "hurwicz_ranges", "judge"]

RULES = ("maximin", "minimax_regret", "satisficing", "hurwicz", "expected")
QUARTILES = (0.25, 0.5, 0.75)
SAME = 1e-9
"""Of the range of payoffs, or of one: closer is a tie."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Verdict:
    """What the rules say of a table of values.

    Attributes
    ----------
    worst, best, regret : float array, (a,)
        Of each move over all variants: least and greatest value, greatest regret. NaN for a move that is not available in every variant.
    worst_row, best_row, regret_row : int array, (a,)
        The first variant in which it occurs; -1 for none.
    quartiles, regret_quartiles : float array, (3, a)
        Over the variants that count for shares.
    mean, share_best, satisfies : float array, (a,)
        Over the same: mean value, share of variants in which the move is a best one, and in which it satisfies. Ties count for every move.
    available : float array, (a,)
        Share of all variants in which the move can be made.
    dominated : int array, (a,)
        The first move that is at least as good in every variant and better in one; -1 for none.
    winners
        For each rule the winning moves, in order.
    ranges
        For each move the intervals of α, the weight of the worst, in which it wins by Hurwicz.

    Examples
    --------
    >>> judge(np.array([[2.0, 0.0], [2.0, 5.0]]), alpha=0.5).winners["minimax_regret"]
    (1,)
    """

    worst: Floats
    best: Floats
    regret: Floats
    worst_row: Ints
    best_row: Ints
    regret_row: Ints
    quartiles: Floats
    regret_quartiles: Floats
    mean: Floats
    share_best: Floats
    satisfies: Floats
    available: Floats
    dominated: Ints
    winners: dict[str, tuple[int, ...]]
    ranges: tuple[tuple[tuple[float, float], ...], ...]


def judge(
    values: Floats, *, alpha: float = 0.5, level: float | None = None, tolerance: float = 0.0, tie: float = SAME, counted: Bools | None = None,
    burden: Ints | None = None,
) -> Verdict:  # fmt: skip
    """Judge moves by all rules.

    Parameters
    ----------
    values
        What each move is worth in each variant, (v, a), at least one variant; NaN where a move is not available. What is
        available somewhere only is no candidate, but counts where others' regret is measured.
    alpha
        Weight of the worst case in Hurwicz' rule, the best case has the rest.
    level
        A move satisfies where it is worth at least so much; without one, where its regret is at most ``tolerance``.
    tolerance
        See ``level``.
    tie
        Values closer than that are equal.
    counted
        Which variants count for means, shares and quartiles, (v,): those drawn evenly; all by default.
    burden
        Where several variants tie for an extreme, that with the least of this is named, (v,); the first by default.

    Raises
    ------
    OptionError
        If no move is available in every variant, no variant counts, or α is no share.

    Examples
    --------
    >>> found = judge(np.array([[2.0, 0.0], [2.0, 5.0]]), alpha=0.5)
    >>> found.winners["maximin"], found.regret.tolist(), found.ranges[1]
    ((0,), [3.0, 2.0], ((0.0, 0.6),))
    """
    some = np.ones(len(values), dtype=np.bool_) if counted is None else counted
    able = ~np.isnan(values)
    always: Any = able.all(axis=0)
    if not 0 <= alpha <= 1:
        raise OptionError(f"alpha is {alpha:g}; expected the weight of the worst case, from 0 to 1")
    if not len(values) or not some.any() or not always.any():
        raise OptionError("no move is available in every variant that is compared; vary less")
    top = np.where(able, values, -np.inf).max(axis=1)
    regret = top[:, None] - values
    own, lost = values[:, always], regret[:, always]
    worst, best, most = own.min(axis=0), own.max(axis=0), lost.max(axis=0)
    good = own >= level - tie if level is not None else lost <= tolerance + tie
    satisfies, mean = good[some].mean(axis=0), own[some].mean(axis=0)
    scores = {
        "maximin": worst, "minimax_regret": -most, "satisficing": satisfies, "hurwicz": _mixed(alpha, worst, best), "expected": mean,
    }  # fmt: skip
    place = np.flatnonzero(always)
    ranges = hurwicz_ranges(worst, best, tie)

    def spread(part: Floats, fill: float = np.nan) -> Floats:
        """Put what is known of the candidates at their places among all moves."""
        out = np.full((*part.shape[:-1], len(always)), fill)
        out[..., always] = part
        return frozen(out)

    load = np.zeros(len(values), dtype=np.int32) if burden is None else burden

    def rows(score: Floats) -> Ints:
        """Name for each candidate the variant in which its score is least."""
        near_ = np.where(score <= score.min(axis=0) + tie, load[:, None], np.iinfo(np.int32).max)
        return frozen(spread(near_.argmin(axis=0).astype(np.float64), -1.0).astype(np.int32))

    near = {name: 1e-12 if name == "satisficing" else tie for name in scores}
    every = iter(ranges)
    return Verdict(
        worst=spread(worst), best=spread(best), regret=spread(most),
        worst_row=rows(own), best_row=rows(-own), regret_row=rows(-lost),
        quartiles=spread(np.quantile(own[some], QUARTILES, axis=0)),
        regret_quartiles=spread(np.quantile(lost[some], QUARTILES, axis=0)),
        mean=spread(mean), share_best=spread((lost[some] <= tie).mean(axis=0)), satisfies=spread(satisfies),
        available=frozen(able.mean(axis=0)), dominated=_dominated(values, always, tie),
        winners={
            name: tuple(place[np.flatnonzero(score >= score.max() - near[name])].tolist()) for name, score in scores.items()
        },
        ranges=tuple(next(every) if one else () for one in always.tolist()),
    )  # fmt: skip


def _mixed(alpha: float, worst: Floats, best: Floats) -> Floats:
    """Weigh worst and best."""
    return alpha * worst + (1.0 - alpha) * best


def _dominated(values: Floats, always: Bools, tie: float) -> Ints:
    """Find for each candidate the first that is at least as good in every variant and better in one; -1 for none, (a,)."""
    out = np.full(len(always), -1, dtype=np.int32)
    for move in np.flatnonzero(always).tolist():
        gap = values[:, always] - values[:, [move]]
        found = (gap >= -tie).all(axis=0) & (gap > tie).any(axis=0)
        if found.any():
            out[move] = np.flatnonzero(always)[np.argmax(found)]
    return frozen(out)


def hurwicz_ranges(worst: Floats, best: Floats, tie: float = SAME) -> tuple[tuple[tuple[float, float], ...], ...]:
    """Return for each move the intervals of α in which α·worst + (1 − α)·best is greatest.

    The scores are straight lines in α, so that between two neighbouring intersections the winners stay; moves that tie share intervals, and an interval
    of no length is a single α.

    Examples
    --------
    >>> hurwicz_ranges(np.array([2.0, 0.0, 1.0]), np.array([2.0, 5.0, 1.0]))
    (((0.6, 1.0),), ((0.0, 0.6),), ())
    """
    lift = best - worst
    ends = {0.0, 1.0}
    for a in range(len(worst)):
        for b in range(a):
            if lift[a] != lift[b]:
                at = float((best[a] - best[b]) / (lift[a] - lift[b]))
                if 0.0 < at < 1.0:
                    ends.add(at)
    cuts = sorted(ends)
    out: list[list[tuple[float, float]]] = [[] for _ in worst]

    def winners(alpha: float) -> list[int]:
        score = _mixed(alpha, worst, best)
        return np.flatnonzero(score >= score.max() - tie).tolist()

    for low, high in pairwise(cuts):
        for move in winners((low + high) / 2):
            if out[move] and out[move][-1][1] == low:
                out[move][-1] = (out[move][-1][0], high)
            else:
                out[move].append((low, high))
    for alpha in cuts:  # where lines meet in one point
        for move in winners(alpha):
            if not any(low <= alpha <= high for low, high in out[move]):
                out[move].append((alpha, alpha))
    return tuple(tuple(sorted(one)) for one in out)
