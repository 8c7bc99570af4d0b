"""Dominance, rationalisability, correlated equilibrium, security levels and selection in strategic games."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.errors import OptionError
from sim.game.strategic import StrategicGame, bimatrix_regret, obedience, regrets
from sim.solve.correlated import correlated
from sim.solve.dominance import dominated, eliminate, rationalisable
from sim.solve.nash import equilibria
from sim.solve.selection import RULES, payoff_dominant, pure_maximin, risk_dominant, security, select

payoff = st.integers(-3, 3)


@st.composite
def games(draw, players=(2, 3)):
    shape = draw(st.lists(st.integers(1, 3), min_size=min(players), max_size=max(players)))
    count = len(shape) * int(np.prod(shape))
    flat = draw(st.lists(payoff, min_size=count, max_size=count))
    return many(np.array(flat, float).reshape(len(shape), *shape))


def many(payoffs):
    shape = payoffs.shape[1:]
    return StrategicGame(
        players=tuple(f"p{i}" for i in range(len(shape))),
        actions=tuple(tuple(str(k) for k in range(size)) for size in shape),
        payoffs=payoffs,
    )


# --- dominance -----------------------------------------------------------------------------------


def test_a_mixture_dominates_where_no_pure_action_does():
    """Fudenberg & Tirole (1991), section 2.1: half and half of the first two rows beats the third."""
    game = StrategicGame.from_matrices([[2, -1], [-1, 2], [0, 0]], np.zeros((3, 2)))
    found = dominated(game)
    assert [(one.player, one.action) for one in found] == [(0, 2)]
    np.testing.assert_allclose(found[0].mixture, [0.5, 0.5, 0], atol=1e-7)
    assert found[0].margin == pytest.approx(0.5 / 3)


def test_weak_dominance_is_weaker():
    game = StrategicGame.from_matrices([[1, 1], [1, 0]], [[0, 0], [0, 0]])
    assert dominated(game) == ()
    assert [(one.player, one.action) for one in dominated(game, kind="weak")] == [(0, 1)]
    assert eliminate(game, kind="weak").left == ((0,), (0, 1))
    with pytest.raises(OptionError, match="strict"):
        dominated(game, kind="very")


def test_elimination_records_its_order():
    """A game that four rounds solve, one action at a time."""
    a, b = [[3, 0, 2], [1, 1, 1], [0, 4, 0]], [[2, 1, 3], [1, 2, 1], [3, 2, 0]]
    game = StrategicGame.from_matrices(a, b)
    found = eliminate(game)
    assert [one.round for one in found.order] == sorted(one.round for one in found.order)
    for one in found.order:  # each is dominated in the full game's payoffs against what was left then
        gone = {(other.player, other.action) for other in found.order if other.round < one.round}
        left = [[k for k in range(3) if (i, k) not in gone] for i in range(2)]
        own = game.payoffs[0] if one.player == 0 else game.payoffs[1].T
        gain = (one.mixture @ own - own[one.action])[left[1 - one.player]]
        assert gain.min() > 0
    assert found.left == rationalisable(game)


@given(games())
def test_rationalisable_is_what_strict_elimination_leaves(game):
    """Two linear programmes, on mixtures and on beliefs (Pearce 1984)."""
    found = eliminate(game)
    assert rationalisable(game) == found.left
    assert all(found.left)
    assert len(found.order) == sum(game.payoffs.shape[1:]) - sum(map(len, found.left))


@given(games())
def test_dominating_mixtures_dominate(game):
    for kind in ("strict", "weak"):
        for one in dominated(game, kind=kind):
            own = np.moveaxis(game.payoffs[one.player], one.player, 0).reshape(len(one.mixture), -1)
            gain = one.mixture @ own - own[one.action]
            assert one.mixture.sum() == pytest.approx(1)
            assert gain.min() > 0 if kind == "strict" else (gain.min() > -1e-7 and gain.max() > 0)
    assert {(one.player, one.action) for one in dominated(game)} <= {
        (one.player, one.action) for one in dominated(game, kind="weak")
    }


# --- correlated equilibrium ----------------------------------------------------------------------


def test_aumann_chicken():
    """Aumann (1974): the best sum is 10.5, above every mixture of Nash equilibria; best for one player is a pure equilibrium."""
    game = StrategicGame.from_matrices([[6, 2], [7, 0]], [[6, 7], [2, 0]])
    best = correlated(game)
    np.testing.assert_allclose(best.values, [5.25, 5.25], atol=1e-8)
    np.testing.assert_allclose(best.distribution, [[0.5, 0.25], [0.25, 0]], atol=1e-8)
    assert best.violation <= 1e-8
    np.testing.assert_allclose(correlated(game, "row").values, [7, 2], atol=1e-8)
    np.testing.assert_allclose(correlated(game, "row", end="worst").values, [2, 7], atol=1e-8)
    assert correlated(game, end="worst").values.sum() <= 9 + 1e-7  # the pure equilibria's sum
    with pytest.raises(OptionError, match="rov"):
        correlated(game, "rov")
    with pytest.raises(OptionError, match="middling"):
        correlated(game, end="middling")


@given(games())
def test_correlated_equilibria_obey_and_bound(game):
    best, worst = correlated(game, "p0"), correlated(game, "p0", end="worst")
    for one in (best, worst):
        assert one.distribution.min() >= 0
        assert one.distribution.sum() == pytest.approx(1)
        for i, size in enumerate(game.payoffs.shape[1:]):
            u, p = np.moveaxis(game.payoffs[i], i, 0), np.moveaxis(one.distribution, i, 0)
            for k in range(size):
                assert max((p[k] * (u[j] - u[k])).sum() for j in range(size)) <= 1e-6
    assert best.values[0] >= worst.values[0] - 1e-6
    if len(game.players) == 2:
        for nash in equilibria(*game.payoffs):
            assert worst.values[0] - 1e-6 <= nash.values[0] <= best.values[0] + 1e-6
            assert obedience(game.payoffs, np.outer(nash.row, nash.column)).max() <= 1e-9
    security_level = security(game.payoffs, 0).value
    assert worst.values[0] >= security_level - 1e-6


# --- security ------------------------------------------------------------------------------------


@given(games())
def test_security_is_between_pure_levels(game):
    for player in range(len(game.players)):
        found = security(game.payoffs, player)
        own = np.moveaxis(game.payoffs[player], player, 0).reshape(len(found.strategy), -1)
        assert pure_maximin(game.payoffs, player)[0] - 1e-7 <= found.value <= own.max(axis=0).min() + 1e-7
        assert (found.strategy @ own).min() >= found.value - 1e-7
        assert (own @ found.punishment.ravel()).max() <= found.value + 1e-7


@given(games(players=(2, 2)))
def test_zero_sum_equilibria_earn_the_value(game):
    a = game.payoffs[0]
    found = equilibria(a, -a)
    value = security(a).value
    assert found
    for one in found:
        assert one.values[0] == pytest.approx(value, abs=1e-7)
    assert len({one.component for one in found}) == 1  # the equilibria of a zero-sum game are one product


# --- selection -----------------------------------------------------------------------------------


def test_stag_hunt_and_chicken():
    stag, chicken = ([[10, 1], [8, 5]], [[10, 8], [1, 5]]), ([[3, 2], [4, 1]], [[3, 4], [2, 1]])
    assert risk_dominant(*stag) == (1, 1)
    assert payoff_dominant([one.values for one in equilibria(*stag)]) == 0
    assert risk_dominant(*chicken) is None
    assert payoff_dominant([one.values for one in equilibria(*chicken)]) is None
    assert risk_dominant([[1, 0], [2, 3]], [[1, 0], [2, 3]]) is None  # one equilibrium only
    with pytest.raises(OptionError, match="3 × 2"):
        risk_dominant(np.zeros((3, 2)), np.zeros((3, 2)))
    assert risk_dominant([[0, 9], [1, 0]], [[0, 2], [7, 0]]) == (0, 1)  # products of losses 9 × 2 against 1 × 7


def plain_choice(a, b, rule, found):
    """Choose one by one, with loops; ``None`` where the rule leaves none or several."""
    tie = [1e-9 * (np.ptp(a) or 1), 1e-9 * (np.ptp(b) or 1)]
    values = [one.values for one in found]
    if rule == "first":
        return 0
    if rule == "payoff_dominant":
        good = [
            k for k, one in enumerate(values) if all(one[i] >= other[i] - tie[i] for other in values for i in (0, 1))
        ]
    elif rule == "risk_dominant":
        place = risk_dominant(a, b)
        good = [k for k, one in enumerate(found) if place and one.row[place[0]] == one.column[place[1]] == 1]
        good = [0] if len(found) == 1 else good
    else:
        i, sign = int(rule.endswith("column")), 1 if rule.startswith("best") else -1
        good = [k for k, one in enumerate(values) if all(sign * (one[i] - other[i]) >= -tie[i] for other in values)]
    return good[0] if len(good) == 1 else None


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("size", [(2, 2), (3, 3)])
def test_batches_choose_as_loops_do(rule, size):
    rng = np.random.default_rng(7)
    a, b = rng.integers(-3, 4, (2, 300, *size)).astype(float)
    found = equilibria(a, b)
    if rule == "risk_dominant" and size != (2, 2):
        with pytest.raises(OptionError, match="3 × 3"):
            select(a, b, rule, found)
        return
    chosen = select(a, b, rule, found)
    assert len(chosen.index) == len(chosen.decided) == 300
    expected = [plain_choice(a[v], b[v], rule, found[v]) for v in range(300)]
    assert [bool(x) for x in chosen.decided] == [x is not None for x in expected]
    assert [int(k) for k, x in zip(chosen.index, expected, strict=True) if x is not None] == [
        x for x in expected if x is not None
    ]
    assert chosen.decided.any()
    assert np.array_equal(found.offsets[:-1] + chosen.index, chosen.place)
    assert (chosen.index >= 0).all()
    assert (chosen.index < found.counts).all()
    x, y = found.row[chosen.place], found.column[chosen.place]
    assert bimatrix_regret(a, b, x, y).max() <= 1e-8


def test_the_fallback_decides_among_what_is_left():
    chicken = np.array([[[3.0, 2.0], [4.0, 1.0]]])
    found = equilibria(chicken, chicken.transpose(0, 2, 1))
    for fallback, index in (("best_for_row", 2), ("best_for_column", 0), ("first", 0), ("worst_for_row", 0)):
        chosen = select(chicken, chicken.transpose(0, 2, 1), "payoff_dominant", found, fallback=fallback)
        assert (int(chosen.index[0]), bool(chosen.decided[0])) == (index, False)
    with pytest.raises(OptionError, match="payoff_dominant"):
        select(chicken, chicken, "payof_dominant", found)
    with pytest.raises(OptionError, match="fallback"):
        select(chicken, chicken, "first", found, fallback="lst")
    with pytest.raises(OptionError, match="shape"):
        select(np.zeros((2, 2, 2)), np.zeros((2, 2, 2)), "first", found)


def test_strategic_games_refuse_what_does_not_fit():
    with pytest.raises(OptionError, match="shape"):
        StrategicGame(players=("a",), actions=(("x", "y"),), payoffs=np.zeros((1, 3)))
    with pytest.raises(OptionError, match="twice"):
        StrategicGame(players=("a", "a"), actions=(("x",), ("y",)), payoffs=np.zeros((2, 1, 1)))
    with pytest.raises(OptionError, match="not finite"):
        StrategicGame.from_matrices([[np.nan]], [[1]])
    with pytest.raises(OptionError, match="one shape"):
        StrategicGame.from_matrices([[1, 2]], [[1]])
    with pytest.raises(OptionError, match="distribution"):
        regrets(np.zeros((2, 2, 2)), [np.array([0.5, 0.6]), np.array([1.0, 0.0])])
    with pytest.raises(OptionError, match="expected one strategy"):
        regrets(np.zeros((2, 2, 2)), [np.array([1.0]), np.array([1.0, 0.0])])
