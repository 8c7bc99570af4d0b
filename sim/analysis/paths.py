"""Paths: the exact distribution of play under a solution.

Nothing is sampled. A solution induces a Markov chain on the graph; a forward pass gives the probability of every node, and outcomes
follow from it (see :mod:`sim.analysis.outcomes`).
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from sim.analysis.outcomes import Tally, lone_first, question, tally
from sim.analysis.unroll import unrolled
from sim.errors import OptionError, did_you_mean
from sim.game.graph import CHANCE, TERMINAL
from sim.scenario.expression import Atom, Expression, Node

if TYPE_CHECKING:
    from sim.game.graph import Game, Graph
    from sim.kinds import Floats
    from sim.scenario.model import Variable
    from sim.solve.contract import Solution

__all__ = ["History", "Paths", "Step", "play"]

MAX_HISTORIES = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a history: who did what in which round, how likely that was there, and the state that it led to."""

    round: int
    player: str
    move: str
    probability: float
    state: dict[str, str | int | bool]
    node: int
    edge: int


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """A complete history with its probability."""

    probability: float
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Paths:
    """The exact distribution of play under a solution.

    Attributes
    ----------
    solution
        What is played.
    profile : float array, (v, e)
        Probability of every edge, chance included, given what is conditioned on.
    reached : float array, (v, n)
        How often each node is reached.
    mass : float array, (v,)
        The probability of what is conditioned on; 1 if nothing is.

    Examples
    --------
    >>> import sim
    >>> paths = play(sim.solve(sim.compile(sim.load(sim.template())), "subgame_perfect"))
    >>> round(paths.histories(1)[0].probability, 9)
    1.0
    """

    solution: Solution
    profile: Floats = field(repr=False)
    reached: Floats = field(repr=False)
    mass: Floats = field(repr=False)

    @property
    def game(self) -> Game:
        """The game."""
        return self.solution.game

    # -- trajectories -----------------------------------------------------------------------------------------------------------------

    @cached_property
    def rounds(self) -> tuple[int, ...]:
        """The ends of rounds that trajectories show; the first is the start."""
        origin = self.game.origin
        return tuple(range(origin.first - 1, origin.rounds + 1))

    def trajectory(self, name: str | None = None) -> Floats:
        """Return the distribution of a variable at the start and at the end of each round.

        Parameters
        ----------
        name
            A state variable; by default the scenario's ladder. Histories that have ended keep their last state.

        Returns
        -------
        float array, (v, t, r)
            ``t`` counts ends of rounds, the start first; ``r`` the variable's values.

        Examples
        --------
        >>> import sim
        >>> play(sim.solve(sim.compile(sim.load(sim.template())), "subgame_perfect")).trajectory("rung")[0, :, 0]
        array([1., 1.])
        """
        variable = self.variable(name)
        graph = self.game.graph
        values = (self.game.origin.codec.column(graph.node_key, variable.id) - variable.low).astype(np.int64)
        out = np.zeros((self.game.variants, len(self.rounds), variable.size))
        for layer in range(graph.layer_count):
            terminal = graph.layer_player[layer] == TERMINAL
            if not graph.layer_boundary[layer]:
                continue
            nodes = graph.nodes(layer)
            place = int(graph.layer_round[layer]) - self.rounds[0] - (0 if terminal else 1)
            for v in range(self.game.variants):
                share = np.bincount(values[nodes], weights=self.reached[v, nodes], minlength=variable.size)
                if terminal:
                    out[v, place:] += share
                else:
                    out[v, place] += share
        return out

    def variable(self, name: str | None) -> Variable:
        """Return a variable by name, or the scenario's ladder."""
        scenario = self.game.origin.scenario
        if name is None:
            if scenario.ladder is None:
                raise OptionError("the scenario has no ladder; name a variable")
            return scenario.ladder
        if name not in self.game.origin.codec.by_id:
            raise OptionError(f"'{name}' is not a state variable; {did_you_mean(name, self.game.origin.codec.by_id)}")
        return scenario.variable(name)

    def first_passage(self, name: str | None = None) -> Floats:
        """Return the probability that a variable has reached each value, or gone beyond it, by the end of each round.

        Returns
        -------
        float array, (v, t, r)
            As :meth:`trajectory`; for value ``r`` the event is "at least r at the start or at the end of some round so far".
        """
        variable = self.variable(name)
        out = np.zeros((self.game.variants, len(self.rounds), variable.size))
        out[:, :, 0] = 1.0
        read = Node("name", "number", name=variable.id)
        for r in range(1, variable.size):
            inner = Node(">=", "truth", (read, Node("const", "number", value=float(variable.low + r))))
            text = f"first({variable.id} >= {variable.low + r})"
            expression = Expression(
                text, Node("name", "number", name="@0"), frozenset({variable.id}), (Atom("first", inner),)
            )
            found = self.ask(expression)
            for value, share in zip(found.values, found.probability.T, strict=True):
                if np.isfinite(value):
                    place = 0 if value == 0 else int(value) - self.rounds[0]
                    out[:, place:, r] += share[:, None]
        return out

    # -- outcomes ---------------------------------------------------------------------------------------------------------------------

    def ask(self, expression: Expression) -> Tally:
        """Return the distribution of an outcome given as an expression."""
        found = tally(self.game, expression, self.profile, self.reached)
        if not isinstance(found, Tally):
            raise OptionError(f"outcome '{expression.text}' has an expectation only")
        return found

    def outcome(self, name: str) -> Floats:
        """Return an outcome's probability (of a condition) or expectation (of a number), shape (v,).

        For a lone ``first`` it is the expected round given that it happens, NaN where it cannot; see :meth:`never`.

        Examples
        --------
        >>> import sim
        >>> play(sim.solve(sim.compile(sim.load(sim.template())), "subgame_perfect")).outcome("pushed")
        array([0.])
        """
        found = tally(self.game, question(self.game, name), self.profile, self.reached)
        return found.expectation if isinstance(found, Tally) else found

    def given(self, name: str, move: str) -> Floats:
        """Return an outcome among the histories in which a move, or a move of a group, was played, shape (v,).

        This conditions on equilibrium play; it neither forces the move nor removes it.

        Raises
        ------
        OptionError
            Where the move is never played, and for a lone ``first``.

        Examples
        --------
        >>> import sim
        >>> paths = play(sim.solve(sim.compile(sim.load(sim.template())), "quantal_response"))
        >>> paths.given("pushed", "push")
        array([1.])
        """
        if not self.game.origin.scenario.members(move):
            known = {x for action in self.game.origin.scenario.actions for x in (action.move, action.group) if x}
            raise OptionError(f"'{move}' is not a move or group; {did_you_mean(move, known)}")
        if self.is_first(name):
            raise OptionError(f"outcome '{name}' asks first(); compare it with a number to condition it on a move")
        asked = question(self.game, name)
        played = Node("name", "truth", name=f"@{len(asked.atoms)}")
        node = Node("if", "number", (played, asked.node, Node("const", "number", value=0.0)))
        atoms = (*asked.atoms, Atom("played", target=move))
        both = self.ask(Expression(f"{asked.text} given {move}", node, asked.reads, atoms)).expectation
        alone = self.ask(Expression(f"played({move})", replace(played, name="@0"), frozenset(), atoms[-1:])).expectation
        if (alone <= 0).any():
            raise OptionError(
                f"{move} has probability 0, so nothing can be said given that it was played; force it in an experiment"
            )
        return both / alone

    def distribution(self, name: str) -> Tally:
        """Return an outcome's whole distribution.

        Raises
        ------
        OptionError
            For a lone ``sum_over``, ``count`` or ``final``, which is computed as an expectation only.
        """
        return self.ask(question(self.game, name))

    def is_first(self, name: str) -> bool:
        """Whether an outcome is a lone ``first``, whose answer may be "never"."""
        return lone_first(question(self.game, name))

    def outcomes(self) -> dict[str, Floats]:
        """Return all outcomes of the scenario; a lone ``first`` gives ``name.never`` and ``name.round``."""
        out: dict[str, Floats] = {}
        for name in self.game.origin.scenario.questions:
            if self.is_first(name):
                found = self.distribution(name)
                out[f"{name}.never"], out[f"{name}.round"] = found.never, found.expectation
            else:
                out[name] = self.outcome(name)
        return out

    # -- histories --------------------------------------------------------------------------------------------------------------------

    def histories(self, count: int = 1, variant: int = 0) -> tuple[History, ...]:
        """Return the most likely histories, most likely first; equally likely ones in the order of the file.

        Parameters
        ----------
        count
            At most this many.
        variant
            Which variant.

        Examples
        --------
        >>> import sim
        >>> paths = play(sim.solve(sim.compile(sim.load(sim.template())), "quantal_response", precision=1.0))
        >>> [step.move for step in paths.histories(2)[0].steps]
        ['push', 'resist', 'hold']
        """
        if not 1 <= count <= MAX_HISTORIES:
            raise OptionError(f"asked for {count} histories; expected 1 to {MAX_HISTORIES}")
        graph, profile = self.game.graph, self.profile[variant]
        best = self._best_continuation(profile)
        out: list[History] = []
        start = 1.0 / len(graph.roots)
        heap: list[tuple[float, tuple[int, ...], int, float, tuple[int, ...]]] = [
            (float(-best[root] * start), (int(root),), int(root), float(start), ())
            for root in graph.roots.tolist()
            if best[root] > 0
        ]
        heapq.heapify(heap)
        while heap and len(out) < count:
            _, order, node, weight, edges = heapq.heappop(heap)
            if not len(graph.edges_of(node)):
                out.append(History(probability=float(weight), steps=self._steps(order[0], edges, profile)))
                continue
            for edge in graph.edges_of(node):
                to = int(graph.edge_dst[edge])
                here = weight * profile[edge]
                if here > 0 and best[to] > 0:
                    heapq.heappush(heap, (-here * best[to], (*order, edge), to, here, (*edges, edge)))
        return tuple(out)

    def likely(self, name: str | None = None, variant: int = 0) -> Floats:
        """Return a variable along the most likely history, at the start and at the end of each round, shape (t,).

        Examples
        --------
        >>> import sim
        >>> play(sim.solve(sim.compile(sim.load(sim.template())), "subgame_perfect")).likely("rung")
        array([0., 0.])
        """
        variable, codec, graph = self.variable(name), self.game.origin.codec, self.game.graph
        steps = self.histories(1, variant)[0].steps
        out = np.empty(len(self.rounds))
        out[:] = codec.column(graph.node_key[[steps[0].node if steps else int(graph.roots[0])]], variable.id)[0]
        for step in steps:
            out[step.round - self.rounds[0] :] = codec.column(graph.node_key[[graph.edge_dst[step.edge]]], variable.id)[
                0
            ]
        return out - variable.low

    def _best_continuation(self, profile: Floats) -> Floats:
        """Return the probability of each node's most likely continuation, shape (n,)."""
        graph = self.game.graph
        best = np.ones(graph.node_count)
        for layer in range(graph.layer_count - 1, -1, -1):
            edges = graph.edges(layer)
            if edges.stop > edges.start:
                nodes = graph.nodes(layer)
                best[nodes] = np.maximum.reduceat(
                    profile[edges] * best[graph.edge_dst[edges]], graph.edge_start[nodes] - edges.start
                )
        return best

    def _steps(self, root: int, edges: tuple[int, ...], profile: Floats) -> tuple[Step, ...]:
        """Tell the steps of a history; moments at which nothing could happen are left out."""
        graph, codec = self.game.graph, self.game.origin.codec
        out: list[Step] = []
        node = root
        for edge in edges:
            label = graph.labels[graph.edge_label[edge]]
            layer = graph.layer_of(node)
            to = int(graph.edge_dst[edge])
            if label.text:
                player = "chance" if graph.layer_player[layer] == CHANCE else label.player
                state = codec.labelled(int(graph.node_key[to]))
                step = Step(
                    round=int(graph.layer_round[layer]),
                    player=player,
                    move=label.text,
                    probability=float(profile[edge]),
                    state=state,
                    node=node,
                    edge=edge,
                )
                out.append(step)
            node = to
        return tuple(out)


