"""All completely labelled pairs of vertices for matrices 2 × 2 and 3 × 3, in closed form.

Labels and pairs are those of :mod:`sim.numerics.vertices`. Two by two, against each column the first row is better, worse or level, and so is the first
column against each row: 81 cases, listed once, ties included. Three by three, all equal supports are tried; where a comparison falls within the
margin the pair is doubtful.
"""

# A kernel's types are its explicit signature.
# pyright: reportMissingParameterType=false, reportUnknownParameterType=false, reportCallIssue=false

from __future__ import annotations

from typing import TYPE_CHECKING

import numba as nb
import numpy as np

from sim.numerics.flat import DOUBTFUL, INFINITE, SURE
from sim.numerics.signatures import REAL, read, write
from sim.numerics.threads import over_variants

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sim.kinds import Floats, Keys

__all__ = ["KINDS", "NUMBER", "TIES", "pairs_of_three", "pairs_of_two"]


def _structures() -> tuple[NDArray[np.int8], NDArray[np.int8], NDArray[np.int8]]:
    """Return, for each combination of signs of a 2 × 2 pair, the number of pairs, whether a tie bears on them, and their kinds.

    The signs are those of the first row over the second against each column, and of the first column over the second against each row. A kind is 3
    times the row side's plus the column side's: 0 the first line, 1 the mixture that makes the other side's lines equal, 2 the second line.
    """
    number, tied, kinds = np.zeros(81, np.int8), np.zeros(81, np.int8), np.zeros((81, 9), np.int8)
    answers = ((0, 1), (0,), (-1, 0))  # the signs to which a kind is a best answer; 0 lets both lines be one
    for code in range(81):
        s0, s1, t0, t1 = code // 27 - 1, code // 9 % 3 - 1, code // 3 % 3 - 1, code % 3 - 1
        # a tie on a line that is beaten everywhere does not matter
        ties = (t0 == 0 and s0 + s1 > -2, t1 == 0 and s0 + s1 < 2, s0 == 0 and t0 + t1 > -2, s1 == 0 and t0 + t1 < 2)
        tied[code] = any(ties)
        rows = [(0, t0), *([(1, 0)] if t0 * t1 < 0 else []), (2, t1)]
        columns = [(0, s0), *([(1, 0)] if s0 * s1 < 0 else []), (2, s1)]
        for row, upon_row in rows:
            for column, upon_column in columns:
                if upon_column in answers[row] and upon_row in answers[column]:
                    kinds[code, number[code]] = 3 * row + column
                    number[code] += 1
    return number, tied, kinds


NUMBER, TIES, KINDS = _structures()


@nb.njit(
    nb.void(
        read(REAL, 3), read(REAL, 3), REAL, nb.intp, nb.intp, write(nb.int64, 1), write(nb.int8, 1), write(nb.int8, 1)
    ),
    nogil=True,
    cache=True,
    error_model="numpy",
)
def _codes_of_two(a, b, ties, first, stop, counts, states, codes):
    """Write the number of pairs, the state and the signs of the 2 × 2 matrices ``first … stop - 1``."""
    for v in range(first, stop):
        a00, a01, a10, a11 = a[v, 0, 0], a[v, 0, 1], a[v, 1, 0], a[v, 1, 1]
        b00, b01, b10, b11 = b[v, 0, 0], b[v, 0, 1], b[v, 1, 0], b[v, 1, 1]
        span_a = max(a00, a01, a10, a11) - min(a00, a01, a10, a11)
        span_b = max(b00, b01, b10, b11) - min(b00, b01, b10, b11)
        zero = a00 * 0.0 + a01 * 0.0 + a10 * 0.0 + a11 * 0.0 + b00 * 0.0 + b01 * 0.0 + b10 * 0.0 + b11 * 0.0
        fine = zero == 0.0 and span_a < np.inf and span_b < np.inf
        tie_a, tie_b = ties * span_a, ties * span_b
        s0, s1 = int(a00 - a10 > tie_a) - int(a10 - a00 > tie_a), int(a01 - a11 > tie_a) - int(a11 - a01 > tie_a)
        t0, t1 = int(b00 - b01 > tie_b) - int(b01 - b00 > tie_b), int(b10 - b11 > tie_b) - int(b11 - b10 > tie_b)
        code = 27 * s0 + 9 * s1 + 3 * t0 + t1 + 40
        codes[v] = code
        counts[v] = NUMBER[code]
        states[v] = TIES[code] if fine else INFINITE


