"""Which assumptions drive an answer: Sobol indices, Morris' screening, and one assumption at a time.

Indices come from SALib and are held against a second estimator of our own on the same rows. Whole blocks of rows (all that belong to one base
point, or to one trajectory) are left out where one of them has no certified answer, and counted.

Sources: I. M. Sobol', Mathematics and Computers in Simulation 55 (2001); A. Saltelli and others, Computer Physics Communications 181 (2010);
M. J. W. Jansen, Computer Physics Communications 117 (1999); M. D. Morris, Technometrics 33 (1991); F. Campolongo, J. Cariboni and A. Saltelli,
Environmental Modelling & Software 22 (2007).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from sim.analysis.asker import Asker
from sim.analysis.designs import Vary
from sim.analysis.exploring import answers_of, base_of, factor_facts, factors_of, in_one
from sim.analysis.grids import OneAtATime
from sim.analysis.indices import Effects, Indices, Swings
from sim.analysis.sampled import Morris, Saltelli
from sim.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sim.analysis.exploring import Asks
    from sim.analysis.factors import Factor
    from sim.analysis.grids import Design
    from sim.analysis.survey import Case
    from sim.kinds import Floats
    from sim.scenario.model import Scenario

__all__ = ["Effects", "Indices", "Sensitivity", "Spec", "Swings", "explore", "find", "planned"]

SAMPLES = {"sobol": 1024, "morris": 50}
FLAT = 1e-12
"""A spread of answers that rounding makes, as a share of their size."""
FEW = 8
"""Fewer base points or trajectories tell nothing."""


class Spec(BaseModel):
    """What is asked of a sensitivity analysis.

    Examples
    --------
    >>> Spec(of="war").method
    'sobol'
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    kind: Literal["sensitivity"] = "sensitivity"
    of: str = Field(
        description="a question: an outcome, value_PLAYER, likelihood, advantage(MOVE @ DATE) or chosen(MOVE @ DATE)"
    )
    more: list[str] = Field(default_factory=list[str], description="further questions, asked of the same variants")
    concept: str = Field(default="", description="label of a concept of the experiment; its first by default")
    arm: str = Field(default="", description="name of an arm of the experiment")
    vary: Vary = Field(default="all", description="'all', a list of names, or a table from names to ranges")
    method: Literal["sobol", "morris", "tornado"] = Field(
        default="sobol", description="shares of the variance, a cheaper screening, or one assumption at a time"
    )
    samples: int | None = Field(
        default=None, ge=2, description="base points of sobol (a power of 2; 1024), or trajectories of morris (50)"
    )
    second_order: bool = Field(default=True, description="sobol: also what pairs of assumptions do together")
    levels: int = Field(default=4, ge=2, description="morris: levels of each assumption")
    measure: Literal["uniform", "dirichlet"] = Field(default="uniform", description="of orders")
    confidence: float = Field(default=0.95, gt=0, lt=1, description="of all intervals")
    resamples: int = Field(default=100, ge=10, description="bootstrap samples behind the intervals")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sensitivity:
    """What drives the answers.

    Attributes
    ----------
    spec, seed
        What was asked.
    scenario, concept
        Of what.
    factors
        What varied, in the order of all arrays.
    found
        For each question.
    rows, solves
        Variants of the design, and solves.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.survey import Case
    >>> spec = Spec(of="value_challenger", method="tornado")
    >>> find(spec, scenario=sim.load(sim.template()), concept="subgame_perfect", options={}, case=Case()).record()["facts"]["largest"]
    'prize'
    """

    spec: Spec
    scenario: str
    concept: str
    factors: tuple[Mapping[str, Any], ...]
    found: tuple[Indices | Effects | Swings, ...]
    rows: int
    seed: int
    solves: int = 0

    def record(self) -> dict[str, Any]:
        """Return all of it as plain data."""
        names = [one["name"] for one in self.factors]
        facts = {"solves": self.solves, "rows": self.rows, **self.found[0].facts(names)}
        for place, one in enumerate(self.found[1:], 2):
            facts |= {f"q{place}_{name}": value for name, value in one.facts(names).items()}
        return {
            "kind": "sensitivity",
            "method": self.spec.method,
            "scenario": self.scenario,
            "concept": self.concept,
            "factors": [dict(one) for one in self.factors],
            "samples": _samples(self.spec),
            "rows": self.rows,
            "seed": self.seed,
            "confidence": self.spec.confidence,
            "questions": [one.record(names) for one in self.found],
            "facts": facts,
            "uncertified": max(one.unanswered for one in self.found),
            "solves": self.solves,
        }


# -- finding --------------------------------------------------------------------------------------------------------------


def _samples(spec: Spec) -> int | None:
    """Return the number of base points or trajectories."""
    return SAMPLES.get(spec.method) if spec.samples is None else spec.samples


