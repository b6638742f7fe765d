"""``wats-accel schema``: the JSON Schema of the configuration."""

from __future__ import annotations

import json

import click

from wats_accel.assembly import config_sections
from wats_accel.cli.environment import known_plugins
from wats_accel.cli.output import deliver, output_options
from wats_accel.config.schema import assemble, json_schema


@click.command("schema")
@output_options
def command(output: str | None, check: bool) -> int:
    """Write the JSON Schema of the configuration, with the sections of all installed plugins."""
    schema = json_schema(assemble(config_sections(known_plugins())))
    return deliver(json.dumps(schema, indent=2, ensure_ascii=False) + "\n", output, check=check)
