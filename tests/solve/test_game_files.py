"""Game files: what is written is read back, bad files are refused with a reason, and published games give their published answers."""

import contextlib
import json
import sys
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sim
from sim.cli import main
from sim.construct.gambit import game_text, tree_of, tree_size
from sim.construct.gambit_read import parse_game
from sim.errors import NoAnswerError, OptionError
from sim.game.normal_form import strategic_form
from sim.game.strategic import StrategicGame, logit_residual, regrets, spans
from sim.game.tree import CHANCE, TreeBuilder, measure_tree
from sim.numerics.branch import follow_branches
from sim.numerics.continuation import follow
from sim.scenario.load import loads
from sim.solve.behaviour import limit, one_nash, quantal_response
from sim.solve.game_files import solve_file_game
from sim.solve.logit_path import fit, logit_branch

NUMBERS = st.integers(-9, 9).map(float) | st.floats(-1e6, 1e6, allow_nan=False, allow_subnormal=False)
LABELS = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\\"), min_size=1, max_size=6)


@pytest.fixture(scope="module")
def games(request):
    folder = request.config.rootpath / "scenarios" / "games"
    found = {path.stem: sim.read_game(path) for path in sorted(folder.iterdir()) if path.suffix in (".nfg", ".efg")}
    assert len(found) >= 10
    return found


@st.composite
def strategic_games(draw, most=3):
    shape = draw(st.lists(st.integers(1, 3), min_size=1, max_size=most))
    names = [tuple(draw(st.lists(LABELS, min_size=size, max_size=size, unique=True))) for size in (len(shape), *shape)]
    count = len(shape) * int(np.prod(shape))
    payoffs = np.array(draw(st.lists(NUMBERS, min_size=count, max_size=count))).reshape(len(shape), *shape)
    return StrategicGame(players=names[0], actions=tuple(names[1:]), payoffs=payoffs, title=draw(LABELS))


@st.composite
def trees(draw):
    """Draw trees in which a player either sees everything or only how deep he is in the tree, and may forget."""
    players = draw(st.integers(1, 3))
    builder = TreeBuilder(tuple(f"p{i}" for i in range(players)), title=draw(LABELS), comment=draw(LABELS))
    hidden = draw(st.lists(st.booleans(), min_size=4, max_size=4))
    movers = draw(st.lists(st.integers(CHANCE, players - 1), min_size=4, max_size=4))
    known = {}

    def grow(depth):
        if depth == 4 or (depth and draw(st.integers(0, 3)) == 0):
            builder.node(payoffs=draw(st.lists(NUMBERS, min_size=players, max_size=players)), label=draw(LABELS))
            return
        mover = movers[depth]
        count = 2 + (depth == 1)
        key = depth if hidden[depth] and mover >= 0 else object()
        if key not in known:
            shares = tuple(draw(st.sampled_from(SHARES[count]))) if mover == CHANCE else ()
            known[key] = builder.infoset(mover, tuple(f"a{k}" for k in range(count)), label=draw(LABELS), shares=shares)
        builder.node(infoset=known[key])
        for _ in range(count):
            grow(depth + 1)

    grow(0)
    return builder.tree()


THIRD, HALF, TENTH = Fraction(1, 3), Fraction(1, 2), Fraction(1, 10)
SHARES = {2: [(HALF, HALF), (THIRD, 2 * THIRD), (TENTH, 9 * TENTH)], 3: [(THIRD,) * 3, (HALF, TENTH, 4 * TENTH)]}


@settings(max_examples=60, deadline=None)
@given(strategic_games())
def test_strategic_games_are_read_back(game):
    again = parse_game(game_text(game, "nfg"))
    assert (again.players, again.actions, again.title) == (game.players, game.actions, game.title)
    np.testing.assert_array_equal(again.payoffs, game.payoffs)


