"""Belief paths: what everybody who watches comes to believe of each player's private type, move by move.

Along a history the posterior is the assessment's own wherever a belief class still stands. The move with which a class is dropped, since
nothing reads the player's types from there on, is answered by Bayes' rule from the strategy; after it beliefs stay as they are. Types
that are drawn apart are told player by player; a joint prior, or chance that speaks of types, is carried along as one belief over all
combinations.

Over all histories the posterior is a martingale under the observer's own predictive distribution (Doob 1953): its mean stays at the
prior. Its mean *given the true type* says whether types are told apart.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.analysis.paths import History, play
from sim.analysis.replay import one_variant, replay
from sim.errors import OptionError, did_you_mean
from sim.game.assessment import sight
from sim.game.graph import CHANCE, SIMULTANEOUS, TERMINAL
from sim.game.referee import reach
from sim.kinds import frozen

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sim.analysis.paths import Paths
    from sim.analysis.replay import Replay
    from sim.game.graph import Game
    from sim.game.histories import Types
    from sim.kinds import Bools, Floats, Keys
    from sim.solve.contract import Solution

__all__ = ["BeliefPath", "BeliefStep", "Beliefs", "Spread", "belief_paths", "record_beliefs"]

MOVED = 1e-12
SAME = 1e-9
TENTHS = (0.1, 0.9)


@dataclass(frozen=True, slots=True, kw_only=True)
class BeliefStep:
    """A move, or an outcome of chance, that could tell types apart.

    Attributes
    ----------
    round, player, move
        Who did what, and when; the player is ``"chance"`` for an outcome.
    probability
        How likely it was to one who had seen what came before and no type.
    off_path
        Whether that was zero: then Bayes' rule says nothing, and the belief after it is the assessment's own.
    before, after : tuples of float arrays, (k,)
        What was believed of each watched player's types.
    node, edge
        Where it was, and the edge.
    """

    round: int
    player: str
    move: str
    probability: float
    off_path: bool
    before: tuple[Floats, ...]
    after: tuple[Floats, ...]
    node: int
    edge: int

    @property
    def shift(self) -> tuple[float, ...]:
        """How far the belief about each watched player moved: half the sum of all changes, from 0 to 1."""
        return tuple(float(np.abs(b - a).sum() / 2) for a, b in zip(self.before, self.after, strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class BeliefPath:
    """Beliefs along one history.

    Attributes
    ----------
    kind
        ``likely``, or ``recorded`` for the recorded history.
    probability
        Of the history; of the recorded one, of all that is recorded, 0 where it had to be forced.
    share
        Of the recorded history: how likely this course of play is among those that the records leave open; else 1.
    until
        The round of its last step.
    steps
        The moves that could tell types apart.
    by_round : tuple of float arrays, (t, k)
        What is believed of each watched player at the start and at the end of each round; a history that has ended keeps its last belief.
    """

    kind: str
    probability: float
    share: float
    until: int
    steps: tuple[BeliefStep, ...]
    by_round: tuple[Floats, ...]

    def log_odds(self, player: int) -> Floats:
        """Return the log odds of each type of a watched player by round, (t, k); infinite where he is certain."""
        with np.errstate(divide="ignore"):
            return np.log(self.by_round[player]) - np.log1p(-self.by_round[player])

    def decisive(self, player: int) -> BeliefStep | None:
        """Return the step that moves the belief about a watched player most, or None where nothing moves it."""
        most = max(self.steps, key=lambda step: step.shift[player], default=None)
        return most if most is not None and most.shift[player] > SAME else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """The distribution of the posterior about one player over all histories, exactly.

    Attributes
    ----------
    mean : float array, (t, k)
        Mean posterior of each type at the start and at the end of each round: the prior, whatever is played.
    low, high : float arrays, (t, k)
        A tenth of all histories, by probability, ends up at or below, or above.
    given : float array, (k, t, k)
        Mean posterior given the true type (first axis); NaN for a type that nobody expects.
    """

    mean: Floats
    low: Floats
    high: Floats
    given: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Beliefs:
    """What is learned under a solution.

    Attributes
    ----------
    solution, variant
        What is played.
    observer
        Who believes: a player, with his type if he has several; empty for one who sees the public history only.
    players
        Those with several types, but for the observer.
    types : tuple of tuples of str
        Their types.
    prior : tuple of float arrays, (k,)
        What is believed of them at the start.
    rounds
        The ends of rounds; the first is the start.
    paths
        The most likely histories, then the recorded one if it was asked for.
    spreads
        For each watched player, the distribution over all histories.

    Examples
    --------
    >>> import sim
    >>> solution = sim.solve(sim.compile(sim.load("scenarios/entry_deterrence.toml")), "perfect_bayesian")
    >>> found = belief_paths(solution, count=2)
    >>> found.players, found.types
    (('store',), (('weak', 'strong'),))
    >>> found.paths[1].by_round[0][:, 1].round(4).tolist()
    [0.0625, 0.25, 0.25, 0.0]
    """

    solution: Solution = field(repr=False)
    variant: int
    observer: str
    players: tuple[str, ...]
    types: tuple[tuple[str, ...], ...]
    prior: tuple[Floats, ...]
    rounds: tuple[int, ...]
    paths: tuple[BeliefPath, ...]
    spreads: tuple[Spread, ...]

    @property
    def martingale(self) -> float:
        """How far the mean posterior is from the prior, at most: rounding, if all is well."""
        gaps = [np.abs(one.mean - base).max() for one, base in zip(self.spreads, self.prior, strict=True)]
        return float(max(gaps, default=0.0))


@dataclass(slots=True)
class _Block:
    """What is learned together: the types of one player, or, where players' types are tied, all combinations.

    ``K`` columns; ``at`` (n, K) is the posterior where classes stand, NaN elsewhere; ``column`` (s,) says in which column each lane is.
    """

    players: tuple[int, ...]
    alive: Bools
    at: Floats
    prior: Floats
    column: Keys
    rows: tuple[Floats, ...]  # for each player (K, k): which columns are of which type


class _Watcher:
    """Knows what one observer believes at every node of one variant."""

    def __init__(self, solution: Solution, variant: int, observer: str) -> None:
        types = solution.game.types
        if types is None or solution.assessment is None:
            advice = "add [private.NAME] tables, or hide one that is known (--hidden)"
            raise OptionError(f"nobody has a private type in this game, so there is nothing to learn; {advice}")
        self.game: Game = solution.game
        self.graph, self.types, self.variant = solution.game.graph, types, variant
        self.profile = solution.assessment.profile[variant]  # (s, e)
        self.public = solution.profile[variant]
        self.belief = solution.assessment.belief[variant]
        self.who, self.kind = _observer(self.graph.players, types, observer)
        self.players = tuple(i for i, count in enumerate(types.count) if count > 1 and i != self.who)
        if not self.players:
            name = self.graph.players[self.who]
            raise OptionError(
                f"nobody but {name} has a private type, so {name} has nothing to learn; leave observer out"
            )
        self.tied = not types.independent or bool((types.class_player == len(types.count)).any())
        self.source: Any = self.graph.edge_source()
        self.mover: Any = self.graph.layer_player[self.graph.node_layer()]
        self.expected = self.expect()
        self.shared: dict[int, Floats] = {}
        self.blocks = [self.together()] if self.tied else [self.apart(j) for j in self.players]

    def expect(self) -> Floats:
        """Return how likely each combination of types is to the observer at the start, (s,)."""
        if self.who < 0:
            return self.types.prior[self.variant]
        mine = self.types.holds(self.who, self.kind)
        out = np.where(mine, self.types.prior[self.variant], 0.0)
        if out.sum() <= 0:  # a type that nobody expects believes of the others what is believed on average
            others = np.delete(self.types.lane, self.who, axis=1)
            _, group = np.unique(others, axis=0, return_inverse=True)
            out = np.where(mine, np.bincount(group, weights=self.types.prior[self.variant])[group], 0.0)
        return out / out.sum()

    def indicator(self, player: int, column: Keys, size: int) -> Floats:
        """Tell which columns are of which type of a player, (K, k)."""
        out = np.zeros((size, self.types.count[player]))
        out[column, self.types.lane[:, player]] = 1.0
        return out

    def apart(self, player: int) -> _Block:
        """Make the block of one player whose types are drawn apart from the others'."""
        types, count = self.types, self.types.count[player]
        here = types.node_class[:, player]
        column = types.lane[:, player].astype(np.int64)
        prior = types.marginal(player)[self.variant]
        at = np.full((len(here), count), np.nan)
        alive = here >= 0
        with np.errstate(divide="ignore"):
            logs = np.log(prior) + self.belief[here[alive], :count]
        top = logs.max(axis=1, keepdims=True)
        with np.errstate(invalid="ignore"):
            weight = np.exp(logs - top)
            at[alive] = weight / weight.sum(axis=1, keepdims=True)
        rows = (self.indicator(player, column, count),)
        return _Block(players=(player,), alive=alive, at=at, prior=prior, column=column, rows=rows)

    def together(self) -> _Block:
        """Make the block of all combinations of types."""
        types, lanes = self.types, self.types.lanes
        seen = sight(types, self.belief, self.variant)
        alive = np.asarray((types.node_class >= 0).any(axis=1))
        at = seen.public.copy()
        if self.who >= 0:
            at = np.where(types.holds(self.who, self.kind), seen.own[self.who], 0.0)
        at[~alive] = np.nan
        column = np.arange(lanes)
        rows = tuple(self.indicator(j, column, lanes) for j in self.players)
        return _Block(players=self.players, alive=alive, at=at, prior=self.expected, column=column, rows=rows)

    # -- likelihoods ------------------------------------------------------------------------------------------------------------------

    def share(self, player: int) -> Floats:
        """Return how likely a player does along each lane what each edge says that he does, (s, e); 1 where he does not choose."""
        if player not in self.shared:
            graph = self.graph
            out = np.where(self.mover[self.source] == player, self.profile, 1.0)
            if graph.simultaneous:
                size = graph.node_shape[:, player]
                action = (np.cumsum(size) - size)[self.source] + graph.edge_action(player)
                together = np.flatnonzero((self.mover[self.source] == SIMULTANEOUS) & (size[self.source] > 1))
                for lane, row in enumerate(self.profile):
                    out[lane, together] = np.bincount(action[together], weights=row[together])[action[together]]
            self.shared[player] = out
        return self.shared[player]

    def likelihood(self, block: _Block, edges: Any) -> Floats:
        """Return how likely each column takes some edges, (edges, K)."""
        if not self.tied:
            first = np.array([int(np.argmax(block.column == k)) for k in range(block.at.shape[1])])
            return self.share(block.players[0])[first][:, edges].T
        if self.who < 0:
            return self.profile[:, edges].T
        chance = self.mover[self.source[edges]] == CHANCE
        out = np.where(chance, self.profile[:, edges], 1.0)
        for i in range(len(self.graph.players)):
            if i != self.who:
                out = out * self.share(i)[:, edges]
        return out.T

    def able(self, block: _Block, edge: int) -> Bools:
        """Tell which columns may take an edge at all, (K,)."""
        mover = int(self.mover[self.source[edge]])
        out = np.ones(block.at.shape[1], dtype=bool)
        if mover >= 0 and (self.tied or mover in block.players):
            kinds = self.types.lane[:, mover]
            out[block.column] = self.types.weight[edge, kinds] > 0
        return out

    def after(self, block: _Block, row: Floats, edge: int) -> Floats:
        """Return what is believed after an edge by one who believed a row (K,) before."""
        node, to = int(self.source[edge]), int(self.graph.edge_dst[edge])
        if block.alive[to] and not np.isnan(block.at[to]).any():
            return block.at[to]
        if not block.alive[node]:
            return row
        joint = row * self.likelihood(block, np.array([edge]))[0]
        if joint.sum() > 0:
            return joint / joint.sum()
        able = self.able(block, edge)
        left = np.where(able, row, 0.0)
        if left.sum() <= 0:
            left = np.where(able, 1.0, 0.0) if able.any() else row
        return left / left.sum()

    def tells(self, node: int, edge: int) -> bool:
        """Tell whether an edge could tell types apart: somebody who matters yet chooses there, or chance that depends on types."""
        graph, types = self.graph, self.types
        if self.mover[node] == CHANCE:
            ahead = any(block.alive[node] for block in self.blocks)
            return ahead and bool(np.ptp(self.profile[:, edge]) > 0)
        for block in self.blocks:
            for j in block.players:
                if not block.alive[node] or graph.node_shape[node, j] <= 1:
                    continue
                own = int(types.node_class[node, j])
                left = int(types.class_possible[own]) if own >= 0 else -1
                if left & (left - 1):
                    return True
        return False

    def shown(self, rows: list[Floats]) -> tuple[Floats, ...]:
        """Return the belief about each watched player, (k,), from the rows of the blocks."""
        return tuple(frozen(row @ one) for block, row in zip(self.blocks, rows, strict=True) for one in block.rows)

    # -- paths ------------------------------------------------------------------------------------------------------------------------

    def follow(
        self, history: History, rounds: tuple[int, ...]
    ) -> tuple[tuple[BeliefStep, ...], tuple[Floats, ...], dict[int, BeliefStep]]:
        """Carry beliefs along a history: the steps that tell, beliefs by round, and every step by its layer."""
        rows = [block.prior for block in self.blocks]
        before = self.shown(rows)
        ends = [np.repeat(one[None], len(rounds), axis=0) for one in before]
        steps: list[BeliefStep] = []
        every: dict[int, BeliefStep] = {}
        for step in history.steps:
            rows = [self.after(block, row, step.edge) for block, row in zip(self.blocks, rows, strict=True)]
            after = self.shown(rows)
            probability = float(self.public[step.edge])
            one = BeliefStep(
                round=step.round, player=step.player, move=step.move, probability=probability, off_path=probability <= 0,
                before=before, after=after, node=step.node, edge=step.edge,
            )  # fmt: skip
            every[self.graph.layer_of(step.node)] = one
            if self.tells(step.node, step.edge) or max(one.shift) > MOVED:
                steps.append(one)
            for end, now in zip(ends, after, strict=True):
                end[step.round - rounds[0] :] = now
            before = after
        return tuple(steps), tuple(frozen(end) for end in ends), every

    def path(self, history: History, rounds: tuple[int, ...]) -> BeliefPath:
        """Carry beliefs along one of the most likely histories."""
        steps, ends, _ = self.follow(history, rounds)
        until = max((step.round for step in history.steps), default=rounds[0])
        return BeliefPath(
            kind="likely", probability=history.probability, share=1.0, until=until, steps=steps, by_round=ends
        )

    # -- all histories ----------------------------------------------------------------------------------------------------------------

    def spreads(self, paths: Paths) -> tuple[Spread, ...]:
        """Return the distribution of beliefs over all histories, for each watched player."""
        lanes = slice(self.variant * self.types.lanes, (self.variant + 1) * self.types.lanes)
        reached = reach(self.game.laid_out().take(lanes), np.ascontiguousarray(self.profile))  # (s, n)
        out: list[Spread] = []
        for block in self.blocks:
            stay, once = self.collect(block, reached, paths.rounds)
            out += [self.spread(player, to, stay, once) for player, to in zip(block.players, block.rows, strict=True)]
        return tuple(out)

    def collect(self, block: _Block, reached: Floats, rounds: tuple[int, ...]) -> tuple[list[Any], list[Any]]:
        """List for each end of a round pairs of beliefs (m, K) and weights by lane (m, s): those that stay from then on, and the others."""
        graph = self.graph
        stay: list[list[tuple[Floats, Floats]]] = [[] for _ in rounds]
        once: list[list[tuple[Floats, Floats]]] = [[] for _ in rounds]
        some = (self.expected @ reached > 0) & block.alive & ~np.isnan(block.at).any(axis=1)
        for layer in range(graph.layer_count):
            nodes = np.arange(graph.nodes(layer).start, graph.nodes(layer).stop)
            place = int(graph.layer_round[layer]) - rounds[0]
            if graph.layer_boundary[layer]:
                here = nodes[some[nodes]]
                pair = (block.at[here], reached[:, here].T)
                if graph.layer_player[layer] == TERMINAL:
                    stay[place].append(pair)
                else:
                    once[place - 1].append(pair)
            edges = np.arange(graph.edges(layer).start, graph.edges(layer).stop)
            edges = edges[some[self.source[edges]] & ~block.alive[graph.edge_dst[edges]]]
            if len(edges):
                joint = block.at[self.source[edges]] * self.likelihood(block, edges)
                total = joint.sum(axis=1, keepdims=True)
                rows = np.divide(joint, total, out=block.at[self.source[edges]].copy(), where=total > 0)
                stay[place].append((rows, (reached[:, self.source[edges]] * self.profile[:, edges]).T))
        gone = [int(root) for root in graph.roots if not block.alive[root]]
        if gone:
            stay[0].append((np.repeat(block.prior[None], len(gone), axis=0), reached[:, gone].T))
        return stay, once

    def spread(self, player: int, to: Floats, stay: list[Any], once: list[Any]) -> Spread:
        """Sum one player's beliefs up."""
        count = self.types.count[player]
        weight = np.zeros((count, self.types.lanes))
        for k in range(count):
            mine = np.where(self.types.holds(player, k), self.expected, 0.0)
            weight[k] = mine / mine.sum() if mine.sum() > 0 else np.nan
        shape = (len(stay), count)
        mean, low, high = np.empty(shape), np.empty(shape), np.empty(shape)
        given = np.empty((count, *shape))
        kept: list[tuple[Floats, Floats]] = []
        for t, (staying, passing) in enumerate(zip(stay, once, strict=True)):
            kept += staying
            rows = np.concatenate([one @ to for one, _ in (*kept, *passing)])
            lanes = np.concatenate([one for _, one in (*kept, *passing)])
            whole = lanes @ self.expected
            mean[t] = whole @ rows
            given[:, t] = (lanes @ weight.T).T @ rows
            low[t], high[t] = _tenths(rows, whole)
        return Spread(mean=frozen(mean), low=frozen(low), high=frozen(high), given=frozen(given))


