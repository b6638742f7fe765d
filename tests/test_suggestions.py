"""The end of a message names the nearest known name, else the known ones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wats_accel.suggestions import nearest


@pytest.mark.parametrize(
    ("name", "known", "clause"),
    [
        ("conections", ["users", "connections"], "; did you mean 'connections'?"),
        ("connections", ["connections"], "; did you mean 'connections'?"),
        ("xyz", ["users", "groups", "users"], "; known: groups, users"),
        ("xyz", [], ""),
        (
            "xyz",
            [f"n{number:02}" for number in range(12)],
            f"; known: {', '.join(f'n{n:02}' for n in range(12))}",
        ),
        (
            "xyz",
            [f"n{number:02}" for number in range(15)],
            f"; known: {', '.join(f'n{n:02}' for n in range(12))} and 3 more",
        ),
    ],
    ids=["near", "same", "far", "none", "twelve", "many"],
)
def test_the_nearest_name_is_suggested_else_the_known_ones(name: str, known: list[str], clause: str) -> None:
    assert nearest(name, known) == clause


@given(st.text(), st.lists(st.text()))
def test_the_order_of_the_known_names_does_not_matter(name: str, known: list[str]) -> None:
    assert nearest(name, iter(known)) == nearest(name, reversed(known))
