"""Golden transcripts of the command line, exit codes, and plain machine output.

Each file in transcripts/ holds commands after ``$`` and what they print. To renew them after a wanted change: ``UPDATE_TRANSCRIPTS=1 make test``.
"""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import sim
from sim.cli import main

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
TRANSCRIPTS = sorted((HERE / "transcripts").glob("*.txt"))


@pytest.fixture
def run(monkeypatch, capsys):
    """Run a command line in this process; return exit code, output, messages."""
    monkeypatch.chdir(ROOT)

    def call(words):
        monkeypatch.setattr(sys, "argv", ["sim", *words])
        with pytest.raises(SystemExit) as end:
            main()
        found = capsys.readouterr()
        return end.value.code, found.out, found.err

    return call


def test_there_are_transcripts():
    assert len(TRANSCRIPTS) >= 6


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_transcript(path, run):
    told = path.read_text(encoding="utf-8")
    commands = [line[2:] for line in told.splitlines() if line.startswith("$ ")]
    assert commands
    found = []
    for command in commands:
        words = shlex.split(command)
        assert words[0] == "sim"
        code, out, err = run(words[1:])
        found.append(f"$ {command}\n{out}{err}" + (f"[exit {code}]\n" if code else ""))
    text = "".join(found)
    if os.environ.get("UPDATE_TRANSCRIPTS"):
        path.write_text(text, encoding="utf-8")
    assert text == told


JSON = [
    ["solve", "scenarios/rock_bottom.toml", "--json"],
    ["solve", "scenarios/centipede_4.toml", "--concept", "quantal_response", "--precision", "2", "--json"],
    ["paths", "scenarios/brinkmanship.toml", "--json"],
    [
        "credible",
        "scenarios/crisis_signalling.toml",
        "--vary",
        "a_audience",
        "--move",
        "fight",
        "--at",
        "challenge > resist",
        "--points",
        "5",
        "--json",
    ],
    ["moves", "scenarios/rock_bottom.toml", "--at", "2016-10", "--player", "russia", "--json"],
    ["replay", "scenarios/rock_bottom.toml", "--concept", "subgame_perfect", "--json"],
    ["fit", "scenarios/rock_bottom.toml", "--points", "9", "--bootstrap", "10", "--json"],
    ["compare", "scenarios/brinkmanship.toml", "--json"],
    ["show", "scenarios/chain_store.toml", "--json"],
    ["check", "scenarios/chain_store.toml", "--json"],
    ["beliefs", "scenarios/entry_deterrence.toml", "--json"],
    ["show", "scenarios/entry_deterrence.toml", "--json"],
    ["list", "--json"],
    ["export", "--format", "schema"],
]


@pytest.mark.parametrize("words", JSON, ids=lambda words: " ".join(words[:2]))
def test_json_is_plain(words, run):
    code, out, err = run(words)
    assert code == 0
    assert err == ""

    def refuse(word):
        pytest.fail(f"JSON holds {word}")

    assert json.loads(out, parse_constant=refuse)


def test_solve_prints_the_documented_object(run):
    code, out, _ = run(["solve", "scenarios/rock_bottom.toml", "--json", "--set", "floor_holds=0.4", "--rounds", "7"])
    assert code == 0
    found = json.loads(out)
    wanted = {
        "scenario",
        "concept",
        "options",
        "assumptions",
        "status",
        "certificate",
        "nodes",
        "values",
        "outcomes",
        "path",
    }
    assert wanted <= set(found)
    assert found["status"] == "certified"
    assert {"max_gain", "tied_nodes"} <= set(found["certificate"])
    assert found["assumptions"]["floor_holds"] == 0.4
    assert set(found["values"]) == {"russia", "usa", "usa_next"}
    assert all(isinstance(value, (int, float, type(None))) for value in found["outcomes"].values())
    assert found["path"]
    for step in found["path"]:
        assert set(step) == {"round", "player", "move", "probability", "state"}
        assert step["player"] != "chance" or "/" in step["move"]
    assert max(step["round"] for step in found["path"]) <= 7


