"""Numbers for a stated order: every cardinalisation of it equally likely, exactly.

A strict partial order of *n* members allows the numbers of its order polytope: all points of the unit cube in which the better of two
ordered members has the greater coordinate. The polytope is cut by the linear extensions of the order (all ways to put its members in
one row) into simplices of equal volume (Stanley 1986), so a uniform point of it is a uniformly chosen linear extension whose places
take sorted uniforms. Linear extensions are counted, and chosen, by dynamic programming over down-sets: sets that hold with a member
everything worse. Scaled to worst = 0 and best = 1, the *n* − 2 places between take sorted uniforms again.

:func:`cardinalise` is that map from the unit cube, and deterministic, so an order can be one factor of a Sobol analysis. Its draws are
exact and independent: the effective sample size is the number of draws, which no random walk reaches. Where an order has too many
down-sets for it, :func:`hit_and_run` walks through the polytope instead (Smith 1984), and :func:`effective_size` measures what that costs
(initial monotone sequence: Geyer 1992).

Sources: R. P. Stanley, "Two poset polytopes", Discrete & Computational Geometry 1 (1986), §1 and §4; G. Brightwell and P. Winkler,
"Counting linear extensions", Order 8 (1991); R. L. Smith, "Efficient Monte Carlo procedures for generating points uniformly
distributed over bounded regions", Operations Research 32 (1984); C. J. Geyer, "Practical Markov chain Monte Carlo", Statistical
Science 7 (1992), §3.3.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from sim.errors import OptionError
from sim.kinds import frozen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from sim.kinds import Floats, Keys

__all__ = [
    "MOST_DOWN_SETS",
    "MOST_MEMBERS",
    "Measure",
    "Poset",
    "cardinalise",
    "count_extensions",
    "cycle_of",
    "draw",
    "effective_size",
    "exact",
    "extensions",
    "hit_and_run",
    "width",
]

Measure = Literal["uniform", "dirichlet"]

MOST_MEMBERS = 62
"""Members that an order may have: a down-set is a mask of one machine word."""

MOST_DOWN_SETS = 2**20
"""Down-sets up to which linear extensions are counted."""

GAP = 1e-12
"""The least distance between two neighbours: sampled numbers may tie in floating point, those of a strict order may not."""

MOST_CELLS = 2**18  # of the tables that are kept for all down-sets; larger ones are made for those that are met
BITS = 20  # of one coordinate that choices of the extension use up
BELOW_ONE = math.nextafter(1.0, 0.0)
CHAINS = 64
NOISE = 1e-20  # a variance that rounding makes
FEWEST = 4  # draws of a chain from which its autocovariance is estimated


@dataclass(frozen=True, slots=True, kw_only=True)
class Poset:
    """A strict partial order of the members 0 … size − 1; ``above`` lists pairs (better, worse), from which the rest follows.

    Raises
    ------
    OptionError
        For fewer than 2 or more than 62 members, pairs that name no member, and circles.

    Examples
    --------
    >>> count_extensions(Poset(size=3, above=((0, 1), (0, 2))))
    2
    """

    size: int
    above: tuple[tuple[int, int], ...]

    def __post_init__(self) -> None:
        """Check that it is an order."""
        if not 2 <= self.size <= MOST_MEMBERS:  # noqa: PLR2004
            raise OptionError(f"an order has {self.size} members; expected 2 to {MOST_MEMBERS}")
        if any(not 0 <= member < self.size for pair in self.above for member in pair):
            raise OptionError(f"an order of {self.size} members names another; expected numbers from 0")
        circle = cycle_of(self.above)
        if circle:
            raise OptionError(f"an order puts a member above itself: {' > '.join(map(str, circle))}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lattice:
    """The down-sets of an order by size, sorted, and in how many ways each can be completed.

    ``tables`` holds the steps out of all down-sets of each size, or is empty if that were too much.
    """

    size: int
    worse: tuple[int, ...]
    layers: tuple[Keys, ...]
    ways: tuple[Floats, ...]
    choices: int
    tables: tuple[tuple[Keys, Floats], ...] = ()

    @property
    def run(self) -> int:
        """How many steps in a row use one coordinate."""
        return max(1, int(BITS / math.log2(self.choices))) if self.choices > 1 else self.size

    @property
    def coordinates(self) -> int:
        """How many coordinates choose a linear extension."""
        return -(-(self.size - 1) // self.run) if self.choices > 1 else 0


def cycle_of(above: tuple[tuple[int, int], ...]) -> tuple[int, ...]:
    """Return members that stand above each other in a circle, the first again at the end; empty if there is none.

    Examples
    --------
    >>> cycle_of(((0, 1), (1, 2), (2, 1))), cycle_of(((0, 1), (0, 2)))
    ((1, 2, 1), ())
    """
    worse: dict[int, set[int]] = {member: set() for pair in above for member in pair}
    for better, other in above:
        worse[better].add(other)
    while free := [member for member, others in worse.items() if not others & worse.keys()]:
        for member in free:
            del worse[member]
    if not worse:
        return ()
    walk = [min(worse)]
    while walk[-1] not in walk[:-1]:
        walk.append(min(worse[walk[-1]] & worse.keys()))
    return tuple(walk[walk.index(walk[-1]) :])


def _open(lattice_worse: tuple[int, ...], masks: Keys) -> Iterator[tuple[int, NDArray[np.bool_]]]:
    """Yield each member, and which down-sets it can join: all that is worse is there, and it is not."""
    for member, worse in enumerate(lattice_worse):
        yield member, ((masks & (worse | 1 << member)) == worse)


def _layers(order: Poset) -> tuple[tuple[int, ...], list[Keys]] | None:
    """List the down-sets by size, or None if there are too many."""
    worse = [0] * order.size
    for better, other in order.above:
        worse[better] |= 1 << other
    below = tuple(worse)
    layers: list[Keys] = [np.zeros(1, dtype=np.int64)]
    total = 1
    for size in range(order.size):
        last = layers[-1]
        joins = [(member, last[free]) for member, free in _open(below, last)]
        if (
            total + sum(found.size for _, found in joins) / (size + 1) > MOST_DOWN_SETS
        ):  # each is met at most size + 1 times
            return None
        layers.append(np.unique(np.concatenate([found | 1 << member for member, found in joins])))
        total += layers[-1].size
        if total > MOST_DOWN_SETS:
            return None
    return below, layers


def _ways(below: tuple[int, ...], layers: list[Keys], kind: type) -> list[NDArray[Any]]:
    """Count in how many ways each down-set can be completed, in floating point or exactly."""
    out: list[NDArray[Any]] = [np.ones(1, dtype=kind)]
    for masks, larger in zip(layers[-2::-1], layers[:0:-1], strict=True):
        found = np.zeros(masks.size, dtype=kind)
        for member, free in _open(below, masks):
            found[free] += out[-1][np.searchsorted(larger, masks[free] | 1 << member)]
        out.append(found)
    return out[::-1]


@lru_cache(maxsize=32)
def _lattice(order: Poset) -> _Lattice | None:
    """Make the down-sets of an order, or None if there are too many."""
    found = _layers(order)
    if found is None:
        return None
    below, layers = found
    ways = [frozen(one) for one in _ways(below, layers, np.float64)]
    choices = max(int(np.sum([free for _, free in _open(below, masks)], axis=0).max()) for masks in layers)
    plain = _Lattice(size=order.size, worse=below, layers=tuple(map(frozen, layers)), ways=tuple(ways), choices=choices)
    if sum(masks.size for masks in layers) * order.size > MOST_CELLS:
        return plain
    tables = tuple(_steps(plain, size, masks) for size, masks in enumerate(layers[:-1]))
    return _Lattice(size=order.size, worse=below, layers=plain.layers, ways=plain.ways, choices=choices, tables=tables)


def _required(order: Poset) -> _Lattice:
    """Return the down-sets, or say that there are too many."""
    found = _lattice(order)
    if found is None:
        raise OptionError(
            f"an order of {order.size} members has more than {MOST_DOWN_SETS:,} down-sets, too many for exact sampling; "
            "state more of the order, split it into several orders, or sample it at random, which walks by hit-and-run"
        )
    return found


def _steps(lattice: _Lattice, size: int, masks: Keys) -> tuple[Keys, Floats]:
    """Tell the steps out of down-sets of one size: where each member leads, and the chance of it or one before; shapes (m, n)."""
    larger, ways = lattice.layers[size + 1], lattice.ways[size + 1]
    to = np.zeros((masks.size, lattice.size), dtype=np.int64)
    weight = np.zeros((masks.size, lattice.size))
    for member, free in _open(lattice.worse, masks):
        to[free, member] = np.searchsorted(larger, masks[free] | 1 << member)
        weight[free, member] = ways[to[free, member]]
    upper = np.cumsum(weight, axis=1)
    return frozen(to), frozen(upper / upper[:, -1:])


def exact(order: Poset) -> bool:
    """Tell whether an order has few enough down-sets to be sampled exactly.

    Examples
    --------
    >>> exact(Poset(size=5, above=())), exact(Poset(size=30, above=()))
    (True, False)
    """
    return _lattice(order) is not None


def count_extensions(order: Poset) -> int:
    """Count the linear extensions of an order: in how many ways its members stand in one row.

    Raises
    ------
    OptionError
        For more than 2²⁰ down-sets.

    Examples
    --------
    >>> count_extensions(Poset(size=4, above=())), count_extensions(Poset(size=4, above=((0, 1), (2, 3))))
    (24, 6)
    """
    lattice = _required(order)
    found = float(lattice.ways[0][0])
    if found < 2**53:  # then every sum on the way was a whole number without rounding
        return int(found)
    return int(_ways(lattice.worse, list(lattice.layers), object)[0][0])


def width(order: Poset, measure: Measure = "uniform") -> int:
    """Say how many coordinates of the unit cube :func:`cardinalise` needs.

    A few choose the linear extension (none for a total order), the others the places between worst and best: n − 2 sorted uniforms, or
    n − 1 gaps.

    Raises
    ------
    OptionError
        For more than 2²⁰ down-sets.

    Examples
    --------
    >>> total = Poset(size=4, above=((0, 1), (1, 2), (2, 3)))
    >>> width(total), width(total, "dirichlet"), width(Poset(size=4, above=((0, 1),)))
    (2, 3, 3)
    """
    return _required(order).coordinates + _places(order.size, measure)


def _places(size: int, measure: str) -> int:
    """Count the coordinates of the places; the two members of a pair are worst and best, and nothing is left."""
    return 0 if size == 2 else size - (2 if measure == "uniform" else 1)  # noqa: PLR2004


def extensions(order: Poset, unit: Floats) -> Keys:
    """Map points of the unit cube to linear extensions, each equally likely.

    Parameters
    ----------
    order
        The order.
    unit
        Shape (v, k); the first coordinates choose, as many as the extension needs.

    Returns
    -------
    array
        Shape (v, n): the members from worst to best.

    Examples
    --------
    >>> extensions(Poset(size=3, above=((0, 1), (0, 2))), np.array([[0.2], [0.7]]))
    array([[1, 2, 0],
           [2, 1, 0]])
    """
    lattice = _required(order)
    count = len(unit)
    out = np.empty((count, order.size), dtype=np.int64)
    state, rows = np.zeros(count, dtype=np.int64), np.arange(count)
    left = np.zeros(count)
    for step in range(order.size):
        if lattice.coordinates and step % lattice.run == 0 and step < order.size - 1:
            left = np.clip(unit[:, step // lattice.run], 0.0, BELOW_ONE)
        if lattice.tables:
            to, upper = lattice.tables[step]
            here = state
        else:
            met, here = np.unique(state, return_inverse=True)
            to, upper = _steps(lattice, step, lattice.layers[step][met])
        ceiling = upper[here]
        member = (left[:, None] >= ceiling).sum(axis=1)
        top = ceiling[rows, member]
        floor = np.where(member > 0, ceiling[rows, member - 1], 0.0)
        left = np.clip((left - floor) / (top - floor), 0.0, BELOW_ONE)
        out[:, step], state = member, to[here, member]
    return out


def cardinalise(order: Poset, unit: Floats, measure: Measure = "uniform") -> Floats:
    """Map points of the unit cube to numbers that respect an order, the worst 0 and the best 1.

    Uniform points give independent, exact draws: with ``uniform`` every cardinalisation is equally likely (uniform on the order
    simplex or polytope, scaled); with ``dirichlet`` every linear extension is equally likely, and the gaps between neighbours are
    Dirichlet(½, …, ½), which favours unequal gaps.

    Parameters
    ----------
    order
        The order.
    unit
        Shape (v, k), from 0 to 1, with k from :func:`width`.
    measure
        ``"uniform"`` or ``"dirichlet"``.

    Returns
    -------
    array
        Shape (v, n); neighbours are at least 10⁻¹² apart.

    Raises
    ------
    OptionError
        For more than 2²⁰ down-sets, an unknown measure, or a wrong number of coordinates.

    Examples
    --------
    >>> total = Poset(size=4, above=((0, 1), (1, 2), (2, 3)))
    >>> cardinalise(total, np.array([[0.75, 0.25]])).round(6)
    array([[1.  , 0.75, 0.25, 0.  ]])
    """
    if measure not in ("uniform", "dirichlet"):
        raise OptionError(f"there is no measure '{measure}' for orders; expected uniform or dirichlet")
    points = np.asarray(unit, dtype=np.float64)
    wanted = width(order, measure)
    if points.ndim != 2 or points.shape[1] != wanted:  # noqa: PLR2004
        raise OptionError(f"points of shape {points.shape} are given to an order; expected (v, {wanted})")
    places = points[:, wanted - _places(order.size, measure) :]
    return _placed(extensions(order, points), _levels(order.size, places, measure))


def _placed(rows: Keys, levels: Floats) -> Floats:
    """Give each member the level of its place."""
    out = np.empty(levels.shape)
    np.put_along_axis(out, rows, levels, axis=1)
    return out


def _levels(size: int, places: Floats, measure: str) -> Floats:
    """Make rising levels from 0 to 1, shape (v, n)."""
    levels = np.zeros((len(places), size))
    if size > 2 and measure == "uniform":  # noqa: PLR2004
        levels[:, 1:-1] = np.sort(places, axis=1)
    elif size > 2:  # noqa: PLR2004
        from scipy.special import ndtri

        # A gamma(½) variable is half a squared normal one, and |normal| has the quantile Φ⁻¹((1 + u) / 2).
        gaps = np.square(ndtri(np.minimum((1.0 + places) / 2.0, BELOW_ONE))) / 2.0
        total = gaps.sum(axis=1, keepdims=True)
        gaps = np.where(total > 0, gaps / np.where(total > 0, total, 1.0), 1.0 / (size - 1))
        levels[:, 1:-1] = np.cumsum(gaps, axis=1)[:, :-1]
    return _strict(levels)


def _strict(levels: Floats) -> Floats:
    """Part neighbours that tie, and fix the ends."""
    size = levels.shape[1]
    out = np.clip(levels, 0.0, 1.0) * (1.0 - (size - 1) * GAP) + GAP * np.arange(size)
    out[:, 0], out[:, -1] = 0.0, 1.0
    return out


# -- walking ----------------------------------------------------------------------------------------------------------


def _starts(order: Poset, count: int, rng: np.random.Generator) -> Floats:
    """Start chains far apart: members in some row that the order allows, at sorted uniforms; shape (c, n)."""
    out = np.empty((count, order.size))
    for chain in range(count):
        left = set(range(order.size))
        row: list[int] = []
        while left:
            free = sorted(left - {better for better, other in order.above if other in left})
            row.append(free[int(rng.integers(len(free)))])
            left.remove(row[-1])
        out[chain, row] = np.sort(rng.random(order.size))
    return out


def hit_and_run(order: Poset, count: int, rng: np.random.Generator) -> tuple[Floats, float]:
    """Draw from the order polytope by a random walk: a random direction, then a uniform point of the chord.

    Up to 64 chains start far apart, take 2n² steps that are forgotten, and are read every 4n steps.

    Parameters
    ----------
    order
        The order.
    count
        How many draws, v.
    rng
        Where chance comes from.

    Returns
    -------
    values, effective size
        Shape (v, n), the worst of each draw 0 and the best 1; and to how many independent draws they amount, at the worst member.

    Examples
    --------
    >>> values, size = hit_and_run(Poset(size=3, above=((0, 1), (0, 2))), 500, np.random.default_rng(0))
    >>> bool((values[:, 0] == 1).all()), 100 < size <= 500
    (True, True)
    """
    chains = max(1, min(CHAINS, count))
    kept = -(-count // chains)
    point = _starts(order, chains, rng)
    better = np.array([pair[0] for pair in order.above], dtype=np.int64)
    worse = np.array([pair[1] for pair in order.above], dtype=np.int64)
    out = np.empty((kept, chains, order.size))
    forgotten, apart = 2 * order.size**2, 4 * order.size
    for step in range(1, forgotten + kept * apart + 1):
        way = rng.standard_normal(point.shape)
        room = np.concatenate([point[:, better] - point[:, worse], point, 1.0 - point], axis=1)
        pace = np.concatenate([way[:, better] - way[:, worse], way, -way], axis=1)
        reach = -np.maximum(room, 0.0) / np.where(pace == 0, 1.0, pace)
        low = np.where(pace > 0, reach, -np.inf).max(axis=1)
        high = np.where(pace < 0, reach, np.inf).min(axis=1)
        point = np.clip(point + way * (low + (high - low) * rng.random(chains))[:, None], 0.0, 1.0)
        read, rest = divmod(step - forgotten, apart)
        if rest == 0 and read > 0:
            out[read - 1] = point
    row = np.argsort(out, axis=2, kind="stable")
    sorted_ = np.take_along_axis(out, row, axis=2)
    scaled = (sorted_ - sorted_[..., :1]) / np.maximum(sorted_[..., -1:] - sorted_[..., :1], np.finfo(float).tiny)
    values = _placed(row.reshape(-1, order.size), _strict(scaled.reshape(-1, order.size)))
    size = effective_size(values.reshape(kept, chains, order.size).transpose(1, 0, 2))
    return values[:count], min(float(count), size)


def effective_size(chains: Floats) -> float:
    """Estimate to how many independent draws dependent ones amount, by the initial monotone sequence of autocovariances (Geyer 1992).

    Parameters
    ----------
    chains
        Shape (c, s, n): chains, draws of each, numbers of each draw.

    Returns
    -------
    float
        The least over the numbers, at most c·s; numbers that never change are left out. With fewer than 4 draws a chain counts as one.

    Examples
    --------
    >>> effective_size(np.random.default_rng(0).random((4, 1000, 2))) > 3000
    True
    """
    count, draws, _ = chains.shape
    if draws < FEWEST:
        return float(count)
    centred = chains - chains.mean(axis=(0, 1))
    power = np.abs(np.fft.rfft(centred, n=2 * draws, axis=1)) ** 2
    covariance = np.fft.irfft(power, axis=1)[:, :draws].mean(axis=0) / draws  # (s, n)
    pairs = covariance[: draws // 2 * 2].reshape(-1, 2, chains.shape[2]).sum(axis=1)
    found = [float(count * draws)]
    for own, pair in zip(covariance[0], pairs.T, strict=True):
        if own <= NOISE:  # it never changes: the worst of a total order, say
            continue
        stop = int(np.argmax(pair <= 0)) if (pair <= 0).any() else pair.size
        time = (2.0 * np.minimum.accumulate(pair[:stop]).sum() - own) / own
        found.append(count * draws / max(float(time), 1.0))
    return min(found)


def draw(order: Poset, count: int, rng: np.random.Generator, measure: Measure = "uniform") -> tuple[Floats, float]:
    """Draw cardinalisations of an order: exactly where that is possible, else by hit-and-run.

    Returns
    -------
    values, effective size
        Shape (v, n), as from :func:`cardinalise`; and to how many independent draws they amount: to all where they are exact.

    Examples
    --------
    >>> draw(Poset(size=5, above=((0, 1),)), 100, np.random.default_rng(0))[1]
    100.0
    """
    if exact(order):
        return cardinalise(order, rng.random((count, width(order, measure))), measure), float(count)
    values, size = hit_and_run(order, count, rng)
    if measure == "uniform":
        return values, size
    levels = _levels(order.size, rng.random((count, order.size - 1)), measure)
    return _placed(np.argsort(values, axis=1, kind="stable"), levels), size
