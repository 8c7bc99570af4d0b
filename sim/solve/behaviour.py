r"""Logit responses in behaviour strategies of game trees with information sets, one certified Nash equilibrium, and backward induction.

In the agent form each information set has an agent of its own; at precision :math:`\lambda_i` he plays :math:`\sigma(a) \propto \exp(\lambda_i Q(a))`,
where :math:`Q(a)` is what the action is worth given that the set is reached. At :math:`\lambda = 0` play is uniform; from there the *principal branch* is
followed in log probabilities, past turning points. All sets are reached at every finite :math:`\lambda`, so beliefs are always defined; they are computed from
logarithms, so that they keep their meaning when probabilities are too small for floats. As :math:`\lambda \to \infty` the branch tends to a sequential
equilibrium. Where nobody ever chooses under ignorance the response is unique, and is computed backwards.

Source: McKelvey, R. & Palfrey, T. (1998) Quantal response equilibria for extensive form games, Experimental Economics 1:9-41; Turocy, T. (2010) Computing
sequential equilibria using agent quantal response equilibria, Economic Theory 42:255-269.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.errors import NoAnswerError, OptionError
from sim.game.tree import CHANCE, measure_tree, optimal_actions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.game.tree import Tree, TreeMeasures
    from sim.kinds import Floats

__all__ = ["Traced", "backward", "limit", "one_nash", "quantal_response"]

TOLERANCE = 1e-8
RESIDUAL = 1e-9
LARGEST = 1e10  # precision in units of one over a payoff range
POINTS, FEWEST = 101, 5
WORK = 1_000_000  # nodes visited to draw a branch
LONGEST = 0.1  # steps short enough to draw the branch
CLIP = (1e-2, 1e-4, 1e-6)
POLISH = 20
SMALLEST = 1e-15
FAR_ENOUGH = 1e4  # precision from which a branch that stops short may be led to its end by polishing
NEAR = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Traced:
    """An answer of a tree.

    Attributes
    ----------
    profile : float array, (a,)
    logs : float array, (a,)
        Logarithms of the profile.
    measures
        The referee's.
    precisions : float array, (k, i)
        Each player's λ along the branch from λ = 0.
    profiles : float array, (k, a)
    turns : int
        How often the precision turned on the way.
    singular : float
        Smallest singular value of the Jacobian at the answer, of log probabilities less their logit responses.
    """

    profile: Floats
    logs: Floats
    measures: TreeMeasures
    precisions: Floats
    profiles: Floats
    turns: int
    singular: float


class _Agents:
    """The logit correspondence of one tree in log probabilities and a common parameter s: player i's precision is s times his ratio."""

    def __init__(self, tree: Tree, ratio: Floats) -> None:
        from scipy.sparse import csr_array

        self.tree = tree
        owner, chance = tree.action_player, tree.chance
        self.own = np.flatnonzero(owner >= 0)
        self.logs = np.where(owner == CHANCE, np.log(np.where(chance > 0, chance, 1.0)), 0.0)
        self.infoset = tree.action_infoset
        self.base = np.array([one.first for one in tree.infosets])
        sound, ways = np.ones(tree.node_count, dtype=np.bool_), list[list[int]]([[]])
        for n in range(1, tree.node_count):
            a, up = int(tree.node_action[n]), int(tree.node_parent[n])
            sound[n] = sound[up] and (owner[a] >= 0 or chance[a] > 0)
            ways.append([*ways[up], a])
        for h, one in enumerate(tree.infosets):
            if one.player >= 0 and not (sound & (tree.node_infoset == h)).any():
                raise OptionError(
                    f"chance never reaches information set {tree.name(h)} (probability 0); play there is not defined by quantal response: drop that branch"
                )
        size, count = tree.action_count, tree.node_count
        rows = np.repeat(np.arange(count), [len(way) if fine else 0 for way, fine in zip(ways, sound, strict=True)])
        columns = np.array([a for way, fine in zip(ways, sound, strict=True) if fine for a in way], dtype=np.int64)
        self.paths = csr_array((np.ones(len(rows)), (rows, columns)), shape=(count, size))
        decide = np.flatnonzero(sound & (tree.node_infoset >= 0) & (tree.node_player >= 0))
        self.decide, self.sets = decide, tree.node_infoset[decide]
        ends = np.flatnonzero(sound & (tree.node_infoset < 0))
        is_end = np.zeros(count, dtype=np.bool_)
        is_end[ends] = True
        through = is_end[rows] & (owner[columns] >= 0)
        self.end, self.action = rows[through], columns[through]
        self.worth = (ratio * tree.payoffs)[self.end, owner[self.action]]
        self.dense = self.paths[ends].toarray()
        place = np.zeros(count, dtype=np.int64)
        place[ends] = np.arange(len(ends))
        self.row = place[self.end]

    def values(self, logs: Floats) -> tuple[Floats, Floats]:
        """Return Q of every action (a,), and its derivatives by all logarithms (a, a)."""
        from scipy.sparse import csr_array

        size, sets = len(logs), len(self.base)
        reach = self.paths @ logs
        here = reach[self.decide]
        top = np.full(sets, -np.inf)
        np.maximum.at(top, self.sets, here)
        scaled = np.exp(here - top[self.sets])
        total = np.bincount(self.sets, weights=scaled, minlength=sets)
        weight = scaled / total[self.sets]
        log_reach = top + np.log(np.where(total > 0, total, 1.0))
        share = np.exp(reach[self.end] - logs[self.action] - log_reach[self.infoset[self.action]]) * self.worth
        q: Any = np.bincount(self.action, weights=share, minlength=size)
        slope = csr_array((share, (self.action, self.row)), shape=(size, len(self.dense))) @ self.dense
        slope[np.arange(size), np.arange(size)] -= q
        belief: Any = csr_array((weight, (self.sets, self.decide)), shape=(sets, self.tree.node_count)) @ self.paths
        return q, slope - q[:, None] * belief.toarray()[self.infoset]

    def whole(self, own: Floats) -> Floats:
        """Return the logarithms of all actions from those of the players."""
        out = self.logs.copy()
        out[self.own] = own
        return out

    def equations(self, point: Floats) -> tuple[Floats, Floats]:
        """Return residuals and Jacobian: of each information set, that probabilities sum to 1 and that log odds follow precision."""
        logs, s = self.whole(point[:-1]), float(point[-1])
        q, slope = self.values(logs)
        first = self.base[self.infoset]
        out = logs - logs[first] - s * (q - q[first])
        jacobian = np.eye(len(logs)) - s * (slope - slope[first])
        jacobian[np.arange(len(logs)), first] -= 1.0
        speed = q[first] - q
        p = np.exp(logs)
        for base, one in zip(self.base, self.tree.infosets, strict=True):
            out[base] = p[one.places].sum() - 1.0
            jacobian[base] = 0.0
            jacobian[base, one.places] = p[one.places]
            speed[base] = 0.0
        return out[self.own], np.c_[jacobian[np.ix_(self.own, self.own)], speed[self.own]]

    def start(self) -> Floats:
        """Return uniform play at s = 0."""
        return np.r_[np.log(self.tree.uniform()[self.own]), 0.0]

    def singular(self, logs: Floats, s: float) -> float:
        """Return the smallest singular value of log probabilities less their logit responses, by log probabilities."""
        from sim.numerics.continuation import singular_value

        own = self.own
        return singular_value(s * self.values(logs)[1][np.ix_(own, own)], np.exp(logs[own]), self.infoset[own])


