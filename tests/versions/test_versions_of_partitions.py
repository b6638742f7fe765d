"""Tables of PostgreSQL whose rows others hold: partitions, and tables that inherit."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.parametrize("database", ["postgresql"], indirect=True)

PARTITIONS = (
    "CREATE TABLE day (id INTEGER) PARTITION BY RANGE (id)",
    "CREATE TABLE day_1 PARTITION OF day FOR VALUES FROM (0) TO (10)",
)


def test_partitions_are_watched_however_they_are_reached(database: Any) -> None:
    database.run(*PARTITIONS)
    database.watch("day", "day_1")
    asked = database.begin()
    for statement in 5 * (
        "INSERT INTO day VALUES (1)",
        "DELETE FROM day_1",
        "TRUNCATE day",
        "TRUNCATE day_1",
    ):
        database.run(statement)
        assert asked.changes() == ["day", "day_1"]


def test_partitions_of_later_are_watched_too(database: Any) -> None:
    database.run(*PARTITIONS)
    database.watch("day")
    asked = database.begin()
    for statement in (
        "CREATE TABLE day_2 PARTITION OF day FOR VALUES FROM (10) TO (20)",
        "INSERT INTO day_2 VALUES (11)",
        "TRUNCATE day_2",
        "ALTER TABLE day DETACH PARTITION day_2",
        "ALTER TABLE day ATTACH PARTITION day_2 FOR VALUES FROM (10) TO (20)",
        "DROP TABLE day_2",
    ):
        database.run(statement)
        assert asked.changes() == ["day"], statement
    assert asked.last.unwatched == set()


def test_a_table_that_has_become_a_partition_is_not_watched_until_the_script_has_run_again(
    database: Any,
) -> None:
    database.run(PARTITIONS[0], "CREATE TABLE day_1 (id INTEGER)")
    database.watch("day", "day_1")
    asked = database.begin()
    assert asked.last.unwatched == set()
    database.run("ALTER TABLE day ATTACH PARTITION day_1 FOR VALUES FROM (0) TO (10)")
    assert asked.poll().unwatched == {"day_1"}
    database.watch("day", "day_1")
    asked.poll()
    database.run("INSERT INTO day VALUES (1)")
    assert asked.changes() == ["day", "day_1"]


def test_tables_that_inherit_are_watched_with_what_they_inherit_from(database: Any) -> None:
    database.run("CREATE TABLE gem (cut text) INHERITS (stone)")
    database.watch("stone", "gem")
    asked = database.begin()
    database.run("INSERT INTO gem VALUES (1, 'round')")
    assert asked.changes() == ["gem", "stone"]
    database.run("UPDATE stone SET id = 2")
    assert asked.changes() == ["gem", "stone"]
    database.run("CREATE TABLE pearl () INHERITS (stone)")
    assert asked.poll().unwatched == {"stone"}  # the new one has no trigger
