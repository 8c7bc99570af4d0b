r"""All Nash equilibria of games of two players, one game or thousands of one shape.

The equilibria of a bimatrix game are a finite union of products of polytopes, the *maximal Nash components*; the vertices of those are the
*extreme equilibria*, and they are the completely labelled pairs of vertices of both players' best-reply polytopes. A component is a maximal clique of
the graph that joins :math:`x` and :math:`y` where :math:`(x, y)` is an extreme equilibrium. A nondegenerate game has an odd number of equilibria, each
of them a component by itself.

Games are first answered in floats. A comparison within the margin (1e-8 of a player's payoff range, or four ties) sends the game to whole numbers,
where nothing is rounded: there, payoffs nearer to each other than ``ties`` are one number, and a payoff very near to a simple fraction is read
as that fraction (:func:`sim.numerics.exact_vertices.rationals`).

How completeness is known, for each game:

``proved``
    Whole numbers; or signs of differences (one action left on a side, or two on both); or in floats where every comparison on which
    completeness hangs was decided with the margin, and the number found is odd.
``index check only``
    Too large for whole numbers, doubtful in floats; but what was found is odd in number and the indices sum to 1.
``not claimed``
    Neither.

Sources: Avis, D., Rosenberg, G., Savani, R. & von Stengel, B. (2010) Enumeration of Nash equilibria for two-player games, Economic Theory 42:9-37;
Winkels, H. (1979) An algorithm to determine all equilibrium points of a bimatrix game, in Game Theory and Related Topics; Shapley, L. (1974) A note on the
Lemke-Howson algorithm, Mathematical Programming Study 1:175-189 (indices).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.errors import NoAnswerError, OptionError
from sim.game.strategic import measure_pairs
from sim.kinds import frozen

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sim.kinds import Bools, Floats, Keys

__all__ = ["COMPLETE", "TIES", "TOLERANCE", "Component", "Equilibria", "Equilibrium", "components", "equilibria"]

TIES = 1e-9
TOLERANCE = 1e-8  # regret above which a profile is not an answer, in units of the player's range
COMPLETE = ("proved", "index check only", "not claimed")
LARGEST_TIE = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Equilibrium:
    """One extreme equilibrium of a game of two players.

    Attributes
    ----------
    row, column : float arrays, (m,) and (n,)
    values : float array, (2,)
        What each player earns.
    max_regret : float
        Measured by the referee, in units of each player's range.
    component : tuple of int
        The maximal Nash components that it belongs to; more than one where components meet.
    complete : str
        How it is known that the list it stands in is complete.
    """

    row: Floats
    column: Floats
    values: Floats
    max_regret: float
    component: tuple[int, ...]
    complete: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Component:
    """A maximal Nash component: every mixture of ``rows`` against every mixture of ``columns`` is an equilibrium.

    Attributes
    ----------
    rows, columns : float arrays, (k, m) and (l, n)
        The vertices.
    members : tuple of int
        Places of its extreme equilibria in the list.
    """

    rows: Floats
    columns: Floats
    members: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Equilibria:
    """All equilibria of many games; ``result[v]`` is the tuple for game v.

    Attributes
    ----------
    offsets : int array, (v + 1,)
        Those of game v stand at ``offsets[v]`` to ``offsets[v + 1] - 1``, sorted: more weight on earlier rows first, then on earlier columns.
    row, column : float arrays, (k, m) and (k, n)
    values : float array, (k, 2)
    max_regret : float array, (k,)
        Measured by the referee, in units of each player's range.
    degenerate : bool array, (v,)
        Whether a tie was met that may bear on the equilibria; ties of actions that are beaten anyway are not looked for.
    completeness : small int array, (v,)
        Places in ``COMPLETE``.

    Examples
    --------
    >>> found = equilibria([[[3, 2], [4, 1]], [[3, 1], [4, 2]]], [[[3, 4], [2, 1]], [[3, 4], [1, 2]]])
    >>> len(found), found.counts, found.complete
    (2, array([3, 1]), array(['proved', 'proved'], dtype='<U16'))
    >>> found[1][0].row
    array([0., 1.])
    """

    offsets: Keys
    row: Floats
    column: Floats
    values: Floats
    max_regret: Floats
    degenerate: Bools
    completeness: Any

    def __len__(self) -> int:
        return len(self.degenerate)

    def __iter__(self) -> Iterator[tuple[Equilibrium, ...]]:
        return (self[v] for v in range(len(self)))

    def __getitem__(self, v: int) -> tuple[Equilibrium, ...]:
        v = range(len(self))[v]
        first, stop = int(self.offsets[v]), int(self.offsets[v + 1])
        labels: list[list[int]] = [[] for _ in range(stop - first)]
        for number, (_, _, members) in enumerate(_cliques(self.row[first:stop], self.column[first:stop])):
            for k in members:
                labels[k].append(number)
        return tuple(
            Equilibrium(
                row=self.row[first + k],
                column=self.column[first + k],
                values=self.values[first + k],
                max_regret=float(self.max_regret[first + k]),
                component=tuple(labels[k]),
                complete=COMPLETE[self.completeness[v]],
            )
            for k in range(stop - first)
        )

    @property
    def counts(self) -> Keys:
        """Number of extreme equilibria of each game, (v,)."""
        return np.diff(self.offsets)

    @property
    def complete(self) -> Any:
        """How completeness is known for each game, an array of words, (v,)."""
        return np.array(COMPLETE)[self.completeness]


def _cliques(row: Floats, column: Floats) -> list[tuple[list[int], list[int], tuple[int, ...]]]:
    """Return the maximal cliques: for each, one place per row vertex, one per column vertex, and its members; ordered by members.

    The columns of a maximal clique are an intersection of neighbourhoods, and every intersection that is not empty gives one.
    """
    xs: dict[bytes, int] = {}
    ys: dict[bytes, int] = {}
    pairs = [
        (xs.setdefault(x.tobytes(), k), ys.setdefault(y.tobytes(), k))
        for k, (x, y) in enumerate(zip(row, column, strict=True))
    ]
    if len(xs) == len(ys) == len(pairs):
        return [([k], [k], (k,)) for k in range(len(pairs))]
    near: dict[int, set[int]] = {}
    for x, y in pairs:
        near.setdefault(x, set()).add(y)
    closed = {frozenset(some) for some in near.values()}
    fresh = list(closed)
    while fresh:
        one = fresh.pop()
        for some in near.values():
            both = one & some
            if both and both not in closed:
                closed.add(both)
                fresh.append(both)
    out = [
        (
            (left := [x for x, some in near.items() if some >= right]),
            sorted(right),
            tuple(k for k, (x, y) in enumerate(pairs) if y in right and x in left),
        )
        for right in closed
    ]
    return sorted(out, key=lambda clique: clique[2])


def components(found: Sequence[Equilibrium]) -> tuple[Component, ...]:
    """Return the maximal Nash components of one game, in the order that :attr:`Equilibrium.component` counts them.

    Examples
    --------
    >>> found = equilibria([[1, 1], [0, 1]], [[1, 1], [0, 1]])
    >>> [len(component.members) for component in components(found)]
    [2, 2]
    """
    if not found:
        return ()
    row, column = np.stack([one.row for one in found]), np.stack([one.column for one in found])
    return tuple(
        Component(rows=frozen(row[left]), columns=frozen(column[right]), members=members)
        for left, right, members in _cliques(row, column)
    )


def _matrices(a: Any, b: Any) -> tuple[Floats, Floats]:
    """Return both payoffs as contiguous float arrays of one shape, (m, n) or (v, m, n)."""
    try:
        first, second = (np.ascontiguousarray(x, dtype=np.float64) for x in (a, b))
    except (TypeError, ValueError) as error:
        message = f"payoffs are not arrays of numbers ({error}); expected two arrays of shape (m, n) or (v, m, n)"
        raise OptionError(message) from None
    if first.shape != second.shape or first.ndim not in (2, 3) or 0 in first.shape[-2:]:
        message = (
            f"payoffs have shapes {first.shape} and {second.shape}; expected two arrays of one shape, (m, n) or (v, m, n), "
            "with the row player's actions before the column player's; several players: one_equilibrium"
        )
        raise OptionError(message)
    return first, second


def _exact(a: Floats, b: Floats, ties: float) -> Floats:
    """Return the extreme equilibria of one game by whole numbers, (k, m + n)."""
    from sim.numerics.exact_vertices import exact_pairs, whole

    pairs = exact_pairs(whole(a.tolist(), ties=ties), whole(b.tolist(), ties=ties))
    found = np.array([[float(share) for share in (*x, *y)] for x, y in pairs])
    _, regret = measure_pairs(a[None], b[None], np.array([0, len(found)]), found[:, : len(a)], found[:, len(a) :])
    if ties > 0 and regret.max() > TOLERANCE:
        return _exact(a, b, 0.0)  # reading near payoffs as one moved too much
    return found


def _index(a: Floats, b: Floats, pair: Floats) -> int:
    """Return the index of an isolated equilibrium with equal supports, else 0."""
    rows, columns = np.flatnonzero(pair[: len(a)]), np.flatnonzero(pair[len(a) :])
    if len(rows) != len(columns):
        return 0
    support = np.ix_(rows, columns)
    signs = [np.linalg.slogdet((x - x.min() + max(1.0, float(np.ptp(x))))[support])[0] for x in (a, b)]
    return int((-1) ** (len(rows) + 1) * signs[0] * signs[1])


def _doubtful(a: Floats, b: Floats, floats: Floats, ties: float) -> tuple[Floats, int]:
    """Answer one doubtful game: the equilibria and how completeness is known."""
    try:
        return _exact(a, b, ties), 0
    except NoAnswerError:
        _, regret = measure_pairs(
            a[None], b[None], np.array([0, len(floats)]), floats[:, : len(a)], floats[:, len(a) :]
        )
        kept = np.unique(floats[regret <= TOLERANCE], axis=0)[::-1]
        if not len(kept):
            message = (
                f"no equilibrium of a {len(a)} × {a.shape[1]} game with ties was certified; strike out actions by hand"
            )
            raise NoAnswerError(message) from None
        checked = len(kept) % 2 == 1 and sum(_index(a, b, pair) for pair in kept) == 1
        return kept, 1 if checked else 2


def equilibria(a: Any, b: Any, *, ties: float = TIES) -> Any:
    """Find all extreme Nash equilibria of a game of two players, or of many games of one shape.

    Parameters
    ----------
    a, b
        Payoffs of the row and of the column player, (m, n) or (v, m, n).
    ties
        Payoffs of a player that differ by no more than this share of that player's range in the game count as equal; 0 takes every float at
        its word.

    Returns
    -------
    tuple of Equilibrium, or Equilibria
        For one game, its extreme equilibria, sorted; for many, one flat labelled result.

    Raises
    ------
    OptionError
        For wrong shapes, payoffs that are not finite, or a tie out of bounds.
    NoAnswerError
        For a game too large to enumerate.

    Examples
    --------
    >>> for one in equilibria([[3, 2], [4, 1]], [[3, 4], [2, 1]]):  # chicken
    ...     print(one.row, one.column, one.values, one.component)
    [1. 0.] [0. 1.] [2. 4.] (0,)
    [0.5 0.5] [0.5 0.5] [2.5 2.5] (1,)
    [0. 1.] [1. 0.] [4. 2.] (2,)
    """
    if not 0 <= ties <= LARGEST_TIE:
        message = f"ties is {ties}; expected a share of the payoff range from 0 to {LARGEST_TIE:g}"
        raise OptionError(message)
    first, second = _matrices(a, b)
    if first.ndim == 3:  # noqa: PLR2004
        return _many(first, second, ties)
    return _many(first[None], second[None], ties)[0]


def _many(a: Floats, b: Floats, ties: float) -> Equilibria:
    """Find the extreme equilibria of games of one shape, (v, m, n)."""
    from sim.numerics.flat import DOUBTFUL, INFINITE, SURE, TOO_LARGE, spliced
    from sim.numerics.vertices import labelled_pairs

    pairs, offsets, states = labelled_pairs(a, b, ties=ties)
    m, worst = a.shape[1], int(states.max(initial=SURE))
    if worst == INFINITE:
        place = "" if len(a) == 1 else f" of game {int(np.argmax(states == INFINITE))}"
        message = (
            f"payoffs{place} hold a number that is not finite, or span more than a float holds; expected finite numbers"
        )
        raise OptionError(message)
    if worst == TOO_LARGE:
        message = f"a {m} × {a.shape[2]} game has more vertices than are stored; strike out dominated actions, or ask for one equilibrium only"
        raise NoAnswerError(message)
    values, regret = measure_pairs(a, b, offsets, pairs[:, :m], pairs[:, m:])
    if float(regret.max(initial=0.0)) > TOLERANCE:
        states[np.repeat(np.arange(len(a)), np.diff(offsets))[regret > TOLERANCE]] = worst = DOUBTFUL
    completeness = np.zeros(len(a), np.int8)
    if worst == DOUBTFUL:
        where, known, parts = np.flatnonzero(states == DOUBTFUL), dict[bytes, tuple[Any, int]](), list[Any]()
        for v in where:
            key = a[v].tobytes() + b[v].tobytes()
            if key not in known:
                known[key] = _doubtful(a[v], b[v], pairs[offsets[v] : offsets[v + 1]], ties)
            parts.append(known[key][0])
            completeness[v] = known[key][1]
        others = np.cumsum([0, *map(len, parts)])
        offsets, pairs = spliced(offsets, pairs, where, others, np.concatenate(parts))
        values, regret = measure_pairs(a, b, offsets, pairs[:, :m], pairs[:, m:])
    pairs.setflags(write=False)
    return Equilibria(
        offsets=frozen(offsets),
        row=pairs[:, :m],
        column=pairs[:, m:],
        values=frozen(values),
        max_regret=frozen(regret),
        degenerate=frozen(states != SURE),
        completeness=frozen(completeness),
    )
