"""Roles: what stands in a place of a text of SQL, told by the words around it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from wats_accel.sql.source.values import Hole

Role = Literal[
    "literal", "value", "schema", "function", "columns", "order", "assignments", "insert", "table", "routine",
    "condition", "statement",
]  # fmt: skip
"""What stands in a place of a text; literal: in a string or a comment, where it does nothing."""

OPEN, CLOSE = "\ue000", "\ue001"  # private characters around the number of a part that is not known
TOKEN: Final = re.compile(
    r"(?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))|(?P<string>'(?:[^']|'')*(?:'|\Z))"
    r"|(?P<quoted>\"[^\"]*\"|\[[^\]\[]*\]|`[^`]*`)|(?P<hole>\ue000\d+\ue001)|(?P<word>[\w@#$]+)"
    r"|(?P<sign><=|>=|<>|!=|::|\|\||:=|=>|\S)",
    re.DOTALL,
)
_CLAUSES: Final = frozenset(
    {"SELECT", "FROM", "JOIN", "WHERE", "ON", "HAVING", "SET", "VALUES", "INTO", "ORDER", "GROUP", "LIMIT"}
    | {
        "OFFSET",
        "RETURNING",
        "OUTPUT",
        "EXEC",
        "EXECUTE",
        "CALL",
        "UPDATE",
        "USING",
        "FETCH",
        "UNION",
        "WHEN",
    }
    | {"CONFLICT"}
)
TABLE_BEHIND: Final = frozenset(
    {"FROM", "JOIN", "INTO", "UPDATE", "TABLE", "USING", "APPLY", "MERGE", "TRUNCATE", "ONLY"}
    | {"DELETE", "INSERT"}  # SQL Server needs no FROM and no INTO
)
_VALUE_SIGNS: Final = frozenset(
    {"=", "<", ">", "<=", ">=", "<>", "!=", "+", "-", "*", "/", "%", "||", "=>", ":=", ":", "?", "@"}
)
_VALUE_WORDS: Final = frozenset(
    {
        "LIKE",
        "ILIKE",
        "BETWEEN",
        "LIMIT",
        "OFFSET",
        "TOP",
        "NEXT",
        "FIRST",
        "THEN",
        "ELSE",
        "ESCAPE",
        "INTERVAL",
    }
    | {"REGEXP", "GLOB", "MATCH", "SIMILAR", "RETURN", "IS"}
)
_VERBS: Final = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE"})


@dataclass(slots=True)
class _Level:
    """What stands around a place: between the same parentheses."""

    before: str = ""  # the word before the parenthesis
    clause: str = ""
    introduced: str = ""  # the word before that one


@dataclass(slots=True)
class _Scan:
    """How far a text has been read."""

    levels: list[_Level] = field(default_factory=lambda: [_Level()])
    words: list[str] = field(default_factory=list)  # tokens that have been read, in capitals


def roles_of(tokens: Sequence[re.Match[str]], raw: str, holes: Sequence[Hole]) -> Iterator[tuple[int, Role]]:
    """What stands in the place of each part that is not known."""
    scan = _Scan()
    for index, token in enumerate(tokens):
        kind = token.lastgroup
        if kind in ("comment", "string"):
            yield from ((number, "literal") for number in numbers_in(token[0]))
            if kind == "comment":
                continue
        elif kind == "quoted":
            role: Role = "table" if _is_table(scan) else _role_of_name(scan.words)
            yield from ((number, role) for number in numbers_in(token[0]))
        elif kind == "hole":
            number = numbers_in(token[0])[0]
            following = tokens[index + 1] if index + 1 < len(tokens) else None
            yield number, _role(holes[number], token, following, raw, scan)
        _read(token, scan)


def numbers_in(token: str) -> list[int]:
    """The numbers of the parts that are not known in a token."""
    return [int(number) for number in re.findall(f"{OPEN}(\\d+){CLOSE}", token)]


def _read(token: re.Match[str], scan: _Scan) -> None:
    word = token[0].upper()
    level = scan.levels[-1]
    if word == "(":
        previous = scan.words[-1] if scan.words else ""
        scan.levels.append(_Level(previous, introduced=scan.words[-2] if len(scan.words) > 1 else ""))
    elif word == ")" and len(scan.levels) > 1:
        scan.levels.pop()
    elif token.lastgroup == "word" and word in _CLAUSES:
        level.clause = word
    elif word == ";":
        scan.levels = [_Level()]
    scan.words.append(word if token.lastgroup in ("word", "sign") else f"\0{token.lastgroup}")


def _role(hole: Hole, token: re.Match[str], following: re.Match[str] | None, raw: str, scan: _Scan) -> Role:
    before = raw[token.start() - 1] if token.start() else " "
    after = raw[token.end()] if token.end() < len(raw) else " "
    is_part = before.isalnum() or before in "_.$#" or after.isalnum() or after in "_$#"
    if before in ":@?" or (before == "(" and raw[: token.start() - 1].endswith("%")):
        return "value"
    if is_part:
        is_begun = before.isalnum() or before in "_$#"
        return _role_of_name(scan.words[:-1] if is_begun else scan.words)
    if _is_table(scan):
        return "schema" if after == "." else "table"
    if hole.kind == "number":
        return "value"
    if after == ".":
        return "columns"
    return _role_by_words(following, scan)


def _role_of_name(words: Sequence[str]) -> Role:
    """Of a name, or of a part of it, by the words before it."""
    introducer = _introducer(words)
    if introducer in TABLE_BEHIND:
        return "table"
    return "routine" if introducer in ("EXEC", "EXECUTE", "CALL") else "columns"


def _introducer(words: Sequence[str]) -> str:
    """The word before a name, and before what qualifies it: ``FROM`` before ``a.b.``."""
    end = len(words)
    while end > 1 and words[end - 1] == ".":
        end -= 2
    return words[end - 1] if end else ""


def _is_table(scan: _Scan) -> bool:
    last, level = _introducer(scan.words), scan.levels[-1]
    if last == "FROM" and level.before in ("EXTRACT", "TRIM", "SUBSTRING", "OVERLAY"):
        return False
    if last == "UPDATE" and scan.words[-2:-1] in (["DO"], ["FOR"], ["ON"]):
        return False
    is_listed = last == "," and level.clause in ("FROM", "JOIN") and not level.before.isalnum()
    return last in TABLE_BEHIND or is_listed


def _role_by_words(following: re.Match[str] | None, scan: _Scan) -> Role:
    level = scan.levels[-1]
    last = scan.words[-1] if scan.words else ""
    if not scan.words or last == ";":
        return "statement"
    if last in ("EXEC", "EXECUTE", "CALL"):
        return "routine"
    if last in _VALUE_SIGNS or last in _VALUE_WORDS:
        return "function" if following is not None and following[0] == "(" else "value"
    if last == "AND" and _is_second_bound(scan.words):
        return "value"
    if _may_be_statement(scan):
        return "statement"
    if following is not None and following[0] == "(" and last not in (")", "\0quoted"):
        return "function"
    return _role_by_clause(level, last, scan)


def _is_second_bound(words: Sequence[str]) -> bool:
    """Whether what follows is the second value of BETWEEN."""
    if "BETWEEN" not in words:
        return False
    behind = words[len(words) - list(reversed(words)).index("BETWEEN") :]
    return behind.count("AND") == 1


def _may_be_statement(scan: _Scan) -> bool:
    """Whether the verb of the statement, or a whole statement of a block, may be in what follows."""
    if len(scan.levels) > 1:
        return False
    words = (
        scan.words[len(scan.words) - list(reversed(scan.words)).index(";") :]
        if ";" in scan.words
        else scan.words
    )
    if not words or words[0] in ("IF", "BEGIN", "DECLARE", "WHILE", "SET", "GO", "USE"):
        return True
    if words[0] == "WITH":
        return _VERBS.isdisjoint(_outside_parentheses(words))
    needed = {"UPDATE": "SET", "DELETE": "FROM", "INSERT": "INTO"}.get(words[0])
    return needed is not None and needed not in words


def _outside_parentheses(words: Sequence[str]) -> list[str]:
    depth = 0
    found: list[str] = []
    for word in words:
        depth += (word == "(") - (word == ")")
        if depth == 0:
            found.append(word)
    return found


def _role_by_clause(level: _Level, last: str, scan: _Scan) -> Role:
    if last in ("(", ","):
        if level.before in ("IN", "VALUES", "ANY", "TOP", "LIMIT") or _in_values(scan):
            return "value"
        if level.introduced == "INTO" and not level.clause:
            return "insert"
    by_clause: dict[str, Role] = {
        "SELECT": "columns",
        "RETURNING": "columns",
        "OUTPUT": "columns",
        "ORDER": "order",
        "GROUP": "order",
        "SET": "assignments",
        "VALUES": "value",
        "LIMIT": "value",
        "OFFSET": "value",
        "EXEC": "value",
        "EXECUTE": "value",
        "CALL": "value",
    }
    return by_clause.get(level.clause, "condition")


def _in_values(scan: _Scan) -> bool:
    """Whether it is in one of the rows behind VALUES."""
    return (
        len(scan.levels) > 1
        and scan.levels[-2].clause == "VALUES"
        and scan.levels[-1].before in ("VALUES", ",")
    )
