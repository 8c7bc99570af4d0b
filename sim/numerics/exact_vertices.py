r"""All vertices of :math:`\{z \ge 0 : Mz \le 1\}` in whole numbers, ties and all, and all completely labelled pairs of vertices of two such polytopes.

The walk goes over the edges of the polytope with right-hand sides moved by an infinitely small lexicographic amount. That polytope is simple, its graph
connected, and every vertex of the true one is the limit of one of its vertices; so none is missed. Dictionaries are kept in whole numbers with a common
denominator, so nothing is rounded.

Sources: Dantzig, G., Orden, A. & Wolfe, P. (1955) Generalized simplex method for minimizing a linear form under linear inequality restraints, Pacific
Journal of Mathematics 5:183-195 (lexicographic rule); Avis, D., Rosenberg, G., Savani, R. & von Stengel, B. (2010) Enumeration of Nash equilibria for
two-player games, Economic Theory 42:9-37 (integer pivoting, labelled vertices).
"""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, islice
from math import gcd, lcm

from sim.errors import NoAnswerError

__all__ = ["exact_pairs", "polytope_vertices", "rationals", "whole"]

READING = 100  # a number is read as a simple fraction where that moves it by no more than this part of a tie
SIMPLE, DECIMALS = 1000, 10**6
TRIALS = 60  # pairs of numbers tried as origin and unit


def _plain(x: float, origin: float, unit: float, near: float) -> Fraction | None:
    """Return a number as ``origin`` plus a simple fraction of ``unit``, if it is that near to one."""
    place = (x - origin) / unit
    for simple in (Fraction(round(place * DECIMALS), DECIMALS), Fraction(place).limit_denominator(SIMPLE)):
        if abs(place - float(simple)) * unit <= near:
            return Fraction(origin) + Fraction(unit) * simple
    return None


def rationals(numbers: list[float], *, ties: float) -> dict[float, Fraction]:
    """Read floats as the fractions that they are likely to stand for.

    Numbers within ``ties`` of a neighbour, as a share of the whole range, become one. A number within a hundredth of a tie of a simple fraction
    (denominator up to 1000, or six decimals) is read as that fraction, so that 0.1 + 0.2 and 0.3 are one number, and 0.1, 0.2 and 0.3 evenly spaced.
    Where more numbers are simple fractions of the way between two of them, as after a change of unit, they are read as such. Any other number is taken as
    it stands, and so is every number where ``ties`` is 0.

    Examples
    --------
    >>> read = rationals([0.1, 0.1 + 0.2, 0.3], ties=1e-9)
    >>> read[0.1], read[0.1 + 0.2], read[0.3]
    (Fraction(1, 10), Fraction(3, 10), Fraction(3, 10))
    >>> odd = rationals([0.0, 2**0.5 * 0.1, 2**0.5 * 0.2, 2**0.5 * 0.3], ties=1e-9)
    >>> odd[2**0.5 * 0.3] / odd[2**0.5 * 0.1], odd[2**0.5 * 0.2] / odd[2**0.5 * 0.1]
    (Fraction(3, 1), Fraction(2, 1))
    >>> read = rationals([0.0, 0.1 + 0.2, 0.3], ties=0.0)
    >>> read[0.1 + 0.2] == read[0.3]
    False
    """
    values = sorted(set(numbers))
    span = values[-1] - values[0]
    if ties <= 0 or not span:
        return {x: Fraction(x) for x in values}
    clusters = [[values[0]]]
    for x in values[1:]:
        if x - clusters[-1][-1] <= ties * span:
            clusters[-1].append(x)
        else:
            clusters.append([x])
    firsts = [cluster[0] for cluster in clusters]
    between = ((x, y - x) for x, y in islice(combinations(firsts, 2), TRIALS))
    best: dict[int, Fraction] = {}
    for origin, unit in ((0.0, 1.0), (values[0], span), *between):
        read: dict[int, Fraction] = {}
        for number, cluster in enumerate(clusters):
            plain = next(
                (f for x in cluster if (f := _plain(x, origin, unit, ties / READING * span)) is not None), None
            )
            if plain is not None:
                read[number] = plain
        best = max(best, read, key=len)
        if len(best) == len(clusters):
            break
    return {x: best.get(number, Fraction(cluster[0])) for number, cluster in enumerate(clusters) for x in cluster}


