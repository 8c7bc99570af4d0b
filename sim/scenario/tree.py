"""What an expression is once it is read: a typed tree, the labels and names it is made of, and the scope of its place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["DIVISIONS", "Atom", "Expression", "Labels", "Node", "Scope", "Symbol", "Type", "describe"]

DIVISIONS = frozenset({"/", "//", "%"})
"""Operators that are undefined where their right side is zero."""


@dataclass(frozen=True, slots=True)
class Labels:
    """A set of labels: the rungs of a ladder or the values of an enumeration.

    Examples
    --------
    >>> Labels("rung", ("peace", "war"), ordered=True).index("war")
    1
    """

    name: str
    values: tuple[str, ...]
    ordered: bool = False

    def index(self, label: str) -> int:
        """Return the place of a label, counted from 0."""
        return self.values.index(label)


Type = Literal["number", "truth", "unknown"] | Labels


@dataclass(frozen=True, slots=True)
class Symbol:
    """A name that an expression may read: its kind and its type."""

    kind: Literal["variable", "assumption", "clock", "special", "choice", "private"]
    type: Type


@dataclass(frozen=True, slots=True)
class Node:
    """One node of a typed expression tree.

    ``op`` is ``const`` or ``name``, an operator (``+ - * / // % **``, comparisons, ``and or not if neg``) or a function's name.
    """

    op: str
    type: Type
    parts: tuple[Node, ...] = ()
    value: float = 0.0
    name: str = ""
    size: int = field(init=False, default=1, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Count the nodes below, so that no text can make a tree that is slow to walk."""
        object.__setattr__(self, "size", 1 + sum(part.size for part in self.parts))

    @property
    def partial(self) -> bool:
        """Whether this operation has no value for some operands."""
        last = self.parts[-1] if self.parts else None
        if self.op == "**":
            return not (last and last.op == "const" and last.value >= 0 and last.value.is_integer())
        if self.op == "gain":
            return not (last and last.op == "const" and last.value >= 0)
        return self.op in DIVISIONS or self.op in ("log", "sqrt")

    def walk(self) -> Iterator[Node]:
        """Yield this node and all below it."""
        yield self
        for part in self.parts:
            yield from part.walk()


@dataclass(frozen=True, slots=True)
class Atom:
    """One use of a path operator inside an outcome: the operator, what it reads, and the move or group it asks for."""

    op: str
    inner: Node | None = None
    target: str = ""
    player: str = ""


@dataclass(frozen=True, slots=True)
class Expression:
    """A typed expression with its text, the names it reads, and its path operators (``@0``, ``@1``, … in the tree).

    ``partial`` says that some values of the names may leave it without a value, as a division by zero does.

    Examples
    --------
    >>> from sim.scenario.expression import parse
    >>> scope = Scope(symbols={"x": Symbol("variable", "number")})
    >>> parse("x + 1", scope, "number")[0].reads
    frozenset({'x'})
    """

    text: str
    node: Node
    reads: frozenset[str]
    atoms: tuple[Atom, ...] = ()
    partial: bool = False

    @property
    def constant(self) -> float | None:
        """The value if the expression is a plain constant, else None."""
        return self.node.value if self.node.op == "const" else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What an expression may say at its place.

    Attributes
    ----------
    symbols
        Readable names.
    labels
        All label sets by the name that qualifies them (``rung.suspended``).
    moves, players
        For ``played(move, player)``: move and group ids, and player ids.
    path
        Whether path operators are allowed (and plain variables are not).
    annuity
        Whether ``annuity`` is allowed.
    hints
        Advice for names that exist elsewhere in the language but not here.
    """

    symbols: Mapping[str, Symbol]
    labels: Mapping[str, Labels] = field(default_factory=dict[str, Labels])
    moves: frozenset[str] = frozenset()
    players: frozenset[str] = frozenset()
    path: bool = False
    annuity: bool = False
    hints: Mapping[str, str] = field(default_factory=dict[str, str])


def describe(kind: Type) -> str:
    """Name a type for a message.

    Examples
    --------
    >>> describe(Labels("rung", ("peace", "war"), ordered=True)), describe("truth")
    ('a rung of rung', 'a condition')
    """
    if isinstance(kind, Labels):
        return f"a {'rung' if kind.ordered else 'label'} of {kind.name}"
    return {"number": "a number", "truth": "a condition", "unknown": "something"}[kind]
