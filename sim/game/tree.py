r"""Game trees with information sets, and their referee, which measures behaviour strategies and never solves.

Nodes are numbered in prefix order: a node stands before everything below it, and its children in the order of its actions. Actions ``a`` of all information
sets stand in one list, chance included; a *behaviour strategy profile* is one probability for each, (a,). What action ``a`` of an information set
:math:`h` of player ``i`` is worth to him, if everybody plays the profile elsewhere, is

.. math:: Q(a) = \sum_{n \in h} \mu(n) V_i(n a), \qquad \mu(n) = \frac{\rho(n)}{\sum_{m \in h} \rho(m)},

with :math:`\rho` the probability of reaching a node. The *one-shot gain* is :math:`\max_a Q(a) - \sum_a \sigma(a) Q(a)`; the *gain* of a player is what
he could earn more by any other strategy, found by dynamic programming over his own information sets, which needs perfect recall.

Sources: Kuhn, H. (1953) Extensive games and the problem of information, in Contributions to the Theory of Games II; von Stengel, B. (1996) Efficient
computation of behavior strategies, Games and Economic Behavior 14:220-246.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.errors import OptionError
from sim.kinds import frozen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sim.kinds import Bools, Floats, Ints

__all__ = [
    "CHANCE",
    "TERMINAL",
    "Infoset",
    "Tree",
    "TreeBuilder",
    "TreeMeasures",
    "measure_tree",
    "optimal_actions",
]

CHANCE = -1
TERMINAL = -2
SUM = 1e-9
TIE = 1e-9
TINY = 1e-290


@dataclass(frozen=True, slots=True, kw_only=True)
class Infoset:
    """An information set: nodes that its player cannot tell apart.

    Attributes
    ----------
    player : int
        Index into the players, or :data:`CHANCE`.
    actions : tuple of str
    label : str
        Its name in the file; may be empty.
    first : int
        Place of its first action in the list of all actions.
    shares : tuple of Fraction
        Exact probabilities; empty but for chance.
    """

    player: int
    actions: tuple[str, ...]
    label: str = ""
    first: int = 0
    shares: tuple[Fraction, ...] = ()

    @property
    def places(self) -> slice:
        """Where its actions stand in the list of all actions."""
        return slice(self.first, self.first + len(self.actions))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tree:
    """A finite game in extensive form; make one with :class:`TreeBuilder` or ``sim.read_game``.

    Attributes
    ----------
    players : tuple of str
    infosets : tuple of Infoset
        Those of chance included, in the order in which they first appear.
    node_infoset : int array, (n,)
        -1 at terminal nodes.
    node_parent : int array, (n,)
        -1 at the root.
    node_action : int array, (n,)
        The action that leads here, its place in the list of all actions; -1 at the root.
    payoffs : float array, (n, i)
        What is paid in all if play ends here; 0 elsewhere.
    title, comment : str
    node_label : tuple of str
        Names of nodes; at terminal nodes, of their outcomes.

    Examples
    --------
    >>> builder = TreeBuilder(("a", "b"))
    >>> builder.node(infoset=builder.infoset(0, ("in", "out")))
    >>> builder.node(payoffs=(1, 2))
    >>> builder.node(payoffs=(0, 3))
    >>> tree = builder.tree()
    >>> tree.node_count, tree.action_count, tree.perfect_information
    (3, 2, True)
    """

    players: tuple[str, ...]
    infosets: tuple[Infoset, ...]
    node_infoset: Ints
    node_parent: Ints
    node_action: Ints
    payoffs: Floats
    title: str = ""
    comment: str = ""
    node_label: tuple[str, ...] = field(default=(), repr=False)

    def __eq__(self, other: object) -> bool:
        """Tell whether two trees are the same, names included."""
        if not isinstance(other, Tree):
            return NotImplemented
        words = ("players", "infosets", "title", "comment", "node_label")
        arrays = ("node_infoset", "node_parent", "node_action", "payoffs")
        return all(getattr(self, name) == getattr(other, name) for name in words) and all(
            np.array_equal(getattr(self, name), getattr(other, name)) for name in arrays
        )

    __hash__ = None  # pyright: ignore[reportAssignmentType]

    @property
    def node_count(self) -> int:
        """Number of nodes n."""
        return len(self.node_parent)

    @property
    def action_count(self) -> int:
        """Number of actions a of all information sets, chance included."""
        return sum(len(one.actions) for one in self.infosets)

    @property
    def node_player(self) -> Ints:
        """Who moves at each node: a player, :data:`CHANCE` or :data:`TERMINAL`; shape (n,)."""
        owner = np.array([*(one.player for one in self.infosets), TERMINAL], dtype=np.int32)
        return owner[self.node_infoset]

    @property
    def action_infoset(self) -> Ints:
        """The information set of each action, (a,)."""
        return np.repeat(np.arange(len(self.infosets), dtype=np.int32), [len(one.actions) for one in self.infosets])

    @property
    def action_player(self) -> Ints:
        """Whose each action is, or :data:`CHANCE`; shape (a,)."""
        return (
            np.array([one.player for one in self.infosets], dtype=np.int32)[self.action_infoset]
            if self.infosets
            else np.zeros(0, np.int32)
        )

    @property
    def chance(self) -> Floats:
        """Chance's probabilities, 0 at the players' actions; shape (a,)."""
        out = np.zeros(self.action_count)
        for one in self.infosets:
            if one.player == CHANCE:
                out[one.places] = [float(share) for share in one.shares]
        return out

    @property
    def terminals(self) -> Ints:
        """The terminal nodes, in order."""
        return np.flatnonzero(self.node_infoset < 0).astype(np.int32)

    @property
    def spans(self) -> Floats:
        """The range of each player's payoffs, 1 where all are equal (up to 1e-290); shape (i,)."""
        span = np.ptp(self.payoffs[self.terminals], axis=0)
        return np.where(span > TINY, span, 1.0)

    @property
    def perfect_information(self) -> bool:
        """Whether every player knows at each of his nodes all that happened."""
        counts = np.bincount(self.node_infoset[self.node_infoset >= 0], minlength=len(self.infosets))
        return all(count <= 1 or one.player == CHANCE for count, one in zip(counts, self.infosets, strict=True))

    def own_before(self) -> Ints:
        """Return the last action that the mover of each node took before, -1 if none; shape (n,)."""
        player, own = self.node_player, self.action_player
        last = np.full((self.node_count, len(self.players) + 1), -1, dtype=np.int32)
        out = np.full(self.node_count, -1, dtype=np.int32)
        for n in range(self.node_count):
            if n:
                last[n] = last[self.node_parent[n]]
                last[n, own[self.node_action[n]]] = self.node_action[n]
            if player[n] >= 0:
                out[n] = last[n, player[n]]
        return out

    def forgetful(self) -> str:
        """Name an information set at which its player does not recall what he did or knew; empty if there is none.

        Examples
        --------
        >>> import sim
        >>> sim.read_game("scenarios/games/selten_horse.efg").forgetful()
        ''
        """
        before = self.own_before()
        first = np.full(len(self.infosets), -2, dtype=np.int64)
        for n, h in enumerate(self.node_infoset.tolist()):
            if h >= 0 and self.infosets[h].player >= 0:
                if first[h] == -2:  # noqa: PLR2004
                    first[h] = before[n]
                elif first[h] != before[n]:
                    return self.name(h)
        return ""

    def absent_minded(self) -> str:
        """Name an information set that a play may enter twice; empty if there is none."""
        for n, h in enumerate(self.node_infoset.tolist()):
            up = int(self.node_parent[n])
            while h >= 0 and up >= 0 and self.infosets[h].player >= 0:
                if self.node_infoset[up] == h:
                    return self.name(h)
                up = int(self.node_parent[up])
        return ""

    def names(self) -> tuple[str, ...]:
        """Name all information sets: by the label if its player has no other of that name, else by player and number among his.

        Examples
        --------
        >>> import sim
        >>> sim.read_game("scenarios/games/stripped_poker.efg").names()
        ('card', 'King', 'Bob:1', 'Queen')
        """
        labels = Counter((one.player, one.label) for one in self.infosets)
        seen: Counter[int] = Counter()
        out: list[str] = []
        for one in self.infosets:
            seen[one.player] += 1
            who = "chance" if one.player == CHANCE else self.players[one.player]
            own = bool(one.label) and labels[one.player, one.label] == 1
            out.append(one.label if own else f"{who}:{seen[one.player]}")
        return tuple(out)

    def name(self, infoset: int) -> str:
        """Name one information set; see :meth:`names`.

        Examples
        --------
        >>> import sim
        >>> sim.read_game("scenarios/games/selten_horse.efg").name(0)
        'Player 1:1'
        """
        return self.names()[infoset]

    def uniform(self) -> Floats:
        """Return uniform play with chance's probabilities, (a,)."""
        out = self.chance
        for one in self.infosets:
            if one.player >= 0:
                out[one.places] = 1.0 / len(one.actions)
        return out


