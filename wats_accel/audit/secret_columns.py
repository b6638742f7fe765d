"""Secrets: cached answers with columns that look like passwords, hashes or tokens."""

from __future__ import annotations

from collections.abc import Iterator

from wats_accel.audit.coverage import Coverage
from wats_accel.audit.finding import Evidence, Finding
from wats_accel.audit.subject import CachedRead, short
from wats_accel.audit.wording import evidence_of, spelt
from wats_accel.secret_names import SecretNames
from wats_accel.sql.access import ANY, Access
from wats_accel.sql.schema import Schema
from wats_accel.sql.source.knowledge import Knowledge


def cached_secrets(coverage: Coverage) -> Iterator[Finding]:
    """Each cached read whose answers look like holding secrets."""
    subject = coverage.subject
    secret = SecretNames(subject.assembly.config.root.sql.secret_columns)
    for read in subject.reads:
        found = dict.fromkeys(
            name for method in read.methods for name in secrets_of(subject.knowledge, method.target, secret)
        )
        if found:
            yield _finding(coverage, read, list(found))


def secrets_of(knowledge: Knowledge, target: str, secret: SecretNames) -> list[str]:
    """What of a method's answer looks like a secret: columns that it reads, or its own name."""
    sources = knowledge.statements(target)
    texts = [source.statement.text for source in sources]
    found = [
        spelt(name, texts)
        for source in sources
        for name in _columns(source.effect.reads.access, knowledge.schema)
        if name in secret
    ]
    own = target.rpartition(".")[2].rpartition(":")[2]
    return list(dict.fromkeys([*found, *([f"{own}()"] if own in secret else [])]))


def _columns(access: Access, schema: Schema) -> Iterator[str]:
    for table in access:
        columns = access.columns(table)
        known = schema.tables.get(table)
        yield from sorted((known.columns or ()) if ANY in columns and known is not None else columns)


def _finding(coverage: Coverage, read: CachedRead, names: list[str]) -> Finding:
    subject = coverage.subject
    shared = is_shared(coverage, read)
    where = "a store that others share" if shared else "this process's memory"
    own = coverage.facts_of(read).own
    evidence: tuple[Evidence, ...] = evidence_of("the read", own)
    return Finding(
        rule="secret-shared" if shared else "secret-cached",
        severity="error" if shared else "warning",
        message=(
            f"{short(read.target)} keeps {', '.join(names)} in {where}: "
            f"{'it looks' if len(names) == 1 else 'they look'} like a secret"
        ),
        about=(read.target, *names),
        setting=subject.setting(read.key_path),
        evidence=evidence,
        fix=("enabled: false",),
        fix_at=read.key_path,
    )


def is_shared(coverage: Coverage, read: CachedRead) -> bool:
    """Whether the answers of a read leave this process as whoever stores them can read them."""
    return read.rules.namespace in coverage.subject.assembly.context.caches.unsealed
