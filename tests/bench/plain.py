"""Plain kernels to measure against: only the arithmetic, on the same arrays, with every payoff and probability given."""

import threading

import numba as nb
import numpy as np


@nb.njit(nogil=True, cache=True)
def best_replies(layer_start, layer_player, layer_boundary, edge_start, edge_dst, edge_pay, edge_prob, node_reward, node_final,
                 reward, pay, prob, discount, first, stop, profile, root):  # fmt: skip
    """Backward induction: the first best action, no ties, no checks."""
    nodes, players = len(edge_start) - 1, discount.shape[1]
    w = np.empty((nodes, players))
    x = np.empty(players)
    for v in range(first, stop):
        for layer in range(len(layer_player) - 1, -1, -1):
            mover = layer_player[layer]
            for n in range(layer_start[layer], layer_start[layer + 1]):
                a, b = edge_start[n], edge_start[n + 1]
                if mover == -2:
                    for i in range(players):
                        x[i] = reward[v, node_final[n, i]]
                elif mover == -1:
                    x[:] = 0.0
                    for e in range(a, b):
                        for i in range(players):
                            x[i] += prob[v, edge_prob[e], 1 + i] * (pay[v, edge_pay[e], i] + w[edge_dst[e], i])
                else:
                    best, at = -np.inf, a
                    for e in range(a, b):
                        q = pay[v, edge_pay[e], mover] + w[edge_dst[e], mover]
                        profile[v, e] = 0.0
                        if q > best:
                            best, at = q, e
                    profile[v, at] = 1.0
                    for i in range(players):
                        x[i] = pay[v, edge_pay[at], i] + w[edge_dst[at], i]
                for i in range(players):
                    w[n, i] = reward[v, node_reward[n, i]] + discount[v, i] * x[i] if layer_boundary[layer] else x[i]
                if n == 0:
                    root[v] = x


@nb.njit(nogil=True, cache=True)
def logit(layer_start, layer_player, layer_boundary, edge_start, edge_dst, edge_weight, edge_pay, edge_prob, node_reward, node_final,
          reward, pay, prob, discount, precision, first, stop, profile, root):  # fmt: skip
    """Logit responses backwards, no checks."""
    nodes, players = len(edge_start) - 1, discount.shape[1]
    w = np.empty((nodes, players))
    x = np.empty(players)
    for v in range(first, stop):
        for layer in range(len(layer_player) - 1, -1, -1):
            mover = layer_player[layer]
            for n in range(layer_start[layer], layer_start[layer + 1]):
                a, b = edge_start[n], edge_start[n + 1]
                x[:] = 0.0
                if mover == -2:
                    for i in range(players):
                        x[i] = reward[v, node_final[n, i]]
                elif mover == -1:
                    for e in range(a, b):
                        for i in range(players):
                            x[i] += prob[v, edge_prob[e], 1 + i] * (pay[v, edge_pay[e], i] + w[edge_dst[e], i])
                else:
                    best = -np.inf
                    for e in range(a, b):
                        best = max(best, pay[v, edge_pay[e], mover] + w[edge_dst[e], mover])
                    total = 0.0
                    for e in range(a, b):
                        q = pay[v, edge_pay[e], mover] + w[edge_dst[e], mover]
                        profile[v, e] = edge_weight[e] * np.exp(precision * (q - best))
                        total += profile[v, e]
                    for e in range(a, b):
                        profile[v, e] /= total
                        for i in range(players):
                            x[i] += profile[v, e] * (pay[v, edge_pay[e], i] + w[edge_dst[e], i])
                for i in range(players):
                    w[n, i] = reward[v, node_reward[n, i]] + discount[v, i] * x[i] if layer_boundary[layer] else x[i]
                if n == 0:
                    root[v] = x


def two_threads(kernel, count, *arrays):
    """Run a kernel on two halves of the variants at once; the last two arrays are its outputs."""
    *given, profile, root = arrays
    half = count // 2
    threads = [
        threading.Thread(target=kernel, args=(*given, a, b, profile, root))
        for a, b in ((0, half), (half, count))
        if b > a
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@nb.njit(nogil=True, cache=True)
def best_paths(layer_start, layer_player, layer_boundary, edge_start, edge_dst, edge_pay, edge_prob, node_reward, node_final,
               reward, pay, prob, discount, first, stop, profile, reached):  # fmt: skip
    """Backward induction as above, then how often each node is reached: one forward pass."""
    root = np.empty((len(reward), discount.shape[1]))
    for v in range(first, stop):
        best_replies(layer_start, layer_player, layer_boundary, edge_start, edge_dst, edge_pay, edge_prob, node_reward, node_final,
                     reward, pay, prob, discount, v, v + 1, profile, root)  # fmt: skip
        reached[v, :] = 0.0
        reached[v, 0] = 1.0
        for layer in range(len(layer_player)):
            for n in range(layer_start[layer], layer_start[layer + 1]):
                here = reached[v, n]
                if here > 0.0:
                    for e in range(edge_start[n], edge_start[n + 1]):
                        share = prob[v, edge_prob[e], 0] if layer_player[layer] == -1 else profile[v, e]
                        reached[v, edge_dst[e]] += here * share
