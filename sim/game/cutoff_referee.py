r"""The referee of cut-off equilibria: measures, never solves.

It lists every plan, cuts the space of shocks along the lines where two plans of a node tie, takes the best plan of every piece by comparing all, and
integrates over the pieces by adaptive Gauss–Legendre quadrature. Types that are indifferent within :data:`~sim.game.cutoffs.TIE` may choose either: the
measured residual is how far the shares lie outside what best answers allow. Where fewer than :data:`~sim.game.cutoffs.REACHED` of a player's types come to
his node, any belief about them is consistent, and what is measured is how much the least reluctant type would lose by what is said to be done there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sim.errors import OptionError
from sim.game.cutoffs import REACHED, TIE, CutoffMeasures, own_plans
from sim.game.graph import CHANCE, TERMINAL
from sim.kinds import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sim.game.cutoffs import CutoffEquilibrium, CutoffGame
    from sim.kinds import Floats

__all__ = ["expected_shocks", "measure_cutoffs"]

MOST_ROUNDS = 40
EXACT = 1e-13
_BOUND = {"normal": 9.0, "uniform": 1.0, "logistic": 60.0}  # beyond, less than 1e-18 of the types


def measure_cutoffs(game: CutoffGame, equilibrium: CutoffEquilibrium) -> CutoffMeasures:
    """Measure how far shares and payoffs are from an equilibrium in cut-offs.

    Raises
    ------
    OptionError
        If more than two shocks of a player matter to what he does.

    Examples
    --------
    One player with a normal shock on going, worth 1 on average: he goes with probability Φ(1).

    >>> from sim.game.cutoffs import CutoffEquilibrium, Shock, cutoff_game
    >>> end = {"payoff": (1.0,), "loading": {"a": (1.0,)}}
    >>> game = cutoff_game(["a"], {"a": [Shock()]}, {"player": "a", "moves": {"stay": {"payoff": (0.0,)}, "go": end}})
    >>> said = CutoffEquilibrium(probability=np.array([0.15865525, 0.84134475]), reach=np.ones(3), payoff=np.array([1.08331547]))
    >>> found = measure_cutoffs(game, said)
    >>> found.residual < 1e-8, found.payoff_error < 1e-8, found.unreached
    (True, True, ())
    """
    probability, own_edge, sources = equilibrium.probability, game.own_edge(), game.edge_source()
    nodes = len(game.node_player)
    distribution, residual, off_path, indifferent = 0.0, np.zeros(nodes), 0.0, 0.0
    unreached: list[int] = []
    mass = np.ones(nodes)  # of the owner's types that come by their own choices
    payoff = np.zeros(len(game.players))
    found = [_optimal(game, player, probability) for player in range(len(game.players))]
    for node, player in enumerate(game.node_player.tolist()):
        if player == TERMINAL:
            continue
        own = np.array(game.edges_of(node))
        distribution = max(distribution, abs(float(probability[own].sum()) - 1.0), -float(probability[own].min()))
        if player == CHANCE:
            distribution = max(distribution, float(np.abs(probability[own] - game.edge_prob[own]).max()))
            continue
        before = int(own_edge[node])
        mass[node] = 1.0 if before < 0 else mass[sources[before]] * probability[before]
        low, high, gap, _ = found[player]
        if mass[node] < REACHED:
            unreached.append(node)
            off_path = max(off_path, float(np.where(probability[own] > REACHED, gap[own], 0.0).max()))
        else:
            taken = mass[node] * probability[own]
            indifferent = max(indifferent, float((high[own] - low[own]).max()) / mass[node])
            residual[node] = float(np.maximum(low[own] - taken, taken - high[own]).max(initial=0.0)) / mass[node]
    spans = np.array([game.span(player) for player in range(len(game.players))])
    payoff[:] = [each[3] for each in found]
    return CutoffMeasures(
        residual=float(residual.max()),
        node_residual=frozen(residual),
        distribution=distribution,
        unreached=tuple(unreached),
        off_path=off_path,
        indifferent=indifferent,
        payoff=frozen(payoff),
        payoff_error=float((np.abs(payoff - equilibrium.payoff) / spans).max()),
    )


def _cdf(kind: str, t: Floats) -> Floats:
    """Return the share of standard shocks below ``t``."""
    from scipy.special import expit, ndtr

    return ndtr(t) if kind == "normal" else expit(t) if kind == "logistic" else np.clip((t + 1.0) / 2.0, 0.0, 1.0)


def _density(kind: str, t: Floats) -> Floats:
    """Return the density of a standard shock."""
    if kind == "normal":
        return np.exp(-t * t / 2.0) / np.sqrt(2.0 * np.pi)
    return np.full_like(t, 0.5) if kind == "uniform" else 0.25 / np.cosh(t / 2.0) ** 2


def _moment(kind: str, t: Floats) -> Floats:
    """Return the integral of s times the density up to ``t``."""
    if kind == "uniform":
        return (t * t - 1.0) / 4.0
    return -_density(kind, t) if kind == "normal" else t * _cdf(kind, t) - np.logaddexp(0.0, t)


def _integrate(integrand: Callable[[Floats], Floats], edges: Floats) -> Floats:
    """Integrate a vector function by adaptive Gauss–Legendre quadrature: panels on which 12 and 24 points disagree are halved."""
    few, many = (np.polynomial.legendre.leggauss(count) for count in (12, 24))
    panels = np.stack([edges[:-1], edges[1:]], axis=1)
    panels = panels[panels[:, 1] > panels[:, 0]]
    total: Any = 0.0
    for turn in range(MOST_ROUNDS):
        middle, half = panels.mean(axis=1), np.ptp(panels, axis=1) / 2.0
        points = np.concatenate([middle[:, None] + half[:, None] * rule[0] for rule in (few, many)], axis=1)
        values = integrand(points.ravel()).reshape(*points.shape, -1)
        rough, fine = (
            np.einsum("p,k,pkq->pq", half, rule[1], part)
            for rule, part in ((few, values[:, :12]), (many, values[:, 12:]))
        )
        bad = (np.abs(fine - rough).max(axis=1) > EXACT) & (half > EXACT) & (turn < MOST_ROUNDS - 1)
        total = total + fine[~bad].sum(axis=0)
        if not bad.any():
            break
        panels = np.concatenate(
            [np.stack([panels[bad, 0], middle[bad]], axis=1), np.stack([middle[bad], panels[bad, 1]], axis=1)]
        )
    return total


def _worth(game: CutoffGame, player: int, probability: Floats, node: int, plan: Mapping[int, int]) -> Floats:
    """Return a plan's worth from a node on in standard shocks: the constant and the slopes, (1 + d,)."""
    if game.node_player[node] == TERMINAL:
        own = game.shocks[player]
        slopes = game.loading[node, player, : len(own)]
        base = game.payoff[node, player] + sum(
            float(slope) * shock.centre for slope, shock in zip(slopes, own, strict=True)
        )
        return np.array([base, *(float(slope) * shock.spread for slope, shock in zip(slopes, own, strict=True))])
    if node in plan:
        return _worth(game, player, probability, int(game.edge_dst[plan[node]]), plan)
    return sum(
        (
            probability[edge] * _worth(game, player, probability, int(game.edge_dst[edge]), plan)
            for edge in game.edges_of(node)
        ),
        start=np.zeros(1 + len(game.shocks[player])),
    )


