"""Run an experiment: every arm, concept and variant solved in batches, gathered in one labelled dataset."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.analysis.compare import compare
from sim.analysis.eve import compile_from
from sim.analysis.moves import advantage
from sim.analysis.paths import Paths, play
from sim.analysis.plan import ConceptSpec, Plan, axis_values, read_experiment, read_type
from sim.analysis.replay import one_variant, replay, round_of, situation
from sim.analysis.stability import equilibrium_counts
from sim.construct.compile import compile as compile_game
from sim.construct.compile import renumber
from sim.errors import OptionError
from sim.game.assessment import sight
from sim.scenario.values import structural
from sim.solve.registry import solve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import xarray as xr

    from sim.analysis.plan import Arm, Measure
    from sim.analysis.replay import Replay
    from sim.game.graph import Game
    from sim.kinds import Floats
    from sim.solve.contract import Solution

__all__ = ["run", "run_plan"]

CHUNK_BYTES = 200_000_000


class _Runner:
    """Runs one plan."""

    def __init__(self, plan: Plan, progress: Callable[[int, int], None] | None = None) -> None:
        self.plan, self.progress = plan, progress
        self.experiment, self.scenario = plan.experiment, plan.scenario
        self.axes = {name: axis_values(axis) for name, axis in self.experiment.vary.items()}
        self.shape = tuple(len(values) for values in self.axes.values())
        self.count = int(np.prod(self.shape, dtype=np.int64))
        columns = itertools.product(*self.axes.values())
        self.rows = list(columns)
        self.arrays: dict[str, Any] = {}
        self.counts: dict[tuple[int, int], dict[str, int]] = {}
        self.solved: dict[str, Solution] = {}
        self.done = 0

    def settings(self, arm: Arm, rows: list[int]) -> tuple[dict[str, Any], Any]:
        """Return the assumptions of some variants, and the precision if it is varied."""
        out: dict[str, Any] = {**self.experiment.set, **arm.set}
        precision = None
        for place, name in enumerate(self.axes):
            values = np.array([self.rows[row][place] for row in rows], dtype=object)
            typed = values.astype(np.float64) if all(isinstance(value, (int, float)) for value in values) else values
            if name == "precision":
                precision = typed
            else:
                out[name] = typed
        return out, precision

    def groups(self, arm: Arm) -> Iterator[tuple[Game, list[int]]]:
        """Compile once for each structure, and yield chunks of its variants with their numbers."""
        shaping = [place for place, name in enumerate(self.axes) if name in structural(self.scenario)]
        by_structure: dict[tuple[Any, ...], list[int]] = {}
        for row, values in enumerate(self.rows):
            by_structure.setdefault(tuple(values[place] for place in shaping), []).append(row)
        for rows in by_structure.values():
            first, _ = self.settings(arm, rows[:1])
            game = self.compiled(first, arm)
            size = max(1, CHUNK_BYTES // (16 * game.lanes * (game.graph.edge_count + game.graph.node_count)))
            for start in range(0, len(rows), size):
                chunk = rows[start : start + size]
                batch = renumber(game, self.settings(arm, chunk)[0])
                yield (batch.repeat(len(chunk)) if batch.variants == 1 else batch), chunk

    def compiled(self, settings: dict[str, Any], arm: Arm) -> Game:
        """Compile the game of an arm, from its start or from a date of the recorded history."""
        asked = self.experiment
        hidden: Any = asked.hidden if asked.hidden == "all" or asked.hidden else None
        options: dict[str, Any] = {"rounds": asked.rounds, "remove": arm.remove, "hidden": hidden, "known": asked.known}
        if asked.start:
            return compile_from(self.scenario, asked.start, settings, **options)
        return compile_game(self.scenario, settings, **options)

    def place(self, name: str, where: tuple[int, int], rows: list[int], values: Any) -> None:
        """Put values of some variants into the array of a variable."""
        values = np.asarray(values)
        if name not in self.arrays:
            shape = (len(self.experiment.arms), len(self.plan.concepts), self.count, *values.shape[1:])
            self.arrays[name] = np.full(shape, np.nan) if values.dtype != np.bool_ else np.zeros(shape, dtype=bool)
        self.arrays[name][where[0], where[1], rows] = values

    def measure(self, solution: Solution, arm: Arm, where: tuple[int, int], rows: list[int]) -> None:
        """Ask everything of one solved chunk."""
        self.place("certified", where, rows, solution.certificate.certified)
        self.place("max_gain", where, rows, solution.certificate.measures.max_gain)
        for i, player in enumerate(self.scenario.player_ids):
            self.place(f"value_{player}", where, rows, solution.values[:, i])
        for variants, paths in self.played(solution, arm):
            some = [rows[variant] for variant in variants]
            for name in self.experiment.outcomes if self.experiment.outcomes is not None else self.scenario.questions:
                if paths.is_first(name):
                    found = paths.distribution(name)
                    self.place(f"{name}.never", where, some, found.never)
                    self.place(f"{name}.round", where, some, found.expectation)
                else:
                    self.place(name, where, some, paths.outcome(name))
            if self.experiment.trajectories:
                self.place("distribution", where, some, paths.trajectory())
                self.place("first_passage", where, some, paths.first_passage())
                self.place("likely", where, some, np.stack([paths.likely(None, v) for v in range(paths.game.variants)]))
                self.place("played", where, some, _played(paths))
        for name, measure in self.experiment.measures.items():
            if measure.likelihood:
                values = [replay(solution, variant=variant).log_likelihood for variant in range(len(rows))]
            elif measure.separates or measure.posterior or measure.chance:
                values = [_told(solution, measure, variant) for variant in range(len(rows))]
            elif measure.parting:
                values = [self.parts(solution, measure.parting, variant) for variant in range(len(rows))]
            elif measure.equilibria:
                values = [self.stable(arm, where[0], row)[name] for row in rows]
            else:
                values = [
                    advantage(solution, measure.advantage, measure.at or None, measure.player, variant)
                    for variant in range(len(rows))
                ]
            self.place(name, where, rows, values)

    def stable(self, arm: Arm, place: int, row: int) -> dict[str, int]:
        """Count the equilibria that measures ask for, once for each arm and variant: the graph model knows no concept but its own."""
        if (place, row) not in self.counts:
            settings, _ = self.settings(arm, [row])
            out: dict[str, int] = {}
            for sequences in ("legal", "single"):
                asked = {
                    name: (measure.equilibria, measure.under)
                    for name, measure in self.experiment.measures.items()
                    if measure.equilibria and measure.sequences == sequences
                }
                if asked:
                    out |= equilibrium_counts(self.scenario, settings, asked, sequences=sequences, remove=arm.remove)
            self.counts[place, row] = out
        return self.counts[place, row]

    def parts(self, solution: Solution, label: str, variant: int) -> float:
        """Return the round in which a solution and that of another concept first favour different actions; NaN if they never do."""
        other = self.solved[label]
        if other is solution:
            return float("nan")
        found = compare([one_variant(other, variant), one_variant(solution, variant)]).parting
        return float("nan") if found is None else float(found.round)

    def played(self, solution: Solution, arm: Arm) -> Iterator[tuple[range, Paths]]:
        """Yield the paths of all variants, or one by one where recorded history is followed."""
        if not arm.since:
            yield range(solution.game.variants), play(solution)
            return
        for variant in range(solution.game.variants):
            walked = replay(solution, until=arm.since, variant=variant)
            profile = _force(walked, arm) if arm.force else walked.profile
            yield range(variant, variant + 1), play(walked.solution, profile)

    def run(self) -> None:
        """Solve everything."""
        total = len(self.experiment.arms) * len(self.plan.concepts) * self.count
        for a, arm in enumerate(self.experiment.arms):
            for game, rows in self.groups(arm):
                _, precision = self.settings(arm, rows)
                asked = {measure.parting for measure in self.experiment.measures.values() if measure.parting}
                self.solved = {
                    spec.label: solve(game, spec.concept, **_options(spec, precision)).require()
                    for spec in self.plan.concepts
                    if spec.label in asked
                }
                for c, spec in enumerate(self.plan.concepts):
                    found = self.solved.get(spec.label)
                    found = found or solve(game, spec.concept, **_options(spec, precision)).require()
                    self.measure(found, arm, (a, c), rows)
                    self.done += len(rows)
                    if self.progress:
                        self.progress(self.done, total)

    def dataset(self) -> xr.Dataset:
        """Label the arrays."""
        import xarray as xr

        dims = ("arm", "concept", *self.axes)
        ladder = self.scenario.ladder
        rounds = self.experiment.rounds or self.scenario.rounds
        extra = {
            "distribution": ("round", "rung"),
            "first_passage": ("round", "rung"),
            "likely": ("round",),
            "played": ("turn_round", "move"),
        }
        variables = {
            name: ((*dims, *extra.get(name, ())), values.reshape(*values.shape[:2], *self.shape, *values.shape[3:]))
            for name, values in self.arrays.items()
        }
        coords: dict[str, Any] = {
            "arm": [arm.name for arm in self.experiment.arms],
            "concept": [spec.label for spec in self.plan.concepts],
            **self.axes,
        }
        if self.experiment.trajectories and ladder and ladder.labels:
            coords |= {
                "round": list(range(rounds + 1)),
                "rung": list(ladder.labels.values),
                "turn_round": list(range(1, rounds + 1)),
                "move": _moves(self.scenario),
            }
        attributes = {
            "title": self.experiment.title,
            "question": self.experiment.question,
            "scenario": self.scenario.title,
            "source": self.experiment.scenario,
        }
        return xr.Dataset(variables, coords=coords, attrs=attributes)


def _told(solution: Solution, measure: Measure, variant: int) -> float:
    """Return what a choice tells about its maker's type, what is believed after it, or how likely a type makes it."""
    from sim.analysis.signals import signal_at

    origin, types = solution.game.origin, solution.game.types
    name, value = (
        (measure.separates, "") if measure.separates else read_type(origin.scenario, measure.posterior or measure.of)
    )
    owner = origin.scenario.private(name).known_to
    if measure.separates and measure.at == "end":
        return _learned(solution, owner, variant)
    found = signal_at(solution, situation(solution, measure.at or None, owner, variant).node, variant)
    if measure.separates or types is None or origin.hidden is None or name not in origin.hidden.values:
        return found.separation
    wanted = origin.scenario.private(name).labels.index(value)
    player = solution.game.graph.players.index(owner)
    kinds = [k for k in range(len(found.types)) if origin.hidden.values[name][types.holds(player, k)][0] == wanted]
    if measure.posterior:
        return float(found.of(measure.after).posterior[kinds].sum())
    weight = np.where(found.prior[kinds].sum() > 0, found.prior[kinds], 1.0)
    return float(found.of(measure.chance).probability[kinds] @ weight / weight.sum())


