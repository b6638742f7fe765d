"""Configurations from the JSON Schema, by Hypothesis: most are valid, many are wrong in a place or two."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

_SCHEMA: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "config" / "wats-accel.schema.json").read_text(encoding="utf-8")
)

# Words that mean something somewhere, so that checks across sections find something to check.
_WORDS = (
    "users", "stock", "shop.users", "shop.users:Users", "users:*", "users:get_user:{user_id}", "get_user",
    "set_user", "sqlite3:connect", "self.db.url", "60s", "1h30m", "10%", "64MB", "always", "SELECT 1", "tsql",
    "Users.name", "a b", "", " ", ":", "*", "{", "é", "x" * 300, "\x1b[2J", "\u2028", "null",
)  # fmt: skip
_TEXTS = st.sampled_from(_WORDS) | st.text(max_size=8)
_NUMBERS = (
    st.sampled_from((0, 1, 5, 60, -1, 10**30, 0.5, 1e308, float("inf"), float("nan"), -0.0))
    | st.integers(0, 10**6)
    | st.floats(allow_nan=False)
)
_SCALARS = st.none() | st.booleans() | _NUMBERS | _TEXTS
_ANYTHING = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=6,
)
_NAMES = st.sampled_from(("users", "stock", "get_user", "set_user", "Users", "Users.name", "not a name", ""))

_DEEPEST = 12


@st.composite
def configurations(draw: st.DrawFn) -> dict[str, Any]:
    """A mapping of the shape of a whole file, or nearly so."""
    made = draw(_of(_SCHEMA, faults=draw(st.booleans())))
    return made if isinstance(made, dict) else {"version": 1, "made": made}


@st.composite
def _of(draw: st.DrawFn, place: dict[str, Any], *, faults: bool, depth: int = 0) -> Any:
    if faults and draw(st.integers(0, 39)) == 0:
        return draw(_ANYTHING)
    if "$ref" in place:
        return draw(_of(_SCHEMA["$defs"][place["$ref"].rpartition("/")[2]], faults=faults, depth=depth))
    if "anyOf" in place:
        return draw(_of(draw(st.sampled_from(place["anyOf"])), faults=faults, depth=depth))
    if "const" in place:
        return place["const"]
    if "enum" in place:
        return draw(st.sampled_from(place["enum"]))
    kind = place.get("type")
    if kind == "object":
        return draw(_mapping(place, faults=faults, depth=depth + 1))
    if kind == "array":
        most = 3 if depth < _DEEPEST else 0
        least = min(place.get("minItems", 0), most)
        return draw(
            st.lists(
                _of(place.get("items", {}), faults=faults, depth=depth + 1), min_size=least, max_size=most
            )
        )
    return draw(_scalar(kind, place))


def _scalar(kind: str | None, place: dict[str, Any]) -> st.SearchStrategy[Any]:
    if kind == "string":
        fits = [word for word in _WORDS if "pattern" not in place or _matches(place["pattern"], word)]
        return st.sampled_from(fits or _WORDS)
    kinds: dict[str | None, st.SearchStrategy[Any]] = {
        "boolean": st.booleans(),
        "integer": st.integers(place.get("minimum", -5), 10**6),
        "number": st.floats(0, 0.99) | st.integers(0, 0 if "exclusiveMaximum" in place else 1000),
        "null": st.none(),
    }
    return kinds.get(kind, _ANYTHING)


def _matches(pattern: str, word: str) -> bool:
    import re

    return re.search(pattern, word) is not None


@st.composite
def _mapping(draw: st.DrawFn, place: dict[str, Any], *, faults: bool, depth: int) -> dict[str, Any]:
    known = place.get("properties", {})
    required = place.get("required", [])
    optional = [name for name in known if name not in required]
    chosen = draw(st.lists(st.sampled_from(optional), max_size=6, unique=True)) if optional else []
    made = {name: draw(_of(known[name], faults=faults, depth=depth)) for name in (*required, *chosen)}
    more = place.get("additionalProperties")
    if isinstance(more, dict) and depth < _DEEPEST:
        for name in draw(st.lists(_NAMES, max_size=3, unique=True)):
            made[name] = draw(_of(more, faults=faults, depth=depth))
    if faults and draw(st.integers(0, 29)) == 0:
        made[draw(_TEXTS)] = draw(_ANYTHING)
    if faults and made and draw(st.integers(0, 49)) == 0:
        made.pop(draw(st.sampled_from(sorted(made))))
    return made
