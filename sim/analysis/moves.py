"""What each move does to payoffs at one state: directly, and by changing the game that follows.

At a decision node the game is compiled afresh from two kinds of starts: the state as it stands, and the state that each move leads to. The
*stage game* is the rest of this round from the mover's turn on: its payoffs for each action of the mover and each reply of the next
player, chance integrated and later players following the solution. The second table adds the discounted continuation.

A game compiled afresh begins with the beliefs of the start. So where somebody knows something privately there is no stage game but one of private
numbers at the start; with private types, what each action is worth to each type under each reply is told instead (:mod:`sim.analysis.signals`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from sim.analysis.choices import choices_at, choosers
from sim.analysis.replay import situation
from sim.analysis.signals import signal_at
from sim.analysis.unroll import unrolled
from sim.construct.compile import compile as compile_game
from sim.construct.expand import NODE_LIMIT
from sim.errors import OptionError, ScenarioError
from sim.game.assessment import sight
from sim.game.graph import CHANCE, SIMULTANEOUS, TERMINAL
from sim.solve.registry import solve
from sim.solve.stages import chance_values

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sim.analysis.signals import Signal
    from sim.construct.compile import Origin
    from sim.game.graph import Game, Graph
    from sim.kinds import Floats
    from sim.solve.contract import Solution

ROUNDING = 1e-13

__all__ = ["MoveEffect", "Moves", "StageGame", "advantage", "moves_at"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StageGame:
    """A one-round game at a state.

    Attributes
    ----------
    rows, columns
        The mover's actions and the next player's replies (one empty reply if nobody follows).
    round_payoffs : float array, (rows, columns, i)
        This round's payoffs; NaN where the reply is not available after the row's action.
    payoffs : float array, (rows, columns, i)
        The same plus the discounted continuation.
    best : str
        The mover's best row when the next player replies best for itself, continuation included.
    reply : str
        That reply.
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    round_payoffs: Floats
    payoffs: Floats
    best: str
    reply: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveEffect:
    """What one move does.

    Attributes
    ----------
    action
        The action's label.
    probability
        How often the solution plays it here.
    changes
        What the move rewrites: variable, before, after; empty for an uncertain move.
    stage_change : float array, (i,)
        Change of each player's payoff on the state as it stands, ``pays`` included: each_round after the move minus before.
    continuation : float array, (i,)
        Each player's value after the move.
    continuation_change : float array, (i,)
        The same minus the value at the node before anybody has chosen.
    stage : StageGame or None
        The stage game that would be played from the state which the move leads to; None for an uncertain or final move.
    """

    action: str
    probability: float
    changes: tuple[tuple[str, str, str], ...]
    stage_change: Floats
    continuation: Floats
    continuation_change: Floats
    stage: StageGame | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Moves:
    """All moves at one decision node.

    With private types payoffs and values are those that one expects who has seen the history, the move too, and no type. ``before`` is None, and
    ``note`` says why, where no stage game is told; ``signal`` is what each action tells of its maker's type, where he has several.
    """

    player: str
    round: int
    state: dict[str, str | int | bool]
    share: float
    values: Floats
    before: StageGame | None
    effects: tuple[MoveEffect, ...]
    note: str = ""
    signal: Signal | None = None
    node: int = -1


