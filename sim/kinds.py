"""Named kinds shared by all floors: array aliases and the endings of a solver.

Axis letters, the same in shapes, docstrings and einsum: ``v`` variant, ``n`` node, ``e`` edge, ``a`` action,
``i`` player, ``t`` round, ``r`` rung.
"""

from __future__ import annotations

from enum import Enum
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["Bools", "Floats", "Ints", "Keys", "Status", "frozen"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]
Keys = NDArray[np.int64]
Bools = NDArray[np.bool_]
Kind = TypeVar("Kind", bound=np.generic)


class Status(Enum):
    """How a solver ended; the value advises the user.

    Examples
    --------
    >>> Status.CERTIFIED.certified, Status.NOT_CERTIFIED.certified
    (True, False)
    """

    CERTIFIED = "The referee confirmed the answer."
    LOST = "The branch could not be followed to its end: no certified answer. Try other starts, another rule of selection, or a lower precision."
    NOTHING_FOUND = "No equilibrium was found. Try more points or starts, leave out actions that tie, or give everybody who is indifferent a private number."
    TIME_LIMIT = "Stopped at the time limit with what was found so far; raise time_limit."
    NOT_CERTIFIED = "The referee measured a deviation above the tolerance: the profile is not an answer. Please report the scenario."

    @property
    def certified(self) -> bool:
        """Whether the answer may be used."""
        return self is Status.CERTIFIED


def frozen(array: NDArray[Kind]) -> NDArray[Kind]:
    """Return the array, contiguous and read-only.

    Examples
    --------
    >>> frozen(np.zeros(2)).flags.writeable
    False
    """
    out = np.ascontiguousarray(array)
    out.setflags(write=False)
    return out
