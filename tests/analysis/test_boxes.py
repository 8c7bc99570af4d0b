"""Scenario discovery: known boxes are found, and what is told of them is counted again."""

import json
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sim
from sim.analysis.asker import Asker
from sim.analysis.boxes import Cases, Restriction, Spec, _rounded, _told, discover, explore, find, inside, planned
from sim.analysis.exploring import factors_of
from sim.analysis.factors import Factor
from sim.analysis.sampled import Sampled
from sim.analysis.survey import Case
from sim.cli import main
from sim.errors import OptionError
from sim.present import boxes as present
from sim.present.boxes_figure import draw

BRINK = "scenarios/brinkmanship.toml"
FACTORS = (
    Factor(name="a", low=0, high=10),
    Factor(name="b", low=-1, high=1),
    Factor(name="kind", choices=("hawk", "dove", "owl")),
    Factor(name="switch", choices=(0.0, 1.0)),
    Factor(name="idle"),
)


class Known:
    """Answers 1 where a condition on the columns holds, 0 elsewhere."""

    def __init__(self, condition):
        self.condition = condition

    def all(self, columns, count=None):
        assert all(len(values) == count for values in columns.values())
        return np.asarray(self.condition(columns), dtype=float)[None]


def look(condition, seed=0, factors=FACTORS, **spec):
    return explore(
        Known(condition),
        factors,
        Spec(**{"of": "x", "level": 0.5, "samples": 1024, "density": 0.95, **spec}),
        seed=seed,
    )


@pytest.mark.oracle
@pytest.mark.parametrize("seed", [0, 7])
def test_a_known_box_is_found(seed):
    boxes, search, test, why = look(lambda x: (x["a"] > 6) & (x["b"] < 0.2) & (x["kind"] != "owl"), seed=seed)
    assert why == ""
    assert len(boxes) == 1
    found = {one.name: one for one in boxes[0].restrictions}
    assert set(found) == {"a", "b", "kind"}
    assert found["a"].high is None
    assert found["b"].low is None
    assert abs(found["a"].low - 6) < 0.3
    assert abs(found["b"].high - 0.2) < 0.12
    assert found["kind"].kinds == ("hawk", "dove")
    assert search.count == test.count == 1024
    for measured in (boxes[0].search, boxes[0].test):
        assert measured["density"]["share"] > 0.85
        assert measured["coverage"]["share"] > 0.85
    assert max(boxes[0].quasi_p) < 1e-6


@pytest.mark.oracle
def test_two_boxes_are_found():
    boxes, _, test, _ = look(lambda x: (x["a"] > 7) | ((x["b"] > 0.4) & (x["switch"] == 1)), samples=2048, density=0.9)
    assert len(boxes) == 2
    assert all(box.test["density"]["share"] > 0.8 for box in boxes)
    within = np.zeros(test.count, dtype=bool)
    for box in boxes:
        within |= inside(box.restrictions, test.columns, test.count)
    assert (within & test.holds).sum() > 0.8 * test.holds.sum()
    switch = [one for box in boxes for one in box.restrictions if one.name == "switch"]
    assert [one.kinds for one in switch] == [(1.0,)]


@pytest.mark.oracle
def test_numbers_are_counted_again():
    """Coverage, density, mass and quasi-p of a solved game, by plain loops over fresh variants."""
    scenario = sim.load(BRINK)
    asked = {"scenario": scenario, "concept": "quantal_response", "options": {"precision": 1.0}, "case": Case()}
    spec = Spec(of="disaster", level=0.01, samples=256, density=0.75)
    found = find(spec, **asked, seed=2)
    record = found.record()
    assert len(record["boxes"]) >= 1
    seed = int(np.random.SeedSequence(2, spawn_key=(1,)).generate_state(1)[0])
    rows = Sampled(factors=factors_of(scenario, Case()), kind="sobol", samples=256, seed=seed).rows(0, 256)
    answers = Asker(scenario=scenario, questions=("disaster",), concept="quantal_response", options={"precision": 1.0})(
        rows
    )
    box = record["boxes"][0]
    hits = size = interest = 0
    for row in range(256):
        good = answers[row] >= 0.01
        interest += good
        if all(
            (one["low"] is None or rows[one["name"]][row] >= one["low"])
            and (one["high"] is None or rows[one["name"]][row] <= one["high"])
            for one in box["restrictions"]
        ):
            size += 1
            hits += good
    assert hits > 0
    assert (box["test"]["density"]["hits"], box["test"]["density"]["draws"]) == (hits, size)
    assert (box["test"]["coverage"]["hits"], box["test"]["coverage"]["draws"]) == (hits, interest)
    assert box["test"]["mass"]["share"] == size / 256
    assert record["facts"]["density"] == hits / size
    assert record["solves"] == planned(spec, scenario=scenario, case=Case()) == 512
    assert json.dumps(record, allow_nan=False) == json.dumps(find(spec, **asked, seed=2).record(), allow_nan=False)


