r"""Learning on stage games of two players: fictitious play, its stochastic form, and replicator dynamics, through nashpy.

- *Fictitious play* (Brown 1951): each player best answers the frequencies of the other's past play; among several best answers one is drawn.
- *Stochastic fictitious play* (Fudenberg & Kreps 1993; Hofbauer & Sandholm 2002): he answers them by the logit choice of precision λ,
  payoffs disturbed by uniform noise.
- *Replicator dynamics* (Taylor & Jonker 1978): shares of populations grow by what they earn above average,
  :math:`\dot x_a = x_a ((Ay)_a - x^\top A y)`, for two populations, or for one in a symmetric game.

nashpy's code is the player and never the referee: whether each play was a best answer is measured from the plays, choice probabilities from the
logit formula, and a trajectory against a second integration by another method.

Sources: Brown, G. (1951) in Koopmans (ed.) Activity Analysis of Production and Allocation; Robinson, J. (1951) Annals of Mathematics 54:296-301;
Shapley, L. (1964) in Advances in Game Theory; Taylor, P. & Jonker, L. (1978) Mathematical Biosciences 40:145-156.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.errors import NoAnswerError, OptionError, did_you_mean
from sim.game.strategic import regrets, spans
from sim.kinds import frozen

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from sim.game.strategic import StrategicGame
    from sim.kinds import Floats, Ints, Keys

__all__ = ["RULES", "Learning", "fictitious_play", "learn", "replicator", "stochastic_fictitious_play"]

RULES = ("fictitious", "stochastic", "replicator")
MOST_STEPS = 1_000_000
MOST_EXPONENT = 600.0  # where nashpy's logit choice would overflow
PLAYED_WELL = 1e-9
FOLLOWED_WELL = 1e-5
POINTS = 1001
SUM_TOLERANCE = 1e-9
_GLOBAL = Lock()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Learning:
    """A trajectory of learning.

    Attributes
    ----------
    game : StrategicGame
    rule : str
        A word of ``RULES``.
    times : float array, (t,)
        How many plays there have been, or the time.
    shares : tuple of float arrays, (t, a)
        For each player the frequencies of his plays so far, those that he started with included; or the shares of his population. One array
        only for one population.
    plays : int array, (k, 2)
        Both players' actions at each play; none for the replicator.
    error : float
        What the referee measured: how far a play fell short of a best answer, in units of the payoff range; how far log odds were from
        the logit choice beyond the noise; how far two integrations were apart.

    Examples
    --------
    >>> from sim.game.strategic import StrategicGame
    >>> pennies = StrategicGame.from_matrices([[1, -1], [-1, 1]], [[-1, 1], [1, -1]])
    >>> found = fictitious_play(pennies, 2000, rng=np.random.default_rng(1))
    >>> found.error, found.last[0].round(1)
    (0.0, array([0.5, 0.5]))
    """

    game: StrategicGame
    rule: str
    times: Floats
    shares: tuple[Floats, ...]
    plays: Ints = field(repr=False)
    error: float

    @property
    def last(self) -> tuple[Floats, ...]:
        """The shares at the end, one array (a,) for each player."""
        return tuple(frozen(one[-1]) for one in self.shares)

    @property
    def regret(self) -> Floats:
        """Each player's regret at the shares of the end, (i,), in units of the range of his payoffs."""
        pair = [one / one.sum() for one in (self.last if len(self.shares) == 2 else self.last * 2)]  # noqa: PLR2004
        return regrets(self.game.payoffs, pair)

    @property
    def averages(self) -> Floats:
        """What each player earned on average over all plays, (i,); NaN for the replicator.

        Examples
        --------
        >>> from sim.game.strategic import StrategicGame
        >>> game = StrategicGame.from_matrices([[2, 0], [3, 1]], [[2, 3], [0, 1]])
        >>> fictitious_play(game, 100, rng=np.random.default_rng(1), start=([1, 0], [1, 0])).averages
        array([1., 1.])
        """
        if not len(self.plays):
            return np.full(2, np.nan)
        return self.game.payoffs[:, self.plays[:, 0], self.plays[:, 1]].mean(axis=1)

    def runs(self) -> tuple[Ints, Keys]:
        """Return the cells played, each as often as in a row, in order: actions (k, 2) and lengths (k,).

        Examples
        --------
        >>> from sim.game.strategic import StrategicGame
        >>> game = StrategicGame.from_matrices([[2, 0], [3, 1]], [[2, 3], [0, 1]])
        >>> fictitious_play(game, 100, rng=np.random.default_rng(1), start=([1, 0], [1, 0])).runs()
        (array([[1, 1]], dtype=int32), array([100]))
        """
        if not len(self.plays):
            return self.plays, np.zeros(0, dtype=np.int64)
        changed = np.flatnonzero((np.diff(self.plays, axis=0) != 0).any(axis=1)) + 1
        starts = np.concatenate(([0], changed))
        return self.plays[starts], np.diff(np.concatenate((starts, [len(self.plays)]))).astype(np.int64)

    def thinned(self, most: int = 500) -> Ints:
        """Return at most so many places of the trajectory, first and last included, evenly apart (in their logarithm, for plays).

        Examples
        --------
        >>> from sim.game.strategic import StrategicGame
        >>> game = StrategicGame.from_matrices([[2, 0], [3, 1]], [[2, 3], [0, 1]])
        >>> fictitious_play(game, 100, rng=np.random.default_rng(1), start=([1, 0], [1, 0])).thinned(5)
        array([  0,   2,   9,  31, 100], dtype=int32)
        """
        last = len(self.times) - 1
        if last < most:
            return np.arange(last + 1, dtype=np.int32)
        places = np.linspace(0, last, most) if self.rule == "replicator" else np.geomspace(1, last + 1, most) - 1
        return np.unique(np.rint(places)).astype(np.int32)


