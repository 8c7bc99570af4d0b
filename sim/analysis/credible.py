"""Costs that make a threat credible: where an assumption carries the probability that a threat is carried out across a level.

A threat is a move at the end of a history, and what counts is the probability with which it is made *there*, however seldom play comes so far: credible
threats are seldom put to the test. The assumption is scanned over its range, every change of sides is a crossing, and each is bracketed more and more tightly
by solving between its ends. Nothing is assumed about monotony; two crossings between neighbouring points of the scan are missed together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.construct.compile import compile as compile_game
from sim.errors import NoAnswerError, OptionError, did_you_mean
from sim.kinds import frozen
from sim.scenario.values import structural
from sim.solve.registry import CONCEPTS, default_concept, solve

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sim.game.graph import Game
    from sim.kinds import Floats
    from sim.scenario.model import Scenario

__all__ = ["Credible", "Crossing", "credible", "node_after"]

CLOSE = 1e-6
"""How tightly a crossing is bracketed, in units of the range."""
PARTS = 10  # into which a bracket is cut at a time
MOST_TURNS = 60
JUMP = 1e-3


class _NowhereError(OptionError):
    """The move cannot be made where it is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """Where the probability crosses the level: between two values of the assumption, with the probability at either.

    Examples
    --------
    >>> one = Crossing(low=0.2, high=0.2000001, before=0.0, after=1.0)
    >>> one.rising, one.jump
    (True, True)
    """

    low: float
    high: float
    before: float
    after: float

    @property
    def value(self) -> float:
        """The middle of the bracket."""
        return (self.low + self.high) / 2.0

    @property
    def rising(self) -> bool:
        """Whether the threat is carried out more often above."""
        return self.after > self.before

    @property
    def jump(self) -> bool:
        """Whether the probability jumps there, as it does where a best move changes, or another equilibrium is selected."""
        return abs(self.after - self.before) > JUMP


@dataclass(frozen=True, slots=True, kw_only=True)
class Credible:
    """For which values of an assumption a threat is credible.

    Attributes
    ----------
    concept, assumption, move, player, at, level
        What was asked.
    values, probability : float arrays, (p,)
        The scan: the assumption, and how often the threat is carried out; NaN where there was no certified answer.
    crossings : tuple of Crossing
        From low to high values.
    resolution : float
        The distance of neighbouring values of the scan.
    unsolved : tuple of float
        Values without a certified answer; a crossing next to one may be wider than asked for.
    """

    concept: str
    assumption: str
    move: str
    player: str
    at: str
    level: float
    values: Floats
    probability: Floats
    crossings: tuple[Crossing, ...]
    resolution: float
    unsolved: tuple[float, ...]


def node_after(game: Game, at: str, move: str, player: str = "") -> int:
    """Find the decision node at which a move is a threat.

    Parameters
    ----------
    game
        A compiled game.
    at
        The history before it, such as ``"challenge > resist"``: moves, labels of actions, or outcomes of chance. Empty: the first node at
        which the player may make the move.
    move, player
        The move or group, and who makes it, if several may.

    Raises
    ------
    OptionError
        If there is no such node, or several.

    Examples
    --------
    >>> import sim
    >>> node_after(sim.compile(sim.load("scenarios/crisis_signalling.toml")), "challenge > resist", "fight")
    2
    """
    graph = game.graph
    able = [
        any(graph.labels[label].plays(move, player) for label in graph.edge_label[graph.edges_of(node)])
        for node in range(graph.node_count)
    ]
    if not at:
        layers = graph.node_layer()[np.flatnonzero(able)]
        found = [int(node) for node in np.flatnonzero(able) if graph.node_layer()[node] == layers.min()]
    else:
        steps = [step.strip() for step in at.split(">")]
        found = [node for node in _walk(game, steps) if able[node]]
    if not found:
        where = f"after {at}" if at else "anywhere"
        raise _NowhereError(
            f"{player or 'nobody'} may{' not' if player else ''} make {move} {where}; see sim moves --at"
        )
    if len(found) > 1:
        where = f"after {at}" if at else f"first in round {int(graph.layer_round[graph.layer_of(found[0])])}"
        raise OptionError(
            f"{move} may be made at {len(found)} nodes {where}; say which history leads there (at), chance included"
        )
    return found[0]


