"""Private types: public histories, perfect Bayesian equilibrium and quantal response, against second methods, laws and printed numbers."""

import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tomli_w
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import sim
from sim.analysis.eve import compile_from
from sim.construct.compile import compile as compile_game
from sim.construct.compile import renumber
from sim.construct.gambit import tree_of
from sim.errors import NoAnswerError, OptionError, ScenarioError
from sim.game.assessment import measure_assessment, sight
from sim.game.tree import measure_tree
from sim.kinds import Status
from sim.scenario.load import dump, loads
from sim.solve.assess import Work, assessment_of, form_of, numbers_of, uniform
from sim.solve.registry import judged
from sim.testing import INVARIANTS, scenarios

ROOT = Path(__file__).parent.parent.parent
REPUTATION = (ROOT / "scenarios" / "entry_deterrence.toml").read_text(encoding="utf-8")


def reputation(stages):
    """Write Kreps and Wilson's game for any number of markets."""
    document = tomllib.loads(REPUTATION)
    entrants = [f"entrant_{n}" for n in range(1, stages + 1)]
    document["rounds"] = stages
    document["players"] = {"store": {}, **{name: {} for name in entrants}}
    document["turns"] = [{"player": name, "in_rounds": [n]} for n, name in enumerate(entrants, 1)] + [
        {"player": "store"}
    ]
    moves = document["moves"]
    for move, worth in (("share_market", "share"), ("fight", "share - 1")):
        own = {name: pay for name, pay in moves[move]["pays"].items() if name == "store"}
        moves[move]["pays"] = own | {name: f"{worth} if round == {n} else 0" for n, name in enumerate(entrants, 1)}
    moves["stay_out"]["player"] = moves["enter"]["player"] = entrants
    return loads(tomli_w.dumps(document), "reputation.toml")


def first_market(solution):
    """Return how likely the first entrant enters, and how likely a weak store then fights."""
    graph = solution.game.graph
    label = {graph.labels[graph.edge_label[e]].text: e for e in graph.edges_of(0)}
    after = int(graph.edge_dst[label["enter"]])
    fight = next(e for e in graph.edges_of(after) if graph.labels[graph.edge_label[e]].text == "fight")
    return solution.profile[0, label["enter"]], solution.assessment.profile[0, 0, fight]


# -- printed numbers --------------------------------------------------------------------------------------------------

B, ROWS = 0.5, [(1, 0.5), (5, 0.1), (3, 0.0625), (2, 1 / 3), (10, 0.001)]


@pytest.mark.parametrize(("stages", "belief"), ROWS)
def test_reputation_is_kreps_and_wilsons(stages, belief):
    """Kreps and Wilson (1982), section 2: entry is deterred where the belief is above b^n; a weak store mixes so that the next entrant is indifferent."""
    game = sim.compile(reputation(stages), {"strong_belief": belief})
    solution = sim.solve(game, "perfect_bayesian", starts=0)
    assert solution.status.certified
    assert solution.refinement == ("sequential (logit trembles)",)
    enters, fights = first_market(solution)
    if stages == 1:  # the entrant is indifferent, and the store's last market is worth no fight
        assert fights == pytest.approx(0.0, abs=1e-9)
    else:
        assert enters == pytest.approx(0.0 if belief > B**stages else 1.0, abs=1e-9)
        wanted = min(1.0, belief * (1 - B ** (stages - 1)) / ((1 - belief) * B ** (stages - 1)))
        assert fights == pytest.approx(wanted, abs=1e-8)
    if (stages, belief) == (3, 0.0625):
        assert fights == pytest.approx(1 / 5, abs=1e-8)
    if stages == 2:
        assert fights == pytest.approx(1 / 2, abs=1e-8)


def test_the_belief_after_a_fight_is_the_next_threshold():
    game = sim.compile(reputation(3))
    solution = sim.solve(game, "perfect_bayesian", starts=0)
    types, graph = game.types, game.graph
    enter = next(e for e in graph.edges_of(0) if graph.labels[graph.edge_label[e]].text == "enter")
    store = int(graph.edge_dst[enter])
    fight = next(e for e in graph.edges_of(store) if graph.labels[graph.edge_label[e]].text == "fight")
    seen = sight(types, solution.assessment.belief[0]).public[int(graph.edge_dst[fight])]
    assert seen == pytest.approx([1 - B**2, B**2], abs=1e-9)


