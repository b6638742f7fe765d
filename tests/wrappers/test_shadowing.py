"""Methods in the shadow: every call gets the method's own answer, and the figures tell what would be."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from threads_in_step import PATIENCE, HeldCall, in_thread, midway

from wats_accel.extension import AnswerDiffers, Hit, LoadFailed, ServedStale
from wats_accel.failures import note_failure
from wats_accel.testing import FaultyStore, accelerated
from wats_accel.transactions import Transaction


@pytest.fixture
def repository(app: Any) -> Any:
    """A class that answers from a table; what `slip` does, no rule knows of."""

    @app.add
    class Repository:
        def __init__(self) -> None:
            self.rows = {"ada": [1, "a"], "bob": [2, "b"]}
            self.calls: list[str] = []
            self.failure: Exception | None = None
            self.on_read: Callable[[], None] = lambda: None

        def get(self, name: Any = "ada") -> Any:
            self.calls.append("get")
            self.on_read()
            midway()
            if self.failure is not None:
                raise self.failure
            return list(self.rows[name]) if name in self.rows else None

        def report(self) -> Any:
            self.calls.append("report")
            return [self.get("ada"), self.get("bob")]

        def each(self) -> Iterator[Any]:
            self.calls.append("each")
            for row in self.rows.values():
                yield list(row)
            if self.failure is not None:
                raise self.failure

        def set(self, name: str, value: Any) -> bool:
            self.rows[name] = [1, value]
            self.on_read()
            return True

        def slip(self, name: str, value: Any) -> None:
            self.rows[name] = [1, value]

    return Repository()


SHADOW: dict[str, Any] = {"namespace": "n", "shadow": True}
DROPS = {"set": "n:*"}


def told(accelerator: Any, method: str = "get") -> SimpleNamespace:
    (stats,) = (known for name, known in accelerator.stats().methods.items() if name.endswith(f".{method}"))
    return SimpleNamespace(**stats.as_dict())


def figures(accelerator: Any, method: str = "get") -> tuple[int, ...]:
    """Calls that would have been hits, misses, stale ones, comparisons, and those that said nothing."""
    stats = told(accelerator, method)
    assert stats.hits == 0
    assert stats.differences == stats.shadow_stale
    return stats.shadow_hits, stats.misses, stats.shadow_stale, stats.verified, stats.inconclusive


@contextlib.contextmanager
def held(call: Callable[[], Any]) -> Iterator[HeldCall]:
    """A call in another thread that stands in the middle of the method."""
    made = HeldCall(call)
    try:
        yield made
    finally:
        made.let_go()


# -- answers -----------------------------------------------------------------------------------------------


def test_every_call_runs_the_method_and_the_cache_tells_what_it_would_have_done(
    app: Any, repository: Any
) -> None:
    heard: list[Any] = []
    with app.accelerated({"get": SHADOW}, DROPS, listen=[(Hit, heard.append)]) as accelerator:
        assert [repository.get() for _ in range(4)] == [[1, "a"]] * 4
        assert repository.get("bob") == [2, "b"]
        assert repository.calls == ["get"] * 5
        assert figures(accelerator) == (3, 2, 0, 3, 0)
        stats = told(accelerator)
        assert (stats.loads, stats.stored, stats.size, stats.saved_seconds) == (2, 2, 2, 0.0)
        assert stats.shadow_saved_seconds > 0
        assert heard == []


def test_the_caller_has_the_very_object_that_the_method_made(app: Any, repository: Any) -> None:
    made: list[Any] = []
    plain = repository.get
    repository_class = type(repository)

    def get(self: Any, name: str = "ada") -> Any:
        made.append(plain(name))
        return made[-1]

    repository_class.get = get
    with app.accelerated({"get": SHADOW}) as accelerator:
        for _ in range(3):
            answer = repository.get()
            assert answer is made[-1]
            answer.append("changed")  # and what he does to it says nothing of the entry
        assert figures(accelerator) == (2, 1, 0, 2, 0)


def test_a_write_that_no_rule_knows_of_would_have_left_stale_answers(app: Any, repository: Any) -> None:
    heard: list[AnswerDiffers] = []
    with app.accelerated({"get": SHADOW}, DROPS, listen=[(AnswerDiffers, heard.append)]) as accelerator:
        repository.get()
        repository.slip("ada", "other")
        assert [repository.get() for _ in range(3)] == [[1, "other"]] * 3
        # Each of the three callers would have got the old answer; one line tells of the entry.
        assert figures(accelerator) == (3, 1, 3, 3, 0)
        assert [(event.key, event.how, event.during) for event in heard] == [
            ("n:get:ada", "item 2: another str", "shadow")
        ]
        repository.set("ada", "third")
        assert [repository.get() for _ in range(2)] == [[1, "third"]] * 2
        assert figures(accelerator) == (4, 2, 3, 4, 0)


def test_of_a_hundred_wrong_entries_the_log_tells_and_of_more_the_figures(app: Any, repository: Any) -> None:
    heard: list[AnswerDiffers] = []
    with app.accelerated({"get": SHADOW}, listen=[(AnswerDiffers, heard.append)]) as accelerator:
        names = [f"name {number}" for number in range(120)]
        for name in names:
            repository.get(name)
            repository.slip(name, "new")
            repository.get(name)
        assert (len(heard), figures(accelerator)[2]) == (100, 120)


def test_a_write_with_a_rule_leaves_none(app: Any, repository: Any) -> None:
    with app.accelerated({"get": SHADOW}, DROPS) as accelerator:
        for value in "abc":
            repository.set("ada", value)
            assert [repository.get() for _ in range(3)] == [[1, value]] * 3
        assert figures(accelerator) == (6, 3, 0, 6, 0)


def test_an_entry_ends_as_it_would_have_ended(app: Any, repository: Any) -> None:
    with app.accelerated({"get": SHADOW | {"ttl": 60}}) as accelerator:
        repository.get()
        app.clock.advance(59)
        repository.get()
        app.clock.advance(1)
        repository.get()
        assert figures(accelerator) == (1, 2, 0, 1, 0)


def test_an_entry_that_would_have_been_renewed_is(app: Any, repository: Any) -> None:
    rule = SHADOW | {"ttl": 100, "refresh_ahead": "80%"}
    with app.accelerated({"get": rule}) as accelerator:
        for _ in range(5):
            repository.get()
            app.clock.advance(80)
        assert figures(accelerator) == (4, 1, 0, 4, 0)


# -- exceptions and failures -------------------------------------------------------------------------------


def test_exceptions_are_the_methods_own_and_nothing_stands_in_for_them(app: Any, repository: Any) -> None:
    rule = SHADOW | {"ttl": 10, "stale_if_error": {"grace": "1h", "errors": ["ConnectionError"]}}
    heard: list[Any] = []
    listen = [(ServedStale, heard.append), (LoadFailed, heard.append)]
    with app.accelerated({"get": rule}, listen=listen) as accelerator:
        repository.get()
        repository.failure = ConnectionError("gone")
        with pytest.raises(ConnectionError) as caught:
            repository.get()
        assert caught.value is repository.failure
        assert figures(accelerator) == (1, 1, 0, 0, 1)
        app.clock.advance(11)
        with pytest.raises(ConnectionError):
            repository.get()
        assert figures(accelerator) == (1, 2, 0, 0, 1)
        assert told(accelerator).served_stale == 0
        assert [type(event) for event in heard] == [LoadFailed, LoadFailed]


def test_an_answer_that_stands_for_a_failure_says_nothing(app: Any, repository: Any) -> None:
    rule = SHADOW | {"unless_result": [None], "ttl": 10, "stale_if_error": "1h"}
    with app.accelerated({"get": rule}) as accelerator:
        repository.get()
        del repository.rows["ada"]
        assert repository.get() is None
        assert figures(accelerator) == (1, 1, 0, 0, 1)
        app.clock.advance(11)
        assert repository.get() is None
        assert told(accelerator).served_stale == 0


# -- comparisons that say nothing --------------------------------------------------------------------------


def test_a_write_that_comes_in_between_says_nothing(app: Any, repository: Any) -> None:
    with app.accelerated({"get": SHADOW}, DROPS) as accelerator:
        repository.get()
        with held(repository.get) as reading:
            repository.set("ada", "new")
            assert reading.end() == [1, "new"]
        assert figures(accelerator) == (1, 1, 0, 0, 1)


def test_a_write_that_is_under_way_says_nothing(app: Any, repository: Any) -> None:
    with app.accelerated({"get": SHADOW}, DROPS) as accelerator:
        repository.get()
        repository.on_read, written = midway, repository.set
        with held(repository.get) as reading, held(lambda: written("ada", "new")) as writing:
            assert reading.end() == [1, "new"]
            assert figures(accelerator) == (1, 1, 0, 0, 1)
            writing.end()


def test_an_entry_that_has_gone_meanwhile_says_nothing(app: Any, repository: Any) -> None:
    with app.accelerated({"get": SHADOW}, max_entries=1) as accelerator:
        repository.get()
        repository.slip("ada", "new")
        with held(repository.get) as reading:
            for name in ("bob", "carl", "dora", "emil"):
                repository.get(name)
            assert reading.end() == [1, "new"]
        shadow_hits, _, stale, verified, inconclusive = figures(accelerator)
        assert (shadow_hits, stale, verified, inconclusive) == (1, 0, 0, 1)


def test_an_entry_that_has_become_too_old_meanwhile_says_nothing(app: Any, repository: Any) -> None:
    with app.accelerated({"get": SHADOW | {"ttl": 60}}) as accelerator:
        repository.get()
        repository.slip("ada", "new")
        repository.on_read = lambda: app.clock.advance(60)
        repository.get()
        assert figures(accelerator) == (1, 1, 0, 0, 1)


def test_an_entry_whose_moment_has_come_meanwhile_says_nothing(app: Any, repository: Any) -> None:
    app.module.when = lambda *_: app.clock.wall_time() + 10 if len(repository.calls) < 2 else None
    with app.accelerated({"get": SHADOW | {"valid_until": "legacy_app:when"}}) as accelerator:
        repository.get()
        repository.slip("ada", "new")
        repository.on_read = lambda: app.clock.advance(10)
        repository.get()
        assert figures(accelerator) == (1, 1, 0, 0, 1)


def test_changes_that_are_not_committed_say_nothing(app: Any, repository: Any) -> None:
    with app.accelerated({"get": SHADOW}) as accelerator:
        repository.get()
        transaction = Transaction()
        transaction.changed_here()
        try:
            repository.slip("ada", "new")
            assert repository.get() == [1, "new"]
        finally:
            transaction.end(committed=False)
        assert figures(accelerator) == (1, 1, 0, 0, 1)


def test_a_read_inside_a_write_of_something_else_says_nothing(app: Any, repository: Any) -> None:
    with app.accelerated({"get": SHADOW, "report": "other"}, {"set": "other:*"}) as accelerator:
        repository.get()

        def read_inside() -> None:
            repository.on_read = lambda: None
            assert repository.get() == [1, "new"]

        repository.on_read = read_inside
        repository.set("ada", "new")
        assert figures(accelerator) == (1, 1, 0, 0, 1)


def test_a_failure_inside_the_method_says_nothing(app: Any, repository: Any) -> None:
    with app.accelerated({"get": SHADOW}) as accelerator:
        repository.get()
        repository.slip("ada", "new")
        repository.on_read = note_failure
        repository.get()
        assert figures(accelerator) == (1, 1, 0, 0, 1)


def test_answers_that_cannot_be_compared_say_nothing(app: Any, repository: Any) -> None:
    with app.accelerated({"get": SHADOW}) as accelerator:
        repository.rows["ada"] = [object]
        repository.get()
        repository.rows["ada"] = [lambda: None]
        repository.get()
        repository.rows["bob"] = [print]
        repository.get("bob")
        repository.rows["bob"] = [len]
        repository.get("bob")
        assert figures(accelerator) == (2, 2, 1, 1, 1)


def test_a_cache_that_is_switched_off_meanwhile_says_nothing(app: Any, repository: Any) -> None:
    with app.accelerated({"get": SHADOW}) as accelerator:
        repository.get()
        repository.slip("ada", "new")
        with held(repository.get) as reading:
            accelerator.disable("n")
            reading.end()
        assert figures(accelerator) == (1, 1, 0, 0, 1)
        repository.get()
        assert repository.calls == ["get"] * 3


# -- nested reads ------------------------------------------------------------------------------------------


def test_what_is_made_from_an_answer_in_the_shadow_rests_on_the_real_one(app: Any, repository: Any) -> None:
    rules = {"get": SHADOW, "report": "reports"}
    with app.accelerated(rules, DROPS) as accelerator:
        repository.get("ada")
        repository.slip("ada", "real")  # from now on the entry of `get` is wrong
        assert repository.report() == [[1, "real"], [2, "b"]]
        assert repository.report() == [[1, "real"], [2, "b"]]
        assert told(accelerator, "report").hits == 1
        assert figures(accelerator)[2] == 1
        repository.set("ada", "newer")  # drops `get`, and so what was made from it
        assert repository.report() == [[1, "newer"], [2, "b"]]


@pytest.mark.parametrize("entries", ["there", "not there"])
def test_a_write_during_the_inner_call_keeps_the_outer_answer_from_being_stored(
    app: Any, repository: Any, entries: str
) -> None:
    rules = {"get": SHADOW, "report": "reports"}
    with app.accelerated(rules, DROPS) as accelerator:
        if entries == "there":
            repository.get("ada"), repository.get("bob")
        with held(repository.report) as reading:
            repository.set("bob", "new")
            reading.end()
        assert told(accelerator, "report").stored == 0
        assert repository.report() == [[1, "a"], [1, "new"]]


def test_an_outer_answer_ends_when_time_changes_the_inner_one(app: Any, repository: Any) -> None:
    app.module.when = lambda *_: app.clock.wall_time() + 10
    rules = {"get": SHADOW | {"valid_until": "legacy_app:when"}, "report": "reports"}
    with app.accelerated(rules):
        repository.get("ada"), repository.get("bob")
        repository.report()
        app.clock.advance(10)
        repository.slip("ada", "changed by time")
        assert repository.report()[0] == [1, "changed by time"]


def test_an_outer_method_in_the_shadow_uses_the_inner_cache(app: Any, repository: Any) -> None:
    rules = {"report": SHADOW, "get": "inner"}
    with app.accelerated(rules, {"set": ["n:*", "inner:*"]}) as accelerator:
        assert [repository.report() for _ in range(3)] == [[[1, "a"], [2, "b"]]] * 3
        assert figures(accelerator, "report") == (2, 1, 0, 2, 0)
        assert told(accelerator, "get").hits == 4
        repository.set("ada", "new")
        assert repository.report()[0] == [1, "new"]
        assert figures(accelerator, "report") == (2, 2, 0, 2, 0)


def test_a_method_that_calls_itself_is_answered_by_itself(app: Any, repository: Any) -> None:
    with app.accelerated({"get": SHADOW}) as accelerator:
        inner: list[Any] = []

        def once_more() -> None:
            repository.on_read = lambda: None
            inner.append(repository.get())

        repository.on_read = once_more
        assert repository.get() == [1, "a"] == inner[0]
        assert told(accelerator).bypassed == {"own_load": 1}


# -- writes, threads, generators ---------------------------------------------------------------------------


def test_a_read_inside_the_write_that_drops_it_goes_past_the_cache(app: Any, repository: Any) -> None:
    with app.accelerated({"get": SHADOW}, DROPS) as accelerator:
        repository.get()
        seen: list[Any] = []

        def read_inside() -> None:
            repository.on_read = lambda: None
            seen.append(repository.get())

        repository.on_read = read_inside
        repository.set("ada", "new")
        assert seen == [[1, "new"]]
        assert told(accelerator).bypassed == {"inside_a_write": 1}
        assert figures(accelerator) == (0, 1, 0, 0, 0)


def test_nobody_waits_for_the_load_of_another_call(app: Any, repository: Any) -> None:
    with app.accelerated({"get": SHADOW}) as accelerator:
        with held(repository.get) as first:
            assert in_thread(repository.get).result(PATIENCE) == [1, "a"]
            assert first.end() == [1, "a"]
        stats = told(accelerator)
        assert (stats.misses, stats.joined, stats.loads, stats.size) == (2, 0, 2, 1)


def test_threads_that_read_and_write_would_have_seen_nothing_old(app: Any, repository: Any) -> None:
    with app.accelerated({"get": SHADOW}, DROPS) as accelerator:
        together = threading.Barrier(5)

        def read() -> int:
            together.wait(PATIENCE)
            return len([repository.get(name) for _ in range(100) for name in ("ada", "bob")])

        readers = [in_thread(read) for _ in range(4)]
        together.wait(PATIENCE)
        for number in range(100):
            repository.set("ada", number)
        assert [reader.result(PATIENCE) for reader in readers] == [200] * 4
        stats = told(accelerator)
        assert stats.shadow_stale == 0
        assert stats.shadow_hits == stats.verified + stats.inconclusive
        assert stats.shadow_hits + stats.misses + sum(stats.bypassed.values()) == 800


def test_the_items_of_a_generator_are_its_own(app: Any, repository: Any) -> None:
    rules = {"each": SHADOW | {"materialize": True}}
    with app.accelerated(rules) as accelerator:
        assert [list(repository.each()) for _ in range(3)] == [[[1, "a"], [2, "b"]]] * 3
        assert repository.calls == ["each"] * 3
        repository.slip("bob", "new")
        assert list(repository.each()) == [[1, "a"], [1, "new"]]
        repository.failure = ValueError("at the end")
        rows = repository.each()
        assert [next(rows), next(rows)] == [[1, "a"], [1, "new"]]
        with pytest.raises(ValueError, match="at the end"):
            next(rows)
        assert figures(accelerator, "each") == (4, 1, 1, 3, 1)


# -- parts that fail ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("failing", ["get", "put", "remove", "clear", "entries", "len"])
def test_a_store_that_fails_changes_no_answer(app: Any, repository: Any, failing: str) -> None:
    store = FaultyStore(failing)
    with app.accelerated({"get": SHADOW}, DROPS, store=lambda namespace, target: store):
        for value in "abc":
            assert [repository.get() for _ in range(2)] == [repository.rows["ada"]] * 2
            repository.set("ada", value)
        repository.failure = LookupError("own")
        with pytest.raises(LookupError, match="own"):
            repository.get()
    assert repository.calls == ["get"] * 7


def test_a_call_without_a_key_goes_past_the_cache(app: Any, repository: Any) -> None:
    with app.accelerated({"get": SHADOW}) as accelerator:
        assert repository.get(iter([])) is None
        with pytest.raises(TypeError):
            repository.get("ada", "too many")
        assert told(accelerator).bypassed == {"argument_without_value_identity": 1, "no_key": 1}


def test_an_interrupt_passes_and_leaves_no_load_behind(app: Any, repository: Any) -> None:
    with app.accelerated({"get": SHADOW}, DROPS) as accelerator:
        repository.failure = KeyboardInterrupt()  # type: ignore[assignment]  # that is the point
        with pytest.raises(KeyboardInterrupt):
            repository.get()
        repository.failure = None
        assert repository.get() == [1, "a"]
        region = accelerator._assembly.context.caches.of_target("legacy_app:Repository.get")
        assert len(region.flights) == 0


# -- reports -----------------------------------------------------------------------------------------------


def test_explain_tells_what_would_have_been(app: Any, repository: Any) -> None:
    with app.accelerated({"get": SHADOW}) as accelerator:
        assert "would have answered 0 of 0 calls" in accelerator.explain("Repository.get").cached["shadow"]
        for _ in range(4):
            repository.get()
        repository.slip("ada", "new")
        repository.get()
        told = accelerator.explain("Repository.get").cached["shadow"]
        assert told.startswith("would have answered 4 of 5 calls (80 %), saved ")
        assert told.endswith(" s, 1 stale")


def test_a_whole_namespace_may_be_in_the_shadow_but_for_one_method(app: Any, repository: Any) -> None:
    config = {
        "version": 1,
        "cache": {"namespaces": {"n": {"shadow": True}}},
        "repositories": [
            {
                "target": "legacy_app:Repository",
                "cached": {"get": "n", "report": {"namespace": "n", "shadow": False}},
            }
        ],
    }
    with accelerated(config) as accelerator:
        repository.get(), repository.get()
        assert figures(accelerator) == (1, 1, 0, 1, 0)
        repository.report(), repository.report()
        assert told(accelerator, "report").hits == 1
