"""The inverse question: which smallest change of assumptions makes a named move the choice, or no longer the choice.

Changes count in units of the assumptions' ranges, from their base values, under a named norm. The search (:mod:`sim.analysis.nearest`) finds a change and
never proves that none is smaller. What it finds is solved afresh and certified: there it holds, a millionth nearer to the base it does not, and no change of
something discrete can be left out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from sim.analysis.asker import Asker
from sim.analysis.designs import Vary, varied
from sim.analysis.exploring import base_of, factors_of, told
from sim.analysis.factors import column
from sim.analysis.nearest import Box, Norm, Points, Single, distances, nearest, singles
from sim.analysis.robust import read_place
from sim.analysis.rules import SAME
from sim.analysis.sides import Asked
from sim.analysis.survey import GAME_KEYS
from sim.errors import NoAnswerError, OptionError, did_you_mean
from sim.scenario.values import assumption_values, structural

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sim.analysis.factors import Column, Factor
    from sim.analysis.nearest import Found
    from sim.analysis.survey import Case
    from sim.kinds import Floats, Ints
    from sim.scenario.model import Order, Scenario

__all__ = ["Inverse", "Spec", "find", "planned"]

MOST_GAMES = 12
"""Alternatives of what shapes the game, each a game of its own, that ``all`` tries."""
INSIDE = 1e-6
"""So much nearer to the base it must not hold."""
MOST_WHOLE = 64  # values of a whole number that are tried


class Spec(BaseModel):
    """What is asked of an inverse question.

    Examples
    --------
    >>> Spec(move="gambit", at="2016-10:russia").norm
    'l1'
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, validate_by_name=True, validate_by_alias=True)

    kind: Literal["inverse"] = "inverse"
    move: str = Field(description="a move or group that is to be the choice: worth at least as much as every other")
    at: str = Field(default="", description="DATE or DATE:PLAYER: the decision; by default the first of the game")
    concept: str = Field(default="", description="label of a concept of the experiment; its first by default")
    arm: str = Field(default="", description="name of an arm of the experiment")
    reverse: bool = Field(
        default=False, alias="not", description="instead: that it is no longer the choice, another being better"
    )
    strictly: bool = Field(default=False, description="better than every other, not as good")
    vary: Vary = Field(
        default="all",
        description="what may change: 'all', a list of names, or a table from names to ranges; members of orders one by one",
    )
    fixed: list[str] = Field(default_factory=list[str], description="what 'all' leaves out")
    norm: Norm = Field(
        default="l1", description="how changes are added: their sum, the root of their squares, or the greatest"
    )
    samples: int = Field(default=1024, ge=1, description="points drawn in the box, a power of 2")
    scan: int = Field(default=16, ge=2, description="into how many steps each range is cut where it changes alone")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Dimension:
    """A factor as a coordinate: continuous with its ends, or discrete with alternatives and their costs, the base first."""

    factor: Factor
    base: float | str
    low: float = 0.0
    high: float = 0.0
    values: tuple[Any, ...] = ()
    cost: tuple[float, ...] = ()

    def value(self, step: Floats) -> Floats:
        """Return values of a continuous one, at steps (n,)."""
        one, base = self.factor, float(self.base)
        found = base * (one.high / one.low) ** step if one.scale == "log" else base + step * (one.high - one.low)
        return np.where(step == 0, base, np.clip(found, one.low, one.high))


def _dimension(factor: Factor, base: float | str) -> _Dimension:
    """Make the coordinate of a factor."""
    if factor.choices or factor.scale == "integer":
        choices = factor.choices or _whole(factor)
        rest = [value for value in choices if value != base]
        if isinstance(base, str) or base not in choices:
            cost = [1.0 for _ in rest]
        else:
            order = sorted(float(value) for value in choices)
            cost = [abs(order.index(float(value)) - order.index(float(base))) / (len(order) - 1) for value in rest]
        return _Dimension(factor=factor, base=base, values=(base, *rest), cost=(0.0, *cost))
    at = float(base)
    if not factor.low <= at <= factor.high:
        raise OptionError(
            f"'{factor.name}' is {at:g} at base, outside {factor.low:g} to {factor.high:g}; changes are counted from base, so widen the range"
        )
    if factor.scale == "log":
        span = math.log(factor.high / factor.low)
        return _Dimension(
            factor=factor, base=at, low=math.log(factor.low / at) / span, high=math.log(factor.high / at) / span
        )
    span = factor.high - factor.low
    return _Dimension(factor=factor, base=at, low=(factor.low - at) / span, high=(factor.high - at) / span)


