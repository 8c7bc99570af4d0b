"""The commands for choice without knowing, and for what it would take: robust and inverse."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from sim.cli.asking import Figure, Seed, answer, asked
from sim.cli.common import File, Hidden, Json, Known, Opt, Precision, Remove, Rounds, Set, Start, Ties
from sim.cli.sensitivity import Concept, Measure, Vary, found_by, read_vary, spec_of

At = Annotated[
    str, typer.Option("--at", metavar="DATE:PLAYER", help="The decision to which the recorded history leads; by default the first of the game.")
]  # fmt: skip
Fix = Annotated[
    list[str] | None, typer.Option("--fix", metavar="NAME", help="An assumption that stays at base; may be repeated.")
]


def robust(
    file: File, at: At = "",
    vary: Annotated[
        list[str] | None,
        typer.Option(
            "--vary", metavar="NAME[=LOW..HIGH]",
            help="What varies; may be repeated; by default all that the mover's own payoffs do not read and that does not shape the game.",
        ),
    ] = None,
    fix: Fix = None,
    samples: Annotated[int, typer.Option("--samples", min=1, help="Variants drawn, a power of 2.")] = 1024,
    corners: Annotated[bool, typer.Option("--corners/--no-corners", help="Also extreme variants, and worst cases made worse.")] = True,
    alpha: Annotated[float, typer.Option("--alpha", min=0.0, max=1.0, help="Hurwicz: weight of the worst case.")] = 0.5,
    level: Annotated[float | None, typer.Option("--level", help="Satisficing: a move satisfies where it is worth at least so much.")] = None,
    tolerance: Annotated[float, typer.Option("--tolerance", min=0.0, help="Without a level: where its regret is at most so much.")] = 0.0,
    measure: Measure = "uniform", seed: Seed = 0, figure: Figure = None,
    concept: Concept = "", set_: Set = None, rounds: Rounds = None, precision: Precision = None, ties: Ties = None,
    option: Opt = None, remove: Remove = None, hidden: Hidden = None, known: Known = None, start: Start = "",
    as_json: Json = False,
) -> None:  # fmt: skip
    """Choose among the moves at one state without knowing which variant is true: maximin, minimax regret, satisficing, Hurwicz."""
    from sim.analysis import robust as module

    given = asked(file, set_, concept, precision, ties, option, rounds, remove, hidden, known, start)
    spec = spec_of(
        module.Spec, at=at, vary=read_vary(vary), fixed=list(fix or ()), samples=samples, corners=corners, alpha=alpha, level=level,
        tolerance=tolerance, measure=measure,
    )  # fmt: skip
    answer(found_by(module, spec, given, seed), as_json=as_json, figure=figure)


def inverse(
    file: File,
    move: Annotated[str, typer.Option("--move", metavar="MOVE", help="A move or group.")],
    at: At = "",
    no_longer: Annotated[bool, typer.Option("--not", help="What makes that it is no longer the choice.")] = False,
    strictly: Annotated[bool, typer.Option("--strictly", help="It is to be better than every other, not as good.")] = False,
    vary: Vary = None, fix: Fix = None,
    norm: Annotated[
        Literal["l1", "l2", "max"], typer.Option("--norm", help="How changes are added: their sum, the root of their squares, or the greatest.")
    ] = "l1",
    samples: Annotated[int, typer.Option("--samples", min=1, help="Points drawn in the box, a power of 2.")] = 1024,
    scan: Annotated[int, typer.Option("--scan", min=2, help="Into how many steps each range is cut where it changes alone.")] = 16,
    seed: Seed = 0,
    concept: Concept = "", set_: Set = None, rounds: Rounds = None, precision: Precision = None, ties: Ties = None,
    option: Opt = None, remove: Remove = None, hidden: Hidden = None, known: Known = None, start: Start = "",
    as_json: Json = False,
) -> None:  # fmt: skip
    """Find the smallest change of assumptions, in units of their ranges, that makes a move the choice, or no longer the choice."""
    from sim.analysis import inverse as module

    given = asked(file, set_, concept, precision, ties, option, rounds, remove, hidden, known, start)
    spec = spec_of(
        module.Spec, move=move, at=at, reverse=no_longer, strictly=strictly, vary=read_vary(vary), fixed=list(fix or ()), norm=norm,
        samples=samples, scan=scan,
    )  # fmt: skip
    answer(found_by(module, spec, given, seed), as_json=as_json)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(robust)
    app.command()(inverse)
