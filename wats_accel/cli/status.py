"""``wats-accel status``: what running processes really have on."""

from __future__ import annotations

import json
import os
import time

import click

from wats_accel.status.as_text import table_of
from wats_accel.status.folder import state_folder
from wats_accel.status.state_file import FORMAT, running_states


@click.command("status")
@click.option(
    "--all", "everything", is_flag=True, help="Also what is off by the configuration, and problems."
)
@click.option("--json", "as_json", is_flag=True, help="Everything, as one JSON object.")
def command(everything: bool, as_json: bool) -> int:
    """Say what running processes of this user have on: methods, pools, breakers, problems.

    Each of them writes a small file when something changes, and at most every few seconds while it is used.
    The files of processes that have ended are taken away. Exit status: 0, also if nothing runs.
    """
    folder = state_folder(os.environ)
    states = list(running_states(folder)) if folder is not None and folder.is_dir() else []
    if as_json:
        click.echo(json.dumps({"format": FORMAT, "processes": states}, indent=2, ensure_ascii=False))
    elif states:
        click.echo(table_of(states, everything=everything, now=time.time()))
    else:
        click.echo(f"No process of this user is running with wats_accel (looked in {folder}).")
    return 0
