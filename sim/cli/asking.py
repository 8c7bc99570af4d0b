"""What the commands that ask many variants share: how the game is chosen, and how an answer is printed, written and drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from sim.cli.common import print_json, print_line, read_options, settings

__all__ = ["Figure", "Outcome", "Seed", "answer", "asked"]

Outcome = Annotated[
    str,
    typer.Option(
        "--outcome",
        metavar="QUESTION",
        help="An outcome of the scenario, value_PLAYER, likelihood, or 'advantage(MOVE @ DATE)', 'chosen(MOVE @ DATE)'.",
    ),
]
Figure = Annotated[Path | None, typer.Option("--figure", help="Also draw it into this SVG, PNG or PDF file.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Of everything that is drawn at random.")]


def asked(
    file: Path,
    set_: list[str] | None,
    concept: str,
    precision: list[str] | None,
    ties: str | None,
    option: list[str] | None,
    rounds: int | None = None,
    remove: list[str] | None = None,
    hidden: list[str] | None = None,
    known: list[str] | None = None,
    start: str = "",
) -> dict[str, Any]:
    """Return the scenario, the concept with its options, and the case, as every ``find`` takes them; by default the concept that fits the game."""
    from sim.analysis.eve import compile_from
    from sim.analysis.survey import Case
    from sim.construct.compile import compile as compile_game
    from sim.scenario.load import load
    from sim.solve.registry import default_concept

    scenario = load(file)
    case = Case(
        set=settings(set_),
        remove=tuple(remove or ()),
        rounds=rounds,
        start=start,
        hidden="all" if hidden == ["all"] else None if hidden is None else tuple(hidden),
        known=settings(known, "--known", "resolve=weak"),
    )
    chosen = concept
    if not chosen:
        build: dict[str, Any] = {"rounds": rounds, "remove": case.remove, "hidden": case.hidden, "known": case.known}
        game = compile_from(scenario, start, case.set, **build) if start else compile_game(scenario, case.set, **build)
        chosen = default_concept(game)
    options = read_options([chosen], precision, ties, option)[chosen]
    return {"scenario": scenario, "concept": chosen, "options": options, "case": case}


def answer(found: Any, *, as_json: bool, figure: Path | None = None, concept: str = "") -> None:
    """Print a finding, and draw it if asked."""
    from sim.present.findings import draw_finding, finding_lines, finding_tables
    from sim.present.printing import print_table

    record = {**found.record(), **({"concept": concept} if concept else {})}
    if figure is not None:
        draw_finding([record], figure)
    if as_json:
        print_json(record)
        return
    for line in finding_lines(record):
        print_line(line)
    for table in finding_tables(record):
        print_line()
        print_table(table)
    if figure is not None:
        print_line(f"wrote {figure}")
