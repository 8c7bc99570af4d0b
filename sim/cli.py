"""The command line: parses, calls one function, prints. Results go to standard output, messages and progress to standard error.

Exit codes: 0 success; 1 the question has no certified answer; 2 the user's mistake; 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sim.errors import NoAnswerError, OptionError, ScenarioError, SimError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable

    from sim.game.graph import Game
    from sim.solve.contract import Solution

__all__ = ["app", "main"]

app = typer.Typer(
    name="sim",
    help="Turn an argument about a crisis into a game, solve it, and say for which assumptions it holds.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

File = Annotated[Path, typer.Argument(metavar="SCENARIO", help="A scenario file.")]
Concept = Annotated[str, typer.Option("--concept", help="The solution concept; see `sim list`.")]
Set = Annotated[
    list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Set an assumption; may be repeated.")
]
Rounds = Annotated[int | None, typer.Option("--rounds", min=1, help="Play this many rounds.")]
Precision = Annotated[
    list[str] | None,
    typer.Option(
        "--precision", metavar="[PLAYER=]NUMBER", help="Precision λ of quantal response; may be repeated by player."
    ),
]
Ties = Annotated[
    str | None,
    typer.Option(
        "--ties", help="How subgame perfection resolves ties: first, uniform, least_escalatory, most_escalatory."
    ),
]
Opt = Annotated[
    list[str] | None,
    typer.Option(
        "--option", metavar="NAME=VALUE", help="An option of the concept, such as level=2 or tau=1.5; may be repeated."
    ),
]
At = Annotated[
    str,
    typer.Option(
        "--at",
        metavar="HISTORY",
        help="A date or round of the recorded history, or moves such as 'push > resist'; else the first decision.",
    ),
]
Remove = Annotated[
    list[str] | None,
    typer.Option("--remove", metavar="MOVE", help="Solve the game without a move or group; may be repeated."),
]
MaxNodes = Annotated[int, typer.Option("--max-nodes", min=1, help="Refuse a larger game.")]
Json = Annotated[bool, typer.Option("--json", help="Write one JSON object.")]
LIMIT = 5_000_000
INTERRUPTED = 130
STOPPED = "interrupted; nothing was left half written"


def _settings(pairs: list[str] | None) -> dict[str, float | str]:
    from sim.scenario.values import parse_setting

    return dict(parse_setting(pair) for pair in pairs or [])


def _compile(
    file: Path, pairs: list[str] | None, rounds: int | None, remove: list[str] | None = None, max_nodes: int = LIMIT
) -> Game:
    """Load and compile a scenario, with a progress bar."""
    from sim.construct.compile import compile as compile_game
    from sim.present.progress import Progress
    from sim.scenario.load import load

    progress = Progress("compiling")
    try:
        return compile_game(
            load(file), _settings(pairs), rounds=rounds, remove=remove or (), node_limit=max_nodes, progress=progress
        )
    finally:
        progress.stop()


def _options(
    concepts: list[str], precision: list[str] | None, ties: str | None, option: list[str] | None
) -> dict[str, dict[str, Any]]:
    """Read the options of the chosen concepts, refusing those that none of them takes."""
    from sim.scenario.values import parse_setting
    from sim.solve.registry import CONCEPTS, option_names

    given: dict[str, Any] = {} if ties is None else {"ties": ties}
    for text in option or ():
        name, value = parse_setting(text)
        given[name] = int(value) if isinstance(value, float) and value.is_integer() else value
    if precision:
        given["precision"] = _precision(precision)
    taken = {concept: option_names(concept) for concept in concepts}
    for name in given:
        if not any(name in names for names in taken.values()):
            owners = [concept for concept in CONCEPTS if name in option_names(concept)]
            known = sorted({known for names in taken.values() for known in names})
            advice = f"it belongs to --concept {' or '.join(owners)}" if owners else did_you_mean(name, known)
            raise OptionError(f"option '{name}' does not fit {' and '.join(concepts)}; {advice}")
    return {
        concept: {name: value for name, value in given.items() if name in names} for concept, names in taken.items()
    }


def _precision(texts: list[str]) -> float | dict[str, float]:
    """Read one precision, or one for each player."""
    pairs = [text.rpartition("=") for text in texts]
    try:
        numbers = {name: float(value) for name, _, value in pairs}
    except ValueError:
        raise OptionError(f"--precision got '{' '.join(texts)}'; expected a number, or player=number") from None
    if "" in numbers and len(numbers) > 1:
        raise OptionError("--precision mixes one number for all with numbers by player; expected one or the other")
    return numbers.get("", numbers)


def _solve(game: Game, concept: str, options: dict[str, dict[str, Any]]) -> Solution:
    from sim.solve.registry import solve

    return solve(game, concept, **options[concept]).require()


def _version(*, wanted: bool) -> None:
    """Print the version and stop."""
    if wanted:
        from importlib.metadata import version

        print_line(f"sim {version('escalation-sim')}")
        raise typer.Exit


@app.callback()
def common(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=lambda wanted: _version(wanted=wanted), is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Turn an argument about a crisis into a game, solve it, and say for which assumptions it holds."""


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(metavar="SCENARIO...", help="Scenario files.")],
    set_: Set = None,
    rounds: Rounds = None,
    max_nodes: MaxNodes = LIMIT,
    invariants: Annotated[
        bool, typer.Option("--invariants", help="Also property-test the model's invariants (up to a minute).")
    ] = False,
    as_json: Json = False,
) -> None:
    """Report every mistake of scenario files, with file:line, what was found, what was expected, and advice."""
    found = [_check_one(file, _settings(set_), rounds, max_nodes, invariants=invariants) for file in files]
    for one in found if not as_json else ():
        for problem in one["errors"]:
            _say(str(problem))
        for warning in one["warnings"]:
            _say(f"warning: {warning}")
        if one["ok"]:
            size = f"{one['nodes']:,} nodes, {one['edges']:,} edges" if one["nodes"] else "too large to compile here"
            print_line(f"{one['file']}: no mistakes, {len(one['warnings'])} warning(s); {size}")
        for name in one["invariants"]:
            print_line(f"  holds: {name}")
    if as_json:
        _print_json(
            [{**one, **{kind: [_problem(x) for x in one[kind]] for kind in ("errors", "warnings")}} for one in found]
        )
    if not all(one["ok"] for one in found):
        raise typer.Exit(2)


