"""Laws of the solvers on random scenarios, and the second method on the unmerged tree."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from naive import Backward, Quantal

import sim
from sim.construct.compile import compile as compile_game
from sim.construct.compile import renumber
from sim.construct.gambit import tree_size
from sim.errors import OptionError
from sim.game.referee import measure
from sim.solve.registry import CONCEPTS, LATER, concept, concepts_for
from sim.testing import INVARIANTS, affine, games, profiles, scenarios, security_levels, settings_of


@pytest.mark.parametrize("name", list(INVARIANTS))
def test_invariants_hold_on_random_scenarios(name):
    @settings(max_examples=25)
    @given(games())
    def hold(game):
        INVARIANTS[name](game)

    hold()


@settings(max_examples=40)
@given(scenarios())
def test_merging_states_changes_no_value(scenario):
    """The graph against the unmerged tree, walked by an interpreter that knows neither codes nor layers."""
    game = compile_game(scenario)
    assume(tree_size(game) <= 3000)
    span = game.numbers.span[0]
    for found, second in (
        (sim.solve(game, "subgame_perfect", ties="uniform"), Backward(scenario, spans=span)),
        (sim.solve(game, "quantal_response", precision=1.0), Quantal(scenario)),
    ):
        np.testing.assert_allclose(found.values[0], second.value(second.start()), rtol=1e-9, atol=1e-9 * span.max())
        assert second.visited > 0


@settings(max_examples=30)
@given(scenarios(), st.data())
def test_a_batch_equals_its_variants_one_by_one(scenario, data):
    drawn = [data.draw(settings_of(scenario)) for _ in range(3)]
    base = {name: float(values[0]) for name, values in compile_game(scenario).assumptions.items()}
    rows = [{**base, **one, "k": base["k"]} for one in drawn]  # k shapes the graph
    batch = compile_game(scenario, {name: [row[name] for row in rows] for name in base})
    assert batch.variants == len(rows)
    precision = np.array([0.5, 2.0, 0.0])
    together = sim.solve(batch, "subgame_perfect"), sim.solve(batch, "quantal_response", precision=precision)
    for v, row in enumerate(rows):
        alone = compile_game(scenario, row)
        np.testing.assert_array_equal(together[0].profile[v], sim.solve(alone, "subgame_perfect").profile[0])
        np.testing.assert_array_equal(
            together[1].profile[v], sim.solve(alone, "quantal_response", precision=float(precision[v])).profile[0]
        )
        assert together[0].values[v].tolist() == sim.solve(alone, "subgame_perfect").values[0].tolist()


@settings(max_examples=25)
@given(games(), st.integers(0, 2**32))
def test_variants_abreast_are_measured_as_one_by_one(game, seed):
    """Nine variants fill one row of lanes and begin another; sound, negative and lost probabilities among them."""
    weights = np.random.default_rng(seed).exponential(size=(9, game.graph.edge_count))
    weights[weights < 0.5] = 0.0
    source = game.graph.edge_source()
    several = np.stack([row / np.maximum(np.bincount(source, row), 1e-300)[source] for row in weights])
    first = next(game.graph.edges(k).start for k, mover in enumerate(game.graph.layer_player) if mover >= 0)
    several[3, first] = -0.5
    several[6, first] += 0.25
    precision = np.linspace(0.0, 3.0, 9)[:, None] * np.ones(len(game.graph.players))
    together = measure(game.repeat(9), several, precision)
    assert together.max_gain.shape == (9,)
    for v in range(9):
        alone = measure(game, several[[v]], precision[[v]])
        sound = ("values", "max_gain", "tied_nodes", "tied_on_path", "residual") if v != 3 else ()
        for name in ("distribution_error", *sound):  # what a negative probability is worth means nothing
            np.testing.assert_array_equal(getattr(together, name)[v], getattr(alone, name)[0], err_msg=name)
    assert together.distribution_error[3] == np.inf
    assert together.distribution_error[6] > 0.2


@settings(max_examples=15)
@given(games())
def test_tie_rules_are_the_same_abreast(game):
    for rule in ("first", "uniform", "least_escalatory", "most_escalatory"):
        together = sim.solve(game.repeat(9), "subgame_perfect", ties=rule).profile
        alone = sim.solve(game, "subgame_perfect", ties=rule).profile
        np.testing.assert_array_equal(together, np.repeat(alone, 9, axis=0))


@settings(max_examples=30)
@given(games(), st.data())
def test_no_random_profile_fools_the_referee(game, data):
    """A profile's gain is what an independent best reply at one node, recomputed from action values, can add."""
    profile = data.draw(profiles(game))
    found = measure(game, profile)
    solution = sim.solve(game, "subgame_perfect")
    assert solution.certificate.measures.max_gain[0] <= 1e-8
    assert found.distribution_error[0] < 1e-12
    worst = 0.0
    graph = game.graph
    from sim.game.referee import node_values

    value, arrival = node_values(game, profile)
    for layer in range(graph.layer_count):
        mover = int(graph.layer_player[layer])
        if mover < 0:
            continue
        for node in range(graph.nodes(layer).start, graph.nodes(layer).stop):
            edges = np.asarray(graph.edges_of(node))
            q = game.numbers.pay[0, graph.edge_pay[edges], mover] + arrival[graph.edge_dst[edges], mover]
            assert value[node, mover] == pytest.approx(float(profile[0, edges] @ q), abs=1e-9)
            worst = max(worst, float(q.max() - profile[0, edges] @ q) / game.numbers.span[0, mover])
    assert found.max_gain[0] == pytest.approx(worst, abs=1e-12)


