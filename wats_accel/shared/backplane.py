"""The backplane: what this process drops the others drop, and the other way round.

Connected: all messages that there are have been applied, as of the last beat, and no process is missing
that may have something to tell. Isolated: the server cannot be reached. Doubting: it can be, but a process is
missing. In both of these, answers that are loaded live for `isolated_seconds` at most, and what was loaded
before is dropped before any of it is older than that, counted from when all was known last.

No message is lost unnoticed: the inbox sees to that. If anything does not fit, everything is dropped.

A process that is cut off goes on writing, and cannot say so. So each one tells the server that it lives.
When one is not heard of any more, the others are as good as isolated, until it comes back, says goodbye, or
is forgotten. What it could not tell it tells first of all when it comes back. A server that has lost what it
knew is told by the others who was there, so that nobody is missing unnoticed.
"""

from __future__ import annotations

import contextlib
import secrets
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeVar

from wats_accel.cache.elsewhere import Tables
from wats_accel.counters import SharedCounters
from wats_accel.forks import begins_anew_when_forked
from wats_accel.shared.backplane_rules import BackplaneRules, Listener
from wats_accel.shared.deadlines import DeadlinePassedError, Deadlines
from wats_accel.shared.horizon import Horizon, clock_that_counts_sleep
from wats_accel.shared.inbox import Inbox
from wats_accel.shared.messages import ANYTHING, Message, Told
from wats_accel.shared.outbox import Outbox, Seal
from wats_accel.shared.server import Beat, Server
from wats_accel.shared.server_time import ServerTime
from wats_accel.shared.servers import Servers
from wats_accel.shared.tags import Tags
from wats_accel.shared.waiters import Waiters

ResultT = TypeVar("ResultT")

_LONGEST_PAUSE_SECONDS: Final = 30.0


