r"""Private types over public histories.

A game with private types is compiled on *public histories*: a node knows, besides the public state, what has been revealed about each
player's type, so that everybody who looks at the node believes the same of everybody else. What was revealed about one player is a
*belief class*: the choice that made it, and the class before. Histories are one node if they share the public state and their belief
classes; a player's class is dropped (-1) where no guard, payoff or probability reads his types any more.

A *lane* is one combination of all players' types. Along a lane the game has no private information, so numbers, profiles and values
of a game with ``s`` lanes are those of ``v * s`` variants of an ordinary game, variant by variant, lane after lane.

Source: Fudenberg, D. & Tirole, J. (1991) Game Theory, section 8.2, multi-stage games with observed actions and incomplete information.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from sim.kinds import Bools, Floats, Ints, Keys

__all__ = ["Types"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Types:
    """Who may be of which type, and what choices reveal.

    Attributes
    ----------
    names : tuple of tuples of str
        The types of each player; one empty text for a player without types.
    privates : tuple of str
        The ids of what is hidden, in the order of the file.
    lane : int array, (s, i)
        Each player's type in each combination.
    prior : float array, (v, s)
        How likely each combination is.
    weight : float array, (e, k)
        Weight of an edge under uniform play for each type of its mover; 0 where that type may not take it.
    node_class : int array, (n, i + 1)
        The belief class of each player's types at each node, -1 where they matter no more; the last column is that of chance, whose
        outcomes may speak of several players' types at once.
    class_player, class_node, class_action : int arrays, (c,)
        Whose types a class is about (i for chance), the node where it was made and the number of the choice there; -1 at the start.
    class_before : int array, (c,)
        The class before; -1 at the start.
    class_possible : int array, (c,)
        The types that the guards of past choices leave possible, as bits.
    independent : bool
        Whether players' types are drawn apart from each other.

    Examples
    --------
    >>> import sim
    >>> game = sim.compile(sim.load("scenarios/entry_deterrence.toml"))
    >>> game.types.names[0], game.types.lanes
    (('weak', 'strong'), 2)
    """

    names: tuple[tuple[str, ...], ...]
    privates: tuple[str, ...]
    lane: Ints
    prior: Floats
    weight: Floats
    node_class: Ints
    class_player: Ints
    class_node: Ints
    class_action: Ints
    class_before: Ints
    class_possible: Keys
    independent: bool = True

    @property
    def lanes(self) -> int:
        """Number of combinations of types s."""
        return len(self.lane)

    @property
    def count(self) -> tuple[int, ...]:
        """How many types each player has."""
        return tuple(len(one) for one in self.names)

    @property
    def classes(self) -> int:
        """Number of belief classes c."""
        return len(self.class_player)

    @property
    def pairs(self) -> int:
        """Number of pairs of a node and a type of a player there: how large the game is."""
        return len(self.node_class) * sum(count for count in self.count if count > 1)

    def marginal(self, player: int) -> Floats:
        """Return the prior of one player's types, (v, k)."""
        out = np.zeros((len(self.prior), self.count[player]))
        for k in range(self.count[player]):
            out[:, k] = self.prior[:, self.lane[:, player] == k].sum(axis=1)
        return out

    def holds(self, player: int, kind: int) -> Bools:
        """Tell in which lanes a player is of a type, (s,)."""
        return self.lane[:, player] == kind

    def take(self, index: slice) -> Types:
        """Return the types of some of the variants."""
        return replace(self, prior=self.prior[index])

    @property
    def nbytes(self) -> int:
        """Memory of all arrays, in bytes."""
        arrays: list[Any] = [getattr(self, name) for name in self.__slots__]  # pyright: ignore[reportAttributeAccessIssue]
        return sum(array.nbytes for array in arrays if isinstance(array, np.ndarray))
