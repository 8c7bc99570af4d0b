r"""Cumulative prospect theory: what a lottery is worth to someone for whom gains and losses, and rare outcomes, count differently.

An outcome x is worth :math:`v(x) = x^a` if it is a gain and :math:`-\ell\,(-x)^a` if it is a loss. Outcomes are weighed by rank: with
:math:`w(p) = p^g / (p^g + (1 - p)^g)^{1/g}`, a gain gets what it adds to the weight of all gains at least as good, a loss what it adds to the weight
of all losses at least as bad. The *certainty equivalent* is the sure outcome of the same worth. As weights sum to 1 where all outcomes are gains,
or all are losses, and to at most 1 on either side of the reference otherwise, it lies between the worst and the best outcome that is possible.

``w`` is not the function of Prelec (1998), which another formula defines although its parameter is often quoted with the numbers of this one.

Source: Tversky, A. & Kahneman, D. (1992) Advances in prospect theory: cumulative representation of uncertainty, Journal of Risk and Uncertainty
5:297-323, equations 5 and 6; medians of its section 2.3: a = .88, ℓ = 2.25, g = .61 for gains and .69 for losses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from sim.kinds import Floats

__all__ = ["MEDIANS", "certainty_equivalent", "decision_weight", "value"]

MEDIANS = (0.88, 2.25, 0.61, 0.69)
"""Curvature, loss aversion, and the powers of the weights of gains and of losses: the medians of Tversky & Kahneman's subjects."""


def value(x: Any, curvature: Any = 1.0, loss_aversion: Any = 1.0) -> Floats:
    """Value gains and losses.

    Examples
    --------
    >>> value([100.0, -1.0], 0.88, 2.25).round(3)
    array([57.544, -2.25 ])
    """
    given = np.asarray(x, dtype=np.float64)
    size = np.abs(given) ** curvature
    return np.where(given >= 0, size, -np.asarray(loss_aversion) * size)


def decision_weight(p: Any, power: Any = 1.0, rest: Any = None) -> Floats:
    """Weigh probabilities; from 0 to 1, and rising where the power is at least 0.28.

    Parameters
    ----------
    p, power
        The probabilities and g.
    rest
        The probability of everything else, where it is known better than as 1 − p: near 0 and 1 the curve is infinitely steep.

    Examples
    --------
    >>> decision_weight([0.0, 0.01, 0.5, 1.0], 0.61).round(5)
    array([0.     , 0.05527, 0.42064, 1.     ])
    """
    given = np.asarray(p, dtype=np.float64)
    other = 1.0 - given if rest is None else np.asarray(rest, dtype=np.float64)
    mine = (given / (given + other)) ** power
    return mine / (mine + (other / (given + other)) ** power) ** (1.0 / np.asarray(power))


def certainty_equivalent(x: Any, p: Any, parameters: Any = MEDIANS) -> Floats:
    """Return what lotteries are worth as sure outcomes.

    Parameters
    ----------
    x, p
        Outcomes, counted from the reference point, and their probabilities, (…, b).
    parameters
        Curvature, loss aversion, power for gains, power for losses, (…, 4).

    Returns
    -------
    float array, (…,)

    Examples
    --------
    >>> certainty_equivalent([[100.0, 0.0], [-100.0, 0.0]], [[0.05, 0.95], [0.05, 0.95]]).round(4)
    array([ 9.9828, -8.2616])
    """
    outcome, share = np.broadcast_arrays(np.asarray(x, dtype=np.float64), np.asarray(p, dtype=np.float64))
    curvature, loss_aversion, gains, losses = np.moveaxis(np.asarray(parameters, dtype=np.float64), -1, 0)
    order = np.argsort(outcome, axis=-1, kind="stable")
    x, p = np.take_along_axis(outcome, order, axis=-1), np.take_along_axis(share, order, axis=-1)
    worse, better = np.cumsum(p, axis=-1), np.flip(np.cumsum(np.flip(p, axis=-1), axis=-1), axis=-1)
    none = np.zeros_like(p[..., :1])
    below, above = np.concatenate((none, worse[..., :-1]), axis=-1), np.concatenate((better[..., 1:], none), axis=-1)
    of_losses = np.diff(decision_weight(worse, losses[..., None], above), axis=-1, prepend=0.0)
    of_gains = -np.diff(decision_weight(better, gains[..., None], below), axis=-1, append=0.0)
    worth = (np.where(x < 0, of_losses, of_gains) * value(x, curvature[..., None], loss_aversion[..., None])).sum(
        axis=-1
    )
    scale = np.where(worth < 0, -loss_aversion, 1.0)
    found = np.sign(scale) * (worth / scale) ** (1.0 / curvature)
    possible = p > 0
    low, high = np.where(possible, x, np.inf).min(axis=-1), np.where(possible, x, -np.inf).max(axis=-1)
    return np.clip(found, low, high)  # where it lies but for rounding
