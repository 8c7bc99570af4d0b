"""Which share of all payoffs consistent with the stated orderings gives an answer, and does any, or every one of them, give it.

Two measures are tried, since a share means nothing without one: uniform on the order polytopes, and Dirichlet(½) spacings, which favour unequal
gaps. That the answer is possible is proved by an example. That it is necessary is never proved by draws: it is refuted by a counterexample or
not refuted, among the draws and the extreme cardinalisations.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from sim.analysis.asker import Asker
from sim.analysis.designs import Vary, varied
from sim.analysis.exploring import (
    Share,
    answers_of,
    base_of,
    factor_facts,
    factors_of,
    finite,
    holds_at,
    in_one,
    row_of,
    told,
)
from sim.analysis.factors import column
from sim.analysis.grids import distinct
from sim.analysis.sampled import Sampled
from sim.errors import OptionError, did_you_mean
from sim.numerics.extremes import corners
from sim.numerics.orders import count_extensions, exact
from sim.scenario.orders import levels

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sim.analysis.exploring import Asks
    from sim.analysis.factors import Column, Factor
    from sim.analysis.survey import Case
    from sim.kinds import Floats
    from sim.scenario.model import Order, Scenario

__all__ = ["Found", "Ordering", "Spec", "Trial", "explore", "find", "planned"]

MOST_CORNERS = 4096
"""Extreme cardinalisations that are all tried."""

QUANTILES = 101


class Spec(BaseModel):
    """What is asked of all payoffs consistent with the stated orderings.

    Examples
    --------
    >>> Spec(of="advantage(gambit @ 2016-10)", level=0.0).side
    'above'
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    kind: Literal["ordering"] = "ordering"
    of: str = Field(
        description="a question: an outcome, value_PLAYER, likelihood, advantage(MOVE @ DATE) or chosen(MOVE @ DATE)"
    )
    level: float = Field(description="what the answer is held against", allow_inf_nan=False)
    side: Literal["above", "below"] = Field(
        default="above", description="whether it is to be at or above the level, or at or below it"
    )
    concept: str = Field(default="", description="label of a concept of the experiment; its first by default")
    arm: str = Field(default="", description="name of an arm of the experiment")
    orders: str | list[str] = Field(default="all", description="'all' orders of the scenario, or a list of names")
    vary: Vary = Field(
        default_factory=list[str],
        description="what varies too: a list of names, a table from names to ranges, or 'all'",
    )
    samples: int = Field(default=4096, ge=1, description="draws under each measure")
    corners: bool = Field(default=True, description="also try the extreme cardinalisations")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trial:
    """A list of variants that are tried: a design of given rows.

    Attributes
    ----------
    label
        ``uniform``, ``dirichlet``, ``corner`` or ``base``.
    columns
        A column for everything that varies.
    size
        To how many independent draws the rows amount.

    Examples
    --------
    >>> Trial(label="base", columns={"a": np.array([1.0])}, size=1.0).count
    1
    """

    label: str
    columns: Mapping[str, Column]
    size: float

    @property
    def names(self) -> tuple[str, ...]:
        """What varies."""
        return tuple(self.columns)

    @property
    def count(self) -> int:
        """How many rows there are."""
        return len(next(iter(self.columns.values())))

    def rows(self, start: int, stop: int) -> dict[str, Column]:
        """Return rows as columns."""
        return {name: values[start:stop] for name, values in self.columns.items()}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Found:
    """What the variants of one trial answer.

    Attributes
    ----------
    trial
        What was tried.
    answers
        Shape (v,); NaN where a variant is not certified. A log-likelihood of −∞ is an answer; plain data hold None for it.
    holds, at
        Shape (v,): whether the answer is on the asked side, and whether it is at the level.
    """

    trial: Trial
    answers: Floats
    holds: Any
    at: Any

    @property
    def share(self) -> Share:
        """The share of certified variants in which the answer holds."""
        known = int((~np.isnan(self.answers)).sum())
        return Share(hits=int(self.holds.sum()), draws=known, size=self.trial.size * known / max(1, self.trial.count))

    def record(self) -> dict[str, Any]:
        """Return all of it as plain data."""
        known = self.answers[~np.isnan(self.answers)]
        lost = self.trial.count - known.size
        share = self.share
        return {
            **share.record(),
            "unanswered": lost,
            "least": share.hits / self.trial.count,
            "most": (share.hits + lost) / self.trial.count,
            "at_level": int(self.at.sum()),
            "mean": finite(known.mean()) if known.size and np.isfinite(known).all() else None,
            "quantiles": told(_quantiles(known)),
        }

    def furthest(self, *, holds: bool, side: str) -> dict[str, Any] | None:
        """Return the variant in which the answer holds, or fails, by the widest margin."""
        rows = np.flatnonzero(self.holds if holds else ~self.holds & ~np.isnan(self.answers))
        if not rows.size:
            return None
        upward = holds == (side == "above")
        row = int(rows[np.argmax(self.answers[rows] if upward else -self.answers[rows])])
        return {
            "values": row_of(self.trial.columns, row),
            "answer": finite(self.answers[row]),
            "among": self.trial.label,
        }


