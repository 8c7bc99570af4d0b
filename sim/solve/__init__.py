"""Solution concepts: one file each, one registry, one contract.

The package is also the function ``sim.solve``: a folder and the front door share the name, so the module itself can be called.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.game.graph import Game
    from sim.solve.contract import Solution


class _Front(ModuleType):
    """A module that can be called."""

    def __call__(self, game: Game, concept: str = "subgame_perfect", **options: Any) -> Solution:
        """Solve a game under one concept; see :func:`sim.solve.registry.solve`."""
        from sim.solve.registry import solve

        return solve(game, concept, **options)


sys.modules[__name__].__class__ = _Front
