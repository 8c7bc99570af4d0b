"""Compiled games: laws of the structure, and a second method that walks state by state in plain Python."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sim
from sim.construct.compile import renumber
from sim.errors import OptionError, ScenarioError
from sim.game.graph import CHANCE, TERMINAL
from sim.scenario.evaluate import evaluate_one
from sim.scenario.load import loads

ROOT = Path(__file__).parent.parent.parent
BASE = (ROOT / "tests" / "scenario" / "base.toml").read_text(encoding="utf-8")


# -- a second method --------------------------------------------------------------------------------------------------


class Walk:
    """The reachable nodes of a scenario, found one state at a time; a node is (round, stage, state), its edges a counter."""

    def __init__(self, scenario, rounds=None, removed=()):
        self.scenario, self.removed = scenario, removed
        self.rounds = rounds or scenario.rounds
        self.fixed = {}
        while len(self.fixed) < len(scenario.assumptions):
            for name, assumption in scenario.assumptions.items():
                if assumption.value.reads <= self.fixed.keys():
                    self.fixed[name] = evaluate_one(assumption.value.node, self.fixed)
        self.fixed |= {one.id: one.known_as for one in scenario.privates if one.known_as is not None}
        self.index = {name: float(place) for place, name in enumerate(scenario.player_ids)}
        self.edges = {}
        self.move_to(1, 0, tuple(evaluate_one(v.start.node, self.fixed) for v in scenario.variables))

    def names(self, state, number, **more):
        own = dict(zip((variable.id for variable in self.scenario.variables), state, strict=True))
        return {**self.fixed, **own, "round": number, "rounds_left": self.rounds - number, **more}

    def stages(self, number):
        turns = [turn for turn in self.scenario.turns if turn.comes_in(number)]
        return [
            stage for turn in turns for stage in ([turn.player] if turn.player else [("event", e) for e in turn.events])
        ] or [None]

    def after(self, effects, state, env):
        out = list(state)
        for place, variable in enumerate(self.scenario.variables):
            if variable.id in effects:
                value = evaluate_one(effects[variable.id].node, env)
                high = variable.low + variable.size - 1
                out[place] = min(max(value, variable.low), high) if variable.clip else value
                assert variable.low <= out[place] <= high
        return tuple(out)

    def forbidden(self, state, env):
        own = dict(zip((variable.id for variable in self.scenario.variables), state, strict=True))
        return any(evaluate_one(condition.node, {**env, **own}) for condition in self.scenario.forbid)

    def move_to(self, number, place, state, *, ends=False):
        """Return the node at which play arrives, walking on from it when it is new."""
        stages = self.stages(number) if number <= self.rounds else []
        if ends or number > self.rounds:
            node = (min(number, self.rounds), "end", state)
            self.edges.setdefault(node, Counter())
            return node
        if place == len(stages):
            last = number == self.rounds
            return self.move_to(number if last else number + 1, 0, state, ends=last)
        stage = stages[place]
        case = self.case(stage, state, number) if not isinstance(stage, str) else None
        if not isinstance(stage, str) and case is None and place > 0:
            return self.move_to(number, place + 1, state)
        node = (number, place, state)
        if node not in self.edges:
            self.edges[node] = Counter()
            if isinstance(stage, str):
                self.walk_player(node, stage)
            else:
                self.walk_branches(node, state, case, stage[1] if stage else "", {})
        return node

    def case(self, stage, state, number):
        cases = self.scenario.chance[stage[1]] if stage else ()
        held = [case for case in cases if evaluate_one(case.guard.node, self.names(state, number))]
        assert len(held) <= 1
        return held[0] if held else None

    def walk_player(self, node, player):
        number, place, state = node
        actions = [a for a in self.scenario.actions if player in a.players and a.move not in self.removed]
        available = []
        for action in actions:
            env = self.names(state, number, mover=self.index[player], **action.chosen)
            if not evaluate_one(action.guard.node, env):
                continue
            holders = action.branches or (action,)
            if not any(self.forbidden(self.after(one.effects, state, env), env) for one in holders):
                available.append((action, env))
        sizes = Counter(action.group for action, _ in available)
        for action, env in available:
            weight = 1 / sizes[action.group] if action.group else 1.0
            pays = tuple(
                evaluate_one(action.pays[name].node, env) if name in action.pays else 0.0 for name in self.index
            )
            if action.branches:
                target = (number, (place, action.label), state)
                self.edges[target] = Counter()
                self.walk_branches(target, state, action, action.label, env)
            else:
                target = self.step(node, self.after(action.effects, state, env), action.ends)
            self.edges[node][(action.label, target, weight, pays, (1.0,) * (1 + len(self.index)))] += 1

    def walk_branches(self, node, state, holder, owner, env):
        number = node[0]
        env = env or self.names(state, number)
        zeros, ones = (0.0,) * len(self.index), (1.0,) * (1 + len(self.index))
        if holder is None:
            self.edges[node][("", self.step(node, state, ends=False), 0.0, zeros, ones)] += 1
            return
        for branch in holder.branches:
            chance = evaluate_one(branch.probability.node, env)
            own = [
                evaluate_one(branch.believes[name].node, env) if name in branch.believes else chance
                for name in self.index
            ]
            pays = tuple(
                evaluate_one(branch.pays[name].node, env) if name in branch.pays else 0.0 for name in self.index
            )
            target = self.step(node, self.after(branch.effects, state, env), branch.ends)
            self.edges[node][(f"{owner}/{branch.label}", target, 0.0, pays, (chance, *own))] += 1

    def step(self, node, state, ends):
        number, place, _ = node
        return self.move_to(number, (place[0] if isinstance(place, tuple) else place) + 1, state, ends=ends)


def named(game):
    """Name a compiled game's nodes and edges as the walk does."""
    graph, origin, numbers = game.graph, game.origin, game.numbers
    names = [variable.id for variable in origin.scenario.variables]
    layers = graph.node_layer()
    stage = {}
    position = {}
    for layer in range(graph.layer_count):
        number = int(graph.layer_round[layer])
        uncertain = bool(graph.node_uncertain[graph.nodes(layer)].any())
        if graph.layer_player[layer] == TERMINAL:
            stage[layer] = "end"
        elif not uncertain:
            position[number] = position.get(number, -1) + 1
            stage[layer] = position[number]
    node_names = []
    into = {int(graph.edge_dst[e]): graph.labels[graph.edge_label[e]].text for e in range(graph.edge_count)}
    for node in range(graph.node_count):
        state = origin.codec.state(int(graph.node_key[node]))
        layer = int(layers[node])
        place = (stage[layer - 1], into[node]) if graph.node_uncertain[node] else stage[layer]
        node_names.append((int(graph.layer_round[layer]), place, tuple(float(state[name]) for name in names)))
    edges = {name: Counter() for name in node_names}
    source = graph.edge_source()
    for e in range(graph.edge_count):
        text = graph.labels[graph.edge_label[e]].text
        pays = tuple(numbers.pay[0][graph.edge_pay[e]].tolist())
        chances = tuple(numbers.prob[0][graph.edge_prob[e]].tolist())
        edges[node_names[source[e]]][
            (text, node_names[graph.edge_dst[e]], float(graph.edge_weight[e]), pays, chances)
        ] += 1
    return node_names, edges


