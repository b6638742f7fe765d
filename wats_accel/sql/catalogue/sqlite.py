"""SQLite: its schema table, its pragmas, and the texts that it keeps of views and triggers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from wats_accel.sql.access import Columns, name_of
from wats_accel.sql.catalogue.definitions import query_of_view, trigger_text
from wats_accel.sql.catalogue.rows import Catalogue, Row
from wats_accel.sql.catalogue.spelling import Spelling, reasons, written
from wats_accel.sql.schema import ForeignKey, OnDelete
from wats_accel.sql.schema_description import (
    SchemaDescription,
    TableDescription,
    Touches,
    TriggerDescription,
)
from wats_accel.sql.statement import facts_of

_OBJECTS = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name"
_VIRTUAL = re.compile(r"\s*CREATE\s+VIRTUAL\s+TABLE\b.*?\bUSING\s+(\w+)", re.IGNORECASE | re.DOTALL)
_CONTENT = re.compile(r"\bcontent\s*=\s*(?:'([^']*)'|\"([^\"]*)\"|(\w*))", re.IGNORECASE)
_REPLACING = re.compile(r"\bON\s+CONFLICT\s+REPLACE\b", re.IGNORECASE)
_GENERATED = (2, 3)  # what table_xinfo says of virtual and stored ones
_ACTIONS: Mapping[str, OnDelete] = {
    "CASCADE": "cascade",
    "SET NULL": "set null",
    "SET DEFAULT": "set default",
}
# They keep their rows themselves, in tables beside them.
_OWN_ROWS = ("fts3", "fts4", "fts5", "rtree", "rtree_i32", "geopoly")


def scan_sqlite(catalogue: Catalogue) -> SchemaDescription:
    """Describe the main database of a connection to SQLite."""
    return _Scan(catalogue).description()


@dataclass
class _Scan:
    catalogue: Catalogue
    unknown: list[str] = field(default_factory=list)

    def description(self) -> SchemaDescription:
        objects = self.catalogue.rows(_OBJECTS)
        named = {
            kind: [one for one in objects if one["type"] == kind] for kind in ("table", "view", "trigger")
        }
        plain = [one for one in named["table"] if not str(one["name"]).startswith("sqlite_")]
        tables = {written(one["name"]): self._table(one["name"]) for one in plain}
        self._spelling = Spelling(tables, (written(one["name"]) for one in named["view"]))
        self._columns: dict[str, Columns] = {
            name_of(name): frozenset(map(name_of, table.columns or ())) for name, table in tables.items()
        }
        return SchemaDescription(
            dialect="sqlite",
            complete=True,
            tables=tables,
            foreign_keys=tuple(key for one in plain for key in self._foreign_keys(one["name"])),
            triggers=(*map(self._trigger, named["trigger"]), *self._replacing(plain)),
            views={
                **{written(one["name"]): self._view(one) for one in named["view"]},
                **dict(self._virtual(plain)),
            },
            unknown=tuple(self.unknown),
        )

    def _table(self, name: str) -> TableDescription:
        rows = self.catalogue.rows_if_possible(f"PRAGMA table_xinfo({_quoted(name)})")
        if not rows:  # a virtual table whose module is not loaded here
            self.unknown.append(f"table {name}: its columns")
            return TableDescription()
        return TableDescription(
            tuple(row["name"] for row in rows),
            tuple(row["name"] for row in rows if row["hidden"] in _GENERATED),
        )

    def _foreign_keys(self, name: str) -> Iterator[ForeignKey]:
        rows = self.catalogue.rows_if_possible(f"PRAGMA foreign_key_list({_quoted(name)})") or []
        for number in sorted({row["id"] for row in rows}):
            parts = sorted((row for row in rows if row["id"] == number), key=lambda row: row["seq"])
            on_delete, on_update = _action(parts[0]["on_delete"]), _action(parts[0]["on_update"])
            if (on_delete, on_update) != ("no action", "no action"):
                parent = str(parts[0]["table"])
                yield ForeignKey(
                    written(name),
                    tuple(row["from"] for row in parts),
                    written(parent),
                    tuple(row["to"] for row in parts if row["to"] is not None) or self._key_of(parent),
                    on_delete,
                    on_update,
                )

    def _key_of(self, table: str) -> tuple[str, ...]:
        rows = self.catalogue.rows(f"PRAGMA table_info({_quoted(table)})")
        return tuple(row["name"] for row in sorted(rows, key=lambda row: row["pk"]) if row["pk"])

    def _view(self, view: Row) -> Touches:
        facts = facts_of(query_of_view(view["sql"], "sqlite"), "sqlite", self._columns)
        if facts.unknowns:
            self.unknown.append(f"view {view['name']}: {reasons(facts)}")
        return self._spelling.touches(facts)

    def _trigger(self, trigger: Row) -> TriggerDescription:
        text = trigger_text(trigger["sql"])
        table, name = written(trigger["tbl_name"]), trigger["name"]
        if text is None:
            self.unknown.append(f"trigger {name}: its text cannot be read")
            return TriggerDescription(table, name, Touches(hides="writes"))
        facts = facts_of(text.body, "sqlite", self._columns)
        touches = self._spelling.changes(facts, "sqlite")
        if touches.hides:
            self.unknown.append(f"trigger {name}: {reasons(facts)}")
        return TriggerDescription(table, name, touches, text.events)

    def _replacing(self, tables: list[Row]) -> Iterator[TriggerDescription]:
        """Tables of which any write may delete rows, with all that follows: those that are in its way."""
        for table in tables:
            if _REPLACING.search(table["sql"] or ""):
                name = written(table["name"])
                yield TriggerDescription(
                    name, f"{name} ON CONFLICT REPLACE", Touches(writes=(name,)), ("insert", "update")
                )

    def _virtual(self, tables: list[Row]) -> Iterator[tuple[str, Touches]]:
        """Virtual tables whose rows come from elsewhere: those of another table, or nobody knows whose."""
        for table in tables:
            match = _VIRTUAL.match(table["sql"] or "")
            if match is None:
                continue
            content = _CONTENT.search(table["sql"])
            source = "".join(content.groups(default="")) if content else ""
            if match[1].lower() not in _OWN_ROWS:
                self.unknown.append(f"virtual table {table['name']}: where its rows come from")
                yield written(table["name"]), Touches(hides="reads")
            elif source:
                yield written(table["name"]), Touches((self._spelling.name(source),))


def _action(text: str) -> OnDelete:
    return _ACTIONS.get(text.upper(), "no action")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
