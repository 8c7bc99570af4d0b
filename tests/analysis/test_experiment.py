"""Experiments: labelled data, structure grouped, files whole, mistakes gathered, answers computed."""

import json
from pathlib import Path

import numpy as np
import pytest

import sim
from sim.analysis.answer import crossings, facts, sentence
from sim.analysis.experiment import run_plan
from sim.analysis.plan import read_experiment
from sim.analysis.record import read
from sim.errors import ExperimentError, OptionError

EXPERIMENT = (Path(__file__).parent.parent / "small_experiment.toml").read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "three_moves.toml").write_text(sim.template().read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "small.toml").write_text(EXPERIMENT, encoding="utf-8")
    return tmp_path


def test_the_dataset_equals_single_solves(folder):
    plan = read_experiment(folder / "small.toml")
    data = run_plan(plan)
    assert dict(data["war"].sizes) == {"arm": 2, "concept": 2, "prize": 5, "cost_of_war": 2}
    assert bool(data["certified"].all())
    compared = 0
    for arm, remove in (("as it is", []), ("nobody pushes", ["push"])):
        for prize in data["prize"].values:
            for cost in data["cost_of_war"].values:
                game = sim.compile(plan.scenario, {"prize": prize, "cost_of_war": cost}, remove=remove)
                for label, concept, options in (
                    ("subgame_perfect", "subgame_perfect", {}),
                    ("noisy", "quantal_response", {"precision": 2.0}),
                ):
                    paths = sim.play(sim.solve(game, concept, **options))
                    here = data.sel(arm=arm, concept=label, prize=prize, cost_of_war=cost)
                    for name, value in paths.outcomes().items():
                        assert float(here[name]) == pytest.approx(float(value[0]), abs=1e-12)
                    np.testing.assert_allclose(here["distribution"], paths.trajectory()[0])
                    np.testing.assert_allclose(here["played"].sum("move"), 3.0)
                    compared += 1
    assert compared == 40


def test_files_are_written_whole_and_read_back(folder):
    out = folder / "out"
    data = sim.run(folder / "small.toml", out=out)
    again = read(out)
    assert set(again.data_vars) == set(data.data_vars)
    for name in data.data_vars:
        np.testing.assert_array_equal(again[name].values, data[name].values)
    assert [str(x) for x in again["arm"].values] == ["as it is", "nobody pushes"]
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["experiment"] == "small"
    assert set(manifest["inputs"]) == {"experiment", "scenario"}
    assert manifest["answer"].startswith("War comes with")
    assert not list(out.glob("*.partial*"))


def test_another_experiments_folder_is_left_alone(folder):
    sim.run(folder / "small.toml", out=folder / "out")
    (folder / "other.toml").write_text(EXPERIMENT, encoding="utf-8")
    for fresh in (False, True):
        with pytest.raises(OptionError, match="results of experiment 'small'"):
            sim.run(folder / "other.toml", out=folder / "out", fresh=fresh)
    assert set(read(folder / "out").data_vars)


