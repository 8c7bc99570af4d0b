"""Where a region of the unit square begins: points of a lattice, asked for only along the border.

The square is cut into coarse cells. A cell in which points lie on different sides of the level is split into four, down to the finest, and at the first levels
so are the eight cells around it; every round asks for all new corners in one batch. A point on an edge counts for both of its cells, so the border never leaves
what is fine. What can be missed is an island, or a bay, that lies between the points of the coarse lattice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.analysis.crossings import sides_of
from sim.kinds import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sim.kinds import Bools, Floats, Ints, Keys

    Ask = Callable[[Floats, Floats], Floats]
    """Two coordinates (p,) in, answers (p,) out."""

__all__ = ["ABOVE", "BELOW", "LOST", "UNKNOWN", "Lattice", "Line", "lines_of", "traced"]

BELOW, ABOVE, LOST, UNKNOWN = 0, 1, 2, 3
"""What is known of a point: below the level, at or above it, without an answer, not asked for."""
GUARDED = 2  # levels at which the neighbours of a border cell are split with it
STRIDE = 8  # every so many-th point of a line is found by halving; a power of two
CORNERS = ((0, 0), (1, 0), (1, 1), (0, 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Lattice:
    """What was asked on a lattice of the unit square.

    Attributes
    ----------
    side : int array, (r + 1, r + 1)
        What is known of each point; the first axis is x.
    leaf : int array, (r, r)
        For each finest cell: what all corners of the smallest cell around it that was looked at have in common, or :data:`UNKNOWN` if they differ.
    coarse
        Into how many cells a side was cut at first.
    asked
        How many points were asked for.

    Examples
    --------
    >>> found = traced(lambda x, y: x - y, 0.0, 4, 16)
    >>> found.resolution, found.asked < 17**2, [round(share, 2) for share in found.area()]
    (16, True, [0.47, 0.59])
    """

    side: Ints
    leaf: Ints
    coarse: int
    asked: int

    @property
    def resolution(self) -> int:
        """How many finest cells a side has."""
        return len(self.leaf)

    def area(self) -> tuple[float, float]:
        """Return bounds of the share of the square at or above the level; only cells whose corners differ are in doubt."""
        cells = self.leaf.size
        sure = float((self.leaf == ABOVE).sum()) / cells
        return sure, sure + float((self.leaf == UNKNOWN).sum()) / cells

    @property
    def lost(self) -> float:
        """The share of the square without an answer, up to the cells in doubt."""
        return float((self.leaf == LOST).sum()) / self.leaf.size


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A connected piece of the border.

    Attributes
    ----------
    points : float array, (p, 2)
        In order; the last is the first again if it is closed.
    below, above : float arrays, (p, 2)
        The ends of the bracket of each: one below the level, one not.
    closed
        Whether it comes back to where it began.

    Examples
    --------
    >>> Line(points=np.array([[0.0, 0.0], [0.3, 0.4]]), below=np.zeros((2, 2)), above=np.zeros((2, 2)), closed=False).length
    0.5
    """

    points: Floats
    below: Floats
    above: Floats
    closed: bool

    @property
    def length(self) -> float:
        """Its length, in units of the square."""
        return float(np.hypot(*np.diff(self.points, axis=0).T).sum())


def _side(y: Floats, level: float) -> Ints:
    """Turn answers into sides; at the level counts as above."""
    return np.array([BELOW, ABOVE, ABOVE, LOST], dtype=np.int32)[sides_of(y, level) + 1]


def _differs(side: Ints, step: int) -> Bools:
    """Tell of each cell of a level whether its corners are known and differ."""
    known = side[::step, ::step]
    corners = np.stack([known[:-1, :-1], known[1:, :-1], known[1:, 1:], known[:-1, 1:]])
    return (corners.max(axis=0) < UNKNOWN) & (corners.min(axis=0) != corners.max(axis=0))


def _touched(side: Ints, cells: Sequence[int]) -> list[Bools]:
    """Tell of each cell of each level, by how many a side has, whether points in it or on its edges are known to differ."""
    corners = np.stack([side[:-1, :-1], side[1:, :-1], side[1:, 1:], side[:-1, 1:]])
    high = np.where(corners == UNKNOWN, -1, corners).max(axis=0)
    low = corners.min(axis=0)
    out: list[Bools] = []
    for count in reversed(cells):
        step = len(low) // count
        low = low.reshape(count, step, count, step).min(axis=(1, 3))
        high = high.reshape(count, step, count, step).max(axis=(1, 3))
        out.append(high > low)
    return out[::-1]


def _around(cells: Bools) -> Bools:
    """Add the eight neighbours of every cell."""
    wide = np.pad(cells, 1)
    size = len(cells)
    return np.logical_or.reduce([wide[a : a + size, b : b + size] for a in range(3) for b in range(3)])


