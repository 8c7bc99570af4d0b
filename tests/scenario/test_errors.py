"""Every kind of mistake: one at a time in a valid scenario, with its kind, its words and its line; and all of them together."""

import re
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

import sim
from sim.construct.compile import renumber
from sim.errors import ScenarioError
from sim.scenario.load import MAX_BYTES, loads
from sim.scenario.schema import NOT_YET

ROOT = Path(__file__).parent.parent.parent
BASE = Path(__file__).with_name("base.toml").read_text(encoding="utf-8")


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """What to write instead of what, and the problem that this must make: its kind, its words, and the line that ``at`` marks by ¦."""

    name: str
    old: str
    new: str
    kind: str
    says: tuple[str, ...]
    at: str
    also: tuple[str, str]

    def text(self):
        text = BASE
        for old, new in ((self.old, self.new), self.also):
            assert not old or text.count(old) == 1, f"{old!r} is in the text {text.count(old)} times"
            text = text.replace(old, new) if old else text
        return text

    def line(self):
        before, mark, after = self.at.partition("¦")
        before, after = (before, after) if mark else ("", before)
        assert self.text().count(before + after) == 1, (
            f"{self.at!r} is in the text {self.text().count(before + after)} times"
        )
        return self.text()[: self.text().index(before + after) + len(before)].count("\n") + 1


def problems_of(text):
    """Load and compile; return the problems."""
    with pytest.raises(ScenarioError) as caught:
        sim.compile(loads(text, "base.toml"))
    assert caught.value.problems
    assert str(caught.value) == "\n".join(map(str, caught.value.problems))
    return caught.value.problems


MISTAKES = [
    Mistake(
        name=table["name"],
        old=table["old"],
        new=table["new"],
        kind=table["kind"],
        says=tuple(table["says"]),
        at=table.get("at", table["new"]),
        also=tuple(table.get("also", ("", ""))),
    )
    for table in tomllib.loads(Path(__file__).with_name("mistakes.toml").read_text(encoding="utf-8"))["mistake"]
]


def test_the_base_is_valid():
    scenario = loads(BASE, "base.toml")
    assert scenario.warnings == ()
    game = sim.compile(scenario)
    assert game.graph.node_count > 100
    assert game.origin.warnings == ()


def test_mistakes_have_names_of_their_own():
    assert len({one.name for one in MISTAKES}) == len(MISTAKES)


@pytest.mark.parametrize("one", MISTAKES, ids=lambda one: one.name.replace(" ", "-"))
def test_a_mistake_is_named_and_placed(one):
    text = one.text()
    found = [problem for problem in problems_of(text) if problem.kind == one.kind]
    assert found, problems_of(text)
    fitting = [problem for problem in found if all(word in str(problem) for word in one.says)]
    assert fitting, [str(problem) for problem in found]
    assert one.line() in [problem.line for problem in fitting], [str(problem) for problem in fitting]
    assert str(fitting[0]).startswith(f"base.toml:{fitting[0].line}: ")


def test_at_least_thirty_kinds_of_mistakes_are_shown():
    assert len(MISTAKES) > 150
    assert len({one.kind for one in MISTAKES}) >= 30


def test_an_expression_that_is_too_long():
    (problem,) = problems_of(BASE.replace("- sanctions", "- 1" * 2500))
    assert problem.kind == "too-long"
    assert "at most 4000" in str(problem)
    assert "payoff of east" in str(problem)


LATER = {
    "packages": ("[[history]]\nround", "[packages.list]\nitems = []\n\n[[history]]\nround"),
}


def test_every_reserved_word_is_shown():
    assert LATER.keys() == NOT_YET.keys()


@pytest.mark.parametrize("word", NOT_YET)
def test_a_reserved_word_is_known_but_not_built(word):
    old, new = LATER[word]
    assert BASE.count(old) == 1
    text = BASE.replace(old, new)
    found = problems_of(text)
    assert [problem.kind for problem in found] == ["not-yet"]
    place = next(number for number, line in enumerate(text.splitlines(), 1) if re.match(rf"\W*{word}\b", line))
    assert found[0].line == place
    assert word in found[0].place
    assert NOT_YET[word] in found[0].what


