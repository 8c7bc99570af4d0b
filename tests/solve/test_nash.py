"""All equilibria of strategic games: published games, laws, and other programs."""

from fractions import Fraction
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import yaml
from conftest import needs
from hypothesis import assume, given
from hypothesis import strategies as st

import sim
from sim.errors import NoAnswerError, OptionError
from sim.game.strategic import StrategicGame, action_values, bimatrix_regret, measure_pairs, regrets
from sim.numerics import exact_vertices
from sim.solve import nash
from sim.solve.dominance import dominated, eliminate
from sim.solve.many_players import one_equilibrium, pure_equilibria
from sim.solve.nash import components, equilibria
from sim.solve.selection import pure_maximin, security

CASES = yaml.safe_load(
    (Path(__file__).parent.parent / "replication" / "strategic_games.yaml").read_text(encoding="utf-8")
)


def number(x):
    return float(Fraction(x))


def matrix(rows):
    return np.array([[number(x) for x in row] for row in rows])


def table(found):
    return np.array([[*one.row, *one.column] for one in found])


def same(first, second):
    """Compare two lists of equilibria as sets; counts first."""
    first, second = np.round(np.asarray(first, float), 7) + 0.0, np.round(np.asarray(second, float), 7) + 0.0
    assert len(first) == len(second)
    order = [np.lexsort(x.T[::-1]) for x in (first, second)]
    np.testing.assert_allclose(first[order[0]], second[order[1]], atol=1e-6)


# --- published games -----------------------------------------------------------------------------


def test_the_published_games_are_there():
    assert len([case for case in CASES if case["kind"] == "bimatrix"]) == 13
    assert len([case for case in CASES if case["kind"] == "zero_sum"]) == 1


@pytest.mark.parametrize("case", [case for case in CASES if case["kind"] == "bimatrix"], ids=lambda case: case["id"])
def test_published_bimatrix(case):
    a, b, known = matrix(case["a"]), matrix(case["b"]), case["expected"]
    found = sim.equilibria(a, b)
    assert len(found) == known["n_equilibria"]
    pure = [
        (int(np.argmax(one.row)), int(np.argmax(one.column))) for one in found if max(one.row) == max(one.column) == 1
    ]
    mixed = [one for one in found if not max(one.row) == max(one.column) == 1]
    game = StrategicGame.from_matrices(a, b)
    assert sorted(pure) == sorted(map(tuple, known["pure_nash"])) == list(pure_equilibria(game))
    if "mixed" in known:
        assert len(mixed) == len(known["mixed"])
        for one, expected in zip(mixed, known["mixed"], strict=True):
            np.testing.assert_allclose(one.row, [number(x) for x in expected["p"]], atol=1e-12)
            np.testing.assert_allclose(one.column, [number(x) for x in expected["q"]], atol=1e-12)
            np.testing.assert_allclose(one.values, [number(x) for x in expected["payoffs"]], atol=1e-12)
    for one in found:
        assert one.max_regret <= 1e-12
        assert one.complete == "proved"
    if "dominant" in known:
        gone = dominated(game)
        for player, action in enumerate(known["dominant"]):
            left = {0, 1} - {one.action for one in gone if one.player == player}
            assert left == ({action} if action is not None else {0, 1})
    if "maximin" in known:
        assert [pure_maximin(game.payoffs, player)[1] for player in (0, 1)] == [(k,) for k in known["maximin"]]
    if "pareto_dominated_nash" in known:
        worse = [[i, j] for i, j in pure if any(a[k] > a[i, j] and b[k] > b[i, j] for k in product(range(2), range(2)))]
        assert worse == known["pareto_dominated_nash"]


@pytest.mark.parametrize("case", [case for case in CASES if case["kind"] == "zero_sum"], ids=lambda case: case["id"])
def test_published_zero_sum(case):
    a, known = matrix(case["a"]), case["expected"]
    answer = security(a)
    assert answer.value == pytest.approx(number(known["value"]), abs=1e-9)
    assert answer.gap <= 1e-8
    found = equilibria(a, 1 - a)
    assert len(found) == 1
    np.testing.assert_allclose(found[0].row, [number(x) for x in known["p"]], atol=1e-12)
    np.testing.assert_allclose(found[0].column, [number(x) for x in known["q"]], atol=1e-12)
    np.testing.assert_allclose(answer.strategy, found[0].row, atol=1e-8)
    np.testing.assert_allclose(answer.punishment, found[0].column, atol=1e-8)


