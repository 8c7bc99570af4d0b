"""Tables of scenarios and results, and the same as plain data for ``--json``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sim.present.plain import Table, number
from sim.present.private import private_lines, replay_belief_columns, replay_belief_data, types_data
from sim.present.signals import signal_data, signal_tables
from sim.scenario.values import show_assumption
from sim.solve.registry import concept

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sim.analysis.moves import Moves, StageGame
    from sim.analysis.paths import History, Paths
    from sim.analysis.replay import Replay
    from sim.game.graph import Game
    from sim.solve.contract import Solution

__all__ = [
    "assumptions_data",
    "given_data",
    "given_table",
    "histories_table",
    "moves_data",
    "moves_tables",
    "outcomes_table",
    "passage_table",
    "path_data",
    "path_table",
    "paths_data",
    "replay_data",
    "replay_table",
    "solution_data",
    "solution_lines",
    "trajectory_table",
    "values_table",
]


def assumptions_data(game: Game, variant: int = 0) -> dict[str, float | str]:
    """Return the assumptions of one variant as the user writes them."""
    scenario = game.origin.scenario
    return {
        name: show_assumption(scenario.assumptions[name], values[min(variant, values.size - 1)])
        for name, values in game.assumptions.items()
    }


def path_data(history: History) -> list[dict[str, Any]]:
    """Return the steps of a history as plain data."""
    return [
        {
            "round": step.round,
            "player": step.player,
            "move": step.move,
            "probability": step.probability,
            "state": step.state,
        }
        for step in history.steps
    ]


def solution_data(solution: Solution, paths: Paths, variant: int = 0) -> dict[str, Any]:
    """Return what ``sim solve --json`` prints."""
    scenario = solution.game.origin.scenario
    return {
        "scenario": scenario.title,
        "file": scenario.file,
        "concept": solution.concept,
        "options": solution.options,
        "assumptions": assumptions_data(solution.game, variant),
        "rounds": solution.game.origin.rounds,
        "removed": sorted(solution.game.origin.removed),
        "status": solution.status.name.lower(),
        "certificate": solution.certificate.row(variant),
        "nodes": solution.game.graph.node_count,
        "values": {
            name: float(value)
            for name, value in zip(solution.game.graph.players, solution.values[variant], strict=True)
        },
        "outcomes": {name: float(value[variant]) for name, value in paths.outcomes().items()},
        "path": path_data(paths.histories(1, variant)[0]),
        **types_data(solution, variant),
    }


STAGE_OPTIONS = ("selection", "fallback")
STAGE_COUNTS = {
    "multiple": "with several equilibria",
    "undecided": "of them left open by the rule",
    "unproved": "whose list of equilibria is not proved to be complete",
}


def solution_lines(solution: Solution, variant: int = 0) -> list[str]:
    """Say how a solution ended."""
    row, graph = solution.certificate.row(variant), solution.game.graph
    scenario = solution.game.origin.scenario
    measure = f"{concept(solution.concept).reading}: {row[row['kind']]:.2g}"
    ties = f"{row['tied_nodes']} nodes with ties, {row['tied_on_path']} of them reached"
    told = [
        (name, value) for name, value in solution.options.items() if graph.simultaneous or name not in STAGE_OPTIONS
    ]
    options = ", ".join(f"{name} = {value}" for name, value in told)
    met = [f"{counts[variant]:,} {STAGE_COUNTS[name]}" for name, counts in solution.stages.items()]
    more = [f"stages: {', '.join(met)}"] if met else []
    if solution.singular is not None:
        more.append(
            f"smallest singular value of the Jacobian: {solution.singular[variant]:.2g}; traced from uniform play"
        )
    if graph.stationary:
        gain, delta = float(row["max_gain"]), float(solution.game.numbers.discount[variant].max())
        bound = f"{gain / (1 - delta):.2g}"
        more.append(
            f"infinite horizon: no deviation, however long, gains more than {bound} of the payoff range; {len(solution.others)} other equilibria found"
        )
    return [
        scenario.title,
        f"{solution.concept} ({options}): {solution.status.name.lower().replace('_', ' ')}; {measure} (bound {row['tolerance']:g}); {ties}",
        f"{graph.node_count:,} nodes, {graph.edge_count:,} edges, {solution.game.origin.rounds} rounds"
        + (" shown" if graph.stationary else ""),
        *private_lines(solution, variant),
        *more,
    ]


def values_table(solution: Solution, variant: int = 0) -> Table:
    """Tabulate each player's value."""
    players = solution.game.origin.scenario.players
    return Table(
        title="",
        columns=("player", "value"),
        rows=[
            (player.name, number(float(value))) for player, value in zip(players, solution.values[variant], strict=True)
        ],
    )


