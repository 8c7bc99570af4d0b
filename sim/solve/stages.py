r"""Backward induction through simultaneous turns: layer by layer, a strategic game at every node at which several players choose.

Layers at which one player moves, and chance that is taken by its expectation, are left to the kernel of the concept; a stage is solved by a
function of the concept, for all nodes of one shape and all variants at once. The action values of a stage are
:math:`Q_i(e) = pay_i(e) + W_i(dst(e))` over its joint actions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.game.graph import CHANCE, RETURN, SIMULTANEOUS
from sim.numerics.prospect import certainty_equivalent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sim.game.graph import Game
    from sim.kinds import Floats, Ints

__all__ = [
    "Stage",
    "chance_values",
    "follow_stage",
    "independent",
    "induct",
    "joint",
    "logit_stage",
    "marginals",
    "stages_of",
]

MEMORY = 200_000_000  # bytes of values that are kept at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The strategic games of one layer's nodes that have the same shape, for several variants.

    Attributes
    ----------
    variants : slice
    nodes : int array, (k,)
    edges : int array, (k, a)
        Joint actions, the last player's choice varying fastest.
    active : tuple of int
        The players that have a choice here.
    shape : tuple of int
        How many actions each of them has.
    q : float array, (v, k, a, i)
        Action values of all players.
    weight : float array, (k, a)
        Joint weights under uniform play.
    """

    variants: slice
    nodes: Ints
    edges: Ints
    active: tuple[int, ...]
    shape: tuple[int, ...]
    q: Floats
    weight: Floats

    @property
    def weights(self) -> list[Floats]:
        """Each active player's own weights, (k, actions), summing to 1."""
        return marginals(self.weight / self.weight.sum(axis=1, keepdims=True), self.shape)

    def tensor(self, player: int) -> Floats:
        """Return a player's action values as a tensor, (v k, a1, …, an)."""
        return self.q[..., player].reshape(-1, *self.shape)


def marginals(share: Floats, shape: tuple[int, ...]) -> list[Floats]:
    """Return each player's own probabilities from joint ones of shape (…, a).

    Examples
    --------
    >>> [own.tolist() for own in marginals(np.array([[0.0, 0.0, 0.25, 0.75]]), (2, 2))]
    [[[0.0, 1.0]], [[0.25, 0.75]]]
    """
    lead = share.shape[:-1]
    tensor = share.reshape(*lead, *shape)
    first = len(lead)
    axes = range(first, first + len(shape))
    return [tensor.sum(axis=tuple(other for other in axes if other != axis)) for axis in axes]


def joint(own: list[Floats]) -> Floats:
    """Return joint probabilities from the players' own, the last player's choice varying fastest.

    Examples
    --------
    >>> joint([np.array([[0.5, 0.5]]), np.array([[0.25, 0.75]])])
    array([[0.125, 0.375, 0.125, 0.375]])
    """
    out = own[0]
    for one in own[1:]:
        out = (out[..., :, None] * one[..., None, :]).reshape(*out.shape[:-1], -1)
    return out


def _stages(game: Game, layer: int, arrival: Floats, variants: slice) -> Iterator[Stage]:
    """Yield the stages of a layer, one for each shape."""
    graph, numbers = game.graph, game.numbers
    here = graph.nodes(layer)
    shapes, which = np.unique(graph.node_shape[here], axis=0, return_inverse=True)
    for number, shape in enumerate(shapes):
        nodes = (here.start + np.flatnonzero(which.reshape(-1) == number)).astype(np.int32)
        edges = graph.edge_start[nodes][:, None] + np.arange(int(np.prod(shape)), dtype=np.int32)
        q = numbers.pay[variants][:, graph.edge_pay[edges]] + arrival[:, graph.edge_dst[edges]]
        active = tuple(int(i) for i in np.flatnonzero(shape > 1))
        yield Stage(
            variants=variants,
            nodes=nodes,
            edges=edges.astype(np.int32),
            active=active,
            shape=tuple(int(shape[i]) for i in active),
            q=q,
            weight=graph.edge_weight[edges],
        )


def _arrive(game: Game, layer: int, arrival: Floats, value: Floats, nodes: Any, variants: slice) -> None:
    """Turn values at nodes into values on arrival there."""
    graph, numbers = game.graph, game.numbers
    if graph.layer_boundary[layer]:
        paid = numbers.reward[variants][:, graph.node_reward[nodes]]
        value = paid + numbers.discount[variants][:, None, :] * value
    arrival[:, nodes] = value


def _segments(game: Game) -> Iterator[tuple[int, int, int]]:
    """Yield runs of layers, the last first: the first layer, one past the last, and their kind (0 for those that a kernel plays)."""
    apart = (SIMULTANEOUS, RETURN) if game.numbers.prospect is None else (SIMULTANEOUS, RETURN, CHANCE)
    kinds = [int(kind) if kind in apart else 0 for kind in game.graph.layer_player]
    top = len(kinds)
    while top:
        bottom = top - 1
        while not kinds[top - 1] and bottom and not kinds[bottom - 1]:
            bottom -= 1
        yield bottom, top, kinds[top - 1]
        top = bottom


