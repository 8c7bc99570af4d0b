"""Results on disk: a Zarr store read through xarray, and a manifest that says what made it."""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.analysis.answer import facts, sentence
from sim.errors import OptionError

if TYPE_CHECKING:
    import xarray as xr

    from sim.analysis.plan import Plan

__all__ = ["claim", "read", "write"]

PACKAGES = ("escalation-sim", "numpy", "scipy", "numba", "xarray", "zarr", "matplotlib", "pydantic")


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def claim(plan: Plan, out: str | Path) -> Path:
    """Make the folder of an experiment's results, or refuse one that holds another's.

    Raises
    ------
    OptionError
        If the folder holds another experiment's results.
    """
    folder = Path(out)
    manifest = folder / "manifest.json"
    if manifest.exists():
        owner = json.loads(manifest.read_text(encoding="utf-8")).get("experiment")
        if owner != plan.name:
            raise OptionError(f"{folder} holds the results of experiment '{owner}'; choose another folder with --out")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def write(plan: Plan, dataset: xr.Dataset, out: str | Path, command: str = "", figures: tuple[str, ...] = ()) -> Path:
    """Write ``result.zarr`` and ``manifest.json`` into a folder; both appear whole or not at all.

    Parameters
    ----------
    plan, dataset
        The experiment and its result.
    out
        The folder; made if missing. What another experiment wrote there is never overwritten.
    command
        The command line, for the manifest.
    figures
        Names of figure files in the folder.

    Returns
    -------
    Path
        The manifest.

    Raises
    ------
    OptionError
        If the folder holds another experiment's results.
    """
    folder = claim(plan, out)
    manifest = folder / "manifest.json"
    store, partial = folder / "result.zarr", folder / "result.zarr.partial"
    shutil.rmtree(partial, ignore_errors=True)
    labelled = dataset.assign_coords(
        {
            name: dataset[name].astype(np.dtypes.StringDType())
            for name in dataset.coords
            if dataset[name].dtype.kind in "UO"
        }
    )
    labelled.to_zarr(partial, mode="w", zarr_format=3, consolidated=False)
    shutil.rmtree(store, ignore_errors=True)
    partial.rename(store)
    found = facts(plan.experiment.answer, dataset) if plan.experiment.answer else {}
    content: dict[str, Any] = {
        "experiment": plan.name,
        "title": plan.experiment.title,
        "question": plan.experiment.question,
        "answer": sentence(plan.experiment.answer, dataset) if plan.experiment.answer else "",
        "facts": {name: text for name, (_, text) in found.items()},
        "command": command,
        "seed": plan.experiment.seed,
        "inputs": {name: {"sha256": _digest(text)} for name, text in plan.texts.items()},
        "versions": {"python": platform.python_version(), **{name: _version(name) for name in PACKAGES}},
        "dimensions": {str(name): int(size) for name, size in dataset.sizes.items()},
        "figures": list(figures),
    }
    temporary = manifest.with_suffix(".json.partial")
    temporary.write_text(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
    temporary.replace(manifest)
    return manifest


def read(folder: str | Path) -> xr.Dataset:
    """Read an experiment's dataset back."""
    import xarray as xr

    return xr.open_zarr(Path(folder) / "result.zarr", consolidated=False)
