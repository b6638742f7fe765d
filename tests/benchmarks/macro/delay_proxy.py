"""A TCP proxy that makes a near server as far away as one likes.

Each piece of bytes goes on half a round trip after it came in, in order. Waits are not added to each other:
what follows a piece closely arrives closely behind it, and as many bytes a second get through as without the
proxy. What a client says first takes one round trip longer, as TCP's own greeting does, which a near proxy
gives at once. The end of one direction travels like a piece of it, and leaves the other direction open.

As a program: it prints its port as a line of JSON; each line that it is sent asks for the counts so far, and
at the end of its input it stops.

    python tests/benchmarks/macro/delay_proxy.py --to 5432 --round-trip-ms 20
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import selectors
import socket
import struct
import sys
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any, Final

HOST: Final = "127.0.0.1"


class Mark(Enum):
    """What travels beside bytes: the end of a direction, and a connection that was cut."""

    END = "end"
    CUT = "cut"


@dataclass(slots=True)
class Counts:
    """What has passed so far.

    A round trip is counted when the client speaks after it was silent: whatever it says in one go, and the
    answer. The greeting of TCP is one more for each connection, and is not among them.
    """

    connections: int = 0
    round_trips: int = 0
    bytes_up: int = 0
    bytes_down: int = 0


def cut(transport: asyncio.Transport) -> None:
    """Let the other side see a connection reset, and not the end of what is said."""
    no_lingering = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, no_lingering)
    transport.abort()


class Lane:
    """One direction of a connection: pieces wait in order, each until its own moment.

    Args:
        loop: its clock tells the moments, in seconds.
        delay_seconds: how long each piece is under way.
        opens_at: what comes in before that moment counts as come at that moment.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, delay_seconds: float, opens_at: float) -> None:
        self._loop = loop
        self._delay = delay_seconds
        self._opens_at = opens_at
        self._under_way: deque[tuple[float, bytes | Mark]] = deque()
        self._target: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.has_ended = False

    def lead_to(self, target: asyncio.Transport) -> None:
        """From now on pieces can be handed over."""
        self._target = target
        self._set_timer()

    def put(self, piece: bytes | Mark) -> None:
        """A piece sets out."""
        due_at = max(self._loop.time(), self._opens_at) + self._delay
        self._under_way.append((due_at, piece))
        if self._timer is None:
            self._set_timer()

    def close(self) -> None:
        """Nothing arrives any more."""
        self._under_way.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _set_timer(self) -> None:
        # One timer, for the first piece: two of the same moment would have no order in the loop's heap.
        if self._target is None or not self._under_way:
            return
        due_at = self._under_way[0][0]
        if due_at <= self._loop.time():
            self._hand_over()
        else:
            self._timer = self._loop.call_at(due_at, self._hand_over)

    def _hand_over(self) -> None:
        self._timer = None
        self._give(self._under_way.popleft()[1])  # its moment has come, as exactly as the loop can tell
        while self._under_way and self._under_way[0][0] <= self._loop.time():
            self._give(self._under_way.popleft()[1])
        self._set_timer()

    def _give(self, piece: bytes | Mark) -> None:
        assert self._target is not None, "without a target there is no timer"
        if piece is Mark.END:
            self.has_ended = True
        if self._target.is_closing():
            return
        if isinstance(piece, bytes):
            self._target.write(piece)
        elif piece is Mark.CUT:
            cut(self._target)
        else:
            self._target.write_eof()


class End(asyncio.Protocol):
    """One end of a connection, the client's or the server's: what it says sets out on its lane."""

    transport: asyncio.Transport

    def __init__(self, passage: Passage, lane: Lane) -> None:
        self._passage = passage
        self.lane = lane

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._passage.note(self, data)
        self.lane.put(data)

    def eof_received(self) -> bool:
        self.lane.put(Mark.END)
        return True  # the other direction stays open

    def connection_lost(self, error: Exception | None) -> None:
        if error is not None:
            self.lane.put(Mark.CUT)

    def pause_writing(self) -> None:
        """Whoever takes slowly holds up who gives, as without a proxy."""
        self._passage.other(self).transport.pause_reading()

    def resume_writing(self) -> None:
        """As above."""
        with contextlib.suppress(RuntimeError):  # the other end is closing
            self._passage.other(self).transport.resume_reading()


