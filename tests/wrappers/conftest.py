"""A legacy application made inside a test, and an accelerator around it."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from wats_accel.extension import Event, Store
from wats_accel.runtime import Accelerator
from wats_accel.testing import FakeClock, accelerated

_PLUGIN = """
from legacy_app import listen, store
from wats_accel.extension import EventSubscription, hookimpl

@hookimpl
def accel_event_subscriptions(context):
    return [EventSubscription(event_type, listener) for event_type, listener in listen]

@hookimpl
def accel_create_store(namespace, target):
    return store(namespace, target)
"""


class Application:
    """The module ``legacy_app``. A test adds its classes and functions, and accelerates them."""

    def __init__(self, module: ModuleType, folder: Path) -> None:
        self.module: Any = module
        self.clock = FakeClock()
        self._plugin = folder / "watching.py"
        self._plugin.write_text(_PLUGIN, encoding="utf-8")

    def add(self, member: Any) -> Any:
        """Put a class or function into the module; a decorator."""
        setattr(self.module, member.__name__, member)
        return member

    @contextlib.contextmanager
    def accelerated(
        self,
        cached: Mapping[str, Any],
        invalidates: Mapping[str, Any] | None = None,
        *,
        target: str = "Repository",
        scope: str | Sequence[str] = (),
        max_entries: int = 0,
        listen: Sequence[tuple[type[Event], Callable[[Any], None]]] = (),
        store: Callable[[str, str], Store | None] = lambda namespace, target: None,
    ) -> Iterator[Accelerator]:
        """Accelerate a class, or with an empty `target` the module's functions; namespaces are declared."""
        self.module.listen, self.module.store = listen, store
        namespaces = {_namespace(rule): {"max_entries": max_entries} for rule in cached.values()}
        repository = {
            "target": f"legacy_app:{target}" if target else "legacy_app",
            "scope": list([scope] if isinstance(scope, str) else scope),
            "cached": dict(cached),
            "invalidates": dict(invalidates or {}),
        }
        config = {
            "version": 1,
            "plugins": {"load": [str(self._plugin)]},
            "cache": {"default_ttl": 60, "namespaces": namespaces},
            "repositories": [repository],
        }
        with accelerated(config, clock=self.clock) as accelerator:
            yield accelerator


def _namespace(rule: Any) -> str:
    return rule if isinstance(rule, str) else rule["namespace"]


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Application:
    """An application without anything in it yet."""
    module = ModuleType("legacy_app")
    monkeypatch.setitem(sys.modules, "legacy_app", module)
    return Application(module, tmp_path)
