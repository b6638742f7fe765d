"""Sessions: whatever a statement has left in one, the next user cannot tell that there was a user before."""

from __future__ import annotations

import contextlib
import gc
from typing import Any

import pytest
from backends import POSTGRESQL, SQLITE3, SQLITE_ODBC, Driver, on, outcome

# -- what can be told of a session ---------------------------------------------------------------------------

_SQLITE_PRAGMAS = (
    *("foreign_keys", "cache_size", "temp_store", "synchronous", "query_only", "recursive_triggers"),
    *("locking_mode", "defer_foreign_keys", "writable_schema", "journal_mode", "automatic_index"),
    *("ignore_check_constraints", "legacy_alter_table", "reverse_unordered_selects", "busy_timeout"),
    *("threads", "read_uncommitted", "secure_delete", "cell_size_check", "trusted_schema", "mmap_size"),
    *("full_column_names", "short_column_names", "count_changes", "analysis_limit", "hard_heap_limit"),
)
_SQLITE = (
    "SELECT last_insert_rowid(), changes()",
    "SELECT name FROM pragma_database_list ORDER BY name",
    "SELECT name, type FROM sqlite_temp_master ORDER BY name",
    "SELECT 'a' LIKE 'A'",
    "SELECT DISTINCT name FROM pragma_function_list ORDER BY name",
    "SELECT name FROM pragma_collation_list ORDER BY name",
    *(f"PRAGMA {name}" for name in _SQLITE_PRAGMAS),
)
_POSTGRESQL = (
    "SELECT name, setting FROM pg_settings WHERE name NOT LIKE 'plpgsql.%' ORDER BY name",  # once it is used
    "SHOW transaction_isolation",
    "SELECT current_user, session_user, current_schema()",
    "SELECT name FROM pg_prepared_statements WHERE name NOT LIKE '\\_PLAN%'",
    "SELECT name FROM pg_cursors WHERE name NOT LIKE 'SQL_CUR%'",
    "SELECT pg_listening_channels()",
    "SELECT relname FROM pg_class WHERE relpersistence = 't'",
    "SELECT classid, objid FROM pg_locks WHERE locktype = 'advisory'",
    "SELECT current_setting('my.own', true)",
    "SELECT lastval()",
    "SELECT currval('counter')",
    "SELECT name FROM passing",
    "EXECUTE mine",
    "FETCH 1 FROM reading",
    "SELECT CAST(state AS text) FROM pg_stat_activity WHERE pid = pg_backend_pid()",
)


def rows(connection: Any, sql: str) -> list[tuple[Any, ...]]:
    """What a query finds."""
    return [tuple(row) for row in connection.execute(sql).fetchall()]


def portrait(driver: Driver, connection: Any) -> dict[str, Any]:
    """All that can be told of a session."""
    told = {}
    for sql in _POSTGRESQL if driver.backend == POSTGRESQL else _SQLITE:
        told[sql] = outcome(rows, connection, sql)
        connection.rollback()
    return told


def check_next(driver: Driver) -> None:
    """Compare the next user's session with one that has just been opened."""
    gc.collect()
    following = driver.connect()
    found = portrait(driver, following)
    following.close()
    with contextlib.closing(driver._bare_connect(driver.database)) as new:
        expected = portrait(driver, new)
    assert {sql: told for sql, told in found.items() if told != expected[sql]} == {}


def leave(driver: Driver, *statements: str, committed: bool = True) -> None:
    """Execute statements one by one, outside of a transaction where they do not begin one, and go."""
    connection = driver.connect()
    if driver.backend == SQLITE_ODBC:
        connection.autocommit = True
    for sql in statements:
        connection.execute(sql)
    if committed:
        connection.commit()


# -- SQLite --------------------------------------------------------------------------------------------------

