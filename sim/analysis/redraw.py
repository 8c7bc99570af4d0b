"""Histories that a solution might have brought about, recorded as the real ones were: for the parametric bootstrap.

A *slot* is a place of the graph at which something was recorded in some history: a layer, and the player or the event. Every drawn play is recorded at all
slots that it passes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sim.analysis.choices import choosers, part_of
from sim.analysis.follow import follow
from sim.analysis.unroll import unrolled
from sim.game.graph import CHANCE
from sim.scenario.model import Record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sim.game.graph import Graph
    from sim.kinds import Floats, Ints
    from sim.solve.contract import Solution

__all__ = ["drawn", "every_slot", "recorded", "slots_of", "tally"]

Slot = tuple[int, str]


def drawn(solution: Solution, count: int, rng: np.random.Generator) -> Ints:
    """Draw plays of a solution of one variant: the edge by which each leaves each layer, (p, l), -1 where it passes none.

    Examples
    --------
    >>> import sim
    >>> solution = sim.solve(sim.compile(sim.load(sim.template())), "subgame_perfect")
    >>> drawn(solution, 2, np.random.default_rng(1)).shape
    (2, 4)
    """
    solution = unrolled(solution)
    graph = solution.game.graph
    node: Any = graph.roots[rng.integers(len(graph.roots), size=count)]
    out = np.full((count, graph.layer_count), -1, dtype=np.int32)
    for layer in range(graph.layer_count):
        nodes, edges = graph.nodes(layer), graph.edges(layer)
        here = np.flatnonzero((node >= nodes.start) & (node < nodes.stop))
        if edges.stop == edges.start or not len(here):
            continue
        total = np.concatenate(([0.0], np.cumsum(solution.profile[0, edges])))
        first = graph.edge_start[node[here]] - edges.start
        last = graph.edge_start[node[here] + 1] - edges.start
        wanted = total[first] + rng.random(len(here)) * (total[last] - total[first])
        place = np.clip(np.searchsorted(total, wanted, side="right") - 1, first, last - 1)
        out[here, layer] = place + edges.start
        node[here] = graph.edge_dst[place + edges.start]
    return out


def slots_of(solution: Solution, histories: Sequence[Sequence[Record]]) -> tuple[Slot, ...]:
    """List the places at which something was recorded in some history, in order of play.

    Examples
    --------
    >>> import sim
    >>> scenario = sim.load("scenarios/rock_bottom.toml")
    >>> len(slots_of(sim.solve(sim.compile(scenario), "quantal_response"), [scenario.history]))
    14
    """
    found: set[Slot] = set()
    for records in histories:
        one = follow(solution, records=records, lenient=True)
        for layer, record in zip(one.layers[0].tolist(), one.steps, strict=True):
            if layer >= 0:
                found.add((layer, record.player or record.event))
    return tuple(sorted(found))


def every_slot(solution: Solution) -> tuple[Slot, ...]:
    """List all places at which a player chooses.

    Examples
    --------
    >>> import sim
    >>> every_slot(sim.solve(sim.compile(sim.load(sim.template())), "quantal_response"))
    ((0, 'challenger'), (1, 'defender'), (2, 'challenger'))
    """
    graph = unrolled(solution).game.graph
    return tuple((k, graph.players[i]) for k in range(graph.layer_count) for i in choosers(graph, k))


def recorded(solution: Solution, plays: Ints, slots: Sequence[Slot]) -> tuple[list[tuple[Record, ...]], Ints]:
    """Record drawn plays at slots: the distinct histories, and which of them each play is, (p,).

    Examples
    --------
    >>> import sim
    >>> solution = sim.solve(sim.compile(sim.load(sim.template())), "subgame_perfect")
    >>> plays = drawn(solution, 3, np.random.default_rng(1))
    >>> histories, which = recorded(solution, plays, every_slot(solution))
    >>> len(histories), which
    (1, array([0, 0, 0], dtype=int32))
    """
    graph = unrolled(solution).game.graph
    texts: list[str] = [""]
    column = np.zeros((len(plays), len(slots)), dtype=np.int64)
    for place, (layer, who) in enumerate(slots):
        edges = plays[:, layer]
        for edge in np.unique(edges[edges >= 0]).tolist():
            text = _said(graph, layer, edge, who)
            if text not in texts:
                texts.append(text)
            column[edges == edge, place] = texts.index(text)
    rows, which = np.unique(column, axis=0, return_inverse=True)
    histories = [
        tuple(_record(graph, slot, texts[text]) for slot, text in zip(slots, row.tolist(), strict=True) if text)
        for row in rows
    ]
    return histories, which.ravel().astype(np.int32)


def _said(graph: Graph, layer: int, edge: int, who: str) -> str:
    """Return what an edge says at a slot; nothing if it says nothing of it."""
    label = graph.labels[graph.edge_label[edge]]
    if graph.layer_player[layer] == CHANCE:
        return label.text if label.text.rpartition("/")[0] == who else ""
    return part_of(label, who).text


def _record(graph: Graph, slot: Slot, text: str) -> Record:
    """Make a record of what was done at a slot."""
    layer, who = slot
    chance = graph.layer_player[layer] == CHANCE
    event, _, outcome = text.rpartition("/") if chance else ("", "", "")
    return Record(
        date="", round=int(graph.layer_round[layer]), turn=int(graph.layer_turn[layer]), player="" if chance else who,
        action="" if chance else text, event=event, label=outcome, place="history",
    )  # fmt: skip


def tally(which: Ints, samples: int, distinct: int) -> Floats:
    """Count how often each distinct history is in each sample of equal size, (b, u).

    Examples
    --------
    >>> tally(np.array([0, 1, 1, 1]), 2, 2)
    array([[1., 1.],
           [0., 2.]])
    """
    out = np.zeros((samples, distinct))
    np.add.at(out, (np.repeat(np.arange(samples), len(which) // samples), which), 1.0)
    return out
