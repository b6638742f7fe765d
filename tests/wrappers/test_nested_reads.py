"""Nested reads: an answer that was made from another one goes when that one goes."""

from __future__ import annotations

import dataclasses
import gc
import itertools
import sqlite3
import weakref

import pytest
from threads_in_step import PATIENCE, HeldCall, in_thread, midway, result_of

from wats_accel.extension import Evicted, Orphaned
from wats_accel.failures import note_failure

READS = {
    "get": {"namespace": "rows", "ttl": 60},
    "names": {"namespace": "lists", "ttl": 600},
    "page": {"namespace": "pages", "ttl": 0},
}
WRITES = {"put": "rows:get:{key}", "put_all": "rows:*", "put_any": "rows:g*:?"}


class Row:
    """An answer that can be weakly referenced."""

    def __init__(self, text):
        self.text = text

    def __eq__(self, other):
        return isinstance(other, Row) and self.text == other.text

    def __hash__(self):
        return hash(self.text)


class Refuses(Row):
    """An answer that cannot be copied, and so is not stored."""

    def __deepcopy__(self, memo):
        raise TypeError("cannot be copied")


class Refusing(list):
    """A list that cannot be copied."""

    def __deepcopy__(self, memo):
        raise TypeError("cannot be copied")

    __copy__ = __reduce_ex__ = __deepcopy__


@pytest.fixture
def repository(app):
    """A page is made from names, and these from the single rows, which writes change."""

    @app.add
    class Repository:
        database = "one"
        make = Row

        def __init__(self):
            self.rows = {"a": "old", "b": "old"}
            self.runs = []
            self.hint = None
            self.held_in = "get"

        def _run(self, name):
            self.runs.append(name)

        def _end(self, name, answer):
            if self.held_in == name:
                midway()
            return answer

        def get(self, key, hint=None):
            self._run("get")
            return self._end("get", self.make(self.rows[key]))

        def names(self):
            self._run("names")
            return self._end("names", [self.get(key, self.hint).text for key in ("a", "b")])

        def page(self, number=1):
            self._run("page")
            return self._end("page", " ".join(self.names()))

        def put(self, key, text):
            self.rows[key] = text

        def put_all(self, text):
            self.rows = dict.fromkeys(self.rows, text)

        def put_any(self, text):
            self.put_all(text)

    return Repository


@pytest.fixture
def known(app, repository):
    """One repository; nobody invalidates names or pages, but through the rows."""
    with app.accelerated(READS, WRITES) as accelerator:
        made = repository()
        made.accelerator = accelerator
        yield made


def warm_inner(known):
    """Have what is inside a hit."""
    known.get("a"), known.get("b"), known.names()


def joined_inner(known):
    """Have what is inside a join: a third thread loads a row while the page needs it."""
    load = HeldCall(lambda: known.get("a"))
    page = in_thread(known.page)
    known.joins.await_waiting()
    load.end()
    assert page.result(PATIENCE)


def nothing(known):
    """Have what is inside a load."""


INNER = {"was a hit": warm_inner, "was a load": nothing, "was joined": joined_inner}


@pytest.fixture(params=INNER.values(), ids=list(INNER))
def page(request, known, joins):
    """A repository whose page is stored, made from inner answers that were come by in each way."""
    known.joins = joins
    request.param(known)
    assert known.page() == "old old"
    known.runs.clear()
    assert known.page() == "old old"
    assert known.runs == []
    return known


# -- what drops the inner answer drops the outer one -----------------------------------------------------


@pytest.mark.parametrize(
    ("write", "expected"),
    [
        (lambda known: known.put("a", "new"), "new old"),
        (lambda known: known.put_all("new"), "new new"),
        (lambda known: known.put_any("new"), "new new"),
        (lambda known: (known.rows.update(a="new"), known.accelerator.invalidate("*")), "new old"),
        (lambda known: (known.rows.update(a="new"), known.accelerator.invalidate("lists:*")), "old old"),
    ],
    ids=["exact", "namespace", "pattern", "whole cache", "the one between"],
)
def test_an_invalidation_reaches_through_all_levels(page, write, expected):
    write(page)
    assert page.page() == expected
    assert result_of(page.page) == expected
    assert page.runs.count("page") == 1


