r"""How many of a player's types do what, given the others' shares: the kernels of :mod:`sim.solve.cutoffs`.

A type chooses by backward induction. Along one shock, the line is followed from kink to kink, where some node's best action changes, and each piece is
weighed in closed form. Where two shocks matter, such lines are weighed along the second by Gauss–Legendre quadrature on panels that end at every kink,
and where the closed form rises steeply. Normal shocks are turned first, so that only as many are left as there are directions in which plans differ.

The kernels take a tree (``node_player``, ``edge_start``, ``edge_dst``, ``edge_source``, ``own_edge``) and a player: his index, the shares of all edges,
a bonus on each edge, his payoffs (n,) and loadings (n, d) in standard shocks, their kinds (d,), and his plans from each of his nodes on (k, n).
"""

# A kernel's types are its explicit signature.
# pyright: reportMissingParameterType=false, reportUnknownParameterType=false, reportCallIssue=false

from __future__ import annotations

import math

import numba as nb
import numpy as np

from sim.numerics.signatures import FLAG, INT, REAL, read, write

__all__ = ["KEEN", "find_axes", "follow_line", "share_types", "sweep_trials", "weigh_types"]

KEEN = 1e-9
"""Fewer than this share of those that could come is nobody: the least reluctant stand for them."""
FINE = 1e-12  # types whose reluctance differs by less, in units of the largest payoff, are equally reluctant
WIDTH = 3.0  # of a panel, in standard shocks or in rises of the inner distribution
MILD = 1.2  # lines of ties no steeper rise no more in a panel than 16 points bear
MOST_KINKS = 4096
_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(16)
_INNER = (38.0, 1.0, 700.0)  # where the standard distributions end, along y and along x
_OUTER = (9.0, 1.0, 45.0)

_TREE = (read(INT, 1), read(INT, 1), read(INT, 1), read(INT, 1), read(INT, 1))
_PLAYER = (
    nb.intp,
    read(REAL, 1),
    read(REAL, 1),
    read(REAL, 1),
    read(REAL, 2),
    read(INT, 1),
    read(INT, 1),
    read(INT, 2),
)


@nb.njit(nb.float64(nb.intp, nb.float64, nb.float64), nogil=True, cache=True)
def _between(kind, low, high):
    """Return the share of standard shocks between two numbers, with small relative error in both tails."""
    if kind == 1:
        return (high - low) / 2.0
    if low > 0.0:
        low, high = -high, -low
    if kind == 0:
        return (math.erfc(-high * math.sqrt(0.5)) - math.erfc(-low * math.sqrt(0.5))) / 2.0
    return 1.0 / (1.0 + math.exp(-high)) - 1.0 / (1.0 + math.exp(-low))


@nb.njit(nb.float64(nb.intp, nb.float64), nogil=True, cache=True)
def _primitive(kind, t):
    """Return the integral of s times the density up to ``t``, up to a constant."""
    if kind == 1:
        return t * t / 4.0
    if kind == 0:
        return -math.exp(-t * t / 2.0) / math.sqrt(2.0 * math.pi)
    return -abs(t) / (1.0 + math.exp(abs(t))) - math.log1p(math.exp(-abs(t)))


