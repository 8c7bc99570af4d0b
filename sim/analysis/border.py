"""Borders: the line in the plane of two assumptions at which an answer crosses a level, found with a small part of the solves of a full grid.

Both ranges are mapped to the unit square (:mod:`sim.analysis.axis`) and the square is refined along the border (:mod:`sim.analysis.lattice`). Every
point of the line is then bracketed along an edge of the finest lattice.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from sim.analysis.asker import Asker
from sim.analysis.axis import axis_of
from sim.analysis.crossings import CLOSE
from sim.analysis.lattice import ABOVE, BELOW, LOST, UNKNOWN, lines_of, traced
from sim.analysis.sides import Asked, look, partings
from sim.errors import NoAnswerError, OptionError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sim.analysis.axis import Axis
    from sim.analysis.lattice import Lattice, Line
    from sim.analysis.survey import Case
    from sim.kinds import Floats
    from sim.scenario.model import Scenario

__all__ = ["Border", "Spec", "find"]

MOST_LOOKS = 12  # lines on whose sides one looks closely
RASTER = 128  # rows and columns of the picture of the region
LETTERS = {BELOW: "-", ABOVE: "+", LOST: " ", UNKNOWN: "?"}
MIDDLE = 0.5


class Spec(BaseModel):
    """What is asked of a border.

    Examples
    --------
    >>> Spec(of="war", x="prize", y="cost_of_war").resolution
    1024
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    kind: Literal["border"] = "border"
    of: str = Field(
        description="a question: an outcome, value_PLAYER, likelihood, advantage(MOVE @ DATE) or chosen(MOVE @ DATE)"
    )
    concept: str = Field(default="", description="label of a concept of the experiment; its first by default")
    arm: str = Field(default="", description="name of an arm of the experiment")
    x: str = Field(description="an assumption with a range, or precision")
    y: str = Field(description="another")
    crosses: float | None = Field(
        default=None, description="the level: 0 for an advantage or a value by default, else 0.5"
    )
    x_range: list[float] | None = Field(default=None, min_length=2, max_length=2, description="the part of x to search")
    y_range: list[float] | None = Field(default=None, min_length=2, max_length=2, description="the part of y to search")
    x_scale: Literal["", "linear", "log"] = Field(default="", description="of x: log for precision, else linear")
    y_scale: Literal["", "linear", "log"] = Field(default="", description="of y")
    coarse: int = Field(default=32, ge=2, le=1024, description="into how many cells each range is cut at first")
    resolution: int = Field(
        default=1024, ge=2, le=8192, description="into how many in the end: coarse times a power of two"
    )

    @property
    def level(self) -> float:
        """The level."""
        if self.crosses is not None:
            return self.crosses
        return 0.0 if self.of.strip().startswith(("advantage", "value_")) else MIDDLE


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Border:
    """The border of the region of two assumptions in which an answer is at or above a level.

    Attributes
    ----------
    spec
        What was asked.
    scenario, concept
        Title and concept.
    words
        The question as one reads it.
    axes
        What was varied: x, then y.
    lattice, lines, share
        What was found, in units of the ranges: the lattice, the lines, and the share of the square at or above the level.
    beside, partings
        What happens on either side of the middle of each line, below and above the level, and where play first differs.
    base
        The answers where nothing is varied.
    solves
        How many variants were solved for the lattice, for the lines, and for the sides.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.survey import Case
    >>> spec = Spec(of="war", x="prize", y="cost_of_war", coarse=4, resolution=16)
    >>> found = find(spec, scenario=sim.load(sim.template()), concept="quantal_response", options={"precision": 1.0}, case=Case())
    >>> found.full_grid, 0 <= found.share <= 1
    (289, True)
    """

    spec: Spec
    scenario: str
    concept: str
    words: str
    axes: tuple[Axis, Axis]
    lattice: Lattice
    lines: tuple[Line, ...]
    share: float
    beside: tuple[tuple[dict[str, Any], dict[str, Any]], ...]
    partings: tuple[dict[str, Any] | None, ...]
    base: dict[str, Any] = field(default_factory=dict[str, Any])
    solves: tuple[int, int, int] = (0, 0, 0)

    @property
    def full_grid(self) -> int:
        """How many variants a full grid of the finest lattice has."""
        return (self.lattice.resolution + 1) ** 2

    def values(self, points: Floats) -> list[list[float]]:
        """Turn points of the unit square, (p, 2), into pairs of values."""
        x, y = self.axes
        return np.column_stack([x.values(points[:, 0]), y.values(points[:, 1])]).tolist()

    def record(self) -> dict[str, Any]:
        """Return everything, for machines."""
        lines: list[dict[str, Any]] = []
        for k, line in enumerate(self.lines):
            one: dict[str, Any] = {"points": self.values(line.points), "closed": line.closed, "length": line.length}
            if k < len(self.beside):
                one |= {
                    "beside": dict(zip(("below", "above"), self.beside[k], strict=True)),
                    "parting": self.partings[k],
                }
            lines.append(one)
        low, high = self.lattice.area()
        return {
            "kind": "border",
            "scenario": self.scenario,
            "concept": self.concept,
            "of": self.spec.of,
            "words": self.words,
            "x": self.axes[0].facts(),
            "y": self.axes[1].facts(),
            "crosses": self.spec.level,
            "resolution": self.lattice.resolution,
            "coarse": self.lattice.coarse,
            "lines": lines,
            "region": self._raster(),
            "area": {"share": self.share, "low": low, "high": high, "undecided": self.lattice.lost},
            "missed": {"share": 1 / self.lattice.coarse, "x": self._step(0), "y": self._step(1)},
            "base": self.base,
            "facts": self.facts(),
            "solves": sum(self.solves),
        }

    def _step(self, axis: int) -> float:
        """Return the width of a coarse cell: a difference, or on a log scale a ratio."""
        one = self.axes[axis]
        return (
            (one.high / one.low) ** (1 / self.lattice.coarse) if one.log else (one.high - one.low) / self.lattice.coarse
        )

    def _raster(self) -> list[str]:
        """Draw the region in letters, the highest row first: + at or above the level, - below, a blank without an answer, ? on the border."""
        size = self.lattice.resolution
        place = (np.arange(min(size, RASTER)) + MIDDLE) * size / min(size, RASTER)
        cells = self.lattice.leaf[np.ix_(place.astype(int), place.astype(int))]
        return ["".join(LETTERS[value] for value in row) for row in cells.T[::-1].tolist()]

    def facts(self) -> dict[str, Any]:
        """Return what sentences are made of."""
        low, high = self.lattice.area()
        x, y = self.axes
        out: dict[str, Any] = {
            "share": self.share,
            "share_low": low,
            "share_high": high,
            "undecided": self.lattice.lost,
            "lines": len(self.lines),
            "x_base": x.base,
            "y_base": y.base,
            "base_answer": self.base.get("answers", {}).get(self.spec.of),
            "solves": sum(self.solves),
            "lattice_solves": self.solves[0],
            "line_solves": self.solves[1],
            "full_grid": self.full_grid,
            "fewer": self.full_grid / max(1, self.solves[0] + self.solves[1]),
            "missed": 1 / self.lattice.coarse,
        }
        if self.lines:
            points = np.concatenate([line.points for line in self.lines])
            ends = [self.values(np.stack([points.min(axis=0), points.max(axis=0)]))]
            out |= {"x_from": ends[0][0][0], "x_to": ends[0][1][0], "y_from": ends[0][0][1], "y_to": ends[0][1][1]}
            if x.base is not None and y.base is not None:
                away = np.hypot(*(points - [x.share(x.base), y.share(y.base)]).T)
                near = int(away.argmin())
                out |= {"distance": float(away[near]), "nearest": self.values(points[[near]])[0]}
        return out