def _whole(factor: Factor) -> tuple[float, ...]:
    """List whole numbers."""
    if factor.high - factor.low >= MOST_WHOLE:
        raise OptionError(
            f"'{factor.name}' has {factor.high - factor.low + 1:,.0f} whole values; expected at most {MOST_WHOLE}"
        )
    return tuple(np.arange(factor.low, factor.high + 1).tolist())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Map:
    """Between points and assumptions."""

    dims: tuple[_Dimension, ...]
    shaping: frozenset[str]

    @property
    def continuous(self) -> list[_Dimension]:
        """Those with steps."""
        return [one for one in self.dims if not one.values]

    @property
    def discrete(self) -> list[_Dimension]:
        """Those with picks."""
        return [one for one in self.dims if one.values]

    @property
    def ordered(self) -> list[_Dimension]:
        """In the order of coordinates: steps, then picks."""
        return [*self.continuous, *self.discrete]

    def box(self) -> Box:
        """Return what may change."""
        return Box(
            low=np.array([one.low for one in self.continuous]),
            high=np.array([one.high for one in self.continuous]),
            cost=tuple(np.array(one.cost) for one in self.discrete),
            alone=np.array([one.factor.name in self.shaping for one in self.discrete], dtype=np.bool_),
        )

    def columns(self, steps: Floats, picks: Ints) -> dict[str, Column]:
        """Return the assumptions at points."""
        out: dict[str, Column] = {one.factor.name: one.value(steps[:, at]) for at, one in enumerate(self.continuous)}
        for at, one in enumerate(self.discrete):
            out[one.factor.name] = column(list(one.values), one.factor.name)[picks[:, at]]
        return out


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Inverse:
    """The smallest change found.

    Attributes
    ----------
    spec, seed, scenario, concept
        What was asked of what.
    words
        What is to hold.
    base
        The advantage of the move where nothing changes; NaN if unknown.
    holds
        Whether it holds there.
    map
        Between points and assumptions.
    alone
        What single assumptions do.
    found
        The nearest point; None if it holds nowhere that was asked.
    checked
        Of the fresh solve: advantages at the point and just inside, whether these and all other checks are as they must be.
    held
        What ``all`` leaves out since each value needs a game of its own, and those are too many.
    orders
        Names of orders that the changed values break.
    solves
        How many variants were solved.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.survey import Case
    >>> kept = dict(concept="subgame_perfect", options={}, case=Case())
    >>> found = find(Spec(move="push"), scenario=sim.load(sim.template()), **kept)
    >>> found.record()["facts"]["changed"]
    ['prize']
    """

    spec: Spec
    scenario: str
    concept: str
    words: str
    base: float
    holds: bool
    map: _Map
    alone: tuple[Single, ...]
    found: Found | None
    checked: Mapping[str, Any]
    held: tuple[str, ...]
    orders: tuple[str, ...]
    seed: int
    solves: int

    def record(self) -> dict[str, Any]:
        """Return all of it as plain data."""
        found = self.found
        return {
            "kind": "inverse",
            "scenario": self.scenario,
            "concept": self.concept,
            "move": self.spec.move,
            "at": self.spec.at,
            "not": self.spec.reverse,
            "strictly": self.spec.strictly,
            "words": self.words,
            "norm": self.spec.norm,
            "seed": self.seed,
            "base": {"advantage": told(self.base), "holds": self.holds},
            "found": self.holds or found is not None,
            "distance": 0.0 if self.holds else told(found.distance) if found else None,
            "changes": self.changes(),
            "verified": told(dict(self.checked)),
            "alone": [self._alone(one) for one in self.alone],
            "searched": {
                "assumptions": [one.factor.name for one in self.map.dims],
                "scan": self.spec.scan,
                "samples": self.spec.samples,
                "drawn": found.drawn if found else self.spec.samples,
                "holding": found.holding if found else 0,
                "rounds": found.rounds if found else 0,
                "left_out": list(self.held),
            },
            "orders_broken": list(self.orders),
            "facts": self.facts(),
            "solves": self.solves,
        }

    def changes(self) -> list[dict[str, Any]]:
        """Return what changes, the most in units of its range first."""
        if self.found is None:
            return []
        steps, picks = self.found.steps[None], self.found.picks[None]
        values = self.map.columns(steps, picks)
        spent = self.map.box().spent(steps, picks)[0].tolist()
        out = [
            {"name": one.factor.name, "from": one.base, "to": told(values[one.factor.name][0]), "units": units}
            for one, units in zip(self.map.ordered, spent, strict=True)
            if units > 0
        ]
        return sorted(out, key=lambda one: (-one["units"], one["name"]))

    def _alone(self, single: Single) -> dict[str, Any]:
        """Say what one assumption does alone."""
        one = self.map.ordered[single.coordinate]
        if one.values:
            crossings: list[list[float]] = []
            value = one.values[int(single.step)]
        else:
            crossings = [one.value(np.array(pair)).tolist() for pair in single.crossings]
            value = float(one.value(np.array([single.step]))[0])
        return {
            "name": one.factor.name,
            "from": one.base,
            "to": told(value),
            "units": single.distance,
            "crossings": crossings,
        }

    def facts(self) -> dict[str, Any]:
        """Return what sentences are made of."""
        changes = self.changes()
        first = self._alone(self.alone[0]) if self.alone else None
        return {
            "found": self.holds or self.found is not None,
            "holds_at_base": self.holds,
            "base_advantage": told(self.base),
            "distance": 0.0 if self.holds else told(self.found.distance) if self.found else None,
            "norm": self.spec.norm,
            "changes": len(changes),
            "changed": [one["name"] for one in changes],
            "largest": changes[0]["name"] if changes else None,
            **{f"to_{one['name']}": one["to"] for one in changes},
            **{f"units_{one['name']}": one["units"] for one in changes},
            "verified": bool(self.checked.get("verified", False)),
            "alone": len(self.alone),
            "alone_names": [self.map.ordered[one.coordinate].factor.name for one in self.alone],
            "single": first["name"] if first else None,
            "single_to": first["to"] if first else None,
            "single_distance": first["units"] if first else None,
            "orders_broken": len(self.orders),
            "solves": self.solves,
        }


