"""Find every mistake of an experiment file at once, each with its place and advice."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sim.analysis.designs import read_design
from sim.analysis.plan import OPTIONS, VARIED, Axis, axis_values, read_type
from sim.errors import OptionError, Problem, did_you_mean
from sim.scenario.conflict import read_condition
from sim.scenario.places import line_of
from sim.scenario.values import assumption_values, structural
from sim.solve.registry import CONCEPTS, option_names

if TYPE_CHECKING:
    from sim.analysis.plan import Experiment, Measure
    from sim.scenario.model import Scenario
    from sim.scenario.places import Path as Key

__all__ = ["Proofreader"]


class Proofreader:
    """Finds all mistakes of an experiment."""

    def __init__(self, experiment: Experiment, scenario: Scenario, lines: dict[Key, int], name: str) -> None:
        self.experiment, self.scenario, self.lines, self.name = experiment, scenario, lines, name
        self.problems: list[Problem] = []
        self.columns: set[str] = set()

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
        designed = self.columns
        for place, name, _ in settings:
            if name in self.experiment.vary or name in designed:
                self.note(place, "duplicate-id", f"'{name}' is set here and varied too", "do one or the other")
        self.named({*self.experiment.vary, *designed, *(name for _, name, _ in settings)})
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

    def named(self, names: set[str]) -> None:
        """Check that nothing is set or varied that a varied named variant sets."""
        axis = self.experiment.vary.get("variant", [])
        for label in axis if isinstance(axis, list) else []:
            one = self.scenario.variants.get(str(label))
            for name in sorted(names & set(one.settings) if one else ()):
                what = f"'{name}' is set by variant {label} and here too"
                self.note(("vary", "variant"), "duplicate-id", what, "leave the variant or the assumption out")

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
        asked = self.experiment
        lengths = {(arm.rounds or asked.rounds, arm.start or asked.start) for arm in asked.arms}
        if asked.trajectories and (len(lengths) > 1 or {"rounds", "start"} & {*asked.vary, *self.columns}):
            what = "trajectories need the same rounds and start in every variant"
            self.note(("trajectories",), "bad-design", what, "leave rounds and start alone, or trajectories out")
        for index, given in enumerate(asked.concepts):
            stated = {} if isinstance(given, str) else given.options
            for name in sorted({*asked.vary, *self.columns} & set(stated)):
                what = f"'{name}' is stated for this concept and varied too"
                self.note(("concepts", index), "duplicate-id", what, "do one or the other")

    def concepts(self) -> list[str]:
        """Return the names of the concepts."""
        return [given if isinstance(given, str) else given.concept for given in self.experiment.concepts]

    def run(self) -> list[Problem]:
        """Check names, values and figures."""
        experiment, scenario = self.experiment, self.scenario
        moves = {action.move for action in scenario.actions} | {
            action.group for action in scenario.actions if action.group
        }
        self.columns = self.designed()
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
        self.findings()
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
            moved = measure.advantage or measure.chosen or measure.worth
            asked = sum(
                map(
                    bool,
                    (
                        measure.likelihood,
                        measure.advantage,
                        measure.chosen,
                        measure.worth,
                        measure.range_of,
                        measure.state,
                        measure.equilibria,
                        measure.parting,
                        *told,
                    ),
                )
            )
            if asked != 1:
                self.note(
                    ("measures", name),
                    "bad-measure",
                    f"measure {name} asks {'several things' if asked else 'nothing'}",
                    "write advantage, chosen or worth = a move or group, likelihood = true, parting = a concept, equilibria = a condition, "
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
            elif measure.range_of:
                self.known(("measures", name), measure.range_of, scenario.player_ids, "a player")
            elif measure.state:
                continue
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

    def findings(self) -> None:
        """Check the findings."""
        from sim.analysis.asker import read_question
        from sim.analysis.findings import read_spec

        variables = {*self.scenario.questions, *self.experiment.measures}
        for name, table in self.experiment.findings.items():
            place: Key = ("findings", name)
            if not re.fullmatch(r"[A-Za-z]\w*", name):
                self.note(
                    place, "bad-id", f"'{name}' cannot be the name of a finding", "letters, digits and underscores"
                )
            if name in variables:
                self.note(place, "duplicate-id", f"'{name}' is an outcome or measure too", "rename the finding")
            try:
                spec = read_spec(table)
                asked = [getattr(spec, key, "") for key in ("of", "beside")]
                for text in asked if isinstance(asked[0], str) else (*asked[0], asked[1]):
                    if text:
                        read_question(self.scenario, text)
            except OptionError as error:
                self.note(place, "bad-finding", str(error))
                continue
            if spec.concept:
                self.known((*place, "concept"), spec.concept, self.labels(), "the label of a concept here")
            if spec.arm:
                self.known((*place, "arm"), spec.arm, [arm.name for arm in self.experiment.arms], "an arm")

    def shown(self) -> None:
        """Check what figures and facts name."""
        experiment = self.experiment
        asked = experiment.outcomes if experiment.outcomes is not None else list(self.scenario.questions)
        variables = {*asked, *experiment.measures, *(f"value_{player}" for player in self.scenario.player_ids)}
        variables |= {f"{name}.{end}" for name in asked for end in ("never", "round", "by")}
        dims = {"arm", "concept", *experiment.vary, *self.columns}
        dims |= {"round", "rung", "turn_round", "move"} if experiment.trajectories else set()
        for index, figure in enumerate(experiment.figures):
            place: Key = ("figures", index)
            if figure.kind == "finding":
                for name in [figure.of] if isinstance(figure.of, str) else figure.of:
                    self.known(place, name, experiment.findings, "a finding of the experiment")
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
            if experiment.designs and figure.kind in ("phase", "lines"):
                what = f"figure {figure.file} needs a grid, and there are designs"
                self.note(place, "bad-design", what, "vary a grid, or draw a finding")
            if figure.kind in ("fan", "first_passage", "actions") and not experiment.trajectories:
                self.note(place, "missing-key", f"figure {figure.file} needs trajectories", "write trajectories = true")
        for name, fact in (experiment.answer.facts if experiment.answer else {}).items():
            if fact.of.partition(".")[0] in experiment.findings and "." in fact.of:
                continue
            self.known(("answer", "facts", name), fact.of, variables, "an outcome or measure of the experiment")
            along = dims - {*experiment.vary, *self.columns} if experiment.designs else dims
            for dim in fact.where:
                self.known(("answer", "facts", name), dim, dims, "varied here")
            if fact.along:
                self.known(("answer", "facts", name), fact.along, along, "an axis of the result")
