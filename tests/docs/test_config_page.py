"""Every key of the configuration is documented, with its default, and nothing else is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from pages import DOCS, ROOT, headings, section

from wats_accel.durations import parse_duration

PAGE = DOCS / "reference" / "config.md"
SCHEMA: dict[str, Any] = json.loads((ROOT / "config" / "wats-accel.schema.json").read_text(encoding="utf-8"))

_ANY_NAME = {
    "namespaces": "NAME",
    "cached": "METHOD",
    "invalidates": "METHOD",
    "tables": "TABLE",
    "views": "NAME",
    "procedures": "NAME",
    "functions": "NAME",
    "aliases": "NAME",
}


def _mapping_of(place: dict[str, Any]) -> dict[str, Any]:
    """Follow references, and of alternatives take the mapping, if there is one."""
    if "$ref" in place:
        return _mapping_of(SCHEMA["$defs"][place["$ref"].rpartition("/")[2]])
    options = [_mapping_of(option) for option in place.get("anyOf", ())]
    return next((option for option in options if option.get("type") == "object"), place)


def _keys(place: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, dict[str, Any], bool]]:
    """``(path, schema, required)`` of each key in and below a mapping."""
    for name, value in place.get("properties", {}).items():
        path = f"{prefix}{name}"
        yield path, value, name in place.get("required", ())
        inner = _mapping_of(value)
        if "items" in inner:
            yield from _keys(_mapping_of(inner["items"]), f"{path}[].")
        elif isinstance(inner.get("additionalProperties"), dict):
            yield from _keys(_mapping_of(inner["additionalProperties"]), f"{path}.{_ANY_NAME[name]}.")
        else:
            yield from _keys(inner, f"{path}.")


KEYS = {path: (value, required) for path, value, required in _keys(SCHEMA)}
OTHER_SECTIONS = {"Where the file is", "Durations", "The file", "Environment variables"}


def test_every_key_has_a_section_and_every_section_is_of_a_key() -> None:
    documented = [title for title in headings(PAGE, 2) + headings(PAGE, 3) if title not in OTHER_SECTIONS]
    assert sorted(documented) == sorted(KEYS)


@pytest.mark.parametrize("path", KEYS)
def test_every_section_says_type_and_default(path: str) -> None:
    value, required = KEYS[path]
    text = section(PAGE, path).partition("\n#")[0]
    assert "- Type: " in text
    assert ("\n- Required\n" in text) == required
    default = re.search(r"^- Default: `(.+)`$", text, re.MULTILINE)
    if isinstance(value.get("default"), dict) and value["default"]:
        assert default is None  # the mapping's own keys have their defaults
    elif "default" in value:
        assert default
        assert _parsed(default[1], value["default"]) == value["default"]


def _parsed(text: str, like: object) -> object:
    value = yaml.safe_load(text)
    if not isinstance(like, float):
        return value
    return 0.0 if value == "always" else parse_duration(value)  # the one duration that has a word
