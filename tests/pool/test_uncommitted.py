"""The account of one connection's transactions: threads at once, nested transactions, finalizers."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest
from pool_bench import in_thread

from wats_accel.failures import failures_met
from wats_accel.pool.changes import COMMIT, MAY_COMMIT, ROLLBACK, Change, change_of
from wats_accel.pool.dialects import Dialect, PostgreSql, SqlServer
from wats_accel.pool.drivers import Driver
from wats_accel.pool.uncommitted import Covered, Uncommitted
from wats_accel.transactions import Transaction, open_transactions

DRIVER = Driver("nobody_knows")
DELETE = change_of("DELETE FROM t")
PATIENCE = 30.0


class Connection:
    """A connection by name, and what its calls would tell the account."""

    def __init__(self, dialect: Dialect | None = None, *, autocommit: bool = False) -> None:
        self.raw: Any = SimpleNamespace(autocommit=autocommit)
        self.account = Uncommitted(dialect or PostgreSql())

    def begin(self, change: Change) -> Covered:
        return self.account.begin(change)

    def settle(
        self, change: Change, covered: Covered, *, raised: bool = False, lost: bool = False
    ) -> Transaction | None:
        self.account.settle(change, covered, DRIVER, self.raw, raised=raised, lost=lost)
        return self.account.transaction

    def do(self, what: str | Change, *, raised: bool = False, lost: bool = False) -> Transaction | None:
        """A whole call; gives the transaction that is open after it."""
        change = change_of(what) if isinstance(what, str) else what
        return self.settle(change, self.begin(change), raised=raised, lost=lost)


def watched(transaction: Transaction | None) -> list[int]:
    """What is appended to when it calls back."""
    calls: list[int] = []
    assert transaction is not None
    transaction.at_commit(lambda: calls.append(1), key=object())
    return calls


@pytest.fixture(autouse=True)
def _nothing_left_open() -> Any:
    yield
    for known in open_transactions():
        known.end(committed=False)


# -- threads at once ---------------------------------------------------------------------------------------


def test_a_change_during_the_commit_of_another_thread_may_have_come_too_late_for_it():
    connection = Connection()
    first = connection.do(DELETE)
    covered = connection.begin(COMMIT)
    in_thread(lambda: connection.do(DELETE))
    late = connection.account.transaction
    assert late is not first
    calls = watched(late)
    connection.settle(COMMIT, covered)
    assert first is not None
    assert first.over
    assert late is not None
    assert not late.over
    assert calls, "or it came in time"
    assert connection.do(COMMIT) is None
    assert late.over


def test_a_change_whose_call_a_commit_overtakes_is_open():
    connection = Connection()
    change = connection.begin(DELETE)
    assert in_thread(lambda: connection.do(COMMIT)) is None
    assert connection.settle(DELETE, change) is not None


def test_of_a_commit_and_a_rollback_at_once_nobody_knows_which_came_first():
    connection = Connection()
    calls = watched(connection.do(DELETE))
    committing, rolling_back = connection.begin(COMMIT), connection.begin(ROLLBACK)
    connection.settle(ROLLBACK, rolling_back)
    assert calls == []
    connection.settle(COMMIT, committing)
    assert calls


def test_after_a_commit_that_was_refused_changes_go_on_in_the_same_transaction():
    connection = Connection()
    first = connection.do(DELETE)
    assert connection.do(COMMIT, raised=True) is first
    assert connection.do(DELETE) is first
    assert len(open_transactions()) == 1


def test_a_thousand_procedures_are_in_one_transaction():
    connection = Connection()
    first = connection.do("EXEC p")
    for _ in range(1_000):
        connection.do("EXEC p")
    assert open_transactions() == [first]


def test_while_another_thread_changes_something_a_read_is_of_no_use():
    connection = Connection()
    before = failures_met()
    connection.account.note_read()
    assert failures_met() == before
    assert not connection.account.dirty
    covered = in_thread(lambda: connection.begin(DELETE))
    assert connection.account.dirty
    connection.account.note_read()
    assert failures_met() == before + 1
    in_thread(lambda: connection.settle(DELETE, covered))
    assert connection.account.dirty
    in_thread(lambda: connection.do(ROLLBACK))
    assert not connection.account.dirty


def test_many_threads_that_change_and_commit_leave_nothing_open():
    connection = Connection()
    barrier = threading.Barrier(4)

    def work() -> None:
        barrier.wait(PATIENCE)
        for _ in range(300):
            connection.do(DELETE)
            connection.do(COMMIT)

    threads = [threading.Thread(target=work, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()
    connection.do(COMMIT)
    assert connection.account.transaction is None
    assert not connection.account.dirty


# -- nested transactions -----------------------------------------------------------------------------------


@pytest.mark.parametrize("dialect", [SqlServer, Dialect])
def test_where_transactions_nest_only_the_outermost_commit_is_the_end(dialect: type[Dialect]):
    connection = Connection(dialect(), autocommit=True)
    connection.do("BEGIN TRAN")
    connection.do("BEGIN TRAN")
    transaction = connection.do(DELETE)
    calls = watched(transaction)
    assert connection.do("COMMIT") is transaction
    assert calls, "it is no secret that this may have been all"
    assert connection.do("COMMIT") is None
    assert connection.do(DELETE) is None, "it is autocommit again"


def test_where_transactions_nest_a_plain_rollback_ends_all():
    connection = Connection(SqlServer(), autocommit=True)
    connection.do("BEGIN TRAN; BEGIN TRAN")
    calls = watched(connection.do(DELETE))
    assert connection.do("ROLLBACK") is None
    assert calls == []


def test_where_transactions_nest_the_drivers_commit_may_leave_one_open():
    connection = Connection(SqlServer())
    transaction = connection.do("BEGIN TRAN DELETE FROM t")
    assert connection.do(COMMIT) is transaction
    assert connection.do(COMMIT) is None


def test_where_they_do_not_nest_any_commit_is_the_end():
    connection = Connection(PostgreSql())
    connection.do("BEGIN")
    connection.do("BEGIN")
    connection.do(DELETE)
    assert connection.do("COMMIT") is None
    connection.do("BEGIN")
    connection.do(DELETE)
    assert connection.do(COMMIT) is None


def test_what_a_text_changes_before_its_own_commit_is_committed():
    connection = Connection(PostgreSql())
    assert connection.do("DELETE FROM t; COMMIT") is None
    assert connection.do("COMMIT; DELETE FROM t") is not None
    connection.do(ROLLBACK)


def test_a_batch_of_sql_server_may_still_run_when_the_driver_returns():
    connection = Connection(SqlServer(), autocommit=True)
    transaction = connection.do("BEGIN TRAN; DELETE FROM t; COMMIT")
    assert transaction is not None
    calls = watched(transaction)
    connection.do(MAY_COMMIT)  # such as `nextset`
    assert calls


@pytest.mark.parametrize("sql", ["SET IMPLICIT_TRANSACTIONS ON", "SET autocommit = 0"])
def test_in_a_mode_in_which_statements_begin_transactions_each_change_is_open(sql: str):
    connection = Connection(SqlServer(), autocommit=True)
    assert connection.do(DELETE) is None
    connection.do(sql)
    assert connection.do(DELETE) is not None
    assert connection.do("COMMIT") is None
    connection.do("BEGIN TRAN")
    assert connection.do(DELETE) is not None
    assert connection.do("COMMIT") is not None, "it was the inner one of two"
    assert connection.do("COMMIT") is None


def test_a_definition_may_commit_what_came_before_it():
    connection = Connection(Dialect())
    transaction = connection.do(DELETE)
    calls = watched(transaction)
    assert connection.do("CREATE TABLE t (a INT)") is transaction
    assert calls, "as MySQL and Oracle do"


# -- the end of the connection -----------------------------------------------------------------------------


@pytest.mark.parametrize(("what", "called"), [("DELETE FROM t", True), ("COMMIT", True), ("ROLLBACK", False)])
def test_a_lost_connection_has_no_transaction(what: str, *, called: bool):
    connection = Connection()
    calls = watched(connection.do(DELETE))
    assert connection.do(what, raised=True, lost=True) is None
    assert bool(calls) == called


def test_a_connection_that_cannot_be_asked_is_taken_for_open():
    connection = Connection()
    transaction = connection.do(DELETE)
    connection.raw = None
    assert connection.do(MAY_COMMIT) is transaction


def test_a_finalizer_waits_for_no_lock_and_calls_nobody():
    connection = Connection()
    transaction = connection.do(DELETE)
    calls = watched(transaction)
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with connection.account._lock:
            held.set()
            assert done.wait(PATIENCE)

    holder = threading.Thread(target=hold, daemon=True)
    holder.start()
    assert held.wait(PATIENCE)
    in_thread(connection.account.abandon)
    done.set()
    holder.join(PATIENCE)
    assert not holder.is_alive()
    assert transaction is not None
    assert (transaction.over, calls) == (True, [])


# -- what may be durable, whatever becomes of the rest -----------------------------------------------------


def test_a_change_that_crosses_a_commit_may_be_durable_although_it_is_rolled_back_later() -> None:
    connection = Connection()
    changing = connection.begin(DELETE)
    connection.settle(COMMIT, connection.begin(COMMIT))
    transaction = connection.settle(DELETE, changing)
    assert transaction is not None
    assert transaction.perhaps_committed
    connection.do(ROLLBACK)
    following = connection.do(DELETE)
    assert following is not None
    assert not following.perhaps_committed


def test_so_does_one_that_begins_while_a_commit_is_under_way() -> None:
    connection = Connection()
    committing = connection.begin(COMMIT)
    transaction = connection.do(DELETE)
    connection.settle(COMMIT, committing)
    assert transaction is not None
    assert transaction.perhaps_committed


@pytest.mark.parametrize("text", ["BEGIN; SELEC 1", "BEGIN"])
def test_after_a_beginning_that_has_failed_nobody_knows_whether_a_change_is_durable(text: str) -> None:
    connection = Connection(autocommit=True)
    connection.do(text, raised=True)
    transaction = connection.do(DELETE)
    assert transaction is not None
    assert transaction.perhaps_committed


def test_after_a_text_that_may_have_ended_it_nobody_knows_either() -> None:
    connection = Connection(autocommit=True)
    connection.do("BEGIN")
    connection.do("DELETE FROM t; COMMIT; DELETE FROM t")
    transaction = connection.do(DELETE)
    assert transaction is not None
    assert transaction.perhaps_committed


@pytest.mark.parametrize("before", [[], [COMMIT], ["BEGIN", "COMMIT"], ["SAVEPOINT a"]])
def test_after_a_beginning_that_has_not_failed_everybody_knows(before: list[str | Change]) -> None:
    connection = Connection(autocommit=True)
    for call in (*before, "BEGIN", "SELECT 1"):
        connection.do(call)
    transaction = connection.do(DELETE)
    assert transaction is not None
    assert not transaction.perhaps_committed
