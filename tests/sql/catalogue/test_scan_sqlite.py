"""SQLite, scanned: what a real database says of itself, and that nothing which it does is missing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wats_accel.sql.access import ANY, Changes, Reads, access
from wats_accel.sql.schema import Schema
from wats_accel.sql.schema_building import schema_of
from wats_accel.sql.schema_description import SchemaDescription, TableDescription, Touches
from wats_accel.sql.schema_scan import scan_schema
from wats_accel.sql.statement import facts_of

TABLES = """
CREATE TABLE groups (id INTEGER PRIMARY KEY, name TEXT, loud TEXT AS (upper(name)), n INT AS (id + 1) STORED);
CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, group_id INT REFERENCES groups ON DELETE SET NULL
    ON UPDATE CASCADE);
CREATE TABLE links (a INT, b INT REFERENCES users (id) ON DELETE CASCADE, note TEXT);
CREATE TABLE log (what TEXT, id INT);
CREATE TABLE counts (name TEXT, n INT);
"""


@pytest.fixture
def database() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(TABLES)
        yield connection


def scanned(connection: sqlite3.Connection) -> SchemaDescription:
    found = scan_schema(connection)
    assert found.product == f"SQLite {sqlite3.sqlite_version}"
    assert found.description.dialect == "sqlite"
    assert found.description.complete
    return found.description


def test_tables_have_columns_and_generated_ones_are_computed(database: sqlite3.Connection) -> None:
    tables = scanned(database).tables
    assert list(tables) == ["counts", "groups", "links", "log", "users"]
    assert tables["groups"] == TableDescription(("id", "name", "loud", "n"), ("loud", "n"))
    assert tables["log"] == TableDescription(("what", "id"))


def test_foreign_keys_that_act_are_told_with_the_columns_that_they_leave_out(
    database: sqlite3.Connection,
) -> None:
    keys = scanned(database).foreign_keys
    assert [(key.table, key.columns, key.parent, key.parent_columns) for key in keys] == [
        ("links", ("b",), "users", ("id",)),
        ("users", ("group_id",), "groups", ("id",)),
    ]
    assert [(key.on_delete, key.on_update) for key in keys] == [
        ("cascade", "no action"),
        ("set null", "cascade"),
    ]


def test_keys_of_several_columns_keep_their_order(database: sqlite3.Connection) -> None:
    database.executescript(
        "CREATE TABLE p (x INT, y INT, PRIMARY KEY (y, x));"
        "CREATE TABLE c (i INT, j INT, FOREIGN KEY (i, j) REFERENCES p ON DELETE CASCADE);"
        "CREATE TABLE quiet (i INT REFERENCES p (x));"
    )
    (key,) = (key for key in scanned(database).foreign_keys if key.parent == "p")
    assert (key.columns, key.parent_columns) == (("i", "j"), ("y", "x"))


def test_a_trigger_is_told_with_its_event_and_what_it_writes(database: sqlite3.Connection) -> None:
    database.executescript(
        """
        CREATE TRIGGER "on delete" AFTER UPDATE OF name ON users WHEN new.name <> old.name BEGIN
            UPDATE counts SET n = n + 1 WHERE name = new.name; -- END
            INSERT INTO log SELECT 'BEGIN; DELETE FROM users', id FROM users WHERE CASE WHEN 1 THEN 1 END;
        END;
        CREATE TRIGGER gone BEFORE DELETE ON groups BEGIN SELECT RAISE(ABORT, 'no'); END;
        CREATE TRIGGER grown INSERT ON groups BEGIN REPLACE INTO counts VALUES (new.name, 1); END;
        """
    )
    triggers = {trigger.name: trigger for trigger in scanned(database).triggers}
    assert triggers["on delete"].events == ("update",)
    assert triggers["on delete"].touches == Touches(writes=("counts(n)", "insert log"))
    assert (triggers["gone"].events, triggers["gone"].touches) == (("delete",), Touches())
    assert triggers["grown"].events == ("insert",)
    assert triggers["grown"].touches == Touches(writes=("delete counts", "insert counts"))


def test_comments_in_comments_end_as_sqlite_ends_them(database: sqlite3.Connection) -> None:
    database.execute("CREATE VIEW [as] AS /* a /* b */ SELECT name FROM users")
    database.execute("CREATE TRIGGER t AFTER DELETE ON log /* /* */ BEGIN DELETE FROM counts; END")
    description = scanned(database)
    assert description.views["as"].reads == ("users(name)",)
    assert description.triggers[0].touches.writes == ("delete counts",)


def test_a_view_is_told_by_its_tables_and_a_write_to_it_by_its_triggers(database: sqlite3.Connection) -> None:
    database.executescript(
        """
        CREATE VIEW v (one, two) AS SELECT u.name, g.name FROM users u JOIN groups g ON g.id = u.group_id;
        CREATE TRIGGER instead INSTEAD OF INSERT ON v BEGIN INSERT INTO users (name) VALUES (new.one); END;
        """
    )
    description = scanned(database)
    assert description.views == {"v": Touches(("groups(id, name)", "users(group_id, name)"))}
    schema = schema_of([description])
    effect = schema.effect(facts_of("INSERT INTO v VALUES (1, 2)", "sqlite"), strict=True)
    assert effect.changes == Changes(access({"users": [ANY], "groups": [ANY]}))  # an INSERT takes no links
    assert schema.effect(facts_of("SELECT one FROM v", "sqlite"), strict=True).reads == Reads(
        access({"users": ["name", "group_id"], "groups": ["name", "id"]})
    )


def test_a_view_that_calls_what_the_application_has_added_says_so(database: sqlite3.Connection) -> None:
    database.create_function("mine", 1, lambda value: value, deterministic=True)
    database.execute("CREATE VIEW v AS SELECT mine(name) AS m FROM users")
    description = scanned(database)
    assert description.views["v"].calls == ("mine",)
    assert schema_of([description]).views["v"].unknown
    told = SchemaDescription(pure_functions=("mine",))
    assert not schema_of([description, told]).views["v"].unknown


def test_a_full_text_index_over_a_table_is_read_with_it(database: sqlite3.Connection) -> None:
    try:
        database.execute("CREATE VIRTUAL TABLE words USING fts5 (name, content='users', content_rowid='id')")
    except sqlite3.OperationalError:
        pytest.skip("this SQLite has no FTS5")
    description = scanned(database)
    assert description.views["words"] == Touches(("users",))
    assert "words" in description.tables


def test_a_virtual_table_of_a_module_that_is_not_loaded_is_unknown(database: sqlite3.Connection) -> None:
    database.execute("PRAGMA writable_schema = ON")
    text = "CREATE VIRTUAL TABLE far USING far_away(x)"
    database.execute("INSERT INTO sqlite_master VALUES ('table', 'far', 'far', 0, ?)", (text,))
    database.execute("PRAGMA writable_schema = RESET")
    description = scanned(database)
    assert description.tables["far"] == TableDescription()
    assert description.views["far"] == Touches(hides="reads")
    assert description.unknown == ("table far: its columns", "virtual table far: where its rows come from")


def test_odd_names_survive(database: sqlite3.Connection) -> None:
    database.executescript(
        'CREATE TABLE "Odd.Name" ("a b", "c.d"); CREATE VIEW w AS SELECT "c.d" FROM "Odd.Name";'
    )
    schema = schema_of([scanned(database)])
    assert schema.tables["odd.name"].columns == {"a b", "c.d"}
    assert schema.views["w"] == Reads(access({"odd.name": ["c.d"]}))


# -- nothing that the database does is missing ------------------------------------------------------------

_TRIGGERS = (
    "CREATE TRIGGER t1 AFTER DELETE ON users BEGIN INSERT INTO log VALUES ('gone', old.id); END",
    "CREATE TRIGGER t2 AFTER UPDATE OF group_id ON users BEGIN UPDATE counts SET n = n + 1; END",
    "CREATE TRIGGER t3 AFTER INSERT ON log BEGIN UPDATE links SET note = new.what WHERE a = 1; END",
    "CREATE TRIGGER t4 AFTER UPDATE ON counts BEGIN DELETE FROM log WHERE id > new.n; END",
)
_WRITES = (
    "DELETE FROM groups WHERE id = {n}",
    "UPDATE groups SET id = id + 10 WHERE id = {n}",
    "UPDATE groups SET name = 'x' || name WHERE id = {n}",
    "INSERT OR REPLACE INTO groups (id, name) VALUES ({n}, 'new')",
    "DELETE FROM users WHERE id = {n}",
    "UPDATE users SET group_id = {n}",
    "UPDATE OR REPLACE users SET id = {n} WHERE id = 1",
    "INSERT INTO log VALUES ('y', {n})",
    "UPDATE counts SET name = 'z'",
    "INSERT INTO users VALUES ({n}, 'q', 1) ON CONFLICT (id) DO UPDATE SET name = 'w'",
)

Contents = dict[str, dict[str, list[object]]]


def _filled(triggers: frozenset[str]) -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.executescript(TABLES + ";".join([*sorted(triggers), ""]))
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA recursive_triggers = ON")
    for number in (1, 2, 3):
        connection.execute("INSERT INTO groups (id, name) VALUES (?, ?)", (number, f"g{number}"))
        connection.execute("INSERT INTO users VALUES (?, ?, ?)", (number, f"u{number}", number))
        connection.execute("INSERT INTO links VALUES (?, ?, 'n')", (number, number))
        connection.execute("INSERT INTO counts VALUES (?, ?)", (f"c{number}", number))
    return connection


def _contents(connection: sqlite3.Connection, schema: Schema) -> Contents:
    """Of each table, each column with its values, in the order of their texts."""
    return {
        name: {
            column: sorted(map(repr, connection.execute(f"SELECT {column} FROM {name}")))
            for column in sorted(table.columns or ())
        }
        for name, table in schema.tables.items()
    }


@settings(max_examples=150, deadline=None)
@given(
    triggers=st.frozensets(st.sampled_from(_TRIGGERS)),
    write=st.sampled_from(_WRITES),
    number=st.integers(1, 4),
)
def test_whatever_a_write_really_changes_is_among_the_changes(
    triggers: frozenset[str], write: str, number: int
) -> None:
    with closing(_filled(triggers)) as connection:
        schema = schema_of([scan_schema(connection).description])
        before = _contents(connection, schema)
        sql = write.format(n=number)
        try:
            connection.execute(sql)
        except sqlite3.IntegrityError:
            return  # nothing was changed
        after = _contents(connection, schema)
    told = schema.effect(facts_of(sql, "sqlite", schema.columns), strict=True).changes
    assert not told.unknown
    for table, columns in before.items():
        known = told.access.columns(table)
        really = {column for column, values in columns.items() if values != after[table][column]}
        came_or_went = any(len(values) != len(after[table][column]) for column, values in columns.items())
        assert ANY in known or (not came_or_went and really <= known), table


def test_a_write_may_delete_the_rows_in_its_way_where_the_table_says_so(database: sqlite3.Connection) -> None:
    database.executescript(
        "CREATE TABLE ranked (id INTEGER PRIMARY KEY, rank INT UNIQUE ON CONFLICT REPLACE);"
        "CREATE TABLE medals (ranked INT REFERENCES ranked ON DELETE CASCADE, metal TEXT);"
    )
    schema = schema_of([scanned(database)])
    for text in ("UPDATE ranked SET rank = 1", "INSERT INTO ranked (rank) VALUES (1)"):
        changes = schema.effect(facts_of(text, "sqlite", schema.columns), strict=True).changes
        assert changes == Changes(access({"ranked": [ANY], "medals": [ANY]}))
