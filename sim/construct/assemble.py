"""From layers and frontiers to the arrays of a graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.game.graph import RETURN, Graph
from sim.kinds import frozen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sim.construct.expand import Expander
    from sim.construct.frontier import LabelSource
    from sim.errors import Problem
    from sim.kinds import Ints, Keys

__all__ = ["Expansion", "assemble"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expansion:
    """A graph whose payoff and probability rows are not yet assigned, with what its labels came from.

    ``able`` (e,) has a bit for each type of the mover who may take the edge; it is empty where nobody has types.
    """

    graph: Graph
    sources: tuple[LabelSource, ...]
    warnings: tuple[Problem, ...]
    played: frozenset[str]
    able: Keys


def _node_shape(expander: Expander, counts: Sequence[int]) -> Ints:
    """Count every player's actions at every node, shape (n, i)."""
    out = np.ones((sum(counts), len(expander.scenario.players)), dtype=np.int32)
    start = np.concatenate(([0], np.cumsum(counts)))
    for layer, shapes in expander.shapes.items():
        for player, degree in shapes.items():
            out[start[layer] : start[layer + 1], player] = degree
    return out


def _node_return(expander: Expander, counts: Sequence[int]) -> Ints:
    """Find where each node of a stationary game leads back to, shape (n,)."""
    out = np.full(sum(counts), -1, dtype=np.int32)
    start = np.concatenate(([0], np.cumsum(counts)))
    for layer, (mover, number, _, keys) in enumerate(expander.layers):
        if mover == RETURN:
            home = next(
                k for k, found in enumerate(expander.layers) if found[1] == number - expander.scenario.period + 1
            )
            out[start[layer] : start[layer + 1]] = start[home] + np.searchsorted(expander.layers[home][3], keys)
    return out


def assemble(expander: Expander, roots: Ints) -> Expansion:
    """Put the layers' arrays together."""
    dst: list[Any] = []
    for block in expander.blocks:
        part = np.empty(len(block.label), dtype=np.int32)
        for index, frontier in enumerate(block.frontiers):
            mine = block.which == index
            if mine.all():
                part[:] = frontier.target[frontier.inverse[block.position]]
            elif mine.any():
                part[mine] = frontier.target[frontier.inverse[block.position[mine]]]
        dst.append(part)
    counts = [len(keys) for *_, keys in expander.layers]
    nodes = sum(counts)
    players = len(expander.scenario.players)
    edges = sum(len(part) for part in dst)
    degree = np.concatenate([block.degree for block in expander.blocks])
    weights = [np.zeros(len(block.label)) if block.weight is None else block.weight for block in expander.blocks]
    node_key = np.concatenate([keys for *_, keys in expander.layers])
    ladder = expander.scenario.ladder
    rung = expander.codec.column(node_key, ladder.id) if ladder else np.zeros(nodes)
    graph = Graph(
        players=expander.scenario.player_ids,
        layer_start=frozen(np.concatenate(([0], np.cumsum(counts))).astype(np.int32)),
        layer_player=frozen(np.array([layer[0] for layer in expander.layers], dtype=np.int32)),
        layer_round=frozen(np.array([layer[1] for layer in expander.layers], dtype=np.int32)),
        layer_turn=frozen(np.array(expander.layer_turns, dtype=np.int32)),
        layer_boundary=frozen(np.array([layer[2] for layer in expander.layers], dtype=np.bool_)),
        edge_start=frozen(np.concatenate(([0], np.cumsum(degree))).astype(np.int32)),
        edge_dst=frozen(np.concatenate(dst)),
        edge_label=frozen(np.concatenate([block.label for block in expander.blocks])),
        edge_weight=frozen(np.concatenate(weights)),
        edge_pay=frozen(np.zeros(edges, dtype=np.int32)),
        edge_prob=frozen(np.zeros(edges, dtype=np.int32)),
        node_reward=frozen(np.zeros((nodes, players), dtype=np.int32)),
        node_final=frozen(np.zeros((nodes, players), dtype=np.int32)),
        node_key=frozen(node_key),
        node_rung=frozen(rung),
        node_shape=frozen(_node_shape(expander, counts)),
        node_return=frozen(_node_return(expander, counts)),
        node_uncertain=frozen(np.repeat([index in expander.uncertain for index in range(len(counts))], counts)),
        roots=frozen(roots),
        labels=tuple(expander.labels),
    )
    able = [
        np.full(len(block.label), -1) if block.able is None else block.able
        for block in (expander.blocks if expander.types else ())
    ]
    played = frozenset(act.move for label in expander.labels for act in label.acts)
    return Expansion(
        graph=graph,
        sources=tuple(expander.sources),
        warnings=tuple(expander.warnings.values()),
        played=played,
        able=frozen(np.concatenate(able)) if expander.types else np.empty(0, np.int64),
    )
