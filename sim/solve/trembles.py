r"""Logit responses of players with private types, followed in precision by elimination along the tree of public histories.

Unknown is the logarithm :math:`z` of every choice probability of every type. Beliefs are sums of such logarithms along a history, so
they are exact however small a probability is. Linearised, beliefs flow down the histories and values flow up: with
:math:`\delta b` the change of the log odds at a node and :math:`\delta V` that of its values,

.. math:: \delta V = R\,\delta b + r + t\,\delta\lambda, \qquad \delta z = X\,\delta b + x + y\,\delta\lambda,

and :math:`R, r, t, X, x, y` of a node follow from those of its successors by one small dense solve. One pass up and one pass down make a
Newton step of the whole game, linear in its nodes, and give the tangent of the path as well.

In *support mode* the actions inside a support obey indifference (a logit response of precision 1e12 or so), those outside are not played, and
their trembles, which only beliefs feel, are logit at the path's precision.

Sources: McKelvey, R. & Palfrey, T. (1998) Experimental Economics 1:9-41 (the responses); Turocy, T. (2010) Economic Theory 42:255-269 (the path).
"""

# A kernel's types are its explicit signature.
# pyright: reportMissingParameterType=false, reportUnknownParameterType=false, reportCallIssue=false, reportPossiblyUnboundVariable=false

from __future__ import annotations

import numba as nb
import numpy as np

from sim.numerics.signatures import FLAG, INT, REAL, read, write

__all__ = ["ARRIVED", "LOST", "correct", "follow"]

ARRIVED, LOST = 0, 1
"""How a path ended."""

STRUCTURE = nb.types.Tuple((
    read(INT, 1), read(INT, 1), read(FLAG, 1), read(INT, 1), read(INT, 1), read(INT, 1), read(INT, 1), read(INT, 2), read(INT, 2), read(INT, 2),
    read(INT, 2), read(INT, 1), read(INT, 1), read(INT, 1), read(INT, 1), read(INT, 1), read(INT, 2), read(INT, 1), read(INT, 1), read(INT, 1),
    read(FLAG, 1),
))  # fmt: skip
"""The arrays of :class:`sim.solve.assess.Form`."""
NUMBERS = nb.types.Tuple(
    (read(REAL, 2), read(REAL, 3), read(REAL, 3), read(REAL, 1), read(REAL, 2), read(REAL, 1), read(REAL, 1))
)
"""Payoffs, payments, probabilities, discounts, beliefs about others' types, weights, and the ratio of the players' precisions."""
SUPPORT = nb.types.Tuple((read(FLAG, 1), nb.float64))
"""The actions inside the support, none for logit responses; and the precision that stands for indifference."""
WORK = nb.types.Tuple((
    write(REAL, 2), write(REAL, 3), write(REAL, 3), write(REAL, 2), write(REAL, 1), write(REAL, 1), write(REAL, 3), write(REAL, 2),
))  # fmt: skip
"""What the kernels write: see :class:`sim.solve.assess.Work`."""


@nb.njit(nb.boolean(write(REAL, 2), nb.intp, nb.intp), nogil=True, cache=True)
def _eliminate(a, m, columns):
    """Solve the m equations in ``a`` (m, m + columns) in place, rows scaled, by elimination with pivots; False if they are singular."""
    for r in range(m):
        top = 0.0
        for c in range(m):
            top = max(top, abs(a[r, c]))
        if not (0.0 < top < np.inf):
            return False
        for c in range(m + columns):
            a[r, c] /= top
    for p in range(m):
        best = p
        for r in range(p + 1, m):
            if abs(a[r, p]) > abs(a[best, p]):
                best = r
        if abs(a[best, p]) < 1e-300:
            return False
        if best != p:
            for c in range(p, m + columns):
                a[p, c], a[best, c] = a[best, c], a[p, c]
        for r in range(p + 1, m):
            factor = a[r, p] / a[p, p]
            if factor != 0.0:
                for c in range(p + 1, m + columns):
                    a[r, c] -= factor * a[p, c]
    for p in range(m - 1, -1, -1):
        for c in range(m, m + columns):
            total = a[p, c]
            for k in range(p + 1, m):
                total -= a[p, k] * a[k, c]
            a[p, c] = total / a[p, p]
    return True


