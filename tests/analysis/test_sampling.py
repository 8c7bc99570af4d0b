"""Sampling: estimates against exact answers, the same seed the same plays, and joint answers against those computed from histories."""

import json
import sys

import numpy as np
import pytest

import sim
from sim.analysis.replay import replay
from sim.analysis.sampling import BLOCK, sample
from sim.cli import main
from sim.errors import OptionError

ENDLESS = """
title   = "A quarrel without end"
horizon = "infinite"
rounds  = 6

[players.one]
discount = 0.8
[players.two]
discount = 0.7

[state.rung]
ladder  = ["calm", "tense", "clash"]
start   = "calm"
clip    = true
combine = "add"

[[turns]]
simultaneous = ["one", "two"]
[[turns]]
chance = "drift"

[moves.press]
player  = ["one", "two"]
effects = { rung = "rung + 1" }
pays    = { one = "0.4 if mover == one else -0.4", two = "0.3 if mover == two else -0.2" }

[moves.ease]
player  = ["one", "two"]
effects = { rung = "rung - 1" }

[[chance.drift]]
when     = "rung < clash"
outcomes = [
    { probability = 0.3, effects = { rung = "rung + 1" } },
    { probability = 0.7 },
]

[payoffs.one]
each_round = "-(rung == clash)"
[payoffs.two]
each_round = "-1.5 * (rung == clash)"

[outcomes]
clashes    = "count(rung == clash)"
heat       = "sum_over(rung)"
ever       = "ever(rung == clash)"
calm       = "always(rung == calm)"
hottest    = "max_over(rung)"
coolest    = "min_over(rung)"
when       = "first(rung == clash)"
pressed    = "played(press)"
by_two     = "played(press, two)"
mixed      = "ever(rung == clash) and not played(press, one)"
"""


@pytest.fixture(scope="module")
def endless(tmp_path_factory):
    file = tmp_path_factory.mktemp("endless") / "endless.toml"
    file.write_text(ENDLESS, encoding="utf-8")
    return sim.compile(sim.load(file))


def close(paths, drawn):
    """Estimates are within five standard errors of the exact answers, and nothing is missing."""
    exact = paths.outcomes()
    found = drawn.estimates()
    assert list(found) == list(exact)
    assert found
    varied = 0
    for name, one in found.items():
        wanted = float(exact[name][0])
        if one.plays == 0:
            assert np.isnan(wanted) or wanted < 1e-3
            continue
        if one.error > 0:
            varied += 1
            assert abs(one.value - wanted) <= 5 * one.error, name
        elif not np.isnan(one.error):  # all plays alike: the rest is rarer than a play in the sample
            assert abs(one.value - wanted) <= 50 / drawn.plays * max(1.0, abs(wanted)), name
    return varied


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize(
    "case", ["brinkmanship", "audience_costs", "rock_bottom", "big_match", "chain_store", "signorino"]
)
def test_estimates_agree_with_exact_answers(case, seed, root):
    paths = sim.play(sim.solve(sim.compile(sim.load(root / "scenarios" / f"{case}.toml")), "quantal_response"))
    assert close(paths, sample(paths, 40_000, seed)) >= 1


@pytest.mark.parametrize("concept", ["markov_perfect", "quantal_response"])
def test_endless_games_with_simultaneous_turns(endless, concept):
    paths = sim.play(sim.solve(endless, concept))
    drawn = sample(paths, 60_000, 4)
    assert drawn.firsts == {"when"}
    assert close(paths, drawn) >= 3


def test_given_a_recorded_history(rock_bottom):
    """Plays that follow the record: conditioned probabilities carry over."""
    found = replay(sim.solve(rock_bottom, "quantal_response"), until="2016-10").paths()
    assert close(found, sample(found, 30_000, 9)) >= 3


def test_equal_seeds_equal_plays_and_more_plays_begin_alike(endless, monkeypatch):
    paths = sim.play(sim.solve(endless, "quantal_response"))
    count = 2 * BLOCK + 17
    monkeypatch.setenv("SIM_THREADS", "1")
    alone = sample(paths, count, 3)
    monkeypatch.setenv("SIM_THREADS", "4")
    together = sample(paths, count, 3)
    for name, values in alone.values.items():
        np.testing.assert_array_equal(values, together.of(name))
        np.testing.assert_array_equal(values[:BLOCK], sample(paths, BLOCK, 3).of(name))
    np.testing.assert_array_equal(alone.end, together.end)
    other = sample(paths, count, 4)
    assert any((alone.of(name) != other.of(name)).any() for name in alone.values)
    heat = alone.of("heat")
    assert (heat[:BLOCK] != heat[BLOCK : 2 * BLOCK]).any()  # each block has a seed of its own
    assert not heat.flags.writeable


