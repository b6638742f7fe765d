"""How a text is cut into tokens, by the database that it is meant for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wats_accel.sql.reading.lexer import UnreadableError, readings_of
from wats_accel.sql.statement import DIALECTS
from wats_accel.sql_tokens import families_of


def _tokens(sql: str, dialect: str) -> list[tuple[str, str]]:
    (only,) = readings_of(sql, dialect)
    return [(token.kind, token.text) for token in only]


@pytest.mark.parametrize(
    ("sql", "dialect", "tokens"),
    [
        ("[a]]b]", "tsql", [("name", "a]b")]),
        ('"a""b"', "postgres", [("name", 'a"b')]),
        ("`a``b`", "mysql", [("name", "a`b")]),
        ("a[1]", "postgres", [("word", "a"), ("sign", "["), ("number", "1"), ("sign", "]")]),
        ("N'it''s'", "tsql", [("literal", "it's")]),
        ("E'a\\'b'", "postgres", [("literal", "a\\'b")]),
        ("$x$ ; $x$", "postgres", [("literal", " ; ")]),
        ("#t ##u a#b", "tsql", [("word", "#t"), ("word", "##u"), ("word", "a#b")]),
        ("a#b", "postgres", [("word", "a"), ("sign", "#"), ("word", "b")]),
        ("@x @@y", "tsql", [("variable", "@x"), ("variable", "@@y")]),
        (
            "? ?1 :n $1 %s %(n)s",
            "sqlite",
            [("parameter", each) for each in ("?", "?1", ":n", "$1", "%s", "%(n)s")],
        ),
        ("a::int", "postgres", [("word", "a"), ("sign", "::"), ("word", "int")]),
        ("1.5e3 .5 0x1f", "tsql", [("number", "1.5e3"), ("number", ".5"), ("number", "0x1f")]),
        ("a -- b\nc /* d */ e", "tsql", [("word", "a"), ("word", "c"), ("word", "e")]),
        ("a # b\nc", "mysql", [("word", "a"), ("word", "c")]),
        ("a /*! b */", "mysql", [("word", "a"), ("word", "b")]),
    ],
)
def test_each_database_has_its_quotes_and_comments(sql, dialect, tokens) -> None:
    assert _tokens(sql, dialect) == tokens


def test_the_first_token_of_a_line_is_known() -> None:
    (tokens,) = readings_of("a b -- c\n/* d\n */ e f", "tsql")
    assert [token.fresh_line for token in tokens] == [True, False, True, False]


def test_whether_something_stands_between_two_tokens_is_known() -> None:
    (tokens,) = readings_of("a<=b /**/ -c", "tsql")
    assert [token.spaced for token in tokens[1:]] == [False, False, False, True, False]


def test_a_text_is_read_in_several_ways_only_where_they_differ() -> None:
    assert len(list(readings_of("SELECT 1 -- the same to all", ""))) == 1
    assert len(list(readings_of("SELECT 'a\\'; DELETE FROM t; --'", ""))) > 1
    assert len(families_of("SELECT 1", "")) == 1
    assert len(families_of("SELECT 1 # x", "tsql")) == 1


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("sql", ["'", '"', "/*", "SELECT 'x"])
def test_what_never_ends_cannot_be_read(sql, dialect) -> None:
    with pytest.raises(UnreadableError):
        list(readings_of(sql, dialect))


@given(st.text(max_size=80), st.sampled_from(DIALECTS))
def test_any_text_is_cut_or_unreadable(text, dialect) -> None:
    try:
        found = list(readings_of(text, dialect))
    except UnreadableError:
        return
    assert found
