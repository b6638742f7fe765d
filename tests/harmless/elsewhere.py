"""Elsewhere: what other processes do, as one accelerated application sees them.

They pass none of its seams: they write past it, and what they tell the server is made before anything breaks.
"""

from __future__ import annotations

import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from wats_accel.cache.selection import EVERYTHING
from wats_accel.patterns import KeyPattern
from wats_accel.runtime import Accelerator
from wats_accel.shared import scripts
from wats_accel.shared.joining import name_secret
from wats_accel.shared.messages import Message, written
from wats_accel.shared.tags import Tags
from wats_accel.wire import Sealer

KEY = b"of the fault matrix, and of no other"[:32]
_AGAIN_SECONDS = 0.05
_LOOK_SECONDS = 0.001
_END_SECONDS = 5.0
_OURS = ("wats-accel-backplane", "wats-accel-horizon", "wats-accel-following")
_BOOKS = KeyPattern.parse("books:*")
_TABLES = {"book": ["title"]}


@dataclass(frozen=True, slots=True)
class _Letter:
    """A message with its tags, as it goes to the server."""

    tags: tuple[str, ...]
    sealed: bytes


class Mailbox:
    """The messages of another process to those with one prefix.

    Args:
        client: of the server.
        prefix: of all keys.
        sees_statements: whether processes tell of tables, or else of patterns.
    """

    def __init__(self, client: Any, prefix: str, *, sees_statements: bool) -> None:
        self._client = client
        self._keys = f"{{{prefix}}}:clock", f"{{{prefix}}}:messages"
        tags = Tags(f"{{{prefix}}}", name_secret(prefix))
        books = Message(((_BOOKS, EVERYTHING),)), sorted(tags.of_drop(_BOOKS, EVERYTHING))
        tables = Message(tables=_TABLES), tags.of_tables(_TABLES)
        message, concerned = tables if sees_statements else books
        self._change = _Letter(tuple(concerned), _sealed(message))
        self._nothing = _Letter((), _sealed(Message()))

    def tell_of_change(self) -> None:
        """Tell that books have changed."""
        self._send(self._change)

    def tell_nothing(self) -> tuple[str, int]:
        """Send a message that means nothing; gives the epoch and the number that it has."""
        return self._send(self._nothing)

    def _send(self, letter: _Letter) -> tuple[str, int]:
        word = secrets.token_hex(8)
        asked = [*self._keys, *letter.tags, word, 60_000, 10_000, word, "another", letter.sealed]
        epoch, number = self._client.eval(scripts.ANNOUNCE, len(self._keys) + len(letter.tags), *asked)
        return epoch.decode(), int(number)

    def forget(self) -> None:
        """Have the server lose its messages, as where another takes over that has an older copy."""
        self._client.hset(self._keys[0], "number", 0)
        self._client.delete(self._keys[1])
        self.cut_off()

    def cut_off(self) -> None:
        """Close all connections but this one."""
        self._client.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")


def _sealed(message: Message) -> bytes:
    return Sealer([KEY]).seal(written(message, with_arguments=True), b"wats_accel message")


