"""Ask the same questions of many variants: numbers in, outcomes out.

A *survey* compiles each structure once, gives it the numbers of a block of variants, solves the block under every concept, has the referee measure it, and
asks everything of it. Blocks are small enough that memory is used again instead of being fetched anew, and every variant is computed alike
whatever stands beside it: the answers do not depend on how variants are cut.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.analysis.eve import compile_from
from sim.analysis.follow import follow
from sim.analysis.forced import forced
from sim.analysis.measured import Measurer
from sim.analysis.paths import play
from sim.construct.compile import compile as compile_game
from sim.construct.compile import renumber
from sim.errors import OptionError, did_you_mean
from sim.game.abreast import LANES
from sim.numerics.threads import over_tasks, thread_count
from sim.scenario.values import structural
from sim.solve.registry import option_names, solve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from sim.analysis.paths import Paths
    from sim.analysis.plan import ConceptSpec, Measure
    from sim.game.graph import Game
    from sim.kinds import Bools
    from sim.scenario.model import Scenario
    from sim.solve.contract import Solution

__all__ = ["BLOCK_BYTES", "GAME_KEYS", "OPTION_KEYS", "Case", "Survey"]

BLOCK_BYTES = 16_000_000  # of one array of profiles: it stays near the processor, and the allocator keeps memory instead of returning it
NUMBER_BYTES = 16_000_000
PIECES = 1
LARGER = 16
MOST_GAMES = 16
GAME_KEYS = ("rounds", "start", "variant")
"""What can be varied beside assumptions and needs a game of its own."""
OPTION_KEYS = ("precision", "selection", "ties", "level", "tau", "ahead")
"""What can be varied beside assumptions: options of concepts, taken by those that have them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A case to compare: which game is played, and from where it is followed.

    Attributes
    ----------
    name
        Its label.
    set
        Assumptions that are set.
    remove
        Moves or groups that nobody may make.
    since, force
        Follow the recorded history to this date or round; then a move that is made at the first decision at which it is available.
    rounds, start, hidden, known
        As for :func:`sim.compile` and :func:`sim.analysis.eve.compile_from`.
    """

    name: str = "base"
    set: Mapping[str, Any] = field(default_factory=dict[str, Any])
    remove: tuple[str, ...] = ()
    since: str = ""
    force: str = ""
    rounds: int | None = None
    start: str = ""
    hidden: tuple[str, ...] | str | None = None
    known: Mapping[str, Any] = field(default_factory=dict[str, Any])


class Survey:
    """Questions that are asked of many variants.

    Parameters
    ----------
    scenario
        The scenario.
    cases
        The cases to compare.
    concepts
        The concepts, with options.
    outcomes
        Names of outcomes of the scenario; all by default.
    measures
        Measures by name.
    trajectories
        Also keep distributions by round.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.plan import ConceptSpec
    >>> survey = Survey(sim.load(sim.template()), [Case()], [ConceptSpec(concept="subgame_perfect")], outcomes=["war"])
    >>> survey.ask({"prize": np.array([1.0, 4.0])})["war"].shape
    (1, 1, 2)
    """

    def __init__(
        self,
        scenario: Scenario,
        cases: Sequence[Case],
        concepts: Sequence[ConceptSpec],
        *,
        outcomes: Sequence[str] | None = None,
        measures: Mapping[str, Measure] | None = None,
        trajectories: bool = False,
        block_bytes: int = BLOCK_BYTES,
    ) -> None:
        self.scenario, self.cases, self.concepts = scenario, tuple(cases), tuple(concepts)
        self.measurer = Measurer(
            scenario,
            tuple(scenario.questions) if outcomes is None else tuple(outcomes),
            dict(measures or {}),
            trajectories=trajectories,
        )
        self.block_bytes = block_bytes
        self.games: OrderedDict[Any, Game] = OrderedDict()
        self.known: set[int] = set()  # those of which something was asked before
        self.shaping = structural(scenario)
        self.solves = 0

    # -- games ------------------------------------------------------------------------------------------------------------------------

    def game(self, case: Case, shape: Mapping[str, Any]) -> Game:
        """Return the compiled game of a case, from its start or from a date of the recorded history; the latest are kept."""
        key = (self.cases.index(case), tuple(sorted(shape.items())))
        if key in self.games:
            self.games.move_to_end(key)
            return self.games[key]
        settings = {**self.settings(case, shape), **{n: value for n, value in shape.items() if n not in GAME_KEYS}}
        options: dict[str, Any] = {
            "rounds": shape.get("rounds", case.rounds),
            "remove": case.remove,
            "hidden": case.hidden,
            "known": case.known,
        }
        start = shape.get("start", case.start)
        game = (
            compile_from(self.scenario, start, settings, **options)
            if start
            else compile_game(self.scenario, settings, **options)
        )
        self.games[key] = game
        if len(self.games) > MOST_GAMES:
            self.known.discard(id(self.games.popitem(last=False)[1]))
        return game

    def settings(self, case: Case, shape: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a named variant sets, and on top of it what the case does."""
        named = self.scenario.variants[str(shape["variant"])].settings if "variant" in shape else {}
        return {**named, **case.set}

    def block(self, game: Game) -> int:
        """Say how many variants are solved at once."""
        one = 8 * game.lanes * max(game.graph.edge_count, game.graph.node_count)
        size = self.block_bytes // one
        if size < 2 * LANES:  # a large game: what is saved by looking once for several is worth more memory
            size = min(2 * LANES, LARGER * self.block_bytes // one)
        return size // LANES * LANES if size >= LANES else max(1, size)

    def _numbered(self, game: Game, count: int) -> int:
        """Say of how many variants the numbers are computed at once: a multiple of the block, and no more than leaves every thread some."""
        x = game.numbers
        one = (x.reward[0].nbytes + x.pay[0].nbytes + x.prob[0].nbytes) * game.lanes
        block = self.block(game)
        most = min(NUMBER_BYTES // max(1, one), -(-count // (PIECES * thread_count())))
        return max(block, most // block * block)

    # -- asking -----------------------------------------------------------------------------------------------------------------------

    def ask(
        self,
        columns: Mapping[str, Any],
        count: int | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> dict[str, Any]:
        """Solve variants and ask everything of them.

        Parameters
        ----------
        columns
            What varies: an array (v,) for each assumption, for ``precision`` and other options of concepts, for ``rounds``, ``start``, and for
            ``variant``, a named variant of the scenario.
        count
            Number of variants; needed where nothing varies.
        progress
            Called with the number of solves just done.

        Returns
        -------
        dict of arrays
            Each (cases, concepts, v, …); NaN where an answer is not certified, which ``certified`` says.
        """
        given = {name: np.asarray(values) for name, values in columns.items()}
        size = count if count is not None else max((len(values) for values in given.values()), default=1)
        self.check(given)
        out = _Gathered(self.answers(given, size), len(self.cases), len(self.concepts), size)

        def work(piece: _Piece) -> None:
            columns = {name: values[piece.rows] for name, values in given.items()}
            self._numbers(piece, columns, out, progress)

        for c, case in enumerate(self.cases):
            for shape, rows in self.shapes(given, size):
                game = self.game(case, shape)
                step = self._numbered(game, len(rows))
                alone = 0 if id(game) in self.known else min(self.block(game), len(rows))
                cuts = [0, *range(alone, len(rows), step), len(rows)]
                pieces = [_Piece(game, case, c, shape, rows[a:b]) for a, b in pairwise(cuts) if b > a]
                if alone:  # what is derived from a structure is derived once
                    work(pieces.pop(0))
                    self.known.add(id(game))
                over_tasks(work, pieces)
        return out.arrays

    def check(self, columns: Mapping[str, Any]) -> None:
        """Refuse what cannot be varied."""
        known = {*self.scenario.assumptions, *GAME_KEYS, *OPTION_KEYS}
        for name in columns:
            if name not in known:
                raise OptionError(f"'{name}' cannot be varied; {did_you_mean(name, known)}")
        for label in dict.fromkeys(map(str, columns.get("variant", ()))):
            if label not in self.scenario.variants:
                advice = did_you_mean(label, self.scenario.variants)
                raise OptionError(f"'{label}' is not a variant of the scenario; {advice}")

    def shapes(self, columns: Mapping[str, Any], size: int) -> Iterator[tuple[dict[str, Any], Any]]:
        """Group variants by what shapes the game or cannot be solved in one batch: yield its values, and the variants that share them."""
        names = [name for name in columns if name in self.shaping or name in GAME_KEYS]
        yield from _alike({name: columns[name] for name in names}, np.arange(size))

    def first_game(self, columns: Mapping[str, Any], size: int) -> Game:
        """Return the game of the first case and variant; without a variant that at base."""
        shape, _ = next(self.shapes(columns, size), ({}, None))
        return self.game(self.cases[0], shape)

    def answers(self, columns: Mapping[str, Any], size: int) -> dict[str, tuple[int, ...]]:
        """Name everything that is answered, with the axes that it has after the variants; all of them are always there."""
        return {"certified": (), "max_gain": (), **self.measurer.shapes(self.first_game(columns, size))}

    def _numbers(
        self, piece: _Piece, columns: Mapping[str, Any], out: _Gathered, progress: Callable[[int], None] | None
    ) -> None:
        """Give a structure the numbers of some variants, and solve them block by block."""
        game, case, place, rows = piece.game, piece.case, piece.place, piece.rows
        varied = {n: v for n, v in columns.items() if n not in GAME_KEYS and n not in OPTION_KEYS}
        settings = {**self.settings(case, piece.shape), **varied}
        batch = renumber(game, settings)
        if batch.variants == 1 and len(rows) > 1:
            batch = batch.repeat(len(rows))
        size = self.block(game)
        for start in range(0, len(rows), size):
            part = slice(start, min(start + size, len(rows)))
            options = {name: columns[name][part] for name in OPTION_KEYS if name in columns}
            self._block(batch.take(part), case, place, options, rows[part], out)
            if progress:
                progress(len(rows[part]) * len(self.concepts))

    def _block(self, game: Game, case: Case, place: int, options: Mapping[str, Any], rows: Any, out: _Gathered) -> None:
        """Solve a block under every concept and ask everything."""
        several = bool(self.measurer.compared)
        solved = {spec.label: list(self._solved(game, spec, options)) for spec in self.concepts if several}
        for c, spec in enumerate(self.concepts):
            for solution, part in solved[spec.label] if several else self._solved(game, spec, options):
                where = place, c, rows[part]
                good = solution.certificate.certified
                out.put("certified", where, good)
                out.put("max_gain", where, solution.certificate.measures.max_gain)
                if good.all():
                    paths = self._played(solution, case)
                    for name, values in self.measurer.measured(solution, paths, part, solved, case).items():
                        out.put(name, where, values)

    def _solved(self, game: Game, spec: ConceptSpec, options: Mapping[str, Any]) -> Iterator[tuple[Solution, Any]]:
        """Solve a block under a concept; yield solutions that are certified in every variant, and single ones that are not."""
        takes = option_names(spec.concept)
        mine = {name: values for name, values in options.items() if name in takes}
        batched = {"precision": mine.pop("precision")} if "precision" in mine else {}
        for fixed, part in _alike(mine, np.arange(game.variants)):
            whole = len(part) == game.variants
            for run in [part] if whole else np.split(part, np.flatnonzero(np.diff(part) > 1) + 1):
                some = game if whole else game.take(slice(int(run[0]), int(run[-1]) + 1))
                chosen = {**spec.options, **fixed, **{name: values[run] for name, values in batched.items()}}
                yield from self._certified(some, spec.concept, chosen, run)

    def _certified(
        self, game: Game, concept: str, options: Mapping[str, Any], rows: Any
    ) -> Iterator[tuple[Solution, Any]]:
        """Solve, and where some variant is not certified, again in halves: what can be solved is never lost to what cannot."""
        solution = solve(game, concept, **options)
        self.solves += game.variants
        if solution.status.certified or game.variants == 1:
            yield solution, rows
            return
        half = game.variants // 2
        for part in (slice(0, half), slice(half, game.variants)):
            own = {name: value[part] if isinstance(value, np.ndarray) else value for name, value in options.items()}
            yield from self._certified(game.take(part), concept, own, rows[part])

    def _played(self, solution: Solution, case: Case) -> Paths:
        """Return the paths of all variants, from the recorded history if the case follows it."""
        if not case.since:
            return play(solution)
        walked = follow(solution, until=case.since)
        return play(
            walked.solution, forced(walked, case.since, case.force, case.name) if case.force else walked.profile
        )


@dataclass(frozen=True, slots=True)
class _Piece:
    """Variants of one structure whose numbers are computed at once; ``place`` is that of the case."""

    game: Game
    case: Case
    place: int
    shape: Mapping[str, Any]
    rows: Any


class _Gathered:
    """Arrays that fill as variants are solved: all there from the start, so that several threads may fill them, and missing where nothing is certified."""

    def __init__(self, names: Mapping[str, tuple[int, ...]], *shape: int) -> None:
        self.arrays: dict[str, Any] = {name: np.full((*shape, *rest), np.nan) for name, rest in names.items()}
        self.arrays["certified"] = np.zeros(shape, dtype=np.bool_)

    def put(self, name: str, where: tuple[int, int, Any], values: Any) -> None:
        """Put values of some variants into the array of a variable."""
        case, concept, rows = where
        if len(rows) and rows[-1] - rows[0] == len(rows) - 1:  # next to each other
            rows = slice(int(rows[0]), int(rows[-1]) + 1)
        self.arrays[name][case, concept, rows] = values


def _alike(columns: Mapping[str, Any], rows: Any) -> Iterator[tuple[dict[str, Any], Any]]:
    """Group rows by the values of discrete columns, in the order in which they first come."""
    if not columns:
        if len(rows):
            yield {}, rows
        return
    code = np.zeros(len(rows), dtype=np.int64)
    for values in columns.values():
        kinds, place = np.unique(values.astype(str) if values.dtype == object else values, return_inverse=True)
        code = np.unique(code * len(kinds) + place, return_inverse=True)[1]
    _, first, group = np.unique(code, return_index=True, return_inverse=True)
    for number in np.argsort(first, kind="stable"):
        at = int(first[number])
        mine: Bools = group == number
        yield {name: _plain(values[at]) for name, values in columns.items()}, rows[mine]


def _plain(value: Any) -> Any:
    """Return a plain Python value; whole numbers as integers."""
    value = value.item() if isinstance(value, np.generic) else value
    return int(value) if isinstance(value, float) and value.is_integer() else value
