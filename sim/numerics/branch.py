r"""Follow the branch of logit fixed points of a system of simplices from the centre.

Unknown are the logarithms :math:`x_{ia}` of probabilities :math:`p_{ia}`, in blocks ``i`` that each sum to 1, and the parameter
:math:`s \ge 0`. The branch solves

.. math:: x_{ia} - x_{i0} - \log(w_{ia} / w_{i0}) = s\,(u_{ia}(p) - u_{i0}(p)), \qquad \sum_a p_{ia} = 1,

where :math:`u_{ia}` is multilinear, given by a table over all combinations of places. It starts at
:math:`s = 0`, where p is proportional to the weights, and is followed by a predictor and a corrector along its arc, so that it may turn back in ``s``.

Source: Turocy, T. (2005) A dynamic homotopy interpretation of the logistic quantal response equilibrium correspondence, Games and
Economic Behavior 51:243-263; Allgower, E. & Georg, K. (1990) Numerical Continuation Methods.
"""

# A kernel's types are its explicit signature.
# pyright: reportMissingParameterType=false, reportUnknownParameterType=false, reportCallIssue=false

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numba as nb
import numpy as np

from sim.numerics.signatures import INT, REAL, read, write
from sim.numerics.threads import over_variants

if TYPE_CHECKING:
    from sim.kinds import Floats, Ints

__all__ = ["FOLLOWED", "follow_branches"]

FOLLOWED = 0
"""Ending of a branch that reached what was asked; 1 is the limit of steps, 2 a corrector that failed."""
FIRST_STEP = 0.1
LEAST_STEP = 1e-9
LARGEST_STEP = 1e12
FARTHEST = 1e12
MOST_CORRECTIONS = 8
ACCURACY = 1e-10
EXACT = 1e-14
CLOSE = 1e-6
NEAR, FAILED = 2, 3
STALLED = 1e-7  # corrections that no longer shrink below this are rounding
STRAIGHT = 0.9  # least cosine between directions before and after a step
FAR = 0.5  # how far the branch may lie from the prediction
SHORT = 1e-5  # steps up to this length, times 1 + s, are never taken back


@nb.njit(nb.intp(write(REAL, 2), write(INT, 1)), nogil=True, cache=True)
def _factor(m, pivot):
    """Factor a matrix in place with partial pivoting; return the sign of its determinant, 0 where it is singular."""
    n = m.shape[0]
    sign = 1
    for k in range(n):
        best = k
        for r in range(k + 1, n):
            if abs(m[r, k]) > abs(m[best, k]):
                best = r
        if not (abs(m[best, k]) > 0.0):
            return 0
        pivot[k] = best
        if best != k:
            sign = -sign
            for c in range(n):
                m[k, c], m[best, c] = m[best, c], m[k, c]
        if m[k, k] < 0.0:
            sign = -sign
        for r in range(k + 1, n):
            if m[r, k] != 0.0:
                factor = m[r, k] / m[k, k]
                m[r, k] = factor
                for c in range(k + 1, n):
                    m[r, c] -= factor * m[k, c]
    return sign


@nb.njit(nb.void(write(REAL, 2), write(INT, 1), write(REAL, 1)), nogil=True, cache=True)
def _solve(m, pivot, b):
    """Solve with a factored matrix, in place."""
    n = m.shape[0]
    for k in range(n):
        if pivot[k] != k:
            b[k], b[pivot[k]] = b[pivot[k]], b[k]
    for r in range(n):
        total = b[r]
        for c in range(r):
            total -= m[r, c] * b[c]
        b[r] = total
    for r in range(n - 1, -1, -1):
        total = b[r]
        for c in range(r + 1, n):
            total -= m[r, c] * b[c]
        b[r] = total / m[r, r]


