"""Commands of a study: run, tidy."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sim.cli.common import Json, print_json, print_line, say
from sim.errors import NoAnswerError, OptionError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sim.analysis.experiment import Study
    from sim.analysis.plan import Plan

UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
SIZES = {"": 1.0, "B": 1.0, "kB": 1e3, "MB": 1e6, "GB": 1e9}


def _amount(text: str | None, option: str, units: dict[str, float], example: str) -> float | None:
    """Read an amount with its unit."""
    if text is None:
        return None
    found = re.fullmatch(r"\s*(\d+(?:\.\d*)?)\s*([A-Za-z]*)\s*", text)
    if not found or found[2] not in units or float(found[1]) <= 0:
        raise OptionError(f"{option} got '{text}'; expected a number with a unit, such as {option} {example}")
    return float(found[1]) * units[found[2]]


def run(
    file: Annotated[Path, typer.Argument(metavar="EXPERIMENT", help="An experiment file.")],
    out: Annotated[Path | None, typer.Option("--out", help="Where to write; by default results/<name>.")] = None,
    chunk: Annotated[
        int | None, typer.Option("--chunk", help="Variants solved and written together; never changes results.")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Throw away what an earlier run left in the folder.")] = False,
    workers: Annotated[
        int | None,
        typer.Option("--workers", help="Solve in so many processes on this machine (needs the extra 'cluster')."),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option("--scheduler", help="Solve on the workers of a Dask scheduler, such as tcp://host:8786."),
    ] = None,
    time: Annotated[
        str | None,
        typer.Option(
            "--time", metavar="TIME", help="Stop after the chunk at which this much has passed: 90s, 10min, 2h."
        ),
    ] = None,
    memory: Annotated[
        str | None, typer.Option("--memory", metavar="SIZE", help="Hold no more than about this much: 500MB, 4GB.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be solved, and what it would take.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Run an experiment, or go on where an earlier run stopped: data, figures, a manifest, and the sentence that answers its question."""
    from time import perf_counter

    from sim.analysis.experiment import Study
    from sim.analysis.plan import read_experiment

    begun = perf_counter()
    budget = _amount(memory, "--memory", SIZES, "4GB")
    seconds = _amount(time, "--time", UNITS, "10min")
    if workers is not None and scheduler is not None:
        raise OptionError("--workers starts processes of its own, --scheduler uses those that run; give one of them")
    plan = read_experiment(file)
    study = Study(plan, None if budget is None else int(budget))
    if dry_run:
        _tell(study, chunk, as_json=as_json)
        return
    folder = out or Path("results") / plan.name
    left = _solve(study, folder, chunk, fresh=fresh, workers=workers, scheduler=scheduler, seconds=seconds)
    if left:
        what = f"stopped after {time}: {left} chunk{'s' if left > 1 else ''} of results still missing; the same command goes on from here"
        raise NoAnswerError(what)
    _finish(plan, folder, file, out, lambda: round(perf_counter() - begun, 2), as_json=as_json)


def _solve(
    study: Study,
    folder: Path,
    chunk: int | None,
    *,
    fresh: bool,
    workers: int | None,
    scheduler: str | None,
    seconds: float | None,
) -> int:
    """Solve what is missing; return how many chunks are left."""
    from sim.analysis import cluster
    from sim.present.progress import Progress

    solver: Any = None
    if workers is not None:
        solver = cluster.local(study.plan, workers)
    elif scheduler is not None:
        solver = cluster.remote(study.plan, scheduler)
    progress = Progress("solving variants")
    try:
        store, found, left = study.run(
            folder, chunk=chunk, fresh=fresh, progress=progress, solver=solver, seconds=seconds
        )
    except KeyboardInterrupt:
        progress.stop()
        say(f"what is done is kept in {folder.as_posix()}; the same command goes on from here")
        raise
    finally:
        progress.stop()
    if chunk is not None and store.layout.chunk != chunk:
        say(
            f"{folder.as_posix()} is divided into chunks of {store.layout.chunk:,} variants, which is kept; --fresh would change it"
        )
    if found:
        say(
            f"{found} of {store.layout.chunks} chunk{'s' if store.layout.chunks > 1 else ''} found whole in {folder.as_posix()}, not solved again"
        )
    return left


