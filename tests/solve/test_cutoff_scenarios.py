"""Private numbers through the scenario language: printed equilibria, answers by hand, laws, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

import sim
from sim.analysis.commitment import commit
from sim.analysis.compare import compare
from sim.analysis.credible import credible
from sim.construct.gambit import tree_of
from sim.construct.shocks import accumulate
from sim.errors import NoAnswerError, OptionError, ScenarioError
from sim.game.cutoff_referee import expected_shocks
from sim.game.cutoffs import own_plans
from sim.game.graph import CHANCE, TERMINAL
from sim.present.cutoffs import cutoffs_data, cutoffs_lines, cutoffs_tables
from sim.scenario.load import loads
from sim.solve.registry import concepts_for, default_concept
from sim.testing import affine

SCENARIOS = Path(__file__).parent.parent.parent / "scenarios"

# Lewis & Schultz (2003) with the parameters of sigInt (Crisman-Cox & Gibilisco 2021): resist, challenge, fight by B's mean worth of war.
PRINTED = {
    -2.9: [[0.2511046, 0.9947895, 0.3096951], [0.5947228, 0.3798678, 0.2415628], [0.8133217, 0.2054518, 0.2087594]],
    -2.8: [[0.2964518, 0.9617251, 0.3062443], [0.4724232, 0.5823847, 0.2680376], [0.8740314, 0.1793114, 0.2021976]],
    -2.7: [[0.9078557, 0.1671387, 0.1988995]],
    -2.5: [[0.9473144, 0.1546852, 0.1953372]],
    -2.2: [[0.9763871, 0.1465387, 0.1928912]],
}


def shipped(name):
    return sim.load(SCENARIOS / f"{name}.toml")


def text(name):
    return (SCENARIOS / f"{name}.toml").read_text(encoding="utf-8")


CRISIS = shipped("crisis_signalling")
SIGNALS = shipped("costly_signals")
AUDIENCE = shipped("audience_costs")


# -- printed numbers, and answers by hand ---------------------------------------------------------------------------------


def test_lewis_and_schultz_in_one_batch():
    game = sim.compile(CRISIS, {"b_war": np.array(list(PRINTED))})
    solution = sim.solve(game, "cutoff")
    assert solution.status.certified
    assert len(solution.search) == len(PRINTED) == solution.game.variants
    for v, (rows, search) in enumerate(zip(PRINTED.values(), solution.search, strict=True)):
        assert len(search.equilibria) == len(rows)
        assert search.complete
        seen = sorted(one.probability[[2, 0, 4]].tolist() for one in search.equilibria)
        np.testing.assert_allclose(seen, rows, atol=2e-6)
        np.testing.assert_allclose(solution.profile[v, [2, 0, 4]], max(rows, key=lambda row: row[1]), atol=2e-6)


def test_all_equilibria_are_solutions_and_selection_names_one():
    game = sim.compile(CRISIS)
    first = sim.solve(game, "cutoff")
    assert len(first.others) == 2
    assert all(other.status.certified for other in first.others)
    chosen = {
        rule: sim.solve(game, "cutoff", selection=rule) for rule in ("first", "last", "best_for:b", "worst_for:b")
    }
    assert [round(float(chosen[rule].profile[0, 2]), 4) for rule in chosen] == [0.2965, 0.4724, 0.8740, 0.2965]
    for one in chosen.values():
        np.testing.assert_allclose(sim.play(one).outcome("challenge"), one.profile[:, 0])
    found = compare([first, *first.others])
    assert found.parting is not None
    assert (found.parting.round, found.parting.player, found.parting.actions) == (1, "a", ("challenge", "keep"))


@pytest.mark.parametrize(
    ("doubt", "audience", "cost"), [(0.6, 0.2, 0.05), (0.8, 0.2, 0.05), (1.0, 0.4, 0.4), (0.9, 0.05, 0.3)]
)
def test_audience_costs_in_two_rounds_by_hand(doubt, audience, cost):
    """Fearon (1994), two rounds without sudden attack, the defender's worth of war private.

    Escalating again pays the challenger against a share q of fighters if 1 - q + q w ≥ -a, so that bluffers make q = (1 + a) / (1 - w).
    A bluffer is indifferent if 1 - c = c d, c being how often the challenger escalates again: c = 1 / (1 + d).
    Those fight whose war is worth more than -d.
    """
    given_values = {"doubt": doubt, "challenger_audience": audience, "defender_audience": cost}
    game = sim.compile(AUDIENCE, given_values, hidden=["defender_resolve"], rounds=2, remove=["attack"])
    solution = sim.solve(game, "cutoff")
    fighters = (doubt - 0.5 + cost) / (2 * doubt)
    share = (1 + audience) / 1.5
    assert 0 < fighters < share < 1, "some bluff, and not all"
    paths = sim.play(solution)
    labels = solution.game.shocks.games[0].edge_label
    assert labels[2:] == ("escalate", "back_down") * 3
    np.testing.assert_allclose(solution.profile[0, [2, 4, 6]], [fighters / share, 1 / (1 + cost), share], atol=1e-9)
    np.testing.assert_allclose(paths.outcome("war"), fighters / (1 + cost), atol=1e-9)


def test_complete_information_is_what_it_was():
    """Types that all know change nothing: the values of the game without them."""
    game = sim.compile(AUDIENCE)
    assert game.shocks is None
    assert game.graph.node_count == 49
    assert sim.solve(game).values.tolist() == [[1.0, 0.0]]
    assert sim.compile(AUDIENCE, {"doubt": [0.1, 0.9]}).numbers.reward.tolist()[0] == game.numbers.reward.tolist()[0]


@pytest.mark.parametrize("sunk", [0.05, 0.2])
def test_tied_hands_and_sunk_costs_by_hand(sunk):
    """Fearon (1997) in two levels: after a sunk cost k those above c_D / w fight, C accepts with φ c / (1 - φ w), and type v pays k = q v."""
    win, cost = 0.6, 0.3
    fighters = 1 - cost / win
    cut = sunk * (1 - fighters * win) / (fighters * cost + sunk)
    game = sim.compile(SIGNALS, {"sunk_cost": sunk}, remove=["commit"])
    solution = sim.solve(game, "cutoff")
    telling = [one for one in (solution, *solution.others) if 1e-6 < one.profile[0, 0] < 1 - 1e-6]
    assert len(telling) == 1
    assert telling[0].profile[0, 0] == pytest.approx(1 - cut, abs=1e-9)


def test_tying_hands_is_worth_more_than_sinking_costs():
    """Fearon's comparison: before he knows what the good is worth to him the defender prefers tied hands, though war is likelier then."""
    tied, sunk = (sim.solve(sim.compile(SIGNALS, remove=[move]), "cutoff") for move in ("spend", "commit"))
    assert tied.values[0, 0] > sunk.values[0, 0] + 0.1
    assert sim.play(tied).outcome("war") > sim.play(sunk).outcome("war")


