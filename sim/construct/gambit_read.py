"""Read games in Gambit's two file formats: strategic games (``.nfg``, payoffs or outcomes) and trees (``.efg``).

Numbers may be whole, decimal or fractions, and are read exactly before they become floats. Payoffs of outcomes on the way to an end are added up. Names
that are missing become numbers; of several equal ones, the later are told apart by theirs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import numpy as np

from sim.errors import OptionError, Problem
from sim.game.strategic import StrategicGame
from sim.game.tree import CHANCE, TreeBuilder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sim.game.tree import Tree

__all__ = ["MAX_BYTES", "parse_game", "read_game"]

MAX_BYTES = 200_000_000
LARGEST = 1e150  # so that differences and products of payoffs stay floats
LONGEST = 400  # characters of a number, and its largest exponent
_TOKEN = re.compile(r'[\s,]+|"((?:[^"\\]|\\"|\\(?!"))*)"|([{}])|([^\s{}",]+)|(")')
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE]([-+]?\d+))?")
_RATIO = re.compile(r"([-+]?\d+)/(\d+)")
KINDS = {"text": "a text in quotes", "brace": "a brace", "word": "a number or word", "end": "the end of the file"}


@dataclass(frozen=True, slots=True)
class _Token:
    """A piece of the file: its kind (a key of ``KINDS``), its text, its line."""

    kind: str
    text: str
    line: int


def _tokens(text: str, fail: Callable[..., NoReturn]) -> Iterator[_Token]:
    """Cut a text into tokens; at last, and from then on, the end."""
    line, place = 1, 0
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None or found[4] is not None:
            fail(_Token("text", text[place : place + 20], line), "a quote that nothing closes", "text in quotes")
        if found[1] is not None:
            yield _Token("text", found[1].replace('\\"', '"'), line)
        elif found[2] is not None:
            yield _Token("brace", found[2], line)
        elif found[3] is not None:
            yield _Token("word", found[3], line)
        line += text.count("\n", place, found.end())
        place = found.end()
    while True:
        yield _Token("end", "", line)


class _Reader:
    """Walks over the tokens of one file, saying where something else was expected."""

    def __init__(self, text: str, file: str) -> None:
        self.file = file
        self.left = len(text)
        self.tokens = _tokens(text, self.fail)
        self.now = next(self.tokens)

    def fail(self, token: _Token, what: str = "", expected: str = "", advice: str = "") -> NoReturn:
        """Raise with the place; without ``what``, say what stands there."""
        shown = " ".join(token.text.split())
        shown = shown if len(shown) <= 30 else shown[:27] + "…"  # noqa: PLR2004
        found = what or ("found the end of the file" if token.kind == "end" else f"found '{shown}'")
        raise OptionError(
            str(
                Problem(kind="game-file", what=found, expected=expected, advice=advice, file=self.file, line=token.line)
            )
        )

    def take(self) -> _Token:
        """Return the present token and go on."""
        token, self.now = self.now, next(self.tokens)
        return token

    def expect(self, kind: str, what: str, text: str = "", advice: str = "") -> str:
        """Take a token of a kind, or of one text."""
        if self.now.kind != kind or (text and self.now.text != text):
            self.fail(self.now, expected=what, advice=advice)
        return self.take().text

    def at(self, kind: str, text: str = "") -> bool:
        """Whether the present token is of a kind and, if given, a text."""
        return self.now.kind == kind and text in ("", self.now.text)

    def whole(self, what: str, least: int, most: int) -> int:
        """Take a whole number within bounds."""
        token = self.now
        if (
            token.kind != "word"
            or not re.fullmatch(r"\d{1,9}", token.text, re.ASCII)
            or not least <= int(token.text) <= most
        ):
            self.fail(token, expected=f"{what}, a whole number from {least} to {most}")
        return int(self.take().text)

    def number(self, what: str) -> Fraction:
        """Take a number: whole, decimal or a fraction."""
        token = self.now
        if token.kind == "word" and token.text.isascii() and len(token.text) <= LONGEST:
            ratio = _RATIO.fullmatch(token.text)
            if ratio and int(ratio[2]):
                return self._bounded(Fraction(int(ratio[1]), int(ratio[2])), token)
            plain = _NUMBER.fullmatch(token.text)
            if plain and abs(int(plain[1] or 0)) <= LONGEST:
                return self._bounded(Fraction(token.text), token)
        return self.fail(token, expected=what, advice="write numbers as 3, -0.25, 1e-3 or 2/3")

    def _bounded(self, value: Fraction, token: _Token) -> Fraction:
        if abs(value) > LARGEST:
            self.fail(token, expected=f"a number of at most {LARGEST:g} in size")
        self.take()
        return value

    def texts(self, what: str) -> list[str]:
        """Take a list of texts (or bare words) in braces."""
        self.expect("brace", f"{{ and {what}", "{")
        out: list[str] = []
        while self.at("text") or self.at("word"):
            out.append(self.take().text)
        self.expect("brace", f"{what} and }}", "}")
        return out


def _named(names: list[str]) -> tuple[str, ...]:
    """Name what has no name by its number, and tell equal names apart."""
    out: list[str] = []
    for place, name in enumerate(names):
        one = name or str(place + 1)
        if one in out or (not name and one in names):
            one = next(
                new for k in range(place + 1, 2 * len(names) + 2) if (new := f"{one} ({k})") not in (*out, *names)
            )
        out.append(one)
    return tuple(out)


def _header(reader: _Reader, word: str, number: str) -> tuple[str, list[str]]:
    """Read the line that both formats start with: version, kind of numbers, title and players."""
    reader.expect("word", word, word)
    reader.expect("word", f"version {number}", number, advice="save the file with a newer version of Gambit")
    if not (reader.at("word", "R") or reader.at("word", "D")):
        reader.fail(reader.now, expected="R (numbers may be fractions) or D")
    reader.take()
    title = reader.expect("text", "the title in quotes")
    names = reader.texts("the players' names in quotes")
    if not names:
        reader.fail(reader.now, "the game has no players", "at least one name")
    return title, names


def _nfg_actions(reader: _Reader, players: int) -> list[tuple[str, ...]]:
    """Read each player's strategies: a number each, or their names."""
    reader.expect("brace", "{ and each player's strategies", "{")
    out: list[tuple[str, ...]] = []
    for _ in range(players):
        if reader.at("brace"):
            token = reader.now
            names = reader.texts("strategy names in quotes")
            if not names:
                reader.fail(token, "a player has no strategies", "at least one")
            out.append(_named(names))
        else:
            count = reader.whole("a number of strategies, or their names in braces", 1, 10_000_000)
            if count > reader.left:
                reader.fail(reader.now, f"{count:,} strategies are more than the file has payoffs for")
            out.append(tuple(str(k + 1) for k in range(count)))
    reader.expect("brace", f"}} after the strategies of {players} players", "}")
    return out


