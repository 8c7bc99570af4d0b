r"""Cut-off equilibria of games with continuous private shocks.

Given the others' shares, a player's types choose by backward induction, and how many choose what is integrated exactly (:mod:`sim.solve.cutoff_replies`).

The shares :math:`p` of an equilibrium are a fixed point of all players' answers. Who must be known before whom is a graph of nodes: its strongly connected
parts are solved one after another, each reduced to the fewest shares from which the others of the part follow. One unknown share is scanned from 0 to 1
and every crossing bracketed; where the answer jumps across the crossing, the types that are indifferent there divide themselves so that it is met.
Several unknown shares are searched from many starts, and the answers are those found.

To a node to which fewer than :data:`~sim.solve.cutoff_replies.KEEN` of the types come that could, belief assigns the types that are the least reluctant:
a bonus on coming is raised until as many come. So answers are continuous but where types are all equally reluctant, and there beliefs may mix.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.errors import NoAnswerError, OptionError
from sim.game.cutoff_referee import measure_cutoffs
from sim.game.cutoffs import SHOCKS, Cutoff, CutoffEquilibrium, own_plans
from sim.game.graph import CHANCE
from sim.kinds import frozen
from sim.solve.cutoff_replies import KEEN, find_axes, follow_line, share_types, sweep_trials, weigh_types

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.game.cutoffs import CutoffGame
    from sim.kinds import Bools, Floats, Ints

__all__ = ["CutoffSearch", "search_cutoffs", "solve_cutoffs"]

SAME = 1e-7
"""Equilibria whose shares differ by less are one."""
JUMP = 1e-11
SETTLED = 1e-10
DIP = 0.25
ZERO = 1e-14
_weigh: Any = weigh_types  # the checker cannot count arguments that are unpacked
_share: Any = share_types
_axes: Any = find_axes


@dataclass(frozen=True, slots=True, kw_only=True)
class CutoffSearch:
    """What a search found.

    Attributes
    ----------
    equilibria : tuple of CutoffEquilibrium
        Those that the referee certified, by falling probability of the first action of the first mover and on.
    unknowns : int
        The most shares that had to be found at once.
    dropped : int
        How many candidates the referee refused.
    resolution : float
        With one unknown at a time: the widest gap between the points scanned, so that two crossings nearer than that may be missed together;
        with more, NaN.
    complete : bool
        Whether all equilibria further apart than ``resolution`` were found, given the rule for unreached nodes: true with one unknown at a
        time, indices that sum to 1, and nobody indifferent but those whose division the answer determines.

    Examples
    --------
    See :func:`search_cutoffs`.
    """

    equilibria: tuple[CutoffEquilibrium, ...]
    unknowns: int
    dropped: int
    resolution: float
    complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """Nodes that must be known together: the shares to guess, and who answers at which nodes, the guessed ones last."""

    nodes: tuple[int, ...]
    unknown: Bools
    free: Ints
    step_player: Ints
    step_node: Bools


class _Machine:
    """A game as the kernels take it."""

    def __init__(self, game: CutoffGame) -> None:
        self.game = game
        nodes, players = len(game.node_player), len(game.players)
        shocks = game.loading.shape[2]
        self.tree = (game.node_player, game.edge_start, game.edge_dst, game.edge_source(), game.own_edge())
        centre, spread, kinds = (
            np.zeros((players, shocks)),
            np.ones((players, shocks)),
            np.zeros((players, shocks), dtype=np.int32),
        )
        for i, own in enumerate(game.shocks):
            for d, shock in enumerate(own):
                centre[i, d], spread[i, d], kinds[i, d] = shock.centre, shock.spread, SHOCKS.index(shock.kind)
        self.centre, self.spread, self.kinds = centre, spread, kinds
        self.base = np.ascontiguousarray((game.payoff + np.einsum("nid,id->ni", game.loading, centre)).T)
        self.load = np.ascontiguousarray(np.moveaxis(game.loading * spread, 1, 0))
        plans = [
            [(node, plan) for node in np.flatnonzero(game.node_player == i).tolist() for plan in own_plans(game, i, node)] for i in range(players)
        ]  # fmt: skip
        self.plan_start = np.cumsum([0, *map(len, plans)]).astype(np.int32)
        flat = [each for own in plans for each in own]
        self.plan_node = np.array([node for node, _ in flat], dtype=np.int32)
        self.plan_choice = np.full((len(flat), nodes), -1, dtype=np.int32)
        for k, (_, plan) in enumerate(flat):
            self.plan_choice[k, list(plan)] = list(plan.values())
        self.bonus = np.zeros(len(game.edge_dst))
        found = list(_parts(game))
        self.parts = tuple(_part(game, each, needs) for each, needs in found)
        self.needs = found[0][1] if found else {}

    def player(self, i: int, share: Floats) -> tuple[Any, ...]:
        """Return what the kernels take for one player."""
        mine = slice(int(self.plan_start[i]), int(self.plan_start[i + 1]))
        numbers = (self.bonus, self.base[i], self.load[i], self.kinds[i])
        return (i, share, *numbers, self.plan_node[mine], self.plan_choice[mine])

    def start(self) -> Floats:
        """Return shares before anything is known: even at decision nodes."""
        game = self.game
        counts = np.diff(game.edge_start)
        even = np.repeat(1.0 / np.maximum(counts, 1), counts)
        return np.where(game.node_player[game.edge_source()] == CHANCE, game.edge_prob, even)

    def weigh(self, i: int, share: Floats) -> tuple[Floats, float]:
        """Return the masses of a player's types by edge, (e,), and his expected value."""
        mass = np.zeros(len(share))
        return mass, float(_weigh(*self.tree, *self.player(i, share), mass))

    def answer(self, i: int, share: Floats) -> tuple[Floats, Bools]:
        """Return the shares of a player's best answer, (e,), and which of his nodes are unreached, (n,)."""
        mass, out, unreached = np.zeros(len(share)), share.copy(), np.zeros(len(self.game.node_player), dtype=np.bool_)
        if math.isnan(_share(*self.tree, *self.player(i, share), mass, out, unreached)):
            who = f"more than two shocks of {self.game.players[i]} matter to what he does"
            message = (
                f"{who}; cut-offs are computed for one or two: drop a shock, or let normal shocks enter as one sum"
            )
            raise OptionError(message)
        return out, unreached

    def sweep(self, part: _Part, trials: Floats, share: Floats) -> tuple[Floats, Floats]:
        """Return the shares that follow from each trial, (m, e), and the answers to them, (m, u)."""
        shares, out = np.tile(share, (len(trials), 1)), np.zeros(trials.shape)
        sweep_trials(
            *self.tree, self.bonus, self.base, self.load, self.kinds, self.plan_start, self.plan_node, self.plan_choice,
            np.ascontiguousarray(trials), part.free, part.step_player, part.step_node, part.unknown, shares, out,
        )  # fmt: skip
        return shares, out


