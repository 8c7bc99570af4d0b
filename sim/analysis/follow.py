"""The recorded history followed for all variants of a solution at once: what :mod:`sim.analysis.replay` says of one variant, by variant.

Each record's probability is that of the recorded action given all records before; what is not recorded is summed over, and history is forced through a record
of probability zero. One forward sweep carries weights no further than they are asked for. Variants need not agree on the layer at which a record happens.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.analysis.choices import choices_at, choosers, part_of
from sim.analysis.history import ANY, bypassing, record_text
from sim.analysis.paths import Paths, play
from sim.analysis.replay import replay, round_of, situation, split, told
from sim.analysis.unroll import unrolled
from sim.errors import NoAnswerError, OptionError, ScenarioError
from sim.game.graph import CHANCE, SIMULTANEOUS
from sim.kinds import frozen
from sim.numerics.threads import over_variants

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sim.construct.compile import Origin
    from sim.game.graph import EdgeLabel, Graph
    from sim.kinds import Bools, Floats, Ints
    from sim.scenario.model import Record
    from sim.solve.contract import Solution

__all__ = ["Followed", "advantages", "best_of", "chosen", "follow", "situations", "worths"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """The records followed in every variant.

    Attributes
    ----------
    solution
        What they were held against; of an endless game its first rounds.
    steps : tuple of Record
        The records, in order.
    layers : int array, (v, r)
        The layer at which each happened; -1 from the first that could not be followed.
    probability, uniform : float array, (v, r)
        Each record's probability given those before, and that under uniform play; chance keeps the model's.
    forced : bool array, (v, r)
        Whether it had probability zero, so that history was forced through.

    Examples
    --------
    >>> import sim
    >>> game = sim.compile(sim.load("scenarios/rock_bottom.toml")).repeat(2)
    >>> found = follow(sim.solve(game, "quantal_response", precision=[0.0, 1.0]))
    >>> found.probability.shape, bool(found.log_likelihood[0] == found.uniform_log_likelihood[0])
    ((2, 14), True)
    """

    solution: Solution
    steps: tuple[Record, ...]
    layers: Ints = field(repr=False)
    probability: Floats = field(repr=False)
    uniform: Floats = field(repr=False)
    forced: Bools = field(repr=False)

    @property
    def moves(self) -> Bools:
        """Which records are players' moves, shape (r,); the others are chance."""
        return np.array([bool(step.player) for step in self.steps], dtype=np.bool_)

    @property
    def layer(self) -> Ints:
        """The layer of the last record, shape (v,); -1 without one."""
        return self.layers[:, -1] if self.steps else np.full(len(self.layers), -1, dtype=np.int32)

    @property
    def log_likelihood(self) -> Floats:
        """Logarithm of the probability of all recorded moves, shape (v,); chance is left out, and −∞ where a move has probability 0."""
        return _logarithm(self.probability[:, self.moves])

    @property
    def uniform_log_likelihood(self) -> Floats:
        """The same under uniform play, shape (v,)."""
        return _logarithm(self.uniform[:, self.moves])

    @property
    def profile(self) -> Floats:
        """The profile (v, e) that weighs the records, and plays the solution after them; computed when asked for."""
        graph = self.solution.game.graph
        out: Any = np.array(self.solution.profile)
        ways, member = np.unique(np.hstack([self.layers, self.forced]), axis=0, return_inverse=True)
        for place, way in enumerate(ways):
            rows = np.flatnonzero(member.ravel() == place)
            part = out[rows]
            for r, step in enumerate(self.steps):
                if way[r] >= 0:
                    _keep(graph, part, step, int(way[r]), forced=bool(way[len(self.steps) + r]))
            out[rows] = part
        return out

    def paths(self) -> Paths:
        """Play forward from where the records end, in every variant."""
        return play(self.solution, self.profile)


def _logarithm(probability: Floats) -> Floats:
    """Add the logarithms of each row, shape (v,)."""
    with np.errstate(divide="ignore"):
        return np.ascontiguousarray(np.log(probability)).sum(axis=1) + 0.0  # row by row, however many rows there are


def _keep(graph: Graph, profile: Floats, step: Record, layer: int, *, forced: bool) -> None:
    """Leave of a layer only what is recorded, in profiles (v, e), and close the ways around it."""
    span = graph.edges(layer)
    labels = graph.edge_label[span]
    matching = _matches(graph, step)[labels]
    here = profile[:, span]
    if forced and graph.layer_player[layer] == SIMULTANEOUS:
        player = graph.players.index(step.player)
        shape = graph.node_shape[graph.edge_source()[span], player + 1 :]
        rest = np.arange(len(labels)) - graph.edge_action(player)[span] * np.prod(shape, axis=1, dtype=np.int64)
        total: Any = np.zeros((len(labels), len(profile)))
        np.add.at(total, rest, here.T)
        here = total[rest].T
    elif forced:
        here = np.ones_like(here)
    profile[:, span] = np.where(matching, here, 0.0)
    profile[:, bypassing(graph, layer)] = 0.0


