"""The state space: from the start, all states that available moves and listed outcomes can reach, merged layer by layer.

A layer is one point of the order of play: a player's turn or a chance event in one round. Its states are kept as codes, successors are
computed for all states at once, and equal successors are merged by sorting. States in which no guard of an event holds skip that
event's layer. An uncertain move leads to a chance node of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.construct.assemble import assemble
from sim.construct.codec import MAX_CODE, Codec
from sim.construct.frontier import Block, Frontier, LabelSource, Option, View, fault, locate
from sim.construct.together import joint_layer
from sim.errors import Problem, ScenarioError
from sim.game.graph import CHANCE, RETURN, SIMULTANEOUS, TERMINAL, EdgeLabel
from sim.scenario.evaluate import evaluate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sim.construct.assemble import Expansion
    from sim.construct.joint import Joint
    from sim.kinds import Bools, Floats, Keys
    from sim.scenario.model import Action, Branch, Scenario
    from sim.scenario.tree import Expression

__all__ = ["NODE_LIMIT", "Expander", "View", "locate"]

MOST_SHOWN = 5  # variables that a message lists
NODE_LIMIT = 5_000_000
"""Nodes at which the expansion stops, unless the caller allows more."""


@dataclass(frozen=True, slots=True)
class _Group:
    """Chance nodes with the same outcomes: those of one case of an event, or of one uncertain action."""

    branches: tuple[Branch, ...]
    where: Any
    view: View
    key: tuple[Any, ...]
    owner: str
    source: LabelSource


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
    first_turn
        The turn of the first round at which play begins, counted from 0.
    starts
        Codes of the states in which play may start; by default the scenario's start.
    removed
        Moves that nobody may make.
    node_limit
        Stop with an error above this many nodes.
    progress
        Called with rounds done, rounds in all, and nodes so far.
    endless
        Make the stationary game of an infinite horizon: the rounds that are scheduled one by one, then a period that leads back to itself.
    probing
        Only look where the stationary rounds lead.
    unrolled
        Keep the nodes at which the last round leaves off, in a last layer, apart from those at which play has ended.
    types
        For each player who has private types: what the names in his guards mean to each of his types.
    """

    scenario: Scenario
    assumptions: Mapping[str, float]
    rounds: int
    first: int = 1
    first_turn: int = 0
    starts: Sequence[int] | None = None
    removed: frozenset[str] = frozenset()
    node_limit: int = NODE_LIMIT
    progress: Callable[[int, int, int], None] | None = None
    endless: bool = False
    probing: bool = False
    unrolled: bool = False
    types: Mapping[str, Sequence[Mapping[str, float]]] = field(default_factory=dict[str, Any])
    codec: Codec = field(init=False)
    labels: list[EdgeLabel] = field(init=False, default_factory=list[EdgeLabel])
    sources: list[LabelSource] = field(init=False, default_factory=list[LabelSource])
    label_index: dict[tuple[Any, ...], int] = field(init=False, default_factory=dict[tuple[Any, ...], int])
    layers: list[tuple[int, int, bool, Keys]] = field(init=False, default_factory=list[tuple[int, int, bool, Any]])
    blocks: list[Block] = field(init=False, default_factory=list[Block])
    frontiers: list[Frontier] = field(init=False, default_factory=list[Frontier])
    warnings: dict[tuple[str, str], Problem] = field(init=False, default_factory=dict[tuple[str, str], Problem])
    nodes: int = field(init=False, default=0)
    uncertain: set[int] = field(init=False, default_factory=set[int])
    turn: int = field(init=False, default=0)
    layer_turns: list[int] = field(init=False, default_factory=list[int])
    shapes: dict[int, Any] = field(init=False, default_factory=dict[int, Any])
    joint: dict[int, tuple[Joint, ...]] = field(init=False, default_factory=dict[int, Any])

    # -- small helpers ----------------------------------------------------------------------------------------------------------------

    def fail(self, place: str, kind: str, what: str, expected: str = "", advice: str = "") -> ScenarioError:
        """Make the error for a state in which the scenario's rules break down."""
        return ScenarioError([locate(self.scenario, place, kind, what, expected, advice)])

    def constants(self, number: int) -> dict[str, Any]:
        """Return what is the same in all states of a round."""
        return {**self.assumptions, "round": float(number), "rounds_left": float(self.rounds - number)}

    def frontier(self, *, merge: bool = True) -> Frontier:
        """Open a frontier."""
        self.frontiers.append(Frontier(merge=merge))
        return self.frontiers[-1]

    def label(self, key: tuple[Any, ...], label: EdgeLabel, source: LabelSource) -> int:
        """Return the index of an edge label, making it if it is new."""
        if key not in self.label_index:
            self.label_index[key] = len(self.labels)
            self.labels.append(label)
            self.sources.append(source)
        return self.label_index[key]

    def holds(self, guard: Expression, view: View, place: str, owner: str) -> Bools:
        """Evaluate a condition on all states."""
        if guard.constant is not None:
            return np.full(len(view.codes), bool(guard.constant))
        self.check(guard, view, place, owner)
        return np.broadcast_to(evaluate(guard.node, view) > 0, (len(view.codes),))

    def check(self, expression: Expression, view: View, place: str, owner: str) -> None:
        """Stop if an expression has no value in some state."""
        found = fault(expression, view, view.codes.shape)
        if found:
            (bad,), kind, what = found
            state = self.codec.show(int(view.codes[bad]))
            what = f"{owner} {what} in round {int(view['round'])} at {state}"
            raise self.fail(place, kind, what, "a value in every state it is read in", "guard it with 'if' or 'and'")

    def add_layer(self, player: int, number: int, keys: Keys, *, boundary: bool) -> None:
        """Give the nodes of a layer their numbers."""
        self.layers.append((player, number, boundary, keys))
        self.layer_turns.append(self.turn)
        self.nodes += len(keys)
        if self.nodes > self.node_limit:
            advice = "give variables fewer values, play fewer rounds (--rounds), or raise the limit (--max-nodes)"
            expected = f"at most {self.node_limit:,}"
            raise self.fail("state", "too-many-nodes", self.too_many(number, keys), expected, advice)

    def too_many(self, number: int, keys: Keys) -> str:
        """Say how many nodes were reached, and which variables multiply them."""
        counts = [(len(np.unique(self.codec.column(keys, name))), name) for name in self.codec.by_id]
        most = sorted((item for item in counts if item[0] > 1), key=lambda item: -item[0])[:MOST_SHOWN]
        multipliers = ", ".join(f"{name} ({count} values)" for count, name in most) or "none"
        reached = f"the game reaches {self.nodes:,} nodes in round {number} of {self.rounds}, and more to come"
        return f"{reached}; the variables that multiply them: {multipliers}"

    # -- effects ------------------------------------------------------------------------------------------------------------------------

    def successors(
        self, effects: Mapping[str, Expression], view: View, place: str, owner: str
    ) -> tuple[Keys, Bools | None]:
        """Apply effects to all states of a view; tell where a value was clipped."""
        out = view.codes
        clipped: Bools | None = None
        for name, expression in effects.items():
            variable = self.codec.by_id[name]
            self.check(expression, view, f"{place}.effects.{name}", f"effect of {owner} on {name}")
            value: Any = expression.constant if expression.constant is not None else evaluate(expression.node, view)
            high = variable.low + variable.size - 1
            whole = bool(np.all(np.isfinite(value) & (np.floor(value) == value)))
            inside = bool(np.all((value >= variable.low) & (value <= high)))
            if not whole or not (inside or variable.clip):
                raise self.leaves(place, owner, name, np.broadcast_to(value, view.codes.shape), view)
            if not inside:
                kept = np.clip(value, variable.low, high)
                beyond = np.broadcast_to(kept != value, view.codes.shape)
                value, clipped = kept, beyond if clipped is None else clipped | beyond
            out = out + (value - view[name]).astype(np.int64) * self.codec.radix[name]
        return out, clipped

    def leaves(self, place: str, owner: str, name: str, values: Floats, view: View) -> ScenarioError:
        """Name the first state in which an effect leaves its variable's range."""
        variable = self.codec.by_id[name]
        high = variable.low + variable.size - 1
        good = np.isfinite(values) & (np.floor(values) == values)
        if not variable.clip:
            good &= (values >= variable.low) & (values <= high)
        bad = int(np.flatnonzero(~good)[0])
        state = self.codec.show(int(view.codes[bad]))
        labels = f" ({variable.show(variable.low)} to {variable.show(high)})" if variable.labels else ""
        what = f"{owner} sets {name} to {values[bad]:g} in round {int(view['round'])} at {state}"
        expected = f"an integer from {variable.low} to {high}{labels}"
        advice = "guard the move, use min or max, or say clip = true for the variable"
        return self.fail(f"{place}.effects.{name}", "effect-range", what, expected, advice)

    def forbidden(self, keys: Keys, constants: Mapping[str, Any]) -> Bools:
        """Tell which states no move may enter."""
        out = np.zeros(len(keys), dtype=bool)
        if len(keys):
            view = View(self.codec, keys, constants)
            for index, condition in enumerate(self.scenario.forbid):
                out |= self.holds(condition, view, f"forbid.{index}", f"forbid {index + 1}")
        return out

    # -- layers ---------------------------------------------------------------------------------------------------

    def player_layer(
        self, player: int, number: int, keys: Keys, after: Frontier, ends: Frontier, *, boundary: bool
    ) -> None:
        """Make the nodes of a player's turn, with one edge for each available action."""
        self.add_layer(player, number, keys, boundary=boundary)
        view = View(self.codec, keys, {**self.constants(number), "mover": float(player)})
        chance = self.frontier(merge=False)
        uncertain: list[tuple[Action, Keys]] = []
        options: list[Option] = []
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
        self.refuse_idle(name, number, keys, degree > 0)
        self.shapes[len(self.layers) - 1] = {player: degree}
        self.warn_identical(options, len(keys), number)
        self.blocks.append(self.edges(degree, options, (after, ends, chance)))
        if uncertain:
            self.uncertain_layer(player, number, uncertain, chance, after, ends)

    def refuse_idle(self, name: str, number: int, keys: Keys, able: Bools) -> None:
        """Stop if a player has nothing to choose somewhere."""
        if not able.all():
            state = self.codec.show(int(keys[int(np.flatnonzero(~able)[0])]))
            what = f"player {name} has no available move in round {number} at {state}"
            advice = "add a move that is available there, such as one that changes nothing"
            raise self.fail(f"players.{name}", "no-move", what, "at least one", advice)

    def option(self, action: Action, player: int, view: View, frontiers: tuple[Frontier, ...]) -> Option | None:
        """Find where an action is available, and push where it leads."""
        available, able = self.available(action, player, view)
        if not available.any():
            return None
        where: Any = slice(None) if available.all() else np.flatnonzero(available)
        part = view if isinstance(where, slice) else view.part(where)
        clipped: Bools | None = None
        if action.branches:
            reached, target = part.codes, 2
            arrivals = [
                self.successors(branch.effects, part, branch.place, f"outcome {branch.label} of {action.label}")[0]
                for branch in (action.branches if self.scenario.forbid else ())
            ]
        else:
            reached, clipped = self.successors(action.effects, part, action.place, action.label)
            target = 1 if action.ends else 0
            arrivals = [reached]
        if self.scenario.forbid:
            bad = np.logical_or.reduce([self.forbidden(keys, part.constants) for keys in arrivals])
            where = _without(where, bad)
            reached = reached[~bad]
            clipped = None if clipped is None else clipped[~bad]
        able = None if able is None else able[where]
        if not len(reached):
            return None
        name = self.scenario.player_ids[player]
        label = EdgeLabel(text=action.label, move=action.move, player=name, group=action.group)
        return Option(
            label=self.label(("move", action.label, player), label, LabelSource(action=action, player=player)),
            group=action.group,
            where=where,
            frontier=target,
            position=frontiers[target].push(reached),
            count=len(reached),
            keys=reached,
            clipped=clipped,
            able=able,
        )

    def available(self, action: Action, player: int, view: View) -> tuple[Bools, Keys | None]:
        """Find where an action is available to some type of its mover, and to which, as bits (None: to all)."""
        place, owner = f"{action.place}.when", f"guard of {action.move}"
        types = self.types.get(self.scenario.player_ids[player], ())
        if not types or not action.guard.reads.intersection(*types[:1]):
            return self.holds(action.guard, view, place, owner), None
        able = np.zeros(len(view.codes), dtype=np.int64)
        for k, values in enumerate(types):
            able[self.holds(action.guard, view.with_constants(values), place, owner)] |= 1 << k
        return able > 0, able

    def warn_identical(self, options: list[Option], size: int, number: int) -> None:
        """Warn of moves that clipping has made identical: they lead to the same state and pay the same."""
        for option in options:
            if option.clipped is None:
                continue
            mine = np.full(size, -1, dtype=np.int64)
            mine[option.where] = np.where(option.clipped, option.keys, -1)
            for other in options:
                names = sorted((self.labels[option.label].text, self.labels[other.label].text))
                pair = (names[0], names[1])
                if other is option or other.frontier != option.frontier or pair in self.warnings:
                    continue
                theirs = np.full(size, -2, dtype=np.int64)
                theirs[other.where] = other.keys
                if (mine == theirs).any() and self.pays(option) == self.pays(other):
                    state = self.codec.show(int(self.layers[-1][3][int(np.flatnonzero(mine == theirs)[0])]))
                    what = f"clipping makes {pair[0]} and {pair[1]} identical in round {number} at {state}"
                    place = f"moves.{self.labels[option.label].move}"
                    self.warnings[pair] = locate(self.scenario, place, "clipped", what, advice="guard one of them")

    def pays(self, option: Option) -> dict[str, str]:
        """Return the text of what an action pays."""
        action = self.sources[option.label].action
        return {player: expression.text for player, expression in action.pays.items()} if action else {}

    def edges(self, degree: Keys, options: list[Option], frontiers: tuple[Frontier, ...]) -> Block:
        """Order a layer's edges by node, then by the order of the file."""
        total = int(degree.sum())
        fill = np.concatenate(([0], np.cumsum(degree)[:-1]))
        label = np.empty(total, dtype=np.int32)
        position = np.empty(total, dtype=np.int32)
        which = np.zeros(total, dtype=np.int8)
        weight = np.ones(total)
        able = np.full(total, -1) if any(option.able is not None for option in options) else None
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
            if option.weight is not None:
                weight[place] = option.weight
            if able is not None and option.able is not None:
                able[place] = option.able
        return Block(
            degree=degree, label=label, weight=weight, position=position, which=which, frontiers=frontiers, able=able
        )

    def uncertain_layer(
        self,
        player: int,
        number: int,
        uncertain: list[tuple[Action, Keys]],
        chance: Frontier,
        after: Frontier,
        ends: Frontier,
    ) -> None:
        """Make the chance nodes that uncertain moves lead to."""
        keys = chance.close()
        chance.target = np.arange(self.nodes, self.nodes + len(keys))
        self.add_layer(CHANCE, number, keys, boundary=False)
        self.uncertain.add(len(self.layers) - 1)
        groups: list[_Group] = []
        start = 0
        for action, some in uncertain:
            view = View(self.codec, some, {**self.constants(number), "mover": float(player), **action.chosen})
            where = slice(start, start + len(some))
            source = LabelSource(action=action, player=player)
            key = ("move", action.label, player, self.turn if player == SIMULTANEOUS else 0)
            groups.append(_Group(action.branches, where, view, key, action.label, source))
            start += len(some)
        self.chance_edges(len(keys), groups, after, ends)

    def chance_layer(
        self,
        event: str,
        number: int,
        keys: Keys,
        frontier: Frontier,
        after: Frontier,
        ends: Frontier,
        *,
        boundary: bool,
    ) -> None:
        """Make the nodes of a chance event; states in which no guard holds skip it, unless a round starts here."""
        view = View(self.codec, keys, self.constants(number))
        holding = self.case_of(event, view)
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
        groups: list[_Group] = []
        for index, case in enumerate(self.scenario.chance.get(event, ())):
            here = np.flatnonzero(holding == index)
            if len(here):
                source = LabelSource(case=case)
                groups.append(
                    _Group(case.branches, rank[here], view.part(here), ("event", event, index), event, source)
                )
        quiet = np.flatnonzero(holding < 0) if boundary else np.empty(0, np.int64)
        if len(quiet):
            groups.append(_Group((), rank[quiet], view.part(quiet), ("nothing",), "", LabelSource()))
        self.chance_edges(len(kept), groups, after, ends)

    def case_of(self, event: str, view: View) -> Keys:
        """Find which case of an event holds in each state; -1 where none does."""
        holding = np.full(len(view.codes), -1, dtype=np.int64)
        for index, case in enumerate(self.scenario.chance.get(event, ())):
            here = self.holds(case.guard, view, f"{case.place}.when", f"guard of event {event}")
            both = here & (holding >= 0)
            if both.any():
                bad = int(np.flatnonzero(both)[0])
                state = self.codec.show(int(view.codes[bad]))
                cases = f"cases {int(holding[bad]) + 1} and {index + 1} of event {event}"
                what = f"{cases} both hold in round {int(view['round'])} at {state}"
                advice = "make the guards exclude each other"
                raise self.fail(f"{case.place}.when", "two-guards", what, "at most one", advice)
            holding[here] = index
        return holding

    def chance_edges(self, size: int, groups: list[_Group], after: Frontier, ends: Frontier) -> None:
        """Add the edges of chance nodes, one for each outcome; nothing happening is one certain edge."""
        degree = np.zeros(size, dtype=np.int64)
        options: list[Option] = []
        for group in groups:
            degree[group.where] = max(1, len(group.branches))
            if not group.branches:
                index = self.label(group.key, EdgeLabel(text=""), LabelSource())
                options.append(_arrive(index, group, 0, after, group.view.codes))
            for branch in group.branches:
                owner = f"outcome {branch.label} of {group.owner}"
                keys, _ = self.successors(branch.effects, group.view, branch.place, owner)
                if self.scenario.forbid and group.source.case:  # a move that could enter one is not available
                    self.refuse_forbidden(keys, group.view, branch, owner)
                label = EdgeLabel(text=f"{group.owner}/{branch.label}", event=group.owner)
                index = self.label((*group.key, branch.label), label, replace(group.source, branch=branch))
                options.append(_arrive(index, group, int(branch.ends), ends if branch.ends else after, keys))
        block = self.edges(degree, options, (after, ends))
        block.weight = None
        self.blocks.append(block)

    def refuse_forbidden(self, keys: Keys, view: View, branch: Branch, owner: str) -> None:
        """Stop if chance enters a forbidden state."""
        bad = self.forbidden(keys, view.constants)
        if bad.any():
            state = self.codec.show(int(keys[int(np.flatnonzero(bad)[0])]))
            what = f"{owner} enters a forbidden state in round {int(view['round'])}: {state}"
            raise self.fail(branch.place, "forbidden", what, advice="guard the event, or change the condition")

    # -- the run ------------------------------------------------------------------------------------------------------------------------

    def start_keys(self) -> Keys:
        """Return the codes of the states in which play starts."""
        if self.starts is not None:
            return np.unique(np.array(self.starts, dtype=np.int64))
        values: dict[str, float] = {}
        for variable in self.scenario.variables:
            value = float(evaluate(variable.start.node, self.assumptions))
            high = variable.low + variable.size - 1
            if not (variable.low <= value <= high and value == int(value)):
                what = f"start {value:g} of variable {variable.id} is outside its range"
                expected = f"an integer from {variable.low} to {high}"
                raise self.fail(f"state.{variable.id}.start", "outside-range", what, expected)
            values[variable.id] = value
        keys = np.array([self.codec.encode(values)], dtype=np.int64)
        if self.forbidden(keys, self.constants(self.first)).any():
            what = f"play starts in a forbidden state: {self.codec.show(int(keys[0]))}"
            raise self.fail("forbid", "forbidden", what, advice="change a start, or the condition")
        return keys

    def stages(self, number: int) -> list[tuple[int, str, int]]:
        """List the points of a round: a player's index, or chance and its event; and the turn they belong to."""
        index = {name: place for place, name in enumerate(self.scenario.player_ids)}
        out: list[tuple[int, str, int]] = []
        for turn, table in enumerate(self.scenario.turns):
            if table.together and table.comes_in(number) and (number > self.first or turn >= self.first_turn):
                out.append((SIMULTANEOUS, "", turn))
            elif table.comes_in(number) and (number > self.first or turn >= self.first_turn):
                out += [(index[table.player], "", turn)] if table.player else [(CHANCE, x, turn) for x in table.events]
        return out or [(CHANCE, "", 0)]

    def run(self) -> Expansion:
        """Expand the whole game."""
        self.codec = Codec(self.scenario.variables)
        if self.codec.size > MAX_CODE:
            largest = sorted(self.scenario.variables, key=lambda variable: -variable.size)[:MOST_SHOWN]
            named = ", ".join(f"{variable.id}: {variable.size}" for variable in largest)
            what = f"the state variables multiply to {float(self.codec.size):.1e} combinations ({named}, …)"
            expected = f"at most {float(MAX_CODE):.1e}"
            raise self.fail("state", "too-many-states", what, expected, "give variables fewer values")
        start = self.frontier()
        count = start.push(self.start_keys()) or start.count
        last = self.scenario.settled + self.scenario.period if self.endless else self.rounds
        self.play_rounds(start, self.first, last)
        for frontier in reversed(self.frontiers):  # what a frontier refers to was opened later
            frontier.resolve()
        return assemble(self, start.target[start.inverse[:count]].astype(np.int32))

    def play_rounds(self, current: Frontier, first: int, last: int) -> Keys:
        """Expand some rounds; return the states in which play goes on after the last."""
        for number in range(first, last + 1):
            if self.endless and number == self.scenario.settled + 1 and not self.probing:
                current.push(self.closure(current, last))
            ends = self.frontier()
            stages = self.stages(number)
            after = current
            for place, (player, event, self.turn) in enumerate(stages):
                final = place == len(stages) - 1 and number == last
                after = ends if final and not (self.endless or self.unrolled) else self.frontier()
                keys = current.close()
                boundary = place == 0
                if player == CHANCE:
                    self.chance_layer(event, number, keys, current, after, ends, boundary=boundary)
                elif len(keys):
                    current.target = np.arange(self.nodes, self.nodes + len(keys))
                    if player == SIMULTANEOUS:
                        joint_layer(self, number, keys, (after, ends), boundary=boundary)
                    else:
                        self.player_layer(player, number, keys, after, ends, boundary=boundary)
                current = after
            self.last_layer(TERMINAL, number, ends)
            if self.progress:
                self.progress(number - self.first + 1, last - self.first + 1, self.nodes)
        if self.unrolled:
            self.last_layer(TERMINAL, last, current)
        return self.last_layer(RETURN, last, current) if self.endless else np.empty(0, np.int64)

    def closure(self, current: Frontier, last: int) -> Keys:
        """Find all states that the stationary rounds can reach from those that wait."""
        known = np.unique(np.concatenate(current.pending)) if current.pending else np.empty(0, np.int64)
        fresh = known
        while len(fresh):
            probe = _probe(self)
            waiting = probe.frontier()
            waiting.push(fresh)
            reached = np.unique(probe.play_rounds(waiting, self.scenario.settled + 1, last))
            fresh = np.setdiff1d(reached, known)
            known = np.union1d(known, fresh)
            if len(known) > self.node_limit:
                raise self.fail(
                    "state",
                    "too-many-nodes",
                    f"the stationary game reaches more than {self.node_limit:,} states",
                    f"at most {self.node_limit:,}",
                    "give variables fewer values, or raise the limit (--max-nodes)",
                )
        return known

    def last_layer(self, kind: int, number: int, ends: Frontier) -> Keys:
        """Make the nodes at which a round ends play, or leads back to an earlier one; return their states."""
        keys = ends.close()
        if len(keys):
            ends.target = np.arange(self.nodes, self.nodes + len(keys))
            self.add_layer(kind, number, keys, boundary=True)
            none = np.empty(0, np.int32)
            degree = np.zeros(len(keys), np.int64)
            self.blocks.append(Block(degree=degree, label=none, weight=None, position=none, which=none, frontiers=()))
        return keys


def _probe(expander: Expander) -> Expander:
    """Make an expander that looks where the stationary rounds lead."""
    probe = Expander(
        expander.scenario,
        expander.assumptions,
        expander.rounds,
        removed=expander.removed,
        node_limit=expander.node_limit,
        endless=True,
        probing=True,
    )
    probe.codec = expander.codec
    return probe


def _without(where: Any, bad: Bools) -> Any:
    """Drop the states in which an action would enter a forbidden one."""
    if not bad.any():
        return where
    good = np.flatnonzero(~bad)
    return good if isinstance(where, slice) else where[good]


def _arrive(label: int, group: _Group, which: int, frontier: Frontier, keys: Keys) -> Option:
    """Push where an outcome of chance leads."""
    position = frontier.push(keys)
    return Option(
        label=label, group="", where=group.where, frontier=which, position=position, count=len(keys), keys=keys
    )
