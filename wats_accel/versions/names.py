"""Names: tables as people and databases spell them, taken apart, compared, and written into SQL."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from wats_accel.errors import AccelError, shown
from wats_accel.records import record

_PART: Final = re.compile(
    r'\s*(?:\[(?P<bracket>(?:[^\]]|\]\])+)\]|"(?P<double>(?:[^"]|"")+)"|`(?P<back>(?:[^`]|``)+)`'
    r"|(?P<plain>[^.\[\]\"`]+))\s*(?:\.|\Z)"
)
_CLOSING: Final = {"bracket": "]", "double": '"', "back": "`"}
_LISTED: Final = re.compile(r'(?:\[(?:[^\]]|\]\])*\]|"[^"]*"|`[^`]*`|[^,])+')
MOST_PARTS: Final = 2
"""A schema and a name: triggers of another database cannot be made from here."""


class TableNameError(AccelError, ValueError):
    """A table's name cannot be read, or must not stand in a script."""


@record(frozen=True, slots=True)
class Part:
    """One part of a dotted name. `exact`: it stood in quotes, and so upper and lower case are as they are."""

    text: str
    exact: bool = False


@lru_cache(maxsize=4096)
def parts_of(name: str) -> tuple[Part, ...]:
    """The parts of a dotted name; in quotes or brackets a dot is one of it. Empty if it cannot be read."""
    parts: list[Part] = []
    place = len(name) if name.rstrip().endswith(".") else 0
    while place < len(name):
        found = _PART.match(name, place)
        kind = found and found.lastgroup
        if found is None or kind is None or not found[kind].strip():
            return ()
        closing = _CLOSING.get(kind)
        text = found[kind].replace(closing * 2, closing) if closing else found[kind].strip()
        parts.append(Part(text, exact=closing is not None))
        place = found.end()
    return tuple(parts)


def key(name: str) -> str:
    """A table's name as it is compared: without its schema, quotes and brackets, casefolded."""
    parts = parts_of(name)
    return (parts[-1].text if parts else name).casefold()


def written_parts(name: str) -> tuple[Part, ...]:
    """The parts of a table's name that is to stand in a script.

    Raises:
        TableNameError: it cannot be read, has too many parts, or characters that would end a line or a text.
    """
    parts = parts_of(name)
    if not parts or len(parts) > MOST_PARTS or not all(part.text.isprintable() for part in parts):
        raise TableNameError(f"{shown(name)!r} is not the name of a table, or of a schema and a table")
    return parts


def in_quotes(*parts: str) -> str:
    """A name as SQLite and PostgreSQL have it in quotes."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)


def in_brackets(*parts: str) -> str:
    """A name as SQL Server has it in brackets."""
    return ".".join("[" + part.replace("]", "]]") + "]" for part in parts)


def literal(text: str) -> str:
    """A text as SQL has it; without backslashes that mean anything, as all three have it by default."""
    return "'" + text.replace("'", "''") + "'"


def listed(names: str) -> list[str]:
    """Names out of a list with commas; a comma in quotes or brackets is part of a name."""
    return [name.strip() for name in _LISTED.findall(names) if name.strip()]
