"""Sender–receiver games: published games, laws, a second method, and Gambit's exact enumeration."""

from itertools import product

import numpy as np
import pytest
from conftest import needs
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sim.errors import OptionError
from sim.game.signalling import SignallingAssessment, SignallingGame, measure_signalling, receiver_values, sender_values
from sim.solve.signalling import KINDS, signalling_equilibria

GAIN = 1e-9


def make(prior, sender, receiver, **more):
    return SignallingGame.from_arrays(prior, np.array(sender, float), np.array(receiver, float), **more)


def beer_quiche(surly):
    """Cho & Kreps (1987): breakfast is worth 1, no duel 2; the receiver wants to duel the weak."""
    sender = [[[1, 3], [0, 2]], [[0, 2], [1, 3]]]
    receiver = [[[0, 1], [0, 1]], [[1, 0], [1, 0]]]
    names = {"types": ("surly", "weak"), "messages": ("beer", "quiche"), "reply_names": ("duel", "none")}
    return make([surly, 1 - surly], sender, receiver, **names)


def sound(found):
    """Check what holds of every list of equilibria; return it."""
    assert len(found) > 0
    game = found.game
    for one in found:
        play = one.assessment
        again = measure_signalling(game, play)
        assert again.certified()
        assert one.measures.max_gain <= GAIN
        sent = game.prior @ play.sender
        np.testing.assert_allclose(sent @ play.belief, game.prior, atol=1e-12)  # beliefs are a martingale
        assert (one.on_path == (sent > 0)).all()
        assert one.intuitive or not one.d1
        assert one.kind in KINDS
        assert [off.message for off in one.off_path] == np.flatnonzero(~one.on_path).tolist()
        for table, low, high in (
            (play.sender, one.sender_low, one.sender_high),
            (play.receiver, one.receiver_low, one.receiver_high),
        ):
            assert (low <= table + 1e-8).all()
            assert (table <= high + 1e-8).all()
        for off in one.off_path:
            assert off.replies
            belief = play.belief[off.message]
            assert (off.belief_low <= belief + 1e-8).all()
            assert (belief <= off.belief_high + 1e-8).all()
        worth = sender_values(game, play.receiver).max(axis=1)
        np.testing.assert_allclose(one.sender_value, worth, atol=1e-8)
    return found


# --- published games -----------------------------------------------------------------------------


def test_beer_and_quiche():
    found = sound(signalling_equilibria(beer_quiche(0.9)))
    assert found.complete
    assert [(one.kind, one.on_path.tolist()) for one in found] == [
        ("pooling", [True, False]),
        ("pooling", [False, True]),
    ]
    assert [(one.intuitive, one.d1) for one in found] == [(True, True), (False, False)]
    assert found[0].component != found[1].component
    beer, quiche = found
    assert all(one.unique and one.pure for one in found)
    np.testing.assert_allclose(beer.sender_value, [3, 2])
    np.testing.assert_allclose(quiche.sender_value, [2, 3])
    assert beer.receiver_value == pytest.approx(0.9)
    off = beer.off_path[
        0
    ]  # quiche is deterred by a duel with probability at least 1/2, so belief in weak is at least 1/2
    np.testing.assert_allclose([off.receiver_low, off.receiver_high], [[0.5, 0], [1, 0.5]], atol=1e-9)
    np.testing.assert_allclose([off.belief_low, off.belief_high], [[0, 0.5], [0.5, 1]], atol=1e-9)
    assert off.replies == ((0, 1),)
    assert off.implausible == (0,)  # surly would not have quiche for any reply
    assert off.ruled_out == ((0, 1),)
    assert off.respects == "d1"
    broken = {one.criterion: one for one in quiche.breaks}
    assert set(broken) == {"intuitive", "d1"}
    for one in broken.values():
        assert (one.message, one.ruled_out) == (0, (1,))
        assert 0 in one.gains  # surly gains by beer once nobody believes that the weak drinks it
    assert broken["d1"].by == (0,)


