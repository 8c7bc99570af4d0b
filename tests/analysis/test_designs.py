"""Designs: rows do not depend on how they are cut, stay in their ranges and respect orders, and are those of scipy and SALib."""

import itertools
import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import qmc

import sim
from sim.analysis.designs import (
    DesignSpec,
    Factor,
    Grid,
    Morris,
    OneAtATime,
    Product,
    Rows,
    Saltelli,
    Sampled,
    factor_of,
    read_design,
    read_designs,
    varied,
)
from sim.errors import OptionError
from sim.scenario.load import loads
from sim.scenario.values import assumption_values

TEXT = """
title = "Ends"

[players.moscow]

[orders.wants]
order = "status_quo > deal > rock_bottom > war"
range = [-1, 2]

[orders.loose]
order = ["a > b", "a > c"]

[orders.huge]
order = [HUGE]

[assumptions.zeal]
value = 1
range = [0.5, 4]

[assumptions.rounds_lost]
value = 2
range = [1, 5]

[assumptions.successor]
choices = ["hawk", "dove"]
value = "dove"

[assumptions.cost]
choices = [1, 2, 3]
value = 2

[assumptions.calm]
value = "zeal / 8"
range = [0, 1]

[assumptions.free]
value = 0

[state.end]
values = ["sq", "dl"]
start = "sq"

[[turns]]
player = "moscow"

[moves.go]
player = "moscow"
choose = { end = ["sq", "dl"] }

[payoffs.moscow]
each_round = "status_quo if end == sq else deal"
""".replace("HUGE", ", ".join(f'"h{place} > h{place + 1}"' for place in range(0, 40, 2)))

SCENARIO = loads(TEXT, "ends.toml")
LOOSE, WANTS = factor_of(SCENARIO, "loose"), factor_of(SCENARIO, "wants")
SPIKY = factor_of(SCENARIO, "wants", {"measure": "dirichlet"})
ZEAL = factor_of(SCENARIO, "zeal", {"from": 0.5, "to": 4, "scale": "log"})
WHOLE = factor_of(SCENARIO, "rounds_lost", {"from": 1, "to": 5, "scale": "integer"})
HAWK, COST = factor_of(SCENARIO, "successor"), factor_of(SCENARIO, "cost")
FACTORS = (ZEAL, HAWK, LOOSE, WANTS, WHOLE, COST)
KINDS = ["random", "latin_hypercube", "sobol"]

DESIGNS = {
    "grid": Grid(axes={"a": [1, 2, 3], "b": ["x", "y"], "c": [0.5, 0.25, 0.125, 0]}),
    "list": Rows(table=[{"a": place, "b": f"x{place % 3}"} for place in range(17)]),
    "one at a time": read_design(SCENARIO, {"kind": "one_at_a_time", "vary": ["zeal", "successor", "wants", "cost"]}),
    **{kind: Sampled(factors=FACTORS, kind=kind, samples=8192, seed=3) for kind in KINDS},
    "sobol of dirichlet": Sampled(factors=(SPIKY, ZEAL), kind="sobol", samples=64, seed=3),
    "saltelli": Saltelli(factors=FACTORS, samples=64, seed=3),
    "saltelli of first order": Saltelli(factors=FACTORS, samples=64, second_order=False, seed=3),
    "morris": Morris(factors=FACTORS, trajectories=20, seed=3),
    "product": Product(
        designs=(
            Rows(table=[{"u": 1}, {"u": 2}, {"u": 3}]),
            Sampled(factors=(ZEAL, LOOSE), kind="sobol", samples=16, seed=1),
            Grid(axes={"v": ["p", "q", "r"], "w": [0, 1]}),
        )
    ),
    "hit and run": Sampled(factors=(ZEAL, factor_of(SCENARIO, "huge")), kind="random", samples=4100, seed=3),
}
CHEAP = sorted(set(DESIGNS) - {"hit and run"})


def same(left, right):
    assert list(left) == list(right)
    for name in left:
        assert left[name].dtype == right[name].dtype
        assert left[name].tolist() == right[name].tolist()


def joined(parts):
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


# -- laws -------------------------------------------------------------------------------------------------------------


