"""The loader: from a document to a validated configuration, or to everything that is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from wats_accel.config.documents import Document
from wats_accel.config.models import ConfigSection, PluginsSection, RootSection
from wats_accel.config.schema import assemble, json_schema, keys_at
from wats_accel.errors import ConfigError, KeyPath, Problem
from wats_accel.suggestions import nearest

_PLAIN_WORDS = (
    (re.compile(r"^Value error, "), ""),
    (re.compile(r"^Input should be a valid dictionary or instance of \w+$"), "expected a mapping"),
    (re.compile(r"^Input should be a valid dictionary$"), "expected a mapping"),
    (re.compile(r"^Input should be "), "expected "),
)


@dataclass(frozen=True, slots=True)
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
    model = assemble(known)
    problems: list[Problem] = []
    root: RootSection | None = None
    try:
        root = model.model_validate(document.data)
    except ValidationError as error:
        problems += _translated(document, model, error)
    problems += _found_across_sections(document, known, {problem.key_path for problem in problems})
    if problems or root is None:
        raise ConfigError(sorted(problems, key=lambda problem: (problem.line or 0, problem.column or 0)))
    return LoadedConfig(root, document)


def peek_plugins(document: Document) -> PluginsSection:
    """Which plugins the document asks for, before it can be validated: they contribute the sections.

    A malformed part counts as empty here; `load` reports it.
    """
    try:
        return PluginsSection.model_validate(document.data.get("plugins", {}))
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
        if section.check is not None
        for finding in section.check(document.data)
        if finding.key_path not in known
    ]


def _translated(document: Document, model: type[RootSection], error: ValidationError) -> list[Problem]:
    schema = json_schema(model)
    return [_problem(document, schema, details) for details in error.errors(include_url=False)]


def _problem(document: Document, schema: dict[str, Any], details: Any) -> Problem:
    path: KeyPath = tuple(part for part in details["loc"] if part != "[key]")
    if details["type"] == "extra_forbidden":
        siblings = keys_at(schema, path[:-1])
        return located(document, f"unknown key{nearest(str(path[-1]), siblings)}", path)
    if details["type"] == "missing":
        return located(document, "this key is required and missing", path)
    return located(document, _in_plain_words(details["msg"]), path)


def _in_plain_words(message: str) -> str:
    for pattern, words in _PLAIN_WORDS:
        message = pattern.sub(words, message)
    return message