def _axes(game: CutoffGame, player: int, worth: Sequence[Floats]) -> tuple[list[Floats], list[str], Floats]:
    """Return the worths in the shocks that matter, their kinds, and the way back (d, axes): normal shocks are turned so that as few as possible do."""
    kinds = np.array([shock.kind for shock in game.shocks[player]], dtype="U8")
    apart = np.concatenate([(each - each[0])[:, 1:] for each in worth])
    kept = [d for d in np.flatnonzero(kinds != "normal") if np.abs(apart[:, d]).max() > EXACT * game.span(player)]
    normal = np.flatnonzero(kinds == "normal")
    sizes, turned = np.linalg.svd(apart[:, normal])[1:] if normal.size else (np.zeros(0), np.zeros((0, 0)))
    rank = int((sizes > EXACT * game.span(player)).sum())
    found = ["normal"] * rank + [str(kinds[d]) for d in kept]
    if len(found) > 2:  # noqa: PLR2004
        who = f"{len(found)} shocks of {game.players[player]} matter to what he does"
        message = f"{who}; cut-offs are computed for one or two: drop a shock, or let normal shocks enter as one sum"
        raise OptionError(message)
    back = np.zeros((len(kinds), len(found)))
    back[normal, :rank] = turned[:rank].T
    back[kept, range(rank, len(found))] = 1.0
    return [np.concatenate([each[:, :1], each[:, 1:] @ back], axis=1) for each in worth], found, back


