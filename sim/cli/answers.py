"""Commands that answer: solve, paths, moves, replay, compare."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sim.cli import games
from sim.cli.common import (
    LIMIT,
    At,
    Concept,
    ConceptOrFitting,
    File,
    Hidden,
    Json,
    Known,
    MaxNodes,
    Opt,
    Precision,
    Remove,
    Rounds,
    Set,
    Start,
    Ties,
    compile_file,
    print_json,
    print_line,
    read_options,
    solve_as,
    solve_game,
)
from sim.errors import OptionError

if TYPE_CHECKING:
    from sim.analysis.moves import Moves

GAME_FILES = (".nfg", ".efg")


def solve(
    file: File,
    concept: ConceptOrFitting = "",
    set_: Set = None, rounds: Rounds = None, precision: Precision = None, ties: Ties = None, option: Opt = None, remove: Remove = None,
    figure: Annotated[
        Path | None, typer.Option("--figure", help="Of a game file under quantal_response: draw its branch into this SVG, PNG or PDF file.")
    ] = None,
    hidden: Hidden = None, known: Known = None, start: Start = "", max_nodes: MaxNodes = LIMIT, as_json: Json = False,
) -> None:  # fmt: skip
    """Solve a scenario, or a game file (.nfg, .efg), under one concept: certificate, values, outcomes, most likely history."""
    if file.suffix.lower() in GAME_FILES:
        if set_ or rounds or remove:
            raise OptionError("--set, --rounds and --remove change scenarios; a game file has nothing to set")
        games.solve_file(file, concept, precision, ties, option, figure, as_json=as_json)
        return
    if concept == "stability":
        from sim.cli.graph import stability

        if rounds or precision or ties or option:
            raise OptionError("stability takes --set and --remove only here; sim stability has its own options")
        stability(file, set_, remove=remove, as_json=as_json)
        return
    if figure is not None:
        raise OptionError(
            "--figure draws the branch of a game file (.nfg, .efg); for a scenario use sim paths --figure"
        )
    from sim.analysis.paths import play
    from sim.present import tables
    from sim.present.cutoffs import cutoffs_data, cutoffs_lines, cutoffs_tables
    from sim.present.printing import print_table
    from sim.present.private import other_equilibria_table, type_values_table
    from sim.present.signals import signalling_data, signalling_lines, signalling_table

    game = compile_file(
        file, set_, rounds, remove, max_nodes, hidden=hidden, known=known, concepts=(concept,), since=start
    )
    solution = solve_as(game, concept, precision, ties, option)
    paths = play(solution)
    if as_json:
        more = {"cutoffs": cutoffs_data(solution)} if solution.cutoffs else {}
        print_json(tables.solution_data(solution, paths) | more | signalling_data(solution))
        return
    for line in (
        *tables.solution_lines(solution),
        *(cutoffs_lines(solution) if solution.cutoffs else ()),
        *signalling_lines(solution),
    ):
        print_line(line)
    print_line()
    print_table(tables.values_table(solution))
    if game.types is not None:
        print_table(type_values_table(solution))
    if game.types is not None and solution.others:
        print_table(other_equilibria_table(solution))
    if solution.signalling is not None:
        print_table(signalling_table(solution))
    for table in cutoffs_tables(solution) if solution.cutoffs else ():
        print_table(table)
    print_table(tables.outcomes_table(paths))
    print_table(tables.path_table(paths, paths.histories(1)[0]))


def paths(
    file: File, concept: ConceptOrFitting = "", set_: Set = None, rounds: Rounds = None, precision: Precision = None, ties: Ties = None,
    option: Opt = None, remove: Remove = None,
    since: Annotated[str, typer.Option("--from", metavar="DATE", help="Follow the recorded history up to this date or round first.")] = "",
    variable: Annotated[str | None, typer.Option("--variable", help="The variable to show; by default the ladder.")] = None,
    given: Annotated[list[str] | None, typer.Option("--given", metavar="MOVE", help="Also show outcomes given that a move was played.")] = None,
    count: Annotated[int, typer.Option("--histories", min=1, help="How many of the most likely histories.")] = 5,
    draws: Annotated[int | None, typer.Option("--sample", metavar="N", help="Also draw N plays: estimates with standard errors.")] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the plays drawn.")] = 0,
    figure: Annotated[Path | None, typer.Option("--figure", help="Also draw the trajectory into this SVG, PNG or PDF file.")] = None,
    hidden: Hidden = None, known: Known = None, start: Start = "", max_nodes: MaxNodes = LIMIT, as_json: Json = False,
) -> None:  # fmt: skip
    """Show trajectories: the distribution of the ladder by round, first passages, the most likely histories."""
    from sim.analysis.paths import play
    from sim.analysis.replay import replay as follow
    from sim.present import sampling as sampled
    from sim.present import tables
    from sim.present.printing import print_table

    game = compile_file(
        file, set_, rounds, remove, max_nodes, hidden=hidden, known=known, concepts=(concept,), since=start
    )
    solution = solve_as(game, concept, precision, ties, option)
    if since and not solution.game.origin.scenario.history:
        raise OptionError(f"--from follows the recorded history, and {file} records none; add [[history]] tables")
    found = follow(solution, until=since).paths() if since else play(solution)
    if figure is not None:
        from sim.present.figures import trajectory_figure

        trajectory_figure(found, figure, variable)
    drawn = None
    if draws is not None:
        from sim.analysis.sampling import sample

        drawn = sample(found, draws, seed)
    if as_json:
        more = {} if drawn is None else {"sample": sampled.sample_data(drawn)}
        print_json(tables.paths_data(found, count, variable) | {"given": tables.given_data(found, given or ())} | more)
        return
    print_table(tables.trajectory_table(found, variable))
    print_table(tables.passage_table(found, variable))
    print_table(tables.histories_table(found.histories(count)))
    if given:
        print_table(tables.given_table(found, given))
    for table in () if drawn is None else sampled.sample_tables(found, drawn):
        print_table(table)


def moves(
    file: File, at: At = "",
    player: Annotated[str, typer.Option("--player", help="Whose decision; by default that of the next record.")] = "",
    stages: Annotated[bool, typer.Option("--stages", help="Also tabulate the stage game that each move leads to.")] = False,
    why: Annotated[bool, typer.Option("--why", help="Also say why the move is made: its slack, and the replies that sustain it.")] = False,
    information: Annotated[bool, typer.Option("--information", help="With private types: also tell what being known, and each signal, is worth.")] = False,
    concept: ConceptOrFitting = "", set_: Set = None, rounds: Rounds = None, precision: Precision = None, ties: Ties = None, option: Opt = None,
    remove: Remove = None, hidden: Hidden = None, known: Known = None, start: Start = "", max_nodes: MaxNodes = LIMIT, as_json: Json = False,
) -> None:  # fmt: skip
    """Show what each move does to payoffs: the stage game and continuation values before and after it."""
    from sim.analysis.knowledge import knowledge
    from sim.analysis.moves import moves_at
    from sim.analysis.reasons import reasons
    from sim.present import inside, signals, tables
    from sim.present.printing import print_table

    game = compile_file(
        file, set_, rounds, remove, max_nodes, hidden=hidden, known=known, concepts=(concept,), since=start
    )
    solution = solve_as(game, concept, precision, ties, option)
    found = moves_at(solution, at or None, player)
    worth = knowledge(solution, node=found.node, moves=_signals(found)) if information else None
    players = solution.game.graph.players
    if as_json:
        told = {} if worth is None else {"knowledge": signals.knowledge_data(worth)}
        told |= {"why": inside.reasons_data(reasons(solution, at or None, player))} if why else {}
        print_json(tables.moves_data(found, players) | told)
        return
    print_line(", ".join(f"{name}={value}" for name, value in found.state.items()))
    for table in tables.moves_tables(found, players, stages=stages):
        print_table(table)
    if found.note:
        print_line(found.note)
    if worth is not None:
        for table in signals.knowledge_tables(worth):
            print_table(table)
        for line in signals.knowledge_lines(worth):
            print_line(line)
    if why:
        explained = reasons(solution, at or None, player)
        for line in inside.reasons_lines(explained):
            print_line(line)
        print_line()
        for table in inside.reasons_tables(explained):
            print_table(table)


def _signals(found: Moves) -> tuple[str, ...] | None:
    """List the moves and groups of a decision that may be left out; all of the game's where nobody with types decides."""
    if found.signal is None:
        return None
    labels = [label for one in found.signal.labels for label in (one.move, one.group) if label]
    return tuple(dict.fromkeys(labels))