# -- laws ---------------------------------------------------------------------------------------------------------------------


def drawn_plays(game, share, count, rng):
    """Let types drawn at random each take their best plan against the shares, and play it out: payoffs (count, i)."""
    plans, draws, choices = [], [], []
    for i, shocks in enumerate(game.shocks):
        own = [
            rng.normal(shock.mean, shock.deviation, count)
            if shock.kind == "normal"
            else rng.uniform(shock.low, shock.high, count)
            for shock in shocks
        ]
        draws.append(np.array(own).T if own else np.zeros((count, 0)))
        plans.append(own_plans(game, i, 0))
        worth = np.stack([value(game, i, share, plan, draws[-1]) for plan in plans[-1]], axis=1)
        choices.append(worth.argmax(axis=1))
    out = np.zeros((count, len(game.players)))
    here = np.zeros(count, dtype=int)
    for node, mover in enumerate(game.node_player.tolist()):  # children have higher numbers
        some = np.flatnonzero(here == node)
        edges = list(game.edges_of(node))
        if mover == CHANCE:
            here[some] = game.edge_dst[rng.choice(edges, p=game.edge_prob[edges], size=len(some))]
        elif mover != TERMINAL:
            taken = np.array([plan.get(node, -1) for plan in plans[mover]])
            here[some] = game.edge_dst[taken[choices[mover][some]]]
        else:
            for i in range(len(game.players)):
                out[some, i] = game.payoff[node, i] + draws[i][some] @ game.loading[node, i, : draws[i].shape[1]]
    return out


