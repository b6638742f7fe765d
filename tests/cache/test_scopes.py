from __future__ import annotations

import gc
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from wats_accel.cache import scopes
from wats_accel.cache.scopes import ScopeNumbers


class Instance:
    pass


class Unreferable:
    __slots__ = ()


class AlwaysEqual:
    def __eq__(self, other):
        return True

    def __hash__(self):
        return 1


def test_equal_values_share_a_number():
    numbers = ScopeNumbers()
    assert numbers.of_value(("a", 1)) == numbers.of_value(("a", 1))
    assert numbers.of_value("a") != numbers.of_value("b")


def test_instances_have_numbers_of_their_own_even_if_they_are_equal():
    numbers = ScopeNumbers()
    one, other = AlwaysEqual(), AlwaysEqual()
    assert numbers.of_instance(one) == numbers.of_instance(one) != numbers.of_instance(other)


def test_no_number_is_given_out_twice():
    numbers, seen = ScopeNumbers(), []
    for value in range(200):
        seen.append(numbers.of_instance(Instance()))  # mostly at the same address
        seen.append(numbers.of_value(value))
    assert len(set(seen)) == 400


def test_the_number_of_an_instance_is_dead_when_it_is_gone():
    numbers, instance = ScopeNumbers(), Instance()
    number = numbers.of_instance(instance)
    assert list(numbers.dead) == []
    del instance
    assert list(numbers.dead) == [number]


def test_an_instance_in_a_cycle_goes_with_the_collector():
    numbers, instance = ScopeNumbers(), Instance()
    instance.itself = instance
    number = numbers.of_instance(instance)
    del instance
    gc.collect()
    assert list(numbers.dead) == [number]


def test_an_instance_that_cannot_be_weakly_referenced_has_no_number():
    with pytest.raises(TypeError):
        ScopeNumbers().of_instance(Unreferable())


def test_an_instance_that_came_back_to_life_keeps_its_number():
    kept = []

    class Phoenix:
        def __del__(self):
            kept.append(self)

    numbers, phoenix = ScopeNumbers(), Phoenix()
    number = numbers.of_instance(phoenix)
    del phoenix
    assert numbers.of_instance(kept[0]) == number
    assert list(numbers.dead) == []


def test_scope_values_have_a_bound_and_numbers_are_still_not_shared(monkeypatch):
    monkeypatch.setattr(scopes, "_SCOPE_LIMIT", 10)
    numbers = ScopeNumbers()
    seen = [numbers.of_value(value) for value in range(25)]
    assert len(set(seen)) == 25
    assert numbers.of_value(24) == seen[24]
    assert numbers.of_value(0) not in seen


def test_all_threads_get_one_number():
    numbers, instance, barrier = ScopeNumbers(), Instance(), threading.Barrier(8)

    def ask(_):
        barrier.wait(30)
        return numbers.of_instance(instance), numbers.of_value("a")

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(ask, range(8)))) == 1


def test_a_number_may_be_asked_for_while_one_is_made():
    """As a finalizer does that runs while the lock is held."""
    numbers = ScopeNumbers()

    class Nosy:
        def __hash__(self):
            numbers.of_instance(Instance())
            return 1

    done = threading.Event()

    def ask():
        numbers.of_value(Nosy())
        done.set()

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    assert done.wait(30)


def test_registering_an_instance_twice_at_once_gives_one_number():
    numbers, instance = ScopeNumbers(), Instance()
    assert numbers._register(instance) == numbers._register(instance)


def test_a_death_that_is_told_late_does_not_harm_who_got_the_address(monkeypatch):
    told_late = []

    class LateReference(weakref.ref):
        def __new__(cls, referent, callback):
            told_late.append(callback)
            return super().__new__(cls, referent)

        def __init__(self, referent, callback):
            super().__init__(referent)

    monkeypatch.setattr(scopes, "weakref", SimpleNamespace(ref=LateReference))
    monkeypatch.setattr(scopes, "id", lambda instance: 42, raising=False)  # all get the same address
    numbers, first = ScopeNumbers(), Instance()
    number = numbers.of_instance(first)
    reference = numbers._by_instance[42][0]
    del first
    heir = Instance()
    heirs_number = numbers.of_instance(heir)
    told_late[0](reference)
    assert numbers.of_instance(heir) == heirs_number != number
    assert list(numbers.dead) == [number]


def test_its_representation_tells_no_value():
    numbers = ScopeNumbers()
    numbers.of_value("PWD=secret")
    instance = Instance()
    numbers.of_instance(instance)
    assert repr(numbers) == "<ScopeNumbers values=1 instances=1>"
