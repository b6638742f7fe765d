"""Rendering: texts of SQL of which parts are not known, as texts that can be read; what those parts hide."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from wats_accel.sql.facts import Hidden, Unknown
from wats_accel.sql.source.values import Hole, Text

PLACEHOLDER: Final = "unknown_part"
"""Stands in a text for names that are not known."""

Role = Literal[
    "literal", "value", "schema", "function", "columns", "order", "assignments", "insert", "table", "routine",
    "condition", "statement",
]  # fmt: skip
"""What stands in a place of a text; literal: in a string or a comment, where it does nothing."""

_OPEN, _CLOSE = "\ue000", "\ue001"  # private characters around the number of a part that is not known
_TOKEN: Final = re.compile(
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
_TABLE_BEHIND: Final = frozenset(
    {"FROM", "JOIN", "INTO", "UPDATE", "TABLE", "USING", "APPLY", "MERGE", "TRUNCATE", "ONLY"}
    | {"DELETE", "INSERT"}  # SQL Server needs no FROM and no INTO
)
_READ_BEHIND: Final = frozenset({"FROM", "JOIN", "USING", "APPLY", "ONLY", ","})
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
_EXPECTING: Final = frozenset(
    {
        ",",
        "(",
        "SELECT",
        "DISTINCT",
        "BY",
        "WHERE",
        "AND",
        "OR",
        "ON",
        "NOT",
        "HAVING",
        "WHEN",
        "CASE",
        "RETURNING",
        "ALL",
    }
)
_VERBS: Final = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE"})
_OPERATING: Final = frozenset(
    {
        "=",
        "<",
        ">",
        "<=",
        ">=",
        "<>",
        "!=",
        "IN",
        "IS",
        "LIKE",
        "ILIKE",
        "BETWEEN",
        "NOT",
        "+",
        "-",
        "*",
        "/",
        "||",
    }
)


@dataclass(frozen=True, slots=True)
class Rendered:
    """A text of SQL that can be read.

    Attributes:
        sql: the text, with something in the place of each part that is not known.
        shown: the same on one line, as it is shown to people.
        unknowns: what those parts may hide.
        any_column: whether it may read more columns of its tables than it names.
        any_assignment: whether it may set more columns than it names.
        by_caller: whether parts are not known because only the caller of the method knows them.
        is_empty: whether nothing of it is known.
        is_nonsense: whether it is no SQL: the name of a table is None, as in a base class that has none.
    """

    sql: str
    shown: str
    unknowns: tuple[Unknown, ...] = ()
    any_column: bool = False
    any_assignment: bool = False
    by_caller: bool = False
    is_empty: bool = False
    is_nonsense: bool = False


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


def render(text: Text) -> Rendered:
    """A text that can be read, and what it does not say."""
    holes = [part for part in text.parts if isinstance(part, Hole)]
    numbers = iter(range(len(holes)))
    raw = "".join(part if isinstance(part, str) else f"{_OPEN}{next(numbers)}{_CLOSE}" for part in text.parts)
    tokens = list(_TOKEN.finditer(raw))
    if not holes:
        return Rendered(raw, shown_on_one_line(raw))
    if not any(token.lastgroup not in ("hole", "comment") for token in tokens):
        return Rendered("", "", by_caller=all(hole.kind == "parameter" for hole in holes), is_empty=True)
    roles = dict(_roles(tokens, raw, holes))
    if any(
        holes[number].kind == "nothing" and role in ("table", "routine") for number, role in roles.items()
    ):
        return Rendered("", "", is_nonsense=True)
    return _filled(raw, tokens, holes, roles)


def shown_on_one_line(sql: str) -> str:
    """A text on one line, without comments."""
    shown: list[str] = []
    end = 0
    for token in _TOKEN.finditer(sql):
        if token.lastgroup == "comment":
            continue
        if shown and token.start() > end:
            shown.append(" ")
        shown.append(" ".join(token[0].split("\n")) if token.lastgroup == "string" else token[0])
        end = token.end()
    return "".join(shown).strip()


# -- roles -----------------------------------------------------------------------------------------------


def _roles(tokens: Sequence[re.Match[str]], raw: str, holes: Sequence[Hole]) -> Iterator[tuple[int, Role]]:
    """What stands in the place of each part that is not known."""
    scan = _Scan()
    for index, token in enumerate(tokens):
        kind = token.lastgroup
        if kind in ("comment", "string"):
            yield from ((number, "literal") for number in _numbers_in(token[0]))
            if kind == "comment":
                continue
        elif kind == "quoted":
            role: Role = "table" if _is_table(scan) else _role_of_name(scan.words)
            yield from ((number, role) for number in _numbers_in(token[0]))
        elif kind == "hole":
            number = _numbers_in(token[0])[0]
            following = tokens[index + 1] if index + 1 < len(tokens) else None
            yield number, _role(holes[number], token, following, raw, scan)
        _read(token, scan)


def _numbers_in(token: str) -> list[int]:
    return [int(number) for number in re.findall(f"{_OPEN}(\\d+){_CLOSE}", token)]


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
    if introducer in _TABLE_BEHIND:
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
    return last in _TABLE_BEHIND or is_listed


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


# -- what is put in their places -------------------------------------------------------------------------


def _filled(
    raw: str, tokens: Sequence[re.Match[str]], holes: Sequence[Hole], roles: dict[int, Role]
) -> Rendered:
    sql: list[str] = []
    shown: list[str] = []
    end = 0
    for match in re.finditer(f"{_OPEN}(\\d+){_CLOSE}", raw):
        number = int(match[1])
        role = roles.get(number, "condition")
        sql += [raw[end : match.start()], _stand_in(role, holes[number], match, raw)]
        label = "?" if role in ("literal", "value") else f"{{{holes[number].label}}}"
        label = "None" if holes[number].kind == "nothing" else label
        shown += [raw[end : match.start()], label]
        end = match.end()
    unknowns = [
        _unknown(role, holes[number], _word_before(tokens, number)) for number, role in sorted(roles.items())
    ]
    found = set(roles.values())
    told = [roles[number] not in ("literal", "value", "schema", "insert") for number in sorted(roles)]
    givers = [hole.kind == "parameter" for number, hole in enumerate(holes)]
    return Rendered(
        "".join([*sql, raw[end:]]),
        shown_on_one_line("".join([*shown, raw[end:]])),
        tuple(dict.fromkeys(unknown for unknown in unknowns if unknown is not None)),
        any_column=not found.isdisjoint({"columns", "order", "condition"}),
        any_assignment="assignments" in found or ("columns" in found and "SET" in raw.upper()),
        by_caller=any(is_told and given for is_told, given in zip(told, givers, strict=False)),
    )


def _word_before(tokens: Sequence[re.Match[str]], number: int) -> tuple[str, str]:
    """The two words before a part that is not known, in capitals."""
    for index, token in enumerate(tokens):
        if number in _numbers_in(token[0]):
            words = [each[0].upper() for each in tokens[:index] if each.lastgroup in ("word", "sign")]
            names = [each for each in words if each in _TABLE_BEHIND]
            return (names[-1] if names else "", names[-2] if len(names) > 1 else "")
    return ("", "")


def _unknown(role: Role, hole: Hole, words: tuple[str, str]) -> Unknown | None:
    hides: Hidden | None = None
    if hole.kind == "nothing":
        return None
    if role in ("columns", "condition", "function"):
        hides = "reads"
    elif role == "table":
        hides = "reads" if words[0] in _READ_BEHIND and words[1] != "DELETE" else "both"
    elif role in ("statement", "routine"):
        hides = "both"
    return Unknown(f"the part {{{hole.label}}} of the text", hides) if hides is not None else None


def _stand_in(role: Role, hole: Hole, match: re.Match[str], raw: str) -> str:
    """Something of the same kind, so that the text can be read."""
    if hole.kind == "nothing":
        return "None"
    if role == "literal":
        return "x"
    if role == "schema":
        return "x"
    if role == "function":
        return "COALESCE"
    if role in ("table", "routine"):
        return PLACEHOLDER
    before = raw[: match.start()].rstrip()
    after = raw[match.end() :].lstrip()
    next_word = (re.match(r"\w+|\W", after) or [""])[0].upper()
    if role == "assignments":
        return PLACEHOLDER if next_word == "=" else f"{PLACEHOLDER} = ?"
    if role in ("value", "insert"):
        return "?" if role == "value" else PLACEHOLDER
    if _is_part_of_name(match, raw):
        return PLACEHOLDER
    return _of_expression(role, before, next_word)


def _is_part_of_name(match: re.Match[str], raw: str) -> bool:
    before = raw[match.start() - 1] if match.start() else " "
    after = raw[match.end()] if match.end() < len(raw) else " "
    return before.isalnum() or before in '_.$#"[`' or after.isalnum() or after in '_.$#"]`'


def _of_expression(role: Role, before: str, next_word: str) -> str:
    last = (re.search(r"(\w+|\W)$", before) or [""])[0].upper()
    if last not in _EXPECTING:
        return " "
    if role in ("columns", "order"):
        return "1"
    return "NULL" if next_word in _OPERATING else "1 = 1"
