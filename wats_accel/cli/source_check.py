"""``wats-accel check --source``: the audit, its baseline, and the form in which its findings are told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import click

from wats_accel import __version__
from wats_accel.assembly import Assembly
from wats_accel.audit.as_github import as_github
from wats_accel.audit.as_json import as_json
from wats_accel.audit.as_sarif import as_sarif
from wats_accel.audit.as_text import as_text
from wats_accel.audit.audit import Outcome, audit, knowledge_of
from wats_accel.audit.baseline import (
    Accepted,
    Judged,
    baseline_text,
    beside,
    judged,
    name_beside,
    read_baseline,
)
from wats_accel.audit.finding import Finding, Severity, is_at_least
from wats_accel.cli.environment import CONFIG_INVALID, PROBLEMS_FOUND, print_problems
from wats_accel.cli.output import deliver
from wats_accel.config.documents import SourceError
from wats_accel.errors import ConfigError
from wats_accel.sql.source.knowledge import Knowledge


@dataclass(frozen=True, slots=True)
class SourceCheck:
    """One run of the check.

    Attributes:
        assembly: of the configuration.
        source: the source tree.
        exclude: patterns of files in it that are no part of the application.
        format_: one of `check.FORMATS`.
        fail_on: a severity, or ``never``.
        baseline: the file of accepted findings; None for the one beside the configuration, if it is there.
        write_baseline: whether to write that file instead of telling the findings.
        output: the file to write to; None to print.
        verbose: whether to tell what is accepted and trusted, too.
    """

    assembly: Assembly
    source: Path
    exclude: tuple[str, ...]
    format_: str
    fail_on: Severity | Literal["never"]
    baseline: Path | None
    write_baseline: bool
    output: str | None
    verbose: bool

    def run(self) -> int:
        """Check, tell, and give the exit status."""
        accepted = self._accepted()
        outcome = audit(self.assembly, self._knowledge(), self.source)
        verdict = judged(outcome.findings, accepted)
        if self.write_baseline:
            return self._write(verdict, accepted)
        deliver(self._text(outcome, verdict), self.output, check=False)
        return PROBLEMS_FOUND if any(map(self._fails, verdict.open)) else 0

    def _knowledge(self) -> Knowledge:
        try:
            return knowledge_of(self.assembly, self.source, exclude=self.exclude)
        except ConfigError as error:
            print_problems(error.problems)
            raise click.exceptions.Exit(CONFIG_INVALID) from None

    def _text(self, outcome: Outcome, verdict: Judged) -> str:
        if self.format_ == "sarif":
            return as_sarif(outcome, verdict, version=__version__)
        if self.format_ == "text":
            return as_text(outcome, verdict, verbose=self.verbose)
        return as_json(outcome, verdict) if self.format_ == "json" else as_github(outcome, verdict)

    def _fails(self, finding: Finding) -> bool:
        return self.fail_on != "never" and is_at_least(finding.severity, self.fail_on)

    # -- the baseline -----------------------------------------------------------------------------------

    def _accepted(self) -> tuple[Accepted, ...]:
        path = self.baseline or beside(self.assembly.config.document.name)
        if path is None or (self.write_baseline and not path.is_file()):
            return ()
        try:
            return read_baseline(path)
        except ConfigError as error:
            print_problems(error.problems)
        except SourceError as error:
            click.echo(str(error), err=True)
        raise click.exceptions.Exit(CONFIG_INVALID) from None

    def _write(self, verdict: Judged, accepted: tuple[Accepted, ...]) -> int:
        path = self.baseline or name_beside(self.assembly.config.document.name)
        if path is None:
            raise click.UsageError("--write-baseline needs --baseline: the configuration is no file")
        new = [finding for finding in verdict.open if self._fails(finding)]
        findings = [*(finding for finding, _ in verdict.accepted), *new]
        deliver(baseline_text(findings, accepted), str(path), check=False)
        click.echo(f"{path}: {len(findings)} findings, {len(new)} of them still need a reason")
        return 0
