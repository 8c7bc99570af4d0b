r"""Exact outcomes: a path operator's memory is carried along the graph.

An outcome that is one ``final``, ``count`` or ``sum_over`` is linear in how often nodes are reached. For any other, every node is split by
what the operators remember (has it happened, the greatest value so far, …), once for each structure; the distribution at the end is then
one forward pass, whatever the numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.construct.expand import View, locate
from sim.errors import OptionError, ScenarioError, did_you_mean
from sim.game.graph import TERMINAL
from sim.kinds import frozen
from sim.numerics.threads import over_variants
from sim.scenario.evaluate import evaluate

if TYPE_CHECKING:
    from sim.construct.compile import Origin
    from sim.game.graph import Game
    from sim.kinds import Floats, Ints
    from sim.scenario.expression import Atom, Expression

__all__ = ["Memory", "Tally", "lone_first", "operand_values", "question", "round_ends", "tally"]

LINEAR = frozenset({"final", "count", "sum_over"})
MAX_SPLIT = 20_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """The graph with nodes split by memory: edges in order, and the outcome's value at each end.

    Attributes
    ----------
    roots : int array
        Split nodes at which play starts.
    start : int array, (size + 1,)
        Where the split edges that leave each split node start.
    target, edge : int arrays
        For each split edge the split node to which it leads, and the graph's edge.
    rank : int array, (size,)
        Which of the outcome's values stands at each split node where play ends; -1 elsewhere.
    values : float array
        The values that the outcome can take, ascending.
    """

    roots: Ints
    start: Ints
    target: Ints
    edge: Ints
    rank: Ints
    values: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """An outcome's distribution: its distinct values and their probabilities, shape (v, values)."""

    values: Floats
    probability: Floats

    @property
    def expectation(self) -> Floats:
        """Expected value of the outcome where it is finite, shape (v,); NaN where that has probability 0."""
        finite = np.isfinite(self.values)
        some = np.ascontiguousarray(self.probability[:, finite])  # summed row by row, however many rows there are
        mass = some.sum(axis=1)
        total = (some * self.values[finite]).sum(axis=1)
        return np.divide(total, mass, out=np.full_like(mass, np.nan), where=mass > 0)

    @property
    def never(self) -> Floats:
        """Probability that ``first`` finds nothing, shape (v,)."""
        return np.ascontiguousarray(self.probability[:, ~np.isfinite(self.values)]).sum(axis=1)


def question(game: Game, name: str) -> Expression:
    """Return an outcome's expression by name.

    Raises
    ------
    OptionError
        For an unknown name, with advice.
    """
    known = game.origin.scenario.questions
    if name not in known:
        raise OptionError(f"'{name}' is not an outcome of the scenario; {did_you_mean(name, known)}")
    return known[name].expression


def lone_first(expression: Expression) -> bool:
    """Whether an outcome is a lone ``first``, whose answer may be "never".

    Examples
    --------
    >>> import sim
    >>> lone_first(sim.load("scenarios/rock_bottom.toml").questions["first_deeper"].expression)
    True
    """
    return expression.node.op == "name" and expression.atoms[0].op == "first"


def round_ends(game: Game) -> tuple[Any, Any]:
    """Return the nodes at which a round has just ended, or play starts, and the number of that round."""
    graph = game.graph
    layer = graph.node_layer()
    terminal = graph.layer_player[layer] == TERMINAL
    boundary = graph.layer_boundary[layer] | (layer == 0)
    nodes = np.flatnonzero(boundary)
    return nodes, graph.layer_round[layer[nodes]] - np.where(terminal[nodes], 0, 1)


def operand_values(game: Game, atom: Atom) -> Floats:
    """Evaluate what an operator reads on every node where a round ends (NaN elsewhere), shape (n,).

    Raises
    ------
    ScenarioError
        Where it has no value.
    """
    origin: Origin = game.origin
    out = np.full(game.graph.node_count, np.nan)
    nodes, rounds = round_ends(game)
    number = rounds.astype(np.float64)
    view = View(
        origin.codec,
        game.graph.node_key[nodes],
        {**origin.structure, "round": number, "rounds_left": origin.rounds - number},
    )
    if atom.inner is not None:
        values = np.broadcast_to(evaluate(atom.inner, view), nodes.shape)
        if not np.isfinite(values).all():
            raise _undefined(game, atom, int(nodes[np.flatnonzero(~np.isfinite(values))[0]]))
        out[nodes] = values
    return out


def _undefined(game: Game, atom: Atom, node: int) -> ScenarioError:
    """Make the error for a question that has no answer in some state."""
    origin: Origin = game.origin
    asked = origin.scenario.questions.items()
    name = next((name for name, found in asked if atom in found.expression.atoms), "")
    state = origin.codec.show(int(game.graph.node_key[node]))
    what = f"outcome {name or atom.op} divides by zero, or is not a finite number, at {state}"
    return ScenarioError(
        [locate(origin.scenario, f"outcomes.{name}", "non-finite", what, "a finite number", "guard it with 'if'")]
    )