def _design(
    spec: Spec, factors: tuple[Factor, ...], base: Mapping[str, float | str], seed: int
) -> Saltelli | Morris | OneAtATime:
    """Make the design that a method needs."""
    samples = _samples(spec)
    if spec.method == "tornado" or samples is None:
        if spec.samples is not None:
            raise OptionError(
                f"method tornado takes no samples, and {spec.samples:,} are asked for; leave them out, or use sobol or morris"
            )
        return OneAtATime(base=base, factors=factors)
    if spec.method == "morris":
        return Morris(factors=factors, trajectories=samples, levels=spec.levels, seed=seed)
    return Saltelli(factors=factors, samples=samples, second_order=spec.second_order, seed=seed)


def planned(spec: Spec, *, scenario: Scenario, case: Case) -> int:
    """Say how many variants will be solved.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.survey import Case
    >>> planned(Spec(of="war", samples=64), scenario=sim.load(sim.template()), case=Case())
    384
    """
    factors = factors_of(scenario, case, spec.vary, spec.measure)
    return _design(spec, factors, base_of(scenario, case, factors), 0).count


def find(
    spec: Spec, *, scenario: Scenario, concept: str, options: Mapping[str, Any], case: Case, seed: int = 0,
    progress: Callable[[int], None] | None = None,
) -> Sensitivity:  # fmt: skip
    """Find which assumptions drive the answers.

    Parameters
    ----------
    spec
        What is asked.
    scenario, concept, options, case
        Of what.
    seed
        Of the design and of the intervals: the same seed gives the same record.
    progress
        Called with the number of variants just solved.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.survey import Case
    >>> spec = Spec(of="value_challenger", samples=64)
    >>> found = find(spec, scenario=sim.load(sim.template()), concept="subgame_perfect", options={}, case=Case())
    >>> found.rows, found.record()["questions"][0]["dropped"]
    (384, 0)
    """
    asker = Asker(scenario=scenario, questions=(spec.of, *spec.more), concept=concept, options=options, case=case)
    factors = factors_of(scenario, case, spec.vary, spec.measure)
    design = _design(spec, factors, base_of(scenario, case, factors, options), seed)
    words = [(one.text, one.words) for one in asker.read]
    found = explore(asker, design, spec, words, whole=in_one(scenario, factors), seed=seed, progress=progress)
    return Sensitivity(
        spec=spec,
        scenario=scenario.title,
        concept=concept,
        factors=tuple(factor_facts(scenario, factor) for factor in factors),
        found=found,
        rows=design.count,
        seed=seed,
        solves=asker.solves,
    )


def explore(
    ask: Asks, design: Saltelli | Morris | OneAtATime, spec: Spec, words: Sequence[tuple[str, str]], *, whole: bool = False, seed: int = 0,
    progress: Callable[[int], None] | None = None,
) -> tuple[Indices | Effects | Swings, ...]:  # fmt: skip
    """Ask about all rows of a design at once and analyse the answers to each question.

    Parameters
    ----------
    ask
        What answers.
    design
        One that fits the method.
    spec
        Method, confidence and resamples.
    words
        For each question, its text and how one reads it.

    Examples
    --------
    >>> from sim.analysis.factors import Factor
    >>> class Known:
    ...     def all(self, columns, count=None):
    ...         return (3 * columns["a"] + columns["b"])[None]
    >>> design = Saltelli(factors=(Factor(name="a"), Factor(name="b")), samples=256)
    >>> found = explore(Known(), design, Spec(of="x"), [("x", "x")])[0]
    >>> found.first.round(2)
    array([0.9, 0.1])
    """
    told_: Design = design
    answers = answers_of(ask, told_, whole=whole, progress=progress)
    if answers.shape[0] != len(words):
        raise OptionError(f"{answers.shape[0]} answers are given to {len(words)} questions")
    out: list[Indices | Effects | Swings] = []
    for values, (text, reads) in zip(answers, words, strict=True):
        if isinstance(design, Saltelli):
            out.append(_indices(design, values, text, reads, spec, seed))
        elif isinstance(design, Morris):
            out.append(_effects(design, values, text, reads, spec, seed))
        else:
            out.append(_swings(design, values, text, reads))
    return tuple(out)


def _salib_seed(seed: int) -> int:
    """Return a seed for SALib, which takes 0 for none."""
    return int(np.random.SeedSequence(seed, spawn_key=(1,)).generate_state(1)[0]) + 1


def _flat(values: Floats) -> bool:
    """Tell whether answers differ by no more than rounding."""
    return float(np.ptp(values)) <= max(FLAT * float(np.abs(values).max()), 1e-14)


