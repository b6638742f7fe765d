"""The schema: the sections of the engine and of all features, assembled into one model."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, Field, create_model

from wats_accel.config.models import ConfigSection, RepositorySection, RootSection

SCHEMA_ID = "wats-accel.schema.json"


_latest: tuple[list[ConfigSection], type[RootSection]] | None = None
"""The sections of which a model was made last, and that model: making one takes most of a reload."""


def assemble(sections: Iterable[ConfigSection]) -> type[RootSection]:
    """The model of a whole file, with the sections that plugins contributed."""
    global _latest
    known = list(sections)
    latest = _latest
    if latest is not None and latest[0] == known:
        return latest[1]
    model = _assemble(known)
    _latest = known, model
    return model


def _assemble(known: list[ConfigSection]) -> type[RootSection]:
    repository = create_model(
        "Repository",
        __base__=RepositorySection,
        __doc__=RepositorySection.__doc__,
        **_fields(section for section in known if section.within == "repositories"),
    )
    repositories: Any = (
        list[repository],  # type: ignore[valid-type]  # the model is made here
        Field(default=[], description="The classes and modules whose methods have rules."),
    )
    return create_model(
        "Configuration",
        __base__=RootSection,
        __doc__=RootSection.__doc__,
        **_fields(section for section in known if not section.within),
        repositories=repositories,
    )


def _fields(sections: Iterable[ConfigSection]) -> dict[str, Any]:
    return {
        section.name: (
            section.annotation,
            Field(default=section.default, description=section.description or None),
        )
        for section in sections
    }


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
