"""What all parts of the resolver share: where mistakes are noted, and which names may be read where."""

from __future__ import annotations

import keyword
import re
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sim.errors import Problem, did_you_mean
from sim.scenario.expression import FUNCTIONS, PATH_OPERATORS, parse
from sim.scenario.model import MAX_ROUNDS
from sim.scenario.places import line_of
from sim.scenario.schema import ID_PATTERN
from sim.scenario.tree import Labels, Scope, Symbol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sim.scenario.model import Order
    from sim.scenario.places import Path
    from sim.scenario.schema import Documented, MoveTable, ScenarioFile
    from sim.scenario.tree import Expression, Type

__all__ = ["MOST_PROBLEMS", "RESERVED", "Context", "EnoughError", "show"]

MOST_PROBLEMS = 200
SHOWN_ROUNDS = 12  # of an endless game, unless the file or the user says otherwise
CLOCK = ("round", "rounds_left")
SPECIAL = ("each_round", "discount")
RESERVED = frozenset({*CLOCK, *SPECIAL, "mover", "chosen", "true", "false", "chance", *FUNCTIONS, *PATH_OPERATORS})
PRIVATE_HINT = "a private type may be read in the guards of its owner's moves, in pays, payoffs and probabilities; moves are public"
PARAGRAPHS = re.compile(r"¶+\s*([0-9]{1,9})(?:\s*[–-]\s*¶*\s*([0-9]{1,9}))?")


class EnoughError(Exception):
    """There are more mistakes than anybody will read at once."""


