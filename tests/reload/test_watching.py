"""`watch: true`: a file that has changed takes effect, however it was written; nothing harms the program."""

from __future__ import annotations

import builtins
import os
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from accel_shop import config, is_patched

from wats_accel import watching
from wats_accel.errors import ConfigError
from wats_accel.events import ConfigRejected, ConfigReloaded, Event
from wats_accel.runtime import Accelerator
from wats_accel.watching import ConfigWatch

PATIENCE = 20.0


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "EVERY_SECONDS", 0.2)


class Watched:
    """An accelerator over a file, and what is told of its reloads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._told: list[Event] = []
        self._changed = threading.Condition()
        self.write(config(watch=True))
        self.accelerator = Accelerator(path, environ={})
        for kind in (ConfigReloaded, ConfigRejected):
            self.accelerator._bus.subscribe(kind, self._note)
        self.accelerator.install()

    def _note(self, event: Event) -> None:
        with self._changed:
            self._told.append(event)
            self._changed.notify_all()

    def write(self, document: dict[str, Any]) -> None:
        """As an editor does: another file takes the place of the old one."""
        beside = self.path.with_suffix(".tmp")
        beside.write_text(yaml.safe_dump(document), encoding="utf-8")
        os.replace(beside, self.path)

    def await_event(self, kind: type[Event]) -> None:
        """Wait until this has happened once more."""
        with self._changed:
            assert self._changed.wait_for(lambda: any(isinstance(it, kind) for it in self._told), PATIENCE)
            self._told = [it for it in self._told if not isinstance(it, kind)]


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    folder = tmp_path / "config"
    folder.mkdir()
    made = Watched(folder / "wats.yaml")
    yield made
    made.accelerator.uninstall()
    assert not is_patched()


def ttl_of(accelerator: Accelerator) -> float:
    assembly = accelerator._assembly
    assert assembly is not None
    (seconds,) = {region.rules.ttl_seconds for region in assembly.context.caches.named("users")}
    return seconds


def test_a_file_that_an_editor_replaces_takes_effect(watched: Watched) -> None:
    assert watched.accelerator.problems == ()
    watched.write(config(watch=True, cache={"default_ttl": 7, "namespaces": {"users": {}, "lists": {}}}))
    watched.await_event(ConfigReloaded)
    assert ttl_of(watched.accelerator) == 7


def test_a_file_that_is_written_over_takes_effect(watched: Watched) -> None:
    text = watched.path.read_text(encoding="utf-8").replace("5m", "8s")
    watched.path.write_text(text, encoding="utf-8")
    watched.await_event(ConfigReloaded)
    assert ttl_of(watched.accelerator) == 8


def test_a_half_written_file_is_refused_and_the_whole_one_taken(watched: Watched) -> None:
    watched.path.write_text("cache: {default_ttl: [", encoding="utf-8")
    watched.await_event(ConfigRejected)
    assert ttl_of(watched.accelerator) == 300
    assert watched.accelerator.problems
    watched.write(config(watch=True, enabled=False))
    watched.await_event(ConfigReloaded)
    assert watched.accelerator.problems == ()
    assert not is_patched()
    watched.write(config(watch=True))
    watched.await_event(ConfigReloaded)
    assert is_patched()


def test_a_folder_that_is_deleted_and_made_anew_is_watched_again(watched: Watched) -> None:
    shutil.rmtree(watched.path.parent)
    watched.await_event(ConfigRejected)  # there is no such file
    assert is_patched()
    watched.path.parent.mkdir()
    watched.write(config(watch=True, enabled=False))
    watched.await_event(ConfigReloaded)
    assert not is_patched()
    watched.write(config(watch=True))
    watched.await_event(ConfigReloaded)


def test_the_watch_ends_where_the_file_says_so_and_at_the_uninstall(watched: Watched) -> None:
    await_true(lambda: threads() == 1)  # that of the test before ends by itself, and nobody waits for it
    watched.write(config(watch=False))
    watched.await_event(ConfigReloaded)
    await_true(lambda: threads() == 0)
    watched.write(config(watch=True))
    assert watched.accelerator.reload()
    assert threads() == 1
    watched.accelerator.uninstall()
    await_true(lambda: threads() == 0)


def threads() -> int:
    return sum(thread.name == "wats-accel-watch" for thread in threading.enumerate())


def await_true(is_so: Callable[[], bool]) -> None:
    for thread in threading.enumerate():
        if thread.name == "wats-accel-watch" and not is_so():
            thread.join(PATIENCE)
    assert is_so()


def test_without_the_library_the_file_is_looked_at_and_that_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [known for known in sys.modules if known.split(".")[0] == "watchdog"]:
        monkeypatch.delitem(sys.modules, name)
    real = builtins.__import__

    def importing(name: str, *rest: Any, **others: Any) -> Any:
        if name.split(".")[0] == "watchdog":
            raise ModuleNotFoundError(name)
        return real(name, *rest, **others)

    monkeypatch.setattr(builtins, "__import__", importing)
    watched = Watched(tmp_path / "wats.yaml")
    try:
        (problem,) = watched.accelerator.problems
        assert "pip install 'wats-accel[watch]'" in problem.message
        assert (problem.key_path, problem.line is not None) == (("watch",), True)
        watched.write(config(watch=True, enabled=False))
        watched.await_event(ConfigReloaded)
    finally:
        watched.accelerator.uninstall()
    with pytest.raises(ConfigError, match="watchdog"):
        Accelerator(watched.path, environ={}, strict=True).install()


def test_a_mapping_has_no_file_to_watch() -> None:
    accelerator = Accelerator(config(watch=True), environ={})
    accelerator.install()
    assert (threads(), accelerator.problems) == (0, ())
    accelerator.uninstall()


# -- the watch alone ---------------------------------------------------------------------------------------


def test_a_file_that_is_missing_for_a_moment_has_not_changed(tmp_path: Path) -> None:
    path, told = tmp_path / "file", []
    path.write_text("one")
    watch = ConfigWatch(lambda: [path], lambda: told.append(1), report=told.append)
    watch.look()
    told.clear()
    text = path.read_bytes()
    path.unlink()
    watch.look()
    path.write_bytes(text)
    watch.look()
    assert told == []
    path.unlink()
    watch.look()
    watch.look()
    watch.look()
    assert told == [1]


def test_a_file_that_is_named_besides_counts_as_well(tmp_path: Path) -> None:
    paths, told = [tmp_path / "one", tmp_path / "other"], []
    paths[0].write_text("one")
    watch = ConfigWatch(lambda: paths, lambda: told.append(1), report=told.append)
    watch.look()
    told.clear()
    paths[1].write_text("there now")
    watch.look()
    watch.look()
    assert told == [1]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system does not fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_watches_once_it_has_reloaded_itself(watched: Watched) -> None:
    watched.write(config(watch=True))
    receive, send = os.pipe()
    child = os.fork()
    if not child:
        try:
            before = threads()
            beside = watched.path.with_name("of_child.yaml")
            beside.write_text(yaml.safe_dump(config(watch=True, enabled=False)), encoding="utf-8")
            watched.accelerator.source = beside
            done = watched.accelerator.reload()
            os.write(send, repr((before, done, is_patched(), threads())).encode())
        finally:
            os._exit(0)
    os.close(send)
    os.waitpid(child, 0)
    with os.fdopen(receive, "rb") as told:
        assert told.read() == b"(0, True, False, 1)"


def test_a_folder_in_which_something_happens_all_the_time_is_looked_at_all_the_same() -> None:
    class Restless(threading.Event):
        def clear(self) -> None:
            """Somebody has written into the log in that folder meanwhile."""

    watch = ConfigWatch(list, lambda: None, report=lambda why: None)
    watch._woken = Restless()
    watch._woken.set()
    watch._await_quiet()
    assert watch._woken.is_set()
