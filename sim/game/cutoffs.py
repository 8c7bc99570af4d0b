r"""Games with continuous private shocks to payoffs, and their cut-off equilibria.

A public tree of perfect information. Every player ``i`` draws his shocks :math:`\varepsilon_i = (\varepsilon_{i1}, …, \varepsilon_{id})` at the start,
independently, sees his own alone, and at a terminal node ``z`` is paid

.. math:: u_i(z) = payoff_i(z) + \sum_d loading_{id}(z)\, \varepsilon_{id}.

An equilibrium is told by what others can know: at each decision node ``h`` the share :math:`p(a \mid h)` of the owner's types that take ``a``, among
the types whose own plan takes his own earlier choices on the way to ``h``. Given the others' shares a type compares finitely many plans, each worth
:math:`\alpha + \beta \cdot \varepsilon`; the types that prefer a plan are a convex cell, and where one shock matters an interval: hence *cut-offs*.

Sources: Fearon, J. (1994) Domestic political audiences and the escalation of international disputes, APSR 88:577-592; Signorino, C. (2003) Structure and
uncertainty in discrete choice models, Political Analysis 11:316-344; Lewis, J. & Schultz, K. (2003) Revealing preferences, Political Analysis 11:345-367.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.errors import OptionError, did_you_mean
from sim.game.graph import CHANCE, TERMINAL
from sim.kinds import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sim.kinds import Floats, Ints

__all__ = [
    "MOST_PLANS",
    "REACHED",
    "SHOCKS",
    "TIE",
    "Cutoff",
    "CutoffEquilibrium",
    "CutoffGame",
    "CutoffMeasures",
    "Shock",
    "Shocks",
    "cutoff_game",
    "own_plans",
]

SHOCKS = ("normal", "uniform", "logistic")
"""The distributions of a shock; a kernel knows them by their place here."""
TIE = 1e-9
"""Plans that differ by less, in units of the player's payoff range, tie."""
REACHED = 1e-7
"""A node to which fewer of its owner's types come is judged as unreached."""
MOST_PLANS = 48
SUM = 1e-9
_DEVIATION = {"normal": 1.0, "logistic": np.pi / np.sqrt(3.0)}  # of the standard form


