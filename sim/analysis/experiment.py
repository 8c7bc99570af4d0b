"""Run an experiment: every arm, concept and variant solved in batches, gathered in one labelled dataset, in memory or on disk."""

from __future__ import annotations

import hashlib
import json
import math
import os
import time
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.analysis.designs import read_designs
from sim.analysis.findings import case_of, find_all
from sim.analysis.grids import Grid, Product
from sim.analysis.measured import move_names
from sim.analysis.plan import VARIED, Plan, axis_values, read_experiment
from sim.analysis.store import Layout, Store, alone
from sim.analysis.survey import BLOCK_BYTES, Survey
from sim.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import xarray as xr

    from sim.analysis.grids import Design

__all__ = ["Estimate", "Study", "flat_dataset", "run", "run_plan"]

EDGES_A_SECOND = 4e7
CHUNK_SECONDS = 8.0
RESULT_BYTES = 64_000_000
TRIED = 24  # variants looked at to tell what a run takes
LONG = 15.0
OWN_BYTES = 200_000_000  # of the program itself
_TRAILING = {
    "distribution": ("round", "rung"),
    "first_passage": ("round", "rung"),
    "likely": ("round",),
    "played": ("turn_round", "move"),
}


def trailing(name: str) -> tuple[str, ...]:
    """Return the axes that a variable has after the variants.

    Examples
    --------
    >>> trailing("distribution"), trailing("first_deeper.by"), trailing("war")
    (('round', 'rung'), ('round',), ())
    """
    return ("round",) if name.endswith(".by") else _TRAILING.get(name, ())


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a run will take, told before it.

    Attributes
    ----------
    variants, cases, concepts, structures
        How many variants, arms, concepts; and how many structures among some variants that are spread over the design.
    nodes, edges
        Size of the largest structure among them.
    chunk, chunks
        Variants in a chunk, and how many chunks.
    memory
        Bytes held at once, about: a block of solutions, its numbers, and a chunk of results.
    stored
        Bytes of all results.
    seconds
        Expected time on this machine, from a few variants that were timed.
    """

    variants: int
    cases: int
    concepts: int
    structures: int
    nodes: int
    edges: int
    chunk: int
    chunks: int
    memory: int
    stored: int
    seconds: float


class Study:
    """An experiment that is ready to run.

    Parameters
    ----------
    plan
        A checked experiment.
    memory
        Bytes that may be held at once; by default half of what the machine has free.

    Examples
    --------
    >>> study = Study(read_experiment("experiments/floor_belief.toml"))
    >>> study.design.count, study.design.names[0]
    (357, 'floor_belief_russia')
    """

    def __init__(self, plan: Plan, memory: int | None = None) -> None:
        self.plan, self.experiment, self.scenario = plan, plan.experiment, plan.scenario
        self.memory = memory if memory is not None else _free_memory() // 2
        asked = self.experiment
        cases = [case_of(asked, arm) for arm in asked.arms]
        block = max(1_000_000, min(BLOCK_BYTES, self.memory // 12))
        self.survey = Survey(
            self.scenario, cases, plan.concepts, outcomes=asked.outcomes, measures=asked.measures,
            trajectories=asked.trajectories, block_bytes=block,
        )  # fmt: skip

    @cached_property
    def design(self) -> Design:
        """All variants: the grid of what is varied, times every design."""
        asked = self.experiment
        parts: list[Design] = []
        if asked.vary:
            parts.append(Grid(axes={name: axis_values(axis) for name, axis in asked.vary.items()}))
        if asked.designs:
            parts.append(read_designs(self.scenario, asked.designs, asked.seed, others=VARIED))
        if not parts:
            return _Base()
        return parts[0] if len(parts) == 1 else Product(designs=tuple(parts))

    @property
    def gridded(self) -> bool:
        """Whether the variants are a grid, so that each varied assumption can be an axis of the result."""
        return not self.experiment.designs

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes of a grid."""
        return tuple(len(axis_values(axis)) for axis in self.experiment.vary.values())

    def chunk(self, first: int, stop: int, progress: Callable[[int], None] | None = None) -> dict[str, Any]:
        """Solve some of the variants.

        Returns
        -------
        dict of arrays
            The varied assumptions (v,), and the answers (arms, concepts, v, …).
        """
        columns = self.design.rows(first, stop)
        answers = self.survey.ask(columns, stop - first, progress)
        return {**columns, **answers}

    def chunk_size(self, wanted: int | None = None) -> int:
        """Say how many variants make a chunk: what is asked for, or a few seconds' work whose results fit into memory."""
        if wanted is not None:
            if wanted < 1:
                raise OptionError(f"a chunk of {wanted} variants cannot be made; expected at least 1")
            return wanted
        game = self.first_game()
        solves = len(self.survey.cases) * len(self.survey.concepts)
        work = int(CHUNK_SECONDS * EDGES_A_SECOND / max(1, game.graph.edge_count * game.lanes * solves))
        fits = min(RESULT_BYTES, self.memory // 8) // max(1, self.result_bytes())
        size = max(1, min(work, fits, 2**18, self.design.count))
        return 1 << (size.bit_length() - 1)

    def first_game(self) -> Any:
        """Compile the game of the first arm and variant."""
        return self.survey.first_game(self.design.rows(0, 1), 1)

    def result_bytes(self) -> int:
        """Return the bytes that the answers of one variant take, about."""
        numbers = sum(math.prod(shape) for shape in self.survey.answers(self.design.rows(0, 1), 1).values())
        return 8 * (len(self.survey.cases) * len(self.survey.concepts) * numbers + len(self.design.names))

    def estimate(self, wanted: int | None = None) -> Estimate:
        """Say what a run will take: a few variants, spread over the design, are solved to time them."""
        chunk, count = self.chunk_size(wanted), self.design.count
        places = np.unique(np.linspace(0, count - 1, min(count, TRIED)).astype(np.int64)).tolist()
        drawn = [self.design.rows(place, place + 1) for place in places]
        look = {name: np.concatenate([one[name] for one in drawn]) for name in self.design.names}
        shapes = list(self.survey.shapes(look, len(places)))
        begun, spent, largest, single = time.perf_counter(), 0.0, self.first_game(), 0
        for shape, rows in shapes:
            games = [self.survey.game(case, shape) for case in self.survey.cases]
            largest = max([largest, *games], key=lambda game: game.graph.edge_count)
            some = self._some(games, count * len(rows) // len(places))
            columns = {name: np.repeat(values[rows[:1]], some) for name, values in look.items()}
            self.survey.ask(columns, some)  # what is derived from a structure is derived once
            start = time.perf_counter()
            self.survey.ask(columns, some)
            spent += len(rows) * (time.perf_counter() - start) / some
            single += len(rows)
            if time.perf_counter() - begun > LONG:
                break
        graph = largest.graph
        block = self.survey.block(largest) * 8 * largest.lanes * max(graph.edge_count, graph.node_count)
        held = 6 * block + 4 * graph.nbytes * min(16, len(shapes)) + 2 * min(chunk, count) * self.result_bytes()
        return Estimate(
            variants=count, cases=len(self.survey.cases), concepts=len(self.survey.concepts), structures=len(shapes),
            nodes=graph.node_count, edges=graph.edge_count, chunk=chunk, chunks=-(-count // chunk),
            memory=OWN_BYTES + held, stored=count * self.result_bytes(), seconds=spent / single * count,
        )  # fmt: skip

    def _some(self, games: Sequence[Any], share: int) -> int:
        """Say how many variants of a structure are timed: a block, but no more than a second's work, nor more than there are."""
        edges = sum(game.graph.edge_count * game.lanes for game in games) * len(self.survey.concepts)
        return max(1, min(share, self.survey.block(games[0]), int(EDGES_A_SECOND / max(1, edges))))

    # -- labels -----------------------------------------------------------------------------------------------------------------------

    @property
    def labels(self) -> dict[str, Any]:
        """The coordinates that are known beforehand."""
        asked = self.experiment
        out: dict[str, Any] = {
            "arm": [arm.name for arm in asked.arms],
            "concept": [spec.label for spec in self.plan.concepts],
        }
        ladder = self.scenario.ladder
        if asked.trajectories and ladder and ladder.labels:
            origin = self.first_game().origin
            first, rounds = origin.first, origin.rounds
            out |= {
                "round": list(range(first - 1, rounds + 1)),
                "rung": list(ladder.labels.values),
                "turn_round": list(range(1, rounds + 1)),
                "move": move_names(self.scenario),
            }
        return out

    @property
    def trailing(self) -> tuple[str, ...]:
        """The variables that have axes after the variants."""
        return (*_TRAILING, *(f"{name}.by" for name in self.scenario.questions))

    @property
    def attributes(self) -> dict[str, str]:
        """What the dataset says of itself."""
        asked = self.experiment
        return {
            "title": asked.title,
            "question": asked.question,
            "scenario": self.scenario.title,
            "source": asked.scenario,
        }

    def layout(self, chunk: int | None = None) -> Layout:
        """Describe the store of the results."""
        return Layout(
            experiment=self.plan.name,
            inputs={**self.plan.digests, "program": program_digest()},
            variants=self.design.count,
            chunk=self.chunk_size(chunk),
            labels=self.labels,
            varied=tuple(self.design.names),
            dims={name: trailing(name) for name in self.trailing},
            attributes={
                **self.attributes,
                "axes": json.dumps(self.shape) if self.gridded else "",
                "order": " ".join(self.design.names),
            },
        )

    def dataset(self, arrays: Mapping[str, Any]) -> xr.Dataset:
        """Label the answers of all variants; a grid has an axis for each varied assumption, other designs one axis, ``variant``."""
        import xarray as xr

        names = set(self.design.names)
        answers = {name: values for name, values in arrays.items() if name not in names}
        if not self.gridded:
            return flat_dataset(
                answers, {name: arrays[name] for name in self.design.names}, self.labels, self.attributes
            )
        dims = ("arm", "concept", *self.experiment.vary)
        variables = {
            name: (
                (*dims, *trailing(name)),
                values.reshape(*values.shape[:2], *self.shape, *values.shape[3:]),
            )
            for name, values in answers.items()
        }
        axes = {name: axis_values(axis) for name, axis in self.experiment.vary.items()}
        return xr.Dataset(variables, coords={**self.labels, **axes}, attrs=self.attributes)

    # -- running ----------------------------------------------------------------------------------------------------------------------

    def run(
        self,
        out: Path,
        *,
        chunk: int | None = None,
        fresh: bool = False,
        progress: Callable[[int, int], None] | None = None,
        solver: Callable[[Iterable[tuple[int, int, int]]], Iterable[tuple[int, dict[str, Any]]]] | None = None,
        seconds: float | None = None,
    ) -> tuple[Store, int, int]:
        """Solve the chunks that are not yet in a folder.

        Parameters
        ----------
        out
            The folder.
        chunk, fresh
            Variants in a chunk, where nothing is there yet; throw away what is there.
        progress
            Called with solves done and in all.
        solver
            Solves chunks elsewhere: takes triples of number, first variant, and the one after the last; gives numbers and arrays in any order.
        seconds
            Stop after the chunk at which so much time has passed.

        Returns
        -------
        tuple
            The store; how many chunks were found whole, and how many are still missing.
        """
        with alone(out):
            return self._fill(Store(out, self.layout(chunk), fresh=fresh), progress, solver, seconds)

    def _fill(
        self,
        store: Store,
        progress: Callable[[int, int], None] | None,
        solver: Callable[[Iterable[tuple[int, int, int]]], Iterable[tuple[int, dict[str, Any]]]] | None,
        seconds: float | None,
    ) -> tuple[Store, int, int]:
        """Solve what is missing in a store."""
        missing = store.missing()
        layout = store.layout
        solves = len(self.survey.cases) * len(self.survey.concepts)
        total = solves * self.design.count
        state = {"done": total - solves * sum(b - a for a, b in map(layout.span, missing.tolist()))}

        def told(count: int) -> None:
            state["done"] += count
            if progress:
                progress(state["done"], total)

        begun = time.monotonic()
        left = len(missing)
        jobs = ((k, *layout.span(k)) for k in missing.tolist())
        made = solver(jobs) if solver else ((k, self.chunk(first, stop, told)) for k, first, stop in jobs)
        if progress and left:
            progress(state["done"], total)
        for k, arrays in made:
            store.write(k, arrays)
            left -= 1
            if solver:
                first, stop = layout.span(k)
                told(solves * (stop - first))
            if seconds is not None and left and time.monotonic() - begun >= seconds:
                break
        return store, layout.chunks - len(missing), left


class _Base:
    """The design of an experiment that varies nothing: one variant."""

    names: tuple[str, ...] = ()
    count = 1

    def rows(self, start: int, stop: int) -> dict[str, Any]:  # noqa: ARG002 - as every design
        """Return no columns."""
        return {}


def flat_dataset(
    answers: Mapping[str, Any], varied: Mapping[str, Any], labels: Mapping[str, Any], attributes: Mapping[str, Any]
) -> xr.Dataset:
    """Label answers along one axis of variants, on which the varied assumptions are coordinates."""
    import xarray as xr

    variables = {name: (("arm", "concept", "variant", *trailing(name)), values) for name, values in answers.items()}
    along = {name: (("variant",), np.asarray(values)) for name, values in varied.items()}
    return xr.Dataset(variables, coords={**labels, **along}, attrs=dict(attributes))


def _free_memory() -> int:
    """Return the bytes of memory that the machine has free, or 4 GB where it does not say."""
    try:
        return int(os.sysconf("SC_AVPHYS_PAGES")) * int(os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, OSError, ValueError):
        return 4_000_000_000


@lru_cache(maxsize=1)
def program_digest() -> str:
    """Return the digest of the program's own sources: results of different programs are never mixed."""
    out = hashlib.sha256()
    root = Path(__file__).parent.parent
    for path in sorted(root.rglob("*.py")):
        out.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return out.hexdigest()


def run_plan(plan: Plan, progress: Callable[[int, int], None] | None = None) -> xr.Dataset:
    """Run a checked experiment in memory.

    Returns
    -------
    xarray.Dataset
        Dimensions ``arm``, ``concept`` and one for each varied assumption of a grid, or ``variant``; a variable for each outcome and measure,
        the players' values, and, with ``trajectories``, ``distribution`` and ``first_passage`` by round and rung, and ``played`` by round and move.
    """
    study = Study(plan)
    total = study.design.count * len(study.survey.cases) * len(study.survey.concepts)
    done = [0]

    def told(count: int) -> None:
        done[0] += count
        if progress:
            progress(done[0], total)

    return study.dataset(study.chunk(0, study.design.count, told))


def run(
    path: str | Path, out: str | Path | None = None, *, chunk: int | None = None, fresh: bool = False
) -> xr.Dataset:
    """Run an experiment file.

    Parameters
    ----------
    path
        The experiment.
    out
        A folder for the data and its manifest; what a run that was stopped left there is continued. Nothing is written without it.
    chunk
        Variants in a chunk; never changes results.
    fresh
        Throw away what is in the folder.

    Raises
    ------
    ExperimentError
        Listing every mistake of the file at once.
    OptionError
        If the folder holds other results.
    """
    plan = read_experiment(path)
    if out is None:
        return run_plan(plan)
    from sim.analysis.record import read, write_manifest

    Study(plan).run(Path(out), chunk=chunk, fresh=fresh)
    dataset = read(out)
    write_manifest(plan, dataset, out, findings=find_all(plan, Path(out)))
    return dataset
