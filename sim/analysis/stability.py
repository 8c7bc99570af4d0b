"""What a graph model says of a conflict: stable states, jumps of coalitions, and the ways from the present state to each equilibrium.

Sources: Fang, L., Hipel, K. W. & Kilgour, D. M. (1993) Interactive Decision Making, Wiley; Kilgour, D. M., Hipel, K. W., Fang, L. & Peng, X. (2001)
Coalition analysis in group decision support, Group Decision and Negotiation 10:159-175; Li, K. W., Kilgour, D. M. & Hipel, K. W. (2005) Status quo
analysis in the graph model for conflict resolution, Journal of the Operational Research Society 56:699-707.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.construct.conflict import graph_model
from sim.construct.frontier import View
from sim.errors import OptionError, did_you_mean
from sim.game.conflict import Step, sequence_rule
from sim.game.verdict import verify
from sim.scenario.conflict import read_condition
from sim.scenario.evaluate import evaluate
from sim.scenario.values import assumption_values
from sim.solve.stability import Options, solve

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sim.game.conflict import GraphModel, Stability
    from sim.game.verdict import Verdict
    from sim.kinds import Bools, Ints, Keys
    from sim.scenario.model import Scenario

__all__ = [
    "MOST_ORIGINS",
    "MOST_WAYS",
    "Jumps",
    "Report",
    "Route",
    "Search",
    "Ways",
    "analyse",
    "equilibrium_counts",
    "find_state",
    "jumps",
    "ways",
]

MOST_ORIGINS = 200
"""Equilibria from which the jumps of a coalition are sought, unless the caller lists them."""
MOST_WAYS = 1000
"""Equilibria to which ways from the present state are told."""
FEW = 5000
"""Moves that the referee's search may look at for each point of an experiment; its proof covers every state all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A shortest legal sequence of moves to a state, and how many equally short ones there are; an empty one for the state itself."""

    target: int
    steps: tuple[Step, ...]
    count: float


class Search:
    """All states that some players can reach from one state by legal sequences, by breadth first.

    Parameters
    ----------
    model, origin
        Where the sequences start.
    members
        The players who move, nobody twice running.
    improving
        Whether each move must improve on the state it leaves, for whoever makes it.

    Examples
    --------
    >>> from sim.game.conflict import make_model
    >>> chain = make_model(("a", "b"), [[0, 1, 2], [0, 1, 2]], [[(0, 1)], [(1, 2)]])
    >>> search = Search(chain, 0, [0, 1])
    >>> search.reached.tolist(), [step.state for step in search.route(2).steps]
    ([1, 2], [1, 2])
    """

    def __init__(self, model: GraphModel, origin: int, members: Sequence[int], *, improving: bool = False) -> None:
        self.model, self.origin = model, origin
        self.rule, fresh = sequence_rule("legal", len(model.players), members)
        self.better: list[Bools | None] = [model.improving(i) if improving else None for i in range(len(model.players))]
        size = model.state_count * len(self.rule)
        self.depth = np.full(size, -1, dtype=np.int32)
        self.before = np.full(size, -1, dtype=np.int64)
        self.mover = np.full(size, -1, dtype=np.int32)
        self.count = np.zeros(size)
        frontier: Keys = np.array([fresh * model.state_count + origin], dtype=np.int64)
        self.depth[frontier], self.count[frontier] = 0, 1.0
        level = 0
        while len(frontier):
            level += 1
            frontier = self.step(frontier, level)
        self.fresh = fresh

    def step(self, frontier: Keys, level: int) -> Keys:
        """Make every move from a frontier; return what is reached for the first time."""
        size = self.model.state_count
        codes: list[Keys] = [np.empty(0, dtype=np.int64)]
        sources: list[Keys] = [np.empty(0, dtype=np.int64)]
        movers: list[Ints] = [np.empty(0, dtype=np.int32)]
        memory, state = frontier // size, frontier % size
        for player in range(len(self.model.players)):
            after = self.rule[memory, player]
            mine = np.flatnonzero(after >= 0)
            places, owner = _spread(self.model.move_start[player], state[mine])
            kept = self.better[player]
            if kept is not None:
                places, owner = places[kept[places]], owner[kept[places]]
            codes.append(after[mine][owner].astype(np.int64) * size + self.model.move_to[player][places])
            sources.append(frontier[mine][owner])
            movers.append(np.full(len(places), player, dtype=np.int32))
        code, source, mover = np.concatenate(codes), np.concatenate(sources), np.concatenate(movers)
        new = self.depth[code] < 0
        code, source, mover = code[new], source[new], mover[new]
        np.add.at(self.count, code, self.count[source])
        fresh, first = np.unique(code, return_index=True)
        self.depth[fresh], self.before[fresh], self.mover[fresh] = level, source[first], mover[first]
        return fresh

    @property
    def depths(self) -> Ints:
        """The least number of moves to each state, with each last mover, shape (m, s); -1 where it cannot be."""
        return self.depth.reshape(len(self.rule), -1)

    @property
    def reached(self) -> Keys:
        """The states that can be reached by one or more moves."""
        return np.flatnonzero((self.depths > 0).any(axis=0))

    def route(self, target: int) -> Route | None:
        """Return a shortest way to a state, or None."""
        size = self.model.state_count
        column = self.depths[:, target]
        if (column < 0).all():
            return None
        least = column[column >= 0].min()
        ends = np.flatnonzero(column == least) * size + target
        code, steps = int(ends[0]), list[Step]()
        while self.depth[code] > 0:
            before, player = int(self.before[code]), int(self.mover[code])
            name = self.model.move_name(player, before % size, code % size)
            steps.append(Step(player=player, move=name, state=code % size))
            code = before
        return Route(target=target, steps=tuple(reversed(steps)), count=float(self.count[ends].sum()))


