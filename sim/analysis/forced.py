"""A move that is made for certain at the first decision, after the records, at which it is available."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim.analysis.replay import round_of
from sim.errors import OptionError
from sim.game.referee import reach

if TYPE_CHECKING:
    from sim.analysis.follow import Followed
    from sim.kinds import Floats

__all__ = ["forced"]


def forced(walked: Followed, since: str, name: str, case: str = "") -> Floats:
    """Make a move, or a group, certain at the first decision after the records where it is available.

    Where several moves of the group are available they keep the proportions of the solution, or else their weights under uniform play.

    Parameters
    ----------
    walked
        The records, followed in every variant.
    since
        The date or round from which the move may be made.
    name
        A move or group.
    case
        The name of the case, for messages.

    Returns
    -------
    float array, (v, e)
        Weights of edges, for :func:`sim.analysis.paths.play`.

    Raises
    ------
    OptionError
        If nobody can make the move after the records in some variant.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.follow import follow
    >>> solution = sim.solve(sim.compile(sim.load("scenarios/rock_bottom.toml")), "quantal_response", precision=1.0)
    >>> weights = forced(follow(solution, until="2016-10"), "2016-10", "full_break")
    >>> bool(abs(sim.play(solution, weights).outcome("full_break_played")[0] - 1.0) < 1e-9)
    True
    """
    solution, graph = walked.solution, walked.solution.game.graph
    profile = np.array(walked.profile)
    weights = reach(solution.game, profile)
    source = graph.edge_source()
    least = round_of(solution, since)
    open_ = np.ones(len(profile), dtype=np.bool_)
    for layer in range(graph.layer_count):
        after = open_ & (layer > walked.layer)
        if graph.layer_round[layer] < least or not after.any():
            continue
        edges = np.arange(graph.edges(layer).start, graph.edges(layer).stop)
        wanted = np.array([graph.labels[label].plays(name) for label in graph.edge_label[edges]], dtype=np.bool_)
        if not wanted.any():
            continue
        able = after & (weights[:, source[edges[wanted]]] > 0).any(axis=1)
        node = source[edges] - source[edges[0]]
        for v in np.flatnonzero(able):
            share = np.where(wanted, np.maximum(solution.profile[v, edges], 0.0), 0.0)
            has = np.bincount(node, weights=share)
            share = np.where(wanted & (has[node] <= 0), graph.edge_weight[edges], share)
            total = np.bincount(node, weights=share)[node]
            profile[v, edges] = np.divide(share, total, out=profile[v, edges].copy(), where=total > 0)
        open_ &= ~able
        if not open_.any():
            return profile
    where = f"arm '{case}' forces {name}, which" if case else name
    raise OptionError(f"{where} is available to nobody after {since}")
