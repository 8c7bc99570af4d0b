"""One question asked of many variants: numbers in, one number out for each.

This is what thresholds, borders, sensitivities, attributions, boxes and inverse questions are built on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.analysis.outcomes import lone_first
from sim.analysis.plan import ConceptSpec, Measure
from sim.analysis.replay import parse_moment
from sim.analysis.survey import Case, Survey
from sim.errors import OptionError, did_you_mean
from sim.scenario.values import assumption_values, parse_setting, structural

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sim.kinds import Floats
    from sim.scenario.model import Scenario

__all__ = ["Asker", "Question", "read_question"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked of every variant.

    Attributes
    ----------
    text
        As it was written.
    name
        The name of the answer in a survey.
    outcome
        The outcome of the scenario that must be computed for it, if any.
    measure
        The measure that must be taken for it, if any.
    """

    text: str
    name: str
    outcome: str = ""
    measure: Measure | None = None

    @property
    def words(self) -> str:
        """The question as one reads it: an advantage or a probability of a move says where, an outcome is its name."""
        m = self.measure
        if m is None or not (m.advantage or m.chosen or m.worth):
            return self.text.replace("_", " ")
        what = f"advantage of {m.advantage}" if m.advantage else f"probability of {m.chosen}"
        what = f"worth of {m.worth}" if m.worth else what
        paid = ", ".join(f"{name} = {value:g}" for name, value in m.paid.items())
        return what.replace("_", " ") + (f" at {m.at}" if m.at else "") + (f", paid at {paid}" if paid else "")


def read_question(scenario: Scenario, text: str) -> Question:
    """Read a question.

    Parameters
    ----------
    scenario
        The scenario.
    text
        The name of an outcome (``NAME.never`` and ``NAME.round`` for a lone ``first``); ``value_PLAYER``; ``likelihood`` of the recorded history;
        ``advantage(MOVE @ DATE)``, how much better a move or group is than the best other move, and ``chosen(MOVE @ DATE)``, how likely it is, at
        the decision to which the recorded history leads: ``DATE`` or ``DATE:PLAYER``; without ``@ DATE`` at the first decision.
        ``advantage(MOVE @ DATE | NAME=VALUE, …)`` pays the same strategies as if these assumptions had these values.
        ``worth(MOVE @ DATE)`` is what the move is worth to its mover, and may name an action by its label; ``range_PLAYER`` the range of a
        player's payoffs, by which ties are told; ``state(DATE)`` the number of the node that is meant.

    Raises
    ------
    OptionError
        For anything else, with advice.

    Examples
    --------
    >>> import sim
    >>> read_question(sim.load("scenarios/rock_bottom.toml"), "advantage(gambit @ 2016-10:russia)").measure.player
    'russia'
    """
    found = re.fullmatch(
        r"\s*(advantage|chosen|worth)\s*\(\s*(\w+|[^@|]*?\S)\s*(?:@\s*([^:|\s)]*)\s*(?::\s*(\w+))?\s*)?(?:\|([^)]*))?\)\s*",
        text,
    )
    if found:
        form, move, at, player = found[1], found[2], found[3] or "", found[4] or ""
        paid = dict(parse_setting(one, "paid", "reset_on=0") for one in found[5].split(",")) if found[5] else {}
        assumption_values(scenario, paid)
        shaping = sorted(set(paid) & structural(scenario))
        if shaping or (paid and form != "advantage"):
            why = f"'{shaping[0]}' shapes the game" if shaping else f"{form} is no payoff"
            raise OptionError(
                f"'{text}': {why}, so that strategies cannot be paid at other values; leave out what follows |"
            )
        moves = {word for action in scenario.actions for word in (action.move, action.group) if word}
        moves |= {action.label for action in scenario.actions if form == "worth"}
        if move not in moves:
            raise OptionError(f"'{text}' names '{move}', which is not a move or group; {did_you_mean(move, moves)}")
        if player and player not in scenario.player_ids:
            raise OptionError(
                f"'{text}' names '{player}', who is not a player; {did_you_mean(player, scenario.player_ids)}"
            )
        if at:
            parse_moment(scenario, at)
        measure = Measure.model_validate({form: move, "at": at, "player": player, "paid": paid})
        return Question(text=text, name="asked", measure=measure)
    name = text.strip()
    node = re.fullmatch(r"state\(\s*([^:|\s)]*)\s*(?::\s*(\w+))?\s*\)", name)
    if node:
        if node[1]:
            parse_moment(scenario, node[1])
        return Question(text=text, name="asked", measure=Measure(state=True, at=node[1], player=node[2] or ""))
    if name == "likelihood":
        if not scenario.history:
            raise OptionError("likelihood needs a recorded history, and the scenario has none; add [[history]] tables")
        return Question(text=text, name="asked", measure=Measure(likelihood=True))
    if name in {f"range_{player}" for player in scenario.player_ids}:
        return Question(text=text, name="asked", measure=Measure(range_of=name.removeprefix("range_")))
    if name in {f"value_{player}" for player in scenario.player_ids}:
        return Question(text=text, name=name)
    outcome, _, end = name.partition(".")
    if outcome in scenario.questions and end in ("", "never", "round"):
        lone = lone_first(scenario.questions[outcome].expression)
        if lone != bool(end):
            advice = f"ask {outcome}.never or {outcome}.round" if lone else f"ask {outcome}"
            raise OptionError(f"'{text}': {outcome} is {'a' if lone else 'not a'} lone first(…); {advice}")
        return Question(text=text, name=name, outcome=outcome)
    known = [*scenario.questions, *(f"value_{player}" for player in scenario.player_ids), "likelihood"]
    advice = "or write advantage(MOVE @ DATE) or chosen(MOVE @ DATE)"
    raise OptionError(f"'{text}' is not a question that can be asked; {did_you_mean(outcome, known)}; {advice}")