def outcomes_table(paths: Paths, variant: int = 0) -> Table:
    """Tabulate all outcomes."""
    found = paths.outcomes()
    questions = paths.game.origin.scenario.questions
    rows = [
        (name, number(float(value[variant])), questions[name.split(".")[0]].expression.text)
        for name, value in found.items()
    ]
    return Table(
        title="Outcomes (probability of a condition, expectation of a number)",
        columns=("outcome", "value", "question"),
        rows=rows,
    )


def given_data(paths: Paths, moves: Iterable[str], variant: int = 0) -> dict[str, dict[str, float]]:
    """Return all outcomes but lone ``first`` ones, given that each move was played."""
    asked = [name for name in paths.game.origin.scenario.questions if not paths.is_first(name)]
    return {move: {name: float(paths.given(name, move)[variant]) for name in asked} for move in moves}


def given_table(paths: Paths, moves: Iterable[str], variant: int = 0) -> Table:
    """Tabulate outcomes given that moves were played, beside those of all histories."""
    found = given_data(paths, moves, variant)
    whole = paths.outcomes()
    names = list(next(iter(found.values()), {}))
    rows = [
        (name, number(float(whole[name][variant])), *(number(one[name]) for one in found.values())) for name in names
    ]
    heads = ("outcome", "all histories", *(f"given {move}" for move in found))
    return Table(title="Outcomes given what was played", columns=heads, rows=rows)


def path_table(paths: Paths, history: History, title: str = "") -> Table:
    """Tabulate one history step by step, with what changed in the state."""
    scenario = paths.game.origin.scenario
    names = {player.id: player.name for player in scenario.players} | {"chance": "chance"}
    rows: list[tuple[str, ...]] = []
    before = (
        paths.game.origin.codec.labelled(int(paths.game.graph.node_key[history.steps[0].node])) if history.steps else {}
    )
    for step in history.steps:
        changed = ", ".join(
            f"{name} {before[name]} → {value}" for name, value in step.state.items() if before[name] != value
        )
        date = scenario.date_of(step.round)
        rows.append(
            (
                f"{step.round}" + (f" ({date})" if date else ""),
                " & ".join(names[one] for one in step.player.split(" & ")),
                step.move,
                number(step.probability),
                changed,
            )
        )
        before = step.state
    title = title or f"Most likely history (probability {number(history.probability)})"
    return Table(title=title, columns=("round", "player", "move", "probability", "changes"), rows=rows)


def histories_table(histories: Iterable[History]) -> Table:
    """Tabulate several histories, one a row; holding is left out."""
    rows = [
        (
            str(place),
            number(one.probability),
            " · ".join(f"{step.round}:{step.move}" for step in one.steps if step.move != "hold") or "hold throughout",
        )
        for place, one in enumerate(histories, 1)
    ]
    return Table(title="Most likely histories", columns=("", "probability", "moves"), rows=rows)


