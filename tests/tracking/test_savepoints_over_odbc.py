"""SQLite over ODBC: transactions that its driver does not know of, and neither does anybody else."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from names_over_odbc import accelerated_names


@pytest.fixture
def names(
    odbc: Any, sqlite_odbc: Callable[[Path], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Any]:
    """The application, accelerated in mode sql; its answer is stored."""
    text = sqlite_odbc(tmp_path / "things.db")
    connection = odbc.connect(text, autocommit=True)
    connection.execute("PRAGMA journal_mode = wal").fetchall()
    connection.execute("CREATE TABLE thing (name TEXT)")
    connection.execute("INSERT INTO thing VALUES ('old')")
    connection.close()
    with accelerated_names(odbc, text, monkeypatch) as application:
        yield application


@pytest.mark.parametrize("end", ["RELEASE s", "COMMIT"])
def test_what_it_holds_is_committed_when_it_is_released(names: Any, odbc: Any, end: str) -> None:
    connection = odbc.connect(names.database, autocommit=True)
    connection.execute("SAVEPOINT s")
    connection.execute("UPDATE thing SET name = 'new'")
    assert names.names() == names.names() == [("old",)]
    connection.execute(end)
    assert names.names() == [("new",)]
    connection.execute("UPDATE thing SET name = 'newer'")
    assert names.names() == [("newer",)]
    connection.close()


def test_what_is_taken_back_leaves_the_answer(names: Any, odbc: Any) -> None:
    connection = odbc.connect(names.database, autocommit=True)
    connection.execute("SAVEPOINT s")
    connection.execute("UPDATE thing SET name = 'new'")
    connection.execute("ROLLBACK TO s")
    connection.execute("RELEASE s")
    assert names.names() == [("old",)]
    connection.close()


def test_after_a_commit_in_sql_the_driver_may_begin_no_transaction_of_its_own(names: Any, odbc: Any) -> None:
    connection = odbc.connect(names.database, autocommit=False)
    connection.execute("SELECT 1").fetchall()
    connection.execute("COMMIT")
    connection.execute("UPDATE thing SET name = 'new'")
    names.names()
    with contextlib.suppress(odbc.Error):
        connection.rollback()
    reader = odbc.connect(names.database, autocommit=True)
    assert names.names() == [tuple(row) for row in reader.execute("SELECT name FROM thing").fetchall()]
    reader.close()
    connection.close()
