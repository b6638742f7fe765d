"""One transactional connection for all threads: what goes wrong on it, and what `per_thread:` heals.

On a PostgreSQL of the tests' own, through ODBC. The application is not edited; its threads are stopped in
the middle of a transaction by the groups that they hand over, an iterable that waits.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from wats_accel.testing import accelerated

Load = Callable[[str], Any]
PRESET = Path(__file__).resolve().parents[2] / "config" / "wats.yaml"
POOL_ALONE = {"version": 1, "pool": [{"connect": "pyodbc:connect"}]}
WAIT_SECONDS = 30.0


@pytest.fixture
def make_service(load: Load, make_settings: Callable[..., Any]) -> Callable[[Any], Any]:
    """The application on a server whose tables have just been filled."""

    def build(server: Any) -> Any:
        settings = make_settings(DB_TYPE="postgresql", DB_ODBC=server.odbc())
        load("simulation.generator").create_database(settings, seed=1)
        return load("src.wats.db.db_service").DBService(settings)

    return build


def with_rules(config: Any) -> AbstractContextManager[Any]:
    """An accelerator, or none, for a block."""
    return nullcontext() if config is None else accelerated(config)


# -- two threads -----------------------------------------------------------------------------------------


class TwoAdmins:
    """One is in the middle of creating a user when the other's attempt fails, and is rolled back."""

    def __init__(self, service: Any) -> None:
        self._users = service.users
        self._has_begun = threading.Event()
        self._has_failed = threading.Event()

    def work(self, name: str) -> bool:
        """Let both work; gives whether the first was told that the user had been created."""
        taken = self._users.admin_get_all_users()[0][1]
        with ThreadPoolExecutor(2) as threads:
            first = threads.submit(self._users.admin_create_user, name, None, False, True, self._no_groups())
            second = threads.submit(self._fail, taken)
            assert not second.result(WAIT_SECONDS)
            return bool(first.result(WAIT_SECONDS)[0])

    def _no_groups(self) -> Iterator[int]:
        """Asked for after the user has been inserted, and before the commit."""
        self._has_begun.set()
        assert self._has_failed.wait(WAIT_SECONDS)
        return
        yield

    def _fail(self, taken: str) -> bool:
        assert self._has_begun.wait(WAIT_SECONDS)
        done, _ = self._users.admin_create_user(taken, None, False, True, ())
        self._has_failed.set()
        return bool(done)


@pytest.mark.parametrize(
    ("config", "kept"),
    [(None, False), (POOL_ALONE, False), (PRESET, True)],
    ids=["bare", "pool alone", "pool per thread"],
)
def test_two_admins_lose_acknowledged_writes_unless_each_thread_has_a_connection_of_its_own(
    make_service: Any, postgresql: Any, config: Any, kept: bool
) -> None:
    service = make_service(postgresql)
    with with_rules(config):
        acknowledged = [TwoAdmins(service).work(name) for name in ("ana.nova", "bia.nova")]
        assert acknowledged == [True, True]
        there = {row[1] for row in service.users.admin_get_all_users()}
    assert ({"ana.nova", "bia.nova"} <= there) == kept
    assert ({"ana.nova", "bia.nova"} & there == set()) != kept


def test_each_admin_of_a_pool_per_thread_commits_and_undoes_only_their_own_work(
    make_service: Any, postgresql: Any
) -> None:
    service = make_service(postgresql)
    begun, committed = threading.Event(), threading.Event()
    with with_rules(PRESET) as accelerator:
        shared = service.db_manager.get_transactional_connection  # a method is patched on its class

        def begin_and_undo() -> None:
            shared().cursor().execute("DELETE FROM Config_Sistema_WTS")
            begun.set()
            assert committed.wait(WAIT_SECONDS)
            shared().rollback()

        with ThreadPoolExecutor(1) as threads:
            other = threads.submit(begin_and_undo)
            assert begun.wait(WAIT_SECONDS)
            shared().cursor().execute("INSERT INTO Config_Sistema_WTS VALUES ('a', 'b')")
            shared().commit()
            committed.set()
            other.result(WAIT_SECONDS)
        rows = shared().cursor().execute("SELECT Cfg_Chave FROM Config_Sistema_WTS ORDER BY 1").fetchall()
        shared().rollback()
        assert [row[0] for row in rows] == ["ADMIN_PASSWORD_HASH", "a"]
        assert accelerator.stats().pools["pyodbc:connect"].checked_out == 0


# -- a restart of the server -----------------------------------------------------------------------------


def attempt(service: Any, odbc: Any, name: str) -> bool:
    """Create a user; gives whether the application says that it did."""
    try:
        return bool(service.users.admin_create_user(name, None, False, True, ())[0])
    except odbc.Error:  # of its rollback on the dead connection
        return False


@pytest.mark.parametrize(
    ("config", "recovers"),
    [(None, False), (POOL_ALONE, False), (PRESET, True)],
    ids=["bare", "pool alone", "pool per thread"],
)
def test_after_a_restart_of_the_server_writes_work_again_only_with_a_connection_for_each_thread(
    make_service: Any, restartable_postgresql: Any, odbc: Any, config: Any, recovers: bool
) -> None:
    service = make_service(restartable_postgresql)
    with with_rules(config):
        assert attempt(service, odbc, "before")
        restartable_postgresql.stop()
        restartable_postgresql.start()
        after = [attempt(service, odbc, f"after.{number}") for number in range(4)]
        assert after == [recovers] * 4
        assert not service.db_manager.conn.closed, "that is why the application never replaces it"
        service.db_manager.conn = None


def test_a_transaction_that_a_restart_cuts_fails_and_the_next_one_works(
    make_service: Any, restartable_postgresql: Any, odbc: Any
) -> None:
    service = make_service(restartable_postgresql)

    def restart() -> Iterator[int]:
        restartable_postgresql.stop()
        restartable_postgresql.start()
        yield 1

    with with_rules(PRESET):
        assert attempt(service, odbc, "before")
        try:
            done, _ = service.users.admin_create_user("cut", None, False, True, restart())
        except odbc.Error:
            done = False
        assert not done
        assert attempt(service, odbc, "after")
        names = {row[1] for row in service.users.admin_get_all_users()}
    assert {"before", "after"} <= names
    assert "cut" not in names