def _parts(game: CutoffGame) -> Iterator[tuple[tuple[int, ...], dict[int, set[int]]]]:
    """Yield the sets of nodes that must be known together, what they need first, with what each of their nodes needs."""
    own_edge, sources, movers = game.own_edge(), game.edge_source(), game.node_player.tolist()
    below: list[set[int]] = [{node} for node in range(len(movers))]
    for node in range(len(movers) - 1, -1, -1):
        for edge in game.edges_of(node):
            below[node] |= below[int(game.edge_dst[edge])]
    choosers = {node for node, mover in enumerate(movers) if mover >= 0 and len(game.edges_of(node)) > 1}
    needs: dict[int, set[int]] = {}
    for node in choosers:
        top = node
        while (
            own_edge[top] >= 0 and game.loading[:, movers[node]].any()
        ):  # who comes here depends on all that he reckoned with before
            top = int(sources[own_edge[top]])
        needs[node] = {other for other in below[top] & choosers if movers[other] != movers[node]}
    left = set(choosers)
    reached: dict[int, set[int]] = {}
    for node in choosers:
        seen, waiting = set[int](), [node]
        while waiting:
            new = needs[waiting.pop()] - seen
            seen |= new
            waiting.extend(new)
        reached[node] = seen
    while left:
        for node in sorted(left):
            part = {node} | {other for other in reached[node] if node in reached[other]}
            if not (reached[node] - part) & left:
                left -= part
                yield tuple(sorted(part)), needs
                break