def test_all_mistakes_of_an_experiment_are_told_at_once(folder):
    text = (
        EXPERIMENT.replace('"subgame_perfect", {', '"subgame_perfekt", {')
        .replace("prize = { from", "price = { from")
        .replace('remove = ["push"]', 'remove = ["pull"]')
        .replace('of = "war"\nx', 'of = "wars"\nx')
    )
    (folder / "small.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ExperimentError) as found:
        read_experiment(folder / "small.toml")
    message = str(found.value)
    for word in (
        "did you mean 'subgame_perfect'",
        "did you mean 'prize'",
        "'pull', which is not a move",
        "did you mean 'war'",
    ):
        assert word in message
    assert all(problem.line > 0 for problem in found.value.problems)


def test_unknown_keys_and_missing_scenarios_are_told(folder):
    (folder / "small.toml").write_text(EXPERIMENT.replace("trajectories", "trajectory"), encoding="utf-8")
    with pytest.raises(ExperimentError, match="did you mean 'trajectories'"):
        read_experiment(folder / "small.toml")
    (folder / "small.toml").write_text(EXPERIMENT.replace("three_moves.toml", "nothing.toml"), encoding="utf-8")
    with pytest.raises(ExperimentError, match="not beside the experiment"):
        read_experiment(folder / "small.toml")


def test_assumptions_that_shape_the_graph_are_grouped(root, tmp_path):
    text = f"""
title = "types"
question = "when is the challenger deterred?"
scenario = {str(root / "scenarios" / "unilateral_deterrence.toml")!r}
[vary]
challenger_type = ["hard", "soft"]
defender_type = ["hard", "soft"]
"""
    (tmp_path / "types.toml").write_text(text, encoding="utf-8")
    data = sim.run(tmp_path / "types.toml")
    assert dict(data.sizes)["challenger_type"] == 2
    assert [str(label) for label in data["defender_type"].values] == ["hard", "soft"]


def test_precision_can_be_varied_alone(root, tmp_path):
    text = f"""
title = "precision"
question = "how noisy?"
scenario = {str(root / "scenarios" / "centipede_4.toml")!r}
concepts = ["quantal_response"]
[vary]
precision = [0.5, 1, 3]
"""
    (tmp_path / "p.toml").write_text(text, encoding="utf-8")
    data = sim.run(tmp_path / "p.toml")
    taken = data["taken_at_once"].squeeze().values
    np.testing.assert_allclose(taken, [0.37359423, 0.29625657, 0.27122543], atol=1e-6)


def test_sentences_are_computed(folder):
    plan = read_experiment(folder / "small.toml")
    data = run_plan(plan)
    found = facts(plan.experiment.answer, data)
    assert found["war"][0] == pytest.approx(float(data["war"].max()))
    assert found["words"][1] in ("pays", "does not pay")
    text = sentence(plan.experiment.answer, data)
    assert f"{found['war'][0]:.1%}" in text
    assert "{" not in text
    broken = plan.experiment.answer.model_copy(update={"sentence": "{nothing}"})
    with pytest.raises(OptionError, match="not among its facts"):
        sentence(broken, data)


def test_every_crossing_is_listed():
    assert crossings([0, 1, 2, 3, 4], [0, 1, 1, 0, 1], 0.5) == [(0.0, 1.0), (2.0, 3.0), (3.0, 4.0)]
    assert crossings([0, 1], [1, 1], 0.5) == []


def test_history_can_be_followed_and_a_move_forced(root, tmp_path):
    text = f"""
title = "forced"
question = "what follows?"
scenario = {str(root / "scenarios" / "rock_bottom.toml")!r}
concepts = [{{ concept = "quantal_response", precision = 0.5 }}]
outcomes = ["gambit_played", "full_break_played", "first_deeper"]
trajectories = true
[[arms]]
name = "followed"
from = "2016-10"
[[arms]]
name = "forced"
from = "2016-10"
force = "full_break"
[[arms]]
name = "removed"
remove = ["gambit"]
"""
    (tmp_path / "f.toml").write_text(text, encoding="utf-8")
    data = sim.run(tmp_path / "f.toml").squeeze("concept")
    np.testing.assert_allclose(data["distribution"].sum("rung"), 1.0)
    assert float(data["full_break_played"].sel(arm="forced")) == pytest.approx(1.0)
    assert 0 < float(data["full_break_played"].sel(arm="followed")) < 1
    assert float(data["gambit_played"].sel(arm="removed")) == 0.0
    assert float(data["first_passage"].sel(arm="forced", rung="rock_bottom", round=4)) == pytest.approx(1.0)
    assert float(data["first_passage"].sel(arm="forced", rung="rock_bottom", round=3)) < 1e-9


def test_a_move_is_forced_no_earlier_than_asked(root, tmp_path):
    text = f"""
title = "forced late"
question = "when?"
scenario = {str(root / "scenarios" / "centipede_6.toml")!r}
concepts = [{{ concept = "quantal_response", precision = 0.5 }}]
[[arms]]
name = "third"
from = "3"
force = "take"
"""
    (tmp_path / "late.toml").write_text(text, encoding="utf-8")
    data = sim.run(tmp_path / "late.toml").squeeze()
    assert 0 < float(data["taken_at_once"]) < 0.5
    assert float(data["final_pile"]) <= 4.0


def test_two_concepts_need_two_labels(folder):
    text = (
        EXPERIMENT.replace(', label = "noisy"', "")
        .replace('"subgame_perfect", {', '"quantal_response", {')
        .replace('concept = "noisy"', 'concept = "quantal_response"')
    )
    (folder / "small.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ExperimentError, match="same label"):
        read_experiment(folder / "small.toml")


def test_forcing_leaves_chance_and_other_states_alone(tmp_path):
    scenario = """
title = "special"
rounds = 1
[players.a]
[state.s]
range = [0, 3]
start = 0
[[turns]]
chance = ["draw"]
[[turns]]
player = "a"
[moves.stay]
player = "a"
[moves.special]
player = "a"
when = "s == 1"
effects = { s = 3 }
[[chance.draw]]
outcomes = [
  { label = "one", probability = 0.25, effects = { s = 1 } },
  { label = "two", probability = 0.75, effects = { s = 2 } },
]
[payoffs.a]
each_round = "-s"
[outcomes]
two = "final(s) == 2"
three = "final(s) == 3"
[[history]]
round = 1
player = "a"
move = "stay"
"""
    (tmp_path / "special.toml").write_text(scenario, encoding="utf-8")
    text = """
title = "forced"
question = "what if?"
scenario = "special.toml"
[[arms]]
name = "forced"
from = "1"
force = "special"
"""
    (tmp_path / "e.toml").write_text(text, encoding="utf-8")
    data = sim.run(tmp_path / "e.toml").squeeze()
    assert float(data["two"]) == pytest.approx(0.75)
    assert float(data["three"]) == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('name = "as it is"', 'name = "as it is"\nset = { prize = 5 }', "set here and varied too"),
        ("cost_of_war = [1, 4]", "cost_of_war = [1, 40]", "cannot be used"),
        ("cost_of_war = [1, 4]", 'cost_of_war = ["a"]', "cannot be used"),
        ("cost_of_war = [1, 4]", 'cost_of_war = [1, 4]\nprecision = ["a"]', "cannot be used"),
        ('y = "cost_of_war"', 'y = "prize"', "2 different axes"),
        ('y = "cost_of_war"', "", "2 different axes"),
        ('file = "phase"', 'file = "../phase"', "pattern"),
    ],
)
def test_mistakes_that_would_surface_late_are_told_early(folder, old, new, message):
    assert old in EXPERIMENT
    (folder / "small.toml").write_text(EXPERIMENT.replace(old, new), encoding="utf-8")
    with pytest.raises(ExperimentError, match=message) as found:
        read_experiment(folder / "small.toml")
    assert all(problem.line > 0 for problem in found.value.problems)


