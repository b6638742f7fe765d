"""After `uninstall`, all is as it was: connect, connections, threads; leases finish first."""

from __future__ import annotations

import gc
import os
import sqlite3
import subprocess
import sys
import textwrap
import threading
import weakref
from collections.abc import Callable
from typing import Any

import pytest
from pool_bench import PATIENCE, Bench, benched

from wats_accel.pool import connection_pool


def sessions(odbc: Any, database: str) -> int:
    """How many sessions others have on the server, as it says itself."""
    connection = getattr(odbc.connect, "__wrapped__", odbc.connect)(database)
    sql = (
        "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    )
    found = int(connection.execute(sql).fetchone()[0])
    connection.close()
    return found


def test_connect_is_the_very_object_that_it_was() -> None:
    before = sqlite3.connect, sqlite3.dbapi2.connect, vars(sqlite3)["connect"]
    with benched(sqlite3, "") as pool:
        assert sqlite3.connect is not before[0]
        pool.accelerator.uninstall()
        assert (sqlite3.connect, sqlite3.dbapi2.connect, vars(sqlite3)["connect"]) == before
        pool.accelerator.uninstall()
        assert (sqlite3.connect, sqlite3.dbapi2.connect, vars(sqlite3)["connect"]) == before


def test_idle_connections_are_closed(bench: Callable[..., Bench]) -> None:
    pool = bench()
    connections = pool.connections(3)
    behind = [connection._accel_raw for connection in connections]
    for connection in connections:
        connection.close()
    pool.accelerator.uninstall()
    for raw in behind:
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            raw.execute("SELECT 1")
    assert pool.discarded() == {"uninstalled": 3}


def test_a_server_has_no_session_left(odbc: Any, empty_postgresql_database: str) -> None:
    with benched(odbc, empty_postgresql_database) as pool:
        pool.use_and_return(4)
        held = pool.connect()
        assert sessions(odbc, pool.database) == 3
        pool.accelerator.uninstall()
        assert sessions(odbc, pool.database) == 1
        assert held.execute("SELECT 1").fetchone()[0] == 1
        held.close()
        assert sessions(odbc, pool.database) == 0


def test_a_cursor_in_use_goes_on_working_and_its_connection_is_closed_at_the_end(
    bench: Callable[..., Bench],
) -> None:
    pool = bench()
    connection = pool.connect()
    connection.execute("CREATE TABLE t (n)")
    connection.executemany("INSERT INTO t VALUES (?)", [(number,) for number in range(1_000)])
    raw = connection._accel_raw
    cursor = connection.execute("SELECT n FROM t ORDER BY n")
    del connection
    first = cursor.fetchone()
    pool.accelerator.uninstall()
    assert [first, *cursor] == [(number,) for number in range(1_000)]
    cursor.connection.commit()
    del cursor
    gc.collect()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        raw.execute("SELECT 1")
    assert pool.discarded() == {"uninstalled": 1}
    after = sqlite3.connect(pool.database)
    assert after.execute("SELECT COUNT(*) FROM t").fetchone() == (1_000,)
    after.close()


def test_what_was_not_committed_is_lost_then_as_well(bench: Callable[..., Bench]) -> None:
    pool = bench()
    connection = pool.connect()
    connection.execute("CREATE TABLE t (n)")
    connection.execute("INSERT INTO t VALUES (1)")
    pool.accelerator.uninstall()
    connection.close()
    after = sqlite3.connect(pool.database)
    assert after.execute("SELECT * FROM t").fetchall() == []
    after.execute("INSERT INTO t VALUES (2)")  # and nothing is locked
    after.close()


def test_a_connection_that_comes_back_in_the_middle_of_it_is_closed(
    bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = bench()
    connection = pool.connect()
    raw = connection._accel_raw
    real = connection_pool.cleanse

    def in_the_middle(*args: Any) -> str | None:
        why = real(*args)
        pool.accelerator.uninstall()
        return why

    monkeypatch.setattr(connection_pool, "cleanse", in_the_middle)
    connection.close()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        raw.execute("SELECT 1")


def test_a_name_that_escaped_is_bare_again(bench: Callable[..., Bench]) -> None:
    pool = bench()
    escaped = sqlite3.connect
    pool.accelerator.uninstall()
    connection = escaped(pool.database)
    assert type(connection) is sqlite3.Connection
    connection.close()


def test_the_last_figures_stay(bench: Callable[..., Bench]) -> None:
    pool = bench()
    pool.use_and_return(2)
    held = pool.connect()
    pool.accelerator.uninstall()
    held.close()
    stats = pool.accelerator.stats().pools["sqlite3:connect"]
    assert (stats.opened, stats.reused, stats.checked_out, stats.idle) == (2, 1, 1, 1)


def test_a_pool_can_be_installed_again_and_again(tmp_path: Any) -> None:
    for _ in range(3):
        with benched(sqlite3, str(tmp_path / "a.db")) as pool:
            pool.use_and_return()
            pool.use_and_return()
            assert (pool.stats.opened, pool.stats.reused) == (1, 1)


def test_nothing_keeps_a_pool_alive(bench: Callable[..., Bench]) -> None:
    pool = bench(leak_after="1h")
    pool.use_and_return()
    gone = weakref.ref(pool.pool)
    pool.accelerator.uninstall()
    pool.events.clear()
    pool.accelerator = None  # type: ignore[assignment]
    _wait_for_threads()
    gc.collect()
    assert gone() is None


def _wait_for_threads() -> None:
    for thread in threading.enumerate():
        if thread.name.startswith("wats-accel"):
            thread.join(PATIENCE)


def test_no_thread_is_left(bench: Callable[..., Bench]) -> None:
    pool = bench(leak_after="1h", min_idle=2)
    pool.use_and_return()
    assert {thread.daemon for thread in threading.enumerate() if thread.name.startswith("wats-accel")} <= {
        True
    }
    pool.accelerator.uninstall()
    _wait_for_threads()
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("wats-accel")] == []


# -- processes ---------------------------------------------------------------------------------------------


def run(script: str, *arguments: str) -> str:
    """What a script of its own prints."""
    command = [sys.executable, "-c", textwrap.dedent(script), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


def test_a_process_ends_although_connections_are_out_and_threads_watch(tmp_path: Any) -> None:
    told = run(
        """
        import sqlite3, sys
        import wats_accel
        rules = {"connect": "sqlite3:connect", "leak_after": "1h", "min_idle": 3}
        accelerator = wats_accel.install({"version": 1, "pool": [rules]}, strict=True)
        held = sqlite3.connect(sys.argv[1])
        cursor = sqlite3.connect(sys.argv[1]).cursor()
        sqlite3.connect(sys.argv[1]).close()
        print("end")
        """,
        str(tmp_path / "a.db"),
    )
    assert told == "end"


FORKING = """
import os, sys, gc
import pyodbc, wats_accel
database, how = sys.argv[1], sys.argv[2]
rules = {"connect": "pyodbc:connect", "size": 2, "max_overflow": 1, "pre_ping": "never", "timeout": "0s"}
accelerator = wats_accel.install({"version": 1, "pool": [rules]}, strict=True)
pyodbc.connect(database).close()
connections = [pyodbc.connect(database) for _ in range(3)]
held = connections.pop()
while connections:
    connections.pop().close()
def pid(connection):
    found = connection.execute("SELECT pg_backend_pid()").fetchone()[0]
    connection.rollback()
    return found
mine = pid(held)
connections = [pyodbc.connect(database) for _ in range(2)]
idle = [pid(connection) for connection in connections]
while connections:
    connections.pop().close()
reader, writer = os.pipe()
child = os.fork()
if not child:
    stats = accelerator.stats().pools["pyodbc:connect"]
    opened = [pyodbc.connect(database) for _ in range(3)]
    told = [len({pid(one) for one in opened} - {mine, *idle}) , stats.checked_out, stats.idle]
    told.append(accelerator.stats().pools["pyodbc:connect"].direct)
    while opened:
        opened.pop().close()
    del held
    gc.collect()
    os.write(writer, repr(told).encode())
    os.close(writer)
    if how == "_exit":
        os._exit(0)
    if how == "uninstall":
        accelerator.uninstall()
    sys.exit(0)
os.close(writer)
print(os.read(reader, 1000).decode(), os.waitpid(child, 0)[1])
again = [pyodbc.connect(database) for _ in range(2)]
print(pid(held) == mine, sorted(map(pid, again)) == sorted(idle))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.parametrize("how", ["_exit", "exit", "uninstall"])
def test_a_forked_child_opens_its_own_connections_and_leaves_the_parents_alone(
    odbc: Any, empty_postgresql_database: str, how: str
) -> None:
    told = run(FORKING, empty_postgresql_database, how)
    assert told.splitlines() == ["[3, 0, 0, 0] 0", "True True"]
