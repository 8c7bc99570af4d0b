"""The shape of a scenario file, as pydantic models.

These models know every word of the language, those of features to come included, and nothing of what the words mean: names, types
of expressions and ranges are the business of :mod:`sim.scenario.resolve`. Their JSON Schema, for editors, is printed by
``sim export --format schema``.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, WithJsonSchema

from sim.scenario.model import MAX_ROUNDS

__all__ = ["ID_PATTERN", "NOT_YET", "ScenarioFile"]

ID_PATTERN = r"^[A-Za-z][A-Za-z0-9_]{0,63}$"

MAX_EVERY = 24
"""Rounds after which a turn may come again at the latest."""

NOT_YET: dict[str, str] = {
    "packages": "negotiation over packages",
}
"""Words that the language reserves, each with the feature that is not built yet."""


def _text_or_number(value: object) -> object:
    if isinstance(value, (str, int, bool)) or (isinstance(value, float) and math.isfinite(value)):
        return value
    message = "an expression: a text, a finite number or true/false"
    raise ValueError(message)


def _names(value: object) -> object:
    names = [value] if isinstance(value, str) else value
    if isinstance(names, list) and all(isinstance(name, str) for name in names):
        return names
    message = "a text, or a list of texts"
    raise ValueError(message)


def _payoff(value: object) -> object:
    return {"payoff": value} if not isinstance(value, dict) else value


Expr = Annotated[Any, BeforeValidator(_text_or_number), WithJsonSchema({"type": ["string", "number", "boolean"]})]
Names = Annotated[
    list[str], BeforeValidator(_names), WithJsonSchema({"type": ["string", "array"], "items": {"type": "string"}})
]
Terms = Annotated[dict[str, Expr], BeforeValidator(_payoff), WithJsonSchema({"type": ["string", "number", "object"]})]
Basis = Literal["stated", "inferred", "assumed"]
Later = Annotated[Any, Field(default=None, description="reserved; not built yet")]


class Table(BaseModel):
    """A table whose unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Documented(Table):
    """Anything that may say where it comes from."""

    source: Names = Field(default_factory=list[str])
    note: str = ""


class SourceTable(Table):
    """What the scenario reads."""

    author: str = ""
    title: str = ""
    published: str = ""
    paragraphs: int | None = Field(default=None, ge=1)
    note: str = ""


class ClockTable(Table):
    """When each round starts."""

    starts: list[str] = Field(description="one 'YYYY-MM' for each round, rising")


class ProspectTable(Table):
    """How a player evaluates chance: cumulative prospect theory; by default the medians of Tversky & Kahneman (1992)."""

    curvature: Expr = 0.88
    loss_aversion: Expr = 2.25
    gains: Expr = 0.61
    losses: Expr = 0.69


class PlayerTable(Documented):
    """Who decides."""

    name: str = ""
    discount: Expr = 1.0
    prospect: ProspectTable | None = None


class AssumptionTable(Documented):
    """A number that someone could dispute."""

    value: Expr
    range: list[float] | None = Field(default=None, min_length=2, max_length=2)
    choices: list[Any] | None = Field(default=None)
    basis: Basis = "assumed"


class OrderTable(Documented):
    """Assumptions of which only the order is known; exactly one of ``order`` and ``worst_to_best``."""

    order: Names | None = None
    worst_to_best: list[str] | None = None
    range: list[float] | None = Field(default=None, min_length=2, max_length=2)
    basis: Basis = "assumed"


class VariantTable(Documented):
    """Values of assumptions that belong together."""

    name: str = ""
    set: dict[str, Any] = Field(default_factory=dict[str, Any])
    basis: Basis = "assumed"


class StateTable(Documented):
    """A public variable with a finite range; exactly one of the five kinds."""

    ladder: list[str] | None = None
    values: list[str] | None = None
    range: list[int] | None = Field(default=None, min_length=2, max_length=2)
    flag: StrictBool | None = None
    scale: str | None = None
    start: Expr
    clip: StrictBool = False
    combine: Literal["add", "max", "min"] | None = None


class TurnTable(Table):
    """Who moves, or which chance events happen, at this point of a round."""

    player: str | None = None
    chance: Names | None = None
    in_rounds: list[int] | None = None
    simultaneous: list[str] | None = Field(default=None, min_length=2)
    every: int | None = Field(default=None, ge=1, le=MAX_EVERY)
    note: str = ""


