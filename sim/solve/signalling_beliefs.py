r"""What a receiver may believe and reply after a message, and what the intuitive criterion and D1 leave of it.

After message m, the *mixed best replies* to beliefs over a set of types are a union of simplices: a mixture belongs to them if all replies that it uses are
best together for one belief. Sets of replies that are best together are found by size (every part of such a set is one as well), each by one linear
programme over beliefs, or in closed form for one and two types.

*Intuitive criterion.* A type is ruled out after an unused message if every best reply, to any belief, leaves him worse off than in equilibrium. The
equilibrium fails if another type does better than in equilibrium under every best reply to beliefs over the types that remain.

*D1.* Let :math:`D(k)` be the mixed best replies under which type k does better than in equilibrium, :math:`D^0(k)` those under which he does as well.
Type k is ruled out by :math:`k'` if :math:`D(k) \cup D^0(k) \subseteq D(k')` and :math:`D(k')` is not empty. The equilibrium fails if no best reply to a
belief over the types that remain keeps all types where they are. Inclusion is decided exactly: it fails where a mixture of at most two replies that are
best together pleases k at least weakly and :math:`k'` not strictly, because a linear function under one linear inequality is least on an edge of the
simplex.

Types are never all ruled out by D1: the mixed best replies are connected (beliefs are, and best replies to one belief are convex), some of them deters
everybody, so a :math:`D(k)` that is not empty has a border :math:`D^0(k)`, and "ruled out by" is a strict order. All can be ruled out by the intuitive
criterion; then nobody wants the message and it restricts nothing.

Sources: Cho, I.-K. & Kreps, D. (1987) Signaling games and stable equilibria, Quarterly Journal of Economics 102:179-221; Banks, J. & Sobel, J. (1987)
Equilibrium selection in signaling games, Econometrica 55:647-661.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.errors import NoAnswerError
from sim.numerics.polytope import NEAR as TIE
from sim.numerics.polytope import POSITIVE, maximin, simplex_bounds, simplex_point

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sim.game.signalling import SignallingGame
    from sim.kinds import Bools, Floats

__all__ = ["TIE", "Beliefs", "Break", "Deterrent"]

Types = tuple[int, ...]
Replies = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Break:
    """Why an equilibrium fails a criterion.

    Attributes
    ----------
    criterion : str
        ``"intuitive"`` or ``"d1"``.
    message : int
        The unused message.
    ruled_out : tuple of int
        Types that the criterion forbids to believe in after the message.
    by : tuple of int
        For D1: for each of them, a type that rules him out; empty for the intuitive criterion.
    gains : tuple of int
        Types that then gain under every best reply to what may be believed; may be empty under D1, where each such reply may tempt another type.

    Examples
    --------
    >>> Break(criterion="intuitive", message=0, ruled_out=(1,), by=(), gains=(0,)).gains
    (0,)
    """

    criterion: str
    message: int
    ruled_out: Types
    by: Types
    gains: Types


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Deterrent:
    """A reply to an unused message, best under some belief, that is worst for the type most tempted.

    Attributes
    ----------
    slack : float
        What that type loses by the message, in units of his range; below 0 if he gains.
    reply : float array, (r,)
    belief : float array, (k,)
        Under which all replies used are best, as far inside as can be.
    replies : tuple of int
        The set of replies, best together, among which the mixture was sought.

    Examples
    --------
    >>> Deterrent(slack=0.5, reply=np.ones(1), belief=np.ones(1), replies=(0,)).slack
    0.5
    """

    slack: float
    reply: Floats
    belief: Floats
    replies: Replies


@dataclass(slots=True, kw_only=True)
class Beliefs:
    """Best replies to beliefs of one game; remembers what it found.

    Attributes
    ----------
    game : SignallingGame
    sender, receiver : float arrays, (k, m, r)
        Payoffs in units of each type's, and the receiver's, range.

    Examples
    --------
    >>> from sim.game.signalling import SignallingGame
    >>> pays = np.zeros((2, 1, 2)); pays[0, 0, 0] = pays[1, 0, 1] = 1.0
    >>> after = Beliefs.of(SignallingGame.from_arrays([0.5, 0.5], pays, pays))
    >>> after.together(0, (0, 1)), after.together(0, (0,)), after.pieces(0, (0, 1))
    (((0,), (1,), (0, 1)), ((0,),), ((0, 1),))
    """

    game: SignallingGame
    sender: Floats
    receiver: Floats
    known: dict[tuple[int, Types, Replies], Floats | None] = field(default_factory=dict[Any, Any])
    sets: dict[tuple[int, Types, bool], tuple[Replies, ...]] = field(default_factory=dict[Any, Any])

    @classmethod
    def of(cls, game: SignallingGame) -> Beliefs:
        """Put a game's payoffs into units of ranges, each measured from the middle."""
        there = game.able[:, :, None] & game.replies
        low = np.array([own[mask].min() for own, mask in zip(game.sender, there, strict=True)])
        sender = (game.sender - low[:, None, None]) / game.sender_spans[:, None, None]
        receiver = (game.receiver - game.receiver[there].min()) / game.receiver_span
        return cls(game=game, sender=sender, receiver=receiver)

    def rows(self, m: int, types: Types, replies: Replies) -> Floats:
        """Return the linear conditions on beliefs over the types under which all these replies are best: ``rows @ belief <= 0``."""
        worth = self.receiver[list(types), m, :]
        first = worth[:, replies[0]][:, None]
        others = np.flatnonzero(self.game.replies[m])
        above = (worth - first)[:, others[others != replies[0]]]
        back = (first - worth)[:, list(replies[1:])]
        return np.concatenate([above, back], axis=1).T.reshape(-1, len(types))

    def belief(self, m: int, types: Types, replies: Replies) -> Floats | None:
        """Return the belief over the types, (types,), with the greatest least probability, under which all these replies are best."""
        key = (m, types, replies)
        if key not in self.known:
            rows = self.rows(m, types, replies)
            self.known[key] = simplex_point(rows, np.zeros(len(rows)))
        return self.known[key]

    def together(self, m: int, types: Types, *, inside: bool = True) -> tuple[Replies, ...]:
        """Return all sets of replies that are best together for a belief over the types, one that leaves none of them out if ``inside``."""
        key = (m, types, inside)
        if key not in self.sets:
            found: list[Replies] = []
            level: list[Replies] = [(int(r),) for r in np.flatnonzero(self.game.replies[m])]
            while level:
                good: list[Replies] = []
                for replies in level:
                    belief = self.belief(m, types, replies)
                    if belief is not None and (not inside or belief.min() > POSITIVE):
                        good.append(replies)
                found += good
                level = _larger(good)
            self.sets[key] = tuple(found)
        return self.sets[key]

    def pieces(self, m: int, types: Types) -> tuple[Replies, ...]:
        """Return the greatest sets of replies that are best together for a belief over the types."""
        every = self.together(m, types, inside=False)
        return tuple(one for one in every if not any(set(one) < set(other) for other in every))

    def believable(self, m: int) -> Types:
        """Return the types on which a belief after the message may rest."""
        return tuple(np.flatnonzero(self.game.believable[m]).tolist())

    def tempted(self, m: int) -> Types:
        """Return the types that nature draws and that have the message."""
        return tuple(np.flatnonzero(self.game.able[:, m] & self.game.drawn).tolist())

    def losses(self, m: int, value: Floats, types: Types, replies: Replies) -> Floats:
        """Return what the types lose against their equilibrium values (k,) by the message and each reply, (types, replies)."""
        return value[list(types), None] - self.sender[np.ix_(types, (m,), replies)][:, 0]

    def deterrent(self, m: int, value: Floats, believed: Types) -> Deterrent:
        """Return the reply, best under a belief over the types ``believed``, that deters drawn types best from the message."""
        watch, best = self.tempted(m), None
        for replies in self.pieces(m, believed):
            slack, mix = maximin(self.losses(m, value, watch, replies)) if watch else (np.inf, np.eye(len(replies))[0])
            if best is None or slack > best[0] + TIE:
                best = (slack, mix, replies)
        if best is None:
            message = f"no reply to message '{self.game.messages[m]}' is best under any belief; expected one always"
            raise NoAnswerError(message)
        slack, mix, replies = best
        used = tuple(r for r, share in zip(replies, mix, strict=True) if share > 0)
        point = self.belief(m, believed, used)
        if point is None:
            point = self.belief(m, believed, replies)
        reply, belief = np.zeros(self.game.shape[2]), np.zeros(self.game.shape[0])
        reply[list(replies)] = mix
        belief[list(believed)] = 1.0 / len(believed) if point is None else point
        return Deterrent(slack=float(slack), reply=reply, belief=belief, replies=replies)

    def deterring(self, m: int, value: Floats) -> tuple[Replies, ...]:
        """Return the greatest sets of replies, best together, of which a mixture deters all drawn types from the message."""
        watch = self.tempted(m)
        return tuple(
            replies
            for replies in self.pieces(m, self.believable(m))
            if not watch or maximin(self.losses(m, value, watch, replies))[0] >= -TIE
        )

    def supporting(self, m: int, value: Floats) -> tuple[tuple[Replies, ...], Floats, Floats]:
        """Return the greatest sets of replies that hold a deterrent, and bounds of all deterring replies, (2, r), and of beliefs behind them, (2, k)."""
        types, watch = self.believable(m), self.tempted(m)
        reply = np.stack([np.full(self.game.shape[2], np.inf), np.full(self.game.shape[2], -np.inf)])
        belief = np.stack([np.full(self.game.shape[0], np.inf), np.full(self.game.shape[0], -np.inf)])
        good = self.deterring(m, value)
        for replies in good:
            gains = -self.losses(m, value, watch, replies)
            bounds = simplex_bounds(gains, np.full(len(gains), TIE))
            if bounds is not None:
                _widen(reply, bounds, replies)
        least: list[Replies] = []
        for replies in sorted(self.together(m, types, inside=False), key=len):
            if any(set(one) <= set(replies) for one in least):
                continue
            if not watch or maximin(self.losses(m, value, watch, replies))[0] >= -TIE:
                least.append(replies)
                rows = self.rows(m, types, replies)
                bounds = simplex_bounds(rows, np.full(len(rows), TIE))
                if bounds is not None:
                    _widen(belief, bounds, types)
        return good, np.clip(reply, 0.0, 1.0), np.clip(belief, 0.0, 1.0)

    def ruled_out_intuitively(self, m: int, value: Floats) -> Types:
        """Return the types that do worse than in equilibrium by the message under every best reply."""
        types = self.tempted(m)
        best = sorted({r for replies in self.pieces(m, self.believable(m)) for r in replies})
        losses = self.losses(m, value, types, tuple(best))
        return tuple(k for k, own in zip(types, losses, strict=True) if own.min() > TIE)

    def intuitive(self, m: int, value: Floats) -> Break | None:
        """Return how the equilibrium with these values (k,) fails the intuitive criterion at the unused message; None if it does not."""
        types, out = self.tempted(m), self.ruled_out_intuitively(m, value)
        left = tuple(k for k in types if k not in out)
        if not left:
            return None
        replies = tuple(sorted({r for one in self.pieces(m, left) for r in one}))
        losses = self.losses(m, value, left, replies)
        gains = tuple(k for k, own in zip(left, losses, strict=True) if own.max() < -TIE)
        return Break(criterion="intuitive", message=m, ruled_out=out, by=(), gains=gains) if gains else None

    def ruled_out_by_d1(self, m: int, value: Floats) -> dict[int, int]:
        """Return the types that D1 rules out after the unused message, each with a type that rules him out."""
        types = self.tempted(m)
        pieces = self.pieces(m, self.believable(m)) if types else ()
        every = [_snapped(-self.losses(m, value, types, replies)) for replies in pieces]
        out: dict[int, int] = {}
        for i, k in enumerate(types):
            for j, other in enumerate(types):
                keen = i != j and any((gains[j] > 0).any() for gains in every)
                if keen and all(_least(gains[i], gains[j]) > 0 for gains in every):
                    out[k] = other
                    break
        return out

    def d1(self, m: int, value: Floats) -> tuple[Break | None, Deterrent | None]:
        """Return how the equilibrium fails D1 at the unused message, or a deterrent whose belief respects D1."""
        types, out = self.tempted(m), self.ruled_out_by_d1(m, value)
        left = tuple(k for k in types if k not in out)
        if not left:
            return None, None
        deterrent = self.deterrent(m, value, left)
        if deterrent.slack >= -TIE:
            return None, deterrent
        always = [
            k
            for i, k in enumerate(types)
            if all(self.losses(m, value, types, replies)[i].max() < -TIE for replies in self.pieces(m, left))
        ]
        return Break(criterion="d1", message=m, ruled_out=tuple(out), by=tuple(out.values()), gains=tuple(always)), None


