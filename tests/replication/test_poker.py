"""Poker as games with private types: published values of zero-sum games, which every equilibrium has."""

import numpy as np
import pytest

import sim
from sim.construct.gambit import tree_of
from sim.scenario.load import loads

STRIPPED = """
title  = "Stripped-down poker"
note   = "Reiley, Urbancic & Walker (2008), Journal of Economic Education 39: 323-341."
rounds = 1
[players.alice]
[players.bob]
[private.card]
known_to = "alice"
values   = { king = 0.5, queen = 0.5 }
[state.bet]
flag  = true
start = false
[[turns]]
player = "alice"
[[turns]]
player = "bob"
[moves.raise_stake]
player  = "alice"
effects = { bet = true }
[moves.fold]
player = "alice"
ends   = true
pays   = { alice = -1, bob = 1 }
[moves.call]
player = "bob"
pays   = { alice = "2 if card == king else -2", bob = "-2 if card == king else 2" }
[moves.give_up]
player = "bob"
pays   = { alice = 1, bob = -1 }
[outcomes]
raised = "ever(bet)"
"""

WINS = "(1 if mine == king or mine == queen and theirs == jack else -1)"
KUHN = f"""
title  = "Kuhn's poker: three cards, ante and bet of one"
note   = "Kuhn (1950): the value is -1/18 to the first player."
rounds = 1
[players.one]
[players.two]
[private.mine]
known_to = "one"
values   = ["jack", "queen", "king"]
[private.theirs]
known_to = "two"
values   = ["jack", "queen", "king"]
[state.play]
values = ["start", "checked", "bet", "check_bet", "over"]
start  = "start"
[[turns]]
player = "one"
[[turns]]
player = "two"
[[turns]]
player = "one"
[moves.check]
player  = "one"
when    = "play == start"
effects = {{ play = "checked" }}
[moves.bet]
player  = "one"
when    = "play == start"
effects = {{ play = "bet" }}
[moves.check_too]
player = "two"
when   = "play == checked"
ends   = true
pays   = {{ one = "{WINS}", two = "-{WINS}" }}
[moves.bet_after]
player  = "two"
when    = "play == checked"
effects = {{ play = "check_bet" }}
[moves.call]
player = ["one", "two"]
when   = "mover == two and play == bet or mover == one and play == check_bet"
ends   = true
pays   = {{ one = "2 * {WINS}", two = "-2 * {WINS}" }}
[moves.fold]
player = ["one", "two"]
when   = "mover == two and play == bet or mover == one and play == check_bet"
ends   = true
pays   = {{ one = "-1 if mover == one else 1", two = "1 if mover == one else -1" }}
[outcomes]
bets = "played(bet)"
""" + "".join(
    f'[[prior]]\ntypes = {{ mine = "{one}", theirs = "{two}" }}\nprobability = "1 / 6"\n'
    for one in ("jack", "queen", "king")
    for two in ("jack", "queen", "king")
    if one != two
)


def test_stripped_down_poker():
    """A king always bets, a queen bluffs one time in three, the other calls two times in three; the game is worth 1/3."""
    solution = sim.solve(sim.compile(loads(STRIPPED, "stripped.toml")), "perfect_bayesian", starts=0)
    assert solution.status.certified
    assert solution.refinement == ("sequential (logit trembles)",)
    np.testing.assert_allclose(solution.values[0], [1 / 3, -1 / 3], atol=1e-9)
    graph = solution.game.graph
    named = {graph.labels[graph.edge_label[e]].text: e for e in range(graph.edge_count)}
    assert solution.assessment.profile[0, :, named["raise_stake"]] == pytest.approx([1.0, 1 / 3], abs=1e-8)
    assert solution.profile[0, named["call"]] == pytest.approx(2 / 3, abs=1e-8)


def test_kuhns_poker():
    """Two players who each hold one of three cards, not the same: types from a joint table; every equilibrium is worth -1/18."""
    game = sim.compile(loads(KUHN, "kuhn.toml"))
    assert not game.types.independent
    assert game.types.lanes == 9
    assert np.count_nonzero(game.types.prior[0]) == 6
    solution = sim.solve(game, "perfect_bayesian", starts=2)
    assert solution.status.certified
    for one in (solution, *solution.others):
        np.testing.assert_allclose(one.values[0], [-1 / 18, 1 / 18], atol=1e-6)
    assert tree_of(game).node_count > 9 * 5
