"""Whether payoffs are affine in an assumption, and nothing but payoffs depends on it: read off the scenario's expressions.

Then the values of a fixed profile are affine in it too, for chance, discounts and the profile do not move. Every name gets a *degree*: 0 if it does
not depend on the assumption, 1 if it is affine in it, 2 for anything else. The reading is cautious: what it calls affine is affine, while something like
``max(x, x)`` is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.scenario.values import in_order

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sim.scenario.model import Scenario
    from sim.scenario.tree import Expression, Node

__all__ = ["degree", "why_not_affine"]

OTHER = 2


def degree(node: Node, given: Mapping[str, int]) -> int:
    """Return 0 if an expression does not depend on what ``given`` names with degree 1, 1 if it is affine in it, 2 otherwise.

    Examples
    --------
    >>> from sim.scenario.expression import Scope, Symbol, parse
    >>> scope = Scope(symbols={"x": Symbol("variable", "number"), "cost": Symbol("assumption", "number")})
    >>> [degree(parse(text, scope, "number")[0].node, {"cost": 1}) for text in ("x * x", "2 - cost * x", "max(cost, x)")]
    [0, 1, 2]
    """
    if node.op == "const":
        return 0
    if node.op == "name":
        return given.get(node.name, 0)
    parts = [degree(part, given) for part in node.parts]
    if not any(parts):
        return 0
    if node.op in ("+", "-", "neg", "annuity"):  # the factor of an annuity is made of the discount and the round
        return max(parts)
    if node.op == "*":
        return min(OTHER, sum(parts))
    if node.op == "/":
        return parts[0] if parts[1] == 0 else OTHER
    if node.op == "if":
        return max(parts[1:]) if parts[0] == 0 else OTHER
    if node.op == "gain" and parts[0] == 0 and not any(parts[2:]):  # a loss is multiplied by the loss aversion
        return parts[1]
    return OTHER


def _paid(scenario: Scenario) -> Iterator[tuple[str, Expression]]:
    """Yield everything that is paid, each with its place."""
    cases = [case for cases in scenario.chance.values() for case in cases]
    for holder in [*scenario.actions, *(branch for one in (*scenario.actions, *cases) for branch in one.branches)]:
        for player, expression in holder.pays.items():
            yield f"{holder.place}.pays.{player}", expression


def _rules(scenario: Scenario) -> Iterator[tuple[str, Expression]]:
    """Yield everything but payoffs, each with its place."""
    cases = [case for cases in scenario.chance.values() for case in cases]
    branches = [branch for one in (*scenario.actions, *cases) for branch in one.branches]
    for one in (*scenario.actions, *cases):
        yield f"the guard of {one.place}", one.guard
    for holder in (*scenario.actions, *branches):
        for name, expression in holder.effects.items():
            yield f"{holder.place}.effects.{name}", expression
    for branch in branches:
        for expression in (branch.probability, *branch.believes.values()):
            yield f"a probability of {branch.place}", expression
    for variable in scenario.variables:
        yield f"state.{variable.id}.start", variable.start
    for player in scenario.players:
        yield f"players.{player.id}.discount", player.discount
        for key, expression in player.prospect.items():
            yield f"players.{player.id}.prospect.{key}", expression
        for expression in player.order:
            yield f"the order of {player.id}", expression
    for expression in scenario.forbid:
        yield "a forbidden state", expression
    for name, question in scenario.questions.items():
        yield f"outcomes.{name}", question.expression
    for private in scenario.privates:
        for expression in private.parameters:
            yield f"private.{private.id}", expression
    for prior in scenario.prior:
        yield "the joint table of types", prior.probability


def why_not_affine(scenario: Scenario, name: str, fixed: Mapping[str, object] | None = None) -> str:
    """Say why the values of a fixed profile need not be affine in an assumption; an empty text if they are.

    Parameters
    ----------
    scenario
        A loaded scenario.
    name
        An assumption.
    fixed
        Assumptions that are set: they depend on nothing.

    Returns
    -------
    str
        The first place that reads it otherwise than as an affine part of a payoff.

    Examples
    --------
    >>> import sim
    >>> scenario = sim.load("scenarios/brinkmanship.toml")
    >>> why_not_affine(scenario, "disaster_cost"), why_not_affine(scenario, "risk_per_rung")
    ('', 'a probability of chance.accident.0.outcomes.0 reads risk_per_rung')
    """
    given: dict[str, int] = {}
    for other in in_order(scenario.assumptions)[0]:
        value = scenario.assumptions[other].value
        given[other] = 1 if other == name else 0 if other in (fixed or {}) else degree(value.node, given)
    moving = {other for other, found in given.items() if found}
    for place, expression in _rules(scenario):
        read = sorted(expression.reads & moving)
        if read:
            return f"{place} reads {read[0]}"
    for player in scenario.players:
        terms = [degree(one.node, given) for one in player.terms.values()]
        last = degree(player.final.node, {**given, "each_round": max(terms, default=0)})
        for key, found in zip([*player.terms, "final"], [*terms, last], strict=True):
            if found > 1:
                place = f"payoffs.{player.id}.{key}" if key != "payoff" else f"payoffs.{player.id}.each_round"
                return f"{place} is not affine in {name}"
    for place, expression in _paid(scenario):
        if degree(expression.node, given) > 1:
            return f"{place} is not affine in {name}"
    return ""
