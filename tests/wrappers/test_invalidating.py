"""Writes, as an application sees them: what they drop, and when."""

from __future__ import annotations

import functools
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from wats_accel.extension import Invalidated, NotStored


@pytest.fixture
def repository(app):
    """A class whose reads answer with the number of the run, and whose writes take ids in every way."""

    @app.add
    class Repository:
        database = "one"
        account_id = 1
        runs = 0
        result: object = None

        def _run(self):
            type(self).runs += 1
            return type(self).runs

        def get(self, key, kind="a"):
            return self._run()

        def every(self):
            return self._run()

        def find(self, *args, **criteria):
            return self._run()

        def write(self, key=1, *, kind="a"):
            if isinstance(self.result, BaseException):
                raise self.result
            return self.result

        def write_many(self, keys):
            while isinstance(keys, list) and keys:
                keys.pop()

        def write_some(self, keys):
            pass

        def write_positionally(self, key, /, *keys, **named):
            pass

    return Repository


GET = {"get": "users"}


def kept(known, *keys):
    """Those of the keys whose answer is still cached."""
    before = {key: known.answers[key] for key in keys}
    return [key for key in keys if known.get(*key) == before[key]]


@pytest.fixture
def filled():
    def fill(known, *keys):
        known.answers = {key: known.get(*key) for key in keys}
        return known

    return fill


# -- patterns ------------------------------------------------------------------------------------------

KEYS = [(1,), (2,), (1, "b"), ("x",)]


@pytest.mark.parametrize(
    ("pattern", "survivors"),
    [
        ("users:*", []),
        ("users:get", []),
        ("users:get:*", []),
        ("*", []),
        ("us*:g?t", []),
        ("users:get:{key}", [(2,), ("x",)]),
        ("users:get:{key}:*", [(2,), ("x",)]),
        ("users:get:{key}:{kind}", [(2,), (1, "b"), ("x",)]),
        ("users:get:*:{kind}", [(1, "b")]),
        ("users:get:1", [(2,), ("x",)]),
        ("users:get:1:b", [(1,), (2,), ("x",)]),
        ("users:get:[12]", [("x",)]),
        ("users:get:?:b", [(1,), (2,), ("x",)]),
        ("users:get:{self.account_id}", [(2,), ("x",)]),
        ("users:get:{self.missing}", []),
        ("users:get:{key.missing}", []),
        ("users:get:{key}:*:more", [(2,), ("x",)]),
    ],
)
def test_a_pattern_drops_what_it_says(app, repository, filled, pattern, survivors):
    with app.accelerated(GET, {"write": pattern}):
        known = filled(repository(), *KEYS)
        known.write()
        assert kept(known, *KEYS) == survivors


def test_a_namespace_leaves_others_alone(app, repository):
    with app.accelerated({"get": "users", "every": "groups"}, {"write": "users:*"}):
        known = repository()
        first = known.get(1), known.every()
        known.write()
        assert known.get(1) != first[0]
        assert known.every() == first[1]


def test_a_method_leaves_other_methods_alone(app, repository):
    with app.accelerated({"get": "users", "every": "users"}, {"write": "users:get:*"}):
        known = repository()
        first = known.get(1), known.every()
        known.write()
        assert known.get(1) != first[0]
        assert known.every() == first[1]


@pytest.mark.parametrize(
    "call",
    [
        lambda known: known.write(1),
        lambda known: known.write(key=1),
        lambda known: known.write(),
        lambda known: known.write("1"),
        lambda known: known.write(1.0),
        lambda known: known.write(True),
        lambda known: known.write(kind="x", key=" 1 "),
        lambda known: type(known).write(known, 1),
        lambda known: type(known).write(self=known, key=1),
    ],
    ids=["positional", "keyword", "default", "text", "float", "bool", "spaces", "unbound", "by name"],
)
def test_an_argument_is_bound_however_the_write_was_called(app, repository, filled, call):
    with app.accelerated(GET, {"write": "users:get:{key}"}):
        known = filled(repository(), (1,), (2,))
        call(known)
        assert kept(known, (1,), (2,)) == [(2,)]


