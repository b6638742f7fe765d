"""Merges: MERGE with its branches."""

from __future__ import annotations

from wats_accel.sql.reading.assignments import columns_of, read_assignments
from wats_accel.sql.reading.change_clauses import IN_MERGE, Change
from wats_accel.sql.reading.expressions import read_expression
from wats_accel.sql.reading.scopes import Relation, Source
from wats_accel.sql.reading.tables import read_table, read_tables


class Merge(Change):
    """MERGE."""

    def read(self) -> Relation:
        """Read it; the reader is behind its verb."""
        reader = self.reader
        self.skip_top()
        reader.skip("INTO")
        table = read_table(reader, self.end)
        if table is None:
            reader.findings.unknown("the table that is changed", "writes")
            return Relation()
        target = self.resolve(table, self.alias(table))
        self.targets = [target]
        if reader.accept("USING"):
            read_tables(reader, self.scope, self.end, stops=frozenset({"WHEN"}))
        while reader.position < self.end:
            before = reader.position
            if reader.key == "WHEN":
                self._branch(target)
            else:
                self.clauses(frozenset({"WHEN"}))
            if reader.position == before:
                break
        if not any(table == target.table for table, _ in reader.findings.writes) and target.table:
            self.write(target, "any")
        self.settle(target)
        return Relation()

    def _branch(self, target: Source) -> None:
        reader = self.reader
        reader.position += 1
        reader.skip("NOT", "MATCHED", "BY", "SOURCE", "TARGET")
        if reader.accept("AND"):
            read_expression(reader, self.scope, self.end, stops=frozenset({"THEN"}))
        reader.accept("THEN")
        if reader.accept("UPDATE"):
            reader.accept("SET")
            assigned = read_assignments(reader, self.scope, self.end)
            self.write(target, "update", columns_of(assigned, [target]))
            if reader.key in ("WHERE", "DELETE"):
                self._oracle_deletes(target)
        elif reader.accept("DELETE"):
            self.write(target, "delete")
        elif reader.accept("INSERT"):
            self._inserts(target)
        elif reader.accept("DO"):
            reader.accept("NOTHING")
        else:
            self.write(target, "any")
            reader.doubt()

    def _oracle_deletes(self, target: Source) -> None:
        reader = self.reader
        while reader.key in ("WHERE", "DELETE") and reader.position < self.end:
            if reader.accept("DELETE"):
                self.write(target, "delete")
            else:
                reader.position += 1
                read_expression(reader, self.scope, self.end, stops=IN_MERGE | {"DELETE"})

    def _inserts(self, target: Source) -> None:
        reader = self.reader
        self.write(target, "insert")
        if reader.key == "(":
            reader.skip_names()
        if reader.key == "OVERRIDING":
            reader.position += 3
        if reader.key == "DEFAULT":
            reader.position += 2
        elif reader.accept("VALUES"):
            read_expression(reader, self.scope, self.end, stops=IN_MERGE)
        elif reader.accept("ROW"):
            return
        if reader.accept("WHERE"):
            read_expression(reader, self.scope, self.end, stops=IN_MERGE)