def _learned(solution: Solution, owner: str, variant: int) -> float:
    """Return how much of a player's type is known when play ends: the entropy that all choices take away, as a share of that at the start."""
    types, assessment, graph = solution.game.types, solution.assessment, solution.game.graph
    if types is None or assessment is None:
        return float("nan")
    player = graph.players.index(owner)
    seen = sight(types, assessment.belief[variant], variant).public
    own = np.stack([seen[:, types.holds(player, k)].sum(axis=1) for k in range(types.count[player])], axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        entropy = -np.where(own > 0, own * np.log(own), 0.0).sum(axis=1)
        first = types.marginal(player)[variant]
        start = -float(np.where(first > 0, first * np.log(first), 0.0).sum())
    ends = np.diff(graph.edge_start) == 0
    reached = play(solution).reached[variant]
    known = types.node_class[:, player] >= 0
    if start <= 0 or (reached[ends & ~known] > 0).any():  # nothing to learn; or what was told last is forgotten
        return float("nan")
    return 1.0 - float(reached[ends] @ entropy[ends]) / start


def _moves(scenario: Any) -> list[str]:
    """Name every move of every player."""
    return list(dict.fromkeys(f"{player}:{action.move}" for action in scenario.actions for player in action.players))


def _played(paths: Paths) -> Floats:
    """Return the probability that each move is made in each round, shape (v, t, moves)."""
    graph = paths.game.graph
    origin = paths.game.origin
    names = {name: place for place, name in enumerate(_moves(origin.scenario))}
    rounds = np.repeat(graph.layer_round, np.diff(graph.layer_start))[graph.edge_source()]
    out = np.zeros((paths.game.variants, origin.rounds, len(names)))
    most = max((len(label.acts) for label in graph.labels), default=0)
    for place in range(most):  # a joint action makes several moves
        found = [label.acts[place] if place < len(label.acts) else None for label in graph.labels]
        column = np.array([names[f"{act.player}:{act.move}"] if act else -1 for act in found])[graph.edge_label]
        made = column >= 0
        code = (rounds[made] - 1) * len(names) + column[made]
        source = graph.edge_source()[made]
        for v in range(paths.game.variants):
            weights = paths.reached[v, source] * paths.profile[v, made]
            share = np.bincount(code, weights=weights, minlength=origin.rounds * len(names))
            out[v] += share.reshape(origin.rounds, len(names))
    return out


def _force(walked: Replay, arm: Arm) -> Floats:
    """Make a move, or a group, certain at the first decision after the records where it is available."""
    from sim.game.referee import reach

    solution, profile = walked.solution, walked.profile
    graph = solution.game.graph
    weights = reach(solution.game, profile)[0]
    source = graph.edge_source()
    least = round_of(solution, arm.since)
    for layer in range(walked.layer + 1, graph.layer_count):
        if graph.layer_round[layer] < least:
            continue
        edges = np.arange(graph.edges(layer).start, graph.edges(layer).stop)
        wanted = np.array(
            [graph.labels[label].plays(arm.force) for label in graph.edge_label[edges]],
            dtype=bool,
        )
        if not wanted.any() or not (weights[source[edges[wanted]]] > 0).any():
            continue
        out = np.array(profile)
        share = np.where(wanted, np.maximum(solution.profile[0, edges], 0.0), 0.0)
        node = source[edges] - source[edges].min()
        has = np.bincount(node, weights=share)
        share = np.where(wanted & (has[node] <= 0), graph.edge_weight[edges], share)
        total = np.bincount(node, weights=share)[node]
        out[0, edges] = np.divide(share, total, out=profile[0, edges].copy(), where=total > 0)
        return out
    raise OptionError(f"arm '{arm.name}' forces {arm.force}, which is available to nobody after {arm.since}")


def _options(spec: ConceptSpec, precision: Any) -> dict[str, Any]:
    """Return a concept's options, with the varied precision where it applies."""
    options = dict(spec.options)
    if precision is not None and spec.concept == "quantal_response":
        options["precision"] = precision
    return options


def run_plan(plan: Plan, progress: Callable[[int, int], None] | None = None) -> xr.Dataset:
    """Run a checked experiment.

    Returns
    -------
    xarray.Dataset
        Dimensions ``arm``, ``concept`` and one for each varied assumption; a variable for each outcome and measure, the players' values,
        and, with ``trajectories``, ``distribution`` and ``first_passage`` by round and rung, and ``played`` by round and move.
    """
    runner = _Runner(plan, progress)
    runner.run()
    return runner.dataset()


def run(path: str | Path, out: str | Path | None = None) -> xr.Dataset:
    """Run an experiment file.

    Parameters
    ----------
    path
        The experiment.
    out
        A folder for the data and its manifest; nothing is written without it.

    Raises
    ------
    ExperimentError
        Listing every mistake of the file at once.
    """
    plan = read_experiment(path)
    dataset = run_plan(plan)
    if out is not None:
        from sim.analysis.record import write

        write(plan, dataset, out)
    return dataset
