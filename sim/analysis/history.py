"""Where a record of history stands in the graph: shared by the check that it was available and the replay that measures it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sim.game.graph import CHANCE, TERMINAL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.game.graph import Graph
    from sim.scenario.model import Record

__all__ = ["ANY", "bypassing", "places", "record_text"]

ANY = -1
"""Round or turn of a record that names none."""


def record_text(record: Record) -> str:
    """Return the label of a record's edge."""
    return record.action if record.player else f"{record.event}/{record.label}"


def places(graph: Graph, record: Record, after: int) -> Iterator[tuple[int, Any, Any]]:
    """Yield the layers after one at which a record may have happened, in order.

    Yields
    ------
    tuple
        The layer, its edges, and the label of each edge.
    """
    mover = graph.players.index(record.player) if record.player else CHANCE
    for layer in range(after + 1, graph.layer_count):
        fits = record.round in (ANY, int(graph.layer_round[layer])) and record.turn in (
            ANY,
            int(graph.layer_turn[layer]),
        )
        if fits and graph.layer_player[layer] == mover:
            edges = np.arange(graph.edges(layer).start, graph.edges(layer).stop)
            yield layer, edges, np.array([graph.labels[label].text for label in graph.edge_label[edges]])


def bypassing(graph: Graph, layer: int) -> Any:
    """Find the edges by which history ends before a layer, or passes it by, shape (e,)."""
    at = graph.node_layer()
    source, target = at[graph.edge_source()], at[graph.edge_dst]
    return (source < layer) & ((target > layer) | (graph.layer_player[target] == TERMINAL))
