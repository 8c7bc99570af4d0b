"""Sensitivity: indices known in closed form, laws, another program, and what is said when there is nothing to say."""

import inspect
import json
import math
import sys

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import sim
from sim.analysis.asker import Asker
from sim.analysis.exploring import answers_of, base_of, factors_of, holds_at, in_one, interval_of
from sim.analysis.factors import Factor
from sim.analysis.grids import OneAtATime
from sim.analysis.sampled import Morris, Saltelli
from sim.analysis.sensitivity import Spec, explore, find
from sim.analysis.survey import Case
from sim.cli import main
from sim.errors import OptionError
from sim.present import sensitivity as present
from sim.present.sensitivity_figure import draw
from sim.scenario.model import Order

WORDS = [("x", "x")]
BRINK = "scenarios/brinkmanship.toml"


class Known:
    """Answers by a function of the columns."""

    def __init__(self, *functions):
        self.functions = functions

    def all(self, columns, count=None):
        return np.array([np.broadcast_to(f(columns), (count,)) for f in self.functions], dtype=float)


def units(count):
    return tuple(Factor(name=f"x{place}") for place in range(count))


def sobol(function, factors, samples=4096, seed=3, **more):
    design = Saltelli(factors=factors, samples=samples, seed=seed, second_order=more.pop("second_order", True))
    return explore(Known(function), design, Spec(of="x", **more), WORDS, seed=seed)[0]


def ishigami(x):
    a, b, c = (2 * math.pi * x[name] - math.pi for name in ("x0", "x1", "x2"))
    return np.sin(a) + 7 * np.sin(b) ** 2 + 0.1 * c**4 * np.sin(a)


def test_ishigami():
    """Indices of Ishigami & Homma (1990), a = 7, b = 0.1."""
    found = sobol(ishigami, units(4))
    variance = 0.5 + 7**2 / 8 + 0.1 * math.pi**4 / 5 + 0.1**2 * math.pi**8 / 18
    first = [0.5 * (1 + 0.1 * math.pi**4 / 5) ** 2 / variance, 7**2 / 8 / variance, 0, 0]
    both = 0.1**2 * math.pi**8 * (1 / 18 - 1 / 50) / variance
    np.testing.assert_allclose(found.variance, variance, rtol=0.01)
    np.testing.assert_allclose(found.first, first, atol=0.02)
    np.testing.assert_allclose(found.total, [first[0] + both, first[1], both, 0], atol=0.03)
    assert found.second.shape == (4, 4)
    np.testing.assert_allclose(found.second[0, 2], both, atol=0.05)
    np.testing.assert_allclose([found.second[0, 1], found.second[1, 2]], 0, atol=0.05)
    np.testing.assert_allclose(found.again, first, atol=0.03)
    assert found.first[3] == found.total[3] == 0, "what does not enter has no index at all"
    assert found.warnings(["x0", "x1", "x2", "x3"]) == []


def test_g_function():
    """Indices of Sobol's G function."""
    a = np.array([0.0, 1.0, 4.5, 9.0])

    def g(x):
        return np.prod([(np.abs(4 * x[f"x{i}"] - 2) + a[i]) / (1 + a[i]) for i in range(4)], axis=0)

    found = sobol(g, units(4), samples=8192, second_order=False)
    part = 1 / (3 * (1 + a) ** 2)
    variance = np.prod(1 + part) - 1
    total = [part[i] * np.prod(np.delete(1 + part, i)) / variance for i in range(4)]
    np.testing.assert_allclose(found.first, part / variance, atol=0.02)
    np.testing.assert_allclose(found.total, total, atol=0.02)
    assert found.second.size == 0


