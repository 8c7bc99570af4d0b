"""Exact paths: outcomes against enumeration of histories, first passages, likely histories."""

import numpy as np
import pytest
from hypothesis import assume, given, settings

import sim
from sim.errors import NoAnswerError, OptionError
from sim.testing import games


def told(paths, history):
    """The state at the start and at the end of each round played, and the moves made."""
    game = paths.game
    codec = game.origin.codec
    start = codec.state(int(game.graph.node_key[game.graph.roots[0]]))
    states, made = [start], set()
    for step in history.steps:
        while len(states) <= step.round - game.origin.first + 1:
            states.append(states[-1])
        states[step.round - game.origin.first + 1] = codec.state(
            int(game.graph.node_key[game.graph.edge_dst[step.edge]])
        )
        if step.player != "chance":
            made.add(step.move.split("/")[0])
    graph = game.graph
    last = int(graph.edge_dst[history.steps[-1].edge])
    while len(graph.edges_of(last)):  # rounds that end in silence
        last = int(graph.edge_dst[graph.edges_of(last)[0]])
    played = int(graph.layer_round[graph.layer_of(last)]) - game.origin.first + 1
    while len(states) <= played:
        states.append(states[-1])
    return states[: played + 1], made


ANSWERS = {
    "ever_x": lambda states, _: any(s["x"] > 0 for s in states),
    "most": lambda states, _: max(s["x"] for s in states),
    "counted": lambda states, _: sum(s["x"] > 0 for s in states[1:]),
    "both": lambda states, made: "go_a" in made and states[-1]["x"] == 0,
}


@settings(max_examples=40)
@given(games())
def test_outcomes_equal_those_of_enumerated_histories(game):
    paths = sim.play(sim.solve(game, "quantal_response", precision=0.3))
    histories = paths.histories(1000)
    if len(histories) == 1000 or not all(one.steps for one in histories):
        return
    assert histories
    assert sum(one.probability for one in histories) == pytest.approx(1.0)
    expected = dict.fromkeys(ANSWERS, 0.0)
    never = 0.0
    for one in histories:
        states, made = told(paths, one)
        for name, answer in ANSWERS.items():
            expected[name] += one.probability * answer(states, made)
        never += one.probability * all(s["x"] == 0 for s in states)
    for name, value in expected.items():
        assert paths.outcome(name)[0] == pytest.approx(float(value), abs=1e-9), name
    assert paths.distribution("when").never[0] == pytest.approx(never, abs=1e-9)
    assert paths.distribution("when").probability.sum() == pytest.approx(1.0)


@settings(max_examples=30)
@given(games())
def test_trajectories_and_first_passages_are_coherent(game):
    paths = sim.play(sim.solve(game, "quantal_response"))
    shares, passage = paths.trajectory("x"), paths.first_passage("x")
    np.testing.assert_allclose(shares.sum(axis=2), 1.0)
    assert (np.diff(passage, axis=1) >= -1e-12).all()
    assert (np.diff(passage, axis=2) <= 1e-12).all()
    at_least = np.cumsum(shares[:, :, ::-1], axis=2)[:, :, ::-1]
    assert (passage >= at_least - 1e-12).all()


@settings(max_examples=30)
@given(games())
def test_conditioning_on_a_move_is_bayes(game):
    """P(outcome | played) from enumerated histories."""
    paths = sim.play(sim.solve(game, "quantal_response", precision=0.3))
    histories = paths.histories(1000)
    assume(len(histories) < 1000)
    assume(all(one.steps for one in histories))
    left = [one for one in histories if "go_a" in told(paths, one)[1]]
    assume(left)
    total = sum(one.probability for one in left)
    for name, answer in ANSWERS.items():
        expected = sum(one.probability * answer(*told(paths, one)) for one in left) / total
        assert paths.given(name, "go_a")[0] == pytest.approx(float(expected), abs=1e-9)


def test_conditioning_needs_a_move_that_is_played():
    game = sim.compile(sim.load(sim.template()))
    with pytest.raises(OptionError, match="probability 0"):
        sim.play(sim.solve(game, "subgame_perfect")).given("war", "push")
    with pytest.raises(OptionError, match="did you mean 'push'"):
        sim.play(sim.solve(game, "quantal_response")).given("war", "pusch")