class _Laid(NamedTuple):
    """What a player's types compare: at each of his nodes the plans' worths (p, 3) and first actions (p,), all lines of ties, kinds, and the way back."""

    worth: list[Floats]
    first: list[Any]
    lines: Floats
    kinds: list[str]
    back: Floats


def _laid(game: CutoffGame, player: int, probability: Floats) -> _Laid:
    """Lay out all plans of a player at each of his nodes in the two shocks, or fewer, that matter."""
    own = np.flatnonzero(game.node_player == player).tolist()
    plans = [own_plans(game, player, node) for node in own]
    worth = [
        np.array([_worth(game, player, probability, node, plan) for plan in each])
        for node, each in zip(own, plans, strict=True)
    ]
    worth, kinds, back = _axes(game, player, worth)
    worth = [np.concatenate([each, np.zeros((len(each), 3 - each.shape[1]))], axis=1) for each in worth]
    back = np.concatenate([back, np.zeros((len(back), 2 - back.shape[1]))], axis=1)
    first = [np.array([plan[node] for plan in each]) for node, each in zip(own, plans, strict=True)]
    lines = np.concatenate(
        [(each[i] - each[j])[None] for each in worth for i in range(len(each)) for j in range(i)] or [np.zeros((0, 3))]
    )
    return _Laid(worth, first, lines, kinds + ["uniform"] * (2 - len(kinds)), back)


