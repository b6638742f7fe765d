"""What each database's errors say about its connection, and how it is asked whether it is there."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

import pytest

from wats_accel.pool.dialects import Dialect, PostgreSql, Sqlite, SqlServer, dialect_and_baseline, dialect_of
from wats_accel.pool.lease import Lease


class Error(Exception):
    """As in the DB-API."""


class DatabaseError(Error):
    pass


class OperationalError(DatabaseError):
    pass


class InterfaceError(Error):
    pass


class ProgrammingError(DatabaseError):
    pass


class IntegrityError(DatabaseError):
    pass


class DataError(DatabaseError):
    pass


MICROSOFT = "[Microsoft][ODBC Driver 17 for SQL Server]"


def odbc(kind: type[Error], state: str, words: str) -> Error:
    """An error as pyodbc raises it."""
    return kind(state, f"[{state}] {words}")


def with_state(kind: type[Error], words: str, **attributes: Any) -> Error:
    """An error whose state is an attribute: ``sqlstate`` (psycopg), ``pgcode`` (psycopg2)."""
    error = kind(words)
    error.__dict__.update(attributes)
    return error


# The words are those of the drivers and servers themselves. What counts as a disconnect follows
# SQLAlchemy's dialects, except where they give up connections that are as good as before.
LOST = [
    # psqlODBC
    odbc(Error, "57P01", "FATAL: terminating connection due to administrator command;\nThe connection has"
         " been lost (35) (SQLExecDirectW)"),
    odbc(Error, "57P01", "server closed the connection unexpectedly\n\tThis probably means the server"
         " terminated abnormally\n\tbefore or while processing the request.\n;\nThe connection was lost"),
    odbc(Error, "57P02", "FATAL: terminating connection because of crash of another server process"),
    odbc(Error, "57P03", "FATAL: the database system is starting up"),
    odbc(Error, "57P05", "FATAL: terminating connection due to idle-session timeout"),
    odbc(ProgrammingError, "25P03", "FATAL: terminating connection due to idle-in-transaction timeout"),
    odbc(ProgrammingError, "25P04", "FATAL: terminating connection due to transaction timeout"),
    odbc(Error, "40001", "FATAL: terminating connection due to conflict with recovery;\nError while"),
    odbc(OperationalError, "08S01", "SQLExecDirectW unable due to the connection lost (35) (SQLExecDirectW)"),
    odbc(OperationalError, "08S01", "Could not send Query(connection dead) (35) (SQLExecDirectW)"),
    odbc(OperationalError, "08003", "Connection not open (205)"),
    odbc(OperationalError, "08007", "Could not begin a transaction (26) (SQLExecDirectW)"),
    odbc(Error, "HY000", "Could not send Query(connection dead) (26) (SQLExecDirectW)"),
    # SQL Server through ODBC, also where Windows speaks Portuguese
    odbc(OperationalError, "08S01", MICROSOFT + "TCP Provider: Error code 0x2746 (10054) (SQLExecDirectW)"),
    odbc(OperationalError, "08S01", MICROSOFT + "Communication link failure (0) (SQLExecDirectW)"),
    odbc(OperationalError, "08S01", MICROSOFT + "Falha de vínculo de comunicação (0) (SQLEndTran)"),
    odbc(OperationalError, "08S02", MICROSOFT + "Client unable to establish connection (0)"),
    odbc(OperationalError, "08001", MICROSOFT + "TCP Provider: No connection could be made (10061)"),
    odbc(Error, "01000", "[Microsoft][ODBC SQL Server Driver][DBNETLIB]ConnectionWrite (send()). (10054)"
         " (SQLExecDirectW); [08S01] General network error. Check your network documentation. (11)"),
    odbc(Error, "01000", MICROSOFT + "TCP Provider: Error code 0x68 (104) (SQLEndTran)"),
    odbc(Error, "01000", MICROSOFT + "Provedor TCP: Código de erro 0x2746 (10054) (SQLEndTran)"),
    odbc(Error, "01002", MICROSOFT + "Disconnect error (0)"),
    odbc(Error, "HY000", MICROSOFT + "[SQL Server]Cannot continue the execution because the session is in the"
         " kill state. (596) (SQLExecDirectW)"),
    odbc(ProgrammingError, "42000", MICROSOFT + "[SQL Server]The server failed to resume the transaction."
         " Desc:42b00000004. (3971) (SQLExecDirectW)"),
    odbc(ProgrammingError, "42000", MICROSOFT + "[SQL Server]SHUTDOWN is in progress. (6005) (SQLFetch)"),
    odbc(OperationalError, "HYT01", MICROSOFT + "Connection timeout expired (0)"),
    odbc(Error, "IMC06", MICROSOFT + "The connection is broken and recovery is not possible. (0)"),
    Error("10054", "an existing connection was forcibly closed by the remote host"),
    # SQL Server through FreeTDS
    OperationalError(20006, b"DB-Lib error message 20006, severity 9:\nWrite to the server failed\n"),
    OperationalError(20047, b"DB-Lib error message 20047, severity 9:\nDBPROCESS is dead or not enabled\n"),
    # psycopg, psycopg2, pg8000
    with_state(OperationalError, "terminating connection due to administrator command", sqlstate="57P01"),
    with_state(OperationalError, "terminating connection due to administrator command\n", pgcode="57P01"),
    with_state(OperationalError, "server closed the connection unexpectedly\n\tThis probably", pgcode=None),
    with_state(OperationalError, "consuming input failed: server closed the connection unexpectedly"),
    OperationalError("the connection is closed"),
    OperationalError("the connection is lost"),
    OperationalError("SSL SYSCALL error: EOF detected\n"),
    OperationalError("SSL error: decryption failed or bad record mac\n"),
    OperationalError("could not receive data from server: Connection timed out\n"),
    InterfaceError("connection already closed"),
    InterfaceError("network error"),
    InterfaceError("connection is closed"),
    DatabaseError({"S": "FATAL", "C": "57P01", "M": "terminating connection due to administrator command"}),
    # MySQL
    OperationalError(2006, "MySQL server has gone away"),
    OperationalError(2013, "Lost connection to MySQL server during query"),
    OperationalError(4031, "The client was disconnected by the server because of inactivity."),
    ProgrammingError(2055, "Cursor is not connected"),
    OperationalError("MySQL Connection not available."),
    # Oracle
    DatabaseError("ORA-03113: end-of-file on communication channel"),
    DatabaseError("ORA-03114: not connected to ORACLE"),
    DatabaseError("ORA-00028: your session has been killed"),
    InterfaceError("DPY-1001: not connected to database"),
    DatabaseError("DPY-4011: the database or network closed the connection"),
]  # fmt: skip
UNCLEAR = [
    odbc(OperationalError, "HYT00", MICROSOFT + "Query timeout expired (0) (SQLExecDirectW)"),
    odbc(Error, "40001", MICROSOFT + "[SQL Server]Transaction (Process ID 55) was deadlocked on lock"
         " resources with another process and has been chosen as the deadlock victim. (1205) (SQLFetch)"),
    odbc(Error, "40001", "ERROR: could not serialize access due to concurrent update;\nError while"),
    odbc(Error, "40P01", "ERROR: deadlock detected;\nError while executing the query (1) (SQLExecDirectW)"),
    odbc(Error, "57014", "ERROR: canceling statement due to statement timeout;\nError while executing"),
    odbc(Error, "55P03", "ERROR: canceling statement due to lock timeout;\nError while executing"),
    odbc(Error, "53200", "ERROR: out of memory"),
    odbc(Error, "HY000", MICROSOFT + "Connection is busy with results for another hstmt (0) (SQLFetch)"),
    odbc(Error, "HY000", "[SQLite]database is locked (5) (SQLExecDirectW)"),
    odbc(Error, "HY008", MICROSOFT + "Operation canceled (0) (SQLExecDirectW)"),
    odbc(Error, "HY010", "[unixODBC][Driver Manager]Function sequence error (0) (SQLFetch)"),
    odbc(Error, "01000", MICROSOFT + "[SQL Server]The statement has been terminated. (3621) (SQLFetch)"),
    OperationalError("database is locked"),
    OperationalError(1205, "Lock wait timeout exceeded; try restarting transaction"),
    OperationalError(1213, "Deadlock found when trying to get lock; try restarting transaction"),
    DatabaseError("ORA-00060: deadlock detected while waiting for resource"),
]  # fmt: skip
SETTLED = [
    odbc(ProgrammingError, "42S02", MICROSOFT + "[SQL Server]Invalid object name 'connection lost'. (208)"),
    odbc(ProgrammingError, "42000", MICROSOFT + "[SQL Server]connection closed, it said (50000) (SQLFetch)"),
    odbc(ProgrammingError, "42P01", 'ERROR: relation "server closed" does not exist;\nError while executing'),
    odbc(IntegrityError, "23000", MICROSOFT + "[SQL Server]The duplicate key value is (broken pipe). (2627)"),
    odbc(IntegrityError, "23505", "ERROR: duplicate key\nDETAIL: Key (name)=(FATAL: gone away) exists."),
    odbc(DataError, "22012", "ERROR: division by zero;\nError while executing the query (1) (SQLFetch)"),
    odbc(ProgrammingError, "24000", "[unixODBC][Driver Manager]Invalid cursor state (0) (SQLFetch)"),
    odbc(ProgrammingError, "25P02", "ERROR: current transaction is aborted, commands ignored until end of"),
    IntegrityError(1062, "Duplicate entry 'MySQL server has gone away' for key 'name'"),
    IntegrityError("UNIQUE constraint failed: connection.closed"),
    ProgrammingError("You can only execute one statement at a time."),
]  # fmt: skip


def words(error: Error) -> str:
    return f"{type(error).__name__}{error.args!r}"[:70]


class Noting:
    """A lender that notes what it is told."""

    def __init__(self) -> None:
        self.told: list[Lease] = []

    def lost(self, lease: Lease) -> None:
        self.told.append(lease)


def after(error: BaseException, dialect: Dialect | None = None) -> tuple[bool, str | None, int]:
    """Whether a lease is lost, what is doubtful, and how often the pool was warned."""
    lender: Any = Noting()
    lease = Lease(lender, object(), dialect or Dialect(), None)
    lease.failed(error)
    return lease.lost, lease.doubt, len(lender.told)


@pytest.mark.parametrize("error", LOST, ids=words)
def test_a_disconnect_loses_the_connection_and_warns_the_pool(error: Error) -> None:
    for dialect in (Dialect(), SqlServer(), PostgreSql()):
        assert dialect.is_disconnect(error)
    assert after(error) == (True, None, 1)


@pytest.mark.parametrize("error", UNCLEAR, ids=words)
def test_what_may_be_harmless_is_settled_by_asking(error: Error) -> None:
    assert not Dialect().is_disconnect(error)
    assert after(error) == (False, "unclear", 0)


@pytest.mark.parametrize("error", SETTLED, ids=words)
def test_an_answer_of_the_server_leaves_no_doubt(error: Error) -> None:
    assert not Dialect().is_disconnect(error)
    assert after(error) == (False, None, 0)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(), GeneratorExit()], ids=repr)
def test_nobody_knows_how_far_an_interrupted_call_had_come(error: BaseException) -> None:
    assert after(error) == (False, "interrupted", 0)


@pytest.mark.parametrize(
    "error",
    [StopIteration(), TypeError("connection lost"), ValueError({}), Exception(), Exception({})],
    ids=repr,
)
def test_errors_of_python_say_nothing_about_a_connection(error: BaseException) -> None:
    assert after(error) == (False, None, 0)


def test_a_file_does_not_go_away_by_itself() -> None:
    assert not any(Sqlite().is_disconnect(error) for error in (*LOST, *UNCLEAR, *SETTLED))
    assert Sqlite().is_disconnect(sqlite3.OperationalError("disk I/O error"))


# -- asking ------------------------------------------------------------------------------------------------


class Raw:
    """A connection of no particular database."""

    def __init__(self, error: Exception | None = None, *, autocommit: object = False) -> None:
        self.error = error
        self.autocommit = autocommit
        self.calls: list[str] = []
        self.description = [("column",)]

    def cursor(self) -> Raw:
        return self

    def execute(self, sql: str) -> None:
        self.calls.append(sql)
        if self.error:
            raise self.error

    def fetchall(self) -> list[tuple[int]]:
        return [(1,)]

    def rollback(self) -> None:
        self.calls.append("rollback")

    def close(self) -> None:
        self.calls.append("close")


def test_a_ping_leaves_no_transaction_behind() -> None:
    for autocommit in (False, -1, Raw.rollback):  # a mode of sqlite3's, a method of pymssql's
        raw = Raw(autocommit=autocommit)
        assert Dialect().is_alive(raw)
        assert raw.calls == ["SELECT 1", "close", "rollback"]
    raw = Raw(autocommit=True)
    assert Dialect().is_alive(raw)
    assert raw.calls == ["SELECT 1", "close"]


@pytest.mark.parametrize(
    "error", [ProgrammingError("FROM keyword not found"), DatabaseError("ORA-00923: FROM keyword not found")]
)
def test_a_server_that_does_not_know_the_question_is_there(error: Error) -> None:
    raw = Raw(error)
    assert Dialect().is_alive(raw)
    assert raw.calls == ["SELECT 1", "close", "rollback"]


@pytest.mark.parametrize("error", [*LOST, *UNCLEAR[:1], TypeError(), OSError()], ids=repr)
def test_any_other_error_of_a_ping_means_that_nobody_is_there(error: Exception) -> None:
    assert not Dialect().is_alive(Raw(error))


# -- which database it is ----------------------------------------------------------------------------------


def test_an_odbc_driver_says_which_database_it_speaks_to(
    odbc: Any, sqlite_odbc: Callable[[Any], str], empty_postgresql_database: str, tmp_path: Any
) -> None:
    for text, kind in (
        (sqlite_odbc(tmp_path / "a.db"), Sqlite),
        (empty_postgresql_database, PostgreSql),
    ):
        connection = odbc.connect(text)
        assert type(dialect_of("pyodbc", connection)) is kind
        connection.close()


@pytest.mark.parametrize(
    ("module", "kind"),
    [("sqlite3", Sqlite), ("sqlite3.dbapi2", Sqlite), ("psycopg2", PostgreSql), ("psycopg", PostgreSql),
     ("pymssql", SqlServer), ("unheard_of", Dialect), ("pyodbc", Dialect)],
)  # fmt: skip
def test_a_driver_of_one_database_is_known_by_its_name(module: str, kind: type[Dialect]) -> None:
    assert type(dialect_of(module, object())) is kind


def test_a_database_that_only_says_that_it_is_this_one_gets_no_special_treatment() -> None:
    class Pretender(Raw):
        def getinfo(self, number: int) -> str:
            return "PostgreSQL"

    dialect, baseline = dialect_and_baseline("pyodbc", Pretender(ProgrammingError("no pg_settings here")))
    assert (type(dialect), baseline) == (Dialect, ())
