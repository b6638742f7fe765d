"""The other libraries on the same method, each as its documentation recommends it for a method.

All have the same limit of entries, and the same TTL where they have one.
"""

from __future__ import annotations

import atexit
import functools
import operator
import shutil
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import cachebox
import cachetools
import diskcache
import dogpile.cache
import methodtools
import theine
import wrapt
from measured_application import MANY, TTL, Repository, copy_of

Function = Callable[..., Any]
Decorate = Callable[[Function, int], Any]
"""Gets the method and the limit of entries."""

PLAIN = "plain call"
LRU_CACHE = "functools.lru_cache"
CACHEBOX = "cachebox (copies)"
CACHEBOX_SHARED = "cachebox (no copy)"
CACHEBOX_DEEP = "cachebox (deep copies)"
DOGPILE_PICKLE = "dogpile.cache (memory_pickle)"
WRAPT = "wrapt (passes through)"
NAIVE = "the naive design"
NAIVE_SILENT = "the naive design (logs nothing)"


def _cachebox(**options: Any) -> Decorate:
    return lambda function, limit: cachebox.cached(cachebox.TTLCache(limit, TTL), **options)(function)


def _cachetools(guard: str) -> Decorate:
    def decorate(function: Function, limit: int) -> Any:
        store, made = operator.attrgetter("store"), operator.attrgetter(guard)
        return cachetools.cachedmethod(store, **{guard: made})(function)

    return decorate


def _dogpile(backend: str) -> Decorate:
    def decorate(function: Function, limit: int) -> Any:
        region = dogpile.cache.make_region().configure(backend, expiration_time=TTL)
        return region.cache_on_arguments()(function)

    return decorate


def _diskcache(function: Function, limit: int) -> Any:
    store = diskcache.Cache()
    atexit.register(shutil.rmtree, store.directory, ignore_errors=True)
    atexit.register(store.close)
    return store.memoize(expire=TTL, ignore={0})(function)  # keys are pickled: the instance is left out


def _wrapt(function: Function, limit: int) -> Any:
    def pass_through(wrapped: Function, instance: Any, args: Any, kwargs: Any) -> Any:
        return wrapped(*args, **kwargs)

    return wrapt.FunctionWrapper(function, pass_through)


def _naive(log_calls: bool) -> Decorate:
    def decorate(function: Function, limit: int) -> Any:
        from naive_design import NaiveCache

        return NaiveCache(log_calls=log_calls).cached("measured", TTL)(function)

    return decorate


DECORATORS: dict[str, Decorate] = {
    PLAIN: lambda function, limit: function,
    LRU_CACHE: lambda function, limit: functools.lru_cache(limit)(function),
    CACHEBOX_SHARED: _cachebox(postprocess=None),
    CACHEBOX: _cachebox(),
    CACHEBOX_DEEP: _cachebox(postprocess=cachebox.postprocess_deepcopy),
    "methodtools": lambda function, limit: methodtools.lru_cache(limit)(function),
    "cachetools (lock)": _cachetools("lock"),
    "cachetools (condition)": _cachetools("condition"),
    "theine": lambda function, limit: theine.Memoize(limit, timedelta(seconds=TTL))(function),
    "dogpile.cache (memory)": _dogpile("dogpile.cache.memory"),
    DOGPILE_PICKLE: _dogpile("dogpile.cache.memory_pickle"),
    "diskcache": _diskcache,
    WRAPT: _wrapt,
    NAIVE_SILENT: _naive(log_calls=False),
    NAIVE: _naive(log_calls=True),
}
NO_CACHE = (PLAIN, WRAPT)
ISOLATING = (CACHEBOX, CACHEBOX_DEEP, DOGPILE_PICKLE)
"""Those that give each caller a list of his own."""


def repository_of(
    rival: str, answer: Callable[[str], Any], *, limit: int = MANY, methods: tuple[str, ...] = ("get",)
) -> Repository:
    """A repository whose methods this library caches."""
    made = copy_of("Rival")
    for name in methods:
        member = DECORATORS[rival](vars(made)[name], limit)
        setattr(made, name, member)
        if hasattr(member, "__set_name__"):
            member.__set_name__(made, name)
    repository: Any = made(answer)
    repository.store = cachetools.TTLCache(limit, TTL)
    repository.lock, repository.condition = threading.RLock(), threading.Condition()
    return repository  # type: ignore[no-any-return]
