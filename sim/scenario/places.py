"""Where each key of a TOML text stands.

``tomllib`` gives values without places, so this small scanner walks the same text once and notes the line of every key: of tables, of
arrays of tables, and of keys in inline tables. It reads only texts that ``tomllib`` has accepted, in linear time, and never raises.
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Path", "line_of", "lines_of"]

Path = tuple[str | int, ...]

_BARE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")


class _Scanner:
    """One walk over the text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.line = 1
        self.lines: dict[Path, int] = {}
        self.arrays: dict[Path, int] = {}

    def peek(self) -> str:
        """Return the character here, or an empty string at the end."""
        return self.text[self.at] if self.at < len(self.text) else ""

    def step(self, count: int = 1) -> None:
        """Move on, counting lines."""
        self.line += self.text.count("\n", self.at, self.at + count)
        self.at += count

    def blank(self, *, newlines: bool) -> None:
        """Skip spaces, comments and, if asked, line ends."""
        while char := self.peek():
            if char == "#":
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end
            elif char in " \t" or (newlines and char in "\r\n"):
                self.step()
            else:
                return

    def string(self) -> str:
        """Read a string of any of the four kinds."""
        quote = self.peek()
        multiline = self.text.startswith(quote * 3, self.at)
        fence = quote * 3 if multiline else quote
        self.step(len(fence))
        start = self.at
        while self.peek() and not self.text.startswith(fence, self.at):
            self.step(2 if quote == '"' and self.peek() == "\\" else 1)
        content = self.text[start : self.at]
        self.step(len(fence))
        while multiline and self.peek() == quote:  # up to two quotes may end the content itself
            self.step()
        return content

    def key(self) -> tuple[str, ...]:
        """Read a dotted key."""
        parts: list[str] = []
        while True:
            self.blank(newlines=False)
            if self.peek() in ("'", '"') and self.peek():
                start = self.at
                content = self.string()
                parts.append(_unescaped(self.text[start : self.at], content))
            else:
                start = self.at
                while self.peek() and self.peek() in _BARE:
                    self.at += 1
                parts.append(self.text[start : self.at])
            self.blank(newlines=False)
            if self.peek() != ".":
                return tuple(parts)
            self.step()

    def pair(self, table: Path) -> None:
        """Read ``key = value``."""
        line, start = self.line, self.at
        path = table
        for part in self.key():
            path = (*path, part)
            self.lines.setdefault(path, line)
        if self.peek() == "=":
            self.step()
        self.value(path)
        if self.at == start:
            self.step()  # a text that tomllib would refuse: never stand still

    def value(self, path: Path) -> None:
        """Skip a value, noting keys and elements inside it."""
        self.blank(newlines=False)
        char = self.peek()
        if char in ("'", '"') and char:
            self.string()
        elif char == "[":
            self.step()
            index = 0
            while True:
                self.separators()
                if self.peek() in ("]", ""):
                    break
                self.lines.setdefault((*path, index), self.line)
                start = self.at
                self.value((*path, index))
                self.at += self.at == start
                index += 1
            self.step()
        elif char == "{":
            self.step()
            while True:
                self.separators()
                if self.peek() in ("}", ""):
                    break
                self.pair(path)
            self.step()
        else:
            while self.peek() and self.peek() not in ",]}#\n":
                self.at += 1

    def separators(self) -> None:
        """Skip blanks and commas inside brackets."""
        self.blank(newlines=True)
        while self.peek() == ",":
            self.step()
            self.blank(newlines=True)

    def header(self) -> Path:
        """Read ``[table]`` or ``[[array]]``."""
        line = self.line
        double = self.text.startswith("[[", self.at)
        self.step(2 if double else 1)
        path: Path = ()
        keys = self.key()
        for place, part in enumerate(keys):
            path = (*path, part)
            self.lines.setdefault(path, line)
            if double and place == len(keys) - 1:
                self.arrays[path] = self.arrays.get(path, -1) + 1
            if path in self.arrays:
                path = (*path, self.arrays[path])
                self.lines.setdefault(path, line)
        end = self.text.find("\n", self.at)
        self.at = len(self.text) if end < 0 else end
        return path

    def scan(self) -> dict[Path, int]:
        """Walk the whole text."""
        table: Path = ()
        while True:
            self.blank(newlines=True)
            if not self.peek():
                return self.lines
            if self.peek() == "[":
                table = self.header()
            else:
                self.pair(table)


def _unescaped(raw: str, content: str) -> str:
    """Read the escapes of a quoted key."""
    if not raw.startswith('"') or "\\" not in raw:
        return content
    try:
        return str(tomllib.loads(f"key = {raw}")["key"])
    except tomllib.TOMLDecodeError:
        return content


def lines_of(text: str) -> dict[Path, int]:
    r"""Map each key's path to the line where it is first written, from 1.

    Examples
    --------
    >>> lines_of('title = "x"\n[moves.hold]\nplayer = "usa"\neffects = { rung = 1 }\n')[("moves", "hold", "effects", "rung")]
    4
    """
    return _Scanner(text).scan()


def line_of(lines: Mapping[Path, int], path: Path) -> int:
    """Find the line of a key, or of the nearest table around it; 0 if there is none.

    Examples
    --------
    >>> line_of({("moves", "hold"): 7}, ("moves", "hold", "when"))
    7
    """
    for size in range(len(path), 0, -1):
        if path[:size] in lines:
            return lines[path[:size]]
    return 0