def _larger(sets: list[Replies]) -> list[Replies]:
    """Return the sets with one reply more, all of whose parts with one reply less are in the list."""
    have = set(sets)
    out: list[Replies] = []
    for one in sets:
        for other in sets:
            if one[:-1] == other[:-1] and one[-1] < other[-1]:
                joined = (*one, other[-1])
                if all(part in have for part in combinations(joined, len(one))):
                    out.append(joined)
    return out


def _widen(bounds: Floats, found: tuple[Floats, Floats], places: Sequence[int]) -> None:
    """Widen bounds (2, n) so that they hold what was found at these places, and 0 elsewhere."""
    low, high = np.zeros(bounds.shape[1]), np.zeros(bounds.shape[1])
    low[list(places)], high[list(places)] = found
    np.minimum(bounds[0], low, out=bounds[0])
    np.maximum(bounds[1], high, out=bounds[1])


def _snapped(gains: Floats) -> Floats:
    """Put gains within a tie of 0 onto 0."""
    near: Bools = np.abs(gains) <= TIE
    return np.where(near, 0.0, gains)


def _least(weak: Floats, strict: Floats) -> float:
    """Return the least of ``strict @ y`` over mixtures with ``weak @ y >= 0``; infinite if there are none."""
    out = float(strict[weak >= 0].min(initial=np.inf))
    for r in np.flatnonzero(weak > 0).tolist():
        for s in np.flatnonzero(weak < 0).tolist():
            mixed = (weak[r] * strict[s] - weak[s] * strict[r]) / (weak[r] - weak[s])
            out = min(out, float(mixed) if abs(mixed) > TIE else 0.0)
    return out
