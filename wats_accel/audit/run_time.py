"""Run time: what the configuration asks for and what can then not work, or works for nothing."""

from __future__ import annotations

from collections.abc import Iterator

from wats_accel.audit.coverage import Coverage
from wats_accel.audit.finding import Evidence, Finding
from wats_accel.audit.proposing.drivers import drivers_of
from wats_accel.audit.subject import short
from wats_accel.targets import Target


def without_effect(coverage: Coverage) -> Iterator[Finding]:
    """Rules that never drop anything; drivers whose statements nobody sees though the SQL is to decide."""
    yield from _never_dropping(coverage)
    if coverage.subject.mode != "rules" and coverage.subject.reads:
        yield from _unseen_drivers(coverage)


def _never_dropping(coverage: Coverage) -> Iterator[Finding]:
    shapes = coverage.subject.definitions.shapes
    for write in coverage.subject.writes:
        if write.rule.when == "truthy" and write.methods:
            method = write.methods[0]
            if not shapes.of(method.place).returns_value and not method.is_abstract:
                yield Finding(
                    rule="never-drops",
                    severity="error",
                    message=f"{short(write.target)} returns nothing, so 'when: truthy' never drops anything",
                    about=(write.target,),
                    setting=coverage.subject.setting(write.key_path),
                    evidence=(Evidence("the write", method.place),),
                    fix=("when: always",),
                    fix_at=write.key_path,
                )


def _unseen_drivers(coverage: Coverage) -> Iterator[Finding]:
    subject = coverage.subject
    pooled = {Target.parse(known.rules.target).module for known in subject.assembly.context.pools}
    for driver in drivers_of(subject.folder, subject.assembly.config.root.sql.exclude):
        name = Target.parse(driver.connect).module
        if name not in pooled:
            yield Finding(
                rule="not-seen",
                severity="warning",
                message=f"the source imports {name}, and no pool has it: what is written through it is not "
                f"seen, though the mode is {subject.mode!r}",
                about=(name,),
                setting=subject.setting(("invalidation",)),
                fix=(f"- connect: {driver.connect}",),
                fix_at=("pool",),
            )