class TreeBuilder:
    """Builds a tree from its nodes in prefix order: after a node comes all that follows its first action, then its second, and so on.

    Parameters
    ----------
    players
        Their names.
    title, comment
        Words about the game.

    Examples
    --------
    >>> pennies = TreeBuilder(("a", "b"))
    >>> first, second = pennies.infoset(0, ("heads", "tails")), pennies.infoset(1, ("heads", "tails"))
    >>> for node in ({"infoset": first}, {"infoset": second}, (1, -1), (-1, 1), {"infoset": second}, (-1, 1), (1, -1)):
    ...     pennies.node(**node) if isinstance(node, dict) else pennies.node(payoffs=node)
    >>> pennies.tree().node_infoset
    array([ 0,  1, -1, -1,  1, -1, -1], dtype=int32)
    """

    def __init__(self, players: tuple[str, ...], *, title: str = "", comment: str = "") -> None:
        if not players or len(set(players)) < len(players):
            raise OptionError(
                f"players are {', '.join(players) or 'nobody'}; expected at least one, each with a name of his own"
            )
        self.players, self.title, self.comment = players, title, comment
        self.infosets: list[Infoset] = []
        self.order: list[int] = []  # information sets as they appear
        self.place: dict[int, int] = {}
        self.where: list[tuple[int, int, int]] = []
        self.paid: list[Sequence[Any]] = []
        self.labels: list[str] = []
        self.open: list[
            tuple[int, int, int, tuple[Fraction, ...]]
        ] = []  # node, its information set, next action, what was paid
        self.nothing: Sequence[Any] = (0.0,) * len(players)

    def infoset(
        self, player: int, actions: tuple[str, ...], *, label: str = "", shares: tuple[Fraction, ...] = ()
    ) -> int:
        """Declare an information set, of a player or of chance, and return its number for :meth:`node`.

        Raises
        ------
        OptionError
            Without actions, with two of one name, or if chance's probabilities do not fit.
        """
        if not actions or len(set(actions)) < len(actions):
            raise OptionError(
                f"actions are {', '.join(actions) or 'missing'}; expected at least one, each with a name of its own"
            )
        if player == CHANCE and (len(shares) != len(actions) or min(shares) < 0 or abs(float(sum(shares)) - 1.0) > SUM):
            told = ", ".join(map(str, shares))
            raise OptionError(
                f"chance has probabilities {told}; expected one for each action, at least 0, with sum 1; write thirds as 1/3"
            )
        self.infosets.append(Infoset(player=player, actions=actions, label=label, shares=shares))
        return len(self.infosets) - 1

    @property
    def complete(self) -> bool:
        """Whether every action leads somewhere."""
        return bool(self.where) and not self.open

    def node(self, *, infoset: int = -1, payoffs: Sequence[Any] = (), label: str = "") -> None:
        """Add the next node; without an information set, play ends there.

        Parameters
        ----------
        infoset
            A number that :meth:`infoset` gave.
        payoffs
            Numbers paid here, exact if they are fractions; what is paid on the way to the end adds up.
        label
            The node's name; at an end, that of the outcome.

        Raises
        ------
        OptionError
            If the tree is complete already, or payoffs do not fit.
        """
        if payoffs and len(payoffs) != len(self.players):
            raise OptionError(f"a node has {len(payoffs)} payoffs; expected {len(self.players)}, one for each player")
        parent, action, gained = -1, -1, ()
        if self.open:
            parent, above, taken, gained = self.open[-1]
            action = self.infosets[above].first + taken
            if taken + 1 == len(self.infosets[above].actions):
                self.open.pop()
            else:
                self.open[-1] = (parent, above, taken + 1, gained)
        elif self.where:
            raise OptionError("a node follows after the end of the tree; expected nothing more")
        if payoffs and gained:
            payoffs = [Fraction(old) + Fraction(new) for old, new in zip(gained, payoffs, strict=True)]
        elif gained:
            payoffs = gained
        number = -1
        if infoset >= 0:
            number = self.place.setdefault(infoset, len(self.order))
            if number == len(self.order):
                before = self.infosets[self.order[-1]] if self.order else None
                first = before.first + len(before.actions) if before else 0
                self.infosets[infoset] = replace(self.infosets[infoset], first=first)
                self.order.append(infoset)
            self.open.append((len(self.where), infoset, 0, tuple(payoffs)))
        self.paid.append(payoffs if number < 0 and payoffs else self.nothing)
        self.where.append((number, parent, action))
        self.labels.append(label)

    def tree(self) -> Tree:
        """Return the tree.

        Raises
        ------
        OptionError
            If an action leads nowhere yet, or a payoff is no finite number.
        """
        if not self.complete:
            raise OptionError("the tree ends too early; expected a node for every action")
        places = np.array(self.where, dtype=np.int32).reshape(-1, 3)
        try:
            payoffs = np.array([[float(x) for x in row] for row in self.paid]).reshape(-1, len(self.players))
        except OverflowError:
            payoffs = np.array([np.inf])
        if not np.isfinite(payoffs).all():
            raise OptionError("payoffs hold a number that no float holds; expected finite numbers")
        return Tree(
            players=self.players,
            infosets=tuple(self.infosets[k] for k in self.order),
            node_infoset=frozen(places[:, 0]),
            node_parent=frozen(places[:, 1]),
            node_action=frozen(places[:, 2]),
            payoffs=frozen(payoffs),
            title=self.title,
            comment=self.comment,
            node_label=tuple(self.labels),
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TreeMeasures:
    """What the referee measured of a behaviour strategy profile.

    Attributes
    ----------
    values : float array, (i,)
        What each player expects.
    node_values : float array, (n, i)
    reach : float array, (n,)
        Probability of each node.
    action_values : float array, (a,)
        Q of each player's action for its player; NaN at information sets of several nodes that are not reached, and at chance.
    one_shot : float
        Largest one-shot gain over the information sets with known Q, in units of the mover's payoff range.
    gains : float array, (i,)
        The most that each player gains by any other strategy, in units of ranges; NaN without perfect recall.
    residual : float
        Largest distance of a probability from the logit response; NaN unless precisions are given.
    distribution_error : float
        Largest distance of an information set's probabilities from summing to 1; infinite if one is negative.
    """

    values: Floats
    node_values: Floats
    reach: Floats
    action_values: Floats
    one_shot: float
    gains: Floats
    residual: float
    distribution_error: float


def _down(tree: Tree, share: Floats) -> Floats:
    """Multiply shares (n,) along the way from the root, (n,)."""
    out = share.copy()
    for n in range(1, tree.node_count):
        out[n] *= out[tree.node_parent[n]]
    return out


def _weights(tree: Tree, profile: Floats, logs: Floats | None) -> Floats:
    """Return each node's weight within its information set, (n,): exact where logarithms are given, NaN where the set is not reached."""
    with np.errstate(divide="ignore"):
        step = np.log(profile) if logs is None else logs
    way = np.zeros(tree.node_count)
    for n in range(1, tree.node_count):
        way[n] = way[tree.node_parent[n]] + step[tree.node_action[n]]
    out = np.ones(tree.node_count)
    members: dict[int, list[int]] = {}
    for n, h in enumerate(tree.node_infoset.tolist()):
        if h >= 0:
            members.setdefault(h, []).append(n)
    for nodes in members.values():
        if len(nodes) > 1:
            top = max(way[nodes])
            if top == -np.inf:
                out[nodes] = np.nan
            else:
                scaled = np.exp(way[nodes] - top)
                out[nodes] = scaled / scaled.sum()
    return out


def _gains(tree: Tree, profile: Floats) -> Floats:
    """Return the best each player can do against the others, by backward induction over his own information sets."""
    own, before = tree.action_player, tree.own_before()
    into = np.concatenate([[1.0], profile[tree.node_action[1:]]])
    best = np.empty(len(tree.players))
    for i in range(len(tree.players)):
        mine = np.concatenate([[False], own[tree.node_action[1:]] == i])
        others = _down(tree, np.where(mine, 1.0, into))
        last = np.full(tree.node_count, -1, dtype=np.int64)
        for n in range(1, tree.node_count):
            last[n] = tree.node_action[n] if mine[n] else last[tree.node_parent[n]]
        ends = tree.terminals
        gathered = np.zeros(tree.action_count + 1)  # the last place: before any own action
        np.add.at(gathered, last[ends], others[ends] * tree.payoffs[ends, i])
        seen = {int(h): int(before[n]) for n, h in reversed(list(enumerate(tree.node_infoset))) if h >= 0}
        for h in range(len(tree.infosets) - 1, -1, -1):
            if tree.infosets[h].player == i:
                gathered[seen[h]] += gathered[tree.infosets[h].places].max()
        best[i] = gathered[-1]
    return best


def measure_tree(
    tree: Tree, profile: Floats, precision: Floats | None = None, logs: Floats | None = None
) -> TreeMeasures:
    """Measure a behaviour strategy profile.

    Parameters
    ----------
    tree
        Any tree.
    profile
        A probability for each action, (a,); those of chance are ignored.
    precision
        λ of each player, (i,): then the distance from logit responses is measured.
    logs
        Logarithms of the profile where they are known better, (a,), so that odds between nodes that are hardly reached keep their meaning.

    Examples
    --------
    >>> import sim
    >>> tree = sim.read_game("scenarios/games/selten_horse.efg")
    >>> found = measure_tree(tree, tree.uniform())
    >>> found.values, found.gains.round(4)
    (array([1.5  , 1.25 , 0.875]), array([0.    , 0.0625, 0.1875]))
    """
    own, chance = tree.action_player, tree.chance
    profile = np.where(own == CHANCE, chance, profile)
    if logs is not None:
        with np.errstate(divide="ignore"):
            logs = np.where(own == CHANCE, np.log(chance), logs)
    into = np.concatenate([[1.0], profile[tree.node_action[1:]]])
    value = tree.payoffs.copy()
    for n in range(tree.node_count - 1, 0, -1):
        value[tree.node_parent[n]] += into[n] * value[n]
    weight = _weights(tree, profile, logs)
    q = np.where(own == CHANCE, np.nan, 0.0)
    for n in range(1, tree.node_count):
        a, up = tree.node_action[n], tree.node_parent[n]
        if own[a] >= 0:
            q[a] += weight[up] * value[n, own[a]]
    spans, one_shot, residual, error = tree.spans, 0.0, 0.0 if precision is not None else np.nan, 0.0
    for one in tree.infosets:
        share = profile[one.places]
        error = max(error, abs(float(share.sum()) - 1.0), 0.0 if (share >= 0).all() else np.inf)
        if one.player >= 0 and not np.isnan(q[one.first]):
            here = q[one.places]
            one_shot = max(one_shot, float(here.max() - here @ share) / float(spans[one.player]))
            if precision is not None:
                wanted = np.exp(precision[one.player] * (here - here.max()))
                residual = max(residual, float(np.abs(wanted / wanted.sum() - share).max()))
    gains = np.full(len(tree.players), np.nan)
    if not tree.forgetful():
        gains = np.maximum(0.0, _gains(tree, profile) - value[0]) / spans
    return TreeMeasures(
        values=frozen(value[0].copy()),
        node_values=frozen(value),
        reach=frozen(_down(tree, into)),
        action_values=frozen(q),
        one_shot=one_shot,
        gains=frozen(gains),
        residual=float(residual),
        distribution_error=error,
    )


def optimal_actions(tree: Tree, measured: TreeMeasures) -> Bools:
    """Tell which actions are best at their information set, ties included (within 1e-9 of the payoff range); shape (a,).

    Examples
    --------
    >>> import sim
    >>> tree = sim.read_game("scenarios/games/selten_horse.efg")
    >>> optimal_actions(tree, measure_tree(tree, tree.uniform()))
    array([ True,  True, False,  True,  True, False])
    """
    out, spans = np.zeros(tree.action_count, dtype=np.bool_), tree.spans
    for one in tree.infosets:
        if one.player >= 0:
            here = measured.action_values[one.places]
            out[one.places] = here >= here.max() - TIE * spans[one.player]
    return out
