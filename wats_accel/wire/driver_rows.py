"""Rows of database drivers: what makes a row of one is written once for all rows of a table.

No driver is imported for that: who has a row has its driver, and who reads one without having it has not
asked the database yet, so that nothing is lost by asking it now.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from functools import lru_cache
from itertools import chain, repeat, starmap
from operator import attrgetter, is_
from typing import Any, Final, Protocol
from uuid import UUID

import msgspec

from wats_accel.wire.columns import WIDEST
from wats_accel.wire.nodes import SCALARS, encode
from wats_accel.wire.refusals import not_a_document, not_encodable

_PARTS: Final = 7
"""Of the description of one column, by the DB-API; the second is a type."""
_TYPES: Final[dict[Any, str]] = {
    cls: cls.__name__
    for cls in (str, int, float, bool, bytes, bytearray, Decimal, datetime, date, time, UUID, object)
}
_TYPE_OF: Final = {name: cls for cls, name in _TYPES.items()}
_description: Final = attrgetter("cursor_description")
_PyodbcHead = tuple[list[bool | int | float | str | None], list[str], list[int]]
_read_pyodbc: Final = msgspec.msgpack.Decoder(_PyodbcHead).decode
_read_names: Final = msgspec.msgpack.Decoder(list[str]).decode


class RowKind(Protocol):
    """One kind of rows."""

    mutable: bool
    """Whether a row can be changed, so that one that is there twice would have to come back as one."""

    def head_of(self, rows: Sequence[Any]) -> bytes:
        """What all of them have in common.

        Raises:
            NotEncodableError: they have not, or it cannot be written.
        """
        ...

    def rebuild(self, head: bytes, columns: Sequence[Sequence[Any]]) -> Iterable[Any]:
        """The rows.

        Raises:
            NotReadableError: the driver is not there.
            Exception: the same, or such bytes are never written.
        """
        ...


def kind_of(cls: type) -> str | None:
    """The letter of the kind of rows that have this type; None: of none."""
    letter = _LETTERS.get((cls.__module__, cls.__qualname__))
    return letter if letter is not None and _row_type(letter) is cls else None


def _row_type(letter: str) -> Any:
    name = _MODULES[letter]
    cls = getattr(sys.modules.get(name), "Row", None)
    return cls if isinstance(cls, type) and (cls.__module__, cls.__qualname__) == (name, "Row") else None


def _row_type_or_fail(letter: str) -> Any:
    cls = _row_type(letter)
    if cls is None:
        raise not_a_document()
    return cls


class _PyodbcRows:
    """Rows of pyodbc: the description of their columns, and the index from names to columns."""

    mutable = True

    def head_of(self, rows: Sequence[Any]) -> bytes:
        constructor, (description, index, *_) = rows[0].__reduce__()
        # No attribute leads to the index. The driver makes it together with the description, and so do we.
        is_known = constructor is type(rows[0]) and description is rows[0].cursor_description
        if not is_known or type(index) is not dict or not _all_have(description, rows):
            raise not_encodable(type(rows[0]), "comes from different queries, or from an unknown driver")
        if set(map(len, description)) != {_PARTS}:
            raise not_encodable(type(rows[0]), "has an unknown description")
        parts = list(chain.from_iterable(description))
        types = [_TYPES.get(part) for part in parts[1::_PARTS]]
        parts[1::_PARTS] = types
        known = (*parts, *index.values())
        if None in types or not SCALARS.issuperset(map(type, known)) or set(map(type, index)) != {str}:
            raise not_encodable(type(rows[0]), "has an unknown description")
        return encode((parts, list(index), list(index.values())))

    def rebuild(self, head: bytes, columns: Sequence[Sequence[Any]]) -> Iterable[Any]:
        description, index = _described(head)
        if len(description) != len(columns) or not all(0 <= at < len(columns) for at in index.values()):
            raise not_a_document()
        cls = _row_type_or_fail("p")
        arguments = zip(repeat(description), repeat(index), *columns)
        return starmap(cls, arguments)  # in two thirds of the time that `map` takes


def _all_have(description: object, rows: Sequence[Any]) -> bool:
    return all(map(is_, map(_description, rows), repeat(description)))


@lru_cache(maxsize=128)
def _described(head: bytes) -> tuple[tuple[tuple[Any, ...], ...], dict[str, int]]:
    """One description for all rows of a query, as the driver has it, however often they are read."""
    parts, names, places = _read_pyodbc(head)
    parts[1::_PARTS] = [_TYPE_OF[str(name)] for name in parts[1::_PARTS]]
    description = tuple(zip(*[iter(parts)] * _PARTS, strict=True))
    index = dict(zip(names, places, strict=True))
    if len(index) != len(names) or any(type(column[0]) is not str for column in description):
        raise not_a_document()
    return description, index


class _SqliteRows:
    """Rows of the standard library's sqlite3: the names of their columns."""

    mutable = False

    def head_of(self, rows: Sequence[Any]) -> bytes:
        cls = type(rows[0])
        names = rows[0].keys()
        if any(map(names.__ne__, map(cls.keys, rows))) or set(map(type, names)) != {str}:
            raise not_encodable(cls, "comes from different queries")
        if any("\0" in name for name in names):  # no SQL can have such a name
            raise not_encodable(cls, "has an unknown description")
        return encode(names)

    def rebuild(self, head: bytes, columns: Sequence[Sequence[Any]]) -> Iterable[Any]:
        cls = _row_type_or_fail("s")
        cursor = _cursor_with(head)
        if len(cursor.description) != len(columns):
            raise not_a_document()
        return map(cls, repeat(cursor), zip(*columns, strict=True))


@lru_cache(maxsize=128)
def _cursor_with(head: bytes) -> Any:
    """A cursor with columns of these names: rows take theirs from it, and only a query gives it any."""
    names = _read_names(head)
    if not 1 <= len(names) <= WIDEST or any("\0" in name for name in names):
        raise not_a_document()
    connection = sys.modules["sqlite3"].connect(":memory:")
    with contextlib.closing(connection):
        quoted = ['NULL AS "' + name.replace('"', '""') + '"' for name in names]
        cursor = connection.execute(f"SELECT {', '.join(quoted)}")
        cursor.fetchall()
    if [column[0] for column in cursor.description] != names:
        raise not_a_document()
    return cursor


_MODULES: Final = {"p": "pyodbc", "s": "sqlite3"}
_LETTERS: Final = {(module, "Row"): letter for letter, module in _MODULES.items()}
KINDS: Final[dict[str, RowKind]] = {"p": _PyodbcRows(), "s": _SqliteRows()}