# -- second methods ---------------------------------------------------------------------------------------------------


def small(scenario):
    """Compile a random scenario, passing over large games."""
    game = compile_game(scenario)
    assume(game.graph.node_count < 400)
    return game


def followed(solution):
    """Pass on a certified solution; a path that was lost is an honest answer (in degenerate games), a wrong one is not."""
    assume(solution.status is not Status.LOST)
    assert solution.status.certified
    return solution


def below(tree, node):
    """Return the nodes right below a node, in order."""
    return np.flatnonzero(tree.node_parent == node).tolist()


def tree_profile(game, tree, solution):
    """Read off the tree's behaviour strategies what the assessment says, by walking both."""
    graph, types = game.graph, game.types
    out = tree.uniform()
    stack = [(below(tree, 0)[s], int(graph.roots[0]), s) for s in range(types.lanes)]
    while stack:
        here, node, lane = stack.pop()
        if tree.node_infoset[here] < 0:
            continue
        one = tree.infosets[tree.node_infoset[here]]
        able = [e for e in graph.edges_of(node) if one.player < 0 or types.weight[e, types.lane[lane, one.player]] > 0]
        children = below(tree, here)
        assert len(able) == len(children)
        for place, (child, edge) in enumerate(zip(children, able, strict=True)):
            out[one.first + place] = solution.assessment.profile[0, lane, edge]
            stack.append((int(child), int(graph.edge_dst[edge]), lane))
    return out


@settings(max_examples=25, deadline=None)
@given(scenarios(private=True, beliefs=False), st.sampled_from([0.0, 0.3, 1.5, 8.0]))
def test_quantal_response_is_that_of_the_tree(scenario, precision):
    """The unmerged tree with information sets, measured by the referee of trees, which knows neither histories nor types."""
    assume(scenario.rounds <= 2)
    game = small(scenario)
    solution = followed(sim.solve(game, "quantal_response", precision=precision))
    tree = tree_of(game)
    assume(tree.node_count < 4000)
    found = measure_tree(tree, tree_profile(game, tree, solution), np.full(len(tree.players), precision))
    np.testing.assert_allclose(found.values, solution.values[0], atol=1e-9)
    reachable = types_expected(game)
    if reachable:
        assert found.residual <= 1e-7


def types_expected(game):
    """Tell whether every combination of types is expected, nothing is discounted or grouped: only then has the tree the same responses."""
    even = all(not label.group for label in game.graph.labels) and (game.numbers.discount == 1).all()
    return bool((game.types.prior > 0).all()) and even and chance_full(game)


def chance_full(game):
    return bool((game.numbers.prob[:, 1:, 0] > 0).all())


@settings(max_examples=25, deadline=None)
@given(scenarios(private=True, beliefs=False))
def test_perfect_bayesian_is_an_equilibrium_of_the_tree(scenario):
    """Nobody gains by any strategy whatever in the tree, by a dynamic programme over his own information sets."""
    assume(scenario.rounds <= 2)
    game = small(scenario)
    solution = followed(sim.solve(game, "perfect_bayesian", starts=2))
    tree = tree_of(game)
    assume(tree.node_count < 4000)
    for one in (solution, *solution.others):
        found = measure_tree(tree, tree_profile(game, tree, one))
        np.testing.assert_allclose(found.values, one.values[0], atol=1e-7)
        assert not tree.forgetful()
        assert (found.gains <= 2e-6).all()


# -- laws -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", list(INVARIANTS))
@pytest.mark.parametrize("together", [False, True])
def test_invariants_hold(name, together):
    @settings(max_examples=8, deadline=None)
    @given(scenarios(private=True, together=together))
    def hold(scenario):
        try:
            INVARIANTS[name](small(scenario))
        except NoAnswerError as error:
            assume("could not be followed" not in str(error))
            raise

    hold()