@nb.njit(
    nb.float64(
        *_TREE, nb.intp, read(REAL, 1), read(REAL, 1), read(REAL, 1), read(REAL, 1), nb.float64, nb.intp, nb.float64, nb.boolean,
        write(REAL, 1), write(REAL, 1), write(INT, 1), write(REAL, 1), write(INT, 2), write(REAL, 1),
    ),
    nogil=True,
    cache=True,
)  # fmt: skip
def follow_line(
    node_player, edge_start, edge_dst, edge_source, own_edge, me, share, bonus, end, slope, bound, kind, weight, keep,
    constant, rise, choice, cuts, taken, mass,
):  # fmt: skip
    """Follow a line from kink to kink; add to ``mass`` (e,) what comes to each own edge, and return the expected value.

    ``cuts`` gets the kinks, closed by the bound and NaN; ``taken`` (k, n), where asked, the choices on each piece.
    """
    nodes = len(node_player)
    y, total = -bound, 0.0
    count = 0
    while True:
        until = bound
        for node in range(nodes - 1, -1, -1):
            first, last = edge_start[node], edge_start[node + 1]
            if first == last:
                constant[node], rise[node] = end[node], slope[node]
            elif node_player[node] != me:
                constant[node] = 0.0
                rise[node] = 0.0
                for e in range(first, last):
                    constant[node] += share[e] * constant[edge_dst[e]]
                    rise[node] += share[e] * rise[edge_dst[e]]
            else:
                best = first
                for turn in range(2):  # first who is best just above y, then where another overtakes
                    for e in range(first, last):
                        if e == best:
                            continue
                        steeper = rise[edge_dst[e]] - rise[edge_dst[best]]
                        ahead = constant[edge_dst[best]] + bonus[best] - constant[edge_dst[e]] - bonus[e]
                        if abs(steeper) <= 1e-14 * (abs(rise[edge_dst[e]]) + abs(rise[edge_dst[best]])):
                            tiny = 1e-15 * (abs(constant[edge_dst[e]]) + abs(constant[edge_dst[best]]))
                            if turn == 0 and ahead < -tiny:
                                best = e
                        elif turn == 0:
                            if (steeper > 0.0) == (ahead / steeper <= y):
                                best = e
                        elif steeper > 0.0 and y < ahead / steeper < until:
                            until = ahead / steeper
                choice[node] = best
                constant[node] = constant[edge_dst[best]] + bonus[best]
                rise[node] = rise[edge_dst[best]]
        part = weight * _between(kind, y, until)
        total += part * constant[0] + weight * rise[0] * (_primitive(kind, until) - _primitive(kind, y))
        for node in range(nodes):
            if node_player[node] == me:
                before = own_edge[node]
                if before >= 0 and choice[edge_source[before]] != before:
                    choice[node] = -1
                else:
                    mass[choice[node]] += part
                if keep:
                    taken[count, node] = choice[node]
        cuts[count] = until
        count += 1
        if until >= bound or count == len(cuts) - 1:
            break
        y = until
    cuts[count] = math.nan
    return total


@nb.njit(
    nb.intp(*_TREE, *_PLAYER, write(REAL, 3), write(REAL, 2), write(INT, 1)),
    nogil=True,
    cache=True,
)  # fmt: skip
def find_axes(
    node_player, edge_start, edge_dst, edge_source, own_edge, me, share, bonus, base, load, kinds, plan_node, plan_choice,
    worth, axis, axis_kind,
):  # fmt: skip
    """Find the directions of shocks that matter: fill ``axis`` (2, d) and ``axis_kind`` (2,), and return how many; more than two are refused.

    ``worth`` (k, n, 1 + d) gets the worth of every plan from its node on.
    """
    nodes, shocks = load.shape
    plans = len(plan_node)
    size = 0.0
    for k in range(plans):
        for node in range(nodes - 1, plan_node[k] - 1, -1):
            first, last = edge_start[node], edge_start[node + 1]
            for d in range(1 + shocks):
                if first == last:
                    worth[k, node, d] = base[node] if d == 0 else load[node, d - 1]
                    if d > 0:
                        size = max(size, abs(worth[k, node, d]))
                elif node_player[node] == me:
                    e = plan_choice[k, node]
                    worth[k, node, d] = 0.0 if e < 0 else worth[k, edge_dst[e], d] + (bonus[e] if d == 0 else 0.0)
                else:
                    worth[k, node, d] = 0.0
                    for e in range(first, last):
                        worth[k, node, d] += share[e] * worth[k, edge_dst[e], d]
    apart = np.zeros((plans, shocks))
    leader = 0
    for k in range(plans):
        if plan_node[k] != plan_node[leader]:
            leader = k
        for d in range(shocks):
            apart[k, d] = worth[k, plan_node[k], 1 + d] - worth[leader, plan_node[k], 1 + d]
    found = 0
    for d in range(shocks):
        if plans > 0 and kinds[d] != 0 and np.abs(apart[:, d]).max() > 1e-13 * size:
            if found < 2:
                axis[found, :] = 0.0
                axis[found, d] = 1.0
                axis_kind[found] = kinds[d]
            found += 1
    for d in range(shocks):
        if kinds[d] != 0:
            apart[:, d] = 0.0
    while shocks > 0:  # Gram–Schmidt on what is left, the longest first
        longest, best = 0.0, -1
        for k in range(plans):
            length = math.sqrt((apart[k] ** 2).sum())
            if length > longest:
                longest, best = length, k
        if longest <= 1e-13 * size or best < 0:
            break
        if found >= 2:
            return found + 1
        one = apart[best] / longest
        axis[found, :] = one
        axis_kind[found] = 0
        found += 1
        for k in range(plans):
            apart[k] -= (apart[k] * one).sum() * one
    return found


