"""What the solvers of games with private types share: the flat form of the kernels, and strategies and beliefs made from logarithms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.game.assessment import Assessment
from sim.game.graph import SIMULTANEOUS
from sim.kinds import frozen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sim.game.graph import Game
    from sim.game.histories import Types
    from sim.kinds import Bools, Floats, Ints, Keys

__all__ = [
    "BOLD",
    "GONE",
    "LOGIT",
    "Form",
    "Work",
    "assessment_of",
    "class_beliefs",
    "form_of",
    "normalised",
    "numbers_of",
    "odds",
    "uniform",
]


BOLD = (2.0, 0.2)
"""How far steps along a path may go: at first, and where the path was lost."""
GONE = 60.0
"""Log odds at which the limit of a path takes a type as ruled out."""
LOGIT: tuple[Any, ...] = (frozen(np.zeros(0, dtype=np.bool_)), 0.0)
"""No support: every action is a logit response."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A game with private types as the kernels of :mod:`sim.solve.trembles` take it.

    Unknown ``u`` is one action of one type at one node: nodes in order, at each the players who choose, their types, their actions.

    Attributes
    ----------
    structure
        The arrays that every kernel takes first.
    first : int array, (n + 1,)
        Where the unknowns of each node start.
    weight : float array, (u,)
        Logarithm of the weight under uniform play.
    open : bool array, (u,)
        Whether the type is possible there and may take the action.
    player, kind, node : int arrays, (u,)
        Whose action it is, of which type, and where.
    start : int array, (h + 1,)
        Where the unknowns of each information set start; ``h`` counts the types at the nodes where they choose.
    """

    types: Types
    structure: tuple[Any, ...]
    first: Ints
    weight: Floats
    open: Bools
    player: Ints
    kind: Ints
    node: Ints
    start: Ints

    @property
    def alike(self) -> Ints:
        """For each unknown itself, or the same action of the first type where the player's types matter no more, (u,)."""
        own = self.types.node_class[self.node, self.player]
        size = np.diff(self.start)[self.infoset]
        place = np.arange(self.unknowns)
        return np.where(own < 0, place - self.kind * size, place).astype(np.int32)

    @property
    def unknowns(self) -> int:
        """Number of unknowns u."""
        return int(self.first[-1])

    @property
    def infoset(self) -> Ints:
        """The information set of each unknown, (u,)."""
        return np.repeat(np.arange(len(self.start) - 1, dtype=np.int32), np.diff(self.start))


class Work:
    """The arrays that the kernels write; made once for a game and used for one variant after another."""

    def __init__(self, game: Game, form: Form) -> None:
        nodes, players, lanes = game.graph.node_count, len(game.graph.players), form.types.lanes
        free = sum(count for count in form.types.count if count > 1)
        wide = max(*form.types.count, 1, lanes if (form.types.class_player == players).any() else 0)
        classes = max(1, form.types.classes)
        self.belief = np.zeros((classes, wide))
        self.arrival = np.zeros((nodes, players, lanes))
        self.response = np.zeros((nodes, players * lanes, free + 2))
        self.solved = np.zeros((form.unknowns, free + 2))
        self.error = np.zeros(form.unknowns)
        self.worth = np.zeros(form.unknowns)
        self.moved = np.zeros((classes, wide, 2))
        self.step = np.zeros((form.unknowns, 2))

    @property
    def all(self) -> tuple[Any, ...]:
        """The arrays in the kernels' order."""
        return self.belief, self.arrival, self.response, self.solved, self.error, self.worth, self.moved, self.step


