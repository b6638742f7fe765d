"""Durations as people write them: `60s`, `5m`, `1h30m`."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fractions import Fraction

_EXPECTED = "expected a duration such as 60s, 5m or 1h30m, or a number of seconds"

# Largest first: the order in which a duration names its units. Values are seconds, but for the last.
_UNITS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1, "ms": 1}

# Each unit may be left out, so the one pattern also says "descending, and none twice".
_PARTS = re.compile("".join(rf"(?:([0-9]+(?:\.[0-9]+)?){unit}\s*)?" for unit in _UNITS))
_DIGITS = re.compile("[0-9]+")

_LONGEST_IN_SECONDS = 120


def parse_duration(value: object) -> float:
    """Return the seconds that `value` stands for.

    Accepts text (`60s`, `1h 30m`, `1.5h`, `250ms`, or digits alone for seconds) and plain numbers of seconds.

    Raises:
        ValueError: `value` is neither, or is negative, infinite or not a number. The text never shows it.
    """
    try:
        exact = _exact_seconds(value)
        seconds = math.nan if exact is None else float(exact)
    except (OverflowError, ValueError):  # more digits than a float, or than int() agrees to read
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise ValueError(_EXPECTED)
    return abs(seconds)  # turns -0.0 into 0.0


def format_duration(seconds: float) -> str:
    """Return `seconds` in the form that `parse_duration` reads back to exactly the same number.

    Up to two minutes it counts seconds (`60s`, `90s`, `1.5s`); anything longer is split into weeks, days,
    hours, minutes and seconds, and zeros are left out (`3m`, `1h30m`). Less than one second is in `ms`.

    Raises:
        ValueError: `seconds` is negative, infinite or not a number.
    """
    from decimal import Decimal  # noqa: PLC0415 - for people who read it

    # Through the shortest decimal text, because 5400.1 should read 1h30m0.1s and not 1h30m0.1000000003638s.
    digits, _, fraction = f"{Decimal(repr(parse_duration(seconds))):f}".partition(".")
    whole, fraction = int(digits), fraction.rstrip("0")
    if fraction and not whole:
        return _decimal(int(fraction[:3].ljust(3, "0")), fraction[3:]) + "ms"
    if whole <= _LONGEST_IN_SECONDS:
        return _decimal(whole, fraction) + "s"
    return _split(whole, fraction)


def _exact_seconds(value: object) -> Fraction | float | None:
    """Return the number that `value` says, before rounding and checking; None if it says none."""
    if isinstance(value, str):
        return _seconds_in_text(value.strip())
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    return None


def _seconds_in_text(text: str) -> Fraction | int | None:
    if _DIGITS.fullmatch(text):
        return int(text)
    match = _PARTS.fullmatch(text)
    if match is None or not text:
        return None
    amounts = dict(zip(_UNITS, match.groups(), strict=True))
    milliseconds = amounts.pop("ms")
    if milliseconds is None and "." not in text:
        return sum(int(amount) * _UNITS[unit] for unit, amount in amounts.items() if amount)
    from fractions import Fraction  # noqa: PLC0415 - exact, and most durations are whole seconds

    parts = (Fraction(amount) * _UNITS[unit] for unit, amount in amounts.items() if amount)
    return sum(parts, Fraction(milliseconds or 0) / 1_000)


def _split(whole: int, fraction: str) -> str:
    parts = []
    for unit in ("w", "d", "h", "m"):
        count, whole = divmod(whole, _UNITS[unit])
        if count:
            parts.append(f"{count}{unit}")
    if whole or fraction:
        parts.append(_decimal(whole, fraction) + "s")
    return "".join(parts)


def _decimal(whole: int, fraction: str) -> str:
    return f"{whole}.{fraction}" if fraction else str(whole)
