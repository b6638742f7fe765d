"""Old answers: the pairs of events in which one can be served or kept.

The events are load, hit, join (a caller waits for another's load), invalidation, expiry and eviction.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from peer import Peer, Read, Rule
from scenario import KEY, OK, Drop, for_each_drop, load_under_way, narrowest, scenario, verdict, write
from stage import Caller, Database, HeldLoads

ALONE = "One thread"
OVERTAKEN = "A load is overtaken"
NESTED = "A cached read inside a cached read"


@scenario(ALONE, "A second read is a hit")
def hit(peer: Peer) -> str:
    database = Database()
    with peer.reads(get=Rule(database.read)) as reads:
        answers = [reads.get(KEY), reads.get(KEY)]
    return OK if answers == [1, 1] and database.loads == 1 else f"{database.loads} loads"


@for_each_drop(ALONE, "A read after a write and its invalidation is fresh")
def invalidated(peer: Peer, drop: Drop) -> str:
    database = Database()
    with peer.reads(get=Rule(database.read)) as reads:
        reads.get(KEY)
        write(database, reads.get, drop)
        return verdict(reads.get(KEY), database)


@scenario(ALONE, "An entry ends with its TTL")
def expired(peer: Peer) -> str:
    database = Database()
    with peer.reads(get=Rule(database.read, ttl=60)) as reads:
        reads.get(KEY)
        database.write()
        peer.pass_time(61)
        return verdict(reads.get(KEY), database)


@for_each_drop(OVERTAKEN, "A load that a write and its invalidation overtook is not kept")
def load_overtaken(peer: Peer, drop: Drop) -> str:
    with load_under_way(peer) as (database, loads, read, first):
        write(database, read, drop)
        loads.let_go()
        first.answer()
        return verdict(read(KEY), database)


@for_each_drop(OVERTAKEN, "A read that begins after the write does not join the older load")
def join_after_write(peer: Peer, drop: Drop) -> str:
    with load_under_way(peer) as (database, loads, read, _):
        write(database, read, drop)
        late = Caller(read, KEY)
        late.has_ended()
        loads.let_go()
        return verdict(late.answer(), database)


@for_each_drop(OVERTAKEN, "An older load that ends last does not replace the newer answer")
def older_load_ends_last(peer: Peer, drop: Drop) -> str:
    with load_under_way(peer) as (database, loads, read, first):
        write(database, read, drop)
        late = Caller(read, KEY)
        late.has_ended()
        loads.let_go()
        first.answer()
        late.answer()
        return verdict(read(KEY), database)


@scenario(OVERTAKEN, "A load that somebody joined before the write is not kept either")
def joined_then_overtaken(peer: Peer) -> str:
    with load_under_way(peer, held=2) as (database, loads, read, first):
        joined = Caller(read, KEY)
        joined.has_ended()
        write(database, read, narrowest)
        loads.let_go()
        first.answer()
        joined.answer()
        return verdict(read(KEY), database)


@scenario(OVERTAKEN, "Nor is one that is overtaken while other keys are evicted")
def overtaken_in_a_full_cache(peer: Peer) -> str:
    with load_under_way(peer, max_entries=10) as (database, loads, read, first):
        write(database, read, narrowest)
        for number in range(50):
            read(f"other {number}")
        loads.let_go()
        first.answer()
        return verdict(read(KEY), database)


@for_each_drop(OVERTAKEN, "While the first read after an invalidation loads, a second one gets no old answer")
def reload_after_invalidation(peer: Peer, drop: Drop) -> str:
    database = Database()
    loads = HeldLoads(database, count=0)
    with peer.reads(get=Rule(lambda key: loads(key))) as reads:
        reads.get(KEY)
        write(database, reads.get, drop)
        loads = HeldLoads(database)
        return verdict(_second_read_during(loads, reads.get), database)


@scenario(OVERTAKEN, "While an expired entry is loaded anew, a second read gets no old answer")
def reload_after_expiry(peer: Peer) -> str:
    database = Database()
    loads = HeldLoads(database, count=0)
    with peer.reads(get=Rule(lambda key: loads(key), ttl=60)) as reads:
        reads.get(KEY)
        database.write()
        peer.pass_time(61)
        loads = HeldLoads(database)
        return verdict(_second_read_during(loads, reads.get), database)


def _second_read_during(loads: HeldLoads, read: Read) -> Any:
    first = Caller(read, KEY)
    loads.wait_until_read()
    second = Caller(read, KEY)
    second.has_ended()
    loads.let_go()
    first.answer()
    return second.answer()


@scenario(OVERTAKEN, "An answer whose load lasted longer than the TTL is not served afterwards")
def load_longer_than_ttl(peer: Peer) -> str:
    with load_under_way(peer, ttl=60) as (database, loads, read, first):
        database.write()
        peer.pass_time(61)
        loads.let_go()
        first.answer()
        return verdict(read(KEY), database)


@scenario(OVERTAKEN, "Nobody joins a load that began longer ago than the TTL")
def join_outdated_load(peer: Peer) -> str:
    with load_under_way(peer, ttl=60) as (database, loads, read, _):
        database.write()
        peer.pass_time(61)
        late = Caller(read, KEY)
        late.has_ended()
        loads.let_go()
        return verdict(late.answer(), database)


# -- a cached read inside another ------------------------------------------------------------------------


@contextlib.contextmanager
def nested(peer: Peer, load: Callable[[Any], Any], **ttl: float) -> Iterator[Any]:
    """`outer` makes its answer from the one of `inner`."""
    outer = Rule(lambda key: reads.inner(key), ttl=ttl.get("outer"))
    with peer.reads(inner=Rule(load, ttl=ttl.get("inner")), outer=outer) as reads:
        yield reads


@scenario(NESTED, "A second read of the outer one is a hit")
def outer_hit(peer: Peer) -> str:
    database = Database()
    with nested(peer, database.read) as reads:
        reads.outer(KEY)
        database.write()
        return OK if reads.outer(KEY) == 1 else "a load each time"


@for_each_drop(NESTED, "The inner one is invalidated: the outer one is not served any more")
def inner_invalidated(peer: Peer, drop: Drop) -> str:
    database = Database()
    with nested(peer, database.read) as reads:
        reads.outer(KEY)
        write(database, reads.inner, drop)
        return verdict(reads.outer(KEY), database)


@scenario(NESTED, "The inner one is invalidated while the outer one loads: that is not kept")
def inner_invalidated_during_outer(peer: Peer) -> str:
    database = Database()
    answers = HeldLoads(database)
    with peer.reads(
        inner=Rule(database.read), outer=Rule(lambda key: (reads.inner(key), answers(key))[0])
    ) as reads:
        first = Caller(reads.outer, KEY)
        answers.wait_until_read()
        write(database, reads.inner, narrowest)
        answers.let_go()
        first.answer()
        return verdict(reads.outer(KEY), database)


@scenario(NESTED, "The outer one does not outlive the inner one's TTL")
def outer_outlives_inner(peer: Peer) -> str:
    database = Database()
    with nested(peer, database.read, inner=60, outer=6000) as reads:
        reads.inner(KEY)
        database.write()
        peer.pass_time(40)
        reads.outer(KEY)
        peer.pass_time(40)
        return verdict(reads.outer(KEY), database)
