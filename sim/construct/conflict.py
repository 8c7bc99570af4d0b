"""From a scenario to a graph model: all feasible states, what each player can do in each, and how he orders them.

States are all assignments of the variables in ``[graph] variables``; every other variable keeps its start. Round, turn and chance are taken
out, and with them ``pays``, ``final`` and ``ends``: only guards, effects and what a state is worth remain. Whatever cannot be read
that way is a mistake that says so, never a guess.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.construct.codec import MAX_CODE, Codec
from sim.construct.frontier import View, fault, locate
from sim.errors import OptionError, ScenarioError, did_you_mean
from sim.game.conflict import make_model
from sim.kinds import frozen
from sim.scenario.evaluate import evaluate
from sim.scenario.model import Conflict
from sim.scenario.values import assumption_values

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sim.game.conflict import GraphModel
    from sim.kinds import Bools, Floats, Ints, Keys
    from sim.scenario.model import Action, Scenario
    from sim.scenario.tree import Expression

__all__ = ["MOVE_LIMIT", "STATE_LIMIT", "TIE", "Origin", "graph_model", "ranks"]

STATE_LIMIT = 1_000_000
"""Assignments that a graph model may have."""
MOVE_LIMIT = 50_000_000
"""Moves that it may have: some 30 bytes each while it is built."""
TIE = 1e-9
"""Payoffs that differ by no more than this part of the player's range tie; rankings and priorities are exact."""
CLOCK = frozenset({"round", "rounds_left"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What a graph model was made from.

    Attributes
    ----------
    scenario, codec, variables
        The scenario, the code of its states, and the variables that vary.
    keys : int array, (assignments,)
        The code of every feasible assignment, rising.
    state : int array, (assignments,)
        The state of the model that it belongs to: the same for those that ``merge`` makes one.
    first : int array, (s,)
        The first assignment of each state.
    merged
        The names of merged states.
    settings, removed
        What was set instead of base values, and moves that nobody may make.
    """

    scenario: Scenario
    codec: Codec
    variables: tuple[str, ...]
    keys: Keys = field(repr=False)
    state: Ints = field(repr=False)
    first: Ints = field(repr=False)
    merged: Mapping[int, str]
    settings: Mapping[str, Any]
    removed: tuple[str, ...]

    def label(self, state: int) -> str:
        """Write a state: the flags that hold, then the other variables; ``none`` where no flag holds and there is nothing else."""
        if state in self.merged:
            return self.merged[state]
        values = self.codec.state(int(self.keys[self.first[state]]))
        parts: list[str] = []
        for name in self.variables:
            variable = self.codec.by_id[name]
            if variable.kind != "flag":
                parts.append(f"{name}={variable.show(values[name])}")
            elif values[name]:
                parts.append(name)
        return ", ".join(parts) or "none"

    def values(self, state: int) -> dict[str, str | int | bool | None]:
        """Return the variables of a state as the user writes them; None where a merged state has several values."""
        mine = self.keys[self.state == state] if state in self.merged else self.keys[self.first[[state]]]
        shown = self.codec.labelled(int(mine[0]))
        several = {name for name in self.variables if len(np.unique(self.codec.column(mine, name))) > 1}
        return {name: None if name in several else shown[name] for name in self.variables}


def ranks(values: Floats, *, exact: bool) -> Ints:
    """Order payoffs: equal ranks tie, and the higher is the better.

    Parameters
    ----------
    values : float array, (s,)
    exact
        Whether only equal payoffs tie; otherwise neighbours that differ by no more than :data:`TIE` of the range do.

    Examples
    --------
    >>> ranks(np.array([0.3, 0.1 + 0.2, 1.0]), exact=False).tolist()
    [0, 0, 1]
    """
    found, places = np.unique(values, return_inverse=True)
    if not exact and len(found) > 1:
        apart = np.diff(found) > TIE * (found[-1] - found[0])
        places = np.concatenate(([0], np.cumsum(apart)))[places]
    return places.astype(np.int32)


class _Builder:
    """Builds one graph model."""

    def __init__(self, scenario: Scenario, assumptions: Mapping[str, float], removed: frozenset[str]) -> None:
        self.scenario, self.assumptions, self.removed = scenario, assumptions, removed
        self.codec = Codec(scenario.variables)
        whole = tuple(variable.id for variable in scenario.variables)
        self.conflict = scenario.graph or Conflict(variables=whole, merge={})
        self.variables = tuple(name for name in whole if name in self.conflict.variables)
        self.keys: Keys = np.empty(0, dtype=np.int64)
        self.view = View(self.codec, self.keys, {})

    def fail(self, place: str, kind: str, what: str, expected: str = "", advice: str = "") -> ScenarioError:
        """Make the error of a scenario that is no graph model."""
        return ScenarioError([locate(self.scenario, place, kind, what, expected, advice)])

    def show(self, place: int) -> str:
        """Write one assignment."""
        return self.codec.show(int(self.view.codes[place]), self.variables)

    def value(self, expression: Expression, view: View, place: str, subject: str) -> Floats:
        """Evaluate an expression on all states of a view, refusing the clock and what has no value."""
        clock = sorted(expression.reads & CLOCK)
        if clock:
            advice = f"let a variable say what {clock[0]} stands for, leave the move out (--remove), or tell the graph model in a scenario of its own"
            raise self.fail(
                place, "graph-clock", f"{subject} reads {clock[0]}, and a graph model has no rounds", "", advice
            )
        found = fault(expression, view, view.codes.shape)
        values = np.broadcast_to(evaluate(expression.node, view), view.codes.shape)
        if found is None and not np.isfinite(values).all():
            found = (int(np.flatnonzero(~np.isfinite(values))[0]),), "non-finite", "is not finite"
        if found:
            (bad,), kind, what = found
            state = self.codec.show(int(view.codes[bad]), self.variables)
            advice = "guard it with 'if' or 'and', or forbid the state"
            raise self.fail(place, kind, f"{subject} {what} at {state} of the graph model", "a finite value", advice)
        return values

    def holds(self, expression: Expression, view: View, place: str, subject: str) -> Bools:
        """Evaluate a condition."""
        return self.value(expression, view, place, subject) > 0

    # -- states ---------------------------------------------------------------------------------------------------

    def starts(self) -> dict[str, float]:
        """Return where every variable starts."""
        out: dict[str, float] = {}
        for variable in self.scenario.variables:
            value = float(evaluate(variable.start.node, self.assumptions))
            high = variable.low + variable.size - 1
            if not (variable.low <= value <= high and value == int(value)):
                what = f"start {value:g} of variable {variable.id} is outside its range"
                expected = f"an integer from {variable.low} to {high}"
                raise self.fail(f"state.{variable.id}.start", "outside-range", what, expected)
            out[variable.id] = value
        return out

    def lay_out(self, starts: Mapping[str, float], limit: int) -> None:
        """List all feasible assignments."""
        sizes = {name: self.codec.by_id[name].size for name in self.variables}
        count = math.prod(sizes.values())
        if count > limit or self.codec.size > MAX_CODE:
            largest = sorted(sizes.items(), key=lambda item: -item[1])[:5]
            named = ", ".join(f"{name}: {size}" for name, size in largest)
            what = f"the graph variables multiply to {count:,} states ({named})"
            advice = "list fewer in [graph] variables, or give them fewer values"
            raise self.fail("graph.variables", "too-many-states", what, f"at most {limit:,}", advice)
        keys = np.array([self.codec.encode(starts)], dtype=np.int64)
        for name in self.variables:
            variable = self.codec.by_id[name]
            keys = keys - int(starts[name] - variable.low) * self.codec.radix[name]
            keys = (keys[:, None] + np.arange(variable.size) * self.codec.radix[name]).ravel()
        self.look(np.sort(keys))
        bad = np.zeros(len(self.keys), dtype=np.bool_)
        for index, condition in enumerate(self.scenario.forbid):
            bad |= self.holds(condition, self.view, f"forbid.{index}", f"forbid {index + 1}")
        if bad.all():
            raise self.fail("forbid", "forbidden", "every state of the graph model is forbidden", "at least one state")
        self.look(self.keys[~bad])

    def look(self, keys: Keys) -> None:
        """Look at these states from now on."""
        self.keys = keys
        self.view = View(self.codec, keys, dict(self.assumptions))

    # -- moves ----------------------------------------------------------------------------------------------------

    def moves(self, player: int, limit: int) -> tuple[Keys, Ints]:
        """List a player's moves as pairs of assignments, shape (moves, 2), with the place of each one's action."""
        name = self.scenario.player_ids[player]
        pairs: list[Keys] = []
        names: list[Ints] = []
        total = 0
        for index, action in enumerate(self.scenario.actions):
            if name not in action.players or action.move in self.removed:
                continue
            view = self.view.with_constants({"mover": float(player), **action.chosen})
            where = np.flatnonzero(self.holds(action.guard, view, f"{action.place}.when", f"guard of {action.label}"))
            if not len(where):
                continue
            if action.branches:
                what = f"{action.label} is uncertain, and a graph model has no chance"
                advice = f"leave it out (--remove {action.move}), or write its likeliest outcome as a move of its own"
                raise self.fail(action.place, "graph-uncertain", what, "moves with effects", advice)
            reached = self.reached(action, view.part(where))
            found = np.minimum(np.searchsorted(self.keys, reached), len(self.keys) - 1)
            kept = (self.keys[found] == reached) & (found != where)  # forbidden states are not there to move to
            pairs.append(np.stack([where[kept], found[kept]], axis=1))
            names.append(np.full(int(kept.sum()), index, dtype=np.int32))
            total += len(pairs[-1])
            if total > limit:
                what = f"{name} has more than {limit:,} moves in the graph model"
                advice = "list fewer [graph] variables, or offer fewer choices"
                raise self.fail(f"players.{name}", "too-many-states", what, "", advice)
        if not pairs:
            return np.empty((0, 2), dtype=np.int64), np.empty(0, dtype=np.int32)
        return np.concatenate(pairs), np.concatenate(names)

    def reached(self, action: Action, view: View) -> Keys:
        """Apply a move's effects; leaving a range is a mistake unless the variable clips, and so is changing what the model leaves out."""
        out = view.codes
        for name, expression in action.effects.items():
            variable = self.codec.by_id[name]
            place, high = f"{action.place}.effects.{name}", variable.low + variable.size - 1
            value = self.value(expression, view, place, f"effect of {action.label} on {name}")
            bad = (np.floor(value) != value) | (not variable.clip) & ((value < variable.low) | (value > high))
            if bad.any():
                state = self.codec.show(int(view.codes[int(np.flatnonzero(bad)[0])]), self.variables)
                what = f"{action.label} sets {name} to {value[bad][0]:g} at {state} of the graph model"
                advice = "guard the move: the graph model looks at states that play may never reach"
                raise self.fail(place, "effect-range", what, f"an integer from {variable.low} to {high}", advice)
            value = np.clip(value, variable.low, high)
            changed = value != view[name]
            if name not in self.variables and changed.any():
                state = self.codec.show(int(view.codes[int(np.flatnonzero(changed)[0])]), self.variables)
                what = f"{action.label} changes {name} at {state}, and [graph] variables leave {name} out"
                advice = f"list {name} there, or leave the move out (--remove {action.move})"
                raise self.fail(place, "graph-variable", what, "moves of the listed variables", advice)
            out = out + (value - view[name]).astype(np.int64) * self.codec.radix[name]
        return out

    # -- preferences and merging ----------------------------------------------------------------------------------

    def preferences(self) -> Ints:
        """Order the assignments for every player, shape (i, assignments)."""
        out: list[Ints] = []
        for player in self.scenario.players:
            total = np.zeros(len(self.keys))
            for term, expression in player.terms.items():
                place = f"payoffs.{player.id}.each_round"
                place, subject = (place, f"payoff of {player.id}") if term == "payoff" else (f"{place}.{term}", f"payoff of {player.id} ({term})")  # fmt: skip
                total = total + self.value(expression, self.view, place, subject)
            out.append(ranks(total, exact=bool(player.ordinal)))
        return np.stack(out)

    def merged(self, rank: Ints) -> tuple[Ints, Ints, dict[int, str]]:
        """Give each assignment its state: those that fulfil a condition of ``merge`` become one.

        Returns
        -------
        tuple
            The state of each assignment, the first assignment of each state, and the names of the merged states.
        """
        head = np.arange(len(self.keys))
        names: dict[int, str] = {}
        for name, condition in self.conflict.merge.items():
            place = f"graph.merge.{name}"
            members = np.flatnonzero(self.holds(condition, self.view, place, f"merge {name}"))
            if not len(members) and condition.reads & self.assumptions.keys():
                continue  # switched off
            if not len(members):
                what = f"merge {name} holds in no state of the graph model"
                raise self.fail(place, "graph-merge", what, "at least one state", "correct the condition, or remove it")
            twice = members[head[members] != members]
            twice = twice if len(twice) else np.intersect1d(members, list(names))
            if len(twice):
                what = f"merge {name} and an earlier condition both hold at {self.show(int(twice[0]))}"
                raise self.fail(place, "graph-merge", what, "conditions that exclude each other")
            for i, player in enumerate(self.scenario.player_ids):
                other = members[rank[i, members] != rank[i, members[0]]]
                if len(other):
                    pair = f"{self.show(int(members[0]))} and {self.show(int(other[0]))}"
                    what = f"merge {name} makes one of states between which {player} is not indifferent ({pair})"
                    advice = f"let the payoff of {player} order them alike, or keep them apart"
                    raise self.fail(place, "graph-merge", what, "states that tie for everybody", advice)
            head[members] = members[0]
            names[int(members[0])] = name
        first, state = np.unique(head, return_inverse=True)
        named = {int(np.searchsorted(first, place)): name for place, name in names.items()}
        return state.astype(np.int32), first.astype(np.int32), named


def _fixed(scenario: Scenario, settings: Mapping[str, Any] | None) -> dict[str, float]:
    """Return one number for each assumption, refusing a batch."""
    values = assumption_values(scenario, settings)
    several = [name for name, found in values.items() if found.size > 1]
    if several:
        message = f"assumption '{several[0]}' is set to several values; a graph model takes one at a time"
        raise OptionError(message)
    return {name: float(found[0]) for name, found in values.items()}


def graph_model(
    scenario: Scenario,
    settings: Mapping[str, Any] | None = None,
    *,
    remove: Iterable[str] = (),
    state_limit: int = STATE_LIMIT,
    move_limit: int = MOVE_LIMIT,
) -> GraphModel:
    """Read a scenario as a graph model.

    Parameters
    ----------
    scenario
        A loaded scenario; ``[graph]`` says which of its variables vary, all if it is missing.
    settings
        Values instead of base values, one for each assumption.
    remove
        Moves, or groups of moves, that nobody may make.
    state_limit, move_limit
        Refuse more assignments, or more moves of one player.

    Returns
    -------
    GraphModel
        With an :class:`Origin` that writes its states.

    Raises
    ------
    ScenarioError
        Where something reads the clock, is uncertain, changes a variable that is left out, leaves a range or has no value, or where
        ``merge`` would make one of states that somebody tells apart.
    OptionError
        For unknown assumptions or moves, and for batches.

    Examples
    --------
    >>> import sim
    >>> model = graph_model(sim.load("scenarios/chicken_graph.toml"))
    >>> [model.label(state) for state in range(model.state_count)]
    ['none', 'b_swerves', 'a_swerves', 'a_swerves, b_swerves']
    """
    removed: set[str] = set()
    for name in remove:
        members = scenario.members(name)
        if not members:
            known = {word for action in scenario.actions for word in (action.move, action.group) if word}
            message = f"'{name}' is not a move or group; {did_you_mean(name, known)}"
            raise OptionError(message)
        removed |= set(members)
    builder = _Builder(scenario, _fixed(scenario, settings), frozenset(removed))
    starts = builder.starts()
    builder.lay_out(starts, state_limit)
    preferences = builder.preferences()
    state, first, merged = builder.merged(preferences)
    moves = [builder.moves(player, move_limit) for player in range(len(scenario.players))]
    keys = builder.keys
    start = int(np.searchsorted(keys, builder.codec.encode(starts)))
    known = start < len(keys) and int(keys[start]) == builder.codec.encode(starts)
    origin = Origin(
        scenario=scenario,
        codec=builder.codec,
        variables=builder.variables,
        keys=frozen(keys),
        state=frozen(state),
        first=frozen(first),
        merged=merged,
        settings=dict(settings or {}),
        removed=tuple(sorted(removed)),
    )
    return make_model(
        scenario.player_ids,
        preferences[:, first],
        [state[pairs] for pairs, _ in moves],
        labels=[action.label for action in scenario.actions],
        names=[names for _, names in moves],
        start=int(state[start]) if known else -1,
        origin=origin,
    )
