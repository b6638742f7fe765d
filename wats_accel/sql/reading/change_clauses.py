"""Changes: what INSERT, UPDATE, DELETE and MERGE have in common: a target, and clauses behind it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from wats_accel.sql.access import ANY_COLUMN
from wats_accel.sql.facts import Event
from wats_accel.sql.reading import calls, functions
from wats_accel.sql.reading.beginnings import begins_query
from wats_accel.sql.reading.expressions import read_expression, read_parenthesis
from wats_accel.sql.reading.lexer import NAME, NUMBER, PARAMETER, VARIABLE, WORD
from wats_accel.sql.reading.reader import Reader
from wats_accel.sql.reading.scopes import Scope, Source
from wats_accel.sql.reading.table_modifiers import skip_modifiers
from wats_accel.sql.reading.tables import Table, read_alias, read_table, read_tables

_HASTE: Final = ("LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY", "QUICK", "IGNORE")
OUTPUT_ENDS: Final = frozenset({"VALUES", "SELECT", "EXEC", "EXECUTE", "DEFAULT", "OUTPUT", "WITH", "SET"})
IN_MERGE: Final = frozenset({"WHEN", "OUTPUT", "RETURNING"})
_TARGETS_BY_ALIAS: Final = frozenset({"tsql", "mysql", ""})


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


class Change:
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

    def skip_conflict(self) -> bool:
        """OR IGNORE and the like, of SQLite. Whether rows that are in the way go."""
        reader = self.reader
        if not reader.accept("OR"):
            return False
        reader.position += 1
        return reader.ahead(-1) == "REPLACE"

    def skip_haste(self) -> None:
        """LOW_PRIORITY, IGNORE and the like, of MySQL."""
        reader = self.reader
        while reader.key in _HASTE and reader.ahead() in ("INTO", "FROM", *_HASTE):
            reader.position += 1
        if reader.dialect in ("mysql", ""):
            reader.skip_before_name(*_HASTE, changing=True)

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
                reader.skip_statement()
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
            read_expression(reader, self.scope, self.end, stops=IN_MERGE)

    def _output(self) -> None:
        reader = self.reader
        reader.position += 1
        read_expression(
            reader, self._seen("inserted", "deleted"), self.end, stops=OUTPUT_ENDS, selecting=True
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