def test_likeliest_histories_come_first_and_are_exact(root):
    paths = sim.play(
        sim.solve(sim.compile(sim.load(root / "scenarios" / "centipede_6.toml")), "quantal_response", precision=1.0)
    )
    found = paths.histories(100)
    assert len(found) == 7
    assert [one.probability for one in found] == sorted((one.probability for one in found), reverse=True)
    assert sum(one.probability for one in found) == pytest.approx(1.0)
    for one in found:
        assert one.probability == pytest.approx(float(np.prod([step.probability for step in one.steps])))
    assert paths.histories(2) == found[:2]


def test_only_certified_solutions_are_played():
    from dataclasses import replace

    from sim.kinds import Status

    solution = sim.solve(sim.compile(sim.load(sim.template())), "subgame_perfect")
    with pytest.raises(NoAnswerError, match="no certified answer"):
        sim.play(replace(solution, status=Status.NOT_CERTIFIED))


def test_unknown_names_teach():
    paths = sim.play(sim.solve(sim.compile(sim.load(sim.template())), "subgame_perfect"))
    with pytest.raises(OptionError, match="did you mean 'war'"):
        paths.outcome("wars")
    with pytest.raises(OptionError, match="did you mean 'rung'"):
        paths.trajectory("rungs")
    with pytest.raises(OptionError, match="1 to"):
        paths.histories(0)


@settings(max_examples=15)
@given(games())
def test_seeded_sampling_agrees_with_the_exact_pass(game):
    """A third method for one number: sampled plays stay within five standard errors."""
    solution = sim.solve(game, "quantal_response", precision=0.3)
    exact = float(sim.play(solution).outcome("ever_x")[0])
    rng = np.random.default_rng(7)
    graph, codec = game.graph, game.origin.codec
    count, hits = 400, 0
    for _ in range(count):
        node, seen = int(graph.roots[0]), codec.state(int(graph.node_key[graph.roots[0]]))["x"] > 0
        while len(graph.edges_of(node)):
            edges = np.asarray(graph.edges_of(node))
            share = solution.profile[0, edges]
            node = int(graph.edge_dst[rng.choice(edges, p=share / share.sum())])
            if graph.layer_boundary[graph.layer_of(node)]:
                seen |= codec.state(int(graph.node_key[node]))["x"] > 0
        hits += seen
    assert abs(hits / count - exact) <= 5 * np.sqrt(max(exact * (1 - exact), 1 / count) / count)


def test_a_question_without_an_answer_is_refused_with_its_state():
    from sim.analysis.check import check
    from sim.errors import ScenarioError
    from sim.scenario.load import loads

    text = (
        sim.template()
        .read_text(encoding="utf-8")
        .replace("[outcomes]\n", '[outcomes]\nodd = "max_over(1 / (rung - crisis))"\n')
    )
    with pytest.raises(ScenarioError, match=r"odd.*rung=crisis"):
        check(loads(text))


@pytest.mark.parametrize(
    "question", ["1 / count(rung == war)", "first(rung == war) + 1", "sum_over(rung) / count(rung == war)"]
)
def test_combinations_without_a_value_on_some_path_are_refused(question):
    from sim.errors import ScenarioError
    from sim.scenario.load import loads

    text = sim.template().read_text(encoding="utf-8").replace("[outcomes]\n", f'[outcomes]\nodd = "{question}"\n')
    paths = sim.play(sim.solve(sim.compile(loads(text)), "quantal_response"))
    with pytest.raises(ScenarioError, match=r"odd .* no value on some paths"):
        paths.outcome("odd")


def test_constant_outcomes_are_warned_of_and_others_are_not():
    from sim.analysis.check import check
    from sim.scenario.load import loads

    text = sim.template().read_text(encoding="utf-8")
    asked = {
        "same": "count(round >= 1)",
        "never": "ever(rung > war)",
        "moves": "final(rung) - rung.crisis",
        "sure": "final(rung) >= 0",
    }
    lines = "".join(f'{name} = "{question}"\n' for name, question in asked.items())
    warned = {problem.place for problem in check(loads(text.replace("[outcomes]\n", "[outcomes]\n" + lines)))[1]}
    assert warned == {"outcomes.same", "outcomes.never", "outcomes.sure"}
    ending = text.replace("rounds = 1", "rounds = 2").replace(
        'effects = { rung = "war" }', 'effects = { rung = "war" }\nends = true'
    )
    found = {problem.place for problem in check(loads(ending.replace("[outcomes]\n", "[outcomes]\n" + lines)))[1]}
    assert "outcomes.same" not in found
