"""Named variants: sets of values that belong together, such as a hawkish successor."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sim.errors import OptionError, Problem, did_you_mean
from sim.scenario.model import BASE, Variant
from sim.scenario.places import line_of
from sim.scenario.values import assumption_values

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sim.scenario.context import Context
    from sim.scenario.model import Scenario
    from sim.scenario.places import Path

__all__ = ["read_variants", "variant_problems", "variant_settings"]

NAME = r"[^\W\d_][^=\x00-\x1f\x7f]{0,63}"


def read_variants(context: Context) -> dict[str, Variant]:
    """Read the named variants; the first is always ``base``, which sets nothing.

    Parameters
    ----------
    context
        The file, and the place for mistakes.
    """
    out = {BASE: Variant(id=BASE, name=BASE)}
    for name, table in context.file.variants.items():
        path: Path = ("variants", name)
        if name == BASE:
            what = "variant base is declared"
            context.note(path, "duplicate-id", what, advice="base is the scenario as it stands; choose another name")
            continue
        if not re.fullmatch(NAME, name) or name != name.strip():
            context.note(
                path,
                "bad-id",
                f"'{name:.40}' cannot be a variant's name",
                "at most 64 characters without =, starting with a letter",
            )
        source = context.check_source(table, path)
        if table.basis != "assumed" and not source:
            what = f"variant {name} is {table.basis} but cites nothing"
            context.note((*path, "basis"), "no-source", what, 'source = "¶…"', 'or say basis = "assumed"')
        settings = {key: float(value) if isinstance(value, bool) else value for key, value in table.set.items()}
        out[name] = Variant(
            id=name, name=table.name or name, settings=settings, basis=table.basis, source=source, note=table.note
        )
    return out


def variant_problems(scenario: Scenario) -> list[Problem]:
    """Find what variants set and cannot: unknown assumptions, and values outside their ranges or choices.

    Parameters
    ----------
    scenario
        A scenario whose names are resolved and whose base values exist.
    """
    out: list[Problem] = []
    for variant in scenario.variants.values():
        path: Path = ("variants", variant.id, "set")
        found: list[Problem] = []
        for name, value in variant.settings.items():
            kind, what, advice = _setting(scenario, name, value)
            if what:
                found.append(_problem(scenario, (*path, name), kind, f"variant {variant.id}: {what}", advice))
        if not found and variant.settings:
            try:
                assumption_values(scenario, variant.settings)
            except OptionError as error:
                found.append(_problem(scenario, path, "outside-range", f"variant {variant.id}: {error}"))
        out += found
    return out


def _setting(scenario: Scenario, name: str, value: Any) -> tuple[str, str, str]:
    """Tell what is wrong with one value: kind, words and advice; nothing if it is right."""
    if name not in scenario.assumptions:
        return "unknown-name", f"it sets '{name}', which is not an assumption", did_you_mean(name, scenario.assumptions)
    if not isinstance(value, (int, float, str)):
        return "wrong-type", f"it sets {name} to {value!r:.40}", "write one number or one label"
    try:
        assumption_values(scenario, {name: value})
    except OptionError as error:
        return ("outside-range", str(error), "") if f"'{name}' is set" in str(error) else ("", "", "")
    return "", "", ""


def _problem(scenario: Scenario, path: Path, kind: str, what: str, advice: str = "") -> Problem:
    """Make a problem that points at a key."""
    place, line = ".".join(map(str, path)), line_of(scenario.places, path)
    return Problem(kind=kind, what=what, advice=advice, place=place, file=scenario.file, line=line)


def variant_settings(scenario: Scenario, name: str, settings: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return what a named variant sets, with further settings on top.

    Parameters
    ----------
    scenario
        A loaded scenario.
    name
        A variant; ``base`` sets nothing.
    settings
        Values that prevail over the variant's.

    Raises
    ------
    OptionError
        For a name that the scenario does not have.

    Examples
    --------
    >>> import sim
    >>> variant_settings(sim.load(sim.template()), "base", {"prize": 3})
    {'prize': 3}
    """
    if name not in scenario.variants:
        message = (
            f"'{name}' is not a variant of {scenario.file or scenario.title}; {did_you_mean(name, scenario.variants)}"
        )
        raise OptionError(message)
    return {**scenario.variants[name].settings, **(settings or {})}