@given(st.floats(-100, 100), st.floats(0.01, 100), st.sampled_from([-1, 1]))
def test_affine_changes_change_nothing(shift, scale, sign):
    plain = sobol(lambda x: x["x0"] * x["x1"] + x["x2"], units(3), samples=64)
    other = sobol(lambda x: shift + sign * scale * (x["x0"] * x["x1"] + x["x2"]), units(3), samples=64)
    for name in ("first", "total", "first_error", "total_error", "again"):
        np.testing.assert_allclose(getattr(plain, name), getattr(other, name), atol=1e-6)
    np.testing.assert_allclose(plain.second[0, 1], other.second[0, 1], atol=1e-6)
    np.testing.assert_allclose(other.variance, plain.variance * scale**2, rtol=1e-6)


@given(st.lists(st.floats(-3, 3), min_size=2, max_size=4), st.floats(-2, 2))
def test_totals_are_no_less_than_firsts(weights, joint):
    found = sobol(
        lambda x: sum(w * x[f"x{i}"] for i, w in enumerate(weights)) + joint * x["x0"] * x["x1"] + 0.1 * x["x0"],
        units(len(weights)),
        samples=1024,
        second_order=False,
    )
    assume(not found.why)
    assert (found.total - found.first + found.total_error + found.first_error >= -0.01).all()
    assert found.first.sum() <= 1 + np.abs(found.first_error).sum() + 0.01


def order(above=((0, 1), (1, 2), (2, 3)), members=("a", "b", "c", "d")):
    return Order(id="worth", members=members, above=above, low=0.0, high=1.0, basis="assumed")


def test_an_order_is_one_factor():
    factors = (Factor(name="worth", order=order()), Factor(name="other"))
    found = sobol(lambda x: x["b"] + x["other"], factors, samples=8192)
    assert found.first.shape == (2,)
    share = (1 / 18) / (1 / 18 + 1 / 12)  # the greater of two uniforms is Beta(2, 1)
    np.testing.assert_allclose(found.first, [share, 1 - share], atol=0.02)
    np.testing.assert_allclose(found.total, [share, 1 - share], atol=0.02)


