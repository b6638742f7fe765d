"""Whatever a text is: nothing is raised, nothing of it gets out, and what cannot be read is unknown."""

from __future__ import annotations

import logging

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from wats_accel.sql.facts import Facts
from wats_accel.sql.reading.lexer import readings_of
from wats_accel.sql.reading.words import OPERATORS, RESERVED, SOFT_CLAUSES, TSQL_VERBS
from wats_accel.sql.statement import DIALECTS, LONGEST, facts_of

_WORDS = sorted(RESERVED | OPERATORS | SOFT_CLAUSES | TSQL_VERBS)
_SIGNS = ["(", ")", ",", ".", ";", "*", "=", "::", "[", "]", "{", "}", "?", ":x", "@x", "@@error", "#t", "<"]
_OTHERS = ["a", "t", "'x'", '"q"', "[q]", "`q`", "1", "--\n", "/* */", "GO\n", "now()", "sp_x", "$$x$$"]
soups = st.lists(st.sampled_from(_WORDS + _SIGNS + _OTHERS), max_size=40).map(" ".join)


def _hides_all(facts: Facts) -> bool:
    return any(unknown.hides == "both" for unknown in facts.unknowns)


@settings(max_examples=400, deadline=None)
@given(soups, st.sampled_from(DIALECTS))
@example("WITH", "tsql")
@example("SELECT * FROM (", "tsql")
@example("INSERT INTO", "sqlite")
@example("MERGE", "")
@example("UPDATE t SET", "postgres")
@example("DECLARE", "tsql")
@example("PRAGMA", "sqlite")
@example("EXPLAIN", "postgres")
@example("{", "mysql")
def test_no_soup_of_words_and_signs_is_raised_at(text, dialect) -> None:
    assert isinstance(facts_of(text, dialect), Facts)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60), st.sampled_from((*DIALECTS, "klingon")))
def test_no_text_is_raised_at(text, dialect) -> None:
    assert isinstance(facts_of(text, dialect), Facts)


@settings(max_examples=200, deadline=None)
@given(soups, st.sampled_from(DIALECTS))
def test_whatever_stands_before_a_statement_it_is_told_or_unknown(before, dialect) -> None:
    """Unless it is inside a comment or literal, or a definition's body, or is not run at all."""
    facts = facts_of(f"{before}\n;\nDELETE FROM gone WHERE x = 1", dialect)
    if any(word in before for word in ("CREATE", "ALTER", "DECLARE", "BEGIN", "(", "--", "'", "#")):
        return
    assert _hides_all(facts) or any(write.table == "gone" for write in facts.writes)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    "text",
    [
        pytest.param("SELECT " + "(" * 3_000 + "1" + ")" * 3_000, id="parentheses"),
        pytest.param("SELECT " + "(SELECT " * 2_000 + "1" + ")" * 2_000, id="subqueries"),
        pytest.param(
            "WITH " + ", ".join(f"c{n} AS (SELECT 1)" for n in range(1_000)) + " SELECT 1", id="ctes"
        ),
        pytest.param("SELECT '" + "x" * LONGEST + "'", id="length"),
        pytest.param("SELECT 'it never ends", id="literal"),
        pytest.param("SELECT /* it never ends", id="comment"),
        pytest.param("colourless green ideas sleep furiously; furiously", id="nonsense"),
        pytest.param("SELECT * FROM {name}", id="braces"),
    ],
)
def test_what_cannot_be_read_may_do_anything(text, dialect) -> None:
    assert _hides_all(facts_of(text, dialect))


def test_nothing_of_a_text_gets_into_what_is_told_of_it() -> None:
    text = "SELECT a FROM t WHERE b = 'hunter2' AND c = 4711; EXEC ('hunter2'); hunter2 hunter2"
    facts = facts_of(text, "postgres")
    assert "hunter2" not in repr(facts.unknowns)
    assert "4711" not in repr(facts)


def test_tokens_do_not_show_what_they_say() -> None:
    tokens = next(readings_of("SELECT 'hunter2', 4711", "tsql"))
    assert "hunter2" not in repr(tokens)
    assert "4711" not in repr(tokens)


@pytest.mark.parametrize(
    "text",
    [
        "ALTER TABLE t ADD COLUMN a INT",
        "SHOW secrets",
        "SELECT a[1] FROM t",
        "SELECT json_extract(a, '$[bad') FROM t",
        "CREATE TRIGGER g AFTER INSERT ON t BEGIN DELETE FROM u; END",
        "EXEC sp_x 'secret'",
        "GRANT SELECT ON t TO u",
    ],
)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_nothing_is_written_to_the_host_s_log(text, dialect, caplog, capsys) -> None:
    caplog.set_level(logging.DEBUG)
    facts_of(text, dialect)
    assert caplog.records == []
    assert capsys.readouterr() == ("", "")


def test_no_logger_is_configured() -> None:
    facts_of("SELECT logged FROM t", "tsql")
    logger = logging.getLogger("sqlglot")
    assert (logger.level, logger.handlers, logger.filters, logger.disabled) == (logging.NOTSET, [], [], False)