@settings(max_examples=150, deadline=None)
@given(name=st.sampled_from(CHEAP), data=st.data())
def test_rows_do_not_depend_on_how_they_are_cut(name, data):
    design = DESIGNS[name]
    cuts = sorted(data.draw(st.lists(st.integers(0, design.count), min_size=2, max_size=5)))
    whole = design.rows(cuts[0], cuts[-1])
    assert tuple(whole) == design.names
    assert all(len(values) == cuts[-1] - cuts[0] for values in whole.values())
    same(whole, joined([design.rows(*pair) for pair in itertools.pairwise(cuts)]))
    if hasattr(design, "unit"):
        units = [design.unit(*pair) for pair in itertools.pairwise(cuts)]
        assert np.array_equal(design.unit(cuts[0], cuts[-1]), np.concatenate(units))


def test_rows_of_hit_and_run_do_not_depend_on_how_they_are_cut():
    design = DESIGNS["hit and run"]
    same(design.rows(4000, 4100), joined([design.rows(4000, 4097), design.rows(4097, 4100)]))


@pytest.mark.parametrize("name", DESIGNS)
def test_columns_are_numbers_or_labels(name):
    design = DESIGNS[name]
    rows = design.rows(0, min(5, design.count))
    assert all(values.dtype in (np.float64, object) for values in rows.values())
    assert all(isinstance(value, str) for values in rows.values() if values.dtype == object for value in values)
    with pytest.raises(OptionError, match="expected a part of 0 to"):
        design.rows(0, design.count + 1)


def respected(order, rows):
    values = np.stack([rows[name] for name in order.members])
    assert (values.min(axis=0) == order.low).all()
    assert (values.max(axis=0) == order.high).all()
    for better, worse in order.above:
        assert (values[better] > values[worse]).all()


@pytest.mark.parametrize("name", [*KINDS, "saltelli", "morris"])
def test_sampled_rows_stay_in_their_ranges_and_orders(name):
    rows = DESIGNS[name].rows(0, DESIGNS[name].count)
    assert 0.5 <= rows["zeal"].min() < 0.6
    assert 3.5 < rows["zeal"].max() <= 4
    assert set(rows["rounds_lost"]) == {1, 2, 3, 4, 5} - ({3} if name == "morris" else set())
    assert set(rows["successor"]) == {"hawk", "dove"}
    assert set(rows["cost"]) == {1, 2, 3}
    respected(SCENARIO.order("wants"), rows)
    respected(SCENARIO.order("loose"), rows)
    assumption_values(SCENARIO, rows)


def test_orders_with_too_many_down_sets_are_sampled_at_random():
    design = DESIGNS["hit and run"]
    rows = design.rows(0, 500)
    respected(SCENARIO.order("huge"), rows)
    found = design.effective_sizes()
    assert 100 < found["huge"] < design.count
    assert DESIGNS["sobol"].effective_sizes() == {"loose": 8192, "wants": 8192}
    for kind in ("sobol", "latin_hypercube"):
        with pytest.raises(OptionError, match=rf"order huge has too many down-sets for a {kind} design"):
            Sampled(factors=design.factors, kind=kind, samples=64)


@settings(max_examples=100, deadline=None)
@given(sizes=st.lists(st.integers(1, 6), min_size=1, max_size=4), data=st.data())
def test_a_product_of_grids_is_a_grid(sizes, data):
    axes = {f"x{place}": list(range(size)) for place, size in enumerate(sizes)}
    grid = Grid(axes=axes)
    split = data.draw(st.integers(0, len(sizes)))
    parts = [dict(list(axes.items())[:split]), dict(list(axes.items())[split:])]
    product = Product(designs=tuple(Grid(axes=part) for part in parts if part))
    assert product.count == grid.count == math.prod(sizes)
    start = data.draw(st.integers(0, grid.count))
    stop = data.draw(st.integers(start, grid.count))
    same(product.rows(start, stop), grid.rows(start, stop))
    listed = list(itertools.product(*axes.values()))[start:stop]
    assert list(zip(*(values.tolist() for values in grid.rows(start, stop).values()), strict=True)) == listed


@pytest.mark.parametrize("seed", [1, 2])
def test_other_seeds_draw_other_rows(seed):
    for kind in KINDS:
        first, second = (
            Sampled(factors=(ZEAL,), kind=kind, samples=64, seed=one).rows(0, 64)["zeal"] for one in (0, seed)
        )
        assert not np.isin(first, second).any()


