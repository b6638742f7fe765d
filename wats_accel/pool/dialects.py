"""Dialects: how each database is asked whether it is there, and made to forget a session."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from typing import Any

from wats_accel.pool.statements import TRANSACTION

_SQL_DBMS_NAME = 17

# Of the SQL standard, ODBC and PostgreSQL: the classes of failed connections and of servers that go down,
# time-outs that end a session (not HYT00, which ends a query), sockets, connections that ODBC cannot restore.
_LOST_STATES = ("08", "57P", "25P03", "25P04", "01002", "HYT01", "10054", "IMC")
_VAGUE_STATES = frozenset({"HY000", "01000"})
"""Anything may be behind these: the words have to tell."""
_LOST_NUMBERS = frozenset({1927, 2006, 2013, 2014, 2045, 2048, 2055, 4031})
"""MySQL's, of errors that have no state in Python."""
_MAY_SAY_LOST = frozenset({"OperationalError", "InterfaceError", "InternalError", "DatabaseError", "Error"})
_LOST = re.compile(
    # libpq, psycopg, pg8000, and what most say
    r"connection (?:(?:is|was|has been) )?(?:already )?(?:closed|lost|reset|broken|dead|refused|terminat"
    r"|killed|timed out|not open|not available|not valid)"
    r"|(?:lost|no|terminating|closed) (?:the )?connection|server closed|gone away|broken pipe"
    r"|communication (?:link|channel)|not connected|network(?:[ -]related)? (?:error|operation|name)"
    r"|could not (?:send|receive)|SSL SYSCALL|bad record mac"
    # psqlODBC, in the middle of a transaction: alive or not, the transaction is not
    r"|internal SAVEPOINT failed"
    # SQL Server, through ODBC in any language and through FreeTDS
    r"|(?:Error|code|0x\w+) \(?(?:104|110|10053|10054|10060)\b|message 20(?:003|006|017|018|047)"
    r"|failed to resume the transaction|DBPROCESS is dead"
    # Oracle
    r"|ORA-0?(?:0028|1033|2396|3113|3114|3135)\b|DP[IY]-(?:1001|1010|1080|4011)\b|lost contact",
    re.IGNORECASE,
)
_ENDS_SESSION = re.compile(r"(?:\A|\] )FATAL:|\((?:596|3971|6005)\) \(SQL")
"""Whatever the state: PostgreSQL's word for it, SQL Server's numbers for killed, not resumed, shut down."""


_SET_FOR_GOOD = "setting for good"
_NOT_DISCARDED = re.compile(
    r"setseed|set_config(?!\s*\(\s*'\w*'\s*,)|\bset\s[^;=']*(?:\.|\bseed\b)", re.IGNORECASE
)
"""Of PostgreSQL: rather more than the names with a dot."""


class Dialect:
    """A database of which nothing is known; base of those of which something is.

    Attributes:
        language: the name by which readers of SQL know it: ``tsql``, ``postgres`` …; empty: no one.
        reset_sql: statements that make a session as good as new; empty if there are none.
        history_sql: statements after which nobody can tell that rows were inserted.
        not_reset: what a full reset leaves behind, in the words of `statements`.
        nests_transactions: whether a COMMIT may end but the innermost of several that were begun, and a
            text of several statements may still be under way when the driver returns.
        savepoints_begin: whether SAVEPOINT begins a transaction if none is open, and RELEASE commits it.
    """

    language = ""
    ping_sql = "SELECT 1"
    reset_sql: tuple[str, ...] = ()
    history_sql: tuple[str, ...] = ()
    not_reset: frozenset[str] = frozenset()
    nests_transactions = True
    savepoints_begin = False

    def taint_of(self, sql: object, taint: str) -> str:
        """What a statement leaves that is known to leave `taint`: that, or worse."""
        return taint

    def baseline(self, raw: Any) -> tuple[str, ...]:
        """Statements that repeat, after a full reset, what the driver set when it connected."""
        return ()

    def is_disconnect(self, error: BaseException) -> bool:
        """Whether an error says that the connection is gone for good."""
        words, state = str(error), _sql_state(error)
        if state is not None:
            vague = state in _VAGUE_STATES and _LOST.search(words)
            return bool(state.startswith(_LOST_STATES) or vague or _ENDS_SESSION.search(words))
        if any(number in _LOST_NUMBERS for number in error.args[:1] if isinstance(number, int)):
            return True
        return type(error).__name__ in _MAY_SAY_LOST and bool(_LOST.search(words))

    def is_alive(self, raw: Any) -> bool:
        """Ask the database for an answer, and leave no transaction behind."""
        try:
            self._ask(raw)
            if getattr(raw, "autocommit", False) is not True:
                raw.rollback()
        except Exception:  # noqa: BLE001 - each driver has errors of its own
            return False
        return True

    def _ask(self, raw: Any) -> None:
        """Any answer will do: where this is no SQL, the server is there to say so."""
        try:
            _run(raw, self.ping_sql)
        except Exception as error:
            is_answer = type(error).__name__ in ("ProgrammingError", "DatabaseError")
            if not is_answer or self.is_disconnect(error):
                raise

    def forget_session(self, raw: Any, baseline: tuple[str, ...]) -> None:
        """Make the session as good as new."""
        with _autocommit(raw):
            for statement in (*self.reset_sql, *baseline):
                _run(raw, statement)

    def has_history(self, raw: Any, *, inserted: bool) -> bool:
        """Whether the session could tell its next user what was written; `inserted`: whether rows were."""
        return inserted

    def forget_history(self, raw: Any) -> None:
        """Make the session forget what was inserted."""
        with _autocommit(raw):
            for statement in self.history_sql:
                _run(raw, statement)


