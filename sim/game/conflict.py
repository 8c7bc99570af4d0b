r"""Graph models for conflict resolution: states, what each player can do on his own, and what he prefers; and the referee of stability.

In state :math:`s` player :math:`i` may move to the states :math:`R_i(s)`, one move at a time. The move to :math:`t` is an improvement if he prefers
:math:`t` to :math:`s`. The opponents answer by sequences of their own moves, and may reach the states :math:`R_{N-i}(t)`:

- ``legal`` sequences: any number of moves, nobody twice running (Fang, Hipel & Kilgour 1993, section 4.2);
- ``single``: one move by one opponent.

State :math:`s` is stable for :math:`i` under

- ``nash`` if he has no improvement (Nash 1951);
- ``gmr`` if after every improvement :math:`t` some :math:`u \in R_{N-i}(t)` is no better for him than :math:`s` (Howard 1971);
- ``smr`` if moreover nothing in :math:`R_i(u)` is better for him than :math:`s` (Howard 1971);
- ``seq`` as ``gmr``, where every move of the answer must improve on the state it leaves, for the opponent who makes it (Fraser & Hipel 1979).

Source: Fang, L., Hipel, K. W. & Kilgour, D. M. (1993) Interactive Decision Making: The Graph Model for Conflict Resolution, Wiley.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.errors import OptionError
from sim.kinds import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sim.kinds import Bools, Ints, Keys

__all__ = ["CONCEPTS", "NEVER", "SEQUENCES", "GraphModel", "Sanctions", "Stability", "Step", "make_model", "reason", "sequence_rule", "threat"]  # fmt: skip

CONCEPTS = ("nash", "gmr", "smr", "seq")
"""Axis ``c`` of stability."""
SEQUENCES = ("legal", "single")
"""How opponents may answer."""
NEVER = np.iinfo(np.int32).max
"""The worst that answers lead to where there is no answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphModel:
    """A graph model: ``s`` states, and for each player ``i`` the moves and the order of the states.

    Attributes
    ----------
    players : tuple of str
        Axis ``i``.
    rank : int array, (i, s)
        The higher, the better; equal ranks tie.
    move_start : tuple of int arrays, (s + 1,)
        For each player: the moves from state ``s`` are ``move_start[i][s] … move_start[i][s + 1] - 1``.
    move_to : tuple of int arrays
        For each player: where each move leads, rising for each state, never to the state it leaves.
    move_label : tuple of int arrays
        For each player: the label of each move, an index into ``labels``.
    labels : tuple of str
    start : int
        The present state, or -1.
    origin
        What the model was made from (``construct.conflict.Origin``), or None.

    Examples
    --------
    >>> model = make_model(("a", "b"), [[0, 1], [1, 0]], [[(0, 1)], [(1, 0)]])
    >>> model.state_count, model.moves(0, 0).tolist(), model.label(1)
    (2, [1], '1')
    """

    players: tuple[str, ...]
    rank: Ints
    move_start: tuple[Ints, ...]
    move_to: tuple[Ints, ...]
    move_label: tuple[Ints, ...]
    labels: tuple[str, ...] = ()
    start: int = -1
    origin: Any = field(default=None, repr=False, compare=False)

    @property
    def state_count(self) -> int:
        """Number of states s."""
        return self.rank.shape[1]

    @property
    def move_count(self) -> int:
        """Number of moves of all players."""
        return sum(len(to) for to in self.move_to)

    def moves(self, player: int, state: int) -> Ints:
        """Return the states that a player can move to."""
        return self.move_to[player][self.move_start[player][state] : self.move_start[player][state + 1]]

    def sources(self, player: int) -> Ints:
        """Return the state that each of a player's moves leaves."""
        return np.repeat(np.arange(self.state_count, dtype=np.int32), np.diff(self.move_start[player]))

    def improving(self, player: int) -> Bools:
        """Tell which of a player's moves lead to a state that he prefers."""
        rank = self.rank[player]
        return rank[self.move_to[player]] > rank[self.sources(player)]

    def move_name(self, player: int, source: int, target: int) -> str:
        """Return the label of a move."""
        place = int(self.move_start[player][source] + np.searchsorted(self.moves(player, source), target))
        index = int(self.move_label[player][place])
        return self.labels[index] if 0 <= index < len(self.labels) else ""

    def label(self, state: int) -> str:
        """Write a state."""
        return str(int(state)) if self.origin is None else self.origin.label(int(state))


