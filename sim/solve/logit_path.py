r"""The principal branch of logit quantal response equilibria of strategic games, as data, to a precision or to its end.

Player i's precision is :math:`\lambda_i = s\, r_i`, at fixed ratios r; the branch starts at uniform play for s = 0 and is followed past turning points. For
generic games it leads to one Nash equilibrium, the *limiting logit equilibrium* for these ratios.

Source: McKelvey, R. & Palfrey, T. (1995) Quantal response equilibria for normal form games, Games and Economic Behavior 10:6-38; Turocy, T. (2005) A
dynamic homotopy interpretation of the logistic quantal response equilibrium correspondence, Games and Economic Behavior 51:243-263.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sim.errors import NoAnswerError, OptionError
from sim.game.strategic import action_values, logit_residual, regrets, spans
from sim.kinds import frozen
from sim.numerics.continuation import singular_value

if TYPE_CHECKING:
    from sim.game.strategic import StrategicGame
    from sim.kinds import Floats

__all__ = ["Branch", "fit", "logit_branch"]

KEEP = 4000
LONGEST = 0.1  # steps short enough to draw the branch
RESIDUAL = 1e-9
REGRET = 1e-8
LARGEST_SCALED = 1e9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Branch:
    """The branch from λ = 0 to an equilibrium.

    Attributes
    ----------
    profile : tuple of float arrays
        A mixed strategy for each player, at the end.
    values : float array, (i,)
    precisions : float array, (k, i)
        Each player's λ at the points kept, the first 0.
    profiles : float array, (k, a)
        All players' probabilities, one player after the other.
    turns : int
        How often the precision turned back or forth.
    residual, max_regret : float
        Measured by the referee: distance from the logit response, and regret in units of ranges.
    singular : float
        Smallest singular value of the Jacobian at the end, of log probabilities less their logit responses.
    """

    profile: tuple[Floats, ...]
    values: Floats
    precisions: Floats
    profiles: Floats
    turns: int
    residual: float
    max_regret: float
    singular: float


def _singular(game: StrategicGame, profile: tuple[Floats, ...], precision: Floats) -> float:
    """Return the smallest singular value at a profile."""
    sizes = [len(own) for own in profile]
    starts = np.concatenate([[0], np.cumsum(sizes)])
    slope = np.zeros((starts[-1], starts[-1]))
    for i in range(len(sizes)):
        for j in range(len(sizes)):
            if i != j:
                for b in range(sizes[j]):  # what i's actions are worth where j plays b
                    pure = [*profile]
                    pure[j] = np.eye(sizes[j])[b]
                    column = action_values(game.payoffs, pure, i) * profile[j][b]
                    slope[starts[i] : starts[i + 1], starts[j] + b] = precision[i] * column
    return singular_value(slope, np.concatenate(profile), np.repeat(np.arange(len(sizes)), sizes))


def logit_branch(game: StrategicGame, precision: Floats, *, limit: bool = False) -> Branch:
    """Follow the principal branch.

    Parameters
    ----------
    game
        Any number of players.
    precision
        λ of each player, (i,), at least 0.
    limit
        Follow instead, at these ratios of precisions, until no player gains more than 1e-8 of his payoff range.

    Raises
    ------
    OptionError
        If a precision is 0 where the limit is asked for.
    NoAnswerError
        If the branch cannot be followed that far, or the referee does not confirm its end.

    Examples
    --------
    >>> from sim.game.strategic import StrategicGame
    >>> pennies = StrategicGame.from_matrices([[1.1141, 0], [0, 0.2785]], [[0, 1.1141], [1.1141, 0]])
    >>> found = logit_branch(pennies, np.array([2.0, 2.0]))
    >>> found.profile[0].round(6), found.profile[1].round(6), found.residual <= 1e-9
    (array([0.617522, 0.382478]), array([0.371982, 0.628018]), True)
    """
    from sim.numerics.branch import FOLLOWED, follow_branches

    if limit and not (precision > 0).all():
        raise OptionError("the limit needs a precision above 0 for every player; their ratios count")
    shape = game.payoffs.shape[1:]
    weight = precision * spans(game.payoffs)
    scale = float(weight.max())
    ratio = precision / scale if scale > 0 else precision
    table = np.stack(
        [(ratio[i] * (payoff - payoff.mean())).reshape(-1) for i, payoff in enumerate(game.payoffs)], axis=1
    )
    sizes = np.array(shape, dtype=np.int32)
    regret = REGRET * float((ratio * spans(game.payoffs)).min()) / 2 if limit else 0.0
    if scale > LARGEST_SCALED and not limit:
        raise OptionError(
            f"precision times the payoff range is {scale:.3g}; expected at most {LARGEST_SCALED:g}; ask for --option limit=true"
        )
    x, ending, trail, kept = follow_branches(
        sizes,
        table[None],
        np.ones((1, int(sizes.sum()))),
        target=scale,
        regret=regret,
        keep=KEEP,
        most=KEEP,
        longest=LONGEST,
    )
    if ending[0] != FOLLOWED:
        raise NoAnswerError(
            f"the branch of logit responses was followed to λ = {x[0, -1]:.4g} over the payoff range and no further; "
            "ask for a smaller precision, or for --concept nash"
        )
    points = np.concatenate(
        [trail[0, : kept[0]], x]
        if kept[0] == 0 or not np.array_equal(trail[0, kept[0] - 1], x[0])
        else [trail[0, : kept[0]]]
    )
    bounds = np.cumsum(shape)[:-1]
    profiles = np.exp(points[:, :-1])
    profile = tuple(frozen(own / own.sum()) for own in np.split(profiles[-1], bounds))
    precisions = points[:, -1:] * ratio
    residual, worst = logit_residual(game.payoffs, profile, precisions[-1]), float(regrets(game.payoffs, profile).max())
    if not (worst <= REGRET if limit else residual <= RESIDUAL):
        what = f"regret {worst:.3g} above {REGRET:g}" if limit else f"residual {residual:.3g} above {RESIDUAL:g}"
        raise NoAnswerError(
            f"the end of the branch is not certified: {what}; ask for a smaller precision, or for --concept nash"
        )
    steps = np.diff(points[:, -1])
    values = np.array([action_values(game.payoffs, profile, i) @ own for i, own in enumerate(profile)])
    return Branch(
        profile=profile,
        values=frozen(values),
        precisions=frozen(precisions),
        profiles=frozen(profiles),
        turns=int((steps[1:] * steps[:-1] < 0).sum()),
        residual=residual,
        max_regret=worst,
        singular=_singular(game, profile, precisions[-1]),
    )


def fit(game: StrategicGame, counts: list[Floats], *, most: float = 100.0) -> tuple[float, float]:
    r"""Fit a common precision to observed choices by maximum likelihood, along the principal branch.

    Parameters
    ----------
    game
        Any number of players.
    counts
        How often each action was seen, one array for each player.
    most
        The largest λ times payoff range that is tried.

    Returns
    -------
    tuple
        λ, and the log likelihood :math:`\sum_{ia} c_{ia} \log \sigma_{ia}`.

    Examples
    --------
    >>> from sim.game.strategic import StrategicGame
    >>> ochs = StrategicGame.from_matrices([[1.1141, 0], [0, 0.2785]], [[0, 1.1141], [1.1141, 0]])
    >>> fitted, likelihood = fit(ochs, [np.array([67.456, 60.544]), np.array([46.848, 81.152])])
    >>> round(fitted, 4), round(likelihood, 4)
    (1.8456, -174.7645)
    """
    from scipy.optimize import minimize_scalar

    seen = np.concatenate(counts)
    if seen.shape != (sum(game.payoffs.shape[1:]),) or not (seen >= 0).all() or not seen.sum() > 0:
        raise OptionError(
            f"counts have {len(seen)} numbers; expected one of at least 0 for each of {sum(game.payoffs.shape[1:])} actions"
        )
    largest = most / float(spans(game.payoffs).max())

    def worse(precision: float) -> float:
        shares = np.concatenate(logit_branch(game, np.full(len(counts), precision)).profile)
        return -float((seen * np.log(np.maximum(shares, 1e-300))).sum())

    grid = (
        np.r_[0.0, np.geomspace(1e-3, 1.0, 60)] * largest
    )  # several peaks are possible: search around the best of a grid
    place = int(np.argmin([worse(float(x)) for x in grid]))
    low, high = grid[max(0, place - 1)], grid[min(len(grid) - 1, place + 1)]
    found = minimize_scalar(worse, bounds=(float(low), float(high)), method="bounded", options={"xatol": 1e-10})
    return float(found.x), -float(found.fun)