def replay(
    file: File, since: Annotated[str, typer.Option("--from", metavar="DATE", help="Follow records before this date or round, then play forward.")] = "",
    concept: Concept = "quantal_response", set_: Set = None, rounds: Rounds = None, precision: Precision = None, ties: Ties = None, option: Opt = None,
    remove: Remove = None, hidden: Hidden = None, known: Known = None, start: Start = "", max_nodes: MaxNodes = LIMIT, as_json: Json = False,
) -> None:  # fmt: skip
    """Hold the recorded history against the model: probability, rank and surprise of each record; then play forward."""
    from sim.analysis.replay import replay as follow
    from sim.present import tables
    from sim.present.printing import print_table

    game = compile_file(
        file, set_, rounds, remove, max_nodes, hidden=hidden, known=known, concepts=(concept,), since=start
    )
    solution = solve_as(game, concept, precision, ties, option)
    if not solution.game.origin.scenario.history:
        raise OptionError(f"{file} records no history; add [[history]] tables")
    found = follow(solution, until=since or None)
    after = found.paths()
    if as_json:
        print_json(
            {
                **tables.replay_data(found),
                "from": since,
                "outcomes": {name: float(value[0]) for name, value in after.outcomes().items()},
                "path": tables.path_data(after.histories(1)[0]),
            }
        )
        return
    print_table(tables.replay_table(found))
    if solution.game.types is not None:
        from sim.present.private import precision_line

        print_line(precision_line(solution))
    print_line(
        f"log-likelihood of the recorded moves: {found.log_likelihood:.3f}; under uniform play: {found.uniform_log_likelihood:.3f}"
    )
    forced = [step for step in found.steps if step.forced]
    if forced:
        print_line(f"{len(forced)} record(s) had probability 0 and were forced")
    print_line()
    print_table(tables.path_table(after, after.histories(1)[0], "Most likely history from there on, given the records"))
    print_table(tables.outcomes_table(after))


