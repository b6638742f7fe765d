"""The back ends of the behaviour suite: how each is reached, bare and pooled, and what it can do."""

from __future__ import annotations

import contextlib
import gc
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from wats_accel.runtime import Accelerator
from wats_accel.testing import accelerated

SQLITE3 = "sqlite3"
SQLITE_ODBC = "sqlite-odbc"
POSTGRESQL = "postgresql"
BACKENDS = (SQLITE3, SQLITE_ODBC, POSTGRESQL)
ODBC = (SQLITE_ODBC, POSTGRESQL)

TABLES = (
    "CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT)",
    "CREATE TABLE neighbour (note TEXT)",
)
PEOPLE = [(1, "Ada"), (2, "Bob"), (3, "Cid"), (4, "Dan"), (5, "Eve")]


MODES = ("bare", "pooled", "seen")
"""As the driver has it; from a pool; not from a pool, and each call observed."""


def cases(*backends: str, modes: tuple[str, ...] = MODES) -> list[Any]:
    """Parameters of the fixture `driver`: each of these back ends, in each of these modes."""
    return [
        pytest.param((backend, mode), id=f"{backend}-{mode}")
        for backend in backends or BACKENDS
        for mode in modes
    ]


def on(*backends: str, modes: tuple[str, ...] = MODES) -> Any:
    """A mark: the tests need one of these back ends."""
    return pytest.mark.parametrize("driver", cases(*backends, modes=modes), indirect=True)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a call did, in a form that two drivers can be compared by."""

    raised: type[BaseException] | None
    told: object


def outcome(action: Callable[..., Any], *args: Any) -> Outcome:
    """Call, and say what came of it: a value, or an exception's type and words.

    Numbers that differ from one run to the next (addresses, threads) are taken out of the words.
    """
    try:
        return Outcome(None, action(*args))
    except Exception as error:
        return Outcome(type(error), tuple(_timeless(argument) for argument in error.args))


def _difference(mine: Outcome, bare: Outcome) -> str:
    """What is not as it should be; of dictionaries only that."""
    if isinstance(mine.told, dict) and isinstance(bare.told, dict):
        names = [name for name in mine.told | bare.told if mine.told.get(name) != bare.told.get(name)]
        return "\n".join(f"{name}: {mine.told.get(name)}, bare: {bare.told.get(name)}" for name in names)
    return f"{mine} is not what the bare driver does: {bare}"


def _timeless(value: object) -> object:
    return re.sub(r"0x[0-9a-fA-F]+|\b\d{6,}\b", "#", value) if isinstance(value, str) else value


@dataclass
class Driver:
    """One DB-API driver on a database of the test's own, as an application would use it.

    Attributes:
        module: the driver's module.
        database: what `connect` is given first: a path, or an ODBC string.
        accelerator: the one that has taken `connect` over; None: this is the bare driver.
    """

    backend: str
    module: Any
    database: Any
    accelerator: Accelerator | None = None
    _bare_connect: Callable[..., Any] = field(init=False)
    _outside: list[Any] = field(default_factory=list)

    # What the back ends do not have in common.

    @property
    def is_odbc(self) -> bool:
        return self.backend in ODBC

    @property
    def has_context_cursor(self) -> bool:
        return self.is_odbc

    @property
    def knows_rowcount_of_select(self) -> bool:
        return self.backend == POSTGRESQL

    def __post_init__(self) -> None:
        connect = self.module.connect
        self._bare_connect = lambda *args, **kwargs: connect(*args, **kwargs)

    @property
    def pooled(self) -> bool:
        return self.accelerator is not None

    @property
    def stats(self) -> Any:
        """Figures of the pool."""
        assert self.accelerator is not None
        return self.accelerator.stats().pools[f"{self.module.__name__}:connect"]

    def connect(self, *args: Any, **kwargs: Any) -> Any:
        """A connection to the test's database, by the module's own `connect`, looked up now."""
        return self.module.connect(self.database, *args, **kwargs)

    def other_connection(self, *args: Any, **kwargs: Any) -> Any:
        """A bare connection to the same database, to look at it from outside; closed after the test."""
        connection = self._bare_connect(self.database, *args, **kwargs)
        self._outside.append(connection)
        return connection

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows as somebody else sees them, who is gone at once: SQLite locks whole files."""
        with contextlib.closing(self._bare_connect(self.database)) as connection:
            return [tuple(row) for row in connection.execute(sql, values).fetchall()]

    def neighbour(self, *args: Any, **kwargs: Any) -> Any:
        """A connection with these arguments has come and gone: in a pool the next one gets what it had."""
        self.connect(*args, **kwargs).close()
        self.connect(*args, **kwargs).cursor().execute("SELECT 1").fetchone()

    def same_as_bare(self, action: Callable[[Any], Any]) -> Outcome:
        """Do something with a connection and with a bare one, check that they do the same, give what."""
        mine, bare = (self._done(action, make()) for make in (self.connect, self.other_connection))
        assert mine == bare, _difference(mine, bare)
        return mine

    def _done(self, action: Callable[[Any], Any], connection: Any) -> Outcome:
        """What came of it; the connection is closed, or the other one would wait for its locks."""
        told = outcome(action, connection)
        with contextlib.suppress(self.module.Error):
            connection.close()
        return told

    def close_outside(self) -> None:
        """Close all bare connections."""
        for connection in self._outside:
            with contextlib.suppress(self.module.Error):
                connection.close()


@contextlib.contextmanager
def pooled(driver: Driver, *, invalidation: str = "rules", **rules: Any) -> Iterator[None]:
    """The driver's `connect` comes from a pool, and a neighbour has left its connection there."""
    target = f"{driver.module.__name__}:connect"
    config = {
        "version": 1,
        "invalidation": invalidation,
        "sql": {"assume_plain_tables": True},
        "pool": [{"connect": target, **rules}],
    }
    with accelerated(config) as accelerator:
        driver.accelerator = accelerator
        if rules.get("enabled", True):
            driver.connect().close()
            leave_a_mess(driver)
        yield
        driver.accelerator = None


def leave_a_mess(driver: Driver) -> None:
    """What careless users leave behind: work not committed, a result half read, changed settings."""
    connection = driver.connect()
    cursor = connection.cursor()
    cursor.executemany("INSERT INTO neighbour VALUES (?)", [("one",), ("two",)])
    unread = connection.cursor()
    unread.execute("SELECT note FROM neighbour").fetchone()
    if driver.is_odbc:
        connection.autocommit = True
        connection.autocommit = False
        connection.maxwrite = 1000
        return
    connection.row_factory = driver.module.Row
    connection.isolation_level = "IMMEDIATE"
    connection.text_factory = bytes


def create_tables(connection: Any) -> None:
    """A table of people for the test, and one for its neighbour; the connection is closed."""
    with contextlib.closing(connection):
        for table in TABLES:
            connection.execute(table)
        connection.cursor().executemany("INSERT INTO person VALUES (?, ?)", PEOPLE)
        connection.commit()


def in_use(driver: Driver) -> int:
    """How many connections of the pool are out, with all garbage gone."""
    gc.collect()
    return int(driver.stats.checked_out)
