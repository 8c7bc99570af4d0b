"""Speed and memory, as ratios against other code in the same run; answers are compared before anything is timed.

Prints a table and writes build/bench.json. Medians of interleaved repeats; a reference that is not installed is skipped, with the reason.
"""

import json
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(Path(__file__).parent))
REPEATS = 7


def median_times(*calls, repeats=REPEATS):
    """Time calls in turn, A B A B …, and return each one's median in seconds."""
    times = [[] for _ in calls]
    for call in calls:
        call()
    for _ in range(repeats):
        for place, call in enumerate(calls):
            begun = time.perf_counter()
            call()
            times[place].append(time.perf_counter() - begun)
    return [statistics.median(found) for found in times]


def row(
    name,
    ours,
    *,
    reference="",
    reference_s=None,
    target=None,
    limit_s=None,
    peak=None,
    limit_mb=None,
    checked=False,
    skipped=None,
):
    ratio = reference_s / ours if reference_s and ours else None
    return {
        "name": name, "ours_s": ours, "reference": reference, "reference_s": reference_s, "ratio": ratio, "target": target if skipped is None else None,
        "limit_s": limit_s, "peak_mb": peak, "limit_mb": limit_mb, "checked": checked, "skipped": skipped,
    }  # fmt: skip


LARGE = """
title = "a million nodes"
rounds = {rounds}
[players.a]
discount = 0.9
[players.b]
discount = 0.9
[state.x]
range = [0, 999]
start = 500
[state.y]
range = [0, 199]
start = 100
[[turns]]
player = "a"
[[turns]]
player = "b"
[moves.up]
player = "a"
when = "x < 903"
effects = {{ x = "x + 97" }}
[moves.down]
player = "a"
effects = {{ x = "max(x - 31, 0)" }}
[moves.middle]
player = "a"
effects = {{ x = "500 + (x - 500) // 2", y = "max(y - 1, 0)" }}
[moves.lift]
player = "b"
effects = {{ y = "min(y + 3, 199)" }}
[moves.lower]
player = "b"
effects = {{ y = "max(y - 1, 0)" }}
[moves.halve]
player = "b"
effects = {{ y = "y // 2" }}
[payoffs.a]
each_round = "0.01 * x"
[payoffs.b]
each_round = "0.01 * y - 0.001 * x"
"""


def large():
    """Compile a million nodes in a fresh process, so that the peak is its own."""
    code = (
        "import json, resource, sys, time\nimport sim\nfrom sim.scenario.load import loads\n"
        "scenario = loads(sys.stdin.read())\nsim.compile(scenario, rounds=3)\n"
        "begun = time.perf_counter()\ngame = sim.compile(scenario)\nspent = time.perf_counter() - begun\n"
        "print(json.dumps([spent, game.graph.node_count, game.graph.edge_count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))"
    )
    found = [
        json.loads(
            subprocess.run(
                [sys.executable, "-c", code],
                input=LARGE.format(rounds=14),
                capture_output=True,
                text=True,
                check=True,
                cwd=ROOT,
            ).stdout
        )
        for _ in range(3)
    ]
    spent, nodes, edges, peak = (statistics.median(column) for column in zip(*found, strict=True))
    assert nodes >= 1_000_000
    assert edges >= 3_000_000
    return row(
        f"compile {int(nodes):,} nodes, {int(edges):,} edges",
        spent,
        limit_s=3.0,
        peak=peak,
        limit_mb=1000.0,
        checked=True,
    )


def varied(scenario, game, count):
    """Return settings that vary every numeric assumption outside the structure over its range."""
    rng = np.random.default_rng(1)
    out = {}
    for name, assumption in scenario.assumptions.items():
        if assumption.range and name not in game.origin.structure and assumption.value.constant is not None:
            base = assumption.value.constant
            low, high = assumption.range
            out[name] = base + (rng.uniform(low, high, count) - base) * 0.2
    return out


