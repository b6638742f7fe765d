"""Where each key and each array item stands in a TOML text that a parser has already accepted."""

import contextlib
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable

from wats_accel.config.documents import DEEPEST, Position, position_of
from wats_accel.errors import KeyPath

_BLANK = re.compile(r"[ \t\r\n]*(?:#[^\n]*[ \t\r\n]*)*")
_KEY_PART = re.compile(
    r"""(?: (?P<bare>[A-Za-z0-9_-]+) | "(?P<basic>(?:\\.|[^"\\\n])*)" | '(?P<literal>[^'\n]*)' )
        [ \t]* (?P<dot>\.?) [ \t]*""",
    re.VERBOSE,
)
_EQUALS = re.compile(r"=[ \t]*")
_HEADER_START = re.compile(r"(?P<item>\[\[|\[)[ \t]*")
_HEADER_END = re.compile(r"\]\]?")
_SCALAR = re.compile(
    r'''"""(?:\\.|[^\\])*?"""(?:"{0,2})'''  # the text may itself end in one or two quotes
    r"""|\'\'\'.*?\'\'\'(?:\'{0,2})"""
    r"""|"(?:\\.|[^"\\\n])*"|'[^'\n]*'"""
    r"""|[^,\]}#\n"']+""",  # numbers, booleans and dates; a date may have a space in it
    re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|x([0-9A-Fa-f]{2})|(.))")
_SHORT_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", "e": "\x1b", '"': '"', "\\": "\\"}


def toml_positions(text: str) -> dict[KeyPath, tuple[int, int]]:
    """Return the 1-based line and column (in characters) of every key path in `text`.

    A key stands where it is first named. An item of an array of tables stands where its header names the
    array. Positions are a courtesy: on text that is not TOML this returns what it found so far, and never
    raises.
    """
    line_starts = [0, *(match.end() for match in re.finditer("\n", text))]
    return {path: _line_and_column(line_starts, offset) for path, offset in _offsets(text).items()}


def deepest_position(text: str) -> Position:
    """Where the value stands that is nested most deeply, or the first one that is nested too deeply."""
    offsets = _offsets(text)
    return position_of(text, offsets[max(offsets, key=len)] if offsets else 0)


def _offsets(text: str) -> dict[KeyPath, int]:
    scanner = _Scanner(text)
    with contextlib.suppress(LookupError, ValueError, OverflowError, RecursionError):
        scanner.scan()
    return scanner.offsets


class _Scanner:
    """Reads through the text once; raises ValueError or LookupError where the text is not TOML."""

    def __init__(self, text: str) -> None:
        self.offsets: dict[KeyPath, int] = {}
        self._text = text
        self._here = 0
        self._tables_in: Counter[KeyPath] = Counter()  # how many [[headers]] each array of tables has had

    def scan(self) -> None:
        table: KeyPath = ()
        self._skip_blank()
        while self._here < len(self._text):
            if self._text[self._here] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._skip_blank()

    def _header(self) -> KeyPath:
        is_item = self._take(_HEADER_START)["item"] == "[["
        *parents, last = self._key()
        path = self._descend((), parents)
        if is_item:
            array = (*path, last[0])
            self._tables_in[array] += 1
        self._take(_HEADER_END)
        return self._descend(path, [last])

    def _pair(self, table: KeyPath) -> None:
        path = self._descend(table, self._key())
        self._take(_EQUALS)
        self._value(path)

    def _key(self) -> list[tuple[str, int]]:
        """Read a dotted key; return each part's name and offset."""
        parts = []
        while True:
            match = self._take(_KEY_PART)
            parts.append((_name(match), match.start()))
            if not match["dot"]:
                return parts

    def _descend(self, path: KeyPath, parts: Iterable[tuple[str, int]]) -> KeyPath:
        """Note every part below `path`; below an array of tables a name means its newest table."""
        for name, offset in parts:
            path = (*path, name)
            self._note(path, offset)
            if path in self._tables_in:
                path = (*path, self._tables_in[path] - 1)
                self._note(path, offset)
        return path

    def _note(self, path: KeyPath, offset: int) -> None:
        self.offsets.setdefault(path, offset)
        if len(path) > DEEPEST:  # each path is as long as it is deep: a long one would take all memory
            raise RecursionError

    def _value(self, path: KeyPath) -> None:
        if self._took("["):
            self._array(path)
        elif self._took("{"):
            self._inline_table(path)
        else:
            self._take(_SCALAR)

    def _array(self, path: KeyPath) -> None:
        item_index = 0
        self._skip_blank()
        while not self._took("]"):
            item = (*path, item_index)
            self._note(item, self._here)
            self._value(item)
            self._skip_blank()
            self._took(",")
            self._skip_blank()
            item_index += 1

    def _inline_table(self, path: KeyPath) -> None:
        self._skip_blank()
        while not self._took("}"):
            self._pair(path)
            self._skip_blank()
            self._took(",")
            self._skip_blank()

    def _skip_blank(self) -> None:
        self._take(_BLANK)

    def _took(self, sign: str) -> bool:
        found = self._text.startswith(sign, self._here)
        self._here += len(sign) if found else 0
        return found

    def _take(self, pattern: re.Pattern[str]) -> re.Match[str]:
        match = pattern.match(self._text, self._here)
        if match is None:
            raise ValueError(f"not TOML at offset {self._here}")
        self._here = match.end()
        return match


def _name(part: re.Match[str]) -> str:
    if part["basic"] is not None:
        return _ESCAPE.sub(_unescaped, part["basic"])
    return str(part["literal"] if part["bare"] is None else part["bare"])


def _unescaped(escape: re.Match[str]) -> str:
    code = escape[1] or escape[2] or escape[3]
    return chr(int(code, 16)) if code else _SHORT_ESCAPES[escape[4]]


def _line_and_column(line_starts: list[int], offset: int) -> tuple[int, int]:
    line = bisect_right(line_starts, offset)
    return line, offset - line_starts[line - 1] + 1
