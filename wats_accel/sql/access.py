"""Access: tables and columns, and whether what one statement changes concerns what another has read.

Names are compared by their last part and without regard to case: ``[dbo].[Users]``, ``users`` and
``"Users"`` are one table. Where a database tells them apart, more is taken for concerned than is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

ANY: Final = "*"
"""In a set of columns: any column of the table, those that nobody has named among them."""

Columns = frozenset[str]
"""Names of columns, casefolded. Empty: the rows as such, as in ``SELECT COUNT(*)``."""

ANY_COLUMN: Final[Columns] = frozenset({ANY})
NO_COLUMN: Final[Columns] = frozenset()


def name_of(text: str) -> str:
    """A table's or column's name as it is compared: casefolded."""
    return text.casefold()


@dataclass(frozen=True, slots=True)
class Access:
    """Tables, each with the columns that are used of it. Made by `access`; equal ones hash alike."""

    items: tuple[tuple[str, Columns], ...] = ()

    def __iter__(self) -> Iterator[str]:
        return (table for table, _ in self.items)

    def __contains__(self, table: object) -> bool:
        return any(known == table for known, _ in self.items)

    def __bool__(self) -> bool:
        return bool(self.items)

    def columns(self, table: str) -> Columns:
        """The columns of a table that are used; none if the table is not."""
        return dict(self.items).get(table, NO_COLUMN)

    def __or__(self, other: Access) -> Access:
        return union((self, other))

    def __str__(self) -> str:
        return ", ".join(_text(table, columns) for table, columns in self.items)


NOTHING: Final = Access()


def access(tables: Mapping[str, Iterable[str]]) -> Access:
    """Make an `Access`: names are casefolded, and a table with `ANY` needs no other column."""
    folded: dict[str, set[str]] = {}
    for table, columns in tables.items():
        folded.setdefault(name_of(table), set()).update(map(name_of, columns))
    return Access(
        tuple(
            (table, ANY_COLUMN if ANY in known else frozenset(known))
            for table, known in sorted(folded.items())
        )
    )


def union(parts: Iterable[Access]) -> Access:
    """All tables and columns of several."""
    joined: dict[str, set[str]] = {}
    for part in parts:
        for table, columns in part.items:
            joined.setdefault(table, set()).update(columns)
    return access(joined)


def _text(table: str, columns: Columns) -> str:
    return f"{table}({', '.join(sorted(columns))})"


@dataclass(frozen=True, slots=True)
class Reads:
    """What an answer was made from.

    Attributes:
        access: tables and columns.
        unknown: whether there may be more, which nobody can tell. Then nothing is sure to cover it.
    """

    access: Access = NOTHING
    unknown: bool = False

    def __or__(self, other: Reads) -> Reads:
        return Reads(self.access | other.access, self.unknown or other.unknown)


@dataclass(frozen=True, slots=True)
class Changes:
    """What a write has changed.

    Attributes:
        access: tables and columns; `ANY` where rows came or went.
        unknown: whether there may be more. Then it concerns everything.
    """

    access: Access = NOTHING
    unknown: bool = False

    def __or__(self, other: Changes) -> Changes:
        return Changes(self.access | other.access, self.unknown or other.unknown)

    def __bool__(self) -> bool:
        return self.unknown or bool(self.access)

    def concern(self, reads: Reads) -> bool:
        """Whether an answer that was made from `reads` may be another one now."""
        return self.unknown or any(
            _meets(columns, table, reads.access) for table, columns in self.access.items
        )

    def meeting(self, reads: Reads) -> Access:
        """The tables and columns by which it concerns `reads`, as the write names them."""
        return Access(
            tuple(
                (table, columns)
                for table, columns in self.access.items
                if _meets(columns, table, reads.access)
            )
        )


def _meets(changed: Columns, table: str, read: Access) -> bool:
    if table not in read:
        return False
    used = read.columns(table)
    return ANY in changed or bool(changed & used) or (ANY in used and bool(changed))
