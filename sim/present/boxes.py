"""Boxes of assumptions in which an answer holds, as sentences and tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim.present.plain import Table, number
from sim.present.sensitivity import many

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["lines", "table", "tables"]

CHANCE = 0.05
WHY = {
    "unanswered": "too few variants have a certified answer",
    "never": "it holds in no variant, so that there is no box to look for",
    "always": "it holds in all variants, so that there is no box to look for",
    "few": "too few variants on one side to look for a box; take more samples",
    "dense": "it holds as often as was asked in the whole ranges, so that no box is needed",
    "none": "no box of the asked mass is as dense as was asked; ask for less of either",
}


def _claim(record: Mapping[str, Any]) -> str:
    """Say what is asked."""
    return f"{record['words']} is {'at least' if record['side'] == 'above' else 'at most'} {record['level']:g}"


def _percent(share: Mapping[str, Any]) -> str:
    """Write a share."""
    return "–" if share["share"] is None else f"{100 * share['share']:.0f} %"


def _between(share: Mapping[str, Any]) -> str:
    """Write the interval of a share."""
    return "" if share["interval"] is None else f"{100 * share['interval'][0]:.0f} to {100 * share['interval'][1]:.0f}"


def lines(record: Mapping[str, Any]) -> list[str]:
    """Say where the answer holds: each box by its numbers in variants that the search never saw.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.boxes import Spec, find
    >>> from sim.analysis.survey import Case
    >>> spec = Spec(of="disaster", level=0.01, samples=512)
    >>> scenario = sim.load("scenarios/brinkmanship.toml")
    >>> found = find(spec, scenario=scenario, concept="quantal_response", options={"precision": 1.0}, case=Case())
    >>> print(lines(found.record())[1])
    Where disaster cost is at most 25.2 and risk per rung is at least 0.00765, disaster is at least 0.01 in 84 % of cases (95 %: 76 to 90); ...
    """
    whole = record["share"]["test"]
    whole_words = f"{_percent(whole)} of {whole['draws']:,} fresh variants"
    out = [
        f"{_claim(record)} in {whole_words} over the ranges of {many(len(record['factors']), 'assumption')}, under {record['concept']}"
    ]
    lost = sum(record["unanswered"].values())
    if lost:
        out.append(
            f"{lost:,} variants have no certified answer and are left out: the rest speaks for what could be solved"
        )
    if record["why"]:
        return [*out, WHY[record["why"]]]
    for box in record["boxes"]:
        test, search = box["test"], box["search"]
        out.append(
            f"Where {box['words']}, {_claim(record)} in {_percent(test['density'])} of cases (95 %: {_between(test['density'])});"
            f" these are {_percent(test['coverage'])} of all cases where it is. In the variants of the search:"
            f" {_percent(search['density'])} and {_percent(search['coverage'])}."
        )
        weak = [str(one["name"]).replace("_", " ") for one in box["restrictions"] if one["quasi_p"] > CHANCE]
        if weak:
            out.append(f"  what is said of {' and '.join(weak)} could be chance (quasi-p above {CHANCE:g})")
    if len(record["boxes"]) > 1:
        both = record["together"]["test"]
        out.append(
            f"All boxes together: {_percent(both['density'])} of cases, {_percent(both['coverage'])} of all cases where it is."
        )
    return out


def table(record: Mapping[str, Any]) -> Table:
    """Tabulate the restrictions of all boxes.

    Examples
    --------
    >>> table({"boxes": []}).columns[:2]
    ('box', 'assumption')
    """
    rows: list[tuple[str, ...]] = []
    for place, box in enumerate(record["boxes"], 1):
        for one in box["restrictions"]:
            kinds = " or ".join(f"{kind:.12g}" if isinstance(kind, float) else str(kind) for kind in one["kinds"])
            low = kinds or ("" if one["low"] is None else f"{one['low']:.12g}")
            high = "" if one["high"] is None else f"{one['high']:.12g}"
            span = one["range"]
            within = " / ".join(map(str, one["choices"])) if span is None else f"{span[0]:.12g} to {span[1]:.12g}"
            rows.append((str(place), one["name"], low, high, within, number(one["quasi_p"]), one["note"]))
    return Table(title="Boxes", columns=("box", "assumption", "from", "to", "of", "quasi-p", "note"), rows=rows)


def tables(record: Mapping[str, Any]) -> list[Table]:
    """Return the restrictions, and coverage, density and mass in both samples.

    Examples
    --------
    >>> [one.title for one in tables({"boxes": [], "together": {}})]
    []
    """
    if not record["boxes"]:
        return []
    rows = [
        (
            str(place),
            label,
            *(_percent(box[label][key]) for key in ("density", "coverage", "mass")),
            str(box[label]["mass"]["hits"]),
        )
        for place, box in enumerate(record["boxes"], 1)
        for label in ("search", "test")
    ]
    heads = ("box", "variants", "density", "coverage", "mass", "in the box")
    return [table(record), Table(title="Measured", columns=heads, rows=rows)]
