"""Experiment files: what is asked, of which scenario, over which assumptions."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sim.analysis.designs import DesignSpec, read_design
from sim.errors import ExperimentError, OptionError, Problem, ScenarioError, did_you_mean
from sim.scenario.conflict import read_condition
from sim.scenario.load import loads, read_text, read_toml, schema_problems
from sim.scenario.places import line_of
from sim.scenario.values import assumption_values, structural
from sim.solve.registry import CONCEPTS, option_names

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


OPTIONS: dict[str, Any] = {"precision": float, "selection": str, "ties": str, "level": int, "tau": float, "ahead": int}
VARIED: dict[str, Any] = {**OPTIONS, "rounds": int, "start": str}
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

    kind: Literal["fan", "first_passage", "phase", "lines", "actions"]
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
        words = {"title", "question", "figures", "answer"}
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


class _Checker:
    """Finds all mistakes of an experiment."""

    def __init__(self, experiment: Experiment, scenario: Scenario, lines: dict[Key, int], name: str) -> None:
        self.experiment, self.scenario, self.lines, self.name = experiment, scenario, lines, name
        self.problems: list[Problem] = []

    def note(self, path: Key, kind: str, what: str, advice: str = "") -> None:
        """Note a mistake at a key."""
        self.problems.append(
            Problem(
                kind=kind,
                what=what,
                advice=advice,
                place=".".join(map(str, path)),
                file=self.name,
                line=line_of(self.lines, path),
            )
        )

    def known(self, path: Key, word: str, names: Any, kind: str) -> None:
        """Note a name that does not exist."""
        if word not in names:
            self.note(path, "unknown-name", f"names '{word}', which is not {kind}", did_you_mean(word, names))

    def values(self) -> None:
        """Check every value that is set or varied, and that nothing is both."""
        settings: list[tuple[Key, str, Any]] = [
            (("set", name), name, value) for name, value in self.experiment.set.items()
        ]
        for index, arm in enumerate(self.experiment.arms):
            settings += [(("arms", index, "set", name), name, value) for name, value in arm.set.items()]
        designed = self.designed()
        for place, name, _ in settings:
            if name in self.experiment.vary or name in designed:
                self.note(place, "duplicate-id", f"'{name}' is set here and varied too", "do one or the other")
        for name, axis in self.experiment.vary.items():
            settings += [(("vary", name), name, value) for value in axis_values(axis)]
        for place, name, value in settings:
            try:
                if name in self.scenario.assumptions:
                    assumption_values(self.scenario, {name: value})
                elif name == "variant":
                    if value not in self.scenario.variants:
                        self.known(place, str(value), self.scenario.variants, "a variant of the scenario")
                elif name in VARIED:
                    VARIED[name](value)
            except (OptionError, TypeError, ValueError) as error:
                self.note(place, "outside-range", f"{name} = {value!r:.40} cannot be used: {error}")

    def designed(self) -> set[str]:
        """Check the designs, and return the names that they vary."""
        out: set[str] = set()
        for index, spec in enumerate(self.experiment.designs):
            try:
                names = read_design(self.scenario, spec, self.experiment.seed, others=VARIED).names
            except OptionError as error:
                self.note(("designs", index), "bad-design", str(error))
                continue
            for name in names:
                if name in out or name in self.experiment.vary:
                    self.note(("designs", index), "duplicate-id", f"'{name}' is varied twice", "leave it out of one")
            out |= set(names)
        return out

    def varied(self) -> None:
        """Check what is varied."""
        takes = {name for spec in self.concepts() if spec in CONCEPTS for name in option_names(spec)}
        for name, axis in self.experiment.vary.items():
            if name not in VARIED and name != "variant":
                self.known(("vary", name), name, self.scenario.assumptions, "an assumption")
            elif name in OPTIONS and name not in takes:
                what = f"{name} is varied, which none of the concepts asked for takes"
                self.note(("vary", name), "unknown-name", what, "leave it out, or ask for another concept")
            elif name in ("rounds", "variant") and isinstance(axis, Axis):
                self.note(
                    ("vary", name), "wrong-type", f"{name} is not spread evenly", f"list its values: {name} = […]"
                )
            values = (
                axis_values(axis)
                if isinstance(axis, list) or axis.scale == "linear" or min(axis.start, axis.stop) > 0
                else []
            )
            if not values:
                self.note(
                    ("vary", name),
                    "bad-range",
                    f"vary.{name} has no values",
                    "list values, or give from, to and count; a log scale needs positive ends",
                )
        lengths = {arm.rounds for arm in self.experiment.arms}
        if self.experiment.trajectories and ("rounds" in self.experiment.vary or len(lengths) > 1):
            what = "trajectories need as many rounds in every variant"
            self.note(("trajectories",), "bad-design", what, "leave rounds alone, or trajectories out")

    def concepts(self) -> list[str]:
        """Return the names of the concepts."""
        return [given if isinstance(given, str) else given.concept for given in self.experiment.concepts]

    def run(self) -> list[Problem]:
        """Check names, values and figures."""
        experiment, scenario = self.experiment, self.scenario
        moves = {action.move for action in scenario.actions} | {
            action.group for action in scenario.actions if action.group
        }
        self.varied()
        self.values()
        for name in experiment.set:
            self.known(("set", name), name, scenario.assumptions, "an assumption")
        secrets = [one.id for one in scenario.privates]
        for name in (*(experiment.hidden if isinstance(experiment.hidden, list) else ()), *experiment.known):
            self.known(("hidden",), name, secrets, "a private type")
        if experiment.start and not scenario.history:
            self.note(
                ("start",), "missing-key", "start needs a recorded history, and the scenario has none", "remove it"
            )
        for index, given in enumerate(experiment.concepts):
            concept = given if isinstance(given, str) else given.concept
            self.known(("concepts", index), concept, CONCEPTS, "a concept that can be solved")
        for index, arm in enumerate(experiment.arms):
            for name in arm.set:
                self.known(("arms", index, "set"), name, scenario.assumptions, "an assumption")
            for name in (*arm.remove, *([arm.force] if arm.force else [])):
                self.known(("arms", index), name, moves, "a move or group")
            if arm.force and not arm.since:
                self.note(
                    ("arms", index),
                    "missing-key",
                    f"arm '{arm.name}' forces {arm.force} but does not say when",
                    'write from = "2016-10", or a round',
                )
        labels = self.labels()
        if len(set(labels)) < len(labels):
            self.note(("concepts",), "duplicate-id", "two concepts have the same label", 'write label = "…" in each')
        if experiment.trajectories and scenario.ladder is None:
            self.note(
                ("trajectories",), "missing-key", "trajectories need a ladder, and the scenario has none", "remove it"
            )
        if len({arm.name for arm in experiment.arms}) < len(experiment.arms):
            self.note(("arms",), "duplicate-id", "two arms have the same name", "rename one")
        for name in experiment.outcomes or []:
            self.known(("outcomes",), name, scenario.questions, "an outcome of the scenario")
        self.measures()
        self.shown()
        return self.problems

    def labels(self) -> list[str]:
        """Return the labels of the concepts."""
        return [given if isinstance(given, str) else given.label or given.concept for given in self.experiment.concepts]

    def measures(self) -> None:
        """Check what measures ask."""
        experiment, scenario = self.experiment, self.scenario
        moves = {word for action in scenario.actions for word in (action.move, action.group) if word}
        for name, measure in experiment.measures.items():
            told = (measure.separates, measure.posterior, measure.chance)
            moved = measure.advantage or measure.chosen
            asked = sum(
                map(
                    bool,
                    (measure.likelihood, measure.advantage, measure.chosen, measure.equilibria, measure.parting, *told),
                )
            )
            if asked != 1:
                self.note(
                    ("measures", name),
                    "bad-measure",
                    f"measure {name} asks {'several things' if asked else 'nothing'}",
                    "write advantage or chosen = a move or group, likelihood = true, parting = a concept, equilibria = a condition, "
                    "separates = a private type, or posterior or chance with its move and type",
                )
            elif any(told):
                self.told(name, measure, moves)
            elif measure.equilibria:
                try:
                    read_condition(scenario, measure.equilibria)
                except OptionError as error:
                    self.note(("measures", name, "equilibria"), "bad-measure", str(error))
            elif measure.parting:
                self.known(("measures", name, "parting"), measure.parting, self.labels(), "the label of a concept here")
            elif moved:
                self.known(("measures", name), moved, moves, "a move or group")
                self.paid(name, measure)
            elif not scenario.history:
                self.note(
                    ("measures", name),
                    "bad-measure",
                    f"measure {name} needs a recorded history",
                    "add [[history]] to the scenario",
                )

    def paid(self, name: str, measure: Measure) -> None:
        """Check at which payoffs the same strategies are paid."""
        place: Key = ("measures", name, "paid")
        if measure.paid and not measure.advantage:
            self.note(place, "bad-measure", f"measure {name} is no payoff", "write paid with advantage only")
        shaping = structural(self.scenario)
        for key, value in measure.paid.items():
            self.known(place, key, self.scenario.assumptions, "an assumption")
            if key in shaping:
                self.note(
                    place, "bad-measure", f"'{key}' shapes the game, so that strategies cannot be paid at another value"
                )
            try:
                assumption_values(self.scenario, {key: value} if key in self.scenario.assumptions else {})
            except OptionError as error:
                self.note(place, "outside-range", str(error))

    def told(self, name: str, measure: Measure, moves: set[str]) -> None:
        """Check a measure of what choices tell."""
        place: Key = ("measures", name)
        hidden = [one.id for one in self.scenario.privates if one.labels]
        if measure.separates:
            self.known(place, measure.separates, hidden, "a private type")
            return
        move = measure.chance or measure.after
        if not move:
            self.note(place, "bad-measure", f"measure {name} names no move", 'write after = "…", a move or group')
        else:
            self.known(place, move, moves, "a move or group")
        try:
            read_type(self.scenario, measure.posterior or measure.of)
        except OptionError as error:
            self.note(place, "bad-measure", str(error))

    def shown(self) -> None:
        """Check what figures and facts name."""
        experiment = self.experiment
        asked = experiment.outcomes if experiment.outcomes is not None else list(self.scenario.questions)
        variables = {*asked, *experiment.measures, *(f"value_{player}" for player in self.scenario.player_ids)}
        variables |= {f"{name}.{end}" for name in asked for end in ("never", "round")}
        dims = {"arm", "concept", *experiment.vary}
        for index, figure in enumerate(experiment.figures):
            place: Key = ("figures", index)
            for name in [figure.of] if isinstance(figure.of, str) else figure.of:
                if figure.kind in ("phase", "lines"):
                    self.known(place, name, variables, "an outcome or measure of the experiment")
            wanted = {"phase": 2, "lines": 1}.get(figure.kind, 0)
            axes = [axis for axis in (figure.x, figure.y)[:wanted] if axis]
            if len(set(axes)) < wanted:
                self.note(
                    place,
                    "missing-key",
                    f"figure {figure.file} needs {wanted} different axes",
                    "write x = and, for a phase diagram, y =",
                )
            for name in (figure.x, figure.y, *figure.where):
                if name:
                    self.known(place, name, dims, "varied here")
            if figure.kind in ("fan", "first_passage", "actions") and not experiment.trajectories:
                self.note(place, "missing-key", f"figure {figure.file} needs trajectories", "write trajectories = true")
        for name, fact in (experiment.answer.facts if experiment.answer else {}).items():
            self.known(("answer", "facts", name), fact.of, variables, "an outcome or measure of the experiment")
            for dim in (*fact.where, *([fact.along] if fact.along else [])):
                self.known(("answer", "facts", name), dim, dims, "varied here")


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
    problems = _Checker(experiment, scenario, lines, place).run()
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
