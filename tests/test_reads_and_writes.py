"""Reads and writes inside each other, at the same time, and in transactions that somebody commits later."""

from __future__ import annotations

import contextlib
import functools
import itertools
import sqlite3
import threading
from dataclasses import dataclass

import pytest
from line_interrupts import Interrupter
from threads_in_step import HeldCall, midway, result_of

from wats_accel import invalidation
from wats_accel.cache import flights, loads, region, writers
from wats_accel.extension import NotStored
from wats_accel.invalidation import Invalidator
from wats_accel.transactions import Transaction, open_transactions
from wats_accel.wrappers import invalidating


@pytest.fixture(autouse=True)
def _nothing_open():
    """No test begins or ends with a transaction of this thread's."""
    assert open_transactions() == []
    yield
    left = open_transactions()
    for known in left:
        known.end(committed=False)
    assert left == []


@pytest.fixture
def repository(app):
    """Rows, of which what is not committed is seen by one thread only.

    `put` commits, and `change` leaves that to its caller.
    """

    @app.add
    class Repository:
        def __init__(self):
            self.rows = {"a": "old", "b": "old"}
            self.pending = {}
            self.writer = None
            self.runs = []
            self.transaction = None

        # reads

        def get(self, key):
            self.runs.append(key)
            own = self.pending if self.writer == threading.get_ident() else {}
            found = own.get(key, self.rows.get(key))
            midway()
            return found

        def names(self):
            self.runs.append("names")
            return [self.get(key) for key in ("a", "b")]

        def other(self):
            self.runs.append("other")
            return "other"

        # writes

        def put(self, key, value):
            self.rows[key] = value

        def change(self, key, value):
            self.transaction = self.transaction or Transaction()
            self.transaction.changed_here()
            self.writer = threading.get_ident()
            self.pending[key] = value

        # ends of a transaction

        def commit(self):
            self.rows.update(self.pending)
            self._end(committed=True)

        def rollback(self):
            self._end(committed=False)

        def _end(self, *, committed):
            self.pending = {}
            transaction, self.transaction = self.transaction, None
            transaction.end(committed=committed)

        # reads that write, and writes that read or write

        def get_and_note(self, key):
            self.put("noted", key)
            return self.get(key)

        def get_or_create(self, key):
            self.runs.append(f"get_or_create {key}")
            found = self.rows.get(key)
            if found is None:
                found = self.rows[key] = "created"
            midway()
            return found

        def page(self):
            self.runs.append("page")
            return f"<{self.get_or_create('c')}>"

        def put_both(self, value, *, fails=False):
            self.put("a", value)
            self.seen = self.get("a"), self.get("b")
            midway()
            if fails:
                raise OSError("half way")
            self.put("b", value)
            return False, "what the rule calls no write"

        def put_all(self, value):
            self.put_both(value)
            midway()

        def change_both(self, value):
            self.change("a", value)
            self.change("b", value)

        def write_nothing_here(self):
            return self.other(), self.names(), self.get("a")

    return Repository


READS = {"get": "rows", "names": "lists", "other": "others"}
WRITES = {"put": ["rows:get:{key}"], "change": ["rows:get:{key}"]}


@pytest.fixture
def accelerated(app, repository):
    """Gives a repository, accelerated by these rules and some more."""
    with contextlib.ExitStack() as stack:

        def accelerate(reads=(), writes=()):
            stack.close()  # an application has one accelerator at a time
            rules = {**READS, **dict(reads)}, {**WRITES, **dict(writes)}
            made = repository()
            made.accelerator = stack.enter_context(app.accelerated(*rules))
            return made

        yield accelerate


def not_stored(known):
    return dict(known.accelerator.stats().total.not_stored)


def bypassed(known):
    return dict(known.accelerator.stats().total.bypassed)


# -- writes inside reads ---------------------------------------------------------------------------------


def test_a_read_that_writes_is_not_kept_and_what_it_has_written_is_dropped(accelerated):
    known = accelerated({"get_and_note": "rows"})
    assert known.get("noted") is None
    assert [known.get_and_note("a"), known.get_and_note("a")] == ["old", "old"]
    assert known.get("noted") == "a"
    assert not_stored(known) == {"wrote": 2}
    assert known.runs.count("a") == 1, "what it has read is kept"


def test_a_read_around_one_that_writes_is_not_kept_either(app, accelerated):
    app.module.Repository.around = lambda self: self.get_and_note("a")
    known = accelerated({"get_and_note": "rows", "around": "others"})
    known.around()
    assert not_stored(known) == {"wrote": 2}


