"""Estimation: closed forms, other maximisers, a printed estimate, what was simulated is recovered, and what cannot be told is said."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize, minimize_scalar
from scipy.stats import chi2

import sim
from sim.analysis.climb import climb
from sim.analysis.fit import fit
from sim.analysis.likelihood import Data, Model, Parameter, data_of, read_records
from sim.analysis.redraw import drawn, every_slot, recorded, slots_of, tally
from sim.analysis.vuong import rival, vuong
from sim.cli import main
from sim.errors import NoAnswerError, OptionError, ScenarioError
from sim.present.fit import fit_data, fit_lines, fit_tables, interval_text
from sim.scenario.load import loads
from sim.scenario.model import Record
from sim.testing import scenarios

ROCK = "scenarios/rock_bottom.toml"

CHOICE = """
title = "one choice among three"
[assumptions.worth]
value = 0.5
range = [-4, 4]
[assumptions.kind]
value = "plain"
choices = ["plain", "odd"]
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
final = "2 if done == one else (worth if done == two else (0 if kind == plain else 3))"
[outcomes]
end = "final(done)"
"""


def record(player, action, number=1):
    return Record(date="", round=number, turn=-1, player=player, action=action, event="", label="", place="history")


def times(**counts):
    """Repeat one-move histories."""
    return [(record("a", action),) for action, count in counts.items() for _ in range(count)]


def test_two_actions_in_closed_form():
    """With two actions the estimate is ln(k / (n − k)) / d, and the interval's ends solve the likelihood ratio of the binomial law."""
    scenario = loads(CHOICE)
    found = fit(scenario, histories=times(one=37, two=13), build={"remove": ["three"]})
    exact = math.log(37 / 13) / 1.5
    best = 37 * math.log(37 / 50) + 13 * math.log(13 / 50)
    assert found.estimate["precision"] == pytest.approx(exact, rel=1e-5)
    assert found.log_likelihood == pytest.approx(best, abs=1e-9)
    assert found.uniform == pytest.approx(50 * math.log(0.5), abs=1e-9)
    assert found.aic == pytest.approx(2 - 2 * best)
    assert found.decisions == found.histories == 50
    assert len(found.data.histories) == 2

    def ratio(x):
        p = 1 / (1 + math.exp(-1.5 * x))
        return 2 * (best - 37 * math.log(p) - 13 * math.log(1 - p)) - chi2.ppf(0.95, 1)

    (interval,) = found.profiles[0].intervals
    assert interval.low == pytest.approx(brentq(ratio, 0, exact), rel=1e-4)
    assert interval.high == pytest.approx(brentq(ratio, exact, 5), rel=1e-4)
    assert interval.reached == (True, True)
    zero = 2 * (best - found.uniform)
    assert found.profiles[0].zero_ratio == pytest.approx(zero, abs=1e-8)
    assert found.profiles[0].zero_p == pytest.approx(chi2.sf(zero, 1), rel=1e-6)
    assert found.profiles[0].zero_p_mixed == pytest.approx(chi2.sf(zero, 1) / 2, rel=1e-6)


def test_the_mixture_is_self_and_liang():
    """Their critical value at 5 % on the boundary is 2.71, that of one degree of freedom at 10 %."""
    assert 0.5 * chi2.sf(2.71, 1) == pytest.approx(0.05, abs=2e-4)
    worse = fit(loads(CHOICE), histories=times(one=13, two=37), build={"remove": ["three"]})
    assert worse.estimate["precision"] == 0
    assert worse.at_end == ("precision",)
    assert worse.gradient[0] < 0
    assert worse.profiles[0].zero_p_mixed == 1
    assert worse.log_likelihood == worse.uniform
    assert any("at an end" in line for line in fit_lines(worse))


