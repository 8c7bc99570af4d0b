"""Write games in Gambit's two file formats: strategic games (``.nfg``) and trees (``.efg``).

The merged graph of a scenario is unfolded into its tree. Payoffs are present values at the start, so δ = 1 in the file; where one player moves at a time,
every node is its own information set. Where several choose at once their nodes follow one another, and the later ones' information sets hide the choices of
the earlier. With private types chance draws them first, and an information set is what one type of a player sees of a public history.
Chance carries the modeller's probabilities: with beliefs that differ, a tree of common probabilities does not exist and the export is
refused. A probability is written as an exact fraction of a float's decimal text, and the last one makes the sum exactly 1.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.errors import OptionError
from sim.game.graph import CHANCE, SIMULTANEOUS, TERMINAL, Game
from sim.game.normal_form import strategic_form
from sim.game.strategic import StrategicGame
from sim.game.tree import Tree, TreeBuilder

if TYPE_CHECKING:
    from collections.abc import Callable

    from sim.game.histories import Types
    from sim.kinds import Floats

__all__ = ["MAX_TREE", "game_text", "to_efg", "to_nfg", "tree_of", "tree_size", "write_game"]

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
            own: Any = 1
            if graph.layer_player[layer] == SIMULTANEOUS:  # a node for the first, one for each choice of his, and so on
                own = np.array([_nested(shape) for shape in graph.node_shape[nodes].tolist()], dtype=object)
            count[nodes] = own + np.add.reduceat(count[graph.edge_dst[edges]], graph.edge_start[nodes] - edges.start)
    return int(sum(count[root] for root in graph.roots))


def _nested(shape: list[int]) -> int:
    """Count the nodes into which a simultaneous turn is unfolded."""
    total, width = 0, 1
    for count in shape:
        if count > 1:
            total += width
            width *= count
    return total


def _clean(text: str) -> str:
    """Make a label that every reader accepts: no quotes, no commas."""
    return text.replace('"', "").replace(",", ";").replace("\\", "") or "nothing"


def _apart(names: list[str]) -> tuple[str, ...]:
    """Make labels, telling equal ones apart by their place."""
    clean = [_clean(name) for name in names]
    return tuple(name if clean.count(name) == 1 else f"{name} ({place + 1})" for place, name in enumerate(clean))


class _Unfolder:
    """Unfolds one variant into its tree."""

    def __init__(self, game: Game, variant: int) -> None:
        self.graph, self.numbers, self.variant = game.graph, game.numbers, variant
        self.types, self.asked, self.lane = game.types, variant, 0
        self.places: dict[tuple[int, int], int] = {}  # public histories: the one before, and what happened
        self.known: dict[tuple[int, int, int], int] = {}  # information sets: history, player, type
        self.layer = game.graph.node_layer()
        self.counts = [0] * (len(game.graph.players) + 1)
        self.ends = 0
        self.first = int(game.graph.layer_round[0])
        title = _clean(game.origin.scenario.title) if game.origin else "game"
        self.builder = TreeBuilder(tuple(_clean(name) for name in game.graph.players), title=title)

    def infoset(self, player: int, actions: list[str], shares: tuple[Fraction, ...] = (), place: int = -1) -> int:
        """Declare the next information set of a player, or of chance; with private types, the one of his type at a public history."""
        key = (place, player, int(self.types.lane[self.lane, player]) if self.types and player >= 0 else 0)
        if place >= 0 and player >= 0 and key in self.known:
            return self.known[key]
        self.known[key] = self.declare(player, actions, shares)
        return self.known[key]

    def declare(self, player: int, actions: list[str], shares: tuple[Fraction, ...]) -> int:
        """Declare a new information set."""
        self.counts[player + 1] += 1
        number = self.counts[player + 1]
        label = f"c{number}" if player == CHANCE else f"p{player + 1}n{number}"
        return self.builder.infoset(player, _apart(actions), label=label, shares=shares)

    def shares(self, edges: range) -> tuple[Fraction, ...]:
        """Return chance's probabilities as fractions that sum to 1."""
        prob = self.numbers.prob[self.variant]
        out = [Fraction(repr(float(prob[self.graph.edge_prob[edge], 0]))) for edge in edges]
        out[-1] = Fraction(1) - sum(out[:-1], Fraction(0))
        return tuple(out)

    def after(self, place: int, edge: int) -> int:
        """Return the public history that an edge leads to; without private types none is needed."""
        return self.places.setdefault((place, edge), len(self.places) + 1) if self.types else -1

    def able(self, player: int, edges: range) -> list[int]:
        """Return the edges that the type of a player in the present lane may take."""
        if self.types is None or player < 0:
            return list(edges)
        kind = int(self.types.lane[self.lane, player])
        return [edge for edge in edges if self.types.weight[edge, kind] > 0]

    def together(self, edges: range, shape: list[int], gained: Floats, place: int) -> list[Any]:
        """Return what is to be done for a simultaneous turn, in prefix order: information sets, and joint actions."""
        labels = [self.graph.labels[self.graph.edge_label[edge]] for edge in edges]
        order: list[Any] = []
        sets: dict[int, int] = {}

        def below(player: int, first: int, width: int) -> None:
            while player < len(shape) and shape[player] == 1:
                player += 1
            if player == len(shape):
                order.append((edges[first], gained, place))
                return
            width //= shape[player]
            if player not in sets:
                own = [labels[first + k * width] for k in range(shape[player])]
                sets[player] = self.infoset(
                    player, [label.parts[player].text if label.parts else label.text for label in own], place=place
                )
            order.append(sets[player])
            for k in range(shape[player]):
                below(player + 1, first + k * width, width)

        below(0, 0, len(edges))
        return order

    def draw(self, types: Types) -> int:
        """Declare chance's draw of the types."""
        shares = [Fraction(repr(float(share))) for share in types.prior[self.asked]]
        shares[-1] = Fraction(1) - sum(shares[:-1], Fraction(0))
        named = [
            " and ".join(types.names[i][k] for i, k in enumerate(lane) if types.count[i] > 1)
            for lane in types.lane.tolist()
        ]
        return self.infoset(CHANCE, named, tuple(shares))

    def unfold(self, root: int) -> Tree:
        """Walk the tree in prefix order: on the stack, information sets that stand next, nodes, and edges to go along."""
        graph, numbers = self.graph, self.numbers
        discount = numbers.discount[self.variant * (self.types.lanes if self.types else 1)]
        start = np.zeros(len(graph.players))
        stack: list[Any] = [(-1, root, start, 0 if self.types else -1)]
        if self.types:
            stack = [f"lane {s}" for s in reversed(range(self.types.lanes))]
            self.builder.node(infoset=self.draw(self.types))
        while stack:
            task = stack.pop()
            if isinstance(task, int):
                self.builder.node(infoset=task)
                continue
            if isinstance(task, str):  # from here on, the players are of these types
                self.lane = int(task.partition(" ")[2])
                self.variant = self.asked * (self.types.lanes if self.types else 1) + self.lane
                task = (-1, root, start, 0)
            if len(task) == 3:  # noqa: PLR2004
                edge, gained, place = task
                place = self.after(place, edge)
                node = int(graph.edge_dst[edge])
                source = int(np.searchsorted(graph.edge_start, edge, side="right")) - 1
                weight = discount ** (int(graph.layer_round[self.layer[source]]) - self.first)
                gained = gained + weight * (
                    numbers.pay[self.variant, graph.edge_pay[edge]]
                    + numbers.reward[self.variant, graph.node_reward[node]]
                )
            else:
                _, node, gained, place = task
            layer = int(self.layer[node])
            mover, edges = int(graph.layer_player[layer]), graph.edges_of(node)
            if mover == TERMINAL:
                self.ends += 1
                weight = discount ** (int(graph.layer_round[layer]) + 1 - self.first)
                paid = gained + weight * numbers.reward[self.variant, graph.node_final[node]]
                self.builder.node(payoffs=[float(x) for x in paid], label=f"o{self.ends}")
                continue
            if mover == SIMULTANEOUS:
                stack += reversed(self.together(edges, graph.node_shape[node].tolist(), gained, place))
                continue
            free = self.able(mover, edges)
            actions = [graph.labels[graph.edge_label[edge]].text for edge in free]
            shares = self.shares(edges) if mover == CHANCE else ()
            self.builder.node(infoset=self.infoset(mover, actions, shares, place))
            stack += [(edge, gained, place) for edge in reversed(free)]
        return self.builder.tree()


