"""The language and its reference: every word that the code knows is in docs/reference/language.md."""

import ast
import doctest
import re
from pathlib import Path

import pytest

import sim
from sim.scenario.context import RESERVED
from sim.scenario.expression import FUNCTIONS, PATH_OPERATORS
from sim.scenario.schema import (
    NOT_YET,
    AssumptionTable,
    ChanceTable,
    ClockTable,
    GraphTable,
    MoveTable,
    OrderTable,
    OutcomeTable,
    PayoffTable,
    PlayerTable,
    RecordTable,
    ScenarioFile,
    SourceTable,
    StateTable,
    TurnTable,
    VariantTable,
)

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "reference" / "language.md").read_text(encoding="utf-8")
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ")]

TABLES = {
    "The file as a whole": [ScenarioFile, SourceTable, ClockTable],
    "Players": [PlayerTable],
    "Assumptions": [AssumptionTable],
    "Orders": [OrderTable],
    "Variants": [VariantTable],
    "State variables": [StateTable],
    "Turns": [TurnTable],
    "Moves": [MoveTable, OutcomeTable],
    "Chance": [ChanceTable],
    "Payoffs": [PayoffTable],
    "Graph model": [GraphTable],
    "History": [RecordTable],
}

KIND_PLACE = {"note": 1, "warn": 1, "at": 1, "fail": 1, "locate": 2, "problem": 0}
"""Functions that make a problem, and where they take its kind."""


def section(title):
    """Return the text under a heading of the second level."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", PAGE, flags=re.MULTILINE | re.DOTALL)
    assert found, title
    return found[1]


def cells(text):
    """Return what stands in code type in the first cell of each row."""
    rows = [line.split(" | ")[0] for line in text.splitlines() if line.startswith("| `")]
    return {word for row in rows for word in re.findall(r"`([^`(]+)[^`]*`", row)}


def kinds_in_code():
    """Find the kinds of problems that the package can report."""
    found = set()
    for file in sorted((ROOT / "sim").rglob("*.py")):
        if file.parent.name not in ("scenario", "construct") and file.name not in ("check.py", "replay.py"):
            continue
        if file.name.startswith("gambit"):  # other people's formats have mistakes of their own
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and re.fullmatch(r"[a-z]+(-[a-z]+)+", node.value)
            ):
                found.add(node.value)
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                place = KIND_PLACE.get(name)
                given = [
                    word.value
                    for word in node.keywords
                    if word.arg == "kind" and (name == "Problem" or place is not None)
                ]
                given += node.args[place : place + 1] if place is not None else []
                found |= {
                    value.value for value in given if isinstance(value, ast.Constant) and isinstance(value.value, str)
                }
    return found


@pytest.mark.parametrize("word", PATH_OPERATORS)
def test_every_path_operator_is_documented(word):
    text = section("Outcomes and path operators")
    assert word in cells(text)
    assert len(re.findall(rf"\b{word}\(", text)) >= 2, "described, and used in an example"


@pytest.mark.parametrize("word", FUNCTIONS)
def test_every_function_is_documented(word):
    assert word in cells(section("Expressions"))


@pytest.mark.parametrize("title", TABLES)
def test_every_key_is_documented(title):
    keys = {name for table in TABLES[title] for name in table.model_fields} - NOT_YET.keys()
    assert keys
    text = section(title)
    assert not {key for key in keys if f"`{key}`" not in text}


def test_every_reserved_word_is_documented():
    assert NOT_YET.keys() <= cells(section("Words for later"))
    assert not {word for word in RESERVED if f"`{word}" not in PAGE}


def test_every_kind_of_problem_is_documented():
    known = kinds_in_code()
    assert len(known) > 40
    documented = cells(section("Mistakes and warnings"))
    assert known - documented == set(), "in the code, but not on the page"
    assert documented - known == set(), "on the page, but not in the code"


def fences(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def test_the_scenario_of_the_howto_is_what_its_page_shows(monkeypatch, tmp_path):
    page = ROOT / "docs" / "howto" / "write-a-scenario.md"
    parts = fences(page, "toml")
    assert len(parts) > 5
    (tmp_path / "crisis.toml").write_text("\n".join(parts), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert len(sim.load("crisis.toml").history) == 2
    test = doctest.DocTestParser().get_doctest("\n".join(fences(page, "pycon")), {}, page.name, str(page), 0)
    assert len(test.examples) > 5
    report = []
    results = doctest.DocTestRunner().run(test, out=report.append)
    assert results.failed == 0, "".join(report)


def test_the_first_example_of_the_reference_loads():
    first = fences(ROOT / "docs" / "reference" / "language.md", "toml")[0]
    from sim.scenario.load import loads

    assert loads(first).player_ids == ("challenger", "defender")
