"""The referee of stability: checks what a solver claims of a graph model, by code that did not solve it.

Two ways. *Move by move*, for every state: no answer may lead to less than the claimed worst (so what is called undeterred is), and every
claimed worst must be a move away from one claimed with a step less, or be where that move arrives (so what is called deterred is). Both
together prove the claim by induction over the length of a sequence. *By search*, for all states of a small model and for evenly spaced ones of
a large: plain sets of the states that the opponents can reach, straight from the definitions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sim.errors import NoAnswerError
from sim.game.conflict import CONCEPTS, NEVER, sequence_rule

if TYPE_CHECKING:
    from sim.game.conflict import GraphModel, Stability
    from sim.kinds import Bools, Ints

__all__ = ["Verdict", "reachable", "verify"]

MOST_MISTAKES = 10
WORK = 200_000
"""Moves that the search may look at, unless the caller allows more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the referee found.

    Attributes
    ----------
    proved
        States checked move by move: all.
    searched
        States checked again by search.
    mistakes
        What is wrong, at most ten.

    Examples
    --------
    >>> Verdict(proved=4, searched=4, mistakes=()).certified
    True
    """

    proved: int
    searched: int
    mistakes: tuple[str, ...]

    @property
    def certified(self) -> bool:
        """Whether nothing is wrong."""
        return not self.mistakes

    def require(self) -> Verdict:
        """Return the verdict, or raise if something is wrong.

        Raises
        ------
        NoAnswerError
            Naming the first mistake.
        """
        if self.mistakes:
            raise NoAnswerError(f"stability has no certified answer: {self.mistakes[0]}. Please report the scenario.")
        return self


class _Referee:
    """Checks one claim."""

    def __init__(self, found: Stability) -> None:
        self.found, self.model = found, found.model
        self.mistakes: list[str] = []
        self.sources = [found.model.sources(i) for i in range(len(found.model.players))]

    def mistake(self, concept: str, player: int, state: int, what: str) -> None:
        """Note a mistake."""
        if len(self.mistakes) < MOST_MISTAKES:
            name, shown = self.model.players[player], self.model.label(state)
            self.mistakes.append(f"{concept} for {name} at {shown}: {what}")

    def others(self, player: int) -> list[int]:
        """List the opponents of a player."""
        return [other for other in range(len(self.model.players)) if other != player]

    def levels(self, concept: str, player: int) -> Ints:
        """Return what being led to each state leaves a player; under smr with his best move from there."""
        rank = self.model.rank[player]
        if concept != "smr":
            return rank
        best = rank.copy()
        filled = np.flatnonzero(np.diff(self.model.move_start[player]))
        if len(filled):
            starts = self.model.move_start[player][filled]
            best[filled] = np.maximum(best[filled], np.maximum.reduceat(rank[self.model.move_to[player]], starts))
        return best

    def edges(self, concept: str, other: int) -> tuple[Ints, Ints]:
        """Return the moves of an opponent that may answer."""
        source, target = self.sources[other], self.model.move_to[other]
        if concept != "seq":
            return source, target
        better = self.model.rank[other][target] > self.model.rank[other][source]
        return source[better], target[better]

    def prove(self, concept: str, player: int) -> None:
        """Check every claimed worst against every move, then every stable state."""
        claim, level = self.found.sanctions[concept][player], self.levels(concept, player)
        table, fresh = sequence_rule(self.found.sequences, len(self.model.players), self.others(player))
        if claim.worst.shape != (len(table), self.model.state_count) or claim.steps.shape != claim.worst.shape:
            self.mistake(concept, player, 0, f"the claim has shape {claim.worst.shape}")
            return
        attained: Bools = np.zeros(claim.worst.shape, dtype=np.bool_)
        for memory, row in enumerate(table):
            for other, after in enumerate(row):
                if after < 0:
                    continue
                source, target = self.edges(concept, other)
                mine = claim.worst[memory, source]
                low = mine > np.minimum(level[target], claim.worst[after, target])
                if low.any():
                    self.mistake(concept, player, int(source[low][0]), "an answer leads to less than the claimed worst")
                step = claim.steps[memory, source]
                here = (step == 1) & (level[target] == mine)
                further = (step > 1) & (claim.steps[after, target] == step - 1) & (claim.worst[after, target] == mine)
                attained[memory, source[here | further]] = True
        loose = (claim.worst != NEVER) & ~attained
        if loose.any():
            self.mistake(concept, player, int(np.argwhere(loose)[0, 1]), "no sequence leads to the claimed worst")
        self.settle(concept, player, claim.worst[fresh])

    def settle(self, concept: str, player: int, worst: Ints) -> None:
        """Check that the stable states are those whose improvements are all deterred."""
        rank, source, target = self.model.rank[player], self.sources[player], self.model.move_to[player]
        undeterred = (rank[target] > rank[source]) & (worst[target] > rank[source])
        stable = np.ones(self.model.state_count, dtype=np.bool_)
        stable[source[undeterred]] = False
        wrong = stable != self.found.stable[CONCEPTS.index(concept), player]
        if wrong.any():
            called = "unstable" if stable[wrong][0] else "stable"
            self.mistake(concept, player, int(np.flatnonzero(wrong)[0]), f"wrongly called {called}")

    def search(self, state: int, allowance: list[int]) -> bool:
        """Check one state from the definitions; tell whether the allowance of moves sufficed."""
        for player in range(len(self.model.players)):
            rank = self.model.rank[player]
            better = [t for t in self.model.moves(player, state).tolist() if rank[t] > rank[state]]
            self.compare("nash", player, state, stable=not better)
            for concept in CONCEPTS[1:]:
                stable = True
                for target in better:
                    led = reachable(
                        self.model, target, self.others(player), self.found.sequences,
                        improving=concept == "seq", allowance=allowance,
                    )  # fmt: skip
                    if allowance[0] <= 0:
                        return False
                    stable &= any(self.deters(concept, player, state, there) for there in led)
                self.compare(concept, player, state, stable=stable)
        return True

    def deters(self, concept: str, player: int, state: int, there: int) -> bool:
        """Tell whether being led to a state deters a player from leaving another."""
        rank = self.model.rank[player]
        if rank[there] > rank[state]:
            return False
        escapes = self.model.moves(player, there) if concept == "smr" else ()
        return all(rank[onward] <= rank[state] for onward in escapes)

    def compare(self, concept: str, player: int, state: int, *, stable: bool) -> None:
        """Hold the search against the claim."""
        if stable != self.found.stable[CONCEPTS.index(concept), player, state]:
            called = "unstable" if stable else "stable"
            self.mistake(concept, player, state, f"wrongly called {called}, by search")


def reachable(
    model: GraphModel,
    state: int,
    members: list[int],
    sequences: str = "legal",
    *,
    improving: bool = False,
    allowance: list[int] | None = None,
) -> set[int]:
    """Return the states that some players can reach by sequences of their own moves, by plain search.

    Parameters
    ----------
    model, state, members
        Where the sequences start, and who moves.
    sequences
        ``"legal"``: any number of moves, nobody twice running; ``"single"``: one move.
    improving
        Whether each move must improve on the state it leaves, for whoever makes it.
    allowance
        A list with the number of moves that may still be looked at; it is used up, and the search stops at 0.

    Examples
    --------
    >>> from sim.game.conflict import make_model
    >>> chain = make_model(("a", "b"), [[0, 1, 2], [0, 1, 2]], [[(0, 1)], [(1, 2)]])
    >>> sorted(reachable(chain, 0, [0, 1])), sorted(reachable(chain, 0, [0, 1], "single"))
    ([1, 2], [1])
    """
    left = allowance if allowance is not None else [WORK]
    out: set[int] = set()
    seen: set[tuple[int, int]] = set()
    waiting = [(state, -1)]
    while waiting and left[0] > 0:
        here, last = waiting.pop()
        if last >= 0 and sequences == "single":
            continue
        for member in members:
            if member == last:
                continue
            targets: list[int] = model.moves(member, here).tolist()
            left[0] -= len(targets)
            for target in targets:
                if improving and model.rank[member][target] <= model.rank[member][here]:
                    continue
                out.add(target)
                if (target, member) not in seen:
                    seen.add((target, member))
                    waiting.append((target, member))
    return out


def verify(found: Stability, *, work: int = WORK) -> Verdict:
    """Check a claim of stability: every state move by move, and as many as the work allows by search.

    Parameters
    ----------
    found
        What a solver claims.
    work
        Moves that the search may look at; a state whose search is cut short does not count.

    Returns
    -------
    Verdict
        With every state proved, or with mistakes.

    Examples
    --------
    >>> from sim.game.conflict import make_model
    >>> from sim.solve.stability import solve
    >>> model = make_model(("a", "b"), [[0, 1], [1, 0]], [[(0, 1)], [(1, 0)]])
    >>> verify(solve(model))
    Verdict(proved=2, searched=2, mistakes=())
    """
    referee = _Referee(found)
    model = found.model
    for player in range(len(model.players)):
        referee.settle("nash", player, np.full(model.state_count, NEVER, dtype=np.int32))
        for concept in CONCEPTS[1:]:
            referee.prove(concept, player)
    searched, allowance = 0, [work]
    size = model.state_count
    step = max(1, round(size * 0.618)) if size > 1 else 1
    while np.gcd(step, size) != 1:  # so that the walk visits every state once, spread evenly from the beginning
        step += 1
    for place in range(size):
        if not referee.search(place * step % size, allowance):
            break
        searched += 1
    return Verdict(proved=size, searched=searched, mistakes=tuple(referee.mistakes))
