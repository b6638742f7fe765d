"""Drivers: the DB-API modules that a source tree imports, and the dialect that goes with them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from wats_accel.audit.proposing.proposal import Driver
from wats_accel.sql.source.facts import is_one_of
from wats_accel.sql.source.files import read_files

_DIALECTS: Final = {
    "pyodbc": "tsql",
    "pymssql": "tsql",
    "turbodbc": "tsql",
    "psycopg": "postgres",
    "psycopg2": "postgres",
    "pg8000": "postgres",
    "pymysql": "mysql",
    "MySQLdb": "mysql",
    "mysql.connector": "mysql",
    "mariadb": "mysql",
    "oracledb": "oracle",
    "cx_Oracle": "oracle",
    "sqlite3": "sqlite",
}
"""What an application with this driver most likely writes; the gravest first, for trees with several."""

_SQLITE = "its connections are cheap; take this in if many threads read, or if the mode is sql"
_BY_NAME = "'from {name} import connect' was found: such a name keeps the driver's own function"


def drivers_of(folder: Path, exclude: Iterable[str] = ()) -> tuple[Driver, ...]:
    """The drivers that any file of a source tree imports, in whatever place of it.

    Args:
        folder: the source tree.
        exclude: patterns of files to leave out, as in `SourceFacts.without`.
    """
    patterns = tuple(exclude)
    found: dict[str, bool] = {}
    for file in read_files(folder)[0]:
        if is_one_of(file.shown, patterns):
            continue
        for name, by_name in _imports(file.tree):
            found[name] = found.get(name, False) or by_name
    names = [name for name in _DIALECTS if name in found]
    return tuple(Driver(f"{name}:connect", _why_not(name, found[name])) for name in names)


def dialect_of(drivers: Iterable[Driver]) -> str:
    """The dialect that the first of these drivers makes likely; empty if there is none."""
    return next((_DIALECTS[driver.connect.partition(":")[0]] for driver in drivers), "")


def _why_not(name: str, by_name: bool) -> str:
    if name == "sqlite3":
        return _SQLITE
    return _BY_NAME.format(name=name) if by_name else ""


def _imports(tree: ast.Module) -> Iterator[tuple[str, bool]]:
    """The drivers that a file imports, and whether it imports their `connect` by its name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                if name.name in _DIALECTS:
                    yield name.name, False
        elif isinstance(node, ast.ImportFrom) and node.module in _DIALECTS and not node.level:
            yield str(node.module), any(name.name == "connect" for name in node.names)
        elif isinstance(node, ast.Call) and _is_import_module(node):
            argument = node.args[0]
            if isinstance(argument, ast.Constant) and argument.value in _DIALECTS:
                yield str(argument.value), False


def _is_import_module(call: ast.Call) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    return name in ("import_module", "__import__") and bool(call.args)
