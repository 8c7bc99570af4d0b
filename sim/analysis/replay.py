"""The recorded history against the model, and play forward from any point of it.

Records are taken in order. What the source does not record is summed over: each record's probability is that of the recorded action
given all records before it. Where a solution gives a recorded action probability zero, history is *forced* through it: states keep
their weights and the recorded action is taken wherever it is available.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.analysis.choices import choosers
from sim.analysis.history import ANY, bypassing, places, record_text
from sim.analysis.paths import Paths, play
from sim.analysis.unroll import unrolled
from sim.errors import NoAnswerError, OptionError, ScenarioError, did_you_mean
from sim.game.graph import SIMULTANEOUS, TERMINAL
from sim.scenario.model import Record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sim.construct.compile import Origin
    from sim.errors import SimError
    from sim.kinds import Floats
    from sim.scenario.model import Scenario
    from sim.solve.contract import Solution

__all__ = ["RecordedStep", "Replay", "Situation", "parse_moment", "replay", "round_of", "situation", "split", "told"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedStep:
    """One record against the model.

    Attributes
    ----------
    record
        What the source says happened.
    probability
        The model's probability of it, given all records before.
    rank
        Its place among the alternatives by probability, 1 the likeliest; equal ones share the better place.
    alternatives
        Each alternative's probability, likeliest first.
    forced
        Whether the model gave it probability zero, so that history had to be forced through.
    uniform
        Its probability under uniform play (weighted), given the records before; chance keeps the model's.
    layer
        The layer of the graph at which it happened.
    """

    record: Record
    probability: float
    rank: int
    alternatives: tuple[tuple[str, float], ...]
    forced: bool
    uniform: float
    layer: int = -1

    @property
    def surprise(self) -> float:
        """−ln p, in nats; infinite for probability zero."""
        return -math.log(self.probability) + 0.0 if self.probability > 0 else math.inf

    @property
    def expected(self) -> str:
        """What the model would have done: the likeliest alternative."""
        return self.alternatives[0][0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """The recorded history against a solution.

    ``profile`` (1, e) weighs the records that were asked for and plays the solution after them; ``layer`` is that of the last record, -1
    without one.

    Examples
    --------
    >>> import sim
    >>> len(replay(sim.solve(sim.compile(sim.load(sim.template())), "subgame_perfect")).steps)
    0
    """

    solution: Solution
    steps: tuple[RecordedStep, ...]
    profile: Floats = field(repr=False)
    layer: int = -1

    @property
    def log_likelihood(self) -> float:
        """Logarithm of the probability of all recorded moves; chance is left out."""
        return 0.0 - sum((step.surprise for step in self.steps if step.record.player), 0.0)

    @property
    def uniform_log_likelihood(self) -> float:
        """The same under uniform play."""
        return sum((math.log(step.uniform) for step in self.steps if step.record.player), 0.0)

    def paths(self) -> Paths:
        """Play forward from where the records end."""
        return play(self.solution, self.profile)


class _Walker:
    """Takes one variant's records in order."""

    def __init__(self, solution: Solution, variant: int) -> None:
        self.solution = solution
        self.game = solution.game.take(slice(variant, variant + 1))
        self.graph = solution.game.graph
        self.profile = np.array(solution.profile[[variant]])
        self.layer = -1
        self.done = frozenset[str]()
        self.source = self.graph.edge_source()

    def reached(self) -> Floats:
        """Weigh every node, given the records so far."""
        from sim.game.referee import reach

        return reach(self.game, self.profile)[0]

    def mass(self, weights: Floats) -> float:
        """Weigh all histories."""
        graph = self.graph
        return float(
            sum(weights[graph.nodes(k)].sum() for k in range(graph.layer_count) if graph.layer_player[k] == TERMINAL)
        )

    def fail(self, record: Record, what: str) -> ScenarioError:
        """Make the error for a record that the game cannot follow."""
        from sim.construct.expand import locate

        origin: Origin = self.game.origin
        advice = "correct the record, record what happened before it, or widen the move's guard"
        return ScenarioError([locate(origin.scenario, record.place, "unavailable-record", what, advice=advice)])

    def take(self, record: Record) -> RecordedStep:
        """Follow one record."""
        graph = self.graph
        weights = self.reached()
        text = record_text(record)
        known = False
        for layer, edges, texts in places(graph, record, self.layer, self.done):
            matching = texts == text
            known = known or bool(matching.any())
            here = weights[self.source[edges]]
            if not (here[matching] > 0).any() or self.mass(weights) <= 0:
                continue
            self.done = self.done if layer == self.layer else frozenset()
            if graph.layer_player[layer] == SIMULTANEOUS:
                self.done |= {record.player}
            self.layer = layer
            return self.follow(record, edges, texts, matching, here, self.mass(weights))
        raise self.refuse(record, text, known=known)

    def refuse(self, record: Record, text: str, *, known: bool) -> SimError:
        """Make the error for a record that cannot be followed: removed, of probability 0, or not available."""
        origin: Origin = self.game.origin
        when = f"round {record.round}" + (f" ({record.date})" if record.date else "")
        if record.action.split("/")[0] in origin.removed:
            return OptionError(f"the recorded history says {text} in {when}, which --remove takes away")
        if known:
            what = f"the recorded history says {text} in {when}, but what is not recorded before it has probability 0"
            return NoAnswerError(f"{what} under {self.solution.concept}; record it too, or use quantal_response")
        who = f"{record.player} could not play {text}" if record.player else f"{text} could not happen"
        what = f"the recorded history says {text} in {when}, but {who} in any state that the earlier records leave"
        return self.fail(record, what)

    def follow(self, record: Record, edges: Any, texts: Any, matching: Any, here: Floats, mass: float) -> RecordedStep:
        """Keep only the recorded edges of a layer, and measure how likely they were."""
        flow = here * self.profile[0, edges] / mass
        alternatives = sorted(
            ((str(t), float(flow[texts == t].sum())) for t in dict.fromkeys(texts[here > 0]) if t),
            key=lambda pair: -pair[1],
        )
        probability = float(flow[matching].sum())
        rank = 1 + sum(1 for _, share in alternatives if share > probability + 1e-12)
        weight = self.graph.edge_weight[edges]
        node = self.source[edges]
        total = np.bincount(node - node.min(), weights=weight)[node - node.min()]
        even = np.divide(weight, total, out=np.ones_like(weight), where=total > 0)
        uniform = float((here * even / mass)[matching].sum()) if record.player else probability
        forced = probability <= 0
        kept = np.where(matching, self.others(record, edges) if forced else self.profile[0, edges], 0.0)
        self.profile[0, edges] = kept
        self.profile[0, bypassing(self.graph, self.layer)] = 0.0
        return RecordedStep(
            record=record,
            probability=min(probability, 1.0),
            rank=rank,
            alternatives=tuple(alternatives),
            forced=forced,
            uniform=uniform,
            layer=self.layer,
        )

    def others(self, record: Record, edges: Any) -> Floats:
        """Return how likely each edge would be if the recorded player surely did what it says: what the others do at once stays."""
        graph = self.graph
        if graph.layer_player[self.layer] != SIMULTANEOUS:
            return np.ones(len(edges))
        player = graph.players.index(record.player)
        behind = np.prod(graph.node_shape[self.source[edges], player + 1 :], axis=1, dtype=np.int64)
        rest = edges - graph.edge_action(player)[edges] * behind
        total: Floats = np.bincount(rest, weights=self.profile[0, edges], minlength=graph.edge_count).astype(np.float64)
        return total[rest]