def test_beer_and_quiche_when_the_surly_are_few():
    (one,) = sound(signalling_equilibria(beer_quiche(0.25)))
    assert one.kind == "semi-separating"
    np.testing.assert_allclose(one.assessment.sender, [[1, 0], [1 / 3, 2 / 3]], atol=1e-12)
    np.testing.assert_allclose(one.assessment.receiver, [[0.5, 0.5], [1, 0]], atol=1e-12)
    np.testing.assert_allclose(one.assessment.belief, [[0.5, 0.5], [0, 1]], atol=1e-12)
    assert one.unique
    assert one.intuitive
    assert one.d1


def test_a_rare_type_is_imitated_just_as_rarely():
    (one,) = sound(signalling_equilibria(beer_quiche(1e-6)))
    assert one.assessment.sender[1, 0] == pytest.approx(1e-6 / (1 - 1e-6), rel=1e-9)
    assert one.assessment.belief[0, 0] == pytest.approx(0.5, rel=1e-9)


def test_beer_and_quiche_where_the_receiver_is_indifferent():
    """At prior 1/2 replies on the path are a continuum: one family, not one for each face of it."""
    found = sound(signalling_equilibria(beer_quiche(0.5)))
    beer = next(one for one in found if one.on_path.tolist() == [True, False])
    assert beer.dimension == (0, 1)
    np.testing.assert_allclose(beer.receiver_low[0], [0, 0.5], atol=1e-8)
    np.testing.assert_allclose(beer.receiver_high[0], [0.5, 1], atol=1e-8)


def spence(prior, cost, wages, levels):
    """Wages are set as near to expected productivity (1, 2, …) as the list of wages allows; education costs ``cost`` for each level."""
    k = len(prior)
    sender = np.array([[[wage - cost[t] * e for wage in wages] for e in range(levels)] for t in range(k)])
    receiver = np.array([[[-((wage - (t + 1)) ** 2) for wage in wages]] * levels for t in range(k)])
    return make(prior, sender, receiver)


def test_job_market_d1_leaves_the_riley_outcome():
    """Spence (1973): the able separate with the least education the others would not copy (Riley 1979); Cho & Kreps (1987, section V)."""
    found = sound(signalling_equilibria(spence([0.5, 0.5], [0.7, 0.28], [1.0, 1.5, 2.0], 4)))
    assert found.complete
    assert {one.kind for one in found} >= {"pooling", "separating"}
    separating = {tuple(one.assessment.sender.argmax(axis=1)) for one in found if one.kind == "separating"}
    assert separating == {(0, 2), (0, 3)}
    left = [one for one in found if one.d1]
    assert {tuple(one.assessment.sender.argmax(axis=1)) for one in left} == {(0, 2)}
    assert len(left) == 1
    np.testing.assert_allclose(left[0].sender_value, [1.0, 2 - 0.56])
    assert any(one.kind == "pooling" and not one.intuitive for one in found)


def test_d1_bites_where_the_intuitive_criterion_does_not():
    """Silence is worth 0 to all. Speaking costs 1 if not believed, and earns 3, 1 or 1/3 if believed, which is right for type 1 only.

    Every type would gain if believed, so the intuitive criterion rules out nobody, and silence of all survives with a belief in type 2 or 3. But whenever
    type 2 would speak (belief with probability 1/2) or type 3 (3/4), type 1 gains for sure (from 1/4 on): D1 leaves type 1, who is believed; so all
    would speak.
    """
    won = np.array([3, 1, 1 / 3])
    sender = np.zeros((3, 2, 2))
    sender[:, 1, 0], sender[:, 1, 1] = won, -1
    receiver = np.zeros((3, 2, 2))
    receiver[:, 1, 0] = [1, -1, -1]
    game = make([0.2, 0.4, 0.4], sender, receiver, replies=[[True, False], [True, True]])
    found = sound(signalling_equilibria(game))
    silent = next(one for one in found if one.kind == "pooling")
    assert silent.on_path.tolist() == [True, False]
    assert silent.intuitive
    assert not silent.d1
    (broken,) = silent.breaks
    assert (broken.criterion, broken.message, broken.ruled_out) == ("d1", 1, (1, 2))
    assert broken.gains == (0, 1, 2)
    assert silent.off_path[0].implausible == ()
    assert silent.off_path[0].respects == "intuitive"
    other = next(one for one in found if one.kind == "semi-separating")
    np.testing.assert_allclose(other.assessment.sender, [[0, 1], [0.5, 0.5], [1, 0]], atol=1e-12)
    np.testing.assert_allclose(other.assessment.receiver[1], [0.5, 0.5], atol=1e-12)
    assert other.d1
    assert len(found) == 2