def _check_one(
    file: Path, settings: dict[str, Any], rounds: int | None, max_nodes: int, *, invariants: bool
) -> dict[str, Any]:
    """Check one file."""
    from sim.analysis.check import check as check_scenario
    from sim.scenario.load import load

    out: dict[str, Any] = {"file": str(file), "ok": False, "errors": [], "warnings": [], "nodes": None, "edges": None}
    out["invariants"] = []
    try:
        scenario = load(file)
        game, out["warnings"] = check_scenario(scenario, settings, rounds=rounds, node_limit=max_nodes)
    except ScenarioError as error:
        return {**out, "errors": error.problems}
    if game:
        out |= {"nodes": game.graph.node_count, "edges": game.graph.edge_count}
        if invariants:
            from sim.testing import check_invariants

            out["invariants"] = check_invariants(scenario, fixed=settings, rounds=rounds)
    return {**out, "ok": True}


def _problem(problem: Any) -> dict[str, Any]:
    return {name: getattr(problem, name) for name in ("kind", "file", "line", "place", "what", "expected", "advice")}


@app.command()
def show(
    file: File, set_: Set = None, rounds: Rounds = None, max_nodes: MaxNodes = LIMIT, as_json: Json = False
) -> None:
    """Tell a scenario in plain English, with its ledger of assumptions and its size."""
    from sim.analysis.check import check as check_scenario
    from sim.present.describe import describe, ledger_table, size_lines
    from sim.present.printing import print_table
    from sim.scenario.load import load

    scenario = load(file)
    if not as_json:
        for line in describe(scenario):
            print_line(line)
        print_line()
        if scenario.assumptions:
            print_table(ledger_table(scenario, _settings(set_)))
        for line in size_lines(scenario, rounds):
            print_line(line)
        sys.stdout.flush()
    game, _ = check_scenario(scenario, _settings(set_), rounds=rounds, node_limit=max_nodes)
    if as_json:
        _print_json(_scenario_data(scenario, game, _settings(set_), rounds))
    elif game:
        graph = game.graph
        print_line(
            f"After compiling: exactly {graph.node_count:,} nodes, {graph.edge_count:,} edges, {graph.nbytes / 1e6:.1f} MB."
        )
    else:
        print_line(f"After compiling: more than {max_nodes:,} nodes; raise --max-nodes to count them.")


