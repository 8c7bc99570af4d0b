"""Values of expressions, on whole arrays and, for checking, on single numbers.

Truth values are 0.0 and 1.0, labels are their index, and everything is a float. Both evaluators follow IEEE arithmetic: a division by
zero gives an infinity or a NaN. On arrays both sides of ``x if c else y`` are computed and one is chosen. :func:`undefined` tells
where a value rests on such an operation; ``if``, ``and`` and ``or`` do not rest on what they skip.
"""

from __future__ import annotations

import math
import operator
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.scenario.tree import DIVISIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sim.kinds import Bools, Floats
    from sim.scenario.tree import Node

__all__ = ["evaluate", "evaluate_one", "gain", "undefined"]

Array = Any  # a float or an array of floats; numpy's own unions are no help to a reader


def _power(x: Array, exponent: Array) -> Array:
    """Raise to a power; a broken power of minus infinity has no value, whichever way numpy computes it."""
    broken = np.logical_and(np.equal(x, -np.inf), np.not_equal(np.mod(exponent, 1), 0))
    return np.where(broken, np.nan, np.power(x, exponent))


_ARITHMETIC: Mapping[str, Callable[[Array, Array], Array]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "//": np.floor_divide,
    "%": np.mod,
    "**": _power,
    "min": np.minimum,
    "max": np.maximum,
    "==": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}
_UNARY: Mapping[str, Callable[[Array], Array]] = {
    "neg": np.negative,
    "abs": np.abs,
    "sqrt": np.sqrt,
    "exp": np.exp,
    "log": np.log,
}


def gain(x: Array, loss_aversion: Array = 1.0, curvature: Array = 1.0) -> Array:
    """Value a gain or loss: xᵃ for gains, −λ(−x)ᵃ for losses.

    Tversky, A. & Kahneman, D. (1992) Advances in prospect theory, Journal of Risk and Uncertainty 5:297-323, eq. 5.

    Examples
    --------
    >>> float(gain(-2.0, 2.25)), float(gain(4.0, 2.25, 0.5))
    (-4.5, 2.0)
    """
    size = np.power(np.abs(x), curvature)
    return np.where(np.less(x, 0), np.negative(np.multiply(loss_aversion, size)), size)


def evaluate(node: Node, env: Mapping[str, Array]) -> Floats:
    """Evaluate on arrays that broadcast against each other.

    Parameters
    ----------
    node
        A typed tree without problems.
    env
        A value, or an array of values, for each name that the tree reads.

    Returns
    -------
    array of float
        Truth values are 0 and 1; may hold infinities and NaN.

    Examples
    --------
    >>> from sim.scenario.expression import Scope, Symbol, parse
    >>> tree = parse("max(x, 0) ** 2", Scope(symbols={"x": Symbol("variable", "number")}), "number")[0].node
    >>> evaluate(tree, {"x": np.array([-1.0, 3.0])})
    array([0., 9.])
    """
    with np.errstate(all="ignore"):
        return np.asarray(_array(node, env), dtype=np.float64)


def _array(node: Node, env: Mapping[str, Array]) -> Array:
    op = node.op
    if op == "const":
        return node.value
    if op == "name":
        return env[node.name]
    parts = [_array(part, env) for part in node.parts]
    if op == "if":
        return np.where(np.not_equal(parts[0], 0), parts[1], parts[2])
    if op in ("and", "or"):
        return reduce(np.logical_and if op == "and" else np.logical_or, parts)
    if op == "not":
        return np.logical_not(parts[0])
    # comparisons give numpy truth values; arithmetic on them must not be boolean arithmetic
    return _arithmetic(op, [np.asarray(part, dtype=np.float64) for part in parts], env)


def _arithmetic(op: str, parts: list[Array], env: Mapping[str, Array]) -> Array:
    if op in _UNARY:
        return _UNARY[op](parts[0])
    if op == "clip":
        return np.minimum(np.maximum(parts[0], parts[1]), parts[2])
    if op == "gain":
        return gain(*parts)
    if op == "annuity":  # the factor depends on the round and the discount alone
        return np.multiply(env["annuity"], parts[0])
    return reduce(_ARITHMETIC[op], parts)