class _Fresh:
    """The game of one variant compiled from chosen states at one turn of a round, solved as the original was."""

    def __init__(self, solution: Solution, keys: list[int], number: int, turn: int) -> None:
        game = solution.game
        origin: Origin = game.origin
        settings = {name: float(values[0]) for name, values in game.assumptions.items() if name in origin.settings}
        self.game: Game = compile_game(
            origin.scenario,
            settings,
            rounds=origin.rounds,
            first=number,
            first_turn=turn,
            starts=keys,
            remove=origin.removed,
            hidden=origin.draws.privates if origin.draws else (),
            known=origin.told,
            node_limit=max(NODE_LIMIT, 4 * game.graph.node_count),
        )
        options = {
            name: value[0] if isinstance(value, np.ndarray) else value for name, value in solution.options.items()
        }
        self.solution = solve(self.game, solution.concept, **options).require()
        _, self.arrival = self.solution.node_values()
        self.root = {int(self.game.graph.node_key[root]): int(root) for root in self.game.graph.roots}
        self.number = number

    @cached_property
    def this_round(self) -> Floats:
        """Return every node's payoffs of this round alone under the solution, on arrival, shape (n, i)."""
        graph, numbers = self.game.graph, self.game.numbers
        out = np.zeros((graph.node_count, len(graph.players)))
        for layer in range(graph.layer_count - 1, -1, -1):
            nodes, edges = graph.nodes(layer), graph.edges(layer)
            ended = graph.layer_boundary[layer] and layer > 0
            if graph.layer_round[layer] > self.number or graph.layer_player[layer] == TERMINAL:
                if (
                    ended
                    and int(graph.layer_round[layer]) - (0 if graph.layer_player[layer] == TERMINAL else 1)
                    == self.number
                ):
                    out[nodes] = numbers.reward[0, graph.node_reward[nodes]]
                continue
            q = numbers.pay[0, graph.edge_pay[edges]] + out[graph.edge_dst[edges]]
            if graph.layer_player[layer] == CHANCE:
                out[nodes] = chance_values(self.game, layer, q[None])[0]
                continue
            share = self.solution.profile[0, edges][:, None]
            out[nodes] = np.add.reduceat(share * q, graph.edge_start[nodes] - edges.start)
        return out

    def stage(self, key: int, mover: str) -> StageGame:
        """Tabulate the stage game at a start."""
        graph, numbers = self.game.graph, self.game.numbers
        node = self.root[key]
        now = self.this_round
        index = graph.players.index(mover)
        rows: list[str] = []
        table: list[dict[str, tuple[Floats, Floats]]] = []
        replies: list[str] = []
        for edge in graph.edges_of(node):
            rows.append(graph.labels[graph.edge_label[edge]].text)
            paid = numbers.pay[0, graph.edge_pay[edge]]
            to = int(graph.edge_dst[edge])
            layer = graph.layer_of(to)
            cells: dict[str, tuple[Floats, Floats]] = {}
            follower = int(graph.layer_player[layer])
            best, answer = -np.inf, ""
            if follower >= 0 and graph.layer_round[layer] == self.number:
                for reply in graph.edges_of(to):
                    also = paid + numbers.pay[0, graph.edge_pay[reply]]
                    after = int(graph.edge_dst[reply])
                    text = graph.labels[graph.edge_label[reply]].text
                    cells[text] = (also + now[after], also + self.arrival[after])
                    if cells[text][1][follower] > best:
                        best, answer = float(cells[text][1][follower]), text
            else:
                cells[""] = (paid + now[to], paid + self.arrival[to])
            table.append(cells)
            replies.append(answer)
        columns = tuple(dict.fromkeys(text for cells in table for text in cells))
        shape = (len(rows), len(columns), len(graph.players))
        now_table, all_table = np.full(shape, np.nan), np.full(shape, np.nan)
        for r, cells in enumerate(table):
            for text, (round_only, whole) in cells.items():
                now_table[r, columns.index(text)], all_table[r, columns.index(text)] = round_only, whole
        worth = [all_table[r, columns.index(reply), index] for r, reply in enumerate(replies)]
        chosen = int(np.argmax(worth))
        return StageGame(
            rows=tuple(rows),
            columns=columns,
            round_payoffs=now_table,
            payoffs=all_table,
            best=rows[chosen],
            reply=replies[chosen],
        )


def _hidden(game: Game) -> list[dict[str, float]]:
    """Return what is hidden: one dictionary for each combination of types; private numbers are at their means."""
    origin: Origin = game.origin
    if origin.hidden:
        return [{name: float(own[lane]) for name, own in origin.hidden.values.items()} for lane in range(game.lanes)]
    if game.shocks is not None:
        own = zip(game.shocks.names, game.shocks.games[0].shocks, strict=True)
        return [{name: one.centre for names, some in own for name, one in zip(names, some, strict=True)}]
    return [{}]


