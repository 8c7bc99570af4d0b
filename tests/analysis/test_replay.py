"""Recorded history: Bayes against enumeration, forced records, turns, and situations off the beaten path."""

import copy

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import sim
from sim.analysis.moves import moves_at
from sim.analysis.replay import replay, situation
from sim.errors import NoAnswerError, OptionError, ScenarioError
from sim.scenario.load import loads
from sim.testing import _toml, scenarios


def as_record(step):
    if step.player == "chance":
        event, label = step.move.split("/")
        return {"round": step.round, "event": event, "label": label}
    move, _, choice = step.move.partition("/")
    record = {"round": step.round, "player": step.player, "move": move}
    return record | ({"choose": {"x": int(choice.removeprefix("x="))}} if choice else {})


@settings(max_examples=60)
@given(scenarios(), st.data())
def test_conditional_probabilities_are_bayes(scenario, data):
    """Against the enumeration of all histories, with events that may not happen and games that may end early."""
    bare = sim.play(sim.solve(sim.compile(scenario), "quantal_response", precision=0.3))
    histories = bare.histories(1000)
    assume(len(histories) < 1000)
    assume(all(one.steps for one in histories))
    one = data.draw(st.sampled_from(histories))
    steps = [step for step in one.steps if step.player != "chance" or step.move.startswith("event/")]
    kept = sorted(data.draw(st.sets(st.integers(0, len(steps) - 1), min_size=1, max_size=4)))
    document = copy.deepcopy(dict(scenario.document))
    document["history"] = [as_record(steps[k]) for k in kept]
    solution = sim.solve(sim.compile(loads(_toml(document))), "quantal_response", precision=0.3)
    walked = replay(solution)
    assert len(walked.steps) == len(kept)
    left = [(h.probability, {(s.round, s.player, s.move) for s in h.steps}) for h in histories]
    for k, step in zip(kept, walked.steps, strict=True):
        before = sum(p for p, _ in left)
        left = [(p, told) for p, told in left if (steps[k].round, steps[k].player, steps[k].move) in told]
        assert step.probability == pytest.approx(sum(p for p, _ in left) / before, abs=1e-9)
    assert walked.paths().mass[0] == pytest.approx(sum(p for p, _ in left), abs=1e-9)
    # what follows, given all records
    share = sum(p for p, told in left if any(m == "go_a" for _, _, m in told)) / sum(p for p, _ in left)
    played = loads(_toml({**document, "outcomes": {"asked": "played(go_a)"}}))
    again = sim.solve(sim.compile(played), "quantal_response", precision=0.3)
    assert replay(again).paths().outcome("asked")[0] == pytest.approx(share, abs=1e-9)


GAME = """
title = "an attack that ends the game"
rounds = 2
[players.a]
[players.b]
[state.s]
range = [0, 9]
start = 0
[[turns]]
player = "a"
[[turns]]
player = "b"
[[turns]]
player = "a"
[moves.wait]
player = ["a", "b"]
[moves.go]
player = ["a", "b"]
effects = { s = "s + 1" }
[moves.attack]
player = "a"
when = "s == 0"
ends = true
[payoffs.a]
each_round = "-s"
[payoffs.b]
each_round = "s - 1"
[outcomes]
attacked = "played(attack)"
end = "final(s)"
"""


def test_the_second_mover_sees_the_game_from_its_own_turn():
    """The first mover's likeliest action may end the game; the second mover's table starts at its own decision all the same."""
    game = sim.compile(loads(GAME))
    found = moves_at(sim.solve(game, "quantal_response", precision=1.0), "1", "b")
    assert [effect.action for effect in found.effects] == ["wait", "go"]
    assert found.before.rows == ("wait", "go")
    solution = sim.solve(game, "quantal_response", precision=1.0)
    where = situation(solution, "1", "b")
    q = solution.action_values(where.node)
    for effect, row in zip(found.effects, q, strict=True):
        np.testing.assert_allclose(effect.continuation, row)
    np.testing.assert_allclose([np.nansum(found.before.payoffs[r] * 0 + 1) > 0 for r in range(2)], [True, True])
    assert all(effect.stage is not None for effect in found.effects)


def test_a_record_may_name_its_turn():
    history = '[[history]]\nround = 1\nplayer = "a"\nmove = "go"\n'
    first = replay(sim.solve(sim.compile(loads(GAME + history)), "quantal_response")).paths()
    third = replay(sim.solve(sim.compile(loads(GAME + history + "turn = 3\n")), "quantal_response")).paths()
    steps = [
        [s.move for s in paths.histories(1)[0].steps if s.round == 1 and s.player == "a"] for paths in (first, third)
    ]
    assert steps[0][0] == "go"
    assert steps[1][1] == "go"
    assert first.outcome("end")[0] != pytest.approx(third.outcome("end")[0])
    with pytest.raises(ScenarioError, match="turn 2 of round 1"):
        loads(GAME + history + "turn = 2\n")
    with pytest.raises(ScenarioError, match="1 to 3"):
        loads(GAME + history + "turn = 7\n")


def test_what_is_unrecorded_and_impossible_is_told_apart():
    text = sim.template().read_text(encoding="utf-8")
    text += '\n[[history]]\nround = 1\nplayer = "defender"\nmove = "yield_now"\n'
    scenario = loads(text)
    with pytest.raises(NoAnswerError, match="probability 0 under subgame_perfect"):
        replay(sim.solve(sim.compile(scenario), "subgame_perfect"))
    assert replay(sim.solve(sim.compile(scenario), "quantal_response")).steps[0].probability > 0
    with pytest.raises(OptionError, match="--remove"):
        replay(sim.solve(sim.compile(scenario, remove=["yield_now"]), "quantal_response"))


def test_any_decision_can_be_asked_about_by_its_history():
    """Also off the path, where no record leads and the solution never comes."""
    solution = sim.solve(sim.compile(sim.load(sim.template())), "subgame_perfect")
    found = moves_at(solution, "push > resist")
    assert found.player == "challenger"
    assert found.state["rung"] == "crisis"
    assert [effect.action for effect in found.effects] == ["fight", "hold"]
    game = sim.compile(loads(GAME))
    there = moves_at(sim.solve(game), "a:go > b:go")
    assert (there.player, there.round, there.state["s"]) == ("a", 1, 2)
    with pytest.raises(OptionError, match="may be made by a, b"):
        moves_at(sim.solve(game), "go")
    with pytest.raises(OptionError, match="did you mean 'attack'"):
        moves_at(sim.solve(game), "attac")
