"""The commands that search: thresholds of one assumption, and borders of two."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from sim.cli.asking import Figure, Outcome, answer, asked, tell
from sim.cli.common import (
    ConceptOrFitting,
    File,
    Hidden,
    Json,
    Known,
    Opt,
    Precision,
    Remove,
    Rounds,
    Set,
    Start,
    Ties,
    read_options,
)
from sim.errors import OptionError

Level = Annotated[float | None, typer.Option("--crosses", metavar="LEVEL", help="The level that the answer crosses.")]


def _range(name: str, text: str) -> list[float] | None:
    """Read LOW:HIGH."""
    if not text:
        return None
    try:
        low, high = (float(part) for part in text.split(":"))
    except ValueError:
        raise OptionError(f"{name} is '{text}'; expected LOW:HIGH, such as 0:0.5") from None
    return [low, high]


def threshold(
    file: File,
    vary: Annotated[str, typer.Option("--vary", metavar="NAME", help="An assumption with a range, or precision.")],
    outcome: Outcome = "", crosses: Level = None,
    low: Annotated[float | None, typer.Option("--from", metavar="LOW", help="Search from here on; by default the whole range.")] = None,
    high: Annotated[float | None, typer.Option("--to", metavar="HIGH", help="Search up to here.")] = None,
    scan: Annotated[int, typer.Option("--scan", min=2, help="Into how many equal steps the range is cut.")] = 128,
    log: Annotated[bool, typer.Option("--log", help="Cut it into equal ratios.")] = False,
    prove: Annotated[bool, typer.Option("--prove/--no-prove", help="Prove that all are found, where that can be proved.")] = True,
    concept: ConceptOrFitting = "", set_: Set = None, rounds: Rounds = None, precision: Precision = None, ties: Ties = None, option: Opt = None,
    remove: Remove = None, hidden: Hidden = None, known: Known = None, start: Start = "",
    figure: Figure = None,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Find all values of an assumption at which an answer crosses a level, or, without a level, at which the equilibrium switches."""
    from sim.analysis.axis import PRECISIONS
    from sim.analysis.threshold import Spec, find

    given = asked(file, set_, concept, precision, ties, option, rounds, remove, hidden, known, start)
    ends = None
    if low is not None or high is not None:
        one = given["scenario"].assumptions.get(vary)
        whole = PRECISIONS if vary == "precision" else one.range if one else None
        if whole is None and (low is None or high is None):
            raise OptionError(f"'{vary}' has no range of its own; expected both --from and --to")
        first, last = whole or (0.0, 0.0)
        ends = [first if low is None else low, last if high is None else high]
    spec = Spec(of=outcome, vary=vary, crosses=crosses, range=ends, scale="log" if log else "", scan=scan, prove=prove)
    answer(find(spec, **given), as_json=as_json, figure=figure)


def border(
    file: File,
    x: Annotated[str, typer.Option("--x", metavar="NAME", help="An assumption with a range, or precision.")],
    y: Annotated[str, typer.Option("--y", metavar="NAME", help="Another.")],
    outcome: Outcome, crosses: Level = None,
    x_range: Annotated[str, typer.Option("--x-range", metavar="LOW:HIGH", help="The part of x to search.")] = "",
    y_range: Annotated[str, typer.Option("--y-range", metavar="LOW:HIGH", help="The part of y to search.")] = "",
    coarse: Annotated[int, typer.Option("--coarse", min=2, help="Into how many cells each range is cut at first.")] = 32,
    resolution: Annotated[int, typer.Option("--resolution", min=2, help="And in the end: coarse times a power of two.")] = 1024,
    concept: Annotated[list[str] | None, typer.Option("--concept", help="A solution concept; may be repeated, the figure shows all.")] = None,
    set_: Set = None, rounds: Rounds = None, precision: Precision = None, ties: Ties = None, option: Opt = None, remove: Remove = None,
    hidden: Hidden = None, known: Known = None, start: Start = "",
    figure: Figure = None,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Find the border of the region of two assumptions in which an answer is at or above a level, with a small part of the solves of a grid."""
    from sim.analysis.border import Spec, find

    spec = Spec(
        of=outcome, x=x, y=y, crosses=crosses, x_range=_range("--x-range", x_range), y_range=_range("--y-range", y_range), coarse=coarse,
        resolution=resolution,
    )  # fmt: skip
    names = concept or [""]
    if len(names) > 1:
        read_options(names, precision, ties, option)  # what fits none of them is a mistake
    records: list[dict[str, Any]] = []
    for name in names:
        mine = _fitting(name, precision, ties, option) if len(names) > 1 else (precision, ties, option)
        precision_, ties_, option_ = mine
        given = asked(file, set_, name, precision_, ties_, option_, rounds, remove, hidden, known, start)
        records.append(find(spec, **given).record())
    tell(records, as_json=as_json, figure=figure)


def _fitting(
    concept: str, precision: list[str] | None, ties: str | None, option: list[str] | None
) -> tuple[list[str] | None, str | None, list[str] | None]:
    """Keep the options that a concept takes."""
    from sim.solve.registry import option_names

    known = option_names(concept)
    kept = [text for text in option or () if text.partition("=")[0].strip() in known]
    return (precision if "precision" in known else None), (ties if "ties" in known else None), kept


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(threshold)
    app.command()(border)
