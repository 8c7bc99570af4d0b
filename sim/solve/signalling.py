r"""All perfect Bayesian equilibria of sender–receiver games, and which of them pass the intuitive criterion and D1.

Fix which messages each type uses, and which replies the receiver uses after each message sent. The equilibria with these supports are a product of two
polytopes, found by equations and linear programmes (:mod:`sim.solve.signalling_search`). A message nobody sends needs a reply, best under some belief,
that tempts no type: given the types' values that is a question about one message at a time (:mod:`sim.solve.signalling_beliefs`).

Replies that are never best together for a belief are not tried together. Equilibria that use the same supports on the path are one *family*; families
that lie in the closure of another one are left out, except where the sender does not mix: every equilibrium in pure messages has a row of its own.

Sources: Cho, I.-K. & Kreps, D. (1987) Signaling games and stable equilibria, Quarterly Journal of Economics 102:179-221; Banks, J. & Sobel, J. (1987)
Equilibrium selection in signaling games, Econometrica 55:647-661; Fudenberg, D. & Tirole, J. (1991) Game Theory, sections 8.2 and 11.2.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.errors import NoAnswerError, OptionError
from sim.game.signalling import SignallingAssessment, measure_signalling, sender_values
from sim.kinds import frozen
from sim.numerics.polytope import NEAR, POSITIVE, extent
from sim.solve.signalling_search import Family, Merging, Search

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.game.signalling import SignallingGame, SignallingMeasures
    from sim.kinds import Bools, Floats
    from sim.solve.signalling_beliefs import Beliefs, Break, Deterrent

__all__ = ["KINDS", "OffPath", "SignallingEquilibria", "SignallingEquilibrium", "signalling_equilibria"]

KINDS = ("pooling", "separating", "partially pooling", "semi-separating")
LIMIT = 200_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OffPath:
    """What supports an equilibrium after a message that nobody sends, given what the types earn in it.

    Attributes
    ----------
    message : int
    replies : tuple of tuples of int
        Sets of replies, best together under some belief, among which a mixture deters every type; the greatest such sets.
    receiver_low, receiver_high : float arrays, (r,)
        Bounds of all replies that do.
    belief_low, belief_high : float arrays, (k,)
        Bounds of all beliefs under which a best reply does.
    implausible : tuple of int
        Types that the intuitive criterion rules out after the message.
    ruled_out : tuple of pairs of int
        For D1: a type ruled out, and one that rules him out.
    respects : str
        What the belief that is reported respects: ``"d1"`` where D1 leaves one that supports the equilibrium, else ``"intuitive"`` likewise, else ``"any"``.

    Examples
    --------
    >>> from sim.game.signalling import SignallingGame
    >>> sender, receiver = [[[2], [0]], [[2], [1]]], [[[0], [0]], [[0], [0]]]
    >>> (one,) = signalling_equilibria(SignallingGame.from_arrays([0.5, 0.5], sender, receiver))
    >>> one.off_path[0].message, one.off_path[0].implausible, one.off_path[0].belief_high
    (1, (0, 1), array([1., 1.]))
    """

    message: int
    replies: tuple[tuple[int, ...], ...]
    receiver_low: Floats
    receiver_high: Floats
    belief_low: Floats
    belief_high: Floats
    implausible: tuple[int, ...]
    ruled_out: tuple[tuple[int, int], ...]
    respects: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SignallingEquilibrium:
    """A perfect Bayesian equilibrium: one of a family with the same supports, the only one where ``unique``.

    Attributes
    ----------
    assessment : SignallingAssessment
        Strategies and beliefs. Within a continuum a point far inside; off the path, the reply that deters best.
    kind : str
        By what is learned: ``"pooling"`` nothing; ``"separating"`` the type; ``"partially pooling"`` no type mixes, some share a message, some do not;
        ``"semi-separating"`` anything else.
    on_path : bool array, (m,)
    sender_value : float array, (k,)
        What each type earns, in units of the game.
    receiver_value : float
    measures : SignallingMeasures
        The referee's.
    off_path : tuple of OffPath
        One for each message nobody sends.
    dimension : pair of int
        Of the sender's strategies, and of the receiver's after messages sent, in the family; (0, 0) is one equilibrium up to what happens off the path.
    sender_low, sender_high : float arrays, (k, m)
        Bounds of the sender's strategies in the family.
    receiver_low, receiver_high : float arrays, (m, r)
        Bounds of the replies in the family; off the path, given what the types earn here.
    component : int
        Families of one number touch each other.
    breaks : tuple of Break
        Why it fails the intuitive criterion or D1, a record for each message and criterion; both are judged at what the types earn here.

    Examples
    --------
    >>> from sim.game.signalling import SignallingGame
    >>> sender, receiver = [[[2], [0]], [[2], [1]]], [[[0], [0]], [[0], [0]]]
    >>> (one,) = signalling_equilibria(SignallingGame.from_arrays([0.5, 0.5], sender, receiver))
    >>> one.kind, one.sender_value, one.unique, one.pure, one.intuitive
    ('pooling', array([2., 2.]), True, True, True)
    """

    assessment: SignallingAssessment
    kind: str
    on_path: Bools
    sender_value: Floats
    receiver_value: float
    measures: SignallingMeasures
    off_path: tuple[OffPath, ...]
    dimension: tuple[int, int]
    sender_low: Floats
    sender_high: Floats
    receiver_low: Floats
    receiver_high: Floats
    component: int
    breaks: tuple[Break, ...]

    @property
    def intuitive(self) -> bool:
        """Whether it passes the intuitive criterion."""
        return all(one.criterion != "intuitive" for one in self.breaks)

    @property
    def d1(self) -> bool:
        """Whether it passes D1."""
        return all(one.criterion != "d1" for one in self.breaks)

    @property
    def unique(self) -> bool:
        """Whether its family has no other strategies on the path."""
        return self.dimension == (0, 0)

    @property
    def pure(self) -> bool:
        """Whether no type mixes messages."""
        return bool((self.assessment.sender.max(axis=1) == 1).all())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SignallingEquilibria:
    """The equilibria found, sorted by kind and then by the sender's strategy.

    Attributes
    ----------
    game : SignallingGame
    found : tuple of SignallingEquilibrium
    complete : bool
        Whether all pairs of supports were examined and everything found was certified.
    examined : int
        Number of pairs of supports.
    uncertified : int
        Candidates that the referee refused; never among ``found``.

    Examples
    --------
    >>> from sim.game.signalling import SignallingGame
    >>> sender, receiver = [[[2], [0]], [[2], [1]]], [[[0], [0]], [[0], [0]]]
    >>> found = signalling_equilibria(SignallingGame.from_arrays([0.5, 0.5], sender, receiver))
    >>> len(found), found.complete, found.examined, found.uncertified
    (1, True, 9, 0)
    """

    game: SignallingGame
    found: tuple[SignallingEquilibrium, ...]
    complete: bool
    examined: int
    uncertified: int

    def __len__(self) -> int:
        return len(self.found)

    def __iter__(self) -> Iterator[SignallingEquilibrium]:
        return iter(self.found)

    def __getitem__(self, place: int) -> SignallingEquilibrium:
        return self.found[place]


def _kind(game: SignallingGame, sigma: Floats, belief: Floats, on_path: Bools) -> str:
    """Name what is learned."""
    learned = belief[on_path]
    if np.abs(learned - game.prior).max() <= POSITIVE:
        return KINDS[0]
    if (learned.max(axis=1) >= 1 - POSITIVE).all():
        return KINDS[1]
    return KINDS[2] if (sigma[game.drawn].max(axis=1) == 1).all() else KINDS[3]


def _off_path(beliefs: Beliefs, m: int, value: Floats) -> tuple[OffPath, Deterrent, tuple[Break, ...]]:
    """Return what supports an equilibrium at a message not sent, the reply chosen, and the criteria it breaks."""
    types = beliefs.tempted(m)
    low_high = beliefs.supporting(m, value)
    out = beliefs.ruled_out_by_d1(m, value)
    implausible = beliefs.ruled_out_intuitively(m, value) if types else ()
    plausible = tuple(k for k in types if k not in implausible)
    intuitive = beliefs.intuitive(m, value)
    broken, chosen = beliefs.d1(m, value)
    respects = "d1"
    if chosen is None:
        chosen, respects = beliefs.deterrent(m, value, plausible or beliefs.believable(m)), "intuitive"
        if not plausible or chosen.slack < -NEAR:
            chosen, respects = beliefs.deterrent(m, value, beliefs.believable(m)), "any"
    record = OffPath(
        message=m,
        replies=low_high[0],
        receiver_low=frozen(low_high[1][0]),
        receiver_high=frozen(low_high[1][1]),
        belief_low=frozen(low_high[2][0]),
        belief_high=frozen(low_high[2][1]),
        implausible=implausible,
        ruled_out=tuple(out.items()),
        respects=respects,
    )
    return record, chosen, tuple(one for one in (intuitive, broken) if one is not None)


def _bounds(family: Family, sigma: Floats, reply: Floats) -> tuple[tuple[int, int], list[Floats], list[Floats]]:
    """Return the dimensions of a family, and bounds of the sender's strategies and of the replies on the path."""
    sender, receiver = [sigma.copy(), sigma.copy()], [reply.copy(), reply.copy()]
    dimensions = [0, 0]
    if not family.x_unique:
        pairs = [(k, m) for k, own in family.supports.items() for m in own]
        span = extent([family.x], len(pairs))
        dimensions[0] = span.dimension
        for j, (k, m) in enumerate(pairs):
            sender[0][k, m], sender[1][k, m] = span.low[j], span.high[j]
    if family.ys:
        pairs = [(m, r) for m, own in family.sets.items() for r in own]
        span = extent(family.ys, len(pairs))
        dimensions[1] = span.dimension
        for j, (m, r) in enumerate(pairs):
            receiver[0][m, r], receiver[1][m, r] = span.low[j], span.high[j]
    clipped = [[np.clip(table, 0.0, 1.0) for table in pair] for pair in (sender, receiver)]
    return (dimensions[0], dimensions[1]), clipped[0], clipped[1]


