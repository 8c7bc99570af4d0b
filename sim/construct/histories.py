"""Public histories: the layered graph of public states, unfolded by what choices reveal about private types.

The unfolding goes layer by layer over whole arrays. Two histories become one node if they share the public state and, for every player,
the sequence of choices that could tell his types apart; that sequence is a *belief class* (see :mod:`sim.game.histories`). A class is
dropped where nothing reads the player's types any more, never because of what an equilibrium happens to do.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.construct.frontier import locate
from sim.errors import ScenarioError
from sim.game.graph import CHANCE, RETURN, SIMULTANEOUS, TERMINAL, Graph
from sim.game.histories import Types
from sim.kinds import frozen

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sim.construct.codec import Codec
    from sim.construct.frontier import LabelSource
    from sim.kinds import Bools, Floats, Ints, Keys
    from sim.scenario.model import Scenario

__all__ = ["Hidden", "unfold"]

MAX_KEY = 2**62


@dataclass(frozen=True, slots=True, kw_only=True)
class Hidden:
    """Which private types are hidden, as the players see them.

    Attributes
    ----------
    privates
        Ids in the order of the file.
    names
        For each player his types' names; one empty text for a player without.
    reads
        For each player the ids that he knows.
    lane : int array, (s, i)
        Each player's type in each combination.
    values
        The number of each private type in each lane, (s,).
    independent
        Whether no joint table ties the types of different players.
    """

    privates: tuple[str, ...]
    names: tuple[tuple[str, ...], ...]
    reads: tuple[frozenset[str], ...]
    lane: Ints
    values: dict[str, Floats]
    independent: bool


@dataclass(slots=True)
class _Layer:
    """The histories of one layer: public nodes (h,), belief classes (h, i + 1), and for each arrival its place among them."""

    public: Keys
    classes: Keys
    first: int
    inverse: Keys


@dataclass(slots=True)
class _Unfolding:
    """One unfolding; use :meth:`run` once."""

    scenario: Scenario
    codec: Codec
    graph: Graph
    sources: tuple[LabelSource, ...]
    able: Keys
    hidden: Hidden
    node_limit: int
    merge: bool
    waiting: dict[int, list[tuple[Keys, Keys]]] = field(default_factory=dict[int, Any])
    class_rows: list[Any] = field(default_factory=list[Any])
    possible: Any = None
    classes: int = 0
    nodes: int = 0

    # -- what the future reads --------------------------------------------------------------------------------------------------------

    def readers(self) -> Bools:
        """Tell for each edge label whose types it reads, (labels, i)."""
        out = np.zeros((len(self.sources), len(self.hidden.reads)), dtype=bool)
        for place, source in enumerate(self.sources):
            holder = source.branch or source.action
            expressions = list(holder.pays.values()) if holder else []
            expressions += [source.action.guard] if source.action else []
            expressions += [source.branch.probability] if source.branch else []
            names = {name for expression in expressions for name in expression.reads}
            out[place] = [bool(names & reads) for reads in self.hidden.reads]
        return out

    def signals(self) -> Bools:
        """Tell which edge labels are outcomes whose probability reads a type, (labels,)."""
        hidden = set(self.hidden.privates)
        return np.array([bool(one.branch and one.branch.probability.reads & hidden) for one in self.sources])

    def payoff_readers(self, *, final: bool) -> Bools:
        """Tell whose types payoffs read, (i,)."""
        names: set[str] = set()
        for player in self.scenario.players:
            if not final or "each_round" in player.final.reads:
                names.update(*(term.reads for term in player.terms.values()))
            if final:
                names |= player.final.reads
        return np.array([bool(names & reads) for reads in self.hidden.reads])

    def future(self) -> Bools:
        """Tell at each public node whose types are read from there on, (n, i)."""
        graph = self.graph
        labels, each, last = self.readers(), self.payoff_readers(final=False), self.payoff_readers(final=True)
        out = np.zeros((graph.node_count, len(graph.players)), dtype=bool)
        for layer in range(graph.layer_count - 1, -1, -1):
            nodes, edges = graph.nodes(layer), graph.edges(layer)
            if graph.layer_player[layer] in (TERMINAL, RETURN):
                out[nodes] = last
            elif edges.stop > edges.start:
                ahead = out[graph.edge_dst[edges]] | labels[graph.edge_label[edges]]
                out[nodes] = np.logical_or.reduceat(ahead, graph.edge_start[nodes] - edges.start, axis=0)
            if layer and graph.layer_boundary[layer]:
                out[nodes] |= each
        typed = np.array([len(one) > 1 for one in self.hidden.names])
        if not self.merge:
            out[:] = True
        if not self.hidden.independent or self.signals().any():
            out |= (out & typed).any(axis=1, keepdims=True)
        return out & typed

    # -- the unfolding ----------------------------------------------------------------------------------------------------------------

    def gather(self, layer: int) -> _Layer | None:
        """Merge what waits for a layer."""
        waiting = self.waiting.pop(layer, [])
        if not waiting:
            return None
        public = np.concatenate([one for one, _ in waiting])
        classes = np.concatenate([one for _, one in waiting])
        key, size = public.astype(np.int64), self.graph.node_count
        for column in classes.T:
            if size * (self.classes + 2) > MAX_KEY:
                key = np.unique(key, return_inverse=True)[1].astype(np.int64)
                size = len(key) + 1
            key = key * (self.classes + 2) + column + 1
            size *= self.classes + 2
        _, places, inverse = np.unique(key, return_index=True, return_inverse=True)
        first = self.nodes
        self.nodes += len(places)
        if self.nodes > self.node_limit:
            self.too_many(layer)
        return _Layer(public[places], classes[places], first, inverse)

    def too_many(self, layer: int) -> None:
        """Stop: there are too many histories."""
        who = [name for name, types in zip(self.graph.players, self.hidden.names, strict=True) if len(types) > 1]
        number = int(self.graph.layer_round[layer])
        what = f"private types make more than {self.node_limit:,} public histories by round {number}"
        what += f", for every choice of {' and '.join(who)} may tell something; the public states are {self.graph.node_count:,}"
        advice = "play fewer rounds (--rounds), start later (--start), hide fewer types (--hidden), or raise the limit (--max-nodes)"
        raise ScenarioError(
            [locate(self.scenario, "private", "too-many-nodes", what, f"at most {self.node_limit:,}", advice)]
        )

    def new_classes(self, player: int, nodes: Keys, actions: Keys, before: Keys, possible: Keys) -> Keys:
        """Open a belief class for each choice; return their numbers."""
        count = len(nodes)
        self.class_rows.append(np.stack([np.full(count, player), nodes, actions, before], axis=1))
        self.possible = np.concatenate([self.possible, possible])
        self.classes += count
        return np.arange(self.classes - count, self.classes)

    def stuck(self, layer: int, here: _Layer, node: int, player: int, missing: int) -> None:
        """Stop: a type has nothing to choose."""
        kind = (missing & -missing).bit_length() - 1
        state = self.codec.show(int(self.graph.node_key[here.public[node]]))
        name = self.graph.players[player]
        what = f"player {name} of type {self.hidden.names[player][kind]} has no available move in round {int(self.graph.layer_round[layer])} at {state}"
        advice = "add a move that this type has there, such as one that changes nothing"
        raise ScenarioError([locate(self.scenario, f"players.{name}", "no-move", what, "at least one", advice)])

    def run(self) -> tuple[Graph, Types]:
        """Unfold the whole game."""
        graph, players = self.graph, len(self.graph.players)
        typed = [i for i, one in enumerate(self.hidden.names) if len(one) > 1]
        future = self.future()
        signals = self.signals()
        start = np.full((len(graph.roots), players + 1), -1, dtype=np.int64)
        self.possible = np.empty(0, np.int64)
        none = np.array([-1])
        for i in typed:
            start[:, i] = self.new_classes(i, none, none, none, np.array([(1 << len(self.hidden.names[i])) - 1]))[0]
        if signals.any():
            start[:, players] = self.new_classes(players, none, none, none, np.array([-1]))[0]
        self.push(graph.roots.astype(np.int64), self.drop(start, graph.roots, future))
        layers: list[_Layer | None] = []
        out: list[dict[str, Any]] = []
        pushed: list[list[tuple[int, int, Any]]] = []
        for layer in range(graph.layer_count):
            here = self.gather(layer)
            layers.append(here)
            pushed.append([])
            if here is not None:
                found, pushed[-1] = self.leave(layer, here, future, signals)
                out.append(found)
        return self.assemble(layers, out, pushed)

    def drop(self, classes: Keys, public: Any, future: Bools) -> Keys:
        """Drop the classes of types that are read no more."""
        out = classes.copy()
        ahead = future[public]
        out[:, :-1][~ahead] = -1
        out[~ahead.any(axis=1), -1] = -1
        return out

    def push(self, public: Keys, classes: Keys) -> list[tuple[int, int, Any]]:
        """Let histories wait for their layers; return for each layer its number, the place of the first, and which they are."""
        layers = np.searchsorted(self.graph.layer_start, public, side="right") - 1
        out: list[tuple[int, int, Any]] = []
        for layer in np.unique(layers).tolist():
            which = np.flatnonzero(layers == layer)
            queue = self.waiting.setdefault(layer, [])
            out.append((layer, sum(len(one) for one, _ in queue), which))
            queue.append((public[which], classes[which]))
        return out

    def leave(self, layer: int, here: _Layer, future: Bools, signals: Bools) -> tuple[dict[str, Any], Any]:
        """Make the edges that leave a layer's histories."""
        graph, mover = self.graph, int(self.graph.layer_player[layer])
        degree = np.diff(graph.edge_start)[here.public].astype(np.int64)
        source = np.repeat(np.arange(len(here.public)), degree)
        start = np.concatenate(([0], np.cumsum(degree)[:-1])) if len(degree) else degree
        action = np.arange(len(source)) - start[source]
        edge = graph.edge_start[here.public].astype(np.int64)[source] + action
        able, own, left = np.full(len(edge), -1, dtype=np.int64), here.classes[:, -1], here.public
        if mover >= 0 and len(self.hidden.names[mover]) > 1:
            own = here.classes[:, mover]
            left = np.where(own >= 0, self.possible[own], (1 << len(self.hidden.names[mover])) - 1)
            able = self.able[edge] & left[source]
            kept = able != 0
            source, action, edge, able = source[kept], action[kept], edge[kept], able[kept]
            degree = np.bincount(source, minlength=len(here.public))
            free = np.zeros(len(degree), dtype=np.int64)
            np.bitwise_or.at(free, source, able)
            if (free != left).any():
                bad = int(np.flatnonzero(free != left)[0])
                self.stuck(layer, here, bad, mover, int(left[bad] & ~free[bad]))
        classes = here.classes[source]
        told = np.flatnonzero(degree > 1)
        if mover >= 0 and len(self.hidden.names[mover]) > 1:
            several = left & (left - 1) != 0
            told = np.flatnonzero((degree > 1) & several & (own >= 0))
            self.reveal(mover, here, told, source, action, able, classes)
        elif mover == SIMULTANEOUS:
            for i, types in enumerate(self.hidden.names):
                if len(types) > 1:
                    acts = graph.edge_action(i)[edge].astype(np.int64)
                    mine = np.flatnonzero((here.classes[:, i] >= 0) & (graph.node_shape[here.public, i] > 1))
                    self.reveal(i, here, mine, source, acts, None, classes)
        elif mover == CHANCE and (here.classes[:, -1] >= 0).any():
            speaks = signals[graph.edge_label[edge]] & (classes[:, -1] >= 0)
            some = np.flatnonzero(speaks)
            if len(some):
                classes[some, -1] = self.new_classes(
                    len(graph.players),
                    here.first + source[some],
                    action[some],
                    classes[some, -1],
                    np.full(len(some), -1),
                )
        public = graph.edge_dst[edge].astype(np.int64)
        pushed = self.push(public, self.drop(classes, public, future)) if len(edge) else []
        return {"degree": degree, "edge": edge, "able": able, "source": source}, pushed

    def reveal(
        self, player: int, here: _Layer, told: Keys, source: Keys, action: Keys, able: Any, classes: Keys
    ) -> None:
        """Open a class for each choice at the nodes where choices can tell types apart."""
        speaks = np.zeros(len(here.public), dtype=bool)
        speaks[told] = True
        some = np.flatnonzero(speaks[source])
        if not len(some):
            return
        width = int(action[some].max()) + 1
        choice = source[some] * width + action[some]
        _, places, inverse = np.unique(choice, return_index=True, return_inverse=True)
        first = some[places]
        before = classes[first, player]
        possible = self.possible[before] if able is None else able[first]
        made = self.new_classes(player, here.first + source[first], action[first], before, possible)
        classes[some, player] = made[inverse]

    def weights(self, edge: Keys, able: Keys, source: Keys) -> Floats:
        """Return the weight of edges for each type of the mover, (e, k)."""
        graph = self.graph
        most = max(len(one) for one in self.hidden.names)
        out = np.repeat(graph.edge_weight[edge][:, None], most, axis=1)
        partly = np.flatnonzero(able != -1)
        if not len(partly):
            return out
        groups = {name: index for index, name in enumerate(dict.fromkeys(label.group for label in graph.labels))}
        group = np.array([groups[label.group] for label in graph.labels])[graph.edge_label[edge]]
        lone = group == groups.get("", -1)
        code = source * (len(groups) + 1) + group
        for k in range(most):
            has = (able >> k) & 1 == 1
            members = np.bincount(code, weights=has, minlength=int(code.max()) + 1)[code]
            share = np.where(lone, 1.0, 1.0 / np.maximum(members, 1.0))
            out[:, k] = np.where(able == -1, out[:, k], np.where(has, share, 0.0))
        return out

    def assemble(
        self, layers: list[_Layer | None], out: list[dict[str, Any]], pushed: list[Any]
    ) -> tuple[Graph, Types]:
        """Put the arrays together."""
        graph = self.graph
        kept = [layer for layer, here in enumerate(layers) if here is not None]
        there = [here for here in layers if here is not None]
        public = np.concatenate([here.public for here in there])
        edge = np.concatenate([one["edge"] for one in out])
        degree = np.concatenate([one["degree"] for one in out])
        dst: list[Any] = []
        for layer, one in zip(kept, out, strict=True):
            part = np.empty(len(one["edge"]), dtype=np.int32)
            for target, first, which in pushed[layer]:
                home = layers[target]
                if home is not None:
                    part[which] = home.first + home.inverse[first : first + len(which)]
            dst.append(part)
        home = layers[int(np.searchsorted(graph.layer_start, graph.roots[0], side="right")) - 1]
        roots = np.arange(len(graph.roots)) if home is None else home.first + home.inverse[: len(graph.roots)]
        unfolded = Graph(
            players=graph.players,
            layer_start=frozen(np.concatenate(([0], np.cumsum([len(one.public) for one in there]))).astype(np.int32)),
            layer_player=frozen(graph.layer_player[kept]),
            layer_round=frozen(graph.layer_round[kept]),
            layer_turn=frozen(graph.layer_turn[kept]),
            layer_boundary=frozen(graph.layer_boundary[kept]),
            edge_start=frozen(np.concatenate(([0], np.cumsum(degree))).astype(np.int32)),
            edge_dst=frozen(np.concatenate(dst)),
            edge_label=frozen(graph.edge_label[edge]),
            edge_weight=frozen(graph.edge_weight[edge]),
            edge_pay=frozen(graph.edge_pay[edge]),
            edge_prob=frozen(graph.edge_prob[edge]),
            node_reward=frozen(graph.node_reward[public]),
            node_final=frozen(graph.node_final[public]),
            node_key=frozen(graph.node_key[public]),
            node_rung=frozen(graph.node_rung[public]),
            node_uncertain=frozen(graph.node_uncertain[public]),
            node_shape=frozen(_shape(graph, public, degree)),
            node_return=frozen(graph.node_return[public]),
            roots=frozen(roots.astype(np.int32)),
            labels=graph.labels,
        )
        rows = np.concatenate(self.class_rows).astype(np.int32) if self.class_rows else np.empty((0, 4), np.int32)
        weight = [self.weights(one["edge"], one["able"], one["source"]) for one in out]
        types = Types(
            names=self.hidden.names,
            privates=self.hidden.privates,
            lane=frozen(self.hidden.lane),
            prior=frozen(np.full((1, len(self.hidden.lane)), np.nan)),
            weight=frozen(np.concatenate(weight)),
            node_class=frozen(np.concatenate([here.classes for here in there]).astype(np.int32)),
            class_player=frozen(rows[:, 0]),
            class_node=frozen(rows[:, 1]),
            class_action=frozen(rows[:, 2]),
            class_before=frozen(rows[:, 3]),
            class_possible=frozen(self.possible),
            independent=self.hidden.independent,
        )
        return unfolded, types


