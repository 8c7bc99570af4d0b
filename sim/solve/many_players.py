r"""Equilibria of strategic games with any number of players: all pure ones, and one certified in mixed strategies.

The mixed one is sought along the principal branch of the logit quantal response correspondence, which starts at uniform play for precision
:math:`\lambda = 0` and leads generically to a Nash equilibrium. The branch is followed by arc length in log probabilities, so turning points are
passed. On the way, actions with a noticeable probability are taken as the support, and Newton's method makes their payoffs equal; the first such
profile whose regret the referee finds within 1e-8 is the answer. It need not be the limit of the branch.

Sources: McKelvey, R. & Palfrey, T. (1995) Quantal response equilibria for normal form games, Games and Economic Behavior 10:6-38; Turocy, T. (2005) A
dynamic homotopy interpretation of the logistic quantal response equilibrium correspondence, Games and Economic Behavior 51:243-263.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sim.errors import NoAnswerError
from sim.game.strategic import action_values, regrets, spans
from sim.kinds import frozen

if TYPE_CHECKING:
    from sim.game.strategic import StrategicGame
    from sim.kinds import Floats

__all__ = ["MixedEquilibrium", "one_equilibrium", "pure_equilibria"]

TIES = 1e-9
TOLERANCE = 1e-8
STEPS = 4000
STRIDES = (2.0, 0.2)
STRAIGHT = 0.8  # least cosine between the branch's directions before and after a stride
LARGEST_PRECISION = 1e7  # in units of one over a player's payoff range
THRESHOLDS = (0.1, 0.03, 0.01, 1e-3, 1e-4, 1e-6)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MixedEquilibrium:
    """One certified equilibrium.

    Attributes
    ----------
    profile : tuple of float arrays
        A mixed strategy for each player.
    values : float array, (i,)
    max_regret : float
        Measured by the referee, in units of each player's range.
    found_by : str
        ``"logit path"`` or ``"pure"``.
    """

    profile: tuple[Floats, ...]
    values: Floats
    max_regret: float
    found_by: str


def pure_equilibria(game: StrategicGame, *, ties: float = TIES) -> tuple[tuple[int, ...], ...]:
    """Return all pure equilibria, ties included, as places of actions, in order.

    Parameters
    ----------
    game
        Any number of players.
    ties
        Differences up to this share of a player's range count as equal.

    Examples
    --------
    >>> from sim.game.strategic import StrategicGame
    >>> pure_equilibria(StrategicGame.from_matrices([[3, 2], [4, 1]], [[3, 4], [2, 1]]))
    ((0, 1), (1, 0))
    """
    stable = np.ones(game.payoffs.shape[1:], dtype=np.bool_)
    for player, (payoff, span) in enumerate(zip(game.payoffs, spans(game.payoffs), strict=True)):
        stable &= payoff >= payoff.max(axis=player, keepdims=True) - ties * span
    return tuple(tuple(int(k) for k in place) for place in np.argwhere(stable))


class _Branch:
    """The logit correspondence of one game, payoffs in units of ranges, as equations in log probabilities and precision.

    One equation for each action: the first of each player says that probabilities sum to one, the others that log odds against the first are
    precision times the difference in payoffs.
    """

    def __init__(self, payoffs: Floats) -> None:
        self.payoffs = payoffs
        self.sizes = payoffs.shape[1:]
        self.starts = np.concatenate([[0], np.cumsum(self.sizes)])

    def split(self, logs: Floats) -> list[Floats]:
        """Return each player's strategy."""
        return [np.exp(logs[first:stop]) for first, stop in zip(self.starts, self.starts[1:], strict=False)]

    def cross(self, profile: list[Floats], i: int, j: int) -> Floats:
        """Return what action a of player i earns when player j takes b: (a, b)."""
        out = self.payoffs[i]
        for other in range(len(profile) - 1, -1, -1):
            if other not in (i, j):
                out = np.tensordot(out, profile[other], axes=([other], [0]))
        return out if i < j else out.T

    def slopes(self, profile: list[Floats]) -> tuple[Floats, Floats]:
        """Return all action values, and their derivatives by all probabilities."""
        size = int(self.starts[-1])
        values, matrix = np.empty(size), np.zeros((size, size))
        for i in range(len(profile)):
            own = slice(self.starts[i], self.starts[i + 1])
            values[own] = action_values(self.payoffs, profile, i)
            for j in range(len(profile)):
                if j != i:
                    matrix[own, self.starts[j] : self.starts[j + 1]] = self.cross(profile, i, j)
        return values, matrix

    def equations(self, point: Floats) -> tuple[Floats, Floats]:
        """Return residuals and Jacobian, (k,) and (k, k + 1), at log probabilities and precision."""
        logs, precision = point[:-1], point[-1]
        profile = self.split(logs)
        values, matrix = self.slopes(profile)
        slope = matrix * np.exp(logs)
        out, jacobian = np.empty(len(logs)), np.zeros((len(logs), len(logs) + 1))
        for i, own in enumerate(profile):
            first, stop = self.starts[i], self.starts[i + 1]
            out[first] = own.sum() - 1.0
            jacobian[first, first:stop] = own
            for k in range(first + 1, stop):
                out[k] = logs[k] - logs[first] - precision * (values[k] - values[first])
                jacobian[k, :-1] = -precision * (slope[k] - slope[first])
                jacobian[k, k] += 1.0
                jacobian[k, first] -= 1.0
                jacobian[k, -1] = values[first] - values[k]
        return out, jacobian


