r"""All completely labelled pairs of vertices of two polytopes, in floats, many pairs of matrices at once.

For matrices ``a`` and ``b`` of shape (m, n), the points :math:`x \ge 0,\ \sum x = 1` carry the labels ``i`` with :math:`x_i = 0` and ``m + j`` with
:math:`(x'b)_j` greatest; the points :math:`y \ge 0,\ \sum y = 1` carry ``m + j`` with :math:`y_j = 0` and ``i`` with :math:`(ay)_i` greatest. Wanted are all
pairs of vertices that carry all labels together.

Up to 4 × 4, and where lines that are below another one everywhere, struck out again and again, leave no more, all equal supports are tried in closed
form. Larger pairs are answered by walking over the edges of each polytope from vertex to vertex; the graph of a polytope is connected, so every vertex is met,
provided that each is simple: no more labels than dimensions. Every comparison needs a margin; one that falls within the margin makes the pair
*doubtful*, and nothing found for it is complete. Where one line is left on a side, or two on both, signs of differences decide, ties included.

Sources: Lemke, C. & Howson, J. (1964) Equilibrium points of bimatrix games, SIAM Journal 12:413-423 (labels); Dickhaut, J. & Kaplan, T. (1991) A program
for finding Nash equilibria, Mathematica Journal 1:87-93 (supports); von Stengel, B. (2007) Equilibrium computation for two-player games, in Algorithmic
Game Theory, ch. 3 (vertex enumeration).
"""

# A kernel's types are its explicit signature.
# pyright: reportMissingParameterType=false, reportUnknownParameterType=false, reportCallIssue=false

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numba as nb
import numpy as np

from sim.numerics import squares
from sim.numerics.flat import DOUBTFUL, INFINITE, SURE, TIED, TOO_LARGE, spliced
from sim.numerics.signatures import REAL, read, write
from sim.numerics.threads import over_variants

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sim.kinds import Floats, Keys

__all__ = ["MARGIN", "labelled_pairs"]

MARGIN = 1e-8  # of a matrix's range; comparisons nearer than this are not decided in floats
CLOSED = 1e-11  # a tight constraint, measured again from the matrix
TINY = 1e-300  # stands for the range of a constant matrix where an infinite margin is meant
MOST_LABELS = 62  # a set of labels is one machine word
MOST_STORED = 1 << 25  # numbers in stored dictionaries, 256 MB a thread

_IN, _FLAT, _TABLE, _SET, _SETS = read(REAL, 3), write(REAL, 1), write(REAL, 2), write(nb.int64, 1), write(nb.int64, 2)
_STACK, _PLACE, _KNOWN = write(REAL, 3), nb.intp, read(nb.int64, 1)


def _kernel(signature: Any) -> Any:
    """Compile a kernel that releases the interpreter's lock, is kept, and divides by zero as numpy does."""
    return nb.njit(signature, nogil=True, cache=True, error_model="numpy")


@_kernel(nb.boolean(_IN, _PLACE, _PLACE, _FLAT))
def _range(mat, v, at, span):
    """Write least entry and range of a matrix at ``at`` and after it, and say whether all is finite."""
    low, high, zero = mat[v, 0, 0], mat[v, 0, 0], 0.0
    for i in range(mat.shape[1]):
        for j in range(mat.shape[2]):
            x = mat[v, i, j]
            low = min(low, x)
            high = max(high, x)
            zero += x * 0.0
    span[at], span[at + 1] = low, high - low
    return zero == 0.0 and high - low < np.inf


@_kernel(nb.boolean(_IN, _PLACE, _PLACE, _SET, _PLACE, _SET, _PLACE, nb.boolean, REAL))
def _beaten(mat, v, line, lines, count, places, width, turned, margin):
    """Say whether another of the lines left is above this one everywhere by more than the margin."""
    for k in range(count):
        beaten = k != line
        for j in range(width):
            above, here = (places[j], lines[k]) if turned else (lines[k], places[j])
            below, there = (places[j], lines[line]) if turned else (lines[line], places[j])
            if mat[v, above, here] - mat[v, below, there] <= margin:
                beaten = False
                break
        if beaten:
            return True
    return False


