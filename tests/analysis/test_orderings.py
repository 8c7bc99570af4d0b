"""Payoffs consistent with orderings: shares that can be integrated by hand, and what examples prove."""

import itertools
import json
import math
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sim
from sim.analysis.orderings import Ordering, Spec, Trial, explore, find, planned
from sim.analysis.survey import Case
from sim.cli import main
from sim.errors import OptionError
from sim.numerics.extremes import corners, up_sets
from sim.numerics.orders import Poset
from sim.present import orderings as present
from sim.present.orderings_figure import draw
from sim.scenario.load import loads

DETERRENCE = """
title = "Deterrence in two stages"
rounds = 1
[players.challenger]
[players.defender]
[orders.stakes]
order = ORDER
[assumptions.resolve]
value = RESOLVE
range = [0, 1]
note = "how likely the defender resists"
[assumptions.compromise]
value = COMPROMISE
range = [0, 1]
[state.ended]
values = ["quiet", "gained", "met", "fought"]
start = "quiet"
[[turns]]
player = "challenger"
[moves.accept]
player = "challenger"
[moves.challenge]
player = "challenger"
outcomes = [
  { probability = "resolve", effects = { ended = "fought" } },
  { probability = "compromise", effects = { ended = "met" } },
  { probability = "1 - resolve - compromise", effects = { ended = "gained" } },
]
[payoffs.challenger]
final = "win if ended == gained else (concession if ended == met else (war if ended == fought else status_quo))"
[payoffs.defender]
final = "0"
[outcomes]
challenged = "played(challenge)"
war_comes = "final(ended == fought)"
"""
FULL = '"win > concession > status_quo > war"'


def deterrence(order=FULL, resolve=0.5, compromise=0.0):
    text = DETERRENCE.replace("ORDER", order).replace("RESOLVE", str(resolve)).replace("COMPROMISE", str(compromise))
    return loads(text, "deterrence.toml")


def ask(scenario, seed=0, case=None, **spec):
    asked = Spec(**{"of": "challenged", "level": 0.5, "samples": 4000, **spec})
    return find(asked, scenario=scenario, concept="subgame_perfect", options={}, case=case or Case(), seed=seed)


def agrees(share, exact):
    """Within five standard errors of the truth."""
    assert share.draws == 4000
    assert abs(share.share - exact) <= 5 * math.sqrt(exact * (1 - exact) / share.size) + 1e-12


@pytest.mark.parametrize("resolve", [0.1, 0.5, 0.8])
def test_a_partial_order(resolve):
    """Two outcomes stand between best and worst in any order: each is uniform, and challenge pays if 1 - p > s."""
    found = ask(deterrence('["win > status_quo > war", "win > concession > war"]', resolve))
    assert found.orders[0]["extensions"] == 2
    agrees(found.found["uniform"].share, 1 - resolve)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(("resolve", "compromise"), [(0.5, 0.3), (0.6, 0.1), (0.2, 0.7)])
def test_four_outcomes_by_integration(resolve, compromise, seed):
    """Challenge pays if r + q·c > s, where (c, s) are two sorted uniforms: the integral of 2 min(c, r + q·c) over c."""
    q, r = compromise, 1 - resolve - compromise
    at = min(1.0, r / (1 - q))
    exact = at**2 + 2 * r * (1 - at) + q * (1 - at**2)
    c = (np.arange(100_000) + 0.5) / 100_000
    np.testing.assert_allclose(exact, np.mean(2 * np.minimum(c, r + q * c)), atol=1e-8)
    found = ask(deterrence(resolve=resolve, compromise=compromise), seed=seed)
    agrees(found.found["uniform"].share, exact)
    advantage = ask(deterrence(resolve=resolve, compromise=compromise), seed=seed, of="advantage(challenge)", level=0.0)
    assert advantage.found["uniform"].share.hits == found.found["uniform"].share.hits
    values = advantage.found["uniform"].trial.columns
    by_hand = resolve * values["war"] + q * values["concession"] + r * values["win"] - values["status_quo"]
    np.testing.assert_allclose(advantage.found["uniform"].answers, by_hand, atol=1e-9)