def value(game, player, share, plan, draws):
    """Return what a plan is worth to each drawn type, (count,)."""
    total = np.zeros(len(draws))
    stack = [(0, 1.0)]
    while stack:
        node, weight = stack.pop()
        if game.node_player[node] == TERMINAL:
            total += weight * (game.payoff[node, player] + draws @ game.loading[node, player, : draws.shape[1]])
        elif game.node_player[node] == player:
            stack += [(int(game.edge_dst[plan[node]]), weight)] if node in plan else []
        else:
            stack += [(int(game.edge_dst[edge]), weight * share[edge]) for edge in game.edges_of(node)]
    return total


@settings(max_examples=8, deadline=None)
@given(st.floats(-2.6, -1.5), st.floats(-2.5, -0.3), st.floats(1.0, 2.0), st.integers(0, 2**32 - 1))
def test_values_are_what_drawn_types_earn(b_war, audience, doubt, seed):
    solution = sim.solve(sim.compile(CRISIS, {"b_war": b_war, "a_audience": audience, "doubt": doubt}), "cutoff")
    count = 50_000
    earned = drawn_plays(solution.game.shocks.games[0], solution.profile[0], count, np.random.default_rng(seed))
    error = earned.std(axis=0, ddof=1) / np.sqrt(count)
    assert (error > 0).all()
    assert (np.abs(earned.mean(axis=0) - solution.values[0]) < 6 * error).all()


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1), st.sampled_from([0.25, 3.0]), st.floats(-2.9, -2.0))
def test_units_of_payoff_do_not_matter(player, scale, b_war):
    game = sim.compile(CRISIS, {"b_war": b_war})
    base, other = sim.solve(game, "cutoff"), sim.solve(affine(game, player, scale, 0.0), "cutoff")
    assert len(base.search[0].equilibria) == len(other.search[0].equilibria)
    np.testing.assert_allclose(other.profile, base.profile, atol=1e-8)
    factor = np.where(np.arange(2) == player, scale, 1.0)
    np.testing.assert_allclose(other.values, base.values * factor, atol=1e-8)
    for one, two in zip(base.node_values(), other.node_values(), strict=True):
        np.testing.assert_allclose(two, one * factor, atol=1e-8)


@settings(max_examples=12, deadline=None)
@given(st.sampled_from([-2.4, -1.9, -0.9]), st.sampled_from([-2.8, -1.2, -0.4]), st.sampled_from([-2.8, -1.0, -0.6]))
def test_numbers_that_hardly_vary_are_as_good_as_known(a_war, a_audience, b_war):
    """With a deviation of 1e-4, the subgame-perfect equilibrium is among those found; nobody is near indifference in it."""
    sharp = loads(text("crisis_signalling").replace("range  = [0.5, 2]", "range  = [1e-5, 2]"), "sharp.toml")
    chosen = {"a_war": a_war, "a_audience": a_audience, "b_war": b_war, "doubt": 1e-4}
    hidden = sim.solve(sim.compile(sharp, chosen), "cutoff")
    means = {"war_to_a": a_war, "backing_down": a_audience, "war_to_b": b_war}
    known = sim.solve(sim.compile(sharp, chosen, known=means), "subgame_perfect")
    assert known.certificate.measures.tied_nodes[0] == 0
    near = min((hidden, *hidden.others), key=lambda one: np.abs(one.profile - known.profile).max())
    np.testing.assert_allclose(near.profile, known.profile, atol=1e-6)
    np.testing.assert_allclose(near.values, known.values, atol=1e-3)


