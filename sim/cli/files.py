"""Commands about files: check, show, list, new, export."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sim.cli.common import (
    LIMIT,
    File,
    Hidden,
    Json,
    MaxNodes,
    Opt,
    Precision,
    Rounds,
    Set,
    Ties,
    compile_file,
    print_json,
    print_line,
    read_options,
    say,
    settings,
    solve_game,
)
from sim.errors import OptionError, ScenarioError

if TYPE_CHECKING:
    from sim.game.graph import Game
    from sim.scenario.model import Scenario


def check(
    files: Annotated[list[Path], typer.Argument(metavar="SCENARIO...", is_eager=True, help="Scenario files.")],
    set_: Set = None,
    rounds: Rounds = None,
    max_nodes: MaxNodes = LIMIT,
    invariants: Annotated[
        bool, typer.Option("--invariants", help="Also property-test the model's invariants (up to a minute).")
    ] = False,
    hidden: Hidden = None,
    as_json: Json = False,
) -> None:
    """Report every mistake of scenario files, with file:line, what was found, what was expected, and advice."""
    found = [_check_one(file, settings(set_), rounds, max_nodes, hidden, invariants=invariants) for file in files]
    for one in found if not as_json else ():
        for problem in one["errors"]:
            say(str(problem))
        for warning in one["warnings"]:
            say(f"warning: {warning}")
        if one["ok"]:
            size = f"{one['nodes']:,} nodes, {one['edges']:,} edges" if one["nodes"] else "too large to compile here"
            if one.get("pairs"):
                size += f"; the nodes are public histories, {one['pairs']:,} pairs of a history and a private type"
            print_line(f"{one['file']}: no mistakes, {len(one['warnings'])} warning(s); {size}")
        for name in one["invariants"]:
            print_line(f"  holds: {name}")
    if as_json:
        print_json(
            [{**one, **{kind: [_problem(x) for x in one[kind]] for kind in ("errors", "warnings")}} for one in found]
        )
    if not all(one["ok"] for one in found):
        raise typer.Exit(2)


def _check_one(
    file: Path,
    settings: dict[str, Any],
    rounds: int | None,
    max_nodes: int,
    hidden: list[str] | None,
    *,
    invariants: bool,
) -> dict[str, Any]:
    """Check one file."""
    from sim.analysis.check import check as check_scenario
    from sim.scenario.load import load

    out: dict[str, Any] = {"file": str(file), "ok": False, "errors": [], "warnings": [], "nodes": None, "edges": None}
    out["invariants"] = []
    try:
        scenario = load(file)
        game, out["warnings"] = check_scenario(
            scenario, settings, rounds=rounds, node_limit=max_nodes, hidden=_hidden(scenario, hidden)
        )
    except ScenarioError as error:
        return {**out, "errors": error.problems}
    if game:
        out |= {"nodes": game.graph.node_count, "edges": game.graph.edge_count, **_histories(game)}
        if invariants:
            from sim.testing import check_invariants

            out["invariants"] = check_invariants(scenario, fixed=settings, rounds=rounds)
    return {**out, "ok": True}


def _hidden(scenario: Scenario, hidden: list[str] | None) -> list[str] | None:
    """Return the private types to hide; ``all`` stands for every one."""
    return [one.id for one in scenario.privates] if hidden == ["all"] else hidden


def _histories(game: Game) -> dict[str, int]:
    """Return the number of public histories, and of their pairs with types; nothing where nobody has private types."""
    return {"histories": game.graph.node_count, "pairs": game.types.pairs} if game.types else {}


def _problem(problem: Any) -> dict[str, Any]:
    return {name: getattr(problem, name) for name in ("kind", "file", "line", "place", "what", "expected", "advice")}


def show(
    file: File,
    set_: Set = None,
    rounds: Rounds = None,
    max_nodes: MaxNodes = LIMIT,
    hidden: Hidden = None,
    as_json: Json = False,
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
            print_table(ledger_table(scenario, settings(set_)))
        for line in size_lines(scenario, rounds):
            print_line(line)
        sys.stdout.flush()
    secret = _hidden(scenario, hidden)
    game, _ = check_scenario(scenario, settings(set_), rounds=rounds, node_limit=max_nodes, hidden=secret)
    if as_json:
        print_json(_scenario_data(scenario, game, settings(set_), rounds))
    elif game:
        graph = game.graph
        print_line(
            f"After compiling: exactly {graph.node_count:,} nodes, {graph.edge_count:,} edges, {graph.nbytes / 1e6:.1f} MB."
        )
        if game.types:
            print_line(
                f"The nodes are public histories; with private types, {game.types.pairs:,} pairs of a history and a type."
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
        **(_histories(game) if game else {}),
    }
    privates = {
        one.id: {
            "known_to": one.known_to,
            "kind": one.kind,
            "values": list(one.labels.values) if one.labels else None,
            "prior": [expression.text for expression in one.parameters],
            "known_as": one.known_as
            if one.labels is None or one.known_as is None
            else one.labels.values[int(one.known_as)],
        }
        for one in scenario.privates
    }
    return {
        "scenario": scenario.title,
        "rounds": rounds or scenario.rounds,
        "players": scenario.player_ids,
        "assumptions": ledger,
        "size": size,
        **({"private": privates} if privates else {}),
        "outcomes": {name: q.expression.text for name, q in scenario.questions.items()},
    }


def list_(as_json: Json = False) -> None:
    """List solution concepts, path operators, and the scenarios and experiments in this folder."""
    from sim.present.plain import Table
    from sim.present.printing import print_table
    from sim.scenario.expression import PATH_OPERATORS
    from sim.solve.registry import CONCEPTS, ELSEWHERE, LATER

    files = {kind: sorted(str(path) for path in Path(kind).glob("*.toml")) for kind in ("scenarios", "experiments")}
    if as_json:
        print_json(
            {
                "concepts": {name: row.title for name, row in CONCEPTS.items()},
                "elsewhere": {name: how for name, (_, how) in ELSEWHERE.items()},
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
    for name, (what, how) in ELSEWHERE.items():
        print_line(f"{name}: {what}; {how}")
    print_line(f"Not built yet: {', '.join(LATER)}")
    print_line()
    print_table(Table(title="Path operators", columns=("operator", "meaning"), rows=list(PATH_OPERATORS.items())))
    for kind, found in files.items():
        print_line(f"{kind}: {', '.join(found) or 'none in this folder'}")


def new(file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to make.")]) -> None:
    """Make a commented scenario that solves, to start from."""
    from sim.templates import template

    if file.exists():
        raise OptionError(f"{file} exists already; choose another name, nothing was written")
    if not file.parent.is_dir():
        raise OptionError(f"folder {file.parent} does not exist; make it first")
    file.write_text(template().read_text(encoding="utf-8"), encoding="utf-8")
    print_line(f"wrote {file}; next: sim check {file}, then sim solve {file}")


def export(
    file: Annotated[Path | None, typer.Argument(metavar="[SCENARIO]", help="A scenario file; not needed for --format schema.")] = None,
    form: Annotated[str, typer.Option("--format", help="efg (a game tree), nfg (a strategic game), dot (for Graphviz) or schema (JSON Schema).")] = "efg",
    out: Annotated[Path | None, typer.Option("--out", help="Where to write; by default standard output.")] = None,
    set_: Set = None, rounds: Rounds = None,
    concept: Annotated[str, typer.Option("--concept", help="Of dot: also solve, and show how likely each action is.")] = "",
    precision: Precision = None, ties: Ties = None, option: Opt = None,
    max_nodes: Annotated[int | None, typer.Option("--max-nodes", min=1, help="Of dot: refuse a larger graph; 500 if missing.")] = None,
) -> None:  # fmt: skip
    """Write a scenario as a game tree or strategic game for Gambit, a drawing for Graphviz, or the language's JSON Schema for editors."""
    if form != "dot" and (concept or precision or ties or option or max_nodes):
        raise OptionError(f"--concept, its options and --max-nodes belong to --format dot, not {form}")
    if form == "schema":
        from sim.present.plain import to_json
        from sim.scenario.schema import ScenarioFile

        text = (
            to_json({"$schema": "https://json-schema.org/draft/2020-12/schema", **ScenarioFile.model_json_schema()})
            + "\n"
        )
    elif form in ("efg", "nfg"):
        from sim.construct.gambit import game_text

        if file is None:
            raise OptionError(f"export --format {form} needs a scenario file")
        text = game_text(compile_file(file, set_, rounds), form)
    elif form == "dot":
        if file is None:
            raise OptionError("export --format dot needs a scenario file")
        text = _drawing(compile_file(file, set_, rounds), concept, precision, ties, option, max_nodes)
    else:
        raise OptionError(f"--format is '{form}'; expected efg, nfg, dot or schema")
    if out is None:
        sys.stdout.write(text)
        return
    partial = out.with_name(out.name + ".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(out)
    print_line(f"wrote {out}")


def _drawing(
    game: Game, concept: str, precision: list[str] | None, ties: str | None, option: list[str] | None, most: int | None
) -> str:
    """Write a game, and its solution if one is asked for, for Graphviz."""
    from sim.construct.dot import MAX_NODES, to_dot

    profile = None
    if concept:
        profile = solve_game(game, concept, read_options([concept], precision, ties, option)).profile
    elif precision or ties or option:
        raise OptionError("--precision, --ties and --option need --concept")
    return to_dot(game, profile, limit=MAX_NODES if most is None else most)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(check)
    app.command()(show)
    app.command("list")(list_)
    app.command()(new)
    app.command()(export)
