"""What findings about many variants share: what varies and around which base, asking row by row in pieces, shares with intervals, plain data."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from sim.analysis.designs import varied
from sim.analysis.factors import factor_of
from sim.analysis.survey import GAME_KEYS, OPTION_KEYS
from sim.errors import OptionError
from sim.scenario.values import assumption_values, show_assumption, structural

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sim.analysis.factors import Column, Factor
    from sim.analysis.grids import Design
    from sim.analysis.survey import Case
    from sim.kinds import Floats
    from sim.numerics.orders import Measure
    from sim.scenario.model import Scenario

__all__ = [
    "Asks",
    "Share",
    "answers_of",
    "base_of",
    "factor_facts",
    "factors_of",
    "finite",
    "holds_at",
    "in_one",
    "interval_of",
    "row_of",
    "told",
]

CHUNK = 2**14
"""Rows that are asked at once, where nothing that shapes the game varies."""

SAME = 1e-9
"""Answers closer to a level than this share of their distance from it count as at the level, as ties do in a game."""


class Asks(Protocol):
    """What answers: an :class:`sim.analysis.asker.Asker`, or in tests a function that is known.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.asker import Asker
    >>> ask: Asks = Asker(scenario=sim.load(sim.template()), questions=("war",))
    """

    def all(self, columns: Mapping[str, Any], count: int | None = None) -> Floats:
        """Return the answers to all questions, (q, v)."""
        ...


# -- what varies ----------------------------------------------------------------------------------------------------------


def factors_of(scenario: Scenario, case: Case, vary: Any = "all", measure: Measure = "uniform") -> tuple[Factor, ...]:
    """Return what varies; ``"all"`` leaves out what the case sets.

    Parameters
    ----------
    scenario
        A loaded scenario.
    case
        Which game is played.
    vary
        As in a ``[[designs]]`` table: ``"all"``, names, or a table from names to ranges.
    measure
        Of orders.

    Raises
    ------
    OptionError
        Where nothing varies, and where something is set and varied.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.survey import Case
    >>> [factor.name for factor in factors_of(sim.load(sim.template()), Case(set={"prize": 2}))]
    ['cost_of_war']
    """
    others = (*OPTION_KEYS, *GAME_KEYS)
    found = tuple(
        factor_of(scenario, name, spec, measure=measure, others=others)
        for name, spec in varied(scenario, vary).items()
        if vary != "all" or not _set(scenario, name, case)
    )
    if not found:
        raise OptionError(
            "nothing varies: no assumption with a range or choices is left, and no order; expected vary = { name = [low, high] }"
        )
    for factor in found:
        both = [name for name in factor.names if name in case.set]
        if both:
            raise OptionError(f"'{both[0]}' is both set and varied; leave one of them out")
    return found


def _set(scenario: Scenario, name: str, case: Case) -> bool:
    """Tell whether a case sets an assumption, or a member of an order."""
    members = next((order.members for order in scenario.orders if order.id == name), (name,))
    return any(member in case.set for member in members)


def base_of(
    scenario: Scenario, case: Case, factors: Sequence[Factor], options: Mapping[str, Any] | None = None
) -> dict[str, float | str]:
    """Return the value of everything that varies where nothing does; of what is no assumption, the option or its first value.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.survey import Case
    >>> scenario = sim.load(sim.template())
    >>> base_of(scenario, Case(), factors_of(scenario, Case(), ["prize"]))
    {'prize': 2.0}
    """
    found = assumption_values(scenario, case.set)
    out: dict[str, float | str] = {}
    for factor in factors:
        for name in factor.names:
            first = (options or {}).get(name, factor.ends()[0][1][name])
            known = name in found
            out[name] = show_assumption(scenario.assumptions[name], float(found[name][0])) if known else first
    return out


def in_one(scenario: Scenario, factors: Sequence[Factor]) -> bool:
    """Tell whether all variants must be asked at once, because what varies shapes the game and variants are grouped by it.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.survey import Case
    >>> scenario = sim.load(sim.template())
    >>> in_one(scenario, factors_of(scenario, Case()))
    False
    """
    shaping = {*structural(scenario), *GAME_KEYS}
    return any(name in shaping for factor in factors for name in factor.names)


def factor_facts(scenario: Scenario, factor: Factor) -> dict[str, Any]:
    """Describe what varies as plain data: its name, note and values.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.survey import Case
    >>> scenario = sim.load(sim.template())
    >>> factor_facts(scenario, factors_of(scenario, Case(), ["prize"])[0])["range"]
    [0.0, 10.0]
    """
    order = factor.order
    note = order.note if order else getattr(scenario.assumptions.get(factor.name), "note", "")
    return {
        "name": factor.name,
        "note": note,
        "range": None if factor.choices else [float(factor.low), float(factor.high)],
        "scale": factor.scale,
        "choices": list(factor.choices),
        "members": list(order.members) if order else [],
        "measure": factor.measure if order else None,
    }


# -- asking ---------------------------------------------------------------------------------------------------------------


def answers_of(
    ask: Asks, design: Design, *, whole: bool = False, progress: Callable[[int], None] | None = None
) -> Floats:
    """Ask about all rows of a design, piece by piece unless it must be at once; the pieces never change the answers.

    Returns
    -------
    array
        Shape (q, v); NaN where a variant is not certified.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.asker import Asker
    >>> from sim.analysis.grids import Grid
    >>> ask = Asker(scenario=sim.load(sim.template()), questions=("war", "value_challenger"))
    >>> answers_of(ask, Grid(axes={"prize": [1, 4]})).shape
    (2, 2)
    """
    step = design.count if whole else CHUNK
    parts: list[Floats] = []
    for start in range(0, design.count, step):
        stop = min(start + step, design.count)
        parts.append(ask.all(design.rows(start, stop), stop - start))
        if progress:
            progress(stop - start)
    return np.concatenate(parts, axis=1)


def holds_at(answers: Floats, level: float, side: str) -> tuple[Any, Any]:
    """Tell which answers are at or above a level (``above``), or at or below it, and which are at it; NaN, no answer, is neither.

    An infinite answer, as the log-likelihood of what cannot happen, is compared like any other; it does not say which answers are near.

    Examples
    --------
    >>> found, at = holds_at(np.array([0.0, 1.0, -1.0, np.nan, -1e-17, -np.inf]), 0.0, "above")
    >>> found.tolist(), at.tolist()
    ([True, True, False, False, True, False], [True, False, False, False, True, False])
    """
    gap = answers - level
    bounded = np.isfinite(gap)
    scale = float(np.abs(gap[bounded]).max()) if bounded.any() else 0.0
    near = bounded & (np.abs(np.where(bounded, gap, np.inf)) <= SAME * scale)
    return near | ((gap > 0) if side == "above" else (gap < 0)), near


# -- shares ---------------------------------------------------------------------------------------------------------------


def interval_of(share: float, size: float, level: float = 0.95) -> tuple[float, float]:
    """Return Wilson's interval of a share among ``size`` independent draws (Wilson 1927).

    Examples
    --------
    >>> [round(end, 3) for end in interval_of(0.5, 100)], interval_of(0.0, 100)[0]
    ([0.404, 0.596], 0.0)
    """
    from scipy.special import ndtri

    z2 = float(ndtri(0.5 + level / 2)) ** 2
    middle = (share + z2 / (2 * size)) / (1 + z2 / size)
    half = math.sqrt(z2 * (share * (1 - share) / size + z2 / (4 * size * size))) / (1 + z2 / size)
    return (0.0 if share <= 0 else max(0.0, middle - half), 1.0 if share >= 1 else min(1.0, middle + half))


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A share of draws, with its error.

    Attributes
    ----------
    hits, draws
        How many of how many.
    size
        To how many independent draws they amount.

    Examples
    --------
    >>> round(Share(hits=25, draws=100, size=100.0).error, 4)
    0.0433
    """

    hits: int
    draws: int
    size: float

    @property
    def share(self) -> float:
        """The share; NaN of nothing."""
        return self.hits / self.draws if self.draws else math.nan

    @property
    def error(self) -> float:
        """Its standard error; NaN of nothing."""
        return math.sqrt(self.share * (1 - self.share) / self.size) if self.draws else math.nan

    def record(self) -> dict[str, Any]:
        """Return all of it as plain data."""
        interval = list(interval_of(self.share, self.size)) if self.draws else None
        told_ = {"share": finite(self.share), "error": finite(self.error), "interval": interval}
        return {**told_, "hits": self.hits, "draws": self.draws, "effective": self.size}


# -- plain data -----------------------------------------------------------------------------------------------------------


def finite(value: Any) -> float | None:
    """Return a plain number, or None for what is not finite.

    Examples
    --------
    >>> finite(np.float64(0.5)), finite(np.nan)
    (0.5, None)
    """
    return float(value) if math.isfinite(value) else None


def told(value: Any) -> Any:
    """Turn arrays and numbers into what JSON holds; what is not finite becomes None.

    Examples
    --------
    >>> told({"a": np.array([1.0, np.nan]), "b": (np.int64(2), True)})
    {'a': [1.0, None], 'b': [2, True]}
    """
    if isinstance(value, dict):
        return {str(name): told(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [told(one) for one in value]
    if isinstance(value, np.ndarray):
        return told(value.tolist())
    if isinstance(value, np.generic):
        return told(value.item())
    return finite(value) if isinstance(value, float) else value


def row_of(columns: Mapping[str, Column], row: int) -> dict[str, float | str]:
    """Return one row of columns as plain values.

    Examples
    --------
    >>> row_of({"a": np.array([1.0, 2.0])}, 1)
    {'a': 2.0}
    """
    return {name: told(values[row]) for name, values in columns.items()}
