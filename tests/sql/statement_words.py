"""What statements drawn at random are made of: tables, names, scopes, and how each is written."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from random import Random
from typing import Any, Final

from hypothesis import strategies as st

ROWS: Final = "rows_of_"
"""PostgreSQL lets nobody count rows who may see no column: each table has one that no statement names."""

_TABLES: Final = (
    *("clients", "orders", "items", "users", "log", "t1", "a"),
    *("order", "select", "Ordem de Compra", "ação", "Users_Old", "value", "from"),
)
_COLUMNS: Final = (
    *("id", "name", "total", "qty", "price", "b", "x", "clients", "a"),
    *("group", "order", "Preço", "where", "unit price", "user", "value", "key"),
)
_PLAIN: Final = re.compile(r"[a-z_][a-z0-9_]*\Z")
_RESERVED: Final = frozenset({"order", "select", "from", "group", "where", "user", "value", "key"})
_QUOTED: Final = re.compile(
    r"'(?:[^']|'')*'|\"[^\"]*\"|\[[^\]]*\]|`[^`]*`|--[^\n]*|/\*.*?\*/|\b[A-Z]{2,}\b", re.DOTALL
)
_COMMENTS: Final = (
    *("/* FROM hidden h JOIN secret s */", "-- UPDATE hidden SET x = 'y\n", "/* ' */", "--\n"),
    *("/**/", "/* ; DELETE FROM hidden; */", "-- it's\n", '/* " [ ` */'),
)
LITERALS: Final = (
    *("''", "'FROM secret'", "'; DROP TABLE hidden; --'", "'it''s'", "'/*'", "'*/'", "'--'"),
    *("'\"'", "'[a'", "'SELECT hidden FROM secret WHERE '''", "'@x ? :y $1 #z'", "'ação'"),
)


@dataclass(frozen=True, slots=True)
class Flavour:
    """What sets one database's SQL apart from another's.

    Attributes:
        name: the dialect.
        schema: what may stand before a table's name; the number of the group of tables goes into it.
        quotes: what may stand around a name.
    """

    name: str
    schema: str
    quotes: tuple[tuple[str, str], ...]

    def at(self, place: int) -> Flavour:
        """The same for one group of tables."""
        return replace(self, schema=self.schema.format(place))

    @property
    def is_sqlite(self) -> bool:
        return self.name == "sqlite"

    @property
    def is_postgres(self) -> bool:
        return self.name == "postgres"


SQLITE: Final = Flavour("sqlite", "main", (('"', '"'), ("[", "]"), ("`", "`")))
POSTGRES: Final = Flavour("postgres", "shop{}", (('"', '"'),))


@dataclass(frozen=True, slots=True)
class Relation:
    """Something that columns can be taken of: a table, a CTE, or either under another name."""

    name: str
    columns: tuple[str, ...]
    is_table: bool = True


@dataclass(frozen=True, slots=True)
class Scope:
    """What a name may mean: relations of this query, then those of the queries around it.

    Attributes:
        names_outer: a column of a query around it needs its table's name. SQLite looks for what a CTE takes
            from outside where the CTE is used, and there a bare name may mean something else.
    """

    relations: tuple[Relation, ...] = ()
    outer: Scope | None = None
    ctes: tuple[Relation, ...] = ()
    names_outer: bool = False

    def reachable(self) -> list[Relation]:
        """All relations that can be named here; an inner one hides an outer one of the same name."""
        found: dict[str, Relation] = {}
        scope: Scope | None = self
        while scope is not None:
            for relation in scope.relations:
                found.setdefault(relation.name.casefold(), relation)
            scope = scope.outer
        return list(found.values())

    def unambiguous(self, column: str) -> bool:
        """Whether the column needs no table's name: the first query that has it has it once."""
        scope: Scope | None = self
        while scope is not None:
            count = sum(column in relation.columns for relation in scope.relations)
            if count:
                return count == 1
            scope = None if scope.names_outer else scope.outer
        return False


def schemas(seed: int, number: int) -> list[tuple[Relation, ...]]:
    """Tables made at random, the same for the same seed. The first column of each is its key."""
    random = Random(seed)
    return [
        tuple(
            Relation(table, tuple(random.sample(_COLUMNS, random.randint(2, 5))))
            for table in random.sample(_TABLES, random.randint(3, 5))
        )
        for _ in range(number)
    ]


@lru_cache(maxsize=256)
def _up_to(number: int) -> st.SearchStrategy[int]:
    return st.integers(0, number)


class Words:
    """Draws words.

    Args:
        draw: what Hypothesis gives to a composite strategy.
        tables: that the database has.
        flavour: of its SQL.
    """

    def __init__(self, draw: Callable[[Any], Any], tables: Sequence[Relation], flavour: Flavour) -> None:
        self._draw = draw
        self.tables = tuple(tables)
        self.flavour = flavour
        self._names = 0

    # -- choices ----------------------------------------------------------------------------------------

    def number(self, most: int) -> int:
        """From 0 to `most`; the simplest is 0."""
        return int(self._draw(_up_to(most)))

    def chance(self, percent: int) -> bool:
        return self.number(99) >= 100 - percent

    def pick(self, options: Sequence[Any]) -> Any:
        return options[self.number(len(options) - 1)]

    def some(self, options: Sequence[Any]) -> list[Any]:
        """At least one of them, in their order."""
        kept = [option for option in options if self.chance(50)]
        return kept or [self.pick(options)]

    def fresh(self) -> str:
        """A name that nothing else has."""
        self._names += 1
        return f"n{self._names}"

    # -- words ------------------------------------------------------------------------------------------

    def quoted(self, name: str) -> str:
        """A name as somebody might write it."""
        plain = _PLAIN.match(name) is not None and name not in _RESERVED
        if plain and not self.chance(30):
            shout = not self.chance(85)
            return name.upper() if shout else name
        start, end = self.pick(self.flavour.quotes)
        return f"{start}{name}{end}"

    def gap(self) -> str:
        """What may stand between two words: now and then a comment."""
        if not self.chance(4):
            return " "
        return f" {self.pick(_COMMENTS)} "

    def words(self, *parts: str) -> str:
        """The parts that are not empty, with gaps between them."""
        text = ""
        for part in filter(None, parts):
            text += (self.gap() if text else "") + part
        return text

    def finished(self, text: str) -> str:
        """The statement; its keywords in lower case now and then."""
        if not self.chance(40):
            return text
        return _QUOTED.sub(lambda found: found[0].lower() if found[0].isalpha() else found[0], text)