def undefined(node: Node, env: Mapping[str, Array], ops: frozenset[str] | None = None) -> Bools:
    """Tell where an expression has no value: a division by zero, or a root, logarithm or power outside its domain.

    Parameters
    ----------
    node, env
        As for :func:`evaluate`.
    ops
        Look only at these operators.

    Returns
    -------
    array of bool
        Of the shape that :func:`evaluate` returns, or one that broadcasts to it.

    Examples
    --------
    >>> from sim.scenario.expression import Scope, Symbol, parse
    >>> scope = Scope(symbols={"x": Symbol("variable", "number")})
    >>> undefined(parse("min(1, 1 / x)", scope, "number")[0].node, {"x": np.array([0.0, 2.0])})
    array([ True, False])
    >>> undefined(parse("1 / x if x > 0 else 0", scope, "number")[0].node, {"x": np.array([0.0, 2.0])})
    array([False, False])
    """
    below = [undefined(part, env, ops) for part in node.parts]
    if node.op == "if":
        test = evaluate(node.parts[0], env) != 0
        return below[0] | np.where(test, below[1], below[2])
    if node.op in ("and", "or"):
        out, going = below[0], np.asarray(True)  # noqa: FBT003 - an array of one truth value
        for part, bad in zip(node.parts, below, strict=True):
            out = out | (going & bad)
            going = going & ((evaluate(part, env) != 0) == (node.op == "and"))
        return out
    out = reduce(np.logical_or, below, np.asarray(False))  # noqa: FBT003
    if (ops is None or node.op in ops) and node.op in _DOMAINS:
        with np.errstate(all="ignore"):
            out = out | _DOMAINS[node.op](*(evaluate(part, env) for part in node.parts))
    return out


def _no_power(base: Floats, power: Floats) -> Bools:
    return ((base == 0) & (power < 0)) | ((base < 0) & (np.floor(power) != power))


_DOMAINS: Mapping[str, Callable[..., Bools]] = {
    **dict.fromkeys(DIVISIONS, lambda _, right: right == 0),
    "log": lambda x: x <= 0,
    "sqrt": lambda x: x < 0,
    "**": _no_power,
    "gain": lambda x, _, curvature: _no_power(np.abs(x), curvature),
}


def evaluate_one(node: Node, env: Mapping[str, float]) -> float:
    """Evaluate on single numbers, in plain Python: the second method that tests hold against :func:`evaluate`.

    Examples
    --------
    >>> from sim.scenario.tree import Node
    >>> evaluate_one(Node("/", "number", (Node("const", "number", value=1.0), Node("const", "number", value=0.0))), {})
    inf
    """
    op = node.op
    if op == "const":
        return node.value
    if op == "name":
        return float(env[node.name])
    if op == "if":
        return evaluate_one(node.parts[1] if evaluate_one(node.parts[0], env) else node.parts[2], env)
    if op in ("and", "or"):
        return float((all if op == "and" else any)(evaluate_one(part, env) for part in node.parts))
    parts = [evaluate_one(part, env) for part in node.parts]
    if op == "annuity":
        return float(env["annuity"]) * parts[0]
    if op in _PLAIN:
        return float(_PLAIN[op](*parts))
    if op in ("min", "max", "clip"):
        return _extreme(op, parts)
    return _guarded(op, parts)


_PLAIN: Mapping[str, Callable[..., Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "neg": operator.neg,
    "abs": abs,
    "not": operator.not_,
}


def _extreme(op: str, parts: list[float]) -> float:
    if any(math.isnan(part) for part in parts):
        return math.nan
    if op == "clip":
        return min(max(parts[0], parts[1]), parts[2])
    return min(parts) if op == "min" else max(parts)


def _guarded(op: str, parts: list[float]) -> float:
    """Arithmetic in which plain Python raises where IEEE arithmetic answers."""
    x = parts[0]
    try:
        if op == "gain":
            size = _guarded("**", [abs(x), parts[2]])
            return -parts[1] * size if x < 0 else size
        if op == "**":
            return math.nan if x == -math.inf and parts[1] % 1 else math.pow(x, parts[1])
        if op in ("sqrt", "exp", "log"):
            return float(getattr(math, op)(x))
        return float({"/": operator.truediv, "//": operator.floordiv, "%": operator.mod}[op](x, parts[1]))
    except ZeroDivisionError:
        if op == "%" or x == 0 or math.isnan(x):
            return math.nan
        return math.copysign(math.inf, x) * math.copysign(1.0, parts[1])
    except OverflowError:
        negative = op == "**" and x < 0 and parts[1] % 2 == 1
        return -math.inf if negative else math.inf
    except ValueError:
        if x != 0 or op not in ("log", "**"):
            return math.nan
        odd = op == "**" and parts[1] % 2 == 1
        return -math.inf if op == "log" else math.copysign(math.inf, x if odd else 1.0)