@pytest.mark.oracle
def test_scaling_the_answer_changes_nothing():
    def smooth(x):
        return x["a"] + 3 * x["b"]

    class Scaled:
        def __init__(self, shift, scale):
            self.shift, self.scale = shift, scale

        def all(self, columns, count=None):
            assert len(columns["a"]) == count
            return (self.shift + self.scale * smooth(columns))[None]

    one, *_ = explore(Scaled(0, 1), FACTORS, Spec(of="x", level=8.0, samples=512))
    other, *_ = explore(Scaled(5, 4), FACTORS, Spec(of="x", level=37.0, samples=512))
    below, *_ = explore(Scaled(0, -1), FACTORS, Spec(of="x", level=-8.0, side="below", samples=512))
    assert len(one) >= 1
    assert (
        [box.restrictions for box in one] == [box.restrictions for box in other] == [box.restrictions for box in below]
    )


@pytest.mark.oracle
@pytest.mark.parametrize(
    ("condition", "why"),
    [
        (lambda x: x["a"] > 99, "never"),
        (lambda x: x["a"] < 99, "always"),
        (lambda x: x["a"] > 9.99, "few"),
        (lambda x: x["a"] > 0.45, "dense"),
        (lambda x: np.sin(1000 * x["a"]) * np.sin(1001 * x["b"]) > 0, "none"),
        (lambda x: np.where(x["a"] > 3, np.nan, 1.0), "unanswered"),
    ],
)
def test_no_box_says_why(condition, why):
    boxes, search, test, found = look(condition, samples=512)
    assert (boxes, found) == ((), why)
    assert search.count + search.unanswered == test.count + test.unanswered == 512
    assert present.WHY[why]


@pytest.mark.oracle
def test_variants_without_an_answer_are_left_out():
    boxes, search, test, why = look(lambda x: np.where(x["b"] > 0.9, np.nan, x["a"] > 5))
    assert why == ""
    assert len(boxes) == 1
    assert [search.unanswered, test.unanswered] == pytest.approx([51, 51], abs=2)
    assert (search.columns["b"] <= 0.9).all()


@pytest.mark.oracle
@pytest.mark.parametrize(
    ("low", "high", "cut"),
    [(1000, 1010, 1006.0), (0.99, 1.0, 0.9963), (2000, 2020, 2012.0), (1e7, 1e7 + 10, 1e7 + 6)],
)
def test_ends_are_told_as_finely_as_the_range_asks(low, high, cut):
    """Three digits of 1006 would be 1010, where there is nothing; the words say what was measured."""
    factors = (Factor(name="a", low=low, high=high), Factor(name="b"))
    boxes, search, test, why = look(lambda x: x["a"] > cut, factors=factors, samples=512)
    assert why == ""
    assert len(boxes) == 1
    (one,) = boxes[0].restrictions
    assert abs(one.low - cut) < 0.05 * (high - low)
    assert float(boxes[0].words().removeprefix("a is at least ")) == one.low
    assert one.low == round(one.low, 5 if high == 1 else 2)
    assert boxes[0].search["density"]["share"] >= 0.95
    assert boxes[0].test["density"]["share"] > 0.9
    assert (test.columns["a"] >= one.low).sum() == boxes[0].test["density"]["draws"] > 150
    assert search.count == 512


