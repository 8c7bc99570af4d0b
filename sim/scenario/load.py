"""Load a scenario file, or say everything that is wrong with it; and write one back."""

from __future__ import annotations

import contextlib
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.errors import Problem, ScenarioError, did_you_mean
from sim.scenario.places import line_of, lines_of
from sim.scenario.translate import schema_problems
from sim.scenario.values import base_problems

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sim.scenario.model import Scenario
    from sim.scenario.places import Path as Key

__all__ = ["MAX_BYTES", "dump", "load", "loads", "read_text", "read_toml", "schema_problems"]

MAX_BYTES = 1_000_000
MAX_DEPTH = 32
MAX_DOTS = 2000
REMEDY = "texts need quotes, tables need [brackets]"


def read_text(path: str | Path) -> str:
    """Read a text file, refusing what is missing, too large or not UTF-8.

    Raises
    ------
    ScenarioError
        With one problem of kind ``missing-file``, ``too-large`` or ``not-utf8``.
    """
    name = str(path)
    file = Path(path)
    try:
        with file.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror.lower() if isinstance(error, OSError) and error.strerror else "bad file name"
        problem = Problem(kind="missing-file", what=f"cannot be read ({reason})", advice=_neighbour(file), file=name)
        raise ScenarioError([problem]) from None
    if len(raw) > MAX_BYTES:
        expected = f"at most {MAX_BYTES:,}"
        problem = Problem(kind="too-large", what="has too many bytes", expected=expected, advice="split it", file=name)
        raise ScenarioError([problem])
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        what = f"byte {error.start} is not UTF-8"
        problem = Problem(kind="not-utf8", what=what, advice="save the file as UTF-8", file=name, line=line)
        raise ScenarioError([problem]) from None


def _neighbour(file: Path) -> str:
    """Advise a file of the same folder."""
    try:
        return did_you_mean(file.name, [other.name for other in file.parent.glob("*.toml")])
    except (OSError, ValueError):
        return ""


def read_toml(text: str, name: str) -> tuple[dict[str, Any], dict[Key, int]]:
    """Parse TOML and find the line of each key.

    Raises
    ------
    ScenarioError
        With one problem of kind ``bad-toml``, or ``duplicate-id`` for a table or key that is written twice.
    """
    try:
        document = _bounded(text)
        lines = lines_of(text)
        large = next(_too_large(document), None)
    except tomllib.TOMLDecodeError as error:
        message, found, place = str(error).rpartition(" (at line ")
        digits = place.split(",")[0]
        line = int(digits) if found and digits.isdigit() else text.count("\n") + 1
        twice = re.search(r"twice|overwrite|redefine", message)
        kind, advice = ("duplicate-id", "remove or rename one") if twice else ("bad-toml", REMEDY)
        what = f"is not TOML: {message or place}"
        raise ScenarioError([Problem(kind=kind, what=what, advice=advice, file=name, line=line)]) from None
    except (RecursionError, ValueError) as error:  # nesting, and integers of thousands of digits
        what = f"is not readable TOML ({type(error).__name__})"
        advice = "use fewer brackets and dots, and shorter numbers"
        raise ScenarioError([Problem(kind="bad-toml", what=what, advice=advice, file=name)]) from None
    if large is not None:
        place = ".".join(map(str, large))
        what, expected = f"{place} is a whole number of more than 64 bits", "a smaller number"
        line = line_of(lines, large)
        raise ScenarioError([Problem(kind="bad-toml", what=what, expected=expected, place=place, file=name, line=line)])
    return document, lines


def _bounded(text: str) -> dict[str, Any]:
    """Parse TOML that is not nested too deeply; tomllib takes the square of a dotted key's length."""
    if any(line.count(".") > MAX_DOTS for line in text.splitlines()):
        raise RecursionError
    document = tomllib.loads(text)
    if _depth(document) > MAX_DEPTH:
        raise RecursionError
    return document


def _depth(document: Mapping[str, Any]) -> int:
    """Count the levels of a document, without climbing them by recursion."""
    level: list[Any] = [document]
    depth = 0
    while level and depth <= MAX_DEPTH:
        depth += 1
        below = [item.values() if isinstance(item, dict) else item for item in level]
        level = [item for items in below for item in items if isinstance(item, (dict, list))]
    return depth


def _too_large(value: object, path: Key = ()) -> Iterator[Key]:
    """Find integers beyond what TOML promises to hold."""
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        yield path
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _too_large(item, (*path, str(key)))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _too_large(item, (*path, index))


def loads(text: str, name: str = "") -> Scenario:
    """Load a scenario from its text.

    Parameters
    ----------
    text
        TOML.
    name
        The file's name, for messages.

    Raises
    ------
    ScenarioError
        Listing every mistake at once.

    Examples
    --------
    >>> loads("title = 'x'")
    Traceback (most recent call last):
    ...
    sim.errors.ScenarioError: the file has no 'players'; expected players = …
    the file has no 'state'; expected state = …
    the file has no 'turns'; expected turns = …
    """
    from sim.scenario.context import Context, EnoughError
    from sim.scenario.orders import order_problems
    from sim.scenario.resolve import resolve
    from sim.scenario.validate import validate
    from sim.scenario.variants import variant_problems

    if len(text) > MAX_BYTES:
        what = f"has {len(text):,} characters"
        raise ScenarioError([Problem(kind="too-large", what=what, expected=f"at most {MAX_BYTES:,}", file=name)])
    document, lines = read_toml(text, name)
    shape = validate(document, lines, name)
    problems = list(shape.problems)
    if shape.file is not None:
        context = Context(shape.file, shape.lines, name, shape.doubtful)
        scenario: Scenario | None = None
        with contextlib.suppress(EnoughError):
            scenario = resolve(context, document)
        problems += context.problems
        if scenario is not None and not problems:
            problems += base_problems(scenario)
        if scenario is not None and not problems:
            problems += [*order_problems(scenario), *variant_problems(scenario)]
        if scenario is not None and not problems:
            return scenario
    raise ScenarioError(problems)


def load(path: str | Path) -> Scenario:
    """Load a scenario file.

    Parameters
    ----------
    path
        A TOML file; see the language reference.

    Returns
    -------
    Scenario
        Every name resolved, every type checked.

    Raises
    ------
    ScenarioError
        Listing every mistake of the file at once, each with its line.

    Examples
    --------
    >>> import sim
    >>> load(sim.template()).rounds
    1
    """
    return loads(read_text(path), str(path))


def dump(scenario: Scenario) -> str:
    """Write a scenario as TOML; loading the text gives an equal scenario.

    Examples
    --------
    >>> import sim
    >>> scenario = sim.load(sim.template())
    >>> loads(dump(scenario), scenario.file) == scenario
    True
    """
    import tomli_w

    return tomli_w.dumps(dict(scenario.document))
