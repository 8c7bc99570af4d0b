r"""Stability in graph models for conflict resolution: Nash, general metarational, symmetric metarational, sequential.

Whether an improvement :math:`t` is deterred depends on one number alone: the worst that the opponents' sequences from :math:`t` can lead the mover to.
For all :math:`t` at once it is found backwards. States are taken from the worst for the mover upwards; whoever can be led there, and was not led to
something worse before, gets that state's level. A node is a state with what must be remembered of the sequence (who moved last), so the work
is linear in moves times players, for each player and concept, and no reachable set is ever stored.

Under ``smr`` the level of a state is the best that the mover can make of it; under ``seq`` the opponents' moves are their improvements.

Source: Fang, L., Hipel, K. W. & Kilgour, D. M. (1993) Interactive Decision Making, Wiley, chapters 3 and 4.
"""

# A kernel's types are its explicit signature.
# pyright: reportMissingParameterType=false, reportUnknownParameterType=false, reportCallIssue=false

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numba as nb
import numpy as np

from sim.errors import OptionError
from sim.game.conflict import CONCEPTS, NEVER, Sanctions, Stability, sequence_rule
from sim.kinds import frozen
from sim.numerics.signatures import INT, read, write

if TYPE_CHECKING:
    from sim.game.conflict import GraphModel
    from sim.kinds import Bools, Ints

__all__ = ["MAX_BYTES", "Options", "solve"]

MAX_BYTES = 4_000_000_000
"""A model whose certificates would take more is refused: 24 bytes for each state, player and memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Options: how opponents may answer, by ``"legal"`` sequences or by a ``"single"`` move.

    Examples
    --------
    >>> Options().sequences
    'legal'
    """

    sequences: str = "legal"


@nb.njit(
    nb.void(read(INT, 1), read(INT, 1), read(INT, 2), read(INT, 2), read(INT, 1), write(INT, 2), write(INT, 2), write(INT, 1)),
    nogil=True,
    cache=True,
)  # fmt: skip
def _spread(level, order, rule, start, source, worst, steps, queue):
    """Spread each level to all that can be led to it; ``start`` and ``source`` list each player's moves by where they lead."""
    size, memories, players = level.shape[0], rule.shape[0], rule.shape[1]
    unset = worst[0, 0]
    head = tail = place = 0
    while place < size:
        now = level[order[place]]
        while place < size and level[order[place]] == now:
            state = order[place]
            for j in range(players):
                for e in range(start[j, state], start[j, state + 1]):
                    before = source[e]
                    for memory in range(memories):
                        if rule[memory, j] >= 0 and worst[memory, before] == unset:
                            worst[memory, before] = now
                            steps[memory, before] = 1
                            queue[tail] = memory * size + before
                            tail += 1
            place += 1
        while head < tail:
            after, state = queue[head] // size, queue[head] % size
            head += 1
            for j in range(players):
                for memory in range(memories):
                    if rule[memory, j] == after:
                        for e in range(start[j, state], start[j, state + 1]):
                            before = source[e]
                            if worst[memory, before] == unset:
                                worst[memory, before] = now
                                steps[memory, before] = steps[after, state] + 1
                                queue[tail] = memory * size + before
                                tail += 1


def _backwards(model: GraphModel, *, improving: bool) -> tuple[Ints, Ints]:
    """List all moves, or all improvements, by where they lead: starts (i, s + 1) and sources."""
    from scipy.sparse import csr_array

    size = model.state_count
    starts: list[Any] = []
    sources: list[Any] = []
    offset = 0
    for i in range(len(model.players)):
        kept = model.improving(i).astype(np.int8) if improving else np.ones(len(model.move_to[i]), dtype=np.int8)
        forward = csr_array((kept, model.move_to[i].copy(), model.move_start[i].copy()), shape=(size, size))
        if improving:
            forward.eliminate_zeros()
        back = forward.tocsc()
        starts.append(back.indptr.astype(np.int64) + offset)
        sources.append(back.indices.astype(np.int32))
        offset += back.nnz
    return frozen(np.stack(starts).astype(np.int32)), frozen(np.concatenate(sources))