def test_factors_of_a_random_design_are_drawn_apart():
    one, both = (Sampled(factors=factors, kind="random", samples=5000) for factors in ((ZEAL,), (ZEAL, LOOSE)))
    same(one.rows(0, 5000), {"zeal": both.rows(0, 5000)["zeal"]})
    assert abs(np.corrcoef(both.rows(0, 5000)["zeal"], both.rows(0, 5000)["b"])[0, 1]) < 0.1


# -- size -------------------------------------------------------------------------------------------------------------


def test_a_hundred_million_rows_are_not_made_to_see_the_last():
    axes = {f"x{place}": list(range(100)) for place in range(4)}
    grid = Grid(axes=axes)
    assert grid.count == 10**8
    start = time.perf_counter()
    last = grid.rows(10**8 - 2, 10**8)
    assert [values.tolist() for values in last.values()] == [[99, 99], [99, 99], [99, 99], [98, 99]]
    product = Product(
        designs=(Sampled(factors=(ZEAL, LOOSE), kind="random", samples=10**6), Grid(axes={"y": list(range(100))}))
    )
    assert product.count == 10**8
    rows = product.rows(10**8 - 150, 10**8)
    assert rows["y"].tolist() == [*range(50, 100), *range(100)]
    assert len(set(rows["zeal"])) == 2
    sobol = Sampled(factors=(ZEAL,), kind="sobol", samples=2**27)
    assert len(sobol.rows(2**27 - 3, 2**27)["zeal"]) == 3
    assert time.perf_counter() - start < 20


# -- oracles ----------------------------------------------------------------------------------------------------------

UNIT = tuple(Factor(name=name) for name in "abc")


def stacked(rows):
    return np.stack([rows[name] for name in rows], axis=1)


def test_sobol_rows_are_those_of_scipy():
    design = Sampled(factors=UNIT, kind="sobol", samples=1024, seed=11)
    wanted = qmc.Sobol(d=3, scramble=True, seed=11).random(1024)
    assert np.array_equal(stacked(design.rows(0, 1024)), wanted)
    assert np.array_equal(stacked(design.rows(100, 613)), wanted[100:613])


def test_latin_hypercubes_have_one_row_in_every_slice():
    rows = stacked(Sampled(factors=UNIT, kind="latin_hypercube", samples=200, seed=1).rows(0, 200))
    for values in rows.T:
        assert sorted((values * 200).astype(int)) == list(range(200))


GROUPED = (ZEAL, LOOSE, HAWK, WANTS)


@pytest.mark.oracle
@pytest.mark.parametrize("second", [True, False])
@pytest.mark.parametrize("factors", [UNIT, GROUPED], ids=["plain", "grouped"])
def test_saltelli_rows_are_those_of_salib(second, factors):
    sampler = pytest.importorskip("SALib.sample.sobol")
    design = Saltelli(factors=factors, samples=32, second_order=second, seed=5)
    wanted = sampler.sample(design.problem, 32, calc_second_order=second, seed=5)
    assert len(wanted) == design.count
    assert np.array_equal(design.unit(0, design.count), wanted)


def test_saltelli_samples_lead_to_the_indices_of_ishigami():
    """The printed indices of the Ishigami function with a = 7, b = 0.1: first 0.3139, 0.4424, 0; total 0.5576, 0.4424, 0.2437."""
    from SALib.analyze.sobol import analyze

    design = Saltelli(factors=UNIT, samples=4096, seed=2)
    x, y, z = (math.pi * (2 * point - 1) for point in design.unit(0, design.count).T)
    result = np.sin(x) + 7 * np.sin(y) ** 2 + 0.1 * z**4 * np.sin(x)
    found = analyze(design.problem, result, seed=1)
    assert np.allclose(found["S1"], [0.3139, 0.4424, 0], atol=0.02)
    assert np.allclose(found["ST"], [0.5576, 0.4424, 0.2437], atol=0.02)
    assert found["S2"][0, 2] == pytest.approx(0.2437, abs=0.03)


def test_an_order_is_one_factor_of_a_sobol_analysis():
    """The sum of two independent parts: a number whose variance is known, and what an order says of one member."""
    from SALib.analyze.sobol import analyze

    design = Saltelli(factors=(Factor(name="x"), LOOSE, WANTS), samples=2048, seed=2)
    assert design.count == 2048 * 8
    assert design.problem["groups"] == ["x", "loose", "loose", "wants", "wants"]
    rows = design.rows(0, design.count)
    found = analyze(design.problem, rows["x"] + rows["b"], seed=1)
    # b and c: one is 0, the other uniform below a = 1; so b has mean 1/4 and variance 1/6 - 1/16
    spread = np.array([1 / 12, 1 / 6 - 1 / 16, 0])
    assert np.allclose(found["S1"], spread / spread.sum(), atol=0.02)
    assert np.allclose(found["ST"], spread / spread.sum(), atol=0.02)
    assert len(found["S1"]) == 3