@_kernel(nb.void(_IN, _IN, _PLACE, REAL, REAL, _SET, _SET, _SET))
def _strike(a, b, v, margin_a, margin_b, rows, cols, left):
    """Strike out lines that another line beats everywhere by more than the margin; keep the rest in ``rows``, ``cols``, counts in ``left``."""
    r, c, before = a.shape[1], a.shape[2], 0
    for i in range(r):
        rows[i] = i
    for j in range(c):
        cols[j] = j
    while before != r + c and margin_a < np.inf:
        before = r + c
        for i in range(r - 1, -1, -1):
            if _beaten(a, v, i, rows, r, cols, c, False, margin_a):
                r -= 1
                rows[i:r] = rows[i + 1 : r + 1].copy()
        for j in range(c - 1, -1, -1):
            if _beaten(b, v, j, cols, c, rows, r, True, margin_b):
                c -= 1
                cols[j:c] = cols[j + 1 : c + 1].copy()
    left[0], left[1] = r, c


@_kernel(nb.intp(_IN, _IN, _PLACE, REAL, REAL, _SET, _SET, _TABLE, _PLACE, _SET))
def _two(a, b, v, tie_a, tie_b, rows, cols, out, base, state):
    """Write the pairs of a 2 × 2 remainder, sorted, and return their number."""
    m = a.shape[1]
    d0 = a[v, rows[0], cols[0]] - a[v, rows[1], cols[0]]
    d1 = a[v, rows[0], cols[1]] - a[v, rows[1], cols[1]]
    e0 = b[v, rows[0], cols[0]] - b[v, rows[0], cols[1]]
    e1 = b[v, rows[1], cols[0]] - b[v, rows[1], cols[1]]
    s0, s1 = int(d0 > tie_a) - int(d0 < -tie_a), int(d1 > tie_a) - int(d1 < -tie_a)
    t0, t1 = int(e0 > tie_b) - int(e0 < -tie_b), int(e1 > tie_b) - int(e1 < -tie_b)
    code = 27 * s0 + 9 * s1 + 3 * t0 + t1 + 40
    state[0] = TIED if squares.TIES[code] else SURE
    for k in range(squares.NUMBER[code]):
        left, right = squares.KINDS[code, k] // 3, squares.KINDS[code, k] % 3
        x = e1 / (e1 - e0) if left == 1 else 1.0 - 0.5 * left
        y = d1 / (d1 - d0) if right == 1 else 1.0 - 0.5 * right
        out[base + k, :] = 0.0
        out[base + k, rows[0]], out[base + k, rows[1]] = x, 1.0 - x
        out[base + k, m + cols[0]], out[base + k, m + cols[1]] = y, 1.0 - y
    return squares.NUMBER[code]


@_kernel(nb.intp(_IN, _IN, _PLACE, REAL, REAL, _SET, _SET, _SET, _TABLE, _PLACE, _SET))
def _one(a, b, v, tie_a, tie_b, rows, cols, left, out, base, state):
    """Write the pairs where one side has a single line: every best answer of the other, sorted."""
    m = a.shape[1]
    found = 0
    count = max(left[0], left[1])
    alone = left[0] == 1
    best = -np.inf
    for k in range(count):
        best = max(best, b[v, rows[0], cols[k]] if alone else a[v, rows[k], cols[0]])
    for k in range(count):
        value = b[v, rows[0], cols[k]] if alone else a[v, rows[k], cols[0]]
        if value >= best - (tie_b if alone else tie_a):
            out[base + found, :] = 0.0
            out[base + found, rows[0] if alone else rows[k]] = 1.0
            out[base + found, m + (cols[k] if alone else cols[0])] = 1.0
            found += 1
    state[0] = TIED if found > 1 else SURE
    return found


@_kernel(nb.void(_TABLE, _PLACE, _PLACE, REAL, _SETS, _PLACE))
def _compare(mat, h, w, near, sets, at):
    """Write, for all pairs of the first ``h`` lines, the sets of places where one is clearly above the other, and clearly below: rows ``at`` and next."""
    pair = 0
    for i in range(h):
        for k in range(i + 1, h):
            above, below = 0, 0
            for j in range(w):
                d = mat[i, j] - mat[k, j]
                above |= int(d > near) << j
                below |= int(d < -near) << j
            sets[at, pair], sets[at + 1, pair] = above, below
            pair += 1