def _tangent(jacobian: Floats, before: Floats, orientation: float) -> Floats:
    """Return the unit vector along the branch; on one branch the determinant with it below the Jacobian keeps its sign."""
    try:
        tangent = np.linalg.solve(np.vstack([jacobian, before]), np.r_[np.zeros(len(jacobian)), 1.0])
    except np.linalg.LinAlgError:
        tangent = np.linalg.svd(jacobian)[2][-1]
    tangent = tangent / np.linalg.norm(tangent)
    sign = float(np.linalg.slogdet(np.vstack([jacobian, tangent]))[0])
    return tangent * (1.0 if sign in (0.0, orientation) else -1.0)


def _correct(branch: _Branch, guess: Floats, tangent: Floats) -> tuple[Floats, Floats] | None:
    """Return the point of the branch across from a guess, with its Jacobian, or ``None`` if Newton's method does not close in."""
    point = guess.copy()
    for _ in range(6):
        out, jacobian = branch.equations(point)
        if float(np.abs(out).max()) <= 1e-9 * max(1.0, abs(float(point[-1]))):
            return point, jacobian
        try:
            step = np.linalg.solve(np.vstack([jacobian, tangent]), np.r_[-out, 0.0])
        except np.linalg.LinAlgError:
            return None
        if not np.isfinite(step).all() or float(np.abs(step[:-1]).max()) > 3.0:  # noqa: PLR2004
            return None
        point = point + step
    return None


def _polish(branch: _Branch, profile: list[Floats], threshold: float) -> list[Floats] | None:
    """Make payoffs equal on the actions above a threshold by Newton's method; ``None`` if that leaves the simplex."""
    support = np.concatenate([own > threshold for own in profile])
    players = np.repeat(np.arange(len(profile)), branch.sizes)
    if len(set(players[support])) < len(profile):
        return None
    shares = np.where(support, np.concatenate(profile), 0.0)
    places = np.flatnonzero(support)
    member = (players[places][:, None] == np.arange(len(profile))).astype(np.float64)
    shares /= np.bincount(players, weights=shares)[players]
    for _ in range(30):
        now = [shares[first:stop] for first, stop in zip(branch.starts, branch.starts[1:], strict=False)]
        values, matrix = branch.slopes(now)
        level = np.bincount(players, weights=values * shares)
        out = np.r_[values[places] - level[players[places]], np.bincount(players, weights=shares) - 1.0]
        square = np.block([[matrix[np.ix_(places, places)], -member], [member.T, np.zeros((len(profile),) * 2)]])
        step = np.linalg.lstsq(square, -out, rcond=None)[0][: len(places)]
        shares[places] += step
        if not np.isfinite(shares).all() or float(shares.min()) < -1.0:
            return None
        if float(np.abs(step).max()) <= 1e-14:  # noqa: PLR2004
            break
    if float(shares.min()) < -1e-12:  # noqa: PLR2004
        return None
    shares = np.maximum(shares, 0.0)
    totals = np.bincount(players, weights=shares)
    return [
        shares[first:stop] / total for first, stop, total in zip(branch.starts, branch.starts[1:], totals, strict=False)
    ]


