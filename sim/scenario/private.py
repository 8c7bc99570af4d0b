"""Private types: what one player knows and the others do not, and how likely everybody takes it to be."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from sim.errors import did_you_mean
from sim.scenario.model import Prior, Private
from sim.scenario.tree import Labels, Symbol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sim.scenario.context import Context
    from sim.scenario.model import Action, Case
    from sim.scenario.places import Path
    from sim.scenario.schema import PriorTable, PrivateTable
    from sim.scenario.tree import Expression

__all__ = ["MOST_JOINT", "MOST_TYPES", "check_disputes", "read_prior", "read_private"]

SUM_TOLERANCE = 1e-9
KINDS = ("values", "normal", "uniform")
MOST_TYPES = 62
"""Types that one player may have, all that he knows privately taken together."""
MOST_JOINT = 4096
"""Combinations of the types of all players."""


def read_private(context: Context) -> tuple[Private, ...]:
    """Read the private types.

    Parameters
    ----------
    context
        The file, and the place for mistakes.
    """
    out = [_private(context, name, table) for name, table in context.file.private.items()]
    if out:
        _refuse(context)
        _check_sizes(context, [one for one in out if one])
    return tuple(one for one in out if one)


def _refuse(context: Context) -> None:
    """Note what does not go together with private types."""
    if context.endless:
        what = "private types are asked for with an infinite horizon"
        context.note(("horizon",), "private", what, "a finite number of rounds", "give the game rounds")
    for name, table in context.file.players.items():
        if table.prospect is not None:
            what = f"{name} evaluates chance by prospect theory, which is not done together with private types"
            context.note(("players", name, "prospect"), "private", what, advice="remove the key")


def check_disputes(context: Context, actions: Iterable[Action], chance: Mapping[str, tuple[Case, ...]]) -> None:
    """Note chances that speak of types and are disputed at once: then people who saw the same would believe different things.

    Parameters
    ----------
    context
        The file, and the place for mistakes.
    actions, chance
        The moves and the chance events.
    """
    holders = [*actions, *(case for cases in chance.values() for case in cases)]
    for branch in (branch for holder in holders for branch in holder.branches):
        reads = branch.probability.reads.union(*(one.reads for one in branch.believes.values()))
        secret = sorted(reads & context.private_symbols.keys())
        if branch.believes and secret:
            what = f"a chance that reads {' and '.join(secret)} is disputed ('believes')"
            advice = "let all share the probability, or let it read no type"
            context.note((*branch.place.split("."), "believes"), "private", what, advice=advice)


def _check_sizes(context: Context, found: list[Private]) -> None:
    """Bound how many types there are."""
    joint = math.prod(one.size for one in found)
    for player in context.file.players:
        count = math.prod(one.size for one in found if one.known_to == player)
        if count > MOST_TYPES:
            what = f"player {player} has {count} types"
            context.note(("private",), "too-many-types", what, f"at most {MOST_TYPES}", "give them fewer values")
    if joint > MOST_JOINT:
        what = f"the private types make {joint:,} combinations"
        context.note(("private",), "too-many-types", what, f"at most {MOST_JOINT:,}", "give them fewer values")


def _private(context: Context, name: str, table: PrivateTable) -> Private | None:
    """Read one private type."""
    path: Path = ("private", name)
    context.unknown((*path, "known_to"), f"private type {name}", table.known_to, context.file.players, "a player")
    kinds = [kind for kind in KINDS if getattr(table, kind) is not None]
    if len(kinds) != 1:
        what = f"private type {name} has {' and '.join(kinds) or 'no values'}"
        context.note(
            (*path, kinds[-1]) if kinds else path, "bad-private", what, "exactly one of values, normal, uniform"
        )
        context.private_symbols[name] = Symbol("private", "unknown")
        context.doubtful |= {name, *(table.values or ())}
        return None
    kind = kinds[0]
    labels, parameters = _values(context, name, table) if kind == "values" else (None, _numbers(context, name, table))
    context.private_symbols[name] = Symbol("private", labels or "number")
    return Private(
        id=name,
        known_to=table.known_to,
        kind=kind,
        labels=labels,
        parameters=parameters,
        known_as=_known_as(context, name, table.known_as, labels),
        note=table.note,
        source=context.check_source(table, path),
    )


def _values(context: Context, name: str, table: PrivateTable) -> tuple[Labels, tuple[Expression, ...]]:
    """Read the labels of a type and how likely each is."""
    values = table.values or {}
    path: Path = ("private", name, "values")
    labels = context.labels[name] = Labels(name, tuple(values))
    for label in values:
        context.check_label(path, label)
    if all(chance is None for chance in values.values()):  # a list: a joint table says how likely they are
        if not context.file.prior:
            what = f"private type {name} lists its values without probabilities"
            advice = "write values = { label = probability, … }, or a joint table in [[prior]]"
            context.note(path, "no-prior", what, "a probability for each", advice)
        return labels, ()
    chances = tuple(
        context.read(text, (*path, label), f"probability of {name} = {label}", context.value_scope, "number")
        for label, text in values.items()
    )
    known = [chance.constant for chance in chances]
    total = sum(one for one in known if one is not None)
    if any(one is not None and not 0 <= one <= 1 for one in known) or (
        None not in known and abs(total - 1) > SUM_TOLERANCE
    ):
        shown = ", ".join(f"{label}: {chance.text}" for label, chance in zip(values, chances, strict=True))
        what = f"probabilities of private type {name} are {shown}"
        context.note(path, "probability-sum", what, "numbers from 0 to 1 that sum to 1")
    return labels, chances


def _numbers(context: Context, name: str, table: PrivateTable) -> tuple[Expression, ...]:
    """Read the two numbers of a distribution."""
    kind = "normal" if table.normal else "uniform"
    words = ("mean", "deviation") if table.normal else ("least value", "greatest value")
    texts = table.normal or table.uniform or []
    out = tuple(
        context.read(text, ("private", name, kind, index), f"{word} of {name}", context.value_scope, "number")
        for index, (word, text) in enumerate(zip(words, texts, strict=True))
    )
    first, second = (one.constant for one in out)
    if kind == "normal" and second is not None and not second > 0:
        context.note(("private", name, kind, 1), "outside-range", f"deviation of {name} is {second:g}", "more than 0")
    if kind == "uniform" and first is not None and second is not None and not first < second:
        what = f"{name} is uniform from {first:g} to {second:g}"
        context.note(("private", name, kind), "bad-range", what, "the lower number first")
    return out


def _known_as(context: Context, name: str, value: Any, labels: Labels | None) -> float | None:
    """Read what everybody takes for granted where types are not asked for."""
    if value is None:
        return None
    path: Path = ("private", name, "known_as")
    if labels and value in labels.values:
        return float(labels.index(value))
    if not labels and isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    what = f"known_as of private type {name} is {value!r:.40}"
    if labels:
        advice = did_you_mean(str(value), labels.values)
        context.note(path, "unknown-name", what, f"one of {', '.join(labels.values)}", advice)
    else:
        context.note(path, "wrong-type", what, "a finite number")
    return None


def read_prior(context: Context) -> tuple[Prior, ...]:
    """Read the joint table of those types whose values carry no probabilities of their own.

    Parameters
    ----------
    context
        The file, whose private types are known already.
    """
    tables = context.file.private.items()
    names = [name for name, one in tables if one.values and all(chance is None for chance in one.values.values())]
    if context.file.prior and not names:
        what = "[[prior]] gives a joint table, but every private type has probabilities of its own"
        context.note(("prior",), "no-prior", what, advice="list values without probabilities: values = ['a', 'b']")
        return ()
    out: list[Prior] = []
    for index, row in enumerate(context.file.prior):
        found = _row(context, index, row, names)
        if found and any(found.values == other.values for other in out):
            what = "[[prior]] lists the same types twice"
            context.note(("prior", index, "types"), "duplicate-id", what, advice="remove one row")
        elif found:
            out.append(found)
    total = [row.probability.constant for row in out]
    if (
        len(out) == len(context.file.prior)
        and out
        and None not in total
        and abs(sum(one or 0.0 for one in total) - 1) > SUM_TOLERANCE
    ):
        what = f"the probabilities of [[prior]] sum to {sum(one or 0.0 for one in total):g}"
        context.note(("prior",), "probability-sum", what, "1", "what is not listed has probability 0")
    return tuple(out)


def _row(context: Context, index: int, row: PriorTable, names: list[str]) -> Prior | None:
    """Read one row of the joint table."""
    path: Path = ("prior", index)
    noted = len(context.problems)
    values: dict[str, int] = {}
    for name, label in row.types.items():
        place: Path = (*path, "types", name)
        if context.unknown(place, "[[prior]]", name, names, "a private type whose values carry no probabilities"):
            continue
        labels = context.labels[name].values
        if not context.unknown(place, "[[prior]]", label, labels, f"a value of {name}"):
            values[name] = labels.index(label)
    missing = [name for name in names if name not in row.types]
    if missing:
        what = f"[[prior]] says nothing of {', '.join(missing)}"
        context.note((*path, "types"), "missing-key", what, "a value of each type in the table")
    chance = context.read(
        row.probability,
        (*path, "probability"),
        f"probability of row {index + 1} of [[prior]]",
        context.value_scope,
        "number",
    )
    if chance.constant is not None and not 0 <= chance.constant <= 1:
        what = f"probability of row {index + 1} of [[prior]] is {chance.constant:g}"
        context.note((*path, "probability"), "outside-range", what, "a number from 0 to 1")
    return Prior(values=values, probability=chance) if len(context.problems) == noted else None
