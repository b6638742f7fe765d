"""Fault injection itself: the fault strikes where and when it was told to, and then all is as before."""

from __future__ import annotations

import inspect
import threading

import pytest

from wats_accel.cache.flights import Flights
from wats_accel.cache.keys import ArgumentReader
from wats_accel.cache.memory_store import MemoryStore
from wats_accel.cache.selection import EVERYTHING
from wats_accel.cache.texts import readable
from wats_accel.testing import SEAMS, FakeClock, Fault, failing, seams


def test_every_seam_is_there_and_is_itself_again_after_a_fault() -> None:
    for name in seams():
        function = SEAMS[name].function()
        code = function.__code__
        with failing(name, Fault.none()):
            assert function.__code__ is not code
        assert function.__code__ is code


def test_every_seam_says_what_it_does_in_one_sentence_of_its_own() -> None:
    sentences = [seam.says for seam in SEAMS.values()]
    assert len(set(sentences)) == len(sentences)
    assert all(text.endswith(".") and text[0].isupper() for text in sentences)
    assert len({seam.place for seam in SEAMS.values()}) == len(SEAMS)


def test_a_seam_that_is_not_there_is_told_with_its_name() -> None:
    with pytest.raises(LookupError, match=r"no seam 'store\.burn'"), failing("store.burn", Fault.none()):
        pass


def test_it_raises_before_the_work() -> None:
    fences = Flights()
    with failing("fence.raise", Fault.raises(MemoryError)), pytest.raises(MemoryError):
        fences.raise_fence(EVERYTHING)
    with pytest.raises(ValueError, match=r"not in list"):
        fences.lift_fence(EVERYTHING)


def test_it_raises_after_the_work_if_told_to() -> None:
    fences = Flights()
    fault = Fault.raises(MemoryError, afterwards=True)
    with failing("fence.raise", fault), pytest.raises(MemoryError):
        fences.raise_fence(EVERYTHING)
    fences.lift_fence(EVERYTHING)


def test_it_returns_something_else_than_its_answer() -> None:
    with failing("memory.clear", Fault.returns(None)):
        assert MemoryStore().clear() is None
    assert MemoryStore().clear() == 0


def test_what_hangs_does_its_work_in_the_end() -> None:
    with failing("key.readable", Fault.hangs(0.001)) as made:
        assert readable(1) == "1"
    assert made.struck == 1


def test_whoever_has_got_hold_of_a_function_before_meets_the_fault() -> None:
    held, bound = readable, FakeClock(7).__call__
    with failing("key.readable", Fault.returns("?")), failing("clock.monotonic", Fault.returns("late")):
        assert (held(1), bound()) == ("?", "late")
    assert (held(1), bound()) == ("1", 7)


def test_only_the_nth_time() -> None:
    with failing("key.readable", Fault.returns("?"), nth=2) as made:
        assert [readable(number) for number in range(3)] == ["0", "?", "2"]
    assert (made.passed, made.struck) == (3, 1)


def test_a_share_of_all_times_is_the_same_for_the_same_seed() -> None:
    def drawn(seed: int) -> list[str]:
        with failing("key.readable", Fault.returns("?"), share=0.5, seed=seed):
            return [readable(number) for number in range(50)]

    assert drawn(1) == drawn(1) != drawn(2)
    assert 10 < drawn(1).count("?") < 40


def test_several_seams_by_a_pattern() -> None:
    with failing("fence.*", Fault.none()) as made:
        fences = Flights()
        fences.raise_fence(EVERYTHING)
        fences.lift_fence(EVERYTHING)
    assert made.passed == 2
    assert seams("fence.*") == ["fence.raise", "fence.lift"]


def test_one_fault_inside_another() -> None:
    with failing("key.readable", Fault.returns("outer")):
        with failing("key.readable", Fault.returns("inner")):
            assert readable(1) == "inner"
        assert readable(1) == "outer"
    assert readable(1) == "1"


def test_a_function_keeps_its_parameters_while_it_fails() -> None:
    parameters = list(inspect.signature(ArgumentReader.read).parameters)
    with failing("arguments.read", Fault.none()):
        code = ArgumentReader.read.__code__
        assert list(code.co_varnames[: code.co_argcount]) == parameters


def test_threads_of_the_application_start_while_those_of_ours_cannot() -> None:
    with failing("thread.start", Fault.raises(RuntimeError)) as made:
        application = threading.Thread(target=len, args=("",))
        application.start()
        application.join(30)
        with pytest.raises(RuntimeError):
            threading.Thread(target=len, args=("",), name="wats-accel-test").start()
    assert made.struck == 1


def test_a_fault_says_what_it_is() -> None:
    assert [
        fault.text for fault in (Fault.none(), Fault.hangs(0.5), Fault.returns(1), Fault.returns(1, "one"))
    ] == [
        "works",
        "hangs for 0.5 s",
        "returns 1",
        "returns one",
    ]
    assert Fault.raises(OSError, afterwards=True).text == "raises OSError afterwards"
