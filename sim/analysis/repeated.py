r"""Repeated games: what patience can sustain when a stage game is played for ever.

A player's *minmax* value is what the others can hold him to; no equilibrium of the repeated game gives less. The *feasible* payoffs are the convex hull
of the stage's payoffs, and those of them that give everybody at least his minmax value are *individually rational*.

A profile :math:`a` of the stage is played for ever under a *grim trigger*: whoever deviates alone is punished for ever and then earns :math:`w_i` a round.
With :math:`d_i` the best deviation, player :math:`i` abides exactly if

.. math:: u_i(a) \ge (1 - \delta_i) d_i + \delta_i w_i \iff \delta_i \ge \delta_i^* = \frac{d_i - u_i(a)}{d_i - w_i}.

- ``nash``: :math:`w_i` is the stage equilibrium worst for the deviator (Friedman 1971). Above the critical discount this is a subgame-perfect equilibrium.
- ``minmax``: :math:`w_i` is the minmax value. Nothing punishes more, so below this critical discount *no* equilibrium plays the profile for ever.

Payoffs are averages per round, :math:`(1 - \delta) \sum_t \delta^{t-1} u_t`. With three or more players minmax values let the punishers act as one (draw
jointly), which bounds from below what they can do each for himself.

Sources: Friedman, J. (1971) A non-cooperative equilibrium for supergames, Review of Economic Studies 38:1-12; Fudenberg, D. & Maskin, E. (1986)
Econometrica 54:533-554; Mailath, G. & Samuelson, L. (2006) Repeated Games and Reputations, chapters 2-3.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from sim.errors import NoAnswerError, OptionError
from sim.game.stationary import stationary_game
from sim.game.strategic import regrets, spans
from sim.kinds import frozen

if TYPE_CHECKING:
    from sim.game.strategic import StrategicGame
    from sim.kinds import Floats

__all__ = ["Repeated", "Trigger", "clip_polygon", "extreme_points", "repeated"]

Kind = Literal["nash", "minmax"]
TIE = 1e-9
HOLDS = 1e-8  # the referee's bound on a gain, in units of the payoff range
BELOW = 0.01  # how far below the critical discount the gain is looked for
MOST_PROFILES = 1000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trigger:
    """A pure profile, played for ever under the threat of a grim trigger.

    Attributes
    ----------
    profile : tuple of int
        Places of actions.
    kind : {"nash", "minmax"}
        What follows a deviation.
    payoffs, tempted, punished : float arrays, (i,)
        What each player earns a round by the profile, by his best deviation in the round of it, and after it.
    discounts : float array, (i,)
        Critical discount of each player; 0 for one who is not tempted.
    gain, gain_below : float
        What the referee measured: the largest one-shot gain at the critical discounts, in units of the payoff range of the repeated game; and the same
        when the discount of the player who needs most patience is 1 % lower. NaN where there is no temptation.
    """

    profile: tuple[int, ...]
    kind: Kind
    payoffs: Floats
    tempted: Floats
    punished: Floats
    discounts: Floats
    gain: float
    gain_below: float

    @property
    def discount(self) -> float:
        """The least discount at which all abide, if all have the same.

        Examples
        --------
        >>> from sim.game.strategic import StrategicGame
        >>> dilemma = StrategicGame.from_matrices([[3, 1], [4, 2]], [[3, 4], [1, 2]])
        >>> [(one.profile, one.discount) for one in repeated(dilemma).triggers if one.kind == "nash"]
        [((0, 0), 0.5), ((1, 1), 0.0)]
        """
        return float(self.discounts.max())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Repeated:
    """What can come of a stage game that is played for ever.

    Attributes
    ----------
    game : StrategicGame
        The stage.
    pure_minmax, minmax : float arrays, (i,)
        What the others can hold each player to by pure and by mixed actions.
    gap : float
        How far apart the two sides of a mixed minmax value were measured to be, in units of the player's range; the largest.
    feasible : float array, (k, i)
        Extreme points of the feasible payoffs; with two players in counterclockwise order.
    rational : float array, (k, i), or None
        With two players, the vertices of the feasible and individually rational payoffs in that order; ``None`` with more.
    equilibria : tuple of tuples of float arrays
        The stage equilibria known: all extreme ones of two players, all pure ones of more, one mixed if there is no pure one.
    triggers : tuple of Trigger
        By profile, ``nash`` before ``minmax``.

    Examples
    --------
    >>> from sim.game.strategic import StrategicGame
    >>> chicken = StrategicGame.from_matrices([[3, 2], [4, 1]], [[3, 4], [2, 1]])
    >>> found = repeated(chicken)
    >>> found.minmax, found.rational.tolist()
    (array([2., 2.]), [[2.0, 2.0], [4.0, 2.0], [2.0, 4.0]])
    """

    game: StrategicGame
    pure_minmax: Floats
    minmax: Floats
    gap: float
    feasible: Floats
    rational: Floats | None
    equilibria: tuple[tuple[Floats, ...], ...] = field(repr=False)
    triggers: tuple[Trigger, ...] = field(repr=False)


def extreme_points(points: Any) -> Floats:
    """Return the extreme points of a convex hull, whatever its dimension; points of a plane in counterclockwise order.

    Parameters
    ----------
    points
        Shape (k, i).

    Examples
    --------
    >>> extreme_points([[0, 0], [1, 1], [2, 2]]).tolist(), len(extreme_points([[0, 0], [1, 0], [1, 1], [0, 1], [0.5, 0.5]]))
    ([[0.0, 0.0], [2.0, 2.0]], 4)
    """
    table = np.unique(np.asarray(points, dtype=np.float64), axis=0)
    centre = table.mean(axis=0)
    _, size, axes = np.linalg.svd(table - centre, full_matrices=False)
    rank = int((size > TIE * max(1.0, float(np.abs(table).max()))).sum())
    if rank == 0:
        return frozen(table[:1])
    flat = (table - centre) @ axes[:rank].T
    if rank == 1:
        return frozen(table[[int(flat.argmin()), int(flat.argmax())]])
    from scipy.spatial import ConvexHull

    places = ConvexHull(table if rank == table.shape[1] else flat).vertices  # of a plane, counterclockwise
    if rank > 2:  # noqa: PLR2004
        return frozen(table[np.sort(places)])
    first = int(np.lexsort((table[places, 1], table[places, 0]))[0])  # start at the lowest first coordinate
    return frozen(table[np.roll(places, -first)])


def clip_polygon(vertices: Any, least: Any) -> Floats:
    """Cut off the part of a convex polygon where a coordinate is below its bound (Sutherland & Hodgman 1974).

    Parameters
    ----------
    vertices
        In order, (k, 2); two for a segment, one for a point.
    least
        The bounds, (2,).

    Returns
    -------
    float array, (k, 2)
        In the same order; empty where nothing is left.

    Examples
    --------
    >>> clip_polygon([[0, 0], [2, 0], [0, 2]], [0.5, 0]).tolist()
    [[0.5, 0.0], [2.0, 0.0], [0.5, 1.5]]
    """
    kept = np.asarray(vertices, dtype=np.float64)
    bound = np.asarray(least, dtype=np.float64)
    size = max(1.0, float(np.abs(kept).max(initial=0.0)))
    for axis in (0, 1):
        out: list[Floats] = []
        for k, here in enumerate(kept):
            before = kept[k - 1]
            inside, was = here[axis] >= bound[axis] - TIE * size, before[axis] >= bound[axis] - TIE * size
            if inside != was:
                share = (bound[axis] - before[axis]) / (here[axis] - before[axis])
                crossing = before + share * (here - before)
                crossing[axis] = bound[axis]
                out.append(crossing)
            if inside:
                out.append(here)
        kept = np.array(out).reshape(-1, 2)
    return frozen(_distinct(kept, TIE * size))


def _distinct(points: Floats, tie: float) -> Floats:
    """Drop points that repeat another, and start at the lowest first coordinate."""
    kept: list[Floats] = []
    for point in points:
        if all(float(np.abs(point - one).max()) > tie for one in kept):
            kept.append(point)
    out = np.array(kept).reshape(-1, points.shape[1])
    if len(out) > 1:
        out = np.roll(out, -int(np.lexsort((out[:, 1], out[:, 0]))[0]), axis=0)
    return out + 0.0


def _stage_equilibria(game: StrategicGame) -> tuple[tuple[Floats, ...], ...]:
    """Return the stage equilibria that punish, each a strategy for every player."""
    if len(game.players) == 2:  # noqa: PLR2004
        from sim.solve.nash import equilibria

        found: Any = equilibria(game.payoffs[0], game.payoffs[1])
        return tuple((one.row, one.column) for one in found)
    from sim.solve.many_players import one_equilibrium, pure_equilibria

    sizes = game.payoffs.shape[1:]
    pure = pure_equilibria(game)
    if pure:
        return tuple(_pure(cell, sizes) for cell in pure)
    return (one_equilibrium(game).profile,)


def _pure(cell: tuple[int, ...], sizes: tuple[int, ...]) -> tuple[Floats, ...]:
    """Return a choice of actions as strategies."""
    return tuple(frozen(np.eye(size)[action]) for action, size in zip(cell, sizes, strict=True))


def _joint(profile: tuple[Floats, ...]) -> Floats:
    """Return the probability of each joint action, (a,)."""
    out = np.ones(1)
    for own in profile:
        out = (out[:, None] * own[None, :]).reshape(-1)
    return out


def _watch(
    game: StrategicGame, cell: tuple[int, ...], after: list[tuple[Floats, Floats]], delta: Floats
) -> tuple[float, Floats]:
    """Play a profile for ever, whoever deviates alone being punished, and let the referee measure the largest gain.

    Parameters
    ----------
    game, cell
        The stage and the profile.
    after
        For each deviator: payoffs of the stage that follows for ever, (a, i), and what is played there, (a,).
    delta
        Each player's discount, (i,).

    Returns
    -------
    tuple
        The gain, and what each player earns in all, (i,).
    """
    from sim.game.referee import measure

    count, sizes = len(game.players), game.payoffs.shape[1:]
    size = int(np.prod(sizes))
    actions = np.indices(sizes).reshape(count, -1)
    away = actions != np.array(cell)[:, None]
    home = np.where(away.sum(axis=0) == 0, 0, 1 + away.argmax(axis=0))  # several at once: the first of them is punished
    pays = np.stack([game.payoffs.reshape(count, size).T, *(payoff for payoff, _ in after)])
    targets = np.stack([home, *(np.full(size, 1 + i) for i in range(count))])
    made = stationary_game(
        pays.reshape(1 + count, *sizes, count),
        targets.reshape(1 + count, *sizes, 1),
        np.ones((1 + count, *sizes, 1)),
        delta,
        players=game.players,
    )
    played = np.stack([_joint(_pure(cell, sizes)), *(share for _, share in after)])
    worth = np.einsum("sa,sai->si", played, pays) / (1 - delta)
    guess = np.zeros((1, made.graph.node_count, count))
    guess[0, : 1 + count] = worth
    found = measure(made, played.reshape(1, -1), guess=guess)
    if float(found.distribution_error[0]) > TIE or float(found.value_error[0]) > TIE:
        raise NoAnswerError("the referee could not evaluate a grim trigger; please report the game")
    return float(found.max_gain[0]), found.values[0, 0]


def _trigger(
    game: StrategicGame, cell: tuple[int, ...], kind: Kind, punished: Floats, after: list[tuple[Floats, Floats]]
) -> Trigger | None:
    """Find the critical discounts of a profile; ``None`` where no patience suffices."""
    count = len(game.players)
    span = spans(game.payoffs)
    payoffs = game.payoffs[(slice(None), *cell)]
    tempted = np.array(
        [game.payoffs[(i, *(slice(None) if k == i else a for k, a in enumerate(cell)))].max() for i in range(count)]
    )
    greedy = tempted - payoffs > TIE * span
    if (greedy & (payoffs - punished <= TIE * span)).any():
        return None
    discounts = np.divide(tempted - payoffs, tempted - punished, out=np.zeros(count), where=greedy)
    gain, _ = _watch(game, cell, after, discounts)
    below = np.nan
    if greedy.any():
        neediest = int(discounts.argmax())
        lower = discounts.copy()
        lower[neediest] *= 1 - BELOW
        below, _ = _watch(game, cell, after, lower)
    if gain > HOLDS or not (below > gain or not greedy.any()):
        names = " / ".join(names[a] for names, a in zip(game.actions, cell, strict=True))
        raise NoAnswerError(
            f"the critical discount of {names} is not certified: the gain is {gain:.1e} at it and {below:.1e} below it"
        )
    return Trigger(
        profile=cell, kind=kind, payoffs=frozen(payoffs), tempted=frozen(tempted), punished=frozen(punished),
        discounts=frozen(discounts), gain=gain, gain_below=float(below),
    )  # fmt: skip


def _threats(
    game: StrategicGame, equilibria: tuple[tuple[Floats, ...], ...], minmax: Floats
) -> dict[Kind, tuple[Floats, list[tuple[Floats, Floats]]]]:
    """Return, for both kinds of punishment, what a deviator earns (i,), and what the referee is to see after each deviator."""
    count, sizes = len(game.players), game.payoffs.shape[1:]
    size = int(np.prod(sizes))
    pays = game.payoffs.reshape(count, size).T
    shares = [_joint(profile) for profile in equilibria]
    values = np.array([share @ pays for share in shares])
    worst = values.argmin(axis=0)
    nash = [(pays, shares[int(k)]) for k in worst]
    flat = np.zeros(size)
    flat[0] = 1.0
    held = [(np.broadcast_to(minmax, (size, count)).copy(), flat) for _ in range(count)]  # nobody has a choice any more
    return {"nash": (values.min(axis=0), nash), "minmax": (minmax, held)}


def repeated(game: StrategicGame) -> Repeated:
    """Say what can come of a stage game that is played for ever.

    Parameters
    ----------
    game
        Two or more players, at most 1,000 pure profiles.

    Raises
    ------
    OptionError
        For one player, or too many profiles.
    NoAnswerError
        If a stage equilibrium, a minmax value or a critical discount is not certified.

    Examples
    --------
    >>> from sim.game.strategic import StrategicGame
    >>> dilemma = StrategicGame.from_matrices([[3, 1], [4, 2]], [[3, 4], [1, 2]])
    >>> found = repeated(dilemma)
    >>> found.minmax, found.rational.round(9).tolist()
    (array([2., 2.]), [[2.0, 2.0], [3.5, 2.0], [3.0, 3.0], [2.0, 3.5]])
    >>> [(one.kind, one.discounts.tolist(), one.gain_below > 0) for one in found.triggers if one.profile == (0, 0)]
    [('nash', [0.5, 0.5], True), ('minmax', [0.5, 0.5], True)]
    """
    from sim.solve.selection import security

    count, sizes = len(game.players), game.payoffs.shape[1:]
    if count < 2:  # noqa: PLR2004
        raise OptionError("a repeated game needs two players or more; this one has one")
    profiles = int(np.prod(sizes))
    if profiles > MOST_PROFILES:
        raise OptionError(
            f"the stage has {profiles:,} pure profiles; at most {MOST_PROFILES:,} are looked at, so use fewer actions"
        )
    secure = [security(game.payoffs, i) for i in range(count)]
    minmax = np.array([one.value for one in secure])
    equilibria = _stage_equilibria(game)
    if not equilibria or max(float(regrets(game.payoffs, profile).max()) for profile in equilibria) > HOLDS:
        raise NoAnswerError("a stage equilibrium is not certified; nothing can be said about reverting to it")
    feasible = extreme_points(game.payoffs.reshape(count, -1).T)
    threats = _threats(game, equilibria, minmax)
    found = (
        _trigger(game, cell, kind, *threats[kind])
        for cell in product(*(range(size) for size in sizes))
        for kind in threats
    )
    return Repeated(
        game=game,
        pure_minmax=frozen(np.array([_pure_minmax(game, i) for i in range(count)])),
        minmax=frozen(minmax),
        gap=max(one.gap for one in secure),
        feasible=feasible,
        rational=clip_polygon(feasible, minmax) if count == 2 else None,  # noqa: PLR2004
        equilibria=equilibria,
        triggers=tuple(one for one in found if one is not None),
    )


def _pure_minmax(game: StrategicGame, player: int) -> float:
    """Return what the others can hold a player to by pure actions."""
    own = np.moveaxis(game.payoffs[player], player, 0)
    return float(own.reshape(len(own), -1).max(axis=0).min())
