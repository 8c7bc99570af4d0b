"""The ledger of assumptions and the state variables: what the rest of a file may read."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from sim.errors import did_you_mean
from sim.scenario.model import Assumption, Variable
from sim.scenario.tree import Labels, Symbol
from sim.scenario.values import in_order

if TYPE_CHECKING:
    from sim.scenario.context import Context
    from sim.scenario.model import Order
    from sim.scenario.places import Path
    from sim.scenario.schema import AssumptionTable, StateTable
    from sim.scenario.tree import Type

__all__ = ["read_assumptions", "read_variables"]

KINDS = ("ladder", "values", "range", "flag", "scale")
MAX_VALUES = 10_000


def read_assumptions(context: Context) -> dict[str, Assumption]:
    """Read the ledger of assumptions."""
    tables = context.file.assumptions
    for name, table in tables.items():
        kind: Type = "number"
        if table.choices and all(isinstance(choice, str) for choice in table.choices):
            kind = context.labels[name] = Labels(name, tuple(table.choices))
        context.assumption_symbols[name] = Symbol("assumption", kind)
    context.assumption_symbols |= dict.fromkeys(context.created, Symbol("assumption", "number"))
    out = {name: _assumption(context, name, table) for name, table in tables.items()}
    out |= {name: _created(context, name, order, value) for name, (order, value) in context.created.items()}
    for name in in_order(out)[1]:
        what = f"assumption {name} is computed from itself"
        context.note(("assumptions", name, "value"), "circular", what, advice="break the circle")
    return out


def _assumption(context: Context, name: str, table: AssumptionTable) -> Assumption:
    """Read one assumption."""
    path: Path = ("assumptions", name)
    labels = context.labels.get(name)
    value = context.read(
        table.value, (*path, "value"), f"value of assumption {name}", context.value_scope, labels or "number"
    )
    source = context.check_source(table, path)
    if table.basis != "assumed" and not source:
        what = f"assumption {name} is {table.basis} but cites nothing"
        context.note((*path, "basis"), "no-source", what, 'source = "¶…"', 'or say basis = "assumed"')
    choices = _choices(context, name, table.choices, labels)
    bounds = (table.range[0], table.range[1]) if table.range else None
    if bounds and not (all(map(math.isfinite, bounds)) and bounds[0] <= bounds[1]):
        what = f"range of assumption {name} is [{bounds[0]:g}, {bounds[1]:g}]"
        context.note((*path, "range"), "bad-range", what, "two finite numbers, the lower first")
        bounds = None
    if bounds and table.choices is not None:
        what = f"assumption {name} has a range and choices"
        context.note((*path, "range"), "bad-range", what, "one of them", "remove the other")
    number = value.constant
    if number is not None and bounds and not bounds[0] <= number <= bounds[1]:
        what = f"value {number:g} of assumption {name} is outside its range"
        context.note((*path, "value"), "outside-range", what, f"{bounds[0]:g} to {bounds[1]:g}")
    if number is not None and choices and number not in choices and not labels:
        what = f"value {number:g} of assumption {name} is not among its choices"
        context.note((*path, "value"), "outside-range", what, ", ".join(f"{choice:g}" for choice in choices))
    return Assumption(
        id=name,
        value=value,
        range=bounds,
        choices=choices,
        labels=labels,
        basis=table.basis,
        source=source,
        note=table.note,
    )


def _created(context: Context, name: str, order: Order, value: float) -> Assumption:
    """Make an assumption that is declared by an order alone."""
    return Assumption(
        id=name,
        value=context.read(value, ("orders", order.id), f"value of assumption {name}", context.value_scope, "number"),
        range=(order.low, order.high),
        choices=None,
        labels=None,
        basis=order.basis,
        source=order.source,
        note=order.note,
    )


def _choices(context: Context, name: str, choices: list[Any] | None, labels: Labels | None) -> tuple[float, ...] | None:
    """Check the choices of an assumption."""
    if choices is None:
        return None
    path: Path = ("assumptions", name, "choices")
    if not choices:
        context.note(path, "empty", f"assumption {name} has no choices", "at least one")
    if len(set(map(str, choices))) < len(choices):
        context.note(path, "duplicate-id", f"assumption {name} lists a choice twice", advice="remove one")
    if labels:
        for label in labels.values:
            context.check_label(path, label)
        return tuple(float(index) for index in range(len(choices)))
    if not all(isinstance(choice, (int, float)) and math.isfinite(choice) for choice in choices):
        what = f"choices of assumption {name} are not of one kind"
        context.note(path, "wrong-type", what, "all finite numbers, or all labels")
        return None
    return tuple(float(choice) for choice in choices)


def read_variables(context: Context) -> tuple[Variable, ...]:
    """Read the state variables, ladders first so that scales find them."""
    for name, table in context.file.state.items():
        if table.ladder or table.values:
            labels = tuple(table.ladder or table.values or ())
            context.labels[name] = Labels(name, labels, ordered=bool(table.ladder))
    out = [_variable(context, name, table) for name, table in context.file.state.items()]
    return tuple(variable for variable in out if variable)


def _variable(context: Context, name: str, table: StateTable) -> Variable | None:
    """Read one state variable."""
    path: Path = ("state", name)
    found = _domain(context, name, table)
    if found is None:  # what reads it cannot be judged
        context.symbols[name] = Symbol("variable", "unknown")
        context.doubtful |= {name, *(table.ladder or ()), *(table.values or ())}
        return None
    kind, low, size, labels = found
    value_type: Type = "truth" if kind == "flag" else (labels or "number")
    noted = len(context.problems)
    start = context.read(table.start, (*path, "start"), f"start of variable {name}", context.value_scope, value_type)
    constant = start.constant
    sound = constant is None or (low <= constant < low + size and constant == int(constant))
    if not sound and len(context.problems) == noted:
        what = f"start {constant:g} of variable {name} is outside its range"
        context.note((*path, "start"), "outside-range", what, f"an integer from {low} to {low + size - 1}")
    context.symbols[name] = Symbol("variable", value_type)
    if not table.clip:
        context.domains[name] = range(low, low + size)
    return Variable(
        id=name,
        kind=kind,
        low=low,
        size=size,
        labels=labels,
        start=start,
        clip=table.clip,
        combine=table.combine or "",
        note=table.note,
        source=context.check_source(table, path),
    )


def _domain(context: Context, name: str, table: StateTable) -> tuple[str, int, int, Labels | None] | None:
    """Find the kind of a variable, its least value, the number of its values and its labels."""
    path: Path = ("state", name)
    kinds = [kind for kind in KINDS if getattr(table, kind) not in (None, False)]
    if len(kinds) != 1:
        what = f"variable {name} has {' and '.join(kinds) or 'none of the five kinds'}"
        expected = "exactly one of ladder, values, range, flag = true, scale"
        context.note((*path, kinds[-1]) if kinds else path, "bad-variable", what, expected)
        return None
    kind = kinds[0]
    if kind == "range" and table.range:
        low, high = table.range
        if not 1 <= high - low + 1 <= MAX_VALUES:
            expected = f"two integers, the lower first, at most {MAX_VALUES} values"
            context.note((*path, kind), "bad-range", f"range of variable {name} is [{low}, {high}]", expected)
            return None
        return kind, low, high - low + 1, None
    if kind == "flag":
        return kind, 0, 2, None
    if kind == "scale":
        ladders = [other for other, labels in context.labels.items() if labels.ordered]
        scale = str(table.scale)
        if scale not in ladders:
            what = f"variable {name} takes the scale of '{scale}', which is not a ladder"
            context.note((*path, kind), "unknown-name", what, advice=did_you_mean(scale, ladders))
            return None
        context.labels[name] = context.labels[scale]
        return kind, 0, len(context.labels[name].values), context.labels[name]
    labels = context.labels.get(name)
    if not labels:
        context.note((*path, kind), "empty", f"variable {name} has no labels", "at least one")
        return None
    for label in labels.values:
        context.check_label((*path, kind), label)
    if len(set(labels.values)) < len(labels.values):
        context.note((*path, kind), "duplicate-id", f"variable {name} lists a label twice", advice="rename one")
    return kind, 0, len(labels.values), labels
