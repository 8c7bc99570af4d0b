"""Repeated games as tables and plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim.present.plain import Table, number

if TYPE_CHECKING:
    from sim.analysis.repeated import Repeated, Trigger
    from sim.kinds import Floats

__all__ = ["repeated_data", "repeated_tables"]

AFTER = {"nash": "the equilibrium worst for him", "minmax": "his minmax value"}
MOST_ROWS = 60


def _point(values: Floats) -> str:
    """Write payoffs of all players."""
    return " / ".join(number(float(x)) for x in values)


def _cell(found: Repeated, one: Trigger) -> str:
    """Name a profile."""
    return " / ".join(names[a] for names, a in zip(found.game.actions, one.profile, strict=True))


def repeated_tables(found: Repeated) -> list[Table]:
    """Tabulate what each player is sure of, which payoffs are possible, and what patience sustains.

    Examples
    --------
    >>> from sim.analysis.repeated import repeated
    >>> from sim.game.strategic import StrategicGame
    >>> tables = repeated_tables(repeated(StrategicGame.from_matrices([[3, 1], [4, 2]], [[3, 4], [1, 2]])))
    >>> [table.title for table in tables]
    ['What the others can hold a player to', 'Payoffs per round', 'Profiles played for ever under a grim trigger']
    """
    players = found.game.players
    held = [
        (name, number(float(found.pure_minmax[i])), number(float(found.minmax[i]))) for i, name in enumerate(players)
    ]
    sets = [("feasible", "  ".join(_point(point) for point in found.feasible[:MOST_ROWS]))]
    if found.rational is not None:
        sets.append(("and individually rational", "  ".join(_point(point) for point in found.rational)))
    rows = [
        (
            _cell(found, one),
            _point(one.payoffs),
            AFTER[one.kind],
            *(number(float(x)) for x in one.discounts),
            number(one.discount),
        )
        for one in found.triggers
    ]
    more = f" (the first {MOST_ROWS} of {len(rows)})" if len(rows) > MOST_ROWS else ""
    return [
        Table(
            title="What the others can hold a player to",
            columns=("player", "by pure actions", "by mixed actions"),
            rows=held,
        ),
        Table(title="Payoffs per round", columns=("set", "vertices"), rows=sets),
        Table(
            title=f"Profiles played for ever under a grim trigger{more}",
            columns=(
                "profile",
                "payoffs",
                "a deviator then gets",
                *(f"least δ of {name}" for name in players),
                "of all",
            ),
            rows=rows[:MOST_ROWS],
        ),
    ]


def repeated_data(found: Repeated) -> dict[str, Any]:
    """Return what ``sim repeated --json`` prints."""
    return {
        "game": found.game.title,
        "players": list(found.game.players),
        "pure_minmax": found.pure_minmax,
        "minmax": found.minmax,
        "feasible": found.feasible,
        "rational": found.rational,
        "equilibria": [list(one) for one in found.equilibria],
        "triggers": [
            {
                "profile": [names[a] for names, a in zip(found.game.actions, one.profile, strict=True)],
                "punishment": one.kind,
                "payoffs": one.payoffs,
                "tempted": one.tempted,
                "punished": one.punished,
                "discounts": one.discounts,
                "discount": one.discount,
                "gain": one.gain,
                "gain_below": one.gain_below,
            }
            for one in found.triggers
        ],
    }
