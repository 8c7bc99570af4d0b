"""Tables of cut-off equilibria: who takes which action for which values of his private number, and all equilibria that were found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sim.errors import OptionError
from sim.game.graph import CHANCE
from sim.present.plain import Table, number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sim.game.cutoffs import Cutoff, CutoffEquilibrium, CutoffGame, Shocks
    from sim.solve.contract import Solution

__all__ = ["cutoffs_data", "cutoffs_lines", "cutoffs_tables"]

UNREACHED = "hardly anybody comes here; those who would lose least"
INDIFFERENT = "types that are indifferent"
NOBODY = 1e-12


def _shocks(solution: Solution) -> Shocks:
    if solution.game.shocks is None:
        raise OptionError(
            f"{solution.concept} has no cut-offs, since nobody knows a number privately; use tables of another kind"
        )
    return solution.game.shocks


def _place(game: CutoffGame, node: int) -> str:
    """Write the way to a node: the actions taken, where there was more than one."""
    parents, sources = game.parent_edge(), game.edge_source()
    out: list[str] = []
    while node:
        edge = int(parents[node])
        node = int(sources[edge])
        if len(game.edges_of(node)) > 1:
            out.append(game.edge_label[edge])
    return " > ".join(reversed(out)) or "at the start"


def _sum(direction: Sequence[float], names: Sequence[str]) -> str:
    """Write a combination of private numbers."""
    out = ""
    for weight, name in zip(direction, names, strict=True):
        if weight:
            size = "" if abs(weight) == 1.0 else f"{number(abs(weight))} "
            sign = ("-" if weight < 0 else "") if not out else (" - " if weight < 0 else " + ")
            out += f"{sign}{size}{name}"
    return out


def _range(cut: Cutoff, names: Sequence[str]) -> str:
    """Write for which values a cut-off holds."""
    text, low, high = _sum(cut.direction, names), np.isfinite(cut.lower), np.isfinite(cut.upper)
    if low and high:
        return f"{number(cut.lower)} < {text} < {number(cut.upper)}"
    return f"{text} > {number(cut.lower)}" if low else f"{text} < {number(cut.upper)}" if high else f"any {text}"


def _choices(game: CutoffGame) -> list[tuple[int, int]]:
    """List the nodes at which somebody chooses among several actions, and the edges there."""
    found = [
        node for node, mover in enumerate(game.node_player.tolist()) if mover >= 0 and len(game.edges_of(node)) > 1
    ]
    return [(node, edge) for node in found for edge in game.edges_of(node)]


def _values(shocks: Shocks, game: CutoffGame, one: CutoffEquilibrium, edge: int) -> str:
    """Say in words which of those who come take an action."""
    node = int(game.edge_source()[edge])
    player, share = int(game.node_player[node]), float(one.probability[edge])
    names = shocks.names[player]
    ranges = " or ".join(_range(cut, names) for cut in one.cutoffs if cut.edge == edge)
    if node in (one.measures.unreached if one.measures else one.unreached):
        return UNREACHED if share > NOBODY else "–"
    if share <= NOBODY:
        return "–"
    if any(cut.player == player for cut in one.cutoffs):
        divided = one.mixed and not ranges
        return (
            f"{ranges}, as far as they are not indifferent"
            if _divided(game, one, node) and ranges
            else INDIFFERENT
            if divided
            else ranges
        )
    if share >= 1.0 - NOBODY:
        return "everybody"
    return f"{' and '.join(names)} together decide" if names else "nothing private matters: a mixture"


def _divided(game: CutoffGame, one: CutoffEquilibrium, node: int) -> bool:
    """Tell whether indifferent types divide themselves at a node: then some action is taken by types that the cut-offs give to none, or to another."""
    return one.mixed and any(
        one.probability[edge] > NOBODY and not any(cut.edge == edge for cut in one.cutoffs)
        for edge in game.edges_of(node)
    )


def _rows(shocks: Shocks, game: CutoffGame, one: CutoffEquilibrium) -> list[dict[str, Any]]:
    """Say of every action which types take it."""
    return [
        {
            "player": game.players[int(game.node_player[node])],
            "where": _place(game, node),
            "action": game.edge_label[edge],
            "share": float(one.probability[edge]),
            "values": _values(shocks, game, one, edge),
            "cutoffs": [[cut.lower, cut.upper] for cut in one.cutoffs if cut.edge == edge],
        }
        for node, edge in _choices(game)
    ]


def cutoffs_lines(solution: Solution, variant: int = 0) -> list[str]:
    """Say in words how many equilibria were found, and whether there can be more.

    Examples
    --------
    >>> import sim
    >>> solution = sim.solve(sim.compile(sim.load("scenarios/crisis_signalling.toml")), "cutoff")
    >>> cutoffs_lines(solution)[0]
    '3 equilibria found; all shares were scanned in steps of 0.0078, and there is no other unless two lie closer together than that'
    """
    _shocks(solution)
    search = solution.search[variant] if solution.search else None
    if search is None:
        return []
    found = len(search.equilibria)
    count = f"{found} {'equilibrium' if found == 1 else 'equilibria'} found"
    if search.complete and search.unknowns:
        head = f"{count}; all shares were scanned in steps of {search.resolution:.2g}, and there is no other unless two lie closer together than that"
    elif search.complete:
        head = f"{count}; there is no other"
    elif search.unknowns > 1:
        head = f"{count} from many starts, with {search.unknowns} shares unknown at once; there may be others"
    else:
        head = f"{count}; there may be others, such as those in which indifferent types divide otherwise"
    out = [head]
    if search.dropped:
        out.append(
            f"{search.dropped} more {'candidate was' if search.dropped == 1 else 'candidates were'} refused by the referee"
        )
    one = solution.cutoffs[variant]
    if one.mixed:
        out.append("some types are indifferent and divide themselves among actions, as the others' answer demands")
    if found > 1:
        out.append(f"played here: the one chosen by selection = {solution.options['selection']}")
    return out


def cutoffs_tables(solution: Solution, variant: int = 0) -> list[Table]:
    """Tabulate who does what for which private numbers, and all equilibria.

    Examples
    --------
    >>> import sim
    >>> solution = sim.solve(sim.compile(sim.load("scenarios/crisis_signalling.toml")), "cutoff")
    >>> [table.title for table in cutoffs_tables(solution)]
    ['Who takes which action: among those who come there', 'All equilibria found: share of types that take each action']
    >>> cutoffs_tables(solution)[0].rows[2]
    ('Defender (B)', 'challenge', 'resist', '0.2965', 'war_to_b > -2.265')
    """
    shocks, players = _shocks(solution), solution.game.origin.scenario.players
    game = shocks.games[variant]
    names = dict(zip(game.players, (player.name for player in players), strict=True))
    rows = _rows(shocks, game, solution.cutoffs[variant])
    out = [
        Table(
            title="Who takes which action: among those who come there",
            columns=("player", "where", "action", "share", "private numbers"),
            rows=[
                (names[row["player"]], row["where"], row["action"], number(row["share"], 4), row["values"])
                for row in rows
            ],
        )
    ]
    found = solution.search[variant].equilibria if solution.search else ()
    if len(found) > 1:
        body = [
            (
                f"{names[row['player']]}, {row['where']}",
                row["action"],
                *(number(float(one.probability[edge]), 4) for one in found),
            )
            for row, (_, edge) in zip(rows, _choices(game), strict=True)
        ]
        body += [
            (f"value: {names[name]}", "", *(number(float(one.payoff[i]), 4) for one in found))
            for i, name in enumerate(game.players)
        ]
        body.append(
            ("stable", "", *("yes" if one.index == 1 else "no" if one.index == -1 else "not told" for one in found))
        )
        chosen = [bool(np.array_equal(one.probability, solution.profile[variant])) for one in found]
        columns = [f"{place}{' (played)' if taken else ''}" for place, taken in enumerate(chosen, 1)]
        out.append(
            Table(
                title="All equilibria found: share of types that take each action",
                columns=("where", "action", *columns),
                rows=body,
            )
        )
    return out


def cutoffs_data(solution: Solution, variant: int = 0) -> dict[str, Any]:
    """Return the same as plain data, for ``--json``.

    Examples
    --------
    >>> import sim
    >>> solution = sim.solve(sim.compile(sim.load("scenarios/crisis_signalling.toml")), "cutoff")
    >>> found = cutoffs_data(solution)
    >>> found["complete"], len(found["equilibria"]), found["equilibria"][0]["index"]
    (True, 3, 1)
    """
    shocks = _shocks(solution)
    game = shocks.games[variant]
    search = solution.search[variant] if solution.search else None
    found = search.equilibria if search else (solution.cutoffs[variant],)
    chance = [edge for edge, node in enumerate(game.edge_source().tolist()) if game.node_player[node] == CHANCE]
    return {
        "complete": bool(search and search.complete),
        "unknowns": search.unknowns if search else None,
        "dropped": search.dropped if search else None,
        "chance": {game.edge_label[edge]: float(game.edge_prob[edge]) for edge in chance},
        "equilibria": [
            {
                "played": bool(np.array_equal(one.probability, solution.profile[variant])),
                "index": one.index,
                "mixed": one.mixed,
                "values": dict(zip(game.players, map(float, one.payoff), strict=True)),
                "actions": _rows(shocks, game, one),
                "worst": one.measures.worst if one.measures else None,
            }
            for one in found
        ],
    }