def _tenths(rows: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Return for each column the least values with a tenth, and nine tenths, of the weight at or below."""
    out = np.empty((2, rows.shape[1]))
    for k, column in enumerate(rows.T):
        order = np.argsort(column, kind="stable")
        below = np.cumsum(weight[order])
        for which, tenth in enumerate(TENTHS):
            place = int(np.searchsorted(below, tenth * below[-1] - SAME))
            out[which, k] = column[order[min(place, len(order) - 1)]]
    return out[0], out[1]


def _observer(players: tuple[str, ...], types: Types, observer: str) -> tuple[int, int]:
    """Read who believes: his number and that of his type; -1 for the public."""
    if not observer:
        return -1, 0
    name, _, kind = observer.partition(":")
    if name not in players:
        raise OptionError(f"observer '{name}' is not a player; {did_you_mean(name, players)}")
    who = players.index(name)
    names = types.names[who]
    if len(names) == 1 and not kind:
        return who, 0
    if kind not in names:
        raise OptionError(
            f"observer '{observer}' needs a type of {name}; write {name}:{names[0]}, of {', '.join(names)}"
        )
    return who, names.index(kind)


def belief_paths(
    solution: Solution, count: int = 3, variant: int = 0, records: str | None = None, observer: str = ""
) -> Beliefs:
    """Follow beliefs along the most likely histories, along the recorded one, and over all histories.

    Parameters
    ----------
    solution
        A certified solution of a game with private types.
    count
        How many of the most likely histories.
    variant
        Which variant.
    records
        ``"recorded"`` to add the recorded history, forced where the solution gives it probability 0.
    observer
        Whose beliefs: a player, ``player:type`` if he has several types, or by default anybody who sees what is public. Unless a joint
        prior ties types together, all believe the same.

    Raises
    ------
    OptionError
        Where nobody has a private type, nothing is recorded, or there is no such observer.
    NoAnswerError
        If the solution is not certified, or does not reach what was recorded.

    Examples
    --------
    >>> import sim
    >>> solution = sim.solve(sim.compile(sim.load("scenarios/entry_deterrence.toml")), "perfect_bayesian")
    >>> found = belief_paths(solution)
    >>> step = found.paths[1].decisive(0)
    >>> step.round, step.move, step.after[0].round(2).tolist()
    (3, 'share_market', [1.0, 0.0])
    >>> found.martingale < 1e-12
    True
    """
    if records not in (None, "recorded"):
        raise OptionError(f"records is '{records}'; expected 'recorded', or nothing")
    if solution.game.types is None:
        _Watcher(solution, variant, observer)  # says why not
    solution = one_variant(solution.require(), variant) if solution.game.variants > 1 else solution
    paths = play(solution)
    watcher = _Watcher(solution, 0, observer)
    found = [watcher.path(history, paths.rounds) for history in paths.histories(count)]
    if records:
        walked = replay(solution)
        if not walked.steps:
            raise OptionError("no record of the history lies in these rounds; add [[history]] tables, or start earlier")
        history, share = _recorded(walked)
        likely = float(np.prod([step.probability for step in walked.steps]))
        one = watcher.path(history, paths.rounds)
        found.append(replace(one, kind="recorded", probability=likely, share=share))
    return Beliefs(
        solution=solution, variant=variant, observer=observer,
        players=tuple(solution.game.graph.players[j] for j in watcher.players),
        types=tuple(watcher.types.names[j] for j in watcher.players),
        prior=watcher.shown([block.prior for block in watcher.blocks]), rounds=paths.rounds, paths=tuple(found), spreads=watcher.spreads(paths),
    )  # fmt: skip


def _recorded(walked: Replay) -> tuple[History, float]:
    """Return the likeliest course of play up to the last record, and its share among those that the records leave open."""
    paths = walked.paths()
    graph = paths.game.graph
    whole = paths.histories(1)[0]
    steps = tuple(step for step in whole.steps if graph.layer_of(step.node) <= walked.layer)
    share = float(np.prod([paths.profile[0, step.edge] for step in steps]))
    return History(probability=share, steps=steps), share


def record_beliefs(walked: Replay, observer: str = "") -> tuple[tuple[str, ...], tuple[BeliefStep, ...]]:
    """Say how each record of a replayed history moved what is believed.

    Where several players choose at once, a record moves the belief about its own player, and the last of them whatever else moves.

    Parameters
    ----------
    walked
        A replayed history of a game with private types.
    observer
        As for :func:`belief_paths`.

    Returns
    -------
    tuple
        The watched players, and for each record the step with the beliefs before and after it.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.replay import replay, told
    >>> scenario = sim.load("scenarios/entry_deterrence.toml")
    >>> solution = sim.solve(sim.compile(scenario), "perfect_bayesian")
    >>> players, steps = record_beliefs(replay(solution, records=told(scenario, "entrant_1:enter > fight")))
    >>> steps[1].move, steps[1].after[0].round(2).tolist()
    ('fight', [0.75, 0.25])
    """
    watcher = _Watcher(walked.solution, 0, observer)
    players = tuple(walked.solution.game.graph.players[j] for j in watcher.players)
    if not walked.steps:
        return players, ()
    history, _ = _recorded(walked)
    _, _, every = watcher.follow(history, play(walked.solution).rounds)
    out: list[BeliefStep] = []
    for place, step in enumerate(walked.steps):
        one = every[step.layer]
        together = [place for place, other in enumerate(walked.steps) if other.layer == step.layer]
        if len(together) > 1:
            one = _part(one, players, out[together[0] : place], step.record.player, last=place == together[-1])
        out.append(one)
    return players, tuple(out)


def _part(
    one: BeliefStep, players: tuple[str, ...], earlier: Iterable[BeliefStep], player: str, *, last: bool
) -> BeliefStep:
    """Return the part that one of several records at once has in what they show together."""
    before = next((step.after for step in reversed([*earlier])), one.before)
    moved = zip(players, before, one.after, strict=True)
    after = one.after if last else tuple(late if name == player else now for name, now, late in moved)
    return replace(one, player=player, before=before, after=after)
