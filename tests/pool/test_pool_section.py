"""The section ``pool:`` of the configuration: what it may say, and what is said about mistakes in it."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from pool_bench import Bench

from wats_accel.errors import ConfigError
from wats_accel.pool.rules import PoolRules
from wats_accel.runtime import Accelerator
from wats_accel.testing import accelerated


def mistakes(tmp_path: Path, *lines: str) -> list[tuple[int | None, str]]:
    """The line and the words of each problem of a file with this section."""
    path = tmp_path / "wats-accel.yaml"
    path.write_text("\n".join(["version: 1", *lines, ""]), encoding="utf-8")
    with pytest.raises(ConfigError) as caught, accelerated(path):
        pass
    return [(problem.line, problem.message) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("size: 0", "greater than or equal to 1"),
        ("size: -1", "greater than or equal to 1"),
        ("size: five", "whole number"),
        ("size: 1.5", "whole number"),
        ("size: true", "whole number"),
        ("max_overflow: -1", "greater than or equal to 0"),
        ("timeout: soon", "duration"),
        ("timeout: -1s", "duration"),
        ("recycle: never", "duration"),
        ("leak_after: yes please", "duration"),
        ("pre_ping: sometimes", "expected 'always', 'never', or an idle time such as 30s"),
        ("pre_ping: -3s", "expected 'always', 'never', or an idle time such as 30s"),
        ("on_exhausted: raise", "'direct' or 'wait'"),
        ("reset: soft", "'auto', 'rollback' or 'full'"),
        ("lifo: 1", "true or false"),
        ("enabled: perhaps", "true or false"),
        ("min_idle: -1", "greater than or equal to 0"),
        ("per_thread: [no target]", "target"),
        ("sise: 5", "unknown key"),
        ("max_overfow: 5", "max_overflow"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, entry: str, words: str) -> None:
    ((line, message),) = mistakes(tmp_path, "pool:", "  - connect: sqlite3:connect", f"    {entry}")
    assert line == 4
    assert words in message


def test_a_pool_needs_to_be_told_what_to_pool(tmp_path: Path) -> None:
    assert mistakes(tmp_path, "pool:", "  - size: 5") == [(3, "this key is required and missing")]


def test_a_connect_can_have_one_pool_only(tmp_path: Path) -> None:
    told = mistakes(
        tmp_path, "pool:", "  - connect: sqlite3:connect", "    size: 5", "  - connect: sqlite3:connect"
    )
    assert told == [(5, "this connect has a pool already, in an earlier entry")]


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("sqlite3:conect", "sqlite3 has no 'conect'; did you mean 'connect'?"),
        ("sqlite3:Row", "is not supported, left alone"),
        ("sqlite3", "is not supported, left alone"),
        ("sqlite3:sqlite_version", "is not supported, left alone"),
    ],
)
def test_what_is_no_connect_is_left_alone_and_named_with_its_line(
    tmp_path: Path, target: str, words: str
) -> None:
    before = dict(vars(sqlite3))
    ((line, message),) = mistakes(tmp_path, "pool:", f"  - connect: {target}")
    assert line == 3
    assert words in message
    assert vars(sqlite3) == before


def test_without_strict_the_rest_is_pooled(tmp_path: Path) -> None:
    config = {"version": 1, "pool": [{"connect": "sqlite3:conect"}, {"connect": "sqlite3:connect"}]}
    accelerator = Accelerator(config, environ={})
    accelerator.install()
    try:
        assert len(accelerator.problems) == 1
        assert type(sqlite3.connect(tmp_path / "a.db")) is not sqlite3.Connection
    finally:
        accelerator.uninstall()


def test_every_value_reaches_the_pool(bench: Callable[..., Bench]) -> None:
    given = {
        "size": 3,
        "max_overflow": 4,
        "timeout": "2s",
        "on_exhausted": "wait",
        "recycle": "5m",
        "lifo": False,
        "pre_ping": "30s",
        "min_idle": 2,
        "reset": "full",
        "leak_after": "1h",
        "long_lived": "a.b:C.d",
        "linger": "7s",
        "per_thread": ["a.b:C.shared"],
    }
    rules = bench(**given).pooled.rules
    assert rules == PoolRules(
        target="sqlite3:connect", size=3, max_overflow=4, linger_seconds=7.0, timeout_seconds=2.0,
        recycle_seconds=300.0, ping_after_seconds=30.0, lifo=False, min_idle=2, reset="full",
        on_exhausted="wait", leak_after_seconds=3600.0, long_lived=("a.b:C.d",), per_thread=("a.b:C.shared",),
    )  # fmt: skip
    default = asdict(PoolRules("sqlite3:connect"))
    same = [name for name, value in asdict(rules).items() if value == default[name]]
    assert same == ["target", "enabled"]  # one that is switched off has no pool to be asked


def test_the_defaults_are_what_the_maintainers_asked_for(bench: Callable[..., Bench]) -> None:
    rules = bench().pooled.rules
    assert rules == PoolRules("sqlite3:connect")
    assert (rules.size, rules.max_overflow) == (5, 10)
    assert (rules.ping_after_seconds, rules.on_exhausted) == (0.0, "direct")


@pytest.mark.parametrize(
    ("given", "seconds"), [("always", 0.0), ("never", math.inf), ("30s", 30.0), (0, 0.0), (2.5, 2.5)]
)
def test_pre_ping_is_a_word_or_a_time(bench: Callable[..., Bench], given: object, seconds: float) -> None:
    assert bench(pre_ping=given).pooled.rules.ping_after_seconds == seconds


def test_all_is_off_where_the_whole_is_off(tmp_path: Path) -> None:
    original = sqlite3.connect
    config: dict[str, Any] = {"version": 1, "enabled": False, "pool": [{"connect": "sqlite3:connect"}]}
    with accelerated(config):
        assert sqlite3.connect is original
