"""Sent texts: the strings that a method can send to a database, wherever in the application they stand.

They are read from the source and not from the running program, so they depend neither on the order of imports
nor on the environment, and no secret that the program has read is among them.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from wats_accel.patching.ownership import origin_of
from wats_accel.patching.source_text import (
    Definition,
    ModuleText,
    SourceTexts,
)

_DEEPEST = 4
"""How many functions deep a text is looked for, from the method itself on."""
_MOST_NODES = 2000
"""After so many functions and expressions the rest is left out: something is odd."""


@dataclass(frozen=True, slots=True)
class Owner:
    """A class whose attributes a method may mean by ``self.name``."""

    module: ModuleText
    definition: ast.ClassDef


@dataclass(frozen=True, slots=True)
class _Place:
    module: ModuleText
    owners: tuple[Owner, ...]
    depth: int


class SentTexts:
    """Collects the texts of one method.

    Args:
        sources: the modules.
        package: the first part of the method's module; that package is looked through even if installed.
    """

    def __init__(self, sources: SourceTexts, package: str) -> None:
        self._sources = sources
        self._package = package
        self._seen: set[ast.AST] = set()
        self._is_own: dict[str, bool] = {}
        self.found: set[str] = set()

    def add(self, node: ast.AST, module: ModuleText, owners: tuple[Owner, ...]) -> None:
        """Take in the texts of a function, and those that its names lead to."""
        self._visit(node, _Place(module, owners, 0))

    def _visit(self, node: ast.AST, place: _Place) -> None:
        if node in self._seen or len(self._seen) > _MOST_NODES or place.depth > _DEEPEST:
            return
        self._seen.add(node)
        words = place.module.words(node)
        self.found |= words.texts
        for name in words.names:
            for bound in place.module.names.get(name, ()):
                self._follow(bound, name, words.attributes, place)
        for owner in place.owners:
            self._follow_members(owner, words.attributes, place)

    def _follow(self, bound: ast.AST, name: str, attributes: Sequence[str], place: _Place) -> None:
        if isinstance(bound, ast.ClassDef):
            self._follow_members(Owner(place.module, bound), attributes, place)
        elif isinstance(bound, Definition):
            self._visit(bound, _Place(place.module, (), place.depth + 1))
        elif isinstance(bound, ast.Import):
            for alias in bound.names:
                if name in (alias.asname, alias.name.partition(".")[0]):
                    self._follow_module(alias.name, attributes, place.depth)
        elif isinstance(bound, ast.ImportFrom):
            self._follow_import(bound, name, attributes, place)
        else:
            self._visit(bound, _Place(place.module, (), place.depth))

    def _follow_import(
        self, bound: ast.ImportFrom, name: str, attributes: Sequence[str], place: _Place
    ) -> None:
        origin = _imported_from(bound, place.module)
        text = self._own(origin)
        for alias in bound.names:
            if name != (alias.asname or alias.name):
                continue
            if text is not None and text is not place.module and place.depth < _DEEPEST:
                for known in text.names.get(alias.name, ()):
                    is_import = isinstance(known, ast.ImportFrom)
                    self._follow(known, alias.name, attributes, _Place(text, (), place.depth + is_import))
            self._follow_module(f"{origin}.{alias.name}", attributes, place.depth)

    def _follow_module(self, module: str, attributes: Sequence[str], depth: int) -> None:
        text = self._own(module)
        if text is not None and depth <= _DEEPEST:
            for name in attributes:
                for bound in text.names.get(name, ()):
                    self._follow(bound, name, attributes, _Place(text, (), depth + 1))

    def _follow_members(self, owner: Owner, attributes: Sequence[str], place: _Place) -> None:
        members = owner.module.members(owner.definition)
        owners = place.owners if owner in place.owners else (owner,)
        for name in attributes:
            for bound in members.get(name, ()):
                deeper = place.depth + isinstance(bound, Definition)
                self._visit(bound, _Place(owner.module, owners, deeper))

    def _own(self, module: str) -> ModuleText | None:
        if module not in self._is_own:
            self._is_own[module] = module.partition(".")[0] == self._package or origin_of(module) == "own"
        return self._sources.of(module) if self._is_own[module] else None


def _imported_from(statement: ast.ImportFrom, module: ModuleText) -> str:
    if not statement.level:
        return statement.module or ""
    parts = module.name.split(".")
    parts = parts[: len(parts) - statement.level + module.is_package]
    return ".".join([*parts, *([statement.module] if statement.module else [])])
