"""Kernels are compiled once, with explicit signatures, read-only inputs and writable outputs."""

import importlib

import numba
import numpy as np
import pytest

import sim
from sim.solve.registry import CONCEPTS

KERNELS = [
    ("sim.game.referee", "_evaluate"),
    ("sim.game.referee", "_reach"),
    ("sim.game.referee", "_measure"),
    ("sim.solve.subgame_perfect", "_backward_induction"),
    ("sim.solve.quantal_response", "_logit_induction"),
    ("sim.solve.replies", "_reply"),
    ("sim.analysis.flow", "push"),
]


@pytest.mark.parametrize(("module", "name"), KERNELS)
def test_one_compiled_signature_each(module, name):
    game = sim.compile(sim.load(sim.template()), {"prize": [1.0, 2.0, 3.0]})
    for concept in CONCEPTS:
        sim.play(sim.solve(game, concept)).outcomes()
    kernel = getattr(importlib.import_module(module), name)
    assert len(kernel.signatures) == 1
    arrays = [kind for kind in kernel.signatures[0] if isinstance(kind, numba.types.Array)]
    assert any(kind.mutable for kind in arrays)
    assert any(not kind.mutable for kind in arrays)
    assert all(kind.layout == "C" for kind in arrays)


def test_no_kernel_is_missing_from_this_list():
    found = set()
    for module in {module for module, _ in KERNELS} | {row.module for row in CONCEPTS.values()} | {"sim.solve.replies"}:
        for name, value in vars(importlib.import_module(module)).items():
            if isinstance(value, numba.core.registry.CPUDispatcher) and value.py_func.__module__ == module:
                found.add((module, name))
    assert found == set(KERNELS)


def test_games_are_read_only():
    game = sim.compile(sim.load(sim.template()))
    with pytest.raises(ValueError, match="read-only"):
        game.numbers.reward[0, 0] = 1.0
    with pytest.raises(ValueError, match="read-only"):
        game.graph.edge_dst[0] = 1
    with pytest.raises(ValueError, match="read-only"):
        sim.solve(game).profile[0, 0] = 1.0
    assert isinstance(game.graph.node_key, np.ndarray)