def ranked(names):
    """Number the stages of each round in order, since layers that everybody skips are not made."""
    places = {}
    for number, place, _ in names:
        if isinstance(place, int):
            places.setdefault(number, set()).add(place)
    return {number: {place: rank for rank, place in enumerate(sorted(found))} for number, found in places.items()}


def compare(scenario, **options):
    """Compile, walk, and hold one against the other."""
    game = sim.compile(scenario, rounds=options.get("rounds"), remove=options.get("removed", ()))
    walk = Walk(scenario, **options)
    names, edges = named(game)
    assert len(set(names)) == len(names) == len(walk.edges)
    ranks = ranked(walk.edges)

    def renamed(node):
        number, place, state = node
        if isinstance(place, tuple):
            return number, (ranks[number][place[0]], place[1]), state
        return number, ranks[number].get(place, place), state

    expected = {
        renamed(node): Counter({(text, renamed(target), *rest): count for (text, target, *rest), count in out.items()})
        for node, out in walk.edges.items()
    }
    assert edges.keys() == expected.keys()
    assert edges == expected
    compare_rewards(game, names)
    return game


def compare_rewards(game, names):
    """Hold every payoff of a state against its expressions."""
    graph, scenario = game.graph, game.origin.scenario
    layers = graph.node_layer()
    env = {name: float(values[0]) for name, values in game.assumptions.items()} | dict(game.origin.known)
    for node, (number, _, state) in enumerate(names):
        terminal = graph.layer_player[layers[node]] == TERMINAL
        arrives = graph.layer_boundary[layers[node]] and layers[node] > 0
        paid_in = number - (0 if terminal else 1)
        own = dict(zip((variable.id for variable in scenario.variables), state, strict=True))
        clock = {"round": float(paid_in), "rounds_left": float(game.origin.rounds - paid_in)}
        for i, player in enumerate(scenario.players):
            total = sum(evaluate_one(term.node, {**env, **own, **clock}) for term in player.terms.values())
            assert game.numbers.reward[0][graph.node_reward[node, i]] == (pytest.approx(total) if arrives else 0)
            discount = evaluate_one(player.discount.node, env)
            left = game.origin.rounds - paid_in
            more = {"each_round": total, "discount": discount, "annuity": sum(discount**k for k in range(left))}
            final = evaluate_one(player.final.node, {**env, **own, **clock, **more}) if terminal else 0
            assert game.numbers.reward[0][graph.node_final[node, i]] == pytest.approx(final)


