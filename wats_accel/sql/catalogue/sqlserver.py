"""SQL Server: the sys views, and the texts that it keeps of views, triggers and routines.

Written from Microsoft's documentation of the catalogue views. ``SELECT *`` where a column is not there in
every version: what an older one does not have, it has no need of.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from wats_accel.sql.access import name_of
from wats_accel.sql.catalogue.definitions import body_of_routine, query_of_view
from wats_accel.sql.catalogue.rows import Catalogue, Row
from wats_accel.sql.catalogue.spelling import Spelling, reasons, written
from wats_accel.sql.catalogue.standard import unknown_triggers
from wats_accel.sql.catalogue.texts import columns_of, more_hidden, together
from wats_accel.sql.facts import Facts, Unknown
from wats_accel.sql.schema import ForeignKey, OnDelete, last_part, parts_of
from wats_accel.sql.schema_description import (
    SchemaDescription,
    TableDescription,
    Touches,
    TriggerDescription,
)
from wats_accel.sql.statement import facts_of

TABLES: Final = "SELECT * FROM sys.tables WHERE is_ms_shipped = 0 ORDER BY name"
COLUMNS: Final = """
    SELECT c.*
    FROM sys.columns AS c JOIN sys.tables AS t ON t.object_id = c.object_id
    WHERE t.is_ms_shipped = 0
    ORDER BY c.object_id, c.column_id"""
FOREIGN_KEYS: Final = """
    SELECT k.object_id, child.name AS child_table, parent.name AS parent_table,
        k.delete_referential_action, k.update_referential_action,
        child_column.name AS child_column, parent_column.name AS parent_column
    FROM sys.foreign_keys AS k
    JOIN sys.foreign_key_columns AS pair ON pair.constraint_object_id = k.object_id
    JOIN sys.tables AS child ON child.object_id = k.parent_object_id
    JOIN sys.tables AS parent ON parent.object_id = k.referenced_object_id
    JOIN sys.columns AS child_column ON child_column.object_id = pair.parent_object_id
        AND child_column.column_id = pair.parent_column_id
    JOIN sys.columns AS parent_column ON parent_column.object_id = pair.referenced_object_id
        AND parent_column.column_id = pair.referenced_column_id
    WHERE k.delete_referential_action <> 0 OR k.update_referential_action <> 0
    ORDER BY child.name, k.object_id, pair.constraint_column_id"""
# The definition of a module is NULL if it is encrypted, or if this login may not see it.
TRIGGERS: Final = """
    SELECT tr.object_id, tr.name, owner.name AS table_name, m.definition, e.type_desc AS event
    FROM sys.triggers AS tr
    JOIN sys.objects AS owner ON owner.object_id = tr.parent_id
    JOIN sys.trigger_events AS e ON e.object_id = tr.object_id
    LEFT JOIN sys.sql_modules AS m ON m.object_id = tr.object_id
    WHERE tr.parent_class = 1
    ORDER BY owner.name, tr.name, e.type"""
# Of the triggers that `wats-accel freshness-ddl` writes: they run a text that is made up, for nothing of use.
_OF_FRESHNESS: Final = "-- wats-accel freshness-ddl: "
VIEWS: Final = """
    SELECT v.object_id, v.name, m.definition
    FROM sys.views AS v LEFT JOIN sys.sql_modules AS m ON m.object_id = v.object_id
    WHERE v.is_ms_shipped = 0
    ORDER BY v.name"""
# P: procedure, FN, IF, TF: functions; PC, FS, FT: those in .NET.
ROUTINES: Final = """
    SELECT o.object_id, o.name, o.type, m.definition
    FROM sys.objects AS o LEFT JOIN sys.sql_modules AS m ON m.object_id = o.object_id
    WHERE o.is_ms_shipped = 0 AND o.type IN ('P', 'FN', 'IF', 'TF', 'PC', 'FS', 'FT')
    ORDER BY o.name"""
# What the database itself has noted of a module: a second opinion. Not of sequences, queues and types.
DEPENDENCIES: Final = """
    SELECT d.referencing_id, d.referenced_entity_name AS name
    FROM sys.sql_expression_dependencies AS d
    LEFT JOIN sys.objects AS o ON o.object_id = d.referenced_id
    WHERE d.referencing_class = 1 AND d.referenced_class = 1 AND d.referenced_entity_name NOT LIKE '#%'
        AND (o.type IS NULL OR o.type NOT IN ('SO', 'SQ', 'TT'))
    ORDER BY d.referencing_id, d.referenced_entity_name"""
SYNONYMS: Final = "SELECT name, base_object_name FROM sys.synonyms ORDER BY name"
PREDICATES: Final = """
    SELECT t.name, p.predicate_definition
    FROM sys.security_predicates AS p JOIN sys.tables AS t ON t.object_id = p.target_object_id
    WHERE p.predicate_type = 0
    ORDER BY t.name"""
QUERIES: Final = (
    TABLES,
    COLUMNS,
    FOREIGN_KEYS,
    TRIGGERS,
    VIEWS,
    ROUTINES,
    DEPENDENCIES,
    SYNONYMS,
    PREDICATES,
)

_ACTIONS: Mapping[int, OnDelete] = {1: "cascade", 2: "set null", 3: "set default"}
_ROW_VERSION = 189  # the type timestamp, alias rowversion
_PSEUDO_TABLES = frozenset({"inserted", "deleted"})
_HIDDEN = Facts(unknowns=(Unknown("its text cannot be seen", "both"),))


def scan_sqlserver(catalogue: Catalogue) -> SchemaDescription:
    """Describe the database of a connection to SQL Server."""
    return _Scan(catalogue).description()


class _Scan:
    def __init__(self, catalogue: Catalogue) -> None:
        self._rows = catalogue.rows
        self._unknown: list[str] = []
        self._table_rows = self._rows(TABLES)
        self._names = {row["object_id"]: written(row["name"]) for row in self._table_rows}
        self._tables = self._all_tables()
        self._view_rows, self._routine_rows = self._rows(VIEWS), self._rows(ROUTINES)
        others = [written(row["name"]) for row in (*self._view_rows, *self._routine_rows)]
        self._spelling = Spelling(self._tables, others)
        self._columns = columns_of(self._tables, (written(row["name"]) for row in self._view_rows))
        self._routine_names = {name_of(row["name"]) for row in self._routine_rows}
        self._depends: dict[object, list[str]] = defaultdict(list)
        for row in catalogue.rows_if_possible(DEPENDENCIES) or ():
            self._depends[row["referencing_id"]].append(row["name"])
        self._synonym_rows = self._rows(SYNONYMS)
        self._predicates = catalogue.rows_if_possible(PREDICATES) or []  # there since 2016

    def description(self) -> SchemaDescription:
        aliases, of_routines = self._synonyms()
        views: dict[str, Touches] = {}
        own = [(written(row["name"]), self._view(row)) for row in self._view_rows]
        own += [*self._policies(), *self._external_tables(), *self._elsewhere(), *self._computing()]
        for name, touches in own:
            views[name] = together([views[name], touches]) if name in views else touches
        return SchemaDescription(
            dialect="tsql",
            complete=True,
            tables=self._tables,
            foreign_keys=tuple(self._foreign_keys()),
            triggers=(*self._triggers(), *self._histories(), *unknown_triggers(dict(self._elsewhere()))),
            views=views,
            procedures={**self._routines("P", "PC"), **of_routines},
            functions=self._routines("FN", "IF", "TF", "FS", "FT"),
            aliases=aliases,
            unknown=tuple(self._unknown),
        )

    def _all_tables(self) -> dict[str, TableDescription]:
        columns: dict[str, list[str]] = {name: [] for name in self._names.values()}
        computed: dict[str, list[str]] = {name: [] for name in self._names.values()}
        for row in self._rows(COLUMNS):
            name = self._names[row["object_id"]]
            columns[name].append(row["name"])
            by_database = row["is_computed"] or row["system_type_id"] == _ROW_VERSION
            if by_database or row.get("generated_always_type"):
                computed[name].append(row["name"])
        return {
            name: TableDescription(tuple(dict.fromkeys(known)), tuple(dict.fromkeys(computed[name])))
            for name, known in columns.items()
        }

    def _foreign_keys(self) -> Iterator[ForeignKey]:
        keys: dict[object, list[Row]] = defaultdict(list)
        for row in self._rows(FOREIGN_KEYS):
            keys[row["object_id"]].append(row)
        for parts in keys.values():
            yield ForeignKey(
                written(parts[0]["child_table"]),
                tuple(row["child_column"] for row in parts),
                written(parts[0]["parent_table"]),
                tuple(row["parent_column"] for row in parts),
                _ACTIONS.get(parts[0]["delete_referential_action"], "no action"),
                _ACTIONS.get(parts[0]["update_referential_action"], "no action"),
            )

    def _triggers(self) -> Iterator[TriggerDescription]:
        several: dict[object, list[Row]] = defaultdict(list)
        for row in self._rows(TRIGGERS):
            several[row["object_id"]].append(row)
        for rows in several.values():
            if _OF_FRESHNESS in (rows[0]["definition"] or ""):
                continue
            facts = self._facts(rows[0], is_view=False)
            writes = tuple(write for write in facts.writes if write.table not in _PSEUDO_TABLES)
            touches = self._spelling.changes(replace(facts, writes=writes), "tsql")
            self._note(f"trigger {rows[0]['name']}", touches, facts)
            events = tuple(str(row["event"]).lower() for row in rows)
            yield TriggerDescription(written(rows[0]["table_name"]), rows[0]["name"], touches, events)

    def _histories(self) -> Iterator[TriggerDescription]:
        """A table with versions writes the old ones into another table."""
        for row in self._table_rows:
            history = self._names.get(row.get("history_table_id"))
            if history is not None:
                touches = Touches(writes=(history,))
                table = written(row["name"])
                yield TriggerDescription(table, "system versioning", touches, ("update", "delete"))

    def _view(self, row: Row) -> Touches:
        facts = self._facts(row, is_view=True)
        touches = self._spelling.touches(facts)
        self._note(f"view {row['name']}", touches, facts)
        return touches

    def _routines(self, *types: str) -> dict[str, Touches]:
        several: dict[str, list[Touches]] = defaultdict(list)
        for row in self._routine_rows:
            if str(row["type"]).strip() in types:
                facts = self._facts(row, is_view=False)
                touches = self._spelling.touches(facts)
                self._note(row["name"], touches, facts)
                several[written(row["name"])].append(touches)
        return {name: together(parts) for name, parts in several.items()}

    def _facts(self, row: Row, *, is_view: bool) -> Facts:
        if row["definition"] is None:
            return _HIDDEN
        text = row["definition"]
        body = query_of_view(text, "tsql") if is_view else body_of_routine(text)
        facts = facts_of(body, "tsql", self._columns)
        missing = [name for name in self._depends[row["object_id"]] if not self._is_mentioned(name, facts)]
        if not missing:
            return facts
        told = Unknown(f"it depends on {', '.join(missing)}, and its text does not tell how", "both")
        return replace(facts, unknowns=(*facts.unknowns, told))

    def _is_mentioned(self, name: str, facts: Facts) -> bool:
        folded = name_of(name)
        calls = {last_part(call.name) for call in facts.calls}
        return (
            folded in facts.reads or folded in calls or any(write.table == folded for write in facts.writes)
        )

    def _note(self, what: str, touches: Touches, facts: Facts) -> None:
        if touches.hides:
            self._unknown.append(f"{what}: {reasons(facts)}")

    def _synonyms(self) -> tuple[dict[str, tuple[str, ...]], dict[str, Touches]]:
        """Those that stand for tables and views; and those that stand for routines, which call them."""
        aliases: dict[str, tuple[str, ...]] = {}
        routines: dict[str, Touches] = {}
        for row in self._synonym_rows:
            base = last_part(row["base_object_name"])
            if base in self._routine_names:
                routines[written(row["name"])] = Touches(calls=(self._spelling.name(base),))
            elif not _is_elsewhere(row):
                aliases[written(row["name"])] = (self._spelling.name(base),)
        return aliases, routines

    def _computing(self) -> Iterator[tuple[str, Touches]]:
        """A computed column may call a function that reads other tables: then it is read with them."""
        for row in self._table_rows:
            calls = [name for name in self._depends[row["object_id"]] if name_of(name) in self._routine_names]
            if calls:
                yield written(row["name"]), Touches(calls=tuple(map(written, calls)))

    def _elsewhere(self) -> Iterator[tuple[str, Touches]]:
        """Synonyms for what is in other databases, of which nothing is known."""
        for row in self._synonym_rows:
            if _is_elsewhere(row):
                yield (
                    written(row["name"]),
                    Touches((written(last_part(row["base_object_name"])),), hides="reads"),
                )

    def _policies(self) -> Iterator[tuple[str, Touches]]:
        """Who may see which rows may depend on other tables: then the table is read with them."""
        for row in self._predicates:
            query = f"SELECT {row['predicate_definition']} FROM [{row['name']}]"
            facts = facts_of(query, "tsql", self._columns)
            touches = self._spelling.touches(facts)
            self._note(f"security policy of {row['name']}", touches, facts)
            yield written(row["name"]), replace(touches, hides=more_hidden([touches.hides, "reads"]))

    def _external_tables(self) -> Iterator[tuple[str, Touches]]:
        for row in self._table_rows:
            if row.get("is_external"):
                self._unknown.append(f"external table {row['name']}: its rows are elsewhere")
                yield written(row["name"]), Touches(hides="reads")


def _is_elsewhere(synonym: Row) -> bool:
    return len(parts_of(synonym["base_object_name"])) > 2