def tree_of(game: Game, variant: int = 0) -> Tree:
    """Unfold a compiled scenario into a game tree.

    Parameters
    ----------
    game
        A compiled game with one start and common probabilities.
    variant
        Which variant.

    Raises
    ------
    OptionError
        Above a million tree nodes, saying how many there are; where players believe different probabilities, or evaluate them by prospect
        theory; and for an infinite horizon.

    Examples
    --------
    >>> import sim
    >>> tree_of(sim.compile(sim.load(sim.template()))).node_count
    12
    """
    if game.graph.stationary:
        raise OptionError(
            "the game goes on for ever and has no finite tree; give it rounds, with --rounds or in the file"
        )
    if game.shocks is not None:
        name = game.shocks.privates[0]
        raise OptionError(
            f"private numbers have no finite tree; export what all know (--known {name}=…), or types with 'values'"
        )
    size = tree_size(game) * game.lanes
    if size > MAX_TREE:
        raise OptionError(
            f"the game tree has {size:,} nodes; export is for at most {MAX_TREE:,}; play fewer rounds (--rounds)"
        )
    prob = game.numbers.prob[variant * game.lanes : (variant + 1) * game.lanes]
    if (np.abs(prob - prob[:, :, :1]) > 0).any():
        raise OptionError(
            "players believe different probabilities of chance (believes), which a game tree cannot say; set the beliefs equal with --set"
        )
    if game.numbers.prospect is not None and (game.numbers.prospect[variant] != 1).any():
        raise OptionError(
            "a player evaluates chance by prospect theory, which a game tree cannot say: its readers take expectations; remove 'prospect' from the scenario"
        )
    if len(game.graph.roots) != 1:
        raise OptionError("the game has several starts; export one at a time")
    return _Unfolder(game, variant).unfold(int(game.graph.roots[0]))


