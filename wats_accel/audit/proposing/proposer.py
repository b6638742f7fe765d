"""The proposer: rules for a source tree, tried out by the audit until it finds nothing."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from wats_accel.assembly import Assembly, assemble
from wats_accel.audit.audit import Outcome, audit
from wats_accel.audit.coverage import Coverage, Pair
from wats_accel.audit.definitions import Definitions
from wats_accel.audit.finding import is_at_least
from wats_accel.audit.fixes import shortest
from wats_accel.audit.habits import refusal
from wats_accel.audit.proposing.candidates import Candidate, candidates
from wats_accel.audit.proposing.naming import namespace_of
from wats_accel.audit.proposing.proposal import (
    LONG_SECONDS,
    URGENT_SECONDS,
    USUAL_SECONDS,
    Proposal,
    ProposedRead,
    ProposedWrite,
    owner_of,
)
from wats_accel.audit.subject import Subject
from wats_accel.audit.walks import is_private, sources
from wats_accel.audit.wording import spelt, tables_text
from wats_accel.config.sources import mapping_document
from wats_accel.config.sql_section import SECRET_COLUMNS
from wats_accel.event_bus import EventBus
from wats_accel.secret_names import SecretNames
from wats_accel.sql.access import Access, union
from wats_accel.sql.source.facts import SourceMethod
from wats_accel.sql.source.knowledge import Knowledge

_FEW_WRITERS, _SOME_WRITERS = 3, 6
_MOST_TRIES = 20


@dataclass(frozen=True, slots=True)
class Proposed:
    """A proposal, and what the audit still finds with it: what no configuration can mend."""

    proposal: Proposal
    outcome: Outcome


class Proposer:
    """Works a proposal out.

    Args:
        knowledge: of the source tree, with the schema.
        folder: the source tree.
        empty: a proposal without rules: drivers, scopes, dialect.
    """

    def __init__(self, knowledge: Knowledge, folder: Path, empty: Proposal) -> None:
        self._knowledge = knowledge
        self._folder = folder
        self._empty = empty
        self._definitions = Definitions(knowledge.source, folder)

    def propose(self) -> Proposed:
        """Reads, TTLs and rules, so that the audit finds nothing that a configuration can mend."""
        reads = self._reads()
        for _ in range(_MOST_TRIES):
            proposal = self._with_writes(reads)
            outcome = audit(_assembly(proposal), self._knowledge, self._folder)
            reasons = _reasons_by_read(outcome, [read.target for read in proposal.cached])
            if not reasons:
                break
            reads = [replace(read, why_not=(*read.why_not, *reasons.get(read.target, ()))) for read in reads]
        return Proposed(proposal, outcome)

    # -- reads ------------------------------------------------------------------------------------------

    def _reads(self) -> list[ProposedRead]:
        secret = SecretNames(SECRET_COLUMNS)
        found = list(candidates(self._knowledge, self._definitions.shapes, secret))
        by_target = {candidate.method.target: candidate for candidate in found}
        return [self._read(candidate) for candidate in found if not self._is_another_s(candidate, by_target)]

    def _is_another_s(self, candidate: Candidate, known: Mapping[str, Candidate]) -> bool:
        """Whether the class that defines a method is to have the rule, or those that inherit it."""
        heirs = [known.get(heir.target) for heir in self._definitions.heirs(candidate.method)]
        if heirs:
            return bool(candidate.why_not) and any(heir and not heir.why_not for heir in heirs)
        definition = self._definitions.of(candidate.method)
        base = known.get(definition) if definition != candidate.method.target else None
        return base is not None and not base.why_not

    def _read(self, candidate: Candidate) -> ProposedRead:
        method = candidate.method
        own = sources(self._knowledge, method.target, lambda inner: not is_private(inner.target))
        texts = [source.statement.text for source in own]
        return ProposedRead(
            method.target,
            namespace_of(owner_of(method.target)),
            why=f"reads {_tables(candidate.access, texts)}",
            max_age_seconds=URGENT_SECONDS if candidate.reads_clock else 0.0,
            why_not=candidate.why_not,
        )

    def _with_failures(self, read: ProposedRead, reads: list[ProposedRead]) -> ProposedRead:
        """With what it answers after an error, but for what it makes of another cached read's failure."""
        cached = {known.target for known in reads if not known.why_not}
        answers = self._knowledge.source.methods[read.target].failure_answers
        own = [answer.text for answer in answers if answer.after not in cached]
        return replace(read, failures=tuple(dict.fromkeys(own)))

    # -- writes -----------------------------------------------------------------------------------------

    def _with_writes(self, reads: list[ProposedRead]) -> Proposal:
        bare = replace(self._empty, reads=tuple(reads))
        subject = Subject(_assembly(bare), self._knowledge, self._folder)
        pairs = [pair for pair in Coverage(subject).pairs() if not refusal(pair.write)]
        outcome = audit(_assembly(bare), self._knowledge, self._folder)
        unknown = [
            (self._knowledge.source.methods[finding.about[0]], finding.message.rpartition("; ")[2])
            for finding in outcome.findings
            if finding.rule == "not-analysed" and finding.about[0] in self._knowledge.source.methods
        ]
        writes = [
            *_writes(subject, pairs),
            *(_unknown_write(method, why) for method, why in unknown if not refusal(method)),
        ]
        return replace(
            bare,
            reads=tuple(self._with_failures(_with_ttl(read, pairs), reads) for read in reads),
            writes=tuple(_once({write.target: write for write in writes}.values())),
        )


