"""The commands that ask what a conclusion rests on: sensitivity, payoffs consistent with orderings, and boxes of assumptions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from sim.cli.asking import Figure, Outcome, Seed, answer, asked
from sim.cli.common import File, Hidden, Json, Known, Opt, Precision, Remove, Rounds, Set, Start, Ties, say
from sim.errors import NoAnswerError, OptionError

if TYPE_CHECKING:
    from pathlib import Path

Outcomes = Annotated[
    list[str],
    typer.Option(
        "--outcome",
        metavar="QUESTION",
        help="An outcome, value_PLAYER, likelihood, 'advantage(MOVE @ DATE)' or 'chosen(MOVE @ DATE)'; may be repeated.",
    ),
]
Vary = Annotated[
    list[str] | None,
    typer.Option(
        "--vary",
        metavar="NAME[=LOW..HIGH]",
        help="What varies: an assumption or order over its own range, NAME=LOW..HIGH, or NAME=A,B,…; may be repeated; all by default.",
    ),
]
Also = Annotated[
    list[str] | None,
    typer.Option("--vary", metavar="NAME[=LOW..HIGH]", help="An assumption that varies too, or all; may be repeated."),
]
Concept = Annotated[str, typer.Option("--concept", help="The solution concept; by default the one that fits the game.")]
Level = Annotated[float, typer.Option("--level", help="What the answer is held against.")]
Above = Annotated[
    bool, typer.Option("--above/--below", help="Whether the answer is to be at or above the level, or at or below it.")
]
Measure = Annotated[
    Literal["uniform", "dirichlet"], typer.Option("--measure", help="How numbers for an order are drawn.")
]


def read_vary(texts: list[str] | None, empty: Any = "all") -> Any:
    """Read what varies, as a design takes it.

    Examples
    --------
    >>> read_vary(["prize", "cost=1..3", "who=hawk,dove"])
    {'prize': None, 'cost': {'from': 1.0, 'to': 3.0}, 'who': {'choices': ['hawk', 'dove']}}
    """
    if not texts:
        return empty
    if texts == ["all"]:
        return "all"
    out: dict[str, Any] = {}
    for text in texts:
        name, given, values = text.partition("=")
        if name in out:
            raise OptionError(f"--vary names '{name}' twice; expected each name once")
        out[name] = _values(text, values) if given else None
    return out


def _values(text: str, values: str) -> dict[str, Any]:
    """Read a range or a list of values."""
    low, dots, high = values.partition("..")
    words = [low, high] if dots else values.split(",")
    try:
        numbers: list[Any] = [float(word) for word in words]
    except ValueError:
        numbers = words
    if dots and isinstance(numbers[0], float):
        return {"from": numbers[0], "to": numbers[1]}
    if dots or not all(words):
        raise OptionError(
            f"--vary {text} is neither a range nor a list; expected NAME=LOW..HIGH or NAME=A,B,…, such as cost=0.5..2"
        )
    return {"choices": numbers}


def found_by(module: Any, spec: Any, given: dict[str, Any], seed: int) -> Any:
    """Find, with a progress bar."""
    from sim.present.progress import Progress

    total = module.planned(spec, scenario=given["scenario"], case=given["case"])
    progress, done = Progress("solving"), 0

    def more(count: int) -> None:
        nonlocal done
        done += count
        progress(done, total)

    progress(0, total)
    try:
        return module.find(spec, **given, seed=seed, progress=more)
    finally:
        progress.stop()


def spec_of(model: Any, **given: Any) -> Any:
    """Make a specification, and say in our words what is wrong with it."""
    from pydantic import ValidationError

    try:
        return model(**given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = "--" + "_".join(str(part) for part in first["loc"]).replace("_", "-")
        raise OptionError(f"{place} is {first['input']!r:.60}; {first['msg'].lower()}") from None


def _drawn(figure: Path | None, record: dict[str, Any]) -> Path | None:
    """Return where to draw, or say that there is nothing to draw and go on to the answer."""
    kind = record["kind"]
    empty = (kind == "boxes" and not record["points"]["names"]) or (
        kind == "sensitivity" and all(one["why"] for one in record["questions"])
    )
    if figure is None or not empty:
        return figure
    say(f"there is nothing to draw; {figure} is not written")
    return None


def sensitivity(
    file: File, outcome: Outcomes, vary: Vary = None,
    method: Annotated[
        Literal["sobol", "morris", "tornado"], typer.Option("--method", help="Shares of the variance, a cheaper screening, or one assumption at a time.")
    ] = "sobol",
    samples: Annotated[
        int | None, typer.Option("--samples", min=2, help="Base points of sobol, a power of 2 (1024), or trajectories of morris (50).")
    ] = None,
    pairs: Annotated[bool, typer.Option("--pairs/--no-pairs", help="Sobol: also what pairs of assumptions do together, for twice the variants.")] = True,
    measure: Measure = "uniform", seed: Seed = 0, figure: Figure = None,
    concept: Concept = "", set_: Set = None, rounds: Rounds = None, precision: Precision = None, ties: Ties = None,
    option: Opt = None, remove: Remove = None, hidden: Hidden = None, known: Known = None, start: Start = "",
    as_json: Json = False,
) -> None:  # fmt: skip
    """Say which assumptions drive an answer: Sobol indices, Morris' screening, or a tornado."""
    from sim.analysis import sensitivity as module

    given = asked(file, set_, concept, precision, ties, option, rounds, remove, hidden, known, start)
    spec = spec_of(
        module.Spec,
        of=outcome[0],
        more=outcome[1:],
        vary=read_vary(vary),
        method=method,
        samples=samples,
        second_order=pairs,
        measure=measure,
    )
    found = found_by(module, spec, given, seed)
    record = found.record()
    if all(one["why"] == "unanswered" for one in record["questions"]):
        raise NoAnswerError(
            f"{file}: too few of {record['rows']:,} variants have a certified answer to say what drives it"
        )
    answer(found, as_json=as_json, figure=_drawn(figure, record))


