"""Robust choice among moves, as sentences and tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim.present.plain import Table, number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["lines", "tables", "where"]

SHOWN = 6
"""How many of a variant's values a sentence names."""


def _number(value: float | None) -> str:
    """Write a number that may not exist."""
    return "–" if value is None else number(value)


def _percent(value: float | None) -> str:
    """Write a share."""
    return "–" if value is None else f"{100 * value:.1f} %"


def _names(moves: Sequence[str]) -> str:
    """Write moves that tie."""
    return " = ".join(one.replace("_", " ") for one in moves)


def where(record: Mapping[str, Any]) -> str:
    """Say who chooses, and when.

    Examples
    --------
    >>> where({"player": "russia", "at": "2016-10:russia"})
    'russia at 2016-10'
    """
    date = record["at"].partition(":")[0]
    return f"{record['player']} at {date}" if date else f"{record['player']} at the first decision"


def lines(record: Mapping[str, Any]) -> list[str]:
    """Say which move each rule chooses, over what, and what the numbers cannot say.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.robust import Spec, find
    >>> from sim.analysis.survey import Case
    >>> spec = Spec(rows=[{"cost_of_war": 0}, {"cost_of_war": 3}])
    >>> found = find(spec, scenario=sim.load(sim.template()), concept="subgame_perfect", options={}, case=Case())
    >>> lines(found.record())[1]
    'best worst value (maximin): hold, at least 0'
    """
    moves = {one["name"]: one for one in record["moves"]}
    out = [_head(record)]
    bound, least = ("at least", "at most") if record["complete"] else ("at worst", "at worst")
    rules = record["rules"]
    first = rules["maximin"]["winners"]
    out.append(f"best worst value (maximin): {_names(first)}, {bound} {_number(moves[first[0]]['worst'])}")
    first = rules["minimax_regret"]["winners"]
    out.append(f"smallest greatest regret: {_names(first)}, {least} {_number(moves[first[0]]['regret'])}")
    first = rules["satisficing"]["winners"]
    out.append(
        f"satisficing ({_satisfying(rules['satisficing'])}): {_names(first)}, in {_percent(moves[first[0]]['satisfies'])} of variants"
    )
    out.append(
        f"Hurwicz (α = {rules['hurwicz']['alpha']:g} on the worst): {_names(rules['hurwicz']['winners'])}{_ranges(record)}"
    )
    first = rules["expected"]["winners"]
    out.append(
        f"expected value under even weights, which are a choice: {_names(first)}, {_number(moves[first[0]]['mean'])}"
    )
    dominated = [one for one in record["moves"] if one["dominated_by"]]
    if dominated:
        told = ", ".join(
            f"{one['name'].replace('_', ' ')} by {one['dominated_by'].replace('_', ' ')}" for one in dominated
        )
        out.append(f"never better and somewhere worse than another move: {told}")
    return [*out, *_limits(record)]


def _head(record: Mapping[str, Any]) -> str:
    """Say what is compared."""
    n = record["variants"]
    if record["complete"]:
        what = f"{n['compared']:,} variants, which are all that were asked for"
    else:
        parts = [f"{n['counted']:,} drawn"]
        if n["corners"]:
            parts.append(f"{n['corners']:,} extreme{'' if not record['all_corners'] else ' (all)'}")
        if n["pressed"]:
            parts.append(f"{n['pressed']:,} in which worst cases are pressed")
        what = f"{n['compared']:,} variants of {len(record['factors'])} assumptions ({', '.join(parts)})"
    return f"robust choice of {where(record)} under {record.get('concept', 'one concept')}, over {what}"


def _satisfying(rule: Mapping[str, Any]) -> str:
    """Say what satisfies."""
    if rule["level"] is not None:
        return f"worth at least {rule['level']:g}"
    return "a best move" if not rule["tolerance"] else f"regret at most {rule['tolerance']:g}"


