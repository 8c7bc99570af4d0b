"""Borders: circles and lines of known length and area, laws of the lattice, a full grid as the second method, and printed borders."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sim
from sim.analysis.asker import Asker
from sim.analysis.border import Spec, find
from sim.analysis.lattice import ABOVE, BELOW, LOST, UNKNOWN, lines_of, traced
from sim.analysis.survey import Case
from sim.analysis.threshold import Spec as OneSpec
from sim.analysis.threshold import find as find_one
from sim.cli import main
from sim.errors import OptionError
from sim.present.border import lines, tables
from sim.present.border_figure import draw
from sim.scenario.load import loads

BRINK = "scenarios/brinkmanship.toml"
SPE = {"concept": "subgame_perfect", "options": {}, "case": Case()}
BACKED = Spec(of="backed_down", x="risk_per_rung", y="audience_cost", coarse=16, resolution=64)

PLANE = """
title = "act where two numbers say so"
[assumptions.p]
value = 0.5
range = [0, 2]
[assumptions.q]
value = 50
range = [1, 100]
[players.a]
[state.done]
values = ["nothing", "acted", "kept"]
start = "nothing"
[[turns]]
player = "a"
[moves.act]
player = "a"
effects = { done = "acted" }
[moves.keep]
player = "a"
effects = { done = "kept" }
[payoffs.a]
final = "PAYOFF if done == acted else 0"
[outcomes]
acted = "final(done == acted)"
"""


def disc(x0, y0, radius, *, jump):
    def ask(x, y):
        inside = radius**2 - (x - x0) ** 2 - (y - y0) ** 2
        return np.where(inside >= 0, 1.0, -0.2) if jump else inside

    return ask


@given(x0=st.floats(0.35, 0.65), y0=st.floats(0.35, 0.65), radius=st.floats(0.08, 0.3), jump=st.booleans())
@settings(max_examples=40)
def test_a_circle_has_its_length_and_area(x0, y0, radius, jump):
    asked = []
    ask = disc(x0, y0, radius, jump=jump)

    def counted(x, y):
        asked.append(len(x))
        return ask(x, y)

    found = traced(counted, 0.0, 16, 256)
    assert sum(asked) == found.asked
    [one], share = lines_of(counted, found, 0.0, 1e-6)
    assert one.closed
    fine = 1e-6 + (1 / 256 / radius) ** 2  # of a polygon inscribed
    assert one.length == pytest.approx(2 * math.pi * radius, rel=fine)
    assert share == pytest.approx(math.pi * radius**2, rel=fine)
    low, high = found.area()
    assert low < math.pi * radius**2 < high
    assert np.abs(np.hypot(one.points[:, 0] - x0, one.points[:, 1] - y0) - radius).max() <= 1e-6
    assert (ask(*one.above.T) >= -1e-12).all()  # so near counts as at the level
    assert (ask(*one.below.T) < 0).all()
    assert np.abs(one.above - one.below).max() <= 1e-6
    assert len({tuple(point) for point in one.points.tolist()}) == len(one.points) - 1  # all of it, once around


@given(
    waves=st.lists(st.tuples(st.floats(1, 9), st.floats(1, 9), st.floats(0, 6)), min_size=1, max_size=3),
    lost=st.booleans(),
)
@settings(max_examples=40)
def test_what_was_asked_is_what_a_full_grid_says(waves, lost):
    def ask(x, y):
        out = sum(np.sin(a * x + b * y + c) for a, b, c in waves)
        return np.where((x > 0.7) & (y > 0.6), np.nan, out) if lost else out

    size = 64
    found = traced(ask, 0.1, 16, size)
    x, y = np.meshgrid(np.arange(size + 1) / size, np.arange(size + 1) / size, indexing="ij")
    whole = ask(x, y)
    wanted = np.where(np.isnan(whole), LOST, np.where(whole >= 0.1, ABOVE, BELOW))
    known = found.side != UNKNOWN
    assert known.sum() == found.asked
    assert (found.side[known] == wanted[known]).all()
    corners = np.stack([wanted[:-1, :-1], wanted[1:, :-1], wanted[1:, 1:], wanted[:-1, 1:]])
    same = corners.min(axis=0) == corners.max(axis=0)
    touched = [found.side[a : size + a, b : size + b] != UNKNOWN for a in (0, 1) for b in (0, 1)]
    near = np.logical_and.reduce(touched)  # looked at down to the finest
    assert (found.leaf[near & same] == corners[0][near & same]).all()
    assert (found.leaf[near & ~same] == UNKNOWN).all()
    every, share = lines_of(ask, found, 0.1, 1e-6)
    for one in every:  # a line ends at the rim, or where answers do
        if not one.closed:
            for end in (one.points[0], one.points[-1]):
                rim = min(*end, *(1 - end)) <= 1e-6
                gap = lost and max(0.7 - end[0], 0.6 - end[1]) <= 2 / size
                assert rim or gap
    assert found.area()[0] - 1e-12 <= share <= found.area()[1] + 1e-12


def test_four_corners_that_alternate_are_told_by_the_middle():
    for sign in (1, -1):

        def ask(x, y, sign=sign):
            return (x - 0.53) * (y - 0.53) + sign * 1e-3

        found = traced(ask, 0.0, 2, 4)
        every, _ = lines_of(ask, found, 0.0, 1e-6)
        assert len(every) == 2
        joined = ask(np.array([0.53]), np.array([0.53]))[0] >= 0
        for one in every:  # each stays on one side of the middle
            side = np.sign(one.points - 0.53)
            assert (np.ptp(side.sum(axis=1)) < 4) == joined or not joined


def test_twenty_times_fewer_than_the_full_grid():
    for ask in (disc(0.5, 0.5, 0.3, jump=True), lambda x, y: x + 0.3 * y - 0.6):
        asked = []

        def counted(x, y, ask=ask, asked=asked):
            asked.append(len(x))
            return ask(x, y)

        found = traced(counted, 0.0, 32, 1024)
        lines_of(counted, found, 0.0, 1e-6)
        assert 1025**2 / sum(asked) >= 20


def test_what_lies_between_the_points_of_the_coarse_lattice_is_missed_and_said():
    found = traced(disc(0.5 + 1 / 32, 0.5 + 1 / 32, 1 / 80, jump=False), 0.0, 16, 64)
    assert found.area() == (0.0, 0.0)
    record = find(BACKED, scenario=sim.load(BRINK), **SPE).record()
    assert record["missed"] == {"share": 1 / 16, "x": 0.15 / 16, "y": 2 / 16}


def test_a_hyperbola_on_a_log_scale():
    """Acting pays where p·q ≥ 20, with q by ratio: the line is log q = log 20 - log p, and the share an integral."""
    scenario = loads(PLANE.replace("PAYOFF", "p * q - 20"), "plane.toml")
    spec = Spec(of="acted", x="p", y="q", y_scale="log", coarse=16, resolution=128)
    record = find(spec, scenario=scenario, **SPE).record()
    [line] = record["lines"]
    points = np.array(line["points"])
    assert np.abs(points[:, 0] * points[:, 1] / 20 - 1).max() <= 2e-5
    p = np.linspace(0.2, 2, 200_001)
    wanted = np.trapezoid(1 - np.log(20 / p) / math.log(100), p) / 2
    assert record["area"]["share"] == pytest.approx(wanted, rel=1e-4)
    assert record["area"]["low"] <= wanted <= record["area"]["high"]
    assert line["beside"]["above"]["moves"] == {"act": 1.0}
    assert line["beside"]["below"]["moves"] == {"keep": 1.0}
    assert line["parting"]["actions"] == ["keep", "act"]
    assert record["crosses"] == 0.5
    assert json.dumps(record, allow_nan=False)


def test_the_border_passes_through_the_thresholds():
    scenario = sim.load(BRINK)
    found = find(BACKED.model_copy(update={"resolution": 512}), scenario=scenario, **SPE)
    points = np.concatenate([line.points for line in found.lines])
    checked = 0
    for risk in (0.045, 0.048, 0.055):
        case = Case(set={"risk_per_rung": risk})
        one = find_one(
            OneSpec(of="backed_down", vary="audience_cost", crosses=0.5), scenario=scenario, **{**SPE, "case": case}
        )
        assert one.complete
        for cost in one.record()["facts"]["at"]:
            if (
                cost / 2 > 1 - 1 / BACKED.coarse
            ):  # an island at the rim, smaller than a coarse cell: what a border can miss
                assert not (points[:, 1] > 1 - 1e-3)[np.abs(points[:, 0] - risk / 0.15) < 0.02].any()
                continue
            away = np.hypot(*(points - [risk / 0.15, cost / 2]).T).min()
            assert away <= 3 / 512
            checked += 1
    assert checked >= 3


def test_the_region_is_that_of_a_grid():
    scenario = sim.load(BRINK)
    found = find(BACKED, scenario=scenario, **SPE)
    ask = Asker(scenario=scenario, questions=("backed_down",))
    rng = np.random.default_rng(5)
    share = rng.random((2, 3000))
    answers = ask({"risk_per_rung": share[0] * 0.15, "audience_cost": share[1] * 2})
    cell = found.lattice.leaf[(share[0] * 64).astype(int), (share[1] * 64).astype(int)]
    sure = cell != UNKNOWN
    assert sure.sum() > 2500
    assert ((answers >= 0.5) == (cell == ABOVE))[sure].all()
    assert abs((answers >= 0.5).mean() - found.share) < 0.02


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        ({"x": "risk_per_rung", "y": "risk_per_rung"}, "x and y are both"),
        ({"x": "risk_per_rung", "y": "nobody"}, "'nobody' cannot be varied"),
        ({"x": "risk_per_rung", "y": "audience_cost", "resolution": 100}, "times a power of two"),
        ({"x": "risk_per_rung", "y": "precision"}, "takes no precision"),
    ],
)
def test_mistakes_teach(spec, text):
    with pytest.raises(OptionError, match=text):
        find(Spec(of="backed_down", **spec), scenario=sim.load(BRINK), **SPE)


def test_presentation(tmp_path, capsys, monkeypatch):
    record = find(BACKED, scenario=sim.load(BRINK), **SPE).record()
    assert json.dumps(record) == json.dumps(find(BACKED, scenario=sim.load(BRINK), **SPE).record())
    assert record["facts"]["fewer"] == record["facts"]["full_grid"] / (
        record["facts"]["lattice_solves"] + record["facts"]["line_solves"]
    )
    assert len(record["region"]) == 64
    assert {len(row) for row in record["region"]} == {64}
    assert len(lines(record)) >= 4
    assert len(tables(record)[0].rows) == len(record["lines"])
    assert draw(record, tmp_path / "a.svg").read_bytes() == draw(record, tmp_path / "b.svg").read_bytes()
    assert b"level k" in draw([record, {**record, "concept": "level_k"}], tmp_path / "c.svg").read_bytes()
    with pytest.raises(OptionError, match="different assumptions"):
        draw([record, {**record, "x": record["y"]}], tmp_path / "d.svg")
    command = ["sim", "border", BRINK, "--x", "risk_per_rung", "--y", "audience_cost", "--outcome", "backed_down"]
    monkeypatch.setattr("sys.argv", [*command, "--coarse", "8", "--resolution", "32", "--y-range", "0:1"])
    with pytest.raises(SystemExit) as stop:
        main()
    assert not stop.value.code
    assert "audience_cost 0 to 1" in capsys.readouterr().out