PARTING = """
title = "who parts when"
question = "in which round?"
scenario = "{scenario}"
concepts = [
  "subgame_perfect",
  {{ concept = "limited_foresight", ahead = 1, label = "near" }},
  {{ concept = "limited_foresight", ahead = 6, label = "far" }},
]
outcomes = ["last"]
[measures.parts]
parting = "subgame_perfect"
[answer]
sentence = "{{near:.0f}}, {{below:.2f}}"
[answer.facts]
near  = {{ of = "parts", where = {{ concept = "near" }} }}
below = {{ of = "last", reduce = "below", level = 1 }}
"""
TRAP = (Path(__file__).parent.parent / "trap.toml").read_text(encoding="utf-8")


def test_the_round_in_which_concepts_part_is_a_measure(tmp_path):
    """The short-sighted grab at once, the far-sighted in the last round: they part in round 1, and who looks to the end never parts."""
    (tmp_path / "trap.toml").write_text(TRAP, encoding="utf-8")
    (tmp_path / "parting.toml").write_text(PARTING.format(scenario="trap.toml"), encoding="utf-8")
    dataset = sim.run(tmp_path / "parting.toml")
    parts = dataset["parts"].values.reshape(-1)
    assert len(parts) == 3
    assert np.isnan(parts[[0, 2]]).all()
    assert parts[1] == 1.0
    assert dataset["last"].values.reshape(-1).tolist() == [1.0, 2.0, 1.0]
    from sim.analysis.answer import sentence
    from sim.analysis.plan import read_experiment

    assert sentence(read_experiment(tmp_path / "parting.toml").experiment.answer, dataset) == "1, 0.00"
    wrong = PARTING.format(scenario="trap.toml").replace('parting = "subgame_perfect"', 'parting = "nobody"')
    (tmp_path / "wrong.toml").write_text(wrong, encoding="utf-8")
    with pytest.raises(ExperimentError, match="label of a concept"):
        read_experiment(tmp_path / "wrong.toml")