def _ranges(record: Mapping[str, Any]) -> str:
    """Say for which α each move is best."""
    found = [(one["name"], *span) for one in record["moves"] for span in one["hurwicz"] if span[1] > span[0]]
    if len({name for name, *_ in found}) == 1:
        return ", as for every α"
    told = ", ".join(
        f"{name.replace('_', ' ')} for α from {low:.3g} to {high:.3g}"
        for name, low, high in sorted(found, key=lambda one: one[1])
    )
    return f"; {told}"


def _limits(record: Mapping[str, Any]) -> list[str]:
    """Say what was held fixed, what is a bound, and what was left out."""
    out: list[str] = []
    if record["bounds"]:
        out.append(
            "worst cases and regrets are the worst found, so at least this bad; shares and means are of the drawn variants"
        )
    held = record["held"]
    fixed = [f"{len(held[key])} {words}" for key, words in (
        ("own", f"that {record['player']}'s own payoffs read"), ("shaping", "that shape the game"), ("fixed", "as asked"),
    ) if held[key]]  # fmt: skip
    if fixed:
        out.append(f"held at base: {', '.join(fixed)}")
    if record["own_varied"]:
        names = ", ".join(name.replace("_", " ") for name in record["own_varied"])
        out.append(
            f"{names}: own preferences vary, so that all values are in units of the range of {record['player']}'s payoffs in their variant; "
            "only regrets can be compared across variants"
        )
    n = record["variants"]
    if n["uncertified"]:
        out.append(f"{n['uncertified']:,} variants have no certified answer and are left out")
    if n["elsewhere"]:
        out.append(f"in {n['elsewhere']:,} variants the history leads most likely to another state; they are left out")
    some = [one["name"] for one in record["moves"] if one["available"] < 1]
    if some:
        out.append(f"not available in every variant, and so no candidates: {', '.join(some)}")
    return out


def _variant(record: Mapping[str, Any], found: Mapping[str, Any] | None) -> str:
    """Write what differs from base where something occurs: all of a few."""
    if found is None:
        return "–"
    told = [
        f"{name} = {value if isinstance(value, str) else f'{value:.4g}'}"
        for name, value in found.items()
        if record["base"].get(name) != value
    ]
    if not told:
        return "base"
    return ", ".join(told) if len(told) <= SHOWN else f"{', '.join(told[:SHOWN])}, and {len(told) - SHOWN} more"


def tables(record: Mapping[str, Any]) -> list[Table]:
    """Return a table of the moves, and one of the variants in which the worst occurs.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.robust import Spec, find
    >>> from sim.analysis.survey import Case
    >>> spec = Spec(rows=[{"cost_of_war": 0}, {"cost_of_war": 3}])
    >>> found = find(spec, scenario=sim.load(sim.template()), concept="subgame_perfect", options={}, case=Case())
    >>> tables(found.record())[0].rows[0][:3]
    ('push', '-0.100', '-0.100')
    """
    heads = (
        "move",
        "base",
        "worst",
        "quarter",
        "half",
        "three quarters",
        "best",
        "greatest regret",
        "mean",
        "best move in",
        "satisfies in",
    )
    able = [one for one in record["moves"] if one["worst"] is not None]
    rows = [
        (
            one["name"], _number(one["base"]), _number(one["worst"]), *(_number(value) for value in one["quartiles"]), _number(one["best"]),
            _number(one["regret"]), _number(one["mean"]), _percent(one["share_best"]), _percent(one["satisfies"]),
        )
        for one in able
    ]  # fmt: skip
    cases = [
        (one["name"], what, _number(one[key]), _variant(record, one[f"{key}_at"]))
        for one in able
        for key, what in (("worst", "worst value"), ("regret", "greatest regret"))
    ]
    units = "in units of own range" if record["own_varied"] else "in payoffs"
    return [
        Table(title=f"moves of {where(record)}, {units}", columns=heads, rows=rows),
        Table(title="where it occurs", columns=("move", "what", "value", "what differs from base"), rows=cases),
    ]
