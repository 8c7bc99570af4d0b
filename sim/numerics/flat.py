"""Flat results of many questions, with offsets: those of question v stand at ``offsets[v]`` to ``offsets[v + 1] - 1``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from sim.kinds import Floats, Keys

__all__ = ["DOUBTFUL", "INFINITE", "STATES", "SURE", "TIED", "TOO_LARGE", "spliced"]

STATES = (0, 1, 2, 3, 4)  # of an answer, the greater the worse
SURE, TIED, DOUBTFUL, TOO_LARGE, INFINITE = STATES


def spliced(offsets: Keys, rows: Floats, where: Keys, others: Keys, new: Floats) -> tuple[Keys, Floats]:
    """Replace the rows of some questions.

    Parameters
    ----------
    offsets, rows
        The old result, (v + 1,) and (k, …).
    where
        The questions to replace, ascending, (w,).
    others, new
        Their new offsets and rows, (w + 1,) and (l, …).

    Returns
    -------
    offsets, rows

    Examples
    --------
    >>> spliced(np.array([0, 1, 3]), np.array([[1.0], [2.0], [3.0]]), np.array([0]), np.array([0, 2]), np.array([[8.0], [9.0]]))
    (array([0, 2, 4]), array([[8.],
           [9.],
           [2.],
           [3.]]))
    """
    counts = np.diff(offsets)
    replaced = np.zeros(len(counts), dtype=np.bool_)
    replaced[where] = True
    kept = rows[~np.repeat(replaced, counts)]
    counts[where] = np.diff(others)
    ours = np.repeat(replaced, counts)
    out = np.empty((len(ours), *rows.shape[1:]))
    out[ours], out[~ours] = new, kept
    return np.concatenate([[0], np.cumsum(counts)]), out
