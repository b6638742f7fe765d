"""Tables and columns, and whether what one statement changes concerns what another has read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wats_accel.sql.access import ANY, ANY_COLUMN, NO_COLUMN, NOTHING, Changes, Reads, access, union

USERS = access({"Users": ["Id", "Name"]})

names = st.sampled_from(["a", "b", "c"])
accesses = st.dictionaries(names, st.sets(st.sampled_from(["x", "y", ANY]))).map(access)


def test_names_are_compared_without_regard_to_case() -> None:
    assert access({"USERS": ["ID", "name"]}) == USERS
    assert hash(USERS) == hash(access({"users": ["name", "id"]}))


def test_a_table_of_which_any_column_is_used_needs_no_other() -> None:
    assert access({"t": ["a", ANY]}).columns("t") == ANY_COLUMN


def test_rows_only_are_a_table_without_columns() -> None:
    rows = access({"t": []})
    assert "t" in rows
    assert rows.columns("t") == NO_COLUMN
    assert bool(rows)
    assert not NOTHING


def test_a_union_has_all_columns_of_all_tables() -> None:
    both = access({"t": ["a"], "u": []}) | access({"t": ["b"], "v": [ANY]})
    assert str(both) == "t(a, b), u(), v(*)"


@pytest.mark.parametrize(
    ("changed", "read", "concerned"),
    [
        pytest.param({"t": ["a"]}, {"t": ["a", "b"]}, True, id="a-column-of-both"),
        pytest.param({"t": ["c"]}, {"t": ["a", "b"]}, False, id="other-columns"),
        pytest.param({"u": ["a"]}, {"t": ["a"]}, False, id="another-table"),
        pytest.param({"t": ["a"]}, {"t": [ANY]}, True, id="any-is-read"),
        pytest.param({"t": [ANY]}, {"t": ["a"]}, True, id="any-is-changed"),
        pytest.param({"t": [ANY]}, {"t": []}, True, id="rows-come-or-go-and-rows-are-read"),
        pytest.param({"t": ["a"]}, {"t": []}, False, id="a-column-changes-and-rows-are-read"),
        pytest.param({"t": []}, {"t": [ANY]}, False, id="nothing-is-changed"),
    ],
)
def test_a_change_concerns_a_read_by_table_and_column(changed, read, concerned) -> None:
    changes, reads = Changes(access(changed)), Reads(access(read))
    assert changes.concern(reads) is concerned
    assert bool(changes.meeting(reads)) is concerned


def test_what_nobody_knows_concerns_everything_and_is_covered_by_nothing() -> None:
    assert Changes(unknown=True).concern(Reads())
    assert bool(Changes(unknown=True))
    assert (Reads(USERS) | Reads(unknown=True)).unknown
    assert (Changes(USERS) | Changes(unknown=True)).unknown


def test_the_tables_by_which_a_change_concerns_a_read_are_named_as_the_write_names_them() -> None:
    changes = Changes(access({"t": ["a"], "u": [ANY], "v": ["x"]}))
    assert changes.meeting(Reads(access({"t": [ANY], "u": ["b"], "v": ["y"]}))) == access(
        {"t": ["a"], "u": [ANY]}
    )


@given(accesses, accesses, accesses)
def test_more_that_is_read_or_changed_never_concerns_less(one, two, three) -> None:
    changes, reads = Changes(one), Reads(two)
    if changes.concern(reads):
        assert (changes | Changes(three)).concern(reads)
        assert changes.concern(reads | Reads(three))


@given(st.lists(accesses, max_size=4))
def test_unions_do_not_depend_on_order(parts) -> None:
    assert union(parts) == union(reversed(parts))
