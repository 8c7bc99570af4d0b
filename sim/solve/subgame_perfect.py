r"""Subgame-perfect equilibrium of finite games, by backward induction on the merged graph.

Where one player moves, an action with the greatest value is taken and ties are resolved by a named rule (:mod:`sim.solve.induction`). Where several choose at
once, the stage with its continuation values is a strategic game: its equilibria are enumerated, and a named rule chooses one
(:mod:`sim.solve.equilibrium_stage`). The choices at all nodes together are one equilibrium, not all of them.

Source: Selten, R. (1965), Zeitschrift für die gesamte Staatswissenschaft 121:301-324.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sim.solve.contract import Answer
from sim.solve.equilibrium_stage import Chooser, check_rule
from sim.solve.induction import backward, check_ties, induct_all
from sim.solve.stages import induct

if TYPE_CHECKING:
    from sim.game.graph import Game

__all__ = ["Options", "solve"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Options: the rule that resolves ties, and those that choose among the equilibria of simultaneous turns.

    ``selection`` and ``fallback`` are rules of :mod:`sim.solve.equilibrium_stage`.

    Examples
    --------
    >>> Options().ties, Options(selection="best_for:usa").fallback
    ('uniform', 'logit_limit')
    """

    ties: str = "uniform"
    selection: str = "payoff_dominant"
    fallback: str = "logit_limit"

    def __post_init__(self) -> None:
        """Refuse an unknown rule."""
        check_ties(self.ties)
        check_rule(self.selection, "selection")
        check_rule(self.fallback, "fallback")


def solve(game: Game, options: Options) -> Answer:
    """Solve every variant of a game.

    Parameters
    ----------
    game
        Finite; players move one at a time or at once.
    options
        The rules.

    Returns
    -------
    Answer
        A profile of shape (v, e), not yet measured.

    Examples
    --------
    >>> import sim
    >>> answer = solve(sim.compile(sim.load(sim.template())), Options(ties="first"))
    >>> answer.profile.shape
    (1, 11)
    """
    graph = game.graph
    profile = np.zeros((game.variants, graph.edge_count))
    if game.plain:
        induct_all(game, options.ties, profile)
        return Answer(profile=profile)
    chooser = Chooser(
        players=graph.players, variants=game.variants, selection=options.selection, fallback=options.fallback
    )
    induct(game, backward(game, options.ties), chooser, profile)
    if not graph.simultaneous:
        return Answer(profile=profile)
    return Answer(profile=profile, stages=chooser.counts(), drawn=options.selection == "public")
