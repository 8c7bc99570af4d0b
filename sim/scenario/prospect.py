"""How a player evaluates chance: the table ``prospect`` of a player, its defaults and its ranges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sim.scenario.context import Context
    from sim.scenario.places import Path
    from sim.scenario.schema import PlayerTable
    from sim.scenario.tree import Expression

__all__ = ["PARAMETERS", "Parameter", "read_prospect"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One number of cumulative prospect theory: its key, from where to where it may go, and why."""

    key: str
    low: float
    high: float
    why: str

    def holds(self, value: float) -> bool:
        """Tell whether a value is in range.

        Examples
        --------
        >>> [PARAMETERS[2].holds(power) for power in (0.61, 0.2, 1.5, float("nan"))]
        [True, False, False, False]
        """
        return self.low <= value <= self.high

    @property
    def expected(self) -> str:
        """Say what is expected."""
        return f"a number from {self.low:g} to {self.high:g}"


PARAMETERS = (
    Parameter(key="curvature", low=0.1, high=1.0, why="1 values gains and losses in proportion"),
    Parameter(key="loss_aversion", low=0.001, high=1000.0, why="1 feels losses as gains"),
    Parameter(key="gains", low=0.28, high=1.0, why="1 takes probabilities as they are; below 0.28 the weight would fall where probability rises"),
    Parameter(key="losses", low=0.28, high=1.0, why="1 takes probabilities as they are; below 0.28 the weight would fall where probability rises"),
)  # fmt: skip
"""The numbers, in the order of :data:`sim.numerics.prospect.MEDIANS`."""


def read_prospect(context: Context, name: str, table: PlayerTable) -> Mapping[str, Expression]:
    """Read how a player evaluates chance; empty if by expectation.

    Parameters
    ----------
    context
        The file, and the place for mistakes.
    name, table
        The player.
    """
    if table.prospect is None:
        return {}
    path: Path = ("players", name, "prospect")
    found: dict[str, Expression] = {}
    for one in PARAMETERS:
        here = (*path, one.key)
        text = getattr(table.prospect, one.key)
        noted = len(context.problems)
        expression = context.read(text, here, f"{one.key} of {name}", context.value_scope, "number")
        constant = expression.constant if len(context.problems) == noted else None
        if constant is not None and not one.holds(constant):
            what = f"{one.key} of {name} is {constant:g}"
            context.note(here, "outside-range", what, one.expected, one.why)
        found[one.key] = expression
    who = f"{name} evaluates chance by prospect theory"
    if context.endless:
        what = f"{who}, which is not done where the horizon is infinite"
        context.note(path, "prospect", what, advice="give the game rounds, or remove the key")
    if any(turn.simultaneous for turn in context.file.turns):
        what = f"{who}, which is not done where players choose at once: a mixed choice is no chance event"
        context.note(path, "prospect", what, advice="let them move one after the other, or remove the key")
    return found
