"""Stability of a large graph model: 100,000 states, three players, in a fresh process so that the peak is its own."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
CODE = """
import json, resource, sys, time
import numpy as np
import sim
from sim.construct.conflict import graph_model
from sim.game.verdict import verify
from sim.scenario.load import loads
from sim.solve.stability import solve

solve(graph_model(sim.load("scenarios/chicken_graph.toml")))
scenario = loads(sys.stdin.read())
begun = time.perf_counter()
model = graph_model(scenario)
built = time.perf_counter()
found = solve(model)
solved = time.perf_counter()
verdict = verify(found)
checked = time.perf_counter()
print(json.dumps({
    "states": model.state_count, "moves": model.move_count, "certified": verdict.certified, "proved": verdict.proved,
    "found": {concept: len(states) for concept, states in found.equilibria.items()},
    "built": built - begun, "solved": solved - built, "checked": checked - solved,
    "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
}))
"""
PLAYER = """
[players.{name}]
[state.{name}_force]
range = [0, 46]
start = 10
[[turns]]
player = "{name}"
[moves.{name}_arms]
player = "{name}"
choose = {{ {name}_force = [0, 5, 10, 15, 20, 25, 30, 35, 40, 45] }}
[moves.{name}_adds]
player = "{name}"
when = "{name}_force < 46"
effects = {{ {name}_force = "{name}_force + 1" }}
[moves.{name}_cuts]
player = "{name}"
when = "{name}_force > 0"
effects = {{ {name}_force = "{name}_force - 1" }}
[payoffs.{name}]
each_round = "{name}_force * (47 - {name}_force) - 3 * {rival}_force + abs({third}_force - {name}_force) * 7 % 31"
"""


def measured():
    """Build, solve and check the model."""
    names = ("east", "west", "south")
    text = 'title = "an arms race"\n' + "".join(
        PLAYER.format(name=name, rival=names[(place + 1) % 3], third=names[(place + 2) % 3])
        for place, name in enumerate(names)
    )
    done = subprocess.run(
        [sys.executable, "-c", CODE], input=text, capture_output=True, text=True, check=True, cwd=ROOT
    )
    return json.loads(done.stdout)


def rows(row):
    """Return the benchmark's rows: the whole, and its parts."""
    found = measured()
    assert found["states"] == 47**3
    assert found["moves"] >= 3_000_000
    assert found["certified"]
    assert found["proved"] == found["states"]
    assert found["found"]["nash"] <= found["found"]["seq"] <= found["found"]["gmr"]
    assert found["found"]["gmr"] > 0
    name = f"stability of {found['states']:,} states, {found['moves']:,} moves, 3 players"
    whole = found["built"] + found["solved"] + found["checked"]
    return [
        row(f"{name}, built, solved, proved", whole, limit_s=30.0, peak=found["peak"], limit_mb=2000.0, checked=True),
        row(f"{name}, solved", found["solved"], checked=True),
    ]


if __name__ == "__main__":
    print(json.dumps(measured(), indent=2))