@settings(max_examples=20, deadline=None)
@given(scenarios(private=True))
def test_a_degenerate_prior_is_complete_information(scenario):
    """Whoever is surely of a type plays as if all knew it, at every precision: with one mover at a time the response is unique."""
    assume(not scenario.prior and len(scenario.privates) == 1)
    small(scenario)
    hidden = compile_game(scenario, {"q": 0.0})  # surely low
    known = compile_game(scenario, {"q": 0.0}, known={"t_a": "low"})
    for precision in (0.5, 4.0):
        one = followed(sim.solve(hidden, "quantal_response", precision=precision))
        other = sim.solve(known, "quantal_response", precision=precision)
        np.testing.assert_allclose(one.values, other.values, atol=1e-8)


@settings(max_examples=15, deadline=None)
@given(scenarios(private=True))
def test_relabelling_types_permutes(scenario):
    assume(not scenario.prior)
    document = dict(scenario.document)
    document["private"] = {
        name: {**table, "values": dict(reversed(list(table["values"].items())))}
        for name, table in document["private"].items()
    }
    turned = compile_game(loads(tomli_w.dumps(document), "turned.toml"))
    straight = small(scenario)
    one, other = (followed(sim.solve(game, "quantal_response", precision=1.0)) for game in (straight, turned))
    np.testing.assert_allclose(one.values, other.values, atol=1e-9)
    for mine, theirs in zip(one.certificate.measures.type_values, other.certificate.measures.type_values, strict=True):
        np.testing.assert_allclose(mine, theirs[:, ::-1], atol=1e-9)


@settings(max_examples=15, deadline=None)
@given(scenarios(private=True))
def test_variants_are_solved_alike(scenario):
    small(scenario)
    batch = sim.solve(compile_game(scenario, {"q": [0.05, 0.3, 0.7], "w": [1.0, -1.0, 2.0]}), "quantal_response")
    followed(batch)
    for v, (q, w) in enumerate([(0.05, 1.0), (0.3, -1.0), (0.7, 2.0)]):
        one = sim.solve(compile_game(scenario, {"q": q, "w": w}), "quantal_response")
        np.testing.assert_allclose(batch.values[v], one.values[0], atol=1e-9)
    again = renumber(compile_game(scenario), {"q": [0.05, 0.3, 0.7], "w": [1.0, -1.0, 2.0]})
    assert sim.solve(again, "quantal_response").values.tolist() == batch.values.tolist()


# -- the referee ------------------------------------------------------------------------------------------------------


def test_the_referee_sees_a_wrong_belief_and_a_wrong_choice():
    game = sim.compile(sim.load(ROOT / "scenarios" / "entry_deterrence.toml"), {"strong_belief": 0.3})
    solution = sim.solve(game, "quantal_response", precision=2.0)
    right = measure_assessment(game, solution.assessment, np.full((1, 4), 2.0))
    assert max(right.residual[0], right.bayes[0]) <= 1e-9
    belief = np.array(solution.assessment.belief)
    open_class = int(np.flatnonzero((game.types.class_possible == 3) & (game.types.class_node >= 0))[0])
    belief[0, open_class, 0] += 1.0
    assert measure_assessment(game, replace(solution.assessment, belief=belief)).bayes[0] > 0.01
    profile = np.array(solution.assessment.profile)
    profile[0, :, :2] = profile[0, :, 1::-1]
    moved = measure_assessment(game, replace(solution.assessment, profile=profile), np.full((1, 4), 2.0))
    assert moved.residual[0] > 0.01
    profile[0, 0, :2] = 0.7
    assert measure_assessment(game, replace(solution.assessment, profile=profile)).distribution_error[0] > 0.1
    lanes = np.array(solution.assessment.profile)
    lanes[0, 0, :2] = [0.9, 0.1]  # an entrant who sees the store's type
    assert measure_assessment(game, replace(solution.assessment, profile=lanes)).dependence[0] > 0.01


def shipped(name):
    return sim.load(ROOT / "tests" / "solve" / f"{name}.toml")


def claimed(solution, **parts):
    """Measure an assessment of which some parts are changed."""
    changed = {name: np.array(getattr(solution.assessment, name)) for name in ("profile", "belief")}
    for name, change in parts.items():
        change(changed[name][0])
    return measure_assessment(solution.game, replace(solution.assessment, **changed))


