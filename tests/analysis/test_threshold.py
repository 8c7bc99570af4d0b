"""Thresholds: laws of the search, pieces against brute force and closed forms, printed thresholds, and what cannot be told is said."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sim
from sim.analysis.affine import why_not_affine
from sim.analysis.credible import credible
from sim.analysis.crossings import CLOSE, cross, jumps, looked_at, sides_of
from sim.analysis.pieces import find_pieces
from sim.analysis.plan import ConceptSpec
from sim.analysis.survey import Case, Survey
from sim.analysis.threshold import Spec, find
from sim.cli import main
from sim.errors import NoAnswerError, OptionError
from sim.present.threshold import lines, tables
from sim.present.threshold_figure import draw
from sim.scenario.load import loads

BRINK, ROCK = "scenarios/brinkmanship.toml", "scenarios/rock_bottom.toml"
SPE = {"concept": "subgame_perfect", "options": {}, "case": Case()}

CHOICE = """
title = "one choice among three"
[assumptions.worth]
value = 0.5
range = [-4, 4]
[assumptions.scale]
value = 1
range = [0, 4]
[players.a]
[state.done]
values = ["nothing", "one", "two", "three"]
start = "nothing"
[[turns]]
player = "a"
[moves.one]
player = "a"
effects = { done = "one" }
[moves.two]
player = "a"
effects = { done = "two" }
[moves.three]
player = "a"
effects = { done = "three" }
[payoffs.a]
final = "PAYOFF"
[outcomes]
one = "final(done == one)"
two = "final(done == two)"
three = "final(done == three)"
"""


def choice(payoff="2 if done == one else worth if done == two else 1 - worth"):
    return loads(CHOICE.replace("PAYOFF", payoff), "choice.toml")


# -- the search, on curves that are known --------------------------------------------------------------------------------------------


@st.composite
def steps(draw):
    """Draw where a step function changes sides, some of it closer together than the scan's step."""
    places = draw(st.lists(st.integers(1, 9_999), min_size=0, max_size=8, unique=True))
    return np.sort(np.array(places)) / 10_000 + 3e-5


@given(places=steps(), scan=st.integers(8, 64), start=st.booleans())
def test_no_crossing_that_is_farther_than_a_step_from_the_others_is_missed(places, scan, start):
    def ask(x):
        return (np.searchsorted(places, x, side="right") + start) % 2 * 1.0

    curve = looked_at(ask, np.linspace(0, 1, scan + 1))
    _, found, stretches = cross(ask, curve, 0.5)
    alone = [p for k, p in enumerate(places) if all(abs(p - q) > 1 / scan for j, q in enumerate(places) if j != k)]
    for place in alone:
        assert any(one.low <= place <= one.high for one in found)
    for one in found:  # every bracket is true: it holds an odd number of changes, and says which way
        inside = ((places > one.low) & (places <= one.high)).sum()
        assert inside % 2 == 1
        assert one.high - one.low <= CLOSE
        assert one.jump
        assert one.rises == (one.after > one.before)
        assert (ask(np.array([one.low]))[0], ask(np.array([one.high]))[0]) == (one.before, one.after)
    assert not stretches


@given(slope=st.floats(0.01, 100), root=st.floats(0.02, 0.98), power=st.sampled_from([1, 3]))
def test_a_continuous_root_is_bracketed_and_is_no_jump(slope, root, power):
    def ask(x):
        return slope * np.sign(x - root) * np.abs(x - root) ** power

    _, [one], stretches = cross(ask, looked_at(ask, np.linspace(0, 1, 17)), 0.0)
    assert one.low <= root <= one.high or abs(root - one.value) <= 1e-3  # a cube is at the level within rounding
    assert not one.jump
    assert one.rises
    assert not stretches or power == 3