@nb.njit(nb.boolean(read(REAL, 2), read(INT, 1), nb.intp, nb.float64, nb.float64, nb.float64), nogil=True, cache=True)
def _is_best(worth, plan_node, plan, y, x, slack):
    """Tell whether no plan of the same node is better at a point."""
    here = worth[plan, 0] + worth[plan, 1] * y + worth[plan, 2] * x + slack * (1.0 + abs(x) + abs(y))
    best = True
    for k in range(len(plan_node)):
        if plan_node[k] == plan_node[plan] and worth[k, 0] + worth[k, 1] * y + worth[k, 2] * x > here:
            best = False
    return best


@nb.njit(nb.intp(read(REAL, 2), read(INT, 1), nb.intp, nb.intp, write(REAL, 1)), nogil=True, cache=True)
def _panels(worth, plan_node, inner_kind, outer_kind, out):
    """Part x where the pieces along y change their order, where a line of ties rises through y, and where the density falls.

    ``worth`` (k, 3) has constant, y and x of every plan; returns how many ends of panels ``out`` has, the bounds among them.
    """
    plans, inner, outer = len(plan_node), _INNER[inner_kind], _OUTER[outer_kind]
    line, owner = np.zeros((plans * plans, 3)), np.zeros(plans * plans, dtype=np.intp)
    count = 0
    slack = 1e-9 * np.abs(worth).max()
    for k in range(plans):
        for m in range(k):
            if plan_node[k] == plan_node[m] and (worth[k, 1] != worth[m, 1] or worth[k, 2] != worth[m, 2]):
                line[count] = worth[k] - worth[m]
                owner[count] = k
                count += 1
    parts = 1 if outer_kind == 1 else math.ceil(2.0 * outer / WIDTH)
    for k in range(parts + 1):
        out[k] = outer * (2.0 * k / parts - 1.0)
    found = parts + 1
    first, step, levels = ((-7.5, 3.0, 6), (-1.0, 2.0, 2), (-36.0, 3.0, 25))[inner_kind]
    for i in range(count):
        rise, lean = line[i, 1], line[i, 2]
        if abs(rise) <= 1e-14 * abs(lean):
            x = -line[i, 0] / lean
            if abs(x) < outer and found < len(out):
                out[found] = x
                found += 1
            continue
        if inner_kind == 1 or abs(lean) > MILD * abs(rise):
            for k in range(levels):
                y = first + step * k
                x = -(line[i, 0] + rise * y) / lean if lean != 0.0 else math.inf
                if abs(x) < outer and found < len(out) and _is_best(worth, plan_node, owner[i], y, x, slack):
                    out[found] = x
                    found += 1
        for j in range(i):
            det = lean * line[j, 1] - line[j, 2] * rise
            flat = abs(det) <= 1e-14 * (abs(lean * line[j, 1]) + abs(line[j, 2] * rise))
            if flat or abs(line[j, 1]) <= 1e-14 * abs(line[j, 2]):
                continue  # those that never meet, and those that are an end of panels all along
            x = (line[j, 0] * rise - line[i, 0] * line[j, 1]) / det
            y = -(line[i, 0] + lean * x) / rise
            inside = abs(x) < outer and abs(y) <= inner * (1.0 + 1e-9) and found < len(out)
            if (
                inside
                and _is_best(worth, plan_node, owner[i], y, x, slack)
                and _is_best(worth, plan_node, owner[j], y, x, slack)
            ):
                out[found] = x
                found += 1
    out[:found].sort()
    return found


