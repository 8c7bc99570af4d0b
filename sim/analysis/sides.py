"""What is done on either side of a threshold or a border: the answers to all questions, and the moves at the state that is asked about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.analysis.asker import Asker
from sim.analysis.compare import compare
from sim.analysis.plan import ConceptSpec
from sim.analysis.survey import OPTION_KEYS, Survey
from sim.construct.compile import renumber
from sim.errors import NoAnswerError, OptionError
from sim.solve.registry import option_names, solve

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sim.analysis.compare import Parting
    from sim.analysis.survey import Case
    from sim.game.graph import Game
    from sim.kinds import Floats
    from sim.scenario.model import Scenario
    from sim.solve.contract import Solution

__all__ = ["Asked", "all_questions", "look", "moves_asked", "partings"]

RARE = 5e-4  # moves that are likelier are named


def all_questions(scenario: Scenario) -> tuple[str, ...]:
    """Name everything about paths that a scenario can be asked: its outcomes, and every player's value.

    Examples
    --------
    >>> import sim
    >>> all_questions(sim.load("scenarios/brinkmanship.toml"))
    ('disaster', 'prize_taken', 'highest', 'first_step.never', 'backed_down', 'value_challenger', 'value_defender')
    """
    out: list[str] = []
    for name, one in scenario.questions.items():
        lone = one.expression.node.op == "name" and one.expression.atoms[0].op == "first"
        out.append(f"{name}.never" if lone else name)
    return (*out, *(f"value_{player}" for player in scenario.player_ids))


@dataclass(slots=True, kw_only=True)
class Asked:
    """An asker whose batches never fail for one variant's sake, and which tells how many it has solved.

    Attributes
    ----------
    ask
        The asker.
    tell
        Called with the number of variants just solved.

    Examples
    --------
    >>> import sim
    >>> Asked(ask=Asker(scenario=sim.load(sim.template()), questions=("war",)))({"prize": np.array([1.0, 4.0])}).shape
    (1, 2)
    """

    ask: Asker
    tell: Callable[[int], None] | None = None

    def __call__(self, columns: Mapping[str, Any]) -> Floats:
        """Return the answers (q, v); NaN where there is none."""
        count = len(next(iter(columns.values())))
        found = self._halved(columns, count) if count else np.empty((len(self.ask.read), 0))
        if self.tell:
            self.tell(count)
        return found

    def _halved(self, columns: Mapping[str, Any], count: int) -> Floats:
        """Ask; where the question makes no sense in some variant, ask halves, so that only that one is lost."""
        try:
            return self.ask.all(columns, count)
        except NoAnswerError:
            if count == 1:
                return np.full((len(self.ask.read), 1), np.nan)
        half = count // 2
        parts = [slice(0, half), slice(half, count)]
        return np.concatenate(
            [self._halved({name: x[some] for name, x in columns.items()}, len(range(count)[some])) for some in parts],
            axis=1,
        )


def moves_asked(scenario: Scenario, text: str) -> dict[str, str]:
    """Return, by move, the question how likely it is at the state that another question is about; at the first decision if it is about none.

    Examples
    --------
    >>> import sim
    >>> moves_asked(sim.load("scenarios/brinkmanship.toml"), "disaster")["hold"]
    'chosen(hold)'
    """
    from sim.analysis.asker import read_question

    measure = read_question(scenario, text).measure if text else None
    at = measure.at if measure else ""
    player = measure.player if measure else ""
    where = f" @ {at}:{player}" if at and player else f" @ {at}" if at else ""
    names = dict.fromkeys(one.move for one in scenario.actions if not player or player in one.players)
    return {name: f"chosen({name}{where})" for name in names}


def look(
    scenario: Scenario,
    about: str,
    columns: Mapping[str, Floats],
    *,
    concept: str,
    options: Mapping[str, Any],
    case: Case,
) -> tuple[list[dict[str, Any]], int]:
    """Look at what happens in some variants: all answers, and the moves at the state that a question is about.

    Parameters
    ----------
    scenario, concept, options, case
        As for :class:`sim.analysis.asker.Asker`.
    about
        The question; empty for none.
    columns
        What varies, (v,) each.

    Returns
    -------
    tuple
        For each variant ``answers`` by question, and ``moves``, the probability of every move that is made there, the likeliest first; and how many
        variants were solved. ``moves`` is empty where the state cannot be asked.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.survey import Case
    >>> scenario = sim.load("scenarios/brinkmanship.toml")
    >>> kept = dict(concept="subgame_perfect", options={}, case=Case())
    >>> look(scenario, "", {"risk_per_rung": np.array([0.0, 0.15])}, **kept)[0][1]["moves"]
    {'escalate': 1.0}
    """
    count = len(next(iter(columns.values())))
    if not count:
        return [], 0
    questions: list[str] = list(dict.fromkeys([*([about] if about else []), *all_questions(scenario)]))
    moves = moves_asked(scenario, about)
    solves = 0
    nothing: dict[str, str] = {}
    for wanted in (moves, nothing):  # a state that cannot be asked about leaves the answers
        asked = Asked(
            ask=Asker(
                scenario=scenario, questions=(*questions, *wanted.values()), concept=concept, options=options, case=case
            )
        )
        try:
            found = asked(columns)
        except OptionError:
            if not wanted:
                raise
            continue
        finally:
            solves += asked.ask.solves
        return [_one(questions, list(wanted), found[:, v]) for v in range(count)], solves
    return [], solves


def _one(questions: list[str], moves: list[str], found: Floats) -> dict[str, Any]:
    """Name the answers of one variant."""
    answers = {name: _number(value) for name, value in zip(questions, found[: len(questions)].tolist(), strict=True)}
    shares = zip(moves, found[len(questions) :].tolist(), strict=True)
    made = sorted(((name, share) for name, share in shares if share > RARE), key=lambda one: -one[1])
    return {"answers": answers, "moves": dict(made)}


def partings(
    scenario: Scenario,
    low: Mapping[str, Floats],
    high: Mapping[str, Floats],
    *,
    concept: str,
    options: Mapping[str, Any],
    case: Case,
) -> tuple[dict[str, Any] | None, ...]:
    """Find the first decision at which play favours different actions on the two sides of each threshold.

    Parameters
    ----------
    scenario, concept, options, case
        As for :class:`sim.analysis.asker.Asker`.
    low, high
        What is varied, on either side, (k,) each.

    Returns
    -------
    tuple of dict or None
        Round, date, player, state, and the favourite action on either side with how often play comes there; None where play is the same, where either
        side has no certified answer, and where what is varied shapes the game.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.survey import Case
    >>> scenario = sim.load("scenarios/brinkmanship.toml")
    >>> kept = dict(concept="subgame_perfect", options={}, case=Case())
    >>> partings(scenario, {"audience_cost": np.zeros(1)}, {"audience_cost": np.full(1, 2.0)}, **kept)[0]["player"]
    'challenger'
    """
    count = len(next(iter(low.values())))
    survey = Survey(scenario, [case], [ConceptSpec.model_validate({"concept": concept})])
    if not count or set(low) & survey.shaping:
        return (None,) * count
    base = survey.game(case, {})
    if base.graph.stationary:
        return (None,) * count
    out: list[dict[str, Any] | None] = []
    for k in range(count):
        pair = [
            _solved(base, {name: float(x[k]) for name, x in side.items()}, concept, options, case)
            for side in (low, high)
        ]
        found = compare(pair).parting if all(one.status.certified for one in pair) else None
        out.append(None if found is None else _parted(scenario, found))
    return tuple(out)


def _solved(
    base: Game, settings: Mapping[str, float], concept: str, options: Mapping[str, Any], case: Case
) -> Solution:
    """Solve one variant."""
    own = {name: value for name, value in settings.items() if name not in OPTION_KEYS}
    chosen = {**options, **{name: value for name, value in settings.items() if name in OPTION_KEYS}}
    taken = {name: value for name, value in chosen.items() if name in option_names(concept)}
    return solve(renumber(base, {**case.set, **own}), concept, **taken)


def _parted(scenario: Scenario, found: Parting) -> dict[str, Any]:
    """Return what a record says of where play parts."""
    return {
        "round": found.round,
        "date": scenario.date_of(found.round),
        "player": found.player,
        "actions": list(found.actions),
        "reached": found.reached.tolist(),
        "state": found.state,
    }


def _number(value: float) -> float | None:
    """Return a number, or None for what JSON cannot hold."""
    return value if np.isfinite(value) else None