def test_flat_touching_and_undecided_stretches_are_results():
    def flat(x):
        return np.where(x < 0.3, 0.0, np.where(x <= 0.6, 0.5, 1.0))

    _, found, stretches = cross(flat, looked_at(flat, np.linspace(0, 1, 33)), 0.5)
    assert [(one.rises, round(one.value, 5)) for one in found] == [(True, 0.3)]
    assert [(one.kind, round(one.low, 5), round(one.high, 5), one.before, one.after) for one in stretches] == [
        ("level", 0.3, 0.6, "below", "above")
    ]

    def touch(x):
        return -np.abs(x - 0.5)

    _, found, stretches = cross(touch, looked_at(touch, np.linspace(0, 1, 33)), 0.0)
    assert not found
    assert [(one.kind, one.low, one.before, one.after) for one in stretches] == [("touch", 0.5, "below", "below")]

    def lost(x):
        return np.where(np.abs(x - 0.5) < 0.11, np.nan, x)

    _, found, stretches = cross(lost, looked_at(lost, np.linspace(0, 1, 33)), 0.5)
    assert not found
    [one] = stretches
    assert (one.kind, one.before, one.after, one.crosses) == ("none", "below", "above", True)
    assert (round(one.low, 5), round(one.high, 5)) == (0.39, 0.61)


def test_a_root_hit_by_the_scan_is_one_crossing():
    _, [one], stretches = cross(lambda x: x - 0.5, looked_at(lambda x: x - 0.5, np.linspace(0, 1, 3)), 0.0)
    assert one.exact == 0.5
    assert one.low < 0.5 < one.high
    assert one.high - one.low <= CLOSE
    assert not stretches


def test_the_points_asked_for_are_bounded():
    rng = np.random.default_rng(7)
    asked = []

    def noise(x):
        asked.append(len(x))
        return rng.random(len(x))

    curve, found, _ = cross(noise, looked_at(noise, np.linspace(0, 1, 65)), 0.5, most=500)
    assert len(curve.x) <= 65 + 500
    assert found


@given(places=steps(), scan=st.integers(8, 64))
def test_jumps_are_found_and_slopes_are_none(places, scan):
    def ask(x):
        return np.stack([np.sin(3 * x), np.searchsorted(places, x, side="right") * 1.0])

    curve, found, _ = jumps(ask, looked_at(ask, np.linspace(0, 1, scan + 1)), 0.01)
    assert len(found) == len(places)  # a staircase never comes back, so that even close steps are told apart
    for (a, b), place in zip(found, places, strict=True):
        assert curve.x[a] <= place <= curve.x[b]


def test_sides():
    assert sides_of(np.array([1.0, 1.0 + 1e-13, 2.0, -math.inf, math.nan]), 1.0).tolist() == [0, 0, 1, -1, 2]


# -- what is affine ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("payoff", "affine"),
    [
        ("worth if done == one else 2 - 3 * worth / 4", True),
        ("scale * worth if done == one else 0", True),
        ("worth * worth if done == one else 0", False),
        ("max(worth, 0) if done == one else 0", False),
        ("gain(worth) if done == one else 0", False),
        ("gain(done - 2, worth) if worth == worth else 0", False),
        ("gain(final_of - 2, worth)", True),
        ("1 if worth > 0 and done == one else 0", False),
        ("1 / (worth + 5) if done == one else 0", False),
        ("each_round + worth", True),
    ],
)
def test_what_is_affine_is_read_off_the_expressions(payoff, affine):
    scenario = choice(
        payoff.replace("final_of", "(1 if done == one else 3)").replace("gain(done", "gain((0 if done == one else 1)")
    )
    assert (why_not_affine(scenario, "worth") == "") == affine


