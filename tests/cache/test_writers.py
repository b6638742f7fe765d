"""A thread inside a write is told from the others."""

from __future__ import annotations

import threading

from wats_accel.cache.writers import Writers


def test_only_the_writing_thread_is_inside_a_write():
    writers, seen = Writers(), []
    writers.enter()
    other = threading.Thread(target=lambda: seen.append((writers.count, writers.here)))
    other.start()
    other.join()
    assert (writers.here, seen) == ("inside_a_write", [(1, None)])


def test_writes_inside_writes_end_one_by_one():
    writers = Writers()
    writers.enter()
    writers.enter()
    writers.leave()
    assert (writers.count, writers.here) == (1, "inside_a_write")
    writers.leave()
    assert (writers.count, writers.here) == (0, None)