def ordering(
    file: File, outcome: Outcome, level: Level, above: Above = True,
    order: Annotated[list[str] | None, typer.Option("--order", metavar="NAME", help="An order; may be repeated; all by default.")] = None,
    vary: Also = None,
    samples: Annotated[int, typer.Option("--samples", min=1, help="Draws under each of two measures.")] = 4096,
    corners: Annotated[bool, typer.Option("--corners/--no-corners", help="Also try the extreme cardinalisations.")] = True,
    seed: Seed = 0, figure: Figure = None,
    concept: Concept = "", set_: Set = None, rounds: Rounds = None, precision: Precision = None, ties: Ties = None,
    option: Opt = None, remove: Remove = None, hidden: Hidden = None, known: Known = None, start: Start = "",
    as_json: Json = False,
) -> None:  # fmt: skip
    """Say for which share of all payoffs consistent with the stated orderings an answer holds, and whether it is possible or necessary."""
    from sim.analysis import orderings as module

    given = asked(file, set_, concept, precision, ties, option, rounds, remove, hidden, known, start)
    spec = spec_of(
        module.Spec, of=outcome, level=level, side="above" if above else "below", orders=order or "all", vary=read_vary(vary, []),
        samples=samples, corners=corners,
    )  # fmt: skip
    found = found_by(module, spec, given, seed)
    record = found.record()
    if record["measures"]["uniform"]["share"] is None:
        raise NoAnswerError(f"{file}: none of {samples:,} draws has a certified answer")
    answer(found, as_json=as_json, figure=_drawn(figure, record))


def boxes(
    file: File, outcome: Outcome, level: Level, above: Above = True, vary: Vary = None,
    method: Annotated[Literal["prim"], typer.Option("--method", help="How boxes are looked for.")] = "prim",
    design: Annotated[Literal["sobol", "latin_hypercube"], typer.Option("--design", help="How ranges are sampled.")] = "sobol",
    samples: Annotated[int, typer.Option("--samples", min=64, help="Variants of the search, and as many fresh ones of the test.")] = 2048,
    density: Annotated[float, typer.Option("--density", help="Share of a box's variants in which the answer is to hold.")] = 0.8,
    mass: Annotated[float, typer.Option("--mass", help="Least share of all variants that a box holds.")] = 0.05,
    most: Annotated[int, typer.Option("--most", min=1, help="How many boxes.")] = 3,
    measure: Measure = "uniform", seed: Seed = 0, figure: Figure = None,
    concept: Concept = "", set_: Set = None, rounds: Rounds = None, precision: Precision = None, ties: Ties = None,
    option: Opt = None, remove: Remove = None, hidden: Hidden = None, known: Known = None, start: Start = "",
    as_json: Json = False,
) -> None:  # fmt: skip
    """Find boxes of assumptions in which an answer holds (PRIM), measured in variants that the search never saw."""
    from sim.analysis import boxes as module

    given = asked(file, set_, concept, precision, ties, option, rounds, remove, hidden, known, start)
    spec = spec_of(
        module.Spec, of=outcome, level=level, side="above" if above else "below", vary=read_vary(vary), method=method, design=design,
        samples=samples, density=density, mass=mass, most=most, measure=measure,
    )  # fmt: skip
    found = found_by(module, spec, given, seed)
    record = found.record()
    if record["why"] == "unanswered":
        raise NoAnswerError(f"{file}: too few of {samples:,} variants have a certified answer to look for boxes")
    answer(found, as_json=as_json, figure=_drawn(figure, record))


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(sensitivity)
    app.command()(ordering)
    app.command()(boxes)