def _quote(text: str) -> str:
    """Write a text in quotes."""
    if text.endswith("\\") or '\\"' in text:
        raise OptionError(f"the name '{text}' has a backslash before a quote, which a game file cannot say; rename it")
    return '"' + text.replace('"', '\\"') + '"'


def _efg_text(tree: Tree) -> str:
    """Write a tree."""
    numbers = [0] * (len(tree.players) + 1)
    heads: list[str] = []
    for one in tree.infosets:
        numbers[one.player + 1] += 1
        words = [_quote(action) for action in one.actions]
        if one.player == CHANCE:
            words = [f"{word} {share}" for word, share in zip(words, one.shares, strict=True)]
        who = "" if one.player == CHANCE else f"{one.player + 1} "
        heads.append(f"{who}{numbers[one.player + 1]} {_quote(one.label)} {{ {' '.join(words)} }} 0")
    players = " ".join(map(_quote, tree.players))
    lines = [f"EFG 2 R {_quote(tree.title)} {{ {players} }}", _quote(tree.comment), ""]
    ends = 0
    for h, label, payoffs in zip(tree.node_infoset.tolist(), tree.node_label, tree.payoffs.tolist(), strict=True):
        if h < 0:
            ends += 1
            lines.append(f't "" {ends} {_quote(label)} {{ {", ".join(map(repr, payoffs))} }}')
        else:
            lines.append(f"{'c' if tree.infosets[h].player == CHANCE else 'p'} {_quote(label)} {heads[h]}")
    return "\n".join(lines) + "\n"


def _nfg_text(game: StrategicGame) -> str:
    """Write a strategic game, payoffs only."""
    players = " ".join(map(_quote, game.players))
    actions = "\n".join(f"{{ {' '.join(map(_quote, own))} }}" for own in game.actions)
    table = np.stack(
        [payoff.transpose().reshape(-1) for payoff in game.payoffs], axis=1
    )  # the first player's strategy varies fastest
    rows = "\n".join(" ".join(map(repr, row)) for row in table.tolist())
    return f'NFG 1 R {_quote(game.title)} {{ {players} }}\n\n{{ {actions}\n}}\n""\n\n{rows}\n'