def _start(atom: Atom, x: Floats) -> Floats:
    """Return what an operator remembers when play starts."""
    if atom.op in ("count", "sum_over", "played", "final"):
        return np.zeros_like(x)
    if atom.op == "first":
        return np.where(x > 0, 0.0, np.inf)
    return x


def _update(atom: Atom, memory: Floats, x: Floats, number: int) -> Floats:
    """Return what an operator remembers after a round."""
    if atom.op in ("ever", "max_over"):
        return np.maximum(memory, x)
    if atom.op in ("always", "min_over"):
        return np.minimum(memory, x)
    if atom.op in ("count", "sum_over"):
        return memory + x
    if atom.op == "first":
        return np.where((x > 0) & np.isinf(memory), float(number), memory)
    return memory


class _Splitter:
    """Splits the nodes of one game by the memory of one outcome."""

    def __init__(self, game: Game, expression: Expression) -> None:
        self.game, self.expression = game, expression
        self.graph = game.graph
        self.values = [operand_values(game, atom) for atom in expression.atoms]
        self.matches = [self.match(atom) for atom in expression.atoms]
        self.waiting: dict[int, list[tuple[Any, Any, Any]]] = {}
        self.size = 0
        self.parts: list[tuple[Any, Any, Any]] = []
        self.ends: list[tuple[Any, Any]] = []
        self.layer_of = game.graph.node_layer()

    def match(self, atom: Atom) -> Any:
        """Tell which edge labels ``played`` asks for."""
        labels = self.graph.labels
        return np.array([atom.op == "played" and x.plays(atom.target, atom.player) for x in labels])

    def send(self, source: Any, nodes: Any, edges: Any, memory: Floats) -> None:
        """Queue split edges at the layers that they lead to."""
        layers = self.layer_of[nodes]
        for layer in np.unique(layers):
            chosen = layers == layer
            self.waiting.setdefault(int(layer), []).append(
                (np.stack([source[chosen], nodes[chosen], edges[chosen]]), memory[:, chosen], None)
            )

    def merge(self, layer: int, nodes: Any, memory: Floats) -> tuple[Any, Any]:
        """Give the split nodes of a layer numbers; return the first of each and the number of each entry."""
        code = nodes.astype(np.int64) - self.graph.layer_start[layer]
        size = int(self.graph.layer_start[layer + 1] - self.graph.layer_start[layer])
        for row in memory:
            distinct, rank = np.unique(row, return_inverse=True)
            if size * len(distinct) >= 2**62:
                code = np.unique(code, return_inverse=True)[1].astype(np.int64)
                size = len(code)
            code = code * len(distinct) + rank
            size *= len(distinct)
        _, first, rank = np.unique(code, return_index=True, return_inverse=True)
        return first, rank

    def run(self) -> Memory:
        """Split the whole graph."""
        graph = self.graph
        root_memory = np.stack(
            [_start(atom, x[graph.roots]) for atom, x in zip(self.expression.atoms, self.values, strict=True)]
        )
        roots: Any = None
        for layer in range(graph.layer_count):
            queue = self.waiting.pop(layer, [])
            if layer == 0:
                nodes, memory = graph.roots, root_memory
                arriving = None
            elif queue:
                arriving = np.concatenate([part[0] for part in queue], axis=1)
                nodes, memory = arriving[1], np.concatenate([part[1] for part in queue], axis=1)
            else:
                continue
            if layer > 0 and graph.layer_boundary[layer]:
                number = int(graph.layer_round[layer]) - (0 if graph.layer_player[layer] == TERMINAL else 1)
                pairs = zip(self.expression.atoms, self.values, memory, strict=True)
                memory = np.stack([_update(atom, row, x[nodes], number) for atom, x, row in pairs])
            first, rank = self.merge(layer, nodes, memory)
            base = self.size
            self.size += len(first)
            if self.size > MAX_SPLIT:
                raise OptionError(
                    f"outcome '{self.expression.text}' remembers too much: more than {MAX_SPLIT:,} combinations; ask a simpler question"
                )
            if arriving is None:
                roots = base + rank
            else:
                self.parts.append((arriving[0], base + rank, arriving[2]))
            if graph.layer_player[layer] == TERMINAL:
                self.finish(base, nodes[first], memory[:, first])
            else:
                self.leave(base, nodes[first], memory[:, first])
        source, target, edge = (np.concatenate([part[k] for part in self.parts]).astype(np.int32) for k in range(3))
        order = np.argsort(source, kind="stable")
        values, places = np.unique(np.concatenate([value for _, value in self.ends]), return_inverse=True)
        rank = np.full(self.size, -1, dtype=np.int32)
        rank[np.concatenate([end for end, _ in self.ends])] = places
        return Memory(
            roots=roots.astype(np.int32),
            start=np.searchsorted(source[order], np.arange(self.size + 1)).astype(np.int32),
            target=target[order],
            edge=edge[order],
            rank=rank,
            values=values,
        )

    def undefined(self) -> ScenarioError:
        """Make the error for a combination that some path leaves without a number."""
        scenario = self.game.origin.scenario
        name = next((name for name, found in scenario.questions.items() if found.expression == self.expression), "")
        what = f"outcome {name} ({self.expression.text}) has no value on some paths"
        advice = "ask first() alone, or compare it with a number; guard a division with 'if'"
        return ScenarioError(
            [locate(scenario, f"outcomes.{name}", "non-finite", what, "a number on every path", advice)]
        )

    def leave(self, base: int, nodes: Any, memory: Floats) -> None:
        """Send every split node's memory along its edges."""
        graph = self.graph
        start, stop = graph.edge_start[nodes], graph.edge_start[nodes + 1]
        count = stop - start
        owner = np.repeat(np.arange(len(nodes)), count)
        edges = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + np.repeat(start, count)
        carried = memory[:, owner]
        for row, match in zip(carried, self.matches, strict=True):
            row[match[graph.edge_label[edges]]] = 1.0
        self.send(base + owner, graph.edge_dst[edges], edges, carried)

    def finish(self, base: int, nodes: Any, memory: Floats) -> None:
        """Evaluate the outcome where play ends."""
        columns: dict[str, Any] = dict(self.game.origin.structure)
        for place, (atom, row) in enumerate(zip(self.expression.atoms, memory, strict=True)):
            columns[f"@{place}"] = self.values[place][nodes] if atom.op == "final" else row
        value = np.broadcast_to(evaluate(self.expression.node, columns), nodes.shape)
        lone = self.expression.node.op == "name"
        if np.isnan(value).any() or (np.isinf(value).any() and not lone):
            raise self.undefined()
        self.ends.append((base + np.arange(len(nodes)), value))