@nb.njit(nb.void(STRUCTURE, NUMBERS, read(REAL, 1), write(REAL, 2)), nogil=True, cache=True)
def _beliefs(structure, numbers, z, belief):
    """Write the log likelihood of every type, or lane, in every belief class (c, k)."""
    edge_start, edge_prob, node_shape = structure[3], structure[6], structure[9]
    class_player, class_node, class_action, class_before = structure[11], structure[12], structure[13], structure[14]
    lane, count, first = structure[16], structure[18], structure[19]
    prob = numbers[2]
    players = lane.shape[1]
    lanes = lane.shape[0]
    for c in range(len(class_player)):
        p, n, before = class_player[c], class_node[c], class_before[c]
        belief[c, :] = -np.inf
        if n < 0:
            belief[c, : lanes if p == players else count[p]] = 0.0
            continue
        if p == players:
            row = edge_prob[edge_start[n] + class_action[c]]
            top = -np.inf
            for s in range(lanes):
                belief[c, s] = belief[before, s] + np.log(prob[s, row, 0]) if prob[s, row, 0] > 0.0 else -np.inf
                top = max(top, belief[c, s])
            if top == -np.inf:  # nobody's type makes this possible: what was known before stays
                for s in range(lanes):
                    belief[c, s] = belief[before, s]
            continue
        offset = first[n]
        for q in range(players):
            if q == p:
                break
            if node_shape[n, q] > 1:
                offset += count[q] * node_shape[n, q]
        for k in range(count[p]):
            belief[c, k] = belief[before, k] + z[offset + k * node_shape[n, p] + class_action[c]]