@dataclass(slots=True, kw_only=True)
class Asker:
    """Asks questions of many variants under one concept.

    Attributes
    ----------
    scenario
        The scenario.
    questions
        What is asked, as texts.
    concept, options
        How every variant is solved.
    case
        Which game is played, and from where it is followed.

    Examples
    --------
    >>> import sim
    >>> ask = Asker(scenario=sim.load(sim.template()), questions=("war",), concept="quantal_response", options={"precision": 2.0})
    >>> ask({"prize": np.array([1.0, 4.0])}).shape
    (2,)
    """

    scenario: Scenario
    questions: Sequence[str]
    concept: str = "subgame_perfect"
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    case: Case = field(default_factory=Case)
    read: tuple[Question, ...] = field(init=False)
    survey: Survey = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Read the questions."""
        self.read = tuple(read_question(self.scenario, text) for text in self.questions)
        outcomes = list(dict.fromkeys(one.outcome for one in self.read if one.outcome))
        measures = {f"asked_{place}": one.measure for place, one in enumerate(self.read) if one.measure is not None}
        spec = ConceptSpec.model_validate({"concept": self.concept, "label": self.concept, **self.options})
        self.survey = Survey(self.scenario, [self.case], [spec], outcomes=outcomes, measures=measures)

    @property
    def solves(self) -> int:
        """How many variants have been solved so far."""
        return self.survey.solves

    def base(self, names: Sequence[str]) -> dict[str, float]:
        """Return the values of assumptions where nothing varies."""
        values = assumption_values(self.scenario, self.case.set)
        return {name: float(values[name][0]) for name in names}

    def __call__(self, columns: Mapping[str, Any], count: int | None = None) -> Floats:
        """Return the answers to the first question, (v,); NaN where a variant is not certified."""
        return self.all(columns, count)[0]

    def all(self, columns: Mapping[str, Any], count: int | None = None) -> Floats:
        """Return the answers to all questions, (questions, v); NaN where a variant is not certified."""
        found = self.survey.ask(columns, count)
        size = found["certified"].shape[-1]
        out = np.full((len(self.read), size), np.nan)
        for place, one in enumerate(self.read):
            name = f"asked_{place}" if one.measure is not None else one.name
            if name in found:
                out[place] = found[name][0, 0]
        return out
