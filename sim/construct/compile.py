"""Compile a scenario: the structure once, its numbers as often as assumptions change."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.construct.expand import NODE_LIMIT, Expander
from sim.construct.histories import Hidden, unfold
from sim.construct.secrets import lane_values, prior_of, types_of, who_knows
from sim.construct.shocks import Draws, shocks_of, to_tree
from sim.construct.tables import evaluate_plan, make_plan
from sim.errors import OptionError, did_you_mean
from sim.game.graph import Game
from sim.kinds import frozen
from sim.scenario.model import MAX_ROUNDS
from sim.scenario.values import assumption_values, structural

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from sim.construct.codec import Codec
    from sim.construct.tables import Plan
    from sim.errors import Problem
    from sim.game.graph import Graph
    from sim.game.histories import Types
    from sim.kinds import Floats
    from sim.scenario.model import Scenario

__all__ = ["Origin", "compile", "renumber"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What a game was compiled from.

    Attributes
    ----------
    scenario, codec, plan
        The scenario, the code of its states, and the row plan.
    settings
        What was set instead of base values.
    structure
        The values of the assumptions that shape the graph.
    rounds, first
        The last and the first round.
    removed
        Moves that nobody may make.
    hidden, known
        The private types that are hidden, and what everybody takes for granted of the others.
    draws
        The private numbers that are hidden.
    recorded
        How many records of the history lie before the start.
    warnings, played
        What the expansion noticed, and the moves that are available somewhere.
    cache
        What later floors derive from the structure alone, kept so that new numbers need not derive it again.
    """

    scenario: Scenario
    codec: Codec
    plan: Plan
    settings: Mapping[str, Any]
    structure: Mapping[str, float]
    rounds: int
    first: int
    removed: frozenset[str]
    warnings: tuple[Problem, ...]
    played: frozenset[str]
    hidden: Hidden | None = None
    draws: Draws | None = None
    known: Mapping[str, float] = field(default_factory=dict[str, float])
    recorded: int = 0
    cache: dict[Any, Any] = field(default_factory=dict[Any, Any], compare=False, repr=False)

    @property
    def secret(self) -> tuple[str, ...]:
        """The ids of what is hidden: types or numbers."""
        if self.hidden is not None:
            return self.hidden.privates
        return self.draws.privates if self.draws is not None else ()

    @property
    def told(self) -> dict[str, str | float]:
        """What everybody knows of private types, as one writes it; compiling with it again hides the same."""
        labels = {one.id: one.labels for one in self.scenario.privates}
        out: dict[str, str | float] = {}
        for name, value in self.known.items():
            own = labels[name]
            out[name] = own.values[int(value)] if own else value
        return out


def _fixed(scenario: Scenario, values: Mapping[str, Any]) -> dict[str, float]:
    """Return the assumptions that shape the graph, refusing a batch that varies one of them."""
    out: dict[str, float] = {}
    for name in structural(scenario):
        if values[name].size > 1 and (values[name] != values[name][0]).any():
            what = f"assumption '{name}' shapes the game (a guard, an effect, a start or an outcome reads it)"
            message = f"{what}, so one batch cannot vary it; compile once for each value, or use sim.run"
            raise OptionError(message)
        out[name] = float(values[name][0])
    return out


