"""Where a curve crosses a level, or jumps: a scan, and brackets that are cut smaller and smaller, all of them in one batch.

The curve is known only by asking. Every pair of neighbouring points that lie on different sides of the level is a *bracket*; each round asks for a few
points inside every bracket that is still wide, and keeps every change of sides among them. Nothing is assumed about monotony. Points *at* the level and points
without an answer are sides of their own, so that flat stretches and undecided ones are found and bracketed in the same way.

Two crossings that lie within one step of the scan can be missed together; a crossing that is farther than one step from every other cannot: the two ends
of its step lie on different sides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.kinds import frozen

if TYPE_CHECKING:
    from collections.abc import Callable

    from sim.kinds import Bools, Floats, Ints

    Ask = Callable[[Floats], Floats]
    """Points (p,) in, answers (p,) or (q, p) out."""

__all__ = ["CLOSE", "Crossing", "Curve", "Stretch", "around", "cross", "jump_bound", "jumps", "looked_at", "sides_of"]

CLOSE = 1e-6
"""How tightly a crossing is bracketed, in units of the range."""
LEVEL = 1e-12  # how near to the level counts as at it, in units of the level or of 1
FEW = 8  # brackets: up to so many are cut finely
FINE, COARSE = 7, 3
TELL = 31  # points inside a bracket that tell a jump from a slope
KEPT = 0.2  # of the difference that is left when a bracket is cut into 32: a jump keeps all, or a half or a third in a tie; a root's slope 0.18
NOISE = 1e-9
SOLVED = 1e-4  # of what a curve takes over the scan: more than that across a solved breakpoint is a jump
MOST_POINTS = 20_000
NAMES = {-1: "below", 0: "level", 1: "above", 2: "none"}
NOTHING = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """What was asked so far: points in order, and the answers there.

    Attributes
    ----------
    x : float array, (p,)
    y : float array, (q, p)
        NaN where there is no answer.

    Examples
    --------
    >>> Curve(x=np.array([0.0, 1.0]), y=np.array([[2.0, 3.0]])).with_points(np.array([0.5]), np.array([[7.0]])).y
    array([[2., 7., 3.]])
    """

    x: Floats
    y: Floats

    def with_points(self, x: Floats, y: Floats) -> Curve:
        """Return the curve with more points."""
        place = np.searchsorted(self.x, x)
        return Curve(x=frozen(np.insert(self.x, place, x)), y=frozen(np.insert(self.y, place, y, axis=1)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """Where the curve crosses the level: between two points, with the answers there.

    Attributes
    ----------
    low, high
        The bracket.
    before, after
        The answers at its ends.
    rises
        Whether the curve is at or above the level beyond it.
    jump
        Whether the curve jumps there, as far as a narrower bracket tells.
    exact
        The crossing itself, where it is known: a point at which the curve was found at the level, or a solved breakpoint.

    Examples
    --------
    >>> Crossing(low=0.2, high=0.4, before=0.0, after=1.0, rises=True, jump=True).value
    0.30000000000000004
    """

    low: float
    high: float
    before: float
    after: float
    rises: bool
    jump: bool
    exact: float | None = None

    @property
    def value(self) -> float:
        """The crossing itself where it is known, else the middle of the bracket."""
        return (self.low + self.high) / 2 if self.exact is None else self.exact


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A stretch, or a point, that is neither below nor above the level.

    Attributes
    ----------
    kind
        ``level`` for one at the level, ``touch`` for a single point at it that is no crossing, ``none`` for one without answers.
    low, high
        Its first and last point that were asked for.
    before, after
        What lies on either side: ``below``, ``level``, ``above``, ``none``, or ``end`` of the range.

    Examples
    --------
    >>> Stretch(kind="none", low=0.2, high=0.4, before="below", after="above").crosses
    True
    """

    kind: str
    low: float
    high: float
    before: str
    after: str

    @property
    def crosses(self) -> bool:
        """Whether the curve lies below on one side and not on the other."""
        known = {"below", "level", "above"}
        return {self.before, self.after} <= known and (self.before == "below") != (self.after == "below")


