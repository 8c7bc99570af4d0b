"""Experiment files: what is asked, of which scenario, over which assumptions."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sim.analysis.designs import DesignSpec
from sim.errors import ExperimentError, OptionError, Problem, ScenarioError, did_you_mean
from sim.scenario.load import loads, read_text, read_toml, schema_problems
from sim.scenario.places import line_of

if TYPE_CHECKING:
    from sim.scenario.model import Scenario
    from sim.scenario.places import Path as Key

__all__ = [
    "VARIED",
    "Arm",
    "ConceptSpec",
    "Experiment",
    "Fact",
    "FigureSpec",
    "Measure",
    "Plan",
    "axis_values",
    "plan_of",
    "read_experiment",
    "read_type",
]


class Strict(BaseModel):
    """A table whose unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Axis(Strict):
    """Evenly spaced values of one assumption."""

    start: float = Field(alias="from")
    stop: float = Field(alias="to")
    count: int = Field(ge=2, le=100_000)
    scale: Literal["linear", "log"] = "linear"


def _whole(value: Any) -> int:
    """Read a whole number."""
    if not float(value).is_integer():
        raise ValueError("expected a whole number")
    return int(value)


OPTIONS: dict[str, Any] = {
    "precision": float, "selection": str, "ties": str, "level": _whole, "tau": float, "ahead": _whole,
}  # fmt: skip
VARIED: dict[str, Any] = {**OPTIONS, "rounds": _whole, "start": str}
"""What can be varied beside assumptions and named variants, and what its values are."""
CONCEPT_OPTIONS = ("ties", "precision", "level", "tau", "ahead", "selection", "fallback")


class ConceptSpec(Strict):
    """A solution concept with its options."""

    concept: str
    label: str = ""
    ties: str | None = None
    precision: float | dict[str, float] | None = None
    level: int | None = None
    tau: float | None = None
    ahead: int | None = None
    selection: str | None = None
    fallback: str | None = None

    @property
    def options(self) -> dict[str, Any]:
        """The options that are set."""
        return {name: value for name in CONCEPT_OPTIONS if (value := getattr(self, name)) is not None}


class Arm(Strict):
    """A case to compare: what is set, removed, or forced."""

    name: str
    set: dict[str, Any] = Field(default_factory=dict[str, Any])
    remove: list[str] = Field(default_factory=list[str])
    since: str = Field(
        default="", alias="from", description="follow the recorded history up to this date or round, then play on"
    )
    force: str = Field(default="", description="a move or group that is made at the first decision after `from`")
    rounds: int | None = Field(default=None, ge=1, description="play this many rounds in this arm")
    start: str = Field(
        default="",
        description="begin this arm's game where the recorded history stands, as the key `start` of the file",
    )


class Measure(Strict):
    """A number beyond the outcomes.

    Asked of a decision of a player with private types: how far the choice tells his types apart, what is believed after a move, how likely a type
    makes it. Asked of the recorded history: how much better a move is than the best other at a state, or the log-likelihood of all moves. Asked of
    the scenario as a graph model, whatever the concept: how many of its equilibria fulfil a condition. Asked of two concepts: in which
    round they first favour different actions where both come (undefined if nowhere).
    """

    advantage: str = ""
    chosen: str = Field(default="", description="a move or group: how likely it is at a state of the recorded history")
    worth: str = Field(
        default="", description="a move, group or action: what the best of it is worth to its mover at such a state"
    )
    range_of: str = Field(default="", description="a player: the range of his payoffs, by which ties are told")
    state: bool = Field(default=False, description="the number of the node that the recorded history leads to")
    at: str = ""
    player: str = ""
    paid: dict[str, Any] = Field(
        default_factory=dict[str, Any],
        description="for an advantage: the same strategies, paid as if these assumptions had these values",
    )
    likelihood: bool = False
    parting: str = Field(
        default="", description="label of another concept: in which round the two first favour different actions"
    )
    separates: str = Field(
        default="",
        description="a private type: how far its owner's choice tells it apart, from 0 (pooling) to 1 (separating)",
    )
    posterior: str = Field(default="", description="private type == value: how likely it is held to be after a move")
    chance: str = Field(default="", description="a move or group: how likely those of a type make it")
    after: str = Field(default="", description="the move or group that `posterior` follows")
    of: str = Field(default="", description="private type == value, for `chance`")
    equilibria: str = Field(default="", description="a condition on the states of the graph model")
    under: Literal["nash", "gmr", "smr", "seq"] = "seq"
    sequences: Literal["legal", "single"] = "legal"


