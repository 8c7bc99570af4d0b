r"""Compiled games that are sender–receiver games: recognised, answered whole, and written back as assessments of the compiled game.

The form: one player has private types; he chooses once, first; at most one other player then chooses once, having seen the choice; everything else is
forced. Chance may move after the last choice, also with probabilities that read the type: nobody can use what it tells. Forced steps, what
they pay, discounting and chance are integrated into the payoffs of a type, a message and a reply, each under its player's own beliefs.

A choice that a type's guards leave no alternative to is forced as well, after the reply; before it, it would be a message.

Sources: Spence, M. (1973) Quarterly Journal of Economics 87:355-374; Fudenberg, D. & Tirole, J. (1991) Game Theory, section 8.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.errors import NoAnswerError, OptionError
from sim.game.assessment import Assessment
from sim.game.graph import CHANCE, TERMINAL
from sim.game.signalling import SignallingGame
from sim.kinds import frozen
from sim.solve.signalling import SignallingEquilibria, signalling_equilibria

if TYPE_CHECKING:
    from sim.game.graph import Game
    from sim.game.histories import Types
    from sim.game.signalling import SignallingAssessment
    from sim.kinds import Bools, Floats

__all__ = ["MOST_PAIRS", "SenderReceiver", "answered", "assessments", "sender_receiver", "signalling_game"]

MOST_PAIRS = 20_000
"""Pairs of supports up to which a scenario is answered whole when it is solved."""
MOST_NODES = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderReceiver:
    """A compiled game as a sender–receiver game.

    Attributes
    ----------
    game : SignallingGame
        Payoffs are present values at the start.
    sender, receiver : int
        Who; the receiver is -1 if nobody replies.
    node : int
        Where the message is chosen; edges in order are the messages.
    replies : tuple of int
        For each message the node of the reply, -1 where play ends without one. Edges in order are the replies of that message.
    places : tuple of tuples of int
        For each message the numbers of its replies among ``game.reply_names``.

    Examples
    --------
    >>> import sim
    >>> found = sender_receiver(sim.compile(sim.load("scenarios/beer_quiche.toml")))
    >>> found.game.types, found.game.messages, found.game.reply_names
    (('surly', 'weak'), ('beer', 'quiche'), ('duel', 'leave'))
    """

    game: SignallingGame
    sender: int
    receiver: int
    node: int
    replies: tuple[int, ...]
    places: tuple[tuple[int, ...], ...]


class _Reader:
    """Reads one variant of a compiled game as a sender–receiver game."""

    def __init__(self, game: Game, types: Types, sender: int, variant: int) -> None:
        self.graph, self.types, self.sender = game.graph, types, sender
        self.numbers = game.numbers.take(slice(variant * types.lanes, (variant + 1) * types.lanes))
        self.layer = self.graph.node_layer()
        self.settled: dict[int, Floats | None] = {}

    def edges(self, node: int) -> range:
        """Return the edges that leave a node."""
        return self.graph.edges_of(node)

    def forced(self, node: int) -> bool:
        """Tell whether all that come to a node go on in the same way."""
        return len(self.edges(node)) == 1

    def mover(self, node: int) -> int:
        """Return who moves."""
        return int(self.graph.layer_player[self.layer[node]])

    def paid(self, edge: int) -> Floats:
        """Return what an edge pays, lane by lane, (s, i)."""
        return self.numbers.pay[:, self.graph.edge_pay[edge]]

    def arriving(self, node: int) -> tuple[Floats, Floats]:
        """Return what is paid on the way into a node, and what its value counts, each (s, i)."""
        if not self.graph.layer_boundary[self.layer[node]]:
            zero = np.zeros((self.types.lanes, len(self.graph.players)))
            return zero, zero + 1.0
        return self.numbers.reward[:, self.graph.node_reward[node]], self.numbers.discount

    def value(self, node: int) -> Floats | None:
        """Return what a node is worth if nothing is left to choose, (s, i); None if something is."""
        if node not in self.settled:
            self.settled[node] = self._value(node)
        return self.settled[node]

    def _value(self, node: int) -> Floats | None:
        """Work out the value of a node."""
        if self.mover(node) == TERMINAL:
            return np.asarray(self.numbers.reward[:, self.graph.node_final[node]])
        able = self.able(node)
        if self.mover(node) != CHANCE and (able.sum(axis=1) > 1).any():
            return None
        out = np.zeros((self.types.lanes, len(self.graph.players)))
        for place, edge in enumerate(self.edges(node)):
            q = self.worth(edge)
            if q is None:
                return None
            if self.mover(node) == CHANCE:
                out += self.numbers.prob[:, self.graph.edge_prob[edge], 1:] * q
            else:
                out += np.where(able[:, place : place + 1], q, 0.0)
        return out

    def worth(self, edge: int) -> Floats | None:
        """Return what an edge is worth if nothing is left to choose after it, (s, i)."""
        node = int(self.graph.edge_dst[edge])
        value = self.value(node)
        if value is None:
            return None
        reward, factor = self.arriving(node)
        return self.paid(edge) + reward + factor * value

    def able(self, node: int) -> Bools:
        """Tell in which lanes an edge can be taken, (s, edges); at a player's node of one edge everybody who comes takes it."""
        edges = np.asarray(self.edges(node))
        if self.mover(node) != self.sender:
            return np.ones((self.types.lanes, len(edges)), dtype=bool)
        return np.asarray(self.types.weight[edges][:, self.types.lane[:, self.sender]].T > 0)

    def ahead(self, edge: int) -> tuple[int, Floats, Floats]:
        """Go along an edge and forced steps to a choice; return its node, what was paid, and what its value counts."""
        node = int(self.graph.edge_dst[edge])
        gained = self.paid(edge)
        reward, factor = self.arriving(node)
        gained = gained + reward
        while self.mover(node) != TERMINAL and self.forced(node):
            (step,) = self.edges(node)
            node = int(self.graph.edge_dst[step])
            reward, discount = self.arriving(node)
            gained = gained + factor * (self.paid(step) + reward)
            factor = factor * discount
        return node, gained, factor


