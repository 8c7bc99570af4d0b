"""Plays drawn by chance, as a kernel: each walks the graph to its end and carries the path operators' memory along."""

# A kernel's types are its explicit signature.
# pyright: reportMissingParameterType=false, reportUnknownParameterType=false

from __future__ import annotations

import numba as nb
import numpy as np

from sim.numerics.signatures import FLAG, INT, REAL, read, write

__all__ = ["ADD", "FIRST", "GREATEST", "LEAST", "NOTHING", "PLAYED", "walk"]

NOTHING, GREATEST, LEAST, ADD, FIRST, PLAYED = range(6)
"""What an operator does with its memory when a round ends, or a move is made."""


@nb.njit(
    nb.void(
        nb.types.npy_rng, read(INT, 1), read(INT, 1), read(INT, 1), read(REAL, 1), read(FLAG, 1), read(REAL, 1), read(INT, 1), read(REAL, 1),
        read(INT, 1), read(REAL, 2), read(FLAG, 2), nb.intp, nb.intp, write(REAL, 2), write(INT, 1),
    ),
    nogil=True,
    cache=True,
)  # fmt: skip
def walk(
    rng, edge_start, edge_dst, edge_label, share, boundary, number, roots, root_share, kind, values, played, first, stop, memory, end
):  # fmt: skip
    """Draw plays ``first … stop - 1``: what each operator remembers of each (p, o), and the node where it ends (p,).

    ``share`` (e,) is the probability of each edge, ``boundary`` (n,) says whether a round ends on the way to a node and ``number`` (n,) which;
    ``values`` (o, n) is what operators read there, ``played`` (o, labels) which labels they look for.
    """
    operators = len(kind)
    for p in range(first, stop):
        u = rng.random()
        root = 0
        while root < len(roots) - 1 and u >= root_share[root]:
            u -= root_share[root]
            root += 1
        n = roots[root]
        for o in range(operators):
            if kind[o] == GREATEST or kind[o] == LEAST:
                memory[p, o] = values[o, n]
            elif kind[o] == FIRST:
                memory[p, o] = 0.0 if values[o, n] > 0.0 else np.inf
            else:
                memory[p, o] = 0.0
        while edge_start[n + 1] > edge_start[n]:
            chosen = edge_start[n]
            if edge_start[n + 1] - chosen > 1:
                u = rng.random()
                for e in range(edge_start[n], edge_start[n + 1]):
                    if share[e] > 0.0:
                        chosen = e  # the last one that is possible, should rounding leave something over
                        u -= share[e]
                        if u < 0.0:
                            break
            for o in range(operators):
                if kind[o] == PLAYED and played[o, edge_label[chosen]]:
                    memory[p, o] = 1.0
            n = edge_dst[chosen]
            if boundary[n]:
                for o in range(operators):
                    x = values[o, n]
                    if kind[o] == GREATEST:
                        memory[p, o] = max(memory[p, o], x)
                    elif kind[o] == LEAST:
                        memory[p, o] = min(memory[p, o], x)
                    elif kind[o] == ADD:
                        memory[p, o] += x
                    elif kind[o] == FIRST and x > 0.0 and memory[p, o] == np.inf:
                        memory[p, o] = number[n]
        end[p] = n
