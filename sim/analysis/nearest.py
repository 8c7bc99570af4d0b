"""The nearest point at which something holds: a search in all directions around the base, of which nothing is known but answers.

Points have *steps*, continuous coordinates in units of the ranges with the base at 0, and *picks*, alternatives of what is discrete with the base at 0. Every
round asks one batch. Candidates come from three sources: single changes; points drawn in the whole box, pulled towards the base; and, as in the search for the
design point of reliability theory, the nearest point of the half-space that the margin's differences say. All of them are pulled towards the base along their
segment until they just hold, and what is not needed goes back to base. What is found is a bound from above: the smallest change found.

Sources: A. M. Hasofer and N. C. Lind, "Exact and invariant second-moment code format", Journal of the Engineering Mechanics Division 100 (1974), and
R. Rackwitz and B. Fiessler, "Structural reliability under combined random load sequences", Computers & Structures 9 (1978), for the half-space step.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from sim.kinds import Bools, Floats, Ints

    Margin = Callable[[Floats, Ints], Floats]
    """Steps (n, k) and picks (n, m) in, margins (n,) out: it holds where the margin is above 0; NaN: no answer."""

__all__ = ["CLOSE", "Box", "Found", "Norm", "Points", "Single", "distances", "half_space", "nearest", "singles"]

Norm = Literal["l1", "l2", "max"]
CLOSE = 1e-7
"""How tightly the end of a segment is bracketed, as a share of it."""
COARSE = 1e-3
PARTS = 3  # points inside a bracket
SMALL = 1e-4  # of a range: the step of a difference
STRETCH = (1.0, 1.001, 1.02, 1.2, 1.6, 2.5)
NEAR = 24  # drawn points that are pulled
PULLED = 8  # candidates of a round that are
KEPT = 3  # candidates that are followed
ROUNDS = 10
MOST = 8  # coordinates of a point that are tried one by one
AROUND = 32  # points drawn around the best


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """What may change, and by how much.

    Attributes
    ----------
    low, high : float array, (k,)
        The ends of every continuous coordinate, in units of its range; the base is 0, between them.
    cost : tuple of float arrays
        For every discrete one, what each alternative costs in the same units; the base comes first and costs nothing.
    alone : bool array, (m,)
        Which discrete ones are changed one at a time only, since each change of them needs a game of its own.

    Examples
    --------
    >>> Box(low=np.array([-0.5]), high=np.array([0.5])).size
    (1, 0)
    """

    low: Floats
    high: Floats
    cost: tuple[Floats, ...] = ()
    alone: Bools = field(default_factory=lambda: np.zeros(0, dtype=np.bool_))

    @property
    def size(self) -> tuple[int, int]:
        """How many coordinates there are, continuous and discrete."""
        return len(self.low), len(self.cost)

    def spent(self, steps: Floats, picks: Ints) -> Floats:
        """Return what each coordinate of points is changed by, (n, k + m)."""
        priced = [one[picks[:, at]] for at, one in enumerate(self.cost)]
        return np.column_stack([np.abs(steps), *priced]) if priced else np.abs(steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """Points: steps (n, k) and picks (n, m).

    Examples
    --------
    >>> len(Points(steps=np.zeros((2, 1)), picks=np.zeros((2, 0), dtype=np.int32)))
    2
    """

    steps: Floats
    picks: Ints

    def __len__(self) -> int:
        """How many there are."""
        return len(self.steps)

    def take(self, rows: Any) -> Points:
        """Return some of them."""
        return Points(steps=self.steps[rows], picks=self.picks[rows])

    def name(self, row: int) -> bytes:
        """Return what tells one of them from others."""
        return self.steps[row].tobytes() + self.picks[row].tobytes()

    def scaled(self, share: Floats) -> Points:
        """Return points so far along the segment from base, each (n,); picks stay."""
        return Points(steps=self.steps * share[:, None], picks=self.picks)

    def repeat(self, times: int) -> Points:
        """Return each so many times, one after the other."""
        return Points(steps=np.repeat(self.steps, times, axis=0), picks=np.repeat(self.picks, times, axis=0))

    def and_(self, other: Points) -> Points:
        """Put others behind."""
        return Points(steps=np.concatenate([self.steps, other.steps]), picks=np.concatenate([self.picks, other.picks]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Single:
    """What one coordinate does alone.

    Attributes
    ----------
    coordinate
        Its place among steps, then picks.
    step
        The nearest step, or the cheapest alternative, with which it holds.
    distance
        What it costs.
    crossings
        All steps at which it begins or ceases to hold, each bracketed, in order.

    Examples
    --------
    >>> Single(coordinate=0, step=0.25, distance=0.25, crossings=((0.25, 0.25),)).distance
    0.25
    """

    coordinate: int
    step: float
    distance: float
    crossings: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The nearest point found.

    Attributes
    ----------
    steps, picks
        The point, (k,) and (m,).
    distance
        How far it is.
    drawn, holding
        How many points were drawn, and at how many of them it holds.
    rounds
        How often candidates were improved.

    Examples
    --------
    >>> Found(steps=np.zeros(1), picks=np.zeros(0, dtype=np.int32), distance=0.0, drawn=0, holding=0, rounds=0).distance
    0.0
    """

    steps: Floats
    picks: Ints
    distance: float
    drawn: int
    holding: int
    rounds: int


