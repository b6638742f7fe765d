"""Changes: INSERT, UPDATE, DELETE, MERGE and REPLACE, in the ways in which databases spell them."""

from __future__ import annotations

from wats_accel.sql.reading.assignments import columns_of, read_assignments
from wats_accel.sql.reading.change_clauses import Change
from wats_accel.sql.reading.inserts import Insert
from wats_accel.sql.reading.merges import Merge
from wats_accel.sql.reading.reader import Reader
from wats_accel.sql.reading.scopes import Relation, Scope
from wats_accel.sql.reading.tables import Table, read_table, read_tables


def read_change(reader: Reader, parent: Scope, end: int) -> Relation:
    """Read a statement that changes rows; the reader is at its verb."""
    verb = reader.key
    reader.position += 1
    if verb == "UPDATE":
        return _Update(reader, parent, end).read()
    if verb == "DELETE":
        return _Delete(reader, parent, end).read()
    if verb == "MERGE":
        return Merge(reader, parent, end).read()
    return Insert(reader, parent, end).read(replacing=verb in ("REPLACE", "UPSERT"))


class _Update(Change):
    def read(self) -> Relation:
        reader = self.reader
        replacing = self.skip_conflict()
        self.skip_haste()
        self.skip_top()
        if reader.key == "STATISTICS" and self._is_command():
            reader.skip_statement()
            if reader.accept("WITH"):
                reader.skip_statement()
            return Relation()
        start = reader.position
        table = read_table(reader, self.end)
        if table is None:
            reader.findings.unknown("the table that is changed", "writes")
            return Relation()
        alias = self.alias(table)
        if reader.key in (",", "JOIN", "INNER", "LEFT", "RIGHT", "CROSS", "NATURAL", "STRAIGHT_JOIN"):
            reader.position = start
            read_tables(reader, self.scope, self.end, stops=frozenset({"SET"}))
            self._set_several()
        else:
            self._set(table, alias, replacing=replacing)
        return Relation()

    def _is_command(self) -> bool:
        """Whether it is UPDATE STATISTICS of SQL Server, and no table of that name."""
        reader = self.reader
        sets = "SET" in (reader.ahead(), reader.ahead(2), reader.ahead(3))
        return reader.dialect == "tsql" or (reader.batches and not sets)

    def _set(self, table: Table, alias: str, *, replacing: bool) -> None:
        reader = self.reader
        if not reader.accept("SET"):
            reader.doubt()
        assigned = read_assignments(reader, self.scope, self.end)
        self.clauses()
        target = self.resolve(table, alias)
        self.settle(target)
        self.write(target, "update", columns_of(assigned, self.targets))
        if replacing:  # rows that are in the way go
            self.write(target, "delete")
        if reader.dialect == "sqlite" and len(self.scope.sources) > 1:
            self.scope.everything = True  # it looks at all of what it joins for an UPDATE

    def _set_several(self) -> None:
        reader = self.reader
        if not reader.accept("SET"):
            reader.doubt()
        assigned = read_assignments(reader, self.scope, self.end)
        self.clauses()
        sources = self.scope.sources
        for source in sources:
            own = [parts for parts in assigned if len(parts) == 1 or parts[-2] == source.alias]
            other = [
                parts for parts in assigned if not any(parts[-2:-1] == (each.alias,) for each in sources)
            ]
            columns = columns_of({*own, *other}, [source])
            if columns:
                self.write(source, "update", columns)


class _Delete(Change):
    def read(self) -> Relation:
        reader = self.reader
        self.skip_haste()
        self.skip_top()
        reader.accept("FROM")
        reader.skip_only(changing=True)
        named: list[tuple[Table, str]] = []
        while reader.position < self.end:
            table = read_table(reader, self.end)
            if table is None:
                reader.findings.unknown("the table that is changed", "writes")
                break
            if reader.key == "." and reader.ahead() == "*":
                reader.position += 2
            named.append((table, self.alias(table)))
            if not reader.accept(","):
                break
        self.clauses()
        self.settle(*[self.resolve(table, alias) for table, alias in named])
        for target in self.targets:
            self.write(target, "delete")
        return Relation()