# -- scenarios --------------------------------------------------------------------------------------------------------

SMALL = [
    file
    for file in [
        *sorted((ROOT / "scenarios").glob("*.toml")),
        ROOT / "tests" / "scenario" / "base.toml",
        sim.template(),
    ]
    if "simultaneous = ["
    not in file.read_text(encoding="utf-8")  # those are walked in tests/solve/test_simultaneous.py
]


@st.composite
def texts(draw):
    """Write a random scenario in which nobody is ever left without a move and nothing leaves its range."""
    conditions = [
        "true",
        "rung > calm",
        "arms == 0",
        "open",
        "not open and rung < war",
        "round > 1",
        "rounds_left == 0 or arms > 1",
    ]
    rungs = ["rung + 1", "rung - 1", "war", "max(rung, tense)", "rung if open else calm", "arms"]
    effects = [
        *(f'rung = "{text}"' for text in rungs),
        'arms = "arms + 1"',
        'arms = "(rung + arms) // 2"',
        "open = false",
        'open = "not open"',
        "arms = 0",
    ]

    def changes():
        chosen = draw(st.lists(st.sampled_from(effects), max_size=2, unique_by=lambda text: text.split()[0]))
        return "{ " + ", ".join(chosen) + " }"

    def pays():
        return draw(st.sampled_from(["{}", '{ a = "arms" }', '{ b = "-cost", a = 1 }', '{ a = "round" }']))

    def outcomes():
        more = draw(st.sampled_from(["", "", ", ends = true"]))
        return f"""[
            {{ label = "x", probability = "risk", effects = {changes()}, pays = {pays()} }},
            {{ label = "y", probability = "1 - risk", believes = {{ b = "risk" }}, effects = {changes()}{more} }},
        ]""".replace('"risk", effects', '"risk", believes = { b = "1 - risk" }, effects')

    lines = [
        'title = "random"',
        f"rounds = {draw(st.integers(1, 3))}",
        "[players.a]\n[players.b]\ndiscount = 0.5",
        "[assumptions.risk]\nvalue = 0.25\n[assumptions.cost]\nvalue = 2",
        '[state.rung]\nladder = ["calm", "tense", "war"]\nstart = "tense"\nclip = true',
        "[state.arms]\nrange = [0, 2]\nstart = 1\nclip = true",
        f"[state.open]\nflag = true\nstart = {draw(st.sampled_from(['true', 'false']))}",
        '[payoffs.a.each_round]\nfirst = "rung * cost - round"\nsecond = "arms if open else 0"',
        '[payoffs.b]\neach_round = "-rung"\nfinal = "annuity(arms) + each_round"',
        '[moves.wait]\nplayer = ["a", "b"]',
    ]
    turns = draw(st.lists(st.sampled_from(["a", "b", "storm", "quake", "storm, quake"]), min_size=1, max_size=4))
    for turn in turns:
        key = (
            f'player = "{turn}"'
            if turn in "ab"
            else "chance = [" + ", ".join(f'"{event}"' for event in turn.split(", ")) + "]"
        )
        lines.append(f"[[turns]]\n{key}{draw(st.sampled_from(['', chr(10) + 'in_rounds = [1]']))}")
    for move in range(draw(st.integers(1, 4))):
        lines.append(
            f'[moves.m{move}]\nplayer = "{draw(st.sampled_from("ab"))}"\nwhen = "{draw(st.sampled_from(conditions))}"\npays = {pays()}'
        )
        kind = draw(st.sampled_from(["plain", "ends", "uncertain", "choice"]))
        if kind == "uncertain":
            lines.append(f"outcomes = {outcomes()}")
        else:
            lines.append(f"effects = {changes()}" + "\nends = true" * (kind == "ends"))
        if kind == "choice":
            lines.append("choose = { size = [0, 1] }")
        lines.append(draw(st.sampled_from(["", 'group = "g"'])))
    for event in ("storm", "quake"):
        guard = draw(st.sampled_from(conditions))
        lines.append(f'[[chance.{event}]]\nwhen = "{guard}"\noutcomes = {outcomes()}')
        if draw(st.booleans()):
            lines.append(
                f'[[chance.{event}]]\nwhen = "not ({guard})"\noutcomes = [{{ probability = 1, effects = {changes()} }}]'
            )
    return "\n".join(lines)