@nb.njit(nb.float64(*_TREE, *_PLAYER, write(REAL, 1)), nogil=True, cache=True)
def weigh_types(
    node_player, edge_start, edge_dst, edge_source, own_edge, me, share, bonus, base, load, kinds, plan_node, plan_choice, mass,
):  # fmt: skip
    """Weigh the types of player ``me`` who come to and take each of his edges, (e,); return his expected value, NaN if too many shocks matter."""
    nodes, shocks = load.shape
    axis, axis_kind = np.zeros((2, shocks)), np.ones(2, dtype=np.int32)
    worth = np.zeros((len(plan_node), nodes, 1 + shocks))
    axes = find_axes(
        node_player, edge_start, edge_dst, edge_source, own_edge, me, share, bonus, base, load, kinds, plan_node, plan_choice, worth, axis, axis_kind
    )  # fmt: skip
    mass[:] = 0.0
    if axes > 2:
        return math.nan
    slope, lean, end = np.zeros(nodes), np.zeros(nodes), base.copy()
    for node in range(nodes):
        for d in range(shocks):
            slope[node] += load[node, d] * axis[0, d]
            lean[node] += load[node, d] * axis[1, d]
    constant, rise, choice = np.zeros(nodes), np.zeros(nodes), np.zeros(nodes, dtype=np.int32)
    cuts, none = np.zeros(256), np.zeros((0, 0), dtype=np.int32)
    inner = _INNER[axis_kind[0]]
    if axes < 2:
        return follow_line(
            node_player, edge_start, edge_dst, edge_source, own_edge, me, share, bonus, base, slope, inner, axis_kind[0], 1.0, False,
            constant, rise, choice, cuts, none, mass,
        )  # fmt: skip
    seen = np.zeros((len(plan_node), 3))
    for k in range(len(plan_node)):
        seen[k, 0] = worth[k, plan_node[k], 0]
        for d in range(shocks):
            seen[k, 1] += worth[k, plan_node[k], 1 + d] * axis[0, d]
            seen[k, 2] += worth[k, plan_node[k], 1 + d] * axis[1, d]
    panels = np.zeros(MOST_KINKS)
    total = 0.0
    for p in range(_panels(seen, plan_node, axis_kind[0], axis_kind[1], panels) - 1):
        if panels[p + 1] - panels[p] > 1e-14:
            half = (panels[p + 1] - panels[p]) / 2.0
            for g in range(len(_POINTS)):
                x = panels[p] + half * (1.0 + _POINTS[g])
                end[:] = base + lean * x
                if axis_kind[1] == 0:
                    weight = math.exp(-x * x / 2.0) / math.sqrt(2.0 * math.pi)
                else:
                    weight = 0.5 if axis_kind[1] == 1 else 0.25 / math.cosh(x / 2.0) ** 2
                total += follow_line(
                    node_player, edge_start, edge_dst, edge_source, own_edge, me, share, bonus, end, slope, inner, axis_kind[0],
                    weight * half * _WEIGHTS[g], False, constant, rise, choice, cuts, none, mass,
                )  # fmt: skip
    return total


