"""The recorded history followed for many variants, as kernels: one forward sweep over layers, and the values behind one node.

Written apart from :mod:`sim.analysis.replay`, which takes one variant at a time, so that the two can check each other.
"""

# A kernel's types are its explicit signature.
# pyright: reportMissingParameterType=false, reportUnknownParameterType=false, reportCallIssue=false

from __future__ import annotations

import numba as nb
import numpy as np

from sim.numerics.signatures import FLAG, INT, REAL, read, write

__all__ = ["behind", "sweep"]


@nb.njit(
    nb.intp(
        read(INT, 1), read(INT, 1), read(INT, 1), read(REAL, 2), nb.intp, nb.intp, nb.intp, nb.intp, write(REAL, 1), nb.intp, write(REAL, 1)
    ),
    nogil=True,
    cache=True,
)  # fmt: skip
def _push(layer_start, edge_start, edge_dst, profile, v, bottom, top, after, kept, high, weight):
    """Push weight forward from layers ``bottom … top - 1``; return one more than the last node that holds some.

    Layer ``after`` is that of the last record: what is left of its edges is in ``kept``.
    """
    for layer in range(bottom, top):
        begin = edge_start[layer_start[layer]]
        for n in range(layer_start[layer], layer_start[layer + 1]):
            here = weight[n]
            if here == 0.0:
                continue
            for e in range(edge_start[n], edge_start[n + 1]):
                share = kept[e - begin] if layer == after else profile[v, e]
                if share > 0.0:
                    to = edge_dst[e]
                    weight[to] += here * share
                    high = max(high, to + 1)
    return high