class Elsewhere:
    """Other processes; none are there for the plain application.

    Args:
        accelerator: that may hear of them.
        mailbox: by which it hears, if it shares.
    """

    def __init__(self, accelerator: Accelerator | None = None, mailbox: Mailbox | None = None) -> None:
        self._accelerator = accelerator
        self._mailbox = mailbox
        self._before = set(threading.enumerate())

    @property
    def _caches(self) -> Any:
        assembly = None if self._accelerator is None else self._accelerator._assembly
        return None if assembly is None else assembly.context.caches

    @property
    def _membership(self) -> Any:
        return None if self._caches is None else self._caches.announcer

    @property
    def _follower(self) -> Any:
        return None if self._caches is None else self._caches.follower

    # -- what happens there ------------------------------------------------------------------------------

    def write(self, database: str, title: str, *, tells: bool = True) -> None:
        """Change the titles of all books, and tell of it where there is a server."""
        with closing(sqlite3.Connection(database)) as connection:
            connection.execute("UPDATE book SET title = ?", (title,))
            connection.commit()
        if tells and self._mailbox is not None:
            self._mailbox.tell_of_change()

    def forget_here(self) -> None:
        """Drop all entries of this process, and no other's: as one that has just begun."""
        if self._caches is not None:
            self._caches.drop_everything()

    def forget_there(self) -> None:
        """Have a server take over that lacks messages."""
        if self._mailbox is not None:
            self._mailbox.forget()

    def cut_off(self, seconds: float) -> None:
        """Have the server close all connections, and wait until that is noticed."""
        known = self._membership
        if known is not None and self._mailbox is not None:
            self._mailbox.cut_off()
            comes_true(lambda: not known.backplane.is_reached, seconds)

    def fall_silent(self, seconds: float) -> None:
        """Have so much time pass that nobody knows anything of the others any more."""
        for knowing in self._knowing():
            comes_true(_passing(knowing._horizon, knowing.counters), seconds)

    def _knowing(self) -> Iterator[Any]:
        if self._membership is not None:
            yield self._membership.backplane
        if self._follower is not None:
            yield self._follower

    # -- whether it is known here ------------------------------------------------------------------------

    def settle(self, seconds: float) -> bool:
        """Wait until all is known here that has happened elsewhere by now; whether it is."""
        until = time.monotonic() + seconds
        return self._is_heard(until) and self._is_followed(until)

    def _is_heard(self, until: float) -> bool:
        if self._membership is None or self._mailbox is None:
            return True
        backplane = self._membership.backplane
        while time.monotonic() < until:
            # As if all pauses were over: it beats now, and the message wakes whoever waits for one.
            backplane._rests_until = backplane._due_at = 0.0
            epoch, number = self._mailbox.tell_nothing()

            def has_heard(epoch: str = epoch, number: int = number) -> bool:
                is_well = backplane.is_connected and backplane.is_reached and backplane._due_at > 0.0
                return bool(is_well and backplane._inbox._epoch == epoch and backplane._inbox.last >= number)

            if comes_true(has_heard, min(_AGAIN_SECONDS, until - time.monotonic())):
                return True
            if not _lives(self._membership._listening._thread):
                return False
        return False

    def _is_followed(self, until: float) -> bool:
        follower = self._follower
        if follower is None:
            return True
        polls = follower.counters.polls + 3  # one may have asked before, and the last may be at its dropping

        def is_up_to_date() -> bool:
            return follower.counters.polls >= polls and self._caches.bounds.of(follower) is None

        while not comes_true(is_up_to_date, min(_AGAIN_SECONDS, until - time.monotonic())):
            if time.monotonic() >= until or not _lives(follower._thread):
                return False
        return True

    def is_well(self, *, shared: bool, followed: bool) -> bool:
        """Whether all parts that are to hear of other processes are there, and do."""
        return (not shared or self._shares_well()) and (not followed or self._follows_well())

    def _shares_well(self) -> bool:
        known = self._membership
        if known is None:
            return False
        backplane = known.backplane
        is_connected = backplane.is_reached and backplane.is_connected and not backplane._outbox
        threads = (known._listening._thread, backplane._horizon._thread)
        return bool(
            is_connected and all(map(_lives, threads)) and all(region.tier for region in self._caches)
        )

    def _follows_well(self) -> bool:
        known = self._follower
        if known is None or self._caches.bounds.of(known) is not None:
            return False
        return all(map(_lives, (known._thread, known._horizon._thread))) and known._vouched_at is not None

    # -- the end -----------------------------------------------------------------------------------------

    def what_goes_on(self) -> list[str]:
        """The threads that have not ended with their accelerator."""
        if self._mailbox is not None:
            self._mailbox.tell_nothing()  # who waits for a message looks whether it is over
        until = time.monotonic() + _END_SECONDS
        ours = [known for known in threading.enumerate() if known.name in _OURS and known not in self._before]
        for thread in ours:
            thread.join(max(0.0, until - time.monotonic()))
        return [thread.name for thread in ours if thread.is_alive()]


def _passing(horizon: Any, counters: Any) -> Callable[[], bool]:
    """Makes time pass, once more each time that it is asked; it gives whether somebody has taken notice."""
    before = counters.dropped_everything

    def has_passed() -> bool:
        with horizon._changed:
            if horizon._at is not None:
                horizon._at = 0.0
            horizon._changed.notify_all()
        return bool(counters.dropped_everything > before)

    return has_passed


def _lives(thread: threading.Thread | None) -> bool:
    return thread is not None and thread.is_alive()


def comes_true(holds: Callable[[], bool], seconds: float) -> bool:
    """Wait until something holds, at most so long; whether it does."""
    until = time.monotonic() + seconds
    while not holds():
        if time.monotonic() >= until:
            return False
        time.sleep(_LOOK_SECONDS)
    return True