@settings(max_examples=60, deadline=None)
@given(trees())
def test_trees_are_read_back(tree):
    assert parse_game(game_text(tree, "efg")) == tree


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_spoilt_files_are_refused_with_their_place(data):
    text = (
        game_text(data.draw(strategic_games(2)), "nfg")
        if data.draw(st.booleans())
        else game_text(data.draw(trees()), "efg")
    )
    first, length = data.draw(st.integers(0, len(text))), data.draw(st.integers(0, 30))
    put = data.draw(
        st.sampled_from(
            ["", '"', "{", "}", "x", "-", "1/0", "9" * 12, "1e999", "0", " ", "\x00", "p", "t", "1e-399", "é"]
        )
        | st.text(max_size=5)
    )
    spoilt = text[:first] + put + text[first + length :]
    with contextlib.suppress(OptionError):  # anything else is a crash; some spoilt files are still games
        game = parse_game(spoilt, "x")
        again = parse_game(game_text(game, "nfg" if isinstance(game, StrategicGame) else "efg"))
        assert again.players == game.players


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from('NFGE 12R"{}ptc/-.,e\n'), max_size=60))
def test_nonsense_is_refused(text):
    with pytest.raises(OptionError, match=r"^game:\d+: .*expected"):
        parse_game(text)


MISTAKES = [
    ('EFG 2 R "t" { "a" }\np "" 2 1 "" { "x" } 0\nt "" 0', r"x:2: found '2'; expected the number of a player.*1 to 1"),
    ('EFG 2 R "t" { "a" }\np "" 1 1 "" { "x" } 0', r"x:2: the tree ends too early; expected a node for every action"),
    ('EFG 2 R "t" { "a" }\nt "" 1 "" { 1, 2 }', r"x:2: found '2'; expected } after 1 payoffs"),
    ('EFG 2 R "t" { "a" }\nt "" 1 "" { one }', r"x:2: found 'one'; expected .*payoff.*; write numbers as"),
    ('EFG 2 R "t" { "a" }\nt "" 7', r"x:2: outcome 7 has no payoffs; expected \{ payoffs \}"),
    ('EFG 2 R "t" { "a" }\nt "" 0\nt "" 0', r"x:3: found 't'; expected the end of the file"),
    (
        'EFG 2 R "t" { "a" }\nc "" 1 "" { "x" 0.3 "y" 0.3 } 0\nt "" 0 t "" 0',
        r"x:2: chance has probabilities 3/10, 3/10; expected .* sum 1",
    ),
    (
        'EFG 2 R "t" { "a" }\np "" 1 1 "" { "x" "y" } 0\np "" 1 1 "" { "x" "z" } 0',
        r"x:3: information set 1 has other actions",
    ),
    ('EFG 2 R "t" { "a" }\np "" 1 1 0', r"x:2: information set 1 has no actions"),
    (
        'EFG 2 R "t" { "a" }\np "" 1 1 "" { "x" "y" } 0\nt "" 1 "" { 1 }\nt "" 1 "" { 2 }',
        r"x:4: outcome 1 pays something else",
    ),
    ('EFG 1 R "t" { "a" }', r"x:1: found '1'; expected version 2"),
    (
        'NFG 1 R "t" { "a" "b" } { 2 2 }\n1 2 3',
        r"x:2: found the end of the file; expected payoff 2 of 2 of combination 2 of 4",
    ),
    ('NFG 1 R "t" { "a" "b" } { 2 2 }\n1 2 3 4 5 6 7 8 9', r"x:2: found '9'; expected the end of the file after 4"),
    (
        'NFG 1 R "t" { "a" "b" } { 2 2 } {\n{ "" 1 2 } }\n1 1 1 5',
        r"x:3: found '5'; expected the number of an outcome.*0 to 1",
    ),
    ('NFG 1 R "t" { "a" "b" } { 999999 999999 }\n1', r"more than the file has payoffs for"),
    ('NFG 1 R "t { "a" }', r"x:1: .*expected"),
    ('NFG 1 R "t', r"x:1: a quote that nothing closes"),
    ("title = 3", r"x:1: found 'title'; expected NFG or EFG.*scenarios end in \.toml"),
]