@pytest.mark.parametrize(
    "keys",
    [[1, 3], (1, 3), {1, 3}, frozenset({1}), {1: "a"}, [[1], ["3"]], ["1", "3"]],
    ids=repr,
)
def test_several_ids_at_once_mean_each_of_them(app, repository, filled, keys):
    with app.accelerated(GET, {"write_some": "users:get:{keys}"}):
        known = filled(repository(), (1,), (2,), (3,))
        known.write_some(keys)
        survivors = kept(known, (1,), (2,), (3,))
    assert (1,) not in survivors
    assert (2,) in survivors


UNTOLD = {
    "iterator": lambda: iter([1]),
    "generator": lambda: (number for number in [1]),
    "view": lambda: {1: 2}.values(),
    "range": lambda: range(3),
    "None": lambda: None,
    "list of None": lambda: [None],
    "list of iterators": lambda: [iter([1])],
    "in itself": lambda: itself(),
}


@pytest.mark.parametrize("make", UNTOLD.values(), ids=UNTOLD)
def test_what_cannot_be_told_drops_more(app, repository, filled, make):
    with app.accelerated(GET, {"write_some": "users:get:{keys}"}):
        known = filled(repository(), (1,), (2,))
        known.write_some(make())
        assert kept(known, (1,), (2,)) == []


def itself():
    made: list[object] = []
    made.append(made)
    return made


def test_a_write_that_uses_up_its_ids_drops_them_nevertheless(app, repository, filled):
    with app.accelerated(GET, {"write_many": "users:get:{keys}"}):
        known = filled(repository(), (1,), (2,))
        known.write_many([1, 2])
        assert kept(known, (1,), (2,)) == []


@dataclass
class Row:
    id: int | None = None


def test_a_write_that_gives_its_object_an_id_drops_what_was_known_of_that_id(app):
    @app.add
    class Repository:
        def __init__(self):
            self.rows = {}

        def get(self, key):
            return self.rows.get(key)

        def create(self, row):
            row.id = 7
            self.rows[7] = "there"

    with app.accelerated(GET, {"create": "users:get:{row.id}"}):
        known = Repository()
        assert known.get(7) is None
        known.create(Row(id=3))
        assert known.get(7) == "there"


def test_an_instance_attribute_that_the_write_changes_drops_more(app):
    @app.add
    class Repository:
        account_id = 1

        def __init__(self):
            self.rows = {1: "a", 2: "b"}

        def get(self, key):
            return self.rows[key]

        def switch(self):
            self.account_id = 2
            self.rows = {1: "c", 2: "d"}

    with app.accelerated(GET, {"switch": "users:get:{self.account_id}"}):
        known = Repository()
        known.get(1), known.get(2)
        known.switch()
        assert [known.get(1), known.get(2)] == ["c", "d"]


def test_variadic_parameters_of_a_write_can_be_bound(app, repository, filled):
    rules = {"write_positionally": ["users:get:{key}", "users:get:{keys}", "users:get:{other}"]}
    with app.accelerated(GET, rules):
        known = filled(repository(), (1,), (2,), (3,), (4,))
        known.write_positionally(1, 2, other=3)
        assert kept(known, (1,), (2,), (3,), (4,)) == [(4,)]
        known = filled(repository(), (4,))
        known.write_positionally(1)  # without `other` nobody knows
        assert kept(known, (4,)) == []


def test_a_call_that_does_not_fit_the_write_drops_more(app, repository, filled):
    with app.accelerated(GET, {"write": "users:get:{key}"}):
        known = filled(repository(), (1,), (2,))
        with pytest.raises(TypeError):
            known.write(1, 2, 3)
        assert kept(known, (1,), (2,)) == []


def test_an_argument_is_dropped_without_regard_to_case_folded_or_not(app, repository):
    rules = {"get": {"namespace": "users", "fold": "key"}, "find": "users"}
    with app.accelerated(rules, {"write": ["users:get:{key}", "users:find:{key}"]}):
        known = repository()
        folded, exact = known.get("Jefferson"), known.find("Jefferson")
        known.write("JEFFERSON")
        assert known.get("jefferson") != folded
        assert known.find("Jefferson") != exact


@pytest.mark.parametrize("pattern", ["users:get:ANN", "users:get:A*", "users:get:[a]nn"])
def test_a_folded_argument_matches_patterns_in_any_case(app, repository, pattern):
    with app.accelerated({"get": {"namespace": "users", "fold": "key"}}, {"write": pattern}):
        known = repository()
        ann, bob = known.get("Ann"), known.get("Bob")
        known.write()
        assert known.get("ann") != ann
        assert known.get("bob") == bob