@dataclass(frozen=True, slots=True, kw_only=True)
class Shock:
    """A player's private shock: normal or logistic by mean and standard deviation, uniform between two bounds.

    Raises
    ------
    OptionError
        For an unknown kind, a deviation that is not positive, or bounds out of order.

    Examples
    --------
    >>> Shock().centre, Shock(kind="uniform", low=0.0, high=3.0).spread
    (0.0, 1.5)
    """

    kind: str = "normal"
    mean: float = 0.0
    deviation: float = 1.0
    low: float = -1.0
    high: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what is no distribution."""
        if self.kind not in SHOCKS:
            message = f"a shock is '{self.kind}', which is not known; {did_you_mean(self.kind, SHOCKS)}"
            raise OptionError(message)
        if not (np.isfinite([self.centre, self.spread]).all() and self.spread > 0.0):
            found = f"mean {self.mean}, deviation {self.deviation}, bounds {self.low} and {self.high}"
            message = f"a {self.kind} shock has {found}; expected a finite mean and a deviation above 0, or finite bounds with low < high"
            raise OptionError(message)

    @property
    def centre(self) -> float:
        """The mean."""
        return (self.low + self.high) / 2.0 if self.kind == "uniform" else self.mean

    @property
    def spread(self) -> float:
        """The unit of the standard form: the deviation, half the width, or the logistic scale."""
        return (self.high - self.low) / 2.0 if self.kind == "uniform" else self.deviation / _DEVIATION[self.kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class CutoffGame:
    """A public tree whose players have private shocks to their payoffs. Node 0 is the root; children have higher numbers.

    Attributes
    ----------
    players : tuple of str
        Axis ``i``.
    shocks : tuple of tuples of Shock
        For each player his shocks, axis ``d``; a player may have none.
    node_player : int array, (n,)
        The mover: a player's index, :data:`~sim.game.graph.CHANCE` or :data:`~sim.game.graph.TERMINAL`.
    edge_start : int array, (n + 1,)
        The edges of node ``n`` are ``edge_start[n] … edge_start[n + 1] - 1``.
    edge_dst : int array, (e,)
    edge_prob : float array, (e,)
        Probability of a chance node's edges; not read elsewhere.
    payoff : float array, (n, i)
        Payoffs at terminal nodes, without shocks; 0 elsewhere.
    loading : float array, (n, i, d)
        How much of each of his own shocks a player is paid at a terminal node; 0 elsewhere, and where he has fewer than d shocks.
    edge_label : tuple of str
        Names of the actions.

    Raises
    ------
    OptionError
        If the arrays are not such a tree.

    Examples
    --------
    See :func:`cutoff_game`.
    """

    players: tuple[str, ...]
    shocks: tuple[tuple[Shock, ...], ...]
    node_player: Ints
    edge_start: Ints
    edge_dst: Ints
    edge_prob: Floats
    payoff: Floats
    loading: Floats
    edge_label: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse what is not a tree, and freeze the arrays."""
        for name, kind in (
            ("node_player", np.int32), ("edge_start", np.int32), ("edge_dst", np.int32),
            ("edge_prob", np.float64), ("payoff", np.float64), ("loading", np.float64),
        ):  # fmt: skip
            object.__setattr__(self, name, frozen(np.array(getattr(self, name), dtype=kind)))
        nodes, edges, players = len(self.node_player), len(self.edge_dst), len(self.players)
        most = max((len(own) for own in self.shocks), default=0)
        shapes = {
            "edge_start": (nodes + 1,),
            "edge_prob": (edges,),
            "payoff": (nodes, players),
            "loading": (nodes, players, most),
        }
        for name, shape in shapes.items():
            if getattr(self, name).shape != shape:
                message = f"a cut-off game's {name} has shape {getattr(self, name).shape}; expected {shape}"
                raise OptionError(message)
        if (
            len(self.edge_label) != edges
            or len(self.shocks) != players
            or not np.isfinite([*self.payoff.flat, *self.loading.flat]).all()
        ):
            message = "a cut-off game needs a label for each edge, a tuple of shocks for each player, and finite payoffs and loadings"
            raise OptionError(message)
        for problem in self._problems():
            raise OptionError(problem)

    def _problems(self) -> list[str]:
        """List what is wrong with the tree."""
        sources = self.edge_source()
        out: list[str] = []
        if sorted(self.edge_dst.tolist()) != list(range(1, len(self.node_player))) or (self.edge_dst <= sources).any():
            out.append(
                "a cut-off game's edges are no tree: expected every node but 0 to be led to once, from a lower number"
            )
            return out
        for node, player in enumerate(self.node_player.tolist()):
            own = self.edges_of(node)
            if not TERMINAL <= player < len(self.players) or (player == TERMINAL) != (len(own) == 0):
                out.append(
                    f"node {node} has mover {player} and {len(own)} edges; expected a player, chance ({CHANCE}), or the end ({TERMINAL}) without edges"
                )
            elif player == CHANCE and (
                abs(float(self.edge_prob[own].sum()) - 1.0) > SUM or (self.edge_prob[own] < 0.0).any()
            ):
                out.append(
                    f"the probabilities of chance node {node} are {self.edge_prob[own].tolist()}; expected a distribution"
                )
            elif player != TERMINAL and self.loading[node].any():
                out.append(f"node {node} is not terminal, yet has loadings; put them on the terminal nodes below it")
        for player, own_shocks in enumerate(self.shocks):
            if self.loading[:, player, len(own_shocks) :].any():
                out.append(
                    f"{self.players[player]} has {len(own_shocks)} shocks and a loading on another; give him the shock, or 0"
                )
        return out

    def edges_of(self, node: int) -> range:
        """Return the edges that leave a node."""
        return range(int(self.edge_start[node]), int(self.edge_start[node + 1]))

    def edge_source(self) -> Ints:
        """Return the node that each edge leaves, shape (e,)."""
        return np.repeat(np.arange(len(self.node_player), dtype=np.int32), np.diff(self.edge_start))

    def parent_edge(self) -> Ints:
        """Return the edge that leads to each node, shape (n,); -1 at the root."""
        out = np.full(len(self.node_player), -1, dtype=np.int32)
        out[self.edge_dst] = np.arange(len(self.edge_dst), dtype=np.int32)
        return out

    def own_edge(self) -> Ints:
        """Return the mover's own last choice on the way to each decision node, shape (n,); -1 if it is his first."""
        sources, parents = self.edge_source(), self.parent_edge()
        out = np.full(len(self.node_player), -1, dtype=np.int32)
        for node, player in enumerate(self.node_player.tolist()):
            edge = int(parents[node])
            while player >= 0 and edge >= 0 and self.node_player[sources[edge]] != player:
                edge = int(parents[sources[edge]])
            out[node] = edge if player >= 0 else -1
        return out

    def reach(self, probability: Floats) -> Floats:
        """Return how often each node is reached when edges have these probabilities, shape (n,)."""
        out = np.ones(len(self.node_player))
        for edge, source in enumerate(self.edge_source().tolist()):
            out[self.edge_dst[edge]] = out[source] * probability[edge]
        return out

    def span(self, player: int) -> float:
        """Return a player's payoff range: of his mean payoffs, widened by one spread of every shock at its largest loading; at least 1e-300."""
        ends = self.node_player == TERMINAL
        widths = [
            2.0 * shock.spread * float(np.abs(self.loading[ends, player, d]).max())
            for d, shock in enumerate(self.shocks[player])
        ]
        return max(float(np.ptp(self.payoff[ends, player])) + sum(widths), 1e-300)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutoff:
    """Which types of a player take an edge: those that come to the node with ``lower`` < direction · ε < ``upper``.

    Only where one shock matters, or one combination of normal shocks; ``direction`` has an entry for each of the player's shocks, the largest of which is 1.
    """

    player: int
    node: int
    edge: int
    direction: tuple[float, ...]
    lower: float
    upper: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CutoffMeasures:
    """What the referee found.

    Attributes
    ----------
    residual : float
        The largest distance of a share from what best answers allow, over nodes that are reached.
    node_residual : float array, (n,)
        The same at every node.
    distribution : float
        How far the shares of a node are from a distribution.
    unreached : tuple of int
        Decision nodes to which fewer than :data:`REACHED` of their owner's types come.
    off_path : float
        What the least reluctant type would lose by an action that has a positive share at such a node, in units of the payoff range.
    indifferent : float
        The largest share of the types at a reached node that may choose either.
    payoff : float array, (i,)
        Expected payoffs, each type choosing the best of his plans.
    payoff_error : float
        Distance from the payoffs that the solver reported, in units of the payoff range.
    """

    residual: float
    node_residual: Floats
    distribution: float
    unreached: tuple[int, ...]
    off_path: float
    indifferent: float
    payoff: Floats
    payoff_error: float

    @property
    def worst(self) -> float:
        """The largest of all errors."""
        return max(self.residual, self.distribution, self.off_path, self.payoff_error)


