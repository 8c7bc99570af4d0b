r"""What a choice tells about its maker's private type, and what it costs him.

At a decision of a player with private types, :math:`\sigma(a|k)` is how likely type :math:`k` takes action :math:`a` and :math:`\mu` what is believed of him
before. The choice tells :math:`I = \sum_k \mu(k) \sum_a \sigma(a|k) \ln \frac{\sigma(a|k)}{\sum_j \mu(j)\sigma(a|j)}` nats about the type (mutual
information; Shannon 1948). Divided by the entropy of :math:`\mu` it is the *separation index*: 0 where all types play alike (pooling), 1 where the choice
gives the type away (separating).

What an action is worth to a type is split in two. *Sunk* is what it pays its maker at once, the same whatever follows. The rest *follows*, and depends on
how others reply: where it differs widely between replies, hands are tied (Fearon, J. 1997, Journal of Conflict Resolution 41:68-90). What a move
changes in the state, and what the state then pays, belongs to what follows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.errors import OptionError
from sim.game.assessment import sight
from sim.game.graph import CHANCE, SIMULTANEOUS, TERMINAL
from sim.kinds import frozen

if TYPE_CHECKING:
    from sim.game.assessment import Sight
    from sim.game.graph import EdgeLabel, Game
    from sim.game.histories import Types
    from sim.kinds import Bools, Floats
    from sim.solve.contract import Solution

__all__ = ["Reply", "Signal", "Told", "signal_at"]

CERTAIN = 1e-12  # entropy, in nats, below which nothing is left to tell


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one choice tells: an action, or all actions of a move or group together.

    Attributes
    ----------
    name
        The action's label, or the move or group.
    actions : tuple of int
        Which actions these are.
    probability : float array, (k,)
        How likely each type makes the choice; NaN for types that cannot have come here.
    share
        How likely it is to one who knows no type.
    posterior : float array, (k,)
        What is believed after it: by Bayes' rule, after an unexpected action what the assessment says; NaN where neither tells.
    """

    name: str
    actions: tuple[int, ...]
    probability: Floats
    share: float
    posterior: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What others may answer to one action next, and what that is worth to its maker.

    Attributes
    ----------
    text
        The reply; empty where nobody replies.
    probability : float array, (k,)
        How likely each type takes it to be.
    follows : float array, (k,)
        What follows the action if it is the reply; NaN where the reply cannot come.
    """

    text: str
    probability: Floats
    follows: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """What choices tell at one decision.

    Attributes
    ----------
    player
        Whose decision.
    types : tuple of str
        His types, axis ``k``.
    node, round
        Where.
    prior : float array, (k,)
        What is believed of him before the choice by one who has seen what is public.
    actions, moves, groups : tuples of Told
        What each action tells; each move of several actions; each group.
    information
        Mutual information of type and action, in nats.
    entropy
        Of the belief before, in nats: the most that can be told.
    value : float array, (k, a)
        What each action is worth to each type; NaN where the type cannot take it.
    sunk, follows : float arrays, (k, a)
        Its parts: what the action pays at once, and the rest.
    replies : tuple of tuples of Reply
        For each action what others may answer next.
    labels : tuple of EdgeLabel
        For each action its move and group.

    Examples
    --------
    >>> import sim
    >>> solution = sim.solve(sim.compile(sim.load("scenarios/beer_quiche.toml")), "perfect_bayesian")
    >>> found = signal_at(solution, 0)
    >>> found.types, found.separation, found.actions[1].posterior.round(2), found.sunk[0], found.follows[0]
    (('surly', 'weak'), 0.0, array([0., 1.]), array([1., 0.]), array([2., 0.]))
    """

    player: str
    types: tuple[str, ...]
    node: int
    round: int
    prior: Floats
    actions: tuple[Told, ...]
    moves: tuple[Told, ...]
    groups: tuple[Told, ...]
    information: float
    entropy: float
    value: Floats
    sunk: Floats
    follows: Floats
    replies: tuple[tuple[Reply, ...], ...]
    labels: tuple[EdgeLabel, ...]

    @property
    def bits(self) -> float:
        """Mutual information in bits."""
        return self.information / float(np.log(2.0))

    @property
    def separation(self) -> float:
        """The separation index, from 0 (pooling) to 1 (separating); NaN where the type is known already."""
        return self.information / self.entropy if self.entropy > CERTAIN else float("nan")

    def spread(self) -> Floats:
        """Return how far what follows differs between replies, (k, a): best less worst for the type, NaN where he cannot take the action.

        Replies that nobody makes in the solution count too: hands are tied by what would follow.
        """
        out = np.full(self.value.shape, np.nan)
        for a, replies in enumerate(self.replies):
            table = np.array([one.follows for one in replies])
            for k in np.flatnonzero(~np.isnan(self.value[:, a])).tolist():
                there = table[~np.isnan(table[:, k]), k]
                out[k, a] = np.ptp(there) if len(there) else 0.0
        return out

    def against(self, name: str, other: str) -> tuple[Floats, Floats]:
        """Split what an action costs each type against another one: the part that is sunk, and the part that ties hands.

        Of all replies that either action may meet, sunk is what it costs at least, whatever the reply; tied is how much more it costs under the
        reply under which it costs most. Negative costs are gains.

        Returns
        -------
        tuple of float arrays, (k,)
            NaN where a type cannot take both, or no reply is common to them.

        Examples
        --------
        >>> import sim
        >>> solution = sim.solve(sim.compile(sim.load("scenarios/beer_quiche.toml")), "perfect_bayesian")
        >>> signal_at(solution, 0).against("quiche", "beer")
        (array([ 1., -1.]), array([0., 0.]))
        """
        (a, *_), (b, *_) = self.of(name).actions, self.of(other).actions
        ours, theirs = ({one.text: one.follows for one in self.replies[place]} for place in (a, b))
        common = [text for text in ours if text in theirs]
        rows = [self.sunk[:, b] + theirs[text] - self.sunk[:, a] - ours[text] for text in common]
        table = np.array(rows).reshape(-1, len(self.types))
        least, most = np.full(len(self.types), np.nan), np.full(len(self.types), np.nan)
        for k in range(len(self.types)):
            there = table[~np.isnan(table[:, k]), k]
            if len(there):
                least[k], most[k] = there.min(), there.max()
        return least, most - least

    def of(self, name: str) -> Told:
        """Return what an action, a move or a group tells.

        Examples
        --------
        >>> import sim
        >>> solution = sim.solve(sim.compile(sim.load("scenarios/beer_quiche.toml")), "perfect_bayesian")
        >>> round(signal_at(solution, 0).of("beer").share, 9)
        1.0
        """
        found = [one for one in (*self.actions, *self.moves, *self.groups) if one.name == name]
        if not found:
            known = ", ".join(one.name for one in (*self.actions, *self.moves, *self.groups))
            raise OptionError(f"'{name}' is not a choice of {self.player} there; expected one of {known}")
        return found[0]


def signal_at(solution: Solution, node: int, variant: int = 0) -> Signal:
    """Tell what each choice at a decision says about its maker's type, and what it costs him.

    Parameters
    ----------
    solution
        A solution with private types, certified.
    node
        A node at which one player with several types decides.
    variant
        Which variant.

    Raises
    ------
    OptionError
        Where nobody has private types, or the node is not such a decision.
    NoAnswerError
        If the solution is not certified.

    Examples
    --------
    >>> import sim
    >>> solution = sim.solve(sim.compile(sim.load("scenarios/entry_deterrence.toml")), "perfect_bayesian")
    >>> found = signal_at(solution, 2)
    >>> found.player, found.of("fight").posterior.round(4), round(found.separation, 3)
    ('store', array([0.75, 0.25]), 0.399)
    """
    solution.require()
    game, types, assessment = solution.game, solution.game.types, solution.assessment
    if types is None or assessment is None:
        raise OptionError("nobody has private types here, so that choices tell nothing; hide some (--hidden)")
    mover = _mover(game, types, node)
    seen = sight(types, assessment.belief[variant], variant)
    graph = game.graph
    edges = np.asarray(graph.edges_of(node))
    labels = [graph.labels[graph.edge_label[edge]] for edge in edges.tolist()]
    count = types.count[mover]
    lanes = np.array([int(np.flatnonzero(types.holds(mover, k))[0]) for k in range(count)])
    chosen: Floats = assessment.profile[variant][np.ix_(lanes, edges)]  # (k, a)
    possible = _possible(types, mover, node)
    prior = _about(types, mover, seen.public[node])
    after = np.stack([_posterior(types, mover, seen, int(graph.edge_dst[edge])) for edge in edges.tolist()])
    told = _Told(prior, chosen, possible, after)
    actions = tuple(told.of(label.text, (a,)) for a, label in enumerate(labels))
    costs = _Costs(solution, types, seen, mover, variant)
    able = (types.weight[edges, :count].T > 0) & possible[:, None]
    value, sunk, replies = costs.at(node, edges, able)
    share = prior @ chosen
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(chosen > 0, prior[:, None] * chosen * np.log(chosen / share), 0.0)
        entropy = -float(np.where(prior > 0, prior * np.log(prior), 0.0).sum())
    information = float(np.where(prior[:, None] > 0, terms, 0.0).sum())
    return Signal(
        player=graph.players[mover],
        types=types.names[mover],
        node=node,
        round=int(graph.layer_round[graph.layer_of(node)]),
        prior=frozen(prior),
        actions=actions,
        moves=_together(told, labels, "move"),
        groups=_together(told, labels, "group"),
        information=information if information > CERTAIN else 0.0,
        entropy=max(entropy, 0.0),
        value=frozen(value),
        sunk=frozen(sunk),
        follows=frozen(value - sunk),
        replies=replies,
        labels=tuple(labels),
    )


def _mover(game: Game, types: Types, node: int) -> int:
    """Return who decides at a node, refusing what is not the decision of one player with types."""
    graph = game.graph
    mover = int(graph.layer_player[graph.layer_of(node)])
    if mover == SIMULTANEOUS:
        raise OptionError(
            "several players choose at once there; what one of them tells cannot be split from what the others do"
        )
    if mover < 0 or types.count[mover] == 1:
        who = " and ".join(name for name, count in zip(graph.players, types.count, strict=True) if count > 1)
        what = f"{graph.players[mover]} has no private type" if mover >= 0 else "nobody decides"
        raise OptionError(f"{what} there; ask at a decision of {who} (--player)")
    return mover


def _possible(types: Types, player: int, node: int) -> Bools:
    """Tell which types the guards of past choices leave possible, (k,)."""
    own = int(types.node_class[node, player])
    bits = int(types.class_possible[own]) if own >= 0 else -1
    return np.array([bits >> k & 1 == 1 for k in range(types.count[player])])


def _about(types: Types, player: int, lanes: Floats) -> Floats:
    """Sum a belief over lanes (s,) to one about a player's types, (k,)."""
    return np.bincount(types.lane[:, player], weights=lanes, minlength=types.count[player]).astype(np.float64)