@contextmanager
def _global_chance(rng: np.random.Generator) -> Generator[None]:
    """Seed numpy's global generator, which nashpy draws from, by ``rng``, and put it back as it was; one thread at a time."""
    with _GLOBAL:
        before = np.random.get_state()  # noqa: NPY002 - the library below knows no other
        np.random.seed(rng.integers(2**32, size=8, dtype=np.uint32))  # noqa: NPY002
        try:
            yield
        finally:
            np.random.set_state(before)  # noqa: NPY002


def _matrices(game: StrategicGame) -> tuple[Floats, Floats]:
    """Return both players' payoffs, or refuse."""
    if len(game.players) != 2:  # noqa: PLR2004
        raise OptionError(f"learning is built for two players; this game has {len(game.players)}")
    return game.payoffs[0], game.payoffs[1]


def _starts(game: StrategicGame, start: Sequence[Any] | None) -> tuple[Floats, Floats]:
    """Read what has been played before, for each player; nothing by default."""
    if start is None:
        return np.zeros(game.payoffs.shape[1]), np.zeros(game.payoffs.shape[2])
    out = tuple(np.asarray(one, dtype=np.float64) for one in start)
    sizes = list(game.payoffs.shape[1:])
    if [one.shape for one in out] != [(size,) for size in sizes] or not all(
        np.isfinite(one).all() and (one >= 0).all() for one in out
    ):
        wanted = " and ".join(
            f"{len(names)} for {name}" for name, names in zip(game.players, game.actions, strict=True)
        )
        raise OptionError(f"start is {[one.tolist() for one in out]}; expected numbers of at least 0: {wanted}")
    return out[0], out[1]


def _counted(steps: int) -> None:
    """Refuse a number of plays that is none."""
    if not 1 <= steps <= MOST_STEPS:
        raise OptionError(f"steps is {steps}; expected 1 to {MOST_STEPS:,}")


def _trajectory(counts: tuple[Floats, Floats]) -> tuple[Floats, tuple[Floats, ...], Ints]:
    """Turn counts (t, a) of each player into times, frequencies and plays; a start without plays is left out."""
    plays = np.stack([np.diff(one, axis=0).argmax(axis=1) for one in counts], axis=1).astype(np.int32)
    first = 0 if all(one[0].sum() > 0 for one in counts) else 1
    times = np.arange(first, len(counts[0]), dtype=np.float64)
    shares = tuple(frozen(one[first:] / one[first:].sum(axis=1, keepdims=True)) for one in counts)
    return frozen(times), shares, frozen(plays)


