"""wats_accel itself, patched into a module that each scenario makes."""

from __future__ import annotations

import contextlib
import functools
import sys
import time
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

from peer import LONG, MANY, Peer, Read, Rule, plain_function

from wats_accel.testing import accelerated


class WatsAccel(Peer):
    """Patched into a module from a configuration; a write's rule is what drops entries."""

    title = "wats_accel"
    package = "wats-accel"
    _writes: ClassVar[dict[str, str]] = {"drop": "{key}", "drop_pattern": "a*", "drop_all": "*"}

    @contextlib.contextmanager
    def _patched(self, module: ModuleType, repositories: list[Any], namespaces: Any) -> Iterator[None]:
        cache = {"default_ttl": LONG, "namespaces": namespaces}
        config = {"version": 1, "cache": cache, "repositories": repositories}
        sys.modules[module.__name__] = module
        try:
            with self.clock.running(), accelerated(config, clock=lambda: time.monotonic()):
                yield
        finally:
            del sys.modules[module.__name__]

    @contextlib.contextmanager
    def reads(self, **rules: Rule) -> Iterator[SimpleNamespace]:
        """Functions of one module, and for each the writes that drop its entries."""
        module: Any = ModuleType("peers_application")
        invalidates = {}
        for name, rule in rules.items():
            setattr(module, name, plain_function(rule.load))
            for write, pattern in self._writes.items():
                setattr(module, f"{write}_{name}", plain_function(lambda key: None))
                invalidates[f"{write}_{name}"] = f"{name}:{name}:{pattern}"
        cached = {name: name for name in rules}
        repository = {"target": module.__name__, "cached": cached, "invalidates": invalidates}
        namespaces = {
            name: {"ttl": rule.ttl or LONG, "max_entries": rule.max_entries or MANY}
            for name, rule in rules.items()
        }
        with self._patched(module, [repository], namespaces):
            yield SimpleNamespace(**{name: self._read(module, name) for name in rules})

    def _read(self, module: Any, name: str) -> Read:
        drop, *others = (getattr(module, f"{write}_{name}") for write in self._writes)
        return Read(getattr(module, name), drop, *(functools.partial(other, None) for other in others))

    @contextlib.contextmanager
    def repository(self, plain: Any) -> Iterator[type]:
        """Without a scope: each instance has entries of its own."""
        module: Any = ModuleType("peers_application")
        module.Repository = type(plain.__name__, (), dict(vars(plain)))
        rule = {"target": f"{module.__name__}:Repository", "cached": {"read": "all"}}
        with self._patched(module, [rule], {"all": {}}):
            yield module.Repository
