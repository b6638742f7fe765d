"""The version table of PostgreSQL: whoever commits, in whatever order, is told of, and nobody waits."""

from __future__ import annotations

import random
from typing import Any

import pytest

from wats_accel.versions import version_table
from wats_accel.versions.ddl import script

pytestmark = pytest.mark.parametrize("database", ["postgresql"], indirect=True)


@pytest.fixture
def watched(database: Any) -> Any:
    database.watch("person", "pet", "stone")
    return database


def value(connection: Any, sql: str) -> Any:
    return connection.execute(sql).fetchone()[0]


def test_a_transaction_that_began_first_and_commits_last_is_told(watched: Any) -> None:
    asked = watched.begin()
    fifth, sixth = watched.connect(autocommit=False), watched.connect(autocommit=False)
    fifth.execute("INSERT INTO person VALUES (5, 'Eve')")
    sixth.execute("INSERT INTO person VALUES (6, 'Fay')")
    numbers = [value(writer, "SELECT pg_current_xact_id()::text::bigint") for writer in (fifth, sixth)]
    assert numbers[0] < numbers[1]
    sixth.commit()
    assert asked.changes() == ["person"]
    assert asked.changes() == []
    fifth.commit()
    assert asked.changes() == ["person"]
    assert asked.changes() == []


def test_a_transaction_adds_one_row_for_each_table_that_it_writes_to(watched: Any) -> None:
    asked = watched.begin()
    before = asked.last.pending
    writer = watched.connect(autocommit=False)
    for number in range(3):
        writer.execute(f"INSERT INTO stone VALUES ({number})")
        writer.execute("UPDATE person SET name = name")
    writer.commit()
    assert asked.poll().pending == before + 2
    writer.execute("DELETE FROM stone")
    writer.commit()
    assert asked.poll().pending == before + 3


def test_nothing_stays_in_the_session_of_a_writer(watched: Any) -> None:
    writer = watched.connect()
    writer.execute("INSERT INTO stone VALUES (1)")
    left = "SELECT coalesce(current_setting('wats_accel.t' || left(md5('public.stone'), 12), true), '')"
    assert value(writer, left) == ""