def fictitious_play(
    game: StrategicGame, steps: int = 2000, *, rng: np.random.Generator, start: Sequence[Any] | None = None
) -> Learning:
    """Let two players answer each other's past play.

    Parameters
    ----------
    game
        Two players.
    steps
        How many plays.
    rng
        Draws among several best answers; numpy's global state is left as it was.
    start
        How often each action has been played before, for each player (m,) and (n,); never by default, and then the first plays are drawn.

    Raises
    ------
    OptionError
        For other than two players, and numbers out of bounds.
    NoAnswerError
        If a play was no best answer.

    Examples
    --------
    >>> from sim.game.strategic import StrategicGame
    >>> shapley = StrategicGame.from_matrices(np.eye(3), np.eye(3)[[1, 2, 0]])
    >>> found = fictitious_play(shapley, 300, rng=np.random.default_rng(0), start=([1, 0, 0], [0, 1, 0]))
    >>> cells, lengths = found.runs()
    >>> len(cells) >= 5, bool((np.diff(lengths[-4:]) > 0).any())
    (True, True)
    """
    from nashpy.learning.fictitious_play import fictitious_play as generate

    a, b = _matrices(game)
    _counted(steps)
    before = _starts(game, start)
    with _global_chance(rng):
        counts = _counts(generate(a, b, steps, list(before)), steps)
    times, shares, plays = _trajectory(counts)
    error = _shortfall(game, counts, plays)
    if error > PLAYED_WELL:
        raise NoAnswerError(
            f"a play fell {error:.1e} of the payoff range short of a best answer; please report the game"
        )
    return Learning(game=game, rule="fictitious", times=times, shares=shares, plays=plays, error=error)


def _counts(found: Any, steps: int) -> tuple[Floats, Floats]:
    """Gather the counts (t, a) of both players."""
    rows: list[Any] = list(found)
    out = tuple(np.array([row[player] for row in rows], dtype=np.float64) for player in (0, 1))
    if len(out[0]) != steps + 1:
        raise NoAnswerError(f"{len(out[0]) - 1} plays came back instead of {steps}; please report the game")
    return out[0], out[1]


def _shortfall(game: StrategicGame, counts: tuple[Floats, Floats], plays: Ints) -> float:
    """Measure by how much a play fell short of a best answer to the frequencies before it, in units of payoff ranges."""
    worst = 0.0
    for player, payoff in enumerate((game.payoffs[0], game.payoffs[1].T)):
        faced = counts[1 - player][:-1]
        total = faced.sum(axis=1, keepdims=True)
        values = (faced / np.where(total > 0, total, 1.0)) @ payoff.T
        got = np.take_along_axis(values, plays[:, [player]], axis=1)[:, 0]
        worst = max(worst, float((values.max(axis=1) - got).max()) / float(spans(game.payoffs)[player]))
    return worst


def stochastic_fictitious_play(
    game: StrategicGame,
    steps: int = 2000,
    *,
    rng: np.random.Generator,
    precision: float = 10.0,
    noise: float = 0.01,
    start: Sequence[Any] | None = None,
) -> Learning:
    """Let two players answer each other's past play by logit choice.

    Parameters
    ----------
    game, steps, start
        As in :func:`fictitious_play`; against nothing played yet a player believes in uniform play.
    rng
        Draws the noise and the plays; numpy's global state is left as it was.
    precision
        λ, per unit of payoff.
    noise
        Each action's payoff is raised by a number drawn uniformly from 0 to this, anew at each play.

    Raises
    ------
    OptionError
        For other than two players, and numbers out of bounds.
    NoAnswerError
        If a choice probability was not that of the rule.

    Examples
    --------
    >>> from sim.game.strategic import StrategicGame
    >>> pennies = StrategicGame.from_matrices([[1, -1], [-1, 1]], [[-1, 1], [1, -1]])
    >>> found = stochastic_fictitious_play(pennies, 2000, rng=np.random.default_rng(1))
    >>> found.error, bool(np.abs(found.last[0] - 0.5).max() < 0.05)
    (0.0, True)
    """
    from nashpy.learning.stochastic_fictitious_play import stochastic_fictitious_play as generate

    a, b = _matrices(game)
    _counted(steps)
    if not (precision > 0 and noise >= 0):
        raise OptionError(f"precision is {precision} and noise {noise}; expected more than 0, and at least 0")
    spread = max(float((a.max(axis=0) - a.min(axis=0)).max()), float((b.max(axis=1) - b.min(axis=1)).max()))
    if precision * (spread + noise) > MOST_EXPONENT:
        limit = MOST_EXPONENT / (spread + noise)
        raise OptionError(
            f"precision {precision:g} is too high for these payoffs; at most {limit:.3g}, or play fictitious"
        )
    before = _starts(game, start)
    eased = a - a.max(axis=0), b - b.max(axis=1, keepdims=True)  # the same choices, and exponents that cannot overflow
    with _global_chance(rng):
        rows: list[Any] = list(generate(*eased, steps, etha=1 / precision, epsilon_bar=noise, play_counts=list(before)))
    counts = _counts([row[0] for row in rows], steps)
    times, shares, plays = _trajectory(counts)
    error = max(
        _off_logit(payoff, counts[1 - player][:-1], np.array([row[1][player] for row in rows[1:]]), precision, noise)
        for player, payoff in enumerate((a, b.T))
    )
    if error > FOLLOWED_WELL:
        raise NoAnswerError(f"log odds of a choice are {error:.1e} away from the logit rule; please report the game")
    return Learning(game=game, rule="stochastic", times=times, shares=shares, plays=plays, error=error)