def _finish(
    plan: Plan, folder: Path, file: Path, out: Path | None, spent: Callable[[], float], *, as_json: bool
) -> None:
    """Draw the figures, write the manifest, and print the answer."""
    from sim.analysis.answer import sentence
    from sim.analysis.findings import find_all
    from sim.analysis.record import read, write_manifest
    from sim.present.figures import draw
    from sim.present.progress import Progress

    dataset = read(folder)
    certified, solves = int(dataset["certified"].sum()), int(dataset["certified"].size)
    if not certified:
        raise NoAnswerError(
            f"none of {solves:,} solves has a certified answer; sim solve with the same settings says why"
        )
    progress = Progress("answering findings")
    try:
        findings = find_all(plan, folder, progress)
    finally:
        progress.stop()
    answer = sentence(plan.experiment.answer, dataset, findings) if plan.experiment.answer else ""
    figures = draw(plan, dataset, folder, findings)
    command = f"sim run {file.as_posix()}" + (f" --out {out.as_posix()}" if out else "")
    manifest = write_manifest(plan, dataset, folder, command, tuple(path.name for path in figures), findings, spent())
    if as_json:
        print_json(
            {
                "experiment": plan.name,
                "question": plan.experiment.question,
                "answer": answer,
                "findings": findings,
                "folder": str(folder),
                "figures": [str(x) for x in figures],
                "manifest": str(manifest),
                "dimensions": {str(k): v for k, v in dataset.sizes.items()},
            }
        )
        return
    print_line(plan.experiment.title)
    print_line(f"Question: {' '.join(plan.experiment.question.split())}")
    if answer:
        print_line(f"Answer: {answer}")
    solves += sum(int(one["solves"]) for one in findings.values())
    certified += sum(int(one["solves"]) - int(one.get("uncertified", 0)) for one in findings.values())
    print_line(f"{solves:,} solves, {certified:,} certified")
    kept = [folder / "findings" / f"{name}.json" for name in findings]
    for path in (*figures, *kept, folder / "result.zarr", manifest):
        print_line(f"wrote {path}")


def _tell(study: Study, chunk: int | None, *, as_json: bool) -> None:
    """Print what a run would take."""
    import dataclasses

    from sim.present.progress import duration

    found = study.estimate(chunk)
    if as_json:
        print_json(dataclasses.asdict(found))
        return
    solves = found.variants * found.cases * found.concepts
    print_line(f"{study.experiment.title}: nothing is solved yet")
    product = " × ".join(
        f"{count:,} {what}{'s' if count > 1 else ''}"
        for count, what in ((found.variants, "variant"), (found.cases, "arm"), (found.concepts, "concept"))
    )
    print_line(
        f"{product} = {solves:,} solves, in {found.chunks:,} chunk{'s' if found.chunks > 1 else ''} of up to {found.chunk:,} variants"
    )
    shared = (
        "one structure of" if found.structures == 1 else f"at least {found.structures} structures, the largest seen of"
    )
    print_line(f"{shared} {found.nodes:,} nodes and {found.edges:,} edges")
    print_line(
        f"about {found.memory / 1e6:,.0f} MB of memory, {found.stored / 1e6:,.1f} MB of results before compression"
    )
    print_line(f"about {duration(found.seconds)} on this machine")
    if study.experiment.findings:
        print_line(
            f"{len(study.experiment.findings)} findings beside it pick variants of their own: {', '.join(study.experiment.findings)}"
        )


def tidy(
    folder: Annotated[
        Path, typer.Argument(metavar="RESULTS", help="A folder that sim run wrote, such as results/successor.")
    ],
    to: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="Where to write: FILE.csv, or FILE.parquet (needs the extra 'tables')."),
    ],
    variable: Annotated[
        list[str] | None, typer.Option("--variable", metavar="NAME", help="Write only this one; may be repeated.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write results as a tidy table: one row for each arm, concept and variant, with the assumptions beside the outcomes."""
    from sim.analysis.tidy import write_tidy

    count = write_tidy(folder, to, tuple(variable or ()))
    if as_json:
        print_json({"file": str(to), "rows": count})
        return
    print_line(f"wrote {to}: {count:,} rows")


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(run)
    app.command()(tidy)
