"""Generator functions whose rule says ``materialize: true``."""

from __future__ import annotations

import gc
import inspect
import itertools
import weakref

import pytest

from wats_accel.extension import LoadFailed

RULE = {"namespace": "rows", "materialize": True}


@pytest.fixture
def repository(app):
    """A class whose generator function `rows` counts its runs and raises after three items if told to."""

    @app.add
    class Repository:
        error: BaseException | None = None

        def __init__(self):
            self.runs = 0

        def rows(self, count=3):
            self.runs += 1
            for number in range(count):
                yield [number]
            if self.error is not None:
                raise self.error

        def write(self):
            pass

    return Repository


def test_later_uses_replay_the_items(app, repository):
    with app.accelerated({"rows": RULE}):
        known = repository()
        assert [list(known.rows()) for _ in range(3)] == [[[0], [1], [2]]] * 3
        assert known.runs == 1


def test_it_is_still_a_generator_function(app, repository):
    with app.accelerated({"rows": RULE}):
        assert inspect.isgeneratorfunction(repository.rows)
        assert inspect.isgenerator(repository().rows())


def test_nothing_runs_before_the_first_item_is_asked_for(app, repository):
    with app.accelerated({"rows": RULE}):
        known = repository()
        started = known.rows()
        assert known.runs == 0
        assert next(started) == [0]
        assert known.runs == 1


def test_an_iteration_that_is_given_up_leaves_whole_answers(app, repository):
    with app.accelerated({"rows": RULE}):
        known = repository()
        assert list(itertools.islice(known.rows(), 1)) == [[0]]
        assert len(list(known.rows())) == 3
        assert known.runs == 1


def test_callers_cannot_change_each_others_items(app, repository):
    with app.accelerated({"rows": RULE}):
        known = repository()
        for _ in range(3):
            items = list(known.rows())
            assert items == [[0], [1], [2]]
            items[0].append("changed")


def test_an_exception_half_way_comes_after_the_items_and_is_not_kept(app, repository):
    failures = []
    with app.accelerated({"rows": RULE}, listen=[(LoadFailed, failures.append)]) as accelerator:
        known = repository()
        known.error = error = ValueError("half way")
        for runs in (1, 2):
            started = known.rows()
            assert list(itertools.islice(started, 3)) == [[0], [1], [2]]
            with pytest.raises(ValueError, match="half way") as caught:
                next(started)
            assert caught.value is error
            assert caught.value.__context__ is None
            assert known.runs == runs
        assert accelerator.stats().total.load_failures == 2
    assert [event.error for event in failures] == ["ValueError", "ValueError"]


def test_an_interrupt_passes_untouched(app, repository):
    with app.accelerated({"rows": RULE}):
        known = repository()
        known.error = KeyboardInterrupt()
        with pytest.raises(KeyboardInterrupt) as caught:
            list(known.rows())
        assert caught.value is known.error
        assert known.runs == 1


def test_an_exception_keeps_nothing_alive(app):
    class Connection:
        pass

    alive = []

    @app.add
    class Repository:
        def rows(self):
            connection = Connection()
            alive.append(weakref.ref(connection))
            yield 1
            raise LookupError

    with app.accelerated({"rows": RULE}):
        gc.disable()
        try:
            with pytest.raises(LookupError):
                list(Repository().rows())
            assert alive[0]() is None
        finally:
            gc.enable()


def test_a_call_without_a_key_runs_plainly(app, repository):
    with app.accelerated({"rows": RULE}) as accelerator:
        known = repository()
        unkeyed = iter([])
        with pytest.raises(TypeError):
            list(known.rows(unkeyed))
        assert accelerator.stats().total.bypassed == {"argument_without_value_identity": 1}


def test_a_write_drops_the_items(app, repository):
    with app.accelerated({"rows": RULE}, {"write": "rows:*"}):
        known = repository()
        list(known.rows())
        known.write()
        list(known.rows())
        assert known.runs == 2
