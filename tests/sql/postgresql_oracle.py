"""PostgreSQL as an oracle, asked twice.

Its plan (``EXPLAIN (VERBOSE)``) names the tables and columns that are used, but for those that the planner
could do without. And a role that may touch nothing but what the analysis tells is refused when the statement
touches more: that is exact, for privileges are asked for column by column, of what the statement says and not
of what the planner made of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from statement_words import POSTGRES, ROWS, Relation
from truth import Seen, Truth, hides
from write_strategies import Text

from wats_accel.sql.access import ANY, Access, Columns, access, name_of
from wats_accel.sql.facts import Facts

_ROLE: Final = "asker"
_COLUMN: Final = re.compile(r'("(?:[^"]|"")+"|\w+)\.("(?:[^"]|"")+"|\w+)')
_LITERAL: Final = re.compile(r"'(?:[^']|'')*'")
_EXPRESSIONS: Final = (
    *("Filter", "Join Filter", "Hash Cond", "Merge Cond", "Index Cond", "Recheck Cond", "One-Time Filter"),
    *("Conflict Filter", "Sort Key", "Presorted Key", "Group Key", "Function Call", "TID Cond", "Order By"),
)
_EXACT: Final = frozenset({"Aggregate", "WindowAgg", "Result", "Nested Loop", "Hash Join", "Merge Join"})
"""Nodes that put out only what is wanted. A scan may put out its whole table, and others pass that on."""
_EVENTS: Final = {"Insert": "insert", "Delete": "delete"}


class RefusedError(Exception):
    """PostgreSQL does not take the statement."""


class PostgresqlOracle:
    """A server with groups of tables, each in a schema of its own.

    Args:
        connection: of pyodbc, as the superuser of an empty database, not in autocommit.
        groups: of tables.
    """

    def __init__(self, connection: Any, groups: Sequence[Sequence[Relation]]) -> None:
        self._connection = connection
        self._groups = groups
        self._execute(f"DROP ROLE IF EXISTS {_ROLE}; CREATE ROLE {_ROLE}")
        for place, tables in enumerate(groups):
            schema = _schema(place)
            self._execute(f"CREATE SCHEMA {schema}; GRANT USAGE ON SCHEMA {schema} TO {_ROLE}")
            for table in tables:
                self._execute(_definition(schema, table))
        connection.commit()

    def close(self) -> None:
        """Take everything away, and the connection."""
        self._connection.rollback()
        for place, _ in enumerate(self._groups):
            self._execute(f"DROP SCHEMA {_schema(place)} CASCADE")
        self._execute(f"DROP ROLE {_ROLE}")
        self._connection.commit()
        self._connection.close()

    def truth(self, place: int, text: Text) -> Truth:
        """What the plans of the text's statements name.

        Raises:
            RefusedError: one of them is no statement.
        """
        seen = Seen()
        for statement in text.statements:
            for plan in self._plans(place, "", statement):
                _note(plan["Plan"], seen)
        return seen.truth()

    def denied(self, place: int, text: Text, facts: Facts) -> str | None:
        """What a role may not do that may do all that the facts tell; None if nothing more is done."""
        return self._denied(place, text, "; ".join(_grants(_schema(place), self._groups[place], facts)))

    def _denied(self, place: int, text: Text, grants: str) -> str | None:
        for statement in text.statements:
            try:
                self._plans(place, f"{grants}; SET LOCAL ROLE {_ROLE}", statement)
            except RefusedError as error:
                return str(error)
        return None

    def needed(self, place: int, text: Text) -> Access:
        """The columns without any one of which a role is refused that may see all others."""
        known: dict[str, set[str]] = {}
        for table in self._groups[place]:
            if self._refuses(place, text, table, ()):
                known[name_of(table.name)] = {
                    name_of(column)
                    for column in table.columns
                    if self._refuses(place, text, table, [one for one in table.columns if one != column])
                }
        return access(known)

    def _refuses(self, place: int, text: Text, table: Relation, seen: Sequence[str]) -> bool:
        """Whether it does not do to see no more than some of one table's columns."""
        right = _on_columns("SELECT", table, frozenset(map(name_of, seen)))[0] if seen else ""
        grants = [_all_but(_schema(place), self._groups[place], table)]
        if seen:
            grants.append(f"GRANT {right} ON {_schema(place)}.{_quoted(table.name)} TO {_ROLE}")
        return self._denied(place, text, "; ".join(grants)) is not None

    def _plans(self, place: int, before: str, statement: str) -> Any:
        try:
            self._execute(f"SET LOCAL search_path TO {_schema(place)}; {before}")
            row = self._execute(f"EXPLAIN (VERBOSE, COSTS OFF, FORMAT JSON) {statement}").fetchone()
            return json.loads(row[0])
        except _errors(self._connection) as error:
            raise RefusedError(str(error)) from error
        finally:
            self._connection.rollback()

    def _execute(self, sql: str) -> Any:
        return self._connection.cursor().execute(sql)


