"""Players that choose at once: the expansion against an interpreter, stages against their laws, and printed games as scenarios."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from naive import Uniform

import sim
from sim.construct.compile import compile as compile_game
from sim.construct.gambit import tree_size
from sim.errors import OptionError, ScenarioError
from sim.game.graph import SIMULTANEOUS
from sim.game.referee import measure, node_values
from sim.scenario.load import loads
from sim.solve.registry import concepts_for
from sim.solve.replies import uniform_play
from sim.solve.stages import independent, marginals, stages_of
from sim.testing import affine, scenarios

RULES = (
    "payoff_dominant",
    "risk_dominant",
    "linear_tracing",
    "logit_limit",
    "public",
    "first",
    "best_for:a",
    "worst_for:b",
)

GAME = """
title = "a stage"
[players.row]
[players.column]
[assumptions.bonus]
value = 0
range = [-9, 9]
[state.done]
range = [0, 9]
start = 0
combine = "add"
[[turns]]
simultaneous = ["row", "column"]
[moves.one]
player = ["row", "column"]
[moves.two]
player = ["row", "column"]
effects = {{ done = "done + (3 if mover == row else 1)" }}
[payoffs.row]
each_round = "{row} + bonus"
[payoffs.column]
each_round = "{column}"
[outcomes]
where = "final(done)"
both = "played(two, row) and played(two, column)"
[[history]]
round = 1
player = "row"
move = "two"
[[history]]
round = 1
player = "column"
move = "one"
"""


def stage(a, b, **settings_):
    """A 2 x 2 game as a scenario: state 0, 1, 3, 4 after (first, first), (first, second), (second, first), (second, second)."""
    tables = [
        f"{t[0][0]} * (done == 0) + {t[0][1]} * (done == 1) + {t[1][0]} * (done == 3) + {t[1][1]} * (done == 4)"
        for t in (a, b)
    ]
    return compile_game(loads(GAME.format(row=tables[0], column=tables[1]), "stage.toml"), settings_)


CHICKEN = ([[3, 2], [4, 1]], [[3, 4], [2, 1]])
STAG = ([[10, 1], [8, 5]], [[10, 8], [1, 5]])
PENNIES = ([[1, -1], [-1, 1]], [[-1, 1], [1, -1]])


@settings(max_examples=60, deadline=None)
@given(scenarios(together=True))
def test_joint_moves_do_what_an_interpreter_says(scenario):
    """Uniform play on the graph against a walk that combines effects, payments and outcomes one by one."""
    game = compile_game(scenario)
    assert game.graph.simultaneous
    assume(tree_size(game) <= 3000)
    second = Uniform(scenario)
    value, _ = node_values(game, uniform_play(game))
    np.testing.assert_allclose(
        value[game.graph.roots[0]], second.value(second.start()), rtol=1e-9, atol=1e-9 * game.numbers.span.max()
    )
    assert second.visited > 0


SHIPPED = [
    file
    for file in sorted((Path(__file__).parent.parent.parent / "scenarios").glob("*.toml"))
    if "simultaneous = [" in file.read_text(encoding="utf-8")
]


def test_some_shipped_scenarios_choose_at_once():
    assert len(SHIPPED) >= 3


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_shipped_joint_moves_do_what_an_interpreter_says(file):
    scenario = sim.load(file)
    game = compile_game(scenario, rounds=3, unrolled=True)
    second = Uniform(scenario, rounds=3)
    value, _ = node_values(game, uniform_play(game))
    np.testing.assert_allclose(value[game.graph.roots[0]], second.value(second.start()), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_gives_a_certified_equilibrium(rule):
    @settings(max_examples=12, deadline=None)
    @given(scenarios(together=True))
    def hold(scenario):
        solution = sim.solve(compile_game(scenario), "subgame_perfect", selection=rule)
        assert solution.status.certified
        measures = solution.certificate.measures
        assert rule == "public" or measures.dependence.max() <= 1e-12
        assert (solution.stages["undecided"] <= solution.stages["multiple"]).all()
        assert sim.play(solution).mass[0] == 1.0

    hold()


@settings(max_examples=20, deadline=None)
@given(scenarios(together=True), st.sampled_from([0.0, 0.5, 3.0, 50.0]))
def test_logit_stages_are_certified_and_independent(scenario, precision):
    game = compile_game(scenario)
    solution = sim.solve(game, "quantal_response", precision=precision)
    assert solution.status.certified
    np.testing.assert_array_equal(independent(game, solution.profile).shape, solution.profile.shape)
    np.testing.assert_allclose(independent(game, solution.profile), solution.profile, atol=1e-12)
    if precision == 0:
        even = uniform_play(game)
        chance = game.graph.layer_player[game.graph.node_layer()][game.graph.edge_source()] == -1
        np.testing.assert_allclose(solution.profile[:, ~chance], even[:, ~chance], atol=1e-12)


@settings(max_examples=15, deadline=None)
@given(scenarios(together=True), st.sampled_from([0.5, 4.0]))
def test_units_of_payoff_change_no_equilibrium(scenario, scale):
    game = compile_game(scenario)
    other = affine(game, 0, scale, 0.0)  # a shift would pay for each round, and rounds may be cut short
    for rule in ("first", "logit_limit"):
        one, two = (sim.solve(each, "subgame_perfect", selection=rule) for each in (game, other))
        assert one.status.certified
        assert two.status.certified
        assert one.stages["multiple"].tolist() == two.stages["multiple"].tolist()


def test_a_batch_equals_its_variants():
    game = stage(*CHICKEN, bonus=[-1.0, 0.0, 4.0])
    for name, options in (
        ("subgame_perfect", {"selection": "logit_limit"}),
        ("quantal_response", {"precision": [0.5, 2.0, 9.0]}),
        ("level_k", {"level": 2}),
        ("cognitive_hierarchy", {}),
    ):
        batch = sim.solve(game, name, **options)
        assert batch.status.certified
        for v in range(3):
            own = {key: value[v] if isinstance(value, list) else value for key, value in options.items()}
            alone = sim.solve(game.take(slice(v, v + 1)), name, **own)
            np.testing.assert_allclose(batch.profile[v], alone.profile[0], atol=1e-12)


@pytest.mark.parametrize(
    ("tables", "rule", "joint"),
    [
        (STAG, "payoff_dominant", [1, 0, 0, 0]),
        (STAG, "risk_dominant", [0, 0, 0, 1]),
        (STAG, "linear_tracing", [0, 0, 0, 1]),
        (STAG, "logit_limit", [0, 0, 0, 1]),
        (CHICKEN, "best_for:row", [0, 0, 1, 0]),
        (CHICKEN, "worst_for:row", [0, 1, 0, 0]),
        (CHICKEN, "payoff_dominant", [0.25, 0.25, 0.25, 0.25]),
        (CHICKEN, "public", [1 / 12, 5 / 12, 5 / 12, 1 / 12]),
        (PENNIES, "first", [0.25, 0.25, 0.25, 0.25]),
    ],
)
def test_rules_choose_the_printed_equilibria(tables, rule, joint):
    """Stag hunt: hunting is payoff dominant, hare risk dominant; chicken: the mixed one where no rule but the logit limit decides."""
    solution = sim.solve(stage(*tables), "subgame_perfect", selection=rule)
    assert solution.status.certified
    np.testing.assert_allclose(solution.profile[0, :4], joint, atol=1e-9)
    assert solution.stages["multiple"].tolist() == [0 if tables is PENNIES else 1]


def test_the_principal_branch_of_the_stag_hunt():
    """The numbers of sgamesolver's documentation and of an own bisection (see tests/replication)."""
    for precision, p in ((0.1, 0.47062807), (0.5, 0.19584605), (1.0, 0.02026448), (2.0, 0.00033671)):
        solution = sim.solve(stage(*STAG), "quantal_response", precision=precision)
        own = marginals(solution.profile[:, :4], (2, 2))
        assert own[0][0, 0] == pytest.approx(p, abs=1e-7)
        assert own[1][0, 0] == pytest.approx(p, abs=1e-7)
        assert solution.singular[0] > 0