def rock_bottom():
    """Compile, renumber, solve and play the founding scenario."""
    import plain

    import sim
    from sim.construct.compile import renumber

    scenario = sim.load(ROOT / "scenarios" / "rock_bottom.toml")
    game = sim.compile(scenario)
    out = [row("compile rock bottom", median_times(lambda: sim.compile(scenario))[0], limit_s=0.5, checked=True)]
    fresh = sim.compile(scenario, {"floor_holds": 0.3})
    assert np.array_equal(renumber(game, {"floor_holds": 0.3}).numbers.prob, fresh.numbers.prob)
    out.append(
        row(
            "new numbers for rock bottom",
            median_times(lambda: renumber(game, {"floor_holds": 0.3}))[0],
            limit_s=0.010,
            checked=True,
        )
    )

    count = 64
    settings = varied(scenario, game, count)
    batch = renumber(game, settings)
    g, x = batch.graph, batch.numbers
    shared = (g.layer_start, g.layer_player, g.layer_boundary, g.edge_start, g.edge_dst)
    tables = (g.edge_pay, g.edge_prob, g.node_reward, g.node_final, x.reward, x.pay, x.prob, x.discount)
    profile, root = np.zeros((count, g.edge_count)), np.zeros((count, len(g.players)))

    from sim.solve import quantal_response, subgame_perfect

    def reference_best():
        plain.two_threads(plain.best_replies, count, *shared, *tables, profile, root)

    def reference_logit():
        plain.two_threads(plain.logit, count, *shared, g.edge_weight, *tables, 1.0, profile, root)

    reference_best()
    np.testing.assert_allclose(root, sim.solve(batch, "subgame_perfect", ties="first").values, rtol=1e-6, atol=1e-6)
    ours, theirs = median_times(
        lambda: subgame_perfect.solve(renumber(game, settings), subgame_perfect.Options(ties="first")), reference_best
    )
    out.append(
        row(
            f"subgame perfection, {count} variants, evaluation included",
            ours,
            reference="plain kernel, payoffs given",
            reference_s=theirs,
            target=0.5,
            checked=True,
        )
    )
    reference_logit()
    np.testing.assert_allclose(root, sim.solve(batch, "quantal_response", precision=1.0).values, rtol=1e-9, atol=1e-9)
    ours, theirs = median_times(
        lambda: quantal_response.solve(renumber(game, settings), quantal_response.Options(precision=1.0)),
        reference_logit,
    )
    out.append(
        row(
            f"quantal response, {count} variants, evaluation included",
            ours,
            reference="plain kernel, payoffs given",
            reference_s=theirs,
            target=0.5,
            checked=True,
        )
    )

    solution = sim.solve(game, "subgame_perfect")
    first = sim.play(solution).outcomes()
    name = "deeper_bottom"

    def outcomes():
        return sim.play(solution).outcome(name)

    assert outcomes() == first[name]
    out.append(row("exact outcome of one variant", median_times(outcomes)[0], limit_s=0.005, checked=True))
    spent = median_times(lambda: sim.play(solution).outcomes())[0]
    out.append(row(f"all {len(scenario.questions)} outcomes of one variant", spent, checked=True))
    return out


def processes():
    """Whole processes, from start to answer, warm."""

    def run(*words):
        subprocess.run([sys.executable, *words], check=True, capture_output=True, cwd=ROOT)

    solve = ("-m", "sim", "solve", "scenarios/rock_bottom.toml", "--json")
    found = json.loads(
        subprocess.run([sys.executable, *solve], check=True, capture_output=True, cwd=ROOT, text=True).stdout
    )
    assert found["status"] == "certified"
    solving = median_times(lambda: run(*solve), repeats=5)[0]
    helping, empty = median_times(lambda: run("-m", "sim", "--help"), lambda: run("-c", "pass"), repeats=9)
    return [
        row("sim solve rock bottom, process start to answer", solving, limit_s=1.5, checked=True),
        row("sim --help over an empty Python", helping - empty, limit_s=0.3, checked=True),
    ]