def test_get_or_create_keeps_its_answer_and_drops_what_it_made_old(accelerated):
    known = accelerated({"get_or_create": "rows"}, {"get_or_create": ["rows:*"]})
    assert known.get("c") is None
    assert [known.get_or_create("c"), known.get_or_create("c")] == ["created"] * 2
    assert known.get("c") == "created"
    assert known.runs.count("get_or_create c") == 1, "a hit does not write"


def test_a_read_around_get_or_create_is_kept_once_there_is_nothing_to_create(accelerated):
    known = accelerated({"get_or_create": "rows", "page": "others"}, {"get_or_create": ["rows:*"]})
    assert [known.page(), known.page(), known.page()] == ["<created>"] * 3
    assert known.runs == ["page", "get_or_create c", "page"]
    assert not_stored(known) == {"wrote": 1}


def test_get_or_create_is_not_kept_if_another_write_ends_meanwhile(accelerated):
    rule = {"get_or_create": ["rows:*"], "put": ["rows:*"]}
    known = accelerated({"get_or_create": "rows"}, rule)
    load = HeldCall(lambda: known.get_or_create("a"))
    known.put("a", "new")
    assert load.end() == "old"
    assert known.get_or_create("a") == "new"


def test_get_or_create_of_two_threads_is_one_load(accelerated, joins):
    known = accelerated({"get_or_create": "rows"}, {"get_or_create": ["rows:*"]})
    load = HeldCall(lambda: known.get_or_create("c"))
    assert result_of(lambda: known.get_or_create("c")) == "created", "it writes, so nobody waits for it"
    assert load.end() == "created"
    assert joins.count == 0


# -- reads inside writes ---------------------------------------------------------------------------------


def test_a_read_inside_a_write_that_concerns_it_goes_to_the_database(accelerated):
    known = accelerated(writes={"put_both": ["rows:*"]})
    known.get("a"), known.get("b")
    known.put_both("new")
    assert known.seen == ("new", "old")
    assert bypassed(known) == {"inside_a_write": 2}
    assert [known.get("a"), known.get("b")] == ["new", "new"]


def test_a_read_inside_a_write_that_does_not_concern_it_is_as_ever(accelerated):
    known = accelerated({"get_or_create": "unconcerned"}, {"write_nothing_here": ["unconcerned:*"]})
    assert known.write_nothing_here() == known.write_nothing_here() == ("other", ["old", "old"], "old")
    assert known.runs == ["other", "names", "a", "b"]


def test_what_is_made_inside_a_write_from_what_it_concerns_is_not_kept(accelerated):
    known = accelerated(writes={"write_nothing_here": ["rows:*"]})
    known.write_nothing_here()
    known.runs.clear()
    assert known.names() == ["old", "old"]
    assert known.runs == ["names", "a", "b"]


# -- a write while others read ---------------------------------------------------------------------------


def test_who_reads_while_a_write_is_under_way_gets_what_the_database_has(accelerated):
    known = accelerated(writes={"put_both": ["rows:*"]})
    known.get("a"), known.get("b")
    write = HeldCall(lambda: known.put_both("new"))
    assert [known.get("a"), known.get("b")] == ["new", "old"]
    known.rows["a"] = "newer"
    assert known.get("a") == "newer", "which is not kept"
    write.end()
    assert [known.get("a"), known.get("b")] == ["newer", "new"]


def test_who_reads_what_a_write_does_not_concern_is_answered_from_the_cache(accelerated):
    known = accelerated(writes={"put_both": ["rows:get:a"]})
    known.get("b"), known.other()
    known.runs.clear()
    write = HeldCall(lambda: known.put_both("new"))
    known.runs.clear()
    assert (known.get("b"), known.other()) == ("old", "other")
    assert known.runs == []
    write.end()


@pytest.mark.parametrize("fails", [False, True], ids=["returns", "raises half-way"])
@pytest.mark.parametrize("ends", ["before the write", "after the write"])
def test_a_load_from_before_a_write_is_not_given_to_who_reads_after_it(accelerated, ends, fails):
    known = accelerated(writes={"put_both": ["rows:*"]})
    load = HeldCall(lambda: known.get("a"))
    write = HeldCall(lambda: known.put_both("new", fails=fails))
    if ends == "before the write":
        assert load.end() == "old"
    assert isinstance(write.let_go().exception(30), OSError if fails else type(None))
    if ends == "after the write":
        assert load.end() == "old"
    assert known.get("a") == "new"


