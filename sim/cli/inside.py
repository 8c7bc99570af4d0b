"""Commands that look inside a solution: stages, bounds, commit."""

from __future__ import annotations

from typing import Annotated

import typer

from sim.cli.common import (
    LIMIT,
    At,
    Concept,
    File,
    Json,
    MaxNodes,
    Opt,
    Precision,
    Remove,
    Rounds,
    Set,
    Ties,
    compile_file,
    print_json,
    print_line,
    read_options,
    solve_game,
)


def stages(
    file: File, at: At = "",
    several: Annotated[bool, typer.Option("--several", help="List only stages with several equilibria.")] = False,
    most: Annotated[int, typer.Option("--most", min=1, help="List at most so many.")] = 20,
    concept: Concept = "subgame_perfect", set_: Set = None, rounds: Rounds = None, precision: Precision = None, ties: Ties = None, option: Opt = None,
    remove: Remove = None, max_nodes: MaxNodes = LIMIT, as_json: Json = False,
) -> None:  # fmt: skip
    """List the turns at which several players choose at once, or show one as a strategic game with all its equilibria."""
    from sim.analysis.stages import list_stages, stage_at
    from sim.present import inside
    from sim.present.printing import print_table

    options = read_options([concept], precision, ties, option)
    solution = solve_game(compile_file(file, set_, rounds, remove, max_nodes), concept, options)
    if at:
        info = stage_at(solution, at)
        if as_json:
            print_json(inside.stage_data(info))
            return
        print_line(f"round {info.round}: " + ", ".join(f"{name}={value}" for name, value in info.state.items()))
        for table in inside.stage_tables(info):
            print_table(table)
        return
    found = list_stages(solution, several=several)
    if as_json:
        print_json([inside.stage_data(info) for info in found])
    elif found:
        print_table(inside.stages_table(found, most))
    else:
        print_line(
            "no such stage: nobody chooses at once" + (", or every stage has one equilibrium" if several else "")
        )


def bounds(
    file: File, set_: Set = None, rounds: Rounds = None, ties: Ties = None, option: Opt = None, remove: Remove = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Keep at most so many equilibria.")] = 500,
    max_nodes: MaxNodes = LIMIT, as_json: Json = False,
) -> None:  # fmt: skip
    """Bound values and outcomes across all ways to break ties and to choose among stage equilibria (subgame perfection)."""
    from sim.analysis.bounds import bounds as find
    from sim.present import inside
    from sim.present.printing import print_table

    options = read_options(["subgame_perfect"], None, ties, option)
    found = find(solve_game(compile_file(file, set_, rounds, remove, max_nodes), "subgame_perfect", options), limit)
    if as_json:
        print_json(inside.bounds_data(found))
        return
    for table in inside.bounds_tables(found):
        print_table(table)


def commit(
    file: File,
    move: Annotated[str, typer.Argument(metavar="MOVE", help="A move or a group.")],
    player: Annotated[str, typer.Option("--player", help="Who is bound; needed where several may make the move.")] = "",
    concept: Concept = "subgame_perfect", set_: Set = None, rounds: Rounds = None, precision: Precision = None, ties: Ties = None, option: Opt = None,
    remove: Remove = None, max_nodes: MaxNodes = LIMIT, as_json: Json = False,
) -> None:  # fmt: skip
    """Bind a player to a move wherever it is available, solve again, and compare with the free game."""
    from sim.analysis.commitment import commit as bind
    from sim.present import inside
    from sim.present.printing import print_table

    options = read_options([concept], precision, ties, option)
    found = bind(solve_game(compile_file(file, set_, rounds, remove, max_nodes), concept, options), move, player)
    if as_json:
        print_json(inside.commitment_data(found))
        return
    for table in inside.commitment_tables(found):
        print_table(table)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    for command in (stages, bounds, commit):
        app.command()(command)
