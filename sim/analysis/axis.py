"""One assumption, or the precision, along which something is searched: shares of its range and values."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sim.analysis.factors import factor_of
from sim.errors import OptionError
from sim.kinds import frozen
from sim.scenario.values import assumption_values
from sim.solve.registry import option_names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sim.analysis.factors import Factor
    from sim.analysis.survey import Case
    from sim.kinds import Floats
    from sim.scenario.model import Scenario

__all__ = ["PRECISIONS", "Axis", "axis_of"]

PRECISIONS = (0.01, 100.0)
"""The range of the precision where none is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """What is varied, over which range.

    Attributes
    ----------
    factor
        Its range and scale.
    base
        Its value where nothing varies, if it has one.

    Examples
    --------
    >>> from sim.analysis.factors import Factor
    >>> axis = Axis(factor=Factor(name="precision", low=0.01, high=100.0, scale="log"))
    >>> float(axis.value(0.5)), axis.share(1.0)
    (1.0, 0.5)
    """

    factor: Factor
    base: float | None = None

    @property
    def name(self) -> str:
        """What is varied."""
        return self.factor.name

    @property
    def low(self) -> float:
        """The lower end of the range."""
        return float(self.factor.low)

    @property
    def high(self) -> float:
        """The upper end of the range."""
        return float(self.factor.high)

    @property
    def log(self) -> bool:
        """Whether shares of the range go by ratio."""
        return self.factor.scale == "log"

    def values(self, share: Floats) -> Floats:
        """Return the values at shares of the range, (v,)."""
        return frozen(self.factor.values(share.reshape(-1, 1))[self.name])

    def value(self, share: float) -> float:
        """Return the value at one share of the range."""
        import numpy as np

        return float(self.values(np.array([share]))[0])

    def share(self, value: float) -> float:
        """Return which share of the range lies below a value."""
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def facts(self) -> dict[str, Any]:
        """Return what a record says of it."""
        scale = "log" if self.log else "linear"
        return {"name": self.name, "low": self.low, "high": self.high, "scale": scale, "base": self.base}


def axis_of(
    scenario: Scenario,
    case: Case,
    name: str,
    ends: Sequence[float] | None,
    scale: str,
    *,
    concept: str,
    options: Mapping[str, Any],
) -> Axis:
    """Make the axis of an assumption or of the precision.

    Parameters
    ----------
    scenario, case, concept, options
        What is solved, and how.
    name
        An assumption with a range, or ``precision``.
    ends
        The part of the range to search; all of it by default.
    scale
        ``linear`` or ``log``; by default ``log`` for the precision.

    Raises
    ------
    OptionError
        For an unknown name, one without a range, whole numbers or labels only, and a precision that the concept does not take.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.survey import Case
    >>> axis_of(sim.load(sim.template()), Case(), "prize", None, "", concept="subgame_perfect", options={}).high
    10.0
    """
    if name == "precision":
        if "precision" not in option_names(concept):
            raise OptionError(f"{concept} takes no precision, and it is to be varied; ask for quantal_response")
        ends = ends or PRECISIONS
        spec: Any = {"from": float(ends[0]), "to": float(ends[1]), "scale": scale or "log"}
        given = options.get("precision")
        base = float(given) if isinstance(given, (int, float)) else None
        return Axis(factor=factor_of(scenario, name, spec, others=("precision",)), base=base)
    assumption = scenario.assumptions.get(name)
    spec = None
    if ends is not None or (scale and assumption and assumption.range):
        low, high = ends if ends is not None else (assumption.range or (0.0, 0.0) if assumption else (0.0, 0.0))
        spec = {"from": float(low), "to": float(high), "scale": scale or "linear"}
    factor = factor_of(scenario, name, spec)
    if factor.choices or factor.order is not None or factor.scale == "integer":
        raise OptionError(
            f"'{name}' takes single values only, and a threshold is searched in a range; vary it in a grid instead"
        )
    return Axis(factor=factor, base=float(assumption_values(scenario, case.set)[name][0]))