# -- writes inside writes --------------------------------------------------------------------------------

BOTH_ELSEWHERE = {"put_both": ["others:*"], "put_all": ["others:*"]}


@pytest.mark.parametrize("writes", [{"put_both": ["others:*"]}, BOTH_ELSEWHERE], ids=["one", "two"])
def test_a_write_inside_a_write_drops_at_once(accelerated, writes):
    known = accelerated(writes=writes)
    known.get("a"), known.get("b")
    write = HeldCall(lambda: known.put_all("new"))
    assert [known.get("a"), known.get("b")] == ["new", "old"]
    write.end()
    assert [known.get("a"), known.get("b")] == ["new", "new"]


def test_a_write_inside_a_write_drops_again_when_the_outer_one_ends(accelerated):
    """The outer one may be what commits."""
    known = accelerated(writes=BOTH_ELSEWHERE)
    write = HeldCall(lambda: known.put_all("new"))
    known.get("a")
    load = HeldCall(lambda: known.get("a"))
    known.rows["a"] = "committed"
    write.end()
    load.end()
    assert known.get("a") == "committed"


def test_a_thread_keeps_away_from_what_it_wrote_until_its_outermost_write_ends(accelerated):
    known = accelerated(writes=BOTH_ELSEWHERE)
    known.get("a"), known.get("b")
    known.put_all("new")
    assert known.seen == ("new", "old")
    assert bypassed(known) == {"inside_a_write": 2}
    known.get("a"), known.get("a")
    assert bypassed(known) == {"inside_a_write": 2}


def test_a_write_that_turns_out_to_be_none_drops_what_writes_inside_it_have_written(accelerated):
    known = accelerated(writes={"put_both": {"patterns": ["others:*"], "when": "truthy"}})
    known.get("a"), known.other()
    write = HeldCall(lambda: known.put_both("new"))
    load = HeldCall(lambda: known.get("a"))
    known.rows["a"] = "committed"
    write.end()
    load.end()
    assert known.get("a") == "committed"
    known.other()
    assert known.runs.count("other") == 1


def test_a_write_that_fails_half_way_has_written(accelerated):
    known = accelerated(writes={"put_both": ["others:*"]})
    known.get("a"), known.get("b"), known.other()
    with pytest.raises(OSError, match="half way"):
        known.put_both("new", fails=True)
    assert [known.get("a"), known.get("b")] == ["new", "old"]
    known.other()
    assert known.runs.count("other") == 2


# -- transactions that are open when the write returns ---------------------------------------------------


@pytest.fixture
def changed(accelerated):
    """A repository with all its rows cached, of which this thread has changed one and not committed."""
    known = accelerated()
    known.get("a"), known.get("b"), known.other()
    known.change("a", "new")
    return known


def test_until_the_commit_this_thread_sees_its_own_rows_and_others_do_not(changed):
    assert (changed.get("a"), result_of(lambda: changed.get("a"))) == ("new", "old")
    changed.commit()
    assert (changed.get("a"), result_of(lambda: changed.get("a"))) == ("new", "new")


def test_until_the_commit_nothing_of_it_is_kept_for_anybody(changed):
    changed.runs.clear()
    changed.get("a"), changed.get("a")
    result_of(lambda: (changed.get("a"), changed.get("a")))
    assert changed.runs == ["a"] * 4
    assert bypassed(changed) == {"uncommitted_changes": 2, "being_written": 2}
    changed.rollback()


@pytest.mark.parametrize("end", ["commit", "rollback"])
@pytest.mark.parametrize("by", ["the same thread", "another thread"])
def test_when_it_is_over_everybody_is_answered_from_the_cache_again(changed, end, by):
    action = getattr(changed, end)
    action() if by == "the same thread" else result_of(action)
    expected = "new" if end == "commit" else "old"
    changed.runs.clear()
    assert [changed.get("a"), result_of(lambda: changed.get("a")), changed.get("a")] == [expected] * 3
    assert changed.runs == ["a"]


@pytest.mark.parametrize("by", ["the same thread", "another thread"])
def test_a_load_that_began_before_the_commit_is_not_kept(changed, by):
    load = HeldCall(lambda: changed.get("a"))
    changed.commit() if by == "the same thread" else result_of(changed.commit)
    assert load.end() == "old"
    assert changed.get("a") == "new"