# -- laws -------------------------------------------------------------------------------------------------------------


def check_structure(game):
    """Check what holds of every graph."""
    graph, numbers = game.graph, game.numbers
    assert graph.node_count > 0
    assert graph.layer_start[0] == graph.edge_start[0] == 0
    assert (np.diff(graph.layer_start) > 0).all(), "no layer is empty"
    assert (np.diff(graph.edge_start) >= 0).all()
    assert len(graph.edge_dst) == len(graph.edge_label) == len(graph.edge_weight) == graph.edge_count
    assert len(graph.node_key) == graph.node_count == len(graph.edge_start) - 1
    source = graph.edge_source()
    layers = graph.node_layer()
    assert (graph.edge_dst > source).all(), "edges go forward"
    assert (layers[graph.edge_dst] > layers[source]).all()
    terminal = graph.layer_player[layers] == TERMINAL
    assert terminal.any()
    degree = np.diff(graph.edge_start)
    assert (degree[~terminal] > 0).all()
    assert (degree[terminal] == 0).all()
    reached = np.zeros(graph.node_count, dtype=bool)
    reached[graph.roots] = True
    reached[graph.edge_dst] = True
    assert reached.all(), "nothing is made that is not reached"
    mover = graph.layer_player[layers][source]
    chance = mover == CHANCE
    assert (graph.edge_weight[chance] == 0).all()
    assert (graph.edge_weight[~chance] > 0).all()
    assert (graph.edge_prob[~chance] == 0).all()
    for variant in range(game.variants):
        prob = numbers.prob[variant][graph.edge_prob]
        assert (prob >= 0).all()
        totals = np.zeros((graph.node_count, prob.shape[1]))
        np.add.at(totals, source[chance], prob[chance])
        nodes = np.unique(source[chance])
        assert totals[nodes] == pytest.approx(1.0)
    for array in (graph.edge_dst, graph.node_key, graph.edge_weight, numbers.reward, numbers.prob, numbers.pay):
        assert not array.flags.writeable
    check_weights(graph, source)
    check_merging(game, graph, layers)


def check_weights(graph, source):
    """Check that the members of a group share one unit of weight at each node."""
    units = {}
    for e in range(graph.edge_count):
        label = graph.labels[graph.edge_label[e]]
        if label.player:
            units.setdefault((source[e], label.group or label.text), []).append(graph.edge_weight[e])
    for weights in units.values():
        assert sum(weights) == pytest.approx(1.0)
        assert len(set(weights)) == 1


def check_merging(game, graph, layers):
    """Check that states of one layer are told apart by their code, and by what was revealed; only uncertain moves have nodes of their own."""
    plain = ~graph.node_uncertain
    told = graph.node_key[:, None] if game.types is None else np.column_stack([graph.node_key, game.types.node_class])
    pairs = {(layer, *key) for layer, key in zip(layers[plain].tolist(), told[plain].tolist(), strict=True)}
    assert len(pairs) == plain.sum()


@pytest.mark.parametrize("file", SMALL, ids=lambda file: file.stem)
def test_every_shipped_scenario_is_sound(file):
    check_structure(sim.compile(sim.load(file), rounds=min(sim.load(file).rounds, 5)))


