"""The clock and the recorded history: what the source says happened, and when."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sim.scenario.model import Record
from sim.scenario.moves import action_label

if TYPE_CHECKING:
    from sim.scenario.context import Context
    from sim.scenario.model import Action
    from sim.scenario.places import Path
    from sim.scenario.schema import RecordTable

__all__ = ["read_clock", "read_history"]

MONTH = r"[0-9]{4}-(0[1-9]|1[0-2])"
DATE = MONTH + r"(-(0[1-9]|[12][0-9]|3[01]))?"
MOST_SHOWN = 6


def read_clock(context: Context) -> tuple[str, ...]:
    """Read the dates at which rounds start."""
    rounds = len(context.file.clock.starts) if context.endless and context.file.clock else context.rounds
    starts = tuple(context.file.clock.starts) if context.file.clock else ()
    if not context.file.clock:
        return ()
    expected = f"{rounds} rising dates 'YYYY-MM', one for each round"
    wrong = [start for start in starts if not re.fullmatch(MONTH, start)]
    what = ""
    if wrong:
        what = f"the clock has '{wrong[0]:.40}'"
    elif len(starts) != rounds:
        what = f"the clock has {len(starts)} starts"
    elif list(starts) != sorted(set(starts)):
        what = "the starts of the clock do not rise"
    if what:
        context.note(("clock", "starts"), "bad-clock", what, expected)
        return ()
    return starts


def read_history(context: Context, actions: tuple[Action, ...], clock: tuple[str, ...]) -> tuple[Record, ...]:
    """Read the recorded history."""
    out: list[Record] = []
    for index, table in enumerate(context.file.history):
        path: Path = ("history", index)
        number = _round(context, table, clock, path)
        if bool(table.move) == bool(table.event):
            what = f"a record has {'move and event' if table.move else 'neither move nor event'}"
            context.note((*path, "event"), "bad-record", what, "exactly one of them")
            continue
        if out and number and number < out[-1].round:
            what = "a record comes after a later one"
            context.note(path, "bad-record", what, "records in the order in which they happened")
        record = Record(
            date=table.date,
            round=number or (out[-1].round if out else 1),
            turn=_turn(context, table, number, path),
            player=_player(context, table, path) if table.move else "",
            action=_action(context, table, actions, path) if table.move else "",
            event=table.event,
            label=_label(context, table, path) if table.event else "",
            place=".".join(map(str, path)),
            source=context.check_source(table, path),
            note=table.note,
        )
        out.append(record)
    return tuple(out)


def _round(context: Context, table: RecordTable, clock: tuple[str, ...], path: Path) -> int:
    """Find the round of a record; 0 if it cannot be found."""
    if table.date and not re.fullmatch(DATE, table.date):
        context.note(
            (*path, "date"), "bad-record", f"a record has the date '{table.date:.40}'", "'YYYY-MM' or 'YYYY-MM-DD'"
        )
        return 0
    if table.round is not None:
        if not 1 <= table.round <= context.rounds:
            what = f"a record is in round {table.round}"
            context.note((*path, "round"), "outside-range", what, f"1 to {context.rounds}")
            return 0
        return table.round
    before = [number for number, start in enumerate(clock, 1) if start <= table.date[:7]]
    if before:
        return before[-1]
    if not table.date:
        context.note(path, "bad-record", "a record has no round", "round = N, or a date and a [clock]")
    elif clock:
        what = f"a record has the date {table.date}, before the first round"
        context.note((*path, "date"), "bad-record", what, f"{clock[0]} or later")
    elif not context.file.clock:
        what = f"a record has the date {table.date}, but there is no clock"
        context.note((*path, "date"), "bad-record", what, "round = N, or a [clock] with starts")
    return 0


def _turn(context: Context, table: RecordTable, number: int, path: Path) -> int:
    """Find the turn of a record, counted from 0; -1 if it names none."""
    if table.turn is None:
        return -1
    count = len(context.file.turns)
    if not 1 <= table.turn <= count:
        context.note((*path, "turn"), "outside-range", f"a record is in turn {table.turn}", f"1 to {count}")
        return -1
    turn = context.file.turns[table.turn - 1]
    movers = turn.simultaneous or ([turn.player] if turn.player else [])
    plays = bool(movers) and (not table.player or table.player in movers) and bool(table.move)
    fits = plays or table.event in (turn.chance or ())
    if not fits or (turn.in_rounds is not None and number and number not in turn.in_rounds):
        what = f"turn {table.turn} of round {number} is not that of {table.move or table.event}"
        context.note((*path, "turn"), "bad-record", what, "the place in [[turns]] at which it happened, from 1")
    return table.turn - 1


def _player(context: Context, table: RecordTable, path: Path) -> str:
    """Find who made a recorded move."""
    if table.player and context.unknown((*path, "player"), "history", table.player, context.file.players, "a player"):
        return ""
    move = context.file.moves.get(table.move)
    if move is None or not move.player:
        return ""
    if table.player and table.player not in move.player:
        what = f"history says that {table.player} made {table.move}"
        context.note((*path, "player"), "bad-record", what, " or ".join(move.player))
    if not table.player and len(move.player) > 1:
        what = f"history does not say who made {table.move}"
        context.note((*path, "move"), "bad-record", what, f"player = one of {', '.join(move.player)}")
    return table.player or move.player[0]


def _action(context: Context, table: RecordTable, actions: tuple[Action, ...], path: Path) -> str:
    """Find the action that a record names."""
    if context.unknown((*path, "move"), "history", table.move, context.file.moves, "a move"):
        return ""
    choices = context.file.moves[table.move].choose
    subject, kind = f"history of {table.move}", f"a choice of {table.move}"
    unknown = [context.unknown((*path, "choose", key), subject, key, choices, kind) for key in table.choose]
    if any(unknown):
        return ""
    labels = [action.label for action in actions if action.move == table.move]
    wanted = action_label(table.move, {key: table.choose.get(key, "?") for key in choices})
    if labels and wanted not in labels:
        shown = ", ".join(labels[:MOST_SHOWN]) + (", …" if len(labels) > MOST_SHOWN else "")
        place = (*path, "choose") if table.choose else (*path, "move")
        context.note(place, "bad-record", f"history records {wanted}", f"one of {shown}", "say it with choose")
    return wanted


def _label(context: Context, table: RecordTable, path: Path) -> str:
    """Find the outcome of an event that a record names."""
    if context.unknown((*path, "event"), "history", table.event, context.file.chance, "a chance event"):
        return ""
    cases = context.file.chance[table.event]
    labels = [outcome.label or str(index + 1) for case in cases for index, outcome in enumerate(case.outcomes)]
    if not table.label and len(set(labels)) == 1:
        return labels[0]
    if not table.label:
        what = f"history does not say how {table.event} turned out"
        context.note((*path, "event"), "bad-record", what, f"label = one of {', '.join(dict.fromkeys(labels))}")
        return ""
    context.unknown((*path, "label"), f"history of {table.event}", table.label, labels, f"an outcome of {table.event}")
    return table.label
