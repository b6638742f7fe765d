"""Facts: what can be told of one text of SQL, by itself and without a database.

What the database adds (cascades, triggers, what views and procedures touch) `schema` knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from wats_accel.sql.access import NOTHING, Access, Columns

StatementKind = Literal[
    "select",
    "insert",
    "update",
    "delete",
    "merge",
    "procedure",
    "definition",
    "transaction",
    "session",
    "other",
]
"""definition: CREATE, ALTER, DROP …; session: SET, USE, PRAGMA, DECLARE …; other: what nobody knows."""

Event = Literal["insert", "update", "delete", "any"]
Hidden = Literal["reads", "writes", "both"]


@dataclass(frozen=True, slots=True)
class Write:
    """One table that a statement changes.

    Attributes:
        table: its name, as `access` spells it.
        event: what happens to its rows; any: nobody knows, or several things, as in MERGE.
        columns: those that an UPDATE sets; `ANY` for all other events, and where they cannot be told.
    """

    table: str
    event: Event
    columns: Columns


@dataclass(frozen=True, slots=True)
class Call:
    """A procedure or function of the database's own user, whose body is not in the text."""

    name: str
    kind: Literal["procedure", "function"]


@dataclass(frozen=True, slots=True)
class Unknown:
    """Something that the text does not tell.

    Attributes:
        what: in words, without any literal of the text: ``dynamic SQL``, ``a part that cannot be read`` …
        hides: what there may be more of.
    """

    what: str
    hides: Hidden


@dataclass(frozen=True, slots=True)
class Facts:
    """What a text of SQL does, all its statements taken together.

    Attributes:
        kinds: of its statements, in their order.
        reads: tables and columns that it reads, in whatever clause; those of an UPDATE's SET that are only
            set are not read.
        writes: what it changes. Temporary tables and table variables are neither read nor written.
        calls: what it calls of which `schema` may know more.
        reads_clock: whether what it gives depends on when it runs (GETDATE(), now() …).
        unknowns: what could not be told; empty if all of it could.
        parsed: whether the SQL library has understood all of it. If not, the tolerant reader has answered.
    """

    kinds: tuple[StatementKind, ...] = ()
    reads: Access = NOTHING
    writes: tuple[Write, ...] = ()
    calls: frozenset[Call] = frozenset()
    reads_clock: bool = False
    unknowns: tuple[Unknown, ...] = ()
    parsed: bool = True
