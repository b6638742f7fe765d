"""A network between processes and a server that breaks as a test says: cut, silent, slow, nonsense."""

from __future__ import annotations

import contextlib
import random
import selectors
import socket
import threading
from collections import deque
from enum import Enum

_CHUNK = 65_536
_LOOK_SECONDS = 0.02
_MOST_GARBAGE = 2_000


class Weather(Enum):
    """What happens to what is sent."""

    FINE = "passed on"
    REFUSED = "connections are closed, new ones at once"
    SWALLOWED = "connections stay open, and nothing comes through, ever"
    HELD = (
        "nothing comes through until it is fine again: then all of it does, as TCP sends again what was lost"
    )
    GARBAGE = "whoever asks gets random bytes"
    DRIPPING = "whoever asks gets the begin of a long answer, and then a byte now and then"


class Proxy:
    """Stands before a server on this machine.

    Args:
        port: of the server.
        seed: of the random bytes.
    """

    def __init__(self, port: int, *, seed: int = 0) -> None:
        self._to = port
        self._dice = random.Random(seed)
        self._weather = Weather.FINE
        self._lock = threading.Lock()
        self._ends = False
        self._others: dict[socket.socket, socket.socket] = {}
        self._held: deque[tuple[socket.socket, bytes]] = deque()
        self._asked: set[socket.socket] = set()  # clients that are answered with drops
        self._selector = selectors.DefaultSelector()
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = int(self._listening.getsockname()[1])
        self._selector.register(self._listening, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run, name="redis-proxy", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """What leads to the server by this way."""
        return f"redis://127.0.0.1:{self.port}/0"

    def be(self, weather: Weather) -> None:
        """Treat what is sent so, from now on. Connections that were swallowed or garbled once end."""
        with self._lock:
            was, self._weather = self._weather, weather
            if weather is Weather.REFUSED or was in {Weather.SWALLOWED, Weather.GARBAGE, Weather.DRIPPING}:
                for end in list(self._others):
                    self._close(end)
            if weather is Weather.FINE:
                while self._held:
                    self._send(*self._held.popleft())

    def close(self) -> None:
        """End all connections, and pass on nothing any more."""
        self._ends = True
        self._thread.join()
        for end in list(self._others):
            self._close(end)
        self._selector.close()
        self._listening.close()

    # -- in the proxy's thread -----------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._ends:
            ready = self._selector.select(_LOOK_SECONDS)
            with self._lock:
                for key, _ in ready:
                    end = key.fileobj
                    if end is self._listening:
                        self._accept()
                    elif end in self._others:
                        self._receive(end)  # type: ignore[arg-type]  # it is one of ours
                if self._weather is Weather.DRIPPING:
                    for asked in list(self._asked):
                        self._send(asked, b"x")

    def _accept(self) -> None:
        near, _ = self._listening.accept()
        try:
            far = socket.create_connection(("127.0.0.1", self._to), timeout=1.0)
        except OSError:
            near.close()
            return
        if self._weather is Weather.REFUSED:
            near.close()
            far.close()
            return
        self._others[near], self._others[far] = far, near
        for end in (near, far):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._selector.register(end, selectors.EVENT_READ, "client" if end is near else "server")

    def _receive(self, end: socket.socket) -> None:
        try:
            data = end.recv(_CHUNK)
        except OSError:
            data = b""
        if not data and self._weather is Weather.HELD and self._is_client(end):
            self._selector.unregister(end)  # it is gone, and what it sent is still under way
            return
        if not data:
            self._close(end)
        elif self._weather is Weather.FINE:
            self._send(self._others[end], data)
        elif self._weather is Weather.HELD:
            self._held.append((self._others[end], data))
        elif self._weather is Weather.GARBAGE and self._is_client(end):
            self._send(end, self._garbage())
        elif self._weather is Weather.DRIPPING:
            # Whoever waits for an answer since before gets this one, too.
            asked = end if self._is_client(end) else self._others[end]
            if asked not in self._asked:
                self._asked.add(asked)
                self._send(asked, b"$1000000\r\n")

    def _is_client(self, end: socket.socket) -> bool:
        with contextlib.suppress(KeyError):
            return bool(self._selector.get_key(end).data == "client")
        return False

    def _garbage(self) -> bytes:
        begins = (b"", b"+", b"-", b":", b"$", b"*", b"*3\r\n", b"$5\r\n", b"*-1\r\n", b":12\r\n", b"%1\r\n")
        return self._dice.choice(begins) + self._dice.randbytes(self._dice.randrange(_MOST_GARBAGE)) + b"\r\n"

    def _send(self, end: socket.socket, data: bytes) -> None:
        try:
            end.sendall(data)
        except OSError:
            self._close(end)

    def _close(self, end: socket.socket) -> None:
        other = self._others.pop(end, None)
        for known in (end, other):
            if known is not None:
                self._others.pop(known, None)
                self._asked.discard(known)
                with contextlib.suppress(KeyError, ValueError):
                    self._selector.unregister(known)
                known.close()