@pytest.mark.parametrize(("text", "wanted"), MISTAKES, ids=range(len(MISTAKES)))
def test_mistakes_name_their_place(text, wanted):
    with pytest.raises(OptionError, match=wanted):
        parse_game(text, "x")


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(OptionError, match="no such file"):
        sim.read_game(tmp_path / "missing.nfg")
    (tmp_path / "latin.nfg").write_bytes(b'NFG 1 R "\n\xe9"')
    with pytest.raises(OptionError, match=r"latin\.nfg:2: byte 10 is not UTF-8"):
        sim.read_game(tmp_path / "latin.nfg")


def test_all_of_the_formats_is_read():
    outcomes = parse_game(
        'NFG 1 R "" { "" "b" }\n{ { "" "U" } { 2 } }\n"words"\n{ { "good" 1/3, .5 } { -2 1e-1 } }\n1 0 2 1'.replace(
            "{ 2 }", "2"
        )
    )
    assert outcomes.players == ("1", "b")
    assert outcomes.actions == (("1", "U"), ("1", "2"))
    assert outcomes.payoffs[0].tolist() == [[1 / 3, -2.0], [0.0, 1 / 3]]
    assert outcomes.payoffs[1].tolist() == [[0.5, 0.1], [0.0, 0.5]]
    tree = parse_game(
        'EFG 2 R "x" { "a" "b" } "said \\"so\\""\nc "" 1 "coin" { "h" 1/3 "t" 2/3 } 4 "fee" { -1/3, 0 }\n'
        'p "" 1 1 "one" { "" "" } 0\nt "" 1 "end" { 1 1 }\nt "" 0\np "" 1 1 2 "paid" { 5, 5 }\nt "" 1\nt "" 2\n'
    )
    assert tree.comment == 'said "so"'
    assert tree.infosets[1].actions == ("1", "2")
    assert tree.node_infoset.tolist() == [0, 1, -1, -1, 1, -1, -1]
    assert tree.payoffs[tree.terminals, 0].tolist() == [2 / 3, -1 / 3, 5 + 2 / 3, 9 + 2 / 3]
    assert [float(x) for x in tree.infosets[0].shares] == [1 / 3, 2 / 3]


@pytest.mark.parametrize("size", ["1e400", "1e200", "9" * 500, "1/0", "1e99999999999", "0x10", "nan", "inf", "\uff11"])
def test_numbers_out_of_bounds_are_refused(size):
    with pytest.raises(OptionError, match=r"^game:1: .*expected"):
        parse_game(f'NFG 1 R "" {{ "a" }} {{ 1 }} {size}')


def test_names_that_cannot_be_written_are_refused():
    game = StrategicGame(players=("a\\",), actions=(("x",),), payoffs=np.zeros((1, 1)))
    with pytest.raises(OptionError, match="backslash"):
        game_text(game, "nfg")


# --- the referee --------------------------------------------------------------------------------


def best_by_force(tree, profile, player):
    """Try every pure strategy of a player against a profile."""
    own = [one for one in tree.infosets if one.player == player]
    best = -np.inf
    for plan in product(*[range(len(one.actions)) for one in own]):
        changed = profile.copy()
        for one, k in zip(own, plan, strict=True):
            changed[one.places] = np.eye(len(one.actions))[k]
        best = max(best, measure_tree(tree, changed).values[player])
    return best


@settings(max_examples=60, deadline=None)
@given(trees(), st.randoms(use_true_random=False))
def test_gains_are_those_of_the_best_pure_strategy(tree, random):
    profile = np.array([random.random() + 0.01 for _ in range(tree.action_count)])
    profile /= np.bincount(tree.action_infoset, weights=profile)[tree.action_infoset]
    profile = np.where(tree.action_player == CHANCE, tree.chance, profile)
    found = measure_tree(tree, profile)
    if tree.forgetful():
        assert np.isnan(found.gains).all()
        return
    for player in range(len(tree.players)):
        by_force = best_by_force(tree, profile, player) - found.values[player]
        assert found.gains[player] * tree.spans[player] == pytest.approx(max(0.0, by_force), abs=1e-6)


