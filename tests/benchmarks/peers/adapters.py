"""One adapter for each library: cached reads as its documentation recommends them, and its invalidation.

Each has the best that the library offers: its lock or single-flight, keys that tell types apart, answers
that are copied, and what it has to drop one entry or all. What a library does not offer publicly is
"no such feature", and is not made up for here.
"""

from __future__ import annotations

import contextlib
import functools
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, ClassVar
from unittest import mock

import beaker.cache
import cachebox
import cachetools
import cachetools.keys
import diskcache
import dogpile.cache
import theine
from peer import LONG, MANY, Function, NoSuchFeatureError, Peer, Read, Rule, plain_function
from stage import PATIENCE
from wats_adapter import WatsAccel


class Functools(Peer):
    """The standard library's own."""

    title = "functools (lru_cache)"
    package = "python"

    @classmethod
    def version(cls) -> str:
        """Python's."""
        return sys.version.split()[0]

    def read(self, rule: Rule) -> Read:
        """With types told apart. It has neither a TTL nor a way to drop one entry."""
        if rule.ttl is not None:
            raise NoSuchFeatureError
        call = functools.lru_cache(rule.max_entries, typed=True)(plain_function(rule.load))
        return Read(call, drop_all=call.cache_clear)

    def method(self, function: Function) -> Any:
        """On the function, as everybody does."""
        return functools.lru_cache(None, typed=True)(function)


class CachetoolsCondition(Peer):
    """With a condition: one load for each key."""

    title = "cachetools (condition)"
    package = "cachetools"
    _guard: ClassVar[tuple[str, Callable[[], Any]]] = ("condition", threading.Condition)

    def read(self, rule: Rule) -> Read:
        """A `TTLCache`; an entry is dropped as documented, through `cache`, `cache_key` and the lock."""
        ttl, limit = rule.ttl or LONG, rule.max_entries or MANY
        store = cachetools.TTLCache(limit, ttl, timer=lambda: time.monotonic())
        name, make = self._guard
        cached = cachetools.cached(store, key=cachetools.keys.typedkey, **{name: make()})
        call: Any = cached(plain_function(rule.load))

        def drop(key: object) -> None:
            with call.cache_lock:
                call.cache.pop(call.cache_key(key), None)

        return Read(call, drop, drop_all=call.cache_clear)

    def method(self, function: Function) -> Any:
        """A cache for each instance."""
        name, make = self._guard
        guard = make()

        def store(instance: Any) -> Any:
            return vars(instance).setdefault("cache", cachetools.TTLCache(MANY, LONG))

        key = cachetools.keys.typedmethodkey
        return cachetools.cachedmethod(store, key=key, **{name: lambda _: guard})(function)


class CachetoolsLock(CachetoolsCondition):
    """With a lock: the store is safe, loads run side by side."""

    title = "cachetools (lock)"
    _guard = ("lock", threading.RLock)


class Cachebox(Peer):
    """One load for each key; its FAQ names the re-entrant lock for functions that call themselves."""

    title = "cachebox"
    package = "cachebox"
    _scale = 0.02
    _options: ClassVar[dict[str, Any]] = {
        "key_maker": cachebox.make_typed_key,
        "postprocess": cachebox.postprocess_deepcopy,
        "lock": threading.RLock,
    }

    def read(self, rule: Rule) -> Read:
        """A `TTLCache`, or with a limit an `LRUCache`."""
        store: Any = cachebox.TTLCache(0, rule.ttl * self._scale if rule.ttl else LONG)
        if rule.max_entries:
            store = cachebox.LRUCache(rule.max_entries)
        call: Any = cachebox.cached(store, **self._options)(plain_function(rule.load))

        def drop(key: object) -> None:
            call.cache.pop(cachebox.make_typed_key(key), None)

        return Read(call, drop, drop_all=call.cache_clear)

    def method(self, function: Function) -> Any:
        """A cache for each instance."""

        def store(instance: Any) -> Any:
            return vars(instance).setdefault("cache", cachebox.LRUCache(MANY))

        return cachebox.cached(store, **self._options)(function)

    def pass_time(self, seconds: float) -> None:
        """Wait in truth, for a fiftieth: its clock is compiled in, and nobody can put it forward."""
        threading.Event().wait(seconds * self._scale)


class TheineMemoize(Peer):
    """The decorator: one load for each key, and no public way to drop anything."""

    title = "theine (Memoize)"
    package = "theine"

    def read(self, rule: Rule) -> Read:
        """With keys of its own making, typed."""
        memoize = theine.Memoize(rule.max_entries or MANY, timedelta(seconds=rule.ttl or LONG), typed=True)
        return Read(memoize(plain_function(rule.load)))

    def method(self, function: Function) -> Any:
        """The instance is part of the key."""
        return theine.Memoize(MANY, timedelta(seconds=LONG), typed=True)(function)


class TheineCache(Peer):
    """The cache object, asked and filled by hand: everything can be dropped, loads run side by side."""

    title = "theine (Cache)"
    package = "theine"

    def _cached(self, function: Function, store: theine.Cache[Any, Any], ttl: timedelta) -> Function:
        def call(*args: Any) -> Any:
            key = _typed(*args)
            answer, found = store.get(key)
            if not found:
                answer = function(*args)
                store.set(key, answer, ttl)
            return answer

        return call

    def read(self, rule: Rule) -> Read:
        """Get, or load and set."""
        store: theine.Cache[Any, Any] = theine.Cache(rule.max_entries or MANY)
        call = self._cached(plain_function(rule.load), store, timedelta(seconds=rule.ttl or LONG))
        return Read(call, lambda key: store.delete(_typed(key)), drop_all=store.clear)

    def method(self, function: Function) -> Any:
        """The instance is part of the key."""
        return self._cached(function, theine.Cache(MANY), timedelta(seconds=LONG))


