"""Types for kernels with explicit signatures: read-only inputs, writable outputs, so each kernel is compiled exactly once."""

from __future__ import annotations

from typing import Any

from numba import types

__all__ = ["FLAG", "INT", "REAL", "read", "write"]

REAL: Any = types.float64
INT: Any = types.int32
FLAG: Any = types.boolean


def read(dtype: Any, axes: int) -> Any:
    """Return the type of a read-only contiguous array.

    Examples
    --------
    >>> read(REAL, 2)
    Array(float64, 2, 'C', True, aligned=True)
    """
    return types.Array(dtype, axes, "C", readonly=True)


def write(dtype: Any, axes: int) -> Any:
    """Return the type of a writable contiguous array.

    Examples
    --------
    >>> write(INT, 1)
    Array(int32, 1, 'C', False, aligned=True)
    """
    return types.Array(dtype, axes, "C")