def _spread(start: Ints, states: Keys) -> tuple[Keys, Keys]:
    """List the places of all moves from some states, and which of the states each one leaves."""
    counts = (start[states + 1] - start[states]).astype(np.int64)
    owner = np.repeat(np.arange(len(states)), counts)
    offset = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    return start[states].astype(np.int64)[owner] + offset, owner


@dataclass(frozen=True, slots=True, kw_only=True)
class Jumps:
    """What a coalition can improve: from each origin a way to every state that all its members prefer to it.

    ``examined`` origins of ``origins`` were looked at.
    """

    members: tuple[int, ...]
    found: tuple[tuple[int, Route], ...]
    examined: int
    origins: int


def jumps(model: GraphModel, members: Sequence[int], origins: Sequence[int]) -> Jumps:
    """Find a coalition's improvements: legal sequences of its members' moves to a state that each of them strictly prefers.

    Parameters
    ----------
    model
        The graph model.
    members
        Two or more players.
    origins
        States to start from.

    Examples
    --------
    >>> import sim
    >>> from sim.construct.conflict import graph_model
    >>> model = graph_model(sim.load("scenarios/chicken_graph.toml"))
    >>> [(model.label(origin), model.label(route.target)) for origin, route in jumps(model, [0, 1], range(4)).found][0]
    ('none', 'b_swerves')
    """
    rank: Ints = model.rank[list(members)]
    found: list[tuple[int, Route]] = []
    for origin in origins:
        wanted: Bools = np.all(rank > rank[:, [origin]], axis=0)
        if not wanted.any():
            continue
        search = Search(model, int(origin), list(members))
        routes = (search.route(int(target)) for target in search.reached if wanted[target])
        found += [(int(origin), route) for route in routes if route]
    return Jumps(members=tuple(members), found=tuple(found), examined=len(origins), origins=len(origins))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """How a state can be reached from the present one: by any moves, and by improvements only; None where it cannot."""

    target: int
    moves: Route | None
    improvements: Route | None


