"""A scenario after its names are resolved and its types are checked: plain frozen facts."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sim.errors import Problem
    from sim.numerics.orders import Poset
    from sim.scenario.tree import Expression, Labels

__all__ = [
    "BASE",
    "MAX_ROUNDS",
    "Action",
    "Assumption",
    "Branch",
    "Case",
    "Conflict",
    "Order",
    "Player",
    "Prior",
    "Private",
    "Question",
    "Record",
    "Scenario",
    "Turn",
    "Variable",
    "Variant",
]

BASE = "base"
"""The variant that every scenario has: nothing is set."""

MAX_ROUNDS = 1000
"""Rounds that a scenario may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Player:
    """Who decides: id, display name, discount factor δ, payoff terms paid each round and the final payoff.

    ``prospect`` holds the numbers by which chance is evaluated; it is empty if that is done by expectation.
    ``ordinal`` is ``"ranking"`` or ``"priorities"`` where the one term merely orders the states, by the conditions in ``order``.
    """

    id: str
    name: str
    discount: Expression
    terms: Mapping[str, Expression]
    final: Expression
    note: str = ""
    source: tuple[str, ...] = ()
    ordinal: str = ""
    order: tuple[Expression, ...] = ()
    prospect: Mapping[str, Expression] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumption:
    """A named number (or label) that someone could dispute.

    ``labels`` is set for a categorical assumption, whose value is then the index of its label.
    """

    id: str
    value: Expression
    range: tuple[float, float] | None
    choices: tuple[float, ...] | None
    labels: Labels | None
    basis: str
    source: tuple[str, ...]
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Assumptions of which only the order is known.

    Attributes
    ----------
    members
        Ids of assumptions.
    above
        Pairs (better, worse) of places in ``members``; what follows from them by transitivity need not be listed.
    low, high
        What the worst and the best are worth.
    """

    id: str
    members: tuple[str, ...]
    above: tuple[tuple[int, int], ...]
    low: float
    high: float
    basis: str
    source: tuple[str, ...] = ()
    note: str = ""

    @property
    def poset(self) -> Poset:
        """The order of the places in ``members``, for :mod:`sim.numerics.orders`."""
        from sim.numerics.orders import Poset

        return Poset(size=len(self.members), above=self.above)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A named set of values of assumptions; the variant ``base`` sets nothing."""

    id: str
    name: str = ""
    settings: Mapping[str, float | str] = field(default_factory=dict[str, Any])
    basis: str = "assumed"
    source: tuple[str, ...] = ()
    note: str = ""