def test_three_workers_pool_past_the_intuitive_criterion():
    """With three types pooling passes the intuitive criterion, not D1 (Cho & Kreps 1987, section V).

    All on level 1 earn 1.1, 1.4 and 1.65; level 2 would pay off from wages 2.9, 2.6 and 2.35 on. Wage 3 tempts all, so nobody is ruled out by the
    intuitive criterion; but the third type is tempted first, D1 believes in him alone, and he is worth 3.
    """
    found = sound(signalling_equilibria(spence([0.3, 0.4, 0.3], [0.9, 0.6, 0.35], [1.0, 2.0, 3.0], 3), mixed=False))
    assert not found.complete
    judged = {tuple(one.assessment.sender.argmax(axis=1).tolist()): (one.intuitive, one.d1) for one in found}
    assert judged == {(0, 0, 0): (False, False), (1, 1, 1): (True, False), (0, 0, 2): (True, True)}
    pooling = next(one for one in found if one.assessment.sender[:, 1].all())
    np.testing.assert_allclose(pooling.sender_value, [1.1, 1.4, 1.65])
    (broken,) = pooling.breaks
    assert (broken.criterion, broken.message, broken.ruled_out, broken.gains) == ("d1", 2, (0, 1), (0, 1, 2))


@pytest.mark.parametrize("bias", [0.0, 0.3, 1.2])
def test_cheap_talk_always_babbles(bias):
    """Talk costs nothing: some equilibrium tells nothing; the truth is told only where interests are near."""
    want, replies = np.array([0.0, 1.0]), np.array([0.0, 0.5, 1.0])
    sender = np.repeat(-((replies - want[:, None] - bias) ** 2)[:, None, :], 2, axis=1)
    receiver = np.repeat(-((replies - want[:, None]) ** 2)[:, None, :], 2, axis=1)
    found = sound(signalling_equilibria(make([0.5, 0.5], sender, receiver)))
    babbling = [one for one in found if one.kind == "pooling"]
    assert len(babbling) >= 2  # each message alone; and both, whatever they are
    for one in babbling:
        sent = np.flatnonzero(one.on_path)
        np.testing.assert_allclose(one.assessment.receiver[sent], [[0, 1, 0]] * len(sent), atol=1e-12)
    assert len({one.component for one in babbling}) == 1
    assert any(one.kind == "separating" for one in found) == (bias < 0.5)
    assert any(one.dimension[0] > 0 for one in found)


def crisis(message, spent, hands):
    """A defender may signal; the challenger then challenges or not. Prize 1; the resolved fight for -0.2, the bluffer backs down for 0, less ``hands``."""
    fight, back = -0.2, 0.0
    sender = np.zeros((2, 2, 2))
    for m, (cost, audience) in enumerate([(0.0, 0.0), (spent, hands)]):
        sender[:, m, 1] = 1 - cost
        sender[0, m, 0] = fight - cost
        sender[1, m, 0] = back - audience - cost
    receiver = np.zeros((2, 2, 2))
    receiver[0, :, 0], receiver[1, :, 0] = -0.5, 1.0
    names = {"types": ("resolved", "bluffer"), "messages": ("none", message), "reply_names": ("challenge", "not")}
    return make([0.4, 0.6], sender, receiver, **names)


def test_sunk_costs_and_tied_hands():
    """Fearon (1997): tying hands earns the resolved more, and risks more war; sinking costs leaves nobody to bluff. Numbers are ours."""
    sunk = sound(signalling_equilibria(crisis("mobilise", 1.1, 0.0)))
    apart = next(one for one in sunk if one.kind == "separating")
    np.testing.assert_allclose(apart.assessment.sender, [[0, 1], [1, 0]])
    np.testing.assert_allclose(apart.assessment.receiver[1], [0, 1])
    tied = sound(signalling_equilibria(crisis("speak", 0.0, 0.6)))
    bluff = next(one for one in tied if one.kind == "semi-separating")
    # a bluffer is indifferent: 0 = -0.6 q + (1 - q); the challenger: -0.5 · 0.4 + 0.6 s = 0
    np.testing.assert_allclose(bluff.assessment.receiver[1], [0.625, 0.375], atol=1e-12)
    np.testing.assert_allclose(bluff.assessment.sender[1], [2 / 3, 1 / 3], atol=1e-12)
    assert bluff.sender_value[0] == pytest.approx(0.25)
    assert bluff.sender_value[0] > apart.sender_value[0] == pytest.approx(-0.1)
    war = [float(one.assessment.sender[0] @ one.assessment.receiver[:, 0]) for one in (apart, bluff)]
    assert war[0] == 0 < war[1]