def _typed(*args: Any) -> tuple[Any, ...]:
    return (*args, *map(type, args))


class DogpileHard(Peer):
    """A region for each function, with the creation lock; entries are pickled, so that nobody shares them."""

    title = "dogpile.cache (hard)"
    package = "dogpile.cache"
    hard: ClassVar[bool] = True

    def _region(self, ttl: float) -> dogpile.cache.CacheRegion:
        region = dogpile.cache.make_region()
        return region.configure("dogpile.cache.memory_pickle", expiration_time=ttl)

    def read(self, rule: Rule) -> Read:
        """With arguments told apart by `repr`. It evicts nothing."""
        if rule.max_entries is not None:
            raise NoSuchFeatureError
        region = self._region(rule.ttl or LONG)
        call = region.cache_on_arguments(to_str=repr)(plain_function(rule.load))
        return Read(call, call.invalidate, drop_all=lambda: region.invalidate(hard=self.hard))

    def method(self, function: Function) -> Any:
        """By default the instance is not part of the key."""
        return self._region(LONG).cache_on_arguments(to_str=repr)(function)


class DogpileSoft(DogpileHard):
    """Invalidated softly as a whole: while one caller loads, others get the old answer."""

    title = "dogpile.cache (soft)"
    hard = False


class Beaker(Peer):
    """The decorator in memory, with the creation lock."""

    title = "Beaker"
    package = "Beaker"

    def read(self, rule: Rule) -> Read:
        """Arguments are told apart by `str`, as the decorator does it. It evicts nothing."""
        if rule.max_entries is not None:
            raise NoSuchFeatureError
        manager = beaker.cache.CacheManager(type="memory", expire=int(rule.ttl or LONG))
        function = plain_function(rule.load)
        call = manager.cache(function.__name__)(function)
        drop = functools.partial(manager.invalidate, call, function.__name__)
        return Read(call, drop, drop_all=lambda: manager.get_cache(call._arg_namespace).clear())

    def method(self, function: Function) -> Any:
        """By default the instance is not part of the key."""
        return beaker.cache.CacheManager(type="memory", expire=int(LONG)).cache("repository")(function)


class DiskcacheMemoize(Peer):
    """A directory of its own, typed keys."""

    title = "diskcache (memoize)"
    package = "diskcache"

    def __init__(self) -> None:
        super().__init__()
        self._store = diskcache.Cache()

    def _memoize(self, ttl: float, name: str) -> Callable[[Function], Any]:
        return self._store.memoize(name=name, typed=True, expire=ttl, tag=name)

    def read(self, rule: Rule) -> Read:
        """With a tag, by which all entries of the function go. Its limit is of bytes, not of entries."""
        if rule.max_entries is not None:
            raise NoSuchFeatureError
        function = plain_function(rule.load)
        name = function.__name__
        call = self._memoize(rule.ttl or LONG, name)(function)

        def drop(key: object) -> None:
            self._store.delete(call.__cache_key__(key))

        return Read(call, drop, drop_all=lambda: self._store.evict(name))

    def method(self, function: Function) -> Any:
        """The instance, pickled, is part of the key."""
        return self._memoize(LONG, "repository")(function)

    @contextlib.contextmanager
    def repository(self, plain: Any) -> Iterator[type]:
        """The class itself is patched: an instance in a key must be of one that can be imported."""
        with mock.patch.object(plain, "read", self.method(plain.read)):
            yield plain

    def close(self) -> None:
        """Remove the directory."""
        self._store.close()
        shutil.rmtree(self._store.directory, ignore_errors=True)


class DiskcacheBarrier(DiskcacheMemoize):
    """One load at a time, as in the case study of its documentation: look, wait for the lock, look again."""

    title = "diskcache (memoize, barrier)"

    def _memoize(self, ttl: float, name: str) -> Callable[[Function], Any]:
        memoize = super()._memoize(ttl, name)
        look = self._store.memoize(name=name, typed=True, expire=0)
        one_at_a_time = diskcache.barrier(self._store, diskcache.RLock, name=f"lock of {name}")
        return lambda function: look(one_at_a_time(memoize(function)))


class DiskcacheStampede(DiskcacheMemoize):
    """The recipe against stampedes: it loads anew, in the background, before the TTL ends."""

    title = "diskcache (memoize_stampede)"

    def _memoize(self, ttl: float, name: str) -> Callable[[Function], Any]:
        return diskcache.memoize_stampede(self._store, ttl, name=name, typed=True, tag=name)

    def close(self) -> None:
        """Let the loads in the background end first."""
        for thread in threading.enumerate():
            if thread.name.endswith("(recompute)"):
                thread.join(PATIENCE)
        super().close()


PEERS: tuple[type[Peer], ...] = (
    *(Functools, CachetoolsLock, CachetoolsCondition, Cachebox, TheineMemoize, TheineCache),
    *(DogpileHard, DogpileSoft, Beaker, DiskcacheMemoize, DiskcacheBarrier, DiskcacheStampede, WatsAccel),
)