def _walk(game: Game, steps: list[str]) -> list[int]:
    """Follow the steps from every root; turns at which nothing of importance can be said are passed over. Return the decision nodes after them."""
    graph = game.graph
    here = {(int(root), 0) for root in graph.roots}
    out: set[int] = set()
    while here:
        node, done = here.pop()
        edges = graph.edges_of(node)
        if done == len(steps):
            out.add(node)
        labels = [graph.labels[int(graph.edge_label[edge])] for edge in edges]
        fits = [done < len(steps) and (steps[done] == label.text or label.plays(steps[done])) for label in labels]
        for edge, fit in zip(edges, fits, strict=True):
            if fit or len(edges) == 1:
                here.add((int(graph.edge_dst[edge]), done + fit))
    return sorted(out)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """The question, and how it is put to one value or many."""

    scenario: Scenario
    assumption: str
    move: str
    player: str
    at: str
    concept: str
    settings: Mapping[str, Any]
    build: Mapping[str, Any]
    options: Mapping[str, Any]

    def shares(self, values: Floats) -> Floats:
        """Return how often the threat is carried out at each value, (p,); NaN without a certified answer."""
        if self.assumption not in structural(self.scenario):
            return self.batch(values)
        return np.concatenate([self.alone(values[k : k + 1]) for k in range(len(values))])

    def alone(self, value: Floats) -> Floats:
        """Solve for one value that shapes the game; where the move cannot be made it is made with probability 0."""
        try:
            return self.batch(value)
        except _NowhereError:
            return np.zeros(1)

    def batch(self, values: Floats) -> Floats:
        """Solve a batch."""
        game = compile_game(self.scenario, {**self.settings, self.assumption: values}, **self.build)
        node = node_after(game, self.at, self.move, self.player)
        graph = game.graph
        edges = [
            edge
            for edge in graph.edges_of(node)
            if graph.labels[int(graph.edge_label[edge])].plays(self.move, self.player)
        ]
        solution = solve(game, self.concept, **self.options)
        share = solution.profile[:, edges].sum(axis=1)
        return np.where(solution.certificate.certified, share, np.nan)


