"""Scenario discovery: boxes of assumptions in which an answer holds, found by PRIM and measured by ourselves on fresh variants.

Ranges are sampled and solved at once. PRIM (patient rule induction, of the EMA Workbench) peels boxes; of each of its paths the box is taken that
holds the most cases at the asked density, and restrictions that it can do without are dropped. Coverage, density, mass and quasi-p-values
are then counted by this module, on the same variants and on as many fresh ones that the search never saw.

Sources: J. H. Friedman and N. I. Fisher, Statistics and Computing 9 (1999); B. P. Bryant and R. J. Lempert, Technological Forecasting and
Social Change 77 (2010), also for quasi-p-values.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from sim.analysis.asker import Asker
from sim.analysis.designs import Vary
from sim.analysis.exploring import Share, answers_of, factor_facts, factors_of, holds_at, in_one, told
from sim.analysis.sampled import Sampled
from sim.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sim.analysis.exploring import Asks
    from sim.analysis.factors import Column, Factor
    from sim.analysis.survey import Case
    from sim.kinds import Bools
    from sim.scenario.model import Scenario

__all__ = ["Box", "Boxes", "Cases", "Restriction", "Spec", "discover", "explore", "find", "inside", "planned"]

FEW_CHOICES = 3
"""Numbers to choose from up to which they are taken for kinds, not for a scale."""
FEWEST = 20
"""Cases of interest, and others, below which no box is looked for."""
DIGITS = 3
"""Digits of a box's ends, of the value and of the range."""


