"""Names of entries: the same in every process, another one for every other call, and telling nothing."""

from __future__ import annotations

import enum
import os
import re
import subprocess
import sys
from collections import OrderedDict
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from wire_values import NESTED, ROUNDS

from wats_accel.cache.freezing import freeze
from wats_accel.cache.sealed import Sealed
from wats_accel.wire import KeyMaterialError, NotEncodableError, key_name

SECRET = b"sixteen bytes or more"


def name(key: Any, **changed: Any) -> str:
    given = {"prefix": "wats", "namespace": "users", "method": "get", "secret": SECRET, **changed}
    return key_name(key=key, **given)


FROZEN = """
import sys
from datetime import date, datetime, timezone
from decimal import Decimal
from wats_accel.cache.freezing import freeze
from wats_accel.wire import key_name
values = ["Ann", 1, True, 1.5, None, b"x", Decimal("1.50"), date(2026, 1, 2), {"a", "b", "c", 1, (2, "x")},
          {"k": [1, {"n": None}]}, datetime(2026, 1, 2, 3, tzinfo=timezone.utc), frozenset("abcdef")]
print(key_name("wats", "users", "get", tuple(map(freeze, values)), b"sixteen bytes or more"))
"""


def test_the_same_call_has_the_same_name_in_every_process() -> None:
    told = set()
    for seed in ("0", "1", "4711"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", FROZEN]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        told.add(done.stdout)
    assert len(told) == 1
    assert re.fullmatch(r"wats:users:get:[0-9a-f]{40}\n", told.pop())


def test_names_stay_what_they_are() -> None:
    """Another release must not give other names without saying so: all entries would be lost."""
    assert name(("Ann", 1, True)) == "wats:users:get:372fcfbd19f586abbdb3566629e8baebbe1dc9d7"


DIFFERENT = [
    *(1, True, 1.0, "1", b"1", Decimal(1), Fraction(1), 0, False, 0.0, -0.0, "", None, "None", (), "()"),
    *((1,), ((1,),), (1, 1), ("1", 1), ("a", "bc"), ("ab", "c"), [1], [], {}, set(), frozenset(), {1}),
    *(frozenset({1}), {"a": 1, "b": 2}, {"b": 2, "a": 1}, OrderedDict(a=1, b=2), Decimal("1.0"), 2**70, -1),
    *(
        date(2026, 1, 1),
        datetime(2026, 1, 1),
        datetime(2026, 1, 1, tzinfo=timezone.utc),
        time(1),
        "2026-01-01",
    ),
    *(
        datetime(2026, 1, 1, tzinfo=ZoneInfo("UTC")),
        datetime(2026, 1, 1, fold=1),
        timedelta(1),
        86400,
        UUID(int=1),
    ),
    *(
        PurePosixPath("a"),
        "a",
        b"a",
        bytearray(b"a"),
        "\ud800",
        "ä",
        float("nan"),
        float("inf"),
        ...,
        range(3),
    ),
]


def test_no_two_calls_have_the_same_name() -> None:
    names = [name((freeze(value),)) for value in DIFFERENT]
    assert len(set(names)) == len(DIFFERENT)


@ROUNDS
@given(left=NESTED, right=NESTED)
def test_names_are_equal_exactly_when_keys_are(left: Any, right: Any) -> None:
    left, right = freeze(left), freeze(right)
    assert (name((left,)) == name((right,))) == (left == right)


def test_everything_counts() -> None:
    names = {
        name(("Ann",)),
        name(("Ann",), prefix="other"),
        name(("Ann",), namespace="groups"),
        name(("Ann",), method="list"),
        name(("Ann",), secret=b"another secret of some length"),
        name(("Ann",), secret=b"x" * 64),
        name(("Ann",), secret=b"x" * 65),
        name(("Ann",), namespace="users:get", method=""),
        name(("Ann",), namespace="users", method=":get"),
    }
    assert len(names) == 9
    assert len({told.rpartition(":")[2] for told in names}) == 8  # the prefix is no part of the hash


def test_a_name_tells_nothing_of_the_call() -> None:
    told = name(("Ann", 12345))
    assert "Ann" not in told
    assert "12345" not in told
    assert told != name(("Ann", 12345), secret=b"the secret of another company")


def test_what_a_server_means_something_by_is_escaped() -> None:
    told = name((), prefix="{app}", namespace="a:b{c}*[d] \n", method="größe")
    assert told.startswith("{app}:a%3Ab%7Bc%7D%2A%5Bd%5D%20%0A:gr%C3%B6%C3%9Fe:")
    assert told.isascii()


def test_where_it_is_allowed_the_call_can_be_read() -> None:
    told = name(("Ann Bee", 1, (bool, True)), readable=True)
    assert told.startswith("wats:users:get:Ann%20Bee%2C1%2CTrue:")
    assert told.rpartition(":")[2] == name(("Ann Bee", 1, (bool, True))).rpartition(":")[2]
    assert len(name(("x" * 1000,), readable=True)) < 200
    assert name((10**5000, "x"), readable=True).startswith("wats:users:get:...%2Cx:")
    assert name(("1",), readable=True, secret=None) != name((1,), readable=True, secret=None)


def test_without_a_secret_a_name_must_be_allowed_to_tell() -> None:
    with pytest.raises(KeyMaterialError, match="without a secret"):
        name((), secret=None)
    with pytest.raises(KeyMaterialError, match="16 bytes or more") as caught:
        name((), secret=b"my-short-secret")
    assert "my-short" not in str(caught.value)


class Color(enum.Enum):
    RED = "secret-value"


class Own:
    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 1


@pytest.mark.parametrize(
    "part",
    [freeze(Color.RED), Sealed(b"x" * 32), freeze(Own()), Own, Color, 1j, [1], object()],
    ids=["enum", "sealed", "own", "own class", "enum class", "complex", "list", "object"],
)
@pytest.mark.parametrize("readable", [False, True])
def test_what_means_this_process_only_has_no_name(part: Any, readable: bool) -> None:
    with pytest.raises(NotEncodableError) as caught:
        name(("Ann", (1, part)), readable=readable)
    assert "secret-value" not in str(caught.value)


def test_what_is_nested_without_end_has_no_name() -> None:
    deep: Any = ()
    for _ in range(100_000):
        deep = (deep,)
    for readable in (False, True):
        with pytest.raises(NotEncodableError, match="nested too deeply"):
            name(deep, readable=readable)
