"""The outermost reading of an expression: bounds on what is read at all, Python's own parser, and advice for its errors."""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass

from sim.errors import Problem

__all__ = ["LIMITS", "Limits", "read_syntax"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds that keep any text cheap to read: characters, nodes and levels of the tree, problems, and the largest power."""

    length: int = 4000
    size: int = 4000
    depth: int = 50
    problems: int = 10
    exponent: int = 16


LIMITS = Limits()

_FOREIGN = {"&&": "and", "||": "or", "!(": "not (", "?": "x if c else y", "^": "**", "else if": "else … if … else"}


def read_syntax(source: str) -> ast.expr | Problem:
    """Parse a text, or say why it cannot be.

    Examples
    --------
    >>> print(read_syntax("rung = war"))
    cannot be read as an expression (invalid syntax): 'rung = war'; compare by '=='
    """
    if len(source) > LIMITS.length:
        what = f"has {len(source)} characters"
        return Problem(kind="too-long", what=what, expected=f"at most {LIMITS.length}", advice="split it")
    if "#" in source:
        return Problem(kind="syntax", what="holds a comment (#)", advice="comments stand outside the quotes")
    if not source.strip():
        return Problem(kind="syntax", what="is empty", expected="an expression")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(" ".join(source.split()), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = error.msg.split(". ")[0] if isinstance(error, SyntaxError) else "nested too deeply"
        what = f"cannot be read as an expression ({reason}): {source[:60]!r}"
        return Problem(kind="syntax", what=what, advice=_remedy(source))


def _remedy(source: str) -> str:
    """Advise those who write another language."""
    found = [f"write '{ours}' for '{theirs}'" for theirs, ours in _FOREIGN.items() if theirs in source]
    if re.search(r"(?<![=!<>])=(?!=)", source):
        found.append("compare by '=='")
    return ", ".join(found) or "expressions are arithmetic, comparisons, and/or/not, x if c else y, and functions"