def _errors(connection: Any) -> Any:
    return connection.Error if hasattr(connection, "Error") else __import__("pyodbc").Error


def _schema(place: int) -> str:
    return POSTGRES.at(place).schema


def _quoted(name: str) -> str:
    return f'"{name}"'


def _definition(schema: str, table: Relation) -> str:
    columns = [f"{_quoted(name)} INTEGER" for name in table.columns]
    columns[0] += " PRIMARY KEY"
    columns.append(f"{_rows(table)} INTEGER")
    return f"CREATE TABLE {schema}.{_quoted(table.name)} ({', '.join(columns)})"


def _rows(table: Relation) -> str:
    return _quoted(f"{ROWS}{table.name}")


def _grants(schema: str, tables: Sequence[Relation], facts: Facts) -> Iterator[str]:
    """The privileges that are what the facts tell."""
    for table in tables:
        name = f"{schema}.{_quoted(table.name)}"
        rights = [f"UPDATE ({_rows(table)})"]  # any will do for FOR UPDATE
        folded = name_of(table.name)
        if hides(facts, "reads"):
            rights.append("SELECT")
        elif folded in facts.reads:
            rights += _on_columns("SELECT", table, facts.reads.columns(folded))
        if hides(facts, "writes"):
            rights += ["INSERT", "DELETE", "UPDATE"]
        for write in facts.writes:
            if write.table == folded:
                # MERGE looks for rows to write.
                rights += [f"SELECT ({_rows(table)})", *_rights(table, write.event, write.columns)]
        yield f"GRANT {', '.join(rights)} ON {name} TO {_ROLE}"


def _all_but(schema: str, tables: Sequence[Relation], left_out: Relation) -> str:
    """All privileges, but for seeing one table."""
    names = {table.name: f"{schema}.{_quoted(table.name)}" for table in tables}
    grants = [f"GRANT ALL ON {name} TO {_ROLE}" for name in names.values()]
    return "; ".join([*grants, f"REVOKE SELECT ON {names[left_out.name]} FROM {_ROLE}"])


def _rights(table: Relation, event: str, columns: Columns) -> list[str]:
    if event == "update":
        return _on_columns("UPDATE", table, columns)
    return ["INSERT", "DELETE", "UPDATE"] if event == "any" else [event.upper()]


def _on_columns(right: str, table: Relation, columns: Columns) -> list[str]:
    if ANY in columns:
        return [right]
    named = [_quoted(name) for name in table.columns if name_of(name) in columns]
    return [f"{right} ({', '.join([*named, _rows(table)])})"]


# -- plans --------------------------------------------------------------------------------------------------


def _note(plan: dict[str, Any], seen: Seen) -> None:
    """Note what a plan reads and writes."""
    aliases = {node["Alias"]: node["Relation Name"] for node in _nodes(plan) if "Relation Name" in node}
    for node in _nodes(plan):
        operation, table = node.get("Operation"), node.get("Relation Name")
        if node["Node Type"] == "ModifyTable":
            _note_write(operation, table, seen)
        elif table is not None:
            seen.read(table, "")
        for expression in _expressions(node, top=node is plan):
            for alias, column in _columns(expression):
                if alias in aliases:
                    seen.read(aliases[alias], column)


def _note_write(operation: Any, table: Any, seen: Seen) -> None:
    if operation in _EVENTS:
        seen.others.add((table, _EVENTS[operation]))
    elif operation == "Update":
        seen.updates.setdefault(table, set())


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for inner in node.get("Plans", ()):
        yield from _nodes(inner)


def _expressions(node: dict[str, Any], *, top: bool) -> Iterator[str]:
    outputs = top or node["Node Type"] in _EXACT or node.get("Parent Relationship") in ("InitPlan", "SubPlan")
    for key in (*_EXPRESSIONS, *(["Output"] if outputs else [])):
        value = node.get(key, ())
        yield from [value] if isinstance(value, str) else value


def _columns(expression: str) -> Iterator[tuple[str, str]]:
    for alias, column in _COLUMN.findall(_LITERAL.sub("''", expression)):
        if _bare(column) not in ("ctid", "tableoid") and not _bare(column).startswith(ROWS):
            yield _bare(alias), _bare(column)


def _bare(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name