class Context:
    """One file while it is being resolved.

    Parameters
    ----------
    file
        The validated tables.
    lines
        The line of each key.
    name
        The file's name, for messages.
    doubtful
        Words that stood in tables left out because of other mistakes: what is wrong with them is not known yet.
    """

    def __init__(self, file: ScenarioFile, lines: Mapping[Path, int], name: str, doubtful: Iterable[str] = ()) -> None:
        self.file, self.lines, self.name = file, lines, name
        self.doubtful = set(doubtful)
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self.labels: dict[str, Labels] = {}
        self.symbols: dict[str, Symbol] = {}
        self.domains: dict[str, range] = {}
        self.assumption_symbols: dict[str, Symbol] = {}
        self.used: set[str] = set()
        self.private_symbols: dict[str, Symbol] = {}
        self.created: dict[str, tuple[Order, float]] = {}  # assumptions that an order creates, with their base values

    @property
    def endless(self) -> bool:
        """Whether the horizon is infinite."""
        return self.file.horizon == "infinite"

    @property
    def rounds(self) -> int:
        """How many rounds are played; with an infinite horizon, how many are shown."""
        if not self.endless:
            return self.file.rounds
        named = [number for turn in self.file.turns for number in (*(turn.in_rounds or ()), 3 * (turn.every or 1))]
        shown = max([SHOWN_ROUNDS, *named, len(self.file.clock.starts) if self.file.clock else 0])
        return self.file.rounds if "rounds" in self.file.model_fields_set else min(shown, MAX_ROUNDS)

    # -- notes ----------------------------------------------------------------------------------------------------

    def note(self, path: Path, kind: str, what: str, expected: str = "", advice: str = "") -> None:
        """Note a mistake at a key."""
        if not self.doubtful.intersection(re.findall(r"\w+", what)):
            self.problems.append(self.at(path, kind, what, expected, advice))
        if len(self.problems) >= MOST_PROBLEMS:
            raise EnoughError

    def at(self, path: Path, kind: str, what: str, expected: str = "", advice: str = "") -> Problem:
        """Make a problem that points at a key."""
        place = ".".join(str(part) for part in path)
        line = line_of(self.lines, path)
        return Problem(kind=kind, what=what, expected=expected, advice=advice, place=place, file=self.name, line=line)

    def warn(self, path: Path, kind: str, what: str, advice: str) -> None:
        """Note something odd."""
        self.warnings.append(self.at(path, kind, what, advice=advice))

    def read(self, text: Any, path: Path, subject: str, scope: Scope, wanted: Type) -> Expression:
        """Read one expression, noting its problems under its subject."""
        expression, problems = parse(text, scope, wanted)
        for problem in problems:
            self.note(path, problem.kind, f"{subject} {problem.what}", problem.expected, problem.advice)
        self.used |= expression.reads
        return expression

    def unknown(self, path: Path, subject: str, word: str, known: Iterable[str], kind: str) -> bool:
        """Note a name that does not exist; tell whether it does not."""
        names = list(known)
        if word in names:
            return False
        self.note(path, "unknown-name", f"{subject} names '{word}', which is not {kind}", "", did_you_mean(word, names))
        return True

    def check_label(self, path: Path, label: str) -> None:
        """Check one label; true and false may be labels, since what a label meets decides what it means."""
        if label not in ("true", "false"):
            self.check_id(path, label)

    def check_id(self, path: Path, name: str, *, read: bool = True) -> None:
        """Check one id; those that expressions read may not be words of the language."""
        if not re.fullmatch(ID_PATTERN, name):
            self.note(path, "bad-id", f"'{name:.40}' cannot be a name", "letters, digits and _, starting with a letter")
        elif read and (name in RESERVED or keyword.iskeyword(name)):
            self.note(path, "bad-id", f"'{name}' is a word of the language", advice="choose another name")

    def check_source(self, table: Documented, path: Path) -> tuple[str, ...]:
        """Check that cited paragraphs exist."""
        count = self.file.source.paragraphs
        for found in PARAGRAPHS.finditer(" ; ".join(table.source)) if count else ():
            for number in found.groups(default="1"):
                if count and not 1 <= int(number) <= count:
                    what = f"{'.'.join(map(str, path))} cites ¶{int(number)}"
                    self.note((*path, "source"), "paragraph", what, f"¶1 to ¶{count}", "see paragraphs in [source]")
        return tuple(table.source)

    # -- scopes ---------------------------------------------------------------------------------------------------

    @cached_property
    def value_scope(self) -> Scope:
        """What the value of an assumption, or a start, may read: assumptions."""
        hints = dict.fromkeys(
            (*self.file.state, *CLOCK, *SPECIAL, *self.file.players), "only assumptions can be read here"
        )
        return Scope(symbols=self.assumption_symbols, labels=self.labels, hints=hints)

    def fix_scopes(self) -> None:
        """Fix what may be read where, once all variables and assumptions are known."""
        clock = {word: Symbol("clock", "number") for word in CLOCK if not self.endless}
        special = {word: Symbol("special", "number") for word in SPECIAL}
        hints = dict.fromkeys(SPECIAL, "it can be read in a final payoff only")
        if self.endless:
            hints |= dict.fromkeys(
                CLOCK, "an infinite horizon counts no rounds; schedule turns with in_rounds or every"
            )
        hints |= {"mover": "it can be read in moves only", "chosen": "write chosen.name"}
        hints |= dict.fromkeys(self.file.players, "a player's id can be compared with mover only, and in a move")
        hints |= dict.fromkeys(self.private_symbols, PRIVATE_HINT)
        symbols = {**self.symbols, **self.assumption_symbols, **clock}
        moves = frozenset(self.file.moves) | {move.group for move in self.file.moves.values() if move.group}
        players = frozenset(self.file.players)
        self.state_scope = Scope(symbols=symbols, labels=self.labels, hints=hints)
        self.final_scope = Scope(symbols={**symbols, **special}, labels=self.labels, annuity=True, hints=hints)
        self.path_scope = Scope(
            symbols=symbols, labels=self.labels, moves=moves, players=players, path=True, hints=hints
        )

    def informed(self, scope: Scope, players: Iterable[str] | None = None) -> Scope:
        """Let a scope read private types: all of them, or those that every one of some players knows."""
        if not self.private_symbols:
            return scope
        who = None if players is None else set(players)
        found = {
            name: symbol
            for name, symbol in self.private_symbols.items()
            if who is None or who == {self.file.private[name].known_to}
        }
        hints = {word: hint for word, hint in scope.hints.items() if word not in found}
        if who is not None:
            hints |= {
                name: f"only {self.file.private[name].known_to} knows it, so the guard of another's move cannot read it"
                for name in self.private_symbols
                if name not in found
            }
        return replace(scope, symbols={**scope.symbols, **found}, hints=hints)

    def move_scope(self, move: MoveTable, path: Path) -> Scope:
        """Add a move's choices and its mover to what its expressions may read."""
        symbols = {**self.state_scope.symbols, "mover": Symbol("choice", Labels("mover", tuple(self.file.players)))}
        hints = {word: hint for word, hint in self.state_scope.hints.items() if word != "mover"}
        for key, options in move.choose.items():
            place: Path = (*path, "choose", key)
            owner = f"choice {key} of {path[-1]}"
            if not options:
                self.note(place, "empty", f"{owner} is empty", "at least one option")
            if len(set(map(str, options))) < len(options):
                self.note(place, "duplicate-id", f"{owner} lists an option twice", advice="remove one")
            if key in self.assumption_symbols or key in self.file.players:
                self.note(place, "duplicate-id", f"{owner} has the name of something else", advice="rename the choice")
            if key not in self.symbols:
                self.check_id(place, key)
            symbol = Symbol("choice", self.choice_type(key, options, place, owner))
            symbols[f"chosen.{key}"] = symbol
            symbols.setdefault(key, symbol)
        return Scope(symbols=symbols, labels=self.labels, hints=hints)

    def choice_type(self, key: str, options: list[Any], place: Path, owner: str) -> Type:
        """Find the type of a choice: its variable's, or that of its options."""
        if key in self.symbols:
            return self.symbols[key].type
        if options and all(isinstance(option, str) for option in options):
            for option in options:
                self.check_id(place, option)
            return Labels(key, tuple(options))
        if options and all(isinstance(option, bool) for option in options):
            return "truth"
        if any(isinstance(option, bool) or not isinstance(option, (int, float)) for option in options):
            self.note(
                place, "wrong-type", f"{owner} mixes kinds of options", "all numbers, all labels, or true and false"
            )
            return "unknown"
        return "number"


def show(value: object) -> str:
    """Write a TOML value in a label.

    Examples
    --------
    >>> show(True), show(2.0), show("keep")
    ('true', '2', 'keep')
    """
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)
