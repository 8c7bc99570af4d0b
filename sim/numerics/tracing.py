r"""Trace a path of solutions of a two-sided complementarity problem from a prior to its end.

For matrices :math:`A, B` and priors :math:`p, q` the pair :math:`((1-t) p + x, (1-t) q + y)` with :math:`\sum x = \sum y = t` is kept such that each side
puts new weight only on best answers to the other's present pair. The path is piecewise linear in ``t``; it starts at the prior and ends at :math:`t = 1`.

Source: van den Elzen, A. & Talman, A. (1991) A procedure for finding Nash equilibria in bi-matrix games, Methods and Models of Operations
Research 35:27-43; it is the linear tracing procedure of Harsanyi, J. & Selten, R. (1988) A General Theory of Equilibrium Selection in Games.
"""

# A kernel's types are its explicit signature.
# pyright: reportMissingParameterType=false, reportUnknownParameterType=false, reportCallIssue=false

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numba as nb
import numpy as np

from sim.numerics.signatures import REAL, read, write
from sim.numerics.threads import over_variants

if TYPE_CHECKING:
    from sim.kinds import Floats

__all__ = ["trace"]

ZERO = 1e-11
MOST_PIVOTS = 5000


@nb.njit(nb.void(write(REAL, 2), nb.intp, nb.intp), nogil=True, cache=True)
def _pivot(t, row, column):
    """Make a column that of a basic variable of a row."""
    t[row] /= t[row, column]
    for r in range(t.shape[0]):
        if r != row:
            factor = t[r, column]
            if factor != 0.0:
                for c in range(t.shape[1]):
                    t[r, c] -= factor * t[row, c]
                t[r, column] = 0.0


@nb.njit(
    nb.boolean(read(REAL, 2), read(REAL, 2), read(REAL, 1), read(REAL, 1), write(REAL, 1), write(REAL, 1)),
    nogil=True,
    cache=True,
)
def _trace_one(a, b, p, q, x, y):
    """Trace one path; tell whether it arrived."""
    m, n = a.shape
    rows = m + n + 2
    width = 2 * (m + n) + 4
    u, v, t, rhs = width - 4, width - 3, width - 2, width - 1
    tab = np.zeros((rows, width))
    basis = np.empty(rows, dtype=np.int64)
    best_row, best_column = 0, 0
    aq, bp = np.zeros(m), np.zeros(n)
    for i in range(m):
        for j in range(n):
            aq[i] += a[i, j] * q[j]
            bp[j] += b[i, j] * p[i]
    for i in range(m):
        if aq[i] > aq[best_row] + ZERO:
            best_row = i
    for j in range(n):
        if bp[j] > bp[best_column] + ZERO:
            best_column = j
    for i in range(m):
        tab[0, i] = 1.0
        tab[2 + i, m + n + i] = 1.0
        tab[2 + i, u] = -1.0
        tab[2 + i, t] = -aq[i]
        tab[2 + i, rhs] = -aq[i]
        for j in range(n):
            tab[2 + i, m + j] = a[i, j]
    for j in range(n):
        tab[1, m + j] = 1.0
        tab[2 + m + j, 2 * m + n + j] = 1.0
        tab[2 + m + j, v] = -1.0
        tab[2 + m + j, t] = -bp[j]
        tab[2 + m + j, rhs] = -bp[j]
        for i in range(m):
            tab[2 + m + j, i] = b[i, j]
    tab[0, t] = -1.0
    tab[1, t] = -1.0
    for r in range(rows):
        basis[r] = m + n + r - 2
    basis[0], basis[1] = best_row, m + best_column
    basis[2 + best_row], basis[2 + m + best_column] = u, v
    for r in range(rows):
        _pivot(tab, r, basis[r])
    entering = t
    for _ in range(MOST_PIVOTS):
        leaving = -1
        for r in range(rows):
            if basis[r] in (u, v) or basis[r] == t or not (tab[r, entering] > ZERO):
                continue
            if leaving < 0:
                leaving = r
                continue
            one, other = tab[r, rhs] / tab[r, entering], tab[leaving, rhs] / tab[leaving, entering]
            c = m + n
            while abs(one - other) <= ZERO and c < u:  # lexicographic: as if each comparison were slightly off
                one, other = tab[r, c] / tab[r, entering], tab[leaving, c] / tab[leaving, entering]
                c += 1
            if one < other:
                leaving = r
        length = np.inf if leaving < 0 else max(0.0, tab[leaving, rhs] / tab[leaving, entering])
        ends = np.inf
        if entering == t:
            ends = 1.0
        else:
            for r in range(rows):
                if basis[r] == t and tab[r, entering] < -ZERO:
                    ends = (1.0 - tab[r, rhs]) / -tab[r, entering]
        if ends <= length:
            x[:] = 0.0
            y[:] = 0.0
            for r in range(rows):
                share = tab[r, rhs] - ends * tab[r, entering]
                if basis[r] < m:
                    x[basis[r]] = max(0.0, share)
                elif basis[r] < m + n:
                    y[basis[r] - m] = max(0.0, share)
            if entering < m:
                x[entering] = ends
            elif entering < m + n:
                y[entering - m] = ends
            x /= x.sum()
            y /= y.sum()
            return True
        if leaving < 0:
            return False
        out = basis[leaving]
        _pivot(tab, leaving, entering)
        basis[leaving] = entering
        entering = out - (m + n) if out >= m + n else out + (m + n)
    return False


@nb.njit(
    nb.void(
        read(REAL, 3), read(REAL, 3), read(REAL, 2), read(REAL, 2), nb.intp, nb.intp, write(REAL, 2), write(REAL, 2)
    ),
    nogil=True,
    cache=True,
)
def _trace_all(a, b, p, q, first, stop, x, y):
    """Trace the paths ``first … stop - 1``; one that does not arrive keeps its prior."""
    for k in range(first, stop):
        if not _trace_one(a[k], b[k], p[k], q[k], x[k], y[k]):
            x[k] = p[k]
            y[k] = q[k]


def trace(a: Floats, b: Floats, p: Floats, q: Floats) -> tuple[Floats, Floats]:
    """Trace the paths of many problems of one shape.

    Parameters
    ----------
    a, b
        Matrices, (v, m, n).
    p, q
        Priors, (v, m) and (v, n).

    Returns
    -------
    tuple of float arrays, (v, m) and (v, n)
        The ends; where a path did not arrive, the prior.

    Examples
    --------
    >>> stag = np.array([[[10.0, 1.0], [8.0, 5.0]]])
    >>> half = np.array([[0.5, 0.5]])
    >>> trace(stag, stag.transpose(0, 2, 1).copy(), half, half)[0]
    array([[0., 1.]])
    """
    spread = [np.ptp(one, axis=(1, 2), keepdims=True) for one in (a, b)]
    scaled = [
        (one - one.min(axis=(1, 2), keepdims=True)) / np.where(s > 0, s, 1.0)
        for one, s in zip((a, b), spread, strict=True)
    ]
    x, y = np.array(p, dtype=np.float64), np.array(q, dtype=np.float64)
    given: Any = [np.ascontiguousarray(one) for one in (*scaled, p, q)]
    over_variants(lambda first, stop: _trace_all(*given, first, stop, x, y), len(a))
    return x, y