@pytest.mark.parametrize("resolve", [0.1, 0.5, 0.8])
def test_the_second_measure_is_the_arcsine_law(resolve):
    """With three outcomes the middle one is Beta(½, ½) under Dirichlet(½) spacings; a fourth member beside them changes that."""
    text = (
        DETERRENCE.replace("ORDER", '"win > status_quo > war"')
        .replace("RESOLVE", str(resolve))
        .replace("COMPROMISE", "0")
    )
    scenario = loads(text.replace("concession if", "0 if"), "three.toml")
    found = ask(scenario)
    agrees(found.found["uniform"].share, 1 - resolve)
    agrees(found.found["dirichlet"].share, 2 / math.pi * math.asin(math.sqrt(1 - resolve)))
    possible, necessary = found.verdicts()
    assert possible["verdict"] == "shown"
    assert necessary["verdict"] == "refuted"
    sure, never = possible["example"]["values"], necessary["counterexample"]["values"]
    assert 1 - resolve >= sure["status_quo"] > sure["war"]
    assert 1 - resolve <= never["status_quo"] < never["win"]


def test_what_every_cardinalisation_gives():
    """Where even the worst of a challenge is better than the status quo, nothing refutes it; reversed, nothing shows it."""
    always = ask(deterrence('"win > war > concession > status_quo"'), samples=300)
    possible, necessary = always.verdicts()
    assert always.found["uniform"].share.share == 1
    assert always.found["corner"].trial.count == always.corner_count == 3
    assert (possible["verdict"], necessary["verdict"], necessary["counterexample"]) == ("shown", "not refuted", None)
    assert 0.009 < necessary["unseen"] < 0.0101, "3/n, nearly"
    assert "that is no proof" in present.lines(always.record())[-1]
    never = ask(deterrence('"status_quo > win > concession > war"'), samples=300)
    possible, necessary = never.verdicts()
    assert never.found["uniform"].share.share == 0
    assert (possible["verdict"], necessary["verdict"]) == ("not found", "refuted")
    low, high = never.record()["measures"]["uniform"]["interval"]
    assert low == 0
    assert 0 < high < 0.02


def test_corners_see_what_draws_miss():
    """A challenge that almost always fails pays only at the corner where the status quo is next to nothing."""
    scenario = deterrence(resolve=0.999998)
    drawn = ask(scenario, samples=50, corners=False)
    assert drawn.verdicts()[0]["verdict"] == "not found"
    assert drawn.record()["corners"]["tried"] == 0
    whole = ask(scenario, samples=50)
    possible, _ = whole.verdicts()
    assert possible["verdict"] == "shown"
    assert possible["example"]["among"] == "corner"
    values = possible["example"]["values"]
    assert values["win"] > values["concession"] > values["status_quo"] > values["war"], "the order stays strict"
    assert 0.000002 * values["win"] > values["status_quo"]


def test_sides_mirror_each_other():
    above = ask(deterrence(), of="advantage(challenge)", level=0.1)
    below = ask(deterrence(), of="advantage(challenge)", level=0.1, side="below")
    for label in ("uniform", "dirichlet", "corner"):
        a, b = above.found[label], below.found[label]
        assert a.share.hits + b.share.hits == a.trial.count + int(a.at.sum())


def test_others_may_vary_too():
    """With the resolve uniform as well, P(1 - p > s) is one half."""
    text = DETERRENCE.replace("ORDER", '"win > status_quo > war"').replace("RESOLVE", "0.9").replace("COMPROMISE", "0")
    scenario = loads(text.replace("concession if", "0 if"), "three.toml")
    found = ask(scenario, vary=["resolve"])
    agrees(found.found["uniform"].share, 0.5)
    assert [one["name"] for one in found.others] == ["resolve"]
    assert found.found["corner"].trial.columns["resolve"].tolist() == [0.9, 0.9], "at base"
    ranged = ask(scenario, vary={"resolve": [0.0, 0.2]})
    agrees(ranged.found["uniform"].share, 0.9)
    everything = ask(scenario, vary="all", samples=50, case=Case(set={"compromise": 0.0}))
    assert [one["name"] for one in everything.others] == ["resolve"], "what is set does not vary"


def test_variants_without_an_answer_bound_the_share():
    trial = Trial(label="uniform", columns={"a": np.linspace(0, 1, 10)}, size=10.0)

    class Some:
        def all(self, columns, count=None):
            assert count == 10
            return np.where(columns["a"] < 0.25, np.nan, columns["a"])[None]

    found = explore(Some(), [trial], Spec(of="x", level=0.5))["uniform"]
    record = found.record()
    assert record["unanswered"] == 3
    assert (record["hits"], record["draws"]) == (5, 7)
    assert (record["least"], record["most"]) == (0.5, 0.8)
    assert len(record["quantiles"]) == 101