LEFT_IN_SQLITE: dict[str, tuple[str, ...]] = {
    "nothing": ("SELECT 1",),
    "a row": ("INSERT INTO person VALUES (77, 'Zoe')",),
    "rows changed": ("UPDATE person SET name = name",),
    "foreign keys": ("PRAGMA foreign_keys = ON",),
    "LIKE": ("PRAGMA case_sensitive_like = ON",),
    "a cache size": ("PRAGMA cache_size = 17",),
    "a place for temporary files": ("PRAGMA temp_store = MEMORY",),
    "no synchronisation": ("PRAGMA synchronous = OFF",),
    "read only": ("PRAGMA query_only = ON",),
    "recursive triggers": ("PRAGMA recursive_triggers = ON",),
    "a time to wait": ("PRAGMA busy_timeout = 17",),
    "a lock for good": ("PRAGMA locking_mode = EXCLUSIVE", "SELECT COUNT(*) FROM person"),
    "a schema to write": ("PRAGMA writable_schema = ON",),
    "a PRAGMA in small letters": ("pragma\tforeign_keys=1",),
    "a PRAGMA behind a comment": ("/* x */ PRAGMA -- y\n foreign_keys = ON",),
    "a PRAGMA with a schema": ("PRAGMA main.cache_size(17)",),
    "a database": ("ATTACH ':memory:' AS extra",),
    "a database with a table": ("ATTACH ':memory:' AS extra", "CREATE TABLE extra.there (id INTEGER)"),
    "a temporary table": ("CREATE TEMP TABLE passing (name TEXT)",),
    "a temporary table by its schema": ("CREATE TABLE temp.passing AS SELECT 1 AS name",),
    "a temporary table that hides another": ("CREATE TEMP TABLE person (id INTEGER)",),
    "a temporary view": ("CREATE TEMPORARY VIEW passing AS SELECT 1",),
    "a temporary trigger": (
        "CREATE TEMP TRIGGER passing AFTER INSERT ON person BEGIN SELECT RAISE(ABORT, 'no'); END",
    ),
    "a transaction": ("BEGIN", "DELETE FROM person"),
    "a lock": ("BEGIN EXCLUSIVE",),
    "a savepoint": ("SAVEPOINT here", "DELETE FROM person"),
    "statistics": ("ANALYZE",),
}
IN_TRANSACTION = "a transaction", "a lock", "a savepoint"


@on(SQLITE3, SQLITE_ODBC, modes=("pooled",))
@pytest.mark.parametrize("left", LEFT_IN_SQLITE)
def test_nothing_is_left_in_a_session_of_sqlite(driver: Driver, left: str) -> None:
    leave(driver, *LEFT_IN_SQLITE[left], committed=left not in IN_TRANSACTION)
    check_next(driver)
    assert len(driver.rows("SELECT id FROM person WHERE id < 10")) == 5


@on(SQLITE3, modes=("pooled",))
def test_nothing_is_left_by_a_script(driver: Driver) -> None:
    driver.connect().executescript(
        "SELECT 1; PRAGMA foreign_keys = ON; CREATE TEMP TABLE passing (id INTEGER);"
    )
    check_next(driver)


# -- PostgreSQL ----------------------------------------------------------------------------------------------

LEFT_IN_POSTGRESQL: dict[str, tuple[str, ...]] = {
    "nothing": ("SELECT 1",),
    "a search path": ("SET search_path = pg_catalog",),
    "a schema": ("SET SCHEMA 'pg_catalog'",),
    "a time-out": ("SET SESSION statement_timeout = 12345",),
    "a time zone": ("SET TIME ZONE 'Asia/Tokyo'",),
    "a way of dates": ("SET datestyle = 'German'",),
    "names": ("SET client_encoding = 'LATIN1'", "SET application_name = 'it''s me'"),
    "a setting by function": ("SELECT set_config('work_mem', '1MB', false)",),
    "a setting in a block": ("DO $$ BEGIN PERFORM set_config('work_mem', '1MB', false); END $$",),
    "a setting of one's own": ("SET my.own = 'value'",),
    "a local setting of one's own": ("SET LOCAL my.own = 'value'",),
    "a setting of one's own by function": ("SELECT set_config('my.own', 'value', false)",),
    "a role": ("CREATE ROLE somebody", "SET ROLE somebody"),
    "another user": ("SET SESSION AUTHORIZATION somebody",),
    "a way of transactions": ("SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE",),
    "a transaction read only": ("SET TRANSACTION READ ONLY",),
    "a temporary table": ("CREATE TEMPORARY TABLE passing (name TEXT)",),
    "a table selected into": ("SELECT 'x' AS name INTO TEMP passing",),
    "an application lock": ("SELECT pg_advisory_lock(7)",),
    "an application lock that was tried": ("SELECT pg_try_advisory_lock_shared(7)",),
    "a prepared statement": ("PREPARE mine AS SELECT 1",),
    "a channel": ("LISTEN channel",),
    "a cursor": ("DECLARE reading CURSOR WITH HOLD FOR SELECT 1",),
    "a number drawn": ("SELECT nextval('counter')",),
    "a row with a number": ("INSERT INTO counted (name) VALUES ('x')",),
}
SECRET_ROLE = "somebody"


