"""Every scenario and experiment that is shipped: checked, listed, solved, certified."""

import re
from pathlib import Path

import pytest

import sim
from sim.analysis.check import check
from sim.analysis.plan import read_experiment
from sim.solve.registry import concepts_for
from sim.testing import check_invariants

ROOT = Path(__file__).parent.parent
SCENARIOS = sorted((ROOT / "scenarios").glob("*.toml"))
EXPERIMENTS = sorted((ROOT / "experiments").glob("*.toml"))


def test_there_are_scenarios_and_experiments():
    assert len(SCENARIOS) >= 9
    assert len(EXPERIMENTS) >= 4


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_every_scenario_is_listed_and_solves(path):
    """A new scenario needs: no mistakes, no warnings, a line in docs/reference/scenarios.md, certified solutions."""
    game, warnings = check(sim.load(path))
    assert warnings == ()
    page = (ROOT / "docs" / "reference" / "scenarios.md").read_text(encoding="utf-8")
    assert path.name in page, f"docs/reference/scenarios.md does not list {path.name}"
    assert concepts_for(game)
    for concept in concepts_for(game):
        paths = sim.play(sim.solve(game, concept))
        found = paths.outcomes()
        assert found
        assert paths.histories(1)[0].probability > 0


@pytest.mark.parametrize("path", [path for path in SCENARIOS if path.stem != "rock_bottom"], ids=lambda path: path.stem)
def test_invariants_hold_for_small_scenarios(path):
    assert len(check_invariants(sim.load(path), examples=3)) >= 7


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
def test_every_experiment_is_checked_and_listed(path):
    plan = read_experiment(path)
    assert plan.experiment.answer is not None
    assert plan.experiment.figures
    page = (ROOT / "docs" / "reference" / "scenarios.md").read_text(encoding="utf-8")
    assert path.name in page, f"docs/reference/scenarios.md does not list {path.name}"


@pytest.mark.parametrize("path", [path for path in SCENARIOS if path.stem == "rock_bottom"], ids=lambda path: path.stem)
def test_the_source_is_cited_and_never_copied(path):
    """Every assumption has a basis; what is stated or inferred cites a paragraph that exists; no assumption lacks a range or choices."""
    scenario = sim.load(path)
    assert len(scenario.assumptions) > 40
    for assumption in scenario.assumptions.values():
        assert assumption.range or assumption.choices, assumption.id
        assert assumption.note, assumption.id
        if assumption.basis != "assumed":
            assert any(re.search(r"¶\d+", citation) for citation in assumption.source), assumption.id
    cited = {
        int(number) for citation in re.findall(r"¶(\d+)", path.read_text(encoding="utf-8")) for number in [citation]
    }
    assert cited >= set(range(2, 21)) - {4, 11, 12}
    assert max(cited) <= 20
