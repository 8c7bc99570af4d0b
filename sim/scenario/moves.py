"""Moves and chance: guards, effects, payments and outcomes, with one action for each combination of a move's choices."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sim.scenario.context import show
from sim.scenario.model import Action, Branch, Case
from sim.scenario.tree import Expression, Node, Scope

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sim.scenario.context import Context
    from sim.scenario.places import Path
    from sim.scenario.schema import MoveTable, OutcomeTable

__all__ = ["action_label", "read_chance", "read_moves"]

MAX_ACTIONS = 4096
MAX_ACTIONS_IN_ALL = 4 * MAX_ACTIONS


def action_label(move: str, chosen: Mapping[str, Any]) -> str:
    """Write an action: the move, and what was chosen.

    Examples
    --------
    >>> action_label("hold", {}), action_label("offer", {"nato": "keep", "sanctions": 1})
    ('hold', 'offer/nato=keep,sanctions=1')
    """
    return move + ("/" if chosen else "") + ",".join(f"{key}={show(value)}" for key, value in chosen.items())


def _effects(
    context: Context, effects: Mapping[str, Any], path: Path, owner: str, scope: Scope
) -> dict[str, Expression]:
    """Read the right-hand sides of a move or outcome."""
    out: dict[str, Expression] = {}
    for name, text in effects.items():
        place: Path = (*path, "effects", name)
        if not context.unknown(place, f"effect of {owner}", name, context.symbols, "a state variable"):
            wanted = context.symbols[name].type
            out[name] = context.read(text, place, f"effect of {owner} on {name}", scope, wanted)
    return out


def _pays(
    context: Context, pays: Mapping[str, Any], path: Path, owner: str, scope: Scope, word: str = "pays"
) -> dict[str, Expression]:
    """Read what players are paid, or believe."""
    out: dict[str, Expression] = {}
    for name, text in pays.items():
        place: Path = (*path, word, name)
        if not context.unknown(place, f"'{word}' of {owner}", name, context.file.players, "a player"):
            out[name] = context.read(text, place, f"'{word}' of {owner} for {name}", scope, "number")
    return out


def _branches(
    context: Context, tables: Sequence[OutcomeTable], path: Path, owner: str, scope: Scope
) -> tuple[Branch, ...]:
    """Read the outcomes of chance or of an uncertain move."""
    out: list[Branch] = []
    informed = context.informed(scope)
    for index, table in enumerate(tables):
        place: Path = (*path, "outcomes", index)
        label = table.label or str(index + 1)
        whole = f"outcome {label} of {owner}"
        if label in {branch.label for branch in out}:
            what = f"{owner} has two outcomes labelled '{label}'"
            context.note((*place, "label"), "duplicate-id", what, advice="rename one")
        probability = context.read(
            table.probability, (*place, "probability"), f"probability of {whole}", informed, "number"
        )
        branch = Branch(
            label=label,
            probability=probability,
            believes=_pays(context, table.believes, place, whole, scope, "believes"),
            effects=_effects(context, table.effects, place, whole, scope),
            pays=_pays(context, table.pays, place, whole, informed),
            ends=table.ends,
            place=".".join(map(str, place)),
            source=context.check_source(table, place),
        )
        out.append(branch)
    return tuple(out)


def read_moves(context: Context) -> tuple[Action, ...]:
    """Read the moves."""
    out: list[Action] = []
    for name, move in context.file.moves.items():
        path: Path = ("moves", name)
        for player in move.player:
            context.unknown((*path, "player"), f"move {name}", player, context.file.players, "a player")
        if not move.player:
            context.note((*path, "player"), "empty", f"move {name} has no player", "at least one")
        if move.outcomes:
            for key in (key for key in ("effects", "ends") if getattr(move, key)):
                what = f"move {name} has outcomes beside {key}"
                context.note((*path, key), "bad-move", what, "one or the other", f"put {key} into the outcomes")
        scope = context.move_scope(move, path)
        action = Action(
            move=name,
            label=name,
            name=move.name or name.replace("_", " "),
            players=tuple(dict.fromkeys(move.player)),
            guard=context.read(
                move.when, (*path, "when"), f"guard of {name}", context.informed(scope, move.player), "truth"
            ),
            effects=_effects(context, move.effects, path, name, scope),
            pays=_pays(context, move.pays, path, name, context.informed(scope)),
            branches=_branches(context, move.outcomes, path, name, scope),
            chosen={},
            group=move.group or (name if move.choose else ""),
            ends=move.ends,
            place=".".join(map(str, path)),
            source=context.check_source(move, path),
            note=move.note,
        )
        out += _combinations(context, move, action, scope)
        if len(out) > MAX_ACTIONS_IN_ALL:
            what = f"the moves up to {name} make too many actions"
            context.note((*path, "choose"), "too-many-actions", what, f"at most {MAX_ACTIONS_IN_ALL} in all")
            return ()
    return tuple(out)


def _combinations(context: Context, move: MoveTable, action: Action, scope: Scope) -> Iterator[Action]:
    """Make one action for each combination of choices."""
    path: Path = ("moves", action.move, "choose")
    if math.prod(len(options) for options in move.choose.values()) > MAX_ACTIONS:
        what = f"move {action.move} makes too many actions"
        context.note(path, "too-many-actions", what, f"at most {MAX_ACTIONS} combinations", "offer fewer options")
        return
    values = {
        key: [_option(context, key, option, path, scope) for option in options] for key, options in move.choose.items()
    }
    for places in itertools.product(*(range(len(options)) for options in move.choose.values())):
        picked = dict(zip(move.choose, places, strict=True))
        chosen = {key: move.choose[key][place] for key, place in picked.items()}
        settings = {key: values[key][place] for key, place in picked.items()}
        numbers = {f"chosen.{key}": setting.node.value for key, setting in settings.items()}
        numbers |= {key: setting.node.value for key, setting in settings.items() if key not in context.symbols}
        sets = {key: setting for key, setting in settings.items() if key in context.symbols}
        yield replace(
            action,
            label=action_label(action.move, chosen),
            effects=action.effects if action.branches else {**sets, **action.effects},
            branches=tuple(replace(branch, effects={**sets, **branch.effects}) for branch in action.branches),
            chosen=numbers,
        )


def _option(context: Context, key: str, option: Any, path: Path, scope: Scope) -> Expression:
    """Turn one option into what it sets."""
    owner = f"choice {key} of {path[1]}"
    kind = scope.symbols[f"chosen.{key}"].type
    noted = len(context.problems)
    value = context.read(option, (*path, key), owner, Scope(symbols={}, labels=context.labels), kind)
    if value.constant is None and len(context.problems) == noted:
        context.note(
            (*path, key), "wrong-type", f"{owner} offers '{show(option)}'", "plain numbers, labels or true/false"
        )
    domain = context.domains.get(key)
    if value.constant is not None and domain and value.constant not in domain:
        what = f"{owner} offers {value.constant:g}, outside the range of variable {key}"
        context.note((*path, key), "outside-range", what, f"an integer from {domain[0]} to {domain[-1]}")
    return Expression(show(option), Node("const", kind, value=value.constant or 0.0), frozenset())


def read_chance(context: Context) -> dict[str, tuple[Case, ...]]:
    """Read the chance events."""
    out: dict[str, tuple[Case, ...]] = {}
    scope = context.state_scope
    for name, tables in context.file.chance.items():
        cases: list[Case] = []
        for index, table in enumerate(tables):
            path: Path = ("chance", name, index)
            context.check_source(table, path)
            guard = context.read(table.when, (*path, "when"), f"guard of event {name}", scope, "truth")
            branches = _branches(context, table.outcomes, path, f"event {name}", scope)
            cases.append(Case(event=name, guard=guard, branches=branches, place=".".join(map(str, path))))
        out[name] = tuple(cases)
    return out
