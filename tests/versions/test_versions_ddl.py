"""Scripts: what is in them for databases that cannot be run here, and names that must not break out."""

from __future__ import annotations

import re

import pytest
import sqlglot

from wats_accel.versions.ddl import DdlError, script
from wats_accel.versions.dialects import Place
from wats_accel.versions.names import TableNameError, key, listed, parts_of

SQL_SERVER = [
    statement
    for options in (
        {},
        {"drop": True},
        {"method": "change-tracking"},
        {"method": "change-tracking", "drop": True},
    )
    for statement in script("sqlserver", ["person", "sales.[b c]"], **options).statements
]


@pytest.mark.parametrize("number", range(len(SQL_SERVER)))
def test_what_is_for_sql_server_is_t_sql(number: int) -> None:
    statement = SQL_SERVER[number]
    # sqlglot does not know OUTPUT in a DELETE with WHERE.
    body = re.sub(
        r"\n\s*OUTPUT DELETED[^\n]*", "", statement.partition("AS\nBEGIN\n")[2].rpartition("END")[0]
    )
    assert sqlglot.parse(body or statement, dialect="tsql")


def _of_sql_server(word: str) -> list[str]:
    return [
        statement for statement in script("sqlserver", ["person", "hr.pay"]).statements if word in statement
    ]


def test_triggers_of_sql_server_say_nothing_and_count_nothing() -> None:
    triggers = _of_sql_server("CREATE OR ALTER TRIGGER")
    assert len(triggers) == 2
    for trigger in triggers:
        lines = [line.strip() for line in trigger.splitlines()]
        assert "AFTER INSERT, UPDATE, DELETE" in lines[0]
        assert lines[1:3] == ["BEGIN", "SET NOCOUNT ON;"]
        assert "SELECT 1 FROM inserted" in trigger
    assert "ON [hr].[pay] " in triggers[1]


def test_what_is_left_of_identities_is_put_back() -> None:
    (table,) = _of_sql_server("CREATE TABLE")
    assert "IDENTITY" not in table
    before, _, after = _of_sql_server("CREATE OR ALTER TRIGGER")[0].partition("INSERT INTO")
    assert "DECLARE @identity decimal(38, 0) = @@IDENTITY;" in before
    assert "@@IDENTITY <> @identity" in after
    assert "SELECT IDENTITY(bigint, " in after


def test_who_reads_in_sql_server_waits_for_no_writer_and_skips_single_rows_only() -> None:
    (now,) = _of_sql_server("_now] WITH EXECUTE")
    assert now.count("WITH (ROWLOCK, READCOMMITTEDLOCK, READPAST)") == 2
    (table,) = _of_sql_server("CREATE TABLE")
    assert "ALLOW_PAGE_LOCKS = OFF" in table
    assert "LOCK_ESCALATION = DISABLE" in table


def test_names_of_the_catalogue_are_compared_in_one_collation() -> None:
    (now,) = _of_sql_server("_now] WITH EXECUTE")
    compared = [line for line in now.splitlines() if "t.name" in line]
    assert [line.count("COLLATE DATABASE_DEFAULT") for line in compared] == [2]


def test_a_trigger_that_was_off_for_a_while_makes_another_number() -> None:
    (now,) = _of_sql_server("_now] WITH EXECUTE")
    assert "t.modify_date" in now


def test_an_identity_that_cannot_be_put_back_harms_no_write() -> None:
    trigger = _of_sql_server("CREATE OR ALTER TRIGGER")[0]
    assert "@identity BETWEEN -9223372036854775808 AND 9223372036854775807 AND" in trigger


def test_a_thousand_rows_are_as_many_as_one_insert_may_have() -> None:
    made = script("sqlserver", [f"table_{number}" for number in range(2500)])
    watch = made.statements[-1]
    inserts = watch.split("INSERT INTO ")[1:-1]
    assert [insert.count("(N'") for insert in inserts] == [1000, 1000, 501]
    assert watch.count("BEGIN TRANSACTION") == watch.count("COMMIT TRANSACTION") == 1
    assert sqlglot.parse(watch, dialect="tsql")


