"""Learning on stage games: published cycles and rest points, laws of zero-sum games, a second method, and chance that is handed in."""

import json
import sys
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sim
from sim.analysis.learning import fictitious_play, learn, replicator, stochastic_fictitious_play
from sim.cli import main
from sim.errors import OptionError
from sim.game.strategic import StrategicGame
from sim.present.learning_figure import learning_figure
from sim.solve.selection import security

CYCLE = [(0, 0), (0, 1), (1, 1), (1, 2), (2, 2), (2, 0)]


@pytest.fixture(scope="module")
def shapley(root):
    return sim.read_game(root / "scenarios" / "games" / "shapley.nfg")


def test_shapleys_cycle(shapley):
    """Shapley (1964): six cells in turn, longer and longer, and frequencies that keep swinging."""
    np.testing.assert_array_equal(shapley.payoffs[0], np.eye(3))
    np.testing.assert_array_equal(shapley.payoffs[1], [[0, 1, 0], [0, 0, 1], [1, 0, 0]])
    found = fictitious_play(shapley, 20_000, rng=np.random.default_rng(5), start=([1, 0, 0], [0, 1, 0]))
    cells, lengths = found.runs()
    assert lengths.sum() == 20_000
    assert len(cells) > 18
    places = [CYCLE.index(tuple(cell)) for cell in cells.tolist()]
    assert {(b - a) % 6 for a, b in pairwise(places)} == {1}
    grown = lengths[6:-1][6:] / lengths[6:-1][:-6]
    assert len(grown) >= 6
    assert (grown > 1.5).all()  # each comes back longer than it was
    late = found.shares[0][len(found.times) // 10 :]  # a whole turn and more
    assert (np.ptp(late, axis=0) > 0.25).all()
    assert found.regret.max() > 0.05


def plain_fictitious_play(a, b, x, y, steps):
    """A second method: frequencies kept as sums, no ties expected."""
    plays = []
    for _ in range(steps):
        row, column = np.flatnonzero(a @ y == (a @ y).max()), np.flatnonzero(x @ b == (x @ b).max())
        assert len(row) == len(column) == 1
        plays.append((int(row[0]), int(column[0])))
        x, y = x + np.eye(len(x))[row[0]], y + np.eye(len(y))[column[0]]
    return np.array(plays), x, y


def test_fictitious_play_is_that_of_a_second_method():
    rng = np.random.default_rng(11)
    for _ in range(10):
        a, b = rng.normal(size=(2, 4, 3))
        start = rng.uniform(0.5, 1.5, 4), rng.uniform(0.5, 1.5, 3)
        found = fictitious_play(StrategicGame.from_matrices(a, b), 200, rng=rng, start=start)
        plays, x, y = plain_fictitious_play(a, b, *start, 200)
        assert found.plays.shape == plays.shape
        np.testing.assert_array_equal(found.plays, plays)
        np.testing.assert_allclose(found.last[0], x / x.sum())
        np.testing.assert_allclose(found.last[1], y / y.sum())


@settings(max_examples=8)
@given(st.integers(0, 10_000))
def test_fictitious_play_finds_the_value_of_zero_sum_games(seed):
    """Robinson (1951): what each could secure against the frequencies closes in on the value, from both sides."""
    rng = np.random.default_rng(seed)
    a = rng.uniform(-1, 1, (3, 3))
    value = security(a).value
    found = fictitious_play(StrategicGame.from_matrices(a, -a), 4000, rng=rng)
    x, y = found.last
    least, most = float((x @ a).min()), float((a @ y).max())
    assert least <= value + 1e-9 <= most + 2e-9
    assert most - least < 0.12
    assert abs(found.averages.sum()) < 1e-12


@pytest.mark.parametrize(("prize", "injury", "hawks"), [(2, 3, 2 / 3), (4, 6, 2 / 3), (1, 4, 1 / 4), (5, 3, 1.0)])
@pytest.mark.parametrize("first", [0.1, 0.9])
def test_hawk_dove_rests_where_it_should(prize, injury, hawks, first):
    """Taylor & Jonker (1978): V/C hawks if V < C, hawks only otherwise."""
    a = np.array([[(prize - injury) / 2, prize], [0, prize / 2]])
    game = StrategicGame.from_matrices(a, a.T)
    one = replicator(game, 200, start=[[first, 1 - first]], populations=1)
    assert len(one.shares) == 1
    assert one.shares[0].shape == (1001, 2)
    np.testing.assert_allclose(one.last[0], [hawks, 1 - hawks], atol=1e-6)
    np.testing.assert_allclose(one.shares[0].sum(axis=1), 1, atol=1e-6)


def test_two_populations_of_hawks_and_doves_part(root):
    """With two populations the mixed rest point is a saddle: one becomes hawks, the other doves, as in the pure equilibria."""
    game = sim.read_game(root / "scenarios" / "games" / "hawk_dove.nfg")
    found = sim.equilibria(game.payoffs[0], game.payoffs[1])
    assert len(found) == 3
    parted = replicator(game, 100, start=([0.6, 0.4], [0.5, 0.5]))
    assert len(parted.shares) == 2
    np.testing.assert_allclose([parted.last[0][0], parted.last[1][0]], [1, 0], atol=1e-6)
    still = replicator(game, 5, start=([2, 1], [2, 1]))
    np.testing.assert_allclose(still.shares[0], [[2 / 3, 1 / 3]] * 1001, atol=1e-9)


def test_pennies_keep_their_distance():
    """In zero-sum games the replicator keeps the product of shares: matching pennies cycle."""
    a = np.array([[1.0, -1.0], [-1.0, 1.0]])
    found = replicator(StrategicGame.from_matrices(a, -a), 30, start=([0.7, 0.3], [0.5, 0.5]))
    kept = found.shares[0].prod(axis=1) * found.shares[1].prod(axis=1)
    np.testing.assert_allclose(kept, kept[0], rtol=1e-5)
    assert np.ptp(found.shares[1][:, 0]) > 0.3


def test_stochastic_play_settles_at_logit_equilibrium():
    """In matching pennies with a heavy penny, frequencies settle where each is the logit answer to the other."""
    a, b = np.array([[2.0, 0.0], [0.0, 1.0]]), np.array([[0.0, 1.0], [1.0, 0.0]])
    found = stochastic_fictitious_play(
        StrategicGame.from_matrices(a, b), 20_000, rng=np.random.default_rng(3), precision=3.0, noise=0.0
    )
    x, y = found.last
    for own, worth in ((x, a @ y), (y, x @ b)):
        share = np.exp(3 * worth) / np.exp(3 * worth).sum()
        np.testing.assert_allclose(own, share, atol=0.03)


def test_chance_is_handed_in_and_the_global_state_left_alone():
    game = StrategicGame.from_matrices([[1, -1], [-1, 1]], [[-1, 1], [1, -1]])
    np.random.seed(42)  # noqa: NPY002
    before = np.random.get_state()  # noqa: NPY002
    for rule in ("fictitious", "stochastic"):
        one, two, other = (learn(game, rule, steps=300, seed=seed) for seed in (0, 0, 1))
        np.testing.assert_array_equal(one.plays, two.plays)
        assert (one.plays != other.plays).any()
    after = np.random.get_state()  # noqa: NPY002
    assert before[0] == after[0]
    np.testing.assert_array_equal(before[1], after[1])
    assert before[2:] == after[2:]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda g: learn(g, "reinforcement"), "not a rule of learning"),
        (lambda g: learn(g, steps=2.5), "whole number"),
        (lambda g: learn(g, steps=0), "steps is 0"),
        (lambda g: learn(g, start={"nobody": [1, 0, 0]}), "not a player"),
        (lambda g: learn(g, start={"row": [1, 0, 0]}), "says nothing about column"),
        (lambda g: learn(g, start={"row": [1, 0], "column": [1, 0, 0]}), "expected numbers of at least 0: 3 for row"),
        (lambda g: learn(g, precision=2.0), "belongs to the stochastic rule"),
        (lambda g: learn(g, populations=1), "belongs to the replicator"),
        (lambda g: learn(g, "replicator", populations=1), "symmetric"),
        (lambda g: learn(g, "stochastic", precision=1e5), "too high"),
        (lambda g: learn(g, "replicator", start={"row": [0, 0, 0], "column": [1, 0, 0]}), "no share at all"),
    ],
)
def test_mistakes_are_told(call, message, shapley):
    with pytest.raises(OptionError, match=message):
        call(shapley)


def test_figure_and_command_line(shapley, root, tmp_path, monkeypatch, capsys):
    learning_figure(replicator(shapley, 5), tmp_path / "x.png")
    assert (tmp_path / "x.png").stat().st_size > 10_000
    words = ["learn", str(root / "scenarios" / "games" / "shapley.nfg"), "--steps", "300", "--start", "row=1,0,0"]
    words += ["--start", "column=0,1,0", "--figure", str(tmp_path / "y.svg"), "--json"]
    monkeypatch.setattr(sys, "argv", ["sim", *words])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 0
    found = json.loads(capsys.readouterr().out)
    assert found["rule"] == "fictitious"
    assert len(found["times"]) == len(found["shares"][0]) == len(found["shares"][1]) == 301
    assert (tmp_path / "y.svg").exists()