def test_an_invalidation_of_what_it_was_not_made_from_leaves_it(page):
    page.rows["c"] = "new"
    page.get("c")
    page.put("c", "newer")
    assert page.page() == "old old"
    assert page.runs == ["get"]


def test_an_expiry_reaches_through_all_levels(app, page):
    page.rows["a"] = "unseen"
    app.clock.advance(59.9)
    assert page.page() == "old old"
    app.clock.advance(0.1)
    assert page.page() == "unseen old"


def test_the_age_of_a_hit_counts(app, known):
    known.get("a")
    app.clock.advance(40)
    known.page()
    known.rows["a"] = "unseen"
    app.clock.advance(20)
    assert known.page() == "unseen old"


def test_a_replacement_reaches_through_all_levels(app, known):
    (inner,) = [one for one in regions(known) if one.rules.method == "get"]
    inner.rules = dataclasses.replace(inner.rules, wait_seconds=0.0)
    load = HeldCall(lambda: known.get("a"))
    app.clock.advance(1)
    known.rows["a"] = "unseen"
    later_load = HeldCall(lambda: known.get("a"))
    load.end()
    assert known.page() == "old old"
    later_load.end()
    assert known.page() == "unseen old"


def test_a_write_while_the_inner_method_is_switched_off_reaches_through_all_levels(page):
    page.accelerator.disable("rows:*")
    assert page.page() == "old old"
    page.put("a", "new")
    assert page.page() == "new old"
    page.accelerator.enable("rows:*")
    assert page.page() == "new old"


def test_switching_off_alone_drops_nothing(page):
    page.accelerator.disable("rows:*")
    page.page()
    page.accelerator.enable("rows:*")
    page.page()
    assert page.runs == []


def test_an_eviction_reaches_through_all_levels(app, repository):
    heard = []
    listen = [(Evicted, heard.append), (Orphaned, heard.append)]
    with app.accelerated(READS, WRITES, max_entries=2, listen=listen):
        known = repository()
        known.page()
        for key in "cdefgh":
            known.rows[key] = "other"
            known.get(key)
        known.runs.clear()
        known.rows["a"] = "unseen"
        assert known.page() == "unseen old"
        assert {type(event) for event in heard} == {Evicted, Orphaned}


def test_an_inner_answer_that_was_evicted_gives_its_memory_back(app, repository):
    with app.accelerated(READS, WRITES, max_entries=2) as accelerator:
        known = repository()
        known.accelerator = accelerator
        known.page()
        inner, outer = (
            next(one for one in regions(known) if one.rules.method == name) for name in ("get", "page")
        )
        (kept,) = outer._store.entries()
        gone = [weakref.ref(entry) for entry in inner._store.entries()]
        for key in "cdefgh":
            known.rows[key] = "other"
            known.get(key)
        gc.collect()
        assert [entry() for entry in gone] == [None, None]
        assert kept.breach() == "orphaned"


def test_an_orphaned_answer_is_counted_and_told_once(app, repository):
    heard = []
    with app.accelerated(READS, WRITES, listen=[(Orphaned, heard.append)]) as accelerator:
        known = repository()
        known.page()
        known.put("a", "new")
        known.page(), known.page()
        assert accelerator.stats().namespaces["pages"].orphaned == 1
    assert [event.target.rpartition(".")[2] for event in heard] == ["page", "names"]


def regions(known):
    return list(known.accelerator._assembly.context.caches)


# -- inner answers that are not stored -------------------------------------------------------------------


def refuse_copies(known):
    type(known).make = Refuses


