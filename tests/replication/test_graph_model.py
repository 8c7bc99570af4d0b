"""Published graph models: counts first, then the stable states.

States are numbered as in the program gmcr-py: the sum of 2^i over the options taken, in the order of ``OPTIONS``.
"""

import numpy as np
import pytest

import sim
from sim.analysis.stability import analyse
from sim.construct.conflict import graph_model
from sim.scenario.load import loads

OPTIONS = {
    "cuban_graph": ["air_strike", "blockade", "withdraw", "escalate"],
    "elmira": ["modify", "delay", "accept", "abandon", "insist"],
    "syria_iraq": ["release_water", "escalate", "attack"],
    "prisoners_dilemma_graph": ["one_cooperates", "two_cooperates"],
    "chicken_graph": ["a_swerves", "b_swerves"],
    "garrison": [
        ("project", "full"), ("project", "reduced"), ("project", "appease"), "legal_challenge", "treaty_challenge",
        ("recommendation", "full"), ("recommendation", "reduced"), ("recommendation", "lonetree"), ("recommendation", "suspend"),
    ],
}  # fmt: skip

LEGAL_GMR = [36, 41, 42, 52, 58, 68, 74, 84, 89, 90, 148, 153, 154, 276, 281]
SINGLE_GMR = [36, 41, 58, 74, 84, 89, 90, 148, 153, 154, 276, 281]
GARRISON = [36, 41, 74, 148, 153, 276, 281]

CASES = {
    # Fraser & Hipel (1983); options and priorities of Cuban.gmcr, air strike irreversible
    "cuban": ("cuban_graph", {}, "legal", 12, {"nash": [5], "gmr": [0, 1, 2, 4, 5, 6, 7], "smr": [0, 1, 2, 4, 5, 6, 7], "seq": [4, 5, 6]}),
    "cuban, strike reversible": ("cuban_graph", {"strike_final": 0}, "legal", 12, {"nash": [], "seq": [4, 6]}),
    # Hipel, Fang, Kilgour & Haight (1993), without merging
    "elmira, kept apart": (
        "elmira", {"abandoned_as_one": 0}, "legal", 12,
        {"nash": [8, 9, 18, 21, 24, 25], "seq": [8, 9, 18, 21, 24, 25], "gmr": [2, 5, 8, 9, 18, 21, 24, 25], "smr": [2, 5, 8, 9, 18, 21, 24, 25]},
    ),
    # SyriaIraq.gmcr and its stored solution
    "syria and iraq": ("syria_iraq", {}, "legal", 6, {"nash": [6], "gmr": [0, 6], "smr": [6], "seq": [6]}),
    # Prisoners.gmcr and its stored solution
    "prisoners' dilemma": ("prisoners_dilemma_graph", {}, "legal", 4, {"nash": [0], "gmr": [0, 3], "smr": [0, 3], "seq": [0, 3]}),
    # Fang, Hipel & Kilgour (1993), chapter 3
    "chicken": ("chicken_graph", {}, "legal", 4, {"nash": [1, 2], "gmr": [1, 2, 3], "smr": [1, 2, 3], "seq": [1, 2]}),
    # Garrison.gmcr: Nash and SEQ as stored; GMR and SMR differ by definition, and the stored set is that of single answers
    "garrison, sequences": ("garrison", {}, "legal", 23, {"nash": GARRISON, "seq": GARRISON, "gmr": LEGAL_GMR, "smr": LEGAL_GMR}),
    "garrison, single answers": ("garrison", {}, "single", 23, {"nash": GARRISON, "seq": GARRISON, "gmr": SINGLE_GMR, "smr": SINGLE_GMR}),
}  # fmt: skip


def number(model, state, options):
    """Number a state by its options."""
    values = model.origin.values(state)
    taken = [values[one] if isinstance(one, str) else values[one[0]] == one[1] for one in options]
    return sum(2**place for place, holds in enumerate(taken) if holds)


def scenario_of(root, name):
    return sim.load(root / "scenarios" / f"{name}.toml")


@pytest.mark.parametrize("case", CASES)
def test_stable_states(case, root):
    name, settings, sequences, count, expected = CASES[case]
    report = analyse(scenario_of(root, name), settings, sequences=sequences)
    model = report.model
    assert model.state_count == count
    assert report.verdict.searched == count
    assert expected
    for concept, states in expected.items():
        found = report.found.equilibria[concept]
        assert len(found) == len(states), concept
        assert sorted(number(model, int(state), OPTIONS[name]) for state in found) == states, concept


PUBLISHED = {2: 1, 3: 2, 4: 3, 5: 4, 18: 5, 19: 6, 20: 7, 21: 8}  # numbers of the literature; 9 is "abandoned"


