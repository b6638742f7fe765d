"""What is changed on a pooled connection is known to be uncommitted, until it is not: and then it is told."""

from __future__ import annotations

import contextlib
import gc
import sys
import threading
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest
from backends import ODBC, POSTGRESQL, SQLITE3, Driver, on
from pool_bench import Bench, in_thread

from wats_accel.failures import failures_met
from wats_accel.pool.lease import Lease
from wats_accel.transactions import Transaction, has_uncommitted_changes, open_transactions

POOLED = ("pooled",)
PATIENCE = 30.0
INSERT = "INSERT INTO person VALUES (7, 'Gus')"
AGAIN = "INSERT INTO person VALUES (1, 'again')"
"""Refused: there is a person 1."""


@pytest.fixture(autouse=True)
def _nothing_left_open() -> Iterator[None]:
    assert not has_uncommitted_changes()
    yield
    gc.collect()
    assert not has_uncommitted_changes()


@pytest.fixture
def connection(driver: Driver) -> Iterator[Any]:
    made = driver.connect()
    yield made
    with contextlib.suppress(Exception):
        made.close()


def only_transaction() -> Transaction:
    (only,) = open_transactions()
    return only


class Watched:
    """The transaction that this thread is in, and the times that it called back."""

    def __init__(self) -> None:
        self.calls: list[int] = []
        self.transaction = only_transaction()
        self.transaction.at_commit(lambda: self.calls.append(threading.get_ident()), key=self)

    @property
    def end(self) -> str:
        """How it ended, as far as it tells."""
        if not self.transaction.over:
            return "open"
        return "committed" if self.calls else "rolled back"


def with_block(context: Any, *, fails: bool = False) -> None:
    with contextlib.suppress(LookupError), context:
        if fails:
            raise LookupError


def in_autocommit(driver: Driver, connection: Any) -> Any:
    """The connection, in the driver's own autocommit mode."""
    if driver.is_odbc:
        connection.autocommit = True
    else:
        connection.isolation_level = None
    return connection


# -- what begins one ---------------------------------------------------------------------------------------


CHANGES: dict[str, Callable[[Any], Any]] = {
    "insert": lambda connection: connection.execute(INSERT),
    "by a cursor": lambda connection: connection.cursor().execute("UPDATE person SET name = 'Zoe'"),
    "many": lambda connection: connection.cursor().executemany(
        "DELETE FROM person WHERE id = ?", [(1,), (2,)]
    ),
    "after a read": lambda connection: (
        connection.execute("SELECT 1").fetchone(),
        connection.execute(INSERT),
    ),
    "refused": lambda connection: raised_by(lambda: connection.execute(AGAIN)),
}


def raised_by(action: Callable[[], Any]) -> Exception | None:
    try:
        action()
    except Exception as error:
        return error
    return None


@on(modes=POOLED)
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_is_uncommitted_even_if_it_was_refused(
    driver: Driver, connection: Any, change: Callable[[Any], Any]
) -> None:
    change(connection)
    assert has_uncommitted_changes()
    assert not only_transaction().over


@on(modes=POOLED)
def test_a_read_is_none(driver: Driver, connection: Any) -> None:
    cursor = connection.execute("SELECT * FROM person")
    cursor.fetchall()
    connection.execute("WITH x AS (SELECT 1 AS a) SELECT a FROM x").fetchall()
    assert not has_uncommitted_changes()


@on(modes=POOLED)
def test_with_autocommit_a_change_is_committed_at_once(driver: Driver, connection: Any) -> None:
    in_autocommit(driver, connection)
    connection.execute(INSERT)
    connection.cursor().executemany("UPDATE person SET name = ?", [("Zoe",)])
    with pytest.raises(driver.module.Error):
        connection.execute(AGAIN)
    assert not has_uncommitted_changes()


@on(modes=POOLED)
def test_several_changes_are_of_one_transaction(driver: Driver, connection: Any) -> None:
    connection.execute(INSERT)
    first = only_transaction()
    connection.execute("DELETE FROM person")
    connection.cursor().execute("CREATE TABLE other (a INTEGER)")
    assert open_transactions() == [first]


