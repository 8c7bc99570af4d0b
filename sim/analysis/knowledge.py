r"""What knowing is worth: to be known, to stay hidden, to know; and what a signal is worth to each type.

Each number is a difference of two games, both solved from the start under one concept and certified. To be known: the game in which everybody
knows that one type, less the game as it stands. To have a signal: the game as it stands, less the game without that move. Games of incomplete information
have several equilibria; the first one found is compared with the first one found, and ranges say how far the others would move the difference.

Source for public information being worth less than nothing to some: Hirshleifer, J. (1971) American Economic Review 61:561-574.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.construct.compile import compile as compile_game
from sim.construct.expand import NODE_LIMIT
from sim.errors import NoAnswerError, OptionError, ScenarioError, did_you_mean
from sim.kinds import frozen
from sim.solve.registry import concepts_for, default_concept, solve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sim.construct.compile import Origin
    from sim.game.graph import Game
    from sim.kinds import Floats
    from sim.solve.contract import Solution

__all__ = ["Knowledge", "Known", "Resolved", "Without", "knowledge"]

SELECTION = "the first equilibrium of each game"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """A game that was solved again.

    Attributes
    ----------
    solution
        Certified; None where there is none.
    concept
        Under which; games without private types are asked for the equilibrium that fits them.
    why
        Why there is no answer; empty where there is one.
    """

    solution: Solution | None = field(repr=False)
    concept: str
    why: str = ""

    @property
    def found(self) -> int:
        """How many equilibria were found."""
        return 0 if self.solution is None else 1 + len(self.solution.others)

    @property
    def tied(self) -> bool:
        """Whether somebody was indifferent where play comes, so that another answer may be as good."""
        return self.solution is not None and bool(self.solution.certificate.measures.tied_on_path[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What it is worth that everybody knows a player's type.

    Attributes
    ----------
    player, types, prior
        Whose types (k,), and how likely each is.
    hidden : float array, (k,)
        What the game is worth to each type as it stands.
    known : float array, (k,)
        What it is worth if everybody knows the type; NaN where that game is not solved.
    low, high : float arrays, (k,)
        Bounds of the difference over all equilibria found.
    games : tuple of Resolved
        The games in which the type is known.
    others : dict
        What each other player would gain by knowing, before it is drawn: expected value if the type is known to all, less value as it stands; NaN where some
        game is not solved.
    """

    player: str
    types: tuple[str, ...]
    prior: Floats
    hidden: Floats
    known: Floats
    low: Floats
    high: Floats
    games: tuple[Resolved, ...]
    others: dict[str, float]

    @property
    def being_known(self) -> Floats:
        """What each type gains by being known, (k,)."""
        return self.known - self.hidden

    @property
    def ignorance(self) -> Floats:
        """What the others' ignorance is worth to each type, (k,)."""
        return self.hidden - self.known

    @property
    def ex_ante(self) -> float:
        """What the player gains by being known before his type is drawn; types that are never drawn do not count."""
        drawn = self.prior > 0
        return float(self.prior[drawn] @ self.being_known[drawn])


@dataclass(frozen=True, slots=True, kw_only=True)
class Without:
    """What a move, or a group, is worth: the game as it stands, less the game without it.

    Attributes
    ----------
    name
        The move or group.
    by_type : dict of float arrays, (k,)
        For each player with several types, what having it around is worth to each of his types; NaN where the game without it is not solved.
    low, high : dict of float arrays, (k,)
        Bounds over all equilibria found.
    values : dict
        To every player, before types are drawn.
    game : Resolved
        The game without it.
    """

    name: str
    by_type: dict[str, Floats]
    low: dict[str, Floats]
    high: dict[str, Floats]
    values: dict[str, float]
    game: Resolved


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """What knowing and signalling are worth in a game.

    Attributes
    ----------
    base
        The game as it stands.
    known : tuple of Known
        For each player with several types.
    signals : tuple of Without
        For each move or group that was asked about.

    Examples
    --------
    >>> import sim
    >>> found = knowledge(sim.solve(sim.compile(sim.load("scenarios/beer_quiche.toml")), "perfect_bayesian"))
    >>> [(one.name, one.by_type["stranger"].round(9)) for one in found.signals]
    [('beer', array([ 1., -1.])), ('quiche', array([0., 0.]))]
    """

    base: Solution
    known: tuple[Known, ...]
    signals: tuple[Without, ...]

    @property
    def selection(self) -> str:
        """Which equilibria are compared."""
        return SELECTION

    @property
    def several(self) -> bool:
        """Whether more than one equilibrium was found in some game."""
        games = [game for one in self.known for game in one.games] + [one.game for one in self.signals]
        return bool(self.base.others) or any(game.found > 1 for game in games)

    @property
    def unsolved(self) -> tuple[str, ...]:
        """What is not solved, and why."""
        told = [
            f"{one.player} known as {name}: {game.why}"
            for one in self.known
            for name, game in zip(one.types, one.games, strict=True)
            if game.solution is None
        ]
        return (*told, *(f"without {one.name}: {one.game.why}" for one in self.signals if one.game.solution is None))


