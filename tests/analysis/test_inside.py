"""What lies inside a solution: reasons, commitment, bounds, stages, limited foresight; and the broken solver that the referee refuses."""

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import sim
from sim.analysis.bounds import bounds
from sim.analysis.choices import choices_at, choosers
from sim.analysis.commitment import commit, leader, restricted
from sim.analysis.reasons import reasons
from sim.analysis.stages import list_stages, stage_at
from sim.construct.compile import compile as compile_game
from sim.errors import NoAnswerError, OptionError
from sim.game.graph import SIMULTANEOUS
from sim.scenario.load import loads
from sim.solve import contract
from sim.solve.registry import CONCEPTS, concepts_for, judged
from sim.testing import games, scenarios

TESTS = Path(__file__).parent.parent


@settings(max_examples=40, deadline=None)
@given(scenarios(together=True))
def test_own_choices_sum_up_joint_ones(scenario):
    game = compile_game(scenario)
    solution = sim.solve(game, "quantal_response", precision=0.7)
    value, arrival = solution.node_values()
    seen = 0
    for layer in range(game.graph.layer_count):
        for node in range(game.graph.nodes(layer).start, game.graph.nodes(layer).stop):
            for player in choosers(game.graph, layer):
                own = choices_at(solution, node, player, arrival=arrival)
                assert own.probability.sum() == pytest.approx(1.0)
                np.testing.assert_allclose(own.probability @ own.values, value[node], rtol=1e-9, atol=1e-9)
                seen += 1
    assert seen > 1


@settings(max_examples=25, deadline=None)
@given(games())
def test_reasons_hold_when_they_are_put_to_the_test(game):
    """The slack is the difference of action values; the pinned replies alone keep the other move no better, and none can be spared."""
    from sim.analysis.reasons import _Seeker

    solution = sim.solve(game, "subgame_perfect", ties="first")
    found = reasons(solution)
    node = next(
        n
        for n in range(game.graph.node_count)
        if len(game.graph.edges_of(n)) and game.graph.layer_player[game.graph.layer_of(n)] >= 0
    )
    if node != 0:  # the first decision comes after chance
        return
    q = solution.action_values(node)[:, game.graph.players.index(found.player)]
    assert found.slack == pytest.approx(np.sort(q.max() - q)[1] if len(q) > 1 else np.inf)
    assert found.slack >= 0
    seeker = _Seeker(solution, game.graph.players.index(found.player))
    tie = 1e-9 * float(game.numbers.span[0].max())
    for other in found.others:
        edge = next(
            e for e in game.graph.edges_of(node) if game.graph.labels[game.graph.edge_label[e]].text == other.action
        )
        everything = np.ones(game.graph.node_count, dtype=bool)
        everything[seeker.kinds == seeker.player] = False
        assert seeker.worth(edge, seeker.hope(everything)[0]) <= q.max() + tie, "all replies together deter"
        assert other.pins is not None
        assert (len(other.pins) == 0) == (other.hoped <= tie)


def test_the_reply_that_sustains_peace_is_named():
    """A challenger who holds because the defender would resist: one reply explains it (the template's game)."""
    game = sim.compile(sim.load(sim.template()))
    found = reasons(sim.solve(game))
    assert found.action == "hold"
    (other,) = found.others
    assert other.action == "push"
    assert other.follows[0][2] == "resist"
    assert [pin.reply for pin in other.pins] == ["resist"]
    q = sim.solve(game).action_values(0)[:, 0]
    assert found.slack == pytest.approx(q[1] - q[0])


@settings(max_examples=30, deadline=None)
@given(games(), st.data())
def test_being_bound_restricts_and_is_solved_again(game, data):
    solution = sim.solve(game, "subgame_perfect")
    player = data.draw(st.sampled_from(game.graph.players))
    found = commit(solution, f"hold_{player}")
    graph = found.bound.game.graph
    labels = [graph.labels[k] for k in graph.edge_label]
    assert not any(label.player == player and label.move != f"hold_{player}" for label in labels)
    assert found.nodes > 0
    assert found.bound.status.certified
    assert sim.play(found.bound).outcomes().keys() == sim.play(solution).outcomes().keys()


@settings(max_examples=20, deadline=None)
@given(games())
def test_restricting_nothing_changes_nothing(game):
    same = restricted(game, np.ones(game.graph.edge_count, dtype=bool))
    one, two = sim.solve(game), sim.solve(same)
    np.testing.assert_array_equal(one.profile, two.profile)