def switch_off(known):
    known.accelerator.disable("rows:*")


def take_the_key_away(known):
    known.hint = object()  # without a value, so that calls with it have no key


UNSTORED = {"uncopyable": refuse_copies, "switched off": switch_off, "without a key": take_the_key_away}


@pytest.fixture(params=UNSTORED.values(), ids=list(UNSTORED))
def unstored(request, known):
    """A repository whose page is stored, and the rows that it was made from are not."""
    request.param(known)
    assert known.page() == "old old"
    known.runs.clear()
    assert known.page() == "old old"
    assert known.runs == []
    return known


@pytest.mark.parametrize("write", ["put_all", "put_any"])
def test_an_inner_answer_that_is_not_stored_is_dropped_all_the_same(unstored, write):
    getattr(unstored, write)("new")
    assert unstored.page() == "new new"


def test_an_inner_answer_that_is_not_stored_is_dropped_by_its_exact_key(unstored):
    unstored.put("a", "new")
    assert unstored.page() == "new old"


def test_an_inner_answer_that_is_not_stored_is_no_older_than_its_ttl(app, unstored):
    app.clock.advance(60)
    unstored.rows["a"] = "unseen"
    assert unstored.page() == "unseen old"


def test_what_an_inner_answer_that_is_not_stored_was_made_from_counts(app, known):
    """The page is made from names, which are not stored, and these from rows, which are."""
    known.accelerator.disable("lists:*")
    known.page()
    known.runs.clear()
    assert known.page() == "old old"
    assert known.runs == []
    known.put("a", "new")
    assert known.page() == "new old"
    app.clock.advance(60)
    known.rows["a"] = "unseen"
    assert known.page() == "unseen old"


def test_what_an_inner_answer_that_cannot_be_copied_was_made_from_counts(app, known):
    type(known)._end = lambda self, name, answer: Refusing(answer) if name == "names" else answer
    known.page()
    known.runs.clear()
    assert known.page() == "old old"
    assert known.runs == []
    known.put("a", "new")
    assert known.page() == "new old"
    app.clock.advance(60)
    known.rows["a"] = "unseen"
    assert known.page() == "unseen old"


def test_a_write_in_the_middle_of_a_load_counts_for_inner_answers_that_are_not_stored(known):
    refuse_copies(known)
    load = HeldCall(known.page)
    known.put("b", "new")
    assert load.end() == "old new"
    known.runs.clear()
    assert known.page() == "old new"
    assert "page" in known.runs


# -- a write while the outer load is under way -----------------------------------------------------------


@pytest.mark.parametrize("held_in", ["page", "names"])
def test_a_load_whose_inner_answer_is_dropped_before_it_ends_is_not_kept(known, held_in):
    known.held_in = held_in
    load = HeldCall(known.page)
    known.put("a", "new")
    assert load.end() == "old old"
    assert known.page() == "new old"


@pytest.mark.parametrize("held_in", ["page", "names"])
def test_who_joins_after_such_a_write_does_not_get_that_load_s_answer(known, held_in, joins):
    """The write knows nothing of pages, so the load can be joined still."""
    known.held_in = held_in
    load = HeldCall(known.page)
    known.put("a", "new")
    waiting = in_thread(known.page)
    joins.await_waiting()
    assert load.end() == "old old"
    assert waiting.result(PATIENCE) == "new old"


def test_nobody_joins_a_load_that_has_stored_its_answer_already(app, repository, joins):
    """What that was made from may have been dropped since."""
    seen = []

    def write_and_read(event):
        if event.target.endswith("page") and not seen:
            result_of(lambda: known.put("a", "new"))
            seen.append(in_thread(lambda: known.page(3)))
            joins.await_waiting_or_end(seen[0])

    with app.accelerated(READS, WRITES, max_entries=2, listen=[(Evicted, write_and_read)]):
        known = repository()
        assert [known.page(number) for number in (1, 2, 3)] == ["old old"] * 3
        assert seen[0].result(PATIENCE) == "new old"