@settings(max_examples=30, deadline=None)
@given(trees())
def test_values_are_those_of_the_strategic_form(tree):
    game = strategic_form(tree)
    profile = []
    for player in range(len(tree.players)):
        sizes = [len(one.actions) for one in tree.infosets if one.player == player]
        profile.append(np.full(int(np.prod(sizes)), 1 / np.prod(sizes)))
    if not tree.absent_minded() and not tree.forgetful():
        values = [np.sum(payoff * 1.0) / payoff.size for payoff in game.payoffs]
        np.testing.assert_allclose(measure_tree(tree, tree.uniform()).values, values, atol=1e-6)


def test_forgetting_is_named():
    builder = TreeBuilder(("a",))
    top, low = builder.infoset(0, ("l", "r"), label="top"), builder.infoset(0, ("l", "r"), label="below")
    for infoset in (top, low, None, None, low, None, None):
        builder.node(payoffs=(1.0,)) if infoset is None else builder.node(infoset=infoset)
    tree = builder.tree()
    assert (tree.forgetful(), tree.absent_minded()) == ("below", "")
    with pytest.raises(OptionError, match="information set below"):
        one_nash(tree)
    assert quantal_response(tree, np.ones(1)).measures.residual <= 1e-9


# --- logit responses ----------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(trees(), st.sampled_from([0.0, 0.3, 2.0, 30.0]))
def test_logit_responses_of_trees_are_certified(tree, precision):
    if tree.absent_minded():
        with pytest.raises(OptionError, match="twice"):
            quantal_response(tree, np.full(len(tree.players), precision))
        return
    found = quantal_response(tree, precision / tree.spans)
    assert found.measures.residual <= 1e-9
    assert len(found.profiles) == len(found.precisions) >= 1
    np.testing.assert_allclose(found.profiles[0], tree.uniform(), atol=1e-12)


def test_one_equilibrium_of_trees_is_certified_or_refused():
    endings = {"certified": 0, "refused": 0, "no answer": 0}

    @settings(max_examples=60, deadline=None)
    @given(trees())
    def check(tree):
        try:
            found = one_nash(tree)
        except OptionError:
            assert tree.forgetful() or tree.absent_minded()
            endings["refused"] += 1
            return
        except NoAnswerError:
            endings["no answer"] += 1
            return
        endings["certified"] += 1
        for player in range(len(tree.players)):
            gain = best_by_force(tree, found.profile, player) - found.measures.values[player]
            assert gain <= 1.001e-8 * tree.spans[player] + 1e-9 * abs(found.measures.values[player])

    check()
    assert endings["certified"] > 5 * endings["no answer"]
    assert endings["certified"] >= 10


