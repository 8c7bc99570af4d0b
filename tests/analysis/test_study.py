"""The study's page: every experiment is on it with its question, and the answers are those that the experiments give."""

import re
import sys
import tomllib
from pathlib import Path

import pytest

from sim.analysis.answer import sentence
from sim.analysis.experiment import run_plan
from sim.analysis.findings import find_all
from sim.analysis.plan import read_experiment

ROOT = Path(__file__).parent.parent.parent
FILES = sorted((ROOT / "experiments").glob("*.toml"))


def rows():
    """Read the page's table."""
    text = (ROOT / "experiments" / "README.md").read_text(encoding="utf-8")
    cells = [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for line in text.splitlines()
        if "](" in line and line.startswith("|")
    ]
    return {re.search(r"\[(\w+)\.toml\]", row[1])[1]: row for row in cells}


def test_every_experiment_is_on_the_page():
    found = rows()
    assert len(FILES) >= 13
    assert set(found) == {path.stem for path in FILES}
    for path in FILES:
        question = " ".join(tomllib.loads(path.read_text(encoding="utf-8"))["question"].split())
        assert found[path.stem][0] == question
        assert len(found[path.stem][2]) > 100
        assert "{" not in found[path.stem][2]


def test_every_question_of_the_study_has_an_experiment():
    found = [re.match(r"Question (\d+)(?: and (\d+))?", row[0]) for row in rows().values()]
    asked = {int(number) for match in found if match for number in match.groups() if number}
    assert {1, 2, 3, 4, 5, 7, 9, 10, 12} <= asked


@pytest.mark.parametrize("name", ["mechanisms", "successor", "counterfactuals"])
def test_answers_are_those_of_the_files(name):
    plan = read_experiment(ROOT / "experiments" / f"{name}.toml")
    answer = sentence(plan.experiment.answer, run_plan(plan), find_all(plan))
    assert answer == rows()[name][2]


def test_the_page_is_written_from_manifests(tmp_path, monkeypatch):
    import json

    monkeypatch.syspath_prepend(str(ROOT / "tests"))
    import study

    for path in FILES:
        (tmp_path / path.stem).mkdir()
        (tmp_path / path.stem / "manifest.json").write_text(
            json.dumps({"answer": f"of {path.stem} | x", "seconds": 3.2}), encoding="utf-8"
        )
    page = study.table(tmp_path)
    for path in FILES:
        assert f"of {path.stem} \\| x | 3 s |" in page
    assert "study" in sys.modules
