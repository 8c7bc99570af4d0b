"""What the commands that ask many variants share: how the game is chosen, and how an answer is printed, written and drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from sim.cli.common import LIMIT, compile_file, print_json, print_line, read_options, settings

__all__ = ["Figure", "Outcome", "Seed", "answer", "asked", "tell"]

Outcome = Annotated[
    str,
    typer.Option(
        "--outcome",
        "--of",
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
    from sim.analysis.survey import Case
    from sim.solve.registry import default_concept

    game = compile_file(file, set_, rounds, remove, LIMIT, hidden=hidden, known=known, concepts=(concept,), since=start)
    origin: Any = game.origin
    chosen = concept or default_concept(game)
    case = Case(
        set=settings(set_),
        remove=tuple(remove or ()),
        rounds=rounds,
        start=start,
        hidden=origin.secret,
        known=origin.told,
    )
    options = read_options([chosen], precision, ties, option)[chosen]
    return {"scenario": origin.scenario, "concept": chosen, "options": options, "case": case}


def answer(found: Any, *, as_json: bool, figure: Path | None = None, concept: str = "") -> None:
    """Print a finding, and draw it if asked."""
    tell([{**found.record(), **({"concept": concept} if concept else {})}], as_json=as_json, figure=figure)


def tell(records: list[dict[str, Any]], *, as_json: bool, figure: Path | None = None) -> None:
    """Print the records of findings, and draw them into one figure if asked."""
    from sim.present.findings import draw_finding

    if figure is not None:
        draw_finding(records, figure)
    if as_json:
        print_json(records if len(records) > 1 else records[0])
        return
    for place, record in enumerate(records):
        if place:
            print_line()
        _tell(record)
    if figure is not None:
        print_line(f"wrote {figure}")


def _tell(record: dict[str, Any]) -> None:
    """Print one record."""
    from sim.present.findings import finding_lines, finding_tables
    from sim.present.printing import print_table

    for line in finding_lines(record):
        print_line(line)
    for table in finding_tables(record):
        if table.rows:
            print_line()
            print_table(table)
