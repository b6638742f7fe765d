"""What a text of SQL really does, and where an analysis tells less or more than that."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from wats_accel.sql.access import ANY, NOTHING, Access, Columns, access, name_of
from wats_accel.sql.facts import Call, Facts, Hidden, Write


@dataclass(frozen=True, slots=True)
class Truth:
    """What a text does.

    Attributes:
        reads: tables and columns.
        writes: one for each table and event.
        calls: what it calls that the database's own users have made.
        clock: whether what it gives depends on when it runs.
        hides: what there is more of, which the text cannot tell.
    """

    reads: Access = NOTHING
    writes: tuple[Write, ...] = ()
    calls: frozenset[Call] = frozenset()
    clock: bool = False
    hides: Hidden | None = None

    def __or__(self, other: Truth) -> Truth:
        """What both do, one after the other."""
        hidden = {part for part in (self.hides, other.hides) if part is not None}
        return Truth(
            self.reads | other.reads,
            (*self.writes, *other.writes),
            self.calls | other.calls,
            self.clock or other.clock,
            _together(hidden),
        )


def _together(hidden: set[Hidden]) -> Hidden | None:
    if len(hidden) > 1:
        return "both"
    return next(iter(hidden), None)


def hides(facts: Facts, what: str) -> bool:
    """Whether an analysis says that there may be more reads, or writes, than it has found."""
    return any(unknown.hides in (what, "both") for unknown in facts.unknowns)


def hidden_by(facts: Facts) -> Hidden | None:
    """What an analysis says that there may be more of."""
    return _together({unknown.hides for unknown in facts.unknowns})


def narrower(facts: Facts, truth: Truth) -> list[str]:
    """All that is true and that the analysis does not tell; it must be empty."""
    told = []
    if not hides(facts, "reads"):
        told += _unread(facts.reads, without_rows_of(facts, truth.reads))
        told += ["the clock"] if truth.clock and not facts.reads_clock else []
    if not hides(facts, "writes"):
        told += [f"write {_text(write)}" for write in truth.writes if not _written(facts.writes, write)]
    if not (hides(facts, "reads") and hides(facts, "writes")):
        told += [f"call {call.kind} {call.name}" for call in sorted(truth.calls - facts.calls, key=str)]
    for what in ("reads", "writes"):
        if truth.hides in (what, "both") and not hides(facts, what):
            told.append(f"that there may be more {what}")
    return told


_EXCLUDED: Final = re.compile(r'\bexcluded["\]`]?\.(?:"([^"]*)"|\[([^\]]*)\]|`([^`]*)`|(\w+))', re.IGNORECASE)


def with_excluded(facts: Facts, sql: str) -> Facts:
    """The facts, and ``excluded.column`` as read: so say databases, though it is of the row to come."""
    columns = {name for found in _EXCLUDED.findall(sql) for name in found if name}
    tables = {write.table for write in facts.writes if write.event == "insert"}
    return replace(facts, reads=facts.reads | access(dict.fromkeys(tables, columns))) if columns else facts


def broader(facts: Facts, truth: Truth, allowed: Truth | None = None) -> list[str]:
    """All that the analysis tells beyond what is true, or allowed besides."""
    whole = truth if allowed is None else truth | allowed
    told = _unread(whole.reads, without_rows_of(facts, facts.reads))
    told += [f"write {_text(write)}" for write in facts.writes if not _written(whole.writes, write)]
    told += [f"call {call.kind} {call.name}" for call in sorted(facts.calls - whole.calls, key=str)]
    told += ["the clock"] if facts.reads_clock and not whole.clock else []
    return told + [
        f"that there may be more {what}"
        for what in ("reads", "writes")
        if hides(facts, what) and whole.hides not in (what, "both")
    ]


def without_rows_of(facts: Facts, reads: Access) -> Access:
    """What is read; but that a write looks at the rows it writes needs no mention."""
    written = {write.table for write in facts.writes}
    return Access(tuple((table, known) for table, known in reads.items if known or table not in written))


def _unread(found: Access, wanted: Access) -> list[str]:
    """What is in `wanted` and not in `found`."""
    told = []
    for table, columns in wanted.items:
        used = found.columns(table)
        if table not in found:
            told.append(f"read {table}({', '.join(sorted(columns))})")
        elif ANY not in used and columns - used:
            told.append(f"read {table}({', '.join(sorted(columns - used))})")
    return told


def _written(found: Iterable[Write], wanted: Write) -> bool:
    """Whether the write is among those that were found, perhaps in several parts."""
    columns: set[str] = set()
    for write in found:
        if write.table == wanted.table and write.event in (wanted.event, "any"):
            columns |= write.columns
    return bool(columns) and (ANY in columns or wanted.columns <= columns)


def _text(write: Write) -> str:
    return f"{write.event} {write.table}({', '.join(sorted(write.columns))})"


@dataclass(slots=True)
class Seen:
    """What a database reports, while it is reporting."""

    reads: dict[str, set[str]] = field(default_factory=dict)
    updates: dict[str, set[str]] = field(default_factory=dict)
    others: set[tuple[str, str]] = field(default_factory=set)

    def read(self, table: str, column: str) -> None:
        """A column was read; an empty one: nothing but rows."""
        self.reads.setdefault(name_of(table), set()).update({name_of(column)} - {""})

    def truth(self) -> Truth:
        """All that was reported."""
        return Truth(access(self.reads), tuple(self._writes()))

    def _writes(self) -> Iterator[Write]:
        for table, columns in self.updates.items():
            yield Write(name_of(table), "update", frozenset(map(name_of, columns)))
        for table, event in sorted(self.others):
            yield Write(name_of(table), "insert" if event == "insert" else "delete", frozenset({ANY}))


def breadth(reads: Access, columns: Mapping[str, Columns]) -> int:
    """How many columns are read; one for the rows as such, all of a table for any column."""
    return sum(
        max(1, len(columns.get(table, frozenset()) if ANY in used else used)) for table, used in reads.items
    )
