"""Orders and named variants in a scenario file: what they declare, how they are told, and that nothing in their place does harm."""

import copy
import itertools
import json
import sys
import tomllib

import numpy as np
import pytest
import tomli_w
from hypothesis import given, settings
from hypothesis import strategies as st

import sim
from sim.cli import main
from sim.errors import OptionError, ScenarioError
from sim.numerics.orders import cardinalise, width
from sim.present.describe import describe
from sim.scenario.load import loads
from sim.scenario.variants import variant_settings

TEXT = """
title = "Four ends"

[players.moscow]

[orders.moscow_wants]
order = "status_quo > deal > rock_bottom > war"
range = [-1, 2]
basis = "inferred"
source = "¶3"
note = "what Moscow prefers"

[orders.loose]
order = ["a > b > c > d", "a > e > d"]

[orders.cost_of_ends]
worst_to_best = ["ruin", "price", "gift"]
range = [0, 10]

[assumptions.price]
value = 7

[assumptions.zeal]
value = 1
range = [0, 4]

[assumptions.successor]
choices = ["hawk", "dove"]
value = "dove"

[variants."hawkish successor"]
set  = { zeal = 3, successor = "hawk" }
name = "the hawk"
note = "from 2021"

[variants.tired]
set = { zeal = 0, deal = 0.25 }

[state.end]
values = ["sq", "dl", "rb", "wr"]
start = "sq"

[[turns]]
player = "moscow"

[moves.go]
player = "moscow"
choose = { end = ["sq", "dl", "rb", "wr"] }

[payoffs.moscow.each_round]
end  = "status_quo if end == sq else deal if end == dl else rock_bottom if end == rb else war"
rest = "zeal * (successor == hawk) + 0 * (ruin + price + gift + a + b + c + d + e)"

[outcomes]
war_comes = "ever(end == wr)"
"""


@pytest.fixture
def scenario():
    return loads(TEXT, "ends.toml")


def values(scenario, names):
    return [scenario.assumptions[name].value.constant for name in names]


def test_an_order_alone_declares_its_members(scenario):
    order = scenario.order("moscow_wants")
    assert order.members == ("status_quo", "deal", "rock_bottom", "war")
    assert order.above == ((0, 1), (1, 2), (2, 3))
    assert (order.low, order.high, order.basis, order.source) == (-1, 2, "inferred", ("¶3",))
    assert values(scenario, order.members) == [2, 1, 0, -1]
    made = scenario.assumptions["deal"]
    assert (made.range, made.choices, made.basis, made.source) == ((-1, 2), None, "inferred", ("¶3",))
    assert made.note == "what Moscow prefers"
    assert scenario.warnings == ()


def test_a_partial_order_is_spaced_along_its_longest_chains(scenario):
    order = scenario.order("loose")
    assert order.members == ("a", "b", "c", "d", "e")
    assert order.above == ((0, 1), (1, 2), (2, 3), (0, 4), (4, 3))
    assert values(scenario, order.members) == pytest.approx([1, 2 / 3, 1 / 3, 0, 1 / 2])


def test_a_declared_member_keeps_its_value(scenario):
    order = scenario.order("cost_of_ends")
    assert order.members == ("gift", "price", "ruin")
    assert values(scenario, order.members) == [10, 7, 0]
    assert scenario.assumptions["price"].range is None


def test_base_values_respect_every_order(scenario):
    assert len(scenario.orders) == 3
    for order in scenario.orders:
        base = values(scenario, order.members)
        assert all(base[better] > base[worse] for better, worse in order.above)


def test_a_batch_of_cardinalisations_solves_one_game(scenario):
    order = scenario.order("moscow_wants")
    unit = np.random.default_rng(0).random((50, width(order.poset)))
    found = cardinalise(order.poset, unit).T
    game = sim.compile(scenario, dict(zip(order.members, found, strict=True)))
    assert game.variants == 50
    assert sim.play(sim.solve(game, "subgame_perfect")).outcome("war_comes").tolist() == [0] * 50


def test_variants_are_named_settings(scenario):
    assert list(scenario.variants) == ["base", "hawkish successor", "tired"]
    assert scenario.variants["hawkish successor"].settings == {"zeal": 3, "successor": "hawk"}
    assert scenario.variants["hawkish successor"].name == "the hawk"
    assert scenario.variants["base"].settings == {}
    assert variant_settings(scenario, "base") == {}
    assert variant_settings(scenario, "tired", {"zeal": 4, "e": 0.5}) == {"zeal": 4, "deal": 0.25, "e": 0.5}
    with pytest.raises(OptionError, match=r"'tird' is not a variant of ends\.toml; did you mean 'tired'\?"):
        variant_settings(scenario, "tird")
    assert list(sim.load(sim.template()).variants) == ["base"]


def test_what_is_dumped_loads_equal(scenario):
    assert loads(sim.dump(scenario), "ends.toml") == scenario
    other = TEXT.replace("deal > rock_bottom", "rock_bottom > deal")
    assert loads(other, "ends.toml").orders != scenario.orders