def _quantiles(known: Floats) -> Floats:
    """Return evenly spaced quantiles of answers; between infinite ones nothing can be interpolated, so that they are answers themselves."""
    places = np.linspace(0, 1, QUANTILES)
    if not known.size:
        return np.empty(0)
    if np.isfinite(known).all():
        return np.quantile(known, places)
    return np.sort(known)[np.floor(places * (known.size - 1)).astype(np.int64)]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ordering:
    """The share of payoffs consistent with orderings under which an answer holds, whether it is possible, and whether it is necessary.

    Attributes
    ----------
    spec, seed
        What was asked.
    scenario, concept, words
        Of what; the question as one reads it.
    orders, others
        What varied, as plain data.
    found
        By the label of the trial.
    corner_count
        How many extreme cardinalisations there are, if they could be counted.
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
    orders: tuple[Mapping[str, Any], ...]
    others: tuple[Mapping[str, Any], ...]
    found: Mapping[str, Found]
    corner_count: int | None
    seed: int
    solves: int = 0

    def verdicts(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Say whether the answer is possible, and whether it is necessary, each with an example.

        Where there is none, ``unseen`` bounds (95 %) the share of cardinalisations that would give one, of those that have an answer.
        """
        side = self.spec.side
        shown = _example(self.found, holds=True, side=side)
        against = _example(self.found, holds=False, side=side)
        draws = self.found["uniform"].share.size
        unseen = 1.0 - 0.05 ** (1.0 / draws) if draws else None
        possible = {"verdict": "shown" if shown else "not found", "example": shown, "unseen": None if shown else unseen}
        necessary = {
            "verdict": "refuted" if against else ("not refuted" if shown else "not known"),
            "counterexample": against,
            "unseen": None if against else unseen,
        }
        return possible, necessary

    def record(self) -> dict[str, Any]:
        """Return all of it as plain data."""
        possible, necessary = self.verdicts()
        uniform, dirichlet = (self.found[label].record() for label in ("uniform", "dirichlet"))
        corner, base = self.found.get("corner"), self.found["base"]
        unanswered = sum(int(np.isnan(one.answers).sum()) for one in self.found.values())
        facts = {
            "share": uniform["share"],
            "error": uniform["error"],
            "share_dirichlet": dirichlet["share"],
            "error_dirichlet": dirichlet["error"],
            "effective": uniform["effective"],
            "draws": self.spec.samples,
            "possible": possible["verdict"] == "shown",
            "refuted": necessary["verdict"] == "refuted",
            "base": finite(base.answers[0]),
            "unanswered": unanswered,
            "solves": self.solves,
        }
        return {
            "kind": "ordering",
            "scenario": self.scenario,
            "concept": self.concept,
            "question": self.spec.of,
            "words": self.words,
            "level": self.spec.level,
            "side": self.spec.side,
            "orders": [dict(one) for one in self.orders],
            "others": [dict(one) for one in self.others],
            "samples": self.spec.samples,
            "seed": self.seed,
            "measures": {"uniform": uniform, "dirichlet": dirichlet},
            "corners": {
                "tried": corner.trial.count if corner else 0,
                "count": self.corner_count,
                "holds": int(corner.holds.sum()) if corner else 0,
                "unanswered": int(np.isnan(corner.answers).sum()) if corner else 0,
            },
            "base": {
                "answer": finite(base.answers[0]),
                "holds": None if np.isnan(base.answers[0]) else bool(base.holds[0]),
            },
            "possible": possible,
            "necessary": necessary,
            "facts": facts,
            "uncertified": unanswered,
            "solves": self.solves,
        }


def _example(found: Mapping[str, Found], *, holds: bool, side: str) -> dict[str, Any] | None:
    """Return a variant in which the answer holds, or fails: the base if it does, else that of the widest margin, among draws before corners."""
    for label in ("base", "uniform", "dirichlet", "corner"):
        one = found[label].furthest(holds=holds, side=side) if label in found else None
        if one:
            return one
    return None


