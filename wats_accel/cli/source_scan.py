"""``wats-accel scan``: from a source tree to the text of a configuration."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from wats_accel.audit.finding import format_place
from wats_accel.audit.proposing.as_yaml import as_yaml
from wats_accel.audit.proposing.drivers import dialect_of, drivers_of
from wats_accel.audit.proposing.proposal import Proposal, owner_of
from wats_accel.audit.proposing.proposer import Proposed, Proposer
from wats_accel.audit.proposing.scopes import scopes_of
from wats_accel.cli.environment import CONFIG_INVALID, print_problems
from wats_accel.config.documents import SourceError
from wats_accel.errors import ConfigError
from wats_accel.schema_descriptions import read_schema_file
from wats_accel.sql.schema import Schema
from wats_accel.sql.schema_building import schema_of
from wats_accel.sql.schema_description import SchemaDescription
from wats_accel.sql.source.knowledge import Knowledge
from wats_accel.sql.source.scan import scan


@dataclass(frozen=True, slots=True)
class Scanned:
    """A configuration, and what to say about it."""

    text: str
    told: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SourceScan:
    """One run of the command.

    Attributes:
        source: the source tree.
        exclude: patterns of files in it that are no part of the application.
        dialect: of its SQL; None for that of its driver.
        schemas: files of schema.
        named: the same, as the configuration is to name them.
    """

    source: Path
    exclude: tuple[str, ...]
    dialect: str | None
    schemas: tuple[Path, ...]
    named: tuple[str, ...]

    def run(self) -> Scanned:
        """Scan, propose, and say what was found. Ends the command if a schema is not valid."""
        described = self._described()
        drivers = drivers_of(self.source, self.exclude)
        dialect = self.dialect or next(
            (each.dialect for each in described if each.dialect), dialect_of(drivers)
        )
        schema = schema_of([*described, SchemaDescription(dialect=dialect)]) if described else Schema()
        facts = scan(self.source, dialect=dialect, columns=schema.columns).without(self.exclude)
        empty = Proposal(
            (),
            scopes=scopes_of(self.source, sorted({owner_of(name) for name in facts.methods})),
            drivers=drivers,
            dialect=dialect,
            schema_files=self.named,
            exclude=self.exclude,
            tree=self.source.as_posix(),
        )
        found = Proposer(Knowledge(facts, schema), self.source, empty).propose()
        return Scanned(as_yaml(found.proposal), tuple(self._told(found)))

    def _described(self) -> list[SchemaDescription]:
        try:
            return [read_schema_file(path) for path in self.schemas]
        except ConfigError as error:
            print_problems(error.problems)
        except SourceError as error:
            click.echo(str(error), err=True)
        raise click.exceptions.Exit(CONFIG_INVALID) from None

    def _told(self, found: Proposed) -> list[str]:
        proposal = found.proposal
        lines = [
            f"{finding.severity}: {finding.message}"
            + "".join(f"\n  {format_place(self.source, known.place)}" for known in finding.evidence[:1])
            for finding in found.outcome.findings
            if finding.severity != "note"
        ]
        left_out = len(proposal.reads) - len(proposal.cached)
        return [
            *lines,
            f"{len(proposal.cached)} cached reads, {left_out} left out, {len(proposal.writes)} writes",
        ]