def test_a_finite_horizon_may_be_named():
    assert loads(BASE.replace("rounds = 3", 'rounds = 3\nhorizon = "finite"')).rounds == 3


TOGETHER = [
    "guard", "effect", "pays", "believes", "probability", "payoff", "payoff term", "final", "forbid", "outcome", "played",
    "turn event", "turn player", "scale", "discount", "assumption", "history move", "history label", "flag start", "basis",
    "unknown key", "paragraph", "value outside its choices", "round outside", "bad clock date", "start outside its range",
]  # fmt: skip


def test_all_mistakes_of_a_file_in_one_go():
    chosen = [one for one in MISTAKES if one.name in TOGETHER]
    assert len(chosen) == len(TOGETHER)
    text = BASE
    for one in chosen:
        assert text.count(one.old) == 1, one.name
        text = text.replace(one.old, one.new)
    found = problems_of(text)
    for one in chosen:
        fitting = [p for p in found if p.kind == one.kind and all(word in str(p) for word in one.says)]
        assert fitting, one.name
    assert len(found) == len(chosen), [str(problem) for problem in found]
    assert [problem.line for problem in found] == sorted(problem.line for problem in found)


def test_what_depends_on_a_mistake_is_not_reported_as_another():
    text = BASE.replace('["peace", "crisis", "clash", "armed"]', "3")
    assert [problem.kind for problem in problems_of(text)] == ["wrong-type"]
    text = BASE.replace('player = ["east", "west"]\npays', 'player = ["east", "west"]\nplyer = 1\npays')
    assert [problem.kind for problem in problems_of(text)] == ["unknown-key"]


def test_what_is_left_out_moves_no_line():
    text = BASE.replace("in_rounds = [1, 2, 3]", "evry = 2").replace('"incident"]', '"incidnt"]')
    misspelt, unknown = problems_of(text)
    assert (misspelt.kind, unknown.kind) == ("unknown-key", "unknown-name")
    assert "incidnt" in text.splitlines()[unknown.line - 1]


# -- files ------------------------------------------------------------------------------------------------------------


def file_problem(path):
    with pytest.raises(ScenarioError) as caught:
        sim.load(path)
    (problem,) = caught.value.problems
    assert problem.file == str(path)
    return problem


def test_a_missing_file(tmp_path):
    (tmp_path / "crisis.toml").write_text(BASE, encoding="utf-8")
    problem = file_problem(tmp_path / "crises.toml")
    assert (problem.kind, problem.line) == ("missing-file", 0)
    assert "no such file" in str(problem)
    assert "did you mean 'crisis.toml'?" in str(problem)


@pytest.mark.parametrize("name", ["", "\0", "x" * 5000])
def test_names_that_no_file_has(name, tmp_path):
    assert file_problem(str(tmp_path) + "/" + name).kind == "missing-file"


def test_a_file_that_is_not_utf8(tmp_path):
    path = tmp_path / "latin.toml"
    path.write_bytes(BASE.replace("nobody", "Åse").encode("latin-1", "replace"))
    problem = file_problem(path)
    assert (problem.kind, problem.line) == ("not-utf8", BASE[: BASE.index("nobody")].count("\n") + 1)


def test_a_byte_order_mark_does_no_harm(tmp_path):
    path = tmp_path / "base.toml"
    path.write_text(BASE, encoding="utf-8-sig")
    assert sim.load(path).title == "Base"


def test_windows_line_ends_do_no_harm():
    text = BASE.replace('"rung < clash"', '"rnug < clash"').replace("\n", "\r\n")
    (problem,) = problems_of(text)
    assert "rnug" in text.splitlines()[problem.line - 1]