@nb.njit(nb.boolean(STRUCTURE, NUMBERS, SUPPORT, read(REAL, 1), read(REAL, 1), WORK), nogil=True, cache=True)
def _sweep(structure, numbers, supports, z, precision, work):
    """Eliminate upwards: values on arrival (n, i, s), their response (n, i * s, d + 2), the solved rows (u, d + 2), and errors of z (u,)."""
    layer_start, layer_player, layer_boundary, edge_start, edge_dst, edge_pay, edge_prob = structure[:7]
    node_reward, node_final, node_shape, node_class = structure[7:11]
    lane, place, count, first, open_ = structure[16:]
    reward, pay, prob, discount, condition, weight, ratio = numbers
    inside, sharp = supports
    belief, arrival, response, solved, error, worth, _, _ = work
    players, lanes = lane.shape[1], lane.shape[0]
    wide = solved.shape[1]
    free = wide - 2
    support = len(inside) > 0
    _beliefs(structure, numbers, z, belief)
    most, edges_most = 1, 1
    for n in range(len(first) - 1):
        most = max(most, first[n + 1] - first[n])
        edges_most = max(edges_most, edge_start[n + 1] - edge_start[n])
    a = np.empty((most, most + wide))
    share = np.empty(most)
    q = np.empty((edges_most, lanes, players))
    chance = np.empty((edges_most, lanes))
    acts = np.empty((players, edges_most), dtype=np.int64)
    who = np.empty(players, dtype=np.int64)
    size = np.empty(players, dtype=np.int64)
    offset = np.empty(players, dtype=np.int64)
    mu = np.empty(lanes)
    own = np.empty(most)
    value = np.empty((players, lanes))
    inner = np.empty((players * lanes, wide))
    pair = np.empty((edges_most, lanes))
    rows = np.empty((most, most))
    extra = np.empty((most, wide))
    for layer in range(len(layer_player) - 1, -1, -1):
        mover = layer_player[layer]
        boundary = layer_boundary[layer]
        for n in range(layer_start[layer], layer_start[layer + 1]):
            begin, stop = edge_start[n], edge_start[n + 1]
            degree = stop - begin
            inner[:] = 0.0
            value[:] = 0.0
            if mover == -2:
                for i in range(players):
                    for s in range(lanes):
                        value[i, s] = reward[s, node_final[n, i]]
            elif mover == -1:
                for e in range(begin, stop):
                    to, row, paid = edge_dst[e], edge_prob[e], edge_pay[e]
                    for s in range(lanes):
                        for i in range(players):
                            w = prob[s, row, 1 + i]
                            value[i, s] += w * (pay[s, paid, i] + arrival[to, i, s])
                            for d in range(wide):
                                inner[i * lanes + s, d] += w * response[to, i * lanes + s, d]
            else:
                choosers = 0
                m = 0
                for i in range(players):
                    if (mover == i) or (mover == -3 and node_shape[n, i] > 1):
                        who[choosers] = i
                        size[choosers] = node_shape[n, i]
                        offset[choosers] = m
                        m += count[i] * node_shape[n, i]
                        choosers += 1
                stride = 1
                for c in range(choosers - 1, -1, -1):
                    for k in range(degree):
                        acts[c, k] = (k // stride) % size[c]
                    stride *= size[c]
                base = first[n]
                for u in range(m):
                    plays = open_[base + u] and (not support or inside[base + u])
                    share[u] = np.exp(z[base + u]) if plays else 0.0
                for c in range(choosers):  # a type that cannot be here plays as reported: uniformly
                    for k in range(count[who[c]]):
                        start = offset[c] + k * size[c]
                        exists = False
                        for x in range(size[c]):
                            exists = exists or open_[base + start + x]
                        if not exists:
                            for x in range(size[c]):
                                share[start + x] = 1.0 / size[c]
                for k in range(degree):
                    to, paid = edge_dst[begin + k], edge_pay[begin + k]
                    for s in range(lanes):
                        w = 1.0
                        for c in range(choosers):
                            w *= share[offset[c] + lane[s, who[c]] * size[c] + acts[c, k]]
                        chance[k, s] = w
                        for i in range(players):
                            q[k, s, i] = pay[s, paid, i] + arrival[to, i, s]
                rows[:m, :m] = 0.0
                extra[:m, :] = 0.0
                own[:m] = 0.0
                for c in range(choosers):
                    p = who[c]
                    for k in range(count[p]):
                        exists = False
                        for x in range(size[c]):
                            exists = exists or open_[base + offset[c] + k * size[c] + x]
                        if not exists:
                            continue
                        for attempt in range(
                            3
                        ):  # if nobody expects what is possible: as if all types were expected; else, as at the start
                            top = -np.inf
                            for s in range(lanes):
                                if lane[s, p] != k:
                                    continue
                                w = 0.0 if attempt == 1 else condition[p, s]
                                if attempt < 2:
                                    for j in range(players):
                                        if j != p and place[j] >= 0 and node_class[n, j] >= 0:
                                            w += belief[node_class[n, j], lane[s, j]]
                                    if node_class[n, players] >= 0:
                                        w += belief[node_class[n, players], s]
                                mu[s] = w
                                top = max(top, w)
                            if top > -np.inf:
                                break
                        total = 0.0
                        for s in range(lanes):
                            if lane[s, p] == k:
                                mu[s] = np.exp(mu[s] - top)
                                total += mu[s]
                        for s in range(lanes):
                            if lane[s, p] == k:
                                mu[s] /= total
                        for s in range(lanes):
                            if lane[s, p] != k or mu[s] == 0.0:
                                continue
                            for g in range(degree):
                                w = mu[s]
                                for other in range(choosers):
                                    if other != c:
                                        w *= share[offset[other] + lane[s, who[other]] * size[other] + acts[other, g]]
                                pair[g, s] = w
                                own[offset[c] + k * size[c] + acts[c, g]] += w * q[g, s, p]
                        for s in range(lanes):
                            if lane[s, p] != k or mu[s] == 0.0:
                                continue
                            line = p * lanes + s
                            for g in range(degree):
                                u = offset[c] + k * size[c] + acts[c, g]
                                w = pair[g, s]
                                if w == 0.0:
                                    continue
                                to = edge_dst[begin + g]
                                for d in range(wide):
                                    extra[u, d] += w * response[to, line, d]
                                for other in range(choosers):
                                    j = who[other]
                                    if place[j] >= 0:
                                        for x in range(count[j]):
                                            rows[u, offset[other] + x * size[other] + acts[other, g]] += (
                                                w * response[to, line, place[j] + x]
                                            )
                                    if other != c:
                                        rows[u, offset[other] + lane[s, j] * size[other] + acts[other, g]] += (
                                            w * q[g, s, p]
                                        )
                                for j in range(players):
                                    if j != p and place[j] >= 0 and node_class[n, j] >= 0:
                                        extra[u, place[j] + lane[s, j]] += w * q[g, s, p]
                            for j in range(players):
                                if j != p and place[j] >= 0 and node_class[n, j] >= 0:
                                    for x in range(size[c]):
                                        u = offset[c] + k * size[c] + x
                                        extra[u, place[j] + lane[s, j]] -= mu[s] * own[u]
                for c in range(choosers):
                    p = who[c]
                    for k in range(count[p]):
                        start = offset[c] + k * size[c]
                        slope = sharp if support else precision[p]
                        main = -1
                        total = 0.0
                        for x in range(size[c]):
                            u = start + x
                            if share[u] > 0.0:
                                total += share[u]
                                if main < 0 or share[u] > share[main]:
                                    main = u
                        for x in range(size[c]):
                            u = start + x
                            worth[base + u] = own[u]
                            for d in range(m + wide):
                                a[u, d] = 0.0
                            if not open_[base + u] or main < 0:
                                a[u, u] = 1.0
                                error[base + u] = 0.0
                            elif u == main:  # probabilities sum to 1
                                for y in range(size[c]):
                                    a[u, start + y] = share[start + y] / total
                                error[base + u] = np.log(total)
                            else:  # odds against the action that is used most; outside the support a tremble, felt by beliefs only
                                rate = precision[p] if support and not inside[base + u] else slope
                                a[u, u] = 1.0
                                a[u, main] = -1.0
                                gap = own[u] - own[main]
                                error[base + u] = (
                                    z[base + u] - z[base + main] - (weight[base + u] - weight[base + main]) - rate * gap
                                )
                                for d in range(m):
                                    a[u, d] -= rate * (rows[u, d] - rows[main, d])
                                for d in range(wide):
                                    a[u, m + d] += rate * (extra[u, d] - extra[main, d])
                                if not support:
                                    a[u, m + free + 1] += ratio[p] * gap
                            a[u, m + free] -= error[base + u]
                if not _eliminate(a, m, wide):
                    return False
                for u in range(m):
                    for d in range(wide):
                        solved[base + u, d] = a[u, m + d]
                for g in range(degree):
                    to = edge_dst[begin + g]
                    for s in range(lanes):
                        w = chance[g, s]
                        if w == 0.0:
                            continue
                        for i in range(players):
                            line = i * lanes + s
                            value[i, s] += w * q[g, s, i]
                            for d in range(wide):
                                inner[line, d] += w * response[to, line, d]
                            for c in range(choosers):
                                j = who[c]
                                u = offset[c] + lane[s, j] * size[c] + acts[c, g]
                                for d in range(wide):
                                    inner[line, d] += w * q[g, s, i] * a[u, m + d]
                                if place[j] >= 0:
                                    for x in range(count[j]):
                                        felt = w * response[to, line, place[j] + x]
                                        if felt != 0.0:
                                            o = offset[c] + x * size[c] + acts[c, g]
                                            for d in range(wide):
                                                inner[line, d] += felt * a[o, m + d]
            for i in range(players):
                for s in range(lanes):
                    line = i * lanes + s
                    if boundary:
                        arrival[n, i, s] = reward[s, node_reward[n, i]] + discount[i] * value[i, s]
                        for d in range(wide):
                            response[n, line, d] = discount[i] * inner[line, d]
                    else:
                        arrival[n, i, s] = value[i, s]
                        for d in range(wide):
                            response[n, line, d] = inner[line, d]
    return True


@nb.njit(nb.void(STRUCTURE, WORK), nogil=True, cache=True)
def _descend(structure, work):
    """Carry the changes of beliefs down: the Newton step and the tangent of z in ``step`` (u, 2)."""
    layer_start, layer_player, node_shape, node_class = structure[0], structure[1], structure[9], structure[10]
    class_player, class_node, class_action, class_before = structure[11], structure[12], structure[13], structure[14]
    class_start, lane, place, count, first = structure[15], structure[16], structure[17], structure[18], structure[19]
    solved, moved, step = work[3], work[6], work[7]
    players = lane.shape[1]
    free = solved.shape[1] - 2
    change = np.empty((free, 2))
    for layer in range(len(layer_player)):
        for c in range(class_start[layer], class_start[layer + 1]):
            p, n, before = class_player[c], class_node[c], class_before[c]
            if n < 0 or p == players:
                moved[c] = 0.0
                continue
            offset = first[n]
            for q in range(players):
                if q == p:
                    break
                if node_shape[n, q] > 1:
                    offset += count[q] * node_shape[n, q]
            for k in range(count[p]):
                for d in range(2):
                    moved[c, k, d] = moved[before, k, d] + step[offset + k * node_shape[n, p] + class_action[c], d]
        for n in range(layer_start[layer], layer_start[layer + 1]):
            if first[n + 1] == first[n]:
                continue
            change[:] = 0.0
            for j in range(players):
                if place[j] >= 0 and node_class[n, j] >= 0:
                    for k in range(count[j]):
                        for d in range(2):
                            change[place[j] + k, d] = moved[node_class[n, j], k, d]
            for u in range(first[n], first[n + 1]):
                for d in range(2):
                    total = solved[u, free + d]
                    for b in range(free):
                        total += solved[u, b] * change[b, d]
                    step[u, d] = total


@nb.njit(
    nb.types.Tuple((nb.float64, nb.boolean))(
        STRUCTURE, NUMBERS, SUPPORT, write(REAL, 1), read(REAL, 1), nb.intp, nb.float64, WORK
    ),
    nogil=True,
    cache=True,
)
def correct(structure, numbers, supports, z, precision, steps, tolerance, work):
    """Newton's method at a fixed precision, steps shortened where they are long; return the last step's size and whether it is small."""
    open_, step = structure[20], work[7]
    size = np.inf
    for _ in range(steps):
        if not _sweep(structure, numbers, supports, z, precision, work):
            return np.inf, False
        _descend(structure, work)
        size, longest = 0.0, 0.0
        for u in range(len(z)):
            if open_[u]:
                size = max(size, abs(step[u, 0]) / (1.0 + abs(z[u])))
                if z[u] > -30.0:
                    longest = max(longest, abs(step[u, 0]))
        if not (size < np.inf):
            return np.inf, False
        scale = min(1.0, 3.0 / longest) if longest > 0.0 else 1.0
        for u in range(len(z)):
            if open_[u]:
                z[u] += scale * step[u, 0]
                z[u] = min(z[u], 0.0)
        if size <= tolerance:
            return size, True
    return size, False


@nb.njit(
    nb.types.Tuple((nb.float64, nb.intp, nb.intp))(
        STRUCTURE, NUMBERS, SUPPORT, write(REAL, 1), nb.float64, nb.float64, nb.intp, nb.float64, WORK
    ),
    nogil=True,
    cache=True,
)
def follow(structure, numbers, supports, z, begin, target, most, bold, work):
    """Follow the path of logit responses from precision ``begin``, where ``z`` solves, to ``target``; return where it ends, how, and the steps.

    ``bold`` bounds a step: by how much the choices of one type may change on the way. The path may turn back in precision; its scale is 1, so
    ratios should be of the order of one over the payoff ranges.
    """
    first, open_, ratio, step = structure[19], structure[20], numbers[6], work[7]
    unknowns = len(z)
    lam = begin
    before = np.zeros(unknowns)
    before_z = 0.0
    tangent = np.zeros(unknowns)
    trial = np.empty(unknowns)
    players = len(ratio)
    precision = np.empty(players)
    reach = 0.1
    known, stale = False, True
    for taken in range(most):
        for i in range(players):
            precision[i] = lam * ratio[i]
        if not known:
            if taken == 0 or stale:  # else the last correction has left the tangent behind
                if not _sweep(structure, numbers, supports, z, precision, work):
                    return lam, LOST, taken
                _descend(structure, work)
            rate = lam + 1.0
            norm, along = 1.0, before_z
            for u in range(unknowns):
                if open_[u]:
                    tangent[u] = step[u, 1] * rate
                    norm += np.exp(z[u]) * tangent[u] * tangent[u]
                    along += np.exp(z[u]) * tangent[u] * before[u]
            if not (norm < np.inf):
                return lam, LOST, taken
            norm = np.sqrt(norm)
            if taken > 0 and along < 0.0:
                norm = -norm
            for u in range(unknowns):
                tangent[u] /= norm
            forward = 1.0 / norm
            known = True
        largest = abs(forward) / 0.7
        for n in range(len(first) - 1):
            total = 0.0
            for u in range(first[n], first[n + 1]):
                if open_[u]:
                    total += np.exp(z[u]) * abs(tangent[u])
            largest = max(largest, total)
        length = reach / largest
        ahead = forward * length
        grown = (np.exp(ahead) - 1.0) / ahead if abs(ahead) > 1e-8 else 1.0
        here = (lam + 1.0) * np.exp(ahead) - 1.0
        arrives = here >= target
        if arrives:
            ahead = np.log((target + 1.0) / (lam + 1.0))
            length = ahead / forward
            grown = (np.exp(ahead) - 1.0) / ahead if abs(ahead) > 1e-8 else 1.0
            here = target
        elif here < 0.0:
            return lam, LOST, taken
        for n in range(len(first) - 1):
            for u in range(first[n], first[n + 1]):
                trial[u] = min(0.0, z[u] + length * tangent[u] * grown) if open_[u] else z[u]
        good = False
        last = np.inf
        rounds = 0
        for _ in range(9):
            rounds += 1
            for i in range(players):
                precision[i] = here * ratio[i]
            if not _sweep(structure, numbers, supports, trial, precision, work):
                break
            _descend(structure, work)
            change = 0.0
            if not arrives:
                up, down = 0.0, 0.0
                for u in range(unknowns):
                    if open_[u]:
                        weighed = np.exp(trial[u]) * tangent[u]
                        up += weighed * step[u, 0]
                        down += weighed * step[u, 1]
                down += forward / (here + 1.0)
                if down == 0.0:
                    break
                change = -up / down
            here = max(0.0, here + change)
            size, longest = 0.0, 0.0
            for u in range(unknowns):
                if open_[u]:
                    x = step[u, 0] + change * step[u, 1]
                    size = max(size, abs(x) / (1.0 + abs(trial[u])))
                    if trial[u] > -20.0:
                        longest = max(longest, abs(x))
                    trial[u] = min(0.0, trial[u] + x)
            if not (size < np.inf) or longest > 5.0:
                break
            if size <= 1e-9 + 1e-14 * here:  # rounding of values counts for more the higher the precision
                good = True
                break
            if rounds > 3 and size > 0.5 * last:
                break
            last = size
        stale = not good
        if not good:
            reach *= 0.5
            if reach < 1e-7:
                return lam, LOST, taken
            continue
        if rounds <= 4:
            reach = min(reach * 1.4, bold)
        elif rounds >= 6:
            reach *= 0.6
        for u in range(unknowns):
            before[u] = tangent[u]
        before_z = forward
        z[:] = trial
        lam = here
        known = False
        if arrives:
            return lam, ARRIVED, taken + 1
    return lam, LOST, most
