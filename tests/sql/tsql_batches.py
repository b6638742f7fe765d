"""T-SQL drawn at random, each text along with what it is in SQLite's words: statements and batches."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from hypothesis import strategies as st
from statement_words import Relation, Scope
from truth import Truth
from tsql_strategies import NEXT, TSQL, TsqlQueries, either, taken_apart
from write_strategies import Text

from wats_accel.sql.access import ANY_COLUMN
from wats_accel.sql.facts import Call, Write

_FUNCTION: Final = re.compile(r"\b(fn_\w+)\(")
_PROCEDURE: Final = re.compile(r"\bEXEC (?:dbo\.)?(sp_\w+)", re.IGNORECASE)
_INTO: Final = re.compile(r"\bINTO (arquivo\d)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Batch:
    """A text of T-SQL.

    Attributes:
        text: it, and what SQLite is asked for it.
        besides: what it does that SQLite is not asked for.
    """

    text: Text
    besides: Truth


@st.composite
def tsql_batches(draw: st.DrawFn, schemas: list[tuple[Relation, ...]]) -> tuple[int, Batch]:
    """A batch over one of the schemas, and which."""
    place = draw(st.integers(0, len(schemas) - 1))
    grammar = Tsql(draw, schemas[place], TSQL)
    drawn = grammar.batch(1 + grammar.number(2) if grammar.chance(50) else 1)
    sql = taken_apart(drawn, 2)
    statements = tuple(filter(str.strip, taken_apart(drawn, 1).split(NEXT)))
    return place, Batch(Text(sql, statements), _besides(sql))


def _besides(sql: str) -> Truth:
    functions = {Call(name.casefold(), "function") for name in _FUNCTION.findall(sql)}
    procedures = {Call(name.casefold(), "procedure") for name in _PROCEDURE.findall(sql)}
    copies = tuple(Write(name.casefold(), "insert", ANY_COLUMN) for name in _INTO.findall(sql))
    return Truth(writes=copies, calls=frozenset(functions | procedures), clock="getdate(" in sql.casefold())


class Tsql(TsqlQueries):
    """Draws statements of T-SQL, and batches of them."""

    def batch(self, number: int) -> str:
        """Several statements, with semicolons or without."""
        parts = [self.step(2) for _ in range(number)]
        text = parts[0]
        for part in parts[1:]:
            doubtful = part.startswith(("WITH", either("", "")[0]))
            end = ";\n" if doubtful else self.pick(("\n", "\n", " ", ";\n", "\n-- it's\n"))
            text += either(NEXT, end) + part
        return self.finished(text)

    def step(self, depth: int) -> str:
        """A statement, or something that decides about statements."""
        kind = self.number(15) if depth > 0 else 0
        if kind <= 9:
            return self.statement()
        query = self.query(Scope(), 1, 1)[0]
        one = self.step(depth - 1)
        if kind == 10:
            other = self.step(depth - 1)
            asked = f"IF {self.pick(('', 'NOT '))}EXISTS ({query})"
            whole = f"{asked}\nBEGIN\n{_semicolon(one)}{one}\nEND\nELSE BEGIN {_semicolon(other)}{other} END"
            return either(f"SELECT EXISTS ({query}){NEXT}{one}{NEXT}{other}", whole)
        if kind == 11 and not _semicolon(one):
            return either(f"SELECT ({query}){NEXT}{one}", f"IF ({query}) > 3 {one}")
        if kind == 12:
            tried = f"BEGIN TRY\n{_semicolon(one)}{one}\nEND TRY\nBEGIN CATCH\nTHROW\nEND CATCH"
            return either(one, tried)
        if kind == 13:
            return either(f"SELECT ({query})", f"{self.pick(('DECLARE @x int =', 'SET @x ='))} ({query})")
        if kind == 14:
            return either("", self.pick(("EXEC dbo.sp_fecha 1, @x", "EXEC sp_abre", "SET NOCOUNT ON")))
        return either(f"SELECT ({query}){NEXT}{one}", f"WHILE ({query}) > 0 BEGIN {_semicolon(one)}{one} END")

    def statement(self) -> str:
        """A query, or something that writes."""
        kind = self.number(12)
        if kind == 12:
            return self.merge(Scope())
        if kind == 11:
            return self.through_cte()
        head, scope = self.ctes(Scope(), 1) if self.chance(20) else ("", Scope())
        if kind <= 4:
            return self.words(head, self.whole_query_over(scope))
        if kind == 5:
            return self.words(head, self.delete(scope))
        return self.words(head, self.update(scope) if kind <= 8 else self.insert(scope))

    def whole_query_over(self, scope: Scope) -> str:
        """A query with ORDER BY, OPTION and INTO."""
        if self.chance(8):
            self.into = either("", f"INTO {self.pick(('arquivo1', '#arq', '##arq', 'arquivo2'))}")
        text, names = self.query(scope, None, 2)
        self.into = ""
        order = f"ORDER BY {self.quoted(self.pick(names))}" if self.chance(30) else ""
        limit = self.limit("LIMIT 5 OFFSET 1") if order and self.chance(30) else ""
        return self.words(text, order, limit, either("", "OPTION (RECOMPILE)") if self.chance(10) else "")

    def output(self, table: Relation, kinds: Sequence[str]) -> tuple[str, str]:
        """OUTPUT, and what SQLite says for it at the end of the statement."""
        if not self.chance(25):
            return "", ""
        column = self.quoted(self.pick(table.columns))
        column = "*" if self.chance(20) else column
        shown = ", ".join(f"{self.pick(kinds)}.{column}" for _ in range(1 + self.number(1)))
        into = self.pick(("", "", " INTO arquivo3", " INTO @t", " INTO #t (x)"))
        return either("", f" OUTPUT {shown}{into}"), either(f" RETURNING {column}", "")

    def update(self, scope: Scope) -> str:
        """UPDATE of a table, or of an alias."""
        text, table = self.target(scope)
        relations: tuple[Relation, ...] = (table,)
        source, on = "", ""
        if self.chance(50):
            source, relation = self.source(scope, 1, relations)
            relations = (table, relation)
            on = self.condition(replace(scope, relations=relations), 1)
        inside = replace(scope, relations=relations)
        where = self.condition(inside, 2)
        aliased = " AS " in text
        name = either(text, self.quoted(table.name)) if aliased else text
        plain, joined = self._from(text if aliased else "", source, on, where)
        shown, returned = self.output(table, ("INSERTED", "DELETED"))
        top = either("", "TOP (3) ") if self.chance(10) else ""
        values = self.assignments(table, inside)
        return f"UPDATE {top}{name} SET {values}{shown} {either(plain, joined)}{returned}"

    def _from(self, target: str, source: str, on: str, where: str) -> tuple[str, str]:
        """FROM and WHERE in both spellings."""
        if not source:
            return f"WHERE {where}", f"{'FROM ' * bool(target)}{target} WHERE {where}"
        plain = f"FROM {source} WHERE ({on}) AND ({where})"
        if target and self.chance(60):
            join = self.pick(("JOIN", "INNER JOIN", "LEFT JOIN"))
            return plain, f"FROM {target} {join} {source} ON {on} WHERE {where}"
        return plain, f"FROM {target}{', ' * bool(target)}{source} WHERE ({on}) AND ({where})"

    def assignments(self, table: Relation, scope: Scope) -> str:
        """What stands behind SET: one column at a time."""
        before = either("", f"{self.quoted(table.name)}.") if self.chance(20) else ""
        return ", ".join(before + self._set(name, scope) for name in self.some(table.columns))

    def _set(self, name: str, scope: Scope) -> str:
        column, value = self.quoted(name), self.value(scope, 2)
        if self.chance(90):
            return f"{column} = {value}"
        return f"{column} {either(f'= {column} + ({value})', f'+= {value}')}"

    def delete(self, scope: Scope) -> str:
        """DELETE of a table, or of an alias, perhaps with others joined."""
        text, table = self.target(scope)
        shown, returned = self.output(table, ("DELETED",))
        top = either("", "TOP (3) ") if self.chance(10) else ""
        name = self.quoted(table.name)
        if self.chance(50):
            where = self.condition(replace(scope, relations=(table,)), 2)
            if " AS " in text:
                aliased = f"DELETE {top}{name}{shown} FROM {text} WHERE {where}"
                return either(f"DELETE FROM {text} WHERE {where}", aliased) + returned
            word = either("FROM ", self.pick(("", "FROM ")))
            return f"DELETE {top}{word}{text}{shown} WHERE {where}{returned}"
        source, relation = self.source(scope, 1, (table,))
        inside = replace(scope, relations=(table, relation))
        on, where = self.condition(inside, 1), self.condition(inside, 2)
        plain = f"DELETE FROM {text} WHERE EXISTS (SELECT 1 FROM {source} WHERE ({on}) AND ({where}))"
        joined = f"DELETE {top}{name}{shown} FROM {text} JOIN {source} ON {on} WHERE {where}"
        return either(plain, joined) + returned

    def insert(self, scope: Scope) -> str:
        """INSERT of values or of a query."""
        table = self.pick(self.tables)
        prefix = "dbo." if self.names_a_cte(table, scope) else self.pick(("", "", "dbo."))
        text = f"{either('', prefix)}{self.quoted(table.name)}"
        word = either("INSERT INTO", self.pick(("INSERT INTO", "INSERT")))
        shown, returned = self.output(table, ("INSERTED",))
        columns = self.some(table.columns)
        names = f"({', '.join(map(self.quoted, columns))})"
        if self.chance(5):
            return f"{word} {text}{shown} DEFAULT VALUES{returned}"
        if self.chance(50):
            bare = replace(scope, relations=())
            values = ", ".join(self.value(bare, 2) for _ in columns)
            return f"{word} {text} {names}{shown} VALUES ({values}){returned}"
        query = self.query(Scope(ctes=scope.ctes), len(columns), 2)[0]
        return f"{word} {text} {names}{shown} {query}{returned}"

    def names_a_cte(self, table: Relation, scope: Scope) -> bool:
        """Who writes to a CTE writes to its table."""
        return any(cte.name.casefold() == table.name.casefold() for cte in scope.ctes)

    def through_cte(self) -> str:
        """UPDATE or DELETE of a CTE: it is the CTE's table that is written."""
        table = self.pick(self.tables)
        name = self.pick((self.fresh(), *(other.name for other in self.tables)))
        tables = self.tables
        # What else has the CTE's name would be the CTE in T-SQL, and a table in SQLite.
        self.tables = tuple(other for other in tables if other.name != name) or tables
        try:
            return self._through_cte(table, name)
        finally:
            self.tables = tables

    def _through_cte(self, table: Relation, name: str) -> str:
        columns = self.some(table.columns)
        made = f"{either('', 'dbo.')}{self.quoted(table.name)} AS {self.quoted(name)}"
        where = self.condition(Scope((replace(table, name=name),)), 1)
        shown = Relation(name, tuple(columns), False)
        more = self.condition(Scope((shown,)), 1)
        items = ", ".join(map(self.quoted, columns))
        head = f"WITH {self.quoted(name)} AS (SELECT {items} FROM {made} WHERE {where})"
        if self.chance(40):
            return either(
                f"DELETE FROM {made} WHERE ({where}) AND ({more})",
                f"{head} DELETE FROM {self.quoted(name)} WHERE {more}",
            )
        values = self.assignments(shown, Scope((shown,)))
        return either(
            f"UPDATE {made} SET {values} WHERE ({where}) AND ({more})",
            f"{head} UPDATE {self.quoted(name)} SET {values} WHERE {more}",
        )

    def merge(self, scope: Scope) -> str:
        """MERGE: for SQLite a statement for each branch."""
        text, table = self.target(scope)
        source, relation = self.source(scope, 1, (table,))
        inside = replace(scope, relations=(table, relation))
        alone = replace(scope, relations=(relation,))
        on, more = self.condition(inside, 1), self.condition(inside, 1)
        values = self.assignments(table, inside)
        columns = self.some(table.columns)
        names = ", ".join(map(self.quoted, columns))
        row = ", ".join(self.value(alone, 1) for _ in columns)
        branches = (
            either(
                f"UPDATE {text} SET {values} FROM {source} WHERE ({on}) AND ({more})",
                f"WHEN MATCHED AND {more} THEN UPDATE SET {values}",
            ),
            either(
                f"DELETE FROM {text} WHERE EXISTS (SELECT 1 FROM {source} WHERE ({on}) AND ({more}))",
                f"WHEN MATCHED AND {more} THEN DELETE",
            ),
            either(
                f"INSERT INTO {text.split(' AS ')[0]} ({names}) SELECT {row} FROM {source}",
                f"WHEN NOT MATCHED BY TARGET THEN INSERT ({names}) VALUES ({row})",
            ),
        )
        into = self.pick(("MERGE", "MERGE INTO", "MERGE TOP (5) INTO"))
        made = either(NEXT, "\n").join(self.some(branches))
        shown = either(
            "", self.pick(("", "", " OUTPUT $action, INSERTED.*", " OUTPUT $action INTO arquivo4"))
        )
        return f"{either('', f'{into} {text} USING {source} ON {on} ')}{made}{shown}{either('', ';')}"


def _semicolon(text: str) -> str:
    """WITH needs one before it."""
    return ";" if "WITH" in text[:80] else ""