def _fits(game: Game) -> tuple[Types, int] | None:
    """Return the types and the one player who has some; None where a game is surely of another form."""
    types, graph = game.types, game.graph
    if types is None or not graph.plain or len(graph.roots) != 1 or graph.node_count > MOST_NODES:
        return None
    owners = [i for i, count in enumerate(types.count) if count > 1]
    return (types, owners[0]) if len(owners) == 1 else None


def sender_receiver(game: Game, variant: int = 0) -> SenderReceiver | None:
    """Read a compiled game as a sender–receiver game, if it is one.

    Parameters
    ----------
    game
        A compiled game.
    variant
        Which variant.

    Returns
    -------
    SenderReceiver or None
        None for a game of another form: several players with types, several choices in a row, chance before a choice.

    Examples
    --------
    >>> import sim
    >>> sender_receiver(sim.compile(sim.load("scenarios/entry_deterrence.toml"))) is None
    True
    """
    found = _fits(game)
    if found is None:
        return None
    types, sender = found
    reader = _Reader(game, types, sender, variant)
    graph = game.graph
    node = int(graph.roots[0])
    gained, factor = np.zeros((types.lanes, len(graph.players))), np.ones((types.lanes, len(graph.players)))
    if reader.mover(node) != TERMINAL and reader.forced(node):
        (first,) = reader.edges(node)
        node, gained, factor = reader.ahead(first)
    if reader.mover(node) != sender:
        return None
    messages: list[tuple[int, list[tuple[str, Floats]]]] = []
    for edge in reader.edges(node):
        here = _after(reader, edge)
        if here is None:
            return None
        messages.append((here[0], [(text, gained + factor * worth) for text, worth in here[1]]))
    movers = {reader.mover(place) for place, _ in messages if place >= 0}
    if len(movers) > 1:
        return None
    receiver = movers.pop() if movers else -1
    return _put_together(reader, types, variant, (sender, receiver, node), messages)


def _after(reader: _Reader, edge: int) -> tuple[int, list[tuple[str, Floats]]] | None:
    """Return where a message is replied to (-1: nowhere), and each reply's name and worth (s, i); None where the form does not fit."""
    whole = reader.worth(edge)
    if whole is not None:
        return -1, [("", whole)]
    node, gained, factor = reader.ahead(edge)
    if reader.mover(node) < 0 or reader.mover(node) == reader.sender:
        return None
    graph = reader.graph
    out: list[tuple[str, Floats]] = []
    for reply in reader.edges(node):
        worth = reader.worth(reply)
        if worth is None:
            return None
        out.append((graph.labels[graph.edge_label[reply]].text, gained + factor * worth))
    return node, out


def _put_together(
    reader: _Reader, types: Types, variant: int, who: tuple[int, int, int], messages: list[tuple[int, Any]]
) -> SenderReceiver:
    """Make the arrays; lanes are the sender's types."""
    sender, receiver, node = who
    graph = reader.graph
    texts = tuple(dict.fromkeys(text for _, replies in messages for text, _ in replies))
    shape = (types.lanes, len(messages), len(texts))
    pays, other, there = np.zeros(shape), np.zeros(shape), np.zeros(shape[1:], dtype=bool)
    places = tuple(tuple(texts.index(text) for text, _ in replies) for _, replies in messages)
    for m, (_, replies) in enumerate(messages):
        for r, (_, worth) in zip(places[m], replies, strict=True):
            there[m, r] = True
            pays[:, m, r] = worth[:, sender]
            other[:, m, r] = worth[:, receiver] if receiver >= 0 else 0.0
    names = [graph.labels[graph.edge_label[edge]].text for edge in graph.edges_of(node)]
    unlike = tuple(name if names.count(name) == 1 else f"{name} ({place + 1})" for place, name in enumerate(names))
    order = np.argsort(types.lane[:, sender])
    game = SignallingGame.from_arrays(
        types.prior[variant, order],
        pays[order],
        other[order],
        able=reader.able(node)[order],
        replies=there,
        types=types.names[sender],
        messages=unlike,
        reply_names=tuple(text or "(none)" for text in texts),
    )
    return SenderReceiver(
        game=game,
        sender=sender,
        receiver=receiver,
        node=node,
        replies=tuple(place for place, _ in messages),
        places=places,
    )


