"""The version table: kept by triggers in the database itself, and read as it stands.

What stands in it, and why equal numbers mean that nothing was committed, is told by the modules that write
its DDL: `ddl_sqlite`, `ddl_postgresql` and `ddl_sqlserver`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from wats_accel.versions.answers import Versions
from wats_accel.versions.asking import commit_by_itself, rows_of, run
from wats_accel.versions.database_file import DatabaseFile
from wats_accel.versions.dialects import DEFAULT_NAME, Dialect, Place
from wats_accel.versions.names import key
from wats_accel.versions.source import SourceLostError

MOST_PENDING: Final = 1000
"""So many single rows the database adds up for an answer, before they are put together."""

_PREPARE: Final[Mapping[Dialect, tuple[str, ...]]] = {
    "sqlite": (),
    # Where SERIALIZABLE is the default, even a reader can make another one's transaction fail.
    "postgresql": ("SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED",),
    "sqlserver": ("SET TRANSACTION ISOLATION LEVEL READ COMMITTED", "SET LOCK_TIMEOUT 5000"),
}


class VersionTable:
    """Asks the version table of a database.

    Args:
        dialect: of the database.
        name: of the table, with its schema if it is not the usual one.

    Attributes:
        failures: how often rows could not be put together: a reader without the right to, a server that is
            only read. That costs time and no freshness.
    """

    def __init__(self, dialect: Dialect, name: str = DEFAULT_NAME) -> None:
        place = Place.of(dialect, name)
        self._dialect = dialect
        self._question = place.question
        self._tidying = place.tidying
        self._file: DatabaseFile | None = None
        self._tidied_at = MOST_PENDING
        self.failures = 0

    def begin(self, connection: Any) -> Versions:
        """As the protocol has it."""
        commit_by_itself(connection)
        for statement in _PREPARE[self._dialect]:
            run(connection, statement)
        self._file = DatabaseFile(connection) if self._dialect == "sqlite" else None
        return self.poll(connection)

    def poll(self, connection: Any) -> Versions:
        """As the protocol has it.

        Raises:
            SourceLostError: the file of the database has been replaced.
        """
        if self._file is not None:
            self._file.check()
        rows = rows_of(connection, self._question)
        answer = _answer(rows, self._file.identity if self._file else "")
        if self._tidying and answer.pending > self._tidied_at:
            self._tidy(connection, answer.pending)
        return answer

    def _tidy(self, connection: Any, pending: int) -> None:
        """Have single rows be put together. Whoever may not do it asks again when there are twice as many."""
        try:
            run(connection, self._tidying)
        except Exception:  # noqa: BLE001 - each driver has its own; the answer is there already
            self.failures += 1
            self._tidied_at = 2 * pending
        else:
            self._tidied_at = MOST_PENDING


def _answer(rows: Iterable[Sequence[Any]], identity: str) -> Versions:
    """From rows of a name, its number or None, how many rows that was made from, and who tells it."""
    epoch = ""
    pending = 0
    numbers: dict[str, int] = {}
    unwatched: set[str] = set()
    for table, number, rows_of_table, teller in sorted(map(tuple, rows), key=lambda row: str(row[0])):
        pending += int(rows_of_table)
        if not table:
            epoch = f"{teller} {number} {identity}"
        elif number is None:
            unwatched.add(key(table))
        else:
            name = key(table)  # several tables may have it, in several schemas: then it is all their numbers
            numbers[name] = numbers.get(name, 0) << 64 | int(number) % (1 << 64)
    if not epoch:
        raise SourceLostError("the version table has no row for the epoch: its DDL has not run to its end")
    watched = {name: number for name, number in numbers.items() if name not in unwatched}
    return Versions(epoch, watched, frozenset(unwatched), pending=pending)
