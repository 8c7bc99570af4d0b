"""Simultaneous turns as strategic games: their payoffs with what follows, all their equilibria, and the one that is played."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.analysis.choices import part_of
from sim.analysis.replay import situation
from sim.errors import OptionError
from sim.solve.equilibrium_stage import equilibria_of
from sim.solve.stages import Stage, marginals, stages_of

if TYPE_CHECKING:
    from sim.kinds import Floats
    from sim.solve.contract import Solution
    from sim.solve.nash import Equilibrium

__all__ = ["StageInfo", "list_stages", "stage_at"]

PAIR = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class StageInfo:
    """One stage.

    Attributes
    ----------
    node, round, state
        Where.
    players, actions
        Who has a choice, and what each may do.
    payoffs : float array, (i, a1, …)
        What every action is worth to those players, play going on as the solution says.
    played : tuple of float arrays
        Each player's own probabilities under the solution.
    equilibria : tuple of Equilibrium
        All extreme equilibria of a stage of two players; empty for more.
    """

    node: int
    round: int
    state: dict[str, str | int | bool]
    players: tuple[str, ...]
    actions: tuple[tuple[str, ...], ...]
    payoffs: Floats
    played: tuple[Floats, ...]
    equilibria: tuple[Equilibrium, ...]


def _info(solution: Solution, stage: Stage, place: int, variant: int, found: Any) -> StageInfo:
    """Describe one node of a group of stages."""
    graph = solution.game.graph
    node = int(stage.nodes[place])
    players = tuple(graph.players[i] for i in stage.active)
    labels = [graph.labels[graph.edge_label[edge]] for edge in stage.edges[place]]
    actions = []
    for axis, name in enumerate(players):
        first = [
            np.ravel_multi_index(tuple(a if k == axis else 0 for k in range(len(players))), stage.shape)
            for a in range(stage.shape[axis])
        ]
        actions.append(tuple(part_of(labels[int(k)], name).text for k in first))
    payoffs = np.stack([stage.q[0, place, :, i].reshape(stage.shape) for i in stage.active])
    share = solution.profile[variant, stage.edges[place]]
    return StageInfo(
        node=node,
        round=int(graph.layer_round[graph.layer_of(node)]),
        state=solution.game.origin.codec.labelled(int(graph.node_key[node])),
        players=players,
        actions=tuple(actions),
        payoffs=payoffs,
        played=tuple(marginals(share, stage.shape)),
        equilibria=found,
    )


def list_stages(solution: Solution, variant: int = 0, *, several: bool = False) -> tuple[StageInfo, ...]:
    """List the stages of a solved game in order of play.

    Parameters
    ----------
    solution, variant
        What is played.
    several
        Only those with several equilibria.

    Examples
    --------
    >>> import sim
    >>> list_stages(sim.solve(sim.compile(sim.load(sim.template()))))
    ()
    """
    out: list[StageInfo] = []
    later = None if solution.guess is None else solution.guess[variant]
    for stage in stages_of(solution.game, solution.profile, variant, later):
        enumerable = 0 < len(stage.active) <= PAIR
        if not stage.active:
            continue
        found = equilibria_of(stage)[2] if enumerable else None
        for place in range(len(stage.nodes)):
            some = found[place] if found is not None else ()
            if len(some) > 1 or not several:
                out.append(_info(solution, stage, place, variant, some))
    return tuple(sorted(out, key=lambda info: info.node))


def stage_at(solution: Solution, at: str | int | None = None, player: str = "") -> StageInfo:
    """Return the stage that the recorded history, or a history that is told, leads to.

    Raises
    ------
    OptionError
        If players do not choose at once there.
    """
    where = situation(solution, at, player)
    one = where.replay.solution
    found = [info for info in list_stages(one) if info.node == where.node]
    if not found:
        raise OptionError("nobody chooses at once there; ask sim moves")
    return found[0]