class _Again:
    """Compiles the game of a solution again, changed in one way, and solves it."""

    def __init__(self, solution: Solution, variant: int) -> None:
        game = solution.game
        origin: Origin = game.origin
        self.solution, self.origin = solution, origin
        self.settings = {
            name: float(values[min(variant, values.size - 1)])
            for name, values in game.assumptions.items()
            if name in origin.settings
        }
        self.told, self.hidden = origin.told, origin.secret
        self.where: dict[str, Any] = {"rounds": origin.rounds, "node_limit": max(NODE_LIMIT, 4 * game.graph.node_count)}
        if origin.first > 1 or origin.recorded:
            graph = game.graph
            self.where |= {
                "first": origin.first,
                "first_turn": int(graph.layer_turn[0]),
                "starts": [int(graph.node_key[root]) for root in graph.roots],
            }
        self.options = {
            name: value[variant] if isinstance(value, np.ndarray) and value.ndim == 1 else value
            for name, value in solution.options.items()
        }

    def solve(self, *, known: dict[str, str] | None = None, remove: Iterable[str] = ()) -> Resolved:
        """Solve the game in which some types are known, or without some moves."""
        more = dict(known or {})
        concept = self.solution.concept
        try:
            game: Game = compile_game(
                self.origin.scenario,
                self.settings,
                remove={*self.origin.removed, *remove},
                hidden=[name for name in self.hidden if name not in more],
                known={**self.told, **more},
                **self.where,
            )
            if concept not in concepts_for(game):
                concept = default_concept(game)
            options = self.options if concept == self.solution.concept else {}
            return Resolved(solution=solve(game, concept, **options).require(), concept=concept)
        except ScenarioError as error:
            return Resolved(solution=None, concept=concept, why=error.problems[0].what)
        except (NoAnswerError, OptionError) as error:
            return Resolved(solution=None, concept=concept, why=str(error))


def _bounds(solution: Solution, read: Callable[[Solution], Floats]) -> tuple[Floats, Floats]:
    """Return the least and the greatest of what is read off all equilibria found."""
    table = np.stack([read(one) for one in (solution, *solution.others)])
    return table.min(axis=0), table.max(axis=0)


def _types_of(solution: Solution, player: int, variant: int) -> Floats:
    """Return what a solution is worth to a player's types, (k,)."""
    return np.asarray(solution.certificate.measures.type_values[player][variant])


def knowledge(
    solution: Solution, moves: Iterable[str] | None = None, node: int | None = None, variant: int = 0
) -> Knowledge:
    """Tell what knowing a type, and having a signal, is worth, by solving the game again.

    Parameters
    ----------
    solution
        A certified solution of a game with private types.
    moves
        Moves and groups to leave out, one at a time; by default all of players with several types. A move is left out for all who have it, everywhere.
    node
        The decision at which one asks: it must be the first of the game.
    variant
        Which variant.

    Raises
    ------
    OptionError
        Where nobody has private types, for an unknown move, and at any but the first decision: what is known there depends on what
        was played before.

    Examples
    --------
    >>> import sim
    >>> found = knowledge(sim.solve(sim.compile(sim.load("scenarios/beer_quiche.toml")), "perfect_bayesian"))
    >>> one = found.known[0]
    >>> one.types, one.being_known.round(9) + 0.0, round(one.ex_ante, 9), round(one.others["bully"], 9)
    (('surly', 'weak'), array([ 0., -1.]), -0.1, 0.1)
    """
    solution.require()
    game, types = solution.game, solution.game.types
    if types is None:
        raise OptionError("nobody has private types here, so that there is nothing to know; hide some (--hidden)")
    if node is not None and not _first(game, node):
        raise OptionError(
            "what knowing is worth is told at the first decision of a game; let the game begin there (--start DATE:PLAYER), or ask without --information"
        )
    again = _Again(solution, variant)
    owners = [i for i, count in enumerate(types.count) if count > 1]
    names = _signals(game, owners) if moves is None else tuple(moves)
    members = {label for one in game.origin.scenario.actions for label in (one.move, one.group) if label}
    for name in names:
        if name not in members:
            raise OptionError(f"'{name}' is not a move or group; {did_you_mean(name, members)}")
    return Knowledge(
        base=solution,
        known=tuple(_known(solution, again, i, variant) for i in owners),
        signals=tuple(_without(solution, again, name, owners, variant) for name in names),
    )


