"""Boxes and tables that stand in line in any console, also in one that has neither lines nor accents."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

# Those that the code pages of consoles have, too: 437 and 850.
_LINES: Final = tuple("╔╗╚╝═║╠╣═")
_PLAIN_LINES: Final = tuple("++++=|++-")
_STAND_INS: Final = {
    "→": "->",
    "\u2013": "-",
    "\u2014": "-",
    "\u00d7": "x",
    "µ": "u",
    "…": "...",
    "·": "-",
    "✓": "ok",
    "✗": "no",
}


def width(text: str) -> int:
    """How many columns of a console the text takes: two for wide characters, none for what is put on top."""
    return sum(map(_columns, text))


def _columns(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf", "Cc"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


class Console:
    """What a stream can show.

    Args:
        encoding: of the stream; None and unknown names count as ASCII.
    """

    def __init__(self, encoding: str | None) -> None:
        self._encoding = encoding or "ascii"
        try:
            "".encode(self._encoding)
        except LookupError:
            self._encoding = "ascii"
        self._lines = _LINES if self._can_show("".join(_LINES)) else _PLAIN_LINES

    def text(self, text: str) -> str:
        """The text, with stand-ins for what cannot be shown: no accent, then a question mark."""
        return "".join(map(self._shown, text))

    def table(self, header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
        """Aligned columns: the first to the left, the others to the right."""
        lines = [[self.text(cell) for cell in row] for row in (header, *rows)]
        widths = [max(map(width, column)) for column in zip(*lines, strict=True)]
        lines.insert(1, ["-" * columns for columns in widths])
        return "\n".join("  " + "   ".join(_cells(line, widths)) for line in lines)

    def box(self, title: str, *groups: Sequence[tuple[str, str]]) -> str:
        """A box with a title and groups of labels and values, with a line between two groups."""
        head = self.text(title)
        shown = [[(self.text(label), self.text(value)) for label, value in group] for group in groups]
        labels = max(width(label) for group in shown for label, _ in group)
        lines = [[f"{_padded(label, labels)}  {value}" for label, value in group] for group in shown if group]
        inside = 4 + max(width(head), *(width(line) for group in lines for line in group))
        return "\n".join(self._drawn(head, lines, inside))

    def _drawn(self, head: str, groups: list[list[str]], inside: int) -> Iterable[str]:
        top_left, top_right, bottom_left, bottom_right, double, side, left, right, single = self._lines
        before = (inside - width(head)) // 2
        yield f"{top_left}{double * inside}{top_right}"
        yield f"{side}{_padded(' ' * before + head, inside)}{side}"
        for group in groups:
            yield f"{left}{single * inside}{right}"
            yield from (f"{side}  {_padded(line, inside - 2)}{side}" for line in group)
        yield f"{bottom_left}{double * inside}{bottom_right}"

    def _shown(self, character: str) -> str:
        if character in "\n\t" or (character.isprintable() and self._can_show(character)):
            return character
        if character in _STAND_INS:
            return _STAND_INS[character]
        bare = "".join(c for c in unicodedata.normalize("NFKD", character) if not unicodedata.combining(c))
        return bare if bare.isprintable() and self._can_show(bare) else "?" * max(1, _columns(character))

    def _can_show(self, text: str) -> bool:
        try:
            text.encode(self._encoding)
        except UnicodeEncodeError:
            return False
        return True


def _cells(line: Sequence[str], widths: Sequence[int]) -> Iterable[str]:
    yield _padded(line[0], widths[0])
    for cell, columns in zip(line[1:], widths[1:], strict=True):
        yield " " * (columns - width(cell)) + cell


def _padded(text: str, columns: int) -> str:
    return text + " " * (columns - width(text))
