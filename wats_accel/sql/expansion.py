"""Expansion: from what a text names to what is read and changed in a database, as far as its schema tells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from wats_accel.sql.access import ANY, ANY_COLUMN, Access, Changes, Columns, Reads, union
from wats_accel.sql.facts import Event, Write

if TYPE_CHECKING:
    from wats_accel.sql.schema import ForeignKey, Routine, Schema, Trigger

_EVENTS: Final[Mapping[Event, frozenset[str]]] = {
    "insert": frozenset({"insert"}),
    "update": frozenset({"update"}),
    "delete": frozenset({"delete"}),
    "any": frozenset({"insert", "update", "delete"}),
}
_ROW_NUMBERS: Final = frozenset({"rowid", "_rowid_", "oid"})
"""Other names, in SQLite, of the column that is the primary key."""


class ExpandedReads:
    """Views replaced by what they are made from, and views in views.

    Args:
        schema: of the database.
        strict: whether there may be more behind a name that the schema does not have.

    Attributes:
        reasons: why more is read than is known.
        reads_clock: whether the rows of a view depend on when they are read.
    """

    def __init__(self, schema: Schema, strict: bool) -> None:
        self.reasons: list[str] = []
        self.reads_clock = False
        self._schema = schema
        self._strict = strict
        self._seen: set[tuple[str, Columns]] = set()
        self._tables: list[Access] = []

    def reads(self) -> Reads:
        """What is read, of all that was added."""
        return Reads(union(self._tables), bool(self.reasons))

    def add(self, reads: Reads, why_unknown: str = "unknown") -> None:
        """Take in what is named; `why_unknown` is the reason where that is not all."""
        if reads.unknown:
            self.reasons.append(why_unknown)
        waiting = list(reads.access.items)
        while waiting:
            item = waiting.pop()
            if item not in self._seen:
                self._seen.add(item)
                waiting += self._expanded(*item)

    def _expanded(self, name: str, columns: Columns) -> Iterator[tuple[str, Columns]]:
        schema = self._schema
        view = schema.views.get(name)
        aliases = schema.aliases.get(name, ())
        if name in schema.tables or (view is None and not aliases):
            self._tables.append(Access(((name, columns),)))
        if self._strict and not schema.has(name):
            self.reasons.append(f"the schema has no {name}")
        self.reads_clock |= name in schema.clock_views
        if view is not None:
            if view.unknown:
                self.reasons.append(f"what {name} is made from is not known")
            yield from view.access.items
        for alias in sorted(aliases):
            yield alias, columns


class ExpandedWrites:
    """Writes, and what follows from each: cascades, triggers, computed columns.

    Args:
        schema: of the database.
        strict: whether there may be more behind a name that the schema does not have.

    Attributes:
        reasons: why more is changed than is known.
    """

    def __init__(self, schema: Schema, strict: bool) -> None:
        self.reasons: list[str] = []
        self._schema = schema
        self._strict = strict
        self._seen: set[Write] = set()
        self._changed: list[Access] = []

    def changes(self) -> Changes:
        """What is changed, by all that was added."""
        return Changes(union(self._changed), bool(self.reasons))

    def add(self, writes: Iterable[Write]) -> None:
        """Take in writes, with all that follows from them."""
        waiting = list(writes)
        while waiting:
            write = waiting.pop()
            if write not in self._seen:  # triggers may write in circles
                self._seen.add(write)
                waiting += self._following(write)

    def _following(self, write: Write) -> Iterator[Write]:
        schema = self._schema
        yield from self._behind(write)
        if self._strict and not schema.has(write.table):
            self.reasons.append(f"the schema has no {write.table}")
        if write.table in schema.tables or not schema.has(write.table):
            columns = self._columns(write)
            self._changed.append(Access(((write.table, columns),)))
            yield from _cascades(schema.foreign_keys, write, columns)
        yield from self._triggered(write)

    def _behind(self, write: Write) -> Iterator[Write]:
        """The same with the tables that a view or another name stands for."""
        for alias in sorted(self._schema.aliases.get(write.table, ())):
            yield Write(alias, write.event, write.columns)
        view = self._schema.views.get(write.table)
        if view is not None and write.table not in self._schema.tables:
            if view.unknown:
                self.reasons.append(f"what {write.table} is made from is not known")
            for table in view.access:
                yield Write(table, write.event, ANY_COLUMN)

    def _columns(self, write: Write) -> Columns:
        if write.event != "update" or ANY in write.columns or not _ROW_NUMBERS.isdisjoint(write.columns):
            return ANY_COLUMN
        table = self._schema.tables.get(write.table)
        return write.columns | table.computed if table else write.columns

    def _triggered(self, write: Write) -> Iterator[Write]:
        for trigger in self._schema.triggers:
            if trigger.table == write.table and trigger.events & _EVENTS[write.event]:
                if trigger.changes.unknown:
                    self.reasons.append(
                        f"what the trigger {trigger.name} of {trigger.table} changes is not known"
                    )
                yield from writes_of(trigger)


def _cascades(keys: Iterable[ForeignKey], write: Write, columns: Columns) -> Iterator[Write]:
    """What the rows of other tables that refer to the changed ones suffer."""
    for key in keys:
        if key.parent != write.table:
            continue
        update = Write(key.table, "update", frozenset(key.columns) or ANY_COLUMN)
        if write.event in ("delete", "any") and key.on_delete != "no action":
            yield Write(key.table, "delete", ANY_COLUMN) if key.on_delete == "cascade" else update
        is_of_key = write.event in ("update", "any") and _meet(columns, key.parent_columns)
        if is_of_key and key.on_update != "no action":
            yield update


def _meet(columns: Columns, key: tuple[str, ...]) -> bool:
    return not key or ANY in columns or not columns.isdisjoint(key)


def writes_of(code: Trigger | Routine) -> Iterator[Write]:
    """The writes of the database's own code, or those that may be behind the changes that are known of it."""
    if code.writes:
        yield from code.writes
        return
    for table, columns in code.changes.access.items:
        yield Write(table, "any" if ANY in columns else "update", columns)
