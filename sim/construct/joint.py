"""Joint actions: what happens when several players choose at once, told as one action.

Right-hand sides read the old state, uncertain outcomes are independent, payments add up, and what two actions write into one variable
is combined as the variable says. A joint action is an ordinary action made of expressions, so expansion and tables need no other rules.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sim.scenario.model import Action, Branch
from sim.scenario.tree import Expression, Node

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sim.scenario.model import Scenario

__all__ = ["MAX_JOINT", "Joint", "joint_actions"]

MAX_JOINT = 20_000
"""Joint actions that one turn may have."""
TRUE = Expression("true", Node("const", "truth", value=1.0), frozenset())


@dataclass(frozen=True, slots=True, kw_only=True)
class Joint:
    """One combination of actions: the places of its parts among the players' actions, and what they amount to.

    ``clash`` names a variable that two parts write although nothing says how to combine that.
    """

    places: tuple[int, ...]
    parts: tuple[Action, ...]
    action: Action
    clash: str


def _bound(node: Node, constants: Mapping[str, float]) -> Node:
    """Put numbers in the place of names."""
    if node.op == "name" and node.name in constants:
        return Node("const", node.type, value=constants[node.name])
    if not node.parts:
        return node
    return Node(node.op, node.type, tuple(_bound(part, constants) for part in node.parts), node.value, node.name)


def _bind(expression: Expression, constants: Mapping[str, float]) -> Expression:
    """Fix what an expression reads of its mover and its choices."""
    if not expression.reads & set(constants) and not any(n.name in constants for n in expression.node.walk()):
        return expression
    return replace(expression, node=_bound(expression.node, constants), reads=expression.reads.difference(constants))


def _bind_all(table: Mapping[str, Expression], constants: Mapping[str, float]) -> dict[str, Expression]:
    return {name: _bind(expression, constants) for name, expression in table.items()}


def _fold(op: str, expressions: Sequence[Expression], sign: str) -> Expression:
    """Join expressions by an operator or a function."""
    if len(expressions) == 1:
        return expressions[0]
    nodes = [expression.node for expression in expressions]
    if op in ("+", "*"):
        node = nodes[0]
        for other in nodes[1:]:
            node = Node(op, "number", (node, other))
    else:
        node = Node(op, "number", tuple(nodes))
    reads = frozenset(name for expression in expressions for name in expression.reads)
    text = sign.join(f"({expression.text})" for expression in expressions)
    return Expression(text, node, reads, partial=any(expression.partial for expression in expressions))


def _combined(name: str, rule: str, expressions: Sequence[Expression]) -> Expression:
    """Combine what several actions write into one variable."""
    if len(expressions) == 1:
        return expressions[0]
    if rule in ("max", "min"):
        return _fold(rule, expressions, f" {rule} ")
    old = Expression(name, Node("name", "number", name=name), frozenset({name}))
    changes = [
        replace(one, node=Node("-", "number", (one.node, old.node)), reads=one.reads | old.reads) for one in expressions
    ]
    return _fold("+", [old, *changes], " + ")


def _merge(scenario: Scenario, tables: Sequence[Mapping[str, Expression]]) -> tuple[dict[str, Expression], str]:
    """Merge effects; also return the name of a variable that is written twice without a rule, or an empty text."""
    out: dict[str, Expression] = {}
    clash = ""
    for name in dict.fromkeys(name for table in tables for name in table):
        written = [table[name] for table in tables if name in table]
        rule = scenario.variable(name).combine
        if len(written) > 1 and not rule:
            clash = name
        out[name] = _combined(name, rule, written)
    return out, clash


def _total(tables: Sequence[Mapping[str, Expression]]) -> dict[str, Expression]:
    """Add up payments."""
    names = dict.fromkeys(name for table in tables for name in table)
    return {name: _fold("+", [table[name] for table in tables if name in table], " + ") for name in names}


def _as_branches(action: Action) -> tuple[Branch, ...]:
    """Tell a certain action as one with a single outcome."""
    if action.branches:
        return action.branches
    sure = Expression("1", Node("const", "number", value=1.0), frozenset())
    return (
        Branch(
            label="",
            probability=sure,
            believes={},
            effects=action.effects,
            pays={},
            ends=action.ends,
            place=action.place,
        ),
    )


def _joint_branch(scenario: Scenario, branches: Sequence[Branch]) -> tuple[Branch, str]:
    """Make one outcome of several independent ones."""
    effects, clash = _merge(scenario, [branch.effects for branch in branches])
    disputed = dict.fromkeys(name for branch in branches for name in branch.believes)
    made = Branch(
        label="+".join(branch.label for branch in branches if branch.label),
        probability=_fold("*", [branch.probability for branch in branches], " * "),
        believes={
            name: _fold("*", [branch.believes.get(name, branch.probability) for branch in branches], " * ")
            for name in disputed
        },
        effects=effects,
        pays=_total([branch.pays for branch in branches]),
        ends=any(branch.ends for branch in branches),
        place=next((branch.place for branch in branches if branch.label), branches[0].place),
        source=tuple(source for branch in branches for source in branch.source),
    )
    return made, clash


def _bound_action(scenario: Scenario, action: Action, player: str) -> Action:
    """Fix an action's mover and choices."""
    constants = {"mover": float(scenario.player_ids.index(player)), **action.chosen}
    branches = tuple(
        replace(
            branch,
            probability=_bind(branch.probability, constants),
            believes=_bind_all(branch.believes, constants),
            effects=_bind_all(branch.effects, constants),
            pays=_bind_all(branch.pays, constants),
        )
        for branch in action.branches
    )
    return replace(
        action,
        effects=_bind_all(action.effects, constants),
        pays=_bind_all(action.pays, constants),
        branches=branches,
        players=(player,),
    )