def _scenario_data(scenario: Any, game: Any, settings: dict[str, Any], rounds: int | None) -> dict[str, Any]:
    from sim.analysis.check import size_bound
    from sim.scenario.values import assumption_values, show_assumption

    values = assumption_values(scenario, settings)
    ledger = {
        name: {
            "value": show_assumption(x, float(values[name][0])),
            "range": x.range,
            "basis": x.basis,
            "source": x.source,
            "note": x.note,
        }
        for name, x in scenario.assumptions.items()
    }
    size = {
        "bound": size_bound(scenario, rounds),
        "nodes": game.graph.node_count if game else None,
        "edges": game.graph.edge_count if game else None,
    }
    return {
        "scenario": scenario.title,
        "rounds": rounds or scenario.rounds,
        "players": scenario.player_ids,
        "assumptions": ledger,
        "size": size,
        "outcomes": {name: q.expression.text for name, q in scenario.questions.items()},
    }


@app.command()
def solve(
    file: File, concept: Concept = "subgame_perfect", set_: Set = None, rounds: Rounds = None, precision: Precision = None, ties: Ties = None,
    option: Opt = None, remove: Remove = None, max_nodes: MaxNodes = LIMIT, as_json: Json = False,
) -> None:  # fmt: skip
    """Solve a scenario under one concept: certificate, values, outcomes, most likely history."""
    from sim.analysis.paths import play
    from sim.present import tables
    from sim.present.printing import print_table

    options = _options([concept], precision, ties, option)
    solution = _solve(_compile(file, set_, rounds, remove, max_nodes), concept, options)
    paths = play(solution)
    if as_json:
        _print_json(tables.solution_data(solution, paths))
        return
    for line in tables.solution_lines(solution):
        print_line(line)
    print_line()
    print_table(tables.values_table(solution))
    print_table(tables.outcomes_table(paths))
    print_table(tables.path_table(paths, paths.histories(1)[0]))


@app.command()
def paths(
    file: File, concept: Concept = "subgame_perfect", set_: Set = None, rounds: Rounds = None, precision: Precision = None, ties: Ties = None,
    option: Opt = None, remove: Remove = None,
    since: Annotated[str, typer.Option("--from", metavar="DATE", help="Follow the recorded history up to this date or round first.")] = "",
    variable: Annotated[str | None, typer.Option("--variable", help="The variable to show; by default the ladder.")] = None,
    given: Annotated[list[str] | None, typer.Option("--given", metavar="MOVE", help="Also show outcomes given that a move was played.")] = None,
    count: Annotated[int, typer.Option("--histories", min=1, help="How many of the most likely histories.")] = 5,
    figure: Annotated[Path | None, typer.Option("--figure", help="Also draw the trajectory into this SVG, PNG or PDF file.")] = None,
    max_nodes: MaxNodes = LIMIT, as_json: Json = False,
) -> None:  # fmt: skip
    """Show trajectories: the distribution of the ladder by round, first passages, the most likely histories."""
    from sim.analysis.paths import play
    from sim.analysis.replay import replay as follow
    from sim.present import tables
    from sim.present.printing import print_table

    options = _options([concept], precision, ties, option)
    solution = _solve(_compile(file, set_, rounds, remove, max_nodes), concept, options)
    if since and not solution.game.origin.scenario.history:
        raise OptionError(f"--from follows the recorded history, and {file} records none; add [[history]] tables")
    found = follow(solution, until=since).paths() if since else play(solution)
    if figure is not None:
        from sim.present.figures import trajectory_figure

        trajectory_figure(found, figure, variable)
    if as_json:
        _print_json(tables.paths_data(found, count, variable) | {"given": tables.given_data(found, given or ())})
        return
    print_table(tables.trajectory_table(found, variable))
    print_table(tables.passage_table(found, variable))
    print_table(tables.histories_table(found.histories(count)))
    if given:
        print_table(tables.given_table(found, given))