@given(payoff=st.lists(st.integers(-4, 4), min_size=6, max_size=6))
@settings(max_examples=30)
def test_pieces_of_one_choice_are_those_of_the_upper_envelope(payoff):
    a1, b1, a2, b2, a3, b3 = payoff
    terms = [f"{a} + {b} * worth" for a, b in ((a1, b1), (a2, b2), (a3, b3))]
    scenario = choice(f"{terms[0]} if done == one else {terms[1]} if done == two else {terms[2]}")
    found = pieces(scenario, "worth", -4, 4)
    assert found.proved
    x = np.linspace(-4, 4, 4097)
    best = np.stack([a1 + b1 * x, a2 + b2 * x, a3 + b3 * x])
    winners = [frozenset(np.flatnonzero(column >= column.max() - 1e-9).tolist()) for column in best.T]
    changes = [k for k in range(1, len(x)) if winners[k] != winners[k - 1]]
    for at in -4 + 8 * found.breakpoints:
        assert min(abs(x[k] - at) for k in changes) <= 8 / 4096
    assert len(found.breakpoints) <= 2


def pieces(scenario, name, low, high, **kept):
    survey = Survey(scenario, [Case()], [ConceptSpec(concept="subgame_perfect")])
    kept = {"start": np.linspace(0, 1, 9), "close": 1e-7, "most": 5000, **kept}
    return find_pieces(survey, survey.cases[0], name, low, high, **kept)


@pytest.mark.parametrize("name", ["audience_cost", "disaster_cost", "tension_cost", "defender_prize"])
def test_between_breakpoints_the_profile_is_one(name):
    scenario = sim.load(BRINK)
    low, high = scenario.assumptions[name].range
    found = pieces(scenario, name, low, high)
    assert found.proved
    assert len(found.breakpoints) >= 2
    clear = found.clear[found.clear[:, 1] > found.clear[:, 0]]
    share = np.sort(np.random.default_rng(3).random(400))
    place = np.searchsorted(clear[:, 0], share, side="right") - 1
    kept = (place >= 0) & (share < clear[np.maximum(place, 0), 1])
    assert kept.sum() > 350
    profile = sim.solve(sim.compile(scenario, {name: low + (high - low) * share[kept]})).profile
    same = [(profile[k] == profile[k + 1]).all() for k in range(len(profile) - 1)]
    assert same == (np.diff(place[kept]) == 0).tolist()


def test_pieces_of_rock_bottom_cover_the_range_and_a_bound_leaves_gaps():
    scenario = sim.load(ROCK)
    whole = pieces(scenario, "spoil_cost", 0, 2)
    assert (whole.proved, len(whole.breakpoints)) == (True, 8)
    part = pieces(scenario, "hostile_zeal", 0, 4, most=40)
    assert not part.proved
    assert part.solves == 40
    assert 0.0 < part.covered < 1.0
    assert len(part.gaps) > 0


def test_nothing_is_proved_where_something_else_reads_it():
    found = pieces(sim.load(BRINK), "risk_per_rung", 0, 0.15)
    assert not found.proved
    assert "probability" in found.why_not
    assert found.covered == 0.0


# -- thresholds ----------------------------------------------------------------------------------------------------------------------


def test_closed_forms_are_found_and_proved():
    record = find(Spec(of="two", vary="worth", crosses=0.5), scenario=choice(), **SPE).record()
    assert record["complete"] == "proved"
    assert [(round(one["value"], 9), one["rises"], one["jump"]) for one in record["crossings"]] == [(2.0, True, True)]
    record = find(Spec(vary="worth"), scenario=choice(), **SPE).record()
    assert [round(one["value"], 9) for one in record["switches"]] == [-1.0, 2.0]
    assert record["switches"][0]["jumps"] == {"one": [0.0, 1.0], "three": [1.0, 0.0]}
    assert record["switches"][0]["parting"]["actions"] == ["three", "one"]
    assert record["switches"][1]["beside"]["after"]["moves"] == {"two": 1.0}
    assert json.dumps(record, allow_nan=False)


def test_values_cross_within_a_piece():
    found = find(Spec(of="value_a", vary="worth", crosses=3.25), scenario=choice(), **SPE)
    assert found.complete
    assert [(round(found.axis.value(one.value), 5), one.rises, one.jump) for one in found.crossings] == [
        (-2.25, False, False),
        (3.25, True, False),
    ]