def test_being_bound_without_end():
    """In the rivalry without end a side bound to press is never seen to conciliate, and probabilities stay probabilities."""
    rivalry = sim.load(TESTS.parent / "scenarios" / "enduring_rivalry.toml")
    found = commit(sim.solve(sim.compile(rivalry), "markov_perfect"), "press", "east")
    paths = sim.play(found.bound)
    assert 0 <= paths.outcome("war")[0] <= 1
    np.testing.assert_allclose(paths.trajectory()[0].sum(axis=1), 1.0)
    pressed = [paths.game.graph.labels[k].plays("press", "east") for k in paths.game.graph.edge_label]
    mover = paths.game.graph.layer_player[paths.game.graph.node_layer()][paths.game.graph.edge_source()]
    assert paths.profile[0, (mover == SIMULTANEOUS) & ~np.array(pressed)].max() == 0.0


def test_leaders_of_printed_games():
    """Chicken: the leader stands firm; a game of Conitzer & Sandholm (2006): a mixed announcement is worth 3.5 against 2 in equilibrium."""
    chicken = leader([[3, 2], [4, 1]], [[3, 4], [2, 1]])
    assert chicken.values == (4.0, 2.0)
    assert chicken.strategy.tolist() == [0.0, 1.0]
    mixed = leader([[2, 4], [1, 3]], [[1, 0], [0, 1]])
    assert mixed.values == (pytest.approx(3.5), pytest.approx(0.5))
    with pytest.raises(OptionError, match="shape"):
        leader([1, 2], [1, 2])


@settings(max_examples=60)
@given(st.integers(2, 4), st.integers(2, 4), st.integers(0, 10**6))
def test_a_leader_earns_at_least_every_equilibrium(m, n, seed):
    rng = np.random.default_rng(seed)
    a, b = rng.integers(-3, 4, (2, m, n)).astype(float)
    found = leader(a, b)
    equilibria = sim.equilibria(a, b)
    assert equilibria
    assert found.values[0] >= max(one.values[0] for one in equilibria) - 1e-7


TIED = """
title = "ties"
[players.a]
[players.b]
[state.x]
range = [0, 3]
start = 0
[[turns]]
player = "a"
[[turns]]
player = "b"
[moves.left]
player = ["a", "b"]
[moves.right]
player = ["a", "b"]
effects = { x = "x + (2 if mover == a else 1)" }
[payoffs.a]
each_round = "x"
[payoffs.b]
each_round = 0
[outcomes]
last = "final(x)"
"""


def test_bounds_cover_every_tie():
    """The second mover is indifferent: 2 x 2 ways, with a's best reply to each; a can end between 2 and 3, and the uniform rule between."""
    found = bounds(sim.solve(compile_game(loads(TIED, "ties.toml"))))
    assert found.count == 4
    assert found.complete
    assert found.values["a"] == (2.0, 2.5, 3.0)
    assert found.outcomes["last"] == (2.0, 2.5, 3.0)
    cut = bounds(sim.solve(compile_game(loads(TIED, "ties.toml"))), limit=2)
    assert (cut.count, cut.complete) == (2, False)


@settings(max_examples=20, deadline=None)
@given(scenarios(together=True))
def test_bounds_contain_what_any_rule_selects(scenario):
    game = compile_game(scenario)
    assume(game.graph.node_count < 60)
    found = bounds(sim.solve(game, "subgame_perfect", ties="first", selection="first"), limit=300)
    assume(found.complete)
    for ties, selection in itertools.product(
        ("first", "most_escalatory"), ("best_for:a", "worst_for:b", "logit_limit")
    ):
        other = sim.solve(game, "subgame_perfect", ties=ties, selection=selection)
        for i, name in enumerate(game.graph.players):
            low, _, high = found.values[name]
            slack = 1e-6 * game.numbers.span[0, i]
            assert low - slack <= other.values[0, i] <= high + slack


def test_bounds_are_for_subgame_perfection():
    game = sim.compile(sim.load(sim.template()))
    with pytest.raises(OptionError, match="subgame_perfect"):
        bounds(sim.solve(game, "level_k"))


def test_stages_are_listed_and_shown():
    solution = sim.solve(compile_game(sim.load(TESTS / "solve" / "stag_hunt_twice.toml")))
    found = list_stages(solution)
    assert len(found) == int((solution.game.graph.layer_player[solution.game.graph.node_layer()] == SIMULTANEOUS).sum())
    several = list_stages(solution, several=True)
    assert len(several) == solution.stages["multiple"][0] > 0
    first = stage_at(solution)
    assert first.actions == (("stag", "hare"), ("stag", "hare"))
    assert len(first.equilibria) == 3
    assert all(one.max_regret <= 1e-8 for one in first.equilibria)
    np.testing.assert_allclose(first.payoffs[0, 0, 0], 4.0)