def test_beliefs_and_values_by_type_are_documented_objects(run):
    words = ["scenarios/entry_deterrence.toml", "--option", "starts=0", "--json"]
    found = json.loads(run(["beliefs", *words])[1])
    assert {"types", "prior", "rounds", "paths", "all_histories", "martingale", "answer"} <= set(found)
    assert found["types"] == {"store": ["weak", "strong"]}
    step = found["paths"][0]["steps"][0]
    assert set(step) == {"round", "player", "move", "probability", "off_path", "beliefs"}
    assert step["beliefs"]["store"]["before"]["strong"] == 0.0625
    solved = json.loads(run(["solve", *words, "--concept", "perfect_bayesian"])[1])
    assert (solved["histories"], solved["pairs"], solved["others"]) == (30, 60, [])
    assert solved["refinement"] == "sequential (logit trembles)"
    assert set(solved["types"]["store"]["strong"]) == {"prior", "value"}


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["solve", "nothing.toml"], 2, "cannot be read"),
        (["solve", "scenarios/chain_store.toml", "--concept", "bargaining"], 2, "not built yet"),
        (["solve", "scenarios/chain_store.toml", "--set", "nothing=1"], 2, "not an assumption"),
        (["solve", "scenarios/chain_store.toml", "--set", "nothing"], 2, "name=value"),
        (["solve", "scenarios/chain_store.toml", "--precision", "1"], 2, "belongs to --concept quantal_response"),
        (
            ["solve", "scenarios/chain_store.toml", "--concept", "quantal_response", "--precision", "x"],
            2,
            "expected a number",
        ),
        (["solve", "scenarios/rock_bottom.toml", "--max-nodes", "1000"], 2, "expected at most 1,000"),
        (["solve", "scenarios/rock_bottom.toml", "--remove", "gambitt"], 2, "not a move or group"),
        (["compare", "scenarios/chain_store.toml", "--concept", "subgame_perfect"], 2, "two concepts"),
        (["replay", "scenarios/chain_store.toml"], 2, "records no history"),
        (["export", "scenarios/rock_bottom.toml"], 2, "nodes"),
        (["export", "scenarios/chain_store.toml", "--format", "csv"], 2, "expected"),
        (["run", "experiments/nothing.toml"], 2, "cannot be read"),
        (["new", "scenarios/chain_store.toml"], 2, "exists already"),
        (["nonsense"], 2, "nonsense"),
        (
            ["credible", "scenarios/crisis_signalling.toml", "--vary", "nothing", "--move", "fight"],
            2,
            "is not an assumption",
        ),
        (["solve", "scenarios/entry_deterrence.toml", "--concept", "subgame_perfect"], 2, "say what is known"),
        (["solve", "scenarios/entry_deterrence.toml", "--known", "resolve=bold"], 2, "known: strong, weak"),
        (["beliefs", "scenarios/chain_store.toml"], 2, "hides no type"),
        (["paths", "scenarios/chain_store.toml", "--from", "2016"], 2, "records none"),
        (["paths", "scenarios/brinkmanship.toml", "--figure", "no/such/folder.svg"], 2, "cannot be written"),
        (["export", "scenarios/chain_store.toml", "--out", "no/such/folder.efg"], 2, "cannot be written"),
        (["run", "experiments/precision.toml", "--out", "README.md/x"], 2, "cannot be written"),
        (["moves", "scenarios/rock_bottom.toml", "--at", "99"], 2, "expected 1 to 8"),
        (["paths", "scenarios/rock_bottom.toml", "--from", "banana"], 2, "neither a round nor a date"),
        (["paths", "scenarios/rock_bottom.toml", "--from", "2016"], 2, "neither a round nor a date"),
        (["moves", "scenarios/rock_bottom.toml", "--at", "²"], 2, "neither a round nor a date"),
        (["replay", "scenarios/rock_bottom.toml", "--remove", "gambit"], 2, "--remove takes away"),
    ],
)
def test_mistakes_exit_with_2_and_teach(words, code, message, run):
    found, out, err = run(words)
    assert found == code
    assert message in err
    assert out == ""


def test_new_makes_a_scenario_that_solves(run, tmp_path):
    path = tmp_path / "mine.toml"
    assert run(["new", str(path)])[0] == 0
    assert run(["check", str(path)])[0] == 0
    assert run(["solve", str(path)])[0] == 0
    assert path.read_text(encoding="utf-8") == sim.template().read_text(encoding="utf-8")