def _linear(game: Game, atom: Atom, reached: Floats) -> Floats:
    """Compute the expectation of a single ``final``, ``count`` or ``sum_over``, shape (v,)."""
    graph = game.graph
    layer = graph.node_layer()
    wanted = graph.layer_player[layer] == TERMINAL if atom.op == "final" else graph.layer_boundary[layer] & (layer > 0)
    from sim.analysis.flow import gather

    cache: dict[Any, Any] = game.origin.cache
    key = ("linear", atom)
    if key not in cache:
        nodes = np.flatnonzero(wanted).astype(np.int32)
        cache[key] = frozen(nodes), frozen(operand_values(game, atom)[nodes])
    nodes, values = cache[key]
    out = np.empty(len(reached))
    over_variants(lambda first, stop: gather(nodes, values, reached, first, stop, out), len(reached))
    return out


def reachable_values(game: Game, expression: Expression) -> Floats:
    """Return the distinct values that an outcome can take; of a lone sum or count, enough to see whether there are several."""
    lone = len(expression.atoms) == 1 and expression.node.op == "name"
    if lone and expression.atoms[0].op in LINEAR:
        graph, atom = game.graph, expression.atoms[0]
        layer = graph.node_layer()
        terminal = graph.layer_player == TERMINAL
        wanted = terminal[layer] if atom.op == "final" else graph.layer_boundary[layer] & (layer > 0)
        values = np.unique(operand_values(game, atom)[wanted])
        if atom.op == "final" or len(values) > 1 or not values[0]:
            return values
        played = graph.layer_round[terminal] - game.origin.first + 1  # a constant summand counts the rounds played
        return np.unique(values[0] * played)
    if all(atom.op == "played" for atom in expression.atoms) and expression.node.op == "name":
        labels = game.graph.labels
        atom = expression.atoms[0]
        played = {label for label, x in enumerate(labels) if x.plays(atom.target, atom.player)}
        some = np.isin(game.graph.edge_label, list(played))
        return np.array([0.0, 1.0]) if some.any() and not some.all() else np.array([float(some.all())])
    return _cached(game, expression).values


def _cached(game: Game, expression: Expression) -> Memory:
    """Split the nodes once for each structure."""
    cache: dict[Any, Any] = game.origin.cache
    key = ("memory", expression)
    if key not in cache:
        cache[key] = _Splitter(game, expression).run()
    return cache[key]


def tally(game: Game, expression: Expression, profile: Floats, reached: Floats) -> Tally | Floats:
    """Compute an outcome exactly.

    Parameters
    ----------
    game
        A compiled scenario.
    expression
        The outcome.
    profile
        Probability of every edge, shape (v, e).
    reached
        How often each node is reached, shape (v, n).

    Returns
    -------
    Tally, or array (v,)
        The distribution; or, for a single ``final``, ``count`` or ``sum_over``, the expectation.
    """
    if len(expression.atoms) == 1 and expression.node.op == "name" and expression.atoms[0].op in LINEAR:
        return _linear(game, expression.atoms[0], reached)
    from sim.analysis.flow import push

    memory = _cached(game, expression)
    probability = np.zeros((game.variants, len(memory.values)))
    over_variants(
        lambda first, stop: push(
            memory.roots, memory.start, memory.target, memory.edge, memory.rank, profile, first, stop, probability
        ),
        game.variants,
    )
    return Tally(values=memory.values, probability=probability)