def test_what_cannot_happen_is_an_answer():
    """The status quo is above one half in half of all cardinalisations; there a challenge has log-likelihood −∞, below any level."""
    text = DETERRENCE.replace("ORDER", '"win > status_quo > war"').replace("RESOLVE", "0.5").replace("COMPROMISE", "0")
    history = '[[history]]\nround = 1\nplayer = "challenger"\nmove = "challenge"\n'
    found = ask(loads(text.replace("concession if", "0 if") + history, "three.toml"), of="likelihood", level=-1.0)
    agrees(found.found["uniform"].share, 0.5)
    record = found.record()
    assert json.dumps(record, allow_nan=False)
    assert record["uncertified"] == record["measures"]["uniform"]["unanswered"] == 0
    assert record["necessary"]["verdict"] == "refuted"
    assert record["necessary"]["counterexample"]["answer"] is None
    assert record["necessary"]["counterexample"]["values"]["status_quo"] > 0.5
    assert record["measures"]["uniform"]["mean"] is None
    quantiles = record["measures"]["uniform"]["quantiles"]
    assert quantiles[:40] == [None] * 40
    assert quantiles[60:] == [0.0] * 41
    assert present.lines(record)[-1].startswith("necessary: refuted by −∞ at ")


@pytest.mark.parametrize("side", ["above", "below"])
def test_infinite_answers_are_compared_and_counted(side, tmp_path):
    answers = np.array([-np.inf, -2.0, 0.0, 1e-12, np.inf, np.nan])
    trials = [
        Trial(label=label, columns={"a": rows}, size=float(len(rows)))
        for label, rows in (("uniform", np.arange(6)), ("dirichlet", np.arange(6)), ("base", np.array([0])))
    ]

    class Some:
        def all(self, columns, count=None):
            assert count == 13
            return answers[columns["a"]][None]

    spec = Spec(of="x", level=0.0, side=side)
    found = explore(Some(), trials, spec)
    one = found["uniform"]
    assert one.holds.tolist() == (
        [False, False, True, True, True, False] if side == "above" else [True] * 4 + [False] * 2
    )
    assert one.at.tolist() == [False, False, True, True, False, False], "only finite answers say what is near"
    assert (one.share.hits, one.share.draws) == (len([x for x in one.holds if x]), 5)
    low, high = ({"a": 0}, {"a": 4})
    assert one.furthest(holds=True, side=side)["values"] == (high if side == "above" else low)
    assert one.furthest(holds=False, side=side)["values"] == (low if side == "above" else high)
    record = Ordering(
        spec=spec, scenario="s", concept="c", words="x", orders=(), others=(), found=found, corner_count=None, seed=0
    ).record()
    assert json.dumps(record, allow_nan=False)
    assert record["measures"]["uniform"]["unanswered"] == 1
    assert record["measures"]["uniform"]["mean"] is None
    assert record["measures"]["uniform"]["quantiles"][::25] == [None, -2.0, 0.0, 1e-12, None]
    assert record["base"] == {"answer": None, "holds": side == "below"}
    told = present.lines(record)
    assert f"own numbers: −∞, where it {'does not hold' if side == 'above' else 'holds'}" in told[3]
    assert f"shown by {'∞' if side == 'above' else '−∞'} at" in told[4]
    assert f"refuted by {'−∞' if side == 'above' else '∞'} at" in told[5]
    assert len(present.tables(record)[0].rows) == 2
    assert draw(record, tmp_path / "one.svg").stat().st_size > 5000


@pytest.mark.parametrize("lost", [False, True])
def test_draws_without_an_answer_bound_nothing(lost):
    """What may be unseen is said of the cardinalisations that have an answer, where some have none."""
    rows = np.linspace(0, 1, 1000)
    trials = [Trial(label=label, columns={"a": rows}, size=1000.0) for label in ("uniform", "dirichlet")]
    trials.append(Trial(label="base", columns={"a": np.zeros(1)}, size=1.0))

    class Some:
        def all(self, columns, count=None):
            assert count == 2001
            return np.where(lost & (columns["a"] > 0.1), np.nan, 0.0)[None]

    for side, place in (("above", -2), ("below", -1)):
        spec = Spec(of="x", level=0.5, side=side, samples=1000)
        found = explore(Some(), trials, spec)
        record = Ordering(
            spec=spec,
            scenario="s",
            concept="c",
            words="x",
            orders=(),
            others=(),
            found=found,
            corner_count=None,
            seed=0,
        ).record()
        said = present.lines(record)[place]
        of = "the cardinalisations that have a certified answer" if lost else "cardinalisations"
        assert f"so at most {3 if lost else 0.3:.2g}" in said.replace("2.9", "3").replace("3.0", "3")
        assert f"% of {of} (with 95 % confidence)" in said


