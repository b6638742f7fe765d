"""Rendering: texts of SQL of which parts are not known, as texts that can be read; what those parts hide."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from wats_accel.sql.facts import Hidden, Unknown
from wats_accel.sql.source.roles import CLOSE, OPEN, TABLE_BEHIND, TOKEN, Role, numbers_in, roles_of
from wats_accel.sql.source.values import Hole, Text

PLACEHOLDER: Final = "unknown_part"
"""Stands in a text for names that are not known."""
_READ_BEHIND: Final = frozenset({"FROM", "JOIN", "USING", "APPLY", "ONLY", ","})
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


def render(text: Text) -> Rendered:
    """A text that can be read, and what it does not say."""
    holes = [part for part in text.parts if isinstance(part, Hole)]
    numbers = iter(range(len(holes)))
    raw = "".join(part if isinstance(part, str) else f"{OPEN}{next(numbers)}{CLOSE}" for part in text.parts)
    tokens = list(TOKEN.finditer(raw))
    if not holes:
        return Rendered(raw, shown_on_one_line(raw))
    if not any(token.lastgroup not in ("hole", "comment") for token in tokens):
        return Rendered("", "", by_caller=all(hole.kind == "parameter" for hole in holes), is_empty=True)
    roles = dict(roles_of(tokens, raw, holes))
    if any(
        holes[number].kind == "nothing" and role in ("table", "routine") for number, role in roles.items()
    ):
        return Rendered("", "", is_nonsense=True)
    return _filled(raw, tokens, holes, roles)


def shown_on_one_line(sql: str) -> str:
    """A text on one line, without comments."""
    shown: list[str] = []
    end = 0
    for token in TOKEN.finditer(sql):
        if token.lastgroup == "comment":
            continue
        if shown and token.start() > end:
            shown.append(" ")
        shown.append(" ".join(token[0].split("\n")) if token.lastgroup == "string" else token[0])
        end = token.end()
    return "".join(shown).strip()


# -- what is put in their places -------------------------------------------------------------------------


def _filled(
    raw: str, tokens: Sequence[re.Match[str]], holes: Sequence[Hole], roles: dict[int, Role]
) -> Rendered:
    sql: list[str] = []
    shown: list[str] = []
    end = 0
    for match in re.finditer(f"{OPEN}(\\d+){CLOSE}", raw):
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
        if number in numbers_in(token[0]):
            words = [each[0].upper() for each in tokens[:index] if each.lastgroup in ("word", "sign")]
            names = [each for each in words if each in TABLE_BEHIND]
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
