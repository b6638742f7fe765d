"""Connections share a pool if, and only if, they were opened with equal arguments."""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pool_bench import in_thread

from wats_accel.pool.arguments import Arguments, NotComparableError

ATOMS = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 2), st.sampled_from([0.0, 1.0, 2.0, 1j]),
    st.sampled_from("ab01"),
    st.sampled_from([b"a", b"1", b""]),
)  # fmt: skip
VALUES = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=2),
        st.tuples(inner),
        st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    ),
    max_leaves=4,
)
ARGUMENTS = st.builds(
    Arguments,
    st.lists(VALUES, max_size=2).map(tuple),
    st.dictionaries(st.sampled_from("xy"), VALUES, max_size=2),
)


def key(*args: Any, **kwargs: Any) -> object:
    return Arguments(args, kwargs).key()


def typed(value: Any) -> Any:
    """A value and the types of all its parts, to be compared by `repr`."""
    if isinstance(value, dict):
        return "dict", [(typed(name), typed(item)) for name, item in value.items()]
    return (type(value), [typed(item) for item in value]) if isinstance(value, (list, tuple)) else repr(value)


@given(ARGUMENTS, ARGUMENTS)
def test_keys_are_equal_exactly_where_values_and_types_are(one: Arguments, other: Arguments) -> None:
    same = typed(one.args) == typed(other.args) and typed(dict(sorted(one.kwargs.items()))) == typed(
        dict(sorted(other.kwargs.items()))
    )
    assert (one.key() == other.key()) is same
    assert hash(one.key()) is not None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (key(1), key(True)),
        (key(1), key(1.0)),
        (key("1"), key(b"1")),
        (key([1]), key((1,))),
        (key("a", "b"), key("a", x="b")),
        (key(x={"a": 1}), key(x={"a": True})),
        (key(), key(None)),
        (key("a", "b"), key("ab")),
        (key(Path("a")), key("a")),
        (key(type("Text", (str,), {})("a")), key("a")),
    ],
)
def test_types_and_places_count(one: object, other: object) -> None:
    assert one != other


def test_the_order_of_names_does_not_count() -> None:
    assert key(x=1, y=2) == key(y=2, x=1)


@pytest.mark.parametrize("value", [{1}, bytearray(b"x"), [object, {1}], {"a": bytearray()}], ids=repr)
def test_what_cannot_be_hashed_cannot_be_compared(value: object) -> None:
    with pytest.raises(NotComparableError):
        key(value)


def test_a_repr_shows_none_of_it() -> None:
    arguments = Arguments(("PWD=secret",), {"password": "secret"})
    assert repr(arguments) == "<2 connect arguments>"
    assert "secret" not in f"{arguments!s} {arguments} {[arguments]}"


def test_a_list_that_changes_later_was_what_it_was() -> None:
    value = [1]
    before = key(value)
    value.append(2)
    assert key(value) != before == key([1])


# -- pools -------------------------------------------------------------------------------------------------


def test_one_pool_for_each_set_of_arguments(bench: Callable[..., Any]) -> None:
    pool = bench()
    for _ in range(3):
        pool.connect().close()
        pool.connect(timeout=7).close()
        pool.connect(timeout=7.0).close()
        pool.connect(cached_statements=0, timeout=7).close()
        pool.connect(timeout=7, cached_statements=0).close()
    assert (pool.stats.pools, pool.stats.opened, pool.stats.reused) == (4, 4, 11)


def test_nobody_gets_a_connection_with_other_settings(bench: Callable[..., Any]) -> None:
    pool = bench()
    levels = [None, "DEFERRED", "IMMEDIATE", "EXCLUSIVE", ""]
    for _ in range(2):
        for level in levels:
            connection = pool.connect(isolation_level=level)
            assert connection.isolation_level == level
            connection.close()
    sqlite3.register_converter("how_long", len)
    for detect, expected in ((0, "Ada"), (sqlite3.PARSE_COLNAMES, 3)):
        found = pool.connect(detect_types=detect).execute("SELECT 'Ada' AS 'd [how_long]'").fetchone()
        assert found == (expected,)


def test_each_pool_has_a_size_of_its_own(bench: Callable[..., Any], tmp_path: Path) -> None:
    pool = bench(size=1, max_overflow=0, timeout="0s")
    held = [sqlite3.connect(tmp_path / f"{number}.db") for number in range(3)]
    assert [type(connection) is sqlite3.Connection for connection in held] == [False] * 3
    assert (pool.stats.pools, pool.stats.checked_out, pool.stats.direct) == (3, 3, 0)


def test_a_path_a_string_and_bytes_open_the_same_file(bench: Callable[..., Any], tmp_path: Path) -> None:
    bench()
    path = tmp_path / "same.db"
    sqlite3.connect(path).execute("CREATE TABLE t (n)")
    for name in (str(path), bytes(path), path):
        assert sqlite3.connect(name).execute("SELECT name FROM sqlite_master").fetchall() == [("t",)]


@pytest.mark.filterwarnings("ignore:Passing more than 1 positional argument:DeprecationWarning")
@pytest.mark.parametrize("position", [True, False])
def test_the_thread_check_of_sqlite3_is_kept_as_it_was_asked_for(
    bench: Callable[..., Any], *, position: bool
) -> None:
    pool = bench()
    for checked in (True, False, True):
        connection = (
            pool.connect(5.0, 0, "", checked) if position else pool.connect(check_same_thread=checked)
        )
        ask = functools.partial(connection.execute, "SELECT 1")
        if checked:
            with pytest.raises(sqlite3.ProgrammingError, match="created in a thread can only be used"):
                in_thread(ask)
        else:
            assert in_thread(ask).fetchone() == (1,)
        connection.close()


def test_a_connection_goes_from_one_thread_to_the_next(bench: Callable[..., Any]) -> None:
    pool = bench()
    for _ in range(4):
        in_thread(lambda: pool.connect().execute("SELECT 1").fetchone())
    assert (pool.stats.opened, pool.stats.reused) == (1, 3)