@pytest.mark.oracle
def test_two_parameters_by_another_maximiser():
    """Precision and an assumption: three actions have two free probabilities, so the model fits the shares exactly."""
    counts = {"one": 60, "two": 25, "three": 15}
    found = fit(loads(CHOICE), free=["worth"], histories=times(**counts))

    def minus(x):
        q = x[0] * np.array([2.0, x[1], 0.0])
        return -(np.array(list(counts.values())) @ (q - np.log(np.exp(q).sum())))

    other = minimize(minus, [1.0, 0.5], method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12})
    assert found.log_likelihood == pytest.approx(-other.fun, abs=1e-7)
    assert found.estimate["precision"] == pytest.approx(other.x[0], rel=1e-3)
    assert found.estimate["worth"] == pytest.approx(other.x[1], rel=1e-3)
    assert found.estimate["precision"] == pytest.approx(math.log(60 / 15) / 2, rel=1e-3)
    profile = {one.name: one for one in found.profiles}["worth"]
    place = int(np.abs(np.array(profile.values) - 1.5).argmin())
    at = profile.values[place]
    assert abs(at - 1.5) < 0.3
    held = minimize_scalar(lambda x: minus([x, at]), bounds=(0, 5), method="bounded", options={"xatol": 1e-9})
    assert profile.log_likelihood[place] == pytest.approx(-held.fun, abs=1e-5)


@pytest.mark.oracle
def test_signorinos_game_by_another_maximiser():
    scenario = sim.load("scenarios/signorino.toml")
    told = {"keep": 40, "resist": 18, "give_in": 42}
    histories = [(record("one", "keep"),)] * told["keep"]
    for second in ("resist", "give_in"):
        histories += [(record("one", "act"), record("two", second))] * told[second]
    found = fit(scenario, histories=histories)

    def minus(x):
        resist = 1 / (1 + math.exp(0.5 * x))
        act = 1 / (1 + math.exp(-x * (-resist + 1 - resist)))
        shares = {"keep": 1 - act, "resist": act * resist, "give_in": act * (1 - resist)}
        return -sum(n * math.log(shares[name]) for name, n in told.items())

    other = minimize_scalar(minus, bounds=(0, 20), method="bounded", options={"xatol": 1e-10})
    assert found.estimate["precision"] == pytest.approx(other.x, rel=1e-4)
    assert found.log_likelihood == pytest.approx(-other.fun, abs=1e-8)
    assert found.decisions == 160


OCHS = """
title = "matching pennies of Ochs"
[players.row]
[players.column]
[state.x]
values = ["none", "uu", "ud", "du", "dd"]
start = "none"
[state.r]
range = [0, 1]
start = 0
[state.c]
range = [0, 1]
start = 0
[[turns]]
simultaneous = ["row", "column"]
[moves.up]
player = "row"
effects = { r = 1 }
[moves.down]
player = "row"
[moves.left]
player = "column"
effects = { c = 1 }
[moves.right]
player = "column"
[payoffs.row]
final = "1.1141 if r == 1 and c == 1 else (0.2785 if r == 0 and c == 0 else 0)"
[payoffs.column]
final = "1.1141 if r != c else 0"
[outcomes]
end = "final(r)"
"""


def test_the_printed_estimate_for_ochs():
    """McKelvey & Palfrey (1995) on Ochs (1995), as the manual of Gambit prints it: λ = 1.8456, log-likelihood −174.7645."""
    scenario = loads(OCHS.replace('[state.x]\nvalues = ["none", "uu", "ud", "du", "dd"]\nstart = "none"\n', ""))
    shares = {("row", "up"): 67.456, ("row", "down"): 60.544, ("column", "left"): 46.848, ("column", "right"): 81.152}
    data = Data(histories=tuple((record(*one),) for one in shares), counts=np.array(list(shares.values())))
    parameter = Parameter(name="precision", kind="precision", high=50.0, knee=0.5)
    model = Model(scenario, "quantal_response", [parameter])
    peak = climb(lambda points: model.likelihood(points, data.histories) @ data.counts, np.array([0.5]), [0])
    assert parameter.value(peak.point[0]) == pytest.approx(1.8456097, abs=2e-4)
    assert peak.height == pytest.approx(-174.764532, abs=1e-5)
    played = [math.exp(x) for x in model.decisions(peak.point, data)[0]]
    assert played[0] == pytest.approx(0.6156513, abs=1e-5)
    assert played[2] == pytest.approx(0.3832909, abs=1e-5)


