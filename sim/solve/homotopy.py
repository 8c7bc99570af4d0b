r"""Follow the branch of stationary logit equilibria from uniform play.

Unknown are, at every node at which somebody chooses, the logarithms :math:`x` of the choice probabilities, and the value :math:`V_i` of
every such node and of every node to which a round leads back. Chance is taken out beforehand: along an edge, :math:`Q_i(e) = c_i(e) +
T_i(e) V_i` with a sparse row :math:`T_i(e)` that holds beliefs and discounting. The equations are the logit condition at each node, with
precision :math:`s \lambda_i`, and :math:`V_i(n) = \sum_e \sigma(e) Q_i(e)`. A node's own logarithms enter its own equations only, so they
are eliminated node by node, and what is left is linear algebra in values: dense or sparse, as the transitions are. The branch is followed
along its arc and may turn back in ``s``.

Source: Herings, P. J.-J. & Peeters, R. (2004) Stationary equilibria in stochastic games: structure, selection, and computation, Journal of
Economic Theory 118:32-60; Eibelshäuser, S. & Poensgen, D. (2019) Markov quantal response equilibrium and a homotopy method for computing
and selecting Markov perfect equilibria.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.game.graph import CHANCE, RETURN, SIMULTANEOUS, TERMINAL
from sim.solve.support import finish
from sim.solve.watch import tell

if TYPE_CHECKING:
    from sim.game.graph import Game
    from sim.kinds import Floats

__all__ = ["Found", "follow"]

DENSE = 0.1  # share of entries above which linear algebra is dense
FIRST_STEP = 0.1
LEAST_STEP = 1e-8
MOST_STEPS = 1500
MOST_CORRECTIONS = 6
ACCURACY = 1e-5  # on the way; the end is corrected fully
EXACT = 1e-12
FARTHEST = 1e14
NEAR = 1e-2  # gain from which supports are guessed
CAREFUL = (
    0.003,
    0.03,
    0.15,
    0.5,
)  # first corrections up to which steps grow a lot, grow, stay; above the last the step is refused
BOLD = (0.02, 0.2, 0.6, 2.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The end of a branch.

    Attributes
    ----------
    profile : float array, (e,)
    values : float array, (n, i)
    path : float array, (steps, 1 + e)
        s and the profile on the way, if they were kept.
    arrived : bool
        Whether the branch was followed to its end.
    singular : float
        Smallest singular value of the matrix of the value equations at the end, in units of the payoff ranges.
    """

    profile: Floats
    values: Floats
    path: Floats
    arrived: bool
    singular: float


@dataclass(slots=True)
class _Block:
    """Nodes of one shape: places among the unknown values, edges, and each joint action's own actions."""

    nodes: Any
    edges: Any
    active: tuple[int, ...]
    shape: tuple[int, ...]
    places: Any  # (k, own actions): where their logarithms stand
    own: list[Any] = field(default_factory=list[Any])  # for each active player, its action in each joint action


@dataclass(slots=True)
class _Point:
    """A point of the branch."""

    x: Floats
    value: Floats  # (u, i)
    s: float


