"""What 16 threads read of the example is what registers would have given, while its rules change."""

from __future__ import annotations

import copy
import itertools
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from histories import History, JumpingClock, Recorder
from history_check import check
from versioned_company import Company

from wats_accel.events import ConfigRejected, ConfigReloaded
from wats_accel.runtime import Accelerator
from wats_accel.testing import accelerated

CONFIG = Path(__file__).resolve().parents[2] / "config"
WHOLE, SHARE = 20_000, 1_600
LEAST_RELOADS = 8
PAUSE_SECONDS = 0.05
"""In which the caches get something to lose."""

Change = Callable[[dict[str, Any]], object]


def _cached(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [repository["cached"] for repository in document["repositories"] if repository.get("cached")]


def _forget_reads(document: dict[str, Any]) -> None:
    """The first read of each class is no longer cached."""
    for cached in _cached(document):
        method, rule = next(iter(cached.items()))
        cached[method] = {**({"namespace": rule} if isinstance(rule, str) else rule), "enabled": False}


def _drop_more(document: dict[str, Any]) -> None:
    """Each write drops everything."""
    for repository in document["repositories"]:
        for method in repository.get("invalidates", {}):
            repository["invalidates"][method] = ["*"]


CHANGES: dict[str, Change] = {
    "as it was": lambda document: None,
    "another TTL": lambda document: document["cache"]["namespaces"]["users"].update(ttl="200s"),
    "fewer entries": lambda document: document["cache"].update(max_entries=5),
    "fewer reads": _forget_reads,
    "writes that drop more": _drop_more,
    "off": lambda document: document.update(enabled=False),
    "on again": lambda document: None,
    "no cache": lambda document: document["cache"].update(enabled=False),
    "another pool": lambda document: document["pool"][0].update(size=2, max_overflow=61),
    "not valid": lambda document: document.update(colour="red"),
    "a log of its own": lambda document: document.update(logging={"level": "error"}),
}


class Reloader:
    """Puts one configuration after another into effect while a history is recorded."""

    def __init__(self, accelerator: Accelerator, document: dict[str, Any], names: list[str]) -> None:
        self._names = names
        self.told: list[str] = []
        self._accelerator = accelerator
        self._source: Any = accelerator.source
        self._document = document
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._work)
        for kind in (ConfigReloaded, ConfigRejected):
            accelerator._bus.subscribe(kind, lambda event: self.told.append(event.name))

    def _work(self) -> None:
        for name in itertools.cycle(self._names):
            if self._done.is_set() and (
                len(self.told) >= len(self._names) or not self._accelerator.installed
            ):
                return
            wanted = copy.deepcopy(self._document)
            CHANGES[name](wanted)
            self._source.update(wanted)
            for key in set(self._source) - set(wanted):
                del self._source[key]
            self._accelerator.reload()
            self._done.wait(PAUSE_SECONDS)

    def __enter__(self) -> Reloader:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._done.set()
        self._thread.join()


def recorded(
    document: dict[str, Any], company: Company, database_type: str, operations: int
) -> tuple[History, list[str], Accelerator]:
    clock = JumpingClock()
    recorder = Recorder(company, clock, one_writer=database_type == "sqlite")
    # On the server the application is at fault by itself: all threads share one connection for writes,
    # unless a rule gives each its own. That rule must not go.
    names = [name for name in CHANGES if name != "off" or database_type == "sqlite"]
    with accelerated(copy.deepcopy(document), clock=clock, strict=False) as accelerator:
        with Reloader(accelerator, document, names) as reloader:
            history = recorder.record(operations, seed=1)
        return history, reloader.told, accelerator


@pytest.mark.soak
@pytest.mark.usefixtures("_quick_switches")
def test_no_reload_loses_a_call_or_shows_an_old_answer(
    company: Company, database_type: str, soak: bool
) -> None:
    document: dict[str, Any] = yaml.safe_load((CONFIG / "wats.yaml").read_text(encoding="utf-8"))
    document["sql"]["schema"] = str(CONFIG / "wats-schema.yaml")
    # Enough for 16 threads that read while they write: none has to go without a connection of the pool.
    document["pool"][0]["max_overflow"] = 60
    history, told, accelerator = recorded(document, company, database_type, WHOLE if soak else SHARE)
    total = accelerator.stats().total
    violations = check(history.operations)
    print(
        f"\n{len(history.operations)} operations in {history.seconds:.1f} s, {Counter(told)}, "
        f"{len(violations)} wrong; {total}"
    )
    assert [str(found) for found in violations] == []
    assert +history.failures == {}
    assert not [str(problem) for problem in accelerator.problems if "cannot be" in problem.message]
    assert told.count("accel.config_reloaded") >= LEAST_RELOADS
    assert "accel.config_rejected" in told