def test_a_load_that_began_before_the_write_is_not_kept_after_the_commit(accelerated):
    known = accelerated()
    load = HeldCall(lambda: known.get("a"))
    known.change("a", "new")
    known.commit()
    assert load.end() == "old"
    assert known.get("a") == "new"


def test_other_threads_are_answered_from_the_cache_for_what_it_does_not_concern(changed):
    changed.runs.clear()
    assert result_of(lambda: (changed.get("b"), changed.other())) == ("old", "other")
    assert changed.runs == []
    changed.rollback()


@pytest.mark.parametrize("ends_last", [0, 1])
def test_each_open_transaction_of_a_write_counts(changed, ends_last):
    first, changed.transaction = changed.transaction, None
    changed.change("a", "newer")
    transactions = [first, changed.transaction]
    transactions[1 - ends_last].end(committed=True)
    changed.runs.clear()
    assert changed.get("a") == "newer", "its own"
    assert result_of(lambda: (changed.get("a"), changed.get("a"))) == ("old", "old")
    assert changed.runs == ["a"] * 3
    changed.rows["a"] = "newer"
    transactions[ends_last].end(committed=True)
    assert result_of(lambda: (changed.get("a"), changed.get("a"))) == ("newer", "newer")
    assert changed.runs == ["a"] * 4


def test_a_transaction_that_is_lost_without_a_word_is_over(changed):
    changed.transaction.over = True  # all that the garbage collector can do
    changed.pending = {}
    changed.runs.clear()
    assert [changed.get("a"), changed.get("a"), result_of(lambda: changed.get("a"))] == ["old"] * 3
    assert changed.runs == ["a"]


def test_a_write_inside_a_write_is_dropped_again_at_the_commit(accelerated):
    known = accelerated(writes={"change_both": ["others:*"]})
    known.get("a"), known.get("b"), known.other()
    known.change_both("new")
    assert result_of(lambda: [known.get("a"), known.get("b")]) == ["old", "old"]
    known.commit()
    assert result_of(lambda: [known.get("a"), known.get("b")]) == ["new", "new"]


@dataclass
class Row:
    id: int


def test_a_commit_of_another_thread_just_as_the_write_ends_drops_what_was_loaded_before_it(app, monkeypatch):
    """The write finds out the row that it writes; nobody could know before that this is the one."""
    rows = {7: "old"}
    transaction, loads = Transaction(), []

    @app.add
    class Repository:
        def get(self, key):
            found = rows[key]
            midway()
            return found

        def change(self, row):
            row.id = 7
            transaction.changed_here()

    def commit():
        rows[7] = "new"
        transaction.end(committed=True)

    def leave(self, write, drops, original=Invalidator._leave):
        loads.append(HeldCall(lambda: known.get(7)))
        result_of(commit)
        original(self, write, drops)

    with app.accelerated({"get": "rows"}, {"change": ["rows:get:{row.id}"]}):
        known = Repository()
        monkeypatch.setattr(Invalidator, "_leave", leave)
        known.change(Row(id=3))
        assert loads[0].end() == "old"
        assert known.get(7) == "new"


# -- interrupts ------------------------------------------------------------------------------------------

ENGINE = (invalidating, invalidation, flights, loads, region, writers)

INTERRUPTS = [KeyboardInterrupt, TimeoutError]
"""The last stands for what other threads raise to cancel a call; those are mostly plain exceptions."""


def interrupted_at_each_line(accelerated, call, error):
    """Gives, once for each line of the engine that a write may come to, what that has done to whom."""
    known = None
    for number in itertools.count(1):
        if known is None or is_hurt(known):
            known = accelerated()
        known.get("a"), known.get("b")
        interrupter = Interrupter(ENGINE, number, error())
        interrupted = functools.partial(call, known, number)
        assert not result_of(functools.partial(interrupt, interrupter, interrupted)), "it is still writing"
        yield known
        assert not writes_under_way(known)
        if not interrupter.has_struck:
            return


def regions(known):
    return list(known.accelerator._assembly.context.caches)


def is_hurt(known):
    """Whether a region stores nothing any more: where a drop was interrupted, nobody takes a risk."""
    return any(one.suspended or one.flights._fences for one in regions(known))


def writes_under_way(known):
    """Those from which somebody must keep away."""
    under_way = [one for known_region in regions(known) for one in known_region.writers.under_way]
    return [one for one in under_way if one.transaction is None or not one.transaction.over]


def interrupt(interrupter, call):
    """Make a call, and say whether its thread is inside a write afterwards."""
    with contextlib.suppress(*INTERRUPTS):
        interrupter.call(call)
    return writers.is_writing()


