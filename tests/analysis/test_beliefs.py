"""Belief paths: Bayes' rule by a plain second method, laws of posteriors, and Kreps and Wilson's numbers."""

import itertools
import tomllib
from pathlib import Path

import numpy as np
import pytest
import tomli_w
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import sim
from sim.analysis.beliefs import belief_paths, record_beliefs
from sim.analysis.replay import replay, told
from sim.construct.compile import compile as compile_game
from sim.errors import OptionError
from sim.scenario.load import loads
from sim.testing import scenarios

ROOT = Path(__file__).parent.parent.parent
REPUTATION = ROOT / "scenarios" / "entry_deterrence.toml"


def recorded(*moves, **settings):
    """Return Kreps and Wilson's game with a recorded history of (round, player, move)."""
    document = tomllib.loads(REPUTATION.read_text(encoding="utf-8"))
    document["history"] = [
        {"round": number, "player": player, "move": move, "source": "assumed"} for number, player, move in moves
    ]
    return sim.compile(loads(tomli_w.dumps(document), "recorded.toml"), settings)


def by_bayes(solution, edges, player):
    """Multiply along a history, combination by combination of types."""
    types = solution.game.types
    weight = types.prior[0] * np.prod(solution.assessment.profile[0][:, edges], axis=1)
    out = np.bincount(types.lane[:, player], weights=weight, minlength=types.count[player])
    return out / out.sum()


def solutions(draw_concept, scenario, **options):
    game = compile_game(scenario, **options)
    if draw_concept == "perfect_bayesian":
        return sim.solve(game, "perfect_bayesian", starts=0)
    return sim.solve(game, "quantal_response", precision=draw_concept)


CONCEPTS = st.sampled_from(["perfect_bayesian", 0.0, 0.7, 3.0])


@settings(max_examples=40, deadline=None)
@given(st.one_of(scenarios(private=True), scenarios(private=True, together=True)), CONCEPTS, st.booleans())
def test_posteriors_follow_bayes_rule(scenario, concept, merge):
    """Merged or not, what is believed after each step of likely histories is what multiplying along them gives."""
    assume(scenario.rounds <= 2)
    solution = solutions(concept, scenario, merge=merge)
    assume(solution.status.certified)
    found = belief_paths(solution, count=3)
    graph = solution.game.graph
    assert found.players
    assert 1 <= len(found.paths) <= 3
    for path, history in zip(found.paths, sim.play(solution).histories(3), strict=True):
        edges = [step.edge for step in history.steps]
        for step in path.steps:
            assert step.probability > 0
            so_far = edges[: edges.index(step.edge) + 1]
            for name, after in zip(found.players, step.after, strict=True):
                np.testing.assert_allclose(after, by_bayes(solution, so_far, graph.players.index(name)), atol=1e-7)
        for name, prior, ends in zip(found.players, found.prior, path.by_round, strict=True):
            assert ends.shape == (len(found.rounds), len(prior))
            assert (ends >= 0).all()
            np.testing.assert_allclose(ends.sum(axis=1), 1.0, atol=1e-12)
            np.testing.assert_allclose(ends[0], prior, atol=1e-12)
            np.testing.assert_allclose(ends[-1], by_bayes(solution, edges, graph.players.index(name)), atol=1e-7)


@settings(max_examples=40, deadline=None)
@given(scenarios(private=True), CONCEPTS, st.booleans(), st.data())
def test_beliefs_are_a_martingale_and_lean_to_the_truth(scenario, concept, merge, data):
    """Under anybody's own predictive distribution the mean posterior is the prior; given the true type it is never lower for it."""
    assume(scenario.rounds <= 2)
    solution = solutions(concept, scenario, merge=merge)
    assume(solution.status.certified)
    types, players = solution.game.types, solution.game.graph.players
    observers = [
        "",
        *(
            f"{player}:{kinds[-1]}" if len(kinds) > 1 else player
            for player, kinds in zip(players, types.names, strict=True)
            if sum(count > 1 for count in types.count) - (len(kinds) > 1) > 0
        ),
    ]
    found = belief_paths(solution, count=1, observer=data.draw(st.sampled_from(observers)))
    assert found.martingale < 1e-7
    for one, prior in zip(found.spreads, found.prior, strict=True):
        assert one.mean.shape == (len(found.rounds), len(prior))
        assert (one.low <= one.mean + 1e-9).any()
        assert (one.low <= one.high).all()
        likely = np.flatnonzero(prior > 0)
        assert len(likely)
        mixed = np.einsum("k,ktb->tb", prior[likely], one.given[likely])
        np.testing.assert_allclose(mixed, one.mean, atol=1e-7)
        for k in likely:
            assert (one.given[k, :, k] >= prior[k] - 1e-7).all()


@settings(max_examples=20, deadline=None)
@given(scenarios(private=True, beliefs=False), st.sampled_from([0.3, 2.0]))
def test_merging_changes_no_belief(scenario, precision):
    assume(scenario.rounds <= 2)
    found = [solutions(precision, scenario, merge=merge) for merge in (True, False)]
    assume(all(solution.status.certified for solution in found))
    one, two = (belief_paths(solution, count=1) for solution in found)
    assert len(one.spreads) == len(two.spreads) > 0
    for merged, apart in zip(one.spreads, two.spreads, strict=True):
        np.testing.assert_allclose(merged.given, apart.given, atol=1e-7)


