"""The forward pass over split edges, as a kernel."""

# A kernel's types are its explicit signature.
# pyright: reportMissingParameterType=false, reportUnknownParameterType=false

from __future__ import annotations

import numba as nb

from sim.numerics.signatures import INT, REAL, read, write

__all__ = ["push"]


@nb.njit(
    nb.void(read(INT, 1), read(INT, 1), read(INT, 1), read(REAL, 2), nb.intp, nb.intp, write(REAL, 2)),
    nogil=True,
    cache=True,
)
def push(source, target, edge, profile, first, stop, flow):
    """Push the probability that split nodes hold along their edges, in order, for variants ``first … stop - 1``."""
    for v in range(first, stop):
        for k in range(len(source)):
            here = flow[v, source[k]]
            if here > 0.0:
                flow[v, target[k]] += here * profile[v, edge[k]]
