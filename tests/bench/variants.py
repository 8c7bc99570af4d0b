"""Variants at scale: surveys against plain kernels, against Gambit, against the loop that a user would write, in memory and on disk.

Answers are compared before anything is timed. Large runs are made in fresh processes, so that their peak memory is their own.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parent.parent.parent
ASKED = ("gambit_played", "deeper_bottom", "settled")
LADDER_ROUNDS = 8
LADDER_ASKED = ("disaster", "prize_taken", "backed_down")


GAMBIT = """
import io, json, sys, time, pygambit
game = pygambit.read_efg(io.BytesIO(sys.stdin.read().encode()))
begun = time.perf_counter()
found = pygambit.qre.logit_solve_lambda(game, lam=[1.0], use_strategic=False)
print(json.dumps([time.perf_counter() - begun, found[0].lam, [float(value) for _, value in found[0].profile.payoffs]]))
"""


def survey_of(scenario, outcomes, concept="subgame_perfect", rounds=None, **options):
    """Make a survey of one case under one concept."""
    from sim.analysis.plan import ConceptSpec
    from sim.analysis.survey import Case, Survey

    spec = ConceptSpec(concept=concept, label=concept, **options)
    return Survey(scenario, [Case(rounds=rounds)], [spec], outcomes=list(outcomes))


def sampled(scenario, count, names=None):
    """Draw every assumption that has a range and shapes nothing."""
    from sim.analysis.factors import factor_of
    from sim.analysis.sampled import Sampled
    from sim.scenario.values import structural

    shaping = structural(scenario)
    chosen = names or [
        name
        for name, one in scenario.assumptions.items()
        if one.range and name not in shaping and one.value.constant is not None
    ]
    return Sampled(factors=tuple(factor_of(scenario, name) for name in chosen), kind="random", samples=count, seed=1)


def against_plain(row, median_times):
    """Rock bottom: subgame perfection, certified, with three outcomes, against the bare arithmetic of one solve and one forward pass."""
    import plain

    import sim
    from sim.construct.compile import renumber

    scenario = sim.load(ROOT / "scenarios" / "rock_bottom.toml")
    count = 256
    columns = sampled(scenario, count).rows(0, count)
    survey = survey_of(scenario, ASKED, ties="first")
    found = survey.ask(columns)
    batch = renumber(sim.compile(scenario), columns)
    g, x = batch.graph, batch.numbers
    given = (
        g.layer_start, g.layer_player, g.layer_boundary, g.edge_start, g.edge_dst, g.edge_pay, g.edge_prob, g.node_reward, g.node_final,
        x.reward, x.pay, x.prob, x.discount,
    )  # fmt: skip
    profile, reached = np.zeros((count, g.edge_count)), np.zeros((count, g.node_count))

    def reference():
        plain.two_threads(plain.best_paths, count, *given, profile, reached)

    reference()
    ends = np.flatnonzero(g.edge_start[1:] == g.edge_start[:-1])
    settled = batch.origin.codec.column(g.node_key[ends], "settled")
    np.testing.assert_allclose(reached[:, ends] @ settled, found["settled"][0, 0], atol=1e-9)
    ours, theirs = median_times(lambda: survey.ask(columns), reference)
    return [
        row(
            f"rock bottom, {count} variants, certified, three outcomes",
            ours,
            reference="plain kernel: one solve, one forward pass, payoffs given",
            reference_s=theirs,
            target=0.5,
            checked=True,
        )
    ]


def against_gambit(row):
    """One variant of rock bottom truncated to the rounds that Gambit's logit still solves."""
    name = "rock bottom truncated, one variant, quantal response"
    try:
        import pygambit  # noqa: F401
    except ImportError:
        return [row(name, None, skipped="pygambit is not installed")]
    import sim
    from sim.construct.gambit import to_efg

    scenario = sim.load(ROOT / "scenarios" / "rock_bottom.toml")
    solved = []
    for tried in (1, 2, 3):  # the next has several hundred thousand branches
        game = sim.compile(scenario, rounds=tried)
        try:
            done = subprocess.run(
                [sys.executable, "-c", GAMBIT],
                input=to_efg(game),
                capture_output=True,
                text=True,
                timeout=200,
                check=True,
            )
        except (subprocess.TimeoutExpired, subprocess.CalledProcessError):
            break
        spent, precision, values = json.loads(done.stdout)
        assert abs(precision - 1.0) < 1e-6
        if (
            tried == 1
        ):  # later rounds are discounted, and the exported tree carries present values, on which precision acts otherwise
            np.testing.assert_allclose(values, sim.solve(game, "quantal_response", precision=1.0).values[0], atol=1e-5)
        solved.append((tried, spent))
    if not solved:
        return [row(name, None, skipped="Gambit solves no truncation of it")]
    rounds, theirs = solved[-1]
    count = 4096
    columns = sampled(scenario, count).rows(0, count)
    survey = survey_of(scenario, ("gambit_played",), concept="quantal_response", rounds=rounds, precision=1.0)
    survey.ask(columns)
    begun = time.perf_counter()
    survey.ask(columns)
    ours = (time.perf_counter() - begun) / count
    return [
        row(
            f"rock bottom, {rounds} round{'s' if rounds > 1 else ''}, a variant of quantal response",
            ours,
            reference="Gambit logit, behaviour form, once",
            reference_s=theirs,
            target=10_000,
            checked=True,
        )
    ]


