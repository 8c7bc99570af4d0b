"""Designs whose rows are points of the unit cube: random, Latin hypercube, Sobol, Saltelli and Morris.

Random designs draw blocks of 4096 rows, each with its own child of the seed, and Sobol sequences jump ahead, so that rows do not depend on
how their range is cut and need not be held all at once. Only Latin hypercubes and Morris' trajectories are drawn as a whole.

Sources: I. M. Sobol', USSR Computational Mathematics 7 (1967), scrambled as by A. B. Owen, Journal of Complexity 14 (1998); A. Saltelli,
Computer Physics Communications 145 (2002), whose order of rows is that of SALib; M. D. Morris, Technometrics 33 (1991); M. D. McKay,
R. J. Beckman and W. J. Conover, Technometrics 21 (1979).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from sim.analysis.grids import checked, distinct
from sim.errors import OptionError
from sim.kinds import frozen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sim.analysis.factors import Column, Factor
    from sim.kinds import Floats

__all__ = ["Morris", "Saltelli", "Sampled"]

BLOCK = 4096
"""Rows of a random design that share a child of the seed."""

MOST_WHOLE = 10_000_000
"""Rows of a design that is drawn as a whole."""

MOST_SOBOL = 2**30
"""Points of a Sobol sequence."""


def _seeded(seed: int) -> None:
    """Refuse what cannot be a seed."""
    if seed < 0:
        raise OptionError(f"seed is {seed}; expected 0 or more")


def _values(factors: Sequence[Factor], unit: Floats) -> dict[str, Column]:
    """Map points of the unit cube to columns."""
    out: dict[str, Column] = {}
    at = 0
    for factor in factors:
        out |= factor.values(unit[:, at : at + factor.width])
        at += factor.width
    return out


def _sobol(width: int, seed: int, start: int, stop: int) -> Floats:
    """Return points start … stop − 1 of a scrambled Sobol sequence, shape (m, k)."""
    from scipy.stats import qmc

    if start == stop:
        return np.empty((0, width))
    sequence: Any = qmc.Sobol  # the word for the seed depends on scipy's version, and its types know the newest only
    engine = sequence(d=width, scramble=True, seed=seed)
    if start:
        return engine.fast_forward(start).random(stop - start)
    return engine.random_base2((stop - 1).bit_length())[
        :stop
    ]  # its beginning is balanced where it is a power of 2 long


def _power_of_two(samples: int, kind: str) -> None:
    """Refuse numbers of points that spoil the balance of a Sobol sequence."""
    if samples > MOST_SOBOL:
        raise OptionError(
            f"a {kind} design has {samples:,} samples; expected at most {MOST_SOBOL:,}; use kind = 'random'"
        )
    if samples < 1 or samples & (samples - 1):
        near = 2 ** max(0, round(math.log2(max(1, samples))))
        raise OptionError(f"a {kind} design has {samples:,} samples; expected a power of 2, such as {near:,}")


def _problem(factors: Sequence[Factor]) -> dict[str, Any]:
    """Describe the unit cube to SALib: a group for each factor where one takes several coordinates."""
    names: list[str] = []
    groups: list[str] = []
    for factor in factors:
        names += [factor.name] if factor.width == 1 else [f"{factor.name}[{at}]" for at in range(1, factor.width + 1)]
        groups += [factor.name] * factor.width
    problem: dict[str, Any] = {"num_vars": len(names), "names": names, "bounds": [[0.0, 1.0]] * len(names)}
    return problem if names == groups else {**problem, "groups": groups}


def _check_factors(factors: tuple[Factor, ...], kind: str) -> None:
    """Refuse no factors, repeated names, and orders that only a random walk can sample."""
    if not factors:
        raise OptionError(
            f"a {kind} design varies nothing; expected at least one assumption with a range or choices, or an order"
        )
    distinct([name for factor in factors for name in factor.names])
    for factor in factors if kind != "random" else ():
        if not factor.exact:
            message = (
                f"order {factor.name} has too many down-sets for a {kind} design, which needs a map from the unit cube"
            )
            raise OptionError(f"{message}; state more of the order, split it, or use kind = 'random'")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sampled:
    """Independent or evenly spread points: ``random``, ``latin_hypercube`` or ``sobol``.

    Attributes
    ----------
    factors
        What is varied.
    kind
        ``sobol`` takes a power of 2; a Latin hypercube at most 10⁷ rows, since it is drawn as a whole.
    samples, seed
        How many rows, and the seed.

    Examples
    --------
    >>> from sim.analysis.factors import Factor
    >>> design = Sampled(factors=(Factor(name="a"), Factor(name="b", choices=("x", "y"))), kind="sobol", samples=8)
    >>> sorted(design.rows(0, 8)["b"].tolist())
    ['x', 'x', 'x', 'x', 'y', 'y', 'y', 'y']
    """

    factors: tuple[Factor, ...]
    kind: Literal["random", "latin_hypercube", "sobol"]
    samples: int
    seed: int = 0
    whole: Floats | None = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Check the factors and the number of rows; draw a Latin hypercube."""
        if self.kind not in ("random", "latin_hypercube", "sobol"):
            raise OptionError(f"there is no sampled design '{self.kind}'; expected random, latin_hypercube or sobol")
        _check_factors(self.factors, self.kind)
        _seeded(self.seed)
        if self.samples < 1:
            raise OptionError(f"a {self.kind} design has {self.samples} samples; expected at least 1")
        whole = None
        if self.kind == "sobol":
            _power_of_two(self.samples, "sobol")
        elif self.kind == "latin_hypercube":
            if self.samples > MOST_WHOLE:
                message = f"a latin_hypercube design has {self.samples:,} samples, and is drawn as a whole; expected at most {MOST_WHOLE:,}"
                raise OptionError(f"{message}; use kind = 'sobol' or 'random', which are drawn piece by piece")
            from scipy.stats import qmc

            hypercube: Any = qmc.LatinHypercube
            whole = frozen(hypercube(d=self.width, seed=self.seed).random(self.samples))
        object.__setattr__(self, "whole", whole)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns of the factors."""
        return tuple(name for factor in self.factors for name in factor.names)

    @property
    def count(self) -> int:
        """How many rows there are."""
        return self.samples

    @property
    def width(self) -> int:
        """How many coordinates the unit cube has."""
        return sum(factor.width for factor in self.factors)

    def rows(self, start: int, stop: int) -> dict[str, Column]:
        """Return rows as columns."""
        checked(start, stop, self.count)
        if self.whole is not None:
            return _values(self.factors, self.whole[start:stop])
        if self.kind == "sobol":
            return _values(self.factors, _sobol(self.width, self.seed, start, stop))
        parts = [self._block(block)[0] for block in range(start // BLOCK, -(-stop // BLOCK))] if stop > start else []
        if not parts:
            return {name: values[:0] for name, values in self._block(0)[0].items()}
        offset = start // BLOCK * BLOCK
        return {
            name: np.concatenate([part[name] for part in parts])[start - offset : stop - offset] for name in self.names
        }

    def _block(self, block: int) -> tuple[dict[str, Column], dict[str, float]]:
        """Draw a block of a random design, each factor by a child of the seed; return also effective sizes."""
        size = min(BLOCK, self.samples - block * BLOCK)
        out: dict[str, Column] = {}
        sizes: dict[str, float] = {}
        for place, factor in enumerate(self.factors):
            rng = np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=(block, place)))
            values, sizes[factor.name] = factor.drawn(size, rng)
            out |= values
        return out, sizes

    def effective_sizes(self) -> dict[str, float]:
        """Return to how many independent draws the rows amount, for each order.

        That is the number of rows, but for orders that are drawn by hit-and-run.
        """
        orders = [factor for factor in self.factors if factor.order]
        if all(factor.exact for factor in orders):
            return {factor.name: float(self.samples) for factor in orders}
        found = [self._block(block)[1] for block in range(-(-self.samples // BLOCK))]
        return {factor.name: sum(sizes[factor.name] for sizes in found) for factor in orders}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Saltelli:
    """Saltelli's rows for Sobol indices, in SALib's order: for each of N base points A, A with each factor of B (and B with each of A), B.

    The rows are those that ``SALib.sample.sobol`` makes from the same seed, made piece by piece. Analysis happens on the unit cube,
    with :attr:`problem`; one factor is one group.

    Attributes
    ----------
    factors
        At least two.
    samples
        Base points, a power of 2; with D factors there are N·(D + 2) rows, or N·(2D + 2) with second-order indices.

    Examples
    --------
    >>> from sim.analysis.factors import Factor
    >>> design = Saltelli(factors=(Factor(name="a"), Factor(name="b")), samples=4)
    >>> design.count, design.problem["names"]
    (24, ['a', 'b'])
    """

    factors: tuple[Factor, ...]
    samples: int
    second_order: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the factors and the number of base points."""
        _check_factors(self.factors, "saltelli")
        _seeded(self.seed)
        _power_of_two(self.samples, "saltelli")
        if len(self.factors) == 1:
            raise OptionError(
                f"a saltelli design varies {self.factors[0].name} alone; expected at least two to tell apart"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """The columns of the factors."""
        return tuple(name for factor in self.factors for name in factor.names)

    @property
    def stride(self) -> int:
        """How many rows belong to one base point."""
        return (2 * len(self.factors) if self.second_order else len(self.factors)) + 2

    @property
    def count(self) -> int:
        """How many rows there are."""
        return self.samples * self.stride

    @property
    def problem(self) -> dict[str, Any]:
        """The unit cube as SALib's analysis takes it."""
        return _problem(self.factors)

    def unit(self, start: int, stop: int) -> Floats:
        """Return the points of the unit cube of some rows, shape (m, k)."""
        checked(start, stop, self.count)
        width = sum(factor.width for factor in self.factors)
        first, last = start // self.stride, -(-stop // self.stride)
        base = _sobol(2 * width, self.seed, first, max(first, last))
        a, b = base[:, None, :width], base[:, None, width:]
        parts = [a]
        for into, other in ((a, b), (b, a)) if self.second_order else ((a, b),):
            at = 0
            for factor in self.factors:
                mixed = into.copy()
                mixed[..., at : at + factor.width] = other[..., at : at + factor.width]
                parts.append(mixed)
                at += factor.width
        points = np.concatenate([*parts, b], axis=1).reshape(-1, width)
        return points[start - first * self.stride : stop - first * self.stride]

    def rows(self, start: int, stop: int) -> dict[str, Column]:
        """Return rows as columns."""
        return _values(self.factors, self.unit(start, stop))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Morris:
    """Morris' trajectories, by ``SALib.sample.morris``: along each, every factor takes one step, in random order.

    Attributes
    ----------
    factors
        What is varied; one factor is one group.
    trajectories, levels
        How many, and on how many levels of the unit interval (an even number).

    Examples
    --------
    >>> from sim.analysis.factors import Factor
    >>> Morris(factors=(Factor(name="a"), Factor(name="b")), trajectories=10).count
    30
    """

    factors: tuple[Factor, ...]
    trajectories: int
    levels: int = 4
    seed: int = 0
    whole: Floats = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Check the numbers and draw all trajectories."""
        _check_factors(self.factors, "morris")
        _seeded(self.seed)
        if self.levels < 2 or self.levels % 2:  # noqa: PLR2004
            raise OptionError(f"a morris design has {self.levels} levels; expected an even number, such as 4")
        if not 1 <= self.trajectories <= MOST_WHOLE // (len(self.factors) + 1):
            most = MOST_WHOLE // (len(self.factors) + 1)
            raise OptionError(
                f"a morris design has {self.trajectories:,} trajectories; expected 1 to {most:,}; 10 to 100 are usual"
            )
        from SALib.sample.morris import sample

        whole = sample(self.problem, self.trajectories, num_levels=self.levels, seed=self.seed)
        object.__setattr__(self, "whole", frozen(np.clip(whole, 0.0, 1.0)))

    @property
    def names(self) -> tuple[str, ...]:
        """The columns of the factors."""
        return tuple(name for factor in self.factors for name in factor.names)

    @property
    def count(self) -> int:
        """How many rows there are."""
        return self.trajectories * (len(self.factors) + 1)

    @property
    def problem(self) -> dict[str, Any]:
        """The unit cube as SALib's analysis takes it."""
        return _problem(self.factors)

    def unit(self, start: int, stop: int) -> Floats:
        """Return the points of the unit cube of some rows, shape (m, k)."""
        checked(start, stop, self.count)
        return self.whole[start:stop]

    def rows(self, start: int, stop: int) -> dict[str, Column]:
        """Return rows as columns."""
        return _values(self.factors, self.unit(start, stop))
