"""Thresholds: the values of one assumption at which an answer crosses a level, or at which the equilibrium switches.

The range is scanned, and every change is bracketed to a millionth of it (:mod:`sim.analysis.crossings`). Under subgame perfection, where payoffs are
affine in the assumption and nothing else depends on it, the range is first cut into the pieces on which one profile is an equilibrium
(:mod:`sim.analysis.pieces`), and both ends of every piece are scanned too: then no crossing can be missed, and the list is proved to be complete.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from sim.analysis.asker import Asker
from sim.analysis.axis import axis_of
from sim.analysis.crossings import CLOSE, Curve, around, cross, jump_bound, jumps, looked_at, sides_of
from sim.analysis.pieces import find_pieces, no_pieces
from sim.analysis.sides import Asked, all_questions, look, partings
from sim.errors import NoAnswerError, OptionError
from sim.kinds import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sim.analysis.asker import Question
    from sim.analysis.axis import Axis
    from sim.analysis.crossings import Crossing, Stretch
    from sim.analysis.pieces import Pieces
    from sim.analysis.survey import Case
    from sim.kinds import Floats
    from sim.scenario.model import Scenario

__all__ = ["Spec", "Threshold", "find"]

MOST_PIECES = 4096
MOST_LOOKS = 64  # crossings on whose sides one looks closely
MOST_PARTINGS = 16  # crossings at which one asks where play parts
EDGE = 0.2  # gaps between pieces that stay open, in units of what a bracket may be wide
SWITCH = 0.01  # what counts as a jump where no level is named, in units of what the answer takes over the scan
NEAR = 1e-9
WEIGHED = {"below": 0.0, "level": 1.0, "above": 1.0}


class Spec(BaseModel):
    """What is asked of a threshold.

    Examples
    --------
    >>> Spec(of="war", vary="prize", crosses=0.5).scan
    128
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    kind: Literal["threshold"] = "threshold"
    of: str = Field(
        default="",
        description="a question: an outcome, value_PLAYER, likelihood, advantage(MOVE @ DATE) or chosen(MOVE @ DATE); without a level it may be left out",
    )
    concept: str = Field(default="", description="label of a concept of the experiment; its first by default")
    arm: str = Field(default="", description="name of an arm of the experiment")
    vary: str = Field(description="an assumption with a range, or precision")
    crosses: float | None = Field(
        default=None, description="the level; without one: where the answers jump, the equilibrium switches"
    )
    range: list[float] | None = Field(
        default=None, min_length=2, max_length=2, description="the part of the range to search"
    )
    scale: Literal["", "linear", "log"] = Field(default="", description="of the scan: log for precision, else linear")
    scan: int = Field(default=128, ge=2, le=1_000_000, description="into how many equal steps the range is cut")
    prove: bool = Field(default=True, description="prove that all are found, where that can be proved")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Threshold:
    """Where an answer crosses a level, or where the equilibrium switches.

    Attributes
    ----------
    spec
        What was asked.
    scenario, concept
        Title and concept.
    words
        The question as one reads it.
    axis
        What was varied.
    curve
        The scan and all points asked for, in units of the range; ``asked`` names its rows.
    crossings, stretches
        In units of the range; of switches, ``crossings`` holds the bracket of each and ``places`` its places in the curve.
    pieces
        What is proved.
    beside
        What happens on either side of each crossing, at the lower and the upper end of its bracket.
    partings
        The first decision at which play differs between the two, of the first crossings.
    base
        The answer at the assumption's own value.
    solves
        How many variants were solved.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.survey import Case
    >>> spec = Spec(of="backed_down", vary="audience_cost", crosses=0.5)
    >>> found = find(spec, scenario=sim.load("scenarios/brinkmanship.toml"), concept="subgame_perfect", options={}, case=Case())
    >>> found.complete, found.record()["facts"]["crossings"]
    (True, 1)
    """

    spec: Spec
    scenario: str
    concept: str
    words: str
    axis: Axis
    asked: tuple[str, ...]
    curve: Curve
    crossings: tuple[Crossing, ...]
    stretches: tuple[Stretch, ...]
    pieces: Pieces
    places: tuple[tuple[int, int], ...] = ()
    beside: tuple[tuple[dict[str, Any], dict[str, Any]], ...] = ()
    partings: tuple[dict[str, Any] | None, ...] = ()
    base: dict[str, Any] = field(default_factory=dict[str, Any])
    solves: int = 0

    @property
    def complete(self) -> bool:
        """Whether it is proved that no other crossing exists, or switch."""
        return self.pieces.proved

    @property
    def count(self) -> int:
        """How many crossings, or switches, were found."""
        return len(self.crossings) if self.spec.crosses is not None else len(self.places)

    def record(self) -> dict[str, Any]:
        """Return everything, for machines."""
        axis, curve, crosses = self.axis, self.curve, self.spec.crosses
        step = (axis.high - axis.low) / self.spec.scan
        return {
            "kind": "threshold",
            "scenario": self.scenario,
            "concept": self.concept,
            "of": self.spec.of,
            "words": self.words,
            "vary": axis.facts(),
            "crosses": crosses,
            "scan": self.spec.scan,
            "resolution": (axis.high / axis.low) ** (1 / self.spec.scan) if axis.log else step,
            "curve": {
                "values": axis.values(curve.x).tolist(),
                "answers": {name: [_number(one) for one in row] for name, row in zip(self.asked, curve.y.tolist(), strict=True)},
            },
            "crossings" if crosses is not None else "switches": self._found(),
            "stretches": [
                {"kind": one.kind, "low": axis.value(one.low), "high": axis.value(one.high), "before": one.before, "after": one.after, "crosses": one.crosses}
                for one in self.stretches
            ],
            "complete": "proved" if self.complete else "by scan",
            "why_not_proved": self.pieces.why_not,
            "pieces": {
                "count": len(self.pieces.breakpoints) + 1,
                "breakpoints": axis.values(self.pieces.breakpoints).tolist(),
                "covered": self.pieces.covered,
                "open": [] if self.pieces.why_not else [axis.values(gap).tolist() for gap in self.pieces.gaps],
            },
            "base": self.base,
            "facts": self.facts(),
            "solves": self.solves,
        }  # fmt: skip

    def brackets(self) -> list[tuple[float, float, float]]:
        """Return low end, high end and value of each crossing or switch, in units of the range.

        The value is where one profile ends and the next begins, if that was solved, else what the bracket says.
        """
        if self.spec.crosses is not None:
            return [(one.low, one.high, one.value) for one in self.crossings]
        out: list[tuple[float, float, float]] = []
        solved = self.pieces.breakpoints if self.complete else np.zeros(0)
        for a, b in self.places:
            (low, high), point = around(float(self.curve.x[a]), float(self.curve.x[b]), solved, CLOSE)
            out.append((low, high, (low + high) / 2 if point is None else point))
        return out

    def _found(self) -> list[dict[str, Any]]:
        """Return the crossings or switches."""
        out: list[dict[str, Any]] = []
        for k, (low, high, value) in enumerate(self.brackets()):
            one: dict[str, Any] = {
                "value": self.axis.value(value),
                "low": self.axis.value(low),
                "high": self.axis.value(high),
            }
            one["narrow"] = high - low <= CLOSE * (1 + NEAR)
            if self.spec.crosses is not None:
                this = self.crossings[k]
                one |= {
                    "before": _number(this.before),
                    "after": _number(this.after),
                    "rises": this.rises,
                    "jump": this.jump,
                }
                one["exact"] = this.exact is not None
            else:
                before, after = (self.curve.y[:, place] for place in self.places[k])
                far = jump_bound(self.curve).tolist()
                kept = zip(self.asked, before.tolist(), after.tolist(), far, strict=True)
                one["jumps"] = {
                    name: [_number(x), _number(y)] for name, x, y, least in kept if x != y and not abs(x - y) <= least
                }
            if k < len(self.beside):
                one["beside"] = dict(zip(("before", "after"), self.beside[k], strict=True))
            one["parting"] = self.partings[k] if k < len(self.partings) else None
            out.append(one)
        return out

    def facts(self) -> dict[str, Any]:
        """Return what sentences are made of: numbers, and whether they are proved."""
        at = [self.axis.value(value) for _, _, value in self.brackets()]
        base = self.axis.base
        distance = [abs(value - self.axis.share(base)) for _, _, value in self.brackets()] if base is not None else []
        nearest = int(np.argmin(distance)) if distance else -1
        out: dict[str, Any] = {
            "crossings" if self.spec.crosses is not None else "switches": self.count,
            "at": at,
            "first": at[0] if at else None,
            "last": at[-1] if at else None,
            "base": base,
            "base_answer": self.base.get("answers", {}).get(self.spec.of),
            "nearest": at[nearest] if at else None,
            "nearest_distance": distance[nearest] if distance else None,
            "complete": self.complete,
            "proved_share": self.pieces.covered,
            "breakpoints": len(self.pieces.breakpoints),
            "resolution": (self.axis.high / self.axis.low) ** (1 / self.spec.scan) if self.axis.log else (self.axis.high - self.axis.low) / self.spec.scan,
        }  # fmt: skip
        if self.spec.crosses is not None:
            out |= {
                "rises": sum(one.rises for one in self.crossings),
                "falls": sum(not one.rises for one in self.crossings),
            }
            out |= {"jumps": sum(one.jump for one in self.crossings), **_shares(self.curve, self.spec.crosses)}
        return out


