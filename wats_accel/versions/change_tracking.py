"""SQL Server's Change Tracking: what it says of each table since a version that it gave before.

Versions are given out when transactions commit, in that order. It is not promised everywhere that whoever
reads one version also sees all changes before it, so nothing here rests on that. Each question looks back
over two questions: it asks for all changes since the version that the last question but one has told, and
adds up their versions, so that a change that becomes visible late, below versions already seen, makes
another sum.

Of what Change Tracking does not tell, the question asks besides: whether what it has told is still whole
(retention, TRUNCATE), whether the table was altered, and whether it is empty.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any, Final

from wats_accel.records import record
from wats_accel.versions.answers import Versions
from wats_accel.versions.asking import commit_by_itself, rows_of, run
from wats_accel.versions.names import in_brackets, key, literal, written_parts
from wats_accel.versions.source import SourceLostError

_TABLES: Final = """\
SELECT s.name AS schema_name, o.name AS table_name
FROM sys.change_tracking_tables AS c
JOIN sys.objects AS o ON o.object_id = c.object_id
JOIN sys.schemas AS s ON s.schema_id = o.schema_id
CROSS APPLY (SELECT QUOTENAME(s.name) + N'.' + QUOTENAME(o.name) AS full_name) AS n
WHERE HAS_PERMS_BY_NAME(n.full_name, N'OBJECT', N'SELECT') = 1
    AND HAS_PERMS_BY_NAME(n.full_name, N'OBJECT', N'VIEW CHANGE TRACKING') = 1
ORDER BY s.name, o.name"""
"""Those that this login may ask for: one that it may not would make the whole question fail."""

_DATABASE: Final = """\
SELECT CHANGE_TRACKING_CURRENT_VERSION() AS current_version, d.snapshot_isolation_state,
    OBJECT_ID(N'sys.database_recovery_status') AS forks
FROM sys.databases AS d WHERE d.database_id = DB_ID()"""

_FORK: Final = """\
(SELECT r.recovery_fork_guid FROM sys.database_recovery_status AS r WHERE r.database_id = DB_ID())"""
"""Not in Azure, where there is no such view."""

_QUESTION: Final = """\
SELECT {name} AS table_name, CHANGE_TRACKING_CURRENT_VERSION() AS current_version,
    {fork} AS fork,
    CHANGE_TRACKING_MIN_VALID_VERSION(OBJECT_ID({name})) AS min_valid_version,
    (SELECT CONCAT(o.object_id, N' ', t.begin_version, N' ', CONVERT(nvarchar(30), o.modify_date, 126), N' ',
            (SELECT COUNT(*) FROM sys.partitions AS p
            WHERE p.object_id = o.object_id AND p.index_id IN (0, 1) AND p.rows > 0))
        FROM sys.objects AS o JOIN sys.change_tracking_tables AS t ON t.object_id = o.object_id
        WHERE o.object_id = OBJECT_ID({name})) AS definition,
    COUNT_BIG(c.SYS_CHANGE_VERSION) AS changes,
    SUM(CONVERT(decimal(38, 0), c.SYS_CHANGE_VERSION)) AS total,
    COUNT_BIG(CASE WHEN c.SYS_CHANGE_VERSION > @since THEN 1 END) AS new_changes,
    SUM(CASE WHEN c.SYS_CHANGE_VERSION > @since THEN CONVERT(decimal(38, 0), c.SYS_CHANGE_VERSION) END)
        AS new_total
