r"""Level-k play: every player believes that all others, and their own later selves, reason one level less.

Level 0 plays weighted uniform at every node. Level k takes at each node a best reply to level k − 1 at every other node (agent form:
levels are not updated along the path), ties in proportion to weights. The reported profile is that of the asked level.

Source: Nagel, R. (1995) Unraveling in guessing games, American Economic Review 85:1313-1326; for extensive forms Ho, T.-H. & Su, X.
(2013) A dynamic level-k model in sequential games, Management Science 59:452-469, without its updating.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sim.errors import OptionError
from sim.solve.contract import Answer
from sim.solve.replies import best_replies, uniform_play

if TYPE_CHECKING:
    from sim.game.graph import Game
    from sim.kinds import Floats

__all__ = ["MAX_LEVEL", "Options", "solve"]

MAX_LEVEL = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Options: the level, 0 or more.

    Examples
    --------
    >>> Options().level
    1
    """

    level: int = 1

    def __post_init__(self) -> None:
        """Refuse what is not a level."""
        if not (isinstance(self.level, int) and 0 <= self.level <= MAX_LEVEL):  # pyright: ignore[reportUnnecessaryIsInstance] - a user's value
            raise OptionError(f"level is {self.level}; expected a whole number from 0 to {MAX_LEVEL}")


def solve(game: Game, options: Options) -> Answer:
    """Climb the levels.

    Parameters
    ----------
    game
        Finite; players move one at a time or at once.
    options
        The level.

    Returns
    -------
    Answer
        The profile of that level, with every step (a profile and the reply to it) for the referee.

    Examples
    --------
    >>> import sim
    >>> answer = solve(sim.compile(sim.load(sim.template())), Options(level=2))
    >>> len(answer.replies)
    2
    """
    profile = uniform_play(game)
    steps: list[tuple[Floats, Floats]] = []
    for _ in range(options.level):
        reply = best_replies(game, profile)
        steps.append((profile, reply))
        profile = reply
    errs = np.zeros((game.variants, len(game.graph.players))) if options.level == 0 else None
    return Answer(profile=profile.copy(), precision=errs, replies=tuple(steps))