def test_the_referee_sees_beliefs_that_nobody_told():
    """The start is the prior, chance signals what it signals, and nobody believes in a type that guards rule out."""
    game = sim.compile(shipped("two_owners"))
    types = game.types
    solution = sim.solve(game, "quantal_response", precision=1.0)
    start = int(np.flatnonzero((types.class_player == 0) & (types.class_node < 0))[0])
    signal = int(np.flatnonzero((types.class_player == 2) & (types.class_node >= 0))[0])
    ruled = int(np.flatnonzero((types.class_player == 0) & (types.class_possible == 2))[0])

    def shift(c, k):
        def change(belief):
            belief[c, k] = 0.0 if belief[c, k] == -np.inf else belief[c, k] + 1.0

        return change

    assert claimed(solution).bayes[0] <= 1e-9
    for c, k in ((start, 0), (signal, 0), (ruled, 0)):
        assert claimed(solution, belief=shift(c, k)).bayes[0] > 1e-3


def test_the_referee_sees_what_is_no_number_and_a_wrong_chance():
    solution = sim.solve(sim.compile(shipped("two_owners")), "quantal_response", precision=1.0)
    graph = solution.game.graph
    chance = int(np.flatnonzero(graph.layer_player[graph.node_layer()][graph.edge_source()] == -1)[0])
    assert claimed(solution, profile=lambda profile: profile.fill(np.nan)).distribution_error[0] == np.inf
    assert claimed(solution, belief=lambda belief: belief.fill(np.nan)).distribution_error[0] == np.inf
    assert claimed(solution, profile=lambda profile: profile[:, chance].fill(1.0)).distribution_error[0] > 0.1


def test_types_that_matter_no_more_do_the_same():
    """Where a class is dropped types must play alike: else others would learn, and the game forgets what they learn."""
    game = sim.compile(shipped("dropped_class"))
    solution = sim.solve(game, "perfect_bayesian", starts=30)
    source = game.graph.edge_source()
    dropped = (game.types.node_class[source, 0] < 0) & (game.graph.layer_player[game.graph.node_layer()][source] == 0)
    assert dropped.any()
    assert len(solution.others) > 0
    for one in (solution, *solution.others):
        np.testing.assert_allclose(
            one.assessment.profile[0, 0, dropped], one.assessment.profile[0, 1, dropped], atol=1e-12
        )
    first = int(np.flatnonzero(dropped)[0])

    def apart(profile):
        profile[0, first : first + 2], profile[1, first : first + 2] = [1.0, 0.0], [0.0, 1.0]

    assert claimed(solution, profile=apart).dependence[0] > 0.5


def test_beliefs_off_the_path_are_the_limit_of_logit_responses():
    """A sender of whom one type is tied between two messages: half its weight is not on either, and its tremble counts half."""
    game = sim.compile(shipped("tied_sender"))
    solution = sim.solve(game, "perfect_bayesian", starts=0)
    assert solution.refinement == ("sequential (logit trembles)",)
    late = sim.solve(game, "quantal_response", precision=200.0)
    graph = game.graph
    right = next(e for e in graph.edges_of(0) if graph.labels[graph.edge_label[e]].text == "right")
    believed = [sight(game.types, one.assessment.belief[0]).public[graph.edge_dst[right]] for one in (solution, late)]
    np.testing.assert_allclose(believed[0], [1 / 3, 2 / 3], atol=1e-6)
    np.testing.assert_allclose(believed[1], [1 / 3, 2 / 3], atol=1e-6)


def test_what_is_known_of_a_joint_table_moves_the_rest():
    scenario = shipped("two_owners")
    firm = sim.compile(scenario, hidden=["force"], known={"will": "firm"}).types.prior[0]
    soft = sim.compile(scenario, hidden=["force"], known={"will": "soft"}).types.prior[0]
    np.testing.assert_allclose(firm, [5 / 7, 2 / 7])
    np.testing.assert_allclose(soft, [0.0, 1.0])


def test_a_game_does_not_begin_after_a_telling_record():
    record = '\n[[history]]\nround = 1\nplayer = "entrant_1"\nmove = "enter"\n[[history]]\nround = 1\nplayer = "store"\nmove = "share_market"\n'
    scenario = loads(REPUTATION + record, "told.toml")
    with pytest.raises(OptionError, match="not every type may make"):
        compile_from(scenario, 2)
    assert compile_from(scenario, 2, known={"resolve": "weak"}).origin.first == 2


