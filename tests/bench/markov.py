"""Markov-perfect equilibria: the sizes that are asked for, each certified before it is timed, in a fresh process with one BLAS thread."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
CODE = """
import json, resource, sys, time
import numpy as np
import sim
from sim.game.stationary import stationary_game


def anywhere(states, seed):
    rng = np.random.default_rng(seed)
    shape = (states, 3, 3)
    chances = rng.dirichlet(np.ones(states), shape)
    return stationary_game(rng.random((*shape, 2)), np.broadcast_to(np.arange(states), chances.shape), chances, 0.95)


def ladder(states, seed):
    # both may calm, hold or push; a rung is left by at most four, and the ladder ends at both ends
    rng = np.random.default_rng(seed)
    height = np.arange(states) / states
    push = np.arange(3) - 1
    gains = np.array([[0.0, 0.3, 0.6], [0.0, 0.25, 0.5]])
    pays = np.zeros((states, 3, 3, 2))
    pays[..., 0] = gains[0][None, :, None] - 0.5 * gains[1][None, None, :] - 2.0 * height[:, None, None] ** 2
    pays[..., 1] = gains[1][None, None, :] - 0.5 * gains[0][None, :, None] - 1.5 * height[:, None, None] ** 2
    pays += 0.1 * rng.random((states, 1, 1, 2))
    drift = 2 * (push[None, :, None, None] + push[None, None, :, None]) + np.arange(-2, 3)
    targets = np.clip(np.arange(states)[:, None, None, None] + drift, 0, states - 1)
    chances = np.broadcast_to([0.1, 0.2, 0.4, 0.2, 0.1], targets.shape)
    return stationary_game(pays, targets, chances, 0.95)


def turns(states, seed):
    # one mover at a time, opposed interests: a pure equilibrium exists (Shapley 1953)
    rng = np.random.default_rng(seed)
    pays = rng.random((states, 3, 2))
    pays[..., 1] = -pays[..., 0]
    targets = rng.integers(0, states, (states, 3, 3))
    chances = rng.dirichlet(np.ones(3), (states, 3))
    return stationary_game(pays, targets, chances, 0.95, movers=rng.integers(0, 2, states))


sim.solve(anywhere(3, 0), "markov_perfect")
out = []
for make, states, options in ((anywhere, 100, {}), (anywhere, 100, {"method": "branch"}), (ladder, 1000, {"method": "branch"}), (turns, 10000, {})):
    times, good = [], True
    for seed in range(3):
        game = make(states, seed)
        begun = time.perf_counter()
        solution = sim.solve(game, "markov_perfect", **options)
        times.append(time.perf_counter() - begun)
        good = good and bool(solution.status.certified)
    pure = float(np.isin(solution.profile, (0.0, 1.0)).mean())
    out.append({"seconds": sorted(times)[1], "certified": good, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "pure": pure})
print(json.dumps(out))
"""
PEER = """
import builtins, time, warnings
import numpy as np
warnings.filterwarnings("ignore")
for name, value in {"bool": bool, "int": int, "float": float, "object": object, "NaN": np.nan, "in1d": np.isin, "product": np.prod}.items():
    if not hasattr(np, name):
        setattr(np, name, value)  # written for numpy 1
import sgamesolver
rng = np.random.default_rng(0)
shape = (100, 3, 3)
chances = rng.dirichlet(np.ones(100), shape)
pays = rng.random((*shape, 2))
game = sgamesolver.SGame([one.transpose(2, 0, 1) for one in pays], list(chances), 0.95)
begun = time.perf_counter()
homotopy = sgamesolver.homotopy.LogTracing(game)
homotopy.solver_setup()
homotopy.solver.verbose = 0
homotopy.solve()
print("seconds", time.perf_counter() - begun)
"""
NAMES = (
    ("Markov perfection, 100 states × 2 players × 3 actions, anywhere to anywhere", 1.9),
    ("the same along the logit branch", None),
    ("Markov perfection, ladder of 1,000 states", 60.0),
    ("Markov perfection, 10,000 states, one mover at a time, opposed interests", 10.0),
)


def rows(row):
    """Time the median of three games of each kind; a tenth of what sgamesolver was measured at is the ceiling of the first."""
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", CODE], capture_output=True, text=True, check=True, cwd=ROOT, env=environment
    )
    found = json.loads(done.stdout)
    assert len(found) == len(NAMES)
    out = []
    for (name, limit), one in zip(NAMES, found, strict=True):
        assert one["certified"], name
        out.append(row(name, one["seconds"], limit_s=limit, peak=one["peak"], checked=True))
    return [*out, against(row, found[0]["seconds"], environment)]


def against(row, ours, environment, python=sys.executable):
    """Hold the first against sgamesolver's logarithmic tracing, where that is installed; it installs from its sources only."""
    name = "the first against sgamesolver's logarithmic tracing"
    done = subprocess.run([python, "-c", PEER], capture_output=True, text=True, check=False, env=environment)
    words = done.stdout.split()
    if done.returncode or "seconds" not in words:
        why = (done.stderr.strip().splitlines() or ["it printed nothing"])[-1]
        return row(name, None, reference="sgamesolver", skipped=why)
    return row(name, ours, reference="sgamesolver", reference_s=float(words[words.index("seconds") + 1]), target=10)