@nb.njit(
    nb.void(read(INT, 1), read(INT, 1), read(REAL, 2), write(REAL, 1), write(REAL, 1), write(REAL, 2)),
    nogil=True,
    cache=True,
)
def _worth(shape, start, table, p, u, slope):
    """Compute u of every place, and its slope in the probabilities of the other blocks."""
    blocks = len(shape)
    u[:] = 0.0
    slope[:] = 0.0
    if blocks == 2:
        m, n = shape[0], shape[1]
        for a in range(m):
            for b in range(n):
                first, second = table[a * n + b, 0], table[a * n + b, 1]
                slope[a, m + b] = first
                slope[m + b, a] = second
                u[a] += first * p[m + b]
                u[m + b] += second * p[a]
        return
    place = np.empty(blocks, dtype=np.int64)
    for k in range(table.shape[0]):
        rest = k
        for i in range(blocks - 1, -1, -1):
            place[i] = start[i] + rest % shape[i]
            rest //= shape[i]
        for i in range(blocks):
            others = 1.0
            for j in range(blocks):
                if j != i:
                    others *= p[place[j]]
            u[place[i]] += table[k, i] * others
            for j in range(blocks):
                if j != i:
                    without = 1.0
                    for other in range(blocks):
                        if other not in (i, j):
                            without *= p[place[other]]
                    slope[place[i], place[j]] += table[k, i] * without


@nb.njit(
    nb.void(
        read(INT, 1), read(INT, 1), read(REAL, 2), read(REAL, 1), write(REAL, 1), write(REAL, 1), write(REAL, 1), write(REAL, 2),
        write(REAL, 1), write(REAL, 2),
    ),
    nogil=True,
    cache=True,
)  # fmt: skip
def _system(shape, start, table, logs, x, p, u, slope, h, jacobian):
    """Write the equations and their derivatives by x and s (the last of x); the last row is left to the caller."""
    total = len(x) - 1
    s = x[total]
    for k in range(total):
        p[k] = np.exp(x[k])
    _worth(shape, start, table, p, u, slope)
    jacobian[:] = 0.0
    for i in range(len(shape)):
        base = start[i]
        mass = 0.0
        for k in range(base, base + shape[i]):
            mass += p[k]
            jacobian[base, k] = p[k]
        h[base] = mass - 1.0
        for k in range(base + 1, base + shape[i]):
            h[k] = x[k] - x[base] - logs[k] + logs[base] - s * (u[k] - u[base])
            for j in range(total):
                if j < base or j >= base + shape[i]:
                    jacobian[k, j] = -s * p[j] * (slope[k, j] - slope[base, j])
            jacobian[k, k] = 1.0
            jacobian[k, base] = -1.0
            jacobian[k, total] = -(u[k] - u[base])


@nb.njit(
    nb.intp(
        read(INT, 1), read(INT, 1), read(REAL, 2), read(REAL, 1), read(REAL, 1), read(REAL, 1), nb.float64, nb.boolean, nb.float64,
        write(REAL, 1), write(REAL, 1), write(REAL, 1), write(REAL, 2), write(REAL, 1), write(REAL, 2), write(INT, 1),
    ),
    nogil=True,
    cache=True,
)  # fmt: skip
def _correct(shape, start, table, logs, x, tangent, length, last, target, trial, p, u, slope, h, jacobian, pivot):
    """Bring a predicted point back to the branch, across from the prediction or at the target.

    Returns FAILED, NEAR, or the sign of the determinant: then ``jacobian`` is factored, as it was just before the last correction, a small one.
    """
    total = len(x) - 1
    before = np.inf
    for correction in range(MOST_CORRECTIONS):
        _system(shape, start, table, logs, trial, p, u, slope, h, jacobian)
        if last:
            h[total] = trial[total] - target
            jacobian[total] = 0.0
            jacobian[total, total] = 1.0
        else:
            jacobian[total] = tangent
            h[total] = 0.0
            for k in range(total + 1):
                h[total] += tangent[k] * (trial[k] - x[k] - length * tangent[k])
        size = 0.0
        for k in range(total + 1):
            size = max(size, abs(h[k]))
        if size <= EXACT * (1.0 + abs(trial[total])):  # also where the system is singular, at a bifurcation
            return NEAR
        sign = _factor(jacobian, pivot)
        if sign == 0:
            return FAILED
        _solve(jacobian, pivot, h)
        size = 0.0
        for k in range(total + 1):
            trial[k] -= h[k]
            size = max(size, abs(h[k]) / (1.0 + abs(trial[k])))
        stalled = correction > 0 and size > 0.5 * before
        if not (size < 1e6) or (stalled and size > STALLED):
            return FAILED
        if last:
            if size <= ACCURACY or stalled:
                return NEAR
        elif size <= CLOSE or stalled:  # what is left is of the order of its square
            return sign
        before = size
        if correction == 0 and size > 0.3:
            return FAILED
    return FAILED


