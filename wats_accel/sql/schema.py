"""The schema: what a database adds to a text: cascades, triggers, views, procedures, computed columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from wats_accel.sql.access import Changes, Columns, Reads
from wats_accel.sql.facts import Facts

OnDelete = Literal["no action", "cascade", "set null", "set default"]


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """A reference of one table to another. Names as `access` spells them."""

    table: str
    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]
    on_delete: OnDelete = "no action"
    on_update: OnDelete = "no action"


@dataclass(frozen=True, slots=True)
class Trigger:
    """What a trigger of a table does besides; `changes.unknown` if nobody has said."""

    table: str
    name: str
    events: frozenset[str]  # insert, update, delete
    changes: Changes


@dataclass(frozen=True, slots=True)
class Table:
    """A table. `columns` is None if they are not known; `computed` are those that any UPDATE may change."""

    name: str
    columns: Columns | None = None
    computed: Columns = frozenset()


@dataclass(frozen=True, slots=True)
class Routine:
    """A procedure or function: what it reads and changes."""

    name: str
    reads: Reads
    changes: Changes
    reads_clock: bool = False


@dataclass(frozen=True, slots=True)
class Effect:
    """What executing a text really does, as far as facts and schema tell."""

    reads: Reads
    changes: Changes
    reads_clock: bool = False


@dataclass(frozen=True, slots=True)
class Schema:
    """What is known of one database; empty if nothing is.

    Attributes:
        complete: whether there are no tables, views and triggers but these. If not, a name that is not here
            is taken for a plain table unless `effect` is asked to be strict.
    """

    tables: Mapping[str, Table] = field(default_factory=dict)
    foreign_keys: tuple[ForeignKey, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    views: Mapping[str, Reads] = field(default_factory=dict)
    routines: Mapping[str, Routine] = field(default_factory=dict)
    complete: bool = False

    def effect(self, facts: Facts, *, strict: bool = False) -> Effect:
        """What a statement does with this database, everything expanded.

        Args:
            facts: of the text.
            strict: take names that the schema does not have for views and tables with triggers nobody
                knows: then reads of them are unknown, and writes to them concern everything.
        """
        raise NotImplementedError