@pytest.mark.parametrize(
    ("scenario", "build"),
    [
        (CRISIS, {}),
        (SIGNALS, {"remove": ["spend"]}),
        (SIGNALS, {}),
        (AUDIENCE, {"hidden": "all", "rounds": 2, "remove": ["attack"]}),
    ],
    ids=["two numbers", "one signal", "two signals", "types that mix"],
)
def test_what_is_expected_is_right_on_average(scenario, build):
    """Values at the start are the values; a player's expected number, averaged over his choices, is what was expected before."""
    first = sim.solve(sim.compile(scenario, **build), "cutoff")
    checked = 0
    for solution in (first, *first.others):
        game, share = solution.game.shocks.games[0], solution.profile[0]
        found, arrival = solution.node_values()
        np.testing.assert_allclose(found[0], solution.values[0], atol=1e-12)
        mean, unreached = expected_shocks(game, share), set(solution.cutoffs[0].measures.unreached)
        for node, player in enumerate(game.node_player.tolist()):
            edges = list(game.edges_of(node))
            if player >= 0 and game.shocks[player] and node not in unreached:
                np.testing.assert_allclose(
                    share[edges] @ mean[game.edge_dst[edges], player], mean[node, player], atol=1e-10
                )
                checked += 1
            if edges:
                q = solution.action_values(node)
                np.testing.assert_allclose(share[edges] @ q, found[node], atol=1e-10)
        assert arrival.shape == found.shape
    assert checked >= 3


LONG = """
title = "three rounds"
rounds = 3
[players.a]
discount = 0.9
[players.b]
discount = 0.8
[assumptions.luck]
value = 0.3
range = [0, 1]
[private.zeal]
known_to = "a"
normal = [0.5, 2]
[private.nerve]
known_to = "b"
uniform = [-1, 3]
[state.x]
range = [0, 3]
start = 0
clip = true
[[turns]]
player = "a"
[[turns]]
chance = ["storm"]
[[turns]]
player = "b"
in_rounds = [2, 3]
[[chance.storm]]
when = "x > 0"
outcomes = [{ label = "hit", probability = "luck", effects = { x = "x - 1" }, pays = { a = "-zeal / 2" } }, { label = "miss", probability = "1 - luck" }]
[moves.wait]
player = ["a", "b"]
[moves.push]
player = ["a", "b"]
effects = { x = "x + 1" }
pays = { a = "zeal * x - 1", b = "0.25 * nerve" }
[moves.quit]
player = "a"
when = "x > 1"
ends = true
[payoffs.a]
each_round = "(zeal + 1) * x if x < 2 else 3 - zeal"
final = "annuity(each_round) + zeal"
[payoffs.b]
each_round = "2 - x"
final = "nerve * (x + round) / (1 + luck)"
[outcomes]
last = "final(x)"
"""


@settings(max_examples=15, deadline=None)
@given(st.floats(-6, 6), st.floats(-6, 6))
def test_payoffs_at_every_end_are_those_of_known_numbers(zeal, nerve):
    """Another way to the same numbers: the tree as it is exported when all know them, end by end."""
    scenario = loads(LONG, "long.toml")
    hidden = sim.compile(scenario)
    known = tree_of(sim.compile(scenario, known={"zeal": zeal, "nerve": nerve}))
    game = hidden.shocks.games[0]
    ends, stack = [], [0]
    while stack:
        node = stack.pop()
        edges = list(game.edges_of(node))
        stack += [int(game.edge_dst[edge]) for edge in reversed(edges)]
        ends += [] if edges else [node]
    assert len(ends) == len(known.terminals) > 100
    mine = game.payoff[ends] + np.einsum("nid,id->ni", game.loading[ends], np.array([[zeal], [nerve]]))
    np.testing.assert_allclose(mine, known.payoffs[known.terminals], rtol=1e-9, atol=1e-9)
    past, total, weight = accumulate(hidden.graph, hidden.numbers)
    assert (weight > 0).all()
    np.testing.assert_array_equal(
        total[:, [node for node in range(len(game.node_player)) if len(game.edges_of(node))]], 0.0
    )
    assert past.shape == total.shape


