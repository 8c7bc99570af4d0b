"""Borders as sentences and a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim.present.plain import Table
from sim.present.threshold import moves_text, parting_text

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["lines", "tables"]

MOST = 6
FINE = 0.9999


def _n(value: float | None) -> str:
    """Write a number with four digits."""
    return "–" if value is None else f"{value:.4g}"


def lines(record: Mapping[str, Any]) -> list[str]:
    """Say how large the region is, how its border runs, and what could have been missed.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.border import Spec, find
    >>> from sim.analysis.survey import Case
    >>> kept = dict(scenario=sim.load("scenarios/brinkmanship.toml"), concept="subgame_perfect", options={}, case=Case())
    >>> found = find(Spec(of="backed_down", x="risk_per_rung", y="audience_cost", coarse=8, resolution=32), **kept)
    >>> print(lines(found.record())[0].partition(" on ")[0])
    backed down is at or above 0.5
    """
    x, y, area, facts = record["x"], record["y"], record["area"], record["facts"]
    plane = f"{x['name']} {_n(x['low'])} to {_n(x['high'])}, {y['name']} {_n(y['low'])} to {_n(y['high'])}"
    share = f"{100 * area['share']:.4g} % of the plane ({100 * area['low']:.4g} to {100 * area['high']:.4g} %)"
    out = [f"{record['words']} is at or above {record['crosses']:g} on {share}: {plane}"]
    found = record["lines"]
    if not found:
        out.append("no border was found")
    for one in found[:MOST]:
        (x0, y0), (x1, y1) = one["points"][0], one["points"][-1]
        run = f"around ({_n(x0)}, {_n(y0)})" if one["closed"] else f"from ({_n(x0)}, {_n(y0)}) to ({_n(x1)}, {_n(y1)})"
        parted = parting_text(one.get("parting"))
        out.append(f"  a line {run}, {len(one['points'])} points" + (f"; {parted}" if parted else ""))
    if len(found) > MOST:
        out.append(f"  and {len(found) - MOST} more lines, in the JSON")
    if area["undecided"] > 0:
        out.append(f"without a certified answer on {100 * area['undecided']:.3g} % of the plane")
    if facts.get("distance") is not None:
        near = facts["nearest"]
        out.append(
            f"the scenario's own values ({_n(x['base'])}, {_n(y['base'])}) lie {facts['distance']:.3g} of the ranges from it, at ({_n(near[0])}, {_n(near[1])})"
        )
    wide = [
        f"a ratio of {_n(record['missed'][axis['key']])}"
        if axis["scale"] == "log"
        else _n(record["missed"][axis["key"]])
        for axis in ({**x, "key": "x"}, {**y, "key": "y"})
    ]
    out.append(
        f"an island or a bay narrower than {wide[0]} in {x['name']} and {wide[1]} in {y['name']} can have been missed"
    )
    out.append(
        f"{record['concept']}; {facts['lattice_solves']} variants for the region and {facts['line_solves']} for the line,"
        f" {facts['fewer']:.3g} times fewer than the {facts['full_grid']} of the full grid"
    )
    return out


def tables(record: Mapping[str, Any]) -> list[Table]:
    """Tabulate the lines with the moves on either side.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.border import Spec, find
    >>> from sim.analysis.survey import Case
    >>> kept = dict(scenario=sim.load("scenarios/brinkmanship.toml"), concept="subgame_perfect", options={}, case=Case())
    >>> found = find(Spec(of="backed_down", x="risk_per_rung", y="audience_cost", coarse=8, resolution=32), **kept)
    >>> tables(found.record())[0].columns
    ('line', 'points', 'length', 'below', 'above', 'moves below', 'moves above')
    """
    rows: list[tuple[str, ...]] = []
    for number, one in enumerate(record["lines"], start=1):
        beside = one.get("beside")
        if beside is None:
            break
        answers = [_n(beside[side]["answers"][record["of"]]) for side in ("below", "above")]
        moves = [moves_text(beside[side]["moves"]) for side in ("below", "above")]
        rows.append((str(number), str(len(one["points"])), f"{one['length']:.3f}", *answers, *moves))
    columns = ("line", "points", "length", "below", "above", "moves below", "moves above")
    return [Table(title="Lines, and what happens beside the middle of each", columns=columns, rows=rows)]
