"""Designs as an experiment file states them: ``[[designs]]`` tables, read into objects that give rows.

What a design is, and the kinds of it: :mod:`sim.analysis.grids` (listed or counted), :mod:`sim.analysis.sampled` (points of the unit cube);
what a design varies: :mod:`sim.analysis.factors`. All of them can be had from here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema

from sim.analysis.factors import Column, Factor, column, factor_of
from sim.analysis.grids import Design, Grid, OneAtATime, Product, Rows
from sim.analysis.sampled import Morris, Saltelli, Sampled
from sim.errors import OptionError, did_you_mean
from sim.scenario.load import schema_problems
from sim.scenario.values import assumption_values, show_assumption

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sim.scenario.model import Scenario

__all__ = [
    "Column",
    "Design",
    "DesignSpec",
    "Factor",
    "Grid",
    "Morris",
    "OneAtATime",
    "Product",
    "Rows",
    "Saltelli",
    "Sampled",
    "factor_of",
    "read_design",
    "read_designs",
    "varied",
]

Kind = Literal["grid", "list", "random", "latin_hypercube", "sobol", "saltelli", "morris", "one_at_a_time"]
TAKES: dict[str, frozenset[str]] = {
    "grid": frozenset({"vary", "samples"}),
    "list": frozenset({"rows"}),
    "random": frozenset({"vary", "samples", "measure"}),
    "latin_hypercube": frozenset({"vary", "samples", "measure"}),
    "sobol": frozenset({"vary", "samples", "measure"}),
    "saltelli": frozenset({"vary", "samples", "measure", "second_order"}),
    "morris": frozenset({"vary", "trajectories", "levels", "measure"}),
    "one_at_a_time": frozenset({"vary"}),
}
"""The keys of each kind."""

AXIS_KEYS = ("from", "to", "count", "scale")


def _vary(value: object) -> object:
    words: Any = value if isinstance(value, (list, dict)) else [None]
    if value == "all" or all(isinstance(word, str) for word in words):
        return value
    message = "'all', a list of names, or a table from names to ranges"
    raise ValueError(message)


Vary = Annotated[
    Any,
    BeforeValidator(_vary),
    WithJsonSchema({"type": ["string", "array", "object"], "items": {"type": "string"}}),
]


class DesignSpec(BaseModel):
    """A ``[[designs]]`` table of an experiment file.

    Attributes
    ----------
    kind
        Which design.
    samples
        Rows of a sampled design, base points of ``saltelli``, values of each axis of a ``grid`` that lists none.
    vary
        ``"all"``: every assumption with a range or choices that stands in no order and is not computed from others, and every order;
        a list of names; or a table from names to ranges or values, see :func:`sim.analysis.factors.factor_of`. In a grid a list is a
        list of values, and ``{from, to, count, scale}`` evenly spaced ones.
    rows
        Of a ``list``: what each row sets; what it leaves out keeps its base value.
    second_order
        Of ``saltelli``: rows for second-order indices too.
    levels, trajectories
        Of ``morris``.
    measure
        Of orders: ``uniform`` or ``dirichlet``.

    Examples
    --------
    >>> DesignSpec(kind="sobol", samples=1024).vary
    'all'
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    kind: Kind
    samples: int | None = Field(default=None, ge=1)
    vary: Vary = "all"
    rows: list[dict[str, Any]] = Field(default_factory=list[dict[str, Any]])
    second_order: bool = True
    levels: int = Field(default=4, ge=2)
    trajectories: int | None = Field(default=None, ge=1)
    measure: Literal["uniform", "dirichlet"] = "uniform"


def _spec(table: Mapping[str, Any] | DesignSpec) -> DesignSpec:
    """Check the shape of a table, and that its keys belong to its kind."""
    if isinstance(table, DesignSpec):
        spec = table
    else:
        try:
            spec = DesignSpec.model_validate(dict(table))
        except ValidationError as error:
            found = [str(problem) for problem in schema_problems(error.errors(include_url=False), DesignSpec, {}, "")]
            lines = [f"design: {text.removeprefix('the file ')}" for text in dict.fromkeys(found)]
            raise OptionError("\n".join(lines)) from None
    for key in sorted(spec.model_fields_set - {"kind"} - TAKES[spec.kind]):
        fitting = " or ".join(kind for kind, keys in TAKES.items() if key in keys)
        message = f"design: '{key}' does not fit kind = '{spec.kind}'; expected {', '.join(sorted(TAKES[spec.kind]))}"
        raise OptionError(f"{message}; it belongs to {fitting}")
    return spec