def test_components_meet():
    """One extreme equilibrium in two maximal components, one component with four vertices, exact ties."""
    found = equilibria([[1, 1], [0, 1]], [[1, 1], [0, 1]])
    assert [one.component for one in found] == [(0,), (0, 1), (1,)]
    assert [component.members for component in components(found)] == [(0, 1), (1, 2)]
    flat = equilibria(np.zeros((2, 3)), np.zeros((2, 3)))
    assert len(flat) == 6
    assert {one.component for one in flat} == {(0,)}
    (whole,) = components(flat)
    assert whole.rows.shape == (2, 2)
    assert whole.columns.shape == (3, 3)


# --- laws ----------------------------------------------------------------------------------------

small = st.integers(2, 4)
payoff = st.integers(-3, 3)


@st.composite
def games(draw, entries=payoff):
    m, n = draw(small), draw(small)
    rows = st.lists(st.lists(entries, min_size=n, max_size=n), min_size=m, max_size=m)
    return np.array(draw(rows), float), np.array(draw(rows), float)


@given(games())
def test_every_equilibrium_is_measured_by_plain_code(game):
    a, b = game
    found = equilibria(a, b)
    assert found
    assert len({tuple(line) for line in table(found).round(9).tolist()}) == len(found)
    for one in found:
        assert one.row.sum() == pytest.approx(1)
        assert (a @ one.column).max() - one.row @ a @ one.column <= 1e-12
        assert (one.row @ b).max() - one.row @ b @ one.column <= 1e-12
        np.testing.assert_allclose(one.values, [one.row @ a @ one.column, one.row @ b @ one.column], atol=1e-12)
    for component in components(found):  # mixtures within a component are equilibria too
        x, y = component.rows.mean(axis=0), component.columns.mean(axis=0)
        assert bimatrix_regret(a[None], b[None], x[None], y[None])[0] <= 1e-9


@given(games(), st.randoms(use_true_random=False))
def test_relabelling(game, random):
    a, b = game
    rows, columns = list(range(a.shape[0])), list(range(a.shape[1]))
    random.shuffle(rows)
    random.shuffle(columns)
    turned = table(equilibria(a[np.ix_(rows, columns)], b[np.ix_(rows, columns)]))
    plain = table(equilibria(a, b))[:, [*rows, *(len(rows) + np.array(columns))]]
    same(turned, plain)
    same(
        table(equilibria(b.T, a.T)),
        table(equilibria(a, b))[:, [*range(len(rows), len(rows) + len(columns)), *range(len(rows))]],
    )


@given(games(), st.floats(0.01, 100), st.floats(-50, 50), st.floats(-5, 5))
def test_positive_affine_changes(game, factor, shift, other):
    a, b = game
    moved = equilibria(factor * a + shift, b / factor + other)
    plain = equilibria(a, b)
    same(table(moved), table(plain))
    assert [one.component for one in moved] == [one.component for one in plain]


@given(games(st.floats(-1, 1)))
def test_odd_unless_degenerate(game):
    a, b = game
    found = equilibria(a[None], b[None])
    if not found.degenerate[0]:
        assert found.counts[0] % 2 == 1
        assert all(len(one.component) == 1 for one in found[0])
    assert found.max_regret.max() <= 1e-8
    assert found.complete[0] == "proved"


@given(games())
def test_floats_and_whole_numbers_agree(game):
    """The two methods of enumeration on games that both can answer."""
    a, b = game
    exact = exact_vertices.exact_pairs(
        exact_vertices.whole(a.tolist(), ties=0), exact_vertices.whole(b.tolist(), ties=0)
    )
    same(table(equilibria(a, b)), [[float(x) for x in (*x, *y)] for x, y in exact])