def sampled(scenario, precision, count, seed):
    """Play a scenario many times, and record every decision."""
    solution = sim.solve(sim.compile(scenario), "quantal_response", precision=precision)
    plays = drawn(solution, count, np.random.default_rng(seed))
    histories, which = recorded(solution, plays, every_slot(solution))
    return [histories[k] for k in which]


def test_what_was_simulated_is_recovered():
    """Of 20 intervals at 95 % fewer than 16 hold the truth with probability 0.003; and many plays bring the estimate near it."""
    scenario, truth = sim.load("scenarios/centipede_6.toml"), 1.2
    held = []
    for seed in range(20):
        found = fit(scenario, histories=sampled(scenario, truth, 60, seed), points=33, starts=1)
        (interval,) = found.profiles[0].intervals
        held.append(interval.low <= truth <= interval.high)
        assert found.log_likelihood >= found.uniform
    assert len(held) == 20
    assert sum(held) >= 16
    many = fit(scenario, histories=sampled(scenario, truth, 20_000, 1), points=33, starts=1)
    (interval,) = many.profiles[0].intervals
    assert interval.low <= truth <= interval.high
    assert interval.high - interval.low < 0.15 * truth
    assert interval.low < many.estimate["precision"] < interval.high


def test_draws_have_the_probabilities_of_play():
    solution = sim.solve(sim.compile(sim.load("scenarios/centipede_6.toml")), "quantal_response", precision=0.2)
    plays = drawn(solution, 40_000, np.random.default_rng(3))
    histories, which = recorded(solution, plays, every_slot(solution))
    exact = {tuple(step.move for step in one.steps): one.probability for one in sim.play(solution).histories(20)}
    counts = tally(which, 1, len(histories))[0]
    assert len(exact) == len(histories) == 7
    for records, n in zip(histories, counts, strict=True):
        share = exact[tuple(one.action for one in records)]
        assert abs(n / 40_000 - share) < 5 * math.sqrt(share * (1 - share) / 40_000)


def test_bootstrap_is_near_the_likelihood_interval():
    """For many plays both are the same interval; the same seed gives the same samples."""
    scenario = sim.load("scenarios/centipede_6.toml")
    histories = sampled(scenario, 1.2, 800, 5)
    found = fit(scenario, histories=histories, points=97, bootstrap=300, seed=2)
    (interval,) = found.profiles[0].intervals
    low, high = found.bootstrap.intervals["precision"]
    wide = interval.high - interval.low
    assert abs(low - interval.low) < 0.25 * wide
    assert abs(high - interval.high) < 0.25 * wide
    assert len(found.bootstrap.estimates["precision"]) == 300
    again = fit(scenario, histories=histories, points=97, profiles=False, bootstrap=300, seed=2)
    assert again.bootstrap == found.bootstrap
    assert np.mean(found.bootstrap.estimates["precision"]) == pytest.approx(found.estimate["precision"], abs=0.2 * wide)


def test_bootstrap_of_several_parameters():
    counts = {"one": 60, "two": 25, "three": 15}
    found = fit(loads(CHOICE), free=["worth"], histories=times(**counts), bootstrap=60)
    low, high = found.bootstrap.intervals["precision"]
    assert low < found.estimate["precision"] < high
    # each refit has a closed form: the share of `one` to that of `three`
    assert high - low == pytest.approx(2 * 1.96 * math.sqrt(1 / 60 + 1 / 15) / 2, rel=0.5)
    low, high = found.bootstrap.intervals["worth"]
    assert low < found.estimate["worth"] < high


@settings(max_examples=15, deadline=None)
@given(scenarios(), st.integers(0, 100), st.booleans())
def test_never_below_uniform_play(scenario, seed, each):
    """Uniform play is scanned, whatever was recorded."""
    histories = [one for one in sampled(scenario, 0.0, 3, seed) if one]
    assume(histories)
    found = fit(scenario, histories=histories, points=9, starts=2, each=each, profiles=False)
    assert found.log_likelihood >= found.uniform
    assert len(found.parameters) == (len(scenario.players) if each else 1)


