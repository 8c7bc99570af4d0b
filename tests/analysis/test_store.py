"""Stores: chunks whole or not at all, damage found, digests held to, the same numbers for any cut."""

import json
import shutil

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

import sim
from sim.analysis.experiment import Study, run_plan
from sim.analysis.plan import plan_of, read_experiment
from sim.analysis.record import read
from sim.analysis.store import Layout, Store, digest
from sim.errors import ExperimentError, OptionError

TEMPLATE = sim.template().read_text(encoding="utf-8")
EXPERIMENT = """
title = "many"
question = "how does the probability of war move?"
scenario = "three_moves.toml"
concepts = ["subgame_perfect", "quantal_response"]
seed = 3
[vary]
prize = [1, 2.5, 4]
[[designs]]
kind = "random"
samples = 7
vary = ["cost_of_war"]
[[designs]]
kind = "list"
rows = [{ precision = 0.5 }, { precision = 3.0 }]
"""


def study(text=EXPERIMENT, scenario=TEMPLATE):
    return Study(plan_of("many", text, scenario))


@pytest.fixture
def files(tmp_path):
    (tmp_path / "three_moves.toml").write_text(TEMPLATE, encoding="utf-8")
    (tmp_path / "many.toml").write_text(EXPERIMENT, encoding="utf-8")
    return tmp_path


def marked(folder):
    return sorted(int(path.stem) for path in (folder / "done").glob("*.json") if path.stem != "layout")