def test_records_of_one_turn_stand_side_by_side():
    from sim.analysis.replay import replay

    solution = sim.solve(stage(*CHICKEN), "quantal_response", precision=1.0)
    found = replay(solution)
    assert [step.record.player for step in found.steps] == ["row", "column"]
    own = marginals(solution.profile[:, :4], (2, 2))
    assert found.steps[0].probability == pytest.approx(own[0][0, 1])
    assert found.steps[1].probability == pytest.approx(own[1][0, 0])
    assert found.paths().outcome("where")[0] == pytest.approx(3.0)


def test_a_forced_record_leaves_the_other_player_alone():
    from sim.analysis.replay import replay

    solution = sim.solve(stage([[0, 0], [-9, -9]], CHICKEN[1]), "subgame_perfect")
    found = replay(solution)
    assert found.steps[0].forced


def test_a_broken_joint_profile_is_not_certified():
    """See the referee fail: a profitable deviation, and choices that depend on each other without a draw."""
    game = stage(*CHICKEN)
    peace = np.zeros((1, game.graph.edge_count))
    peace[0, 0] = 1.0
    assert measure(game, peace).max_gain[0] > 0.1
    drawn = np.zeros_like(peace)
    drawn[0, [1, 2]] = 0.5
    found = measure(game, drawn)
    assert found.max_gain[0] <= 1e-12, "a correlated equilibrium"
    assert found.dependence[0] == pytest.approx(0.25)