def test_the_kernels_step_is_newtons():
    """The eliminated linear system against finite differences of the whole response, on a game with two owners and a joint table."""
    text = (ROOT / "tests" / "solve" / "two_owners.toml").read_text(encoding="utf-8")
    game = sim.compile(loads(text, "two_owners.toml"))
    from sim.solve import trembles
    from sim.solve.assess import LOGIT

    form = form_of(game)
    work = Work(game, form)
    ratio = np.ones(len(game.graph.players))
    numbers = numbers_of(game, form, 0, ratio)
    ends = []
    for target in (0.999, 1.0, 1.001):
        z = uniform(form)
        _, ending, steps = trembles.follow(form.structure, numbers, LOGIT, z, 0.0, target, 500, 2.0, work.all)
        assert ending == trembles.ARRIVED
        assert steps > 1
        ends.append(z)
        tangent = work.step[:, 1].copy()
        if target == 1.0:
            kept = tangent
    slope = (ends[2][form.open] - ends[0][form.open]) / 0.002
    assert np.abs(slope).max() > 0.01
    np.testing.assert_allclose(kept[form.open], slope, atol=1e-5)
    assert measure_assessment(game, assessment_of(game, form, ends[1][None]), ratio[None]).residual[0] <= 1e-9


# -- what is refused --------------------------------------------------------------------------------------------------


def test_what_does_not_fit_is_refused_with_advice():
    game = sim.compile(sim.load(ROOT / "scenarios" / "entry_deterrence.toml"))
    with pytest.raises(OptionError, match="say what is known"):
        sim.solve(game, "subgame_perfect")
    with pytest.raises(OptionError, match="nobody has any"):
        sim.solve(sim.compile(sim.load(sim.template())), "perfect_bayesian")
    known = sim.compile(game.origin.scenario, known={"resolve": "weak"})
    with pytest.raises(OptionError, match="everybody knows them"):
        sim.solve(known, "perfect_bayesian")
    with pytest.raises(OptionError, match="starts is -1"):
        sim.solve(game, "perfect_bayesian", starts=-1)
    with pytest.raises(OptionError, match="did you mean 'resolve'"):
        sim.compile(game.origin.scenario, hidden=["resolv"])
    with pytest.raises(OptionError, match="known: strong, weak"):
        sim.compile(game.origin.scenario, known={"resolve": "bold"})
    with pytest.raises(OptionError, match="hidden and known"):
        sim.compile(game.origin.scenario, hidden=["resolve"], known={"resolve": "weak"})
    with pytest.raises(ScenarioError, match="more than 20 public histories"):
        sim.compile(reputation(3), node_limit=20)
    wide = loads(REPUTATION.replace("range  = [0, 1]", "range  = [0, 2]"), "wide.toml")
    with pytest.raises(ScenarioError, match=r"are -0\.5, 1\.5"):
        sim.compile(wide, {"strong_belief": 1.5})


def test_a_type_without_a_move_is_named():
    text = REPUTATION.replace('when   = "entered"\n', 'when   = "entered and resolve == strong"\n')
    text = text.replace(
        'when   = "entered and resolve == weak"', 'when   = "entered and resolve == weak and round > 1"'
    )
    with pytest.raises(ScenarioError, match="player store of type weak has no available move in round 1"):
        sim.compile(loads(text, "stuck.toml"))


def test_round_trip():
    scenario = loads((ROOT / "tests" / "solve" / "two_owners.toml").read_text(encoding="utf-8"), "two.toml")
    assert loads(dump(scenario), "two.toml") == scenario
    assert len(scenario.privates) == 2
    assert len(scenario.prior) == 3


def test_an_assessment_is_not_judged_as_a_profile():
    game = sim.compile(sim.load(ROOT / "scenarios" / "entry_deterrence.toml"))
    solution = sim.solve(game, "perfect_bayesian", starts=0)
    with pytest.raises((ValueError, IndexError, OptionError)):
        judged(game, "perfect_bayesian", np.array(solution.profile))
