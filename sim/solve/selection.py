r"""Values that a player can secure, and rules that pick one of several equilibria.

Rules, for two players:

``payoff_dominant``
    The equilibrium in which each player earns at least what any other equilibrium gives (Harsanyi & Selten 1988).
``risk_dominant``
    2 × 2 only: of two strict pure equilibria the one with the larger product of losses from deviating alone (Harsanyi & Selten 1988). The only equilibrium
    of a game dominates by itself.
``best_for_row``, ``best_for_column``, ``worst_for_row``, ``worst_for_column``
    By that player's value.
``first``
    The first in the order of :class:`~sim.solve.nash.Equilibria`.

A rule that leaves none, or several, has not decided: the fallback chooses among those left, and the first among those that are left then.

Sources: Harsanyi, J. & Selten, R. (1988) A General Theory of Equilibrium Selection in Games; von Neumann, J. (1928) Zur Theorie der Gesellschaftsspiele,
Mathematische Annalen 100:295-320.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.errors import NoAnswerError, OptionError, did_you_mean
from sim.game.strategic import spans
from sim.kinds import frozen

if TYPE_CHECKING:
    from sim.kinds import Bools, Floats, Keys

__all__ = ["RULES", "Security", "Selection", "payoff_dominant", "pure_maximin", "risk_dominant", "security", "select"]

TIE = 1e-9
TOLERANCE = 1e-8
RULES = (
    "payoff_dominant",
    "risk_dominant",
    "best_for_row",
    "best_for_column",
    "worst_for_row",
    "worst_for_column",
    "first",
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Security:
    """What a player can secure, and what the others, acting as one, can hold the player to.

    Attributes
    ----------
    value : float
        Both at once (the minimax theorem).
    strategy : float array, (a,)
        Secures the value.
    punishment : float array, (…)
        A distribution over the others' joint choices that holds the player to it; with two players the other's strategy.
    gap : float
        What the referee measured between the two guarantees, in units of the player's range.
    """

    value: float
    strategy: Floats
    punishment: Floats
    gap: float


def security(payoffs: Any, player: int = 0) -> Security:
    """Return a player's maximin value in mixed strategies; for a zero-sum game of two, its value.

    Parameters
    ----------
    payoffs
        Tensor (i, a1, …, an), or a matrix (m, n): the row player's payoffs.
    player
        Whose; with a matrix, always the row player.

    Raises
    ------
    OptionError
        For a payoff that is not finite.
    NoAnswerError
        If the linear programme fails, or the two guarantees are more than 1e-8 of the range apart.

    Examples
    --------
    >>> found = security([[2, -1], [-1, 1]])
    >>> round(found.value, 9), found.strategy.round(6), found.punishment.round(6)
    (0.2, array([0.4, 0.6]), array([0.4, 0.6]))
    """
    from scipy.optimize import linprog

    tensor = np.asarray(payoffs, dtype=np.float64)
    if tensor.ndim == 2:  # noqa: PLR2004
        tensor, player = tensor[None], 0
        own, others = tensor[0], tensor.shape[2:]
    else:
        own = np.moveaxis(tensor[player], player, 0)
        own, others = own.reshape(len(own), -1), own.shape[1:]
    if not np.isfinite(own).all() or not own.size:
        message = "payoffs are empty or hold a number that is not finite; expected finite numbers"
        raise OptionError(message)
    span = float(spans(own[None])[0])
    scaled = (own - own.min()) / span
    m, n = own.shape
    found = linprog(
        np.r_[np.zeros(m), -1.0],
        A_ub=np.c_[-scaled.T, np.ones(n)],
        b_ub=np.zeros(n),
        A_eq=np.r_[np.ones(m), 0.0][None],
        b_eq=[1.0],
        bounds=[(0, 1)] * m + [(None, None)],
        method="highs",
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    if found.status != 0:
        message = f"the linear programme of a security level ended without an answer: {found.message}"
        raise NoAnswerError(message)
    strategy = np.maximum(found.x[:m], 0.0)
    strategy /= strategy.sum()
    against = np.maximum(-found.ineqlin.marginals, 0.0)  # the dual is the others' side
    against /= against.sum()
    least, most = float((strategy @ own).min()), float((own @ against).max())
    if most - least > TOLERANCE * span:
        message = f"the two sides of a security level are {(most - least) / span:.1e} of the range apart; not certified"
        raise NoAnswerError(message)
    return Security(
        value=(least + most) / 2,
        strategy=frozen(strategy),
        punishment=frozen(against.reshape(others)),
        gap=max(0.0, (most - least) / span),
    )


def pure_maximin(payoffs: Any, player: int = 0) -> tuple[float, tuple[int, ...]]:
    """Return the best worst case among a player's pure actions, and all actions that secure it.

    Parameters
    ----------
    payoffs
        Tensor (i, a1, …, an).
    player
        Whose.

    Examples
    --------
    >>> pure_maximin([[[3, 2], [4, 1]], [[3, 4], [2, 1]]])
    (2.0, (0,))
    """
    tensor = np.asarray(payoffs, dtype=np.float64)
    own = np.moveaxis(tensor[player], player, 0)
    worst = own.reshape(len(own), -1).min(axis=1)
    tie = TIE * float(spans(tensor[player][None])[0])
    return float(worst.max()), tuple(int(k) for k in np.flatnonzero(worst >= worst.max() - tie))


def payoff_dominant(values: Any, *, tie: Any = 0.0) -> int | None:
    """Return the place of the equilibrium that is best for everybody, or ``None`` where none is, or several are alike.

    Parameters
    ----------
    values
        What each player earns in each equilibrium, (k, i).
    tie
        Differences up to it do not count.

    Examples
    --------
    >>> payoff_dominant([[10, 10], [5, 5], [7, 7]]), payoff_dominant([[2, 4], [4, 2]])
    (0, None)
    """
    table = np.asarray(values, dtype=np.float64)
    best = np.flatnonzero((table >= table.max(axis=0) - tie).all(axis=1))
    return int(best[0]) if len(best) == 1 else None


def risk_dominant(a: Any, b: Any) -> tuple[int, int] | None:
    """Return the actions of the risk dominant one of two strict pure equilibria of a 2 × 2 game; ``None`` in a tie, or without two.

    Raises
    ------
    OptionError
        For another size.

    Examples
    --------
    >>> risk_dominant([[10, 1], [8, 5]], [[10, 8], [1, 5]])  # stag hunt
    (1, 1)
    >>> risk_dominant([[3, 2], [4, 1]], [[3, 4], [2, 1]]) is None  # chicken: a tie
    True
    """
    first, second = (np.asarray(x, dtype=np.float64) for x in (a, b))
    side, action = _risk(first[None], second[None])
    return None if side[0] < 0 else (int(side[0]), int(action[0]))


def _risk(a: Floats, b: Floats) -> tuple[Keys, Keys]:
    """Return the risk dominant row and column of each 2 × 2 game, -1 where a tie or the lack of two strict pure equilibria leaves it open."""
    if a.shape[1:] != (2, 2) or b.shape != a.shape:
        size = " × ".join(str(x) for x in a.shape[1:])
        message = f"risk dominance is defined for 2 × 2 games, this one is {size}; choose payoff_dominant, best_for_row or another rule"
        raise OptionError(message)
    tie_a, tie_b = (TIE * (x.max(axis=(1, 2)) - x.min(axis=(1, 2))) for x in (a, b))
    rows, columns = np.full(len(a), -1), np.full(len(a), -1)
    for swap in (0, 1):  # equilibria on the diagonal, then off it
        left, right = swap, 1 - swap
        losses_first = a[:, 0, left] - a[:, 1, left], b[:, 0, left] - b[:, 0, right]
        losses_second = a[:, 1, right] - a[:, 0, right], b[:, 1, right] - b[:, 1, left]
        two = np.ones(len(a), dtype=np.bool_)
        for losses in (losses_first, losses_second):
            two &= (losses[0] > tie_a) & (losses[1] > tie_b)
        one, other = losses_first[0] * losses_first[1], losses_second[0] * losses_second[1]
        near = TIE * np.maximum(one, other)
        rows[two & (one > other + near)], rows[two & (other > one + near)] = 0, 1
        columns[two & (one > other + near)], columns[two & (other > one + near)] = left, right
    return rows, columns


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Selection:
    """One equilibrium of each game.

    Attributes
    ----------
    index : int array, (v,)
        Place of the chosen one within its game, from 0.
    place : int array, (v,)
        Its place in the flat arrays of the result.
    decided : bool array, (v,)
        Whether the rule alone decided; elsewhere the fallback was used.
    """

    index: Keys
    place: Keys
    decided: Bools


def _known(rule: str, word: str) -> None:
    """Refuse an unknown rule."""
    if rule not in RULES:
        message = f"{word} '{rule}' is not a selection rule; {did_you_mean(rule, RULES)}"
        raise OptionError(message)


def _candidates(a: Floats, b: Floats, rule: str, found: Any, among: Bools) -> Bools:
    """Return which of the equilibria ``among`` the rule keeps, (k,)."""
    starts, counts = found.offsets[:-1], np.diff(found.offsets)
    if rule == "first":
        places = np.where(among, np.arange(len(among)), len(among))
        return np.arange(len(among)) == np.repeat(np.minimum.reduceat(places, starts), counts)
    if rule == "risk_dominant":
        rows, columns = (np.repeat(x, counts) for x in _risk(a, b))
        one = np.arange(len(among))
        there = (rows >= 0) & (found.row[one, rows] == 1.0) & (found.column[one, columns] == 1.0)
        return among & (there | np.repeat(counts == 1, counts))
    keep = among.copy()
    players = {"row": (0,), "column": (1,)}.get(rule.rpartition("_")[2], (0, 1))
    for player in players:
        payoff = (a, b)[player]
        value = found.values[:, player] * (-1.0 if rule.startswith("worst") else 1.0)
        best = np.maximum.reduceat(np.where(among, value, -np.inf), starts)
        tie = TIE * (payoff.max(axis=(1, 2)) - payoff.min(axis=(1, 2)))
        keep &= value >= np.repeat(best - tie, counts)
    return keep


def select(a: Any, b: Any, rule: str, found: Any, *, fallback: str = "first") -> Selection:
    """Choose one equilibrium of each of many games of two players.

    Parameters
    ----------
    a, b
        Payoffs, (v, m, n).
    rule, fallback
        Words of ``RULES``.
    found
        The :class:`~sim.solve.nash.Equilibria` of these games.

    Raises
    ------
    OptionError
        For an unknown rule, risk dominance of games that are not 2 × 2, or equilibria of other games.

    Examples
    --------
    >>> from sim.solve.nash import equilibria
    >>> a = np.array([[[10.0, 1.0], [8.0, 5.0]], [[3.0, 2.0], [4.0, 1.0]]])  # stag hunt, chicken
    >>> b = a.transpose(0, 2, 1)
    >>> found = equilibria(a, b)
    >>> chosen = select(a, b, "payoff_dominant", found, fallback="best_for_row")
    >>> chosen.index, chosen.decided
    (array([0, 2]), array([ True, False]))
    >>> select(a, b, "risk_dominant", found).index
    array([2, 0])
    """
    _known(rule, "rule")
    _known(fallback, "fallback")
    first, second = (np.asarray(x, dtype=np.float64) for x in (a, b))
    if first.ndim != 3 or first.shape != (len(found), found.row.shape[1], found.column.shape[1]):  # noqa: PLR2004
        message = (
            f"payoffs have shape {first.shape}; expected {(len(found), found.row.shape[1], found.column.shape[1])}, "
            "that of the games whose equilibria these are"
        )
        raise OptionError(message)
    starts, counts = found.offsets[:-1], np.diff(found.offsets)
    if not len(counts):
        none = np.zeros(0, np.int64)
        return Selection(index=frozen(none), place=frozen(none), decided=frozen(none.astype(np.bool_)))
    left = np.ones(len(found.row), dtype=np.bool_)
    decided = np.zeros(len(counts), dtype=np.bool_)
    for step, word in enumerate((rule, fallback, "first")):
        kept = _candidates(first, second, word, found, left)
        number = np.add.reduceat(kept, starts, dtype=np.int64)
        if step == 0:
            decided = number == 1
        left = np.where(np.repeat(number > 0, counts), kept, left)
        if (np.add.reduceat(left, starts, dtype=np.int64) == 1).all():
            break
    place = np.flatnonzero(left)
    return Selection(index=frozen(place - starts), place=frozen(place), decided=frozen(decided))
