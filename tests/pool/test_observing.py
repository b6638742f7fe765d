"""Who observes a pool sees each call that may read or change data, before the driver, and how it ended."""

from __future__ import annotations

import gc
import sqlite3
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from backends import ODBC, Driver, on

from wats_accel.event_bus import EventBus
from wats_accel.pool.changes import READS, Change, change_of
from wats_accel.pool.observing import is_observed
from wats_accel.pool.registry import PoolRegistry
from wats_accel.pool.rules import PoolRules
from wats_accel.transactions import Transaction

INSERT = "INSERT INTO person VALUES (9, 'Zoe')"
SELECT = "SELECT name FROM person"


@dataclass
class Onlooker:
    """Keeps what it is told."""

    told: list[tuple[str, object]] = field(default_factory=list)
    ended: list[tuple[object, Change, Transaction | None]] = field(default_factory=list)
    outlasting: list[object] = field(default_factory=list)
    readers: list[object] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    languages: set[str] = field(default_factory=set)
    count_reads_as_changes: bool = False

    def before(self, language: str, name: str, sql: object, change: Change) -> object | None:
        self.languages.add(language)
        self.told.append((name, sql))
        return (name, sql) if change.may_change or self.count_reads_as_changes else None

    def after(self, token: object, change: Change, transaction: Transaction | None) -> None:
        self.ended.append((token, change, transaction))

    def outlasts(self, token: object) -> Callable[[], object]:
        self.outlasting.append(token)
        return lambda: self.outlasting.remove(token)

    def reader(self) -> object:
        return len(self.told)

    def fetched(self, reader: object) -> None:
        self.readers.append(reader)

    def lost_sight(self, why: str) -> None:
        self.lost.append(why)


class _Incomparable(float):
    """An argument by which no pool can be found."""

    __hash__ = None  # type: ignore[assignment]


Make = Callable[..., Any]


@pytest.fixture(params=["pooled", "not pooled"])
def is_pooled(request: pytest.FixtureRequest) -> bool:
    return bool(request.param == "pooled")


@pytest.fixture
def onlooker() -> Onlooker:
    return Onlooker()


@pytest.fixture
def connect(onlooker: Onlooker, is_pooled: bool, sqlite_tables: Path, tmp_path: Path) -> Iterator[Make]:
    """sqlite3's `connect` to a file of the test's own."""
    file = tmp_path / "observed.db"
    file.write_bytes(sqlite_tables.read_bytes())
    pools = PoolRegistry(bus=EventBus(), clock=lambda: 0.0)
    pools.observe(onlooker)
    pooled = pools.add(PoolRules("sqlite3:connect", enabled=is_pooled), onlooker.lost.append)
    wrapped = pooled.wrap(sqlite3.connect)
    yield lambda **options: wrapped(str(file), **options)
    pools.close()


def test_texts_and_methods_that_read_past_sql_are_observed_and_others_are_not() -> None:
    assert is_observed("execute", READS)
    assert is_observed("iterdump", READS)
    assert not is_observed("fetchone", READS)
    assert is_observed("execute", change_of("COMMIT"))
    assert not is_observed("commit", change_of("COMMIT"))


def test_a_read_and_a_write_are_seen_with_their_texts(connect: Make, onlooker: Onlooker) -> None:
    connection = connect()
    connection.execute(SELECT).fetchall()
    connection.cursor().executemany("DELETE FROM person WHERE id = ?", [(1,), (2,)])
    connection.executescript("SELECT 1; SELECT 2")
    connection.close()
    assert onlooker.told == [
        ("execute", SELECT),
        ("executemany", "DELETE FROM person WHERE id = ?"),
        ("executescript", "SELECT 1; SELECT 2"),
    ]
    assert onlooker.languages == {"sqlite"}


def test_a_write_is_seen_before_the_driver_gets_it(connect: Make, onlooker: Onlooker) -> None:
    connection, outside = connect(), connect()
    seen: list[int] = []

    def before(*call: Any) -> None:
        seen.append(outside._accel_raw.execute("SELECT COUNT(*) FROM person").fetchone()[0])

    onlooker.before = before  # type: ignore[method-assign]
    connection.isolation_level = None
    connection.execute(INSERT)
    connection.close()
    assert seen == [5]


def test_under_autocommit_a_change_is_part_of_no_transaction(connect: Make, onlooker: Onlooker) -> None:
    connection = connect(isolation_level=None)
    connection.execute(INSERT)
    connection.close()
    ((token, change, transaction),) = onlooker.ended
    assert token == ("execute", INSERT)
    assert change == change_of(INSERT)
    assert transaction is None