def _why(kept: Any, own: Floats) -> str:
    """Say why there is nothing to analyse; empty if there is. The variance is that of the independent rows, first and last of each block."""
    if not own.size or kept.sum() < max(min(FEW, kept.size), kept.size / 2):
        return "unanswered"
    if _flat(own):
        return "constant"
    return "rare" if _flat(own[:, [0, -1]]) else ""


def _some(values: Floats) -> dict[str, float]:
    """Return mean, variance and ends of answers; NaN of none."""
    if not values.size:
        return dict.fromkeys(("mean", "variance", "low", "high"), np.nan)
    return {
        "mean": float(values.mean()),
        "variance": 0.0 if _flat(values) else float(values.var()),
        "low": float(values.min()),
        "high": float(values.max()),
    }


def _indices(design: Saltelli, answers: Floats, text: str, words: str, spec: Spec, seed: int) -> Indices:
    """Estimate the Sobol indices of one question."""
    blocks = answers.reshape(design.samples, design.stride)
    kept = np.isfinite(blocks).all(axis=1)
    own = blocks[kept]
    ends = own[:, [0, -1]]
    why = _why(kept, own)
    spread = _some(ends)
    if own.size:
        spread |= {"low": float(own.min()), "high": float(own.max())}
    none = np.empty(0)
    first = total = first_error = total_error = again = none
    second = second_error = np.empty((0, 0))
    if not why:
        from SALib.analyze import sobol

        problem: Any = design.problem
        found: Any = sobol.analyze(
            problem, own.ravel(), calc_second_order=design.second_order, num_resamples=spec.resamples,
            conf_level=spec.confidence, seed=_salib_seed(seed),
        )  # fmt: skip
        first, total, first_error, total_error = (np.asarray(found[key]) for key in ("S1", "ST", "S1_conf", "ST_conf"))
        if design.second_order:
            second, second_error = np.asarray(found["S2"]), np.asarray(found["S2_conf"])
        k = len(design.factors)
        again = 1.0 - np.square(own[:, -1:] - own[:, 1 : k + 1]).mean(axis=0) / (2.0 * float(ends.var()))
    return Indices(
        question=text, words=words, **spread, first=first, first_error=first_error, total=total, total_error=total_error,
        second=second, second_error=second_error, again=again, points=design.samples, dropped=int((~kept).sum()),
        unanswered=int((~np.isfinite(answers)).sum()), why=why,
    )  # fmt: skip


def _effects(design: Morris, answers: Floats, text: str, words: str, spec: Spec, seed: int) -> Effects:
    """Estimate the elementary effects of one question."""
    k = len(design.factors)
    walks = answers.reshape(design.trajectories, k + 1)
    kept = np.isfinite(walks).all(axis=1)
    own = walks[kept]
    why = "unanswered" if kept.sum() < max(2, kept.size / 2) else ("constant" if _flat(own) else "")
    mu = star = sigma = error = np.empty(0)
    if not why:
        from SALib.analyze import morris

        points = design.unit(0, design.count).reshape(design.trajectories, k + 1, -1)[kept]
        found: Any = morris.analyze(
            design.problem, points.reshape(-1, points.shape[2]), own.ravel(), num_resamples=spec.resamples, conf_level=spec.confidence,
            num_levels=design.levels, seed=_salib_seed(seed),
        )  # fmt: skip
        mu, star, sigma, error = (
            np.asarray(found[key], dtype=float) for key in ("mu", "mu_star", "sigma", "mu_star_conf")
        )
        single = np.array([factor.width == 1 for factor in design.factors])
        mu, sigma = np.where(single, mu, np.nan), np.where(single, sigma, np.nan)
    return Effects(
        question=text, words=words, **_some(own.ravel()), mu=mu, mu_star=star, sigma=sigma, error=error,
        trajectories=design.trajectories, dropped=int((~kept).sum()), unanswered=int((~np.isfinite(answers)).sum()), why=why,
    )  # fmt: skip


def _swings(design: OneAtATime, answers: Floats, text: str, words: str) -> Swings:
    """Sort the answers at the ends by factor."""
    known = np.where(np.isfinite(answers), answers, np.nan)
    ends: list[tuple[tuple[str, float | str | None, float], ...]] = []
    swings: list[float] = []
    for factor in design.factors:
        rows = [row for row, (name, _) in enumerate(design.steps) if name == factor.name]
        values = [None if factor.order else design.rows(row, row + 1)[factor.name][0] for row in rows]
        ends.append(
            tuple((design.steps[row][1], value, float(known[row])) for row, value in zip(rows, values, strict=True))
        )
        seen = known[[0, *rows]]
        seen = seen[np.isfinite(seen)]
        swings.append(float(np.ptp(seen)) if seen.size > 1 else np.nan)
    return Swings(
        question=text,
        words=words,
        base=float(known[0]),
        ends=tuple(ends),
        swing=np.array(swings),
        unanswered=int(np.isnan(known).sum()),
    )
