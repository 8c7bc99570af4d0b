"""Print tables: with Rich on a terminal, plainly into a pipe. User text never reaches Rich as markup."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.present.plain import Table

__all__ = ["print_table", "print_text"]


def print_text(text: str = "") -> None:
    """Write one line to standard output, as it is."""
    sys.stdout.write(text + "\n")


def print_table(table: Table) -> None:
    """Write a table to standard output."""
    if not sys.stdout.isatty():
        _print_plain(table)
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    made = RichTable(
        title=Text(table.title) if table.title else None, box=box.SIMPLE_HEAD, title_justify="left", title_style="bold"
    )
    for place, column in enumerate(table.columns):
        made.add_column(Text(column), justify="right" if table.right(place) else "left")
    for row in table.rows:
        made.add_row(*(Text(cell) for cell in row))
    Console(no_color=True if os.environ.get("NO_COLOR") else None, highlight=False).print(made)


def _print_plain(table: Table) -> None:
    """Write aligned columns without colour or lines."""
    if table.title:
        print_text(table.title)
    cells = [list(table.columns), *(list(row) for row in table.rows)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(table.columns))]
    for row in cells:
        shown = (
            cell.rjust(width) if table.right(place) else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        print_text("  ".join(shown).rstrip())
    print_text()
