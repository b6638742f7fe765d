"""Processes over a real PostgreSQL and a real Redis that is ill-treated: nobody fails, nothing is too old.

``by_hand.py`` beside this file does the same at any size, and prints how long things took.
"""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
import scenarios
from scenarios import Outcome, Setting

ONE_AFTER_ANOTHER = ("killed", "paused", "full", "refusing", "garbage")
WHOLE = os.environ.get("WATS_ACCEL_SOAK") == "1"
LONG = (*(("half cut off", "half swallowed", "half held up", "half dripping") if WHOLE else ()), "forgotten")
"""Where a process can miss something for longer than the bound, unless somebody sees to it."""


def judged(outcome: Outcome) -> None:
    """What has to be true whatever happens."""
    seen = outcome.seen
    assert seen.failures == []
    assert seen.judgement.impossible == []
    assert [str(found) for found in seen.judgement.own] == []
    assert [str(found) for found in seen.too_old()] == []
    assert seen.judgement.reads > 0
    assert all(backplane["received"] > 0 for backplane in seen.backplanes)
    assert all(cache["hits"] > cache["misses"] for cache in seen.caches)


def test_the_checker_finds_nothing_where_nothing_is_cached(setting: Setting) -> None:
    judgement = scenarios.bare(setting).seen.judgement
    assert (judgement.stale, judgement.own, judgement.impossible) == ([], [], [])
    assert judgement.reads > 0


@pytest.mark.soak
def test_whatever_the_server_does_nobody_notices_but_for_the_bound(setting: Setting) -> None:
    judged(scenarios.disturbed(replace(setting, tier="shared"), *ONE_AFTER_ANOTHER))


@pytest.mark.soak
@pytest.mark.parametrize("what", LONG)
def test_what_half_of_the_processes_cannot_hear_gets_no_older_than_the_bound(
    setting: Setting, what: str
) -> None:
    setting = replace(setting, mode="sql", disturbed_seconds=scenarios.LONGER_THAN_BOUND)
    judged(scenarios.disturbed(setting, what))


@pytest.mark.soak
@pytest.mark.parametrize("mode", ["rules", "sql"])
def test_where_nothing_is_shared_but_the_database_nothing_is_older_than_the_bound_either(
    setting: Setting, mode: str
) -> None:
    seen = scenarios.followed(replace(setting, mode=mode)).seen
    assert (seen.failures, seen.judgement.impossible) == ([], [])
    assert [str(found) for found in seen.judgement.own] == []
    assert [str(found) for found in seen.too_old()] == []
    assert all(cache["hits"] for cache in seen.caches)


@pytest.mark.soak
def test_processes_that_start_together_load_a_list_once(setting: Setting, soak: bool) -> None:
    cold = scenarios.cold_start(
        replace(setting, tier="shared", size=replace(setting.size, processes=50 if soak else 4)),
        times={"timeout": "5s", "lease": "20s", "lost_after": "10s", "isolated_ttl": "60s"},
    )
    assert max(cold.loads) <= 2