# -- finding --------------------------------------------------------------------------------------------------------------


def _orders(scenario: Scenario, spec: Spec, case: Case) -> list[str]:
    """Return the names of the orders that are asked for."""
    known = [order.id for order in scenario.orders]
    if not known:
        advice = 'add [orders.NAME] with order = "best > middle > worst" to the scenario'
        raise OptionError(f"the scenario states no order; {advice}")
    if isinstance(spec.orders, str):
        if spec.orders != "all":
            raise OptionError(f"orders is '{spec.orders}'; expected 'all', or a list of names such as ['{known[0]}']")
        return [order.id for order in scenario.orders if not any(name in case.set for name in order.members)] or known
    for name in spec.orders:
        if name not in known:
            raise OptionError(f"'{name}' is not an order of the scenario; {did_you_mean(name, known)}")
    if not spec.orders:
        raise OptionError("orders is empty; expected 'all', or a list of names")
    return spec.orders


def _varied(scenario: Scenario, spec: Spec, case: Case) -> tuple[list[str], dict[str, Any]]:
    """Return the orders, and what varies beside them."""
    orders = _orders(scenario, spec, case)
    if spec.vary == "all":
        set_ = {name for order in scenario.orders if order.id in orders for name in order.members} | {
            *orders,
            *case.set,
        }
        return orders, {name: given for name, given in varied(scenario).items() if name not in set_}
    return orders, varied(scenario, spec.vary) if spec.vary else {}


def _factors(
    scenario: Scenario, spec: Spec, case: Case, measure: Literal["uniform", "dirichlet"]
) -> tuple[Factor, ...]:
    """Return the factors, orders first."""
    orders, others = _varied(scenario, spec, case)
    double = [name for name in orders if name in others]
    if double:
        raise OptionError(f"'{double[0]}' is an order that is asked for, and stands in vary too; leave it out of vary")
    found = factors_of(scenario, case, {**dict.fromkeys(orders), **others}, measure)
    distinct([name for factor in found for name in factor.names])
    return found


def _trials(
    scenario: Scenario, spec: Spec, case: Case, options: Mapping[str, Any], seed: int
) -> tuple[list[Trial], int | None]:
    """Make everything that is tried: draws under both measures, extreme cardinalisations, and the base."""
    factors = _factors(scenario, spec, case, "uniform")
    base = base_of(scenario, case, factors, options)
    out: list[Trial] = []
    for place, measure in enumerate(("uniform", "dirichlet")):
        child = int(np.random.SeedSequence(seed, spawn_key=(place,)).generate_state(1)[0])
        drawn = Sampled(
            factors=_factors(scenario, spec, case, measure), kind="random", samples=spec.samples, seed=child
        )
        size = min([float(spec.samples), *drawn.effective_sizes().values()])
        out.append(Trial(label=measure, columns=drawn.rows(0, spec.samples), size=size))
    asked = [factor.order for factor in factors if factor.order]
    rows, count = _corner_rows(asked, seed) if spec.corners else (None, None)
    if rows:
        many = len(next(iter(rows.values())))
        others = {name: column([value] * many, name) for name, value in base.items() if name not in rows}
        columns = {name: rows[name] if name in rows else others[name] for name in base}
        out.append(Trial(label="corner", columns=columns, size=float(many)))
    out.append(Trial(label="base", columns={name: column([value], name) for name, value in base.items()}, size=1.0))
    return out, count


def _corner_rows(orders: Sequence[Order], seed: int) -> tuple[dict[str, Column] | None, int | None]:
    """Return all combinations of the orders' extreme cardinalisations, or a part of them drawn at random; and how many there are."""
    each: list[Floats] = []
    for order in orders:
        found = corners(order.poset, MOST_CORNERS, np.array(levels(order)))
        if found is None:
            return None, None
        each.append(order.low + (order.high - order.low) * found)
    count = math.prod(len(one) for one in each)
    if count <= MOST_CORNERS:
        places = np.unravel_index(np.arange(count), [len(one) for one in each])
    else:
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(2,)))
        places = tuple(rng.integers(len(one), size=MOST_CORNERS) for one in each)
    rows = {
        name: np.ascontiguousarray(one[place, member])
        for order, one, place in zip(orders, each, places, strict=True)
        for member, name in enumerate(order.members)
    }
    return rows, count


