"""Figures exist, are deterministic, and carry the words that a reader needs; they are looked at by eye before they land."""

import re
from pathlib import Path

import numpy as np
import pytest

import sim
from sim.analysis.compare import compare
from sim.analysis.experiment import run_plan
from sim.analysis.plan import read_experiment
from sim.errors import OptionError
from sim.present.figures import comparison_figure, draw, quantile_rungs, trajectory_figure

EXPERIMENT = (Path(__file__).parent.parent / "small_experiment.toml").read_text(encoding="utf-8")


def words(path):
    return set(re.findall(r">([^<>]+)</text>", path.read_text(encoding="utf-8")))


@pytest.fixture
def drawn(tmp_path):
    (tmp_path / "three_moves.toml").write_text(sim.template().read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "small.toml").write_text(EXPERIMENT, encoding="utf-8")
    plan = read_experiment(tmp_path / "small.toml")
    return plan, run_plan(plan), tmp_path


def test_every_kind_is_drawn_as_svg_and_png(drawn):
    plan, data, folder = drawn
    found = draw(plan, data, folder)
    assert len(found) == 2 * len(plan.experiment.figures) == 10
    for path in found:
        assert path.stat().st_size > 2000
        head = path.read_bytes()[:64]
        assert head.startswith(b"\x89PNG") if path.suffix == ".png" else b"xml" in head
    assert {"peace", "crisis", "war", "declared bottom", "median"} <= words(folder / "fan.svg")
    assert "crisis" in words(folder / "first.svg") | {word.strip() for word in words(folder / "first.svg")}
    assert not list(folder.glob("*partial*"))


def test_the_same_data_give_the_same_bytes(drawn):
    plan, data, folder = drawn
    first = {path.name: path.read_bytes() for path in draw(plan, data, folder) if path.suffix == ".svg"}
    second = {path.name: path.read_bytes() for path in draw(plan, data, folder) if path.suffix == ".svg"}
    assert first
    assert first == second


def test_trajectories_and_comparisons(tmp_path):
    game = sim.compile(sim.load(sim.template()))
    solutions = [sim.solve(game, "subgame_perfect"), sim.solve(game, "quantal_response")]
    assert trajectory_figure(sim.play(solutions[1]), tmp_path / "one.pdf").stat().st_size > 2000
    comparison_figure(compare(solutions), tmp_path / "two.svg")
    assert {"subgame perfect", "quantal response"} <= words(tmp_path / "two.svg")
    with pytest.raises(OptionError, match="svg, png, pdf"):
        trajectory_figure(sim.play(solutions[0]), tmp_path / "one.gif")


def test_quantiles_of_a_ladder():
    shares = np.array([[0.2, 0.3, 0.5], [1.0, 0.0, 0.0]])
    assert quantile_rungs(shares, 0.05).tolist() == [0, 0]
    assert quantile_rungs(shares, 0.5).tolist() == [1, 0]
    assert quantile_rungs(shares, 0.95).tolist() == [2, 0]