def signalling_game(game: Game, variant: int = 0) -> SignallingGame | None:
    """Return a compiled game as arrays of types, messages and replies, or None if it has another form; see :func:`sender_receiver`.

    Examples
    --------
    >>> import sim
    >>> signalling_game(sim.compile(sim.load("scenarios/beer_quiche.toml"))).sender[0]
    array([[1., 3.],
           [0., 2.]])
    """
    found = sender_receiver(game, variant)
    return None if found is None else found.game


def assessments(game: Game, form: SenderReceiver, found: SignallingEquilibria) -> tuple[Assessment, ...]:
    """Write equilibria of a sender–receiver game as assessments of the compiled game, of one variant.

    Parameters
    ----------
    game, form
        The compiled game, and how it is a sender–receiver game.
    found
        Its equilibria.

    Examples
    --------
    >>> import sim
    >>> game = sim.compile(sim.load("scenarios/beer_quiche.toml"))
    >>> form = sender_receiver(game)
    >>> one, other = assessments(game, form, signalling_equilibria(form.game))
    >>> one.profile.shape, one.profile[0, 0, :2]
    ((1, 2, 6), array([1., 0.]))
    """
    types = game.types
    if types is None:
        raise TypeError("the game has no private types")
    reader = _Reader(game, types, form.sender, 0)
    return tuple(_written(game, types, reader, form, one.assessment) for one in found)


def _written(game: Game, types: Types, reader: _Reader, form: SenderReceiver, play: SignallingAssessment) -> Assessment:
    """Write one equilibrium."""
    graph = game.graph
    kinds = types.lane[:, form.sender]
    profile = np.zeros((types.lanes, graph.edge_count))
    for node in range(graph.node_count):
        edges = np.asarray(graph.edges_of(node), dtype=np.int64)
        if not len(edges):
            continue
        if reader.mover(node) == CHANCE:
            profile[:, edges] = reader.numbers.prob[:, graph.edge_prob[edges], 0]
            continue
        able = reader.able(node)
        profile[:, edges] = able / np.maximum(able.sum(axis=1, keepdims=True), 1)
    profile[:, np.asarray(graph.edges_of(form.node))] = play.sender[kinds]
    for m, node in enumerate(form.replies):
        if node >= 0:
            profile[:, np.asarray(graph.edges_of(node))] = play.receiver[m, list(form.places[m])]
    return Assessment(profile=frozen(profile[None]), belief=frozen(_beliefs(game, types, form, play, profile)[None]))


def _beliefs(game: Game, types: Types, form: SenderReceiver, play: SignallingAssessment, profile: Floats) -> Floats:
    """Return the log likelihoods of every class, (c, k): the equilibrium's after messages, Bayes' rule's elsewhere."""
    players, lanes = len(types.count), types.lanes
    # as wide as the most types, or all lanes where chance speaks of types
    width = max(*types.count, lanes if (types.class_player == players).any() else 0)
    out = np.full((types.classes, width), -np.inf)
    kinds = types.lane[:, form.sender]
    prior = types.marginal(form.sender)[0]
    with np.errstate(divide="ignore"):
        for c in range(types.classes):
            node, action, before = int(types.class_node[c]), int(types.class_action[c]), int(types.class_before[c])
            count = lanes if types.class_player[c] == players else types.count[int(types.class_player[c])]
            if node < 0:
                out[c, :count] = 0.0
                continue
            if types.class_player[c] == form.sender and node == form.node:
                belief = play.belief[action]
                scale = np.where(prior > 0, prior, 1.0 if (belief[prior > 0] == 0).all() else np.inf)
                out[c, :count] = np.log(belief / scale)
                continue
            edge = int(game.graph.edge_start[node]) + action
            taken = profile[:, edge]
            if types.class_player[c] != players:
                taken = np.array([taken[np.flatnonzero(kinds == k)[0]] for k in range(count)])
            told = out[before, :count] + np.log(taken)
            out[c, :count] = told if np.isfinite(told).any() else np.log(taken)
    return out


def answered(game: Game, limit: int = MOST_PAIRS) -> tuple[SignallingEquilibria, tuple[Assessment, ...]] | None:
    """Answer a compiled game of one variant whole, if it is a sender–receiver game of at most so many pairs of supports.

    Parameters
    ----------
    game
        A compiled game.
    limit
        The most pairs of supports.

    Returns
    -------
    tuple or None
        All its equilibria up to what happens off the path, and each as an assessment, not yet measured.

    Examples
    --------
    >>> import sim
    >>> found, written = answered(sim.compile(sim.load("scenarios/beer_quiche.toml")))
    >>> [one.kind for one in found], len(written)
    (['pooling', 'pooling'], 2)
    """
    form = sender_receiver(game) if game.variants == 1 else None
    if form is None:
        return None
    try:
        found = signalling_equilibria(form.game, limit=limit)
    except (OptionError, NoAnswerError):  # too large, or nothing certified: then only what the search finds is reported
        return None
    return found, assessments(game, form, found)