FROM CHANGETABLE(CHANGES {table}, @base) AS c"""


LOOKS_BACK: Final = 1000
"""So many versions the first question looks back, as there are none yet to go by."""
_epochs = itertools.count(1)
"""Of all sources of this process: the numbers of one mean nothing to another."""


@record(frozen=True, slots=True)
class _Known:
    """What the last answer has told of one table: how it was defined, and its changes since `_since`."""

    number: int
    definition: str
    changes: tuple[int, int]


class ChangeTracking:
    """Asks SQL Server's Change Tracking. The numbers are its own: other processes have others for the same.

    Args:
        tables: by name; those that are not tracked are told of as unwatched. None: whatever is tracked when
            a connection begins.
    """

    def __init__(self, tables: Iterable[str] | None = None) -> None:
        self._wanted = None if tables is None else [_full(table) for table in tables]
        self._tables: list[str] = []
        self._epoch = 0  # none yet
        self._fork: str | None = None
        self._fork_text = _FORK
        self._base = 0  # what the last question but one has told, and so no change before it is new
        self._since = 0  # what the last question has told
        self._known: dict[str, _Known] = {}
        self._drawn = 0

    def begin(self, connection: Any) -> Versions:
        """As the protocol has it. What was known of the same database goes on to count.

        Raises:
            SourceLostError: the database does not track changes.
        """
        commit_by_itself(connection)
        run(connection, "SET LOCK_TIMEOUT 5000")
        found = rows_of(connection, _DATABASE)
        if not found or found[0][0] is None:
            raise SourceLostError("the database does not track changes, or does not let us see that it does")
        self._fork_text = "CONVERT(uniqueidentifier, NULL)" if found[0][2] is None else _FORK
        # Otherwise a question waits for the end of whatever writes to one of these tables.
        isolation = "SNAPSHOT" if int(found[0][1]) == 1 else "READ COMMITTED"
        run(connection, f"SET TRANSACTION ISOLATION LEVEL {isolation}")
        tracked = {
            full.casefold(): full for full in (in_brackets(*row) for row in rows_of(connection, _TABLES))
        }
        wanted = tracked if self._wanted is None else map(str.casefold, self._wanted)
        self._tables = [tracked[name] for name in wanted if name in tracked]
        if self._fork is None:  # nothing would tell this database from one that was restored meanwhile
            self._begin_anew(int(found[0][0]))
        return self.poll(connection)

    def poll(self, connection: Any) -> Versions:
        """As the protocol has it.

        Raises:
            SourceLostError: no table is tracked, or the database has ceased to track changes.
        """
        if not self._tables:
            raise SourceLostError("no table is tracked, or SELECT and VIEW CHANGE TRACKING are not granted")
        rows = rows_of(connection, self._question())
        if len(rows) != len(self._tables) or any(row[1] is None for row in rows):
            raise SourceLostError("the database has ceased to track changes")
        current = min(int(row[1]) for row in rows)
        fork = None if rows[0][2] is None else str(rows[0][2])
        other = self._fork is not None and fork != self._fork
        self._fork = fork
        if other or current < self._since:  # another database than before, or an older state of it
            self._begin_anew(current)
            return self.poll(connection)
        known = [(str(row[0]), self._read(row)) for row in rows]
        self._known = {name: table for name, table in known if table is not None}
        self._base, self._since = self._since, current
        return self._answer()

    def _begin_anew(self, current: int) -> None:
        self._epoch = next(_epochs)
        self._known = {}
        self._base = self._since = max(0, current - LOOKS_BACK)

    def _question(self) -> str:
        """One text for all times, so that the server keeps one plan for it."""
        text = "\nUNION ALL\n".join(
            _QUESTION.format(name=f"N{literal(table)}", table=table, fork=self._fork_text)
            for table in self._tables
        )
        return (
            f"EXEC sys.sp_executesql N{literal(text)}, N'@base bigint, @since bigint', "
            f"@base = {self._base}, @since = {self._since}"
        )

    def _read(self, row: Sequence[Any]) -> _Known | None:
        """What a row tells of its table; None if it is not tracked, or may not be seen."""
        name, _, _, min_valid, definition, *sums = row
        if min_valid is None or definition is None:
            return None
        changes, total, new_changes, new_total = (int(number or 0) for number in sums)
        known = self._known.get(str(name))
        same = (
            known is not None
            and int(min_valid) <= self._base
            and known.definition == str(definition)
            and known.changes == (changes, total)
        )
        if known is None or not same:
            self._drawn += 1
        number = known.number if known is not None and same else self._drawn
        return _Known(number, str(definition), (new_changes, new_total))

    def _answer(self) -> Versions:
        """Of two tables that are called the same in two schemas, all numbers count."""
        told = {name.casefold() for name in self._known}
        unwatched = {key(name) for name in (self._wanted or self._tables) if name.casefold() not in told}
        numbers: dict[str, int] = {}
        for name, known in sorted(self._known.items()):
            numbers[key(name)] = numbers.get(key(name), 0) << 64 | known.number
        watched = {name: number for name, number in numbers.items() if name not in unwatched}
        return Versions(f"{self._epoch} {self._fork}", watched, frozenset(unwatched))


def _full(table: str) -> str:
    *schema, name = (part.text for part in written_parts(table))
    return in_brackets(schema[0] if schema else "dbo", name)