def test_caught_arguments_of_a_read_are_dropped_in_doubt(app, repository):
    with app.accelerated({"find": "users"}, {"write": "users:find:{key}"}):
        known = repository()
        one, other, none, named = known.find(1), known.find(2, 1), known.find(), known.find(key=2)
        known.write(1)
        assert known.find(2, 1) == other
        assert known.find(1) != one
        assert known.find() != none  # what it has not got cannot be told
        assert known.find(key=2) != named  # it has no position by which it could be told


def test_an_index_goes_on_with_entries_that_come_and_go(app, repository, filled):
    with app.accelerated(GET, {"write": "users:get:{key}", "write_some": "users:*"}, max_entries=3):
        known = repository()
        for number in range(30):
            known.get(number % 5)
            known.write(number % 3)
            if number % 7 == 0:
                known.write_some([])
        known.write_some([])
        filled(known, (1,), (2,), (3,))
        known.write(2)
        assert kept(known, (1,), (3,)) == [(1,), (3,)]
        assert kept(known, (2,)) == []


# -- when ----------------------------------------------------------------------------------------------


class Doubtful:
    def __bool__(self):
        raise RuntimeError

    def __repr__(self):
        return "Doubtful()"  # in the name of a test: it must not differ from one process to another


@pytest.mark.parametrize(
    ("result", "written"),
    [
        (True, True),
        (False, False),
        (None, False),
        (0, False),
        (7, True),
        ((True, "done"), True),
        ((False, "failed"), False),
        ((0, "none cleaned up"), False),
        ([False, "failed"], False),
        ((), False),
        ([], False),
        ("", False),
        (Doubtful(), True),
        ((Doubtful(), "text"), True),
    ],
    ids=repr,
)
def test_a_truthy_rule_asks_for_the_result_or_its_first_item(app, repository, result, written):
    rule = {"patterns": ["users:*"], "when": "truthy"}
    with app.accelerated(GET, {"write": rule}):
        known = repository()
        known.result, first = result, known.get(1)
        assert known.write() is result
        assert (known.get(1) != first) is written


@pytest.mark.parametrize("when", ["always", "truthy"])
@pytest.mark.parametrize("error", [ValueError("a"), KeyboardInterrupt(), SystemExit(1)], ids=repr)
def test_a_write_that_raised_may_have_written(app, repository, when, error):
    with app.accelerated(GET, {"write": {"patterns": ["users:get:{key}"], "when": when}}):
        known = repository()
        known.result, first, other = error, known.get(1), known.get(2)
        with pytest.raises(type(error)) as caught:
            known.write(1)
        assert caught.value is error
        assert known.get(1) != first
        assert known.get(2) == other


def test_a_write_that_always_counts_does_not_look_at_its_result(app, repository):
    with app.accelerated(GET, {"write": "users:*"}):
        known = repository()
        known.result, first = Doubtful(), known.get(1)
        known.write()
        assert known.get(1) != first


def test_a_write_sees_its_own_rows_and_its_caller_sees_them_too(app):
    seen = []

    @app.add
    class Repository:
        version = 0

        def get(self):
            return self.version

        def write(self):
            seen.append(self.get())
            self.version += 1
            seen.append(self.get())

    with app.accelerated(GET, {"write": "users:*"}):
        known = Repository()
        known.get()
        known.write()
        seen.append(known.get())
    assert seen == [0, 1, 1]


def test_what_a_write_read_and_then_undid_is_not_kept(app):
    @app.add
    class Repository:
        def __init__(self):
            self.rows = ["r0"]

        def every(self):
            return list(self.rows)

        def add(self, row):
            self.rows.append(row)
            self.every()
            self.rows.remove(row)
            return False, "failed"

    with app.accelerated(
        {"every": "rows"}, {"add": {"patterns": ["rows:*"], "when": "truthy"}}
    ) as accelerator:
        known = Repository()
        known.add("ghost")
        assert known.every() == ["r0"]
        assert accelerator.stats().total.bypassed == {"inside_a_write": 1}


