"""An answer to bytes and back: 200 rows of 12 columns, as WATS has them, and with all kinds of values."""

from __future__ import annotations

import contextlib
import pickle
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import msgspec
import pytest
import tables
from interleaved import Run, loop, side_by_side
from measured_application import WATS

from wats_accel.wire import Codec, Envelope, Place, Sealer

PICKLE: Final = "pickle"
KNOWN_TYPES: Final = "msgspec (types are known, and not looked at)"
OURS: Final = {
    WATS: None,
    f"{WATS}, in an envelope": {"compress_from": None},
    f"{WATS}, compressed": {"compress_from": 0},
    f"{WATS}, sealed": {"compress_from": None, "sealer": Sealer([b"k" * 32])},
    f"{WATS}, compressed and sealed": {"compress_from": 0, "sealer": Sealer([b"k" * 32])},
}
_BEGAN = datetime(2026, 1, 1, 8, 30, 0, 1)
_QUERY = f"""
WITH RECURSIVE counted(number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM counted WHERE number < ?)
SELECT {", ".join(f"number AS column_{at}" for at in range(12))} FROM counted"""
_PLACE = Place("connections", "wats:connections:select_all:0123456789abcdef0123456789abcdef01234567", 7)


def of_all_kinds(number: int, row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Five texts, one of them mostly None, two Nones, three ints, a decimal and a datetime."""
    identity, name, address, account, _, team, _, note, client, extra, port, active = row
    price, changed = Decimal(137 * number).scaleb(-2), _BEGAN + timedelta(seconds=1000.001 * number)
    note = note if number % 3 == 0 else None
    return (identity, name, address, account, price, team, changed, note, client, extra, port, active)


def there_and_back(value: Any, settings: dict[str, Any] | None) -> Run:
    codec = Codec()
    if settings is None:
        assert len(codec.decode(codec.encode(value))) == len(value)
        return loop("codec.decode(codec.encode(value))", codec=codec, value=value)
    envelope = Envelope(codec, schema=b"1", **settings)
    return loop(
        "envelope.unpack(envelope.pack(value, place), place)", envelope=envelope, value=value, place=_PLACE
    )


def measured(value: Any, types: Any = None) -> dict[str, list[float]]:
    runs = {peer: there_and_back(value, settings) for peer, settings in OURS.items()}
    runs[PICKLE] = loop("loads(dumps(value, 5))", loads=pickle.loads, dumps=pickle.dumps, value=value)
    if types is not None:
        encode, decode = msgspec.msgpack.Encoder().encode, msgspec.msgpack.Decoder(types).decode
        assert decode(encode(value)) == value
        runs[KNOWN_TYPES] = loop("decode(encode(value))", encode=encode, decode=decode, value=value)
    return side_by_side(runs)


_TEXT, _NUMBER = str | None, int | None


@pytest.fixture(scope="module")
def as_wats_has_them() -> dict[str, list[float]]:
    types = list[tuple[(_NUMBER, *[_TEXT] * 9, _NUMBER, _NUMBER)]]  # type: ignore[misc]  # made at run time
    return measured(tables.rows(), types)


@pytest.fixture(scope="module")
def tuples() -> dict[str, list[float]]:
    kinds = (_NUMBER, *[_TEXT] * 3, Decimal, _TEXT, datetime, *[_TEXT] * 3, _NUMBER, _NUMBER)
    types = list[tuple[kinds]]  # type: ignore[valid-type]  # made at run time
    return measured([of_all_kinds(number, row) for number, row in enumerate(tables.rows())], types)


@pytest.fixture(scope="module")
def dicts() -> dict[str, list[float]]:
    names = tables.names()
    return measured([dict(zip(names, row, strict=True)) for row in tables.rows()])


def rows_of_pyodbc(connection: Any, values: list[tuple[Any, ...]]) -> list[Any]:
    """Real ones, with other values put into them: no driver here gives decimals."""
    found: list[Any] = connection.cursor().execute(_QUERY, len(values)).fetchall()
    for number, row in enumerate(values):
        for at, value in enumerate(row):
            found[number][at] = value
    return found


@pytest.fixture(scope="module")
def rows(odbc: Any, sqlite_odbc: str) -> dict[str, dict[str, list[float]]]:
    known = tables.rows()
    kinds = {
        "as WATS has them": known,
        "of all kinds": [of_all_kinds(number, row) for number, row in enumerate(known)],
    }
    with contextlib.closing(odbc.connect(sqlite_odbc)) as connection:
        return {kind: measured(rows_of_pyodbc(connection, values)) for kind, values in kinds.items()}


@pytest.mark.parametrize("peer", [*OURS, PICKLE, KNOWN_TYPES])
def bench_tuples_as_wats_has_them(report: Any, as_wats_has_them: Any, peer: str) -> None:
    report("wire: 200 tuples as WATS has them", peer, as_wats_has_them[peer])


@pytest.mark.parametrize("peer", [*OURS, PICKLE, KNOWN_TYPES])
def bench_tuples_of_all_kinds(report: Any, tuples: Any, peer: str) -> None:
    report("wire: 200 tuples of all kinds", peer, tuples[peer])


@pytest.mark.parametrize("peer", [*OURS, PICKLE])
@pytest.mark.parametrize("kind", ["as WATS has them", "of all kinds"])
def bench_rows_of_pyodbc(report: Any, rows: Any, kind: str, peer: str) -> None:
    report(f"wire: 200 rows of pyodbc {kind}", peer, rows[kind][peer])


@pytest.mark.parametrize("peer", [*OURS, PICKLE])
def bench_dicts_as_wats_has_them(report: Any, dicts: Any, peer: str) -> None:
    report("wire: 200 dicts as WATS has them", peer, dicts[peer])
