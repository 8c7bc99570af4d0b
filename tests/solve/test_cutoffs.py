"""Cut-off equilibria: laws, a sampled check, the referee's eye, and what is refused. Published games are in tests/replication."""

from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.errors import NoAnswerError, OptionError
from sim.game.cutoff_referee import measure_cutoffs
from sim.game.cutoffs import CutoffEquilibrium, Shock, cutoff_game, own_plans
from sim.solve.cutoffs import search_cutoffs, solve_cutoffs

LIGHT = settings(max_examples=15, deadline=None)
NUMBER = st.integers(-20, 20).map(lambda k: k / 10)


def end(*payoff, **loading):
    return {"payoff": payoff, "loading": loading}


def crisis(war_a=-1.9, war_b=-2.8, audience=-1.2, shocks=None, *, swapped=False, scale=1.0, shift=0.0):
    """Lewis and Schultz's crisis; payoffs and loadings times ``scale``, payoffs plus ``shift``, actions in another order if ``swapped``."""

    def leaf(a, b, **loading):
        loading = {who: tuple(scale * x for x in own) for who, own in loading.items() if shocks is None or shocks[who]}
        return end(scale * a + shift, scale * b + shift, **loading)

    def node(player, **moves):
        return {"player": player, "moves": dict(reversed(moves.items()) if swapped else moves.items())}

    settle = node("A", fight=leaf(war_a, war_b, A=(1.0, 0.0), B=(1.0,)), back=leaf(audience, 1.0, A=(0.0, 1.0)))
    tree = node("A", challenge=node("B", resist=settle, concede=leaf(1.0, 0.0)), wait=leaf(0.0, 1.0))
    return cutoff_game(["A", "B"], shocks or {"A": [Shock(), Shock()], "B": [Shock()]}, tree)


def seen(game):
    """Probabilities of the equilibria by action, in rising order."""
    order = np.argsort(game.edge_label)
    return np.array(sorted(one.probability[order].tolist() for one in solve_cutoffs(game)))


@given(NUMBER, NUMBER, NUMBER)
@LIGHT
def test_units_and_order_do_not_matter(war_a, war_b, audience):
    plain = seen(crisis(war_a, war_b, audience))
    assert plain.shape[0] % 2 == 1
    for other in (
        crisis(war_a, war_b, audience, scale=3.0),
        crisis(war_a, war_b, audience, shift=-7.0),
        crisis(war_a, war_b, audience, swapped=True),
    ):
        found = seen(other)
        assert found.shape == plain.shape
        np.testing.assert_allclose(found, plain, atol=1e-8)


@given(
    NUMBER,
    NUMBER,
    NUMBER,
    st.sampled_from(["normal", "uniform", "logistic"]),
    st.sampled_from(["normal", "uniform", "logistic"]),
)
@LIGHT
def test_shares_are_distributions_and_indices_sum_to_one(war_a, war_b, audience, one, two):
    game = crisis(
        war_a, war_b, audience, {"A": [Shock(kind=one), Shock(kind=two, low=-2.0, high=0.5)], "B": [Shock(kind=two)]}
    )
    found = search_cutoffs(game)
    assert found.equilibria
    assert found.dropped == 0
    assert sum(each.index for each in found.equilibria) == 1
    for each in found.equilibria:
        assert each.probability.min() >= 0.0
        np.testing.assert_allclose(np.add.reduceat(each.probability, game.edge_start[[0, 1, 3]]), 1.0, atol=1e-12)
        assert each.reach[game.node_player == -2].sum() == pytest.approx(1.0)
        assert each.measures.worst < 1e-8


@given(st.permutations(range(5)), st.permutations(range(5)))
@LIGHT
def test_without_doubt_it_is_backward_induction(first, second):
    """Four moves in turn with distinct payoffs and shocks of a millionth: the one answer is the subgame perfect one, off the path too."""
    tree, value, expected = end(first[4], second[4], a=(1.0,)), (first[4], second[4]), []
    for k in (3, 2, 1, 0):
        player, stop = "ab"[k % 2], (first[k], second[k])
        takes = stop[k % 2] > value[k % 2]
        expected = [float(takes), float(not takes), *expected]
        value = stop if takes else value
        loading = {player: (1.0,)}
        tree = {"player": player, "moves": {"stop": end(*stop, **loading), "on": tree}}
    tiny = [Shock(deviation=1e-6)]
    found = search_cutoffs(cutoff_game(["a", "b"], {"a": tiny, "b": tiny}, tree))
    assert len(found.equilibria) == 1
    np.testing.assert_allclose(found.equilibria[0].probability, expected, atol=1e-9)
    np.testing.assert_allclose(found.equilibria[0].payoff, value, atol=1e-5)