def test_the_quantal_threshold_is_the_closed_form():
    """One against two others: p(two) = 1/2 where exp(λw) = exp(2λ) + exp(λ(1 - w)); over λ at w = 2.5 the same equation."""
    quantal = {"concept": "quantal_response", "options": {"precision": 1.5}, "case": Case()}
    found = find(Spec(of="two", vary="worth", crosses=0.5), scenario=choice(), **quantal)
    assert not found.complete
    [one] = found.crossings
    w = found.axis.value(one.value)
    assert abs(math.exp(1.5 * w) - math.exp(3.0) - math.exp(1.5 * (1 - w))) < 1e-3
    assert not one.jump
    spec = Spec(of="two", vary="precision", crosses=0.5, range=[0.1, 50.0])
    found = find(spec, scenario=choice(), **{**quantal, "case": Case(set={"worth": 2.5})})
    [one] = found.crossings
    precision = found.axis.value(one.value)
    assert abs(math.exp(2.5 * precision) - math.exp(2 * precision) - math.exp(-1.5 * precision)) < 1e-4
    assert found.record()["vary"]["scale"] == "log"


def test_an_advantage_is_proved_for_its_sign_alone():
    kept = {"scenario": choice(), **SPE}
    for level, proved in ((0.0, True), (0.5, False)):
        found = find(Spec(of="advantage(two)", vary="worth", crosses=level), **kept)
        assert found.complete == proved
        assert [round(found.axis.value(one.value), 5) for one in found.crossings] == [2.0 + level]
    assert not find(Spec(of="advantage(two | scale=2)", vary="worth", crosses=0.0), **kept).complete


def test_ties_everywhere_are_a_stretch_at_the_level():
    found = find(
        Spec(of="two", vary="worth", crosses=0.5), scenario=choice("worth if done == one or done == two else -9"), **SPE
    )
    assert found.complete
    assert not found.crossings
    [one] = found.stretches
    assert (one.kind, one.before, one.after) == ("level", "end", "end")
    assert one.high - one.low > 0.999


def test_the_reputation_of_kreps_and_wilson():
    """Case B05: in the first of three markets entry stays away where the belief is above b³."""
    scenario = sim.load("scenarios/entry_deterrence.toml")
    kept = {"concept": "perfect_bayesian", "options": {}, "case": Case(hidden="all")}
    spec = Spec(of="chosen(stay_out)", vary="strong_belief", crosses=0.5, range=[0.01, 0.6], scan=16)
    found = find(spec, scenario=scenario, **kept)
    values = [found.axis.value(one.value) for one in found.crossings]
    assert values == pytest.approx([0.125], abs=2e-6)
    assert not found.complete


def test_it_agrees_with_the_search_for_credible_threats():
    scenario = sim.load("scenarios/crisis_signalling.toml")
    other = credible(scenario, "a_audience", "challenge", points=17, level=0.5)
    spec = Spec(of="chosen(challenge)", vary="a_audience", crosses=0.5, scan=16)
    found = find(spec, scenario=scenario, concept="cutoff", options={}, case=Case(hidden="all"))
    assert len(found.crossings) == len(other.crossings)
    for one, two in zip(found.crossings, other.crossings, strict=True):
        assert found.axis.value(one.value) == pytest.approx(two.value, abs=1e-5)


def test_rock_bottom_printed():
    """The recorded state's advantage never changes sign with the price of spoiled relations; the belief in the floor switches play once."""
    scenario = sim.load(ROCK)
    record = find(
        Spec(of="advantage(gambit @ 2016-10:russia)", vary="spoil_cost", crosses=0.0), scenario=scenario, **SPE
    ).record()
    assert (record["complete"], record["crossings"], record["facts"]["above_share"]) == ("proved", [], 1.0)
    record = find(Spec(of="deeper_bottom", vary="spoil_cost"), scenario=scenario, **SPE).record()
    assert [round(one["value"], 5) for one in record["switches"]] == [1.47319]
    assert record["switches"][0]["parting"]["actions"] == ["full_break", "liberate_palmyra"]


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        ({"vary": "nobody"}, "'nobody' cannot be varied"),
        ({"vary": "audience_cost", "crosses": 0.5}, "no question says by what"),
        ({"vary": "audience_cost", "range": [1.0, 0.5]}, "expected two finite numbers"),
        ({"vary": "audience_cost", "range": [0.0, 9.0]}, "expected 0 to 2"),
        ({"vary": "precision"}, "takes no precision"),
        ({"vary": "audience_cost", "of": "disastre"}, "disaster"),
    ],
)
def test_mistakes_teach(spec, text):
    with pytest.raises(OptionError, match=text.replace("(", r"\(")):
        find(Spec(**spec), scenario=sim.load(BRINK), **SPE)


