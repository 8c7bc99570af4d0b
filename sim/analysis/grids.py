"""Designs whose rows are listed or counted: grids, lists, one factor at a time, and products of designs.

A design is a frozen object with ``names``, ``count`` and ``rows(start, stop)``. Rows are deterministic and do not depend on how their range
is cut: ``rows(0, 10)`` is ``rows(0, 4)`` followed by ``rows(4, 10)``, so a design of 10⁸ rows is never held all at once. Grids and products
count in mixed radix, the first axis slowest.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from sim.analysis.factors import column
from sim.errors import OptionError
from sim.kinds import frozen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sim.analysis.factors import Column, Factor
    from sim.kinds import Keys

__all__ = ["Design", "Grid", "OneAtATime", "Product", "Rows", "checked", "distinct"]


class Design(Protocol):
    """What every design offers.

    Examples
    --------
    >>> design: Design = Grid(axes={"a": [1, 2], "b": ["x", "y", "z"]})
    >>> design.names, design.count, design.rows(2, 4)["b"].tolist()
    (('a', 'b'), 6, ['z', 'x'])
    """

    @property
    def names(self) -> tuple[str, ...]:
        """The columns."""
        ...

    @property
    def count(self) -> int:
        """How many rows there are."""
        ...

    def rows(self, start: int, stop: int) -> dict[str, Column]:
        """Return the rows from ``start`` up to, not including, ``stop``, as columns of numbers or of labels."""
        ...


def checked(start: int, stop: int, count: int) -> None:
    """Refuse rows that a design does not have.

    Examples
    --------
    >>> checked(2, 1, 5)
    Traceback (most recent call last):
    ...
    sim.errors.OptionError: rows 2 to 1 are asked of a design; expected a part of 0 to 5
    """
    if not 0 <= start <= stop <= count:
        raise OptionError(f"rows {start} to {stop} are asked of a design; expected a part of 0 to {count}")


def distinct(names: Sequence[str]) -> None:
    """Refuse a name that is varied twice.

    Examples
    --------
    >>> distinct(["a", "b"])
    """
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        message = f"'{twice[0]}' is varied twice in one design"
        raise OptionError(
            f"{message}; expected each name once; leave it out of one part (an order varies all its members)"
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Grid:
    """All combinations of listed values, the first axis slowest.

    Examples
    --------
    >>> Grid(axes={"a": [1, 2], "b": [0, 0.5, 1]}).rows(0, 6)["a"].tolist()
    [1.0, 1.0, 1.0, 2.0, 2.0, 2.0]
    """

    axes: Mapping[str, Sequence[Any]]
    columns: tuple[Column, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Check the axes."""
        empty = [name for name, values in self.axes.items() if not len(values)]
        if empty or not self.axes:
            raise OptionError(
                f"a grid has {f'no values for {empty[0]}' if empty else 'no axis'}; expected at least one"
            )
        columns = tuple(frozen(column(list(values), name)) for name, values in self.axes.items())
        object.__setattr__(self, "columns", columns)

    @property
    def names(self) -> tuple[str, ...]:
        """The axes."""
        return tuple(self.axes)

    @property
    def count(self) -> int:
        """How many combinations there are."""
        return math.prod(len(values) for values in self.columns)

    def rows(self, start: int, stop: int) -> dict[str, Column]:
        """Return rows as columns."""
        checked(start, stop, self.count)
        at = np.arange(start, stop, dtype=np.int64)
        out: dict[str, Column] = {}
        for name, values in zip(reversed(self.names), reversed(self.columns), strict=True):
            at, place = np.divmod(at, len(values))
            out[name] = values[place]
        return {name: out[name] for name in self.names}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rows:
    """Listed rows, each naming the same things.

    Examples
    --------
    >>> Rows(table=[{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]).rows(1, 2)
    {'a': array([2.]), 'b': array(['y'], dtype=object)}
    """

    table: Sequence[Mapping[str, Any]]
    columns: Mapping[str, Column] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Check that the rows are alike."""
        if not self.table or not self.table[0]:
            raise OptionError("a list of rows is empty; expected at least one row that sets something")
        names = tuple(self.table[0])
        for number, row in enumerate(self.table, 1):
            if set(row) != set(names):
                raise OptionError(
                    f"row {number} of a list sets {', '.join(row) or 'nothing'}; expected {', '.join(names)} as in the first"
                )
        columns = {name: frozen(column([row[name] for row in self.table], name)) for name in names}
        object.__setattr__(self, "columns", columns)

    @property
    def names(self) -> tuple[str, ...]:
        """What the rows set."""
        return tuple(self.columns)

    @property
    def count(self) -> int:
        """How many rows there are."""
        return len(self.table)

    def rows(self, start: int, stop: int) -> dict[str, Column]:
        """Return rows as columns."""
        checked(start, stop, self.count)
        return {name: values[start:stop] for name, values in self.columns.items()}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OneAtATime:
    """The base, then each factor alone at its low and its high end, or at each of its choices.

    Attributes
    ----------
    base
        A value for every column of the factors.
    factors
        What is changed, in this order.
    steps
        For each row, which factor is changed and to what; empty texts for the base.

    Examples
    --------
    >>> from sim.analysis.factors import Factor
    >>> design = OneAtATime(base={"a": 0.5}, factors=(Factor(name="a"),))
    >>> design.steps, design.rows(0, 3)["a"].tolist()
    ((('', ''), ('a', 'low'), ('a', 'high')), [0.5, 0.0, 1.0])
    """

    base: Mapping[str, float | str]
    factors: tuple[Factor, ...]
    steps: tuple[tuple[str, str], ...] = field(init=False, repr=False)
    listed: Rows = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """List the rows."""
        names = [name for factor in self.factors for name in factor.names]
        distinct(names)
        missing = [name for name in names if name not in self.base]
        if missing or not names:
            what = f"has no base value of {missing[0]}" if missing else "varies nothing"
            raise OptionError(f"a design of one at a time {what}; expected a factor, and a base value of each")
        base = {name: self.base[name] for name in names}
        table, steps = [base], [("", "")]
        for factor in self.factors:
            for word, values in factor.ends():
                table.append({**base, **values})
                steps.append((factor.name, word))
        object.__setattr__(self, "steps", tuple(steps))
        object.__setattr__(self, "listed", Rows(table=table))

    @property
    def names(self) -> tuple[str, ...]:
        """The columns of the factors."""
        return self.listed.names

    @property
    def count(self) -> int:
        """One, and the ends of each factor."""
        return self.listed.count

    def rows(self, start: int, stop: int) -> dict[str, Column]:
        """Return rows as columns."""
        return self.listed.rows(start, stop)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Product:
    """All combinations of the rows of several designs, the first design slowest.

    Examples
    --------
    >>> both = Product(designs=(Rows(table=[{"a": 1}, {"a": 2}]), Grid(axes={"b": ["x", "y"]})))
    >>> both.count, both.rows(1, 3)
    (4, {'a': array([1., 2.]), 'b': array(['y', 'x'], dtype=object)})
    """

    designs: tuple[Design, ...]

    def __post_init__(self) -> None:
        """Check that no name is varied twice."""
        if not self.designs:
            raise OptionError("a product has no designs; expected at least one")
        distinct(self.names)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns of all designs."""
        return tuple(name for design in self.designs for name in design.names)

    @property
    def count(self) -> int:
        """How many combinations there are."""
        return math.prod(design.count for design in self.designs)

    def rows(self, start: int, stop: int) -> dict[str, Column]:
        """Return rows as columns; of each design no more rows are made than are asked for."""
        checked(start, stop, self.count)
        at = np.arange(start, stop, dtype=np.int64)
        parts: list[dict[str, Column]] = []
        for design in reversed(self.designs):
            parts.append(_repeated(design, at))
            at = at // design.count
        return {name: values for part in reversed(parts) for name, values in part.items()}


def _repeated(design: Design, at: Keys) -> dict[str, Column]:
    """Return the rows of a design that repeats itself without end, at consecutive numbers that may stand still."""
    if not at.size:
        return design.rows(0, 0)
    first, last, count = int(at[0]), int(at[-1]), design.count
    if last - first + 1 >= count:
        found, place = design.rows(0, count), at % count
    elif first // count == last // count:
        found, place = design.rows(first % count, last % count + 1), at - first
    else:  # round the end
        end, begin = design.rows(first % count, count), design.rows(0, last % count + 1)
        found, place = {name: np.concatenate([end[name], begin[name]]) for name in end}, at - first
    return {name: values[place] for name, values in found.items()}