def _join(scenario: Scenario, parts: Sequence[Action]) -> tuple[Action, str]:
    """Make one action of several."""
    made = [_joint_branch(scenario, some) for some in itertools.product(*map(_as_branches, parts))]
    clash = next((clash for _, clash in made if clash), "")
    uncertain = any(part.branches for part in parts)
    certain = made[0][0]
    action = Action(
        move="",
        label=" & ".join(part.label for part in parts),
        name=" & ".join(part.name for part in parts),
        players=tuple(player for part in parts for player in part.players),
        guard=TRUE,
        effects={} if uncertain else certain.effects,
        pays=_total([part.pays for part in parts]),
        branches=tuple(branch for branch, _ in made) if uncertain else (),
        chosen={},
        group="",
        ends=certain.ends and not uncertain,
        place=parts[0].place,
    )
    return action, clash


def joint_actions(scenario: Scenario, choices: Sequence[tuple[str, Sequence[Action]]]) -> tuple[Joint, ...]:
    """Make every joint action of a simultaneous turn, the last player's choice varying fastest.

    Parameters
    ----------
    scenario
        Whose variables say how to combine what is written into them.
    choices
        Each player with the actions that he might have.

    Returns
    -------
    tuple of Joint

    Examples
    --------
    >>> import sim
    >>> scenario = sim.load(sim.template())
    >>> pushing = [action for action in scenario.actions if "challenger" in action.players]
    >>> len(joint_actions(scenario, [("challenger", pushing), ("defender", pushing)])) == len(pushing) ** 2
    True
    """
    bound = [[_bound_action(scenario, action, player) for action in actions] for player, actions in choices]
    out: list[Joint] = []
    for places in itertools.product(*(range(len(actions)) for actions in bound)):
        parts = tuple(actions[place] for actions, place in zip(bound, places, strict=True))
        action, clash = _join(scenario, parts)
        out.append(Joint(places=places, parts=parts, action=action, clash=clash))
    return tuple(out)
