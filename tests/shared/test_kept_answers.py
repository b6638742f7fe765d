"""Answers that the server keeps: whose tags have moved on since, they are not found, and else they are."""

from __future__ import annotations

from typing import Any

import pytest
from steps import Members

from wats_accel.shared.server import Kept, Missing, Server

NAMES: Any = {"answer": "{t}:a:x", "lease": "{t}:a:x:lease", "tags": ["{t}:t:1"]}
TABLE = "{t}:t:table"


def find(server: Server, most_age_ms: int = 0) -> Kept | Missing:
    return server.find(**NAMES, holder="h", lease_ms=60_000, most_age_ms=most_age_ms)


def is_kept(server: Server) -> bool:
    """Whether an answer that is loaded now is kept."""
    missing = find(server)
    assert isinstance(missing, Missing)
    return server.keep(**NAMES, tables=[TABLE], holder="h", missing=missing, value=b"v", milliseconds=60_000)


@pytest.mark.parametrize("moved", [NAMES["tags"], [TABLE]], ids=["what it means", "its table"])
def test_an_answer_is_found_until_a_tag_of_it_moves_on(members: Members, moved: list[str]) -> None:
    server = members.join().backplane.server
    assert is_kept(server)
    server.announce(["{t}:t:other"], b"", sender="m", nonce="n")
    assert isinstance(find(server), Kept)
    server.announce(moved, b"", sender="m", nonce="n")
    assert isinstance(find(server), Missing)


def test_tags_of_an_epoch_that_is_over_keep_no_answer_out(members: Members) -> None:
    """Their numbers were high, and those of the new epoch begin at nothing."""
    one = members.join()
    for _ in range(5):
        one.drops("users:*")
    assert is_kept(one.backplane.server)
    one.backplane.close()
    server = members.join().backplane.server
    assert is_kept(server)
    assert isinstance(find(server), Kept)
    server.announce([TABLE], b"", sender="m", nonce="n")
    assert isinstance(find(server), Missing)


@pytest.mark.parametrize(
    "changed",
    [
        {"number": "x"},
        {"number": "inf"},
        {"began": ""},
        {"began": "1e400"},
        {"tags": "{t}:members"},
        {"tags": "{t}:t:1 \udcff"},
        {"epoch": "x"},
        None,
    ],
)
def test_what_somebody_has_put_there_instead_is_a_miss_and_nothing_more(
    members: Members, changed: dict[str, str] | None
) -> None:
    server, client = members.join().backplane.server, members.raw()
    assert is_kept(server)
    if changed is None:
        client.set(NAMES["answer"], "x")
    else:
        told = {name: text.encode("utf-8", "surrogateescape") for name, text in changed.items()}
        client.hset(NAMES["answer"], mapping=told)
    assert is_kept(server)
    client.delete(*NAMES["tags"])
    client.hset(NAMES["tags"][0], "x", "y")
    assert is_kept(server)
    assert isinstance(find(server), Kept)


@pytest.mark.parametrize("milliseconds", [100, 60_000])
def test_when_the_clock_was_set_back_nobody_knows_how_old_answers_are(
    members: Members, milliseconds: int
) -> None:
    one = members.join()
    server = one.backplane.server
    assert is_kept(server)
    members.make_silent(one, for_ms=-milliseconds)  # as it looks then
    one.step()
    assert isinstance(find(server), Kept if milliseconds < 1_000 else Missing)
    assert one.heard.drops == ([] if milliseconds < 1_000 else ["everything"])
    assert one.is_connected
