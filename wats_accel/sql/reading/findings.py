"""Findings: what a reader has found out so far, gathered up until it becomes `Facts`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from wats_accel.sql.access import ANY, ANY_COLUMN, access, name_of
from wats_accel.sql.facts import Call, Event, Facts, Hidden, StatementKind, Unknown, Write
from wats_accel.sql.reading.lexer import Token

UNREADABLE: Final = "a part that cannot be read"
SESSION_STATE: Final = "the state of the session"


class Findings:
    """What one text does; statements add to it in their order.

    Attributes:
        temporary: names of temporary tables that the text has made.
        tables: every name that was taken for a table's, or for that of something which stands for one.
        columns: every name that was taken for a column's.
        targets: every name of what a statement changes, as it is written.
        queries: the tokens of its queries and changes, for who reads them in another way.
    """

    def __init__(self) -> None:
        self.kinds: list[StatementKind] = []
        self.reads: dict[str, set[str]] = {}
        self.writes: dict[tuple[str, Event], set[str]] = {}
        self.calls: set[Call] = set()
        self.reads_clock = False
        self.unknowns: dict[Unknown, None] = {}
        self.parsed = False
        self.temporary: set[str] = set()
        self.tables: set[str] = set()
        self.columns: set[str] = set()
        self.targets: set[str] = set()
        self.queries: list[list[Token]] = []

    def read(self, table: str, columns: Iterable[str] = ()) -> None:
        """Note that a table is read: its rows, and these columns."""
        self.reads.setdefault(table, set()).update(columns)

    def write(self, table: str, event: Event, columns: Iterable[str] = ANY_COLUMN) -> None:
        """Note that a table is changed."""
        self.writes.setdefault((table, event), set()).update(columns)

    def call(self, name: str, *, procedure: bool = False) -> None:
        """Note that a procedure or function of a user's own is called."""
        self.calls.add(Call(name_of(name), "procedure" if procedure else "function"))

    def unknown(self, what: str, hides: Hidden) -> None:
        """Note that something cannot be told."""
        self.unknowns[Unknown(what, hides)] = None

    def include(self, other: Findings) -> None:
        """Add what another reader has found."""
        for table, columns in other.reads.items():
            self.read(table, columns)
        for (table, event), columns in other.writes.items():
            self.write(table, event, columns)
        self.calls |= other.calls
        self.reads_clock = self.reads_clock or other.reads_clock
        self.unknowns.update(other.unknowns)
        self.queries += other.queries
        for mine, others in (
            (self.tables, other.tables),
            (self.columns, other.columns),
            (self.targets, other.targets),
        ):
            mine |= others

    def facts(self) -> Facts:
        """All of it."""
        writes = tuple(
            Write(table, event, ANY_COLUMN if ANY in columns or event != "update" else frozenset(columns))
            for (table, event), columns in self.writes.items()
        )
        return Facts(
            kinds=tuple(self.kinds),
            reads=access(self.reads),
            writes=writes,
            calls=frozenset(self.calls),
            reads_clock=self.reads_clock,
            unknowns=tuple(self.unknowns),
            parsed=self.parsed,
        )
