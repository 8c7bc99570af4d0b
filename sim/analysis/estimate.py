"""Estimation as a finding: the precision, and assumptions, that make the recorded history likeliest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from sim.analysis.fit import Fit, fit
from sim.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sim.analysis.survey import Case
    from sim.scenario.model import Scenario

__all__ = ["Estimate", "Spec", "find"]

SHOWN = 200


class Spec(BaseModel):
    """What an estimation may say in a file.

    Examples
    --------
    >>> Spec().free
    []
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    kind: Literal["fit"] = "fit"
    of: Literal["likelihood"] = "likelihood"
    free: list[str] = Field(default_factory=list[str], description="assumptions to estimate beside the precision")
    each: bool = Field(default=False, description="a precision for every player")
    points: int = Field(default=97, ge=5, description="how many precisions are scanned")
    bootstrap: int = Field(default=0, ge=0, description="how many samples are drawn and refitted")
    level: float = Field(default=0.95, gt=0, lt=1, description="of all intervals")
    concept: str = Field(default="", description="label of a concept of quantal response; its first by default")
    arm: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """An estimate with its record."""

    fit: Fit

    def record(self) -> dict[str, Any]:
        """Return everything as plain numbers and words."""
        found = self.fit
        facts: dict[str, Any] = {
            name: value if isinstance(value, str) else float(value) for name, value in found.estimate.items()
        }
        facts |= {
            "log_likelihood": found.log_likelihood,
            "uniform": found.uniform,
            "aic": found.aic,
            "uniform_aic": found.uniform_aic,
            "decisions": found.decisions,
        }
        profiles: dict[str, Any] = {}
        for one in found.profiles:
            ends = [[x.low, x.high if x.reached[1] else None] for x in one.intervals]
            if ends:
                facts[f"{one.name}_low"], facts[f"{one.name}_high"] = ends[0][0], ends[-1][1]
            if one.name.startswith("precision"):
                facts[f"{one.name}_zero_p"] = one.zero_p
                facts[f"{one.name}_zero_p_mixture"] = one.zero_p_mixed
            step = max(1, len(one.values) // SHOWN)
            heights = [None if not np.isfinite(x) else float(x) for x in np.asarray(one.log_likelihood)[::step]]
            values = [value if isinstance(value, str) else float(value) for value in list(one.values)[::step]]
            profiles[one.name] = {"values": values, "log_likelihood": heights, "intervals": ends}
        if found.bootstrap is not None:
            for name, (low, high) in found.bootstrap.intervals.items():
                facts[f"{name}_bootstrap_low"], facts[f"{name}_bootstrap_high"] = float(low), float(high)
        return {
            "kind": "fit",
            "facts": {name: _finite(value) for name, value in facts.items()},
            "profiles": profiles,
            "solves": found.solved,
            "uncertified": found.unsolved,
        }


def _finite(value: Any) -> Any:
    """Write nothing for what is no number."""
    return None if isinstance(value, float) and not np.isfinite(value) else value


def find(
    spec: Spec,
    *,
    scenario: Scenario,
    concept: str = "quantal_response",
    options: Mapping[str, Any] | None = None,
    case: Case | None = None,
    seed: int = 0,
    progress: Callable[[int], None] | None = None,
) -> Estimate:
    """Estimate the precision of quantal response, and assumptions, from the recorded history.

    Parameters
    ----------
    spec, scenario, case
        What is asked, of what.
    concept, options
        Quantal response; its precision is what is estimated.
    seed
        Of the bootstrap.
    progress
        Called with the number of games solved, at the end.

    Raises
    ------
    OptionError
        For another concept, and for games that begin or are followed from a date.

    Examples
    --------
    >>> import sim
    >>> found = find(Spec(points=33), scenario=sim.load("scenarios/rock_bottom.toml"))
    >>> round(found.record()["facts"]["precision"], 1)
    0.7
    """
    if concept != "quantal_response":
        raise OptionError(f"fit: {concept} has no precision to estimate; write concept = the label of quantal_response")
    if case is not None and (case.start or case.since or case.force):
        raise OptionError("fit: the whole recorded history is held against the game; leave out start, from and force")
    build: dict[str, Any] = {}
    if case is not None:
        build = {"rounds": case.rounds, "remove": case.remove, "hidden": case.hidden, "known": case.known}
    del options  # the precision that they name is what is estimated
    found = fit(
        scenario, free=spec.free, each=spec.each, settings=dict(case.set) if case else {}, build=build, points=spec.points,
        bootstrap=spec.bootstrap, seed=seed, level=spec.level,
    )  # fmt: skip
    if progress:
        progress(found.solved)
    return Estimate(fit=found)
