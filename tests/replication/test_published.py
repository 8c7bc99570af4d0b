"""Published answers: counts first, then the numbers."""

import numpy as np
import pytest

import sim
from sim.construct.compile import compile as compile_game


def takes(game, solution):
    """The probability of taking at each node on the passing path, in order."""
    graph = game.graph
    out, node = [], int(graph.roots[0])
    while len(graph.edges_of(node)):
        labels = {graph.labels[graph.edge_label[edge]].move: edge for edge in graph.edges_of(node)}
        out.append(float(solution.profile[0, labels["take"]]))
        node = int(graph.edge_dst[labels["pass_on"]])
    return out


@pytest.mark.parametrize("case", ["centipede_4", "centipede_6"])
def test_centipede(case, root, answers):
    game = sim.compile(sim.load(root / "scenarios" / f"{case}.toml"))
    known = answers[case]
    solution = sim.solve(game, "subgame_perfect")
    assert takes(game, solution) == [1.0] * int(case[-1])
    np.testing.assert_allclose(solution.values[0], known["values"], atol=1e-12)
    assert len(known["agent_qre"]) == 4
    for precision, expected in known["agent_qre"].items():
        found = takes(game, sim.solve(game, "quantal_response", precision=precision))
        assert len(found) == len(expected)
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_doubled_centipede_counts_lambda_twice(root, answers):
    game = sim.compile(sim.load(root / "scenarios" / "centipede_6.toml"), {"stake": 0.2})
    np.testing.assert_allclose(sim.solve(game, "subgame_perfect").values[0], [0.8, 0.2])
    known = answers["centipede_6_doubled"]["agent_qre"]
    assert len(known) == 2
    for precision, expected in known.items():
        np.testing.assert_allclose(
            takes(game, sim.solve(game, "quantal_response", precision=precision)), expected, atol=1e-6
        )


def test_signorino_strategic_logit(root, answers):
    known = answers["signorino"]
    scenario = sim.load(root / "scenarios" / "signorino.toml")
    game = compile_game(scenario, known["u"])
    assert len(known["outcomes"]) == 2
    for precision, expected in known["outcomes"].items():
        paths = sim.play(sim.solve(game, "quantal_response", precision=precision))
        graph = game.graph
        found = {}
        for one in paths.histories(10):
            found[one.steps[-1].state["result"]] = one.probability
        assert len(found) == 3
        np.testing.assert_allclose([found["status_quo"], found["resisted"], found["yielded"]], expected, atol=1e-6)
        assert graph.node_count == 5


RESULTS = {
    "status_quo": "SQ",
    "challenger_wins": "DC",
    "defender_concedes": "DC",
    "defender_wins": "CD",
    "conflict": "DD",
}


@pytest.mark.parametrize(
    ("case", "names"),
    [
        ("unilateral_deterrence", ["challenger_type", "defender_type"]),
        ("asymmetric_escalation", ["challenger_type", "tactical_type", "strategic_type"]),
    ],
)
def test_deterrence(case, names, root, answers):
    scenario = sim.load(root / "scenarios" / f"{case}.toml")
    known = answers[case]["outcomes"]
    assert len(known) == 2 ** len(names)
    for types, expected in known.items():
        game = compile_game(scenario, dict(zip(names, types.split(), strict=True)))
        solution = sim.solve(game, "subgame_perfect")
        history = sim.play(solution).histories(2)
        assert len(history) == 1, types
        assert RESULTS[history[0].steps[-1].state["result"]] == expected, types


def test_chain_store_paradox(root):
    """Selten, R. (1978) The chain store paradox, Theory and Decision 9:127-159: every entrant enters and is never fought."""
    game = sim.compile(sim.load(root / "scenarios" / "chain_store.toml"))
    paths = sim.play(sim.solve(game, "subgame_perfect"))
    history = paths.histories(2)
    assert len(history) == 1
    made = {step.move for step in history[0].steps if step.player != "chance"}
    assert made
    assert not any("fight" in move or move.startswith("stay") for move in made), made
