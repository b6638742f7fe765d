"""SQL with named parameters, in the words of each style that a driver may have."""

from __future__ import annotations

import sqlite3
import sys
from types import ModuleType

import pytest

from wats_accel.wrappers.named_parameters import NamedSql, paramstyle_of


@pytest.mark.parametrize(
    ("style", "sql", "parameters"),
    [
        ("qmark", "a = ? AND b < ? OR a > ?", (1, 2, 1)),
        ("numeric", "a = :1 AND b < :2 OR a > :3", (1, 2, 1)),
        ("format", "a = %s AND b < %s OR a > %s", (1, 2, 1)),
        ("named", "a = :x AND b < :y OR a > :x", {"x": 1, "y": 2}),
        ("pyformat", "a = %(x)s AND b < %(y)s OR a > %(x)s", {"x": 1, "y": 2}),
    ],
)
def test_a_parameter_is_written_as_the_driver_wants_it(style: str, sql: str, parameters: object) -> None:
    written = NamedSql("a = :x AND b < :y OR a > :x").written_for(style, {"x": 1, "y": 2, "z": 3})
    assert written == (sql, parameters)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT ':x' FROM t",
        "SELECT 'it''s :x' FROM t",
        'SELECT ":x" FROM t',
        "SELECT `:x`, [:x] FROM t",
        "SELECT 1 -- :x",
        "SELECT 1 /* :x\n:x */",
        "SELECT $$ :x $$, $tag$ :x $$ :x $tag$",
        "SELECT a::x, a::date::x",
        "SELECT a:x FROM t",
        "SELECT 1 : 2",
        "SET @a := 1",
        "SELECT 10 %: 3",
    ],
)
def test_a_colon_that_begins_no_name_is_left_alone(text: str) -> None:
    sql = NamedSql(text)
    assert sql.names == []
    assert sql.written_for("pyformat", {}) == (text, {})


def test_a_name_is_found_next_to_all_of_that() -> None:
    sql = NamedSql("SELECT ':a', \"b\"::date, [c:d] -- :e\nFROM t WHERE x=:x/*:f*/AND y>:größe")
    assert sql.names == ["x", "größe"]
    written, parameters = sql.written_for("qmark", {"x": 1, "größe": 2})
    assert written == "SELECT ':a', \"b\"::date, [c:d] -- :e\nFROM t WHERE x=?/*:f*/AND y>?"
    assert parameters == (1, 2)


@pytest.mark.parametrize("style", ["format", "pyformat"])
def test_a_percent_sign_is_escaped_where_the_driver_looks_for_it(style: str) -> None:
    with_parameter, _ = NamedSql("SELECT 1 % 2, '5%' WHERE a = :a LIKE 'b%'").written_for(style, {"a": 1})
    assert with_parameter.replace("%(a)s", "%s") == "SELECT 1 %% 2, '5%%' WHERE a = %s LIKE 'b%%'"
    assert NamedSql("SELECT 1 % 2").written_for(style, {})[0] == "SELECT 1 % 2"


@pytest.mark.parametrize("style", ["qmark", "numeric", "named"])
def test_elsewhere_it_is_left_alone(style: str) -> None:
    assert NamedSql("SELECT 1 % :a").written_for(style, {"a": 1})[0].startswith("SELECT 1 % ")


# -- the style of a driver ----------------------------------------------------------------------------------


def cursor_of(module: str, base: type = object) -> object:
    return type("Cursor", (base,), {"__module__": module})()


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A driver whose cursors are in a module below its main one."""
    main = ModuleType("example_driver")
    main.paramstyle = "format"  # type: ignore[attr-defined] # as PEP 249 has it
    monkeypatch.setitem(sys.modules, "example_driver", main)
    monkeypatch.setitem(sys.modules, "example_driver.cursors", ModuleType("example_driver.cursors"))
    return main


def test_the_style_is_that_of_the_cursors_module() -> None:
    assert paramstyle_of(sqlite3.connect(":memory:").cursor()) == sqlite3.paramstyle == "qmark"


@pytest.mark.usefixtures("driver")
def test_it_may_stand_in_a_module_further_up() -> None:
    assert paramstyle_of(cursor_of("example_driver.cursors")) == "format"


@pytest.mark.usefixtures("driver")
def test_a_class_of_the_applications_own_has_the_style_of_its_base() -> None:
    base = type(cursor_of("example_driver.cursors"))
    assert paramstyle_of(cursor_of("application.database", base)) == "format"


@pytest.mark.parametrize("given", [None, "own", 3], ids=repr)
def test_what_cannot_be_told_counts_as_question_marks(driver: ModuleType, given: object) -> None:
    driver.paramstyle = given  # type: ignore[attr-defined] # as above
    assert paramstyle_of(cursor_of("example_driver.cursors")) == "qmark"
    assert paramstyle_of(cursor_of("nowhere")) == "qmark"
