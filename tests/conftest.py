"""Shared places, and Hypothesis profiles: no deadlines, because the first call of a kernel may compile it."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, settings

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the command line does

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(Path(__file__).parent))  # naive.py, the second method

settings.register_profile(
    "house", deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
settings.load_profile("house")


def needs(module):
    """Skip, with the reason, where another program has no wheel."""
    return pytest.mark.skipif(importlib.util.find_spec(module) is None, reason=f"{module} is not installed")


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def answers():
    """Published answers by case id."""
    cases = yaml.safe_load((ROOT / "tests" / "replication" / "answers.yaml").read_text(encoding="utf-8"))
    return {case["id"]: case for case in cases}


@pytest.fixture(scope="session")
def rock_bottom():
    """The founding scenario, compiled once for the whole run."""
    import sim

    return sim.compile(sim.load(ROOT / "scenarios" / "rock_bottom.toml"))
