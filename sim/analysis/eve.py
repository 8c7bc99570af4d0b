"""A game that begins where the recorded history stands at a date: the eve of a decision."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.analysis.replay import parse_moment, situation, split
from sim.construct.compile import compile as compile_game
from sim.construct.secrets import who_knows
from sim.errors import OptionError, did_you_mean
from sim.game.referee import reach
from sim.solve.registry import solve

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sim.game.graph import Game
    from sim.scenario.model import Scenario

__all__ = ["compile_from"]


def compile_from(
    scenario: Scenario, since: str | int, assumptions: Mapping[str, Any] | None = None, **options: Any
) -> Game:
    """Compile the game that begins at a date of the recorded history.

    Parameters
    ----------
    scenario
        A scenario with a recorded history.
    since
        A date or a round, such as ``"2016-10"``; with a player, ``"2016-10:russia"``, at that player's next recorded decision.
    assumptions
        Values instead of base values.
    **options
        As for :func:`sim.compile`: ``rounds``, ``hidden``, ``known``, ``remove``, ….

    Raises
    ------
    OptionError
        If there is no history, it leaves open in which state play stands, or a recorded move could only have been made by some types: beliefs
        begin at the prior.

    Examples
    --------
    >>> import sim
    >>> game = compile_from(sim.load("scenarios/rock_bottom.toml"), "2016-10:russia", rounds=5)
    >>> game.origin.first, game.graph.players[game.graph.layer_player[0]]
    (4, 'russia')
    """
    if not scenario.history:
        raise OptionError("the scenario records no history to begin from; add [[history]] tables")
    date, _, player = str(since).partition(":")
    if player and player not in scenario.player_ids:
        raise OptionError(f"'{player}' is not a player; {did_you_mean(player, scenario.player_ids)}")
    parse_moment(scenario, date)
    told = dict(options.get("known") or {})
    secret, _ = who_knows(scenario, options.get("hidden"), told)
    _refuse_tales(scenario, date, player, set(secret.privates) if secret else set())
    settled = {
        one.id: told.get(one.id, one.labels.values[int(one.known_as or 0)] if one.labels else one.known_as or 0.0)
        for one in scenario.privates
    }
    keep = {name: options[name] for name in ("remove", "node_limit", "progress") if name in options}
    before = {name: value if np.ndim(value) == 0 else np.ravel(value)[0] for name, value in (assumptions or {}).items()}
    public = compile_game(scenario, before, known=settled, hidden=(), **keep)
    uniform = solve(public, "quantal_response", precision=0.0)
    found = situation(uniform, date, player)
    graph = public.graph
    layer = graph.layer_of(found.node)
    weights = reach(found.replay.solution.game, found.replay.profile)[0, graph.nodes(layer)]
    states = np.unique(graph.node_key[graph.nodes(layer)][weights > 0])
    if len(states) > 1:
        shown = "; ".join(public.origin.codec.show(int(key)) for key in states[:2])
        raise OptionError(
            f"the recorded history leaves {len(states)} states open at {since} ({shown}, …); record what chance and the players did before"
        )
    game = compile_game(
        scenario,
        assumptions,
        first=int(graph.layer_round[layer]),
        first_turn=int(graph.layer_turn[layer]),
        starts=[int(states[0])],
        **options,
    )
    return replace(game, origin=replace(game.origin, recorded=len(found.replay.steps)))


def _refuse_tales(scenario: Scenario, date: str, player: str, secret: set[str]) -> None:
    """Stop if a move that was recorded before the start rules out types: beliefs could not begin at the prior there."""
    guards = {
        (player_id, action.label): action.guard.reads for action in scenario.actions for player_id in action.players
    }
    for record in split(scenario, date, player)[0]:
        reads = sorted(guards.get((record.player, record.action), frozenset()) & secret)
        if reads:
            raise OptionError(
                f"{record.player} is recorded to have made {record.action} before {date}, which not every type may make ({', '.join(reads)}), so that beliefs "
                f"cannot begin at the prior there; begin before it, or say what is known (--known {reads[0]}=…)"
            )
