r"""Fits of other concepts beside logit equilibrium: Akaike's criterion, and Vuong's test of models neither of which contains the other.

Over the recorded moves :math:`d = 1 \ldots n`, with :math:`m_d = \ln p_1(d) - \ln p_2(d)`, the statistic is
:math:`z = (\sum_d m_d - c) / (\sqrt{n}\, s)`, where :math:`s` is the standard deviation of :math:`m`. Under equal distance from the truth it is standard
normal for many moves. The correction :math:`c` for the numbers of parameters is 0, Akaike's :math:`k_1 - k_2`, or Schwarz's
:math:`\tfrac12 (k_1 - k_2) \ln n`.

Source: Vuong, Q. (1989), Econometrica 57:307-333.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.analysis.climb import climb, design, starts_of
from sim.analysis.likelihood import Model, Parameter, added
from sim.errors import OptionError
from sim.solve.registry import concept, option_names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sim.analysis.fit import Fit
    from sim.kinds import Floats

__all__ = ["FEW", "Rival", "Vuong", "rival", "vuong"]

FEW = 30
"""With fewer recorded moves than this the normal law of the statistic is not to be relied on."""
MOST_AHEAD = 6
LEVELS = 5
MOST_TAU = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Vuong:
    """Vuong's statistic; positive where the first model is nearer to the truth, NaN where it does not exist.

    Attributes
    ----------
    decisions : int
    plain, akaike, schwarz : float
        Uncorrected, and corrected for the numbers of parameters.
    """

    decisions: int
    plain: float
    akaike: float
    schwarz: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """Another concept, fitted to the same histories.

    Attributes
    ----------
    concept : str
    estimate : dict
        Of its own parameters, and of the free assumptions.
    log_likelihood, aic : float
        −∞ and ∞ where some recorded move has probability 0 whatever the parameters.
    impossible : str
        Then, the first such move at the values that are set.
    vuong : Vuong
        Logit equilibrium first.
    """

    concept: str
    estimate: Mapping[str, Any]
    log_likelihood: float
    aic: float
    impossible: str
    vuong: Vuong = field(repr=False)


def vuong(first: Floats, second: Floats, counts: Floats, more: int) -> Vuong:
    """Compute Vuong's statistic.

    Parameters
    ----------
    first, second : float arrays, (d,)
        Logarithms of the probability of each recorded move under either model.
    counts : float array, (d,)
        How often each counts.
    more
        How many parameters more the first model has.

    Examples
    --------
    >>> found = vuong(np.log([0.5, 0.8, 0.9]), np.log([0.5, 0.5, 0.5]), np.ones(3), 1)
    >>> round(found.plain, 3), found.akaike < found.plain
    (2.405, True)
    """
    n = float(counts.sum())
    nothing = Vuong(decisions=int(n), plain=float("nan"), akaike=float("nan"), schwarz=float("nan"))
    if n <= 1 or not (np.isfinite(first).all() and np.isfinite(second).all()):
        return nothing
    m = first - second
    total = float(counts @ m)
    variance = float(counts @ m**2) / n - (total / n) ** 2
    if variance <= 1e-18:  # noqa: PLR2004 - the same probabilities: nothing tells them apart
        return nothing
    scale = math.sqrt(n * variance)
    return Vuong(
        decisions=int(n),
        plain=total / scale,
        akaike=(total - more) / scale,
        schwarz=(total - 0.5 * more * math.log(n)) / scale,
    )


def _own(name: str, options: Mapping[str, Any], rounds: int) -> list[Parameter]:
    """Return the parameters that a concept is fitted with, unless they are set."""
    own = {
        "cognitive_hierarchy": Parameter(name="tau", kind="option", high=MOST_TAU, knee=1.0),
        "level_k": Parameter(name="level", kind="option", choices=tuple(range(LEVELS + 1))),
        "limited_foresight": Parameter(
            name="ahead", kind="option", choices=tuple(range(1, min(rounds, MOST_AHEAD) + 1))
        ),
    }
    return [own[name]] if name in own and own[name].name not in options else []


def rival(fitted: Fit, name: str, options: Mapping[str, Any]) -> Rival:
    """Fit another concept to the histories of a fit, with the same free assumptions, and compare.

    Parameters
    ----------
    fitted
        What it is compared with.
    name, options
        The concept, and what is set of its options; its mean level, its level or its foresight is estimated otherwise.

    Raises
    ------
    OptionError
        For a concept that has no probabilities to fit, and for logit equilibrium itself.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.fit import fit
    >>> found = fit(sim.load("scenarios/rock_bottom.toml"), points=17, profiles=False)
    >>> rival(found, "subgame_perfect", {}).impossible
    'propose_coalition'
    """
    concept(name)
    if name == fitted.model.concept:
        raise OptionError(f"{name} is what is fitted; compare it with another concept")
    wrong = [option for option in options if option not in option_names(name)]
    if wrong:
        raise OptionError(f"{name} has no option '{wrong[0]}'; it has {', '.join(option_names(name)) or 'none'}")
    base, data = fitted.model, fitted.data
    free = [one for one in fitted.parameters if one.kind == "assumption"]
    parameters = (*_own(name, options, base.game({}).origin.rounds), *free)
    model = Model(base.scenario, name, parameters, settings=base.settings, options=options, build=base.build)

    def height(points: Floats) -> Floats:
        return added(data.counts[None], model.likelihood(points, data.histories))[0]

    scan = design(model, 17, 8)
    heights = height(scan)
    starts = starts_of(scan, heights, 2)
    if not starts:
        point = model.base()
        return Rival(
            concept=name, estimate=model.told(point), log_likelihood=-math.inf, aic=math.inf, impossible=_impossible(model, point, fitted),
            vuong=Vuong(decisions=data.decisions, plain=float("nan"), akaike=float("nan"), schwarz=float("nan")),
        )  # fmt: skip
    best = max((climb(height, start, model.smooth) for start in starts), key=lambda one: one.height)
    ours, times = base.decisions(fitted.point, data)
    theirs, _ = model.decisions(best.point, data)
    return Rival(
        concept=name, estimate=model.told(best.point), log_likelihood=best.height, aic=2.0 * len(parameters) - 2.0 * best.height,
        impossible="", vuong=vuong(ours, theirs, times, len(fitted.parameters) - len(parameters)),
    )  # fmt: skip


def _impossible(model: Model, point: Floats, fitted: Fit) -> str:
    """Name the first recorded move that has probability 0."""
    from sim.analysis.follow import follow

    solution = model.solution(point)
    for records in fitted.data.histories:
        found = follow(solution, records=records, lenient=True)
        for step, share in zip(found.steps, found.probability[0].tolist(), strict=True):
            if step.player and share <= 0:
                return step.action
    return ""
