"""Plays drawn by chance, with standard errors: for what the exact pass does not answer.

That is the whole distribution of a sum or count, several outcomes of the same play together, and anything a user computes play by play. The memory of path
operators is carried along each play, apart from the exact evaluation (:mod:`sim.analysis.outcomes`), so that the two can check each other.

Plays are drawn in blocks, each with its own child of the seed: the same seed gives the same plays whatever the number of threads, and more plays begin with
the same ones. A mean of ``n`` plays has the standard error s / √n with s² their variance (n − 1 below).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.analysis.outcomes import operand_values, question, round_ends
from sim.errors import OptionError, did_you_mean
from sim.kinds import frozen
from sim.numerics.threads import over_variants
from sim.scenario.evaluate import evaluate

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sim.analysis.paths import Paths
    from sim.game.graph import Game
    from sim.kinds import Bools, Floats, Ints
    from sim.scenario.expression import Atom, Expression

__all__ = ["Estimate", "Sample", "sample"]

BLOCK = 1 << 15
MOST = 20_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A mean over plays, its standard error, and over how many plays it is taken."""

    value: float
    error: float
    plays: int


def _mean(values: Floats) -> Estimate:
    """Return the mean with its standard error; NaN where there are too few."""
    count = len(values)
    value = float(values.mean()) if count else float("nan")
    error = float(values.std(ddof=1)) / count**0.5 if count > 1 else float("nan")
    return Estimate(value=value, error=error, plays=count)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sample:
    """Outcomes of plays drawn by chance.

    Attributes
    ----------
    plays, seed : int
    values : dict of float arrays, (p,)
        Each outcome in each play; conditions are 0 or 1, and a lone ``first`` that never happens is infinite.
    firsts : frozenset of str
        Outcomes that are a lone ``first``.
    end : int array, (p,)
        The node at which each play ends.

    Examples
    --------
    >>> import sim
    >>> paths = sim.play(sim.solve(sim.compile(sim.load(sim.template())), "quantal_response", precision=1.0))
    >>> drawn = sample(paths, 20_000, seed=1)
    >>> estimate = drawn.estimates()["war"]
    >>> bool(abs(estimate.value - paths.outcome("war")[0]) < 5 * estimate.error)
    True
    """

    plays: int
    seed: int
    values: Mapping[str, Floats] = field(repr=False)
    firsts: frozenset[str] = field(repr=False)
    end: Ints = field(repr=False)

    def of(self, name: str) -> Floats:
        """Return one outcome in each play, (p,).

        Raises
        ------
        OptionError
            For an outcome that was not asked for.
        """
        if name not in self.values:
            raise OptionError(f"'{name}' is not among the outcomes drawn; {did_you_mean(name, self.values)}")
        return self.values[name]

    def estimates(self) -> dict[str, Estimate]:
        """Return what :meth:`sim.analysis.paths.Paths.outcomes` returns, estimated; a lone ``first`` gives ``name.never`` and ``name.round``."""
        out: dict[str, Estimate] = {}
        for name, values in self.values.items():
            if name in self.firsts:
                happened = np.isfinite(values)
                out[f"{name}.never"], out[f"{name}.round"] = (
                    _mean((~happened).astype(np.float64)),
                    _mean(values[happened]),
                )
            else:
                out[name] = _mean(values)
        return out

    def distribution(self, name: str) -> tuple[Floats, Floats, Floats]:
        """Return the distinct values of an outcome, how often each came up, and the standard error of that; each (values,).

        Examples
        --------
        >>> import sim
        >>> paths = sim.play(sim.solve(sim.compile(sim.load(sim.template())), "subgame_perfect"))
        >>> sample(paths, 100, seed=1).distribution("war")
        (array([0.]), array([1.]), array([0.]))
        """
        values, counts = np.unique(self.of(name), return_counts=True)
        share = counts / self.plays
        return values, share, np.sqrt(share * (1 - share) / max(1, self.plays - 1))

    def together(self, *names: str) -> tuple[Floats, Floats, Floats]:
        """Return the distinct combinations of several outcomes (rows, names), how often each came up, and the standard error (rows,) of that.

        Examples
        --------
        >>> import sim
        >>> paths = sim.play(sim.solve(sim.compile(sim.load(sim.template())), "subgame_perfect"))
        >>> sample(paths, 100, seed=1).together("pushed", "war")
        (array([[0., 0.]]), array([1.]), array([0.]))
        """
        if not names:
            raise OptionError(f"together needs the names of outcomes; {did_you_mean('', self.values)}")
        rows, counts = np.unique(np.stack([self.of(name) for name in names], axis=1), axis=0, return_counts=True)
        share = counts / self.plays
        return rows, share, np.sqrt(share * (1 - share) / max(1, self.plays - 1))

    def given(self, name: str, condition: str) -> Estimate:
        """Estimate an outcome among the plays in which another, a condition, came true.

        Examples
        --------
        >>> import sim
        >>> paths = sim.play(sim.solve(sim.compile(sim.load(sim.template())), "quantal_response", precision=1.0))
        >>> sample(paths, 20_000, seed=1).given("war", "pushed").value > 0
        True
        """
        return _mean(self.of(name)[self.of(condition) > 0])