def _optimal(game: CutoffGame, player: int, probability: Floats) -> tuple[Floats, Floats, Floats, float]:
    """Answer the others' shares best, by brute force over plans.

    Returns
    -------
    low, high : float array, (e,)
        The share of all his types that must, and that may, come to the edge's node by their own choices and take it.
    gap : float array, (e,)
        What the least reluctant of all types loses by the edge at its node, in units of the payoff range.
    value : float
        His expected payoff.
    """
    own = np.flatnonzero(game.node_player == player).tolist()
    edges, span = len(game.edge_dst), game.span(player)
    low, high, gap = np.zeros(edges), np.zeros(edges), np.full(edges, np.inf)
    tops, reach = _tops(game, player, probability)
    value = sum(reach[node] * float(_worth(game, player, probability, node, {})[0]) for node in tops if node not in own)
    if not own:
        return low, high, gap, value
    worth, first, lines, kinds, _ = _laid(game, player, probability)
    before = game.own_edge()

    def pieces(x: Floats) -> Floats:
        """For each x the masses (x, 2e + 1) of pieces along y; ``gap`` gathers on the way."""
        bound = _BOUND[kinds[0]] if kinds[0] == "uniform" else 12.0 * _BOUND[kinds[0]]
        steep = lines[lines[:, 1] != 0.0]
        cuts = -(steep[:, 0] + steep[:, 2] * x[:, None]) / steep[:, 1]
        ends = np.full((len(x), 1), bound)
        cuts = np.sort(np.clip(np.concatenate([-ends, cuts, ends], axis=1), -bound, bound), axis=1)
        middle = (cuts[:, 1:] + cuts[:, :-1]) / 2.0
        share, moment = np.diff(_cdf(kinds[0], cuts), axis=1), np.diff(_moment(kinds[0], cuts), axis=1)
        out = np.zeros((len(x), 2 * edges + 1))
        must, may = {-1: np.ones_like(middle, dtype=bool)}, {-1: np.ones_like(middle, dtype=bool)}
        for node, each, edge in zip(own, worth, first, strict=True):
            at = each[:, 0] + each[:, 2] * x[:, None, None] + each[:, 1] * middle[..., None]
            best = at.max(axis=2)
            actions = np.unique(edge)
            short = np.stack([best - at[..., edge == action].max(axis=2) for action in actions], axis=2) / span
            tied = short <= TIE
            only = tied.sum(axis=2) == 1
            corner = each[:, 0] + each[:, 2] * x[:, None, None] + each[:, 1] * cuts[..., None]
            for k, action in enumerate(actions.tolist()):
                may[action] = may[int(before[node])] & tied[..., k]
                must[action] = must[int(before[node])] & tied[..., k] & only
                out[:, action] = (share * must[action]).sum(axis=1)
                out[:, edges + action] = (share * may[action]).sum(axis=1)
                lost = (corner.max(axis=2) - corner[..., edge == action].max(axis=2)) / span
                gap[action] = min(gap[action], float(short[..., k].min()), float(lost.min()))
            if node in tops:
                pick = at.argmax(axis=2)
                out[:, -1] += reach[node] * (
                    (each[pick, 0] + each[pick, 2] * x[:, None]) * share + each[pick, 1] * moment
                ).sum(axis=1)
        return out * _density(kinds[1], x)[:, None]

    bound = _BOUND[kinds[1]]
    if any(each[:, 2].any() for each in worth):
        masses = _integrate(pieces, _kinks(lines, _BOUND[kinds[0]], bound))
    else:
        masses = pieces(np.zeros(1))[0] / _density(kinds[1], np.zeros(1))
    return masses[:edges], masses[edges:-1], gap, value + float(masses[-1])


def expected_shocks(game: CutoffGame, probability: Floats) -> Floats:
    """Compute what others expect of each player's shocks at every node, given the actions by which he came there, (n, i, d).

    Where his types are indifferent, those who take an action are as many as its share says. Where hardly any of them come, what was
    expected before stays expected.

    Parameters
    ----------
    game
        The game.
    probability
        The shares, (e,), of an equilibrium.

    Examples
    --------
    Who goes if his normal shock is above 0 has one of √(2/π) on average:

    >>> from sim.game.cutoffs import Shock, cutoff_game
    >>> end = {"payoff": (0.0,), "loading": {"a": (1.0,)}}
    >>> game = cutoff_game(["a"], {"a": [Shock()]}, {"player": "a", "moves": {"stay": {"payoff": (0.0,)}, "go": end}})
    >>> expected_shocks(game, np.array([0.5, 0.5]))[:, 0, 0].round(4)
    array([ 0.    , -0.7979,  0.7979])
    """
    nodes, sources, parents = len(game.node_player), game.edge_source(), game.parent_edge()
    out = np.zeros((nodes, *game.loading.shape[1:]))
    for player, shocks in enumerate(game.shocks):
        count = len(shocks)
        out[:, player, :count] = [shock.centre for shock in shocks]
        if not count or not (game.node_player == player).any():
            continue
        found = _moments(game, player, probability)
        for node in range(1, nodes):
            edge = int(parents[node])
            before = out[sources[edge], player, :count]
            taken = game.node_player[sources[edge]] == player and found[edge, 0] >= REACHED
            out[node, player, :count] = found[edge, 1:] if taken else before
    return out