class Spec(BaseModel):
    """What is asked of scenario discovery.

    Examples
    --------
    >>> Spec(of="war", level=0.5).density
    0.8
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    kind: Literal["boxes"] = "boxes"
    of: str = Field(
        description="a question: an outcome, value_PLAYER, likelihood, advantage(MOVE @ DATE) or chosen(MOVE @ DATE)"
    )
    level: float = Field(description="what the answer is held against", allow_inf_nan=False)
    side: Literal["above", "below"] = Field(
        default="above", description="whether it is to be at or above the level, or at or below it"
    )
    concept: str = Field(default="", description="label of a concept of the experiment; its first by default")
    arm: str = Field(default="", description="name of an arm of the experiment")
    vary: Vary = Field(default="all", description="'all', a list of names, or a table from names to ranges")
    method: Literal["prim"] = Field(default="prim", description="how boxes are looked for")
    design: Literal["sobol", "latin_hypercube"] = Field(default="sobol", description="how ranges are sampled")
    samples: int = Field(default=2048, ge=64, description="variants of the search, and as many fresh ones of the test")
    measure: Literal["uniform", "dirichlet"] = Field(default="uniform", description="of orders")
    density: float = Field(
        default=0.8, gt=0, le=1, description="share of a box's variants in which the answer is to hold"
    )
    most: int = Field(default=3, ge=1, le=20, description="how many boxes")
    mass: float = Field(default=0.05, gt=0, lt=1, description="least share of all variants that a box holds")
    peel: float = Field(default=0.05, gt=0, lt=0.5, description="share of a box that one step peels away")


# -- what is found --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Restriction:
    """What a box says of one column: an interval, its ends included and open where None, or a set of labels or numbers.

    Examples
    --------
    >>> Restriction(name="cost", low=0.5).holds(np.array([0.2, 0.7])).tolist()
    [False, True]
    """

    name: str
    low: float | None = None
    high: float | None = None
    kinds: tuple[float | str, ...] = ()

    def holds(self, values: Column) -> Bools:
        """Tell which values are allowed."""
        if self.kinds:
            return (
                np.isin(values.astype(str), [str(one) for one in self.kinds])
                if values.dtype == object
                else np.isin(values, self.kinds)
            )
        found = np.ones(len(values), dtype=np.bool_)
        if self.low is not None:
            found &= values >= self.low
        if self.high is not None:
            found &= values <= self.high
        return found


def inside(box: Sequence[Restriction], columns: Mapping[str, Column], count: int) -> Bools:
    """Tell which rows lie in a box, all restrictions together.

    Examples
    --------
    >>> inside([Restriction(name="a", high=1.0), Restriction(name="b", kinds=("x",))], {"a": np.array([0.0, 2.0]), "b": np.array(["x", "x"])}, 2)
    array([ True, False])
    """
    found = np.ones(count, dtype=np.bool_)
    for one in box:
        found &= one.holds(columns[one.name])
    return found


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cases:
    """Variants that were solved with certificate, and in which of them the answer holds.

    Examples
    --------
    >>> cases = Cases(columns={"a": np.array([0.0, 1.0])}, holds=np.array([False, True]), unanswered=0)
    >>> cases.count, cases.measure([Restriction(name="a", low=0.5)])["density"]["share"]
    (2, 1.0)
    """

    columns: Mapping[str, Column]
    holds: Bools
    unanswered: int

    @property
    def count(self) -> int:
        """How many variants."""
        return len(self.holds)

    @property
    def base(self) -> Share:
        """In which share of all variants the answer holds."""
        return Share(hits=int(self.holds.sum()), draws=self.count, size=float(self.count))

    def measure(self, box: Sequence[Restriction]) -> dict[str, Any]:
        """Count coverage, density and mass of a box."""
        return self.counted(inside(box, self.columns, self.count))

    def counted(self, within: Bools) -> dict[str, Any]:
        """Count coverage, density and mass of a set of variants."""
        hits, size, all_hits = int((within & self.holds).sum()), int(within.sum()), int(self.holds.sum())
        return {
            "coverage": Share(hits=hits, draws=all_hits, size=float(all_hits)).record(),
            "density": Share(hits=hits, draws=size, size=float(size)).record(),
            "mass": Share(hits=size, draws=self.count, size=float(self.count)).record(),
        }


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Box:
    """A box.

    Attributes
    ----------
    restrictions
        What it says, the most telling first.
    quasi_p
        Of each restriction: how likely that many cases would be in the box by chance if it were dropped (one-sided binomial).
    search, test
        Coverage, density and mass in the variants of the search, and in the fresh ones.

    Examples
    --------
    See :func:`find`.
    """

    restrictions: tuple[Restriction, ...]
    quasi_p: tuple[float, ...]
    search: Mapping[str, Any]
    test: Mapping[str, Any]

    def record(self, factors: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        """Return all of it as plain data."""
        rows = [
            {
                "name": one.name,
                "low": one.low,
                "high": one.high,
                "kinds": list(one.kinds),
                "quasi_p": p,
                "range": factors[one.name]["range"],
                "choices": factors[one.name]["choices"],
                "note": factors[one.name]["note"],
            }
            for one, p in zip(self.restrictions, self.quasi_p, strict=True)
        ]
        return {"restrictions": rows, "search": dict(self.search), "test": dict(self.test), "words": self.words()}

    def words(self) -> str:
        """Say where the box is."""
        return " and ".join(_words(one) for one in self.restrictions) or "everywhere in the ranges"


def _words(one: Restriction) -> str:
    """Say what one restriction allows."""
    name = one.name.replace("_", " ")
    if one.kinds:
        kinds = [kind.replace("_", " ") if isinstance(kind, str) else f"{kind:g}" for kind in one.kinds]
        return f"{name} is {' or '.join(kinds)}"
    if one.low is None:
        return f"{name} is at most {one.high:.12g}"
    least = f"{one.low:.12g}"
    return f"{name} is at least {least}" if one.high is None else f"{name} is between {least} and {one.high:.12g}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Boxes:
    """Boxes in which an answer holds.

    Attributes
    ----------
    spec, seed
        What was asked.
    scenario, concept, words
        Of what; the question as one reads it.
    factors
        What varied.
    boxes
        In the order in which they were found.
    search, test
        The variants of the search, and the fresh ones.
    why
        Where there is no box: ``unanswered``, ``never`` or ``always`` (no case of interest, or no other), ``few`` of either, ``dense``
        (everywhere, as often as asked), ``none`` (nowhere so often).
    solves
        How many variants were solved.

    Examples
    --------
    See :func:`find`.
    """

    spec: Spec
    scenario: str
    concept: str
    words: str
    factors: tuple[Mapping[str, Any], ...]
    boxes: tuple[Box, ...]
    search: Cases
    test: Cases
    why: str
    seed: int
    solves: int = 0

    def record(self) -> dict[str, Any]:
        """Return all of it as plain data."""
        by_name = {name: one for one in self.factors for name in (one["members"] or [one["name"]])}
        together = {
            label: _together(self.boxes, cases) for label, cases in (("search", self.search), ("test", self.test))
        }
        facts: dict[str, Any] = {
            "boxes": len(self.boxes),
            "share": self.search.base.record()["share"],
            "unanswered": self.search.unanswered + self.test.unanswered,
            "solves": self.solves,
        }
        for label in ("coverage", "density", "mass"):
            facts[label] = self.boxes[0].test[label]["share"] if self.boxes else None
            facts[f"all_{label}"] = together["test"][label]["share"] if self.boxes else None
        facts["where"] = self.boxes[0].words() if self.boxes else ""
        return {
            "kind": "boxes",
            "scenario": self.scenario,
            "concept": self.concept,
            "question": self.spec.of,
            "words": self.words,
            "level": self.spec.level,
            "side": self.spec.side,
            "method": self.spec.method,
            "density": self.spec.density,
            "samples": self.spec.samples,
            "seed": self.seed,
            "factors": [dict(one) for one in self.factors],
            "share": {"search": self.search.base.record(), "test": self.test.base.record()},
            "unanswered": {"search": self.search.unanswered, "test": self.test.unanswered},
            "boxes": [box.record(by_name) for box in self.boxes],
            "together": together,
            "points": _points(self.boxes, self.test),
            "why": self.why,
            "facts": facts,
            "uncertified": facts["unanswered"],
            "solves": self.solves,
        }


POINTS = 1000
"""Variants that are kept for a picture."""


def _points(boxes: Sequence[Box], cases: Cases) -> dict[str, Any]:
    """Return some fresh variants for a picture: the two columns that the first box restricts most tellingly, and where the answer holds."""
    names = [one.name for one in boxes[0].restrictions if not one.kinds][:2] if boxes else []
    some = slice(0, POINTS)
    return {
        "names": names,
        "values": [told(cases.columns[name][some]) for name in names],
        "holds": told(cases.holds[some]) if names else [],
    }


def _together(boxes: Sequence[Box], cases: Cases) -> dict[str, Any]:
    """Count coverage, density and mass of all boxes together."""
    within = np.zeros(cases.count, dtype=np.bool_)
    for box in boxes:
        within |= inside(box.restrictions, cases.columns, cases.count)
    return cases.counted(within)


# -- searching ------------------------------------------------------------------------------------------------------------


def _prim() -> Any:
    """Return the module of PRIM, or say what to install."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of packages that it could use and that are not installed
            from ema_workbench.analysis import prim
    except ImportError:
        raise OptionError(
            "boxes need the EMA Workbench, which is not installed; install escalation-sim[boxes]"
        ) from None
    return prim