def _best_reply(model: GraphModel, player: int) -> Ints:
    """Return the best rank that a player can make of each state, by staying or by one move."""
    out = np.array(model.rank[player])
    np.maximum.at(out, model.sources(player), model.rank[player][model.move_to[player]])
    return out


def _sanctions(model: GraphModel, player: int, level: Ints, backwards: tuple[Ints, Ints], sequences: str) -> Sanctions:
    """Find what the answers to one player can lead to."""
    count, size = len(model.players), model.state_count
    rule, _ = sequence_rule(sequences, count, [other for other in range(count) if other != player])
    worst = np.full((len(rule), size), NEVER, dtype=np.int32)
    steps = np.zeros_like(worst)
    queue = np.empty(worst.size, dtype=np.int32)
    order = np.argsort(level, kind="stable").astype(np.int32)
    _spread(frozen(level), frozen(order), rule, *backwards, worst, steps, queue)
    return Sanctions(worst=frozen(worst), steps=frozen(steps))


def _stable(model: GraphModel, player: int, worst: Ints | None) -> Bools:
    """Find the states from which no improvement goes undeterred."""
    source, target, rank = model.sources(player), model.move_to[player], model.rank[player]
    free = rank[target] > rank[source]
    if worst is not None:
        free &= worst[target] > rank[source]
    return np.bincount(source[free], minlength=model.state_count) == 0


def solve(model: GraphModel, options: Options | None = None) -> Stability:
    """Find all stable states.

    Parameters
    ----------
    model
        Two or more players; with one, nobody answers.
    options
        How opponents may answer.

    Returns
    -------
    Stability
        Not yet checked; see :func:`sim.game.verdict.verify`.

    Raises
    ------
    OptionError
        For unknown sequences, and where the certificates would not fit into memory.

    Examples
    --------
    >>> from sim.game.conflict import make_model
    >>> chicken = make_model(("a", "b"), [[0, 1, 3, 2], [0, 3, 1, 2]], [[(0, 1), (1, 0), (2, 3), (3, 2)], [(0, 2), (2, 0), (1, 3), (3, 1)]])
    >>> solve(chicken).equilibria["nash"].tolist()
    [1, 2]
    """
    chosen = options or Options()
    players, size = len(model.players), model.state_count
    memories = len(sequence_rule(chosen.sequences, players, range(players))[0])
    needed = 24 * players * memories * size
    if needed > MAX_BYTES or memories * size >= NEVER or model.move_count >= NEVER:
        what = f"the graph model has {size:,} states, {model.move_count:,} moves and {players} players"
        message = f"{what}, whose certificates take {needed / 1e9:.1f} GB; list fewer [graph] variables"
        raise OptionError(message)
    every, better = _backwards(model, improving=False), _backwards(model, improving=True)
    stable = np.empty((len(CONCEPTS), players, size), dtype=np.bool_)
    sanctions: dict[str, list[Sanctions]] = {"gmr": [], "smr": [], "seq": []}
    for i in range(players):
        stable[0, i] = _stable(model, i, None)
        levels = {"gmr": model.rank[i], "smr": _best_reply(model, i), "seq": model.rank[i]}
        _, fresh = sequence_rule(chosen.sequences, players, [other for other in range(players) if other != i])
        for name, level in levels.items():
            made = _sanctions(model, i, level, better if name == "seq" else every, chosen.sequences)
            sanctions[name].append(made)
            stable[CONCEPTS.index(name), i] = _stable(model, i, made.worst[fresh])
    return Stability(
        model=model,
        sequences=chosen.sequences,
        stable=frozen(stable),
        sanctions={name: tuple(made) for name, made in sanctions.items()},
    )