@dataclass(frozen=True, slots=True, kw_only=True)
class CutoffEquilibrium:
    """An equilibrium in cut-offs, as others see it.

    Attributes
    ----------
    probability : float array, (e,)
        At a decision node the share of the owner's types who take the edge, among those that come to the node by their own choices; at a
        chance node its probability.
    reach : float array, (n,)
        How often each node is reached.
    payoff : float array, (i,)
        Expected payoffs before the shocks are drawn.
    cutoffs : tuple of Cutoff
        Which types do what, for players with one shock that matters; empty for others.
    unreached : tuple of int
        Decision nodes to which hardly any type comes; the shares there are those of the types that lose least by coming.
    mixed : bool
        Whether indifferent types divide themselves among actions, so that the shares are not those of a strict threshold.
    index : int
        +1 or -1, the sign of det(1 - response'); over all equilibria these sum to 1. Those of -1 are unstable. 0 if it could not be told.
    measures : CutoffMeasures, optional
        What the referee measured.
    """

    probability: Floats
    reach: Floats
    payoff: Floats
    cutoffs: tuple[Cutoff, ...] = ()
    unreached: tuple[int, ...] = ()
    mixed: bool = False
    index: int = 0
    measures: CutoffMeasures | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shocks:
    """What is private and a number in a compiled game, whose graph is then a tree.

    Attributes
    ----------
    names : tuple of tuples of str
        For each player the ids of what he alone knows, axis ``d``.
    games : tuple of CutoffGame
        The game of each variant; nodes and edges are those of the compiled graph.
    past : float array, (v, n, i)
        What has been paid on the way to each node if all private numbers are 0, as a present value at the start.
    past_loading : float array, (v, n, i, d)
        How much of each of his own numbers has been paid by then.
    weight : float array, (v, n, i)
        What a payoff at the node is worth at the start.

    Examples
    --------
    >>> import sim
    >>> game = sim.compile(sim.load("scenarios/crisis_signalling.toml"))
    >>> game.shocks.privates, len(game.shocks.games)
    (('war_to_a', 'backing_down', 'war_to_b'), 1)
    """

    names: tuple[tuple[str, ...], ...]
    games: tuple[CutoffGame, ...]
    past: Floats
    past_loading: Floats
    weight: Floats

    @property
    def privates(self) -> tuple[str, ...]:
        """All ids, player by player."""
        return tuple(name for own in self.names for name in own)

    def take(self, index: slice) -> Shocks:
        """Return those of some of the variants."""
        arrays = {name: getattr(self, name)[index] for name in ("past", "past_loading", "weight")}
        return replace(self, games=self.games[index], **arrays)

    def repeat(self, count: int) -> Shocks:
        """Return those of one variant as a batch of equal ones."""
        arrays = {name: np.concatenate([getattr(self, name)] * count) for name in ("past", "past_loading", "weight")}
        return replace(self, games=self.games * count, **arrays)