@pytest.mark.parametrize("file", SMALL, ids=lambda file: file.stem)
def test_every_shipped_scenario_is_what_a_walk_finds(file):
    scenario = sim.load(file)
    if any(one.known_as is None for one in scenario.privates):
        pytest.skip("the walk knows no private types; see tests/solve/test_private.py")
    game = compare(scenario, rounds=min(scenario.rounds, 3))
    assert game.graph.node_count > 3


@settings(max_examples=120)
@given(texts())
def test_random_scenarios_are_sound_and_what_a_walk_finds(text):
    check_structure(compare(loads(text)))


@settings(max_examples=40)
@given(texts())
def test_what_is_removed_is_gone_and_nothing_else(text):
    scenario = loads(text)
    game = compare(scenario, removed=("m0",))
    assert all(label.move != "m0" for label in game.graph.labels)
    check_structure(game)


def values_under_uniform_play(game):
    """Compute each player's value at the root when all play by weight alone; plain loops, one node at a time."""
    graph, numbers = game.graph, game.numbers
    layers = graph.node_layer()
    players = len(graph.players)
    value = np.zeros((graph.node_count, players))
    for node in range(graph.node_count - 1, -1, -1):
        mover = graph.layer_player[layers[node]]
        if mover == TERMINAL:
            value[node] = numbers.reward[0][graph.node_final[node]]
            continue
        edges = list(graph.edges_of(node))
        weights = graph.edge_weight[edges] / max(graph.edge_weight[edges].sum(), 1e-300)
        for share, e in zip(weights, edges, strict=True):
            target = graph.edge_dst[e]
            then = value[target]
            if graph.layer_boundary[layers[target]]:
                then = numbers.reward[0][graph.node_reward[target]] + numbers.discount[0] * then
            own = numbers.prob[0][graph.edge_prob[e]][1:] if mover == CHANCE else share
            value[node] += own * (numbers.pay[0][graph.edge_pay[e]] + then)
    return value[graph.roots[0]]


@settings(max_examples=60)
@given(texts(), st.sampled_from(["rung > calm", "open", "arms == 0"]))
def test_skipping_an_event_that_does_not_happen_changes_no_value(text, guard):
    """An event without a case for what does not happen, and one that says outright that nothing happens then."""
    happens = f"""
[[turns]]
chance = ["flood"]
[[chance.flood]]
when = "{guard}"
outcomes = [{{ probability = 1, effects = {{ arms = 2 }} }}]"""
    nothing = f'\n\n[[chance.flood]]\nwhen = "not ({guard})"\noutcomes = [{{ probability = 1 }}]'
    short, long = (sim.compile(loads(text + more)) for more in (happens, happens + nothing))
    assert short.graph.node_count <= long.graph.node_count
    assert values_under_uniform_play(short) == pytest.approx(values_under_uniform_play(long))


@settings(max_examples=60)
@given(texts(), st.lists(st.floats(0, 1), min_size=1, max_size=3), st.floats(0.5, 3))
def test_new_numbers_are_what_compiling_again_gives(text, risks, cost):
    scenario = loads(text)
    wanted = {"risk": risks, "cost": cost}
    again = renumber(sim.compile(scenario), wanted)
    afresh = sim.compile(scenario, wanted)
    assert again.variants == afresh.variants == len(risks)
    for name in ("reward", "pay", "prob", "discount", "span"):
        assert np.array_equal(getattr(again.numbers, name), getattr(afresh.numbers, name)), name
    assert again.origin.settings == afresh.origin.settings
    for variant, risk in enumerate(risks):
        alone = sim.compile(scenario, {"risk": risk, "cost": cost})
        assert np.array_equal(alone.numbers.reward[0], afresh.numbers.reward[variant])
        assert np.array_equal(alone.numbers.prob[0], afresh.numbers.prob[variant])


# -- one thing at a time ----------------------------------------------------------------------------------------------

PLAIN = """
title = "plain"
rounds = 2
[players.a]
discount = 0.5
[players.b]
[assumptions.risk]
value = 0.25
[assumptions.gap]
choices = [0, 1, 2]
value = 1
[state.rung]
ladder = ["calm", "tense", "war"]
start = "calm"
[state.arms]
range = [0, 2]
start = 0
[[turns]]
player = "a"
[[turns]]
player = "b"
[moves.wait]
player = ["a", "b"]
[moves.climb]
player = "a"
when = "rung < war"
effects = { rung = "rung + gap" }
pays = { a = "rung + 10 * round" }
[payoffs.a]
each_round = "rung"
[payoffs.b]
each_round = "-rung"
[outcomes]
war = "ever(rung == war)"
"""


