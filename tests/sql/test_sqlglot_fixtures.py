"""Thousands of statements that others wrote: the analysis is stopped by none, and misses no table of them."""

from __future__ import annotations

import logging
from random import Random

import pytest
from sqlglot import exp, parse
from sqlglot.errors import SqlglotError
from sqlglot_fixtures import NotHereError, Statement, statements
from truth import hides

from wats_accel.sql.access import name_of
from wats_accel.sql.facts import Facts
from wats_accel.sql.statement import DIALECTS, facts_of

SHARE = 1_500


@pytest.fixture(scope="module")
def asked(soak: bool) -> list[Statement]:
    """All in `make soak`, some in `make test`.

    Skipped where the package cannot be had, even in CI: that is the package index's affair, and no part of
    the system that a test could ask for.
    """
    try:
        found = statements()
    except NotHereError as error:
        pytest.skip(str(error))
    return list(found) if soak else Random(30).sample(found, SHARE)


@pytest.mark.soak
def test_nothing_stops_the_analysis(asked: list[Statement], caplog: pytest.LogCaptureFixture) -> None:
    """Not in its own dialect, nor in another; and the host's log is not written to."""
    caplog.set_level(logging.DEBUG)
    for number, (dialect, text) in enumerate(asked):
        for one in {dialect, DIALECTS[number % len(DIALECTS)]}:
            assert isinstance(facts_of(text, one), Facts)
    assert caplog.records == []


@pytest.mark.soak
def test_a_text_cut_anywhere_stops_nothing(asked: list[Statement]) -> None:
    random = Random(31)
    for dialect, text in asked:
        start, end = sorted(random.randint(0, len(text)) for _ in range(2))
        facts_of(text[start:end], dialect)
        facts_of(text[:start] + text[end:], dialect)


@pytest.mark.soak
def test_every_table_that_the_library_finds_is_told_or_told_to_be_unknown(asked: list[Statement]) -> None:
    missing = []
    for dialect, text in asked:
        if dialect in DIALECTS:
            names = _untold(facts_of(text, dialect), _tables(dialect, text))
            missing += [(dialect, text, names)] if names else []
    assert missing == []


def _tables(dialect: str, text: str) -> set[str]:
    """Names of tables in whole statements; those of CTEs, and of what is made just now, are left out."""
    try:
        trees = [tree for tree in parse(text, read=dialect) if tree is not None]
    except (SqlglotError, RecursionError):
        return set()
    if not all(isinstance(tree, exp.Query | exp.DML) for tree in trees):
        return set()
    names = {name_of(table.name) for tree in trees for table in tree.find_all(exp.Table) if _is_plain(table)}
    # A name that is an alias elsewhere may be just that: UPDATE a SET … FROM t AS a.
    aliases = {name_of(one.alias) for tree in trees for one in tree.find_all(exp.CTE, exp.Table)}
    return names - aliases - {"", "dual"}


def _is_plain(table: exp.Table) -> bool:
    """Whether it is no table of the session, no variable, and not the name of an index."""
    name = table.this
    if not isinstance(name, exp.Identifier) or name.args.get("temporary") or table.arg_key == "indexed":
        return False
    into = table.parent
    return not (isinstance(into, exp.Into) and into.args.get("temporary"))


def _untold(facts: Facts, tables: set[str]) -> list[str]:
    if hides(facts, "reads") or hides(facts, "writes"):
        return []
    calls = {call.name for call in facts.calls}
    return sorted(tables - {*facts.reads, *(write.table for write in facts.writes), *calls})
