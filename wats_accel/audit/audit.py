"""The audit: everything that a configuration and a source tree say together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from wats_accel.assembly import Assembly
from wats_accel.audit.clock import unbounded
from wats_accel.audit.coverage import Coverage, Pair
from wats_accel.audit.failure_answers import unlisted
from wats_accel.audit.finding import Finding, in_order
from wats_accel.audit.gaps import gaps
from wats_accel.audit.habits import habits
from wats_accel.audit.names import misnamed
from wats_accel.audit.needless import needless
from wats_accel.audit.run_time import without_effect
from wats_accel.audit.secret_columns import cached_secrets
from wats_accel.audit.subject import Subject
from wats_accel.audit.uncovered import trusted, uncovered
from wats_accel.sql.source.knowledge import Knowledge
from wats_accel.sql.source.scan import scan


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the audit has found, and on how much.

    Attributes:
        findings: the gravest first.
        trusted: the pairs that an argument's name alone covers.
        folder: the source tree that places are relative to.
        figures: how much was looked at, by name.
    """

    findings: tuple[Finding, ...]
    trusted: tuple[Pair, ...]
    folder: Path
    figures: Mapping[str, int]


def audit(assembly: Assembly, knowledge: Knowledge, folder: Path) -> Outcome:
    """Hold a configuration against a source tree.

    Args:
        assembly: of the configuration; nothing has to be installed.
        knowledge: of the source tree, with the schema.
        folder: the source tree.
    """
    subject = Subject(assembly, knowledge, folder)
    coverage = Coverage(subject)
    findings = [
        *uncovered(coverage),
        *unbounded(coverage),
        *misnamed(subject),
        *needless(coverage),
        *cached_secrets(coverage),
        *unlisted(coverage),
        *gaps(coverage),
        *habits(coverage),
        *without_effect(coverage),
    ]
    return Outcome(
        tuple(in_order(findings)),
        tuple(trusted(coverage)) if subject.mode == "rules" else (),
        folder,
        _figures(subject),
    )


def knowledge_of(assembly: Assembly, folder: Path, *, exclude: Sequence[str] = ()) -> Knowledge:
    """Scan a source tree with the dialect and the schema that a configuration names.

    Args:
        assembly: of the configuration, which may name files to leave out.
        folder: the source tree.
        exclude: more files to leave out.

    Raises:
        ConfigError: the schema that the configuration names cannot be used.
    """
    schema = assembly.context.schema
    facts = scan(folder, dialect=schema.dialect, columns=schema.columns)
    return Knowledge(facts.without([*assembly.config.root.sql.exclude, *exclude]), schema)


def _figures(subject: Subject) -> dict[str, int]:
    methods = subject.knowledge.source.methods.values()
    return {
        "cached reads": len(subject.reads),
        "invalidating writes": len(subject.writes),
        "methods": len(methods),
        "statements": sum(len(method.statements) for method in methods),
    }
