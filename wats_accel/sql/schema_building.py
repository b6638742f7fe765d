"""Building: from the description of a database to the schema that expands what statements do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain
from typing import TypeVar, cast

from wats_accel.sql.access import ANY, ANY_COLUMN, Access, Changes, Columns, Reads, access, name_of, union
from wats_accel.sql.facts import Event, Facts, Write
from wats_accel.sql.schema import (
    FUNCTIONS_ONLY_READ,
    ForeignKey,
    Routine,
    Schema,
    Table,
    Trigger,
    last_part,
    parts_of,
)
from wats_accel.sql.schema_description import (
    SchemaDescription,
    TableDescription,
    Touches,
    TriggerDescription,
    merged,
)
from wats_accel.sql.statement import facts_of

_Described = TypeVar("_Described")

_COLUMN = re.compile(r"""(?:\[[^\]]*\]|"[^"]*"|`[^`]*`|[^,\[\]"`])+""")
_WITH_EVENT = re.compile(r"(?P<event>insert|update|delete)\s+(?P<what>[^\s(].*)", re.IGNORECASE | re.DOTALL)
_WITH_COLUMNS = re.compile(r"^(?P<table>.*?)\s*\((?P<columns>[^()]*)\)$", re.DOTALL)


def schema_of(descriptions: Iterable[SchemaDescription]) -> Schema:
    """The schema that descriptions make together; later ones beat earlier ones."""
    return _Building(merged(descriptions)).schema()


class _Building:
    def __init__(self, described: SchemaDescription) -> None:
        self._described = described
        self._names = {
            last_part(name)
            for names in (described.tables, described.views, described.aliases)
            for name in names
        }
        self._tables = {name: _table(name, same) for name, same in _grouped(described.tables).items()}
        views = set(map(last_part, described.views))
        self._columns: dict[str, Columns] = {
            name: table.columns
            for name, table in self._tables.items()
            if table.columns is not None and name not in views
        }
        self._routines = _grouped(described.procedures)
        for name, same in _grouped(described.functions).items():
            self._routines.setdefault(name, []).extend(same)
        for name in map(last_part, described.pure_functions):
            self._routines.setdefault(name, [Touches()])

    def schema(self) -> Schema:
        described = self._described
        views = {name: self._whole(same) for name, same in _grouped(described.views).items()}
        aliases = _grouped(described.aliases)
        return Schema(
            tables=self._tables,
            foreign_keys=tuple(map(_folded, described.foreign_keys)),
            triggers=tuple(map(self._trigger, described.triggers)),
            views={name: view.reads for name, view in views.items()},
            routines=self._all_routines(),
            complete=described.complete,
            dialect=described.dialect,
            aliases={name: frozenset(map(last_part, chain(*same))) for name, same in aliases.items()},
            clock_views=frozenset(name for name, view in views.items() if view.reads_clock),
        )

    def _trigger(self, trigger: TriggerDescription) -> Trigger:
        whole = self._whole([trigger.touches])
        table, events = last_part(trigger.table), frozenset(trigger.events)
        return Trigger(table, trigger.name, events, whole.changes, whole.writes)

    def _all_routines(self) -> dict[str, Routine]:
        routines = {
            name: replace(self._whole(touches), name=name) for name, touches in self._routines.items()
        }
        if self._described.dialect in FUNCTIONS_ONLY_READ:
            for name in map(last_part, self._described.functions):
                routines[name] = replace(routines[name], changes=Changes(), writes=())
        return routines

    def _whole(self, touches: list[Touches]) -> Routine:
        """What is touched, with all that is called, directly or not."""
        parts = [self._own(known) for known in self._reached(touches)]
        return Routine(
            "",
            Reads(union(part.reads.access for part in parts), any(part.reads.unknown for part in parts)),
            Changes(
                union(part.changes.access for part in parts), any(part.changes.unknown for part in parts)
            ),
            any(part.reads_clock for part in parts),
            tuple(dict.fromkeys(chain(*(part.writes for part in parts)))),
        )

    def _reached(self, touches: list[Touches]) -> Iterator[Touches]:
        seen: set[str] = set()
        waiting = list(touches)
        while waiting:
            known = waiting.pop()
            yield known
            for name, if_not_described in self._calls(known).items():
                if name not in seen:
                    seen.add(name)
                    waiting += self._routines.get(name, [if_not_described])

    def _calls(self, touches: Touches) -> dict[str, Touches]:
        """What is called, by name, with what to think of it if nobody has described it."""
        calls = {last_part(name): _DOES_ANYTHING for name in touches.calls}
        for call in self._facts(touches).calls:
            only_reads = call.kind == "function" and self._described.dialect in FUNCTIONS_ONLY_READ
            calls.setdefault(last_part(call.name), _READS_ANYTHING if only_reads else _DOES_ANYTHING)
        return calls

    def _own(self, touches: Touches) -> Routine:
        facts = self._facts(touches)
        hides = {touches.hides, *(unknown.hides for unknown in facts.unknowns)}
        is_told = touches.reads is not None or bool(touches.sql)
        writes = (*self._writes(touches.writes), *facts.writes)
        changed = union(access({write.table: write.columns}) for write in writes)
        return Routine(
            "",
            Reads(
                self._access(touches.reads or ()) | facts.reads,
                not is_told or not hides.isdisjoint({"reads", "both"}),
            ),
            Changes(changed, not hides.isdisjoint({"writes", "both"})),
            touches.reads_clock or facts.reads_clock,
            writes,
        )

    def _facts(self, touches: Touches) -> Facts:
        if not touches.sql:
            return Facts()
        return facts_of(touches.sql, self._described.dialect, self._columns)

    def _access(self, texts: Iterable[str]) -> Access:
        tables: dict[str, set[str]] = {}
        for text in texts:
            for table, columns in self._meant(text):
                tables.setdefault(table, set()).update(columns)
        return access(tables)

    def _writes(self, texts: Iterable[str]) -> Iterator[Write]:
        """``insert Table``, ``delete Table``, ``Table(column)`` for an UPDATE, ``Table`` for any of them."""
        for text in texts:
            said = _WITH_EVENT.match(text)
            for table, columns in self._meant(said["what"] if said else text):
                names = frozenset({ANY}) if ANY in columns else frozenset(map(name_of, columns))
                event = said["event"].lower() if said else "any" if ANY in names else "update"
                yield Write(name_of(table), cast(Event, event), names if event == "update" else ANY_COLUMN)

    def _meant(self, text: str) -> Iterator[tuple[str, Iterable[str]]]:
        """``Table(a, b)``, ``Table``, ``Table.column``; of ``a.b`` with an unknown `a` both readings."""
        with_columns = _WITH_COLUMNS.match(text)
        if with_columns:
            written = _COLUMN.findall(with_columns["columns"])
            columns = [name for column in written for name in parts_of(column)[-1:]]
            yield (parts_of(with_columns["table"]) or [""])[-1], columns
            return
        parts = parts_of(text)
        if len(parts) < 2:
            yield (parts or [""])[0], {ANY}
            return
        owner, last = parts[-2:]
        if owner in self._names or last not in self._names:
            yield owner, {last}
        if owner not in self._names and last != ANY:
            yield last, {ANY}


_DOES_ANYTHING = Touches(reads=None, hides="both")
_READS_ANYTHING = Touches(reads=None)


def _grouped(described: Mapping[str, _Described]) -> dict[str, list[_Described]]:
    """By the last part of their names: two tables of that name, in two schemas, are one."""
    groups: dict[str, list[_Described]] = {}
    for name, known in described.items():
        groups.setdefault(last_part(name), []).append(known)
    return groups


def _table(name: str, same: list[TableDescription]) -> Table:
    known = [table.columns for table in same if table.columns is not None]
    columns = frozenset(map(name_of, chain(*known))) if len(known) == len(same) else None
    return Table(name, columns, frozenset(map(name_of, chain(*(table.computed for table in same)))))


def _folded(key: ForeignKey) -> ForeignKey:
    return replace(
        key,
        table=last_part(key.table),
        columns=tuple(map(name_of, key.columns)),
        parent=last_part(key.parent),
        parent_columns=tuple(map(name_of, key.parent_columns)),
    )