def test_morris_moves_one_factor_at_a_time():
    from SALib.analyze.morris import analyze

    design = Morris(factors=GROUPED, trajectories=50, levels=6, seed=1)
    unit, groups = design.unit(0, design.count), np.array(design.problem["groups"])
    assert len(unit) == 50 * 5
    for place in range(design.count - 1):
        moved = set(groups[unit[place] != unit[place + 1]])
        assert len(moved) == 1 or place % 5 == 4
    rows = design.rows(0, design.count)
    found = analyze(design.problem, unit, 3 * np.log(rows["zeal"]) + rows["war"], num_levels=6, seed=1)
    star = dict(zip(found["names"], found["mu_star"], strict=True))
    assert star["zeal"] == pytest.approx(3 * math.log(8))
    assert (star["loose"], star["successor"], star["wants"]) == (0, 0, 0), "the worst of an order is fixed"
    assert max(found["sigma"]) < 1e-6


# -- one at a time, lists, grids ----------------------------------------------------------------------------------------


def test_one_at_a_time_keeps_the_rest_at_its_base():
    design = DESIGNS["one at a time"]
    assert design.steps == (
        ("", ""),
        ("zeal", "low"),
        ("zeal", "high"),
        ("successor", "hawk"),
        ("successor", "dove"),
        ("wants", "low"),
        ("wants", "high"),
        ("cost", "1.0"),
        ("cost", "2.0"),
        ("cost", "3.0"),
    )
    rows = design.rows(0, design.count)
    assert rows["zeal"].tolist() == [1, 0.5, 4, *[1] * 7]
    assert rows["successor"].tolist() == ["dove", "dove", "dove", "hawk", *["dove"] * 6]
    assert rows["cost"].tolist() == [*[2] * 7, 1, 2, 3]
    order = SCENARIO.order("wants")
    respected(order, rows)
    assert rows["deal"].tolist() == pytest.approx([1, 1, 1, 1, 1, -1, 2, 1, 1, 1], abs=1e-9)


def test_rows_of_a_list_keep_what_they_leave_out():
    design = read_design(
        SCENARIO, {"kind": "list", "rows": [{"zeal": 2}, {"successor": "hawk"}, {"calm": 0.5, "zeal": 4}]}
    )
    assert design.rows(0, 3)["zeal"].tolist() == [2, 1, 4]
    assert design.rows(0, 3)["successor"].tolist() == ["dove", "hawk", "dove"]
    assert design.rows(0, 3)["calm"].tolist() == [0.25, 0.125, 0.5], "computed from the zeal of the row"


def test_axes_of_a_grid():
    vary = {
        "zeal": {"from": 0.5, "to": 4, "count": 4, "scale": "log"},
        "successor": {"choices": ["hawk"]},
        "cost": [1, 3],
        "rounds_lost": {"from": 1, "to": 5, "scale": "integer"},
        "precision": [0.5, 1],
    }
    grid = read_design(SCENARIO, {"kind": "grid", "vary": vary}, others=["precision"])
    assert grid.count == 4 * 1 * 2 * 5 * 2
    assert grid.columns[0].tolist() == pytest.approx([0.5, 1, 2, 4])
    assert grid.columns[3].tolist() == [1, 2, 3, 4, 5]
    own = read_design(SCENARIO, {"kind": "grid", "vary": ["zeal", "successor"], "samples": 3})
    assert own.columns[0].tolist() == [0.5, 2.25, 4]
    assert own.columns[1].tolist() == ["hawk", "dove"]


def test_all_is_what_is_free():
    assert list(varied(SCENARIO)) == ["zeal", "rounds_lost", "successor", "cost", "wants", "loose", "huge"]
    design = read_design(SCENARIO, {"kind": "random", "samples": 10})
    assert design.count == 10
    assert len(design.names) == 4 + 4 + 3 + 40