class _System:
    """The equations of one variant.

    Parameters
    ----------
    game
        One variant of a stationary game.
    precision
        λ of each player at s = 1, (i,).
    """

    def __init__(self, game: Game, precision: Floats) -> None:
        self.game, self.graph = game, game.graph
        self.players = len(game.graph.players)
        self.precision = precision
        kinds = self.graph.layer_player[self.graph.node_layer()]
        homes = np.unique(self.graph.node_return[self.graph.node_return >= 0])
        inner = (kinds >= 0) | (kinds == SIMULTANEOUS)
        inner[homes] = True
        self.unknown = np.flatnonzero(inner)
        self.place = np.full(self.graph.node_count, -1)
        self.place[self.unknown] = np.arange(len(self.unknown))
        self.kinds = kinds
        source = self.graph.edge_source()
        self.edges = np.flatnonzero(
            inner[source]
        )  # those that leave a node whose value is unknown; all arrays count these
        self.number = np.full(self.graph.edge_count, -1)
        self.number[self.edges] = np.arange(len(self.edges))
        self.rows, self.constants = zip(*(self._resolve(i) for i in range(self.players)), strict=True)
        self._lay_out()

    def _resolve(self, i: int) -> tuple[Any, Floats]:
        """Tell a player's value on arrival at each node as a row over unknown values and a constant; return those of all edges."""
        from scipy import sparse

        graph, numbers = self.graph, self.game.numbers
        discount = float(numbers.discount[0, i])
        columns = len(self.unknown)
        coefficient: list[Any] = [None] * graph.layer_count
        constant = np.zeros(graph.node_count)
        arrival: Any = None
        for layer in range(graph.layer_count - 1, -1, -1):
            here = graph.nodes(layer)
            nodes = np.arange(here.start, here.stop)
            kind = int(graph.layer_player[layer])
            known = self.place[nodes] >= 0
            if kind == TERMINAL:
                row = sparse.csr_array((len(nodes), columns))
                base = numbers.reward[0, graph.node_final[nodes, i]]
            elif kind == RETURN:
                row = _unit(np.arange(len(nodes)), self.place[graph.node_return[nodes]], (len(nodes), columns))
                base = np.zeros(len(nodes))
            else:
                row = _unit(np.flatnonzero(known), self.place[nodes[known]], (len(nodes), columns))
                base = np.zeros(len(nodes))
                if kind == CHANCE and not known.all():
                    edges = np.arange(graph.edges(layer).start, graph.edges(layer).stop)
                    owner = graph.edge_source()[edges] - here.start
                    share = numbers.prob[0, graph.edge_prob[edges], 1 + i] * ~known[owner]
                    spread = sparse.csr_array((share, (owner, np.arange(len(edges)))), shape=(len(nodes), len(edges)))
                    row = row + spread @ arrival[graph.edge_dst[edges] - here.stop]
                    base = base + spread @ (numbers.pay[0, graph.edge_pay[edges], i] + constant[graph.edge_dst[edges]])
            if graph.layer_boundary[layer]:
                base = numbers.reward[0, graph.node_reward[nodes, i]] + discount * base
                row = row * discount
            constant[nodes] = base
            coefficient[layer] = row
            arrival = row if arrival is None else sparse.vstack([row, arrival], format="csr")
        to = graph.edge_dst[self.edges]
        return arrival[to], numbers.pay[0, graph.edge_pay[self.edges], i] + constant[to]

    def _lay_out(self) -> None:
        """Group the nodes by shape, and give logarithms their places."""
        graph = self.graph
        self.blocks: list[_Block] = []
        self.total = 0
        starts: list[Floats] = []
        shapes = np.where((self.kinds[self.unknown] == CHANCE)[:, None], -1, graph.node_shape[self.unknown])
        degree = np.diff(graph.edge_start)[self.unknown]
        keys = np.concatenate((shapes, degree[:, None]), axis=1)
        distinct, which = np.unique(keys, axis=0, return_inverse=True)
        for number, key in enumerate(distinct):
            places = np.flatnonzero(which.reshape(-1) == number)
            nodes = self.unknown[places]
            edges = self.number[graph.edge_start[nodes][:, None] + np.arange(int(key[-1]))]
            active = tuple(int(i) for i in np.flatnonzero(key[:-1] > 1))
            shape = tuple(int(key[i]) for i in active)
            size = sum(shape)
            block = _Block(
                places, edges, active, shape, self.total + np.arange(len(nodes) * size).reshape(len(nodes), size)
            )
            grid = np.indices(shape).reshape(len(shape), -1) if shape else np.zeros((0, 1), dtype=int)
            block.own = list(grid)
            self.total += len(nodes) * size
            self.blocks.append(block)
            if active:
                weight = graph.edge_weight[self.edges[edges]]
                for a, count in enumerate(shape):
                    mass = np.stack([weight[:, grid[a] == action].sum(axis=1) for action in range(count)], axis=1)
                    starts.append(np.log(mass / mass.sum(axis=1, keepdims=True)))
        self.logs = np.zeros(self.total)
        taken = iter(starts)
        for block in self.blocks:
            if block.active:
                self.logs[block.places] = np.concatenate([next(taken) for _ in block.active], axis=1)
        count = len(self.unknown)
        filled = max(row.nnz / max(1, row.shape[0] * row.shape[1]) for row in self.rows)
        self.dense = filled > DENSE or count <= 60  # noqa: PLR2004 - small systems are dense anyway
        if self.dense:
            self.rows = tuple(row.toarray() for row in self.rows)

    # -- one point ----------------------------------------------------------------------------------------------------

    def worth(self, value: Floats) -> Floats:
        """Return Q of all edges, (e, i)."""
        return np.stack([self.constants[i] + self.rows[i] @ value[:, i] for i in range(self.players)], axis=1)

    def shares(self, x: Floats) -> Floats:
        """Return the probability of every edge that leaves an unknown node, (e,)."""
        out = np.zeros(len(self.edges))
        for block in self.blocks:
            if not block.active:
                chance = self.game.numbers.prob[0, self.graph.edge_prob[self.edges[block.edges]], 0]
                out[block.edges] = chance if block.edges.shape[1] > 1 else 1.0
                continue
            p = np.exp(x[block.places])
            own = [part / part.sum(axis=1, keepdims=True) for part in self.split(block, p)]
            out[block.edges] = np.multiply.reduce([part[:, place] for part, place in zip(own, block.own, strict=True)])
        return out

    @staticmethod
    def split(block: _Block, p: Floats) -> list[Floats]:
        """Split own actions by player."""
        return np.split(p, np.cumsum(block.shape)[:-1], axis=-1)

    def linear(self, point: _Point) -> tuple[Floats, list[Any], Any]:
        """Set up Newton's equations with the logarithms eliminated.

        Returns
        -------
        tuple
            Residuals of the value equations with the logarithms' own taken in, (u i, 2): right-hand sides for the residual and for s;
            what is needed to get the logarithms back; and the matrix.
        """
        count, players = len(self.unknown), self.players
        q = self.worth(point.value)
        rhs = np.zeros((count, players, 2))
        back: list[Any] = []
        entries: list[tuple[Any, Any]] = []
        for block in self.blocks:
            k, size = block.edges.shape
            qs = q[block.edges]
            coefficient = np.zeros((k, players, players, size))
            if not block.active:
                for i in range(players):
                    coefficient[:, i, i] = chances = self.chances(block, i)
                    rhs[block.nodes, i, 0] = (chances * qs[:, :, i]).sum(axis=1) - point.value[block.nodes, i]
                entries.append((block, coefficient))
                continue
            p = self.split(block, np.exp(point.x[block.places]))
            parts = [part[:, own] for part, own in zip(p, block.own, strict=True)]
            share = np.multiply.reduce(parts)
            matrix, h, by_s, mix = self._local(block, point, p, parts, qs)
            own_rows = np.concatenate([np.arange(c) for c in block.shape])
            owner = np.repeat(np.arange(len(block.shape)), block.shape)
            slope = np.stack(
                [
                    np.einsum("ke,kei->ki", share * (block.own[j] == a), qs)
                    for j, a in zip(owner, own_rows, strict=True)
                ],
                axis=2,
            )  # what values gain by a logarithm
            solved = np.linalg.solve(matrix, np.concatenate((h[:, :, None], by_s[:, :, None]), axis=2))
            lift = np.linalg.solve(matrix.transpose(0, 2, 1), slope.transpose(0, 2, 1)).transpose(
                0, 2, 1
            )  # (k, i, own)
            rhs[block.nodes] = np.einsum("kio,koc->kic", -slope, solved)
            rhs[block.nodes, :, 0] += np.einsum("ke,kei->ki", share, qs) - point.value[block.nodes]
            for i in range(players):
                coefficient[:, i, i] += share
                for place, j in enumerate(block.active):
                    chosen = owner == place
                    coefficient[:, i, j] += np.einsum("ko,koe->ke", lift[:, i, chosen], mix[place])
            entries.append((block, coefficient))
            back.append((block, matrix, solved, mix))
        return rhs.reshape(-1, 2), back, self._matrix(entries)

    def _local(
        self, block: _Block, point: _Point, p: list[Floats], parts: list[Floats], qs: Floats
    ) -> tuple[Any, Any, Any, list[Any]]:
        """Return the block of the logit conditions: derivative by own logarithms, residual, derivative by s, and by action values."""
        k, size = block.edges.shape
        total = sum(block.shape)
        matrix, h, by_s = np.zeros((k, total, total)), np.zeros((k, total)), np.zeros((k, total))
        mix: list[Any] = []
        starts = np.concatenate(([0], np.cumsum(block.shape)))
        x = point.x[block.places]
        for place, i in enumerate(block.active):
            lam = point.s * self.precision[i]
            others = np.ones((k, size))
            for other, part in enumerate(parts):
                if other != place:
                    others = others * part
            first, count = starts[place], block.shape[place]
            pick = block.own[place][None, :] == np.arange(count)[:, None]  # (own, e)
            weighed = pick[None] * others[:, None, :]  # (k, own, e)
            u = np.einsum("koe,ke->ko", weighed, qs[:, :, i])
            row = slice(first + 1, first + count)
            matrix[:, first, first : first + count] = p[place]
            h[:, first] = p[place].sum(axis=1) - 1
            logs = self.logs[block.places]
            h[:, row] = (x[:, row] - x[:, [first]]) - (logs[:, row] - logs[:, [first]]) - lam * (u[:, 1:] - u[:, [0]])
            by_s[:, row] = -self.precision[i] * (u[:, 1:] - u[:, [0]])
            diagonal = np.arange(first + 1, first + count)
            matrix[:, diagonal, diagonal] = 1.0
            matrix[:, diagonal, first] = -1.0
            for other in range(len(parts)):
                if other != place:
                    for b in range(block.shape[other]):
                        moved = weighed * (block.own[other] == b)
                        change = np.einsum("koe,ke->ko", moved, qs[:, :, i])
                        matrix[:, row, starts[other] + b] = -lam * (change[:, 1:] - change[:, [0]])
            effect = np.zeros((k, count, size))
            effect[:, 1:] = lam * (
                weighed[:, 1:] - weighed[:, [0]]
            )  # minus the derivative of the condition by action values
            mix.append(effect)
        return matrix, h, by_s, mix

    def _matrix(self, entries: list[Any]) -> Any:
        """Put the matrix of the values together, (u i, u i)."""
        from scipy import sparse

        count, players = len(self.unknown), self.players
        if self.dense:
            out = np.zeros((count, players, count, players))
            for block, coefficient in entries:
                for j in range(players):
                    moved = np.einsum("kie,keu->kiu", coefficient[:, :, j], self.rows[j][block.edges])
                    out[block.nodes, :, :, j] -= moved
            out = out.reshape(count * players, count * players)
            out[np.diag_indices_from(out)] += 1.0
            return out
        parts: list[Any] = []
        for j in range(players):
            for i in range(players):
                data = np.concatenate([c[:, i, j].reshape(-1) for _, c in entries])
                row = np.concatenate([np.repeat(block.nodes, block.edges.shape[1]) for block, _ in entries])
                edge = np.concatenate([block.edges.reshape(-1) for block, _ in entries])
                keep = data != 0
                mixing = sparse.csr_array((data[keep], (row[keep], edge[keep])), shape=(count, len(self.edges)))
                product = (mixing @ self.rows[j]).tocoo()
                parts.append((-product.data, product.row * players + i, product.col * players + j))
        size = count * players
        data, row, column = (np.concatenate([part[k] for part in parts]) for k in range(3))
        return (
            sparse.csc_array((data, (row, column)), shape=(size, size)) + sparse.eye_array(size, format="csc")
        ).tocsc()

    def directions(self, point: _Point) -> Floats:
        """Return Newton's step at fixed s and the step by s, (total + u i, 2)."""
        rhs, back, matrix = self.linear(point)
        if self.dense:
            dv = np.linalg.solve(matrix, rhs)
        else:
            from scipy.sparse.linalg import splu

            dv = splu(matrix).solve(rhs)
        dx = np.zeros((self.total, 2))
        dv3 = dv.reshape(len(self.unknown), self.players, 2)
        moved = (
            [np.stack([self.rows[i] @ dv3[:, i, c] for i in range(self.players)], axis=1) for c in range(2)]
            if self.total
            else []
        )
        for block, matrix_, solved, mix in back:
            for c in range(2):
                change = moved[c][block.edges]
                lifted = np.concatenate(
                    [np.einsum("koe,ke->ko", mix[place], change[:, :, i]) for place, i in enumerate(block.active)],
                    axis=1,
                )
                dx[block.places, c] = np.linalg.solve(matrix_, lifted[:, :, None])[:, :, 0] - solved[:, :, c]
        return np.concatenate((dx, dv))

    def chances(self, block: _Block, player: int) -> Floats:
        """Return a player's probabilities of the edges of chance nodes, (k, e)."""
        if block.edges.shape[1] == 1:
            return np.ones(block.edges.shape)
        return self.game.numbers.prob[0, self.graph.edge_prob[self.edges[block.edges]], 1 + player]

    def gain_at(self, x: Floats, value: Floats) -> float:
        """Return the largest gain of one deviation, in units of the payoff range."""
        q = self.worth(value)
        span = self.game.numbers.span[0]
        worst = 0.0
        for block in self.blocks:
            if not block.active:
                continue
            p = self.split(block, np.exp(x[block.places]))
            parts = [part[:, own] for part, own in zip(p, block.own, strict=True)]
            for place, i in enumerate(block.active):
                others = np.multiply.reduce(
                    [part for other, part in enumerate(parts) if other != place] or [np.ones(parts[0].shape)]
                )
                pick = block.own[place][None, :] == np.arange(block.shape[place])[:, None]
                u = np.einsum("oe,ke,ke->ko", pick, others, q[block.edges][:, :, i])
                worst = max(worst, float((u.max(axis=1) - (p[place] * u).sum(axis=1)).max()) / span[i])
        return worst


