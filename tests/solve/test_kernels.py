"""Kernels are compiled once, with explicit signatures, read-only inputs and writable outputs."""

import importlib
import pkgutil

import numba
import numpy as np
import pytest

import sim
from sim.solve.registry import concepts_for


def kernels():
    """Find every kernel of the package."""
    found = []
    for info in pkgutil.walk_packages(sim.__path__, "sim."):
        if info.name == "sim.__main__":
            continue
        module = importlib.import_module(info.name)
        found += [
            (info.name, name)
            for name, value in vars(module).items()
            if isinstance(value, numba.core.registry.CPUDispatcher) and value.py_func.__module__ == info.name
        ]
    return found


def flattened(kinds):
    """Look into tuples of arrays."""
    for kind in kinds:
        if isinstance(kind, numba.types.BaseTuple):
            yield from flattened(kind)
        else:
            yield kind


KERNELS = kernels()
ENTRIES = [
    ("sim.game.abreast", "_measure_abreast"),
    ("sim.game.referee", "_measure"),
    ("sim.numerics.branch", "_follow_all"),
    ("sim.numerics.tracing", "_trace_all"),
    ("sim.solve.induction", "_abreast"),
    ("sim.solve.induction", "_backward_induction"),
    ("sim.solve.quantal_response", "_logit_induction"),
    ("sim.solve.replies", "_reply"),
    ("sim.solve.rounds", "_play_on"),
    ("sim.solve.trembles", "follow"),
    ("sim.analysis.flow", "push"),
]


def test_the_kernels_are_found():
    assert len(KERNELS) >= 15
    assert set(ENTRIES) <= set(KERNELS)


@pytest.mark.parametrize(("module", "name"), KERNELS)
def test_one_compiled_signature_each(module, name):
    game = sim.compile(sim.load(sim.template()), {"prize": [1.0, 2.0, 3.0]})
    for concept in concepts_for(game):
        sim.play(sim.solve(game, concept)).outcomes()
    kernel = getattr(importlib.import_module(module), name)
    assert len(kernel.signatures) == 1
    flat = list(flattened(kernel.signatures[0]))
    arrays = [kind for kind in flat if isinstance(kind, numba.types.Array)]
    assert arrays or all(isinstance(kind, numba.types.Number) for kind in flat)
    assert all(kind.layout == "C" for kind in arrays if (module, name) in ENTRIES)
    if (module, name) in ENTRIES:
        assert any(kind.mutable for kind in arrays)
        assert any(not kind.mutable for kind in arrays)


def test_games_are_read_only():
    game = sim.compile(sim.load(sim.template()))
    with pytest.raises(ValueError, match="read-only"):
        game.numbers.reward[0, 0] = 1.0
    with pytest.raises(ValueError, match="read-only"):
        game.graph.edge_dst[0] = 1
    with pytest.raises(ValueError, match="read-only"):
        sim.solve(game).profile[0, 0] = 1.0
    assert isinstance(game.graph.node_key, np.ndarray)
