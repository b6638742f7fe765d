"""PostgreSQL: pg_catalog, and the texts that it keeps of views, policies and routines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from wats_accel.sql.access import Access, access
from wats_accel.sql.catalogue import postgresql_queries as queries
from wats_accel.sql.catalogue.postgresql_routines import Routines
from wats_accel.sql.catalogue.rows import Catalogue, Row
from wats_accel.sql.catalogue.spelling import Spelling, reasons, written
from wats_accel.sql.catalogue.texts import columns_of, together
from wats_accel.sql.schema import ForeignKey, OnDelete
from wats_accel.sql.schema_description import (
    SchemaDescription,
    TableDescription,
    Touches,
    TriggerDescription,
)
from wats_accel.sql.statement import facts_of

_ACTIONS: Mapping[str, OnDelete] = {"c": "cascade", "n": "set null", "d": "set default"}
_BITS = {4: "insert", 8: "delete", 16: "update", 32: "delete"}  # of tgtype; 32: TRUNCATE
_BEFORE, _ROW = 2, 1
_RULE_EVENTS = {"2": "update", "3": "insert", "4": "delete"}


def scan_postgresql(catalogue: Catalogue) -> SchemaDescription:
    """Describe the database of a connection to PostgreSQL, with all its schemas but the system's own."""
    return _Scan(catalogue).description()


