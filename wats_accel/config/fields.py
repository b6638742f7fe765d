"""What sections are made of: durations, targets, lists that may be one text, and the base of them all."""

from __future__ import annotations

import keyword
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    WithJsonSchema,
    model_validator,
)

from wats_accel.durations import parse_duration
from wats_accel.errors import TargetError
from wats_accel.targets import Target

_AMOUNT = r"\d+(\.\d+)?"
_DURATION_PATTERN = (
    r"^\s*(?=\S)(\d+|"
    + "".join(rf"({_AMOUNT}{unit}\s*)?" for unit in ("w", "d", "h", "m", "s", "ms"))
    + r")\s*$"
)
_DURATION_SCHEMA = {
    "description": "A duration such as 60s, 5m or 1h30m, or a number of seconds.",
    "anyOf": [
        {"type": "number", "minimum": 0},
        {"type": "string", "pattern": _DURATION_PATTERN},
    ],
}

Duration = Annotated[float, BeforeValidator(parse_duration), WithJsonSchema(_DURATION_SCHEMA)]
"""Seconds; in a file ``60s``, ``5m``, ``1h30m`` or a number."""


def _one_or_several(value: object) -> object:
    return [value] if isinstance(value, str) else value


OneOrSeveral = Annotated[
    list[str],
    BeforeValidator(_one_or_several),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
"""A list of texts; in a file one text may stand alone."""


def _target(text: str) -> str:
    try:
        return str(Target.parse(text))
    except TargetError:  # its own words show the text, and nobody knows what stands there
        raise ValueError("expected a target such as 'package.module:Class' or 'package.module'") from None


TargetText = Annotated[str, AfterValidator(_target)]
"""``package.module:Class``, or ``package.module`` for its functions."""


def _is_name(text: str) -> bool:
    return text.isidentifier() and not keyword.iskeyword(text)


def _method(text: str) -> str:
    if not _is_name(text):
        raise ValueError("expected the name of a method")
    return text


MethodName = Annotated[str, AfterValidator(_method)]
"""The name of a method, as the key of its rule."""


def _paths(texts: list[str]) -> list[str]:
    if not all(_is_name(part) for text in texts for part in text.split(".")):
        raise ValueError("expected attributes such as 'self.db.connection_string'")
    return texts


AttributePaths = Annotated[OneOrSeveral, AfterValidator(_paths)]
"""Attributes to be read in each call, such as ``self.db.connection_string``: one, or a list."""


class Section(BaseModel):
    """Base of every section: unknown keys are errors, and a loaded section does not change."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        defer_build=True,  # each is built as a part of the whole anyway; twice is half of the time
    )

    def __repr_args__(self) -> Iterator[tuple[str | None, object]]:
        """Only which keys there are: a plugin's own section may hold a server's address, password and all."""
        return ((None, name) for name in sorted(self.model_fields_set))

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: Any) -> dict[str, Any]:
        """The schema, with the docstrings of the attributes as descriptions."""
        from wats_accel.config.docstrings import add_descriptions  # noqa: PLC0415 - reads sources

        schema: dict[str, Any] = handler(core_schema)
        add_descriptions(cls, handler.resolve_ref_schema(schema))
        return schema


class ShortSection(Section):
    """A section that a file may also give in short: as something that is no mapping."""

    @classmethod
    def lengthened(cls, value: object) -> object:
        """The long form of what stands in the file, or `value` itself if it is no short form.

        Raises:
            ValueError: it is neither; the message says what was expected.
        """
        raise NotImplementedError

    @classmethod
    def short_schemas(cls, long_form: dict[str, Any]) -> list[dict[str, Any]]:
        """The JSON Schemas of the short forms; `long_form` is that of the mapping."""
        raise NotImplementedError

    @model_validator(mode="before")
    @classmethod
    def _lengthen(cls, value: object) -> object:
        return cls.lengthened(value)

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: Any) -> dict[str, Any]:
        schema = super().__get_pydantic_json_schema__(core_schema, handler)
        long_form: dict[str, Any] = handler.resolve_ref_schema(schema)
        return {"anyOf": [*cls.short_schemas(long_form), long_form]}
