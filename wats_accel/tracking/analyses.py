"""Analyses: what each call of a driver reads and changes, worked out once for each text of SQL."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from wats_accel.pool.changes import EXECUTING, Change
from wats_accel.sql.access import ANY, Access, Changes, Columns, Reads, access, name_of
from wats_accel.sql.facts import Call, Facts
from wats_accel.sql.schema import Effect, Schema
from wats_accel.tracking.catalogue import DEFINED, reads_catalogue
from wats_accel.tracking.seen import NOTHING_CHANGED, Changed, Footprints, Seen, remember

_MOST_REMEMBERED: Final = 1_000
_MOST_REDEFINED: Final = 2_000
_LONGEST_REMEMBERED: Final = 20_000
"""Characters. A text as long as this has its values inside, and does not come again."""


@dataclass(frozen=True, slots=True, eq=False)
class Analysis:
    """What one call does.

    Attributes:
        footprint: what it reads.
        changed: what it changes; None: nothing.
    """

    footprint: Seen
    changed: Changed | None


class Analyses:
    """Works out what calls do.

    Args:
        schema: gives what is known of the database, when it is first needed: that takes time.
        dialect: of texts on connections that do not tell theirs.
        strict: whether a name that the schema does not have may be a view, or a table with triggers.
        footprints: makes one object of each footprint.
    """

    def __init__(
        self, schema: Callable[[], Schema], *, dialect: str, strict: bool, footprints: Footprints
    ) -> None:
        self._give_schema = schema
        self._dialect = dialect
        self._strict = strict
        self._footprints = footprints
        self._schemas: dict[str, tuple[Schema, Mapping[str, Columns]]] = {}
        self._redefined: Schema | None = None
        self._lock = threading.RLock()  # of these two; re-entrant, as a finalizer may execute something
        self._known: dict[object, Analysis] = {}
        unknown = Changed(Changes(unknown=True), ("a call that cannot be read",))
        self._unknown = Analysis(footprints.of(Reads(unknown=True)), unknown)
        self._unknown_read = Analysis(footprints.of(Reads(unknown=True)), None)

    @property
    def were_redefined(self) -> bool:
        """Whether a statement has changed what is known of the database."""
        return self._redefined is not None

    def of_call(self, language: str, name: str, sql: object, change: Change) -> Analysis:
        """What a call of a driver does.

        Args:
            language: that the connection's database speaks.
            name: of the method.
            sql: what it is given.
            change: what it can do as far as the pool knows.
        """
        if name in EXECUTING and isinstance(sql, str):
            return self.of_text(sql, language)
        if name == "callproc" and isinstance(sql, str):
            facts = Facts(kinds=("procedure",), calls=frozenset({Call(name_of(sql), "procedure")}))
            return self._analysis(facts, language or self._dialect)
        return self._unknown if change.may_change else self._unknown_read

    def of_text(self, sql: str, language: str) -> Analysis:
        """What executing a text does."""
        text = sql if type(sql) is str else str.__str__(sql)  # a subclass may compare in a way of its own
        known = self._known.get((text, language))
        if known is None:
            dialect = language or self._dialect
            facts = _facts_of(text, dialect, self._schema(dialect)[1])
            if "definition" in facts.kinds:
                self._redefine(text, dialect)
            known = self._analysis(facts, dialect)
            if len(text) <= _LONGEST_REMEMBERED:
                remember(self._known, (text, language), known, most=_MOST_REMEMBERED)
        return known

    def is_known_read(self, sql: str, language: str) -> bool:
        """Whether a text has been read before, and found to change nothing."""
        known = self._known.get((sql, language))
        return known is not None and known.changed is None

    def declared(self, reads: tuple[str, ...]) -> Seen | None:
        """What a rule says that a method reads: ``table``, or ``table.column``; None if it says nothing."""
        if not reads:
            return None
        return self._footprints.of(self._schema(self._dialect)[0].reading(Reads(_declared(reads))).reads)

    def columns_of(self, table: str, columns: Sequence[str]) -> Sequence[str]:
        """These columns of a table; if any may be meant, all that are known."""
        known = self._schema(self._dialect)[0].tables.get(table)
        return columns if ANY not in columns or known is None else tuple(known.columns or columns)

    def _schema(self, dialect: str) -> tuple[Schema, Mapping[str, Columns]]:
        """What is known of databases that speak a dialect, and the columns of their tables."""
        known = self._schemas.get(dialect)
        if known is None:
            with self._lock:
                schema = self._known_schema()
                # The same tables may be in databases of several kinds; of each its own habits count.
                schema = dataclasses.replace(schema, dialect=dialect) if dialect else schema
                known = self._schemas[dialect] = (schema, schema.columns)
        return known

    def _redefine(self, text: str, dialect: str) -> None:
        """Be no longer sure of what a text defines that is about to be executed."""
        from wats_accel.tracking.redefined import redefined  # noqa: PLC0415 - heavy, as what reads SQL

        with self._lock:
            before = self._known_schema()
            after = redefined(before, text, dialect)
            if after is not before:
                self._redefined = self._kept_small(after)
                self._schemas = {}
                self._known = {}

    def _kept_small(self, schema: Schema) -> Schema:
        """Forget what was defined under ever new names, and from then on be sure of no unknown name."""
        known = self._give_schema()
        if _size(schema) <= _size(known) + _MOST_REDEFINED:
            return schema
        self._strict = True
        return dataclasses.replace(
            schema,
            views={name: reads for name, reads in schema.views.items() if known.has(name)},
            triggers=tuple(each for each in schema.triggers if known.has(each.table)),
            foreign_keys=tuple(
                each for each in schema.foreign_keys if known.has(each.table) and known.has(each.parent)
            ),
        )

    def _known_schema(self) -> Schema:
        return self._give_schema() if self._redefined is None else self._redefined

    def begin_anew(self) -> None:
        """In a child process: nobody holds the lock any more."""
        self._lock = threading.RLock()

    def _analysis(self, facts: Facts, dialect: str) -> Analysis:
        schema = self._schema(dialect)[0]
        effect = schema.effect(facts, strict=self._strict)
        reads, changed = effect.reads, None
        if reads_catalogue(reads.access, schema.tables):
            reads |= Reads(unknown=True)
        if effect.changes:
            besides = Changes(DEFINED) if "definition" in facts.kinds else NOTHING_CHANGED
            changed = Changed(effect.changes, (_name(facts, effect),), besides)
        return Analysis(self._footprints.of(reads, clock=effect.reads_clock), changed)


def _size(schema: Schema) -> int:
    return len(schema.views) + len(schema.triggers) + len(schema.foreign_keys)


def _facts_of(text: str, dialect: str, columns: Mapping[str, Columns]) -> Facts:
    from wats_accel.sql.statement import facts_of  # noqa: PLC0415 - heavy, and most modes never need it

    return facts_of(text, dialect, columns)


_CHANGING: Final = frozenset({"insert", "update", "delete", "merge", "procedure", "definition", "other"})


def _name(facts: Facts, effect: Effect) -> str:
    """A statement for people: its kinds, and the names in it that stand for what it changes."""
    kinds = "/".join(dict.fromkeys(kind for kind in facts.kinds if kind in _CHANGING))
    names = dict.fromkeys((*(write.table for write in facts.writes), *sorted(c.name for c in facts.calls)))
    return f"{kinds or 'statement'} {', '.join(names or effect.changes.access)}".strip()


def _declared(reads: tuple[str, ...]) -> Access:
    tables: dict[str, set[str]] = {}
    for text in reads:
        table, _, column = text.partition(".")
        tables.setdefault(table, set()).add(column or "*")
    return access(tables)
