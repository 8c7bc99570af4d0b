"""Beliefs and private types in figures, sentences and tables."""

import re
from pathlib import Path

import pytest

import sim
from sim.analysis.beliefs import belief_paths
from sim.analysis.paths import play
from sim.analysis.replay import replay, told
from sim.errors import OptionError
from sim.present import tables
from sim.present.beliefs import beliefs_data, beliefs_lines, beliefs_tables
from sim.present.beliefs_figure import beliefs_figure
from sim.present.plain import to_json
from sim.present.private import other_equilibria_table, precision_line, type_values_table

SCENARIO = Path(__file__).parent.parent.parent / "scenarios" / "entry_deterrence.toml"


@pytest.fixture(scope="module")
def solution():
    return sim.solve(sim.compile(sim.load(SCENARIO)), "perfect_bayesian", starts=0)


def words(path):
    return set(re.findall(r">([^<>]+)</text>", path.read_text(encoding="utf-8")))


def test_the_figure_names_what_moved_beliefs_and_is_the_same_twice(solution, tmp_path):
    found = belief_paths(solution, count=4)
    first = beliefs_figure(found, tmp_path / "one.svg")
    shown = {word.strip() for word in words(first)}
    assert {"fight", "share market", "Chain store: strong", "mean where it is true", "end of round"} <= shown
    assert "most likely history, probability 0.75" in shown
    assert first.read_bytes() == beliefs_figure(found, tmp_path / "two.svg").read_bytes()
    for ending in ("png", "pdf"):
        assert beliefs_figure(found, tmp_path / f"one.{ending}").stat().st_size > 2000
    with pytest.raises(OptionError, match="svg, png, pdf"):
        beliefs_figure(found, tmp_path / "one.gif")


def test_sentences_say_what_moves_beliefs_most(solution):
    lines = beliefs_lines(belief_paths(solution, count=1))
    assert lines[1].endswith("goes from 0.062 to 0; share_market in round 1 moves it most (0.062 → 0).")
    assert lines[-1].startswith("Check holds:")


def test_tables_go_by_round_and_name_moves(solution):
    found = belief_paths(solution, count=2)
    first, second, whole = beliefs_tables(found)
    assert [row[1] for row in first.rows] == ["", "store: share_market", "", ""]
    assert [row[1] for row in second.rows] == ["", "store: fight", "", "store: share_market"]
    assert second.rows[1] == ("1", "store: fight", "0.750", "0.250")
    assert whole.rows[1] == ("1", "0.050", "0.250", "0.062", "0", "0.250")
    assert '"store"' in to_json(beliefs_data(found))


def test_values_by_type_and_all_equilibria(solution):
    rows = type_values_table(solution).rows
    assert [row[:3] for row in rows] == [("Chain store", "weak", "0.938"), ("Chain store", "strong", "0.062")]
    # a weak store gets nothing: it shares at once; its mean with the strong one is the store's value
    assert rows[0][3] == "0"
    assert float(rows[1][3]) / 16 == pytest.approx(float(solution.values[0, 0]), abs=1e-3)
    assert [row[:2] for row in other_equilibria_table(solution).rows] == [("shown", "sequential (logit trembles)")]
    assert "sequential (logit trembles); 0 other equilibria found; there may be more" in tables.solution_lines(solution)
    data = tables.solution_data(solution, play(solution))
    assert data["types"]["store"]["strong"]["value"] == pytest.approx(1.5)


def test_replay_shows_how_beliefs_moved():
    scenario = sim.load(SCENARIO)
    solution = sim.solve(sim.compile(scenario), "quantal_response", precision=2.0)
    found = replay(solution, records=told(scenario, "entrant_1:enter > fight"))
    table = tables.replay_table(found)
    assert table.columns[7] == "believed: store strong"
    assert len(table.rows) == 2
    assert table.rows[0][7] == "0.062"
    before, after = table.rows[1][7].split(" → ")
    assert before == "0.062"
    assert float(after) > 0.07
    moved = tables.replay_data(found)["records"][1]["beliefs"]["store"]
    assert moved["after"]["strong"] == pytest.approx(float(after), abs=1e-3)
    assert "λ = 2" in precision_line(solution)


def test_replay_without_private_types_is_as_before():
    solution = sim.solve(sim.compile(sim.load(sim.template())), "quantal_response")
    table = tables.replay_table(replay(solution, records=told(sim.load(sim.template()), "push")))
    assert table.columns == (
        "date",
        "player",
        "recorded",
        "probability",
        "rank",
        "surprise",
        "the model expected",
        "source",
    )
    assert len(table.rows) == 1
    assert len(table.rows[0]) == len(table.columns)