def trajectory_table(paths: Paths, name: str | None = None, variant: int = 0) -> Table:
    """Tabulate the distribution of a variable by round."""
    variable = paths.variable(name)
    scenario = paths.game.origin.scenario
    shares = paths.trajectory(name)[variant]
    labels = [variable.show(variable.low + r) for r in range(variable.size)]
    rows = [
        (
            "start" if place == 0 else f"{t}" + (f" ({scenario.date_of(t)})" if scenario.date_of(t) else ""),
            *(number(float(share)) for share in shares[place]),
        )
        for place, t in enumerate(paths.rounds)
    ]
    return Table(title=f"Distribution of {variable.id} at the end of each round", columns=("round", *labels), rows=rows)


def passage_table(paths: Paths, name: str | None = None, variant: int = 0) -> Table:
    """Tabulate by when each value of a variable has been reached or passed; values held from the start are left out."""
    variable = paths.variable(name)
    scenario = paths.game.origin.scenario
    reached = paths.first_passage(name)[variant]
    shown = [r for r in range(1, variable.size) if reached[0, r] < 1]
    rows = [
        (
            f"{t}" + (f" ({scenario.date_of(t)})" if scenario.date_of(t) else ""),
            *(number(float(reached[place, r])) for r in shown),
        )
        for place, t in enumerate(paths.rounds)
        if place
    ]
    labels = [variable.show(variable.low + r) for r in shown]
    title = f"Probability that {variable.id} has come to each value, or beyond it, by the end of each round"
    return Table(title=title, columns=("round", *labels), rows=rows)


def paths_data(paths: Paths, count: int, name: str | None = None, variant: int = 0) -> dict[str, Any]:
    """Return what ``sim paths --json`` prints."""
    variable = paths.variable(name)
    return {
        "scenario": paths.game.origin.scenario.title,
        "concept": paths.solution.concept,
        "options": paths.solution.options,
        "assumptions": assumptions_data(paths.game, variant),
        "variable": variable.id,
        "labels": [variable.show(variable.low + r) for r in range(variable.size)],
        "rounds": list(paths.rounds),
        "distribution": paths.trajectory(name)[variant],
        "first_passage": paths.first_passage(name)[variant],
        "histories": [
            {"probability": one.probability, "path": path_data(one)} for one in paths.histories(count, variant)
        ],
        "outcomes": {key: float(value[variant]) for key, value in paths.outcomes().items()},
    }


def _stage_table(stage: StageGame, players: tuple[str, ...], title: str, *, whole: bool) -> Table:
    """Tabulate a stage game: the mover's actions down, the replies across, payoffs of all players in each cell."""
    table = stage.payoffs if whole else stage.round_payoffs
    rows = [
        (
            row,
            *(
                "·" if np.isnan(table[r, c, 0]) else " / ".join(number(float(x), 2) for x in table[r, c])
                for c in range(len(stage.columns))
            ),
        )
        for r, row in enumerate(stage.rows)
    ]
    return Table(
        title=f"{title} ({' / '.join(players)})",
        columns=("", *(column or "(no reply)" for column in stage.columns)),
        rows=rows,
    )


def moves_tables(moves: Moves, players: tuple[str, ...], *, stages: bool = False) -> list[Table]:
    """Tabulate what each move does."""
    rows = [
        (
            effect.action,
            number(effect.probability),
            ", ".join(f"{name} {old} → {new}" for name, old, new in effect.changes) or "–",
            *(number(float(x)) for x in effect.stage_change),
            *(number(float(x)) for x in effect.continuation),
            effect.stage.best if effect.stage else "–",
        )
        for effect in moves.effects
    ]
    columns = (
        "move",
        "played",
        "changes",
        *(f"Δ now: {name}" for name in players),
        *(f"value: {name}" for name in players),
        "then best",
    )
    share = "" if moves.share > 1 - 1e-9 else f"; the likeliest of several states, share {number(moves.share)}"
    title = f"Moves of {moves.player} in round {moves.round}{share}"
    if moves.before is not None:
        title += f"; best in the stage game before: {moves.before.best} (reply {moves.before.reply or 'none'})"
    out = [Table(title=title, columns=columns, rows=rows)]
    if moves.before is not None:
        out.append(_stage_table(moves.before, players, "Stage game before: this round's payoffs", whole=False))
        out.append(_stage_table(moves.before, players, "Stage game before: with continuation", whole=True))
    if moves.signal is not None:
        out += signal_tables(moves.signal)
    for effect in moves.effects if stages else ():
        if effect.stage:
            out.append(
                _stage_table(
                    effect.stage, players, f"Stage game after {effect.action}: this round's payoffs", whole=False
                )
            )
            out.append(
                _stage_table(effect.stage, players, f"Stage game after {effect.action}: with continuation", whole=True)
            )
    return out


