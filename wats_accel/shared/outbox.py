"""The outbox: messages on their way to the server, and those that could not be sent yet."""

from __future__ import annotations

import secrets
import threading
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

from wats_accel.counters import SharedCounters
from wats_accel.shared.messages import ANYTHING, Message, read, written
from wats_accel.shared.server import Received, Server

_ABOUT: Final = b"wats_accel message"
_MOST_WAITING: Final = 1_000
"""Messages that could not be sent; of more than that one is made that means everything."""


class Seal(Protocol):
    """What makes messages unreadable for others; see the wire."""

    def seal(self, plain: bytes, about: bytes, /) -> bytes:
        """Encrypted, for this purpose."""
        ...

    def open(self, sealed: bytes, about: bytes, /) -> bytes:
        """Decrypted. Raises an exception if it was not sealed so."""
        ...


class Outbox:
    """The messages of one process.

    Args:
        member: who sends them.
        counters: of what is sent, and waits.
        everything: the tag of all answers.
        seal: of messages; None: they go in clear, and without arguments unless `arguments_in_clear`.
        arguments_in_clear: whether arguments may go in clear.
        clock: seconds.

    Attributes:
        owes_everything: whether others have to be told that anything may have changed, before all else.
    """

    def __init__(
        self,
        member: str,
        counters: SharedCounters,
        *,
        everything: str,
        seal: Seal | None,
        arguments_in_clear: bool,
        clock: Callable[[], float],
    ) -> None:
        self.member = member
        self._counters = counters
        self._everything = everything
        self._seal = seal
        self._with_arguments = seal is not None or arguments_in_clear
        self._clock = clock
        self._lock = threading.RLock()  # of what waits; never held while the server is asked
        self._waiting: deque[tuple[list[str], Message]] = deque()
        self._sent_at: dict[str, float] = {}
        self._unheard: dict[int, str] = {}  # what the server has taken, and has not come back yet
        self.owes_everything = False

    def __bool__(self) -> bool:
        """Whether there is anything that waits."""
        return self.owes_everything or bool(self._waiting)

    def send(self, server: Server, tags: list[str], message: Message) -> None:
        """Send a message; one that cannot be written means everything.

        Raises:
            Exception: the server cannot be reached, or answers nonsense; it may have got it all the same.
        """
        nonce = secrets.token_hex(8)
        try:
            sealed = self._sealed(message)
        except Exception:  # noqa: BLE001 - else it would wait for ever, and others with it
            tags, sealed = [self._everything], self._sealed(ANYTHING)
        if len(self._sent_at) > _MOST_WAITING:
            self._sent_at.clear()
            self.forget_unheard()
        self._sent_at[nonce] = self._clock()
        number = server.announce(tags, sealed, sender=self.member, nonce=nonce)
        self._counters.sent += 1
        with self._lock:
            if type(number) is int and nonce in self._sent_at:  # else it has come back already
                self._unheard[number] = nonce

    def _sealed(self, message: Message) -> bytes:
        text = written(message, with_arguments=self._with_arguments)
        return text if self._seal is None else self._seal.seal(text, _ABOUT)

    def put(self, tags: list[str], message: Message) -> None:
        """Have a message wait. Whether it has been sent by now need not be known."""
        with self._lock:
            self._waiting.append((tags, message))
            if len(self._waiting) > _MOST_WAITING:
                self._waiting.clear()
                self._waiting.append(([self._everything], ANYTHING))
            self._counters.waiting = len(self._waiting)

    def send_what_waits(self, server: Server) -> None:
        """Send it, in its order.

        Raises:
            Exception: as `send`. What was not sent waits still.
        """
        if self.owes_everything:
            self.owes_everything = False
            try:
                self.send(server, [self._everything], ANYTHING)
            except BaseException:
                self.owes_everything = True
                raise
        while True:
            with self._lock:
                if not self._waiting:
                    self._counters.waiting = 0
                    return
                first = self._waiting[0]
            self.send(server, *first)
            with self._lock:
                if self._waiting and self._waiting[0] is first:
                    self._waiting.popleft()

    def opened(self, text: bytes) -> Message:
        """The message that somebody has sent; one that cannot be read means everything."""
        if self._seal is None:
            return read(text)
        try:
            return read(self._seal.open(text, _ABOUT))
        except Exception:  # noqa: BLE001 - it may have meant anything
            return ANYTHING

    def last_unheard(self) -> int:
        """The number of the last message that the server has taken and that has not come back; 0 for none."""
        with self._lock:
            return max(self._unheard, default=0)

    def forget_unheard(self) -> None:
        """Expect none of them any more: what they meant is known to be lost, or numbers begin anew."""
        with self._lock:
            self._unheard.clear()

    def is_lost(self, told: Received) -> bool:
        """Whether this message has the number of one of ours, which so is lost."""
        return self._unheard.get(told.number, told.nonce) != told.nonce

    def is_own(self, told: Received) -> bool:
        """Whether it comes from here; then it is noted how long it was on its way."""
        if told.sender != self.member:
            return False
        with self._lock:
            sent_at = self._sent_at.pop(told.nonce, None)
            self._unheard.pop(told.number, None)
        if sent_at is not None:
            seconds = self._clock() - sent_at
            counters = self._counters
            counters.echoes += 1
            counters.echo_seconds += seconds
            counters.longest_echo_seconds = max(counters.longest_echo_seconds, seconds)
        return True

    def begin_anew(self, member: str) -> None:
        """In a child process: what waits is the parent's to send."""
        self._lock = threading.RLock()
        self.member = member
        self.owes_everything = False
        self._waiting.clear()
        self._sent_at.clear()
        self._unheard.clear()
