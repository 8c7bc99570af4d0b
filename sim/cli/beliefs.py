"""The commands about what is private: beliefs, and the costs that make a threat credible."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sim.cli.common import (
    LIMIT,
    Concept,
    ConceptOrFitting,
    File,
    Hidden,
    Json,
    Known,
    MaxNodes,
    Opt,
    Precision,
    Rounds,
    Set,
    Start,
    Ties,
    compile_file,
    print_json,
    print_line,
    read_options,
    say,
    solve_game,
)
from sim.errors import NoAnswerError, OptionError


def beliefs(
    file: File, concept: Concept = "perfect_bayesian", set_: Set = None, rounds: Rounds = None, precision: Precision = None, ties: Ties = None,
    option: Opt = None, hidden: Hidden = None, known: Known = None, start: Start = "",
    observer: Annotated[
        str, typer.Option("--observer", metavar="PLAYER[:TYPE]", help="Whose beliefs; by default those of anybody who sees no type.")
    ] = "",
    count: Annotated[int, typer.Option("--histories", min=1, help="How many of the most likely histories.")] = 3,
    figure: Annotated[Path | None, typer.Option("--figure", help="Also draw the beliefs into this SVG, PNG or PDF file.")] = None,
    max_nodes: MaxNodes = LIMIT, as_json: Json = False,
) -> None:  # fmt: skip
    """Show what is learned of private types: beliefs by round along the most likely and the recorded history, and over all histories."""
    from sim.analysis.beliefs import belief_paths
    from sim.present import tables
    from sim.present.beliefs import beliefs_data, beliefs_lines, beliefs_tables
    from sim.present.printing import print_table

    options = read_options([concept], precision, ties, option)
    game = compile_file(
        file, set_, rounds, None, max_nodes, hidden=hidden or ["all"], known=known, concepts=(concept,), since=start
    )
    if game.types is None:
        advice = (
            "beliefs are about private types with values: add [private.NAME] with values = { … }, or leave --known out"
        )
        raise OptionError(f"{file} hides no type from anybody; {advice}")
    solution = solve_game(game, concept, options)
    ahead = game.origin.scenario.history[game.origin.recorded :]
    recorded = "recorded" if any(game.origin.first <= one.round <= game.origin.rounds for one in ahead) else None
    try:
        found = belief_paths(solution, count, records=recorded, observer=observer)
    except NoAnswerError as error:  # what is not recorded may have had probability 0
        say(f"without the recorded history: {error}")
        found = belief_paths(solution, count, observer=observer)
    if figure is not None:
        from sim.present.beliefs_figure import beliefs_figure

        beliefs_figure(found, figure)
    if as_json:
        print_json(beliefs_data(found))
        return
    for line in (*tables.solution_lines(solution), "", *beliefs_lines(found), ""):
        print_line(line)
    for table in beliefs_tables(found):
        print_table(table)


def credible(
    file: File,
    vary: Annotated[str, typer.Option("--vary", metavar="NAME", help="The assumption, such as a cost; its range is searched.")],
    move: Annotated[str, typer.Option("--move", metavar="MOVE", help="The threat: a move or group.")],
    player: Annotated[str, typer.Option("--player", help="Who makes it, if several may.")] = "",
    at: Annotated[str, typer.Option("--at", metavar="HISTORY", help="After which history it is due, such as 'challenge > resist'.")] = "",
    level: Annotated[float, typer.Option("--crosses", help="The probability that makes it credible.")] = 0.5,
    points: Annotated[int, typer.Option("--points", min=2, help="How many values are scanned.")] = 101,
    concept: ConceptOrFitting = "", set_: Set = None, rounds: Rounds = None, precision: Precision = None, ties: Ties = None,
    option: Opt = None, hidden: Hidden = None, known: Known = None, as_json: Json = False,
) -> None:  # fmt: skip
    """Find the costs that make a threat credible: where an assumption carries the chance that it is carried out across a level."""
    from sim.analysis.credible import credible as search
    from sim.cli.common import settings
    from sim.present.credible import credible_data, credible_lines, credible_table
    from sim.present.printing import print_table
    from sim.solve.registry import default_concept

    game = compile_file(file, set_, rounds, hidden=hidden, known=known, concepts=(concept,))
    concept = concept or default_concept(game)
    asked = read_options([concept], precision, ties, option)[concept]
    build = {"rounds": rounds, "known": game.origin.told, "hidden": game.origin.secret}
    found = search(
        game.origin.scenario, vary, move, player, level=level, at=at, concept=concept, points=points, settings=settings(set_),
        build=build, **asked,
    )  # fmt: skip
    if as_json:
        print_json(credible_data(found))
        return
    for line in credible_lines(found):
        print_line(line)
    print_line()
    print_table(credible_table(found))


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(beliefs)
    app.command()(credible)