def test_no_answer_at_all_is_said(monkeypatch):
    monkeypatch.setattr(
        "sim.analysis.sides.Asked.__call__", lambda _, columns: np.full((1, len(columns["spoil_cost"])), np.nan)
    )
    with pytest.raises(NoAnswerError, match="no certified answer at any of"):
        find(Spec(of="deeper_bottom", vary="spoil_cost", scan=2, crosses=0.5), scenario=sim.load(ROCK), **SPE)


def test_the_same_question_has_the_same_record_and_its_solves_are_counted():
    told = []
    spec = Spec(of="backed_down", vary="audience_cost", crosses=0.5)
    records = [find(spec, scenario=sim.load(BRINK), **SPE, progress=told.append).record() for _ in range(2)]
    assert json.dumps(records[0]) == json.dumps(records[1])
    assert 0 < sum(told) / 2 <= records[0]["solves"]


def test_presentation(tmp_path, capsys, monkeypatch):
    record = find(Spec(vary="disaster_cost"), scenario=sim.load(BRINK), **SPE).record()
    assert len(record["switches"]) == 1
    assert any(line.startswith("proved: these are all") for line in lines(record))
    assert len(tables(record)[0].rows) == 1
    assert draw(record, tmp_path / "a.svg").read_bytes() == draw(record, tmp_path / "b.svg").read_bytes()
    command = ["sim", "threshold", BRINK, "--vary", "audience_cost", "--outcome", "backed_down", "--crosses", "0.5"]
    for more, text in (([], "it falls from 1 to 0"), (["--json", "--from", "0.5"], '"low": 0.5')):
        monkeypatch.setattr("sys.argv", [*command, *more])
        with pytest.raises(SystemExit) as stop:
            main()
        assert not stop.value.code
        assert text in capsys.readouterr().out


BEST_OF_TWO = """
title = "best of two"
rounds = 1
[players.us]
[assumptions.a]
value = 0.3
range = [0, 1]
[state.e]
values = ["none", "p", "q", "r"]
start = "none"
[[turns]]
player = "us"
[moves.stay]
player = "us"
effects = { e = "r" }
[moves.left]
player = "us"
group = "war"
effects = { e = "p" }
[moves.right]
player = "us"
group = "war"
effects = { e = "q" }
[payoffs.us]
final = "(a if e == p else (1 - a if e == q else 5))"
"""


@pytest.mark.parametrize(("of", "level"), [("worth(war)", 0.6), ("range_us", 4.6)])
def test_what_bends_within_a_piece_is_not_proved(of, level):
    """The worth of the best of two actions, and a range of payoffs, are convex, not affine: two crossings lie within one step of the scan."""
    found = find(
        Spec(of=of, vary="a", crosses=level, scan=3), scenario=loads(BEST_OF_TWO, "x.toml"), concept="subgame_perfect", options={},
        case=Case(),
    )  # fmt: skip
    assert not found.complete
    assert "not affine" in found.record()["why_not_proved"]
    alone = find(
        Spec(of="worth(left)", vary="a", crosses=0.6, scan=3), scenario=loads(BEST_OF_TWO, "x.toml"), concept="subgame_perfect",
        options={}, case=Case(),
    )  # fmt: skip
    assert alone.complete
    assert alone.record()["facts"]["at"] == [pytest.approx(0.6)]
