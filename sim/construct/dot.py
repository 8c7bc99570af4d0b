"""Write compiled games as graphs for Graphviz (DOT): every state once, however many histories lead to it.

A player's decisions are boxes, simultaneous ones double boxes, chance diamonds, ends ovals. Edges are labelled with what is done, its probability where one is
given, and what is paid at once; the ways back of an endless game are dashed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.errors import OptionError
from sim.game.graph import CHANCE, RETURN, SIMULTANEOUS, TERMINAL

if TYPE_CHECKING:
    from sim.game.graph import Game
    from sim.kinds import Floats

__all__ = ["MAX_NODES", "to_dot"]

MAX_NODES = 500
_SHAPES = {
    CHANCE: "shape=diamond",
    TERMINAL: "shape=oval",
    SIMULTANEOUS: "shape=box peripheries=2",
    RETURN: "shape=plaintext",
}


def _quote(text: str) -> str:
    r"""Write a text between quotes; lines stay lines.

    Examples
    --------
    >>> print(_quote('say "no"'))
    "say \"no\""
    """
    clean = text.replace("\\", "\\\\").replace('"', '\\"').replace("\r", "").replace("\n", "\\n")
    return f'"{clean}"'


def _number(value: float) -> str:
    """Write a probability or payment briefly."""
    return f"{value:.4g}"


def _mover(game: Game, node: int, layer: int) -> str:
    """Name who acts at a node."""
    graph = game.graph
    kind = int(graph.layer_player[layer])
    if kind == SIMULTANEOUS:
        return " & ".join(name for i, name in enumerate(graph.players) if graph.node_shape[node, i] > 1)
    names = {CHANCE: "chance", TERMINAL: "end", RETURN: "again"}
    return names[kind] if kind in names else graph.players[kind]


def _state(game: Game, node: int) -> str:
    """Tell a node's state, a variable a line."""
    if game.origin is None:
        return f"state {int(game.graph.node_key[node])}"
    state = game.origin.codec.labelled(int(game.graph.node_key[node]))
    return "\n".join(
        f"{name} = {str(value).lower() if isinstance(value, bool) else value}" for name, value in state.items()
    )


def _edge_text(game: Game, edge: int, share: float | None, variant: int) -> str:
    """Tell what an edge stands for."""
    graph, numbers = game.graph, game.numbers
    parts = [graph.labels[graph.edge_label[edge]].text]
    if share is not None:
        parts.append(f"p = {_number(share)}")
    row = int(graph.edge_pay[edge])
    paid = [
        f"{name} {_number(float(x))}" for name, x in zip(graph.players, numbers.pay[variant, row], strict=True) if x
    ]
    if paid:
        parts.append("pays " + ", ".join(paid))
    return "\n".join(part for part in parts if part)


def to_dot(
    game: Game, profile: Floats | None = None, *, variant: int = 0, limit: int = MAX_NODES, title: str = ""
) -> str:
    """Write a compiled game as a directed graph in Graphviz's language.

    Parameters
    ----------
    game
        Finite or endless.
    profile
        Probability of every edge, (v, e), as in a solution; edges that are never taken are drawn grey. Without one, probabilities of chance only.
    variant
        Which variant.
    limit
        Refuse a graph of more nodes.
    title
        Above the graph; by default the scenario's.

    Raises
    ------
    OptionError
        If the game has more nodes, with advice.

    Examples
    --------
    >>> import sim
    >>> text = to_dot(sim.compile(sim.load(sim.template())))
    >>> print(text.splitlines()[0], text.count("->"))
    digraph game { 11
    """
    graph = game.graph
    if graph.node_count > limit:
        raise OptionError(
            f"the game has {graph.node_count:,} nodes; a drawing is refused above {limit:,}: play fewer rounds (--rounds), or raise the limit (--max-nodes)"
        )
    name = title or (game.origin.scenario.title if game.origin is not None else "game")
    lines = [
        "digraph game {",
        f"  graph [rankdir=LR, labelloc=t, label={_quote(name)}];",
        '  node [fontname="Helvetica", fontsize=9];',
        '  edge [fontname="Helvetica", fontsize=8];',
    ]
    layers = graph.node_layer()
    for node in range(graph.node_count):
        layer = int(layers[node])
        shape = _SHAPES.get(int(graph.layer_player[layer]), "shape=box")
        when = (
            "" if int(graph.layer_player[layer]) in (TERMINAL, RETURN) else f", round {int(graph.layer_round[layer])}"
        )
        label = _quote(f"{_mover(game, node, layer)}{when}\n{_state(game, node)}")
        bold = " style=bold" if node in graph.roots else ""
        lines.append(f"  n{node} [{shape}{bold} label={label}];")
    source = graph.edge_source()
    for edge in range(graph.edge_count):
        chance = int(graph.layer_player[int(layers[source[edge]])]) == CHANCE
        share = float(profile[variant, edge]) if profile is not None else None
        if chance:
            share = float(game.numbers.prob[variant, graph.edge_prob[edge], 0])
        style = " color=gray fontcolor=gray" if share == 0 else ""
        label = _quote(_edge_text(game, edge, share, variant))
        lines.append(f"  n{source[edge]} -> n{graph.edge_dst[edge]} [label={label}{style}];")
    lines += [
        f"  n{node} -> n{home} [style=dashed constraint=false];"
        for node, home in enumerate(graph.node_return.tolist())
        if home >= 0
    ]
    return "\n".join([*lines, "}", ""])