def test_rock_bottom_is_at_least_uniform_and_knows_its_limits():
    found = fit(sim.load(ROCK), against=["subgame_perfect", "level_k"], bootstrap=50)
    assert (found.histories, found.decisions) == (1, 10)
    assert found.log_likelihood > found.uniform
    assert found.profiles[0].zero_ratio == pytest.approx(2 * (found.log_likelihood - found.uniform))
    assert found.log_likelihood >= found.profiles[0].log_likelihood.max()
    assert abs(found.gradient[0]) < 1e-3
    perfect, level = found.rivals
    assert perfect.log_likelihood == -math.inf
    assert perfect.impossible
    assert math.isnan(perfect.vuong.plain)
    assert level.estimate == {"level": 0}
    assert level.log_likelihood == pytest.approx(found.uniform)
    told = " ".join(fit_lines(found))
    for words in ("up to the scale of payoffs", "profiled, not estimated", "are few", "-∞", "boundary"):
        assert words in told
    tables = fit_tables(found)
    assert [len(table.rows) for table in tables[:2]] == [1, 4]
    assert fit_data(found)["rivals"][0]["concept"] == "subgame_perfect"
    assert interval_text(found.profiles[0])


def test_what_is_unbounded_is_said_to_be():
    """Always the best action: likelier and likelier, without end."""
    found = fit(loads(CHOICE), histories=times(one=4))
    assert found.log_likelihood == pytest.approx(0.0, abs=1e-6)
    assert not found.profiles[0].intervals[-1].reached[1]
    assert interval_text(found.profiles[0]).endswith("no upper end")
    assert any("no upper end within the scan" in line for line in fit_lines(found))


def test_choices_are_enumerated():
    found = fit(loads(CHOICE), free=["kind"], histories=times(one=5, two=5, three=30))
    assert found.estimate["kind"] == "odd"
    profile = found.profiles[1]
    assert profile.values == ("plain", "odd")
    plain = fit(loads(CHOICE), histories=times(one=5, two=5, three=30))
    odd = fit(loads(CHOICE), settings={"kind": "odd"}, histories=times(one=5, two=5, three=30))
    assert profile.log_likelihood.tolist() == pytest.approx([plain.log_likelihood, odd.log_likelihood], abs=1e-6)
    shaped = fit(sim.load(ROCK), free=["treaty_alive"], points=9, starts=1)  # a dead treaty cannot be broken
    assert shaped.estimate["treaty_alive"] == 1
    assert shaped.profiles[1].log_likelihood[0] == -math.inf


STAKES = """
title = "stakes that are large or small"
[assumptions.stake]
value = 1
choices = [1, 2]
[assumptions.bonus]
value = 0
choices = [0, 1]
[assumptions.worth]
value = 0
range = [-1, 1]
[players.us]
[state.done]
values = ["nothing", "one", "two"]
start = "nothing"
[[turns]]
player = "us"
[moves.one]
player = "us"
effects = { done = "one" }
[moves.two]
player = "us"
effects = { done = "two" }
[payoffs.us]
final = "(0.02 if stake == 2 else 1) * ((1 if bonus == 0 else -1) if done == one else worth)"
[outcomes]
end = "final(done)"
"""


def of_stakes(x, step):
    """The log-likelihood of 12 of 21 moves when the better one is worth a step more."""
    return -12 * np.log1p(np.exp(-x * step)) - 9 * np.log1p(np.exp(x * step))


def test_profiles_are_over_the_choices_too():
    """Stakes fifty times smaller make fifty times the precision as likely: one interval up to where the smaller stakes are rejected."""
    histories = [(record("us", "one"),)] * 12 + [(record("us", "two"),)] * 9
    found = fit(loads(STAKES), free=["stake"], histories=histories, highest=200.0)
    profile, stakes = found.profiles
    values = np.array(profile.values)
    assert len(values) > 90
    exact = np.maximum(of_stakes(values, 1.0), of_stakes(values, 0.02))
    assert profile.log_likelihood == pytest.approx(exact, abs=1e-6)
    best = 12 * math.log(12 / 21) + 9 * math.log(9 / 21)
    assert stakes.log_likelihood == pytest.approx([best, best], abs=1e-6)
    (interval,) = profile.intervals
    end = brentq(lambda x: 2 * (best - of_stakes(x, 0.02)) - chi2.ppf(0.95, 1), 20, 200)
    assert (interval.low, interval.reached) == (0.0, (False, True))
    assert interval.high == pytest.approx(end, rel=1e-4)


