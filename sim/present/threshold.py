"""Thresholds as sentences and a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sim.present.plain import Table

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["lines", "moves_text", "parting_text", "tables"]

MOST = 12  # crossings in sentences
SIDES = {
    "below": "below the level",
    "above": "above it",
    "level": "at it",
    "none": "unanswered",
    "end": "the end of the range",
}
SURE = 0.9995


def _n(value: float | None) -> str:
    """Write a number with six digits."""
    return "–" if value is None else f"{value:.6g}"


def _short(value: float | None) -> str:
    """Write an answer with three digits."""
    return "–" if value is None else f"{value:.3g}"


def moves_text(moves: Mapping[str, float]) -> str:
    """Write the likeliest moves.

    Examples
    --------
    >>> moves_text({"hold": 1.0}), moves_text({"wait": 0.61, "strike": 0.39})
    ('hold', 'wait 0.61, strike 0.39')
    """
    some = list(moves.items())[:3]
    return ", ".join(name if share >= SURE else f"{name} {share:.2g}" for name, share in some)


def parting_text(found: Mapping[str, Any] | None) -> str:
    """Say where play first parts on the two sides.

    Examples
    --------
    >>> parting_text({"round": 2, "date": "2016-02", "player": "russia", "actions": ["wait", "strike"], "reached": [1.0, 0.25]})
    '2016-02, russia: wait, then strike (reached with probability 1, 0.25)'
    >>> parting_text(None)
    ''
    """
    if found is None:
        return ""
    when = found["date"] or f"round {found['round']}"
    before, after = found["actions"]
    reached = [f"{share:.3g}" for share in found["reached"]]
    often = reached[0] if reached[0] == reached[1] else ", ".join(reached)
    return f"{when}, {found['player']}: {before}, then {after} (reached with probability {often})"


def _completeness(record: Mapping[str, Any]) -> str:
    """Say whether all were found."""
    vary, pieces, word = record["vary"], record["pieces"], "crossings" if "crossings" in record else "switches"
    if record["complete"] == "proved":
        many = (
            f"{pieces['count']} profiles follow one another"
            if pieces["count"] > 1
            else "one profile is an equilibrium throughout"
        )
        which = "" if word == "crossings" else " that move an answer by more than 0.01 % of what it takes"
        return f"proved: these are all{which}. Payoffs are affine in {vary['name']}, nothing else reads it, and {many}"
    by = (
        f"by ratios of {record['resolution']:.4g}"
        if vary["scale"] == "log"
        else f"in steps of {record['resolution']:.3g}"
    )
    out = f"by a scan {by}: two {word} within one step can be missed together"
    if record["why_not_proved"]:
        return f"{out}; not proved: {record['why_not_proved']}"
    left = pieces["open"]
    return f"{out}; proved on {100 * pieces['covered']:.4g} % of the range, {len(left)} gaps are left open"


def lines(record: Mapping[str, Any]) -> list[str]:
    """Say where the answer crosses, or where the equilibrium switches, and what is proved.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.survey import Case
    >>> from sim.analysis.threshold import Spec, find
    >>> kept = dict(scenario=sim.load("scenarios/brinkmanship.toml"), concept="subgame_perfect", options={}, case=Case())
    >>> print(lines(find(Spec(of="backed_down", vary="audience_cost", crosses=0.5), **kept).record())[0])
    backed down crosses 0.5 at 1 value of audience_cost between 0 and 2
    """
    vary, facts = record["vary"], record["facts"]
    inside = f"of {vary['name']} between {_n(vary['low'])} and {_n(vary['high'])}"
    found = record["crossings"] if "crossings" in record else record["switches"]
    many = f"{len(found) or 'no'} value{'' if len(found) == 1 else 's'}"
    if "crossings" in record:
        out = [f"{record['words']} crosses {record['crosses']:g} at {many} {inside}"]
        if not found:
            where = {"below": "below", "none": "without an answer"}.get(facts["at_low_end"], "at or above it")
            out[0] += f": it is {where} throughout" if not record["stretches"] else ""
    else:
        out = [
            f"{record['words'] or 'the equilibrium'} {'jumps' if record['words'] else 'switches'} at {many} {inside}"
        ]
    for one in found[:MOST]:
        text = f"  at {_n(one['value'])}"
        if "jumps" not in one:
            way = "rises" if one["rises"] else "falls"
            text += (
                f" it {way} from {_short(one['before'])} to {_short(one['after'])}"
                if one["jump"]
                else f" it {way} continuously"
            )
        else:
            shown = [f"{name} {_short(a)} to {_short(b)}" for name, (a, b) in list(one["jumps"].items())[:3]]
            text += ": " + ", ".join(shown) + (", …" if len(one["jumps"]) > len(shown) else "")
        parted = parting_text(one["parting"])
        out.append(f"{text}; {parted}" if parted else text)
    if len(found) > MOST:
        out.append(f"  and {len(found) - MOST} more, in the JSON")
    for one in record["stretches"]:
        between = f"from {_n(one['low'])} to {_n(one['high'])}" if one["low"] < one["high"] else f"at {_n(one['low'])}"
        what = {
            "none": "undecided, without a certified answer,",
            "level": "at the level",
            "touch": "touches the level",
        }[one["kind"]]
        out.append(f"  {what} {between}; before it {SIDES[one['before']]}, after it {SIDES[one['after']]}")
    nearest = facts["nearest"]
    if nearest is not None and vary["base"] is not None:
        out.append(
            f"its own value {_n(vary['base'])} lies {100 * facts['nearest_distance']:.3g} % of the range from the nearest, {_n(nearest)}"
        )
    out.append(_completeness(record))
    out.append(f"{record['concept']}; {record['solves']} variants solved")
    return out


def tables(record: Mapping[str, Any]) -> list[Table]:
    """Tabulate the crossings or switches, with the moves on either side.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.survey import Case
    >>> from sim.analysis.threshold import Spec, find
    >>> kept = dict(scenario=sim.load("scenarios/brinkmanship.toml"), concept="subgame_perfect", options={}, case=Case())
    >>> tables(find(Spec(of="backed_down", vary="audience_cost", crosses=0.5), **kept).record())[0].columns[:3]
    ('audience_cost', 'from', 'to')
    """
    crossing = "crossings" in record
    columns = (record["vary"]["name"], "from", "to", "way" if crossing else "what jumps", "moves before", "moves after")
    rows: list[tuple[str, ...]] = []
    for one in record["crossings"] if crossing else record["switches"]:
        names = list(one.get("jumps", {}))
        if crossing:
            ends, way = (
                (one["before"], one["after"]),
                ("rises" if one["rises"] else "falls") + (", jump" if one["jump"] else ""),
            )
        else:
            ends, way = one["jumps"][names[0]], names[0]
        beside = one.get("beside", {})
        made = [moves_text(beside[side]["moves"]) if beside else "" for side in ("before", "after")]
        rows.append((_n(one["value"]), _short(ends[0]), _short(ends[1]), way, *made))
    return [Table(title="Crossings" if crossing else "Switches", columns=columns, rows=rows)]
