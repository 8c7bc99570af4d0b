"""The line of every key, against a second, naive method on every construct that TOML has."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.scenario.places import line_of, lines_of

ROOT = Path(__file__).parent.parent.parent

DOCUMENT = r'''# [not.a.table] = "in a comment"
top = 1
"quoted key" = 2
'literal key' = 3
"esc\u0061ped \"key\"" = 4
dotted.one.two = 5
dotted . "one" . three = 6
empty = ""
empty_literal = ''

multi = """
[not.a.table]
not_a_key = "x"
two quotes "" inside, and \""" escaped
"""
literal = \'\'\'
[[not.an.array]]
it's = 'here'\'\'\'
ends_in_quotes = """one more"""""
backslash = "\\"
after_backslash = 'C:\'
folded = """a \
    b"""
date = 1979-05-27 07:32:00Z
numbers = [1, 2.5, -inf, 0x1f, 1_000, true]
nested = [
    [1, 2],  # [3]
    # , "nothing"
    ["a]", '}', "#"],
    { inner = 1, "other inner" = { deep = [ { deepest = 2 } ] } },
]
inline = { a = 1, b.c = "}", d = [{ e = 1 }, { e = 2 }] }

[table]
key = 1
[ table . "sub table" ]  # a comment with ] in it
key = 2
[table.'lit.eral']
key = 3

[[array]]
key = 1
[array.sub]
key = 2
[[array.list]]
key = 3
[[array.list]]
key = 4
[[array]]
key = 5
[array.sub]
key = 6
[[array.list]]
key = 7
[after]
last = 1'''.replace("\\'", "'")
"""Values are told apart by their key's line in the test below, so nothing here needs to be numbered by hand."""


def leaves(value, path=()):
    """List the paths of all keys and elements."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield (*path, key)
            yield from leaves(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield (*path, index)
            yield from leaves(item, (*path, index))


def first_line_with(text, path):
    """Find a key's line by brute force: the shortest beginning of the text, in whole lines, in which it is known.

    A beginning may stop inside a value, so what is open is closed in every way that could make it TOML.
    """
    lines = text.split("\n")
    for count in range(1, len(lines) + 1):
        head = "\n".join(lines[:count])
        for end in ("", '"""', "'''", "]", "}]", "}}]", "]}]", "}]}]", "}]}}]"):
            try:
                document = tomllib.loads(f"{head}\n{end}")
            except tomllib.TOMLDecodeError:
                continue
            if path in set(leaves(document)):
                return count
            break
    raise AssertionError(path)


def test_every_key_of_every_construct():
    lines = lines_of(DOCUMENT)
    paths = list(leaves(tomllib.loads(DOCUMENT)))
    assert len(paths) > 60
    wrong = {path: (lines.get(path), first_line_with(DOCUMENT, path)) for path in paths}
    wrong = {path: pair for path, pair in wrong.items() if pair[0] != pair[1]}
    assert not wrong
    assert set(lines) == set(paths), "no place for what is not there"


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_line_ends_count_once(ends):
    text = 'a = 1\nb = """\nx\n"""\n[t]\nc = [\n1,\n2]\n'.replace("\n", ends)
    assert lines_of(text) == {
        ("a",): 1,
        ("b",): 2,
        ("t",): 5,
        ("t", "c"): 6,
        ("t", "c", 0): 7,
        ("t", "c", 1): 8,
    }


def scenarios():
    return [*sorted((ROOT / "scenarios").glob("*.toml")), Path(__file__).with_name("base.toml")]


def test_there_are_scenarios():
    assert len(scenarios()) > 1


@pytest.mark.parametrize("file", scenarios(), ids=lambda file: file.stem)
def test_every_key_of_a_scenario_has_its_line(file):
    text = file.read_text(encoding="utf-8")
    lines, written = lines_of(text), text.splitlines()
    paths = list(leaves(tomllib.loads(text)))
    assert len(paths) > 20
    assert set(lines) == set(paths)
    for path in paths:
        if isinstance(path[-1], str):
            assert path[-1] in written[lines[path] - 1], path


KEYS = st.sampled_from(["a", "b", "'c d'", '"e\\"f"', "a.b", 'b."c"'])
VALUES = st.recursive(
    st.sampled_from(["1", "true", '"x # [y]"', "'''\nz\n'''", '"""\n[t]\nk = 1\n"""', "1979-05-27", '""', "[]", "{}"]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: "[" + ", # ]\n".join(items) + "\n]"),
        st.lists(st.tuples(KEYS, inner), max_size=2).map(
            lambda pairs: "{ " + ", ".join(f"{k} = {v}" for k, v in pairs) + " }"
        ),
    ),
    max_leaves=6,
)
LINES = st.one_of(
    st.tuples(KEYS, VALUES).map(lambda pair: f"{pair[0]} = {pair[1]}"),
    KEYS.map(lambda key: f"[{key}] # [x]"),
    KEYS.map(lambda key: f"[[{key}]]"),
    st.just("# comment = [1"),
    st.just(""),
)


def kept(lines):
    """Keep those lines with which the text is still TOML."""
    text = ""
    for line in lines:
        try:
            tomllib.loads(text + line + "\n")
        except tomllib.TOMLDecodeError:
            continue
        text += line + "\n"
    return text


@settings(max_examples=150)
@given(text=st.lists(LINES, max_size=12).map(kept))
def test_random_documents(text):
    lines = lines_of(text)
    paths = list(leaves(tomllib.loads(text)))
    assert set(lines) == set(paths)
    previous = {}
    for count in range(1, text.count("\n") + 1):
        try:
            known = set(leaves(tomllib.loads("\n".join(text.split("\n")[:count]))))
        except tomllib.TOMLDecodeError:
            continue
        previous |= {path: count for path in known if path not in previous}
    for path, count in previous.items():
        assert lines[path] <= count, path
        key = str(path[-1]).replace('"', '\\"')
        assert isinstance(path[-1], int) or key in text.split("\n")[lines[path] - 1], path


@settings(max_examples=200)
@given(st.text(alphabet="[]{}=\"'.,#\\\n ab1", max_size=60))
def test_the_scanner_never_raises_or_stands_still(text):
    assert isinstance(lines_of(text), dict)


def test_line_of_falls_back_to_the_table_around():
    lines = {("moves",): 1, ("moves", "hold"): 7}
    assert line_of(lines, ("moves", "hold", "effects", "rung")) == 7
    assert line_of(lines, ("moves", "push")) == 1
    assert line_of(lines, ("state", "rung")) == 0