def _kinds(factor: Factor) -> tuple[float | str, ...]:
    """Return the choices of a factor whose values are kinds; none of a scale."""
    named = factor.choices and isinstance(factor.choices[0], str)
    return factor.choices if named or 0 < len(factor.choices) <= FEW_CHOICES else ()


def _frame(factors: Sequence[Factor], cases: Cases) -> tuple[Any, dict[str, tuple[float | str, ...]]]:
    """Make the table that PRIM takes: numbers, and categories by number, whose order does not depend on how texts are hashed."""
    import pandas as pd

    columns: dict[str, Any] = {}
    kinds = {factor.name: found for factor in factors if (found := _kinds(factor))}
    for name, values in cases.columns.items():
        if name in kinds:
            columns[name] = pd.Categorical(
                np.array([kinds[name].index(value) for value in values.tolist()], dtype=np.int64)
            )
        else:
            columns[name] = values.astype(np.float64)
    return pd.DataFrame(columns), kinds


def _box(limits: Any, whole: Any, kinds: Mapping[str, tuple[float | str, ...]]) -> tuple[Restriction, ...]:
    """Read the limits of a box as PRIM gives them; what reaches to the end of the sample is open."""
    out: list[Restriction] = []
    for name in limits.columns:
        (low, high), (least, greatest) = limits[name].tolist(), whole[name].tolist()
        if name in kinds:
            if len(low) < len(least):
                out.append(Restriction(name=name, kinds=tuple(kinds[name][int(code)] for code in sorted(low))))
        elif low > least or high < greatest:
            ends = (float(low) if low > least else None), (float(high) if high < greatest else None)
            out.append(Restriction(name=name, low=ends[0], high=ends[1]))
    return tuple(out)


def _rounded(value: float, span: float) -> float:
    """Round an end to what one would say: to so many digits of the range, and no fewer of the value, as on a logarithmic scale."""
    sizes = [size for size in (abs(value), span) if size > 0]
    return round(value, DIGITS - min(math.ceil(math.log10(size)) for size in sizes)) if sizes else value