def whole(matrix: list[list[float]], *, ties: float) -> list[list[int]]:
    """Return a matrix of positive whole numbers, an increasing affine image of the matrix of fractions that the floats are read as.

    Examples
    --------
    >>> whole([[0.5, -1.0], [0.1 + 0.2, 0.3]], ties=1e-9)
    [[16, 1], [14, 14]]
    """
    read = rationals([x for row in matrix for x in row], ties=ties)
    least = min(read.values())
    scale = lcm(*((x - least).denominator for x in read.values()))
    out = {x: int((y - least) * scale) for x, y in read.items()}
    unit = gcd(*out.values()) or 1
    return [[out[x] // unit + 1 for x in row] for row in matrix]


def _leaving(table: list[list[int]], basic: list[int], cobasic: list[int], q: int, scale: int) -> int:
    """Return the row that leaves when column ``q`` enters: the lexicographically least ratio."""
    d = len(cobasic)
    rows = [i for i, row in enumerate(table) if row[q] > 0]
    best = rows[0]
    for i in rows[1:]:
        left, right = table[i][q], table[best][q]
        gap = table[i][d] * right - table[best][d] * left
        slack = d
        while gap == 0:  # the inverse of the basis, column by column, breaks the tie
            if slack in cobasic:
                p = cobasic.index(slack)
                gap = table[i][p] * right - table[best][p] * left
            else:
                k = basic.index(slack)
                gap = scale * right if k == i else (-scale * left if k == best else 0)
            slack += 1
        if gap < 0:
            best = i
    return best


def _pivot(table: list[list[int]], r: int, q: int, scale: int) -> list[list[int]]:
    """Return the dictionary after row ``r`` and column ``q`` have changed places; its denominator is ``table[r][q]``."""
    pivot, line = table[r][q], table[r]
    out: list[list[int]] = []
    for i, row in enumerate(table):
        if i == r:
            new = line.copy()
            new[q] = scale
        else:
            factor = row[q]
            new = [(x * pivot - factor * y) // scale for x, y in zip(row, line, strict=True)]
            new[q] = -factor
        out.append(new)
    return out


def polytope_vertices(matrix: list[list[int]], *, most: int = 20_000) -> list[tuple[int, tuple[int, ...]]]:
    """Return all vertices but the origin of ``{z >= 0: matrix z <= 1}``, each once.

    Parameters
    ----------
    matrix
        Positive whole numbers, h constraints by d variables.
    most
        Number of dictionaries at which to give up.

    Returns
    -------
    list of (labels, point)
        ``labels`` has bit ``q`` where variable ``q`` is zero, and bit ``d + i`` where constraint ``i`` is tight; ``point`` is the vertex
        up to a positive factor.

    Raises
    ------
    NoAnswerError
        If ``most`` is not enough.

    Examples
    --------
    >>> sorted(polytope_vertices([[2, 1], [1, 2]]))
    [(6, (1, 0)), (9, (0, 1)), (12, (1, 1))]
    >>> polytope_vertices([[1], [1]])  # both constraints are tight at once
    [(6, (1,))]
    """
    h, d = len(matrix), len(matrix[0])
    start = [[*row, 1] for row in matrix]
    queue = [(start, list(range(d, d + h)), list(range(d)), 1)]
    seen = {(1 << d) - 1}
    found: dict[int, tuple[int, ...]] = {}
    for table, basic, cobasic, scale in queue:  # the queue grows while it is read
        labels = sum(1 << label for label in cobasic)
        point = [0] * d
        for label, row in zip(basic, table, strict=True):
            if row[d] == 0:
                labels |= 1 << label
            elif label < d:
                point[label] = row[d]
        found[labels] = tuple(point)
        here = sum(1 << label for label in cobasic)
        for q in range(d):
            r = _leaving(table, basic, cobasic, q, scale)
            there = here ^ (1 << cobasic[q]) ^ (1 << basic[r])
            if there in seen:
                continue
            if len(queue) >= most:
                message = f"more than {most} dictionaries; strike out actions by hand, or ask for one equilibrium only"
                raise NoAnswerError(message)
            seen.add(there)
            new_basic, new_cobasic = basic.copy(), cobasic.copy()
            new_basic[r], new_cobasic[q] = cobasic[q], basic[r]
            queue.append((_pivot(table, r, q, scale), new_basic, new_cobasic, table[r][q]))
    return [(labels, point) for labels, point in found.items() if any(point)]


def _struck(a: list[list[int]], b: list[list[int]]) -> tuple[list[int], list[int]]:
    """Return the rows and columns left when lines beaten everywhere are struck out again and again."""
    rows, cols = list(range(len(a))), list(range(len(a[0])))
    while True:
        kept = [i for i in rows if not any(all(a[k][j] > a[i][j] for j in cols) for k in rows)]
        left = [j for j in cols if not any(all(b[i][k] > b[i][j] for i in kept) for k in cols)]
        if len(kept) == len(rows) and len(left) == len(cols):
            return rows, cols
        rows, cols = kept, left


def _shares(point: tuple[int, ...], places: list[int], size: int) -> tuple[Fraction, ...]:
    """Return a point as shares of one, at its places among ``size``."""
    total = sum(point)
    out = [Fraction(0)] * size
    for place, weight in zip(places, point, strict=True):
        out[place] = Fraction(weight, total)
    return tuple(out)


def exact_pairs(
    a: list[list[int]], b: list[list[int]], *, most: int = 20_000
) -> list[tuple[tuple[Fraction, ...], tuple[Fraction, ...]]]:
    """Return all completely labelled pairs of vertices for two matrices of positive whole numbers, sorted downwards.

    Raises
    ------
    NoAnswerError
        If a polytope needs more than ``most`` dictionaries.

    Examples
    --------
    >>> for x, y in exact_pairs([[1, 1], [1, 2]], [[1, 1], [1, 2]]):
    ...     print(*x, *y)
    1 0 1 0
    0 1 0 1
    """
    rows, cols = _struck(a, b)
    r, c = len(rows), len(cols)
    first = polytope_vertices([[b[i][j] for i in rows] for j in cols], most=most)
    second = polytope_vertices([[a[i][j] for j in cols] for i in rows], most=most)
    everything = (1 << (r + c)) - 1
    out: list[tuple[tuple[Fraction, ...], tuple[Fraction, ...]]] = []
    turned = [((labels >> c) | ((labels & ((1 << c) - 1)) << r), point) for labels, point in second]
    for labels, point in first:
        for others, partner in turned:
            if labels | others == everything:
                out.append((_shares(point, rows, len(a)), _shares(partner, cols, len(a[0]))))
    return sorted(out, reverse=True)
