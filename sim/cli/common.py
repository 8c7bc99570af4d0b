"""What the commands share: their options, and how they load, compile, solve and print."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sim.errors import OptionError, did_you_mean

if TYPE_CHECKING:
    from sim.game.graph import Game
    from sim.solve.contract import Solution

File = Annotated[
    Path, typer.Argument(metavar="SCENARIO", is_eager=True, help="A scenario file.")
]  # eager: read before --variant, which names a part of it
Concept = Annotated[str, typer.Option("--concept", help="The solution concept; see `sim list`.")]
ConceptOrFitting = Annotated[
    str,
    typer.Option(
        "--concept",
        help="The solution concept, see `sim list`; by default the equilibrium that fits what players know and when play ends.",
    ),
]


def _named_variants(context: typer.Context, given: list[str] | None) -> list[str] | None:
    """Replace each named variant by what it sets, before everything that is set one by one."""
    names = [text for text in given or () if "=" not in text]
    found: Any = context.params.get("file") or context.params.get("files") or ()
    files = [found] if isinstance(found, Path) else list(found)
    if not names or any(file.suffix.lower() in (".nfg", ".efg") for file in files):
        return given  # a game file has no variants, and its command says so
    from sim.scenario.load import load
    from sim.scenario.variants import variant_settings

    scenarios = [load(file) for file in files]
    for file, scenario in zip(files, scenarios, strict=True):
        for name in names:
            if name not in scenario.variants:
                advice = did_you_mean(name, scenario.variants)
                message = f"'{name}' is not a variant of {file}; {advice}"
                raise OptionError(f"{message}; --set takes name=value, such as --set floor_holds=0.4")
    told = [[variant_settings(scenario, name) for name in names] for scenario in scenarios]
    if any(one != told[0] for one in told):
        raise OptionError(f"variant {' and '.join(names)} differs between the files; check one file at a time")
    named = [
        f"{key}={value!r}" if isinstance(value, float) else f"{key}={value}"
        for one in told[0]
        for key, value in one.items()
    ]
    return named + [text for text in given or () if "=" in text]


Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        "--variant",
        metavar="NAME=VALUE",
        callback=_named_variants,
        help="Set an assumption (--set NAME=VALUE), or take a named variant of the scenario (--variant NAME); may be repeated.",
    ),
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
Hidden = Annotated[
    list[str] | None,
    typer.Option(
        "--hidden", metavar="TYPE", help="Hide a private type from all but its owner, or all; may be repeated."
    ),
]
Known = Annotated[
    list[str] | None,
    typer.Option("--known", metavar="TYPE=VALUE", help="Let everybody know a private type; may be repeated."),
]
Start = Annotated[
    str,
    typer.Option(
        "--start",
        metavar="DATE[:PLAYER]",
        help="Begin the game where the recorded history stands at a date or round, at a player's decision.",
    ),
]
MaxNodes = Annotated[int, typer.Option("--max-nodes", min=1, help="Refuse a larger game.")]
Json = Annotated[bool, typer.Option("--json", help="Write one JSON object.")]
LIMIT = 5_000_000


def settings(
    pairs: list[str] | None, option: str = "--set", example: str = "floor_holds=0.4"
) -> dict[str, float | str]:
    """Read NAME=VALUE pairs."""
    from sim.scenario.values import parse_setting

    return dict(parse_setting(pair, option, example) for pair in pairs or [])


def compile_file(
    file: Path,
    pairs: list[str] | None,
    rounds: int | None,
    remove: list[str] | None = None,
    max_nodes: int = LIMIT,
    *,
    hidden: list[str] | None = None,
    known: list[str] | None = None,
    concepts: tuple[str, ...] = (),
    since: str = "",
) -> Game:
    """Load and compile a scenario, with a progress bar; concepts about private types hide all that are not said to be known."""
    from sim.analysis.eve import compile_from
    from sim.construct.compile import compile as compile_game
    from sim.present.progress import Progress
    from sim.scenario.load import load
    from sim.solve.registry import CONCEPTS

    progress = Progress("compiling")
    scenario = load(file)
    told = settings(known, "--known", "resolve=weak")
    secret: list[str] | str | None = "all" if hidden == ["all"] else hidden
    asked = {CONCEPTS[concept].types for concept in concepts if concept in CONCEPTS}
    if hidden is None and asked & {"private", "number"}:  # a concept about types hides those that it is about
        secret = [
            one.id
            for one in scenario.privates
            if one.id not in told and (("private" if one.labels else "number") in asked or one.known_as is None)
        ]
    try:
        options: dict[str, Any] = {
            "rounds": rounds,
            "remove": remove or (),
            "node_limit": max_nodes,
            "hidden": secret,
            "known": told,
        }
        if since:
            return compile_from(scenario, since, settings(pairs), **options)
        return compile_game(scenario, settings(pairs), **options, progress=progress)
    finally:
        progress.stop()


def read_options(
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
        given["precision"] = read_precision(precision)
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


def read_precision(texts: list[str]) -> float | dict[str, float]:
    """Read one precision, or one for each player."""
    pairs = [text.rpartition("=") for text in texts]
    try:
        numbers = {name: float(value) for name, _, value in pairs}
    except ValueError:
        raise OptionError(f"--precision got '{' '.join(texts)}'; expected a number, or player=number") from None
    if "" in numbers and len(numbers) > 1:
        raise OptionError("--precision mixes one number for all with numbers by player; expected one or the other")
    return numbers.get("", numbers)


def solve_game(game: Game, concept: str, options: dict[str, dict[str, Any]]) -> Solution:
    """Solve, or say why there is no certified answer."""
    from sim.present.progress import Progress
    from sim.solve.registry import solve
    from sim.solve.watch import watched

    progress = Progress("solving")
    try:
        with watched(progress):
            return solve(game, concept, **options[concept]).require()
    finally:
        progress.stop()


def solve_as(
    game: Game, concept: str, precision: list[str] | None, ties: str | None, option: list[str] | None
) -> Solution:
    """Solve under a concept, or under the one that fits the game if none is named."""
    from sim.solve.registry import default_concept

    concept = concept or default_concept(game)
    return solve_game(game, concept, read_options([concept], precision, ties, option))


def print_line(text: str = "") -> None:
    """Write a line to standard output, as it is."""
    sys.stdout.write(text + "\n")


def say(text: str) -> None:
    """Write a message to standard error, plainly."""
    sys.stderr.write(text + "\n")


def print_json(value: Any) -> None:
    """Write one JSON object."""
    from sim.present.plain import to_json

    print_line(to_json(value))
