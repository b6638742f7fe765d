"""The count of failures: one for each thread, that only grows."""

from __future__ import annotations

import threading

import pytest

from wats_accel.failures import failures_met, note_failure, noting_failures

PATIENCE = 30.0


def test_each_failure_counts_once():
    before = failures_met()
    note_failure()
    note_failure()
    assert failures_met() == before + 2


def test_the_count_of_another_thread_is_its_own():
    seen = []

    def other():
        seen.append(failures_met())
        note_failure()
        seen.append(failures_met())

    def run():
        thread = threading.Thread(target=other, daemon=True)
        thread.start()
        thread.join(PATIENCE)

    run()
    note_failure()
    before = failures_met()
    run()
    first = seen[0]  # not 0 where some could not be counted: these are everybody's
    assert seen == [first, first + 1] * 2
    assert failures_met() == before


def test_a_nested_load_and_the_one_around_it_see_the_same_failure():
    outer = failures_met()
    before = failures_met()
    note_failure()
    assert failures_met() > before
    later = failures_met()
    assert failures_met() == later, "a load that begins afterwards has met nothing"
    assert failures_met() > outer


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, SystemExit, GeneratorExit, MemoryError])
def test_what_a_block_raises_is_one_failure_and_passes(kind):
    before = failures_met()
    with pytest.raises(kind), noting_failures:
        raise kind
    assert failures_met() == before + 1


def test_the_end_of_an_iteration_is_no_failure():
    before = failures_met()
    with pytest.raises(StopIteration), noting_failures:
        next(iter(()))
    assert failures_met() == before


def test_a_block_that_ends_well_is_no_failure():
    before = failures_met()
    with noting_failures, noting_failures:
        pass
    assert failures_met() == before
