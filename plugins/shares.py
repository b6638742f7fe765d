"""Shares: parts of a whole, as a file may say them."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

_PERCENT = r"\s*(\d{1,2}(?:\.\d+)?)\s*%\s*"
_A_SHARE = {
    "description": "A share such as 80% or 0.8; false or 0 for none.",
    "anyOf": [
        {"type": "number", "minimum": 0, "exclusiveMaximum": 1},
        {"type": "string", "pattern": f"^{_PERCENT}$"},
        {"const": False},
    ],
}


def _share(value: object) -> float:
    if value is False:
        return 0.0
    percent = re.fullmatch(_PERCENT, value) if isinstance(value, str) else None
    if percent is not None:
        return float(percent[1]) / 100
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1:
        return float(value)
    raise ValueError("expected a share below the whole, such as 80% or 0.8, or false for none")


Share = Annotated[float, BeforeValidator(_share), WithJsonSchema(_A_SHARE)]
"""A part of a whole; in a file ``80%``, ``0.8``, or false for none."""


_ALL = r"\s*100(?:\.0+)?\s*%\s*"


def _share_or_all(value: object) -> float:
    is_all = re.fullmatch(_ALL, value) is not None if isinstance(value, str) else value == 1
    if is_all and not isinstance(value, bool):
        return 1.0
    try:
        return _share(value)
    except ValueError:
        raise ValueError("expected a share such as 1%, 0.01 or 100%, or false for none") from None


SampleShare = Annotated[
    float,
    BeforeValidator(_share_or_all),
    WithJsonSchema(
        {
            "description": "A share such as 1%, 0.01 or 100%; false or 0 for none.",
            "anyOf": [*_A_SHARE["anyOf"], {"type": "string", "pattern": f"^{_ALL}$"}, {"const": 1}],
        }
    ),
]
"""A share that may be the whole, too: ``100%``."""