def split(
    scenario: Scenario, until: str | int | None, player: str = "", skip: int = 0
) -> tuple[list[Record], list[Record]]:
    """Split the records into those before a date or a round, and the rest; a record without a date has that of its round.

    With a player, what is recorded between that point and the player's next record comes before it too. The first ``skip`` records lie
    before the start of the game.

    Examples
    --------
    >>> import sim
    >>> [len(part) for part in split(sim.load("scenarios/rock_bottom.toml"), "2016-10")]
    [11, 3]
    """
    records = list(scenario.history)[skip:]
    if until is None:
        return records, []

    moment = parse_moment(scenario, until)

    def before(record: Record) -> bool:
        if isinstance(moment, int):
            return record.round < moment
        return (record.date or scenario.date_of(record.round)) < moment

    count = next((place for place, record in enumerate(records) if not before(record)), len(records))
    if player:
        count = next((place for place in range(count, len(records)) if records[place].player == player), count)
    return records[:count], records[count:]


def told(scenario: Scenario, text: str) -> list[Record]:
    """Turn a history that the user tells, ``push > resist > election/hostile_wins``, into records.

    Each step is an action's label (``player:label`` where several players have it) or ``event/outcome``; it is looked for at the next
    point of the game at which it can happen.

    Raises
    ------
    OptionError
        For a step that is neither, and for one that several players could make.

    Examples
    --------
    >>> import sim
    >>> [record.player for record in told(sim.load(sim.template()), "push > resist")]
    ['challenger', 'defender']
    """
    out: list[Record] = []
    labels = {action.label: action.players for action in scenario.actions}
    events = {f"{x}/{y.label}": x for x, cases in scenario.chance.items() for case in cases for y in case.branches}
    for step in (word.strip() for word in text.split(">")):
        who, _, label = step.rpartition(":")
        if label in labels and (who in labels[label] or (not who and len(labels[label]) == 1)):
            player, event, outcome = who or labels[label][0], "", ""
        elif step in events:
            player, event, outcome, label = "", events[step], step.partition("/")[2], ""
        elif label in labels:
            raise OptionError(f"'{step}' may be made by {', '.join(labels[label])}; write player:{label}")
        else:
            kind = "neither a round nor a date (write 2016-10), nor a move or an event's outcome"
            raise OptionError(f"'{step}' is {kind}; {did_you_mean(step, [*labels, *events])}")
        record = Record(
            date="", round=ANY, turn=ANY, player=player, action=label, event=event, label=outcome, place="history"
        )
        out.append(record)
    return out