def test_choices_are_profiled_over_other_choices():
    """A malus for the first move leaves uniform play the best, whatever the stakes; without it either stakes fit as well."""
    histories = [(record("us", "one"),)] * 12 + [(record("us", "two"),)] * 9
    found = fit(loads(STAKES), free=["stake", "bonus"], histories=histories, highest=200.0, starts=1)
    best = 12 * math.log(12 / 21) + 9 * math.log(9 / 21)
    precision, stakes, bonus = found.profiles
    assert found.log_likelihood == pytest.approx(best, abs=1e-6)
    assert stakes.log_likelihood == pytest.approx([best, best], abs=1e-6)
    assert bonus.log_likelihood == pytest.approx([best, found.uniform], abs=1e-6)
    assert len(precision.intervals) == 1


def test_profiles_over_choices_and_scales():
    """At every precision the worth that fits is looked for at either stakes: all that is likely at small stakes up to the end of the scan."""
    histories = [(record("us", "one"),)] * 12 + [(record("us", "two"),)] * 9
    found = fit(loads(STAKES), free=["stake", "worth"], histories=histories, highest=200.0)
    profile = found.profiles[0]
    values = np.array(profile.values)
    assert len(values) >= 17
    fits = math.log(12 / 9) / np.maximum(values, 1e-9)  # the step that fits the shares, out of 0 to 2 at large stakes
    exact = np.maximum(of_stakes(values, np.clip(fits, 0.0, 2.0)), of_stakes(values, np.clip(fits, 0.0, 0.04)))
    assert profile.log_likelihood == pytest.approx(exact, abs=1e-4)
    ((low, high),) = [(one.low, one.high) for one in profile.intervals]
    assert (low, high) == (0.0, pytest.approx(200.0))


def test_flat_likelihoods_are_told():
    """An assumption on which no choice depends: every value fits as well as every other."""
    scenario = sim.load("scenarios/signorino.toml")
    found = fit(
        scenario,
        free=["u21"],
        histories=[(record("one", "act"), record("two", "give_in"))] * 3 + [(record("one", "keep"),)],
    )
    assert found.estimate["precision"] > 0
    profile = {one.name: one for one in found.profiles}["u21"]  # no choice depends on it
    assert np.ptp(profile.log_likelihood) < 1e-6
    assert (profile.intervals[0].low, profile.intervals[0].high) == (-5.0, 5.0)


def test_vuong_by_hand():
    first, second = np.log([0.6, 0.7, 0.2]), np.log([0.5, 0.5, 0.5])
    counts = np.array([3.0, 2.0, 1.0])
    m = np.repeat(first - second, counts.astype(int))
    found = vuong(first, second, counts, 2)
    assert found.plain == pytest.approx(m.sum() / (math.sqrt(6) * m.std()))
    assert found.akaike == pytest.approx((m.sum() - 2) / (math.sqrt(6) * m.std()))
    assert found.schwarz == pytest.approx((m.sum() - math.log(6)) / (math.sqrt(6) * m.std()))
    turned = vuong(second, first, counts, -2)
    assert turned.akaike == pytest.approx(-found.akaike)
    assert math.isnan(vuong(first, first, counts, 0).plain)
    assert math.isnan(vuong(first, np.array([-np.inf, 0.0, 0.0]), counts, 0).plain)


def test_a_rival_is_fitted_too():
    """A cognitive hierarchy that never reasons is uniform play; its estimate is at least as likely."""
    scenario = sim.load("scenarios/centipede_6.toml")
    found = fit(scenario, histories=sampled(scenario, 1.2, 60, 1), points=33, starts=1, profiles=False)
    other = rival(found, "cognitive_hierarchy", {})
    assert other.log_likelihood >= found.uniform - 1e-9
    assert set(other.estimate) == {"tau"}
    grid = np.linspace(0.05, 5, 30)
    model = Model(scenario, "cognitive_hierarchy", [Parameter(name="tau", kind="option", high=5.0)])
    scanned = model.likelihood(grid[:, None] / 5.0, found.data.histories) @ found.data.counts
    assert other.log_likelihood >= scanned.max() - 1e-3
    with pytest.raises(OptionError, match="is what is fitted"):
        rival(found, "quantal_response", {})
    with pytest.raises(OptionError, match="no option"):
        rival(found, "level_k", {"tau": 1.0})