def planned(spec: Spec, *, scenario: Scenario, case: Case) -> int:
    """Say how many variants will be solved.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.survey import Case
    >>> planned(Spec(of="war", level=0.5), scenario=sim.load(sim.template()), case=Case())
    Traceback (most recent call last):
    ...
    sim.errors.OptionError: the scenario states no order; add [orders.NAME] with order = "best > middle > worst" to the scenario
    """
    factors = _factors(scenario, spec, case, "uniform")
    rows, _ = _corner_rows([factor.order for factor in factors if factor.order], 0) if spec.corners else (None, None)
    return 2 * spec.samples + 1 + (len(next(iter(rows.values()))) if rows else 0)


def find(
    spec: Spec, *, scenario: Scenario, concept: str, options: Mapping[str, Any], case: Case, seed: int = 0,
    progress: Callable[[int], None] | None = None,
) -> Ordering:  # fmt: skip
    """Find the share of payoffs consistent with the stated orderings under which an answer holds.

    Parameters
    ----------
    spec
        What is asked.
    scenario, concept, options, case
        Of what.
    seed
        Of the draws: the same seed gives the same record.
    progress
        Called with the number of variants just solved.

    Examples
    --------
    >>> from sim.analysis.survey import Case
    >>> from sim.scenario.load import loads
    >>> text = '''
    ... title = "Fold or stand"
    ... rounds = 1
    ... [players.us]
    ... [orders.worth]
    ... order = "win > draw > lose"
    ... [assumptions.odds]
    ... value = 0.5
    ... [state.ended]
    ... values = ["no", "won", "drawn", "lost"]
    ... start = "no"
    ... [[turns]]
    ... player = "us"
    ... [moves.fold]
    ... player = "us"
    ... effects = { ended = "drawn" }
    ... [moves.stand]
    ... player = "us"
    ... outcomes = [{ probability = "odds", effects = { ended = "won" } }, { probability = "1 - odds", effects = { ended = "lost" } }]
    ... [payoffs.us]
    ... final = "win if ended == won else (draw if ended == drawn else lose)"
    ... [outcomes]
    ... stood = "played(stand)"
    ... '''
    >>> spec = Spec(of="stood", level=0.5, samples=1000)  # the draw, uniform between lose and win, is below one half
    >>> found = find(spec, scenario=loads(text, "stand.toml"), concept="subgame_perfect", options={}, case=Case())
    >>> found.record()["facts"]["share"], found.verdicts()[1]["verdict"]
    (0.501, 'refuted')
    """
    asker = Asker(scenario=scenario, questions=(spec.of,), concept=concept, options=options, case=case)
    factors = _factors(scenario, spec, case, "uniform")
    trials, count = _trials(scenario, spec, case, options, seed)
    found = explore(asker, trials, spec, whole=in_one(scenario, factors), progress=progress)
    return Ordering(
        spec=spec,
        scenario=scenario.title,
        concept=concept,
        words=asker.read[0].words,
        orders=tuple(_order_facts(factor.order) for factor in factors if factor.order),
        others=tuple(factor_facts(scenario, factor) for factor in factors if not factor.order),
        found=found,
        corner_count=count,
        seed=seed,
        solves=asker.solves,
    )


def _order_facts(order: Order) -> dict[str, Any]:
    """Describe an order as plain data."""
    known = exact(order.poset)
    return {
        "name": order.id,
        "note": order.note,
        "members": list(order.members),
        "above": [[order.members[better], order.members[worse]] for better, worse in order.above],
        "range": [order.low, order.high],
        "extensions": count_extensions(order.poset) if known else None,
        "exact": known,
    }


def explore(
    ask: Asks,
    trials: Sequence[Trial],
    spec: Spec,
    *,
    whole: bool = False,
    progress: Callable[[int], None] | None = None,
) -> dict[str, Found]:
    """Ask about all trials at once, and hold the answers against the level.

    Examples
    --------
    >>> class Known:
    ...     def all(self, columns, count=None):
    ...         return columns["a"][None]
    >>> trial = Trial(label="uniform", columns={"a": np.array([0.2, 0.7, 0.9])}, size=3.0)
    >>> explore(Known(), [trial], Spec(of="x", level=0.5))["uniform"].share.hits
    2
    """
    names = trials[0].names
    joined = Trial(
        label="", columns={name: np.concatenate([one.columns[name] for one in trials]) for name in names}, size=1.0
    )
    answers = answers_of(ask, joined, whole=whole, progress=progress)[0]
    holds, at = holds_at(answers, spec.level, spec.side)
    out: dict[str, Found] = {}
    start = 0
    for one in trials:
        part = slice(start, start + one.count)
        out[one.label] = Found(trial=one, answers=answers[part], holds=holds[part], at=at[part])
        start += one.count
    return out
