"""The way to the database: everything else goes through here."""

import contextlib
import functools
import logging
from pathlib import Path

SQL_FOLDER = Path(__file__).parent / "sql"


@functools.cache
def sql_file(name):
    """The text of a file of SQL."""
    return (SQL_FOLDER / f"{name}.sql").read_text(encoding="utf-8")


def retried(times):
    """A decorator that tries again."""

    def decorate(method):
        @functools.wraps(method)
        def wrapper(*args, **kwargs):
            for _ in range(times):
                with contextlib.suppress(TimeoutError):
                    return method(*args, **kwargs)
            return method(*args, **kwargs)

        return wrapper

    return decorate


class MsSql:
    """Words of SQL Server."""

    top = "TOP 10"
    limit = ""
    now = "SYSDATETIME()"


class Postgres(MsSql):
    """Words of PostgreSQL."""

    top = ""
    limit = "LIMIT 10"
    now = "now()"


class Gateway:
    """A connection, and how SQL is sent over it."""

    def __init__(self, connect, words: MsSql = None):
        self._connect = connect
        self.words = words or MsSql()

    @contextlib.contextmanager
    def transaction(self):
        """A cursor whose work is committed at the end."""
        connection = self._connect()
        cursor = connection.cursor()
        try:
            yield cursor
            connection.commit()
        finally:
            connection.close()

    def query(self, sql, *params):
        """All rows of a query."""
        with self.transaction() as cursor:
            cursor.execute(sql, params)
            return [tuple(row) for row in cursor]

    def change(self, sql, params=(), *, many=False):
        """Run a change; how many rows."""
        try:
            with self.transaction() as cursor:
                send = cursor.executemany if many else cursor.execute
                send(sql, params)
                return cursor.rowcount
        except ConnectionError:
            logging.exception("change failed")
            return -1
