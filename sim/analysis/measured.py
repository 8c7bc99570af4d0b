"""What an experiment asks of a block of solved variants: outcomes, values, trajectories and measures."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.analysis.compare import compare
from sim.analysis.follow import advantages, best_of, chosen, follow, situations, worths
from sim.analysis.outcomes import lone_first
from sim.analysis.paths import play
from sim.analysis.plan import read_type
from sim.analysis.replay import one_variant, situation
from sim.analysis.stability import equilibrium_counts
from sim.construct.compile import renumber
from sim.game.assessment import sight

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sim.analysis.paths import Paths
    from sim.analysis.plan import Measure
    from sim.analysis.survey import Case
    from sim.game.graph import EdgeLabel, Game
    from sim.kinds import Floats
    from sim.scenario.model import Scenario
    from sim.solve.contract import Solution

__all__ = ["Measurer", "move_names"]

MOST_COUNTS = 4096


class Measurer:
    """Asks outcomes and measures of solutions.

    Parameters
    ----------
    scenario
        The scenario.
    outcomes, measures
        What is asked.
    trajectories
        Whether distributions by round are kept.
    """

    def __init__(
        self, scenario: Scenario, outcomes: Sequence[str], measures: Mapping[str, Measure], *, trajectories: bool
    ) -> None:
        self.scenario, self.outcomes, self.measures, self.trajectories = scenario, outcomes, measures, trajectories
        self.compared = {measure.parting for measure in measures.values() if measure.parting}
        self.counts: dict[Any, dict[str, int]] = {}

    def shapes(self, game: Game) -> dict[str, tuple[int, ...]]:
        """Name every answer, with the axes that it has after the variants.

        Parameters
        ----------
        game
            One of the games: all have as many rounds, where trajectories are kept.
        """
        out: dict[str, tuple[int, ...]] = {f"value_{player}": () for player in self.scenario.player_ids}
        ends = game.origin.rounds - game.origin.first + 2
        for name in self.outcomes:
            if lone_first(self.scenario.questions[name].expression):
                out |= {f"{name}.never": (), f"{name}.round": ()}
                if self.trajectories:
                    out[f"{name}.by"] = (ends,)
            else:
                out[name] = ()
        ladder = self.scenario.ladder
        if self.trajectories and ladder:
            moves = len(move_names(self.scenario))
            out |= {"distribution": (ends, ladder.size), "first_passage": (ends, ladder.size), "likely": (ends,)}
            out["played"] = (game.origin.rounds, moves)
        return out | dict.fromkeys(self.measures, ())

    def measured(
        self,
        solution: Solution,
        paths: Paths,
        rows: Any,
        others: Mapping[str, Sequence[tuple[Solution, Any]]],
        case: Case,
    ) -> dict[str, Any]:
        """Ask everything of a solution that is certified in every variant.

        Parameters
        ----------
        solution, paths
            The solution, and its paths from where the case follows them.
        rows
            Which variants of the block these are.
        others
            By label, the solutions of other concepts with their variants.
        case
            The case.

        Returns
        -------
        dict of arrays
            Each (v, …).
        """
        out: dict[str, Any] = {}
        for i, player in enumerate(self.scenario.player_ids):
            out[f"value_{player}"] = solution.values[:, i]
        for name in self.outcomes:
            if paths.is_first(name):
                found = paths.distribution(name)
                out[f"{name}.never"], out[f"{name}.round"] = found.never, found.expectation
                if self.trajectories:
                    ends = np.array(paths.rounds, dtype=np.float64)
                    by = np.where(found.values <= ends[:, None], found.probability[:, None, :], 0.0)
                    out[f"{name}.by"] = np.ascontiguousarray(by).sum(axis=2)
            else:
                out[name] = paths.outcome(name)
        if self.trajectories:
            out["distribution"], out["first_passage"] = paths.trajectory(), paths.first_passage()
            out["likely"] = np.stack([paths.likely(None, v) for v in range(paths.game.variants)])
            out["played"] = _played(paths)
        told: dict[
            tuple[str, str], tuple[tuple[EdgeLabel, ...], Floats]
        ] = {}  # what several measures of one decision share
        for name, measure in self.measures.items():
            where = measure.at, measure.player
            if measure.worth:
                if where not in told:
                    told[where] = worths(solution, measure.at or None, measure.player)
                labels, values = told[where]
                out[name] = best_of(labels, values, measure.worth)
            else:
                out[name] = self.one(name, measure, solution, rows, others, case)
        return out

    def one(
        self,
        name: str,
        measure: Measure,
        solution: Solution,
        rows: Any,
        others: Mapping[str, Sequence[tuple[Solution, Any]]],
        case: Case,
    ) -> Any:
        """Ask one measure, (v,)."""
        variants = range(solution.game.variants)
        if measure.range_of:
            return _ranges(solution, measure.range_of)
        if measure.state:
            return situations(solution, measure.at or None, measure.player)[0].astype(np.float64)
        if measure.likelihood:
            return follow(solution, lenient=True).log_likelihood
        if measure.separates or measure.posterior or measure.chance:
            return np.array([_told(solution, measure, variant) for variant in variants])
        if measure.parting:
            pairs = others[measure.parting]
            return np.array([_parts(solution, variant, int(rows[variant]), pairs) for variant in variants])
        if measure.equilibria:
            return np.array([self.stable(solution, variant, case)[name] for variant in variants], dtype=np.float64)
        if measure.chosen:
            return chosen(solution, measure.chosen, measure.at or None, measure.player)
        paid = repaid(solution, measure.paid) if measure.paid else solution
        return advantages(paid, measure.advantage, measure.at or None, measure.player)

    def stable(self, solution: Solution, variant: int, case: Case) -> dict[str, int]:
        """Count the equilibria that measures ask for, once for each case and variant: the graph model knows no concept but its own."""
        given = solution.game.assumptions
        settings = {
            name: float(given[name][min(variant, given[name].size - 1)]) for name in solution.game.origin.settings
        }
        key = case.name, tuple(settings.items())
        found = self.counts.get(key)
        if found is None:
            if len(self.counts) >= MOST_COUNTS:
                self.counts.clear()
            found = dict[str, int]()
            for sequences in ("legal", "single"):
                asked = {
                    name: (measure.equilibria, measure.under)
                    for name, measure in self.measures.items()
                    if measure.equilibria and measure.sequences == sequences
                }
                if asked:
                    found |= equilibrium_counts(self.scenario, settings, asked, sequences=sequences, remove=case.remove)
            self.counts[key] = found
        return found


def _ranges(solution: Solution, player: str) -> Floats:
    """Return the range of a player's payoffs, (v,): that by which ties are told."""
    game = solution.game
    span = game.numbers.span[:, game.graph.players.index(player)]
    return span.reshape(game.variants, -1).max(axis=1)


