"""Spread a kernel over variants, or whole pieces of work, with threads."""

from __future__ import annotations

import os
from collections import deque
from itertools import pairwise
from threading import Thread, local
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["over_tasks", "over_variants", "thread_count"]

_here = local()  # whether this thread is one of several that each do whole pieces of work


def thread_count() -> int:
    """Return the number of threads to use: ``SIM_THREADS`` if set, else the processors available.

    Examples
    --------
    >>> thread_count() >= 1
    True
    """
    wanted = os.environ.get("SIM_THREADS", "")
    return (
        max(1, int(wanted))
        if wanted.isdigit()
        else max(1, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
    )


def over_variants(kernel: Callable[[int, int], None], count: int, abreast: int = 1) -> None:
    """Call ``kernel(first, stop)`` on ranges that cover ``range(count)``; each variant is computed alike whatever the ranges.

    Parameters
    ----------
    kernel
        Must release the interpreter's lock and write only to its own variants.
    count
        Number of variants.
    abreast
        How many variants the kernel takes at once: ranges are multiples of it, but the last.

    Examples
    --------
    >>> seen = []
    >>> over_variants(lambda first, stop: seen.extend(range(first, stop)), 5)
    >>> sorted(seen)
    [0, 1, 2, 3, 4]
    """
    blocks = -(-count // abreast)
    threads = 1 if getattr(_here, "alone", False) else min(thread_count(), blocks)
    if threads <= 1:
        if count:
            kernel(0, count)
        return
    pieces = min(blocks, threads * 4)
    ranges = list(pairwise([min(blocks * piece // pieces * abreast, count) for piece in range(pieces + 1)]))
    _share(lambda span: kernel(*span), ranges, threads)


def over_tasks(work: Callable[[Any], None], tasks: Sequence[Any]) -> None:
    """Do pieces of work in several threads at once, each of which leaves its kernels in one thread.

    Parameters
    ----------
    work
        Must write only to what is its own; what it shares must stand being written twice alike.
    tasks
        One for each call, in any order.

    Examples
    --------
    >>> done = []
    >>> over_tasks(done.append, [3, 1, 2])
    >>> sorted(done)
    [1, 2, 3]
    """
    threads = 1 if getattr(_here, "alone", False) else min(thread_count(), len(tasks))
    if threads <= 1:
        for task in tasks:
            work(task)
        return

    def one(task: Any) -> None:
        _here.alone = True
        try:
            work(task)
        finally:
            _here.alone = False

    _share(one, tasks, threads)


def _share(work: Callable[[Any], None], tasks: Sequence[Any], threads: int) -> None:
    """Let threads take tasks until none is left; this thread works too. The first error stops all."""
    waiting = deque(tasks)
    failed: list[BaseException] = []

    def take() -> None:
        try:
            while waiting:
                try:
                    task = waiting.popleft()
                except IndexError:  # another thread took the last one
                    break
                work(task)
        except BaseException as error:  # noqa: BLE001
            failed.append(error)
            waiting.clear()

    helpers = [Thread(target=take) for _ in range(threads - 1)]  # this thread works too, which starts fewer
    for helper in helpers:
        helper.start()
    take()
    for helper in helpers:
        helper.join()
    if failed:
        raise failed[0]