class Backplane:
    """One process on the backplane. Implements `Announcer`.

    Args:
        connect: gives, in the listening thread, what the application's calls ask, and what that thread asks.
        prefix: of all keys, without braces.
        tags: names what an invalidation means.
        listener: applies what others tell.
        rules: times.
        seal: of messages; None: they go in clear, and without arguments unless `arguments_in_clear`.
        arguments_in_clear: whether arguments may go in clear.
        clock: seconds, as `clock_that_counts_sleep`.
        is_over: whether nobody needs it any more, though nobody has closed it.
    """

    def __init__(
        self,
        connect: Callable[[], tuple[Server, Server]],
        *,
        prefix: str,
        tags: Tags,
        listener: Listener,
        rules: BackplaneRules,
        seal: Seal | None = None,
        arguments_in_clear: bool = False,
        clock: Callable[[], float] = clock_that_counts_sleep,
        is_over: Callable[[], bool] = lambda: False,
    ) -> None:
        self.rules = rules
        self.prefix = prefix
        self.tags = tags
        self.counters = SharedCounters()
        self.member = secrets.token_hex(8)
        self._servers = Servers(connect)
        self._listener = listener
        self._clock = clock
        self._outbox = Outbox(
            self.member,
            self.counters,
            everything=tags.everything,
            seal=seal,
            arguments_in_clear=arguments_in_clear,
            clock=clock,
        )
        self._inbox = Inbox(self._outbox, listener, counters=self.counters, clock=clock)
        self.deadlines = Deadlines()
        self.waiters = Waiters()  # for loads of other processes
        self.is_over = is_over
        self._horizon = Horizon(self._was_reached, clock=clock, is_over=is_over)
        # Held while it is decided whether a message goes out now or waits; never while the server is asked.
        self._lock = threading.RLock()
        self.is_reached = False  # the server: asked by nobody but the listening thread until it is
        self.is_connected = False  # it is, and all is known
        self._pause, self._rests_until = 0.0, 0.0
        self._due_at = 0.0
        self._owed = 0  # the number of the last message that the server had taken before the last beat
        self._known: tuple[str, ...] = ()
        self._is_closed = False
        self._server_time = ServerTime(rules.beat_seconds)
        listener.bounded(rules.isolated_seconds)
        begins_anew_when_forked(self)

    # -- what this process drops (called by whoever has written) -----------------------------------------

    def dropped(self, drops: Sequence[Told], /) -> None:
        """Tell what patterns, bound to values, have dropped here."""
        told = tuple(drops)
        self._tell_of(lambda: (set().union(*(self.tags.of_drop(*drop) for drop in told)), Message(told)))

    def changed(self, tables: Tables | None, /) -> None:
        """Tell which tables have changed."""
        if tables is None:
            self._tell_of(lambda: ([self.tags.unknown_tables], ANYTHING))
        elif tables:
            self._tell_of(lambda: (self.tags.of_tables(tables), Message(tables=tables)))

    def _tell_of(self, made: Callable[[], tuple[Iterable[str], Message]]) -> None:
        try:
            tags, message = made()
            self._tell(sorted(self.tags.sound(tags)), message)
        except BaseException as error:
            self._tell_later([self.tags.everything], ANYTHING, type(error).__name__)
            if not isinstance(error, Exception):
                raise  # Ctrl+C and the like are the application's own

    def in_doubt(self, why: str, /) -> None:
        """Tell that anything may have changed, as soon as the server can be asked again."""
        with self._lock:
            self._outbox.owes_everything = True
            self.is_reached = False
        self.trouble(why)

    def _tell(self, tags: list[str], message: Message) -> None:
        if not tags:
            return
        with self._lock:  # or it might be reached in between, and what waits would wait for a beat
            if not self.is_reached:
                self._outbox.put(tags, message)
                return
        try:
            self.ask(lambda: self._outbox.send(self.server, tags, message), self.rules.timeout_seconds)
        except Exception as error:  # noqa: BLE001 - as above
            self._tell_later(tags, message, type(error).__name__)

    def ask(self, call: Callable[[], ResultT], seconds: float) -> ResultT:
        """Have the server asked something by a thread of the application, which waits no longer than so long.

        Raises:
            Exception: it has not answered in time, or something else than it should.
        """
        try:
            told = self.deadlines.call(call, seconds)
        except Exception as error:
            self.counters.timeouts += isinstance(error, DeadlinePassedError)
            self._rest()
            self.trouble(type(error).__name__)
            raise
        self._pause = 0.0
        return told

    def _rest(self) -> None:
        """A server that answers beats, and nothing else in time, is left alone for a while all the same."""
        with self._lock:
            if self.is_reached:
                self.is_reached = False  # of many calls that fail at the same time one counts
                self._pause = min(max(self.rules.beat_seconds, 2 * self._pause), _LONGEST_PAUSE_SECONDS)
                self._rests_until = self._clock() + self._pause

    @property
    def server(self) -> Server:
        """What the application's calls ask."""
        return self._servers.asked

    @property
    def _listening(self) -> Server:
        return self._servers.listening

    def _tell_later(self, tags: list[str], message: Message, why: str) -> None:
        """Tell it when the server can be reached again; whether it has been told by now is not known."""
        with self._lock:
            try:
                self._outbox.put(tags, message)
            except Exception:  # noqa: BLE001 - then it means everything
                self._outbox.owes_everything = True
            self.is_reached = False
        self.trouble(why)

    def trouble(self, why: str) -> None:
        """Note that the server did not do what it was asked for: until the next good beat nobody asks it."""
        self.is_reached = False
        self._doubt(why)

    def _doubt(self, why: str) -> None:
        with self._lock:
            self.counters.why_isolated = why
            if not self.is_connected:
                return
            self.is_connected = False
            self.counters.isolations += 1
            # What is loaded from here on has a bound; what was loaded before, the horizon.
            self._listener.bounded(self.rules.isolated_seconds)
        self._listener.isolated(why)

    def _was_reached(self) -> None:
        """Called when all was known for the last time too long ago, whatever the listening thread does."""
        self._doubt("nothing is known of the others")
        self._inbox.drop_everything()

    # -- what others tell (called in the listening thread) -----------------------------------------------

    def step(self) -> None:
        """Say that this process lives, if it is time, and wait for messages until it is time again.

        Raises:
            Exception: the server cannot be reached, or answers nonsense. Then this process is isolated.
        """
        try:
            if self._clock() >= self._due_at:
                self._beat()
                self._due_at = self._clock() + self.rules.beat_seconds
            wait_ms = max(1, int((self._due_at - self._clock()) * 1e3))
            received, ready = self._listening.listen(self._inbox.last, wait_ms=wait_ms)
            for answer in ready:
                self.waiters.wake(answer)
            if received and not self._inbox.apply(received, self._listening):
                self._due_at = 0.0  # a gap: the next beat tells
        except BaseException as error:
            self._due_at = 0.0
            self._server_time.forget()
            self.trouble(type(error).__name__)
            raise

    def _beat(self) -> None:
        asked_at = self._clock()
        beat = self._caught_up()
        self._known = beat.names
        self.counters.members = len(beat.names)
        if asked_at < self._rests_until:
            return
        if not self.is_reached:
            # To connect takes longer than a call of the application may wait.
            self.deadlines.call(self.server.warm_up, self.rules.lost_seconds)
        with self._lock:
            if self._outbox:
                return  # since a moment ago: after the next beat
            self.is_reached = True
        if beat.lost:
            self._doubt(f"{beat.lost} of {len(beat.names)} processes cannot be heard")
        else:
            self._connect(asked_at, beat)

    def _asked_for_beat(self) -> Beat:
        latest_ms = self._latest_ms_when_nothing_waits()
        self._owed = self._outbox.last_unheard()
        beat = self._listening.beat(
            self.member,
            lost_ms=int(self.rules.lost_seconds * 1e3),
            forgotten_ms=int(self.rules.forgotten_seconds * 1e3),
            last=self._inbox.last,
            latest_ms=latest_ms,
        )
        self._server_time.told(beat.milliseconds)
        if self._is_closed:  # meanwhile: it may have said goodbye before this beat came there
            self._listening.leave(self.member)
            raise ConnectionResetError
        return beat

    def _latest_ms_when_nothing_waits(self) -> int:
        """Until when a beat counts. All has been told: what is owed when it comes is younger than a beat."""
        while True:
            self._outbox.send_what_waits(self._listening)
            latest_ms = self._server_time.latest_ms(self._listening)
            if not self._outbox:
                return latest_ms

    def _connect(self, asked_at: float, beat: Beat) -> None:
        with self._lock:
            if not self.is_reached:
                return  # since a moment ago
            self._horizon.move_to(asked_at + self.rules.trusted_seconds)
            if self.is_connected:
                return
            self._listener.bounded(None)
            self.is_connected = True
            self.counters.why_isolated = ""
        self._listener.connected(len(beat.names))

    def _caught_up(self) -> Beat:
        """Have all messages applied that there were at a beat; gives that, or a later one."""
        beat = self._asked_for_beat()
        if self._inbox.catch_up(beat, self._listening, owed=self._owed) is True:  # not what resembles it
            return beat
        if self._inbox.has_begun:  # else what there is was loaded under a bound
            self._inbox.drop_everything()
            # It may have forgotten who was there, too. Whoever is cut off just now is missing all the same.
            others = [name for name in self._known if name != self.member]
            self._listening.miss(others, lost_ms=int(self.rules.lost_seconds * 1e3))
        self._outbox.forget_unheard()
        self._inbox.begin_with(beat)  # not before: what has failed is done again
        again = self._asked_for_beat()
        self._inbox.confirm(again)
        return again

    def figures(self) -> SharedCounters:
        """The counters, as they are now."""
        known = self.counters
        known.mode = "connected" if self.is_connected else "doubting" if self.is_reached else "isolated"
        known.silent_seconds = self._inbox.silent_seconds
        return known

    # -- end -----------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Tell what waits and say goodbye, if that does not take long. Safe to call twice; raises nothing."""
        self._horizon.close()
        self._is_closed = True
        with self._lock:
            was_reached, self.is_reached, self.is_connected = self.is_reached, False, False
        if was_reached:
            with contextlib.suppress(Exception):  # then it is missed, and forgotten after some time
                self.deadlines.call(self._say_goodbye, self.rules.timeout_seconds)

    def _say_goodbye(self) -> None:
        self._outbox.send_what_waits(self.server)
        self.server.leave(self.member)

    def begin_anew(self) -> None:
        """In a child process: it is another member, and has heard of nothing."""
        self._lock = threading.RLock()
        self.member = secrets.token_hex(8)
        self._outbox.begin_anew(self.member)
        self.is_reached = self.is_connected = False
        self._inbox.begin_anew()
        self._known, self._due_at = (), 0.0
        self._listener.bounded(self.rules.isolated_seconds)