def test_blocks_without_an_answer_are_left_out():
    factors = units(3)
    design = Saltelli(factors=factors, samples=256, seed=1)
    bad = [3, 4, 1000]

    class Some(Known):
        def all(self, columns, count=None):
            out = super().all(columns, count)
            out[0, bad] = [np.nan, np.inf, np.nan]
            return out

    f = Known(lambda x: x["x0"] + x["x1"] ** 2)
    found = explore(Some(*f.functions), design, Spec(of="x"), WORDS)[0]
    whole = explore(f, design, Spec(of="x"), WORDS)[0]
    blocks = {row // design.stride for row in bad}
    assert found.unanswered == 3
    assert found.dropped == len(blocks) == 2
    assert whole.dropped == whole.unanswered == 0
    np.testing.assert_allclose(found.first, whole.first, atol=0.05)
    assert "2 of 256 base points are left out" in found.warnings(["x0", "x1", "x2"])[0]


@pytest.mark.parametrize("method", ["sobol", "morris"])
@pytest.mark.parametrize(("value", "why"), [(0.3, "constant"), (np.nan, "unanswered")])
def test_nothing_to_say(method, value, why):
    factors = units(2)
    design = Saltelli(factors=factors, samples=64) if method == "sobol" else Morris(factors=factors, trajectories=10)
    found = explore(Known(lambda _: value), design, Spec(of="x", method=method), WORDS)[0]
    record = found.record(["x0", "x1"])
    assert found.why == record["why"] == why
    assert record["indices" if method == "sobol" else "effects"] == []
    assert record["mean"] == (pytest.approx(0.3) if why == "constant" else None)
    assert json.dumps(record, allow_nan=False)


@pytest.mark.parametrize("seed", [2, 4, 5])
def test_what_is_too_rare_is_not_constant(seed):
    """Answers that differ in a few mixed rows only: no variance at the independent rows, but not the same everywhere."""
    found = sobol(lambda x: (x["x0"] > 0.9) & (x["x1"] > 0.9) & (x["x2"] > 0.93), units(3), samples=64, seed=seed)
    record = found.record(["x0", "x1", "x2"])
    assert found.why == record["why"] == "rare"
    assert (found.mean, found.variance, found.low, found.high) == (0, 0, 0, 1)
    assert record["indices"] == []
    (said,) = present._nothing(record)
    assert "from 0 to 1 in others" in said
    assert "take more samples" in said
    never = sobol(lambda x: x["x0"] > 2, units(3), samples=64, seed=seed)
    assert (never.why, never.low, never.high) == ("constant", 0, 0)
    assert "0 in all variants" in present._nothing(never.record(["x0", "x1", "x2"]))[0]


def test_few_samples_are_warned_of():
    found = sobol(ishigami, units(3), samples=32)
    assert any("take more samples" in text for text in found.warnings(["x0", "x1", "x2"]))


def test_morris_on_a_line():
    factors = (*units(2), Factor(name="worth", order=order()))
    design = Morris(factors=factors, trajectories=20, levels=4, seed=2)
    found = explore(Known(lambda x: 2 * x["x0"] - 3 * x["x1"] + x["b"]), design, Spec(of="x", method="morris"), WORDS)[
        0
    ]
    np.testing.assert_allclose(found.mu[:2], [2, -3], atol=1e-12)
    np.testing.assert_allclose(found.mu_star[:2], [2, 3], atol=1e-12)
    np.testing.assert_allclose(found.sigma[:2], 0, atol=1e-12)
    assert np.isnan(found.mu[2])
    assert found.mu_star[2] > 0
    assert found.record(["x0", "x1", "worth"])["effects"][2]["mu"] is None


def test_tornado_by_hand():
    factors = (Factor(name="a", low=0, high=2), Factor(name="kind", choices=("x", "y")), Factor(name="idle"))
    design = OneAtATime(base={"a": 1.0, "kind": "x", "idle": 0.5}, factors=factors)
    found = explore(
        Known(lambda x: x["a"] ** 2 + 5 * (x["kind"] == "y")), design, Spec(of="x", method="tornado"), WORDS
    )[0]
    assert found.base == 1
    assert found.ends == (
        (("low", 0.0, 0.0), ("high", 2.0, 4.0)),
        (("x", "x", 1.0), ("y", "y", 6.0)),
        (("low", 0.0, 1.0), ("high", 1.0, 1.0)),
    )
    np.testing.assert_allclose(found.swing, [4, 5, 0])
    assert [row["name"] for row in found.record(["a", "kind", "idle"])["swings"]] == ["kind", "a", "idle"]


def test_a_swing_knows_its_base():
    """Where both ends agree and the base does not, the assumption still moves the answer."""
    design = OneAtATime(base={"a": 0.5}, factors=(Factor(name="a"),))
    found = explore(Known(lambda x: (x["a"] - 0.5) ** 2), design, Spec(of="x", method="tornado"), WORDS)[0]
    assert found.swing.tolist() == [0.25]


# -- scenarios -----------------------------------------------------------------------------------------------------------


@pytest.mark.oracle
def test_scipy_agrees():
    """scipy's estimators, with its own sample, on the solved game."""
    from scipy import stats

    scenario = sim.load(BRINK)
    vary = ["disaster_cost", "risk_per_rung", "defender_prize"]
    options = {"precision": 1.0}
    case = Case()
    ours = find(
        Spec(of="highest", vary=vary, samples=1024),
        scenario=scenario,
        concept="quantal_response",
        options=options,
        case=case,
    )
    ask = Asker(scenario=scenario, questions=("highest",), concept="quantal_response", options=options)

    def played(x):
        flat = np.asarray(x).reshape(3, -1)
        return ask(dict(zip(vary, flat, strict=True)))[None].reshape(1, *np.asarray(x).shape[1:])

    dists = [stats.uniform(loc=low, scale=high - low) for low, high in (one["range"] for one in ours.factors)]
    word = "rng" if "rng" in inspect.signature(stats.sobol_indices).parameters else "random_state"
    theirs = stats.sobol_indices(func=played, n=1024, dists=dists, **{word: np.random.default_rng(5)})
    assert ours.found[0].first.shape == theirs.first_order.shape == (3,)
    np.testing.assert_allclose(ours.found[0].first, theirs.first_order, atol=0.06)
    np.testing.assert_allclose(ours.found[0].total, theirs.total_order, atol=0.06)


def test_the_same_seed_gives_the_same_record():
    scenario = sim.load(BRINK)
    asked = {"scenario": scenario, "concept": "quantal_response", "options": {"precision": 1.0}, "case": Case()}
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    for method, samples in (("sobol", 32), ("morris", 10), ("tornado", None)):
        spec = Spec(of="disaster", more=["value_defender"], method=method, samples=samples)
        texts = [json.dumps(find(spec, **asked, seed=seed).record(), allow_nan=False) for seed in (0, 0, 1)]
        assert texts[0] == texts[1]
        assert texts[0] != texts[2]
    np.testing.assert_array_equal(before, np.random.get_state()[1])  # noqa: NPY002


def test_all_questions_share_the_variants():
    scenario = sim.load(BRINK)
    asked = {"scenario": scenario, "concept": "subgame_perfect", "options": {}, "case": Case()}
    both = find(Spec(of="disaster", more=["value_defender"], samples=32), **asked)
    alone = find(Spec(of="value_defender", samples=32), **asked)
    assert both.solves == both.rows == 32 * 14
    np.testing.assert_array_equal(both.found[1].total, alone.found[0].total)
    facts = both.record()["facts"]
    assert facts["q2_total_risk_per_rung"] == alone.record()["facts"]["total_risk_per_rung"]


def test_pieces_do_not_change_answers(monkeypatch):
    scenario = sim.load(BRINK)
    ask = Asker(scenario=scenario, questions=("value_defender",))
    design = Saltelli(factors=factors_of(scenario, Case()), samples=16)
    counted = []
    whole = answers_of(ask, design, progress=counted.append)
    monkeypatch.setattr("sim.analysis.exploring.CHUNK", 37)
    pieces = answers_of(ask, design, progress=counted.append)
    assert counted[0] == design.count == sum(counted[1:])
    np.testing.assert_array_equal(whole, pieces)


def test_what_the_case_sets_does_not_vary():
    scenario = sim.load(BRINK)
    case = Case(set={"disaster_cost": 30})
    assert "disaster_cost" not in [factor.name for factor in factors_of(scenario, case)]
    with pytest.raises(OptionError, match="both set and varied"):
        factors_of(scenario, case, ["disaster_cost"])
    other = factors_of(scenario, Case(), ["disaster_cost", "audience_cost"])
    assert base_of(scenario, case, other) == {"disaster_cost": 30.0, "audience_cost": 0.5}
    assert not in_one(scenario, other)
    assert in_one(
        sim.load("scenarios/rock_bottom.toml"),
        factors_of(sim.load("scenarios/rock_bottom.toml"), Case(), ["treaty_alive"]),
    )


def test_precision_varies_like_an_assumption():
    spec = Spec(of="disaster", method="tornado", vary={"precision": [0.5, 2.0]})
    found = find(spec, scenario=sim.load(BRINK), concept="quantal_response", options={"precision": 1.0}, case=Case())
    answers = [end[2] for end in found.found[0].ends[0]]
    single = [
        float(sim.play(sim.solve(sim.compile(sim.load(BRINK)), "quantal_response", precision=p)).outcome("disaster")[0])
        for p in (0.5, 2.0, 1.0)
    ]
    np.testing.assert_allclose([*answers, found.found[0].base], single, rtol=1e-6)


@pytest.mark.parametrize(
    ("given_", "said"),
    [
        ({"of": "nothing"}, "not a question"),
        ({"of": "disaster", "samples": 100}, "power of 2"),
        ({"of": "disaster", "method": "tornado", "samples": 4}, "takes no samples"),
        ({"of": "disaster", "vary": ["audience_cost"]}, "alone"),
        ({"of": "disaster", "vary": ["auidence_cost"]}, "did you mean 'audience_cost'"),
    ],
)
def test_mistakes_teach(given_, said):
    with pytest.raises(OptionError, match=said):
        find(Spec(**given_), scenario=sim.load(BRINK), concept="subgame_perfect", options={}, case=Case())


# -- shares and levels ---------------------------------------------------------------------------------------------------


@given(st.integers(1, 10_000), st.integers(0, 10_000))
def test_wilson(size, hits):
    share = min(hits, size) / size
    low, high = interval_of(share, size)
    assert 0 <= low <= share <= high <= 1
    assert high - low <= 2 * 1.96 * 0.5 / math.sqrt(size) + 1e-12
    z = 1.959963984540054
    for end in (low, high):  # the ends are where the score test just rejects
        if 0 < end < 1:
            np.testing.assert_allclose(abs(share - end), z * math.sqrt(end * (1 - end) / size), rtol=1e-6, atol=1e-9)


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=20), st.floats(-5, 5))
def test_above_and_below_share_the_level_only(values, level):
    answers = np.array([*values, -np.inf, np.inf, np.nan])
    above, at = holds_at(answers, level, "above")
    below, same = holds_at(answers, level, "below")
    np.testing.assert_array_equal(at, same)
    np.testing.assert_array_equal(above & below, at)
    np.testing.assert_array_equal((above | below)[:-1], True)
    assert not (above | below)[-1]
    assert (above[-3:-1].tolist(), below[-3:-1].tolist(), at[-3:-1].tolist()) == ([0, 1], [1, 0], [0, 0])
    np.testing.assert_array_equal(holds_at(np.array(values), level, "above")[1], at[:-3])


