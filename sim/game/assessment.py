r"""Assessments: what every type does at every history, and what everybody believes there; and the referee that measures them.

A player's beliefs about another's types follow from likelihoods: the logarithm :math:`\ell_j(k)` says how well the history fits type ``k`` of
player ``j``, up to a constant, and type ``k`` of player ``i`` believes in lane ``s`` with probability proportional to
:math:`p(s)\exp\sum_{j \neq i} \ell_j(s_j)` among the lanes in which he is ``k``. So types that are drawn apart stay apart, nobody learns of one player
from what another does, and all who have seen the same history believe the same of a third: the conditions of perfect Bayesian
equilibrium beyond Bayes' rule (Fudenberg & Tirole 1991, section 8.2, conditions B(i)-B(iv)).

The referee works lane by lane, with the values of ordinary games, and knows nothing of how a solver found its answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.game.graph import CHANCE, SIMULTANEOUS
from sim.game.referee import Measures, node_values
from sim.kinds import frozen

if TYPE_CHECKING:
    from sim.game.graph import Game
    from sim.game.histories import Types
    from sim.kinds import Bools, Floats

__all__ = ["Assessment", "Sight", "measure_assessment", "public_profile", "sight"]

TIE = 1e-9
POSITIVE = 1e-200  # below, a probability that is a product of many counts as zero


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """Strategies and beliefs.

    Attributes
    ----------
    profile : float array, (v, s, e)
        Probability of each edge along each lane; on chance edges its probability there.
    belief : float array, (v, c, k)
        Log likelihood of each type in each belief class, up to a constant; that of lanes in the classes of chance; minus infinity beyond.
    """

    profile: Floats
    belief: Floats

    def take(self, index: slice) -> Assessment:
        """Return the assessment of some of the variants."""
        return Assessment(profile=self.profile[index], belief=self.belief[index])


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What is believed at every node of one variant.

    Attributes
    ----------
    public : float array, (n, s)
        How likely each lane is to one who has seen the history and no type.
    own : tuple of float arrays, (n, s)
        For each player, how likely each lane is to the type that he has in it: rows sum to 1 over the lanes of one type.
    """

    public: Floats
    own: tuple[Floats, ...]


