"""A running accelerator tells what it really has on, in the background, and harms nobody if it cannot."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import wats_accel
from wats_accel.runtime import Accelerator
from wats_accel.status import reporter
from wats_accel.status.state_file import StateFile, running_states
from wats_accel.testing import accelerated

State = dict[str, Any]


def until(folder: Path, is_so: Callable[[State], object]) -> State:
    """The state, as soon as this is so."""
    states: list[State] = []
    end = time.monotonic() + 20
    while time.monotonic() < end:
        states = list(running_states(folder))
        if states and is_so(states[0]):
            return states[0]
        time.sleep(0.01)  # it is written in the background, perhaps of another process: nobody can be joined
    pytest.fail(f"it did not become so: {states}")


def methods(state: State) -> dict[str, tuple[str, str]]:
    return {method["target"]: (method["state"], method["why"]) for method in state["methods"]}


@pytest.fixture
def accelerator(states: Path, shop: Path) -> Iterator[Accelerator]:
    importlib.import_module("shop")
    made = wats_accel.install(shop)
    yield made
    made.uninstall()


def test_the_state_tells_what_is_on_and_why_the_rest_is_not(
    accelerator: Accelerator, states: Path, shop: Path
) -> None:
    state = until(states, lambda state: state["problems"]["count"])

    assert (state["pid"], state["config"], state["enabled"], state["watch"]) == (
        os.getpid(),
        str(shop),
        True,
        False,
    )
    assert state["python"] == ".".join(map(str, sys.version_info[:3]))
    assert "/" not in state["program"]
    assert methods(state) == {
        "shop:Stock.list_items": ("on", ""),
        "shop:Stock.count_of": ("on", ""),
        "shop:Stock.missing": (
            "left out",
            "shop.Stock has no 'missing'; known: count_of, list_items, receive",
        ),
        "later:Later.get": ("waiting", "its module is not imported yet"),
        "shop:Stock.price_of": ("off", "by the configuration"),
    }
    assert [pool["connect"] for pool in state["pools"]] == ["sqlite3:connect"]
    assert state["problems"]["count"] == len(accelerator.problems)
    assert state["problems"]["texts"] == [str(problem) for problem in accelerator.problems]
    ttl = {method["target"]: method["ttl_seconds"] for method in state["methods"]}
    assert (ttl["shop:Stock.list_items"], ttl["shop:Stock.count_of"]) == (60.0, 300.0)


def test_a_method_in_the_shadow_is_told_as_such_with_what_its_cache_would_have_done(
    states: Path, shop: Path
) -> None:
    text = shop.read_text(encoding="utf-8")
    shop.write_text(text.replace("{ttl: 60s}", "{ttl: 60s, shadow: true}"), "utf-8")
    module = importlib.import_module("shop")
    with wats_accel.installed(shop) as accelerator:
        stock = module.Stock()
        assert [stock.list_items() for _ in range(4)] == [["pen"]] * 4
        accelerator.disable("stock:missing")  # a change has the state told anew
        told = "would have answered 3 of 4 calls (75 %), saved 0.0 s, 0 stale"
        state = until(states, lambda state: methods(state)["shop:Stock.list_items"] == ("shadow", told))
    assert methods(state)["shop:Stock.count_of"] == ("on", "")


def test_a_method_whose_module_is_nowhere_does_not_seem_to_wait_for_it(states: Path, shop: Path) -> None:
    shop.write_text(shop.read_text(encoding="utf-8").replace("later:Later", "shop_orders:Orders"), "utf-8")
    importlib.import_module("shop")
    with wats_accel.installed(shop):
        state = until(states, lambda state: state["problems"]["count"])

    assert methods(state)["shop_orders:Orders.get"] == ("left out", "there is no module shop_orders")


def test_a_switch_is_told_with_who_turned_it(accelerator: Accelerator, states: Path) -> None:
    accelerator.disable("stock:list_items")
    by_whom = ("off", "by accelerator.disable: stock:list_items")
    until(states, lambda state: methods(state)["shop:Stock.list_items"] == by_whom)
    accelerator.disable("sqlite3:connect")
    state = until(states, lambda state: state["pools"][0]["state"] == "off")
    assert methods(state)["shop:Stock.list_items"] == by_whom
    assert state["pools"][0]["why"] == "by accelerator.disable: sqlite3:connect"

    accelerator.enable("all")
    until(states, lambda state: methods(state)["shop:Stock.list_items"] == ("on", ""))
    until(states, lambda state: state["pools"][0]["state"] == "on")


def test_the_environment_is_told_as_such(states: Path, shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    importlib.import_module("shop")
    monkeypatch.setenv("WATS_ACCEL_DISABLE", "stock:*")
    with wats_accel.installed(shop):
        state = until(states, methods)

    assert methods(state)["shop:Stock.list_items"] == ("off", "by WATS_ACCEL_DISABLE: stock:*")
    assert methods(state)["shop:Stock.count_of"] == ("on", "")


def test_a_suspended_cache_and_an_open_breaker_are_told(accelerator: Accelerator, states: Path) -> None:
    context = accelerator._assembly.context  # type: ignore[union-attr]  # it is installed
    region, other = context.caches.named("stock:list_items")[0], context.caches.named("counts:count_of")[0]
    breaker = context.breakers.of(f"cache {other.prefix}")
    region.suspend("a write failed")
    for _ in range(5):
        breaker.failed("broken")

    state = until(states, lambda state: state["breakers"] and methods(state)["shop:Stock.list_items"][1])

    assert methods(state)["shop:Stock.list_items"] == ("suspended", "a write failed")
    assert methods(state)["shop:Stock.count_of"] == ("broken", "left alone after 5 failures, open")
    assert [(known["part"], known["state"]) for known in state["breakers"]] == [
        ("cache counts:count_of", "open")
    ]


def test_figures_follow_while_it_is_used(
    accelerator: Accelerator, states: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    until(states, methods)
    monkeypatch.setattr(reporter, "_EVERY_SECONDS", 0.0)
    accelerator._companions._status._due_at = 0.0
    stock = sys.modules["shop"].Stock()
    stock.count_of("pen")
    stock.count_of("pen")
    stock.count_of("ink")  # hits are not in a hurry: a load or a write has them written

    state = until(states, lambda state: sum(method["misses"] for method in state["methods"]) == 2)
    [counts] = [method for method in state["methods"] if method["target"] == "shop:Stock.count_of"]
    assert (counts["size"], counts["hits"], counts["misses"]) == (2, 1, 2)


def test_use_is_written_every_few_seconds_only(
    states: Path, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    importlib.import_module("shop")
    written = threading.Semaphore(0)
    write = StateFile.write
    monkeypatch.setattr(StateFile, "write", lambda *arguments: (write(*arguments), written.release()))
    with wats_accel.installed(shop) as accelerator:
        assert written.acquire(timeout=20)
        accelerator._companions._status._background.close()  # what is asked for from now on is not written
        asked: list[object] = []
        monkeypatch.setattr(accelerator._companions._status, "note_change", lambda: asked.append(1))
        now = [accelerator._companions._status._due_at + 1]
        monkeypatch.setattr(accelerator._companions._status, "_clock", lambda: now[0])
        stock = sys.modules["shop"].Stock()
        for number in range(50):
            stock.count_of(str(number))
        assert len(asked) == 1
        now[0] += 10
        stock.count_of("one more")
        assert len(asked) == 2


def test_reloads_are_counted(accelerator: Accelerator, states: Path, shop: Path) -> None:
    shop.write_text(shop.read_text(encoding="utf-8").replace("ttl: 60s", "ttl: 90s"), encoding="utf-8")
    assert accelerator.reload()
    shop.write_text("version: 2", encoding="utf-8")
    assert not accelerator.reload()

    state = until(states, lambda state: state["reloads"]["refused"])
    assert state["reloads"] == {"done": 1, "refused": 1}
    ttl = {method["target"]: method["ttl_seconds"] for method in state["methods"]}
    assert ttl["shop:Stock.list_items"] == 90.0


def test_a_reload_can_turn_the_state_file_off_and_on(
    accelerator: Accelerator, states: Path, shop: Path
) -> None:
    before = shop.read_text(encoding="utf-8")
    until(states, methods)

    shop.write_text(before + "status: false\n", encoding="utf-8")
    accelerator.reload()
    assert list(states.iterdir()) == []

    shop.write_text(before, encoding="utf-8")
    accelerator.reload()
    until(states, methods)


@pytest.mark.parametrize("how", ["status: false", "accelerated"])
def test_no_state_file_is_written_where_none_is_wanted(states: Path, shop: Path, how: str) -> None:
    importlib.import_module("shop")
    if how == "accelerated":
        with accelerated(shop, strict=False) as accelerator:
            accelerator.disable("all")
    else:
        shop.write_text(shop.read_text(encoding="utf-8") + "status: false\n", encoding="utf-8")
        with wats_accel.installed(shop) as accelerator:
            accelerator.disable("all")

    assert not states.exists()


def test_nothing_is_left_after_uninstall(accelerator: Accelerator, states: Path) -> None:
    until(states, methods)
    accelerator.uninstall()
    assert list(states.iterdir()) == []

    accelerator.install()
    until(states, methods)
    accelerator.uninstall()
    assert list(states.iterdir()) == []


def test_what_is_switched_off_whole_is_told_too(states: Path, shop: Path) -> None:
    shop.write_text(shop.read_text(encoding="utf-8") + "enabled: false\n", encoding="utf-8")
    with wats_accel.installed(shop):
        state = until(states, methods)

    assert state["enabled"] is False
    assert set(methods(state).values()) == {("off", "by the configuration")}
    assert list(states.iterdir()) == []


def test_a_failure_to_write_is_told_once_and_harms_nobody(
    states: Path, shop: Path, caplog: pytest.LogCaptureFixture
) -> None:
    importlib.import_module("shop")
    states.write_text("a file stands where the folder should be", encoding="utf-8")
    with wats_accel.installed(shop) as accelerator:
        breaker = accelerator._companions._status._breaker
        end = time.monotonic() + 20
        while breaker.closed and time.monotonic() < end:
            accelerator.disable("stock:*")  # a change; each asks for a write that fails
            assert sys.modules["shop"].Stock().list_items() == ["pen"]
        told = [problem.message for problem in accelerator.problems if "state file" in problem.message]

    assert not breaker.closed
    (message,) = told
    assert message.startswith("the state file for 'wats-accel status' cannot be written: ")
    assert message.endswith(
        f" ({states}); WATS_ACCEL_STATE_DIR names another folder, 'status: false' does without"
    )
    lines = [record.getMessage() for record in caplog.records if "state file" in record.getMessage()]
    assert len(lines) == 1


def test_no_key_and_no_value_is_in_the_state(accelerator: Accelerator, states: Path) -> None:
    stock = sys.modules["shop"].Stock()
    stock.count_of("s3cr3t-argument")
    accelerator.disable("counts:*")
    until(states, lambda state: any(method["size"] for method in state["methods"]))

    [path] = states.glob("*.json")
    text = path.read_text(encoding="utf-8")
    assert "s3cr3t" not in text
    assert "pen" not in json.loads(text)["methods"][0].values()


_FORKS = """\
import os, sys
import wats_accel, shop

accelerator = wats_accel.install("shop.yaml")
stock = shop.Stock()
stock.count_of("parent")
sys.stdin.readline()
child = os.fork()
if not child:
    stock.count_of("child")
    os.write(1, b"used\\n")
    os.read(0, 1)
    os._exit(0)
os.waitpid(child, 0)
accelerator.uninstall()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks")
def test_a_forked_child_has_a_file_of_its_own(
    states: Path, shop: Path, program: Callable[[str], subprocess.Popen[str]]
) -> None:
    with program(_FORKS) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        until(states, lambda state: state["pid"] == process.pid)
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "used\n"
        end = time.monotonic() + 20
        while len(pids := {state["pid"] for state in running_states(states)}) < 2 and time.monotonic() < end:
            time.sleep(0.01)  # as above
        assert len(pids) == 2
        assert process.pid in pids
        process.stdin.close()
        assert process.wait(timeout=20) == 0

    assert list(running_states(states)) == []
    assert list(states.iterdir()) == []