@_kernel(nb.intp(_TABLE, _PLACE, _PLACE, _PLACE, _PLACE, REAL, REAL, REAL, REAL, _PLACE, REAL))
def _outside(mat, j1, j2, j3, h, y1, y2, y3, level, inside, near):
    """Compare the lines outside a support with its level: 1 all clearly below, 0 one near, -1 one clearly above."""
    answer = 1
    for k in range(h):
        if not (inside >> k) & 1:
            gap = level - (y1 * mat[k, j1] + y2 * mat[k, j2] + y3 * mat[k, j3])
            if gap < -near:
                return -1
            if gap <= near:
                answer = 0
    return answer


@_kernel(nb.intp(_TABLE, _PLACE, _PLACE, _PLACE, _PLACE, _PLACE, _PLACE, REAL, _TABLE, _PLACE))
def _normal(mat, i1, i2, i3, j1, j2, j3, near, out, side):
    """Write the weights on three places at which three lines are equal; 1 all clearly positive, -1 clearly not, 0 near."""
    f1, f2, f3 = mat[i1, j1] - mat[i2, j1], mat[i1, j2] - mat[i2, j2], mat[i1, j3] - mat[i2, j3]
    g1, g2, g3 = mat[i2, j1] - mat[i3, j1], mat[i2, j2] - mat[i3, j2], mat[i2, j3] - mat[i3, j3]
    x, y, z = f2 * g3 - f3 * g2, f3 * g1 - f1 * g3, f1 * g2 - f2 * g1
    up = int(x > near) + int(y > near) + int(z > near)
    down = int(x < -near) + int(y < -near) + int(z < -near)
    if up and down:
        return -1
    if up < 3 and down < 3:
        return 0
    total = x + y + z
    out[side, 0], out[side, 1], out[side, 2] = x / total, y / total, z / total
    return 1


@_kernel(nb.intp(_TABLE, REAL, _TABLE, _PLACE))
def _normal_four(mat, near, out, side):
    """Write the weights on four places at which four lines are equal; 1 all clearly positive, -1 clearly not, 0 near."""
    up, down, total = 0, 0, 0.0
    for j in range(4):
        j1, j2, j3 = int(j == 0), 2 - int(j > 1), 3 - int(j == 3)
        f1, f2, f3 = mat[0, j1] - mat[1, j1], mat[0, j2] - mat[1, j2], mat[0, j3] - mat[1, j3]
        g1, g2, g3 = mat[1, j1] - mat[2, j1], mat[1, j2] - mat[2, j2], mat[1, j3] - mat[2, j3]
        h1, h2, h3 = mat[2, j1] - mat[3, j1], mat[2, j2] - mat[3, j2], mat[2, j3] - mat[3, j3]
        minor = f1 * (g2 * h3 - g3 * h2) - f2 * (g1 * h3 - g3 * h1) + f3 * (g1 * h2 - g2 * h1)
        minor = -minor if j & 1 else minor
        out[side, j] = minor
        total += minor
        up += int(minor > near)
        down += int(minor < -near)
    if up and down:
        return -1
    if up < 4 and down < 4:
        return 0
    for j in range(4):
        out[side, j] /= total
    return 1


@_kernel(nb.boolean(_TABLE, _PLACE, _PLACE, REAL, _SETS, _PLACE))
def _best(mat, h, w, near, sets, at):
    """Write the best line at each of ``w`` places in row ``at``, and say whether each is clearly best."""
    clear = True
    for j in range(w):
        top, second, line = mat[0, j], -np.inf, 0
        for i in range(1, h):
            x = mat[i, j]
            second = max(second, min(x, top))
            line = i if x > top else line
            top = max(top, x)
        clear = clear and second < top - near
        sets[at, j] = line
    return clear


@_kernel(nb.boolean(_SETS, _PLACE, _PLACE, _PLACE, _PLACE, _PLACE, nb.int64))
def _ruled_out(sets, at, h, i1, i2, i3, places):
    """Say whether one of three lines is clearly above another at all the places."""
    first, second = i1 * (2 * h - i1 - 1) // 2 - i1 - 1, i2 * (2 * h - i2 - 1) // 2 - i2 - 1
    for way in range(at, at + 2):
        one, two, three = sets[way, first + i2], sets[way, first + i3], sets[way, second + i3]
        if one & places == places or two & places == places or three & places == places:
            return True
    return False


