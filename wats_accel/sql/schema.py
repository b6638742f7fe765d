"""The schema: what a database adds to a text: cascades, triggers, views, procedures, computed columns."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from wats_accel.sql.access import Changes, Columns, Reads, name_of
from wats_accel.sql.expansion import ExpandedReads, ExpandedWrites, writes_of
from wats_accel.sql.facts import Call, Facts, Write

OnDelete = Literal["no action", "cascade", "set null", "set default"]

MAX_REMEMBERED: Final = 4096
"""So many effects a schema remembers before it begins anew."""

_PART: Final = re.compile(r'\[([^\]]*)\]|"([^"]*)"|`([^`]*)`|([^.\[\]"`]+)')
# No function of these can change a table of the database: SQL Server forbids it, and SQLite has only those
# that the application itself has written in Python. Of the others, unless told, any may.
FUNCTIONS_ONLY_READ: Final = frozenset({"tsql", "sqlite"})


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A reference of one table to another. Names as `access` spells them.

    Attributes:
        parent_columns: none if they are not known: then any update of the parent may be one of its key.
    """

    table: str
    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]
    on_delete: OnDelete = "no action"
    on_update: OnDelete = "no action"


@dataclass(frozen=True, slots=True)
class Trigger:
    """What a trigger of a table or view does besides; `changes.unknown` if nobody has said.

    Attributes:
        writes: what makes up `changes`, event by event; empty if only the tables and columns are known.
    """

    table: str
    name: str
    events: frozenset[str]  # insert, update, delete
    changes: Changes
    writes: tuple[Write, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """A table. `columns` is None if they are not known; `computed` are those that any UPDATE may change."""

    name: str
    columns: Columns | None = None
    computed: Columns = frozenset()


@dataclass(frozen=True, slots=True)
class Routine:
    """A procedure or function: what it reads and changes. `writes` as of a `Trigger`."""

    name: str
    reads: Reads
    changes: Changes
    reads_clock: bool = False
    writes: tuple[Write, ...] = ()


@dataclass(frozen=True, slots=True)
class Effect:
    """What executing a text really does, as far as facts and schema tell."""

    reads: Reads
    changes: Changes
    reads_clock: bool = False


@dataclass(frozen=True, slots=True)
class Schema:
    """What is known of one database; empty if nothing is.

    Attributes:
        tables: by name.
        foreign_keys: all of them; those that neither cascade nor set anything do no harm.
        triggers: of tables and of views.
        views: what reading a view reads. A name that is a table, too, reads this besides itself, as a table
            does whose rows a policy filters by others.
        routines: procedures and functions, by name.
        complete: whether there are no tables, views and triggers but these, as far as who wrote it could see.
        dialect: one of `statement.DIALECTS`.
        aliases: names that stand for tables, column by column: a synonym, or a table whose rows are held by
            its partitions. A name that is a table itself stands for itself besides.
        clock_views: the views whose rows depend on when they are read.
        columns: of the tables whose columns are known; the same mapping each time, as `facts_of` wants it.
    """

    tables: Mapping[str, Table] = field(default_factory=dict)
    foreign_keys: tuple[ForeignKey, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    views: Mapping[str, Reads] = field(default_factory=dict)
    routines: Mapping[str, Routine] = field(default_factory=dict)
    complete: bool = False
    dialect: str = ""
    aliases: Mapping[str, frozenset[str]] = field(default_factory=dict)
    clock_views: frozenset[str] = frozenset()
    columns: Mapping[str, Columns] = field(init=False, repr=False, compare=False)
    _remembered: dict[tuple[Facts, bool], Effect] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        known = {
            name: table.columns
            for name, table in self.tables.items()
            if table.columns is not None and name not in self.views  # it may have other columns
        }
        object.__setattr__(self, "columns", known)

    def __hash__(self) -> int:
        mappings = (self.tables, self.views, self.routines, self.aliases)
        return hash((*map(frozenset, mappings), self.foreign_keys, self.triggers, self.dialect))

    def __bool__(self) -> bool:
        return bool(self.tables or self.views or self.routines or self.aliases)

    def effect(self, facts: Facts, *, strict: bool = False) -> Effect:
        """What a statement does with this database, everything expanded. Remembered, bounded.

        Args:
            facts: of the text.
            strict: take names that the schema does not have for views and tables with triggers nobody
                knows: then reads of them are unknown, and writes to them concern everything. Otherwise
                they are plain tables.
        """
        key = (facts, strict)
        known = self._remembered.get(key)
        if known is None:
            known = _effect(self, facts, strict)
            if len(self._remembered) >= MAX_REMEMBERED:
                self._remembered.clear()
            self._remembered[key] = known
        return known

    def unknowns(self, facts: Facts, *, strict: bool = False) -> tuple[str, ...]:
        """Why the effect of a statement is unknown, as far as the database is what nobody knows; in words."""
        reading, writing = _expand(self, facts, strict)
        return tuple(dict.fromkeys((*reading.reasons, *writing.reasons)))

    def has(self, name: str) -> bool:
        """Whether a name is that of a table, a view or an alias of it."""
        return name in self.tables or name in self.views or name in self.aliases

    def reading(self, reads: Reads, *, strict: bool = False) -> Effect:
        """What reading tables and views reads, each view replaced by what it is made from."""
        expansion = ExpandedReads(self, strict)
        expansion.add(reads)
        return Effect(expansion.reads(), Changes(), expansion.reads_clock)

    def changing(self, writes: Iterable[Write], *, strict: bool = False) -> Changes:
        """What is changed by writes, and by the cascades and triggers that follow from them."""
        expansion = ExpandedWrites(self, strict)
        expansion.add(writes)
        return expansion.changes()


def _effect(schema: Schema, facts: Facts, strict: bool) -> Effect:
    reading, writing = _expand(schema, facts, strict)
    hidden = {unknown.hides for unknown in facts.unknowns}
    called = [_called(schema, call) for call in facts.calls]
    reads, changes = reading.reads(), writing.changes()
    return Effect(
        Reads(reads.access, reads.unknown or not hidden.isdisjoint({"reads", "both"})),
        Changes(changes.access, changes.unknown or not hidden.isdisjoint({"writes", "both"})),
        facts.reads_clock or reading.reads_clock or any(routine.reads_clock for routine in called),
    )


def _expand(schema: Schema, facts: Facts, strict: bool) -> tuple[ExpandedReads, ExpandedWrites]:
    reading, writing = ExpandedReads(schema, strict), ExpandedWrites(schema, strict)
    reading.add(Reads(facts.reads))
    writing.add(facts.writes)
    for call in sorted(facts.calls, key=lambda call: (call.name, call.kind)):
        routine = _called(schema, call)
        if last_part(call.name) in schema.routines:
            reads, changes = f"what {call.name} reads is not known", f"what {call.name} changes is not known"
        else:
            reads = changes = f"nobody has said what the {call.kind} {call.name} touches"
        reading.add(routine.reads, reads)
        writing.add(writes_of(routine))
        if routine.changes.unknown:
            writing.reasons.append(changes)
    return reading, writing


def _called(schema: Schema, call: Call) -> Routine:
    """The routine of a name; one that may do anything if the schema does not have it."""
    known = schema.routines.get(last_part(call.name))
    if known is not None:
        return known
    may_write = call.kind == "procedure" or schema.dialect not in FUNCTIONS_ONLY_READ
    return Routine(call.name, Reads(unknown=True), Changes(unknown=may_write))


def last_part(name: str) -> str:
    """A name as it is compared: without schema, quotes and brackets, casefolded."""
    return (parts_of(name) or [""])[-1]


def parts_of(name: str) -> list[str]:
    """The parts of a dotted name, each as it is compared; in quotes or brackets a dot is one of the name."""
    found = ("".join(match.groups(default="")).strip() for match in _PART.finditer(name))
    return [name_of(part) for part in found if part]
