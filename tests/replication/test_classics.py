"""Published answers to games of war, bargaining and guessing: counts first, then the numbers."""

from fractions import Fraction

import numpy as np
import pytest
import yaml

import sim
from sim.analysis.learning import fictitious_play
from sim.game.stationary import stationary_game
from sim.game.strategic import StrategicGame


@pytest.fixture(scope="module")
def classics(root):
    cases = yaml.safe_load((root / "tests" / "replication" / "classics.yaml").read_text(encoding="utf-8"))
    assert len(cases) == 6
    return {case["id"]: case for case in cases}


def real(text):
    return float(Fraction(str(text)))


def absorbing_game(cells, discount):
    """Zero-sum game of two: a cell that ends the game leads to a state that pays the same for ever."""
    ends = sorted({pay for row in cells for pay, end in row if end})
    live = [[[pay for pay, _ in row] for row in cells], *(np.full((2, 2), float(pay)) for pay in ends)]
    home = [[[1 + ends.index(pay) if end else 0 for pay, end in row] for row in cells]]
    targets = np.stack([*home, *(np.full((2, 2), 1 + k) for k in range(len(ends)))])[..., None]
    row = np.array(live, dtype=float)
    return stationary_game(np.stack([row, -row], axis=-1), targets, np.ones(targets.shape), discount)


@pytest.mark.parametrize(("case", "count"), [("big_match", 2), ("kohlberg", 3)])
def test_absorbing_games_discounted(case, count, classics):
    """Averages (1 - δ) Σ δ^t u_t, the weight of today being 1 - δ; by Markov-perfect equilibrium of the stationary game."""
    known = classics[case]
    assert len(known["discounted"]) == count
    for weight, value, top in known["discounted"]:
        game = absorbing_game(known["cells"], 1 - real(weight))
        solution = sim.solve(game, "markov_perfect")
        assert solution.status.certified
        assert solution.values.shape == (1, 2)
        np.testing.assert_allclose(solution.values[0] * real(weight), [real(value), -real(value)], atol=1e-9)
        if top is not None:
            live = solution.profile[0, :4]
            np.testing.assert_allclose(live[0] + live[1], real(top), atol=1e-9)


def test_big_match_with_a_last_day(classics, root):
    scenario = sim.load(root / "scenarios" / "big_match.toml")
    known = classics["big_match"]["finite"]
    assert len(known) == 3
    for days, value, top in known:
        solution = sim.solve(sim.compile(scenario, rounds=days), "subgame_perfect")
        np.testing.assert_allclose(solution.values[0] / days, [real(value), -real(value)], atol=1e-9)
        graph = solution.game.graph
        first = graph.edges_of(int(graph.roots[0]))
        assert len(first) == 4
        dared = sum(solution.profile[0, e] for e in first if graph.labels[graph.edge_label[e]].plays("top"))
        np.testing.assert_allclose(dared, real(top), atol=1e-9)


def whole_pieces(one, two, rounds, pieces=100):
    """A second method: backward induction over offers of whole pieces, in fractions; who is indifferent accepts."""
    later = (Fraction(0), Fraction(0))
    for number in range(rounds, 0, -1):
        worth = one * later[0], two * later[1]
        offers = [(Fraction(k, pieces), 1 - Fraction(k, pieces)) for k in range(pieces + 1)]
        proposer = 0 if number % 2 else 1
        accepted = [offer for offer in offers if offer[1 - proposer] >= worth[1 - proposer]]
        best = max((offer[proposer] for offer in accepted), default=Fraction(-1))
        later = next(x for x in accepted if x[proposer] == best) if best >= worth[proposer] else worth
    return later


def offers(scenario, one, two, rounds):
    game = sim.compile(scenario, {"patience_one": float(one), "patience_two": float(two)}, rounds=rounds)
    solution = sim.solve(game, "subgame_perfect", ties="first")
    paths = sim.play(solution)
    assert paths.outcome("agreed_at_once")[0] == 1.0
    return solution.values[0]


def test_alternating_offers_with_a_last_round(classics, root):
    """The language has no continuum, so offers are whole pieces: exact where the solution is a whole number of them, else within a piece a round."""
    scenario = sim.load(root / "scenarios" / "alternating_offers.toml")
    known = classics["alternating_offers"]["finite"]
    assert len(known) == 4
    exact = 0
    for patience, rounds, share in known:
        found = offers(scenario, patience, patience, rounds)
        delta = Fraction(str(patience))
        closed = (1 - (-delta) ** rounds) / (1 + delta)
        np.testing.assert_allclose(float(closed), real(share), atol=1e-9)
        np.testing.assert_allclose(found, [float(x) for x in whole_pieces(delta, delta, rounds)], atol=1e-12)
        on_grid = (closed * 100).denominator == 1
        exact += on_grid
        np.testing.assert_allclose(found[0], real(share), atol=1e-12 if on_grid else 0.01 * rounds / 2)
    assert exact == 3