def _off_logit(payoff: Floats, faced: Floats, chosen: Floats, precision: float, noise: float) -> float:
    """Measure how far log odds against the first action are from the logit choice, beyond what noise explains."""
    total = faced.sum(axis=1, keepdims=True)
    belief = np.where(total > 0, faced / np.where(total > 0, total, 1.0), 1.0 / faced.shape[1])
    values = precision * (belief @ payoff.T)
    seen = chosen > 0  # what is too unlikely for a float has no odds
    base = values.argmax(axis=1)[:, None]
    wanted = values - np.take_along_axis(values, base, axis=1)
    odds = np.log(np.where(seen, chosen, 1.0)) - np.log(np.take_along_axis(chosen, base, axis=1))
    off = np.abs(np.where(seen, odds - wanted, 0.0)) - precision * noise
    off = max(0.0, float(off.max()))
    return max(off, float(np.abs(chosen.sum(axis=1) - 1).max())) if off > PLAYED_WELL else 0.0


def replicator(
    game: StrategicGame,
    time: float = 100.0,
    *,
    start: Sequence[Any] | None = None,
    populations: int = 2,
    points: int = POINTS,
) -> Learning:
    """Let shares of populations grow by what they earn.

    Parameters
    ----------
    game
        Two players; for one population a symmetric game.
    time
        How long, from 0.
    start
        Shares at the start, in any unit: two arrays, or one for one population; even by default.
    populations
        2, or 1: one population that plays against itself.
    points
        How many points of the trajectory are kept.

    Raises
    ------
    OptionError
        For other than two players, a game that is not symmetric, and numbers out of bounds.
    NoAnswerError
        If two methods of integration disagree by more than 1e-5 somewhere.

    Examples
    --------
    >>> from sim.game.strategic import StrategicGame
    >>> hawk_dove = StrategicGame.from_matrices([[-0.5, 2], [0, 1]], [[-0.5, 0], [2, 1]])
    >>> replicator(hawk_dove, populations=1, start=[[1, 9]]).last[0].round(6)
    array([0.666667, 0.333333])
    """
    a, b = _matrices(game)
    if not (np.isfinite(time) and time > 0 and points >= 2):  # noqa: PLR2004
        raise OptionError(f"time is {time} and points {points}; expected more than 0, and at least 2")
    at = np.linspace(0.0, float(time), points)
    if populations == 1:
        if a.shape[0] != a.shape[1] or not np.array_equal(a, b.T):
            raise OptionError("one population needs a symmetric game, b = aᵀ; ask for two populations")
        if start is not None and len(start) == 1:
            start = (start[0], start[0])
    elif populations != 2:  # noqa: PLR2004
        raise OptionError(f"populations is {populations}; expected 1 or 2")
    shares = (
        [np.full(size, 1.0 / size) for size in a.shape] if start is None else [_share(x) for x in _starts(game, start)]
    )
    shares = shares[:populations]
    found = _integrate(a, b, shares, at)
    error = _second_opinion(a, b, shares, at, found)
    if not error <= FOLLOWED_WELL:
        advice = "the path is too sensitive; choose a shorter time or another start"
        raise NoAnswerError(f"two integrations of the replicator dynamics are {error:.1e} apart: {advice}")
    return Learning(
        game=game,
        rule="replicator",
        times=frozen(at),
        shares=tuple(frozen(one) for one in found),
        plays=frozen(np.zeros((0, 2), dtype=np.int32)),
        error=error,
    )


def _share(counts: Floats) -> Floats:
    """Make shares that sum to 1."""
    if not counts.sum() > 0:
        raise OptionError("a population has no share at all at the start; give it at least one number above 0")
    return counts / counts.sum()


