"""Failure answers: constants that a cached method returns where it has caught an error."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from wats_accel.audit.coverage import Coverage
from wats_accel.audit.finding import Evidence, Finding
from wats_accel.audit.literals import spelled
from wats_accel.audit.subject import CachedRead, short
from wats_accel.cache.results import same_result
from wats_accel.sql.source.facts import FailureAnswer


def unlisted(coverage: Coverage) -> Iterator[Finding]:
    """Each failure answer of a cached read that its rule would keep.

    With a pool, what the driver raises is seen, and the answer is not kept even so. Then it is a note:
    it holds for connections of the pool, and for errors of the driver.
    """
    pooled = bool(list(coverage.subject.assembly.context.pools))
    for read in coverage.subject.reads:
        answers = [answer for method in read.methods for answer in method.failure_answers]
        own = {answer.text: answer for answer in answers if not _is_of_another(coverage, read, answer)}
        for answer in own.values():
            if not _is_listed(answer.text, read):
                yield _finding(coverage, read, answer, pooled=pooled)


def _is_of_another(coverage: Coverage, read: CachedRead, answer: FailureAnswer) -> bool:
    """Whether another cached read has failed: what is made of its failure answer is not kept either."""
    if answer.after and coverage.subject.read_of(answer.after) not in (None, read):
        return True
    inner = coverage.facts_of(read).inner
    return any(answer in method.failure_answers for known in inner for method in known.methods)


def _is_listed(text: str, read: CachedRead) -> bool:
    try:
        value: Any = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return False
    return any(same_result(value, listed) for listed in read.rules.unless_results)


def _finding(coverage: Coverage, read: CachedRead, answer: FailureAnswer, *, pooled: bool) -> Finding:
    seen = "; what the pool's connections fail with is seen, and not kept" if pooled else ""
    return Finding(
        rule="failure-answer",
        severity="note" if pooled else "warning",
        message=f"{short(read.target)} answers {answer.text} after an error, and unless_result does not list "
        f"that{seen}",
        about=(read.target, answer.text),
        setting=coverage.subject.setting(read.key_path),
        evidence=(Evidence("the failure answer", answer.place),),
        fix=(f"unless_result: [{', '.join(_spelled_all(read, answer))}]",),
        fix_at=read.key_path,
    )


def _spelled_all(read: CachedRead, answer: FailureAnswer) -> list[str]:
    return [*(spelled(repr(known)) for known in read.rules.unless_results), spelled(answer.text)]
