"""Definitions: what of a CREATE statement is the body, cut out without understanding the rest."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""
    (?P<skip>\s+|--[^\n]*|/\*.*?(?:\*/|\Z))
    |(?P<quoted>
        [eE]'(?:\\.|''|[^'\\])*(?:'|\Z)
        |[nN]?'(?:''|[^'])*(?:'|\Z)
        |"(?:""|[^"])*(?:"|\Z)
        |`(?:``|[^`])*(?:`|\Z)
        |\[[^\]]*(?:\]|\Z)
        |\$(?P<tag>(?:[^\W\d]\w*)?)\$.*?(?:\$(?P=tag)\$|\Z)
    )
    |(?P<word>[\w@\#$]+)
    |(?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Token:
    """A word in capitals, or something else as it is; a word in quotes is no word."""

    text: str
    is_word: bool
    start: int
    end: int
    depth: int  # of the parentheses that it stands in


def tokens(sql: str) -> Iterator[Token]:
    """Everything but white space and comments."""
    depth = 0
    for match in _TOKEN.finditer(sql):
        text = match[0]
        if match["skip"] is not None:
            continue
        depth -= text == ")"
        is_word = match["word"] is not None
        yield Token(text.upper() if is_word else text, is_word, match.start(), match.end(), depth)
        depth += text == "("


def outer_words(sql: str) -> list[Token]:
    """The words and quoted names that stand in no parentheses."""
    return [token for token in tokens(sql) if not token.depth and token.text not in "()"]


def query_of_view(sql: str) -> str:
    """What stands behind the AS of a ``CREATE VIEW``; empty if there is none."""
    found = next((token for token in outer_words(sql) if token.is_word and token.text == "AS"), None)
    return sql[found.end :].strip() if found else ""


def body_of_routine(sql: str) -> str:
    """The statements of a ``CREATE PROCEDURE``, ``FUNCTION`` or ``TRIGGER`` of SQL Server.

    They stand behind an AS that is neither that of ``EXECUTE AS`` nor between a parameter and its type. A
    function that gives a table may do without: then they begin with its RETURN. Empty if there are none.
    """
    words = outer_words(sql)
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
    words = list(tokens(body))
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
    words = outer_words(sql)
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
