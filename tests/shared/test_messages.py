"""Messages: what is read means at least what was written, and whatever else comes means everything."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wats_accel.cache.selection import EVERYTHING, AnyOf, GlobOf, Selection
from wats_accel.patterns import KeyPattern
from wats_accel.shared.messages import ANYTHING, Message, read, written

TEXTS = st.text(max_size=5)
CONDITIONS = st.one_of(
    st.builds(AnyOf, st.integers(0, 3), st.frozensets(TEXTS, max_size=3)),
    st.builds(GlobOf, st.integers(0, 3), st.sampled_from(["*", "a*"])),
)
PATTERNS = st.sampled_from(["users:*", "*", "users:get:{id}", "us*:get*", "groups:all"]).map(KeyPattern.parse)
DROPS = st.lists(st.tuples(PATTERNS, st.lists(CONDITIONS, max_size=2).map(tuple).map(Selection)), max_size=3)
TABLES = st.none() | st.dictionaries(TEXTS, st.lists(TEXTS, max_size=2), max_size=2)


@given(DROPS, TABLES, st.booleans(), st.lists(st.none() | TEXTS, max_size=3).map(tuple))
def test_what_is_read_means_all_that_was_written(
    drops: list[tuple[KeyPattern, Selection]],
    tables: dict[str, list[str]] | None,
    with_arguments: bool,
    texts: tuple[str | None, ...],
) -> None:
    message = read(written(Message(tuple(drops), tables), with_arguments=with_arguments))
    assert message.tables == tables
    assert not message.everything
    for pattern, selection in drops:
        for namespace, method in (("users", "get"), ("users", "all"), ("groups", "all")):
            if pattern.names(namespace, method) and selection.matches(texts):
                assert any(
                    told.names(namespace, method) and bound.matches(texts) for told, bound in message.drops
                )


def test_with_arguments_no_more_is_meant_than_was() -> None:
    pattern, selection = KeyPattern.parse("users:get:7"), Selection((AnyOf(0, frozenset({"7"})),))
    ((told, bound),) = read(written(Message(((pattern, selection),)), with_arguments=True)).drops
    assert ((told.namespace, told.method), bound) == (("users", "get"), selection)


def test_without_arguments_none_is_written() -> None:
    pattern, selection = KeyPattern.parse("users:get:{id}"), Selection((AnyOf(0, frozenset({"carol"})),))
    text = written(Message(((pattern, selection),)), with_arguments=False)
    assert b"carol" not in text
    assert read(text).drops[0][1] == EVERYTHING


def test_everything_stays_everything() -> None:
    assert read(written(ANYTHING, with_arguments=True)) == ANYTHING


@given(st.binary(max_size=60))
def test_any_bytes_mean_everything(text: bytes) -> None:
    assert read(text) == ANYTHING


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"format": 2, "drops": [], "tables": None, "everything": False},
        {"format": 1, "drops": [["users"]], "tables": None, "everything": False},
        {"format": 1, "drops": [["users", "get", [["x", ["1"]]]]], "tables": None, "everything": False},
        {"format": 1, "drops": [["us:ers", "", []]], "tables": None, "everything": False},
        {"format": 1, "drops": 7, "tables": None, "everything": False},
        {"format": 1, "drops": [], "tables": [], "everything": False},
        {"format": 1, "drops": [], "tables": None, "everything": 0},
    ],
)
def test_what_is_malformed_means_everything(told: object) -> None:
    assert read(json.dumps(told).encode()) == ANYTHING


def test_what_is_too_long_means_everything() -> None:
    assert read(b'{"format": 1}' + b" " * (1 << 21)) == ANYTHING
