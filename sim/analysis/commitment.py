r"""Commitment: what a player gains who can bind himself before all others choose.

To *commit to a move* is to make it wherever it is available: the game is solved again with the player's other moves taken away at those
nodes, and everybody anticipates that. The *leader value* of a stage is the most that a player can earn by announcing a mixed strategy to
which the other gives a best reply, ties in the leader's favour.

Source: von Stackelberg, H. (1934) Marktform und Gleichgewicht; Schelling, T. (1960) The Strategy of Conflict; Conitzer, V. & Sandholm, T.
(2006) Computing the optimal strategy to commit to, EC 2006 (the linear programmes).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.errors import NoAnswerError, OptionError, did_you_mean
from sim.kinds import frozen

if TYPE_CHECKING:
    from sim.game.graph import Game
    from sim.kinds import Bools, Floats
    from sim.solve.contract import Solution

__all__ = ["Commitment", "Leader", "commit", "leader", "restricted"]

TOLERANCE = 1e-8
AXES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Commitment:
    """A game in which a player is bound to a move, against the free game.

    Attributes
    ----------
    player, move
        Who is bound to what.
    nodes
        At how many nodes.
    free, bound : Solution
        The solutions; both certified.
    gain : float array, (v,)
        What being bound is worth to the player at the start.
    """

    player: str
    move: str
    nodes: int
    free: Solution
    bound: Solution
    gain: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Leader:
    """The best announcement in a strategic game of two: mixed strategy, the other's reply, both values, and the measured shortfall of the reply."""

    strategy: Floats
    reply: int
    values: tuple[float, float]
    shortfall: float


def restricted(game: Game, keep: Bools) -> Game:
    """Return a game with only some of the edges; every node keeps at least one, and joint actions stay all combinations.

    Parameters
    ----------
    game
        A compiled game.
    keep
        Which edges stay, (e,).
    """
    graph = game.graph
    source = graph.edge_source()
    degree = np.bincount(source[keep], minlength=graph.node_count)
    shape = graph.node_shape.copy()
    for player in range(len(graph.players)):
        own = graph.edge_action(player)
        pair = np.unique(np.stack([source[keep], own[keep]]), axis=1)[0]
        left = np.bincount(pair, minlength=graph.node_count)
        shape[:, player] = np.where(graph.node_shape[:, player] > 1, left, 1)
    picked = {
        name: frozen(getattr(graph, name)[keep])
        for name in ("edge_dst", "edge_label", "edge_weight", "edge_pay", "edge_prob")
    }
    start = np.concatenate(([0], np.cumsum(degree))).astype(np.int32)
    made = replace(graph, edge_start=frozen(start), node_shape=frozen(shape.astype(np.int32)), **picked)
    origin = replace(game.origin, cache={}) if game.origin is not None else None
    return replace(game, graph=made, origin=origin)


def commit(solution: Solution, move: str, player: str = "") -> Commitment:
    """Bind a player to a move, or to the moves of a group, wherever it is available, and solve again.

    Parameters
    ----------
    solution
        The free game, solved; concept and options are used again.
    move
        A move or a group.
    player
        Who; may be left out if only one player can make it.

    Raises
    ------
    OptionError
        For an unknown move or player, or one that is never available.
    NoAnswerError
        If the bound game has no certified answer.

    Examples
    --------
    >>> import sim
    >>> solution = sim.solve(sim.compile(sim.load(sim.template()), {"prize": 3}))
    >>> found = commit(solution, "resist")
    >>> found.player, found.nodes > 0
    ('defender', True)
    """
    from sim.solve.registry import solve

    game = solution.game
    graph, scenario = game.graph, game.origin.scenario
    known = {word for action in scenario.actions for word in (action.move, action.group) if word}
    if move not in known:
        raise OptionError(f"'{move}' is not a move or group; {did_you_mean(move, known)}")
    who = sorted(
        {name for action in scenario.actions if move in (action.move, action.group) for name in action.players}
    )
    if player and player not in who:
        raise OptionError(f"'{player}' cannot make {move}; known: {', '.join(who)}")
    if not player and len(who) > 1:
        raise OptionError(f"{move} may be made by {', '.join(who)}; say who is bound")
    name = player or who[0]
    made = np.array([any(act.player == name and act.plays(move) for act in label.acts) for label in graph.labels])[
        graph.edge_label
    ]
    source = graph.edge_source()
    able = np.zeros(graph.node_count, dtype=bool)
    able[source[made]] = True
    if not able.any():
        raise OptionError(f"{move} is never available to {name}")
    bound = solve(restricted(game, made | ~able[source]), solution.concept, **solution.options).require()
    index = graph.players.index(name)
    gain = bound.values[:, index] - solution.values[:, index]
    return Commitment(player=name, move=move, nodes=int(able.sum()), free=solution, bound=bound, gain=gain)


def leader(a: Any, b: Any) -> Leader:
    """Return the row player's best announcement in a game of two.

    Parameters
    ----------
    a, b
        Payoffs of the leader (rows) and of the other (columns), (m, n).

    Raises
    ------
    OptionError
        For shapes that do not fit.
    NoAnswerError
        If no linear programme has an answer that the measured reply confirms.

    Examples
    --------
    >>> found = leader([[2, 4], [1, 3]], [[1, 0], [0, 1]])
    >>> found.strategy, found.reply, found.values
    (array([0.5, 0.5]), 1, (3.5, 0.5))
    """
    from scipy.optimize import linprog

    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if first.ndim != AXES or first.shape != second.shape:
        raise OptionError(
            f"payoffs have shapes {first.shape} and {second.shape}; expected two arrays of one shape (m, n)"
        )
    best: Leader | None = None
    m, n = first.shape
    spread = float(np.ptp(second)) or 1.0
    for reply in range(n):
        found = linprog(
            -first[:, reply],
            A_ub=(second - second[:, [reply]]).T / spread,
            b_ub=np.zeros(n),
            A_eq=np.ones((1, m)),
            b_eq=[1.0],
            bounds=(0, 1),
            method="highs",
        )
        if found.status != 0:
            continue
        strategy = np.maximum(found.x, 0.0) / np.maximum(found.x, 0.0).sum()
        got = strategy @ second
        short = float((got.max() - got[reply]) / spread)
        value = float(strategy @ first[:, reply])
        if short <= TOLERANCE and (best is None or value > best.values[0]):
            best = Leader(strategy=frozen(strategy), reply=reply, values=(value, float(got[reply])), shortfall=short)
    if best is None:
        raise NoAnswerError("no announcement was certified: every linear programme failed")
    return best
