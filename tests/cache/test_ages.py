"""How old an answer may get, by itself and under every policy."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator

import pytest

from wats_accel.cache.ages import FOREVER, AgeRules, Lifetime, names_error


@pytest.fixture
def _seeded() -> Iterator[None]:
    """The same shortenings in every run."""
    state = random.getstate()
    random.seed(7)
    yield
    random.setstate(state)


# -- TTL and what shortens it ---------------------------------------------------------------------------


def test_without_a_policy_an_answer_is_good_for_its_ttl_and_then_for_nothing() -> None:
    assert AgeRules().lifetime(100, 60) == Lifetime(due_at=160, fresh_until=160, expires_at=160)


def test_without_a_ttl_it_is_good_for_ever() -> None:
    assert AgeRules().lifetime(100, 0) == Lifetime(FOREVER, FOREVER, FOREVER)


def test_it_is_not_good_for_longer_than_what_it_was_made_from() -> None:
    assert AgeRules().lifetime(100, 60, at_most=130).fresh_until == 130
    assert AgeRules().lifetime(100, 60, at_most=300).fresh_until == 160


@pytest.mark.usefixtures("_seeded")
def test_jitter_shortens_a_ttl_by_its_share_at_most_and_never_stretches_it() -> None:
    ends = [AgeRules(jitter=0.2).lifetime(100, 60).fresh_until for _ in range(1000)]
    assert 148 <= min(ends) <= max(ends) <= 160


@pytest.mark.usefixtures("_seeded")
def test_jitter_spreads_the_ends_of_what_was_stored_together() -> None:
    ends = [AgeRules(jitter=0.2).lifetime(0, 100).fresh_until for _ in range(1000)]
    in_each_quarter = [sum(80 + 5 * part <= end < 85 + 5 * part for end in ends) for part in range(4)]
    assert all(200 < count < 300 for count in in_each_quarter), in_each_quarter


def test_jitter_does_not_end_what_has_no_ttl() -> None:
    assert AgeRules(jitter=0.5).lifetime(0, 0).fresh_until == FOREVER


# -- what comes after the TTL -----------------------------------------------------------------------------


def test_grace_begins_where_freshness_ends() -> None:
    assert AgeRules(grace_seconds=600).lifetime(100, 60) == Lifetime(160, 160, 760)
    assert AgeRules(grace_seconds=600).lifetime(100, 60, at_most=130) == Lifetime(130, 130, 730)


@pytest.mark.parametrize(
    ("ttl", "fresh_until", "expires_at"),
    [
        pytest.param(60, 130, 130, id="shorter than the TTL"),
        pytest.param(20, 120, 130, id="shorter than the TTL and the grace"),
        pytest.param(0, 130, 130, id="the only bound"),
    ],
)
def test_a_greatest_age_bounds_both_freshness_and_grace(
    ttl: float, fresh_until: float, expires_at: float
) -> None:
    lifetime = AgeRules(max_age_seconds=30, grace_seconds=600).lifetime(100, ttl)
    assert (lifetime.fresh_until, lifetime.expires_at) == (fresh_until, expires_at)


# -- when it is renewed -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rules", "ttl", "due_at"),
    [
        pytest.param(AgeRules(refresh_after=0.8), 60, 148, id="of the TTL"),
        pytest.param(AgeRules(refresh_after=0.8, max_age_seconds=10), 60, 108, id="of the greatest age"),
        pytest.param(AgeRules(refresh_after=0.8, grace_seconds=600), 60, 148, id="not of the grace"),
        pytest.param(AgeRules(refresh_after=0.8), 0, FOREVER, id="never, without an end"),
    ],
)
def test_an_answer_is_due_after_a_share_of_its_fresh_life(rules: AgeRules, ttl: float, due_at: float) -> None:
    assert rules.lifetime(100, ttl).due_at == due_at


# -- which failures it may stand in for ---------------------------------------------------------------------


class DeepError(sqlite3.OperationalError):
    """Of the application's own."""


@pytest.mark.parametrize(
    "text",
    [
        "DeepError",
        f"{__name__}:DeepError",
        f"{__name__}.DeepError",
        "OperationalError",
        "sqlite3.OperationalError",
        "sqlite3:Error",
        "Exception",
        "builtins.Exception",
    ],
)
def test_a_type_of_exception_is_named_by_itself_or_by_a_base(text: str) -> None:
    assert names_error(text, DeepError)
    assert AgeRules(grace_errors=("KeyError", text)).excuses(DeepError())


@pytest.mark.parametrize("text", ["Deep", "deeperror", "pyodbc.Error", "IntegrityError", "sqlite3", ""])
def test_nothing_else_names_it(text: str) -> None:
    assert not names_error(text, DeepError)
    assert not AgeRules(grace_errors=(text,)).excuses(DeepError())


def test_where_none_is_listed_none_is_excused() -> None:
    assert not AgeRules(grace_seconds=600).excuses(DeepError())
