"""A source tree and a configuration put together by hand: what the audit makes of them is all its own."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from wats_accel.assembly import Assembly, assemble
from wats_accel.audit.audit import Outcome, audit
from wats_accel.config.sources import mapping_document
from wats_accel.event_bus import EventBus
from wats_accel.sql.access import ANY, access
from wats_accel.sql.facts import Facts, Unknown, Write
from wats_accel.sql.schema import Schema
from wats_accel.sql.source.facts import (
    FailureAnswer,
    Place,
    SourceCall,
    SourceFacts,
    SourceMethod,
    SourceStatement,
    SourceUnknown,
)
from wats_accel.sql.source.knowledge import Knowledge

Tables = Mapping[str, Sequence[str]]
CLASS = "shop.orders:Orders"
_FILE = "shop/orders.py"


class Tree:
    """Collects methods, each on a line of its own."""

    def __init__(self) -> None:
        self.methods: dict[str, SourceMethod] = {}

    def method(
        self,
        name: str,
        *parameters: str,
        reads: Tables | None = None,
        sets: Tables | None = None,
        deletes: Iterable[str] = (),
        calls: Iterable[str] = (),
        text: str = "",
        hidden: str = "",
        line: int = 0,
        **given: Any,
    ) -> str:
        """Add ``name`` of `CLASS`, or a whole target; gives its target."""
        target = name if ":" in name else f"{CLASS}.{name}"
        place = Place(_FILE, line or 10 * (len(self.methods) + 1))
        facts = Facts(
            kinds=("select" if reads else "update",),
            reads=access(reads or {}),
            writes=(
                *(Write(table, "update", frozenset(columns)) for table, columns in (sets or {}).items()),
                *(Write(table, "delete", frozenset({ANY})) for table in deletes),
            ),
            unknowns=(Unknown(hidden, "both"),) if hidden else (),
        )
        has_sql = bool(reads or sets or deletes or hidden)
        statement = SourceStatement(text or f"the SQL of {name}", facts, Place(_FILE, place.line + 1))
        self.methods[target] = SourceMethod(
            target,
            place,
            parameters=parameters,
            statements=(statement,) if has_sql else (),
            calls=tuple(SourceCall(_whole(known), place) for known in calls),
            **given,
        )
        return target

    def audited(
        self,
        config: Mapping[str, Any],
        schema: Schema | None = None,
        *,
        folder: Path = Path("nowhere"),
        unreadable: Iterable[SourceUnknown] = (),
    ) -> Outcome:
        """Hold a configuration against these methods."""
        facts = SourceFacts(dict(self.methods), tuple(unreadable))
        return audit(assembly(config), Knowledge(facts, schema or Schema()), folder)


def _whole(name: str) -> str:
    return name if ":" in name else f"{CLASS}.{name}"


def unknown(what: str, line: int = 1) -> SourceUnknown:
    """Something that could not be analysed."""
    return SourceUnknown(what, Place(_FILE, line))


def failing(text: str, after: str = "") -> FailureAnswer:
    """A constant that an except branch returns, or that follows from the failure of another method."""
    return FailureAnswer(text, Place(_FILE, 7), _whole(after) if after else "")


def config(
    cached: Mapping[str, Any], invalidates: Mapping[str, Any] | None = None, **sections: Any
) -> dict[str, Any]:
    """A configuration of one repository, `CLASS`, with the namespaces ``orders`` and ``users``."""
    repository = {"target": CLASS, "scope": "self.url", "cached": dict(cached)}
    if invalidates:
        repository["invalidates"] = dict(invalidates)
    namespaces = {"orders": {"ttl": "60s"}, "users": {"ttl": "5m"}}
    cache = {"namespaces": namespaces}
    return {"version": 1, "cache": cache, "repositories": [repository], **sections}


def assembly(config: Mapping[str, Any]) -> Assembly:
    """An assembly of a configuration; nothing is installed."""
    document = mapping_document(config)
    return assemble(document, clock=time.monotonic, bus=EventBus(), report=lambda problem: None)


def told(outcome: Outcome, *rules: str) -> list[tuple[str, ...]]:
    """What the findings of these kinds are about, in short; of all kinds but notes if none is named."""
    return [
        (finding.rule, *(part.removeprefix(f"{CLASS}.") for part in finding.about))
        for finding in outcome.findings
        if (finding.rule in rules if rules else finding.severity != "note")
    ]