def peers():
    """The same trees in other programs."""
    import io

    import sim
    from sim.construct.gambit import to_efg, tree_size

    scenario = sim.load(ROOT / "scenarios" / "brinkmanship.toml")
    game = sim.compile(scenario)
    out = []
    name = f"subgame perfection of brinkmanship ({game.graph.node_count} nodes, {tree_size(game):,} unmerged)"
    try:
        import pyspiel
    except ImportError as error:
        out.append(row(name, None, reference="OpenSpiel", skipped=str(error)))
    else:
        tree = pyspiel.load_efg_game(to_efg(game))

        def walk(state):
            if state.is_terminal():
                return np.array(state.returns())
            if state.is_chance_node():
                return sum(p * walk(state.child(action)) for action, p in state.chance_outcomes())
            return max(
                (walk(state.child(action)) for action in state.legal_actions()),
                key=lambda value: value[state.current_player()],
            )

        np.testing.assert_allclose(
            walk(tree.new_initial_state()), sim.solve(game, "subgame_perfect", ties="first").values[0], atol=1e-9
        )
        ours, theirs = median_times(
            lambda: sim.solve(game, "subgame_perfect"), lambda: walk(tree.new_initial_state()), repeats=3
        )
        out.append(row(name, ours, reference="OpenSpiel tree walk", reference_s=theirs, checked=True))
    scenario = sim.load(ROOT / "scenarios" / "centipede_6.toml")
    game = sim.compile(scenario)
    name = "quantal response at λ = 1 of the six-move centipede"
    try:
        import pygambit
    except ImportError as error:
        out.append(row(name, None, reference="Gambit logit", skipped=str(error)))
    else:
        tree = pygambit.read_efg(io.BytesIO(to_efg(game).encode()))
        theirs_one = pygambit.qre.logit_solve_lambda(tree, lam=[1.0], use_strategic=False)[0].profile
        first = next(iter(theirs_one["one"]))[1]
        assert abs(float(first["take"]) - sim.solve(game, "quantal_response", precision=1.0).profile[0, 0]) < 1e-6
        ours, theirs = median_times(
            lambda: sim.solve(game, "quantal_response", precision=1.0),
            lambda: pygambit.qre.logit_solve_lambda(tree, lam=[1.0], use_strategic=False),
        )
        out.append(row(name, ours, reference="Gambit logit, behaviour form", reference_s=theirs, checked=True))
    return out


def strategic():
    """Strategic games."""
    from strategic import strategic as rows

    return rows(row, median_times)


def met(entry):
    """Say whether an entry keeps what an issue asks for."""
    wants = [entry["ratio"] >= entry["target"]] if entry["target"] and entry["ratio"] else []
    wants += [entry["ours_s"] <= entry["limit_s"]] if entry["limit_s"] else []
    wants += [entry["peak_mb"] <= entry["limit_mb"]] if entry["limit_mb"] else []
    return "–" if not wants else ("met" if all(wants) else "MISSED")


def main():
    import branch
    import markov
    import private
    import questions
    import sensitivity
    import stability
    import variants

    entries = [
        large(),
        *rock_bottom(),
        *processes(),
        *peers(),
        *stability.rows(row),
        *markov.rows(row),
        *strategic(),
        *branch.rows(row),
        *private.rows(row, Path(__file__).parent, most=8),
        *variants.rows(row, median_times),
        *sensitivity.rows(row),
        *questions.rows(row, ROOT),
    ]
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{'what':68} {'ours':>10} {'reference':>10} {'ratio':>9} {'asked':>9}  ")
    for entry in entries:
        ours = f"{entry['ours_s'] * 1e3:.2f} ms" if entry["ours_s"] is not None else "skipped"
        theirs = f"{entry['reference_s'] * 1e3:.2f} ms" if entry["reference_s"] else ""
        ratio = f"{entry['ratio']:.2f}" if entry["ratio"] else ""
        asked = (
            f"≥ {entry['target']}"
            if entry["target"]
            else (f"≤ {entry['limit_s'] * 1e3:g} ms" if entry["limit_s"] else "")
        )
        print(
            f"{entry['name']:68} {ours:>10} {theirs:>10} {ratio:>9} {asked:>9}  {met(entry)}"
            + (f"  peak {entry['peak_mb']:.0f} MB" if entry["peak_mb"] else "")
        )
    print(f"peak of this process: {own:.0f} MB")
    target = ROOT / "build" / "bench.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(entries, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
    print(f"wrote {target.relative_to(ROOT)}")
    return int(any(met(entry) == "MISSED" for entry in entries))


if __name__ == "__main__":
    sys.exit(main())
