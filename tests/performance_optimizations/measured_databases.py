"""The databases that the benchmark runs on: a file of its own, or whatever an ODBC string leads to."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any, Final

import sqlserver_tables
from simulation.generator import create_database, fill
from simulation.schema import TABLES, create_schema
from src.wats.config.settings import Settings
from src.wats.db.database_manager import DatabaseManager

_TYPES: Final = MappingProxyType(
    {"sqlite": "sqlite", "postgresql": "postgresql", "microsoft sql server": "sqlserver"}
)
"""What ODBC calls a database -> what the application calls it."""


class NotMeasurableError(Exception):
    """The benchmark cannot run there; nothing of the ODBC string is in it.

    Attributes:
        why: a key of the words that say it.
        values: what is put into them.
    """

    def __init__(self, why: str, **values: str) -> None:
        super().__init__(why, values)
        self.why = why
        self.values = values


class MeasuredDatabase:
    """A database that the example's application works on.

    Attributes:
        driver: the DB-API module.
        title: its name and version, for people.
        db_type: what the application calls it.
    """

    driver: ModuleType
    title: str
    db_type: str

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def fresh(self) -> None:
        """Have the generated company in it, and nothing of what was done to it before."""
        raise NotImplementedError

    def manager(self) -> DatabaseManager:
        """The application's own manager, on this database."""
        raise NotImplementedError

    def connect(self) -> Any:
        """A connection as the application opens one, in autocommit."""
        raise NotImplementedError

    def close(self) -> None:
        """Leave nothing behind."""

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query, on a connection that is gone afterwards."""
        with contextlib.closing(self.connect()) as connection:
            return [tuple(row) for row in connection.cursor().execute(sql).fetchall()]

    def _settings(self, **values: str) -> Settings:
        settings = Settings()
        for name, value in {"DB_TYPE": self.db_type, **values}.items():
            setattr(settings, name, value)
        return settings


class SqliteFile(MeasuredDatabase):
    """SQLite through the standard library, in the demonstration mode of the application."""

    driver = sqlite3
    title = f"SQLite {sqlite3.sqlite_version} (sqlite3)"
    db_type = "sqlite"

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(seed)
        self._folder = folder
        self._number = 0

    @property
    def _path(self) -> Path:
        return self._folder / f"wats-{self._number}.db"

    def fresh(self) -> None:
        """A copy of the file that was filled the first time, beside the last one, which may be open yet."""
        original = self._folder / "original.db"
        if not original.exists():
            create_database(self._settings(DB_DATABASE=str(original)), seed=self._seed)
        self._number += 1
        shutil.copyfile(original, self._path)

    def manager(self) -> DatabaseManager:
        """In the demonstration mode: its connections are of a class of the application's own."""
        return DatabaseManager(self._settings(DB_DATABASE=str(self._path)))

    def connect(self) -> Any:
        """Of the driver's own class, which a pool can share."""
        return self.driver.connect(str(self._path), isolation_level=None)


class _SqliteOverOdbc(DatabaseManager):
    """The application's manager with SQLite's words and ODBC's driver, a pair that it has not itself."""

    def _setup_sqlite(self) -> None:
        super()._setup_sqlite()
        self.driver_module = self._import_pyodbc()
        self.connection_string = self.settings.DB_ODBC
        self.connect_options = {}


class OdbcDatabase(MeasuredDatabase):
    """What an ODBC string leads to: PostgreSQL, SQL Server or SQLite.

    Args:
        dsn: the string; it is never told to anybody.
        replace_tables: drop tables of the example's names that are there already.

    Raises:
        NotMeasurableError: it cannot be reached, it is another database, or it has such tables.
    """

    def __init__(self, dsn: str, seed: int, *, replace_tables: bool = False) -> None:
        super().__init__(seed)
        self._dsn = dsn
        try:
            import pyodbc
        except ImportError:
            raise NotMeasurableError("no_pyodbc") from None
        self.driver = pyodbc
        with contextlib.closing(self._first_connection()) as connection:
            name, version = (
                str(connection.getinfo(info)) for info in (pyodbc.SQL_DBMS_NAME, pyodbc.SQL_DBMS_VER)
            )
            if name.lower() not in _TYPES:
                raise NotMeasurableError("no_tables_for", name=name)
            self.db_type = _TYPES[name.lower()]
            self.title = f"{name} {version} (pyodbc)"
            if not replace_tables:
                _refuse_tables_of_others(connection)
        self._application_string = self.manager().connection_string

    def _first_connection(self) -> Any:
        try:
            return self.driver.connect(self._dsn, autocommit=True)
        except self.driver.Error as error:
            state = str(error.args[0]) if error.args else "?"
            raise NotMeasurableError("unreachable", state=state) from None

    def fresh(self) -> None:
        """The tables are dropped, made and filled."""
        with contextlib.closing(self.connect()) as connection:
            if self.db_type == "sqlserver":
                for statement in sqlserver_tables.statements():
                    connection.execute(statement)
            else:
                create_schema(connection, self.db_type)
            connection.autocommit = False
            fill(connection, seed=self._seed)
            connection.commit()

    def manager(self) -> DatabaseManager:
        """With this string."""
        kind = _SqliteOverOdbc if self.db_type == "sqlite" else DatabaseManager
        return kind(self._settings(DB_ODBC=self._dsn))

    def connect(self) -> Any:
        """As the application's `get_cursor` does."""
        connection = self.driver.connect(self._application_string)
        connection.autocommit = True
        return connection

    def close(self) -> None:
        """Drop what was made."""
        with contextlib.closing(self.connect()) as connection:
            for table in TABLES:
                connection.execute(f"DROP TABLE IF EXISTS {table}")
            if self.db_type != "sqlite":
                connection.execute(sqlserver_tables.DROP_PROCEDURE)


def _refuse_tables_of_others(connection: Any) -> None:
    ours = {table.lower() for table in TABLES}
    found = sorted(row[2] for row in connection.cursor().tables() if str(row[2]).lower() in ours)
    if found:
        raise NotMeasurableError("in_use", table=found[0])


@contextlib.contextmanager
def measured_database(options: Any, folder: Path) -> Iterator[MeasuredDatabase]:
    """The database that the options name, for a ``with`` block; nothing is left of it afterwards.

    Args:
        options: has `dsn`, `private_postgresql`, `replace_tables` and `seed`.
        folder: an empty one.

    Raises:
        NotMeasurableError: the benchmark cannot run there.
    """
    with contextlib.ExitStack() as stack:
        database: MeasuredDatabase
        if options.private_postgresql:
            database = OdbcDatabase(_own_server(stack), options.seed)
        elif options.dsn:
            database = OdbcDatabase(options.dsn, options.seed, replace_tables=options.replace_tables)
        else:
            database = SqliteFile(folder, options.seed)
        stack.callback(database.close)
        yield database


def _own_server(stack: contextlib.ExitStack) -> str:
    from simulation.private_postgresql import ServerMissingError, private_postgresql

    try:
        return str(stack.enter_context(private_postgresql()).odbc())
    except ServerMissingError as error:
        raise NotMeasurableError("no_server", why=str(error)) from None
