"""The command that estimates: which precision, and which assumptions, make recorded histories likely."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from sim.cli.common import (
    LIMIT,
    File,
    Hidden,
    Json,
    Known,
    MaxNodes,
    Opt,
    Remove,
    Rounds,
    Set,
    compile_file,
    print_json,
    print_line,
    read_options,
    settings,
)
from sim.errors import OptionError

SAMPLES = 200


def fit(
    file: File,
    free: Annotated[list[str] | None, typer.Option("--free", metavar="NAME", help="Estimate an assumption too; may be repeated.")] = None,
    each: Annotated[bool, typer.Option("--each", help="Give every player a precision of his own.")] = False,
    history: Annotated[
        list[Path] | None, typer.Option("--history", metavar="FILE", help="A file of [[history]] tables: one more history; may be repeated.")
    ] = None,
    own: Annotated[bool, typer.Option("--own/--no-own", help="Whether the scenario's own history counts.")] = True,
    against: Annotated[
        list[str] | None, typer.Option("--against", metavar="CONCEPT", help="Fit another concept too and compare; may be repeated.")
    ] = None,
    points: Annotated[int, typer.Option("--points", min=5, help="How many precisions are scanned.")] = 97,
    highest: Annotated[float | None, typer.Option("--highest", metavar="LAMBDA", help="The greatest precision scanned.")] = None,
    bootstrap: Annotated[
        int | None, typer.Option("--bootstrap", min=0, help="How many samples are drawn and refitted; 200 for one parameter, else none.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the samples.")] = 1,
    level: Annotated[float, typer.Option("--level", help="Of all intervals.")] = 0.95,
    figure: Annotated[Path | None, typer.Option("--figure", help="Also draw the profile likelihoods into this SVG, PNG or PDF file.")] = None,
    set_: Set = None, rounds: Rounds = None, option: Opt = None, remove: Remove = None, hidden: Hidden = None, known: Known = None,
    max_nodes: MaxNodes = LIMIT, as_json: Json = False,
) -> None:  # fmt: skip
    """Estimate the precision of quantal response, and assumptions, from recorded histories: intervals, profile, bootstrap, other concepts."""
    from sim.analysis.fit import fit as estimate
    from sim.analysis.likelihood import read_records
    from sim.present.fit import fit_data, fit_lines, fit_tables
    from sim.present.printing import print_table

    fixed = settings(set_)
    both = [name for name in free or () if name in fixed]
    if both:
        raise OptionError(f"'{both[0]}' is both set and free; leave one of --set and --free out")
    game = compile_file(
        file, set_, rounds, remove, max_nodes, hidden=hidden, known=known, concepts=("quantal_response",)
    )
    scenario = game.origin.scenario
    build: dict[str, Any] = {
        "rounds": rounds,
        "remove": tuple(remove or ()),
        "hidden": game.origin.secret,
        "known": game.origin.told,
        "node_limit": max_nodes,
    }
    samples = bootstrap if bootstrap is not None else (0 if free or each else SAMPLES)
    found = estimate(
        scenario, free=free or (), each=each, histories=[read_records(scenario, path) for path in history or ()], own=own, settings=fixed,
        build=build, against=against or (), options=read_options(list(against or ()), None, None, option), points=points, highest=highest,
        bootstrap=samples, seed=seed, level=level,
    )  # fmt: skip
    if figure is not None:
        from sim.present.fit_figure import fit_figure

        fit_figure(found, figure)
    if as_json:
        print_json(fit_data(found))
        return
    for line in fit_lines(found):
        print_line(line)
    print_line()
    for table in fit_tables(found):
        print_table(table)


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command()(fit)
