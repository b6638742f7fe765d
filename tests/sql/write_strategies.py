"""Statements that write, and texts of several statements; queries are drawn by `statement_strategies`."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hypothesis import strategies as st
from statement_strategies import Grammar
from statement_words import Flavour, Relation, Scope


@dataclass(frozen=True, slots=True)
class Text:
    """A text of SQL, and its statements by themselves: databases are asked about one at a time."""

    sql: str
    statements: tuple[str, ...]


@st.composite
def texts(draw: st.DrawFn, schemas: list[tuple[Relation, ...]], flavour: Flavour) -> tuple[int, Text]:
    """A text over one of the schemas, and which."""
    place = draw(st.integers(0, len(schemas) - 1))
    grammar = Writes(draw, schemas[place], flavour.at(place))
    many = 2 + grammar.number(1) if grammar.chance(8) else 1
    statements = tuple(grammar.finished(grammar.statement()) for _ in range(many))
    end = grammar.pick(("", ";", " ;\n"))
    return place, Text(grammar.pick(("; ", ";", ";\n-- ;\n")).join(statements) + end, statements)


class Writes(Grammar):
    """Draws any statement."""

    def statement(self) -> str:
        """A query, or something that writes."""
        kind = self.number(9)
        if kind <= 4:
            return self.whole_query()
        head, scope = self.ctes(Scope(), 1) if self.chance(25) else ("", Scope())
        if kind == 5:
            return self.words(head, self.delete(scope))
        if kind <= 7:
            return self.words(head, self.update(scope))
        if kind == 8 and self.flavour.is_postgres and self.chance(60):
            return self.words(head, self.merge(scope))
        if self.flavour.is_postgres and not head and self.chance(20):
            return self.writing_cte()
        return self.words(head, self.insert(scope))

    # -- parts ------------------------------------------------------------------------------------------

    def target(self, scope: Scope) -> tuple[str, Relation]:
        """The table to write to, with an alias perhaps; a CTE cannot be meant."""
        table = self.pick(self.tables)
        prefix = f"{self.flavour.schema}." if self.chance(20) or self.names_a_cte(table, scope) else ""
        text = f"{prefix}{self.quoted(table.name)}"
        if self.chance(65):
            return text, table
        name = self._alias(()) or self.fresh()
        return f"{text} AS {self.quoted(name)}", replace(table, name=name)

    def names_a_cte(self, table: Relation, scope: Scope) -> bool:
        """Whether a table's name means a CTE where a table is written: in T-SQL alone."""
        return False

    def assignments(self, table: Relation, scope: Scope) -> str:
        """What stands behind SET."""
        columns = self.some(table.columns)
        if len(columns) > 1 and self.chance(20):
            names = ", ".join(map(self.quoted, columns))
            inner = Scope(outer=scope, ctes=scope.ctes)
            query, _ = self.query(inner, len(columns), 1)
            return f"({names}) = ({query} LIMIT 1)"
        return f",{self.gap()}".join(f"{self.quoted(name)} = {self.value(scope, 2)}" for name in columns)

    def returning(self, table: Relation, scope: Scope) -> str:
        """RETURNING with some columns, or nothing."""
        if not self.chance(25):
            return ""
        if self.chance(25):
            return "RETURNING *"
        # SQLite lets none but the columns of the table that was written be named there.
        inside = Scope((table,)) if self.flavour.is_sqlite else scope
        return f"RETURNING {self.value(replace(inside, ctes=()), 1)} AS {self.fresh()}"

    # -- statements -------------------------------------------------------------------------------------

    def update(self, scope: Scope) -> str:
        """UPDATE, with other tables or without."""
        text, table = self.target(scope)
        relations: tuple[Relation, ...] = (table,)
        more = ""
        if self.chance(40):
            source, relation = self.source(scope, 1, relations)
            relations, more = (table, relation), f"FROM {source}"
            if self.chance(30):
                other, relation = self.source(scope, 0, relations)
                relations, more = (*relations, relation), f"{more}, {other}"
        inside = replace(scope, relations=relations)
        clash = self.pick(("", "OR IGNORE", "OR REPLACE", "OR FAIL")) if self.flavour.is_sqlite else ""
        where = f"WHERE {self.condition(inside, 2)}" if self.chance(75) else ""
        values = self.assignments(table, inside)
        return self.words("UPDATE", clash, text, "SET", values, more, where, self.returning(table, inside))

    def delete(self, scope: Scope) -> str:
        """DELETE; in PostgreSQL with USING, too."""
        text, table = self.target(scope)
        relations: tuple[Relation, ...] = (table,)
        using = ""
        if self.flavour.is_postgres and self.chance(40):
            source, relation = self.source(scope, 1, relations)
            relations, using = (table, relation), f"USING {source}"
        inside = replace(scope, relations=relations)
        where = f"WHERE {self.condition(inside, 2)}" if self.chance(85) else ""
        return self.words("DELETE FROM", text, using, where, self.returning(table, inside))

    def insert(self, scope: Scope) -> str:
        """INSERT or REPLACE, with what to do about rows that are there already."""
        text, table = self.target(scope)
        word = self.pick(("INSERT", "INSERT OR REPLACE", "INSERT OR IGNORE", "REPLACE"))
        word = f"{word if self.flavour.is_sqlite else 'INSERT'} INTO"
        if self.chance(5):
            return self.words(word, text, "DEFAULT VALUES", self.returning(table, Scope((table,))))
        columns = self.some(table.columns)
        names = f"({', '.join(map(self.quoted, columns))})"
        if self.flavour.is_postgres and self.chance(5):
            names = f"{names} OVERRIDING SYSTEM VALUE"
        if self.chance(50):
            rows = (self._row(len(columns), scope) for _ in range(1 + self.number(1)))
            source = f"VALUES {', '.join(rows)}"
        else:
            # SQLite would take ON for the beginning of a join's condition.
            inner, _ = self.query(Scope(ctes=scope.ctes), len(columns), 2)
            source = f"SELECT * FROM ({inner}) AS s WHERE true"
        plain = word == "INSERT INTO"
        clash = self._conflict(table, scope) if plain and self.chance(40) else ""
        return self.words(word, text, names, source, clash, self.returning(table, Scope((table,))))

    def _row(self, number: int, scope: Scope) -> str:
        bare = replace(scope, relations=())
        return f"({', '.join(self.value(bare, 2) for _ in range(number))})"

    def _conflict(self, table: Relation, scope: Scope) -> str:
        key = table.columns[0]
        # The row that is there already: under the alias, or under the table's own name.
        inside = replace(scope, relations=(table, Relation("excluded", table.columns, False)))
        if self.chance(30):
            return f"ON CONFLICT ({self.quoted(key)}) DO NOTHING"
        where = f" WHERE {self.condition(inside, 1)}" if self.chance(40) else ""
        return f"ON CONFLICT ({self.quoted(key)}) DO UPDATE SET {self.assignments(table, inside)}{where}"

    def merge(self, scope: Scope) -> str:
        """MERGE with one branch or several."""
        text, table = self.target(scope)
        source, relation = self.source(scope, 1, (table,))
        inside = replace(scope, relations=(table, relation))
        alone = replace(scope, relations=(relation,))
        columns = self.some(table.columns)
        names = ", ".join(map(self.quoted, columns))
        values = ", ".join(self.value(alone, 1) for _ in columns)
        more = f" AND {self.condition(inside, 1)}" if self.chance(40) else ""
        branches = (
            f"WHEN MATCHED{more} THEN UPDATE SET {self.assignments(table, inside)}",
            f"WHEN MATCHED{more} THEN DELETE",
            f"WHEN NOT MATCHED THEN INSERT ({names}) VALUES ({values})",
            "WHEN MATCHED AND 1 = 1 THEN DO NOTHING",
        )
        on = f"ON {self.condition(inside, 1)}"
        return self.words("MERGE INTO", text, "USING", source, on, *self.some(branches))

    def writing_cte(self) -> str:
        """PostgreSQL: a query over what a statement inside WITH has written."""
        name = self.pick((self.fresh(), self.tables[0].name))
        table = self.pick(self.tables)
        inside = Scope((table,))
        where = f"WHERE {self.condition(inside, 1)}"
        key, target = self.quoted(table.columns[0]), self.quoted(table.name)
        write = self.pick(
            (
                f"DELETE FROM {target} {where} RETURNING {key} AS k",
                f"UPDATE {target} SET {self.assignments(table, inside)} {where} RETURNING {key} AS k",
                f"INSERT INTO {target} ({key}) VALUES ({self.number(9)}) RETURNING {key} AS k",
            )
        )
        scope = Scope(ctes=(Relation(name, ("k",), False),))
        query = self.pick(
            (self.select(scope, 1, 1)[0], self.insert(scope), f"SELECT count(*) FROM {self.quoted(name)}")
        )
        return f"WITH {self.quoted(name)} AS ({write}) {query}"