def test_a_file_above_a_megabyte(tmp_path):
    path = tmp_path / "long.toml"
    path.write_text("# long\n" * (MAX_BYTES // 7 + 1) + BASE, encoding="utf-8")
    assert file_problem(path).kind == "too-large"
    assert problems_of(path.read_text(encoding="utf-8"))[0].kind == "too-large"


@pytest.mark.parametrize("text", ["x = " + "[" * 100_000, "x = 1" + "0" * 5000, "x = 0x" + "f" * 5000, "a\0 = 1", '"'])
def test_texts_that_toml_cannot_hold(text):
    assert problems_of(text)[0].kind == "bad-toml"


def many(line):
    """Repeat a line, numbered, up to just below the greatest size of a file."""
    count = 950_000 // (len(line.format(n=100_000)) + 1)
    return "\n".join(line.format(n=n) for n in range(count))


CROWDS = {
    "keys": BASE + "\n[moves.x]\n" + many("k{n} = 1"),
    "tables": BASE + many("[state.s{n}]\nflag = true\nstart = true"),
    "turns": BASE + many("[[turns]]\nplayer = 'east'"),
    "elements": BASE.replace("forbid = [", "forbid = [\n" + many("'true',")),
    "circle": BASE + many("[assumptions.a{n}]\nvalue = 'a{n} + 1'"),
    "dots": "a" + ".a" * 450_000 + " = 1",
    "dotted tables": many("[a" + ".a" * 1900 + "{n}]"),
    "dotted keys": many("a" + ".a" * 40 + "{n} = 1"),
    "unknown names": BASE.replace(
        "[outcomes]",
        "[outcomes]\n" + "\n".join(f"q{n} = '{' + '.join(f'x{n}y{m}' for m in range(45))}'" for n in range(900)),
    ),
    "options": BASE
    + many(
        "[moves.m{n}]\nplayer = 'east'\nchoose = {{ a = [1, 2, 3, 4, 5, 6, 7, 8, 9], b = [1, 2, 3, 4, 5, 6, 7, 8, 9], c = [1, 2, 3, 4, 5, 6, 7, 8, 9] }}"
    )[:110_000].rpartition("[moves")[0],
}


@pytest.mark.parametrize("name", CROWDS)
def test_a_file_that_nobody_wrote_is_refused_at_once(name):
    text = CROWDS[name]
    assert 50_000 < len(text) < MAX_BYTES
    start = time.perf_counter()
    found = problems_of(text)
    assert time.perf_counter() - start < 20
    assert 0 < len(found) <= 200
    assert {problem.kind for problem in found} <= {"too-many-entries", "too-many-actions", "bad-toml", "unknown-name"}


# -- states -----------------------------------------------------------------------------------------------------------


def test_too_many_nodes():
    with pytest.raises(ScenarioError) as caught:
        sim.compile(loads(BASE, "base.toml"), node_limit=50)
    (problem,) = caught.value.problems
    assert problem.kind == "too-many-nodes"
    reached = int(re.search(r"reaches ([0-9,]+) nodes in round 2 of 3", problem.what)[1].replace(",", ""))
    assert reached > 50
    assert "sanctions (3 values)" in problem.what
    assert "--max-nodes" in problem.advice
    assert "at most 50" in str(problem)


def test_states_are_named_with_the_settings_in_force():
    text = BASE.replace('"1 - 0.8"', '"risk - 0.05"')
    scenario = loads(text, "base.toml")
    assert sim.compile(scenario).variants == 1
    with pytest.raises(ScenarioError, match=r"risk=0\.5"):
        sim.compile(scenario, {"risk": 0.5})
    with pytest.raises(ScenarioError, match=r"risk=0\.5"):
        sim.compile(scenario, {"risk": [0.25, 0.5]})
    with pytest.raises(ScenarioError, match=r"risk=0\.5"):
        renumber(sim.compile(scenario), {"risk": 0.5})


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"rsk": 0.5}, "did you mean 'risk'"),
        ({"risk": 2}, "expected 0 to 1"),
        ({"risk": float("nan")}, "finite number"),
        ({"risk": "high"}, "finite number"),
        ({"risk": None}, "finite number"),
        ({"risk": [[0.1]]}, "one-dimensional"),
        ({"risk": []}, "one-dimensional"),
        ({"risk": [[0.1], [0.2, 0.3]]}, "one-dimensional"),
        ({"cost": 4}, "one of 1, 2, 3"),
        ({"mood": "swet"}, "did you mean 'sweet'"),
        ({"mood": 7}, "one of sour, sweet"),
        ({"risk": [0.1, 0.2], "patience": [0.1, 0.2, 0.3]}, "unequal lengths"),
    ],
)
def test_settings_that_cannot_be(settings, says):
    with pytest.raises(sim.SimError, match=says) as caught:
        sim.compile(loads(BASE, "base.toml"), settings)
    assert caught.value.exit_code == 2
    assert not isinstance(caught.value, ScenarioError)


