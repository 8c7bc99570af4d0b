"""Prospect theory at chance: published numbers, the fourfold pattern, laws, a second method, and what is refused."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from naive import Backward, Quantal
from scipy.optimize import brentq

import sim
from sim.analysis.bounds import bounds
from sim.analysis.commitment import commit
from sim.analysis.moves import moves_at
from sim.analysis.reasons import reasons
from sim.construct.gambit import to_efg, tree_size
from sim.errors import OptionError, ScenarioError
from sim.game.graph import CHANCE
from sim.game.referee import measure, node_values
from sim.numerics.prospect import MEDIANS, certainty_equivalent, decision_weight, value
from sim.present.describe import describe
from sim.scenario.evaluate import evaluate_one
from sim.scenario.load import dump, loads
from sim.scenario.prospect import PARAMETERS
from sim.scenario.schema import ProspectTable
from sim.solve.registry import CONCEPTS, concepts_for
from sim.testing import INVARIANTS, profiles, scenarios

ROOT = Path(__file__).parent.parent.parent

# -- printed numbers: Tversky & Kahneman (1992), their functions at their medians -----------------------------------------------------------

VALUES = {100: 57.544, -100: -129.474, 1000: 436.5158, -1: -2.25}
WEIGHTS = {
    0.01: (0.05527, 0.03967),
    0.05: (0.13163, 0.11143),
    0.1: (0.1863, 0.17015),
    0.25: (0.29074, 0.29352),
    0.5: (0.42064, 0.45399),
    0.75: (0.56827, 0.6264),
    0.9: (0.71172, 0.7749),
    0.95: (0.7932, 0.84988),
    0.99: (0.91158, 0.94509),
}
PROSPECTS = [
    ((100, 0), (0.05, 0.95), 7.574269, 9.982764),
    ((100, 0), (0.95, 0.05), 45.643653, 76.852772),
    ((-100, 0), (0.05, 0.95), -14.427826, -8.261641),
    ((-100, 0), (0.95, 0.05), -110.037543, -83.123806),
    ((100, -100), (0.5, 0.5), -34.574309, -22.30366),
]


def test_value_and_weight():
    assert (len(VALUES), len(WEIGHTS)) == (4, 9)
    for x, expected in VALUES.items():
        assert float(value(x, 0.88, 2.25)) == pytest.approx(expected, abs=1e-4)
    for p, (gain, loss) in WEIGHTS.items():
        assert float(decision_weight(p, 0.61)) == pytest.approx(gain, abs=1e-4)
        assert float(decision_weight(p, 0.69)) == pytest.approx(loss, abs=1e-4)


def test_where_the_curves_cross_the_diagonal():
    for power, expected in ((0.61, 0.33878), (0.69, 0.37756)):
        assert brentq(lambda p, g=power: float(decision_weight(p, g)) - p, 0.05, 0.95) == pytest.approx(
            expected, abs=1e-4
        )


def test_the_curve_is_not_that_of_prelec():
    prelec = float(np.exp(-((-np.log(0.5)) ** 0.61)))
    assert abs(prelec - float(decision_weight(0.5, 0.61))) > 0.02


def test_the_defaults_are_the_medians():
    assert tuple(ProspectTable.model_fields) == tuple(one.key for one in PARAMETERS)
    assert tuple(field.default for field in ProspectTable.model_fields.values()) == MEDIANS == (0.88, 2.25, 0.61, 0.69)
    assert all(one.holds(number) and one.holds(1.0) for one, number in zip(PARAMETERS, MEDIANS, strict=True))


LOTTERY = """
title = "lottery"
[players.a]
{prospect}
[state.drawn]
values = ["none", {names}]
start = "none"
[[turns]]
chance = ["draw"]
[[turns]]
player = "a"
[moves.rest]
player = "a"
[[chance.draw]]
outcomes = [{outcomes}]
[outcomes]
drawn = "final(drawn == none)"
[payoffs.a]
final = "{final}"
"""


def lottery(x, p, prospect="prospect = {}"):
    """Write a scenario of one chance event."""
    names = [f"o{k}" for k in range(len(x))]
    outcomes = ", ".join(
        f'{{ probability = {share!r}, effects = {{ drawn = "{name}" }} }}' for share, name in zip(p, names, strict=True)
    )
    final = " + ".join(f"({worth!r}) * (drawn == {name})" for worth, name in zip(x, names, strict=True))
    quoted = ", ".join(f'"{name}"' for name in names)
    return loads(LOTTERY.format(prospect=prospect, names=quoted, outcomes=outcomes, final=final), "lottery.toml")


def test_prospects_as_scenarios():
    assert len(PROSPECTS) == 5
    for x, p, worth, expected in PROSPECTS:
        game = sim.compile(lottery(x, p))
        for concept in concepts_for(game):
            solution = sim.solve(game, concept).require()
            assert float(solution.values[0, 0]) == pytest.approx(expected, abs=1e-5)
            assert float(value(solution.values[0, 0], *MEDIANS[:2])) == pytest.approx(worth, abs=1e-5)
        assert sim.play(solution).outcome("drawn")[0] == 0.0  # paths go by the modeller's probabilities
        plain = sim.compile(lottery(x, p, ""))
        assert plain.numbers.prospect is None
        assert float(sim.solve(plain).values[0, 0]) == pytest.approx(np.dot(x, p))


# -- the fourfold pattern ---------------------------------------------------------------------------------------------------------------

CHOICE = """
title = "a sure thing against a gamble"
[players.a]
{prospect}
[assumptions.size]
value = 100
range = [-100, 100]
[assumptions.chance_of]
value = 0.05
range = [0, 1]
[state.got]
values = ["nothing", "sure", "all"]
start = "nothing"
[[turns]]
player = "a"
[moves.take]
player = "a"
effects = {{ got = "sure" }}
[moves.gamble]
player = "a"
outcomes = [{{ probability = "chance_of", effects = {{ got = "all" }} }}, {{ probability = "1 - chance_of" }}]
[payoffs.a]
final = "size * (1 if got == all else chance_of if got == sure else 0)"
[outcomes]
gambles = "played(gamble)"
"""


def test_the_fourfold_pattern():
    """Against its expectation for sure: risk seeking for unlikely gains and likely losses, averse for likely gains and unlikely losses."""
    corners = list(itertools.product((100, -100), (0.05, 0.95)))
    settings_ = {"size": [size for size, _ in corners], "chance_of": [p for _, p in corners]}
    batch = sim.compile(loads(CHOICE.format(prospect="prospect = {}"), "choice.toml"), settings_)
    solution = sim.solve(batch).require()
    assert sim.play(solution).outcome("gambles").tolist() == [1.0, 0.0, 0.0, 1.0]
    for v, (size, p) in enumerate(corners):  # a batch equals its variants one by one
        alone = sim.compile(
            loads(CHOICE.format(prospect="prospect = {}"), "choice.toml"), {"size": size, "chance_of": p}
        )
        assert sim.solve(alone).values[0].tolist() == solution.values[v].tolist()
    indifferent = sim.solve(sim.compile(loads(CHOICE.format(prospect=""), "choice.toml"), settings_))
    assert indifferent.certificate.measures.tied_nodes.tolist() == [1, 1, 1, 1]


def test_the_rescue_is_a_matter_of_the_reference_point():
    scenario = sim.load(ROOT / "scenarios" / "hostage_rescue.toml")
    expecting = {"curvature": 1, "loss_aversion": 1, "gain_power": 1, "loss_power": 1}
    for given_, attempt in (({}, 1.0), ({"reference": -40}, 0.0), (expecting, 0.0)):
        paths = sim.play(sim.solve(sim.compile(scenario, given_)).require())
        assert paths.outcome("attempt").tolist() == [attempt]
    assert any("prospect theory (curvature curvature" in line for line in describe(scenario))
    assert loads(dump(scenario), scenario.file) == scenario


# -- laws -----------------------------------------------------------------------------------------------------------------------------------

numbers = st.floats(-1000, 1000).map(lambda x: round(x, 3))
parameters = st.tuples(st.floats(0.1, 1), st.floats(0.1, 5), st.floats(0.28, 1), st.floats(0.28, 1))


@st.composite
def lotteries(draw, most=6):
    size = draw(st.integers(1, most))
    x = draw(st.lists(numbers, min_size=size, max_size=size))
    parts = draw(st.lists(st.integers(0, 20), min_size=size, max_size=size).filter(any))
    return x, [part / sum(parts) for part in parts]


@given(numbers, st.lists(st.integers(1, 9), min_size=1, max_size=5), parameters)
def test_a_sure_outcome_is_its_own_equivalent(x, parts, given_):
    p = np.array(parts) / sum(parts)
    assert float(certainty_equivalent(np.full(len(p), x), p, given_)) == x
    assert float(certainty_equivalent([x, x + 1.0], [1.0, 0.0], given_)) == x


@given(lotteries(), parameters, st.data())
def test_better_at_every_rank_is_worth_no_less(lottery_, given_, data):
    """First-order dominance: better outcomes, or probability moved to a better one; and never outside the outcomes."""
    x, p = lottery_
    worth = float(certainty_equivalent(x, p, given_))
    assert min(x) <= worth <= max(x)
    slack = 1e-7 * (1 + max(map(abs, x)))
    better = [a + data.draw(st.floats(0, 50)) for a in x]
    assert float(certainty_equivalent(better, p, given_)) >= worth - slack
    low, high = int(np.argmin(x)), int(np.argmax(x))
    moved = list(p)
    share = p[low] * data.draw(st.floats(0, 1))
    moved[low] -= share
    moved[high] += share
    assert float(certainty_equivalent(x, moved, given_)) >= worth - slack


@given(lotteries(), parameters, st.floats(0.01, 100))
def test_equivalents_keep_scale(lottery_, given_, factor):
    x, p = lottery_
    scaled = float(certainty_equivalent([factor * a for a in x], p, given_))
    assert scaled == pytest.approx(factor * float(certainty_equivalent(x, p, given_)), rel=1e-9, abs=1e-9)


@given(lotteries(), parameters)
def test_splitting_an_outcome_changes_nothing(lottery_, given_):
    """What original prospect theory got wrong, and ranks put right."""
    x, p = lottery_
    halves = [share / 2 for share in p]
    np.testing.assert_allclose(
        certainty_equivalent(x + x, halves + halves, given_), certainty_equivalent(x, p, given_), rtol=1e-8, atol=1e-8
    )


@given(lotteries())
def test_without_bends_it_is_the_expectation(lottery_):
    x, p = lottery_
    np.testing.assert_allclose(certainty_equivalent(x, p, (1, 1, 1, 1)), np.dot(x, p), rtol=1e-9, atol=1e-9)


@settings(max_examples=25)
@given(scenarios())
def test_players_without_bends_play_as_without_the_key(scenario):
    document = dump(scenario)
    for player in scenario.player_ids:
        document = document.replace(
            f"[players.{player}]\n",
            f"[players.{player}]\nprospect = {{ curvature = 1, loss_aversion = 1, gains = 1, losses = 1 }}\n",
        )
    game, bent = sim.compile(scenario), sim.compile(loads(document, "bent.toml"))
    assert game.numbers.prospect is None
    assert (bent.numbers.prospect == 1).all()
    span = game.numbers.span.max()
    for concept in ("subgame_perfect", "quantal_response", "level_k"):
        first, second = sim.solve(game, concept), sim.solve(bent, concept)
        assert second.status.certified
        np.testing.assert_allclose(second.profile, first.profile, atol=1e-9)
        np.testing.assert_allclose(second.values, first.values, rtol=1e-12, atol=1e-12 * span)


# -- a second method: the unmerged tree in plain Python, weights from differences of sorted sums ----------------------------------------------


def plain_equivalent(q, p, numbers_):
    """Return a certainty equivalent by sorting, one outcome after the other, and solving v(c) = worth by bisection."""
    a, aversion, gains, losses = numbers_

    def v(x):
        return x**a if x >= 0 else -aversion * (-x) ** a

    def w(inside, outside, g):
        top, bottom = (inside / (inside + outside)) ** g, (outside / (inside + outside)) ** g
        return top / (top + bottom) ** (1 / g)

    worth = 0.0
    for side, g in (([k for k in range(len(q)) if q[k] >= 0], gains), ([k for k in range(len(q)) if q[k] < 0], losses)):
        passed: list[int] = []
        for k in sorted(side, key=lambda k: -abs(q[k])):
            before = w(sum(p[j] for j in passed), sum(p[j] for j in range(len(q)) if j not in passed), g)
            passed.append(k)
            worth += (
                w(sum(p[j] for j in passed), sum(p[j] for j in range(len(q)) if j not in passed), g) - before
            ) * v(q[k])
    low, high = min(q) - 1e-9, max(q) + 1e-9
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if v(middle) < worth else (low, middle)
    return (low + high) / 2


class _Bent:
    """Chance by certainty equivalents, counting them."""

    chances = 0

    def chance(self, branches, state, env, number, rest):
        table = []
        for branch in branches:
            after = self.apply(branch.effects, state, env)
            paid = self.pays(branch.pays, env)
            later = self.end_of_round(after, number, ended=True) if branch.ends else self.stage(after, number, rest)
            table.append([a + b for a, b in zip(paid, later, strict=True)])
        out = []
        for i, player in enumerate(self.s.players):
            p = [evaluate_one(branch.believes.get(player.id, branch.probability).node, env) for branch in branches]
            q = [row[i] for row in table]
            if player.prospect:
                self.chances += 1
                out.append(
                    plain_equivalent(
                        q, p, [evaluate_one(player.prospect[one.key].node, self.env) for one in PARAMETERS]
                    )
                )
            else:
                out.append(sum(a * b for a, b in zip(p, q, strict=True)))
        return out


class BentBackward(_Bent, Backward):
    """Best replies."""


class BentQuantal(_Bent, Quantal):
    """Logit responses."""


def test_the_second_method_knows_the_printed_numbers():
    assert len(PROSPECTS) == 5
    for x, p, _, expected in PROSPECTS:
        assert plain_equivalent(x, p, MEDIANS) == pytest.approx(expected, abs=1e-5)


def test_the_graph_agrees_with_the_tree():
    met = []

    @settings(max_examples=40)
    @given(scenarios(prospect=True))
    def hold(scenario):
        game = sim.compile(scenario)
        assume(tree_size(game) <= 3000)
        span = game.numbers.span[0]
        for found, second in (
            (sim.solve(game, "subgame_perfect", ties="uniform"), BentBackward(scenario, spans=span)),
            (sim.solve(game, "quantal_response", precision=1.0), BentQuantal(scenario)),
        ):
            assert found.status.certified
            expected = second.value(second.start())
            np.testing.assert_allclose(found.values[0], expected, rtol=1e-6, atol=1e-7 * span.max())
            met.append(second.chances)

    hold()
    assert sum(met) > 50


@settings(max_examples=20)
@given(scenarios(prospect=True))
def test_every_concept_is_certified_and_bounds_hold_what_is_selected(scenario):
    game = sim.compile(scenario)
    assert concepts_for(game) == tuple(
        name for name, row in CONCEPTS.items() if "finite" in row.horizons and row.types in ("none", "either")
    )
    for concept in concepts_for(game):
        assert sim.solve(game, concept).status.certified
    for low, selected, high in bounds(sim.solve(game, ties="first"), 50).values.values():
        assert low <= selected <= high


@pytest.mark.parametrize("name", list(INVARIANTS))
def test_invariants_hold(name):
    @settings(max_examples=15)
    @given(scenarios(prospect=True))
    def hold(scenario):
        INVARIANTS[name](sim.compile(scenario))

    hold()


@settings(max_examples=25)
@given(scenarios(prospect=True), st.data())
def test_the_referee_measures_any_profile(scenario, data):
    """Gains and chance values recomputed for a random profile by the numpy formula."""
    game = sim.compile(scenario)
    graph, x = game.graph, game.numbers
    profile = data.draw(profiles(game))
    value_, arrival = node_values(game, profile)
    worst = 0.0
    for layer in range(graph.layer_count):
        mover = int(graph.layer_player[layer])
        for node in range(graph.nodes(layer).start, graph.nodes(layer).stop):
            edges = np.asarray(graph.edges_of(node), dtype=np.int64)
            q = x.pay[0, graph.edge_pay[edges]] + arrival[graph.edge_dst[edges]]
            if mover == CHANCE:
                for i in range(len(graph.players)):
                    p = x.prob[0, graph.edge_prob[edges], 1 + i]
                    expected = float(certainty_equivalent(q[:, i], p, x.prospect[0, i]))
                    assert value_[node, i] == pytest.approx(expected, rel=1e-7, abs=1e-7 * x.span[0, i])
            elif mover >= 0:
                gain = q[:, mover].max() - profile[0, edges] @ q[:, mover]
                worst = max(worst, float(gain) / x.span[0, mover])
    assert measure(game, profile).max_gain[0] == pytest.approx(worst, abs=1e-12)


def test_a_broken_profile_is_refused():
    """What expectation would choose is no equilibrium of a player of prospect theory, and the other way round."""
    scenario = sim.load(ROOT / "scenarios" / "hostage_rescue.toml")
    bent = sim.compile(scenario)
    plain = sim.compile(scenario, {"curvature": 1, "loss_aversion": 1, "gain_power": 1, "loss_power": 1})
    ours, theirs = sim.solve(bent).profile, sim.solve(plain).profile
    assert measure(bent, ours).max_gain[0] <= 1e-8
    assert measure(plain, theirs).max_gain[0] <= 1e-8
    assert measure(bent, theirs).max_gain[0] > 0.01
    assert measure(plain, ours).max_gain[0] > 0.01
    assert measure(bent, ours / 2).distribution_error[0] == pytest.approx(0.5)


# -- batches, and what looks inside ------------------------------------------------------------------------------------------------------


def test_a_batch_may_vary_how_chance_is_evaluated():
    scenario = sim.load(ROOT / "scenarios" / "hostage_rescue.toml")
    batch = sim.compile(scenario, {"loss_power": [0.69, 1.0, 0.4], "curvature": [0.88, 1.0, 0.5]})
    assert batch.numbers.prospect.shape == (3, 2, 4)
    assert (batch.numbers.prospect[:, 1] == 1).all()
    together = sim.solve(batch)
    for v in range(3):
        alone = sim.solve(batch.take(slice(v, v + 1)))
        assert alone.values[0].tolist() == together.values[v].tolist()
    assert sim.compile(scenario).repeat(2).numbers.prospect.shape == (2, 2, 4)
    assert sim.compile(scenario).repeat(2).numbers.prospect[1].tolist() == batch.numbers.prospect[0].tolist()


def test_a_look_inside():
    scenario = sim.load(ROOT / "scenarios" / "hostage_rescue.toml")
    solution = sim.solve(sim.compile(scenario))
    found = moves_at(solution)
    values = dict(zip(found.before.rows, np.nanmax(found.before.payoffs[..., 0], axis=1), strict=True))
    assert values == {"negotiate": 0, "mine_harbours": -10, "rescue": pytest.approx(solution.values[0, 0])}
    assert bounds(solution).count == 1
    assert commit(solution, "negotiate").gain[0] == pytest.approx(-40 - solution.values[0, 0])
    with pytest.raises(OptionError, match="usa evaluates chance by prospect theory"):
        reasons(solution)
    bound = commit(solution, "negotiate").bound
    assert [other.action for other in reasons(bound, player="iran").others] == ["release"]


# -- what is refused ---------------------------------------------------------------------------------------------------------------------


def test_gambit_cannot_say_it():
    game = sim.compile(lottery((100, -100), (0.5, 0.5)))
    with pytest.raises(OptionError, match="prospect theory, which a game tree cannot say"):
        to_efg(game)
    neutral = "prospect = { curvature = 1, loss_aversion = 1, gains = 1, losses = 1 }"
    assert to_efg(sim.compile(lottery((100, -100), (0.5, 0.5), neutral))).startswith("EFG 2 R")


@pytest.mark.parametrize(
    ("prospect", "kind", "place", "says"),
    [
        ("prospect = { gains = 0.2 }", "outside-range", "players.a.prospect.gains", "from 0.28 to 1"),
        ("prospect = { losses = 1.1 }", "outside-range", "players.a.prospect.losses", "from 0.28 to 1"),
        ("prospect = { curvature = 0 }", "outside-range", "players.a.prospect.curvature", "from 0.1 to 1"),
        ("prospect = { loss_aversion = -1 }", "outside-range", "players.a.prospect.loss_aversion", "from 0.001"),
        ("prospect = { gain = 0.61 }", "unknown-key", "players.a.prospect.gain", "did you mean 'gains'"),
        ("prospect = { gains = 'wheight' }", "unknown-name", "players.a.prospect.gains", "wheight"),
        ("prospect = { gains = 'drawn + 1' }", "unknown-name", "players.a.prospect.gains", "only assumptions"),
        ("prospect = true", "wrong-type", "players.a.prospect", "a table"),
    ],
)
def test_a_mistake_is_named_and_placed(prospect, kind, place, says):
    with pytest.raises(ScenarioError) as caught:
        lottery((1, 0), (0.5, 0.5), prospect)
    assert [(one.kind, one.place) for one in caught.value.problems] == [(kind, place)]
    assert says in str(caught.value)
    assert caught.value.problems[0].line == 4


def test_an_assumption_that_leaves_the_range_is_named():
    text = dump(lottery((1, 0), (0.5, 0.5), "prospect = { gains = 0.5 }")).replace("gains = 0.5", 'gains = "g / 2"')
    text += '\n[assumptions.g]\nvalue = 1\nrange = [0, 3]\nbasis = "assumed"\n'
    scenario = loads(text, "lottery.toml")
    assert sim.compile(scenario, {"g": [1.0, 2.0]}).variants == 2
    with pytest.raises(ScenarioError) as caught:
        sim.compile(scenario, {"g": [1.0, 2.5, 0.1]})
    (problem,) = caught.value.problems
    assert (problem.kind, problem.place) == ("outside-range", "players.a.prospect.gains")
    assert "gains of a is 1.25 with g=2.5" in str(problem)
    assert "from 0.28 to 1" in str(problem)


def test_simultaneous_turns_and_endless_play_are_refused():
    for scenario, says in (
        ("security_dilemma.toml", "where players choose at once"),
        ("enduring_rivalry.toml", "where the horizon is infinite"),
    ):
        text = (ROOT / "scenarios" / scenario).read_text(encoding="utf-8")
        player = sim.load(ROOT / "scenarios" / scenario).player_ids[0]
        bent = text.replace(f"[players.{player}]\n", f"[players.{player}]\nprospect = {{}}\n")
        assert bent != text
        with pytest.raises(ScenarioError) as caught:
            loads(bent, scenario)
        found = [one for one in caught.value.problems if one.kind == "prospect"]
        assert {one.place for one in found} == {f"players.{player}.prospect"}
        assert any(says in str(one) for one in found)


@pytest.mark.parametrize(
    ("scenario", "concept", "says"),
    [
        ("security_dilemma", "subgame_perfect", "players choose at once"),
        ("enduring_rivalry", "markov_perfect", "infinite"),
    ],
)
def test_games_made_by_hand_are_refused_too(scenario, concept, says):
    from dataclasses import replace

    game = sim.compile(sim.load(ROOT / "scenarios" / f"{scenario}.toml"))
    prospect = np.full((1, len(game.graph.players), 4), 0.5)
    with pytest.raises(OptionError, match=says):
        sim.solve(replace(game, numbers=replace(game.numbers, prospect=prospect)), concept)