@given(games(st.floats(-1, 1)))
def test_generic_floats_and_whole_numbers_agree(game):
    a, b = game
    found = equilibria(a[None], b[None])
    assume(not found.degenerate[0])
    exact = exact_vertices.exact_pairs(
        exact_vertices.whole(a.tolist(), ties=0), exact_vertices.whole(b.tolist(), ties=0)
    )
    same(table(found[0]), [[float(x) for x in (*x, *y)] for x, y in exact])


@given(games())
def test_what_iterated_dominance_strikes_out_is_never_played(game):
    a, b = game
    left = eliminate(StrategicGame.from_matrices(a, b)).left
    for one in equilibria(a, b):
        assert set(np.flatnonzero(one.row)) <= set(left[0])
        assert set(np.flatnonzero(one.column)) <= set(left[1])


def test_a_batch_is_its_games():
    rng = np.random.default_rng(3)
    for m, n in [(1, 1), (1, 3), (2, 2), (2, 4), (3, 3), (4, 3), (4, 4)]:
        a, b = (rng.integers(-3, 4, (60, m, n)).astype(float) for _ in range(2))
        batch = equilibria(a, b)
        assert len(batch) == 60
        assert batch.offsets[-1] == len(batch.row) >= 60
        for v, found in enumerate(batch):
            single = equilibria(a[v], b[v])
            assert len(found) == len(single) == batch.counts[v]
            np.testing.assert_array_equal(table(found), table(single))
            assert [one.component for one in found] == [one.component for one in single]
        order = np.array([list(line) for v in range(60) for line in table(batch[v])])
        assert np.array_equal(order, np.hstack([batch.row, batch.column]))


@pytest.mark.parametrize("size", [(1, 1), (1, 2), (2, 2), (2, 3), (3, 3), (4, 4), (3, 4)])
def test_beaten_actions_around_a_game_change_nothing(size):
    rng = np.random.default_rng(12)
    for v in range(20):
        a, b = rng.random((2, *size)) if v % 2 else rng.integers(-2, 3, (2, *size)).astype(float)
        m, n = size[0] + 2, size[1] + 3
        rows, columns = np.sort(rng.permutation(m)[: size[0]]), np.sort(rng.permutation(n)[: size[1]])
        large_a, large_b = rng.random((2, m, n)) - 9.0
        large_a[np.ix_(rows, range(n))] += 7.0
        large_b[np.ix_(range(m), columns)] += 7.0
        large_a[np.ix_(rows, columns)], large_b[np.ix_(rows, columns)] = a, b
        found = table(equilibria(large_a, large_b))
        same(found[:, [*rows, *(m + columns)]], table(equilibria(a, b)))
        np.testing.assert_allclose(found[:, [*rows, *(m + columns)]].sum(axis=1), 2.0)


def test_no_games_no_equilibria():
    none = equilibria(np.zeros((0, 2, 2)), np.zeros((0, 2, 2)))
    assert len(none) == 0
    assert none.row.shape == (0, 2)


def test_threads_do_not_matter(monkeypatch):
    rng = np.random.default_rng(4)
    a, b = rng.random((2, 500, 3, 4))
    many = equilibria(a, b)
    monkeypatch.setenv("SIM_THREADS", "1")
    one = equilibria(a, b)
    assert np.array_equal(many.row, one.row)
    assert np.array_equal(many.offsets, one.offsets)


# --- ties ----------------------------------------------------------------------------------------


def test_decimals_that_are_meant_to_be_equal_are_equal():
    a = [[0.1 + 0.2, 0.0, 0.5], [0.3, 0.0, 0.1], [0.0, 0.2, 0.1]]
    b = [[0.0, 0.0, -1.0], [0.0, 0.0, -1.0], [0.0, 0.0, -1.0]]
    meant = [[0.3, 0.0, 0.5], [0.3, 0.0, 0.1], [0.0, 0.2, 0.1]]
    same(table(equilibria(a, b)), table(equilibria(meant, b)))
    assert len(equilibria(a, b, ties=0)) < len(equilibria(a, b))