def _posterior(types: Types, player: int, seen: Sight, node: int) -> Floats:
    """Return what the assessment believes at a node; NaN where the types matter no more."""
    if types.node_class[node, player] < 0:
        return np.full(types.count[player], np.nan)
    return _about(types, player, seen.public[node])


@dataclass(frozen=True, slots=True)
class _Told:
    """Works out what choices tell: belief before (k,), strategies (k, a), types that can be here, the assessment's beliefs after (a, k)."""

    prior: Floats
    chosen: Floats
    possible: Bools
    after: Floats

    def of(self, name: str, actions: tuple[int, ...]) -> Told:
        """Add up actions."""
        probability = self.chosen[:, list(actions)].sum(axis=1)
        joint = self.prior * probability
        share = float(joint.sum())
        posterior = joint / share if share > 0 else self.after[actions[0]] if len(actions) == 1 else joint + np.nan
        return Told(
            name=name,
            actions=actions,
            probability=frozen(np.where(self.possible, probability, np.nan)),
            share=share,
            posterior=frozen(posterior),
        )


def _together(told: _Told, labels: list[EdgeLabel], what: str) -> tuple[Told, ...]:
    """Return what moves (or groups) tell; moves of one action tell what that does."""
    names = [str(getattr(label, what)) for label in labels]
    least = 2 if what == "move" else 1
    return tuple(
        told.of(name, tuple(a for a, other in enumerate(names) if other == name))
        for name in dict.fromkeys(names)
        if name and names.count(name) >= least
    )


