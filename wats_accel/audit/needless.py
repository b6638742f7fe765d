"""Needless rules: patterns that drop only what their write cannot affect."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from wats_accel.audit.coverage import Coverage
from wats_accel.audit.finding import Finding
from wats_accel.audit.subject import CachedRead, PatchedWrite, short
from wats_accel.audit.wording import evidence_of
from wats_accel.patterns import KeyPattern


def needless(coverage: Coverage) -> Iterator[Finding]:
    """Each pattern whose reads are all known, and all out of its write's reach."""
    for write in coverage.subject.writes:
        if write.methods and not _is_hidden(coverage, write):
            for pattern in write.patterns:
                reads = coverage.subject.reads_named(pattern)
                if reads and all(_is_out_of_reach(coverage, write, read) for read in reads):
                    yield _finding(coverage, write, pattern, reads)


def _is_hidden(coverage: Coverage, write: PatchedWrite) -> bool:
    knowledge = coverage.subject.knowledge
    return any(knowledge.changes(method.target).unknown for method in write.methods)


def _is_out_of_reach(coverage: Coverage, write: PatchedWrite, read: CachedRead) -> bool:
    knowledge = coverage.subject.knowledge
    if not read.methods or any(knowledge.reads(method.target).unknown for method in read.methods):
        return False
    return not any(
        knowledge.changes(writer.target).concern(knowledge.reads(reader.target))
        for writer in write.methods
        for reader in read.methods
    )


def _finding(
    coverage: Coverage, write: PatchedWrite, pattern: KeyPattern, reads: Sequence[CachedRead]
) -> Finding:
    names = ", ".join(short(read.target) for read in reads[:3]) + (" …" if len(reads) > 3 else "")
    sources = coverage.subject.knowledge.statements(write.methods[0].target)
    changing = [source for source in sources if source.effect.changes]
    what = "changes nothing that is read by" if changing else "changes nothing; so it cannot affect"
    return Finding(
        rule="useless-rule",
        severity="warning",
        message=f"{short(write.target)} {what} {names}; the pattern {pattern.text!r} costs hits for nothing",
        about=(write.target, pattern.text),
        setting=coverage.subject.setting(write.key_path),
        evidence=evidence_of("the write", changing),
    )
