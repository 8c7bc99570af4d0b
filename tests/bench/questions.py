"""Thresholds and borders against the naive loop: the same search with one ``sim.solve`` and one forward pass for every value asked for."""

import sys
import time
from pathlib import Path

import numpy as np

FULL = 1024
SAMPLE = 40  # variants of the full grid that the naive loop is timed on


def naive(scenario, columns, question):
    """Answer one question for variants one after another, with the front door alone."""
    import sim

    count = len(next(iter(columns.values())))
    out = np.empty(count)
    for k in range(count):
        game = sim.compile(scenario, {name: float(values[k]) for name, values in columns.items()})
        out[k] = sim.play(sim.solve(game, "subgame_perfect")).outcome(question)[0]
    return out


def threshold_rows(row, folder):
    """Every switch of an outcome of rock bottom: the same points, one after another; and what the proof costs."""
    import sim
    from sim.analysis.survey import Case
    from sim.analysis.threshold import Spec, find

    scenario = sim.load(folder / "scenarios" / "rock_bottom.toml")
    kept = {"scenario": scenario, "concept": "subgame_perfect", "options": {}, "case": Case()}
    out = []
    for prove in (False, True):
        spec = Spec(of="deeper_bottom", vary="spoil_cost", crosses=0.2, prove=prove)
        find(spec, **kept)
        begun = time.perf_counter()
        found = find(spec, **kept)
        mine = time.perf_counter() - begun
        assert len(found.crossings) == 1
        assert found.complete == prove
        name = f"threshold of rock bottom, {found.solves} variants, {'proved complete' if prove else 'by scan'}"
        share = np.linspace(0.0, 1.0, SAMPLE)
        begun = time.perf_counter()
        answers = naive(scenario, {"spoil_cost": found.axis.values(share)}, "deeper_bottom")
        theirs = (time.perf_counter() - begun) / SAMPLE * found.solves
        at = found.axis.share(found.axis.value(found.crossings[0].value))
        checked = bool(((answers >= 0.2) == (share >= at)).all())
        reference = f"sim.compile, solve, play one after another, {SAMPLE} of {found.solves} timed"
        out.append(row(name, mine, reference=reference, reference_s=theirs, checked=checked))
    return out


def border_rows(row, folder):
    """The border of an outcome in two assumptions: against the full grid of equal resolution, one variant after another."""
    import sim
    from sim.analysis.border import Spec, find
    from sim.analysis.lattice import ABOVE, UNKNOWN
    from sim.analysis.survey import Case

    out = []
    for file, x, y, question, level in (
        ("brinkmanship", "risk_per_rung", "audience_cost", "backed_down", 0.5),
        ("rock_bottom", "floor_belief_russia", "hostile_zeal", "deeper_bottom", 0.1),
    ):
        scenario = sim.load(folder / "scenarios" / f"{file}.toml")
        kept = {"scenario": scenario, "concept": "subgame_perfect", "options": {}, "case": Case()}
        spec = Spec(of=question, x=x, y=y, crosses=level, resolution=FULL)
        find(spec.model_copy(update={"resolution": 64}), **kept)
        begun = time.perf_counter()
        found = find(spec, **kept)
        mine = time.perf_counter() - begun
        used = sum(found.solves)
        assert found.full_grid / used >= 20, (file, used)
        share = np.random.default_rng(1).random((2, SAMPLE))
        columns = {axis.name: axis.values(one) for axis, one in zip(found.axes, share, strict=True)}
        begun = time.perf_counter()
        answers = naive(scenario, columns, question)
        one = (time.perf_counter() - begun) / SAMPLE
        cell = found.lattice.leaf[(share[0] * FULL).astype(int), (share[1] * FULL).astype(int)]
        sure = cell != UNKNOWN
        checked = bool(sure.any() and ((answers >= level) == (cell == ABOVE))[sure].all())
        name = f"border of {file.replace('_', ' ')}, {used:,} variants instead of {found.full_grid:,}"
        for what, count in (("full grid", found.full_grid), ("same variants", used)):
            reference = f"{what}, one after another, {SAMPLE} timed"
            out.append(row(f"{name}; {what}", mine, reference=reference, reference_s=one * count, checked=checked))
    return out


def rows(row, folder):
    """Return the benchmark's rows; ``row`` is that of run.py, ``folder`` the checkout."""
    return [*threshold_rows(row, folder), *border_rows(row, folder)]


if __name__ == "__main__":
    from run import row as make

    for entry in rows(make, Path(__file__).parents[2]):
        ratio = f", ratio {entry['ratio']:.1f}" if entry["ratio"] else ""
        sys.stdout.write(f"{entry['name']}: {entry['ours_s'] * 1e3:.1f} ms{ratio}, checked {entry['checked']}\n")
