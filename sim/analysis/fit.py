r"""Estimation: which precision, and which assumptions, make the recorded histories most likely under logit equilibrium.

The log-likelihood is that of the recorded moves, each given the records before it; chance is left out, and what is not recorded is summed over. It is scanned
over a design that holds :math:`\lambda = 0`, where play is uniform, so that the fitted likelihood is at least that of uniform play; then climbed from the best
points that lie apart. Twice the distance of the profile log-likelihood from the maximum is held against :math:`\chi^2_1`. Because :math:`\lambda = 0` lies
on the boundary, it is also held against the half-and-half mixture of :math:`\chi^2_0` and :math:`\chi^2_1` there.

Sources: Self, S. & Liang, K.-Y. (1987), Journal of the American Statistical Association 82:605-610; Signorino, C. (1999), American Political Science Review
93:279-297; Efron, B. & Tibshirani, R. (1993), An Introduction to the Bootstrap, chapter 6.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.analysis.climb import Peak, climb, design, flat_ends, profile, refit, starts_of, vertex
from sim.analysis.follow import follow
from sim.analysis.likelihood import Data, Model, Observed, Parameter, added, assumption_parameter, data_of
from sim.analysis.redraw import drawn, recorded, slots_of, tally
from sim.errors import NoAnswerError, OptionError
from sim.kinds import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sim.analysis.vuong import Rival
    from sim.kinds import Floats
    from sim.scenario.model import Record, Scenario

__all__ = ["Bootstrap", "Fit", "Interval", "Profile", "fit"]

KNEE, REACH = 1.0, 1e4
"""Precisions are scanned from 0 to ``REACH`` over the smallest payoff range, evenly up to about ``KNEE`` over the largest, then by factors."""
SAME = 1e-3  # log-likelihoods nearer than this are equally good
APART = 0.05  # of a scale: equally good points further apart than this are different answers
MOST_SAMPLES = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Values that a likelihood ratio does not reject; ``reached`` tells of either end whether it is a crossing, or only the end of the scan.

    Examples
    --------
    >>> Interval(low=0.0, high=2.0, reached=(False, True)).reached[0]
    False
    """

    low: float
    high: float
    reached: tuple[bool, bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The log-likelihood of one parameter, all others at their best.

    Attributes
    ----------
    name : str
    values : tuple
        From low to high, or the choices.
    log_likelihood : float array, (g,)
    intervals : tuple of Interval
        Where twice the distance from the maximum is at most the quantile of χ²₁; several if it leaves gaps, none for choices.
    zero_ratio : float
        For a precision: twice the distance of λ = 0; NaN for others.
    zero_p, zero_p_mixed : float
        Its p-value by χ²₁, and by the half-and-half mixture for a parameter on the boundary.
    """

    name: str
    values: tuple[Any, ...]
    log_likelihood: Floats = field(repr=False)
    intervals: tuple[Interval, ...]
    zero_ratio: float = float("nan")
    zero_p: float = float("nan")
    zero_p_mixed: float = float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bootstrap:
    """Refits of histories drawn from the fitted model.

    Attributes
    ----------
    samples, seed : int
    estimates : dict of tuples
        Of each parameter that has a scale, the estimate of every sample.
    intervals : dict of pairs
        Its percentile interval.
    at_zero, at_end : dict of float
        How often a sample's estimate lies at the lower and at the upper end of the scale.
    """

    samples: int
    seed: int
    estimates: Mapping[str, tuple[float, ...]] = field(repr=False)
    intervals: Mapping[str, tuple[float, float]]
    at_zero: Mapping[str, float]
    at_end: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """The estimate, and how much it is worth.

    Attributes
    ----------
    model, data
        What was fitted to what.
    parameters : tuple of Parameter
    estimate : dict
        By parameter.
    point, gradient : float array, (k,)
        The estimate along the scales, and the slope of the log-likelihood there.
    at_end : tuple of str
        Parameters whose estimate lies at an end of their scale.
    log_likelihood, uniform : float
        At the estimate, and under uniform play.
    decisions, histories : int
        How many recorded moves, in how many histories.
    aic, uniform_aic : float
        Akaike's criterion 2 k − 2 ln L; less is better.
    maxima : tuple of pairs
        What the local searches found, best first, each once: the estimate and its log-likelihood.
    flat : bool
        Whether points that are far apart fit equally well.
    profiles : tuple of Profile
    bootstrap : Bootstrap, optional
    rivals : tuple of Rival
    level : float
        Of all intervals.
    solved, unsolved : int
        How many games were solved for this, and how many had no certified answer.
    """

    model: Model = field(repr=False)
    data: Data = field(repr=False)
    parameters: tuple[Parameter, ...]
    estimate: Mapping[str, Any]
    point: Floats
    gradient: Floats
    at_end: tuple[str, ...]
    log_likelihood: float
    uniform: float
    decisions: int
    histories: int
    aic: float
    uniform_aic: float
    maxima: tuple[tuple[Mapping[str, Any], float], ...]
    flat: bool
    profiles: tuple[Profile, ...]
    bootstrap: Bootstrap | None
    rivals: tuple[Rival, ...]
    level: float
    solved: int
    unsolved: int


def fit(
    scenario: Scenario,
    *,
    free: Sequence[str] = (),
    each: bool = False,
    histories: Sequence[Observed | Sequence[Record]] = (),
    own: bool = True,
    settings: Mapping[str, Any] | None = None,
    build: Mapping[str, Any] | None = None,
    against: Sequence[str] = (),
    options: Mapping[str, Mapping[str, Any]] | None = None,
    points: int = 97,
    starts: int = 4,
    highest: float | None = None,
    profiles: bool = True,
    bootstrap: int = 0,
    seed: int = 1,
    level: float = 0.95,
) -> Fit:
    """Fit logit equilibrium to recorded histories.

    Parameters
    ----------
    scenario
        Whose game, and whose own history.
    free
        Assumptions to be estimated too, within their ranges or among their choices.
    each
        Whether every player has a precision of his own.
    histories, own
        More histories, and whether the scenario's own counts.
    settings, build
        The other assumptions, and how to compile.
    against, options
        Other concepts to compare with, and their options.
    points, starts
        How many precisions are scanned, and from how many points the search starts.
    highest
        The greatest precision scanned; by default 10⁴ over the smallest payoff range.
    profiles
        Whether to profile every parameter.
    bootstrap, seed
        How many samples are drawn from the fitted model and refitted; the same seed gives the same ones.
    level
        Of the intervals.

    Raises
    ------
    OptionError
        For parameters that cannot be estimated, and without any recorded move.
    NoAnswerError
        When the histories have probability 0 wherever it was looked.

    Examples
    --------
    >>> import sim
    >>> found = fit(sim.load("scenarios/rock_bottom.toml"), points=33)
    >>> found.log_likelihood > found.uniform, found.decisions, round(found.estimate["precision"], 1)
    (True, 10, 0.7)
    """
    if points < 5 or starts < 1 or not 0.5 < level < 1.0 or not 0 <= bootstrap <= MOST_SAMPLES:  # noqa: PLR2004
        what = f"points is {points}, starts {starts}, level {level:g}, bootstrap {bootstrap}"
        raise OptionError(f"{what}; expected at least 5 and 1, between 0.5 and 1, and 0 to {MOST_SAMPLES:,}")
    assumptions = [assumption_parameter(scenario, name) for name in dict.fromkeys(free)]
    plain = Model(scenario, "quantal_response", (), settings=settings, build=build)
    data = _gather(plain, histories, own=own)
    model = Model(
        scenario,
        "quantal_response",
        (*_precisions(plain, highest, each=each), *assumptions),
        settings=settings,
        build=build,
    )

    def height(some: Floats) -> Floats:
        return added(data.counts[None], model.likelihood(some, data.histories))[0]

    spread = 32 if len(model.smooth) > 1 else 1
    scan = design(model, points if len(model.parameters) == 1 else min(points, 25), spread)
    heights = height(scan)
    uniform = float(
        heights[
            (scan[:, [k for k, one in enumerate(model.parameters) if one.kind == "precision"]] == 0).all(axis=1)
        ].max()
    )
    found = _peaks(height, model, scan, heights, starts)
    tops = _tops(height, model, scan, heights, found)
    if tops[0].height > found[0].height:  # among choices from which no search started
        found.insert(0, tops[0])
    best = found[0]
    maxima = _distinct(found)
    flat = any(best.height - one.height <= SAME for one in maxima[1:])
    shown = _profiles(height, model, tops, points, level, scan, heights) if profiles else ()
    k = len(model.parameters)
    out = Fit(
        model=model, data=data, parameters=model.parameters, estimate=model.told(best.point), point=frozen(best.point),
        gradient=frozen(best.gradient), at_end=_ends(model, best.point), log_likelihood=best.height, uniform=uniform,
        decisions=data.decisions, histories=data.total, aic=2.0 * k - 2.0 * best.height, uniform_aic=-2.0 * uniform,
        maxima=tuple((model.told(one.point), one.height) for one in maxima), flat=flat, profiles=shown, bootstrap=None, rivals=(),
        level=level, solved=model.solved, unsolved=model.unsolved,
    )  # fmt: skip
    if bootstrap:
        out = replace(out, bootstrap=_bootstrap(out, bootstrap, seed, scan))
    if against:
        from sim.analysis.vuong import rival

        out = replace(
            out, rivals=tuple(rival(out, name, (options or {}).get(name, {})) for name in dict.fromkeys(against))
        )
    return replace(out, solved=model.solved, unsolved=model.unsolved)


def _gather(model: Model, histories: Sequence[Observed | Sequence[Record]], *, own: bool) -> Data:
    """Put the histories together, and see that each could have happened."""
    scenario = model.scenario
    told = [one for one in histories if isinstance(one, Observed)]
    bare = [tuple(one) for one in histories if not isinstance(one, Observed)]
    if own and scenario.history:
        told.insert(0, Observed(name=scenario.file, records=scenario.history, scenario=scenario))
    records = [one.records for one in told] + bare
    data = data_of(records)
    if not data.decisions:
        raise OptionError(
            "no move is recorded, so there is nothing to fit; add [[history]] tables, or name a file with --history"
        )
    solution = _uniform(model).solution(np.zeros(0))
    origin = solution.game.origin
    seen = {one.records: one.scenario for one in told}
    for one in data.histories:  # says of which file a record is, should it be impossible
        at = replace(origin, scenario=seen.get(one, scenario))
        with contextlib.suppress(NoAnswerError):  # other numbers may make it possible
            follow(replace(solution, game=replace(solution.game, origin=at)), records=one)
    return data


def _uniform(model: Model) -> Model:
    """Return the model of uniform play: precision 0, and nothing free."""
    return Model(
        model.scenario, "quantal_response", (), settings=model.settings, options={"precision": 0.0}, build=model.build
    )


def _precisions(model: Model, highest: float | None, *, each: bool) -> list[Parameter]:
    """Return the precision, or one for each player, scaled to the payoffs."""
    game = model.game({})
    span = game.numbers.span[game.numbers.span > 0]
    least, most = (float(span.min()), float(span.max())) if span.size else (1.0, 1.0)
    high = REACH / least if highest is None else highest
    if not 0 < high <= 1e9:  # noqa: PLR2004
        raise OptionError(f"the highest precision is {high:g}; expected a number above 0")
    knee = min(KNEE / most, high)
    names = game.graph.players if each else ("",)
    return [
        Parameter(name=f"precision.{who}" if who else "precision", kind="precision", high=high, knee=knee, player=who)
        for who in names
    ]


def _peaks(height: Callable[[Floats], Floats], model: Model, scan: Floats, heights: Floats, starts: int) -> list[Peak]:
    """Climb from the best points that lie apart; best first, none below the best point of the scan."""
    chosen = starts_of(scan, heights, starts)
    if not chosen:
        raise NoAnswerError("the recorded histories have probability 0 wherever it was looked; allow lower precisions")
    found = [climb(height, start, model.smooth) for start in chosen]
    top = int(heights.argmax())
    if max(one.height for one in found) < heights[top]:  # the search left the scale's end and did not come back
        found.append(Peak(point=scan[top], height=float(heights[top]), gradient=np.full(scan.shape[1], np.nan)))
    return sorted(found, key=lambda one: -one.height)


def _tops(
    height: Callable[[Floats], Floats], model: Model, scan: Floats, heights: Floats, found: Sequence[Peak]
) -> list[Peak]:
    """Return the best known point of each combination of choices, best first: of the peaks, of its best point of the scan, and of the best point of all."""
    chosen = [k for k, one in enumerate(model.parameters) if one.choices]
    if not chosen:
        return [found[0]]
    out: list[Peak] = []
    for combination in model.combinations():
        rows = np.flatnonzero((scan[:, chosen] == combination).all(axis=1))
        top = int(rows[heights[rows].argmax()])
        known = [one for one in found if (one.point[chosen] == combination).all()]
        if not known:
            slope = np.full(scan.shape[1], np.nan)
            known = [climb(height, scan[top], model.smooth)]
            known.append(Peak(point=scan[top], height=float(heights[top]), gradient=slope))
        near = found[0].point.copy()
        near[chosen] = combination
        if (near != found[0].point).any():
            known.append(climb(height, near, model.smooth))
        out.append(max(known, key=lambda one: one.height))
    return sorted(out, key=lambda one: -one.height)


def _distinct(found: Sequence[Peak]) -> list[Peak]:
    """Leave out what was found before."""
    out: list[Peak] = []
    for one in found:
        if all(np.abs(one.point - other.point).max() > APART for other in out):
            out.append(one)
    return out


def _ends(model: Model, point: Floats) -> tuple[str, ...]:
    """Name the parameters that stand at an end of their scale."""
    at = flat_ends(point, model.smooth)
    return tuple(one.name for one, end in zip(model.parameters, at, strict=True) if end)


def _profiles(
    height: Callable[[Floats], Floats],
    model: Model,
    tops: Sequence[Peak],
    points: int,
    level: float,
    scan: Floats,
    heights: Floats,
) -> tuple[Profile, ...]:
    """Profile every parameter; one with a scale along every combination of the choices that is possible at all."""
    possible = [one for one in tops if np.isfinite(one.height)]
    at = np.stack([one.point for one in possible])
    chosen = [k for k, one in enumerate(model.parameters) if one.choices]
    out: list[Profile] = []
    for place, one in enumerate(model.parameters):
        if one.choices:
            out.append(_choices(one, tops, place))
            continue
        others = [k for k in model.smooth if k != place]
        grid = np.unique(np.append(np.linspace(0.0, 1.0, 17 if others else points), at[:, place]))
        found, where = profile(height, at, place, model.smooth, grid)
        for c, top in enumerate(possible):
            rows = (scan[:, chosen] == top.point[chosen]).all(axis=1)
            seen = np.vstack([scan[rows], top.point]), np.append(heights[rows], top.height)
            _lift(height, *seen, place, others, grid, found[c], where[c])
        out.append(_smooth(height, model, tops[0].height, place, level, grid, found, where))
    return tuple(out)


def _lift(
    height: Callable[[Floats], Floats],
    seen: Floats,
    heights: Floats,
    place: int,
    others: Sequence[int],
    grid: Floats,
    found: Floats,
    where: Floats,
) -> None:
    """Lift a profile (g,) and its points (g, k) to the points seen with the same choices: it is never below them."""
    for g, x in enumerate(grid):
        rows = np.flatnonzero(np.abs(seen[:, place] - x) < 1e-12)  # noqa: PLR2004
        if not rows.size:
            continue
        row = rows[heights[rows].argmax()]
        if not heights[row] > found[g]:
            continue
        gap = heights[row] - found[g]
        found[g], where[g] = heights[row], seen[row]
        if others and gap > SAME:  # a better hill than the one followed
            peak = climb(height, seen[row], others)
            if peak.height > found[g]:
                found[g], where[g] = peak.height, peak.point


def _choices(one: Parameter, tops: Sequence[Peak], place: int) -> Profile:
    """Profile a parameter among its choices: each at the best of the other choices."""
    out = [max(top.height for top in tops if top.point[place] == choice) for choice in range(len(one.choices))]
    return Profile(name=one.name, values=one.choices, log_likelihood=frozen(np.array(out)), intervals=())


def _smooth(
    height: Callable[[Floats], Floats],
    model: Model,
    best: float,
    place: int,
    level: float,
    grid: Floats,
    every: Floats,
    where: Floats,
) -> Profile:
    """Find the intervals of a profile from that of every combination of choices (c, g), and hold λ = 0 against the maximum."""
    from scipy.optimize import brentq
    from scipy.stats import chi2

    one = model.parameters[place]
    cut = float(chi2.ppf(level, 1))
    others = [k for k in model.smooth if k != place]

    def above(x: float, starts: Floats) -> float:
        at = starts.copy()
        at[:, place] = x
        top = max(climb(height, start, others).height for start in at) if others else float(height(at).max())
        return min(2.0 * (best - top), 1e3) - cut

    found = every.max(axis=0)
    inside = 2.0 * (best - found) <= cut
    ends: list[list[tuple[float, bool]]] = []
    for g in np.flatnonzero(inside):
        if g == 0 or not inside[g - 1]:
            ends.append([(grid[g], False), (grid[g], False)])
            if g > 0:
                ends[-1][0] = (_root(brentq, above, grid[g - 1], grid[g], where[:, g], fine=not others), True)
        ends[-1][1] = (grid[g], False)
        if g + 1 < len(grid) and not inside[g + 1]:
            ends[-1][1] = (_root(brentq, above, grid[g], grid[g + 1], where[:, g], fine=not others), True)
    intervals = tuple(
        Interval(low=one.value(low[0]), high=one.value(high[0]), reached=(low[1], high[1])) for low, high in ends
    )
    ratio = float("nan")
    if one.kind == "precision":
        ratio = max(0.0, 2.0 * (best - float(found[0])))
    return Profile(
        name=one.name, values=tuple(np.asarray(one.values(grid)).tolist()), log_likelihood=frozen(found), intervals=intervals,
        zero_ratio=ratio, zero_p=float(chi2.sf(ratio, 1)), zero_p_mixed=1.0 if ratio == 0 else 0.5 * float(chi2.sf(ratio, 1)),
    )  # fmt: skip


def _root(
    brentq: Any, above: Callable[[float, Floats], float], low: float, high: float, start: Floats, *, fine: bool
) -> float:
    """Find the crossing between two values; the middle if the searches from here do not bracket it."""
    if above(low, start) * above(high, start) > 0:
        return (low + high) / 2.0
    return float(brentq(above, low, high, args=(start,), xtol=1e-7 if fine else 1e-3))


def _bootstrap(fitted: Fit, samples: int, seed: int, scan: Floats) -> Bootstrap:
    """Draw sets of histories from the fitted model, and fit each."""
    model, data = fitted.model, fitted.data
    solution = model.solution(fitted.point)
    rng = np.random.default_rng(np.random.SeedSequence(seed))
    plays = drawn(solution, samples * data.total, rng)
    distinct, which = recorded(solution, plays, slots_of(solution, data.histories))
    counts = tally(which, samples, len(distinct))
    smooth = model.smooth
    heights = added(counts, model.likelihood(scan, distinct))
    if len(model.parameters) == 1 and smooth:
        at = vertex(scan[:, 0], heights)[:, None]
    else:
        at = refit(lambda tried: _many(model, counts, distinct, tried), scan, heights, smooth)
    estimates: dict[str, tuple[float, ...]] = {}
    intervals: dict[str, tuple[float, float]] = {}
    tail = (1.0 - fitted.level) / 2.0
    for place in smooth:
        one = model.parameters[place]
        values = np.asarray(one.values(at[:, place]))
        estimates[one.name] = tuple(values.tolist())
        low, high = np.quantile(values, [tail, 1.0 - tail])
        intervals[one.name] = (float(low), float(high))
    names = [model.parameters[k].name for k in smooth]
    zero = {name: float((at[:, k] <= TOUCH).mean()) for name, k in zip(names, smooth, strict=True)}
    end = {name: float((at[:, k] >= 1.0 - TOUCH).mean()) for name, k in zip(names, smooth, strict=True)}
    return Bootstrap(samples=samples, seed=seed, estimates=estimates, intervals=intervals, at_zero=zero, at_end=end)


TOUCH = 1e-3  # nearer to an end of a scale than this is at it


def _many(model: Model, counts: Floats, distinct: Sequence[Sequence[Record]], tried: Floats) -> Floats:
    """Return each sample's log-likelihood at its own points (b, m, k): (b, m)."""
    samples, each, size = tried.shape
    logs = model.likelihood(tried.reshape(-1, size), distinct)
    own = np.repeat(counts, each, axis=0)
    with np.errstate(invalid="ignore"):
        terms = np.where(own > 0, own * logs, 0.0)
    return terms.sum(axis=1).reshape(samples, each)
