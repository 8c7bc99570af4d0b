"""One suite for every registered concept, on a catalogue of games chosen by capability: a new row of the registry is held to all of it."""

import re
from pathlib import Path

import numpy as np
import pytest

import sim
from sim.game.graph import CHANCE
from sim.scenario.load import dump, loads
from sim.solve.registry import CONCEPTS, concepts_for
from sim.testing import affine

ROOT = Path(__file__).parent.parent.parent
STAG = (Path(__file__).parent / "stag_hunt_twice.toml").read_text(encoding="utf-8")


def shipped(name):
    return (ROOT / "scenarios" / f"{name}.toml").read_text(encoding="utf-8")


def endless(text):
    """Give a scenario an infinite horizon, and everybody a discount."""
    text = re.sub(r"^rounds.*$", 'horizon = "infinite"', text, flags=re.MULTILINE)
    text = re.sub(r"^(\[players\.\w+\])$", r"\1\ndiscount = 0.8", text, flags=re.MULTILINE)
    return re.sub(r"\bfinal\(", "max_over(", text)


TEMPLATE = sim.template().read_text(encoding="utf-8")
CATALOGUE = {
    "template": TEMPLATE,
    "centipede": shipped("centipede_4"),
    "audience costs": shipped("audience_costs"),
    "chain store": shipped("chain_store"),
    "at once": STAG,
    "reputation": shipped("entry_deterrence"),
    "one reputation": shipped("entry_deterrence").replace("value  = 0.0625", "value  = 0.3"),
    "crisis signalling": shipped("crisis_signalling"),
    "one signal": shipped("crisis_signalling").replace("value  = -2.8", "value  = -2.2"),
    "endless": endless(TEMPLATE),
    "endless, at once": endless(STAG),
}
PAIRS = [
    (concept, name)
    for name, text in CATALOGUE.items()
    for concept in concepts_for(sim.compile(loads(text, f"{name}.toml")))
]


@pytest.fixture(scope="module")
def catalogue():
    return {name: sim.compile(loads(text, f"{name}.toml")) for name, text in CATALOGUE.items()}


def test_every_concept_meets_several_games():
    assert {concept for concept, _ in PAIRS} == set(CONCEPTS)
    for concept in CONCEPTS:
        assert sum(one == concept for one, _ in PAIRS) >= 2


@pytest.mark.parametrize(("concept", "name"), PAIRS)
def test_it_ends_with_one_certified_profile_and_the_same_again(catalogue, concept, name):
    game = catalogue[name]
    first, second = sim.solve(game, concept), sim.solve(game, concept)
    assert first.status.certified
    assert first.profile.shape == (1, game.graph.edge_count)
    certificate = first.certificate
    assert certificate.kind == CONCEPTS[concept].certificate
    assert getattr(certificate.measures, certificate.kind)[0] <= CONCEPTS[concept].tolerance
    np.testing.assert_array_equal(first.profile, second.profile)
    assert first.values.tolist() == second.values.tolist()


@pytest.mark.parametrize(("concept", "name"), PAIRS)
def test_names_do_not_matter(catalogue, concept, name):
    """Players are written in the other order: everybody earns the same."""
    scenario = catalogue[name].origin.scenario
    document = dict(scenario.document)
    document["players"] = dict(reversed(list(document["players"].items())))
    other = sim.compile(loads(dump(scenario), "same.toml"))
    turned = sim.compile(loads(_toml(document), "turned.toml"))
    assert turned.graph.players == tuple(reversed(other.graph.players))
    one, two = sim.solve(other, concept), sim.solve(turned, concept)
    np.testing.assert_allclose(one.values[0], two.values[0, ::-1], atol=1e-7)


@pytest.mark.parametrize(("concept", "name"), PAIRS)
def test_units_do_not_matter_where_they_should_not(catalogue, concept, name):
    game = catalogue[name]
    scaled = affine(game, 0, 4.0, 0.0)
    options = {"precision": 0.5} if concept == "quantal_response" else {}
    base = sim.solve(game, concept, **options)
    if not CONCEPTS[concept].affine_invariant:
        players = game.graph.players
        options = {"precision": {player: 0.5 / (4.0 if player == players[0] else 1.0) for player in players}}
    other = sim.solve(scaled, concept, **options)
    assert other.status.certified
    np.testing.assert_allclose(other.profile, base.profile, atol=1e-7)


@pytest.mark.parametrize(("concept", "name"), PAIRS)
def test_chance_is_the_modellers(catalogue, concept, name):
    game = catalogue[name]
    solution = sim.solve(game, concept)
    mover = game.graph.layer_player[game.graph.node_layer()][game.graph.edge_source()]
    chance = mover == CHANCE
    np.testing.assert_allclose(
        solution.profile[0, chance], game.numbers.prob[0, game.graph.edge_prob[chance], 0], atol=1e-15
    )
    assert sim.play(solution).reached.sum() > 0


def _toml(document):
    import tomli_w

    return tomli_w.dumps(document)