def repaid(solution: Solution, changed: Mapping[str, Any]) -> Solution:
    """Return the same strategies in the game that other values of some assumptions make: what is played stays, what it is worth changes.

    What comes back is no equilibrium of that game; only its values are meant.
    """
    game = solution.game
    settings: dict[str, Any] = {name: game.assumptions[name] for name in game.origin.settings}
    other = renumber(game, {**settings, **changed})
    return replace(solution, game=other.repeat(game.variants) if other.variants < game.variants else other)


def _parts(solution: Solution, variant: int, row: int, pairs: Sequence[tuple[Solution, Any]]) -> float:
    """Return the round in which a solution and that of another concept first favour different actions; NaN if they never do."""
    for other, rows in pairs:
        places = np.flatnonzero(np.asarray(rows) == row)
        if len(places) and other.status.certified:
            if other is solution:
                return float("nan")
            found = compare([one_variant(other, int(places[0])), one_variant(solution, variant)]).parting
            return float("nan") if found is None else float(found.round)
    return float("nan")


def _told(solution: Solution, measure: Measure, variant: int) -> float:
    """Return what a choice tells about its maker's type, what is believed after it, or how likely a type makes it."""
    from sim.analysis.signals import signal_at

    origin, types = solution.game.origin, solution.game.types
    name, value = (
        (measure.separates, "") if measure.separates else read_type(origin.scenario, measure.posterior or measure.of)
    )
    owner = origin.scenario.private(name).known_to
    if measure.separates and measure.at == "end":
        return _learned(solution, owner, variant)
    found = signal_at(solution, situation(solution, measure.at or None, owner, variant).node, variant)
    if measure.separates or types is None or origin.hidden is None or name not in origin.hidden.values:
        return found.separation
    wanted = origin.scenario.private(name).labels.index(value)
    player = solution.game.graph.players.index(owner)
    kinds = [k for k in range(len(found.types)) if origin.hidden.values[name][types.holds(player, k)][0] == wanted]
    if measure.posterior:
        return float(found.of(measure.after).posterior[kinds].sum())
    weight = np.where(found.prior[kinds].sum() > 0, found.prior[kinds], 1.0)
    return float(found.of(measure.chance).probability[kinds] @ weight / weight.sum())


