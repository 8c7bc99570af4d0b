"""What drives an answer, as sentences and tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim.present.plain import Table, number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["lines", "many", "table", "tables"]

MOST_PAIRS = 10
"""Pairs that are shown; the record holds all."""


def _number(value: float | None) -> str:
    """Write a number that may not exist."""
    return "–" if value is None else number(value)


def many(count: int, what: str) -> str:
    """Write how many.

    Examples
    --------
    >>> many(1, "assumption"), many(1200, "assumption")
    ('1 assumption', '1,200 assumptions')
    """
    return f"{count:,} {what}{'s' * (count != 1)}"


def _percent(value: float) -> str:
    """Write a share of the variance; an estimate may be a little below 0."""
    return f"{100 * value:.0f} %".replace("-0 %", "0 %")


def lines(record: Mapping[str, Any]) -> list[str]:
    """Say what was varied, what moves each answer most, and what forbids to take it at its word.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.sensitivity import Spec, find
    >>> from sim.analysis.survey import Case
    >>> spec = Spec(of="disaster", method="tornado")
    >>> scenario = sim.load("scenarios/brinkmanship.toml")
    >>> found = find(spec, scenario=scenario, concept="quantal_response", options={"precision": 1.0}, case=Case())
    >>> print(lines(found.record())[1])
    disaster: 0.024 at base; disaster cost moves it most, by 0.114
    """
    seeded = "" if record["method"] == "tornado" else f", seed {record['seed']}"
    how = {"sobol": "Sobol indices", "morris": "Morris' screening", "tornado": "one at a time"}[record["method"]]
    out = [
        f"{how} under {record['concept']}: {many(len(record['factors']), 'assumption')}, {record['rows']:,} variants{seeded}"
    ]
    for one in record["questions"]:
        out += {"sobol": _sobol_lines, "morris": _morris_lines, "tornado": _tornado_lines}[record["method"]](one)
        out += [f"  warning: {text}" for text in one["warnings"]]
    return out


def _nothing(one: Mapping[str, Any]) -> list[str]:
    """Say why there is no analysis."""
    if one["why"] == "constant":
        return [f"{one['words']}: {_number(one['mean'])} in all variants; where nothing changes, nothing drives it"]
    if one["why"] == "rare":
        ends = f"from {_number(one['low'])} to {_number(one['high'])}"
        return [
            f"{one['words']}: {_number(one['mean'])} in all independent variants, but {ends} in others; what changes it is too rare: take more samples"
        ]
    return [f"{one['words']}: too few variants have a certified answer"]


def _sobol_lines(one: Mapping[str, Any]) -> list[str]:
    """Say which assumptions explain the variance."""
    if one["why"]:
        return _nothing(one)
    rank = sorted(one["indices"], key=lambda row: -row["total"])
    first, alone = rank[0], sum(row["first"] for row in rank)
    spread = f"{one['words']}: mean {_number(one['mean'])}, standard deviation {_number(one['deviation'])}"
    said = f"{_words(first)} explains {_percent(first['first'])} of the variance alone, {_percent(first['total'])} with all interactions"
    together = max(0.0, 1.0 - alone)
    out = [
        f"{spread}; {said}",
        f"  each assumption alone: {_percent(min(alone, 1.0))} of the variance together; interactions: {_percent(together)}",
    ]
    idle = [_words(row) for row in rank if row["total"] + row["total_error"] < 0.01]  # noqa: PLR2004
    if idle:
        out.append(f"  less than 1 % with all interactions: {', '.join(idle)}")
    return out


def _morris_lines(one: Mapping[str, Any]) -> list[str]:
    """Say which assumptions have the largest effects."""
    if one["why"]:
        return _nothing(one)
    rank = sorted(one["effects"], key=lambda row: -row["mu_star"])
    out = [
        f"{one['words']}: mean {_number(one['mean'])}; {_words(rank[0])} has the largest mean effect, {_number(rank[0]['mu_star'])} over its whole range"
    ]
    idle = [_words(row) for row in rank if row["mu_star"] <= 1e-9 * rank[0]["mu_star"]]
    if idle:
        out.append(f"  without any effect in these variants: {', '.join(idle)}")
    return out


def _tornado_lines(one: Mapping[str, Any]) -> list[str]:
    """Say which assumption swings the answer most."""
    if one["why"]:
        return [f"{one['words']}: no certified answer at base"]
    rank = [row for row in one["swings"] if row["swing"] is not None]
    if not rank or not rank[0]["swing"]:
        return [f"{one['words']}: {_number(one['base'])} at base, and at every end of every assumption"]
    return [
        f"{one['words']}: {_number(one['base'])} at base; {_words(rank[0])} moves it most, by {_number(rank[0]['swing'])}"
    ]


def _words(row: Mapping[str, Any]) -> str:
    """Write a name as one reads it."""
    return str(row["name"]).replace("_", " ")


def table(record: Mapping[str, Any]) -> Table:
    """Tabulate what was found of every question, the greatest first.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.sensitivity import Spec, find
    >>> from sim.analysis.survey import Case
    >>> spec = Spec(of="disaster", method="tornado")
    >>> scenario = sim.load("scenarios/brinkmanship.toml")
    >>> found = find(spec, scenario=scenario, concept="quantal_response", options={"precision": 1.0}, case=Case())
    >>> table(found.record()).rows[0]
    ('disaster_cost', '0.114', '5: 0.115', '100: 0.001')
    """
    heads, body = {"sobol": _sobol_table, "morris": _morris_table, "tornado": _tornado_table}[record["method"]](record)
    many = len(record["questions"]) > 1
    rows = [(question, *cells) if many else cells for question, cells in body]
    widest = max((len(row) for row in rows), default=len(heads) + many)
    columns = (*(("question",) if many else ()), *heads)
    padded = (*columns, *("" for _ in range(widest - len(columns))))
    return Table(title="", columns=padded, rows=[(*row, *("" for _ in range(widest - len(row)))) for row in rows])


Body = list[tuple[str, tuple[str, ...]]]


def _sobol_table(record: Mapping[str, Any]) -> tuple[tuple[str, ...], Body]:
    """Tabulate first and total order."""
    body: Body = [
        (one["words"], (row["name"], *(_number(row[key]) for key in ("first", "first_error", "total", "total_error"))))
        for one in record["questions"]
        for row in sorted(one["indices"], key=lambda row: -row["total"])
    ]
    return ("assumption", "alone", "±", "with interactions", "±"), body


def _morris_table(record: Mapping[str, Any]) -> tuple[tuple[str, ...], Body]:
    """Tabulate elementary effects."""
    body: Body = [
        (one["words"], (row["name"], *(_number(row[key]) for key in ("mu_star", "error", "mu", "sigma"))))
        for one in record["questions"]
        for row in sorted(one["effects"], key=lambda row: -row["mu_star"])
    ]
    return ("assumption", "mean size of effect", "±", "mean effect", "standard deviation"), body


def _tornado_table(record: Mapping[str, Any]) -> tuple[tuple[str, ...], Body]:
    """Tabulate the answers at the ends."""
    body: Body = []
    for one in record["questions"]:
        for row in one["swings"]:
            ends = tuple(f"{_end(end)}: {_number(end['answer'])}" for end in row["ends"])
            body.append((one["words"], (row["name"], _number(row["swing"]), *ends)))
    return ("assumption", "swing", "at its ends"), body


def _end(end: Mapping[str, Any]) -> str:
    """Name an end by its value, or of an order by its word."""
    value = end["value"]
    return end["end"] if value is None else value if isinstance(value, str) else f"{value:g}"


def tables(record: Mapping[str, Any]) -> Sequence[Table]:
    """Return the table, and for each question that of the pairs that do most together beyond what each does alone.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.sensitivity import Spec, find
    >>> from sim.analysis.survey import Case
    >>> spec = Spec(of="disaster", samples=64)
    >>> scenario = sim.load("scenarios/brinkmanship.toml")
    >>> found = find(spec, scenario=scenario, concept="quantal_response", options={"precision": 1.0}, case=Case())
    >>> [one.columns[0] for one in tables(found.record())]
    ['assumption', 'pair']
    """
    out = [table(record)]
    for one in record["questions"]:
        pairs = sorted(one.get("pairs", ()), key=lambda row: -row["index"])[:MOST_PAIRS]
        if pairs:
            rows = [(" × ".join(row["pair"]), _number(row["index"]), _number(row["error"])) for row in pairs]
            out.append(
                Table(title=f"Together, beyond each alone: {one['words']}", columns=("pair", "index", "±"), rows=rows)
            )
    return out
