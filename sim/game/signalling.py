r"""Sender–receiver games: nature draws the sender's type, he sends a message, the receiver replies; and their referee, which measures and never solves.

Axis letters here: ``k`` type, ``m`` message, ``r`` reply. An *assessment* is the sender's strategy :math:`\sigma(m|k)`, the receiver's :math:`y(r|m)` and
his beliefs :math:`\mu(k|m)`. It is a *perfect Bayesian equilibrium* if every type's messages are best for him, every reply is best under the beliefs, and
beliefs follow Bayes' rule wherever the message has a positive probability; elsewhere they are free, but give weight only to types that can send the
message and that nature can draw. In these games every perfect Bayesian equilibrium is sequential.

Sources: Spence, M. (1973) Job market signaling, Quarterly Journal of Economics 87:355-374; Kreps, D. & Wilson, R. (1982) Sequential equilibria,
Econometrica 50:863-894; Fudenberg, D. & Tirole, J. (1991) Game Theory, section 8.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.errors import OptionError
from sim.kinds import frozen

if TYPE_CHECKING:
    from sim.kinds import Bools, Floats

__all__ = [
    "SignallingAssessment",
    "SignallingGame",
    "SignallingMeasures",
    "measure_signalling",
    "receiver_values",
    "sender_values",
]

SUM = 1e-9


def _names(given: tuple[str, ...], count: int, word: str) -> tuple[str, ...]:
    """Return names, numbered from 1 where none are given."""
    names = given or tuple(str(number + 1) for number in range(count))
    if len(names) != count or len(set(names)) < count:
        message = f"{word} are named {', '.join(names)}; expected {count} different names"
        raise OptionError(message)
    return names


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SignallingGame:
    """A sender–receiver game on plain arrays; :meth:`from_arrays` fills in masks and names.

    Attributes
    ----------
    prior : float array, (k,)
        Probability of each type; may be 0.
    sender, receiver : float arrays, (k, m, r)
        Payoffs if type k sends message m and the reply is r; 0 where that cannot happen, whatever was given.
    able : bool array, (k, m)
        Whether the type has the message.
    replies : bool array, (m, r)
        Whether the reply is there after the message. A message that ends the game has one.
    types, messages, reply_names : tuples of str

    Raises
    ------
    OptionError
        If shapes do not fit, a payoff is not finite, the prior is no distribution, a type has no message, a message no reply, or no type has a message.

    Examples
    --------
    >>> game = SignallingGame.from_arrays([0.9, 0.1], np.zeros((2, 2, 2)), np.zeros((2, 2, 2)), types=("surly", "weak"))
    >>> game.types, game.messages, game.shape
    (('surly', 'weak'), ('1', '2'), (2, 2, 2))
    """

    prior: Floats
    sender: Floats
    receiver: Floats
    able: Bools
    replies: Bools
    types: tuple[str, ...]
    messages: tuple[str, ...]
    reply_names: tuple[str, ...]

    def __post_init__(self) -> None:
        prior: Floats = np.array(self.prior, dtype=np.float64)
        sender, receiver = np.array(self.sender, dtype=np.float64), np.array(self.receiver, dtype=np.float64)
        able, replies = np.array(self.able, dtype=np.bool_), np.array(self.replies, dtype=np.bool_)
        shape = sender.shape
        fits = sender.ndim == 3 and 0 not in shape and receiver.shape == shape and prior.shape == shape[:1]  # noqa: PLR2004
        if not fits or able.shape != shape[:2] or replies.shape != shape[1:]:
            message = (
                f"prior, sender, receiver, able, replies have shapes {prior.shape}, {shape}, {receiver.shape}, {able.shape}, {replies.shape}; "
                "expected (k,), (k, m, r), (k, m, r), (k, m), (m, r)"
            )
            raise OptionError(message)
        if not np.isfinite(prior).all() or prior.min() < 0 or abs(prior.sum() - 1) > SUM:
            message = f"the prior is {prior.tolist()}; expected probabilities, at least 0, with sum 1"
            raise OptionError(message)
        for names, count, word in (
            ("types", shape[0], "types"),
            ("messages", shape[1], "messages"),
            ("reply_names", shape[2], "replies"),
        ):
            object.__setattr__(self, names, _names(tuple(getattr(self, names)), count, word))
        self._check_masks(able, replies)
        there = able[:, :, None] & replies
        for name, table in (("sender", sender), ("receiver", receiver)):
            if not np.isfinite(table[there]).all():
                message = f"payoffs of the {name} hold a number that is not finite where play can end; expected finite numbers"
                raise OptionError(message)
            object.__setattr__(self, name, frozen(np.where(there, table, 0.0)))
        object.__setattr__(self, "prior", frozen(prior / prior.sum()))
        object.__setattr__(self, "able", frozen(able))
        object.__setattr__(self, "replies", frozen(replies))

    def _check_masks(self, able: Bools, replies: Bools) -> None:
        """Refuse a type without messages, and a message without senders or replies."""
        for missing, names, what in (
            (~able.any(axis=1), self.types, "type '{}' has no message; give it one"),
            (~able.any(axis=0), self.messages, "message '{}' can be sent by no type; leave it out"),
            (~replies.any(axis=1), self.messages, "message '{}' has no reply; a message that ends the game has one"),
        ):
            if missing.any():
                raise OptionError(what.format(names[int(np.argmax(missing))]))

    @classmethod
    def from_arrays(
        cls,
        prior: Any,
        sender: Any,
        receiver: Any,
        *,
        able: Any = None,
        replies: Any = None,
        types: tuple[str, ...] = (),
        messages: tuple[str, ...] = (),
        reply_names: tuple[str, ...] = (),
    ) -> SignallingGame:
        """Return the game; a mask left out allows everything, names left out are numbers from 1.

        Examples
        --------
        >>> SignallingGame.from_arrays([1.0], [[[1, 2]]], [[[0, 1]]]).reply_names
        ('1', '2')
        """
        first = np.asarray(sender, dtype=np.float64)
        if first.ndim != 3:  # noqa: PLR2004
            message = f"sender's payoffs have shape {first.shape}; expected (k, m, r): types, messages, replies"
            raise OptionError(message)
        return cls(
            prior=np.asarray(prior, dtype=np.float64),
            sender=first,
            receiver=np.asarray(receiver, dtype=np.float64),
            able=np.ones(first.shape[:2], dtype=np.bool_) if able is None else np.asarray(able, dtype=np.bool_),
            replies=np.ones(first.shape[1:], dtype=np.bool_)
            if replies is None
            else np.asarray(replies, dtype=np.bool_),
            types=types,
            messages=messages,
            reply_names=reply_names,
        )

    @property
    def shape(self) -> tuple[int, int, int]:
        """Numbers of types, messages and replies."""
        k, m, r = self.sender.shape
        return k, m, r

    @property
    def drawn(self) -> Bools:
        """Types that nature may draw, (k,)."""
        return self.prior > 0

    @property
    def believable(self) -> Bools:
        """For each message, types on which a belief may rest, (m, k): drawn types that have it; where there are none, all that have it."""
        drawn: Bools = self.able.T & self.drawn
        return np.where(drawn.any(axis=1, keepdims=True), drawn, self.able.T)

    @property
    def sender_spans(self) -> Floats:
        """The range of each type's payoffs, 1 where all are equal; shape (k,)."""
        there: Bools = np.logical_and(self.able[:, :, None], self.replies)
        return np.array([_span(self.sender[k][there[k]]) for k in range(len(self.prior))])

    @property
    def receiver_span(self) -> float:
        """The range of the receiver's payoffs, 1 where all are equal."""
        return _span(self.receiver[self.able[:, :, None] & self.replies])