def _integrate(a: Floats, b: Floats, start: list[Floats], at: Floats) -> list[Floats]:
    """Follow the dynamics by nashpy, shares (t, a) of each population."""
    from nashpy.learning import replicator_dynamics as dynamics

    if len(start) == 1:
        found = [dynamics.replicator_dynamics(a, y0=start[0], timepoints=at)]
    else:
        found = list(dynamics.asymmetric_replicator_dynamics(a, b, x0=start[0], y0=start[1], timepoints=at))
    return [np.maximum(np.asarray(x), 0.0) + 0.0 for x in found]  # rounding may leave a share just below 0


def _second_opinion(a: Floats, b: Floats, start: list[Floats], at: Floats, found: list[Floats]) -> float:
    """Integrate again, in logarithms of shares and by an explicit method of order 8, and return the largest distance."""
    from scipy.integrate import solve_ivp

    sizes = [len(x) for x in start]
    alive = [x > 0 for x in start]
    bounds = np.cumsum(sizes)[:-1]

    def shares(z: Floats) -> list[Floats]:
        out: list[Floats] = []
        for one, there in zip(np.split(z, bounds), alive, strict=True):
            x = np.where(there, np.exp(one - one[there].max()), 0.0)
            out.append(x / x.sum())
        return out

    def slope(_: float, z: Floats) -> Floats:
        x = shares(z)
        return np.concatenate([a @ x[-1]] if len(x) == 1 else [a @ x[1], x[0] @ b])

    z = np.concatenate([np.log(np.where(x > 0, x, 1.0)) for x in start])
    path: Any = solve_ivp(slope, (at[0], at[-1]), z, method="DOP853", t_eval=at, rtol=1e-10, atol=1e-10)
    if not path.success or path.y.shape[1] != len(at):
        return float("inf")
    second = [np.stack(rows) for rows in zip(*(shares(column) for column in path.y.T), strict=True)]
    return max(float(np.abs(one - other).max()) for one, other in zip(found, second, strict=True))


def learn(
    game: StrategicGame,
    rule: str = "fictitious",
    *,
    steps: float | None = None,
    seed: int = 0,
    start: Mapping[str, Any] | None = None,
    precision: float | None = None,
    populations: int = 2,
) -> Learning:
    """Let two players learn by a rule of ``RULES``.

    Parameters
    ----------
    game, rule
        Who learns, and how.
    steps
        Number of plays, 2,000 by default; of the replicator the time, 100 by default.
    seed
        For what is drawn; the same seed gives the same trajectory.
    start
        By player, what has been played before, or shares.
    precision
        λ of the stochastic rule.
    populations
        Of the replicator.

    Examples
    --------
    >>> from sim.game.strategic import StrategicGame
    >>> game = StrategicGame.from_matrices([[2, 0], [3, 1]], [[2, 3], [0, 1]])
    >>> learn(game, steps=50, start={"row": [1, 0], "column": [1, 0]}).last[1].round(2)
    array([0.02, 0.98])
    """
    if rule not in RULES:
        raise OptionError(f"'{rule}' is not a rule of learning; {did_you_mean(rule, RULES)}")
    if precision is not None and rule != "stochastic":
        raise OptionError(f"precision belongs to the stochastic rule; {rule} has none")
    if populations != 2 and rule != "replicator":  # noqa: PLR2004
        raise OptionError(f"populations belongs to the replicator; {rule} play has two players")
    given = _by_player(game, start, populations)
    if rule == "replicator":
        return replicator(game, 100.0 if steps is None else steps, start=given, populations=populations)
    plays = 2000 if steps is None else int(steps)
    if steps is not None and plays != steps:
        raise OptionError(f"steps is {steps}; expected a whole number of plays")
    rng = np.random.default_rng(seed)
    if rule == "fictitious":
        return fictitious_play(game, plays, rng=rng, start=given)
    return stochastic_fictitious_play(
        game, plays, rng=rng, start=given, precision=10.0 if precision is None else precision
    )


def _by_player(game: StrategicGame, start: Mapping[str, Any] | None, populations: int) -> tuple[Any, ...] | None:
    """Order starts as the players are."""
    if not start:
        return None
    for name in start:
        if name not in game.players:
            raise OptionError(f"start names '{name}', not a player; {did_you_mean(name, game.players)}")
    asked = game.players[:populations]
    missing = [name for name in asked if name not in start]
    if missing:
        raise OptionError(f"start says nothing about {' and '.join(missing)}; give it for {' and '.join(asked)}")
    if len(start) > len(asked):
        raise OptionError(f"one population has one start; give it for {asked[0]} only")
    return tuple(start[name] for name in asked)