def make_model(
    players: Sequence[str],
    rank: Any,
    moves: Sequence[Any],
    *,
    labels: Sequence[str] = (),
    names: Sequence[Any] | None = None,
    start: int = -1,
    origin: Any = None,
) -> GraphModel:
    """Make a graph model from lists of moves.

    Parameters
    ----------
    players
        Names.
    rank : int array, (i, s)
        The higher, the better.
    moves
        For each player an array of pairs (from, to); moves from a state to itself and repeated moves are left out.
    labels, names
        Labels, and for each player the label of each move; the first of repeated moves gives its own.
    start, origin
        As for :class:`GraphModel`.

    Examples
    --------
    >>> make_model(("a",), [[0, 1]], [[(0, 1), (0, 1), (1, 1)]]).move_count
    1
    """
    ranks = np.asarray(rank, dtype=np.int32).reshape(len(players), -1)
    size = ranks.shape[1]
    starts: list[Ints] = []
    targets: list[Ints] = []
    shown: list[Ints] = []
    for place in range(len(players)):
        pairs = np.asarray(moves[place], dtype=np.int64).reshape(-1, 2)
        given = np.full(len(pairs), -1) if names is None else np.asarray(names[place])
        kept = pairs[:, 0] != pairs[:, 1]
        codes, first = np.unique(pairs[kept, 0] * size + pairs[kept, 1], return_index=True)
        counts = np.bincount(codes // max(size, 1), minlength=size)
        starts.append(frozen(np.concatenate(([0], np.cumsum(counts))).astype(np.int32)))
        targets.append(frozen((codes % max(size, 1)).astype(np.int32)))
        shown.append(frozen(given[kept][first].astype(np.int32)))
    return GraphModel(
        players=tuple(players),
        rank=frozen(ranks),
        move_start=tuple(starts),
        move_to=tuple(targets),
        move_label=tuple(shown),
        labels=tuple(labels),
        start=start,
        origin=origin,
    )


def sequence_rule(sequences: str, players: int, members: Sequence[int]) -> tuple[Ints, int]:
    """Say who may move next: a table of what is remembered of a sequence.

    Parameters
    ----------
    sequences
        ``"legal"`` or ``"single"``.
    players, members
        The number of players, and those who take part in the sequence.

    Returns
    -------
    tuple
        ``next`` of shape (m, i): the memory after player i's move, or -1 if he may not move; and the memory at the beginning.

    Raises
    ------
    OptionError
        For another word.

    Examples
    --------
    >>> table, fresh = sequence_rule("legal", 3, [1, 2])
    >>> table[fresh].tolist(), table[1].tolist()
    ([-1, 1, 2], [-1, -1, 2])
    >>> sequence_rule("single", 2, [1])[0].tolist()
    [[-1, 1], [-1, -1]]
    """
    if sequences == "legal":
        table = np.full((players + 1, players), -1, dtype=np.int32)
        for member in members:
            table[:, member] = member
            table[member, member] = -1
        return frozen(table), players
    if sequences == "single":
        table = np.full((2, players), -1, dtype=np.int32)
        table[0, list(members)] = 1
        return frozen(table), 0
    message = f"sequences is '{sequences}'; expected one of {', '.join(SEQUENCES)}"
    raise OptionError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sanctions:
    """What the answers to one player's moves can lead to: a claim that :func:`sim.game.verdict.verify` can check move by move.

    Attributes
    ----------
    worst : int array, (m, s)
        The least that a sequence of one or more answers from state ``s``, with memory ``m``, leaves the player (a rank of his);
        :data:`NEVER` where there is no answer.
    steps : int array, (m, s)
        How many moves a shortest such sequence takes; 0 where there is none.
    """

    worst: Ints
    steps: Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Stability:
    """Which states are stable for whom, with what deters.

    Attributes
    ----------
    model, sequences
        What was asked.
    stable : bool array, (c, i, s)
        By concept (:data:`CONCEPTS`), player and state.
    sanctions : mapping
        For ``gmr``, ``smr`` and ``seq``: the :class:`Sanctions` against each player.

    Examples
    --------
    >>> from sim.solve.stability import solve
    >>> model = make_model(("a", "b"), [[2, 0, 3, 1], [2, 3, 0, 1]], [[(0, 2), (1, 3), (2, 0), (3, 1)], [(0, 1), (1, 0), (2, 3), (3, 2)]])
    >>> {concept: found.tolist() for concept, found in solve(model).equilibria.items()}
    {'nash': [3], 'gmr': [0, 3], 'smr': [0, 3], 'seq': [0, 3]}
    """

    model: GraphModel
    sequences: str
    stable: Bools = field(repr=False)
    sanctions: Mapping[str, tuple[Sanctions, ...]] = field(repr=False)

    @property
    def equilibria(self) -> dict[str, Keys]:
        """The states that are stable for every player, by concept."""
        return {name: np.flatnonzero(self.stable[c].all(axis=0)) for c, name in enumerate(CONCEPTS)}

    def players(self, concept: str, state: int) -> tuple[str, ...]:
        """Name the players for whom a state is stable."""
        chosen = self.stable[CONCEPTS.index(concept), :, state]
        return tuple(name for name, stable in zip(self.model.players, chosen, strict=True) if stable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One move of a sequence: who moves, by which move, and to which state."""

    player: int
    move: str
    state: int


def reason(found: Stability, concept: str, player: int, state: int) -> list[tuple[Step, tuple[Step, ...]]]:
    """Say why a state is stable or not for a player: each of his improvements with the answer that deters it, or with none.

    For ``gmr``, ``smr`` and ``seq`` an answer is a shortest sequence to what is worst for him; it is empty where nothing deters.
    Under ``nash`` nothing is answered.

    Examples
    --------
    >>> from sim.solve.stability import solve
    >>> model = make_model(("a", "b"), [[2, 0, 3, 1], [2, 3, 0, 1]], [[(0, 2), (1, 3), (2, 0), (3, 1)], [(0, 1), (1, 0), (2, 3), (3, 2)]])
    >>> [(move.state, [step.state for step in answer]) for move, answer in reason(solve(model), "gmr", 0, 0)]
    [(2, [3])]
    """
    model = found.model
    rank = model.rank[player]
    out: list[tuple[Step, tuple[Step, ...]]] = []
    for target in model.moves(player, state).tolist():
        if rank[target] <= rank[state]:
            continue
        answer: tuple[Step, ...] = ()
        if concept != "nash":
            worst = found.sanctions[concept][player].worst
            table, fresh = _rule(found, player)
            if worst[fresh, target] <= rank[state]:
                answer = _answer(found, concept, player, target, table, fresh)
        out.append((Step(player=player, move=model.move_name(player, state, target), state=target), answer))
    return out


def _rule(found: Stability, player: int) -> tuple[Ints, int]:
    """Return the rule of the sequences that answer a player."""
    count = len(found.model.players)
    return sequence_rule(found.sequences, count, [other for other in range(count) if other != player])


def _answer(found: Stability, concept: str, player: int, state: int, table: Ints, memory: int) -> tuple[Step, ...]:
    """Follow the claimed numbers of steps down to what deters; a claim that leads nowhere ends there."""
    claim = found.sanctions[concept][player]
    out: list[Step] = []
    for left in range(int(claim.steps[memory, state]), 0, -1):
        step = _nearer(found, concept, player, state, table[memory], int(claim.worst[memory, state]), left)
        if step is None:
            break
        out.append(step)
        state, memory = step.state, int(table[memory, step.player])
    return tuple(out)


def _nearer(found: Stability, concept: str, player: int, state: int, row: Ints, level: int, left: int) -> Step | None:
    """Find a move of an opponent that brings what deters one step nearer, or is the last step to it."""
    model, claim = found.model, found.sanctions[concept][player]
    for other, after in enumerate(row.tolist()):
        for target in model.moves(other, state).tolist() if after >= 0 else ():
            if concept == "seq" and model.rank[other][target] <= model.rank[other][state]:
                continue
            if left > 1:
                fits = claim.worst[after, target] == level and claim.steps[after, target] == left - 1
            else:
                fits = threat(model, concept, player, target) == level
            if fits:
                return Step(player=other, move=model.move_name(other, state, target), state=target)
    return None


def threat(model: GraphModel, concept: str, player: int, state: int) -> int:
    """Return what being led to a state leaves a player: its rank, or under ``smr`` the best rank that he can then move to.

    Examples
    --------
    >>> model = make_model(("a",), [[0, 1]], [[(0, 1)]])
    >>> threat(model, "gmr", 0, 0), threat(model, "smr", 0, 0)
    (0, 1)
    """
    own = model.rank[player][state]
    if concept == "smr":
        return int(max(own, model.rank[player][model.moves(player, state)].max(initial=own)))
    return int(own)