def find(
    spec: Spec, *, scenario: Scenario, concept: str, options: Mapping[str, Any], case: Case,
    seed: int = 0,  # noqa: ARG001 - every kind of finding takes one
    progress: Callable[[int], None] | None = None,
) -> Threshold:  # fmt: skip
    """Find the thresholds.

    Parameters
    ----------
    spec
        What is asked.
    scenario, concept, options, case
        Of what.
    seed
        Not used: nothing is drawn.
    progress
        Called with the number of variants just solved.

    Raises
    ------
    OptionError
        For unknown names, an assumption without a range, a level without a question.
    NoAnswerError
        If there is no answer at any point of the scan.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.survey import Case
    >>> kept = dict(concept="subgame_perfect", options={}, case=Case())
    >>> find(Spec(of="war", vary="cost_of_war", crosses=0.5), scenario=sim.load(sim.template()), **kept).axis.name
    'cost_of_war'
    """
    if spec.crosses is not None and not spec.of:
        raise OptionError(f"level {spec.crosses:g} is to be crossed, and no question says by what; name an outcome")
    axis = axis_of(scenario, case, spec.vary, spec.range, spec.scale, concept=concept, options=options)
    questions = (spec.of,) if spec.of else all_questions(scenario)
    asker = Asker(scenario=scenario, questions=questions, concept=concept, options=options, case=case)
    asked = Asked(ask=asker, tell=progress)

    def ask(share: Floats) -> Floats:
        return asked({axis.name: axis.values(share)})

    scan = np.linspace(0.0, 1.0, spec.scan + 1)
    pieces = _proved(asker, spec, axis, scan, concept, options, progress)
    curve = looked_at(ask, _points(scan, pieces))
    if np.isnan(curve.y).all():
        raise NoAnswerError(
            f"{concept} has no certified answer at any of {len(curve.x)} values of {axis.name} from {axis.low:g} to {axis.high:g}"
        )
    crossings: tuple[Crossing, ...] = ()
    places: tuple[tuple[int, int], ...] = ()
    solved = pieces.breakpoints if pieces.proved else None
    if spec.crosses is None:
        curve, places, stretches = jumps(ask, curve, SWITCH, solved=solved)
        ends = np.array([[curve.x[a], curve.x[b]] for a, b in places]).reshape(-1, 2)
    else:
        curve, crossings, stretches = cross(ask, curve, spec.crosses, solved=solved)
        ends = np.array([[one.low, one.high] for one in crossings]).reshape(-1, 2)
    ends = _clear_of_ties(ends, pieces)
    kept: dict[str, Any] = {"concept": concept, "options": options, "case": case}
    beside, base, looks = _beside(scenario, spec, axis, ends, kept)
    sides = [{axis.name: axis.values(ends[:MOST_PARTINGS, side])} for side in (0, 1)]
    parted = partings(scenario, sides[0], sides[1], **kept)
    return Threshold(
        spec=spec, scenario=scenario.title, concept=concept, words=asker.read[0].words if spec.of else "", axis=axis, asked=questions, curve=curve,
        crossings=crossings, stretches=stretches, pieces=pieces, places=places, beside=beside, partings=parted,
        base=base, solves=asker.solves + pieces.solves + looks + 2 * len(parted),
    )  # fmt: skip


