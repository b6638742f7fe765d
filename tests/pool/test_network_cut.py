"""A network that is cut: between the application and PostgreSQL stands a relay of the test's own."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pool_bench import PATIENCE, Bench


class Relay:
    """Passes on what it gets, both ways, until it is cut."""

    def __init__(self, port: int) -> None:
        self._to = port
        self.refusing = False
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self._run(self._accept)

    def _run(self, work: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                if self.refusing:
                    near.close()
                    continue
                far = socket.create_connection(("127.0.0.1", self._to))
                self._open += [near, far]
                self._run(self._pass_on, near, far)
                self._run(self._pass_on, far, near)

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def cut(self) -> None:
        """Break all connections that there are; new ones are passed on."""
        while self._open:
            end = self._open.pop()
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.cut()
        for thread in self._threads:
            thread.join(PATIENCE)


@pytest.fixture
def relay(postgresql: Any) -> Iterator[Relay]:
    """To the server, for as long as the test lasts."""
    made = Relay(postgresql.port)
    yield made
    made.close()


@pytest.fixture
def pool(
    bench: Callable[..., Bench], odbc: Any, relay: Relay, postgresql: Any, empty_postgresql_database: str
) -> Callable[..., Bench]:
    """Makes pyodbc's `connect` through the relay pooled."""

    def make(**rules: Any) -> Bench:
        database = empty_postgresql_database.replace(f"PORT={postgresql.port}", f"PORT={relay.port}")
        made = bench(odbc, database, **rules)
        made.use_and_return()
        made.events.clear()
        return made

    return make


def one(connection: Any) -> int:
    return int(connection.execute("SELECT 1").fetchone()[0])


def test_idle_connections_that_were_cut_are_found_before_they_are_handed_out(
    pool: Callable[..., Bench], relay: Relay
) -> None:
    made = pool()
    made.use_and_return(3)
    relay.cut()
    assert [one(connection) for connection in made.connections(3)] == [1, 1, 1]
    assert made.discarded() == {"lost": 3}


def test_a_connection_that_is_cut_in_use_shows_one_error_and_makes_the_others_suspect(
    pool: Callable[..., Bench], relay: Relay, odbc: Any
) -> None:
    made = pool(pre_ping="never")
    made.use_and_return(3)
    made.clock.advance(1)
    connection = made.connect()
    one(connection)
    relay.cut()
    with pytest.raises(odbc.Error):
        one(connection)
    connection.close()
    made.clock.advance(1)
    assert [one(known) for known in made.connections(3)] == [1, 1, 1]
    assert made.discarded() == {"lost": 3}


def test_work_whose_commit_was_cut_off_is_an_error_and_never_silent(
    pool: Callable[..., Bench], relay: Relay, odbc: Any
) -> None:
    made = pool()
    connection = made.connect()
    connection.execute("CREATE TABLE t (n INTEGER)")
    connection.commit()
    connection.execute("INSERT INTO t VALUES (1)")
    relay.cut()
    with pytest.raises(odbc.Error):
        connection.commit()
    connection.close()
    assert made.connect().execute("SELECT COUNT(*) FROM t").fetchone()[0] == 0


def test_while_nobody_can_be_reached_the_driver_says_so_and_then_all_is_well(
    pool: Callable[..., Bench], relay: Relay, odbc: Any
) -> None:
    made = pool(size=1, max_overflow=0, timeout="0s")
    made.use_and_return()
    relay.refusing = True
    relay.cut()
    for _ in range(3):
        with pytest.raises(odbc.Error):
            made.connect()
    assert (made.stats.direct, made.stats.exhausted, made.stats.checked_out) == (0, 0, 0)
    relay.refusing = False
    assert one(made.connect()) == 1
