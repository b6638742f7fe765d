"""What a review has found: ways to an answer that is too old, to a wait without end, and to memory kept."""

from __future__ import annotations

import sqlite3
import threading
from functools import partial
from types import SimpleNamespace

import pytest
from threads_in_step import PATIENCE, HeldCall, in_thread, midway, result_of

from wats_accel.cache import loading
from wats_accel.cache.ages import AgeRules
from wats_accel.cache.loads import Load, stacks
from wats_accel.cache.memory_store import MemoryStore
from wats_accel.cache.namespace import Namespace
from wats_accel.cache.region import Region, RegionRules
from wats_accel.cache.registry import CacheRegistry
from wats_accel.cache.selection import EVERYTHING, AnyOf, Selection
from wats_accel.cache.writers import Writers, Writing
from wats_accel.event_bus import EventBus
from wats_accel.invalidation import Invalidator, OpenWrite, WriteRule
from wats_accel.patterns import KeyPattern
from wats_accel.pool.changes import BY_METHOD, change_of
from wats_accel.pool.dialects import PostgreSql
from wats_accel.pool.drivers import Driver
from wats_accel.pool.uncommitted import Uncommitted
from wats_accel.testing import FakeClock, accelerated
from wats_accel.transactions import Transaction, has_uncommitted_changes, open_transactions

GRACE = {"grace_seconds": 600.0, "grace_errors": ("OSError",)}


@pytest.fixture(autouse=True)
def _no_load_is_left_under_way():
    yield
    assert not stacks, "a thread that gets the same number later would be taken to be inside of it"


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def make_region(clock):
    def make(method="get", *, ttl=60.0, **ages):
        return Region(
            RegionRules("ns", method, f"app:{method}", ttl, ages=AgeRules(**ages)),
            space=Namespace("ns", max_entries=0),
            store=MemoryStore(),
            clock=clock,
            bus=EventBus(),
        )

    return make


def load_of(region):
    return Load(region.rules.target, (0, "a"), ("a",), lambda: f"{region.prefix}:a")


def begun(region):
    load = load_of(region)
    assert loading.begin(region, load) is None
    return load


def loaded(region, answer="answer"):
    load = begun(region)
    loading.finish(region, load, answer)
    return load


def texts_of(number):
    return (str(number),)


def found(region):
    entry = region.lookup((0, "a"))
    return None if entry is None else entry.snapshot.give()


# -- too old ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("grace", [{}, GRACE], ids=["no grace", "a grace"])
def test_a_load_that_took_longer_than_the_ttl_answers_nobody_who_has_waited_for_it(
    make_region, clock, monkeypatch, grace
):
    region = make_region(ttl=1.0, **grace)
    waits = threading.Event()
    wait_for = loading.wait_for
    monkeypatch.setattr(loading, "wait_for", lambda *args: waits.set() or wait_for(*args))
    first = begun(region)
    second = in_thread(lambda: loaded(region, "its own").entry)
    assert waits.wait(PATIENCE)
    clock.advance(2.0)
    loading.finish(region, first, "two seconds old")
    assert second.result(PATIENCE) is not None, "it runs the method itself"
    assert found(region) == "its own"


@pytest.mark.parametrize("inner_is_kept", [True, False])
def test_no_grace_stretches_the_greatest_age_of_what_an_answer_was_made_from(
    make_region, clock, inner_is_kept
):
    inner, outer = make_region("inner", max_age_seconds=30.0), make_region("outer", **GRACE)
    load = begun(outer)
    inner_load = begun(inner)
    loading.finish(inner, inner_load, "role", objection=None if inner_is_kept else "arguments_changed")
    loading.finish(outer, load, "list")
    assert found(outer) == "list"
    clock.advance(30.0)
    assert loading.fail(outer, begun(outer), OSError()) is None


def test_an_answer_stands_in_for_as_long_as_what_it_was_made_from_may(make_region, clock):
    inner, outer = make_region("inner", **GRACE), make_region("outer", **GRACE)
    load = begun(outer)
    loaded(inner, "role")
    loading.finish(outer, load, "list")
    clock.advance(659.0)
    stand_in = loading.fail(outer, begun(outer), OSError())
    assert stand_in is not None
    assert stand_in.snapshot.give() == "list"