def compile(  # noqa: A001 - the front door's word
    scenario: Scenario,
    assumptions: Mapping[str, Any] | None = None,
    *,
    rounds: int | None = None,
    first: int = 1,
    first_turn: int = 0,
    starts: Sequence[int] | None = None,
    remove: Iterable[str] = (),
    unrolled: bool = False,
    hidden: Iterable[str] | str | None = None,
    known: Mapping[str, str | float] | None = None,
    merge: bool = True,
    node_limit: int = NODE_LIMIT,
    progress: Callable[[int, int, int], None] | None = None,
) -> Game:
    """Compile a scenario into a game.

    Parameters
    ----------
    scenario
        A loaded scenario.
    assumptions
        Values instead of base values; an array makes a batch of variants.
    rounds
        Play this many rounds instead of the scenario's.
    first, first_turn, starts
        Start in this round, at this turn of it (from 0), in the states with these codes; the whole game by default.
    remove
        Moves, or groups of moves, that nobody may make: the game is re-solved without them.
    unrolled
        With an infinite horizon: make the finite game of the first rounds, in which paths are followed, instead of the stationary one.
    hidden
        Which private types are hidden: names, ``"all"``, or by default those that have no ``known_as``.
    known
        Types that everybody knows, by name; the others that are not hidden are known as the scenario says.
    merge
        Forget what choices revealed where nothing reads it any more; without, the same game on more nodes.
    node_limit
        Refuse a game with more nodes.
    progress
        Called with rounds done, rounds in all, nodes so far.

    Returns
    -------
    Game
        One structure and ``v`` variants of its numbers.

    Raises
    ------
    ScenarioError
        When the rules break down in some state: an effect leaves its range, a player has no move, probabilities do not sum to 1, …
    OptionError
        For unknown assumptions or moves, and for a batch that varies the structure.

    Examples
    --------
    >>> import sim
    >>> game = compile(sim.load(sim.template()), {"prize": [1, 2, 3]})
    >>> game.variants, game.graph.players
    (3, ('challenger', 'defender'))
    """
    values = assumption_values(scenario, assumptions)
    last = scenario.rounds if rounds is None else rounds
    if not 1 <= first <= last <= MAX_ROUNDS:
        message = (
            f"asked for rounds {first} to {last}; expected 1 to at most {MAX_ROUNDS}, the first not after the last"
        )
        raise OptionError(message)
    removed: set[str] = set()
    for name in remove:
        members = scenario.members(name)
        if not members:
            words = {word for action in scenario.actions for word in (action.move, action.group) if word}
            message = f"'{name}' is not a move or group; {did_you_mean(name, words)}"
            raise OptionError(message)
        removed |= set(members)
    fixed = _fixed(scenario, values)
    found, told = who_knows(scenario, hidden, known)
    secret, draws = (found if isinstance(found, Hidden) else None), (found if isinstance(found, Draws) else None)
    endless = scenario.endless and not unrolled
    if endless and (first, first_turn, starts) != (1, 0, None):
        raise OptionError("a game with an infinite horizon starts in round 1; compile it unrolled to start elsewhere")
    expander = Expander(
        scenario, {**fixed, **told}, last, first, first_turn, starts, frozenset(removed), node_limit, progress,
        endless=endless, unrolled=unrolled and scenario.endless, types=types_of(scenario, secret) if secret else {},
    )  # fmt: skip
    expansion = expander.run()
    graph, plan = make_plan(scenario, expansion, expander.codec, last, endless=endless)
    types: Types | None = None
    if secret:
        graph, types = unfold(
            scenario,
            expander.codec,
            graph,
            expansion.sources,
            expansion.able,
            secret,
            node_limit=node_limit,
            merge=merge,
        )
    if draws:
        graph = to_tree(scenario, graph, node_limit)
    origin = Origin(
        scenario=scenario,
        codec=expander.codec,
        plan=plan,
        settings=dict(assumptions or {}),
        structure=fixed,
        rounds=last,
        first=first,
        removed=frozenset(removed),
        warnings=expansion.warnings,
        played=expansion.played,
        hidden=secret,
        draws=draws,
        known=told,
    )
    return _numbered(origin, graph, types, values)


def _numbered(origin: Origin, graph: Graph, types: Types | None, values: Mapping[str, Floats]) -> Game:
    """Give a structure its numbers, lane by lane if there are private types."""
    known = {name: np.array([value]) for name, value in origin.known.items()}
    if origin.draws:
        numbers, shocks = shocks_of(origin.scenario, origin.draws, graph, origin.plan, values, known)
        return Game(graph=graph, numbers=numbers, assumptions=values, origin=origin, shocks=shocks)
    if types is None or origin.hidden is None:
        return Game(
            graph=graph, numbers=evaluate_plan(origin.plan, {**values, **known}), assumptions=values, origin=origin
        )
    prior = prior_of(origin.scenario, origin.hidden, values, origin.known)
    lanes = lane_values(origin.hidden, values, len(prior))
    numbers = evaluate_plan(origin.plan, {**lanes, **known})
    types = replace(types, prior=frozen(prior))
    return Game(graph=graph, numbers=numbers, assumptions=values, origin=origin, types=types)


def renumber(game: Game, assumptions: Mapping[str, Any]) -> Game:
    """Give a compiled game new numbers without expanding it again.

    Parameters
    ----------
    game
        A game made by :func:`compile`.
    assumptions
        All settings, as for :func:`compile`; those that shape the graph must keep their values.

    Raises
    ------
    OptionError
        When an assumption that shapes the graph would change.

    Examples
    --------
    >>> import sim
    >>> game = sim.compile(sim.load(sim.template()))
    >>> renumber(game, {"prize": [1, 2]}).variants
    2
    """
    origin: Origin = game.origin
    values = assumption_values(origin.scenario, assumptions)
    fixed = _fixed(origin.scenario, values)
    changed = sorted(name for name, value in fixed.items() if origin.structure[name] != value)
    if changed:
        message = f"assumption '{changed[0]}' shapes the game; compile again instead of renumbering"
        raise OptionError(message)
    renewed = replace(origin, settings=dict(assumptions))
    return _numbered(renewed, game.graph, game.types, values)
