"""Numbers for assumptions: base values, what the user sets instead, and expressions over other assumptions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.errors import OptionError, Problem, did_you_mean
from sim.scenario.evaluate import evaluate, undefined
from sim.scenario.places import line_of
from sim.scenario.tree import DIVISIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sim.kinds import Floats
    from sim.scenario.model import Assumption, Scenario

__all__ = ["assumption_values", "base_problems", "in_order", "parse_setting", "show_assumption", "structural"]


def in_order(assumptions: Mapping[str, Assumption]) -> tuple[list[str], list[str]]:
    """Sort assumptions so that each comes after those it is computed from.

    Returns
    -------
    tuple of lists
        The sorted names, and the names that lie on a circle (empty in a good scenario).
    """
    reads = {name: sorted(one.value.reads & assumptions.keys()) for name, one in assumptions.items()}
    done, stuck = _sorted(reads)
    readers: dict[str, list[str]] = {name: [] for name in stuck}
    for name in stuck:
        for other in reads[name]:
            if other in readers:
                readers[other].append(name)
    return done, _sorted(readers)[1]  # what only hangs from a circle comes free when the arrows are turned


def _sorted(needs: Mapping[str, Iterable[str]]) -> tuple[list[str], list[str]]:
    """Sort names after what they need; return also the names for which that is impossible."""
    left = {name: {other for other in others if other in needs} for name, others in needs.items()}
    wanted_by: dict[str, list[str]] = {name: [] for name in needs}
    for name, others in left.items():
        for other in others:
            wanted_by[other].append(name)
    done = [name for name, others in left.items() if not others]
    for name in done:  # grows while it is walked
        for other in wanted_by[name]:
            left[other].discard(name)
            if not left[other]:
                done.append(other)
    free = set(done)
    return done, [name for name in needs if name not in free]


def _one_setting(assumption: Assumption, value: Any) -> Floats:
    """Turn what the user gave for one assumption into an array of numbers, or say why not."""
    name = assumption.id
    try:
        given = np.asarray(value)
    except ValueError:  # lists of unequal lengths
        given = np.empty((0, 0))
    if given.ndim > 1 or given.size == 0:
        what = f"assumption '{name}' is set to an array of shape {given.shape}"
        message = f"{what}; expected a number or a one-dimensional array"
        raise OptionError(message)
    if given.dtype.kind in "fiu" and not assumption.labels:  # a long batch, checked at once
        numbers = given.ravel().astype(np.float64)
        if not _expected(assumption, numbers):
            return numbers
    flat = [item.item() if isinstance(item, np.generic) else item for item in given.ravel()]
    return np.array([_one_number(assumption, item) for item in flat], dtype=np.float64)


def _one_number(assumption: Assumption, item: Any) -> float:
    """Turn one number or label into a number, or say why not."""
    name, labels = assumption.id, assumption.labels
    if labels and isinstance(item, str) and item in labels.values:
        return float(labels.index(item))
    if labels and not (isinstance(item, (int, float)) and item in range(len(labels.values))):
        what = f"assumption '{name}' is set to {item!r}; expected one of {', '.join(labels.values)}"
        message = f"{what}; {did_you_mean(str(item), labels.values)}"
        raise OptionError(message)
    if not isinstance(item, (int, float)) or not math.isfinite(item):
        message = f"assumption '{name}' is set to {item!r}; expected a finite number"
        raise OptionError(message)
    number = float(item)
    expected = _expected(assumption, np.array(number))
    if expected:
        what = f"assumption '{name}' is set to {number:g}; expected {expected}"
        message = f"{what}; widen its range or choices in the scenario if you mean it"
        raise OptionError(message)
    return number


def _expected(assumption: Assumption, values: Floats) -> str:
    """Say what was expected if some value is not allowed; an empty text if all are."""
    if not np.isfinite(values).all():
        return "a finite number"
    bounds, choices = assumption.range, assumption.choices
    if bounds and ((values < bounds[0]) | (values > bounds[1])).any():
        return f"{bounds[0]:g} to {bounds[1]:g}"
    if choices and not np.isin(values, choices).all():
        return "one of " + ", ".join(f"{choice:g}" for choice in choices)
    return ""


def _computed(assumption: Assumption, known: Mapping[str, Floats]) -> tuple[Floats, str, str]:
    """Compute one assumption from others; say also what is wrong with it and what was expected."""
    node = assumption.value.node
    values = np.atleast_1d(evaluate(node, known))
    reads = [name for name in sorted(assumption.value.reads) if name in known]
    if not reads:
        return values, "", ""  # a plain value, checked when the file was read
    given = ", ".join(f"{name} = {_few(known[name])}" for name in reads)
    if assumption.value.partial and np.any(undefined(node, known, DIVISIONS)):
        return values, f"assumption '{assumption.id}' divides by zero with {given}", "a finite number"
    expected = _expected(assumption, values)
    what = f"assumption '{assumption.id}', computed from {given}, is {_few(values)}" if expected else ""
    return values, what, expected


def _few(values: Floats) -> str:
    """Write one value, or the extremes of several."""
    return f"{values[0]:g}" if values.size == 1 else f"{values.min():g} to {values.max():g}"


def base_problems(scenario: Scenario) -> list[Problem]:
    """Find assumptions whose base values, computed from others, are none or are outside their range."""
    known: dict[str, Floats] = {}
    out: list[Problem] = []
    for name in in_order(scenario.assumptions)[0]:
        known[name], what, expected = _computed(scenario.assumptions[name], known)
        if what:
            kind = "division-by-zero" if "divides by zero" in what else "outside-range"
            path = ("assumptions", name, "value")
            line = line_of(scenario.places, path)
            problem = Problem(
                kind=kind, what=what, expected=expected, place=".".join(path), file=scenario.file, line=line
            )
            out.append(problem)
    return out


def assumption_values(scenario: Scenario, settings: Mapping[str, Any] | None = None) -> dict[str, Floats]:
    """Compute every assumption, for one or several variants.

    Parameters
    ----------
    scenario
        A loaded scenario.
    settings
        A number, a label, or a one-dimensional array of either, by assumption; all arrays share one length ``v``.

    Returns
    -------
    dict of arrays
        Shape ``(v,)`` for what is set to an array or computed from such, else ``(1,)``; labels as their index.

    Raises
    ------
    OptionError
        For an unknown name, a value outside its range or choices, or arrays of unequal lengths.

    Examples
    --------
    >>> import sim
    >>> float(assumption_values(sim.load(sim.template()), {"cost_of_war": 2})["cost_of_war"][0])
    2.0
    """
    settings = settings or {}
    for name in settings:
        if name not in scenario.assumptions:
            message = f"'{name}' is not an assumption of {scenario.file or scenario.title}; {did_you_mean(name, scenario.assumptions)}"
            raise OptionError(message)
    given = {name: _one_setting(scenario.assumptions[name], value) for name, value in settings.items()}
    if len({values.size for values in given.values()} - {1}) > 1:
        listed = ", ".join(f"{name}: {values.size}" for name, values in given.items())
        message = f"assumptions are set to arrays of unequal lengths ({listed}); expected one length for all"
        raise OptionError(message)
    out: dict[str, Floats] = {}
    for name in in_order(scenario.assumptions)[0]:
        assumption = scenario.assumptions[name]
        if name in given:
            out[name] = given[name]
        else:
            out[name], what, expected = _computed(assumption, out)
            if what:
                message = f"{what}; expected {expected}"
                raise OptionError(message)
    return out


def structural(scenario: Scenario) -> frozenset[str]:
    """Name the assumptions that shape the game's graph: those that guards, effects, starts, forbidden states or outcomes read.

    A batch must hold them fixed; every other assumption enters only numbers.
    """
    actions = scenario.actions
    cases = [case for cases in scenario.chance.values() for case in cases]
    branches = [branch for holder in (*actions, *cases) for branch in holder.branches]
    expressions = [action.guard for action in actions] + [case.guard for case in cases]
    expressions += [effect for holder in (*actions, *branches) for effect in holder.effects.values()]
    expressions += [variable.start for variable in scenario.variables]
    expressions += [*scenario.forbid, *(question.expression for question in scenario.questions.values())]
    return frozenset(_closure(scenario, {name for expression in expressions for name in expression.reads}))


def _closure(scenario: Scenario, names: Iterable[str]) -> set[str]:
    """Add the assumptions that assumptions are computed from."""
    found: set[str] = set()
    stack = [name for name in names if name in scenario.assumptions]
    while stack:
        name = stack.pop()
        if name not in found:
            found.add(name)
            stack += [other for other in scenario.assumptions[name].value.reads if other in scenario.assumptions]
    return found


def parse_setting(text: str, option: str = "--set", example: str = "floor_holds=0.4") -> tuple[str, float | str]:
    """Read ``name=value`` from a command line.

    Examples
    --------
    >>> parse_setting("floor_holds=0.4"), parse_setting("challenger=hard")
    (('floor_holds', 0.4), ('challenger', 'hard'))
    """
    name, equals, value = text.partition("=")
    if not equals or not name.strip() or not value.strip():
        message = f"{option} got '{text}'; expected name=value, such as {option} {example}"
        raise OptionError(message)
    word = value.strip()
    if word.lower() in ("true", "false"):
        return name.strip(), float(word.lower() == "true")
    try:
        return name.strip(), float(word)
    except ValueError:
        return name.strip(), word


def show_assumption(assumption: Assumption, value: float) -> float | str:
    """Write an assumption's value as the user would: a label or a number."""
    return assumption.labels.values[int(value)] if assumption.labels else float(value)
