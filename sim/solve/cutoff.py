"""Cut-off equilibria of compiled games with private numbers; see :mod:`sim.solve.cutoffs` for how one is found.

All equilibria that are found are kept. The one that is played is chosen by a rule that is named in the result, since nothing in the game says which it
is: ``first`` takes the stable ones (index +1) first, and among them that with the likeliest first action.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sim.errors import OptionError, did_you_mean
from sim.game.cutoffs import CutoffEquilibrium
from sim.game.graph import CHANCE
from sim.kinds import Status
from sim.solve.contract import Answer
from sim.solve.cutoffs import search_cutoffs
from sim.solve.watch import tell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sim.game.cutoffs import CutoffGame
    from sim.game.graph import Game
    from sim.solve.cutoffs import CutoffSearch

__all__ = ["Options", "solve"]

RULES = ("first", "last", "best_for", "worst_for")
MOST_POINTS, MOST_STARTS = 100_000, 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Options: which equilibrium is played, how finely one unknown share is scanned, and starts where several are unknown at once.

    ``selection`` is ``first`` (stable ones first, then by falling probability of the first action, the second, …), ``last`` (the other
    end of that order), ``best_for:PLAYER`` or ``worst_for:PLAYER``.

    Examples
    --------
    >>> Options().selection, Options(selection="best_for:usa").points
    ('first', 128)
    """

    selection: str = "first"
    points: int = 128
    starts: int = 32
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse unknown rules and numbers out of bounds."""
        rule, _, player = self.selection.partition(":")
        if rule not in RULES or (rule in RULES[2:]) != bool(player):
            raise OptionError(
                f"selection is '{self.selection}'; expected first, last, best_for:PLAYER or worst_for:PLAYER"
            )
        for name, number, least, most in (
            ("points", self.points, 8, MOST_POINTS),
            ("starts", self.starts, 1, MOST_STARTS),
        ):
            if not least <= number <= most or int(number) != number:
                raise OptionError(f"{name} is {number}; expected a whole number from {least} to {most}")


def _ordered(game: Game, found: Sequence[CutoffEquilibrium], selection: str) -> list[CutoffEquilibrium]:
    """Sort equilibria by the rule of selection, the chosen one first."""
    rule, _, player = selection.partition(":")
    stable = sorted(found, key=lambda one: one.index != 1)  # keeps the order within
    if not player:
        return stable if rule == "first" else stable[::-1]
    if player not in game.graph.players:
        raise OptionError(
            f"selection names '{player}', who is not a player; {did_you_mean(player, game.graph.players)}"
        )
    sign = -1.0 if rule == "best_for" else 1.0
    return sorted(stable, key=lambda one: sign * float(one.payoff[game.graph.players.index(player)]))


def _nothing(game: CutoffGame) -> CutoffEquilibrium:
    """Return even shares, which stand for "nothing was found" until the referee refuses them."""
    counts = np.diff(game.edge_start)
    share = np.repeat(1.0 / np.maximum(counts, 1), counts)
    share = np.where(game.node_player[game.edge_source()] == CHANCE, game.edge_prob, share)
    return CutoffEquilibrium(probability=share, reach=game.reach(share), payoff=np.zeros(len(game.players)))


def solve(game: Game, options: Options) -> Answer:
    """Solve every variant of a game with private numbers.

    Parameters
    ----------
    game
        A game compiled with hidden numbers: its graph is a tree.
    options
        Selection among equilibria, and how hard they are looked for.

    Returns
    -------
    Answer
        The public shares of the chosen equilibrium; of a single variant the others too.

    Examples
    --------
    >>> import sim
    >>> solution = sim.solve(sim.compile(sim.load("scenarios/crisis_signalling.toml")), "cutoff")
    >>> solution.status.name, len(solution.others), solution.search[0].complete
    ('CERTIFIED', 2, True)
    >>> solution.profile[0, :2].round(4)
    array([0.9617, 0.0383])
    """
    if game.shocks is None:  # the registry asks for no others
        raise OptionError("cut-offs are about private numbers, and nobody has any")
    if not np.array_equal(game.graph.edge_dst, game.shocks.games[0].edge_dst):
        what = "this question changes the game, and what private numbers pay is known of the whole tree only"
        raise OptionError(
            f"{what}; leave out moves when it is compiled (--remove), or let all know the numbers (--known)"
        )
    chosen: list[CutoffEquilibrium] = []
    others: list[CutoffEquilibrium] = []
    searches: list[CutoffSearch] = []
    for v, one in enumerate(game.shocks.games):
        tell(v, len(game.shocks.games))
        search = search_cutoffs(one, points=int(options.points), starts=int(options.starts), seed=options.seed)
        found = _ordered(game, search.equilibria, options.selection)
        searches.append(search)
        chosen.append(found[0] if found else _nothing(one))
        others = found[1:]
    alternatives = [(one,) for one in others] if len(chosen) == 1 else []
    return Answer(
        profile=np.stack([one.probability for one in chosen]),
        cutoffs=(tuple(chosen), *alternatives),
        searches=tuple(searches),
        ending=None if all(search.equilibria for search in searches) else Status.NOTHING_FOUND,
    )
