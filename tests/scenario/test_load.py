"""Loading: any text loads or raises ScenarioError, and what is loaded can be written and loaded again."""

import datetime as dt
import json
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sim
from sim.errors import ScenarioError
from sim.scenario.load import loads
from sim.scenario.model import Scenario
from sim.scenario.schema import NOT_YET, ScenarioFile
from sim.scenario.translate import known_keys

ROOT = Path(__file__).parent.parent.parent
BASE = Path(__file__).with_name("base.toml").read_text(encoding="utf-8")
FILES = [*sorted((ROOT / "scenarios").glob("*.toml")), Path(__file__).with_name("base.toml"), sim.template()]
SOON = settings(max_examples=150, deadline=dt.timedelta(seconds=5))


def loads_or_explains(text):
    """Load a text, or check that the error explains itself; return the scenario, or the problems."""
    try:
        scenario = loads(text, "x.toml")
    except ScenarioError as error:
        problems = error.problems
    else:
        assert isinstance(scenario, Scenario)
        return scenario, ()
    explained(problems)
    assert all(0 <= problem.line <= text.count("\n") + 1 for problem in problems)
    return None, problems


def explained(problems):
    assert problems
    for problem in problems:
        assert problem.what
        assert problem.kind
        assert problem.file == "x.toml"


@SOON
@given(st.text(max_size=300))
def test_any_text_loads_or_raises_scenario_error(text):
    assert loads_or_explains(text)[0] is None


PIECES = [
    *(
        "[",
        "]",
        "[[",
        "]]",
        "{",
        "}",
        "=",
        '"',
        "'",
        '"""',
        ",",
        ".",
        "#",
        "\n",
        "\\",
        "0",
        "-1",
        "1e9",
        "9" * 30,
        "nan",
        "inf",
        "true",
    ),
    *(
        "rung",
        "east",
        "west",
        "cost",
        "player",
        "when",
        "effects",
        "rung + 1",
        "1 / 0",
        "ever(true)",
        "¶9",
        "2016-10-03",
        "\0",
        "é",
        "[]",
        "{}",
    ),
    *NOT_YET,
]


@st.composite
def damaged(draw):
    """Write the base scenario with lines left out, doubled or swapped, and pieces replaced."""
    text = BASE
    for _ in range(draw(st.integers(1, 4))):
        lines = text.split("\n")
        place = draw(st.integers(0, len(lines) - 1))
        action = draw(st.sampled_from(["drop", "double", "swap", "piece", "piece", "value", "value"]))
        if action == "drop":
            del lines[place]
        elif action == "double":
            lines.insert(place, lines[place])
        elif action == "swap":
            other = draw(st.integers(0, len(lines) - 1))
            lines[place], lines[other] = lines[other], lines[place]
        elif action == "value" and "=" in lines[place]:
            lines[place] = (
                lines[place].split("=")[0]
                + "= "
                + draw(st.sampled_from([*PIECES, '"rung"', '""', "[1, 2]", '["a"]', "{ a = 1 }"]))
            )
        else:
            line = lines[place]
            start = draw(st.integers(0, len(line)))
            stop = draw(st.integers(start, len(line)))
            lines[place] = line[:start] + draw(st.sampled_from(["", *PIECES])) + line[stop:]
        text = "\n".join(lines)
    return text


@settings(max_examples=300, deadline=dt.timedelta(seconds=5))
@given(damaged())
def test_a_damaged_scenario_loads_or_raises_scenario_error(text):
    scenario, _ = loads_or_explains(text)
    if scenario is not None:
        assert loads(sim.dump(scenario), "x.toml") == scenario
        problems = ()
        try:
            sim.compile(scenario, node_limit=20_000)
        except ScenarioError as error:
            problems = error.problems
        if problems:
            explained(problems)


