"""Where in a TOML text each value stands, because the reader of TOML does not say. Nothing is judged here."""

import re
from collections.abc import Mapping
from typing import TypeAlias

Path: TypeAlias = tuple[str | int, ...]

_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(r"""\s*((?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+))*)\s*=""")
_BLANK = re.compile(r"(?:[\s,]|#[^\n]*)*")
_STRING = re.compile(r'"""(?:\\.|[^\\])*?"""+' + r"|'''.*?'''+" + r'|"(?:\\.|[^"\\\n])*"' + r"|'[^'\n]*'", re.DOTALL)
_SCALAR = re.compile(r"[^\s,\]}#]+(?:[ \t]+[^\s,\]}#]+)*")


def lines_of(text: str) -> Mapping[Path, int]:
    """The line, counted from 1, of each table, key and item of a text that is TOML; the whole text is at ()."""
    return _Places(text).lines


class _Places:
    """Walks the text once. It may take for granted that the text is TOML, and so may be simple."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.lines: dict[Path, int] = {(): 1}
        self._table: Path = ()
        self._items: dict[Path, int] = {}
        position = 0
        while position < len(text):
            position = self._statement(position)

    def _statement(self, position: int) -> int:
        blank = _BLANK.match(self.text, position)
        position = blank.end() if blank else position
        end = self.text.find("\n", position)
        line = self.text[position : end if end >= 0 else len(self.text)]
        header = _HEADER.match(line)
        if header:
            self._open(_parts(header[2]), position, many=header[1] == "[[")
            return position + len(line)
        key = _KEY.match(self.text, position)
        if key is None:
            return position + max(1, len(line))
        return self._value(key.end(), self._set((*self._table, *_parts(key[1])), position))

    def _open(self, parts: Path, position: int, *, many: bool) -> None:
        path: Path = ()
        for depth, part in enumerate(parts, start=1):
            path = self._set((*path, part), position)
            if many and depth == len(parts):
                self._items[path] = self._items.get(path, -1) + 1
            if path in self._items:
                path = (*path, self._items[path])
        self._table = self._set(path, position)

    def _value(self, position: int, path: Path) -> int:
        """Notes where a value and all in it stand; returns the position after it."""
        blank = _BLANK.match(self.text, position)
        position = blank.end() if blank else position
        opened = self.text[position : position + 1]
        if opened not in ("[", "{"):
            found = _STRING.match(self.text, position) or _SCALAR.match(self.text, position)
            return found.end() if found else position + 1
        position, number = position + 1, 0
        while True:
            blank = _BLANK.match(self.text, position)
            position = blank.end() if blank else position
            if position >= len(self.text) or self.text[position] in "]}":
                return position + 1
            key = _KEY.match(self.text, position) if opened == "{" else None
            inner: Path = (*path, number) if key is None else (*path, *_parts(key[1]))
            self._set(inner, position)
            position = self._value(position if key is None else key.end(), inner)
            number += 1

    def _set(self, path: Path, position: int) -> Path:
        self.lines.setdefault(path, self.text.count("\n", 0, position) + 1)
        return path


def _parts(dotted: str) -> Path:
    """The names in a dotted key, without their quotes."""
    return tuple(part.strip("\"'") for part in re.findall(r"\"[^\"]*\"|'[^']*'|[A-Za-z0-9_-]+", dotted))
