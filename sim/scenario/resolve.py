"""From the tables of a file to a scenario: every name resolved, every type checked, all mistakes gathered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim.scenario.conflict import order_term, read_graph, read_order
from sim.scenario.expression import PATH_OPERATORS
from sim.scenario.ledger import read_assumptions, read_variables
from sim.scenario.model import MAX_ROUNDS, Player, Question, Scenario, Turn
from sim.scenario.moves import read_chance, read_moves
from sim.scenario.orders import read_orders
from sim.scenario.private import check_disputes, read_prior, read_private
from sim.scenario.prospect import read_prospect
from sim.scenario.record import read_clock, read_history
from sim.scenario.variants import read_variants

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from sim.scenario.context import Context
    from sim.scenario.model import Assumption
    from sim.scenario.places import Path
    from sim.scenario.schema import OutcomeTable, ScenarioFile, TurnTable

__all__ = ["resolve"]


def resolve(context: Context, document: Mapping[str, Any]) -> Scenario:
    """Resolve everything; the scenario may be used only if the context has noted no problem.

    Parameters
    ----------
    context
        The validated tables, and the place for mistakes.
    document
        The parsed file.
    """
    file = context.file
    orders = read_orders(context)
    _check_ids(context)
    assumptions = read_assumptions(context)
    variables = read_variables(context)
    privates = read_private(context)
    context.fix_scopes()
    prior = read_prior(context)
    actions, chance = read_moves(context), read_chance(context)
    check_disputes(context, actions, chance)
    players, turns, clock = _players(context), _turns(context), read_clock(context)
    forbid = tuple(
        context.read(text, ("forbid", index), f"forbid {index + 1}", context.state_scope, "truth")
        for index, text in enumerate(file.forbid)
    )
    graph = read_graph(context)
    questions = _questions(context)
    history = read_history(context, actions, clock)
    variants = read_variants(context)
    _warn_unused(context, assumptions)
    return Scenario(
        title=file.title,
        note=file.note,
        file=context.name,
        rounds=context.rounds,
        horizon=file.horizon,
        players=players,
        assumptions=assumptions,
        variables=variables,
        turns=turns,
        actions=actions,
        chance=chance,
        forbid=forbid,
        questions=questions,
        history=history,
        clock=clock,
        graph=graph,
        privates=privates,
        prior=prior,
        orders=orders,
        variants=variants,
        citation=file.source.model_dump(),
        document=document,
        places=context.lines,
        warnings=tuple(context.warnings),
    )


def _check_ids(context: Context) -> None:
    """Check that ids are readable names and that no name means two things."""
    file = context.file
    owners: dict[str, str] = {}
    for section, names in _named(file):
        for name in names:
            context.check_id((section, name), name)
            if name in owners:
                what = f"'{name}' is in [{section}] and in [{owners[name]}]"
                context.note((section, name), "duplicate-id", what, advice="rename one of them")
            owners.setdefault(name, section)
    _check_created(context, owners)
    for section, names in (("moves", file.moves), ("chance", file.chance), ("outcomes", file.outcomes)):
        for name in names:
            context.check_id((section, name), name, read=section == "moves")
    for name, payoff in file.payoffs.items():
        for term in payoff.each_round:
            context.check_id(("payoffs", name, "each_round", term), term, read=False)
    for name, move in file.moves.items():
        if move.group:
            context.check_id(("moves", name, "group"), move.group)
        if move.group in file.moves:
            what = f"group '{move.group}' has the name of a move"
            context.note(("moves", name, "group"), "duplicate-id", what, advice="rename the group")
    for variable, table in file.state.items():
        for key, labels in (("ladder", table.ladder), ("values", table.values)):
            _check_labels(context, ("state", variable, key), labels or (), owners)
    for name, table in file.private.items():
        _check_labels(context, ("private", name, "values"), table.values or (), owners)
    for name, table in file.assumptions.items():
        labels = [choice for choice in table.choices or () if isinstance(choice, str)]
        _check_labels(context, ("assumptions", name, "choices"), labels, owners)


def _check_created(context: Context, owners: dict[str, str]) -> None:
    """Check that what orders create has no name that something else has."""
    for name, (order, _) in context.created.items():
        section = f"orders.{order.id}"
        if name in owners:
            what = f"'{name}' is in [{section}] and in [{owners[name]}]"
            context.note(("orders", order.id), "duplicate-id", what, advice="rename one of them")
        owners.setdefault(name, section)


def _named(file: ScenarioFile) -> Iterator[tuple[str, Iterable[str]]]:
    """List the sections whose names expressions read."""
    yield from (("players", file.players), ("assumptions", file.assumptions), ("state", file.state))
    yield "private", file.private


def _check_labels(context: Context, path: Path, labels: Iterable[str], owners: Mapping[str, str]) -> None:
    """Check that no label hides behind a name that is read first."""
    for label in labels:
        if owners.get(label, "players") != "players":
            what = f"label '{label}' of {path[1]} is also a name in [{owners[label]}]"
            context.note(path, "duplicate-id", what, advice="rename one of them")


def _players(context: Context) -> tuple[Player, ...]:
    """Read the players with their payoffs."""
    payoffs = context.file.payoffs
    for name in payoffs:
        context.unknown(("payoffs", name), "[payoffs]", name, context.file.players, "a player")
    out: list[Player] = []
    scope = context.informed(context.state_scope)
    for name, table in context.file.players.items():
        path: Path = ("players", name)
        place: Path = ("payoffs", name)
        discount = context.read(
            table.discount, (*path, "discount"), f"discount of {name}", context.value_scope, "number"
        )
        if discount.constant is not None and not 0 <= discount.constant <= 1:
            what = f"discount of {name} is {discount.constant:g}"
            context.note((*path, "discount"), "outside-range", what, "a number from 0 to 1")
        payoff = payoffs.get(name)
        if payoff is None and name not in _paid(context.file):
            context.warn(path, "no-payoff", f"player {name} has no payoff", f"write [payoffs.{name}]")
        terms = {
            term: context.read(text, (*place, "each_round", term), subject, scope, "number")
            for term, text in (payoff.each_round if payoff else {}).items()
            for subject in [f"payoff of {name}" + ("" if term == "payoff" else f" ({term})")]
        }
        ordinal, order = read_order(context, name, payoff)
        if order:
            terms = {"payoff": order_term(ordinal, order)}
        last = payoff.final if payoff else 0.0
        ending = context.informed(context.final_scope)
        final = context.read(last, (*place, "final"), f"final payoff of {name}", ending, "number")
        player = Player(
            id=name,
            name=table.name or name,
            discount=discount,
            terms=terms,
            final=final,
            note=table.note,
            source=context.check_source(table, path),
            ordinal=ordinal,
            order=order,
            prospect=read_prospect(context, name, table),
        )
        out.append(player)
    return tuple(out)


def _paid(file: ScenarioFile) -> set[str]:
    """Name the players whom a move or an outcome pays."""
    moves = list(file.moves.values())
    outcomes = [one for move in moves for one in move.outcomes]
    outcomes += [one for cases in file.chance.values() for case in cases for one in case.outcomes]
    return {name for table in (*moves, *outcomes) for name in table.pays}


def _turns(context: Context) -> tuple[Turn, ...]:
    """Read the order of play in a round."""
    out = [_turn(context, index, table) for index, table in enumerate(context.file.turns)]
    scheduled = {event for turn in out for event in turn.events}
    for event in context.file.chance:
        if event not in scheduled:
            what = f"chance event {event} is in no turn"
            context.warn(("chance", event), "unscheduled", what, "name it in [[turns]]")
    return tuple(out)


def _turn(context: Context, index: int, table: TurnTable) -> Turn:
    """Read one turn."""
    path: Path = ("turns", index)
    whole = "a turn"
    kinds = [key for key in ("player", "simultaneous", "chance") if getattr(table, key)]
    if len(kinds) != 1:
        found = " and ".join(kinds) or "neither player nor simultaneous nor chance"
        context.note((*path, (kinds or ["player"])[-1]), "bad-turn", f"{whole} has {found}", "exactly one of them")
    movers = table.simultaneous or ([table.player] if table.player else [])
    key = "simultaneous" if table.simultaneous else "player"
    if len(set(movers)) < len(movers):
        context.note((*path, key), "duplicate-id", f"{whole} names a player twice", "each player once")
    for player in movers:
        if context.unknown((*path, key), whole, player, context.file.players, "a player"):
            continue
        if not any(player in move.player for move in context.file.moves.values()):
            what = f"player {player} has a turn but no move"
            context.note((*path, key), "no-move", what, "at least one", f"write a move with player = '{player}'")
    for event in table.chance or ():
        context.unknown((*path, "chance"), whole, event, context.file.chance, "a chance event")
    _check_schedule(context, table, path, whole)
    order = list(context.file.players)
    return Turn(
        player=table.player or "",
        together=tuple(sorted(set(table.simultaneous or ()) & set(order), key=order.index)),
        events=tuple(table.chance or ()),
        rounds=frozenset(table.in_rounds) if table.in_rounds is not None else None,
        every=table.every or 1,
    )


def _check_schedule(context: Context, table: TurnTable, path: Path, whole: str) -> None:
    """Check in which rounds a turn comes."""
    last = MAX_ROUNDS if context.endless else context.rounds
    for number in table.in_rounds or ():
        if not 1 <= number <= last:
            what = f"{whole} comes in round {number}"
            context.note((*path, "in_rounds"), "outside-range", what, f"1 to {last}")
    if table.in_rounds == []:
        context.note((*path, "in_rounds"), "empty", f"{whole} comes in no round", "at least one", "or remove the key")
    if table.in_rounds is not None and table.every is not None:
        context.note((*path, "every"), "bad-turn", f"{whole} has in_rounds and every", "one of them")
    if table.every is not None and table.every > last:
        context.note((*path, "every"), "outside-range", f"{whole} comes every {table.every} rounds", f"1 to {last}")


def _questions(context: Context) -> dict[str, Question]:
    """Read the outcomes."""
    out: dict[str, Question] = {}
    for name, text in context.file.outcomes.items():
        noted = len(context.problems)
        expression = context.read(text, ("outcomes", name), f"outcome {name}", context.path_scope, "unknown")
        if context.endless and any(atom.op == "final" for atom in expression.atoms):
            what = f"outcome {name} reads a last state, and an endless path has none"
            context.note(
                ("outcomes", name),
                "path-operator",
                what,
                advice="ask ever, first, max_over or count, within the rounds shown",
            )
        if not expression.atoms and len(context.problems) == noted:
            what = f"outcome {name} asks nothing of the path"
            context.note(("outcomes", name), "path-operator", what, f"one of {', '.join(PATH_OPERATORS)}")
        out[name] = Question(id=name, expression=expression)
    return out


def _warn_unused(context: Context, assumptions: Mapping[str, Assumption]) -> None:
    """Warn of what is declared and never read."""
    moves = context.file.moves.values()
    branches: list[OutcomeTable] = [outcome for move in moves for outcome in move.outcomes]
    branches += [outcome for cases in context.file.chance.values() for case in cases for outcome in case.outcomes]
    written = {name for table in (*moves, *branches) for name in table.effects}
    written |= {name for move in moves for name in move.choose}
    for name in context.file.state:
        if name not in context.used:
            what = f"variable {name} {'is written but never read' if name in written else 'is never used'}"
            context.warn(("state", name), "unused", what, "remove it, or let a payoff read it")
    for name in context.private_symbols:
        if name not in context.used:
            context.warn(("private", name), "unused", f"private type {name} is never read", "let a payoff read it")
    for name in assumptions:
        if name not in context.used:
            path: Path = ("orders", context.created[name][0].id) if name in context.created else ("assumptions", name)
            context.warn(path, "unused", f"assumption {name} is never used", "remove it")