def test_slots_are_those_of_the_history():
    scenario = sim.load(ROCK)
    solution = sim.solve(sim.compile(scenario), "quantal_response", precision=0.7)
    slots = slots_of(solution, [scenario.history])
    histories, which = recorded(solution, drawn(solution, 50, np.random.default_rng(1)), slots)
    assert len(slots) == 14
    assert len(which) == 50
    logs = Model(scenario, "quantal_response", [], options={"precision": 0.7}).likelihood(np.zeros((1, 0)), histories)
    assert np.isfinite(logs).all()
    assert any(not one.player for records in histories for one in records)


HISTORY = """
[[history]]
round = 1
player = "one"
move = "pass_on"
[[history]]
round = 2
player = "two"
move = "take"
"""


def test_histories_come_from_files(tmp_path, monkeypatch, capsys):
    first, second = tmp_path / "first.toml", tmp_path / "second.toml"
    first.write_text(HISTORY, encoding="utf-8")
    second.write_text(HISTORY.replace("take", "pass_on"), encoding="utf-8")
    scenario = sim.load("scenarios/centipede_6.toml")
    told = read_records(scenario, first)
    assert [one.action for one in told.records] == ["pass_on", "take"]
    data = data_of([told.records, told.records, read_records(scenario, second).records])
    assert data.counts.tolist() == [2, 1]
    assert data.decisions == 6
    words = ["sim", "fit", "scenarios/centipede_6.toml", "--history", str(first), "--history", str(second)]
    for more in (["--bootstrap", "20"], ["--json"], ["--figure", str(tmp_path / "fit.svg")]):
        monkeypatch.setattr("sys.argv", [*words, *more])
        with pytest.raises(SystemExit) as end:
            main()
        assert end.value.code == 0
        assert "precision" in capsys.readouterr().out
    assert (tmp_path / "fit.svg").stat().st_size > 5000


def test_mistakes_are_told(tmp_path):
    scenario = sim.load("scenarios/centipede_6.toml")
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(HISTORY.replace("pass_on", "pass"), encoding="utf-8")
    with pytest.raises(ScenarioError, match=r"wrong\.toml:5.*did you mean 'pass_on'"):
        read_records(scenario, wrong)
    wrong.write_text("rounds = 3\n" + HISTORY, encoding="utf-8")
    with pytest.raises(ScenarioError, match="has rounds"):
        read_records(scenario, wrong)
    wrong.write_text("", encoding="utf-8")
    with pytest.raises(ScenarioError, match="records nothing"):
        read_records(scenario, wrong)
    wrong.write_text(HISTORY.replace("round = 2", "round = 1"), encoding="utf-8")
    with pytest.raises(ScenarioError, match=r"wrong\.toml:6.*take"):
        fit(scenario, histories=[read_records(scenario, wrong)])
    with pytest.raises(OptionError, match="nothing to fit"):
        fit(scenario)
    rock = sim.load(ROCK)
    with pytest.raises(OptionError, match="not an assumption"):
        fit(rock, free=["floor_hold"])
    with pytest.raises(OptionError, match="expected at least"):
        fit(rock, points=2)
    with pytest.raises(OptionError, match="highest precision"):
        fit(rock, highest=-1.0)
    with pytest.raises(OptionError, match="neither range nor choices"):
        fit(loads(CHOICE.replace("range = [-4, 4]\n", "")), free=["worth"], histories=times(one=1))
    with pytest.raises(NoAnswerError, match="probability 0"):
        fit(loads(ODD), histories=times(one=1))


ODD = (
    CHOICE.replace('[moves.one]\nplayer = "a"\n', '[moves.one]\nplayer = "a"\nwhen = "done == one"\n').replace(
        '[[turns]]\nplayer = "a"\n', '[[turns]]\nchance = ["first"]\n[[turns]]\nplayer = "a"\n'
    )
    + """
[[chance.first]]
outcomes = [{ label = "up", probability = 0, effects = { done = "one" } }, { label = "stay", probability = 1 }]
"""
)