def _matches(graph: Graph, record: Record) -> Bools:
    """Tell which labels say what a record says, shape (labels,)."""
    text = record_text(record)
    return np.array([part_of(label, record.player).text == text for label in graph.labels], dtype=np.bool_)


def _able(graph: Graph, record: Record) -> Bools:
    """Tell at which layers a record may have happened, shape (l,)."""
    fits = np.ones(graph.layer_count, dtype=np.bool_)
    for wanted, numbers in ((record.round, graph.layer_round), (record.turn, graph.layer_turn)):
        if wanted != ANY:
            fits &= numbers == wanted
    if not record.player:
        return fits & (graph.layer_player == CHANCE)
    mover = graph.players.index(record.player)
    together = [mover in choosers(graph, k) for k in range(graph.layer_count)]
    return fits & np.array(together, dtype=np.bool_)


def _run(kernel: Any, given: Any, out: Any, variants: int) -> None:
    """Run a kernel over all variants."""
    over_variants(lambda first, stop: kernel(*given, first, stop, *out), variants)


def _sweep(solution: Solution, steps: Sequence[Record], asked: Bools) -> tuple[Any, ...]:
    """Run the kernel: layers, probabilities, uniform ones, forced ones (v, r), nodes and shares (v,)."""
    from sim.analysis.sweep import sweep

    graph = solution.game.graph
    variants, count = solution.game.variants, len(steps)
    out = (
        np.empty((variants, count), dtype=np.int32), np.empty((variants, count)), np.empty((variants, count)),
        np.empty((variants, count), dtype=np.bool_), np.empty(variants, dtype=np.int32), np.empty(variants),
    )  # fmt: skip
    player = np.array([graph.players.index(x.player) if x.player else CHANCE for x in steps], dtype=np.int32)
    able = np.array([_able(graph, step) for step in steps], dtype=np.bool_).reshape(count, graph.layer_count)
    matches = np.array([_matches(graph, step) for step in steps], dtype=np.bool_).reshape(count, len(graph.labels))
    given: Any = (
        graph.layer_start, graph.layer_player, graph.edge_start, graph.edge_dst, graph.edge_label, graph.edge_weight, graph.node_shape,
        graph.roots, np.ascontiguousarray(solution.profile), player, able, matches, asked,
    )  # fmt: skip
    _run(sweep, given, out, variants)
    return out


def _played(solution: Solution, records: Sequence[Record]) -> tuple[Record, ...]:
    """Leave out the records before the game starts, and after it ends."""
    origin: Origin = solution.game.origin
    rounds = (ANY, *range(origin.first, origin.rounds + 1))
    return tuple(record for record in records if record.round in rounds)


def follow(
    solution: Solution,
    until: str | int | None = None,
    player: str = "",
    *,
    records: Sequence[Record] | None = None,
    lenient: bool = False,
) -> Followed:
    """Follow the recorded history in all variants.

    Parameters
    ----------
    solution
        A certified solution of a compiled scenario.
    until, player, records
        As for :func:`sim.analysis.replay.replay`.
    lenient
        Do not refuse variants in which a record cannot be followed, because what is not recorded before it has probability 0 or it was not
        available: their records from there on have probability 0, and their likelihood is −∞.

    Raises
    ------
    ScenarioError
        When a recorded move was not available where it was made.
    NoAnswerError
        When what is not recorded has probability 0 in some variant.

    Examples
    --------
    >>> import sim
    >>> follow(sim.solve(sim.compile(sim.load(sim.template())).repeat(3), "subgame_perfect")).log_likelihood
    array([0., 0., 0.])
    """
    solution = unrolled(solution.require())
    origin: Origin = solution.game.origin
    wanted = records if records is not None else split(origin.scenario, until, player, origin.recorded)[0]
    steps = _played(solution, wanted)
    layers, probability, uniform, forced, _, _ = _sweep(
        solution, steps, np.zeros(solution.game.graph.layer_count, dtype=np.bool_)
    )
    lost = np.flatnonzero((layers < 0).any(axis=1))
    if len(lost):
        try:
            replay(solution, variant=int(lost[0]), records=steps)  # says what is wrong
        except (NoAnswerError, ScenarioError):
            if not lenient:
                raise
    return Followed(
        solution=solution,
        steps=steps,
        layers=frozen(layers),
        probability=frozen(probability),
        uniform=frozen(uniform),
        forced=frozen(forced),
    )


