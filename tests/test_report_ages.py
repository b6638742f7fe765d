"""Explanations and the page of rules tell the age policies that are on, and only those."""

from __future__ import annotations

from typing import Any

import pytest
from accel_shop import config

from wats_accel.assembly import assemble
from wats_accel.config.sources import mapping_document
from wats_accel.context import PluginContext
from wats_accel.event_bus import EventBus
from wats_accel.report.explanation import explain
from wats_accel.report.page import markdown_report
from wats_accel.testing import FakeClock

EVERY_POLICY = {
    "ttl": "5m",
    "jitter": "10%",
    "refresh_ahead": 0.8,
    "max_age_from_clock": "10m",
    "wait_timeout": 0,
    "stale_if_error": {"grace": "1h", "errors": ["pyodbc.Error", "OSError"]},
    "unless_result": [None],
    "valid_until": "shop.moments:next_midnight",
}


def planned(**policies: Any) -> PluginContext:
    rules = config(cached={"get_user": {"namespace": "users", **policies}}, invalidates={})
    return assemble(
        mapping_document(rules),
        clock=FakeClock(),
        bus=EventBus(),
        report=lambda problem: pytest.fail(str(problem)),
    ).context


def facts(**policies: Any) -> dict[str, str]:
    return explain("get_user", planned(**policies).caches, None).cached


def test_every_policy_that_is_on_is_told() -> None:
    assert list(facts(**EVERY_POLICY).items())[4:] == [
        ("not kept", "None"),
        ("valid until", "the moment that shop.moments:next_midnight tells"),
        ("max age", "10m"),
        ("jitter", "up to 10% shorter"),
        ("refresh ahead", "after 80% of its life"),
        ("stale answers", "for 1h, on pyodbc.Error, OSError, answers that are not kept"),
        ("wait", "for no other load"),
    ]


def test_those_that_are_off_are_not() -> None:
    assert list(facts()) == ["cached in", "TTL", "shared by", "isolation"]


def test_sql_is_told_to_be_sql_and_not_shown() -> None:
    until = {"sql": "SELECT 'PWD=secret' WHERE 1 = 1", "cursor": "self.db"}
    assert facts(valid_until=until)["valid until"] == "the moment that SQL tells"


def test_a_wait_of_ones_own_is_told() -> None:
    assert facts(wait_timeout="2s")["wait"] == "2s for another load"


def test_the_page_lists_them_under_the_ttl() -> None:
    context = planned(jitter="12.5%", refresh_ahead="80%")
    row = next(
        line
        for line in markdown_report(context.caches, context.invalidator).splitlines()
        if "`get_user`" in line
    )
    assert "| 5m<br>jitter: up to 12.5% shorter<br>refresh ahead: after 80% of its life |" in row
