"""The SQL library's opinion: what it finds besides is added, and literals never get to it."""

from __future__ import annotations

import pytest

from wats_accel.sql import second_opinion
from wats_accel.sql.reading.findings import Findings
from wats_accel.sql.reading.lexer import readings_of
from wats_accel.sql.reading.statements import read_statements
from wats_accel.sql.second_opinion import add_second_opinion
from wats_accel.sql.statement import facts_of


def _blind(sql: str) -> Findings:
    """What a reader would find that sees neither tables nor columns."""
    findings = Findings()
    findings.queries = [next(readings_of(sql, "tsql"))]
    return findings


def test_a_table_that_our_reader_has_missed_is_added_with_all_its_columns() -> None:
    findings = _blind("SELECT a FROM dbo.Missed m JOIN Other ON Other.id = m.id")
    add_second_opinion(findings, "tsql")
    assert str(findings.facts().reads) == "missed(*), other(*)"


def test_a_column_that_our_reader_has_missed_is_added_to_every_table() -> None:
    findings = next(iter([read_statements(next(readings_of("SELECT a FROM t, u", "tsql")), "tsql", {})]))
    findings.queries = [next(readings_of("SELECT a, missed FROM t, u", "tsql"))]
    add_second_opinion(findings, "tsql")
    assert str(findings.facts().reads) == "t(a, missed), u(a, missed)"


@pytest.mark.parametrize(
    "sql",
    ["INSERT INTO missed (a) VALUES (1)", "UPDATE missed SET a = 1", "DELETE FROM missed WHERE a = 1"],
)
def test_a_change_that_our_reader_has_missed_is_added(sql) -> None:
    findings = _blind(sql)
    add_second_opinion(findings, "tsql")
    assert [(write.table, write.event) for write in findings.facts().writes] == [("missed", "any")]


@pytest.mark.parametrize(
    ("sql", "dialect", "parsed"),
    [
        ("SELECT a FROM t", "tsql", True),
        ("DECLARE @x INT SELECT a FROM t WHERE b = @x UPDATE t SET a = 1", "tsql", True),
        ("UPDATE OR IGNORE t SET a = 1", "sqlite", False),
        ("INSERT INTO t EXEC dbo.p", "tsql", False),
        ("nonsense and more of it", "postgres", False),
    ],
)
def test_it_is_told_whether_the_library_has_read_all_of_it(sql, dialect, parsed) -> None:
    assert facts_of(sql, dialect).parsed is parsed


@pytest.mark.parametrize("dialect", ["tsql", "postgres", "sqlite", "mysql", "oracle", ""])
def test_the_library_is_given_neither_literals_nor_comments_nor_numbers(dialect, monkeypatch) -> None:
    given = []
    trees = second_opinion._trees
    monkeypatch.setattr(second_opinion, "_trees", lambda text, of: given.append(text) or trees(text, of))
    facts_of(f"SELECT a /* s3cret */ FROM t WHERE b = 's3cret' AND c = 4711 -- s3cret {dialect}", dialect)
    assert given
    assert not any("s3cret" in text or "4711" in text for text in given)


@pytest.mark.parametrize(
    ("dialect", "sql"),
    [
        ("tsql", "SELECT [a b].[c]]d] FROM [dbo].[a b]"),
        ("mysql", "SELECT `a b`.`c``d` FROM `a b`"),
        ("postgres", 'SELECT "a b"."c""d" FROM "a b"'),
        ("sqlite", "SELECT [a b].`c d` FROM [a b]"),
    ],
)
def test_quoted_names_mean_the_same_to_the_library(dialect, sql) -> None:
    facts = facts_of(sql, dialect)
    assert facts.parsed
    assert list(facts.reads) == ["a b"]
    assert len(facts.reads.columns("a b")) == 1
