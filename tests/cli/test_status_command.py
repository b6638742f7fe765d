"""`status` shows states as a table, or as JSON, and says so when nothing runs."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from wats_accel.cli.group import group
from wats_accel.status.as_text import table_of
from wats_accel.status.state_file import StateFile


def state(**changes: Any) -> dict[str, Any]:
    method = {"namespace": "users", "ttl_seconds": 90.0, "size": 12, "hits": 90, "misses": 10, "why": ""}
    known = {
        "pid": 4711,
        "program": "run.py",
        "python": "3.11.7",
        "started": 1_000_000.0,
        "written": 1_000_100.0,
        "folder": "/srv",
        "config": "wats.yaml",
        "enabled": True,
        "watch": True,
        "methods": [
            {**method, "target": "app:Users.get_role", "state": "on"},
            {
                **method,
                "target": "app:Users.get_all",
                "state": "off",
                "why": "by accelerator.disable: users:get_all",
            },
            {
                **method,
                "target": "app:Users.get_name",
                "state": "off",
                "why": "by the configuration",
                "ttl_seconds": None,
            },
        ],
        "pools": [
            {
                "connect": "pyodbc:connect",
                "state": "on",
                "why": "",
                "checked_out": 2,
                "idle": 3,
                "opened": 5,
                "reused": 70,
            }
        ],
        "breakers": [
            {
                "part": "cache users:get_all",
                "state": "open",
                "failures": 5,
                "opened": 1,
                "retry_in_seconds": 29.7,
            },
            {
                "part": "pool pyodbc:connect",
                "state": "closed",
                "failures": 1,
                "opened": 0,
                "retry_in_seconds": 0.0,
            },
        ],
        "problems": {"count": 1, "texts": ["wats.yaml:7:3: something is \x1b[2J odd"]},
        "reloads": {"done": 2, "refused": 1},
    }
    return known | changes


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StateFile]:
    monkeypatch.setenv("WATS_ACCEL_STATE_DIR", str(tmp_path / "states"))
    made = StateFile(tmp_path / "states")
    yield made
    made.remove()


def output(*arguments: str) -> str:
    result = CliRunner().invoke(group, ["status", *arguments], standalone_mode=False)
    assert result.return_value == 0, result
    return result.output


def test_nothing_runs(file: StateFile, tmp_path: Path) -> None:
    assert (
        output() == f"No process of this user is running with wats_accel (looked in {tmp_path / 'states'}).\n"
    )
    assert json.loads(output("--json")) == {"format": 1, "processes": []}


def test_the_table_shows_what_is_on_and_why_the_rest_is_not() -> None:
    lines = table_of([state()], everything=False, now=1_000_103.0).splitlines()

    since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(1_000_000))
    assert lines[0] == f"run.py  pid 4711, Python 3.11.7, since {since}"
    assert lines[1].replace("\\", "/") == "  configuration: /srv/wats.yaml, watched"
    assert lines[2:] == [
        "  as of 3s ago",
        "  method          namespace  TTL  entries  hits  misses  state",
        "  Users.get_role  users      90s       12    90      10  on",
        "  Users.get_all   users      90s       12    90      10  off: by accelerator.disable: users:get_all",
        "  1 more switched off by the configuration (--all shows them)",
        "  pool            in use  idle  opened  reused  state",
        "  pyodbc:connect       2     3       5      70  on",
        "  breaker: cache users:get_all: open, 5 failures, tried again in 30s",
        "  problems: 1 (--all shows them)",
        "  reloads: 2 done, 1 refused",
    ]


def test_all_shows_the_rest(file: StateFile) -> None:
    file.write(state())
    text = output("--all")

    assert "app:Users.get_name" in text
    assert "off: by the configuration" in text
    assert "breaker: pool pyodbc:connect: closed, 1 failure" in text
    assert "    wats.yaml:7:3: something is ?[2J odd" in text


def test_json_has_everything(file: StateFile) -> None:
    file.write(state())
    assert json.loads(output("--json"))["processes"] == [{"format": 1, **state()}]


def test_methods_of_the_same_name_are_told_apart() -> None:
    methods = [
        {"target": target, "namespace": "n", "state": "on", "why": ""}
        for target in ("a:F.get", "b:F.get", "c:F.set")
    ]
    text = table_of([state(methods=methods)], everything=False, now=0.0)

    assert "  a:F.get" in text
    assert "  b:F.get" in text
    assert "  F.set" in text


@pytest.mark.parametrize(
    "odd", [{}, {"methods": None}, {"methods": [1]}, {"pools": "x"}, {"written": "soon"}]
)
def test_a_state_of_odd_content_is_shown_as_far_as_it_goes(odd: dict[str, Any]) -> None:
    known = {} if not odd else state(**odd)
    assert table_of([known], everything=True, now=0.0)


def test_processes_are_parted_by_an_empty_line() -> None:
    assert table_of([state(), state()], everything=False, now=0.0).count("\n\n") == 1