def test_a_broken_profile_is_not_certified():
    """See the referee fail: play the worst action, and a distribution that sums to a half."""
    game = sim.compile(sim.load(sim.template()))
    solution = sim.solve(game, "subgame_perfect")
    flipped = np.where(solution.profile > 0.5, 0.0, 1.0)
    assert measure(game, flipped).max_gain[0] > 1e-3
    assert measure(game, solution.profile / 2).distribution_error[0] == pytest.approx(0.5)
    negative = solution.profile.copy()
    negative[0, :2] = (-1.0, 2.0)
    assert measure(game, negative).distribution_error[0] == np.inf


@settings(max_examples=25)
@given(games())
def test_precision_leads_from_uniform_play_to_best_replies(game):
    uniform = sim.solve(game, "quantal_response", precision=0.0)
    source = game.graph.edge_source()
    weight = game.graph.edge_weight
    total = np.bincount(source, weights=weight, minlength=game.graph.node_count)[source]
    decided = weight > 0
    np.testing.assert_allclose(
        uniform.profile[0, decided], (weight / np.where(total > 0, total, 1))[decided], rtol=1e-12
    )
    # payoffs of random scenarios are multiples of 1/2 times powers of rational factors, so distinct values are far apart
    sharp = sim.solve(game, "quantal_response", precision=1e7)
    best = sim.solve(game, "subgame_perfect", ties="uniform")
    np.testing.assert_allclose(sharp.values, best.values, atol=1e-3 * game.numbers.span.max())


@settings(max_examples=25)
@given(games())
def test_tie_rules_choose_among_best_actions(game):
    graph = game.graph
    for rule in ("first", "least_escalatory", "most_escalatory"):
        solution = sim.solve(game, "subgame_perfect", ties=rule)
        player = np.repeat(np.repeat(graph.layer_player, np.diff(graph.layer_start)), np.diff(graph.edge_start)) >= 0
        assert set(np.unique(solution.profile[0, player])) <= {0.0, 1.0}


TIED = """
title = "ties"
[players.a]
[state.rung]
ladder = ["calm", "tense", "war"]
start = "tense"
[[turns]]
player = "a"
[moves.stay]
player = "a"
[moves.down]
player = "a"
group = "g"
effects = { rung = "calm" }
[moves.up]
player = "a"
group = "g"
effects = { rung = "war" }
[moves.gamble]
player = "a"
outcomes = [{ label = "up", probability = 0.75, effects = { rung = "war" } }, { label = "down", probability = 0.25, effects = { rung = "calm" } }]
[payoffs.a]
each_round = 0
[outcomes]
end = "final(rung)"
"""


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("first", [1, 0, 0, 0]),
        ("least_escalatory", [0, 1, 0, 0]),
        ("most_escalatory", [0, 0, 1, 0]),
        ("uniform", [1 / 3, 1 / 6, 1 / 6, 1 / 3]),
    ],
)
def test_ties_are_found_and_resolved_by_the_named_rule(rule, expected):
    from sim.scenario.load import loads

    game = sim.compile(loads(TIED))
    solution = sim.solve(game, "subgame_perfect", ties=rule)
    np.testing.assert_allclose(solution.profile[0, :4], expected)
    assert solution.certificate.row()["tied_nodes"] == 1
    assert solution.certificate.row()["tied_on_path"] == 1
    if rule == "uniform":
        np.testing.assert_allclose(sim.solve(game, "quantal_response", precision=3.0).profile[0, :4], expected)


