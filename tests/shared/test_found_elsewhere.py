"""An answer that another process has loaded, and a change that is told of while it is on its way here."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from wats_accel.shared.backplane_rules import BackplaneRules
from wats_accel.shared.server import Kept
from wats_accel.shared.tags import Tags
from wats_accel.shared.tier import Common, MethodTier, TierRules
from wats_accel.shared.waiters import Waiters
from wats_accel.testing import accelerated


class Repository:
    """Of a database file."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.runs = 0

    def people(self) -> list[Any]:
        self.runs += 1
        connection = sqlite3.connect(self.path)
        try:
            return connection.execute("SELECT name FROM person").fetchall()
        finally:
            connection.close()


CONFIG = {
    "version": 1,
    "invalidation": "sql",
    "cache": {"namespaces": {"all": {"ttl": 60.0}}},
    "pool": [{"connect": "sqlite3:connect", "enabled": False}],
    "sql": {"assume_plain_tables": True},
    "repositories": [{"target": f"{__name__}:Repository", "scope": "self.path", "cached": {"people": "all"}}],
}
OLD = [("ann",)]


class Backplane:
    """Its server has the answer, and says so when it is asked."""

    rules = BackplaneRules(timeout_seconds=5.0)
    is_reached = True
    member = "a"
    tags = Tags("{t}", b"0123456789abcdef")

    def __init__(self) -> None:
        self.waiters = Waiters()

    def ask(self, call: object, seconds: float) -> Kept:
        return Kept(b"", 7, "epoch", 60_000, 0)


@pytest.mark.parametrize(("changed", "runs"), [("person", 1), ("pet", 0), (None, 0)])
def test_a_change_that_is_told_of_before_it_is_known_what_the_answer_was_made_from_overtakes_it(
    tmp_path: Path, changed: str | None, runs: int
) -> None:
    path = tmp_path / "one.db"
    sqlite3.connect(path).execute("CREATE TABLE person (name TEXT)").connection.close()
    with accelerated(CONFIG) as accelerator:
        context = accelerator._assembly.context
        (region,) = context.caches
        follows: Any = context.pools.observer
        backplane: Any = Backplane()

        def unpack(value: bytes, place: object) -> tuple[list[Any], dict[str, list[str]], int]:
            if changed is not None:
                follows.drop_as_told({changed: ["*"]})  # as the listening thread does at any time
            return OLD, {"person": ["name"]}, 1

        envelope: Any = SimpleNamespace(unpack=unpack)
        common = Common(backplane, "t:a", b"0123456789abcdef", TierRules(), follows=follows)
        common.made_envelope = envelope
        region.tier = MethodTier(region, common)
        repository = Repository(str(path))
        assert repository.people() == OLD
        region.tier = None
        repository.people()
        assert repository.runs == runs
