"""Answers: what may have changed between two of them, and doubt, which is everything."""

from __future__ import annotations

from typing import Any

import pytest

from wats_accel.versions.answers import EVERYTHING, Changes, Versions
from wats_accel.versions.change_tracking import ChangeTracking
from wats_accel.versions.choosing import NoSuchSourceError, source_of
from wats_accel.versions.data_version import DataVersion
from wats_accel.versions.version_table import VersionTable

FIRST = Versions("e", {"a": 1, "b": 2})


def test_the_same_is_no_change() -> None:
    changes = Versions("e", {"b": 2, "a": 1}).changes_since(FIRST)
    assert changes == Changes()
    assert not changes
    assert not changes.touch(["a", "b"])


DOUBTS = {
    "nothing before": (None, FIRST),
    "another epoch": (FIRST, Versions("f", {"a": 1, "b": 2})),
    "another number of all the rest": (Versions("e", {}, rest=1), Versions("e", {}, rest=2)),
    "the rest is not known any more": (Versions("e", {}, rest=1), Versions("e", {})),
}


@pytest.mark.parametrize(("earlier", "later"), DOUBTS.values(), ids=DOUBTS)
def test_doubt_is_everything(earlier: Versions | None, later: Versions) -> None:
    changes = later.changes_since(earlier)
    assert changes == EVERYTHING
    assert changes
    assert changes.touch([])


MOVES = {
    "a greater number": Versions("e", {"a": 3, "b": 2}),
    "a number that went backwards": Versions("e", {"a": 0, "b": 2}),
    "a table that is not watched any more": Versions("e", {"b": 2}, frozenset({"a"})),
    "a table that is gone": Versions("e", {"b": 2}),
}


@pytest.mark.parametrize("later", MOVES.values(), ids=MOVES)
def test_what_differs_has_changed_whichever_way(later: Versions) -> None:
    assert later.changes_since(FIRST) == Changes(frozenset({"a"}))
    assert FIRST.changes_since(later).touch(["x", "dbo.A"])


def test_stamps_are_of_watched_tables_only() -> None:
    answer = Versions("e", {"a": 1, "b": 2}, frozenset({"c"}))
    assert answer.stamp(["b", "A", '"a"']) == ("e", (1, 2)) == answer.stamp(["a", "b"])
    assert answer.stamp(["a", "c"]) is None
    assert answer.stamp(["a", "d"]) is None
    assert answer.stamp([]) == ("e", ())


def test_one_number_for_all_the_rest_stands_for_each_of_them() -> None:
    answer = Versions("e", {"a": 1}, frozenset({"c"}), rest=7)
    assert answer.stamp(["a", "d"]) == ("e", (1, 7))
    assert answer.stamp(["c"]) is None


SOURCES = {
    ("version-table", "sqlite"): VersionTable,
    ("version-table", "sqlserver"): VersionTable,
    ("sqlserver-change-tracking", "sqlserver"): ChangeTracking,
    ("sqlite-data-version", "sqlite"): DataVersion,
}


@pytest.mark.parametrize(("names", "kind"), SOURCES.items(), ids=[" of ".join(names) for names in SOURCES])
def test_a_source_is_chosen_by_its_name(names: Any, kind: type) -> None:
    assert type(source_of(*names, tables=["person"])) is kind


@pytest.mark.parametrize(
    "names", [("sqlite-data-version", "postgresql"), ("sqlserver-change-tracking", "sqlite")]
)
def test_a_source_that_a_database_does_not_have_is_refused(names: Any) -> None:
    with pytest.raises(NoSuchSourceError, match="has no source"):
        source_of(*names)


class _Answering:
    """A connection of SQL Server's, whose version table has so many single rows."""

    def __init__(self, pending: int) -> None:
        self.autocommit = False
        self.statements: list[str] = []
        self._pending = pending

    def cursor(self) -> _Answering:
        return self

    def execute(self, statement: str) -> None:
        self.statements.append(statement)

    def fetchall(self) -> list[tuple[Any, ...]]:
        return [("[dbo].[person]", 5, self._pending, "t"), ("", 1, 0, "t"), ("[hr].[person]", None, 0, "t")]

    def close(self) -> None:
        pass


@pytest.mark.parametrize(("pending", "tidied"), [(1000, 0), (1001, 1)])
def test_sql_server_is_asked_by_procedures(pending: int, tidied: int) -> None:
    connection = _Answering(pending)
    answer = VersionTable("sqlserver", "shop.versions").begin(connection)
    assert connection.autocommit
    assert connection.statements == [
        "SET TRANSACTION ISOLATION LEVEL READ COMMITTED",
        "SET LOCK_TIMEOUT 5000",
        "EXEC [shop].[versions_now]",
        *tidied * ["EXEC [shop].[versions_tidy]"],
    ]
    assert answer.unwatched == {"person"}  # one of the two is not
    assert answer.stamp(["person"]) is None
    assert answer.pending == pending