# -- on the page ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["sobol", "morris", "tornado"])
def test_pages_and_figures(method, tmp_path):
    spec = Spec(of="highest", more=["value_defender"], method=method, samples={"sobol": 64, "morris": 10}.get(method))
    scenario = sim.load(BRINK)
    records = [
        find(spec, scenario=scenario, concept=concept, options={}, case=Case()).record()
        for concept in ("subgame_perfect", "quantal_response")
    ]
    for record in records:
        assert present.lines(record)[0].startswith(
            {"sobol": "Sobol", "morris": "Morris", "tornado": "one at a time"}[method]
        )
        for table in present.tables(record):
            assert table.rows
            assert all(len(row) == len(table.columns) for row in table.rows)
        assert len(present.table(record).rows) == 12
    assert draw(records, tmp_path / "one.svg").stat().st_size > 10_000
    assert (
        draw(records[0], tmp_path / "two.svg", title="x").read_bytes()
        == draw(records[:1], tmp_path / "three.svg", title="x").read_bytes()
    )


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        (
            ["--vary", "disaster_cost=5..20", "--vary", "risk_per_rung", "--samples", "16"],
            "Sobol indices under subgame_perfect: 2 assumptions, 96 variants",
        ),
        (
            ["--method", "morris", "--samples", "5"],
            "Morris' screening under subgame_perfect: 6 assumptions, 35 variants",
        ),
        (["--method", "tornado", "--vary", "disaster_cost=5,20,40"], "1 assumption, 4 variants"),
    ],
)
def test_the_command(monkeypatch, capsys, extra, said):
    monkeypatch.setattr(sys, "argv", ["sim", "sensitivity", BRINK, "--outcome", "value_defender", *extra])
    with pytest.raises(SystemExit) as end:
        main()
    assert not end.value.code
    assert said in capsys.readouterr().out


def test_unanswered_questions_end_with_1(monkeypatch, capsys):
    monkeypatch.setattr(Asker, "all", lambda self, _columns, count=None: np.full((len(self.read), count), np.nan))
    monkeypatch.setattr(sys, "argv", ["sim", "sensitivity", BRINK, "--outcome", "disaster", "--samples", "16"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 1
    assert "certified" in capsys.readouterr().err
