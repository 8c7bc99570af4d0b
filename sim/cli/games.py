"""What ``sim solve`` does with a game file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim.cli.common import print_json, print_line, read_precision
from sim.errors import OptionError

if TYPE_CHECKING:
    from pathlib import Path


def solve_file(
    file: Path,
    concept: str,
    precision: list[str] | None,
    ties: str | None,
    option: list[str] | None,
    figure: Path | None,
    *,
    as_json: bool,
) -> None:
    """Read a game file, solve it, print the answer."""
    from sim.construct.gambit_read import read_game
    from sim.present import strategic as tables
    from sim.present.printing import print_table
    from sim.scenario.values import parse_setting
    from sim.solve.game_files import solve_file_game

    if ties is not None:
        raise OptionError(
            "--ties resolves ties of scenarios; a game file's are reported, and --option ties=NUMBER says what counts as one"
        )
    given: dict[str, Any] = dict(parse_setting(text) for text in option or ())
    if precision:
        given["precision"] = read_precision(precision)
    answer = solve_file_game(read_game(file), concept or None, **given)
    if figure is not None:
        from sim.present.paths_figure import branch_figure

        if answer.path is None:
            raise OptionError(f"--figure draws the branch of --concept quantal_response; {answer.concept} has none")
        branch_figure(answer.path, figure, answer.game.title)
    if as_json:
        print_json(tables.answer_data(answer))
        return
    for line in tables.answer_lines(answer):
        print_line(line)
    print_line()
    for table in tables.answer_tables(answer):
        print_table(table)
