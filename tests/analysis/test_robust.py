"""Robust choice: laws of the rules, a printed table, closed forms, and values against a second program."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sim
from sim.analysis.asker import Asker
from sim.analysis.choices import choices_at
from sim.analysis.follow import worths
from sim.analysis.moves import advantage
from sim.analysis.replay import situation
from sim.analysis.robust import Spec, find
from sim.analysis.rules import RULES, hurwicz_ranges, judge
from sim.analysis.survey import Case
from sim.analysis.unknowns import own_assumptions
from sim.construct.compile import renumber
from sim.errors import NoAnswerError, OptionError
from sim.present.robust import lines, tables
from sim.present.robust_figure import draw
from sim.scenario.load import loads

ROCK = "scenarios/rock_bottom.toml"
SPE = {"concept": "subgame_perfect", "options": {}, "case": Case()}

# J. Milnor, "Games against nature" (1954), where every classical rule chooses another act.
MILNOR = np.array([[2, 2, 0, 1], [1, 1, 1, 1], [0, 4, 0, 0], [1, 3, 0, 0]], dtype=float)


def nature(table):
    """Write a decision against nature: one player, and a chance that a listed assumption makes certain."""
    states = range(1, table.shape[1] + 1)
    acts = "\n".join(f'[moves.act_{a}]\nplayer = "me"\neffects = {{ act = {a} }}\n' for a in range(1, len(table) + 1))
    branches = ",\n".join(
        f'{{ label = "s{s}", probability = "1 if nature == {s} else 0", effects = {{ state = {s} }} }}' for s in states
    )
    value = "0"
    for a, row in enumerate(table, 1):
        for s, worth in enumerate(row, 1):
            value = f"({worth} if act == {a} and state == {s} else {value})"
    return loads(
        f"""