def _first(game: Game, node: int) -> bool:
    """Tell whether a node is the first decision: before it nobody chooses, and chance does not move."""
    graph = game.graph
    here = int(graph.roots[0])
    while here != node and len(graph.edges_of(here)) == 1:
        here = int(graph.edge_dst[graph.edge_start[here]])
    return len(graph.roots) == 1 and here == node


def _signals(game: Game, owners: Iterable[int]) -> tuple[str, ...]:
    """List the moves and groups of players with types."""
    names = {game.graph.players[i] for i in owners}
    acts = [act for label in game.graph.labels for act in label.acts if act.player in names]
    groups = {act.group for act in acts}
    return tuple(
        dict.fromkeys(
            name for act in acts for name in (act.move, act.group) if name and (name in groups or name == act.move)
        )
    )


def _labels(game: Game, player: int, kind: int) -> dict[str, str]:
    """Return what a type knows, by name."""
    origin: Origin = game.origin
    hidden = origin.hidden
    if hidden is None:
        return {}
    lane = int(np.flatnonzero(hidden.lane[:, player] == kind)[0])
    by_id = {one.id: one for one in origin.scenario.privates}
    out: dict[str, str] = {}
    for name in sorted(hidden.reads[player]):
        labels = by_id[name].labels
        if labels:
            out[name] = labels.values[int(hidden.values[name][lane])]
    return out


def _known(solution: Solution, again: _Again, player: int, variant: int) -> Known:
    """Solve the games in which one player's type is known."""
    game, types = solution.game, solution.game.types
    count = types.count[player] if types else 0
    prior = types.marginal(player)[variant] if types else np.empty(0)
    games = tuple(again.solve(known=_labels(game, player, k)) for k in range(count))
    hidden = _types_of(solution, player, variant)
    least, most = _bounds(solution, lambda one: _types_of(one, player, variant))
    known, low, high = np.full(count, np.nan), np.full(count, np.nan), np.full(count, np.nan)
    for k, one in enumerate(games):
        if one.solution:
            known[k] = one.solution.values[0, player]
            found = _bounds(one.solution, lambda x: x.values[0, [player]])
            low[k], high[k] = found[0][0] - most[k], found[1][0] - least[k]
    others: dict[str, float] = {}
    for j, name in enumerate(game.graph.players):
        if j != player:
            worth = np.array([one.solution.values[0, j] if one.solution else np.nan for one in games])
            others[name] = float(prior[prior > 0] @ worth[prior > 0] - solution.values[variant, j])
    return Known(
        player=game.graph.players[player],
        types=types.names[player] if types else (),
        prior=frozen(np.array(prior)),
        hidden=frozen(np.array(hidden)),
        known=frozen(known),
        low=frozen(low),
        high=frozen(high),
        games=games,
        others=others,
    )


def _without(solution: Solution, again: _Again, name: str, owners: list[int], variant: int) -> Without:
    """Solve the game without one move or group."""
    players = solution.game.graph.players
    found = again.solve(remove=[name])
    by_type: dict[str, Floats] = {}
    low: dict[str, Floats] = {}
    high: dict[str, Floats] = {}
    for i in owners:
        here = _types_of(solution, i, variant)
        nothing = np.full(here.shape, np.nan)
        by_type[players[i]], low[players[i]], high[players[i]] = nothing, nothing, nothing
        if found.solution:
            least, most = _bounds(solution, lambda one, i=i: _types_of(one, i, variant))
            theirs = _bounds(found.solution, lambda one, i=i: _types_of(one, i, 0))
            by_type[players[i]] = here - _types_of(found.solution, i, 0)
            low[players[i]], high[players[i]] = least - theirs[1], most - theirs[0]
    values = {
        player: float(solution.values[variant, i] - found.solution.values[0, i]) if found.solution else float("nan")
        for i, player in enumerate(players)
    }
    return Without(name=name, by_type=by_type, low=low, high=high, values=values, game=found)
