"""The recorded history followed for all variants at once, against the walk through one variant at a time."""

import copy
import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import sim
from sim.analysis.choices import choices_at
from sim.analysis.follow import advantages, chosen, follow, situations
from sim.analysis.moves import advantage
from sim.analysis.replay import replay, situation
from sim.errors import NoAnswerError, OptionError, ScenarioError
from sim.scenario.load import loads
from sim.testing import _toml, scenarios

ROCK = "scenarios/rock_bottom.toml"


def same_walk(solution, **asked):
    """Compare follow with replay in every variant; return it."""
    found = follow(solution, **asked)
    profile = found.profile
    for v in range(solution.game.variants):
        one = replay(solution, variant=v, **asked)
        assert [step.record for step in one.steps] == list(found.steps)
        assert [step.layer for step in one.steps] == found.layers[v].tolist()
        assert [step.forced for step in one.steps] == found.forced[v].tolist()
        np.testing.assert_allclose(
            found.probability[v], [step.probability for step in one.steps], rtol=1e-9, atol=1e-14
        )
        np.testing.assert_allclose(found.uniform[v], [step.uniform for step in one.steps], rtol=1e-9, atol=1e-14)
        np.testing.assert_allclose(profile[v], one.profile[0], rtol=1e-12)
        assert found.layer[v] == one.layer
        assert found.log_likelihood[v] == pytest.approx(one.log_likelihood, rel=1e-9, abs=1e-12)
        assert found.uniform_log_likelihood[v] == pytest.approx(one.uniform_log_likelihood, rel=1e-9, abs=1e-12)
    return found


def same_decision(solution, name, at, player=""):
    """Compare the batched measures at a decision with those of one variant; return the advantages."""
    nodes, share = situations(solution, at, player)
    better, often = advantages(solution, name, at, player), chosen(solution, name, at, player)
    for v in range(solution.game.variants):
        one = situation(solution, at, player, v)
        assert one.node == nodes[v]
        assert one.share == pytest.approx(share[v], rel=1e-9)
        np.testing.assert_allclose(better[v], advantage(solution, name, at, player, v), rtol=1e-9, atol=1e-9)
        graph = one.replay.solution.game.graph
        layer = graph.layer_of(one.node)
        mover = graph.layer_player[layer] if graph.layer_player[layer] >= 0 else graph.players.index(player)
        found = choices_at(one.replay.solution, one.node, int(mover))
        wanted = sum(p for p, label in zip(found.probability, found.labels, strict=True) if label.plays(name))
        assert often[v] == pytest.approx(wanted, abs=1e-12)
    return better


@pytest.mark.parametrize(
    ("concept", "options"),
    [("subgame_perfect", {}), ("quantal_response", {"precision": [0.0, 0.4, 1.0, 5.0, 900.0]})],
    ids=["perfect", "quantal"],
)
def test_rock_bottom(concept, options):
    told = {
        "floor_holds": [0.1, 0.5, 0.6, 0.9, 1.0],
        "floor_belief_russia": [0.0, 0.2, 0.6, 0.8, 1.0],
        "hostile_belief_russia": [1.0, 0.8, 0.5, 0.2, 0.0],
    }
    scenario = sim.load(ROCK)
    told = {name: values for name, values in told.items() if name in scenario.assumptions}
    assert told
    solution = sim.solve(sim.compile(scenario, told), concept, **options)
    found = same_walk(solution)
    assert found.probability.shape == (5, 14)
    assert found.forced.any() == (concept == "subgame_perfect" or 900.0 in options["precision"])
    assert len(same_walk(solution, until="2016-10", player="russia").steps) == 13
    better = same_decision(solution, "gambit", "2016-10", "russia")
    assert np.isfinite(better).all()
    assert len(set(better.tolist())) > 1
    assert np.isnan(same_decision(solution, "gambit", "2016-10")).all()  # it is the other side's decision
    same_decision(solution, "propose_coalition", None)
    same_decision(solution, "dismiss_proposal", "propose_coalition")
    np.testing.assert_array_equal(found.paths().outcome("gambit_played"), np.ones(5))


TOGETHER = """
title = "an arms race, chosen at once"
rounds = 2
[assumptions.worth]
value = 1
range = [0, 3]
[assumptions.p]
value = 0.5
range = [0, 1]
[players.a]
[players.b]
[state.s]
range = [0, 9]
start = 0
combine = "add"
[[turns]]
simultaneous = ["a", "b"]
[[turns]]
chance = ["scare"]
[[turns]]
player = "b"
[moves.rest]
player = ["a", "b"]
[moves.arm]
player = ["a", "b"]
effects = { s = "s + 1" }
[moves.talk]
player = "b"
when = "s > 0"
effects = { s = "s - 1" }
[[chance.scare]]
when = "s > 0"
outcomes = [{ label = "yes", probability = "p", pays = { a = "-1" } }, { label = "no", probability = "1 - p" }]
[payoffs.a]
each_round = "worth * s"
[payoffs.b]
each_round = "s - worth"
[outcomes]
end = "final(s)"
[[history]]
round = 1
player = "b"
move = "arm"
[[history]]
round = 1
player = "a"
move = "rest"
[[history]]
round = 1
event = "scare"
label = "yes"
[[history]]
round = 1
player = "b"
move = "talk"
[[history]]
round = 2
player = "a"
move = "rest"
"""