# --- forms and refusals --------------------------------------------------------------------------


def test_masks_and_types_that_nature_never_draws():
    """The weak has no beer, so beer shows that one is surly; a third type of prior 0 is believed in by nobody."""
    game = beer_quiche(0.9)
    able = np.array([[True, True], [False, True]])
    masked = make(game.prior, game.sender, game.receiver, able=able)
    found = sound(signalling_equilibria(masked))
    assert [one.kind for one in found] == ["separating"]
    np.testing.assert_allclose(found[0].sender_value, [3, 1])
    wide = make(
        [0.9, 0.1, 0.0],
        [*game.sender, [[9, 9], [0, 0]]],
        [*game.receiver, [[9, 0], [9, 0]]],
        able=[*able, [True, True]],
    )
    (one,) = sound(signalling_equilibria(wide))
    np.testing.assert_allclose(one.sender_value, [3, 1, 9])
    assert (one.assessment.belief[:, 2] == 0).all()


def test_only_an_undrawn_type_has_the_message():
    game = make(
        [1.0, 0.0], np.ones((2, 2, 2)), [[[1, 0], [0, 0]], [[1, 0], [0, 1]]], able=[[True, False], [True, True]]
    )
    (one,) = sound(signalling_equilibria(game))
    np.testing.assert_allclose(one.assessment.belief[1], [0, 1])
    np.testing.assert_allclose(one.assessment.receiver[1], [0, 1])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"prior": [0.5, 0.6]}, "prior"),
        ({"prior": [0.5, 0.25, 0.25]}, "shapes"),
        ({"sender": np.full((2, 2, 2), np.nan)}, "not finite"),
        ({"able": [[False, False], [True, True]]}, "has no message"),
        ({"able": [[True, False], [True, False]]}, "sent by no type"),
        ({"replies": [[False, False], [True, True]]}, "no reply"),
        ({"types": ("a", "a")}, "different names"),
        ({"sender": np.zeros((2, 2))}, r"\(k, m, r\)"),
    ],
)
def test_forms_that_do_not_fit(change, told):
    given_ = {"prior": [0.5, 0.5], "sender": np.zeros((2, 2, 2)), "receiver": np.zeros((2, 2, 2)), **change}
    with pytest.raises(OptionError, match=told):
        SignallingGame.from_arrays(given_.pop("prior"), given_.pop("sender"), given_.pop("receiver"), **given_)


def test_too_many_supports_are_refused_with_advice():
    game = make([0.5, 0.5], np.zeros((2, 3, 3)), np.zeros((2, 3, 3)))
    with pytest.raises(OptionError, match=r"49 choices of messages.*limit is 10.*mixed=False"):
        signalling_equilibria(game, limit=10)
    with pytest.raises(OptionError, match=r"pairs of supports.*limit is 60"):
        signalling_equilibria(game, limit=60)
    some = sound(signalling_equilibria(game, limit=1000, mixed=False))
    assert not some.complete
    assert some.examined <= 1000


def test_the_referee_finds_faults():
    found = signalling_equilibria(beer_quiche(0.25))
    play = found[0].assessment
    game = found.game
    tables = {"sender": play.sender, "receiver": play.receiver, "belief": play.belief}

    def measured(**change):
        return measure_signalling(game, SignallingAssessment(**{**tables, **change}))

    assert measured().certified()
    bluffing = measured(sender=np.array([[1.0, 0], [0.5, 0.5]]))
    assert bluffing.bayes[0] == pytest.approx(abs(0.5 - 0.25 / 0.625))
    assert not bluffing.certified()
    kind = measured(receiver=np.array([[0.5, 0.5], [0.5, 0.5]]))
    assert kind.receiver_gain[1] == pytest.approx(0.5)
    assert kind.sender_gain.max() > 0.1
    assert measured(belief=np.array([[0.5, 0.6], [0, 1]])).faults == pytest.approx(0.1)
    with pytest.raises(OptionError, match="shapes"):
        measured(belief=np.ones((1, 2)))
    with pytest.raises(OptionError, match="not finite"):
        measured(belief=np.full((2, 2), np.nan))


