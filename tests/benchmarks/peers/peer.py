"""What an adapter offers to the scenarios: cached reads, ways to drop their entries, time that passes."""

from __future__ import annotations

import contextlib
import importlib.metadata
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, ClassVar

from stage import Clock

LONG = 24 * 3600.0
"""Seconds to live of a read that names no TTL: longer than any scenario."""
MANY = 10_000
"""Entries of a read that names no limit."""

Function = Callable[..., Any]


class NoSuchFeatureError(Exception):
    """The library does not offer what the scenario asks for."""


def no_such_feature(*_: object) -> None:
    """Stands where a library offers nothing."""
    raise NoSuchFeatureError


@dataclass(frozen=True)
class Rule:
    """A function to be cached. Its TTL in seconds and its limit of entries, where the scenario needs them."""

    load: Callable[[Any], Any]
    ttl: float | None = None
    max_entries: int | None = None


@dataclass(frozen=True)
class Read:
    """A cached function, and the ways to drop its entries: one key, the keys that match ``a*``, all."""

    call: Function
    drop: Callable[[object], object] = no_such_feature
    drop_pattern: Callable[[], object] = no_such_feature
    drop_all: Callable[[], object] = no_such_feature

    def __call__(self, key: object) -> Any:
        """The answer, cached or loaded."""
        return self.call(key)


_numbers = itertools.count()


def plain_function(load: Callable[[Any], Any]) -> Function:
    """A plain function with a name of its own: some libraries keep what they know under the name."""

    def read(key: Any) -> Any:
        return load(key)

    read.__name__ = read.__qualname__ = f"read_{next(_numbers)}"
    return read


class Peer:
    """A library. `read` makes one cached function, `method` a cached method of a class."""

    title: ClassVar[str]
    package: ClassVar[str]

    def __init__(self) -> None:
        self.clock = Clock()

    @classmethod
    def version(cls) -> str:
        """Of the library."""
        return importlib.metadata.version(cls.package)

    def read(self, rule: Rule) -> Read:
        """Cache one function."""
        raise NotImplementedError

    def method(self, function: Function) -> Any:
        """Cache a method: what stands for it in its class."""
        raise NotImplementedError

    def pass_time(self, seconds: float) -> None:
        """Let so many seconds pass, or what this library takes for them."""
        self.clock.advance(seconds)

    def close(self) -> None:
        """Leave nothing behind."""

    @contextlib.contextmanager
    def reads(self, **rules: Rule) -> Iterator[SimpleNamespace]:
        """Cached functions by name, for a ``with`` block."""
        with self.clock.running():
            yield SimpleNamespace(**{name: self.read(rule) for name, rule in rules.items()})

    @contextlib.contextmanager
    def repository(self, plain: Any) -> Iterator[type]:
        """The class with its method `read` cached, for a ``with`` block."""
        yield type(plain.__name__, (plain,), {"read": self.method(plain.read)})