def compare(
    file: File, concept: Annotated[list[str] | None, typer.Option("--concept", help="A solution concept; give two or more.")] = None,
    set_: Set = None, rounds: Rounds = None, precision: Precision = None, ties: Ties = None, option: Opt = None, remove: Remove = None,
    figure: Annotated[Path | None, typer.Option("--figure", help="Also draw the trajectories side by side into this file.")] = None,
    hidden: Hidden = None, known: Known = None, start: Start = "", max_nodes: MaxNodes = LIMIT, as_json: Json = False,
) -> None:  # fmt: skip
    """Set solution concepts side by side on one scenario."""
    from sim.analysis.compare import compare as put_together
    from sim.present import comparing
    from sim.present.printing import print_table

    concepts = concept or ["subgame_perfect", "quantal_response"]
    if len(set(concepts)) < len(concepts):
        raise OptionError("compare got one concept twice; its options could only be the same")
    if len(concepts) <= 1:
        raise OptionError("compare needs two concepts; repeat --concept")
    options = read_options(concepts, precision, ties, option)
    game = compile_file(
        file, set_, rounds, remove, max_nodes, hidden=hidden, known=known, concepts=tuple(concepts), since=start
    )
    found = put_together([solve_game(game, name, options) for name in concepts])
    if figure is not None:
        from sim.present.figures import comparison_figure

        comparison_figure(found, figure)
    if as_json:
        print_json(comparing.comparison_data(found))
        return
    for table in comparing.comparison_tables(found):
        print_table(table)
    print_line(comparing.parting_line(found))


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(solve)
    app.command()(paths)
    app.command()(moves)
    app.command()(replay)
    app.command()(compare)
