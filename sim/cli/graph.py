"""Commands that read a scenario as a graph model: stability."""

from __future__ import annotations

from typing import Annotated

import typer

from sim.cli.common import File, Json, Remove, Set, print_json, print_line, settings

Sequences = Annotated[
    str, typer.Option("--sequences", help="How opponents answer: legal (sequences, nobody twice running) or single.")
]
Coalition = Annotated[
    list[str] | None,
    typer.Option("--coalition", metavar="A,B", help="Also seek what these players can improve together; repeatable."),
]
Why = Annotated[
    list[str] | None,
    typer.Option("--why", metavar="STATE", help="Also say why this state is stable or not; may be repeated."),
]


def stability(
    file: File,
    set_: Set = None,
    sequences: Sequences = "legal",
    coalition: Coalition = None,
    why: Why = None,
    remove: Remove = None,
    as_json: Json = False,
) -> None:
    """Read a scenario as a graph model: which states are stable, for whom, what deters, and how to get there."""
    from sim.present import stability as tables
    from sim.present.printing import print_table
    from sim.scenario.load import load

    coalitions = [[word.strip() for word in text.split(",")] for text in coalition or ()]
    options = {"sequences": sequences, "coalitions": coalitions, "remove": remove or ()}
    found = tables.report(load(file), settings(set_), options)
    if as_json:
        reasons = {"why": {state: tables.why_data(found, state) for state in why}} if why else {}
        print_json({**tables.report_data(found), **reasons})
        return
    for line in tables.report_lines(found):
        print_line(line)
    print_line()
    for table in tables.report_tables(found):
        print_table(table)
    for state in why or ():
        print_table(tables.why_table(found, state))


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(stability)
