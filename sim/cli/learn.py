"""Commands that take a stage game: learn, repeated."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sim.cli.common import Json, print_json, print_line
from sim.errors import OptionError

if TYPE_CHECKING:
    from sim.game.strategic import StrategicGame

GameFile = Annotated[Path, typer.Argument(metavar="GAME.nfg", help="A strategic game.")]


def _stage(file: Path) -> StrategicGame:
    """Read a strategic game."""
    from sim.construct.gambit_read import read_game
    from sim.game.strategic import StrategicGame

    game = read_game(file)
    if not isinstance(game, StrategicGame):
        raise OptionError(f"{file} is a tree; expected a strategic game (.nfg), played as the stage")
    return game


def _starts(texts: list[str] | None) -> dict[str, list[float]]:
    """Read PLAYER=NUMBER,NUMBER,… pairs."""
    out: dict[str, list[float]] = {}
    for text in texts or ():
        name, equals, numbers = text.rpartition("=")
        try:
            values = [float(number) for number in numbers.split(",")]
        except ValueError:
            values = []
        if not equals or not values:
            raise OptionError(f"--start got '{text}'; expected PLAYER=NUMBER,NUMBER,…, one for each action")
        out[name] = values
    return out


def learn(
    file: GameFile,
    rule: Annotated[str, typer.Option("--rule", help="fictitious, stochastic or replicator.")] = "fictitious",
    steps: Annotated[float | None, typer.Option("--steps", help="How many plays (2000 if missing); of the replicator how much time (100 if missing).")] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of what is drawn.")] = 0,
    start: Annotated[list[str] | None, typer.Option("--start", metavar="PLAYER=NUMBERS", help="Past plays, or shares: a number for each action.")] = None,
    precision: Annotated[float | None, typer.Option("--precision", help="Precision λ of the stochastic rule; 10 if missing.")] = None,
    populations: Annotated[int, typer.Option("--populations", min=1, max=2, help="Of the replicator: 2, or 1 in a symmetric game.")] = 2,
    figure: Annotated[Path | None, typer.Option("--figure", help="Also draw the trajectory into this SVG, PNG or PDF file.")] = None,
    as_json: Json = False,
) -> None:  # fmt: skip
    """Let two players learn a strategic game: fictitious play, its stochastic form, replicator dynamics."""
    from sim.analysis.learning import learn as follow
    from sim.present import learning as tables
    from sim.present.printing import print_table

    found = follow(
        _stage(file), rule, steps=steps, seed=seed, start=_starts(start), precision=precision, populations=populations
    )
    if figure is not None:
        from sim.present.learning_figure import learning_figure

        learning_figure(found, figure)
    if as_json:
        print_json(tables.learning_data(found, seed))
        return
    for line in tables.learning_lines(found):
        print_line(line)
    print_line()
    for table in tables.learning_tables(found):
        print_table(table)


def repeated(file: GameFile, as_json: Json = False) -> None:
    """Say what patience can sustain when a strategic game is played for ever: minmax values, payoffs, critical discounts."""
    from sim.analysis.repeated import repeated as play_for_ever
    from sim.present.printing import print_table
    from sim.present.repeated import repeated_data, repeated_tables

    found = play_for_ever(_stage(file))
    if as_json:
        print_json(repeated_data(found))
        return
    print_line(f"{found.game.title or file.stem}, played for ever: every critical discount certified by the referee")
    print_line()
    for table in repeated_tables(found):
        print_table(table)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(learn)
    app.command()(repeated)