def varied(scenario: Scenario, vary: str | Sequence[str] | Mapping[str, Any] = "all") -> dict[str, Any]:
    """List what a design varies, each with its own range or values (None: those of the scenario).

    Parameters
    ----------
    scenario
        A loaded scenario.
    vary
        ``"all"``, names, or a table from names to ranges.

    Examples
    --------
    >>> import sim
    >>> varied(sim.load(sim.template()))
    {'prize': None, 'cost_of_war': None}
    """
    if isinstance(vary, str) and vary == "all":
        ordered = {name for order in scenario.orders for name in order.members}
        free = [
            one.id
            for one in scenario.assumptions.values()
            if one.id not in ordered
            and not one.value.reads
            and (one.choices or (one.range and one.range[0] < one.range[1]))
        ]
        return dict.fromkeys([*free, *(order.id for order in scenario.orders)])
    if isinstance(vary, str):
        raise OptionError(f"a design varies '{vary}'; expected 'all', a list of names, or a table from names to ranges")
    if not vary:
        raise OptionError("a design varies nothing; expected at least one name")
    names = list(vary)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise OptionError(f"'{twice[0]}' is varied twice in one design; expected each name once")
    return dict(vary) if isinstance(vary, dict) else dict.fromkeys(names)


def _axis(scenario: Scenario, name: str, spec: Any, count: int | None, others: Collection[str]) -> list[Any]:
    """Return the values of one axis of a grid."""
    if name in {order.id for order in scenario.orders}:
        raise OptionError(
            f"order {name} has no list of values for a grid; use kind = 'sobol' or 'random', or vary its members"
        )
    known = [*scenario.assumptions, *others]
    if name not in known:
        raise OptionError(f"'{name}' cannot be varied: it is not an assumption; {did_you_mean(name, known)}")
    if isinstance(spec, (list, tuple)):
        values: list[Any] = list(spec)
        if not values:
            raise OptionError(f"'{name}' is varied over an empty list; expected at least one value")
    elif isinstance(spec, dict) and set(spec) != {"choices"}:
        table: dict[str, Any] = spec
        if set(table) - set(AXIS_KEYS):
            raise OptionError(
                f"'{name}' is varied by {table!r:.80}; expected {{ from = …, to = …, count = …, scale = … }}"
            )
        span = {key: value for key, value in table.items() if key != "count"}
        values = _spaced(factor_of(scenario, name, span, others=others), table.get("count", count))
    else:
        factor = factor_of(scenario, name, spec, others=others)
        values = list(factor.choices) or _spaced(factor, count)
    if name in scenario.assumptions:
        assumption_values(scenario, {name: column(values, name)})
    return values


def _spaced(factor: Factor, count: Any) -> list[float]:
    """Space values evenly over a range, both ends included."""
    whole = factor.scale == "integer"
    if count is None and whole:
        count = int(factor.high - factor.low) + 1
    if not isinstance(count, int) or isinstance(count, bool) or count < 2:  # noqa: PLR2004
        found = "says not" if count is None else f"says {count!r:.40}"
        message = f"grid of {factor.name} {found} how many values there are; expected a whole number of at least 2"
        raise OptionError(f"{message}; write samples = 11, or {factor.name} = {{ from = …, to = …, count = … }}")
    if factor.scale == "log":
        found = np.clip(np.geomspace(factor.low, factor.high, count), factor.low, factor.high)
    else:
        found = np.linspace(factor.low, factor.high, count)
    return [float(value) for value in (np.unique(np.round(found)) if whole else found)]


def _list(scenario: Scenario, rows: Sequence[Mapping[str, Any]], others: Collection[str]) -> Rows:
    """Fill the rows of a list with base values."""
    if not any(rows):
        raise OptionError("design: a list has no rows that set something; expected rows = [{ name = value }, …]")
    names = list(dict.fromkeys(name for row in rows for name in row))
    known = [*scenario.assumptions, *others]
    for name in names:
        if name not in known:
            raise OptionError(f"'{name}' cannot be set: it is not an assumption; {did_you_mean(name, known)}")
    out: list[dict[str, Any]] = []
    for number, row in enumerate(rows, 1):
        for name, value in row.items():
            if not isinstance(value, (int, float, str)):
                raise OptionError(
                    f"row {number} of a list sets {name} to {value!r:.60}; expected one number or one label"
                )
        missing = [name for name in names if name not in row and name not in scenario.assumptions]
        if missing:
            raise OptionError(
                f"row {number} of a list says nothing of {missing[0]}, which has no base value; expected a value"
            )
        found = assumption_values(
            scenario, {name: value for name, value in row.items() if name in scenario.assumptions}
        )
        base = {
            name: show_assumption(scenario.assumptions[name], float(found[name][0])) for name in names if name in found
        }
        out.append({name: row[name] if name in row and name not in base else base[name] for name in names})
    return Rows(table=out)