def chance_values(game: Game, layer: int, q: Floats, variants: slice = slice(None)) -> Floats:
    """Return what the chance nodes of a layer are worth: expectations, and certainty equivalents for players of prospect theory.

    Parameters
    ----------
    game, layer, variants
        Where.
    q
        What each edge of the layer is worth to each player, (v, edges, i).

    Returns
    -------
    float array, (v, nodes, i)

    Examples
    --------
    >>> from pathlib import Path
    >>> import sim
    >>> game = sim.compile(sim.load(Path("scenarios/hostage_rescue.toml")))
    >>> layer = int(np.flatnonzero(game.graph.layer_player == CHANCE)[0])
    >>> q = np.zeros((1, game.graph.edges(layer).stop - game.graph.edges(layer).start, 1))
    >>> bool((chance_values(game, layer, q) == 0).all())
    True
    """
    graph, numbers = game.graph, game.numbers
    nodes, edges = graph.nodes(layer), graph.edges(layer)
    share = numbers.prob[variants][:, graph.edge_prob[edges], 1:]
    start = graph.edge_start[nodes] - edges.start
    out = np.add.reduceat(share * q, start, axis=1)
    if numbers.prospect is None:
        return out
    degree = np.diff(graph.edge_start[nodes.start : nodes.stop + 1])
    for i in range(len(graph.players)):
        given = numbers.prospect[variants][:, i, None]
        neutral = (given == 1).all(axis=-1)
        for size in [] if neutral.all() else np.unique(degree):
            some = np.flatnonzero(degree == size)
            at = start[some][:, None] + np.arange(size)
            found = certainty_equivalent(q[:, at, i], share[:, at, i], given)
            out[:, some, i] = np.where(neutral, out[:, some, i], found)
    return out


