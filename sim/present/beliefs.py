"""Belief paths in sentences, tables and plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sim.present.plain import Table, number
from sim.present.private import precision_line, shown_types, step_data
from sim.present.tables import assumptions_data

if TYPE_CHECKING:
    from sim.analysis.beliefs import BeliefPath, Beliefs, BeliefStep

__all__ = ["beliefs_data", "beliefs_lines", "beliefs_tables", "path_title"]

VISIBLE = 5e-4
"""Moves that shift a belief by less are not named in tables."""
SAME = 1e-9
ROUNDING = 1e-9
"""How far the mean belief may be from the prior by rounding."""


def _names(found: Beliefs) -> list[str]:
    """Return the watched players' names."""
    names = {player.id: player.name for player in found.solution.game.origin.scenario.players}
    return [names[player] for player in found.players]


def path_title(found: Beliefs, place: int) -> str:
    """Name a history: by its place, or as the recorded one.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.beliefs import belief_paths
    >>> solution = sim.solve(sim.compile(sim.load("scenarios/entry_deterrence.toml")), "perfect_bayesian")
    >>> path_title(belief_paths(solution), 0)
    'Most likely history (probability 0.750)'
    """
    path = found.paths[place]
    told = f"(probability {number(path.probability)})"
    if path.kind != "recorded":
        head = "Most likely history" if place == 0 else f"History {place + 1} by likelihood"
        return f"{head} {told}"
    forced = ", forced" if path.probability <= 0 else ""
    share = (
        ""
        if path.share > 1 - SAME
        else f", the likeliest of those that the records leave open, share {number(path.share)}"
    )
    return f"Recorded history (probability of the records {number(path.probability)}{forced}{share})"


def _round(found: Beliefs, place: int) -> str:
    """Name the end of a round."""
    number_of = found.rounds[place]
    if place == 0:
        return "start"
    date = found.solution.game.origin.scenario.date_of(number_of)
    return f"{number_of}" + (f" ({date})" if date else "")


def _moved(step: BeliefStep) -> str:
    """Name a move."""
    return f"{step.player}: {step.move}" + (" (off path)" if step.off_path else "")


def _path_table(found: Beliefs, place: int) -> Table:
    """Tabulate beliefs along one history, round by round."""
    path = found.paths[place]
    rows: list[tuple[str, ...]] = []
    for t, end in enumerate(found.rounds):
        if end > path.until:
            break
        telling = [step for step in path.steps if step.round == end and t > 0]
        moved = [_moved(step) for step in telling if max(step.shift) > VISIBLE or step.off_path]
        shown = [number(float(one[t, k])) for one in path.by_round for k in range(one.shape[1])]
        rows.append((_round(found, t), " · ".join(moved), *shown))
    heads = [f"{player} {kind}" for player, kinds in zip(found.players, found.types, strict=True) for kind in kinds]
    return Table(title=path_title(found, place), columns=("round", "what moved it", *heads), rows=rows)


def _spread_table(found: Beliefs, place: int) -> Table:
    """Tabulate the distribution of beliefs about one player over all histories."""
    spread, kinds = found.spreads[place], found.types[place]
    shown = shown_types(kinds)
    heads: list[str] = []
    for k in shown:
        heads += [f"{kinds[k]}, if {kind}" for kind in kinds] + [f"{kinds[k]}, mean", "10 %", "90 %"]
    rows: list[tuple[str, ...]] = []
    for t in range(len(found.rounds)):
        cells: list[float] = []
        for k in shown:
            cells += [float(x) for x in spread.given[:, t, k]]
            cells += [float(spread.mean[t, k]), float(spread.low[t, k]), float(spread.high[t, k])]
        rows.append((_round(found, t), *(number(0.0 if abs(x) < SAME else x) for x in cells)))
    title = f"Over all histories: belief about {_names(found)[place]} by the true type"
    return Table(title=title, columns=("round", *heads), rows=rows)


def beliefs_tables(found: Beliefs) -> list[Table]:
    """Tabulate beliefs by round along each history, and their mean given each type.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.beliefs import belief_paths
    >>> solution = sim.solve(sim.compile(sim.load("scenarios/entry_deterrence.toml")), "perfect_bayesian")
    >>> [len(table.rows) for table in beliefs_tables(belief_paths(solution, count=2))]
    [4, 4, 4]
    """
    paths = [_path_table(found, place) for place in range(len(found.paths))]
    return paths + [_spread_table(found, place) for place in range(len(found.players))]