def _shape(graph: Graph, public: Keys, degree: Keys) -> Ints:
    """Return how many actions each player has at each history: fewer than at the public node where some types are ruled out."""
    out = graph.node_shape[public].copy()
    layer = np.searchsorted(graph.layer_start, public, side="right") - 1
    mover = graph.layer_player[layer]
    alone = np.flatnonzero(mover >= 0)
    out[alone, mover[alone]] = degree[alone]
    return out


def unfold(
    scenario: Scenario,
    codec: Codec,
    graph: Graph,
    sources: Iterable[LabelSource],
    able: Keys,
    hidden: Hidden,
    *,
    node_limit: int,
    merge: bool = True,
) -> tuple[Graph, Types]:
    """Unfold a graph of public states into one of public histories.

    Parameters
    ----------
    scenario, codec
        What the graph was made from.
    graph
        The public states, rows of payoffs and probabilities assigned.
    sources
        What each edge label came from.
    able : int array, (e,)
        The types of the mover who may take each edge, as bits.
    hidden
        The private types.
    node_limit
        Stop with an error above this many histories.
    merge
        Drop what was revealed where nothing reads it any more; without, every informative choice is remembered for ever.

    Returns
    -------
    tuple
        The graph of histories, and the types, whose prior is still to be given.
    """
    unfolding = _Unfolding(scenario, codec, graph, tuple(sources), able, hidden, node_limit, merge)
    return unfolding.run()