def _learned(solution: Solution, owner: str, variant: int) -> float:
    """Return how much of a player's type is known when play ends: the entropy that all choices take away, as a share of that at the start."""
    types, assessment, graph = solution.game.types, solution.assessment, solution.game.graph
    if types is None or assessment is None:
        return float("nan")
    player = graph.players.index(owner)
    seen = sight(types, assessment.belief[variant], variant).public
    own = np.stack([seen[:, types.holds(player, k)].sum(axis=1) for k in range(types.count[player])], axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        entropy = -np.where(own > 0, own * np.log(own), 0.0).sum(axis=1)
        first = types.marginal(player)[variant]
        start = -float(np.where(first > 0, first * np.log(first), 0.0).sum())
    ends = np.diff(graph.edge_start) == 0
    reached = play(solution).reached[variant]
    known = types.node_class[:, player] >= 0
    if start <= 0 or (reached[ends & ~known] > 0).any():  # nothing to learn; or what was told last is forgotten
        return float("nan")
    return 1.0 - float(reached[ends] @ entropy[ends]) / start


def move_names(scenario: Scenario) -> list[str]:
    """Name every move of every player.

    Examples
    --------
    >>> import sim
    >>> move_names(sim.load(sim.template()))
    ['challenger:push', 'challenger:fight', 'defender:resist', 'defender:yield_now', 'challenger:hold']
    """
    return list(dict.fromkeys(f"{player}:{action.move}" for action in scenario.actions for player in action.players))


def _played(paths: Paths) -> Floats:
    """Return the probability that each move is made in each round, shape (v, t, moves)."""
    graph = paths.game.graph
    origin = paths.game.origin
    names = {name: place for place, name in enumerate(move_names(origin.scenario))}
    rounds = np.repeat(graph.layer_round, np.diff(graph.layer_start))[graph.edge_source()]
    out = np.zeros((paths.game.variants, origin.rounds, len(names)))
    most = max((len(label.acts) for label in graph.labels), default=0)
    for place in range(most):  # a joint action makes several moves
        found = [label.acts[place] if place < len(label.acts) else None for label in graph.labels]
        column = np.array([names[f"{act.player}:{act.move}"] if act else -1 for act in found])[graph.edge_label]
        made = column >= 0
        code = (rounds[made] - 1) * len(names) + column[made]
        source = graph.edge_source()[made]
        for v in range(paths.game.variants):
            weights = paths.reached[v, source] * paths.profile[v, made]
            share = np.bincount(code, weights=weights, minlength=origin.rounds * len(names))
            out[v] += share.reshape(origin.rounds, len(names))
    return out
