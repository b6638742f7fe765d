"""Scopes: the tables that one query block sees, and which of them a column may belong to.

Names are kept until everything is read, since those of a select list stand before its tables. What a
block cannot place belongs to the block around it as well; what nobody can place belongs to every table
that was in sight.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from wats_accel.sql.access import ANY, ANY_COLUMN, Columns
from wats_accel.sql.reading.findings import Findings

RowNames = Literal["alias", "table", "none"]
_MOST_PAIRS: Final = 200_000  # of names and tables that are looked at one by one in a block
_MOST_EARLIER: Final = 100  # of the tables before one in FROM that are looked at


@dataclass
class Relation:
    """What a subquery or a CTE gives.

    Attributes:
        outputs: the names of its columns; None if they are not known.
        tables: those that a write to it goes to.
        renames: whether its columns may have other names than those of its tables.
        used_in: the blocks that have it in FROM.
        may_be_table: whether some databases take its name for a table's there.
    """

    outputs: frozenset[str] | None = None
    tables: set[str] = field(default_factory=set)
    renames: bool = False
    used_in: list[Scope] = field(default_factory=list)
    may_be_table: bool = False


@dataclass
class Source:
    """Something that stands in FROM.

    Attributes:
        alias: by which its columns are called; empty if by nothing.
        table: its name, if it is one; None for a subquery, a function, a temporary table.
        relation: of a subquery or CTE.
    """

    alias: str
    table: str | None = None
    relation: Relation | None = None

    def has(self, name: str, known: Mapping[str, Columns]) -> bool | None:
        """Whether it has a column; None if its columns are not known."""
        if self.table is not None:
            columns = known.get(self.table)
            return None if columns is None else name in columns
        if self.relation is not None and self.relation.outputs is not None:
            return name in self.relation.outputs
        return None


@dataclass(frozen=True)
class Resolution:
    """What names are resolved by.

    Attributes:
        findings: get the tables and columns.
        known: the columns of tables, where they are known.
        system_columns: names by which any column may be meant.
        row_names: what means all columns of a table where it stands among its columns: what the table is
            called by here (PostgreSQL), or its own name (full-text indexes of SQLite).
    """

    findings: Findings
    known: Mapping[str, Columns]
    system_columns: Columns
    row_names: RowNames


class Scope:
    """One query block.

    Args:
        parent: the block around it.
        relations: the CTEs that it sees, by name; those of the parent if None.
        within: the block that it is read with, if that is not the one whose columns it sees.
    """

    def __init__(
        self,
        parent: Scope | None,
        relations: Mapping[str, Relation] | None = None,
        within: Scope | None = None,
    ) -> None:
        self.parent = parent
        inherited: Mapping[str, Relation] = parent.relations if parent is not None else {}
        self.relations: Mapping[str, Relation] = inherited if relations is None else relations
        self.sources: list[Source] = []
        self._called: dict[str, list[Source]] = {}  # the same by their aliases
        self.names: set[str] = set()
        self.qualified: set[tuple[str, ...]] = set()
        self.shared: set[str] = set()  # by USING: every table has them
        self.everything = False
        self.outputs: set[str] = set()
        self.outputs_known = True
        self.renames = False
        self.verb = ""  # of what was last read in it, behind its CTEs
        self.gives: Relation | None = None  # where names of outer blocks are looked for where it is used
        self.visible: int | None = None  # of the tables of its parent, the number of those it may see
        self.rows_only = False  # nobody looks at what it selects
        self.children: list[Scope] = []
        reading = parent if within is None else within
        if reading is not None:
            reading.children.append(self)

    def add(self, source: Source) -> None:
        """Add what a block may take columns from."""
        self.sources.append(source)
        self._called.setdefault(source.alias, []).append(source)

    def use(self, parts: tuple[str, ...]) -> None:
        """Note that a column is used, by its name and what stands before it."""
        if len(parts) == 1:
            self.names.add(parts[0])
        else:
            self.qualified.add(parts)

    def tables(self) -> Iterator[str]:
        """The tables of this block, those in the main subqueries of its FROM as well."""
        for source in self.sources:
            if source.table is not None:
                yield source.table
            elif source.relation is not None:
                yield from source.relation.tables

    def relation(self) -> Relation:
        """What the block gives to the one around it."""
        outputs = frozenset(self.outputs) if self.outputs_known else None
        renames = self.renames or any(
            source.relation is not None and source.relation.renames for source in self.sources
        )
        return Relation(outputs, set(self.tables()), renames)

    def knows(self, alias: str) -> bool:
        """Whether a name stands for something in this block or in one around it."""
        scope: Scope | None = self
        while scope is not None:
            if alias in scope._called:
                return True
            scope = scope.parent
        return False

    # -- which columns of which tables -------------------------------------------------------------------

    def resolve(self, by: Resolution) -> None:
        """Give the names that were met, here and in the blocks inside, to the tables that they may be of."""
        for child in self.children:
            child.resolve(by)
        by.findings.columns |= self.names | self.outputs | self.shared
        by.findings.columns.update(*self.qualified)
        for source in self.sources:
            _read(source, by, *(ANY_COLUMN if self.everything else self.shared))
        strange = [
            parts
            for parts in self.qualified
            if parts[-2] not in self._called and parts[0] not in self._called
        ]
        if (len(self.names) + len(strange)) * len(self.sources) > _MOST_PAIRS:
            self._resolve_roughly(by)
            return
        for name in self.names:
            self._resolve_name(name, by)
        for parts in self.qualified:
            self._resolve_parts(parts, by)
        if self.gives is not None:
            self._resolve_where_used(self.gives, by)

    def _resolve_where_used(self, given: Relation, by: Resolution) -> None:
        """Of a CTE of SQLite: its names may mean what is around the blocks that use it, too."""
        owned = {name for name in self.names if any(source.has(name, by.known) for source in self.sources)}
        for block in given.used_in:
            block.qualified |= self.qualified
            around = block.parent if block.gives is None else block  # that one is a CTE, and passes them on
            if around is not None:
                around.names |= self.names - owned

    def _resolve_roughly(self, by: Resolution) -> None:
        """Where there is too much to look at it one by one: any name may be of any table."""
        for source in self.sources:
            _read(source, by, ANY)
        if self.parent is not None:
            self.parent.names |= self.names
            self.parent.qualified |= self.qualified

    def _resolve_name(self, name: str, by: Resolution) -> None:
        owners = [source for source in self.sources if source.has(name, by.known)]
        for source in self.sources:
            if name == {"alias": source.alias, "table": source.table}.get(by.row_names):
                _read(source, by, ANY)
        if not owners:
            self._resolve_freely(name, by)
        for source in owners:
            _read(source, by, name)

    def _resolve_freely(self, name: str, by: Resolution) -> None:
        """Of a name that no source is known to have."""
        system = name in by.system_columns
        possible = [source for source in self.sources if system or source.has(name, by.known) is None]
        for source in possible:
            _read(source, by, ANY if system else name)
        if self.parent is not None:
            self.parent.names.add(name)
            self._read_earlier(name, by)
            if not possible and not self.parent.may_have(name, by):
                self._read_all(name, by)
            outer = self._outer(lambda source: bool(source.has(name, by.known)))
            if outer is not None:
                outer.names.add(name)
        elif not possible:
            self._read_all(name, by)

    def _read_earlier(self, name: str, by: Resolution) -> None:
        """Of a name that may be of a table before this block, even if one behind it has such a column."""
        found = {source.has(name, by.known) for source in self._earlier()}
        if None in found and True not in found:
            for source in self._earlier():
                _read(source, by, *(() if source.has(name, by.known) is False else (name,)))

    def _earlier(self) -> Sequence[Source]:
        """The first of the tables of the parent that this block may see, if not all of them."""
        if self.visible is None or self.parent is None:
            return ()
        return self.parent.sources[: min(self.visible, _MOST_EARLIER)]

    def may_have(self, name: str, by: Resolution) -> bool:
        """Whether this block or one around it has something that may have a column."""
        scope: Scope | None = self
        while scope is not None:
            if any(source.has(name, by.known) is not False for source in scope.sources):
                return True
            scope = scope.parent
        return False

    def _read_all(self, name: str, by: Resolution) -> None:
        """Of a column that nothing has: the schema that is known may be older than the text."""
        for source in self.sources:
            _read(source, by, name)

    def early(self) -> Scope:
        """A block inside for what sees the tables that were added so far, and not those that follow."""
        inner = Scope(self)
        inner.visible = len(self.sources)
        return inner

    def _outer(self, is_meant: Callable[[Source], bool]) -> Scope | None:
        """The block around the parent, if a name may be of that one: the parent's table comes too late."""
        if self.visible is None or self.parent is None or self.parent.parent is None:
            return None
        return None if any(map(is_meant, self._earlier())) else self.parent.parent

    def _resolve_parts(self, parts: tuple[str, ...], by: Resolution) -> None:
        outer = self._outer(lambda source: source.alias in (parts[-2], parts[0]))
        if outer is not None:
            outer.qualified.add(parts)
        for qualifier, column in ((parts[-2], parts[-1]), (parts[0], parts[1])):
            found = self._called.get(qualifier, ())
            for source in found:
                _read(source, by, ANY if column in by.system_columns else column)
            if found and any(source.has(column, by.known) is not False for source in found):
                return
            if self.parent is not None and self.parent.knows(qualifier):  # in SQLite though it is one here
                self.parent.qualified.add(parts)
                return
            if found:
                return
        for source in self.sources:  # a field of a column, or an alias that was not taken for one
            _read(source, by, *parts)
        if self.parent is not None:
            self.parent.qualified.add(parts)


def _read(source: Source, by: Resolution, *columns: str) -> None:
    if source.table is not None and columns:
        by.findings.read(source.table, columns)
