"""Gambit must agree about sender–receiver games: our equilibria leave it no regret, and the limit of its logit path is among them."""

import io

import numpy as np
import pytest
from conftest import needs
from hypothesis import given, settings
from hypothesis import strategies as st
from sender_receiver_games import scenario

import sim
from sim.construct.gambit import to_efg
from sim.solve.sender_receiver import answered, sender_receiver

pytestmark = [pytest.mark.oracle, needs("pygambit")]


def theirs_of(game):
    """Hand a game to Gambit."""
    import pygambit

    return pygambit.read_efg(io.BytesIO(to_efg(game).encode()))


def agree(game):
    """Compare values, regret and beliefs of all equilibria of a game in which every type has every message; return how many there are."""
    theirs = theirs_of(game)
    found, _ = answered(game)
    form = sender_receiver(game)
    names = list(theirs.players)
    assert names == list(game.graph.players)
    assert (form.sender, form.receiver) == (0, 1)
    for one in found:
        play = one.assessment
        profile = theirs.mixed_behavior_profile(data=[play.sender.tolist(), play.receiver.tolist()])
        assert float(profile.max_regret()) <= 1e-8
        paid = dict(profile.payoffs)
        assert float(paid[names[0]]) == pytest.approx(form.game.prior @ one.sender_value, abs=1e-8)
        assert float(paid[names[1]]) == pytest.approx(one.receiver_value, abs=1e-8)
        compare_beliefs(profile, play, form, one)
    return len(found)


def limit_is_listed(game):
    """Tell whether the end of Gambit's logit path lies in one of our families; None if it does not get there."""
    import pygambit

    answer = pygambit.nash.logit_solve(theirs_of(game), use_strategic=False)
    if not answer.success:
        return None
    sender, receiver = (np.array([[float(x) for x in row.values()] for row in rows(own)]) for own in answer.equilibrium)
    near = 2e-2  # the path ends at a finite precision
    return any(
        (sender >= one.sender_low - near).all()
        and (sender <= one.sender_high + near).all()
        and (receiver[one.on_path] >= one.receiver_low[one.on_path] - near).all()
        and (receiver[one.on_path] <= one.receiver_high[one.on_path] + near).all()
        for one in answered(game)[0]
    )


def rows(own):
    """Return the distributions of a player's information sets."""
    return [dict(row) for _, row in own]


def compare_beliefs(profile, play, form, one):
    """Compare beliefs after messages that are sent: each type's node in the receiver's information set."""
    beliefs = {tuple(step.action for step in history): value for history, value in profile.beliefs}
    compared = 0
    for m in np.flatnonzero(one.on_path):
        for k, name in enumerate(form.game.types):
            assert beliefs[name, form.game.messages[m]] == pytest.approx(play.belief[m, k], abs=1e-9)
            compared += 1
    assert compared >= len(form.game.types)


def test_beer_or_quiche_agrees():
    game = sim.compile(sim.load("scenarios/beer_quiche.toml"))
    assert agree(game) == 2
    assert limit_is_listed(game)


@pytest.mark.parametrize("surly", [0.1, 0.4, 0.5, 0.75])
def test_other_priors_agree(surly):
    assert agree(sim.compile(sim.load("scenarios/beer_quiche.toml"), {"surly_belief": surly})) >= 1


NUMBERS = st.floats(-3, 3).map(lambda x: round(x, 3))
TABLES = st.lists(st.lists(st.lists(NUMBERS, min_size=2, max_size=2), min_size=2, max_size=2), min_size=2, max_size=2)


@settings(max_examples=25)
@given(TABLES, TABLES, st.sampled_from([0.2, 0.5, 0.9]))
def test_equilibria_of_scenarios_of_our_own_leave_gambit_no_regret(sender, receiver, first):
    assert agree(sim.compile(scenario([first, 1 - first], sender, receiver))) >= 1


def test_limits_of_gambits_path_are_among_ours():
    """A sequential equilibrium is perfect Bayesian, so that a complete list has it."""
    rng, told = np.random.default_rng(11), []
    for first in (0.2, 0.5, 0.9):
        for _ in range(4):
            sender, receiver = rng.normal(size=(2, 2, 2, 2)).round(3).tolist()
            game = sim.compile(scenario([first, 1 - first], sender, receiver))
            assert agree(game) >= 1
            told.append(limit_is_listed(game))
    reached = [one for one in told if one is not None]
    assert len(reached) >= 8
    assert all(reached)