def _unit(rows: Any, columns: Any, shape: tuple[int, int]) -> Any:
    from scipy import sparse

    return sparse.csr_array((np.ones(len(rows)), (rows, columns)), shape=shape)


def _start(system: _System) -> _Point:
    """Return uniform play and its values."""
    x = system.logs.copy()
    point = _Point(x, np.zeros((len(system.unknown), system.players)), 0.0)
    step = system.directions(point)
    point.value = point.value + step[system.total :, 0].reshape(point.value.shape)
    return point


def _move(system: _System, point: _Point, step: Floats, ds: float) -> _Point:
    x = point.x + step[: system.total]
    return _Point(x, point.value + step[system.total :].reshape(point.value.shape), point.s + ds)


def follow(
    game: Game, precision: Floats | None = None, *, gain: float = 1e-9, keep: bool = False, until: float = np.inf
) -> Found:
    """Follow the branch from uniform play.

    Parameters
    ----------
    game
        A stationary game with one variant.
    precision
        Stop at these λ (i,); by default follow until one deviation gains at most ``gain`` of the payoff range.
    gain
        See there.
    keep
        Whether to keep the path.
    until
        Stop at this time of the monotonic clock.

    Returns
    -------
    Found
        ``arrived`` is False where the branch was lost.
    """
    span = game.numbers.span[0]
    scale = np.ones(len(span)) / span * 10 if precision is None else np.asarray(precision, dtype=np.float64)
    system = _System(game, scale)
    weight = np.concatenate(
        (np.ones(system.total), np.tile(1.0 / span, len(system.unknown)))
    )  # values in units of the range
    point = _start(system)
    path = [_row(system, point)] if keep else []
    tangent, tangent_s, step = np.zeros(len(weight)), 1.0, FIRST_STEP
    arrived, wanted = False, NEAR
    for number in range(MOST_STEPS):
        tell(number, MOST_STEPS)
        if time.monotonic() > until:
            break
        if precision is None:
            now = system.gain_at(point.x, point.value)
            if now <= gain or point.s > FARTHEST:
                arrived = now <= gain
                break
            if now <= wanted:  # near enough to guess who plays what
                wanted = now / 4
                exact = finish(system, point.x, point.value, gain)
                if exact is not None:
                    return _found(system, _Point(exact[0], exact[1], point.s), np.array(path), arrived=True)
        directions = system.directions(point)
        by_s = directions[:, 1]
        norm = np.sqrt(((weight * by_s) ** 2).sum() + 1.0)
        sign = 1.0 if (weight * by_s * tangent).sum() + tangent_s >= 0 else -1.0
        tangent, tangent_s = sign * weight * by_s / norm, sign / norm
        moved = _correct(system, point, (by_s * sign / norm, tangent, tangent_s), weight, step, precision is not None)
        while moved is None and step > LEAST_STEP:
            step *= 0.3
            moved = _correct(
                system, point, (by_s * sign / norm, tangent, tangent_s), weight, step, precision is not None
            )
        if moved is None:
            break
        point, quick, last = moved
        if keep:
            path.append(_row(system, point))
        if last:
            arrived = True
            break
        step *= quick
    return _found(system, _polished(system, point) if arrived else point, np.array(path), arrived)


