"""Spelling: names as the database has them, in descriptions that people will read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from wats_accel.sql.access import ANY, Access, Columns, name_of
from wats_accel.sql.facts import Facts, Hidden, Write
from wats_accel.sql.schema import FUNCTIONS_ONLY_READ, last_part
from wats_accel.sql.schema_description import TableDescription, Touches

_PLAIN = re.compile(r"[^\s\[\]\"`.,()*]+(?: +[^\s\[\]\"`.,()*]+)*")


def written(name: str) -> str:
    """A name as descriptions have it: in brackets or quotes if it would be taken for several."""
    if _PLAIN.fullmatch(name):
        return name
    return f"[{name}]" if "]" not in name and "[" not in name else f'"{name}"'


class Spelling:
    """Knows how the names of a database are spelled; others stay as they are compared.

    Args:
        tables: that are known, with their columns; named as `written` has it.
        others: more names, of views and routines.
    """

    def __init__(self, tables: Mapping[str, TableDescription], others: Iterable[str] = ()) -> None:
        self._names = {last_part(name): name for name in others}
        # Of another schema, a view or routine may be named as a table is.
        self._others = frozenset(self._names)
        self._columns: dict[str, dict[str, str]] = {}
        for name, table in tables.items():
            self._names[last_part(name)] = name
            self._columns[last_part(name)] = {name_of(column): column for column in table.columns or ()}

    def touches(self, facts: Facts) -> Touches:
        """What a text touches."""
        return Touches(
            reads=self.access(facts.reads),
            writes=self.writes(facts.writes),
            calls=tuple(sorted({self.name(call.name) for call in facts.calls})),
            reads_clock=facts.reads_clock,
            hides=hidden(facts),
        )

    def changes(self, facts: Facts, dialect: str) -> Touches:
        """What a text changes, as a trigger's does: nobody sees what else it touches."""
        functions_matter = dialect not in FUNCTIONS_ONLY_READ
        calls = {self.name(call.name) for call in facts.calls if functions_matter or call.kind == "procedure"}
        return Touches(
            writes=self.writes(facts.writes),
            calls=tuple(sorted(calls)),
            hides="writes" if hidden(facts) in ("writes", "both") else None,
        )

    def access(self, access: Access) -> tuple[str, ...]:
        """Tables and columns as descriptions have them."""
        return tuple(self._item(table, self._of_table(table, columns)) for table, columns in access.items)

    def writes(self, writes: Iterable[Write]) -> tuple[str, ...]:
        """What is written, as descriptions have it."""
        by_table: dict[str, list[Write]] = {}
        for write in writes:
            by_table.setdefault(write.table, []).append(write)
        return tuple(
            text for table, known in sorted(by_table.items()) for text in self._written(table, known)
        )

    def _written(self, table: str, writes: list[Write]) -> Iterator[str]:
        events = {write.event for write in writes}
        if "any" in events:
            yield self.name(table)
            return
        for event in sorted(events - {"update"}):
            yield f"{event} {self.name(table)}"
        if "update" in events:
            item = self._item(table, frozenset().union(*(w.columns for w in writes if w.event == "update")))
            yield f"update {item}" if item == self.name(table) else item

    def name(self, name: str) -> str:
        """One name."""
        return self._names.get(name_of(name)) or written(name)

    def _item(self, table: str, columns: Columns) -> str:
        if ANY in columns:
            return self.name(table)
        spelled = self._columns.get(table, {})
        return f"{self.name(table)}({', '.join(written(spelled.get(one, one)) for one in sorted(columns))})"

    def _of_table(self, table: str, columns: Columns) -> Columns:
        """Without those that a table is known not to have: they are variables, or another table's."""
        spelled = self._columns.get(table)
        if not spelled or ANY in columns or table in self._others:
            return columns
        return columns & spelled.keys()


def hidden(facts: Facts) -> Hidden | None:
    """What there may be more of than a text tells."""
    hides = {unknown.hides for unknown in facts.unknowns}
    if "both" in hides or hides >= {"reads", "writes"}:
        return "both"
    return next(iter(hides), None)


def reasons(facts: Facts) -> str:
    """Why there may be more, in words."""
    return ", ".join(dict.fromkeys(unknown.what for unknown in facts.unknowns))
