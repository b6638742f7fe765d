"""While a write is under way, the reads that it concerns keep away from the cache."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from wats_accel.cache.selection import EVERYTHING, AnyOf, Selection
from wats_accel.cache.writers import Writers, Writing
from wats_accel.transactions import Transaction

ANN = Selection((AnyOf(0, frozenset({"ann"})),))


@pytest.fixture
def writers():
    return Writers()


def why_here(writers, *texts):
    return writers.why_keep_away(lambda: texts)


def why_elsewhere(writers, *texts):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(why_here, writers, *texts).result(30)


def test_the_writing_thread_keeps_away_whatever_its_write_says_that_it_concerns(writers):
    writers.enter(Writing(ANN))
    assert why_here(writers, "ann") == why_here(writers, "bob") == "inside_a_write"


def test_other_threads_keep_away_from_what_the_write_concerns(writers):
    writers.enter(Writing(ANN))
    assert why_elsewhere(writers, "ann") == "being_written"
    assert why_elsewhere(writers, "bob") is None
    assert why_elsewhere(writers) == "being_written"  # an argument that is not there matches anything


def test_a_read_that_cannot_be_told_is_concerned_by_any_write(writers):
    assert writers.why_keep_away(lambda: None) is None
    writers.enter(Writing(ANN))
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(writers.why_keep_away, lambda: None).result(30) == "being_written"


def test_writes_end_one_by_one(writers):
    one, other = Writing(EVERYTHING), Writing(EVERYTHING)
    writers.enter(one), writers.enter(other)
    writers.leave(one)
    assert why_here(writers, "ann") == "inside_a_write"
    writers.leave(other)
    assert (why_here(writers, "ann"), writers.under_way) == (None, {})


def test_a_transaction_that_is_open_keeps_readers_away_until_it_is_over(writers):
    transaction = Transaction()
    writers.enter(Writing(ANN, transaction))
    assert why_here(writers, "ann") == "uncommitted_changes"
    assert (why_elsewhere(writers, "ann"), why_elsewhere(writers, "bob")) == ("being_written", None)
    transaction.over = True
    assert (why_here(writers, "ann"), writers.under_way) == (None, {})


def test_a_threads_own_write_is_the_reason_that_is_told(writers):
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: writers.enter(Writing(EVERYTHING))).result(30)
    writers.enter(Writing(EVERYTHING))
    assert why_here(writers, "ann") == "inside_a_write"