def _base(scenario: Scenario, factors: Sequence[Factor]) -> dict[str, float | str]:
    """Return the base value of everything that is varied; of what is no assumption, its first value."""
    found = assumption_values(scenario)
    out: dict[str, float | str] = {}
    for factor in factors:
        for name in factor.names:
            known = name in found
            out[name] = (
                show_assumption(scenario.assumptions[name], float(found[name][0]))
                if known
                else factor.ends()[0][1][name]
            )
    return out


def read_design(
    scenario: Scenario, table: Mapping[str, Any] | DesignSpec, seed: int = 0, *, others: Collection[str] = ()
) -> Design:
    """Make the design that a ``[[designs]]`` table states.

    Parameters
    ----------
    scenario
        A loaded scenario.
    table
        The table, as parsed or as a :class:`DesignSpec`.
    seed
        The experiment's seed.
    others
        Names beside assumptions and orders that may be varied, with values of their own, such as ``precision``.

    Raises
    ------
    OptionError
        For whatever the table asks that cannot be done, with what was found, what was expected, and advice.

    Examples
    --------
    >>> import sim
    >>> design = read_design(sim.load(sim.template()), {"kind": "saltelli", "samples": 64}, seed=1)
    >>> design.count, design.names
    (384, ('prize', 'cost_of_war'))
    """
    spec = _spec(table)
    if spec.kind == "list":
        return _list(scenario, spec.rows, others)
    asked = varied(scenario, spec.vary)
    if not asked:
        raise OptionError(
            "design: the scenario has no assumption with a range or choices, and no order; expected vary = { name = [low, high] }"
        )
    if spec.kind == "grid":
        return Grid(axes={name: _axis(scenario, name, given, spec.samples, others) for name, given in asked.items()})
    factors = tuple(
        factor_of(scenario, name, given, measure=spec.measure, others=others) for name, given in asked.items()
    )
    if spec.kind == "one_at_a_time":
        return OneAtATime(base=_base(scenario, factors), factors=factors)
    if spec.kind == "morris":
        if spec.trajectories is None:
            raise OptionError(
                "design: kind = 'morris' says not how many trajectories; expected a whole number; write trajectories = 20"
            )
        return Morris(factors=factors, trajectories=spec.trajectories, levels=spec.levels, seed=seed)
    if spec.samples is None:
        raise OptionError(
            f"design: kind = '{spec.kind}' says not how many samples; expected a whole number; write samples = 1024"
        )
    if spec.kind == "saltelli":
        return Saltelli(factors=factors, samples=spec.samples, second_order=spec.second_order, seed=seed)
    return Sampled(factors=factors, kind=spec.kind, samples=spec.samples, seed=seed)


def read_designs(
    scenario: Scenario, tables: Sequence[Mapping[str, Any] | DesignSpec], seed: int = 0, *, others: Collection[str] = ()
) -> Design:
    """Make the product of all ``[[designs]]`` of an experiment; one alone stays as it is.

    The first takes the seed itself, each further one a child of it.

    Examples
    --------
    >>> import sim
    >>> scenario = sim.load(sim.template())
    >>> both = [{"kind": "grid", "vary": {"prize": [1, 2]}}, {"kind": "random", "vary": ["cost_of_war"], "samples": 3}]
    >>> read_designs(scenario, both).count
    6
    """
    if not tables:
        raise OptionError("there are no designs; expected at least one [[designs]] table")
    found: list[Design] = []
    for place, table in enumerate(tables):
        child = np.random.SeedSequence(seed, spawn_key=(place,)).generate_state(1)[0] if place else seed
        found.append(read_design(scenario, table, int(child), others=others))
    return found[0] if len(found) == 1 else Product(designs=tuple(found))
