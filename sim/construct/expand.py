"""The state space: from the start, all states that available moves and listed outcomes can reach, merged layer by layer.

A layer is one point of the order of play: a player's turn or a chance event in one round. Its states are kept as codes, successors are
computed for all states at once, and equal successors are merged by sorting. States in which no guard of an event holds skip that
event's layer. An uncertain move leads to a chance node of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.construct.codec import MAX_CODE, Codec
from sim.errors import Problem, ScenarioError
from sim.game.graph import CHANCE, TERMINAL, EdgeLabel, Graph
from sim.kinds import frozen
from sim.scenario.evaluate import evaluate
from sim.scenario.places import line_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sim.kinds import Bools, Floats, Keys
    from sim.scenario.expression import Expression
    from sim.scenario.model import Action, Branch, Case, Scenario

__all__ = ["NODE_LIMIT", "Expander", "Expansion", "LabelSource", "View", "locate"]

NODE_LIMIT = 5_000_000
"""Nodes at which the expansion stops, unless the caller allows more."""


def locate(scenario: Scenario, place: str, kind: str, what: str, expected: str = "", advice: str = "") -> Problem:
    """Make a problem that points at a key of the scenario's file."""
    path = tuple(int(part) if part.isdigit() else part for part in place.split("."))
    return Problem(
        kind=kind,
        what=what,
        expected=expected,
        advice=advice,
        place=place,
        file=scenario.file,
        line=line_of(scenario.places, path),
    )


class View(Mapping[str, Any]):
    """Values of names on many states at once; columns are decoded when first read."""

    def __init__(
        self, codec: Codec, keys: Keys, constants: Mapping[str, Any], parent: tuple[View, Any] | None = None
    ) -> None:
        self.codec, self.keys, self.constants, self.parent = codec, keys, constants, parent
        self.columns: dict[str, Floats] = {}

    def __getitem__(self, name: str) -> Any:
        """Return a constant or a column of shape ``(states,)``."""
        if name in self.constants:
            return self.constants[name]
        if name not in self.columns:
            self.columns[name] = (
                self.parent[0][name][self.parent[1]] if self.parent else self.codec.column(self.keys, name)
            )
        return self.columns[name]

    def __iter__(self) -> Iterator[str]:
        """Iterate over all readable names."""
        return iter((*self.constants, *self.codec.by_id))

    def __len__(self) -> int:
        """Count the readable names."""
        return len(self.constants) + len(self.codec.by_id)

    def part(self, chosen: Any) -> View:
        """Return the view of some of the states."""
        return View(self.codec, self.keys[chosen], self.constants, (self, chosen))

    def with_constants(self, more: Mapping[str, Any]) -> View:
        """Return the view with more constants, sharing the columns."""
        if not more:
            return self
        view = View(self.codec, self.keys, {**self.constants, **more}, self.parent)
        view.columns = self.columns
        return view


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelSource:
    """What an edge label came from: who moves, and the expressions that give its payments and probabilities."""

    action: Action | None = None
    branch: Branch | None = None
    case: Case | None = None
    player: int = CHANCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Expansion:
    """A graph whose payoff and probability rows are not yet assigned, with what its labels came from."""

    graph: Graph
    sources: tuple[LabelSource, ...]
    warnings: tuple[Problem, ...]
    played: frozenset[str]


class _Frontier:
    """States waiting to become nodes."""

    def __init__(self, *, merge: bool = True) -> None:
        self.merge = merge
        self.pending: list[Keys] = []
        self.count = 0
        self.target = np.empty(0, np.int64)
        self.inverse = np.empty(0, np.int64)
        self.next: _Frontier | None = None

    def push(self, keys: Keys) -> int:
        """Add states; return the position of the first."""
        self.pending.append(keys)
        self.count += len(keys)
        return self.count - len(keys)

    def close(self) -> Keys:
        """Merge equal states and return them in order of their codes."""
        keys = np.concatenate(self.pending) if self.pending else np.empty(0, np.int64)
        self.pending = []
        if not self.merge:
            self.inverse = np.arange(len(keys))
            return keys
        unique = np.unique(keys)
        self.inverse = np.searchsorted(unique, keys).astype(np.int32)
        return unique

    def resolve(self) -> None:
        """Replace references to the next frontier by node numbers; the next frontier must be resolved already."""
        if self.next is not None:
            waiting = self.target < 0
            self.target[waiting] = self.next.target[self.next.inverse[-self.target[waiting] - 1]]