@settings(max_examples=30, deadline=None)
@given(games())
def test_foresight_beyond_the_end_is_subgame_perfection(game):
    rounds = int(game.graph.layer_round.max())
    far = sim.solve(game, "limited_foresight", ahead=rounds)
    assert far.status.certified
    np.testing.assert_array_equal(far.profile, sim.solve(game, "subgame_perfect").profile)
    near = sim.solve(game, "limited_foresight", ahead=1)
    assert near.status.certified


def test_short_sight_takes_what_the_far_sighted_leave():
    """A trap: 1 now and -10 in every later round, against 0 for ever."""
    game = compile_game(sim.load(TESTS / "trap.toml"))
    grabs = [sim.solve(game, "limited_foresight", ahead=ahead).profile[0, 1] for ahead in (1, 2, 3)]
    assert grabs == [1.0, 0.0, 0.0]


@pytest.mark.parametrize("wrong", ["the plan", "what is carried out"])
def test_a_bad_plan_is_not_certified(wrong, monkeypatch):
    """Plans that are distributions, but not best: and a good plan that is not carried out."""
    from sim.solve import limited_foresight

    game = sim.compile(sim.load(sim.template()))
    assert sim.solve(game, "limited_foresight").status.certified
    honest = limited_foresight.solve

    def broken(given, options):
        answer = honest(given, options)
        assert answer.plans
        turned = answer.profile.copy()
        turned[:, :2] = turned[:, 1::-1]  # the first mover does the other thing
        plans = tuple(
            contract.Plan(game=plan.game, profile=turned if wrong == "the plan" else plan.profile, edges=plan.edges)
            for plan in answer.plans
        )
        return contract.Answer(profile=turned, plans=plans)

    monkeypatch.setattr(limited_foresight, "solve", broken)
    found = sim.solve(game, "limited_foresight")
    assert not found.status.certified
    assert found.certificate.measures.distribution_error[0] <= 1e-12
    assert found.certificate.measures.residual[0] > 1e-3


@pytest.mark.parametrize("ahead", [0, -1, 2.5])
def test_foresight_is_a_number_of_rounds(ahead):
    with pytest.raises(OptionError, match="ahead"):
        sim.solve(sim.compile(sim.load(sim.template())), "limited_foresight", ahead=ahead)


# -- a solver that is broken on purpose -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", list(CONCEPTS))
def test_a_broken_solver_fails_the_conformance_of_every_concept(name, monkeypatch):
    """Each concept's own solver is replaced by one that answers wrongly: nothing of it is certified, and it cannot be played."""
    import importlib

    text = sim.template().read_text(encoding="utf-8")
    game = sim.compile(loads(text, "template.toml"))
    if name not in concepts_for(game):
        from sim.game.stationary import stationary_game

        game = stationary_game([[[1.0], [0.0]]], [[[0], [0]]], [[[1.0], [1.0]]], 0.5, movers=[0])
    if CONCEPTS[name].types == "private":
        game = sim.compile(sim.load(TESTS.parent / "scenarios" / "entry_deterrence.toml"))
    if CONCEPTS[name].types == "number":
        game = sim.compile(sim.load(TESTS.parent / "scenarios" / "crisis_signalling.toml"))
    right = sim.solve(game, name)
    assert right.status.certified
    module = importlib.import_module(CONCEPTS[name].module)
    honest = module.solve

    def wrong(given, options):
        answer = honest(given, options)
        replies = tuple((belief, np.zeros_like(reply)) for belief, reply in answer.replies)
        plans = tuple(
            contract.Plan(game=plan.game, profile=np.zeros_like(plan.profile), edges=plan.edges)
            for plan in answer.plans
        )
        worst = np.zeros_like(answer.profile)
        worst[:, -1:] = 2.0
        assessment = answer.assessment
        if assessment is not None:  # everybody surely takes the last action, whatever is believed
            turned = np.roll(assessment.profile, 1, axis=2)
            assessment = replace(assessment, profile=turned)
        return contract.Answer(
            profile=worst,
            precision=answer.precision,
            replies=replies,
            plans=plans,
            guess=answer.guess,
            assessment=assessment,
        )

    monkeypatch.setattr(module, "solve", wrong)
    broken = sim.solve(game, name)
    assert not broken.status.certified
    with pytest.raises(NoAnswerError, match="no certified answer"):
        broken.require()


def test_a_profile_from_elsewhere_is_measured_all_the_same():
    game = sim.compile(sim.load(sim.template()))
    assert judged(game, "subgame_perfect", sim.solve(game).profile.copy()).status.certified
    wrong = np.where(sim.solve(game).profile > 0.5, 0.0, 1.0)
    assert not judged(game, "subgame_perfect", wrong).status.certified
