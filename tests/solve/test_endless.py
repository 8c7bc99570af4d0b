"""Infinite horizons: the stationary graph, Markov-perfect and stationary logit equilibria, and paths of the first rounds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sim
from sim.analysis.unroll import unrolled
from sim.construct.compile import compile as compile_game
from sim.errors import NoAnswerError, OptionError, ScenarioError
from sim.game.graph import RETURN
from sim.game.referee import measure, node_values
from sim.game.stationary import stationary_game
from sim.scenario.load import loads
from sim.solve.homotopy import follow
from sim.solve.registry import concepts_for
from sim.solve.replies import uniform_play
from sim.testing import affine, scenarios

CLOCK = """
title = "clock"
horizon = "infinite"
[players.a]
discount = 0.5
[state.x]
range = [0, 1]
start = 0
[[turns]]
player = "a"
every = 2
[moves.take]
player = "a"
pays = { a = 1 }
[payoffs.a]
each_round = 0
"""


def drawn(seed, states=4, actions=2, *, zero_sum=False, movers=False, delta=0.9):
    """A random stationary game."""
    rng = np.random.default_rng(seed)
    shape = (states, actions) if movers else (states, actions, actions)
    pays = rng.random((*shape, 2))
    if zero_sum:
        pays[..., 1] = -pays[..., 0]
    chances = rng.dirichlet(np.ones(states), shape)
    targets = np.broadcast_to(np.arange(states), chances.shape)
    who = rng.integers(0, 2, states) if movers else None
    return stationary_game(pays, targets, chances, delta, movers=who)


@settings(max_examples=25, deadline=None)
@given(scenarios(endless=True))
def test_the_stationary_graph_is_the_game_played_for_long(scenario):
    """Uniform play: values on the stationary graph against the first rounds played out, discounted until nothing is left."""
    game = compile_game(scenario)
    assert (game.graph.layer_player == RETURN).any()
    assert scenario.period == (2 if any(turn.every == 2 for turn in scenario.turns) else 1)
    value, _ = node_values(game, uniform_play(game))
    rounds = 200 if game.numbers.discount[0].max() > 0.6 else 40
    flat = compile_game(scenario, rounds=rounds, unrolled=True)
    flat_value, _ = node_values(flat, uniform_play(flat))
    np.testing.assert_allclose(
        value[game.graph.roots[0]], flat_value[flat.graph.roots[0]], atol=1e-7 * game.numbers.span[0].max()
    )


@settings(max_examples=20, deadline=None)
@given(scenarios(endless=True))
def test_what_is_found_is_certified_and_followed(scenario):
    game = compile_game(scenario)
    assert concepts_for(game) == ("quantal_response", "markov_perfect")
    solution = sim.solve(game, "markov_perfect", time_limit=5.0)
    logit = sim.solve(game, "quantal_response", precision=1.0)
    assert logit.status.certified
    for one in (solution, logit):
        if one.status.certified:
            flat = unrolled(one)
            np.testing.assert_allclose(
                flat.node_values()[0][flat.game.graph.roots[0]], one.values[0], rtol=1e-7, atol=1e-7
            )
            assert sim.play(one).reached[0].sum() > 0


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("movers", [False, True])
def test_random_stationary_games_are_solved(seed, movers):
    game = drawn(seed, states=6, actions=3, movers=movers)
    for method in ("replies", "branch"):
        solution = sim.solve(game, "markov_perfect", method=method)
        assert solution.status.certified
        assert solution.certificate.measures.max_gain[0] <= 1e-8


@pytest.mark.parametrize("seed", range(4))
def test_zero_sum_games_have_one_value(seed):
    """Shapley (1953): replies and the logit branch end in equilibria of the same value."""
    game = drawn(seed, states=5, actions=3, zero_sum=True)
    found = [sim.solve(game, "markov_perfect", method=method).values[0] for method in ("replies", "branch")]
    np.testing.assert_allclose(found[0], found[1], atol=1e-6)
    np.testing.assert_allclose(found[0].sum(), 0.0, atol=1e-8)


def test_precision_zero_is_uniform_play_and_the_branch_starts_there():
    game = drawn(1)
    solution = sim.solve(game, "quantal_response", precision=0.0)
    assert solution.status.certified
    even = node_values(game, uniform_play(game))[0][game.graph.roots[0]]
    np.testing.assert_allclose(solution.values[0], even, atol=1e-9)
    path = follow(game, np.array([3.0, 3.0]), keep=True)
    assert path.arrived
    assert path.path[0, 0] == 0.0
    assert path.path[-1, 0] == pytest.approx(1.0)
    assert len(path.path) > 2


@settings(max_examples=10, deadline=None)
@given(scenarios(endless=True), st.sampled_from([0.5, 4.0]))
def test_units_of_payoff_change_no_equilibrium(scenario, scale):
    game = compile_game(scenario)
    one = sim.solve(game, "markov_perfect", time_limit=5.0)
    two = measure(affine(game, 0, scale, 0.0), np.array(one.profile))
    if one.status.certified:
        assert two.max_gain[0] <= 1e-8


def test_a_broken_profile_is_not_certified_whatever_values_it_claims():
    game = drawn(2)
    solution = sim.solve(game, "markov_perfect")
    flipped = np.array(uniform_play(game))
    found = measure(game, flipped, guess=np.array(solution.guess))
    assert found.max_gain[0] > 1e-4
    assert found.value_error[0] <= 1e-9, "the referee finds the values of what it is shown, from any guess"
    right = measure(game, np.array(solution.profile), guess=np.full_like(solution.guess, 1e3))
    np.testing.assert_allclose(right.values, solution.certificate.measures.values, rtol=1e-7)


def test_several_starts_find_several_equilibria():
    """A battle of the sexes for ever: both pure equilibria are found, and each is certified."""
    pays = [[[[2.0, 1.0], [0.0, 0.0]], [[0.0, 0.0], [1.0, 2.0]]]]
    game = stationary_game(pays, np.zeros((1, 2, 2, 1), dtype=int), np.ones((1, 2, 2, 1)), 0.5)
    solution = sim.solve(game, "markov_perfect", selection="best_for:player_1", starts=5)
    values = {tuple(np.round(one.values[0], 6)) for one in (solution, *solution.others)}
    assert values >= {(4.0, 2.0), (2.0, 4.0)}
    assert all(one.status.certified for one in solution.others)


def test_a_turn_every_other_round():
    solution = sim.solve(compile_game(loads(CLOCK, "clock.toml")), "markov_perfect")
    assert solution.values[0, 0] == pytest.approx(0.5 / (1 - 0.25)), "1 in rounds 2, 4, 6, …"
    scheduled = CLOCK.replace("every = 2", "in_rounds = [3]")
    solution = sim.solve(compile_game(loads(scheduled, "clock.toml")), "markov_perfect")
    assert solution.values[0, 0] == pytest.approx(0.25), "once, in round 3"


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ("discount = 0.5", "discount = 1", "outside-range"),
        ("each_round = 0", 'each_round = "round"', "unknown-name"),
        ("each_round = 0", 'each_round = 0\n[outcomes]\nlast = "final(x)"', "path-operator"),
        ('horizon = "infinite"', 'horizon = "endless"', "wrong-type"),
    ],
)
def test_mistakes_teach(old, new, kind):
    assert CLOCK.count(old) == 1
    with pytest.raises(ScenarioError) as caught:
        compile_game(loads(CLOCK.replace(old, new), "clock.toml"))
    assert kind in {problem.kind for problem in caught.value.problems}, str(caught.value)


def test_a_time_limit_ends_with_its_name_and_a_watcher_is_told():
    from sim.solve.watch import watched

    told = []
    with watched(lambda done, total: told.append((done, total))):
        stopped = sim.solve(drawn(0, states=6, actions=3), "markov_perfect", method="branch", time_limit=1e-9)
    assert told
    assert all(0 <= done <= total for done, total in told)
    assert stopped.status.name == "TIME_LIMIT"
    with pytest.raises(NoAnswerError, match="time limit"):
        stopped.require()


def test_what_was_found_before_an_interruption_is_kept(monkeypatch):
    from sim.solve import markov_perfect

    calls = []
    honest = markov_perfect.settle

    def interrupted(*given):
        calls.append(given)
        if len(calls) > 1:
            raise KeyboardInterrupt
        return honest(*given)

    monkeypatch.setattr(markov_perfect, "settle", interrupted)
    solution = sim.solve(drawn(0), "markov_perfect", starts=5)
    assert solution.status.certified
    assert len(calls) == 2


def test_finite_concepts_are_refused():
    with pytest.raises(OptionError, match="infinite horizon"):
        sim.solve(drawn(0), "subgame_perfect")
    with pytest.raises(OptionError, match="finite game"):
        sim.solve(sim.compile(sim.load(sim.template())), "markov_perfect")