def _polished(system: _System, point: _Point) -> _Point:
    """Correct a point at its s until nothing moves."""
    before = np.inf
    for _ in range(MOST_CORRECTIONS):
        directions = system.directions(point)
        size = float(np.abs(directions[:, 0]).max(initial=0.0))
        if not size < before:
            break
        point, before = _move(system, point, directions[:, 0], 0.0), size
        if size <= EXACT:
            break
    return point


def _correct(
    system: _System,
    point: _Point,
    tangent: tuple[Floats, Floats, float],
    weight: Floats,
    step: float,
    stops: bool,  # noqa: FBT001
) -> tuple[_Point, float, bool] | None:
    """Predict and correct one step; return the new point, by what to change the step, and whether s = 1 was reached; None if it failed."""
    raw, scaled, tangent_s = tangent
    last = stops and point.s + step * tangent_s >= 1.0
    length = (1.0 - point.s) / tangent_s if last else step
    trial = _move(system, point, length * raw, length * tangent_s)
    far = 0.0
    before = np.inf
    bold = CAREFUL if stops else BOLD
    for turn in range(MOST_CORRECTIONS):
        try:
            directions = system.directions(trial)
        except (np.linalg.LinAlgError, RuntimeError):
            return None
        if not np.isfinite(directions).all():
            return None
        newton, by_s = directions[:, 0], directions[:, 1]
        if last:
            ds = 1.0 - trial.s
        else:
            down = tangent_s + (scaled * weight * by_s).sum()
            gone = ((trial.x - point.x), (trial.value - point.value).reshape(-1), trial.s - point.s)
            off = (scaled * weight * np.concatenate(gone[:2])).sum() + tangent_s * gone[2] - length
            ds = -(off + (scaled * weight * newton).sum()) / down if down else 0.0
        change = newton + ds * by_s
        size = float(
            max(np.abs(weight * change / (1.0 + np.abs(weight * _flat(trial)))).max(), abs(ds) / (1.0 + abs(trial.s)))
        )
        if turn == 0:
            far = size
            if size > bold[3]:  # the prediction was too bold
                return None
        if not np.isfinite(size) or (turn > 0 and size > 0.7 * before):
            return None
        before = size
        trial = _move(system, trial, change, ds)
        if trial.x.max(initial=-1.0) > 1e-6 and turn > 1:  # noqa: PLR2004 - a logarithm of a probability is not positive
            return None
        if size <= ACCURACY:
            quick = 2.5 if far < bold[0] else 1.5 if far < bold[1] else 1.0 if far < bold[2] else 0.6
            over = stops and trial.s > 1.0 + 1e-12 and not last
            return None if over else (trial, quick, last)
    return None


