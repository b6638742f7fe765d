r"""SQL tokens: a text cut into statements, once for each family of databases that would cut it differently.

Which database a text is meant for is not known here, and where a literal or a comment ends depends on it:
``'a\'`` is a whole literal except to MySQL, ``#`` begins a comment to MySQL and the name of a temporary
table to SQL Server, ``[`` a name to SQL Server and an index to PostgreSQL. Each character is looked at a
few times at most, so that hostile texts cost no more than friendly ones of their length.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

Statement = tuple[str, ...]
"""Its tokens: bare words in capitals (``SELECT``, ``@ID``, ``#ROWS``), quoted names likewise after a ``"``
and with ``_`` for white space (``"MY_ROWS``), numbers, ``'`` for any literal, and all else as it is."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A text as one family of databases reads it.

    Attributes:
        statements: without the empty ones, and without the bodies of triggers and routines.
        whole: whether every literal, comment and body has its end. If not, the text is an error there,
            and the statements are those before it.
    """

    statements: tuple[Statement, ...]
    whole: bool


def readings(sql: str) -> tuple[Reading, ...]:
    """Read a text in every way that some database would, or in one way if all of them agree."""
    dialects = _DIALECTS if _DIVISIVE.search(sql) else _DIALECTS[:1]
    return tuple(_reading(sql, dialect) for dialect in dialects)


def _reading(sql: str, dialect: Family) -> Reading:
    tokens, all_closed = _cut(sql, dialect)
    statements, all_ended = _split(tokens)
    return Reading(statements, all_closed and all_ended)


# -- where quotes end ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Quote:
    """Ends at the first `end` that is not a part of something else that `ends` finds."""

    end: str
    ends: re.Pattern[str] | None = None

    def end_after(self, sql: str, position: int) -> int:
        """Where the text goes on behind it; -1 if it never ends."""
        if self.ends is None:
            found = sql.find(self.end, position)
            return found if found < 0 else found + len(self.end)
        found_ends = self.ends.finditer(sql, position)
        return next((match.end() for match in found_ends if match[0] == self.end), -1)


def _escaped(end: str, *escapes: str) -> _Quote:
    return _Quote(end, re.compile("|".join([*escapes, re.escape(end)]), re.DOTALL))


_BACKSLASH: Final = r"\\."
_BACKSLASHES: Final = _escaped("'", _BACKSLASH, "''")
_QUOTES: Final[Mapping[str, _Quote]] = {
    "'": _escaped("'", "''"),
    '"': _escaped('"', '""'),
    "`": _escaped("`", "``"),
    "/*": _Quote("*/"),
}
_PREFIX: Final = re.compile(r"(?<![\w$])(?:[eE]|[nN]?[qQ])\Z")
_CLOSING: Final[Mapping[str, str]] = {"[": "]", "{": "}", "(": ")", "<": ">"}
_COMMENT_EDGES: Final = re.compile(r"/\*|\*/")


def _end_of_prefixed(sql: str, position: int) -> int | None:
    """Where E'...' of PostgreSQL or q'[...]' of Oracle ends, errors to all others; None if it is neither."""
    prefix = _PREFIX.search(sql[max(position - 4, 0) : position - 1])
    if prefix is None:
        return None
    if prefix[0] in "eE":
        return _BACKSLASHES.end_after(sql, position)
    mark = sql[position : position + 1]
    return _Quote(_CLOSING.get(mark, mark) + "'").end_after(sql, position + 1)


def _end_of_nested_comment(sql: str, position: int) -> int:
    depth = 1
    for edge in _COMMENT_EDGES.finditer(sql, position):
        depth += 1 if edge[0] == "/*" else -1
        if not depth:
            return edge.end()
    return -1


# -- what the families of databases disagree on ----------------------------------------------------------

_DIVISIVE: Final = re.compile(r"[\\#\[]|--|/\*")

# Alternatives begin with one character each, so that a search leaps over all others. Those with a group
# are whole in themselves. Dollar quotes are PostgreSQL's, and as good an error as any to all others.
_OPENING: Final = r"""'|"|`|/\*|\$(?<![\w$]\$)(?:[^\W\d]\w*)?\$"""
_HARMLESS_BRACKETS: Final = r"\[([\w\s.,:*+]*)\]"  # a name, or an index without calls and literals
_NUMBER: Final = r"0X[0-9A-F]*|\d+(?:\.\d*)?(?:E(?:[+-]?\d+)?)?"


class Family:
    """How one family reads.

    Args:
        skipped: pattern of what says nothing, besides white space and ordinary comments.
        quotes: those that it reads in a way of its own.
        sharp: whether ``#`` may be a part of words.
        nests_comments: whether a comment may be inside another.
        brackets: pattern of a pair that is taken as one token where brackets quote nothing.
        ats: whether ``@`` may stand inside of words.
    """

    def __init__(
        self,
        *,
        skipped: str = r"--([^\n]*)",
        quotes: Mapping[str, _Quote] | None = None,
        sharp: bool = False,
        nests_comments: bool = False,
        brackets: str = _HARMLESS_BRACKETS,
        ats: bool = False,
    ) -> None:
        self._quotes = {**_QUOTES, **(quotes or {})}
        self._nests_comments = nests_comments
        self.sharp = sharp
        self.ats = ats
        brackets = r"\[" if "[" in self._quotes else brackets
        self.opening = re.compile("|".join(filter(None, (skipped, brackets, _OPENING))))
        signs, inside = ("@#", r"\w$#") if sharp else ("@", r"\w$")
        self.token = re.compile(rf"[^\W\d][{inside}]*|[{signs}]{{1,2}}[{inside}]+|{_NUMBER}|\S")

    def end_of(self, opened: re.Match[str]) -> int:
        """Where the text goes on behind what has been opened; -1 if it never ends."""
        opening, sql, position = opened[0], opened.string, opened.end()
        if opened.lastindex:
            return position
        if opening == "/*" and self._nests_comments:
            return _end_of_nested_comment(sql, position)
        prefixed = _end_of_prefixed(sql, position) if opening == "'" else None
        if prefixed is not None:
            return prefixed
        return (self._quotes.get(opening) or _Quote(opening)).end_after(sql, position)


_LINE: Final = r"--([^\r\n]*)"
_SQL_SERVER: Final = Family(quotes={"[": _escaped("]", r"\]\]")}, sharp=True, nests_comments=True, ats=True)
_SQLITE: Final = Family(quotes={"[": _Quote("]")}, sharp=True)


def _postgresql(**options: Any) -> Family:
    return Family(skipped=_LINE, nests_comments=True, **options)


def _mysql(**options: Any) -> Family:
    """It runs what is inside /*! ... */, and 1--1 is 2."""
    return Family(
        skipped=r"/\*(M?!\d*)|\*(/)(?!\*)|#([^\n]*)|--((?=[\s\x00-\x1f]|\Z)[^\n]*)",
        quotes={"'": _BACKSLASHES, '"': _escaped('"', _BACKSLASH, '""')},
        **options,
    )


_DIALECTS: Final = (
    # PostgreSQL, and with backslashes: where standard_conforming_strings is off, or E'...' has two parts
    _postgresql(),
    _postgresql(quotes={"'": _BACKSLASHES}),
    _SQL_SERVER,
    _SQLITE,  # and Oracle
    _mysql(),
)

# For those who know what they read: brackets that quote nothing are signs like others.
_BY_NAME: Final[Mapping[str, tuple[Family, ...]]] = {
    "postgres": (_postgresql(brackets=""), _postgresql(brackets="", quotes={"'": _BACKSLASHES})),
    "tsql": (_SQL_SERVER,),
    "sqlite": (_SQLITE,),
    "mysql": (_mysql(brackets=""),),
    "oracle": (Family(sharp=True, brackets=""),),
}
_ANY_NAME: Final = tuple(
    family for name in ("tsql", "postgres", "sqlite", "mysql") for family in _BY_NAME[name]
)


def families_of(sql: str, dialect: str) -> tuple[Family, ...]:
    """Those that a text may be meant for: one, or more where they would disagree about it.

    Args:
        dialect: ``tsql``, ``postgres``, ``sqlite``, ``mysql`` or ``oracle``; otherwise all of them.
    """
    families = _BY_NAME.get(dialect, _ANY_NAME)
    return families if len(families) > 1 and _DIVISIVE.search(sql) else families[:1]


# -- tokens and statements -------------------------------------------------------------------------------

_NAME_QUOTES: Final = ('"', "`", "[")
_SKIPPED: Final = ("-", "#", "/", "*")
_BEFORE_ROUTINES: Final = frozenset({"CREATE", "OR", "REPLACE", "ALTER", "TEMP", "TEMPORARY", "CONSTRAINT"})
_ROUTINES: Final = frozenset({"TRIGGER", "PROCEDURE", "PROC", "FUNCTION", "EVENT"})
_BODY_DEPTH: Final[Mapping[str, int]] = {"BEGIN": 1, "CASE": 1, "END": -1}


def _cut(sql: str, dialect: Family) -> tuple[list[str], bool]:
    """The tokens of a text, up to what never ends; and whether there is no such thing."""
    tokens: list[str] = []
    position = 0
    while opened := dialect.opening.search(sql, position):
        start = opened.start()
        tokens += dialect.token.findall(sql[position:start].upper())
        position = dialect.end_of(opened)
        if position < 0:
            return tokens, False
        if sql.startswith(_NAME_QUOTES, start):
            tokens.append('"' + "_".join(sql[start + 1 : position - 1].upper().split()))
        elif not sql.startswith(_SKIPPED, start):
            tokens.append("'")
    tokens += dialect.token.findall(sql[position:].upper())
    return tokens, True


def _split(tokens: list[str]) -> tuple[tuple[Statement, ...], bool]:
    """Split at semicolons; BEGIN ... END of a trigger or routine is left out, since it is not run now."""
    statements: list[list[str]] = [[]]
    depth = 0
    for token in tokens:
        if depth:
            depth += _BODY_DEPTH.get(token, 0)
        elif token == ";":
            statements.append([])
        elif token == "BEGIN" and _makes_routine(statements[-1][:6]):
            depth = 1
        else:
            statements[-1].append(token)
    return tuple(tuple(statement) for statement in statements if statement), not depth


def _makes_routine(beginning: list[str]) -> bool:
    kinds = (word for word in beginning if word not in _BEFORE_ROUTINES)
    return beginning[:1] == ["CREATE"] and next(kinds, "") in _ROUTINES
