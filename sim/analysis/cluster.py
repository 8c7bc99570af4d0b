"""Chunks solved by other processes: workers of dask.distributed on this machine or elsewhere, with the same code as here.

Only texts go out and only arrays come back; this process alone writes to disk. A few chunks for each worker are under way at once. What a worker
that dies had in hand is given to another; when the scheduler is lost, what is missing is handed in again once it is back.
"""

from __future__ import annotations

import os
import time
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sim.errors import OptionError, SimError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sim.analysis.plan import Plan

__all__ = ["local", "remote"]

AHEAD = 2
PATIENCE = 120.0
LOST = ("CommClosedError", "CancelledError", "FutureCancelledError", "TimeoutError", "OSError")


@lru_cache(maxsize=2)
def _study(name: str, experiment: str, scenario: str) -> Any:
    """Make the study that some texts describe; a worker keeps it for the next chunk."""
    from sim.analysis.experiment import Study
    from sim.analysis.plan import plan_of

    return Study(plan_of(name, experiment, scenario))


def solve_chunk(name: str, experiment: str, scenario: str, first: int, stop: int, program: str = "") -> dict[str, Any]:
    r"""Solve a chunk in a worker.

    Parameters
    ----------
    name, experiment, scenario
        The experiment's name, and the texts of its file and of the scenario's.
    first, stop
        The variants.
    program
        The digest of the program that asks; nothing is said about it if it is empty.

    Raises
    ------
    OptionError
        If this is another program than the one that asks.

    Returns
    -------
    dict of arrays
        As :meth:`sim.analysis.experiment.Study.chunk`.

    Examples
    --------
    >>> import sim
    >>> text = 'title = "t"\nquestion = "q"\nscenario = "x.toml"\n[vary]\nprize = [1, 2]\n'
    >>> solve_chunk("t", text, sim.template().read_text(encoding="utf-8"), 0, 2)["prize"]
    array([1., 2.])
    """
    from sim.analysis.experiment import program_digest

    if program and program != program_digest():
        raise OptionError("a worker runs another version of escalation-sim; install the same there, or use --workers")
    return _study(name, experiment, scenario).chunk(first, stop)


def _distributed() -> Any:
    """Import dask.distributed, or say how to get it."""
    try:
        import distributed
    except ImportError:
        raise OptionError(
            "workers need dask.distributed, which is not installed; install escalation-sim[cluster], or leave --workers and --scheduler out"
        ) from None
    return distributed


def _stream(
    client: Any, plan: Plan, jobs: Iterator[tuple[int, int, int]], held: dict[Any, tuple[int, int, int]]
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Hand in chunks, a few for each worker, and yield what comes back."""
    distributed = _distributed()
    from sim.analysis.experiment import program_digest

    texts = plan.name, plan.texts["experiment"], plan.texts["scenario"]
    program = program_digest()
    waiting = distributed.as_completed()

    def more() -> bool:
        job = next(jobs, None)
        if job is None:
            return False
        future = client.submit(solve_chunk, *texts, job[1], job[2], program, pure=False)
        held[future.key] = job
        waiting.add(future)
        return True

    wanted = AHEAD * max(1, len(client.scheduler_info(n_workers=-1)["workers"]))
    for _ in range(wanted):
        if not more():
            break
    for future in waiting:
        try:
            arrays = future.result()
        except distributed.KilledWorker:
            _, first, stop = held[future.key]
            message = f"variants {first} to {stop - 1} killed every worker that tried them, perhaps for want of memory"
            raise OptionError(
                f"{message}; what is done is kept: start fresh with a smaller --chunk, or give workers more memory"
            ) from None
        job = held.pop(future.key)
        yield job[0], arrays
        more()


def local(plan: Plan, workers: int) -> Callable[[Iterable[tuple[int, int, int]]], Iterator[tuple[int, dict[str, Any]]]]:
    """Return a solver of chunks that starts worker processes on this machine.

    Parameters
    ----------
    plan
        The experiment.
    workers
        How many processes; the processors are shared out among them.
    """
    if workers < 1:
        raise OptionError(f"--workers {workers}: expected at least 1")

    def solver(jobs: Iterable[tuple[int, int, int]]) -> Iterator[tuple[int, dict[str, Any]]]:
        distributed = _distributed()
        import dask.config

        from sim.numerics.threads import thread_count

        threads = str(max(1, thread_count() // workers))
        before = os.environ.get("SIM_THREADS")
        os.environ["SIM_THREADS"] = threads
        chosen = {
            "distributed.worker.daemon": True,
            "distributed.admin.tick.limit": "60s",
            "distributed.logging.distributed": "error",
            # dask would have workers give memory back at once, and fetch it anew for every block
            "distributed.nanny.pre-spawn-environ": {"OMP_NUM_THREADS": 1, "OPENBLAS_NUM_THREADS": 1},
        }
        try:
            with (
                dask.config.set(chosen),
                distributed.LocalCluster(
                    n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1",
                    memory_limit=0, silence_logs=50,
                ) as cluster,
                distributed.Client(cluster) as client,
            ):  # fmt: skip
                yield from _stream(client, plan, iter(jobs), {})
        finally:
            if before is None:
                os.environ.pop("SIM_THREADS", None)
            else:
                os.environ["SIM_THREADS"] = before

    return solver


def remote(
    plan: Plan, address: str, patience: float = PATIENCE
) -> Callable[[Iterable[tuple[int, int, int]]], Iterator[tuple[int, dict[str, Any]]]]:
    """Return a solver of chunks that hands them to a running scheduler.

    Parameters
    ----------
    plan
        The experiment.
    address
        The scheduler, such as ``tcp://127.0.0.1:8786``.
    patience
        Seconds to wait for a scheduler that does not answer.
    """

    def solver(jobs: Iterable[tuple[int, int, int]]) -> Iterator[tuple[int, dict[str, Any]]]:
        distributed = _distributed()
        left = iter(jobs)
        held: dict[Any, tuple[int, int, int]] = {}
        again: list[tuple[int, int, int]] = []
        since = time.monotonic()
        waiting = True
        while waiting:
            queue = _Chain(again, left)
            again = []
            try:
                with distributed.Client(address, timeout=min(10.0, patience)) as client:
                    client.wait_for_workers(1, timeout=patience)
                    for made in _stream(client, plan, queue, held):
                        since = time.monotonic()
                        yield made
                waiting = False
            except SimError:
                raise
            except Exception as error:  # which one a lost scheduler raises depends on where it is noticed
                if type(error).__name__ not in LOST and not isinstance(error, (OSError, TimeoutError)):
                    raise
                if time.monotonic() - since > patience:
                    message = f"no scheduler answers at {address} ({type(error).__name__}); start it, or correct --scheduler; what is done is kept"
                    raise OptionError(message) from None
                again = [*held.values(), *queue.rest]
                held.clear()

    return solver


class _Chain:
    """Jobs that are handed in again, then the others; what is left of the first can be looked at."""

    def __init__(self, again: list[tuple[int, int, int]], left: Iterator[tuple[int, int, int]]) -> None:
        self.rest, self.left = list(again), left

    def __iter__(self) -> Iterator[tuple[int, int, int]]:
        """Iterate over itself."""
        return self

    def __next__(self) -> tuple[int, int, int]:
        """Return the next job."""
        return self.rest.pop(0) if self.rest else next(self.left)