def play(solution: Solution, profile: Floats | None = None) -> Paths:
    """Play a solution forward, exactly.

    Parameters
    ----------
    solution
        A certified solution.
    profile
        Weights of edges, (v, e), to condition on: history goes only where there is weight, and in proportion to it.

    Returns
    -------
    Paths

    Raises
    ------
    NoAnswerError
        If the solution is not certified.

    Examples
    --------
    >>> import sim
    >>> play(sim.solve(sim.compile(sim.load(sim.template())), "subgame_perfect")).mass
    array([1.])
    """
    from sim.game.referee import reach

    solution = unrolled(solution.require())
    mass = np.ones(solution.game.variants)
    used = solution.profile
    if profile is not None:
        used, mass = _condition(solution.game.graph, profile)
    return Paths(solution=solution, profile=used, reached=reach(solution.game, used), mass=mass)


def _condition(graph: Graph, weights: Floats) -> tuple[Floats, Floats]:
    """Turn weights of edges into probabilities given that history goes only where there is weight (Doob's transform).

    Returns
    -------
    tuple of arrays
        Probabilities (v, e), and the weight of all histories (v,).

    Raises
    ------
    OptionError
        When no history is left.
    """
    later = np.ones((len(weights), graph.node_count))
    out = np.zeros_like(weights)
    for layer in range(graph.layer_count - 1, -1, -1):
        edges, nodes = graph.edges(layer), graph.nodes(layer)
        if edges.stop > edges.start:
            flow = weights[:, edges] * later[:, graph.edge_dst[edges]]
            later[:, nodes] = np.add.reduceat(flow, graph.edge_start[nodes] - edges.start, axis=1)
            below = np.repeat(later[:, nodes], np.diff(graph.edge_start[nodes.start : nodes.stop + 1]), axis=1)
            np.divide(flow, below, out=out[:, edges], where=below > 0)
    mass = later[:, graph.roots].mean(axis=1)
    if (mass <= 0).any():
        raise OptionError("no history is left: what was conditioned on has probability 0")
    return out, mass
