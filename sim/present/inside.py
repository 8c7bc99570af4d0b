"""Tables of what lies inside a solution: stages, reasons, bounds and commitment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sim.present.plain import Table, number

if TYPE_CHECKING:
    from sim.analysis.bounds import Bounds
    from sim.analysis.commitment import Commitment
    from sim.analysis.reasons import Reason, Reasons
    from sim.analysis.stages import StageInfo

__all__ = [
    "bounds_data",
    "bounds_tables",
    "commitment_data",
    "commitment_tables",
    "reasons_data",
    "reasons_lines",
    "reasons_tables",
    "stage_data",
    "stage_tables",
    "stages_table",
]

PAIR = 2


def stages_table(found: tuple[StageInfo, ...], most: int) -> Table:
    """List stages."""
    rows = [
        (
            str(info.round),
            ", ".join(f"{name}={value}" for name, value in info.state.items()),
            " × ".join(str(len(actions)) for actions in info.actions),
            str(len(info.equilibria) or "not enumerated"),
            info.equilibria[0].complete if info.equilibria else "",
            " & ".join(_mixed(actions, own) for actions, own in zip(info.actions, info.played, strict=True)),
        )
        for info in found[:most]
    ]
    more = f" (the first {most} of {len(found)})" if len(found) > most else ""
    columns = ("round", "state", "size", "equilibria", "complete", "played")
    return Table(title=f"Stages{more}", columns=columns, rows=rows)


def _mixed(actions: tuple[str, ...], own: Any) -> str:
    """Write a mixed strategy, leaving out what is not played."""
    kept = [(name, float(share)) for name, share in zip(actions, own, strict=True) if share > 1e-9]  # noqa: PLR2004
    return kept[0][0] if len(kept) == 1 else " + ".join(f"{number(share)} {name}" for name, share in kept)


def stage_tables(info: StageInfo) -> list[Table]:
    """Tabulate one stage: its matrix, and its equilibria."""
    tables: list[Table] = []
    if len(info.players) == PAIR:
        rows = [
            (
                name,
                *(
                    f"{number(float(info.payoffs[0, a, b]))}, {number(float(info.payoffs[1, a, b]))}"
                    for b in range(len(info.actions[1]))
                ),
            )
            for a, name in enumerate(info.actions[0])
        ]
        title = f"Payoffs to {info.players[0]} (rows) and {info.players[1]} (columns), with what follows"
        tables.append(Table(title=title, columns=("", *info.actions[1]), rows=rows))
    else:
        rows = [
            (
                *(names[a] for names, a in zip(info.actions, place, strict=True)),
                *(number(float(x)) for x in info.payoffs[(slice(None), *place)]),
            )
            for place in np.ndindex(*info.payoffs.shape[1:])
        ]
        columns = (*info.players, *(f"to {name}" for name in info.players))
        tables.append(Table(title="Payoffs, with what follows", columns=columns, rows=rows))
    rows = [
        (
            _mixed(info.actions[0], one.row),
            _mixed(info.actions[1], one.column) if len(info.players) == PAIR else "",
            ", ".join(number(float(value)) for value in one.values),
            ", ".join(str(place + 1) for place in one.component),
            "played" if _same(info, one) else "",
        )
        for one in info.equilibria
    ]
    columns = (info.players[0], info.players[1] if len(info.players) == PAIR else "", "values", "component", "")
    if rows:
        tables.append(
            Table(title=f"Equilibria (completeness: {info.equilibria[0].complete})", columns=columns, rows=rows)
        )
    if len(info.players) == PAIR:
        tables.append(_leaders_table(info))
    return tables


def _leaders_table(info: StageInfo) -> Table:
    """Tabulate what each player would earn by announcing first, against what is played."""
    from sim.analysis.commitment import leader

    rows: list[tuple[str, ...]] = []
    played = [np.einsum("ab,a,b->", info.payoffs[i], *info.played) for i in range(PAIR)]
    for i, name in enumerate(info.players):
        own, other = (info.payoffs[i], info.payoffs[1 - i])
        found = leader(own, other) if i == 0 else leader(own.T, other.T)
        reply = info.actions[1 - i][found.reply]
        rows.append(
            (name, number(found.values[0]), number(float(played[i])), _mixed(info.actions[i], found.strategy), reply)
        )
    columns = ("leader", "would earn", "earns", "by announcing", "answered by")
    return Table(title="If one of them could announce first, and be believed", columns=columns, rows=rows)


def _same(info: StageInfo, one: Any) -> bool:
    parts = (one.row, one.column)[: len(info.played)]
    return all(np.abs(own - part).max() < 1e-6 for own, part in zip(info.played, parts, strict=True))  # noqa: PLR2004


def stage_data(info: StageInfo) -> dict[str, Any]:
    """Return a stage for ``--json``."""
    return {
        "round": info.round,
        "state": info.state,
        "players": info.players,
        "actions": info.actions,
        "payoffs": info.payoffs.tolist(),
        "played": [own.tolist() for own in info.played],
        "equilibria": [
            {
                "row": one.row.tolist(),
                "column": one.column.tolist(),
                "values": one.values.tolist(),
                "max_regret": one.max_regret,
                "component": one.component,
                "complete": one.complete,
            }
            for one in info.equilibria
        ],
    }


def reasons_lines(found: Reasons) -> list[str]:
    """Say how firm a choice is."""
    if found.probability < 1 - 1e-9:
        firm = f"{found.player} plays {found.action} with probability {number(found.probability)}"
    else:
        firm = f"{found.player} plays {found.action}"
    if not found.others:
        return [f"{firm}, having no other move."]
    slack = f"{number(found.slack)} ({100 * found.slack_share:.2g} % of the payoff range)"
    what = f"The nearest other move is worth {slack} less"
    return [
        f"{firm}. {what}; with the replies as they are, the choice stands while payoffs of {found.player} move by less than half of that."
    ]


def reasons_tables(found: Reasons) -> list[Table]:
    """Tabulate the other moves, and what explains that the nearest is not made."""
    rows = [
        (
            one.action,
            number(one.slack),
            number(one.hoped),
            "none needed" if one.pins == () else "too many to tell" if one.pins is None else str(len(one.pins)),
            " · ".join(f"{when}:{what}" for when, _, what in one.follows),
        )
        for one in found.others
    ]
    columns = ("other move", "worse by", "at best better by", "decisions that explain it", "what would follow")
    tables = [Table(title="Why not another move", columns=columns, rows=rows)]
    nearest = next((one for one in found.others if one.pins), None)
    if nearest is not None and nearest.pins is not None:
        tables.append(_pins_table(nearest))
    return tables


def _pins_table(one: Reason) -> Table:
    """Tabulate the decisions that explain why a move is not made."""
    pins = one.pins or ()
    names = {
        name for pin in pins for name, value in pin.state.items() if any(other.state[name] != value for other in pins)
    } or set[str]()
    rows = [
        (
            str(pin.round),
            pin.player,
            ", ".join(f"{name}={value}" for name, value in pin.state.items() if name in names),
            pin.reply,
            pin.hoped,
        )
        for pin in pins
    ]
    title = f"The decisions that deter {one.action}: no smaller part of them does (states told apart by what differs)"
    return Table(title=title, columns=("round", "player", "state", "would reply", "hoped for"), rows=rows)


def reasons_data(found: Reasons) -> dict[str, Any]:
    """Return reasons for ``--json``."""
    return {
        "player": found.player,
        "round": found.round,
        "state": found.state,
        "action": found.action,
        "probability": found.probability,
        "slack": found.slack,
        "slack_share": found.slack_share,
        "others": [
            {
                "action": one.action,
                "slack": one.slack,
                "hoped": one.hoped,
                "follows": [{"round": when, "player": who, "move": what} for when, who, what in one.follows],
                "pins": None
                if one.pins is None
                else [
                    {
                        "round": pin.round,
                        "player": pin.player,
                        "state": pin.state,
                        "reply": pin.reply,
                        "hoped": pin.hoped,
                    }
                    for pin in one.pins
                ],
            }
            for one in found.others
        ],
    }


def bounds_tables(found: Bounds) -> list[Table]:
    """Tabulate bounds across equilibria."""
    how = "all" if found.complete else "the first"
    many = f"Across {how} {found.count} equilibria" if found.count > 1 else "Only one equilibrium"
    title = f"{many} (pure ties, extreme equilibria of stages)"
    rows = [(name, *(number(x) for x in three)) for name, three in (found.values | found.outcomes).items()]
    return [Table(title=title, columns=("value or outcome", "least", "selected", "greatest"), rows=rows)]


def bounds_data(found: Bounds) -> dict[str, Any]:
    """Return bounds for ``--json``."""
    return {"count": found.count, "complete": found.complete, "values": found.values, "outcomes": found.outcomes}


def commitment_tables(found: Commitment) -> list[Table]:
    """Tabulate what a commitment changes."""
    from sim.analysis.paths import play

    players = found.free.game.graph.players
    free, bound = (play(one).outcomes() for one in (found.free, found.bound))
    rows = [
        (
            f"value to {name}",
            number(float(found.free.values[0, i])),
            number(float(found.bound.values[0, i])),
            number(float(found.bound.values[0, i] - found.free.values[0, i])),
        )
        for i, name in enumerate(players)
    ]
    rows += [
        (
            name,
            number(float(free[name][0])),
            number(float(bound[name][0])),
            number(float(bound[name][0] - free[name][0])),
        )
        for name in free
    ]
    title = f"{found.player} bound to {found.move} at {found.nodes:,} nodes, against the free game"
    return [Table(title=title, columns=("", "free", "bound", "difference"), rows=rows)]


def commitment_data(found: Commitment) -> dict[str, Any]:
    """Return a commitment for ``--json``."""
    players = found.free.game.graph.players
    return {
        "player": found.player,
        "move": found.move,
        "nodes": found.nodes,
        "gain": float(found.gain[0]),
        "free": dict(zip(players, found.free.values[0].tolist(), strict=True)),
        "bound": dict(zip(players, found.bound.values[0].tolist(), strict=True)),
    }