class OutcomeTable(Documented):
    """One outcome of chance or of an uncertain move."""

    label: str = ""
    probability: Expr
    believes: dict[str, Expr] = Field(default_factory=dict[str, Any])
    effects: dict[str, Expr] = Field(default_factory=dict[str, Any])
    pays: dict[str, Expr] = Field(default_factory=dict[str, Any])
    ends: StrictBool = False


class MoveTable(Documented):
    """An action that changes payoffs."""

    name: str = ""
    player: Names
    when: Expr = True
    effects: dict[str, Expr] = Field(default_factory=dict[str, Any])
    outcomes: list[OutcomeTable] = Field(default_factory=list[OutcomeTable])
    pays: dict[str, Expr] = Field(default_factory=dict[str, Any])
    choose: dict[str, list[Any]] = Field(default_factory=dict[str, list[Any]])
    group: str = ""
    ends: StrictBool = False


class ChanceTable(Documented):
    """One guarded case of a chance event."""

    when: Expr = True
    outcomes: list[OutcomeTable] = Field(min_length=1)


class PayoffTable(Table):
    """What a player is paid."""

    each_round: Terms = Field(default_factory=dict[str, Any])
    final: Expr = 0.0
    note: str = ""
    ranking: list[Expr] | None = Field(default=None, min_length=1)
    priorities: list[Expr] | None = Field(default=None, min_length=1)


def _chances(value: object) -> object:
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        return dict.fromkeys(value)
    if isinstance(value, dict):
        for chance in value.values():
            _text_or_number(chance)
        return value
    message = "a table of probabilities, or a list of labels"
    raise ValueError(message)


Chances = Annotated[
    dict[str, Any],
    BeforeValidator(_chances),
    WithJsonSchema({"type": ["object", "array"], "items": {"type": "string"}}),
]


class PrivateTable(Documented):
    """A type: drawn once, seen only by the named player; exactly one of ``values``, ``normal`` and ``uniform``."""

    known_to: str
    values: Chances | None = Field(default=None, min_length=1)
    normal: list[Expr] | None = Field(default=None, min_length=2, max_length=2)
    uniform: list[Expr] | None = Field(default=None, min_length=2, max_length=2)
    known_as: Any = None


class PriorTable(Table):
    """One row of the joint distribution of those types whose values carry no probabilities of their own."""

    types: dict[str, str]
    probability: Expr


class GraphTable(Table):
    """Which states the graph model looks at."""

    variables: list[str] | None = Field(default=None, min_length=1)
    merge: dict[str, Expr] = Field(default_factory=dict[str, Any])
    note: str = ""


class RecordTable(Documented):
    """One step of the recorded history."""

    date: str = ""
    round: int | None = None
    turn: int | None = None
    player: str = ""
    move: str = ""
    choose: dict[str, Any] = Field(default_factory=dict[str, Any])
    event: str = ""
    label: str = ""


class ScenarioFile(Table):
    """A scenario file."""

    title: str
    note: str = ""
    rounds: int = Field(default=1, ge=1, le=MAX_ROUNDS)
    horizon: Literal["finite", "infinite"] = "finite"
    forbid: list[Expr] = Field(default_factory=list[Any])
    source: SourceTable = Field(default_factory=SourceTable)
    clock: ClockTable | None = None
    players: dict[str, PlayerTable] = Field(min_length=1)
    assumptions: dict[str, AssumptionTable] = Field(default_factory=dict[str, AssumptionTable])
    orders: dict[str, OrderTable] = Field(default_factory=dict[str, OrderTable])
    variants: dict[str, VariantTable] = Field(default_factory=dict[str, VariantTable])
    state: dict[str, StateTable] = Field(min_length=1)
    private: dict[str, PrivateTable] = Field(default_factory=dict[str, PrivateTable])
    prior: list[PriorTable] = Field(default_factory=list[PriorTable])
    graph: GraphTable | None = None
    packages: Later = None
    turns: list[TurnTable] = Field(min_length=1)
    moves: dict[str, MoveTable] = Field(default_factory=dict[str, MoveTable])
    chance: dict[str, list[ChanceTable]] = Field(default_factory=dict[str, list[ChanceTable]])
    payoffs: dict[str, PayoffTable] = Field(default_factory=dict[str, PayoffTable])
    outcomes: dict[str, Expr] = Field(default_factory=dict[str, Any])
    history: list[RecordTable] = Field(default_factory=list[RecordTable])
