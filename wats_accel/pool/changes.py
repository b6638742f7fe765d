"""Changes: what a call of the driver can do to data, and to the transaction that it is in.

Where that is not plain, more is assumed rather than less: a read taken for a change costs cached answers,
a change taken for a read makes wrong ones. What functions do that a SELECT calls is not seen.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, Literal

from wats_accel.pool.statements import LONGEST_CACHED, beginning, begins_transaction
from wats_accel.sql_tokens import Reading, Statement, readings

End = Literal["commit", "rollback"]


@dataclass(frozen=True, slots=True)
class Change:
    """What a call can do.

    Attributes:
        may_change: whether it may change data. Of a call that ends a transaction: before that end.
        may_commit: whether it may make durable what was changed before it.
        begins: how many transactions its text of SQL begins, at most.
        commits: how many its text ends by COMMIT; matters where they nest.
        end: how it ends the transaction, if it raises nothing; None if that is not sure.
        alone: whether a text of SQL is one statement. Of several the last may still be under way when
            the driver returns.
        by_driver: whether a method of the driver does it, and no text of SQL.
        for_good: whether it may switch to a mode in which each statement begins a transaction.
        saves: whether it sets a savepoint, which begins a transaction in SQLite if none is open.
        releases: whether it releases one, which commits there what that has begun.
    """

    may_change: bool = False
    may_commit: bool = False
    begins: int = 0
    commits: int = 0
    end: End | None = None
    alone: bool = False
    by_driver: bool = False
    for_good: bool = False
    saves: bool = False
    releases: bool = False


READS: Final = Change()
"""Nothing at all; there is only one of these, so that it can be told by `is`."""
UNKNOWN: Final = Change(may_change=True, may_commit=True)
MAY_COMMIT: Final = Change(may_commit=True)
COMMIT: Final = Change(may_commit=True, commits=1, end="commit", alone=True, by_driver=True)
ROLLBACK: Final = Change(end="rollback", alone=True, by_driver=True)
BEGIN: Final = Change(may_change=True, may_commit=True, begins=1)


# -- methods of drivers ----------------------------------------------------------------------------------

EXECUTING: Final = frozenset({"__call__", "execute", "executemany", "executescript"})
"""Methods that are given a text of SQL; sqlite3 calls its connection only to prepare one."""

FETCHING: Final = frozenset({"fetchone", "fetchmany", "fetchall", "fetchval", "__next__"})
"""Methods that give rows of what was executed before."""

# Of connections, cursors, blobs and generators; of any other method nobody knows.
_READING: Final = (
    *("cursor", "fetchone", "fetchmany", "fetchall", "fetchval", "skip", "scroll", "cancel"),
    *("noscan", "read", "seek", "tell", "send", "throw", "__init__", "__enter__", "__iter__", "__next__"),
    *("setinputsizes", "setoutputsize", "setoutputsizes", "tables", "columns", "statistics", "getTypeInfo"),
    *("rowIdColumns", "rowVerColumns", "primaryKeys", "foreignKeys", "procedures", "procedureColumns"),
    *("setencoding", "setdecoding", "getinfo", "add_output_converter", "get_output_converter"),
    *("remove_output_converter", "clear_output_converters", "iterdump", "blobopen", "interrupt"),
    *("getlimit", "getconfig", "create_function", "create_aggregate", "create_collation", "serialize"),
    *("create_window_function", "set_trace_callback", "set_progress_handler", "set_authorizer"),
    *("__len__", "__bool__", "__getitem__", "__contains__"),
)
BY_METHOD: Final[Mapping[str, Change | None]] = {
    **dict.fromkeys(_READING, READS),
    **dict.fromkeys(EXECUTING),
    "commit": COMMIT,
    "rollback": ROLLBACK,
    **dict.fromkeys(("begin", "start_transaction", "tpc_begin", "transaction"), BEGIN),
    "close": None,
    "__exit__": None,
    "nextset": MAY_COMMIT,  # SQL Server runs a batch while its results are fetched
}
"""What methods do of which that is known; None if it depends on the object and the arguments."""


def change_by_text(name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Change:
    """What calling a method that executes does, with these arguments."""
    change = change_of(statement_of(args, kwargs))
    if name == "executescript":  # sqlite3 commits first
        return dataclasses.replace(change, may_commit=True)
    return change


def statement_of(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> object:
    """What a method that executes is given to execute; None if nothing."""
    return args[0] if args else next(iter(kwargs.values()), None)


# -- texts of SQL ----------------------------------------------------------------------------------------


def change_of(sql: object) -> Change:
    """What executing `sql` can do. Never raises; anything but a `str` is unknown."""
    if not isinstance(sql, str):
        return UNKNOWN
    text = str.__str__(sql)  # a subclass may compare in a way of its own
    return _remembered(text) if len(text) <= LONGEST_CACHED else _change(text)


def _change(sql: str) -> Change:
    every = readings(sql)
    statements = dict.fromkeys(statement for reading in every for statement in reading.statements)
    readable = any(reading.whole for reading in every)
    ends = {_end(reading) for reading in every}
    found = Change(
        may_change=not readable or any(map(_may_change, statements)),
        may_commit=not readable or any(map(_may_commit, statements)),
        begins=max(sum(map(_begins, reading.statements)) for reading in every),
        commits=max(sum(_plain_end(each) == "commit" for each in reading.statements) for reading in every),
        end=ends.pop() if readable and len(ends) == 1 else None,
        alone=all(len(reading.statements) == 1 for reading in every),
        for_good=any(map(_sets_mode, statements)),
        saves=any(beginning(statement)[0] == "SAVEPOINT" for statement in statements),
        releases=any(beginning(statement)[0] == "RELEASE" for statement in statements),
    )
    return READS if found in (READS, _ONE_READ) else found


_ONE_READ: Final = Change(alone=True)
_remembered = functools.lru_cache(maxsize=1024)(_change)


_MODES: Final = frozenset({"IMPLICIT_TRANSACTIONS", "ANSI_DEFAULTS", "AUTOCOMMIT", "@@AUTOCOMMIT"})
_QUERYING: Final = frozenset(
    {"", "SELECT", "VALUES", "WITH", "TABLE", "SHOW", "DESCRIBE", "DESC", "PRAGMA", "SET", "RESET", "USE"}
    | {"DECLARE", "OPEN", "FETCH", "MOVE", "CLOSE", "IF", "ELSE", "PRINT", "WAITFOR", "LISTEN", "UNLISTEN"}
    | {"SAVEPOINT", "RELEASE", "SAVE", "ROLLBACK", "ABORT"}
)
_COMMITTING: Final = frozenset({"BEGIN", "START", "COMMIT", "END", "LOCK", "UNLOCK"})
"""What changes no data, but may make earlier changes durable: MySQL commits before these, too."""
_WRITING: Final = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE"})
_REDEFINING: Final = frozenset(
    {"CREATE", "ALTER", "DROP", "TRUNCATE", "RENAME", "GRANT", "REVOKE", "DENY", "EXEC", "EXECUTE", "CALL"}
)
"""Of these some databases commit before and after, and procedures may do anything."""
_ELSEWHERE: Final = _WRITING | _REDEFINING | {"INTO", "COPY", "BULK", "UPSERT", "WRITETEXT", "UPDATETEXT"}
"""What changes data wherever it stands: SQL Server needs no semicolons, and others write in a WITH."""
_PLAIN_ENDS: Final[Mapping[str, End]] = {
    **dict.fromkeys(("COMMIT", "END"), "commit"),
    **dict.fromkeys(("ROLLBACK", "ABORT"), "rollback"),
}
_SAYS_NOTHING: Final = frozenset({"WORK", "TRAN", "TRANSACTION"})
"""Behind COMMIT or ROLLBACK. Anything else may be a savepoint, or begin the next transaction."""


def _may_change(statement: Statement) -> bool:
    first = beginning(statement)[0]
    harmless = first in _QUERYING or first in _COMMITTING - {"BEGIN"} or begins_transaction(statement)
    return not harmless or any(_writes(statement, place) for place in range(len(statement)))


def _writes(statement: Statement, place: int) -> bool:
    """Whether the word at a place changes data: not UPDATE in SELECT ... FOR UPDATE, nor REPLACE(...)."""
    token, before, after = statement[place], statement[place - 1 : place], statement[place + 1 : place + 2]
    if token not in _ELSEWHERE:
        return False
    if token == "UPDATE" and before and before[0] in ("FOR", "KEY"):
        return False
    return not (token in ("REPLACE", "INSERT") and before and after == ("(",))


def _may_commit(statement: Statement) -> bool:
    known = beginning(statement)[0] in _QUERYING | _WRITING
    return (
        not known or "COMMIT" in statement or not _REDEFINING.isdisjoint(statement) or _sets_mode(statement)
    )


def _sets_mode(statement: Statement) -> bool:
    return "SET" in statement and not _MODES.isdisjoint(statement)


def _begins(statement: Statement) -> int:
    inside = sum(
        token == "BEGIN" and after in ("TRAN", "TRANSACTION", "DISTRIBUTED")
        for token, after in pairwise(statement)
    )
    return max(inside, int(begins_transaction(statement)))


def _end(reading: Reading) -> End | None:
    return _plain_end(reading.statements[-1]) if reading.statements else None


def _plain_end(statement: Statement) -> End | None:
    return _PLAIN_ENDS.get(statement[0]) if _SAYS_NOTHING.issuperset(statement[1:]) else None
