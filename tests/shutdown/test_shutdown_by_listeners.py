"""Uninstalled by what hears of an install or a reload, in the middle of it; and listeners that import."""

from __future__ import annotations

import importlib
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from accel_shop import config, is_patched

from wats_accel.events import (
    CacheSuspended,
    ConfigReloaded,
    Event,
    FeatureInitialized,
    Initialized,
    Patched,
    RuleSkipped,
    Unpatched,
)
from wats_accel.runtime import Accelerator
from wats_accel.testing import accelerated


def uninstalled_at(accelerator: Accelerator, event_type: type[Event]) -> list[Event]:
    heard: list[Event] = []

    def listener(event: Event) -> None:
        heard.append(event)
        accelerator.uninstall()

    accelerator._bus.subscribe(event_type, listener)
    return heard


@pytest.mark.parametrize(
    "event_type", [FeatureInitialized, Patched, RuleSkipped, Initialized], ids=lambda known: known.name
)
def test_a_listener_uninstalls_in_the_middle_of_an_install(event_type: type[Event]) -> None:
    rules = config()
    rules["repositories"][0]["invalidates"]["is_not_there"] = "lists:*"
    accelerator = Accelerator(rules, environ={}, strict=False)
    heard = uninstalled_at(accelerator, event_type)
    accelerator.install()
    assert heard
    assert not is_patched()
    assert not any([accelerator.installed, accelerator._patcher.patched, accelerator._companions._watch])


@pytest.mark.parametrize(
    "event_type",
    [CacheSuspended, FeatureInitialized, Patched, Unpatched, RuleSkipped, ConfigReloaded],
    ids=lambda known: known.name,
)
def test_a_listener_uninstalls_in_the_middle_of_a_reload(event_type: type[Event]) -> None:
    rules: dict[str, Any] = config(cached={"get_user": "users"}, invalidates={"set_user": "users:*"})
    accelerator = Accelerator(rules, environ={}, strict=False)
    accelerator.install()
    heard = uninstalled_at(accelerator, event_type)
    rules["cache"]["default_ttl"] = "7m"
    repository = rules["repositories"][0]
    repository["cached"] = {"list_users": "lists"}
    off = {"patterns": ["lists:*"], "enabled": False}
    repository["invalidates"] = {"set_user": "lists:*", "is_not_there": "lists:*", "rename_user": off}
    accelerator.reload()
    assert heard
    assert not is_patched()
    assert not any([accelerator.installed, accelerator._patcher.patched, accelerator._companions._watch])


def test_a_listener_waits_for_a_thread_that_imports_what_is_to_be_patched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "imported_by_a_listener.py").write_text("class Late:\n    def read(self): return 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    rules = config(target="imported_by_a_listener:Late", cached={"read": "users"}, invalidates={})
    rules["repositories"].append(config()["repositories"][0])
    with accelerated(rules) as accelerator:
        accelerator.uninstall()

        def listener(event: Event) -> None:
            thread = threading.Thread(target=importlib.import_module, args=["imported_by_a_listener"])
            thread.daemon = True
            thread.start()
            thread.join(10)
            told.append(thread.is_alive())

        told: list[bool] = []
        accelerator._bus.subscribe(Patched, listener)
        accelerator.install()
        assert told
        assert not any(told)
        assert hasattr(vars(sys.modules["imported_by_a_listener"].Late)["read"], "__wrapped__")
    monkeypatch.delitem(sys.modules, "imported_by_a_listener")
