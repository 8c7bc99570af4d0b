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
        if isinstance(value, str):
            labels = [str(label) for label in array[name].values]
            if value not in labels:
                raise OptionError(f"{name} has no '{value}'; known: {', '.join(labels)}")
            array = array.isel({name: labels.index(value)})
        else:
            array = array.isel({name: int(np.abs(array[name].values.astype(float) - float(value)).argmin())})
    return array.squeeze(drop=True)


def crossings(x: Any, y: Any, level: float) -> list[tuple[float, float]]:
    """Find every interval of a grid in which a curve crosses a level.

    Parameters
    ----------
    x, y
        Grid and values, shape (k,).
    level
        A value equal to the level counts as above it.

    Returns
    -------
    list of pairs
        The grid points on either side of each crossing.

    Examples
    --------
    >>> crossings([0, 1, 2, 3], [0, 0, 1, 0], 0.5)
    [(1.0, 2.0), (2.0, 3.0)]
    """
    above = np.asarray(y, dtype=float) >= level
    grid = np.asarray(x, dtype=float)
    return [(float(grid[k]), float(grid[k + 1])) for k in np.flatnonzero(above[1:] != above[:-1])]


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
    return float({"mean": np.nanmean, "min": np.nanmin, "max": np.nanmax}[fact.reduce](values))


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
        return value
    if isinstance(value, list):
        if value and all(isinstance(one, (list, tuple)) for one in value):
            return " and ".join(f"{(low + high) / 2:.3g} (between {low:.3g} and {high:.3g})" for low, high in value)
        return " and ".join(one if isinstance(one, str) else f"{one:.3g}" for one in value) or "nowhere in the range"
    if fact.words:
        return fact.words[int(value >= fact.level)]
    return f"{value:.3g}" if np.isfinite(value) else "undefined"


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
        if not form or not isinstance(value, (int, float)) or not np.isfinite(value):
            return text
        return format(value, form[1:])

    return re.sub(r"\{(\w+)(:[-+]?\.?\d*[%fge]?)?\}", fill, " ".join(answer.sentence.split()))
