"""The schema: sections assembled into one model, and the JSON Schema that an editor reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jsonschema
import pytest
from pydantic import Field

from wats_accel.assembly import config_sections
from wats_accel.cli.environment import known_plugins
from wats_accel.config.fields import Section
from wats_accel.config.models import ConfigSection
from wats_accel.config.schema import assemble, json_schema, keys_at


class Audit(Section):
    """What a plugin may add."""

    path: str
    """Where it writes."""
    keep: dict[str, Section] | None = None
    parts: list[Section] = Field(default=[])


AUDIT = ConfigSection("audit", Audit | None, None, description="An audit trail.")
TAGS = ConfigSection("tags", dict[str, Audit], {}, within="repositories")


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    """Of all built-in features."""
    return json_schema(assemble(config_sections(known_plugins())))


def of(*sections: ConfigSection) -> dict[str, Any]:
    return json_schema(assemble(sections))


def test_a_section_becomes_a_key_of_the_file_with_its_default_and_description() -> None:
    model = assemble([AUDIT])
    assert model.model_validate({"version": 1}).model_dump()["audit"] is None
    assert model.model_validate({"version": 1, "audit": {"path": "x"}}).model_dump()["audit"]["path"] == "x"
    assert of(AUDIT)["properties"]["audit"]["description"] == "An audit trail."


def test_a_section_within_repositories_becomes_a_key_of_each_of_them() -> None:
    loaded: Any = assemble([TAGS]).model_validate(
        {"version": 1, "repositories": [{"target": "a:B", "tags": {"one": {"path": "x"}}}, {"target": "a:C"}]}
    )
    assert [sorted(repository.tags) for repository in loaded.repositories] == [["one"], []]


def test_the_schema_names_its_dialect_and_refuses_unknown_keys() -> None:
    schema = of()
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize(
    ("path", "keys"),
    [
        pytest.param((), ["audit", "enabled", "version"], id="the file"),
        pytest.param(("audit",), ["keep", "parts", "path"], id="an optional section"),
        pytest.param(("repositories", 3), ["enabled", "scope", "tags", "target"], id="an item"),
        pytest.param(("repositories", 3, "tags", "x"), ["keep", "parts", "path"], id="any key's value"),
        pytest.param(("repositories", 3, "tags"), [], id="where any key may stand"),
        pytest.param(("nowhere", "at", "all"), [], id="nowhere"),
        pytest.param(("version", 0), [], id="inside a scalar"),
        pytest.param(("audit", "parts", 0), [], id="a section without keys"),
    ],
)
def test_the_keys_of_any_place_are_known(path: Sequence[str | int], keys: list[str]) -> None:
    assert set(keys) <= set(keys_at(of(AUDIT, TAGS), path))
    assert bool(keys) == bool(keys_at(of(AUDIT, TAGS), path))


def test_the_long_form_of_a_rule_gives_its_keys(schema: dict[str, Any]) -> None:
    assert {"namespace", "copy", "ttl"} <= set(keys_at(schema, ("repositories", 0, "cached", "x")))
    assert {"patterns", "when"} <= set(keys_at(schema, ("repositories", 0, "invalidates", "x")))


CACHED = [
    "users",
    {"namespace": "users"},
    {"namespace": "users", "ttl": "1h30m", "enabled": False, "fold": "name", "copy": "deep"},
    {"namespace": "users", "ttl": 0, "fold": ["a", "b"], "key": {"exclude": "c", "include": "self.x"}},
    {"namespace": "users", "unless_result": [None, False, [None, False], {"python": "(1,)"}]},
    {"namespace": "users", "materialize": True},
]
INVALIDATES = [
    "users:*",
    ["users:*", "users:m:{id}"],
    {"patterns": ["users:*"]},
    {"patterns": ["users:*"], "when": "truthy", "enabled": True},
]


def document(cached: object = "users", invalidates: object = "users:*", **root: object) -> dict[str, object]:
    repository = {"target": "a:B", "cached": {"m": cached}, "invalidates": {"w": invalidates}}
    return {
        "version": 1,
        "cache": {"namespaces": {"users": {"ttl": "5m"}}},
        "repositories": [repository],
        **root,
    }


@pytest.mark.parametrize(
    "data",
    [
        *(pytest.param(document(cached=rule), id=f"cached: {rule}") for rule in CACHED),
        *(pytest.param(document(invalidates=rule), id=f"invalidates: {rule}") for rule in INVALIDATES),
        pytest.param(document(logging={"level": "debug", "format": "json", "summary_every": 60}), id="log"),
        pytest.param({"version": 1}, id="the least"),
    ],
)
def test_short_and_long_forms_are_valid_for_the_schema_and_for_the_model(
    schema: dict[str, Any], data: dict[str, Any]
) -> None:
    jsonschema.validate(data, schema)
    assemble(config_sections(known_plugins())).model_validate(data)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param({}, id="no version"),
        pytest.param({"version": 2}, id="another version"),
        pytest.param(document(colour="blue"), id="unknown key"),
        pytest.param(document(cached=3), id="no rule"),
        pytest.param(document(cached={"namespace": "a b"}), id="namespace with a space"),
        pytest.param(document(cached={"namespace": "users", "ttl": "soon"}), id="no duration"),
        pytest.param(document(cached={"namespace": "users", "ttl": -1}), id="negative duration"),
        pytest.param(document(cached={"ttl": "5m"}), id="no namespace"),
        pytest.param(document(cached={"namespace": "users", "copy": "shallow"}), id="wrong literal"),
        pytest.param(document(invalidates=[]), id="no patterns"),
        pytest.param(document(invalidates={"patterns": ["users:*"], "when": "often"}), id="wrong when"),
        pytest.param(document(cache={"max_entries": -1}), id="negative number"),
        pytest.param(document(cache={"max_entries": "1"}), id="a number as text"),
        pytest.param(document(enabled="yes"), id="a switch as text"),
    ],
)
def test_what_the_model_refuses_the_schema_refuses_too(schema: dict[str, Any], data: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, schema)
    with pytest.raises(ValueError, match="validation error"):
        assemble(config_sections(known_plugins())).model_validate(data)
