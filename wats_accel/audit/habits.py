"""Habits: what a cached method does besides reading, and what no wrapper can be put around."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wats_accel.audit.coverage import Coverage
from wats_accel.audit.finding import Evidence, Finding
from wats_accel.audit.subject import CachedRead, PatchedWrite, short
from wats_accel.audit.wording import evidence_of, tables_text
from wats_accel.sql.source.facts import SourceMethod

_NO_CALL = ("property", "cached_property", "setter", "contextmanager", "asynccontextmanager")


def habits(coverage: Coverage) -> Iterator[Finding]:
    """Cached methods that write or change their argument, and methods that cannot be patched."""
    for read in coverage.subject.reads:
        if read.methods:
            yield from _writing(coverage, read)
            yield from _changing(coverage, read)
    named: list[CachedRead | PatchedWrite] = [*coverage.subject.reads, *coverage.subject.writes]
    for known in named:
        if known.methods:
            yield from _unpatchable(coverage, known)


def _writing(coverage: Coverage, read: CachedRead) -> Iterator[Finding]:
    knowledge = coverage.subject.knowledge
    writing = [
        source
        for method in read.methods
        for source in knowledge.statements(method.target)
        if source.effect.changes.access
    ]
    if not writing:
        return
    changes = knowledge.changes(read.methods[0].target).access
    yield Finding(
        rule="cached-write",
        severity="warning",
        message=f"the cached {short(read.target)} writes {tables_text(changes, writing)}: "
        "a hit leaves the write out",
        about=(read.target,),
        setting=coverage.subject.setting(read.key_path),
        evidence=evidence_of("the write", writing),
        fix=("enabled: false",),
        fix_at=read.key_path,
    )


def _changing(coverage: Coverage, read: CachedRead) -> Iterator[Finding]:
    method = read.methods[0]
    for name in method.changes_arguments:
        yield Finding(
            rule="changes-argument",
            severity="warning",
            message=f"the cached {short(read.target)} changes its argument {name!r}: a hit does not",
            about=(read.target, name),
            setting=coverage.subject.setting(read.key_path),
            evidence=(Evidence("the method", method.place),),
            fix=("enabled: false",),
            fix_at=read.key_path,
        )


def _unpatchable(coverage: Coverage, known: CachedRead | PatchedWrite) -> Iterator[Finding]:
    method = known.methods[0]
    rule = _rule_of(coverage, known)
    why = refusal(method, materialize=bool(getattr(rule, "materialize", False)))
    if not why:
        return
    can_be_replayed = isinstance(known, CachedRead) and method.is_generator and not method.is_async
    yield Finding(
        rule="cannot-be-patched",
        severity="error",
        message=f"{short(known.target)} is {why}, and is left as it is",
        about=(known.target,),
        setting=coverage.subject.setting(known.key_path),
        evidence=(Evidence("the method", method.place),),
        fix=("materialize: true",) if can_be_replayed else (),
        fix_at=known.key_path,
    )


def _rule_of(coverage: Coverage, known: CachedRead | PatchedWrite) -> Any:
    _, number, section, name = known.key_path
    return getattr(coverage.subject.repositories[int(number)], str(section)).get(name)


def refusal(method: SourceMethod, *, materialize: bool = False) -> str:
    """What a method is, if that cannot be cached; empty if it can."""
    if method.is_async:
        return "an asynchronous generator" if method.is_generator else "a coroutine function"
    for name in method.decorators:
        last = name.rpartition(".")[2]
        if last in _NO_CALL:
            return {"setter": "a property"}.get(last, f"a {last.replace('_', ' ')}")
    if method.is_generator and not materialize:
        return "a generator function"
    return ""