title = "a decision against nature"
[players.me]
[assumptions.nature]
choices = {list(states)}
value = 1
[assumptions.scale]
value = 1
range = [1, 10]
[state.act]
range = [0, {len(table)}]
start = 0
[state.state]
range = [0, {table.shape[1]}]
start = 0
[[turns]]
player = "me"
[[turns]]
chance = ["told"]
{acts}
[[chance.told]]
outcomes = [{branches}]
[payoffs.me]
final = "scale * {value}"
[outcomes]
first = "final(act == 1)"
""",
        "nature.toml",
    )


LOTTERY = """
title = "a risk that another may shut"
[players.me]
[players.other]
[assumptions.luck]
value = 0.5
range = [0, 1]
[assumptions.prize]
value = 10
range = [5, 20]
[assumptions.grudge]
value = -1
range = [-2, 1]
[state.done]
values = ["nothing", "asked", "won", "lost", "shut"]
start = "nothing"
[[turns]]
player = "me"
[[turns]]
player = "other"
[moves.safe]
player = "me"
[moves.risk]
player = "me"
effects = { done = "asked" }
[moves.let]
player = "other"
outcomes = [
  { probability = "luck", effects = { done = "won if done == asked else done" } },
  { probability = "1 - luck", effects = { done = "lost if done == asked else done" } },
]
[moves.shut]
player = "other"
when = "done == asked"
effects = { done = "shut" }
[payoffs.me]
final = "prize if done == won else (-5 if done == lost else (-8 if done == shut else 0))"
[payoffs.other]
final = "grudge if done == shut else 0"
[outcomes]
risked = "played(risk)"
"""


# -- laws of the rules ----------------------------------------------------------------------------------------------------------------------


@st.composite
def decisions(draw):
    """Draw a table of small whole numbers, so that ties happen."""
    v, a = draw(st.integers(1, 6)), draw(st.integers(1, 5))
    return np.array(draw(st.lists(st.lists(st.integers(-5, 5), min_size=a, max_size=a), min_size=v, max_size=v)), float)


@given(values=decisions(), alpha=st.sampled_from([0.0, 0.3, 0.5, 1.0]), data=st.data())
def test_a_dominated_move_changes_no_winner(values, alpha, data):
    copied = data.draw(st.integers(0, values.shape[1] - 1))
    less = np.array(data.draw(st.lists(st.integers(1, 3), min_size=len(values), max_size=len(values))), float)
    before = judge(values, alpha=alpha, level=1.0)
    after = judge(np.column_stack([values, values[:, copied] - less]), alpha=alpha, level=1.0)
    for rule in RULES:  # it is worse everywhere, so that it can only tie where a rule looks at nothing that differs
        assert set(after.winners[rule]) - {values.shape[1]} == set(before.winners[rule])
    assert values.shape[1] not in after.winners["minimax_regret"]
    assert after.dominated[-1] >= 0


@given(values=decisions(), shift=st.integers(-3, 3), alpha=st.floats(0, 1))
def test_regret_has_a_zero_in_every_variant_and_shifts_shift(values, shift, alpha):
    found = judge(values, alpha=alpha)
    assert (found.regret >= 0).all()
    assert found.share_best.sum() >= 1 - 1e-12
    assert (values.max(axis=1)[:, None] - values).min(axis=1).tolist() == [0.0] * len(values)
    moved = judge(values + shift, alpha=alpha)
    assert moved.winners == found.winners
    np.testing.assert_allclose(moved.worst, found.worst + shift)
    np.testing.assert_allclose(moved.regret, found.regret)
    for move, row in enumerate(found.worst_row):  # what is named is where it is
        assert values[row, move] == found.worst[move] == values[:, move].min()


@given(values=decisions())
def test_ranges_of_alpha_say_what_hurwicz_chooses(values):
    worst, best = values.min(axis=0), values.max(axis=0)
    ranges = hurwicz_ranges(worst, best)
    for alpha in np.linspace(0, 1, 41):
        winners = judge(values, alpha=float(alpha)).winners["hurwicz"]
        inside = [move for move, spans in enumerate(ranges) if any(a - 1e-9 <= alpha <= b + 1e-9 for a, b in spans)]
        assert set(winners) <= set(inside)
        strictly = [m for m, spans in enumerate(ranges) if any(a + 1e-9 < alpha < b - 1e-9 for a, b in spans)]
        assert set(strictly) <= set(winners)


def test_what_is_not_available_everywhere_is_no_candidate_but_counts_in_regret():
    values = np.array([[1.0, 0.0, np.nan], [0.0, 2.0, 9.0]])
    found = judge(values)
    assert found.winners["maximin"] == (0, 1)
    assert found.regret[:2].tolist() == [9.0, 7.0]
    assert np.isnan(found.worst[2])
    assert found.available.tolist() == [1.0, 1.0, 0.5]
    with pytest.raises(OptionError, match="available in every variant"):
        judge(np.array([[np.nan, 1.0], [1.0, np.nan]]))


# -- printed --------------------------------------------------------------------------------------------------------------------------------


def test_milnors_table_parts_the_rules():
    found = find(Spec(alpha=0.5), scenario=nature(MILNOR), **SPE)
    record = found.record()
    assert [one["name"] for one in record["factors"]] == ["nature"]
    assert record["held"]["own"] == ["scale"]
    assert record["complete"]
    assert record["variants"]["compared"] == 4
    facts = record["facts"]
    assert (facts["expected"], facts["maximin"], facts["hurwicz"], facts["minimax_regret"]) == (
        "act_1", "act_2", "act_3", "act_4",
    )  # fmt: skip
    by_hand = {"act_1": (0, 2, 2, 1.25), "act_2": (1, 1, 3, 1), "act_3": (0, 4, 2, 1), "act_4": (0, 3, 1, 1)}
    assert len(record["moves"]) == len(by_hand)
    for one in record["moves"]:
        assert (one["worst"], one["best"], one["regret"], one["mean"]) == by_hand[one["name"]]
    spans = {one["name"]: one["hurwicz"] for one in record["moves"]}
    assert spans == {"act_1": [], "act_2": [[0.75, 1.0]], "act_3": [[0.0, 0.75]], "act_4": []}
    assert not facts["agree"]
    listed = find(Spec(rows=[{"nature": s} for s in (1, 2, 3, 4)]), scenario=nature(MILNOR), **SPE).record()
    assert listed["facts"] == {**facts, "solves": listed["facts"]["solves"]}
    assert listed["moves"][0]["worst_at"] == {"nature": 3.0}


def test_rules_of_luce_and_raiffa_by_hand():
    found = find(Spec(alpha=0.6), scenario=nature(np.array([[0.0, 100.0], [1.0, 1.0]])), **SPE).record()["facts"]
    assert (found["maximin"], found["minimax_regret"], found["hurwicz"]) == ("act_2", "act_1", "act_1")
    assert (found["maximin_value"], found["minimax_regret_value"]) == (1.0, 1.0)


# -- closed forms ---------------------------------------------------------------------------------------------------------------------------


def test_a_lottery_with_an_opponent_who_reoptimises():
    scenario = loads(LOTTERY, "lottery.toml")
    assert own_assumptions(scenario, "me") == ("prize",)
    shared = find(Spec(vary=["luck"], samples=64), scenario=scenario, **SPE)
    assert shared.counts["corners"] == 2
    record = shared.record()
    moves = {one["name"]: one for one in record["moves"]}
    assert (moves["risk"]["worst"], moves["risk"]["best"], moves["risk"]["regret"]) == (-5.0, 10.0, 5.0)
    assert moves["risk"]["worst_at"] == {"luck": 0.0}
    assert (moves["safe"]["worst"], moves["safe"]["regret"]) == (0.0, 10.0)
    assert moves["safe"]["regret_at"] == {"luck": 1.0}
    facts = record["facts"]
    assert (facts["maximin"], facts["minimax_regret"]) == ("safe", "risk")
    assert moves["risk"]["hurwicz"] == [[0.0, pytest.approx(2 / 3)]]
    assert facts["share_best_risk"] == pytest.approx(2 / 3, abs=0.05)
    assert record["bounds"]
    # by default chance and the other's grudge vary: where he gains by it he shuts the door, and the worst is -8
    both = find(Spec(samples=64), scenario=scenario, **SPE).record()
    assert [one["name"] for one in both["factors"]] == ["luck", "grudge"]
    assert both["facts"]["worst_risk"] == -8.0
    at = next(one for one in both["moves"] if one["name"] == "risk")["worst_at"]
    assert at["grudge"] > 0
    assert find(Spec(samples=64, fixed=["grudge"]), scenario=scenario, **SPE).record()["facts"]["worst_risk"] == -5.0


def test_own_preferences_are_compared_in_units_of_their_range():
    scenario = nature(MILNOR)
    found = find(Spec(vary={"nature": None, "scale": {"choices": [1, 10]}}), scenario=scenario, **SPE).record()
    assert found["units"] == "own range"
    assert found["own_varied"] == ["scale"]
    plain = find(Spec(), scenario=scenario, **SPE).record()
    assert len(found["moves"]) == len(plain["moves"]) == 4
    for one, other in zip(found["moves"], plain["moves"], strict=True):  # a change of scale alone changes nothing
        assert one["regret"] == pytest.approx(other["regret"] / 4)
    assert found["facts"]["minimax_regret"] == plain["facts"]["minimax_regret"]
    assert any("own preferences vary" in line for line in lines(found))


def test_a_maximin_of_shifted_payoffs_shifts():
    low = find(Spec(), scenario=nature(MILNOR), **SPE).record()["facts"]
    high = find(Spec(), scenario=nature(MILNOR + 3), **SPE).record()["facts"]
    assert high["maximin_value"] == low["maximin_value"] + 3
    assert high["minimax_regret_value"] == low["minimax_regret_value"]


# -- values against a second program -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("concept", ["subgame_perfect", "quantal_response"])
def test_worths_are_those_of_the_program_that_takes_one_variant(concept):
    scenario = sim.load(ROCK)
    rng = np.random.default_rng(7)
    game = renumber(sim.compile(scenario), {"floor_belief_russia": rng.random(3), "settle_chance": 0.8 * rng.random(3)})
    solution = sim.solve(game, concept, **({"precision": 1.0} if concept == "quantal_response" else {}))
    labels, values = worths(solution, "2016-10", "russia")
    assert len(labels) >= 8
    for v in range(3):
        where = situation(solution, "2016-10", "russia", v)
        found = choices_at(where.replay.solution, where.node, 0)
        assert [label.text for label in labels] == [label.text for label in found.labels]
        np.testing.assert_allclose(values[v], found.values[:, 0], atol=1e-9)
        for name in ("gambit", "full_break"):
            inside = np.array([label.plays(name) for label in labels])
            gap = values[v, inside].max() - values[v, ~inside].max()
            assert gap == pytest.approx(advantage(solution, name, "2016-10", "russia", v), abs=1e-9)


def test_questions_of_worth_share_a_solve():
    scenario = sim.load(ROCK)
    ask = Asker(
        scenario=scenario,
        questions=("worth(gambit @ 2016-10:russia)", "worth(wait_to_be_punished @ 2016-10:russia)", "worth(respond_locally @ 2016-10:russia)",
                   "worth(hold @ 2016-10:russia)", "advantage(gambit @ 2016-10:russia)", "range_russia"),
    )  # fmt: skip
    gambit, wait, respond, hold, gap, span = ask.all({"floor_belief_russia": np.linspace(0, 1, 5)})
    assert ask.solves == 5
    assert np.isnan(hold).all()
    np.testing.assert_allclose(gap, gambit - np.maximum(wait, respond), atol=1e-9)
    assert (span > 1).all()
    with pytest.raises(OptionError, match="not a move"):
        Asker(scenario=scenario, questions=("worth(gambti @ 2016-10)",))


def test_rock_bottom_is_repeatable_and_said():
    spec = Spec(at="2016-10:russia", samples=64)
    scenario = sim.load(ROCK)
    found = find(spec, scenario=scenario, **SPE)
    record = found.record()
    assert record == find(spec, scenario=scenario, **SPE).record()
    held = {*record["held"]["own"], *record["held"]["shaping"]}
    assert {"reset_on", "russia_patience", "moscow_weights", "moscow_reference"} <= held
    assert not held & {one["name"] for one in record["factors"]}
    assert record["state"]["rung"] == "suspended"
    ask = Asker(scenario=scenario, questions=[f"worth({one['name']} @ 2016-10:russia)" for one in record["moves"]])
    assert len(record["moves"]) >= 8
    for place, one in enumerate(record["moves"]):  # the variant that is named gives the value that is told
        worst = {name: np.array([value]) for name, value in one["worst_at"].items()}
        assert ask.all(worst)[place, 0] == pytest.approx(one["worst"], abs=1e-9)
        regret = {name: np.array([value]) for name, value in one["regret_at"].items()}
        answers = ask.all(regret)[:, 0]
        assert answers.max() - answers[place] == pytest.approx(one["regret"], abs=1e-9)
    plain = find(Spec(at="2016-10:russia", samples=64, corners=False), scenario=scenario, **SPE).record()
    for one, other in zip(record["moves"], plain["moves"], strict=True):  # extremes only make worst cases worse
        assert one["worst"] <= other["worst"] + 1e-9
        assert one["share_best"] == other["share_best"]


# -- edges ------------------------------------------------------------------------------------------------------------------------------------


def test_mistakes_teach():
    scenario = loads(LOTTERY, "lottery.toml")
    for spec, words in (
        (Spec(at="2016-10:nobody"), "not a player"), (Spec(fixed=["luk"]), "neither an assumption"),
        (Spec(vary=["luck"], fixed=["grudge"]), "leave one of them out"), (Spec(samples=100), "power of 2"),
        (Spec(fixed=["luck", "grudge"]), "nothing varies"),
    ):  # fmt: skip
        with pytest.raises(OptionError, match=words):
            find(spec, scenario=scenario, **SPE)


def test_variants_without_an_answer_are_counted(monkeypatch):
    scenario = loads(LOTTERY, "lottery.toml")
    whole = Asker.all

    def lossy(self, columns, count=None):
        out = whole(self, columns, count)
        if "luck" in columns:
            out[:, np.asarray(columns["luck"]) < 0.25] = np.nan
        return out

    monkeypatch.setattr(Asker, "all", lossy)
    record = find(Spec(vary=["luck"], samples=64), scenario=scenario, **SPE).record()
    n = record["variants"]
    assert n["counted"] == 48  # a quarter of the draws is lost, and a corner, and what is pressed into it
    assert record["uncertified"] >= 17
    assert n["compared"] + n["uncertified"] == 64 + 2 + 1 + n["pressed"]
    assert record["facts"]["worst_risk"] >= 15 * 0.25 - 5
    assert any("no certified answer" in line for line in lines(record))
    monkeypatch.setattr(Asker, "all", lambda self, columns, count=None: whole(self, columns, count) * np.nan)
    with pytest.raises(NoAnswerError):
        find(Spec(vary=["luck"], samples=64), scenario=scenario, **SPE)


@settings(max_examples=10, deadline=None)
@given(alpha=st.floats(0, 1), tolerance=st.floats(0, 20))
def test_pages_say_it(alpha, tolerance):
    record = find(Spec(alpha=alpha, tolerance=tolerance), scenario=nature(MILNOR), **SPE).record()
    assert len(lines(record)) >= 6
    assert len(tables(record)[0].rows) == 4


def test_figures_are_drawn(tmp_path):
    record = find(Spec(samples=64), scenario=loads(LOTTERY, "lottery.toml"), **SPE).record()
    for name in ("a.svg", "a.png"):
        assert draw([record], tmp_path / name).stat().st_size > 2000


def test_how_ones_own_hidden_numbers_are_spread_is_ones_own():
    from sim.analysis.unknowns import own_assumptions

    scenario = sim.load("scenarios/crisis_signalling.toml")
    own = own_assumptions(scenario, "a")
    assert {"a_status_quo", "a_prize", "a_war", "doubt"} <= set(own)
    assert "b_war" not in own
