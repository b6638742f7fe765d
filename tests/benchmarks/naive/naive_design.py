"""What NOT to do: the cache and the pool that the maintainers tried by hand, to be measured against.

Written anew from what was told of them, faults included. Never use this in a program: it serves old answers,
gives one caller another's list, loses writes, and opens connections that nobody uses.
"""

from __future__ import annotations

import functools
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from types import MappingProxyType
from typing import Any, Final

log: Final = logging.getLogger("naive_design")

Method = Callable[..., Any]
Decorator = Callable[[Method], Method]

# class -> method -> (namespace, seconds): the table that was asked for.
CACHED: Final = MappingProxyType(
    {
        "ConnectionRepository": {
            "select_all": ("connections", 60),
            "admin_get_all_connections": ("connections", 60),
        },
        "UserRepository": {"get_user_role": ("users", 300), "admin_get_all_users": ("users", 300)},
        "GroupRepository": {"admin_get_all_groups": ("groups", 300)},
        "IndividualPermissionRepository": {"list_user_individual_permissions": ("permissions", 180)},
    }
)
# class -> (pattern, methods): only the writes that somebody remembered, and only their own namespace. The
# patterns were meant to drop that one; matched by their ends, they drop everything.
REMEMBERED: Final = MappingProxyType(
    {
        "ConnectionRepository": (
            "*connections*",
            ("admin_create_connection", "admin_update_connection", "admin_delete_connection"),
        ),
        "UserRepository": ("*users*", ("admin_create_user", "admin_update_user")),
        "GroupRepository": ("*groups*", ("admin_create_group", "admin_update_group", "admin_delete_group")),
        "IndividualPermissionRepository": (
            "*permissions*",
            ("grant_individual_access", "revoke_individual_access"),
        ),
    }
)


