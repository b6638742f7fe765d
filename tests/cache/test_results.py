from __future__ import annotations

from collections import namedtuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wats_accel.cache.results import same_result

Pair = namedtuple("Pair", "left right")

SAME = [
    (None, None),
    (False, False),
    (0, 0),
    ("a", "a"),
    (1.5, 1.5),
    ((None, False), [None, False]),
    ([None, False], [None, False]),
    ((None, [1]), [None, [1]]),
    ((1,), (1,)),
    ({"a": (1,)}, {"a": [1]}),
    ([], []),
    ((), []),
    ({}, {}),
]

DIFFERENT = [
    (None, False),
    (False, 0),
    (0, False),
    (1, True),
    (1, 1.0),
    ("1", 1),
    ((None, 0), [None, False]),
    ((None,), [None, False]),
    ((None, False, None), [None, False]),
    ([1], (1,)),
    (Pair(None, False), [None, False]),
    ({"a": 1}, {"a": True}),
    ({1: "a"}, {True: "a"}),
    ({"a": 1}, {"a": 1, "b": 2}),
    ({}, []),
    (set(), []),
    (float("nan"), float("nan")),
]


@pytest.mark.parametrize(("result", "literal"), SAME, ids=str)
def test_a_result_is_what_its_literal_spells(result, literal):
    assert same_result(result, literal)


@pytest.mark.parametrize(("result", "literal"), DIFFERENT, ids=str)
def test_a_result_is_not_what_another_literal_spells(result, literal):
    assert not same_result(result, literal)


scalars = st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False)
literals = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)


@given(literals)
def test_every_literal_spells_itself(literal):
    assert same_result(literal, literal)


@given(literals, literals)
def test_what_is_the_same_is_equal(one, other):
    if same_result(one, other):
        assert one == other
