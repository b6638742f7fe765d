"""Inserts: INSERT and REPLACE, with what they do where a row is there already."""

from __future__ import annotations

from wats_accel.sql.reading.assignments import columns_of, read_assignments
from wats_accel.sql.reading.beginnings import begins_query
from wats_accel.sql.reading.change_clauses import OUTPUT_ENDS, Change, read_output_table
from wats_accel.sql.reading.expressions import read_expression
from wats_accel.sql.reading.procedures import read_procedure_call
from wats_accel.sql.reading.scopes import Relation, Scope, Source
from wats_accel.sql.reading.tables import Table, read_alias, read_table


class Insert(Change):
    """INSERT, REPLACE."""

    def read(self, *, replacing: bool) -> Relation:
        """Read it; the reader is behind its verb.

        Args:
            replacing: whether rows that are in the way go.
        """
        reader = self.reader
        self.skip_top()
        replacing = self.skip_conflict() or replacing
        self.skip_haste()
        if reader.key in ("ALL", "FIRST", "WHEN") and reader.ahead() in ("INTO", "WHEN", "FIRST"):
            return self._several()
        if reader.key == "OVERWRITE" and reader.ahead() in ("INTO", "TABLE"):
            reader.position += 1
        reader.accept("INTO")
        reader.accept("TABLE")
        table = read_table(reader, self.end)
        if table is None:
            reader.findings.unknown("the table that is changed", "writes")
            return Relation()
        alias = self.alias(table) if reader.key not in ("OUTPUT", "OVERRIDING", "EXEC") else ""
        target = self._target(table, alias)
        self.write(target, "insert")
        if replacing:
            self.write(target, "delete")
        self._skip_columns()
        self._body()
        self.settle(target)
        return Relation()

    def _target(self, table: Table, alias: str) -> Source:
        target = self.resolve(table, alias)  # its rows are not seen by what is inserted
        self.targets = [target]
        return target

    def _skip_columns(self) -> None:
        reader = self.reader
        while reader.position < self.end:
            if reader.key in ("WITH", "PARTITION", "AS") and reader.ahead() == "(":
                reader.position += 1
                reader.skip_group()
            elif reader.key == "(" and not self._query_follows():
                reader.skip_names()
            else:
                return

    def _query_follows(self) -> bool:
        reader = self.reader
        start = reader.position
        reader.skip("(")
        found = begins_query(reader)
        reader.position = start
        return found

    def _body(self) -> None:
        reader = self.reader
        filled = False  # what comes then is the next statement
        while reader.position < self.end:
            key = reader.key
            if key == "OVERRIDING":
                reader.position += 3
            elif not filled and self._rows():
                filled = True
            elif key == "ON" and reader.ahead() in ("CONFLICT", "DUPLICATE"):
                self._on_conflict()
            elif key == "AS":
                self._new_row()
            else:
                before = reader.position
                self.clauses()
                if reader.position == before:
                    return

    def _rows(self) -> bool:
        """Read what is inserted. Whether it is that what is next."""
        reader = self.reader
        key, following = reader.key, reader.ahead()
        if key == "VALUES" or (key == "VALUE" and following == "("):
            reader.position += 1
            read_expression(reader, Scope(self.parent), self.end, stops=OUTPUT_ENDS)
        elif key == "DEFAULT" and following == "VALUES":
            reader.position += 2
        elif key in ("EXEC", "EXECUTE"):
            read_procedure_call(reader, self.parent, self.end)
        elif key == "SET":
            reader.position += 1
            read_assignments(reader, self._on_target(), self.end)
        elif key == "(" or begins_query(reader):
            reader.query(reader, Scope(self.parent), self.end)
        else:
            return False
        return True

    def _new_row(self) -> None:
        """VALUES (...) AS new(a, b) ON DUPLICATE KEY UPDATE ... of MySQL."""
        read_alias(self.reader, self.end)
        self.reader.skip_group()

    def _on_target(self) -> Scope:
        scope = Scope(self.parent)
        for target in self.targets:
            scope.add(target)
            scope.add(Source("excluded", target.table))
        return scope

    def _on_conflict(self) -> None:
        reader = self.reader
        scope = self._on_target()
        reader.position += 1
        if reader.accept("DUPLICATE"):
            reader.skip("KEY", "UPDATE")
        else:
            reader.position += 1
            read_expression(reader, scope, self.end, stops=frozenset({"DO", "WHERE", "ON"}))
            if reader.accept("WHERE"):
                read_expression(reader, scope, self.end, stops=frozenset({"DO"}))
            if reader.key != "DO" and reader.accept("ON"):
                reader.skip("CONSTRAINT")
                reader.position += 1
            reader.accept("DO")
            if reader.accept("NOTHING"):
                return
            reader.skip("UPDATE", "SET")
        columns = columns_of(read_assignments(reader, scope, self.end), self.targets)
        for target in self.targets:
            self.write(target, "update", columns)
        if reader.accept("WHERE"):
            read_expression(reader, scope, self.end)

    def _several(self) -> Relation:
        """INSERT ALL INTO a ... INTO b ... SELECT of Oracle."""
        reader = self.reader
        while reader.position < self.end and reader.key not in ("SELECT", "WITH", ";"):
            if reader.accept("INTO"):
                read_output_table(reader, self.end)
            elif not reader.skip_group():
                reader.position += 1
        return reader.query(reader, self.parent, self.end)
