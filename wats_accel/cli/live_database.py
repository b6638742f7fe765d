"""A live database: a connection for one command, opened without a secret on the command line."""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import reduce
from pathlib import Path
from typing import Any

import click

_SQLSTATE = re.compile(r"[0-9A-Z]{5}")


@contextmanager
def connected(driver: str, *, database: str | None, variable: str | None, prompt: bool) -> Iterator[Any]:
    """A connection for a ``with`` block, closed at its end.

    Args:
        driver: a DB-API module, or ``module:function``; the function is by default ``connect``.
        database: an SQLite file, for the driver sqlite3.
        variable: the environment variable that holds the connection string.
        prompt: ask for the connection string.

    Raises:
        ClickException: no connection; says why without a word of the connection string.
    """
    connection = _opened(driver, _connect_of(driver), _argument(database, variable, prompt=prompt))
    try:
        yield connection
    finally:
        with suppress(Exception):
            connection.close()


def _argument(database: str | None, variable: str | None, *, prompt: bool) -> str | None:
    """What the function is given; None for nothing."""
    if sum((database is not None, variable is not None, prompt)) > 1:
        raise click.UsageError("give one of --database, --connection-string-from and --prompt")
    if variable is not None:
        if not os.environ.get(variable):
            raise click.UsageError(f"the environment variable {variable} is not set")
        return os.environ[variable]
    if prompt:
        return str(click.prompt("Connection string", hide_input=True, err=True))
    return database


def _connect_of(driver: str) -> Callable[..., Any]:
    module_name, _, path = driver.partition(":")
    try:
        module = importlib.import_module(module_name)
        found = reduce(getattr, (path or "connect").split("."), module)
    except ImportError as error:
        raise click.UsageError(f"--driver: {driver}: {error}") from None
    except (AttributeError, ValueError):
        raise click.UsageError(f"--driver: there is no {path or 'connect'} in {module_name}") from None
    if not callable(found):
        raise click.UsageError(f"--driver: {driver} is no function")
    return found


def _opened(driver: str, connect: Callable[..., Any], argument: str | None) -> Any:
    arguments, options = _call(driver, argument)
    try:
        connection = connect(*arguments, **options)
    except Exception as error:  # noqa: BLE001 - each driver has errors of its own, and they may tell secrets
        raise click.ClickException(f"cannot connect: {_harmless(error)}") from None
    if connection is None:
        raise click.ClickException("cannot connect: the function has given no connection")
    _read_only(connection)
    return connection


def _call(driver: str, argument: str | None) -> tuple[tuple[str, ...], dict[str, Any]]:
    """The arguments for the driver's function; for reading only, where there is an option for that."""
    name = driver.removesuffix(":connect")
    if name in ("sqlite3", "sqlite3.dbapi2"):
        if argument is None:
            raise click.UsageError("--driver sqlite3 needs --database FILE")
        if not Path(argument).is_file():  # or it would be made
            raise click.UsageError(f"--database: there is no file {argument}")
        return (f"{Path(argument).resolve().as_uri()}?mode=ro",), {"uri": True}
    options = {"readonly": True, "autocommit": True} if name == "pyodbc" else {}
    return (() if argument is None else (argument,)), options


def _read_only(connection: Any) -> None:
    """Psycopg, of version 2 and of version 3, can be told that nothing is to be written."""
    with suppress(Exception):
        if hasattr(connection, "set_session"):
            connection.set_session(readonly=True)
        elif hasattr(connection, "read_only"):
            connection.read_only = True


def _harmless(error: Exception) -> str:
    """The type of a driver's error and its SQLSTATE; its text may hold the connection string."""
    state = str(error.args[0]) if error.args else ""
    return f"{type(error).__name__} {state}" if _SQLSTATE.fullmatch(state) else type(error).__name__
