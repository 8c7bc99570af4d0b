"""Bounded reasoning: levels climb to subgame perfection, and the referee recomputes every step."""

import numpy as np
import pytest
from hypothesis import given, settings

import sim
from sim.errors import OptionError
from sim.game.referee import measure, measure_replies
from sim.scenario.load import loads
from sim.solve.cognitive_hierarchy import poisson
from sim.solve.replies import best_replies, uniform_play
from sim.testing import games


@settings(max_examples=25)
@given(games())
def test_enough_levels_are_subgame_perfection(game):
    """A node with d decisions at most below it plays its subgame-perfect action from level d + 1 on."""
    deep = sum(int(mover) >= 0 for mover in game.graph.layer_player)
    found = sim.solve(game, "level_k", level=deep)
    np.testing.assert_array_equal(found.profile, sim.solve(game, "subgame_perfect", ties="uniform").profile)


@settings(max_examples=25)
@given(games())
def test_level_zero_is_uniform_and_every_level_is_certified(game):
    assert (
        sim.solve(game, "level_k", level=0).profile == sim.solve(game, "quantal_response", precision=0.0).profile
    ).all()
    for level in (1, 2, 3):
        solution = sim.solve(game, "level_k", level=level)
        assert solution.status.certified
        assert solution.certificate.measures.residual[0] <= 1e-12


@settings(max_examples=25)
@given(games())
def test_the_hierarchy_is_the_mixture_of_its_levels(game):
    """Recomputed from scratch: each level replies to the normalised mixture of those below."""
    weights = poisson(1.2)
    levels = [uniform_play(game)]
    for k in range(1, len(weights)):
        below = sum(weights[j] * levels[j] for j in range(k)) / weights[:k].sum()
        levels.append(best_replies(game, below))
    mixed = sum(weight * level for weight, level in zip(weights, levels, strict=True))
    solution = sim.solve(game, "cognitive_hierarchy", tau=1.2)
    players = game.graph.edge_weight > 0
    np.testing.assert_allclose(solution.profile[:, players], mixed[:, players], atol=1e-12)
    assert (sim.solve(game, "cognitive_hierarchy", tau=0.0).profile[:, players] == levels[0][:, players]).all()


def test_levels_of_the_centipede_by_hand(root):
    """Six moves; level 0 takes half the time. Against it, passing pays until the last move; each level unravels one move more."""
    game = sim.compile(sim.load(root / "scenarios" / "centipede_6.toml"))
    graph = game.graph
    takers = []
    for level in range(7):
        solution = sim.solve(game, "level_k", level=level)
        node, taken = int(graph.roots[0]), []
        while len(graph.edges_of(node)):
            edges = {graph.labels[graph.edge_label[edge]].move: edge for edge in graph.edges_of(node)}
            taken.append(float(solution.profile[0, edges["take"]]))
            node = int(graph.edge_dst[edges["pass_on"]])
        takers.append(taken)
    assert takers[0] == [0.5] * 6
    assert takers[1] == [0, 0, 0, 0, 0, 1]
    assert takers[2] == [0, 0, 0, 0, 1, 1]
    assert takers[6] == [1] * 6


def test_the_beauty_contest():
    """Ho, Camerer & Weigelt (1998) with p = 0.7 and Camerer, Ho & Chong's (2004) mean level 1.5: choices 50, 35, …, mean 34.97446."""
    weights = poisson(1.5)
    choices = [50.0]
    for k in range(1, len(weights)):
        choices.append(0.7 * float(weights[:k] @ choices) / float(weights[:k].sum()))
    assert choices[:2] == [50.0, 35.0]
    assert float(weights @ choices) == pytest.approx(34.97446, abs=1e-4)
    scenario = loads(CONTEST.format(options=", ".join(map(str, range(101)))), "contest.toml")
    game = sim.compile(scenario)
    means = []
    for level in (1, 2, 3):
        found = sim.solve(game, "level_k", level=level)
        assert found.status.certified
        means.append(float(sim.play(found).outcome("one")[0]))
    assert means == [35.0, pytest.approx(24.5, abs=0.5), pytest.approx(17.15, abs=0.5)]
    mixed = sim.solve(game, "cognitive_hierarchy", tau=1.5)
    assert mixed.status.certified
    assert float(sim.play(mixed).outcome("one")[0]) == pytest.approx(34.97446, abs=0.3)


CONTEST = """
title = "guess 0.7 of the other's number"
[players.a]
[players.b]
[state.x]
range = [0, 100]
start = 0
[state.y]
range = [0, 100]
start = 0
[[turns]]
simultaneous = ["a", "b"]
[moves.say]
player = "a"
choose = {{ x = [{options}] }}
[moves.tell]
player = "b"
choose = {{ y = [{options}] }}
[payoffs.a]
each_round = "-(x - 0.7 * y) ** 2"
[payoffs.b]
each_round = "-(y - 0.7 * x) ** 2"
[outcomes]
one = "sum_over(x)"
"""


def test_the_referee_refuses_a_wrong_reply():
    game = sim.compile(sim.load(sim.template()))
    base = uniform_play(game)
    reply = best_replies(game, base)
    worst = np.where(reply > 0, 0.0, 1.0) * (game.graph.edge_weight > 0)
    source = game.graph.edge_source()
    total = np.bincount(source, weights=worst[0], minlength=game.graph.node_count)[source]
    worst = np.where(total > 0, worst / np.where(total > 0, total, 1), reply)
    found = measure_replies(game, [(base, worst)], measure(game, base))
    assert found.residual[0] > 1e-3
    assert measure_replies(game, [(base, reply / 2)], measure(game, base)).distribution_error[0] == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("level_k", {"level": -1}),
        ("level_k", {"level": 1.5}),
        ("cognitive_hierarchy", {"tau": -1.0}),
        ("cognitive_hierarchy", {"tau": float("nan")}),
    ],
)
def test_bad_levels_teach(name, options):
    with pytest.raises(OptionError, match="expected a"):
        sim.solve(sim.compile(sim.load(sim.template())), name, **options)
