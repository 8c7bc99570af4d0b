"""Results on disk: a Zarr store read through xarray, and a manifest that says what made it."""

from __future__ import annotations

import json
import platform
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.analysis.answer import facts, sentence
from sim.analysis.store import unfinished
from sim.errors import OptionError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xarray as xr

    from sim.analysis.plan import Plan

__all__ = ["read", "write_manifest"]

PACKAGES = ("escalation-sim", "numpy", "scipy", "numba", "xarray", "zarr", "SALib", "matplotlib", "pydantic")


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def write_manifest(
    plan: Plan,
    dataset: xr.Dataset,
    out: str | Path,
    command: str = "",
    figures: tuple[str, ...] = (),
    findings: Mapping[str, Any] | None = None,
    seconds: float | None = None,
) -> Path:
    """Write ``manifest.json`` beside the data; it appears whole or not at all.

    Parameters
    ----------
    plan, dataset
        The experiment and its result.
    out
        The folder.
    command
        The command line.
    figures
        Names of figure files in the folder.
    findings
        Records of the experiment's findings.
    seconds
        How long the run took; what was found on disk took none.

    Returns
    -------
    Path
        The manifest.
    """
    manifest = Path(out) / "manifest.json"
    found = facts(plan.experiment.answer, dataset, findings) if plan.experiment.answer else {}
    content: dict[str, Any] = {
        "experiment": plan.name,
        "title": plan.experiment.title,
        "question": plan.experiment.question,
        "answer": sentence(plan.experiment.answer, dataset, findings) if plan.experiment.answer else "",
        "facts": {name: text for name, (_, text) in found.items()},
        "command": command,
        "seed": plan.experiment.seed,
        "inputs": {name: {"sha256": digest} for name, digest in plan.digests.items()},
        "versions": {"python": platform.python_version(), **{name: _version(name) for name in PACKAGES}},
        "dimensions": {str(name): int(size) for name, size in dataset.sizes.items()},
        "figures": list(figures),
        "findings": sorted(findings or ()),
        "seconds": seconds,
    }
    temporary = manifest.with_suffix(".json.partial")
    temporary.write_text(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
    temporary.replace(manifest)
    return manifest


def read(folder: str | Path, *, flat: bool = False) -> xr.Dataset:
    """Read an experiment's dataset back.

    Parameters
    ----------
    folder
        Where it was run to.
    flat
        Leave all variants on one axis, and on disk until they are asked for; by default a grid has an axis for each varied assumption.

    Raises
    ------
    OptionError
        If the run was stopped before it had an answer to everything.

    Examples
    --------
    >>> import tempfile
    >>> from sim.analysis.experiment import run
    >>> folder = tempfile.mkdtemp()
    >>> data = run("experiments/precision.toml", out=folder)
    >>> bool((read(folder)["certified"] == data["certified"]).all())
    True
    >>> read(folder, flat=True).sizes["variant"] == data.sizes["precision"]
    True
    """
    import xarray as xr

    missing = unfinished(Path(folder))
    if missing:
        what = f"{folder} is not finished: {missing} chunk{'s' if missing > 1 else ''} of results still missing"
        raise OptionError(f"{what}; sim run with the same experiment goes on from there")
    data = xr.open_zarr(Path(folder) / "result.zarr", consolidated=False, chunks=None)
    axes = str(data.attrs.pop("axes", ""))
    if flat or not axes:
        return data
    shape = tuple(int(size) for size in json.loads(axes))
    names = [str(name) for name, array in data.coords.items() if array.dims == ("variant",)]
    varied = [str(name) for name in str(data.attrs.get("order", "")).split()] or names
    data = data.load()
    steps = [int(np.prod(shape[place + 1 :], dtype=np.int64)) for place in range(len(shape))]
    values = {
        name: data[name].values[:: steps[place]][: shape[place]] if data.sizes["variant"] else data[name].values
        for place, name in enumerate(varied)
    }
    variables = {
        name: (
            ("arm", "concept", *varied, *array.dims[3:]),
            array.values.reshape(*array.shape[:2], *shape, *array.shape[3:]),
        )
        for name, array in data.data_vars.items()
    }
    kept = {name: array.values for name, array in data.coords.items() if name not in varied}
    attributes = {name: value for name, value in data.attrs.items() if name != "order"}
    return xr.Dataset(variables, coords={**kept, **values}, attrs=attributes)
