"""Braces: the escapes of ODBC, rewritten to what stands for them in plain SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from wats_accel.sql.reading.lexer import PARAMETER, VARIABLE, WORD, Token

_LITERALS: Final = frozenset({"D", "T", "TS", "GUID", "INTERVAL"})
_DROPPED: Final = frozenset({"FN", "OJ", "CALL", "ESCAPE", "LIMIT"} | _LITERALS)


def without_braces(tokens: Sequence[Token]) -> list[Token]:
    """The tokens without those braces that are known.

    ``{call p(?)}`` becomes ``CALL p(?)``, ``{oj a LEFT JOIN b}`` what is inside, ``{fn NOW()}`` and
    ``{d '2020-01-01'}`` likewise. All other braces stay, and nobody can read them.
    """
    if not any(token.key == "{" for token in tokens):
        return list(tokens)
    kept: list[Token] = []
    known: list[bool] = []  # of the braces that are open
    position = 0
    while position < len(tokens):
        token = tokens[position]
        skipped = 0
        if token.key == "{":
            skipped = _escape(tokens, position, kept)
            known.append(bool(skipped))
        elif token.key == "}" and known and known.pop():
            skipped = 1
        if not skipped:
            kept.append(token)
        position += skipped or 1
    return kept


def _escape(tokens: Sequence[Token], position: int, kept: list[Token]) -> int:
    """How many tokens an escape begins with; what stands for them is added to `kept`."""
    following = tokens[position + 1 : position + 4]
    words = [token.key for token in following]
    if not following:
        return 0
    if following[0].kind in (PARAMETER, VARIABLE) and words[1:] == ["=", "CALL"]:
        kept.append(Token(WORD, "CALL"))
        return 4
    if words[0] not in _DROPPED:
        return 0
    if words[0] in ("CALL", "ESCAPE", "LIMIT"):
        kept.append(Token(WORD, words[0]))
    return 2