@dataclass(slots=True)
class _Flow:
    """Weight that comes to a node, lane by lane (s,): itself, and multiplied by what was gained, and by what later payoffs count."""

    weight: Floats
    gained: Floats
    factor: Floats

    def add(self, other: _Flow) -> None:
        """Add what comes another way."""
        self.weight, self.gained, self.factor = (
            self.weight + other.weight,
            self.gained + other.gained,
            self.factor + other.factor,
        )


class _Costs:
    """Works out what actions are worth to the types of one player, and what others answer."""

    def __init__(self, solution: Solution, types: Types, seen: Sight, mover: int, variant: int) -> None:
        self.graph, self.types, self.seen, self.mover = solution.game.graph, types, seen, mover
        self.layer = self.graph.node_layer()
        rows = slice(variant * types.lanes, (variant + 1) * types.lanes)
        self.numbers = solution.game.numbers.take(rows)
        self.profile = solution.assessment.profile[variant] if solution.assessment else np.empty(0)
        self.arrival = np.stack([solution.lane_values(lane, variant)[1][:, mover] for lane in range(types.lanes)])

    def at(self, node: int, edges: Any, able: Bools) -> tuple[Floats, Floats, tuple[tuple[Reply, ...], ...]]:
        """Return values and sunk parts (k, a), and replies."""
        paid = self.numbers.pay[:, self.graph.edge_pay[edges], self.mover]
        q = paid + self.arrival[:, self.graph.edge_dst[edges]]
        own = self.seen.own[self.mover][node]
        value, sunk = np.full(able.shape, np.nan), np.full(able.shape, np.nan)
        for k in range(len(able)):
            mine = self.types.holds(self.mover, k)
            value[k] = np.where(able[k], own[mine] @ q[mine], np.nan)
            sunk[k] = np.where(able[k], own[mine] @ paid[mine], np.nan)
        return value, sunk, tuple(self.replies(int(edge), own, able[:, a]) for a, edge in enumerate(edges.tolist()))

    def replies(self, edge: int, own: Floats, able: Bools) -> tuple[Reply, ...]:
        """Go on through chance and the mover's own choices to where others reply; return each reply's probability and worth."""
        graph = self.graph
        zero = np.zeros(self.types.lanes)
        found: dict[str, tuple[_Flow, _Flow]] = {}
        waiting = {int(graph.edge_dst[edge]): self.enter(int(graph.edge_dst[edge]), _Flow(own, zero, own))}
        while waiting:
            node = min(waiting)  # edges lead to higher numbers
            flow = waiting.pop(node)
            who = int(graph.layer_player[self.layer[node]])
            if who == TERMINAL:
                self.take(found, "", flow, self.numbers.reward[:, graph.node_final[node, self.mover]], zero + 1.0, own)
                continue
            for step in graph.edges_of(node):
                to = int(graph.edge_dst[step])
                paid = self.numbers.pay[:, graph.edge_pay[step], self.mover]
                if who in (CHANCE, self.mover):
                    column = self.numbers.prob[:, graph.edge_prob[step], 1 + self.mover]
                    share = column if who == CHANCE else self.profile[:, step]
                    part = _Flow(flow.weight * share, (flow.gained + flow.factor * paid) * share, flow.factor * share)
                    if (part.weight > 0).any():
                        part = self.enter(to, part)
                        waiting[to].add(part) if to in waiting else waiting.update({to: part})
                    continue
                text = graph.labels[graph.edge_label[step]].text
                believed = self.seen.own[self.mover][to]
                self.take(found, text, flow, paid + self.arrival[:, to], self.profile[:, step], believed)
        return tuple(self.reply(text, *flows, able) for text, flows in found.items())

    def enter(self, node: int, flow: _Flow) -> _Flow:
        """Add what is paid on the way into a node."""
        if not self.graph.layer_boundary[self.layer[node]]:
            return flow
        reward = self.numbers.reward[:, self.graph.node_reward[node, self.mover]]
        discount = self.numbers.discount[:, self.mover]
        return _Flow(flow.weight, flow.gained + flow.factor * reward, flow.factor * discount)

    def take(
        self,
        found: dict[str, tuple[_Flow, _Flow]],
        text: str,
        flow: _Flow,
        worth: Floats,
        share: Floats,
        believed: Floats,
    ) -> None:
        """Note a reply: as others make it, and as if they did where they do not, under what is believed after it."""
        made = _Flow(flow.weight * share, (flow.gained + flow.factor * worth) * share, flow.factor)
        with np.errstate(invalid="ignore", divide="ignore"):
            each = np.where(flow.weight > 0, (flow.gained + flow.factor * worth) / flow.weight, 0.0)
        total = np.zeros(self.types.lanes)
        for k in range(self.types.count[self.mover]):  # a way of no weight for a type adds nothing
            mine = self.types.holds(self.mover, k)
            total[mine] = flow.weight[mine].sum()
        weight = np.where(flow.weight > 0, believed, 0.0) * total
        alike = _Flow(weight, weight * each, flow.factor)
        if text in found:
            found[text][0].add(made)
            found[text][1].add(alike)
        else:
            found[text] = (made, alike)

    def reply(self, text: str, made: _Flow, alike: _Flow, able: Bools) -> Reply:
        """Return a reply's probability and worth by type."""
        count = self.types.count[self.mover]
        probability, follows = np.full(count, np.nan), np.full(count, np.nan)
        for k in np.flatnonzero(able).tolist():
            mine = self.types.holds(self.mover, k)
            probability[k] = made.weight[mine].sum()
            flow = made if probability[k] > 0 else alike
            if flow.weight[mine].sum() > 0:
                follows[k] = flow.gained[mine].sum() / flow.weight[mine].sum()
        return Reply(text=text, probability=frozen(probability), follows=frozen(follows))
