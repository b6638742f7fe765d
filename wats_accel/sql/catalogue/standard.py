"""Any database: `information_schema`, or the catalogue functions of ODBC where there is none."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from wats_accel.sql.catalogue.rows import Catalogue, Row
from wats_accel.sql.catalogue.spelling import Spelling, reasons, written
from wats_accel.sql.catalogue.texts import columns_of, together
from wats_accel.sql.facts import Facts
from wats_accel.sql.schema import ForeignKey, OnDelete
from wats_accel.sql.schema_description import (
    SchemaDescription,
    TableDescription,
    Touches,
    TriggerDescription,
)
from wats_accel.sql.statement import facts_of

_OWN: Final = (
    "NOT IN ('information_schema', 'INFORMATION_SCHEMA', 'pg_catalog', 'mysql', 'performance_schema', 'sys')"
)
TABLES: Final = f"SELECT * FROM information_schema.tables WHERE table_schema {_OWN}"
COLUMNS: Final = f"SELECT * FROM information_schema.columns WHERE table_schema {_OWN}"
RULES: Final = f"SELECT * FROM information_schema.referential_constraints WHERE constraint_schema {_OWN}"
KEYS: Final = f"SELECT * FROM information_schema.key_column_usage WHERE constraint_schema {_OWN}"
TRIGGERS: Final = f"SELECT * FROM information_schema.triggers WHERE trigger_schema {_OWN}"
VIEWS: Final = f"SELECT * FROM information_schema.views WHERE table_schema {_OWN}"
ROUTINES: Final = f"SELECT * FROM information_schema.routines WHERE routine_schema {_OWN}"
QUERIES: Final = (TABLES, COLUMNS, RULES, KEYS, TRIGGERS, VIEWS, ROUTINES)

_ACTIONS: Mapping[object, OnDelete] = {
    "CASCADE": "cascade",
    "SET NULL": "set null",
    "SET DEFAULT": "set default",
    # What the catalogue function of ODBC gives instead of words.
    0: "cascade",
    2: "set null",
    4: "set default",
}
_NO_TRIGGER_KNOWN = "what triggers there are, and what they change"


def scan_standard(catalogue: Catalogue, dialect: str) -> SchemaDescription | None:
    """Describe a database by its `information_schema`; None if it has none."""
    tables = catalogue.rows_if_possible(TABLES)
    return _Scan(catalogue, dialect, tables).description() if tables is not None else None


class _Scan:
    def __init__(self, catalogue: Catalogue, dialect: str, tables: list[Row]) -> None:
        self._rows = catalogue.rows_if_possible
        self._dialect = dialect
        self._unknown: list[str] = []
        self._views = {row["table_name"] for row in tables if "VIEW" in str(row["table_type"]).upper()}
        own = [row["table_name"] for row in tables if "VIEW" not in str(row["table_type"]).upper()]
        self._tables = self._all_tables(set(own))
        self._spelling = Spelling(self._tables, map(written, self._views))
        self._columns = columns_of(self._tables, map(written, self._views))

    def description(self) -> SchemaDescription:
        triggers = self._rows(TRIGGERS)
        return SchemaDescription(
            dialect=self._dialect,
            complete=triggers is not None,
            tables=self._tables,
            foreign_keys=tuple(self._foreign_keys()),
            triggers=tuple(self._triggers(triggers)),
            views=self._touching("view", VIEWS, self._views, "table_name", "view_definition"),
            procedures=self._routines("PROCEDURE"),
            functions=self._routines("FUNCTION"),
            unknown=tuple(self._unknown),
        )

    def _all_tables(self, names: Iterable[str]) -> dict[str, TableDescription]:
        columns: dict[str, list[Row]] = defaultdict(list)
        for row in self._rows(COLUMNS) or ():
            columns[row["table_name"]].append(row)
        return {
            written(name): TableDescription(
                tuple(dict.fromkeys(str(row["column_name"]) for row in columns[name])) or None,
                tuple(dict.fromkeys(str(row["column_name"]) for row in columns[name] if _is_computed(row))),
            )
            for name in sorted(names)
        }

    def _foreign_keys(self) -> Iterator[ForeignKey]:
        rules, usage = self._rows(RULES), self._rows(KEYS)
        if rules is None or usage is None:
            self._unknown.append("what foreign keys do to the rows that refer to others")
            return
        pairs: dict[tuple[object, object], list[Row]] = defaultdict(list)
        for row in sorted(usage, key=lambda row: row["ordinal_position"]):
            pairs[row["constraint_schema"], row["constraint_name"]].append(row)
        for rule in rules:
            actions = _ACTIONS.get(rule["delete_rule"]), _ACTIONS.get(rule["update_rule"])
            child = pairs[rule["constraint_schema"], rule["constraint_name"]]
            parent = pairs[rule["unique_constraint_schema"], rule["unique_constraint_name"]]
            named = rule.get("referenced_table_name") or (parent[0]["table_name"] if parent else None)
            if child and named and any(actions):
                yield ForeignKey(
                    written(child[0]["table_name"]),
                    tuple(row["column_name"] for row in child),
                    written(named),
                    tuple(row["column_name"] for row in parent if row["table_name"] == named),
                    actions[0] or "no action",
                    actions[1] or "no action",
                )

    def _triggers(self, rows: list[Row] | None) -> Iterator[TriggerDescription]:
        if rows is None:
            self._unknown.append(_NO_TRIGGER_KNOWN)
            yield from unknown_triggers(self._tables)
            return
        for row in rows:
            table, name = written(row["event_object_table"]), str(row["trigger_name"])
            touches = Touches(hides="writes")
            if self._dialect == "mysql":  # of others, the text is a call, or of no known language
                facts = facts_of(_body(row["action_statement"]), self._dialect, self._columns)
                touches = self._spelling.changes(facts, self._dialect)
                sets_row = "NEW" in str(row["action_statement"]).upper() and row["action_timing"] == "BEFORE"
                touches = _with(touches, table) if sets_row else touches
            if touches.hides:
                self._unknown.append(f"trigger {name} of {table}: what it changes")
            yield TriggerDescription(table, name, touches, (str(row["event_manipulation"]).lower(),))

    def _routines(self, kind: str) -> dict[str, Touches]:
        rows = self._rows(ROUTINES) or ()
        known = [row for row in rows if str(row["routine_type"]).upper() == kind]
        names = {row["routine_name"] for row in known}
        return self._touching(kind.lower(), ROUTINES, names, "routine_name", "routine_definition")

    def _touching(self, what: str, query: str, names: set[str], name: str, text: str) -> dict[str, Touches]:
        found: dict[str, list[Touches]] = defaultdict(list)
        for row in self._rows(query) or ():
            if row[name] in names:
                found[row[name]].append(self._touches(f"{what} {row[name]}", row[text]))
        missing = {one: [self._touches(f"{what} {one}", None)] for one in sorted(names - found.keys())}
        return {written(one): together(parts) for one, parts in (found | missing).items()}

    def _touches(self, what: str, text: str | None) -> Touches:
        if not text:
            self._unknown.append(f"{what}: its text cannot be seen")
            return Touches(hides="both")
        facts: Facts = facts_of(_body(text), self._dialect, self._columns)
        if facts.unknowns:
            self._unknown.append(f"{what}: {reasons(facts)}")
        return self._spelling.touches(facts)


def _is_computed(row: Row) -> bool:
    extra = str(row.get("extra") or "").lower()
    return row.get("is_generated") in ("ALWAYS", "YES") or "generated" in extra or "on update" in extra


def _body(text: object) -> str:
    """The statements between BEGIN and END, if that is what a body is."""
    body = str(text).strip().rstrip(";")
    inner = body[5:-3] if body[:5].upper() == "BEGIN" and body[-3:].upper() == "END" else body
    return inner.strip()


def _with(touches: Touches, table: str) -> Touches:
    return together([touches, Touches(writes=(table,))])


def unknown_triggers(tables: Iterable[str]) -> Iterator[TriggerDescription]:
    """One for each table, of which nobody knows what it does."""
    for table in tables:
        yield TriggerDescription(table, "not known", Touches(hides="writes"))


def scan_odbc(catalogue: Catalogue, dialect: str) -> SchemaDescription:
    """Describe a database by the catalogue functions of its ODBC driver, which know no triggers."""
    kinds: dict[str, set[str]] = defaultdict(set)
    for row in _called(catalogue, lambda cursor: cursor.tables()):
        kinds[str(row["table_type"]).upper()].add(row["table_name"])
    names = sorted(kinds["TABLE"])
    tables = {written(name): _odbc_table(catalogue, name) for name in names}
    keys = tuple(key for name in names for key in _odbc_keys(catalogue, name))
    routines = sorted(
        {row["procedure_name"] for row in _called(catalogue, lambda cursor: cursor.procedures())}
    )
    views = sorted(kinds["VIEW"])
    return SchemaDescription(
        dialect=dialect,
        tables=tables,
        foreign_keys=keys,
        triggers=tuple(unknown_triggers(tables)),
        views={written(name): Touches(hides="reads") for name in views},
        procedures={written(name): Touches(None, hides="both") for name in routines},
        unknown=(
            _NO_TRIGGER_KNOWN,
            "which columns are computed",
            *(f"view {name}: what it is made from" for name in views),
            *(f"procedure {name}: what it touches" for name in routines),
        ),
    )


def _called(catalogue: Catalogue, call: Callable[[Any], Any]) -> list[Row]:
    """The rows that a catalogue function of pyodbc's cursor gives."""
    cursor = catalogue.connection.cursor()
    try:
        rows = call(cursor).fetchall()
        names = [str(column[0]).lower() for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in rows]
    finally:
        cursor.close()


def _odbc_table(catalogue: Catalogue, name: str) -> TableDescription:
    rows = _called(catalogue, lambda cursor: cursor.columns(table=name))
    own = [row["column_name"] for row in rows if row["table_name"] == name]  # the name is a pattern there
    return TableDescription(tuple(own) or None)


def _odbc_keys(catalogue: Catalogue, name: str) -> Iterator[ForeignKey]:
    keys: dict[object, list[Row]] = defaultdict(list)
    for row in _called(catalogue, lambda cursor: cursor.foreignKeys(foreignTable=name)):
        keys[row["fk_name"], row["pktable_name"]].append(row)
    for rows in keys.values():
        actions = _ACTIONS.get(rows[0]["delete_rule"]), _ACTIONS.get(rows[0]["update_rule"])
        if any(actions):
            yield ForeignKey(
                written(name),
                tuple(row["fkcolumn_name"] for row in rows),
                written(rows[0]["pktable_name"]),
                tuple(row["pkcolumn_name"] for row in rows),
                actions[0] or "no action",
                actions[1] or "no action",
            )
