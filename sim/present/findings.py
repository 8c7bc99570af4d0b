"""Findings on the page: sentences, tables and figures, each made from the record alone."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from sim.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sim.present.plain import Table

__all__ = ["draw_finding", "finding_lines", "finding_tables"]

PAGES = {
    "attribution": "sim.present.attribution",
    "border": "sim.present.border",
    "boxes": "sim.present.boxes",
    "fit": "sim.present.fitted",
    "inverse": "sim.present.inverse",
    "ordering": "sim.present.orderings",
    "robust": "sim.present.robust",
    "sensitivity": "sim.present.sensitivity",
    "threshold": "sim.present.threshold",
}
FIGURES = {kind: f"{page}_figure" for kind, page in PAGES.items() if kind != "inverse"}


def finding_lines(record: dict[str, Any]) -> list[str]:
    """Say what was found, in sentences."""
    return list(import_module(PAGES[record["kind"]]).lines(record))


def finding_tables(record: dict[str, Any]) -> list[Table]:
    """Return the tables of a finding."""
    return list(import_module(PAGES[record["kind"]]).tables(record))


def draw_finding(records: Sequence[dict[str, Any]], path: Path, title: str = "") -> Path:
    """Draw a finding, or several of one kind into one figure where the kind can.

    Raises
    ------
    OptionError
        For findings of different kinds, and kinds that have no figure.
    """
    kinds = sorted({str(record["kind"]) for record in records})
    if len(kinds) != 1 or kinds[0] not in FIGURES:
        raise OptionError(
            f"findings of kind {' and '.join(kinds)} cannot be drawn in one figure; known: {', '.join(FIGURES)}"
        )
    return import_module(FIGURES[kinds[0]]).draw(list(records), path, title=title)