# --- a second method -----------------------------------------------------------------------------


def tables(shape, size):
    """Draw integer payoffs of a shape, all different if there are many to draw from."""
    count = int(np.prod(shape))
    return st.lists(st.integers(-size, size), min_size=count, max_size=count, unique=size > 100).map(
        lambda numbers: np.array(numbers, float).reshape(shape)
    )


@st.composite
def games(draw, shapes=((2, 2, 2), (2, 2, 3), (2, 3, 2), (3, 2, 2)), size=1000):
    shape = draw(st.sampled_from(shapes))
    weights = np.array(draw(st.lists(st.integers(1, 9), min_size=shape[0], max_size=shape[0])), float)
    return make(weights / weights.sum(), draw(tables(shape, size)), draw(tables(shape, size)))


def deterring_replies(game, m, value):
    """Whether some reply, best under a belief on two types, keeps both from a message: two replies, by hand."""
    lead = game.receiver[:, m, 1] - game.receiver[:, m, 0]  # how much better reply 1 is against each type
    pure = [y for y, best in ((0.0, lead.min() <= 0), (1.0, lead.max() >= 0)) if best]
    low, high = 0.0, 1.0
    for k in range(2):
        a, c = game.sender[k, m, 0] - value[k], game.sender[k, m, 1] - game.sender[k, m, 0]
        if c == 0 and a > GAIN:
            return False
        if c > 0:
            high = min(high, -a / c)
        if c < 0:
            low = max(low, -a / c)
    if any(low - GAIN <= y <= high + GAIN for y in pure):
        return True
    return lead.min() <= 0 <= lead.max() and low <= high + GAIN


def pure_by_hand(game):
    """Find all equilibria in pure messages of a game with two types, two replies and no ties: try every strategy, reply on the path, deter off it."""
    out = set()
    for sent in product(range(game.shape[1]), repeat=2):
        reply = np.zeros(game.shape[1:])
        for m in set(sent):
            here = [k for k in range(2) if sent[k] == m]
            reply[m, np.argmax(game.prior[here] @ game.receiver[here, m])] = 1
        values = sender_values(game, reply)
        own = values[[0, 1], list(sent)]
        path = sorted(set(sent))
        if (values[:, path] > own[:, None]).any():
            continue
        if all(deterring_replies(game, m, own) for m in range(game.shape[1]) if m not in sent):
            out.add(sent)
    return out


def untied(game):
    """Whether no two payoffs of a kind are equal, and pooling leaves the receiver a strict best reply."""
    sender = [len(set(own.ravel().tolist())) == own.size for own in game.sender]
    pooled = np.sort(np.einsum("k,kmr->mr", game.prior, game.receiver), axis=1)
    alone = np.sort(game.receiver, axis=2)
    return all(sender) and np.diff(pooled, axis=1).min() > GAIN and np.diff(alone, axis=2).min() > 0


@settings(max_examples=150)
@given(games(shapes=((2, 2, 2), (2, 3, 2))))
def test_no_equilibrium_in_pure_messages_is_missed(game):
    assume(untied(game))
    found = signalling_equilibria(game)
    mine = [tuple(one.assessment.sender.argmax(axis=1).tolist()) for one in found if one.pure]
    assert len(mine) == len(set(mine))
    assert set(mine) == pure_by_hand(game)
    only = signalling_equilibria(game, mixed=False)
    assert sorted(tuple(one.assessment.sender.argmax(axis=1).tolist()) for one in only) == sorted(mine)


