"""Tables and data of a graph model's stability."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim.analysis.stability import analyse, find_state
from sim.game.conflict import CONCEPTS, reason
from sim.present.plain import Table, number
from sim.scenario.values import assumption_values, show_assumption

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sim.analysis.stability import Report, Route
    from sim.game.conflict import GraphModel, Step
    from sim.scenario.model import Scenario

__all__ = ["report", "report_data", "report_lines", "report_tables", "why_data", "why_table"]

MOST_ROWS = 60
TITLES = {"nash": "Nash", "gmr": "GMR", "smr": "SMR", "seq": "SEQ"}
ANSWERS = {
    "legal": "opponents answer by legal sequences, nobody twice running",
    "single": "one opponent answers, by a single move",
}


def report(
    scenario: Scenario, settings: Mapping[str, Any] | None = None, options: Mapping[str, Any] | None = None
) -> Report:
    """Answer ``sim stability`` and ``sim solve --concept stability``.

    Parameters
    ----------
    scenario, settings
        A loaded scenario, and values instead of base values.
    options
        ``sequences`` (``"legal"`` or ``"single"``), ``coalitions`` (lists of players) and ``remove`` (moves), each optional.

    Examples
    --------
    >>> import sim
    >>> found = report(sim.load("scenarios/chicken_graph.toml"), {}, {"sequences": "single"})
    >>> report_data(found)["equilibria"]["nash"]
    ['b_swerves', 'a_swerves']
    """
    return analyse(scenario, settings, **(options or {}))


def _steps(model: GraphModel, steps: Sequence[Step]) -> list[dict[str, str]]:
    return [
        {"player": model.players[step.player], "move": step.move, "state": model.label(step.state)} for step in steps
    ]


def _route(model: GraphModel, route: Route | None) -> dict[str, Any] | None:
    return route and {"length": len(route.steps), "shortest": route.count, "steps": _steps(model, route.steps)}


def report_data(found: Report) -> dict[str, Any]:
    """Return what ``sim stability --json`` prints.

    Examples
    --------
    >>> import sim
    >>> data = report_data(report(sim.load("scenarios/chicken_graph.toml")))
    >>> data["states"][3]["smr"], data["states"][3]["seq"]
    (['a', 'b'], [])
    """
    model, stability, origin = found.model, found.found, found.model.origin
    values = assumption_values(origin.scenario, origin.settings)
    names = [model.label(state) for state in range(model.state_count)]
    states = [
        {
            "label": names[state],
            "variables": origin.values(state),
            **{concept: list(stability.players(concept, state)) for concept in CONCEPTS},
        }
        for state in range(model.state_count)
    ]
    return {
        "scenario": origin.scenario.title,
        "concept": "stability",
        "status": "certified" if found.verdict.certified else "not certified",
        "assumptions": {
            name: show_assumption(one, float(values[name][0])) for name, one in origin.scenario.assumptions.items()
        },
        "players": model.players,
        "variables": origin.variables,
        "sequences": stability.sequences,
        "certificate": {"proved": found.verdict.proved, "searched": found.verdict.searched},
        "moves": model.move_count,
        "states": states,
        "equilibria": {
            concept: [names[int(state)] for state in chosen] for concept, chosen in stability.equilibria.items()
        },
        "status_quo": {
            "state": names[model.start] if model.start >= 0 else None,
            "equilibria": len(found.equilibria),
            "ways": [
                {
                    "to": names[way.target],
                    "moves": _route(model, way.moves),
                    "improvements": _route(model, way.improvements),
                }
                for way in found.ways
            ],
        },
        "coalitions": [
            {
                "members": [model.players[member] for member in one.members],
                "examined": one.examined,
                "equilibria": one.origins,
                "improvements": [
                    {"from": names[start], "to": names[route.target], "steps": _steps(model, route.steps)}
                    for start, route in one.found
                ],
            }
            for one in found.jumps
        ],
    }


def report_lines(found: Report) -> list[str]:
    """Say what was looked at and how it was checked, line by line."""
    model, stability = found.model, found.found
    scenario = model.origin.scenario
    again = f"{found.verdict.searched:,} of them again by search" if found.verdict.searched else "none by search"
    moves = f"{model.state_count:,} states of {', '.join(model.origin.variables)}; {model.move_count:,} moves"
    lines = [
        f"{scenario.title}: stability, certified",
        f"{moves}; {ANSWERS[stability.sequences]}",
        f"certificate: every state proved move by move, {again}",
    ]
    ignored = [action.label for action in scenario.actions if action.pays]
    if ignored or any(player.final.constant != 0 for player in scenario.players):
        lines.append("payments at moves and final payoffs are not part of what a state is worth, and are left out")
    return lines


def _who(model: GraphModel, names: Sequence[str]) -> str:
    return "all" if len(names) == len(model.players) else ", ".join(names)


def _told(model: GraphModel, route: Route | None) -> str:
    """Write a way in one cell."""
    if route is None:
        return "not reached"
    if not route.steps:
        return "already there"
    told = " > ".join(f"{model.players[step.player]}: {step.move}" for step in route.steps)
    return told + (f" (or {number(route.count - 1)} more)" if route.count > 1 else "")


def report_tables(found: Report) -> list[Table]:
    """Tabulate for whom states are stable, the ways to the equilibria, and the jumps of coalitions.

    A large model shows its equilibria only, at most sixty; the JSON holds all.

    Examples
    --------
    >>> import sim
    >>> tables = report_tables(report(sim.load("scenarios/chicken_graph.toml")))
    >>> tables[0].rows[1]
    ('b_swerves', 'all', 'all', 'all', 'all')
    """
    model, stability = found.model, found.found
    whole = model.state_count <= MOST_ROWS
    shown = list(range(model.state_count)) if whole else [int(state) for state in found.equilibria]
    title = "For whom each state is stable" if whole else "Equilibria"
    if len(shown) > MOST_ROWS:
        title += f", the first {MOST_ROWS} of {len(shown):,}"
    rows = [
        (model.label(state), *(_who(model, stability.players(concept, state)) for concept in CONCEPTS))
        for state in shown[:MOST_ROWS]
    ]
    tables = [Table(title=title, columns=("state", *TITLES.values()), rows=rows)]
    if found.ways:
        told = [
            (model.label(way.target), _told(model, way.moves), _told(model, way.improvements))
            for way in found.ways[:MOST_ROWS]
        ]
        columns = ("equilibrium", "shortest way", "by improvements only")
        limit = f", to the first {len(told)} equilibria" if len(told) < len(found.equilibria) else ""
        tables.append(Table(title=f"Ways from {model.label(model.start)}{limit}", columns=columns, rows=told))
    for one in found.jumps:
        named = " and ".join(model.players[member] for member in one.members)
        told = [
            (model.label(start), model.label(route.target), _told(model, route))
            for start, route in one.found[:MOST_ROWS]
        ]
        limit = f", from the first {one.examined}" if one.examined < one.origins else ""
        title = f"What {named} can improve together, from equilibria{limit}" + ("" if told else ": nothing")
        tables.append(Table(title=title, columns=("from", "to", "by"), rows=told))
    return tables


def why_data(found: Report, state: str) -> dict[str, Any]:
    """Return why a state is stable or not: for each player and concept his improvements, each with the answer that deters it.

    Examples
    --------
    >>> import sim
    >>> data = why_data(report(sim.load("scenarios/chicken_graph.toml")), "a_swerves, b_swerves")
    >>> data["a"]["gmr"]
    [{'improvement': 'b_swerves', 'move': 'steer_a/a_swerves=false', 'answer': [{'player': 'b', 'move': 'steer_b/b_swerves=false', 'state': 'none'}]}]
    """
    model, place = found.model, find_state(found.model, state)
    return {
        player: {
            concept: [
                {"improvement": model.label(step.state), "move": step.move, "answer": _steps(model, answer)}
                for step, answer in reason(found.found, concept, i, place)
            ]
            for concept in CONCEPTS
        }
        for i, player in enumerate(model.players)
    }


def why_table(found: Report, state: str) -> Table:
    """Tabulate why a state is stable or not."""
    rows: list[tuple[str, ...]] = []
    for player, concepts in why_data(found, state).items():
        for concept, reasons in concepts.items():
            if not reasons:
                rows.append((player, TITLES[concept], "stable", "nothing better is within reach", ""))
                continue
            deterred = all(one["answer"] for one in reasons) and concept != "nash"
            for place, one in enumerate(reasons):
                answer = " > ".join(f"{step['player']}: {step['move']}" for step in one["answer"])
                head = (player, TITLES[concept], "stable" if deterred else "unstable") if not place else ("", "", "")
                rows.append((*head, one["move"], answer or ("" if concept == "nash" else "nothing deters")))
    columns = ("player", "concept", "is", "improvement", "answer that deters it")
    return Table(title=f"Why: {found.model.label(find_state(found.model, state))}", columns=columns, rows=rows)
