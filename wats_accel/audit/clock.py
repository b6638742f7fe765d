"""Clock: cached reads that time alone changes, and that may get older than anybody has said."""

from __future__ import annotations

from collections.abc import Iterator

from wats_accel.audit.coverage import Coverage
from wats_accel.audit.finding import Evidence, Finding
from wats_accel.audit.subject import CachedRead, short
from wats_accel.audit.walks import walk
from wats_accel.audit.wording import evidence_of
from wats_accel.durations import format_duration
from wats_accel.sql.source.facts import SourceMethod

_PROPOSED_SECONDS = 60


def unbounded(coverage: Coverage) -> Iterator[Finding]:
    """Each cached read that depends on the time of day, and has neither a bound nor an end."""
    for read in coverage.subject.reads:
        if not read.rules.ages.max_age_seconds and not read.rules.ages.valid_until:
            evidence = clock_evidence(coverage, read)
            if evidence:
                yield _finding(coverage, read, evidence)


def clock_evidence(coverage: Coverage, read: CachedRead) -> tuple[Evidence, ...]:
    """Where a read asks for the time itself; what other cached reads ask for, these bound themselves."""

    def ends(inner: SourceMethod) -> bool:
        return coverage.subject.read_of(inner.target) not in (None, read)

    knowledge = coverage.subject.knowledge
    places = {
        place
        for method in read.methods
        for known in walk(knowledge, method.target, ends)
        for place in known.clock
    }
    in_sql = [source for source in coverage.facts_of(read).own if source.effect.reads_clock]
    return (
        *(Evidence("the time of day", place) for place in sorted(places)),
        *evidence_of("the time of day", in_sql),
    )


def _finding(coverage: Coverage, read: CachedRead, evidence: tuple[Evidence, ...]) -> Finding:
    ttl = read.rules.ttl_seconds
    age = f"for up to {format_duration(ttl)}" if ttl else "until a write drops it"
    proposed = min(ttl, _PROPOSED_SECONDS) if ttl else _PROPOSED_SECONDS
    return Finding(
        rule="clock",
        severity="warning",
        message=(
            f"the answer of {short(read.target)} changes with the time of day and is kept {age}; "
            "neither max_age_from_clock nor valid_until says that this is meant"
        ),
        about=(read.target,),
        setting=coverage.subject.setting(read.key_path),
        evidence=evidence,
        fix=(f"max_age_from_clock: {format_duration(proposed)}",),
        fix_at=read.key_path,
    )
