"""What a design varies: one assumption, or one order of several, as a map from the unit cube to values.

Every factor takes a few coordinates of the unit cube, most of them one. A uniform point of the cube gives a value drawn by the factor's
measure, so random, Latin hypercube, Sobol, Saltelli and Morris designs differ in their points alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from sim.errors import OptionError, did_you_mean
from sim.numerics.orders import cardinalise, draw, exact, width
from sim.scenario.values import assumption_values

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sim.kinds import Floats
    from sim.numerics.orders import Measure
    from sim.scenario.model import Assumption, Order, Scenario

__all__ = ["Column", "Factor", "Scale", "column", "factor_of"]

Column = NDArray[Any]
"""Values of one name, one a row: float64, or objects that are texts."""

Scale = Literal["linear", "log", "integer"]
SCALES = ("linear", "log", "integer")
SPAN_KEYS = ("from", "to", "scale")
ENDS = 2


def column(values: Sequence[Any], name: str = "a value") -> Column:
    """Make a column of numbers, or of labels.

    Raises
    ------
    OptionError
        For a mixture, and for what is neither a finite number nor a text.

    Examples
    --------
    >>> column([1, 2.5]), column(["hawk", "dove"])
    (array([1. , 2.5]), array(['hawk', 'dove'], dtype=object))
    """
    if values and all(isinstance(value, str) for value in values):
        out = np.empty(len(values), dtype=object)
        out[:] = values
        return out
    if all(isinstance(value, (int, float, np.integer, np.floating)) and math.isfinite(value) for value in values):
        return np.array([float(value) for value in values], dtype=np.float64)
    message = f"values of {name} are {list(values)!r:.80}; expected all finite numbers, or all labels"
    raise OptionError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """One thing that a design varies.

    Attributes
    ----------
    name
        An assumption, an order, or a dimension that the caller knows.
    low, high, scale
        A range: ``linear``, ``log`` (evenly by ratio) or ``integer`` (whole numbers, equally likely).
    choices
        Instead: numbers or labels, equally likely.
    order, measure
        Instead: an order, one column for each of its members, and the measure of its cardinalisations.

    Examples
    --------
    >>> Factor(name="cost", low=1, high=100, scale="log").values(np.array([[0.0], [0.5], [1.0]]))["cost"].tolist()
    [1.0, 10.0, 100.0]
    """

    name: str
    low: float = 0.0
    high: float = 1.0
    scale: Scale = "linear"
    choices: tuple[float | str, ...] = ()
    order: Order | None = None
    measure: Measure = "uniform"

    def __post_init__(self) -> None:
        """Check the range."""
        if self.choices or self.order:
            return
        shown = f"range of {self.name} is [{self.low:g}, {self.high:g}]"
        if self.scale not in SCALES:
            raise OptionError(f"scale of {self.name} is '{self.scale}'; {did_you_mean(self.scale, SCALES)}")
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise OptionError(f"{shown}; expected two finite numbers, the lower first")
        if self.scale == "log" and self.low <= 0:
            raise OptionError(f"{shown} on a log scale; expected positive numbers, or scale = 'linear'")
        if self.scale == "integer" and not (float(self.low).is_integer() and float(self.high).is_integer()):
            raise OptionError(f"{shown} on an integer scale; expected whole numbers")

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its columns."""
        return self.order.members if self.order else (self.name,)

    @property
    def exact(self) -> bool:
        """Whether it is a map from the unit cube; an order with very many down-sets is not, and is drawn by hit-and-run."""
        return self.order is None or exact(self.order.poset)

    @property
    def width(self) -> int:
        """How many coordinates of the unit cube it takes, at least one."""
        return max(1, width(self.order.poset, self.measure)) if self.order else 1

    def values(self, unit: Floats) -> dict[str, Column]:
        """Map points of the unit cube, shape (v, :attr:`width`), to a column for each name."""
        if self.order:
            points = unit[:, : width(self.order.poset, self.measure)]
            return self._scaled(cardinalise(self.order.poset, points, self.measure))
        point = np.clip(unit[:, 0], 0.0, 1.0)
        if self.choices:
            place = np.minimum((point * len(self.choices)).astype(np.int64), len(self.choices) - 1)
            return {self.name: column(self.choices, self.name)[place]}
        if self.scale == "integer":
            found = self.low + np.floor(point * (self.high - self.low + 1))
        elif self.scale == "log":
            found = self.low * (self.high / self.low) ** point
        else:
            found = self.low + point * (self.high - self.low)
        return {self.name: np.clip(found, self.low, self.high)}

    def drawn(self, count: int, rng: np.random.Generator) -> tuple[dict[str, Column], float]:
        """Draw values at random; return also to how many independent draws they amount."""
        if self.order is None:
            return self.values(rng.random((count, 1))), float(count)
        values, size = draw(self.order.poset, count, rng, self.measure)
        return self._scaled(values), size

    def _scaled(self, values: Floats) -> dict[str, Column]:
        """Take numbers from 0 to 1 to the range of the order; the best is worth its end exactly."""
        order = self.order
        if order is None:
            return {}
        out = np.where(values >= 1.0, order.high, np.minimum(order.low + (order.high - order.low) * values, order.high))
        return {name: np.ascontiguousarray(out[:, place]) for place, name in enumerate(order.members)}

    def ends(self) -> list[tuple[str, dict[str, float | str]]]:
        """Return the extremes, each with its name: ``low`` and ``high``, or all choices.

        Of an order: all members between worst and best close to the worst, then close to the best.
        """
        if self.choices:
            return [(str(choice), {self.name: choice}) for choice in self.choices]
        if self.order is None:
            return [("low", {self.name: self.low}), ("high", {self.name: self.high})]
        uniform = Factor(name=self.name, order=self.order)
        points = np.repeat([[0.0], [1.0]], uniform.width, axis=1)
        found = uniform.values(points)
        return [
            (word, {name: float(values[row]) for name, values in found.items()})
            for row, word in enumerate(("low", "high"))
        ]