class NaiveCache:
    """One dictionary for all, with a lock.

    Args:
        log_calls: write a line for each hit and miss, as they did at first; they soon deleted the lines.
        clock: gives seconds.
    """

    def __init__(self, *, log_calls: bool = True, clock: Callable[[], float] = time.time) -> None:
        self._log_calls = log_calls
        self._clock = clock
        self._entries: dict[str, tuple[Any, float]] = {}
        self._lock = threading.Lock()
        self.hits = 0
        self.misses = 0

    def get(self, key: str) -> Any:
        """The value, or None: so a stored None is never found."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None and entry[0] is not None and entry[1] > self._clock():
                self.hits += 1
                return entry[0]
            self._entries.pop(key, None)
            self.misses += 1
            return None

    def set(self, key: str, value: Any, ttl: float) -> None:
        """Keep the value itself, which its first caller may go on to change, for `ttl` seconds."""
        with self._lock:
            self._entries[key] = (value, self._clock() + ttl)

    def invalidate_pattern(self, pattern: str) -> int:
        """Drop what begins and ends as the pattern does, whatever stands between; gives how many."""
        begin, end = pattern.split("*")[0], pattern.split("*")[-1]
        with self._lock:
            matching = [key for key in self._entries if key.startswith(begin) and key.endswith(end)]
            for key in matching:
                del self._entries[key]
        log.info(f"Invalidated {len(matching)} cache entries matching '{pattern}'")
        return len(matching)

    def cached(self, namespace: str, ttl: float = 300) -> Decorator:
        """A decorator: the address of `self` is in the key, and the arguments are joined as text."""

        def decorate(method: Method) -> Method:
            @functools.wraps(method)
            def reading(*args: Any, **kwargs: Any) -> Any:
                words = [*map(str, args), *(f"{name}={value}" for name, value in sorted(kwargs.items()))]
                key = ":".join([namespace, method.__name__, *words])
                found = self.get(key)
                if found is not None:
                    if self._log_calls:
                        log.info(f"Cache HIT: {key}")
                    return found
                if self._log_calls:
                    log.info(f"Cache MISS: {key}")
                # Between here and set() a write may come and go: its old rows are put back all the same.
                answer = method(*args, **kwargs)
                self.set(key, answer, ttl)
                return answer

            return reading

        return decorate

    def invalidates(self, pattern: str) -> Decorator:
        """A decorator: drops what matches when the method has returned, whatever it returned."""

        def decorate(method: Method) -> Method:
            @functools.wraps(method)
            def writing(*args: Any, **kwargs: Any) -> Any:
                answer = method(*args, **kwargs)
                self.invalidate_pattern(pattern)
                return answer

            return writing

        return decorate

    def stats(self) -> dict[str, Any]:
        """Size, hits, misses, and the share of hits in per cent."""
        with self._lock:
            asked = self.hits + self.misses
            rate = round(100 * self.hits / asked, 2) if asked else 0.0
            return {
                "size": len(self._entries),
                "hits": self.hits,
                "misses": self.misses,
                "hit_rate": rate,
            }


class NaivePool:
    """Connections that are opened when the pool is made, used or not.

    Args:
        connect: opens one connection.
        size: how many are opened at once.
        max_overflow: how many more may be opened when all are out.
        timeout: seconds to wait for one after that; then `queue.Empty` is raised.
    """

    def __init__(
        self, connect: Callable[[], Any], *, size: int = 5, max_overflow: int = 10, timeout: float = 30.0
    ) -> None:
        self._connect = connect
        self._timeout = timeout
        self._most = size + max_overflow
        self._lock = threading.Lock()
        self._idle: queue.Queue[Any] = queue.Queue()
        for _ in range(size):
            self._idle.put(connect())
        self.opened = size
        log.info(f"Connection Pool initialized (size={size}, overflow={max_overflow})")

    @contextmanager
    def connection(self) -> Iterator[Any]:
        """A connection that is not in autocommit; what is not committed is rolled back on return."""
        connection = self._validated(self._take())
        try:
            yield connection
        finally:
            connection.rollback()
            self._idle.put(connection)

    def _take(self) -> Any:
        with suppress(queue.Empty):
            return self._idle.get_nowait()
        with self._lock:
            may_open = self.opened < self._most
            self.opened += may_open
        return self._connect() if may_open else self._idle.get(timeout=self._timeout)

    def _validated(self, connection: Any) -> Any:
        try:
            connection.cursor().execute("SELECT 1").fetchone()
        except Exception:  # as it was written
            return self._connect()
        return connection

    def close(self) -> None:
        """Close those that nobody has."""
        with suppress(queue.Empty):
            while True:
                self._idle.get_nowait().close()


def apply_to(*repositories: type, cache: NaiveCache) -> ExitStack:
    """Decorate these classes of the example by the two tables above, wherever they have those methods.

    A class that the tables do not name is left as it is: nobody remembered it. What is given puts everything
    back, by ``close()`` or at the end of a ``with`` block.
    """
    undo = ExitStack()
    for repository in repositories:
        for name, (namespace, ttl) in CACHED.get(repository.__name__, {}).items():
            _decorate(repository, name, cache.cached(namespace, ttl), undo)
        pattern, writes = REMEMBERED.get(repository.__name__, ("", ()))
        for name in writes:
            _decorate(repository, name, cache.invalidates(pattern), undo)
    return undo


def wire_in(database_manager: type, pool: NaivePool) -> ExitStack:
    """Let ``get_cursor`` of this class take its connections from the pool, as the pool is written.

    Writes that count on autocommit are then lost, and return True all the same. Undone as by `apply_to`.
    """

    @contextmanager
    def get_cursor(self: Any) -> Iterator[Any]:
        with pool.connection() as connection:
            yield connection.cursor()

    undo = ExitStack()
    _decorate(database_manager, "get_cursor", lambda method: functools.wraps(method)(get_cursor), undo)
    return undo


def _decorate(owner: type, name: str, decorator: Decorator, undo: ExitStack) -> None:
    original = vars(owner)[name]
    setattr(owner, name, decorator(original))
    undo.callback(setattr, owner, name, original)