@_kernel(
    nb.intp(_TABLE, _TABLE, _PLACE, _PLACE, _PLACE, REAL, REAL, REAL, _SET, _SET, _TABLE, _PLACE, _TABLE, _SETS, _SET)
)
def _supports(a, b, m, r, c, margin, span_a, span_b, rows, cols, out, base, weights, sets, state):
    """Write the pairs of a remainder up to 4 × 4 by equal supports; ``b`` is turned, columns first.

    No pair is missed: let y with support T tie more lines S than it has places, and x on S tie T. By Caratheodory's theorem already
    some x' on as many of S as T has places ties T. So the equal supports of x' and y are tried, and there y is near a line outside.
    """
    near_a, near_b = margin * span_a, margin * span_b
    found = base
    state[0] = SURE
    if not (_best(a, r, c, near_a, sets, 4) and _best(b, c, r, near_b, sets, 5)):
        state[0] = DOUBTFUL
    for j in range(c):
        i = sets[4, j]
        if sets[5, i] == j:
            out[found, :] = 0.0
            out[found, rows[i]], out[found, m + cols[j]] = 1.0, 1.0
            found += 1
    _compare(a, r, c, near_a, sets, 0)
    _compare(b, c, r, near_b, sets, 2)
    first = 0
    for i1 in range(r):
        for i2 in range(i1 + 1, r):
            mine = (1 << i1) | (1 << i2)
            second = 0
            for j1 in range(c):
                for j2 in range(j1 + 1, c):
                    other = (1 << j1) | (1 << j2)
                    up_a, down_a = sets[0, first] & other, sets[1, first] & other
                    up_b, down_b = sets[2, second] & mine, sets[3, second] & mine
                    if other not in (up_a, down_a) and mine not in (up_b, down_b):
                        if up_a | down_a != other or up_b | down_b != mine:
                            state[0] = DOUBTFUL
                        else:
                            d1, d2 = a[i1, j1] - a[i2, j1], a[i1, j2] - a[i2, j2]
                            e1, e2 = b[j1, i1] - b[j2, i1], b[j1, i2] - b[j2, i2]
                            p, q = e2 / (e2 - e1), d2 / (d2 - d1)
                            level_a = q * a[i1, j1] + (1.0 - q) * a[i1, j2]
                            level_b = p * b[j1, i1] + (1.0 - p) * b[j1, i2]
                            good_a = _outside(a, j1, j2, 0, r, q, 1.0 - q, 0.0, level_a, mine, near_a)
                            good_b = _outside(b, i1, i2, 0, c, p, 1.0 - p, 0.0, level_b, other, near_b)
                            if good_a == 0 or good_b == 0:
                                state[0] = DOUBTFUL
                            elif good_a == 1 and good_b == 1:
                                out[found, :] = 0.0
                                out[found, rows[i1]], out[found, rows[i2]] = p, 1.0 - p
                                out[found, m + cols[j1]], out[found, m + cols[j2]] = q, 1.0 - q
                                found += 1
                    second += 1
            first += 1
    if r < 3 or c < 3:
        return found - base
    for skip in range(r if r == 4 else 1):
        i1, i2, i3 = (0, 1, 2) if r == 3 else (int(skip == 0), 2 - int(skip > 1), 3 - int(skip == 3))
        mine = (1 << i1) | (1 << i2) | (1 << i3)
        for miss in range(c if c == 4 else 1):
            j1, j2, j3 = (0, 1, 2) if c == 3 else (int(miss == 0), 2 - int(miss > 1), 3 - int(miss == 3))
            other = (1 << j1) | (1 << j2) | (1 << j3)
            if _ruled_out(sets, 0, r, i1, i2, i3, other) or _ruled_out(sets, 2, c, j1, j2, j3, mine):
                continue
            inside_a = _normal(a, i1, i2, i3, j1, j2, j3, near_a * span_a, weights, 1)
            if inside_a < 0:
                continue
            inside_b = _normal(b, j1, j2, j3, i1, i2, i3, near_b * span_b, weights, 0)
            if inside_b < 0:
                continue
            if inside_a == 0 or inside_b == 0:
                state[0] = DOUBTFUL
                continue
            x0, x1, x2 = weights[0, 0], weights[0, 1], weights[0, 2]
            y0, y1, y2 = weights[1, 0], weights[1, 1], weights[1, 2]
            level_a = y0 * a[i1, j1] + y1 * a[i1, j2] + y2 * a[i1, j3]
            level_b = x0 * b[j1, i1] + x1 * b[j1, i2] + x2 * b[j1, i3]
            good_a = _outside(a, j1, j2, j3, r, y0, y1, y2, level_a, mine, near_a)
            good_b = _outside(b, i1, i2, i3, c, x0, x1, x2, level_b, other, near_b)
            if good_a == 0 or good_b == 0:
                state[0] = DOUBTFUL
            elif good_a == 1 and good_b == 1:
                out[found, :] = 0.0
                out[found, rows[i1]], out[found, rows[i2]], out[found, rows[i3]] = x0, x1, x2
                out[found, m + cols[j1]], out[found, m + cols[j2]], out[found, m + cols[j3]] = y0, y1, y2
                found += 1
    if r == 4 and c == 4:
        inside_a = _normal_four(a, 8.0 * near_a * span_a * span_a, weights, 1)
        inside_b = _normal_four(b, 8.0 * near_b * span_b * span_b, weights, 0) if inside_a >= 0 else -1
        if inside_a == 1 and inside_b == 1:
            out[found, :] = 0.0
            for k in range(4):
                out[found, rows[k]], out[found, m + cols[k]] = weights[0, k], weights[1, k]
            found += 1
        elif inside_a >= 0 and inside_b >= 0:
            state[0] = DOUBTFUL
    return found - base


