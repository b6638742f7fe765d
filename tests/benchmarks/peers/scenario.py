"""A row of the table, and what rows are made of: a write with its invalidation, a load that is under way."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from peer import NoSuchFeatureError, Peer, Read, Rule
from stage import Caller, Database, HangsError, HeldLoads

OK = "ok"
STALE = "stale"
KEY = "ann"


@dataclass(frozen=True)
class Scenario:
    """A row of the table."""

    part: str
    title: str
    play: Callable[[Peer], str]

    def result(self, peer_type: type[Peer]) -> str:
        """The cell of one library, played with a cache of its own.

        Any other exception ends the run, without a table: a scenario or an installation is broken.
        """
        with contextlib.closing(peer_type()) as peer:
            try:
                return self.play(peer)
            except NoSuchFeatureError:
                return "no such feature"
            except HangsError:
                return "hangs"


REGISTERED: list[Scenario] = []


def scenario(part: str, title: str) -> Callable[[Callable[[Peer], str]], Callable[[Peer], str]]:
    """Make a function a row of the table; a decorator."""

    def register(play: Callable[[Peer], str]) -> Callable[[Peer], str]:
        REGISTERED.append(Scenario(part, title, play))
        return play

    return register


Drop = Callable[[Read], object]

DROPS: dict[str, Drop] = {
    "one key": lambda read: read.drop(KEY),
    "a pattern": lambda read: read.drop_pattern(),
    "the whole cache": lambda read: read.drop_all(),
}


def narrowest(read: Read) -> None:
    """Drop one key, or in a library that cannot, the whole cache."""
    try:
        read.drop(KEY)
    except NoSuchFeatureError:
        read.drop_all()


def for_each_drop(
    part: str, title: str
) -> Callable[[Callable[[Peer, Drop], str]], Callable[[Peer, Drop], str]]:
    """Make a function a row for each way to invalidate; a decorator."""

    def register(play: Callable[[Peer, Drop], str]) -> Callable[[Peer, Drop], str]:
        for way, drop in DROPS.items():
            REGISTERED.append(Scenario(part, f"{title}: {way}", partial(play, drop=drop)))
        return play

    return register


def verdict(answer: object, database: Database) -> str:
    """Whether an answer is what the database holds now."""
    return OK if answer == database.version else STALE


def write(database: Database, read: Read, drop: Drop) -> None:
    """A write, and the invalidation that belongs to it."""
    database.write()
    drop(read)


@contextlib.contextmanager
def load_under_way(
    peer: Peer, *, held: int = 1, **rule: Any
) -> Iterator[tuple[Database, HeldLoads, Read, Caller]]:
    """A caller whose load has read the database, and stands still."""
    database = Database()
    loads = HeldLoads(database, held)
    with peer.reads(get=Rule(loads, **rule)) as reads:
        first = Caller(reads.get, KEY)
        loads.wait_until_read()
        try:
            yield database, loads, reads.get, first
        finally:
            loads.let_go()