def _part(game: CutoffGame, nodes: tuple[int, ...], needs: dict[int, set[int]]) -> _Part:
    """Choose the fewest shares to guess in a part, and the order in which the others follow."""
    movers = game.node_player.tolist()
    size = {node: len(game.edges_of(node)) - 1 for node in nodes}
    inside = {node: needs[node] & set(nodes) for node in nodes}

    def order(guessed: tuple[int, ...]) -> list[tuple[int, ...]] | None:
        known, out = set(guessed), list[tuple[int, ...]]()
        while len(known) < len(nodes):
            ready = [node for node in nodes if node not in known and inside[node] <= known]
            if not ready:
                return None
            mine = [
                [node for node in ready if movers[node] == mover] for mover in sorted({movers[node] for node in ready})
            ]
            out.append(tuple(max(mine, key=len)))
            known |= set(out[-1])
        return out

    if len(nodes) <= 12:  # noqa: PLR2004 - all subsets, the smallest first
        choices = sorted(
            (each for k in range(len(nodes) + 1) for each in combinations(nodes, k)),
            key=lambda each: sum(size[node] for node in each),
        )
    else:  # all but those of one player
        who = sorted({movers[node] for node in nodes})
        choices = sorted(
            (tuple(node for node in nodes if movers[node] != mover) for mover in who),
            key=lambda each: sum(size[node] for node in each),
        )
    guessed, steps = next((each, found) for each in choices if (found := order(each)) is not None)
    finals = [
        tuple(node for node in guessed if movers[node] == mover) for mover in sorted({movers[node] for node in guessed})
    ]
    marks = np.zeros((len(steps) + len(finals), len(movers)), dtype=np.bool_)
    unknown = np.zeros(len(movers), dtype=np.bool_)
    unknown[list(guessed)] = True
    for row, step in enumerate([*steps, *finals]):
        marks[row, list(step)] = True
    return _Part(
        nodes=nodes,
        unknown=unknown,
        free=np.array([edge for node in guessed for edge in list(game.edges_of(node))[:-1]], dtype=np.int32),
        step_player=np.array([movers[step[0]] for step in [*steps, *finals]], dtype=np.int32),
        step_node=marks,
    )


@dataclass(frozen=True, slots=True)
class _State:
    """A solution of the parts so far, and the nodes at which it says what is done."""

    share: Floats
    known: frozenset[int] = frozenset()
    index: int = 1
    mixed: bool = False


def _solve_part(machine: _Machine, part: _Part, state: _State, points: int, starts: int, seed: int) -> list[_State]:
    """Solve one part, given the parts before."""
    if state.known.issuperset(part.nodes):
        return [state]
    known = replace(state, known=state.known | set(part.nodes))
    if len(part.free) == 0:
        shares, _ = machine.sweep(part, np.zeros((1, 0)), state.share)
        return [replace(known, share=shares[0])]
    if len(part.free) == 1:
        return _scan(machine, part, known, points)
    return _hunt(machine, part, known, starts, seed)


def _crossing(function: Any, low: float, high: float) -> float:
    """Return where a function crosses 0, as finely as numbers allow."""
    from scipy import optimize

    find: Any = optimize.brentq
    return float(find(function, low, high, xtol=1e-15, rtol=1e-15, maxiter=200))


def _grid(points: int) -> Floats:
    """Return where one unknown share is tried: evenly, and ever closer to 0 and 1."""
    tail = np.geomspace(1e-9, 1.0 / points, 12)[:-1]
    return np.concatenate([[0.0], tail, np.linspace(0.0, 1.0, points + 1)[1:-1], 1.0 - tail[::-1], [1.0]])