def distances(box: Box, points: Points, norm: Norm) -> Floats:
    """Return how far points are from base, (n,).

    Examples
    --------
    >>> box = Box(low=np.array([-1.0, -1.0]), high=np.array([1.0, 1.0]))
    >>> points = Points(steps=np.array([[0.3, -0.4]]), picks=np.zeros((1, 0), dtype=np.int32))
    >>> [round(float(distances(box, points, norm)[0]), 9) for norm in ("l1", "l2", "max")]
    [0.7, 0.5, 0.4]
    """
    spent = box.spent(points.steps, points.picks)
    if norm == "l1":
        return spent.sum(axis=1)
    if norm == "l2":
        return np.sqrt(np.square(spent).sum(axis=1))
    return spent.max(axis=1, initial=0.0)


def half_space(slope: Floats, need: float, low: Floats, high: Floats, norm: Norm) -> Floats:
    """Return the point of a box nearest to 0 with ``slope`` · point ≥ ``need``; the farthest that the box allows if there is none.

    Parameters
    ----------
    slope
        (k,).
    need
        Above 0.
    low, high
        The box, which holds 0.

    Examples
    --------
    >>> box = np.full(2, -1.0), np.full(2, 1.0)
    >>> half_space(np.array([3.0, 1.0]), 1.0, *box, "l1").round(4).tolist(), half_space(np.array([3.0, 1.0]), 1.0, *box, "l2").round(4).tolist()
    ([0.3333, 0.0], [0.3, 0.1])
    >>> half_space(np.array([3.0, -1.0]), 1.0, *box, "max").round(4).tolist()
    [0.25, -0.25]
    """
    steep, room = np.abs(slope), np.where(slope > 0, high, -low)
    if steep @ room <= need:
        return np.sign(slope) * room
    if norm == "l1":
        order = np.argsort(-steep, kind="stable")
        whole = steep[order] * room[order]
        left = need - np.concatenate([[0.0], np.cumsum(whole)[:-1]])
        part = np.clip(left, 0.0, whole)
        out = np.zeros(len(slope))
        out[order] = np.divide(part, steep[order], out=np.zeros(len(slope)), where=steep[order] > 0)
        return np.sign(slope) * out
    pace = steep if norm == "l2" else (steep > 0).astype(np.float64)  # each goes at its pace until its room is used up
    used = steep > 0
    until = np.sort(room[used] / pace[used])
    gained = [float(steep @ np.minimum(pace * t, room)) for t in until]
    place = int(np.searchsorted(gained, need))
    before, had = (until[place - 1], gained[place - 1]) if place else (0.0, 0.0)
    now, has = until[place], gained[place]
    t = before + (now - before) * (need - had) / (has - had) if has > had else now
    return np.sign(slope) * np.minimum(pace * t, room)