# -- finding ------------------------------------------------------------------------------------------------------------------------------


def _what_varies(spec: Spec, scenario: Scenario, case: Case) -> tuple[dict[str, Any], tuple[str, ...]]:
    """List what may change, members of orders one by one; and what is left out because it needs too many games."""
    shaping = {*structural(scenario), *GAME_KEYS}
    orders = {one.id: one.members for one in scenario.orders}
    asked = varied(scenario, spec.vary)
    table: dict[str, Any] = {}
    for name, given in asked.items():
        for member in orders.get(name, (name,)):
            if member in table:
                raise OptionError(
                    f"'{member}' is varied twice: it is a member of an order too; expected each name once"
                )
            table[member] = None if name in orders else given
    if spec.vary != "all":
        if spec.fixed:
            raise OptionError("fixed leaves out of vary = 'all', and vary names what varies; leave one of them out")
        return table, ()
    known = {*table, *orders}
    for name in spec.fixed:
        if name not in known:
            raise OptionError(f"'{name}' is to stay fixed, and is nothing that varies; {did_you_mean(name, known)}")
    still = {one for name in spec.fixed for one in orders.get(name, (name,))}
    kept: dict[str, Any] = {}
    held: list[str] = []
    games = 0
    for name, given in table.items():
        one = scenario.assumptions[name]
        ranged = one.choices or (one.range and one.range[0] < one.range[1])
        if name in case.set or name in still or one.value.reads or not ranged:
            continue
        more = len(one.choices) - 1 if one.choices else MOST_GAMES + 1
        if name in shaping and games + more > MOST_GAMES:
            held.append(name)
            continue
        games += more if name in shaping else 0
        kept[name] = given
    return kept, tuple(held)


