"""The subject: what a configuration says of each method, and what the source tree says of the same one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from wats_accel.assembly import Assembly
from wats_accel.audit.definitions import Definitions
from wats_accel.audit.finding import Setting
from wats_accel.cache.region_rules import RegionRules
from wats_accel.errors import KeyPath
from wats_accel.invalidation import WriteRule
from wats_accel.patterns import KeyPattern
from wats_accel.sql.source.facts import SourceMethod
from wats_accel.sql.source.files import read_files
from wats_accel.sql.source.index import Index
from wats_accel.sql.source.knowledge import Knowledge
from wats_accel.targets import Target


@dataclass(frozen=True, slots=True, eq=False)  # one of a kind, and its rules may hold lists
class CachedRead:
    """A method that the configuration has cached.

    Attributes:
        rules: what the cache was told of it.
        key_path: where its rule stands.
        methods: those of the source that its wrapper answers for: its own, and what subclasses inherit.
    """

    rules: RegionRules
    key_path: KeyPath
    methods: tuple[SourceMethod, ...]

    @property
    def target(self) -> str:
        """``package.module:Class.method``, as configured."""
        return self.rules.target

    @property
    def name(self) -> tuple[str, str]:
        """Namespace and method: what a pattern names it by."""
        return self.rules.namespace, self.rules.method

    @property
    def everything(self) -> str:
        """The pattern that drops all its entries."""
        return f"{self.rules.namespace}:{self.rules.method}:*"


@dataclass(frozen=True, slots=True, eq=False)
class PatchedWrite:
    """A method that the configuration has drop entries. Fields as of `CachedRead`."""

    rule: WriteRule
    key_path: KeyPath
    methods: tuple[SourceMethod, ...]

    @property
    def target(self) -> str:
        """``package.module:Class.method``, as configured."""
        return self.rule.target

    @property
    def patterns(self) -> tuple[KeyPattern, ...]:
        """What it drops."""
        return self.rule.patterns


class Subject:
    """A configuration and a source tree, joined method by method.

    Args:
        assembly: of the configuration.
        knowledge: of the source tree.
        folder: the source tree.
    """

    def __init__(self, assembly: Assembly, knowledge: Knowledge, folder: Path) -> None:
        self.assembly = assembly
        self.knowledge = knowledge
        self.folder = folder
        self.definitions = Definitions(knowledge.source, folder)
        self._callers: dict[str, list[SourceMethod]] = {}
        for method in knowledge.source.methods.values():
            for called in dict.fromkeys(call.target for call in method.calls):
                if called != method.target:
                    self._callers.setdefault(called, []).append(method)
        self._named: dict[tuple[str, str], Sequence[CachedRead]] = {}
        self.reads = tuple(self._reads())
        self.writes = tuple(self._writes())
        self._writes_of: dict[str, list[PatchedWrite]] = {}
        for write in self.writes:
            for method in write.methods:
                self._writes_of.setdefault(method.target, []).append(write)
        self._reads_of = {method.target: read for read in self.reads for method in read.methods}

    # -- the configuration ------------------------------------------------------------------------------

    @property
    def repositories(self) -> Sequence[Any]:
        """The repositories of the configuration, as their models."""
        return self.assembly.context.repositories

    @property
    def mode(self) -> str:
        """What drops entries at run time: ``rules``, ``sql`` or ``both``."""
        section = getattr(self.assembly.config.root, "invalidation", None)
        return str(getattr(section, "mode", "rules"))

    def setting(self, key_path: KeyPath = ()) -> Setting:
        """A place in the configuration."""
        found = self.assembly.config.problem("", key_path)
        return Setting(found.file or "", key_path, found.line, found.column)

    def _reads(self) -> Iterator[CachedRead]:
        caches = self.assembly.context.caches
        for number, repository in enumerate(self.repositories):
            for method in repository.cached:
                target = str(Target.parse(repository.target).child(method))
                region = caches.of_target(target)
                if region is not None and not region.suspended:
                    path = ("repositories", number, "cached", method)
                    yield CachedRead(region.rules, path, self.definitions.sharing(target))

    def _writes(self) -> Iterator[PatchedWrite]:
        invalidator = self.assembly.context.invalidator
        for number, repository in enumerate(self.repositories):
            for method in repository.invalidates:
                target = str(Target.parse(repository.target).child(method))
                rule = invalidator.of_target(target)
                if rule is not None:
                    path = ("repositories", number, "invalidates", method)
                    yield PatchedWrite(rule, path, self.definitions.sharing(target))

    # -- the source -------------------------------------------------------------------------------------

    @cached_property
    def index(self) -> Index:
        """The classes of the tree, by name. Read when somebody first asks."""
        return Index(read_files(self.folder)[0])

    def is_called(self, method: SourceMethod) -> bool:
        """Whether another method of the tree calls it. If none does, its callers are elsewhere."""
        return method.target in self._callers

    def callers_of(self, method: SourceMethod) -> Sequence[SourceMethod]:
        """The other methods of the tree that call it."""
        return self._callers.get(method.target, ())

    def read_of(self, target: str) -> CachedRead | None:
        """The cached read that answers calls of a method of the source, if there is one."""
        return self._reads_of.get(target)

    def reads_named(self, pattern: KeyPattern) -> Sequence[CachedRead]:
        """The cached reads whose entries a pattern may drop. Remembered by its words."""
        key = (pattern.namespace, pattern.method)
        if key not in self._named:
            self._named[key] = [read for read in self.reads if pattern.names(*read.name)]
        return self._named[key]

    def writes_of(self, target: str) -> Sequence[PatchedWrite]:
        """The rules that are applied when a method of the source is called."""
        return self._writes_of.get(target, ())


def short(target: str) -> str:
    """A target as people say it: ``Class.method``, or a function's own name."""
    return target.partition(":")[2] or target