def find(
    spec: Spec, *, scenario: Scenario, concept: str, options: Mapping[str, Any], case: Case,
    seed: int = 0,  # noqa: ARG001 - every kind of finding takes one
    progress: Callable[[int], None] | None = None,
) -> Border:  # fmt: skip
    """Find the border.

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
        For unknown names, one assumption twice, one without a range or one that shapes the game, and a resolution that does not fit.
    NoAnswerError
        If there is no answer at any point of the coarse lattice.

    Examples
    --------
    >>> import sim
    >>> from sim.analysis.survey import Case
    >>> kept = dict(scenario=sim.load("scenarios/brinkmanship.toml"), concept="subgame_perfect", options={}, case=Case())
    >>> found = find(Spec(of="backed_down", x="risk_per_rung", y="audience_cost", coarse=8, resolution=32), **kept)
    >>> len(found.lines) > 0, found.facts()["share_low"] <= found.share <= found.facts()["share_high"]
    (True, True)
    """
    cells = spec.resolution // spec.coarse
    if spec.resolution != spec.coarse * cells or cells & (cells - 1):
        message = f"resolution is {spec.resolution} and coarse {spec.coarse}; expected coarse times a power of two"
        raise OptionError(f"{message}, such as {spec.coarse * 16}")
    if spec.x == spec.y:
        raise OptionError(f"x and y are both '{spec.x}'; expected two assumptions, or ask for a threshold of one")
    kept: dict[str, Any] = {"concept": concept, "options": options, "case": case}
    x = axis_of(scenario, case, spec.x, spec.x_range, spec.x_scale, concept=concept, options=options)
    y = axis_of(scenario, case, spec.y, spec.y_range, spec.y_scale, concept=concept, options=options)
    asker = Asker(scenario=scenario, questions=(spec.of,), **kept)
    for name in (x.name, y.name):
        if name in asker.survey.shaping:
            message = f"'{name}' shapes the game (a guard, an effect, a start or an outcome reads it)"
            raise OptionError(f"{message}, so every value of it is another game; vary it in a grid instead")
    asked = Asked(ask=asker, tell=progress)

    def ask(a: Floats, b: Floats) -> Floats:
        return asked({x.name: x.values(a), y.name: y.values(b)})[0]

    lattice = traced(ask, spec.level, spec.coarse, spec.resolution)
    if (lattice.leaf == LOST).all():
        raise NoAnswerError(
            f"{concept} has no certified answer at any of {lattice.asked} values of {x.name} and {y.name}"
        )
    middle = asker.solves
    lines, share = lines_of(ask, lattice, spec.level, CLOSE)
    last = asker.solves
    points = [line.points.shape[0] // 2 for line in lines[:MOST_LOOKS]]
    ends = [
        np.array([getattr(line, side)[k] for line, k in zip(lines, points, strict=False)]).reshape(-1, 2)
        for side in ("below", "above")
    ]
    sides = [{x.name: x.values(end[:, 0]), y.name: y.values(end[:, 1])} for end in ends]
    found = [look(scenario, spec.of, side, **kept) for side in sides]
    based = x.base is not None and y.base is not None
    base, more = (
        look(scenario, spec.of, {x.name: np.array([x.base]), y.name: np.array([y.base])}, **kept)
        if based
        else ([{}], 0)
    )
    return Border(
        spec=spec, scenario=scenario.title, concept=concept, words=asker.read[0].words, axes=(x, y), lattice=lattice, lines=tuple(lines), share=share,
        beside=tuple(zip(found[0][0], found[1][0], strict=True)), partings=partings(scenario, sides[0], sides[1], **kept), base=base[0],
        solves=(middle, last - middle, found[0][1] + found[1][1] + more + 2 * len(points)),
    )  # fmt: skip
