"""Whose answer it is: values that callers change, keys that look alike, instances."""

from __future__ import annotations

import gc
import weakref

from peer import Peer, Rule
from scenario import KEY, OK, scenario
from stage import Database

VALUES = "Values and keys"


@scenario(VALUES, "A caller who changes the list that it got changes nobody else's")
def changed_answer(peer: Peer) -> str:
    with peer.reads(get=Rule(lambda key: [1])) as reads:
        reads.get(KEY).append("of the first caller")
        after_miss = reads.get(KEY)
        after_miss.append("of the second caller")
        after_hit = reads.get(KEY)
    return OK if after_hit == [1] else "changed"


@scenario(VALUES, "... nor a list inside it")
def deeply_changed_answer(peer: Peer) -> str:
    with peer.reads(get=Rule(lambda key: [[1]])) as reads:
        reads.get(KEY)[0].append("of the first caller")
        reads.get(KEY)[0].append("of the second caller")
        return OK if reads.get(KEY) == [[1]] else "changed"


@scenario(VALUES, "None is an answer")
def none_is_an_answer(peer: Peer) -> str:
    database = Database()
    with peer.reads(get=Rule(lambda key: database.read(key) and None)) as reads:
        answers = [reads.get(KEY), reads.get(KEY)]
    return OK if answers == [None, None] and database.loads == 1 else f"{database.loads} loads"


@scenario(VALUES, '`1`, `True`, `1.0` and `"1"` are four keys')
def four_keys(peer: Peer) -> str:
    keys = (1, True, 1.0, "1")
    with peer.reads(get=Rule(lambda key: repr(key))) as reads:
        answers = [reads.get(key) for key in keys]
    return OK if answers == [repr(key) for key in keys] else f"{len(set(answers))} keys"


class Repository:
    """What an application has: an object for each database."""

    def __init__(self, database: str) -> None:
        self.database = database

    def read(self, key: str) -> str:
        """Says whose answer it is."""
        return f"{self.database}: {key}"


@scenario(VALUES, "Two instances, each with its own database, at the same time")
def two_instances(peer: Peer) -> str:
    with peer.repository(Repository) as repository:
        answers = [instance.read(KEY) for instance in (repository("one"), repository("two"))]
    return OK if answers == ["one: ann", "two: ann"] else "the other's answer"


@scenario(VALUES, "Two instances in turn at the same address")
def address_used_again(peer: Peer) -> str:
    with peer.repository(Repository) as repository:
        first = repository("one")
        first.read(KEY)
        address, gone = id(first), weakref.ref(first)
        del first
        gc.collect()
        others: list[Repository] = []  # they stay, so that each new one has another address
        while len(others) < 1000 and (not others or id(others[-1]) != address):
            others.append(repository("two"))
        if others[-1].read(KEY) != "two: ann":
            return "the other's answer"
    return OK if gone() is None else f"{OK}: keeps every instance alive"
