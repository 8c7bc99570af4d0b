"""The house: floors, a light start, a short front door, and nothing registered that is not documented and tested."""

import dataclasses
import importlib
import json
import pkgutil
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import sim
from sim.scenario.load import loads
from sim.solve.registry import CONCEPTS, LATER

HEAVY = (
    "numba",
    "nashpy",
    "SALib",
    "xarray",
    "matplotlib",
    "zarr",
    "pandas",
    "hypothesis",
    "scipy.stats",
    "pydantic",
    "rich.table",
)


def modules_after(code):
    """Names of modules that a fresh interpreter has loaded after running some code."""
    text = f"import sys\n{code}\nprint(' '.join(sys.modules))"
    return set(subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True).stdout.split())


def test_importing_the_package_is_light():
    loaded = modules_after("import sim")
    assert "sim" in loaded
    assert not loaded & {*HEAVY, "numpy", "typer"}


def test_the_command_line_starts_light():
    loaded = modules_after("import sim.cli")
    assert "typer" in loaded
    assert not loaded & {*HEAVY, "numpy"}


def test_checking_never_imports_numba(root):
    words = ["sim", "check", str(root / "scenarios" / "rock_bottom.toml")]
    run = "try: sim.cli.main()\nexcept SystemExit as end: assert not end.code, end.code"
    text = f"import sys, sim.cli; sys.argv = {words!r}\n{run}\nsys.stderr.write(' '.join(sys.modules))"
    found = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert "no mistakes" in found.stdout
    assert "numba" not in found.stderr.split()
    assert "pydantic" in found.stderr.split()


def test_solving_imports_no_drawing_and_no_storage():
    loaded = modules_after("import sim; sim.play(sim.solve(sim.compile(sim.load(sim.template())))).outcomes()")
    assert "numba" in loaded
    assert not loaded & {"matplotlib", "xarray", "zarr", "nashpy", "hypothesis"}


def all_modules():
    return sorted(info.name for info in pkgutil.walk_packages(sim.__path__, "sim."))


def test_every_public_name_exists():
    names = [name for name in all_modules() if name != "sim.testing"]
    assert len(names) > 30
    for name in names:
        module = importlib.import_module(name)
        for public in getattr(module, "__all__", ()):
            assert hasattr(module, public), f"{name}.{public}"
        assert getattr(module, "__doc__", None), name


def test_the_front_door_is_short_and_complete():
    assert 10 <= len(sim.__all__) <= 22
    for name in sim.__all__:
        assert getattr(sim, name) is not None
    assert dir(sim) == sim.__all__
    with pytest.raises(AttributeError, match="no attribute 'solv'"):
        _ = sim.solv


def test_modules_stay_small(root):
    found = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in (root / "sim").rglob("*.py")}
    assert len(found) > 30
    assert {str(path): count for path, count in found.items() if count > 620} == {}


def test_every_solver_is_documented(root):
    """A new solver needs: a row, a file of its own, Options and solve, a line in the status table, a place in the conformance suite."""
    page = (root / "docs" / "reference" / "solvers.md").read_text(encoding="utf-8")
    assert CONCEPTS
    for name, row in CONCEPTS.items():
        assert row.name == name
        assert f"`{name}`" in page, f"docs/reference/solvers.md does not name {name}"
        module = importlib.import_module(row.module)
        assert dataclasses.is_dataclass(module.Options)
        assert callable(module.solve)
        assert row.source
    for name in LATER:
        assert f"`{name}`" in page, f"docs/reference/solvers.md does not say that {name} is not built yet"


def endless(text):
    """Give a scenario of one round an infinite horizon."""
    text = re.sub(r"^rounds.*$", 'horizon = "infinite"', text, flags=re.MULTILINE)
    text = re.sub(r"^(\[players\.\w+\])$", r"\1\ndiscount = 0.9", text, flags=re.MULTILINE)
    return re.sub(r"final\(", "ever(", text)


@pytest.mark.parametrize("name", list(CONCEPTS))
def test_conformance(name):
    """Every registered solver: terminates, is certified, is deterministic, and is measured by somebody else."""
    text = sim.template().read_text(encoding="utf-8")
    if "finite" not in CONCEPTS[name].horizons:
        text = endless(text)
    game = sim.compile(loads(text, "template.toml"), {"prize": [0.5, 2.0, 6.0]})
    if CONCEPTS[name].types == "private":
        game = sim.compile(sim.load("scenarios/entry_deterrence.toml"), {"strong_belief": [0.05, 0.2, 0.6]})
    if CONCEPTS[name].types == "number":
        game = sim.compile(sim.load("scenarios/crisis_signalling.toml"), {"b_war": [-2.8, -2.7, -2.2]})
    first, second = sim.solve(game, name), sim.solve(game, name)
    assert first.status.certified
    assert first.certificate.certified.shape == (3,)
    assert (first.profile == second.profile).all()
    assert importlib.import_module(CONCEPTS[name].module).__name__ != type(first.certificate.measures).__module__


def test_the_contracts_are_kept(root):
    contracts = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    assert {contract["id"] for contract in contracts} >= {"floors", "solvers", "pictures"}
    independent = next(contract["modules"] for contract in contracts if contract["id"] == "solvers")
    assert set(independent) == {row.module for row in CONCEPTS.values()} | {"sim.solve.stability"}
    command = Path(sys.executable).with_name("lint-imports")
    if not command.exists():
        pytest.skip("import-linter is not installed; make check runs it")
    done = subprocess.run([str(command)], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_nothing_inside_imports_the_front_door(root):
    pattern = re.compile(r"^\s*(import sim$|from sim import)", re.MULTILINE)
    for path in (root / "sim").rglob("*.py"):
        code = re.sub(r'""".*?"""', "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        assert not pattern.search(code), path


def test_the_schema_is_json_schema():
    from sim.present.plain import to_json
    from sim.scenario.schema import ScenarioFile

    schema = json.loads(to_json(ScenarioFile.model_json_schema()))
    assert {"players", "state", "turns", "moves", "private", "horizon"} <= set(schema["properties"])
