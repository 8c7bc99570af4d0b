"""The inverse question: nearest points in closed form and by other programs, laws, and what is verified."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog, minimize

import sim
from sim.analysis.asker import Asker
from sim.analysis.inverse import Spec, find
from sim.analysis.nearest import Box, Points, distances, half_space, nearest, singles
from sim.analysis.survey import Case
from sim.errors import NoAnswerError, OptionError
from sim.present.inverse import lines, tables
from sim.scenario.load import loads

SPE = {"concept": "subgame_perfect", "options": {}, "case": Case()}
NORMS = ("l1", "l2", "max")

PLANE = """
title = "go or stay"
[players.me]
[assumptions.x]
value = 1
range = [0, XTOP]
[assumptions.y]
value = 1
range = [0, 4]
[assumptions.mood]
choices = ["calm", "angry"]
value = "calm"
[assumptions.friends]
choices = [0, 1, 2, 3, 4]
value = 0
[state.gone]
values = ["no", "yes"]
start = "no"
[[turns]]
player = "me"
[moves.go]
player = "me"
effects = { gone = "yes" }
[moves.stay]
player = "me"
[payoffs.me]
final = "VALUE if gone == yes else 0"
[outcomes]
went = "final(gone == yes)"
"""


def plane(value="3 * x + y - 7", top="4"):
    return loads(PLANE.replace("VALUE", f"({value})").replace("XTOP", top), "plane.toml")


def dual(slope, need, norm):
    """Return how far a half-plane is from 0: what is needed, by the dual norm of the slope."""
    size = {"l1": np.abs(slope).max(), "l2": np.sqrt(np.square(slope).sum()), "max": np.abs(slope).sum()}[norm]
    return need / size


# -- the nearest point of a half-space ----------------------------------------------------------------------------------------------------


@st.composite
def half_spaces(draw):
    k = draw(st.integers(1, 6))
    number = st.floats(-5, 5).filter(lambda one: abs(one) > 0.05)
    slope = np.array(draw(st.lists(number, min_size=k, max_size=k)))
    low = -np.array(draw(st.lists(st.floats(0, 1), min_size=k, max_size=k)))
    high = low + 1.0
    most = float(np.abs(slope) @ np.where(slope > 0, high, -low))
    assume(most > 0.01)
    return slope, low, high, most * draw(st.floats(0.05, 0.95))


@settings(deadline=None)
@given(case=half_spaces(), norm=st.sampled_from(NORMS))
def test_the_nearest_point_of_a_half_space_in_a_box(case, norm):
    slope, low, high, need = case
    found = half_space(slope, need, low, high, norm)
    k = len(slope)
    assert slope @ found >= need - 1e-9
    assert ((found >= low - 1e-12) & (found <= high + 1e-12)).all()
    if norm == "l2":
        other = minimize(
            lambda z: z @ z, np.where(slope > 0, high, low), jac=lambda z: 2 * z, bounds=list(zip(low, high, strict=True)),
            constraints={"type": "ineq", "fun": lambda z: slope @ z - need, "jac": lambda _: slope}, method="SLSQP", options={"ftol": 1e-14},
        )  # fmt: skip
        assert np.sqrt(found @ found) <= np.sqrt(other.fun) + 1e-5
        return
    eye = np.eye(k)
    size = np.eye(k) if norm == "l1" else np.ones((k, 1))
    cost = np.concatenate([np.zeros(k), np.ones(size.shape[1])])
    above = np.block([[eye, -size], [-eye, -size], [-slope[None], np.zeros((1, size.shape[1]))]])
    bounds = [*zip(low, high, strict=True), *[(0, None)] * size.shape[1]]
    other = linprog(cost, A_ub=above, b_ub=np.concatenate([np.zeros(2 * k), [-need]]), bounds=bounds)
    assert other.status == 0
    mine = np.abs(found).sum() if norm == "l1" else np.abs(found).max()
    assert mine == pytest.approx(other.fun, abs=1e-6)


@settings(deadline=None, max_examples=30)
@given(case=half_spaces(), norm=st.sampled_from(NORMS))
def test_the_search_finds_it(case, norm):
    slope, low, high, need = case
    box = Box(low=low, high=high)

    def margin(steps, _picks):
        return (steps * slope).sum(axis=1) - need

    alone = singles(margin, box, 4)
    found = nearest(margin, box, norm, alone, samples=64)
    assert found is not None
    point = Points(steps=half_space(slope, need, low, high, norm)[None], picks=np.zeros((1, 0), dtype=np.int32))
    assert found.distance == pytest.approx(float(distances(box, point, norm)[0]), rel=3e-3)
    assert margin(found.steps[None], None)[0] > -1e-12
    assert all(found.distance <= one.distance + 1e-9 for one in alone)


def test_a_curved_region_against_a_fine_grid():
    box = Box(low=np.full(2, -0.5), high=np.full(2, 0.5))

    def margin(steps, _picks):  # two islands, the nearer the smaller
        near = 0.006 - ((steps - [0.25, 0.2]) ** 2).sum(axis=1)
        far = 0.04 - ((steps - [-0.4, 0.3]) ** 2).sum(axis=1)
        return np.maximum(near, far)

    side = np.linspace(-0.5, 0.5, 801)
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    grid = grid[margin(grid, None) > 0]
    assert len(grid)
    points = Points(steps=grid, picks=np.zeros((len(grid), 0), dtype=np.int32))
    for norm in NORMS:
        found = nearest(margin, box, norm, singles(margin, box), samples=256)
        assert found is not None
        assert found.distance <= float(distances(box, points, norm).min()) + 1e-3


# -- a decision whose answer is known ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("norm", NORMS)
def test_a_half_plane_of_two_assumptions(norm):
    found = find(Spec(move="go", vary=["x", "y"], norm=norm, samples=64), scenario=plane(), **SPE)
    record = found.record()
    slope = np.array([3.0, 1.0]) * 4  # in units of ranges
    assert record["distance"] == pytest.approx(dual(slope, 3.0, norm), rel=2e-3)
    assert record["verified"]["verified"]
    assert record["base"] == {"advantage": -3.0, "holds": False}
    assert [(one["name"], round(one["to"], 5)) for one in record["alone"]] == [("x", 2.0), ("y", 4.0)]
    assert [round(end, 5) for end in record["alone"][0]["crossings"][0]] == [2.0, 2.0]
    values = {one["name"]: one["to"] for one in record["changes"]}
    assert 3 * values.get("x", 1) + values.get("y", 1) == pytest.approx(7, abs=1e-4)
    if norm == "l1":
        assert list(values) == ["x"]
    if norm == "l2":
        assert (values["x"] - 1) / (values["y"] - 1) == pytest.approx(3, rel=0.1)
    assert record["facts"]["distance"] <= record["facts"]["single_distance"] + 1e-9


def test_the_unit_of_an_assumption_does_not_matter():
    small = find(Spec(move="go", vary=["x", "y"], norm="l2", samples=64), scenario=plane(), **SPE).record()
    scenario = loads(
        PLANE.replace("VALUE", "(3 * x / 100 + y - 7)").replace("XTOP", "400").replace("value = 1\nrange = [0, 400]", "value = 100\nrange = [0, 400]"),
        "plane.toml",
    )  # fmt: skip
    large = find(Spec(move="go", vary=["x", "y"], norm="l2", samples=64), scenario=scenario, **SPE).record()
    assert large["distance"] == pytest.approx(small["distance"], rel=1e-6)
    assert {one["name"]: one["units"] for one in large["changes"]} == pytest.approx(
        {one["name"]: one["units"] for one in small["changes"]}, rel=1e-5
    )


def test_choices_count_by_place_and_labels_as_one():
    scenario = plane("friends + (2 if mood == angry else 0) - 3 + 0 * x + 0 * y")
    one = find(Spec(move="go", vary=["friends", "mood"], samples=64), scenario=scenario, **SPE).record()
    assert one["distance"] == pytest.approx(0.75)  # three friends of four; an angry mood would cost 1
    assert one["changes"] == [{"name": "friends", "from": 0.0, "to": 3.0, "units": 0.75}]
    assert one["verified"]["verified"]
    none = find(Spec(move="go", vary=["mood"], samples=64), scenario=scenario, **SPE)
    assert none.record()["found"] is False
    assert any("no change found" in line for line in lines(none.record()))
    both = find(
        Spec(move="go", vary={"friends": {"choices": [0, 1]}, "mood": None}, samples=64), scenario=scenario, **SPE
    ).record()
    assert both["alone"] == []
    assert both["distance"] == pytest.approx(2.0)
    assert {one["name"] for one in both["changes"]} == {"friends", "mood"}
    assert both["verified"]["needs_each_choice"]


def test_reverse_strictly_and_a_base_that_does_already():
    scenario = plane("x + y - 2")  # a tie at base
    done = find(Spec(move="go", vary=["x", "y"], samples=64), scenario=scenario, **SPE).record()
    assert (done["found"], done["distance"], done["changes"]) == (True, 0.0, [])
    assert any("nothing need change" in line for line in lines(done))
    strict = find(Spec(move="go", strictly=True, vary=["x", "y"], samples=64), scenario=scenario, **SPE).record()
    assert 0 < strict["distance"] < 1e-6
    away = find(Spec(move="go", reverse=True, vary=["x", "y"], samples=64), scenario=plane("x + y"), **SPE).record()
    assert away["found"] is False  # it is never worse than staying
    away = find(Spec(move="go", reverse=True, vary=["x", "y"], samples=64), scenario=plane("x + y - 1"), **SPE).record()
    assert away["distance"] == pytest.approx(0.25, rel=1e-4)
    assert away["verified"]["verified"]


def test_a_distance_is_never_farther_than_one_assumption_alone():
    scenario = sim.load("scenarios/rock_bottom.toml")
    vary = ["ground_weight", "press_gain", "settle_chance", "status_weight", "demands_sincere"]
    for norm in ("max", "l1"):
        spec = Spec(move="full_break", at="2016-10:russia", vary=vary, norm=norm, samples=64)
        record = find(spec, scenario=scenario, **SPE).record()
        assert record["alone"]
        assert record["distance"] <= min(one["units"] for one in record["alone"]) + 1e-9
        assert record["verified"]["verified"]
        ask = Asker(scenario=scenario, questions=("advantage(full_break @ 2016-10:russia)",))
        point = {one["name"]: np.array([one["to"]]) for one in record["changes"]}
        assert ask(point)[0] >= -1e-6
    assert record == find(spec, scenario=scenario, **SPE).record()


def test_members_of_orders_change_one_by_one_and_a_broken_order_is_told():
    text = (
        PLANE.replace("VALUE", "(x - 3 + 0 * y)")
        .replace("XTOP", "4")
        .replace("value = 1\nrange = [0, 4]", "value = 2\nrange = [0, 4]")
    )
    text = text.replace("value = 2", "value = 1", 1) + '\n[orders.o]\norder = "y > x"\nrange = [0, 4]\n'
    record = find(Spec(move="go", vary=["o"], samples=64), scenario=loads(text, "plane.toml"), **SPE).record()
    assert record["searched"]["assumptions"] == ["y", "x"]
    assert [one["name"] for one in record["changes"]] == ["x"]
    assert record["orders_broken"] == ["o"]
    assert any("break what the scenario orders" in line for line in lines(record))


def test_mistakes_teach():
    scenario = plane()
    for spec, words in (
        (Spec(move="go", samples=100), "power of 2"), (Spec(move="go", reverse=True, strictly=True), "leave it out"),
        (Spec(move="go", vary=["x"], fixed=["y"]), "leave one of them out"), (Spec(move="went"), "not a move"),
        (Spec(move="go", fixed=["z"]), "nothing that varies"), (Spec(move="go", vary={"x": [2, 3]}), "outside 2 to 3"),
    ):  # fmt: skip
        with pytest.raises(OptionError, match=words):
            find(spec, scenario=scenario, **SPE)
    with pytest.raises(NoAnswerError, match="not available"):
        find(Spec(move="press_aleppo", at="2016-10:russia"), scenario=sim.load("scenarios/rock_bottom.toml"), **SPE)


def test_tables_are_not_empty():
    record = find(Spec(move="go", vary=["x", "y"], norm="max", samples=64), scenario=plane(), **SPE).record()
    made = tables(record)
    assert [len(one.rows) for one in made] == [2, 2]
    assert len(lines(record)) >= 4
