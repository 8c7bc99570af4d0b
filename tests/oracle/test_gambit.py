"""Gambit must agree: its catalogue through our reader and writer, its exact enumeration, and its logit tracer."""

import io

import numpy as np
import pytest
from conftest import needs

import sim
from sim.construct.gambit import game_text, tree_of
from sim.construct.gambit_read import parse_game
from sim.errors import OptionError
from sim.game.normal_form import strategic_form
from sim.game.strategic import StrategicGame
from sim.game.tree import CHANCE
from sim.scenario.load import loads
from sim.solve.behaviour import quantal_response
from sim.solve.game_files import solve_file_game
from sim.solve.logit_path import logit_branch

pytestmark = [pytest.mark.oracle, needs("pygambit")]
PAIR = 2


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory):
    """Every game of the catalogue, saved by Gambit and read by us: Gambit's, ours, by name."""
    import pygambit

    folder, out = tmp_path_factory.mktemp("catalogue"), {}
    for name in pygambit.catalog.games()["Game"]:
        theirs = pygambit.catalog.load(name)
        form = "efg" if isinstance(theirs, pygambit.ExtensiveGame) else "nfg"
        path = folder / f"{name.replace('/', '_')}.{form}"
        path.write_text(theirs.to_efg() if form == "efg" else theirs.to_nfg(), encoding="utf-8")
        out[name] = (theirs, sim.read_game(path))
    assert len(out) >= 40
    assert sum(isinstance(ours, StrategicGame) for _, ours in out.values()) >= 8
    return out


def read(text):
    import pygambit

    reader = pygambit.read_efg if text.startswith("EFG") else pygambit.read_nfg
    return reader(io.BytesIO(text.encode()))


def test_the_catalogue_is_read_as_gambit_reads_it(catalogue):
    for theirs, ours in catalogue.values():
        assert ours.title == theirs.title
        assert list(ours.players) == list(theirs.players)
        if isinstance(ours, StrategicGame):
            arrays = theirs.to_arrays(dtype=float)
            np.testing.assert_array_equal(ours.payoffs, np.array(arrays))
        else:
            assert len(ours.terminals) >= 2
            np.testing.assert_allclose(ours.payoffs[ours.terminals].max(), float(theirs.max_payoff), atol=0)
            np.testing.assert_allclose(ours.payoffs[ours.terminals].min(), float(theirs.min_payoff), atol=0)
            assert bool(theirs.is_perfect_recall) == (not ours.forgetful())


def test_what_we_write_gambit_reads_the_same(catalogue):
    for theirs, ours in catalogue.values():
        form = "nfg" if isinstance(ours, StrategicGame) else "efg"
        again = read(game_text(ours, form))
        text = again.to_nfg() if form == "nfg" else again.to_efg()
        back = parse_game(text)
        if form == "nfg":
            np.testing.assert_array_equal(back.payoffs, ours.payoffs)
            assert back.actions == ours.actions
        else:
            for name in ("node_infoset", "node_parent", "node_action", "payoffs"):
                np.testing.assert_array_equal(getattr(back, name), getattr(ours, name))
            assert [one.actions for one in back.infosets] == [one.actions for one in ours.infosets]
            assert [one.shares for one in back.infosets] == [one.shares for one in ours.infosets]
        assert list(again.players) == list(theirs.players)


def profiles(result):
    """Flatten Gambit's equilibria, in an order that rounding does not disturb."""
    return in_order(tuple(float(share) for own in profile for _, share in own) for profile in result)


def in_order(found):
    return sorted(found, key=lambda shares: tuple(round(share, 7) for share in shares))


def mine(answer):
    """Flatten ours."""
    return in_order(tuple(share for own in play.strategies.values() for share in own.values()) for play in answer.plays)


def test_two_player_games_have_the_same_extreme_equilibria(catalogue):
    import pygambit

    counted = 0
    for name, (theirs, ours) in catalogue.items():
        if not isinstance(ours, StrategicGame) or len(ours.players) != PAIR:
            continue
        result = pygambit.nash.enummixed_solve(theirs, rational=True)
        wanted = profiles(result.equilibria)
        answer = solve_file_game(ours)
        found = mine(answer)
        assert len(found) == len(wanted), name
        np.testing.assert_allclose(found, wanted, atol=1e-9)
        assert answer.complete == "proved"
        counted += 1
    assert counted >= 5


def test_strategic_forms_have_the_same_extreme_equilibria(catalogue):
    """Trees with information sets and two players, by way of the strategic form that we build and Gambit's enumeration of it."""
    import pygambit

    counted = 0
    for name, (_, ours) in catalogue.items():
        if isinstance(ours, StrategicGame) or len(ours.players) != PAIR or ours.forgetful():
            continue
        form = strategic_form(ours)
        if max(form.payoffs.shape[1:]) > 8:
            continue
        theirs = read(game_text(form, "nfg"))
        wanted = profiles(pygambit.nash.enummixed_solve(theirs, rational=True).equilibria)
        found = mine(solve_file_game(form))
        assert len(found) == len(wanted), name
        np.testing.assert_allclose(found, wanted, atol=1e-9)
        counted += 1
    assert counted >= 8


def recursion(tree, node):
    """Backward induction in ten lines; the first of the best."""
    below = [n for n in range(tree.node_count) if tree.node_parent[n] == node]
    if not below:
        return tree.payoffs[node]
    values = [recursion(tree, n) for n in below]
    player = tree.node_player[node]
    if player == CHANCE:
        return sum(tree.chance[tree.node_action[n]] * value for n, value in zip(below, values, strict=True))
    return max(values, key=lambda value: value[player])


