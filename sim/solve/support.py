r"""Solve a stationary game exactly once it is known who plays what with positive probability.

Given the supports, an equilibrium satisfies :math:`U_{ia} = U_{ib}` on the support of player i at each node, probability 0 off it, and the
value equations. The system is square; Newton's method from a nearby point of the logit branch solves it, and the answer is kept only if no
probability is negative and nobody gains off the support. What makes a player indifferent may lie at other nodes, so nothing is eliminated
here: probabilities and values are solved for together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from sim.kinds import Floats

__all__ = ["finish"]

THRESHOLDS = (1e-2, 1e-4, 1e-3, 5e-2, 1e-6)
MOST_CORRECTIONS = 12
EXACT = 1e-13
SMALL = 1200  # unknowns up to which linear algebra is dense


def finish(system: Any, x: Floats, value: Floats, gain: float) -> tuple[Floats, Floats] | None:
    """Try supports suggested by a point of the branch.

    Parameters
    ----------
    system
        The equations (:mod:`sim.solve.homotopy`).
    x, value
        Logarithms of probabilities (total,), and values (u, i).
    gain
        Largest gain that is accepted, in units of the payoff range.

    Returns
    -------
    tuple or None
        Logarithms (minus infinity off the support) and values of an equilibrium; None if no support led to one.
    """
    p = np.exp(x)
    tried: set[bytes] = set()
    for threshold in THRESHOLDS:
        kept = p > threshold
        if kept.tobytes() in tried:
            continue
        tried.add(kept.tobytes())
        found = _newton(system, np.where(kept, p, 0.0), value, kept)
        if found is not None:
            with np.errstate(divide="ignore"):
                logs = np.log(np.maximum(found[0], 0.0))
            if system.gain_at(logs, found[1]) <= gain:
                return logs, found[1]
    return None


def _newton(system: Any, p: Floats, value: Floats, kept: Any) -> tuple[Floats, Floats] | None:
    """Solve for probabilities and values; None if that fails or a probability is negative."""
    span = np.tile(system.game.numbers.span[0], len(system.unknown))
    before = np.inf
    for _ in range(MOST_CORRECTIONS):
        matrix, residual = _equations(system, p, value, kept)
        step = _solved(matrix, residual)
        if step is None or not np.isfinite(step).all():
            return None
        p = p - step[: system.total]
        value = value - step[system.total :].reshape(value.shape)
        size = float(
            max(np.abs(step[: system.total]).max(initial=0.0), (np.abs(step[system.total :]) / span).max(initial=0.0))
        )
        if size > 1e3 or (size > before and before < 1e-9):  # noqa: PLR2004 - lost, or as good as it gets
            return (p, value) if size < 1e-8 and p.min(initial=0.0) >= -EXACT else None  # noqa: PLR2004
        before = size
        if size <= EXACT:
            break
    return (p, value) if before <= 1e-9 and p.min(initial=0.0) >= -1e-12 else None  # noqa: PLR2004


def _solved(matrix: Any, residual: Floats) -> Floats | None:
    """Solve a sparse system; None if it is singular."""
    import warnings

    from scipy.sparse.linalg import MatrixRankWarning, splu

    try:
        if matrix.shape[0] <= SMALL:
            return np.linalg.solve(matrix.toarray(), residual)
        with warnings.catch_warnings():
            warnings.simplefilter("error", MatrixRankWarning)
            return splu(matrix).solve(residual)
    except (np.linalg.LinAlgError, RuntimeError, MatrixRankWarning):
        return None


def _equations(system: Any, p: Floats, value: Floats, kept: Any) -> tuple[Any, Floats]:
    """Return the derivative and the residual of all equations, probabilities first."""
    from scipy import sparse

    players, count = system.players, len(system.unknown)
    q = system.worth(value)
    rows: list[Any] = []
    columns: list[Any] = []
    data: list[Any] = []
    residual = np.zeros(system.total + count * players)
    by_value: list[list[Any]] = [[[], [], []] for _ in range(players)]  # equations, edges, factors

    def add(row: Any, column: Any, entry: Any) -> None:
        row, column, entry = np.broadcast_arrays(row, column, entry)
        keep = entry != 0
        rows.append(row[keep])
        columns.append(column[keep])
        data.append(entry[keep])

    def lean(player: int, row: Any, edge: Any, factor: Any) -> None:
        row, edge, factor = np.broadcast_arrays(row, edge, factor)
        keep = factor != 0
        for part, entry in zip(by_value[player], (row[keep], edge[keep], factor[keep]), strict=True):
            part.append(entry)

    for block in system.blocks:
        qs = q[block.edges]
        parts = (
            [part[:, own] for part, own in zip(system.split(block, p[block.places]), block.own, strict=True)]
            if block.active
            else []
        )
        for i in range(players):
            equation = system.total + block.nodes * players + i
            share = np.multiply.reduce(parts) if parts else system.chances(block, i)
            residual[equation] = value[block.nodes, i] - (share * qs[:, :, i]).sum(axis=1)
            add(equation, equation, 1.0)
            lean(i, equation[:, None], block.edges, -share)
        starts = np.concatenate(([0], np.cumsum(block.shape))).astype(int)
        for place, player in enumerate(block.active):
            where = block.places[:, starts[place] : starts[place + 1]]
            inside = kept[where]
            reference = p[where].argmax(axis=1)
            first = where[np.arange(len(where)), reference]
            others = np.multiply.reduce(
                [part for other, part in enumerate(parts) if other != place] or [np.ones(parts[0].shape)]
            )
            pick = block.own[place][None, :] == np.arange(block.shape[place])[:, None]
            weighed = pick[None] * others[:, None, :]  # (k, own, e)
            best = weighed[np.arange(len(where)), reference]
            equal = inside & (np.arange(block.shape[place])[None] != reference[:, None])
            residual[where] = np.where(
                equal, np.einsum("koe,ke->ko", weighed - best[:, None], qs[:, :, player]), p[where]
            )
            residual[first] = p[where].sum(axis=1) - 1.0
            add(where, where, np.where(inside, 0.0, 1.0))
            add(first[:, None], where, 1.0)
            lean(player, where[:, :, None], block.edges[:, None, :], (weighed - best[:, None]) * equal[:, :, None])
            for i in range(players):
                slope = -np.einsum("koe,ke->ko", weighed, qs[:, :, i])
                add(system.total + block.nodes[:, None] * players + i, where, slope)
            for other in range(len(parts)):
                if other != place:
                    rest = np.multiply.reduce(
                        [part for one, part in enumerate(parts) if one not in (place, other)]
                        or [np.ones(parts[0].shape)]
                    )
                    for b in range(block.shape[other]):
                        moved = pick[None] * (rest * (block.own[other] == b))[:, None, :]
                        change = np.einsum("koe,ke->ko", moved, qs[:, :, player])
                        change = change - change[np.arange(len(where)), reference][:, None]
                        add(where, block.places[:, starts[other] + b][:, None], change * equal)
    size = system.total + count * players
    matrix = sparse.csc_array(
        (np.concatenate(data), (np.concatenate(rows), np.concatenate(columns))), shape=(size, size)
    )
    for i in range(players):
        row, edge, factor = (np.concatenate(part) for part in by_value[i])
        mixing = sparse.csr_array((factor, (row, edge)), shape=(size, len(system.edges)))
        product = sparse.coo_array(mixing @ sparse.csr_array(system.rows[i]))
        column = system.total + product.col.astype(np.int64) * players + i
        matrix = matrix + sparse.csc_array((product.data, (product.row, column)), shape=(size, size))
    return matrix.tocsc(), residual