@nb.njit(nb.float64(read(INT, 1), read(INT, 1), write(REAL, 1), write(REAL, 1)), nogil=True, cache=True)
def _regret(shape, start, p, u):
    """Return the most that a block could gain."""
    worst = 0.0
    for i in range(len(shape)):
        top, mean = -np.inf, 0.0
        for k in range(start[i], start[i] + shape[i]):
            top = max(top, u[k])
            mean += p[k] * u[k]
        worst = max(worst, top - mean)
    return worst


@nb.njit(
    nb.intp(
        read(INT, 1), read(INT, 1), read(REAL, 2), read(REAL, 1), nb.float64, nb.float64, nb.intp, nb.float64, nb.float64, write(REAL, 1),
        write(REAL, 2), write(INT, 1),
    ),
    nogil=True,
    cache=True,
)  # fmt: skip
def _follow(shape, start, table, weight, target, regret, most, longest, stride, x, trail, count):
    """Follow one branch until s reaches the target or no block can gain more than ``regret``; keep its points in ``trail``.

    ``x`` ends as the logarithms and s. Returns 0 when it arrived, 1 at the limit of steps, 2 when the corrector failed.

    A step is taken back if the branch bends much on it, or if the determinant of the equations with the old direction below them changes its sign: on
    one branch it keeps it but at a bifurcation, so a change says that the corrector landed on another branch. Steps too short to take back may cross one.
    """
    total = len(x) - 1
    p, u, h = np.empty(total), np.empty(total), np.empty(total + 1)
    slope = np.empty((total, total))
    jacobian = np.empty((total + 1, total + 1))
    pivot = np.empty(total + 1, dtype=np.int32)
    logs = np.log(weight)
    tangent, fresh, trial = np.zeros(total + 1), np.empty(total + 1), np.empty(total + 1)
    for i in range(len(shape)):
        mass = weight[start[i] : start[i] + shape[i]].sum()
        for k in range(start[i], start[i] + shape[i]):
            trial[k] = np.log(weight[k] / mass)
    trial[total] = 0.0
    x[:] = trial
    tangent[total] = 1.0
    step, length, turn, orientation, last = FIRST_STEP, 0.0, 0, 0, False
    arrived = NEAR
    count[0] = 0
    while True:
        sign = arrived
        if arrived == NEAR:
            _system(shape, start, table, logs, trial, p, u, slope, h, jacobian)
            jacobian[total] = tangent
            sign = _factor(jacobian, pivot)
        sound = sign != 0
        norm = 1.0
        if sound:
            fresh[:] = 0.0
            fresh[total] = 1.0
            _solve(jacobian, pivot, fresh)
            norm = np.sqrt((fresh * fresh).sum())
            sound = norm < np.inf and (orientation in (0, sign)) and norm * STRAIGHT <= 1.0
        distance = 0.0
        for k in range(total + 1):
            distance = max(distance, abs(trial[k] - x[k] - length * tangent[k]) / (1.0 + abs(x[k])))
        if orientation != 0 and length > SHORT * (1.0 + x[total]) and not (sound and distance <= FAR * stride):
            step = 0.4 * min(step, length)
        else:
            if sign == 0 or not (norm < np.inf):
                return 2
            orientation = sign
            x[:] = trial
            tangent[:] = fresh / norm
            if turn < trail.shape[0]:
                trail[turn] = x
                count[0] = turn + 1
            turn += 1
            if regret > 0.0:
                worst = _regret(shape, start, p, u)
                if worst <= 2.0 * regret and arrived != NEAR:  # p and u are those just before the last correction
                    _system(shape, start, table, logs, x, p, u, slope, h, jacobian)
                    worst = _regret(shape, start, p, u)
                if worst <= regret:
                    return 0
                if x[total] > FARTHEST:
                    return 1
            elif abs(x[total] - target) <= 1e-14 * (1.0 + target):
                return 0
            if turn > most:
                return 1
            if length > 0.0 and not last:
                if distance < 0.002 * stride:
                    step *= 2.5
                elif distance < 0.02 * stride:
                    step *= 1.5
                elif distance > 0.1 * stride:
                    step *= 0.6
        step = min(step, longest * (1.0 + x[total]), LARGEST_STEP)
        while True:
            if step < LEAST_STEP:
                return 2
            last = False
            length = step
            if regret <= 0.0 and (x[total] > target or x[total] + step * tangent[total] >= target):
                length = (target - x[total]) / tangent[total]
                last = True
            trial[:] = x + length * tangent
            arrived = _correct(
                shape, start, table, logs, x, tangent, length, last, target, trial, p, u, slope, h, jacobian, pivot
            )
            for k in range(total):
                if trial[k] > 1e-9:
                    arrived = FAILED
            if arrived != FAILED:
                break
            step = 0.4 * min(step, length)