def _refuse(tree: Tree) -> None:
    """Refuse what quantal response is not defined for."""
    name = tree.absent_minded()
    if name:
        raise OptionError(
            f"a play may enter information set {name} twice (absent-mindedness); this is not solved: tell its nodes apart"
        )


def _backward_logit(tree: Tree, precision: Floats) -> tuple[Floats, Floats]:
    """Return logit responses (a,) and their logarithms of a tree with perfect information."""
    logs = np.zeros(tree.action_count)
    value = tree.payoffs.copy()
    q = np.zeros((tree.action_count, len(tree.players)))
    chance = tree.chance
    for n in range(tree.node_count - 1, -1, -1):
        h = int(tree.node_infoset[n])
        if h >= 0:
            one = tree.infosets[h]
            share = chance[one.places]
            if one.player >= 0:
                z = precision[one.player] * q[one.places, one.player]
                logs[one.places] = z - z.max() - np.log(np.exp(z - z.max()).sum())
                share = np.exp(logs[one.places])
            value[n] = share @ q[one.places]
        if n:
            q[tree.node_action[n]] = value[n]
    with np.errstate(divide="ignore"):
        return np.where(tree.action_player == CHANCE, chance, np.exp(logs)), np.where(
            tree.action_player == CHANCE, np.log(chance), logs
        )