def _each_round(game: Game, key: int, number: int, variant: int, hidden: Mapping[str, float]) -> Floats:
    """Evaluate every player's each_round on one state and one combination of what is hidden, shape (i,)."""
    from sim.construct.expand import View
    from sim.scenario.evaluate import evaluate

    origin: Origin = game.origin
    values = {name: column[min(variant, column.size - 1)] for name, column in game.assumptions.items()}
    values |= {**origin.known, **hidden}
    view = View(
        origin.codec, np.array([key]), {**values, "round": float(number), "rounds_left": float(origin.rounds - number)}
    )
    return np.array(
        [
            sum(float(evaluate(term.node, view).ravel()[0]) for term in player.terms.values())
            for player in origin.scenario.players
        ]
    )


def moves_at(solution: Solution, at: str | int | None = None, player: str = "", variant: int = 0) -> Moves:
    """Tell what each move does at a state of the recorded history.

    Parameters
    ----------
    solution
        A certified solution.
    at
        A date or round: the decision that follows the records before it; None is the first decision of the game.
    player
        Whose decision; by default that of the next record.
    variant
        Which variant.

    Returns
    -------
    Moves

    Examples
    --------
    >>> import sim
    >>> found = moves_at(sim.solve(sim.compile(sim.load(sim.template())), "subgame_perfect"))
    >>> [effect.action for effect in found.effects], found.before.best
    (['push', 'hold'], 'hold')
    """
    solution = unrolled(solution)
    where = situation(solution, at, player, variant)
    one, node = where.replay.solution, where.node
    graph, numbers, codec = one.game.graph, one.game.numbers, one.game.origin.codec
    layer = graph.layer_of(node)
    _refuse_together(graph, layer)
    number, mover = int(graph.layer_round[layer]), graph.players[int(graph.layer_player[layer])]
    value, _ = one.node_values()
    key = int(graph.node_key[node])
    note = _no_stage(one.game, node)
    targets: dict[int, int] = {}
    for edge in graph.edges_of(node):
        to = int(graph.edge_dst[edge])
        ends = graph.layer_player[graph.layer_of(to)] == TERMINAL
        ends |= one.game.shocks is not None  # the tree of private numbers has one start
        if not graph.node_uncertain[to] and not ends:
            targets[edge] = int(graph.node_key[to])
    fresh = None if note else _start(one, key, set(targets.values()), number, int(graph.layer_turn[layer]))
    hidden = _hidden(one.game)

    def each_round(state: int) -> Floats:
        return np.stack([_each_round(one.game, state, number, 0, row) for row in hidden])

    base = each_round(key)
    effects: list[MoveEffect] = []
    for edge, weight, q in zip(graph.edges_of(node), _seen_after(one, node), _lane_values(one, node), strict=True):
        to = int(graph.edge_dst[edge])
        changes: list[tuple[str, str, str]] = []
        change = weight @ numbers.pay[:, graph.edge_pay[edge]]
        after = weight @ q
        if one.game.types is not None:  # rounding error of averaging is nothing
            after[np.abs(after) < ROUNDING * numbers.span[0]] = 0.0
        if not graph.node_uncertain[to]:
            old, new = codec.state(key), codec.state(int(graph.node_key[to]))
            changes = [(x.id, x.show(old[x.id]), x.show(new[x.id])) for x in codec.variables if old[x.id] != new[x.id]]
            change += weight @ (each_round(int(graph.node_key[to])) - base)
        effects.append(
            MoveEffect(
                action=graph.labels[graph.edge_label[edge]].text,
                probability=float(one.profile[0, edge]),
                changes=tuple(changes),
                stage_change=change,
                continuation=after,
                continuation_change=after - value[node],
                stage=fresh.stage(targets[edge], mover) if fresh and targets.get(edge) in fresh.root else None,
            )
        )
    return Moves(
        player=mover,
        round=number,
        state=codec.labelled(key),
        share=where.share,
        values=value[node],
        before=fresh.stage(key, mover) if fresh else None,
        effects=tuple(effects),
        note=note,
        signal=_signal(one, node),
        node=node,
    )