def test_distributions_agree_with_exact_ones(endless):
    paths = sim.play(sim.solve(endless, "quantal_response"))
    drawn = sample(paths, 100_000, 5)
    exact = paths.distribution("hottest")
    values, share, error = drawn.distribution("hottest")
    assert len(values) == len(exact.values) == 3
    np.testing.assert_array_equal(values, exact.values)
    assert (np.abs(share - exact.probability[0]) <= 5 * error).all()


def test_sums_and_joint_answers_agree_with_all_histories(root):
    """A second method: outcomes counted over every history of a small game."""
    paths = sim.play(
        sim.solve(sim.compile(sim.load(root / "scenarios" / "big_match.toml"), rounds=2), "subgame_perfect")
    )
    drawn = sample(paths, 100_000, 6)
    histories = paths.histories(1000)
    assert len(histories) == 10
    exact = {}
    for one in histories:
        settled = any("top" in step.move for step in one.steps)
        days = 0
        for number in (1, 2):
            steps = [step for step in one.steps if step.round == number]
            fixed = any(step.state["fixed"] == "won" for step in steps)
            days += fixed or steps[0].move == "bottom & right"
        key = (float(days), float(settled))
        exact[key] = exact.get(key, 0.0) + one.probability
    rows, share, error = drawn.together("days_won", "ever_settled")
    assert len(rows) == len(exact) == 6
    for row, p, e in zip(rows.tolist(), share, error, strict=True):
        assert abs(p - exact[tuple(row)]) <= 5 * e
    days, share, error = drawn.distribution("days_won")  # the exact pass has only its expectation
    assert days.tolist() == [0, 1, 2]
    for day, p, e in zip(days, share, error, strict=True):
        assert abs(p - sum(q for (d, _), q in exact.items() if d == day)) <= 5 * e
    given = drawn.given("days_won", "ever_settled")
    wanted = sum(d * q for (d, s), q in exact.items() if s) / sum(q for (_, s), q in exact.items() if s)
    assert abs(given.value - wanted) <= 5 * given.error


def test_standard_errors_are_honest(root):
    """Over many seeds, estimates spread as their standard errors say."""
    paths = sim.play(sim.solve(sim.compile(sim.load(root / "scenarios" / "brinkmanship.toml")), "quantal_response"))
    wanted = float(paths.outcome("highest")[0])
    scores = [
        (one.value - wanted) / one.error
        for one in (sample(paths, 2000, seed, outcomes=["highest"]).estimates()["highest"] for seed in range(200))
    ]
    assert len(scores) == 200
    assert abs(np.mean(scores)) < 0.35
    assert 0.8 < np.std(scores) < 1.25


def test_refusals(endless):
    paths = sim.play(sim.solve(endless, "quantal_response"))
    for call, message in (
        (lambda: sample(paths, 1, 0), "2 to 20,000,000"),
        (lambda: sample(paths, 10, -1), "seed is -1"),
        (lambda: sample(paths, 10, 0, outcomes=["heart"]), "did you mean 'heat'"),
        (lambda: sample(paths, 10, 0, outcomes=["heat"]).of("ever"), "not among the outcomes drawn"),
    ):
        with pytest.raises(OptionError, match=message):
            call()


def test_command_line(root, monkeypatch, capsys):
    words = [
        "paths",
        str(root / "scenarios" / "brinkmanship.toml"),
        "--sample",
        "5000",
        "--seed",
        "2",
        "--concept",
        "quantal_response",
    ]
    outs = []
    for more in (["--json"], ["--json"], []):
        monkeypatch.setattr(sys, "argv", ["sim", *words, *more])
        with pytest.raises(SystemExit) as end:
            main()
        assert end.value.code == 0
        outs.append(capsys.readouterr().out)
    assert outs[0] == outs[1]
    found = json.loads(outs[0])["sample"]
    assert (found["plays"], found["seed"]) == (5000, 2)
    assert set(found["estimates"]) == set(json.loads(outs[0])["outcomes"])
    assert "standard error" in outs[2]
    assert "Outcomes of 5,000 plays drawn with seed 2" in outs[2]
