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
    return server.keep(
        **NAMES, tables=[TABLE], holder="h", missing=missing, value=b"v", milliseconds=60_000
    )


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