@_kernel(nb.intp(nb.int64, _KNOWN, _KNOWN))
def _look(mask, table, masks):
    """Return the place in the hash table of a set of labels, or of the empty slot where it belongs."""
    size = table.shape[0] - 1
    at = ((mask * 0x9E3779B97F4A7C1) >> 17) & size
    while table[at] >= 0 and masks[table[at]] != mask:
        at = (at + 1) & size
    return at


@_kernel(nb.intp(_TABLE, _PLACE, _PLACE, _PLACE, _PLACE, REAL, _STACK, _SETS, _SETS, _SET, _TABLE, _SET, _SET))
def _walk(mat, h, d, variable, slack, margin, tab, basic, cobasic, masks, points, table, state):
    """Visit all vertices of ``{z >= 0: mat z <= 1}`` (h constraints, d variables), breadth first; return their number, or -1 if they do not fit.

    A dictionary writes the h basic quantities by the d cobasic ones (those that are zero); ``variable`` and ``slack`` are the
    first labels of the variables and of the constraints.
    """
    table[:] = -1
    for i in range(h):
        for q in range(d):
            tab[0, i, q] = mat[i, q]
        tab[0, i, d] = 1.0
        basic[0, i] = slack + i
    mask = 0
    for q in range(d):
        cobasic[0, q] = variable + q
        mask |= 1 << (variable + q)
    masks[0] = mask
    table[_look(mask, table, masks)] = 0
    count, k = 1, 0
    while k < count:
        points[k, :d] = 0.0
        for i in range(h):
            if variable <= basic[k, i] < variable + d:
                points[k, basic[k, i] - variable] = tab[k, i, d]
                if tab[k, i, d] <= margin:
                    state[0] = DOUBTFUL
        for i in range(h):  # measured again from the matrix: tight where it should be, clearly slack elsewhere
            rest = 1.0
            for q in range(d):
                rest -= mat[i, q] * points[k, q]
            tight = (masks[k] >> (slack + i)) & 1
            if (tight and abs(rest) > CLOSED) or (not tight and rest <= margin):
                state[0] = DOUBTFUL
        for q in range(d):
            leave, least = -1, np.inf
            for i in range(h):
                if tab[k, i, q] > CLOSED and tab[k, i, d] < least * tab[k, i, q]:
                    leave, least = i, tab[k, i, d] / tab[k, i, q]
            if leave < 0:  # cannot be, the polytope being bounded, unless floats fail
                state[0] = DOUBTFUL
                continue
            mask = masks[k] ^ (1 << cobasic[k, q]) ^ (1 << basic[k, leave])
            at = _look(mask, table, masks)
            if table[at] >= 0:
                continue
            if count == masks.shape[0]:
                return -1
            pivot = 1.0 / tab[k, leave, q]
            for p in range(d + 1):
                tab[count, leave, p] = tab[k, leave, p] * pivot
            tab[count, leave, q] = pivot
            for i in range(h):
                if i != leave:
                    factor = tab[k, i, q]
                    for p in range(d + 1):
                        tab[count, i, p] = tab[k, i, p] - factor * tab[count, leave, p]
                    tab[count, i, q] = -factor * pivot
            for i in range(h):
                basic[count, i] = basic[k, i]
            for p in range(d):
                cobasic[count, p] = cobasic[k, p]
            basic[count, leave], cobasic[count, q] = cobasic[k, q], basic[k, leave]
            masks[count] = mask
            table[at] = count
            count += 1
        k += 1
    return count


