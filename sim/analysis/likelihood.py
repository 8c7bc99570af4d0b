"""The likelihood of recorded histories at many parameters at once: precision, assumptions, and what else a concept leaves open.

A point has one coordinate for each parameter: in [0, 1] along its scale, or the place of one of its choices. Points that share their choices are variants
of one game, solved and followed in batches (:mod:`sim.analysis.follow`). Only players' moves count; chance is left out.
"""

from __future__ import annotations

import contextlib
import itertools
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.analysis.follow import follow
from sim.analysis.replay import one_variant
from sim.construct.compile import compile as compile_game
from sim.construct.compile import renumber
from sim.errors import NoAnswerError, OptionError, Problem, ScenarioError, did_you_mean
from sim.kinds import Status, frozen
from sim.scenario.values import structural
from sim.solve.registry import solve

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from sim.game.graph import Game
    from sim.kinds import Floats
    from sim.scenario.model import Record, Scenario
    from sim.solve.contract import Solution

__all__ = ["Data", "Model", "Observed", "Parameter", "added", "assumption_parameter", "data_of", "read_records"]

CHUNK_BYTES = 200_000_000
WORDS = ("history", "title", "note")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """What is estimated.

    Attributes
    ----------
    name : str
        ``precision``, ``precision.PLAYER``, an assumption, or an option of the concept.
    kind : str
        ``precision``, ``assumption`` or ``option``.
    low, high : float
        The ends of its scale.
    knee : float
        If positive: the scale is nearly linear below and logarithmic above.
    choices : tuple
        Instead of a scale: its values.
    player : str
        Whose precision.

    Examples
    --------
    >>> one = Parameter(name="precision", kind="precision", high=100.0, knee=0.01)
    >>> one.value(0.0), round(one.unit(one.value(0.3)), 9)
    (0.0, 0.3)
    """

    name: str
    kind: str
    low: float = 0.0
    high: float = 1.0
    knee: float = 0.0
    choices: tuple[Any, ...] = ()
    player: str = ""

    def values(self, unit: Any) -> Any:
        """Return the values at coordinates; choices as they are written."""
        if self.choices:
            return [self.choices[int(place)] for place in np.atleast_1d(unit)]
        unit = np.asarray(unit, dtype=np.float64)
        if self.knee > 0:
            width = np.arcsinh((self.high - self.low) / self.knee)
            return np.minimum(self.low + self.knee * np.sinh(unit * width), self.high)
        return np.clip(self.low + unit * (self.high - self.low), self.low, self.high)

    def value(self, unit: float) -> Any:
        """Return the value at one coordinate."""
        found = self.values(unit)
        return found[0] if self.choices else float(found)

    def unit(self, value: Any) -> float:
        """Return the coordinate of a value."""
        if self.choices:
            return float(self.choices.index(value))
        if self.knee > 0:
            return float(np.arcsinh((value - self.low) / self.knee) / np.arcsinh((self.high - self.low) / self.knee))
        return float((value - self.low) / (self.high - self.low))


