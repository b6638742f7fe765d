"""Drivers: what the pool has to know of each DB-API module, and what it assumes of an unknown one."""

from __future__ import annotations

import functools
import os
import sys
import threading
from collections.abc import Callable
from types import GeneratorType
from typing import Any
from urllib.parse import parse_qs, unquote

from wats_accel.pool.arguments import Arguments
from wats_accel.pool.module_watch import telling_if_not_asked

Connect = Callable[..., Any]

_CHECKS_ISOLATION_LEVEL = sys.version_info >= (3, 11)

_CLEAN_ANYWHERE = frozenset(
    {"close", "commit", "cursor", "execute", "executemany", "executescript", "rollback"}
    | {"__call__", "__enter__", "__exit__"}
)


class Driver:
    """A DB-API module of which nothing is known; base of those of which something is.

    Attributes:
        name: of the module.
        clean_calls: connection methods after which a rollback leaves nothing behind, as far as their SQL
            does not say otherwise.
        thread_checked: methods that the driver refuses to threads other than the one that connected.
    """

    clean_calls = _CLEAN_ANYWHERE
    thread_checked: frozenset[str] = frozenset()
    frees_connection_with_cursor = True
    closing_asks_connection = False
    """Whether closing a cursor again asks first whether its connection is closed."""
    commits_with_cursor = False
    """Whether a cursor commits when its ``with`` block is left without an exception."""
    close_rolls_back = False
    """Whether it is sure that closing a connection takes back what is not committed."""
    finishes_scripts = False
    """Whether all statements of a text are done with when the driver returns; SQL Server goes on."""

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def module(self) -> Any:
        """The imported module."""
        return sys.modules[self.name]

    @functools.cached_property
    def row_type(self) -> type[Any]:
        """The type of the driver's rows, if it has one of its own."""
        row = getattr(self.module, "Row", tuple)
        return row if isinstance(row, type) and not hasattr(row, "fetchone") else tuple

    def why_bare(self, arguments: Arguments) -> str | None:
        """Why a connection with these arguments cannot be shared by one user after another."""
        return None

    def opening(self, arguments: Arguments) -> Arguments:
        """The arguments to open a pooled connection with."""
        return arguments

    def place(self, arguments: Arguments) -> object:
        """What else tells one pool from another, besides the arguments: the current folder, say."""
        return None

    def is_same_everywhere(self, text: str) -> bool:
        """Whether a text that `connect` is given alone leads to the same place, whatever else changes."""
        return True

    def identity(self, place: object) -> object:
        """Of the database at a place: a connection whose database has another one now is of no use."""
        return None

    def checks_threads(self, arguments: Arguments) -> bool:
        """Whether the connection would be good in one thread only."""
        return False

    def keeps_session(self, name: str, value: object) -> bool:
        """Whether setting an attribute of a connection is undone by setting it back."""
        return True

    def checks_thread_of(self, name: str, value: object) -> bool:
        """Whether setting an attribute is refused to threads other than the one that connected."""
        return False

    def is_dependent(self, value: object) -> bool:
        """Whether a value that a method returned works on the connection: a cursor, a running generator."""
        return hasattr(value.__class__, "fetchone") or isinstance(value, GeneratorType)

    def before_call(self, raw: Any, name: str) -> None:
        """Have a connection find out what a new one would, before a method of this name is called."""

    def in_transaction(self, raw: Any) -> bool | None:
        """Whether a transaction is open; None if the driver does not know."""
        return None

    def roll_back(self, raw: Any) -> None:
        """Undo what has not been committed."""
        raw.rollback()

    def own_corpse(self) -> tuple[Any, ...] | None:
        """A closed connection, a cursor and what else can work on one, if they cost nothing.

        They raise what the driver raises after a close.
        """
        return None

    def prepared(self, connect: Connect, tell: Callable[[str], None] | None) -> Connect:
        """Make the module ready for a pool; `tell` is told at the first connection if that came too late."""
        return connect


