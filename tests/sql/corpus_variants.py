"""The corpus written otherwise: what it does stays the same, or is what two texts do one after the other."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from random import Random
from types import MappingProxyType
from typing import Final

from corpus_cases import Case, cases
from truth import Truth

Variant = tuple[str, str, str, Truth]
"""A name, the text, its dialect and what it does."""

_QUOTED: Final = re.compile(
    r"'(?:[^'\\]|''|\\.)*'|\"[^\"]*\"|\[[^\]]*\]|`[^`]*`|\$(\w*)\$.*?\$\1\$|--[^\n]*|/\*.*\*/|#[^\n]*",
    re.DOTALL,
)
_BLANK: Final = re.compile(r"\s+")
_ENVIRONMENT: Final = re.compile(r"#|\bTEMP(ORARY)?\b|GO\n", re.IGNORECASE)
_FIRST: Final = re.compile(r"\s*(\{|sp_|dbo\.)", re.IGNORECASE)
"""What must be the first of its batch: procedures without EXEC, calls of ODBC."""
_ALONE: Final = re.compile(
    r"#|\btemp|\bdeclare\s+@\w+\s+table|^\s*(;|\(|with\b|\{|sp_|dbo\.)"
    r"|create\b.*\b(view|trigger|proc|function)",
    re.IGNORECASE | re.DOTALL,
)
"""What cannot stand behind another statement without a semicolon, and what another one may have filled."""

WRAPPERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "IF": "IF @x = 1 BEGIN\n{0}\nEND ELSE BEGIN\n{1}\nEND",
        "IF without ELSE": "IF @x > 0 AND @y IS NOT NULL\nBEGIN\n{0}\n{1}\nEND",
        "WHILE": "DECLARE @i int = 0\nWHILE @i < 3\nBEGIN\n{0}\nSET @i = @i + 1\n{1}\nEND",
        "TRY": "BEGIN TRY\nBEGIN TRAN\n{0}\nCOMMIT TRAN\nEND TRY\nBEGIN CATCH\nROLLBACK TRAN\n{1}\nEND CATCH",
        "SET and RETURN": "SET NOCOUNT ON\n{0}\nPRINT 'ok'\n{1}\nRETURN",
        "blocks in blocks": "BEGIN\n{0}\nBEGIN\nIF 1 = 1 BEGIN {1}\nEND END END",
    }
)


def _outside(text: str, change: Callable[[str], str]) -> str:
    """The text, changed where it is neither a literal nor a quoted name nor a comment."""
    made, end = "", 0
    for found in _QUOTED.finditer(text):
        made += change(text[end : found.start()]) + found[0]
        end = found.end()
    return made + change(text[end:])


def _commented(text: str) -> str:
    """A line's end stays one: it may end a comment."""
    return _outside(
        text,
        lambda part: _BLANK.sub(
            lambda found: f" /* FROM segredo s JOIN x */{found[0] if chr(10) in found[0] else ' '}", part
        ),
    )


def _in_lines(text: str) -> str:
    return _outside(text, lambda part: _BLANK.sub("\r\n-- it's (\r\n", part))


RESPELT: Final[Mapping[str, Callable[[str], str]]] = MappingProxyType(
    {
        "upper case": lambda text: _outside(text, str.upper),
        "lower case": lambda text: _outside(text, str.lower),
        "comments": _commented,
        "one word a line": _in_lines,
    }
)


def respelt(how: str) -> Iterator[tuple[Variant, Case]]:
    """Every case in another spelling."""
    for case in cases():
        if not case.broken and "GO\n" not in case.sql:
            yield (f"{case.name} in {how}", RESPELT[how](case.sql), case.dialect, case.truth), case


def joined(seed: int, partners: int) -> Iterator[Variant]:
    """Every case followed by others of its dialect, with a semicolon between them."""
    random = Random(seed)
    whole = _joinable(cases())
    for case in whole:
        others = [one for one in whole if one.dialect == case.dialect and not _FIRST.match(one.sql)]
        for other in random.sample(others, min(partners, len(others))):
            yield _together(case, other, case.sql.rstrip("; \n") + f"\n;\n{other.sql}")


def batches(seed: int, partners: int) -> Iterator[Variant]:
    """T-SQL as people write it: without semicolons, and inside of blocks."""
    random = Random(seed)
    alone = [case for case in _joinable(cases()) if case.dialect == "tsql" and not _ALONE.search(case.sql)]
    for case in alone:
        for other in random.sample(alone, partners):
            yield _together(case, other, f"{case.sql}\n{other.sql}")
            how = random.choice(list(WRAPPERS))
            name, _, dialect, truth = _together(case, other, "")
            yield f"{name}, in {how}", WRAPPERS[how].format(case.sql, other.sql), dialect, truth


def _joinable(found: tuple[Case, ...]) -> list[Case]:
    """Those that mean the same behind another one: what makes tables of the session is left out."""
    return [case for case in found if not case.broken and not _ENVIRONMENT.search(case.sql)]


def _together(case: Case, other: Case, sql: str) -> Variant:
    return f"{case.name} + {other.name}", sql, case.dialect, case.truth | other.truth