def _normal(logs: Floats) -> Floats:
    """Turn logarithms (…, s) into probabilities; rows without any are NaN."""
    top = logs.max(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore"):
        out = np.exp(logs - top)
        return out / out.sum(axis=-1, keepdims=True)


def _sums(place: Any, rows: Floats, count: int) -> Floats:
    """Add up each row by place, (s, count)."""
    return np.stack([np.bincount(place, weights=row, minlength=count).astype(np.float64) for row in rows])


def _first(*logs: Floats) -> Floats:
    """Normalise each row of the first array in which something is possible there.

    What nobody expected but some type could have done is believed of all such types alike; where that leaves nothing, chance has ruled
    everything out, and what was believed at the start stays.
    """
    out = _normal(logs[0])
    for other in logs[1:]:
        none = np.isnan(out).any(axis=-1)
        if none.any():
            out[none] = _normal(other[none])
    return out


def sight(types: Types, belief: Floats, variant: int = 0) -> Sight:
    """Work out what is believed at every node of one variant.

    Parameters
    ----------
    types
        The types of the game.
    belief : float array, (c, k)
        Log likelihoods of that variant.
    variant
        Whose prior.
    """
    with np.errstate(divide="ignore"):
        prior = np.log(types.prior[variant])
    players = len(types.count)
    told = np.zeros((players + 1, len(types.node_class), types.lanes))
    for j in range(players + 1):
        here = types.node_class[:, j]
        if (here >= 0).any():
            columns = np.arange(types.lanes) if j == players else types.lane[:, j]
            told[j] = np.where(here[:, None] >= 0, belief[np.maximum(here, 0)][:, columns], 0.0)
    everything = told.sum(axis=0)
    public = _first(prior + everything, everything, np.broadcast_to(prior, everything.shape))
    own: list[Floats] = []
    for i, count in enumerate(types.count):
        with np.errstate(invalid="ignore"):
            others = (
                told.sum(axis=0) - told[i] if np.isfinite(told[i]).all() else np.delete(told, i, axis=0).sum(axis=0)
            )
        out = np.zeros_like(public)
        for k in range(count):
            mine = types.holds(i, k)
            base = _conditional(types, prior, i, mine)
            out[:, mine] = _first(base + others[:, mine], others[:, mine], np.broadcast_to(base, others[:, mine].shape))
        own.append(out)
    return Sight(public=public, own=tuple(own))


def _conditional(types: Types, prior: Floats, player: int, mine: Bools) -> Floats:
    """Return log prior of the lanes of one type; of a type that nobody expects, what is believed of the others on average."""
    if np.isfinite(prior[mine]).any():
        return prior[mine]
    others = np.delete(types.lane, player, axis=1)
    _, group = np.unique(others, axis=0, return_inverse=True)
    with np.errstate(divide="ignore"):
        return np.log(np.bincount(group, weights=np.exp(prior))[group[mine]])


class _Judge:
    """Measures one variant."""

    def __init__(
        self, game: Game, types: Types, assessment: Assessment, precision: Floats | None, variant: int
    ) -> None:
        self.game, self.types, self.graph, self.variant = game, types, game.graph, variant
        self.profile = assessment.profile[variant]
        self.belief = assessment.belief[variant]
        self.precision = None if precision is None else precision[variant]
        self.sight = sight(types, self.belief, variant)
        lanes = slice(variant * types.lanes, (variant + 1) * types.lanes)
        self.numbers = game.numbers.take(lanes)
        plain = game.laid_out().take(lanes)
        found = [node_values(plain, self.profile, s) for s in range(types.lanes)]
        self.value = np.stack([one[0] for one in found])  # (s, n, i)
        arrival = np.stack([one[1] for one in found])
        paid = self.numbers.pay[:, self.graph.edge_pay]
        self.q = paid + arrival[:, self.graph.edge_dst]  # (s, e, i)
        self.gain = self.residual = self.bayes = self.error = self.dependence = 0.0
        if not np.isfinite(self.profile).all() or np.isnan(self.belief).any() or (self.belief == np.inf).any():
            self.error = np.inf  # what is no number would pass every comparison
        self.tied: list[int] = []
        self.source: Any = game.graph.edge_source()

    def reach(self) -> Floats:
        """Push probability forward along every lane; (n,)."""
        out = np.zeros((self.types.lanes, self.graph.node_count))
        out[:, self.graph.roots] = 1.0 / len(self.graph.roots)
        for layer in range(self.graph.layer_count):
            edges = self.graph.edges(layer)
            if edges.stop > edges.start:
                flow = out[:, self.source[edges]] * self.profile[:, edges]
                for s in range(self.types.lanes):
                    np.add.at(out[s], self.graph.edge_dst[edges], flow[s])
        return self.types.prior[self.variant] @ out

    def run(self) -> None:
        """Measure everything."""
        graph, types = self.graph, self.types
        for layer in range(graph.layer_count):
            mover = int(graph.layer_player[layer])
            nodes, edges = graph.nodes(layer), graph.edges(layer)
            if edges.stop == edges.start:
                continue
            if mover == CHANCE:
                apart = np.abs(self.profile[:, edges] - self.numbers.prob[:, graph.edge_prob[edges], 0])
                self.error = max(self.error, float(apart.max()))
                continue
            source = self.source[edges] - nodes.start
            if mover == SIMULTANEOUS:
                product = np.ones((types.lanes, edges.stop - edges.start))
                for i in range(len(graph.players)):
                    product *= self.choosers(i, nodes, edges, source)
                self.dependence = max(self.dependence, float(np.abs(product - self.profile[:, edges]).max(initial=0.0)))
            else:
                self.choosers(mover, nodes, edges, source)
        self.check_bayes()

    def choosers(self, i: int, nodes: slice, edges: slice, source: Any) -> Floats:
        """Measure one player at one layer; return his own choice probabilities by edge, (s, e)."""
        graph, types = self.graph, self.types
        size = graph.node_shape[nodes, i]
        place = graph.edge_action(i)[edges]
        start = np.concatenate(([0], np.cumsum(size)))
        action = start[source] + place
        count = int(start[-1])
        share = self.profile[:, edges]
        own = _sums(action, share, count)
        spread = np.ones_like(share)
        np.divide(share, own[:, action], out=spread, where=own[:, action] > 0)
        alone = np.bincount(action, minlength=count)[action] == 1
        spread[:, alone] = 1.0
        if not alone.all():
            spread = self.others(i, nodes, edges, source)
        q = self.q[:, edges, i] * spread
        worth = _sums(action, q, count)  # (s, actions)
        node = np.repeat(np.arange(len(size)), size)
        span = self.numbers.span[:, i].max()
        for k in range(types.count[i]):
            mine = np.flatnonzero(types.holds(i, k))
            possible = self.possible(i, k, nodes)
            able = self.able(k, edges, action, count) & possible[node]
            weight = self.sight.own[i][nodes][:, mine]  # (n, lanes of k)
            value = (weight[node] * worth[mine].T).sum(axis=1)
            strategy = own[mine[0]]
            if len(mine) > 1:
                apart = np.abs(own[mine] - strategy).max(axis=0)[possible[node]]
                self.dependence = max(self.dependence, float(apart.max(initial=0.0)))
            # where his types matter no more, and what is revealed of them is forgotten, they must do the same
            alike = np.abs(own - strategy).max(axis=0)[types.node_class[nodes, i][node] < 0]
            self.dependence = max(self.dependence, float(alike.max(initial=0.0)))
            chosen = (
                possible & (size > 1)
                if self.graph.layer_player[graph.layer_of(nodes.start)] == SIMULTANEOUS
                else possible
            )
            if not chosen.any():
                continue
            bounds = start[:-1][size > 0]
            total = np.add.reduceat(np.where(able, strategy, 0.0), bounds)
            negative = (strategy < 0)[able].any()
            self.error = max(self.error, np.inf if negative else float(np.abs(total - 1.0)[possible].max(initial=0.0)))
            self.error = max(self.error, float(own[mine][:, ~able & possible[node]].max(initial=0.0)))
            best = np.maximum.reduceat(np.where(able, value, -np.inf), bounds)
            mean = np.add.reduceat(np.where(able, strategy * value, 0.0), bounds)
            gain = (best - mean)[possible] / span
            self.gain = max(self.gain, float(gain.max(initial=0.0)))
            tied = np.add.reduceat((able & (value >= best[node] - TIE * span)).astype(float), bounds)
            self.tied += (nodes.start + np.flatnonzero(possible & (tied > 1))).tolist()
            if self.precision is not None:
                weights = self.weights(k, edges, action, count)
                wanted = np.where(
                    able, weights * np.exp(self.precision[i] * np.where(able, value - best[node], 0.0)), 0.0
                )
                scale = np.add.reduceat(wanted, bounds)[node]
                np.divide(wanted, scale, out=wanted, where=scale > 0)
                self.residual = max(self.residual, float(np.abs(wanted - strategy)[able].max(initial=0.0)))
        return own[:, action]

    def others(self, i: int, nodes: slice, edges: slice, source: Any) -> Floats:
        """Return the probability of what the others do, by joint edge, (s, e)."""
        graph = self.graph
        out = np.ones((self.types.lanes, edges.stop - edges.start))
        for j in range(len(graph.players)):
            if j == i:
                continue
            size = graph.node_shape[nodes, j]
            start = np.concatenate(([0], np.cumsum(size)))
            action = start[source] + graph.edge_action(j)[edges]
            own = _sums(action, self.profile[:, edges], int(start[-1]))
            out *= own[:, action]
        return out

    def possible(self, i: int, k: int, nodes: slice) -> Bools:
        """Tell at which nodes a type is possible: no guard of its past choices rules it out."""
        own = self.types.node_class[nodes, i]
        return np.asarray((own < 0) | ((self.types.class_possible[np.maximum(own, 0)] >> k) & 1 == 1))

    def weights(self, k: int, edges: slice, action: Any, count: int) -> Floats:
        """Return the weights of single actions under uniform play, for one type."""
        return np.asarray(np.bincount(action, weights=self.types.weight[edges, k], minlength=count), dtype=np.float64)

    def able(self, k: int, edges: slice, action: Any, count: int) -> Bools:
        """Tell which actions a type may take."""
        return np.asarray(self.weights(k, edges, action, count) > 0)

    def check_bayes(self) -> None:
        """Measure how far each posterior is from Bayes' rule where its denominator is positive, from the prior, and from what guards allow."""
        types = self.types
        self.check_signals()
        for i, count in enumerate(types.count):
            with np.errstate(divide="ignore"):
                base = np.log(types.marginal(i)[self.variant])
            start = np.flatnonzero((types.class_player == i) & (types.class_node < 0))
            self.compare(
                _normal(base + self.belief[start, :count]), np.broadcast_to(_normal(base), (len(start), count))
            )
            made = np.flatnonzero((types.class_player == i) & (types.class_node >= 0))
            if not len(made):
                continue
            n, a, before = types.class_node[made], types.class_action[made], types.class_before[made]
            prior = _first(base + self.belief[before, :count], self.belief[before, :count])
            found = _first(base + self.belief[made, :count], self.belief[made, :count])
            ruled_out = (types.class_possible[made][:, None] >> np.arange(count)) & 1 == 0
            self.compare(np.where(ruled_out, found, 0.0), np.zeros_like(found))
            chosen = np.empty((len(made), count))
            for k in range(count):
                lane = int(np.flatnonzero(types.holds(i, k))[0])
                chosen[:, k] = self.marginal(lane, i, n, a)
            joint = np.where(prior > 0, prior * chosen, 0.0)
            total = joint.sum(axis=1)
            some = np.flatnonzero(~(total <= POSITIVE))
            self.compare(joint[some] / total[some, None], found[some])

    def compare(self, wanted: Floats, found: Floats) -> None:
        """Note the largest distance of posteriors; one that is no number is infinitely far away."""
        apart = np.abs(wanted - found)
        self.bayes = max(self.bayes, float(np.where(np.isnan(apart), np.inf, apart).max(initial=0.0)))

    def check_signals(self) -> None:
        """Measure how far beliefs over lanes are from what chance has signalled."""
        graph, types = self.graph, self.types
        own = np.flatnonzero(types.class_player == len(types.count))
        for c in own.tolist():
            logs, n = self.belief[c, : types.lanes], int(types.class_node[c])
            if n < 0:
                self.compare(_normal(logs), np.full(types.lanes, 1.0 / types.lanes))
                continue
            before = self.belief[types.class_before[c], : types.lanes]
            row = graph.edge_prob[graph.edge_start[n] + types.class_action[c]]
            with np.errstate(divide="ignore"):
                wanted = before + np.log(self.numbers.prob[:, row, 0])
            self.compare(_first(wanted, before), _normal(logs))

    def marginal(self, lane: int, i: int, nodes: Any, actions: Any) -> Floats:
        """Return how likely a player takes an action at a node along a lane."""
        graph = self.graph
        if (graph.node_shape[nodes, i] == np.diff(graph.edge_start)[nodes]).all():
            return self.profile[lane, graph.edge_start[nodes] + actions]
        place = graph.edge_action(i)
        out = np.empty(len(nodes))
        for row, (n, a) in enumerate(zip(nodes.tolist(), actions.tolist(), strict=True)):
            edges = np.asarray(graph.edges_of(n))
            out[row] = self.profile[lane, edges[place[edges] == a]].sum()
        return out


def public_profile(game: Game, assessment: Assessment) -> Floats:
    """Return how likely each edge is to one who has seen the history and no type, (v, e).

    Play under it has the distribution over public histories that the assessment has.
    """
    types = game.types
    if types is None:
        raise TypeError("the game has no private types")
    out = np.empty((game.variants, game.graph.edge_count))
    source = game.graph.edge_source()
    for v in range(game.variants):
        seen = sight(types, assessment.belief[v], v).public
        out[v] = (seen[source].T * assessment.profile[v]).sum(axis=0)
    return out


def measure_assessment(game: Game, assessment: Assessment, precision: Floats | None = None) -> Measures:
    """Measure an assessment.

    Parameters
    ----------
    game
        A game with private types.
    assessment
        What is claimed.
    precision : float array, (v, i), optional
        For logit responses.

    Examples
    --------
    >>> import sim
    >>> solution = sim.solve(sim.compile(sim.load("scenarios/entry_deterrence.toml")), "perfect_bayesian")
    >>> bool(measure_assessment(solution.game, solution.assessment).max_gain[0] < 1e-6)
    True
    """
    types = game.types
    if types is None:
        raise TypeError("the game has no private types")
    rows: list[tuple[float, ...]] = []
    roots: list[Floats] = []
    for v in range(game.variants):
        judge = _Judge(game, types, assessment, precision, v)
        judge.run()
        reached = judge.reach()
        tied = np.unique(judge.tied)
        on_path = int((reached[tied.astype(np.int64)] > 0).sum()) if len(tied) else 0
        rows.append((judge.gain, judge.residual, judge.bayes, judge.error, judge.dependence, len(tied), on_path))
        roots.append(judge.value[:, game.graph.roots].mean(axis=1))
    table = np.array(rows)
    start = np.stack(roots)  # (v, s, i)
    by_type: list[Floats] = []
    for i, count in enumerate(types.count):
        own = np.zeros((game.variants, count))
        for k in range(count):
            mine = types.holds(i, k)
            for v in range(game.variants):
                with np.errstate(divide="ignore"):
                    base = _conditional(types, np.log(types.prior[v]), i, mine)
                own[v, k] = _normal(base) @ start[v, mine, i]
        by_type.append(frozen(own))
    return Measures(
        values=frozen(np.einsum("vs,vsi->vi", types.prior, start)[:, None]),
        type_values=tuple(by_type),
        max_gain=frozen(table[:, 0]),
        residual=frozen(table[:, 1]),
        bayes=frozen(table[:, 2]),
        distribution_error=frozen(table[:, 3]),
        dependence=frozen(table[:, 4]),
        tied_nodes=frozen(table[:, 5].astype(np.int32)),
        tied_on_path=frozen(table[:, 6].astype(np.int32)),
        value_error=frozen(np.zeros(game.variants)),
    )