@app.command()
def moves(
    file: File, at: At = "",
    player: Annotated[str, typer.Option("--player", help="Whose decision; by default that of the next record.")] = "",
    stages: Annotated[bool, typer.Option("--stages", help="Also tabulate the stage game that each move leads to.")] = False,
    concept: Concept = "subgame_perfect", set_: Set = None, rounds: Rounds = None, precision: Precision = None, ties: Ties = None, option: Opt = None,
    remove: Remove = None, max_nodes: MaxNodes = LIMIT, as_json: Json = False,
) -> None:  # fmt: skip
    """Show what each move does to payoffs: the stage game and continuation values before and after it."""
    from sim.analysis.moves import moves_at
    from sim.present import tables
    from sim.present.printing import print_table

    options = _options([concept], precision, ties, option)
    solution = _solve(_compile(file, set_, rounds, remove, max_nodes), concept, options)
    found = moves_at(solution, at or None, player)
    players = solution.game.graph.players
    if as_json:
        _print_json(tables.moves_data(found, players))
        return
    print_line(", ".join(f"{name}={value}" for name, value in found.state.items()))
    for table in tables.moves_tables(found, players, stages=stages):
        print_table(table)


@app.command()
def replay(
    file: File, since: Annotated[str, typer.Option("--from", metavar="DATE", help="Follow records before this date or round, then play forward.")] = "",
    concept: Concept = "quantal_response", set_: Set = None, rounds: Rounds = None, precision: Precision = None, ties: Ties = None, option: Opt = None,
    remove: Remove = None, max_nodes: MaxNodes = LIMIT, as_json: Json = False,
) -> None:  # fmt: skip
    """Hold the recorded history against the model: probability, rank and surprise of each record; then play forward."""
    from sim.analysis.replay import replay as follow
    from sim.present import tables
    from sim.present.printing import print_table

    options = _options([concept], precision, ties, option)
    solution = _solve(_compile(file, set_, rounds, remove, max_nodes), concept, options)
    if not solution.game.origin.scenario.history:
        raise OptionError(f"{file} records no history; add [[history]] tables")
    found = follow(solution, until=since or None)
    after = found.paths()
    if as_json:
        _print_json(
            {
                **tables.replay_data(found),
                "from": since,
                "outcomes": {name: float(value[0]) for name, value in after.outcomes().items()},
                "path": tables.path_data(after.histories(1)[0]),
            }
        )
        return
    print_table(tables.replay_table(found))
    print_line(
        f"log-likelihood of the recorded moves: {found.log_likelihood:.3f}; under uniform play: {found.uniform_log_likelihood:.3f}"
    )
    forced = [step for step in found.steps if step.forced]
    if forced:
        print_line(f"{len(forced)} record(s) had probability 0 and were forced")
    print_line()
    print_table(tables.path_table(after, after.histories(1)[0], "Most likely history from there on, given the records"))
    print_table(tables.outcomes_table(after))