# -- hundreds of inner answers ---------------------------------------------------------------------------

MANY = [f"row {number}" for number in range(300)]


@pytest.fixture
def many(app):
    """A total over hundreds of rows, each of which is an answer of its own."""

    @app.add
    class Repository:
        def __init__(self):
            self.rows = dict.fromkeys(MANY, 1)
            self.totals = 0

        def get(self, key):
            return self.rows[key]

        def total(self):
            self.totals += 1
            answer = sum(self.get(key) for key in MANY)
            midway()
            return answer

        def put(self, key, value):
            self.rows[key] = value

    rules = {"get": {"namespace": "rows", "ttl": 60}, "total": {"namespace": "totals", "ttl": 0}}
    with app.accelerated(rules, {"put": "rows:get:{key}"}) as accelerator:
        made = Repository()
        made.accelerator = accelerator
        yield made


@pytest.mark.parametrize("key", [MANY[0], MANY[150], MANY[-1]])
def test_each_of_hundreds_of_inner_answers_counts(many, key):
    assert [many.total(), many.total(), many.totals] == [300, 300, 1]
    many.put(key, 2)
    assert many.total() == 301


@pytest.mark.parametrize("key", [MANY[0], MANY[150], MANY[-1]])
def test_each_of_hundreds_of_inner_answers_counts_before_the_load_has_ended(many, key):
    load = HeldCall(many.total)
    many.put(key, 2)
    assert load.end() == 300
    assert many.total() == 301


def test_the_oldest_of_hundreds_of_inner_answers_counts(app, many):
    many.get(MANY[7])
    app.clock.advance(30)
    many.total()
    many.rows = dict.fromkeys(MANY, 2)
    app.clock.advance(29)
    assert many.total() == 300
    app.clock.advance(1)
    assert many.total() == 300 + 1


def test_a_hit_made_from_hundreds_of_answers_asks_a_few_premises_only(many):
    many.total()
    total = regions(many)[1]
    (entry,) = total._store.entries()
    assert total.rules.method == "total"
    assert len(entry.premises) <= 32


# -- failures --------------------------------------------------------------------------------------------


@pytest.fixture
def failing(app):
    """Three levels. The innermost fails in some way, the others swallow it, or do not even see it."""

    @app.add
    class Repository:
        fail = None

        def get(self):
            return "true" if self.fail is None else self.fail()

        def role(self):
            try:
                return self.get()
            except OSError:
                return "guest"

        def page(self):
            return f"<{self.role()}>"

    return Repository


def raise_error():
    raise OSError("the database is down")


def swallow_error():
    note_failure()
    return "nothing"


def answer_of_failure():
    return "failed"


FAILURES = {"raised": raise_error, "noted by the pool": swallow_error, "listed": answer_of_failure}
ANSWERS = {"raised": "<guest>", "noted by the pool": "<nothing>", "listed": "<failed>"}
NESTED = {"get": {"namespace": "rows", "unless_result": ["failed"]}, "role": "roles", "page": "pages"}


@pytest.mark.parametrize(
    ("kind", "inner_is"),
    [*itertools.product(FAILURES, ["cached", "switched off"]), ("noted by the pool", "not even patched")],
)
def test_a_failure_travels_through_all_levels_and_each_gets_its_answer(app, failing, kind, inner_is):
    rules = {name: rule for name, rule in NESTED.items() if inner_is != "not even patched" or name != "get"}
    with app.accelerated(rules) as accelerator:
        if inner_is == "switched off":
            accelerator.disable("rows:*")
        known = failing()
        known.fail = FAILURES[kind]
        assert [known.page(), known.page()] == [ANSWERS[kind]] * 2
        assert accelerator.stats().total.stored == 0
        known.fail = None
        assert [known.page(), known.role()] == ["<true>", "true"]
        known.fail = raise_error
        assert [known.page(), known.role()] == ["<true>", "true"], "and that is kept"


