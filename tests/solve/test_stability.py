"""Stability: laws on random graph models, a second method straight from the definitions, and a referee that finds broken claims."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sim
from sim.analysis.stability import Search, analyse, find_state, jumps, ways
from sim.cli import main
from sim.construct.conflict import graph_model, ranks
from sim.errors import OptionError, ScenarioError
from sim.game.conflict import CONCEPTS, Sanctions, make_model, reason
from sim.game.verdict import verify
from sim.scenario.load import loads
from sim.solve.stability import Options, solve

NASH, GMR, SMR, SEQ = range(4)


@st.composite
def models(draw, most_players=4, most_states=9):
    """Draw a graph model: one to four players, ties, moves that need not be reversible."""
    players = draw(st.integers(1, most_players))
    size = draw(st.integers(1, most_states))
    rank = draw(st.lists(st.lists(st.integers(0, 4), min_size=size, max_size=size), min_size=players, max_size=players))
    pair = st.tuples(st.integers(0, size - 1), st.integers(0, size - 1))
    moves = [draw(st.lists(pair, max_size=2 * size)) for _ in range(players)]
    return make_model([f"p{i}" for i in range(players)], rank, moves)


def sequences_from(model, state, members, rule, *, improving):
    """List every state that legal sequences reach, by growing the set of (state, last mover) until nothing is new."""
    known = set()
    frontier = {(state, None)}
    while frontier:
        grown = set()
        for here, last in frontier:
            for member in members:
                if member == last or (rule == "single" and last is not None):
                    continue
                for target in model.moves(member, here):
                    if not improving or model.rank[member][target] > model.rank[member][here]:
                        grown.add((int(target), member))
        frontier = grown - known
        known |= grown
    return {there for there, _ in known}


def by_definition(model, rule):
    """Stability straight from the definitions, shape (c, i, s)."""
    count = len(model.players)
    out = np.ones((4, count, model.state_count), dtype=bool)
    for i in range(count):
        rank, others = model.rank[i], [j for j in range(count) if j != i]
        for state in range(model.state_count):
            for target in model.moves(i, state):
                if rank[target] <= rank[state]:
                    continue
                free = sequences_from(model, int(target), others, rule, improving=False)
                better = sequences_from(model, int(target), others, rule, improving=True)
                bad = {there for there in free if rank[there] <= rank[state]}
                stuck = {there for there in bad if all(rank[on] <= rank[state] for on in model.moves(i, there))}
                out[NASH, i, state] = False
                out[GMR, i, state] &= bool(bad)
                out[SMR, i, state] &= bool(stuck)
                out[SEQ, i, state] &= any(rank[there] <= rank[state] for there in better)
    return out


@given(models(), st.sampled_from(["legal", "single"]))
@settings(max_examples=150)
def test_the_definitions_agree(model, rule):
    found = solve(model, Options(sequences=rule))
    expected = by_definition(model, rule)
    assert found.stable.shape == expected.shape
    np.testing.assert_array_equal(found.stable, expected)
    verdict = verify(found)
    assert verdict.certified
    assert verdict.proved == verdict.searched == model.state_count


@given(models(), st.sampled_from(["legal", "single"]))
def test_the_concepts_are_nested(model, rule):
    """Nash implies SEQ and SMR, and each of these implies GMR (Fang, Hipel & Kilgour 1993, section 3.4)."""
    stable = solve(model, Options(sequences=rule)).stable
    assert (stable[NASH] <= stable[SEQ]).all()
    assert (stable[NASH] <= stable[SMR]).all()
    assert (stable[SEQ] <= stable[GMR]).all()
    assert (stable[SMR] <= stable[GMR]).all()


@given(models())
def test_longer_answers_deter_no_less(model):
    single, legal = (solve(model, Options(sequences=rule)).stable for rule in ("single", "legal"))
    assert (single <= legal).all()
    if len(model.players) <= 2:
        np.testing.assert_array_equal(single, legal)


@given(models(), st.randoms(use_true_random=False))
def test_relabelling_changes_nothing(model, random):
    players, states = list(range(len(model.players))), list(range(model.state_count))
    random.shuffle(players)
    random.shuffle(states)
    place = np.argsort(states)
    pairs = [
        np.stack([place[model.sources(i)], place[model.move_to[i]]], axis=1) if len(model.move_to[i]) else []
        for i in players
    ]
    other = make_model([model.players[i] for i in players], model.rank[np.ix_(players, states)], pairs)
    np.testing.assert_array_equal(solve(other).stable, solve(model).stable[:, players][:, :, states])


@given(models(), st.integers(1, 5))
def test_only_the_order_counts(model, power):
    changed = replace(model, rank=(np.asarray(model.rank) ** power * 3 + np.asarray(model.rank) - 7).astype(np.int32))
    np.testing.assert_array_equal(solve(changed).stable, solve(model).stable)


@given(models(most_players=3))
def test_reasons_are_what_they_claim(model):
    """Each answer is a legal sequence to a state that deters; where some improvement has none, the state is unstable."""
    found = solve(model)
    for concept in CONCEPTS:
        for i in range(len(model.players)):
            for state in range(model.state_count):
                given_reasons = reason(found, concept, i, state)
                stable = found.stable[CONCEPTS.index(concept), i, state]
                assert stable == all(answer for _, answer in given_reasons)
                for step, answer in given_reasons:
                    assert model.rank[i][step.state] > model.rank[i][state]
                    here, last = step.state, i
                    for move in answer:
                        assert move.player not in (i, last)
                        assert move.state in model.moves(move.player, here)
                        if concept == "seq":
                            assert model.rank[move.player][move.state] > model.rank[move.player][here]
                        here, last = move.state, move.player
                    assert not answer or model.rank[i][here] <= model.rank[i][state]


@given(models(), st.data())
def test_searches_find_shortest_legal_ways(model, data):
    origin = data.draw(st.integers(0, model.state_count - 1))
    improving = data.draw(st.booleans())
    members = list(range(len(model.players)))
    search = Search(model, origin, members, improving=improving)
    assert set(search.reached.tolist()) == sequences_from(model, origin, members, "legal", improving=improving)
    for target in range(model.state_count):
        route = search.route(target)
        assert (route is None) == (target != origin and target not in search.reached)
        if route is None:
            continue
        assert route.count >= 1
        here, last = origin, None
        for step in route.steps:
            assert step.player != last
            assert step.state in model.moves(step.player, here)
            here, last = step.state, step.player
        assert here == target
        assert (len(route.steps) == 0) == (target == origin)


def garrison():
    return graph_model(sim.load("scenarios/garrison.toml"))


@pytest.fixture(autouse=True)
def at_the_top(monkeypatch, root):
    monkeypatch.chdir(root)


def broken(found, concept, player, **changes):
    """Change a claim about one player."""
    claim = found.sanctions[concept][player]
    arrays = {name: np.array(getattr(claim, name)) for name in ("worst", "steps")}
    for name, (where, value) in changes.items():
        arrays[name][where] = value
    claims = list(found.sanctions[concept])
    claims[player] = Sanctions(**arrays)
    return replace(found, sanctions={**found.sanctions, concept: tuple(claims)})


def test_broken_claims_are_detected():
    found = solve(garrison())
    assert verify(found).certified
    for c, concept in enumerate(CONCEPTS):
        for player in range(4):
            stable = np.array(found.stable)
            stable[c, player, 7] ^= True
            mistakes = verify(replace(found, stable=stable)).mistakes
            assert mistakes, (concept, player)
            assert concept in mistakes[0]
    state = int(np.flatnonzero(found.sanctions["gmr"][0].worst[4] < 10)[0])
    level = int(found.sanctions["gmr"][0].worst[4, state])
    for changes in (
        {"worst": ((4, state), level + 1)},
        {"worst": ((4, state), level - 1)},
        {"steps": ((4, state), 9)},
    ):
        assert not verify(broken(found, "gmr", 0, **changes), work=0).certified, changes


def test_the_definition_is_named_and_checked():
    with pytest.raises(OptionError, match="legal, single"):
        solve(garrison(), Options(sequences="any"))
    assert verify(solve(garrison(), Options(sequences="single"))).certified


def test_ties_are_ranks():
    values = np.array([0.0, 1.0, 1.0 + 1e-12, 2.0, 1e3])
    assert ranks(values, exact=False).tolist() == [0, 1, 1, 2, 3]
    assert ranks(values, exact=True).tolist() == [0, 1, 2, 3, 4]
    assert ranks(np.zeros(3), exact=False).tolist() == [0, 0, 0]


BASE = """
title = "test"
[players.a]
[players.b]
[assumptions.w]
value = 1
[state.x]
range = [0, 2]
start = 0
[state.y]
flag = true
start = false
[state.z]
range = [0, 1]
start = 0
[graph]
variables = ["x", "y"]
[[turns]]
player = "a"
[[turns]]
player = "b"
[moves.up]
player = "a"
when = "x < 2"
effects = { x = "x + 1" }
[moves.down]
player = "a"
when = "x > 0"
effects = { x = "x - 1" }
[moves.turn]
player = "b"
effects = { y = "not y" }
[moves.rest]
player = ["a", "b"]
[payoffs.a]
each_round = "w * x - 2 * y"
[payoffs.b]
each_round = "(x == 1) + z"
[outcomes]
end = "final(x)"
"""


def test_all_feasible_states_are_there():
    model = graph_model(loads(BASE))
    assert model.state_count == 6
    assert model.label(0) == "x=0"
    assert model.label(5) == "x=2, y"
    assert model.move_count == 8 + 6
    assert model.start == 0
    forbidden = graph_model(loads(BASE.replace('title = "test"', 'title = "test"\nforbid = ["x == 1 and y"]')))
    assert forbidden.state_count == 5
    assert forbidden.move_count == 4 + 4


MISTAKES = {
    "graph-clock": [('when = "x < 2"', 'when = "x < 2 and round == 1"'), ('"w * x - 2 * y"', '"w * x * round - 2 * y"')],
    "graph-uncertain": [('effects = { y = "not y" }', "outcomes = [{ probability = 1, effects = { y = true } }]")],
    "graph-variable": [('effects = { y = "not y" }', 'effects = { y = "not y", z = 1 }')],
    "effect-range": [('when = "x < 2"\n', "")],
    "graph-merge": [('variables = ["x", "y"]', 'variables = ["x", "y"]\nmerge = { m = "x > 0" }'),
                    ('variables = ["x", "y"]', 'variables = ["x", "y"]\nmerge = { m = "x > 5" }'),
                    ('variables = ["x", "y"]', 'variables = ["x", "y"]\nmerge = { m = "x == 0 and y", n = "y and x == 0" }')],
    "division-by-zero": [('"w * x - 2 * y"', '"w / x"')],
    "forbidden": [('title = "test"', 'title = "test"\nforbid = ["x >= 0"]')],
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "old", "new"), [(kind, *change) for kind, changes in MISTAKES.items() for change in changes]
)
def test_what_is_no_graph_model_says_so(kind, old, new):
    assert BASE.count(old) == 1
    with pytest.raises(ScenarioError) as caught:
        graph_model(loads(BASE.replace(old, new), "base.toml"))
    (problem,) = caught.value.problems
    assert problem.kind == kind
    assert problem.line > 0


def test_moves_may_be_left_out_and_variables_clipped():
    uncertain = BASE.replace('effects = { y = "not y" }', "outcomes = [{ probability = 1, effects = { y = true } }]")
    assert graph_model(loads(uncertain), remove=["turn"]).move_count == 8
    with pytest.raises(OptionError, match="did you mean 'turn'"):
        graph_model(loads(uncertain), remove=["turm"])
    clipped = BASE.replace('when = "x < 2"\n', "").replace("range = [0, 2]", "range = [0, 2]\nclip = true")
    assert graph_model(loads(clipped)).move_count == 14
    with pytest.raises(OptionError, match="several values"):
        graph_model(loads(BASE), {"w": [1, 2]})
    with pytest.raises(ScenarioError, match="multiply to 6 states"):
        graph_model(loads(BASE), state_limit=5)
    with pytest.raises(ScenarioError, match="more than 3 moves"):
        graph_model(loads(BASE), move_limit=3)


def test_merged_states_move_together():
    text = BASE.replace('variables = ["x", "y"]', 'variables = ["x", "y"]\nmerge = { low = "x == 0" }')
    model = graph_model(loads(text.replace("w * x - 2 * y", "w * x")))
    assert model.state_count == 5
    low = find_state(model, "low")
    assert model.origin.values(low) == {"x": 0, "y": None}
    assert model.start == low
    assert model.moves(0, low).tolist() == sorted([find_state(model, "x=1, y=false"), find_state(model, "x=1, y=true")])
    assert model.moves(1, low).tolist() == []


def test_coalitions_and_states_are_named():
    scenario = sim.load("scenarios/elmira.toml")
    with pytest.raises(OptionError, match="did you mean 'moe'"):
        analyse(scenario, coalitions=[["mo", "uniroyal"]])
    with pytest.raises(OptionError, match="two or more"):
        analyse(scenario, coalitions=[["moe", "moe"]])
    model = graph_model(scenario)
    with pytest.raises(OptionError, match="did you mean 'accept'"):
        find_state(model, "accpt")
    with pytest.raises(OptionError, match="fits 4 states"):
        find_state(model, "modify=true")
    chosen = jumps(model, [0, 1], range(model.state_count))
    assert chosen.examined == 9
    assert len(ways(model, [model.start])[0].moves.steps) == 0


def test_the_command_answers_in_json(monkeypatch, capsys):
    import json

    monkeypatch.setattr("sys.argv", ["sim", "stability", "scenarios/elmira.toml", "--json", "--coalition", "moe,uniroyal", "--why", "delay"])  # fmt: skip
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 0
    data = json.loads(capsys.readouterr().out)
    assert len(data["states"]) == 9
    assert set(data["states"][0]) == {"label", "variables", *CONCEPTS}
    labels = [state["label"] for state in data["states"]]
    assert len(set(labels)) == 9
    for concept in CONCEPTS:
        whole = [state["label"] for state in data["states"] if len(state[concept]) == 3]
        assert whole
        assert data["equilibria"][concept] == whole
    assert [(one["from"], one["to"]) for one in data["coalitions"][0]["improvements"]] == [("delay, insist", "modify, accept, insist")]  # fmt: skip
    assert data["status_quo"]["state"] == "delay"
    assert len(data["status_quo"]["ways"]) == 5
    assert data["why"]["delay"]["town"]["seq"] == [{"improvement": "delay, insist", "move": "demand/insist=true", "answer": []}]  # fmt: skip


def test_ordinary_concepts_take_ordinal_payoffs_as_amounts():
    game = sim.compile(sim.load("scenarios/prisoners_dilemma_graph.toml"), rounds=1)
    assert sim.solve(game).values[0].tolist() == [1.0, 1.0]  # both defect: third of four in either ranking


EXPERIMENT = """
title = "test"
question = "How many equilibria?"
scenario = "crisis.toml"
[vary]
strike_final = [0, 1]
[measures.nash]
equilibria = "not escalate"
under = "nash"
[measures.sequential]
equilibria = "withdraw and not escalate"
"""


def test_an_experiment_counts_equilibria(tmp_path):
    from sim.analysis.experiment import run_plan
    from sim.analysis.plan import read_experiment
    from sim.errors import ExperimentError

    text = Path("scenarios/cuban_graph.toml").read_text(encoding="utf-8")
    (tmp_path / "crisis.toml").write_text(text, encoding="utf-8")
    file = tmp_path / "count.toml"
    file.write_text(EXPERIMENT, encoding="utf-8")
    data = run_plan(read_experiment(file))
    assert data["nash"].values.tolist() == [[[0.0, 1.0]]]
    assert data["sequential"].values.tolist() == [[[2.0, 3.0]]]
    file.write_text(EXPERIMENT.replace("not escalate", "not escalat"), encoding="utf-8")
    with pytest.raises(ExperimentError, match="did you mean 'escalate'") as caught:
        read_experiment(file)
    assert len(caught.value.problems) == 2
    file.write_text(EXPERIMENT.replace('under = "nash"', "likelihood = true"), encoding="utf-8")
    with pytest.raises(ExperimentError, match="asks several things"):
        read_experiment(file)


def with_priorities(count):
    """Write the base with so many priorities, the last of which tells states apart that all others do not."""
    statements = ["x >= 0"] * (count - 1) + ["y"]
    return BASE.replace('each_round = "(x == 1) + z"', f"priorities = {statements!r}")


def test_many_priorities_are_exact_or_refused():
    model = graph_model(loads(with_priorities(53)))
    assert [model.rank[1][find_state(model, label)] for label in ("x=0", "x=0, y")] == [0, 1]
    with pytest.raises(ScenarioError, match="54 priorities; expected at most 53"):
        loads(with_priorities(54))


def test_an_order_is_told_as_one():
    from sim.present.describe import describe

    told = "\n".join(describe(sim.load("scenarios/elmira.toml")))
    assert "orders the states by ranking" in told
    assert "  8: accept and not modify and insist" in told
    assert "takes the numbers as amounts" in told
    assert "abandoned is one state" in told
    assert "  256: withdraw" in "\n".join(describe(sim.load("scenarios/cuban_graph.toml")))
