"""Commands of a study: run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sim.cli.common import Json, print_json, print_line


def run(
    file: Annotated[Path, typer.Argument(metavar="EXPERIMENT", help="An experiment file.")],
    out: Annotated[Path | None, typer.Option("--out", help="Where to write; by default results/<name>.")] = None,
    as_json: Json = False,
) -> None:
    """Run an experiment: data, figures, a manifest, and the sentence that answers its question."""
    from sim.analysis.answer import sentence
    from sim.analysis.experiment import run_plan
    from sim.analysis.plan import read_experiment
    from sim.analysis.record import claim, write
    from sim.present.figures import draw
    from sim.present.progress import Progress

    plan = read_experiment(file)
    progress = Progress("solving variants")
    try:
        dataset = run_plan(plan, progress)
    finally:
        progress.stop()
    folder = claim(plan, out or Path("results") / plan.name)
    answer = sentence(plan.experiment.answer, dataset) if plan.experiment.answer else ""
    figures = draw(plan, dataset, folder)
    command = f"sim run {file.as_posix()}" + (f" --out {out.as_posix()}" if out else "")
    manifest = write(plan, dataset, folder, command, tuple(path.name for path in figures))
    if as_json:
        print_json(
            {
                "experiment": plan.name,
                "question": plan.experiment.question,
                "answer": answer,
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
    print_line(f"{int(dataset['certified'].size):,} solves, {int(dataset['certified'].sum()):,} certified")
    for path in (*figures, folder / "result.zarr", manifest):
        print_line(f"wrote {path}")


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(run)
