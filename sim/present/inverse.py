"""The smallest change found that makes a move the choice, as sentences and tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim.present.plain import Table, number

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["lines", "tables"]

NORMS = {"l1": "sum of changes", "l2": "root of the sum of squared changes", "max": "greatest change"}
SHOWN = 4


def _value(value: float | str) -> str:
    """Write a value."""
    return value if isinstance(value, str) else f"{value:.5g}"


def _units(value: float) -> str:
    """Write a distance in units of ranges."""
    return f"{value:.4g}"


def _change(one: Mapping[str, Any]) -> str:
    """Write one change."""
    return f"{one['name'].replace('_', ' ')} from {_value(one['from'])} to {_value(one['to'])}"


def lines(record: Mapping[str, Any]) -> list[str]:
    """Say what changes, by how much, whether one assumption alone would do, and what was searched.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.inverse import Spec, find
    >>> from sim.analysis.survey import Case
    >>> spec = Spec(move="push", vary=["cost_of_war"], samples=64)
    >>> found = find(spec, scenario=sim.load(sim.template()), concept="subgame_perfect", options={}, case=Case())
    >>> print(lines(found.record())[1])
    smallest change found: 0.3 of its range; cost of war from 3 to 0
    """
    date, _, player = record["at"].partition(":")
    where = f" of {player}" if player else ""
    where += f" at {date}" if date else " at the first decision"
    concept = record.get("concept", "one concept")
    out = [f"{record['words']}{where} under {concept}? At base its advantage is {number(record['base']['advantage'])}"]
    searched = record["searched"]
    if record["base"]["holds"]:
        return [*out, "it already is, so that nothing need change"]
    where_ = f"{searched['drawn']:,} points drawn over the ranges of {len(searched['assumptions'])} assumptions, each also alone in {searched['scan']} steps"
    if not record["found"]:
        return [*out, f"no change found that makes it so; searched: {where_}", *_left_out(record)]
    out.append(_found(record))
    out += [
        *_alone(record),
        f"searched: {where_}; it holds at {searched['holding']:,} of the points drawn",
        *_left_out(record),
    ]
    checked = record["verified"]
    if checked["verified"]:
        told = (
            "" if checked["advantage_inside"] is None else ", and a millionth nearer to base the answer is the old one"
        )
        out.append(f"solved afresh and certified: there the advantage is {number(checked['advantage'])}{told}")
    else:
        edge = "what lies just inside has no certified answer: the edge found is that of what could be solved"
        out.append(
            edge
            if not checked["answered"]
            else "not verified: solved afresh, the point is not on the edge as it should be; do not rely on it"
        )
    if record["orders_broken"]:
        out.append(f"the changed values break what the scenario orders: {', '.join(record['orders_broken'])}")
    return out


def _found(record: Mapping[str, Any]) -> str:
    """Say the change."""
    changes = record["changes"]
    if len(changes) == 1:
        return f"smallest change found: {_units(record['distance'])} of its range; {_change(changes[0])}"
    told = "; ".join(_change(one) for one in changes[:SHOWN])
    more = f"; and {len(changes) - SHOWN} more" if len(changes) > SHOWN else ""
    return f"smallest change found: {_units(record['distance'])} in units of ranges ({NORMS[record['norm']]}); {told}{more}"


def _alone(record: Mapping[str, Any]) -> list[str]:
    """Say what single assumptions do."""
    alone = record["alone"]
    if not alone:
        return ["no change of one assumption alone was found to do it"]
    told = "; ".join(f"{_change(one)} ({_units(one['units'])})" for one in alone[:SHOWN])
    return [
        f"alone, {len(alone)} of {len(record['searched']['assumptions'])} assumptions were found to do it: {told}{'; …' if len(alone) > SHOWN else ''}"
    ]


def _left_out(record: Mapping[str, Any]) -> list[str]:
    """Say what was not searched."""
    held = record["searched"]["left_out"]
    return [f"not searched, since every value needs a game of its own: {', '.join(held)}"] if held else []


def tables(record: Mapping[str, Any]) -> list[Table]:
    """Return a table of the changes, and one of single assumptions.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.inverse import Spec, find
    >>> from sim.analysis.survey import Case
    >>> spec = Spec(move="push", vary=["cost_of_war"], samples=64)
    >>> found = find(spec, scenario=sim.load(sim.template()), concept="subgame_perfect", options={}, case=Case())
    >>> tables(found.record())[0].rows
    [('cost_of_war', '3', '0', '0.3')]
    """
    heads = ("assumption", "base", "to", "in units of its range")

    def rows(changes: list[dict[str, Any]]) -> list[tuple[str, ...]]:
        return [(one["name"], _value(one["from"]), _value(one["to"]), _units(one["units"])) for one in changes]

    out: list[Table] = []
    if record["changes"]:
        out.append(
            Table(title=f"smallest change found ({NORMS[record['norm']]})", columns=heads, rows=rows(record["changes"]))
        )
    if record["alone"]:
        out.append(Table(title="one assumption alone", columns=heads, rows=rows(record["alone"])))
    return out