def sides_of(y: Floats, level: float) -> Ints:
    """Tell on which side of a level each answer lies: -1 below, 0 at it, 1 above, 2 where there is no answer.

    Examples
    --------
    >>> sides_of(np.array([0.0, 0.5, 1.0, np.nan]), 0.5)
    array([-1,  0,  1,  2], dtype=int32)
    """
    near = np.abs(y - level) <= LEVEL * max(1.0, abs(level))
    side = np.where(near, 0, np.where(y > level, 1, -1))
    return np.where(np.isnan(y), NOTHING, side).astype(np.int32)


def _inside(low: Floats, high: Floats, parts: int) -> Floats:
    """Return ``parts`` evenly spaced points inside each bracket, in order."""
    share = np.arange(1, parts + 1) / (parts + 1)
    return (low[:, None] + (high - low)[:, None] * share).ravel()


def looked_at(ask: Ask, x: Floats) -> Curve:
    """Ask for points in order.

    Examples
    --------
    >>> looked_at(lambda x: 2 * x, np.array([0.0, 0.5])).y
    array([[0., 1.]])
    """
    return Curve(x=frozen(x), y=frozen(np.atleast_2d(ask(x))))


def _narrowed(
    ask: Ask, curve: Curve, differs: Callable[[Floats, Floats], Bools], close: float, most: int, solved: Floats
) -> Curve:
    """Cut every bracket until it is narrow or the points are used up; one with a single solved breakpoint inside needs no cutting."""
    used = 0
    while True:
        wide = differs(curve.y[:, :-1], curve.y[:, 1:]) & (np.diff(curve.x) > close)
        wide &= np.diff(np.searchsorted(solved, curve.x)) != 1
        place = np.flatnonzero(wide)
        if not len(place) or used >= most:
            return curve
        parts = FINE if len(place) <= FEW else COARSE
        if used + len(place) * parts > most:  # the widest first, one point each
            parts = 1
            order = np.argsort(-(curve.x[place + 1] - curve.x[place]), kind="stable")
            place = np.sort(place[order[: most - used]])
        x = _inside(curve.x[place], curve.x[place + 1], parts)
        used += len(x)
        curve = curve.with_points(x, np.atleast_2d(ask(x)))


