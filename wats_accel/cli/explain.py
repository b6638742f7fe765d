"""``wats-accel explain``: what is cached of a method and what drops it, in words, or the whole as a graph."""

from __future__ import annotations

from pathlib import Path

import click

from wats_accel.assembly import Assembly
from wats_accel.cli.environment import (
    CONFIG_INVALID,
    assembled,
    print_problems,
)
from wats_accel.cli.options import config_option
from wats_accel.cli.output import deliver, output_options
from wats_accel.errors import ConfigError, TargetError
from wats_accel.report.explanation import explain
from wats_accel.report.source_explanation import SourceExplainer
from wats_accel.sql.source.knowledge import Knowledge


@click.command("explain")
@config_option
@click.option(
    "--source",
    metavar="FOLDER",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The folder that the application's modules are imported from: its SQL is read, nothing is run.",
)
@click.option("--graph", is_flag=True, help="Draw the whole application as a Mermaid graph; needs --source.")
@output_options
@click.argument("target", required=False)
def command(
    config: str | None, source: Path | None, graph: bool, output: str | None, check: bool, target: str | None
) -> int:
    """Say what is cached of TARGET, for how long, and what drops it; or what it drops as a write.

    TARGET is 'package.module:Class.method' or the end of it, such as 'Class.method'. Of a driver's
    'module:connect' it says how its connections are pooled. With --source it also says which tables and
    columns stand behind a method, who changes them, and what could not be found out.
    """
    if graph == (target is not None):
        raise click.UsageError("give a TARGET, or --graph for the whole application")
    if graph and source is None:
        raise click.UsageError("--graph needs --source")
    assembly, problems = assembled(config)
    print_problems(problems)
    knowledge = None if source is None else _knowledge(assembly, source)
    if knowledge is not None and target is None:
        return deliver(_graph(assembly, knowledge, output), output, check=check)
    return deliver(_explained(assembly, knowledge, target or "") + "\n", output, check=check)


def _explained(assembly: Assembly, knowledge: Knowledge | None, target: str) -> str:
    context = assembly.context
    explainer = None
    if knowledge is not None:
        by_sql = getattr(getattr(context.root, "invalidation", None), "mode", "rules") != "rules"
        explainer = SourceExplainer(knowledge, context.caches, context.invalidator, by_sql=by_sql)
    try:
        return str(explain(target, context.caches, context.invalidator, context.pools, explainer))
    except TargetError as error:
        raise click.ClickException(str(error)) from None


def _graph(assembly: Assembly, knowledge: Knowledge, output: str | None) -> str:
    from wats_accel.report.graph import markdown_graph, mermaid_graph  # noqa: PLC0415 - seldom needed

    drawn = mermaid_graph(knowledge, assembly.context.caches, assembly.context.invalidator)
    return markdown_graph(drawn) if output and output.endswith(".md") else drawn


def _knowledge(assembly: Assembly, source: Path) -> Knowledge:
    from wats_accel.audit.audit import knowledge_of  # noqa: PLC0415 - heavy, and seldom needed

    try:
        return knowledge_of(assembly, source)
    except ConfigError as error:
        print_problems(error.problems)
        raise click.exceptions.Exit(CONFIG_INVALID) from None