def test_the_same_seed_gives_the_same_record():
    texts = [json.dumps(ask(deterrence(), seed=seed, samples=100).record(), allow_nan=False) for seed in (4, 4, 5)]
    assert texts[0] == texts[1] != texts[2]
    record = json.loads(texts[0])
    assert (
        record["solves"]
        == planned(Spec(of="challenged", level=0.5, samples=100), scenario=deterrence(), case=Case())
        == 204
    )
    assert record["facts"]["share"] == record["measures"]["uniform"]["share"]


def test_mistakes_teach():
    with pytest.raises(OptionError, match="states no order"):
        ask(sim.load(sim.template()), of="war")
    with pytest.raises(OptionError, match="did you mean 'stakes'"):
        ask(deterrence(), orders=["stake"])
    with pytest.raises(OptionError, match="both set and varied"):
        ask(deterrence(), orders=["stakes"], case=Case(set={"war": 0.1}))
    with pytest.raises(OptionError, match="stands in vary too"):
        ask(deterrence(), vary=["stakes"])


# -- extremes ------------------------------------------------------------------------------------------------------------


@st.composite
def posets(draw_):
    size = draw_(st.integers(2, 6))
    pairs = [(a, b) for a, b in itertools.combinations(range(size), 2) if draw_(st.booleans())]
    names = draw_(st.permutations(range(size)))
    return Poset(size=size, above=tuple((names[a], names[b]) for a, b in pairs))


@given(posets())
def test_up_sets_are_all_of_them(order):
    every = [
        sets
        for sets in itertools.product([False, True], repeat=order.size)
        if 0 < sum(sets) < order.size and all(sets[better] or not sets[worse] for better, worse in order.above)
    ]
    found = up_sets(order, 1000)
    assert len(found) == len(every) >= 1
    assert {tuple(row) for row in found.tolist()} == set(every)
    assert (np.diff(found.sum(axis=1)) >= 0).all()
    assert up_sets(order, len(every) - 1) is None


@given(posets())
def test_corners_keep_the_order_strict(order):
    heights = np.zeros(order.size)
    for _ in range(order.size):
        for better, worse in order.above:
            heights[better] = max(heights[better], heights[worse] + 1)
    found = corners(order, 1000, heights / max(1.0, heights.max()))
    assert len(found) == len(up_sets(order, 1000))
    assert (found.min(axis=1) == 0).all()
    assert (found.max(axis=1) == 1).all()
    for better, worse in order.above:
        assert (found[:, better] > found[:, worse]).all()


# -- on the page ----------------------------------------------------------------------------------------------------------


def test_pages_and_figures(tmp_path):
    record = ask(deterrence(resolve=0.5, compromise=0.3), of="advantage(challenge)", level=0.0).record()
    told = present.lines(record)
    assert told[0].startswith(
        "advantage of challenge ≥ 0 under subgame_perfect, over all payoffs consistent with stakes (1 complete ranking"
    )
    assert len(present.tables(record)[0].rows) == 2
    assert draw(record, tmp_path / "one.svg").stat().st_size > 8000
    assert draw([record, {**record, "concept": "other"}], tmp_path / "two.png").stat().st_size > 8000
    with pytest.raises(OptionError, match="0 findings"):
        draw([], tmp_path / "none.svg")


def test_the_command(tmp_path, monkeypatch, capsys):
    file = tmp_path / "deterrence.toml"
    file.write_text(
        DETERRENCE.replace("ORDER", FULL).replace("RESOLVE", "0.5").replace("COMPROMISE", "0.3"), encoding="utf-8"
    )
    words = ["sim", "ordering", str(file), "--outcome", "advantage(challenge)", "--level", "0", "--samples", "100"]
    for more, said in (
        (["--below", "--vary", "resolve=0.1..0.3"], "1 other assumption"),
        (["--json"], '"kind": "ordering"'),
    ):
        monkeypatch.setattr(sys, "argv", [*words, *more])
        with pytest.raises(SystemExit) as end:
            main()
        assert not end.value.code
        assert said in capsys.readouterr().out
