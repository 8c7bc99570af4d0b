"""From a parsed file to validated tables, or to all that is wrong with their shape.

A mistake in one table must not hide those in the others, so what does not fit is left out, the rest is validated again, and the words
that were left out are handed on: what depends on them cannot be judged yet.
"""

from __future__ import annotations

import copy
import difflib
import keyword
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from sim.errors import Problem
from sim.scenario.context import MOST_PROBLEMS, RESERVED
from sim.scenario.model import MAX_ROUNDS
from sim.scenario.places import line_of
from sim.scenario.schema import NOT_YET, AssumptionTable, PayoffTable, ScenarioFile, StateTable, TurnTable
from sim.scenario.translate import known_keys, schema_problems

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic_core import ErrorDetails

    from sim.scenario.places import Path

__all__ = ["Shape", "validate"]

HARMLESS = frozenset(
    (
        "note",
        "source",
        "name",
        "title",
        "when",
        "pays",
        "believes",
        "probability",
        "discount",
        "prospect",
        "final",
        "basis",
        "in_rounds",
    )
)
"""Keys without which the rest of their table can still be judged."""

MOST_ENTRIES = 1000
ENTRY = 2  # parts of the path of an entry: its section and its id
ATTEMPTS = 4  # what is left out may be required, and then takes its entry, and perhaps its section, with it


def _crowded(value: object, path: Path = ()) -> Iterator[Path]:
    """Find tables and lists that nobody wrote by hand; bounded sizes keep every check quick."""
    if isinstance(value, (dict, list)):
        if len(value) > MOST_ENTRIES:
            yield path
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            yield from _crowded(item, (*path, key))


def _later_words(document: Mapping[str, Any]) -> Iterator[Path]:
    """Find reserved words that the file uses."""
    yield from ((word,) for word in document if word in NOT_YET)
    tables = {"assumptions": AssumptionTable, "state": StateTable, "turns": TurnTable, "payoffs": PayoffTable}
    for section, model in tables.items():
        found: Any = document.get(section)
        entries: Any = found.items() if isinstance(found, dict) else enumerate(found if isinstance(found, list) else ())
        for key, entry in entries:
            words = entry if isinstance(entry, dict) else ()
            yield from ((section, key, word) for word in words if word in NOT_YET and word in model.model_fields)


def _not_yet(path: Path, lines: Mapping[Path, int], name: str) -> Problem:
    """Make the problem of a reserved word."""
    place = ".".join(map(str, path))
    what = f"{place} uses {NOT_YET[str(path[-1])]}, which this version knows but cannot do yet"
    advice = "remove it, or wait for a later version"
    return Problem(kind="not-yet", what=what, advice=advice, place=place, file=name, line=line_of(lines, path))


def _words(value: object) -> Iterator[str]:
    """List the names that a value holds."""
    if isinstance(value, str):
        yield from re.findall(r"[^\W\d]\w*", value)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from () if key in ("note", "source", "title") else _words(item)
            yield str(key)
    elif isinstance(value, list):
        for item in value:
            yield from _words(item)


