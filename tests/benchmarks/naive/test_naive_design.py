"""The naive design has the faults that it is measured for."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from naive_design import NaiveCache, NaivePool, apply_to, wire_in

from wats_accel.testing import FakeClock


class Shelf:
    """A repository; `asked` says how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __str__(self) -> str:
        return "shelf"

    def books(self, *names: object) -> Any:
        self.asked += 1
        return list(names) or None


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def cache(clock: FakeClock) -> NaiveCache:
    return NaiveCache(clock=clock)


@pytest.fixture
def books(cache: NaiveCache) -> Callable[..., Any]:
    return cache.cached("connections", 60)(Shelf.books)


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


def test_an_answer_is_kept_until_its_time_is_over(
    books: Callable[..., Any], shelf: Shelf, clock: FakeClock
) -> None:
    for seconds, asked in ((0, 1), (59, 1), (2, 2)):
        clock.advance(seconds)
        assert books(shelf, "a") == ["a"]
        assert shelf.asked == asked


def test_none_is_never_found(books: Callable[..., Any], shelf: Shelf, cache: NaiveCache) -> None:
    for asked in (1, 2):
        assert books(shelf) is None
        assert shelf.asked == asked
    assert cache.stats() == {"size": 1, "hits": 0, "misses": 2, "hit_rate": 0.0}


def test_different_calls_meet_in_one_key(books: Callable[..., Any], shelf: Shelf) -> None:
    assert books(shelf, "a", "b") == ["a", "b"]
    assert books(shelf, "a:b") == ["a", "b"]
    assert books(shelf, 1) == books(shelf, "1") == [1]


def test_two_objects_do_not_share_unless_their_text_is_the_same(books: Callable[..., Any]) -> None:
    one, two = Shelf(), Shelf()
    books(one, "a")
    books(two, "a")
    assert (one.asked, two.asked) == (1, 0), "their text is the same here; by default it is the address"


def test_a_list_that_a_caller_changes_is_changed_for_everybody(
    books: Callable[..., Any], shelf: Shelf
) -> None:
    books(shelf, "a").clear()
    assert books(shelf, "a") == []


def test_one_namespaces_invalidation_empties_all(cache: NaiveCache) -> None:
    for key in ("connections:select_all:x", "users:get_user_role:x"):
        cache.set(key, 1, 60)
    assert cache.invalidate_pattern("*groups*") == 2


def test_a_read_that_a_write_has_overtaken_puts_the_old_rows_back(cache: NaiveCache) -> None:
    rows = ["old"]

    @cache.cached("connections", 60)
    def read() -> list[str]:
        answer = list(rows)
        rows[:] = ["new"]
        cache.invalidate_pattern("*connections*")
        return answer

    assert read() == read() == ["old"]


@pytest.mark.parametrize(("log_calls", "lines"), [(True, 3), (False, 0)], ids=["first", "later"])
def test_every_call_writes_a_line_unless_they_were_deleted(
    shelf: Shelf, caplog: pytest.LogCaptureFixture, log_calls: bool, lines: int
) -> None:
    books = NaiveCache(log_calls=log_calls).cached("connections")(Shelf.books)
    with caplog.at_level(logging.INFO, "naive_design"):
        for _ in range(3):
            books(shelf, "a")
    assert len(caplog.messages) == lines
    assert not lines or caplog.messages[-1] == "Cache HIT: connections:books:shelf:a"


# -- on the example's names ------------------------------------------------------------------------------


class GroupRepository:
    """As in the example, in miniature."""

    def __init__(self, manager: Any) -> None:
        self.db = manager

    def admin_get_all_groups(self) -> list[Any]:
        with self.db.get_cursor() as cursor:
            return list(cursor.execute("SELECT name FROM shop").fetchall())

    def admin_create_group(self, name: str) -> bool:
        with self.db.get_cursor() as cursor:
            cursor.execute("INSERT INTO shop VALUES (?)", (name,))
        return True

    admin_update_group = admin_delete_group = admin_create_group


class DatabaseManager:
    """As in the example, in miniature: one connection, in autocommit."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def get_cursor(self) -> Any:
        return _WithCursor(self._connection.cursor())


class _WithCursor:
    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor

    def __enter__(self) -> Any:
        return self._cursor

    def __exit__(self, *exception: object) -> None:
        pass


@pytest.fixture
def connect(tmp_path: Path) -> Any:
    opened: list[Any] = []

    def open_one(**options: Any) -> Any:
        opened.append(sqlite3.connect(tmp_path / "shop.db", **options))
        return opened[-1]

    open_one(isolation_level=None).execute("CREATE TABLE shop (name TEXT)")
    yield open_one
    for connection in opened:
        connection.close()


@pytest.fixture
def groups(connect: Any) -> GroupRepository:
    return GroupRepository(DatabaseManager(connect(isolation_level=None)))


def test_what_is_applied_can_be_undone(groups: GroupRepository, cache: NaiveCache) -> None:
    before = dict(vars(GroupRepository))
    with apply_to(GroupRepository, DatabaseManager, cache=cache):
        assert groups.admin_get_all_groups() == groups.admin_get_all_groups() == []
        assert groups.admin_create_group("a")
        assert groups.admin_get_all_groups() == [("a",)]
        assert (cache.hits, cache.misses) == (1, 2)
    assert dict(vars(GroupRepository)) == before


def test_a_pool_that_nobody_uses_has_logged_in_five_times(
    groups: GroupRepository, connect: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "naive_design"):
        pool = NaivePool(connect)
    groups.admin_get_all_groups()
    assert pool.opened == 5
    assert caplog.messages == ["Connection Pool initialized (size=5, overflow=10)"]
    pool.close()


def test_wired_in_it_loses_writes_that_were_reported_done(groups: GroupRepository, connect: Any) -> None:
    pool = NaivePool(connect, size=1)
    with wire_in(DatabaseManager, pool):
        assert groups.admin_create_group("a") is True
        assert groups.admin_get_all_groups() == []
    pool.close()
    assert groups.admin_get_all_groups() == []


def test_more_than_its_size_are_opened_when_all_are_out(connect: Any) -> None:
    pool = NaivePool(connect, size=1, max_overflow=1)
    with pool.connection(), pool.connection():
        assert pool.opened == 2
    with pool.connection():
        assert pool.opened == 2
    pool.close()


def test_a_broken_connection_is_replaced_and_forgotten(connect: Any) -> None:
    pool = NaivePool(connect, size=1, max_overflow=0)
    with pool.connection() as connection:
        pass
    connection.close()
    with pool.connection() as another:
        assert another.execute("SELECT 1").fetchone() == (1,)
    pool.close()