@pytest.mark.parametrize("gap", [1e-6, 1e-7, 3e-8, 1e-8, 3e-9, 1e-10, 1e-12])
def test_near_ties(gap):
    """A gap above a tie separates, one below does not; in between floats hand over to whole numbers."""
    a = np.array([[1 + gap, 0, 0], [1, 0, 0], [0, 1, 2]])
    b = np.array([[1.0, 0, 0], [1, 0, 0], [0, 0, 2]])
    found = equilibria(a, b)
    assert all(one.complete == "proved" and one.max_regret <= 1e-8 for one in found)
    span = float(np.ptp(a))
    tied = np.where(a == 1 + gap, 1.0, a) if gap <= 1e-9 * span else a
    same(table(found), table(equilibria(tied, b, ties=0)))


def test_doubtful_and_too_large_for_whole_numbers(monkeypatch):
    rng = np.random.default_rng(8)
    a, b = (rng.integers(-1, 2, (6, 6)).astype(float) for _ in range(2))
    proved = equilibria(a, b)
    original = exact_vertices.exact_pairs
    monkeypatch.setattr(exact_vertices, "exact_pairs", lambda a, b: original(a, b, most=5))
    found = equilibria(a, b)
    assert proved[0].complete == "proved"
    assert {one.complete for one in found} <= {"index check only", "not claimed"}
    assert 1 <= len(found) <= len(proved)
    assert max(one.max_regret for one in found) <= 1e-8


def test_indices_sum_to_one():
    rng = np.random.default_rng(9)
    for _ in range(30):
        a, b = rng.random((2, 3, 3))
        found = equilibria(a, b)
        assert sum(nash._index(a, b, line) for line in table(found)) == 1


# --- mistakes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [
        ([[1, 2]], [[1], [2]], "shapes"),
        ([1, 2], [1, 2], "shapes"),
        (np.zeros((2, 0)), np.zeros((2, 0)), "shapes"),
        ([[1, float("nan")]], [[1, 2]], "not finite"),
        ([[1, 2], [1, float("inf")]], [[1, 2], [3, 4]], "not finite"),
        ([[1, 2], [3]], [[1, 2], [3, 4]], "not arrays of numbers"),
        ([["x"]], [["y"]], "not arrays of numbers"),
    ],
)
def test_mistakes_are_told(a, b, said):
    with pytest.raises(OptionError, match=said):
        equilibria(a, b)


def test_the_game_with_the_mistake_is_named():
    a = np.zeros((4, 2, 3))
    a[2, 1, 1] = np.nan
    with pytest.raises(OptionError, match="game 2"):
        equilibria(a, np.zeros((4, 2, 3)))
    with pytest.raises(OptionError, match="ties"):
        equilibria([[1]], [[1]], ties=-1)


def test_too_large_is_told():
    with pytest.raises(NoAnswerError, match="40 × 40"):
        equilibria(np.random.default_rng(0).random((40, 40)), np.random.default_rng(1).random((40, 40)))


# --- many players --------------------------------------------------------------------------------


def many(payoffs):
    shape = payoffs.shape[1:]
    return StrategicGame(
        players=tuple(f"p{i}" for i in range(len(shape))),
        actions=tuple(tuple(str(k) for k in range(size)) for size in shape),
        payoffs=payoffs,
    )


@pytest.mark.parametrize("shape", [(2, 2, 2), (3, 2, 4), (3, 3, 3), (2, 2, 2, 2)])
@pytest.mark.parametrize("whole", [False, True])
def test_one_certified_equilibrium(shape, whole):
    rng = np.random.default_rng(5)
    for _ in range(8):
        size = (len(shape), *shape)
        payoffs = rng.integers(-2, 3, size).astype(float) if whole else rng.random(size)
        found = one_equilibrium(many(payoffs))
        assert found.max_regret <= 1e-8
        for i, own in enumerate(found.profile):  # measured by sums over all choices, not by the referee
            earned = np.zeros(shape[i])
            for choice in product(*map(range, shape)):
                weight = np.prod([found.profile[j][k] for j, k in enumerate(choice) if j != i])
                earned[choice[i]] += weight * payoffs[(i, *choice)]
            assert earned.max() - earned @ own <= 1e-8 * np.ptp(payoffs[i])
            np.testing.assert_allclose(earned, action_values(payoffs, found.profile, i), atol=1e-12)