def _span(numbers: Floats) -> float:
    """Return the range, or 1."""
    return float(np.ptp(numbers)) or 1.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SignallingAssessment:
    """Strategies and beliefs.

    Attributes
    ----------
    sender : float array, (k, m)
        Probability that type k sends m.
    receiver : float array, (m, r)
        Probability of reply r after m.
    belief : float array, (m, k)
        Probability of type k after m.

    Examples
    --------
    >>> babble = SignallingAssessment(sender=np.array([[1.0]]), receiver=np.array([[0.5, 0.5]]), belief=np.array([[1.0]]))
    >>> babble.receiver.shape
    (1, 2)
    """

    sender: Floats
    receiver: Floats
    belief: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SignallingMeasures:
    """What the referee measured of an assessment.

    Attributes
    ----------
    sender_gain : float array, (k,)
        The most that a type gains by another message, in units of the range of that type's payoffs.
    receiver_gain : float array, (m,)
        The most that the receiver gains after a message by another reply, under the beliefs, in units of the range of his payoffs.
    bayes : float array, (m,)
        Largest difference of a belief from Bayes' rule; 0 after messages of probability 0.
    faults : float
        Largest fault of a distribution: a negative number, a sum that is not 1, weight on a message or reply that is not there, belief in a type that cannot
        have sent the message.
    on_path : bool array, (m,)
        Whether the message has a positive probability.

    Examples
    --------
    >>> game = SignallingGame.from_arrays([1.0], [[[1, 2]]], [[[0, 1]]])
    >>> half = SignallingAssessment(sender=np.array([[1.0]]), receiver=np.array([[0.5, 0.5]]), belief=np.array([[1.0]]))
    >>> measures = measure_signalling(game, half)
    >>> measures.receiver_gain, measures.max_gain, measures.certified()
    (array([0.5]), 0.5, False)
    """

    sender_gain: Floats
    receiver_gain: Floats
    bayes: Floats
    faults: float
    on_path: Bools

    @property
    def max_gain(self) -> float:
        """The largest gain of anybody, in units of ranges."""
        return float(max(self.sender_gain.max(), self.receiver_gain.max()))

    def certified(self, *, gain: float = 1e-9, bayes: float = 1e-9) -> bool:
        """Whether nobody gains more than ``gain``, and beliefs and distributions are right up to ``bayes``."""
        return bool(self.max_gain <= gain and self.bayes.max() <= bayes and self.faults <= bayes)


