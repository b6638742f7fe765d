from __future__ import annotations

import threading

from wats_accel.cache.loads import Load, enter_load, innermost_load, leave_load


def load(target="app:get"):
    return Load(target, (0,), (), lambda: "ns:get")


def test_there_is_no_load_outside_of_one():
    assert innermost_load() is None


def test_the_innermost_load_is_the_one_entered_last():
    outer, inner = load(), load()
    enter_load(outer)
    enter_load(inner)
    assert innermost_load() is inner
    leave_load(inner)
    assert innermost_load() is outer
    leave_load(outer)
    assert innermost_load() is None


def test_leaving_a_load_leaves_those_within_it():
    outer = load()
    enter_load(outer)
    enter_load(load())
    leave_load(outer)
    assert innermost_load() is None


def test_leaving_a_load_twice_is_no_error():
    one = load()
    enter_load(one)
    leave_load(one)
    leave_load(one)
    assert innermost_load() is None


def test_each_thread_has_loads_of_its_own():
    seen = []
    one = load()
    enter_load(one)
    thread = threading.Thread(target=lambda: seen.append(innermost_load()))
    thread.start()
    thread.join(30)
    leave_load(one)
    assert seen == [None]