@pytest.mark.parametrize("kinds", [("normal", "normal"), ("uniform", "logistic"), ("logistic", "logistic")])
def test_sampled_types_do_what_the_equilibrium_says(kinds):
    """A million pairs of A's shocks, each choosing the best of three plans; the shares within five standard errors."""
    shocks = {"A": [Shock(kind=kind, low=-1.5, high=2.0) for kind in kinds], "B": [Shock()]}
    rng = np.random.default_rng(20)
    draw = {
        "normal": rng.standard_normal,
        "uniform": lambda n: rng.uniform(-1.5, 2.0, n),
        "logistic": lambda n: rng.logistic(0.0, np.sqrt(3.0) / np.pi, n),
    }
    war, back = (draw[kind](1_000_000) for kind in kinds)
    equilibria = solve_cutoffs(crisis(shocks=shocks))
    assert equilibria
    for one in equilibria:
        resists = one.probability[2]
        best = np.maximum(war - 1.9, back - 1.2)
        worth = resists * best + (1.0 - resists)
        goes = worth > 0.0
        fights = (war - 1.9 > back - 1.2)[goes]
        for found, count, said in (
            (goes.mean(), 1e6, one.probability[0]),
            (fights.mean(), goes.sum(), one.probability[4]),
        ):
            assert abs(found - said) <= 5.0 * np.sqrt(said * (1.0 - said) / count)
        payoff = np.maximum(worth, 0.0)
        assert abs(payoff.mean() - one.payoff[0]) <= 5.0 * payoff.std() / 1e3


def test_the_referee_sees_small_errors():
    game = crisis()
    equilibria = solve_cutoffs(game)
    assert len(equilibria) == 3
    for one in equilibria:
        wrong = one.probability.copy()
        wrong[2:4] += [1e-4, -1e-4]
        assert measure_cutoffs(game, replace(one, probability=wrong)).residual > 2e-5
        assert measure_cutoffs(game, replace(one, payoff=one.payoff + np.array([0.0, 1e-4]))).payoff_error > 1e-6
        wrong[3] += 1e-3
        assert measure_cutoffs(game, replace(one, probability=wrong)).distribution == pytest.approx(1e-3)


def test_the_referee_sees_what_nobody_would_do_off_the_path():
    """A's challenge never pays, so that nobody comes to his second node; backing down there is right for the keenest types, fighting for none."""
    narrow = {"A": [Shock(kind="uniform", low=-0.1, high=0.1)] * 2, "B": [Shock(kind="uniform", low=-0.1, high=0.1)]}
    game = crisis(war_a=-3.0, war_b=0.5, audience=-1.0, shocks=narrow)
    found = search_cutoffs(game)
    assert len(found.equilibria) == 1
    only = found.equilibria[0]
    assert only.unreached == (3,)
    np.testing.assert_allclose(only.probability, [0.0, 1.0, 1.0, 0.0, 0.0, 1.0], atol=1e-9)
    wrong = only.probability.copy()
    wrong[4:6] = [0.5, 0.5]
    assert measure_cutoffs(game, replace(only, probability=wrong)).off_path > 0.1