def _stage_data(stage: StageGame | None) -> dict[str, Any] | None:
    if stage is None:
        return None
    return {
        "rows": stage.rows,
        "columns": stage.columns,
        "round_payoffs": stage.round_payoffs,
        "payoffs": stage.payoffs,
        "best": stage.best,
        "reply": stage.reply,
    }


def moves_data(moves: Moves, players: tuple[str, ...]) -> dict[str, Any]:
    """Return what ``sim moves --json`` prints."""
    return {
        "player": moves.player,
        "round": moves.round,
        "state": moves.state,
        "share": moves.share,
        "values": dict(zip(players, moves.values, strict=True)),
        "stage_before": _stage_data(moves.before),
        "moves": [
            {
                "move": effect.action,
                "probability": effect.probability,
                "changes": {name: [old, new] for name, old, new in effect.changes},
                "stage_change": dict(zip(players, effect.stage_change, strict=True)),
                "continuation": dict(zip(players, effect.continuation, strict=True)),
                "continuation_change": dict(zip(players, effect.continuation_change, strict=True)),
                "stage_after": _stage_data(effect.stage),
            }
            for effect in moves.effects
        ],
        **({"note": moves.note} if moves.note else {}),
        **({"signal": signal_data(moves.signal)} if moves.signal is not None else {}),
    }


def replay_table(found: Replay) -> Table:
    """Tabulate the recorded history against the model; with private types also how beliefs moved."""
    heads, cells = replay_belief_columns(found)
    rows = [
        (
            step.record.date or str(step.record.round),
            step.record.player or "chance",
            step.record.action or f"{step.record.event}/{step.record.label}",
            number(step.probability),
            f"{step.rank} of {len(step.alternatives)}",
            number(step.surprise),
            "as recorded" if step.rank == 1 else f"{step.expected} ({number(step.alternatives[0][1])})",
            *moved,
            ", ".join(step.record.source),
        )
        for step, moved in zip(found.steps, cells, strict=True)
    ]
    columns = ("date", "player", "recorded", "probability", "rank", "surprise", "the model expected", *heads, "source")
    return Table(
        title="The recorded history against the model",
        columns=columns,
        rows=rows,
    )


def replay_data(found: Replay) -> dict[str, Any]:
    """Return what ``sim replay --json`` prints, but for the paths that follow."""
    return {
        "scenario": found.solution.game.origin.scenario.title,
        "concept": found.solution.concept,
        "options": found.solution.options,
        "records": [
            {
                "date": step.record.date,
                "round": step.record.round,
                "player": step.record.player or "chance",
                "move": step.record.action or f"{step.record.event}/{step.record.label}",
                "probability": step.probability,
                "rank": step.rank,
                "surprise": step.surprise,
                "forced": step.forced,
                "expected": step.expected,
                "uniform": step.uniform,
                "alternatives": dict(step.alternatives),
                "source": step.record.source,
                **beliefs,
            }
            for step, beliefs in zip(found.steps, replay_belief_data(found), strict=True)
        ],
        "log_likelihood": found.log_likelihood,
        "uniform_log_likelihood": found.uniform_log_likelihood,
    }