def _told(box: tuple[Restriction, ...], cases: Cases, density: float) -> tuple[Restriction, ...]:
    """Round the ends of a box, which is measured as it is told; an end stays exact where rounding empties the box or thins it below the density."""

    def share(tried: Sequence[Restriction]) -> float:
        within = inside(tried, cases.columns, cases.count)
        return float(cases.holds[within].mean()) if within.any() else -1.0

    least = density if share(box) >= density else 0.0
    for place, end in ((place, end) for place in range(len(box)) for end in ("low", "high")):
        value = getattr(box[place], end)
        if value is not None:
            one = replace(box[place], **{end: _rounded(value, float(np.ptp(cases.columns[box[place].name])))})
            tried = (*box[:place], one, *box[place + 1 :])
            box = tried if share(tried) >= least else box
    return box


def _without_idle(box: tuple[Restriction, ...], cases: Cases, density: float) -> tuple[Restriction, ...]:
    """Drop ends and restrictions as long as the box stays dense enough, the one first that gains the most cases."""
    while box:
        best: tuple[int, tuple[Restriction, ...]] | None = None
        for place, one in enumerate(box):
            looser: list[tuple[Restriction, ...]] = [()]
            if one.low is not None and one.high is not None:
                looser = [(Restriction(name=one.name, low=one.low),), (Restriction(name=one.name, high=one.high),)]
            for less in looser:
                tried = (*box[:place], *less, *box[place + 1 :])
                within = inside(tried, cases.columns, cases.count)
                hits = int((within & cases.holds).sum())
                if hits >= density * within.sum() and (best is None or hits > best[0]):
                    best = hits, tried
        if best is None:
            return box
        box = best[1]
    return box


def _quasi_p(box: Sequence[Restriction], cases: Cases) -> list[float]:
    """Return how likely so many cases of interest would be in the box by chance if each restriction told nothing (Bryant & Lempert 2010)."""
    from scipy.stats import binom

    within = inside(box, cases.columns, cases.count)
    size, hits = int(within.sum()), int((within & cases.holds).sum())
    out: list[float] = []
    for place in range(len(box)):
        wider = inside([*box[:place], *box[place + 1 :]], cases.columns, cases.count)
        chance = float((wider & cases.holds).sum()) / max(1, int(wider.sum()))
        out.append(float(binom.sf(hits - 1, size, chance)))
    return out


def discover(factors: Sequence[Factor], cases: Cases, spec: Spec) -> list[tuple[Restriction, ...]]:
    """Look for boxes by PRIM, one after another among what the earlier ones leave.

    Parameters
    ----------
    factors
        What varied.
    cases
        With at least one case of interest and one other.
    spec
        Density, mass and peel, and how many boxes at most.

    Returns
    -------
    list
        The restrictions of each box; it ends where no box is dense enough.

    Raises
    ------
    OptionError
        Where the EMA Workbench is not installed.

    Examples
    --------
    >>> from sim.analysis.factors import Factor
    >>> a = np.linspace(0, 1, 500)
    >>> cases = Cases(columns={"a": a, "b": (7 * a) % 1}, holds=a > 0.6, unanswered=0)
    >>> discover((Factor(name="a"), Factor(name="b")), cases, Spec(of="x", level=0.0, density=0.99))[0][0].name
    'a'
    """
    prim = _prim()
    frame, kinds = _frame(factors, cases)
    out: list[tuple[Restriction, ...]] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search: Any = prim.Prim(
            frame, cases.holds.astype(np.int64), threshold=spec.density, peel_alpha=spec.peel, mass_min=spec.mass
        )
        for _ in range(spec.most):
            found: Any = search.find_box()
            if found is None:
                break
            path: Any = found.peeling_trajectory
            dense = path["density"].to_numpy(dtype=float) >= spec.density
            if not dense.any():
                break
            held = np.where(dense, path["coverage"].to_numpy(dtype=float), -1.0)
            chosen = int(held.argmax())
            found.select(chosen)
            exact = _without_idle(_box(found.box_lims[chosen], search.box_init, kinds), cases, spec.density)
            box = _told(exact, cases, spec.density)
            if not box or box in out:
                break
            out.append(box)
            if len(search.yi) - sum(len(one.yi) for one in search._boxes) < FEWEST:  # noqa: SLF001
                break
    return out


# -- finding --------------------------------------------------------------------------------------------------------------


