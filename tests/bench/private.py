"""A ladder with two private types: three moves at every ply, players alternate; against Gambit's logit on the exported tree, and by itself."""

import json
import statistics
import subprocess
import sys
import time

import numpy as np

PRECISION = 2.0
VARIANTS = 32
REPEATS = 5


def ladder(plies):
    """Write the scenario: the first player, of two types, and the second move in turn, a rung down, none or one up each time."""
    rounds = list(range(1, plies + 1))
    return f"""
title = "a ladder with two types, {plies} plies of three moves"
rounds = {plies}
[players.a]
[players.b]
[assumptions.doubt]
value = 0.4
range = [0, 1]
[assumptions.war]
value = 0.5
range = [0, 2]
[private.resolve]
known_to = "a"
values = {{ firm = "1 - doubt", weak = "doubt" }}
[state.rung]
range = [-{plies}, {plies}]
start = 0
[[turns]]
player = "a"
in_rounds = {rounds[::2]}
[[turns]]
player = "b"
in_rounds = {rounds[1::2]}
[moves.down]
player = ["a", "b"]
effects = {{ rung = "rung - 1" }}
pays = {{ a = "-0.3 if mover == a else 0", b = "-0.2 if mover == b else 0" }}
[moves.hold]
player = ["a", "b"]
[moves.up]
player = ["a", "b"]
effects = {{ rung = "rung + 1" }}
pays = {{ a = "(-0.1 if resolve == firm else -0.6) if mover == a else 0", b = "-0.4 if mover == b else 0" }}
[payoffs.a]
final = "0.7 * rung - (0.1 if resolve == firm else war) * rung * rung / {plies}"
[payoffs.b]
final = "-0.6 * rung - 0.5 * rung * rung / {plies}"
[outcomes]
top = "max_over(rung)"
"""


ALONE = """
import json, resource, sys, time
import sim
from sim.scenario.load import loads
sys.path.insert(0, {folder!r})
from private import ladder
begun = time.perf_counter()
game = sim.compile(loads(ladder({plies}), "ladder.toml"))
compiled = time.perf_counter()
solution = sim.solve(game, "perfect_bayesian", starts=0)
done = time.perf_counter()
m = solution.certificate.measures
print(json.dumps(dict(
    compile=compiled - begun, solve=done - compiled, nodes=game.graph.node_count, pairs=game.types.pairs, certified=solution.status.certified,
    gain=float(m.max_gain[0]), bayes=float(m.bayes[0]), peak=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)))
"""


def alone(plies, folder):
    """Compile, solve and certify in a process of its own, so that its memory can be told."""
    code = ALONE.format(plies=plies, folder=str(folder))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


LARGE = """
import json, resource, sys, time
import sim
from sim.scenario.load import loads
sys.path.insert(0, {folder!r})
from private import ladder
begun = time.perf_counter()
game = sim.compile(loads(ladder(13), "ladder.toml"))
done = time.perf_counter()
print(json.dumps(dict(
    compile=done - begun, nodes=game.graph.node_count, pairs=game.types.pairs,
    reached=int((game.graph.edge_dst > game.graph.edge_source()).sum()) == game.graph.edge_count,
    peak=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)))
"""


def large(row, folder):
    """Unfold millions of pairs of a history and a type."""
    done = subprocess.run(
        [sys.executable, "-c", LARGE.format(folder=str(folder))], capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout)
    assert found["pairs"] >= 2_000_000
    assert found["nodes"] == (3**14 - 1) // 2, "every history of thirteen plies of three moves"
    assert found["reached"]
    name = f"public histories: {found['pairs']:,} pairs with a type, compiled"
    return [row(name, found["compile"], peak=found["peak"], limit_mb=4096, checked=True)]


def rows(row, folder, *, most=10):
    """Return the benchmark's rows; ``row`` is that of run.py, ``most`` the plies of the largest ladder."""
    out = [*against_gambit(row), *batched(row), *large(row, folder)]
    alone(4, folder)  # the kernels are compiled by now
    for plies in (8, 10, 12):
        if plies > most:
            continue
        found = alone(plies, folder)
        assert found["certified"], found
        name = f"perfect Bayesian equilibrium of the ladder, {plies} plies, {found['nodes']:,} histories, certified"
        limit = {"limit_s": 60.0} if plies == 8 else {}
        out.append(row(name, found["solve"], peak=found["peak"], checked=True, **limit))
    return out


