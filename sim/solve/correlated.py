r"""Correlated equilibrium by linear programming, for any number of players.

A distribution :math:`p` over joint choices is a correlated equilibrium if no player who is told an action expects more from another one:
:math:`\sum_{s_{-i}} p(k, s_{-i}) (u_i(j, s_{-i}) - u_i(k, s_{-i})) \le 0` for all :math:`i, k, j`. These distributions form a polytope that holds all Nash
equilibria, so any linear goal is a linear programme.

Source: Aumann, R. (1974) Subjectivity and correlation in randomized strategies, Journal of Mathematical Economics 1:67-96.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from sim.errors import NoAnswerError, OptionError, did_you_mean
from sim.game.strategic import obedience, spans
from sim.kinds import frozen

if TYPE_CHECKING:
    from sim.game.strategic import StrategicGame
    from sim.kinds import Floats

__all__ = ["Correlated", "correlated"]

TOLERANCE = 1e-8


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Correlated:
    """A correlated equilibrium.

    Attributes
    ----------
    distribution : float array, (a1, …, an)
    values : float array, (i,)
    violation : float
        The most that anyone gains by disobeying one recommendation, measured by the referee, in units of ranges.
    """

    distribution: Floats
    values: Floats
    violation: float


def correlated(game: StrategicGame, favour: str = "welfare", *, end: Literal["best", "worst"] = "best") -> Correlated:
    """Return a correlated equilibrium that is best (or worst) for a player, or for the sum of all payoffs.

    Parameters
    ----------
    game
        Any number of players.
    favour
        ``"welfare"``, the sum of payoffs as they are given (they must be comparable), or a player's name.
    end
        ``"best"`` or ``"worst"``.

    Raises
    ------
    OptionError
        For an unknown player or end.
    NoAnswerError
        If the programme fails, or the referee finds a gain above 1e-8.

    Examples
    --------
    >>> from sim.game.strategic import StrategicGame
    >>> chicken = StrategicGame.from_matrices([[6, 2], [7, 0]], [[6, 7], [2, 0]])
    >>> found = correlated(chicken)
    >>> found.distribution.round(6), found.values.round(6)
    (array([[0.5 , 0.25],
           [0.25, 0.  ]]), array([5.25, 5.25]))
    """
    from scipy.optimize import linprog
    from scipy.sparse import csr_array

    if favour != "welfare" and favour not in game.players:
        message = (
            f"favour is '{favour}', neither 'welfare' nor a player; {did_you_mean(favour, ['welfare', *game.players])}"
        )
        raise OptionError(message)
    if end not in ("best", "worst"):
        message = f"end is '{end}'; expected 'best' or 'worst'"
        raise OptionError(message)
    payoffs = game.payoffs / spans(game.payoffs).reshape(-1, *(1,) * len(game.players))
    shape = payoffs.shape[1:]
    places = np.arange(int(np.prod(shape))).reshape(shape)
    goal = game.payoffs.sum(axis=0) if favour == "welfare" else game.payoffs[game.players.index(favour)]
    span = float(np.ptp(goal)) or 1.0
    lines: list[tuple[Floats, Floats]] = []
    for player in range(len(shape)):
        own = np.moveaxis(payoffs[player], player, 0).reshape(shape[player], -1)
        where = np.moveaxis(places, player, 0).reshape(own.shape)
        lines += [(where[k], own[j] - own[k]) for k in range(len(own)) for j in range(len(own)) if j != k]
    upper = csr_array(
        (
            np.concatenate([gain for _, gain in lines] or [np.empty(0)]),
            (
                np.repeat(np.arange(len(lines)), [len(gain) for _, gain in lines]),
                np.concatenate([at for at, _ in lines] or [np.empty(0, int)]),
            ),
        ),
        shape=(len(lines), places.size),
    )
    found = linprog(
        goal.ravel() / span * (-1.0 if end == "best" else 1.0),
        A_ub=upper if lines else None,
        b_ub=np.zeros(len(lines)) if lines else None,
        A_eq=np.ones((1, places.size)),
        b_eq=[1.0],
        bounds=(0, 1),
        method="highs",
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    if found.status != 0:
        message = f"the linear programme of correlated equilibrium ended without an answer: {found.message}"
        raise NoAnswerError(message)
    share = np.maximum(found.x, 0.0).reshape(shape)
    share /= share.sum()
    violation = float(obedience(game.payoffs, share).max())
    if violation > TOLERANCE:
        message = (
            f"the referee measured a gain of {violation:.1e} from disobedience; no certified correlated equilibrium"
        )
        raise NoAnswerError(message)
    values = game.payoffs.reshape(len(shape), -1) @ share.ravel()
    return Correlated(distribution=frozen(share), values=frozen(values), violation=violation)
