"""The graph model's part of the language: payoffs by order alone, and which states the model looks at.

A ranking or a list of priorities becomes an ordinary expression whose values are whole numbers, the more the better. The graph model
for conflict resolution takes their order alone; every other concept takes the numbers as amounts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim.errors import OptionError
from sim.scenario.expression import parse
from sim.scenario.model import Conflict
from sim.scenario.tree import Expression, Node, Scope, Symbol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sim.scenario.context import Context
    from sim.scenario.model import Scenario
    from sim.scenario.places import Path
    from sim.scenario.schema import PayoffTable

__all__ = [
    "MOST_PRIORITIES",
    "order_term",
    "priority_tree",
    "ranking_tree",
    "read_condition",
    "read_graph",
    "read_order",
]

MOST_PRIORITIES = 53
"""With more statements the weights, up to 2^52, and their sums would no longer be exact."""


def _times(weight: float, condition: Node) -> Node:
    """Weigh a condition."""
    return Node("*", "number", (Node("const", "number", value=weight), condition))


def ranking_tree(conditions: Sequence[Node]) -> Node:
    """Write a ranking as a number: of k conditions the first that holds gives k, the second k − 1, …, and none gives 0.

    Examples
    --------
    >>> from sim.scenario.evaluate import evaluate_one
    >>> best, good = Node("name", "truth", name="peace"), Node("name", "truth", name="truce")
    >>> [evaluate_one(ranking_tree([best, good]), {"peace": p, "truce": t}) for p, t in ((1, 1), (0, 1), (0, 0))]
    [2.0, 1.0, 0.0]
    """
    count = len(conditions)
    weighed = [_times(float(count - place), condition) for place, condition in enumerate(conditions)]
    return Node("max", "number", (*weighed, Node("const", "number", value=0.0)))


def priority_tree(conditions: Sequence[Node]) -> Node:
    """Write priorities as a number: of k statements the first counts 2^(k−1) where it holds, the second 2^(k−2), …, the last 1.

    Option prioritising: Hipel, K. W., Fang, L., Kilgour, D. M. & Haight, M. (1993); Peng, Hipel & Kilgour (1997).

    Examples
    --------
    >>> from sim.scenario.evaluate import evaluate_one
    >>> first, second = Node("name", "truth", name="a"), Node("name", "truth", name="b")
    >>> [evaluate_one(priority_tree([first, second]), {"a": a, "b": b}) for a, b in ((1, 1), (1, 0), (0, 1))]
    [3.0, 2.0, 1.0]
    """
    count = len(conditions)
    terms = [_times(2.0 ** (count - 1 - place), condition) for place, condition in enumerate(conditions)]
    while len(terms) > 1:  # in pairs, so that no tree is deep
        pairs = [Node("+", "number", (left, right)) for left, right in zip(terms[::2], terms[1::2], strict=False)]
        terms = pairs + terms[2 * len(pairs) :]
    return terms[0]


def read_order(context: Context, name: str, payoff: PayoffTable | None) -> tuple[str, tuple[Expression, ...]]:
    """Read a player's ranking or priorities.

    Returns
    -------
    tuple
        ``"ranking"``, ``"priorities"`` or an empty text, and the conditions, best first.
    """
    given: dict[str, Any] = {
        word: getattr(payoff, word) for word in ("each_round", "ranking", "priorities") if getattr(payoff, word, None)
    }
    path: Path = ("payoffs", name)
    if len(given) > 1:
        *_, last = given
        expected = "one of each_round, ranking, priorities"
        context.note((*path, last), "bad-payoff", f"payoff of {name} has {' and '.join(given)}", expected)
    word = next((word for word in given if word != "each_round"), "")
    texts: list[Any] = given.get(word, []) if word else []
    if word == "priorities" and len(texts) > MOST_PRIORITIES:
        what = f"payoff of {name} has {len(texts)} priorities"
        advice = "their weights double with each; write a ranking, or drop the least"
        context.note((*path, word), "too-many-priorities", what, f"at most {MOST_PRIORITIES}", advice)
        texts = []
    conditions = tuple(
        context.read(text, (*path, word, place), f"{word} of {name}, entry {place + 1},", context.state_scope, "truth")
        for place, text in enumerate(texts)
    )
    return word, conditions


def order_term(word: str, conditions: Sequence[Expression]) -> Expression:
    """Make the payoff expression of a ranking or of priorities.

    Examples
    --------
    >>> calm = Expression("calm", Node("name", "truth", name="calm"), frozenset({"calm"}))
    >>> order_term("ranking", [calm]).text
    'ranking: calm'
    """
    nodes = [condition.node for condition in conditions]
    return Expression(
        text=f"{word}: " + " > ".join(condition.text for condition in conditions),
        node=ranking_tree(nodes) if word == "ranking" else priority_tree(nodes),
        reads=frozenset(name for condition in conditions for name in condition.reads),
        partial=any(condition.partial for condition in conditions),
    )


def read_graph(context: Context) -> Conflict | None:
    """Read the table ``[graph]``."""
    table = context.file.graph
    if table is None:
        return None
    names = tuple(table.variables) if table.variables is not None else tuple(context.file.state)
    for name in dict.fromkeys(names):
        context.unknown(("graph", "variables"), "[graph]", name, context.file.state, "a state variable")
        if names.count(name) > 1:
            context.note(("graph", "variables"), "duplicate-id", f"[graph] lists {name} twice", advice="remove one")
    merge: dict[str, Expression] = {}
    for name, text in table.merge.items():
        path: Path = ("graph", "merge", name)
        context.check_id(path, name, read=False)
        merge[name] = context.read(text, path, f"merge {name}", context.state_scope, "truth")
    return Conflict(variables=names, merge=merge, note=table.note)


def read_condition(scenario: Scenario, text: str) -> Expression:
    """Read a condition on the states of a loaded scenario: over its variables and assumptions.

    Raises
    ------
    OptionError
        Saying what is wrong with it.

    Examples
    --------
    >>> import sim
    >>> read_condition(sim.load("scenarios/chicken_graph.toml"), "a_swerves or b_swerves").text
    'a_swerves or b_swerves'
    """
    symbols: dict[str, Symbol] = {}
    for one in scenario.variables:
        symbols[one.id] = Symbol("variable", "truth" if one.kind == "flag" else one.labels or "number")
    for name, one in scenario.assumptions.items():
        symbols[name] = Symbol("assumption", one.labels or "number")
    labels = {one.id: one.labels for one in (*scenario.variables, *scenario.assumptions.values()) if one.labels}
    expression, problems = parse(text, Scope(symbols=symbols, labels=labels), "truth")
    if problems:
        raise OptionError(f"condition '{text:.60}' {problems[0]}")
    return expression