@_kernel(nb.void(_TABLE, _PLACE, _PLACE))
def _sort(out, first, stop):
    """Sort rows downwards, the first column first."""
    for k in range(first + 1, stop):
        at = k
        while at > first:
            order = 0
            for p in range(out.shape[1]):
                if out[at, p] != out[at - 1, p]:
                    order = 1 if out[at, p] > out[at - 1, p] else -1
                    break
            if order <= 0:
                break
            for p in range(out.shape[1]):
                out[at, p], out[at - 1, p] = out[at - 1, p], out[at, p]
            at -= 1


@_kernel(nb.void(_IN, _PLACE, _SET, _SET, _SET, REAL, REAL, nb.boolean, _TABLE))
def _scaled(mat, v, rows, cols, left, low, span, turned, out):
    """Write what is left of a matrix with entries from 1 to 2: its polytope is bounded, and quantities are of order 1."""
    for i in range(left[0]):
        for j in range(left[1]):
            x = 1.0 + (mat[v, rows[i], cols[j]] - low) / (span if span > 0 else 1.0)
            out[j if turned else i, i if turned else j] = x


@_kernel(write(REAL, 2)(_TABLE, _PLACE, _PLACE))
def _room(out, used, more):
    """Return the table, or a longer copy, with room for ``more`` rows beyond those used."""
    if used + more <= out.shape[0]:
        return out
    longer = np.empty((2 * out.shape[0] + more, out.shape[1]))
    longer[:used] = out[:used]
    return longer


@_kernel(_TABLE(_IN, _IN, REAL, REAL, _PLACE, _PLACE, _PLACE, _SET, write(nb.int8, 1)))
def _pairs(a, b, ties, margin, most, first, stop, counts, states):
    """Find the pairs of matrices ``first … stop - 1``; write numbers and states, return the pairs one below the other."""
    m, n = a.shape[1], a.shape[2]
    side = max(m, n)
    stored = 256
    out = np.empty((max(16, 2 * (stop - first)) + m + n, m + n))
    rows, cols = np.empty(m, np.int64), np.empty(n, np.int64)
    left, state, span = np.empty(2, np.int64), np.zeros(1, np.int64), np.empty(4)
    here, there = np.empty((4, 4)), np.empty((4, 4))
    weights, sets = np.empty((2, 4)), np.empty((6, 6), np.int64)
    mat, tab = np.empty((side, side)), np.empty((0, side, side + 1))
    basic, cobasic, table = np.empty((0, side), np.int64), np.empty((0, side), np.int64), np.empty((2, 0), np.int64)
    masks, points = np.empty((2, 0), np.int64), np.empty((2, 0, side))
    total = 0
    for v in range(first, stop):
        counts[v] = 0
        if not (_range(a, v, 0, span) and _range(b, v, 2, span)):
            states[v] = INFINITE
            continue
        out = _room(out, total, 16 + m + n)
        found, state[0] = 0, DOUBTFUL
        for attempt in range(0 if m * n != 9 and m <= 4 and n <= 4 else 1, 2):
            if state[0] == SURE:
                break
            # a small pair as it is, and struck out only where that leaves a doubt
            near = margin if attempt else np.inf
            _strike(a, b, v, near * max(span[1], TINY), near * max(span[3], TINY), rows, cols, left)
            r, c = left[0], left[1]
            if r == 1 or c == 1:
                found = _one(a, b, v, ties * span[1], ties * span[3], rows, cols, left, out, total, state)
            elif r == 2 and c == 2:
                found = _two(a, b, v, ties * span[1], ties * span[3], rows, cols, out, total, state)
            elif r <= 4 and c <= 4:
                for i in range(r):
                    for j in range(c):
                        here[i, j], there[j, i] = a[v, rows[i], cols[j]], b[v, rows[i], cols[j]]
                found = _supports(
                    here, there, m, r, c, margin, span[1], span[3], rows, cols, out, total, weights, sets, state
                )
            else:
                size, other = 0, 0
                while True:
                    if masks.shape[1] < stored:
                        tab, points = np.empty((stored, side, side + 1)), np.empty((2, stored, side))
                        basic, cobasic = np.empty((stored, side), np.int64), np.empty((stored, side), np.int64)
                        masks, table = np.empty((2, stored), np.int64), np.empty((2, 4 * stored), np.int64)
                    state[0] = SURE
                    _scaled(b, v, rows, cols, left, span[2], span[3], True, mat)
                    size = _walk(mat, c, r, 0, r, margin, tab, basic, cobasic, masks[0], points[0], table[0], state)
                    if size >= 0:
                        _scaled(a, v, rows, cols, left, span[0], span[1], False, mat)
                        other = _walk(
                            mat, r, c, r, 0, margin, tab, basic, cobasic, masks[1], points[1], table[1], state
                        )
                    if (size >= 0 and other >= 0) or 4 * stored * side * (side + 1) > most:
                        break
                    stored *= 4
                if size < 0 or other < 0:
                    state[0] = TOO_LARGE
                    break
                out = _room(out, total, size)
                found, whole = 0, (1 << (r + c)) - 1
                for k in range(1, size):  # vertex 0 is the origin
                    at = table[1, _look(whole ^ masks[0, k], table[1], masks[1])]
                    if at > 0:
                        out[total + found, :] = 0.0
                        for i in range(r):
                            out[total + found, rows[i]] = points[0, k, i] / points[0, k, :r].sum()
                        for j in range(c):
                            out[total + found, m + cols[j]] = points[1, at, j] / points[1, at, :c].sum()
                        found += 1
            if state[0] == SURE and not found & 1:  # cannot be where every vertex is simple
                state[0] = DOUBTFUL
        _sort(out, total, total + found)
        states[v], counts[v] = state[0], found
        total += found
    return out[:total]