@nb.njit(
    nb.void(read(REAL, 3), read(REAL, 3), write(nb.int64, 1), write(nb.int8, 1), nb.intp, nb.intp, write(REAL, 2)),
    nogil=True,
    cache=True,
    error_model="numpy",
)
def _pairs_of_two(a, b, offsets, codes, first, stop, out):
    """Write the pairs of the 2 × 2 matrices ``first … stop - 1`` at their offsets."""
    for v in range(first, stop):
        code, base = codes[v], offsets[v]
        for k in range(offsets[v + 1] - base):
            kind = KINDS[code, k]
            x, y = 1.0 - 0.5 * (kind // 3), 1.0 - 0.5 * (kind % 3)
            if x == 0.5:  # the middle kind
                e0, e1 = b[v, 0, 0] - b[v, 0, 1], b[v, 1, 0] - b[v, 1, 1]
                x = e1 / (e1 - e0)
            if y == 0.5:
                d0, d1 = a[v, 0, 0] - a[v, 1, 0], a[v, 0, 1] - a[v, 1, 1]
                y = d1 / (d1 - d0)
            out[base + k, 0], out[base + k, 1], out[base + k, 2], out[base + k, 3] = x, 1.0 - x, y, 1.0 - y


def pairs_of_two(a: Floats, b: Floats, *, ties: float) -> tuple[Floats, Keys, NDArray[np.int8]]:
    """Find all pairs of 2 × 2 matrices; arguments and results are those of :func:`sim.numerics.vertices.labelled_pairs`.

    Examples
    --------
    >>> a = np.array([[[10.0, 1.0], [8.0, 5.0]]])
    >>> pairs, offsets, states = pairs_of_two(a, np.ascontiguousarray(a.transpose(0, 2, 1)), ties=1e-9)
    >>> pairs[:, 0], offsets, int(states[0]) == SURE
    (array([1.        , 0.66666667, 0.        ]), array([0, 3]), True)
    """
    count = len(a)
    offsets, states, codes = np.zeros(count + 1, np.int64), np.empty(count, np.int8), np.empty(count, np.int8)
    counts = offsets[1:]
    over_variants(lambda first, stop: _codes_of_two(a, b, ties, first, stop, counts, states, codes), count)
    np.cumsum(counts, out=counts)
    pairs = np.empty((int(offsets[-1]), 4))
    over_variants(lambda first, stop: _pairs_of_two(a, b, offsets, codes, first, stop, pairs), count)
    return pairs, offsets, states


@nb.njit(
    nb.intp(read(REAL, 3), read(REAL, 3), nb.intp, REAL, REAL, REAL, write(REAL, 2), nb.intp, write(nb.int8, 1)),
    nogil=True,
    cache=True,
    error_model="numpy",
)
def _three(a, b, v, margin, span_a, span_b, out, base, state):
    """Write the pairs of a 3 × 3 pair of matrices by equal supports, unsorted; the state becomes sure or doubtful."""
    near_a, near_b = margin * span_a, margin * span_b
    found, sure = base, True
    for j in range(3):
        x, y, z = a[v, 0, j], a[v, 1, j], a[v, 2, j]
        best = 0 if x > y and x > z else (1 if y > z else 2)
        top = x if best == 0 else (y if best == 1 else z)
        sure = sure and int(x >= top - near_a) + int(y >= top - near_a) + int(z >= top - near_a) == 1
        x, y, z = b[v, best, 0], b[v, best, 1], b[v, best, 2]
        if (0 if x > y and x > z else (1 if y > z else 2)) == j:
            for k in range(3):
                out[found, k], out[found, 3 + k] = int(k == best), int(k == j)
            found += 1
    for i in range(3):
        x, y, z = b[v, i, 0], b[v, i, 1], b[v, i, 2]
        top = max(x, y, z) - near_b
        sure = sure and int(x >= top) + int(y >= top) + int(z >= top) == 1
    for i3 in range(3):
        i1, i2 = int(i3 == 0), 2 - int(i3 == 2)
        for j3 in range(3):
            j1, j2 = int(j3 == 0), 2 - int(j3 == 2)
            d1, d2 = a[v, i1, j1] - a[v, i2, j1], a[v, i1, j2] - a[v, i2, j2]
            e1, e2 = b[v, i1, j1] - b[v, i1, j2], b[v, i2, j1] - b[v, i2, j2]
            low_d, high_d, low_e, high_e = min(d1, d2), max(d1, d2), min(e1, e2), max(e1, e2)
            if (low_d > near_a) | (high_d < -near_a) | (low_e > near_b) | (high_e < -near_b):
                continue
            if (low_d >= -near_a) | (high_d <= near_a) | (low_e >= -near_b) | (high_e <= near_b):
                sure = False
                continue
            p, q = e2 / (e2 - e1), d2 / (d2 - d1)
            gap_a = q * (a[v, i1, j1] - a[v, i3, j1]) + (1.0 - q) * (a[v, i1, j2] - a[v, i3, j2])
            gap_b = p * (b[v, i1, j1] - b[v, i1, j3]) + (1.0 - p) * (b[v, i2, j1] - b[v, i2, j3])
            if abs(gap_a) <= near_a or abs(gap_b) <= near_b:
                sure = False
            elif gap_a > 0 and gap_b > 0:
                out[found, i1], out[found, i2], out[found, i3] = p, 1.0 - p, 0.0
                out[found, 3 + j1], out[found, 3 + j2], out[found, 3 + j3] = q, 1.0 - q, 0.0
                found += 1
    f0, f1, f2 = a[v, 0, 0] - a[v, 1, 0], a[v, 0, 1] - a[v, 1, 1], a[v, 0, 2] - a[v, 1, 2]
    g0, g1, g2 = a[v, 1, 0] - a[v, 2, 0], a[v, 1, 1] - a[v, 2, 1], a[v, 1, 2] - a[v, 2, 2]
    y0, y1, y2, near = f1 * g2 - f2 * g1, f2 * g0 - f0 * g2, f0 * g1 - f1 * g0, near_a * span_a
    low, high = min(y0, y1, y2), max(y0, y1, y2)
    if not (low < -near and high > near):
        f0, f1, f2 = b[v, 0, 0] - b[v, 0, 1], b[v, 1, 0] - b[v, 1, 1], b[v, 2, 0] - b[v, 2, 1]
        g0, g1, g2 = b[v, 0, 1] - b[v, 0, 2], b[v, 1, 1] - b[v, 1, 2], b[v, 2, 1] - b[v, 2, 2]
        x0, x1, x2, close = f1 * g2 - f2 * g1, f2 * g0 - f0 * g2, f0 * g1 - f1 * g0, near_b * span_b
        least, most = min(x0, x1, x2), max(x0, x1, x2)
        if (low > near or high < -near) and (least > close or most < -close):
            sum_x, sum_y = x0 + x1 + x2, y0 + y1 + y2
            out[found, 0], out[found, 1], out[found, 2] = x0 / sum_x, x1 / sum_x, x2 / sum_x
            out[found, 3], out[found, 4], out[found, 5] = y0 / sum_y, y1 / sum_y, y2 / sum_y
            found += 1
        elif not (least < -close and most > close):
            sure = False
    sure = sure and (found - base) % 2 == 1  # an even number cannot be where every vertex is simple
    state[v] = SURE if sure else DOUBTFUL
    return found - base


@nb.njit(
    write(REAL, 2)(read(REAL, 3), read(REAL, 3), REAL, nb.intp, nb.intp, write(nb.int64, 1), write(nb.int8, 1)),
    nogil=True,
    cache=True,
    error_model="numpy",
)
def _pairs_of_three(a, b, margin, first, stop, counts, states):
    """Find the pairs of the 3 × 3 matrices ``first … stop - 1``, sorted; write numbers and states, return the pairs one below the other."""
    out, total = np.empty((2 * (stop - first) + 16, 6)), 0
    for v in range(first, stop):
        low_a, high_a, low_b, high_b, zero = a[v, 0, 0], a[v, 0, 0], b[v, 0, 0], b[v, 0, 0], 0.0
        for i in range(3):
            for j in range(3):
                x, y = a[v, i, j], b[v, i, j]
                low_a, high_a, low_b, high_b = min(low_a, x), max(high_a, x), min(low_b, y), max(high_b, y)
                zero += x * 0.0 + y * 0.0
        if not (zero == 0.0 and high_a - low_a < np.inf and high_b - low_b < np.inf):
            states[v], counts[v] = INFINITE, 0
            continue
        if total + 16 > out.shape[0]:
            longer = np.empty((2 * out.shape[0], 6))
            longer[:total] = out[:total]
            out = longer
        counts[v] = _three(a, b, v, margin, high_a - low_a, high_b - low_b, out, total, states)
        for last in range(total + 1, total + counts[v]):  # by insertion: more weight on earlier lines first
            at = last
            while at > total:
                p = 0
                while p < 5 and out[at, p] == out[at - 1, p]:
                    p += 1
                if out[at, p] <= out[at - 1, p]:
                    break
                for p in range(6):
                    out[at, p], out[at - 1, p] = out[at - 1, p], out[at, p]
                at -= 1
        total += counts[v]
    return out[:total]


def pairs_of_three(a: Floats, b: Floats, *, margin: float) -> tuple[Floats, Keys, NDArray[np.int8]]:
    """Find all pairs of 3 × 3 matrices; doubtful where a comparison falls within ``margin`` of a matrix's range.

    Examples
    --------
    >>> a = np.eye(3)[None]
    >>> pairs, offsets, states = pairs_of_three(a, np.roll(a, 1, axis=2), margin=1e-8)
    >>> pairs.round(3), offsets, int(states[0]) == DOUBTFUL
    (array([[0.333, 0.333, 0.333, 0.333, 0.333, 0.333]]), array([0, 1]), True)
    """
    count = len(a)
    offsets, states = np.zeros(count + 1, np.int64), np.empty(count, np.int8)
    counts = offsets[1:]
    parts: dict[int, Floats] = {}

    def some(first: int, stop: int) -> None:
        parts[first] = _pairs_of_three(a, b, margin, first, stop, counts, states)

    over_variants(some, count)
    np.cumsum(counts, out=counts)
    pairs = np.concatenate([parts[first] for first in sorted(parts)]) if parts else np.empty((0, 6))
    return pairs, offsets, states
