"""Strategic games: batches of random games against QuantEcon's support enumeration in a loop, single ones against its vertex enumeration.

Both start from arrays of payoffs, so a loop builds QuantEcon's game objects; a second row leaves that out of the time.
"""

import numpy as np

import sim

BATCHES = ((2, 100_000, 200), (3, 50_000, 80), (4, 20_000, 30))  # size, games, ratio asked for


def same(ours, theirs, size):
    """Compare all equilibria of all games, counts first."""
    assert [len(found) for found in theirs] == list(ours.counts)
    for v, found in enumerate(theirs):
        first, stop = ours.offsets[v], ours.offsets[v + 1]
        mine = sorted(map(tuple, np.hstack([ours.row[first:stop], ours.column[first:stop]]).round(6).tolist()))
        other = sorted(tuple(np.concatenate(pair).round(6).tolist()) for pair in found)
        np.testing.assert_allclose(np.reshape(mine, (-1, 2 * size)), np.reshape(other, (-1, 2 * size)), atol=2e-6)


def strategic(row, median_times):
    """Return the rows of the table; ``row`` and ``median_times`` are those of run.py."""
    names = [f"all equilibria of {count:,} random {size}×{size} games" for size, count, _ in BATCHES]
    single = "all equilibria of one 8×8 game, mean of ten in turn"
    try:
        import quantecon.game_theory as gt
    except ImportError as error:
        return [row(name, None, reference="QuantEcon", skipped=str(error)) for name in [*names, single]]

    def build(a, b):
        return gt.NormalFormGame((gt.Player(a), gt.Player(np.ascontiguousarray(b.T))))

    rng, out = np.random.default_rng(0), []
    for (size, count, target), name in zip(BATCHES, names, strict=True):
        a, b = rng.random((2, count, size, size))
        built = [build(x, y) for x, y in zip(a, b, strict=True)]
        same(sim.equilibria(a, b), [gt.support_enumeration(game) for game in built], size)
        ours, theirs, bare = median_times(
            lambda a=a, b=b: sim.equilibria(a, b),
            lambda a=a, b=b: [gt.support_enumeration(build(x, y)) for x, y in zip(a, b, strict=True)],
            lambda built=built: [gt.support_enumeration(game) for game in built],
            repeats=5,
        )
        reference = "QuantEcon support enumeration in a loop"
        out.append(row(name, ours, reference=reference, reference_s=theirs, target=target, checked=True))
        out.append(row("  its objects built before", ours, reference=reference, reference_s=bare, checked=True))
    games = rng.random((10, 2, 8, 8))
    built = [build(*game) for game in games]
    for (a, b), game in zip(games, built, strict=True):
        same(sim.equilibria(a[None], b[None]), [gt.vertex_enumeration(game)], 8)
    ours, theirs = median_times(
        lambda: [sim.equilibria(a, b) for a, b in games], lambda: [gt.vertex_enumeration(game) for game in built]
    )
    reference = "QuantEcon vertex enumeration"
    out.append(row(single, ours / 10, reference=reference, reference_s=theirs / 10, target=1, checked=True))
    return out