class _Scan:
    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._unknown: list[str] = []
        self._relations = {row["oid"]: row for row in catalogue.rows(queries.RELATIONS)}
        self._tables = self._all_tables()
        views = [written(row["relname"]) for row in self._relations.values() if row["relkind"] == "v"]
        self._spelling = Spelling(self._tables, views)
        self._columns = columns_of(self._tables)
        self._routines = Routines(catalogue, self._spelling, self._columns)

    def description(self) -> SchemaDescription:
        aliases = self._partitions()
        views = self._views()
        for name, touches in (*self._policies(), *self._foreign_tables(), *self._partition_keys()):
            views[name] = together([views[name], touches]) if name in views else touches
        return SchemaDescription(
            dialect="postgres",
            complete=True,
            tables=self._tables,
            foreign_keys=tuple(self._foreign_keys()),
            triggers=(*self._triggers(), *self._rules(), *self._hidden_calls()),
            views=views,
            procedures=self._routines.procedures(),
            functions=self._routines.functions(),
            pure_functions=self._routines.pure(),
            aliases=aliases,
            unknown=(*self._unknown, *self._routines.unknown),
        )

    def _rows(self, query: str, *relations: str) -> list[Row]:
        """The rows of a query whose columns `relations` name relations that are known: no temporary ones."""
        rows = self._catalogue.rows(query)
        return [row for row in rows if all(row[column] in self._relations for column in relations)]

    def _name(self, oid: object) -> str:
        return written(self._relations[oid]["relname"])

    def _all_tables(self) -> dict[str, TableDescription]:
        columns: dict[str, list[str]] = defaultdict(list)
        computed: dict[str, list[str]] = defaultdict(list)
        for row in self._relations.values():
            if row["relkind"] != "v":
                columns[written(row["relname"])] += []
        for row in self._rows(queries.COLUMNS, "attrelid"):
            name = self._name(row["attrelid"])
            if name in columns:  # of two schemas, it may be there twice
                columns[name] += [row["attname"]]
                computed[name] += [row["attname"]] if row["is_generated"] in (True, 1, "1", "t") else []
        return {
            name: TableDescription(tuple(dict.fromkeys(known)), tuple(dict.fromkeys(computed[name])))
            for name, known in columns.items()
        }

    def _foreign_keys(self) -> Iterator[ForeignKey]:
        keys: dict[object, list[Row]] = defaultdict(list)
        for row in self._rows(queries.FOREIGN_KEYS, "conrelid", "confrelid"):
            keys[row["oid"]].append(row)
        for parts in keys.values():
            yield ForeignKey(
                self._name(parts[0]["conrelid"]),
                tuple(row["child"] for row in parts),
                self._name(parts[0]["confrelid"]),
                tuple(row["parent"] for row in parts),
                _ACTIONS.get(_letter(parts[0]["confdeltype"]), "no action"),
                _ACTIONS.get(_letter(parts[0]["confupdtype"]), "no action"),
            )

    def _triggers(self) -> Iterator[TriggerDescription]:
        for row in self._rows(queries.TRIGGERS, "tgrelid"):
            kind = int(row["tgtype"])
            events = tuple(dict.fromkeys(name for bit, name in _BITS.items() if kind & bit))
            table = self._name(row["tgrelid"])
            may_set = bool(kind & _BEFORE and kind & _ROW and "update" in events)
            touches, why = self._routines.of_trigger(row["tgfoid"], table if may_set else None)
            if why:
                self._unknown.append(f"trigger {row['tgname']} of {table}: {why}")
            yield TriggerDescription(table, row["tgname"], touches, events)

    def _rules(self) -> Iterator[TriggerDescription]:
        for row in self._rows(queries.RULES, "ev_class"):
            table = self._name(row["ev_class"])
            self._unknown.append(f"rule {row['rulename']} of {table}: what it does instead")
            event = _RULE_EVENTS.get(_letter(row["ev_type"]))
            events = (event,) if event else ("insert", "update", "delete")
            yield TriggerDescription(table, row["rulename"], Touches(hides="writes"), events)

    def _hidden_calls(self) -> Iterator[TriggerDescription]:
        """A default may call a function that counts in another table: that is as good as a trigger."""
        calls: dict[str, list[str]] = defaultdict(list)
        for row in self._rows(queries.HIDDEN_CALLS, "relation"):
            calls[self._name(row["relation"])].append(written(row["proname"]))
        for table, names in sorted(calls.items()):
            touches = Touches(calls=tuple(dict.fromkeys(names)))
            yield TriggerDescription(table, "defaults and checks", touches, ("insert", "update"))

    def _views(self) -> dict[str, Touches]:
        parts: dict[object, list[Access]] = defaultdict(list)
        for row in self._rows(queries.PARTS_OF_VIEWS):
            columns = [row["attname"]] if row["attname"] is not None else []
            parts[row["ev_class"]].append(access({row["relname"]: columns}))
        views: dict[str, Touches] = {}
        for row in self._rows(queries.VIEWS, "oid"):
            name = self._name(row["oid"])
            touches = self._reading(f"view {name}", row["definition"], parts[row["oid"]])
            views[name] = together([views[name], touches]) if name in views else touches
        return views

    def _reading(self, what: str, query: str, parts: Iterable[Access] = ()) -> Touches:
        """What a query reads, by its text and by what the database notes of it."""
        facts = facts_of(query, "postgres", self._columns)
        for part in parts:
            facts = replace(facts, reads=facts.reads | part)
        if facts.unknowns:
            self._unknown.append(f"{what}: {reasons(facts)}")
        return self._spelling.touches(facts)

    def _policies(self) -> Iterator[tuple[str, Touches]]:
        """Who may see which rows may depend on other tables: then the table is read with them."""
        for row in self._rows(queries.POLICIES, "polrelid"):
            table = self._name(row["polrelid"])
            query = f"SELECT 1 FROM {_quoted(row['relname'])} WHERE {row['condition']}"
            yield table, self._reading(f"policy {row['polname']} of {table}", query)

    def _foreign_tables(self) -> Iterator[tuple[str, Touches]]:
        for row in self._relations.values():
            if row["relkind"] == "f":
                self._unknown.append(f"foreign table {row['relname']}: its rows are elsewhere")
                yield written(row["relname"]), Touches(hides="reads")

    def _partitions(self) -> dict[str, tuple[str, ...]]:
        """A table whose rows other tables hold stands for them, too."""
        self._parents: dict[object, list[object]] = defaultdict(list)
        children: dict[str, list[str]] = defaultdict(list)
        for row in self._rows(queries.INHERITANCE, "inhrelid", "inhparent"):
            self._parents[row["inhrelid"]].append(row["inhparent"])
            children[self._name(row["inhparent"])].append(self._name(row["inhrelid"]))
        return {name: tuple(dict.fromkeys(known)) for name, known in children.items()}

    def _partition_keys(self) -> Iterator[tuple[str, Touches]]:
        """An UPDATE of a key moves rows from one partition to another: who reads one reads the keys."""
        keys: dict[object, list[str | None]] = defaultdict(list)
        for row in self._rows(queries.PARTITION_KEYS):
            keys[row["partrelid"]].append(row["attname"])
        for child in self._parents:
            columns = [column for parent in self._ancestors(child) for column in keys.get(parent, ())]
            if columns:
                name = self._name(child)
                whole = Touches((name,)) if None in columns else self._columns_of(name, columns)
                yield name, whole

    def _columns_of(self, name: str, columns: Iterable[str | None]) -> Touches:
        return Touches((f"{name}({', '.join(sorted({written(str(column)) for column in columns}))})",))

    def _ancestors(self, child: object) -> Iterator[object]:
        for parent in self._parents.get(child, ()):
            yield parent
            yield from self._ancestors(parent)


def _letter(value: object) -> str:
    """PostgreSQL's type "char", which some drivers give as bytes, some as a number."""
    return value.decode() if isinstance(value, bytes) else str(value)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