def _nfg_outcomes(reader: _Reader, players: int) -> list[list[Fraction]]:
    """Read the list of outcomes; place 0 pays nothing."""
    out = [[Fraction(0)] * players]
    reader.expect("brace", "{", "{")
    while reader.at("brace", "{"):
        reader.take()
        if reader.at("text"):
            reader.take()
        out.append([reader.number(f"the outcome's payoff to player {i + 1}") for i in range(players)])
        reader.expect("brace", f"}} after {players} payoffs", "}")
    reader.expect("brace", "} after the outcomes", "}")
    return out


def _read_nfg(reader: _Reader) -> StrategicGame:
    title, names = _header(reader, "NFG", "1")
    actions = _nfg_actions(reader, len(names))
    if reader.at("text"):
        reader.take()
    count = 1
    for own in actions:
        count *= len(own)
    start = reader.now
    if count > reader.left:
        reader.fail(start, f"{count:,} combinations of strategies are more than the file has payoffs for")
    if reader.at("brace"):
        outcomes = _nfg_outcomes(reader, len(names))
        rows = [outcomes[reader.whole("the number of an outcome", 0, len(outcomes) - 1)] for _ in range(count)]
    else:
        rows = [
            [
                reader.number(f"payoff {i + 1} of {len(names)} of combination {k + 1} of {count}")
                for i in range(len(names))
            ]
            for k in range(count)
        ]
    if reader.now.kind != "end":
        reader.fail(reader.now, expected=f"the end of the file after {count} combinations of strategies")
    table = np.array([[float(x) for x in row] for row in rows])  # the first player's strategy varies fastest
    shape = tuple(len(own) for own in actions)
    payoffs = np.stack([table[:, i].reshape(shape[::-1]).transpose() for i in range(len(names))])
    return StrategicGame(players=_named(names), actions=tuple(actions), payoffs=payoffs, title=title)