def test_in_a_transaction_a_change_is_part_of_that_one_until_it_ends(
    connect: Make, onlooker: Onlooker
) -> None:
    connection = connect()
    connection.execute(INSERT)
    connection.execute("DELETE FROM neighbour")
    first, second = (transaction for _, _, transaction in onlooker.ended)
    assert first is second
    assert first is not None
    called: list[bool] = []
    first.at_commit(lambda: called.append(first.over), key="test")
    connection.commit()
    assert called == [True]
    connection.execute(INSERT.replace("9", "10"))
    assert onlooker.ended[-1][2] is not first
    connection.close()


def test_a_change_that_raises_has_ended_all_the_same(connect: Make, onlooker: Onlooker) -> None:
    connection = connect(isolation_level=None)
    with pytest.raises(sqlite3.IntegrityError):
        connection.execute("INSERT INTO person VALUES (1, 'Ada')")
    connection.close()
    assert len(onlooker.ended) == 1


def test_what_the_observer_takes_for_a_change_is_one_to_the_pool(connect: Make, onlooker: Onlooker) -> None:
    onlooker.count_reads_as_changes = True
    connection = connect()
    connection.execute("BEGIN")
    connection.execute(SELECT).fetchall()
    _, change, transaction = onlooker.ended[-1]
    assert change.may_change
    assert transaction is not None
    connection.rollback()
    assert transaction.over
    connection.close()


def test_methods_of_which_nothing_is_known_are_seen_without_a_text(connect: Make, onlooker: Onlooker) -> None:
    connection, target = connect(), sqlite3.connect(":memory:")
    connection.backup(target)
    list(connection.iterdump())
    connection.close()
    target.close()
    assert ("backup", target) in onlooker.told
    assert ("iterdump", None) in onlooker.told


@pytest.mark.parametrize("is_pooled", [True], indirect=True)
@pytest.mark.parametrize(
    "options", [{"factory": type("Own", (sqlite3.Connection,), {})}, {"timeout": _Incomparable(5.0)}]
)
def test_a_connection_that_no_pool_can_lend_is_seen_all_the_same(
    connect: Make, onlooker: Onlooker, options: dict[str, Any]
) -> None:
    connection = connect(**options)
    connection.execute(SELECT).fetchall()
    connection.close()
    assert onlooker.told == [("execute", SELECT)]
    assert onlooker.lost == []


@pytest.mark.parametrize("is_pooled", [False], indirect=True)
def test_a_connection_that_is_only_seen_dies_when_its_user_drops_it(
    connect: Make, onlooker: Onlooker
) -> None:
    connection = connect(factory=type("Own", (sqlite3.Connection,), {}))
    raw = weakref.ref(connection._accel_raw)
    connection.execute(INSERT)
    (_, _, transaction) = onlooker.ended[0]
    assert transaction is not None
    del connection
    gc.collect()  # sqlite3's own refer to themselves
    assert raw() is None
    assert transaction.over


@pytest.mark.parametrize("is_pooled", [True], indirect=True)
def test_what_cannot_be_stood_in_for_is_told(
    connect: Make, onlooker: Onlooker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> Any:
        raise TypeError

    monkeypatch.setattr("wats_accel.pool.onlooking.connection_proxy", fail)
    connection = connect(factory=type("Own", (sqlite3.Connection,), {}))
    assert type(connection).__mro__[1] is sqlite3.Connection
    connection.close()
    assert len(onlooker.lost) == 1


@on(*ODBC, modes=("bare",))
@pytest.mark.parametrize("size", [1, 0])
def test_odbc_connections_are_seen_from_the_pool_and_past_it(driver: Driver, size: int) -> None:
    onlooker = Onlooker()
    pools = PoolRegistry(bus=EventBus(), clock=lambda: 0.0)
    pools.observe(onlooker)
    rules = PoolRules("pyodbc:connect", size=1, max_overflow=0, timeout_seconds=0.0)
    connect = pools.add(rules, onlooker.lost.append).wrap(driver.module.connect)
    taken = [connect(driver.database) for _ in range(2 - size)]
    connection = connect(driver.database)
    with connection.cursor() as cursor:
        cursor.execute(INSERT)
        transaction = onlooker.ended[-1][2]
        assert transaction is not None
        assert not transaction.over
    assert transaction.over  # the cursor's block commits
    assert driver.rows("SELECT COUNT(*) FROM person WHERE id = 9") == [(1,)]
    for each in (*taken, connection):
        each.close()
    assert onlooker.lost == []
    pools.close()