def form_of(game: Game) -> Form:
    """Lay a game with private types out for the kernels.

    Examples
    --------
    >>> import sim
    >>> form = form_of(sim.compile(sim.load("scenarios/entry_deterrence.toml")))
    >>> form.unknowns, len(form.start) - 1
    (78, 44)
    """
    graph, types = game.graph, _types(game)
    count = np.array(types.count, dtype=np.int32)
    players = len(graph.players)
    mover = graph.layer_player[graph.node_layer()]
    chooses, blocks, _ = _blocks(game)
    first = np.concatenate(([0], np.cumsum(blocks.sum(axis=1)))).astype(np.int32)
    node, player = np.nonzero(chooses)
    size = graph.node_shape[node, player]
    per_type = np.repeat(size, count[player])
    owner = np.repeat(np.arange(len(node)), blocks[node, player])
    start = np.concatenate(([0], np.cumsum(per_type))).astype(np.int32)
    within = np.arange(int(first[-1])) - np.repeat(
        np.cumsum(blocks[node, player]) - blocks[node, player], blocks[node, player]
    )
    kind = (within // size[owner]).astype(np.int32)
    action = (within % size[owner]).astype(np.int32)
    weight = np.ones(int(first[-1]))
    alone = mover[node[owner]] >= 0
    edge = graph.edge_start[node[owner][alone]] + action[alone]
    weight[alone] = types.weight[edge, kind[alone]]
    weight[~alone] = _joint_weights(game, node[owner][~alone], player[owner][~alone], action[~alone])
    own = types.node_class[node[owner], player[owner]]
    possible = (own < 0) | ((types.class_possible[own] >> kind) & 1 == 1)
    dead = (weight <= 0) & possible
    opened = (weight > 0) & possible
    placed = np.full(players, -1, dtype=np.int32)
    room = 0
    for i in range(players):
        if count[i] > 1:
            placed[i] = room
            room += int(count[i])
    made = np.where(types.class_node >= 0, graph.node_layer()[np.maximum(types.class_node, 0)] + 1, 0)
    structure = (
        graph.layer_start, graph.layer_player, graph.layer_boundary, graph.edge_start, graph.edge_dst, graph.edge_pay, graph.edge_prob,
        graph.node_reward, graph.node_final, graph.node_shape, types.node_class, types.class_player, types.class_node, types.class_action,
        types.class_before, frozen(np.searchsorted(made, np.arange(graph.layer_count + 1)).astype(np.int32)), types.lane, frozen(placed),
        frozen(count), frozen(first), frozen(opened),
    )  # fmt: skip
    with np.errstate(divide="ignore"):
        logs = np.where(weight > 0, np.log(weight), 0.0)
    logs[dead] = 0.0
    return Form(
        types=types,
        structure=structure,
        first=frozen(first),
        weight=frozen(logs),
        open=frozen(opened),
        player=frozen(player[owner].astype(np.int32)),
        kind=frozen(kind),
        node=frozen(node[owner].astype(np.int32)),
        start=frozen(start),
    )


def _blocks(game: Game) -> tuple[Bools, Keys, Keys]:
    """Return who chooses at each node, how many unknowns each player has there, and where they start, each (n, i)."""
    graph = game.graph
    mover = graph.layer_player[graph.node_layer()][:, None]
    chooses = (mover == np.arange(len(graph.players))) | ((mover == SIMULTANEOUS) & (graph.node_shape > 1))
    blocks = chooses * np.array(_types(game).count) * graph.node_shape
    return chooses, blocks, (np.cumsum(blocks) - blocks.ravel()).reshape(blocks.shape)


def _types(game: Game) -> Types:
    """Return a game's types."""
    if game.types is None:
        raise TypeError("the game has no private types")
    return game.types


def _joint_weights(game: Game, node: Any, player: Any, action: Any) -> Floats:
    """Return the weight of single actions at simultaneous nodes: what the joint actions that hold it weigh together."""
    graph = game.graph
    out = np.zeros(len(node))
    for i in np.unique(player):
        mine = np.flatnonzero(player == i)
        place = graph.edge_action(int(i))
        for u in mine.tolist():
            edges = np.asarray(graph.edges_of(int(node[u])))
            out[u] = graph.edge_weight[edges][place[edges] == action[u]].sum()
    return out


def numbers_of(game: Game, form: Form, variant: int, ratio: Floats, weight: Floats | None = None) -> tuple[Any, ...]:
    """Return the numbers of one variant as the kernels take them: its payoffs and beliefs, weights, and the ratio of precisions (i,)."""
    x, types = game.numbers, form.types
    lanes = slice(variant * types.lanes, (variant + 1) * types.lanes)
    return (
        x.reward[lanes],
        x.pay[lanes],
        np.ascontiguousarray(x.prob[lanes]),
        np.ascontiguousarray(x.discount[lanes.start]),
        conditions(types, variant),
        form.weight if weight is None else frozen(weight),
        frozen(ratio),
    )


def conditions(types: Types, variant: int) -> Floats:
    """Return for each player the logarithm of the prior of the others' types given his own, (i, s).

    A type that is not expected at all believes of the others what is believed of them on average.
    """
    prior = types.prior[variant]
    out = np.zeros((len(types.count), types.lanes))
    for i, count in enumerate(types.count):
        others = np.delete(types.lane, i, axis=1)
        _, group = np.unique(others, axis=0, return_inverse=True)
        for k in range(count):
            mine = types.holds(i, k)
            total = prior[mine].sum()
            if total > 0:
                out[i, mine] = prior[mine] / total
            else:
                out[i, mine] = np.bincount(group, weights=prior)[group[mine]]
    with np.errstate(divide="ignore"):
        return frozen(np.log(out))


def uniform(form: Form) -> Floats:
    """Return the logarithms of weighted uniform play, (u,); minus infinity for what a type may not do."""
    return normalised(form, form.weight)


def normalised(form: Form, logs: Floats) -> Floats:
    """Turn logarithms of weights into those of choice probabilities, (u,); minus infinity for what a type may not do."""
    z = np.full(form.unknowns, -np.inf)
    weights = np.where(form.open, np.exp(logs), 0.0)
    total = np.add.reduceat(weights, form.start[:-1])[form.infoset]
    z[form.open] = np.log(weights[form.open] / total[form.open])
    return z


def assessment_of(game: Game, form: Form, z: Floats, supports: Sequence[Bools | None] = ()) -> Assessment:
    """Turn logarithms of choice probabilities into strategies and beliefs.

    Parameters
    ----------
    game, form
        The game.
    z : float array, (v, u)
        Logarithms of choice probabilities, of trembles outside a support.
    supports : sequence of bool arrays (u,) or None
        For each variant what is played, if that is known: the rest is not, and types whose odds tend to nothing are ruled out.
    """
    graph, types = game.graph, form.types
    share = np.where(form.open, np.exp(z), 0.0)
    for v, inside in enumerate(supports):
        if inside is not None:
            share[v] = np.where(inside, share[v], 0.0)
    total = np.add.reduceat(share, form.start[:-1], axis=1)
    blank = ~np.logical_or.reduceat(form.open, form.start[:-1])
    flat = (1.0 / np.diff(form.start))[form.infoset]
    share = np.where(blank[form.infoset], flat, share / np.where(blank, 1.0, total)[:, form.infoset])
    profile = np.ones((len(z), types.lanes, graph.edge_count))
    mover = graph.layer_player[graph.node_layer()]
    source = graph.edge_source()
    chooses, _, offset = _blocks(game)
    for i in range(len(types.count)):
        edges = np.flatnonzero(chooses[source, i])
        place = graph.edge_action(i)[edges]
        for s in range(types.lanes):
            u = offset[source[edges], i] + types.lane[s, i] * graph.node_shape[source[edges], i] + place
            profile[:, s, edges] *= share[:, u]
    x = game.numbers
    chance = np.flatnonzero((mover < 0)[source] & (mover != SIMULTANEOUS)[source])
    by_lane = x.prob[:, :, 0].reshape(-1, types.lanes, x.prob.shape[1])
    profile[:, :, chance] = by_lane[:, :, graph.edge_prob[chance]]
    belief = class_beliefs(game, form, z)
    for v, inside in enumerate(supports):
        if inside is not None and belief.size:
            belief[v] = np.where(odds(types, belief[v], v) < -GONE, -np.inf, belief[v])
    return Assessment(profile=frozen(profile), belief=frozen(belief))


def odds(types: Types, belief: Floats, variant: int) -> Floats:
    """Return log odds of each type in each class (c, k) against the likeliest one there; 0 for types that nobody expects.

    Types with prior 0 are no measure of the others, and what is believed of them rests on their likelihoods alone.
    """
    players = len(types.count)
    expected = np.zeros((players + 1, belief.shape[1]), dtype=bool)
    weight = np.zeros((players + 1, belief.shape[1]))
    with np.errstate(divide="ignore"):
        for i, count in enumerate(types.count):
            share = np.where(types.marginal(i)[variant] > 0, types.marginal(i)[variant], 0.0)
            expected[i, :count], weight[i, :count] = share > 0, np.log(share)
        lanes = min(types.lanes, belief.shape[1])
        expected[players, :lanes] = types.prior[variant, :lanes] > 0
        weight[players, :lanes] = np.log(types.prior[variant, :lanes])
    here = expected[types.class_player]
    logs = np.where(here, belief + weight[types.class_player], -np.inf)
    top = logs.max(axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):
        return np.where(here & np.isfinite(top), logs - top, 0.0)


def class_beliefs(game: Game, form: Form, z: Floats) -> Floats:
    """Add logarithms up along the belief classes, (v, c, k)."""
    graph, types = game.graph, form.types
    players = len(graph.players)
    wide = max(*types.count, 1, types.lanes if (types.class_player == players).any() else 0)
    size = np.array([*types.count, types.lanes])[types.class_player]
    out = np.where(np.arange(wide) < size[:, None], np.zeros((len(z), 1, 1)), -np.inf)
    made = np.where(types.class_node >= 0, graph.node_layer()[np.maximum(types.class_node, 0)], -1)
    offset = _blocks(game)[2]
    for layer in np.unique(made[made >= 0]):
        for i in range(players + 1):
            c = np.flatnonzero((made == layer) & (types.class_player == i))
            if not len(c):
                continue
            n, a, before = types.class_node[c], types.class_action[c], types.class_before[c]
            if i == players:
                row = graph.edge_prob[graph.edge_start[n] + a]
                chance = game.numbers.prob[:, row, 0].reshape(len(z), types.lanes, len(c)).transpose(0, 2, 1)
                with np.errstate(divide="ignore"):
                    added = out[:, before, : types.lanes] + np.log(chance)
                none = (added == -np.inf).all(axis=2, keepdims=True)
                out[:, c, : types.lanes] = np.where(none, out[:, before, : types.lanes], added)
                continue
            count = types.count[i]
            u = offset[n, i][:, None] + np.arange(count) * graph.node_shape[n, i][:, None] + a[:, None]
            out[:, c, :count] = out[:, before, :count] + np.where(form.open[u], z[:, u], -np.inf)
    return out
