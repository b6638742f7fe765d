"""Statements that a database takes, over tables made at random: what SQLite and PostgreSQL are asked about.

A `Grammar` draws a query from Hypothesis. Most of what it writes is valid; what the database refuses is
left out of the count. Every value is a whole number, so that PostgreSQL takes it wherever it stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from statement_words import LITERALS, Relation, Scope, Words


class Grammar(Words):
    """Draws queries over some tables."""

    comparisons: Sequence[str] = ("=", "<>", "<", ">=", "IS NOT DISTINCT FROM")
    recursive = "RECURSIVE "
    materialized = ("", "MATERIALIZED ")
    filters = True
    starless = False
    into = ""  # what the next SELECT has before its FROM; those inside of it have none

    # -- values -----------------------------------------------------------------------------------------

    def column(self, scope: Scope) -> str:
        """A column that can be named here, or a number."""
        relations = scope.reachable()
        if not relations:
            return str(self.number(9))
        relation = self.pick(relations)
        name = self.pick(relation.columns)
        if self.flavour.is_postgres and self.chance(2):
            return f"length({self.quoted(relation.name)}::text)"  # the row as a whole
        if relation.is_table and self.flavour.is_sqlite and self.chance(4):
            return f"{self.quoted(relation.name)}.{self.pick(('rowid', '_rowid_', 'OID'))}"
        if scope.unambiguous(name) and self.chance(60):
            return self.quoted(name)
        return f"{self.quoted(relation.name)}.{self.quoted(name)}"

    def value(self, scope: Scope, depth: int) -> str:
        """An expression that gives a whole number."""
        kind = self.number(13) if depth > 0 else 0
        if kind <= 4:
            return self.column(scope) if self.chance(85) else str(self.number(9))
        one = self.value(scope, depth - 1)
        if kind == 5:
            return f"{one} {self.pick('+-*')} {self.value(scope, depth - 1)}"
        if kind == 6:
            return f"coalesce({one}, {self.value(scope, depth - 1)})"
        if kind == 7:
            when = self.condition(scope, depth - 1)
            return f"CASE WHEN {when} THEN {one} ELSE {self.value(scope, depth - 1)} END"
        if kind == 8:
            whens = f"WHEN {self.value(scope, depth - 1)} THEN {self.number(9)}"
            return f"CASE {one} {whens} END"
        if kind == 9:
            return f"({one})::integer" if self.flavour.is_postgres else f"CAST({one} AS INTEGER)"
        if kind == 10:
            return f"abs({one})"
        if kind == 11:
            return self.length()
        return self.single(self.query(Scope(outer=scope, ctes=scope.ctes), 1, depth - 1)[0])

    def length(self) -> str:
        """The length of a text that looks like SQL."""
        return f"length({self.pick(LITERALS)})"

    def single(self, query: str) -> str:
        """A query of one column as a value."""
        return f"({query}{self.gap()}LIMIT 1)"

    def condition(self, scope: Scope, depth: int) -> str:
        """An expression that is true or false."""
        kind = self.number(11) if depth > 0 else 0
        one = self.value(scope, depth - 1)
        if kind <= 3:
            return f"{one} {self.pick(self.comparisons)} {self.value(scope, 0)}"
        if kind == 4:
            return f"{one} IS {self.pick(('', 'NOT '))}NULL"
        if kind == 5:
            return f"{one} {self.pick(('', 'NOT '))}BETWEEN {self.value(scope, 0)} AND {self.value(scope, 0)}"
        if kind == 6:
            return f"{one} IN ({self.value(scope, depth - 1)}, {self.number(9)})"
        if kind == 7:
            return f"{one} = {self.length()}"
        if kind == 8:
            word = self.pick(("AND", "OR"))
            return f"({self.condition(scope, depth - 1)} {word} NOT {self.condition(scope, 0)})"
        inner = Scope(outer=scope, ctes=scope.ctes)
        if kind == 9:
            return f"{one} {self.pick(('', 'NOT '))}IN ({self.query(inner, 1, depth - 1)[0]})"
        columns = 1 + self.number(1)
        self.starless = True  # what EXISTS selects is of no interest to anybody
        return f"{self.pick(('', 'NOT '))}EXISTS ({self.query(inner, columns, depth - 1)[0]})"

    # -- what stands behind FROM ------------------------------------------------------------------------

    def table(self, scope: Scope) -> tuple[str, Relation]:
        """A table or CTE, as it is written, and what it is: a CTE hides the table that has its name."""
        if scope.ctes and self.chance(50):
            cte = self.pick(scope.ctes)
            return self.quoted(cte.name), cte
        table = self.pick(self.tables)
        hidden = any(cte.name.casefold() == table.name.casefold() for cte in scope.ctes)
        if hidden or self.chance(15):
            return f"{self.flavour.schema}.{self.quoted(table.name)}", table
        return self.quoted(table.name), table

    def source(self, scope: Scope, depth: int, beside: tuple[Relation, ...]) -> tuple[str, Relation]:
        """One thing behind FROM, under a name that none `beside` it has."""
        kind = self.number(9)
        if kind == 8 and depth > 0:
            return self._subquery(scope, depth, beside)
        if kind == 9 and self.chance(50):
            return self.function(replace(scope, relations=beside))
        text, relation = self.table(scope)
        taken = {other.name.casefold() for other in beside}
        name = self._alias(beside) if self.chance(60) else None
        if name is None and relation.name.casefold() in taken:
            name = self.fresh()
        if name is None:
            return text, relation
        return f"{text}{self.gap()}{self.pick(('AS ', ''))}{self.quoted(name)}", replace(relation, name=name)

    def _subquery(self, scope: Scope, depth: int, beside: tuple[Relation, ...]) -> tuple[str, Relation]:
        outer, word = scope.outer, ""
        if beside and self.flavour.is_postgres and self.chance(50):
            outer, word = replace(scope, relations=beside), "LATERAL "
        text, columns = self.query(Scope(outer=outer, ctes=scope.ctes), None, depth - 1)
        name = self._alias(beside) or self.fresh()
        alias = f"{self.pick(('AS ', ''))}{self.quoted(name)}"
        if self.chance(20) and self.flavour.is_postgres:
            columns = tuple(self.fresh() for _ in columns)
            alias += f"({', '.join(columns)})"
        return f"{word}({text}){self.gap()}{alias}", Relation(name, columns, False)

    def _alias(self, beside: tuple[Relation, ...]) -> str | None:
        """A short name, or one that misleads: of another table, or of a column."""
        taken = {other.name.casefold() for other in beside}
        misleading = [table.name for table in self.tables] + [self.tables[0].columns[0]]
        name = self.pick(("p", "q", "r", *misleading))
        return None if name.casefold() in taken else str(name)

    def function(self, scope: Scope) -> tuple[str, Relation]:
        """Something that gives rows and is no table."""
        name = self.fresh()
        if self.flavour.is_sqlite:
            text = self.pick(("'[1, 2]'", '\'{"a": "FROM secret"}\'', self.column(scope)))
            return f"json_each({text}) AS {name}", Relation(name, ("key", "value", "id"), False)
        return f"generate_series(1, {self.column(scope)}) AS {name}(m)", Relation(name, ("m",), False)

    def sources(self, scope: Scope, depth: int) -> tuple[str, tuple[Relation, ...]]:
        """All that stands behind FROM."""
        text, relation = self.source(scope, depth, ())
        known = (relation,)
        for _ in range(self.number(2)):
            other, relation = self.source(scope, depth - 1, known)
            text += self.joined(other, known, relation, scope, depth)
            known = (*known, relation)
        return text, known

    def joined(
        self, text: str, known: tuple[Relation, ...], relation: Relation, scope: Scope, depth: int
    ) -> str:
        """A relation joined to those before it."""
        kind = self.number(9)
        if kind <= 1:
            return f",{self.gap()}{text}"
        if kind == 2:
            return f"{self.gap()}CROSS JOIN {text}"
        if kind == 3:
            return f"{self.gap()}NATURAL {self.pick(('', 'LEFT ', 'INNER '))}JOIN {text}"
        join = self.pick(
            ("JOIN", "INNER JOIN", "LEFT JOIN", "LEFT OUTER JOIN", "RIGHT JOIN", "FULL OUTER JOIN")
        )
        shared = [name for name in relation.columns if sum(name in other.columns for other in known) == 1]
        if shared and kind <= 5:
            names = ", ".join(self.quoted(name) for name in self.some(shared))
            return f"{self.gap()}{join} {text} USING ({names})"
        return f"{self.gap()}{join} {text} ON {self.on(join, known, relation, scope, depth)}"

    def on(self, join: str, known: tuple[Relation, ...], relation: Relation, scope: Scope, depth: int) -> str:
        """The condition of a join."""
        # PostgreSQL joins fully only by what it can hash or merge.
        inside = replace(scope, relations=(*known, relation))
        left = f"{self.quoted(known[-1].name)}.{self.quoted(self.pick(known[-1].columns))}"
        right = f"{self.quoted(relation.name)}.{self.quoted(self.pick(relation.columns))}"
        more = "" if "FULL" in join else f" AND {self.condition(inside, min(depth, 1))}"
        return f"{left} = {right}{more if self.chance(40) else ''}"

    # -- queries ----------------------------------------------------------------------------------------

    def query(self, scope: Scope, number: int | None, depth: int) -> tuple[str, tuple[str, ...]]:
        """A query and the names of its columns.

        Args:
            scope: what is around it; it has no relations of its own yet.
            number: of columns; None: as it likes.
            depth: how many more queries may be inside.
        """
        number = number or 1 + self.number(2)
        head, scope = self.ctes(scope, depth) if self.may_define(depth) else ("", scope)
        text, names = self.select(scope, number, depth)
        if self.chance(12):
            word = self.pick(("UNION", "UNION ALL", "INTERSECT", "EXCEPT"))
            other = self.select(scope, number, depth - 1)[0]
            return self.words(head, text, word, other), names
        return self.words(head, text), names

    def may_define(self, depth: int) -> bool:
        """Whether a query begins with WITH."""
        return depth > 0 and self.chance(20)

    def select(self, scope: Scope, number: int, depth: int) -> tuple[str, tuple[str, ...]]:
        """One SELECT, without what stands around it, and the names of its columns."""
        into, self.into = self.into, ""
        starless, self.starless = self.starless, False
        if self.chance(3):
            return self.constants(number)
        text, relations = self.sources(scope, depth)
        inside = replace(scope, relations=relations)
        where = f"WHERE {self.condition(inside, depth)}" if self.chance(50) else ""
        if self.chance(20):
            return self._grouped(inside, number, depth, text, where)
        items, names = self._items(inside, number, depth, starless)
        select = self.pick(("SELECT", "SELECT", "SELECT", "SELECT DISTINCT", "SELECT ALL"))
        if select == "SELECT ALL" and self.flavour.is_postgres:
            select = f"SELECT DISTINCT ON ({self.column(inside)})"
        return self.words(select, items, into, "FROM", text, where), names

    def constants(self, number: int) -> tuple[str, tuple[str, ...]]:
        """A query without a table."""
        names = tuple(f"column{place + 1}" for place in range(number))
        rows = (
            f"({', '.join(self.column(Scope()) for _ in range(number))})" for _ in range(1 + self.number(1))
        )
        return f"VALUES {', '.join(rows)}", names

    def _items(self, scope: Scope, number: int, depth: int, starless: bool) -> tuple[str, tuple[str, ...]]:
        star = None if starless else self._star(scope, number)
        if star:
            return star
        items, names = [], []
        for _ in range(number):
            name = self.fresh()
            value = self._window(scope) if self.chance(8) else self.value(scope, depth)
            items.append(f"{value} AS {name}")
            names.append(name)
        return f",{self.gap()}".join(items), tuple(names)

    def _star(self, scope: Scope, number: int) -> tuple[str, tuple[str, ...]] | None:
        """A star, where one relation has just so many columns."""
        fitting = [relation for relation in scope.relations if len(relation.columns) == number]
        if not fitting or self.flavour.is_postgres or self.chance(60):
            return None
        if len(scope.relations) == 1 and self.chance(50):
            return "*", fitting[0].columns
        relation = self.pick(fitting)
        return f"{self.quoted(relation.name)}.*", relation.columns

    def _window(self, scope: Scope) -> str:
        function = self.pick(("row_number()", "count(*)", f"sum({self.column(scope)})"))
        partition = f"PARTITION BY {self.value(scope, 0)} " if self.chance(50) else ""
        filtered = ""
        if self.filters and "row" not in function and self.chance(20):
            filtered = f" FILTER (WHERE {self.column(scope)} > 1)"
        return f"{function}{filtered} OVER ({partition}ORDER BY {self.value(scope, 1)} DESC)"

    def _grouped(
        self, scope: Scope, number: int, depth: int, text: str, where: str
    ) -> tuple[str, tuple[str, ...]]:
        key = self.column(replace(scope, outer=None))
        key = key if not key.isdigit() else f"({key})"
        names = tuple(self.fresh() for _ in range(number))
        items = [f"{key} AS {names[0]}"]
        items += [f"{self._aggregate(scope, depth)} AS {name}" for name in names[1:]]
        having = f"HAVING {self._aggregate(scope, depth)} > {self.number(9)}" if self.chance(40) else ""
        return self.words("SELECT", ", ".join(items), "FROM", text, where, f"GROUP BY {key}", having), names

    def _aggregate(self, scope: Scope, depth: int) -> str:
        inside = replace(scope, outer=None)
        function = self.pick(("sum", "min", "max", "count", "count(DISTINCT"))
        if "(" in function:
            return f"{function} {self.column(inside)})"
        if function == "count" and self.chance(50):
            return "count(*)"
        where = f" FILTER (WHERE {self.condition(inside, 0)})" if self.filters and self.chance(15) else ""
        return f"CAST({function}({self.value(inside, min(depth, 1))}){where} AS INTEGER)"

    # -- WITH -------------------------------------------------------------------------------------------

    def ctes(self, scope: Scope, depth: int) -> tuple[str, Scope]:
        """``WITH …`` and the scope behind it. CTEs like to be named as tables are."""
        parts = []
        recursive = self.chance(30)
        for _ in range(1 + self.number(1)):
            name = self.pick((self.fresh(), *(table.name for table in self.tables)))
            # SQLite's CTEs see later ones, too, and look outside for a column that those do not have.
            looks_outside = bool(parts) and self.flavour.is_sqlite and scope.outer is not None
            if looks_outside or any(cte.name.casefold() == name.casefold() for cte in scope.ctes):
                name = self.fresh()
            if recursive and self.chance(60):
                text, cte = self._recursive(scope, name, depth)
            else:
                text, cte = self._plain_cte(scope, name, depth, recursive)
            parts.append(text)
            scope = replace(scope, ctes=(*scope.ctes, cte))
        return f"WITH {self.recursive if recursive else ''}{', '.join(parts)}", scope

    def _plain_cte(self, scope: Scope, name: str, depth: int, recursive: bool) -> tuple[str, Relation]:
        bare = replace(scope, relations=(), names_outer=self.flavour.is_sqlite)
        if recursive or not self.flavour.is_postgres:
            text, columns = self._not_itself(bare, name, depth)
        else:
            text, columns = self.query(bare, None, depth - 1)
        if self.chance(50):
            columns = tuple(self.fresh() for _ in columns)
            return f"{self.quoted(name)}({', '.join(columns)}) AS ({text})", Relation(name, columns, False)
        return f"{self.quoted(name)} AS {self.pick(self.materialized)}({text})", Relation(
            name, columns, False
        )

    def _not_itself(self, scope: Scope, name: str, depth: int) -> tuple[str, tuple[str, ...]]:
        """A query without the table that is named like the CTE: the name would mean the CTE itself."""
        tables = self.tables
        self.tables = tuple(table for table in tables if table.name.casefold() != name.casefold()) or tables
        try:
            return self.query(scope, None, depth - 1)
        finally:
            self.tables = tables

    def _recursive(self, scope: Scope, name: str, depth: int) -> tuple[str, Relation]:
        column = self.fresh()
        bare = replace(scope, relations=(), ctes=(), names_outer=self.flavour.is_sqlite)
        first = self._not_itself(bare, name, min(depth, 1))
        if len(first[1]) != 1:
            first = (f"SELECT {self.number(9)}", (column,))
        table = self.pick(self.tables)
        joined = f", {self.flavour.schema}.{self.quoted(table.name)} AS z" if self.chance(50) else ""
        more = f" AND z.{self.quoted(self.pick(table.columns))} > 1" if joined else ""
        step = f"SELECT {column} + 1 FROM {self.quoted(name)}{joined} WHERE {column} < 5{more}"
        limit = "" if self.flavour.is_postgres else self.limit(" LIMIT 9")
        text = f"{self.quoted(name)}({column}) AS ({first[0]} UNION ALL {step}{limit})"
        return text, Relation(name, (column,), False)

    # -- whole queries ----------------------------------------------------------------------------------

    def whole_query(self) -> str:
        """A query as a statement: with ORDER BY, LIMIT and the like."""
        text, names = self.query(Scope(), None, 3)
        order = f"ORDER BY {self.quoted(self.pick(names))}" if self.chance(30) else ""
        limit = self.limit(f"LIMIT {self.number(9)} OFFSET 1") if self.chance(15) else ""
        lock = "FOR UPDATE" if self.flavour.is_postgres and self.chance(5) else ""
        return self.words(text, order, limit, lock)

    def limit(self, text: str) -> str:
        """LIMIT where there is such a thing."""
        return text
