"""The escalation simulator: an argument about a crisis, as a game that is solved and certified.

The front door; every name is handed on lazily, so that importing the package costs nothing.

Examples
--------
>>> import sim
>>> scenario = sim.load(sim.template())
>>> game = sim.compile(scenario, {"prize": 1})
>>> solution = sim.solve(game, "subgame_perfect")
>>> solution.status.name
'CERTIFIED'
>>> float(sim.play(solution).outcome("war")[0])
0.0
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.analysis.experiment import run
    from sim.analysis.paths import Paths, play
    from sim.construct.compile import compile  # noqa: A004
    from sim.construct.gambit import write_game
    from sim.construct.gambit_read import read_game
    from sim.errors import ExperimentError, NoAnswerError, OptionError, ScenarioError, SimError
    from sim.game.graph import Game
    from sim.scenario.load import dump, load
    from sim.scenario.model import Scenario
    from sim.solve.contract import Solution
    from sim.solve.nash import equilibria
    from sim.solve.registry import solve
    from sim.templates import template

__version__ = "0.1.0"

_HOMES = {
    "ExperimentError": "sim.errors",
    "Game": "sim.game.graph",
    "NoAnswerError": "sim.errors",
    "OptionError": "sim.errors",
    "Paths": "sim.analysis.paths",
    "Scenario": "sim.scenario.model",
    "ScenarioError": "sim.errors",
    "SimError": "sim.errors",
    "Solution": "sim.solve.contract",
    "compile": "sim.construct.compile",
    "dump": "sim.scenario.load",
    "equilibria": "sim.solve.nash",
    "load": "sim.scenario.load",
    "play": "sim.analysis.paths",
    "read_game": "sim.construct.gambit_read",
    "run": "sim.analysis.experiment",
    "solve": "sim.solve.registry",
    "template": "sim.templates",
    "write_game": "sim.construct.gambit",
}

__all__ = [
    "ExperimentError",
    "Game",
    "NoAnswerError",
    "OptionError",
    "Paths",
    "Scenario",
    "ScenarioError",
    "SimError",
    "Solution",
    "__version__",
    "compile",
    "dump",
    "equilibria",
    "load",
    "play",
    "read_game",
    "run",
    "solve",
    "template",
    "write_game",
]


def __getattr__(name: str) -> object:
    """Import a name of the front door when it is first asked for."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    message = f"module 'sim' has no attribute '{name}'"
    raise AttributeError(message)


def __dir__() -> list[str]:
    """List the front door."""
    return __all__