def against_gambit(row):
    """Quantal response at one precision on the ladder of six plies, and on the tree that it is exported to."""
    import io

    import sim
    from sim.construct.gambit import to_efg, tree_of
    from sim.scenario.load import loads

    game = sim.compile(loads(ladder(6), "ladder.toml"))
    size = tree_of(game).node_count
    name = f"quantal response of the ladder, 6 plies, {size:,} tree nodes"
    try:
        import pygambit
    except ImportError as error:
        return [row(name, None, reference="Gambit logit", skipped=str(error))]
    ours = sim.solve(game, "quantal_response", precision=PRECISION)
    assert ours.status.certified
    times, theirs = {"ours": [], "gambit": []}, None
    for _ in range(REPEATS):
        begun = time.perf_counter()
        sim.solve(game, "quantal_response", precision=PRECISION)
        middle = time.perf_counter()
        if theirs is None:
            theirs = pygambit.read_efg(io.BytesIO(to_efg(game).encode()))
            middle_gambit = time.perf_counter()
            branch = pygambit.qre.logit_solve_lambda(theirs, lam=[PRECISION], use_strategic=False)
            times["gambit"].append(time.perf_counter() - middle_gambit)
        times["ours"].append(middle - begun)
    assert len(branch) == 1, "Gambit did not arrive"
    assert abs(branch[0].lam - PRECISION) <= 1e-6
    values = [float(value) for _, value in branch[0].profile.payoffs]
    np.testing.assert_allclose(values, ours.values[0], atol=1e-5)
    mine, other = (statistics.median(found) for found in times.values())
    return [row(name, mine, reference="Gambit logit, behaviour form, once", reference_s=other, target=50, checked=True)]


def batched(row):
    """Variants of prior and payoffs at once, against one after another."""
    import sim
    from sim.scenario.load import loads

    scenario = loads(ladder(6), "ladder.toml")
    doubts, wars = np.linspace(0.1, 0.9, VARIANTS), np.linspace(0.2, 1.0, VARIANTS)
    game = sim.compile(scenario, {"doubt": doubts, "war": wars})
    whole = sim.solve(game, "perfect_bayesian", starts=0)
    assert whole.status.certified
    single = [
        sim.solve(sim.compile(scenario, {"doubt": d, "war": w}), "perfect_bayesian", starts=0)
        for d, w in zip(doubts, wars, strict=True)
    ]
    np.testing.assert_allclose(whole.values, np.concatenate([one.values for one in single]), atol=1e-7)
    times = {"whole": [], "single": []}
    for _ in range(3):
        begun = time.perf_counter()
        sim.solve(sim.compile(scenario, {"doubt": doubts, "war": wars}), "perfect_bayesian", starts=0)
        middle = time.perf_counter()
        for d, w in zip(doubts, wars, strict=True):
            sim.solve(sim.compile(scenario, {"doubt": d, "war": w}), "perfect_bayesian", starts=0)
        times["single"].append(time.perf_counter() - middle)
        times["whole"].append(middle - begun)
    mine, other = (statistics.median(found) for found in times.values())
    return [
        row(
            f"perfect Bayesian equilibrium, 6 plies, {VARIANTS} variants at once",
            mine,
            reference="the same one after another",
            reference_s=other,
            checked=True,
        )
    ]


if __name__ == "__main__":
    from pathlib import Path

    from run import row as make

    for entry in rows(make, Path(__file__).parent, most=int(sys.argv[1]) if len(sys.argv) > 1 else 10):
        ratio = f", ratio {entry['ratio']:.1f}" if entry["ratio"] else ""
        peak = f", {entry['peak_mb']:.0f} MB" if entry["peak_mb"] else ""
        sys.stdout.write(f"{entry['name']}: {entry['ours_s'] * 1e3:.1f} ms{ratio}{peak}\n")