def test_alternating_offers_approach_those_without_end(classics, root):
    scenario = sim.load(root / "scenarios" / "alternating_offers.toml")
    known = classics["alternating_offers"]["endless"]
    assert len(known) == 2
    for one, two, share in known:
        found = offers(scenario, one, two, 19)
        far = (one * two) ** 9  # a last round pulls the first one by this at most
        np.testing.assert_allclose(found[0], real(share), atol=far + 0.03)
        wanted = whole_pieces(Fraction(str(one)), Fraction(str(two)), 19)
        np.testing.assert_allclose(found, [float(x) for x in wanted], atol=1e-12)


def test_dollar_auction(classics, root):
    """Who is indifferent passes, as O'Neill has it: passing stands first in the file."""
    scenario = sim.load(root / "scenarios" / "dollar_auction.toml")
    known = classics["dollar_auction"]["first_bids"]
    assert len(known) == 5
    for stake, purse, first in known:
        assert first == (purse - 1) % (stake - 1) + 1
        game = sim.compile(scenario, {"stake": stake, "bankroll": purse}, rounds=purse + 1)
        solution = sim.solve(game, "subgame_perfect", ties="first")
        paths = sim.play(solution)
        moves = [step.move for step in paths.histories(1)[0].steps]
        assert moves == [f"bid/amount={first}", "pass_up"]
        np.testing.assert_allclose(solution.values[0], [stake - first, 0])


def test_bargaining_range(classics, root):
    scenario = sim.load(root / "scenarios" / "bargaining_range.toml")
    low, high = (real(x) for x in classics["bargaining_range"]["range"])
    for chance, wanted in ((1.0, high), (0.0, low)):
        game = sim.compile(scenario, {"a_proposes": chance})
        paths = sim.play(sim.solve(game, "subgame_perfect", ties="first"))
        np.testing.assert_allclose(paths.outcome("share_of_a"), [wanted])
        assert paths.outcome("war")[0] == 0.0
    # every offer, answered by either: the first likes it no less than war from the lower end on, the second up to the upper end
    solution = sim.solve(sim.compile(scenario), "subgame_perfect", ties="first")
    graph = solution.game.graph
    accepted = {"a": set(), "b": set()}
    answers = 0
    for node in range(graph.node_count):
        labels = [graph.labels[graph.edge_label[e]] for e in graph.edges_of(node)]
        if [label.move for label in labels] == ["accept", "fight"]:
            answers += 1
            q = solution.action_values(node)
            mover = graph.players.index(labels[0].player)
            if q[0, mover] >= q[1, mover] - 1e-9:
                share = int(solution.game.origin.codec.labelled(int(graph.node_key[node]))["share"])
                accepted[labels[0].player].add(share)
    assert answers == 202
    both = sorted(accepted["a"] & accepted["b"])
    assert len(both) == 26
    assert [both[0] / 100, both[-1] / 100] == [low, high]


def test_richardsons_rest_point_is_an_equilibrium(classics):
    """Richardson's equations x' = ky - ax + g, y' = lx - by + h are no game: nobody chooses, so no scenario tells them.

    Their rest point is the equilibrium of one, though: each side wants the arms at which its own equation rests, and loses by the square of
    the distance. On a grid that holds the rest point it is the only equilibrium, and learning leads there because ab > kl.
    """
    case = classics["richardson"]
    k, a, g, l, b, h = (case["inputs"][name] for name in "kaglbh")  # noqa: E741
    rest = np.linalg.solve([[a, -k], [-l, b]], [g, h])
    np.testing.assert_allclose(rest, case["rest"])
    assert a * b > k * l
    levels = np.linspace(0, 4, 9)
    x, y = np.meshgrid(levels, levels, indexing="ij")
    game = StrategicGame.from_matrices(-((a * x - k * y - g) ** 2), -((b * y - l * x - h) ** 2))
    found = sim.equilibria(game.payoffs[0], game.payoffs[1])
    assert len(found) == 1
    np.testing.assert_allclose([found[0].row @ levels, found[0].column @ levels], rest)
    start = (np.eye(9)[8], np.eye(9)[0])
    played = fictitious_play(game, 2000, rng=np.random.default_rng(1), start=start)
    np.testing.assert_allclose([played.last[0] @ levels, played.last[1] @ levels], rest, atol=0.02)
    assert levels[played.plays[-1]].tolist() == rest.tolist()
