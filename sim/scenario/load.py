"""Load a scenario file, or say everything that is wrong with it; and write one back."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.errors import Problem, ScenarioError, did_you_mean
from sim.scenario.places import line_of, lines_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic import BaseModel
    from pydantic_core import ErrorDetails

    from sim.scenario.model import Scenario
    from sim.scenario.places import Path as Key

__all__ = ["MAX_BYTES", "dump", "load", "loads", "read_text", "read_toml", "schema_problems"]

MAX_BYTES = 1_000_000


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
        size = file.stat().st_size
        if file.is_dir():
            problem = Problem(kind="missing-file", what="is a folder", expected="a file", file=name)
            raise ScenarioError([problem])
        if size > MAX_BYTES:
            problem = Problem(
                kind="too-large",
                what=f"has {size:,} bytes",
                expected=f"at most {MAX_BYTES:,}",
                advice="scenarios are written by hand",
                file=name,
            )
            raise ScenarioError([problem])
        raw = file.read_bytes()
    except (OSError, ValueError) as error:
        near = (
            did_you_mean(file.name, [other.name for other in file.parent.glob("*.toml")])
            if file.parent.is_dir()
            else ""
        )
        reason = error.strerror.lower() if isinstance(error, OSError) and error.strerror else "bad file name"
        problem = Problem(kind="missing-file", what=f"cannot be read ({reason})", advice=near, file=name)
        raise ScenarioError([problem]) from None
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        problem = Problem(
            kind="not-utf8",
            what=f"byte {error.start} is not UTF-8",
            advice="save the file as UTF-8",
            file=name,
            line=line,
        )
        raise ScenarioError([problem]) from None


def read_toml(text: str, name: str) -> tuple[dict[str, Any], dict[Key, int]]:
    """Parse TOML and find the line of each key.

    Raises
    ------
    ScenarioError
        With one problem of kind ``bad-toml``.
    """
    try:
        document = tomllib.loads(text)
        return document, lines_of(text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        _, found, place = message.rpartition("(at line ")
        digits = place.split(",")[0]
        line = int(digits) if found and digits.isdigit() else text.count("\n") + 1
        problem = Problem(
            kind="bad-toml",
            what=f"is not TOML: {message}",
            advice="texts need quotes, tables need [brackets]",
            file=name,
            line=line,
        )
    except (RecursionError, ValueError) as error:  # nesting, and integers of thousands of digits
        problem = Problem(
            kind="bad-toml",
            what=f"is not readable TOML ({type(error).__name__})",
            advice="use fewer brackets and shorter numbers",
            file=name,
        )
    raise ScenarioError([problem])


def _known_keys(model: type[BaseModel], path: Key) -> list[str]:
    """List the keys that the table at a path may have."""
    from typing import get_args  # noqa: PLC0415

    from pydantic import BaseModel  # noqa: PLC0415

    current: Any = model
    for part in path:
        if isinstance(current, type) and issubclass(current, BaseModel):
            field = current.model_fields.get(str(part))
            current = field.annotation if field else None
        else:
            current = get_args(current)[-1] if get_args(current) else None
        options = [option for option in get_args(current) if option is not type(None)]
        if len(options) == 1 and not isinstance(part, int):
            current = options[0]
    return list(current.model_fields) if isinstance(current, type) and issubclass(current, BaseModel) else []


def schema_problems(
    errors: list[ErrorDetails], model: type[BaseModel], lines: Mapping[Key, int], name: str
) -> Iterator[Problem]:
    """Translate pydantic's findings into problems with places."""
    for error in errors:
        path: Key = tuple(error["loc"])
        place = ".".join(map(str, path))
        where = ".".join(map(str, path[:-1])) or "the file"
        line = line_of(lines, path)
        last = str(path[-1]) if path else ""
        if error["type"] == "extra_forbidden":
            yield Problem(
                kind="unknown-key",
                what=f"{where} has an unknown key '{last}'",
                advice=did_you_mean(last, _known_keys(model, path[:-1])),
                place=place,
                file=name,
                line=line,
            )
        elif error["type"] == "missing":
            yield Problem(
                kind="missing-key",
                what=f"{where} has no '{last}'",
                expected=f"{last} = …",
                place=place,
                file=name,
                line=line,
            )
        else:
            message = error["msg"].removeprefix("Value error, ")
            found = repr(error.get("input"))
            yield Problem(
                kind="wrong-type",
                what=f"{place} is {found[:40]}{'…' if len(found) > 40 else ''}",
                expected=message[:1].lower() + message[1:],
                place=place,
                file=name,
                line=line,
            )


def _later_words(table: BaseModel, path: Key = ()) -> Iterator[Key]:
    """Find reserved words that the file uses."""
    from pydantic import BaseModel  # noqa: PLC0415

    from sim.scenario.schema import NOT_YET  # noqa: PLC0415

    for name in type(table).model_fields:
        value = getattr(table, name)
        if name in NOT_YET and value is not None and value != "finite":
            yield (*path, name)
            continue
        children: list[tuple[Key, Any]] = [((*path, name), value)]
        if isinstance(value, dict):
            children = [((*path, name, key), item) for key, item in value.items()]  # pyright: ignore[reportUnknownVariableType]
        elif isinstance(value, list):
            children = [((*path, name, index), item) for index, item in enumerate(value)]  # pyright: ignore[reportUnknownVariableType,reportUnknownArgumentType]
        for key, item in children:
            if isinstance(item, list):  # chance.event is a list of cases
                for index, case in enumerate(item):  # pyright: ignore[reportUnknownVariableType,reportUnknownArgumentType]
                    if isinstance(case, BaseModel):
                        yield from _later_words(case, (*key, index))
            elif isinstance(item, BaseModel):
                yield from _later_words(item, key)


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
    from pydantic import ValidationError  # noqa: PLC0415

    from sim.scenario.resolve import Resolver  # noqa: PLC0415
    from sim.scenario.schema import NOT_YET, ScenarioFile  # noqa: PLC0415

    if len(text) > MAX_BYTES:
        problem = Problem(
            kind="too-large", what=f"has {len(text):,} characters", expected=f"at most {MAX_BYTES:,}", file=name
        )
        raise ScenarioError([problem])
    document, lines = read_toml(text, name)
    try:
        file = ScenarioFile.model_validate(document)
    except ValidationError as error:
        raise ScenarioError(schema_problems(error.errors(include_url=False), ScenarioFile, lines, name)) from None
    later = [
        Problem(
            kind="not-yet",
            what=f"{'.'.join(map(str, path))} uses {NOT_YET[str(path[-1])]}, which this version knows but cannot do yet",
            advice="remove it, or wait for a later version",
            place=".".join(map(str, path)),
            file=name,
            line=line_of(lines, path),
        )
        for path in _later_words(file)
    ]
    if later:
        raise ScenarioError(later)
    resolver = Resolver(file, document, lines, name)
    scenario = resolver.scenario()
    if scenario is None:
        raise ScenarioError(resolver.problems)
    return scenario


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
    import tomli_w  # noqa: PLC0415

    return tomli_w.dumps(dict(scenario.document))