def induct(
    game: Game,
    kernel: Callable[[int, int, slice, Floats, Floats], None],
    stage: Callable[[Stage], Floats],
    profile: Floats,
    later: Floats | None = None,
    roots: Ints | None = None,
) -> Floats:
    """Go backwards through a game's layers.

    Parameters
    ----------
    game
        Any game.
    kernel
        ``kernel(bottom, top, variants, arrival, profile)`` plays layers ``bottom … top - 1`` at which one player or chance moves, reading and
        writing values on arrival (v, n, i) of these variants.
    stage
        Returns the joint probabilities (v, k, a) of the stages given to it.
    profile
        (v, e), written.
    later
        Values (v, n, i) of the nodes to which a stationary game leads back.
    roots
        Nodes whose values are wanted, in the layers where rounds start; by default none.

    Returns
    -------
    float array, (v, roots, i)
        Their values V, counted from their round.
    """
    graph = game.graph
    nodes, players = graph.node_count, len(graph.players)
    chunk = max(1, MEMORY // (8 * nodes * players))
    homes = np.empty(0, dtype=np.int32) if roots is None else roots
    out = np.empty((game.variants, len(homes), players))
    for first in range(0, game.variants, chunk):
        variants = slice(first, min(first + chunk, game.variants))
        arrival = np.empty((variants.stop - first, nodes, players))
        for bottom, top, kind in _segments(game):
            if not kind:
                kernel(bottom, top, variants, arrival, profile)
                continue
            here = graph.nodes(bottom)
            if kind == CHANCE:
                edges = graph.edges(bottom)
                q = game.numbers.pay[variants][:, graph.edge_pay[edges]] + arrival[:, graph.edge_dst[edges]]
                value = chance_values(game, bottom, q, variants)
                _arrive(game, bottom, arrival, value, np.arange(here.start, here.stop), variants)
                continue
            if kind == RETURN:
                if later is None:
                    raise ValueError("a stationary game needs values to return to")
                span = np.arange(here.start, here.stop)
                _arrive(game, bottom, arrival, later[variants][:, graph.node_return[span]], span, variants)
                continue
            for one in _stages(game, bottom, arrival, variants):
                share = stage(one)
                profile[variants.start : variants.stop, one.edges] = share
                _arrive(game, bottom, arrival, np.einsum("vka,vkai->vki", share, one.q), one.nodes, variants)
        out[variants] = _leave(game, homes, arrival[:, homes], variants)
    return out


def _leave(game: Game, nodes: Ints, arrival: Floats, variants: slice) -> Floats:
    """Turn values on arrival at nodes where a round starts into values there."""
    graph, numbers = game.graph, game.numbers
    if not len(nodes) or not graph.layer_boundary[graph.layer_of(int(nodes[0]))]:
        return arrival
    paid = numbers.reward[variants][:, graph.node_reward[nodes]]
    discount = numbers.discount[variants][:, None, :]
    return np.divide(arrival - paid, discount, out=np.zeros_like(arrival), where=discount > 0)


def independent(game: Game, profile: Floats) -> Floats:
    """Make choices at simultaneous turns independent: each player keeps his own probabilities, (v, e).

    Examples
    --------
    >>> import sim
    >>> from sim.solve.replies import uniform_play
    >>> game = sim.compile(sim.load(sim.template()))
    >>> bool((independent(game, uniform_play(game)) == uniform_play(game)).all())
    True
    """
    graph = game.graph
    if not graph.simultaneous:
        return profile
    out = profile.copy()
    for layer in np.flatnonzero(graph.layer_player == SIMULTANEOUS):
        here = graph.nodes(int(layer))
        shapes, which = np.unique(graph.node_shape[here], axis=0, return_inverse=True)
        for number, shape in enumerate(shapes):
            nodes = here.start + np.flatnonzero(which.reshape(-1) == number)
            edges = graph.edge_start[nodes][:, None] + np.arange(int(np.prod(shape)))
            out[:, edges] = joint(marginals(profile[:, edges], tuple(int(count) for count in shape)))
    return out


def stages_of(game: Game, profile: Floats, variant: int = 0, later: Floats | None = None) -> Iterator[Stage]:
    """Yield all stages of one variant under a profile, the last layer first; ``q`` counts what follows as the profile plays it."""
    from sim.game.referee import node_values

    _, arrival = node_values(game, profile, variant, later)
    for layer in range(game.graph.layer_count - 1, -1, -1):
        if game.graph.layer_player[layer] == SIMULTANEOUS:
            yield from _stages(game, layer, arrival[None], slice(variant, variant + 1))


def follow_stage(stage: Stage, table: Floats, *, target: float = 1.0, regret: float = 0.0) -> list[Floats]:
    """Follow the branches of stages from uniform play.

    Parameters
    ----------
    stage
        The stages, whose weights count.
    table
        What the active players get, scaled, (v k, a, active).
    target, regret
        Until when; see :func:`sim.numerics.branch.follow_branches`.

    Returns
    -------
    list of float arrays, (v k, actions)
        Each active player's own probabilities at the end.
    """
    from sim.numerics.branch import follow_branches

    weight = np.tile(np.concatenate(stage.weights, axis=1), (len(stage.q), 1))
    x, _, _, _ = follow_branches(np.array(stage.shape, dtype=np.int32), table, weight, target=target, regret=regret)
    parts = np.split(np.exp(x[:, :-1]), np.cumsum(stage.shape)[:-1], axis=1)
    return [one / one.sum(axis=1, keepdims=True) for one in parts]


def logit_stage(stage: Stage, precision: Floats) -> tuple[Floats, Floats]:
    """Solve stages by following the branch of logit responses from uniform play.

    Parameters
    ----------
    stage
        The stages.
    precision
        λ of each player, (v, i), of these variants.

    Returns
    -------
    tuple
        Joint probabilities (v, k, a), and for each variant the smallest singular value of the system's Jacobian at the answer (v,).
    """
    v, k = stage.q.shape[:2]
    if not stage.active:
        return np.ones((v, k, 1)), np.ones(v)
    q = stage.q[..., list(stage.active)]
    q = (q - q.mean(axis=2, keepdims=True)) * precision[:, None, None, list(stage.active)]
    table = q.reshape(v * k, -1, len(stage.shape))
    if len(stage.shape) == 1:
        weight = np.tile(stage.weights[0], (v, 1))
        return _softmax(table[..., 0], weight).reshape(v, k, -1), np.ones(v)
    own = follow_stage(stage, table)
    least = _singular(table, own, stage.shape).reshape(v, k).min(axis=1)
    return joint(own).reshape(v, k, -1), least


def _softmax(u: Floats, weight: Floats) -> Floats:
    share = weight * np.exp(u - u.max(axis=1, keepdims=True))
    return share / share.sum(axis=1, keepdims=True)


def _singular(table: Floats, own: list[Floats], shape: tuple[int, ...]) -> Floats:
    """Return the smallest singular value of p - response(p) by p, for each game, (v,)."""
    start = np.concatenate(([0], np.cumsum(shape)))
    size = len(shape)
    jacobian = np.repeat(np.eye(start[-1])[None], len(table), axis=0)
    letters = "abcdefgh"[:size]
    for i in range(size):
        tensor = table[..., i].reshape(-1, *shape)
        spread = own[i][:, :, None] * (np.eye(shape[i])[None] - own[i][:, None, :])
        for j in range(size):
            if j != i:
                rest = [other for other in range(size) if other not in (i, j)]
                spec = ",".join([f"v{letters}", *(f"v{letters[other]}" for other in rest)])
                slope = np.einsum(f"{spec}->v{letters[i]}{letters[j]}", tensor, *(own[other] for other in rest))
                jacobian[:, start[i] : start[i + 1], start[j] : start[j + 1]] -= spread @ slope
    least: Floats = np.linalg.svd(jacobian, compute_uv=False)[:, -1].astype(np.float64)
    return least
