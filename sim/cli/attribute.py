"""The command that divides a change among the assumptions that changed: attribute."""

from __future__ import annotations

from typing import Annotated

import typer

from sim.cli.asking import Figure, Outcome, Seed, answer, asked
from sim.cli.common import File, Hidden, Json, Known, Opt, Precision, Remove, Rounds, Set, Start, Ties, settings
from sim.errors import OptionError


def _side(given: list[str] | None, option: str) -> dict[str, float | str] | str:
    """Read one side of the change: a named variant, or settings."""
    names = [text for text in given or () if "=" not in text]
    if names and len(given or ()) > 1:
        raise OptionError(f"{option} got {', '.join(given or ())}; expected one named variant, or name=value pairs")
    return names[0] if names else settings(given, option)


def attribute(
    file: File,
    outcome: Outcome,
    after: Annotated[
        list[str], typer.Option("--after", metavar="NAME=VALUE", help="What changes, or a named variant; may be repeated.")
    ],
    before: Annotated[
        list[str] | None,
        typer.Option("--before", metavar="NAME=VALUE", help="What it changes from, or a named variant; base values by default."),
    ] = None,
    beside: Annotated[str, typer.Option("--beside", metavar="QUESTION", help="A second question, asked of the same solutions.")] = "",
    group: Annotated[
        list[str] | None, typer.Option("--group", metavar="LABEL=NAME,NAME", help="Assumptions that change together; may be repeated.")
    ] = None,
    orders: Annotated[int, typer.Option("--orders", min=2, help="Orders that are drawn where more than 12 are to be told apart.")] = 256,
    seed: Seed = 0, figure: Figure = None, set_: Set = None, concept: Annotated[str, typer.Option("--concept", help="The solution concept.")] = "",
    precision: Precision = None, ties: Ties = None, option: Opt = None, rounds: Rounds = None, remove: Remove = None,
    hidden: Hidden = None, known: Known = None, start: Start = "", as_json: Json = False,
) -> None:  # fmt: skip
    """Divide the change of an answer between two settings among the assumptions that differ (Shapley values)."""
    from sim.analysis.attribution import Spec, find

    groups: dict[str, list[str]] = {}
    for text in group or ():
        label, equals, members = text.partition("=")
        if not equals or not members:
            raise OptionError(f"--group got '{text}'; expected LABEL=NAME,NAME")
        groups[label.strip()] = [name.strip() for name in members.split(",")]
    given = asked(file, set_, concept, precision, ties, option, rounds, remove, hidden, known, start)
    spec = Spec(
        of=outcome,
        beside=beside,
        before=_side(before, "--before"),
        after=_side(after, "--after"),
        groups=groups,
        orders=orders,
    )
    answer(find(spec, **given, seed=seed), as_json=as_json, figure=figure, concept=given["concept"])


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command()(attribute)