def sample(paths: Paths, count: int, seed: int, *, variant: int = 0, outcomes: Iterable[str] | None = None) -> Sample:
    """Draw plays of a solution.

    Parameters
    ----------
    paths
        What is played, conditions included; endless games play the rounds that are shown.
    count
        How many plays, 2 to 20 million.
    seed
        At least 0; the same seed gives the same plays.
    variant
        Which variant.
    outcomes
        Which outcomes to evaluate; all of the scenario by default.

    Raises
    ------
    OptionError
        For numbers out of bounds, unknown outcomes, and one that has no value in some play.

    Examples
    --------
    >>> import sim
    >>> paths = sim.play(sim.solve(sim.compile(sim.load(sim.template())), "quantal_response"))
    >>> sample(paths, 1000, seed=7).of("pushed").shape
    (1000,)
    """
    if not 2 <= count <= MOST:  # noqa: PLR2004
        raise OptionError(f"asked for {count} plays; expected 2 to {MOST:,}")
    if seed < 0:
        raise OptionError(f"seed is {seed}; expected a whole number of at least 0")
    game = paths.game
    asked = {name: question(game, name) for name in (game.origin.scenario.questions if outcomes is None else outcomes)}
    atoms = list({atom: None for one in asked.values() for atom in one.atoms})
    values = np.zeros((len(atoms), game.graph.node_count))
    for place, atom in enumerate(atoms):
        if atom.inner is not None:
            values[place] = operand_values(game, atom)
    memory, end = _draw(paths, variant, count, seed, atoms, values)
    found = {
        name: frozen(np.array(_evaluated(game, name, expression, atoms, values, memory, end)))
        for name, expression in asked.items()
    }
    firsts = frozenset(name for name, one in asked.items() if one.node.op == "name" and one.atoms[0].op == "first")
    return Sample(plays=count, seed=seed, values=found, firsts=firsts, end=frozen(end))


def _kind(atom: Atom) -> int:
    """Return what an operator does with its memory."""
    from sim.analysis import walk

    by_op = {"ever": walk.GREATEST, "max_over": walk.GREATEST, "always": walk.LEAST, "min_over": walk.LEAST}
    by_op |= {
        "count": walk.ADD,
        "sum_over": walk.ADD,
        "first": walk.FIRST,
        "played": walk.PLAYED,
        "final": walk.NOTHING,
    }
    return by_op[atom.op]


def _draw(paths: Paths, variant: int, count: int, seed: int, atoms: list[Atom], values: Floats) -> tuple[Floats, Ints]:
    """Draw plays: what each operator remembers (p, o), and the node where each play ends (p,)."""
    from sim.analysis.walk import walk

    graph = paths.game.graph
    places, numbers = round_ends(paths.game)
    boundary, number = np.zeros(graph.node_count, dtype=np.bool_), np.zeros(graph.node_count)
    boundary[places], number[places] = True, numbers
    boundary[graph.nodes(0)] = False  # where play starts no round has ended
    played: Bools = np.zeros((len(atoms), len(graph.labels)), dtype=np.bool_)
    for place, atom in enumerate(atoms):
        if atom.op == "played":
            played[place] = [label.plays(atom.target, atom.player) for label in graph.labels]
    given: Any = (
        graph.edge_start, graph.edge_dst, graph.edge_label, frozen(paths.profile[variant]), frozen(boundary), frozen(number),
        graph.roots, frozen(paths.reached[variant, graph.roots]), frozen(np.array([_kind(atom) for atom in atoms], dtype=np.int32)),
        frozen(values), frozen(played),
    )  # fmt: skip
    memory, end = np.empty((count, len(atoms))), np.empty(count, dtype=np.int32)
    blocks = -(-count // BLOCK)
    children = np.random.SeedSequence(seed).spawn(blocks)

    def draw(first: int, stop: int) -> None:
        for block in range(first, stop):
            rng = np.random.default_rng(children[block])
            arguments: Any = (rng, *given, block * BLOCK, min(count, (block + 1) * BLOCK), memory, end)
            walk(*arguments)

    over_variants(draw, blocks)
    return memory, end


def _evaluated(
    game: Game, name: str, expression: Expression, atoms: list[Atom], values: Floats, memory: Floats, end: Ints
) -> Any:
    """Evaluate an outcome in each play, (p,)."""
    columns: dict[str, Any] = dict(game.origin.structure)
    for place, atom in enumerate(expression.atoms):
        row = atoms.index(atom)
        columns[f"@{place}"] = values[row][end] if atom.op == "final" else memory[:, row]
    out = np.broadcast_to(evaluate(expression.node, columns), end.shape)
    lone = expression.node.op == "name"
    if np.isnan(out).any() or (np.isinf(out).any() and not lone):
        raise OptionError(f"outcome {name} has no value in some plays; ask first() alone, or compare it with a number")
    return out.astype(np.float64)