@on(modes=POOLED)
def test_another_connection_has_another_transaction(driver: Driver) -> None:
    one = driver.connect()
    one.execute(INSERT)
    watched = Watched()
    in_thread(lambda: driver.connect().execute("SELECT 1").fetchone())
    one.commit()
    assert watched.end == "committed"
    other = driver.connect()
    other.execute("DELETE FROM person")
    assert only_transaction() is not watched.transaction
    other.rollback()
    one.close()
    other.close()


@on(SQLITE3, modes=POOLED)
@pytest.mark.skipif(sys.version_info < (3, 11), reason="sqlite3 has no blobs before Python 3.11")
def test_what_is_written_into_a_blob_is_uncommitted(driver: Driver, connection: Any) -> None:
    in_autocommit(driver, connection)
    connection.execute("UPDATE person SET name = x'0000' WHERE id = 1")
    assert not has_uncommitted_changes()
    connection.execute("BEGIN")
    with connection.blobopen("person", "name", 1) as blob:
        assert not has_uncommitted_changes()
        blob.write(b"a")
        assert has_uncommitted_changes()
    assert has_uncommitted_changes(), "the block closes the blob, and commits nothing"
    connection.rollback()


# -- what ends one -----------------------------------------------------------------------------------------

End = Callable[[Any, Any], Any]
ENDS: dict[str, tuple[str, End]] = {
    "commit": ("committed", lambda connection, cursor: connection.commit()),
    "rollback": ("rolled back", lambda connection, cursor: connection.rollback()),
    "with": ("committed", lambda connection, cursor: with_block(connection)),
    "COMMIT": ("committed", lambda connection, cursor: cursor.execute("COMMIT")),
    "ROLLBACK": ("rolled back", lambda connection, cursor: cursor.execute("rollback;")),
    "close": ("rolled back", lambda connection, cursor: connection.close()),
}
ODBC_ENDS: dict[str, tuple[str, End]] = {
    "autocommit": ("committed", lambda connection, cursor: setattr(connection, "autocommit", True)),
    "commit of a cursor": ("committed", lambda connection, cursor: cursor.commit()),
    "rollback of a cursor": ("rolled back", lambda connection, cursor: cursor.rollback()),
    "with of a cursor": ("committed", lambda connection, cursor: with_block(cursor)),
}
SQLITE3_ENDS: dict[str, tuple[str, End]] = {
    "isolation level": ("committed", lambda connection, cursor: setattr(connection, "isolation_level", None)),
    "executescript": ("committed", lambda connection, cursor: cursor.executescript("SELECT 1")),
    "script": ("committed", lambda connection, cursor: connection.executescript("DELETE FROM person")),
}


def check_end(driver: Driver, connection: Any, how: tuple[str, End]) -> None:
    expected, end = how
    cursor = connection.cursor()
    cursor.execute(INSERT)
    watched = Watched()
    rows_then: list[int] = []
    watched.transaction.at_commit(lambda: rows_then.append(len(driver.rows("SELECT id FROM person"))), key=0)
    end(connection, cursor)
    assert watched.end == expected
    assert not has_uncommitted_changes()
    rows = len(driver.rows("SELECT id FROM person"))
    if expected == "committed":
        assert set(watched.calls) == {threading.get_ident()}
        assert set(rows_then) == {rows}, "when it calls back, everybody sees what was committed"
    assert (rows != 5) == (expected == "committed")


@on(modes=POOLED)
@pytest.mark.parametrize("how", ENDS.values(), ids=ENDS)
def test_each_way_to_end_a_transaction_is_told(driver: Driver, connection: Any, how: tuple[str, End]) -> None:
    check_end(driver, connection, how)


@on(*ODBC, modes=POOLED)
@pytest.mark.parametrize("how", ODBC_ENDS.values(), ids=ODBC_ENDS)
def test_each_way_of_odbc_is_told(driver: Driver, connection: Any, how: tuple[str, End]) -> None:
    check_end(driver, connection, how)


@on(SQLITE3, modes=POOLED)
@pytest.mark.parametrize("how", SQLITE3_ENDS.values(), ids=SQLITE3_ENDS)
def test_each_way_of_sqlite3_is_told(driver: Driver, connection: Any, how: tuple[str, End]) -> None:
    check_end(driver, connection, how)


