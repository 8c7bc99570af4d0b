"""Where a record of history stands in the graph: shared by the check that it was available and the replay that measures it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sim.analysis.choices import choosers, part_of
from sim.game.graph import CHANCE, SIMULTANEOUS, TERMINAL

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


def places(
    graph: Graph, record: Record, after: int, done: frozenset[str] = frozenset()
) -> Iterator[tuple[int, Any, Any]]:
    """Yield the layers after one at which a record may have happened, in order.

    Parameters
    ----------
    graph, record
        What to look in, and what for.
    after
        The layer of the record before.
    done
        If several players choose at that layer: those whose choice is recorded already; the others may still follow.

    Yields
    ------
    tuple
        The layer, its edges, and for each edge the label of the outcome, or of what the record's player does.
    """
    mover = graph.players.index(record.player) if record.player else CHANCE
    first = after if done and record.player not in done else after + 1
    for layer in range(max(first, 0), graph.layer_count):
        fits = record.round in (ANY, int(graph.layer_round[layer])) and record.turn in (
            ANY,
            int(graph.layer_turn[layer]),
        )
        together = layer != after and graph.layer_player[layer] == mover
        if graph.layer_player[layer] == SIMULTANEOUS and record.player:
            together = mover in choosers(graph, layer)
        if fits and together:
            edges = np.arange(graph.edges(layer).start, graph.edges(layer).stop)
            labels = [part_of(graph.labels[label], record.player) for label in graph.edge_label[edges]]
            yield layer, edges, np.array([label.text for label in labels])


def bypassing(graph: Graph, layer: int) -> Any:
    """Find the edges by which history ends before a layer, or passes it by, shape (e,)."""
    at = graph.node_layer()
    source, target = at[graph.edge_source()], at[graph.edge_dst]
    return (source < layer) & ((target > layer) | (graph.layer_player[target] == TERMINAL))