# -- between a commit and the drop that follows it ------------------------------------------------------


def test_readers_keep_away_until_all_who_wait_for_a_commit_have_been_told():
    writers, transaction, reasons = Writers(), Transaction(), []
    writers.enter(Writing(EVERYTHING, transaction))
    transaction.at_commit(
        lambda: reasons.append(result_of(lambda: writers.why_keep_away(tuple))), key="before the drop"
    )
    transaction.end(committed=True)
    assert reasons == ["being_written"]
    assert writers.why_keep_away(tuple) is None


def test_a_commit_whose_callbacks_are_interrupted_keeps_nobody_away():
    writers, transaction = Writers(), Transaction()
    writers.enter(Writing(EVERYTHING, transaction))

    def interrupted():
        raise KeyboardInterrupt

    transaction.at_commit(interrupted, key="any")
    with pytest.raises(KeyboardInterrupt):
        transaction.end(committed=True)
    assert writers.why_keep_away(tuple) is None


# -- transactions that a method of the driver begins -----------------------------------------------------

IDLE, IN_TRANSACTION, UNKNOWN = 0, 2, 4  # of libpq, as psycopg and psycopg2 tell it


def changed_with(raw):
    """A row is deleted on a connection in autocommit; gives the transaction that is open after it."""
    account, driver = Uncommitted(PostgreSql()), Driver("nobody_knows")
    delete = change_of("DELETE FROM t")
    account.settle(delete, account.begin(delete), driver, raw, raised=False, lost=False)
    return account


@pytest.mark.parametrize(
    ("raw", "is_open"),
    [
        ({"info": SimpleNamespace(transaction_status=IN_TRANSACTION)}, True),
        ({"info": SimpleNamespace(transaction_status=IDLE)}, False),
        ({"info": SimpleNamespace(transaction_status=UNKNOWN)}, False),
        ({"info": None}, False),
        ({"in_transaction": True}, True),
        ({"in_transaction": False}, False),
        ({}, False),
    ],
)
def test_the_drivers_word_counts_for_more_than_autocommit(raw, is_open):
    account = changed_with(SimpleNamespace(autocommit=True, **raw))
    assert (account.transaction is not None) is is_open
    assert has_uncommitted_changes() is is_open
    account.abandon()


@pytest.mark.parametrize("method", ["begin", "start_transaction", "tpc_begin", "transaction"])
def test_where_the_driver_does_not_know_a_method_that_begins_a_transaction_is_believed(method):
    account, raw = Uncommitted(PostgreSql()), SimpleNamespace(autocommit=True)
    for change in (BY_METHOD[method], change_of("DELETE FROM t")):
        covered = account.begin(change)
        account.settle(change, covered, Driver("nobody_knows"), raw, raised=False, lost=False)
    assert account.transaction is not None
    account.abandon()


def test_a_commit_that_nobody_has_seen_is_noticed_by_the_next_read(tmp_path):
    with accelerated({"version": 1, "pool": [{"connect": "sqlite3:connect"}]}):
        connection = sqlite3.connect(str(tmp_path / "rows.db"))
        connection.execute("CREATE TABLE t (v)")
        connection.execute("INSERT INTO t VALUES (1)")
        [transaction] = open_transactions()
        calls = []
        transaction.at_commit(lambda: calls.append(1), key="any")
        connection._accel_raw.commit()  # as what psycopg's `with connection.transaction()` does
        assert not transaction.over
        connection.cursor()
        assert (transaction.over, calls) == (True, [1])
        connection.close()


# -- dirty reads -----------------------------------------------------------------------------------------


def test_what_was_loaded_while_a_transaction_was_open_is_not_found_after_its_rollback(make_region):
    region, transaction = make_region(), Transaction()
    load = begun(region)  # by a thread that has looked for writers before there was one
    result_of(lambda: region.writers.enter(Writing(EVERYTHING, transaction)))
    loading.finish(region, load, "taken back")
    transaction.end(committed=False)
    assert found(region) is None
    assert region.counters.not_stored == {"being_written": 1}


def test_neither_is_what_was_made_from_it(make_region):
    inner, outer, transaction = make_region("inner"), make_region("outer"), Transaction()
    load = begun(outer)
    inner_load = begun(inner)
    result_of(lambda: inner.writers.enter(Writing(EVERYTHING, transaction)))
    loading.finish(inner, inner_load, "taken back")
    transaction.end(committed=False)
    loading.finish(outer, load, "made from it")
    assert found(outer) is None