@nb.njit(
    nb.void(
        nb.intp, nb.intp, read(INT, 1), read(INT, 1), nb.intp, read(FLAG, 1), read(INT, 1), write(REAL, 1), write(REAL, 1)
    ),
    nogil=True,
    cache=True,
)  # fmt: skip
def _surely(begin, n, edge_start, shape, player, matches, edge_label, kept, total):
    """Let a player who chooses with others surely do what is recorded at node ``n``: what the others do stays."""
    later = 1
    for i in range(player + 1, len(shape)):
        later *= shape[i]
    size = edge_start[n + 1] - edge_start[n]
    total[:size] = 0.0
    for k in range(size):
        own = (k // later) % shape[player]
        total[k - own * later] += kept[edge_start[n] + k - begin]
    for k in range(size):
        e = edge_start[n] + k
        own = (k // later) % shape[player]
        kept[e - begin] = total[k - own * later] if matches[edge_label[e]] else 0.0


@nb.njit(
    nb.void(
        read(INT, 1), read(INT, 1), read(INT, 1), read(INT, 1), read(INT, 1), read(REAL, 1), read(INT, 2), read(INT, 1), read(REAL, 2),
        read(INT, 1), read(FLAG, 2), read(FLAG, 2), read(FLAG, 1), nb.intp, nb.intp,
        write(INT, 2), write(REAL, 2), write(REAL, 2), write(FLAG, 2), write(INT, 1), write(REAL, 1),
    ),
    nogil=True,
    cache=True,
)  # fmt: skip
def sweep(
    layer_start, layer_player, edge_start, edge_dst, edge_label, edge_weight, node_shape, roots, profile,
    player, able, matches, asked, first, stop,
    at, probability, uniform, forced, node, share,
):  # fmt: skip
    """Follow the records in variants ``first … stop - 1``.

    ``player`` (r,) is the index of each record's player, -1 for chance; ``able`` (r, l) tells at which layers it may have happened, ``matches`` (r, labels)
    which labels say what it says. Written are each record's layer, -1 from the first that cannot be followed, its probability, that under uniform play,
    and whether it was forced (v, r); then, at the first layer that is ``asked`` (l,) and holds weight, the likeliest node (-1: none) and its share (v,).
    """
    layers, records = len(layer_player), len(player)
    weight = np.zeros(edge_start.shape[0] - 1)
    widest, most = 1, 1
    for layer in range(layers):
        widest = max(widest, edge_start[layer_start[layer + 1]] - edge_start[layer_start[layer]])
        if layer_player[layer] == -3:
            for n in range(layer_start[layer], layer_start[layer + 1]):
                most = max(most, edge_start[n + 1] - edge_start[n])
    kept, total = np.empty(widest), np.empty(most)
    high = 0
    for v in range(first, stop):
        weight[:high] = 0.0
        high = 0
        for k in range(len(roots)):
            weight[roots[k]] = 1.0 / len(roots)
            high = max(high, roots[k] + 1)
        pushed, after, done, mass = 0, -1, 0, 1.0
        lost = False
        for r in range(records):
            who = player[r]
            from_here = done != 0 and who >= 0 and (done >> who) & 1 == 0
            found = -1
            for layer in range(after if from_here else after + 1, layers):
                if not able[r, layer]:
                    continue
                high = _push(layer_start, edge_start, edge_dst, profile, v, pushed, layer, after, kept, high, weight)
                pushed = max(pushed, layer)
                for n in range(layer_start[layer], layer_start[layer + 1]):
                    if weight[n] > 0.0:
                        for e in range(edge_start[n], edge_start[n + 1]):
                            if matches[r, edge_label[e]]:
                                found = layer
                                break
                    if found >= 0:
                        break
                if found >= 0:
                    break
            if found < 0:
                lost = True
                at[v, r:] = -1
                probability[v, r:] = 0.0
                uniform[v, r:] = 0.0
                forced[v, r:] = False
                break
            begin, end = edge_start[layer_start[found]], edge_start[layer_start[found + 1]]
            if found != after:
                kept[: end - begin] = profile[v, begin:end]
                # history neither ends before this layer nor passes it by
                beyond = layer_start[found + 1]
                if high > beyond:
                    weight[beyond:high] = 0.0
                    high = beyond
                done, after = 0, found
            together = layer_player[found] == -3
            if together:
                done |= 1 << who
            likely, even = 0.0, 0.0
            for n in range(layer_start[found], layer_start[found + 1]):
                here = weight[n]
                if here == 0.0:
                    continue
                whole = 0.0
                for e in range(edge_start[n], edge_start[n + 1]):
                    whole += edge_weight[e]
                for e in range(edge_start[n], edge_start[n + 1]):
                    if matches[r, edge_label[e]]:
                        likely += here * kept[e - begin] / mass
                        even += here / mass * (edge_weight[e] / whole if whole > 0.0 else 1.0)
            at[v, r] = found
            probability[v, r] = min(likely, 1.0)
            uniform[v, r] = even if who >= 0 else likely
            forced[v, r] = likely <= 0.0
            mass = 0.0
            for n in range(layer_start[found], layer_start[found + 1]):
                if likely <= 0.0 and together:
                    _surely(begin, n, edge_start, node_shape[n], who, matches[r], edge_label, kept, total)
                for e in range(edge_start[n], edge_start[n + 1]):
                    if not matches[r, edge_label[e]]:
                        kept[e - begin] = 0.0
                    elif likely <= 0.0 and not together:
                        kept[e - begin] = 1.0
                    mass += weight[n] * kept[e - begin]
        node[v] = -1
        share[v] = 0.0
        if lost:
            continue
        for layer in range(after + 1, layers):
            if not asked[layer]:
                continue
            high = _push(layer_start, edge_start, edge_dst, profile, v, pushed, layer, after, kept, high, weight)
            pushed = max(pushed, layer)
            here, most_here = 0.0, 0.0
            for n in range(layer_start[layer], layer_start[layer + 1]):
                here += weight[n]
                if weight[n] > most_here:
                    most_here = weight[n]
                    node[v] = n
            if here > 0.0:
                share[v] = most_here / here
                break


@nb.njit(
    nb.void(
        read(INT, 1), read(INT, 1), read(FLAG, 1), read(INT, 1), read(INT, 1), read(INT, 1), read(INT, 1), read(INT, 2), read(INT, 2),
        read(REAL, 2), read(REAL, 3), read(REAL, 3), read(REAL, 2), read(REAL, 2), read(INT, 1), read(INT, 1), nb.intp, nb.intp, write(REAL, 2),
    ),
    nogil=True,
    cache=True,
)  # fmt: skip
def behind(
    layer_start, layer_player, layer_boundary, edge_start, edge_dst, edge_pay, edge_prob, node_reward, node_final,
    reward, pay, prob, discount, profile, node, player, first, stop, out,
):  # fmt: skip
    """Write what each edge of ``node[v]`` is worth to ``player[v]``, in variants ``first … stop - 1``, shape (v, edges).

    Only what play can reach from there is evaluated, for that player alone.
    """
    nodes = edge_start.shape[0] - 1
    marked = np.zeros(nodes, dtype=np.bool_)
    arrival = np.empty(nodes)
    for v in range(first, stop):
        n, i = node[v], player[v]
        layer = 0
        while layer_start[layer + 1] <= n:
            layer += 1
        for e in range(edge_start[n], edge_start[n + 1]):
            marked[edge_dst[e]] = True
        for low in range(layer + 1, len(layer_player)):
            chance = layer_player[low] == -1
            for m in range(layer_start[low], layer_start[low + 1]):
                if marked[m]:
                    for e in range(edge_start[m], edge_start[m + 1]):
                        if (prob[v, edge_prob[e], 1 + i] if chance else profile[v, e]) > 0.0:
                            marked[edge_dst[e]] = True
        for low in range(len(layer_player) - 1, layer, -1):
            mover = layer_player[low]
            for m in range(layer_start[low], layer_start[low + 1]):
                if not marked[m]:
                    continue
                marked[m] = False
                value = reward[v, node_final[m, i]] if mover == -2 else 0.0
                for e in range(edge_start[m], edge_start[m + 1]):
                    share = prob[v, edge_prob[e], 1 + i] if mover == -1 else profile[v, e]
                    if share > 0.0:
                        value += share * (pay[v, edge_pay[e], i] + arrival[edge_dst[e]])
                if layer_boundary[low]:
                    value = reward[v, node_reward[m, i]] + discount[v, i] * value
                arrival[m] = value
        for e in range(edge_start[n], edge_start[n + 1]):
            out[v, e - edge_start[n]] = pay[v, edge_pay[e], i] + arrival[edge_dst[e]]