@pytest.mark.parametrize("level", ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"])
def test_writers_of_the_same_tables_in_crossed_order_neither_wait_nor_fail(watched: Any, level: str) -> None:
    asked = watched.begin()
    one, other = watched.connect(autocommit=False), watched.connect(autocommit=False)
    for writer in (one, other):
        writer.execute(f"SET TRANSACTION ISOLATION LEVEL {level}")
        writer.execute("SET LOCAL lock_timeout = '1s'")
    one.execute("INSERT INTO person VALUES (1, 'Ada')")
    other.execute("INSERT INTO stone VALUES (2)")
    asked.poll()
    one.execute("INSERT INTO stone VALUES (1)")
    other.execute("INSERT INTO person VALUES (2, 'Bob')")
    other.commit()
    assert asked.changes() == ["person", "stone"]
    one.commit()
    assert asked.changes() == ["person", "stone"]


def test_a_poll_makes_no_serializable_transaction_fail(watched: Any) -> None:
    watched.run("ALTER DATABASE versioned SET default_transaction_isolation = 'serializable'")
    try:
        asked = watched.begin()
        assert value(asked.connection, "SHOW transaction_isolation") == "read committed"
    finally:
        watched.run("ALTER DATABASE versioned RESET default_transaction_isolation")


def test_rows_are_put_together_and_nothing_is_told_of_it(
    watched: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(version_table, "MOST_PENDING", 5)
    asked = watched.begin()
    for number in range(8):
        watched.run(f"INSERT INTO stone VALUES ({number})")
    assert asked.changes() == ["stone"]
    assert asked.last.pending == 9  # and one of the epoch
    assert asked.changes() == []
    assert asked.last.pending == 2
    watched.run("INSERT INTO stone VALUES (9)")
    assert asked.changes() == ["stone"]


def test_two_that_put_rows_together_count_none_twice_and_do_not_wait(watched: Any) -> None:
    for number in range(3):
        watched.run(f"INSERT INTO stone VALUES ({number})")
    asked = watched.begin()
    one, other = watched.connect(autocommit=False), watched.connect(autocommit=False)
    writer = watched.connect(autocommit=False)
    writer.execute("INSERT INTO stone VALUES (7)")
    for tidier in (one, other):
        tidier.execute("SET LOCAL lock_timeout = '1s'")
        tidier.execute("SELECT wats_accel_versions_tidy()")
        assert asked.changes() == []
    other.commit()
    assert asked.changes() == []
    one.commit()
    assert asked.changes() == []
    writer.commit()
    assert asked.changes() == ["stone"]
    assert (
        value(watched.connect(), "SELECT count(*) FROM wats_accel_versions WHERE trigger_name IS NULL") == 3
    )


def test_a_reader_who_may_not_put_rows_together_reads_on(
    watched: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(version_table, "MOST_PENDING", 2)
    watched.run("REVOKE EXECUTE ON FUNCTION wats_accel_versions_tidy() FROM PUBLIC")
    watched.run("DROP ROLE IF EXISTS reader", "CREATE ROLE reader", "GRANT USAGE ON SCHEMA public TO reader")
    asked = watched.begin()
    asked.connection.execute("SET ROLE reader")
    for number in range(12):
        watched.run(f"INSERT INTO stone VALUES ({number})")
        assert asked.changes() == ["stone"]
    assert asked.source.failures == 2  # at 3 rows and at 7; at 15 there would be another


def test_a_writer_needs_no_rights_but_his_own(watched: Any) -> None:
    watched.run(
        "DROP ROLE IF EXISTS clerk",
        "CREATE ROLE clerk",
        "GRANT USAGE ON SCHEMA public TO clerk",
        "GRANT INSERT ON stone TO clerk",
    )
    asked = watched.begin()
    writer = watched.connect()
    writer.execute("SET ROLE clerk")
    writer.execute("INSERT INTO stone VALUES (1)")
    assert asked.changes() == ["stone"]
    with pytest.raises(watched.module.Error, match="permission denied"):
        writer.execute("INSERT INTO wats_accel_versions VALUES ('public.stone', 1)")


def test_a_search_path_of_the_application_leads_the_trigger_nowhere(watched: Any) -> None:
    asked = watched.begin()
    writer = watched.connect()
    for statement in (
        "CREATE SCHEMA trap",
        "CREATE TABLE trap.wats_accel_versions (table_name text, number bigint)",
        "CREATE FUNCTION trap.left(text, integer) RETURNS text LANGUAGE sql AS $$ SELECT '0' $$",
        "SET search_path = trap, public, pg_catalog",
        "INSERT INTO stone VALUES (1)",
    ):
        writer.execute(statement)
    assert value(writer, "SELECT count(*) FROM trap.wats_accel_versions") == 0
    writer.execute("DROP SCHEMA trap CASCADE")
    assert asked.changes() == ["stone"]


def test_what_a_session_can_ask_for_is_as_without_triggers(watched: Any) -> None:
    writer = watched.connect()
    writer.execute("CREATE TABLE counted (id serial PRIMARY KEY, note text)")
    watched.watch("counted")
    writer.execute("INSERT INTO counted (note) VALUES ('a'), ('b')")
    assert value(writer, "SELECT lastval()") == 2
    drawn = []
    for statement in ("INSERT INTO counted (note) VALUES ('c')", "SELECT 1"):
        writer.execute("SELECT setseed(0.5)")
        writer.execute(statement)
        drawn.append(value(writer, "SELECT random()"))
    assert drawn[0] == drawn[1]


def test_truncate_is_told_also_of_a_table_that_refers(watched: Any) -> None:
    asked = watched.begin()
    watched.run("TRUNCATE person CASCADE")
    assert asked.changes() == ["person", "pet"]


def test_what_changes_a_definition_is_told(watched: Any) -> None:
    asked = watched.begin()
    watched.run("ALTER TABLE stone ADD COLUMN colour text DEFAULT 'grey'")
    assert asked.changes() == ["stone"]
    watched.run("VACUUM stone", "ANALYZE stone", "CREATE INDEX ON stone (colour)")
    assert asked.changes() == []


def test_triggers_that_are_switched_off_are_no_watch(watched: Any) -> None:
    asked = watched.begin()
    watched.run("ALTER TABLE stone DISABLE TRIGGER USER", "INSERT INTO stone VALUES (1)")
    assert asked.poll().unwatched == {"stone"}
    watched.run("ALTER TABLE stone ENABLE TRIGGER USER")
    assert asked.poll().stamp(["stone"]) is not None


def test_triggers_that_were_switched_off_and_on_again_tell_of_what_they_have_not_seen(watched: Any) -> None:
    """As `pg_dump --data-only --disable-triggers` writes it, for one."""
    asked = watched.begin()
    off, on = "ALTER TABLE stone DISABLE TRIGGER ALL", "ALTER TABLE stone ENABLE TRIGGER ALL"
    watched.run(off, "INSERT INTO stone VALUES (1)", on)
    assert [asked.changes() for _ in range(2)] == [["stone"], []]


def test_who_sets_session_replication_role_is_noticed(watched: Any) -> None:
    asked = watched.begin()
    writer = watched.connect()
    writer.execute("SET session_replication_role = replica")
    writer.execute("INSERT INTO stone VALUES (1)")
    assert asked.changes() == ["stone"]


def test_a_prepared_transaction_is_told_when_it_is_committed(watched: Any) -> None:
    asked = watched.begin()
    writer = watched.connect(autocommit=True)
    for statement in ("BEGIN", "INSERT INTO stone VALUES (1)", "PREPARE TRANSACTION 'p'"):
        writer.execute(statement)
    assert asked.changes() == []
    writer.execute("INSERT INTO stone VALUES (2)")
    assert asked.changes() == ["stone"]
    writer.execute("COMMIT PREPARED 'p'")
    assert asked.changes() == ["stone"]


def test_a_server_that_has_been_started_anew_is_another_epoch(watched: Any) -> None:
    asked = watched.begin()
    started = value(watched.connect(), "SELECT extract(epoch FROM pg_postmaster_start_time())::text")
    assert asked.last.epoch.startswith(f"{started} ")


def test_names_are_taken_as_they_are_or_as_sql_has_them(database: Any) -> None:
    database.run('CREATE TABLE "Mixed" (id integer)', "CREATE TABLE folded (id integer)")
    database.watch("Mixed", "FOLDED")
    assert set(database.begin().last.numbers) == {"mixed", "folded"}


@pytest.mark.parametrize("name", ["nothing", "seen"])
def test_what_is_no_table_cannot_be_watched(database: Any, name: str) -> None:
    database.run("CREATE VIEW seen AS SELECT * FROM stone")
    with pytest.raises(database.module.Error, match="there is no table"):
        database.watch("person", name)
    assert value(database.connect(), "SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal") == 0


SHARE, WHOLE = 60, 3000


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_every_commit_in_any_order_is_told_and_nothing_else(watched: Any, soak: bool) -> None:
    """Three writers and one that puts rows together, in steps drawn at random, against what each has done."""
    drawn = random.Random(8)
    asked = watched.begin()
    writers = [watched.connect(autocommit=False) for _ in range(3)]
    written: list[set[str]] = [set() for _ in writers]
    expected: set[str] = set()
    for step in range(WHOLE if soak else SHARE):
        place = drawn.randrange(len(writers))
        action = drawn.choice(["write", "write", "commit", "roll back", "tidy", "poll", "poll"])
        if action == "write":
            table = drawn.choice(["person", "stone"])
            writers[place].execute(f"INSERT INTO {table} (id) VALUES ({step})")
            written[place].add(table)
        elif action == "commit":
            writers[place].commit()
            expected |= written[place]
            written[place].clear()
        elif action == "roll back":
            writers[place].rollback()
            written[place].clear()
        elif action == "tidy":
            writers[place].execute("SELECT wats_accel_versions_tidy()")
        else:
            assert asked.changes() == sorted(expected), step
            expected.clear()


def test_whoever_owns_the_tables_can_run_the_script_and_anybody_can_ask(watched: Any) -> None:
    watched.watch(drop=True)
    watched.run(
        "DROP ROLE IF EXISTS keeper, visitor",
        "CREATE ROLE keeper",
        "CREATE ROLE visitor",
        "GRANT CREATE, USAGE ON SCHEMA public TO keeper",
        "GRANT USAGE ON SCHEMA public TO visitor",
        "ALTER TABLE stone OWNER TO keeper",
    )
    owner = watched.connect()
    owner.execute("SET ROLE keeper")
    for statement in script("postgresql", ["stone"]).statements:
        owner.execute(statement)
    visitor = watched.connect()
    visitor.execute("SET ROLE visitor")
    source = version_table.VersionTable("postgresql")
    first = source.begin(visitor)
    owner.execute("INSERT INTO stone VALUES (1)")
    assert source.poll(visitor).changes_since(first).tables == {"stone"}
    visitor.execute("SELECT wats_accel_versions_tidy()")