@on(modes=POOLED)
@pytest.mark.parametrize("how", ENDS.values(), ids=ENDS)
def test_a_connection_that_is_its_users_own_is_still_watched(
    driver: Driver, connection: Any, how: tuple[str, End]
) -> None:
    make_its_users_own(driver, connection)
    check_end(driver, connection, how)


@on(modes=POOLED)
def test_a_cursor_of_a_connection_that_is_its_users_own_knows_of_autocommit(
    driver: Driver, connection: Any
) -> None:
    make_its_users_own(driver, in_autocommit(driver, connection))
    connection.cursor().execute(INSERT)
    assert not has_uncommitted_changes()


def make_its_users_own(driver: Driver, connection: Any) -> None:
    """From now on the pool does not know the connection any more."""
    if driver.is_odbc:
        connection.add_output_converter(-155, bytes)
    else:
        connection.create_function("f", 0, int)
    assert driver.stats.discarded["user's own"] == 1


@on(modes=POOLED)
def test_a_with_block_left_by_an_exception_ends_it_too(driver: Driver, connection: Any) -> None:
    connection.execute(INSERT)
    watched = Watched()
    with_block(connection, fails=True)
    assert watched.transaction.over
    assert len(driver.rows("SELECT id FROM person")) == 5


@on(*ODBC, modes=POOLED)
def test_a_cursor_left_by_an_exception_ends_nothing(driver: Driver, connection: Any) -> None:
    connection.execute(INSERT)
    watched = Watched()
    with_block(connection.cursor(), fails=True)
    assert watched.end == "open"
    assert has_uncommitted_changes()
    connection.rollback()
    assert watched.transaction.over


@on(modes=POOLED)
@pytest.mark.parametrize(
    "sql", ["ROLLBACK TO SAVEPOINT here", "RELEASE SAVEPOINT here", "SELECT 1", "DELETE FROM person"]
)
def test_what_is_no_end_is_none(driver: Driver, connection: Any, sql: str) -> None:
    connection.execute(INSERT)
    connection.execute("SAVEPOINT here")
    watched = Watched()
    connection.execute(sql)
    assert (watched.end, watched.calls) == ("open", [])
    connection.commit()
    assert watched.end == "committed"


@on(modes=POOLED)
@pytest.mark.parametrize("in_cycle", [False, True])
def test_a_connection_that_is_dropped_has_not_committed(driver: Driver, *, in_cycle: bool) -> None:
    cursor = driver.connect().cursor()
    cursor.execute(INSERT)
    watched = Watched()
    if in_cycle:
        cycle = [cursor]
        cycle.append(cycle)  # type: ignore[arg-type]  # a cycle is of no type
        del cycle
    del cursor
    in_thread(gc.collect)
    assert watched.end == "rolled back"
    assert len(driver.rows("SELECT id FROM person")) == 5