def paths(value, path=()):
    """List all places of a document."""
    yield path
    if isinstance(value, dict):
        for key, item in value.items():
            yield from paths(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from paths(item, (*path, index))


def at(document, path):
    """Return what stands at a place, or None."""
    for part in path:
        if not (isinstance(document, dict) or (isinstance(document, list) and isinstance(part, int))):
            return None
        try:
            document = document[part]
        except (KeyError, IndexError):
            return None
    return document


PLACES = [path for path in paths(tomllib.loads(BASE)) if path]
WRONG = st.sampled_from(
    [
        0,
        -1,
        3,
        2.5,
        10**18,
        True,
        False,
        "",
        "x",
        "rung",
        "rung + 1",
        "peace",
        "1 / rung",
        [],
        ["x"],
        [0],
        [[1]],
        {},
        {"a": 1},
        dt.date(2016, 10, 3),
    ]
)


@settings(max_examples=300, deadline=dt.timedelta(seconds=5))
@given(changes=st.lists(st.tuples(st.sampled_from(PLACES), WRONG), min_size=1, max_size=3))
def test_any_value_in_any_place(changes):
    import tomli_w

    document = tomllib.loads(BASE)
    for path, value in changes:
        holder = at(document, path[:-1])
        if at(document, path) is not None:
            holder[path[-1]] = value
    loads_or_explains(tomli_w.dumps(document))


@pytest.mark.parametrize("path", PLACES, ids=lambda path: ".".join(map(str, path)))
@pytest.mark.parametrize("word", ["misspelt", "gone"])
def test_no_key_can_do_harm_by_its_absence(path, word):
    """Each key misspelt or left out, one at a time; a misspelt key of the language is the only problem."""
    import tomli_w

    document = tomllib.loads(BASE)
    holder = at(document, path[:-1])
    value = holder.pop(path[-1])
    if word == "gone":
        loads_or_explains(tomli_w.dumps(document))
    elif isinstance(holder, dict):
        holder[f"{path[-1]}_"] = value
        problems = loads_or_explains(tomli_w.dumps(document))[1]
        if path[-1] in known_keys(ScenarioFile, path[:-1]):
            assert [problem.kind for problem in problems] == ["unknown-key"], [str(problem) for problem in problems]


# -- there and back ---------------------------------------------------------------------------------------------------


def test_there_are_files():
    assert len(FILES) > 2


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_what_is_dumped_loads_equal(file):
    scenario = sim.load(file)
    text = sim.dump(scenario)
    again = loads(text, str(file))
    assert again == scenario
    assert [warning.what for warning in again.warnings] == [warning.what for warning in scenario.warnings]
    changed = text.replace(f'title = "{scenario.title}"', 'title = "another"')
    assert changed != text
    assert loads(changed, str(file)) != scenario


def test_comments_and_layout_do_not_matter():
    layout = "\n\n".join(line.split("  #")[0] for line in BASE.splitlines() if not line.startswith("#"))
    assert loads(layout) == loads(BASE)


# -- what a scenario knows --------------------------------------------------------------------------------------------


def test_the_parts_of_a_scenario():
    scenario = loads(BASE, "base.toml")
    assert scenario.player_ids == ("east", "west")
    assert scenario.ladder.id == "rung"
    assert scenario.variable("noise").clip
    assert scenario.variable("rung").show(2) == "clash"
    assert scenario.variable("hotline").show(0) == "false"
    assert scenario.members("gambit") == ("tear", "probe")
    assert scenario.members("hold") == ("hold",)
    assert [scenario.date_of(number) for number in (1, 3, 4)] == ["2016-01", "2016-10", ""]
    assert scenario.assumptions["mood"].labels.values == ("sour", "sweet")
    assert scenario.assumptions["risk"].source == ("¶3–4", "¶5")
    assert [action.label for action in scenario.actions if action.move == "sanction"][:2] == [
        "sanction/sanctions=0,tone=soft",
        "sanction/sanctions=0,tone=hard",
    ]
    assert {action.group for action in scenario.actions} == {"", "gambit", "sanction"}


def test_records_find_their_round():
    records = loads(BASE).history
    assert [(record.round, record.player, record.action or f"{record.event}/{record.label}") for record in records] == [
        (1, "east", "push"),
        (1, "west", "sanction/sanctions=1,tone=soft"),
        (3, "", "weather/foul"),
    ]


def test_an_event_with_one_outcome_needs_no_label():
    text = BASE.replace('event = "weather"\nlabel = "foul"', 'event = "once"').replace(
        "[[chance.weather]]", "[[chance.once]]\noutcomes = [{ probability = 1 }]\n\n[[chance.weather]]"
    )
    assert loads(text).history[-1].label == "1"


def test_the_schema_knows_every_key():
    schema = ScenarioFile.model_json_schema()
    assert json.loads(json.dumps(schema)) == schema
    assert set(schema["properties"]) == set(ScenarioFile.model_fields)
    assert known_keys(ScenarioFile, ("moves", "x", "outcomes", 0)) == [
        *("source", "note", "label", "probability", "believes", "effects", "pays", "ends")
    ]
    assert known_keys(ScenarioFile, ("chance", "x", 0))[-2:] == ["when", "outcomes"]
    assert known_keys(ScenarioFile, ("moves", "x", "player")) == []