def test_rounding_never_thins_a_box_below_its_density():
    """An end between two near cases stays exact; where nothing is lost it is rounded, and on a wide scale to digits of the value."""
    a = np.concatenate([np.full(30, 5.00041), np.full(100, 5.00044), [0.0, 10.0]])
    cases = Cases(columns={"a": a}, holds=a > 5.00042, unanswered=0)
    exact = (Restriction(name="a", low=5.000425),)
    assert _told(exact, cases, 0.99) == exact
    assert _told(exact, cases, 0.5)[0].low == 5.0
    assert _told((Restriction(name="a", low=5.00043, high=5.00045),), cases, 0.5)[0] == Restriction(
        name="a", low=5.0, high=5.00045
    ), "rounded at both ends it would be empty"
    assert _rounded(0.012345, 1000.0) == 0.0123
    assert _rounded(0.0, 10.0) == 0.0


@pytest.mark.oracle
def test_what_cannot_happen_has_an_answer():
    """A log-likelihood of −∞ fails; it is not left out as if nothing had been certified."""
    boxes, search, test, why = look(lambda x: np.where(x["a"] > 5, -0.7, -np.inf), level=-1.0)
    assert (why, search.count, test.count) == ("", 1024, 1024)
    assert search.unanswered == test.unanswered == 0
    assert search.base.hits == 512
    assert boxes[0].restrictions[0].name == "a"
    assert abs(boxes[0].restrictions[0].low - 5) < 0.3


@given(
    st.lists(st.tuples(st.floats(0, 1), st.sampled_from(["x", "y"])), min_size=1, max_size=30),
    st.one_of(st.none(), st.floats(0, 1)),
    st.one_of(st.none(), st.floats(0, 1)),
    st.sampled_from([("x",), ("y",), ("x", "y")]),
)
def test_inside_by_hand(rows, low, high, kinds):
    columns = {"a": np.array([a for a, _ in rows]), "k": np.array([k for _, k in rows], dtype=object)}
    found = inside([Restriction(name="a", low=low, high=high), Restriction(name="k", kinds=kinds)], columns, len(rows))
    by_hand = [(low is None or a >= low) and (high is None or a <= high) and k in kinds for a, k in rows]
    assert found.tolist() == by_hand


def test_coverage_and_density_are_one_count():
    """density · mass = coverage · share, whatever the box."""
    rng = np.random.default_rng(0)
    cases = Cases(columns={"a": rng.random(500)}, holds=rng.random(500) < 0.4, unanswered=0)
    for low in (0.0, 0.3, 0.9):
        m = cases.measure([Restriction(name="a", low=low)])
        assert m["density"]["share"] * m["mass"]["share"] == pytest.approx(m["coverage"]["share"] * cases.base.share)


def test_what_is_missing_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "ema_workbench", None)
    monkeypatch.setitem(sys.modules, "ema_workbench.analysis", None)
    cases = Cases(columns={"a": np.linspace(0, 1, 99)}, holds=np.linspace(0, 1, 99) > 0.5, unanswered=0)
    with pytest.raises(OptionError, match=r"install escalation-sim\[boxes\]"):
        discover((Factor(name="a"),), cases, Spec(of="x", level=0.0))


@pytest.mark.oracle
def test_pages_figures_and_the_command(tmp_path, monkeypatch, capsys):
    words = [
        "sim",
        "boxes",
        BRINK,
        "--outcome",
        "disaster",
        "--level",
        "0.01",
        "--concept",
        "quantal_response",
        "--samples",
        "256",
    ]
    monkeypatch.setattr(sys, "argv", [*words, "--json", "--figure", str(tmp_path / "boxes.svg")])
    with pytest.raises(SystemExit) as end:
        main()
    assert not end.value.code
    printed = capsys.readouterr()
    assert printed.err == ""
    record = json.loads(printed.out)
    assert (tmp_path / "boxes.svg").stat().st_size > 8000
    told = present.lines(record)
    assert told[1].startswith(f"Where {record['boxes'][0]['words']}, disaster is at least 0.01 in ")
    assert [len(table.rows) for table in present.tables(record)] == [len(record["boxes"][0]["restrictions"]), 2]
    assert len(record["points"]["holds"]) == len(record["points"]["values"][0]) == 256
    assert draw([record, {**record, "concept": "other"}], tmp_path / "two.svg").stat().st_size > 16_000
    monkeypatch.setattr(sys, "argv", [*words[:-1], "256", "--density", "2"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    assert "--density is 2.0" in capsys.readouterr().err
