"""Solution concepts side by side on one game: values, outcomes, trajectories, and where play first parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sim.analysis.paths import Paths, play
from sim.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sim.kinds import Floats
    from sim.solve.contract import Solution

__all__ = ["Comparison", "Parting", "compare"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parting:
    """The first decision at which two concepts prefer different actions, among those that both reach most often.

    Attributes
    ----------
    node, round, player
        Where.
    state
        The public state there.
    reached : float array, (2,)
        How often each concept comes there.
    actions : tuple of str
        The likeliest action under each concept.
    probabilities : float array, (2, actions)
        All action probabilities under each.
    labels
        The actions' labels.
    """

    node: int
    round: int
    player: str
    state: dict[str, str | int | bool]
    reached: Floats
    actions: tuple[str, str]
    probabilities: Floats
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Several concepts on one game."""

    names: tuple[str, ...]
    solutions: tuple[Solution, ...]
    paths: tuple[Paths, ...]
    parting: Parting | None


def _parting(first: Paths, second: Paths) -> Parting | None:
    """Walk the first concept's play and find the earliest, likeliest node where the favourite actions differ."""
    graph = first.game.graph
    both = np.minimum(first.reached[0], second.reached[0])
    for layer in range(graph.layer_count):
        if graph.layer_player[layer] < 0:
            continue
        nodes = np.arange(graph.nodes(layer).start, graph.nodes(layer).stop)
        for node in nodes[np.argsort(-both[nodes], kind="stable")]:
            if both[node] <= 0:
                break
            edges = graph.edges_of(int(node))
            shares = np.stack([paths.solution.profile[0, edges.start : edges.stop] for paths in (first, second)])
            best = shares.argmax(axis=1)
            if best[0] != best[1]:
                labels = tuple(graph.labels[graph.edge_label[edge]].text for edge in edges)
                return Parting(
                    node=int(node),
                    round=int(graph.layer_round[layer]),
                    player=graph.players[int(graph.layer_player[layer])],
                    state=first.game.origin.codec.labelled(int(graph.node_key[node])),
                    reached=np.array([first.reached[0, node], second.reached[0, node]]),
                    actions=(labels[int(best[0])], labels[int(best[1])]),
                    probabilities=shares,
                    labels=labels,
                )
    return None


def compare(solutions: Sequence[Solution]) -> Comparison:
    """Compare solutions of one game, each of one variant.

    Parameters
    ----------
    solutions
        Two or more.

    Examples
    --------
    >>> import sim
    >>> game = sim.compile(sim.load(sim.template()))
    >>> found = compare([sim.solve(game, "subgame_perfect"), sim.solve(game, "quantal_response", precision=0.1)])
    >>> found.parting.actions
    ('hold', 'push')
    """
    if len(solutions) <= 1 or any(solution.game.graph is not solutions[0].game.graph for solution in solutions):
        raise OptionError("compare needs two or more solutions of one game")
    names: list[str] = []
    for solution in solutions:
        options = ", ".join(f"{name}={value}" for name, value in solution.options.items())
        names.append(
            f"{solution.concept} ({options})"
            if any(other is not solution and other.concept == solution.concept for other in solutions)
            else solution.concept
        )
    paths = tuple(play(solution) for solution in solutions)
    return Comparison(names=tuple(names), solutions=tuple(solutions), paths=paths, parting=_parting(paths[0], paths[1]))
