"""T-SQL drawn at random, each text along with what it is in SQLite's words: queries.

No T-SQL server is at hand, but most of what T-SQL says SQLite can say, too. A statement is drawn once; where
the two differ, both spellings are written down side by side (`either`), and taken apart at the end.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from statement_words import Flavour, Relation, Scope
from write_strategies import Writes

_OPEN, _OR, _CLOSE = "\ue000", "\ue001", "\ue002"
NEXT: Final = "\ue003"
"""What stands between two statements of SQLite's."""
_EITHER: Final = re.compile(f"{_OPEN}([^{_OPEN}-{_CLOSE}]*){_OR}([^{_OPEN}-{_CLOSE}]*){_CLOSE}")
_PREFIXES: Final = ("dbo.", "[dbo].", "Loja.dbo.", "Loja..", "SRV01.Loja.dbo.", "[srv.filial].[Loja].dbo.")


def either(sqlite: str, tsql: str) -> str:
    """What SQLite says in its way and T-SQL in another."""
    return f"{_OPEN}{sqlite}{_OR}{tsql}{_CLOSE}"


TSQL: Final = Flavour("tsql", either("main", "dbo"), (("[", "]"), ("[", "]"), ('"', '"')))


def taken_apart(text: str, place: int) -> str:
    """One of the two spellings: 1, SQLite's, or 2, T-SQL's."""
    while _OPEN in text:
        text = _EITHER.sub(lambda found: found[place], text)
    return text


class TsqlQueries(Writes):
    """Draws queries of T-SQL; every text has both spellings in it."""

    comparisons: Sequence[str] = ("=", "=", either("<>", "!="), "<", either(">=", "!<"))
    recursive = either("RECURSIVE ", "")
    materialized = ("",)
    filters = False

    # -- values -----------------------------------------------------------------------------------------

    def value(self, scope: Scope, depth: int) -> str:
        """Now and then a parameter, the clock, or a function of one's own."""
        kind = self.number(60)
        if kind == 60:
            return either("7", "DATEDIFF(day, 0, GETDATE())")
        if kind == 59:
            return f"{either('abs', 'dbo.fn_valor')}({super().value(scope, depth - 1)})"
        if kind >= 57:
            return either("7", self.pick(("@id", "?", "@n", "-$7.5")))
        return super().value(scope, depth)

    def length(self) -> str:
        """LEN."""
        return (
            super()
            .length()
            .replace("length(", either("length(", self.pick(("LEN(", "LEN(N", "DATALENGTH("))))
        )

    def single(self, query: str) -> str:
        """T-SQL wants no LIMIT there."""
        return f"({query})"

    # -- what stands behind FROM ------------------------------------------------------------------------

    def table(self, scope: Scope) -> tuple[str, Relation]:
        """With up to four parts."""
        text, relation = super().table(scope)
        if relation.is_table and not text.startswith(_OPEN) and self.chance(25):
            text = either("", self.pick(_PREFIXES)) + text
        return text, relation

    def source(self, scope: Scope, depth: int, beside: tuple[Relation, ...]) -> tuple[str, Relation]:
        """With a hint behind it."""
        text, relation = super().source(scope, depth, beside)
        if relation.is_table and self.chance(10):
            text += either("", self.pick((" WITH (NOLOCK)", " (NOLOCK)", " WITH (INDEX(ix), ROWLOCK)")))
        return text, relation

    def function(self, scope: Scope) -> tuple[str, Relation]:
        """A function of one's own that gives rows."""
        name = self.fresh()
        return f"{either('(SELECT 1 AS m)', 'dbo.fn_linhas(1)')} AS {name}", Relation(name, ("m",), False)

    def joined(
        self, text: str, known: tuple[Relation, ...], relation: Relation, scope: Scope, depth: int
    ) -> str:
        """APPLY among the joins."""
        kind = self.number(9)
        if kind <= 1:
            return f",{self.gap()}{text}"
        if kind == 2:
            return f" {either('CROSS JOIN', self.pick(('CROSS JOIN', 'CROSS APPLY')))} {text}"
        if kind == 3:
            return f" {either('LEFT JOIN', 'OUTER APPLY')} {text}{either(' ON 1 = 1', '')}"
        join = self.pick(
            (
                *("JOIN", "INNER JOIN", "LEFT JOIN", "LEFT OUTER JOIN", "RIGHT JOIN", "FULL OUTER JOIN"),
                either("INNER JOIN", "INNER HASH JOIN"),
            )
        )
        return f"{self.gap()}{join} {text} ON {self.on(join, known, relation, scope, depth)}"

    def sources(self, scope: Scope, depth: int) -> tuple[str, tuple[Relation, ...]]:
        """At the end perhaps the APPLY of a query that looks at what stands before it."""
        text, known = super().sources(scope, depth)
        if depth <= 0 or not self.chance(10):
            return text, known
        query, columns = self.query(
            Scope(outer=replace(scope, relations=known), ctes=scope.ctes), None, depth - 1
        )
        name = self.fresh()
        values = ", ".join(f"1 AS {self.quoted(column)}" for column in columns)
        kind = self.pick(("CROSS APPLY", "OUTER APPLY"))
        applied = either(
            f"JOIN (SELECT {values}) AS {name} ON EXISTS ({query})", f"{kind} ({query}) AS {name}"
        )
        return f"{text} {applied}", (*known, Relation(name, columns, False))

    # -- queries ----------------------------------------------------------------------------------------

    def may_define(self, depth: int) -> bool:
        """WITH stands before a whole statement only."""
        return False

    def constants(self, number: int) -> tuple[str, tuple[str, ...]]:
        """A query without a table."""
        names = tuple(self.fresh() for _ in range(number))
        return f"SELECT {', '.join(f'{self.number(9)} AS {name}' for name in names)}", names

    def select(self, scope: Scope, number: int, depth: int) -> tuple[str, tuple[str, ...]]:
        """With TOP."""
        text, names = super().select(scope, number, depth)
        word = next(w for w in ("SELECT DISTINCT", "SELECT ALL", "SELECT") if text.startswith(w))
        if self.chance(12):
            top = self.pick((" TOP 5", " TOP (5)", " TOP (@n) PERCENT"))
            text = f"{word}{either('', top)}{text.removeprefix(word)}"
        return text, names

    def limit(self, text: str) -> str:
        """OFFSET and FETCH, at the end of a statement."""
        return either(text, "" if text.startswith(" ") else "OFFSET 1 ROWS FETCH NEXT 5 ROWS ONLY")