def labels_at(game, node):
    return [game.graph.labels[game.graph.edge_label[e]].text for e in game.graph.edges_of(node)]


def test_a_batch_may_not_vary_what_shapes_the_game():
    scenario = loads(PLAIN)
    with pytest.raises(OptionError, match="'gap' shapes the game"):
        sim.compile(scenario, {"gap": [0, 1]})
    with pytest.raises(OptionError, match="'gap' shapes the game"):
        renumber(sim.compile(scenario), {"gap": 0})
    assert sim.compile(scenario, {"gap": [1, 1]}).variants == 2
    assert sim.compile(scenario, {"gap": 0}).graph.node_count < sim.compile(scenario, {"gap": 1}).graph.node_count


def test_what_shapes_the_game_through_another_assumption():
    scenario = loads(
        PLAIN.replace("[assumptions.gap]", "[assumptions.size]\nvalue = 1\n[assumptions.gap]").replace(
            "value = 1\n[state", 'value = "size"\n[state'
        )
    )
    with pytest.raises(OptionError, match="shapes the game"):
        sim.compile(scenario, {"size": [0, 1]})


def test_the_node_limit():
    scenario = loads(PLAIN)
    count = sim.compile(scenario).graph.node_count
    assert sim.compile(scenario, node_limit=count).graph.node_count == count
    with pytest.raises(ScenarioError, match="nodes"):
        sim.compile(scenario, node_limit=count - 1)


def test_progress_is_told():
    seen = []
    game = sim.compile(loads(PLAIN), progress=lambda *news: seen.append(news))
    assert [news[:2] for news in seen] == [(1, 2), (2, 2)]
    assert seen[-1][2] == game.graph.node_count


@pytest.mark.parametrize("options", [{"rounds": 0}, {"rounds": 1001}, {"first": 3}, {"first": 0}])
def test_rounds_that_cannot_be(options):
    with pytest.raises(OptionError, match="rounds"):
        sim.compile(loads(PLAIN), **options)


def test_play_may_begin_later():
    scenario = loads(PLAIN)
    whole = sim.compile(scenario)
    codes = [whole.origin.codec.encode({"rung": rung, "arms": 0}) for rung in (1, 2)]
    rest = sim.compile(scenario, first=2, starts=codes)
    assert rest.graph.roots.tolist() == [0, 1]
    assert sorted(rest.graph.node_key[:2].tolist()) == sorted(codes)
    assert set(rest.graph.layer_round.tolist()) == {2}


def test_forbidden_moves_are_not_available():
    free = sim.compile(loads(PLAIN))
    bound = compare(loads('forbid = ["rung == war"]\n' + PLAIN))
    assert labels_at(free, 0) == labels_at(bound, 0) == ["wait", "climb"]
    tense = [
        n for n in range(bound.graph.node_count) if bound.origin.codec.state(int(bound.graph.node_key[n]))["rung"] == 1
    ]
    assert tense
    assert all("climb" not in labels_at(bound, node) for node in tense)
    assert any("climb" in labels_at(free, node) for node in range(4, free.graph.node_count))


def test_an_uncertain_move_that_could_enter_a_forbidden_state_is_not_available():
    uncertain = PLAIN.replace(
        'effects = { rung = "rung + gap" }',
        'outcomes = [{ label = "up", probability = "risk", effects = { rung = "rung + 1" } }, { probability = "1 - risk" }]',
    )
    bound = compare(loads('forbid = ["rung == war"]\n' + uncertain))
    free = compare(loads(uncertain))
    assert bound.graph.node_uncertain.sum() == 2, "in either round while all is calm"
    assert free.graph.node_uncertain.sum() == 3


