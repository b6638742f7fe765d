"""Values that go on the wire: Hypothesis's strategies for them, how they are compared, what is legal."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from types import NoneType
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from wats_accel.cache.freezing import freeze

ROUNDS = settings(
    max_examples=2_000 if os.environ.get("WATS_ACCEL_SOAK") == "1" else 30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
_FIXED = st.builds(timezone, st.timedeltas(timedelta(hours=-23), timedelta(hours=23)))
_NAMED = st.builds(timezone, st.timedeltas(timedelta(hours=-23), timedelta(hours=23)), st.text(max_size=5))
_BY_NAME = st.sampled_from(["UTC", "Europe/Berlin", "America/Sao_Paulo", "Asia/Kathmandu", "Etc/GMT+5"]).map(
    ZoneInfo
)
ZONES: st.SearchStrategy[tzinfo | None] = st.none() | _FIXED | _NAMED | _BY_NAME
TEXTS = st.text(st.characters(exclude_categories=()), max_size=20)  # with halves of surrogate pairs
HASHABLE: dict[str, st.SearchStrategy[Any]] = {
    "None": st.none(),
    "bool": st.booleans(),
    "int": st.integers(-(2**63), 2**64 - 1) | st.integers(),
    "float": st.floats(),
    "str": TEXTS,
    "ASCII": st.text(st.characters(max_codepoint=127), max_size=40),
    "bytes": st.binary(max_size=20),
    "Decimal": st.decimals().filter(lambda value: not value.is_snan()),
    "naive": st.datetimes() | st.datetimes().map(lambda value: value.replace(fold=1)),
    "datetime": st.datetimes(timezones=ZONES, allow_imaginary=True),
    "date": st.dates(),
    "time": st.times() | st.times(timezones=_FIXED) | st.times().map(lambda value: value.replace(fold=1)),
    "timedelta": st.timedeltas(),
    "UUID": st.uuids(),
}
SCALARS = {**HASHABLE, "sNaN": st.sampled_from([Decimal("sNaN"), Decimal("-sNaN12")])}
SCALARS["bytearray"] = st.binary(max_size=9).map(bytearray)
_ANY_SCALAR = st.one_of(*SCALARS.values())
_KEYS = st.recursive(
    st.one_of(*HASHABLE.values()),
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.frozensets(inner, max_size=3),
    max_leaves=4,
)


def _containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        st.lists(inner, max_size=5),
        st.lists(inner, max_size=5).map(tuple),
        st.dictionaries(_KEYS, inner, max_size=4),
        st.sets(_KEYS, max_size=4),
        st.frozensets(_KEYS, max_size=4),
    )


NESTED = st.recursive(_ANY_SCALAR, _containers, max_leaves=15)
IMMUTABLE = st.recursive(
    st.one_of(*HASHABLE.values()),
    lambda inner: st.lists(inner, max_size=5).map(tuple) | st.frozensets(_KEYS, max_size=4),
    max_leaves=15,
)


@st.composite
def tables(draw: Callable[[st.SearchStrategy[Any]], Any]) -> Any:
    """A list or tuple of tuples, lists or dicts; each column mostly has one type, and None in places."""
    columns = [
        draw(st.sampled_from(sorted(SCALARS)).map(SCALARS.__getitem__))
        for _ in range(draw(st.integers(1, 5)))
    ]
    cells = [column | st.none() if draw(st.booleans()) else column for column in columns]
    cells = [cell | NESTED if draw(st.integers(0, 9)) == 0 else cell for cell in cells]
    names = draw(st.lists(st.text(max_size=3), min_size=len(cells), max_size=len(cells), unique=True))
    make = draw(st.sampled_from([tuple, list, lambda row: dict(zip(names, row, strict=True))]))
    rows = draw(st.lists(st.tuples(*cells), min_size=1, max_size=8))
    return draw(st.sampled_from([list, tuple]))(map(make, rows))


def same(left: object, right: object) -> bool:
    """Equal, with exactly the same types, order and time zones all the way down."""
    return freeze(left) == freeze(right)


_LEGAL: tuple[type, ...] = (
    *(NoneType, bool, int, float, str, bytes, bytearray, Decimal, datetime, date, time, timedelta, UUID),
    *(list, tuple, dict, set, frozenset, sqlite3.Row),
)


def is_legal(value: object) -> bool:
    """Whether it consists of nothing but what may come from the wire."""
    cls = type(value)
    if cls not in _LEGAL and (cls.__module__, cls.__qualname__) != ("pyodbc", "Row"):
        return False
    if isinstance(value, datetime | time):
        return type(value.tzinfo) in (NoneType, timezone, ZoneInfo)
    if isinstance(value, dict):
        return all(map(is_legal, value)) and all(map(is_legal, value.values()))
    if isinstance(value, str | bytes | bytearray) or not hasattr(cls, "__len__"):
        return True
    return all(map(is_legal, value))  # type: ignore[call-overload]  # a container or a row


def shown_by(error: BaseException) -> str:
    """What a traceback with variables shows of our own frames."""
    told = ""
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_globals["__name__"].startswith("wats_accel"):
            told += repr(trace.tb_frame.f_locals)
        trace = trace.tb_next
    return told


def sqlite_rows(sql: str, *arguments: Any) -> list[sqlite3.Row]:
    """The rows of a query."""
    connection = sqlite3.connect(":memory:")
    try:
        connection.row_factory = sqlite3.Row
        return connection.execute(sql, arguments).fetchall()
    finally:
        connection.close()


def unmeasured() -> dict[str, str]:
    """The environment for a process that nobody measures: whoever measures coverage imports sqlite3."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COV")}
