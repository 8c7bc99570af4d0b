"""Numbers for assumptions: base values, what the user sets instead, and expressions over other assumptions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sim.errors import OptionError, did_you_mean
from sim.scenario.evaluate import evaluate
from sim.scenario.expression import LIMITS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sim.kinds import Floats
    from sim.scenario.model import Assumption, Scenario

__all__ = ["assumption_values", "in_order", "parse_setting", "show_assumption", "structural"]


def in_order(assumptions: Mapping[str, Assumption]) -> tuple[list[str], list[str]]:
    """Sort assumptions so that each comes after those it is computed from.

    Returns
    -------
    tuple of lists
        The sorted names, and the names that lie on a circle (empty in a good scenario).
    """
    done: dict[str, bool] = {}
    circular: list[str] = []

    def visit(name: str, above: tuple[str, ...]) -> None:
        if name in done:
            return
        if name in above or len(above) > LIMITS.depth * 10:
            circular.extend(above[above.index(name) :] if name in above else above)
            return
        for other in sorted(assumptions[name].value.reads):
            if other in assumptions:
                visit(other, (*above, name))
        done[name] = True

    for name in assumptions:
        visit(name, ())
    return list(done), sorted(set(circular))


def _one_setting(assumption: Assumption, value: Any) -> Floats:
    """Turn what the user gave for one assumption into an array of numbers, or say why not."""
    name = assumption.id
    given = np.asarray(value)
    flat = [item.item() if isinstance(item, np.generic) else item for item in given.ravel()]
    numbers: list[float] = []
    for item in flat:
        if assumption.labels:
            if item in assumption.labels.values:
                numbers.append(float(assumption.labels.index(item)))
                continue
            if not isinstance(item, (int, float)) or item not in range(len(assumption.labels.values)):
                advice = did_you_mean(str(item), assumption.labels.values)
                message = f"assumption '{name}' is set to {item!r}; expected one of {', '.join(assumption.labels.values)}; {advice}"
                raise OptionError(message)
        if isinstance(item, str) or not np.isfinite(item):
            message = f"assumption '{name}' is set to {item!r}; expected a finite number"
            raise OptionError(message)
        number = float(item)
        if assumption.range and not assumption.range[0] <= number <= assumption.range[1]:
            message = f"assumption '{name}' is set to {number:g}, outside its range; expected {assumption.range[0]:g} to {assumption.range[1]:g}; widen the range in the scenario if you mean it"
            raise OptionError(message)
        if assumption.choices and not assumption.labels and number not in assumption.choices:
            message = f"assumption '{name}' is set to {number:g}; expected one of {', '.join(f'{choice:g}' for choice in assumption.choices)}"
            raise OptionError(message)
        numbers.append(number)
    if given.ndim > 1 or given.size == 0:
        message = f"assumption '{name}' is set to an array of shape {given.shape}; expected a number or a one-dimensional array"
        raise OptionError(message)
    return np.array(numbers, dtype=np.float64)


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
    out: dict[str, Floats] = {}
    sizes: dict[str, int] = {}
    for name in in_order(scenario.assumptions)[0]:
        assumption = scenario.assumptions[name]
        if name in settings:
            out[name] = _one_setting(assumption, settings[name])
            sizes[name] = out[name].size
        else:
            out[name] = np.atleast_1d(evaluate(assumption.value.node, out))
    lengths = {size for size in sizes.values() if size > 1}
    if len(lengths) > 1:
        listed = ", ".join(f"{name}: {size}" for name, size in sizes.items())
        message = f"assumptions are set to arrays of unequal lengths ({listed}); expected one length for all"
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


def parse_setting(text: str) -> tuple[str, float | str]:
    """Read ``name=value`` from a command line.

    Examples
    --------
    >>> parse_setting("floor_holds=0.4"), parse_setting("challenger=hard")
    (('floor_holds', 0.4), ('challenger', 'hard'))
    """
    name, equals, value = text.partition("=")
    if not equals or not name.strip() or not value.strip():
        message = f"--set got '{text}'; expected name=value, such as --set floor_holds=0.4"
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
