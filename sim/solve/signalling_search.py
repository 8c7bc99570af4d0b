r"""The search over supports behind :mod:`sim.solve.signalling`: families of equilibria, and which of them touch.

With the joint probabilities :math:`x(k, m) = p(k) \sigma(m|k)` as unknowns, "these replies are best" reads

.. math:: \sum_k x(k, m) (v(k, m, r) - v(k, m, r')) \ge 0, \qquad \sum_m x(k, m) = p(k), \quad x \ge 0,

which is linear in x alone; "these messages are best" is linear in the receiver's mixtures y and the types' values alone. So the equilibria with given
supports are a product of two polytopes, each empty or not by itself, and a mixed equilibrium needs no search over numbers, only over supports.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain, combinations, product
from typing import TYPE_CHECKING

import numpy as np

from sim.numerics.polytope import NEAR, POSITIVE, Polytope
from sim.solve.signalling_beliefs import Beliefs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.game.signalling import SignallingGame
    from sim.kinds import Floats

__all__ = ["Family", "Merging", "Search"]

Pieces = frozenset[tuple[int, tuple[int, ...]]]
Sets = dict[int, tuple[int, ...]]


@dataclass(slots=True, kw_only=True, eq=False)
class Family:
    """Equilibria with the same supports on the path, before they are reported.

    ``supports`` has the messages of each drawn type, ``sets`` the replies after each message sent; ``x`` and ``ys`` are the polytopes of sender and receiver,
    the latter one for each way to deter off the path (``pieces``), empty where the equations leave one point.

    Examples
    --------
    >>> from sim.game.signalling import SignallingGame
    >>> search = Search(SignallingGame.from_arrays([1.0], [[[1, 2]]], [[[0, 1]]]))
    >>> next(search.families(mixed=True)).pure
    True
    """

    supports: Sets
    sets: Sets
    sigma: Floats
    reply: Floats
    value: Floats
    x: Polytope
    ys: tuple[Polytope, ...]
    x_unique: bool
    pieces: frozenset[Pieces] = field(default_factory=frozenset[Pieces])

    @property
    def pure(self) -> bool:
        """Whether no type mixes."""
        return all(len(own) == 1 for own in self.supports.values())


class Search:
    """The search for families in one game.

    Examples
    --------
    >>> from sim.game.signalling import SignallingGame
    >>> pays = np.zeros((2, 1, 2)); pays[0, 0, 0] = pays[1, 0, 1] = 1.0
    >>> search = Search(SignallingGame.from_arrays([0.75, 0.25], pays, pays))
    >>> [(family.supports, family.sets) for family in search.families(mixed=True)]
    [({0: (0,), 1: (0,)}, {0: (0,)})]
    """

    def __init__(self, game: SignallingGame) -> None:
        self.game, self.beliefs = game, Beliefs.of(game)
        self.drawn: tuple[int, ...] = tuple(np.flatnonzero(game.drawn).tolist())
        self.row = {k: i for i, k in enumerate(self.drawn)}

    def supports(self, *, mixed: bool) -> list[list[tuple[int, ...]]]:
        """Return the sets of messages that each drawn type may use."""
        out: list[list[tuple[int, ...]]] = []
        for k in self.drawn:
            own: list[int] = np.flatnonzero(self.game.able[k]).tolist()
            sizes = range(1, len(own) + 1) if mixed else (1,)
            out.append(list(chain.from_iterable(combinations(own, size) for size in sizes)))
        return out

    def choices(self, used: tuple[tuple[int, ...], ...]) -> dict[int, tuple[tuple[int, ...], ...]]:
        """Return, for each message sent, the sets of replies that are best together for a belief over its senders."""
        senders: dict[int, list[int]] = {}
        for k, own in zip(self.drawn, used, strict=True):
            for m in own:
                senders.setdefault(m, []).append(k)
        return {m: self.beliefs.together(m, tuple(senders[m])) for m in sorted(senders)}

    def families(self, *, mixed: bool) -> Iterator[Family]:
        """Yield the families of all pairs of supports."""
        for used in product(*self.supports(mixed=mixed)):
            choices = self.choices(used)
            supports = dict(zip(self.drawn, used, strict=True))
            for sets in product(*choices.values()):
                family = self.family(supports, dict(zip(choices, sets, strict=True)))
                if family is not None:
                    yield family

    def family(self, supports: Sets, sets: Sets) -> Family | None:
        """Return the equilibria with these supports on the path, if there are any."""
        x, path = self.sender_polytope(supports, sets), self.receiver_polytope(supports, sets, {})
        if x.solved() is None or path.solved() is None:  # cheap, and nearly always decisive
            return None
        inside = x.inside()
        found = self.replies_for(supports, sets, path) if inside is not None else None
        if inside is None or found is None:
            return None
        ys, reply, value, pieces = found
        sigma = np.zeros(self.game.shape[:2])
        at = 0
        for k, own in supports.items():
            sigma[k, list(own)] = inside[0][at : at + len(own)]
            at += len(own)
        return Family(
            supports=supports,
            sets=sets,
            sigma=sigma,
            reply=reply,
            value=value,
            x=x,
            ys=ys,
            x_unique=inside[1],
            pieces=pieces,
        )

    def sender_polytope(self, supports: Sets, sets: Sets) -> Polytope:
        """Return the sender's strategies, in the order of types and their messages, under which these replies are best."""
        places = {pair: j for j, pair in enumerate((k, m) for k, own in supports.items() for m in own)}
        equal = [np.array([float(pair[0] == k) for pair in places]) for k in supports]
        upper: list[Floats] = []
        for m, replies in sets.items():
            senders = [k for k, own in supports.items() if m in own]
            weight = self.game.prior[senders] / self.game.prior[senders].sum()
            worth = weight[:, None] * self.beliefs.receiver[senders, m, :]
            columns = [places[k, m] for k in senders]
            for r in np.flatnonzero(self.game.replies[m]).tolist():
                if r != replies[0]:
                    row = np.zeros(len(places))
                    row[columns] = worth[:, r] - worth[:, replies[0]]
                    (equal if r in replies else upper).append(row)
        exact = np.zeros(len(equal))
        exact[: len(supports)] = 1.0
        return Polytope(
            upper=np.array(upper).reshape(-1, len(places)),
            limit=np.zeros(len(upper)),
            equal=np.array(equal),
            exact=exact,
            positive=tuple(range(len(places))),
        )

    def receiver_polytope(self, supports: Sets, sets: Sets, pieces: Sets) -> Polytope:
        """Return the replies, and then the types' values, under which these messages are best; ``pieces`` are replies to messages not sent.

        The unknowns are replies on the path, values of drawn types, replies off the path.
        """
        on = [(m, r) for m, replies in sets.items() for r in replies]
        off = [(m, r) for m, replies in pieces.items() for r in replies]
        first = len(on)
        size = first + len(self.drawn) + len(off)
        columns: dict[int, list[int]] = {}
        for j, (m, _) in enumerate(on):
            columns.setdefault(m, []).append(j)
        for j, (m, _) in enumerate(off):
            columns.setdefault(m, []).append(first + len(self.drawn) + j)
        equal: list[Floats] = []
        upper: list[Floats] = []
        for places in columns.values():
            row = np.zeros(size)
            row[places] = 1.0
            equal.append(row)
        for m, places in columns.items():
            replies = list(sets.get(m) or pieces[m])
            for k in self.beliefs.tempted(m):
                row = np.zeros(size)
                row[places] = self.beliefs.sender[k, m, replies]
                row[first + self.row[k]] = -1.0
                (equal if m in supports[k] else upper).append(row)
        exact = np.zeros(len(equal))
        exact[: len(columns)] = 1.0
        return Polytope(
            upper=np.array(upper).reshape(-1, size),
            limit=np.zeros(len(upper)),
            equal=np.array(equal),
            exact=exact,
            positive=tuple(range(first)),
            free=tuple(range(first, first + len(self.drawn))),
        )

    def replies_for(
        self, supports: Sets, sets: Sets, path: Polytope
    ) -> tuple[tuple[Polytope, ...], Floats, Floats, frozenset[Pieces]] | None:
        """Return the receiver's polytopes, a point of them, the types' values (k,), and all ways to deter off the path."""
        inside = path.inside()
        if inside is None:
            return None
        off = [m for m in range(self.game.shape[1]) if m not in sets and self.beliefs.tempted(m)]
        if inside[1] or not off:
            reply, value = self.split(sets, inside[0])
            ways = [self.beliefs.deterring(m, value) for m in off]
            pieces = frozenset(frozenset(zip(off, way, strict=True)) for way in product(*ways))
            return (() if inside[1] else (path,), reply, value, pieces) if pieces else None
        best: tuple[float, Floats] | None = None
        ys: list[Polytope] = []
        good: list[Pieces] = []
        for way in product(*(self.beliefs.pieces(m, self.beliefs.believable(m)) for m in off)):
            one = self.receiver_polytope(supports, sets, dict(zip(off, way, strict=True)))
            found = one.inside()
            if found is not None:
                ys.append(one)
                good.append(frozenset(zip(off, way, strict=True)))
                slack = float(-(one.upper @ found[0]).max(initial=-np.inf))
                best = (slack, found[0]) if best is None or slack > best[0] + NEAR else best
        return None if best is None else (tuple(ys), *self.split(sets, best[1]), frozenset(good))

    def split(self, sets: Sets, point: Floats) -> tuple[Floats, Floats]:
        """Read replies on the path, (m, r), and the types' values, (k,), from a point of the receiver's polytope."""
        reply = np.zeros(self.game.shape[1:])
        at = 0
        for m, replies in sets.items():
            mix = np.maximum(point[at : at + len(replies)], 0.0)
            reply[m, list(replies)] = mix / mix.sum()
            at += len(replies)
        value = np.zeros(self.game.shape[0])
        value[list(self.drawn)] = point[at : at + len(self.drawn)]
        return reply, value