def _designs(spec: Spec, factors: tuple[Factor, ...], seed: int) -> list[Sampled]:
    """Make the variants of the search, and fresh ones."""
    seeds = [seed, int(np.random.SeedSequence(seed, spawn_key=(1,)).generate_state(1)[0])]
    return [Sampled(factors=factors, kind=spec.design, samples=spec.samples, seed=one) for one in seeds]


def planned(spec: Spec, *, scenario: Scenario, case: Case) -> int:
    """Say how many variants will be solved.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.survey import Case
    >>> planned(Spec(of="war", level=0.5), scenario=sim.load(sim.template()), case=Case())
    4096
    """
    return sum(design.count for design in _designs(spec, factors_of(scenario, case, spec.vary, spec.measure), 0))


def find(
    spec: Spec, *, scenario: Scenario, concept: str, options: Mapping[str, Any], case: Case, seed: int = 0,
    progress: Callable[[int], None] | None = None,
) -> Boxes:  # fmt: skip
    """Find boxes of assumptions in which an answer holds.

    Parameters
    ----------
    spec
        What is asked.
    scenario, concept, options, case
        Of what.
    seed
        Of both samples: the same seed gives the same record.
    progress
        Called with the number of variants just solved.

    Raises
    ------
    OptionError
        Where the EMA Workbench is not installed, and for what cannot be varied.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.survey import Case
    >>> spec = Spec(of="disaster", level=0.01, samples=512)
    >>> scenario = sim.load("scenarios/brinkmanship.toml")
    >>> found = find(spec, scenario=scenario, concept="quantal_response", options={"precision": 1.0}, case=Case())
    >>> found.boxes[0].words()
    'disaster cost is at most 25.2 and risk per rung is at least 0.00765'
    """
    _prim()  # before the work
    asker = Asker(scenario=scenario, questions=(spec.of,), concept=concept, options=options, case=case)
    factors = factors_of(scenario, case, spec.vary, spec.measure)
    boxes, search, test, why = explore(
        asker, factors, spec, whole=in_one(scenario, factors), seed=seed, progress=progress
    )
    return Boxes(
        spec=spec, scenario=scenario.title, concept=concept, words=asker.read[0].words,
        factors=tuple(factor_facts(scenario, factor) for factor in factors),
        boxes=boxes, search=search, test=test, why=why, seed=seed, solves=asker.solves,
    )  # fmt: skip


def explore(
    ask: Asks, factors: tuple[Factor, ...], spec: Spec, *, whole: bool = False, seed: int = 0,
    progress: Callable[[int], None] | None = None,
) -> tuple[tuple[Box, ...], Cases, Cases, str]:  # fmt: skip
    """Ask about both samples, look for boxes in the one and measure them in both.

    Returns
    -------
    boxes, search, test, why
        ``why`` is empty, or says why there is no box.

    Examples
    --------
    >>> from sim.analysis.factors import Factor
    >>> class Known:
    ...     def all(self, columns, count=None):
    ...         return columns["a"][None]
    >>> boxes, *_ = explore(Known(), (Factor(name="a"), Factor(name="b")), Spec(of="x", level=0.5, samples=256, density=0.95))
    >>> boxes[0].words()
    'a is at least 0.47...'
    """
    samples: list[Cases] = []
    for design in _designs(spec, factors, seed):
        answers = answers_of(ask, design, whole=whole, progress=progress)[0]
        holds, _ = holds_at(answers, spec.level, spec.side)
        known = ~np.isnan(answers)
        columns = {name: values[known] for name, values in design.rows(0, design.count).items()}
        samples.append(Cases(columns=columns, holds=np.asarray(holds[known]), unanswered=int((~known).sum())))
    search, test = samples
    hits = int(search.holds.sum())
    if search.count < spec.samples / 2:
        return (), search, test, "unanswered"
    if hits in (0, search.count):
        return (), search, test, "never" if hits == 0 else "always"
    if min(hits, search.count - hits) < FEWEST:
        return (), search, test, "few"
    if hits >= spec.density * search.count:
        return (), search, test, "dense"
    found: list[Box] = []
    for restrictions in discover(factors, search, spec):
        p = _quasi_p(restrictions, search)
        rank = sorted(range(len(p)), key=lambda place: (p[place], place))
        box = tuple(restrictions[place] for place in rank)
        told_p = tuple(p[place] for place in rank)
        found.append(Box(restrictions=box, quasi_p=told_p, search=search.measure(box), test=test.measure(box)))
    return tuple(found), search, test, "" if found else "none"