def _moments(game: CutoffGame, player: int, probability: Floats) -> Floats:
    """Return how many of a player's types come to take each edge, and what their shocks are on average, (e, 1 + d)."""
    own = np.flatnonzero(game.node_player == player).tolist()
    edges, span, before = len(game.edge_dst), game.span(player), game.own_edge()
    low, high, _, _ = _optimal(game, player, probability)
    taken = np.zeros(edges)
    for node in own:
        some = list(game.edges_of(node))
        taken[some] = probability[some] * (taken[before[node]] if before[node] >= 0 else 1.0)
    loose = np.where(high - low > TIE, (taken - low) / np.maximum(high - low, TIE), 1.0).clip(0.0, 1.0)
    worth, first, lines, kinds, back = _laid(game, player, probability)

    def pieces(x: Floats) -> Floats:
        """For each x the masses and both moments of the types that take each edge, (x, 3e)."""
        bound = _BOUND[kinds[0]] if kinds[0] == "uniform" else 12.0 * _BOUND[kinds[0]]
        steep = lines[lines[:, 1] != 0.0]
        cuts = -(steep[:, 0] + steep[:, 2] * x[:, None]) / steep[:, 1]
        ends = np.full((len(x), 1), bound)
        cuts = np.sort(np.clip(np.concatenate([-ends, cuts, ends], axis=1), -bound, bound), axis=1)
        middle = (cuts[:, 1:] + cuts[:, :-1]) / 2.0
        share, moment = np.diff(_cdf(kinds[0], cuts), axis=1), np.diff(_moment(kinds[0], cuts), axis=1)
        out = np.zeros((len(x), 3, edges))
        come = {-1: np.ones_like(middle)}
        for node, each, edge in zip(own, worth, first, strict=True):
            at = each[:, 0] + each[:, 2] * x[:, None, None] + each[:, 1] * middle[..., None]
            actions = np.unique(edge)
            short = (
                at.max(axis=2, keepdims=True)
                - np.stack([at[..., edge == action].max(axis=2) for action in actions], axis=2)
            ) / span
            tied = short <= TIE
            for k, action in enumerate(actions.tolist()):
                divide = np.where(tied.sum(axis=2) == 1, 1.0, loose[action])
                come[action] = come[int(before[node])] * tied[..., k] * divide
                out[:, 0, action] = (share * come[action]).sum(axis=1)
                out[:, 1, action] = (moment * come[action]).sum(axis=1)
                out[:, 2, action] = x * out[:, 0, action]
        return out.reshape(len(x), -1) * _density(kinds[1], x)[:, None]

    mass, inner, outer = _integrate(pieces, _kinks(lines, _BOUND[kinds[0]], _BOUND[kinds[1]])).reshape(3, edges)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(mass > 0.0, np.stack([inner, outer]) / mass, 0.0)
    centre, spread = (
        np.array([getattr(shock, name) for shock in game.shocks[player]]) for name in ("centre", "spread")
    )
    return np.concatenate([mass[:, None], centre + spread * (back @ mean).T], axis=1)


def _tops(game: CutoffGame, player: int, probability: Floats) -> tuple[list[int], Floats]:
    """Return the player's first nodes and the ends before which he never moves, and how often others let play come there, (n,)."""
    reach, tops, seen = game.reach(probability), [], {0}
    for node, mover in enumerate(game.node_player.tolist()):
        if node in seen:
            if mover in (player, TERMINAL):
                tops.append(node)
            else:
                seen.update(int(game.edge_dst[edge]) for edge in game.edges_of(node))
    return tops, reach


def _kinks(lines: Floats, inner: float, outer: float) -> Floats:
    """Return the panels' ends along x: where two lines of ties meet each other or a bound of y, and a few between."""
    lines = lines[(lines[:, 1:] != 0.0).any(axis=1)]
    rows, columns = np.triu_indices(len(lines), 1)
    a, b = lines[rows], lines[columns]
    with np.errstate(divide="ignore", invalid="ignore"):
        meet = (b[:, 0] * a[:, 1] - a[:, 0] * b[:, 1]) / (a[:, 2] * b[:, 1] - b[:, 2] * a[:, 1])
        out = [-(lines[:, 0] + lines[:, 1] * y) / lines[:, 2] for y in (-inner, 0.0, inner)]
    found = np.concatenate([meet, *out, np.linspace(-outer, outer, 7)])
    return np.unique(np.clip(found[np.isfinite(found)], -outer, outer))