def factor_of(
    scenario: Scenario,
    name: str,
    spec: Any = None,
    *,
    measure: Measure = "uniform",
    others: Collection[str] = (),
) -> Factor:
    """Make the factor of an assumption or of an order.

    Parameters
    ----------
    scenario
        A loaded scenario.
    name
        An assumption or an order.
    spec
        Nothing: the assumption's own range or choices. ``[low, high]``: a range. ``{from = …, to = …, scale = …}``: a range with a
        scale. Any other list, and every list for an assumption with choices: values, equally likely; ``{choices = […]}`` says so for
        two numbers too. Of an order: nothing, or ``{measure = "dirichlet"}``.
    measure
        The measure of an order that does not say another.
    others
        Further names that may be varied, with values of their own.

    Raises
    ------
    OptionError
        For unknown names, values that the assumption does not allow, and an assumption with neither range nor choices.

    Examples
    --------
    >>> import sim
    >>> scenario = sim.load(sim.template())
    >>> factor_of(scenario, "prize").high, factor_of(scenario, "prize", [1, 4]).low
    (10.0, 1.0)
    """
    orders = {order.id: order for order in scenario.orders}
    if name in orders:
        return _of_order(orders[name], spec, measure)
    known = [*scenario.assumptions, *orders, *others]
    if name not in known:
        raise OptionError(
            f"'{name}' cannot be varied: it is neither an assumption nor an order; {did_you_mean(name, known)}"
        )
    assumption = scenario.assumptions.get(name)
    factor = _own(name, assumption) if spec is None else _given(name, assumption, spec)
    if assumption:
        tried = list(factor.choices) or [factor.low, factor.high]
        if assumption.choices and not factor.choices:
            raise OptionError(
                f"'{name}' has choices, and a range is asked for; expected a list of choices, or nothing for all"
            )
        assumption_values(scenario, {name: column(tried, name)})
    return factor


def _of_order(order: Order, spec: Any, measure: Measure) -> Factor:
    """Make the factor of an order."""
    table: Mapping[str, Any] | None = spec if isinstance(spec, dict) else None
    if spec is not None and (table is None or set(table) - {"measure"}):
        message = (
            f"order {order.id} is varied by {spec!r:.60}; expected nothing, or {{ measure = 'uniform' or 'dirichlet' }}"
        )
        raise OptionError(f"{message}; its range stands in the scenario")
    asked = (table or {}).get("measure", measure)
    if asked not in ("uniform", "dirichlet"):
        raise OptionError(f"measure of order {order.id} is {asked!r:.40}; expected uniform or dirichlet")
    return Factor(name=order.id, low=order.low, high=order.high, order=order, measure=asked)


def _own(name: str, assumption: Assumption | None) -> Factor:
    """Make the factor of an assumption's own range or choices."""
    if assumption and assumption.choices:
        return Factor(name=name, choices=assumption.labels.values if assumption.labels else assumption.choices)
    if assumption and assumption.range and assumption.range[0] < assumption.range[1]:
        return Factor(name=name, low=assumption.range[0], high=assumption.range[1])
    message = f"'{name}' has no range and no choices to vary it over; expected values"
    raise OptionError(
        f"{message}; write {name} = [low, high], a list of values, or range = [low, high] in the scenario"
    )


def _given(name: str, assumption: Assumption | None, spec: Any) -> Factor:
    """Make the factor of an explicit range or list."""
    if isinstance(spec, dict):
        table: dict[str, Any] = spec
        if set(table) == {"choices"} and isinstance(table["choices"], (list, tuple)):
            return _listed(name, table["choices"])
        if not set(table) <= set(SPAN_KEYS) or not {"from", "to"} <= set(table):
            message = (
                f"'{name}' is varied by {spec!r:.80}; expected {{ from = …, to = …, scale = … }} or {{ choices = […] }}"
            )
            raise OptionError(message)
        low, high = (float(end) for end in column([table["from"], table["to"]], name))
        return Factor(name=name, low=low, high=high, scale=table.get("scale", "linear"))
    if not isinstance(spec, (list, tuple)):
        raise OptionError(
            f"'{name}' is varied by {spec!r:.60}; expected [low, high], a list of values, or a table with from and to"
        )
    values: list[Any] = list(spec)
    if len(values) == ENDS and not (assumption and assumption.choices) and not isinstance(values[0], str):
        low, high = (float(end) for end in column(values, name))
        return Factor(name=name, low=low, high=high)
    return _listed(name, values)


def _listed(name: str, values: Sequence[Any]) -> Factor:
    """Make the factor of a list of values."""
    if not values:
        raise OptionError(f"'{name}' is varied over an empty list; expected at least one value")
    found = column(list(values), name)
    return Factor(name=name, choices=tuple(found.tolist()))