def test_perfect_information_trees_have_the_same_values(catalogue, root):
    found = {
        name: ours
        for name, (_, ours) in catalogue.items()
        if not isinstance(ours, StrategicGame) and ours.perfect_information
    }
    found |= {
        name: sim.read_game(root / "scenarios" / "games" / f"{name}.efg") for name in ("centipede_4", "centipede_6")
    }
    assert len(found) >= 6
    for tree in found.values():
        answer = solve_file_game(tree)
        assert answer.concept == "subgame_perfect"
        np.testing.assert_allclose(answer.plays[0].values, recursion(tree, 0), atol=1e-12)


def behaviour(theirs, ours, profile):
    """Set Gambit's probabilities beside ours, information set by information set."""
    other = [dict(own) if isinstance(own, dict) else own for player in theirs for _, own in player]
    ours_by_set = [
        dict(zip(one.actions, profile[one.places], strict=True))
        for player in range(len(ours.players))
        for one in ours.infosets
        if one.player == player
    ]
    assert len(other) == len(ours_by_set) >= 1
    return [
        (own[action], float(their[action])) for own, their in zip(ours_by_set, other, strict=True) for action in own
    ]


@pytest.mark.parametrize("precision", [0.5, 1.0, 3.0, 10.0])
def test_logit_in_behaviour_form_agrees(catalogue, precision):
    import pygambit

    counted = 0
    for name, (theirs, ours) in catalogue.items():
        if isinstance(ours, StrategicGame) or ours.absent_minded():
            continue
        met = []
        branch = pygambit.qre.logit_solve_lambda(
            theirs, lam=[precision], use_strategic=False,
            event_callback=lambda event, met=met: met.append("Bifurcation" in type(event).__name__),
        )  # fmt: skip
        if any(met) or len(branch) != 1:  # at a bifurcation Gambit leaves the branch by a small change of payoffs
            continue
        found = quantal_response(ours, np.full(len(ours.players), precision))
        pairs = behaviour(branch[0].profile, ours, found.profile)
        np.testing.assert_allclose(*zip(*pairs, strict=True), atol=1e-5, err_msg=name)
        counted += 1
    assert counted >= 20


def test_logit_of_strategic_games_agrees():
    import pygambit

    rng, counted = np.random.default_rng(3), 0
    for shape in [(2, 2), (3, 3), (4, 4), (2, 2, 2), (3, 3, 3), (8, 8)] * 4:
        payoffs = rng.normal(size=(len(shape), *shape))
        game = StrategicGame(
            players=tuple(f"p{i}" for i in range(len(shape))),
            actions=tuple(tuple(f"a{k}" for k in range(size)) for size in shape),
            payoffs=payoffs,
        )
        theirs, met = pygambit.StrategicGame.from_arrays(*payoffs), []
        for precision in (1.0, 4.0):
            branch = pygambit.qre.logit_solve_lambda(
                theirs, lam=[precision], first_step=0.01, max_accel=1.05,
                event_callback=lambda event, met=met: met.append("Bifurcation" in type(event).__name__),
            )  # fmt: skip
            if any(met) or not branch:
                continue
            wanted = [float(share) for own in branch[0].profile for _, share in own]
            found = np.concatenate(logit_branch(game, np.full(len(shape), precision)).profile)
            np.testing.assert_allclose(found, wanted, atol=1e-6)
            counted += 1
    assert counted >= 40


TOGETHER = """
title = "Two at once"
rounds = 2
[players.one]
[players.two]
[state.a]
range = [0, 9]
start = 0
[state.b]
range = [0, 9]
start = 0
[[turns]]
simultaneous = ["one", "two"]
[moves.raise_one]
player = "one"
effects = { a = "a + 1" }
[moves.wait_one]
player = "one"
[moves.raise_two]
player = "two"
effects = { b = "b + 1" }
[moves.wait_two]
player = "two"
[payoffs.one]
each_round = "a * 2 - b * a * 1.5 + 0.3 * b"
[payoffs.two]
each_round = "b - 0.4 * b * b + a * b * 0.7"
"""


@pytest.mark.parametrize("precision", [0.5, 2.0])
def test_scenarios_with_simultaneous_turns_agree(precision):
    import pygambit

    game = sim.compile(loads(TOGETHER))
    tree = tree_of(game)
    theirs = read(game_text(game, "efg"))
    branch = pygambit.qre.logit_solve_lambda(theirs, lam=[precision], use_strategic=False)
    assert len(branch) == 1
    found = quantal_response(tree, np.full(2, precision))
    pairs = behaviour(branch[0].profile, tree, found.profile)
    np.testing.assert_allclose(*zip(*pairs, strict=True), atol=1e-5)
    solution = sim.solve(game, "quantal_response", precision=precision)
    assert solution.status.certified
    values = [float(branch[0].profile.payoffs[player]) for player in theirs.players]
    np.testing.assert_allclose(found.measures.values, values, atol=1e-5)


def test_absent_minded_games_are_refused(catalogue):
    refused = [ours for _, ours in catalogue.values() if not isinstance(ours, StrategicGame) and ours.absent_minded()]
    assert len(refused) >= 2
    for tree in refused:
        with pytest.raises(OptionError, match="twice"):
            solve_file_game(tree, "quantal_response")