class FigureSpec(Strict):
    """A figure: its kind and what it shows."""

    kind: Literal["fan", "first_passage", "phase", "lines", "actions", "finding"]
    file: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$", description="a plain name, without folder and ending")
    title: str = ""
    of: str | list[str] = ""
    x: str = ""
    y: str = ""
    level: float = 0.5
    mark: str = ""
    where: dict[str, Any] = Field(default_factory=dict[str, Any])


class Fact(Strict):
    """A number computed from the data, for the sentence that answers the question."""

    of: str
    reduce: Literal["value", "mean", "min", "max", "share", "below", "crossings", "count", "argmax"] = "value"
    where: dict[str, Any] = Field(default_factory=dict[str, Any])
    along: str = ""
    level: float = 0.5
    words: list[str] | None = Field(
        default=None, min_length=2, max_length=2, description="below the level, and at or above it"
    )
    minus: dict[str, Any] | None = Field(default=None, description="subtract the same fact at this place")


class Answer(Strict):
    """A sentence with its facts."""

    sentence: str
    facts: dict[str, Fact] = Field(default_factory=dict[str, Fact])


class Experiment(Strict):
    """An experiment file."""

    title: str
    question: str
    scenario: str
    rounds: int | None = Field(default=None, ge=1)
    start: str = Field(
        default="",
        description="begin the game where the recorded history stands: a date or round, perhaps with :player",
    )
    hidden: list[str] | Literal["all"] = Field(
        default_factory=list[str], description="the private types that are hidden; by default those without known_as"
    )
    known: dict[str, str | float] = Field(
        default_factory=dict[str, Any], description="private types that everybody knows to have this value"
    )
    seed: int = 0
    concepts: list[str | ConceptSpec] = Field(default_factory=lambda: ["subgame_perfect"], min_length=1)
    set: dict[str, Any] = Field(default_factory=dict[str, Any])
    vary: dict[str, Axis | list[Any]] = Field(default_factory=dict[str, Any])
    designs: list[DesignSpec] = Field(
        default_factory=list[DesignSpec], description="samples and lists, each multiplying the variants"
    )
    arms: list[Arm] = Field(default_factory=lambda: [Arm(name="base")], min_length=1)
    outcomes: list[str] | None = None
    measures: dict[str, Measure] = Field(default_factory=dict[str, Measure])
    findings: dict[str, dict[str, Any]] = Field(
        default_factory=dict[str, Any],
        description="questions about many variants: thresholds, borders, sensitivities, …; see sim.analysis.findings",
    )
    trajectories: bool = False
    figures: list[FigureSpec] = Field(default_factory=list[FigureSpec])
    answer: Answer | None = None


