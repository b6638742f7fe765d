"""The engine's own part of the configuration; features contribute the rest as sections."""

from __future__ import annotations

import keyword
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, WithJsonSchema

from wats_accel.durations import parse_duration
from wats_accel.errors import KeyPath, TargetError
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

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class LoggingSection(Section):
    """What goes to the host's log, through the stdlib logger ``wats_accel``."""

    level: Literal["debug", "info", "warning", "error"] | None = None
    """Level of the logger; by default the host's own. Hits and misses are logged at debug."""
    format: Literal["text", "json"] = "text"
    """One sentence, or one JSON object with all fields, for each event."""
    summary_every: Duration = 0.0
    """One line with the cache's figures in each such interval; 0 for none."""


class PluginsSection(Section):
    """Which plugins are loaded besides the built-in ones."""

    load: list[str] = Field(default=[])
    """Files, or folders of files, relative to this file."""
    disable: list[str] = Field(default=[])
    """Names of plugins that are not to be used, built-in ones among them."""


class RepositorySection(Section):
    """A class, or a module with functions, whose methods have rules. Features add their own keys."""

    target: TargetText
    """``package.module:Class``, or ``package.module`` for functions."""
    scope: AttributePaths = Field(default=[])
    """What tells one database from another, such as ``self.db.connection_string``: answers are shared
    between instances for which it is equal. Without it each instance has its own. Never logged."""
    enabled: StrictBool = True
    """False: its methods are not cached; its writes go on invalidating."""


class RootSection(Section):
    """A whole configuration file. Features add their own sections."""

    version: Literal[1]
    """Version of the format."""
    enabled: StrictBool = True
    """False: nothing is patched."""
    strict: StrictBool = False
    """True: whatever cannot be applied is an error for the application, instead of being left out."""
    logging: LoggingSection = LoggingSection()
    plugins: PluginsSection = PluginsSection()


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong that only a look across sections can find."""

    key_path: KeyPath
    message: str


Check = Callable[[Mapping[str, Any]], Iterable[Finding]]
"""Looks at the whole raw file, which may be malformed anywhere, and gives what it finds wrong."""


@dataclass(frozen=True, slots=True)
class ConfigSection:
    """A plugin's part of the configuration.

    Attributes:
        name: the key in the file.
        annotation: its type: a `Section` subclass, a mapping of them …
        default: used when the file does not have the key.
        within: ``""`` for a key of the file itself, ``"repositories"`` for one of each repository.
        check: a look across sections, if one is needed.
        description: one sentence for the schema.
    """

    name: str
    annotation: Any
    default: Any
    within: Literal["", "repositories"] = ""
    check: Check | None = None
    description: str = ""
