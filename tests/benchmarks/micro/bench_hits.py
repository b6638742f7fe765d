"""Hits: the answer is in the cache, and nothing but the cache is measured."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from interleaved import Run, loop, side_by_side
from measured_application import WATS, ByDatabase, ByInstance, never
from rivals import CACHEBOX_SHARED, DECORATORS, ISOLATING, LRU_CACHE, NO_CACHE, repository_of
from tables import rows

WATS_BY_DATABASE = "wats_accel (scope: self.db.connection_string)"
OURS = {WATS: ByInstance, WATS_BY_DATABASE: ByDatabase}

TEXT_PEERS = (*OURS, *(name for name in DECORATORS if name not in ISOLATING[1:]))
LIST_PEERS = (*OURS, LRU_CACHE, CACHEBOX_SHARED, *ISOLATING)
CALLS = {
    "positional": "repository.find(name, True, 100)",
    "defaults": "repository.find(name)",
    "keywords": "repository.find(name=name, active=True, limit=100)",
}
CALL_PEERS = tuple(f"{peer}, {how}" for peer in (WATS, WATS_BY_DATABASE, LRU_CACHE) for how in CALLS)


def repository(peer: str, answer: Callable[[str], Any], *methods: str) -> Any:
    """Of wats_accel, or of another."""
    return OURS[peer](answer) if peer in OURS else repository_of(peer, answer, methods=methods or ("get",))


def only_hits(statement: str, peer: str, made: Any) -> Run:
    """A statement whose answer is in the cache from now on."""
    run = loop(statement, repository=made, name="ann")
    run(2)
    if peer not in NO_CACHE:
        made.answer = never
    return run


def hits(peers: tuple[str, ...], answer: Callable[[str], Any]) -> dict[str, list[float]]:
    """Hits of one argument."""
    return side_by_side(
        {peer: only_hits("repository.get(name)", peer, repository(peer, answer)) for peer in peers}
    )


@pytest.fixture(scope="module")
def hits_of_a_text(accelerator: Any) -> dict[str, list[float]]:
    return hits(TEXT_PEERS, str.upper)


@pytest.fixture(scope="module")
def hits_of_a_list(accelerator: Any) -> dict[str, list[float]]:
    """Each library loads a list of its own, of the same rows."""
    same = rows()
    return hits(LIST_PEERS, lambda name: list(same))


@pytest.fixture(scope="module")
def hits_by_call(accelerator: Any) -> dict[str, list[float]]:
    runs: dict[str, Run] = {}
    for name in CALL_PEERS:
        peer, how = name.rsplit(", ", 1)
        runs[name] = only_hits(CALLS[how], peer, repository(peer, str.upper, "find"))
    return side_by_side(runs)


@pytest.mark.parametrize("peer", TEXT_PEERS)
def bench_hit_of_a_text(report: Any, hits_of_a_text: Any, peer: str) -> None:
    report("hit: a text", peer, hits_of_a_text[peer])


@pytest.mark.parametrize("peer", LIST_PEERS)
def bench_hit_of_a_list(report: Any, hits_of_a_list: Any, peer: str) -> None:
    report("hit: 200 tuples", peer, hits_of_a_list[peer])


@pytest.mark.parametrize("peer", CALL_PEERS)
def bench_hit_by_call(report: Any, hits_by_call: Any, peer: str) -> None:
    report("hit: ways to call", peer, hits_by_call[peer])