def test_variants_are_solved_alike_one_by_one_and_together():
    settings_of = {"b_war": [-2.9, -2.5], "a_audience": [-1.0, -1.4]}
    batch = sim.solve(sim.compile(CRISIS, settings_of), "cutoff")
    assert batch.others == ()
    for v in range(2):
        one = sim.solve(sim.compile(CRISIS, {name: values[v] for name, values in settings_of.items()}), "cutoff")
        np.testing.assert_allclose(batch.profile[v], one.profile[0], atol=1e-12)
        np.testing.assert_allclose(
            batch.game.take(slice(v, v + 1)).shocks.games[0].payoff, one.game.shocks.games[0].payoff
        )
    again = sim.compile(CRISIS).repeat(2)
    assert sim.solve(again, "cutoff").profile.shape == (2, 6)


# -- what is refused --------------------------------------------------------------------------------------------------------


def changed(old, new, name="crisis_signalling"):
    whole = text(name)
    assert whole.count(old) >= 1
    return loads(whole.replace(old, new), "changed.toml")


GUARD = 'player  = "a"\nwhen    = "crisis == resisted'
REFUSED = {
    "guard": (f'{GUARD}"', f'{GUARD} and war_to_a > -9"', r"guard of fight reads war_to_a.*a guard"),
    "another's": ("\nwar_to_b", "\nwar_to_a", "only a knows; expected numbers that b knows himself"),
    "product": ("backing_down if crisis", "backing_down * war_to_a if crisis", "no sum of multiples of backing_down and war_to_a"),
    "square": ("backing_down if crisis", "backing_down ** 2 if crisis", "no sum of multiples of backing_down"),
    "kink": ("backing_down if crisis", "min(backing_down, 0) if crisis", "no sum of multiples of backing_down"),
    "condition": ("a_prize if crisis == conceded", "a_prize if crisis == conceded and war_to_a > 0", "no sum of multiples"),
    "divisor": ("backing_down if crisis", "1 / (backing_down - 99) if crisis", "no sum of multiples"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_numbers_that_are_read_otherwise_are_refused(name):
    old, new, message = REFUSED[name]
    with pytest.raises(ScenarioError, match=rf"(?s)changed\.toml:\d+: .*{message}.*(cut-offs|'values')"):
        sim.compile(changed(old, new))


def test_chance_that_reads_a_number_or_is_disputed_is_refused():
    spoilt = LONG.replace('probability = "luck"', 'probability = "clip(luck + zeal / 100, 0, 1)"').replace(
        'probability = "1 - luck"', 'probability = "1 - clip(luck + zeal / 100, 0, 1)"'
    )
    with pytest.raises(ScenarioError, match="probability of storm/hit reads zeal, a private number"):
        sim.compile(loads(spoilt, "spoilt.toml"))
    disputed = LONG.replace('"luck",', '"luck", believes = { a = "0.5" },').replace(
        '"1 - luck" }', '"1 - luck", believes = { a = "0.5" } }'
    )
    with pytest.raises(ScenarioError, match="disputed"):
        sim.compile(loads(disputed, "disputed.toml"))


def test_other_games_are_refused_with_advice():
    merged = sim.compile(loads(LONG, "long.toml"), known={"zeal": 0, "nerve": 0}).graph.node_count
    with pytest.raises(
        ScenarioError,
        match=rf"tree of all histories, which has more than {merged} nodes by round 3; expected at most {merged}; play",
    ):
        sim.compile(loads(LONG, "long.toml"), node_limit=merged)
    both = LONG.replace("[private.nerve]", '[private.mood]\nknown_to = "b"\nvalues = { calm = 0.5, angry = 0.5 }\n[private.nerve]').replace(
        'b = "0.25 * nerve"', 'b = "0.25 * nerve + (1 if mood == calm else 0)"'
    )  # fmt: skip
    with pytest.raises(OptionError, match=r"'mood' \(labels\) and 'zeal' \(a number\) are hidden at once"):
        sim.compile(loads(both, "both.toml"))
    assert sim.compile(loads(both, "both.toml"), known={"mood": "calm"}).shocks.privates == ("zeal", "nerve")
    with pytest.raises(ScenarioError, match=r"war_to_a is normal with -1\.9 and 0 with a_war=-1\.9, doubt=0; expected"):
        sim.compile(changed("range  = [0.5, 2]", "range  = [0, 2]"), {"doubt": [1, 0]})
    with pytest.raises(OptionError, match="no finite tree"):
        tree_of(sim.compile(CRISIS))


def test_concepts_are_told_apart():
    game = sim.compile(CRISIS)
    assert concepts_for(game) == ("cutoff",)
    assert default_concept(game) == "cutoff"
    for concept in ("subgame_perfect", "quantal_response", "perfect_bayesian", "markov_perfect"):
        with pytest.raises(
            OptionError, match=r"hidden numbers; ask for cutoff, or say what is known \(--known war_to_a=…\)"
        ):
            sim.solve(game, concept)
    with pytest.raises(OptionError, match="nobody has any; ask for subgame_perfect"):
        sim.solve(sim.compile(sim.load(sim.template())), "cutoff")
    with pytest.raises(OptionError, match=r"everybody knows them; hide some \(--hidden challenger_resolve\)"):
        sim.solve(sim.compile(AUDIENCE), "cutoff")
    with pytest.raises(OptionError, match="resolve is hidden"):
        sim.solve(sim.compile(shipped("entry_deterrence")), "cutoff")


@pytest.mark.parametrize(
    "bad", [{"selection": "best"}, {"selection": "best_for"}, {"selection": "best_for:c"}, {"points": 1}, {"starts": 0}]
)
def test_options_are_checked(bad):
    with pytest.raises(OptionError, match=r"expected|did you mean|known"):
        sim.solve(sim.compile(CRISIS), "cutoff", **bad)


def test_what_is_not_found_is_no_answer():
    """Three rounds with types that must divide themselves at several nodes: nothing is certified, and nothing is played."""
    solution = sim.solve(sim.compile(AUDIENCE, hidden="all", rounds=3, remove=["attack"]), "cutoff")
    assert not solution.status.certified
    assert solution.status.name == "NOTHING_FOUND"
    with pytest.raises(NoAnswerError, match="No equilibrium was found"):
        sim.play(solution.require())


# -- tables -----------------------------------------------------------------------------------------------------------------


def test_tables_tell_who_does_what():
    solution = sim.solve(sim.compile(CRISIS), "cutoff")
    who, every = cutoffs_tables(solution)
    assert len(who.rows) == 6
    assert who.rows[2][-1].startswith("war_to_b > -2.26")
    assert every.columns == ("where", "action", "1 (played)", "2", "3")
    assert [row[3] for row in every.rows if row[1] == "resist"] == ["0.4724"]
    assert every.rows[-1] == ("stable", "", "yes", "no", "yes")
    data = cutoffs_data(solution)
    assert sum(one["played"] for one in data["equilibria"]) == 1
    assert max(one["worst"] for one in data["equilibria"]) < 1e-6
    one_signal = sim.solve(sim.compile(SIGNALS, remove=["spend"]), "cutoff")
    assert "there may be others" in cutoffs_lines(one_signal)[0]
    ranges = {(row[1], row[2]): row[-1] for row in cutoffs_tables(one_signal)[0].rows}
    assert ranges["at the start", "commit"] == "0.111 < defender_value < 1"
    assert ranges["commit > test", "concede"] == "0.111 < defender_value < 0.167"


# -- costs that make a threat credible -----------------------------------------------------------------------------------------


def test_the_audience_cost_that_makes_fighting_as_likely_as_not():
    """Where backing down costs on average what war does, whoever is resisted fights as often as not, by symmetry."""
    found = credible(CRISIS, "a_audience", "fight", at="challenge > resist", points=13)
    assert found.concept == "cutoff"
    assert [(one.rising, one.jump) for one in found.crossings] == [(False, False)]
    (one,) = found.crossings
    assert one.low <= -1.9 + 1e-9
    assert one.high >= -1.9 - 1e-9
    assert one.high - one.low <= 1e-6 * 3
    other = credible(
        CRISIS, "a_audience", "fight", at="challenge > resist", points=13, level=0.3, settings={"b_war": -2.2}
    )

    def share(audience):
        return sim.solve(sim.compile(CRISIS, {"b_war": -2.2, "a_audience": audience}), "cutoff").profile[0, 4] - 0.3

    assert len(other.crossings) == 1
    assert other.crossings[0].value == pytest.approx(brentq(share, -3, 0), abs=4e-6)


def test_a_selected_equilibrium_that_vanishes_is_a_jump():
    """Resistance jumps where the equilibrium of usual challenges ceases to exist, between -2.8 and -2.7."""
    found = credible(CRISIS, "b_war", "resist", points=26)
    assert [one.jump for one in found.crossings] == [True]
    assert -2.8 < found.crossings[0].low < found.crossings[0].high < -2.7
    at = found.crossings[0]
    counts = [
        len(sim.solve(sim.compile(CRISIS, {"b_war": x}), "cutoff").search[0].equilibria) for x in (at.low, at.high)
    ]
    assert counts == [3, 1]


def test_kreps_and_wilson_by_threshold():
    """With two markets to come a store fights with probability belief / b² in all: half of the time at b² / 2."""
    scenario = shipped("entry_deterrence")
    found = credible(
        scenario, "strong_belief", "fight", "store", concept="perfect_bayesian", points=9, between=(0.02, 0.3), starts=0
    )
    assert len(found.crossings) == 1
    assert found.crossings[0].value == pytest.approx(0.125, abs=2e-6)
    assert not found.unsolved


@pytest.mark.parametrize("shapes", [False, True])
def test_a_best_move_that_changes_is_a_jump(shapes):
    """Subgame perfection: fighting costs c, a crisis left open 0.5. The same where a guard reads the cost, and the game is compiled again for each value."""
    written = sim.template().read_text(encoding="utf-8")
    guard = "rung == crisis and not yielded"
    assert guard in written
    scenario = loads(written.replace(guard, f"{guard} and cost_of_war < 5") if shapes else written, "threat.toml")
    found = credible(scenario, "cost_of_war", "fight", at="push > resist", points=7)
    assert found.concept == "subgame_perfect"
    assert len(found.crossings) == 1
    (one,) = found.crossings
    assert one.jump
    assert not one.rising
    assert one.low <= 0.5 <= one.high
    assert one.high - one.low <= 1e-5
    assert found.probability.tolist() == [1.0, *([0.0] * 6)]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"assumption": "a_audiense"}, "did you mean 'a_audience'"),
        ({"move": "fihgt"}, "did you mean 'fight'"),
        ({"player": "c"}, "not a player"),
        ({"level": 1.0}, "expected a level"),
        ({"at": "keep"}, "nobody may make fight after keep"),
        ({"player": "b"}, "b may not make fight"),
        ({"between": (-4.0, 0.0)}, "part of the range"),
    ],
)
def test_questions_about_threats_are_checked(words, message):
    asked = {"assumption": "a_audience", "move": "fight", "player": "", "points": 3, **words}
    with pytest.raises(OptionError, match=message):
        credible(CRISIS, asked.pop("assumption"), asked.pop("move"), asked.pop("player"), **asked)


def test_a_game_that_was_changed_afterwards_is_refused():
    """Being bound cuts moves out of the compiled graph, of which the private numbers' tree knows nothing."""
    with pytest.raises(OptionError, match="leave out moves when it is compiled"):
        commit(sim.solve(sim.compile(CRISIS), "cutoff"), "resist")
