"""Solution concepts side by side on one game: values, outcomes, trajectories, and where play first parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sim.analysis.choices import choices_at, choosers
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
    values : float array, (2, actions)
        What each action is worth to the player under each: why they part.
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
    values: Floats
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
    arrival = [paths.solution.node_values()[1] for paths in (first, second)]
    for layer in range(graph.layer_count):
        nodes = np.arange(graph.nodes(layer).start, graph.nodes(layer).stop)
        for node in nodes[np.argsort(-both[nodes], kind="stable")] if choosers(graph, layer) else ():
            if both[node] <= 0:
                break
            for player in choosers(graph, layer):
                own = [
                    choices_at(paths.solution, int(node), player, arrival=values)
                    for paths, values in zip((first, second), arrival, strict=True)
                ]
                best = [int(one.probability.argmax()) for one in own]
                if best[0] != best[1]:
                    if first.game.types is not None:  # now exactly, by what is believed here
                        own = [choices_at(paths.solution, int(node), player) for paths in (first, second)]
                    return Parting(
                        node=int(node),
                        round=int(graph.layer_round[layer]),
                        player=graph.players[player],
                        state=first.game.origin.codec.labelled(int(graph.node_key[node])),
                        reached=np.array([first.reached[0, node], second.reached[0, node]]),
                        actions=(own[0].names[best[0]], own[1].names[best[1]]),
                        probabilities=np.stack([one.probability for one in own]),
                        values=np.stack([one.values[:, player] for one in own]),
                        labels=own[0].names,
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