@nb.njit(
    nb.void(
        read(INT, 1), read(REAL, 3), read(REAL, 2), nb.float64, nb.float64, nb.intp, nb.float64, nb.intp, nb.intp, write(REAL, 2),
        write(REAL, 3), write(INT, 1), write(INT, 1),
    ),
    nogil=True,
    cache=True,
)  # fmt: skip
def _follow_all(shape, table, weight, target, regret, most, longest, first, stop, x, trail, count, ending):
    """Follow the branches ``first … stop - 1``, with smaller steps where a first try fails."""
    start = np.zeros(len(shape), dtype=np.int32)
    for i in range(1, len(shape)):
        start[i] = start[i - 1] + shape[i - 1]
    one = np.zeros(1, dtype=np.int32)
    for v in range(first, stop):
        stride, end = 1.0, 0
        for _ in range(4):
            end = _follow(shape, start, table[v], weight[v], target, regret, most, longest, stride, x[v], trail[v], one)
            if end == 0:
                break
            stride *= 0.1
        ending[v] = end
        count[v] = one[0]


def follow_branches(
    shape: Ints,
    table: Floats,
    weight: Floats,
    *,
    target: float = 1.0,
    regret: float = 0.0,
    most: int = 2000,
    keep: int = 0,
    longest: float = np.inf,
) -> tuple[Floats, Ints, Floats, Ints]:
    """Follow many branches of one shape.

    Parameters
    ----------
    shape
        Size of each block, (i,).
    table
        What each block gets at every combination of places, the last block's varying fastest, (v, k, i); scaled so that s has a natural size.
    weight
        Positive weights of all places, (v, a); at s = 0 probabilities are proportional to them within each block.
    target
        Follow until s has this value.
    regret
        If positive, follow instead until no block can gain more than this.
    most
        Limit of steps.
    keep
        How many points of each branch to keep.
    longest
        Limit of a step, times 1 + s, for points close enough to be drawn.

    Returns
    -------
    tuple
        The logarithms of the probabilities and s at the end, (v, a + 1); how each ended, (v,); points on the way, (v, keep, a + 1); their
        number, (v,).

    Examples
    --------
    >>> pennies = np.array([[[2.0, -1.0], [-1.0, 1.0], [-1.0, 1.0], [1.0, -1.0]]])
    >>> x, ending, _, _ = follow_branches(np.array([2, 2], dtype=np.int32), pennies, np.ones((1, 4)), target=50.0)
    >>> int(ending[0]), np.round(np.exp(x[0, 2:4]), 2)
    (0, array([0.4, 0.6]))
    """
    count = len(table)
    places = int(np.sum(shape))
    x = np.empty((count, places + 1))
    trail = np.zeros((count, keep, places + 1))
    kept, ending = np.zeros(count, dtype=np.int32), np.zeros(count, dtype=np.int32)
    given: Any = (
        np.ascontiguousarray(shape, dtype=np.int32),
        np.ascontiguousarray(table),
        np.ascontiguousarray(weight),
    )
    over_variants(
        lambda first, stop: _follow_all(*given, target, regret, most, longest, first, stop, x, trail, kept, ending),
        count,
    )
    return x, ending, trail, kept
