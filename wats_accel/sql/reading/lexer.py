"""The lexer: a text cut into tokens that keep their case, without comments and without what literals say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from wats_accel.sql.access import name_of
from wats_accel.sql_tokens import Family, families_of

WORD: Final = "word"  # bare: a keyword or a name
NAME: Final = "name"  # quoted: a name for sure, or a literal to MySQL
LITERAL: Final = "literal"
NUMBER: Final = "number"
PARAMETER: Final = "parameter"
VARIABLE: Final = "variable"  # @x, @@x
SIGN: Final = "sign"
END: Final = "end"  # behind the last one


class Token:
    """A token.

    Attributes:
        kind: one of the constants of this module.
        text: as it is written, without its quotes.
        key: of words in capitals, and of signs; of all others empty.
        spaced: whether something stands between it and the token before.
        fresh_line: whether it is the first of its line.
    """

    __slots__ = ("fresh_line", "key", "kind", "spaced", "text")

    def __init__(self, kind: str, text: str, gap: str = " ") -> None:
        self.kind = kind
        self.text = text
        self.key = text.upper() if kind == WORD else text if kind == SIGN else ""
        self.spaced = bool(gap)
        self.fresh_line = "\n" in gap

    def __repr__(self) -> str:
        return f"<{self.kind}>"  # what it says may be a secret

    @property
    def name(self) -> str:
        """As names are compared."""
        return name_of(self.text)


class UnreadableError(ValueError):
    """A literal, name or comment never ends. Says nothing of the text."""


_WORD: Final = r"(?P<word>[^\W\d][\w$]*)"
_SHARP_WORD: Final = r"(?P<word>[^\W\d][\w$#]*|\#{1,2}\w[\w$#]*)"
_WORD_WITH_AT: Final = r"(?P<word>[^\W\d][\w$#@]*|\#{1,2}\w[\w$#@]*)"
_REST: Final = (
    r"|(?P<variable>@{1,2}[\w$#]+)"
    r"|(?P<number>0[xX][0-9a-fA-F]*|(?:\d+(?:\.\d*)?|(?<![\w\])\"`])\.\d+)(?:[eE](?:[+-]?\d+)?)?)"
    r"|(?P<parameter>(?<![\w\])])%s\b|%\(\w+\)s|\?\d*|(?<![\w:\])]):[^\W\d]\w*|(?<![\w:]):\d+\b"
    r"|\$\d+|\$[^\W\d]\w*)"
    r"|(?P<sign>::|\S)"
)
_TOKENS: Final = [re.compile(word + _REST) for word in (_WORD, _SHARP_WORD, _WORD_WITH_AT)]
_PREFIXES: Final = frozenset({"N", "E", "B", "X", "Q", "NQ", "_UTF8", "_UTF8MB4", "_BINARY"})
_DOUBLED: Final = {'"': ('""', '"'), "`": ("``", "`"), "[": ("]]", "]")}


def lex(sql: str, family: Family) -> list[Token]:
    """The tokens of a text.

    Raises:
        UnreadableError: something in it never ends.
    """
    tokens: list[Token] = []
    position, gap, pattern = 0, "\n", _TOKENS[family.sharp + family.ats]
    while opened := family.opening.search(sql, position):
        start = opened.start()
        gap = _plain(pattern, sql, (position, start), gap, tokens)
        position = family.end_of(opened)
        if position < 0:
            raise UnreadableError
        if opened[0][0] in "-#/*":
            gap += sql[start:position] if "\n" in sql[start:position] else " "
        else:
            _add_quoted(sql[start:position], gap, tokens)
            gap = ""
    _plain(pattern, sql, (position, len(sql)), gap, tokens)
    return tokens


def _plain(
    pattern: re.Pattern[str], sql: str, stretch: tuple[int, int], gap: str, tokens: list[Token]
) -> str:
    """Add the tokens of a stretch without quotes and comments. Returns what stands behind the last one."""
    position, end = stretch
    for match in pattern.finditer(sql, position, end):
        kind = match.lastgroup or SIGN
        tokens.append(Token(kind, match[0], gap + sql[position : match.start()]))
        position, gap = match.end(), ""
    return gap + sql[position:end]


def _add_quoted(quoted: str, gap: str, tokens: list[Token]) -> None:
    mark = quoted[0]
    if mark in _DOUBLED:
        doubled, single = _DOUBLED[mark]
        if not gap and tokens[-1:] and tokens[-1].key == "&" and not tokens[-1].spaced:
            raise UnreadableError  # U&"..." of PostgreSQL, with escapes
        tokens.append(Token(NAME, quoted[1:-1].replace(doubled, single), gap))
        return
    before = tokens[-1] if tokens and not gap else None
    if before is not None and before.kind == WORD and before.key in _PREFIXES:
        gap = " " if tokens.pop().spaced else ""
    edge = quoted.index("$", 1) + 1 if mark == "$" else 1
    inside = quoted[edge:-edge] if mark == "$" else quoted[1:-1].replace("''", "'")
    tokens.append(Token(LITERAL, inside, gap))


def readings_of(sql: str, dialect: str) -> Iterator[list[Token]]:
    """A text as each family of databases that it may be meant for reads it, if that makes a difference.

    Raises:
        UnreadableError: no family can read it.
    """
    seen: set[tuple[tuple[str, str], ...]] = set()
    for family in families_of(sql, dialect):
        try:
            tokens = lex(sql, family)
        except UnreadableError:
            continue
        known = tuple((token.kind, token.text) for token in tokens)
        if known not in seen:
            seen.add(known)
            yield tokens
    if not seen:
        raise UnreadableError
