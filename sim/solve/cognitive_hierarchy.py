r"""Poisson cognitive hierarchy: every player believes that all others reason at lower levels, distributed as in the population.

Level 0 plays weighted uniform. Level k takes at each node a best reply to others who are of level j < k with probability proportional to
the Poisson weight :math:`e^{-\tau} \tau^j / j!`, drawn afresh at every node (agent form; levels are not updated along the path). The
reported profile is the population's: the Poisson mixture of all levels up to the greatest, beyond which less than 1e-9 remains.

Source: Camerer, C., Ho, T.-H. & Chong, J.-K. (2004) A cognitive hierarchy model of games, Quarterly Journal of Economics 119:861-898.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sim.errors import OptionError
from sim.solve.contract import Answer
from sim.solve.replies import best_replies, uniform_play
from sim.solve.stages import independent

if TYPE_CHECKING:
    from sim.game.graph import Game
    from sim.kinds import Floats

__all__ = ["MAX_TAU", "Options", "poisson", "solve"]

MAX_TAU = 20.0
REST = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Options: the mean level τ of the population; 1.5 fits many experiments (Camerer, Ho & Chong 2004).

    Examples
    --------
    >>> Options().tau
    1.5
    """

    tau: float = 1.5

    def __post_init__(self) -> None:
        """Refuse what is not a mean level."""
        if not 0 <= self.tau <= MAX_TAU:
            raise OptionError(f"tau is {self.tau}; expected a number from 0 to {MAX_TAU:g}")


def poisson(tau: float) -> Floats:
    """Return the Poisson weights of levels 0, 1, … until less than 1e-9 remains, scaled to sum to 1.

    Examples
    --------
    >>> poisson(0.0)
    array([1.])
    >>> len(poisson(1.5))
    14
    """
    weights: list[float] = []
    while 1 - sum(weights) > REST:
        weights.append(math.exp(-tau) * tau ** len(weights) / math.factorial(len(weights)))
    return np.array(weights) / sum(weights)


def solve(game: Game, options: Options) -> Answer:
    """Mix the levels.

    Parameters
    ----------
    game
        Finite; players move one at a time or at once.
    options
        The mean level.

    Returns
    -------
    Answer
        The population's profile, with every step (what a level believes and its reply) for the referee.

    Examples
    --------
    >>> import sim
    >>> answer = solve(sim.compile(sim.load(sim.template())), Options(tau=0.0))
    >>> answer.profile[0, :2]
    array([0.5, 0.5])
    """
    weights = poisson(options.tau)
    level = uniform_play(game)
    mixed = weights[0] * level
    steps: list[tuple[Floats, Floats]] = []
    for k in range(1, len(weights)):
        believed = independent(game, mixed / weights[:k].sum())
        level = best_replies(game, believed)
        steps.append((believed, level))
        mixed = mixed + weights[k] * level
    return Answer(profile=independent(game, mixed / weights.sum()), replies=tuple(steps))