def test_the_numbers_of_kreps_and_wilson():
    """Kreps and Wilson (1982), section 2, with b = 1/2 and belief 1/16 in three markets: a fight is believed to come from strength 1/4, then 1/2."""
    solution = sim.solve(sim.compile(sim.load(REPUTATION)), "perfect_bayesian", starts=0)
    found = belief_paths(solution, count=4)
    assert found.players == ("store",)
    strong = [path.by_round[0][:, 1].round(9).tolist() for path in found.paths]
    assert strong == [[1 / 16, 0, 0, 0], [1 / 16, 0.25, 0.25, 0], [1 / 16, 0.25, 0, 0], [1 / 16, 0.25, 0.5, 0.5]]
    assert [path.decisive(0).move for path in found.paths] == ["share_market", "share_market", "share_market", "fight"]
    assert found.paths[3].log_odds(0)[2] == pytest.approx([0.0, 0.0], abs=1e-9)
    fight = found.paths[1].steps[0]
    assert (fight.move, fight.probability, fight.off_path) == ("fight", pytest.approx(0.25), False)
    assert fight.shift == (pytest.approx(3 / 16),)
    # a weak store fights with 1/5 in the first market, so entrants meet it with 1/5 * 1/4 there on average, a strong one with 1/4
    assert found.spreads[0].given[:, 1, 1] == pytest.approx([1 / 20, 1 / 4])
    assert found.martingale < 1e-12


def test_a_recorded_history_is_forced_where_nobody_expected_it():
    game = recorded((1, "entrant_1", "enter"), (1, "store", "fight"), (2, "entrant_2", "stay_out"), strong_belief=0.5)
    solution = sim.solve(game, "perfect_bayesian", starts=0)
    found = belief_paths(solution, count=2, records="recorded")
    assert [path.kind for path in found.paths][-1] == "recorded"
    path = found.paths[-1]
    assert (path.probability, path.share, path.until) == (0.0, 1.0, 2)
    assert [step.move for step in path.steps] == ["fight"]
    players, steps = record_beliefs(replay(solution))
    assert players == ("store",)
    assert [step.move for step in steps] == ["enter", "fight", "stay_out"]
    assert steps[0].off_path
    np.testing.assert_array_equal(steps[0].after[0], [0.5, 0.5])
    for one, other in itertools.pairwise(steps):
        np.testing.assert_array_equal(one.after[0], other.before[0])


TOGETHER = """
title = "Two who choose at once"
rounds = 1
[players.a]
[players.b]
[private.mood]
known_to = "a"
values = { mild = 0.5, wild = 0.5 }
[private.purse]
known_to = "b"
values = { poor = 0.25, rich = 0.75 }
[state.x]
range = [0, 1]
start = 0
[[turns]]
simultaneous = ["a", "b"]
[moves.wait]
player = ["a", "b"]
[moves.shout]
player = "a"
pays = { a = "1 if mood == wild else -1" }
[moves.pay]
player = "b"
pays = { b = "1 if purse == rich else -1" }
[[history]]
round = 1
player = "a"
move = "shout"
source = "assumed"
[[history]]
round = 1
player = "b"
move = "pay"
source = "assumed"
[outcomes]
loud = "played(shout)"
"""


def test_of_records_at_once_each_moves_the_belief_about_its_own_player():
    solution = sim.solve(sim.compile(loads(TOGETHER, "together.toml")), "quantal_response", precision=1.0)
    players, (shout, pay) = record_beliefs(replay(solution))
    assert players == ("a", "b")
    wild = 1 / (1 + np.exp(-1.0))  # a logit choice between 1 and 0; the mild choose between -1 and 0
    rich = 0.75 * wild / (0.75 * wild + 0.25 * (1 - wild))
    assert [step.player for step in (shout, pay)] == ["a", "b"]
    assert shout.after[0] == pytest.approx([1 - wild, wild])
    np.testing.assert_array_equal(shout.after[1], shout.before[1])
    np.testing.assert_array_equal(pay.before[0], shout.after[0])
    np.testing.assert_array_equal(pay.after[0], pay.before[0])
    assert pay.after[1] == pytest.approx([1 - rich, rich])


def test_a_move_that_only_one_type_has_gives_it_away_even_when_unexpected():
    game = recorded((1, "entrant_1", "enter"), (1, "store", "share_market"), strong_belief=0.5)
    solution = sim.solve(game, "perfect_bayesian", starts=0)
    step = belief_paths(solution, records="recorded").paths[-1].steps[-1]
    assert (step.move, step.off_path) == ("share_market", True)
    assert step.after[0] == pytest.approx([1.0, 0.0])


def test_each_variant_has_its_own_beliefs():
    game = sim.compile(sim.load(REPUTATION), {"strong_belief": [0.0625, 0.1]})
    solution = sim.solve(game, "perfect_bayesian", starts=0)
    one, two = (belief_paths(solution, variant=v) for v in (0, 1))
    assert (one.prior[0][1], two.prior[0][1]) == (0.0625, pytest.approx(0.1))
    assert one.paths[1].by_round[0][1, 1] == pytest.approx(0.25)


def test_mistakes_teach():
    solution = sim.solve(sim.compile(sim.load(REPUTATION)), "perfect_bayesian", starts=0)
    with pytest.raises(OptionError, match="not a player"):
        belief_paths(solution, observer="stone")
    with pytest.raises(OptionError, match="nobody but store"):
        belief_paths(solution, observer="store:weak")
    with pytest.raises(OptionError, match="write store:weak"):
        belief_paths(solution, observer="store")
    with pytest.raises(OptionError, match="no record"):
        belief_paths(solution, records="recorded")
    with pytest.raises(OptionError, match="expected 'recorded'"):
        belief_paths(solution, records="all")
    with pytest.raises(OptionError, match="nothing to learn"):
        belief_paths(sim.solve(sim.compile(sim.load(sim.template()))))
    assert record_beliefs(replay(solution, records=told(sim.load(REPUTATION), "entrant_1:enter")))[1][0].shift == (0.0,)
