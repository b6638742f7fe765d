"""Transactions of which nobody knows whether they are open: over ODBC, on PostgreSQL."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
from names_over_odbc import accelerated_names


@pytest.fixture
def names(odbc: Any, postgresql: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The application, accelerated in mode sql; its answer is stored."""
    text = postgresql.odbc()
    with contextlib.closing(odbc.connect(text, autocommit=True)) as connection:
        connection.execute("DROP TABLE IF EXISTS thing; CREATE TABLE thing (name TEXT)")
        connection.execute("INSERT INTO thing VALUES ('old')")
    with accelerated_names(odbc, text, monkeypatch) as application:
        yield application


UPDATE = "UPDATE thing SET name = 'new'"


def test_a_rollback_after_a_beginning_that_failed_takes_nothing_back(names: Any, odbc: Any) -> None:
    connection = odbc.connect(names.database, autocommit=True)
    with pytest.raises(odbc.Error):
        connection.execute("BEGIN; SELEC 1")
    names.names()
    connection.execute(UPDATE)
    connection.execute("ROLLBACK")
    assert names.names() == [("new",)]
    connection.close()


def test_a_rollback_after_a_text_that_has_committed_takes_nothing_back(names: Any, odbc: Any) -> None:
    connection = odbc.connect(names.database, autocommit=True)
    connection.execute("BEGIN")
    connection.execute("SELECT 1; COMMIT; SELECT 1")
    connection.execute(UPDATE)
    connection.execute("ROLLBACK")
    assert names.names() == [("new",)]
    connection.close()


def test_a_prepared_transaction_counts_when_it_is_committed(names: Any, odbc: Any) -> None:
    connection = odbc.connect(names.database, autocommit=True)
    connection.execute("BEGIN")
    connection.execute(UPDATE)
    connection.execute("PREPARE TRANSACTION 'one'")
    assert names.names() == names.names() == [("old",)]
    connection.execute("COMMIT PREPARED 'one'")
    assert names.names() == [("new",)]
    connection.close()


def test_after_a_rollback_of_what_was_begun_for_sure_the_entry_answers(names: Any, odbc: Any) -> None:
    connection = odbc.connect(names.database, autocommit=True)
    connection.execute("BEGIN")
    connection.execute(UPDATE)
    connection.execute("ROLLBACK")
    assert names.names() == [("old",)]
    assert names.runs == 1
    connection.close()


def test_a_temporary_table_that_hides_another_is_its_connections_own(names: Any, odbc: Any) -> None:
    connection = odbc.connect(names.database, autocommit=True)
    connection.execute("CREATE TEMP TABLE thing (name TEXT)")
    connection.execute("INSERT INTO thing VALUES ('hidden')")
    assert names.names() == [("old",)]
    connection.close()


def test_autocommit_that_is_switched_on_commits(names: Any, odbc: Any) -> None:
    connection = odbc.connect(names.database, autocommit=False)
    connection.execute(UPDATE)
    assert names.names() == [("old",)]
    connection.autocommit = True
    assert names.names() == [("new",)]
    connection.execute("UPDATE thing SET name = 'newer'")
    assert names.names() == [("newer",)]
    connection.close()
