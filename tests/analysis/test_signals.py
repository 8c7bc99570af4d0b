"""What choices tell and what knowing is worth: published numbers, laws, and sender–receiver games answered whole."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sender_receiver_games import scenario

import sim
from sim.analysis.knowledge import knowledge
from sim.analysis.moves import moves_at
from sim.analysis.reasons import reasons
from sim.analysis.signals import signal_at
from sim.errors import OptionError
from sim.game.assessment import measure_assessment, sight
from sim.game.graph import SIMULTANEOUS
from sim.scenario.load import loads
from sim.solve.sender_receiver import answered, sender_receiver, signalling_game
from sim.testing import scenarios

GAIN = 1e-9


def solve(name, concept="perfect_bayesian", options=None, **more):
    return sim.solve(sim.compile(sim.load(f"scenarios/{name}.toml"), more), concept, **(options or {}))


# -- published --------------------------------------------------------------------------------------------------------


def test_beer_or_quiche():
    """Cho & Kreps (1987): both breakfasts may be pooled on; only beer is intuitive, for at quiche the surly gain by beer and the weak never do."""
    solution = solve("beer_quiche")
    found = solution.signalling
    assert found.complete
    told = [(one.kind, one.on_path.tolist(), one.intuitive, one.d1) for one in found]
    assert told == [("pooling", [True, False], True, True), ("pooling", [False, True], False, False)]
    assert [one.sender_value.tolist() for one in found] == [[3, 2], [2, 3]]
    assert len(solution.others) == 1
    assert solution.others[0].refinement == ("perfect Bayesian",)
    np.testing.assert_allclose(solution.others[0].certificate.measures.type_values[0], [[2, 3]], atol=1e-9)
    assert solution.others[0].signalling is None
    assert answered(solution.game, limit=3) is None


def test_where_half_are_weak_the_breakfast_tells_something():
    """With p surly below one half nothing is pooled on: the weak mix so that the bully is indifferent after beer."""
    found = solve("beer_quiche", surly_belief=0.25).signalling
    assert {one.kind for one in found} == {"semi-separating"}
    (one,) = [one for one in found if one.intuitive]
    beer = one.assessment.sender[:, 0]
    assert beer == pytest.approx([1, 1 / 3])  # 0.25 / (0.25 + 0.75 / 3) = 1/2
    assert one.assessment.belief[0] == pytest.approx([0.5, 0.5])


def test_a_fight_tells_what_kreps_and_wilson_say():
    """Kreps & Wilson (1982), three markets and belief 1/16: the weak fight with 1/5, so that a fight lifts the belief to 1/4."""
    solution = solve("entry_deterrence")
    found = moves_at(solution, "entrant_1:enter").signal
    assert found.of("fight").probability == pytest.approx([1 / 5, 1])
    assert found.of("fight").posterior == pytest.approx([3 / 4, 1 / 4])
    joint = np.array([[15 / 16 * 4 / 5, 15 / 16 / 5], [0, 1 / 16]])
    apart = np.outer(joint.sum(axis=1), joint.sum(axis=0))
    wanted = sum(p * np.log(p / q) for p, q in zip(joint.ravel(), apart.ravel(), strict=True) if p > 0)
    assert found.information == pytest.approx(wanted)
    assert found.bits == pytest.approx(wanted / np.log(2))
    np.testing.assert_allclose(found.sunk, [[0, -1], [np.nan, 0]])
    np.testing.assert_allclose(found.follows, [[0, 1], [np.nan, 1.5]], atol=1e-9)


def test_knowing_the_breakfast_game():
    """By hand: known weak are fought whatever they eat (1 instead of 2), known surly are left alone (3)."""
    found = knowledge(solve("beer_quiche"))
    (one,) = found.known
    np.testing.assert_allclose(one.being_known, [0, -1], atol=1e-9)
    np.testing.assert_allclose(one.ignorance, [0, 1], atol=1e-9)
    np.testing.assert_allclose(one.low, [0, -2], atol=1e-9)
    np.testing.assert_allclose(one.high, [1, -1], atol=1e-9)
    assert one.ex_ante == pytest.approx(-0.1)
    assert one.others == {"bully": pytest.approx(0.1)}
    assert found.several
    assert not found.unsolved
    beer, quiche = found.signals
    np.testing.assert_allclose(beer.by_type["stranger"], [1, -1], atol=1e-9)
    np.testing.assert_allclose(quiche.by_type["stranger"], [0, 0], atol=1e-9)
    assert beer.values == {"stranger": pytest.approx(0.8), "bully": pytest.approx(0.0)}


# -- laws of signals --------------------------------------------------------------------------------------------------

SPENCE = """
title = "Schooling"
rounds = 1
[players.worker]
[players.firm]
[assumptions.hard]
value = 3
range = [0, 10]
[private.ability]
known_to = "worker"
values = { able = 0.5, slow = 0.5 }
[state.job]
values = ["none", "good", "plain"]
start = "none"
[[turns]]
player = "worker"
[[turns]]
player = "firm"
[moves.study]
player = "worker"
pays = { worker = "-1 if ability == able else -hard" }
[moves.skip]
player = "worker"
[moves.trust]
player = "firm"
effects = { job = "good" }
[moves.doubt]
player = "firm"
effects = { job = "plain" }
[payoffs.worker]
each_round = "2 if job == good else 0"
[payoffs.firm]
each_round = "(1 if ability == able else -1.5) if job == good else 0"
"""


def test_study_separates_where_it_is_hard_for_the_slow():
    """Spence (1973): a cost that is sunk and differs by type gives the type away."""
    solution = sim.solve(sim.compile(loads(SPENCE)), "perfect_bayesian")
    kinds = [one.kind for one in solution.signalling]
    assert "separating" in kinds
    every = [solution, *solution.others]
    found = [signal_at(one, 0) for one in every]
    index = [round(one.separation, 9) for one in found]
    assert 1.0 in index
    assert 0.0 in index
    for one in found:
        np.testing.assert_allclose(one.sunk, [[-1, 0], [-3, 0]])
        least, tied = one.against("study", "skip")
        np.testing.assert_allclose(least, [1, 3], atol=1e-9)
        np.testing.assert_allclose(tied, 0, atol=1e-9)
    separating = found[index.index(1.0)]
    assert separating.information == pytest.approx(np.log(2))
    assert separating.of("study").posterior == pytest.approx([1, 0])


TIED = """
title = "Tied hands"
rounds = 1
[players.d]
[players.c]
[private.will]
known_to = "d"
values = { firm = 0.5, soft = 0.5 }
[state.said]
values = ["nothing", "sunk", "bound"]
start = "nothing"
[state.tested]
flag = true
start = false
[state.fought]
flag = true
start = false
[[turns]]
player = "d"
[[turns]]
player = "c"
[[turns]]
player = "d"
[moves.quiet]
player = "d"
when = "said == nothing and not tested"
[moves.spend]
player = "d"
when = "said == nothing and not tested"
effects = { said = "sunk" }
pays = { d = -1 }
[moves.bind]
player = "d"
when = "said == nothing and not tested"
effects = { said = "bound" }
[moves.test]
player = "c"
effects = { tested = true }
[moves.leave]
player = "c"
ends = true
pays = { d = 3 }
[moves.fight]
player = "d"
when = "tested"
effects = { fought = true }
pays = { d = "1 if will == firm else -4" }
[moves.concede]
player = "d"
when = "tested"
pays = { d = "-2 if said == bound else 0", c = 2 }
[payoffs.c]
each_round = "-2 if fought else 0"
"""


def test_sunk_costs_and_tied_hands_are_told_apart():
    """Fearon (1997): spending costs 1 whatever follows; binding costs the soft 2 if they are tested, and nothing otherwise."""
    solution = sim.solve(sim.compile(loads(TIED)), "perfect_bayesian")
    found = signal_at(solution, 0)
    sunk, tied = found.against("spend", "quiet")
    np.testing.assert_allclose(sunk, [1, 1], atol=1e-6)
    np.testing.assert_allclose(tied, [0, 0], atol=1e-6)
    sunk, tied = found.against("bind", "quiet")
    np.testing.assert_allclose(sunk, [0, 0], atol=1e-6)
    np.testing.assert_allclose(tied, [0, 2], atol=1e-6)  # the firm fight, bound or not
    names = [one.name for one in found.actions]
    spread = found.spread()
    np.testing.assert_allclose(spread[:, names.index("bind")] - spread[:, names.index("quiet")], [0, 2], atol=1e-6)
    assert sender_receiver(solution.game) is None  # he chooses twice
    assert solution.signalling is None


def decisions(solution):
    """List the nodes at which one player with several types has a choice."""
    graph, types = solution.game.graph, solution.game.types
    mover = graph.layer_player[graph.node_layer()]
    several = np.array([count > 1 for count in types.count])
    return [n for n in range(graph.node_count) if mover[n] >= 0 and several[mover[n]] and len(graph.edges_of(n)) > 1]


def check_signal(solution, node):
    """Check what holds of every signal."""
    found = signal_at(solution, node)
    graph, types = solution.game.graph, solution.game.types
    mover = graph.players.index(found.player)
    assert 0 <= found.information <= found.entropy + 1e-12
    assert np.isnan(found.separation) or 0 <= found.separation <= 1 + 1e-12
    assert found.prior.sum() == pytest.approx(1)
    mean = sum(one.share * one.posterior for one in found.actions if one.share > 0)
    np.testing.assert_allclose(mean, found.prior, atol=1e-9)  # beliefs are a martingale
    drawn = found.prior > 0
    chosen = np.array([one.probability for one in found.actions])[:, drawn]
    if np.ptp(chosen, axis=1).max(initial=0) <= 1e-12:
        assert found.information == 0
    if drawn.sum() > 1 and ((chosen > 0).sum(axis=1) <= 1).all():
        assert found.separation == pytest.approx(1)
    np.testing.assert_allclose(found.sunk + found.follows, found.value, atol=1e-12)
    q = solution.lane_action_values(node)[:, :, mover]
    seen = sight(types, solution.assessment.belief[0]).own[mover][node]
    for k in range(types.count[mover]):
        mine = types.holds(mover, k)
        able = ~np.isnan(found.value[k])
        np.testing.assert_allclose(found.value[k, able], (seen[mine] @ q[mine])[able], atol=1e-9)
        for a in np.flatnonzero(able):
            likely = np.array([one.probability[k] for one in found.replies[a]])
            worth = np.array([one.follows[k] for one in found.replies[a]])
            assert likely.sum() == pytest.approx(1)
            some = likely > 0
            span = solution.game.numbers.span[:, mover].max()
            assert likely[some] @ worth[some] == pytest.approx(found.follows[k, a], abs=1e-9 * max(span, 1))
    for one in (*found.moves, *found.groups):
        parts = [found.actions[a] for a in one.actions]
        assert one.share == pytest.approx(sum(part.share for part in parts))
    return found


@settings(max_examples=25, deadline=None)
@given(scenarios(private=True, beliefs=False), st.sampled_from([0.0, 1.5, 8.0]))
def test_laws_of_signals(scenario, precision):
    assume(scenario.rounds <= 2)
    solution = sim.solve(sim.compile(scenario), "quantal_response", precision=precision)
    nodes = decisions(solution)
    assume(nodes)
    for node in nodes[:6]:
        found = check_signal(solution, node)
        if precision == 0 and (solution.game.types.weight[list(solution.game.graph.edges_of(node))] > 0).all():
            assert found.information == pytest.approx(0, abs=1e-9) or any(one.group for one in found.labels)


def test_laws_hold_at_every_decision_of_the_chain_store():
    solution = solve("entry_deterrence")
    nodes = decisions(solution)
    assert len(nodes) >= 3
    assert [check_signal(solution, node).player for node in nodes] == ["store"] * len(nodes)


@settings(max_examples=15, deadline=None)
@given(scenarios(private=True, beliefs=False))
def test_moves_average_to_the_value_of_their_decision(scenario):
    """What an observer expects before a move is what he expects after it, on average."""
    assume(scenario.rounds <= 2)
    solution = sim.solve(sim.compile(scenario), "quantal_response", precision=2.0)
    graph = solution.game.graph
    assume(SIMULTANEOUS not in graph.layer_player)
    try:
        found = moves_at(solution)
    except OptionError:
        assume(False)
    mean = sum(one.probability * one.continuation for one in found.effects)
    np.testing.assert_allclose(mean, found.values, atol=1e-9 * max(1.0, float(solution.game.numbers.span.max())))
    assert found.before is None
    assert found.note


def test_what_is_no_signal_is_refused():
    solution = solve("entry_deterrence")
    with pytest.raises(OptionError, match="entrant_1 has no private type there; ask at a decision of store"):
        signal_at(solution, 0)
    with pytest.raises(OptionError, match="nobody has private types"):
        signal_at(sim.solve(sim.compile(sim.load(sim.template()))), 0)
    with pytest.raises(OptionError, match="let the game begin there"):
        knowledge(solution, node=2)
    with pytest.raises(OptionError, match="did you mean 'fight'"):
        knowledge(solution, moves=["figth"])
    with pytest.raises(OptionError, match="nothing to know"):
        knowledge(sim.solve(sim.compile(sim.load(sim.template()))))
    with pytest.raises(OptionError, match="reasons of its own"):
        reasons(solution)
    with pytest.raises(OptionError, match="expected one of share_market, fight"):
        signal_at(solution, 2).of("flee")


def test_private_numbers_have_a_stage_game_at_the_start_only():
    solution = solve("costly_signals", "cutoff")
    assert moves_at(solution).before is not None
    assert not moves_at(solution).note
    later = moves_at(solution, "spend")
    assert later.before is None
    assert "private numbers" in later.note


# -- laws of knowing --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("belief", [0.0, 1.0])
def test_with_a_degenerate_prior_being_known_is_worth_nothing(belief):
    (one,) = knowledge(solve("beer_quiche", surly_belief=belief), moves=()).known
    drawn = np.array([belief, 1 - belief]) > 0
    np.testing.assert_allclose(one.being_known[drawn], 0, atol=1e-7)
    assert one.ex_ante == pytest.approx(0, abs=1e-7)
    assert one.others == {"bully": pytest.approx(0, abs=1e-7)}


def test_a_move_that_cannot_be_left_out_is_reported():
    found = knowledge(solve("entry_deterrence", options={"starts": 0}), moves=["fight", "share_market"])
    assert [bool(one.game.solution) for one in found.signals] == [False, True]
    assert np.isnan(found.signals[0].by_type["store"]).all()
    (why,) = found.unsolved
    assert "no available move" in why
    assert {game.concept for one in found.known for game in one.games} == {"subgame_perfect"}


def test_under_quantal_response_all_games_are_asked_for_it():
    found = knowledge(solve("beer_quiche", "quantal_response", {"precision": 3.0}))
    assert {game.concept for one in found.known for game in one.games} == {"quantal_response"}
    assert not found.several
    (one,) = found.known
    np.testing.assert_allclose(one.low, one.being_known)
    np.testing.assert_allclose(one.high, one.being_known)


# -- sender–receiver games --------------------------------------------------------------------------------------------

NUMBERS = st.integers(-4, 4).map(float)
TABLES = st.lists(st.lists(st.lists(NUMBERS, min_size=2, max_size=2), min_size=2, max_size=2), min_size=2, max_size=2)


@settings(max_examples=25, deadline=None)
@given(TABLES, TABLES, st.sampled_from([0.0, 0.1, 0.5, 0.7]), st.sampled_from([None, (0.5, 0.25)]))
def test_a_scenario_is_read_as_the_game_that_was_written(sender, receiver, first, noise):
    """Payoffs come back; every equilibrium is certified by the referee of scenarios, who knows nothing of sender–receiver games."""
    game = sim.compile(scenario([first, 1 - first], sender, receiver, noise=noise))
    form = signalling_game(game)
    luck = np.zeros(2) if noise is None else np.array(noise)
    wanted = np.array(sender) + 0.25 * np.arange(2)[:, None] + luck[:, None, None]
    np.testing.assert_allclose(form.sender, wanted, atol=1e-12)
    np.testing.assert_allclose(form.receiver, np.array(receiver) + 1 + luck[:, None, None], atol=1e-12)
    np.testing.assert_allclose(form.prior, [first, 1 - first])
    found, written = answered(game)
    assert len(found) == len(written) > 0
    for one, assessment in zip(found, written, strict=True):
        measures = measure_assessment(game, assessment)
        assert measures.max_gain[0] <= GAIN
        assert measures.bayes[0] <= GAIN
        assert max(measures.distribution_error[0], measures.dependence[0]) <= GAIN
        np.testing.assert_allclose(measures.type_values[0][0], one.sender_value, atol=1e-8)
        assert measures.values[0, 0, 1] == pytest.approx(one.receiver_value, abs=1e-8)


def test_every_listed_equilibrium_is_among_the_solutions():
    sender, receiver = [[[2, 0], [1, 3]], [[1, 2], [3, 0]]], [[[1, 0], [0, 2]], [[0, 1], [2, 0]]]
    solution = sim.solve(sim.compile(scenario([0.5, 0.5], sender, receiver)), "perfect_bayesian")
    every = [solution, *solution.others]
    assert len(solution.signalling) >= 1
    for one in solution.signalling:
        apart = [np.abs(x.certificate.measures.type_values[0][0] - one.sender_value).max() for x in every]
        assert min(apart) < 1e-6


def test_other_forms_are_not_taken_for_sender_receiver_games():
    assert signalling_game(sim.compile(sim.load("scenarios/entry_deterrence.toml"))) is None
    assert signalling_game(sim.compile(sim.load(sim.template()))) is None
    batch = sim.compile(sim.load("scenarios/beer_quiche.toml"), {"surly_belief": [0.2, 0.9]})
    assert signalling_game(batch, 1).prior == pytest.approx([0.9, 0.1])
    assert answered(batch) is None
