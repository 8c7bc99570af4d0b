"""What pydantic found, in our words."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any, get_args

from sim.errors import Problem, did_you_mean
from sim.scenario.places import line_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pydantic import BaseModel
    from pydantic_core import ErrorDetails

    from sim.scenario.places import Path

__all__ = ["known_keys", "schema_problems"]

MOST_SHOWN = 40  # characters of a value that a message repeats
EXPECTED = {
    "int_type": "a whole number",
    "float_type": "a number",
    "string_type": "a text in quotes",
    "bool_type": "true or false",
    "list_type": "a list in [brackets]",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "literal_error": "{expected}",
    "greater_than_equal": "at least {ge}",
    "less_than_equal": "at most {le}",
    "too_short": "{field_type} of at least {min_length}",
    "too_long": "{field_type} of at most {max_length}",
}
"""What pydantic's kinds of errors ask for, in our words."""


def _shown(value: object) -> str:
    """Write what was found, briefly."""
    text = repr(value)
    return text[:MOST_SHOWN] + ("…" if len(text) > MOST_SHOWN else "")


def _plain(kind: Any) -> Any:
    """Take ``None`` out of an optional type."""
    options = [option for option in get_args(kind) if option is not type(None)]
    return options[0] if type(None) in get_args(kind) and len(options) == 1 else kind


def known_keys(model: type[BaseModel], path: Path) -> list[str]:
    """List the keys that the table at a path may have.

    Examples
    --------
    >>> from sim.scenario.schema import ScenarioFile
    >>> known_keys(ScenarioFile, ("clock",)), known_keys(ScenarioFile, ("turns", 0))[:2]
    (['starts'], ['player', 'chance'])
    """
    from pydantic import BaseModel

    current: Any = model
    for part in path:
        current = _plain(current)
        if isinstance(current, type) and issubclass(current, BaseModel):
            field = current.model_fields.get(str(part))
            current = field.annotation if field else None
        else:  # a list, or a table whose keys are ids
            current = (*get_args(current), None)[-2] if get_args(current) else None
    current = _plain(current)
    return list(current.model_fields) if isinstance(current, type) and issubclass(current, BaseModel) else []


def _near(path: Path, misspelt: list[Path]) -> bool:
    """Tell whether one of the misspelt keys of the same table may stand for a key."""
    words = [str(other[-1]) for other in misspelt if other[:-1] == path[:-1]]
    return bool(difflib.get_close_matches(str(path[-1]), words))


def schema_problems(
    errors: list[ErrorDetails], model: type[BaseModel], lines: Mapping[Path, int], name: str
) -> Iterator[Problem]:
    """Translate pydantic's findings into problems with places.

    Parameters
    ----------
    errors
        What ``ValidationError.errors()`` lists.
    model
        The model of the whole file.
    lines, name
        The line of each key, and the file's name.
    """
    misspelt = [tuple(error["loc"]) for error in errors if error["type"] == "extra_forbidden"]
    for error in errors:
        path: Path = tuple(error["loc"])
        if error["type"] == "missing" and _near(path, misspelt):
            continue  # the unknown key says it
        if path and path not in lines and path[-1] == "payoff":  # each_round = "…" stands for a table of one term
            path = path[:-1]
        where = ".".join(map(str, path[:-1])) or "the file"
        last = str(path[-1]) if path else ""
        place = ".".join(map(str, path))
        found = error.get("input")
        kind, what, expected, advice = "wrong-type", f"{place} is {_shown(found)}", "", ""
        if error["type"] == "extra_forbidden":
            kind, what = "unknown-key", f"{where} has an unknown key '{last:.60}'"
            advice = did_you_mean(last, known_keys(model, path[:-1]))
        elif error["type"] == "missing":
            kind, what, expected = "missing-key", f"{where} has no '{last}'", f"{last} = …"
        else:
            words = {"field_type": "a list", **error.get("ctx", {})}
            template = EXPECTED.get(error["type"], error["msg"].removeprefix("Value error, "))
            expected = template.format(**words).replace("Dictionary of", "a table of").replace("List of", "a list of")
            if error["type"] in ("greater_than_equal", "less_than_equal"):
                kind = "outside-range"
            elif error["type"] == "too_short" and not found:
                kind = "empty"
        line = line_of(lines, path)
        yield Problem(kind=kind, what=what, expected=expected, advice=advice, place=place, file=name, line=line)
