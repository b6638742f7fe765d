"""The checker of staleness: what it finds in histories that were made up, to the nanosecond."""

from __future__ import annotations

import pytest
from staleness import POLL, READ, History, Judgement, Read, Write, judge, percentile


def write(process: int, version: int, begin: int, end: int) -> Write:
    return Write(process, 0, version, 100 + version, begin, end)


def read(process: int, version: int, begin: int, kind: int = READ) -> Read:
    return Read(process, kind, 0, version, 100 + version if version else 0, begin, begin + 1)


def judged(writes: list[Write], *reads: Read) -> Judgement:
    return judge(History(writes, list(reads)))


WRITES = [write(1, 1, 0, 10), write(2, 2, 5, 30), write(1, 3, 15, 25)]
"""The third returned before the second."""


@pytest.mark.parametrize(
    ("version", "begin", "age"),
    [
        *[(0, 10, 0), (0, 11, 1), (0, 40, 30)],
        *[(1, 25, 0), (1, 26, 1), (1, 40, 15)],  # what it missed first is the one that returned first
        *[(2, 25, 0), (2, 40, 15)],
        (3, 40, 0),
    ],
)
def test_a_read_is_as_stale_as_the_first_write_that_it_missed(version: int, begin: int, age: int) -> None:
    assert judged(WRITES, read(9, version, begin)).oldest == age


def test_what_a_process_has_written_itself_is_told_apart() -> None:
    judgement = judged(WRITES, read(2, 1, 40), read(1, 1, 40), read(3, 1, 40))
    assert [(found.read.process, found.nanoseconds) for found in judgement.own] == [(2, 10), (1, 15)]
    assert [found.nanoseconds for found in judgement.stale] == [15, 15, 15]
    assert judgement.older_than(16e-9) == []
    assert len(judgement.older_than(14e-9)) == 3


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (Read(3, READ, 0, 7, 107, 40, 41), "nobody wrote"),
        (Read(3, READ, 0, 0, 5, 40, 41), "nobody wrote"),
        (Read(3, READ, 0, 3, 999, 40, 41), "another token"),
        (Read(3, READ, 0, 2, 102, 1, 4), "of the future"),
    ],
)
def test_answers_that_no_write_gave_are_found(found: Read, why: str) -> None:
    assert [text.startswith(why) for text in judged(WRITES, found).impossible] == [True]


def test_a_write_that_is_under_way_may_be_seen_and_may_be_missed() -> None:
    judgement = judged(WRITES, read(3, 2, 6), read(3, 1, 20))
    assert (judgement.stale, judgement.impossible) == ([], [])


def test_delays_are_those_of_each_write_and_each_other_process_that_read_afterwards() -> None:
    reads = [read(3, 0, 12, POLL), read(3, 0, 14, POLL), read(3, 1, 18, POLL), read(2, 1, 11)]
    judgement = judged([write(1, 1, 0, 10)], *reads)
    assert sorted(judgement.delays) == [0, 4]
    assert judgement.seen == [8]


def test_percentiles_are_of_what_was_measured() -> None:
    assert (percentile([], 0.5), percentile([3_000_000, 1_000_000, 2_000_000], 0.5)) == (0.0, 2.0)
