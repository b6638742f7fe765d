"""Uncovered writes: they change what a cached read has read, and nothing drops it."""

from __future__ import annotations

from collections.abc import Iterator

from wats_accel.audit.coverage import Coverage, Pair
from wats_accel.audit.finding import Evidence, Finding
from wats_accel.audit.fixes import rule_fix
from wats_accel.audit.subject import short
from wats_accel.audit.wording import evidence_of, tables_text
from wats_accel.sql.access import Access

_MOST_CALLERS = 6
_PROMISE = ", whose name promises a read,"


def uncovered(coverage: Coverage) -> Iterator[Finding]:
    """Each pair of a write and a read that no rule covers, with the rule that would."""
    if coverage.subject.mode != "rules":
        return  # what is known to concern each other, the SQL drops at run time
    pairs = [pair for pair in coverage.pairs() if not pair.cover.holds]
    needed: dict[str, list[str]] = {}
    for pair in pairs:
        needed.setdefault(pair.write.target, []).append(pair.read.everything)
    for pair in pairs:
        yield _finding(coverage, pair, needed[pair.write.target])


def trusted(coverage: Coverage) -> Iterator[Pair]:
    """The pairs that are covered by a pattern whose argument has the right name, and no better."""
    return (pair for pair in coverage.pairs() if pair.cover.degree == "trusted")


def _finding(coverage: Coverage, pair: Pair, needed: list[str]) -> Finding:
    subject = coverage.subject
    fix, fix_at = rule_fix(subject, pair.write.target, needed)
    rules = subject.writes_of(pair.write.target)
    unsure = pair.cover.degree == "unsure"
    return Finding(
        rule="unsure-argument" if unsure else "uncovered",
        severity="warning" if unsure else "error",
        message=_message(pair),
        about=(pair.write.target, pair.read.target),
        setting=subject.setting(rules[0].key_path if rules else pair.read.key_path),
        evidence=(
            *evidence_of("the write", pair.writing),
            *evidence_of("the read", pair.reading),
            *_through(coverage, pair),
        ),
        fix=fix if _can_have_a_rule(pair) else (),
        fix_at=fix_at if _can_have_a_rule(pair) else (),
    )


def _through(coverage: Coverage, pair: Pair) -> Iterator[Evidence]:
    """The other ways to the same write: its rule will serve them, too."""
    for method in coverage.through(pair)[:_MOST_CALLERS]:
        yield Evidence("also through", method.place, short(method.target))


def _message(pair: Pair) -> str:
    read = short(pair.read.target)
    name = short(pair.write.target) + (_PROMISE if pair.write.reads_by_name else "")
    text = f"{name} changes {_changed(pair)}, which the cached {read} reads"
    if pair.cover.degree == "unsure":
        return f"{text}, and drops only some of its entries: {pair.cover.why}"
    ending = "" if _can_have_a_rule(pair) else "; it cannot be patched itself, so its callers need the rule"
    return f"{text}, and no rule drops it{ending}"


def _changed(pair: Pair) -> str:
    """What the statements change themselves, and what only the database makes of them."""
    named = {write.table for source in pair.writing for write in source.statement.facts.writes}
    sources = (*pair.writing, *pair.reading)
    direct = Access(tuple(item for item in pair.by.items if item[0] in named))
    indirect = Access(tuple(item for item in pair.by.items if item[0] not in named))
    parts = [tables_text(direct, sources)] if direct else []
    if indirect:
        parts.append(f"by a cascade, a trigger or a procedure {tables_text(indirect, sources)}")
    return ", and ".join(parts)


def _can_have_a_rule(pair: Pair) -> bool:
    return not pair.write.is_async and "property" not in pair.write.decorators