class _Pruner:
    """Leaves out what does not fit, remembering its words and where the rest stands."""

    def __init__(self, document: Mapping[str, Any], lines: Mapping[Path, int]) -> None:
        self.document: Any = copy.deepcopy(dict(document))
        self.lines = dict(lines)
        self.doubtful: set[str] = set()

    def find(self, path: Path) -> Any:
        """Return what stands at a path, or None."""
        here = self.document
        for part in path:
            if isinstance(here, dict):
                here = here.get(part)
            elif isinstance(here, list) and isinstance(part, int) and part < len(here):
                here = here[part]
            else:
                return None
        return here

    def drop(self, path: Path) -> None:
        """Leave out a key with what it holds; a list keeps its places until the end."""
        value = self.find(path)
        if not path or value is None:
            return
        holder: Any = self.find(path[:-1])
        key: Any = path[-1]
        if isinstance(holder, list):
            holder[key] = None
        else:
            holder.pop(key)
        if path == ("rounds",):  # without it no round is too late, and no clock too short
            holder[key] = MAX_ROUNDS
            self.doubtful.add("starts")
        if path[-1] not in HARMLESS:
            self.doubtful.update(part for part in path[1:] if isinstance(part, str))
            self.doubtful.update(_words(value))

    def mend(self, error: ErrorDetails) -> None:
        """Rename a misspelt key, or leave out what an error points at."""
        path: Path = tuple(error["loc"])
        if error["type"] == "missing":
            self.drop(path[:ENTRY])
            return
        if error["type"] == "extra_forbidden":
            holder, key = self.find(path[:-1]), path[-1]
            near = difflib.get_close_matches(str(key), known_keys(ScenarioFile, path[:-1]), n=1)
            if isinstance(holder, dict) and near and near[0] not in holder:
                holder[near[0]] = holder.pop(key)
                self.lines |= {
                    (*path[:-1], near[0], *place[len(path) :]): line
                    for place, line in self.lines.items()
                    if place[: len(path)] == path
                }
                return
        while path and self.find(path) is None:
            path = path[:-1]
        self.drop(path)

    def close(self) -> None:
        """Close up the lists, and let every line follow its key."""
        self.lines = {self.moved(path): line for path, line in self.lines.items()}
        self.document = _closed(self.document)

    def moved(self, path: Path) -> Path:
        """Return where a path leads once the lists are closed up."""
        out: list[str | int] = []
        here: Any = self.document
        for part in path:
            if isinstance(here, list) and isinstance(part, int):
                out.append(part - here[:part].count(None))
                here = here[part] if part < len(here) else None
                if here is None:
                    return ("left out", *path)
            else:
                out.append(part)
                here = here.get(part) if isinstance(here, dict) else None
        return tuple(out)


def _closed(value: Any) -> Any:
    """Remove what was left out of lists; TOML itself has no empty value."""
    if isinstance(value, dict):
        return {key: _closed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_closed(item) for item in value if item is not None]
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What is known of a file's shape: the tables that fit (None if too few do), their lines, problems and doubtful words."""

    file: ScenarioFile | None
    lines: Mapping[Path, int]
    problems: tuple[Problem, ...] = ()
    doubtful: frozenset[str] = frozenset()


def validate(document: Mapping[str, Any], lines: Mapping[Path, int], name: str) -> Shape:
    """Validate the shape of a file.

    Parameters
    ----------
    document
        The parsed file.
    lines
        The line of each key.
    name
        The file's name, for messages.
    """
    crowd = next(_crowded(document), None)
    if crowd:
        place = ".".join(map(str, crowd))
        what, expected = f"{place} has too many entries", f"at most {MOST_ENTRIES}"
        line = line_of(lines, crowd)
        problem = Problem(
            kind="too-many-entries", what=what, expected=expected, advice="split it", place=place, file=name, line=line
        )
        return Shape(file=None, lines=lines, problems=(problem,))
    later = list(_later_words(document))[:MOST_PROBLEMS]
    problems = [_not_yet(path, lines, name) for path in later]
    pruner = _Pruner(document, lines)
    for path in later:
        pruner.drop(path[:ENTRY] if path[0] == "turns" else path)
    for attempt in range(ATTEMPTS):
        pruner.close()
        try:
            file = ScenarioFile.model_validate(pruner.document)
        except ValidationError as error:
            found = error.errors(include_url=False)[:MOST_PROBLEMS]
            if not attempt:
                problems += schema_problems(found, ScenarioFile, pruner.lines, name)
            for one in found:
                pruner.mend(one)
        else:
            stop = {*RESERVED, *keyword.kwlist}
            return Shape(
                file=file, lines=pruner.lines, problems=tuple(problems), doubtful=frozenset(pruner.doubtful - stop)
            )
    return Shape(file=None, lines=lines, problems=tuple(problems))
