"""Changes: INSERT, UPDATE, DELETE, MERGE and REPLACE, in the ways in which databases spell them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from wats_accel.sql.access import ANY, ANY_COLUMN
from wats_accel.sql.facts import Event
from wats_accel.sql.reading import calls, functions
from wats_accel.sql.reading.expressions import begins_query, read_expression, read_parenthesis
from wats_accel.sql.reading.lexer import NAME, NUMBER, PARAMETER, SIGN, VARIABLE, WORD
from wats_accel.sql.reading.procedures import read_procedure_call
from wats_accel.sql.reading.reader import Reader
from wats_accel.sql.reading.scopes import Relation, Scope, Source
from wats_accel.sql.reading.tables import Table, read_alias, read_table, read_tables, skip_modifiers

_CONFLICT: Final = frozenset({"OR", "ROLLBACK", "ABORT", "FAIL", "IGNORE"})
_HASTE: Final = ("LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY", "QUICK", "IGNORE")
_OUTPUT_ENDS: Final = frozenset({"VALUES", "SELECT", "EXEC", "EXECUTE", "DEFAULT", "OUTPUT", "WITH", "SET"})
_IN_MERGE: Final = frozenset({"WHEN", "OUTPUT", "RETURNING"})
_ASSIGNED_ENDS: Final = frozenset({",", "WHEN", "OUTPUT"})


_TARGETS_BY_ALIAS: Final = frozenset({"tsql", "mysql", ""})


def read_change(reader: Reader, parent: Scope, end: int) -> Relation:
    """Read a statement that changes rows; the reader is at its verb."""
    verb = reader.key
    reader.position += 1
    if verb == "UPDATE":
        return _Update(reader, parent, end).read()
    if verb == "DELETE":
        return _Delete(reader, parent, end).read()
    if verb == "MERGE":
        return _Merge(reader, parent, end).read()
    return _Insert(reader, parent, end).read(replacing=verb in ("REPLACE", "UPSERT"))


def read_output_table(reader: Reader, end: int, event: Event = "insert") -> Table | None:
    """Read the name of a table that is written to, and note that."""
    table = read_table(reader, end)
    if table is None:
        reader.findings.unknown("the table that is changed", "writes")
    else:
        reader.findings.targets.add(table.name)
        if not table.temporary:
            reader.findings.write(table.name, event)
    return table


class _Change:
    """What the changes have in common: a scope with the target, and clauses behind it."""

    def __init__(self, reader: Reader, parent: Scope, end: int) -> None:
        self.reader = reader
        self.end = end
        self.parent = parent
        self.scope = Scope(parent)
        self.targets: list[Source] = []
        self._watching: list[tuple[Scope, tuple[str, ...]]] = []
        self.remote = False  # the target is given by a function
        self.also = ""  # another table that may be meant

    def skip_top(self) -> None:
        """TOP (5) PERCENT."""
        reader = self.reader
        following = reader.tokens[reader.position + 1]
        if reader.key == "TOP" and (following.key == "(" or following.kind in (NUMBER, PARAMETER, VARIABLE)):
            reader.position += 1
            if reader.key == "(":
                read_parenthesis(reader, self.scope, self.end)
            else:
                reader.position += 1
            reader.skip("PERCENT")

    def alias(self, table: Table) -> str:
        """Read what stands behind the name of the target: hints and an alias."""
        reader = self.reader
        if reader.key == "(" and table.name in functions.HOSTILE:
            calls.note_function(reader, (table.name,))
            reader.skip_group()
            self.remote = True
        skip_modifiers(reader, self.end)
        alias = read_alias(reader, self.end)
        skip_modifiers(reader, self.end)
        return alias

    def resolve(self, table: Table, alias: str = "") -> Source:
        """What the target of a change stands for: an alias or a CTE, where that may be one, or a table."""
        name = table.name
        self.reader.findings.targets.add(name)
        single = len(table.parts) == 1 and self.reader.dialect in _TARGETS_BY_ALIAS
        named = [source for source in self.scope.sources if single and source.alias == name and not alias]
        if named:
            self._may_be_table(name)
            return named[0]
        if single and name in self.scope.relations and self.reader.dialect != "mysql":
            self._may_be_table(name)
            source = Source(alias or name, relation=self.scope.relations[name])
        elif table.temporary or self.remote:
            source = Source(alias or name)
        else:
            source = Source(alias or name, table=name)
        self.scope.add(source)
        return source

    def _may_be_table(self, name: str) -> None:
        """Where no dialect is known, a target that is another table's alias may be a table all the same."""
        if not self.reader.dialect:
            self.also = name

    def write(self, source: Source, event: Event, columns: Iterable[str] = ANY_COLUMN) -> None:
        """Note a change of what a target stands for."""
        findings = self.reader.findings
        if self.also and self.also != source.table:
            findings.write(self.also, event, columns)
        if source.table is not None:
            findings.write(source.table, event, columns)
            if event != "insert":
                findings.read(source.table)  # which rows there are
        elif source.relation is not None:
            for table in source.relation.tables:
                findings.write(table, event, ANY_COLUMN if source.relation.renames else columns)
            if not source.relation.tables:
                findings.unknown("the table behind a query that is changed", "writes")

    def clauses(self, stops: frozenset[str] = frozenset()) -> None:
        """Read what may follow in any of them, up to what does not belong to the change."""
        reader = self.reader
        while reader.position < self.end and reader.key not in stops:
            key = reader.key
            if key == "OUTPUT":
                self._output()
            elif key == "RETURNING":
                self._returning()
            elif key in ("FROM", "USING"):
                reader.position += 1
                read_tables(reader, self.scope, self.end)
            elif key in ("WHERE", "ORDER", "LIMIT", "OFFSET"):
                self._filter()
            elif key == "OPTION" and reader.ahead() == "(":
                reader.position += 1
                reader.skip_group()
            elif key == "LOG" and reader.ahead() == "ERRORS":
                reader.position = self.end
            else:
                return

    def _filter(self) -> None:
        reader = self.reader
        reader.position += 1
        reader.skip("BY")
        if reader.key == "CURRENT" and reader.ahead() == "OF":
            reader.position += 2
            reader.skip("GLOBAL")
            reader.position += 1
        else:
            read_expression(reader, self.scope, self.end, stops=_IN_MERGE)

    def _output(self) -> None:
        reader = self.reader
        reader.position += 1
        read_expression(
            reader, self._seen("inserted", "deleted"), self.end, stops=_OUTPUT_ENDS, selecting=True
        )
        if reader.accept("INTO"):
            read_output_table(reader, self.end)
            if reader.key == "(" and not begins_query(reader):
                reader.skip_names()

    def _returning(self) -> None:
        reader = self.reader
        reader.position += 1
        names = ["old", "new"]
        if reader.key == "WITH" and reader.ahead() == "(":
            reader.position += 1
            inside = reader.tokens[reader.position + 1 : reader.closing()]
            names += [token.name for token in inside if token.kind in (WORD, NAME)]
            reader.skip_group()
        scope = self._seen(*names)
        read_expression(reader, scope, self.end, selecting=True)
        self.scope.everything = self.scope.everything or scope.everything
        if reader.accept("INTO"):
            read_expression(reader, Scope(None), self.end)

    def _seen(self, *names: str) -> Scope:
        """A scope in which the target's rows have further names: those before and after the change."""
        scope = Scope(self.scope)
        self._watching.append((scope, names))
        return scope

    def settle(self, *targets: Source) -> None:
        """Say what the targets are: FROM, which comes late, may tell it."""
        self.targets = list(targets)
        for scope, names in self._watching:
            for target in targets:
                for name in names:
                    scope.add(Source(name, target.table, target.relation))


