"""Export to Gambit's extensive-form file format (``.efg``).

The merged graph is unfolded into its tree. Payoffs are present values at the start, so δ = 1 in the file; every node is its own information
set. Chance carries the modeller's probabilities: with beliefs that differ, a tree of common probabilities does not exist and the export is
refused. A ``.efg`` probability is written as an exact fraction of a float's decimal text, and the last one makes the sum exactly 1.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from sim.errors import OptionError
from sim.game.graph import CHANCE, TERMINAL

if TYPE_CHECKING:
    from sim.game.graph import Game
    from sim.kinds import Floats

__all__ = ["MAX_TREE", "to_efg", "tree_size"]

MAX_TREE = 1_000_000


def tree_size(game: Game) -> int:
    """Count the nodes of the unmerged tree.

    Examples
    --------
    >>> import sim
    >>> tree_size(sim.compile(sim.load(sim.template())))
    12
    """
    graph = game.graph
    count = np.ones(graph.node_count, dtype=object)
    for layer in range(graph.layer_count - 1, -1, -1):
        edges = graph.edges(layer)
        if edges.stop > edges.start:
            nodes = graph.nodes(layer)
            count[nodes] = 1 + np.add.reduceat(count[graph.edge_dst[edges]], graph.edge_start[nodes] - edges.start)
    return int(sum(count[root] for root in graph.roots))


def _clean(text: str) -> str:
    """Make a label that Gambit accepts: no quotes, no commas."""
    return text.replace('"', "").replace(",", ";").replace("\\", "") or "nothing"


class _Writer:
    """Unfolds one variant."""

    def __init__(self, game: Game, variant: int) -> None:
        self.game, self.variant = game, variant
        self.graph, self.numbers = game.graph, game.numbers
        self.layer = game.graph.node_layer()
        self.lines: list[str] = []
        self.infosets = [0] * (len(game.graph.players) + 1)
        self.outcome = 0
        self.first = int(game.graph.layer_round[0])

    def terminal(self, payoffs: Floats) -> None:
        """Write a terminal node."""
        self.outcome += 1
        numbers = ", ".join(repr(float(x)) for x in payoffs)
        self.lines.append(f't "" {self.outcome} "o{self.outcome}" {{ {numbers} }}')

    def node(self, node: int) -> None:
        """Write the head of a node."""
        edges = self.graph.edges_of(node)
        mover = int(self.graph.layer_player[self.layer[node]])
        labels = [_clean(self.graph.labels[self.graph.edge_label[edge]].text) for edge in edges]
        self.infosets[mover + 1] += 1
        number = self.infosets[mover + 1]
        if mover == CHANCE:
            shares = [
                Fraction(repr(float(self.numbers.prob[self.variant, self.graph.edge_prob[edge], 0]))) for edge in edges
            ]
            shares[-1] = Fraction(1) - sum(shares[:-1], Fraction(0))
            actions = " ".join(f'"{label}" {share}' for label, share in zip(labels, shares, strict=True))
            self.lines.append(f'c "" {number} "c{number}" {{ {actions} }} 0')
        else:
            actions = " ".join(f'"{label}"' for label in labels)
            self.lines.append(f'p "" {mover + 1} {number} "p{mover + 1}n{number}" {{ {actions} }} 0')

    def unfold(self, root: int) -> None:
        """Walk the tree in prefix order."""
        stack: list[tuple[int, Floats]] = [(root, np.zeros(len(self.graph.players)))]
        discount = self.numbers.discount[self.variant]
        while stack:
            node, gained = stack.pop()
            layer = int(self.layer[node])
            if self.graph.layer_player[layer] == TERMINAL:
                weight = discount ** (int(self.graph.layer_round[layer]) + 1 - self.first)
                self.terminal(gained + weight * self.numbers.reward[self.variant, self.graph.node_final[node]])
                continue
            self.node(node)
            weight = discount ** (int(self.graph.layer_round[layer]) - self.first)
            for edge in reversed(self.graph.edges_of(node)):
                to = int(self.graph.edge_dst[edge])
                more = (
                    self.numbers.pay[self.variant, self.graph.edge_pay[edge]]
                    + self.numbers.reward[self.variant, self.graph.node_reward[to]]
                )
                stack.append((to, gained + weight * more))


def to_efg(game: Game, variant: int = 0) -> str:
    """Write a game as a tree in Gambit's format.

    Parameters
    ----------
    game
        A compiled game with one start and common probabilities.
    variant
        Which variant.

    Raises
    ------
    OptionError
        Above a million tree nodes, saying how many there are; and where players believe different probabilities.

    Examples
    --------
    >>> import sim
    >>> to_efg(sim.compile(sim.load(sim.template()))).splitlines()[0]
    'EFG 2 R "A three-move crisis" { "challenger" "defender" }'
    """
    size = tree_size(game)
    if size > MAX_TREE:
        raise OptionError(
            f"the game tree has {size:,} nodes; export is for at most {MAX_TREE:,}; play fewer rounds (--rounds)"
        )
    prob = game.numbers.prob[variant]
    if (np.abs(prob - prob[:, :1]) > 0).any():
        raise OptionError(
            "players believe different probabilities of chance (believes), which a game tree cannot say; set the beliefs equal with --set"
        )
    if len(game.graph.roots) != 1:
        raise OptionError("the game has several starts; export one at a time")
    writer = _Writer(game, variant)
    writer.unfold(int(game.graph.roots[0]))
    title = _clean(game.origin.scenario.title) if game.origin else "game"
    players = " ".join(f'"{_clean(name)}"' for name in game.graph.players)
    return f'EFG 2 R "{title}" {{ {players} }}\n""\n\n' + "\n".join(writer.lines) + "\n"