def test_a_write_that_happens_when_its_result_is_awaited_makes_the_read_uncached(app):
    @app.add
    class Repository:
        value = 0

        def get(self):
            return self.value

        def write(self, value):
            return self._later(value)

        async def _later(self, value):
            self.value = value

    with app.accelerated(GET, {"write": "users:*"}):
        known = Repository()
        later = known.write(1)
        assert known.get() == 0
        with pytest.raises(StopIteration):
            later.send(None)
        assert known.get() == 1


def test_a_result_whose_class_raises_when_it_is_asked_is_given_all_the_same(app):
    class Raising(type):
        def __getattr__(cls, name):
            raise RuntimeError(name)

    class Odd(metaclass=Raising):
        pass

    @app.add
    class Repository:
        def get(self):
            return 1

        def write(self, value):
            return value

    with app.accelerated(GET, {"write": "users:*"}):
        odd = Odd()
        assert Repository().write(odd) is odd


def _with_cursor(method):
    @functools.wraps(method)
    def call(self, *args, **kwargs):
        return method(self, object(), *args, **kwargs)

    return call


def test_a_write_whose_decorator_adds_an_argument_drops_by_what_is_not_known(app):
    @app.add
    class Repository:
        def __init__(self):
            self.rows = {}

        def get(self, key):
            return self.rows.get(key)

        @_with_cursor
        def write(self, cursor, key, value=0):
            self.rows[key] = value

    with app.accelerated(GET, {"write": "users:get:{key}"}):
        known = Repository()
        assert known.get(7) is None
        known.write(7, 99)
        assert known.get(7) == 99


def test_a_read_whose_decorator_adds_an_argument_is_dropped_in_doubt(app):
    @app.add
    class Repository:
        value = 0

        @_with_cursor
        def get(self, cursor, key=0):
            return self.value

        def write(self, key):
            self.value += 1

    with app.accelerated(GET, {"write": "users:get:*:{key}"}):
        known = Repository()
        assert known.get(7) == 0
        known.write(7)
        assert known.get(7) == 1


def test_another_name_of_a_write_in_its_class_invalidates_too(app):
    @app.add
    class Repository:
        value = 0

        def get(self):
            return self.value

        def write(self):
            self.value += 1

        save = write

    before = dict(vars(Repository))
    with app.accelerated(GET, {"write": "users:*"}):
        known = Repository()
        assert known.get() == 0
        known.save()
        assert known.get() == 1
    assert dict(vars(Repository)) == before


# -- what overtakes a load -----------------------------------------------------------------------------


@pytest.fixture
def overtaking(app):
    """A repository whose read waits in the middle until a write in another thread has returned."""

    @app.add
    class Repository:
        database = "one"
        rows: dict[object, str] = {}  # noqa: RUF012 - one database for all instances

        def __init__(self):
            self.reading = threading.Event()
            self.written = threading.Event()
            self.runs = 0

        def get(self, key, kind="a"):
            self.runs += 1
            found = self.rows.get(key)
            self.reading.set()
            assert self.written.wait(30)
            return found

        def put(self, key, value):
            self.rows[key] = value

    Repository.rows = {1: "old", 2: "old"}
    return Repository


def read_while(known, writer, key, new="new"):
    """Begin `known.get(key)`, have `writer` write, end the read; gives what the read gave."""
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(known.get, key)
        assert known.reading.wait(30)
        writer.put(1, new)
        known.written.set()
        return reading.result(30)


@pytest.mark.parametrize(
    "pattern",
    [
        "users:*",
        "users:get:*",
        "users:get:{key}",
        "users:get:{key}:a",
        "u*:*",
        "users:get:[0-9]",
        "users:get:1",
    ],
)
@pytest.mark.parametrize("same", [True, False], ids=["same instance", "another instance"])
def test_a_load_that_a_write_overtook_is_given_and_not_kept(app, overtaking, pattern, same):
    told = []
    with app.accelerated(
        GET, {"put": pattern}, scope="self.database", listen=[(NotStored, told.append)]
    ) as accelerator:
        known = overtaking()
        assert read_while(known, known if same else overtaking(), 1) == "old"
        assert known.get(1) == "new"
        assert known.runs == 2
        assert accelerator.stats().total.not_stored == {"overtaken": 1}
    assert [event.why for event in told] == ["overtaken"]


