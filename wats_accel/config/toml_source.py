"""TOML sources: parsed by the standard library, with the places that our own scanner finds."""

from __future__ import annotations

import re
import sys

from wats_accel.config.documents import Document, Position, failure, plain, position_of
from wats_accel.config.toml_positions import deepest_position, toml_positions

if sys.version_info >= (3, 11):
    import tomllib
else:
    # unused-ignore: tomli is installed on Python 3.10 only, and mypy runs for 3.10 everywhere.
    import tomli as tomllib  # type: ignore[import-not-found,unused-ignore]

_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_TOO_LONG = re.compile(r"\b\d[\d_]{600,}")  # Python refuses more than 4300 digits, and never less than 640


def parse_toml(name: str, text: str) -> Document:
    """Read the text of the file called `name`.

    Raises:
        SourceError: it is no TOML.
    """
    try:
        data = plain(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        message = _PLACE.sub("", str(error).splitlines()[0])
        raise failure(name, f"not valid TOML: {message}", _position(error, text)) from None
    except ValueError:  # the one case: int() refuses thousands of digits
        too_long = _TOO_LONG.search(text)
        place = position_of(text, too_long.start() if too_long else 0)
        raise failure(name, "not valid TOML: a number is too long", place) from None
    except RecursionError:
        raise failure(name, "the values are nested too deeply", deepest_position(text)) from None
    return Document(name, data, lambda: toml_positions(text))


def _position(error: ValueError, text: str) -> Position:
    """Take the place from the attributes that Python 3.14 has, else from the error's own words."""
    match = _PLACE.search(str(error))
    said = Position(int(match[1]), int(match[2])) if match and match[1] else position_of(text, len(text))
    return Position(getattr(error, "lineno", said.line), getattr(error, "colno", said.column))