def cutoff_game(players: Sequence[str], shocks: Mapping[str, Sequence[Shock]], tree: Mapping[str, Any]) -> CutoffGame:
    """Make a game of a tree that is written as nested dictionaries.

    Parameters
    ----------
    players
        Their names, axis ``i``.
    shocks
        For each player who has any, his shocks.
    tree
        ``{"player": name, "moves": {label: tree}}``, ``{"chance": {label: (probability, tree)}}``, or at the end
        ``{"payoff": (number, …), "loading": {name: (number, …)}}``; the loading may be left out.

    Raises
    ------
    OptionError
        For unknown players and arrays that are no tree.

    Examples
    --------
    >>> end = {"payoff": (1.0, 0.0), "loading": {"a": (1.0,)}}
    >>> game = cutoff_game(["a", "b"], {"a": [Shock()]}, {"player": "a", "moves": {"stay": {"payoff": (0.0, 2.0)}, "go": end}})
    >>> game.node_player.tolist(), game.edge_label, game.loading[:, 0, 0].tolist()
    ([0, -2, -2], ('stay', 'go'), [0.0, 0.0, 1.0])
    """
    names = list(players)
    for name in shocks:
        _place(names, name)
    own = tuple(tuple(shocks.get(name, ())) for name in names)
    most = max((len(each) for each in own), default=0)
    movers: list[int] = []
    children: list[list[tuple[str, float, int]]] = []
    payoff: list[list[float]] = []
    loading: list[Floats] = []
    waiting: list[Mapping[str, Any]] = [tree]
    while len(movers) < len(waiting):  # breadth first: children get higher numbers
        place = waiting[len(movers)]
        after = place.get("chance") or {label: (1.0, below) for label, below in place.get("moves", {}).items()}
        movers.append(
            CHANCE if "chance" in place else _place(names, place["player"]) if "player" in place else TERMINAL
        )
        payoff.append(list(place.get("payoff", [0.0] * len(names))))
        loads = np.zeros((len(names), most))
        for name, numbers in place.get("loading", {}).items():
            loads[_place(names, name), : len(numbers)] = numbers
        loading.append(loads)
        children.append([(label, chance, len(waiting) + k) for k, (label, (chance, _)) in enumerate(after.items())])
        waiting.extend(below for _, below in after.values())
    flat = [edge for edges in children for edge in edges]
    return CutoffGame(
        players=tuple(names),
        shocks=own,
        node_player=np.array(movers, dtype=np.int32),
        edge_start=np.cumsum([0, *map(len, children)]).astype(np.int32),
        edge_dst=np.array([edge[2] for edge in flat], dtype=np.int32),
        edge_prob=np.array([edge[1] for edge in flat], dtype=np.float64),
        payoff=np.array(payoff, dtype=np.float64),
        loading=np.array(loading),
        edge_label=tuple(edge[0] for edge in flat),
    )


def _place(names: Sequence[str], name: str) -> int:
    """Return a player's index."""
    if name not in names:
        message = f"a cut-off game names '{name}', who is not a player; {did_you_mean(name, names)}"
        raise OptionError(message)
    return list(names).index(name)


def own_plans(game: CutoffGame, player: int, node: int) -> list[dict[int, int]]:
    """List a player's reduced plans from a node on: what he does at his own nodes that his own choices allow.

    Raises
    ------
    OptionError
        If there are more than 48.

    Examples
    --------
    >>> ends = {label: {"payoff": (float(k),)} for k, label in enumerate("xy")}
    >>> game = cutoff_game(["a"], {}, {"player": "a", "moves": {"out": {"payoff": (0.0,)}, "in": {"player": "a", "moves": ends}}})
    >>> own_plans(game, 0, 0)
    [{0: 0}, {0: 1, 2: 2}, {0: 1, 2: 3}]
    """
    below = [own_plans(game, player, int(game.edge_dst[edge])) for edge in game.edges_of(node)]
    if game.node_player[node] == player:
        out = [{node: edge, **plan} for edge, plans in zip(game.edges_of(node), below, strict=True) for plan in plans]
    else:
        if np.prod([len(plans) for plans in below], dtype=np.float64) > MOST_PLANS**2:
            below = [[{}] * (MOST_PLANS + 1)]
        out = [{key: edge for plan in plans for key, edge in plan.items()} for plans in product(*below)]
    if game.node_player[node] == player and len(out) > MOST_PLANS:
        head = f"{game.players[player]} has {len(out)} plans from node {node}"
        message = (
            f"{head}; cut-offs are computed for up to {MOST_PLANS}: shorten the game, or draw his types from a few"
        )
        raise OptionError(message)
    return out