def ways(model: GraphModel, targets: Iterable[int], start: int | None = None) -> tuple[Ways, ...]:
    """Find shortest legal sequences of all players' moves from the present state.

    Examples
    --------
    >>> import sim
    >>> from sim.construct.conflict import graph_model
    >>> model = graph_model(sim.load("scenarios/chicken_graph.toml"))
    >>> [len(way.moves.steps) for way in ways(model, [0, 3])]
    [2, 0]
    """
    origin = model.start if start is None else start
    everybody = range(len(model.players))
    free = Search(model, origin, everybody)
    better = Search(model, origin, everybody, improving=True)
    return tuple(
        Ways(target=int(target), moves=free.route(int(target)), improvements=better.route(int(target)))
        for target in targets
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything that is asked of a graph model: stability with its verdict, ways from the present state, jumps of coalitions."""

    found: Stability
    verdict: Verdict
    ways: tuple[Ways, ...]
    jumps: tuple[Jumps, ...]

    @property
    def model(self) -> GraphModel:
        """The graph model."""
        return self.found.model

    @property
    def equilibria(self) -> Keys:
        """The states that are equilibria under some concept."""
        return np.flatnonzero(self.found.stable.all(axis=1).any(axis=0))


def _coalition(model: GraphModel, words: Sequence[str]) -> tuple[int, ...]:
    """Read a coalition."""
    for word in words:
        if word not in model.players:
            message = f"coalition names '{word}', who is not a player; {did_you_mean(word, model.players)}"
            raise OptionError(message)
    members = tuple(dict.fromkeys(model.players.index(word) for word in words))
    if len(members) <= 1:
        message = f"coalition has {len(members)} member; expected two or more, such as --coalition {','.join(model.players[:2])}"
        raise OptionError(message)
    return members


def find_state(model: GraphModel, text: str) -> int:
    """Find a state by its label, or by ``name=value`` pairs that only it fulfils.

    Raises
    ------
    OptionError
        If there is none, or several.

    Examples
    --------
    >>> import sim
    >>> from sim.construct.conflict import graph_model
    >>> model = graph_model(sim.load("scenarios/chicken_graph.toml"))
    >>> find_state(model, "a_swerves"), find_state(model, "a_swerves=false, b_swerves=false")
    (2, 0)
    """
    labels = [model.label(state) for state in range(model.state_count)]
    if text in labels:
        return labels.index(text)
    pairs = [part.partition("=") for part in text.split(",")]
    names = [name.strip() for name, _, _ in pairs]
    known: Sequence[str] = model.origin.variables if model.origin else ()
    if not all(equals for _, equals, _ in pairs) or not set(names) <= set(known):
        raise OptionError(f"'{text}' is not a state of the graph model; {did_you_mean(text, labels)}")
    wanted = {name.strip(): value.strip() for name, _, value in pairs}
    fitting = [
        state
        for state in range(model.state_count)
        if all(str(model.origin.values(state)[name]).lower() == value.lower() for name, value in wanted.items())
    ]
    if len(fitting) != 1:
        raise OptionError(f"'{text}' fits {len(fitting)} states of the graph model; expected one")
    return fitting[0]


def analyse(
    scenario: Scenario,
    settings: Mapping[str, Any] | None = None,
    *,
    sequences: str = "legal",
    coalitions: Sequence[Sequence[str]] = (),
    remove: Sequence[str] = (),
) -> Report:
    """Analyse a scenario as a graph model, and have the referee check every state.

    Parameters
    ----------
    scenario, settings, remove
        As for :func:`sim.construct.conflict.graph_model`.
    sequences
        How opponents answer: ``"legal"`` sequences or a ``"single"`` move.
    coalitions
        Players whose joint improvements are sought from every equilibrium, from at most :data:`MOST_ORIGINS` of them.

    Raises
    ------
    NoAnswerError
        If the referee finds a mistake.

    Examples
    --------
    >>> import sim
    >>> report = analyse(sim.load("scenarios/elmira.toml"), coalitions=[["moe", "uniroyal"]])
    >>> [(report.model.label(origin), report.model.label(route.target)) for origin, route in report.jumps[0].found]
    [('delay, insist', 'modify, accept, insist')]
    """
    model = graph_model(scenario, settings, remove=remove)
    named = [_coalition(model, words) for words in coalitions]
    found = solve(model, Options(sequences=sequences))
    verdict = verify(found).require()
    stable = np.flatnonzero(found.stable.all(axis=1).any(axis=0))
    origins = [int(state) for state in stable[:MOST_ORIGINS]]
    sought = tuple(jumps(model, members, origins) for members in named)
    return Report(
        found=found,
        verdict=verdict,
        ways=ways(model, stable[:MOST_WAYS]) if model.start >= 0 else (),
        jumps=tuple(
            Jumps(members=one.members, found=one.found, examined=one.examined, origins=len(stable)) for one in sought
        ),
    )


def equilibrium_counts(
    scenario: Scenario,
    settings: Mapping[str, Any],
    asked: Mapping[str, tuple[str, str]],
    *,
    sequences: str = "legal",
    remove: Sequence[str] = (),
) -> dict[str, int]:
    """Count equilibria of the graph model that fulfil conditions; what an experiment's measure ``equilibria`` asks.

    Parameters
    ----------
    scenario, settings, sequences, remove
        As for :func:`analyse`.
    asked
        For each name a condition on the state, and the concept (``nash``, ``gmr``, ``smr`` or ``seq``).

    Raises
    ------
    OptionError
        For a condition that cannot be read.
    NoAnswerError
        If the referee finds a mistake.

    Examples
    --------
    >>> import sim
    >>> chicken = sim.load("scenarios/chicken_graph.toml")
    >>> equilibrium_counts(chicken, {}, {"all": ("true", "nash"), "careful": ("a_swerves and b_swerves", "smr")})
    {'all': 2, 'careful': 1}
    """
    model = graph_model(scenario, settings, remove=remove)
    found = solve(model, Options(sequences=sequences))
    verify(found, work=FEW).require()
    origin = model.origin
    values = {name: float(one[0]) for name, one in assumption_values(scenario, settings).items()}
    view = View(origin.codec, origin.keys[origin.first], values)
    out: dict[str, int] = {}
    for name, (text, concept) in asked.items():
        here = np.broadcast_to(evaluate(read_condition(scenario, text).node, view) > 0, (model.state_count,))
        out[name] = int(here[found.equilibria[concept]].sum())
    return out
