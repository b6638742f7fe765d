"""The version table: the same truths on every database that can be run here."""

from __future__ import annotations

from typing import Any

import pytest

from wats_accel.versions.source import SourceLostError
from wats_accel.versions.version_table import VersionTable


@pytest.fixture
def watched(database: Any) -> Any:
    database.watch("person", "pet", "stone")
    return database


WRITES = {
    "an insert": ("INSERT INTO person VALUES (9, 'Ida')", ["person"]),
    "an update": ("UPDATE person SET name = 'Eva'", ["person"]),
    "a delete": ("DELETE FROM pet", ["pet"]),
    "a cascade": ("DELETE FROM person WHERE id = 1", ["person", "pet"]),
    "an insert of nothing": ("INSERT INTO stone SELECT id FROM stone WHERE 1 = 0", []),
    "a read": ("SELECT * FROM person", []),
}


@pytest.mark.parametrize(("write", "changed"), WRITES.values(), ids=WRITES)
def test_what_is_written_is_told_once(watched: Any, write: str, changed: list[str]) -> None:
    watched.run("INSERT INTO person VALUES (1, 'Ada')", "INSERT INTO pet VALUES (1, 1)")
    asked = watched.begin()
    watched.run(write)
    told = asked.changes()
    if watched.dialect == "postgresql" and write.startswith("INSERT INTO stone"):
        assert told in ([], ["stone"])  # its triggers fire for statements, whatever these find
    else:
        assert told == changed
    assert asked.changes() == []


def test_what_is_not_committed_is_not_told(watched: Any) -> None:
    asked = watched.begin()
    writer = watched.connect(autocommit=False)
    writer.execute("INSERT INTO stone VALUES (1)")
    assert asked.changes() == []
    writer.commit()
    assert asked.changes() == ["stone"]


def test_what_is_rolled_back_is_never_told(watched: Any) -> None:
    asked = watched.begin()
    writer = watched.connect(autocommit=False)
    writer.execute("INSERT INTO stone VALUES (1)")
    writer.rollback()
    assert asked.changes() == []


def test_a_savepoint_takes_back_what_was_noted_in_it_and_no_more(watched: Any) -> None:
    asked = watched.begin()
    writer = watched.connect(autocommit=False)
    for statement in (
        "INSERT INTO person VALUES (1, 'Ada')",
        "SAVEPOINT a",
        "INSERT INTO person VALUES (2, 'Bob')",
        "INSERT INTO stone VALUES (2)",
        "ROLLBACK TO SAVEPOINT a",
    ):
        writer.execute(statement)
    writer.commit()
    assert asked.changes() == ["person"]


def test_what_is_noted_again_after_a_savepoint_was_taken_back_is_told(watched: Any) -> None:
    asked = watched.begin()
    writer = watched.connect(autocommit=False)
    writer.execute("INSERT INTO person VALUES (1, 'Ada')")
    for statement in ("SAVEPOINT a", "INSERT INTO stone VALUES (1)", "ROLLBACK TO SAVEPOINT a"):
        writer.execute(statement)
    writer.execute("INSERT INTO stone VALUES (2)")
    writer.commit()
    assert asked.changes() == ["person", "stone"]


def test_a_stamp_is_the_same_as_long_as_its_tables_are(watched: Any) -> None:
    asked = watched.begin()
    people, stones = asked.last.stamp(["person", "main.PET"]), asked.last.stamp(["stone"])
    watched.run("INSERT INTO stone VALUES (1)")
    answer = asked.poll()
    assert answer.stamp(["pet", "Person"]) == people
    assert answer.stamp(["stone"]) != stones


def test_a_stamp_is_the_same_for_another_process(watched: Any) -> None:
    watched.run("INSERT INTO stone VALUES (1)")
    one, other = watched.begin(), watched.begin()
    assert one.last.stamp(["stone", "pet"]) == other.last.stamp(["stone", "pet"]) is not None
    assert other.last.changes_since(one.last).tables == frozenset()


def test_a_table_that_nobody_has_asked_to_watch_has_no_stamp(database: Any) -> None:
    database.watch("person")
    asked = database.begin()
    assert asked.last.stamp(["stone"]) is None
    assert asked.last.stamp(["person", "stone"]) is None
    assert asked.last.unwatched == frozenset()