def traced(
    ask: Ask, level: float, coarse: int, resolution: int, *, tell: Callable[[int], None] | None = None
) -> Lattice:
    """Find the border of the region in which the answer is at or above a level.

    Parameters
    ----------
    ask
        Coordinates in the unit square in, answers out; NaN where there is none.
    level
        The level.
    coarse, resolution
        Into how many cells a side is cut at first, and in the end: the first times a power of two.
    tell
        Called with the number of points just asked for.

    Examples
    --------
    >>> found = traced(lambda x, y: 0.3**2 - (x - 0.5) ** 2 - (y - 0.5) ** 2, 0.0, 8, 64)
    >>> low, high = found.area()
    >>> low < np.pi * 0.3**2 < high, found.asked < 65**2 / 2
    (True, True)
    """
    size = resolution
    side = np.full((size + 1, size + 1), UNKNOWN, dtype=np.int32)
    levels = (size // coarse).bit_length() - 1
    split = [np.zeros((coarse << k, coarse << k), dtype=np.bool_) for k in range(levels)]
    asked = 0

    def look(points: Bools) -> None:
        nonlocal asked
        x, y = np.nonzero(points & (side == UNKNOWN))
        if len(x):
            side[x, y] = _side(np.asarray(ask(x / size, y / size)), level)
            asked += len(x)
            if tell:
                tell(len(x))

    first = np.zeros_like(side, dtype=np.bool_)
    first[:: size // coarse, :: size // coarse] = True
    look(first)
    while True:
        touched = _touched(side, [coarse << k for k in range(levels)])
        wanted = [(_around(one) if k < GUARDED else one) | split[k] for k, one in enumerate(touched)]
        for k in range(levels - 1, 0, -1):  # what is split lies in what is split
            wanted[k - 1] |= wanted[k].reshape(coarse << (k - 1), 2, -1, 2).any(axis=(1, 3))
        fresh = [new & ~old for new, old in zip(wanted, split, strict=True)]
        if not any(one.any() for one in fresh):
            break
        new = next(
            k for k, one in enumerate(fresh) if one.any()
        )  # one level at a time: finer ones may turn out not to be needed
        split[new] |= fresh[new]
        points = np.zeros_like(first)
        step = size // (coarse << (new + 1))
        x, y = (2 * place for place in np.nonzero(fresh[new]))
        for dx in range(3):
            for dy in range(3):
                points[(x + dx) * step, (y + dy) * step] = True
        look(points)
    return Lattice(side=frozen(side), leaf=frozen(_leaves(side, split, coarse, levels)), coarse=coarse, asked=asked)


def _leaves(side: Ints, split: Sequence[Bools], coarse: int, levels: int) -> Ints:
    """Say of each finest cell what the smallest cell around it that was looked at knows."""
    size = len(side) - 1
    leaf = np.empty((size, size), dtype=np.int32)
    for k in range(levels + 1):
        count = coarse << k
        step = size // count
        known = side[::step, ::step]
        value = np.where(_differs(side, step), UNKNOWN, known[:-1, :-1]).astype(np.int32)
        here = (
            np.ones((count, count), dtype=np.bool_)
            if k == 0
            else np.kron(split[k - 1], np.ones((2, 2), dtype=np.bool_))
        )
        wide = (slice(None), None, slice(None), None)
        blocks = leaf.reshape(count, step, count, step)
        blocks[...] = np.where(here[wide], value[wide], blocks)
    return leaf


def lines_of(
    ask: Ask, lattice: Lattice, level: float, close: float, *, tell: Callable[[int], None] | None = None
) -> tuple[list[Line], float]:
    """Draw the border through the finest cells, each of its points narrowed down along an edge of the lattice.

    Parameters
    ----------
    ask, level
        As for :func:`traced`.
    lattice
        What it found.
    close
        How tightly each point is bracketed along its edge, in units of the square.
    tell
        Called with the number of points just asked for.

    Returns
    -------
    tuple
        The lines, the longest first (where the border meets a part without answers, a line ends), and the share of the square inside them.

    Examples
    --------
    >>> ask = lambda x, y: 0.3**2 - (x - 0.5) ** 2 - (y - 0.5) ** 2
    >>> [one], share = lines_of(ask, traced(ask, 0.0, 8, 64), 0.0, 1e-6)
    >>> one.closed, abs(one.length - 0.6 * np.pi) < 1e-3, abs(share - 0.09 * np.pi) < 1e-3
    (True, True, True)
    """
    say = tell or (lambda _count: None)
    edges = _edges(lattice.side)
    if not len(edges):
        return [], _inside(lattice, {})
    above = lattice.side[edges[:, 0], edges[:, 1]] == BELOW  # the upper end of the edge
    number = {(int(a), int(b), int(c)): k for k, (a, b, c) in enumerate(edges.tolist())}
    chains = _chains(_segments(ask, lattice, level, number, say), len(edges))
    start = edges[np.arange(len(edges)), edges[:, 2]]
    brackets = _Brackets(
        ask=ask, level=level, close=close, tell=say, base=edges[:, :2] / lattice.resolution, axis=edges[:, 2], above=above,
        t=np.column_stack([start, start + 1]) / lattice.resolution, stuck=np.zeros(len(edges), dtype=np.bool_),
    )  # fmt: skip
    brackets.narrow(chains)
    low, high = brackets.ends(0), brackets.ends(1)
    middle, inner, outer = (low + high) / 2, np.where(above[:, None], high, low), np.where(above[:, None], low, high)
    out: list[Line] = []
    for chain, closed in chains:
        place = np.array([*chain, chain[0]] if closed else chain)
        out.append(
            Line(points=frozen(middle[place]), below=frozen(outer[place]), above=frozen(inner[place]), closed=closed)
        )
    points = {edge: middle[k] for edge, k in number.items()}
    return sorted(out, key=lambda one: -one.length), _inside(lattice, points)


def _inside(lattice: Lattice, points: dict[tuple[int, int, int], Floats]) -> float:
    """Add up the area at or above the level, cell by cell: in a cell of the border, the polygon of its corners above and its points."""
    size = lattice.resolution
    total = lattice.area()[0]
    for i, j in np.argwhere(lattice.leaf == UNKNOWN).tolist():
        around = ((i, j, 0), (i + 1, j, 1), (i, j + 1, 0), (i, j, 1))
        found = [points.get(edge) for edge in around]
        if sum(one is not None for one in found) == len(CORNERS):
            total += 0.5 / size**2
            continue
        polygon: list[Any] = []
        for (dx, dy), point in zip(CORNERS, found, strict=True):
            if lattice.side[i + dx, j + dy] == ABOVE:
                polygon.append(((i + dx) / size, (j + dy) / size))
            if point is not None:
                polygon.append(point)
        corner = np.array(polygon).reshape(-1, 2)
        x, y = corner.T
        total += float(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2
    return total


def _edges(side: Ints) -> Keys:
    """List the edges of the finest lattice that the border crosses: x, y of the lower end, and the axis along which it goes."""
    out: list[Any] = []
    for axis in (0, 1):
        a, b = (side[:-1], side[1:]) if axis == 0 else (side[:, :-1], side[:, 1:])
        x, y = np.nonzero((a + b == BELOW + ABOVE) & (a != b))
        out.append(np.column_stack([x, y, np.full(len(x), axis)]))
    return np.concatenate(out)


@dataclass(slots=True, kw_only=True)
class _Brackets:
    """The points of the border, each between two points of an edge of the lattice.

    ``t`` (k, 2) are the ends along the edge, ``base`` (k, 2) the point where it begins, ``axis`` (k,) along which it goes, and ``above`` (k,) says whether
    its upper end is at or above the level. Brackets with a point without an answer are ``stuck``.
    """

    ask: Ask
    level: float
    close: float
    tell: Callable[[int], None]
    base: Floats
    axis: Keys
    above: Bools
    t: Floats
    stuck: Bools

    def ends(self, which: int) -> Floats:
        """Return the lower or the upper ends, (k, 2)."""
        out = self.base.copy()
        out[np.arange(len(out)), self.axis] = self.t[:, which]
        return out

    def upper(self, some: Keys, t: Floats) -> tuple[Bools, Bools]:
        """Ask at places along edges: whether each lies on the side of the upper end, and whether it has an answer."""
        points = self.base[some]
        points[np.arange(len(some)), self.axis[some]] = t
        found = _side(np.asarray(self.ask(points[:, 0], points[:, 1])), self.level)
        self.tell(len(some))
        return (found == ABOVE) == self.above[some], found != LOST

    def halve(self, some: Keys) -> None:
        """Halve brackets until they are narrow."""
        while True:
            open_ = some[~self.stuck[some] & (self.t[some, 1] - self.t[some, 0] > self.close)]
            if not len(open_):
                return
            middle = self.t[open_].mean(axis=1)
            up, known = self.upper(open_, middle)
            self.stuck[open_[~known]] = True
            self.t[open_[known & up], 1] = middle[known & up]
            self.t[open_[known & ~up], 0] = middle[known & ~up]

    def guess(self, some: Keys, t: Floats) -> None:
        """Ask on both sides of where each point is thought to be."""
        near = 0.45 * self.close
        t = np.clip(t, self.t[some, 0] + near, self.t[some, 1] - near)
        up, known = self.upper(np.concatenate([some, some]), np.concatenate([t - near, t + near]))
        (low_up, high_up), (low_known, high_known) = up.reshape(2, -1), known.reshape(2, -1)
        falls = low_known & low_up
        rises = high_known & ~high_up & ~falls
        hit = low_known & high_known & ~low_up & high_up
        self.t[some[falls], 1] = (t - near)[falls]
        self.t[some[rises], 0] = (t + near)[rises]
        self.t[some[hit]] = np.column_stack([t - near, t + near])[hit]

    def through(self, some: Keys, others: Keys) -> Floats:
        """Guess where points lie from others, (k, 4), two on either side, that are narrow.

        By the cubic through all four, else by the straight line through the inner two, else in the middle of the edge.
        """
        points = (self.ends(0) + self.ends(1))[others] / 2
        rows, along = np.arange(len(some)), self.axis[some]
        x = points[rows, :, 1 - along] - self.base[some][rows, 1 - along][:, None]
        y = points[rows, :, along]
        low, high = self.t[some].T
        out = (low + high) / 2
        for which in ([1, 2], [0, 1, 2, 3]):
            with np.errstate(divide="ignore", invalid="ignore"):
                found = sum(
                    y[:, k] * np.prod([x[:, j] / (x[:, j] - x[:, k]) for j in which if j != k], axis=0) for k in which
                )
            out = np.where((found > low) & (found < high), found, out)
        return out

    def narrow(self, chains: list[tuple[list[int], bool]]) -> None:
        """Narrow all brackets: every eighth by halving, then those in between by guessing, and by halving where the guess was wrong."""
        first = [k for chain, closed in chains for k in (*chain[::STRIDE], *(() if closed else chain[-1:]))]
        alone = set(range(len(self.t))) - {k for chain, _ in chains for k in chain}
        self.halve(np.array(sorted({*first, *alone}), dtype=np.int64))
        done = set(first)
        stride = STRIDE
        while stride > 1:
            half = stride // 2
            found = [
                [chain[p], *(_beside(chain, p + k * half, closed=closed) for k in (-3, -1, 1, 3))]
                for chain, closed in chains
                for p in range(half, len(chain), stride)
                if chain[p] not in done
            ]
            if found:
                places = np.array(found, dtype=np.int64)
                some = places[:, 0]
                self.guess(some, self.through(some, places[:, 1:]))
                self.halve(some)
                done.update(some.tolist())
            stride = half


def _beside(chain: list[int], place: int, *, closed: bool) -> int:
    """Return the point at a place of a chain: around it if it is closed, else its first or last beyond the ends."""
    return chain[place % len(chain) if closed else min(max(place, 0), len(chain) - 1)]


def _segments(
    ask: Ask, lattice: Lattice, level: float, number: dict[tuple[int, int, int], int], tell: Callable[[int], None]
) -> list[tuple[int, int]]:
    """Join the points on the edges of each finest cell; a cell whose corners alternate is told by its middle."""
    side, size = lattice.side, lattice.resolution
    cells = np.argwhere(_differs(side, 1))
    out: list[tuple[int, int]] = []
    doubtful: list[tuple[tuple[int, int], list[int]]] = []
    for i, j in cells.tolist():
        around = ((i, j, 0), (i + 1, j, 1), (i, j + 1, 0), (i, j, 1))
        here = [number[edge] for edge in around if edge in number]
        if len(here) == len(CORNERS):
            doubtful.append(((i, j), here))
        elif len(here) == 2:  # noqa: PLR2004 - it enters and leaves
            out.append((here[0], here[1]))
    if doubtful:
        middle = (np.array([cell for cell, _ in doubtful]) + 0.5) / size
        found = _side(np.asarray(ask(middle[:, 0], middle[:, 1])), level)
        tell(len(doubtful))
        for ((i, j), (bottom, right, top, left)), inside in zip(doubtful, found.tolist(), strict=True):
            joined = inside == side[i, j]  # the middle goes with the corners at lower left and upper right
            out += [(bottom, right), (top, left)] if joined else [(bottom, left), (top, right)]
    return out


def _chains(segments: list[tuple[int, int]], count: int) -> list[tuple[list[int], bool]]:
    """Stitch segments to chains of points; say of each whether it is closed."""
    near: list[list[int]] = [[] for _ in range(count)]
    for a, b in segments:
        near[a].append(b)
        near[b].append(a)
    seen = [False] * count
    out: list[tuple[list[int], bool]] = []
    ends = [k for k in range(count) if len(near[k]) == 1]
    for start in (*ends, *range(count)):
        if seen[start] or not near[start]:
            continue
        chain = [start]
        seen[start] = True
        while True:
            ahead = next((k for k in near[chain[-1]] if not seen[k]), None)
            if ahead is None:
                break
            seen[ahead] = True
            chain.append(ahead)
        closed = len(chain) > 2 and chain[0] in near[chain[-1]]  # noqa: PLR2004 - a triangle is the least
        out.append((chain, closed))
    return out
