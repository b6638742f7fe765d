"""The loader: from a document to a validated configuration, or to everything that is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from wats_accel.config.documents import Document
from wats_accel.config.models import ConfigSection, Finding, PluginsSection, RootSection
from wats_accel.config.schema import assemble, json_schema, keys_at
from wats_accel.errors import ConfigError, KeyPath, Problem
from wats_accel.records import record
from wats_accel.suggestions import nearest

_Model = TypeVar("_Model", bound=BaseModel)

_PLAIN_WORDS = (  # patterns as texts: most files have nothing wrong
    (r"^Value error, ", ""),
    (r"^Input should be a valid dictionary or instance of \w+$", "expected a mapping"),
    (r"^Input should be a valid dictionary$", "expected a mapping"),
    (r"^Input should be a valid list$", "expected a list"),
    (r"^Input should be a valid string$", "expected text"),
    (r"^Input should be a valid boolean$", "expected true or false"),
    (r"^Input should be a valid integer$", "expected a whole number"),
    (r"^List should have at least (\d+) item.*", r"expected a list of \1 or more"),
    (r"^Input should be (?=greater|less)", "expected a number "),
    (r"^Input should be ", "expected "),
)


@record(frozen=True, slots=True)
class LoadedConfig:
    """A valid configuration, and the document that it was read from."""

    root: RootSection
    document: Document

    def problem(self, message: str, key_path: KeyPath = (), *, target: str | None = None) -> Problem:
        """A problem with the place in the file that `key_path` has."""
        return located(self.document, message, key_path, target=target)


def load(document: Document, sections: Iterable[ConfigSection]) -> LoadedConfig:
    """Validate a document against the engine's and the features' sections.

    Raises:
        ConfigError: with every problem found, in the order of the file.
    """
    known = list(sections)
    problems: list[Problem] = []
    root: RootSection | None = None
    try:
        root = assemble(known, document.data).model_validate(document.data)
    except ValidationError as error:
        problems += _translated(document, assemble(known), error)
    problems += _found_across_sections(document, known, {problem.key_path for problem in problems})
    if problems or root is None:
        raise ConfigError(_in_order(problems))
    return LoadedConfig(root, document)


def peek_plugins(document: Document) -> PluginsSection:
    """Which plugins the document asks for, before it can be validated: they contribute the sections.

    A malformed part counts as empty here; `load` reports it.
    """
    if "plugins" not in document.data:
        return PluginsSection.model_construct()
    try:
        return PluginsSection.model_validate(document.data["plugins"])
    except ValidationError:
        return PluginsSection()


def located(
    document: Document, message: str, key_path: KeyPath = (), *, target: str | None = None
) -> Problem:
    """A problem at a key path of a document."""
    position = document.position(key_path)
    return Problem(
        message,
        key_path,
        file=document.name,
        line=position.line if position else None,
        column=position.column if position else None,
        target=target,
    )


def _found_across_sections(
    document: Document, sections: Iterable[ConfigSection], known: set[KeyPath]
) -> list[Problem]:
    return [
        located(document, finding.message, finding.key_path)
        for section in sections
        for finding in _findings(section, document.data, data_is_valid=not known)
        if finding.key_path not in known
    ]


def _findings(section: ConfigSection, data: dict[str, Any], *, data_is_valid: bool) -> list[Finding]:
    try:
        return list(section.check(data)) if section.check is not None else []
    except Exception as error:  # noqa: BLE001 - a plugin's check may raise anything
        message = f"the check of {section.name!r} failed: {type(error).__name__}"
        # Over data that is wrong anyway it may have stumbled for that very reason.
        return [Finding((section.name,), message)] if data_is_valid else []


def _in_order(problems: list[Problem]) -> list[Problem]:
    return sorted(problems, key=lambda problem: (problem.line or 0, problem.column or 0))


def _translated(document: Document, model: type[BaseModel], error: ValidationError) -> list[Problem]:
    schema = json_schema(model)
    return [_problem(document, schema, details) for details in error.errors(include_url=False)]


def validated(document: Document, model: type[_Model]) -> _Model:
    """Validate a document of another kind than a configuration, such as a file of schema.

    Raises:
        ConfigError: with every problem found, in the order of the file.
    """
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        raise ConfigError(_in_order(_translated(document, model, error))) from None


def _problem(document: Document, schema: dict[str, Any], details: Any) -> Problem:
    path = _as_written(document.data, details["loc"])
    if details["type"] == "extra_forbidden":
        siblings = keys_at(schema, path[:-1])
        return located(document, f"unknown key{nearest(str(path[-1]), siblings)}", path)
    if details["type"] == "missing":
        return located(document, "this key is required and missing", path)
    return located(document, _in_plain_words(details["msg"]), path)


def _as_written(data: Any, loc: KeyPath) -> KeyPath:
    """The key path in the file: without the keys that only the long form of a short one has."""
    path: list[str | int] = []
    for part in loc[:-1] if loc[-1:] == ("[key]",) else loc:  # so pydantic says that a key itself is wrong
        if isinstance(part, str) and isinstance(data, dict):
            data = data.get(part)
        elif isinstance(part, int) and isinstance(data, list):
            data = data[part]
        else:
            continue
        path.append(part)
    return tuple(path)


def _in_plain_words(message: str) -> str:
    for pattern, words in _PLAIN_WORDS:
        message = re.sub(pattern, words, message)
    return message
