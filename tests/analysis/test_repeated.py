"""Repeated games: printed thresholds, laws of the sets, and the referee's word on every trigger."""

import json
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sim
from sim.analysis.repeated import clip_polygon, extreme_points, repeated
from sim.cli import main
from sim.errors import OptionError
from sim.game.strategic import StrategicGame


def threshold(found, profile, kind="nash"):
    one = [x for x in found.triggers if x.profile == profile and x.kind == kind]
    assert len(one) == 1
    return one[0]


@pytest.mark.parametrize(
    ("reward", "temptation", "punishment", "sucker"), [(3, 4, 2, 1), (3, 5, 1, 0), (5, 9, 2, 0), (2, 2.5, 0, -7)]
)
def test_prisoners_dilemma(reward, temptation, punishment, sucker):
    """(T - R) / (T - P); Mailath & Samuelson (2006), section 2.5."""
    a = np.array([[reward, sucker], [temptation, punishment]], dtype=float)
    found = repeated(StrategicGame.from_matrices(a, a.T))
    np.testing.assert_allclose(found.minmax, [punishment] * 2)
    np.testing.assert_allclose(found.pure_minmax, [punishment] * 2)
    wanted = (temptation - reward) / (temptation - punishment)
    for kind in ("nash", "minmax"):
        one = threshold(found, (0, 0), kind)
        np.testing.assert_allclose(one.discounts, [wanted] * 2)
        assert one.gain < 1e-9 < one.gain_below
    assert threshold(found, (1, 1)).discount == 0
    assert {one.profile for one in found.triggers} == {(0, 0), (1, 1)}


def test_crisis_games_by_ranks(root):
    games = root / "scenarios" / "games"
    dilemma = repeated(sim.read_game(games / "prisoners_dilemma.nfg"))
    assert threshold(dilemma, (0, 0)).discount == 0.5
    chicken = repeated(sim.read_game(games / "chicken.nfg"))
    assert len(chicken.equilibria) == 3
    np.testing.assert_allclose(chicken.minmax, [2, 2])
    # (4 - 3) / (4 - 2): a deviator's opponent drives on for ever
    np.testing.assert_allclose(threshold(chicken, (0, 0)).discounts, [0.5, 0.5])
    assert {one.profile for one in chicken.triggers} == {(0, 0), (0, 1), (1, 0)}


def test_minmax_is_below_nash_reversion_where_punishing_costs_the_punisher():
    """A third action hurts both: no stage equilibrium uses it, so only the minmax threshold is lowered by it."""
    a = np.array([[3.0, 1.0, -1.0], [4.0, 2.0, -1.0], [-1.0, -1.0, -2.0]])
    found = repeated(StrategicGame.from_matrices(a, a.T))
    assert len(found.equilibria) == 1
    np.testing.assert_allclose(found.minmax, [-1, -1], atol=1e-9)
    np.testing.assert_allclose(threshold(found, (0, 0), "nash").discounts, 0.5)
    np.testing.assert_allclose(threshold(found, (0, 0), "minmax").discounts, 1 / 5)


def test_matching_pennies_in_mixed_actions():
    found = repeated(StrategicGame.from_matrices([[1, -1], [-1, 1]], [[-1, 1], [1, -1]]))
    np.testing.assert_allclose(found.pure_minmax, [1, 1])
    np.testing.assert_allclose(found.minmax, [0, 0], atol=1e-9)
    assert found.triggers == ()
    np.testing.assert_allclose(found.feasible, [[-1, 1], [1, -1]])
    np.testing.assert_allclose(found.rational, [[0, 0]], atol=1e-9)


def test_three_players_share_a_common_good():
    """Each may give 1 and all get half of what is given: giving is sustained by (T - R) / (T - P) = (1 - .5) / (1 - 0)."""
    gives = np.indices((2, 2, 2))
    payoffs = 0.5 * gives.sum(axis=0) - gives
    found = repeated(
        StrategicGame(players=("a", "b", "c"), actions=(("keep", "give"),) * 3, payoffs=payoffs.astype(float))
    )
    assert len(found.equilibria) == 1
    np.testing.assert_allclose(found.minmax, [0, 0, 0], atol=1e-9)
    np.testing.assert_allclose(threshold(found, (1, 1, 1)).discounts, [0.5] * 3)
    assert found.rational is None
    assert found.feasible.shape == (8, 3)
    # two who give are each better off than if nobody did only if half of two pays for one: never strictly
    assert not [one for one in found.triggers if sum(one.profile) in (1, 2)]


