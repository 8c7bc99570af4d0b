"""Questions about many variants that an experiment file asks beside its grid: thresholds, borders, sensitivities, boxes, attributions, robust choices.

Each kind is a module with a ``Spec``, what its table in the file may say, and ``find``, which answers it with a record of plain numbers and words. Tables,
figures and sentences are made from the record alone, and an answer that was found once is read back instead of being found again.
"""

from __future__ import annotations

import hashlib
import json
from importlib import import_module
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from sim.analysis.survey import Case
from sim.errors import OptionError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from sim.analysis.plan import Arm, Experiment, Plan

__all__ = ["KINDS", "case_of", "find_all", "read_spec", "settle"]

KINDS = {
    "attribution": "sim.analysis.attribution",
    "border": "sim.analysis.border",
    "boxes": "sim.analysis.boxes",
    "fit": "sim.analysis.estimate",
    "inverse": "sim.analysis.inverse",
    "ordering": "sim.analysis.orderings",
    "robust": "sim.analysis.robust",
    "sensitivity": "sim.analysis.sensitivity",
    "threshold": "sim.analysis.threshold",
}
"""Where each kind of finding is made."""
FOLDER = "findings"


def read_spec(table: Mapping[str, Any]) -> Any:
    """Read the table of a finding.

    Raises
    ------
    OptionError
        For an unknown kind or key, with advice.

    Examples
    --------
    >>> read_spec({"kind": "attribution", "of": "war", "after": {"prize": 4}}).of
    'war'
    """
    kind = str(table.get("kind", ""))
    if kind not in KINDS:
        raise OptionError(f"kind is '{kind}', which is not a kind of finding; {did_you_mean(kind, KINDS)}")
    model = import_module(KINDS[kind]).Spec
    try:
        return model.model_validate(dict(table))
    except ValidationError as error:
        noted = error.errors(include_url=False)
        first = min(noted, key=lambda one: one["type"] != "extra_forbidden")  # a misspelt key explains a missing one
        place = ".".join(str(part) for part in first["loc"])
        advice = did_you_mean(place, model.model_fields) if first["type"] == "extra_forbidden" else ""
        what = f"'{place}' is no key of {kind}" if advice else f"{place or kind}: {first['msg']}"
        raise OptionError(f"{what}{f'; {advice}' if advice else ''}") from None


def case_of(experiment: Experiment, arm: Arm) -> Case:
    """Return the case that an arm of an experiment makes.

    Examples
    --------
    >>> from sim.analysis.plan import read_experiment
    >>> asked = read_experiment("experiments/successor.toml").experiment
    >>> case_of(asked, asked.arms[0]).since
    '2016-10'
    """
    hidden: Any = "all" if experiment.hidden == "all" else tuple(experiment.hidden) or None
    return Case(
        name=arm.name,
        set={**experiment.set, **arm.set},
        remove=tuple(arm.remove),
        since=arm.since,
        force=arm.force,
        rounds=arm.rounds or experiment.rounds,
        start=arm.start or experiment.start,
        hidden=hidden,
        known=dict(experiment.known),
    )


def settle(plan: Plan, name: str) -> dict[str, Any]:
    """Find the answer to one of an experiment's findings.

    Returns
    -------
    dict
        The record.
    """
    table = plan.experiment.findings[name]
    spec = read_spec(table)
    concept = next(one for one in plan.concepts if one.label == spec.concept) if spec.concept else plan.concepts[0]
    arms = plan.experiment.arms
    arm = next(one for one in arms if one.name == spec.arm) if spec.arm else arms[0]
    found = import_module(KINDS[spec.kind]).find(
        spec,
        scenario=plan.scenario,
        concept=concept.concept,
        options=concept.options,
        case=case_of(plan.experiment, arm),
        seed=plan.experiment.seed,
    )
    return {**found.record(), "concept": concept.label, "arm": arm.name}


def find_all(
    plan: Plan, out: Path | None = None, progress: Callable[[int, int], None] | None = None
) -> dict[str, dict[str, Any]]:
    """Answer all findings of an experiment.

    Parameters
    ----------
    plan
        A checked experiment.
    out
        The folder of its results: answers already there, found from the same inputs, are read back.
    progress
        Called with the number of findings answered, and of all.

    Returns
    -------
    dict
        Record by name.
    """
    from sim.analysis.experiment import program_digest
    from sim.analysis.store import write_json

    records: dict[str, dict[str, Any]] = {}
    shared = {"set", "rounds", "start", "hidden", "known", "arms", "concepts", "seed"}
    asked = plan.experiment.model_dump(mode="json", include=shared, by_alias=True)
    for name, table in plan.experiment.findings.items():
        text = json.dumps([asked, dict(table), plan.texts["scenario"], program_digest()], sort_keys=True)
        inputs = hashlib.sha256(text.encode()).hexdigest()
        path = out / FOLDER / f"{name}.json" if out is not None else None
        before = _read(path) if path is not None else None
        if before is not None and before.get("inputs") == inputs:
            records[name] = before["record"]
        else:
            records[name] = json.loads(json.dumps(settle(plan, name), allow_nan=False))  # as it will be read back
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                write_json(path, {"inputs": inputs, "record": records[name]})
        if progress:
            progress(len(records), len(plan.experiment.findings))
    return records


def _read(path: Path) -> dict[str, Any] | None:
    """Read a record back; nothing if it cannot be read."""
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return None
