"""Other programs must agree: OpenSpiel's reader with a ten-line recursion, and Gambit's logit in behaviour form."""

import numpy as np
import pytest
from conftest import needs
from hypothesis import assume, given, settings

import sim
from sim.construct.gambit import to_efg, tree_size
from sim.errors import OptionError
from sim.testing import scenarios

SMALL = ["centipede_4", "centipede_6", "unilateral_deterrence", "asymmetric_escalation", "signorino", "audience_costs"]


def recursion(state, spans):
    """Backward induction on OpenSpiel's tree, in present values; the first of the best, within the tolerance of ties."""
    if state.is_terminal():
        return np.array(state.returns())
    if state.is_chance_node():
        return sum(p * recursion(state.child(action), spans) for action, p in state.chance_outcomes())
    mover = state.current_player()
    values = [recursion(state.child(action), spans) for action in state.legal_actions()]
    best = max(value[mover] for value in values)
    return next(value for value in values if value[mover] >= best - 1e-9 * spans[mover])


@pytest.mark.oracle
@needs("pyspiel")
@pytest.mark.parametrize("name", SMALL)
def test_open_spiel_reads_our_trees_and_finds_our_values(name, root):
    import pyspiel

    game = sim.compile(sim.load(root / "scenarios" / f"{name}.toml"))
    tree = pyspiel.load_efg_game(to_efg(game))
    assert tree.num_players() == len(game.graph.players)
    solution = sim.solve(game, "subgame_perfect", ties="first")
    found = recursion(tree.new_initial_state(), game.numbers.span[0])
    np.testing.assert_allclose(found, solution.values[0], rtol=1e-9, atol=1e-9)


@pytest.mark.oracle
@needs("pyspiel")
def test_open_spiel_agrees_on_random_scenarios():
    import pyspiel

    @settings(max_examples=25)
    @given(scenarios(beliefs=False))
    def agree(scenario):
        game = sim.compile(scenario, {"p": 0.25})  # OpenSpiel refuses outcomes of probability 0
        assume(tree_size(game) <= 2000)
        tree = pyspiel.load_efg_game(to_efg(game))
        solution = sim.solve(game, "subgame_perfect", ties="first")
        found = recursion(tree.new_initial_state(), game.numbers.span[0])
        np.testing.assert_allclose(found, solution.values[0], rtol=1e-7, atol=1e-7)

    agree()  # Hypothesis fails when too few trees are small enough


@pytest.mark.oracle
@needs("pygambit")
@pytest.mark.parametrize("name", ["centipede_4", "unilateral_deterrence", "signorino"])
@pytest.mark.parametrize("precision", [0.5, 1.0, 3.0])
def test_gambit_logit_in_behaviour_form_agrees(name, precision, root):
    import io

    import pygambit

    game = sim.compile(sim.load(root / "scenarios" / f"{name}.toml"))
    assert (game.numbers.discount == 1).all()
    tree = pygambit.read_efg(io.BytesIO(to_efg(game).encode()))
    branch = pygambit.qre.logit_solve_lambda(tree, lam=[precision], use_strategic=False)
    assert len(branch) == 1
    assert branch[0].lam == pytest.approx(precision, abs=1e-6)
    solution = sim.solve(game, "quantal_response", precision=precision)
    ours = {player: [] for player in game.graph.players}
    graph = game.graph
    stack = [int(graph.roots[0])]
    while stack:  # the order of the export: information sets are numbered as they appear
        edges = graph.edges_of(stack.pop())
        labels = [graph.labels[graph.edge_label[edge]] for edge in edges]
        if labels:
            found = {label.text: float(solution.profile[0, edge]) for label, edge in zip(labels, edges, strict=True)}
            ours[labels[0].player].append(found)
        stack += [int(graph.edge_dst[edge]) for edge in reversed(edges)]
    assert sum(map(len, ours.values())) >= 2
    for player, nodes in ours.items():
        theirs = list(branch[0].profile[player])
        assert len(theirs) == len(nodes)
        for mine, other in zip(nodes, theirs, strict=True):
            assert {label: float(other[1][label]) for label in mine} == pytest.approx(mine, abs=1e-6)


def test_large_trees_are_refused_with_their_count(root):
    game = sim.compile(sim.load(root / "scenarios" / "brinkmanship.toml"), rounds=40)
    with pytest.raises(OptionError, match=r"tree has [\d,]+ nodes"):
        to_efg(game)


def test_differing_beliefs_are_refused(rock_bottom):
    with pytest.raises(OptionError, match=r"nodes|believe"):
        to_efg(rock_bottom)


def test_tree_size_counts_the_lines_of_the_export():
    game = sim.compile(sim.load(sim.template()))
    lines = [line for line in to_efg(game).splitlines() if line[:2] in ("p ", "c ", "t ")]
    assert tree_size(game) == len(lines) > 1