def assumption_parameter(scenario: Scenario, name: str) -> Parameter:
    """Return an assumption as a parameter: along its range, or among its choices.

    Raises
    ------
    OptionError
        For an unknown assumption, one without range or choices, and one with a range that shapes the game.

    Examples
    --------
    >>> import sim
    >>> assumption_parameter(sim.load("scenarios/rock_bottom.toml"), "floor_holds").high
    1.0
    """
    if name not in scenario.assumptions:
        raise OptionError(
            f"--free names '{name}', which is not an assumption; {did_you_mean(name, scenario.assumptions)}"
        )
    one = scenario.assumptions[name]
    if one.labels or one.choices:
        choices = tuple(one.labels.values) if one.labels else tuple(float(x) for x in one.choices or ())
        return Parameter(name=name, kind="assumption", choices=choices)
    if one.range is None:
        raise OptionError(f"assumption '{name}' has neither range nor choices to be estimated in; give it a range")
    if name in structural(scenario):
        what = f"assumption '{name}' shapes the game and has a range"
        raise OptionError(f"{what}, so that it would be compiled anew at every value; give it choices = […]")
    if one.range[1] <= one.range[0]:
        raise OptionError(
            f"assumption '{name}' has the range {one.range[0]:g} to {one.range[1]:g}, which leaves nothing to estimate"
        )
    return Parameter(name=name, kind="assumption", low=float(one.range[0]), high=float(one.range[1]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """One recorded history, and the scenario whose records it is: for messages, the lines of the file it was read from."""

    name: str
    records: tuple[Record, ...]
    scenario: Scenario = field(repr=False)


def read_records(scenario: Scenario, path: str | Path) -> Observed:
    """Read a history from a file of ``[[history]]`` tables, as the scenario's own is read.

    Raises
    ------
    ScenarioError
        Listing every mistake of the file at once.
    """
    from sim.scenario.load import read_text, read_toml

    name, text = str(path), read_text(path)
    document, lines = read_toml(text, name)
    wrong = [key for key in document if key not in WORDS]
    if wrong or not document.get("history"):
        what = f"has {wrong[0]}" if wrong else "records nothing"
        line = lines.get((wrong[0],), 0) if wrong else 0
        problem = Problem(
            kind="bad-record", what=what, expected="[[history]] tables, and nothing else", file=name, line=line
        )
        raise ScenarioError([problem])
    from sim.scenario.context import Context, EnoughError
    from sim.scenario.resolve import resolve
    from sim.scenario.validate import validate

    whole = {**scenario.document, "history": document["history"]}
    shape = validate(whole, lines, name)
    problems = list(shape.problems)
    told = scenario
    if shape.file is not None:
        context = Context(shape.file, shape.lines, name, shape.doubtful)
        with contextlib.suppress(EnoughError):
            told = resolve(context, whole)
        problems += context.problems
    if problems:
        raise ScenarioError(problems)
    return Observed(name=name, records=told.history, scenario=told)


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    """Recorded histories, equal ones counted.

    Attributes
    ----------
    histories : tuple of tuples of Record
    counts : float array, (h,)
    """

    histories: tuple[tuple[Record, ...], ...]
    counts: Floats

    @property
    def total(self) -> int:
        """How many histories."""
        return int(self.counts.sum())

    @property
    def decisions(self) -> int:
        """How many recorded moves of players."""
        return int(
            sum(n * sum(bool(r.player) for r in some) for n, some in zip(self.counts, self.histories, strict=True))
        )

    @property
    def players(self) -> tuple[str, ...]:
        """Whose moves are recorded."""
        return tuple(dict.fromkeys(r.player for some in self.histories for r in some if r.player))


def data_of(histories: Iterable[Sequence[Record]]) -> Data:
    """Count equal histories.

    Examples
    --------
    >>> import sim
    >>> one = sim.load("scenarios/rock_bottom.toml").history
    >>> found = data_of([one, one])
    >>> len(found.histories), found.counts, found.decisions
    (1, array([2.]), 20)
    """
    first: dict[Any, tuple[Record, ...]] = {}
    counts: dict[Any, int] = {}
    for records in histories:
        key = tuple((r.round, r.turn, r.player, r.action, r.event, r.label) for r in records)
        first.setdefault(key, tuple(records))
        counts[key] = counts.get(key, 0) + 1
    return Data(histories=tuple(first.values()), counts=frozen(np.array(list(counts.values()), dtype=np.float64)))


def added(counts: Floats, logs: Floats) -> Floats:
    """Add the log-likelihoods (p, h) of each sample's histories (b, h): (b, p); −∞ counts only for histories that occur.

    Examples
    --------
    >>> added(np.array([[1.0, 0.0], [1.0, 2.0]]), np.array([[-1.0, -np.inf]]))
    array([[ -1.],
           [-inf]])
    """
    lost = np.isneginf(logs)
    out = counts @ np.where(lost, 0.0, logs).T
    out[(counts > 0).astype(np.float64) @ lost.T.astype(np.float64) > 0] = -np.inf
    return out


class Model:
    """A concept with parameters: the likelihood of histories at any of its points.

    Parameters
    ----------
    scenario, concept
        What is solved.
    parameters
        What is free.
    settings, options
        The other assumptions, and the other options of the concept.
    build
        How to compile: ``rounds``, ``remove``, ``hidden``, ``known``, ``node_limit``.
    """

    def __init__(
        self,
        scenario: Scenario,
        concept: str,
        parameters: Sequence[Parameter],
        *,
        settings: Mapping[str, Any] | None = None,
        options: Mapping[str, Any] | None = None,
        build: Mapping[str, Any] | None = None,
    ) -> None:
        self.scenario, self.concept, self.parameters = scenario, concept, tuple(parameters)
        self.settings, self.options, self.build = dict(settings or {}), dict(options or {}), dict(build or {})
        self.shaping = structural(scenario)
        self.games: dict[tuple[Any, ...], Game] = {}
        self.solved = self.unsolved = 0

    @property
    def smooth(self) -> list[int]:
        """The places of parameters that have a scale."""
        return [place for place, one in enumerate(self.parameters) if not one.choices]

    def combinations(self) -> list[tuple[int, ...]]:
        """List the combinations of choices, one coordinate for each parameter that has some."""
        return list(itertools.product(*(range(len(one.choices)) for one in self.parameters if one.choices)))

    def base(self) -> Floats:
        """Return the point at which assumptions have the values that are set, and the scales of others are halfway, (k,)."""
        game = self.game({})
        out = np.full(len(self.parameters), 0.5)
        for place, one in enumerate(self.parameters):
            if one.kind == "assumption":
                number = float(game.assumptions[one.name][0])
                labels = self.scenario.assumptions[one.name].labels
                out[place] = one.unit(labels.values[int(number)] if labels else number)
            elif one.choices:
                out[place] = 0.0
        return out

    def game(self, chosen: Mapping[str, Any]) -> Game:
        """Compile the game with some assumptions chosen; once for each structure."""
        key = tuple(sorted((name, value) for name, value in chosen.items() if name in self.shaping))
        if key not in self.games:
            self.games[key] = compile_game(self.scenario, {**self.settings, **dict(key)}, **self.build)
        return self.games[key]

    def solutions(self, points: Floats) -> Iterator[tuple[Any, Solution]]:
        """Solve the game at points (p, k); yield the rows and their solution, chunk by chunk, and leave out what is not certified."""
        fixed = [place for place, one in enumerate(self.parameters) if one.choices or one.kind == "option"]
        groups, member = np.unique(points[:, fixed], axis=0, return_inverse=True)
        for g in range(len(groups)):
            rows = np.flatnonzero(member.ravel() == g)
            chosen: dict[str, Any] = {}
            options = dict(self.options)
            for place, coordinate in zip(fixed, groups[g], strict=True):
                one = self.parameters[place]
                (options if one.kind == "option" else chosen)[one.name] = one.value(coordinate)
            game = self.game(chosen)
            size = max(1, CHUNK_BYTES // (16 * game.lanes * (game.graph.edge_count + game.graph.node_count)))
            for start in range(0, len(rows), size):
                some = rows[start : start + size]
                yield from self._certified(some, *self._numbered(game, chosen, options, points[some]))

    def _numbered(
        self, game: Game, chosen: dict[str, Any], options: dict[str, Any], points: Floats
    ) -> tuple[Game, dict[str, Any]]:
        """Give a game the numbers of points that share their choices; return it with the concept's options."""
        told = {**self.settings, **chosen}
        precision: dict[str, Any] = {}
        for place, one in enumerate(self.parameters):
            if one.kind == "assumption" and not one.choices:
                told[one.name] = one.values(points[:, place])
            elif one.kind == "precision":
                precision[one.player] = one.values(points[:, place])
        batch = renumber(game, told)
        if batch.variants == 1 and len(points) > 1:
            batch = batch.repeat(len(points))
        if precision:
            options = {**options, "precision": precision.get("", precision)}
        return batch, options

    def _certified(self, rows: Any, game: Game, options: dict[str, Any]) -> Iterator[tuple[Any, Solution]]:
        """Solve a chunk; one by one what is certified, if not all is."""
        solution = solve(game, self.concept, **options)
        self.solved += len(rows)
        if solution.status.certified:
            yield rows, solution
            return
        for v in np.flatnonzero(solution.certificate.certified):
            one = one_variant(solution, int(v))
            yield rows[v : v + 1], replace(one, status=Status.CERTIFIED)
        self.unsolved += int((~solution.certificate.certified).sum())

    def likelihood(self, points: Floats, histories: Sequence[Sequence[Record]]) -> Floats:
        """Return the logarithm of each history's likelihood at each point, (p, h); −∞ where a move has probability 0 or nothing is certified."""
        out = np.full((len(points), len(histories)), -np.inf)
        for rows, solution in self.solutions(points):
            for h, records in enumerate(histories):
                out[rows, h] = follow(solution, records=records, lenient=True).log_likelihood
        return out

    def solution(self, point: Floats) -> Solution:
        """Return the solution at one point, (k,)."""
        for _, found in self.solutions(point[None]):
            return found
        raise NoAnswerError(f"{self.concept} has no certified answer at {self.told(point)}")

    def decisions(self, point: Floats, data: Data) -> tuple[Floats, Floats]:
        """Return the logarithm of each recorded move's probability at one point, and how often it counts, each (d,)."""
        solution = self.solution(point)
        logs: list[Floats] = []
        times: list[Floats] = []
        for count, records in zip(data.counts, data.histories, strict=True):
            found = follow(solution, records=records, lenient=True)
            with np.errstate(divide="ignore"):
                logs.append(np.log(found.probability[0, found.moves]))
            times.append(np.full(int(found.moves.sum()), count))
        return np.concatenate(logs), np.concatenate(times)

    def told(self, point: Floats) -> dict[str, Any]:
        """Return the values of the parameters at one point, by name."""
        return {one.name: one.value(float(x)) for one, x in zip(self.parameters, point, strict=True)}