class _Insert(_Change):
    def read(self, *, replacing: bool) -> Relation:
        reader = self.reader
        self.skip_top()
        reader.skip(*_CONFLICT, *_HASTE)
        replacing = reader.accept("REPLACE") or replacing
        if reader.key in ("ALL", "FIRST", "WHEN"):
            return self._several()
        reader.skip("INTO", "OVERWRITE", "TABLE")
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
            read_expression(reader, Scope(self.parent), self.end, stops=_OUTPUT_ENDS)
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
        columns = _columns(read_assignments(reader, scope, self.end), self.targets)
        for target in self.targets:
            self.write(target, "update", columns)
        if reader.accept("WHERE"):
            read_expression(reader, scope, self.end)

    def _several(self) -> Relation:
        """INSERT ALL INTO a ... INTO b ... SELECT of Oracle."""
        reader = self.reader
        while reader.position < self.end and not begins_query(reader):
            if reader.accept("INTO"):
                read_output_table(reader, self.end)
            elif not reader.skip_group():
                reader.position += 1
        return reader.query(reader, self.parent, self.end)


class _Update(_Change):
    def read(self) -> Relation:
        reader = self.reader
        reader.skip(*_CONFLICT, *_HASTE)
        replacing = reader.accept("REPLACE")
        self.skip_top()
        if reader.key == "STATISTICS" and reader.ahead() != "SET":
            reader.position = self.end
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

    def _set(self, table: Table, alias: str, *, replacing: bool) -> None:
        reader = self.reader
        if not reader.accept("SET"):
            reader.doubt()
        assigned = read_assignments(reader, self.scope, self.end)
        self.clauses()
        target = self.resolve(table, alias)
        self.settle(target)
        self.write(target, "update", _columns(assigned, self.targets))
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
            columns = _columns({*own, *other}, [source])
            if columns:
                self.write(source, "update", columns)


