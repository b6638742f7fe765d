"""Definitions: what of a CREATE statement is the body, cut out without understanding the rest."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Dialect = Literal["postgres", "sqlite", "tsql"]

_SKIPPED = r"(?P<skip>\s+|--[^\n]*|/\*.*?(?:\*/|\Z))"
_IN_BRACKETS = r"|\[[^\]]*(?:\]|\Z)"
_QUOTED = r"""
    (?P<quoted>
        [eE]'(?:\\.|''|[^'\\])*(?:'|\Z)
        |[nN]?'(?:''|[^'])*(?:'|\Z)
        |"(?:""|[^"])*(?:"|\Z)
        |`(?:``|[^`])*(?:`|\Z)
        |\$(?P<tag>(?:[^\W\d]\w*)?)\$.*?(?:\$(?P=tag)\$|\Z)
        {brackets}
    )"""
_REST = r"|(?P<word>[\w@\#$]+)|(?P<other>.)"


def _pattern(brackets: str) -> re.Pattern[str]:
    quoted = _QUOTED.replace("{brackets}", brackets)
    return re.compile(f"{_SKIPPED}|{quoted}{_REST}", re.VERBOSE | re.DOTALL)


# What PostgreSQL has in brackets is a subscript; to the others it is a name.
_WITH_SUBSCRIPTS, _WITH_NAMES = _pattern(""), _pattern(_IN_BRACKETS)
_COMMENT_EDGE = re.compile(r"/\*|\*/")


@dataclass(frozen=True, slots=True)
class Token:
    """A word in capitals, or something else as it is; a word in quotes is no word."""

    text: str
    is_word: bool
    start: int
    end: int
    depth: int  # of the parentheses, and subscripts, that it stands in


def tokens(sql: str, dialect: Dialect) -> Iterator[Token]:
    """Everything but white space and comments, which stand in each other but in SQLite."""
    pattern = _WITH_SUBSCRIPTS if dialect == "postgres" else _WITH_NAMES
    depth = position = 0
    while match := pattern.match(sql, position):
        text = match[0]
        position = match.end()
        if match["skip"] is not None:
            nests = text[:2] == "/*" and dialect != "sqlite"
            position = _end_of_comment(sql, match.start()) if nests else position
            continue
        depth -= text in (")", "]")
        is_word = match["word"] is not None
        yield Token(text.upper() if is_word else text, is_word, match.start(), match.end(), depth)
        depth += text in ("(", "[")


def _end_of_comment(sql: str, start: int) -> int:
    depth = 0
    for edge in _COMMENT_EDGE.finditer(sql, start):
        depth += 1 if edge[0] == "/*" else -1
        if not depth:
            return edge.end()
    return len(sql)


def outer_words(sql: str, dialect: Dialect) -> list[Token]:
    """The words and quoted names that stand in no parentheses."""
    return [token for token in tokens(sql, dialect) if not token.depth and token.text not in "()"]


def query_of_view(sql: str, dialect: Dialect) -> str:
    """What stands behind the AS of a ``CREATE VIEW``; empty if there is none."""
    words = outer_words(sql, dialect)
    found = next((token for token in words if token.is_word and token.text == "AS"), None)
    return sql[found.end :].strip() if found else ""


def body_of_routine(sql: str) -> str:
    """The statements of a ``CREATE PROCEDURE``, ``FUNCTION`` or ``TRIGGER`` of SQL Server.

    They stand behind an AS that is neither that of ``EXECUTE AS`` nor between a parameter and its type. A
    function that gives a table may do without: then they begin with its RETURN. Empty if there are none.
    """
    words = outer_words(sql, "tsql")
    for before, token in zip([None, *words], words, strict=False):
        if not token.is_word or before is None:
            continue
        is_other_as = before.text in ("EXECUTE", "EXEC") or before.text.startswith("@")
        if token.text == "AS" and not is_other_as:
            return _without_return(sql[token.end :].strip())
        if token.text == "RETURN":
            return _without_return(sql[token.start :].strip())
    return ""


def _without_return(body: str) -> str:
    """A function that is one query: the query."""
    words = list(tokens(body, "tsql"))
    if len(words) > 1 and words[0].text == "RETURN" and words[1].text in ("(", "SELECT", "WITH"):
        return body[words[0].end :].strip()
    return body


@dataclass(frozen=True, slots=True)
class TriggerText:
    """A trigger of SQLite: what it fires on, and its statements."""

    events: tuple[str, ...]
    body: str


def trigger_text(sql: str) -> TriggerText | None:
    """Read a ``CREATE TRIGGER`` of SQLite; None if it is none that can be read."""
    words = outer_words(sql, "sqlite")
    names = [token.text if token.is_word else "" for token in words]
    if not {"TRIGGER", "ON", "BEGIN"} <= set(names):
        return None
    start = names.index("TRIGGER") + 1
    on = names.index("ON", start)
    pairs = zip(names[start:on], names[start + 1 : on], strict=False)
    of_columns = ("UPDATE", "OF") in pairs
    event = "UPDATE" if of_columns else names[on - 1]
    last_end = max((number for number, name in enumerate(names) if name == "END"), default=0)
    begin = names.index("BEGIN", on)
    if event not in ("INSERT", "UPDATE", "DELETE") or last_end <= begin:
        return None
    return TriggerText((event.lower(),), sql[words[begin].end : words[last_end].start].strip())
