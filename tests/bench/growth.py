"""How the time for a variant grows with the game and falls with the batch; draws docs/explanation/growth.svg and prints what it drew.

Every solve is certified and followed by one outcome; medians of three repeats, after a first one that is not counted.
"""

import statistics
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
import run
import variants

ROOT = Path(__file__).parent.parent.parent
WEIGHT = '[assumptions.weight]\nvalue = 0.01\nrange = [0.005, 0.02]\nbasis = "assumed"\n[outcomes]\nend = "final(x)"\n'


def timed(survey, columns, count):
    """Return the median time for a variant."""
    found = survey.ask(columns)
    assert bool(found["certified"].all())
    repeats = []
    for _ in range(3):
        begun = time.perf_counter()
        survey.ask(columns)
        repeats.append((time.perf_counter() - begun) / count)
    return statistics.median(repeats)


def by_nodes():
    """Grow the game from a thousand nodes to a million."""
    from sim.scenario.load import loads

    out = []
    for rounds in (3, 4, 5, 6, 8, 10, 14):
        text = run.LARGE.format(rounds=rounds).replace('"0.01 * x"', '"weight * x"') + WEIGHT
        survey = variants.survey_of(loads(text, "large.toml"), ("end",))
        nodes = survey.game(survey.cases[0], {}).graph.node_count
        count = int(np.clip(4_000_000 // nodes // 16 * 16, 16, 4096))
        out.append((nodes, timed(survey, {"weight": np.linspace(0.005, 0.02, count)}, count)))
    return out


def by_batch():
    """Grow the batch from one variant to a hundred thousand."""
    import sim

    scenario = sim.load(ROOT / "scenarios" / "brinkmanship.toml")
    survey = variants.survey_of(scenario, ("disaster",), rounds=variants.LADDER_ROUNDS)
    design = variants.sampled(scenario, 100_000)
    return [(count, timed(survey, design.rows(0, count), count)) for count in (1, 10, 100, 1000, 10_000, 100_000)]


def main():
    from sim.present.figures import save_figure, style

    nodes, batch = by_nodes(), by_batch()
    with style() as plt:
        figure, axes = plt.subplots(1, 2, figsize=(8.6, 3.3))
        axes[0].loglog([n for n, _ in nodes], [1e6 * t for _, t in nodes], marker="o", color="#0072B2")
        axes[0].set_xlabel("nodes")
        axes[0].set_ylabel("microseconds a variant")
        axes[0].set_title("by the size of the game")
        axes[1].loglog([n for n, _ in batch], [1e6 * t for _, t in batch], marker="o", color="#D55E00")
        axes[1].set_xlabel("variants at once (579 nodes)")
        axes[1].set_title("by the batch")
        save_figure(figure, ROOT / "docs" / "explanation" / "growth.svg")
        plt.close(figure)
    for count, spent in nodes:
        print(f"{count:>12,} nodes     {1e6 * spent:10.1f} µs a variant, {1e9 * spent / count:6.1f} ns a node")
    for count, spent in batch:
        print(f"{count:>12,} variants  {1e6 * spent:10.1f} µs a variant")


if __name__ == "__main__":
    main()
