"""The expression language: text to a typed tree.

One language serves guards, effects, payoffs, probabilities and outcomes. The text is parsed by Python's own ``ast``, and only what
the whitelist below names becomes a :class:`Node`; nothing is ever handed to ``eval``. Names are resolved and types are checked here,
once; :mod:`sim.scenario.evaluate` gives the tree its values.

Types are ``number``, ``truth`` and :class:`Labels` (the rungs of a ladder, the values of an enumeration, the names of the players). A
ladder is ordered and its rungs count from 0, so arithmetic with it gives a number; an enumeration knows only equality.
"""

from __future__ import annotations

import ast
import math
from typing import TYPE_CHECKING

from sim.errors import Problem, did_you_mean
from sim.scenario.syntax import LIMITS, Limits, read_syntax
from sim.scenario.tree import Atom, Expression, Labels, Node, Scope, Symbol, describe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sim.scenario.tree import Type

__all__ = [
    "FUNCTIONS",
    "LIMITS",
    "PATH_OPERATORS",
    "Atom",
    "Expression",
    "Labels",
    "Limits",
    "Node",
    "Scope",
    "Symbol",
    "parse",
]


FUNCTIONS: Mapping[str, tuple[int, int]] = {
    "min": (2, 16),
    "max": (2, 16),
    "abs": (1, 1),
    "clip": (3, 3),
    "sqrt": (1, 1),
    "exp": (1, 1),
    "log": (1, 1),
    "gain": (1, 3),
    "annuity": (1, 1),
}
"""Functions of the language with their least and greatest number of arguments."""

PATH_OPERATORS: Mapping[str, str] = {
    "ever": "true when the condition holds at the start or at the end of some round",
    "always": "true when the condition holds at the start and at the end of every round",
    "final": "the value in the last state",
    "first": "the first round at whose end the condition holds (0 for the start), or never",
    "max_over": "the greatest value over the start and the end of each round",
    "min_over": "the least value over the start and the end of each round",
    "count": "at the end of how many rounds the condition holds, the start not counted",
    "sum_over": "the sum of the value over the ends of rounds, the start not counted",
    "played": "true when the move (or a move of the group) was made, by the named player if one is named",
}
"""Path operators: questions asked of a whole path."""

TRUTH_OPERATORS = frozenset({"ever", "always", "played"})
CONDITION_OPERATORS = frozenset({"ever", "always", "first", "count"})
PLAYED_FORMS = (1, 2)  # played(move), played(move, player)

CONDITIONS = "write true, false or a comparison"
MOST_LABELS = 12  # labels that a message lists

_BINARY: Mapping[type[ast.operator], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
}
_COMPARE: Mapping[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}

UNKNOWN = Labels("?", ())  # those of a variable whose declaration is wrong: any name may be among them


class _Stop(Exception):  # noqa: N818 - control flow inside this module, never seen outside
    """The expression cannot be read any further."""