class Merging:
    """Which family lies in the closure of which.

    A slack that is never negative on a polytope and 0 at a point inside it is 0 everywhere on it; so a family lies in the closure of another with more messages
    and replies if those are best for it, too, in the whole family.

    Examples
    --------
    >>> from sim.game.signalling import SignallingGame
    >>> pays = np.zeros((1, 2, 1))
    >>> search = Search(SignallingGame.from_arrays([1.0], pays, pays))
    >>> families = list(search.families(mixed=True))
    >>> [family.supports[0] for family in families], [family.supports[0] for family, _ in Merging(search, families).merged()]
    ([(0,), (1,), (0, 1)], [(0,), (1,), (0, 1)])
    """

    def __init__(self, search: Search, families: list[Family]) -> None:
        self.search, self.beliefs, self.families = search, search.beliefs, families
        self.known: dict[tuple[int, str, int, int], bool] = {}

    def tied(self, a: int, what: str, first: int, second: int) -> bool:
        """Whether a reply to a message sent, or for a type a message sent, is best in the whole family; remembered."""
        key = (a, what, first, second)
        if key not in self.known:
            judge = self.reply_tied if what == "reply" else self.message_tied
            self.known[key] = judge(self.families[a], first, second)
        return self.known[key]

    def reply_tied(self, one: Family, m: int, r: int) -> bool:
        """Whether a reply to a message sent is best in the whole family."""
        senders = [k for k, own in one.supports.items() if m in own]
        weight = self.search.game.prior[senders] / self.search.game.prior[senders].sum()
        worse = weight * (self.beliefs.receiver[senders, m, one.sets[m][0]] - self.beliefs.receiver[senders, m, r])
        if worse @ one.sigma[senders, m] > NEAR or one.x_unique:
            return bool(worse @ one.sigma[senders, m] <= NEAR)
        pairs = [(k, message) for k, own in one.supports.items() for message in own]
        row = np.zeros(len(pairs))
        row[[pairs.index((k, m)) for k in senders]] = worse
        top = one.x.greatest(row)
        return top is not None and float(row @ top) <= POSITIVE

    def message_tied(self, one: Family, k: int, m: int) -> bool:
        """Whether a message that is sent, but not by this type, is as good for him in the whole family."""
        loss = one.value[k] - self.beliefs.sender[k, m] @ one.reply[m]
        if loss > NEAR or not one.ys:
            return bool(loss <= NEAR)
        pairs = [(message, r) for message, replies in one.sets.items() for r in replies]
        for y in one.ys:
            row = np.zeros(y.equal.shape[1])
            for j, (message, r) in enumerate(pairs):
                row[j] = -self.beliefs.sender[k, m, r] if message == m else 0.0
            row[len(pairs) + self.search.row[k]] = 1.0
            top = y.greatest(row)
            if top is None or float(row @ top) > POSITIVE:
                return False
        return True

    def reached(self, one: Family, other: Family, m: int) -> bool:
        """Whether a message only the other family sends can be answered so that its senders there are as well off as in this one."""
        if one.ys:
            return False
        replies, types = other.sets[m], self.beliefs.tempted(m)
        gains = -self.beliefs.losses(m, one.value, types, replies)
        pinned = np.array([m in other.supports[k] for k in types])
        whole = Polytope(
            upper=gains[~pinned],
            limit=np.zeros(int((~pinned).sum())),
            equal=np.concatenate([gains[pinned], np.ones((1, len(replies)))]),
            exact=np.append(np.zeros(int(pinned.sum())), 1.0),
        )
        return whole.inside() is not None

    def within(self, a: int, b: int) -> bool:
        """Whether family ``a`` lies in the closure of family ``b``."""
        one, other = self.families[a], self.families[b]
        if not all(set(own) <= set(other.supports[k]) for k, own in one.supports.items()):
            return False
        if not all(set(own) <= set(other.sets[m]) for m, own in one.sets.items()):
            return False
        outside = {frozenset((m, way) for m, way in ways if m not in other.sets) for ways in one.pieces}
        return (
            outside <= other.pieces
            and all(self.tied(a, "reply", m, r) for m, own in one.sets.items() for r in other.sets[m] if r not in own)
            and all(
                self.tied(a, "message", k, m)
                for k, own in one.supports.items()
                for m in other.supports[k]
                if m in one.sets and m not in own
            )
            and all(self.reached(one, other, m) for m in other.sets if m not in one.sets)
        )

    def merged(self) -> list[tuple[Family, int]]:
        """Return the families to report, each with the number of its component.

        The largest come first, so whatever lies in any family lies in one that is kept: closures are transitive.
        """

        def size(a: int) -> int:
            one = self.families[a]
            return sum(map(len, one.supports.values())) + sum(map(len, one.sets.values()))

        head = list(range(len(self.families)))

        def top(a: int) -> int:
            while head[a] != a:
                a = head[a]
            return a

        greatest: list[int] = []
        left_out: set[int] = set()
        seen: list[int] = []
        for a in sorted(head, key=size, reverse=True):
            one = self.families[a]
            around = [b for b in greatest if self.within(a, b)]
            for b in around:
                head[top(a)] = top(b)
            alike = [b for b in seen if self.families[b].supports == one.supports]
            if (around and not one.pure) or any(self.within(a, b) for b in alike):
                left_out.add(a)
            elif not around:
                greatest.append(a)
            if one.pure and a not in left_out:
                seen.append(a)
        return [(one, top(a)) for a, one in enumerate(self.families) if a not in left_out]