def _lane_values(solution: Solution, node: int) -> Floats:
    """Return what each edge that leaves a node is worth in each combination of types, (edges, s, i)."""
    if solution.game.types is None:
        return solution.action_values(node)[:, None]
    return solution.lane_action_values(node).transpose(1, 0, 2)


def _seen_after(solution: Solution, node: int) -> Floats:
    """Return how likely each combination of types is to one who has seen the history and each edge, (edges, s).

    After an edge that nobody takes: what the assessment says, or, where types matter no more, what was believed of those who can take it.
    """
    types, assessment, graph = solution.game.types, solution.assessment, solution.game.graph
    edges = np.asarray(graph.edges_of(node))
    if types is None or assessment is None:
        return np.ones((len(edges), 1))
    mover = int(graph.layer_player[graph.layer_of(node)])
    public = sight(types, assessment.belief[0]).public
    out = public[node] * assessment.profile[0][:, edges].T
    for row, edge in zip(out, edges.tolist(), strict=True):
        to = int(graph.edge_dst[edge])
        able = types.weight[edge, types.lane[:, mover]] > 0
        if not row.any():
            row[:] = public[to] if types.node_class[to, mover] >= 0 else public[node] * able
        if not row.any():
            row[:] = able
    return out / out.sum(axis=1, keepdims=True)


def _no_stage(game: Game, node: int) -> str:
    """Say why there is no stage game; nothing where there is one."""
    if game.types is not None:
        return "No stage game is shown: it would need the beliefs of this history, and each type has a stage game of his own"
    if game.shocks is not None and node not in game.graph.roots:
        return "No stage game is shown: it would need the beliefs of this history about private numbers"
    return ""


def _signal(solution: Solution, node: int) -> Signal | None:
    """Tell what choices tell, where one player with several types decides."""
    types, graph = solution.game.types, solution.game.graph
    mover = int(graph.layer_player[graph.layer_of(node)])
    return signal_at(solution, node) if types is not None and types.count[mover] > 1 else None


def _refuse_together(graph: Graph, layer: int) -> None:
    """Refuse a decision that several players take at once: no move has an effect of its own there."""
    if graph.layer_player[layer] == SIMULTANEOUS:
        names = " and ".join(graph.players[i] for i in choosers(graph, layer))
        raise OptionError(f"{names} choose at once there, so that no move has an effect of its own; ask sim stages")


def _start(solution: Solution, key: int, targets: set[int], number: int, turn: int) -> _Fresh:
    """Compile the game from a state and from those that moves lead to, leaving out those in which the mover could not move again."""
    try:
        return _Fresh(solution, sorted({key, *targets}), number, turn)
    except ScenarioError:
        usable = {key}
        for target in targets:
            try:
                _Fresh(solution, [target], number, turn)
            except ScenarioError:
                continue
            usable.add(target)
        return _Fresh(solution, sorted(usable), number, turn)


def advantage(solution: Solution, name: str, at: str | int | None, player: str = "", variant: int = 0) -> float:
    """Return how much better a move (or the best move of a group) is than the best other move, for its mover.

    Parameters
    ----------
    solution
        A certified solution.
    name
        A move or group.
    at, player, variant
        As for :func:`moves_at`.

    Returns
    -------
    float
        Q(best of ``name``) − Q(best other); NaN when one of the two does not exist there.
    """
    solution = unrolled(solution)
    where = situation(solution, at, player, variant)
    one = where.replay.solution
    graph = one.game.graph
    names = choosers(graph, graph.layer_of(where.node))
    mover = graph.players.index(player) if player else names[0]
    found = choices_at(one, where.node, mover)
    q = found.values[:, mover]
    inside = np.array([label.plays(name) for label in found.labels])
    if inside.all() or not inside.any():
        return float("nan")
    return float(q[inside].max() - q[~inside].max())
