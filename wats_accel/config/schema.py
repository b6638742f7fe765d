"""The schema: the sections of the engine and of all features, assembled into one model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, Field, create_model

from wats_accel.config.models import (
    OWN_KEYS,
    SQL,
    ConfigSection,
    Later,
    RepositorySection,
    RootSection,
    WithoutSql,
)
from wats_accel.config.raw import mapping_at, sequence
from wats_accel.errors import ConfigError, Problem

SCHEMA_ID = "wats-accel.schema.json"


_latest: tuple[list[ConfigSection], dict[frozenset[str] | None, type[RootSection]]] | None = None
"""The sections of which models were made last, and these models: making one takes most of a reload."""

_MOST_MODELS = 16


def assemble(
    sections: Iterable[ConfigSection], only_for: Mapping[str, Any] | None = None
) -> type[RootSection]:
    """The model of a whole file, with the sections that plugins contributed.

    Args:
        sections: these.
        only_for: the data of a file: validators are made for those keys only that it has, which is most of
            the work. The model validates this file as the whole one does, and is of no other use.

    Raises:
        ConfigError: the type of a section that is made late cannot be made.
    """
    global _latest
    known = list(sections)
    keys = None if only_for is None else _keys_in(only_for, known)
    latest = _latest
    if latest is None or latest[0] != known or len(latest[1]) > _MOST_MODELS:
        _latest = latest = known, {}
    models = latest[1]
    if keys not in models:
        models[keys] = _assemble(known, keys)
    return models[keys]


def _keys_in(data: Mapping[str, Any], known: list[ConfigSection]) -> frozenset[str]:
    """Those keys that the top of a file has, or one of its repositories, of those that there may be."""
    given = set(data).union(*(mapping_at(repository) for repository in sequence(data.get("repositories"))))
    return frozenset(given & {*OWN_KEYS, *(section.name for section in known)})


def _assemble(known: list[ConfigSection], keys: frozenset[str] | None) -> type[RootSection]:
    repository = create_model(
        "Repository",
        __base__=RepositorySection,
        __doc__=RepositorySection.__doc__,
        **_fields((section for section in known if section.within == "repositories"), keys),
    )
    says_sql = keys is None or SQL.name in keys
    base: Any = RootSection if says_sql else (RootSection, WithoutSql)
    is_left_out = keys is not None and "repositories" not in keys
    repositories: Any = (
        Any if is_left_out else list[repository],  # type: ignore[valid-type]  # the model is made here
        Field(default=[], description="The classes and modules whose methods have rules."),
    )
    made: type[RootSection] = create_model(
        "Configuration",
        __base__=base,
        __doc__=RootSection.__doc__,
        **_without_validators(RootSection, keys),
        **_sql() if says_sql else {},
        **_fields((section for section in known if not section.within), keys),
        repositories=repositories,
    )
    return made


def _without_validators(model: type[BaseModel], keys: frozenset[str] | None) -> dict[str, Any]:
    """The fields of a model that a file does not have, as they are but for their types."""
    return {
        name: (Any, Field(default=field.default))
        for name, field in model.model_fields.items()
        if keys is not None and name not in keys and not field.is_required()
    }


def _sql() -> dict[str, Any]:
    section = _type_of(SQL)
    return {SQL.name: (section, section.model_construct())}


def _fields(sections: Iterable[ConfigSection], keys: frozenset[str] | None) -> dict[str, Any]:
    return {
        section.name: (
            _type_of(section) if keys is None or section.name in keys else Any,
            Field(default=section.default, description=section.description or None),
        )
        for section in sections
    }


def _type_of(section: ConfigSection) -> Any:
    if not isinstance(section.annotation, Later):
        return section.annotation
    try:
        return section.annotation.make()
    except Exception as error:  # a plugin's own may fail with anything
        message = f"the type of {section.name!r} cannot be made: {type(error).__name__}"
        raise ConfigError([Problem(message, () if section.within else (section.name,))]) from error


def json_schema(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON Schema of a whole file, for editors and for `wats-accel schema`."""
    schema = model.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA_ID, **schema}


def keys_at(schema: dict[str, Any], path: Iterable[str | int]) -> list[str]:
    """The keys that a mapping at this place of a file may have; empty where any key may stand."""
    place: Any = schema
    for part in path:
        place = _step(schema, _resolved(schema, place), part)
        if place is None:
            return []
    properties = _resolved(schema, place).get("properties", {})
    return list(properties)


def _step(schema: dict[str, Any], place: dict[str, Any], part: str | int) -> Any:
    if isinstance(part, int):
        return place.get("items")
    if part in place.get("properties", {}):
        return place["properties"][part]
    more = place.get("additionalProperties")
    return more if isinstance(more, dict) else None


def _resolved(schema: dict[str, Any], place: dict[str, Any]) -> dict[str, Any]:
    """Follow references, and of alternatives (the short form of a rule) take the mapping."""
    while True:
        if "$ref" in place:
            place = schema["$defs"][place["$ref"].rpartition("/")[2]]
        elif "anyOf" in place or "oneOf" in place:
            options = [_resolved(schema, option) for option in place.get("anyOf") or place["oneOf"]]
            place = next((option for option in options if _has_keys(option)), {})
        else:
            return place


def _has_keys(place: dict[str, Any]) -> bool:
    return "properties" in place or isinstance(place.get("additionalProperties"), dict)