def test_check_tells_all_files_and_fails_if_one_does(run, tmp_path):
    bad = tmp_path / "bad.toml"
    bad.write_text(sim.template().read_text(encoding="utf-8").replace("rung == war", "rung == wra"), encoding="utf-8")
    code, out, err = run(["check", str(bad), "scenarios/chain_store.toml"])
    assert code == 2
    assert "chain_store.toml: no mistakes" in out
    assert "did you mean 'war'" in err
    code, out, _ = run(["check", "--json", str(bad)])
    assert code == 2
    assert json.loads(out)[0]["errors"][0]["line"] > 0


def test_invariants_on_the_command_line(run):
    code, out, _ = run(["check", "--invariants", "scenarios/centipede_4.toml"])
    assert code == 0
    assert out.count("holds:") >= 7


def test_an_experiment_writes_what_it_says(run, tmp_path):
    code, out, _ = run(["run", "experiments/rock_bottom.toml", "--out", str(tmp_path / "found")])
    assert code == 0
    assert "Answer: Seen from September 2015" in out
    assert len(list((tmp_path / "found").glob("*.svg"))) >= 3
    assert (tmp_path / "found" / "result.zarr").is_dir()
    for line in out.splitlines():
        if line.startswith("wrote "):
            assert Path(line.removeprefix("wrote ")).exists()


def test_export_round_trips_through_a_file(run, tmp_path):
    path = tmp_path / "c.efg"
    assert run(["export", "scenarios/centipede_4.toml", "--out", str(path)])[0] == 0
    text = path.read_text(encoding="utf-8")
    assert text.startswith("EFG 2 R")
    assert run(["export", "scenarios/centipede_4.toml"])[1] == text


def test_user_text_is_never_markup(run, tmp_path):
    path = tmp_path / "markup.toml"
    path.write_text(
        sim.template().read_text(encoding="utf-8").replace('"Challenger"', '"[bold red]Challenger[/]"'),
        encoding="utf-8",
    )
    assert "[bold red]Challenger[/]" in run(["solve", str(path)])[1]


def test_a_broken_pipe_is_quiet():
    command = f"{sys.executable} -m sim show scenarios/rock_bottom.toml | head -1"
    done = subprocess.run(command, shell=True, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S602 - a fixed command
    assert "Traceback" not in done.stderr
    assert done.stdout.strip() == "The rock-bottom gambit"


def test_no_partial_file_is_left_when_interrupted(tmp_path, monkeypatch, run):
    import sim.analysis.experiment

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(sim.analysis.experiment.Study, "chunk", interrupt)
    code, _, err = run(["run", "experiments/rock_bottom.toml", "--out", str(tmp_path / "x")])
    assert code == 130
    assert "interrupted" in err
    assert "goes on from here" in err
    assert not list((tmp_path / "x").rglob("*.partial"))
    assert not (tmp_path / "x" / "manifest.json").exists()


def test_a_broken_invariant_is_told(run, tmp_path):
    path = tmp_path / "broken.toml"
    text = sim.template().read_text(encoding="utf-8")
    path.write_text(
        text.replace('range = [0, 10]\nbasis = "assumed"', 'range = [0, 2]\nbasis = "assumed"').replace(
            "[moves.hold]\n",
            '[moves.try_it]\nplayer = "challenger"\noutcomes = [{ label = "a", probability = "prize / 2" }, '
            '{ label = "b", probability = "1 - prize" }]\n[moves.hold]\n',
        ),
        encoding="utf-8",
    )
    assert run(["check", str(path), "--set", "prize=0"])[0] == 0
    code, _, err = run(["check", "--invariants", "--set", "prize=0", str(path)])
    assert code == 0, err
    text = (
        path.read_text(encoding="utf-8")
        .replace('"1 - prize"', '"1 - prize / 2"')
        .replace("range = [0, 2]", "range = [0, 1000]")  # nearly every draw breaks the rules
    )
    path.write_text(text, encoding="utf-8")
    code, _, err = run(["check", "--invariants", str(path)])
    assert code == 1
    assert "prize" in err
    assert "Traceback" not in err


def test_the_version_and_the_module(run):
    assert run(["--version"])[:2] == (0, f"sim {sim.__version__}\n")
    done = subprocess.run(
        [sys.executable, "-m", "sim", "--version"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == f"sim {sim.__version__}\n"
