"""The section ``shared:``: what it may say, what is refused with its place, and what a start does with it."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from private_redis import PrivateRedis

import wats_accel
from wats_accel.errors import ConfigError
from wats_accel.status.as_text import table_of
from wats_accel.status.view import about_process, state_of
from wats_accel.testing import accelerated

NAMESPACES = {"users": {"ttl": "60s"}, "groups": {"ttl": "60s"}}


class Repository:
    """Of a method with a secret argument."""

    url = "one"

    def find(self, token: str) -> str:
        return token


def config(shared: object, **more: Any) -> dict[str, Any]:
    return {"version": 1, "cache": {"namespaces": NAMESPACES}, "shared": shared, **more}


def refusal(shared: object, **more: Any) -> str:
    with pytest.raises(ConfigError) as caught, accelerated(config(shared, **more), strict=True):
        pass
    return str(caught.value)


@pytest.mark.parametrize(
    ("shared", "told"),
    [
        (
            {"namespaces": ["user"]},
            "the namespace 'user' is not declared in cache.namespaces; did you mean 'users'?",
        ),
        ({"tier": "shared"}, "nothing is shared: name the namespaces under 'namespaces'"),
        ({"tier": "both"}, "expected 'backplane-only' or 'shared'"),
        ({"prefix": "a b"}, "prefix"),
        ({"timeout": "soon"}, "expected a duration"),
        ({"urll": "x"}, "did you mean 'url'?"),
        ({"beat": "10s", "lost_after": "5s"}, "'lost_after' has to be longer than two beats"),
        (
            {"isolated_ttl": "3s", "lost_after": "5s"},
            "'isolated_ttl' has to be longer than 'lost_after', 'timeout', three beats and a second",
        ),
        ({"url": "http://x"}, "expected one of redis://"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(shared: object, told: str) -> None:
    text = refusal(shared)
    assert told in text
    assert "shared" in text


def test_answers_with_secret_arguments_are_shared_sealed_or_not_at_all() -> None:
    rules = [
        {
            "target": f"{__name__}:Repository",
            "cached": {"find": {"namespace": "users", "secret": ["token"]}},
            "scope": "self.url",
        }
    ]
    shared = {"tier": "shared", "namespaces": ["users"]}
    assert "only if they are sealed" in refusal(shared, repositories=rules)


def test_a_url_comes_from_the_environment_and_is_shown_nowhere(
    redis_server: PrivateRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_URL", redis_server.url)
    with accelerated(config({"url": {"env": "TEST_URL"}}), strict=True) as accelerator:
        assert redis_server.url not in repr(accelerator.stats())
        assert redis_server.url not in repr(accelerator._assembly.context.caches.announcer.rules)


def test_a_variable_that_is_not_set_is_told_and_nothing_is_cached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEST_URL", raising=False)
    rules = [{"target": f"{__name__}:Repository", "cached": {"find": "users"}, "scope": "self.url"}]
    shared = {"url": {"env": "TEST_URL"}}
    with accelerated(config(shared, repositories=rules), strict=False) as accelerator:
        assert any("the environment variable 'TEST_URL' is not set" in str(p) for p in accelerator.problems)
        for _ in range(2):
            assert Repository().find("a") == "a"
        assert accelerator.stats().total.hits == 0


def test_a_server_that_is_not_there_harms_nothing(tmp_path: Path) -> None:
    rules = [{"target": f"{__name__}:Repository", "cached": {"find": "users"}, "scope": "self.url"}]
    shared = {"url": f"unix://{tmp_path}/nobody", "tier": "shared", "namespaces": ["users"]}
    with accelerated(config(shared, repositories=rules), strict=True) as accelerator:
        for _ in range(2):
            assert Repository().find("a") == "a"
        stats = accelerator.stats()
        assert (stats.total.hits, stats.shared.mode) == (1, "isolated")


@contextlib.contextmanager
def noted() -> Iterator[list[str]]:
    """Each function that this thread calls, of Python and of C, while the block runs."""
    calls: list[str] = []

    def note(frame: FrameType, event: str, argument: Any) -> None:
        if event in {"call", "c_call"}:
            calls.append(argument.__qualname__ if event == "c_call" else frame.f_code.co_name)

    sys.setprofile(note)
    try:
        yield calls
    finally:
        sys.setprofile(None)


def calls_of_a_hit(shared: dict[str, Any] | None) -> list[str]:
    rules = [{"target": f"{__name__}:Repository", "cached": {"find": "users"}, "scope": "self.url"}]
    with accelerated(config(shared, repositories=rules), strict=True) as accelerator:
        _until(lambda: shared is None or accelerator.stats().shared.mode == "connected")
        repository = Repository()
        repository.find("a")
        assert accelerator.stats().total.shared == ({} if shared is None else {"missed": 1, "kept": 1})
        with noted() as calls:
            repository.find("a")
        assert accelerator.stats().total.hits == 1
        return calls


def test_a_hit_does_the_same_with_and_without_it(redis_server: PrivateRedis) -> None:
    shared = {"url": redis_server.url, "tier": "shared", "namespaces": ["users"], "timeout": "2s"}
    alone, together = calls_of_a_hit(None), calls_of_a_hit(shared)
    assert alone == together
    assert len(alone) > 1


def test_it_costs_nothing_to_whoever_does_not_use_it() -> None:
    heavy = ("redis", "msgspec", "cryptography", "wats_accel.shared", "wats_accel.wire")
    code = (
        "import sys, wats_accel; wats_accel.install({'version': 1}, strict=True); "
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_reload_begins_ends_and_changes_a_membership(redis_server: PrivateRedis, tmp_path: Path) -> None:
    path = tmp_path / "accel.yaml"

    def say(shared: str) -> None:
        path.write_text(f"version: 1\ncache:\n  namespaces: {{users: {{ttl: 60s}}}}\n{shared}")

    say("")
    accelerator = wats_accel.install(path, strict=True)
    try:
        assert accelerator.stats().shared.mode == "off"
        say(f"shared: {{url: {redis_server.url}}}\n")
        assert accelerator.reload()
        first = accelerator._assembly.context.caches.announcer
        assert accelerator.stats().shared.mode != "off"
        say(f"status: false\nshared: {{url: {redis_server.url}}}\n")
        assert accelerator.reload()
        assert accelerator._assembly.context.caches.announcer is first
        say(f"shared: {{url: {redis_server.url}, prefix: other}}\n")
        assert accelerator.reload()
        assert accelerator._assembly.context.caches.announcer is not first
        say("")
        assert accelerator.reload()
        assert accelerator.stats().shared.mode == "off"
        assert accelerator._assembly.context.caches.bounds.longest_seconds is None
    finally:
        accelerator.uninstall()


def test_status_and_explain_tell_of_it(redis_server: PrivateRedis) -> None:
    rules = [{"target": f"{__name__}:Repository", "cached": {"find": "users"}, "scope": "self.url"}]
    shared = {"url": redis_server.url, "tier": "shared", "namespaces": ["users"], "timeout": "5s"}
    freshness = {"dialect": "sqlite", "connect": "no_such_module:connect"}
    with accelerated(config(shared, repositories=rules, freshness=freshness), strict=True) as accelerator:
        _until(lambda: accelerator.stats().shared.mode == "connected")
        Repository().find("a")
        state = state_of(accelerator._seen_from_outside())
        assert (state["others"]["mode"], state["others"]["members"]) == ("connected", 1)
        text = table_of([state | about_process() | {"started": 0.0}], everything=False, now=state["written"])
        assert "other processes: connected, 1 member" in text
        assert "the database: not followed: " in text
        text = str(accelerator.explain("find"))
        assert "other processes: hear of what is dropped (connected" in text
        assert "; share its answers (1 kept, 1 missed)" in text


def _until(holds: Callable[[], bool]) -> None:
    waits = threading.Event()
    for _ in range(3_000):
        if holds():
            return
        waits.wait(0.01)
    raise AssertionError("it never came")
