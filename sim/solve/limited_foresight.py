r"""Limited foresight: players look h rounds ahead, and plan again at every node.

At a node of round r all players are taken to solve the game up to the end of round :math:`r + h - 1`, and to think that the state reached by
then lasts: each is paid its round's payoff in every round that is left, and nothing else. One action is taken, and the next node is planned
for anew. With h at least the number of rounds left this is subgame perfection.

Source: Jehiel, P. (1995) Limited horizon forecast in repeated alternate games, Journal of Economic Theory 67:497-519, without its demand that
forecasts be right; Fang, L., Hipel, K. & Kilgour, D. M. (1993) Interactive Decision Making, ch. 3 (its limited-move stability looks h moves ahead).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sim.errors import OptionError
from sim.game.graph import SIMULTANEOUS, TERMINAL, Game
from sim.kinds import frozen
from sim.solve.contract import Answer, Plan
from sim.solve.equilibrium_stage import Chooser, check_rule
from sim.solve.induction import backward, check_ties
from sim.solve.stages import induct

__all__ = ["MOST_ROUNDS", "Options", "solve", "truncated"]

MOST_ROUNDS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Options: how many rounds players look ahead, the present one included, and the rules of subgame perfection.

    Examples
    --------
    >>> Options().ahead
    2
    """

    ahead: int = 2
    ties: str = "uniform"
    selection: str = "payoff_dominant"
    fallback: str = "logit_limit"

    def __post_init__(self) -> None:
        """Refuse what is no number of rounds, and unknown rules."""
        if not (isinstance(self.ahead, int) and 1 <= self.ahead <= MOST_ROUNDS):  # pyright: ignore[reportUnnecessaryIsInstance] - a user's value
            raise OptionError(f"ahead is {self.ahead}; expected a whole number from 1 to {MOST_ROUNDS}")
        check_ties(self.ties)
        check_rule(self.selection, "selection")
        check_rule(self.fallback, "fallback")


def truncated(game: Game, number: int, ahead: int) -> Game:
    """Return the game as seen from a round: what is before and after the rounds in view pays at once and ends.

    Parameters
    ----------
    game
        A finite game.
    number
        The present round.
    ahead
        How many rounds are in view.

    Examples
    --------
    >>> import sim
    >>> game = sim.compile(sim.load(sim.template()))
    >>> truncated(game, 1, 1).graph.node_count == game.graph.node_count
    True
    """
    graph, numbers = game.graph, game.numbers
    last = int(graph.layer_round.max())
    outside = (graph.layer_round >= number + ahead) | (graph.layer_round < number)
    outside &= graph.layer_player != TERMINAL
    kinds = graph.layer_player.copy()
    kinds[outside] = TERMINAL
    nodes = np.flatnonzero(outside[graph.node_layer()])
    left = last - (number + ahead - 1)
    delta = numbers.discount
    with np.errstate(all="ignore"):
        worth = np.where(delta == 1, left, (1 - delta**left) / (1 - delta))  # of 1 in each round that is left
    players = len(graph.players)
    columns = np.unique(graph.node_reward)
    base = numbers.reward.shape[1]
    place = base + np.searchsorted(columns, graph.node_reward[nodes]) * players + np.arange(players)
    final = graph.node_final.copy()
    final[nodes] = place
    added = numbers.reward[:, columns][:, :, None] * worth[:, None, :]
    reward = np.concatenate((numbers.reward, added.reshape(numbers.variants, -1)), axis=1)
    return replace(
        game,
        graph=replace(graph, layer_player=frozen(kinds), node_final=frozen(final)),
        numbers=replace(numbers, reward=frozen(reward)),
    )


def solve(game: Game, options: Options) -> Answer:
    """Plan at every round, and take the first step of each plan.

    Parameters
    ----------
    game
        Finite; players move one at a time or at once.
    options
        How far players look.

    Returns
    -------
    Answer
        The profile, with the plan of each round for the referee.

    Examples
    --------
    >>> import sim
    >>> game = sim.compile(sim.load(sim.template()))
    >>> far = solve(game, Options(ahead=5)).profile
    >>> bool((far[0, :2] == sim.solve(game, "subgame_perfect").profile[0, :2]).all())
    True
    """
    graph = game.graph
    profile = np.zeros((game.variants, graph.edge_count))
    rounds = np.repeat(graph.layer_round, np.diff(graph.layer_start))[graph.edge_source()]
    mover = graph.layer_player[graph.node_layer()][graph.edge_source()]
    counts: dict[str, Any] = {}
    plans: list[Plan] = []
    for number in np.unique(graph.layer_round):
        seen = truncated(game, int(number), options.ahead)
        plan = np.zeros_like(profile)
        chooser = Chooser(
            players=graph.players, variants=game.variants, selection=options.selection, fallback=options.fallback
        )
        induct(seen, backward(seen, options.ties), chooser, plan)
        taken: Any = np.flatnonzero((rounds == number) & ((mover >= 0) | (mover == SIMULTANEOUS)))
        profile[:, taken] = plan[:, taken]
        plans.append(Plan(game=seen, profile=plan, edges=taken))
        for name, count in chooser.counts().items() if graph.simultaneous else ():
            counts[name] = counts.get(name, 0) + count
    return Answer(profile=profile, plans=tuple(plans), stages=counts, drawn=options.selection == "public")
