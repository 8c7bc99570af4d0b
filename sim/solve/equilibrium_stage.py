r"""Nash equilibria of stages, one chosen by a named rule.

With two players every equilibrium is enumerated and the rule picks one; with more, all pure equilibria are found, and where there is none, one
mixed equilibrium. Rules:

``payoff_dominant``
    Best for everybody; where none is, the fallback decides.
``risk_dominant``
    Of two strict pure equilibria of a 2 × 2 stage; elsewhere the fallback decides.
``linear_tracing``
    The end of the path that starts at best replies to uniform play (Harsanyi & Selten 1988); two players.
``logit_limit``
    The equilibrium to which the branch of logit responses leads from uniform play (McKelvey & Palfrey 1995).
``public``
    A public draw, each extreme equilibrium equally likely; two players.
``best_for:NAME``, ``worst_for:NAME``
    By a player's value; two players.
``first``
    The first in the order of the list.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.errors import OptionError, did_you_mean
from sim.solve.stages import follow_stage, joint

if TYPE_CHECKING:
    from sim.kinds import Floats, Keys
    from sim.solve.stages import Stage

__all__ = ["PLAIN_RULES", "Chooser", "check_rule", "equilibria_of", "logit_limit"]

PLAIN_RULES = ("payoff_dominant", "risk_dominant", "linear_tracing", "logit_limit", "public", "first")
FOR_PLAYER = ("best_for", "worst_for")
PAIR = 2
REGRET = 1e-8


def check_rule(rule: str, word: str, players: tuple[str, ...] | None = None) -> None:
    """Refuse an unknown rule, or one that names no player of the game.

    Raises
    ------
    OptionError
        With advice.

    Examples
    --------
    >>> check_rule("best_for:usa", "selection", ("russia", "usa"))
    """
    head, colon, name = rule.partition(":")
    if rule in PLAIN_RULES or (colon and head in FOR_PLAYER and players is None):
        return
    if colon and head in FOR_PLAYER:
        if players is not None and name not in players:
            raise OptionError(f"{word} '{rule}' names '{name}', who is not a player; {did_you_mean(name, players)}")
        return
    known = [*PLAIN_RULES, *(f"{one}:PLAYER" for one in FOR_PLAYER)]
    raise OptionError(f"{word} '{rule}' is not a rule; {did_you_mean(rule, known)}")


def equilibria_of(stage: Stage) -> Any:
    """Enumerate the equilibria of stages of at most two active players: the flat result of :func:`sim.solve.nash.equilibria` for (v k) games."""
    from sim.solve.nash import equilibria

    shape = (*stage.shape, 1, 1)[:PAIR]
    active = (*stage.active, *(i for i in range(stage.q.shape[-1]) if i not in stage.active), 0)[:PAIR]
    a, b = (np.ascontiguousarray(stage.q[..., i].reshape(-1, *shape)) for i in active)
    if len(stage.active) < PAIR:
        b = np.zeros_like(b)
    return a, b, equilibria(a, b)


def logit_limit(stage: Stage) -> list[Floats]:
    """Follow the logit branch of each stage until nobody can gain more than 1e-8 of the payoff range; own probabilities, each (v k, actions)."""
    v, k = stage.q.shape[:2]
    q = stage.q[..., list(stage.active)].reshape(v * k, -1, len(stage.active))
    spread = q.max(axis=1, keepdims=True) - q.min(axis=1, keepdims=True)
    table = (q - q.mean(axis=1, keepdims=True)) / np.where(spread > 0, spread, 1.0)
    return follow_stage(stage, table, regret=REGRET)


def _trace(a: Floats, b: Floats, stage: Stage) -> list[Floats]:
    """Follow the linear tracing procedure from weighted uniform play."""
    from sim.numerics.tracing import trace

    prior = [np.tile(one, (len(stage.q), 1)) for one in stage.weights]
    return list(trace(a, b, prior[0], prior[1]))


def _nearest(found: Any, own: list[Floats]) -> Keys:
    """Return the place of the equilibrium nearest to each profile, (v k,)."""
    counts = np.diff(found.offsets)
    apart = np.abs(found.row - np.repeat(own[0], counts, axis=0)).max(axis=1)
    apart = np.maximum(apart, np.abs(found.column - np.repeat(own[1], counts, axis=0)).max(axis=1))
    least = np.minimum.reduceat(apart, found.offsets[:-1])
    near = np.flatnonzero(apart <= np.repeat(least, counts))
    game = np.repeat(np.arange(len(counts)), counts)[near]
    return near[np.searchsorted(game, np.arange(len(counts)))]


@dataclass(slots=True, kw_only=True)
class Chooser:
    """Solves stages under one rule, and counts what it met.

    Attributes
    ----------
    players
        Axis ``i``.
    selection, fallback
        The rules.
    multiple, undecided, unproved : int array, (v,)
        Stages with several equilibria; those among them where the rule did not decide; those whose list is not proved to be complete.
    """

    players: tuple[str, ...]
    variants: int
    selection: str
    fallback: str
    multiple: Keys = field(init=False)
    undecided: Keys = field(init=False)
    unproved: Keys = field(init=False)

    def __post_init__(self) -> None:
        """Check the rules and start counting."""
        check_rule(self.selection, "selection", self.players)
        check_rule(self.fallback, "fallback", self.players)
        self.reset()

    def reset(self) -> None:
        """Start counting again."""
        self.multiple, self.undecided, self.unproved = (np.zeros(self.variants, dtype=np.int64) for _ in range(3))

    def counts(self) -> dict[str, Keys]:
        """Return what it met, by name."""
        return {"multiple": self.multiple, "undecided": self.undecided, "unproved": self.unproved}

    def __call__(self, stage: Stage) -> Floats:
        """Return joint probabilities (v, k, a)."""
        v, k = stage.q.shape[:2]
        if not stage.active:
            return np.ones((v, k, 1))
        if len(stage.active) > PAIR:
            return self.several(stage)
        a, b, found = equilibria_of(stage)
        counts = np.diff(found.offsets).reshape(v, k)
        several = counts > 1
        self.multiple[stage.variants] += several.sum(axis=1)
        self.unproved[stage.variants] += (np.asarray(found.completeness).reshape(v, k) > 0).sum(axis=1)
        if self.selection == "public":
            product = (found.row[:, :, None] * found.column[:, None, :]).reshape(len(found.row), -1)
            sums = np.add.reduceat(product, found.offsets[:-1], axis=0)
            return (sums / counts.reshape(-1, 1)).reshape(v, k, -1)
        place = np.array(found.offsets[:-1])
        open_ = several.reshape(-1)
        if open_.any():
            picked, decided = self.pick(stage, a, b, found)
            place[open_] = picked[open_]
            self.undecided[stage.variants] += (several & ~decided.reshape(v, k)).sum(axis=1)
        return joint([found.row[place], found.column[place]]).reshape(v, k, -1)

    def pick(self, stage: Stage, a: Floats, b: Floats, found: Any) -> tuple[Any, Any]:
        """Choose the place of one equilibrium of each game; tell whether the rule alone decided."""
        place, decided = self.by(self.selection, stage, a, b, found)
        if not decided.all():
            other, _ = self.by(self.fallback, stage, a, b, found)
            place = np.where(decided, place, other)
        return place, decided

    def by(self, rule: str, stage: Stage, a: Floats, b: Floats, found: Any) -> tuple[Any, Any]:
        """Apply one rule."""
        from sim.solve.selection import select

        sure = np.ones(len(a), dtype=bool)
        if len(stage.active) < PAIR and rule in ("logit_limit", "linear_tracing"):
            return np.array(found.offsets[:-1]), ~sure  # one player, tied: nothing to trace
        if rule == "logit_limit":
            return _nearest(found, logit_limit(stage)), sure
        if rule == "linear_tracing":
            return _nearest(found, _trace(a, b, stage)), sure
        if rule == "risk_dominant" and stage.shape != (2, 2):
            return np.array(found.offsets[:-1]), ~sure
        if rule == "public":
            raise OptionError("fallback 'public' is a rule for all stages; say selection=public")
        head, _, name = rule.partition(":")
        if head in FOR_PLAYER:
            player = self.players.index(name)
            if player not in stage.active:
                return np.array(found.offsets[:-1]), ~sure
            rule = f"{head}_{('row', 'column')[stage.active.index(player)]}"
        chosen = select(a, b, rule, found)
        return chosen.place, chosen.decided

    def several(self, stage: Stage) -> Floats:
        """Solve stages of three and more: all pure equilibria; where there is none, or by the logit limit, one mixed."""
        from sim.game.strategic import StrategicGame
        from sim.solve.many_players import one_equilibrium, pure_equilibria

        v, k, size = stage.q.shape[:3]
        self.unproved[stage.variants] += k
        out = np.zeros((v * k, size))
        payoffs = np.stack([stage.tensor(i) for i in stage.active], axis=1)
        traced = joint(logit_limit(stage)) if self.selection == "logit_limit" else None
        names = tuple(self.players[i] for i in stage.active)
        actions = tuple(tuple(str(a + 1) for a in range(count)) for count in stage.shape)
        for game in range(v * k):
            strategic = StrategicGame(players=names, actions=actions, payoffs=payoffs[game])
            pure = pure_equilibria(strategic)
            variant = stage.variants.start + game // k
            self.multiple[variant] += len(pure) > 1
            if traced is not None:
                out[game] = self.tidy(traced[game], pure, stage.shape)
            elif not pure:
                out[game] = joint([np.asarray(one)[None] for one in one_equilibrium(strategic).profile])[0]
            else:
                place, decided = self.pure_pick(payoffs[game], pure, stage.active)
                self.undecided[variant] += len(pure) > 1 and not decided
                out[game, np.ravel_multi_index(pure[place], stage.shape)] = 1.0
        return out.reshape(v, k, size)

    def tidy(self, traced: Floats, pure: Any, shape: tuple[int, ...]) -> Floats:
        """Round a traced profile to the pure equilibrium beside it, if there is one."""
        for actions in pure:
            sure = np.zeros(len(traced))
            sure[np.ravel_multi_index(actions, shape)] = 1.0
            if np.abs(sure - traced).max() < 1e-4:  # noqa: PLR2004 - the branch ends within 1e-8 of regret
                return sure
        return traced

    def pure_pick(self, payoffs: Floats, pure: Any, active: tuple[int, ...]) -> tuple[int, bool]:
        """Choose among pure equilibria of three and more players."""
        from sim.solve.selection import payoff_dominant

        if self.selection in ("public", "linear_tracing", "risk_dominant"):
            raise OptionError(
                f"selection '{self.selection}' is for stages of two players; choose payoff_dominant, logit_limit, best_for:PLAYER or first"
            )
        values = np.array([[payoffs[(i, *actions)] for i in range(len(active))] for actions in pure])
        head, _, name = self.selection.partition(":")
        if head in FOR_PLAYER and self.players.index(name) in active:
            column = values[:, active.index(self.players.index(name))] * (-1 if head == "worst_for" else 1)
            return int(column.argmax()), bool((column == column.max()).sum() == 1)
        if self.selection == "payoff_dominant":
            best = payoff_dominant(values)
            return (0, False) if best is None else (best, True)
        return 0, self.selection == "first"
