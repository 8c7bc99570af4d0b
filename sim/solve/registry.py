"""The registry of solution concepts, and the one way to solve a game."""

from __future__ import annotations

import dataclasses
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.errors import OptionError, did_you_mean
from sim.kinds import Status, frozen
from sim.solve.contract import Certificate, Concept, Solution

if TYPE_CHECKING:
    from sim.game.graph import Game

__all__ = ["CONCEPTS", "LATER", "Solution", "concept", "option_names", "solve"]

CONCEPTS: dict[str, Concept] = {
    row.name: row
    for row in (
        Concept(
            name="subgame_perfect",
            title="subgame-perfect equilibrium",
            module="sim.solve.subgame_perfect",
            certificate="max_gain",
            reading="largest gain from one deviation, in units of the payoff range",
            tolerance=1e-8,
            affine_invariant=True,
            source="Selten (1965); backward induction, one-shot deviation principle",
        ),
        Concept(
            name="quantal_response",
            title="logit agent quantal response equilibrium",
            module="sim.solve.quantal_response",
            certificate="residual",
            reading="largest distance from the logit response",
            tolerance=1e-9,
            affine_invariant=False,
            source="McKelvey & Palfrey (1998), Experimental Economics 1:9-41",
        ),
        Concept(
            name="level_k",
            title="level-k play, agent form",
            module="sim.solve.level_k",
            certificate="residual",
            reading="largest shortfall of a reply to the level below, in units of the payoff range",
            tolerance=1e-8,
            affine_invariant=True,
            source="Nagel (1995), American Economic Review 85:1313-1326",
        ),
        Concept(
            name="cognitive_hierarchy",
            title="Poisson cognitive hierarchy, agent form",
            module="sim.solve.cognitive_hierarchy",
            certificate="residual",
            reading="largest shortfall of a reply to the levels below, in units of the payoff range",
            tolerance=1e-8,
            affine_invariant=True,
            source="Camerer, Ho & Chong (2004), Quarterly Journal of Economics 119:861-898",
        ),
    )
}
"""Every concept that can be solved, by name."""

LATER = (
    "nash",
    "markov_perfect",
    "perfect_bayesian",
    "stability",
    "limited_foresight",
    "bargaining",
)
"""Concepts that the language knows and this version cannot solve yet."""


def concept(name: str) -> Concept:
    """Return a concept by name.

    Raises
    ------
    OptionError
        For an unknown name, with advice.

    Examples
    --------
    >>> concept("subgame_perfect").certificate
    'max_gain'
    """
    if name in CONCEPTS:
        return CONCEPTS[name]
    if name in LATER:
        message = f"'{name}' is not built yet; this version solves {', '.join(CONCEPTS)}"
    else:
        message = f"'{name}' is not a solution concept; {did_you_mean(name, CONCEPTS)}"
    raise OptionError(message)


def option_names(name: str) -> tuple[str, ...]:
    """Return the options that a concept takes.

    Examples
    --------
    >>> option_names("level_k")
    ('level',)
    """
    return tuple(field.name for field in dataclasses.fields(import_module(concept(name).module).Options))


def solve(game: Game, name: str = "subgame_perfect", **options: Any) -> Solution:
    """Solve a game under one concept and have the referee measure the answer.

    Parameters
    ----------
    game
        A compiled game, one or more variants.
    name
        A registered concept.
    **options
        The concept's options: see the ``Options`` of its module.

    Returns
    -------
    Solution
        Certified for all variants if ``status`` is ``CERTIFIED``; look at ``certificate.certified`` for each.

    Raises
    ------
    OptionError
        For unknown concepts and options, and values out of bounds.

    Examples
    --------
    >>> import sim
    >>> game = sim.compile(sim.load(sim.template()))
    >>> solve(game, "quantal_response", precision=2.0).status.name
    'CERTIFIED'
    """
    from sim.game.referee import measure, measure_replies

    row = concept(name)
    module = import_module(row.module)
    for option in options:
        if option not in option_names(name):
            raise OptionError(f"{name} has no option '{option}'; {did_you_mean(option, option_names(name))}")
    chosen = module.Options(**options)
    answer = module.solve(game, chosen)
    measures = measure(game, answer.profile, answer.precision)
    if answer.replies:
        measures = measure_replies(game, answer.replies, measures)
    certificate = Certificate(measures=measures, kind=row.certificate, tolerance=row.tolerance)
    graph, numbers = game.graph, game.numbers
    movers = np.repeat(np.repeat(graph.layer_player, np.diff(graph.layer_start)), np.diff(graph.edge_start))
    profile = answer.profile
    chance = movers < 0
    profile[:, chance] = numbers.prob[:, graph.edge_prob[chance], 0]
    status = Status.CERTIFIED if bool(certificate.certified.all()) else Status.NOT_CERTIFIED
    return Solution(
        game=game,
        concept=name,
        options=dataclasses.asdict(chosen),
        status=status,
        certificate=certificate,
        profile=frozen(profile),
    )