def test_orders_and_variants_are_told(scenario):
    told = "\n".join(describe(scenario))
    assert (
        "moscow_wants: status_quo > deal > rock_bottom > war; the worst is worth -1, the best 2   — what Moscow prefers   [¶3]"
        in told
    )
    assert "loose: a > b, b > c, c > d, a > e, e > d; the worst is worth 0, the best 1" in told
    assert "hawkish successor: zeal = 3, successor = hawk   — from 2021" in told
    assert "base:" not in told
    assert "Variants:" not in "\n".join(describe(sim.load(sim.template())))


# -- the command line -------------------------------------------------------------------------------------------------


@pytest.fixture
def run(monkeypatch, capsys, tmp_path):
    (tmp_path / "ends.toml").write_text(TEXT, encoding="utf-8")
    (tmp_path / "other.toml").write_text(TEXT.replace("zeal = 0,", "zeal = 2,"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["sim", *words])
        with pytest.raises(SystemExit) as end:
            main()
        found = capsys.readouterr()
        return end.value.code, found.out, found.err

    return call


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["--variant", "hawkish successor"], {"zeal": 3, "successor": "hawk", "deal": 1}),
        (["--variant", "tired"], {"zeal": 0, "successor": "dove", "deal": 0.25}),
        (["--variant", "base"], {"zeal": 1, "successor": "dove", "deal": 1}),
        (["--set", "zeal=2", "--variant", "tired"], {"zeal": 2, "deal": 0.25}),
        (["--variant", "tired", "--variant", "hawkish successor"], {"zeal": 3, "deal": 0.25}),
    ],
)
@pytest.mark.parametrize("place", ["before", "after"])
def test_a_variant_is_solved_and_settings_come_on_top(run, words, wanted, place):
    line = [*words, "ends.toml"] if place == "before" else ["ends.toml", *words]
    code, out, err = run("solve", *line, "--json")
    assert code == 0, err
    found = json.loads(out)["assumptions"]
    assert {name: found[name] for name in wanted} == wanted


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["solve", "ends.toml", "--variant", "tird"], "'tird' is not a variant of ends.toml; did you mean 'tired'?"),
        (["solve", "ends.toml", "--set", "zeal"], "--set takes name=value"),
        (["check", "ends.toml", "other.toml", "--variant", "tired"], "variant tired differs between the files"),
    ],
)
def test_variants_that_cannot_be(run, words, says):
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert says in err


def test_every_command_with_set_knows_variants(run):
    commands = [
        "check",
        "show",
        "solve",
        "paths",
        "moves",
        "replay",
        "compare",
        "beliefs",
        "credible",
        "stability",
        "export",
    ]
    helps = [run(command, "--help")[1] for command in commands]
    assert all("--set" in text and "--variant" in text for text in helps)
    assert run("check", "ends.toml", "--variant", "tired")[0] == 0
    assert "0.250" in run("show", "ends.toml", "--variant", "tired")[1]


# -- anything in their place ------------------------------------------------------------------------------------------

CHAINS = st.lists(
    st.sampled_from(["a", "b", "c", "risk", "rung", "east", "round", "a b", "", "<", "é"]), max_size=5
).map(" > ".join)
ORDERS = st.one_of(
    CHAINS,
    st.lists(CHAINS, max_size=3),
    st.sampled_from([0, True, {}, [[1]], ["a > b", 3]]),
)
ANY = st.sampled_from([0, -1.5, True, "x", "hawk", [], [0.5], {}, {"a": 1}, float("inf")])


def loaded(text):
    """Load a text, or check that its problems explain themselves and return None."""
    try:
        return loads(text, "x.toml")
    except ScenarioError as error:
        problems = error.problems
    assert problems
    assert all(problem.what and problem.kind and problem.line for problem in problems)
    return None


@settings(max_examples=200, deadline=None)
@given(order=ORDERS, ends=st.one_of(st.none(), st.lists(st.floats(), max_size=3), ANY), other=ORDERS)
def test_any_order_loads_or_is_explained(order, ends, other):
    document = tomllib.loads(TEXT)
    document["orders"]["loose"] = {"order": order} | ({} if ends is None else {"range": ends})
    document["orders"]["cost_of_ends"]["worst_to_best"] = other
    text = tomli_w.dumps(document)
    scenario = loaded(text)
    assert scenario is None or loads(sim.dump(scenario), "x.toml") == scenario


def test_random_orders_without_mistakes_load():
    """The law above is not vacuous: every ordering of new names loads."""
    for row in itertools.permutations("vwxy"):
        text = TEXT.replace('order = ["a > b > c > d", "a > e > d"]', f'order = "{" > ".join(row)}"').replace(
            "a + b + c + d + e", "v + w + x + y"
        )
        assert values(loads(text), row) == pytest.approx([1, 2 / 3, 1 / 3, 0])


@settings(max_examples=150, deadline=None)
@given(name=st.text(max_size=8), key=st.sampled_from(["zeal", "successor", "deal", "nobody"]), value=ANY)
def test_any_variant_loads_or_is_explained(name, key, value):
    document = copy.deepcopy(tomllib.loads(TEXT))
    document["variants"][name] = {"set": {key: value}}
    scenario = loaded(tomli_w.dumps(document))
    assert scenario is None or sim.compile(scenario, variant_settings(scenario, name)).variants == 1
