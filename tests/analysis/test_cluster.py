"""Chunks solved by other processes: killed workers, a restarted scheduler, a killed client; always the same bits as one process."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import sim
from sim.analysis.cluster import local, remote
from sim.analysis.experiment import Study
from sim.analysis.plan import read_experiment
from sim.analysis.record import read
from sim.errors import OptionError

distributed = pytest.importorskip("distributed")
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("cluster")]

EXPERIMENT = """
title = "many"
question = "how does the probability of war move?"
scenario = "three_moves.toml"
concepts = ["subgame_perfect", { concept = "quantal_response", precision = 2.0 }]
[vary]
prize = { from = 1, to = 5, count = 6 }
[[designs]]
kind = "sobol"
samples = 16
vary = ["cost_of_war"]
"""
SCHEDULER = """
import asyncio, sys
from distributed import Scheduler
async def main():
    async with Scheduler(host="127.0.0.1", port=int(sys.argv[1]), dashboard=False) as scheduler:
        print(scheduler.address, flush=True)
        await scheduler.finished()
asyncio.run(main())
"""
WORKER = """
import asyncio, sys
from distributed import Worker
async def main():
    async with Worker(sys.argv[1], nthreads=1, dashboard=False, host="127.0.0.1", death_timeout=60) as worker:
        print("ready", flush=True)
        await worker.finished()
asyncio.run(main())
"""


class Processes:
    """Processes that are gone when a test ends."""

    def __init__(self):
        self.running = []

    def start(self, code, *words):
        process = subprocess.Popen(
            [sys.executable, "-c", code, *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "SIM_THREADS": "1"},
        )
        self.running.append(process)
        return process, process.stdout.readline().strip()

    def stop(self):
        for process in self.running:
            process.kill()
            process.wait()
            process.stdout.close()


@pytest.fixture
def processes():
    made = Processes()
    yield made
    made.stop()


@pytest.fixture
def plan(tmp_path):
    (tmp_path / "three_moves.toml").write_text(sim.template().read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "many.toml").write_text(EXPERIMENT, encoding="utf-8")
    return read_experiment(tmp_path / "many.toml")


def same(one, other):
    """Compare two folders bit by bit."""
    ours, theirs = read(one), read(other)
    assert set(ours.variables) == set(theirs.variables)
    assert ours.sizes["variant"] == 96
    for name in ours.variables:
        np.testing.assert_array_equal(ours[name].values, theirs[name].values)
    assert bool(ours["certified"].all())


@pytest.fixture
def alone(plan, tmp_path):
    Study(plan).run(tmp_path / "alone")
    return tmp_path / "alone"


def test_two_local_processes_give_the_same_bits(plan, alone, tmp_path):
    _, _, left = Study(plan).run(tmp_path / "two", chunk=10, solver=local(plan, 2))
    assert left == 0
    same(tmp_path / "two", alone)


def test_a_killed_worker_costs_nothing(plan, alone, tmp_path, processes):
    _, address = processes.start(SCHEDULER, "0")
    first, _ = processes.start(WORKER, address)
    seen = []

    def told(done, _):
        seen.append(done)
        if len(seen) == 2:  # after the first chunk
            first.kill()
            processes.start(WORKER, address)

    _, _, left = Study(plan).run(tmp_path / "out", chunk=8, solver=remote(plan, address), progress=told)
    assert left == 0
    assert len(seen) == 13
    assert first.wait() == -signal.SIGKILL
    same(tmp_path / "out", alone)


def test_a_restarted_scheduler_costs_nothing(plan, alone, tmp_path, processes):
    scheduler, address = processes.start(SCHEDULER, "0")
    worker, _ = processes.start(WORKER, address)
    seen = []

    def told(done, _):
        seen.append(done)
        if len(seen) == 2:
            for process in (scheduler, worker):
                process.kill()
                process.wait()
            _, where = processes.start(SCHEDULER, address.rpartition(":")[2])
            assert where == address
            processes.start(WORKER, address)

    _, _, left = Study(plan).run(tmp_path / "out", chunk=8, solver=remote(plan, address), progress=told)
    assert left == 0
    assert scheduler.returncode == -signal.SIGKILL
    same(tmp_path / "out", alone)


def test_a_killed_client_goes_on_where_it_was(plan, alone, tmp_path):
    code = """
import os, signal, sys
from pathlib import Path
from sim.analysis.experiment import Study
from sim.analysis.plan import read_experiment
seen = []
def told(done, total):
    seen.append(done)
    if done >= total // 3:
        os.kill(os.getpid(), signal.SIGKILL)
Study(read_experiment(sys.argv[1])).run(Path(sys.argv[2]), chunk=8, progress=told)
"""
    out = tmp_path / "out"
    killed = subprocess.run([sys.executable, "-c", code, str(plan.path), str(out)], check=False)
    assert killed.returncode == -signal.SIGKILL
    kept = sorted(int(path.stem) for path in (out / "done").glob("*.json") if path.stem != "layout")
    assert 1 <= len(kept) < 12
    stamps = {k: (out / "done" / f"{k}.json").stat().st_mtime_ns for k in kept}
    _, found, left = Study(plan).run(out)
    assert (found, left) == (len(kept), 0)
    assert stamps == {k: (out / "done" / f"{k}.json").stat().st_mtime_ns for k in kept}  # not solved again
    same(out, alone)


def test_no_scheduler_is_told(plan, tmp_path):
    with pytest.raises(OptionError, match="no scheduler answers at"):
        Study(plan).run(tmp_path / "x", solver=remote(plan, "tcp://127.0.0.1:9", patience=0.2))
    with pytest.raises(OptionError, match="expected at least 1"):
        local(plan, 0)


def test_what_a_worker_gets_are_texts():
    from sim.analysis.cluster import solve_chunk

    text = EXPERIMENT.replace('"three_moves.toml"', '"nowhere.toml"')
    found = solve_chunk("many", text, Path(sim.template()).read_text(encoding="utf-8"), 3, 5)
    assert found["war"].shape == (1, 2, 2)


def test_workers_of_another_version_are_refused():
    from sim.analysis.cluster import solve_chunk

    text = EXPERIMENT.replace('"three_moves.toml"', '"nowhere.toml"')
    with pytest.raises(OptionError, match="another version"):
        solve_chunk("many", text, Path(sim.template()).read_text(encoding="utf-8"), 0, 1, "0" * 64)