def sender_values(game: SignallingGame, receiver: Floats) -> Floats:
    """Return what each message earns each type, (k, m); ``-inf`` where the type does not have it.

    Examples
    --------
    >>> game = SignallingGame.from_arrays([1.0], [[[1, 2]]], [[[0, 1]]])
    >>> sender_values(game, np.array([[0.5, 0.5]]))
    array([[1.5]])
    """
    return np.where(game.able, np.einsum("kmr,mr->km", game.sender, np.where(game.replies, receiver, 0.0)), -np.inf)


def receiver_values(game: SignallingGame, belief: Floats) -> Floats:
    """Return what each reply earns after each message under the beliefs, (m, r); ``-inf`` where the reply is not there.

    Examples
    --------
    >>> game = SignallingGame.from_arrays([1.0], [[[1, 2]]], [[[0, 1]]])
    >>> receiver_values(game, np.array([[1.0]]))
    array([[0., 1.]])
    """
    return np.where(game.replies, np.einsum("kmr,mk->mr", game.receiver, belief), -np.inf)


def _fault(table: Floats, there: Bools) -> float:
    """Return the largest fault of the rows of a table as distributions."""
    return float(
        max(
            np.abs(table.sum(axis=1) - 1).max(),
            -min(table.min(), 0.0),
            np.abs(np.where(there, 0.0, table)).max(),
        )
    )


def measure_signalling(game: SignallingGame, assessment: SignallingAssessment) -> SignallingMeasures:
    """Measure an assessment: gains of deviating, Bayes' rule, and faults of distributions.

    Parameters
    ----------
    game, assessment
        Of one shape.

    Raises
    ------
    OptionError
        If shapes do not fit, or a number is not finite.

    Examples
    --------
    >>> pays = np.zeros((2, 1, 2)); pays[0, 0, 0] = pays[1, 0, 1] = 1.0
    >>> game = SignallingGame.from_arrays([0.75, 0.25], pays, pays)
    >>> pooling = SignallingAssessment(sender=np.ones((2, 1)), receiver=np.array([[1.0, 0.0]]), belief=np.array([[0.75, 0.25]]))
    >>> measure_signalling(game, pooling).certified()
    True
    """
    sigma, reply, belief = (
        np.asarray(x, dtype=np.float64) for x in (assessment.sender, assessment.receiver, assessment.belief)
    )
    k, m, r = game.shape
    if sigma.shape != (k, m) or reply.shape != (m, r) or belief.shape != (m, k):
        message = f"sender, receiver, belief have shapes {sigma.shape}, {reply.shape}, {belief.shape}; expected {(k, m)}, {(m, r)}, {(m, k)}"
        raise OptionError(message)
    if not (np.isfinite(sigma).all() and np.isfinite(reply).all() and np.isfinite(belief).all()):
        message = "an assessment holds a number that is not finite; expected probabilities"
        raise OptionError(message)
    earned = sender_values(game, reply)
    played = np.where(game.able, earned, 0.0)
    sender_gain = (earned.max(axis=1) - (sigma * played).sum(axis=1)) / game.sender_spans
    worth = receiver_values(game, belief)
    receiver_gain = (worth.max(axis=1) - (reply * np.where(game.replies, worth, 0.0)).sum(axis=1)) / game.receiver_span
    joint = (game.prior[:, None] * sigma).T
    sent = joint.sum(axis=1)
    on_path = sent > 0
    posterior = np.divide(joint, sent[:, None], out=belief.copy(), where=on_path[:, None])
    return SignallingMeasures(
        sender_gain=frozen(sender_gain),
        receiver_gain=frozen(receiver_gain),
        bayes=frozen(np.abs(posterior - belief).max(axis=1)),
        faults=max(_fault(sigma, game.able), _fault(reply, game.replies), _fault(belief, game.believable)),
        on_path=frozen(on_path),
    )
