"""Who waits for another process's load is told that it is over, and nobody else is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from private_redis import PrivateRedis

from wats_accel.shared.clients import client_of
from wats_accel.shared.server import Kept, Missing, Server
from wats_accel.shared.waiters import Waiters

NAMES: Any = {"answer": "{t}:a:x", "lease": "{t}:a:x:lease", "tags": ["{t}:t:1"]}


@pytest.fixture
def server(redis_server: PrivateRedis) -> Iterator[Server]:
    made = Server(client_of(redis_server.url, timeout_seconds=20.0), prefix="t", tag_seconds=600.0)
    yield made
    made.close()


def find(server: Server, holder: str) -> Kept | Missing:
    return server.find(**NAMES, holder=holder, lease_ms=60_000, most_age_ms=0)


def ready(server: Server) -> list[str]:
    return server.listen(0, wait_ms=1)[1]


def keep(server: Server, missing: Missing, holder: str) -> bool:
    return server.keep(**NAMES, tables=(), holder=holder, missing=missing, value=b"v", milliseconds=60_000)


def test_an_answer_that_somebody_waits_for_is_told_when_it_is_kept(server: Server) -> None:
    missing, other = find(server, "one"), find(server, "other")
    assert isinstance(missing, Missing)
    assert isinstance(other, Missing)
    assert (missing.is_ours, other.is_ours) == (True, False)
    assert ready(server) == []
    assert keep(server, missing, "one")
    assert ready(server) == ["{t}:a:x"]
    assert ready(server) == []  # once
    assert isinstance(find(server, "other"), Kept)


def test_one_that_nobody_waits_for_is_not(server: Server) -> None:
    missing = find(server, "one")
    assert isinstance(missing, Missing)
    assert keep(server, missing, "one")
    assert ready(server) == []


@pytest.mark.parametrize("waits", [True, False])
def test_a_load_that_gives_nothing_is_over_as_well(server: Server, *, waits: bool) -> None:
    find(server, "one")
    if waits:
        find(server, "other")
        find(server, "third")
    server.release(NAMES["answer"], NAMES["lease"], "one")
    assert ready(server) == (["{t}:a:x"] if waits else [])
    again = find(server, "other")
    assert isinstance(again, Missing)
    assert again.is_ours


def test_an_answer_that_was_overtaken_is_told_too_for_it_has_to_be_loaded_again(server: Server) -> None:
    missing = find(server, "one")
    assert isinstance(missing, Missing)
    find(server, "other")
    server.announce(NAMES["tags"], b"told", sender="m", nonce="n")
    assert not keep(server, missing, "one")
    assert ready(server) == ["{t}:a:x"]


def test_nobody_ends_the_load_of_another(server: Server) -> None:
    find(server, "one")
    find(server, "other")
    server.release(NAMES["answer"], NAMES["lease"], "other")
    assert ready(server) == []
    found = find(server, "third")
    assert isinstance(found, Missing)
    assert not found.is_ours


def test_when_the_clock_was_set_back_who_waits_is_told_from_the_next_beat_on(server: Server) -> None:
    beat: Any = {"lost_ms": 4_000, "forgotten_ms": 600_000, "last": 0}
    server.beat("m", **beat)
    missing = find(server, "one")
    assert isinstance(missing, Missing)
    find(server, "other")
    server._client.zincrby("{t}:members", 3_600_000, "m")  # as it looks then
    server._ready_after = f"{server.milliseconds() + 3_600_000}-0"
    server.beat("m", **beat)
    keep(server, missing, "one")
    assert ready(server) == ["{t}:a:x"]


def test_all_that_wait_for_a_name_are_woken_and_nobody_else() -> None:
    waiters = Waiters()
    with (
        waiters.waiting_for("a") as one,
        waiters.waiting_for("a") as other,
        waiters.waiting_for("b") as third,
    ):
        waiters.wake("a")
        assert (one.is_set(), other.is_set(), third.is_set()) == (True, True, False)
    waiters.wake("a")
    assert not waiters._events