def against_loop(row):
    """Variants of quantal response at once, against the loop over compile, solve and play."""
    import sim

    scenario = sim.load(ROOT / "scenarios" / "rock_bottom.toml")
    count = 64
    columns = sampled(scenario, count).rows(0, count)
    survey = survey_of(scenario, ASKED, concept="quantal_response", precision=1.0)
    found = survey.ask(columns)

    def loop(many):
        out = []
        for v in range(many):
            game = sim.compile(scenario, {name: float(values[v]) for name, values in columns.items()})
            paths = sim.play(sim.solve(game, "quantal_response", precision=1.0))
            out.append([paths.outcome(name)[0] for name in ASKED])
        return np.array(out).T

    some = 12
    np.testing.assert_allclose(loop(some), np.stack([found[name][0, 0, :some] for name in ASKED]), atol=1e-12)
    times = {"ours": [], "loop": []}
    for _ in range(3):
        begun = time.perf_counter()
        survey.ask(columns)
        middle = time.perf_counter()
        loop(some)
        times["loop"].append((time.perf_counter() - middle) / some)
        times["ours"].append((middle - begun) / count)
    ours, theirs = (statistics.median(values) for values in times.values())
    return [
        row(
            "rock bottom, a variant of quantal response with three outcomes",
            ours,
            reference="the loop over sim.solve",
            reference_s=theirs,
            checked=True,
        )
    ]


RUN = """
import json, resource, sys, time
from pathlib import Path
from sim.analysis.experiment import Study
from sim.analysis.plan import plan_of
text, scenario, out = json.loads(sys.stdin.read())
study = Study(plan_of("bench", text, scenario))
study.chunk(0, min(64, study.design.count))
begun = time.perf_counter()
store, _, left = study.run(Path(out))
spent = time.perf_counter() - begun
certified = sum(int(store.chunk(k)["certified"].sum()) for k in range(store.layout.chunks))
status = Path("/proc/self/status")  # the other count starts from what the parent held
own = [line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM")] if status.exists() else []
peak = int(own[0]) if own else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([spent, certified, left, peak / 1024]))
"""