@dataclass(slots=True, kw_only=True)
class _Block:
    """The edges that leave one layer, in the order of its nodes."""

    degree: Keys
    label: Any
    weight: Floats | None
    position: Any
    which: Any
    frontiers: tuple[_Frontier, ...]


@dataclass(slots=True, kw_only=True)
class _Option:
    """One action at one layer: where it is available and where it leads."""

    label: int
    group: str
    where: Any
    frontier: int
    position: int
    count: int
    clipped: bool = False
    keys: Keys | None = None


@dataclass(slots=True)
class Expander:
    """Expands one scenario; use :meth:`run` once.

    Parameters
    ----------
    scenario
        A loaded scenario.
    assumptions
        A number for each assumption that shapes the structure.
    rounds
        The last round.
    first
        The first round; with ``starts``, play begins there.
    starts
        Codes of the states in which play may start; by default the scenario's start.
    removed
        Moves that nobody may make.
    node_limit
        Stop with an error above this many nodes.
    progress
        Called with rounds done, rounds in all, and nodes so far.
    """

    scenario: Scenario
    assumptions: Mapping[str, float]
    rounds: int
    first: int = 1
    starts: Sequence[int] | None = None
    removed: frozenset[str] = frozenset()
    node_limit: int = NODE_LIMIT
    progress: Callable[[int, int, int], None] | None = None
    codec: Codec = field(init=False)
    labels: list[EdgeLabel] = field(init=False, default_factory=list[EdgeLabel])
    sources: list[LabelSource] = field(init=False, default_factory=list[LabelSource])
    label_index: dict[tuple[Any, ...], int] = field(init=False, default_factory=dict[tuple[Any, ...], int])
    layers: list[tuple[int, int, bool, Keys]] = field(init=False, default_factory=list[tuple[int, int, bool, Any]])
    blocks: list[_Block] = field(init=False, default_factory=list[_Block])
    frontiers: list[_Frontier] = field(init=False, default_factory=list[_Frontier])
    warnings: dict[tuple[str, str], Problem] = field(init=False, default_factory=dict[tuple[str, str], Problem])
    nodes: int = field(init=False, default=0)
    uncertain: set[int] = field(init=False, default_factory=set[int])

    # -- small helpers ----------------------------------------------------------------------------------------------------------------

    def fail(self, place: str, kind: str, what: str, expected: str = "", advice: str = "") -> ScenarioError:
        """Make the error for a state in which the scenario's rules break down."""
        return ScenarioError([locate(self.scenario, place, kind, what, expected, advice)])

    def constants(self, number: int) -> dict[str, Any]:
        """Return what is the same in all states of a round."""
        return {**self.assumptions, "round": float(number), "rounds_left": float(self.rounds - number)}

    def frontier(self, *, merge: bool = True) -> _Frontier:
        """Open a frontier."""
        self.frontiers.append(_Frontier(merge=merge))
        return self.frontiers[-1]

    def label(self, key: tuple[Any, ...], label: EdgeLabel, source: LabelSource) -> int:
        """Return the index of an edge label, making it if it is new."""
        if key not in self.label_index:
            self.label_index[key] = len(self.labels)
            self.labels.append(label)
            self.sources.append(source)
        return self.label_index[key]

    def holds(self, guard: Expression, view: View) -> Bools:
        """Evaluate a guard on all states."""
        if guard.constant is not None:
            return np.full(len(view.keys), bool(guard.constant))
        return np.broadcast_to(evaluate(guard.node, view) > 0, (len(view.keys),))

    def add_layer(self, player: int, number: int, keys: Keys, *, boundary: bool) -> None:
        """Number the nodes of a layer."""
        self.layers.append((player, number, boundary, keys))
        self.nodes += len(keys)
        if self.nodes > self.node_limit:
            raise self.fail(
                "state",
                "too-many-nodes",
                self.too_many(number),
                advice="give variables fewer values, play fewer rounds (--rounds), or raise the limit (--max-nodes)",
            )

    def too_many(self, number: int) -> str:
        """Say which variables multiply the states."""
        keys = self.layers[-1][3]
        spread = sorted(
            ((len(np.unique(self.codec.column(keys, name))), name) for name in self.codec.by_id), reverse=True
        )
        multipliers = ", ".join(f"{name} ({count} values)" for count, name in spread[:5] if count > 1)
        return f"the game has more than {self.node_limit:,} nodes ({self.nodes:,} reached in round {number} of {self.rounds}); the variables that multiply them: {multipliers}"

    # -- effects ------------------------------------------------------------------------------------------------------------------------

    def successors(self, effects: Mapping[str, Expression], view: View, place: str, owner: str) -> tuple[Keys, bool]:
        """Apply effects to all states of a view; tell whether a value was clipped."""
        keys = view.keys
        out = keys
        clipped = False
        for name, expression in effects.items():
            variable = self.codec.by_id[name]
            old = view[name]
            value: Any = expression.constant if expression.constant is not None else evaluate(expression.node, view)
            high = variable.low + variable.size - 1
            low_value, high_value = (
                (value, value)
                if isinstance(value, float)
                else (np.min(value, initial=variable.low), np.max(value, initial=variable.low))
            )
            whole = np.all(np.equal(np.floor(value), value))
            if variable.clip and whole and (low_value < variable.low or high_value > high):
                value, clipped = np.clip(value, variable.low, high), True
            elif not (low_value >= variable.low and high_value <= high and whole):
                raise self.leaves(place, owner, name, np.broadcast_to(value, keys.shape), view)
            out = out + (value - old).astype(np.int64) * self.codec.radix[name]
        return out, clipped

    def leaves(self, place: str, owner: str, name: str, values: Floats, view: View) -> ScenarioError:
        """Name the first state in which an effect leaves its variable's range."""
        variable = self.codec.by_id[name]
        high = variable.low + variable.size - 1
        bad = int(np.flatnonzero(~((values >= variable.low) & (values <= high) & (np.floor(values) == values)))[0])
        state = self.codec.show(int(view.keys[bad]))
        labels = f" ({variable.show(variable.low)} to {variable.show(high)})" if variable.labels else ""
        return self.fail(
            f"{place}.effects.{name}",
            "effect-range",
            f"{owner} sets {name} to {values[bad]:g} in round {int(view['round'])} at {state}",
            f"an integer from {variable.low} to {high}{labels}",
            "guard the move, use min or max, or say clip = true for the variable",
        )

    def forbidden(self, keys: Keys, constants: Mapping[str, Any]) -> Bools:
        """Tell which states no move may enter."""
        out = np.zeros(len(keys), dtype=bool)
        if len(keys):
            view = View(self.codec, keys, constants)
            for condition in self.scenario.forbid:
                out |= self.holds(condition, view)
        return out

    # -- layers -------------------------------------------------------------------------------------------------------------------------

    def player_layer(
        self, player: int, number: int, keys: Keys, after: _Frontier, ends: _Frontier, *, boundary: bool
    ) -> None:
        """Make the nodes of a player's turn, with one edge for each available action."""
        self.add_layer(player, number, keys, boundary=boundary)
        view = View(self.codec, keys, {**self.constants(number), "mover": float(player)})
        chance = self.frontier(merge=False)
        uncertain: list[tuple[Action, Keys]] = []
        options: list[_Option] = []
        name = self.scenario.player_ids[player]
        for action in self.scenario.actions:
            if name not in action.players or action.move in self.removed:
                continue
            option = self.option(action, player, view.with_constants(action.chosen), (after, ends, chance))
            if option:
                options.append(option)
                if action.branches:
                    uncertain.append((action, keys[option.where]))
        degree = np.zeros(len(keys), dtype=np.int64)
        for option in options:
            degree[option.where] += 1
        if not degree.all():
            state = self.codec.show(int(keys[int(np.flatnonzero(degree == 0)[0])]))
            raise self.fail(
                f"players.{name}",
                "no-move",
                f"player {name} has no available move in round {number} at {state}",
                "at least one",
                "add a move that holds there, such as hold",
            )
        self.warn_identical(options, len(keys), number)
        self.blocks.append(self.edges(degree, options, (after, ends, chance)))
        if uncertain:
            self.uncertain_layer(player, number, uncertain, chance, after, ends)

    def option(self, action: Action, player: int, view: View, frontiers: tuple[_Frontier, ...]) -> _Option | None:
        """Find where an action is available, and push where it leads."""
        available = self.holds(action.guard, view)
        if not available.any():
            return None
        where: Any = slice(None) if available.all() else np.flatnonzero(available)
        part = view if isinstance(where, slice) else view.part(where)
        clipped = False
        if action.branches:
            if self.scenario.forbid:
                bad = np.zeros(len(part.keys), dtype=bool)
                for branch in action.branches:
                    bad |= self.forbidden(
                        self.successors(
                            branch.effects, part, branch.place, f"outcome {branch.label} of {action.label}"
                        )[0],
                        part.constants,
                    )
                where, part = _without(where, part, bad)
            reached, target = part.keys, 2
        else:
            reached, clipped = self.successors(action.effects, part, action.place, action.label)
            if self.scenario.forbid:
                bad = self.forbidden(reached, part.constants)
                where, part = _without(where, part, bad)
                reached = reached[~bad]
            target = 1 if action.ends else 0
        if not len(reached):
            return None
        name = self.scenario.player_ids[player]
        label = EdgeLabel(text=action.label, move=action.move, player=name, group=action.group)
        index = self.label((action.label, player), label, LabelSource(action=action, player=player))
        position = frontiers[target].push(reached)
        return _Option(
            label=index,
            group=action.group,
            where=where,
            frontier=target,
            position=position,
            count=len(reached),
            clipped=clipped,
            keys=reached,
        )

    def warn_identical(self, options: list[_Option], size: int, number: int) -> None:
        """Warn of moves that clipping has made identical."""
        for option in options:
            if not option.clipped:
                continue
            mine = np.full(size, -1, dtype=np.int64)
            mine[option.where] = option.keys
            for other in options:
                key = (self.labels[option.label].text, self.labels[other.label].text)
                if other is option or other.frontier != option.frontier or key in self.warnings or other.keys is None:
                    continue
                theirs = np.full(size, -2, dtype=np.int64)
                theirs[other.where] = other.keys
                if (mine == theirs).any():
                    move = self.labels[option.label].move
                    what = f"clipping makes {key[0]} and {key[1]} identical in round {number}"
                    self.warnings[key] = locate(
                        self.scenario, f"moves.{move}", "clipped", what, advice="guard one of them"
                    )

    def edges(self, degree: Keys, options: list[_Option], frontiers: tuple[_Frontier, ...]) -> _Block:
        """Order a layer's edges by node, then by the order of the file."""
        total = int(degree.sum())
        fill = np.concatenate(([0], np.cumsum(degree)[:-1]))
        label = np.empty(total, dtype=np.int32)
        position = np.empty(total, dtype=np.int32)
        which = np.zeros(total, dtype=np.int8)
        weight = np.ones(total)
        sizes: dict[str, Any] = {}
        for option in options:
            if option.group:
                sizes.setdefault(option.group, np.zeros(len(degree)))[option.where] += 1
        for option in options:
            place = fill[option.where].copy()  # a slice would be a view
            fill[option.where] += 1
            label[place] = option.label
            position[place] = np.arange(option.position, option.position + option.count)
            if option.frontier:
                which[place] = option.frontier
            if option.group:
                weight[place] = 1 / sizes[option.group][option.where]
        return _Block(degree=degree, label=label, weight=weight, position=position, which=which, frontiers=frontiers)

    def uncertain_layer(
        self,
        player: int,
        number: int,
        uncertain: list[tuple[Action, Keys]],
        chance: _Frontier,
        after: _Frontier,
        ends: _Frontier,
    ) -> None:
        """Make the chance nodes that uncertain moves lead to."""
        keys = chance.close()
        chance.target = np.arange(self.nodes, self.nodes + len(keys))
        self.add_layer(CHANCE, number, keys, boundary=False)
        self.uncertain.add(len(self.layers) - 1)
        groups: list[tuple[tuple[Branch, ...], Any, View, tuple[Any, ...], LabelSource]] = []
        start = 0
        for action, some in uncertain:
            view = View(self.codec, some, {**self.constants(number), "mover": float(player), **action.chosen})
            groups.append(
                (
                    action.branches,
                    slice(start, start + len(some)),
                    view,
                    (action.label, player),
                    LabelSource(action=action, player=player),
                )
            )
            start += len(some)
        self.chance_edges(len(keys), groups, after, ends)

    def chance_layer(
        self,
        event: str,
        number: int,
        keys: Keys,
        frontier: _Frontier,
        after: _Frontier,
        ends: _Frontier,
        *,
        boundary: bool,
    ) -> None:
        """Make the nodes of a chance event; states in which no guard holds skip it, unless a round starts here."""
        view = View(self.codec, keys, self.constants(number))
        cases = self.scenario.chance.get(event, ())
        holding = np.full(len(keys), -1)
        for index, case in enumerate(cases):
            here = self.holds(case.guard, view)
            both = here & (holding >= 0)
            if both.any():
                bad = int(np.flatnonzero(both)[0])
                what = f"cases {int(holding[bad]) + 1} and {index + 1} of event {event} both hold in round {number} at {self.codec.show(int(keys[bad]))}"
                raise self.fail(case.place, "two-guards", what, "at most one", "make the guards exclude each other")
            holding[here] = index
        kept = np.arange(len(keys)) if boundary else np.flatnonzero(holding >= 0)
        frontier.target = np.empty(len(keys), dtype=np.int64)
        frontier.target[kept] = np.arange(self.nodes, self.nodes + len(kept))
        if len(kept) < len(keys):
            skipping = np.flatnonzero(holding < 0)
            frontier.target[skipping] = -1 - (after.push(keys[skipping]) + np.arange(len(skipping)))
            frontier.next = after
        if not len(kept):
            return
        self.add_layer(CHANCE, number, keys[kept], boundary=boundary)
        rank = np.full(len(keys), -1)
        rank[kept] = np.arange(len(kept))
        groups: list[tuple[tuple[Branch, ...], Any, View, tuple[Any, ...], LabelSource]] = []
        for index, case in enumerate(cases):
            here = np.flatnonzero(holding == index)
            if len(here):
                groups.append((case.branches, rank[here], view.part(here), (event, index), LabelSource(case=case)))
        quiet = np.flatnonzero(holding < 0) if boundary else np.empty(0, np.int64)
        if len(quiet):
            groups.append(((), rank[quiet], view.part(quiet), ("", 0), LabelSource()))
        self.chance_edges(len(kept), groups, after, ends)

    def chance_edges(
        self,
        size: int,
        groups: list[tuple[tuple[Branch, ...], Any, View, tuple[Any, ...], LabelSource]],
        after: _Frontier,
        ends: _Frontier,
    ) -> None:
        """Add the edges of chance nodes, one for each outcome; nothing happening is one certain edge."""
        degree = np.zeros(size, dtype=np.int64)
        options: list[_Option] = []
        for branches, where, view, key, source in groups:
            degree[where] = max(1, len(branches))
            if not branches:
                index = self.label(("",), EdgeLabel(text=""), LabelSource())
                options.append(
                    _Option(
                        label=index,
                        group="",
                        where=where,
                        frontier=0,
                        position=after.push(view.keys),
                        count=len(view.keys),
                    )
                )
            for branch in branches:
                owner = source.case.event if source.case else (source.action.label if source.action else "")
                keys, _ = self.successors(branch.effects, view, branch.place, f"outcome {branch.label} of {owner}")
                if self.scenario.forbid and source.case:
                    bad = self.forbidden(keys, view.constants)
                    if bad.any():
                        state = self.codec.show(int(keys[int(np.flatnonzero(bad)[0])]))
                        raise self.fail(
                            branch.place,
                            "forbidden",
                            f"outcome {branch.label} of event {owner} enters a forbidden state: {state}",
                            advice="guard the event",
                        )
                label = EdgeLabel(text=f"{owner}/{branch.label}", event=owner)
                made = LabelSource(action=source.action, branch=branch, case=source.case, player=source.player)
                index = self.label((*key, branch.label), label, made)
                target = ends if branch.ends else after
                options.append(
                    _Option(
                        label=index,
                        group="",
                        where=where,
                        frontier=int(branch.ends),
                        position=target.push(keys),
                        count=len(keys),
                    )
                )
        block = self.edges(degree, options, (after, ends))
        block.weight = None
        self.blocks.append(block)

    # -- the run ------------------------------------------------------------------------------------------------------------------------

    def start_keys(self) -> Keys:
        """Return the codes of the states in which play starts."""
        if self.starts is not None:
            return np.unique(np.array(self.starts, dtype=np.int64))
        values: dict[str, float] = {}
        for variable in self.scenario.variables:
            value = float(evaluate(variable.start.node, self.assumptions))
            if not (variable.low <= value < variable.low + variable.size and value == int(value)):
                what = f"start {value:g} of variable {variable.id} is outside its range"
                raise self.fail(
                    f"state.{variable.id}.start",
                    "outside-range",
                    what,
                    f"an integer from {variable.low} to {variable.low + variable.size - 1}",
                )
            values[variable.id] = value
        keys = np.array([self.codec.encode(values)], dtype=np.int64)
        if self.forbidden(keys, self.constants(self.first)).any():
            raise self.fail(
                "forbid",
                "forbidden",
                f"play starts in a forbidden state: {self.codec.show(int(keys[0]))}",
                advice="change a start, or the condition",
            )
        return keys

    def stages(self, number: int) -> list[tuple[int, str]]:
        """List the points of a round: a player's index, or chance and its event."""
        index = {name: place for place, name in enumerate(self.scenario.player_ids)}
        out: list[tuple[int, str]] = []
        for turn in self.scenario.turns:
            if turn.comes_in(number):
                out += [(index[turn.player], "")] if turn.player else [(CHANCE, event) for event in turn.events]
        return out or [(CHANCE, "")]

    def run(self) -> Expansion:
        """Expand the whole game."""
        self.codec = Codec(self.scenario.variables)
        if self.codec.size > MAX_CODE:
            largest = sorted(self.scenario.variables, key=lambda variable: -variable.size)[:5]
            what = f"the state variables multiply to {float(self.codec.size):.1e} combinations ({', '.join(f'{variable.id}: {variable.size}' for variable in largest)}, …)"
            raise self.fail(
                "state", "too-many-states", what, f"at most {float(MAX_CODE):.1e}", "give variables fewer values"
            )
        current = self.frontier()
        current.push(self.start_keys())
        roots = self.nodes
        root_count = current.count
        for number in range(self.first, self.rounds + 1):
            ends = self.frontier()
            stages = self.stages(number)
            for place, (player, event) in enumerate(stages):
                last = place == len(stages) - 1
                after = ends if last and number == self.rounds else self.frontier()
                keys = current.close()
                boundary = place == 0
                if player == CHANCE:
                    self.chance_layer(event, number, keys, current, after, ends, boundary=boundary)
                elif len(keys):
                    current.target = np.arange(self.nodes, self.nodes + len(keys))
                    self.player_layer(player, number, keys, after, ends, boundary=boundary)
                current = after
            self.terminal_layer(number, ends)
            if self.progress:
                self.progress(number - self.first + 1, self.rounds - self.first + 1, self.nodes)
        for frontier in reversed(self.frontiers):  # what a frontier refers to was opened later
            frontier.resolve()
        return self.finish(np.arange(roots, roots + root_count, dtype=np.int32))

    def terminal_layer(self, number: int, ends: _Frontier) -> None:
        """Make the terminal nodes of a round."""
        keys = ends.close()
        if len(keys):
            ends.target = np.arange(self.nodes, self.nodes + len(keys))
            self.add_layer(TERMINAL, number, keys, boundary=True)
            self.blocks.append(
                _Block(
                    degree=np.zeros(len(keys), np.int64),
                    label=np.empty(0, np.int32),
                    weight=None,
                    position=np.empty(0, np.int32),
                    which=np.empty(0, np.int8),
                    frontiers=(),
                )
            )

    def finish(self, roots: Any) -> Expansion:
        """Put the layers' arrays together."""
        dst: list[Any] = []
        for block in self.blocks:
            part = np.empty(len(block.label), dtype=np.int32)
            for index, frontier in enumerate(block.frontiers):
                mine = block.which == index
                if mine.all():
                    part[:] = frontier.target[frontier.inverse[block.position]]
                elif mine.any():
                    part[mine] = frontier.target[frontier.inverse[block.position[mine]]]
            dst.append(part)
        counts = [len(keys) for *_, keys in self.layers]
        nodes = sum(counts)
        players = len(self.scenario.players)
        edges = sum(len(part) for part in dst)
        node_key = np.concatenate([keys for *_, keys in self.layers])
        ladder = self.scenario.ladder
        rung = self.codec.column(node_key, ladder.id) if ladder else np.zeros(nodes)
        graph = Graph(
            players=self.scenario.player_ids,
            layer_start=frozen(np.concatenate(([0], np.cumsum(counts))).astype(np.int32)),
            layer_player=frozen(np.array([layer[0] for layer in self.layers], dtype=np.int32)),
            layer_round=frozen(np.array([layer[1] for layer in self.layers], dtype=np.int32)),
            layer_boundary=frozen(np.array([layer[2] for layer in self.layers], dtype=np.bool_)),
            edge_start=frozen(
                np.concatenate(([0], np.cumsum(np.concatenate([block.degree for block in self.blocks])))).astype(
                    np.int32
                )
            ),
            edge_dst=frozen(np.concatenate(dst)),
            edge_label=frozen(np.concatenate([block.label for block in self.blocks])),
            edge_weight=frozen(
                np.concatenate(
                    [block.weight if block.weight is not None else np.zeros(len(block.label)) for block in self.blocks]
                )
            ),
            edge_pay=frozen(np.zeros(edges, dtype=np.int32)),
            edge_prob=frozen(np.zeros(edges, dtype=np.int32)),
            node_reward=frozen(np.zeros((nodes, players), dtype=np.int32)),
            node_final=frozen(np.zeros((nodes, players), dtype=np.int32)),
            node_key=frozen(node_key),
            node_rung=frozen(rung),
            node_uncertain=frozen(np.repeat([index in self.uncertain for index in range(len(counts))], counts)),
            roots=frozen(roots),
            labels=tuple(self.labels),
        )
        played = frozenset(label.move for label in self.labels if label.move)
        return Expansion(
            graph=graph, sources=tuple(self.sources), warnings=tuple(self.warnings.values()), played=played
        )


def _without(where: Any, part: View, bad: Bools) -> tuple[Any, View]:
    """Drop the states in which an action would enter a forbidden one."""
    if not bad.any():
        return where, part
    good = np.flatnonzero(~bad)
    return (good if isinstance(where, slice) else where[good]), part.part(good)