@pytest.mark.parametrize("concept", ["subgame_perfect", "quantal_response"])
def test_choices_at_once(concept):
    """Also where arming dominates, so that resting is forced while the other's choice stays; and where the scare cannot happen."""
    options = {"precision": [0.5, 0.0, 2.0, 1.0]} if concept == "quantal_response" else {}
    game = sim.compile(loads(TOGETHER), {"worth": [0.5, 1.0, 3.0, 2.0], "p": [0.5, 0.1, 0.9, 0.0]})
    solution = sim.solve(game, concept, **options)
    found = same_walk(solution)
    assert found.forced.any()
    assert np.isfinite(found.uniform_log_likelihood).all()
    assert np.isfinite(same_decision(solution, "arm", "2", "b")).all()
    assert np.isfinite(same_decision(solution, "arm", "2", "a")).all()


def test_endless():
    """Followed through the first rounds of an endless game."""
    scenario = sim.load("scenarios/enduring_rivalry.toml")
    game = sim.compile(scenario)
    one = sim.play(sim.solve(game, "quantal_response", precision=0.5)).histories(1)[0]
    first = next(step for step in one.steps if step.player != "chance")
    records = [
        {"round": 1, "player": who, "move": what.partition("/")[0]}
        for who, what in zip(first.player.split(" & "), first.move.split(" & "), strict=True)
    ]
    told = loads(_toml({**scenario.document, "history": records}))
    solution = sim.solve(sim.compile(told).repeat(2), "quantal_response", precision=[0.0, 0.5])
    assert len(same_walk(solution).steps) == len(records)
    who, what = records[0]["player"], records[0]["move"]
    same_decision(solution, what, "2", who)


@settings(max_examples=40, deadline=None)
@given(scenarios(), st.data())
def test_any_scenario(scenario, data):
    """Whatever is recorded, in variants that differ; where one is refused, so is the other."""
    bare = sim.play(sim.solve(sim.compile(scenario), "quantal_response", precision=0.3))
    one = data.draw(st.sampled_from(bare.histories(50)))
    steps = [step for step in one.steps if step.player != "chance" or step.move.startswith("event/")]
    assume(steps)
    kept = sorted(data.draw(st.sets(st.integers(0, len(steps) - 1), min_size=1, max_size=4)))
    document = copy.deepcopy(dict(scenario.document))
    document["history"] = [as_record(steps[k]) for k in kept]
    told = sim.compile(loads(_toml(document)), {"w": [-3.0, 0.0, 2.0], "p": [0.0, 0.5, 1.0]})
    for concept, options in (("subgame_perfect", {}), ("quantal_response", {"precision": [0.0, 1.0, 3.0]})):
        solution = sim.solve(told, concept, **options)
        try:
            for v in range(3):
                replay(solution, variant=v)
        except (NoAnswerError, ScenarioError) as error:
            with pytest.raises(type(error)):
                follow(solution)
            continue
        assert same_walk(solution).probability.shape == (3, len(kept))


def as_record(step):
    if step.player == "chance":
        event, label = step.move.split("/")
        return {"round": step.round, "event": event, "label": label}
    move, _, choice = step.move.partition("/")
    record = {"round": step.round, "player": step.player, "move": move}
    return record | ({"choose": {"x": int(choice.removeprefix("x="))}} if choice else {})


def test_variants_may_disagree_on_the_layer():
    """Where the first event cannot happen, the record is about the second one."""
    text = """
title = "two chances"
rounds = 1
[assumptions.p]
value = 0.5
range = [0, 1]
[players.a]
[state.s]
range = [0, 1]
start = 0
[[turns]]
chance = ["first"]
[[turns]]
player = "a"
[[turns]]
chance = ["second"]
[[turns]]
player = "a"
[moves.wait]
player = "a"
[moves.go]
player = "a"
when = "s == 1"
[[chance.first]]
outcomes = [{ label = "up", probability = "p", effects = { s = 1 } }, { label = "stay", probability = "1 - p" }]
[[chance.second]]
outcomes = [{ label = "up", probability = 1, effects = { s = 1 } }]
[payoffs.a]
final = "s"
[outcomes]
end = "final(s)"
[[history]]
round = 1
player = "a"
move = "go"
"""
    game = sim.compile(loads(text), {"p": [0.5, 1.0, 0.0]})
    found = same_walk(sim.solve(game, "quantal_response", precision=0.0))
    assert found.probability[:, 0].tolist() == [0.25, 0.5, 0.5]
    assert len(set(found.layers[:, 0].tolist())) == 2


def test_what_cannot_be_followed_is_refused_or_counted():
    text = sim.template().read_text(encoding="utf-8")
    text += '\n[[history]]\nround = 1\nplayer = "defender"\nmove = "yield_now"\n'
    solution = sim.solve(sim.compile(loads(text)), "subgame_perfect")
    with pytest.raises(NoAnswerError, match="probability 0 under subgame_perfect"):
        follow(solution)
    found = follow(solution, lenient=True)
    assert found.log_likelihood.tolist() == [-math.inf]
    assert found.layers.tolist() == [[-1]]
    with pytest.raises(OptionError, match="--remove"):
        follow(sim.solve(sim.compile(loads(text), remove=["yield_now"]), "quantal_response"), lenient=True)
    with pytest.raises(OptionError, match="not a player"):
        situations(solution, None, "nobody")
    with pytest.raises(OptionError, match="no decision"):
        situations(sim.solve(sim.compile(sim.load(sim.template()))), 2)


def test_private_types_fall_back():
    solution = sim.solve(sim.compile(sim.load("scenarios/entry_deterrence.toml"), hidden="all"), "quantal_response")
    graph = solution.game.graph
    label = graph.labels[graph.edge_label[0]]
    better = advantages(solution, label.move)
    assert better.shape == (1,)
    assert better[0] == advantage(solution, label.move, None)
    assert 0 < chosen(solution, label.move)[0] < 1
