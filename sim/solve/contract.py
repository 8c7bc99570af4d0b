"""What every solver takes and gives."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.errors import NoAnswerError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sim.game.assessment import Assessment
    from sim.game.cutoffs import CutoffEquilibrium
    from sim.game.graph import Game
    from sim.game.referee import Measures
    from sim.kinds import Bools, Floats, Keys, Status
    from sim.solve.cutoffs import CutoffSearch
    from sim.solve.signalling import SignallingEquilibria

__all__ = ["Answer", "Certificate", "Concept", "Plan", "Solution"]

SUM_TOLERANCE = 1e-9
BAYES_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What players of limited foresight plan for: a truncated game, their profile in it (v, e), and the edges at which it is carried out."""

    game: Game
    profile: Floats
    edges: Keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A solver's bare answer, before the referee has seen it.

    Attributes
    ----------
    profile : float array, (v, e)
    precision : float array, (v, i), optional
        For logit responses.
    replies : tuple of pairs
        For bounded reasoning: what each level believes all others play, and its reply, each (v, e).
    guess : float array, (v, n, i), optional
        For stationary games: the values that the solver believes in.
    stages : dict of int arrays (v,)
        Where several choose at once: how many stages had several equilibria, how many of those the rule left open, and of how many the list of
        equilibria is not proved to be complete.
    drawn : bool
        Whether choices made at once may depend on each other through a public draw.
    singular : float array, (v,), optional
        Smallest singular value of the Jacobian of the equations solved.
    others : tuple of pairs
        Other equilibria that were found: profiles (v, e) and values (v, n, i).
    plans : tuple of Plan
        For limited foresight: the referee measures every plan in the game that it was made for.
    ending : Status, optional
        Why the solver stopped short, if it did; the referee decides all the same.
    assessment : Assessment, optional
        With private types: strategies and beliefs; ``profile`` is then what one expects who knows no type.
    assessments : tuple of Assessment
        With private types: other equilibria that were found, each with its refinement.
    refinement : tuple of str
        With private types: of each variant, whether the assessment is the limit of a path of trembles.
    cutoffs : tuple of tuples of CutoffEquilibrium
        With private numbers: of each variant the equilibrium whose shares are ``profile``; then, one by one, the others that were found.
    searches : tuple of CutoffSearch
        With private numbers: what was found in each variant.
    signalling : SignallingEquilibria, optional
        Of a sender-receiver game of one variant: all its equilibria, up to what happens off the path.
    """

    profile: Floats
    precision: Floats | None = None
    replies: tuple[tuple[Floats, Floats], ...] = ()
    guess: Floats | None = None
    stages: Mapping[str, Keys] = field(default_factory=dict[str, Any])
    drawn: bool = False
    singular: Floats | None = None
    others: tuple[tuple[Floats, Floats], ...] = ()
    plans: tuple[Plan, ...] = ()
    ending: Status | None = None
    assessment: Assessment | None = None
    assessments: tuple[tuple[Assessment, tuple[str, ...]], ...] = ()
    refinement: tuple[str, ...] = ()
    cutoffs: tuple[tuple[CutoffEquilibrium, ...], ...] = ()
    searches: tuple[CutoffSearch, ...] = ()
    signalling: SignallingEquilibria | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What the referee measured, and the bound that it was held to.

    Attributes
    ----------
    measures
        The referee's numbers, per variant.
    kind
        The deciding measure: ``max_gain`` or ``residual``.
    tolerance
        The bound.
    drawn
        Whether choices made at once may depend on each other through a public draw.
    """

    measures: Measures
    kind: str
    tolerance: float
    drawn: bool = False

    @property
    def certified(self) -> Bools:
        """Whether each variant is certified, shape (v,)."""
        m = self.measures
        sound = (m.distribution_error <= SUM_TOLERANCE) & (m.value_error <= SUM_TOLERANCE)
        independent = (m.dependence <= SUM_TOLERANCE) | self.drawn
        if m.bayes is not None:
            sound &= m.bayes <= BAYES_TOLERANCE
        return (getattr(m, self.kind) <= self.tolerance) & sound & independent

    def row(self, variant: int = 0) -> dict[str, Any]:
        """Return the numbers of one variant, for printing."""
        m = self.measures
        return {
            "kind": self.kind,
            "tolerance": self.tolerance,
            "max_gain": float(m.max_gain[variant]),
            "residual": float(m.residual[variant]) if self.kind == "residual" else None,
            "tied_nodes": int(m.tied_nodes[variant]),
            "tied_on_path": int(m.tied_on_path[variant]),
            **({} if m.bayes is None else {"bayes": float(m.bayes[variant])}),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Concept:
    """One row of the registry: a solution concept and what its solver can do.

    Attributes
    ----------
    name, title
        The registered name, and the name in the field.
    module
        Where ``solve(game, options) -> Answer`` and ``Options`` live; imported when first used.
    certificate, reading
        The deciding measure of the referee, and its meaning in words.
    tolerance
        Its bound.
    affine_invariant
        Whether positive affine changes of payoffs leave the answer unchanged without touching options.
    horizons
        Which horizons its solver takes: ``finite``, ``infinite``, or both.
    source
        Author, year, section.
    types
        Which games it is about: those in which nobody has private types (``none``), those in which somebody has (``private``), ``either``;
        or those in which somebody knows a number privately (``number``).
    """

    name: str
    title: str
    module: str
    certificate: str
    reading: str
    tolerance: float
    affine_invariant: bool
    source: str
    horizons: tuple[str, ...] = ("finite",)
    types: str = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """A profile that the referee has measured.

    Attributes
    ----------
    game, concept, options
        What was asked.
    status
        How it ended; see :class:`~sim.kinds.Status`.
    certificate
        The referee's word.
    profile : float array, (v, e)
        Probability of each action, or of each joint action; on chance edges the modeller's probability.
    guess, stages, singular
        See :class:`Answer`.
    others : tuple of Solution
        Other certified equilibria that were found.
    assessment : Assessment, optional
        With private types: what every type does, and what is believed; ``profile`` is then what one expects who knows no type.
    refinement : tuple of str
        With private types: "sequential (logit trembles)" where the assessment is the limit of a path that was followed, else "perfect
        Bayesian"; one for each variant.
    cutoffs : tuple of CutoffEquilibrium
        With private numbers: of each variant who takes which action for which of his numbers; ``profile`` is what others can know.
    search : tuple of CutoffSearch
        With private numbers: of each variant all equilibria that were found, and whether there can be more.
    signalling : SignallingEquilibria, optional
        Of a sender-receiver game of one variant: all its equilibria, with what each teaches and which criteria it passes.

    Examples
    --------
    >>> import sim
    >>> solution = sim.solve(sim.compile(sim.load(sim.template())), "subgame_perfect")
    >>> solution.values.shape, solution.status.certified
    ((1, 2), True)
    """

    game: Game
    concept: str
    options: Mapping[str, Any]
    status: Status
    certificate: Certificate
    profile: Floats = field(repr=False)
    guess: Floats | None = field(default=None, repr=False)
    stages: Mapping[str, Keys] = field(default_factory=dict[str, Any], repr=False)
    singular: Floats | None = field(default=None, repr=False)
    others: tuple[Solution, ...] = field(default=(), repr=False)
    assessment: Assessment | None = field(default=None, repr=False)
    refinement: tuple[str, ...] = ()
    cutoffs: tuple[CutoffEquilibrium, ...] = field(default=(), repr=False)
    search: tuple[CutoffSearch, ...] = field(default=(), repr=False)
    signalling: SignallingEquilibria | None = field(default=None, repr=False)

    @property
    def values(self) -> Floats:
        """Each player's value at the start, shape (v, i); the mean over starts if there are several."""
        return self.certificate.measures.values.mean(axis=1)

    def node_values(self, variant: int = 0) -> tuple[Floats, Floats]:
        """Return V and W of every node for one variant, each (n, i); see :func:`sim.game.referee.node_values`.

        With private types these are what one expects who has seen the history and no type.
        """
        from sim.game.referee import node_values

        if self.assessment is not None and self.game.types is not None:
            from sim.game.assessment import sight

            seen = sight(self.game.types, self.assessment.belief[variant], variant).public.T[..., None]
            lanes = [self.lane_values(lane, variant) for lane in range(self.game.lanes)]
            value, arrival = (np.stack([one[which] for one in lanes]) for which in (0, 1))
            return np.asarray((seen * value).sum(axis=0)), np.asarray((seen * arrival).sum(axis=0))
        if self.game.shocks is not None:
            from sim.game.cutoff_values import expected_values

            return expected_values(self.game, self.profile, variant)
        return node_values(self.game, self.profile, variant, None if self.guess is None else self.guess[variant])

    def action_values(self, node: int, variant: int = 0) -> Floats:
        """Return Q of each edge that leaves a node for each player, shape (edges, i)."""
        graph, numbers = self.game.graph, self.game.numbers
        edges = np.asarray(graph.edges_of(node))
        if self.assessment is not None and self.game.types is not None:
            from sim.game.assessment import sight

            seen = sight(self.game.types, self.assessment.belief[variant], variant).public[node]
            return np.einsum("s,sei->ei", seen, self.lane_action_values(node, variant))
        _, arrival = self.node_values(variant)
        return numbers.pay[variant, graph.edge_pay[edges]] + arrival[graph.edge_dst[edges]]

    def lane_values(self, lane: int, variant: int = 0) -> tuple[Floats, Floats]:
        """Return V and W of every node along one combination of private types, each (n, i)."""
        from sim.game.referee import node_values

        if self.assessment is None:
            return self.node_values(variant)
        row = variant * self.game.lanes + lane
        flat = self.assessment.profile[variant]
        return node_values(self.game.laid_out().take(slice(row, row + 1)), flat[lane : lane + 1], 0)

    def lane_action_values(self, node: int, variant: int = 0) -> Floats:
        """Return Q of each edge that leaves a node along each combination of private types, shape (s, edges, i)."""
        graph, numbers = self.game.graph, self.game.numbers
        edges = np.asarray(graph.edges_of(node))
        out: list[Floats] = []
        for lane in range(self.game.lanes):
            paid = numbers.pay[variant * self.game.lanes + lane, graph.edge_pay[edges]]
            out.append(paid + self.lane_values(lane, variant)[1][graph.edge_dst[edges]])
        return np.stack(out)

    def require(self) -> Solution:
        """Return the solution, or raise if some variant is not certified.

        Raises
        ------
        NoAnswerError
            Naming the concept and the largest deviation.
        """
        if not self.status.certified:
            worst = float(getattr(self.certificate.measures, self.certificate.kind).max())
            measured = f"{self.certificate.kind} is {worst:.3g}, above {self.certificate.tolerance:g}"
            raise NoAnswerError(f"{self.concept} has no certified answer: {measured}. {self.status.value}")
        return self