def test_nothing_is_renewed_while_it_is_written(app):
    @app.add
    class Repository:
        database = "one"
        runs: list[int] = []  # noqa: RUF012 - of all instances

        def get(self):
            self.runs.append(threading.get_ident())
            return len(self.runs)

        def put(self):
            midway()

    rules = {"get": {"namespace": "rows", "refresh_ahead": "50%"}}
    with app.accelerated(rules, {"put": "rows:*"}, scope="self.database") as accelerator:
        known = Repository()
        submitted = []
        background = accelerator._assembly.context.caches.background
        background.submit = lambda job: submitted.append(job) or True
        known.get()
        app.clock.advance(40.0)
        known.get()
        write = HeldCall(known.put)
        [renewal] = submitted
        renewal()
        assert len(known.runs) == 1
        write.end()
        assert len(known.runs) == 1


# -- exceptions ------------------------------------------------------------------------------------------


def contexts(error):
    while error is not None:
        yield type(error)
        error = error.__context__


@pytest.mark.parametrize("rule", ["rows", {"namespace": "rows", "materialize": True}])
def test_an_exception_keeps_its_context_while_its_caller_handles_another_one(app, rule):
    @app.add
    class Repository:
        database = "one"

        def get(self):
            try:
                raise KeyError("no row")
            except KeyError:
                raise ValueError("no such article")  # noqa: B904 - the context is what is tested

    if rule != "rows":
        plain = Repository.get

        def get(self):
            yield 1
            plain(self)

        Repository.get = get
    with app.accelerated({"get": rule}, scope="self.database"):
        try:
            raise OSError("being handled")
        except OSError:
            with pytest.raises(ValueError, match="no such article") as caught:
                list(Repository().get())
    assert list(contexts(caught.value)) == [ValueError, KeyError, OSError]


# -- waits and memory ------------------------------------------------------------------------------------


def test_a_reader_that_forgets_a_write_waits_for_nobody_who_enters_one(make_region):
    """A finalizer may read in the middle of `enter`, and the other thread has the namespace's lock."""
    assert not [name for name in vars(Writers()) if "lock" in name]


def test_writes_whose_transactions_are_over_are_forgotten_though_nobody_reads():
    writers = Writers()
    for _ in range(2_500):
        transaction = Transaction()
        writers.enter(Writing(EVERYTHING, transaction))
        transaction.end(committed=True)
    assert len(writers.under_way) <= 1_001


def test_of_a_great_many_writes_in_one_transaction_few_are_remembered_and_all_keep_readers_away():
    writers, transaction = Writers(), Transaction()
    for number in range(2_500):
        writers.enter(Writing(Selection((AnyOf(0, frozenset({str(number)})),)), transaction))
    assert len(writers.under_way) <= 1_001
    for number in (0, 1_500, 2_499):
        assert result_of(partial(writers.why_keep_away, partial(texts_of, number))) == "being_written"
    assert writers.why_keep_away(lambda: ("0",)) == "uncommitted_changes"
    transaction.end(committed=True)
    assert writers.why_keep_away(lambda: ("0",)) is None
    assert not writers.under_way


def test_of_a_great_many_writes_inside_one_few_are_remembered_and_all_keep_readers_away(clock):
    caches = CacheRegistry(clock=clock, bus=EventBus())
    region = caches.add(RegionRules("rows", "get", "app:get", 60.0))
    invalidator = Invalidator(caches=caches, bus=EventBus())
    rule = WriteRule("app:put", (KeyPattern.parse("rows:get:{key}"),))
    outer = OpenWrite(WriteRule("app:put_all", (KeyPattern.parse("others:*"),)))
    invalidator.begin(outer, {})
    for number in range(2_500):
        write = OpenWrite(rule)
        invalidator.begin(write, {"key": number})
        invalidator.end(write, {"key": number})
    assert len(region.writers.under_way) <= 1_001
    for number in (0, 1_500, 2_499):
        assert result_of(partial(region.is_being_written, texts_of(number)))
    invalidator.end(outer, {})
    assert not region.writers.under_way