def test_the_expected_rung_of_a_gamble_decides_between_it_and_staying():
    from sim.scenario.load import loads

    text = TIED.replace('[moves.up]\nplayer = "a"\ngroup = "g"\neffects = { rung = "war" }\n', "").replace(
        '[moves.down]\nplayer = "a"\ngroup = "g"\neffects = { rung = "calm" }\n', ""
    )
    game = sim.compile(loads(text))
    # staying leads to rung 1, the gamble to 0.75 · 2 = 1.5
    np.testing.assert_allclose(sim.solve(game, "subgame_perfect", ties="most_escalatory").profile[0, :2], [0, 1])
    np.testing.assert_allclose(sim.solve(game, "subgame_perfect", ties="least_escalatory").profile[0, :2], [1, 0])


@settings(max_examples=20)
@given(games())
def test_security_levels_bind_nobody_from_below(game):
    value = sim.solve(game, "subgame_perfect").node_values()[0]
    assert len(game.graph.players) >= 2
    for i in range(len(game.graph.players)):
        assert (security_levels(game, i) <= value[:, i] + 1e-7 * game.numbers.span[0, i]).all()


def test_affine_changes_move_quantal_response_unless_precision_is_divided(root):
    """See the law fail when λ is left alone."""
    game = sim.compile(sim.load(root / "scenarios" / "centipede_4.toml"))
    base = sim.solve(game, "quantal_response", precision=1.0).profile
    other = affine(game, 0, 4.0, 0.0)
    assert np.abs(sim.solve(other, "quantal_response", precision=1.0).profile - base).max() > 0.01
    divided = sim.solve(other, "quantal_response", precision={"one": 0.25, "two": 1.0}).profile
    np.testing.assert_allclose(divided, base, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("subgame_perfekt", {}, "did you mean 'subgame_perfect'"),
        ("nash", {}, "not asked of a compiled game"),
        ("subgame_perfect", {"tie": "first"}, "did you mean 'ties'"),
        ("subgame_perfect", {"ties": "last"}, "first"),
        ("quantal_response", {"precision": -1.0}, "from 0"),
        ("quantal_response", {"precision": float("nan")}, "from 0"),
        ("quantal_response", {"precision": {"challenger": 1.0}}, "missing for defender"),
        ("quantal_response", {"precision": {"challenger": 1.0, "usa": 1.0}}, "not a player"),
        ("quantal_response", {"precision": [1.0, 2.0]}, "shape"),
    ],
)
def test_bad_options_teach(name, options, message):
    game = sim.compile(sim.load(sim.template()))
    with pytest.raises(OptionError, match=message):
        sim.solve(game, name, **options)


def test_every_later_concept_says_not_yet():
    assert LATER
    for name in LATER:
        assert name not in CONCEPTS
        with pytest.raises(OptionError, match="not built yet"):
            concept(name)


def test_threads_do_not_change_the_answer(monkeypatch, root):
    game = renumber(sim.compile(sim.load(root / "scenarios" / "brinkmanship.toml")), {})
    scenario = game.origin.scenario
    name = next(n for n, a in scenario.assumptions.items() if a.range and n not in game.origin.structure)
    low, high = scenario.assumptions[name].range
    batch = renumber(game, {name: np.linspace(low, high, 37)})
    profiles_found = []
    for threads in ("1", "2", "5"):
        monkeypatch.setenv("SIM_THREADS", threads)
        profiles_found.append([sim.solve(batch, concept).profile for concept in concepts_for(batch)])
        assert len(profiles_found[-1]) > 3
    for other in profiles_found[1:]:
        for a, b in zip(profiles_found[0], other, strict=True):
            np.testing.assert_array_equal(a, b)