@on(modes=POOLED)
@pytest.mark.parametrize("how", ["closed", "dropped"])
def test_what_a_lease_that_cannot_end_has_changed_locks_nobody_out(
    driver: Driver, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    def cannot_end(_: Lease) -> None:
        raise MemoryError

    with monkeypatch.context() as broken:
        broken.setattr(Lease, "end", cannot_end)
        connection = driver.connect()
        connection.cursor().execute(INSERT)
        watched = Watched()
        if how == "closed":
            connection.close()
            assert watched.end == "rolled back"
        del connection
    gc.collect()
    assert watched.end == "rolled back"
    with contextlib.closing(driver.connect()) as another:
        another.cursor().execute(INSERT)
        another.commit()
    assert len(driver.rows("SELECT id FROM person")) == 6


# -- begun by text -----------------------------------------------------------------------------------------


@on(modes=POOLED)
@pytest.mark.parametrize(("sql", "end"), [("COMMIT", "committed"), ("ROLLBACK", "rolled back")])
def test_a_transaction_that_a_text_begins_is_open_with_autocommit_too(
    driver: Driver, connection: Any, sql: str, end: str
) -> None:
    in_autocommit(driver, connection).execute("BEGIN")
    assert not has_uncommitted_changes()
    connection.execute(INSERT)
    watched = Watched()
    assert watched.end == "open"
    connection.execute(sql)
    assert watched.end == end
    connection.execute("DELETE FROM person")
    assert not has_uncommitted_changes(), "it is autocommit again"


@on(SQLITE3, modes=POOLED)
def test_sqlite3_commits_what_a_text_has_begun(driver: Driver, connection: Any) -> None:
    in_autocommit(driver, connection).execute("BEGIN")
    connection.execute(INSERT)
    watched = Watched()
    connection.commit()
    assert watched.end == "committed"


@on(*ODBC, modes=POOLED)
def test_with_autocommit_a_commit_of_the_driver_may_be_none(driver: Driver, connection: Any) -> None:
    """SQL Server's driver does nothing then. So it calls back, and is not taken for the end."""
    in_autocommit(driver, connection).execute("BEGIN")
    connection.execute(INSERT)
    watched = Watched()
    connection.commit()
    assert watched.calls
    assert watched.end == "open"
    connection.close()
    assert watched.transaction.over


@on(POSTGRESQL, modes=POOLED)
def test_a_text_that_commits_in_the_middle_calls_back_and_stays_open(driver: Driver, connection: Any) -> None:
    connection.execute(INSERT)
    watched = Watched()
    connection.execute("COMMIT; DELETE FROM person")
    assert watched.calls
    assert has_uncommitted_changes()
    connection.rollback()
    assert not has_uncommitted_changes()


@on(POSTGRESQL, modes=POOLED)
def test_a_text_that_ends_with_a_commit_leaves_nothing_open(driver: Driver, connection: Any) -> None:
    connection.autocommit = True
    connection.execute(f"BEGIN; {INSERT}; COMMIT")
    assert not has_uncommitted_changes()
    assert len(driver.rows("SELECT id FROM person")) == 6


@on(SQLITE3, modes=POOLED)
@pytest.mark.skipif(sys.version_info < (3, 12), reason="sqlite3 has no `autocommit` before Python 3.12")
def test_where_a_transaction_is_always_open_only_changes_make_it_one(driver: Driver, connection: Any) -> None:
    connection.autocommit = False
    assert connection.in_transaction
    connection.execute("SELECT 1").fetchone()
    assert not has_uncommitted_changes()
    connection.execute(INSERT)
    watched = Watched()
    connection.commit()
    assert connection.in_transaction
    assert watched.end == "committed"
    connection.execute("DELETE FROM person")
    watched = Watched()
    connection.autocommit = True
    assert watched.end == "committed"


@on(SQLITE3, modes=POOLED)
@pytest.mark.skipif(sys.version_info < (3, 12), reason="sqlite3 has no `autocommit` before Python 3.12")
@pytest.mark.parametrize("end", ["commit", "rollback", "with"])
def test_with_autocommit_sqlite3_does_not_end_what_a_text_has_begun(
    driver: Driver, connection: Any, end: str
) -> None:
    connection.autocommit = True
    connection.execute("BEGIN")
    connection.execute(INSERT)
    watched = Watched()
    ENDS[end][1](connection, connection.cursor())
    assert watched.end == "open"
    connection.execute("COMMIT")
    assert watched.end == "committed"


# -- ends that fail ----------------------------------------------------------------------------------------


def break_next_commit(driver: Driver, connection: Any) -> None:
    if not driver.is_odbc:
        connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(
        "CREATE TABLE child (parent INTEGER REFERENCES person (id) DEFERRABLE INITIALLY DEFERRED)"
    )
    connection.commit()
    connection.execute("INSERT INTO child VALUES (77)")


@on(SQLITE3, POSTGRESQL, modes=POOLED)
@pytest.mark.parametrize("how", ["commit", "COMMIT", "with"])
def test_a_commit_that_is_refused_calls_back_and_the_next_one_too(
    driver: Driver, connection: Any, how: str
) -> None:
    break_next_commit(driver, connection)
    watched = Watched()
    with pytest.raises(driver.module.Error):
        ENDS[how][1](connection, connection.cursor())
    assert watched.calls, "who knows how far it had come"
    if how == "with" and not driver.is_odbc:
        assert watched.transaction.over, "sqlite3 has rolled back, and says so"
        return
    assert watched.end == "open"
    assert has_uncommitted_changes()
    calls = len(watched.calls)
    if driver.is_odbc:  # nothing but a rollback is left
        connection.rollback()
        assert len(watched.calls) == calls
    else:
        connection.execute("INSERT INTO person VALUES (77, 'Kim')")
        connection.commit()
        assert len(watched.calls) > calls
    assert watched.transaction.over


@on(SQLITE3, modes=POOLED)
def test_a_setting_that_commits_and_is_refused_calls_back(driver: Driver, connection: Any) -> None:
    break_next_commit(driver, connection)
    watched = Watched()
    assert raised_by(lambda: setattr(connection, "isolation_level", None)) is not None
    assert watched.calls
    assert watched.end == "open"
    connection.rollback()


@on(POSTGRESQL, modes=POOLED)
@pytest.mark.parametrize("call", ["SELECT 1", "commit"])
def test_with_a_lost_connection_its_transaction_is_over(driver: Driver, connection: Any, call: str) -> None:
    connection.autocommit = True
    pid = connection.execute("SELECT pg_backend_pid()").fetchone()[0]
    connection.autocommit = False
    connection.execute(INSERT)
    watched = Watched()
    admin = driver.other_connection(autocommit=True)
    assert admin.execute("SELECT pg_terminate_backend(?, 10000)", pid).fetchone()[0]
    with pytest.raises(driver.module.Error):
        connection.commit() if call == "commit" else connection.execute(call)
    if call == "commit":
        assert watched.calls, "it may have come through"
    connection.close()
    assert watched.transaction.over


# -- several threads ---------------------------------------------------------------------------------------


@on(modes=POOLED)
def test_two_threads_on_one_connection_are_in_one_transaction(driver: Driver) -> None:
    connection = driver.connect() if driver.is_odbc else driver.connect(check_same_thread=False)
    connection.execute(INSERT)
    watched = Watched()

    def other() -> tuple[bool, bool, int]:
        before = has_uncommitted_changes()
        connection.execute("DELETE FROM person WHERE id = 2")
        during = open_transactions() == [watched.transaction]
        connection.commit()
        return before, during, threading.get_ident()

    before, during, thread = in_thread(other)
    assert (before, during) == (False, True)
    assert watched.end == "committed"
    assert set(watched.calls) == {thread}, "it is the other thread that has committed"
    assert not has_uncommitted_changes()
    connection.close()


@on(modes=POOLED)
def test_a_thread_that_reads_what_another_may_take_back_has_met_a_failure(driver: Driver) -> None:
    connection = driver.connect() if driver.is_odbc else driver.connect(check_same_thread=False)

    def failures_of_a_read() -> int:
        before = failures_met()
        connection.execute("SELECT name FROM person").fetchall()
        return failures_met() - before

    assert in_thread(failures_of_a_read) == 0
    connection.execute(INSERT)
    assert failures_of_a_read() == 0, "what a thread has changed itself is known otherwise"
    assert in_thread(failures_of_a_read) > 0
    connection.commit()
    assert in_thread(failures_of_a_read) == 0
    connection.close()


@pytest.fixture
def facade(
    bench: Callable[..., Bench], odbc: Any, empty_postgresql_database: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Any]:
    """An application's one connection for all threads, with a connection for each."""
    module: Any = ModuleType("app_with_one_for_all")

    class Manager:
        def connection(self) -> Any:
            return odbc.connect(empty_postgresql_database)

    Manager.__module__, Manager.__qualname__ = module.__name__, "Manager"
    module.Manager = Manager
    monkeypatch.setitem(sys.modules, module.__name__, module)
    with contextlib.closing(odbc.connect(empty_postgresql_database)) as connection:
        connection.execute("CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT)")
        connection.commit()
    bench(odbc, empty_postgresql_database, per_thread=["app_with_one_for_all:Manager.connection"])
    made = Manager().connection()
    yield made
    made.close()


@pytest.mark.parametrize("end", ["commit", "cursor", "rollback"])
def test_with_a_connection_for_each_thread_each_has_its_own_transaction(facade: Any, end: str) -> None:
    facade.execute(INSERT)
    mine = Watched()

    def other() -> str:
        assert not has_uncommitted_changes()
        with contextlib.closing(facade.cursor()) as cursor:
            cursor.execute("INSERT INTO person VALUES (8, 'Hal')")
            watched = Watched()
            ends = {"commit": facade.commit, "rollback": facade.rollback, "cursor": cursor.commit}
            ends[end]()
        return watched.end

    assert in_thread(other) == ("rolled back" if end == "rollback" else "committed")
    assert mine.end == "open"
    facade.commit()
    assert mine.end == "committed"