def test_uncertain_moves_make_chance_nodes():
    text = PLAIN.replace(
        'effects = { rung = "rung + gap" }',
        'outcomes = [{ label = "up", probability = "risk", effects = { rung = "rung + 1" }, pays = { b = 5 } }, '
        '{ label = "no", probability = "1 - risk", ends = true }]',
    )
    game = compare(loads(text))
    graph = game.graph
    (first,) = [e for e in graph.edges_of(0) if graph.labels[graph.edge_label[e]].text == "climb"]
    node = int(graph.edge_dst[first])
    assert graph.node_uncertain[node]
    assert graph.layer_player[graph.layer_of(node)] == CHANCE
    assert graph.node_key[node] == graph.node_key[0], "the state is that before the move"
    assert labels_at(game, node) == ["climb/up", "climb/no"]
    assert game.numbers.pay[0][graph.edge_pay[first]].tolist() == [10, 0]
    up, no = graph.edges_of(node)
    assert game.numbers.pay[0][graph.edge_pay[up]].tolist() == [0, 5]
    assert game.numbers.prob[0][graph.edge_prob[[up, no]]][:, 0].tolist() == [0.25, 0.75]
    assert graph.layer_player[graph.layer_of(int(graph.edge_dst[no]))] == TERMINAL


def test_what_ends_skips_the_rest_of_the_round():
    game = compare(loads(PLAIN.replace('when = "rung < war"', 'when = "rung < war"\nends = true')))
    graph = game.graph
    (last,) = [e for e in graph.edges_of(0) if graph.labels[graph.edge_label[e]].text == "climb"]
    node = int(graph.edge_dst[last])
    layer = graph.layer_of(node)
    assert (graph.layer_player[layer], graph.layer_round[layer]) == (TERMINAL, 1)
    assert game.numbers.reward[0][graph.node_reward[node]].tolist() == [1, -1]


def test_choices_are_actions_that_share_a_unit_of_weight():
    text = PLAIN.replace(
        'effects = { rung = "rung + gap" }', 'choose = { arms = [0, 1, 2], tone = ["soft", "hard"] }'
    ).replace('"rung + 10 * round"', '"arms + 10 * chosen.arms + (1 if tone == hard else 0)"')
    game = compare(loads(text))
    graph = game.graph
    edges = list(graph.edges_of(0))
    assert labels_at(game, 0) == [
        "wait",
        *(f"climb/arms={arms},tone={tone}" for arms in (0, 1, 2) for tone in ("soft", "hard")),
    ]
    assert graph.edge_weight[edges].tolist() == pytest.approx([1] + [1 / 6] * 6)
    states = [game.origin.codec.state(int(graph.node_key[graph.edge_dst[e]]))["arms"] for e in edges]
    assert states == [0, 0, 0, 1, 1, 2, 2]
    assert [game.numbers.pay[0][graph.edge_pay[e], 0] for e in edges] == [0, 0, 1, 10, 11, 20, 21]


def test_an_uncertain_choice_reads_its_own_option():
    """Each combination has probabilities of its own, and sets the variable it chooses in every outcome."""
    text = PLAIN.replace(
        'effects = { rung = "rung + gap" }',
        'choose = { arms = [0, 1, 2] }\noutcomes = [{ label = "up", probability = "chosen.arms / 4", effects = { rung = "tense" } }, '
        '{ label = "no", probability = "1 - chosen.arms / 4" }]',
    )
    game = compare(loads(text))
    graph = game.graph
    found = {}
    for e in list(graph.edges_of(0))[1:]:
        up, no = graph.edges_of(int(graph.edge_dst[e]))
        arms = [game.origin.codec.state(int(graph.node_key[graph.edge_dst[b]]))["arms"] for b in (up, no)]
        found[graph.labels[graph.edge_label[e]].text] = (game.numbers.prob[0][graph.edge_prob[up], 0], *arms)
    assert found == {"climb/arms=0": (0, 0, 0), "climb/arms=1": (0.25, 1, 1), "climb/arms=2": (0.5, 2, 2)}


def test_an_event_and_a_move_may_share_a_name():
    text = PLAIN.replace(
        'effects = { rung = "rung + gap" }',
        'outcomes = [{ label = "x", probability = "risk" }, { label = "y", probability = "1 - risk" }]',
    )
    text += """
[[turns]]
chance = "climb"
[[chance.climb]]
outcomes = [{ label = "x", probability = 0.5 }, { label = "y", probability = 0.5 }]"""
    game = compare(loads(text))
    assert {"climb", "climb/x", "climb/y"} <= {label.text for label in game.graph.labels}
    assert set(np.unique(game.numbers.prob[0][:, 0])) == {0.25, 0.5, 0.75, 1.0}


