r"""Stationary discounted games made by hand, from arrays: states, payoffs and transitions.

Scenarios with an infinite horizon compile to the same kind of :class:`~sim.game.graph.Game`; this is for textbook games, tests and benchmarks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sim.errors import OptionError
from sim.game.graph import CHANCE, RETURN, SIMULTANEOUS, EdgeLabel, Game, Graph, Numbers
from sim.kinds import frozen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sim.kinds import Floats, Ints

__all__ = ["stationary_game"]

SUM_TOLERANCE = 1e-9


def stationary_game(
    pays: Any,
    targets: Any,
    chances: Any,
    discount: Any,
    *,
    movers: Any = None,
    players: Sequence[str] | None = None,
) -> Game:
    """Make a stationary game.

    Parameters
    ----------
    pays
        What each player gets, (s, a1, …, an, i) where all choose at once, or (s, a, i) with ``movers``.
    targets, chances
        Where each (joint) action leads and how likely, (s, …, b); branches of probability 0 are left out, and never a probability that changes.
    discount
        Each player's factor, (i,) or one number, from 0 to less than 1.
    movers
        The player that moves in each state, (s,); by default all choose at once in every state.
    players
        Names, axis i.

    Returns
    -------
    Game
        Play starts in state 0; node s is state s if all choose at once, else states are ordered by mover.

    Raises
    ------
    OptionError
        For shapes that do not fit, probabilities that do not sum to 1, and a discount that is none.

    Examples
    --------
    >>> game = stationary_game([[[1.0], [0.0]]], [[[0], [0]]], [[[1.0], [1.0]]], 0.5, movers=[0])
    >>> game.graph.stationary, game.graph.node_count
    (True, 2)
    """
    pay = np.asarray(pays, dtype=np.float64)
    states, count = len(pay), pay.shape[-1]
    shape = pay.shape[1:-1]
    pay = pay.reshape(states, -1, count)
    size = pay.shape[1]
    to, share = np.asarray(targets, dtype=np.int64), np.asarray(chances, dtype=np.float64)
    if to.shape != share.shape or to.shape[:-1] != (states, *shape):
        raise OptionError(
            f"targets and chances have shapes {to.shape} and {share.shape}; expected {(states, *shape)} and one axis more"
        )
    to, share = to.reshape(states, size, -1), share.reshape(states, size, -1)
    if (
        (share < 0).any()
        or (np.abs(share.sum(axis=2) - 1) > SUM_TOLERANCE).any()
        or not ((to >= 0) & (to < states)).all()
    ):
        raise OptionError("chances are not probabilities that sum to 1, or targets not states")
    delta = np.broadcast_to(np.asarray(discount, dtype=np.float64), (count,))
    if not ((delta >= 0) & (delta < 1)).all():
        raise OptionError(f"discount is {discount}; expected numbers from 0 to less than 1")
    if movers is None and len(shape) != count:
        raise OptionError(
            f"payoffs have {len(shape)} axes of actions for {count} players; expected one for each, or movers"
        )
    owner = np.full(states, SIMULTANEOUS) if movers is None else np.asarray(movers, dtype=np.int64)
    return _build(pay, to, share, delta, owner, shape, tuple(players or (f"player_{i + 1}" for i in range(count))))


def _build(
    pay: Floats, to: Any, share: Floats, delta: Floats, owner: Any, shape: tuple[int, ...], players: tuple[str, ...]
) -> Game:
    """Lay out nodes and edges: states by mover, chance nodes of uncertain actions, and the way back."""
    states, size, count = pay.shape
    order = np.argsort(owner, kind="stable")
    place = np.empty(states, dtype=np.int64)
    place[order] = np.arange(states)
    pay, to, share = pay[order], place[to[order]], share[order]
    kinds, sizes = np.unique(owner, return_counts=True)
    sure = (share > 0).sum(axis=2) == 1
    uncertain = np.flatnonzero(~sure.reshape(-1))
    home = states + len(uncertain)
    first = to[np.arange(states)[:, None], np.arange(size)[None], share.argmax(axis=2)]
    dst = (home + first).reshape(-1)
    dst[uncertain] = states + np.arange(len(uncertain))
    rows = share.reshape(states * size, -1)[uncertain]
    where = np.nonzero(rows > 0)
    after = home + to.reshape(states * size, -1)[uncertain][where]
    degree = np.concatenate((np.full(states, size), (rows > 0).sum(axis=1), np.zeros(states, dtype=np.int64)))
    edges, nodes = len(dst) + len(after), home + states
    counts = [*sizes, *([len(uncertain)] if len(uncertain) else []), states]
    movers = [*kinds, *([CHANCE] if len(uncertain) else []), RETURN]
    labels, label = _labels(players, shape, kinds, sizes)
    node_shape = np.ones((nodes, count), dtype=np.int32)
    starts = np.concatenate(([0], np.cumsum(sizes)))
    for kind, begin, stop in zip(kinds, starts[:-1], starts[1:], strict=True):
        node_shape[begin:stop] = shape if kind == SIMULTANEOUS else np.where(np.arange(count) == kind, size, 1)
    zeros = np.zeros((nodes, count), dtype=np.int32)
    graph = Graph(
        players=players,
        layer_start=frozen(np.concatenate(([0], np.cumsum(counts))).astype(np.int32)),
        layer_player=frozen(np.array(movers, dtype=np.int32)),
        layer_round=frozen(np.ones(len(movers), dtype=np.int32)),
        layer_turn=frozen(np.zeros(len(movers), dtype=np.int32)),
        layer_boundary=frozen(np.array([mover != CHANCE for mover in movers])),
        edge_start=frozen(np.concatenate(([0], np.cumsum(degree))).astype(np.int32)),
        edge_dst=frozen(np.concatenate((dst, after)).astype(np.int32)),
        edge_label=frozen(np.concatenate((label, np.full(len(after), len(labels) - 1))).astype(np.int32)),
        edge_weight=frozen(np.concatenate((np.ones(len(dst)), np.zeros(len(after))))),
        edge_pay=frozen(np.concatenate((1 + np.arange(len(dst)), np.zeros(len(after)))).astype(np.int32)),
        edge_prob=frozen(np.concatenate((np.zeros(len(dst)), 1 + np.arange(len(after)))).astype(np.int32)),
        node_reward=frozen(zeros),
        node_final=frozen(zeros),
        node_key=frozen(np.concatenate((order, np.repeat(order, size)[uncertain], order)).astype(np.int64)),
        node_rung=frozen(np.zeros(nodes)),
        node_uncertain=frozen(np.zeros(nodes, dtype=np.bool_)),
        node_shape=frozen(node_shape),
        node_return=frozen(np.concatenate((np.full(home, -1), np.arange(states))).astype(np.int32)),
        roots=frozen(np.array([place[0]], dtype=np.int32)),
        labels=labels,
    )
    table = np.concatenate((np.zeros((1, count)), pay.reshape(-1, count)))
    chance = np.concatenate(([1.0], rows[where]))
    spread = np.ptp(table[1:], axis=0) / (1 - delta)
    numbers = Numbers(
        reward=frozen(np.zeros((1, 1))),
        pay=frozen(table[None]),
        prob=frozen(np.repeat(chance[None, :, None], 1 + count, axis=2)),
        discount=frozen(delta[None].copy()),
        span=frozen(np.where(spread > 0, spread, 1.0)[None]),
    )
    assert graph.edge_count == edges  # noqa: S101 - the layout above
    return Game(graph=graph, numbers=numbers, assumptions={}, origin=None)


def _labels(
    players: tuple[str, ...], shape: tuple[int, ...], kinds: Any, sizes: Any
) -> tuple[tuple[EdgeLabel, ...], Ints]:
    """Label actions by number, and edges by their action."""
    labels: list[EdgeLabel] = []
    rows: list[Any] = []
    for kind, count in zip(kinds, sizes, strict=True):
        first = len(labels)
        for places in np.ndindex(*shape):
            names = players if kind == SIMULTANEOUS else (players[kind],)
            parts = tuple(
                EdgeLabel(text=str(a + 1), move=f"action_{a + 1}", player=name)
                for name, a in zip(names, places, strict=True)
            )
            joint = EdgeLabel(text=" & ".join(part.text for part in parts), player=" & ".join(names), parts=parts)
            labels.append(joint if kind == SIMULTANEOUS else parts[0])
        rows.append(np.tile(np.arange(first, len(labels)), count))
    labels.append(EdgeLabel(text="chance", event="chance"))
    return tuple(labels), np.concatenate(rows)
