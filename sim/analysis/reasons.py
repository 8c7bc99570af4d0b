r"""Why a move is made: what would follow the best other move, which replies are enough to deter it, and how much slack there is.

At a node, let a be the likeliest action and b another. The *slack* against b is :math:`Q_p(a) - Q_p(b)` for the mover p: while every payoff of p
moves by less than half of it, and the replies stay, b does not become better. The *explanation* is a set of later decisions of the other
players such that b is no better than a even if all their other decisions went as p would like best: pinned one by one where the hoped-for play
first leaves the equilibrium, then thinned out until none can be spared. No set inside it explains the choice; another set may.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.analysis.choices import choices_at, choosers
from sim.analysis.replay import situation
from sim.analysis.unroll import unrolled
from sim.errors import OptionError
from sim.game.graph import CHANCE, SIMULTANEOUS, TERMINAL

if TYPE_CHECKING:
    from sim.game.graph import Game
    from sim.kinds import Bools, Floats
    from sim.solve.contract import Solution

__all__ = ["Pin", "Reason", "Reasons", "reasons"]

MOST_PINS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """One later decision that helps to explain a choice: who takes it where, what is done, and what was hoped for."""

    player: str
    round: int
    state: dict[str, str | int | bool]
    reply: str
    hoped: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why one other move is not made.

    Attributes
    ----------
    action
        The other move.
    slack
        By how much it is worse for the mover.
    hoped
        By how much it would be better than the chosen move if everybody else did what the mover likes best; negative where nothing needs explaining.
    follows
        The likeliest play after it: (round, player, action).
    pins
        The explanation; None if more than 200 decisions would have to be pinned.
    """

    action: str
    slack: float
    hoped: float
    follows: tuple[tuple[int, str, str], ...]
    pins: tuple[Pin, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reasons:
    """Why a move is made: its slack, absolute and in units of the payoff range, and a reason against each other move, the nearest first."""

    player: str
    round: int
    state: dict[str, str | int | bool]
    action: str
    probability: float
    slack: float
    slack_share: float
    others: tuple[Reason, ...]


def reasons(solution: Solution, at: str | int | None = None, player: str = "", variant: int = 0) -> Reasons:
    """Explain a choice.

    Parameters
    ----------
    solution
        A certified solution.
    at, player, variant
        As for :func:`sim.analysis.moves.moves_at`.

    Raises
    ------
    OptionError
        At a simultaneous turn, where no reply follows a single move; and for a player of prospect theory, for whom slack means nothing.

    Examples
    --------
    >>> import sim
    >>> found = reasons(sim.solve(sim.compile(sim.load(sim.template()))))
    >>> found.action, [other.action for other in found.others], found.slack > 0
    ('hold', ['push'], True)
    """
    if solution.game.types is not None:
        raise OptionError(
            "each private type has reasons of its own, which are not told here; leave out --why, or say what is known (--known)"
        )
    where = situation(unrolled(solution), at, player, variant)
    one, node = where.replay.solution, where.node
    graph, codec = one.game.graph, one.game.origin.codec
    layer = graph.layer_of(node)
    if graph.layer_player[layer] == SIMULTANEOUS:
        raise OptionError("several players choose at once there, so that no reply sustains a move; ask sim stages")
    mover = choosers(graph, layer)[0]
    prospect = one.game.numbers.prospect
    if prospect is not None and (prospect[0, mover] != 1).any():
        raise OptionError(
            f"{graph.players[mover]} evaluates chance by prospect theory, under which a payoff that moves by one may move the worth of a gamble by more: "
            "no slack can be told; leave out --why"
        )
    own = choices_at(one, node, mover)
    chosen = int(own.probability.argmax())
    q = own.values[:, mover]
    seeker = _Seeker(one, mover)
    others = [
        seeker.against(
            int(graph.edge_start[node]) + other, own.names[other], float(q[chosen] - q[other]), float(q[chosen])
        )
        for other in np.argsort(-q, kind="stable")
        if other != chosen
    ]
    slack = min((one.slack for one in others), default=float("inf"))
    return Reasons(
        player=graph.players[mover],
        round=int(graph.layer_round[layer]),
        state=codec.labelled(int(graph.node_key[node])),
        action=own.names[chosen],
        probability=float(own.probability[chosen]),
        slack=slack,
        slack_share=slack / float(one.game.numbers.span[0, mover]),
        others=tuple(others),
    )


class _Seeker:
    """Finds what deters one player."""

    def __init__(self, solution: Solution, player: int) -> None:
        self.solution, self.game, self.player = solution, solution.game, player
        self.graph = solution.game.graph
        self.source = self.graph.edge_source()
        self.kinds = self.graph.layer_player[self.graph.node_layer()]
        self.free = (self.kinds >= 0) & (self.kinds != player)

    def hope(self, pinned: Bools) -> tuple[Floats, Floats]:
        """Return the player's values on arrival (n,), and what would be played (e,), if all but pinned decisions went as it likes best."""
        return _hope(self.game, self.solution.profile[0], self.player, pinned | (self.kinds == SIMULTANEOUS))

    def worth(self, edge: int, arrival: Floats) -> float:
        """Return what an edge is worth to the player."""
        return float(
            self.game.numbers.pay[0, self.graph.edge_pay[edge], self.player] + arrival[self.graph.edge_dst[edge]]
        )

    def against(self, edge: int, action: str, slack: float, kept: float) -> Reason:
        """Explain why an action is not taken."""
        tie = 1e-9 * float(self.game.numbers.span[0, self.player])
        pinned = np.zeros(self.graph.node_count, dtype=bool)
        arrival, play = self.hope(pinned)
        hoped = self.worth(edge, arrival) - kept
        wishes: dict[int, int] = {}
        while self.worth(edge, arrival) > kept + tie and len(wishes) <= MOST_PINS:
            found = self.leaves(edge, play, pinned)
            if found is None:
                break
            node, wish = found
            pinned[node] = True
            wishes[node] = wish
            arrival, play = self.hope(pinned)
        explained = self.worth(edge, arrival) <= kept + tie
        if explained:
            for node in list(wishes):  # the last pins may have made earlier ones idle
                pinned[node] = False
                if self.worth(edge, self.hope(pinned)[0]) <= kept + tie:
                    del wishes[node]
                else:
                    pinned[node] = True
        pins = tuple(self.pin(node, wish) for node, wish in sorted(wishes.items())) if explained else None
        return Reason(action=action, slack=slack, hoped=hoped, follows=self.follows(edge), pins=pins)

    def leaves(self, edge: int, play: Floats, pinned: Bools) -> tuple[int, int] | None:
        """Find the likeliest decision, in hoped-for play after an edge, at which it leaves the equilibrium; and what was hoped for there."""
        graph = self.graph
        weight = np.zeros(graph.node_count)
        weight[graph.edge_dst[edge]] = 1.0
        for layer in range(graph.layer_of(int(graph.edge_dst[edge])), graph.layer_count):
            nodes = np.arange(graph.nodes(layer).start, graph.nodes(layer).stop)
            best, wish = -1, -1
            for node in nodes[(weight[nodes] > 0) & self.free[nodes] & ~pinned[nodes]]:
                some = np.asarray(graph.edges_of(int(node)))
                hoped = int(some[play[some].argmax()])
                if self.solution.profile[0, hoped] < 1.0 - 1e-9 and (best < 0 or weight[node] > weight[best]):
                    best, wish = int(node), hoped
            if best >= 0:
                return best, wish
            some = np.arange(graph.edges(layer).start, graph.edges(layer).stop)
            np.add.at(weight, graph.edge_dst[some], weight[self.source[some]] * play[some])
        return None

    def pin(self, node: int, wish: int) -> Pin:
        """Tell about a pinned decision."""
        graph = self.graph
        edges = np.asarray(graph.edges_of(node))
        reply = int(edges[self.solution.profile[0, edges].argmax()])
        layer = graph.layer_of(node)
        return Pin(
            player=graph.players[int(graph.layer_player[layer])],
            round=int(graph.layer_round[layer]),
            state=self.game.origin.codec.labelled(int(graph.node_key[node])),
            reply=graph.labels[graph.edge_label[reply]].text,
            hoped=graph.labels[graph.edge_label[wish]].text,
        )

    def follows(self, edge: int) -> tuple[tuple[int, str, str], ...]:
        """Tell the likeliest play after an edge, step by step."""
        graph = self.graph
        node, out = int(graph.edge_dst[edge]), []
        while graph.edge_start[node] < graph.edge_start[node + 1]:
            edges = np.asarray(graph.edges_of(node))
            best = int(edges[self.solution.profile[0, edges].argmax()])
            label = graph.labels[graph.edge_label[best]]
            if label.text:
                out.append((int(graph.layer_round[graph.layer_of(node)]), label.player or "chance", label.text))
            node = int(graph.edge_dst[best])
        return tuple(out)


def _hope(game: Game, profile: Floats, player: int, pinned: Bools) -> tuple[Floats, Floats]:
    """Go backwards with every decision taken as one player likes best, except where it is pinned to the profile."""
    graph, numbers = game.graph, game.numbers
    arrival = np.zeros(graph.node_count)
    play = np.array(profile)
    for layer in range(graph.layer_count - 1, -1, -1):
        nodes, edges = graph.nodes(layer), graph.edges(layer)
        kind = int(graph.layer_player[layer])
        if kind == TERMINAL:
            value = numbers.reward[0, graph.node_final[nodes, player]]
        else:
            q = numbers.pay[0, graph.edge_pay[edges], player] + arrival[graph.edge_dst[edges]]
            start = (graph.edge_start[nodes] - edges.start).astype(np.int64)
            if kind == CHANCE:
                play[edges] = numbers.prob[0, graph.edge_prob[edges], 1 + player]  # hopes follow one's own beliefs
                value = np.add.reduceat(play[edges] * q, start)
            else:
                value = np.maximum.reduceat(q, start)
                owner: Any = np.repeat(
                    np.arange(nodes.stop - nodes.start), np.diff(graph.edge_start[nodes.start : nodes.stop + 1])
                )
                top = np.flatnonzero(q >= value[owner])
                first = top[np.unique(owner[top], return_index=True)[1]]
                wished = np.zeros(len(q))
                wished[first] = 1.0
                held = pinned[nodes][owner]
                play[edges] = np.where(held, profile[edges], wished)
                value = np.add.reduceat(play[edges] * q, start)
        arrival[nodes] = value
        if graph.layer_boundary[layer]:
            arrival[nodes] = numbers.reward[0, graph.node_reward[nodes, player]] + numbers.discount[0, player] * value
    return arrival, play
