"""Counts what reaches the database, for any DB-API driver."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Final

import wrapt

_READS: Final = re.compile(r"[\s(]*(?:SELECT|WITH)\b", re.IGNORECASE)
_PING: Final = "SELECT 1"
"""By which a pool asks whether a connection is alive; the application has no such statement."""


@dataclass(slots=True)
class Meter:
    """Connections opened and statements executed so far; an executemany() is one statement."""

    connections: int = 0
    selects: int = 0
    others: int = 0
    pings: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def count_connection(self) -> None:
        """One more connection was opened."""
        with self._lock:
            self.connections += 1

    def count_statement(self, sql: str) -> None:
        """One more statement was executed."""
        is_ping = sql == _PING
        is_select = not is_ping and _READS.match(sql) is not None
        with self._lock:
            self.pings += is_ping
            self.selects += is_select
            self.others += not is_select and not is_ping


@contextmanager
def metered(driver_module: ModuleType) -> Iterator[Meter]:
    """Count everything that goes through `driver_module.connect` until the block ends.

    The module itself stays in place, with its exception classes and whoever holds it; only `connect` is
    exchanged, and it is looked up at each call. Anything that wraps `connect` later, such as a pool, sits on
    top and is measured by what it lets through.
    """
    meter = Meter()
    original = driver_module.connect
    driver_module.connect = _counting(original, meter)  # type: ignore[attr-defined] # every driver has it
    try:
        yield meter
    finally:
        driver_module.connect = original  # type: ignore[attr-defined] # as above


def _counting(connect: Callable[..., Any], meter: Meter) -> Callable[..., Any]:
    def counting_connect(*args: Any, **kwargs: Any) -> MeteredConnection:
        connection = connect(*args, **kwargs)
        meter.count_connection()
        return MeteredConnection(connection, meter)

    return counting_connect


class MeteredConnection(wrapt.ObjectProxy[Any]):
    """A connection whose cursors count."""

    def __init__(self, connection: Any, meter: Meter) -> None:
        super().__init__(connection)
        self._self_meter = meter

    def cursor(self, *args: Any, **kwargs: Any) -> MeteredCursor:
        """A counting cursor."""
        return MeteredCursor(self.__wrapped__.cursor(*args, **kwargs), self._self_meter)

    def execute(self, sql: str, *parameters: Any) -> MeteredCursor:
        """The short cut that both sqlite3 and pyodbc have."""
        return self.cursor().execute(sql, *parameters)


class MeteredCursor(wrapt.ObjectProxy[Any]):
    """A cursor that counts what it executes and otherwise keeps out of the way."""

    def __init__(self, cursor: Any, meter: Meter) -> None:
        super().__init__(cursor)
        self._self_meter = meter

    def __enter__(self) -> MeteredCursor:
        self.__wrapped__.__enter__()
        return self

    def execute(self, sql: str, *parameters: Any) -> MeteredCursor:
        """Count and execute; chaining goes on with the counting cursor."""
        self._self_meter.count_statement(sql)
        self.__wrapped__.execute(sql, *parameters)
        return self

    def executemany(self, sql: str, rows: Any) -> MeteredCursor:
        """Count once and execute."""
        self._self_meter.count_statement(sql)
        self.__wrapped__.executemany(sql, rows)
        return self
