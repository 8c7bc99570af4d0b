"""What all payoffs consistent with stated orderings say, as sentences and tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim.present.plain import Table, number
from sim.present.sensitivity import many

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["claim", "lines", "table", "tables"]

MEASURES = {"uniform": "every cardinalisation equally likely", "dirichlet": "Dirichlet(½) spacings"}


def _number(value: float | None) -> str:
    """Write a number that may not exist."""
    return "–" if value is None else number(value)


def _percent(value: float | None) -> str:
    """Write a share."""
    return "–" if value is None else f"{100 * value:.1f} %"


def claim(record: Mapping[str, Any]) -> str:
    """Say what is asked.

    Examples
    --------
    >>> claim({"words": "war", "side": "above", "level": 0.5})
    'war ≥ 0.5'
    """
    return f"{record['words']} {'≥' if record['side'] == 'above' else '≤'} {record['level']:g}"


def lines(record: Mapping[str, Any]) -> list[str]:
    """Say in which share of consistent payoffs the answer holds, whether it is possible, and whether it is necessary.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.orderings import Spec, find
    >>> from sim.analysis.survey import Case
    >>> from sim.scenario.load import loads
    >>> text = sim.template().read_text(encoding="utf-8") + '''
    ... [orders.worth]
    ... order = "prize > cost_of_war"
    ... range = [0, 10]
    ... '''
    >>> scenario = loads(text.replace("value = 2", "value = 4"), "ordered.toml")
    >>> found = find(Spec(of="war", level=0.5, samples=64), scenario=scenario, concept="subgame_perfect", options={}, case=Case())
    >>> print(lines(found.record())[-1])
    necessary: refuted by 0 at prize = 4, cost_of_war = 3
    """
    orders = record["orders"]
    names = ", ".join(one["name"] for one in orders)
    known = [one["extensions"] for one in orders]
    kinds = " × ".join("too many to count" if count is None else many(count, "complete ranking") for count in known)
    others = f"; {many(len(record['others']), 'other assumption')} over the whole range" if record["others"] else ""
    head = f"{claim(record)} under {record['concept']}, over all payoffs consistent with {names} ({kinds}){others}"
    out = [head]
    for label, words in MEASURES.items():
        out.append(_share_line(record["measures"][label], words))
    base = record["base"]
    if base["holds"] is not None:
        answer = _answer(base["answer"], holds=base["holds"], side=record["side"])
        out.append(f"at the scenario's own numbers: {answer}, where it {'holds' if base['holds'] else 'does not hold'}")
    return [*out, *_verdict_lines(record)]


def _share_line(found: Mapping[str, Any], words: str) -> str:
    """Say a share with its error."""
    if found["share"] is None:
        return f"{words}: no draw has a certified answer"
    low, high = found["interval"]
    size = f"{found['draws']:,} draws"
    if found["effective"] < 0.999 * found["draws"]:
        size += f" worth {found['effective']:,.0f} independent ones"
    told = f"{words}: {_percent(found['share'])} ± {100 * found['error']:.1f} (95 %: {_percent(low)} to {_percent(high)}; {size})"
    if found["unanswered"]:
        told += f"; {found['unanswered']:,} without a certified answer, so from {_percent(found['least'])} to {_percent(found['most'])} of all"
    if found["at_level"]:
        told += f"; {found['at_level']:,} exactly at the level"
    return told


def _verdict_lines(record: Mapping[str, Any]) -> list[str]:
    """Say what is proved, what is refuted and what is merely not refuted."""
    possible, necessary, corners = record["possible"], record["necessary"], record["corners"]
    tried = f"{2 * record['samples']:,} draws"
    if corners["tried"]:
        part = "all" if corners["tried"] == corners["count"] else "a part"
        tried += f" and {corners['tried']:,} extreme cardinalisations ({part} of {corners['count']:,})"
    elif corners["count"] is None:
        tried += " (there are too many extreme cardinalisations to try, or none were asked for)"
    lost, side = bool(record["measures"]["uniform"]["unanswered"]), record["side"]
    out: list[str] = []
    if possible["example"]:
        out.append(f"possible: shown by {_example(possible['example'], holds=True, side=side)}")
    else:
        out.append(f"possible: not found among {tried}{_unseen(possible, lost=lost)}")
    if necessary["counterexample"]:
        out.append(f"necessary: refuted by {_example(necessary['counterexample'], holds=False, side=side)}")
    elif necessary["verdict"] == "not refuted":
        out.append(f"necessary: not refuted by {tried}{_unseen(necessary, lost=lost)}; that is no proof")
    else:
        out.append("necessary: not known, for nothing has a certified answer")
    return out


def _unseen(verdict: Mapping[str, Any], *, lost: bool) -> str:
    """Say how much may have been missed; of variants without an answer the draws say nothing."""
    if verdict["unseen"] is None:
        return ""
    of = "the cardinalisations that have a certified answer" if lost else "cardinalisations"
    return f", so at most {100 * verdict['unseen']:.2g} % of {of} (with 95 % confidence)"


def _answer(value: float | None, *, holds: bool, side: str) -> str:
    """Write a certified answer; one that no record can hold is infinite, to the side on which it holds or fails."""
    return ("∞" if holds == (side == "above") else "−∞") if value is None else number(value)


def _example(found: Mapping[str, Any], *, holds: bool, side: str) -> str:
    """Write an example: the answer, and all numbers that give it."""
    values = ", ".join(
        f"{name} = {value if isinstance(value, str) else f'{value:.7g}'}" for name, value in found["values"].items()
    )
    return f"{_answer(found['answer'], holds=holds, side=side)} at {values}"


def table(record: Mapping[str, Any]) -> Table:
    """Tabulate the shares under both measures.

    Examples
    --------
    >>> table({"words": "war", "side": "above", "level": 0.5, "measures": {}}).columns[1]
    'share'
    """
    rows = [
        (
            label,
            _percent(one["share"]),
            "–" if one["error"] is None else f"{100 * one['error']:.2f}",
            *(("–", "–") if one["interval"] is None else (_percent(one["interval"][0]), _percent(one["interval"][1]))),
            f"{one['effective']:,.0f}",
            *(_number(one["quantiles"][place] if one["quantiles"] else None) for place in (5, 50, 95)),
        )
        for label, one in record["measures"].items()
    ]
    heads = ("measure", "share", "± %", "from", "to", "effective draws", "5 % of answers", "half", "95 %")
    return Table(title=claim(record), columns=heads, rows=rows)


def tables(record: Mapping[str, Any]) -> list[Table]:
    """Return the tables, which is one.

    Examples
    --------
    >>> len(tables({"words": "war", "side": "above", "level": 0.5, "measures": {}}))
    1
    """
    return [table(record)]
