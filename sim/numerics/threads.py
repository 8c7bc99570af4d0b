"""Spread a kernel over variants with threads."""

from __future__ import annotations

import os
from collections import deque
from itertools import pairwise
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["over_variants", "thread_count"]


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
    threads = min(thread_count(), blocks)
    if threads <= 1:
        if count:
            kernel(0, count)
        return
    pieces = min(blocks, threads * 4)
    waiting = deque(pairwise([min(blocks * piece // pieces * abreast, count) for piece in range(pieces + 1)]))
    failed: list[BaseException] = []

    def work() -> None:
        try:
            while waiting:
                try:
                    first, stop = waiting.popleft()
                except IndexError:  # another thread took the last one
                    break
                kernel(first, stop)
        except BaseException as error:  # noqa: BLE001
            failed.append(error)
            waiting.clear()

    helpers = [Thread(target=work) for _ in range(threads - 1)]  # this thread works too, which starts fewer
    for helper in helpers:
        helper.start()
    work()
    for helper in helpers:
        helper.join()
    if failed:
        raise failed[0]
