"""What varies when a player chooses without knowing: neither his own preferences nor the state; and over which variants."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from sim.analysis.designs import read_design, varied
from sim.analysis.exploring import factors_of
from sim.analysis.factors import Factor
from sim.analysis.grids import Grid, Product, Rows
from sim.analysis.sampled import Sampled
from sim.errors import OptionError
from sim.scenario.values import structural

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sim.analysis.factors import Column
    from sim.analysis.grids import Design
    from sim.analysis.survey import Case
    from sim.numerics.orders import Measure
    from sim.scenario.model import Scenario

__all__ = ["Variants", "Varied", "extremes", "free_factors", "own_assumptions", "variants_of"]

MOST_CORNERS = 4096


class Varied(Protocol):
    """What a specification says of that, as :class:`sim.analysis.robust.Spec` does.

    Examples
    --------
    >>> from sim.analysis.robust import Spec
    >>> spec: Varied = Spec(samples=8)
    """

    @property
    def vary(self) -> Any:
        """As in a design."""
        ...

    @property
    def fixed(self) -> Sequence[str]:
        """What ``all`` leaves out."""
        ...

    @property
    def rows(self) -> Sequence[Mapping[str, Any]]:
        """Listed variants."""
        ...

    @property
    def samples(self) -> int:
        """How many are drawn."""
        ...

    @property
    def corners(self) -> bool:
        """Whether extremes are added."""
        ...

    @property
    def measure(self) -> Measure:
        """Of orders."""
        ...


def own_assumptions(scenario: Scenario, player: str) -> tuple[str, ...]:
    """Name the assumptions that a player's own payoffs read: what he is paid each round, at the end and for moves, how he discounts and weighs chance.

    What these are computed from counts too, and what others' payoffs or chance read as well.

    Examples
    --------
    >>> import sim
    >>> own_assumptions(sim.load(sim.template()), "challenger")
    ('prize', 'cost_of_war')
    """
    one = next(each for each in scenario.players if each.id == player)
    cases = [case for cases in scenario.chance.values() for case in cases]
    paying = [*scenario.actions, *(branch for holder in (*scenario.actions, *cases) for branch in holder.branches)]
    read = [*one.terms.values(), one.final, one.discount, *one.order, *one.prospect.values()]
    read += [holder.pays[player] for holder in paying if player in holder.pays]
    numbers = {private.id: private for private in scenario.privates if private.labels is None}
    found: set[str] = set()
    stack = [name for expression in read for name in expression.reads]
    while stack:
        name = stack.pop()
        if name in numbers:  # what one knows of one's own payoffs privately: how it is spread is one's own too
            stack += [one for parameter in numbers.pop(name).parameters for one in parameter.reads]
        if name in scenario.assumptions and name not in found:
            found.add(name)
            stack += scenario.assumptions[name].value.reads
    return tuple(name for name in scenario.assumptions if name in found)


def free_factors(
    spec: Varied, scenario: Scenario, case: Case, player: str
) -> tuple[tuple[Factor, ...], dict[str, tuple[str, ...]]]:
    """Return what varies, and what ``all`` leaves out and why: ``own``, ``shaping`` or ``fixed``.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.robust import Spec
    >>> from sim.analysis.survey import Case
    >>> free_factors(Spec(), sim.load("scenarios/brinkmanship.toml"), Case(), "challenger")[1]["own"]
    ('challenger_prize', 'disaster_cost', 'audience_cost', 'tension_cost')
    """
    unknown = [name for name in spec.fixed if name not in {*scenario.assumptions, *(one.id for one in scenario.orders)}]
    if unknown:
        raise OptionError(f"'{unknown[0]}' is to stay fixed, and is neither an assumption nor an order")
    if spec.vary != "all":
        if spec.fixed:
            raise OptionError("fixed leaves out of vary = 'all', and vary names what varies; leave one of them out")
        return factors_of(scenario, case, spec.vary, spec.measure), {"own": (), "shaping": (), "fixed": ()}
    own, shaping = set(own_assumptions(scenario, player)), structural(scenario)
    held: dict[str, list[str]] = {"own": [], "shaping": [], "fixed": []}
    kept: list[str] = []
    orders = {one.id: one.members for one in scenario.orders}
    for name in varied(scenario, "all"):
        members = orders.get(name, (name,))
        if any(one in case.set for one in members):
            continue
        why = "own" if own & set(members) else "shaping" if shaping & set(members) else ""
        why = "fixed" if {name, *members} & set(spec.fixed) else why
        (held[why] if why else kept).append(name)
    if not kept:
        raise OptionError(
            f"nothing varies: everything that could is read by {player}'s own payoffs or shapes the game; name what varies with vary"
        )
    return factors_of(scenario, case, kept, spec.measure), {why: tuple(names) for why, names in held.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Variants:
    """Variants to compare.

    Attributes
    ----------
    design
        Their rows.
    counted
        How many of the first rows are evenly drawn, and count for shares.
    corners
        How many of the others are extreme.
    complete
        Whether these are all the variants that are meant.
    all_corners
        Whether every combination of ends is among them.

    Examples
    --------
    >>> design = Rows(table=[{"a": 1}, {"a": 2}])
    >>> Variants(design=design, counted=2, corners=0, complete=True, all_corners=False).design.count
    2
    """

    design: Design
    counted: int
    corners: int
    complete: bool
    all_corners: bool


def extremes(factors: tuple[Factor, ...], most: int = MOST_CORNERS) -> Design | None:
    """Return all combinations of ends, or of choices; nothing if they are too many.

    Examples
    --------
    >>> found = extremes((Factor(name="a"), Factor(name="b", choices=("x", "y", "z"))))
    >>> found.count if found else None
    6
    """
    ends = [[values for _, values in factor.ends()] for factor in factors]
    if math.prod(map(len, ends)) > most:
        return None
    return Product(designs=tuple(Rows(table=one) for one in ends)) if len(ends) > 1 else Rows(table=ends[0])


def variants_of(spec: Varied, scenario: Scenario, factors: tuple[Factor, ...], seed: int) -> Variants:
    """Choose the variants: listed, all combinations of choices, or drawn ones with extremes.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.robust import Spec
    >>> variants_of(Spec(samples=8), sim.load(sim.template()), (Factor(name="prize"),), 0).design.count
    10
    """
    if spec.rows:
        listed = read_design(scenario, {"kind": "list", "rows": spec.rows})
        return Variants(design=listed, counted=listed.count, corners=0, complete=True, all_corners=False)
    if all(one.choices for one in factors) and math.prod(len(one.choices) for one in factors) <= MOST_CORNERS:
        grid = Grid(axes={one.name: one.choices for one in factors})
        return Variants(design=grid, counted=grid.count, corners=0, complete=True, all_corners=True)
    drawn = Sampled(factors=factors, kind="sobol", samples=spec.samples, seed=seed)
    if not spec.corners:
        return Variants(design=drawn, counted=drawn.count, corners=0, complete=False, all_corners=False)
    extreme = extremes(factors)
    if extreme is not None:
        return Variants(
            design=_After(drawn, extreme), counted=drawn.count, corners=extreme.count, complete=False, all_corners=True
        )
    child = int(np.random.SeedSequence(seed, spawn_key=(1,)).generate_state(1)[0])
    ends = tuple(
        one if one.choices or one.order else Factor(name=one.name, choices=(one.low, one.high)) for one in factors
    )
    some = Sampled(factors=ends, kind="sobol", samples=spec.samples, seed=child)
    return Variants(
        design=_After(drawn, some), counted=drawn.count, corners=some.count, complete=False, all_corners=False
    )


class _After:
    """One design after another."""

    def __init__(self, first: Design, second: Design) -> None:
        self.first, self.second = first, second

    @property
    def names(self) -> tuple[str, ...]:
        """The columns."""
        return self.first.names

    @property
    def count(self) -> int:
        """How many rows there are."""
        return self.first.count + self.second.count

    def rows(self, start: int, stop: int) -> dict[str, Column]:
        """Return rows as columns."""
        cut = self.first.count
        a = self.first.rows(min(start, cut), min(stop, cut))
        b = self.second.rows(max(start - cut, 0), max(stop - cut, 0))
        return {name: np.concatenate([a[name], b[name]]) for name in self.names}