@settings(max_examples=25)
@given(st.integers(0, 100_000))
def test_laws(seed):
    rng = np.random.default_rng(seed)
    m, n = rng.integers(1, 4, 2)
    a, b = rng.integers(-3, 4, (2, m, n)).astype(float)
    found = repeated(StrategicGame.from_matrices(a, b))
    assert (found.minmax <= found.pure_minmax + 1e-9).all()
    assert found.equilibria
    for profile in found.equilibria:  # no equilibrium gives less than minmax
        values = [profile[0] @ payoff @ profile[1] for payoff in (a, b)]
        assert (np.array(values) >= found.minmax - 1e-7).all()
    points = np.stack([a.ravel(), b.ravel()], axis=1)
    assert len(found.feasible) >= 1
    assert (found.feasible[:, None] == points[None]).all(axis=2).any(axis=1).all()
    directions = rng.normal(size=(20, 2))
    np.testing.assert_allclose(
        (points @ directions.T).max(axis=0), (found.feasible @ directions.T).max(axis=0), atol=1e-9
    )
    assert len(found.rational) >= 1
    assert (found.rational >= found.minmax - 1e-7).all()
    thresholds = {(one.profile, one.kind): one for one in found.triggers}
    for (profile, kind), one in thresholds.items():
        assert 0 <= one.discount < 1
        if kind == "nash":  # harsher punishment never asks for more patience
            assert (thresholds[profile, "minmax"].discounts <= one.discounts + 1e-9).all()
    pure = [(i, j) for i in range(m) for j in range(n) if a[i, j] == a[:, j].max() and b[i, j] == b[i].max()]
    assert all(thresholds[cell, "nash"].discount == 0 for cell in pure)


def test_polygons():
    square = extreme_points([[0, 0], [1, 0], [1, 1], [0, 1], [0.5, 0.2]])
    assert square.tolist() == [[0, 0], [1, 0], [1, 1], [0, 1]]
    assert clip_polygon(square, [0.25, 0.5]).tolist() == [[0.25, 0.5], [1, 0.5], [1, 1], [0.25, 1]]
    assert clip_polygon(square, [2, 0]).shape == (0, 2)
    assert clip_polygon([[0, 1], [1, 0]], [0.5, 0]).tolist() == [[0.5, 0.5], [1, 0]]
    assert clip_polygon([[1, 1]], [0.5, 0]).tolist() == [[1, 1]]
    cube = extreme_points(np.indices((2, 2, 2)).reshape(3, -1).T)
    assert cube.shape == (8, 3)
    flat = extreme_points([[0, 0, 0], [1, 0, 1], [0, 1, 1], [1, 1, 2], [0.5, 0.5, 1]])
    assert flat.shape == (4, 3)


def test_refusals_and_command_line(root, monkeypatch, capsys):
    with pytest.raises(OptionError, match="two players or more"):
        repeated(StrategicGame(players=("a",), actions=(("x", "y"),), payoffs=np.array([[1.0, 2.0]])))
    with pytest.raises(OptionError, match="1,000"):
        repeated(StrategicGame.from_matrices(np.zeros((40, 40)), np.zeros((40, 40))))
    monkeypatch.setattr(sys, "argv", ["sim", "repeated", str(root / "scenarios/games/prisoners_dilemma.nfg"), "--json"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 0
    found = json.loads(capsys.readouterr().out)
    assert found["minmax"] == [2.0, 2.0]
    assert [one["discount"] for one in found["triggers"]] == [0.5, 0.5, 0.0, 0.0]
    monkeypatch.setattr(sys, "argv", ["sim", "repeated", str(root / "scenarios/games/centipede_4.efg")])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    assert "is a tree" in capsys.readouterr().err
