"""Events reach their listeners, and no listener can do harm."""

from __future__ import annotations

import dataclasses
import logging
import re
from typing import Any

import pytest

from wats_accel import events, pool_events
from wats_accel.event_bus import Channel, EventBus
from wats_accel.events import Event, Hit, Miss, Patched

TYPES = [
    known
    for known in (*vars(events).values(), *vars(pool_events).values())
    if isinstance(known, type) and issubclass(known, Event) and known is not Event
]


def _fail(event: Any) -> None:
    raise RuntimeError("listener")


@pytest.mark.parametrize("event_type", TYPES)
def test_an_event_is_a_frozen_value_with_a_name_of_its_own(event_type: type[Event]) -> None:
    values = dict.fromkeys((known.name for known in dataclasses.fields(event_type)), "x")
    event = event_type(**values)
    assert event == event_type(**values)
    assert re.fullmatch(r"accel\.[a-z]+(_[a-z]+)*", event.name)
    assert event.name == "accel." + re.sub(r"(?<=[a-z])(?=[A-Z])", "_", event_type.__name__).lower()
    with pytest.raises((dataclasses.FrozenInstanceError, TypeError)):
        setattr(event, dataclasses.fields(event_type)[0].name, "y")


def test_no_two_events_have_one_name() -> None:
    assert len({known.name for known in TYPES}) == len(TYPES)


def test_an_event_goes_to_those_who_listen_to_its_type_in_their_order() -> None:
    bus, seen = EventBus(), list[tuple[str, Event]]()
    bus.subscribe(Hit, lambda event: seen.append(("first", event)))
    bus.subscribe(Hit, lambda event: seen.append(("second", event)))
    bus.subscribe(Miss, lambda event: seen.append(("miss", event)))
    hit = Hit("users:get:1", "m:C.f")
    bus.emit(hit)
    assert seen == [("first", hit), ("second", hit)]


def test_subscribing_twice_has_no_effect_and_unsubscribing_ends_it() -> None:
    bus, seen = EventBus(), list[Event]()
    bus.subscribe(Patched, seen.append)
    bus.subscribe(Patched, seen.append)
    bus.emit(Patched("m:C.f"))
    bus.unsubscribe(Patched, seen.append)
    bus.unsubscribe(Patched, seen.append)
    bus.emit(Patched("m:C.f"))
    assert seen == [Patched("m:C.f")]


def test_a_channel_can_be_kept_while_its_listeners_change() -> None:
    bus, seen = EventBus(), list[Event]()
    channel: Channel[Hit] = bus.channel(Hit)
    assert channel is bus.channel(Hit)
    assert not channel.listeners
    bus.subscribe(Hit, seen.append)
    assert channel.listeners
    channel.send(Hit("k", "t"))
    assert seen == [Hit("k", "t")]


def test_a_listener_that_raises_is_logged_and_the_others_hear(caplog: pytest.LogCaptureFixture) -> None:
    class Listener:
        def __call__(self, event: Event) -> None:
            raise RuntimeError("listener")

    bus, seen = EventBus(), list[Event]()
    for listener in (_fail, Listener(), seen.append):
        bus.subscribe(Hit, listener)
    with caplog.at_level(logging.DEBUG, logger="wats_accel"):
        bus.emit(Hit("secret-key", "t"))
    assert len(seen) == 1
    assert [record.getMessage() for record in caplog.records] == [
        "listener _fail of accel.hit failed: RuntimeError",
        "listener Listener of accel.hit failed: RuntimeError",
    ]
    assert "secret-key" not in " ".join(record.getMessage() for record in caplog.records)


def test_a_handler_of_the_host_that_raises_as_well_reaches_nobody() -> None:
    class Broken(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise OSError("disk full")

    logger, handler, bus = logging.getLogger("wats_accel"), Broken(), EventBus()
    bus.subscribe(Hit, _fail)
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        bus.emit(Hit("k", "t"))
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


def test_a_listener_may_unsubscribe_itself_while_it_hears() -> None:
    bus, seen = EventBus(), list[str]()

    def once(event: Hit) -> None:
        seen.append("once")
        bus.unsubscribe(Hit, once)

    bus.subscribe(Hit, once)
    bus.subscribe(Hit, lambda event: seen.append("always"))
    bus.emit(Hit("k", "t"))
    bus.emit(Hit("k", "t"))
    assert seen == ["once", "always", "always"]


def test_checkpoints_run_what_was_registered_and_one_that_raises_harms_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bus, seen = EventBus(), list[str]()
    bus.at_checkpoints(lambda: seen.append("before"))
    bus.at_checkpoints(lambda: _fail(None))
    bus.at_checkpoints(lambda: seen.append("after"))
    with caplog.at_level(logging.DEBUG, logger="wats_accel"):
        bus.checkpoint()
    assert seen == ["before", "after"]
    assert [record.getMessage() for record in caplog.records] == ["a checkpoint failed: RuntimeError"]