@app.command()
def compare(
    file: File, concept: Annotated[list[str] | None, typer.Option("--concept", help="A solution concept; give two or more.")] = None,
    set_: Set = None, rounds: Rounds = None, precision: Precision = None, ties: Ties = None, option: Opt = None, remove: Remove = None,
    figure: Annotated[Path | None, typer.Option("--figure", help="Also draw the trajectories side by side into this file.")] = None,
    max_nodes: MaxNodes = LIMIT, as_json: Json = False,
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
    options = _options(concepts, precision, ties, option)
    game = _compile(file, set_, rounds, remove, max_nodes)
    found = put_together([_solve(game, name, options) for name in concepts])
    if figure is not None:
        from sim.present.figures import comparison_figure

        comparison_figure(found, figure)
    if as_json:
        _print_json(comparing.comparison_data(found))
        return
    for table in comparing.comparison_tables(found):
        print_table(table)
    print_line(comparing.parting_line(found))


@app.command()
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
        _print_json(
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


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List solution concepts, path operators, and the scenarios and experiments in this folder."""
    from sim.present.plain import Table
    from sim.present.printing import print_table
    from sim.scenario.expression import PATH_OPERATORS
    from sim.solve.registry import CONCEPTS, LATER

    files = {kind: sorted(str(path) for path in Path(kind).glob("*.toml")) for kind in ("scenarios", "experiments")}
    if as_json:
        _print_json(
            {
                "concepts": {name: row.title for name, row in CONCEPTS.items()},
                "not_yet": LATER,
                "path_operators": dict(PATH_OPERATORS),
                **files,
            }
        )
        return
    print_table(
        Table(
            title="Solution concepts",
            columns=("concept", "meaning", "source"),
            rows=[(row.name, row.title, row.source) for row in CONCEPTS.values()],
        )
    )
    print_line(f"Not built yet: {', '.join(LATER)}")
    print_line()
    print_table(Table(title="Path operators", columns=("operator", "meaning"), rows=list(PATH_OPERATORS.items())))
    for kind, found in files.items():
        print_line(f"{kind}: {', '.join(found) or 'none in this folder'}")


@app.command()
def new(file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to make.")]) -> None:
    """Make a commented scenario that solves, to start from."""
    from sim.templates import template

    if file.exists():
        raise OptionError(f"{file} exists already; choose another name, nothing was written")
    if not file.parent.is_dir():
        raise OptionError(f"folder {file.parent} does not exist; make it first")
    file.write_text(template().read_text(encoding="utf-8"), encoding="utf-8")
    print_line(f"wrote {file}; next: sim check {file}, then sim solve {file}")


@app.command()
def export(
    file: Annotated[Path | None, typer.Argument(metavar="[SCENARIO]", help="A scenario file; not needed for --format schema.")] = None,
    form: Annotated[str, typer.Option("--format", help="efg (a game tree for Gambit and OpenSpiel) or schema (JSON Schema of scenario files).")] = "efg",
    out: Annotated[Path | None, typer.Option("--out", help="Where to write; by default standard output.")] = None,
    set_: Set = None, rounds: Rounds = None,
) -> None:  # fmt: skip
    """Write a scenario as a Gambit game tree, or the language's JSON Schema for editors."""
    if form == "schema":
        from sim.present.plain import to_json
        from sim.scenario.schema import ScenarioFile

        text = (
            to_json({"$schema": "https://json-schema.org/draft/2020-12/schema", **ScenarioFile.model_json_schema()})
            + "\n"
        )
    elif form == "efg":
        from sim.construct.gambit import to_efg

        if file is None:
            raise OptionError("export --format efg needs a scenario file")
        text = to_efg(_compile(file, set_, rounds))
    else:
        raise OptionError(f"--format is '{form}'; expected efg or schema")
    if out is None:
        sys.stdout.write(text)
        return
    partial = out.with_name(out.name + ".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(out)
    print_line(f"wrote {out}")


def print_line(text: str = "") -> None:
    """Write a line to standard output, as it is."""
    sys.stdout.write(text + "\n")


def _say(text: str) -> None:
    """Write a message to standard error, plainly."""
    sys.stderr.write(text + "\n")


def _print_json(value: Any) -> None:
    from sim.present.plain import to_json

    print_line(to_json(value))


def _guarded(call: Callable[[], Any]) -> int:
    """Run the command line and turn its endings into exit codes."""
    usage: Any = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")
    try:
        result = call()
        sys.stdout.flush()
    except (SimError, NoAnswerError) as error:
        _say(str(error))
        return error.exit_code
    except typer.Exit as error:
        return error.exit_code
    except usage as error:
        shown: Any = error
        shown.show()
        return int(shown.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        _say(STOPPED)
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:  # a folder that does not exist, a full disk, no permission
        _say(
            f"{error.filename or 'output'} cannot be written ({(error.strerror or str(error)).lower()}); choose another place"
        )
        return 2
    if result == INTERRUPTED:  # some versions of typer turn Ctrl-C into a return value
        _say(STOPPED)
    return result if isinstance(result, int) else 0


def main() -> None:
    """Run ``sim``."""
    sys.exit(_guarded(lambda: app(standalone_mode=False)))


if __name__ == "__main__":
    main()