@pytest.mark.parametrize("error", INTERRUPTS)
def test_wherever_a_write_is_interrupted_nobody_reads_what_was_before_it(accelerated, error):
    def put(known, number):
        known.put("a", f"new {number}")

    for known in interrupted_at_each_line(accelerated, put, error):
        assert known.get("a") == known.rows["a"]
        assert known.get("b") == "old"


@pytest.mark.parametrize("error", INTERRUPTS)
def test_wherever_a_write_is_interrupted_it_is_dropped_again_at_its_commit(accelerated, error):
    def change(known, number):
        known.change("a", f"new {number}")

    for known in interrupted_at_each_line(accelerated, change, error):
        known.get("a"), known.get("b")
        if known.transaction is not None:
            result_of(known.commit)
        assert [known.get("a"), known.get("b")] == [known.rows["a"], known.rows["b"]]


# -- changes that no patched write has made --------------------------------------------------------------


def test_what_a_thread_with_uncommitted_changes_loads_is_not_kept(accelerated):
    known = accelerated()
    transaction = Transaction()
    transaction.changed_here()
    known.other(), known.other()
    assert not_stored(known) == {"uncommitted_changes": 2}
    transaction.end(committed=True)
    known.other(), known.other()
    assert known.runs == ["other"] * 3


def test_what_another_thread_loads_meanwhile_is_kept(accelerated):
    known = accelerated()
    transaction = Transaction()
    transaction.changed_here()
    result_of(known.other)
    transaction.end(committed=False)
    known.other()
    assert known.runs == ["other"]


def test_a_change_that_is_over_when_a_load_ends_counts_for_what_was_read_from_it(app):
    """A method that tries something out, and takes it back: what it has read was never true."""
    pending = ["tried"]

    @app.add
    class Repository:
        def read(self):
            return list(pending)

        def try_out(self):
            transaction = Transaction()
            transaction.changed_here()
            found = self.read()
            transaction.end(committed=False)
            return found

    heard = []
    with app.accelerated({"read": "rows", "try_out": "others"}, listen=[(NotStored, heard.append)]):
        known = Repository()
        known.try_out()
    assert [event.why for event in heard] == ["uncommitted_changes"] * 2


# -- over a pooled connection ----------------------------------------------------------------------------


@pytest.fixture
def pooled(app, tmp_path):
    """The same over sqlite3: a write that its caller commits, and reads on connections of their own."""
    file = tmp_path / "database"
    made = sqlite3.connect(file)
    made.execute("CREATE TABLE row (key TEXT PRIMARY KEY, value TEXT)")
    made.execute("INSERT INTO row VALUES ('a', 'old'), ('b', 'old')")
    made.commit()
    made.close()

    @app.add
    class Repository:
        def __init__(self):
            self.connection = sqlite3.connect(file, check_same_thread=False)
            self.queries = 0

        def get(self, key, *, own=False):
            self.queries += 1
            connection = self.connection if own else sqlite3.connect(file)
            (found,) = connection.execute("SELECT value FROM row WHERE key = ?", [key]).fetchone()
            return found

        def change(self, key, value):
            self.connection.execute("UPDATE row SET value = ? WHERE key = ?", [value, key])

    rules = {"get": "rows"}, {"change": ["rows:get:{key}"]}
    with app.accelerated(*rules, pool=[{"connect": "sqlite3:connect"}]):
        known = Repository()
        yield known
        known.connection.close()


@pytest.mark.parametrize("by", ["the same thread", "another thread"])
@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_over_a_pooled_connection_it_is_the_same(pooled, end, by):
    assert pooled.get("a") == "old"
    pooled.change("a", "new")
    assert (pooled.get("a"), pooled.get("a", own=True)) == ("old", "new")
    assert result_of(lambda: pooled.get("a")) == "old"
    action = getattr(pooled.connection, end)
    action() if by == "the same thread" else result_of(action)
    before, expected = pooled.queries, "new" if end == "commit" else "old"
    assert [pooled.get("a"), pooled.get("a"), result_of(lambda: pooled.get("a"))] == [expected] * 3
    assert pooled.queries == before + 1


def test_a_pooled_connection_that_is_closed_ends_its_transaction(pooled):
    pooled.change("a", "new")
    pooled.connection.close()
    pooled.queries = 0
    assert [pooled.get("a"), pooled.get("a")] == ["old", "old"]
    assert pooled.queries == 1