def test_a_setting_that_drives_another_out_of_its_range():
    text = BASE.replace("range = [0, 1]\n\n[assumptions.mood]", "range = [0.5, 1]\n\n[assumptions.mood]")
    with pytest.raises(sim.SimError, match=r"'calm', computed from risk = 0\.75, is 0\.25; expected 0\.5 to 1"):
        sim.compile(loads(text), {"risk": 0.75})


# -- warnings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "kind", "says", "at"),
    [
        (
            "[state.noise]",
            "[state.idle]\nflag = true\nstart = true\n\n[state.noise]",
            "unused",
            "idle is never used",
            "[state.idle]",
        ),
        (
            "[state.noise]",
            "[state.idle]\nrange = [0, 9]\nstart = 0\n\n[state.noise]",
            "unused",
            "idle is written but",
            "[state.idle]",
        ),
        (
            "[assumptions.mood]",
            "[assumptions.idle]\nvalue = 1\n\n[assumptions.mood]",
            "unused",
            "idle is never",
            "[assumptions.idle]",
        ),
        (
            '["weather", "incident"]',
            '["weather"]',
            "unscheduled",
            "incident is in no turn",
            '[[chance.incident]]\nwhen = "rung == clash',
        ),
        ("[players.west]", "[players.idle]\n\n[players.west]", "no-payoff", "idle has no payoff", "[players.idle]"),
    ],
)
def test_what_is_odd_is_a_warning(old, new, kind, says, at):
    text = BASE.replace(old, new)
    if "written" in says:
        text = text.replace(
            'label = "foul", probability = "risk", effects = { ',
            'label = "foul", probability = "risk", effects = { idle = 1, ',
        )
    (warning,) = loads(text, "base.toml").warnings
    assert (warning.kind, warning.line) == (kind, text[: text.index(at)].count("\n") + 1)
    assert says in warning.what


def test_moves_that_clipping_makes_identical_are_a_warning():
    more = '[moves.rattle]\nplayer = "east"\neffects = { noise = "noise + 1" }\n\n[moves.wait]\nplayer = "east"\n\n[moves.hold]'
    raising = BASE.replace("[moves.hold]", more)
    (warning,) = sim.compile(loads(raising, "base.toml")).origin.warnings
    assert warning.kind == "clipped"
    assert "makes rattle and wait identical in round 2 at" in warning.what
    assert "noise=1" in warning.what
    assert raising.splitlines()[warning.line - 1] == "[moves.rattle]"
    paid = raising.replace(
        'effects = { noise = "noise + 1" }', 'effects = { noise = "noise + 1" }\npays = { east = 1 }'
    )
    assert not sim.compile(loads(paid)).origin.warnings, "they differ in what they pay"
    elsewhere = raising.replace(
        "[moves.wait]", '[moves.turn]\nplayer = "east"\neffects = { noise = "1 - noise" }\n\n[moves.wait]'
    )
    pairs = [warning.what for warning in sim.compile(loads(elsewhere)).origin.warnings]
    assert len(pairs) == 1, "rattle and turn are identical at noise 0, and rattle is clipped at noise 1 only"
    level = '[moves.shout]\nplayer = "east"\neffects = { noise = 1 }\n\n[moves.wait]\nplayer = "east"\n\n[moves.hold]'
    unclipped = BASE.replace("[moves.hold]", level).replace(
        "[state.noise]\nrange = [0, 1]", "[state.noise]\nrange = [0, 9]"
    )
    assert not sim.compile(loads(unclipped)).origin.warnings, "they are identical, but not by clipping"