def test_elmira_as_published(root):
    """Nine states; 5, 8 and 9 stable under all, 1 and 4 under GMR and SMR only; the ministry and Uniroyal jump from 5 to 8."""
    report = analyse(scenario_of(root, "elmira"), coalitions=[["moe", "uniroyal"]])
    model = report.model
    assert model.state_count == 9

    def shown(state):
        return 9 if model.label(state) == "abandoned" else PUBLISHED[number(model, state, OPTIONS["elmira"])]

    expected = {"nash": [5, 8, 9], "gmr": [1, 4, 5, 8, 9], "smr": [1, 4, 5, 8, 9], "seq": [5, 8, 9]}
    for concept, states in expected.items():
        found = report.found.equilibria[concept]
        assert len(found) == len(states)
        assert sorted(shown(int(state)) for state in found) == states, concept
    (jumps,) = report.jumps
    assert len(jumps.found) == 1
    assert [(shown(start), shown(route.target)) for start, route in jumps.found] == [(5, 8)]
    assert {step.player for step in jumps.found[0][1].steps} == {0, 1}
    assert shown(model.start) == 1
    lengths = {shown(way.target): way.moves and len(way.moves.steps) for way in report.ways}
    assert lengths == {1: 0, 4: 2, 5: 1, 8: 3, 9: 1}
    assert sorted(shown(way.target) for way in report.ways if way.improvements) == [1, 5]


RANKINGS = {
    "usa": [4, 6, 5, 7, 2, 1, 3, 0, 11, 9, 10, 8],
    "ussr": [0, 4, 6, 2, 5, 1, 7, 3, 11, 9, 10, 8],
}


def test_priorities_and_rankings_of_the_cuban_crisis_agree(root):
    """The example stores both: priorities, and the order that they give."""
    model = graph_model(scenario_of(root, "cuban_graph"))
    names = [number(model, state, OPTIONS["cuban_graph"]) for state in range(model.state_count)]
    for i, (player, order) in enumerate(RANKINGS.items()):
        assert model.players[i] == player
        assert len(order) == len(names) == 12
        assert [names[state] for state in np.argsort(-model.rank[i], kind="stable")] == order


def test_the_same_order_written_as_a_ranking(root):
    """A ranking of single states, best first, gives the equilibria that the priorities give."""
    text = (root / "scenarios" / "cuban_graph.toml").read_text(encoding="utf-8")
    options = OPTIONS["cuban_graph"]
    head, tail = text.split("[payoffs.usa]")[0], "[outcomes]" + text.split("[outcomes]")[1]
    written = ""
    for player, order in RANKINGS.items():
        conditions = [
            " and ".join(name if state >> place & 1 else f"not {name}" for place, name in enumerate(options))
            for state in order
        ]
        written += f"[payoffs.{player}]\nranking = {conditions!r}\n"
    first = analyse(scenario_of(root, "cuban_graph")).found
    second = analyse(loads(head + written + tail)).found
    assert first.stable.any()
    np.testing.assert_array_equal(first.stable, second.stable)


def test_garrison_needs_its_definition():
    """Three states are deterred by a sequence of answers and by no single one."""
    assert set(SINGLE_GMR) < set(LEGAL_GMR)
    assert set(LEGAL_GMR) - set(SINGLE_GMR) == {42, 52, 68}


MATRIX = {  # Brams (1994): (start, first mover, survivor, whether play leaves the start); rows and columns from 0
    "theory_of_moves_cuban": [
        ((0, 1), 0, (1, 0), True), ((0, 1), 1, (0, 1), False), ((0, 0), 0, (0, 0), False),
        ((0, 0), 1, (0, 0), False), ((1, 1), 1, (0, 0), True), ((1, 0), 0, (0, 0), True),
    ],
    "theory_of_moves_prisoners": [
        ((0, 0), 0, (0, 0), False), ((0, 0), 1, (0, 0), False), ((1, 1), 0, (1, 1), False), ((1, 1), 1, (1, 1), False),
    ],
}  # fmt: skip
CELLS = {
    "theory_of_moves_cuban": ("strike_at_first", "withdrawn_at_first", "strike", "withdrawn", 1),
    "theory_of_moves_prisoners": ("one_defects_at_first", "two_defects_at_first", "one_defects", "two_defects", 0),
}


@pytest.mark.parametrize("name", MATRIX)
def test_theory_of_moves(name, root):
    """Backward induction from each cell over at most four moves, staying where moving gains nothing.

    In the Cuban game Brams reaches 3 to each from blockade and maintenance only by his rule of two-sidedness; plain backward induction with the
    United States first ends in 2 to each.
    """
    row, column, row_state, column_state, flipped = CELLS[name]
    scenario = scenario_of(root, name)
    assert len(MATRIX[name]) in (4, 6)
    for start, first, survivor, moves in MATRIX[name]:
        settings = {row: start[0], column: start[1] ^ flipped, "first_mover": scenario.player_ids[first]}
        paths = sim.play(sim.solve(sim.compile(scenario, settings), ties="first"))
        (history,) = paths.histories(2)
        last = history.steps[-1].state
        assert (int(last[row_state]), int(last[column_state]) ^ flipped) == survivor, (start, first)
        assert float(paths.outcome("moved")[0]) == float(moves), (start, first)