def test_a_factor_of_two_numbers_is_a_range_unless_it_has_choices():
    assert factor_of(SCENARIO, "zeal", [1, 2]).choices == ()
    assert factor_of(SCENARIO, "zeal", {"choices": [1, 2]}).choices == (1, 2)
    assert factor_of(SCENARIO, "cost", [1, 3]).choices == (1, 3)
    assert factor_of(SCENARIO, "free", [-3, 3]).low == -3
    assert factor_of(SCENARIO, "precision", [0, 8], others=["precision"]).high == 8
    assert factor_of(SCENARIO, "successor", ["dove"]).choices == ("dove",)


def test_several_designs_are_their_product():
    tables = [
        {"kind": "sobol", "samples": 8, "vary": ["zeal"]},
        {"kind": "random", "samples": 5, "vary": ["wants"], "measure": "dirichlet"},
        DesignSpec(kind="grid", vary={"cost": [1, 2]}),
    ]
    both = read_designs(SCENARIO, tables, seed=4)
    assert (both.count, both.names) == (80, ("zeal", *SCENARIO.order("wants").members, "cost"))
    first = read_design(SCENARIO, tables[0], seed=4)
    assert np.array_equal(both.rows(0, 80)["zeal"], np.repeat(first.rows(0, 8)["zeal"], 10))
    assert read_designs(SCENARIO, tables[:1], seed=4).names == ("zeal",)


def test_a_design_of_orders_solves_one_game():
    rows = read_design(SCENARIO, {"kind": "sobol", "samples": 64, "vary": ["wants"]}).rows(0, 64)
    game = sim.compile(SCENARIO, rows)
    assert game.variants == 64


