"""The logit branch of 8×8 games to their Nash equilibrium, one game and a hundred at once, against Gambit's logit tracer."""

import statistics
import sys
import time

import numpy as np

GAMES = 100
PAIRED = 12
NAME = "logit branch of 8×8 games to regret 1e-8"


def rows(row):
    """Return the benchmark's rows; ``row`` is that of run.py."""
    names = (f"{NAME}, {GAMES} at once, each", f"{NAME}, one")
    try:
        import pygambit
    except ImportError as error:
        return [row(name, None, reference="Gambit logit", skipped=str(error)) for name in names]
    from sim.numerics.branch import follow_branches

    table = np.random.default_rng(0).random((GAMES, 64, 2))
    table = table / np.ptp(table, axis=1, keepdims=True)
    shape, weight = np.array([8, 8], dtype=np.int32), np.ones((GAMES, 16))
    games = [
        pygambit.StrategicGame.from_arrays(*(np.ascontiguousarray(one[:, i].reshape(8, 8)) for i in range(2)))
        for one in table[:PAIRED]
    ]
    x, ending, _, _ = follow_branches(shape, table, weight, regret=1e-8)
    assert not ending.any()
    for v, game in enumerate(games):
        theirs = pygambit.nash.logit_solve(game, maxregret=1e-8).equilibrium
        wanted = [float(share) for own in theirs for _, share in own]
        np.testing.assert_allclose(np.exp(x[v, :-1]), wanted, atol=1e-3)
    for v in range(GAMES):
        p, q = np.exp(x[v, :8]), np.exp(x[v, 8:16])
        a, b = (table[v, :, i].reshape(8, 8) for i in range(2))
        assert max((a @ q).max() - p @ a @ q, (p @ b).max() - p @ b @ q) <= 1.001e-8
    times = {"batch": [], "one": [], "gambit": []}
    for v, game in enumerate(games):  # in turn, so that all see the same machine
        begun = time.perf_counter()
        follow_branches(shape, table, weight, regret=1e-8)
        middle = time.perf_counter()
        follow_branches(shape, table[v : v + 1], weight[:1], regret=1e-8)
        late = time.perf_counter()
        pygambit.nash.logit_solve(game, maxregret=1e-8)
        times["gambit"].append(time.perf_counter() - late)
        times["batch"].append((middle - begun) / GAMES)
        times["one"].append(late - middle)
    batch, one, theirs = (statistics.median(found) for found in times.values())
    reference = "Gambit logit, game built before"
    return [
        row(names[0], batch, reference=reference, reference_s=theirs, target=20, checked=True),
        row(names[1], one, reference=reference, reference_s=theirs, target=3, checked=True),
    ]


if __name__ == "__main__":
    from run import row as make

    for entry in rows(make):
        sys.stdout.write(f"{entry['name']}: {entry['ours_s'] * 1e3:.3f} ms, ratio {entry['ratio']:.1f}\n")