class _Reader:
    """Turns one ``ast`` tree into a typed tree, gathering problems."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.problems: list[Problem] = []
        self.atoms: list[Atom] = []
        self.inside_atom = False
        self.lonely: list[Problem] = []

    def problem(self, kind: str, what: str, expected: str = "", advice: str = "") -> None:
        """Note a problem and go on."""
        problem = Problem(kind=kind, what=what, expected=expected, advice=advice)
        if problem not in self.problems:
            self.problems.append(problem)
        if len(self.problems) >= LIMITS.problems:
            raise _Stop

    @property
    def found(self) -> list[Problem]:
        """The problems, without labels whose variable is misspelt."""
        explained = any(problem.kind == "unknown-name" for problem in self.problems)
        return self.problems if explained else [*self.problems, *self.lonely]

    # -- names and labels -------------------------------------------------------------------------------------------------------

    def labels_near(self, tree: ast.expr) -> Labels | None:
        """Find the label set of the variables that a value is made of, without looking into conditions."""
        if isinstance(tree, ast.Name):
            symbol = self.scope.symbols.get(tree.id)
            if symbol and symbol.type == "unknown":
                return UNKNOWN
            return symbol.type if symbol and isinstance(symbol.type, Labels) else None
        if isinstance(tree, ast.Attribute):
            return self.attribute_labels(tree)
        children: Sequence[ast.expr] = ()
        if isinstance(tree, ast.BinOp):
            children = (tree.left, tree.right)
        elif isinstance(tree, ast.UnaryOp) and not isinstance(tree.op, ast.Not):
            children = (tree.operand,)
        elif isinstance(tree, ast.IfExp):
            children = (tree.body, tree.orelse)
        elif isinstance(tree, ast.Call):
            children = tree.args
        elif isinstance(tree, (ast.Tuple, ast.List)):
            children = tree.elts
        for child in children:
            if found := self.labels_near(child):
                return found
        return None

    def attribute_labels(self, tree: ast.Attribute) -> Labels | None:
        """Resolve the label set that ``rung.suspended`` or ``chosen.nato`` belongs to."""
        if not isinstance(tree.value, ast.Name):
            return None
        symbol = self.scope.symbols.get(f"{tree.value.id}.{tree.attr}")
        if symbol:
            return symbol.type if isinstance(symbol.type, Labels) else None
        return UNKNOWN if tree.value.id == "chosen" else self.scope.labels.get(tree.value.id)

    def name(self, tree: ast.Name, near: Labels | None) -> Node:
        """Resolve a plain name: a symbol first, then a label of the set it meets."""
        word = tree.id
        if word in ("true", "false") and not (near and word in near.values):  # a label may be called false
            return Node("const", "truth", value=float(word == "true"))
        symbol = self.scope.symbols.get(word)
        if symbol:
            if self.scope.path and not self.inside_atom and symbol.kind == "variable":
                self.problem(
                    "path-operator",
                    f"reads the variable '{word}' outside a path operator",
                    advice=f"write final({word}), or another path operator",
                )
            return Node("name", symbol.type, name=word)
        if near is UNKNOWN:
            return Node("const", "unknown")
        if near and word in near.values:
            return Node("const", near, value=float(near.index(word)))
        if word in self.scope.hints:
            self.problem("unknown-name", f"names '{word}', which cannot be read here", advice=self.scope.hints[word])
        else:
            owners = sorted({labels.name for labels in self.scope.labels.values() if word in labels.values})
            if owners and near:
                what = f"names '{word}', a label of {owners[0]} and not of {near.name}"
                self.problem("unknown-name", what, advice=did_you_mean(word, near.values))
            elif owners:
                what = f"names the label '{word}' where no variable says whose it is"
                self.lonely.append(Problem(kind="unknown-name", what=what, advice=f"write {owners[0]}.{word}"))
            else:
                known = [*self.scope.symbols, *(near.values if near else ())]
                self.problem(
                    "unknown-name",
                    f"names '{word}', which is not a variable, assumption or label",
                    advice=did_you_mean(word, known),
                )
        return Node("const", "unknown")

    def attribute(self, tree: ast.Attribute) -> Node:
        """Resolve ``rung.suspended`` and ``chosen.nato``."""
        if isinstance(tree.value, ast.Name):
            owner, label = tree.value.id, tree.attr
            symbol = self.scope.symbols.get(f"{owner}.{label}")
            if symbol:
                return Node("name", symbol.type, name=f"{owner}.{label}")
            labels = self.scope.labels.get(owner)
            if labels and label in labels.values:
                return Node("const", labels, value=float(labels.index(label)))
            if labels:
                self.problem(
                    "unknown-name",
                    f"names '{owner}.{label}', but {owner} has no label '{label}'",
                    advice=did_you_mean(label, labels.values),
                )
                return Node("const", labels)
            what, known = f"but nothing called '{owner}' has labels", did_you_mean(owner, self.scope.labels)
            if owner == "chosen":
                choices = [name for name in self.scope.symbols if name.startswith("chosen.")]
                what, known = "which is not a choice of this move", did_you_mean(f"chosen.{label}", choices)
            self.problem("unknown-name", f"names '{owner}.{label}', {what}", advice=known)
            return Node("const", "unknown")
        self.problem("syntax", "uses a dot on something that is not a name", "variable.label")
        raise _Stop

    # -- types --------------------------------------------------------------------------------------------------------------------

    def number(self, node: Node, where: str) -> Node:
        """Require something that arithmetic can use."""
        if isinstance(node.type, Labels) and not node.type.ordered:
            self.problem(
                "wrong-type",
                f"uses {describe(node.type)} in {where}",
                "a number",
                "an enumeration can only be compared by == and !=",
            )
        return node

    def truth(self, node: Node, where: str) -> Node:
        """Require a condition."""
        if node.type not in ("truth", "unknown"):
            self.problem(
                "wrong-type", f"uses {describe(node.type)} in {where}", "a condition", "compare it with something"
            )
        return node

    # -- the walk -----------------------------------------------------------------------------------------------------------------

    def read(self, tree: ast.expr, near: Labels | None, depth: int = 0) -> Node:
        """Read one node; ``near`` is the label set that unresolved names belong to."""
        if depth > LIMITS.depth:
            self.problem("too-deep", "is nested too deeply", f"at most {LIMITS.depth} levels", "split it")
            raise _Stop
        deeper = depth + 1
        if isinstance(tree, ast.Constant):
            return self.constant(tree)
        if isinstance(tree, ast.Name):
            return self.name(tree, near)
        if isinstance(tree, ast.Attribute):
            return self.attribute(tree)
        if isinstance(tree, ast.BinOp):
            return self.binary(tree, near, deeper)
        if isinstance(tree, ast.UnaryOp):
            return self.unary(tree, near, deeper)
        if isinstance(tree, ast.BoolOp):
            op = "and" if isinstance(tree.op, ast.And) else "or"
            return Node(
                op, "truth", tuple(self.truth(self.read(value, None, deeper), f"'{op}'") for value in tree.values)
            )
        if isinstance(tree, ast.Compare):
            return self.compare(tree, deeper)
        if isinstance(tree, ast.IfExp):
            return self.conditional(tree, near, deeper)
        if isinstance(tree, ast.Call):
            return self.call(tree, near, deeper)
        self.problem(
            "syntax",
            f"uses {type(tree).__name__}, which the language does not have",
            "arithmetic, comparison, and/or/not, x if c else y, functions",
        )
        raise _Stop

    def constant(self, tree: ast.Constant) -> Node:
        """Read a number or a truth value."""
        if isinstance(tree.value, bool):
            return Node("const", "truth", value=float(tree.value))
        if isinstance(tree.value, (int, float)):
            try:
                value = float(tree.value)
            except OverflowError:
                value = math.inf
            if not math.isfinite(value):
                self.problem("non-finite", "writes a number that is too large", "a finite number")
                raise _Stop
            return Node("const", "number", value=value)
        self.problem(
            "syntax",
            f"writes {tree.value!r:.40}",
            "a number, a name or true/false",
            "labels are written without quotes",
        )
        raise _Stop

    def binary(self, tree: ast.BinOp, near: Labels | None, depth: int) -> Node:
        """Read arithmetic."""
        op = _BINARY.get(type(tree.op))
        if op is None:
            self.problem(
                "syntax",
                f"uses the operator {type(tree.op).__name__}, which the language does not have",
                "+ - * / // % **",
            )
            raise _Stop
        near = self.labels_near(tree) or near
        near = None if near is UNKNOWN else near
        left, right = (
            self.number(self.read(tree.left, near, depth), "arithmetic"),
            self.number(self.read(tree.right, near, depth), "arithmetic"),
        )
        if op == "**":
            bare = right.parts[0] if right.op == "neg" else right
            if bare.op != "const" or abs(bare.value) > LIMITS.exponent:
                self.problem(
                    "exponent",
                    "raises to a power that is not a small constant",
                    f"a constant between -{LIMITS.exponent} and {LIMITS.exponent}",
                    "use exp and log for other powers",
                )
        return Node(op, "number", (left, right))

    def unary(self, tree: ast.UnaryOp, near: Labels | None, depth: int) -> Node:
        """Read ``not``, ``-`` and ``+``."""
        if isinstance(tree.op, ast.Not):
            return Node("not", "truth", (self.truth(self.read(tree.operand, None, depth), "'not'"),))
        if isinstance(tree.op, ast.Invert):
            self.problem("syntax", "uses ~, which the language does not have", "not")
            raise _Stop
        inner = self.number(self.read(tree.operand, near, depth), "arithmetic")
        if isinstance(tree.op, ast.UAdd):
            return inner
        if inner.op == "const":
            return Node("const", "number", value=-inner.value)
        return Node("neg", "number", (inner,))

    def compare(self, tree: ast.Compare, depth: int) -> Node:
        """Read a comparison, chained ones and ``in (a, b)`` included."""
        near = next((found for operand in (tree.left, *tree.comparators) if (found := self.labels_near(operand))), None)
        left = self.read(tree.left, near, depth)
        if any(isinstance(operator, (ast.In, ast.NotIn)) for operator in tree.ops):
            return self.membership(tree, left, near, depth)
        parts: list[Node] = []
        for operator, operand in zip(tree.ops, tree.comparators, strict=True):
            op = _COMPARE.get(type(operator))
            if op is None:
                self.problem("syntax", "compares with 'is'", "== != < <= > >= in")
                raise _Stop
            right = self.read(operand, near, depth)
            parts.append(self.pair(op, left, right))
            left = right
        return self.bounded(parts[0] if len(parts) == 1 else Node("and", "truth", tuple(parts)))

    def membership(self, tree: ast.Compare, left: Node, near: Labels | None, depth: int) -> Node:
        """Read ``x in (a, b)`` and ``x not in (a, b)``."""
        listed = tree.comparators[0]
        if len(tree.ops) > 1 or not isinstance(listed, (ast.Tuple, ast.List)) or not listed.elts:
            self.problem("syntax", "uses 'in' without a list, or within a chain of comparisons", "x in (a, b)")
            raise _Stop
        options = [self.pair("==", left, self.read(element, near, depth)) for element in listed.elts]
        inside = options[0] if len(options) == 1 else Node("or", "truth", tuple(options))
        return self.bounded(Node("not", "truth", (inside,)) if isinstance(tree.ops[0], ast.NotIn) else inside)

    def bounded(self, node: Node) -> Node:
        """Stop at a tree that repeats its operands too often: chains and ``in`` use them more than once."""
        if node.size > LIMITS.size:
            self.problem("too-long", "compares too many things with each other", advice="split it")
            raise _Stop
        return node

    def pair(self, op: str, left: Node, right: Node) -> Node:
        """Check one comparison."""
        a, b = left.type, right.type
        own, other = (a, b) if isinstance(a, Labels) else (b, a)
        if isinstance(a, Labels) and isinstance(b, Labels) and a != b:
            self.problem("wrong-type", f"compares {describe(a)} with {describe(b)}", "labels of one set")
        elif isinstance(own, Labels) and other not in ("unknown", own) and not (own.ordered and other == "number"):
            self.problem("wrong-type", f"compares {describe(own)} with {describe(other)}", _one_of(own))
        elif op not in ("==", "!=") and any(isinstance(kind, Labels) and not kind.ordered for kind in (a, b)):
            self.problem("wrong-type", f"orders {describe(a)}, which has no order", "== or !=")
        elif {a, b} == {"truth", "number"}:
            self.problem("wrong-type", "compares a condition with a number", "two numbers or two conditions")
        return Node(op, "truth", (left, right))

    def conditional(self, tree: ast.IfExp, near: Labels | None, depth: int) -> Node:
        """Read ``x if c else y``."""
        near = self.labels_near(tree) or near
        test = self.truth(self.read(tree.test, None, depth), "the condition of 'if'")
        body, other = self.read(tree.body, near, depth), self.read(tree.orelse, near, depth)
        return Node("if", self.join(body, other, "the two sides of 'if'"), (test, body, other))

    def join(self, left: Node, right: Node, where: str) -> Type:
        """Find the common type of two values."""
        a, b = left.type, right.type
        if b in (a, "unknown"):
            return a
        if a == "unknown":
            return b
        for kind in (a, b):
            if isinstance(kind, Labels) and not kind.ordered:
                self.problem("wrong-type", f"mixes {describe(a)} and {describe(b)} in {where}", "one type")
                return kind
        return "number"

    # -- calls --------------------------------------------------------------------------------------------------------------------

    def call(self, tree: ast.Call, near: Labels | None, depth: int) -> Node:
        """Read a function or a path operator."""
        word = tree.func.id if isinstance(tree.func, ast.Name) else ""
        if word in PATH_OPERATORS:
            return self.path_operator(word, tree, depth)
        if word not in FUNCTIONS or (word == "annuity" and not self.scope.annuity):
            hint = (
                "annuity is for the final payoff"
                if word == "annuity"
                else did_you_mean(word, [*FUNCTIONS, *PATH_OPERATORS])
            )
            self.problem(
                "unknown-name",
                f"calls '{word or ast.unparse(tree.func):.40}', which is not a function of the language",
                advice=hint,
            )
            raise _Stop
        least, most = FUNCTIONS[word]
        if (
            not least <= len(tree.args) <= most
            or any(isinstance(arg, ast.Starred) for arg in tree.args)
            or tree.keywords
        ):
            wanted = str(least) if least == most else f"{least} to {most}"
            self.problem("arguments", f"gives {word} {len(tree.args)} plain argument(s)", f"{wanted} plain argument(s)")
            raise _Stop
        near = self.labels_near(tree) or near
        parts = tuple(self.number(self.read(arg, near, depth), f"'{word}'") for arg in tree.args)
        kind: Type = "number"
        if word in ("min", "max") and len({part.type for part in parts}) == 1 and isinstance(parts[0].type, Labels):
            kind = parts[0].type
        if word == "gain":
            parts += tuple(Node("const", "number", value=1.0) for _ in range(3 - len(parts)))
        return Node(word, kind, parts)

    def path_operator(self, word: str, tree: ast.Call, depth: int) -> Node:
        """Read a path operator into an atom."""
        if not self.scope.path or self.inside_atom:
            where = "inside another path operator" if self.inside_atom else "outside the outcomes"
            self.problem(
                "path-operator",
                f"uses the path operator '{word}' {where}",
                advice="path operators ask questions of a whole path: use them in [outcomes], one level deep",
            )
            raise _Stop
        atom, kind = self.played(tree) if word == "played" else self.over_path(word, tree, depth)
        if atom not in self.atoms:
            self.atoms.append(atom)
        return Node("name", kind, name=f"@{self.atoms.index(atom)}")

    def over_path(self, word: str, tree: ast.Call, depth: int) -> tuple[Atom, Type]:
        """Read a path operator on an expression."""
        if len(tree.args) != 1 or tree.keywords:
            self.problem("arguments", f"gives {word} {len(tree.args)} argument(s)", "one expression")
            raise _Stop
        self.inside_atom = True
        inner = self.read(tree.args[0], self.labels_near(tree.args[0]), depth)
        self.inside_atom = False
        if word in CONDITION_OPERATORS:
            self.truth(inner, f"'{word}'")
        elif word != "final":
            self.number(inner, f"'{word}'")
        kind: Type = "truth" if word in TRUTH_OPERATORS else "number"
        if word in ("final", "max_over", "min_over"):
            kind = inner.type
        return Atom(word, inner), kind

    def played(self, tree: ast.Call) -> tuple[Atom, Type]:
        """Read ``played(move)`` or ``played(move, player)``."""
        words = [arg.id if isinstance(arg, ast.Name) else "" for arg in tree.args]
        if len(words) not in PLAYED_FORMS or not all(words) or tree.keywords:
            self.problem("arguments", "gives played the wrong arguments", "played(move) or played(move, player)")
            raise _Stop
        move, player = (*words, "")[:2]
        if move not in self.scope.moves:
            advice = did_you_mean(move, self.scope.moves)
            self.problem("unknown-name", f"asks played('{move}'), which is not a move or group", advice=advice)
        if player and player not in self.scope.players:
            advice = did_you_mean(player, self.scope.players)
            self.problem("unknown-name", f"asks played by '{player}', who is not a player", advice=advice)
        return Atom("played", target=move, player=player), "truth"


def parse(text: str | float | bool, scope: Scope, wanted: Type) -> tuple[Expression, list[Problem]]:  # noqa: FBT001 - a TOML value
    """Read an expression.

    Parameters
    ----------
    text
        The expression, or a plain TOML number or boolean.
    scope
        What may be named.
    wanted
        The type that the place asks for; a label set also resolves plain labels.

    Returns
    -------
    tuple
        The expression and the problems found; with problems the expression must not be used.

    Examples
    --------
    >>> rung = Labels("rung", ("peace", "crisis", "war"), ordered=True)
    >>> scope = Scope(symbols={"rung": Symbol("variable", rung)}, labels={"rung": rung})
    >>> parse("rung > crisis", scope, "truth")[1]
    []
    >>> print(parse("rung > crises", scope, "truth")[1][0])
    names 'crises', which is not a variable, assumption or label; did you mean 'crisis'?
    """
    source = str(text).lower() if isinstance(text, bool) else str(text)
    empty = Expression(source[:80], Node("const", "unknown"), frozenset())
    syntax = read_syntax(source)
    if isinstance(syntax, Problem):
        return empty, [syntax]
    reader = _Reader(scope)
    try:
        node = reader.read(syntax, reader.labels_near(syntax) or (wanted if isinstance(wanted, Labels) else None))
        _demand(reader, node, wanted)
    except _Stop:
        return empty, reader.found
    except RecursionError:
        return empty, [Problem(kind="too-deep", what="is nested too deeply", expected=f"at most {LIMITS.depth} levels")]
    nodes = [part for tree in (node, *(atom.inner for atom in reader.atoms if atom.inner)) for part in tree.walk()]
    reads = {part.name for part in nodes if part.op == "name"}
    if any(part.op == "annuity" for part in nodes):
        reads |= {"round", "discount"}
    partial = any(part.partial for part in nodes)
    return Expression(source, node, frozenset(reads), tuple(reader.atoms), partial), reader.found


def _one_of(labels: Labels) -> str:
    """List the labels that were expected."""
    return f"one of {', '.join(labels.values[:MOST_LABELS])}"


def _demand(reader: _Reader, node: Node, wanted: Type) -> None:
    """Check the type of a whole expression against its place."""
    if wanted == "unknown" or node.type in ("unknown", wanted):
        return
    if isinstance(wanted, Labels):
        if not (wanted.ordered and node.type == "number"):
            reader.problem("wrong-type", f"is {describe(node.type)}", _one_of(wanted))
    elif wanted == "truth":
        reader.problem("wrong-type", f"is {describe(node.type)}", "a condition", CONDITIONS)
    elif not (isinstance(node.type, Labels) and node.type.ordered):
        reader.problem("wrong-type", f"is {describe(node.type)}", "a number")