class Plan(Strict):
    """A checked experiment with its scenario."""

    model_config = ConfigDict(arbitrary_types_allowed=True, frozen=True)
    experiment: Experiment
    scenario: Any
    path: Path
    texts: dict[str, str]

    @property
    def digests(self) -> dict[str, str]:
        """Digests of what the numbers depend on: the scenario's text, and the experiment without its figures and words."""
        words = {"title", "question", "figures", "findings", "answer"}
        asked = json.dumps(self.experiment.model_dump(mode="json", exclude=words, by_alias=True), sort_keys=True)
        texts = {"scenario": self.texts["scenario"], "experiment": asked}
        return {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return self.path.stem

    @property
    def concepts(self) -> list[ConceptSpec]:
        """The concepts with labels."""
        out: list[ConceptSpec] = []
        for given in self.experiment.concepts:
            spec = ConceptSpec(concept=given) if isinstance(given, str) else given
            out.append(spec if spec.label else spec.model_copy(update={"label": spec.concept}))
        return out


def axis_values(axis: Axis | list[Any]) -> list[Any]:
    """Return the values of an axis.

    Examples
    --------
    >>> axis_values(Axis(**{"from": 0, "to": 1, "count": 3}))
    [0.0, 0.5, 1.0]
    """
    if isinstance(axis, list):
        return axis
    values = (
        np.geomspace(axis.start, axis.stop, axis.count)
        if axis.scale == "log"
        else np.linspace(axis.start, axis.stop, axis.count)
    )
    return [float(value) for value in values]


def read_type(scenario: Scenario, text: str) -> tuple[str, str]:
    """Read ``private type == value``.

    Raises
    ------
    OptionError
        For anything else, and for names that do not exist.

    Examples
    --------
    >>> import sim
    >>> read_type(sim.load("scenarios/entry_deterrence.toml"), "resolve == weak")
    ('resolve', 'weak')
    """
    name, _, value = (word.strip() for word in text.partition("=="))
    labels = {one.id: one.labels.values for one in scenario.privates if one.labels}
    if name not in labels:
        raise OptionError(f"'{text}' does not name a private type; write one == value; {did_you_mean(name, labels)}")
    if value not in labels[name]:
        raise OptionError(f"'{value}' is not a value of {name}; {did_you_mean(value, labels[name])}")
    return name, value


def plan_of(name: str, text: str, scenario_text: str, place: str = "", scenario_place: str = "") -> Plan:
    r"""Read and check an experiment and its scenario, given as texts.

    Parameters
    ----------
    name
        The experiment's name.
    text, scenario_text
        What the files say.
    place, scenario_place
        The files' names, for messages.

    Raises
    ------
    ExperimentError
        Listing every mistake at once.
    ScenarioError
        If the scenario has mistakes.

    Examples
    --------
    >>> import sim
    >>> text = 'title = "t"\nquestion = "q"\nscenario = "x.toml"'
    >>> plan_of("one", text, sim.template().read_text(encoding="utf-8")).concepts[0].label
    'subgame_perfect'
    """
    place = place or f"{name}.toml"
    experiment, lines = _experiment(text, place)
    scenario = loads(scenario_text, scenario_place or experiment.scenario)
    from sim.analysis.proofread import Proofreader

    problems = Proofreader(experiment, scenario, lines, place).run()
    if problems:
        raise ExperimentError(problems)
    texts = {"experiment": text, "scenario": scenario_text}
    return Plan(experiment=experiment, scenario=scenario, path=Path(place).with_name(f"{name}.toml"), texts=texts)


def _experiment(text: str, name: str) -> tuple[Experiment, dict[Key, int]]:
    """Read an experiment's text."""
    try:
        document, lines = read_toml(text, name)
    except ScenarioError as error:
        raise ExperimentError(error.problems) from None
    try:
        return Experiment.model_validate(document), lines
    except ValidationError as error:
        raise ExperimentError(schema_problems(error.errors(include_url=False), Experiment, lines, name)) from None


def read_experiment(path: str | Path) -> Plan:
    """Read and check an experiment file and its scenario.

    Raises
    ------
    ExperimentError
        Listing every mistake at once.
    ScenarioError
        If the scenario has mistakes.
    """
    name = str(path)
    try:
        text = read_text(path)
    except ScenarioError as error:
        raise ExperimentError(error.problems) from None
    experiment, lines = _experiment(text, name)
    where = Path(path).parent / experiment.scenario
    if not where.is_file():
        problem = Problem(
            kind="missing-file",
            what=f"scenario '{experiment.scenario}' is not beside the experiment",
            advice="paths are relative to the experiment file",
            file=name,
            line=line_of(lines, ("scenario",)),
        )
        raise ExperimentError([problem])
    return plan_of(Path(path).stem, text, read_text(where), name, str(where))
