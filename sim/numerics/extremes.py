"""The extreme cardinalisations of an order: everything above some line is worth the best, everything below it the worst.

The corners of the order polytope are the indicators of its up-sets (Stanley 1986). Two of them, all and nothing, tell nobody apart and are
left out, since the worst is worth 0 and the best 1. At a corner members tie that the order parts, so corners are moved inside by a small share.

Source: R. P. Stanley, "Two poset polytopes", Discrete & Computational Geometry 1 (1986), §1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from sim.kinds import Bools, Floats
    from sim.numerics.orders import Poset

__all__ = ["INSIDE", "corners", "up_sets"]

INSIDE = 1e-6
"""How far corners are moved inside."""


def up_sets(order: Poset, most: int) -> Bools | None:
    """List the up-sets of an order, but all and nothing: sets that hold with a member everything better.

    Parameters
    ----------
    order
        The order.
    most
        How many there may be.

    Returns
    -------
    array or None
        Shape (m, n), the smaller first; None if there are more.

    Examples
    --------
    >>> from sim.numerics.orders import Poset
    >>> up_sets(Poset(size=3, above=((0, 1), (0, 2))), 100).astype(int)
    array([[1, 0, 0],
           [1, 1, 0],
           [1, 0, 1]])
    """
    better = [0] * order.size
    for above, below in order.above:
        better[below] |= 1 << above
    layer, found = [0], list[int]()
    for _ in range(order.size - 1):
        larger = {
            mask | 1 << member
            for mask in layer
            for member in range(order.size)
            if not mask >> member & 1 and mask & better[member] == better[member]
        }
        layer = sorted(larger)
        found += layer
        if len(found) > most:
            return None
    return np.array([[mask >> member & 1 for member in range(order.size)] for mask in found], dtype=np.bool_)


def corners(order: Poset, most: int, inner: Floats, inside: float = INSIDE) -> Floats | None:
    """Return the corners of an order polytope, moved inside so that no stated order becomes a tie; the worst 0 and the best 1.

    Parameters
    ----------
    order
        The order.
    most
        How many there may be.
    inner
        Shape (n,): numbers from 0 to 1 that respect the order strictly, towards which corners are moved.
    inside
        By which share.

    Returns
    -------
    array or None
        Shape (m, n); None if there are more.

    Examples
    --------
    >>> from sim.numerics.orders import Poset
    >>> corners(Poset(size=3, above=((0, 1), (1, 2))), 100, np.array([1.0, 0.5, 0.0]), 0.01)
    array([[1.   , 0.005, 0.   ],
           [1.   , 0.995, 0.   ]])
    """
    sets = up_sets(order, most)
    if sets is None:
        return None
    mixed = (1.0 - inside) * sets + inside * np.asarray(inner)
    low, high = mixed.min(axis=1, keepdims=True), mixed.max(axis=1, keepdims=True)
    return (mixed - low) / (high - low)
