"""The texts of arguments: a loose one, by which invalidation compares them, and one for people."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import date, datetime, time, timedelta, timezone
from decimal import MAX_EMAX, MIN_EMIN, Context, Decimal, InvalidOperation
from enum import Enum
from pathlib import PurePath
from types import NoneType
from typing import Any
from uuid import UUID

from wats_accel.cache.freezing import TAGGED, freeze
from wats_accel.cache.sealed import STARS, Sealed

Texts = tuple[str | None, ...]
"""The arguments of a read in the loose form by which invalidation compares them; None matches anything."""

LONGEST_TEXT = 65_536
SHORT = 128
"""So many characters are short. A key of such arguments, however many a method may have, is not too large."""
_LARGE_NUMBER = 1 << 64
_TEXT_TYPES = frozenset({str, NoneType})
_SHOWN_CHARACTERS = 80
_HUGE_DIGITS = 400  # more than any float has; beyond it all numbers are one, and none is spelled out
_HUGE_NUMBER = 10**_HUGE_DIGITS
_NUMERIC_CHARACTERS = frozenset("0123456789+-._eE")
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:")
_GUID = re.compile(r"\{?[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}\}?")
_GUID_DIGITS = 32
_TRUTH_TEXTS = {"True": "1", "False": "0"}
_DECIMALS = Context(prec=_HUGE_DIGITS, Emin=MIN_EMIN, Emax=MAX_EMAX, capitals=1, traps=[InvalidOperation])


def match_text(value: object, *, fold: bool) -> str:
    """The loose text by which invalidation compares arguments; in doubt, two values get the same one.

    A number and a string that spells it are alike, and so are an Enum member and its value.

    Args:
        value: an argument of a call, or a text from a pattern. Never raises, whatever it is.
        fold: whether case is ignored, as most database collations do.
    """
    if type(value) is str and _is_word(value):
        return value.casefold() if fold else value
    if issubclass(type(value), Enum):
        value = value._value_  # type: ignore[attr-defined]  # every member has one
    number = _number_text(value)
    if number is not None:
        return number
    plain = _plain_text(value)
    text = (_describe(value) if plain is None else plain).strip()
    if text == "''":  # as `readable` spells it, so that it can be copied from a log into a pattern
        return ""
    number = _numeric_string_text(text)
    if number is not None:
        return number
    text = _as_databases_spell(text)
    return text.casefold() if fold else text


def argument_text(value: Any) -> str | None:
    """The loose text of an argument of a read; None when a write may mean it by any text.

    That is so for None, which often means all of them, for collections, for objects of foreign types, and for
    texts that are longer than any key that is kept.
    Case never counts here: a database that ignores it is not to be forgotten in a rule.
    """
    cls = type(value)
    if cls is str and _is_word(value):
        return value.casefold()  # type: ignore[no-any-return]  # as below
    if issubclass(cls, (str, bytes, bytearray)) and _length(value) > LONGEST_TEXT:
        return None
    known = issubclass(type(value), Enum) or _number_text(value) is not None or _plain_text(value) is not None
    return match_text(value, fold=True) if known and value is not None else None


def _is_word(text: str) -> bool:
    """Whether a text is spelt in one way only: as most are, it is no number, no date, no GUID, no space."""
    return len(text) < _GUID_DIGITS and text.isidentifier() and text not in _TRUTH_TEXTS


def tells_texts(arguments: Iterable[Any]) -> bool:
    """Whether frozen arguments are, or hold, the arguments themselves, which are short and never change.

    Then their texts need be neither made nor kept before somebody asks for them.
    """
    for frozen in arguments:
        cls = type(frozen)
        if cls is str:
            if len(frozen) > SHORT:
                return False
        elif cls is int:
            if not -_LARGE_NUMBER < frozen < _LARGE_NUMBER:
                return False
        elif frozen is not None and (cls is not tuple or len(frozen) != 2 or frozen[0] not in TAGGED):
            return False
    return True


def texts_told(arguments: Iterable[Any]) -> Texts:
    """The loose texts of arguments of which `tells_texts` is true. Raises nothing."""
    try:
        texts = tuple([argument_text(known[1] if type(known) is tuple else known) for known in arguments])
    except Exception:  # noqa: BLE001 - no room is left, say: what is not known matches anything
        return ()
    return texts if are_texts(texts) else ()


def are_texts(given: Texts) -> bool:
    """Whether all are texts indeed; by what is none no pattern would ever match."""
    return _TEXT_TYPES.issuperset(map(type, given))


def _length(value: Any) -> int:
    for base in (str, bytes, bytearray):  # a subclass may say anything
        if issubclass(type(value), base):
            return base.__len__(value)
    return 0


def readable(value: object) -> str:
    """One short line for a log: scalars as they are; of all else only type, size and a digest.

    The digest tells two values apart within this process. Of a secret there are three stars. Never raises.
    """
    if type(value) is Sealed:
        return STARS
    text = None if issubclass(type(value), bytes | bytearray) else _plain_text(value)
    return _one_line(_describe(value) if text is None else text) or "''"


def _number_text(value: Any) -> str | None:
    cls = type(value)
    if issubclass(cls, int):
        number = int.__int__(value)
        return int.__repr__(number) if -_HUGE_NUMBER < number < _HUGE_NUMBER else "huge"
    if issubclass(cls, float):
        return _decimal_text(Decimal(float.__repr__(value)))
    return _decimal_text(Decimal(value)) if issubclass(cls, Decimal) else None


def _numeric_string_text(text: str) -> str | None:
    if text in _TRUTH_TEXTS:
        return _TRUTH_TEXTS[text]
    if not text or not (text[0].isdigit() or text[0] in "+-."):
        return None
    if len(text) > _HUGE_DIGITS:
        return "huge" if _NUMERIC_CHARACTERS.issuperset(text) else None
    try:
        return _decimal_text(Decimal(text, _DECIMALS))
    except InvalidOperation:
        return None


def _as_databases_spell(text: str) -> str:
    """Dates with a space for the T, and GUIDs as hexadecimal digits; other texts as they are."""
    if _TIMESTAMP.match(text):
        return f"{text[:10]} {text[11:]}"
    return text.strip("{}").replace("-", "").lower() if _GUID.fullmatch(text) else text


def _decimal_text(number: Decimal) -> str:
    if not number.is_finite():
        return "nan" if number.is_nan() else f"{'-' * number.is_signed()}inf"
    if not number:
        return "0"
    if number.adjusted() >= _HUGE_DIGITS:
        return "huge"
    shortest = number.normalize(_DECIMALS)
    return format(shortest, "f") if number.adjusted() > -_HUGE_DIGITS else _DECIMALS.to_sci_string(shortest)


def _plain_text(value: Any) -> str | None:
    """The whole text of a scalar; None for containers and foreign objects, whose text may hold secrets."""
    cls = type(value)  # not isinstance: a proxy may claim to be what it stands for
    try:
        for base, spell in _SPELLINGS:
            if issubclass(cls, base):
                return spell(value)
    except Exception:  # noqa: BLE001 - a foreign time zone or path may raise anything
        return None
    return None


def _integer_text(value: int) -> str:
    if -_HUGE_NUMBER < value < _HUGE_NUMBER:
        return int.__repr__(value)
    raise OverflowError


_SPELLINGS: tuple[tuple[type | tuple[type, ...], Callable[[Any], str]], ...] = (
    (str, str.__str__),
    (Enum, lambda value: f"{type(value).__name__}.{value._name_}"),
    (NoneType, str),
    (bool, str),
    (int, _integer_text),
    (float, float.__repr__),
    (complex, complex.__repr__),
    (Decimal, Decimal.__str__),
    (datetime, datetime.isoformat),
    (date, date.isoformat),
    (time, time.isoformat),
    (timedelta, timedelta.__str__),
    ((bytes, bytearray), lambda value: bytes(memoryview(value)).decode("latin-1")),
    ((UUID, PurePath, timezone), str),
)


def _one_line(text: str) -> str:
    shown = text[: _SHOWN_CHARACTERS + 1]
    if not shown.isprintable():
        shown = "".join(known if known.isprintable() else ascii(known)[1:-1] for known in shown)
    return shown if len(shown) <= _SHOWN_CHARACTERS else f"{shown[:_SHOWN_CHARACTERS]}…"


def _describe(value: object) -> str:
    text = type(value).__name__
    with suppress(Exception):  # no size, or a foreign __len__ that fails
        text += f"({len(value)})"  # type: ignore[arg-type]  # asking is the test
    with suppress(Exception):  # no value identity, so no digest
        text += f"#{hash(freeze(value)) & 0xFFFFFF:06x}"
    return text
