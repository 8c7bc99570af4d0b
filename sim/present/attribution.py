"""A change divided among assumptions, as sentences and a table."""

from __future__ import annotations

from typing import Any

from sim.present.plain import Table, number

__all__ = ["lines", "tables"]


def _change(change: list[Any]) -> str:
    """Write what changes."""
    name, before, after = change
    told = [value if isinstance(value, str) else number(value) for value in (before, after)]
    return f"{name}: {told[0]} → {told[1]}"


def lines(record: dict[str, Any]) -> list[str]:
    """Say what changed, by how much, and what moved it most.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.attribution import Spec, find
    >>> found = find(Spec(of="value_challenger", after={"prize": 4, "cost_of_war": 0.5}), scenario=sim.load(sim.template()))
    >>> lines(found.record())[0]
    'value challenger: 0 before, 0 after; a change of 0'
    """
    out: list[str] = []
    for part in record["parts"]:
        change = part["all"] - part["none"]
        out.append(
            f"{part['of']}: {number(part['none'])} before, {number(part['all'])} after; a change of {number(change)}"
        )
        ranked = sorted(part["rows"], key=lambda row: -abs(row["shapley"]))
        if abs(change) > 0:
            first = ranked[0]
            out.append(f"moved most by {first['name'].replace('_', ' ')} ({number(first['shapley'])})")
    drawn = any(row["error"] is not None for part in record["parts"] for row in part["rows"])
    how = "orders of change drawn; standard errors in the table" if drawn else "every combination solved"
    out.append(f"{record['solves']:,} settings solved under {record.get('concept', 'one concept')}; {how}")
    return out


def tables(record: dict[str, Any]) -> list[Table]:
    """Return a table for each question."""
    out: list[Table] = []
    for part in record["parts"]:
        drawn = any(row["error"] is not None for row in part["rows"])
        columns = [
            "assumption",
            "change",
            "Shapley value",
            *(["± s.e."] if drawn else []),
            "changed first",
            "changed last",
        ]
        rows = [
            [
                row["name"],
                "; ".join(_change(change) for change in row["changes"]),
                number(row["shapley"]),
                *([number(row["error"])] if drawn else []),
                number(row["first"]),
                number(row["last"]),
            ]
            for row in sorted(part["rows"], key=lambda row: -abs(row["shapley"]))
        ]
        total = ["sum", "", number(part["all"] - part["none"]), *([""] if drawn else []), "", ""]
        out.append(Table(title=part["of"], columns=tuple(columns), rows=tuple(map(tuple, [*rows, total]))))
    return out