@settings(max_examples=12, deadline=None)
@given(chunk=st.integers(1, 60))
def test_no_cut_changes_a_number(tmp_path_factory, chunk):
    whole = run_plan(plan_of("many", EXPERIMENT, TEMPLATE))
    assert whole.sizes["variant"] == 42
    out = tmp_path_factory.mktemp("cut")
    study().run(out, chunk=chunk)
    found = read(out)
    assert set(found.variables) == set(whole.variables)
    for name in whole.variables:
        np.testing.assert_array_equal(found[name].values, whole[name].values)
    assert marked(out) == list(range(-(-42 // chunk)))


def test_blocks_of_any_size_change_nothing():
    one, other = study(), study()
    other.survey.block_bytes = 1
    assert other.survey.block(other.first_game()) < one.survey.block(one.first_game())
    ours, theirs = one.chunk(0, 42), other.chunk(0, 42)
    assert set(ours) == set(theirs)
    for name, values in ours.items():
        np.testing.assert_array_equal(values, theirs[name])


def test_precision_from_a_design_reaches_only_the_concept_that_takes_it():
    data = run_plan(plan_of("many", EXPERIMENT, TEMPLATE))
    game = sim.compile(sim.load(sim.template()), {"prize": 4, "cost_of_war": float(data.cost_of_war[41])})
    assert float(data.precision[41]) == 3.0
    for label, options in (("subgame_perfect", {}), ("quantal_response", {"precision": 3.0})):
        here = data.isel(variant=41).sel(concept=label, arm="base")
        assert float(here["war"]) == pytest.approx(float(sim.play(sim.solve(game, label, **options)).outcome("war")[0]))


def test_what_is_damaged_is_solved_again_and_nothing_else(tmp_path):
    _, _, left = study().run(tmp_path / "x", chunk=6)
    assert left == 0
    before = {k: (tmp_path / "x/done" / f"{k}.json").stat().st_mtime_ns for k in range(7)}
    good = {name: values.copy() for name, values in Store(tmp_path / "x", study().layout(6)).chunk(4).items()}
    group = zarr.open_group(tmp_path / "x/result.zarr", mode="r+")
    values = np.asarray(group["war"][:, :, 24:30])
    group["war"][:, :, 24:30] = values + 1e-9  # a changed number
    (tmp_path / "x/done/1.json").unlink()  # a chunk that was never finished
    (tmp_path / "x/done/5.json").write_text("{", encoding="utf-8")  # half a marker
    shutil.rmtree(tmp_path / "x/result.zarr/max_gain/c/0/0/2", ignore_errors=True)
    (tmp_path / "x/result.zarr/max_gain/c/0/0/2").unlink(missing_ok=True)  # a missing piece reads as the fill value
    store, found, left = study().run(tmp_path / "x")
    assert (found, left) == (3, 0)
    after = {k: (tmp_path / "x/done" / f"{k}.json").stat().st_mtime_ns for k in range(7)}
    assert {k for k in range(7) if before[k] != after[k]} == {1, 2, 4, 5}
    assert digest(store.chunk(4)) == digest(good)


def test_a_flipped_bit_on_disk_is_found(tmp_path):
    study().run(tmp_path / "x", chunk=42)
    piece = tmp_path / "x/result.zarr/war/c/0/0/0"
    raw = bytearray(piece.read_bytes())
    raw[len(raw) // 2] ^= 1
    piece.write_bytes(raw)
    store = Store(tmp_path / "x", study().layout(42))
    assert store.missing().tolist() == [0]
    assert study().run(tmp_path / "x")[1:] == (0, 0)
    assert Store(tmp_path / "x", study().layout(42)).missing().tolist() == []


def test_other_inputs_are_refused_and_fresh_replaces(tmp_path):
    out = tmp_path / "x"
    study().run(out, chunk=10)
    other = EXPERIMENT.replace("samples = 7", "samples = 8")
    with pytest.raises(OptionError, match="made before experiment changed; run with --fresh"):
        study(other).run(out)
    with pytest.raises(OptionError, match="made before scenario changed"):
        study(scenario=TEMPLATE + "\n# a word\n").run(out)
    assert marked(out) == [0, 1, 2, 3, 4]
    words = EXPERIMENT.replace('title = "many"', 'title = "other words"') + '[answer]\nsentence = "nothing"\n'
    assert study(words).run(out)[1] == 5  # figures and words may change
    study(other).run(out, fresh=True)
    assert read(out).sizes["variant"] == 48


def test_chunks_of_an_old_run_are_kept(tmp_path):
    study().run(tmp_path / "x", chunk=10)
    store, found, _ = study().run(tmp_path / "x", chunk=3)
    assert (store.layout.chunk, found) == (10, 5)


def test_time_that_has_run_out_keeps_what_is_done(tmp_path):
    _, found, left = study().run(tmp_path / "x", chunk=6, seconds=0.0)
    assert (found, left) == (0, 6)
    assert marked(tmp_path / "x") == [0]
    assert study().run(tmp_path / "x")[1:] == (1, 0)


def test_results_of_unknown_origin_are_left_alone(tmp_path):
    (tmp_path / "x/result.zarr").mkdir(parents=True)
    with pytest.raises(OptionError, match="cannot be continued"):
        study().run(tmp_path / "x")
    (tmp_path / "y").mkdir()
    (tmp_path / "y/plan.json").write_text("{", encoding="utf-8")
    with pytest.raises(OptionError, match="cannot be read"):
        study().run(tmp_path / "y")


def test_the_store_says_what_it_is(tmp_path):
    study().run(tmp_path / "x", chunk=8)
    meta = json.loads((tmp_path / "x/result.zarr/war/zarr.json").read_text(encoding="utf-8"))
    assert meta["dimension_names"] == ["arm", "concept", "variant"]
    assert "crc32c" in [codec["name"] for codec in meta["codecs"]]
    data = read(tmp_path / "x", flat=True)
    assert set(data.coords) == {"arm", "concept", "prize", "cost_of_war", "precision"}
    assert data["cost_of_war"].dims == ("variant",)


def test_a_chunk_needs_a_variant(tmp_path):
    with pytest.raises(OptionError, match="expected at least 1"):
        study().run(tmp_path / "x", chunk=0)
    assert Layout(experiment="x", inputs={}, variants=0, chunk=5).chunks == 0


def test_structure_horizon_start_and_named_variants_can_be_varied(root, tmp_path):
    text = f"""
title = "many games"
question = "how do they differ?"
scenario = {str(root / "scenarios" / "rock_bottom.toml")!r}
outcomes = ["deeper_bottom"]
[vary]
rounds = [5, 6]
start = ["2016-10:russia", "2016-09"]
moscow_reference = [1, 3]
"""
    (tmp_path / "games.toml").write_text(text, encoding="utf-8")
    data = sim.run(tmp_path / "games.toml", out=tmp_path / "out", chunk=3)
    assert data["deeper_bottom"].shape == (1, 1, 2, 2, 2)
    assert [str(x) for x in data["start"].values] == ["2016-10:russia", "2016-09"]
    from sim.analysis.eve import compile_from

    scenario = sim.load(root / "scenarios" / "rock_bottom.toml")
    seen = 0
    for rounds in (5, 6):
        for start in ("2016-10:russia", "2016-09"):
            for alive in (1, 3):
                game = compile_from(scenario, start, {"moscow_reference": alive}, rounds=rounds)
                ours = data["deeper_bottom"].sel(rounds=rounds, start=start, moscow_reference=alive).item()
                assert ours == float(sim.play(sim.solve(game)).outcome("deeper_bottom")[0])
                seen += 1
    assert seen == 8


def test_named_variants_are_a_dimension():
    scenario = TEMPLATE + '\n[variants."dear war"]\nbasis = "assumed"\nset = { cost_of_war = 5 }\n'
    text = 'title = "t"\nquestion = "q"\nscenario = "x.toml"\n[vary]\nvariant = ["base", "dear war"]\nprize = [1, 4]\n'
    data = run_plan(plan_of("v", text, scenario))
    game = sim.compile(sim.load(sim.template()), {"prize": 4, "cost_of_war": 5})
    ours = data["value_defender"].sel(variant="dear war", prize=4, arm="base", concept="subgame_perfect").item()
    assert ours == sim.solve(game).values[0, 1]
    with pytest.raises(ExperimentError, match="not a variant of the scenario"):
        plan_of("v", text.replace('"dear war"]', '"cheap war"]'), scenario)


def test_options_of_concepts_are_dimensions():
    text = """
title = "t"
question = "q"
scenario = "x.toml"
concepts = ["level_k", "subgame_perfect"]
[vary]
level = [1, 2]
ties = ["first", "uniform"]
"""
    data = run_plan(plan_of("o", text, TEMPLATE))
    game = sim.compile(sim.load(sim.template()))
    for level in (1, 2):
        solution = sim.solve(game, "level_k", level=level)
        ours = data["war"].sel(level=level, concept="level_k", arm="base").values.ravel()
        np.testing.assert_array_equal(ours, [sim.play(solution).outcome("war")[0]] * 2)
    with pytest.raises(ExperimentError, match="none of the concepts asked for takes"):
        plan_of("o", text.replace("level_k", "quantal_response"), TEMPLATE)


def test_what_has_no_answer_is_missing_and_loses_nothing(monkeypatch):
    import sim.analysis.survey as module
    from sim.kinds import Status

    real = module.solve

    def broken(game, concept, **options):
        found = real(game, concept, **options)
        bad = game.assumptions["prize"] > 3.0
        if not np.any(bad):
            return found
        from dataclasses import replace

        measures = replace(found.certificate.measures, max_gain=np.where(bad, 1.0, 0.0) + np.zeros(game.variants))
        certificate = replace(found.certificate, measures=measures)
        return replace(found, certificate=certificate, status=Status.NOT_CERTIFIED)

    monkeypatch.setattr(module, "solve", broken)
    text = 'title = "t"\nquestion = "q"\nscenario = "x.toml"\n[vary]\nprize = [1, 4, 2, 5, 3]\n'
    data = run_plan(plan_of("v", text, TEMPLATE))
    assert data["certified"].values.ravel().tolist() == [True, False, True, False, True]
    assert np.isnan(data["war"].values.ravel()).tolist() == [False, True, False, True, False]
    monkeypatch.setattr(module, "solve", real)
    whole = run_plan(plan_of("v", text, TEMPLATE))["war"].values.ravel()
    np.testing.assert_array_equal(data["war"].values.ravel()[::2], whole[::2])


def test_designs_are_checked_with_the_rest(files):
    for old, new, words in (
        ("samples = 7", "samples = 0", "designs"),
        ('vary = ["cost_of_war"]', 'vary = ["cost_of_wars"]', "did you mean 'cost_of_war'"),
        ('vary = ["cost_of_war"]', 'vary = ["prize"]', "varied twice"),
        ('kind = "random"', 'kind = "randon"', "random"),
    ):
        (files / "many.toml").write_text(EXPERIMENT.replace(old, new), encoding="utf-8")
        with pytest.raises(ExperimentError, match=words):
            read_experiment(files / "many.toml")


def test_private_numbers_can_be_varied(root):
    scenario = sim.load(root / "scenarios" / "crisis_signalling.toml")
    from sim.analysis.asker import Asker

    name = next(iter(scenario.questions))
    values = np.array([-2.0, -1.2, -0.5])
    ask = Asker(scenario=scenario, questions=(name, "value_b"), concept="cutoff")
    found = ask.all({"a_audience": values})
    assert np.isfinite(found).all()
    for v, value in enumerate(values):
        solution = sim.solve(sim.compile(scenario, {"a_audience": value}), "cutoff")
        assert found[0, v] == pytest.approx(float(sim.play(solution).outcome(name)[0]), abs=1e-9)
        assert found[1, v] == pytest.approx(float(solution.values[0, 1]), abs=1e-9)


def test_what_is_not_certified_is_missing_for_any_cut(monkeypatch, tmp_path):
    """The first chunk may be the one without an answer: its numbers are missing, no others are, and it is found whole again."""
    import sim.analysis.survey as module
    from sim.kinds import Status

    real = module.solve

    def broken(game, concept, **options):
        from dataclasses import replace

        found = real(game, concept, **options)
        bad = np.broadcast_to(game.assumptions["prize"] == 1.0, game.variants)
        if not bad.any():
            return found
        measures = replace(found.certificate.measures, max_gain=np.where(bad, 1.0, 0.0))
        return replace(found, certificate=replace(found.certificate, measures=measures), status=Status.NOT_CERTIFIED)

    monkeypatch.setattr(module, "solve", broken)
    for values in ("[1, 2, 3]", "[2, 1, 3]", "[2, 3, 1]"):
        text = f'title = "t"\nquestion = "q"\nscenario = "x.toml"\n[vary]\nprize = {values}\n'
        whole = run_plan(plan_of("many", text, TEMPLATE))
        assert int(np.isnan(whole["war"].values).sum()) == 1
        for chunk in (1, 2):
            out = tmp_path / f"{values}{chunk}"
            study(text).run(out, chunk=chunk)
            found = read(out)
            assert set(found.data_vars) == set(whole.data_vars)
            for name in whole.data_vars:
                np.testing.assert_array_equal(found[name].values, whole[name].values)
            assert study(text).run(out)[1] == -(-3 // chunk)


def test_threads_lose_nothing(monkeypatch):
    """Many small pieces, the first of them without an answer, in more threads than processors."""
    import sim.analysis.survey as module

    monkeypatch.setenv("SIM_THREADS", "6")
    monkeypatch.setattr(module, "NUMBER_BYTES", 1)
    text = 'title = "t"\nquestion = "q"\nscenario = "x.toml"\n[vary]\nprize = { from = 0, to = 5, count = 400 }\n'
    one = Study(plan_of("many", text, TEMPLATE))
    one.survey.block_bytes = 600
    found = one.chunk(0, 400)
    monkeypatch.setenv("SIM_THREADS", "1")
    alone_ = Study(plan_of("many", text, TEMPLATE)).chunk(0, 400)
    assert set(found) == set(alone_)
    assert bool(found["certified"].all())
    for name, values in alone_.items():
        np.testing.assert_array_equal(found[name], values)


@pytest.mark.parametrize("chunk", [1, 2, 7])
def test_endless_games_do_not_depend_on_the_cut(root, tmp_path, chunk):
    scenario = (root / "scenarios" / "enduring_rivalry.toml").read_text(encoding="utf-8")
    text = (
        'title = "t"\nquestion = "q"\nscenario = "x.toml"\nconcepts = ["markov_perfect"]\nseed = 4\n'
        '[[designs]]\nkind = "random"\nsamples = 9\n'
    )
    whole = run_plan(plan_of("many", text, scenario))
    study(text, scenario).run(tmp_path / "x", chunk=chunk)
    found = read(tmp_path / "x")
    assert found.sizes["variant"] == 9
    for name in whole.data_vars:
        np.testing.assert_array_equal(found[name].values, whole[name].values, err_msg=str(name))


def test_likelihoods_do_not_depend_on_the_cut(root, tmp_path):
    scenario = (root / "scenarios" / "rock_bottom.toml").read_text(encoding="utf-8")
    text = (
        'title = "t"\nquestion = "q"\nscenario = "x.toml"\nconcepts = ["quantal_response"]\noutcomes = ["first_deeper"]\n'
        '[[designs]]\nkind = "random"\nsamples = 5\nvary = ["spoil_cost", "tail"]\n[measures.l]\nlikelihood = true\n'
        '[measures.c]\nchosen = "gambit"\nat = "2016-10"\n[measures.a]\nadvantage = "gambit"\nat = "2016-10"\n'
    )
    whole = run_plan(plan_of("many", text, scenario))
    study(text, scenario).run(tmp_path / "x", chunk=1)
    found = read(tmp_path / "x")
    for name in whole.data_vars:
        np.testing.assert_array_equal(found[name].values, whole[name].values, err_msg=str(name))


def test_named_variants_stand_on_computed_assumptions_and_below_what_is_set():
    scenario = TEMPLATE + (
        '\n[assumptions.pain]\nvalue = "2 * prize"\nbasis = "assumed"\n[variants.dove]\nbasis = "assumed"\nset = { cost_of_war = 5 }\n'
        '[variants.hawk]\nbasis = "assumed"\nset = { pain = 1 }\n'
    ).replace("[variants.dove]", "[variants.dove]")
    text = 'title = "t"\nquestion = "q"\nscenario = "x.toml"\n[set]\nprize = 1\n[vary]\nvariant = ["base", "dove", "hawk"]\n'
    data = run_plan(plan_of("v", text, scenario))
    from sim.scenario.load import loads

    for name, chosen in (("base", {}), ("dove", {"cost_of_war": 5}), ("hawk", {"pain": 1})):
        game = sim.compile(loads(scenario, "x"), {"prize": 1, **chosen})
        assert data["value_defender"].sel(variant=name).item() == sim.solve(game).values[0, 1]
    for extra in ("[vary]\ncost_of_war = [1, 2]\n", ""):
        bad = text.replace("[set]\nprize = 1\n", "" if extra else "[set]\ncost_of_war = 1\n").replace(
            "[vary]\n", extra or "[vary]\n"
        )
        with pytest.raises(ExperimentError, match="is set by variant dove"):
            plan_of("v", bad, scenario)


def test_an_unfinished_store_is_not_read(tmp_path):
    from sim.analysis.tidy import write_tidy

    assert study().run(tmp_path / "x", chunk=10, seconds=0.0)[2] == 4
    with pytest.raises(OptionError, match="4 chunks of results still missing"):
        read(tmp_path / "x")
    with pytest.raises(OptionError, match="not finished"):
        write_tidy(tmp_path / "x", tmp_path / "x.csv")


def test_whatever_is_damaged_is_made_anew(tmp_path):
    whole = run_plan(plan_of("many", EXPERIMENT, TEMPLATE))

    def check(out):
        found = read(out)
        for name in whole.variables:
            np.testing.assert_array_equal(found[name].values, whole[name].values)

    damages = (
        lambda out: shutil.rmtree(out / "result.zarr"),
        lambda out: (out / "result.zarr/zarr.json").write_text("{", encoding="utf-8"),
        lambda out: shutil.rmtree(out / "result.zarr/war"),
        lambda out: (out / "done/layout.json").write_text("{", encoding="utf-8"),
    )
    for place, damage in enumerate(damages):
        out = tmp_path / str(place)
        study().run(out, chunk=10)
        damage(out)
        assert study().run(out)[1:] == (0, 0)
        check(out)
    (out / "plan.json").write_text("{}", encoding="utf-8")
    with pytest.raises(OptionError, match="run again with --fresh"):
        study().run(out)
    study().run(out, fresh=True)
    check(out)
    (out / "done" / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(OptionError, match=r"holds notes\.txt, which sim run has not written"):
        study().run(out, fresh=True)


def test_two_runs_do_not_write_into_one_folder(tmp_path):
    pytest.importorskip("fcntl")
    from sim.analysis.store import alone

    with alone(tmp_path / "x"), pytest.raises(OptionError, match="another run is writing"):
        study().run(tmp_path / "x")
    study().run(tmp_path / "x")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            '"quantal_response"]',
            '{ concept = "quantal_response", precision = 1.0 }]',
            "stated for this concept and varied too",
        ),
        ("prize = [1, 2.5, 4]", "prize = [1, 2.5, 4]\nrounds = [4, 5.5]", "expected a whole number"),
        (
            "seed = 3",
            "seed = 3\ntrajectories = true\n[[arms]]\nname = 'a'\n[[arms]]\nname = 'b'\nrounds = 2",
            "same rounds and start",
        ),
        ("seed = 3", "seed = 3\n[[figures]]\nkind = 'lines'\nfile = 'x'\nof = 'war'\nx = 'prize'", "needs a grid"),
    ],
)
def test_what_cannot_be_run_is_told_before(old, new, words):
    text = EXPERIMENT.replace(old, new)
    assert text != EXPERIMENT
    with pytest.raises(ExperimentError, match=words):
        plan_of("many", text, TEMPLATE)


def test_facts_pick_all_variants_of_a_value():
    from sim.analysis.answer import facts

    text = EXPERIMENT + (
        '[answer]\nsentence = "{low}"\n[answer.facts]\n'
        'low = { of = "war", reduce = "mean", where = { prize = 2.5, arm = "base", concept = "quantal_response" } }\n'
    )
    plan = plan_of("many", text, TEMPLATE)
    data = run_plan(plan)
    rows = np.flatnonzero(data["prize"].values == 2.5)
    assert len(rows) == 14
    expected = data["war"].sel(arm="base", concept="quantal_response").values[rows].mean()
    assert facts(plan.experiment.answer, data)["low"][0] == pytest.approx(expected)


def test_facts_say_nothing_of_what_is_not_known():
    from sim.analysis.answer import _text, crossings
    from sim.analysis.plan import Fact

    assert crossings([0, 1, 2, 3], [1, np.nan, 1, 0], 0.5) == [(2.0, 3.0)]
    words = Fact(of="x", level=0.5, words=["no", "yes"])
    assert [_text(words, value) for value in (float("nan"), 0.2, 0.7)] == ["undefined", "no", "yes"]
    assert _text(Fact(of="x"), True) == "yes"
    assert _text(Fact(of="x"), [None, 1.0]) == "undefined and 1"