class Passage:
    """A connection: two ends and two lanes.

    Args:
        round_trip_seconds: there and back.
        counts: of the whole proxy.
        forget: called when the connection is over.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        round_trip_seconds: float,
        counts: Counts,
        forget: Callable[[Passage], None],
    ) -> None:
        one_way, begun_at = round_trip_seconds / 2, loop.time()
        self.client = End(self, _ClosingLane(self, loop, one_way, begun_at + round_trip_seconds))
        self.server = End(self, _ClosingLane(self, loop, one_way, begun_at + one_way))
        self._counts = counts
        self._forget = forget
        self._last_to_speak: End | None = None

    def other(self, end: End) -> End:
        """The end across."""
        return self.server if end is self.client else self.client

    def joined(self) -> None:
        """Both ends are there."""
        self.client.lane.lead_to(self.server.transport)
        self.server.lane.lead_to(self.client.transport)

    def note(self, end: End, data: bytes) -> None:
        """Count what an end has said."""
        if end is self.server:
            self._counts.bytes_down += len(data)
        else:
            self._counts.bytes_up += len(data)
            self._counts.round_trips += self._last_to_speak is not end
        self._last_to_speak = end

    def close_if_ended(self) -> None:
        """When both directions have ended, nothing is left to pass."""
        if self.client.lane.has_ended and self.server.lane.has_ended:
            self.close()

    def close(self) -> None:
        """Close both ends; what has arrived there is still written."""
        self._forget(self)
        for end in (self.client, self.server):
            end.lane.close()
            if hasattr(end, "transport"):
                end.transport.close()


class _ClosingLane(Lane):
    """A lane whose end may be the end of its connection."""

    def __init__(self, passage: Passage, *lane: Any) -> None:
        super().__init__(*lane)
        self._passage = passage

    def _give(self, piece: bytes | Mark) -> None:
        super()._give(piece)
        if piece is Mark.CUT:
            self._passage.close()
        elif piece is Mark.END:
            self._passage.close_if_ended()


class DelayProxy:
    """Listens on a free port of this machine, and passes on to another port of it.

    Args:
        to_port: where the server listens.
        round_trip_seconds: half of it is how long each piece of bytes is under way.
    """

    def __init__(self, to_port: int, round_trip_seconds: float) -> None:
        self._to_port = to_port
        self._round_trip_seconds = round_trip_seconds
        self._passages: set[Passage] = set()
        self._joining: set[asyncio.Task[None]] = set()
        self.counts = Counts()
        self.port = 0

    async def start(self) -> None:
        """Listen; `port` is where."""
        self._loop = asyncio.get_running_loop()
        self._server = await self._loop.create_server(self._accept, HOST, 0, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Listen no more, and close what is open."""
        self._server.close()
        for task in self._joining:
            task.cancel()
        for passage in tuple(self._passages):
            passage.close()
        await asyncio.sleep(0)  # transports close in the loop's next turn

    def _accept(self) -> End:
        passage = Passage(self._loop, self._round_trip_seconds, self.counts, self._passages.discard)
        self.counts.connections += 1
        self._passages.add(passage)
        task = self._loop.create_task(self._join(passage))
        self._joining.add(task)
        task.add_done_callback(self._joining.discard)
        return passage.client

    async def _join(self, passage: Passage) -> None:
        try:
            await self._loop.create_connection(lambda: passage.server, HOST, self._to_port)
        except OSError:
            cut(passage.client.transport)  # nobody listens there: the client is told so, too
            self._passages.discard(passage)
        else:
            passage.joined()


def exact_loop() -> asyncio.AbstractEventLoop:
    """A loop that wakes up within microseconds of the moment; Linux's usual one rounds up to milliseconds."""
    return asyncio.SelectorEventLoop(selectors.SelectSelector())


async def _serve(to_port: int, round_trip_seconds: float) -> None:
    proxy = DelayProxy(to_port, round_trip_seconds)
    await proxy.start()
    print(json.dumps({"port": proxy.port}), flush=True)
    loop = asyncio.get_running_loop()
    while await loop.run_in_executor(None, sys.stdin.readline):
        print(json.dumps(asdict(proxy.counts)), flush=True)
    await proxy.stop()


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--to", type=int, required=True, metavar="PORT", help="where the server listens")
    parser.add_argument("--round-trip-ms", type=float, default=0.0, help="there and back, in milliseconds")
    options = parser.parse_args(arguments)
    loop = exact_loop()
    try:
        loop.run_until_complete(_serve(options.to, options.round_trip_ms / 1000))
    finally:
        loop.close()


if __name__ == "__main__":
    main()
