"""States as integers: every combination of the variables' values has one code.

A code is a mixed-radix number with the first variable as the slowest digit, so an effect on one variable adds a multiple of that
variable's radix.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sim.kinds import Floats, Ints, Keys
    from sim.scenario.model import Variable

__all__ = ["MAX_CODE", "Codec"]

MAX_CODE = 2**62
"""Codes must stay below this; a scenario whose variables multiply to more is refused."""


@dataclass(frozen=True)
class Codec:
    """Encodes and decodes the states of a scenario.

    Examples
    --------
    >>> import sim
    >>> codec = Codec(sim.load(sim.template()).variables)
    >>> codec.encode({"rung": 2, "yielded": 1}), codec.show(5)
    (5, 'rung=war, yielded=true')
    """

    variables: Sequence[Variable]

    @cached_property
    def radix(self) -> dict[str, int]:
        """What one step of each variable adds to the code."""
        out: dict[str, int] = {}
        step = 1
        for variable in reversed(self.variables):
            out[variable.id] = step
            step *= variable.size
        return out

    @cached_property
    def size(self) -> int:
        """Number of conceivable states."""
        return math.prod(variable.size for variable in self.variables)

    @cached_property
    def by_id(self) -> dict[str, Variable]:
        """The variables by id."""
        return {variable.id: variable for variable in self.variables}

    def encode(self, values: Mapping[str, float]) -> int:
        """Return the code of one state."""
        return sum((int(values[variable.id]) - variable.low) * self.radix[variable.id] for variable in self.variables)

    def column(self, keys: Keys, name: str) -> Floats:
        """Return one variable's value in each state, as floats."""
        variable = self.by_id[name]
        return ((keys // self.radix[name]) % variable.size + variable.low).astype(np.float64)

    def state(self, key: int) -> dict[str, int]:
        """Return the values of one state."""
        return {
            variable.id: int(key) // self.radix[variable.id] % variable.size + variable.low
            for variable in self.variables
        }

    def labelled(self, key: int) -> dict[str, str | int | bool]:
        """Return the values of one state as the user writes them."""
        out: dict[str, str | int | bool] = {}
        for variable in self.variables:
            value = self.state(key)[variable.id]
            out[variable.id] = (
                bool(value) if variable.kind == "flag" else (variable.show(value) if variable.labels else value)
            )
        return out

    def show(self, key: int, names: Iterable[str] | None = None) -> str:
        """Write one state, or some of its variables."""
        wanted = set(names) if names is not None else None
        values = self.state(key)
        return ", ".join(
            f"{variable.id}={variable.show(values[variable.id])}"
            for variable in self.variables
            if wanted is None or variable.id in wanted
        )

    def distinct(
        self, keys: Keys, names: Sequence[str], extra: Keys | Ints | None = None, extra_size: int = 1
    ) -> tuple[Keys, Keys]:
        """Group states by the variables that an expression reads, and perhaps by one more small number.

        Parameters
        ----------
        keys
            State codes.
        names
            The variables read.
        extra, extra_size
            A number below ``extra_size`` for each state, such as the round.

        Returns
        -------
        tuple of arrays
            The place of the first state of each group, and the group of each state.
        """
        code = np.zeros(len(keys), dtype=np.int64) if extra is None else extra.astype(np.int64)
        size = extra_size
        for variable in self.variables:
            if variable.id in names:
                if size * variable.size > MAX_CODE:  # rank what there is, to make room
                    code = np.unique(code, return_inverse=True)[1].astype(np.int64)
                    size = len(code) + 1
                code = code * variable.size + (keys // self.radix[variable.id]) % variable.size
                size *= variable.size
        if size <= max(4 * len(keys), 1024):  # a direct table beats sorting
            first = np.full(size, -1, dtype=np.int64)
            first[code[::-1]] = np.arange(len(code) - 1, -1, -1)
            used = np.flatnonzero(first >= 0)
            rank = np.empty(size, dtype=np.int64)
            rank[used] = np.arange(len(used))
            return first[used], rank[code]
        _, places, groups = np.unique(code, return_index=True, return_inverse=True)
        return places.astype(np.int64), groups.astype(np.int64)
