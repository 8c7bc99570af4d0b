"""Attributions: Shapley's axioms, permutations as a second method, orders that are drawn, the decomposition of question 4."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sim
from sim.analysis.attribution import Spec, find, shapley
from sim.analysis.findings import read_spec
from sim.errors import NoAnswerError, OptionError
from sim.scenario.load import loads

TEMPLATE = sim.template().read_text(encoding="utf-8")
SWITCHES = ("reset_on", "tied_hands_on", "settlement_on", "freed_hand_on", "preempt_on", "floor_belief_on")
worths = st.integers(1, 5).flatmap(
    lambda n: st.lists(st.floats(-10, 10), min_size=2**n, max_size=2**n).map(
        lambda values: np.array([0.0, *values[1:]])
    )
)


def by_permutations(worth):
    """Add the players one by one in every order."""
    players = len(worth).bit_length() - 1
    out = np.zeros(players)
    for order in itertools.permutations(range(players)):
        code = 0
        for player in order:
            out[player] += worth[code | 1 << player] - worth[code]
            code |= 1 << player
    return out / math.factorial(players)


@given(worths)
def test_it_is_the_mean_over_all_orders(worth):
    np.testing.assert_allclose(shapley(worth), by_permutations(worth), atol=1e-9)
    assert shapley(worth).sum() == pytest.approx(worth[-1] - worth[0], abs=1e-9)


@given(worths, worths)
def test_sums_of_games_are_sums_of_values(one, other):
    size = min(len(one), len(other))
    one, other = one[:size], other[:size]
    np.testing.assert_allclose(shapley(one + other), shapley(one) + shapley(other), atol=1e-9)


@given(worths)
def test_who_adds_nothing_gets_nothing(worth):
    with_dummy = np.concatenate([worth, worth])  # the last player changes nothing
    found = shapley(with_dummy)
    assert found[-1] == pytest.approx(0.0, abs=1e-9)
    np.testing.assert_allclose(found[:-1], shapley(worth), atol=1e-9)


def test_the_gloves_game():
    """One left glove, two right ones; only a pair is worth something: 2/3, 1/6, 1/6 (Shapley 1953's market in miniature)."""
    worth = np.array([float(code & 1 and code & 6) > 0 for code in range(8)], dtype=float)
    np.testing.assert_allclose(shapley(worth), [2 / 3, 1 / 6, 1 / 6])


def test_every_setting_is_solved_anew():
    scenario = loads(TEMPLATE, "t")
    spec = Spec(of="war", beside="value_defender", before={"prize": 1}, after={"prize": 4, "cost_of_war": 0.5})
    found = find(spec, scenario=scenario, concept="quantal_response", options={"precision": 2.0})
    assert found.names == ("prize", "cost_of_war")
    assert found.solves == 4

    def answer(**chosen):
        solution = sim.solve(sim.compile(scenario, chosen), "quantal_response", precision=2.0)
        return np.array([sim.play(solution).outcome("war")[0], solution.values[0, 1]])

    none, prize, cost, both = (
        answer(prize=1),
        answer(prize=4),
        answer(prize=1, cost_of_war=0.5),
        answer(prize=4, cost_of_war=0.5),
    )
    np.testing.assert_allclose(found.none, none)
    np.testing.assert_allclose(found.all, both)
    np.testing.assert_allclose(found.first, np.stack([prize - none, cost - none], axis=1))
    np.testing.assert_allclose(found.last, np.stack([both - cost, both - prize], axis=1))
    np.testing.assert_allclose(found.shapley[:, 0], ((prize - none) + (both - cost)) / 2)


def test_groups_and_variants():
    scenario = loads(TEMPLATE + '\n[variants.dear]\nbasis = "assumed"\nset = { cost_of_war = 5, prize = 4 }\n', "t")
    spec = Spec(of="value_defender", after="dear", groups={"both": ["prize", "cost_of_war"]})
    found = find(spec, scenario=scenario)
    assert found.names == ("both",)
    assert found.shapley[0, 0] == pytest.approx((found.all - found.none)[0])
    with pytest.raises(OptionError, match="nothing differs"):
        find(Spec(of="war", after="base"), scenario=scenario)
    with pytest.raises(OptionError, match="did you mean 'prize'"):
        find(Spec(of="war", after="dear", groups={"x": ["price"]}), scenario=scenario)
    with pytest.raises(OptionError, match="shares an assumption"):
        find(Spec(of="war", after="dear", groups={"x": ["prize"], "y": ["prize"]}), scenario=scenario)
    with pytest.raises(OptionError, match="'off' is no key of attribution"):
        read_spec({"kind": "attribution", "off": "war"})


def test_drawn_orders_agree_with_all(monkeypatch):
    import sim.analysis.attribution as module

    scenario = sim.load("scenarios/rock_bottom.toml")
    spec = Spec(
        of="advantage(gambit @ 2016-10:russia)",
        before=dict.fromkeys(SWITCHES, 0),
        after=dict.fromkeys(SWITCHES, 1),
        orders=400,
    )
    exact = find(spec, scenario=scenario)
    monkeypatch.setattr(module, "MOST_EXACT", 3)
    drawn = find(spec, scenario=scenario, seed=5)
    assert drawn.error is not None
    assert (drawn.error[0] > 0).sum() >= 3
    assert (np.abs(drawn.shapley - exact.shapley) <= 4.5 * drawn.error + 1e-9).all()
    np.testing.assert_allclose(drawn.first, exact.first, atol=1e-9)
    np.testing.assert_allclose(drawn.last, exact.last, atol=1e-9)
    assert find(spec, scenario=scenario, seed=5).record() == drawn.record()


def test_question_four_sums_and_pays_the_same_strategies_twice():
    scenario = sim.load("scenarios/rock_bottom.toml")
    question = "advantage(gambit @ 2016-10:russia)"
    spec = Spec(
        of=question,
        beside="advantage(gambit @ 2016-10:russia | reset_on=0)",
        before=dict.fromkeys(SWITCHES, 0),
        after=dict.fromkeys(SWITCHES, 1),
    )
    found = find(spec, scenario=scenario)
    assert found.solves == 64
    np.testing.assert_allclose(found.shapley.sum(axis=1), found.all - found.none, atol=1e-9)
    assert found.none[0] == pytest.approx(found.none[1])  # without the reset both yardsticks are one
    assert abs(found.all[0] - found.all[1]) > 0.1  # with it they are not
    from sim.analysis.moves import advantage

    for settings_, value in ((dict.fromkeys(SWITCHES, 0), found.none[0]), (dict.fromkeys(SWITCHES, 1), found.all[0])):
        solution = sim.solve(sim.compile(scenario, settings_))
        assert advantage(solution, "gambit", "2016-10", "russia") == pytest.approx(value)


def test_no_answer_is_said(monkeypatch):
    from sim.analysis.asker import Asker

    monkeypatch.setattr(Asker, "all", lambda _self, columns, _count: np.where(columns["prize"] == 4, np.nan, 1.0)[None])
    with pytest.raises(NoAnswerError, match="with prize changed, war has no certified answer"):
        find(Spec(of="war", after={"prize": 4, "cost_of_war": 1}), scenario=loads(TEMPLATE, "t"))


@settings(max_examples=10, deadline=None)
@given(prize=st.floats(0, 5), cost=st.floats(0, 5))
def test_the_parts_sum_to_the_change(prize, cost):
    scenario = loads(TEMPLATE, "t")
    after = {"prize": prize, "cost_of_war": cost}
    if all(float(sim.compile(scenario).assumptions[name][0]) == value for name, value in after.items()):
        return
    found = find(Spec(of="value_defender", after=after), scenario=scenario, concept="quantal_response")
    assert found.shapley.sum() == pytest.approx((found.all - found.none)[0], abs=1e-9)