def labelled_pairs(a: Floats, b: Floats, *, ties: float) -> tuple[Floats, Keys, NDArray[np.int8]]:
    """Find all completely labelled pairs of vertices, for each pair of matrices.

    Parameters
    ----------
    a, b
        Shape (v, m, n).
    ties
        Differences up to this share of a matrix's range count as ties, where signs of differences decide.

    Returns
    -------
    pairs : float array, (k, m + n)
        ``x`` beside ``y``, sorted downwards for each pair of matrices.
    offsets : int array, (v + 1,)
        Those of v stand at ``offsets[v]`` to ``offsets[v + 1] - 1``.
    states : int array, (v,)
        ``SURE``, all found and each simple; ``TIED``, all found, ties among them; ``DOUBTFUL``, what was found may be false or short; ``TOO_LARGE``, more
        vertices than are stored; ``INFINITE``, an entry or a range is not finite.

    Examples
    --------
    >>> a = np.array([[[3.0, 2.0], [4.0, 1.0]]])
    >>> pairs, offsets, states = labelled_pairs(a, np.ascontiguousarray(a.transpose(0, 2, 1)), ties=1e-9)
    >>> pairs
    array([[1. , 0. , 0. , 1. ],
           [0.5, 0.5, 0.5, 0.5],
           [0. , 1. , 1. , 0. ]])
    >>> offsets, int(states[0]) == SURE
    (array([0, 3]), True)
    """
    _, m, n = a.shape
    margin = max(MARGIN, 4.0 * ties)
    if m == n == 2:
        return squares.pairs_of_two(a, b, ties=ties)
    if m == n == 3:
        pairs, offsets, states = squares.pairs_of_three(a, b, margin=margin)
        doubt = np.flatnonzero(states == DOUBTFUL)
        if len(doubt):
            again, others, states[doubt] = _some_pairs(a[doubt], b[doubt], ties, margin)
            offsets, pairs = spliced(offsets, pairs, doubt, others, again)
        return pairs, offsets, states
    return _some_pairs(a, b, ties, margin)


def _some_pairs(a: Floats, b: Floats, ties: float, margin: float) -> tuple[Floats, Keys, NDArray[np.int8]]:
    """Answer pairs of matrices of any size."""
    count, m, n = a.shape
    offsets, states = np.zeros(count + 1, np.int64), np.empty(count, np.int8)
    counts = offsets[1:]
    if m + n > MOST_LABELS:
        states[:] = TOO_LARGE
        return np.empty((0, m + n)), offsets, states
    parts: dict[int, Floats] = {}

    def some(first: int, stop: int) -> None:
        parts[first] = _pairs(a, b, ties, margin, MOST_STORED, first, stop, counts, states)

    over_variants(some, count)
    np.cumsum(counts, out=counts)
    pairs = np.concatenate([parts[first] for first in sorted(parts)]) if parts else np.empty((0, m + n))
    return pairs, offsets, states