def replay(
    solution: Solution,
    until: str | int | None = None,
    variant: int = 0,
    player: str = "",
    records: Sequence[Record] | None = None,
) -> Replay:
    """Follow the recorded history.

    Parameters
    ----------
    solution
        A certified solution of a compiled scenario.
    until
        Follow only what was recorded before this date ("2016-10") or round.
    player
        Go on to this player's next record.
    variant
        Which variant.
    records
        Follow these instead of the scenario's.

    Raises
    ------
    ScenarioError
        When a recorded move was not available where it was made.
    """
    solution = unrolled(solution.require())
    walker = _Walker(solution, variant)
    origin: Origin = walker.game.origin
    wanted = records if records is not None else split(origin.scenario, until, player, origin.recorded)[0]
    played = (ANY, *range(origin.first, origin.rounds + 1))
    steps = tuple(walker.take(record) for record in wanted if record.round in played)
    one = solution
    if solution.game.variants > 1:
        one = one_variant(solution, variant)
    return Replay(solution=one, steps=steps, profile=walker.profile, layer=walker.layer)


def one_variant(solution: Solution, variant: int) -> Solution:
    """Return the solution of a single variant."""
    from dataclasses import replace

    index = slice(variant, variant + 1)
    measures = solution.certificate.measures
    arrays = {name: getattr(measures, name) for name in measures.__slots__ if name != "type_values"}
    kept: dict[str, Any] = {name: value[index] for name, value in arrays.items() if value is not None}
    picked = replace(measures, **kept, type_values=tuple(value[index] for value in measures.type_values))
    certificate = replace(solution.certificate, measures=picked)
    return replace(
        solution,
        game=solution.game.take(index),
        certificate=certificate,
        profile=solution.profile[index],
        assessment=solution.assessment.take(index) if solution.assessment else None,
        refinement=solution.refinement[index],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """A node at which somebody decides, found by walking the recorded history to a date.

    Attributes
    ----------
    node
        The likeliest node of the layer.
    share
        Its probability among the nodes of that layer, given the records.
    replay
        The walk.
    """

    node: int
    share: float
    replay: Replay


def situation(solution: Solution, at: str | int | None = None, player: str = "", variant: int = 0) -> Situation:
    """Find the decision node that the recorded history leads to.

    Parameters
    ----------
    solution
        A certified solution.
    at
        A date or round: records before it are followed. Or a history of its own, ``push > resist``; see :func:`told`. None: the
        first decision of the game.
    player
        Whose decision; by default the player of the next record, or the next player to move.

    Raises
    ------
    OptionError
        When no such decision follows.

    Examples
    --------
    >>> import sim
    >>> situation(sim.solve(sim.compile(sim.load(sim.template())), "subgame_perfect")).node
    0
    """
    from sim.game.referee import reach

    solution = unrolled(solution)
    graph = solution.game.graph
    scenario = solution.game.origin.scenario
    if player and player not in graph.players:
        raise OptionError(f"'{player}' is not a player; known: {', '.join(graph.players)}")
    if isinstance(at, str) and not at[:1].isdigit():
        wanted, number = player, 0
        walked = replay(solution, variant=variant, records=told(scenario, at))
    else:
        following = split(scenario, at, player, solution.game.origin.recorded)[1] if at is not None else []
        wanted = player or next((record.player for record in following if record.player), "")
        walked = replay(
            solution, until=at if at is not None else 0, variant=variant, player=wanted if at is not None else ""
        )
        number = next((record.round for record in following if record.player == wanted), round_of(solution, at))
    weights = reach(walked.solution.game, walked.profile)[0]
    exists = False
    for layer in range(walked.layer + 1, graph.layer_count):
        names = [graph.players[i] for i in choosers(graph, layer)]
        if names and graph.layer_round[layer] >= number and (not wanted or wanted in names):
            nodes = graph.nodes(layer)
            here = weights[nodes]
            exists = True
            if here.sum() > 0:
                return Situation(
                    node=nodes.start + int(here.argmax()), share=float(here.max() / here.sum()), replay=walked
                )
    why = "every such decision has probability 0 under this solution" if exists else "the game has none"
    raise OptionError(f"no decision{f' of {wanted}' if wanted else ''} follows {at}: {why}")


def round_of(solution: Solution, at: str | int | None) -> int:
    """Return the round of a date, or the round itself; the first round for None.

    Examples
    --------
    >>> import sim
    >>> round_of(sim.solve(sim.compile(sim.load(sim.template()))), None)
    1
    """
    origin: Origin = solution.game.origin
    if at is None:
        return origin.first
    moment = parse_moment(origin.scenario, at)
    if isinstance(moment, int):
        return moment
    starts = enumerate(origin.scenario.clock, 1)
    return max([number for number, start in starts if start <= moment], default=origin.first)


def parse_moment(scenario: Scenario, text: str | int) -> str | int:
    """Read a date ("2016-10", "2016-10-03") or a round.

    Raises
    ------
    OptionError
        For anything else, and for a date where the scenario has no clock.

    Examples
    --------
    >>> import sim
    >>> parse_moment(sim.load(sim.template()), "1")
    1
    """
    if isinstance(text, int) or re.fullmatch(r"[0-9]{1,3}", text):
        number = int(text)
        if 0 <= number <= scenario.rounds + 1:
            return number
        raise OptionError(f"round {number} is not in the scenario; expected 1 to {scenario.rounds}")
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])(-[0-3]\d)?", text, flags=re.ASCII):
        raise OptionError(f"'{text}' is neither a round nor a date; write a number, or a date such as 2016-10")
    if not scenario.clock:
        raise OptionError(f"'{text}' is a date, but the scenario has no [clock]; name a round")
    return text
