r"""Dominated actions, their iterated elimination, and rationalisable actions, for any number of players.

Action :math:`k` is strictly dominated if a mixture of the player's actions earns more against every choice of the others; weakly, if it never earns
less and somewhere more. Both are linear programmes. An action is a best reply to some belief about the others' joint choice exactly if it is not
strictly dominated; what survives iterated elimination of never-best replies is *rationalisable*, with three or more players *correlated* rationalisable, since
beliefs may correlate the others' choices.

Every mixture that dominates is measured again before an action is struck out.

Sources: Pearce, D. (1984) Rationalizable strategic behavior and the problem of perfection, Econometrica 52:1029-1050; Brandenburger, A. & Dekel, E. (1987)
Rationalizability and correlated equilibria, Econometrica 55:1391-1402.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from sim.errors import NoAnswerError, OptionError
from sim.game.strategic import spans
from sim.kinds import frozen

if TYPE_CHECKING:
    from sim.game.strategic import StrategicGame
    from sim.kinds import Floats

__all__ = ["Dominated", "Elimination", "dominated", "eliminate", "rationalisable"]

TIE = 1e-9  # of the player's payoff range
Kind = Literal["strict", "weak"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Dominated:
    """One dominated action.

    Attributes
    ----------
    player, action : int
    mixture : float array, (a,)
        A strategy that dominates it, over all actions of the player.
    margin : float
        By how much, in units of the player's range: the least advantage (strict), the largest (weak).
    round : int
        Round of elimination, from 1.
    """

    player: int
    action: int
    mixture: Floats
    margin: float
    round: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Elimination:
    """What iterated elimination struck out, in its order, and what it left.

    Attributes
    ----------
    order : tuple of Dominated
    left : tuple of tuples of int
        Each player's remaining actions.
    """

    order: tuple[Dominated, ...]
    left: tuple[tuple[int, ...], ...]

    @property
    def solved(self) -> bool:
        """Whether one action is left to each player."""
        return all(len(actions) == 1 for actions in self.left)


def _own(payoffs: Floats, player: int, left: tuple[tuple[int, ...], ...]) -> Floats:
    """Return a player's payoffs in units of the range of the whole game: remaining actions by the others' remaining joint choices."""
    some = payoffs[player][np.ix_(*left)]
    return np.moveaxis(some, player, 0).reshape(len(left[player]), -1) / spans(payoffs)[player]


def _programme(cost: Floats, upper: Floats, bound: Floats, *, free_last: bool) -> Floats | None:
    """Minimise over a probability vector, with one free number behind it if asked; ``None`` if infeasible."""
    from scipy.optimize import linprog

    shares = len(cost) - free_last
    ones = np.concatenate([np.ones(shares), np.zeros(len(cost) - shares)])[None]
    limits: list[Any] = [(0, 1)] * shares + [(None, None)] * (len(cost) - shares)
    found = linprog(
        cost,
        A_ub=upper,
        b_ub=bound,
        A_eq=ones,
        b_eq=[1.0],
        bounds=limits,
        method="highs",
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    if found.status == 2:  # noqa: PLR2004
        return None
    if found.status != 0:
        message = f"a linear programme of a dominance test ended without an answer: {found.message}"
        raise NoAnswerError(message)
    share = np.maximum(found.x[:shares], 0.0)
    return np.concatenate([share / share.sum(), found.x[shares:]])


def _dominating(own: Floats, k: int, kind: Kind) -> tuple[Floats, float] | None:
    """Return a mixture of the rows that dominates row ``k``, with its measured margin, or ``None``."""
    gaps = own - own[k]
    for j, gap in enumerate(gaps):  # pure actions first: no programme needed, and easier to read
        margin = _margin(gap, kind)
        if margin > TIE:
            return np.eye(len(own))[j], margin
    if kind == "strict":
        share = _programme(
            np.r_[np.zeros(len(own)), -1.0],
            np.c_[-gaps.T, np.ones(gaps.shape[1])],
            np.zeros(gaps.shape[1]),
            free_last=True,
        )
    else:
        share = _programme(-gaps.sum(axis=1), -gaps.T, np.zeros(gaps.shape[1]), free_last=False)
    if share is None:
        return None
    mixture = share[: len(own)]
    margin = _margin(mixture @ gaps, kind)
    return (mixture, margin) if margin > TIE else None


def _margin(gap: Floats, kind: Kind) -> float:
    """Return by how much a row of advantages dominates; at most a tie where it does not."""
    if kind == "strict":
        return float(gap.min())
    return float(gap.max()) if gap.min() >= -TIE else 0.0


def _kind(kind: str) -> Kind:
    """Check the kind of dominance."""
    if kind not in ("strict", "weak"):
        message = f"dominance is '{kind}'; expected 'strict' or 'weak'"
        raise OptionError(message)
    return kind


def _round(payoffs: Floats, left: tuple[tuple[int, ...], ...], kind: Kind, number: int) -> list[Dominated]:
    """Return all actions dominated where only ``left`` may be played."""
    out: list[Dominated] = []
    for player, actions in enumerate(left):
        own = _own(payoffs, player, left)
        for k, action in enumerate(actions):
            found = _dominating(own, k, kind)
            if found is not None:
                mixture = np.zeros(payoffs.shape[1 + player])
                mixture[list(actions)] = found[0]
                out.append(
                    Dominated(player=player, action=action, mixture=frozen(mixture), margin=found[1], round=number)
                )
    return out


def _everything(payoffs: Floats) -> tuple[tuple[int, ...], ...]:
    """Return all actions of all players."""
    return tuple(tuple(range(size)) for size in payoffs.shape[1:])


def dominated(game: StrategicGame, *, kind: Kind = "strict") -> tuple[Dominated, ...]:
    """Return the dominated actions of all players, by pure actions or mixtures.

    Parameters
    ----------
    game
        Any number of players.
    kind
        ``"strict"`` or ``"weak"``; weakly dominated actions include the strictly dominated.

    Raises
    ------
    OptionError
        For another kind.

    Examples
    --------
    >>> from sim.game.strategic import StrategicGame
    >>> game = StrategicGame.from_matrices([[3, 0], [0, 3], [1, 1]], [[0, 0], [0, 0], [0, 0]])
    >>> [(one.player, one.action, one.mixture) for one in dominated(game)]
    [(0, 2, array([0.5, 0.5, 0. ]))]
    """
    return tuple(_round(game.payoffs, _everything(game.payoffs), _kind(kind), 1))


def eliminate(game: StrategicGame, *, kind: Kind = "strict") -> Elimination:
    """Strike out dominated actions, all of a round at once, until none is left.

    For strict dominance the order does not matter. For weak dominance it does: the result is that of simultaneous elimination,
    except that of actions that do as well as each other against everything left, none dominates another.

    Raises
    ------
    OptionError
        For another kind.

    Examples
    --------
    >>> from sim.game.strategic import StrategicGame
    >>> found = eliminate(StrategicGame.from_matrices([[3, 1], [4, 2]], [[3, 4], [1, 2]]))
    >>> found.left, found.solved, [(one.player, one.action, one.round) for one in found.order]
    (((1,), (1,)), True, [(0, 0, 1), (1, 0, 1)])
    """
    kind = _kind(kind)
    left = _everything(game.payoffs)
    order: list[Dominated] = []
    number = 1
    while found := _round(game.payoffs, left, kind, number):
        order += found
        gone = {(one.player, one.action) for one in found}
        left = tuple(tuple(a for a in actions if (i, a) not in gone) for i, actions in enumerate(left))
        number += 1
    return Elimination(order=tuple(order), left=left)


def rationalisable(game: StrategicGame) -> tuple[tuple[int, ...], ...]:
    """Return each player's rationalisable actions: those left when never-best replies are struck out again and again.

    An action stays if a linear programme finds a belief about the others' remaining joint choices to which it is a best reply. With three or
    more players beliefs may correlate the others' choices (*correlated* rationalisability).

    Examples
    --------
    >>> from sim.game.strategic import StrategicGame
    >>> rationalisable(StrategicGame.from_matrices([[3, 0], [0, 3], [1, 1]], [[1, 0], [0, 1], [0, 5]]))
    ((0, 1), (0, 1))
    """
    left = _everything(game.payoffs)
    while True:
        kept = tuple(_best_replies(_own(game.payoffs, i, left), actions) for i, actions in enumerate(left))
        if kept == left:
            return left
        left = kept


def _best_replies(own: Floats, actions: tuple[int, ...]) -> tuple[int, ...]:
    """Return the actions that are a best reply to some belief over the columns of ``own``."""
    out: list[int] = []
    for k, action in enumerate(actions):
        short = own - own[k]  # what action k leaves on the table, to be kept at most at 0 by the belief
        found = _programme(
            np.r_[np.zeros(own.shape[1]), 1.0], np.c_[short, -np.ones(len(own))], np.zeros(len(own)), free_last=True
        )
        if found is not None and float((short @ found[:-1]).max()) <= TIE:
            out.append(action)
    return tuple(out)