def run_fresh(text, scenario, threads=""):
    """Run an experiment to disk in a fresh process; return seconds and peak megabytes."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-c", RUN], input=json.dumps([text, scenario, folder]), capture_output=True, text=True, check=True, cwd=ROOT,
            env={**os.environ, "SIM_THREADS": threads},
        )  # fmt: skip
    return json.loads(done.stdout)


def experiment(scenario, count, outcomes, rounds=None, names=None):
    """Write an experiment over all ranges."""
    import sim

    chosen = sampled(sim.load(ROOT / "scenarios" / scenario), 1, names).names
    length = f"rounds = {rounds}\n" if rounds else ""
    return (
        f'title = "b"\nquestion = "q"\nscenario = "{scenario}"\nconcepts = ["subgame_perfect"]\noutcomes = {json.dumps(list(outcomes))}\n{length}'
        f'[[designs]]\nkind = "random"\nsamples = {count}\nvary = {json.dumps(list(chosen))}\n'
    )


def at_scale(row, ladder=1_000_000, rock=100_000):
    """Run a million variants of a ladder and a hundred thousand of rock bottom, to disk."""
    out = []
    for name, scenario, count, asked, rounds, limit, memory in (
        ("brinkmanship, 579 nodes", "brinkmanship.toml", ladder, LADDER_ASKED, LADDER_ROUNDS, 20.0, 1000.0),
        ("rock bottom, 47,102 nodes", "rock_bottom.toml", rock, ASKED, None, 300.0, None),
    ):
        text = experiment(scenario, count, asked, rounds)
        spent, certified, left, peak = run_fresh(text, (ROOT / "scenarios" / scenario).read_text(encoding="utf-8"))
        assert (certified, left) == (count, 0)
        whole = 1_000_000 if scenario == "brinkmanship.toml" else 100_000
        title = f"{name}, {count:,} variants, certified, three outcomes, to disk"
        out.append(row(title, spent, limit_s=limit * count / whole, peak=peak, limit_mb=memory, checked=True))
    return out


def processes(row, count=16_384):
    """Two worker processes against one process held to one thread, on work bound by solving."""
    import sim
    from sim.analysis.cluster import local
    from sim.analysis.experiment import Study
    from sim.analysis.plan import plan_of
    from sim.analysis.record import read

    try:
        import distributed  # noqa: F401
    except ImportError:
        return [row("two worker processes", None, skipped="dask.distributed is not installed")]
    scenario = (ROOT / "scenarios" / "rock_bottom.toml").read_text(encoding="utf-8")
    plan = plan_of("bench", experiment("rock_bottom.toml", count, ASKED), scenario)
    alone, _, _, _ = run_fresh(plan.texts["experiment"], scenario, threads="1")
    before = os.environ.get("SIM_THREADS")
    stamps = []
    with tempfile.TemporaryDirectory() as folder:
        Study(plan).run(
            Path(folder) / "two", chunk=1024, solver=local(plan, 2), progress=lambda done, _: stamps.append((time.perf_counter(), done))
        )  # fmt: skip
        # both have started and compiled by then, as the reference had
        (first, early), (last, late) = stamps[2], stamps[-1]
        ours = (last - first) * count / (late - early)
        Study(plan).run(Path(folder) / "one", chunk=1024)
        same = read(Path(folder) / "two"), read(Path(folder) / "one")
        for name in same[0].data_vars:
            np.testing.assert_array_equal(same[0][name].values, same[1][name].values)
    assert os.environ.get("SIM_THREADS") == before
    assert sim.load is not None
    return [
        row(
            f"rock bottom, {count:,} variants in two worker processes, once started",
            ours,
            reference="one process, one thread",
            reference_s=alone,
            target=1.5,
            checked=True,
        )
    ]


def rows(row, median_times, *, ladder=1_000_000, rock=100_000):
    """Return all rows."""
    return [
        *against_plain(row, median_times),
        *against_gambit(row),
        *against_loop(row),
        *at_scale(row, ladder, rock),
        *processes(row),
    ]


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    from run import median_times as timer
    from run import row as make

    few = len(sys.argv) > 1
    for entry in rows(make, timer, **({"ladder": 65536, "rock": 4096} if few else {})):
        ratio = f", ratio {entry['ratio']:,.2f}" if entry["ratio"] else ""
        peak = f", {entry['peak_mb']:.0f} MB" if entry["peak_mb"] else ""
        limit = f" (≤ {entry['limit_s']:.1f} s)" if entry["limit_s"] else ""
        spent = "skipped" if entry["ours_s"] is None else f"{entry['ours_s'] * 1e3:,.3f} ms"
        sys.stdout.write(f"{entry['name']}: {spent}{limit}{ratio}{peak} {entry['skipped'] or ''}\n")