# -- mistakes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"kind": "sobl", "samples": 8}, "design: kind is 'sobl'.*expected.*sobol"),
        ({"samples": 8}, "design: has no 'kind'"),
        ({"kind": "sobol", "sample": 8}, "unknown key 'sample'; did you mean 'samples'"),
        ({"kind": "sobol"}, "says not how many samples.*samples = 1024"),
        ({"kind": "sobol", "samples": 1.5, "vary": ["zeal"]}, "samples is 1.5; expected a whole number"),
        ({"kind": "sobol", "samples": 0, "vary": ["zeal"]}, "expected at least 1"),
        ({"kind": "sobol", "samples": 1000, "vary": ["zeal"]}, "1,000 samples; expected a power of 2, such as 1,024"),
        ({"kind": "saltelli", "samples": 100, "vary": ["zeal", "cost"]}, "power of 2, such as 128"),
        ({"kind": "saltelli", "samples": 4, "vary": ["wants"]}, "varies wants alone; expected at least two"),
        ({"kind": "saltelli", "samples": 4, "vary": ["zeal", "huge"]}, "order huge has too many down-sets for a saltelli"),
        ({"kind": "sobol", "samples": 2**31, "vary": ["zeal"]}, "expected at most 1,073,741,824"),
        ({"kind": "latin_hypercube", "samples": 10**7 + 1, "vary": ["zeal"]}, "expected at most 10,000,000; use kind = 'sobol'"),
        ({"kind": "morris", "vary": ["zeal"]}, "trajectories = 20"),
        ({"kind": "morris", "trajectories": 3, "levels": 5, "vary": ["zeal"]}, "5 levels; expected an even number"),
        ({"kind": "morris", "trajectories": 10**7, "vary": ["zeal"]}, "expected 1 to 5,000,000"),
        ({"kind": "morris", "trajectories": 3, "samples": 8}, "'samples' does not fit kind = 'morris'.*it belongs to grid or"),
        ({"kind": "random", "samples": 3, "vary": "everything"}, "vary is 'everything'; expected 'all', a list of names"),
        ({"kind": "random", "samples": 3, "vary": []}, "varies nothing"),
        ({"kind": "random", "samples": 3, "vary": ["zael"]}, "'zael' cannot be varied.*did you mean 'zeal'"),
        ({"kind": "random", "samples": 3, "vary": ["zeal", "zeal"]}, "'zeal' is varied twice"),
        ({"kind": "random", "samples": 3, "vary": ["wants", "deal"]}, "'deal' is varied twice.*an order varies all its members"),
        ({"kind": "random", "samples": 3, "vary": ["free"]}, r"'free' has no range.*write free = \[low, high\]"),
        ({"kind": "random", "samples": 3, "vary": {"zeal": [2, 1]}}, r"range of zeal is \[2, 1\].*the lower first"),
        ({"kind": "random", "samples": 3, "vary": {"zeal": [0, 1]}}, "'zeal' is set to 0; expected 0.5 to 4"),
        ({"kind": "random", "samples": 3, "vary": {"zeal": 3}}, "'zeal' is varied by 3; expected"),
        ({"kind": "random", "samples": 3, "vary": {"zeal": []}}, "empty list"),
        ({"kind": "random", "samples": 3, "vary": {"zeal": [1, "a", 2]}}, "all finite numbers, or all labels"),
        ({"kind": "random", "samples": 3, "vary": {"zeal": {"from": 1}}}, "expected { from"),
        ({"kind": "random", "samples": 3, "vary": {"zeal": {"from": 1, "to": 2, "scale": "lag"}}}, "did you mean 'log'"),
        ({"kind": "random", "samples": 3, "vary": {"free": {"from": 0, "to": 2, "scale": "log"}}}, "expected positive numbers"),
        ({"kind": "random", "samples": 3, "vary": {"free": {"from": 0.5, "to": 2, "scale": "integer"}}}, "expected whole numbers"),
        ({"kind": "random", "samples": 3, "vary": {"cost": [1, 4]}}, "'cost' is set to 4; expected one of 1, 2, 3"),
        ({"kind": "random", "samples": 3, "vary": {"cost": {"from": 1, "to": 3}}}, "'cost' has choices, and a range"),
        ({"kind": "random", "samples": 3, "vary": {"successor": ["hwak"]}}, "did you mean 'hawk'"),
        ({"kind": "random", "samples": 3, "vary": {"wants": [0, 1]}}, "order wants is varied by.*its range stands in the scenario"),
        ({"kind": "random", "samples": 3, "vary": {"wants": {"measure": "flat"}}}, "expected uniform or dirichlet"),
        ({"kind": "grid", "vary": ["zeal"]}, "says not how many values.*samples = 11"),
        ({"kind": "grid", "vary": ["wants"], "samples": 3}, "order wants has no list of values"),
        ({"kind": "grid", "vary": {"zeal": {"from": 1, "to": 2, "count": 1}}}, "says 1 how many"),
        ({"kind": "grid", "vary": {"zeal": {"from": 1, "to": 2, "cuont": 1}}}, "expected { from"),
        ({"kind": "grid", "vary": {"zeal": [1, 9]}}, "'zeal' is set to 9"),
        ({"kind": "grid", "vary": {"zael": [1, 2]}}, "did you mean 'zeal'"),
        ({"kind": "grid", "vary": {"zeal": []}}, "empty list"),
        ({"kind": "list", "rows": []}, "no rows that set something"),
        ({"kind": "list", "rows": [{"zael": 1}]}, "did you mean 'zeal'"),
        ({"kind": "list", "rows": [{"zeal": 9}]}, "'zeal' is set to 9"),
        ({"kind": "list", "rows": [{"zeal": [1, 2]}]}, "expected one number or one label"),
        ({"kind": "list", "rows": [{"zeal": 1}], "vary": ["zeal"]}, "'vary' does not fit kind = 'list'"),
        ({"kind": "one_at_a_time", "vary": ["free"]}, "'free' has no range"),
    ],
)  # fmt: skip
def test_designs_that_cannot_be(table, says):
    with pytest.raises(OptionError, match=rf"(?s){says}"):
        read_design(SCENARIO, table, seed=0)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: Grid(axes={}), "no axis"),
        (lambda: Grid(axes={"a": []}), "no values for a"),
        (lambda: Rows(table=[{"a": 1}, {"b": 1}]), "row 2 of a list sets b; expected a"),
        (lambda: Product(designs=()), "no designs"),
        (lambda: Product(designs=(Grid(axes={"a": [1]}), Grid(axes={"a": [2]}))), "'a' is varied twice"),
        (lambda: OneAtATime(base={}, factors=(ZEAL,)), "no base value of zeal"),
        (lambda: Sampled(factors=(), kind="random", samples=3), "varies nothing"),
        (lambda: Sampled(factors=(ZEAL,), kind="halton", samples=3), "no sampled design 'halton'"),
        (lambda: Sampled(factors=(ZEAL,), kind="random", samples=3, seed=-1), "seed is -1"),
        (lambda: read_designs(SCENARIO, []), "no designs"),
        (lambda: read_design(SCENARIO, {"kind": "list", "rows": [{"precision": 1}, {"zeal": 1}]}, others=["precision"]), "no base value"),
    ],
)  # fmt: skip
def test_objects_that_cannot_be(call, says):
    with pytest.raises(OptionError, match=says):
        call()