def test_change_tracking_grants_nothing_and_says_what_is_needed() -> None:
    text = str(script("sqlserver", ["person"], method="change-tracking"))
    assert [line for line in text.splitlines() if "GRANT" in line and not line.startswith("--")] == []
    assert "-- " in text.partition("VIEW CHANGE TRACKING")[0].splitlines()[-1]
    assert "GRANT" not in str(script("sqlserver", ["person"], method="change-tracking", drop=True))


def test_batches_of_sql_server_are_separated() -> None:
    made = script("sqlserver", ["person"])
    assert str(made).count("\nGO\n") == len(made.statements)
    assert "OUTPUT" in made.comment
    assert "OUTPUT" not in script("sqlserver", ["person"], method="change-tracking").comment


@pytest.mark.parametrize(
    "name", ["a'b", "a]b", 'a"b', "a; DROP TABLE b", "--", "$wats_accel$", "%s {x}", "ação"]
)
@pytest.mark.parametrize("dialect", ["sqlite", "postgresql", "sqlserver"])
def test_names_stay_where_they_are(dialect: str, name: str) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    text = str(script(dialect, [quoted]))
    bare = re.sub(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\[(?:[^\]]|\]\])*\]", "", text)
    if dialect != "postgresql":  # there it stands between dollars, too
        assert "DROP TABLE b" not in bare
        assert name not in bare or name == "--"
    else:
        opening = re.search(r"DO (\$wats_accel_*\$)", text)
        assert opening is not None
        assert text.partition("DO ")[2].count(opening[1]) == 2


@pytest.mark.parametrize("name", ["", " ", "a.b.c", "a..b", "a.", 'a"b', "[a", "a\nb", '"a\x00b"', "\u2028"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(TableNameError, match="is not the name of a table"):
        script("postgresql", [name])


@pytest.mark.parametrize("name", ["a b", "x" * 41, "a.b.c", "ação", '"; --"', "shop.versions"])
def test_a_version_table_has_a_simple_name(name: str) -> None:
    with pytest.raises(TableNameError):
        script("sqlite", ["person"], name=name)


def test_a_version_table_may_be_in_another_schema() -> None:
    assert Place.of("postgresql", "shop.versions").part("_now") == '"shop"."versions_now"'
    assert Place.of("sqlserver", "shop.versions").question == "EXEC [shop].[versions_now]"


def test_a_script_for_nothing_is_refused() -> None:
    with pytest.raises(DdlError, match="no tables"):
        script("sqlite", [])
    with pytest.raises(DdlError, match="no tables"):
        script("sqlite", ["wats_accel_versions"])  # it does not watch itself
    with pytest.raises(DdlError, match="SQL Server"):
        script("sqlite", ["person"], method="change-tracking")
    with pytest.raises(TableNameError, match="own file"):
        script("sqlite", ["other.person"])


def test_each_table_is_in_a_script_once() -> None:
    made = script("sqlserver", ["person", "PERSON", "[person]", "hr.person"])
    assert sum("CREATE OR ALTER TRIGGER" in statement for statement in made.statements) == 2


NAMES = {
    "person": "person",
    "dbo.Person": "person",
    "[hr].[O'Neil's]": "o'neil's",
    '"a.b"."c""d"': 'c"d',
    "`x``y`": "x`y",
    "[x]]y]": "x]y",
    " a . b ": "b",
    "not ] one": "not ] one",
    "Über": "über",
}


@pytest.mark.parametrize(("name", "expected"), NAMES.items(), ids=range(len(NAMES)))
def test_names_are_compared_by_their_last_part(name: str, expected: str) -> None:
    assert key(name) == expected


def test_lists_of_names_are_cut_at_commas_outside_of_quotes() -> None:
    assert listed(' a, "b,c".d,[e,f] ,,`g,h`') == ["a", '"b,c".d', "[e,f]", "`g,h`"]
    assert [part.text for part in parts_of('"b,c".d')] == ["b,c", "d"]
