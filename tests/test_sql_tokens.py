"""How a text of SQL is cut into statements, and that no database would cut it in yet another way."""

from __future__ import annotations

import contextlib
import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wats_accel.pool.statements import TRANSACTION, effect_of
from wats_accel.sql_tokens import Statement, readings


def _only_reading(sql: str) -> tuple[Statement, ...]:
    found = {reading.statements for reading in readings(sql)}
    assert len(found) == 1
    assert all(reading.whole for reading in readings(sql))
    return found.pop()


def _readings(sql: str) -> set[str]:
    """Every reading, its statements parted by semicolons; with three dots behind it if it is not whole."""
    return {
        "; ".join(" ".join(statement) for statement in reading.statements) + ("" if reading.whole else " ...")
        for reading in readings(sql)
    }


@pytest.mark.parametrize(
    ("sql", "statements"),
    [
        ("", ()),
        (" ;; ", ()),
        ("select a.b,c", (("SELECT", "A", ".", "B", ",", "C"),)),
        ("select 1; select 2;", (("SELECT", "1"), ("SELECT", "2"))),
        ("x='it''s' and n'y'", (("X", "=", "'", "AND", "N", "'"),)),
        ("'a' 'b'", (("'", "'"),)),
        ('"my ""big"" table"."use"', (('"MY_""BIG""_TABLE', ".", '"USE'),)),
        ("`a``b` [c d]", (('"A``B', '"C_D'),)),
        ("@id @@identity :name ?", (("@ID", "@@IDENTITY", ":", "NAME", "?"),)),
        (
            "1 1.5 1. .5 1e5 1.5e-3 0x1f 1a",
            (("1", "1.5", "1.", ".", "5", "1E5", "1.5E-3", "0X1F", "1", "A"),),
        ),
        ("1 -- one; 'two\n2", (("1", "2"),)),
        ("1 /* one; 'two */ 2", (("1", "2"),)),
        ("a /**/ - /***/ b", (("A", "-", "B"),)),
        ("e'\\'' E'''\\\\'", (("E", "'", "E", "'"),)),
        ("like'x' e_'y'", (("LIKE", "'", "E_", "'"),)),
        ("q'[']' Nq'{'}' q'('' )' q'<'>' q'!'x'!'", (("Q", "'", "NQ", "'", "Q", "'", "Q", "'", "Q", "'"),)),
        ("$$ ' $$ $t$ $$ ' $T$ $t$ $1", (("'", "'", "$", "1"),)),
        ("a$b$c $5.00 $", (("A$B$C", "$", "5.00", "$"),)),
        ("a::int[] b[1:2]", (("A", ":", ":", "INT", '"', "B", '"1:2'),)),
        ("ação 'ß'", (("AÇÃO", "'"),)),
    ],
    ids=repr,
)
def test_where_all_databases_agree_there_is_one_reading(sql: str, statements: tuple[Statement, ...]) -> None:
    assert _only_reading(sql) == statements


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("'a\\' b", {"' B", " ..."}),
        ("'a\\'' b '", {"'", "' B ..."}),
        ('"a\\" b', {'"A\\ B', " ..."}),
        ("1--2\n3", {"1 3", "1 - - 2 3"}),
        ("1 -- 2\r3\n4", {"1 3 4", "1 4"}),
        ("a /* /* */ b", {"A B", "A ..."}),
        ("a /*! b */ c */", {"A C * /", "A B C"}),
        ("a #b\nc", {"A # B C", "A #B C", "A C"}),
        ("a#b\nc", {"A # B C", "A#B C", "A C"}),
        ("[it's]", {"\"IT'S", "[ IT ..."}),
        ("[a]]b]", {'"A ] B ]', '"A]]B'}),
        ("[f('x')]", {"\"F('X')", "[ F ( ' ) ]"}),
    ],
    ids=lambda value: repr(sorted(value) if isinstance(value, set) else value),
)
def test_where_they_do_not_each_reading_is_there(sql: str, expected: set[str]) -> None:
    assert _readings(sql) == expected


@pytest.mark.parametrize(
    "sql", ["1 '", '1 "a', "1 `a", "1 $$ a", "1 $a$ $A$", "1 /* a", "1 q'[a]", "1 e'\\'", "1 q'"], ids=repr
)
def test_what_never_ends_is_not_read(sql: str) -> None:
    assert all(not reading.whole and reading.statements[0][0] == "1" for reading in readings(sql))


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("create trigger r begin a; b; end; c", "CREATE TRIGGER R; C"),
        ("create or replace temp trigger r begin a; end c", "CREATE OR REPLACE TEMP TRIGGER R C"),
        ("create trigger r begin case when 1 then 2 end; end; c", "CREATE TRIGGER R; C"),
        ("create function f begin begin a; end; b; end; c", "CREATE FUNCTION F; C"),
        ("create trigger r begin a; case b end", "CREATE TRIGGER R ..."),
        ("create table trigger begin a; b", "CREATE TABLE TRIGGER BEGIN A; B"),
        ("create table t; begin; a; end", "CREATE TABLE T; BEGIN; A; END"),
        ("drop trigger r begin a; b", "DROP TRIGGER R BEGIN A; B"),
        ("create begin a; b", "CREATE BEGIN A; B"),
        ("begin a; end", "BEGIN A; END"),
    ],
)
def test_bodies_are_left_out_and_nothing_else(sql: str, expected: str) -> None:
    assert _readings(sql) == {expected}


# -- against a database ----------------------------------------------------------------------------------

_LEAVING = st.sampled_from(
    ["PRAGMA foreign_keys=1", "CREATE TEMP TABLE u (a)", "CREATE TABLE temp.u (a)", "ATTACH ':memory:' AS z"]
)
_OBSCURING = st.lists(
    st.sampled_from([
        "'", '"', "`", "[", "]", "\\", "/*", "*/", "/*!", "--", "#", ";", "$a$", "q'[", "E'", "e'a\\'",
        "@x", ":=", ".", "(", ")", "'a'", " ", "\n", "\r", "x", "END", "BEGIN", "CASE", "EXPLAIN ",
        "SELECT 1", "SELECT '", "CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT 1;",
    ]),
    max_size=6,
).map("".join)  # fmt: skip


def _leaves_something(sql: str) -> bool:
    """Whether SQLite's session is another one after a script and a rollback."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    with contextlib.closing(connection), contextlib.suppress(sqlite3.Error):
        connection.execute("CREATE TABLE t (a)")
        with contextlib.suppress(sqlite3.Error, ValueError):
            connection.executescript(sql)
        connection.rollback()
        names = {name for _, name, _ in connection.execute("PRAGMA database_list")}
        temporary = connection.execute("SELECT COUNT(*) FROM sqlite_temp_master").fetchone()[0]
        keys = connection.execute("PRAGMA foreign_keys").fetchone()[0]
        return bool(temporary or keys or "z" in names)
    return False


@given(_OBSCURING, st.sampled_from(["", ";", "\n;"]), _LEAVING, st.sampled_from(["", ";", "\n;"]), _OBSCURING)
def test_what_left_something_in_sqlite_was_seen(
    before: str, end: str, leaving: str, next_end: str, after: str
) -> None:
    sql = f"{before}{end}{leaving}{next_end}{after}"
    if _leaves_something(sql):
        assert effect_of(sql).taint not in (None, TRANSACTION)
