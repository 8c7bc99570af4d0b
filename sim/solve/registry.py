"""The registry of solution concepts, and the one way to solve a game."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.errors import OptionError, did_you_mean
from sim.kinds import Status, frozen
from sim.solve.contract import Answer, Certificate, Concept, Solution

if TYPE_CHECKING:
    from sim.game.assessment import Assessment
    from sim.game.graph import Game
    from sim.game.referee import Measures
    from sim.kinds import Floats

__all__ = [
    "CONCEPTS",
    "ELSEWHERE",
    "LATER",
    "Solution",
    "concept",
    "concepts_for",
    "default_concept",
    "judged",
    "option_names",
    "solve",
]

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
            horizons=("finite", "infinite"),
            types="either",
        ),
        Concept(
            name="perfect_bayesian",
            title="perfect Bayesian equilibrium, private types",
            module="sim.solve.perfect_bayesian",
            certificate="max_gain",
            reading="largest gain from one deviation at any information set, in units of the payoff range",
            tolerance=1e-6,
            affine_invariant=True,
            source="Fudenberg & Tirole (1991), Journal of Economic Theory 53:236-260",
            types="private",
        ),
        Concept(
            name="cutoff",
            title="cut-off equilibrium, continuous private costs",
            module="sim.solve.cutoff",
            certificate="residual",
            reading="largest distance of a share of types from a best answer, or of a payoff, in units of the payoff range",
            tolerance=1e-6,
            affine_invariant=True,
            source="Fearon (1994), American Political Science Review 88:577-592; Lewis & Schultz (2003), Political Analysis 11:345-367",
            types="number",
        ),
        Concept(
            name="markov_perfect",
            title="Markov-perfect equilibrium, infinite horizon",
            module="sim.solve.markov_perfect",
            certificate="max_gain",
            reading="largest gain from one deviation, in units of the payoff range",
            tolerance=1e-8,
            affine_invariant=True,
            source="Maskin & Tirole (2001), Journal of Economic Theory 100:191-219",
            horizons=("infinite",),
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
        Concept(
            name="limited_foresight",
            title="limited foresight, planning again at every node",
            module="sim.solve.limited_foresight",
            certificate="residual",
            reading="largest gain from one deviation in a plan, in units of the payoff range",
            tolerance=1e-8,
            affine_invariant=True,
            source="Jehiel (1995), Journal of Economic Theory 67:497-519, without rational forecasts",
        ),
    )
}
"""Every concept that can be solved, by name."""

ELSEWHERE = {
    "nash": (
        "all Nash equilibria of a strategic game",
        "sim.equilibria, or sim solve FILE.nfg; stages of a scenario: sim stages",
    ),
    "stability": (
        "stability in the graph model for conflict resolution",
        "sim stability SCENARIO, or sim solve --concept stability",
    ),
}
"""Concepts that are asked of other things than a compiled game: what they are, and how to ask."""

LATER = ("bargaining",)
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
    if name in ELSEWHERE:
        message = f"'{name}' is not asked of a compiled game: {ELSEWHERE[name][1]}"
    elif name in LATER:
        message = f"'{name}' is not built yet; this version solves {', '.join(CONCEPTS)}"
    else:
        message = f"'{name}' is not a solution concept; {did_you_mean(name, CONCEPTS)}"
    raise OptionError(message)


def concepts_for(game: Game) -> tuple[str, ...]:
    """Return the concepts that can be asked of a game.

    Examples
    --------
    >>> import sim
    >>> "subgame_perfect" in concepts_for(sim.compile(sim.load(sim.template())))
    True
    """
    horizon = "infinite" if game.graph.stationary else "finite"
    types = _secrets(game)
    if types == "number":
        return tuple(name for name, row in CONCEPTS.items() if row.types == types)
    return tuple(name for name, row in CONCEPTS.items() if horizon in row.horizons and row.types in (types, "either"))


def default_concept(game: Game) -> str:
    """Return the concept that is asked of a game unless another is named: the equilibrium that fits what players know and when play ends.

    Examples
    --------
    >>> import sim
    >>> default_concept(sim.compile(sim.load(sim.template())))
    'subgame_perfect'
    >>> default_concept(sim.compile(sim.load("scenarios/crisis_signalling.toml")))
    'cutoff'
    """
    return next((name for name in concepts_for(game) if CONCEPTS[name].types != "either"), concepts_for(game)[0])


def _secrets(game: Game) -> str:
    """Say what players know privately: ``none``, ``private`` for types, ``number``."""
    return "number" if game.shocks else "private" if game.types else "none"


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
    row = concept(name)
    module = import_module(row.module)
    for option in options:
        if option not in option_names(name):
            raise OptionError(f"{name} has no option '{option}'; {did_you_mean(option, option_names(name))}")
    secrets = _secrets(game)
    fits = row.types == secrets or (row.types == "either" and secrets != "number")
    if name not in concepts_for(game) and not fits:
        raise OptionError(_types_advice(name, game))
    if name not in concepts_for(game):
        what = "an infinite horizon" if game.graph.stationary else "a finite game"
        raise OptionError(f"{name} does not apply to {what}; ask for {' or '.join(concepts_for(game))}")
    if game.numbers.prospect is not None and not game.graph.plain:
        where = "the horizon is infinite" if game.graph.stationary else "players choose at once"
        raise OptionError(
            f"prospect theory is not done where {where}; let everybody take expectations there, or change the game"
        )
    chosen = module.Options(**options)
    answer = module.solve(game, chosen)
    others = [replace(answer, profile=profile, guess=guess, others=()) for profile, guess in answer.others]
    judged = [_judged(game, row, chosen, other) for other in others]
    judged += [
        _judged(game, row, chosen, replace(answer, assessment=one, refinement=kind, assessments=(), signalling=None))
        for one, kind in answer.assessments
    ]
    judged += [_judged(game, row, chosen, replace(answer, cutoffs=(one,))) for one in answer.cutoffs[1:]]
    kept = tuple(other for other in judged if other.status.certified)
    return replace(_judged(game, row, chosen, answer), others=kept)


def _types_advice(name: str, game: Game) -> str:
    """Say why a concept does not fit what players know."""
    secrets = game.shocks or game.types
    asked = " or ".join(concepts_for(game))
    if secrets is not None:
        first, hidden = secrets.privates[0], " and ".join(secrets.privates)
        about = {"number": "is about private numbers", "private": "is about private types with labels"}
        what = about.get(CONCEPTS[name].types, "takes all types as known")
        one = len(secrets.privates) == 1
        kind = "hidden" if game.types else "a hidden number" if one else "hidden numbers"
        return f"{name} {what}, and {hidden} {'is' if one else 'are'} {kind}; ask for {asked}, or say what is known (--known {first}=…)"
    scenario = getattr(game.origin, "scenario", None)
    number = CONCEPTS[name].types == "number"
    what = "private numbers" if number else "private types"
    fitting = [one.id for one in scenario.privates if (one.labels is None) == number] if scenario is not None else []
    if fitting:
        return f"{name} is about {what}, and here everybody knows them; hide some (--hidden {fitting[0]})"
    return f"{name} is about {what}, and nobody has any; ask for {asked}"


def judged(game: Game, name: str, profile: Floats, **options: Any) -> Solution:
    """Have the referee measure a profile that was made elsewhere, as an answer under a concept.

    Examples
    --------
    >>> import sim
    >>> solution = sim.solve(sim.compile(sim.load(sim.template())))
    >>> judged(solution.game, "subgame_perfect", solution.profile.copy()).status.name
    'CERTIFIED'
    """
    row = concept(name)
    return _judged(game, row, import_module(row.module).Options(**options), Answer(profile=profile))


def _with_plans(measures: Measures, answer: Answer) -> Measures:
    """Let the residual be the largest gain in any plan, in the game it was made for; infinite if the profile is not what was planned."""
    from sim.game.referee import measure

    for plan in answer.plans:
        found = measure(plan.game, plan.profile)
        kept = (answer.profile[:, plan.edges] == plan.profile[:, plan.edges]).all(axis=1)
        measures = replace(
            measures,
            residual=frozen(np.where(kept, np.maximum(measures.residual, found.max_gain), np.inf)),
            distribution_error=frozen(np.maximum(measures.distribution_error, found.distribution_error)),
            dependence=frozen(np.maximum(measures.dependence, found.dependence)),
        )
    return measures


def _judged(game: Game, row: Concept, chosen: Any, answer: Answer) -> Solution:
    """Have the referee measure an answer."""
    from sim.game.abreast import spell_out
    from sim.game.referee import measure, measure_replies

    if answer.assessment is not None:
        return _assessed(game, row, chosen, answer, answer.assessment)
    if game.shocks is not None:
        return _shared(game, row, chosen, answer)
    if game.types is not None:
        raise OptionError(
            "with private types a profile alone cannot be judged: it takes an assessment, beliefs included"
        )
    measures = measure(game, answer.profile, answer.precision, answer.guess)
    if answer.replies:
        measures = measure_replies(game, answer.replies, measures)
    measures = _with_plans(measures, answer)
    certificate = Certificate(measures=measures, kind=row.certificate, tolerance=row.tolerance, drawn=answer.drawn)
    profile = answer.profile
    spell_out(game, profile)
    status = Status.CERTIFIED if bool(certificate.certified.all()) else answer.ending or Status.NOT_CERTIFIED
    return Solution(
        game=game,
        concept=row.name,
        options=dataclasses.asdict(chosen),
        status=status,
        certificate=certificate,
        profile=frozen(profile),
        guess=answer.guess,
        stages=answer.stages,
        singular=answer.singular,
    )


def _assessed(game: Game, row: Concept, chosen: Any, answer: Answer, assessment: Assessment) -> Solution:
    """Have the referee measure an assessment."""
    from sim.game.assessment import measure_assessment, public_profile

    measures = measure_assessment(game, assessment, answer.precision)
    certificate = Certificate(measures=measures, kind=row.certificate, tolerance=row.tolerance)
    status = Status.CERTIFIED if bool(certificate.certified.all()) else answer.ending or Status.NOT_CERTIFIED
    return Solution(
        game=game,
        concept=row.name,
        options=dataclasses.asdict(chosen),
        status=status,
        certificate=certificate,
        profile=frozen(public_profile(game, assessment)),
        singular=answer.singular,
        assessment=assessment,
        refinement=answer.refinement,
        signalling=answer.signalling,
    )


def _shared(game: Game, row: Concept, chosen: Any, answer: Answer) -> Solution:
    """Have the referee measure the shares of types that take each action; a profile alone is held to the payoffs that the referee finds."""
    from sim.game.cutoff_referee import measure_cutoffs
    from sim.game.cutoffs import CutoffEquilibrium
    from sim.game.referee import Measures

    one_by_one = tuple(game.shocks.games) if game.shocks else ()
    given = answer.cutoffs[0] if answer.cutoffs else ()
    found: list[CutoffEquilibrium] = []
    for v, one in enumerate(one_by_one):
        said = given[v] if given else CutoffEquilibrium(
            probability=answer.profile[v], reach=one.reach(answer.profile[v]), payoff=np.zeros(len(one.players))
        )  # fmt: skip
        measures = measure_cutoffs(one, said)
        if not given:
            said = replace(said, payoff=measures.payoff)
            measures = replace(measures, payoff_error=0.0)
        found.append(replace(said, measures=measures))
    seen = [one.measures for one in found if one.measures is not None]
    indifferent = np.array([one.indifferent > row.tolerance for one in seen], dtype=np.int32)
    nothing = np.zeros(len(seen))
    measures = Measures(
        values=frozen(np.stack([one.payoff for one in seen])[:, None]),
        max_gain=frozen(np.array([one.off_path for one in seen])),
        tied_nodes=frozen(indifferent),
        tied_on_path=frozen(indifferent),
        residual=frozen(np.array([max(one.residual, one.off_path, one.payoff_error) for one in seen])),
        distribution_error=frozen(np.array([one.distribution for one in seen])),
        dependence=frozen(nothing),
        value_error=frozen(nothing),
    )
    certificate = Certificate(measures=measures, kind=row.certificate, tolerance=row.tolerance)
    return Solution(
        game=game,
        concept=row.name,
        options=dataclasses.asdict(chosen),
        status=Status.CERTIFIED if bool(certificate.certified.all()) else answer.ending or Status.NOT_CERTIFIED,
        certificate=certificate,
        profile=frozen(np.stack([one.probability for one in found])),
        cutoffs=tuple(found),
        search=answer.searches,
    )