@nb.njit(nb.float64(*_TREE, *_PLAYER, write(REAL, 1), write(REAL, 1), write(FLAG, 1)), nogil=True, cache=True)
def share_types(
    node_player, edge_start, edge_dst, edge_source, own_edge, me, share, bonus, base, load, kinds, plan_node, plan_choice, mass, out, unreached,
):  # fmt: skip
    """Fill ``out`` (e,) at the player's nodes with the shares of his best answer, ``mass`` as :func:`weigh_types`; return his value.

    To an edge that hardly any type takes, though he moves again below, types are drawn by a bonus, which holds below it too.
    """
    nodes, edges = len(node_player), len(share)
    value = weigh_types(
        node_player,
        edge_start,
        edge_dst,
        edge_source,
        own_edge,
        me,
        share,
        bonus,
        base,
        load,
        kinds,
        plan_node,
        plan_choice,
        mass,
    )
    if math.isnan(value):
        return value
    held = np.zeros((nodes, edges))  # the masses that count at each node, and the bonuses under which
    lure = np.zeros((nodes, edges))
    widest = np.abs(base).max() + np.abs(load).sum() + 1e-300
    for node in range(nodes):
        if node_player[node] != me:
            continue
        before = own_edge[node]
        if before < 0:
            held[node] = mass
        else:
            source = edge_source[before]
            held[node] = held[source]
            lure[node] = lure[source]
            coming = held[node, before]
            whole = held[source, edge_start[source] : edge_start[source + 1]].sum()
            unreached[node] = unreached[source] or coming < KEEN * whole
            if coming < KEEN * whole:
                low, high, growing = 0.0, 1e-6 * widest, True
                for turn in range(300):
                    if growing or turn == 299:
                        lure[node, before] = high
                    else:
                        lure[node, before] = 0.5 * (low + high)
                    weigh_types(
                        node_player, edge_start, edge_dst, edge_source, own_edge, me, share, lure[node], base, load, kinds, plan_node, plan_choice, held[node],
                    )  # fmt: skip
                    coming = held[node, before]
                    if coming >= KEEN * whole and (coming <= 2.0 * KEEN * whole or high - low <= FINE * widest):
                        break
                    if coming < KEEN * whole:
                        low = lure[node, before]
                        high = 4.0 * low if growing else high
                    else:
                        growing = False
                        high = lure[node, before]
                    if not growing and high - low <= FINE * widest:  # a crowd comes at once: all of it
                        low = high
        first, last = edge_start[node], edge_start[node + 1]
        whole = held[node, first:last].sum()
        for e in range(first, last):
            out[e] = held[node, e] / whole if whole > 0.0 else 1.0 / (last - first)
    return value


@nb.njit(
    nb.void(
        *_TREE, read(REAL, 1), read(REAL, 2), read(REAL, 3), read(INT, 2), read(INT, 1), read(INT, 1), read(INT, 2),
        read(REAL, 2), read(INT, 1), read(INT, 1), read(FLAG, 2), read(FLAG, 1), write(REAL, 2), write(REAL, 2),
    ),
    nogil=True,
    cache=True,
)  # fmt: skip
def sweep_trials(
    node_player, edge_start, edge_dst, edge_source, own_edge, bonus, base, load, kinds, plan_start, plan_node, plan_choice,
    trials, free, step_player, step_node, unknown, share, out,
):  # fmt: skip
    """For each trial (m, u) of the unknown shares fill ``share`` (m, e) with those that follow, and ``out`` (m, u) with the answer to them."""
    nodes, edges = len(node_player), len(bonus)
    mass, reply, after = np.zeros(edges), np.zeros(edges), np.zeros(edges)
    unreached = np.zeros(nodes, dtype=np.bool_)
    for r in range(len(trials)):
        for u in range(len(free)):
            share[r, free[u]] = trials[r, u]
        for node in range(nodes):
            if unknown[node]:
                last = edge_start[node + 1] - 1
                share[r, last] = max(0.0, 1.0 - share[r, edge_start[node] : last].sum())
        for s in range(len(step_player)):
            me = step_player[s]
            first, last = plan_start[me], plan_start[me + 1]
            share_types(
                node_player, edge_start, edge_dst, edge_source, own_edge, me, share[r], bonus, base[me], load[me], kinds[me],
                plan_node[first:last], plan_choice[first:last], mass, reply, unreached,
            )  # fmt: skip
            for node in range(nodes):
                if step_node[s, node]:
                    for e in range(edge_start[node], edge_start[node + 1]):
                        if unknown[node]:
                            after[e] = reply[e]
                        else:
                            share[r, e] = reply[e]
        for u in range(len(free)):
            out[r, u] = after[free[u]]