def to_efg(game: Game, variant: int = 0) -> str:
    """Write a compiled scenario as a tree in Gambit's format; see :func:`tree_of`.

    Examples
    --------
    >>> import sim
    >>> to_efg(sim.compile(sim.load(sim.template()))).splitlines()[0]
    'EFG 2 R "A three-move crisis" { "challenger" "defender" }'
    """
    return _efg_text(tree_of(game, variant))


def to_nfg(game: Game, variant: int = 0) -> str:
    """Write a compiled scenario in which everyone decides at most once, not knowing what others chose, as a strategic game.

    Raises
    ------
    OptionError
        If somebody decides more than once, and for what :func:`tree_of` refuses.

    Examples
    --------
    >>> import sim
    >>> to_nfg(sim.compile(sim.load(sim.template())))
    Traceback (most recent call last):
    sim.errors.OptionError: challenger decides at 4 points of the game; a strategic game (.nfg) is for one stage: export --format efg, or --rounds 1
    """
    return _nfg_text(_one_stage(tree_of(game, variant)))


def _one_stage(tree: Tree) -> StrategicGame:
    for player, name in enumerate(tree.players):
        count = sum(one.player == player for one in tree.infosets)
        if count > 1:
            raise OptionError(
                f"{name} decides at {count} points of the game; a strategic game (.nfg) is for one stage: export --format efg, or --rounds 1"
            )
    return strategic_form(tree)


def game_text(game: StrategicGame | Tree | Game, form: str) -> str:
    """Write a game as text.

    Parameters
    ----------
    game
        A strategic game, a tree, or a compiled scenario.
    form
        ``"nfg"`` or ``"efg"``. A tree is written as ``nfg`` by its strategic form, a scenario only if it has one stage.

    Raises
    ------
    OptionError
        For an unknown form, or a game that does not fit it.

    Examples
    --------
    >>> from sim.game.strategic import StrategicGame
    >>> print(game_text(StrategicGame.from_matrices([[3, 2], [4, 1]], [[3, 4], [2, 1]], title="chicken"), "nfg"), end="")
    NFG 1 R "chicken" { "row" "column" }
    <BLANKLINE>
    { { "1" "2" }
    { "1" "2" }
    }
    ""
    <BLANKLINE>
    3.0 3.0
    4.0 2.0
    2.0 4.0
    1.0 1.0
    """
    if form not in ("nfg", "efg"):
        raise OptionError(f"a game is written as nfg or efg, not as '{form}'; choose one of these endings")
    if isinstance(game, StrategicGame):
        if form == "efg":
            raise OptionError("a strategic game has no tree to write; give the file the ending .nfg")
        return _nfg_text(game)
    if isinstance(game, Tree):
        return _efg_text(game) if form == "efg" else _nfg_text(strategic_form(game))
    written: Callable[[Game], str] = to_efg if form == "efg" else to_nfg
    return written(game)


def write_game(game: StrategicGame | Tree | Game, path: str | Path) -> Path:
    """Write a game into a file of Gambit's, ``.nfg`` or ``.efg``; what is written is read back the same by ``sim.read_game``.

    Parameters
    ----------
    game
        A strategic game, a tree, or a compiled scenario.
    path
        Its ending says which format; see :func:`game_text`.

    Raises
    ------
    OptionError
        For an unknown ending, or a game that does not fit it.

    Examples
    --------
    >>> import tempfile, sim
    >>> tree = sim.read_game("scenarios/games/selten_horse.efg")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     sim.read_game(sim.write_game(tree, f"{folder}/again.efg")) == tree
    True
    """
    file = Path(path)
    text = game_text(game, file.suffix.lower().lstrip("."))
    partial = file.with_name(file.name + ".partial")
    partial.write_text(text, encoding="utf-8", newline="\n")
    partial.replace(file)
    return file
