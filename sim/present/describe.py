"""A scenario in plain English, with its ledger of assumptions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim.analysis.check import size_bound
from sim.present.plain import Table, number
from sim.scenario.model import BASE
from sim.scenario.values import assumption_values, show_assumption, structural

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sim.scenario.model import Action, Branch, Player, Private, Scenario, Turn

__all__ = ["describe", "ledger_table", "size_lines"]


def _effects(effects: dict[str, str]) -> str:
    return "; ".join(f"{name} becomes {text}" for name, text in effects.items())


def _branch(branch: Branch) -> str:
    parts = [f"with probability {branch.probability.text}"]
    parts += [f"({player} believes {text.text})" for player, text in branch.believes.items()]
    parts.append(_effects({name: e.text for name, e in branch.effects.items()}) or "nothing changes")
    if branch.ends:
        parts.append("the game ends")
    return f"      {branch.label}: " + ", ".join(parts)


def _action(action: Action) -> list[str]:
    head = f"  {action.label}" + ("" if action.guard.constant else f", while {action.guard.text}")
    lines = [head + (f"   [{', '.join(action.source)}]" if action.source else "")]
    if action.note:
        lines.append(f"      {action.note}")
    if action.effects:
        lines.append("      " + _effects({name: e.text for name, e in action.effects.items()}))
    lines += [f"      pays {player}: {e.text}" for player, e in action.pays.items()]
    lines += [_branch(branch) for branch in action.branches]
    if action.ends:
        lines.append("      the game ends")
    return lines


def _turn(turn: Turn) -> str:
    who = f"{turn.player} moves" if turn.player else f"chance: {', '.join(turn.events)}"
    if turn.together:
        who = f"{' and '.join(turn.together)} choose at once"
    if turn.every > 1:
        return f"{who} (every {turn.every} rounds)"
    return who if turn.rounds is None else f"{who} (in round {', '.join(map(str, sorted(turn.rounds)))} only)"


def _payoff(player: Player) -> list[str]:
    """Tell what a player is paid, or how the player orders the states."""
    head = f"{player.name} ({player.id}), discount {player.discount.text},"
    if player.prospect:
        told = ", ".join(f"{key} {expression.text}" for key, expression in player.prospect.items())
        head += f" evaluates chance by prospect theory ({told}),"
    if player.ordinal:
        count = len(player.order)
        places = [2 ** (count - 1 - j) if player.ordinal == "priorities" else count - j for j in range(count)]
        how = (
            "each counts the number before it where it holds"
            if player.ordinal == "priorities"
            else "by the first that holds, and 0 if none does"
        )
        note = (
            "only their order is meant: stability takes nothing else, every other concept takes the numbers as amounts"
        )
        told = [f"  {place}: {' '.join(e.text.split())}" for place, e in zip(places, player.order, strict=True)]
        return [f"{head} orders the states by {player.ordinal} ({how}; {note}):", *told]
    told = [
        f"  {'' if term == 'payoff' else term + ': '}{' '.join(e.text.split())}" for term, e in player.terms.items()
    ]
    return [f"{head} is paid each round:", *(told or ["  nothing"])]


def _private(one: Private) -> str:
    """Tell a private type: who knows it, how likely each value is, and what everybody takes for granted unless it is hidden."""
    if one.labels is None:
        told = f"{one.kind} with {' and '.join(expression.text for expression in one.parameters)}"
        known = "" if one.known_as is None else f"; unless hidden, everybody knows it is {number(one.known_as)}"
    else:
        chances = [f" with probability {expression.text}" for expression in one.parameters] or [""] * one.size
        told = ", ".join(f"{label}{chance}" for label, chance in zip(one.labels.values, chances, strict=True))
        known = (
            ""
            if one.known_as is None
            else f"; unless hidden, everybody knows it is {one.labels.values[int(one.known_as)]}"
        )
    source = f"   [{', '.join(one.source)}]" if one.source else ""
    return f"  {one.id}, known to {one.known_to}: {told}{known}" + (f"   — {one.note}" if one.note else "") + source


def _privates(scenario: Scenario) -> list[str]:
    """Tell what is private, and the joint table of priors if there is one."""
    if not scenario.privates:
        return []
    lines = ["", "Private types, drawn once at the start:", *(_private(one) for one in scenario.privates)]
    labels = {one.id: one.labels.values for one in scenario.privates if one.labels}
    for row in scenario.prior:
        together = " and ".join(f"{name} {labels[name][value]}" for name, value in row.values.items())
        lines.append(f"  together: {together} with probability {row.probability.text}")
    return lines


def _orders(scenario: Scenario) -> list[str]:
    """Tell the orders, and what each named variant sets."""
    lines = ["", "Known by their order alone, best first:"] if scenario.orders else []
    for order in scenario.orders:
        pairs = [f"{order.members[better]} > {order.members[worse]}" for better, worse in order.above]
        total = len(pairs) == len(order.members) - 1 and all(
            pair == (at, at + 1) for at, pair in enumerate(order.above)
        )
        told = " > ".join(order.members) if total else ", ".join(pairs)
        source = f"   [{', '.join(order.source)}]" if order.source else ""
        ends = f"; the worst is worth {number(order.low)}, the best {number(order.high)}"
        lines.append(f"  {order.id}: {told}{ends}" + (f"   — {order.note}" if order.note else "") + source)
    named = [variant for variant in scenario.variants.values() if variant.id != BASE]
    lines += ["", "Variants:"] if named else []
    for variant in named:
        told = ", ".join(f"{name} = {value}" for name, value in variant.settings.items()) or "nothing is set"
        source = f"   [{', '.join(variant.source)}]" if variant.source else ""
        lines.append(f"  {variant.id}: {told}" + (f"   — {variant.note}" if variant.note else "") + source)
    return lines


def describe(scenario: Scenario) -> list[str]:
    """Tell a scenario in plain English, line by line.

    Examples
    --------
    >>> import sim
    >>> describe(sim.load(sim.template()))[0]
    'A three-move crisis'
    """
    lines = [scenario.title, *([scenario.note] if scenario.note else []), ""]
    often = f"Rounds without end ({scenario.rounds} shown)" if scenario.endless else f"{scenario.rounds} round(s)"
    lines += [f"{often}, each in this order:"]
    lines += [f"  {place}. {_turn(turn)}" for place, turn in enumerate(scenario.turns, 1)]
    lines += ["", "State:"]
    for variable in scenario.variables:
        values = " < ".join(variable.labels.values) if variable.labels and variable.labels.ordered else ""
        values = values or (
            ", ".join(variable.labels.values)
            if variable.labels
            else (
                "true or false" if variable.kind == "flag" else f"{variable.low} to {variable.low + variable.size - 1}"
            )
        )
        lines.append(
            f"  {variable.id}: {values}; starts at {variable.start.text}"
            + (f"   — {variable.note}" if variable.note else "")
        )
    lines += _privates(scenario)
    for player in scenario.players:
        lines += ["", *_payoff(player)]
        if player.final.constant != 0:
            lines.append(f"  and at the end: {' '.join(player.final.text.split())}")
        lines.append("and may play:")
        for action in scenario.actions:
            if player.id in action.players:
                lines += _action(action)
    lines += ["", "Chance:"] if scenario.chance else []
    for event, cases in scenario.chance.items():
        for case in cases:
            lines.append(f"  {event}" + ("" if case.guard.constant else f", while {case.guard.text}"))
            lines += [_branch(branch) for branch in case.branches]
    lines += _orders(scenario)
    if scenario.forbid:
        lines += ["", "No move may lead to:", *(f"  {condition.text}" for condition in scenario.forbid)]
    if scenario.graph:
        lines += ["", f"As a graph model, its states are the values of {', '.join(scenario.graph.variables)}."]
        lines += [f"  {name} is one state: {condition.text}" for name, condition in scenario.graph.merge.items()]
    lines += ["", "Questions:"] if scenario.questions else []
    lines += [f"  {name}: {question.expression.text}" for name, question in scenario.questions.items()]
    return lines


def ledger_table(scenario: Scenario, settings: Mapping[str, Any] | None = None) -> Table:
    """Tabulate the assumptions with their values, ranges, bases and sources."""
    values = assumption_values(scenario, settings)
    shapes = structural(scenario)
    rows: list[tuple[str, ...]] = []
    for name, assumption in scenario.assumptions.items():
        value = show_assumption(assumption, float(values[name][0]))
        allowed = ", ".join(assumption.labels.values) if assumption.labels else ""
        allowed = allowed or (", ".join(number(choice) for choice in assumption.choices) if assumption.choices else "")
        allowed = allowed or (
            f"{number(assumption.range[0])} to {number(assumption.range[1])}" if assumption.range else "any"
        )
        shown = value if isinstance(value, str) else number(value)
        rows.append(
            (
                name,
                shown,
                allowed,
                assumption.basis,
                ", ".join(assumption.source),
                "yes" if name in shapes else "",
                " ".join(assumption.note.split()),
            )
        )
    return Table(
        title="Ledger of assumptions",
        columns=("assumption", "value", "allowed", "basis", "source", "shapes the graph", "note"),
        rows=rows,
    )


def size_lines(scenario: Scenario, rounds: int | None = None) -> list[str]:
    """Say what is known of the game's size before it is compiled."""
    states = 1
    for variable in scenario.variables:
        states *= variable.size
    bound = size_bound(scenario, rounds)
    return [
        f"Before compiling: {states:,} conceivable states; at most {bound:,} nodes."
        if bound < 10**15
        else f"Before compiling: {float(states):.1e} conceivable states; no useful bound on nodes."
    ]