def _proved(
    asker: Asker,
    spec: Spec,
    axis: Axis,
    scan: Floats,
    concept: str,
    options: Mapping[str, Any],
    progress: Callable[[int], None] | None,
) -> Pieces:
    """Cut the range into pieces, if that can be done and proves something."""
    why = _why_not(asker.read, spec, axis, concept, asker.scenario)
    if why:
        return no_pieces(why)
    survey = asker.survey
    return find_pieces(
        survey, survey.cases[0], axis.name, axis.low, axis.high, start=scan, close=CLOSE * EDGE, most=MOST_PIECES + len(scan),
        options={name: value for name, value in options.items() if name == "ties"}, tell=progress,
    )  # fmt: skip


def _why_not(questions: tuple[Question, ...], spec: Spec, axis: Axis, concept: str, scenario: Scenario) -> str:
    """Say why no list of crossings can be proved to be complete; an empty text if nothing stands against it."""
    if not spec.prove:
        return "no proof was asked for"
    if concept != "subgame_perfect":
        return f"answers of {concept} are not affine in an assumption piece by piece"
    if axis.name == "precision" or axis.log:
        return f"{axis.name} is varied by ratio"
    measure = questions[0].measure
    if measure is not None and measure.range_of:
        return "a range of payoffs is not affine in an assumption"
    named = measure.worth if measure is not None else ""
    if named and sum(named in (action.move, action.group, action.label) for action in scenario.actions) > 1:
        return "the worth of the best of several actions is not affine in an assumption"
    if measure is not None and measure.advantage and spec.crosses is not None and (spec.crosses != 0.0 or measure.paid):
        return "an advantage over the best of several moves is not affine, but for its sign under the payoffs that moves are chosen by"
    return ""


