"""Routines of PostgreSQL: what functions, procedures and the functions of triggers touch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from wats_accel.sql.access import Columns
from wats_accel.sql.catalogue import postgresql_queries as queries
from wats_accel.sql.catalogue.plpgsql import Body, body_of
from wats_accel.sql.catalogue.rows import Catalogue, Row
from wats_accel.sql.catalogue.spelling import Spelling, reasons, written
from wats_accel.sql.catalogue.texts import facts_of_all, together
from wats_accel.sql.facts import Facts, Unknown
from wats_accel.sql.schema_description import Touches

# The system's own, for triggers: they change the row that fires them, and nothing else.
_OF_THE_ROW = frozenset(
    {"tsvector_update_trigger", "tsvector_update_trigger_column", "suppress_redundant_updates_trigger"}
    | {"moddatetime", "set_current_timestamp", "autoinc", "insert_username"}
)
# Of extensions, as defaults have them: volatile, and all the same they write nothing.
_RANDOM = frozenset(
    {"uuid_generate_v1", "uuid_generate_v1mc", "uuid_generate_v4"}
    | {"gen_random_uuid", "gen_random_bytes", "gen_salt"}
)
_VOLATILE = "v"


class Routines:
    """The routines of a database.

    Args:
        catalogue: of it.
        spelling: of its tables.
        columns: of its tables.

    Attributes:
        unknown: what could not be found out of them.
    """

    def __init__(self, catalogue: Catalogue, spelling: Spelling, columns: Mapping[str, Columns]) -> None:
        rows = catalogue.rows_if_possible(queries.ROUTINES)
        self._own = catalogue.rows(queries.ROUTINES_BEFORE_14) if rows is None else rows
        self._of_triggers = {row["oid"]: row for row in catalogue.rows(queries.TRIGGER_FUNCTIONS_OF_SYSTEM)}
        self._of_extensions = catalogue.rows(queries.FUNCTIONS_OF_EXTENSIONS)
        self._spelling = spelling
        self._columns = columns
        self.unknown: list[str] = []

    def procedures(self) -> dict[str, Touches]:
        """What procedures touch."""
        return self._touching(row for row in self._own if row["prokind"] == "p")

    def functions(self) -> dict[str, Touches]:
        """What functions touch, but for those of triggers, which nobody calls."""
        own = self._touching(row for row in self._own if row["prokind"] == "f" and not row["is_trigger"])
        # They may read by themselves, and write nothing.
        stable = {
            written(row["proname"])
            for row in self._of_extensions
            if row["volatility"] == 1 or row["proname"] in _RANDOM
        }
        return {name: Touches(hides="reads") for name in sorted(stable - own.keys())} | own

    def pure(self) -> tuple[str, ...]:
        """The functions of extensions whose answer depends on their arguments alone."""
        own = {row["proname"] for row in self._own}
        return tuple(
            written(row["proname"])
            for row in self._of_extensions
            if row["volatility"] == 0 and row["proname"] not in own
        )

    def of_trigger(self, function: object, table: str | None) -> tuple[Touches, str]:
        """What the function of a trigger changes, and why there may be more.

        Args:
            function: its oid.
            table: the table whose row it may change before it is written; None if it cannot.
        """
        row = self._of_triggers.get(function)
        if row is None:
            return Touches(hides="writes"), "its function cannot be seen"
        if row["proname"] in _OF_THE_ROW and row["lanname"] in ("internal", "c"):
            return Touches(writes=(table,) if table else ()), ""
        if row["lanname"] != "plpgsql":
            return Touches(hides="writes"), f"its function is written in {row['lanname']}"
        body = body_of(row["prosrc"])
        facts = self._facts_of_body(body)
        touches = self._spelling.changes(facts, "postgres")
        if table and body.sets_new:
            touches = replace(touches, writes=(*touches.writes, _row(table, body.sets_new)))
        return touches, reasons(facts) if touches.hides else ""

    def _touching(self, rows: Iterable[Row]) -> dict[str, Touches]:
        several: dict[str, list[Touches]] = defaultdict(list)
        for row in rows:
            several[written(row["proname"])].append(self._touches(row))
        return {name: together(parts) for name, parts in several.items()}

    def _touches(self, row: Row) -> Touches:
        facts = self._facts(row)
        touches = self._spelling.touches(facts)
        if row["prokind"] == "f" and row["provolatile"] != _VOLATILE:
            # The database lets it write nothing itself.
            touches = replace(touches, writes=(), hides="reads" if touches.hides else None)
        if touches.hides:
            self.unknown.append(f"{row['proname']}(): {reasons(facts)}")
        return touches

    def _facts(self, row: Row) -> Facts:
        if row["lanname"] == "sql":
            return facts_of_all([_statements(row["sqlbody"] or row["prosrc"])], "postgres", self._columns)
        if row["lanname"] == "plpgsql":
            return self._facts_of_body(body_of(row["prosrc"]))
        return Facts(unknowns=(Unknown(f"it is written in {row['lanname']}", "both"),))

    def _facts_of_body(self, body: Body) -> Facts:
        facts = facts_of_all(body.statements, "postgres", self._columns)
        if not body.is_dynamic:
            return facts
        return replace(facts, unknowns=(*facts.unknowns, Unknown("it builds statements of its own", "both")))


def _statements(body: str) -> str:
    """A body without the BEGIN ATOMIC … END around it."""
    words = body.split(None, 2)
    if [word.upper() for word in words[:2]] != ["BEGIN", "ATOMIC"]:
        return body
    inner = words[2].rstrip() if len(words) > 2 else ""
    return inner[:-3] if inner.upper().endswith("END") else inner


def _row(table: str, columns: set[str]) -> str:
    if "*" in columns:
        return table
    return f"{table}({', '.join(written(column) for column in sorted(columns))})"
