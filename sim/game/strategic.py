r"""Strategic games: everyone chooses once, at the same time; and their referee, which measures profiles and never solves.

Payoffs are one tensor, ``payoffs[i, a1, …, an]``. A player's *regret* under a profile is what the best pure reply would gain over
:math:`u_i(\sigma)`, in units of the range of that player's payoffs in the whole game (of 1, if all are equal).
"""

# A kernel's types are its explicit signature.
# pyright: reportMissingParameterType=false, reportUnknownParameterType=false, reportCallIssue=false

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numba as nb
import numpy as np

from sim.errors import OptionError
from sim.kinds import frozen
from sim.numerics.signatures import REAL, read, write
from sim.numerics.threads import over_variants

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sim.kinds import Floats, Keys

__all__ = [
    "StrategicGame",
    "action_values",
    "bimatrix_regret",
    "logit_residual",
    "measure_pairs",
    "obedience",
    "regrets",
    "spans",
]

_STRIDED: Any = nb.types.Array(REAL, 2, "A", readonly=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategicGame:
    """A finite game in strategic form.

    Attributes
    ----------
    players : tuple of str
    actions : tuple of tuples of str
        Each player's actions, in order.
    payoffs : float array, (i, a1, …, an)
    title : str

    Raises
    ------
    OptionError
        If names and payoffs do not fit, or a payoff is not finite.

    Examples
    --------
    >>> game = StrategicGame.from_matrices([[3, 2], [4, 1]], [[3, 4], [2, 1]], actions=(("swerve", "drive"), ("swerve", "drive")))
    >>> game.players, game.payoffs.shape
    (('row', 'column'), (2, 2, 2))
    """

    players: tuple[str, ...]
    actions: tuple[tuple[str, ...], ...]
    payoffs: Floats
    title: str = ""

    def __post_init__(self) -> None:
        payoffs = np.array(self.payoffs, dtype=np.float64)
        shape = (len(self.players), *(len(names) for names in self.actions))
        if not self.players or len(self.actions) != len(self.players) or payoffs.shape != shape or 0 in shape:
            message = f"payoffs have shape {payoffs.shape}; expected {shape}, one number for each player and choice of actions"
            raise OptionError(message)
        for names in (self.players, *self.actions):
            if len(set(names)) < len(names):
                message = f"a name stands twice in {', '.join(names)}; give every player, and every action of a player, its own"
                raise OptionError(message)
        if not np.isfinite(payoffs).all():
            message = "payoffs hold a number that is not finite; expected finite numbers"
            raise OptionError(message)
        object.__setattr__(self, "payoffs", frozen(payoffs))

    @classmethod
    def from_matrices(
        cls,
        a: Any,
        b: Any,
        *,
        players: tuple[str, str] = ("row", "column"),
        actions: tuple[tuple[str, ...], tuple[str, ...]] | None = None,
        title: str = "",
    ) -> StrategicGame:
        """Return the game of two players with the row player's payoffs ``a`` and the column player's ``b``, both (m, n).

        Actions without names are numbered from 1.

        Examples
        --------
        >>> StrategicGame.from_matrices([[1, 0]], [[0, 1]]).actions
        (('1',), ('1', '2'))
        """
        first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
        if first.ndim != 2 or first.shape != second.shape:
            message = f"payoffs have shapes {first.shape} and {second.shape}; expected two matrices of one shape"
            raise OptionError(message)
        m, n = first.shape
        named = actions or (tuple(str(k + 1) for k in range(m)), tuple(str(k + 1) for k in range(n)))
        return cls(players=players, actions=named, payoffs=np.stack([first, second]), title=title)


def spans(payoffs: Floats) -> Floats:
    """Return the range of each player's payoffs, 1 where all are equal; shape (i,).

    Examples
    --------
    >>> spans(np.array([[[3.0, 1.0]], [[2.0, 2.0]]]))
    array([2., 1.])
    """
    flat = payoffs.reshape(len(payoffs), -1)
    span = flat.max(axis=1) - flat.min(axis=1)
    return np.where(span > 0, span, 1.0)


def action_values(payoffs: Floats, profile: Sequence[Floats], player: int) -> Floats:
    """Return what each pure action of a player earns against the others' mixed strategies; shape (a,).

    Examples
    --------
    >>> action_values(np.array([[[3.0, 2.0], [4.0, 1.0]], [[3.0, 4.0], [2.0, 1.0]]]), [np.array([1.0, 0.0]), np.array([0.5, 0.5])], 0)
    array([2.5, 2.5])
    """
    out = payoffs[player]
    for other in range(len(profile) - 1, -1, -1):  # the last axis first, so that axes before it keep their places
        if other != player:
            out = np.tensordot(out, profile[other], axes=([other], [0]))
    return out


def regrets(payoffs: Floats, profile: Sequence[Floats]) -> Floats:
    """Return each player's regret, in units of the range of that player's payoffs; shape (i,).

    Parameters
    ----------
    payoffs
        Shape (i, a1, …, an).
    profile
        One mixed strategy for each player.

    Raises
    ------
    OptionError
        If a strategy has the wrong length or is no probability distribution within 1e-9.

    Examples
    --------
    >>> pennies = np.array([[[1.0, -1.0], [-1.0, 1.0]], [[-1.0, 1.0], [1.0, -1.0]]])
    >>> half, head = np.array([0.5, 0.5]), np.array([1.0, 0.0])
    >>> regrets(pennies, [half, half]), regrets(pennies, [head, head])
    (array([0., 0.]), array([0., 1.]))
    """
    if [np.shape(x) for x in profile] != [(size,) for size in payoffs.shape[1:]]:
        message = f"profile has shapes {[np.shape(x) for x in profile]}; expected one strategy for each of {payoffs.shape[1:]} actions"
        raise OptionError(message)
    for x in profile:
        if not ((x >= 0).all() and abs(x.sum() - 1.0) <= 1e-9):
            message = f"strategy {x} is no probability distribution; expected numbers of at least 0 that sum to 1"
            raise OptionError(message)
    out = np.empty(len(profile))
    for player, own in enumerate(profile):
        values = action_values(payoffs, profile, player)
        out[player] = max(0.0, float(values.max() - values @ own))
    return out / spans(payoffs)


def logit_residual(payoffs: Floats, profile: Sequence[Floats], precision: Floats) -> float:
    """Return the largest distance of a probability from the logit response to the others' strategies.

    Parameters
    ----------
    payoffs
        Shape (i, a1, …, an).
    profile
        One mixed strategy for each player.
    precision
        λ of each player, (i,).

    Examples
    --------
    >>> pennies = np.array([[[1.0, -1.0], [-1.0, 1.0]], [[-1.0, 1.0], [1.0, -1.0]]])
    >>> half = np.array([0.5, 0.5])
    >>> logit_residual(pennies, [half, half], np.array([3.0, 1.0]))
    0.0
    """
    worst = 0.0
    for player, own in enumerate(profile):
        z = precision[player] * action_values(payoffs, profile, player)
        share = np.exp(z - z.max())
        worst = max(worst, float(np.abs(share / share.sum() - own).max()))
    return worst


def obedience(payoffs: Floats, distribution: Floats) -> Floats:
    """Return the most that each player expects to gain by answering one recommendation with one other action; shape (i,), in units of ranges.

    A distribution over choices (a1, …, an) is a correlated equilibrium exactly if no player gains. The gain counts with the
    probability of the recommendation.

    Examples
    --------
    >>> chicken = np.array([[[6.0, 2.0], [7.0, 0.0]], [[6.0, 7.0], [2.0, 0.0]]])
    >>> obedience(chicken, np.array([[0.5, 0.25], [0.25, 0.0]])), obedience(chicken, np.array([[1.0, 0.0], [0.0, 0.0]]))
    (array([0., 0.]), array([0.14285714, 0.14285714]))
    """
    out = np.zeros(len(payoffs))
    for player in range(len(payoffs)):
        own = np.moveaxis(payoffs[player], player, 0).reshape(payoffs.shape[1 + player], -1)
        weight = np.moveaxis(distribution, player, 0).reshape(own.shape)
        for told, share in enumerate(weight):
            out[player] = max(out[player], float(((own - own[told]) @ share).max()))
    return out / spans(payoffs)


def bimatrix_regret(a: Floats, b: Floats, x: Floats, y: Floats) -> Floats:
    """Return the larger of both players' regrets in each of many games of two players, in units of each player's range; shape (v,).

    Parameters
    ----------
    a, b
        Payoffs of the row and of the column player, (v, m, n).
    x, y
        Mixed strategies, (v, m) and (v, n).

    Examples
    --------
    >>> a = np.array([[[1.0, -1.0], [-1.0, 1.0]]])
    >>> bimatrix_regret(a, -a, np.array([[0.5, 0.5]]), np.array([[1.0, 0.0]]))
    array([0.5])
    """
    largest = np.zeros(len(a))
    for payoff, best in ((a, np.einsum("vmn,vn->vm", a, y)), (b, np.einsum("vmn,vm->vn", b, x))):
        value = np.einsum("vmn,vm,vn->v", payoff, x, y)
        span = payoff.max(axis=(1, 2)) - payoff.min(axis=(1, 2))
        np.maximum(largest, (best.max(axis=1) - value) / np.where(span > 0, span, 1.0), out=largest)
    return largest


@nb.njit(
    nb.void(
        read(REAL, 3), read(REAL, 3), read(nb.int64, 1), _STRIDED, _STRIDED, nb.intp, nb.intp, write(REAL, 2), write(REAL, 1),
    ),
    nogil=True,
    cache=True,
)  # fmt: skip
def _measure_pairs(a, b, offsets, row, column, first, stop, values, regret):
    """Write values and largest regret of the pairs of games ``first … stop - 1``."""
    m, n = a.shape[1], a.shape[2]
    for v in range(first, stop):
        if offsets[v] == offsets[v + 1]:
            continue
        low_a, high_a, low_b, high_b = a[v, 0, 0], a[v, 0, 0], b[v, 0, 0], b[v, 0, 0]
        for i in range(m):
            for j in range(n):
                x, y = a[v, i, j], b[v, i, j]
                low_a, high_a = min(low_a, x), max(high_a, x)
                low_b, high_b = min(low_b, y), max(high_b, y)
        span_a = high_a - low_a if high_a > low_a else 1.0
        span_b = high_b - low_b if high_b > low_b else 1.0
        for k in range(offsets[v], offsets[v + 1]):
            value_a, value_b, best_a, best_b = 0.0, 0.0, -np.inf, -np.inf
            for i in range(m):
                q = 0.0
                for j in range(n):
                    q += a[v, i, j] * column[k, j]
                best_a = max(best_a, q)
                value_a += row[k, i] * q
            for j in range(n):
                q = 0.0
                for i in range(m):
                    q += b[v, i, j] * row[k, i]
                best_b = max(best_b, q)
                value_b += column[k, j] * q
            values[k, 0], values[k, 1] = value_a, value_b
            regret[k] = max(0.0, (best_a - value_a) / span_a, (best_b - value_b) / span_b)


@nb.njit(
    nb.void(
        read(REAL, 3), read(REAL, 3), read(nb.int64, 1), _STRIDED, _STRIDED, nb.intp, nb.intp, write(REAL, 2), write(REAL, 1),
    ),
    nogil=True,
    cache=True,
    error_model="numpy",
)  # fmt: skip
def _measure_squares(a, b, offsets, row, column, first, stop, values, regret):
    """Do what ``_measure_pairs`` does for 2 × 2 games, without loops."""
    for v in range(first, stop):
        a00, a01, a10, a11 = a[v, 0, 0], a[v, 0, 1], a[v, 1, 0], a[v, 1, 1]
        b00, b01, b10, b11 = b[v, 0, 0], b[v, 0, 1], b[v, 1, 0], b[v, 1, 1]
        span_a = max(a00, a01, a10, a11) - min(a00, a01, a10, a11)
        span_b = max(b00, b01, b10, b11) - min(b00, b01, b10, b11)
        unit_a, unit_b = 1.0 / (span_a if span_a > 0 else 1.0), 1.0 / (span_b if span_b > 0 else 1.0)
        for k in range(offsets[v], offsets[v + 1]):
            x0, x1, y0, y1 = row[k, 0], row[k, 1], column[k, 0], column[k, 1]
            up, down = a00 * y0 + a01 * y1, a10 * y0 + a11 * y1
            left, right = b00 * x0 + b10 * x1, b01 * x0 + b11 * x1
            value_a, value_b = x0 * up + x1 * down, y0 * left + y1 * right
            values[k, 0], values[k, 1] = value_a, value_b
            gain_a, gain_b = (max(up, down) - value_a) * unit_a, (max(left, right) - value_b) * unit_b
            regret[k] = max(0.0, gain_a, gain_b)


def measure_pairs(a: Floats, b: Floats, offsets: Keys, row: Floats, column: Floats) -> tuple[Floats, Floats]:
    """Measure many profiles of each of many games of two players.

    Parameters
    ----------
    a, b
        Payoffs, (v, m, n).
    offsets
        Profiles ``offsets[v]`` to ``offsets[v + 1] - 1`` belong to game v; shape (v + 1,).
    row, column
        Mixed strategies, (k, m) and (k, n).

    Returns
    -------
    values : float array, (k, 2)
    regret : float array, (k,)
        The larger of both, in units of each player's range.

    Examples
    --------
    >>> a = np.array([[[1.0, -1.0], [-1.0, 1.0]]])
    >>> values, regret = measure_pairs(a, -a, np.array([0, 1]), np.array([[0.5, 0.5]]), np.array([[1.0, 0.0]]))
    >>> values, regret
    (array([[0., 0.]]), array([0.5]))
    """
    values, regret = np.empty((len(row), 2)), np.empty(len(row))
    kernel = _measure_squares if a.shape[1:] == (2, 2) else _measure_pairs
    over_variants(lambda first, stop: kernel(a, b, offsets, row, column, first, stop, values, regret), len(a))
    return values, regret