def _points(scan: Floats, pieces: Pieces) -> Floats:
    """Return the points to scan: if all is proved, those at which no profile is mixed with the next, and the ends of every piece."""
    if not pieces.proved:
        return scan
    clear = pieces.clear[pieces.clear[:, 1] > pieces.clear[:, 0]]
    place = np.searchsorted(clear[:, 0], scan, side="right") - 1
    kept = scan[(place >= 0) & (scan <= clear[np.maximum(place, 0), 1])]
    step = np.minimum(NEAR, (clear[:, 1] - clear[:, 0]) / 4)  # clear of rounding
    return np.unique(
        np.concatenate([kept, clear[:, 0] + step * (clear[:, 0] > 0), clear[:, 1] - step * (clear[:, 1] < 1)])
    )


def _clear_of_ties(ends: Floats, pieces: Pieces) -> Floats:
    """Move the ends of brackets, (k, 2), out of where a profile is mixed with the next."""
    if not pieces.proved or not len(ends):
        return ends
    clear = pieces.clear[pieces.clear[:, 1] > pieces.clear[:, 0]]
    before = np.maximum(np.searchsorted(clear[:, 0], ends[:, 0], side="left") - 1, 0)
    after = np.minimum(np.searchsorted(clear[:, 1], ends[:, 1], side="right"), len(clear) - 1)
    step = np.minimum(NEAR, (clear[:, 1] - clear[:, 0]) / 4)
    low = np.minimum(ends[:, 0], clear[before, 1] - step[before])
    return np.column_stack([low, np.maximum(ends[:, 1], clear[after, 0] + step[after])])


def _beside(
    scenario: Scenario, spec: Spec, axis: Axis, ends: Floats, kept: Mapping[str, Any]
) -> tuple[tuple[tuple[dict[str, Any], dict[str, Any]], ...], dict[str, Any], int]:
    """Look at both sides of the first crossings, and at the assumption's own value if that lies in the range."""
    values = axis.values(ends[:MOST_LOOKS].ravel())
    based = axis.base is not None and axis.low <= axis.base <= axis.high
    if based:
        values = np.append(values, float(axis.base or 0.0))
    found, solves = look(scenario, spec.of, {axis.name: frozen(values)}, **kept)
    base = found.pop() if based else {}
    return tuple(zip(found[::2], found[1::2], strict=True)), base, solves


def _number(value: float) -> float | None:
    """Return a number, or None for what JSON cannot hold."""
    return value if np.isfinite(value) else None


def _shares(curve: Curve, level: float) -> dict[str, Any]:
    """Say on which share of the range the answer is at or above the level, on which there is none, and how it stands at both ends."""
    names = ("below", "level", "above", "none")
    side = [names[one] for one in (sides_of(curve.y[0], level) + 1).tolist()]
    length = np.diff(curve.x)
    lost = np.array(["none" in pair for pair in pairwise(side)])
    part = np.array([(WEIGHED.get(a, 0.0) + WEIGHED.get(b, 0.0)) / 2 for a, b in pairwise(side)])
    return {
        "above_share": float((length * part)[~lost].sum()),
        "undecided_share": float(length[lost].sum()),
        "at_low_end": side[0],
        "at_high_end": side[-1],
    }