def credible(
    scenario: Scenario, assumption: str, move: str, player: str = "", *, level: float = 0.5, at: str = "", concept: str = "",
    points: int = 101, between: tuple[float, float] | None = None, settings: Mapping[str, Any] | None = None,
    build: Mapping[str, Any] | None = None, **options: Any,
) -> Credible:  # fmt: skip
    """Find the values of an assumption at which the probability that a threat is carried out crosses a level.

    Parameters
    ----------
    scenario
        A loaded scenario.
    assumption
        A number with a range.
    move, player
        The threat, a move or group, and who makes it, if several may.
    level
        The probability to cross.
    at
        The history after which it is due, such as ``"challenge > resist"``; by default the first node at which it may be made.
    concept
        The solution concept; by default the one that fits the game.
    points
        How many values are scanned.
    between
        Scan this part of the range only.
    settings
        Other assumptions, instead of their base values.
    build
        Options of :func:`sim.compile`: ``hidden``, ``known``, ``rounds``, ``remove``.
    **options
        The concept's options.

    Raises
    ------
    OptionError
        For unknown names, an assumption without a range, and a threat that cannot be made.
    NoAnswerError
        If no value of the scan has a certified answer.

    Examples
    --------
    How much must backing down cost for a challenger who is resisted to fight as often as not?

    >>> import sim
    >>> found = credible(sim.load("scenarios/crisis_signalling.toml"), "a_audience", "fight", at="challenge > resist", points=5)
    >>> [(round(one.value, 3), one.rising) for one in found.crossings], found.concept
    ([(-1.9, False)], 'cutoff')
    """
    given = scenario.assumptions.get(assumption)
    if given is None:
        raise OptionError(f"'{assumption}' is not an assumption; {did_you_mean(assumption, scenario.assumptions)}")
    if given.range is None or given.labels is not None:
        raise OptionError(f"assumption '{assumption}' has no range to search; give it one, or ask about another")
    if not scenario.members(move):
        known = {word for action in scenario.actions for word in (action.move, action.group) if word}
        raise OptionError(f"'{move}' is not a move or group; {did_you_mean(move, known)}")
    if player and player not in scenario.player_ids:
        raise OptionError(f"'{player}' is not a player; {did_you_mean(player, scenario.player_ids)}")
    low, high = between or given.range
    if not (0.0 < level < 1.0 and points > 1 and given.range[0] <= low < high <= given.range[1]):
        message = f"level is {level}, points {points}, between {low:g} and {high:g}"
        raise OptionError(
            f"{message}; expected a level between 0 and 1, two points or more, and a part of the range {given.range}"
        )
    made = _built(scenario, concept, build or {})
    base = compile_game(scenario, settings, **made)
    node_after(base, at, move, player)  # at the assumption's own value it must be possible
    concept = concept or default_concept(base)
    asked = _Asked(
        scenario=scenario, assumption=assumption, move=move, player=player, at=at, concept=concept, settings=settings or {}, build=made,
        options=options,
    )  # fmt: skip
    values = np.linspace(low, high, points)
    probability = asked.shares(values)
    solved = np.isfinite(probability)
    if not solved.any():
        raise NoAnswerError(
            f"{concept} has no certified answer at any of {points} values of {assumption} from {low:g} to {high:g}"
        )
    brackets = _tighten(asked, _sides(values, probability, level), level, CLOSE * (given.range[1] - given.range[0]))
    return Credible(
        concept=concept,
        assumption=assumption,
        move=move,
        player=player,
        at=at,
        level=level,
        values=frozen(values),
        probability=frozen(probability),
        crossings=tuple(Crossing(low=a, high=b, before=p, after=q) for a, b, p, q in brackets),
        resolution=float(values[1] - values[0]),
        unsolved=tuple(values[~solved].tolist()),
    )


def _built(scenario: Scenario, concept: str, build: Mapping[str, Any]) -> dict[str, Any]:
    """Hide all private types that are not said to be known, if the concept is about them and nothing else is said."""
    about = concept in CONCEPTS and CONCEPTS[concept].types in ("private", "number")
    if not about or "hidden" in build:
        return dict(build)
    told = build.get("known") or {}
    return {**build, "hidden": [one.id for one in scenario.privates if one.id not in told]}


Bracket = tuple[float, float, float, float]


def _sides(values: Floats, probability: Floats, level: float) -> list[Bracket]:
    """Find where neighbouring values that were solved lie on different sides of the level."""
    some = np.flatnonzero(np.isfinite(probability))
    above = probability[some] >= level
    turns = np.flatnonzero(above[1:] != above[:-1])
    pairs = [(some[k], some[k + 1]) for k in turns.tolist()]
    return [(float(values[a]), float(values[b]), float(probability[a]), float(probability[b])) for a, b in pairs]


def _tighten(asked: _Asked, brackets: list[Bracket], level: float, close: float) -> list[Bracket]:
    """Cut brackets into parts, all in one batch, until each is narrow."""
    for _ in range(MOST_TURNS):
        wide = [one for one in brackets if one[1] - one[0] > close]
        if not wide:
            break
        grids = [np.linspace(one[0], one[1], PARTS + 1) for one in wide]
        inner = asked.shares(np.concatenate([grid[1:-1] for grid in grids])).reshape(len(wide), -1)
        narrow = [one for one in brackets if one[1] - one[0] <= close]
        for one, grid, found in zip(wide, grids, inner, strict=True):
            if not np.isfinite(found).any():
                return sorted(brackets)  # nothing between is solved: they stay as wide as they are
            narrow += _sides(grid, np.concatenate([[one[2]], found, [one[3]]]), level)
        brackets = sorted(narrow)
    return sorted(brackets)