def situations(solution: Solution, at: str | int | None = None, player: str = "") -> tuple[Ints, Floats]:
    """Find the decision node to which the recorded history leads, in every variant.

    Parameters
    ----------
    solution, at, player
        As for :func:`sim.analysis.replay.situation`.

    Returns
    -------
    tuple of arrays
        The likeliest node of the layer, and its share among the layer's nodes given the records, each (v,).

    Raises
    ------
    OptionError
        When no such decision follows in some variant.

    Examples
    --------
    >>> import sim
    >>> game = sim.compile(sim.load("scenarios/rock_bottom.toml")).repeat(2)
    >>> nodes, share = situations(sim.solve(game, "quantal_response", precision=[0.5, 1.0]), "2016-10", "russia")
    >>> bool(nodes[0] == nodes[1]), bool((share > 0.5).all())
    (True, True)
    """
    solution = unrolled(solution.require())
    graph, origin = solution.game.graph, solution.game.origin
    if player and player not in graph.players:
        raise OptionError(f"'{player}' is not a player; known: {', '.join(graph.players)}")
    if isinstance(at, str) and not at[:1].isdigit():
        wanted, number, records = player, 0, told(origin.scenario, at)
    elif at is None:
        wanted, number, records = player, round_of(solution, None), []
    else:
        following = split(origin.scenario, at, player, origin.recorded)[1]
        wanted = player or next((record.player for record in following if record.player), "")
        number = next((record.round for record in following if record.player == wanted), round_of(solution, at))
        records = split(origin.scenario, at, wanted, origin.recorded)[0]
    names = [[graph.players[i] for i in choosers(graph, k)] for k in range(graph.layer_count)]
    asked = np.array([bool(some) and (not wanted or wanted in some) for some in names], dtype=np.bool_)
    found = _sweep(solution, _played(solution, records), asked & (graph.layer_round >= number))
    nodes, share = found[-2:]
    for v in np.flatnonzero(nodes < 0)[:1].tolist():
        situation(solution, at, player, v)  # says what is wrong
    return frozen(nodes), frozen(share)