def _certified(game: StrategicGame, profile: list[Floats], found_by: str) -> MixedEquilibrium | None:
    """Return the profile as an answer if the referee agrees."""
    regret = float(regrets(game.payoffs, profile).max())
    if regret > TOLERANCE:
        return None
    values = np.array([action_values(game.payoffs, profile, i) @ own for i, own in enumerate(profile)])
    return MixedEquilibrium(
        profile=tuple(frozen(own) for own in profile), values=frozen(values), max_regret=regret, found_by=found_by
    )


def _follow(game: StrategicGame, branch: _Branch, most: float) -> MixedEquilibrium | None:
    """Follow the branch with strides up to ``most`` (beyond precision 10, up to that share of it) and return the first certified equilibrium."""
    point = np.r_[-np.log(np.repeat(branch.sizes, branch.sizes)), 0.0]
    jacobian = branch.equations(point)[1]
    tangent = np.r_[np.zeros(len(point) - 1), 1.0]
    orientation = float(np.linalg.slogdet(np.vstack([jacobian, tangent]))[0])
    tangent = _tangent(jacobian, tangent, orientation)
    stride, target = 0.1, 4.0
    for _ in range(STEPS):
        guess = point + stride * tangent
        corrected = _correct(branch, guess, tangent)
        ahead = None if corrected is None else _tangent(corrected[1], tangent, orientation)
        if corrected is None or ahead is None or float(ahead @ tangent) < STRAIGHT or not corrected[0][-1] >= 0:
            stride /= 2
            if stride < 1e-9:  # noqa: PLR2004
                return None
            continue
        (point, jacobian), tangent = corrected, ahead
        stride = min(1.5 * stride, most * max(1.0, float(point[-1]) / 10))
        if point[-1] >= target:  # look for an equilibrium each time the precision has grown by half
            target = 1.5 * float(point[-1])
            for threshold in THRESHOLDS:
                profile = _polish(branch, branch.split(point[:-1]), threshold)
                answer = None if profile is None else _certified(game, profile, "logit path")
                if answer is not None:
                    return answer
        if point[-1] > LARGEST_PRECISION:
            return None
    return None


def one_equilibrium(game: StrategicGame) -> MixedEquilibrium:
    """Return one certified equilibrium in mixed strategies of a game with any number of players.

    Raises
    ------
    NoAnswerError
        If the path ends without a profile that the referee confirms, and there is no pure equilibrium.

    Examples
    --------
    >>> from sim.game.strategic import StrategicGame
    >>> found = one_equilibrium(StrategicGame.from_matrices([[1, -1], [-1, 1]], [[-1, 1], [1, -1]]))
    >>> found.profile, found.max_regret <= 1e-8
    ((array([0.5, 0.5]), array([0.5, 0.5])), True)
    """
    least = game.payoffs.reshape(len(game.players), -1).min(axis=1)
    tail = (-1, *(1,) * len(game.players))
    branch = _Branch((game.payoffs - least.reshape(tail)) / spans(game.payoffs).reshape(tail))
    for most in STRIDES:
        answer = _follow(game, branch, most)
        if answer is not None:
            return answer
    for place in pure_equilibria(game):
        answer = _certified(game, [np.eye(size)[k] for size, k in zip(branch.sizes, place, strict=True)], "pure")
        if answer is not None:
            return answer
    message = "the logit path ended without a profile that the referee confirms; look for pure equilibria of a smaller game, or change payoffs slightly"
    raise NoAnswerError(message)
