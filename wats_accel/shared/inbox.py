"""The inbox: what others have told is applied in its order, and none of it is missed unnoticed.

Messages are numbered without a gap, and the numbers belong to an epoch that ends when the server loses what
it knew. With every beat it is asked which message it has under the number of the last one applied here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NoReturn

from wats_accel.counters import SharedCounters
from wats_accel.shared.backplane_rules import Listener
from wats_accel.shared.messages import ANYTHING
from wats_accel.shared.outbox import Outbox
from wats_accel.shared.server import Beat, Received, Server


class Inbox:
    """What one process has heard so far. What changes that is called in the listening thread only.

    Args:
        outbox: knows which messages come from here, and opens the others.
        listener: applies these.
        counters: of what is received.
        clock: seconds.

    Attributes:
        last: the number of the message that was applied last.
    """

    def __init__(
        self, outbox: Outbox, listener: Listener, *, counters: SharedCounters, clock: Callable[[], float]
    ) -> None:
        self.last = 0
        self._outbox = outbox
        self._listener = listener
        self._counters = counters
        self._clock = clock
        self._epoch: str | None = None
        self._nonce = ""  # of the last one
        self._heard_at: float | None = None

    @property
    def silent_seconds(self) -> float | None:
        """Since the last message of another process; None if there was none."""
        return None if self._heard_at is None else self._clock() - self._heard_at

    @property
    def has_begun(self) -> bool:
        """Whether anything could have been heard before."""
        return self._epoch is not None

    def apply(self, received: Sequence[Received], server: Server) -> bool:
        """Apply messages; False if there is a gap before one of them, or there are none.

        Raises:
            Exception: as `catch_up`.
        """
        for told in received:
            if told.number != self.last + 1:
                return False
            if self._epoch is not None and self._outbox.is_lost(told) is not False:
                self._end_epoch(self._epoch, server)
            if self._outbox.is_own(told) is not True:
                self._counters.received += 1
                self._heard_at = self._clock()
                self._listener.told(self._outbox.opened(told.message))
            self.last, self._nonce = told.number, told.nonce
        return bool(received)

    def catch_up(self, beat: Beat, server: Server, *, owed: int) -> bool:
        """Apply all messages that there were at a beat; False if that cannot be: then begin with it.

        Args:
            beat: that.
            server: has the messages.
            owed: the number of the last one that it had taken from here before.

        Raises:
            Exception: the server has lost messages that others may have heard, or cannot be reached.
        """
        if beat.epoch != self._epoch:
            return False
        is_behind = beat.number < max(self.last, owed)
        if is_behind or (beat.nonce and self._nonce and beat.nonce != self._nonce):
            self._end_epoch(beat.epoch, server)
        if beat.nonce != self._nonce:  # memory ran short, perhaps: messages are missing, and no tag
            return False
        while self.last < beat.number:
            if not self.apply(server.read(self.last), server):
                return False
        return True

    @staticmethod
    def _end_epoch(epoch: str, server: Server) -> NoReturn:
        """It has forgotten what others may have heard, and what answers were dropped: so nobody trusts it."""
        server.begin_anew(epoch)
        raise ConnectionResetError

    def begin_with(self, beat: Beat) -> None:
        """Go on from here: what was told before nobody knows, and everything is dropped. `confirm` it."""
        self.last, self._epoch, self._nonce = beat.number, beat.epoch, ""

    def confirm(self, beat: Beat) -> None:
        """Take the nonce of the last message from a later beat.

        Raises:
            ConnectionResetError: the server has lost what it knew meanwhile.
        """
        if beat.epoch != self._epoch:
            raise ConnectionResetError
        self._nonce = beat.nonce

    def drop_everything(self) -> None:
        """Drop everything: something was told, or may have been, that is not known here."""
        self._counters.dropped_everything += 1
        self._listener.told(ANYTHING)

    def begin_anew(self) -> None:
        """In a child process: it has heard of nothing."""
        self.last, self._epoch, self._nonce = 0, None, ""
