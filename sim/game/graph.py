r"""Compiled games: a layered graph of public states as flat read-only arrays.

Nodes are numbered so that every edge leads to a higher number. Nodes of one *layer* share round, turn and mover; their edges are
``edge_start[n] … edge_start[n + 1] - 1``. With value :math:`V_i(n)` counted from the round of node ``n`` (weight 1),

.. math:: Q_i(e) = pay_i(e) + W_i(dst(e)), \qquad
          W_i(m) = \begin{cases} each\_round_i(m) + \delta_i V_i(m) & \text{if a round ends on the way to } m\\ V_i(m) & \text{otherwise.}\end{cases}

A terminal node's value is its final payoff. The structure is compiled once; :class:`Numbers` vary along the variants ``v``.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sim.game.cutoffs import Shocks
    from sim.game.histories import Types
    from sim.kinds import Bools, Floats, Ints, Keys

__all__ = ["CHANCE", "RETURN", "SIMULTANEOUS", "TERMINAL", "EdgeLabel", "Game", "Graph", "Numbers"]

CHANCE = -1
"""Mover of a layer of chance nodes."""
TERMINAL = -2
"""Mover of a layer of terminal nodes."""
SIMULTANEOUS = -3
"""Mover of a layer at which several players choose at once: edges are joint actions, the last player's choice varying fastest."""
RETURN = -4
"""Mover of a layer of a stationary game whose nodes lead back: the value is that of the node ``node_return``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeLabel:
    """What an edge stands for: a player's action, an event's outcome, or an uncertain move's outcome.

    ``move`` and ``player`` are empty for chance; ``text`` is the action's label or ``event/label``. A joint action of a simultaneous
    turn has ``parts``, one for each player, and names nobody itself.
    """

    text: str
    move: str = ""
    player: str = ""
    group: str = ""
    event: str = ""
    parts: tuple[EdgeLabel, ...] = ()

    @property
    def acts(self) -> tuple[EdgeLabel, ...]:
        """The single actions of which it is made: itself, or its parts; none for chance.

        Examples
        --------
        >>> [act.text for act in EdgeLabel(text="a & b", parts=(EdgeLabel(text="a", move="a"), EdgeLabel(text="b", move="b"))).acts]
        ['a', 'b']
        """
        return self.parts or ((self,) if self.move else ())

    def plays(self, name: str, player: str = "") -> bool:
        """Tell whether a move, or a move of a group, is played here, by a player if one is named.

        Examples
        --------
        >>> EdgeLabel(text="hold", move="hold", player="usa").plays("hold", "russia")
        False
        """
        return any(name in (act.move, act.group) and player in ("", act.player) for act in self.acts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """The structure that all variants share.

    Attributes
    ----------
    players : tuple of str
        Axis ``i``.
    layer_start : int array, (l + 1,)
    layer_player : int array, (l,)
        The mover: a player's index, :data:`CHANCE`, :data:`TERMINAL`, :data:`SIMULTANEOUS` or :data:`RETURN`.
    layer_round : int array, (l,)
    layer_turn : int array, (l,)
        The turn of the round, counted from 0; terminal layers have that of the layer before.
    layer_boundary : bool array, (l,)
        Whether a round ends on the way into this layer's nodes.
    edge_start : int array, (n + 1,)
    edge_dst : int array, (e,)
    edge_label : int array, (e,)
        Index into ``labels``.
    edge_weight : float array, (e,)
        Weight under uniform play; the members of a group share one unit. 0 on chance edges.
    edge_pay, edge_prob : int array, (e,)
        Rows of ``Numbers.pay`` and ``Numbers.prob``; row 0 pays nothing and is certain.
    node_reward, node_final : int array, (n, i)
        Columns of ``Numbers.reward`` paid on the way in, and at the end; column 0 is nothing.
    node_key : int array, (n,)
        The state's code; see ``construct.codec``.
    node_rung : float array, (n,)
        Place of the state on the scenario's ladder; 0 without one.
    node_uncertain : bool array, (n,)
        Whether the node is the chance node of an uncertain move, whose state is that before the move.
    node_shape : int array, (n, i)
        How many actions each player has here; 1 for those who do not choose.
    node_return : int array, (n,)
        Where a :data:`RETURN` node leads back to; -1 elsewhere.
    roots : int array
        Nodes at which play may start.
    """

    players: tuple[str, ...]
    layer_start: Ints
    layer_player: Ints
    layer_round: Ints
    layer_turn: Ints
    layer_boundary: Bools
    edge_start: Ints
    edge_dst: Ints
    edge_label: Ints
    edge_weight: Floats
    edge_pay: Ints
    edge_prob: Ints
    node_reward: Ints
    node_final: Ints
    node_key: Keys
    node_rung: Floats
    node_uncertain: Bools
    node_shape: Ints
    node_return: Ints
    roots: Ints
    labels: tuple[EdgeLabel, ...]

    @property
    def node_count(self) -> int:
        """Number of nodes n."""
        return int(self.layer_start[-1])

    @property
    def edge_count(self) -> int:
        """Number of edges e."""
        return int(self.edge_start[-1])

    @property
    def layer_count(self) -> int:
        """Number of layers."""
        return len(self.layer_player)

    def layer_of(self, node: int) -> int:
        """Return the layer of a node."""
        return int(np.searchsorted(self.layer_start, node, side="right")) - 1

    def nodes(self, layer: int) -> slice:
        """Return the nodes of a layer."""
        return slice(int(self.layer_start[layer]), int(self.layer_start[layer + 1]))

    def edges(self, layer: int) -> slice:
        """Return the edges that leave a layer."""
        return slice(int(self.edge_start[self.layer_start[layer]]), int(self.edge_start[self.layer_start[layer + 1]]))

    def edges_of(self, node: int) -> range:
        """Return the edges that leave a node."""
        return range(int(self.edge_start[node]), int(self.edge_start[node + 1]))

    def edge_source(self) -> Ints:
        """Return the node that each edge leaves, shape (e,)."""
        return np.repeat(np.arange(self.node_count, dtype=np.int32), np.diff(self.edge_start))

    def node_layer(self) -> Ints:
        """Return the layer of each node, shape (n,)."""
        return np.repeat(np.arange(self.layer_count, dtype=np.int32), np.diff(self.layer_start))

    @property
    def simultaneous(self) -> bool:
        """Whether several players choose at once somewhere."""
        return bool((self.layer_player == SIMULTANEOUS).any())

    @property
    def stationary(self) -> bool:
        """Whether play goes on for ever: some nodes lead back."""
        return bool((self.layer_player == RETURN).any())

    @property
    def plain(self) -> bool:
        """Whether the game is finite with perfect information: one player moves at a time."""
        return not (self.simultaneous or self.stationary)

    def edge_action(self, player: int) -> Ints:
        """Return which of a player's actions each edge stands for, counted from 0 at each node, shape (e,).

        Edges at which the player does not choose get 0.
        """
        source = self.edge_source()
        place = np.arange(self.edge_count, dtype=np.int64) - self.edge_start[source]
        behind = np.prod(self.node_shape[:, player + 1 :], axis=1, dtype=np.int64)
        return ((place // behind[source]) % self.node_shape[source, player]).astype(np.int32)

    def arrays(self) -> tuple[Any, ...]:
        """List the arrays that every kernel takes, in the order of their signatures."""
        nodes = (self.layer_start, self.layer_player, self.layer_boundary, self.edge_start)
        edges = (self.edge_dst, self.edge_weight, self.edge_pay, self.edge_prob)
        return (*nodes, *edges, self.node_reward, self.node_final)

    @property
    def nbytes(self) -> int:
        """Memory of all arrays, in bytes."""
        arrays = (getattr(self, name) for name in self.__slots__)  # pyright: ignore[reportAttributeAccessIssue]
        return sum(array.nbytes for array in arrays if isinstance(array, np.ndarray))


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """What varies along the variants.

    Attributes
    ----------
    reward : float array, (v, columns)
        Payoffs of states; column 0 is 0.
    pay : float array, (v, rows, i)
        What edges pay; row 0 is 0.
    prob : float array, (v, rows, 1 + i)
        Chance: the modeller's probability, then each player's own; row 0 is 1.
    discount : float array, (v, i)
    span : float array, (v, i)
        The payoff range: an upper bound of the greatest difference between two histories' payoffs, from the spreads of all payoffs.
    prospect : float array, (v, i, 4), or None
        How each player evaluates chance, see :mod:`sim.numerics.prospect`: curvature, loss aversion, and the powers of the weights of gains
        and of losses; all 1 for one who takes expectations, and None if everybody does.
    """

    reward: Floats
    pay: Floats
    prob: Floats
    discount: Floats
    span: Floats
    prospect: Floats | None = None

    @property
    def variants(self) -> int:
        """Number of variants v."""
        return len(self.reward)

    def take(self, index: slice) -> Numbers:
        """Return some of the variants, in one piece of memory as kernels take them."""
        return Numbers(
            reward=np.ascontiguousarray(self.reward[index]),
            pay=np.ascontiguousarray(self.pay[index]),
            prob=np.ascontiguousarray(self.prob[index]),
            discount=np.ascontiguousarray(self.discount[index]),
            span=np.ascontiguousarray(self.span[index]),
            prospect=None if self.prospect is None else np.ascontiguousarray(self.prospect[index]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Game:
    """A compiled game: one structure, one or more variants of its numbers.

    Attributes
    ----------
    graph, numbers
        The structure and what varies.
    assumptions
        The assumptions behind each variant, by name; arrays of length 1 or ``v``.
    origin
        What it was compiled from (``construct.compile.Origin``), or None for a game made by hand.
    types
        Who has private types, and what choices reveal; then ``numbers`` has a row for each lane of each variant.
    shocks
        Private numbers; then the graph is a tree, and ``numbers`` are those at the mean of every private number.

    Examples
    --------
    >>> import sim
    >>> game = sim.compile(sim.load(sim.template()))
    >>> game.graph.node_count, game.graph.edge_count, game.variants
    (11, 11, 1)
    """

    graph: Graph
    numbers: Numbers
    assumptions: Mapping[str, Floats] = field(default_factory=dict[str, Any])
    origin: Any = field(default=None, repr=False, compare=False)
    types: Types | None = field(default=None, repr=False)
    shocks: Shocks | None = field(default=None, repr=False)

    @property
    def variants(self) -> int:
        """Number of variants v."""
        return self.numbers.variants // self.lanes

    @property
    def lanes(self) -> int:
        """Number of combinations of private types s; 1 where nobody has any."""
        return self.types.lanes if self.types else 1

    @property
    def plain(self) -> bool:
        """Whether the game is finite with perfect information, and everybody takes expectations of chance."""
        return self.graph.plain and self.numbers.prospect is None and self.types is None and self.shocks is None

    def take(self, index: slice) -> Game:
        """Return the game with some of its variants, next to each other."""
        assumptions = {name: values if values.size == 1 else values[index] for name, values in self.assumptions.items()}
        first, stop, _ = index.indices(self.variants)
        lanes = slice(first * self.lanes, stop * self.lanes)
        types = self.types.take(slice(first, stop)) if self.types else None
        shocks = self.shocks.take(slice(first, stop)) if self.shocks else None
        return replace(self, numbers=self.numbers.take(lanes), assumptions=assumptions, types=types, shocks=shocks)

    def laid_out(self) -> Game:
        """Return the ordinary game whose variants are the lanes: each combination of types as if all were known.

        Examples
        --------
        >>> import sim
        >>> game = sim.compile(sim.load("scenarios/entry_deterrence.toml"))
        >>> game.variants, game.laid_out().variants
        (1, 2)
        """
        return replace(self, types=None, assumptions={}) if self.types else self

    def repeat(self, count: int) -> Game:
        """Return a game of one variant as a batch of equal ones, for options that differ by variant.

        Examples
        --------
        >>> import sim
        >>> sim.compile(sim.load(sim.template())).repeat(3).variants
        3
        """
        x = self.numbers
        names = ("reward", "pay", "prob", "discount", "span", *(("prospect",) if x.prospect is not None else ()))
        arrays = {name: np.concatenate([getattr(x, name)] * count) for name in names}
        types = replace(self.types, prior=np.concatenate([self.types.prior] * count)) if self.types else None
        shocks = self.shocks.repeat(count) if self.shocks else None
        return replace(self, numbers=Numbers(**arrays), types=types, shocks=shocks)