def _changed(path: BeliefPath, player: int, kinds: tuple[str, ...]) -> int:
    """Return the type whose probability changes most along a history; of equal ones the last."""
    change = np.abs(path.by_round[player][-1] - path.by_round[player][0])
    most = np.flatnonzero(change >= change.max() - SAME)
    return int(most[-1]) if len(most) else len(kinds) - 1


def _sentence(found: Beliefs, path: BeliefPath, player: int, head: str) -> str:
    """Say in a sentence what is learned of one player along a history."""
    kinds, name = found.types[player], _names(found)[player]
    k = _changed(path, player, kinds)
    first, last = (number(float(path.by_round[player][t, k])) for t in (0, -1))
    belief = f"{head} the belief that {name} is {kinds[k]}"
    step = path.decisive(player)
    if step is None:
        return f"{belief} stays at {first}: nothing that is done tells the types apart."
    off = ", which was not expected at all" if step.off_path else ""
    moved = f"{number(float(step.before[player][k]))} → {number(float(step.after[player][k]))}"
    return f"{belief} goes from {first} to {last}; {step.move} in round {step.round} moves it most ({moved}){off}."


def beliefs_lines(found: Beliefs) -> list[str]:
    """Say in sentences what is learned.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.beliefs import belief_paths
    >>> solution = sim.solve(sim.compile(sim.load("scenarios/entry_deterrence.toml")), "perfect_bayesian")
    >>> beliefs_lines(belief_paths(solution))[1]
    'Along the most likely history the belief that Chain store is strong goes from 0.062 to 0; share_market in round 1 moves it most (0.062 → 0).'
    """
    who = (
        f"What {found.observer} believes."
        if found.observer
        else "What anybody believes who sees the moves and no type."
    )
    lines = [f"{who} {precision_line(found.solution)}"]
    told = [(found.paths[0], "Along the most likely history")]
    told += [(path, "Along the recorded history") for path in found.paths if path.kind == "recorded"]
    lines += [_sentence(found, path, player, head) for path, head in told for player in range(len(found.players))]
    for spread, kinds, prior, name in zip(found.spreads, found.types, found.prior, _names(found), strict=True):
        ends = [(kind, float(spread.given[k, -1, k]), float(prior[k])) for k, kind in enumerate(kinds) if prior[k] > 0]
        shown = "; ".join(f"{kind} {number(start)} → {number(end)}" for kind, end, start in ends)
        lines.append(f"Over all histories, mean belief in the truth about {name}, if it is: {shown}.")
    held = "holds" if found.martingale < ROUNDING else f"fails by {found.martingale:.1e}"
    lines.append(f"Check {held}: the mean belief over all histories is the prior in every round.")
    return lines


def beliefs_data(found: Beliefs) -> dict[str, Any]:
    """Return what ``sim beliefs --json`` prints.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.beliefs import belief_paths
    >>> solution = sim.solve(sim.compile(sim.load("scenarios/entry_deterrence.toml")), "perfect_bayesian")
    >>> beliefs_data(belief_paths(solution))["types"]
    {'store': ['weak', 'strong']}
    """
    solution = found.solution
    return {
        "scenario": solution.game.origin.scenario.title,
        "concept": solution.concept,
        "options": solution.options,
        "assumptions": assumptions_data(solution.game),
        "refinement": solution.refinement[0] if solution.refinement else None,
        "others": len(solution.others),
        "observer": found.observer,
        "types": {player: list(kinds) for player, kinds in zip(found.players, found.types, strict=True)},
        "prior": dict(zip(found.players, found.prior, strict=True)),
        "rounds": list(found.rounds),
        "paths": [
            {
                "kind": path.kind,
                "probability": path.probability,
                "share": path.share,
                "until": path.until,
                "by_round": dict(zip(found.players, path.by_round, strict=True)),
                "log_odds": {player: path.log_odds(place) for place, player in enumerate(found.players)},
                "steps": [
                    {
                        "round": step.round,
                        "player": step.player,
                        "move": step.move,
                        "probability": step.probability,
                        "off_path": step.off_path,
                        "beliefs": step_data(solution, found.players, step),
                    }
                    for step in path.steps
                ],
            }
            for path in found.paths
        ],
        "all_histories": {
            player: {"mean": one.mean, "tenth": one.low, "nine_tenths": one.high, "given_type": one.given}
            for player, one in zip(found.players, found.spreads, strict=True)
        },
        "martingale": found.martingale,
        "answer": beliefs_lines(found),
    }
