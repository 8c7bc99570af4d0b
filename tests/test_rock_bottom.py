"""The founding study: what theorems assert, and that what was expected is computed and reported."""

from pathlib import Path

import numpy as np
import pytest

import sim
from sim.analysis.check import check
from sim.analysis.moves import advantage, moves_at
from sim.analysis.replay import replay, situation
from sim.construct.compile import compile as compile_game
from sim.construct.compile import renumber
from sim.errors import OptionError, ScenarioError
from sim.scenario.load import loads
from sim.testing import security_levels

SWITCHES = ("reset_on", "tied_hands_on", "settlement_on", "freed_hand_on", "preempt_on", "floor_belief_on")


def test_its_size_is_as_announced(rock_bottom):
    assert 10_000 <= rock_bottom.graph.node_count <= 50_000
    scenario = rock_bottom.origin.scenario
    assert len(scenario.ladder.labels.values) == 9
    assert scenario.player_ids == ("russia", "usa", "usa_next")
    assert len(scenario.history) >= 12


def test_values_are_at_least_security_levels(rock_bottom):
    value = sim.solve(rock_bottom, "subgame_perfect").node_values()[0]
    for i in range(3):
        assert (security_levels(rock_bottom, i) <= value[:, i] + 1e-9 * rock_bottom.numbers.span[0, i]).all()


def test_without_benefits_nobody_escalates(rock_bottom):
    """Every benefit and linkage of escalation off, and a cost for each escalatory move: none is played at any node."""
    scenario = rock_bottom.origin.scenario
    off = dict.fromkeys(SWITCHES, 0)
    for name, assumption in scenario.assumptions.items():
        if assumption.range is None or name in rock_bottom.origin.structure:
            continue
        benefits = (
            "initiative_weight", "syria_weight", "ground_weight", "press_gain", "truth_weight", "rally_bonus", "reprisal_value", "campaign_gain",
            "punish_mandate", "hostile_zeal", "other_zeal", "harden_value", "agenda_weight", "ignoring_cost", "bombardment_price", "engagement_cost",
            "list_value", "bare_share", "settle_chance", "meddling_effect", "ground_cost", "challenge_cost", "sanction_cost", "rejection_cost",
            "russia_audience_cost", "usa_audience_cost", "status_weight", "isolation_weight", "eve_reference",
        )  # fmt: skip
        if name in benefits:
            low, high = assumption.range
            off[name] = min(max(0.0, low), high)
    off["escalation_cost"] = 0.5
    game = renumber(rock_bottom, off)
    solution = sim.solve(game, "subgame_perfect", ties="least_escalatory")
    graph = game.graph
    source = graph.edge_source()
    rung = graph.node_rung
    mover = np.repeat(graph.layer_player, np.diff(graph.layer_start))[source]
    higher = (mover >= 0) & (rung[graph.edge_dst] > rung[source])
    assert higher.sum() > 1000
    free = np.ones(graph.node_count, dtype=bool)  # nodes at which somebody may also stay or step up
    free[np.setdiff1d(source[higher], source[(mover >= 0) & ~higher])] = False
    assert free[source[higher]].all()
    assert solution.profile[0, higher].max() == 0.0


def test_every_recorded_move_was_available(rock_bottom):
    game, _ = check(rock_bottom.origin.scenario)
    assert game is not None
    text = Path(rock_bottom.origin.scenario.file).read_text(encoding="utf-8")
    text = text.replace('move   = "liberate_palmyra"', 'move   = "duma_condemns"')
    with pytest.raises(ScenarioError, match="duma_condemns"):
        check(loads(text, "changed.toml"))


def test_the_fitted_likelihood_is_at_least_uniform_plays(rock_bottom):
    found = [
        replay(sim.solve(rock_bottom, "quantal_response", precision=precision)) for precision in (0.0, 0.25, 0.5, 1.0)
    ]
    assert found[0].log_likelihood == pytest.approx(found[0].uniform_log_likelihood, abs=1e-9)
    assert max(one.log_likelihood for one in found) >= found[0].uniform_log_likelihood - 1e-12
    assert len(found[0].steps) == len(rock_bottom.origin.scenario.history)


def test_replay_multiplies_to_the_weight_of_the_recorded_histories(rock_bottom):
    """Bayes, step by step, against one forward pass over the recorded edges only."""
    solution = sim.solve(rock_bottom, "quantal_response", precision=0.5)
    walked = replay(solution)
    assert not any(step.forced for step in walked.steps)
    product = float(np.prod([step.probability for step in walked.steps]))
    assert walked.paths().mass[0] == pytest.approx(product, rel=1e-9)
    for step in walked.steps:
        assert sum(share for _, share in step.alternatives) == pytest.approx(1.0, abs=1e-9)
        assert step.rank == 1 + sum(share > step.probability + 1e-12 for _, share in step.alternatives)
    assert walked.paths().outcome("gambit_played")[0] == pytest.approx(1.0)


def test_impossible_records_are_forced_under_subgame_perfection(rock_bottom):
    walked = replay(sim.solve(rock_bottom, "subgame_perfect"))
    assert any(step.forced for step in walked.steps)
    assert all(step.surprise == np.inf for step in walked.steps if step.forced)
    assert walked.paths().outcome("full_break_played")[0] == pytest.approx(1.0)


def test_the_eve_of_october_is_found(rock_bottom):
    solution = sim.solve(rock_bottom, "subgame_perfect")
    where = situation(solution, "2016-10", "russia")
    graph = rock_bottom.graph
    layer = graph.layer_of(where.node)
    assert graph.players[graph.layer_player[layer]] == "russia"
    assert graph.layer_round[layer] == 4
    assert [step.record.action for step in where.replay.steps][-2:] == ["name_direct_threat", ""]
    found = moves_at(solution, "2016-10", "russia")
    labels = [effect.action for effect in found.effects]
    assert len(labels) == len(set(labels)) >= 6
    q = solution.action_values(where.node)
    for effect, row in zip(found.effects, q, strict=True):
        np.testing.assert_allclose(effect.continuation, row)
    inside = [
        row[0]
        for effect, row in zip(found.effects, q, strict=True)
        if effect.action in rock_bottom.origin.scenario.members("gambit")
    ]
    outside = [
        row[0]
        for effect, row in zip(found.effects, q, strict=True)
        if effect.action not in rock_bottom.origin.scenario.members("gambit")
    ]
    assert inside
    assert outside
    assert advantage(solution, "gambit", "2016-10", "russia") == pytest.approx(max(inside) - max(outside))
    with pytest.raises(OptionError, match="not a player"):
        situation(solution, "2016-10", "france")


def test_expectations_are_computed_and_reported_not_enforced(rock_bottom):
    """The numbers exist and are finite for every switch and corner; their signs are findings, told in the experiments' sentences."""
    found = {}
    for switch in (None, *SWITCHES):
        settings = {} if switch is None else {switch: 0}
        found[switch] = advantage(
            sim.solve(renumber(rock_bottom, settings), "subgame_perfect"), "gambit", "2016-10", "russia"
        )
    assert len(found) == 7
    assert np.isfinite(list(found.values())).all()


def test_switches_and_removals_compile(rock_bottom):
    scenario = rock_bottom.origin.scenario
    without = compile_game(scenario, remove=["gambit"])
    assert not any(label.group == "gambit" for label in without.graph.labels)
    assert float(sim.play(sim.solve(without)).outcome("gambit_played")[0]) == 0.0
    with pytest.raises(OptionError, match="not a move or group"):
        compile_game(scenario, remove=["gambitt"])