def _scan(machine: _Machine, part: _Part, state: _State, points: int) -> list[_State]:
    """Find every crossing of one unknown share with the answer to it."""

    def excess(x: float) -> float:
        return float(machine.sweep(part, np.array([[x]]), state.share)[1][0, 0]) - x

    xs = _grid(points)
    gaps = machine.sweep(part, xs[:, None], state.share)[1][:, 0] - xs
    zero = np.abs(gaps) <= ZERO
    signs = np.where(zero, 0.0, np.sign(gaps))
    brackets: list[tuple[float, float, float]] = []
    found: list[_State] = []

    def settle(low: float, high: float, direction: float) -> None:
        x = _crossing(excess, low, high)
        shares, _ = machine.sweep(part, np.array([[x]]), state.share)
        if abs(excess(x)) <= SETTLED:
            found.append(replace(state, share=shares[0], index=state.index * int(direction)))
            return
        while (middle := (low + high) / 2.0) not in (low, high):
            low, high = (middle, high) if np.sign(excess(middle)) == direction else (low, middle)
        mixture = _mix(machine, part, state, low, high)
        if mixture is not None:
            found.append(replace(mixture, index=state.index * int(direction)))

    for k in np.flatnonzero(zero).tolist():
        if 0 < k < len(xs) - 1 and zero[k - 1] and zero[k + 1]:
            continue  # inside a stretch where every share is its own answer: its ends stand for it
        before, after = signs[k - 1] if k else 1.0, signs[k + 1] if k + 1 < len(xs) else -1.0
        shares, _ = machine.sweep(part, xs[k : k + 1, None], state.share)
        found.append(replace(state, share=shares[0], index=state.index * int(before - after) // 2))
    brackets += [(xs[k], xs[k + 1], signs[k]) for k in range(len(xs) - 1) if signs[k] * signs[k + 1] < 0.0]
    size = np.abs(gaps)
    for k in range(1, len(xs) - 1):
        alike = signs[k - 1] == signs[k] == signs[k + 1] != 0.0
        if alike and size[k] <= min(size[k - 1], size[k + 1]) and size[k] < DIP:  # a pair may hide in it
            low, high = xs[k - 1], xs[k + 1]
            turn = _dip(excess, low, high, signs[k])
            if turn is not None:
                brackets += [(low, turn, signs[k]), (turn, high, -signs[k])]
    for low, high, direction in brackets:
        settle(float(low), float(high), float(direction))
    return found


def _dip(excess: Any, low: float, high: float, sign: float) -> float | None:
    """Look by golden sections for a place at which the excess has the other sign; None if there is none."""
    ratio = (math.sqrt(5.0) - 1.0) / 2.0
    inner = [high - ratio * (high - low), low + ratio * (high - low)]
    value = [sign * excess(x) for x in inner]
    while high - low > 1e-9:  # noqa: PLR2004
        for x, at in zip(inner, value, strict=True):
            if at < 0.0:
                return x
        if min(value) > 2.0 * (high - low) and abs(value[0] - value[1]) < 0.1 * min(value):
            return None  # so flat and so far away that it would have to fall steeply
        if value[0] < value[1]:
            high, inner[1], value[1] = inner[1], inner[0], value[0]
            inner[0] = high - ratio * (high - low)
            value[0] = sign * excess(inner[0])
        else:
            low, inner[0], value[0] = inner[0], inner[1], value[1]
            inner[1] = low + ratio * (high - low)
            value[1] = sign * excess(inner[1])
    return None


def _mix(machine: _Machine, part: _Part, state: _State, low: float, high: float) -> _State | None:
    """Let the types that are indifferent where an answer jumps divide themselves so that the answer is met; None if that does not do it.

    Two tracks are followed, just below and just above the jump. The first player whose types go over in numbers mixes the masses of both tracks.
    """
    game, edge = machine.game, int(part.free[0])
    node = int(game.edge_source()[edge])
    other = next(each for each in game.edges_of(node) if each != edge)

    def divide(weight: float) -> tuple[_State, float]:
        tracks = np.stack([state.share, state.share])
        tracks[:, edge] = low, high
        tracks[:, other] = 1.0 - tracks[:, edge]
        known, jumper, after = state.known, -1, 0.0

        def mixed(player: int) -> Floats:
            """Return the shares (2, e) that both tracks take over."""
            weights = [machine.weigh(player, track)[0] for track in tracks]
            replies = np.stack([machine.answer(player, track)[0] for track in tracks])
            nonlocal jumper
            places = np.flatnonzero(game.node_player == player).tolist()
            chosen = [edge for place in places for edge in game.edges_of(place)]
            if (
                jumper < 0
                and max(np.abs(weights[0] - weights[1]).max(), np.abs(replies[0] - replies[1])[chosen].max()) > JUMP
            ):
                jumper = player
            if player == jumper:
                mass = (1.0 - weight) * weights[0] + weight * weights[1]
                for place in places:
                    own = list(game.edges_of(place))
                    whole = mass[own].sum()  # where nobody comes, beliefs mix
                    replies[:, own] = (
                        mass[own] / whole
                        if whole > KEEN
                        else (1.0 - weight) * replies[0, own] + weight * replies[1, own]
                    )
            return replies

        for player, marks in zip(part.step_player.tolist(), part.step_node, strict=True):
            replies = mixed(player)
            for place in np.flatnonzero(marks).tolist():
                own = list(game.edges_of(place))
                if place == node:
                    after = float(replies[:, edge].mean())
                else:
                    tracks[:, own] = replies[:, own]
        if jumper >= 0:  # what its types do elsewhere must fit the mixture
            replies = mixed(jumper)
            ready = [
                place
                for place, needs in machine.needs.items()
                if game.node_player[place] == jumper and needs <= known and place != node
            ]
            for place in ready:
                own = list(game.edges_of(place))
                tracks[:, own] = replies[:, own]
            known |= set(ready)
        return replace(state, share=tracks.mean(axis=0), known=known, mixed=True), after - (low + high) / 2.0

    ends = [divide(weight)[1] for weight in (0.0, 1.0)]
    if ends[0] * ends[1] > 0.0:
        return None
    return divide(_crossing(lambda weight: divide(weight)[1], 0.0, 1.0))[0]


def _hunt(machine: _Machine, part: _Part, state: _State, starts: int, seed: int) -> list[_State]:
    """Search for several unknown shares at once by Powell's hybrid method from many starts."""
    from scipy.optimize import root

    game, width = machine.game, len(part.free)
    source = game.edge_source()[part.free]
    groups = [np.flatnonzero(source == node) for node in dict.fromkeys(source.tolist())]

    def inside(x: Floats) -> Floats:
        out = np.clip(x, 0.0, 1.0)
        for group in groups:
            whole = out[group].sum()
            out[group] /= max(whole, 1.0)
        return out

    def excess(x: Floats) -> Floats:
        return machine.sweep(part, inside(x)[None], state.share)[1][0] - x

    rng = np.random.default_rng(seed)
    order = np.stack([rng.permutation(starts) for _ in range(width)], axis=1)
    seeds = (order + rng.random((starts, width))) / starts  # one in each of as many layers
    corners = np.array([[float(k >> bit & 1) for bit in range(width)] for k in range(2 ** min(width, 5))])[:, :width]
    found: list[_State] = []
    kept: list[Floats] = []
    for first in [*corners, *seeds]:
        trial = inside(first)
        for _ in range(3):  # a few answers in turn bring it near a stable one
            trial = inside(trial + 0.5 * excess(trial))
        for begin in (inside(first), trial):
            x = np.asarray(root(excess, begin, method="hybr", options={"xtol": 1e-13}).x)
            if np.abs(excess(x)).max() > 1e-9 or any(np.abs(x - old).max() < SAME for old in kept):  # noqa: PLR2004
                continue
            kept.append(x)
            slope = np.stack([(excess(x + step) - excess(x - step)) / 2e-6 for step in 1e-6 * np.eye(width)], axis=1)
            shares, _ = machine.sweep(part, inside(x)[None], state.share)
            found.append(replace(state, share=shares[0], index=state.index * int(np.sign(np.linalg.det(-slope)))))
    return found


def _lines(machine: _Machine, share: Floats) -> Iterator[Cutoff]:
    """Yield which types do what, for the players for whom one direction of shocks matters."""
    game = machine.game
    nodes, shocks, keep = len(game.node_player), game.loading.shape[2], True
    for i in range(len(game.players)):
        player = machine.player(i, share)
        axis, kind = np.zeros((2, shocks)), np.zeros(2, dtype=np.int32)
        worth = np.zeros((len(player[6]), nodes, 1 + shocks))
        if _axes(*machine.tree, *player, worth, axis, kind) != 1:
            continue
        cuts, taken, bound = np.zeros(256), np.zeros((256, nodes), dtype=np.int32), (38.0, 1.0, 700.0)[kind[0]]
        follow_line(
            *machine.tree, i, share, machine.bonus, machine.base[i], np.ascontiguousarray(machine.load[i] @ axis[0]), bound, int(kind[0]), 1.0, keep,
            np.zeros(nodes), np.zeros(nodes), np.zeros(nodes, dtype=np.int32), cuts, taken, np.zeros(len(share)),
        )  # fmt: skip
        pieces = int(np.flatnonzero(np.isnan(cuts))[0])
        away = axis[0] / machine.spread[i]
        scale = away[np.abs(away).argmax()]
        ends = (np.array([-bound, *cuts[:pieces]]) + float(away @ machine.centre[i])) / scale
        if kind[0] != 1:
            ends[0], ends[-1] = -np.sign(scale) * np.inf, np.sign(scale) * np.inf
        direction = tuple((away / scale)[: len(game.shocks[i])].tolist())
        for node in np.flatnonzero(game.node_player == i).tolist():
            first = 0
            for k in range(1, pieces + 1):
                if k == pieces or taken[k, node] != taken[first, node]:
                    if taken[first, node] >= 0:
                        low, high = sorted((float(ends[first]), float(ends[k])))
                        edge = int(taken[first, node])
                        yield Cutoff(player=i, node=node, edge=edge, direction=direction, lower=low, upper=high)
                    first = k


def _finish(machine: _Machine, state: _State) -> CutoffEquilibrium:
    """Add payoffs and cut-offs to the shares, and let the referee measure."""
    game, share = machine.game, state.share
    unreached = np.zeros(len(game.node_player), dtype=np.bool_)
    for i in range(len(game.players)):
        unreached |= machine.answer(i, share)[1]
    equilibrium = CutoffEquilibrium(
        probability=frozen(share),
        reach=frozen(game.reach(share)),
        payoff=frozen(np.array([machine.weigh(i, share)[1] for i in range(len(game.players))])),
        cutoffs=tuple(_lines(machine, share)),
        unreached=tuple(np.flatnonzero(unreached).tolist()),
        mixed=state.mixed,
        index=state.index,
    )
    return replace(equilibrium, measures=measure_cutoffs(game, equilibrium))


def _arbitrary(one: CutoffEquilibrium) -> bool:
    """Tell whether indifferent types might as well do something else, so that one equilibrium stands for many."""
    return not one.mixed and one.measures is not None and one.measures.indifferent > SAME


def search_cutoffs(
    game: CutoffGame, *, points: int = 128, starts: int = 32, seed: int = 0, tolerance: float = 1e-6
) -> CutoffSearch:
    """Search for the cut-off equilibria of one game.

    Parameters
    ----------
    game
        The game.
    points
        How finely one unknown share is scanned.
    starts
        Starts of the search for several unknown shares, besides the corners.
    seed
        Seed of those starts.
    tolerance
        The referee's: the largest error of a share, a payoff or a choice off the path.

    Raises
    ------
    OptionError
        If more than two shocks of a player matter to what he does, or he has too many plans.

    Examples
    --------
    Lewis and Schultz's crisis game with three equilibria; the probability that B resists:

    >>> from sim.game.cutoffs import Shock, cutoff_game
    >>> fight = {"payoff": (-1.9, -2.8), "loading": {"A": (1.0, 0.0), "B": (1.0,)}}
    >>> settle = {"player": "A", "moves": {"fight": fight, "back down": {"payoff": (-1.2, 1.0), "loading": {"A": (0.0, 1.0)}}}}
    >>> answer = {"player": "B", "moves": {"resist": settle, "concede": {"payoff": (1.0, 0.0)}}}
    >>> tree = {"player": "A", "moves": {"challenge": answer, "status quo": {"payoff": (0.0, 1.0)}}}
    >>> found = search_cutoffs(cutoff_game(["A", "B"], {"A": [Shock(), Shock()], "B": [Shock()]}, tree))
    >>> [round(float(one.probability[2]), 6) for one in found.equilibria], [one.index for one in found.equilibria], found.complete
    ([0.296452, 0.472423, 0.874031], [1, -1, 1], True)
    """
    machine = _Machine(game)
    start = machine.start()
    weight = np.random.default_rng(seed).random(len(start))
    whole = np.bincount(game.edge_source(), weights=weight)
    odd = np.where(game.node_player[game.edge_source()] == CHANCE, start, weight / whole[game.edge_source()])
    for i in range(len(game.players)):
        machine.answer(i, odd)  # refuses too many shocks before anything is searched
    states = [_State(start)]
    for part in machine.parts:
        states = [after for state in states for after in _solve_part(machine, part, state, points, starts, seed)]
    apart: list[_State] = []
    for state in states:
        if not any(np.abs(state.share - other.share).max() < SAME for other in apart):
            apart.append(state)
    measured = [_finish(machine, state) for state in apart]
    kept = [one for one in measured if one.measures is not None and one.measures.worst <= tolerance]
    unknowns = max((len(part.free) for part in machine.parts), default=0)
    return CutoffSearch(
        equilibria=tuple(sorted(kept, key=lambda one: tuple(-one.probability))),
        unknowns=unknowns,
        dropped=len(measured) - len(kept),
        resolution=math.nan if unknowns > 1 else 1.0 / points if unknowns else 0.0,
        complete=unknowns <= 1 and sum(one.index for one in kept) == 1 and not any(map(_arbitrary, kept)),
    )


def solve_cutoffs(
    game: CutoffGame, *, points: int = 128, starts: int = 32, seed: int = 0, tolerance: float = 1e-6
) -> tuple[CutoffEquilibrium, ...]:
    """Return the certified cut-off equilibria that :func:`search_cutoffs` finds, at least one.

    Raises
    ------
    NoAnswerError
        If the referee certified none.
    OptionError
        As :func:`search_cutoffs`.

    Examples
    --------
    >>> from sim.game.cutoffs import Shock, cutoff_game
    >>> go = {"payoff": (0.25,), "loading": {"a": (1.0,)}}
    >>> game = cutoff_game(["a"], {"a": [Shock(kind="uniform")]}, {"player": "a", "moves": {"stay": {"payoff": (0.0,)}, "go": go}})
    >>> [one] = solve_cutoffs(game)
    >>> one.probability, [(cut.edge, cut.lower, cut.upper) for cut in one.cutoffs]
    (array([0.375, 0.625]), [(0, -1.0, -0.25), (1, -0.25, 1.0)])
    """
    found = search_cutoffs(game, points=points, starts=starts, seed=seed, tolerance=tolerance)
    if not found.equilibria:
        head = f"no cut-off equilibrium was certified to {tolerance:g}; the referee refused {found.dropped}"
        message = f"{head}: raise points or starts, or give every player who is indifferent a shock of his own"
        raise NoAnswerError(message)
    return found.equilibria