@pytest.mark.parametrize("doubt", [0.0, 1e-9, 1e-6])
def test_who_has_hardly_a_shock_may_mix(doubt):
    """War, conceding and A's backing down are worth -1, 0 and 1 to B: he is indifferent, and mixes, if those who come fight with probability 1/2.

    A's war is uniform on [-2.2, -0.2], his backing down on [-1.5, -0.5]; those come for whom the better is at least c = -(1 - p_R)/p_R. Fighting and
    backing down are equally frequent among them if ∫ (w + 1.5) dw + 0.3 = ∫ (w + 2.2) dw over [c, -0.5], that is c = -0.5 - 3/7.
    """
    shocks = {
        "A": [Shock(kind="uniform"), Shock(kind="uniform", low=-0.5, high=0.5)],
        "B": [Shock(deviation=doubt)] if doubt else [],
    }
    found = search_cutoffs(crisis(war_a=-1.2, war_b=-1.0, audience=-1.0, shocks=shocks))
    assert found.complete
    assert len(found.equilibria) == 1
    only = found.equilibria[0]
    assert only.probability[4] == pytest.approx(0.5, abs=doubt + 1e-12)
    assert only.probability[2] == pytest.approx(1.0 / (1.5 + 3.0 / 7.0), abs=doubt + 1e-9)
    assert only.mixed or doubt == 1e-6


def test_a_tie_is_told():
    """B does not care what he does, so that what he does stands for anything else: certified, but never called complete."""
    tree = {
        "player": "a",
        "moves": {"in": {"player": "b", "moves": {"x": end(-1.0, 0.0), "y": end(1.0, 0.0)}}, "out": end(0.0, 2.0)},
    }
    found = search_cutoffs(cutoff_game(["a", "b"], {}, tree))
    assert len(found.equilibria) == 1
    assert found.equilibria[0].measures.indifferent == pytest.approx(1.0)
    assert not found.complete


def test_what_is_refused():
    three = [Shock(kind="uniform")] * 3
    tree = {
        "player": "a",
        "moves": {"x": end(0.0, a=(1.0, 0.0, 0.0)), "y": end(0.0, a=(0.0, 1.0, 0.0)), "z": end(0.0, a=(0.0, 0.0, 1.0))},
    }
    with pytest.raises(OptionError, match="more than two shocks of a matter"):
        search_cutoffs(cutoff_game(["a"], {"a": three}, tree))
    even = CutoffEquilibrium(probability=np.full(3, 1 / 3), reach=np.ones(4), payoff=np.zeros(1))
    with pytest.raises(OptionError, match="3 shocks of a matter"):
        measure_cutoffs(cutoff_game(["a"], {"a": three}, tree), even)
    with pytest.raises(OptionError, match="uniform"):
        Shock(kind="unifrom")
    with pytest.raises(OptionError, match="low < high"):
        Shock(kind="uniform", low=1.0, high=1.0)
    with pytest.raises(OptionError, match="deviation above 0"):
        Shock(deviation=0.0)
    with pytest.raises(OptionError, match="not a player"):
        cutoff_game(["a"], {"b": [Shock()]}, end(0.0))
    with pytest.raises(OptionError, match="expected a distribution"):
        cutoff_game(["a"], {}, {"chance": {"x": (0.5, end(0.0)), "y": (0.6, end(0.0))}})
    with pytest.raises(OptionError, match="loading on another"):
        cutoff_game(["a", "b"], {"a": [Shock()]}, end(0.0, 0.0, b=(1.0,)))
    long = end(0.0)
    for _ in range(6):
        long = {"chance": {"x": (0.5, {"player": "a", "moves": {"u": end(0.0), "v": end(1.0)}}), "y": (0.5, long)}}
    game = cutoff_game(["a"], {}, {"player": "a", "moves": {"in": long, "out": end(0.0)}})
    with pytest.raises(OptionError, match="plans from node 0"):
        own_plans(game, 0, 0)
    with pytest.raises(NoAnswerError, match="the referee refused 3"):
        solve_cutoffs(crisis(), tolerance=0.0)


def test_normal_shocks_that_enter_as_one_sum_are_one():
    """Five normal shocks of which only a sum matters are solved in closed form."""
    tree = {"player": "a", "moves": {"x": end(0.0), "y": end(0.5, a=(1.0, -1.0, 1.0, 1.0, 0.0))}}
    one = solve_cutoffs(cutoff_game(["a"], {"a": [Shock(mean=0.25)] * 5}, tree))
    assert len(one) == 1
    assert one[0].probability[1] == pytest.approx(NormalDist().cdf(1.0 / 2.0), abs=1e-14)
    assert len(one[0].cutoffs) == 2
    for cut in one[0].cutoffs:
        np.testing.assert_allclose(np.array(cut.direction) / cut.direction[0], [1.0, -1.0, 1.0, 1.0, 0.0], atol=1e-12)