def test_groups_share_a_unit_among_those_available():
    text = PLAIN.replace("[moves.climb]", '[moves.climb]\ngroup = "g"').replace(
        "[payoffs.a]", '[moves.arm]\nplayer = "a"\ngroup = "g"\nwhen = "rung == calm"\n[payoffs.a]'
    )
    game = compare(loads(text))
    weights = {
        tuple(labels_at(game, n)): game.graph.edge_weight[list(game.graph.edges_of(n))].tolist() for n in range(9)
    }
    assert weights["wait", "climb", "arm"] == [1, 0.5, 0.5]
    assert weights["wait", "climb"] == [1, 1]


def test_turns_may_come_in_some_rounds():
    text = PLAIN.replace('[[turns]]\nplayer = "b"', '[[turns]]\nplayer = "b"\nin_rounds = [2]')
    graph = compare(loads(text)).graph
    assert list(zip(graph.layer_round.tolist(), graph.layer_player.tolist(), strict=True)) == [
        (1, 0),
        (2, 0),
        (2, 1),
        (2, TERMINAL),
    ]


def test_a_round_without_turns_still_counts():
    text = PLAIN.replace('player = "a"\n[[turns]]', 'player = "a"\nin_rounds = [2]\n[[turns]]').replace(
        'player = "b"\n[moves', 'player = "b"\nin_rounds = [2]\n[moves'
    )
    game = compare(loads(text))
    assert game.graph.layer_player.tolist() == [CHANCE, 0, 1, TERMINAL]
    assert labels_at(game, 0) == [""]


def test_beliefs_have_columns_of_their_own():
    event = '\n[[turns]]\nchance = "coin"\n[[chance.coin]]\noutcomes = [{ label = "up", probability = "risk", believes = { b = 0.9 } }, '
    event += '{ label = "down", probability = "1 - risk", believes = { b = 0.1 } }]'
    game = compare(loads(PLAIN + event), rounds=1)
    rows = {
        game.graph.labels[game.graph.edge_label[e]].text: game.numbers.prob[0][game.graph.edge_prob[e]].tolist()
        for e in range(game.graph.edge_count)
    }
    assert rows["coin/up"] == [0.25, 0.25, 0.9]
    assert rows["coin/down"] == pytest.approx([0.75, 0.75, 0.1])


def test_removing_a_group_removes_its_moves():
    scenario = loads(BASE)
    game = compare(scenario, removed=("tear", "probe"))
    by_group = sim.compile(scenario, remove=["gambit"])
    assert game.graph.node_count == by_group.graph.node_count
    assert game.origin.removed == by_group.origin.removed == {"tear", "probe"}
    with pytest.raises(OptionError, match="did you mean 'gambit'"):
        sim.compile(scenario, remove=["gambt"])
    with pytest.raises(ScenarioError, match="no available move"):
        sim.compile(loads(PLAIN), remove=["wait"])


def test_who_moves_can_be_read():
    text = PLAIN.replace('player = ["a", "b"]', 'player = ["a", "b"]\npays = { b = "7 if mover == b else -7" }')
    game = compare(loads(text))
    labels = [game.graph.labels[label] for label in game.graph.edge_label]
    waits = [e for e, label in enumerate(labels) if label.move == "wait"]
    assert {(labels[e].player, game.numbers.pay[0][game.graph.edge_pay[e], 1]) for e in waits} == {("a", -7), ("b", 7)}


def test_the_payoff_range_bounds_every_history():
    """The span is a bound on the difference between two histories, found here by walking all of them."""
    scenario = loads(PLAIN)
    game = sim.compile(scenario)
    graph, numbers = game.graph, game.numbers
    layers = graph.node_layer()
    totals = []

    def follow(node, total, number):
        edges = graph.edges_of(node)
        if not len(edges):
            totals.append(total + numbers.discount[0] ** number * numbers.reward[0][graph.node_final[node]])
        for e in edges:
            target = int(graph.edge_dst[e])
            more = total + numbers.discount[0] ** (number - 1) * numbers.pay[0][graph.edge_pay[e]]
            if graph.layer_boundary[layers[target]]:
                more = more + numbers.discount[0] ** (number - 1) * numbers.reward[0][graph.node_reward[target]]
            follow(target, more, int(graph.layer_round[layers[target]]))

    follow(0, np.zeros(2), 1)
    assert len(totals) > 3
    assert (np.ptp(totals, axis=0) <= numbers.span[0] + 1e-12).all()
    assert numbers.span[0][1] == pytest.approx(np.ptp(totals, axis=0)[1])
