"""Open transactions: who has changes in them, and when callbacks are called."""

from __future__ import annotations

import gc
import sys
import threading

import pytest

from wats_accel.transactions import Transaction, has_uncommitted_changes, open_transactions

PATIENCE = 30.0


@pytest.fixture(autouse=True)
def _nothing_open():
    """Each test begins and leaves this thread without changes."""
    assert open_transactions() == []
    yield
    for known in open_transactions():
        known.end(committed=False)


def in_thread(action):
    told = []
    thread = threading.Thread(target=lambda: told.append(action()), daemon=True)
    thread.start()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    return told[0]


def changed():
    made = Transaction()
    made.changed_here()
    return made


# -- who has changes -------------------------------------------------------------------------------------


def test_a_transaction_is_open_for_the_thread_that_has_changed_something():
    one, other = changed(), changed()
    one.changed_here()
    assert open_transactions() == [one, other]
    assert has_uncommitted_changes()


def test_a_transaction_in_which_this_thread_has_changed_nothing_is_not_its_own():
    made = Transaction()
    assert not has_uncommitted_changes()
    assert in_thread(lambda: (made.changed_here(), open_transactions(), has_uncommitted_changes())) == (
        None,
        [made],
        True,
    )
    assert open_transactions() == []
    assert not has_uncommitted_changes()


@pytest.mark.parametrize("committed", [True, False])
def test_it_is_over_for_every_thread_at_once(committed):
    made = changed()
    in_thread(lambda: made.end(committed=committed))
    assert made.over
    assert not has_uncommitted_changes()
    assert open_transactions() == []


def test_those_over_are_forgotten():
    made = changed()
    count = sys.getrefcount(made)
    made.end(committed=False)
    last = changed()
    assert sys.getrefcount(made) == count - 1
    assert open_transactions() == [last]


def test_a_finalizer_in_the_middle_of_the_look_up_loses_nothing():
    """The list of a thread changes while it is gone through: by a finalizer of this very thread."""

    class Closes:
        def __del__(self):
            known[0].end(committed=False)
            known.append(changed())

    known = [changed(), changed()]
    for _ in range(50):
        cycle = [Closes()]
        cycle.append(cycle)
        del cycle
        gc.collect(1)  # it is young; to look through all that other tests have left would take long
        assert set(open_transactions()) == set(known[1:])


# -- callbacks -------------------------------------------------------------------------------------------


def test_a_commit_calls_back():
    made, calls = changed(), []
    made.at_commit(lambda: calls.append((made.over, threading.get_ident())), key=1)
    assert calls == []
    made.end(committed=True)
    assert calls == [(True, threading.get_ident())], "in the thread that commits, when it is over"


def test_a_rollback_does_not_call_back():
    made, calls = changed(), []
    made.at_commit(lambda: calls.append(1), key=1)
    made.end(committed=False)
    assert calls == []


def test_a_commit_of_which_the_driver_says_that_it_failed_calls_back_and_so_does_the_next():
    made, calls = changed(), []
    made.at_commit(lambda: calls.append(1), key=1)
    made.call_back()
    assert not made.over
    assert open_transactions() == [made]
    made.end(committed=True)
    assert calls == [1, 1]


def test_of_one_key_the_last_callback_is_called_and_once():
    made, calls = changed(), []
    for number in range(3):
        made.at_commit(lambda number=number: calls.append(number), key="same")
    made.at_commit(lambda: calls.append("other"), key="other")
    made.end(committed=True)
    assert calls == [2, "other"]


@pytest.mark.parametrize("committed", [True, False])
def test_a_callback_that_comes_too_late_is_called_at_once(committed):
    made, calls = changed(), []
    made.end(committed=committed)
    made.at_commit(lambda: calls.append(1), key=1)
    assert calls == [1]


def test_a_callback_that_raises_harms_nobody():
    made, calls = changed(), []

    def fail():
        raise LookupError

    made.at_commit(lambda: calls.append("before"), key=1)
    made.at_commit(fail, key=2)
    made.at_commit(lambda: calls.append("after"), key=3)
    made.end(committed=True)
    made.at_commit(fail, key=4)
    assert calls[:2] == ["before", "after"]


def test_a_control_c_in_a_callback_passes_when_all_have_been_called_to_their_ends():
    made, calls = changed(), []

    def cut_short():
        calls.append("begun")
        if calls == ["begun"]:
            raise KeyboardInterrupt
        calls.append("done")

    made.at_commit(cut_short, key=1)
    made.at_commit(lambda: calls.append("after"), key=2)
    with pytest.raises(KeyboardInterrupt):
        made.end(committed=True)
    assert calls == ["begun", "begun", "done", "after"]


def test_a_callback_may_ask_and_add():
    made, calls = changed(), []

    def outer():
        calls.append(has_uncommitted_changes())
        made.at_commit(lambda: calls.append("inner"), key="inner")

    made.at_commit(outer, key="outer")
    made.end(committed=True)
    assert calls[0] is False
    assert "inner" in calls


def test_whoever_comes_in_the_middle_of_a_commit_is_called_back():
    """A thread adds its callback while another one is between setting `over` and the last callback."""
    made, calls = changed(), []
    reached, added = threading.Event(), threading.Event()

    def slow():
        reached.set()
        assert added.wait(PATIENCE)

    made.at_commit(slow, key="slow")
    committing = threading.Thread(target=lambda: made.end(committed=True), daemon=True)
    committing.start()
    assert reached.wait(PATIENCE)
    made.at_commit(added.set, key="slow")  # takes the place of the one that waits
    made.at_commit(lambda: calls.append(1), key="late")
    committing.join(PATIENCE)
    assert not committing.is_alive()
    assert calls


@pytest.mark.parametrize("first", ["commit", "callback"])
def test_a_commit_and_a_callback_at_once_never_miss_each_other(first):
    for _ in range(200):
        made, calls, barrier = changed(), [], threading.Barrier(2)

        def commit(made=made, barrier=barrier):
            barrier.wait(PATIENCE)
            made.end(committed=True)

        def add(made=made, barrier=barrier, calls=calls):
            barrier.wait(PATIENCE)
            made.at_commit(lambda: calls.append(1), key=1)

        here, there = (commit, add) if first == "commit" else (add, commit)
        thread = threading.Thread(target=there, daemon=True)
        thread.start()
        here()
        thread.join(PATIENCE)
        assert not thread.is_alive()
        assert calls