class _TreeReader:
    """Reads the nodes of a tree."""

    def __init__(self, reader: _Reader) -> None:
        self.reader = reader
        title, names = _header(reader, "EFG", "2")
        comment = reader.take().text if reader.at("text") else ""
        self.builder = TreeBuilder(_named(names), title=title, comment=comment)
        self.players = len(names)
        self.infosets: dict[tuple[int, int], int] = {}
        self.outcomes: dict[int, tuple[str, list[Fraction]]] = {}

    def outcome(self, what: str) -> tuple[str, list[Fraction]]:
        """Read a node's outcome: 0, or a number, a name and payoffs that may be left out where they were given before."""
        start = self.reader.now
        number = self.reader.whole(what, 0, 999_999_999)
        name = self.reader.take().text if self.reader.at("text") else ""
        if not self.reader.at("brace", "{"):
            if number and number not in self.outcomes:
                self.reader.fail(start, f"outcome {number} has no payoffs", "{ payoffs } where it stands first")
            return self.outcomes.get(number, ("", []))
        self.reader.take()
        payoffs = [
            self.reader.number(f"the outcome's payoff to player {i + 1} of {self.players}") for i in range(self.players)
        ]
        self.reader.expect("brace", f"}} after {self.players} payoffs", "}")
        if self.outcomes.setdefault(number, (name, payoffs))[1] != payoffs or not number:
            self.reader.fail(
                start,
                f"outcome {number} pays something else than before",
                "the same payoffs",
                "give it a number of its own",
            )
        return self.outcomes[number]

    def actions(self, chance: bool) -> tuple[tuple[str, ...], tuple[Fraction, ...]]:  # noqa: FBT001
        """Read action names in braces, with probabilities for chance."""
        self.reader.expect("brace", "{ and the actions", "{")
        names: list[str] = []
        shares: list[Fraction] = []
        while self.reader.at("text") or (chance and self.reader.at("word")):
            names.append(self.reader.take().text if self.reader.at("text") else "")
            if chance:
                shares.append(self.reader.number(f"the probability of '{names[-1]}'"))
        self.reader.expect("brace", "an action in quotes, or } after the last", "}")
        return _named(names), tuple(shares)

    def infoset(self, player: int) -> int:
        """Read an information set: number, and where it stands first, name and actions."""
        start = self.reader.now
        key = (player, self.reader.whole("the number of an information set", 0, 999_999_999))
        label = self.reader.take().text if self.reader.at("text") else ""
        if not self.reader.at("brace", "{"):
            if key not in self.infosets:
                self.reader.fail(start, f"information set {key[1]} has no actions", "{ actions } where it stands first")
            return self.infosets[key]
        actions, shares = self.actions(player == CHANCE)
        try:
            number = self.infosets.setdefault(key, len(self.infosets))
            if number == len(self.builder.infosets):
                self.builder.infoset(player, actions, label=label, shares=shares)
        except OptionError as error:
            self.reader.fail(start, str(error))
        known = self.builder.infosets[number]
        if (known.actions, known.shares) != (actions, shares):
            self.reader.fail(
                start,
                f"information set {key[1]} has other actions than before",
                "the same actions at all its nodes",
                "give it a number of its own",
            )
        return number

    def node(self) -> None:
        """Read one node."""
        start = self.reader.now
        kind = self.reader.expect("word", "c, p or t (a node of chance, of a player, or an end)")
        if kind not in ("c", "p", "t"):
            self.reader.fail(start, expected="c, p or t (a node of chance, of a player, or an end)")
        label = self.reader.expect("text", "the node's name in quotes")
        number = -1
        if kind != "t":
            player = self.reader.whole("the number of a player", 1, self.players) - 1 if kind == "p" else CHANCE
            number = self.infoset(player)
        name, payoffs = self.outcome("the number of an outcome, 0 for none")
        try:
            self.builder.node(infoset=number, payoffs=payoffs, label=label or (name if kind == "t" else ""))
        except OptionError as error:
            self.reader.fail(start, str(error))

    def tree(self) -> Tree:
        """Read all nodes."""
        while not self.builder.complete:
            if self.reader.now.kind == "end":
                self.reader.fail(self.reader.now, "the tree ends too early", "a node for every action")
            self.node()
        if self.reader.now.kind != "end":
            self.reader.fail(self.reader.now, expected="the end of the file: every action leads somewhere already")
        return self.builder.tree()


