"""How long a process waits for another one that loads the same answer, and what it costs it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from threading import Event, Lock
from types import SimpleNamespace
from typing import Any

import pytest

from wats_accel.cache.elsewhere import Bounds
from wats_accel.shared.backplane_rules import BackplaneRules
from wats_accel.shared.server import Kept, Missing
from wats_accel.shared.tickets import OpenTicket
from wats_accel.shared.tier import Common, MethodTier, TierRules

SOMEBODY_ELSE = Missing("epoch", 7, is_ours=False, milliseconds_of_lease=1_000, began=0)
LONG_SECONDS = 1_000.0


class Backplane:
    """As far as a tier asks it: what the server says, and how much time it was given for each question."""

    def __init__(self, says: Callable[[], object], timeout_seconds: float) -> None:
        self.rules = BackplaneRules(timeout_seconds=timeout_seconds)
        self.is_reached = self.is_connected = True
        self.member = "a"
        self.prefix = "t"
        self.given: list[float] = []
        self._says = says

    def ask(self, call: Callable[[], object], seconds: float) -> object:
        self.given.append(seconds)
        return self._says()


def finding(
    says: Callable[[], object], timeout_seconds: float, lease_seconds: float = LONG_SECONDS
) -> tuple[MethodTier, Backplane, OpenTicket]:
    backplane: Any = Backplane(says, timeout_seconds)
    region: Any = SimpleNamespace(
        counters=SimpleNamespace(shared=Counter()), rules=RULES, bounds=Bounds(), clock=float
    )
    tier = MethodTier(region, Common(backplane, "t:a", b"", TierRules(lease_seconds=lease_seconds)))
    names: Any = SimpleNamespace(answer="a", lease="l", tags=[])
    return tier, backplane, OpenTicket(tier, names)


RULES: Any = SimpleNamespace(namespace="users", ages=SimpleNamespace(max_age_seconds=0.0))
LOAD: Any = SimpleNamespace(thread=0)


def test_one_that_is_cut_off_is_waited_for_no_longer_than_some_loads_take() -> None:
    tier, backplane, ticket = finding(lambda: SOMEBODY_ELSE, timeout_seconds=0.01)
    tier._note_usual(0.005)
    assert not tier._find(LOAD, ticket, Event())  # and not after a thousand seconds
    assert len(backplane.given) > 1
    assert tier.region.counters.shared == {"waited": 1, "missed": 1}


class Slept:
    """An event that never comes, by a clock that goes on only while somebody waits for it."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def wait(self, seconds: float) -> None:
        self.seconds += seconds

    def clear(self) -> None:
        """It is not set."""


@pytest.mark.parametrize("lease", [0.001, 0.3, 2.0])
def test_nobody_waits_longer_than_a_lease(monkeypatch: pytest.MonkeyPatch, lease: float) -> None:
    tier, _, ticket = finding(lambda: SOMEBODY_ELSE, timeout_seconds=5.0, lease_seconds=lease)
    slept: Any = Slept()
    monkeypatch.setattr("wats_accel.shared.tier.time.perf_counter", lambda: slept.seconds)
    assert not tier._find(LOAD, ticket, slept)
    assert slept.seconds == pytest.approx(lease)


def test_who_was_isolated_or_has_parted_meanwhile_asks_no_more() -> None:
    tier, backplane, ticket = finding(lambda: SOMEBODY_ELSE, timeout_seconds=5.0)

    class Isolating(Slept):
        def wait(self, seconds: float) -> None:
            backplane.is_reached = False

    isolating: Any = Isolating()
    assert not tier._find(LOAD, ticket, isolating)
    assert len(backplane.given) == 1


def test_looks_never_use_up_the_time_for_the_server_and_so_isolate_nobody() -> None:
    def slow() -> Missing:
        time.sleep(0.002)
        return SOMEBODY_ELSE

    tier, backplane, ticket = finding(slow, timeout_seconds=0.02)
    assert not tier._find(LOAD, ticket, Event())
    assert min(backplane.given) > 0.01


def test_what_was_found_tells_how_long_its_load_has_taken_and_not_how_long_it_was_waited_for() -> None:
    answers = iter([SOMEBODY_ELSE, Kept(b"", 7, "epoch", 1, 1)])
    tier, _, ticket = finding(lambda: next(answers), timeout_seconds=5.0)
    tier._common.made_envelope = SimpleNamespace(unpack=lambda *_: ("x", None, 250))
    assert tier._patience_seconds() == LONG_SECONDS
    tier.region.lock = Lock()
    load: Any = SimpleNamespace(thread=0, expires_by=0.0, gone_by=0.0, read=lambda footprint: None)
    assert tier._find(load, ticket, Event())
    assert load.found == "x"
    assert tier._patience_seconds() == 6.0


def test_who_is_woken_looks_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wats_accel.shared.tier._FIRST_LOOK_SECONDS", LONG_SECONDS)
    monkeypatch.setattr("wats_accel.shared.tier._LONGEST_LOOK_SECONDS", LONG_SECONDS)
    monkeypatch.setattr(MethodTier, "_take", lambda *_: True)
    answers, is_over = iter([SOMEBODY_ELSE, Kept(b"", 7, "epoch", 1, 1)]), Event()

    def says() -> object:
        is_over.set()  # while it is asked: the answer tells nothing of it yet
        return next(answers)

    tier, _, ticket = finding(says, timeout_seconds=5.0)
    assert tier._find(LOAD, ticket, is_over)


def test_what_was_there_at_once_tells_nothing_of_that(monkeypatch: pytest.MonkeyPatch) -> None:
    tier, _, ticket = finding(lambda: Kept(b"", 7, "epoch", 1, 1), timeout_seconds=5.0)
    monkeypatch.setattr(MethodTier, "_take", lambda *_: True)
    assert tier._find(LOAD, ticket, Event())
    assert tier._patience_seconds() == LONG_SECONDS


def test_one_slow_load_is_forgotten_in_time() -> None:
    tier, _, _ = finding(lambda: SOMEBODY_ELSE, timeout_seconds=1.0)
    tier._note_usual(10.0)
    assert tier._patience_seconds() == 41.0
    for _ in range(100):
        tier._note_usual(0.5)
    assert tier._patience_seconds() == 3.0
