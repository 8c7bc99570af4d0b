"""Every error that the simulator raises on purpose.

The tree::

    SimError                    exit code 2 unless said otherwise
    ├── ScenarioError           mistakes of a scenario file, all of them at once
    ├── ExperimentError         mistakes of an experiment file, all of them at once
    ├── OptionError             a question that cannot be asked: unknown name, bad value
    │   └── NotYetError         a word of the language whose feature is not built yet
    └── NoAnswerError           exit code 1: the question has no certified answer
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "ExperimentError",
    "NoAnswerError",
    "NotYetError",
    "OptionError",
    "Problem",
    "ScenarioError",
    "SimError",
    "did_you_mean",
]

MOST_SHOWN = 12  # known words that advice lists


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One mistake, or one warning, with its place and a remedy.

    Attributes
    ----------
    kind
        A short stable name, such as ``"unknown-name"``.
    what
        What was found.
    expected, advice
        What was expected and what to do; either may be empty.
    place
        The dotted key in the file, such as ``"moves.hold.when"``.
    file, line
        Where; line 0 means the file as a whole.

    Examples
    --------
    >>> str(Problem(kind="unknown-name", what="names 'sanction'", advice="did you mean 'sanctions'?", file="x.toml", line=14))
    "x.toml:14: names 'sanction'; did you mean 'sanctions'?"
    """

    kind: str
    what: str
    expected: str = ""
    advice: str = ""
    place: str = ""
    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        """Write ``file:line: what; expected …; advice``."""
        head = f"{self.file}:{self.line}: " if self.line else (f"{self.file}: " if self.file else "")
        expected = f"; expected {self.expected}" if self.expected else ""
        advice = f"; {self.advice}" if self.advice else ""
        return f"{head}{self.what}{expected}{advice}"


class SimError(Exception):
    """The root of the tree; its message is written for the user."""

    exit_code = 2


class _ProblemsError(SimError):
    """An error made of problems, one a line, in the order of the file."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(sorted(problems, key=lambda p: (p.file, p.line)))
        super().__init__("\n".join(map(str, self.problems)))


class ScenarioError(_ProblemsError):
    """All mistakes of a scenario file.

    Examples
    --------
    >>> error = ScenarioError([Problem(kind="missing-file", what="no such file", file="x.toml")])
    >>> error.problems[0].kind, str(error)
    ('missing-file', 'x.toml: no such file')
    """


class ExperimentError(_ProblemsError):
    """All mistakes of an experiment file."""


class OptionError(SimError):
    """A question that cannot be asked: an unknown name or a value out of bounds."""


class NotYetError(OptionError):
    """A word of the language or of the command line whose feature is not built yet."""


class NoAnswerError(SimError):
    """The question has no certified answer."""

    exit_code = 1


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Advise the nearest known word, or list a few of them.

    Examples
    --------
    >>> did_you_mean("sanction", ["sanctions", "rung"])
    "did you mean 'sanctions'?"
    >>> did_you_mean("x", ["sanctions", "rung"])
    'known: rung, sanctions'
    >>> did_you_mean("x", [])
    ''
    """
    names: Sequence[str] = sorted(set(known))
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if near:
        return f"did you mean '{near[0]}'?"
    if not names:
        return ""
    shown = ", ".join(names[:MOST_SHOWN])
    return f"known: {shown}" + (", …" if len(names) > MOST_SHOWN else "")