def test_a_table_that_was_made_anew_is_not_watched_until_the_script_has_run_again(watched: Any) -> None:
    asked = watched.begin()
    watched.run("DROP TABLE stone", "CREATE TABLE stone (id INTEGER PRIMARY KEY)")
    changed = asked.changes()
    assert changed == "everything" or "stone" in changed
    assert asked.last.unwatched == {"stone"}
    assert asked.last.stamp(["stone"]) is None
    assert asked.last.stamp(["person"]) is not None
    watched.watch("person", "pet", "stone")
    assert asked.changes() == "everything"
    watched.run("INSERT INTO stone VALUES (1)")
    assert asked.changes() == ["stone"]


def test_a_table_under_the_name_of_a_watched_one_is_not_watched(watched: Any) -> None:
    watched.run(
        "ALTER TABLE stone RENAME TO pebble", "CREATE TABLE stone (id INTEGER PRIMARY KEY, weight INTEGER)"
    )
    assert watched.begin().last.unwatched == {"stone"}


def test_each_run_of_the_script_begins_a_new_epoch_and_changes_nothing_else(watched: Any) -> None:
    asked = watched.begin()
    for _ in range(2):
        watched.watch("person", "pet", "stone")
        assert asked.changes() == "everything"
        watched.run("DELETE FROM stone", "INSERT INTO stone VALUES (1)")
        assert asked.changes() == ["stone"]


def test_only_the_tables_of_the_last_run_count(watched: Any) -> None:
    watched.watch("person")
    asked = watched.begin()
    watched.run("INSERT INTO stone VALUES (1)", "INSERT INTO person VALUES (1, 'Ada')")
    assert asked.changes() == ["person"]
    assert asked.last.stamp(["stone"]) is None


def test_a_drop_leaves_nothing(watched: Any) -> None:
    watched.watch("person", "pet", "stone", drop=True)
    catalogue = "pg_class" if watched.dialect == "postgresql" else "sqlite_master"
    column = "relname" if watched.dialect == "postgresql" else "name"
    with pytest.raises(watched.module.Error):
        watched.begin()
    left = watched.connect().execute(f"SELECT {column} FROM {catalogue} WHERE {column} LIKE '%wats%'")
    assert left.fetchall() == []
    watched.run("INSERT INTO person VALUES (1, 'Ada')")
    watched.watch("person", "pet", "stone", drop=True)


def test_a_table_without_an_epoch_is_no_source(watched: Any) -> None:
    asked = watched.begin()
    watched.run("DELETE FROM wats_accel_versions WHERE table_name = ''")
    with pytest.raises(SourceLostError, match="epoch"):
        asked.poll()


def test_names_that_need_quotes_are_watched(database: Any) -> None:
    odd = '"odd ""name; -- \'it\'"' if database.dialect == "postgresql" else "\"odd 'it'; --\""
    database.run(f"CREATE TABLE {odd} (id INTEGER PRIMARY KEY)", 'CREATE TABLE "Über Ich" (id INTEGER)')
    database.watch(odd, '"Über Ich"')
    asked = database.begin()
    database.run(f"INSERT INTO {odd} VALUES (1)")
    changed = asked.changes()
    assert len(changed) == 1
    assert changed[0].startswith("odd ")
    database.run('INSERT INTO "Über Ich" VALUES (1)')
    assert asked.changes() == ["über ich"]


def test_the_version_table_can_have_another_name(database: Any) -> None:
    database.watch("stone", name="shop_versions")
    asked = database.begin(VersionTable(database.dialect, "shop_versions"))
    database.run("INSERT INTO stone VALUES (1)")
    assert asked.changes() == ["stone"]


def test_rowcounts_are_those_of_the_statement(watched: Any) -> None:
    connection = watched.connect()
    counts = [
        connection.execute(statement).rowcount
        for statement in (
            "INSERT INTO person VALUES (1, 'Ada'), (2, 'Bob'), (3, 'Cid')",
            "UPDATE person SET name = 'Dan' WHERE id > 1",
            "DELETE FROM person",
            "DELETE FROM person",
        )
    ]
    assert counts == [3, 2, 3, 0]


def test_a_connection_with_a_transaction_open_is_made_to_commit_by_itself(watched: Any) -> None:
    connection = watched.connect(autocommit=False)
    connection.execute("SELECT * FROM stone").fetchall()
    source = VersionTable(watched.dialect)
    first = source.begin(connection)
    watched.run("INSERT INTO stone VALUES (1)")
    assert source.poll(connection).changes_since(first).tables == {"stone"}
