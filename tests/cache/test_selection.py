from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import Enum
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wats_accel.cache.selection import EVERYTHING, AnyOf, GlobOf, bound_text, loose_texts, select
from wats_accel.cache.texts import argument_text, match_text
from wats_accel.patterns import KeyPattern

GUID = UUID("0a1b2c3d-0000-4000-8000-00000000abcd")


class Colour(Enum):
    RED = 7


def selection(pattern, values=None):
    return select(KeyPattern.parse(pattern), values or {})


def texts(*arguments):
    return tuple(map(argument_text, arguments))


@pytest.mark.parametrize("pattern", ["ns:*", "ns:get", "ns:get:*", "ns:get:*:*", "ns:get:{unknown}", "*"])
def test_a_pattern_without_conditions_selects_everything(pattern):
    assert selection(pattern) == EVERYTHING
    assert EVERYTHING.matches(())
    assert EVERYTHING.matches(("a",))
    assert EVERYTHING.exact is None


@pytest.mark.parametrize(
    ("pattern", "values", "arguments", "selected"),
    [
        ("ns:get:7", {}, (7,), True),
        ("ns:get:7", {}, ("7",), True),
        ("ns:get:7", {}, (8,), False),
        ("ns:get:{id}", {"id": 7}, (7,), True),
        ("ns:get:{id}", {"id": "7"}, (7,), True),
        ("ns:get:{id}", {"id": Decimal("7.0")}, (7,), True),
        ("ns:get:{id}", {"id": Colour.RED}, (7,), True),
        ("ns:get:{id}", {"id": 7}, (8,), False),
        ("ns:get:{id}", {"id": [7, 8]}, (8,), True),
        ("ns:get:{id}", {"id": [7, 8]}, ([7, 8],), True),
        ("ns:get:{id}", {"id": [7, 8]}, (9,), False),
        ("ns:get:{id}", {"id": []}, (9,), False),
        ("ns:get:{id}", {"id": "78"}, (7,), False),
        ("ns:get:{id}", {"id": b"7"}, (8,), False),
        ("ns:get:{id}", {"id": None}, (8,), True),
        ("ns:get:{id}", {"id": iter([7])}, (8,), True),
        ("ns:get:{id}", {"id": object()}, (8,), True),
        ("ns:get:{id}", {"id": {"id": 7}}, (7,), True),
        ("ns:get:{id}", {"id": [{"id": 7}]}, (8,), False),
        ("ns:get:{id}", {"id": 7}, ([7, 8],), True),
        ("ns:get:{id}", {"id": 7}, (None,), True),
        ("ns:get:a*", {}, (["b"],), True),
        ("ns:get:{id}", {"id": GUID}, (str(GUID).upper(),), True),
        ("ns:get:{id}", {"id": GUID.hex}, (GUID,), True),
        ("ns:get:{id}", {"id": datetime(2026, 11, 22)}, ("2026-11-22 00:00:00",), True),
        ("ns:get:{id}", {}, (8,), True),
        ("ns:get:*:{id}", {"id": 7}, (1, 7), True),
        ("ns:get:*:{id}", {"id": 7}, (7, 1), False),
        ("ns:get:*:{id}", {"id": 7}, (1,), True),
        ("ns:get:a*", {}, ("abc",), True),
        ("ns:get:a*", {}, ("bc",), False),
        ("ns:get:a*", {}, (), True),
        ("ns:get:a*:{id}", {"id": 7}, ("abc", 7), True),
        ("ns:get:a*:{id}", {"id": 7}, ("abc", 8), False),
    ],
)
def test_what_is_selected(pattern, values, arguments, selected):
    assert selection(pattern, values).matches(texts(*arguments)) is selected


@pytest.mark.parametrize("pattern", ["ns:get:ANN", "ns:get:{name}", "ns:get:AN*"])
def test_case_never_keeps_an_entry_alive(pattern):
    assert selection(pattern, {"name": "aNN"}).matches(texts("Ann"))


def test_the_first_exact_condition_can_be_indexed():
    assert selection("ns:get:a*:1:2").exact == AnyOf(1, frozenset({"1"}))
    assert selection("ns:get:a*").conditions == (GlobOf(0, "a*"),)
    assert selection("ns:get:a*").exact is None


scalars = (
    st.integers()
    | st.text()
    | st.booleans()
    | st.floats(allow_nan=False)
    | st.decimals(allow_nan=False, allow_infinity=False)
)


@given(scalars)
def test_a_scalar_selects_itself_as_it_is_and_as_text(value):
    found = loose_texts(value)
    assert found is not None
    assert match_text(value, fold=True) in found
    if not isinstance(value, str):
        assert match_text(str(value), fold=True) in found


@given(st.lists(scalars) | st.sets(scalars.filter(lambda value: value == value)))
def test_a_collection_selects_each_of_its_members(values):
    found = loose_texts(values)
    assert found is not None
    assert all(match_text(value, fold=True) in found for value in values)


class Hostile(list):
    def __iter__(self):
        raise RuntimeError


def test_a_collection_that_cannot_be_read_selects_anything():
    assert loose_texts(Hostile([1])) is None


@pytest.mark.parametrize(
    ("pattern", "values", "shown"),
    [
        ("ns:get:{id}", {"id": 7}, "ns:get:7"),
        ("ns:get:{id}:{self.name}", {"id": "a"}, "ns:get:a:*"),
        ("ns:get:{id}", {"id": None}, "ns:get:*"),
        ("ns:get:1:*", {}, "ns:get:1:*"),
    ],
)
def test_a_bound_pattern_is_shown_as_it_was_bound(pattern, values, shown):
    assert bound_text(KeyPattern.parse(pattern), values) == shown