def test_pure_equilibria_of_three_players():
    """All three choose one of two sides; whoever is alone loses (Schelling's meeting game)."""
    payoffs = np.array([[[[float(k == j == i) for k in (0, 1)] for j in (0, 1)] for i in (0, 1)]] * 3)
    game = many(payoffs)
    brute = [
        s
        for s in product((0, 1), repeat=3)
        if all(payoffs[(i, *s)] >= payoffs[(i, *s[:i], 1 - s[i], *s[i + 1 :])] for i in range(3))
    ]
    assert len(brute) == 2
    assert list(pure_equilibria(game)) == brute


def test_three_player_pennies_has_no_pure_equilibrium():
    """Jordan's game: each wants to match, or not, the next one; only the uniform mixture is an equilibrium."""
    payoffs = np.zeros((3, 2, 2, 2))
    for s in product((0, 1), repeat=3):
        payoffs[0][s], payoffs[1][s], payoffs[2][s] = s[0] == s[1], s[1] == s[2], s[2] != s[0]
    assert pure_equilibria(many(payoffs)) == ()
    found = one_equilibrium(many(payoffs))
    assert len(found.profile) == 3
    for own in found.profile:
        np.testing.assert_allclose(own, 0.5, atol=1e-9)


def test_referees_agree():
    rng = np.random.default_rng(6)
    a, b = rng.random((2, 40, 3, 4))
    x, y = rng.dirichlet(np.ones(3), 40), rng.dirichlet(np.ones(4), 40)
    batch = bimatrix_regret(a, b, x, y)
    _, other = measure_pairs(a, b, np.arange(41), x, y)
    assert len(batch) == len(other) == 40
    np.testing.assert_allclose(batch, other, atol=1e-12)
    plain = [regrets(np.stack([a[v], b[v]]), [x[v], y[v]]).max() for v in range(40)]
    np.testing.assert_allclose(batch, plain, atol=1e-12)
    assert batch.min() > 0


# --- other programs ------------------------------------------------------------------------------


def from_gambit(game, profile):
    return [float(share) for player in game.players for _, share in profile[player]]


@pytest.mark.oracle
@needs("pygambit")
def test_gambit_finds_the_same_on_degenerate_games():
    import pygambit

    rng = np.random.default_rng(0)
    total, several = 0, 0
    for _ in range(500):
        m, n = rng.integers(2, 5, 2)
        a, b = rng.integers(-3, 4, (2, m, n))
        game = pygambit.StrategicGame.from_arrays(a.astype(object), b.astype(object))
        theirs = pygambit.nash.enummixed_solve(game, rational=True, cliques=True)
        ours = equilibria(a, b)
        listed = {tuple(from_gambit(game, one)) for one in theirs.equilibria}  # some stand twice in Gambit's list
        same(table(ours), sorted(listed))
        assert len({number for one in ours for number in one.component}) == len(theirs.cliques)
        total += len(ours)
        several += len(ours) > 1
        assert {one.complete for one in ours} == {"proved"}
    assert total > 1000
    assert several > 200


@pytest.mark.oracle
@pytest.mark.parametrize("size", [(2, 2), (3, 3), (2, 4), (4, 4), (5, 3)])
def test_nashpy_finds_the_same_on_generic_games(size):
    import nashpy

    rng = np.random.default_rng(1)
    for _ in range(15):
        a, b = rng.random((2, *size))
        theirs = [np.concatenate(pair) for pair in nashpy.Game(a, b).vertex_enumeration()]
        assert theirs
        same(table(equilibria(a, b)), theirs)


@pytest.mark.oracle
@needs("quantecon")
@pytest.mark.parametrize("size", [(6, 6), (8, 8), (7, 4)])
def test_quantecon_finds_the_same_on_larger_games(size):
    import quantecon.game_theory as gt

    rng = np.random.default_rng(2)
    for _ in range(4):
        a, b = rng.random((2, *size))
        theirs = [
            np.concatenate(pair) for pair in gt.vertex_enumeration(gt.NormalFormGame((gt.Player(a), gt.Player(b.T))))
        ]
        assert theirs
        same(table(equilibria(a, b)), theirs)