@pytest.mark.parametrize("pattern", ["users:get:{key}", "users:get:[1]", "users:get:*:b"])
def test_a_load_that_the_write_does_not_concern_is_kept(app, overtaking, pattern):
    with app.accelerated(GET, {"put": pattern}):
        known = overtaking()
        assert read_while(known, known, 2) == "old"
        assert known.get(2) == "old"
        assert known.runs == 1


def test_a_load_that_ended_badly_leaves_nothing_to_overtake(app, overtaking):
    with app.accelerated(GET, {"put": "users:*"}) as accelerator:
        known = overtaking()
        known.written.set()
        with pytest.raises(TypeError):
            known.get([1])  # the method itself cannot look it up
        known.put(1, "new")
        assert (known.get(1), known.get(1)) == ("new", "new")
        assert accelerator.stats().total.stored == 1


def test_a_read_that_writes_is_not_kept_since_a_hit_would_leave_the_write_out(app):
    @app.add
    class Repository:
        version = 0

        def get(self):
            seen = self.version
            self.write()
            return seen

        def write(self):
            self.version += 1

    with app.accelerated(GET, {"write": "users:*"}) as accelerator:
        known = Repository()
        assert [known.get(), known.get()] == [0, 1]
        assert accelerator.stats().total.not_stored == {"wrote": 2}


# -- methods that read and write at once ---------------------------------------------------------------


@pytest.fixture
def creating(app):
    """A repository with a get-or-create method."""

    @app.add
    class Repository:
        database = "one"

        def __init__(self):
            self.rows, self.runs = {}, 0

        def ensure(self, key):
            self.runs += 1
            return self.rows.setdefault(key, f"row {key}")

        def count(self):
            return len(self.rows)

    return Repository


def test_get_or_create_keeps_its_own_answer_and_drops_others(app, creating):
    with app.accelerated({"ensure": "rows", "count": "rows"}, {"ensure": "rows:*"}):
        known = creating()
        assert known.count() == 0
        assert [known.ensure(1), known.ensure(1)] == ["row 1", "row 1"]
        assert known.runs == 1
        assert known.count() == 1
        known.ensure(2)
        assert known.count() == 2
        known.ensure(1)  # it was dropped by the second one
        assert known.runs == 3


def test_get_or_create_inside_itself_keeps_nothing_that_the_inner_one_overtook(app):
    @app.add
    class Repository:
        def __init__(self):
            self.runs = []

        def ensure(self, depth):
            self.runs.append(depth)
            return depth and self.ensure(depth - 1)

    with app.accelerated({"ensure": "rows"}, {"ensure": "rows:*"}):
        known = Repository()
        known.ensure(1)
        known.ensure(0)
        known.ensure(1)
        assert known.runs == [1, 0, 0, 1, 0]  # the inner one, inside a write, is neither kept nor answered


def test_get_or_create_that_another_write_overtakes_is_not_kept(app):
    @app.add
    class Repository:
        version = 0

        def ensure(self):
            seen = self.version
            self.write()
            return seen

        def write(self):
            self.version += 1

    with app.accelerated({"ensure": "rows"}, {"ensure": "rows:*", "write": "rows:*"}):
        known = Repository()
        assert [known.ensure(), known.ensure()] == [0, 1]


# -- those who watch -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "shown", "count"),
    [
        ("users:*", "users:*", 3),
        ("users:get:{key}", "users:get:1", 1),
        ("users:get:{key}:{self.missing}", "users:get:1:*", 1),
        ("users:get:{self.nobody}", "users:get:*", 3),
        ("users:get:9", "users:get:9", 0),
    ],
)
def test_an_event_says_how_many_entries_went_and_why(app, repository, pattern, shown, count):
    told = []
    with app.accelerated(GET, {"write": pattern}, listen=[(Invalidated, told.append)]) as accelerator:
        known = repository()
        known.nobody = None
        known.get(1), known.get(2), known.get(3)
        known.write(1)
        assert accelerator.stats().total.invalidated == count
    assert told == [Invalidated(shown, count, "legacy_app:Repository.write")]


def test_a_maintainers_own_invalidation_is_counted(app, repository):
    with app.accelerated(GET) as accelerator:
        known = repository()
        known.get(1), known.get(2)
        assert accelerator.invalidate("users:get:1") == 1
        assert accelerator.invalidate("users:get:{key}") == 1  # nobody to bind it
        assert accelerator.stats().total.size == 0