def planned(spec: Spec, *, scenario: Scenario, case: Case) -> int:
    """Say how many variants are solved before anything is refined.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.survey import Case
    >>> planned(Spec(move="push", samples=64), scenario=sim.load(sim.template()), case=Case())
    100
    """
    names, _ = _what_varies(spec, scenario, case)
    return spec.samples + (spec.scan + 2) * len(names)


def find(
    spec: Spec, *, scenario: Scenario, concept: str, options: Mapping[str, Any], case: Case, seed: int = 0,
    progress: Callable[[int], None] | None = None,
) -> Inverse:  # fmt: skip
    """Find the smallest change.

    Parameters
    ----------
    spec
        What is asked.
    scenario, concept, options, case
        Of what.
    seed
        Of what is drawn.
    progress
        Called with the number of variants just solved.

    Raises
    ------
    OptionError
        For unknown names, and a base outside the range that is to be searched.
    NoAnswerError
        If the move is not available at base, or nothing is certified there.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.survey import Case
    >>> kept = dict(concept="subgame_perfect", options={}, case=Case())
    >>> spec = Spec(move="push", vary=["cost_of_war"], samples=64)
    >>> found = find(spec, scenario=sim.load(sim.template()), **kept)
    >>> round(found.record()["changes"][0]["to"], 5), found.checked["verified"]
    (0.0, True)
    """
    if spec.samples & (spec.samples - 1):
        raise OptionError(f"an inverse question draws {spec.samples:,} samples; expected a power of 2, such as 1024")
    if spec.reverse and spec.strictly:
        raise OptionError(
            "a move that is no longer the choice is worse than another, so that strictly says nothing; leave it out"
        )
    date, player = read_place(spec.at)
    where = f" @ {date}{f':{player}' if player else ''}" if spec.at else ""
    question = f"advantage({spec.move}{where})"
    owner = player or _owner(scenario, spec.move)
    questions = (question, f"range_{owner}")
    table, held = _what_varies(spec, scenario, case)
    factors = factors_of(scenario, case, table)
    known = _map(scenario, case, factors, options)
    asker = Asker(scenario=scenario, questions=questions, concept=concept, options=options, case=case)
    asked = Asked(ask=asker, tell=progress)
    at_base = _margins(spec, asker.all({}, 1))
    base = float(at_base[0][0])
    if math.isnan(base):
        raise NoAnswerError(
            f"{spec.move} has no advantage at base: it is not available{where.replace('@', 'at')}, or {concept} has no certified answer there"
        )

    def margin(steps: Floats, picks: Ints) -> Floats:
        return _margins(spec, asked(known.columns(steps, picks)))[1] if len(steps) else np.zeros(0)

    holds = bool(at_base[1][0] > 0)
    alone: tuple[Single, ...] = ()
    found: Found | None = None
    checked: dict[str, Any] = {}
    solves = 0
    if not holds:
        box = known.box()
        alone = singles(margin, box, spec.scan)
        found = nearest(margin, box, spec.norm, alone, samples=spec.samples, seed=seed)
        if found is not None:
            fresh = Asker(scenario=scenario, questions=questions, concept=concept, options=options, case=case)
            checked = _checked(spec, fresh, known, found)
            alone = _nearer(alone, box, found)
            solves = fresh.solves
    return Inverse(
        spec=spec, scenario=scenario.title, concept=concept, words=_words(spec), base=base, holds=holds, map=known, alone=alone,
        found=found, checked=checked, held=held, orders=_broken(scenario, case, known, found), seed=seed, solves=asker.solves + solves,
    )  # fmt: skip