def _groups(solution: Solution, nodes: Ints, player: str) -> list[tuple[int, Any, int, list[Any], Any]]:
    """List the distinct nodes: node, variants, the mover, his label at each edge, and which of his actions each edge stands for."""
    graph = solution.game.graph
    out: list[tuple[int, Any, int, list[Any], Any]] = []
    for node in np.unique(nodes).tolist():
        mover = graph.players.index(player) if player else choosers(graph, graph.layer_of(node))[0]
        edges = graph.edges_of(node)
        later = int(np.prod(graph.node_shape[node, mover + 1 :]))
        own = (np.arange(len(edges)) // later) % int(graph.node_shape[node, mover])
        labels = [part_of(graph.labels[graph.edge_label[e]], graph.players[mover]) for e in edges]
        out.append((node, np.flatnonzero(nodes == node), mover, labels, own))
    return out


def chosen(solution: Solution, name: str, at: str | int | None = None, player: str = "") -> Floats:
    """Return how likely a move, or a move of a group, is at a decision of the recorded history, in every variant.

    Parameters
    ----------
    solution
        A certified solution.
    name
        A move or group.
    at, player
        As for :func:`situations`.

    Returns
    -------
    float array, (v,)

    Examples
    --------
    >>> import sim
    >>> solution = sim.solve(sim.compile(sim.load(sim.template())).repeat(2), "quantal_response", precision=[0.0, 1.0])
    >>> [round(float(p), 3) for p in chosen(solution, "push")]
    [0.5, 0.489]
    """
    solution = unrolled(solution.require())
    nodes, _ = situations(solution, at, player)
    out = np.empty(len(nodes))
    for node, rows, _, labels, _ in _groups(solution, nodes, player):
        inside = np.flatnonzero([label.plays(name) for label in labels])
        out[rows] = solution.profile[np.ix_(rows, inside + solution.game.graph.edge_start[node])].sum(axis=1)
    return out


def worths(solution: Solution, at: str | int | None = None, player: str = "") -> tuple[tuple[EdgeLabel, ...], Floats]:
    """Return what every action at a decision of the recorded history is worth to its mover, in every variant.

    Parameters
    ----------
    solution
        A certified solution.
    at, player
        As for :func:`situations`.

    Returns
    -------
    labels : tuple of EdgeLabel
        The mover's actions, in the order in which they are first found.
    values : float array, (v, a)
        The action, then play as it is solved; NaN where it is not available.

    Examples
    --------
    >>> import sim
    >>> labels, values = worths(sim.solve(sim.compile(sim.load(sim.template())).repeat(2), "subgame_perfect"))
    >>> [label.text for label in labels], values[0].tolist()
    (['push', 'hold'], [-0.5, 0.0])
    """
    solution = unrolled(solution.require())
    game = solution.game
    graph, x = game.graph, game.numbers
    if solution.assessment is not None or game.types or game.shocks or x.prospect is not None:
        return _worths_singly(solution, at, player)
    from sim.analysis.sweep import behind

    nodes, _ = situations(solution, at, player)
    groups = _groups(solution, nodes, player)
    movers = np.empty(len(nodes), dtype=np.int32)
    for _, rows, mover, _, _ in groups:
        movers[rows] = mover
    worth = np.empty((game.variants, max(len(labels) for _, _, _, labels, _ in groups)))
    given: Any = (
        graph.layer_start, graph.layer_player, graph.layer_boundary, graph.edge_start, graph.edge_dst, graph.edge_pay, graph.edge_prob,
        graph.node_reward, graph.node_final, x.reward, x.pay, x.prob, x.discount, np.ascontiguousarray(solution.profile), nodes, movers,
    )  # fmt: skip
    _run(behind, given, (worth,), game.variants)
    found: list[tuple[Any, list[EdgeLabel], Floats]] = []
    for node, rows, mover, labels, own in groups:
        mine = [labels[int(np.argmax(own == a))] for a in range(own.max() + 1)]
        edges = np.arange(len(own))
        share = solution.profile[np.ix_(rows, edges + graph.edge_start[node])]
        later = int(np.prod(graph.node_shape[node, mover + 1 :]))
        rest = edges - own * later
        others: Any = np.zeros((len(own), len(rows)))
        np.add.at(others, rest, share.T)
        flow = others[rest].T * worth[rows, : len(own)]
        q = np.stack([np.ascontiguousarray(flow[:, own == a]).sum(axis=1) for a in range(own.max() + 1)], axis=1)
        found.append((rows, mine, q))
    return _together(found, game.variants)


def _worths_singly(solution: Solution, at: str | int | None, player: str) -> tuple[tuple[EdgeLabel, ...], Floats]:
    """Ask variant by variant: with private types, and where chance is weighted."""
    found: list[tuple[Any, list[EdgeLabel], Floats]] = []
    for v in range(solution.game.variants):
        where = situation(solution, at, player, v)
        one = where.replay.solution
        graph = one.game.graph
        mover = graph.players.index(player) if player else choosers(graph, graph.layer_of(where.node))[0]
        choices = choices_at(one, where.node, mover)
        found.append(([v], list(choices.labels), choices.values[None, :, mover]))
    return _together(found, solution.game.variants)


def _together(
    found: Sequence[tuple[Any, list[EdgeLabel], Floats]], variants: int
) -> tuple[tuple[EdgeLabel, ...], Floats]:
    """Put the actions of several nodes side by side."""
    labels = {(label.player, label.text): label for _, mine, _ in found for label in mine}
    place = {key: k for k, key in enumerate(labels)}
    out = np.full((variants, len(labels)), np.nan)
    for rows, mine, q in found:
        out[np.ix_(rows, [place[label.player, label.text] for label in mine])] = q
    return tuple(labels.values()), out


def best_of(labels: Sequence[EdgeLabel], values: Floats, name: str, *, others: bool = False) -> Floats:
    """Return the value of the best action that plays a move, is of a group, or bears a label, (v,); NaN where there is none.

    Parameters
    ----------
    labels, values
        As :func:`worths` returns them.
    name
        A move, a group, or the label of one action.
    others
        Instead: of the best other action.

    Examples
    --------
    >>> import sim
    >>> found = worths(sim.solve(sim.compile(sim.load(sim.template())), "subgame_perfect"))
    >>> best_of(*found, "push"), best_of(*found, "push", others=True)
    (array([-0.5]), array([0.]))
    """
    inside = np.array([(label.plays(name) or label.text == name) != others for label in labels], dtype=np.bool_)
    best = np.where(np.isnan(values), -np.inf, values)[:, inside].max(axis=1, initial=-np.inf)
    return np.where(np.isfinite(best), best, np.nan)


def advantages(solution: Solution, name: str, at: str | int | None = None, player: str = "") -> Floats:
    """Return how much better a move (or the best move of a group) is than the best other move, for its mover, in every variant.

    Parameters
    ----------
    solution
        A certified solution.
    name
        A move or group.
    at, player
        As for :func:`situations`.

    Returns
    -------
    float array, (v,)
        Q(best of ``name``) − Q(best other); NaN where one of the two does not exist.

    Examples
    --------
    >>> import sim
    >>> solution = sim.solve(sim.compile(sim.load(sim.template())).repeat(2), "subgame_perfect")
    >>> advantages(solution, "push")
    array([-0.5, -0.5])
    """
    labels, values = worths(solution, at, player)
    return best_of(labels, values, name) - best_of(labels, values, name, others=True)