def parse_game(text: str, file: str = "game") -> StrategicGame | Tree:
    """Read a game from the text of a file.

    Parameters
    ----------
    text
        It starts with ``NFG`` or ``EFG``.
    file
        A name for messages.

    Raises
    ------
    OptionError
        With file, line, what was found, what was expected, and advice.

    Examples
    --------
    >>> parse_game('NFG 1 R "chicken" { "a" "b" } { 2 2 } 3 3 4 2 2 4 1 1').payoffs[0]
    array([[3., 2.],
           [4., 1.]])
    >>> parse_game('EFG 2 R "" { "a" } p "" 1 1 "" { "up" "down" } 0 t "" 1 "" { 1 }', "x.efg")
    Traceback (most recent call last):
    sim.errors.OptionError: x.efg:1: the tree ends too early; expected a node for every action
    """
    reader = _Reader(text, file)
    if reader.at("word", "NFG"):
        return _read_nfg(reader)
    if reader.at("word", "EFG"):
        return _TreeReader(reader).tree()
    return reader.fail(
        reader.now, expected="NFG or EFG, with which Gambit's files start", advice="scenarios end in .toml"
    )


def read_game(path: str | Path) -> StrategicGame | Tree:
    """Read a game file of Gambit's: ``.nfg`` gives a :class:`~sim.game.strategic.StrategicGame`, ``.efg`` a :class:`~sim.game.tree.Tree`.

    Raises
    ------
    OptionError
        If the file cannot be read, with file, line, what was found, what was expected, and advice.

    Examples
    --------
    >>> read_game("scenarios/games/selten_horse.efg").players
    ('Player 1', 'Player 2', 'Player 3')
    """
    file = Path(path)
    try:
        if file.stat().st_size > MAX_BYTES:
            raise OptionError(f"{file}: has more than {MAX_BYTES:,} bytes; expected a smaller game")
        text = file.read_bytes().decode("utf-8-sig")
    except (OSError, ValueError) as error:
        if isinstance(error, UnicodeDecodeError):
            line = file.read_bytes().count(b"\n", 0, error.start) + 1
            raise OptionError(f"{file}:{line}: byte {error.start} is not UTF-8; save the file as UTF-8") from None
        reason = (error.strerror or "").lower() if isinstance(error, OSError) else "bad file name"
        raise OptionError(f"{file}: cannot be read ({reason}); expected a .nfg or .efg file") from None
    return parse_game(text, str(file))