def _narrow(margin: Margin, from_: Points, to: Points, close: float) -> tuple[Floats, Floats]:
    """Bracket where it begins to hold on segments whose far ends hold and whose near ends do not; return shares that do not, and that do, each (n,)."""
    low, high = np.zeros(len(to)), np.ones(len(to))
    while len(to) and (high - low).max() > close:
        inside = low[:, None] + (high - low)[:, None] * np.arange(1, PARTS + 1) / (PARTS + 1)
        steps = from_.steps[:, None] + inside[:, :, None] * (to.steps - from_.steps)[:, None]
        picks = np.repeat(to.picks, PARTS, axis=0)
        holds = (margin(steps.reshape(-1, steps.shape[2]), picks) > 0).reshape(-1, PARTS)
        first = np.where(holds.any(axis=1), holds.argmax(axis=1), PARTS)
        ends = np.column_stack([low, inside, high])
        rows = np.arange(len(to))
        low, high = ends[rows, first], ends[rows, first + 1]
    return low, high


def _pulled(margin: Margin, points: Points, close: float) -> Points:
    """Pull points at which it holds towards the base, until it just holds."""
    if not len(points):
        return points
    home = points.scaled(np.zeros(len(points)))
    there = margin(home.steps, home.picks) > 0
    out = np.array(points.steps)
    out[there] = 0.0
    rest = np.flatnonzero(~there)
    part = points.take(rest)
    out[rest] = part.scaled(_narrow(margin, part.scaled(np.zeros(len(part))), part, close)[1]).steps
    return Points(steps=out, picks=points.picks)


def singles(margin: Margin, box: Box, scan: int = 16) -> tuple[Single, ...]:
    """Change every coordinate alone: scan its range, and bracket every change.

    Parameters
    ----------
    margin
        What is asked.
    box
        What may change.
    scan
        Into how many steps each range is cut, and then what lies nearer than the nearest found.

    Returns
    -------
    tuple of Single
        Those that alone make it hold, the nearest first.

    Examples
    --------
    >>> box = Box(low=np.full(2, -0.5), high=np.full(2, 0.5))
    >>> [(one.coordinate, round(one.step, 5)) for one in singles(lambda steps, picks: steps @ np.array([4.0, 1.0]) - 1.0, box)]
    [(0, 0.25)]
    """
    k, m = box.size
    none = np.zeros((k, 1))
    grid = np.sort(np.column_stack([np.linspace(box.low, box.high, scan + 1).T, none]), axis=1)
    on = _along(margin, grid, m)
    if on.any():  # a nearer one must lie nearer: look there again, more closely
        near = float(np.abs(grid[on]).min())
        low, high = np.maximum(box.low, -near), np.minimum(box.high, near)
        fine = np.linspace(low, high, scan + 1).T
        whole, both = np.column_stack([grid, fine]), np.column_stack([on, _along(margin, fine, m)])
        order = np.argsort(whole, axis=1, kind="stable")
        grid, on = np.take_along_axis(whole, order, axis=1), np.take_along_axis(both, order, axis=1)
    trial = [(j, a) for j in range(m) for a in range(1, len(box.cost[j]))]
    picks = np.zeros((len(trial), m), dtype=np.int32)
    for row, (j, a) in enumerate(trial):
        picks[row, j] = a
    holds = margin(np.zeros((len(trial), k)), picks) > 0 if trial else np.zeros(0, dtype=np.bool_)
    which, place = np.nonzero(on[:, 1:] != on[:, :-1])
    crossings, ends = _edges(margin, box, grid, on, which, place)
    out: list[Single] = []
    for j in range(k):
        good = [*grid[j, on[j]].tolist(), *(end for one, end in ends if one == j)]
        if good:
            best = min(good, key=abs)
            out.append(Single(coordinate=j, step=best, distance=abs(best), crossings=tuple(crossings.get(j, []))))
    for (j, a), good in zip(trial, holds.tolist(), strict=True):
        if good and not any(one.coordinate == k + j and one.distance <= box.cost[j][a] for one in out):
            out = [one for one in out if one.coordinate != k + j]
            out.append(Single(coordinate=k + j, step=float(a), distance=float(box.cost[j][a])))
    return tuple(sorted(out, key=lambda one: (one.distance, one.coordinate)))