class SqlServer(Dialect):
    """Microsoft SQL Server."""

    language = "tsql"
    # As the drivers' own pools do; SQLAlchemy's documentation shows how to ask for it through ODBC.
    reset_sql = ("{call sys.sp_reset_connection}",)
    history_sql = reset_sql  # of @@IDENTITY and SCOPE_IDENTITY()


class PostgreSql(Dialect):
    """PostgreSQL."""

    language = "postgres"
    reset_sql = ("DISCARD ALL",)
    history_sql = ("DISCARD SEQUENCES",)  # of lastval() and currval()
    # psqlODBC keeps an account of its own, and loses it: after a ROLLBACK in the text of a statement it
    # no longer frees the plans of statements with values, up to "already exists" and a crash.
    not_reset = frozenset({TRANSACTION, _SET_FOR_GOOD})
    nests_transactions = False

    def taint_of(self, sql: object, taint: str) -> str:
        """DISCARD ALL leaves random numbers as they were seeded, and '' of settings of one's own."""
        return _SET_FOR_GOOD if isinstance(sql, str) and _NOT_DISCARDED.search(sql) else taint

    def baseline(self, raw: Any) -> tuple[str, ...]:
        """What psqlODBC and others set when they connect."""
        with _autocommit(raw):
            rows = _run(raw, "SELECT name, setting FROM pg_settings WHERE source = 'session'")
        # Not SET, to which some settings are lists of names.
        calls = [f"set_config({_literal(name)}, {_literal(value)}, false)" for name, value in rows]
        return (f"SELECT {', '.join(calls)}",) if calls else ()

    def _ask(self, raw: Any) -> None:
        """Outside a transaction, which would cost a BEGIN and a ROLLBACK."""
        with _autocommit(raw):
            super()._ask(raw)


class Sqlite(Dialect):
    """SQLite."""

    language = "sqlite"
    # The only way to set last_insert_rowid() and changes() back to 0 without touching a file.
    history_sql = (
        "ATTACH ':memory:' AS wats_accel_history",
        "CREATE TABLE wats_accel_history.empty (column_1)",
        "INSERT INTO wats_accel_history.empty (rowid) VALUES (0)",
        "DELETE FROM wats_accel_history.empty WHERE 0",
        "DETACH wats_accel_history",
    )
    nests_transactions = False
    savepoints_begin = True

    def has_history(self, raw: Any, *, inserted: bool) -> bool:
        """An UPDATE leaves a number behind, too."""
        with _autocommit(raw):
            rows = _run(raw, "SELECT 1 WHERE changes() <> 0 OR last_insert_rowid() <> 0")
        return bool(rows)

    def is_disconnect(self, error: BaseException) -> bool:
        """A file does not go away by itself."""
        return "disk I/O error" in str(error)

    def is_alive(self, raw: Any) -> bool:
        """There is no server that could have gone away."""
        return True


_BY_PRODUCT: dict[str, Callable[[], Dialect]] = {
    "microsoft sql server": SqlServer,
    "postgresql": PostgreSql,
    "sqlite": Sqlite,
}
_BY_MODULE: dict[str, Callable[[], Dialect]] = {
    "sqlite3": Sqlite,
    "psycopg": PostgreSql,
    "psycopg2": PostgreSql,
    "pg8000": PostgreSql,
    "pymssql": SqlServer,
}


def dialect_of(driver_name: str, raw: Any) -> Dialect:
    """The dialect that a connection speaks."""
    product = None
    with contextlib.suppress(Exception):  # a driver that does not tell, or tells something else
        product = str(raw.getinfo(_SQL_DBMS_NAME)).lower()
    found = _BY_PRODUCT.get(product or "") or _BY_MODULE.get(driver_name.partition(".")[0])
    return found() if found else Dialect()


def dialect_and_baseline(driver_name: str, raw: Any) -> tuple[Dialect, tuple[str, ...]]:
    """The dialect, and the statements that repeat what the driver has set in a new session."""
    dialect = dialect_of(driver_name, raw)
    try:
        return dialect, dialect.baseline(raw)
    except Exception:  # noqa: BLE001 - a database that only says that it is this one is no such one
        return Dialect(), ()


def _sql_state(error: BaseException) -> str | None:
    """The SQLSTATE: ODBC drivers give it first, PostgreSQL's own as an attribute, pg8000 in a dictionary."""
    first = error.args[0] if error.args else None
    if isinstance(first, dict):
        first = first.get("C")
    state = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None) or first
    return state if isinstance(state, str) and len(state) == 5 else None


def _literal(text: object) -> str:
    return "'" + str(text).replace("'", "''") + "'"


def _run(raw: Any, statement: str) -> list[Any]:
    cursor = raw.cursor()
    try:
        cursor.execute(statement)
        return list(cursor.fetchall()) if cursor.description else []
    finally:
        cursor.close()


@contextlib.contextmanager
def _autocommit(raw: Any) -> Iterator[None]:
    """Statements that do not belong in a transaction; the mode is put back as it was."""
    name, value = ("autocommit", True) if hasattr(raw, "autocommit") else ("isolation_level", None)
    if not hasattr(raw, name):
        yield
        return
    before = getattr(raw, name)
    if before == value:
        yield
        return
    setattr(raw, name, value)
    try:
        yield
    finally:
        setattr(raw, name, before)
