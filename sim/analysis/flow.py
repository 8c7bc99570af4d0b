"""The forward pass over split edges, as a kernel."""

# A kernel's types are its explicit signature.
# pyright: reportMissingParameterType=false, reportUnknownParameterType=false

from __future__ import annotations

import numba as nb
import numpy as np

from sim.numerics.signatures import INT, REAL, read, write

__all__ = ["gather", "push"]


@nb.njit(
    nb.void(
        read(INT, 1), read(INT, 1), read(INT, 1), read(INT, 1), read(INT, 1), read(REAL, 2), nb.intp, nb.intp, write(REAL, 2),
    ),
    nogil=True,
    cache=True,
)  # fmt: skip
def push(roots, start, target, edge, rank, profile, first, stop, out):
    """Push probability along split edges, in order, for variants ``first … stop - 1``; gather in ``out`` what arrives at ends of each rank."""
    flow = np.zeros(len(start) - 1)
    for v in range(first, stop):
        for r in range(len(roots)):
            flow[roots[r]] += 1.0 / len(roots)
        for n in range(len(start) - 1):
            here = flow[n]
            if here > 0.0:
                flow[n] = 0.0
                if rank[n] >= 0:
                    out[v, rank[n]] += here
                for k in range(start[n], start[n + 1]):
                    flow[target[k]] += here * profile[v, edge[k]]


@nb.njit(
    nb.void(read(INT, 1), read(REAL, 1), read(REAL, 2), nb.intp, nb.intp, write(REAL, 1)),
    nogil=True,
    cache=True,
)
def gather(nodes, values, reached, first, stop, out):
    """Sum values at nodes, weighed by how often each is reached, in variants ``first … stop - 1``: always in the same order."""
    for v in range(first, stop):
        total = 0.0
        for k in range(len(nodes)):
            total += reached[v, nodes[k]] * values[k]
        out[v] = total