def test_both_ways_to_a_perfect_information_response_agree(games):
    """The same tree, its information sets hidden from the test of perfect information by a dummy copy of the root."""
    tree = games["centipede_6"]
    direct = quantal_response(tree, np.ones(2))
    from sim.solve import behaviour

    agents = behaviour._Agents(tree, np.ones(2) / 51.2)
    curve = follow(agents.equations, agents.start(), target=51.2)
    assert curve.arrived
    np.testing.assert_allclose(np.exp(curve.points[-1, :-1]), direct.profile, atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(strategic_games(), st.sampled_from([0.0, 0.5, 5.0, 100.0]))
def test_logit_branches_of_strategic_games_are_certified(game, precision):
    span = spans(game.payoffs)
    found = logit_branch(game, precision / span)
    assert logit_residual(game.payoffs, found.profile, precision / span) <= 1e-9
    assert found.singular >= 0


@pytest.mark.parametrize("shape", [(2, 2), (3, 3), (5, 5), (8, 8), (2, 2, 2), (3, 3, 3), (2, 3, 4)])
def test_branches_do_not_jump(shape):
    """Following with far shorter steps leads to the same point: the corrector never lands on another branch."""
    count = 300
    rng = np.random.default_rng(shape)
    table = np.exp(2 * rng.normal(size=(count, int(np.prod(shape)), len(shape))))
    table /= np.ptp(table, axis=1, keepdims=True)
    for target in (10.0, 100.0):
        given_ = (np.array(shape, np.int32), table, np.ones((count, sum(shape))))
        x, ending, _, _ = follow_branches(*given_, target=target)
        slow, other, _, _ = follow_branches(*given_, target=target, longest=0.01, most=100_000)
        assert not ending.any()
        assert not other.any()
        np.testing.assert_allclose(np.exp(x[:, :-1]), np.exp(slow[:, :-1]), atol=1e-8)


@pytest.mark.parametrize("shape", [(2, 2), (4, 4), (2, 2, 2), (2, 3, 4), (1, 3), (3,)])
def test_branches_of_games_with_ties_end(shape):
    count = 200
    rng = np.random.default_rng(shape)
    table = rng.integers(-2, 3, (count, int(np.prod(shape)), len(shape))).astype(float)
    for target in (0.0, 1.0, 50.0, 2000.0):
        x, ending, trail, kept = follow_branches(
            np.array(shape, np.int32), table, np.ones((count, sum(shape))), target=target, keep=3
        )
        assert not ending.any()
        np.testing.assert_allclose(x[:, -1], target, rtol=1e-12)
        assert (kept >= 1).all()
        assert (trail[:, 0, -1] == 0).all()
        for v in range(count):
            game = np.stack([table[v, :, i].reshape(shape) for i in range(len(shape))])
            profile = np.split(np.exp(x[v, :-1]), np.cumsum(shape)[:-1])
            assert logit_residual(game, profile, np.full(len(shape), target)) <= 1e-9


# --- published games ----------------------------------------------------------------------------


def mixed(answer, player):
    return list(answer.plays[0].strategies[player].values())


@pytest.mark.parametrize(
    ("precision", "p", "q"),
    [(1.0, 0.58678404, 0.45180703), (2.0, 0.61752195, 0.37198166), (3.0, 0.61689685, 0.31401636)],
)
def test_ochs_responses(games, precision, p, q):
    answer = solve_file_game(games["ochs_pennies"], "quantal_response", precision=precision)
    assert len(answer.plays) == 1
    assert mixed(answer, "row")[0] == pytest.approx(p, abs=1e-7)
    assert mixed(answer, "column")[0] == pytest.approx(q, abs=1e-7)


def test_ochs_fit_and_limit(games):
    fitted, likelihood = fit(games["ochs_pennies"], [np.array([67.456, 60.544]), np.array([46.848, 81.152])])
    assert fitted == pytest.approx(1.8456097, abs=1e-4)
    assert likelihood == pytest.approx(-174.764532, abs=1e-5)
    best = solve_file_game(games["ochs_pennies"], "quantal_response", precision=fitted)
    assert mixed(best, "row")[0] == pytest.approx(0.6156513, abs=1e-5)
    assert mixed(best, "column")[0] == pytest.approx(0.3832909, abs=1e-5)
    end = solve_file_game(games["ochs_pennies"], "quantal_response", limit=True)
    assert end.certificate["max_gain"] <= 1e-8
    assert mixed(end, "row")[0] == pytest.approx(1 / 2, abs=1e-5)
    assert mixed(end, "column")[0] == pytest.approx(1 / 5, abs=1e-4)  # the branch ends where nobody gains 1e-8


@pytest.mark.parametrize(
    ("precision", "p"), [(0.1, 0.47062807), (0.5, 0.19584605), (1.0, 0.02026448), (2.0, 0.00033671)]
)
def test_stag_hunt_responses(games, precision, p):
    answer = solve_file_game(games["stag_hunt"], "quantal_response", precision=precision)
    assert [mixed(answer, name)[0] for name in ("one", "two")] == pytest.approx([p, p], abs=1e-7)


def test_goeree_and_holt(games):
    answer = solve_file_game(games["goeree_holt_44"], "quantal_response", precision={"row": 0.1, "column": 0.1})
    assert mixed(answer, "row")[0] == pytest.approx(0.35005144, abs=1e-7)
    assert mixed(answer, "column")[0] == pytest.approx(0.76845157, abs=1e-7)
    found = solve_file_game(games["goeree_holt_44"])
    assert (len(found.plays), found.complete) == (1, "proved")
    assert mixed(found, "column")[0] == pytest.approx(10 / 11, abs=1e-12)


def test_zero_sum_games(games):
    found = solve_file_game(games["lieberman"])
    assert (len(found.plays), found.complete) == (1, "proved")
    assert (mixed(found, "row"), mixed(found, "column")) == ([0, 0, 1], [0, 0, 1])
    found = solve_file_game(games["rapoport_boebel"])
    assert (len(found.plays), found.complete) == (1, "proved")
    for player in ("row", "column"):
        assert mixed(found, player) == pytest.approx([3 / 8, 1 / 4, 1 / 8, 1 / 8, 1 / 8], abs=1e-12)
    assert found.plays[0].values[0] == pytest.approx(3 / 8, abs=1e-12)


@pytest.mark.parametrize(
    ("precision", "take"),
    [
        (0.5, [0.2457832, 0.23457355, 0.37284631, 0.7587508, 0.95941179, 0.9983412]),
        (1.0, [0.23457335, 0.37284588, 0.75875045, 0.95941162, 0.99834099, 0.99999724]),
    ],
)
def test_centipede_of_doubled_stakes(games, precision, take, root):
    answer = solve_file_game(games["centipede_6"], "quantal_response", precision=precision)
    strategies = {place: own["take"] for player in answer.plays[0].strategies.values() for place, own in player.items()}
    order = ["first", "second", "third", "fourth", "fifth", "sixth"]
    assert len(strategies) == 6
    assert [strategies[place] for place in order] == pytest.approx(take, abs=1e-7)
    scenario = sim.solve(
        sim.compile(sim.load(root / "scenarios" / "centipede_6.toml")), "quantal_response", precision=2 * precision
    )
    assert scenario.profile[0, 0] == pytest.approx(take[0], abs=1e-7)


def test_centipede_backwards(games):
    for name, count in (("centipede_4", 4), ("centipede_6", 6)):
        answer = solve_file_game(games[name])
        assert (answer.concept, answer.complete, answer.ties) == ("subgame_perfect", "proved", ())
        taken = [own["take"] for player in answer.plays[0].strategies.values() for own in player.values()]
        assert taken == [1.0] * count
        assert answer.plays[0].values.tolist() == [0.8, 0.2]


def test_selten_horse(games):
    tree = games["selten_horse"]
    form = strategic_form(tree)
    pure = solve_file_game(form)
    found = [
        tuple(next(a for a, p in own.items() if p == 1) for own in play.strategies.values())
        for play in pure.plays
        if max(map(max, (own.values() for own in play.strategies.values()))) == 1
        and all(1 in own.values() for own in play.strategies.values())
    ]
    assert sorted(found)[:2] == [("L", "R", "R"), ("R", "R", "L")]
    end = solve_file_game(tree, "quantal_response", limit=True)
    assert end.plays[0].strategies["Player 1"]["Player 1:1"]["R"] == pytest.approx(1.0, abs=1e-6)
    assert end.plays[0].strategies["Player 2"]["Player 2:1"]["R"] == pytest.approx(1.0, abs=1e-6)
    assert end.plays[0].values == pytest.approx([1, 1, 1], abs=1e-6)
    assert solve_file_game(tree).certificate["max_gain"] <= 1e-8


def test_stripped_poker(games):
    tree = games["stripped_poker"]
    for answer in (solve_file_game(tree), solve_file_game(tree, "quantal_response", limit=True)):
        alice, bob = answer.plays[0].strategies["Alice"], answer.plays[0].strategies["Bob"]
        assert (alice["King"]["bet"], alice["Queen"]["bet"], bob["Bob:1"]["call"]) == pytest.approx(
            (1, 1 / 3, 2 / 3), abs=1e-5
        )
        assert answer.plays[0].values[0] == pytest.approx(1 / 3, abs=1e-7)
    form = strategic_form(tree)
    assert form.payoffs[0].tolist() == [[0, 1], [0.5, 0], [-1.5, 0], [-1, -1]]
    found = solve_file_game(form)
    assert (len(found.plays), found.complete) == (1, "proved")
    assert found.plays[0].values[0] == pytest.approx(1 / 3, abs=1e-12)


def test_kuhn_poker(games):
    from scipy.optimize import linprog

    tree = games["kuhn_poker"]
    assert (tree.node_count, len(tree.infosets)) == (55, 13)
    answer = solve_file_game(tree)
    assert answer.certificate["max_gain"] <= 1e-8
    assert answer.plays[0].values[0] == pytest.approx(-1 / 18, abs=1e-7)
    assert solve_file_game(tree, "quantal_response", limit=True).plays[0].values[0] == pytest.approx(-1 / 18, abs=1e-7)
    payoff = strategic_form(tree).payoffs[0]
    assert payoff.shape == (64, 64)
    worth = linprog(
        np.r_[np.zeros(64), -1],
        A_ub=np.c_[-payoff.T, np.ones(64)],
        b_ub=np.zeros(64),
        A_eq=[np.r_[np.ones(64), 0]],
        b_eq=[1],
        bounds=[(0, None)] * 64 + [(None, None)],
    )
    assert -worth.fun == pytest.approx(-1 / 18, abs=1e-9)


def test_ties_are_reported():
    tree = parse_game('EFG 2 R "tie" { "a" "b" } p "" 1 1 "" { "x" "y" } 0 t "" 1 "" { 1 0 } t "" 2 "" { 1 5 }')
    answer = solve_file_game(tree)
    assert (answer.ties, answer.complete) == (("a:1",), "one of several: ties")


def test_three_players(games):
    answer = solve_file_game(strategic_form(games["selten_horse"]))
    assert len(answer.plays) >= 2
    assert answer.complete.startswith("proved for pure equilibria")
    assert answer.certificate["max_gain"] <= 1e-8


@pytest.mark.parametrize(
    ("name", "concept", "options", "wanted"),
    [
        ("stag_hunt", "subgame_perfect", {}, "no subgames"),
        ("selten_horse", "subgame_perfect", {}, "ask for --concept nash"),
        ("selten_horse", "nashh", {}, "did you mean 'nash'"),
        ("selten_horse", "quantal_response", {"precison": 1}, "did you mean 'precision'"),
        ("selten_horse", "quantal_response", {"precision": {"Player 1": 1.0}}, "missing for Player 2"),
        ("stag_hunt", "quantal_response", {"precision": 0.0, "limit": True}, "above 0"),
        ("selten_horse", "nash", {"ties": 1e-9}, "no option 'ties'"),
    ],
)
def test_questions_that_do_not_fit(games, name, concept, options, wanted):
    with pytest.raises(OptionError, match=wanted):
        solve_file_game(games[name], concept, **options)


# --- scenarios ----------------------------------------------------------------------------------

TOGETHER = """
title = "Two at once"
rounds = {rounds}
[players.one]
discount = 0.9
[players.two]
[state.a]
range = [0, 9]
start = 0
[state.b]
range = [0, 9]
start = 0
clip = true
[[turns]]
simultaneous = ["one", "two"]
[moves.raise_one]
player = "one"
effects = {{ a = "a + 1" }}
[moves.wait_one]
player = "one"
[moves.raise_two]
player = "two"
outcomes = [{{ probability = 0.25, effects = {{ b = "b + 2" }} }}, {{ probability = 0.75, effects = {{ b = "b + 1" }} }}]
[moves.wait_two]
player = "two"
pays = {{ two = 0.5 }}
[payoffs.one]
each_round = "a * 2 - b * a + 0.3 * b"
[payoffs.two]
each_round = "b - 0.4 * b * b + a"
"""


@pytest.mark.parametrize("rounds", [1, 2])
def test_simultaneous_turns_are_exported(rounds):
    game = sim.compile(loads(TOGETHER.format(rounds=rounds)))
    assert game.graph.simultaneous
    tree = tree_of(game)
    assert tree.node_count == tree_size(game)
    assert parse_game(game_text(game, "efg")) == tree
    assert not tree.perfect_information
    assert not tree.forgetful()
    found = sim.solve(game, "subgame_perfect")
    assert found.status.certified
    # the values of a certified profile, played in the tree
    response = sim.solve(game, "quantal_response", precision=0.7)
    if rounds == 1:
        mine = quantal_response(tree, np.array([0.7, 0.7]))
        np.testing.assert_allclose(mine.measures.values, response.values[0], atol=1e-9)
    uniform = sim.solve(game, "quantal_response", precision=0.0)
    np.testing.assert_allclose(measure_tree(tree, tree.uniform()).values, uniform.values[0], atol=1e-9)


def test_one_stage_is_a_strategic_game():
    game = sim.compile(loads(TOGETHER.format(rounds=1)))
    stage = parse_game(game_text(game, "nfg"))
    assert stage.actions == (("raise_one", "wait_one"), ("raise_two", "wait_two"))
    values = sim.solve(game, "subgame_perfect").values[0]
    found = solve_file_game(stage)
    assert any(np.allclose(play.values, values, atol=1e-9) for play in found.plays)
    with pytest.raises(OptionError, match="decides at"):
        game_text(sim.compile(loads(TOGETHER.format(rounds=2))), "nfg")


# --- the command --------------------------------------------------------------------------------


def run(monkeypatch, capsys, *words):
    monkeypatch.setattr(sys, "argv", ["sim", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        main()
    out = capsys.readouterr()
    return ended.value.code, out.out, out.err


def test_the_command_solves_files(monkeypatch, capsys, root, tmp_path):
    folder = root / "scenarios" / "games"
    code, out, _ = run(monkeypatch, capsys, "solve", folder / "stag_hunt.nfg", "--json")
    found = json.loads(out)
    assert (code, len(found["equilibria"]), found["complete"]) == (0, 3, "proved")
    figure = tmp_path / "branch.svg"
    code, out, _ = run(
        monkeypatch,
        capsys,
        "solve",
        folder / "selten_horse.efg",
        "--concept",
        "quantal_response",
        "--option",
        "limit=true",
        "--figure",
        figure,
        "--json",
    )
    found = json.loads(out)
    assert (code, len(found["path"]["labels"]), found["certificate"]["traced_from_zero"]) == (0, 6, True)
    assert len(found["path"]["precision"]) == len(found["path"]["probability"]) > 20
    assert "precision" in figure.read_text(encoding="utf-8")
    code, _, err = run(monkeypatch, capsys, "solve", folder / "stag_hunt.nfg", "--rounds", "2")
    assert (code, "nothing to set" in err) == (2, True)
    code, _, err = run(monkeypatch, capsys, "solve", folder / "stag_hunt.nfg", "--figure", figure)
    assert (code, "quantal_response" in err) == (2, True)
    code, _, err = run(monkeypatch, capsys, "solve", tmp_path / "none.efg")
    assert (code, "cannot be read" in err) == (2, True)


def test_the_largest_regret_is_measured_apart(games):
    found = solve_file_game(games["rapoport_boebel"])
    profile = [np.array(mixed(found, player)) for player in ("row", "column")]
    assert regrets(games["rapoport_boebel"].payoffs, profile).max() <= 1e-12
    assert limit(games["stripped_poker"], np.ones(2)).measures.gains.max() <= 1e-8