def d1_by_grid(game, m, value):
    """Who of two types is ruled out by D1 for whom: replies (probability of reply 1) on a grid with all points at which somebody is indifferent."""
    lead = game.receiver[:, m, 1] - game.receiver[:, m, 0]
    grid = np.array([float(lead.min() > 0)])
    base, slope = game.sender[:, m, 0] - value, game.sender[:, m, 1] - game.sender[:, m, 0]
    if lead.min() <= 0 <= lead.max():
        cross = -base[slope != 0] / slope[slope != 0]
        grid = np.concatenate([np.linspace(0, 1, 101), cross[(cross > 0) & (cross < 1)]])
    gains = base[:, None] + slope[:, None] * grid
    return {
        (k, other)
        for k, other in ((0, 1), (1, 0))
        if (gains[other] > GAIN).any() and (gains[other] > GAIN)[gains[k] >= -GAIN].all()
    }


@settings(max_examples=100)
@given(games(shapes=((2, 2, 2),), size=6))
def test_who_is_ruled_out_by_d1_agrees_with_a_grid(game):
    for one in signalling_equilibria(game):
        for off in one.off_path:
            assert set(off.ruled_out) == d1_by_grid(game, off.message, one.sender_value)


# --- laws ----------------------------------------------------------------------------------------


def table(found):
    """One line for each equilibrium: dimension, bounds of the sender's and of the receiver's strategies on the path."""
    lines = [
        np.concatenate(
            [
                one.dimension,
                one.sender_low.ravel(),
                one.sender_high.ravel(),
                (one.receiver_low * one.on_path[:, None]).ravel(),
                (one.receiver_high * one.on_path[:, None]).ravel(),
            ]
        )
        for one in found
    ]
    return np.array(sorted(lines, key=lambda line: tuple(line.round(5) + 0.0)))


def same(first, second):
    a, b = table(first), table(second)
    assert a.shape == b.shape
    np.testing.assert_allclose(a, b, atol=1e-6)


@settings(max_examples=60)
@given(games(shapes=((2, 2, 2), (2, 2, 3), (3, 2, 2), (1, 2, 2)), size=2), st.data())
def test_an_equilibrium_always_exists_ties_and_gaps_or_not(game, data):
    k, m, r = game.shape
    able = np.array(data.draw(st.lists(st.booleans(), min_size=k * m, max_size=k * m))).reshape(k, m)
    replies = np.array(data.draw(st.lists(st.booleans(), min_size=m * r, max_size=m * r))).reshape(m, r)
    able[0], able[:, 0], replies[:, 0] = True, True, True
    found = sound(signalling_equilibria(make(game.prior, game.sender, game.receiver, able=able, replies=replies)))
    assert found.complete


@settings(max_examples=40)
@given(games(shapes=((2, 3, 3), (3, 2, 3))))
def test_larger_games_are_answered_whole(game):
    assert sound(signalling_equilibria(game)).complete


@settings(max_examples=40)
@given(
    games(shapes=((2, 2, 2), (2, 2, 3), (3, 2, 2)), size=20),
    st.integers(1, 7),
    st.integers(-9, 9),
    st.integers(1, 7),
    st.data(),
)
def test_units_do_not_matter(game, scale, shift, other, data):
    k, m, _ = game.shape
    apart = data.draw(tables((k, m, 1), 5))  # what no reply changes does not matter to the receiver
    sender = game.sender * scale * (1 + np.arange(k))[:, None, None] + shift
    again = make(game.prior, sender, game.receiver * other + apart)
    first, second = signalling_equilibria(game), signalling_equilibria(again)
    same(first, second)
    assert sum(one.d1 for one in first if one.unique) == sum(one.d1 for one in second if one.unique)


@settings(max_examples=40)
@given(games(), st.randoms(use_true_random=False))
def test_relabelling_permutes(game, random):
    orders = [random.sample(range(n), n) for n in game.shape]
    at = np.ix_(*orders)
    again = signalling_equilibria(make(game.prior[orders[0]], game.sender[at], game.receiver[at]))
    first = signalling_equilibria(game)
    assert len(first) == len(again)
    wanted = sorted(
        [*(one.assessment.sender[np.ix_(orders[0], orders[1])].round(6) + 0.0).ravel().tolist(), one.intuitive, one.d1]
        for one in first
    )
    found = sorted([*(one.assessment.sender.round(6) + 0.0).ravel().tolist(), one.intuitive, one.d1] for one in again)
    np.testing.assert_allclose(wanted, found, atol=1e-6)


