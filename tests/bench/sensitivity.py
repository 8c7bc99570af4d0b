"""Sobol indices of ten assumptions, end to end, and of rock bottom; against a loop over single solves, extrapolated from a few."""

import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parent.parent.parent
POINTS = 4096
SINGLE = 40
TEN = ("disaster_cost", "audience_cost", "tension_cost")
SOME = (
    "floor_belief_russia", "hostile_prior", "status_weight", "ground_weight", "russia_loss_aversion", "sanction_pain", "press_gain",
    "russia_audience_cost", "hostile_zeal", "punish_harm",
)  # fmt: skip


def ten_assumptions():
    """Return brinkmanship with costs for each side, and a patience: ten assumptions with ranges."""
    from sim.scenario.load import loads

    text = (ROOT / "scenarios" / "brinkmanship.toml").read_text(encoding="utf-8")
    head, tail = text.split("[payoffs.challenger]")
    challenger, defender = tail.split("[payoffs.defender]")
    for name in TEN:
        at = head.index(f"[assumptions.{name}]")
        end = head.index("\n\n", at)
        whole = head[at:end]
        own = whole.replace(f"assumptions.{name}", f"assumptions.{name}_other")
        head = head[:end] + "\n\n" + own + head[end:]
        defender = defender.replace(name, f"{name}_other")
    head = head.replace('defender = "-audience_cost', 'defender = "-audience_cost_other').replace(
        "discount = 0.95", 'discount = "patience"'
    )
    head = head.replace(
        "[state.rung]", '[assumptions.patience]\nvalue = 0.95\nrange = [0.5, 1]\nbasis = "assumed"\n\n[state.rung]', 1
    )
    return loads(f"{head}[payoffs.challenger]{challenger}[payoffs.defender]{defender}", "ten.toml")


def one_by_one(scenario, columns, ask):
    """Solve variants one after another, as one who does not know better; return answers and seconds."""
    import sim

    out = []
    begun = time.perf_counter()
    for row in range(len(next(iter(columns.values())))):
        game = sim.compile(scenario, {name: values[row] for name, values in columns.items()})
        out.append(ask(sim.solve(game, "subgame_perfect")))
    return np.array(out), time.perf_counter() - begun


def analysed(row, label, scenario, question, ask, *, vary, points, kept=SINGLE):
    """Time a whole analysis, its design and intervals included, and the loop over its first variants."""
    from sim.analysis.exploring import factors_of
    from sim.analysis.sampled import Saltelli
    from sim.analysis.sensitivity import Spec, find
    from sim.analysis.survey import Case

    asked = {"scenario": scenario, "concept": "subgame_perfect", "options": {}, "case": Case()}
    find(Spec(of=question, vary=vary, samples=16), **asked)  # compiles kernels and imports
    begun = time.perf_counter()
    found = find(Spec(of=question, vary=vary, samples=points), **asked)
    mine = time.perf_counter() - begun
    assert found.found[0].unanswered == 0
    design = Saltelli(factors=factors_of(scenario, Case(), vary), samples=points)
    columns = design.rows(0, kept)
    single, seconds = one_by_one(scenario, columns, ask)
    from sim.analysis.asker import Asker

    np.testing.assert_allclose(Asker(scenario=scenario, questions=(question,))(columns), single, atol=1e-9)
    name = f"Sobol analysis of {label}, N = {points:,}, D = {len(design.factors)}, second order, {design.count:,} variants, end to end"
    return row(
        name,
        mine,
        reference=f"a loop over sim.solve, from {kept} variants",
        reference_s=seconds / kept * design.count,
        checked=True,
    )


def rows(row, *, points=POINTS):
    """Return the benchmark's rows; ``row`` is that of run.py."""
    import sim
    from sim.analysis.follow import advantages

    ten, rock = ten_assumptions(), sim.load(ROOT / "scenarios" / "rock_bottom.toml")

    def highest(solution):
        return sim.play(solution).outcome("highest")[0]

    def gambit(solution):
        return advantages(solution, "gambit", "2016-10", "russia")[0]

    return [
        analysed(row, "a ladder", ten, "highest", highest, vary="all", points=points),
        analysed(
            row,
            "rock bottom",
            rock,
            "advantage(gambit @ 2016-10:russia)",
            gambit,
            vary=list(SOME),
            points=max(16, points // 32),
            kept=3,
        ),
    ]


if __name__ == "__main__":
    from run import row as make

    for entry in rows(make, points=int(sys.argv[1]) if len(sys.argv) > 1 else POINTS):
        sys.stdout.write(f"{entry['name']}: {entry['ours_s']:.2f} s, ratio {entry['ratio']:.0f}\n")