def test_a_failure_before_a_load_is_none_of_its_failures(app, failing):
    with app.accelerated(NESTED) as accelerator:
        note_failure()
        failing().page()
        assert accelerator.stats().total.stored == 3


def test_a_failure_in_another_thread_is_none_of_its_failures(app, failing):
    def fail_elsewhere():
        result_of(note_failure)
        return "true"

    with app.accelerated(NESTED) as accelerator:
        known = failing()
        known.fail = fail_elsewhere
        known.page()
        assert accelerator.stats().total.stored == 3


def test_what_was_read_before_the_failure_is_kept(app):
    @app.add
    class Repository:
        def good(self):
            return "good"

        def page(self):
            found = self.good()
            note_failure()
            return found

    with app.accelerated({"good": "rows", "page": "pages"}) as accelerator:
        known = Repository()
        known.page()
        namespaces = accelerator.stats().namespaces
    assert (namespaces["rows"].size, namespaces["pages"].size) == (1, 0)


# -- over a pooled connection ----------------------------------------------------------------------------


def fails_to_connect(folder):
    sqlite3.connect(folder / "no such folder" / "database")


def fails_to_execute(folder):
    sqlite3.connect(folder / "database").execute("SELECT a FROM no_such_table")


def fails_to_fetch(folder):
    cursor = sqlite3.connect(folder / "database").cursor()
    cursor.execute("SELECT abs(-9223372036854775808 + n) FROM (SELECT 1 AS n UNION ALL SELECT 0)")
    cursor.fetchall()


def fails_to_commit(folder):
    connection = sqlite3.connect(folder / "database")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("CREATE TABLE a (id INTEGER PRIMARY KEY)")
    connection.execute(
        "CREATE TABLE b (a_id INTEGER REFERENCES a(id) DEFERRABLE INITIALLY DEFERRED, UNIQUE (a_id))"
    )
    connection.execute("INSERT INTO b VALUES (7)")
    try:
        connection.commit()
    finally:
        connection.rollback()


@pytest.mark.parametrize("fails", [fails_to_connect, fails_to_execute, fails_to_fetch, fails_to_commit])
def test_an_error_of_the_driver_that_is_swallowed_keeps_no_answer(app, tmp_path, fails):
    @app.add
    class Repository:
        database_is_down = True

        def get(self):
            try:
                if self.database_is_down:
                    fails(tmp_path)
            except sqlite3.Error:
                return []
            return ["row"]

        def page(self):
            return len(self.get())

    pool = [{"connect": "sqlite3:connect"}]
    with app.accelerated({"get": "rows", "page": "pages"}, pool=pool) as accelerator:
        known = Repository()
        assert (known.page(), known.get()) == (0, [])
        assert accelerator.stats().total.not_stored == {"failure_within": 3}
        known.database_is_down = False
        assert (known.page(), known.get()) == (1, ["row"])
        assert accelerator.stats().total.stored == 2


def test_what_an_outer_load_gets_of_a_method_that_is_off_while_a_write_is_under_way_is_not_kept(app):
    @app.add
    class Repository:
        role = "admin"

        def get(self):
            return self.role

        def page(self):
            text = f"<{self.get()}>"
            midway()
            return text

        def write(self, role):
            before, self.role = self.role, role  # others see it, where dirty reads are allowed
            midway()
            self.role = before  # and it is taken back
            return False

    reads = {"get": "rows", "page": "pages"}
    with app.accelerated(reads, {"write": {"patterns": ["rows:*"], "when": "truthy"}}) as accelerator:
        known = Repository()
        accelerator.disable("rows:*")
        write = HeldCall(lambda: known.write("guest"))
        page = HeldCall(known.page)
        write.end()
        assert page.end() == "<guest>"
        assert known.page() == "<admin>"