def test_stages_are_strategic_games():
    solution = sim.solve(stage(*STAG), "subgame_perfect")
    (one,) = stages_of(solution.game, solution.profile)
    np.testing.assert_allclose(one.tensor(0)[0], STAG[0])
    np.testing.assert_allclose(one.tensor(1)[0], STAG[1])


def test_every_concept_takes_simultaneous_turns():
    game = stage(*STAG)
    assert (game.graph.layer_player == SIMULTANEOUS).any()
    assert len(concepts_for(game)) >= 4
    for name in concepts_for(game):
        solution = sim.solve(game, name)
        assert solution.status.certified
        assert 0 <= sim.play(solution).outcome("both")[0] <= 1


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ('combine = "add"\n', "", "clash"),
        ("[moves.one]", "forbid_ = 1\n[moves.one]", "unknown-key"),
        ('simultaneous = ["row", "column"]', 'simultaneous = ["row", "colum"]', "unknown-name"),
        ('simultaneous = ["row", "column"]', 'simultaneous = ["row", "row"]', "duplicate-id"),
        ('simultaneous = ["row", "column"]', 'simultaneous = ["row", "column"]\nplayer = "row"', "bad-turn"),
        ('simultaneous = ["row", "column"]', 'simultaneous = ["row"]', "wrong-type"),
        ('title = "a stage"', 'title = "a stage"\nforbid = ["done == 4"]', "forbidden"),
    ],
)
def test_mistakes_teach(old, new, kind):
    text = GAME.format(row="done", column="done")
    assert text.count(old) >= 1
    with pytest.raises(ScenarioError) as caught:
        compile_game(loads(text.replace(old, new, 1), "stage.toml"))
    assert kind in {problem.kind for problem in caught.value.problems}, str(caught.value)


def test_what_is_forbidden_whatever_the_others_do_is_not_available():
    text = GAME.format(row="done", column="done").replace(
        'title = "a stage"', 'title = "a stage"\nforbid = ["done >= 3"]'
    )
    game = compile_game(loads(text, "stage.toml"))
    assert game.graph.node_shape[0].tolist() == [1, 2]


def test_moves_at_once_have_no_effect_of_their_own():
    from sim.analysis.moves import moves_at

    with pytest.raises(OptionError, match="sim stages"):
        moves_at(sim.solve(stage(*STAG)))
