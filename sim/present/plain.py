"""Plain data for machines: JSON without NaN, and tables as rows of text."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Table", "number", "plain", "to_json"]

LARGE = 1e6
_NUMBER = re.compile(r"[-+]?[\d,]*\.?\d*(e[-+]?\d+)?|–|-?∞")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table as text: a title, column heads, rows; columns that hold numbers are set right."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]

    def right(self, column: int) -> bool:
        """Whether a column holds numbers only."""
        cells = [row[column] for row in self.rows if row[column]]
        return bool(cells) and all(_NUMBER.fullmatch(cell) for cell in cells)


def plain(value: Any) -> Any:
    """Turn arrays, dates and enumerations into what JSON can hold; what is not finite becomes null.

    Examples
    --------
    >>> plain({"x": np.array([1.0, np.nan])})
    {'x': [1.0, None]}
    """
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value


def to_json(value: Any) -> str:
    """Write JSON that any reader accepts.

    Examples
    --------
    >>> print(to_json({"p": float("inf")}))
    {
      "p": null
    }
    """
    return json.dumps(plain(value), indent=2, ensure_ascii=False, allow_nan=False)


def number(value: float, digits: int = 3) -> str:
    """Write a number for a table.

    Examples
    --------
    >>> number(0.12345), number(12.0), number(float("nan")), number(float("inf"))
    ('0.123', '12', '–', '∞')
    """
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if value == int(value) and abs(value) < LARGE:
        return str(int(value))
    small = abs(value) < 10 ** (-digits)
    return f"{value:.{digits - 1}e}" if small else f"{value:.{digits}f}"
