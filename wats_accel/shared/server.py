"""The server: what is asked of Redis or Valkey, in few words, each a single step there."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import field
from typing import Any, Final

from wats_accel.records import record
from wats_accel.shared import scripts

_MOST_MESSAGES: Final = 10_000
"""That the server remembers, about: who has missed more drops everything."""
_MOST_AT_ONCE: Final = 500
_FROM_THE_BEGIN: Final = "0-0"


class NonsenseError(Exception):
    """The server has answered something that is no answer."""


@record(frozen=True, slots=True)
class Kept:
    """An answer that the server has."""

    value: bytes = field(repr=False)
    number: int
    epoch: str
    milliseconds_to_live: int
    milliseconds_of_age: int


@record(frozen=True, slots=True)
class Missing:
    """An answer that the server does not have, and who is to load it."""

    epoch: str
    number: int
    is_ours: bool
    milliseconds_of_lease: int
    began: int


@record(frozen=True, slots=True)
class Beat:
    """How things are at the server.

    Attributes:
        epoch: another one if it has lost what it knew.
        number: of the last message.
        nonce: of the message that was asked for; empty if the server has it no longer.
        lost: members that have not been heard of for too long.
        names: of all members, with the lost ones.
        milliseconds: the server's time.
    """

    epoch: str
    number: int
    nonce: str
    lost: int
    names: tuple[str, ...]
    milliseconds: int


@record(frozen=True, slots=True)
class Received:
    """A message of another process, or of this one."""

    number: int
    nonce: str
    sender: str
    message: bytes = field(repr=False)


class Server:
    """One server, or cluster, as one application uses it.

    Args:
        client: of the library redis; safe to use from several threads.
        prefix: of all keys.
        tag_seconds: how long a tag lasts that is not moved on; longer than any answer.
    """

    def __init__(self, client: Any, *, prefix: str, tag_seconds: float) -> None:
        self._client = client
        self._prefix = f"{{{prefix}}}"
        self._clock = f"{self._prefix}:clock"
        self._stream = f"{self._prefix}:messages"
        self._members = f"{self._prefix}:members"
        self._ready = f"{self._prefix}:ready"
        self._epoch = ""
        self._ready_after = _FROM_THE_BEGIN  # of this epoch: that stream counts by the server's clock
        self._tag_ms = int(tag_seconds * 1e3)
        self._find = client.register_script(scripts.FIND)
        self._keep = client.register_script(scripts.KEEP)
        self._release = client.register_script(scripts.RELEASE)
        self._announce = client.register_script(scripts.ANNOUNCE)
        self._beat = client.register_script(scripts.BEAT)
        self._time = client.register_script(scripts.TIME)
        self._miss = client.register_script(scripts.MISS)
        self._begin_anew = client.register_script(scripts.BEGIN_ANEW)

    @property
    def prefix(self) -> str:
        """Of all keys, in braces: a cluster keeps them together."""
        return self._prefix

    def warm_up(self) -> None:
        """Have a connection, and the server know the scripts."""
        for text in (scripts.FIND, scripts.KEEP, scripts.RELEASE, scripts.ANNOUNCE):
            self._client.script_load(text)

    # -- answers -----------------------------------------------------------------------------------------

    def find(
        self, answer: str, lease: str, tags: Sequence[str], *, holder: str, lease_ms: int, most_age_ms: int
    ) -> Kept | Missing:
        """An answer, or leave to load it: no other process gets that for as long as the lease lasts."""
        told = self._find(
            keys=[self._clock, self._stream, answer, lease, *tags],
            args=[_fresh(), holder, lease_ms, self._tag_ms, most_age_ms],
        )
        try:
            if told[0] == 1:
                return Kept(bytes(told[1]), int(told[2]), _text(told[4]), int(told[3]), int(told[5]))
            return Missing(_text(told[1]), int(told[2]), told[3] == 1, int(told[4]), int(told[5]))
        except Exception:  # noqa: BLE001 - whatever has answered, it is none
            raise NonsenseError from None

    def keep(
        self,
        answer: str,
        lease: str,
        tags: Sequence[str],
        tables: Sequence[str],
        *,
        holder: str,
        missing: Missing,
        value: bytes,
        milliseconds: int,
    ) -> bool:
        """Keep an answer, unless something that concerns it was dropped since its load began."""
        told = self._keep(
            keys=[self._clock, self._stream, answer, lease, self._ready, *tags, *tables],
            args=[
                *(_fresh(), holder, self._tag_ms, missing.epoch, missing.number, value),
                *(min(milliseconds, self._tag_ms // 2), missing.began, len(tables)),
            ],
        )
        return bool(told == 1)

    def release(self, answer: str, lease: str, holder: str) -> None:
        """Leave it to others to load an answer."""
        self._release(keys=[answer, lease, self._ready], args=[holder])

    # -- messages ----------------------------------------------------------------------------------------

    def announce(self, tags: Sequence[str], message: bytes, *, sender: str, nonce: str) -> int:
        """Move tags on, and send a message; gives its number."""
        told = self._announce(
            keys=[self._clock, self._stream, *tags],
            args=[_fresh(), self._tag_ms, _MOST_MESSAGES, nonce, sender, message],
        )
        try:
            return int(told[1])
        except Exception:  # noqa: BLE001 - whatever has answered, it is none
            raise NonsenseError from None

    def read(self, after: int) -> list[Received]:
        """The messages after the one with this number."""
        return self._read({self._stream: f"{after}-0"}, None)[0]

    def listen(self, after: int, *, wait_ms: int) -> tuple[list[Received], list[str]]:
        """Wait for messages after the one with this number, or for loads to end that somebody waits for.

        Returns:
            messages, and the names of the answers that these loads were to give.
        """
        try:
            return self._read({self._stream: f"{after}-0", self._ready: self._ready_after}, wait_ms)
        except Exception:
            self._ready_after = _FROM_THE_BEGIN  # it may count from another time when it is back
            raise

    def _read(self, after: dict[str, str], wait_ms: int | None) -> tuple[list[Received], list[str]]:
        told = self._client.xread(after, count=_MOST_AT_ONCE, block=wait_ms)
        try:
            entries = _entries(told)
            ready = entries.get(self._ready, [])
            if ready:
                self._ready_after = _text(ready[-1][0])
            messages = [_message(number, fields) for number, fields in entries.get(self._stream, [])]
            return messages, [_text(fields[b"answer"]) for _, fields in ready]
        except Exception:  # noqa: BLE001 - whatever has answered, it is none
            raise NonsenseError from None

    # -- members -----------------------------------------------------------------------------------------

    def milliseconds(self) -> int:
        """The server's time."""
        return int(self._time(keys=[self._clock]))

    def beat(self, member: str, *, lost_ms: int, forgotten_ms: int, last: int, latest_ms: int = 0) -> Beat:
        """Say that a process lives, and ask how things are.

        Args:
            member: the process.
            lost_ms: how long others may be silent.
            forgotten_ms: when they are taken for dead.
            last: the message whose nonce is wanted.
            latest_ms: the server's time after which this says nothing any more; 0: at any time it does.
        """
        told = self._beat(
            keys=[self._clock, self._stream, self._members],
            args=[_fresh(), member, lost_ms, forgotten_ms, last, latest_ms],
        )
        try:
            names = tuple(map(_text, told[4]))
            beat = Beat(_text(told[0]), int(told[1]), _text(told[2]), int(told[3]), names, int(told[5]))
        except Exception:  # noqa: BLE001 - whatever has answered, it is none
            raise NonsenseError from None
        if beat.epoch != self._epoch:
            self._epoch, self._ready_after = beat.epoch, _FROM_THE_BEGIN
        return beat

    def miss(self, names: Sequence[str], *, lost_ms: int) -> None:
        """Have the server miss those that it has forgotten, until they say that they live."""
        self._miss(keys=[self._members], args=[lost_ms, *names])

    def leave(self, member: str) -> None:
        """Say goodbye: nobody suspects a process that is gone."""
        self._client.zrem(self._members, member)

    def begin_anew(self, epoch: str) -> None:
        """Have a new epoch begin, unless another process has seen to that: the server has lost messages."""
        self._begin_anew(keys=[self._clock, self._stream], args=[epoch, _fresh()])

    def close(self) -> None:
        """Close all connections."""
        self._client.close()


def _fresh() -> str:
    return secrets.token_hex(8)


def _text(told: Any) -> str:
    return told.decode() if isinstance(told, bytes) else str(told)


def _entries(told: Any) -> dict[str, list[tuple[Any, dict[bytes, bytes]]]]:
    """The entries of each stream, by its name."""
    streams = told.items() if isinstance(told, dict) else told or ()
    # RESP3 has the entries of a stream in one list more than RESP2.
    return {
        _text(name): entries[0] if entries and isinstance(entries[0], list) else entries
        for name, entries in streams
    }


def _message(number: Any, fields: dict[bytes, bytes]) -> Received:
    return Received(
        int(_text(number).partition("-")[0]),
        _text(fields[b"nonce"]),
        _text(fields[b"sender"]),
        bytes(fields[b"message"]),
    )
