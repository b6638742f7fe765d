"""The corpus: of each statement the analysis tells all that it does, and nothing besides but what may be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import pytest
from corpus_cases import Case, cases
from corpus_variants import RESPELT, Variant, batches, joined, respelt
from truth import Truth, broader, narrower

from wats_accel.sql.facts import Facts
from wats_accel.sql.statement import facts_of

_CASES = [pytest.param(case, id=case.name) for case in cases()]


def _facts(case: Case) -> Facts:
    return facts_of(case.sql, case.dialect, case.columns)


@pytest.mark.parametrize("case", _CASES)
def test_nothing_is_missing(case: Case) -> None:
    assert narrower(_facts(case), case.truth) == []


@pytest.mark.parametrize("case", _CASES)
def test_nothing_is_told_besides(case: Case) -> None:
    assert broader(_facts(case), case.truth, case.may) == []


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in cases() if case.kinds])
def test_the_kinds_are_told(case: Case) -> None:
    assert _facts(case).kinds == case.kinds


_OF_ANY_DIALECT = [
    pytest.param(case, id=case.name)
    for case in cases()
    if case.truth.writes and case.dialect != "mysql" and "#" not in case.sql
]
"""MySQL has quotes and comments of its own, SQL Server tables of the session: those are not asked for."""


@pytest.mark.parametrize("case", _OF_ANY_DIALECT)
def test_who_names_no_dialect_misses_no_write(case: Case) -> None:
    facts = facts_of(case.sql, "", case.columns)
    assert narrower(facts, Truth(writes=case.truth.writes)) == []


@pytest.mark.parametrize("how", RESPELT)
def test_another_spelling_misses_nothing(how: str) -> None:
    assert _narrower(variant for variant, _ in respelt(how)) == []


@pytest.mark.soak
def test_several_statements_miss_nothing(soak: bool) -> None:
    assert _narrower(joined(seed=1, partners=50 if soak else 1)) == []


@pytest.mark.soak
def test_batches_without_semicolons_and_in_blocks_miss_nothing(soak: bool) -> None:
    assert _narrower(batches(seed=2, partners=50 if soak else 1)) == []


def _narrower(variants: Iterable[Variant]) -> list[tuple[str, str, list[str]]]:
    """What the analysis misses; the texts, for who has to mend it."""
    told = []
    for name, sql, dialect, truth in variants:
        missing = narrower(facts_of(sql, dialect), truth)
        if missing:
            told.append((name, sql, missing))
    return told


def test_the_corpus_is_large_enough_to_mean_something() -> None:
    numbers = Counter(case.dialect for case in cases())
    assert sum(numbers.values()) >= 600
    assert numbers["tsql"] >= 300
    assert numbers["postgres"] >= 100
    assert numbers["sqlite"] >= 100


def test_names_of_cases_are_unique() -> None:
    names = Counter(case.name for case in cases())
    assert [name for name, number in names.items() if number > 1] == []