def _kept(ask: Ask, low: Floats, high: Floats, before: Floats, after: Floats) -> Bools:
    """Tell for each bracket (k,) with answers (q, k) at its ends whether a difference stays when it is cut into 32: a jump."""
    if not len(low):
        return np.zeros(0, dtype=np.bool_)
    inner = np.atleast_2d(ask(_inside(low, high, TELL))).reshape(len(before), len(low), TELL)
    whole = np.concatenate([before[:, :, None], inner, after[:, :, None]], axis=2)
    old = np.abs(after - before)
    with np.errstate(invalid="ignore"):
        new = np.nan_to_num(np.abs(np.diff(whole, axis=2)), nan=0.0).max(axis=2)
    noise = NOISE * np.maximum(1.0, np.maximum(np.abs(before), np.abs(after)))
    return ((new > KEPT * old) & (old > noise)).any(axis=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """Neighbouring points on one side."""

    side: int
    first: int
    last: int


def _runs(side: Ints) -> list[_Run]:
    """Group neighbouring points on the same side."""
    starts = np.concatenate([[0], np.flatnonzero(np.diff(side)) + 1])
    stops = np.concatenate([starts[1:], [len(side)]])
    return [_Run(side=int(side[a]), first=int(a), last=int(b) - 1) for a, b in zip(starts, stops, strict=True)]


def cross(
    ask: Ask, curve: Curve, level: float, *, close: float = CLOSE, most: int = MOST_POINTS, solved: Floats | None = None
) -> tuple[Curve, tuple[Crossing, ...], tuple[Stretch, ...]]:
    """Find where a curve crosses a level.

    Parameters
    ----------
    ask
        Points in, answers out; NaN where there is none.
    curve
        A scan, two points or more.
    level
        The level. At it counts as above: a crossing is a change between below and not below.
    close
        How tightly each is bracketed.
    most
        Ask for at most so many more points.
    solved
        Points, in order, at which it is proved that the curve may jump: a bracket with one of them is not cut, and the crossing is there.

    Returns
    -------
    tuple
        The curve with all points, the crossings, and the stretches that are neither below nor above; each in order. A crossing inside a
        stretch without answers is no crossing but says so in :attr:`Stretch.crosses`.

    Examples
    --------
    >>> ask = lambda x: np.sin(7 * x)
    >>> [round(one.value, 5) for one in cross(ask, looked_at(ask, np.linspace(0, 1, 17)), 0.5)[1]]
    [0.0748, 0.374, 0.9724]
    """

    def differs(left: Floats, right: Floats) -> Bools:
        return sides_of(left[0], level) != sides_of(right[0], level)

    half = close / 2  # a point at the level parts a bracket in two
    at = np.zeros(0) if solved is None else solved
    curve = _narrowed(ask, curve, differs, half, most, at)
    runs = _runs(sides_of(curve.y[0], level))
    x, y = curve.x, curve.y[0]
    point = [one.side == 0 and x[one.last] - x[one.first] <= half for one in runs]
    pairs: list[tuple[int, int, float | None]] = []
    stretches: list[Stretch] = []
    for k, one in enumerate(runs):
        before, after = (runs[k - 1] if k else None), (runs[k + 1] if k + 1 < len(runs) else None)
        sided = {-1, 1}
        through = before is not None and after is not None and {before.side, after.side} == sided
        if point[k] and through and before is not None and after is not None:
            pairs.append((before.last, after.first, float(x[one.first] + x[one.last]) / 2))
        elif one.side in (0, NOTHING):
            names = [NAMES[near.side] if near else "end" for near in (before, after)]
            kind = "none" if one.side == NOTHING else "touch" if point[k] else "level"
            low, high = float(x[one.first]), float(x[one.last])
            stretches.append(Stretch(kind=kind, low=low, high=high, before=names[0], after=names[1]))
        if before is None or point[k] or point[k - 1] or NOTHING in (one.side, before.side):
            continue
        if (one.side < 0) != (before.side < 0):
            pairs.append((before.last, one.first, None))
    low, high = np.array([a for a, _, _ in pairs], dtype=np.int64), np.array([b for _, b, _ in pairs], dtype=np.int64)
    if solved is None:
        jump = _kept(ask, x[low], x[high], y[None, low], y[None, high])
    else:
        with np.errstate(invalid="ignore"):
            jump = np.abs(y[high] - y[low]) > SOLVED * _spread(curve)[0]
    found: list[Crossing] = []
    for (a, b, exact), leaps in zip(pairs, jump, strict=True):
        ends, point_of = around(float(x[a]), float(x[b]), at, close)
        found.append(
            Crossing(
                low=ends[0], high=ends[1], before=float(y[a]), after=float(y[b]), rises=bool(y[b] > y[a]), jump=bool(leaps),
                exact=exact if point_of is None else point_of,
            )
        )  # fmt: skip
    return curve, tuple(found), tuple(stretches)


def around(low: float, high: float, solved: Floats, close: float) -> tuple[tuple[float, float], float | None]:
    """Return a bracket, drawn together around the solved breakpoint in it if there is one; and that breakpoint.

    Examples
    --------
    >>> around(0.25, 0.75, np.array([0.5]), 0.25)
    ((0.375, 0.625), 0.5)
    """
    inside = solved[(solved >= low) & (solved <= high)]
    if len(inside) != 1:
        return (low, high), None
    point = float(inside[0])
    return (max(low, point - close / 2), min(high, point + close / 2)), point


def jumps(
    ask: Ask, curve: Curve, share: float, *, close: float = CLOSE, most: int = MOST_POINTS, solved: Floats | None = None
) -> tuple[Curve, tuple[tuple[int, int], ...], tuple[Stretch, ...]]:
    """Find where one of several curves jumps.

    Parameters
    ----------
    ask
        Points (p,) in, answers (q, p) out.
    curve
        A scan.
    share
        What counts as a jump: a difference of more than this share of what the curve takes over the scan, greatest less least, that is left when the bracket
        is narrow and stays when it is cut into 32. Where breakpoints are solved, of 10⁻⁴ of it across one of them.
    close, most, solved
        As for :func:`cross`.

    Returns
    -------
    tuple
        The curve with all points, the brackets of the jumps as pairs of places in it, and the stretches without answers.

    Examples
    --------
    >>> ask = lambda x: np.stack([x, (x > 0.3).astype(float)])
    >>> found, places, _ = jumps(ask, looked_at(ask, np.linspace(0, 1, 9)), 0.01)
    >>> [(round(float(found.x[a]), 5), round(float(found.x[b]), 5)) for a, b in places]
    [(0.3, 0.3)]
    """
    bound = jump_bound(curve, share if solved is None else SOLVED)[:, None]

    def differs(left: Floats, right: Floats) -> Bools:
        lost = np.isnan(left) != np.isnan(right)
        with np.errstate(invalid="ignore"):
            return ((np.abs(right - left) > bound) | lost).any(axis=0)

    half = close / 2
    if solved is None:
        curve = _narrowed(ask, curve, differs, half, most, np.zeros(0))
    x, y = curve.x, curve.y
    with np.errstate(invalid="ignore"):
        change = (np.abs(np.diff(y, axis=1)) > bound).any(axis=0)
    if solved is not None:
        change &= np.diff(np.searchsorted(solved, x)) > 0
    places = [(int(k), int(k) + 1) for k in np.flatnonzero(change)]
    merged: list[tuple[int, int]] = []
    for a, b in places:  # a tie between two jumps is part of one switch
        if solved is None and merged and x[b] - x[merged[-1][0]] <= close:
            merged[-1] = (merged[-1][0], b)
        else:
            merged.append((a, b))
    if solved is not None:
        return curve, tuple(merged), _gaps(curve)
    low, high = np.array([a for a, _ in merged], dtype=np.int64), np.array([b for _, b in merged], dtype=np.int64)
    real = _kept(ask, x[low], x[high], y[:, low], y[:, high])
    return curve, tuple(one for one, leaps in zip(merged, real, strict=True) if leaps), _gaps(curve)


def jump_bound(curve: Curve, share: float = SOLVED) -> Floats:
    """Return how far each curve must leap for a jump, (q,): a share of what it takes over the scan, and more than rounding.

    Examples
    --------
    >>> jump_bound(Curve(x=np.array([0.0, 1.0]), y=np.array([[2.0, 4.0]])), 0.25)
    array([0.5])
    """
    size = np.where(np.isfinite(curve.y), np.abs(curve.y), 0.0).max(axis=1)
    return np.maximum(share * _spread(curve), NOISE * np.maximum(1.0, size))


def _spread(curve: Curve) -> Floats:
    """Return what each curve takes over the scan, greatest less least, (q,)."""
    known = np.isfinite(curve.y)
    top, bottom = np.where(known, curve.y, -np.inf).max(axis=1), np.where(known, curve.y, np.inf).min(axis=1)
    return np.where(known.any(axis=1), top - bottom, 0.0)


def _gaps(curve: Curve) -> tuple[Stretch, ...]:
    """Name the stretches in which some answer is missing."""
    side = np.where(np.isnan(curve.y).any(axis=0), NOTHING, 1).astype(np.int32)
    runs = _runs(side)
    out: list[Stretch] = []
    for k, one in enumerate(runs):
        if one.side == NOTHING:
            ends: Any = ["above" if 0 <= j < len(runs) else "end" for j in (k - 1, k + 1)]
            out.append(
                Stretch(
                    kind="none",
                    low=float(curve.x[one.first]),
                    high=float(curve.x[one.last]),
                    before=ends[0],
                    after=ends[1],
                )
            )
    return tuple(out)