def _nearer(alone: tuple[Single, ...], box: Box, found: Found) -> tuple[Single, ...]:
    """Let what was found say of one assumption alone what its scan missed."""
    spent = box.spent(found.steps[None], found.picks[None])[0]
    moved = np.flatnonzero(spent)
    if len(moved) != 1 or moved[0] >= len(found.steps):
        return alone
    at = int(moved[0])
    known = next((one for one in alone if one.coordinate == at), None)
    if known is not None and known.distance <= found.distance:
        return alone
    step = float(found.steps[at])
    new = Single(
        coordinate=at, step=step, distance=found.distance, crossings=known.crossings if known else ((step, step),)
    )
    return tuple(
        sorted([new, *(one for one in alone if one is not known)], key=lambda one: (one.distance, one.coordinate))
    )


def _owner(scenario: Scenario, move: str) -> str:
    """Return who makes a move."""
    found = [one.players for one in scenario.actions if move in (one.move, one.group)]
    return found[0][0] if found else scenario.player_ids[0]


def _words(spec: Spec) -> str:
    """Say what is to hold."""
    what = "no longer the choice" if spec.reverse else "strictly the choice" if spec.strictly else "the choice"
    return f"{spec.move.replace('_', ' ')} is {what}"


def _margins(spec: Spec, answers: Floats) -> tuple[Floats, Floats]:
    """Return advantages, and by how much it holds: above 0 where it does. A tie is a choice, unless it is to be strictly one."""
    advantage, tie = answers[0], SAME * answers[1]
    if spec.reverse:
        return advantage, -advantage - tie
    return advantage, advantage - tie if spec.strictly else advantage + tie


def _map(scenario: Scenario, case: Case, factors: Sequence[Factor], options: Mapping[str, Any]) -> _Map:
    """Make coordinates of factors."""
    base = base_of(scenario, case, factors, options)
    shaping = frozenset({*structural(scenario), *GAME_KEYS})
    dims = tuple(_dimension(one, base[one.name]) for one in factors)
    for one in dims:
        if not one.values and one.factor.name in shaping:
            message = f"'{one.factor.name}' shapes the game, so that every value needs a game of its own"
            raise OptionError(f"{message}; write {one.factor.name} = [a few values] in a list of choices")
    return _Map(dims=dims, shaping=shaping)


def _checked(spec: Spec, fresh: Asker, known: _Map, found: Found) -> dict[str, Any]:
    """Solve the point afresh, and what lies just inside it: a millionth nearer, and without each of its discrete changes."""
    moved = np.flatnonzero(found.picks).tolist()
    steps = np.repeat(found.steps[None], 2 + len(moved), axis=0)
    picks = np.repeat(found.picks[None], 2 + len(moved), axis=0)
    steps[1] *= 1 - INSIDE
    for row, j in enumerate(moved, 2):
        picks[row, j] = 0
    advantage, margin = _margins(spec, fresh.all(known.columns(steps, picks), len(steps)))
    continuous = bool(found.steps.any())
    at, inside = bool(margin[0] > 0), bool(continuous and margin[1] > 0)
    needed = not (margin[2:] > 0).any()
    answered = bool(np.isfinite(margin[2:]).all() and (not continuous or np.isfinite(margin[1])))
    again = float(distances(known.box(), Points(steps=steps[:1], picks=picks[:1]), spec.norm)[0])
    return {
        "advantage": float(advantage[0]),
        "advantage_inside": float(advantage[1]) if continuous and np.isfinite(advantage[1]) else None,
        "holds": at,
        "holds_inside": inside,
        "needs_each_choice": needed,
        "answered": answered,
        "verified": at and not inside and needed and answered and abs(again - found.distance) <= SAME,
    }


def _broken(scenario: Scenario, case: Case, known: _Map, found: Found | None) -> tuple[str, ...]:
    """Name the orders that hold at base and that the changed values break."""
    if found is None:
        return ()
    base = assumption_values(scenario, case.set)
    before = {name: float(values[0]) for name, values in base.items()}
    now = {name: one[0] for name, one in known.columns(found.steps[None], found.picks[None]).items()}
    after = {**before, **now}

    def kept(values: Mapping[str, Any], order: Order) -> bool:
        return all(values[order.members[a]] > values[order.members[b]] for a, b in order.above)

    return tuple(one.id for one in scenario.orders if kept(before, one) and not kept(after, one))
