"""Climbing a likelihood whose values come in batches: a design over all parameters, local searches, profiles, and refits of many samples at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sim.analysis.likelihood import Model
    from sim.kinds import Bools, Floats

__all__ = ["Peak", "climb", "design", "flat_ends", "profile", "refit", "starts_of", "vertex"]

STEP = 1e-4  # of finite differences, in units of the scale
TINY = 1e-7
FAR = 0.1  # starts nearer than this are one start
STEPS = 60
COARSE, FINE = 0.125, 0.004  # steps of the refits' search
LOST = 1e10  # stands for −∞ where a finite number is needed


@dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    """Where a local search ended.

    Attributes
    ----------
    point : float array, (k,)
    height : float
        The log-likelihood.
    gradient : float array, (k,)
        Along the scales; 0 for choices.
    """

    point: Floats
    height: float
    gradient: Floats


def design(model: Model, points: int, spread: int) -> Floats:
    """Lay out the points of the first scan: every precision of a grid, 0 included, with the assumptions as set and over their ranges.

    Parameters
    ----------
    model
        Whose parameters.
    points, spread
        How many steps of the grid, and how many Sobol points over the others.

    Returns
    -------
    float array, (p, k)

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.likelihood import Model, Parameter
    >>> one = Model(sim.load(sim.template()), "quantal_response", [Parameter(name="precision", kind="precision", high=10.0, knee=0.1)])
    >>> design(one, 5, 8)[:, 0]
    array([0.  , 0.25, 0.5 , 0.75, 1.  ])
    """
    from scipy.stats import qmc

    parameters = model.parameters
    grids = [k for k in model.smooth if parameters[k].kind != "assumption"]
    others = [k for k in model.smooth if parameters[k].kind == "assumption"]
    parts: list[Floats] = []
    sets = model.base()[others][None]
    if others:
        sets = np.vstack([sets, _sobol(qmc, len(others), spread)])
    along = np.linspace(0.0, 1.0, points) if grids else np.zeros(1)
    first = np.repeat(model.base()[None], len(along) * len(sets), axis=0)
    first[:, grids] = np.repeat(along, len(sets))[:, None]
    first[:, others] = np.tile(sets, (len(along), 1))
    parts.append(first)
    if len(grids) > 1:  # each player's own precision, also far from the common one
        more = np.repeat(model.base()[None], 8 * spread, axis=0)
        more[:, model.smooth] = _sobol(qmc, len(model.smooth), 8 * spread)
        parts.append(more)
    whole = np.vstack(parts)
    chosen = [k for k, one in enumerate(parameters) if one.choices]
    if not chosen:
        return whole
    combinations = np.array(model.combinations(), dtype=np.float64)
    out = np.repeat(whole, len(combinations), axis=0)
    out[:, chosen] = np.tile(combinations, (len(whole), 1))
    return out


def _sobol(qmc: Any, dimensions: int, count: int) -> Floats:
    """Return points that fill a cube evenly; no chance is in them."""
    power = max(1, int(np.ceil(np.log2(max(2, count)))))
    points: Floats = qmc.Sobol(dimensions, scramble=False).random_base2(power)[:count]
    return np.clip(points + 0.5 / 2**power, 0.0, 1.0)


def starts_of(points: Floats, heights: Floats, count: int) -> list[Floats]:
    """Choose the best points that are apart from each other.

    Examples
    --------
    >>> starts_of(np.array([[0.1], [0.15], [0.9]]), np.array([-1.0, -1.1, -2.0]), 2)
    [array([0.1]), array([0.9])]
    """
    out: list[Floats] = []
    for row in np.argsort(-heights, kind="stable"):
        if not np.isfinite(heights[row]) or len(out) == count:
            break
        if all(np.abs(points[row] - other).max() > FAR for other in out):
            out.append(points[row])
    return out


def _around(point: Floats, smooth: Sequence[int], step: float) -> tuple[Floats, Floats]:
    """Return the point and its neighbours along each scale, inside it, (1 + 2 s, k), and their distances (s,)."""
    out = np.repeat(point[None], 1 + 2 * len(smooth), axis=0)
    for place, k in enumerate(smooth):
        out[1 + 2 * place, k] = max(0.0, point[k] - step)
        out[2 + 2 * place, k] = min(1.0, point[k] + step)
    wide = np.array([out[2 + 2 * p, k] - out[1 + 2 * p, k] for p, k in enumerate(smooth)])
    return out, wide


def climb(height: Callable[[Floats], Floats], start: Floats, smooth: Sequence[int]) -> Peak:
    """Search upwards from a start, within the scales; the gradient is that of finite differences, one batch a step.

    Parameters
    ----------
    height
        Takes points (p, k) and returns log-likelihoods (p,).
    start
        Where to begin, (k,).
    smooth
        The coordinates that may move.

    Examples
    --------
    >>> found = climb(lambda x: -((x[:, 0] - 0.3) ** 2), np.array([0.9]), [0])
    >>> round(float(found.point[0]), 6)
    0.3
    """
    from scipy.optimize import minimize

    if not smooth:
        return Peak(point=start, height=float(height(start[None])[0]), gradient=np.zeros(len(start)))

    def downhill(x: Floats) -> tuple[float, Floats]:
        point = start.copy()
        point[list(smooth)] = x
        around, wide = _around(point, smooth, STEP)
        found = np.maximum(height(around), -LOST)
        return -float(found[0]), -(found[2::2] - found[1::2]) / wide

    found: Any = minimize(
        downhill, start[list(smooth)], jac=True, method="L-BFGS-B", bounds=[(0.0, 1.0)] * len(smooth),
        options={"maxiter": STEPS, "ftol": 1e-10, "gtol": 1e-5},
    )  # fmt: skip
    point = start.copy()
    point[list(smooth)] = found.x
    value, slope = downhill(found.x)
    gradient = np.zeros(len(start))
    gradient[list(smooth)] = -slope
    return Peak(point=point, height=-value if value < LOST else -np.inf, gradient=gradient)


def profile(
    height: Callable[[Floats], Floats], tops: Floats, place: int, smooth: Sequence[int], grid: Floats
) -> tuple[Floats, Floats]:
    """Maximise over the other smooth coordinates at each value of one, from each top outwards, each search starting where the one before ended.

    Parameters
    ----------
    height
        Takes points (p, k) and returns log-likelihoods (p,).
    tops
        The best known point of each combination of choices (c, k); choices stay as they are there, so that the profile is the maximum over c.
    place
        Whose values are given.
    smooth
        The coordinates that may move.
    grid
        Its values, (g,).

    Returns
    -------
    tuple of arrays
        Heights (c, g), and the points at which they are reached (c, g, k).

    Examples
    --------
    >>> ridge = lambda x: -((x[:, 0] - x[:, 1]) ** 2) - (x[:, 0] - 0.5) ** 2
    >>> profile(ridge, np.array([[0.5, 0.5]]), 0, [0, 1], np.array([0.25, 0.75]))[0].round(6)
    array([[-0.0625, -0.0625]])
    """
    others = [k for k in smooth if k != place]
    points = np.repeat(tops[:, None], len(grid), axis=1)
    points[:, :, place] = grid
    if not others:
        return height(points.reshape(-1, tops.shape[1])).reshape(len(tops), len(grid)), points
    out = np.full((len(tops), len(grid)), -np.inf)
    for c, top in enumerate(tops):
        middle = int(np.abs(grid - top[place]).argmin())
        for way in (range(middle, len(grid)), range(middle - 1, -1, -1)):
            at = top
            for g in way:
                start = at.copy()
                start[place] = grid[g]
                found = climb(height, start, others)
                out[c, g], points[c, g] = found.height, found.point
                at = found.point if np.isfinite(found.height) else at
    return out, points


def refit(many: Callable[[Floats], Floats], points: Floats, heights: Floats, smooth: Sequence[int]) -> Floats:
    """Fit many samples at once: each climbs from its best point of a scan, and all steps of all samples are one batch.

    Parameters
    ----------
    many
        Takes points (b, m, k), m for each sample, and returns log-likelihoods (b, m).
    points, heights
        The scan: (p, k), and each sample's log-likelihoods there (b, p).
    smooth
        The coordinates that may move.

    Returns
    -------
    float array, (b, k)

    Examples
    --------
    >>> goal = np.array([0.2, 0.7])
    >>> many = lambda x: -np.abs(x[:, :, 0] - goal[:, None])
    >>> grid = np.linspace(0, 1, 5)[:, None]
    >>> refit(many, grid, many(np.stack([grid, grid])), [0]).round(2)
    array([[0.2],
           [0.7]])
    """
    best = heights.argmax(axis=1)
    at, level = points[best].copy(), heights[np.arange(len(heights)), best]
    step = np.full(len(at), COARSE)
    samples = np.arange(len(at))
    while smooth and (step > FINE).any():
        tried = np.repeat(at[:, None], 2 * len(smooth), axis=1)
        for place, k in enumerate(smooth):
            tried[:, 2 * place, k] = np.clip(at[:, k] - step, 0.0, 1.0)
            tried[:, 2 * place + 1, k] = np.clip(at[:, k] + step, 0.0, 1.0)
        found = many(tried)
        pick = found.argmax(axis=1)
        better = found[samples, pick] > level + TINY
        at[better], level[better] = tried[samples, pick][better], found[samples, pick][better]
        step[~better] /= 2.0
    return at


def vertex(grid: Floats, heights: Floats) -> Floats:
    """Return where the parabola through the highest point of each row and its neighbours peaks, (b,).

    Parameters
    ----------
    grid, heights
        Evenly spaced (g,), and (b, g).

    Examples
    --------
    >>> x = np.linspace(0, 1, 11)
    >>> vertex(x, -((x - 0.33) ** 2)[None]).round(6)
    array([0.33])
    """
    best = heights.argmax(axis=1)
    rows = np.arange(len(heights))
    inner = (best > 0) & (best < len(grid) - 1)
    left, right = heights[rows, np.maximum(best - 1, 0)], heights[rows, np.minimum(best + 1, len(grid) - 1)]
    middle = heights[rows, best]
    bend = left - 2 * middle + right
    safe = inner & np.isfinite(bend) & (bend < 0)
    shift = np.divide(0.5 * (left - right), bend, out=np.zeros(len(rows)), where=safe)
    return grid[best] + np.clip(shift, -0.5, 0.5) * (grid[1] - grid[0])


def flat_ends(point: Floats, smooth: Sequence[int]) -> Bools:
    """Tell which coordinates stand at an end of their scale, (k,).

    Examples
    --------
    >>> flat_ends(np.array([0.0, 0.5]), [0, 1])
    array([ True, False])
    """
    out = np.zeros(len(point), dtype=np.bool_)
    for k in smooth:
        out[k] = point[k] <= 1e-6 or point[k] >= 1.0 - 1e-6  # noqa: PLR2004
    return out