class _Delete(_Change):
    def read(self) -> Relation:
        reader = self.reader
        reader.skip(*_HASTE)
        self.skip_top()
        reader.accept("FROM")
        reader.skip("ONLY")
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


class _Merge(_Change):
    def read(self) -> Relation:
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
            self.write(target, "update", _columns(assigned, [target]))
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
                read_expression(reader, self.scope, self.end, stops=_IN_MERGE | {"DELETE"})

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
            read_expression(reader, self.scope, self.end, stops=_IN_MERGE)
        elif reader.accept("ROW"):
            return
        if reader.accept("WHERE"):
            read_expression(reader, self.scope, self.end, stops=_IN_MERGE)


# -- SET -------------------------------------------------------------------------------------------------


def read_assignments(reader: Reader, scope: Scope, end: int) -> set[tuple[str, ...]]:
    """Read ``a = 1, (b, c) = (2, 3)``. Returns the names that are set; ``*`` if one cannot be told."""
    assigned: set[tuple[str, ...]] = set()
    while reader.position < end:
        assigned |= _read_target(reader, scope, end)
        reader.findings.columns.update(*assigned)
        read_expression(reader, scope, end, stops=_ASSIGNED_ENDS)
        if not reader.accept(","):
            break
    return assigned


def _read_target(reader: Reader, scope: Scope, end: int) -> set[tuple[str, ...]]:
    """Read what stands before the sign that assigns, and that."""
    if reader.token.kind == VARIABLE:
        reader.position += 1
        _read_assigning(reader, scope, end)
        if reader.names_follow(end) and _is_assigned(reader, end):
            return _read_target(reader, scope, end)
        return set()
    if reader.key == "(":
        close = min(reader.closing(), end)
        reader.position += 1
        found = set()
        while reader.position < close:
            if reader.names_follow(close):
                found.add(reader.chain(close))
            else:
                reader.position += 1
        reader.position = min(close + 1, reader.size)
        _read_assigning(reader, scope, end)
        return found
    if not reader.names_follow(end):
        return {(ANY,)}
    parts = reader.chain(end)
    if parts[-1] == "write" and reader.key == "(" and len(parts) > 1:
        return {parts[:-1]}  # .WRITE(...) of SQL Server; what is inside is read next
    if reader.key == "(" or parts == ("row",):
        return {(ANY,)}
    if not (reader.key == "=" or (reader.key == ":" and reader.ahead() == "=")):
        scope.use(parts)
    _read_assigning(reader, scope, end)
    return {parts}


def _is_assigned(reader: Reader, end: int) -> bool:
    """Whether the name that is next is set: @x = name = value."""
    position = reader.position
    reader.chain(end)
    found = reader.key == "="
    reader.position = position
    return found


def _read_assigning(reader: Reader, scope: Scope, end: int) -> None:
    """Read up to the sign, subscripts before it as well."""
    while reader.position < end and reader.key != "=":
        if (reader.key in (",", ";") or reader.token.kind != SIGN) and reader.ahead(-1) != "[":
            return
        reader.position += 1
        if reader.ahead(-1) == "[":
            while reader.position < end and reader.key not in ("]", "=", ";"):
                if reader.names_follow(end):
                    scope.use(reader.chain(end))
                else:
                    reader.position += 1
    if reader.position < end:
        reader.position += 1


def _columns(assigned: Iterable[tuple[str, ...]], targets: list[Source]) -> frozenset[str]:
    """The columns that are set: of ``a.b`` both, unless the target is called a."""
    names = {source.alias for source in targets} | {source.table for source in targets}
    found: set[str] = set()
    for parts in assigned:
        found.add(parts[-1])
        if len(parts) > 1 and parts[-2] not in names:
            found.update(parts)
    return frozenset(found)
