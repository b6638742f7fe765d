"""The proposal: what a configuration would say, before it is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from wats_accel.audit.literals import literal_of
from wats_accel.durations import format_duration
from wats_accel.targets import Target

URGENT_SECONDS, USUAL_SECONDS, LONG_SECONDS = 60.0, 300.0, 600.0


@dataclass(frozen=True, slots=True)
class ProposedRead:
    """A read that is worth caching.

    Attributes:
        target: ``package.module:Class.method``.
        namespace: that its entries would belong to.
        why: in a few words, for a comment.
        ttl_seconds: how long an answer would be good.
        max_age_seconds: the bound for an answer that time alone changes; 0 for none.
        failures: what it answers after an error, as Python spells it.
        why_not: why it is left out after all; empty if it is not.
    """

    target: str
    namespace: str
    why: str
    ttl_seconds: float = USUAL_SECONDS
    max_age_seconds: float = 0.0
    failures: tuple[str, ...] = ()
    why_not: tuple[str, ...] = ()

    @property
    def method(self) -> str:
        """The method's own name."""
        return Target.parse(self.target).name

    @property
    def owner(self) -> str:
        """The class, or the module of a function."""
        return owner_of(self.target)

    def options(self, namespace_ttl_seconds: float) -> dict[str, Any]:
        """What its rule says, as the file has it, besides its namespace."""
        options: dict[str, Any] = {}
        if self.ttl_seconds != namespace_ttl_seconds:
            options["ttl"] = format_duration(self.ttl_seconds)
        if self.max_age_seconds:
            options["max_age_from_clock"] = format_duration(self.max_age_seconds)
        if self.failures:
            options["unless_result"] = [literal_of(text) for text in self.failures]
        return options


@dataclass(frozen=True, slots=True)
class ProposedWrite:
    """A write that has to drop something, and what its statements change."""

    target: str
    patterns: tuple[str, ...]
    why: str

    @property
    def method(self) -> str:
        """The method's own name."""
        return Target.parse(self.target).name

    @property
    def owner(self) -> str:
        """The class, or the module of a function."""
        return owner_of(self.target)


@dataclass(frozen=True, slots=True)
class Driver:
    """A driver that the tree imports: its `connect`, and why it is not pooled; empty if it is."""

    connect: str
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A whole configuration.

    Attributes:
        reads: all that were looked at; those with `why_not` are written as comments.
        writes: all that have to drop something.
        scopes: for each class, the path to what tells one database from another; absent if not found.
        drivers: what the tree imports.
        dialect: of its SQL.
        schema_files: files of schema, as the configuration is to name them.
        exclude: patterns of files that are no part of the application.
        tree: what the source tree is called, for the heading.
    """

    reads: tuple[ProposedRead, ...]
    writes: tuple[ProposedWrite, ...] = ()
    scopes: Mapping[str, str] = field(default_factory=dict)
    drivers: tuple[Driver, ...] = ()
    dialect: str = ""
    schema_files: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    tree: str = "."

    @property
    def cached(self) -> list[ProposedRead]:
        """The reads that would be cached."""
        return [read for read in self.reads if not read.why_not]

    @property
    def owners(self) -> list[str]:
        """Every class and module that has a rule, or a read that was left out."""
        owners = [read.owner for read in self.reads] + [write.owner for write in self.writes]
        return sorted(set(owners))

    @property
    def namespaces(self) -> dict[str, float]:
        """The namespaces, each with its usual TTL in seconds: that of most of its reads."""
        found: dict[str, list[float]] = {}
        for read in self.cached:
            found.setdefault(read.namespace, []).append(read.ttl_seconds)
        return {name: max(sorted(set(ttls)), key=ttls.count) for name, ttls in sorted(found.items())}

    def as_mapping(self) -> dict[str, Any]:
        """The configuration as plain data, as its file would be read."""
        namespaces = self.namespaces
        return {
            "version": 1,
            **self._sections(),
            "cache": {
                "namespaces": {name: {"ttl": format_duration(ttl)} for name, ttl in namespaces.items()}
            },
            "repositories": [
                entry for owner in self.owners if (entry := self._entry(owner, namespaces)) is not None
            ],
        }

    def _sections(self) -> dict[str, Any]:
        sections: dict[str, Any] = {}
        sql: dict[str, Any] = {}
        if self.dialect:
            sql["dialect"] = self.dialect
        if self.schema_files:
            sql["schema"] = list(self.schema_files)
        if self.exclude:
            sql["exclude"] = list(self.exclude)
        if sql:
            sections["sql"] = sql
        pooled = [driver for driver in self.drivers if not driver.why_not]
        if pooled:
            sections["pool"] = [{"connect": driver.connect} for driver in pooled]
        return sections

    def _entry(self, owner: str, namespaces: Mapping[str, float]) -> dict[str, Any] | None:
        reads = [read for read in self.cached if read.owner == owner]
        writes = [write for write in self.writes if write.owner == owner]
        if not reads and not writes:
            return None
        entry: dict[str, Any] = {"target": owner}
        if reads and owner in self.scopes:
            entry["scope"] = self.scopes[owner]
        if reads:
            entry["cached"] = {read.method: _rule(read, namespaces) for read in reads}
        if writes:
            entry["invalidates"] = {write.method: list(write.patterns) for write in writes}
        return entry


def _rule(read: ProposedRead, namespaces: Mapping[str, float]) -> Any:
    options = read.options(namespaces[read.namespace])
    return {"namespace": read.namespace, **options} if options else read.namespace


def owner_of(target: str) -> str:
    """The class of a method, or the module of a function."""
    parsed = Target.parse(target)
    path = parsed.path.rpartition(".")[0]
    return str(Target(parsed.module, path))
