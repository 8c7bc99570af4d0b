r"""Follow a curve of solutions of :math:`H(z) = 0` with one unknown more than equations, past turning points.

A predictor along the tangent and Newton's method across it; a step is taken back if the curve bends much on it, or if the determinant of the equations with the
old direction below them changes its sign: on one curve it keeps it but at a bifurcation, so a change says that another curve was met. Steps too
short to take back may cross one. The last unknown is the parameter; directions are judged in all unknowns alike.

For systems of any kind in plain arrays; :mod:`sim.numerics.branch` does the same for strategic games in compiled code.

Source: Allgower, E. & Georg, K. (1990) Numerical Continuation Methods, chapters 6 and 8.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.kinds import frozen

if TYPE_CHECKING:
    from collections.abc import Callable

    from sim.kinds import Floats

__all__ = ["Curve", "follow", "singular_value"]

FIRST_STEP = 0.1
LEAST_STEP = 1e-9
GROWTH = 2.5
SHORT = 1e-5  # steps up to this length, times 1 plus the parameter, are never taken back
STRAIGHT = 0.9  # least cosine between directions before and after a step
FAR = 0.3  # how far the curve may lie from the prediction
NEAR = 0.002
MOST_CORRECTIONS = 8
ACCURACY = 1e-11
EXACT = 1e-13
STALLED = 1e-7  # corrections that no longer shrink below this are rounding


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Curve:
    """Points of a curve.

    Attributes
    ----------
    points : float array, (k, z)
        From the start on; the last one is where it ended.
    arrived : bool
        Whether it ended where it should.
    turns : int
        How often the parameter turned back or forth.
    """

    points: Floats
    arrived: bool
    turns: int


@np.errstate(all="ignore")  # a correction that leads astray is seen by its size
def _newton(
    equations: Callable[[Floats], tuple[Floats, Floats]], guess: Floats, row: Floats, level: float
) -> tuple[Floats, Floats] | None:
    """Return the solution with ``row @ z = level`` near a guess, and the Jacobian there; ``None`` if Newton's method does not close in."""
    point, before = guess.copy(), np.inf
    for turn in range(MOST_CORRECTIONS):
        out, jacobian = equations(point)
        if float(np.abs(out).max()) <= EXACT * (1.0 + abs(float(point[-1]))) and turn:
            return point, jacobian
        if not (np.isfinite(out).all() and np.isfinite(jacobian).all()):
            return None
        try:
            step = np.linalg.solve(np.vstack([jacobian, row]), np.r_[out, float(row @ point) - level])
        except np.linalg.LinAlgError:
            return None
        point = point - step
        size = float((np.abs(step) / (1.0 + np.abs(point))).max())
        if not size < FAR or (turn and size > before / 2 and size > STALLED):
            return None
        if size <= ACCURACY or (turn and size > before / 2):
            return point, equations(point)[1]
        before = size
    return None


@np.errstate(all="ignore")
def _direction(jacobian: Floats, before: Floats) -> tuple[Floats, float]:
    """Return the unit tangent that leads on from the direction before, and the determinant's sign; a zero vector where the system is singular."""
    square = np.vstack([jacobian, before])
    try:
        tangent = np.linalg.solve(square, np.r_[np.zeros(len(jacobian)), 1.0])
    except np.linalg.LinAlgError:
        return np.zeros(len(before)), 0.0
    norm = float(np.linalg.norm(tangent))
    return (tangent / norm, float(np.linalg.slogdet(square)[0])) if 0 < norm < np.inf else (np.zeros(len(before)), 0.0)


def follow(
    equations: Callable[[Floats], tuple[Floats, Floats]],
    start: Floats,
    *,
    target: float = np.inf,
    stop: Callable[[Floats], bool] | None = None,
    most: int = 5000,
    longest: float = np.inf,
) -> Curve:
    """Follow the curve from a point, towards a growing parameter at first.

    Parameters
    ----------
    equations
        Returns residuals (k,) and Jacobian (k, k + 1) at a point (k + 1,), whose last entry is the parameter.
    start
        A point on the curve.
    target
        End where the parameter first has this value.
    stop
        End at the first point of which this holds.
    most
        Limit of steps.
    longest
        Limit of a step, times 1 plus the parameter, for points close enough to be drawn.

    Examples
    --------
    >>> def fold(z):  # x³ − x = s turns back twice
    ...     x, s = z
    ...     return np.array([x**3 - x - s + 0.0]), np.array([[3 * x**2 - 1, -1.0]])
    >>> curve = follow(fold, np.array([-1.0, 0.0]), target=1.0)
    >>> curve.arrived, curve.turns, curve.points[-1].round(4)
    (True, 2, array([1.3247, 1.    ]))
    """
    point = np.array(start, dtype=np.float64)
    points, turns = [point], 0
    if target <= point[-1] or (stop is not None and stop(point)):
        return Curve(points=frozen(np.array(points)), arrived=True, turns=0)
    ahead = np.r_[np.zeros(len(point) - 1), 1.0]
    tangent, orientation = _direction(equations(point)[1], ahead)
    step = FIRST_STEP
    while len(points) <= most and step >= LEAST_STEP and orientation != 0.0:
        step = min(step, longest * (1.0 + abs(float(point[-1]))))
        length, row, level = step, tangent, float(tangent @ point) + step
        last = tangent[-1] > 0 and point[-1] + step * tangent[-1] >= target
        if last:
            length, row, level = (target - float(point[-1])) / float(tangent[-1]), ahead, target
        guess = point + length * tangent
        found = _newton(equations, guess, row, level)
        if found is None:
            step = 0.4 * min(step, length)
            continue
        fresh, sign = _direction(found[1], tangent)
        distance = float((np.abs(found[0] - guess) / (1.0 + np.abs(point))).max())
        sound = sign == orientation and float(fresh @ tangent) >= STRAIGHT and distance <= FAR
        if not sound and length > SHORT * (1.0 + abs(float(point[-1]))):
            step = 0.4 * min(step, length)
            continue
        if sign == 0.0:
            break
        turns += int(fresh[-1] * tangent[-1] < 0)
        point, tangent, orientation = found[0], fresh, sign
        points.append(point)
        if last or (stop is not None and stop(point)):
            return Curve(points=frozen(np.array(points)), arrived=True, turns=turns)
        step *= GROWTH if distance < NEAR else 1.5 if distance < 10 * NEAR else 1.0 if distance < FAR / 3 else 0.6
    return Curve(points=frozen(np.array(points)), arrived=False, turns=turns)


def singular_value(slope: Floats, profile: Floats, blocks: Any) -> float:
    """Return the smallest singular value of a logit system: log probabilities less their responses, by log probabilities.

    Parameters
    ----------
    slope
        Derivatives of what the responses are taken of by log probabilities, (a, a).
    profile
        Probabilities, (a,).
    blocks
        To which simplex each entry belongs, (a,).

    Examples
    --------
    >>> singular_value(np.zeros((2, 2)), np.array([0.5, 0.5]), np.array([0, 0]))
    1.0
    """
    same = np.equal.outer(blocks, blocks)
    mean = np.where(same, profile[None, :], 0.0) @ slope
    return float(np.linalg.svd(np.eye(len(profile)) - (slope - mean), compute_uv=False)[-1]) if len(profile) else 1.0