def quantal_response(tree: Tree, precision: Floats) -> Traced:
    """Return the logit agent quantal response equilibrium on the principal branch at given precisions.

    Parameters
    ----------
    tree
        Any tree but an absent-minded one.
    precision
        λ of each player, (i,), at least 0.

    Raises
    ------
    OptionError
        For absent-mindedness, and where chance never reaches an information set.
    NoAnswerError
        If the branch cannot be followed, or the referee finds a residual above 1e-9.

    Examples
    --------
    >>> import sim
    >>> found = quantal_response(sim.read_game("scenarios/games/selten_horse.efg"), np.ones(3))
    >>> found.profile.round(4)
    array([0.5809, 0.4191, 0.1958, 0.8042, 0.6032, 0.3968])
    """
    _refuse(tree)
    if tree.perfect_information:
        shares = np.linspace(0.0, 1.0, max(FEWEST, min(POINTS, WORK // tree.node_count)))
        found = _from_backward(tree, shares[:, None] * precision)
    else:
        scale = float((precision * tree.spans).max())
        agents = _Agents(tree, precision / scale if scale > 0 else np.zeros(len(precision)))
        found = _from_branch(agents, precision / scale if scale > 0 else precision, scale, None)
    if not (found.measures.residual <= RESIDUAL and found.measures.distribution_error <= RESIDUAL):
        raise NoAnswerError(
            f"quantal response has no certified answer: the residual is {found.measures.residual:.3g}, above {RESIDUAL:g}; lower the precision"
        )
    return found


def _from_backward(tree: Tree, precisions: Floats) -> Traced:
    """Solve a tree with perfect information at each precision (k, i); the last one is the answer."""
    profiles = np.array([_backward_logit(tree, precision)[0] for precision in precisions])
    profile, logs = _backward_logit(tree, precisions[-1])
    measures = measure_tree(tree, profile, precisions[-1], logs)
    return Traced(
        profile=profile, logs=logs, measures=measures, precisions=precisions, profiles=profiles, turns=0, singular=1.0
    )


def _from_branch(agents: _Agents, ratio: Floats, target: float, tolerance: float | None) -> Traced:
    """Follow the branch to a parameter, or until no player gains more than a tolerance."""
    from sim.numerics.continuation import follow

    tree = agents.tree
    waiting = 10.0

    def stop(point: Floats) -> bool:
        nonlocal waiting
        if point[-1] < waiting or tolerance is None:
            return False
        waiting = 1.3 * float(point[-1])
        logs = agents.whole(point[:-1])
        return bool(measure_tree(tree, np.exp(logs), logs=logs).gains.max() <= tolerance)

    curve = follow(agents.equations, agents.start(), target=target, stop=stop, longest=LONGEST)
    logs, s = agents.whole(curve.points[-1, :-1]), float(curve.points[-1, -1])
    profiles = np.array([np.exp(agents.whole(point[:-1])) for point in curve.points])
    profile = profiles[-1].copy()
    if not curve.arrived:
        end = _end(agents, curve.points[-1]) if tolerance is not None and s > FAR_ENOUGH else None
        if end is None:
            raise NoAnswerError(
                f"the branch of logit responses was followed to λ = {s:.4g} over the payoff range and no further; ask for a smaller precision"
            )
        profile = end
    measures = measure_tree(tree, profile, s * ratio, logs if curve.arrived else None)
    singular = agents.singular(logs, s)
    precisions = curve.points[:, -1:] * ratio
    return Traced(
        profile=profile,
        logs=logs,
        measures=measures,
        precisions=precisions,
        profiles=profiles,
        turns=curve.turns,
        singular=singular,
    )


def _end(agents: _Agents, point: Floats) -> Floats | None:
    """Return the equilibrium next to the last point of a branch on which floats were exhausted."""
    for profile in _candidates(agents, point):
        near = float(np.abs(profile - np.exp(agents.whole(point[:-1]))).max()) <= NEAR
        if near and measure_tree(agents.tree, profile).gains.max() <= TOLERANCE:
            return profile
    return None


def _recalls(tree: Tree) -> None:
    """Refuse trees in which gains from deviating cannot be measured."""
    _refuse(tree)
    name = tree.forgetful()
    if name:
        raise OptionError(
            f"at information set {name} its player forgets what he did or knew before (no perfect recall); deviations cannot be measured: "
            "ask for --concept quantal_response, or tell the nodes apart"
        )


def limit(tree: Tree, ratio: Floats) -> Traced:
    """Follow the principal branch until no player can gain more than 1e-8 of the payoff range by any deviation.

    Parameters
    ----------
    tree
        With perfect recall.
    ratio
        Each player's precision relative to the others', (i,), above 0.

    Raises
    ------
    OptionError
        Without perfect recall, naming the information set.
    NoAnswerError
        If the branch does not get there.

    Examples
    --------
    >>> import sim
    >>> limit(sim.read_game("scenarios/games/stripped_poker.efg"), np.ones(2)).profile.round(4)
    array([0.5   , 0.5   , 1.    , 0.    , 0.6667, 0.3333, 0.3333, 0.6667])
    """
    _recalls(tree)
    if tree.perfect_information:
        levels = np.r_[0.0, np.geomspace(1e-2, LARGEST, 300)][:, None] * ratio / float((ratio * tree.spans).max())
        for k, precision in enumerate(levels):
            profile, _ = _backward_logit(tree, precision)
            if k and measure_tree(tree, profile).gains.max() <= TOLERANCE:
                return _from_backward(tree, levels[: k + 1])
        raise NoAnswerError(
            "the branch of logit responses comes near no equilibrium in reach; ask for --concept subgame_perfect"
        )
    scaled = ratio / float((ratio * tree.spans).max())
    return _from_branch(_Agents(tree, scaled), scaled, LARGEST * float((1 / (scaled * tree.spans)).max()), TOLERANCE)


def _clipped(tree: Tree, profile: Floats, least: float) -> Floats:
    """Drop probabilities below a bound."""
    out = np.where(profile >= least, profile, 0.0)
    return out / np.bincount(tree.action_infoset, weights=out)[tree.action_infoset]


def _polished(agents: _Agents, logs: Floats, least: float) -> Floats | None:
    """Make equally good the actions that are played with more than a least probability, by Newton's method with the smallest changes."""
    tree, logs = agents.tree, logs.copy()
    played = np.zeros(len(logs), dtype=np.bool_)
    played[agents.own] = np.exp(logs[agents.own]) > least
    base = np.full(len(tree.infosets), -1)
    for h, one in enumerate(tree.infosets):
        if one.player >= 0:
            base[h] = one.first + int(np.argmax(logs[one.places]))
    places = np.flatnonzero(played)
    sets = agents.infoset[places]
    against = base[sets]
    first, same = places == against, np.equal.outer(sets, sets)
    for _ in range(POLISH):
        q, slope = agents.values(logs)
        p = np.exp(logs)
        mass = np.bincount(agents.infoset, weights=p, minlength=len(tree.infosets))[sets]
        out = np.where(first, mass - 1.0, q[places] - q[against])
        jacobian = (slope[places] - slope[against])[:, places]
        jacobian[first] = np.where(same[first], p[places], 0.0)
        try:
            step = np.linalg.lstsq(jacobian, -out, rcond=1e-10)[0]
        except np.linalg.LinAlgError:
            return None
        largest = float(np.abs(step).max(initial=0.0))
        if not largest <= 1.0:
            return None
        logs[places] += step
        if largest <= SMALLEST:
            break
    return _clipped(tree, np.exp(logs), least)


def _candidates(agents: _Agents, point: Floats) -> Iterator[Floats]:
    """Yield profiles near a point of the branch that may be equilibria."""
    logs = agents.whole(point[:-1])
    for least in CLIP:
        yield _clipped(agents.tree, np.exp(logs), least)
        polished = _polished(agents, logs, least)
        if polished is not None:
            yield polished
    yield np.exp(logs)


def one_nash(tree: Tree) -> Traced:
    """Return one Nash equilibrium in behaviour strategies that the referee certifies.

    The branch of logit responses is followed, precision in units of one over each player's payoff range. Every so often small probabilities are dropped and
    the others made equally good; the first profile from which no player gains more than 1e-8 of his payoff range by any deviation is the answer. It
    need not be the limit of the branch.

    Raises
    ------
    OptionError
        Without perfect recall, naming the information set.
    NoAnswerError
        If no profile on the way is certified.

    Examples
    --------
    >>> import sim
    >>> found = one_nash(sim.read_game("scenarios/games/selten_horse.efg"))
    >>> bool(found.measures.gains.max() <= 1e-8)
    True
    """
    from sim.numerics.continuation import follow

    _recalls(tree)
    ratio = 1.0 / tree.spans
    if tree.perfect_information:
        profile, measures, _ = backward(tree)
        with np.errstate(divide="ignore"):
            logs = np.log(profile)
        return Traced(
            profile=profile, logs=logs, measures=measures, precisions=np.empty((0, len(ratio))),
            profiles=np.empty((0, len(profile))), turns=0, singular=1.0,
        )  # fmt: skip
    agents = _Agents(tree, ratio)
    kept: list[tuple[Floats, TreeMeasures]] = []
    waiting = 4.0

    def stop(point: Floats) -> bool:
        nonlocal waiting
        if point[-1] < waiting:
            return False
        waiting = 1.5 * float(point[-1])
        for profile in _candidates(agents, point):
            measures = measure_tree(tree, profile)
            if measures.gains.max() <= TOLERANCE and measures.distribution_error <= RESIDUAL:
                kept.append((profile, measures))
                return True
        return False

    curve = follow(agents.equations, agents.start(), target=LARGEST, stop=stop)
    if not kept:
        at = float(curve.points[-1, -1])
        raise NoAnswerError(
            f"no profile on the branch of logit responses up to λ = {at:.4g} over the payoff range was certified; change payoffs slightly"
        )
    profile, measures = kept[0]
    with np.errstate(divide="ignore"):
        logs = np.log(profile)
    return Traced(
        profile=profile,
        logs=logs,
        measures=measures,
        precisions=curve.points[:, -1:] * ratio,
        profiles=np.array([np.exp(agents.whole(point[:-1])) for point in curve.points]),
        turns=curve.turns,
        singular=agents.singular(agents.whole(curve.points[-1, :-1]), float(curve.points[-1, -1])),
    )


def backward(tree: Tree) -> tuple[Floats, TreeMeasures, tuple[str, ...]]:
    """Solve a tree with perfect information by backward induction, the first of several best actions.

    Returns
    -------
    tuple
        The profile (a,), the referee's measures, and the information sets at which several actions are best (within 1e-9 of the payoff range).

    Raises
    ------
    OptionError
        For a tree with information sets of several nodes.

    Examples
    --------
    >>> import sim
    >>> profile, measures, ties = backward(sim.read_game("scenarios/games/centipede_4.efg"))
    >>> measures.values, ties
    (array([0.8, 0.2]), ())
    """
    if not tree.perfect_information:
        raise OptionError(
            "players do not see all that happened (an information set has several nodes): ask for --concept nash or quantal_response"
        )
    chance, spans = tree.chance, tree.spans
    profile = chance.copy()
    value = tree.payoffs.copy()
    q = np.zeros((tree.action_count, len(tree.players)))
    for n in range(tree.node_count - 1, -1, -1):
        h = int(tree.node_infoset[n])
        if h >= 0:
            one = tree.infosets[h]
            if one.player >= 0:
                here = q[one.places, one.player]
                profile[one.places] = 0.0
                profile[one.first + int(np.argmax(here >= here.max() - 1e-9 * spans[one.player]))] = 1.0
            value[n] = profile[one.places] @ q[one.places]
        if n:
            q[tree.node_action[n]] = value[n]
    measures = measure_tree(tree, profile)
    if measures.one_shot > TOLERANCE:
        raise NoAnswerError(
            f"subgame_perfect has no certified answer: the largest gain is {measures.one_shot:.3g}, above {TOLERANCE:g}"
        )
    best = optimal_actions(tree, measures)
    ties = tuple(
        name
        for name, one in zip(tree.names(), tree.infosets, strict=True)
        if one.player >= 0 and int(best[one.places].sum()) > 1
    )
    return profile, measures, ties
