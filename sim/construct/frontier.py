"""Many states at once: the values of their variables, and the frontiers on which they wait to become nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.errors import Problem
from sim.game.graph import CHANCE
from sim.scenario.evaluate import undefined
from sim.scenario.places import line_of
from sim.scenario.tree import DIVISIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.construct.codec import Codec
    from sim.kinds import Bools, Floats, Keys
    from sim.scenario.model import Action, Branch, Case, Scenario
    from sim.scenario.tree import Expression

__all__ = ["Block", "Frontier", "LabelSource", "Option", "View", "fault", "locate"]


def locate(scenario: Scenario, place: str, kind: str, what: str, expected: str = "", advice: str = "") -> Problem:
    """Make a problem that points at a key of the scenario's file."""
    path = tuple(int(part) if part.isascii() and part.isdigit() else part for part in place.split("."))
    return Problem(
        kind=kind,
        what=what,
        expected=expected,
        advice=advice,
        place=place,
        file=scenario.file,
        line=line_of(scenario.places, path),
    )


def fault(expression: Expression, view: View, shape: tuple[int, ...]) -> tuple[tuple[int, ...], str, str] | None:
    """Find the first place where an expression has no value.

    Returns
    -------
    tuple or None
        The place in an array of the given shape, the kind of the problem, and what the expression does there.
    """
    if not expression.partial:
        return None
    bad = np.broadcast_to(undefined(expression.node, view), shape)
    if not bad.any():
        return None
    place = tuple(int(index) for index in np.argwhere(bad)[0])
    if np.broadcast_to(undefined(expression.node, view, DIVISIONS), shape)[place]:
        return place, "division-by-zero", "divides by zero"
    return place, "non-finite", "takes a root, logarithm or power that does not exist"


class View(Mapping[str, Any]):
    """Values of names on many states at once; columns are decoded when first read.

    Parameters
    ----------
    codec, codes
        The states, as codes.
    constants
        Names that have one value, or one for each variant, in all states.
    parent
        A view that holds these states among others, and their places in it: its columns are used.
    """

    def __init__(
        self, codec: Codec, codes: Keys, constants: Mapping[str, Any], parent: tuple[View, Any] | None = None
    ) -> None:
        self.codec, self.codes, self.constants, self.parent = codec, codes, constants, parent
        self.columns: dict[str, Floats] = {}

    def __getitem__(self, name: str) -> Any:
        """Return a constant or a column of shape ``(states,)``."""
        if name in self.constants:
            return self.constants[name]
        if name not in self.columns:
            self.columns[name] = (
                self.parent[0][name][self.parent[1]] if self.parent else self.codec.column(self.codes, name)
            )
        return self.columns[name]

    def __iter__(self) -> Iterator[str]:
        """Iterate over all readable names."""
        return iter((*self.constants, *self.codec.by_id))

    def __len__(self) -> int:
        """Count the readable names."""
        return len(self.constants) + len(self.codec.by_id)

    def part(self, chosen: Any) -> View:
        """Return the view of some of the states."""
        return View(self.codec, self.codes[chosen], self.constants, (self, chosen))

    def with_constants(self, more: Mapping[str, Any]) -> View:
        """Return the view with more constants, sharing the columns."""
        if not more:
            return self
        view = View(self.codec, self.codes, {**self.constants, **more}, self.parent)
        view.columns = self.columns
        return view


class Frontier:
    """States waiting to become nodes."""

    def __init__(self, *, merge: bool = True) -> None:
        self.merge = merge
        self.pending: list[Keys] = []
        self.count = 0
        self.target = np.empty(0, np.int64)
        self.inverse = np.empty(0, np.int64)
        self.next: Frontier | None = None

    def push(self, keys: Keys) -> int:
        """Add states; return the position of the first."""
        self.pending.append(keys)
        self.count += len(keys)
        return self.count - len(keys)

    def close(self) -> Keys:
        """Merge equal states and return them in order of their codes."""
        keys = np.concatenate(self.pending) if self.pending else np.empty(0, np.int64)
        self.pending = []
        if not self.merge:
            self.inverse = np.arange(len(keys))
            return keys
        unique = np.unique(keys)
        self.inverse = np.searchsorted(unique, keys).astype(np.int32)
        return unique

    def resolve(self) -> None:
        """Replace references to the next frontier by node numbers; the next frontier must be resolved already."""
        if self.next is not None:
            waiting = self.target < 0
            self.target[waiting] = self.next.target[self.next.inverse[-self.target[waiting] - 1]]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelSource:
    """What an edge label came from: who moves, and the expressions that give its payments and probabilities."""

    action: Action | None = None
    branch: Branch | None = None
    case: Case | None = None
    player: int = CHANCE


@dataclass(slots=True, kw_only=True)
class Block:
    """The edges that leave one layer, in the order of its nodes; ``which`` of the ``frontiers`` each leads to, and where there.

    ``able`` has a bit for each type of the mover who may take the edge; None if all may.
    """

    degree: Keys
    label: Any
    weight: Floats | None
    position: Any
    which: Any
    frontiers: tuple[Frontier, ...]
    able: Keys | None = None


@dataclass(slots=True, kw_only=True)
class Option:
    """One action, or one outcome of chance, at one layer: where it is available and where it leads.

    Attributes
    ----------
    label, group
        Its edge label, and the group whose weight it shares.
    where
        The states of the layer where it is available: a slice, or their places.
    frontier, position, count
        Which frontier it leads to, the place of its first state there, and how many they are.
    keys
        The states it leads to.
    clipped
        Where a value was clipped on the way, or None.
    weight
        Its weight where it is available, if its group does not say it.
    able
        Which types of the mover may take it where it is available, as bits; None if all may.
    """

    label: int
    group: str
    where: Any
    frontier: int
    position: int
    count: int
    keys: Keys
    clipped: Bools | None = None
    weight: Floats | None = None
    able: Keys | None = None