@pytest.fixture
def _counter(driver: Driver) -> None:
    outside = driver.other_connection(autocommit=True)
    outside.execute("CREATE SEQUENCE counter")
    outside.execute("CREATE TABLE counted (id INTEGER DEFAULT nextval('counter'), name TEXT)")
    outside.execute(f"DROP ROLE IF EXISTS {SECRET_ROLE}")
    outside.execute(f"CREATE ROLE {SECRET_ROLE}")
    outside.close()


@on(POSTGRESQL, modes=("pooled",))
@pytest.mark.usefixtures("_counter")
@pytest.mark.parametrize("left", LEFT_IN_POSTGRESQL)
@pytest.mark.parametrize("committed", [True, False], ids=["committed", "rolled back"])
def test_nothing_is_left_in_a_session_of_postgresql(driver: Driver, left: str, committed: bool) -> None:
    statements = [sql for sql in LEFT_IN_POSTGRESQL[left] if not sql.startswith("CREATE ROLE")]
    leave(driver, *statements, committed=committed)
    check_next(driver)


@on(POSTGRESQL, modes=("pooled",))
def test_the_next_users_random_numbers_are_not_the_last_ones(driver: Driver) -> None:
    connection = driver.connect()
    seeded = "SELECT setseed(0.5)", "SELECT random()"
    first = [rows(connection, sql) for sql in seeded][1]
    del connection
    second = rows(driver.connect(), "SELECT random()")
    bare = driver.other_connection()
    assert [rows(bare, sql) for sql in seeded][1] == first
    assert rows(bare, "SELECT random()") != second


@on(POSTGRESQL, modes=("pooled",))
def test_statements_with_values_leave_no_plans_behind(driver: Driver) -> None:
    plans = "SELECT COUNT(*) FROM pg_prepared_statements"
    for number in range(1, 6):
        cursor = driver.connect().cursor()
        cursor.execute("SELECT name FROM person WHERE id = ?", (number,))
        assert len(cursor.fetchall()) == 1
        del cursor
    assert rows(driver.connect(), plans)[0][0] <= rows(driver.other_connection(), plans)[0][0] + 1


# -- every kind of reset -------------------------------------------------------------------------------------

RESETS = pytest.mark.parametrize(
    "pool_rules", [{"reset": kind} for kind in ("auto", "rollback", "full")], ids=["auto", "rollback", "full"]
)


@RESETS
@on(SQLITE3, SQLITE_ODBC, modes=("pooled",))
def test_every_reset_leaves_nothing_in_a_session_of_sqlite(driver: Driver) -> None:
    for left in ("nothing", "a row", "foreign keys", "a database", "a temporary table"):
        leave(driver, *LEFT_IN_SQLITE[left])
        check_next(driver)


@RESETS
@on(POSTGRESQL, modes=("pooled",))
@pytest.mark.usefixtures("_counter")
def test_every_reset_leaves_nothing_in_a_session_of_postgresql(driver: Driver) -> None:
    for left in (
        "nothing",
        "a search path",
        "a temporary table",
        "an application lock",
        "a row with a number",
    ):
        leave(driver, *LEFT_IN_POSTGRESQL[left])
        check_next(driver)


@RESETS
@on(modes=("pooled",))
def test_every_reset_puts_settings_back_and_undoes_work(driver: Driver) -> None:
    for _ in range(2):
        connection = driver.connect()
        connection.execute("DELETE FROM person")
        if not driver.is_odbc:
            connection.isolation_level = "EXCLUSIVE"
            connection.row_factory = driver.module.Row
        else:
            connection.maxwrite = 1000
        del connection
        gc.collect()
        assert len(driver.rows("SELECT id FROM person")) == 5
        following = driver.connect()
        if not driver.is_odbc:
            assert (following.isolation_level, following.row_factory) == ("", None)
        else:
            assert (following.maxwrite, following.autocommit) == (0, False)


@pytest.mark.parametrize(
    ("pool_rules", "kept"),
    [({"reset": "auto"}, True), ({"reset": "rollback"}, False), ({"reset": "full"}, True)],
    ids=["auto", "rollback", "full"],
)
@on(POSTGRESQL, modes=("pooled",))
def test_a_full_reset_saves_a_connection_that_has_something_left_in_it(driver: Driver, kept: bool) -> None:
    driver.neighbour()
    opened = driver.stats.opened
    leave(driver, "SET search_path = pg_catalog")
    driver.connect().close()
    assert (driver.stats.opened == opened) == kept