@settings(max_examples=40)
@given(games(shapes=((2, 2, 2), (2, 3, 3), (3, 3, 2)), size=1000), st.integers(0, 1))
def test_a_type_drawn_for_sure_plays_as_if_known(game, sure):
    (one,) = sound(signalling_equilibria(make(np.eye(game.shape[0])[sure], game.sender, game.receiver)))
    reply = game.receiver[sure].argmax(axis=1)
    worth = game.sender[sure][np.arange(game.shape[1]), reply]
    assert one.assessment.sender[sure].argmax() == worth.argmax()
    assert one.sender_value[sure] == worth.max()
    assert (one.assessment.receiver.argmax(axis=1) == reply).all()
    assert one.kind == "pooling"


@settings(max_examples=40)
@given(games(shapes=((2, 2, 2), (3, 2, 2)), size=9))
def test_where_d1_passes_the_belief_reported_respects_it(game):
    for one in signalling_equilibria(game):
        for off in one.off_path:
            if off.respects == "d1":
                gone = [k for k, _ in off.ruled_out]
                assert (one.assessment.belief[off.message][gone] == 0).all()
        if one.d1:
            assert all(off.respects == "d1" for off in one.off_path)


# --- Gambit --------------------------------------------------------------------------------------


def gambit_outcomes(game, weights):
    """All Nash outcomes from Gambit's exact enumeration on the strategic form; of two replies."""
    import pygambit

    k, m, r = game.shape
    rows, columns = list(product(range(m), repeat=k)), list(product(range(r), repeat=m))
    pays = [
        np.array(
            [[sum(int(w) * int(u[t, s[t], y[s[t]]]) for t, w in enumerate(weights)) for y in columns] for s in rows]
        )
        for u in (game.sender, game.receiver)
    ]
    theirs = pygambit.StrategicGame.from_arrays(*pays)
    out = []
    for profile in pygambit.nash.enummixed_solve(theirs, rational=True).equilibria:
        mixes = [[float(share) for _, share in own] for own in profile]
        sigma, reply = np.zeros((k, m)), np.zeros((m, r))
        for share, row in zip(mixes[0], rows, strict=True):
            sigma[np.arange(k), list(row)] += share
        for share, column in zip(mixes[1], columns, strict=True):
            reply[np.arange(m), list(column)] += share
        out.append((sigma, reply))
    return out


def outcome(sigma, reply):
    sent = sigma.max(axis=0) > GAIN
    return tuple(np.concatenate([sigma.ravel(), (reply * sent[:, None]).ravel()]).round(6) + 0.0)


@pytest.mark.oracle
@needs("pygambit")
@pytest.mark.parametrize(("shape", "seeds"), [((2, 2, 2), range(50)), ((2, 3, 2), range(15))])
def test_gambit_finds_the_same_outcomes(shape, seeds):
    kinds, refined = set(), 0
    for seed in seeds:
        rng = np.random.default_rng(seed)
        weights = rng.integers(1, 10, size=2)
        game = make(weights / weights.sum(), rng.integers(-50, 51, shape), rng.integers(-50, 51, shape))
        if not untied(game):
            continue
        nash = gambit_outcomes(game, weights)
        perfect = set()
        for sigma, reply in nash:
            value = sender_values(game, np.where(sigma.max(axis=0)[:, None] > GAIN, reply, 0.0))
            own = (sigma * value).sum(axis=1)
            if all(deterring_replies(game, m, own) for m in range(shape[1]) if sigma[:, m].max() <= GAIN):
                perfect.add(outcome(sigma, reply))
        refined += len(perfect) < len({outcome(*pair) for pair in nash})
        found = sound(signalling_equilibria(game))
        assert all(one.unique for one in found)
        mine = [outcome(one.assessment.sender, one.assessment.receiver) for one in found]
        assert len(mine) == len(set(mine)) == len(perfect), seed
        np.testing.assert_allclose(sorted(mine), sorted(perfect), atol=2e-6)
        kinds |= {one.kind for one in found}
    assert kinds == {"pooling", "separating", "semi-separating"}
    assert refined > 0  # some Nash outcomes rest on replies that no belief makes best


def test_beliefs_value_replies():
    game = beer_quiche(0.9)
    np.testing.assert_allclose(receiver_values(game, np.array([[0.9, 0.1], [0, 1]])), [[0.1, 0.9], [1, 0]])