def _report(search: Search, family: Family, component: int) -> SignallingEquilibrium:
    """Fill in a family off the path, measure it and judge it by the criteria."""
    game, beliefs = search.game, search.beliefs
    sigma, reply = np.maximum(family.sigma, 0.0), family.reply.copy()
    sigma /= np.where(game.drawn, sigma.sum(axis=1), 1.0)[:, None]
    on_path = np.zeros(game.shape[1], dtype=np.bool_)
    on_path[list(family.sets)] = True
    joint = (game.prior[:, None] * sigma).T
    sent = joint.sum(axis=1)
    belief = np.divide(joint, sent[:, None], out=np.zeros_like(joint), where=on_path[:, None])
    records: list[OffPath] = []
    breaks: list[Break] = []
    for m in np.flatnonzero(~on_path).tolist():
        record, chosen, broken = _off_path(beliefs, m, family.value)
        reply[m], belief[m] = chosen.reply, chosen.belief
        records.append(record)
        breaks += broken
    earned = sender_values(game, reply)
    sigma[~game.drawn] = np.eye(game.shape[1])[np.argmax(earned[~game.drawn], axis=1)]
    dimension, sender, receiver = _bounds(family, sigma, reply)
    for record in records:
        receiver[0][record.message], receiver[1][record.message] = record.receiver_low, record.receiver_high
    assessment = SignallingAssessment(sender=frozen(sigma), receiver=frozen(reply), belief=frozen(belief))
    return SignallingEquilibrium(
        assessment=assessment,
        kind=_kind(game, sigma, belief, on_path),
        on_path=frozen(on_path),
        sender_value=frozen((sigma * np.where(game.able, earned, 0.0)).sum(axis=1)),
        receiver_value=float(np.einsum("mk,kmr,mr->", joint, game.receiver, reply)),
        measures=measure_signalling(game, assessment),
        off_path=tuple(records),
        dimension=dimension,
        sender_low=frozen(sender[0]),
        sender_high=frozen(sender[1]),
        receiver_low=frozen(receiver[0]),
        receiver_high=frozen(receiver[1]),
        component=component,
        breaks=tuple(breaks),
    )


