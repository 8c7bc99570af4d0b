"""Sentences computed from data: facts reduced from a dataset, and a template that they fill."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.errors import OptionError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xarray as xr

    from sim.analysis.plan import Answer, Fact

__all__ = ["crossings", "facts", "pick", "sentence"]


def pick(array: xr.DataArray, where: dict[str, Any]) -> xr.DataArray:
    """Select labels exactly and numbers by the nearest grid point; dimensions of length one are dropped.

    Raises
    ------
    OptionError
        For a label that the dimension does not have.
    """
    for name, value in where.items():
        place = array[name]
        if isinstance(value, str):
            labels = [str(label) for label in place.values]
            if value not in labels:
                raise OptionError(f"{name} has no '{value}'; known: {', '.join(dict.fromkeys(labels))}")
            found = np.flatnonzero(np.array(labels) == value)
        else:
            numbers = place.values.astype(float)
            found = np.flatnonzero(numbers == numbers[np.abs(numbers - float(value)).argmin()])
        alone = place.dims == (name,)  # else a coordinate along the variants: all that have the value
        array = array.isel({place.dims[0]: int(found[0]) if alone else found})
    return array.squeeze(drop=True)


def crossings(x: Any, y: Any, level: float) -> list[tuple[float, float]]:
    """Find every interval of a grid in which a curve crosses a level.

    Parameters
    ----------
    x, y
        Grid and values, shape (k,).
    level
        A value equal to the level counts as above it; next to a value that is not known nothing is said to cross.

    Returns
    -------
    list of pairs
        The grid points on either side of each crossing.

    Examples
    --------
    >>> crossings([0, 1, 2, 3], [0, 0, 1, 0], 0.5)
    [(1.0, 2.0), (2.0, 3.0)]
    """
    values, grid = np.asarray(y, dtype=float), np.asarray(x, dtype=float)
    above, known = values >= level, np.isfinite(values)
    crossed = (above[1:] != above[:-1]) & known[1:] & known[:-1]  # what is not known lies on no side
    return [(float(grid[k]), float(grid[k + 1])) for k in np.flatnonzero(crossed)]


def _value(fact: Fact, dataset: xr.Dataset, where: dict[str, Any]) -> Any:
    """Reduce a dataset to one fact."""
    array = pick(dataset[fact.of], where)
    if fact.reduce == "crossings":
        if array.dims != (fact.along,):
            raise OptionError(
                f"fact of {fact.of}: crossings along '{fact.along}' need every other dimension fixed by where; left: {', '.join(map(str, array.dims))}"
            )
        return crossings(array[fact.along].values, array.values, fact.level)
    if fact.reduce == "argmax":
        if array.dims != (fact.along,):
            raise OptionError(
                f"fact of {fact.of}: argmax along '{fact.along}' needs every other dimension fixed by where"
            )
        if array[fact.along].dtype.kind not in "fiub":
            raise OptionError(f"fact of {fact.of}: argmax along '{fact.along}' needs numbers there, not labels")
        if np.isnan(array.values).all():
            return float("nan")
        return float(array[fact.along].values[int(np.nanargmax(array.values))])
    if fact.reduce == "value":
        if array.ndim:
            raise OptionError(
                f"fact of {fact.of}: a single value needs every dimension fixed by where; left: {', '.join(map(str, array.dims))}"
            )
        return float(array)
    values = array.values.astype(float).ravel()
    known = values[~np.isnan(values)]  # what is not certified is neither above nor below
    if fact.reduce in ("share", "below") and not len(known):
        return float("nan")
    if fact.reduce == "share":
        return float((known >= fact.level).mean())
    if fact.reduce == "below":
        return float((known < fact.level).mean())
    if fact.reduce == "count":
        return float((values >= fact.level).sum())
    if not len(known):
        return float("nan")
    return float({"mean": np.mean, "min": np.min, "max": np.max}[fact.reduce](known))


def _told(fact: Fact, findings: Mapping[str, Any]) -> Any:
    """Take a fact from the record of a finding."""
    name, _, key = fact.of.partition(".")
    told = findings[name]["facts"]
    if key not in told:
        raise OptionError(f"finding {name} tells no '{key}'; {did_you_mean(key, told)}")
    value = told[key]
    return float("nan") if value is None else value


def _text(fact: Fact, value: Any) -> str:
    """Write a fact."""
    if isinstance(value, str):
        return value.replace("_", " ")  # a name, as one reads it
    if isinstance(value, list):
        return " and ".join(_one(item) for item in value) or "nowhere in the range"
    if not np.isfinite(value):
        return "undefined"
    if fact.words:
        return fact.words[int(value >= fact.level)]
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.3g}"


def _one(item: Any) -> str:
    """Write one item of a list: an interval, a number, a word."""
    if isinstance(item, (list, tuple)):
        low, high = item
        return f"{(low + high) / 2:.3g} (between {low:.3g} and {high:.3g})"
    return item.replace("_", " ") if isinstance(item, str) else "undefined" if item is None else f"{item:.3g}"


def facts(answer: Answer, dataset: xr.Dataset, findings: Mapping[str, Any] | None = None) -> dict[str, tuple[Any, str]]:
    """Compute all facts, from the dataset and from the records of findings.

    Returns
    -------
    dict
        Each fact's value and its text.
    """
    out: dict[str, tuple[Any, str]] = {}
    for name, fact in answer.facts.items():
        if findings and fact.of.partition(".")[0] in findings:
            value = _told(fact, findings)
            out[name] = value, _text(fact, value)
            continue
        value = _value(fact, dataset, fact.where)
        if fact.minus is not None:
            if fact.reduce == "crossings":
                raise OptionError(f"fact {name}: crossings cannot be subtracted; leave minus out")
            value = value - _value(fact, dataset, {**fact.where, **fact.minus})
        out[name] = value, _text(fact, value)
    return out


def sentence(answer: Answer, dataset: xr.Dataset, findings: Mapping[str, Any] | None = None) -> str:
    """Fill the sentence with facts; ``{name}`` or ``{name:.0%}``.

    Raises
    ------
    OptionError
        For a name that is not a fact, or a format that does not fit.
    """
    found = facts(answer, dataset, findings)

    def fill(match: re.Match[str]) -> str:
        name, form = match[1], match[2]
        if name not in found:
            raise OptionError(f"the answer's sentence names '{name}', which is not among its facts: {', '.join(found)}")
        value, text = found[name]
        if not form or isinstance(value, bool) or not isinstance(value, (int, float)) or not np.isfinite(value):
            return text
        return format(value, form[1:])

    return re.sub(r"\{(\w+)(:[-+]?\.?\d*[%fge]?)?\}", fill, " ".join(answer.sentence.split()))