def _along(margin: Margin, grid: Floats, picks: int) -> Bools:
    """Ask about every coordinate alone, at steps (k, s); return whether it holds, (k, s)."""
    k, s = grid.shape
    if not grid.size:
        return np.zeros((k, s), dtype=np.bool_)
    steps = np.zeros((k * s, k))
    steps[np.arange(k * s), np.repeat(np.arange(k), s)] = grid.ravel()
    found: Any = margin(steps, np.zeros((k * s, picks), dtype=np.int32)) > 0
    return found.reshape(k, s)


def _edges(
    margin: Margin, box: Box, grid: Floats, on: Bools, which: Any, place: Any
) -> tuple[dict[int, list[tuple[float, float]]], list[tuple[int, float]]]:
    """Bracket changes between neighbouring points of a scan; return brackets by coordinate, and the ends that hold."""
    k, m = box.size
    rows = np.arange(len(which))
    inside = on[which, place + 1]  # it holds at the upper end
    far = np.where(inside, grid[which, place + 1], grid[which, place])
    near = np.where(inside, grid[which, place], grid[which, place + 1])
    steps = np.zeros((2, len(which), k))
    steps[0, rows, which], steps[1, rows, which] = near, far
    none = np.zeros((len(which), m), dtype=np.int32)
    low, high = _narrow(margin, Points(steps=steps[0], picks=none), Points(steps=steps[1], picks=none), CLOSE)
    crossings: dict[int, list[tuple[float, float]]] = {}
    ends: list[tuple[int, float]] = []
    for row, j in enumerate(which.tolist()):
        a, b = (float(near[row] + share[row] * (far[row] - near[row])) for share in (low, high))
        crossings.setdefault(j, []).append((min(a, b), max(a, b)))
        ends.append((j, b))
    return crossings, ends


