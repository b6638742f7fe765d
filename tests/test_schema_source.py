"""What the section `sql:` and its files say of the database."""

from __future__ import annotations

from pathlib import Path

import pytest

from wats_accel.assembly import assemble
from wats_accel.config.sources import read_document
from wats_accel.context import PluginContext
from wats_accel.errors import ConfigError, Problem
from wats_accel.event_bus import EventBus
from wats_accel.sql.access import ANY, Changes, Reads, access

FILE = """\
version: 1
dialect: sqlite
complete: true
tables:
  Users: [id, name]
  Links: {columns: [id, user_id, total], computed: [total]}
foreign_keys:
  - {table: Links, columns: user_id, parent: Users, on_delete: cascade}
triggers:
  - {table: Links, name: noted, events: [insert], unknown: writes}
views:
  names: [Users.name]
procedures: {}
"""


def context(folder: Path, sql: str) -> PluginContext:
    path = folder / "accel.yaml"
    path.write_text("version: 1\n" + sql, encoding="utf-8")
    problems: list[Problem] = []
    return assemble(read_document(path), clock=lambda: 0.0, bus=EventBus(), report=problems.append).context


def problems(folder: Path, sql: str) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        _ = context(folder, sql).schema
    return [str(problem).replace(str(folder), "") for problem in raised.value.problems]


def test_nothing_is_known_without_a_section(tmp_path: Path) -> None:
    assert not context(tmp_path, "").schema


def test_a_file_is_read_relative_to_the_configuration_and_the_section_beats_it(tmp_path: Path) -> None:
    (tmp_path / "db.yaml").write_text(FILE, encoding="utf-8")
    known = context(
        tmp_path,
        """\
sql:
  schema: db.yaml
  triggers: [{table: links, name: noted, events: [insert], writes: Log.seen}]
  procedures:
    clean: {writes: [Links]}
""",
    ).schema
    assert known.dialect == "sqlite"
    assert known.complete
    assert known.tables["links"].computed == {"total"}
    assert known.foreign_keys[0].on_delete == "cascade"
    # Nobody says which of the two is the table.
    assert [trigger.changes for trigger in known.triggers] == [
        Changes(access({"log": ["seen"], "seen": [ANY]}))
    ]
    assert known.views == {"names": Reads(access({"users": ["name"]}))}
    assert known.routines["clean"].changes == Changes(access({"links": [ANY]}))


def test_short_forms(tmp_path: Path) -> None:
    known = context(
        tmp_path,
        """\
sql:
  dialect: tsql
  tables: [T1, T2]
  views:
    v: [T1, T2.a]
    w: T1
  aliases: {syn: T1}
  pure_functions: [f]
  procedures:
    p: {writes: [T1, T2.a], reads: T2}
""",
    ).schema
    assert list(known.tables) == ["t1", "t2"]
    assert known.views["v"] == Reads(access({"t1": [ANY], "t2": ["a"]}))
    assert known.views["w"] == Reads(access({"t1": [ANY]}))
    assert known.aliases == {"syn": {"t1"}}
    assert known.routines["f"].reads == Reads()
    assert known.routines["p"].changes == Changes(access({"t1": [ANY], "t2": ["a"]}))
    assert known.routines["p"].reads == Reads(access({"t2": [ANY]}))


def test_tables_may_have_no_value_in_the_long_form(tmp_path: Path) -> None:
    known = context(tmp_path, "sql:\n  tables:\n    T1:\n    T2: [a]\n").schema
    assert known.tables["t1"].columns is None
    assert known.tables["t2"].columns == {"a"}


def test_a_missing_file_is_an_error_that_says_how_to_make_one(tmp_path: Path) -> None:
    assert problems(tmp_path, "sql:\n  schema: db.yaml\n") == [
        "/accel.yaml:3:3: sql.schema: /db.yaml: there is no such file"
        " (`wats-accel schema-scan` writes such a file)"
    ]
    assert problems(tmp_path, "sql:\n  schema:\n    - db.yaml\n    - other.yaml\n")[1].startswith(
        "/accel.yaml:5:7: sql.schema[1]: /other.yaml"
    )


def test_what_is_wrong_with_a_file_is_reported_once(tmp_path: Path) -> None:
    (tmp_path / "accel.yaml").write_text("version: 1\nsql: {schema: db.yaml}\n", encoding="utf-8")
    reported: list[Problem] = []
    document = read_document(tmp_path / "accel.yaml")
    made = assemble(document, clock=lambda: 0.0, bus=EventBus(), report=reported.append).context
    assert reported == []
    for _ in range(2):
        with pytest.raises(ConfigError):
            _ = made.schema
    assert [problem.key_path for problem in reported] == [("sql", "schema")]


def test_a_file_that_is_no_yaml_is_an_error_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "db.yaml").write_text("version: 1\ntables: [", encoding="utf-8")
    (told,) = problems(tmp_path, "sql: {schema: db.yaml}\n")
    assert told.startswith("/db.yaml:2:10: not valid YAML")  # a place that is inside of the file
    assert "schema-scan" in told


def test_a_wrong_key_in_a_file_is_an_error_with_line_and_key_path(tmp_path: Path) -> None:
    (tmp_path / "db.yaml").write_text(
        "version: 1\ntables:\n  T: {colums: [a]}\nforeign_keys:\n  - {table: T, parnet: U}\n",
        encoding="utf-8",
    )
    assert problems(tmp_path, "sql: {schema: db.yaml}\n") == [
        "/db.yaml:3:7: tables.T.colums: unknown key; did you mean 'columns'?",
        "/db.yaml:5:5: foreign_keys[0].parent: this key is required and missing",
        "/db.yaml:5:16: foreign_keys[0].parnet: unknown key; did you mean 'parent'?",
    ]


def test_a_wrong_key_in_the_section_is_an_error_of_the_configuration(tmp_path: Path) -> None:
    assert problems(
        tmp_path, "sql:\n  dialect: t-sql\n  views: {v: {read: T}}\n  procedures: {p: {}}\n  schemas: x\n"
    ) == [
        "/accel.yaml:3:3: sql.dialect: expected 'tsql', 'postgres', 'sqlite', 'mysql', 'oracle' or ''",
        "/accel.yaml:4:15: sql.views.v.read: unknown key; did you mean 'reads'?",
        "/accel.yaml:5:16: sql.procedures.p: say what it reads or writes: "
        "'reads: []' and 'writes: []' if it is nothing",
        "/accel.yaml:6:3: sql.schemas: unknown key; did you mean 'schema'?",
    ]


def test_the_schema_is_made_once(tmp_path: Path) -> None:
    made = context(tmp_path, "sql: {tables: [T]}\n")
    assert made.schema is made.schema
