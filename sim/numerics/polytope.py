r"""Small polytopes given by linear conditions: a point far inside, extents, dimension; and closed forms on simplices of two points.

A polytope here is a set of :math:`z`, at least 0 but for places free of sign, with ``upper @ z <= limit`` and ``equal @ z = exact``.
Equations are tried first: if they contradict each other there is no point, if they leave one point its signs decide, and only otherwise a linear
programme is asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.errors import NoAnswerError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sim.kinds import Floats

__all__ = [
    "NEAR",
    "POSITIVE",
    "Extent",
    "Polytope",
    "extent",
    "maximin",
    "programme",
    "simplex_bounds",
    "simplex_point",
]

NEAR = 2e-10  # numbers of size 1 nearer to each other than this are equal
POSITIVE = 1e-9  # probabilities below this are 0
RARE = 1e-3


def programme(
    cost: Floats,
    upper: tuple[Floats, Floats] | None = None,
    equal: tuple[Floats, Floats] | None = None,
    *,
    free: Sequence[int] = (),
) -> Floats | None:
    r"""Minimise a linear cost over :math:`z \ge 0` (some free of sign) with ``upper[0] @ z <= upper[1]`` and ``equal[0] @ z == equal[1]``.

    Returns
    -------
    float array or None
        A minimum; None if there is no such z.

    Raises
    ------
    NoAnswerError
        If the programme ends in any other way.

    Examples
    --------
    >>> programme(np.array([1.0, 2.0]), equal=(np.ones((1, 2)), np.ones(1)))
    array([1., 0.])
    """
    from scipy.optimize import linprog

    a_ub, b_ub = upper if upper is not None and len(upper[1]) else (None, None)
    a_eq, b_eq = equal if equal is not None and len(equal[1]) else (None, None)
    loose = set(free)
    done: Any = linprog(
        cost,
        A_ub=a_ub,
        b_ub=b_ub,
        A_eq=a_eq,
        b_eq=b_eq,
        bounds=[(None if j in loose else 0.0, None) for j in range(len(cost))],
        method="highs",
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    if done.status == 2:  # noqa: PLR2004 - scipy's word for "infeasible"
        return None
    if done.status != 0:
        message = f"a linear programme of the signalling game ended without an answer: {done.message}; put payoffs into units of similar size"
        raise NoAnswerError(message)
    return np.asarray(done.x, dtype=np.float64)


def _interval(rows: Floats, limit: Floats) -> tuple[float, float] | None:
    """Return the least and greatest q in [0, 1] at which ``rows @ (1 - q, q) <= limit``."""
    base, slope = rows[:, 0] - limit, rows[:, 1] - rows[:, 0]
    low, high = 0.0, 1.0
    for a, c in zip(base.tolist(), slope.tolist(), strict=True):
        if abs(c) <= NEAR:
            if min(a, a + c) > NEAR:
                return None
        elif c > 0:
            high = min(high, -a / c)
        else:
            low = max(low, -a / c)
    if low > high + NEAR:
        return None
    return (low, high) if low <= high else (middle := min(max((low + high) / 2, 0.0), 1.0), middle)


def simplex_point(rows: Floats, limit: Floats) -> Floats | None:
    """Return the distribution z with ``rows @ z <= limit`` whose least probability is greatest; None if there is none.

    Examples
    --------
    >>> simplex_point(np.array([[1.0, 0.0]]), np.array([0.25]))
    array([0.25, 0.75])
    """
    n = rows.shape[1]
    if n == 1:
        return np.ones(1) if (rows[:, 0] <= limit + NEAR).all() else None
    if n == 2:  # noqa: PLR2004
        ends = _interval(rows, limit)
        if ends is None:
            return None
        q = min(max(0.5, ends[0]), ends[1])
        return np.array([1 - q, q])
    upper = np.block([[rows, np.zeros((len(rows), 1))], [-np.eye(n), np.ones((n, 1))]])
    found = programme(
        np.append(np.zeros(n), -1.0),
        (upper, np.append(limit, np.zeros(n))),
        (np.append(np.ones(n), 0.0)[None], np.ones(1)),
    )
    return None if found is None else np.maximum(found[:n], 0.0) / np.maximum(found[:n], 0.0).sum()


def simplex_bounds(rows: Floats, limit: Floats) -> tuple[Floats, Floats] | None:
    """Return least and greatest values of each probability over the distributions z with ``rows @ z <= limit``; None if there is none.

    Examples
    --------
    >>> simplex_bounds(np.array([[1.0, 0.0]]), np.array([0.25]))
    (array([0.  , 0.75]), array([0.25, 1.  ]))
    """
    n = rows.shape[1]
    if n == 1:
        return (np.ones(1), np.ones(1)) if (rows[:, 0] <= limit + NEAR).all() else None
    if n == 2:  # noqa: PLR2004
        ends = _interval(rows, limit)
        return None if ends is None else (np.array([1 - ends[1], ends[0]]), np.array([1 - ends[0], ends[1]]))
    out = np.empty((2, n))
    for j in range(n):
        for end, sign in enumerate((1.0, -1.0)):
            found = programme(sign * np.eye(n)[j], (rows, limit), (np.ones((1, n)), np.ones(1)))
            if found is None:
                return None
            out[end, j] = found[j]
    return out[0], out[1]


def maximin(table: Floats) -> tuple[float, Floats]:
    """Return the most that a mixture of columns guarantees over the rows, and the mixture.

    Examples
    --------
    >>> maximin(np.array([[1.0, 0.0], [0.0, 1.0]]))
    (0.5, array([0.5, 0.5]))
    """
    rows, columns = table.shape
    least = table.min(axis=0)
    best = int(np.argmax(least))
    if rows == 1 or columns == 1 or least[best] >= table.max(axis=1).min():
        return float(least[best]), np.eye(columns)[best]
    if columns == 2:  # noqa: PLR2004
        slope = table[:, 1] - table[:, 0]
        cross = [
            (table[i, 0] - table[j, 0]) / (slope[j] - slope[i])
            for i, j in combinations(range(rows), 2)
            if slope[i] != slope[j]
        ]
        places = np.array([0.0, 1.0, *(q for q in cross if 0 < q < 1)])
        worth = (table[:, :1] + slope[:, None] * places).min(axis=0)
        q = float(places[np.argmax(worth)])
        return float(worth.max()), np.array([1 - q, q])
    found = programme(
        np.append(np.zeros(columns), -1.0),
        (np.column_stack([-table, np.ones(rows)]), np.zeros(rows)),
        (np.append(np.ones(columns), 0.0)[None], np.ones(1)),
        free=(columns,),
    )
    if found is None:
        message = "the linear programme of a maximin mixture found no mixture; expected one always"
        raise NoAnswerError(message)
    mix = np.maximum(found[:columns], 0.0)
    mix /= mix.sum()
    return float((table @ mix).min()), mix


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Polytope:
    """All z with ``upper @ z <= limit``, ``equal @ z = exact``, and ``z >= 0`` except at places free of sign.

    Attributes
    ----------
    upper, limit : float arrays, (c, z) and (c,)
    equal, exact : float arrays, (d, z) and (d,)
    positive : tuple of int
        Places that have to be greater than 0 inside.
    free : tuple of int
        Places free of sign.

    Examples
    --------
    >>> line = Polytope(upper=np.zeros((0, 2)), limit=np.zeros(0), equal=np.ones((1, 2)), exact=np.ones(1), positive=(0, 1))
    >>> line.inside()
    (array([0.5, 0.5]), False)
    """

    upper: Floats
    limit: Floats
    equal: Floats
    exact: Floats
    positive: tuple[int, ...] = ()
    free: tuple[int, ...] = ()

    def solved(self) -> tuple[Floats, bool] | None:
        """Return a solution of the equations alone, and whether it is the only one; None if they contradict each other.

        Examples
        --------
        >>> twice = Polytope(upper=np.zeros((0, 1)), limit=np.zeros(0), equal=np.ones((2, 1)), exact=np.array([1.0, 2.0]))
        >>> twice.solved() is None
        True
        """
        done: Any = np.linalg.lstsq(self.equal, self.exact, rcond=1e-11)
        point: Floats = done[0]
        if len(self.exact) and np.abs(self.equal @ point - self.exact).max() > NEAR:
            return None
        sole = int(done[2]) == self.equal.shape[1]
        small = np.abs(point) < RARE
        if sole and small.any():  # a rare event is to be right in its own measure, so once more with unknowns of size 1
            unit = np.where(small & (np.abs(point) > POSITIVE), np.abs(point), 1.0)
            rows = self.equal * unit
            size = np.abs(rows).max(axis=1, initial=0.0)
            size[size == 0] = 1.0
            point = unit * np.linalg.lstsq(rows / size[:, None], self.exact / size, rcond=1e-11)[0]
        return point, sole

    def inside(self) -> tuple[Floats, bool] | None:
        """Return a point far inside, and whether the equations leave no other; None if there is none.

        The least of the places that must be positive is made as great as can be; with at least half of that kept, so is the least slack.
        """
        n = self.equal.shape[1]
        solved = self.solved()
        if solved is None:
            return None
        point, sole = solved
        places = list(self.positive)
        if sole:
            held = np.delete(point, list(self.free))
            right = held.min(initial=np.inf) >= -NEAR and (self.upper @ point <= self.limit + NEAR).all()
            return (point, True) if right and point[places].min(initial=np.inf) > POSITIVE else None
        least = np.zeros((len(places), n + 1))
        least[np.arange(len(places)), places] = -1.0
        least[:, n] = 1.0
        rows = np.column_stack([self.upper, np.zeros(len(self.limit))])
        cap = np.append(np.zeros(n), 1.0)[None]
        equal = (np.column_stack([self.equal, np.zeros(len(self.exact))]), self.exact)
        goal = np.append(np.zeros(n), -1.0)
        upper = np.concatenate([rows, least, cap])
        limit = np.concatenate([self.limit, np.zeros(len(places)), [1.0]])
        found = programme(goal, (upper, limit), equal, free=self.free)
        if found is None or found[n] <= POSITIVE:
            return None
        if len(self.limit):
            rows[:, n], least[:, n] = 1.0, 0.0
            limit = np.concatenate([self.limit, np.full(len(places), -found[n] / 2), [1.0]])
            found = programme(goal, (np.concatenate([rows, least, cap]), limit), equal, free=self.free)
        return None if found is None else (found[:n], False)

    def greatest(self, row: Floats) -> Floats | None:
        """Return a point of the closed polytope at which ``row @ z`` is greatest; None if there is none."""
        return programme(-row, (self.upper, self.limit), (self.equal, self.exact), free=self.free)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Extent:
    """Least and greatest values of some coordinates over polytopes, and the dimension of the flat that they span together.

    Examples
    --------
    >>> Extent(low=np.zeros(1), high=np.ones(1), dimension=1).dimension
    1
    """

    low: Floats
    high: Floats
    dimension: int


def extent(polytopes: Sequence[Polytope], count: int) -> Extent:
    """Measure the union of closed polytopes in their first ``count`` coordinates.

    Examples
    --------
    >>> line = Polytope(upper=np.zeros((0, 2)), limit=np.zeros(0), equal=np.ones((1, 2)), exact=np.ones(1))
    >>> extent([line], 2)
    Extent(low=array([0., 0.]), high=array([1., 1.]), dimension=1)
    """
    points: list[Floats] = []

    def reach(direction: Floats) -> float:
        fresh: list[Floats] = []
        for one in polytopes:
            row = np.append(direction, np.zeros(one.equal.shape[1] - count))
            fresh += [z[:count] for z in (one.greatest(-row), one.greatest(row)) if z is not None]
        points.extend(fresh)
        ends = [float(direction @ z) for z in fresh]
        return max(ends) - min(ends) if ends else 0.0

    for axis in np.eye(count):
        reach(axis)
    if not points:
        message = (
            "a polytope that has a point inside was found empty when measured; put payoffs into units of similar size"
        )
        raise NoAnswerError(message)
    cloud = np.array(points)
    low, high = cloud.min(axis=0), cloud.max(axis=0)
    fixed = np.zeros((0, count))
    while True:
        apart = np.array(points) - points[0]
        _, sizes, span = np.linalg.svd(apart, full_matrices=False)
        span = span[sizes > 10 * POSITIVE]
        if len(span) + len(fixed) >= count:
            return Extent(low=low, high=high, dimension=len(span))
        _, _, every = np.linalg.svd(np.concatenate([span, fixed]), full_matrices=True)
        direction = every[-1]
        if reach(direction) <= 10 * POSITIVE:
            fixed = np.concatenate([fixed, direction[None]])