class Sqlite3(Driver):
    """The standard library's sqlite3."""

    clean_calls = _CLEAN_ANYWHERE | {
        *("backup", "blobopen", "getconfig", "getlimit", "interrupt", "iterdump", "serialize")
    }
    thread_checked = frozenset(
        {*_CLEAN_ANYWHERE, "backup", "blobopen", "create_aggregate", "create_collation", "create_function"}
        | {"create_window_function", "deserialize", "enable_load_extension", "executescript", "fetchall"}
        | {"fetchmany", "fetchone", "getlimit", "iterdump", "load_extension", "serialize", "set_authorizer"}
        | {"set_progress_handler", "set_trace_callback", "setlimit", "__next__"}
    ) - {"__enter__"}
    frees_connection_with_cursor = False
    closing_asks_connection = True
    close_rolls_back = True
    finishes_scripts = True

    # By position, as `sqlite3.connect` has them.
    _POSITIONS = (
        *("database", "timeout", "detect_types", "isolation_level", "check_same_thread"),
        *("factory", "cached_statements", "uri"),
    )

    def _given(self, arguments: Arguments, name: str, default: object) -> Any:
        position = self._POSITIONS.index(name)
        if len(arguments.args) > position:
            return arguments.args[position]
        return arguments.kwargs.get(name, default)

    def why_bare(self, arguments: Arguments) -> str | None:
        """What lives with one connection cannot be handed from one to another."""
        if self._given(arguments, "factory", None) is not None:
            return "factory="
        try:
            path = os.fsdecode(self._given(arguments, "database", ""))
        except TypeError:
            return "its database is no path"
        if path.startswith("file:"):
            if not self._given(arguments, "uri", False):
                return "a file name that SQLite may read as a URI"  # it depends on how it was compiled
            return _why_bare_uri(path)
        return "a database in memory" if path in ("", ":memory:") else None

    def opening(self, arguments: Arguments) -> Arguments:
        """The thread check is ours: the connection itself goes from one thread to another."""
        position = self._POSITIONS.index("check_same_thread")
        if len(arguments.args) > position:
            args = (*arguments.args[:position], False, *arguments.args[position + 1 :])
            return Arguments(args, arguments.kwargs)
        return Arguments(arguments.args, {**arguments.kwargs, "check_same_thread": False})

    def checks_threads(self, arguments: Arguments) -> bool:
        """sqlite3 does, unless it was told not to."""
        return bool(self._given(arguments, "check_same_thread", True))

    def place(self, arguments: Arguments) -> object:
        """The path of the database file, wherever the process is just now."""
        path = os.fsdecode(self._given(arguments, "database", ""))
        if path.startswith("file:"):
            path = _path_of_uri(path)
        return os.path.abspath(path)

    def is_same_everywhere(self, text: str) -> bool:
        """A relative name is another file in another folder."""
        return os.path.abspath(text) == text

    def identity(self, place: object) -> object:
        """Of the file: another one may be there by now."""
        try:
            found = os.stat(place)  # type: ignore[arg-type]  # what `place` gives
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def keeps_session(self, name: str, value: object) -> bool:
        """Factories of the application's own may keep the driver's cursor, or who knows what, alive."""
        if name == "row_factory":
            return value is None or value is self.module.Row
        return name != "text_factory" or value in (str, bytes, bytearray)

    def checks_thread_of(self, name: str, value: object) -> bool:
        """Those that commit are; before Python 3.11 one of them was not."""
        return name == "autocommit" or (
            _CHECKS_ISOLATION_LEVEL and name == "isolation_level" and value is None
        )

    def is_dependent(self, value: object) -> bool:
        """A blob works on the connection, too."""
        return Driver.is_dependent(self, value) or isinstance(value, getattr(self.module, "Blob", ()))

    def before_call(self, raw: Any, name: str) -> None:
        """Unlike a statement, a blob does not look for tables that others have made since the last one."""
        if name == "blobopen":
            raw.execute("SELECT 1 FROM sqlite_master LIMIT 1").close()

    def in_transaction(self, raw: Any) -> bool | None:
        """sqlite3 knows."""
        return bool(raw.in_transaction)

    def roll_back(self, raw: Any) -> None:
        """In the autocommit mode that came with 3.12, `rollback` does nothing, whatever was begun."""
        if getattr(raw, "autocommit", None) is True and raw.in_transaction:
            raw.execute("ROLLBACK")
        else:
            raw.rollback()

    def own_corpse(self) -> tuple[Any, ...] | None:
        """A database in memory costs nothing."""
        connection = self._connect_anew(":memory:", check_same_thread=False)
        cursor, blobs = connection.cursor(), []
        if hasattr(connection, "blobopen"):
            connection.executescript("CREATE TABLE t (data); INSERT INTO t VALUES (x'00')")
            blobs.append(connection.blobopen("t", "data", 1))
        connection.close()
        return connection, cursor, *blobs

    def _connect_anew(self, *args: Any, **kwargs: Any) -> Any:
        return self.module.Connection(*args, **kwargs)  # `connect` itself may be ours, or metered


class Pyodbc(Driver):
    """pyodbc, with any ODBC driver below."""

    clean_calls = _CLEAN_ANYWHERE | {"get_output_converter", "getinfo"}
    commits_with_cursor = True
    close_rolls_back = True

    def keeps_session(self, name: str, value: object) -> bool:
        """A deprecated name for `decimal_mode`: reading it and setting it back would warn the user twice."""
        return name != "fetch_decimal_as_string"

    def prepared(self, connect: Connect, tell: Callable[[str], None] | None) -> Connect:
        """ODBC has a pool of its own, which would keep connections from being closed."""
        was_on, self.module.pooling = self.module.pooling, False
        if not was_on or tell is None:
            return connect
        came_late = functools.partial(
            tell, "ODBC's own pooling cannot be switched off any more: pyodbc was in use before"
        )
        return telling_if_not_asked(self.module, "pooling", connect, came_late)


_KNOWN: dict[str, type[Driver]] = {"sqlite3": Sqlite3, "sqlite3.dbapi2": Sqlite3, "pyodbc": Pyodbc}


def driver_of(module_name: str) -> Driver:
    """What is known of a module."""
    return _KNOWN.get(module_name, Driver)(module_name)


def foreign_thread(driver: Driver, owner: int) -> Exception:
    """What sqlite3 raises when a connection is used by another thread than its own."""
    here = threading.get_ident()
    error: Exception = driver.module.ProgrammingError(
        "SQLite objects created in a thread can only be used in that same thread. "
        f"The object was created in thread id {owner} and this is thread id {here}."
    )
    return error


def _why_bare_uri(uri: str) -> str | None:
    options = parse_qs(uri.partition("?")[2].partition("#")[0])
    in_memory = "memory" in options.get("mode", ()) or "vfs" in options
    return "a database in memory" if in_memory or _path_of_uri(uri) in ("", ":memory:") else None


def _path_of_uri(uri: str) -> str:
    path = uri.removeprefix("file:").partition("#")[0].partition("?")[0]
    if path.startswith("//"):  # file://localhost/path and file:///path
        path = "/" + path[2:].partition("/")[2]
    if os.name == "nt" and path[:1] == "/" and path[2:3] == ":":  # pragma: no cover - as SQLite on Windows
        path = path[1:]
    return unquote(path)