def _count(search: Search, *, limit: int, mixed: bool) -> int:
    """Count the pairs of supports, and refuse too many."""
    supports = search.supports(mixed=mixed)
    pairs = prod(len(own) for own in supports)
    what = f"{pairs:,} choices of messages by the types"
    if pairs <= limit:
        pairs = sum(prod(map(len, search.choices(used).values())) for used in product(*supports))
        what = f"{pairs:,} pairs of supports"
    if pairs > limit:
        advice = "raise limit, or leave out types or messages" if not mixed else "raise limit, or search mixed=False"
        message = f"the game has {what} to examine; the limit is {limit:,}; {advice}"
        raise OptionError(message)
    return pairs


def signalling_equilibria(game: SignallingGame, *, limit: int = LIMIT, mixed: bool = True) -> SignallingEquilibria:
    """Return all perfect Bayesian equilibria of a sender–receiver game, up to what happens off the path.

    Parameters
    ----------
    game
        Of a few types, messages and replies: the number of supports grows as their powers.
    limit
        The most pairs of supports to examine.
    mixed
        Whether the sender may mix. If not, all equilibria in which he does not are found, with the receiver's mixtures.

    Raises
    ------
    OptionError
        Above the limit, saying how many pairs there are.
    NoAnswerError
        If nothing was certified although an equilibrium exists, or a linear programme failed.

    Examples
    --------
    The first game of Cho & Kreps (1987): types surly and weak, messages beer and quiche, replies duel and none.

    >>> from sim.game.signalling import SignallingGame
    >>> sender = [[[1, 3], [0, 2]], [[0, 2], [1, 3]]]
    >>> receiver = [[[0, 1], [0, 1]], [[1, 0], [1, 0]]]
    >>> found = signalling_equilibria(SignallingGame.from_arrays([0.9, 0.1], sender, receiver))
    >>> [(one.kind, one.on_path.tolist(), one.intuitive, one.d1) for one in found]
    [('pooling', [True, False], True, True), ('pooling', [False, True], False, False)]
    >>> found.complete, found[0].off_path[0].belief_low
    (True, array([0. , 0.5]))
    """
    search = Search(game)
    examined = _count(search, limit=limit, mixed=mixed)
    families = list(search.families(mixed=mixed))
    reports = [_report(search, family, component) for family, component in Merging(search, families).merged()]
    good = [one for one in reports if one.measures.certified()]
    if mixed and not good:
        message = "no equilibrium of the signalling game was certified, though one exists; put payoffs into units of similar size"
        raise NoAnswerError(message)
    order: Any = sorted(
        good,
        key=lambda one: (KINDS.index(one.kind), (-one.assessment.sender).round(9).tolist(), one.receiver_high.tolist()),
    )
    numbers: dict[int, int] = {}
    found = tuple(_numbered(one, numbers.setdefault(one.component, len(numbers))) for one in order)
    refused = len(reports) - len(good)
    return SignallingEquilibria(
        game=game, found=found, complete=mixed and not refused, examined=examined, uncertified=refused
    )


def _numbered(one: SignallingEquilibrium, component: int) -> SignallingEquilibrium:
    """Renumber the component."""
    return replace(one, component=component)