def _drawn(box: Box, samples: int, seed: int) -> Points:
    """Draw points of the whole box: half with everything discrete at base, half with some changed, and some for each thing that changes alone."""
    from scipy.stats import qmc

    k, m = box.size
    sequence: Any = qmc.Sobol
    unit = sequence(d=k + max(m, 1), scramble=True, seed=seed).random(samples)
    steps = box.low + unit[:, :k] * (box.high - box.low)
    picks = np.zeros((samples, m), dtype=np.int32)
    free = [j for j in range(m) if not box.alone[j]]
    share = min(0.5, 2.0 / max(len(free), 1))
    for j in free:
        point = unit[:, k + j]
        others = len(box.cost[j]) - 1
        place = 1 + np.minimum(((point - (1 - share)) / share * others).astype(np.int32), others - 1)
        picks[:, j] = np.where((point >= 1 - share) & (np.arange(samples) >= samples // 2), place, 0)
    out = Points(steps=steps, picks=picks)
    few = max(samples // 16, 8)
    for j in range(m):
        for a in range(1, len(box.cost[j])) if box.alone[j] else ():
            part = out.take(slice(0, min(few, samples)))
            changed = np.array(part.picks)
            changed[:, j] = a
            out = out.and_(Points(steps=part.steps, picks=changed))
    return out


def nearest(
    margin: Margin, box: Box, norm: Norm, alone: tuple[Single, ...] = (), *, samples: int = 1024, seed: int = 0
) -> Found | None:
    """Find a point near to the base at which it holds.

    Parameters
    ----------
    margin
        What is asked: it does not hold at the base.
    box
        What may change.
    norm
        How changes are added: ``l1``, ``l2`` or the greatest, ``max``.
    alone
        What :func:`singles` found: the answer is never farther than these.
    samples, seed
        How many points are drawn in the box, a power of 2.

    Returns
    -------
    Found or None
        Nothing if it holds at no point that was asked.

    Examples
    --------
    >>> box = Box(low=np.full(2, -0.5), high=np.full(2, 0.5))
    >>> found = nearest(lambda steps, picks: steps @ np.array([3.0, 1.0]) - 1.0, box, "l2", samples=64)
    >>> found.steps.round(5).tolist(), round(found.distance, 5)
    ([0.3, 0.1], 0.31623)
    """
    k, m = box.size
    drawn = _drawn(box, samples, seed)
    holds = margin(drawn.steps, drawn.picks) > 0
    inside = drawn.take(np.flatnonzero(holds))
    near = inside.take(np.argsort(distances(box, inside, norm), kind="stable")[:NEAR])
    start = Points(steps=np.zeros((len(alone), k)), picks=np.zeros((len(alone), m), dtype=np.int32))
    for row, one in enumerate(alone):
        if one.coordinate < k:
            start.steps[row, one.coordinate] = one.step
        else:
            start.picks[row, one.coordinate - k] = int(one.step)
    base = Points(steps=np.zeros((1, k)), picks=np.zeros((1, m), dtype=np.int32))
    first = _half_spaces(margin, box, norm, base)
    pool = start.and_(_pulled(margin, near.and_(_holding(margin, first)), COARSE))
    if not len(pool):
        return None
    best = _fewest(box, norm, pool, KEPT)
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(2,)))
    rounds, width, seen = 0, 0.3, set[bytes]()
    for rounds in range(1, ROUNDS + 1):  # noqa: B007 - it is reported
        fresh = best.take([row for row in range(len(best)) if best.name(row) not in seen])
        seen |= {best.name(row) for row in range(len(best))}
        tried = (
            _half_spaces(margin, box, norm, fresh).and_(_simpler(box, fresh)).and_(_around(box, norm, best, width, rng))
        )
        more = _pulled(margin, _fewest(box, norm, _holding(margin, tried), PULLED), COARSE)
        before = _score(box, norm, best.take(slice(0, 1)))[0]
        best = _fewest(box, norm, best.and_(more), KEPT)
        if _score(box, norm, best.take(slice(0, 1)))[0] > before - 1e-3 * before:
            if width < 0.03:  # noqa: PLR2004
                break
            width /= 3
    last = _trimmed(margin, box, norm, _pulled(margin, best, CLOSE))
    return Found(
        steps=last.steps[0],
        picks=last.picks[0],
        distance=float(distances(box, last, norm)[0]),
        drawn=len(drawn),
        holding=int(holds.sum()),
        rounds=rounds,
    )


def _score(box: Box, norm: Norm, points: Points) -> Floats:
    """Return the distance, with a trifle for what changes beside it."""
    return distances(box, points, norm) + 1e-6 * distances(box, points, "l1")


def _fewest(box: Box, norm: Norm, points: Points, most: int) -> Points:
    """Return the nearest points."""
    return points.take(np.argsort(_score(box, norm, points), kind="stable")[:most])


def _holding(margin: Margin, points: Points) -> Points:
    """Return those at which it holds."""
    return points.take(np.flatnonzero(margin(points.steps, points.picks) > 0)) if len(points) else points


def _half_spaces(margin: Margin, box: Box, norm: Norm, points: Points) -> Points:
    """Take the margin's differences at each point for its slope everywhere, and go to the nearest point at which it should hold, and somewhat farther."""
    k, _ = box.size
    if not k:
        return points.take(slice(0, 0))
    around = points.repeat(k + 1)
    at = np.arange(len(points)) * (k + 1)
    up = points.steps + SMALL <= box.high
    step = np.where(up, SMALL, -SMALL)
    moved = np.array(around.steps)
    for j in range(k):
        moved[at + 1 + j, j] += step[:, j]
    found = margin(moved, around.picks).reshape(len(points), k + 1)
    slope = np.nan_to_num((found[:, 1:] - found[:, :1]) / step)
    out = points.take(slice(0, 0))
    for row in range(len(points)):
        one = points.take(slice(row, row + 1))
        need = float(slope[row] @ one.steps[0] - found[row, 0])
        if not need > 0 or not slope[row].any():
            continue
        target = half_space(slope[row], need, box.low, box.high, norm)
        many = one.repeat(len(STRETCH))
        steps = np.clip(target * np.array(STRETCH)[:, None], box.low, box.high)
        out = out.and_(Points(steps=steps, picks=many.picks))
    return out


def _simpler(box: Box, points: Points) -> Points:
    """Return each point with some of its changes taken back: the least ones together, the greatest one by one, or half of it; the discrete ones too."""
    out = points.take(slice(0, 0))
    for row in range(len(points)):
        one = points.take(slice(row, row + 1))
        order = np.argsort(np.abs(one.steps[0]), kind="stable")
        moved = order[one.steps[0, order] != 0]
        for j in moved[-MOST:].tolist():
            pair = one.repeat(2)
            pair.steps[:, j] = 0.0, one.steps[0, j] / 2
            out = out.and_(pair)
        for many in [2**power for power in range(8) if 2**power < len(moved)]:
            other = one.repeat(1)
            other.steps[0, moved[:many]] = 0.0
            out = out.and_(other)
        for j in np.flatnonzero(one.picks[0]).tolist():
            for pick in range(len(box.cost[j])):
                if box.cost[j][pick] < box.cost[j][one.picks[0, j]]:
                    other = one.repeat(1)
                    other.picks[0, j] = pick
                    out = out.and_(other)
    return out


def _around(box: Box, norm: Norm, points: Points, width: float, rng: np.random.Generator) -> Points:
    """Draw points around the best, all somewhat nearer to the base than it is."""
    one = points.take(slice(0, 1))
    k, _ = box.size
    many = one.repeat(AROUND)
    scale = width * float(distances(box, one, norm)[0])
    sparse = rng.random((AROUND, k)) < np.minimum(1.0, 4.0 / max(k, 1))
    steps = many.steps + scale * rng.standard_normal((AROUND, k)) * sparse
    moved = Points(steps=np.clip(steps, box.low, box.high), picks=many.picks)
    far = distances(box, Points(steps=moved.steps, picks=np.zeros_like(moved.picks)), norm)
    want = 0.99 * float(distances(box, Points(steps=one.steps, picks=np.zeros_like(one.picks)), norm)[0])
    return moved.scaled(np.minimum(1.0, want / np.maximum(far, 1e-300)))


def _trimmed(margin: Margin, box: Box, norm: Norm, points: Points) -> Points:
    """Move every single coordinate of the best point towards base as far as it holds, the one that gains most first, until nothing is gained."""
    best = _fewest(box, norm, points, 1)
    for _ in range(MOST):
        moved = np.argsort(-np.abs(best.steps[0]), kind="stable")[: min(MOST, int(np.count_nonzero(best.steps[0])))]
        if not len(moved):
            break
        many = best.repeat(len(moved))
        home = Points(steps=np.array(many.steps), picks=many.picks)
        home.steps[np.arange(len(moved)), moved] = 0.0
        there = margin(home.steps, home.picks) > 0
        steps = np.array(home.steps)
        rest = np.flatnonzero(~there)
        _, high = _narrow(margin, home.take(rest), many.take(rest), COARSE)
        part = home.steps[rest] + high[:, None] * (many.steps[rest] - home.steps[rest])
        steps[rest] = np.where((high < 1)[:, None], part, many.steps[rest])
        tried = _fewest(box, norm, Points(steps=steps, picks=many.picks), 1)
        if _score(box, norm, tried)[0] > _score(box, norm, best)[0] - 1e-3 * COARSE:
            break
        best = _pulled(margin, tried, CLOSE)
    return best
