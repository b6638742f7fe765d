"""Scopes: which database, or which instance, an entry belongs to.

A scope becomes a number in the key. So no connection string stands in a key, and entries of an
instance that is gone can never be found by another that happens to get its address: numbers are
never given out twice.
"""

from __future__ import annotations

import itertools
import threading
import weakref
from collections import deque
from collections.abc import Hashable

_SCOPE_LIMIT = 10_000


class ScopeNumbers:
    """Gives each distinct scope value, and each living instance, a number of its own."""

    def __init__(self) -> None:
        self._next = itertools.count(1)
        self._by_value: dict[Hashable, int] = {}
        self._by_instance: dict[int, tuple[weakref.ref[object], int]] = {}
        # Re-entrant, since a collection of garbage may run foreign code that calls a cached method.
        self._lock = threading.RLock()
        # A weak reference's callback may run anywhere, even while one of our locks is held by the
        # same thread: it takes no lock, and leaves the number here for whoever comes by.
        self.dead: deque[int] = deque()

    def of_value(self, value: Hashable) -> int:
        """The number of a scope value; equal values share one."""
        number = self._by_value.get(value)
        if number is None:
            with self._lock:
                if len(self._by_value) >= _SCOPE_LIMIT:
                    self._by_value.clear()  # their entries are merely not found again
                number = self._by_value.setdefault(value, next(self._next))
        return number

    @property
    def values(self) -> int:
        """How many scope values there have been."""
        return len(self._by_value)

    def of_instance(self, instance: object) -> int:
        """The number of an instance, for as long as it lives.

        Raises:
            TypeError: the instance cannot be weakly referenced.
        """
        known = self._by_instance.get(id(instance))
        if known is not None and known[0]() is instance:
            return known[1]
        return self._register(instance)

    def _register(self, instance: object) -> int:
        address = id(instance)
        by_instance, dead = self._by_instance, self.dead

        def gone(reference: weakref.ref[object]) -> None:
            known = by_instance.get(address)
            if known is not None and known[0] is reference:
                del by_instance[address]
                dead.append(known[1])

        with self._lock:
            known = by_instance.get(address)
            if known is None or known[0]() is not instance:
                if known is not None:
                    dead.append(known[1])
                known = by_instance[address] = (weakref.ref(instance, gone), next(self._next))
            return known[1]

    def begin_anew(self) -> None:
        """In a child process: nobody holds the lock any more."""
        self._lock = threading.RLock()

    def __repr__(self) -> str:
        return f"<ScopeNumbers values={len(self._by_value)} instances={len(self._by_instance)}>"