def _base() -> dict[str, Variant]:
    """Name the variants of a scenario that declares none."""
    return {BASE: Variant(id=BASE, name=BASE)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A public state variable: integers ``low … low + size - 1``, perhaps with labels."""

    id: str
    kind: str
    low: int
    size: int
    labels: Labels | None
    start: Expression
    clip: bool = False
    combine: str = ""
    note: str = ""
    source: tuple[str, ...] = ()

    def show(self, value: float) -> str:
        """Write a value as the user would."""
        index = int(value)
        if self.kind == "flag":
            return "true" if index else "false"
        return self.labels.values[index] if self.labels and 0 <= index < len(self.labels.values) else str(index)


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """One outcome of chance or of an uncertain move."""

    label: str
    probability: Expression
    believes: Mapping[str, Expression]
    effects: Mapping[str, Expression]
    pays: Mapping[str, Expression]
    ends: bool
    place: str
    source: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A move, or one combination of a move's choices.

    ``branches`` is empty unless the move is uncertain. Actions of one ``group`` share one unit of weight.
    """

    move: str
    label: str
    name: str
    players: tuple[str, ...]
    guard: Expression
    effects: Mapping[str, Expression]
    pays: Mapping[str, Expression]
    branches: tuple[Branch, ...]
    chosen: Mapping[str, float]
    group: str
    ends: bool
    place: str
    source: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One guarded case of a chance event."""

    event: str
    guard: Expression
    branches: tuple[Branch, ...]
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A point of a round: a player's turn, that of several players at once, or chance events in order.

    ``rounds`` is None when it comes in every round; with ``every`` = k it comes in rounds k, 2k, ….
    """

    player: str
    events: tuple[str, ...]
    rounds: frozenset[int] | None
    together: tuple[str, ...] = ()
    every: int = 1

    def comes_in(self, number: int) -> bool:
        """Whether the turn is played in a round."""
        return (self.rounds is None or number in self.rounds) and number % self.every == 0

    @property
    def players(self) -> tuple[str, ...]:
        """Who chooses: one player, several at once, or nobody."""
        return self.together or ((self.player,) if self.player else ())


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """An outcome: a question asked of a path."""

    id: str
    expression: Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One step of the recorded history: a player's action, or an event's outcome; turn -1 is whichever comes first."""

    date: str
    round: int
    turn: int
    player: str
    action: str
    event: str
    label: str
    place: str
    source: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Which states the graph model looks at: the variables that vary, and conditions whose states count as one."""

    variables: tuple[str, ...]
    merge: Mapping[str, Expression]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Private:
    """What one player knows and the others do not: a type drawn once, at the start.

    Attributes
    ----------
    known_to
        The player who sees it.
    kind
        ``values`` for one of several labels, ``normal`` or ``uniform`` for a number.
    labels
        The labels of a type with ``values``.
    parameters
        The probability of each label (none if a joint table says it), or the two numbers of the distribution.
    known_as
        What everybody takes for granted where types are not asked for, or None.
    """

    id: str
    known_to: str
    kind: str
    labels: Labels | None
    parameters: tuple[Expression, ...]
    known_as: float | None
    note: str = ""
    source: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """How many values it has; 1 for a number."""
        return len(self.labels.values) if self.labels else 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """One row of a joint table: a value of each private type in the table, and how likely they are together."""

    values: Mapping[str, int]
    probability: Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A finite multi-stage game with observed actions, chance and perhaps private types, as its file tells it.

    Made by :func:`sim.load`; ``document`` is the parsed file, ``places`` its lines, ``warnings`` what ``sim check`` prints.

    Examples
    --------
    >>> import sim
    >>> scenario = sim.load(sim.template())
    >>> scenario.title, [player.id for player in scenario.players]
    ('A three-move crisis', ['challenger', 'defender'])
    """

    title: str
    note: str
    file: str
    rounds: int
    horizon: str
    players: tuple[Player, ...]
    assumptions: Mapping[str, Assumption]
    variables: tuple[Variable, ...]
    turns: tuple[Turn, ...]
    actions: tuple[Action, ...]
    chance: Mapping[str, tuple[Case, ...]]
    forbid: tuple[Expression, ...]
    questions: Mapping[str, Question]
    history: tuple[Record, ...]
    clock: tuple[str, ...]
    citation: Mapping[str, Any]
    document: Mapping[str, Any] = field(repr=False)
    places: Mapping[tuple[str | int, ...], int] = field(repr=False, compare=False)
    graph: Conflict | None = None
    privates: tuple[Private, ...] = ()
    prior: tuple[Prior, ...] = ()
    orders: tuple[Order, ...] = ()
    variants: Mapping[str, Variant] = field(default_factory=_base)
    warnings: tuple[Problem, ...] = field(default=(), compare=False)

    @property
    def player_ids(self) -> tuple[str, ...]:
        """The players' ids in the order of the file: axis ``i``."""
        return tuple(player.id for player in self.players)

    @property
    def endless(self) -> bool:
        """Whether the horizon is infinite."""
        return self.horizon == "infinite"

    @property
    def settled(self) -> int:
        """The last round named by a turn's schedule: from the next on, every round is like those before, up to ``period``."""
        return max((max(turn.rounds) for turn in self.turns if turn.rounds), default=0)

    @property
    def period(self) -> int:
        """After how many rounds the order of play repeats itself."""
        return math.lcm(*(turn.every for turn in self.turns))

    @property
    def ladder(self) -> Variable | None:
        """The first ladder of the file, whose rungs trajectories show."""
        return next((variable for variable in self.variables if variable.kind == "ladder"), None)

    def private(self, name: str) -> Private:
        """Return a private type by id."""
        return next(private for private in self.privates if private.id == name)

    def variable(self, name: str) -> Variable:
        """Return a state variable by id."""
        return next(variable for variable in self.variables if variable.id == name)

    def order(self, name: str) -> Order:
        """Return an order by id."""
        return next(order for order in self.orders if order.id == name)

    def members(self, name: str) -> tuple[str, ...]:
        """Return the moves that a move id or a group name stands for."""
        found = dict.fromkeys(action.move for action in self.actions if name in (action.move, action.group))
        return tuple(found)

    def date_of(self, number: int) -> str:
        """Return the date at which a round starts, or an empty text."""
        return self.clock[number - 1] if 0 < number <= len(self.clock) else ""
