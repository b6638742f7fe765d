"""What SQLite tells: its version table and its own number, and what its triggers let an application see."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from wats_accel.versions.data_version import DataVersion
from wats_accel.versions.ddl import script
from wats_accel.versions.source import SourceLostError
from wats_accel.versions.version_table import VersionTable

pytestmark = pytest.mark.parametrize("database", ["sqlite3", "sqlite-odbc"], indirect=True)
SOURCES = pytest.mark.parametrize(
    "source", [DataVersion, lambda: VersionTable("sqlite")], ids=["own", "table"]
)


@pytest.fixture
def watched(database: Any) -> Any:
    database.watch("person", "pet", "stone")
    return database


def rows(connection: Any, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in connection.execute(sql).fetchall()]


# -- SQLite's own number ----------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["DELETE", "WAL"])
def test_any_commit_of_another_connection_is_told(database: Any, mode: str) -> None:
    database.run(f"PRAGMA journal_mode = {mode}")
    asked = database.begin(DataVersion())
    stamp = asked.last.stamp(["person", "whatever"])
    assert asked.changes() == []
    writer = database.connect(autocommit=False)
    writer.execute("INSERT INTO stone VALUES (1)")
    assert asked.changes() == []
    assert asked.last.stamp(["whatever", "person"]) == stamp is not None
    writer.commit()
    assert asked.changes() == "everything"
    assert asked.last.stamp(["person", "whatever"]) != stamp


def test_the_number_of_another_connection_says_nothing(database: Any) -> None:
    source = DataVersion()
    first = source.begin(database.connect())
    assert source.begin(database.connect()).changes_since(first).everything
    assert DataVersion().begin(database.connect()).changes_since(first).everything


def test_who_has_not_begun_is_not_answered(database: Any) -> None:
    with pytest.raises(SourceLostError, match="not begun"):
        DataVersion().poll(database.connect())


# -- files ------------------------------------------------------------------------------------------------


@SOURCES
@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not let an open file be replaced")
@pytest.mark.parametrize("replaced", [True, False], ids=["replaced", "gone"])
def test_a_file_that_is_not_there_any_more_is_noticed(
    database: Any, source: Any, replaced: bool, tmp_path: Path
) -> None:
    database.watch("stone")
    file, copy = tmp_path / "versioned.db", tmp_path / "copy.db"
    shutil.copyfile(file, copy)
    asked = database.begin(source())
    os.replace(copy, file) if replaced else file.unlink()
    with pytest.raises(SourceLostError, match="replaced" if replaced else "gone"):
        asked.poll()
    if replaced:
        assert asked.source.begin(database.connect()).changes_since(asked.last).everything


def test_a_backup_that_is_restored_and_written_to_has_no_number_of_before(
    watched: Any, tmp_path: Path
) -> None:
    file, copy = tmp_path / "versioned.db", tmp_path / "copy.db"
    shutil.copyfile(file, copy)
    asked = watched.begin()
    seen = set()
    for number in range(3):
        watched.run(f"INSERT INTO stone VALUES ({number})")
        seen.add(asked.poll().stamp(["stone"]))
    with closing(sqlite3.connect(copy)) as backup, closing(sqlite3.connect(file)) as target:
        backup.backup(target)
    for number in range(3):
        watched.run(f"INSERT INTO stone VALUES ({10 + number})")
        assert asked.poll().stamp(["stone"]) not in seen


@SOURCES
def test_a_database_in_memory_has_no_file(database: Any, source: Any) -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE stone (id INTEGER)")
    connection.executescript(str(script("sqlite", ["stone"])))
    assert source().begin(connection).stamp(["stone"]) is not None
    connection.close()


# -- what an application sees -----------------------------------------------------------------------------


def test_numbers_of_rows_and_counts_are_as_without_triggers(database: Any) -> None:
    seen = []
    for watch in (False, True):
        if watch:
            database.watch("person", "pet", "stone")
        database.run("DELETE FROM person")
        connection = database.connect()
        told = []
        for statement in (
            "INSERT INTO person (name) VALUES ('Ada'), ('Bob')",
            "UPDATE person SET name = 'Cid'",
            "INSERT OR REPLACE INTO person VALUES (1, 'Dan')",
            "INSERT INTO person VALUES (1, 'Eve') ON CONFLICT (id) DO UPDATE SET name = 'Eve'",
            "INSERT OR IGNORE INTO person VALUES (1, 'Fay')",
            "DELETE FROM person WHERE id = 1",
        ):
            connection.execute(statement)
            told += rows(connection, "SELECT last_insert_rowid(), changes()")
        seen.append(told)
    assert seen[0] == seen[1]


def test_only_the_count_of_all_changes_knows_of_triggers(watched: Any) -> None:
    connection = watched.connect()
    connection.execute("INSERT INTO stone VALUES (1), (2)")
    assert rows(connection, "SELECT total_changes()") == [(4,)]


@pytest.mark.parametrize("setting", ["recursive_triggers = ON", "trusted_schema = OFF", "journal_mode = WAL"])
def test_settings_of_a_writer_change_nothing(watched: Any, setting: str) -> None:
    asked = watched.begin()
    writer = watched.connect()
    writer.execute(f"PRAGMA {setting}").close()
    for statement in ("INSERT INTO person VALUES (1, 'Ada')", "REPLACE INTO person VALUES (1, 'Bob')"):
        writer.execute(statement)
        assert asked.changes() == ["person"]


@pytest.mark.parametrize("way", ["REPLACE", "INSERT OR IGNORE", "INSERT OR FAIL", "INSERT OR ROLLBACK"])
def test_how_a_writer_meets_conflicts_is_not_how_numbers_meet_them(watched: Any, way: str) -> None:
    asked = watched.begin()
    watched.run(f"{way} INTO stone VALUES (1)")
    assert asked.changes() == ["stone"]


def test_tables_without_rowid_and_attached_files_are_watched(database: Any, tmp_path: Path) -> None:
    database.run("CREATE TABLE bare (name TEXT PRIMARY KEY) WITHOUT ROWID")
    database.watch("bare", "stone")
    asked = database.begin()
    database.run("INSERT INTO bare VALUES ('a')")
    assert asked.changes() == ["bare"]
    with closing(sqlite3.connect(":memory:")) as other:
        other.execute("ATTACH ? AS shop", (str(tmp_path / "versioned.db"),))
        other.execute("INSERT INTO shop.stone VALUES (5)")
        other.commit()
    assert asked.changes() == ["stone"]


def test_another_definition_is_another_epoch(watched: Any) -> None:
    asked = watched.begin()
    watched.run("ALTER TABLE stone ADD COLUMN colour TEXT DEFAULT 'grey'")
    assert asked.changes() == "everything"


def test_one_of_three_triggers_is_not_enough(watched: Any) -> None:
    asked = watched.begin()
    watched.run('DROP TRIGGER "wats_accel_versions stone delete"')
    assert asked.poll().unwatched == {"stone"}


def test_the_whole_script_can_be_run_at_once(database: Any, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "versioned.db")) as connection:
        for _ in range(2):
            connection.executescript(str(script("sqlite", ["stone", "STONE", "main.person"])))
    asked = database.begin()
    assert set(asked.last.numbers) == {"stone", "person"}
    database.run("INSERT INTO stone VALUES (1)")
    assert asked.changes() == ["stone"]
