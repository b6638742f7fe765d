"""Gaps: what could not be analysed, so that silence about the rest means that it is covered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from wats_accel.audit.coverage import Coverage, is_public
from wats_accel.audit.covering import cover
from wats_accel.audit.finding import Evidence, Finding, Severity
from wats_accel.audit.fixes import rule_fix
from wats_accel.audit.subject import CachedRead, short
from wats_accel.audit.walks import sources, unknowns
from wats_accel.audit.wording import spelt
from wats_accel.sql.access import NOTHING
from wats_accel.sql.source.facts import SourceMethod, SourceUnknown

_MOST_REASONS = 4


def gaps(coverage: Coverage) -> Iterator[Finding]:
    """Reads and writes that are not wholly known, files that cannot be read, a schema that is missing."""
    subject = coverage.subject
    for unreadable in subject.knowledge.source.unreadable:
        yield Finding(
            rule="unreadable",
            severity="warning",
            message=f"{unreadable.place.file} cannot be read: {unreadable.what}",
            about=(unreadable.place.file,),
            setting=subject.setting(),
            evidence=(Evidence("the file", unreadable.place),),
        )
    yield from _unknown_reads(coverage)
    yield from _unknown_writes(coverage)
    yield from _schema_gaps(coverage)


# -- reads and writes ----------------------------------------------------------------------------------


def _unknown_reads(coverage: Coverage) -> Iterator[Finding]:
    for read in coverage.subject.reads:
        if read.methods and coverage.facts_of(read).reads.unknown:
            reasons = _reasons_of_read(coverage, read)
            what = f"; {reasons[0].what}" if reasons else ""
            yield Finding(
                rule="not-analysed",
                severity=_severity(coverage),
                message=f"what {short(read.target)} reads is not wholly known, so no rules are sure to cover "
                f"it{what}",
                about=(read.target,),
                setting=coverage.subject.setting(read.key_path),
                evidence=_evidence(reasons),
            )


def _reasons_of_read(coverage: Coverage, read: CachedRead) -> list[SourceUnknown]:
    facts = coverage.facts_of(read)
    knowledge = coverage.subject.knowledge
    reasons = list(facts.unknown)
    for source in facts.own:
        if source.effect.reads.unknown:
            told = [unknown.what for unknown in source.statement.facts.unknowns if unknown.hides != "writes"]
            told += knowledge.schema.unknowns(source.statement.facts, strict=knowledge.strict)
            reasons += [SourceUnknown(what, source.statement.place) for what in told]
    return list(dict.fromkeys(reasons))


def _unknown_writes(coverage: Coverage) -> Iterator[Finding]:
    subject = coverage.subject
    if not subject.reads:
        return
    told = {method.target for read in subject.reads for method in read.methods}
    for method in coverage.entries():
        reasons = _reasons_of_write(coverage, method)
        if not reasons or method.target in told or _is_told_elsewhere(coverage, method):
            continue
        if all(_is_dropped(coverage, method, read) for read in subject.reads):
            continue
        fix, fix_at = rule_fix(subject, method.target, ["*"])
        rules = subject.writes_of(method.target)
        yield Finding(
            rule="not-analysed",
            severity=_severity(coverage),
            message=f"what {short(method.target)} changes is not wholly known, so it may concern every "
            f"cached read; {reasons[0].what}",
            about=(method.target,),
            setting=subject.setting(rules[0].key_path if rules else ()),
            evidence=_evidence(reasons),
            fix=fix,
            fix_at=fix_at,
        )


def _reasons_of_write(coverage: Coverage, method: SourceMethod) -> list[SourceUnknown]:
    knowledge = coverage.subject.knowledge
    elsewhere = not coverage.subject.is_called(method)
    found = unknowns(knowledge, method.target, is_public, from_elsewhere=elsewhere)
    reasons = [known for known in found if not coverage.loose_calls.hides_nothing(known)]
    for source in sources(knowledge, method.target, is_public, from_elsewhere=elsewhere):
        if source.effect.changes.unknown:
            facts = source.statement.facts
            told = [unknown.what for unknown in facts.unknowns if unknown.hides != "reads"]
            told += knowledge.schema.unknowns(facts, strict=knowledge.strict)
            reasons += [SourceUnknown(what, source.statement.place) for what in told]
    return list(dict.fromkeys(reasons))


def _is_told_elsewhere(coverage: Coverage, method: SourceMethod) -> bool:
    """Whether the class that defines a method tells of it, or the subclasses that complete it do."""
    subject = coverage.subject
    definition = subject.definitions.of(method)
    if definition != method.target:
        return bool(_reasons_of_write(coverage, subject.knowledge.source.methods[definition]))
    heirs = subject.definitions.heirs(method)
    return bool(heirs) and not any(_reasons_of_write(coverage, heir) for heir in heirs)


def _is_dropped(coverage: Coverage, method: SourceMethod, read: CachedRead) -> bool:
    rules = coverage.subject.writes_of(method.target)
    patterns = [pattern for rule in rules for pattern in rule.patterns]
    return cover(patterns, method, read, NOTHING, ()).degree == "all"


def _severity(coverage: Coverage) -> Severity:
    """At run time the SQL is whole; where it decides, it is known then."""
    return "warning" if coverage.subject.mode == "rules" else "note"


def _evidence(reasons: Iterable[SourceUnknown]) -> tuple[Evidence, ...]:
    found = [Evidence("not known", reason.place, reason.what) for reason in reasons]
    return tuple(found[:_MOST_REASONS])


# -- the schema ----------------------------------------------------------------------------------------


def _schema_gaps(coverage: Coverage) -> Iterator[Finding]:
    subject = coverage.subject
    if subject.assembly.config.root.sql.assume_plain_tables:
        return
    schema = subject.knowledge.schema
    if not schema.tables:
        yield Finding(
            rule="no-schema",
            severity="warning" if subject.mode == "sql" else "note",
            message="no schema is known: cascades, triggers and views of the database are not seen"
            + (", and no answer is kept, as any name may be a view" if subject.mode == "sql" else ""),
            about=(),
            setting=subject.setting(),
        )
        return
    seen: dict[str, Evidence] = {}
    texts: list[str] = []
    for method in subject.knowledge.source.methods.values():
        for statement in method.statements:
            names = [*statement.facts.reads, *(write.table for write in statement.facts.writes)]
            for name in names:
                if not schema.has(name) and name not in seen:
                    seen[name] = Evidence("the statement", statement.place, statement.text)
                    texts.append(statement.text)
    for name, evidence in sorted(seen.items()):
        yield Finding(
            rule="unknown-table",
            severity="warning",
            message=f"the schema does not have {spelt(name, texts)}: it may be a view, or have triggers",
            about=(name,),
            setting=subject.setting(),
            evidence=(evidence,),
        )