def _once(writes: Iterable[ProposedWrite]) -> list[ProposedWrite]:
    return sorted(writes, key=lambda write: write.target)


def _writes(subject: Subject, pairs: list[Pair]) -> list[ProposedWrite]:
    by_write: dict[str, list[Pair]] = {}
    for pair in pairs:
        by_write.setdefault(pair.write.target, []).append(pair)
    return [
        ProposedWrite(
            target,
            tuple(shortest(subject.reads, [pair.read.everything for pair in own])),
            f"changes {_changed(own)}",
        )
        for target, own in by_write.items()
    ]


def _changed(pairs: list[Pair]) -> str:
    by = union(pair.by for pair in pairs)
    return tables_text(by, [source for pair in pairs for source in (*pair.writing, *pair.reading)])


def _unknown_write(method: SourceMethod, why: str) -> ProposedWrite:
    what = f"what it changes is not wholly known, so it drops everything: {why}"
    return ProposedWrite(method.target, ("*",), what)


def _with_ttl(read: ProposedRead, pairs: list[Pair]) -> ProposedRead:
    if read.why_not:
        return read
    concerning = [pair for pair in pairs if pair.read.target == read.target]
    writers = len({pair.write.target for pair in concerning})
    tables = {table for pair in concerning for table in pair.by}
    if not writers:
        ttl, why = USUAL_SECONDS, "no method here changes it, so only its TTL ends an answer"
    else:
        few = writers <= _FEW_WRITERS and len(tables) == 1
        ttl = LONG_SECONDS if few else USUAL_SECONDS if writers <= _SOME_WRITERS else URGENT_SECONDS
        why = f"{writers} method{'s change' if writers > 1 else ' changes'} that"
    return replace(
        read,
        ttl_seconds=ttl,
        max_age_seconds=min(read.max_age_seconds, ttl),
        why=f"{read.why.partition('; ')[0]}; {why}",
    )


def _tables(access: Access, texts: list[str]) -> str:
    return ", ".join(spelt(table, texts) for table in access)


# -- trying out ----------------------------------------------------------------------------------------


def _assembly(proposal: Proposal) -> Assembly:
    data = proposal.as_mapping()
    data.pop("sql", None)  # the knowledge has the schema already
    data.pop("pool", None)
    data["sql"] = {"assume_plain_tables": True}
    document = mapping_document(data)
    return assemble(document, clock=time.monotonic, bus=EventBus(), report=lambda problem: None)


def _reasons_by_read(outcome: Outcome, cached: list[str]) -> dict[str, tuple[str, ...]]:
    """Why reads that the proposal has cached are not to be."""
    reasons: dict[str, tuple[str, ...]] = {}
    for finding in outcome.findings:
        read = next((name for name in reversed(finding.about) if name in cached), None)
        if read is not None and is_at_least(finding.severity, "warning"):
            reasons[read] = (*reasons.get(read, ()), finding.message)
    return reasons