def _flat(point: _Point) -> Floats:
    return np.concatenate((point.x, point.value.reshape(-1)))


def _row(system: _System, point: _Point) -> Floats:
    profile = np.zeros(system.graph.edge_count)
    profile[system.edges] = system.shares(point.x)
    return np.concatenate(([point.s], profile))


def _found(system: _System, point: _Point, path: Floats, arrived: bool) -> Found:  # noqa: FBT001
    graph = system.graph
    profile = np.zeros(graph.edge_count)
    profile[system.edges] = system.shares(point.x)
    values = np.zeros((graph.node_count, system.players))
    values[system.unknown] = point.value
    return Found(profile=profile, values=values, path=path, arrived=arrived, singular=_singular(system, point))


def _singular(system: _System, point: _Point) -> float:
    """Return the smallest singular value of the value equations; 0 where a logarithm is infinite."""
    from scipy.sparse.linalg import norm, splu

    if not np.isfinite(point.x).all():
        return 0.0
    matrix = system.linear(point)[2]
    if system.dense:
        return float(np.linalg.svd(matrix, compute_uv=False)[-1])
    try:
        factors = splu(matrix)
    except RuntimeError:
        return 0.0
    vector = np.ones(matrix.shape[0])
    size = float(norm(matrix))
    for _ in range(30):  # inverse iteration
        vector = factors.solve(factors.solve(vector / np.linalg.norm(vector)), trans="T")
        size = 1 / np.sqrt(np.linalg.norm(vector))
    return float(size)
