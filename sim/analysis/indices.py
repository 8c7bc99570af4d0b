"""What a sensitivity analysis finds of one question: indices, effects or swings, with what forbids to take them at their word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.analysis.exploring import finite, told

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sim.kinds import Floats

__all__ = ["WIDE", "Effects", "Indices", "Swings"]

WIDE = 0.1
"""An interval that reaches further than this calls for more samples, and so do two estimates that differ by more."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Indices:
    """Sobol indices of one question; the interval of an index is the index ± its error.

    Attributes
    ----------
    question, words
        As written, and as one reads it.
    mean, variance
        Of the answers at the independent rows.
    low, high
        Of all answers that are not left out.
    first, total, and their errors
        Shape (k,): the share of the variance that a factor explains alone, and with all interactions; empty where ``why`` says why.
    second, second_error
        Shape (k, k), above the diagonal: what two factors explain together beyond what each does alone; empty if not asked.
    again
        Shape (k,): first order by Jansen's estimator.
    points, dropped, unanswered
        Base points, those left out, and rows without a certified, finite answer.
    why
        ``constant``, ``rare`` (the answers vary, but at no independent row) or ``unanswered`` where there are no indices.

    Examples
    --------
    >>> half, none = np.array([0.5, 0.5]), np.empty((0, 0))
    >>> found = Indices(
    ...     question="x", words="x", mean=0.0, variance=1.0, low=-1.0, high=1.0, first=half, first_error=half / 5, total=half,
    ...     total_error=half / 2, second=none, second_error=none, again=half, points=64, dropped=0, unanswered=0)
    >>> found.warnings(["a", "b"])
    ['an index is known to ±0.25 only: take more samples']
    """

    question: str
    words: str
    mean: float
    variance: float
    low: float
    high: float
    first: Floats
    first_error: Floats
    total: Floats
    total_error: Floats
    second: Floats
    second_error: Floats
    again: Floats
    points: int
    dropped: int
    unanswered: int
    why: str = ""

    def warnings(self, names: Sequence[str]) -> list[str]:
        """Say what forbids to take the indices at their word."""
        out = _left_out(self.unanswered, self.dropped, self.points, "base points")
        if self.why:
            return out
        widest = float(max(self.first_error.max(), self.total_error.max()))
        if widest > WIDE:
            out.append(f"an index is known to ±{widest:.2f} only: take more samples")
        apart = np.abs(self.first - self.again)
        if apart.max() > WIDE:
            name = names[int(apart.argmax())]
            out.append(
                f"two estimators of the first-order index of {name} differ by {apart.max():.2f}: take more samples"
            )
        over = float(self.first.sum()) - 1.0
        if over > max(0.01, float(np.sqrt(np.square(self.first_error).sum()))):
            out.append(
                f"the first-order indices sum to {1.0 + over:.2f}, more than 1 beyond their error: take more samples"
            )
        below = self.first - self.total - self.first_error - self.total_error
        if below.max() > 0:
            out.append(
                f"{names[int(below.argmax())]} explains more alone than with interactions, beyond the errors: take more samples"
            )
        return out

    def record(self, names: Sequence[str]) -> dict[str, Any]:
        """Return all of it as plain data."""
        k = len(names)
        pairs = [
            {"pair": [names[i], names[j]], "index": finite(self.second[i, j]), "error": finite(self.second_error[i, j])}
            for i in range(k if self.second.size else 0)
            for j in range(i + 1, k)
        ]
        rows = [
            {
                "name": name,
                "first": finite(self.first[i]),
                "first_error": finite(self.first_error[i]),
                "total": finite(self.total[i]),
                "total_error": finite(self.total_error[i]),
                "again": finite(self.again[i]),
            }
            for i, name in enumerate(names if self.first.size else ())
        ]
        return {
            "question": self.question,
            "words": self.words,
            **_spread(self),
            "indices": rows,
            "pairs": pairs,
            "points": self.points,
            "dropped": self.dropped,
            "unanswered": self.unanswered,
            "why": self.why,
            "warnings": self.warnings(names),
        }

    def facts(self, names: Sequence[str]) -> dict[str, Any]:
        """Return what a sentence may use."""
        out: dict[str, Any] = {**_spread(self), "unanswered": self.unanswered}
        if self.why:
            return out
        for i, name in enumerate(names):
            out[f"first_{name}"], out[f"total_{name}"] = finite(self.first[i]), finite(self.total[i])
            out[f"first_error_{name}"], out[f"total_error_{name}"] = (
                finite(self.first_error[i]),
                finite(self.total_error[i]),
            )
        rank = np.argsort(-self.total, kind="stable")
        alone = float(self.first.sum())
        return {
            **out,
            "largest": names[rank[0]],
            "largest_first": finite(self.first[rank[0]]),
            "largest_total": finite(self.total[rank[0]]),
            "ranking": [names[i] for i in rank],
            "alone": finite(alone),
            "together": finite(max(0.0, 1.0 - alone)),
        }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Effects:
    """Elementary effects of one question: the change of the answer per whole range of a factor.

    Attributes
    ----------
    mu, mu_star, sigma, error
        Shape (k,): mean, mean size, standard deviation, and half the interval of the mean size. Of an order only the mean size exists.
    trajectories, dropped, unanswered
        How many, those left out, and rows without a certified, finite answer.

    Examples
    --------
    >>> some = np.array([1.0, 2.0])
    >>> found = Effects(
    ...     question="x", words="x", mean=0.0, variance=1.0, low=-1.0, high=1.0, mu=-some, mu_star=some, sigma=some, error=some / 100,
    ...     trajectories=20, dropped=0, unanswered=0)
    >>> found.facts(["a", "b"])["largest"]
    'b'
    """

    question: str
    words: str
    mean: float
    variance: float
    low: float
    high: float
    mu: Floats
    mu_star: Floats
    sigma: Floats
    error: Floats
    trajectories: int
    dropped: int
    unanswered: int
    why: str = ""

    def warnings(self) -> list[str]:
        """Say what forbids to take the effects at their word."""
        out = _left_out(self.unanswered, self.dropped, self.trajectories, "trajectories")
        if not self.why and self.error.max() > WIDE * max(float(self.mu_star.max()), 1e-300):
            share = float(self.error.max() / self.mu_star.max()) if self.mu_star.max() else 0.0
            out.append(
                f"a mean effect is known to ±{100 * share:.0f} % of the largest only: take more samples to rank those close together"
            )
        return out

    def record(self, names: Sequence[str]) -> dict[str, Any]:
        """Return all of it as plain data."""
        rows = [
            {
                "name": name,
                "mu": finite(self.mu[i]),
                "mu_star": finite(self.mu_star[i]),
                "sigma": finite(self.sigma[i]),
                "error": finite(self.error[i]),
            }
            for i, name in enumerate(names if self.mu_star.size else ())
        ]
        return {
            "question": self.question,
            "words": self.words,
            **_spread(self),
            "effects": rows,
            "trajectories": self.trajectories,
            "dropped": self.dropped,
            "unanswered": self.unanswered,
            "why": self.why,
            "warnings": self.warnings(),
        }

    def facts(self, names: Sequence[str]) -> dict[str, Any]:
        """Return what a sentence may use."""
        out: dict[str, Any] = {**_spread(self), "unanswered": self.unanswered}
        if self.why:
            return out
        for i, name in enumerate(names):
            out[f"mu_star_{name}"] = finite(self.mu_star[i])
        rank = np.argsort(-self.mu_star, kind="stable")
        return {
            **out,
            "largest": names[rank[0]],
            "largest_mu_star": finite(self.mu_star[rank[0]]),
            "ranking": [names[i] for i in rank],
        }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Swings:
    """One question at the ends of each factor, all others at base.

    Attributes
    ----------
    base
        The answer where nothing is changed.
    ends
        For each factor, its ends: a word, the value (None of an order), the answer.
    swing
        Shape (k,): the greatest distance between answers, the base among them; NaN where fewer than two are certified.

    Examples
    --------
    >>> ends = ((("low", 0.0, 1.0), ("high", 1.0, 3.0)),)
    >>> Swings(question="x", words="x", base=2.0, ends=ends, swing=np.array([2.0]), unanswered=0).facts(["a"])["swing_a"]
    2.0
    """

    question: str
    words: str
    base: float
    ends: tuple[tuple[tuple[str, float | str | None, float], ...], ...]
    swing: Floats
    unanswered: int

    def warnings(self) -> list[str]:
        """Say what forbids to take the swings at their word."""
        return [f"{self.unanswered} variants have no certified answer, and are missing"] if self.unanswered else []

    def record(self, names: Sequence[str]) -> dict[str, Any]:
        """Return all of it as plain data, the widest swing first."""
        rank = np.argsort(-np.nan_to_num(self.swing, nan=-1.0), kind="stable")
        rows = [
            {
                "name": names[i],
                "swing": finite(self.swing[i]),
                "ends": [
                    {"end": word, "value": told(value), "answer": finite(answer)}
                    for word, value, answer in self.ends[i]
                ],
            }
            for i in rank
        ]
        return {
            "question": self.question,
            "words": self.words,
            "base": finite(self.base),
            "swings": rows,
            "unanswered": self.unanswered,
            "why": "" if np.isfinite(self.base) else "unanswered",
            "warnings": self.warnings(),
        }

    def facts(self, names: Sequence[str]) -> dict[str, Any]:
        """Return what a sentence may use."""
        out: dict[str, Any] = {"base": finite(self.base), "unanswered": self.unanswered}
        for i, name in enumerate(names):
            out[f"swing_{name}"] = finite(self.swing[i])
            for word, _, answer in self.ends[i]:
                out[f"{word}_{name}"] = finite(answer)
        if np.isfinite(self.swing).any():
            best = int(np.nanargmax(self.swing))
            out |= {"largest": names[best], "largest_swing": finite(self.swing[best])}
        return out


def _spread(found: Indices | Effects) -> dict[str, Any]:
    """Return mean, variance, standard deviation and ends of the answers."""
    deviation = float(np.sqrt(found.variance))
    names = ("mean", "variance", "deviation", "low", "high")
    return dict(zip(names, map(finite, (found.mean, found.variance, deviation, found.low, found.high)), strict=True))


def _left_out(unanswered: int, dropped: int, of: int, what: str) -> list[str]:
    """Say what was left out."""
    if not unanswered:
        return []
    return [
        f"{unanswered:,} variants have no certified, finite answer; {dropped:,} of {of:,} {what} are left out: the rest speaks for what could be solved"
    ]
