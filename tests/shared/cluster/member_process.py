"""One process of a cluster: threads read and write registers as their dice say, and note what they saw.

``python member_process.py SPEC.json``. It prints a line when it is ready, begins at a line ``go``, and stops
at a line ``stop``; then it writes what its threads noted, and its figures, into the folder of the spec.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sys
import threading
import time
from array import array
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from random import Random
from typing import Any

from backplane_log import CONNECTED, EVENTS

import wats_accel

Spec = dict[str, Any]
READ, READ_ALL, WRITE, POLL = range(4)
"""Kinds of calls."""
COLUMNS = 7
"""Of a row of notes: kind, register, version, token; in nanoseconds begin, end, time in the application."""

_CONNECT_SECONDS = 30.0
_POLL_SECONDS = 0.005
_LIST_SHARE = 0.05


class Notes:
    """What one thread has seen."""

    def __init__(self, member: int) -> None:
        self.rows = array("q")
        self.failures: list[tuple[int, str]] = []
        self._tokens = member << 32

    def next_token(self, thread: int) -> int:
        """Never the same twice in a cluster."""
        self._tokens += 1
        return self._tokens + (thread << 24)

    def note(self, kind: int, call: Callable[[], Any], register: int, token: int = 0) -> None:
        """Make a call, and note it."""
        from cluster_registers import spent

        spent.nanoseconds = 0
        begin = time.monotonic_ns()
        try:
            told = call()
        except Exception as error:
            self.failures.append((begin, f"{type(error).__name__}: {error}"))
            return
        end = time.monotonic_ns()
        if kind == WRITE:
            told = (register, told, token)
        for row in told if kind == READ_ALL else [told]:
            self.rows.extend((kind, *row, begin, end, spent.nanoseconds))


class Member:
    """The threads of one process."""

    def __init__(self, spec: Spec, accelerator: Any) -> None:
        from cluster_registers import Registers

        self._spec = spec
        self._accelerator = accelerator
        self._registers = Registers(spec["database"])
        self._ends = threading.Event()
        self._notes: list[Notes] = []
        self._late_seconds = 0.0  # how late this computer has woken a thread that asked for it

    def run(self) -> None:
        """From ``go`` to ``stop``."""
        threads = [
            threading.Thread(target=self._poll, args=(self._new_notes(),)),
            *(
                threading.Thread(target=self._work, args=(self._new_notes(), number))
                for number in range(self._spec["threads"])
            ),
        ]
        assert sys.stdin.readline() == "go\n"
        for thread in threads:
            thread.start()
        while sys.stdin.readline() == "until connected\n":
            self._until_connected()
            print("connected", flush=True)
        self._ends.set()  # it was a stop, or the parent is gone
        for thread in threads:
            thread.join()

    def _until_connected(self) -> None:
        ends_at = time.monotonic() + _CONNECT_SECONDS
        while self._accelerator is not None and self._accelerator.stats().shared.mode != "connected":
            assert time.monotonic() < ends_at, "it is not connected again"
            time.sleep(0.005)

    def _new_notes(self) -> Notes:
        made = Notes(self._spec["member"])
        self._notes.append(made)
        return made

    def _work(self, notes: Notes, thread: int) -> None:
        spec, registers = self._spec, self._registers
        dice = Random(f"{spec['seed']}/{spec['member']}/{thread}")
        while not self._ends.wait(dice.uniform(0.0, 2 * spec["pause"])):
            number, what = dice.randrange(spec["registers"]), dice.random()
            if what < spec["write_share"] and spec["own"]:
                number = dice.choice(spec["own"])
                token = notes.next_token(thread)
                notes.note(WRITE, lambda n=number, t=token: registers.write(n, t), number, token)
                notes.note(READ, lambda n=number: registers.read(n), number)  # what it has just written
            elif what < spec["write_share"] + _LIST_SHARE:
                notes.note(READ_ALL, registers.read_all, -1)
            else:
                notes.note(READ, lambda n=number: registers.read(n), number)

    def _poll(self, notes: Notes) -> None:
        while True:
            due = time.monotonic() + _POLL_SECONDS
            if self._ends.wait(_POLL_SECONDS):
                return
            self._late_seconds = max(self._late_seconds, time.monotonic() - due)
            for number in self._spec["polled"]:
                notes.note(POLL, lambda n=number: self._registers.read(n), number)

    def write_down(self) -> None:
        """Leave what was noted in files."""
        folder = Path(self._spec["folder"])
        rows = array("q")
        for notes in self._notes:
            rows.extend(notes.rows)
        name = f"member-{self._spec['member']}"
        (folder / f"{name}.rows").write_bytes(rows.tobytes())
        told = {
            "failures": [failure for notes in self._notes for failure in notes.failures],
            "events": EVENTS,
            "late_seconds": self._late_seconds,
            **figures(self._accelerator),
        }
        (folder / f"{name}.json").write_text(json.dumps(told), encoding="utf-8")


def figures(accelerator: Any) -> dict[str, Any]:
    """The counters of the process."""
    if accelerator is None:
        return {"cache": {}, "backplane": {}}
    stats = accelerator.stats()
    return {"cache": stats.total.as_dict(), "backplane": asdict(stats.shared)}


def cold(spec: Spec, accelerator: Any) -> None:
    """Ask for each list once, as soon as it is told to, and tell how often the application was asked."""
    from cluster_registers import Registers, spent

    registers = Registers(spec["database"])
    assert sys.stdin.readline() == "go\n"
    began = time.monotonic()
    runs = []
    for name in spec["lists"]:
        spent.runs = 0
        registers.list_of(name)
        runs.append(spent.runs)
    told = {"runs": runs, "seconds": time.monotonic() - began, **figures(accelerator)}
    print(json.dumps(told), flush=True)
    sys.stdin.readline()


def warm_up(spec: Spec) -> None:
    """Have all modules loaded and all connections open: no call is slow for that."""
    import pyodbc
    from cluster_registers import open_connections

    pyodbc.pooling = False
    open_connections(spec["database"], spec["threads"] + 1)


def main() -> int:
    """Live through one spec."""
    spec: Spec = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    logging.getLogger("wats_accel").addHandler(logging.NullHandler())
    logging.getLogger("wats_accel").propagate = False
    accelerator = None
    if spec["config"] is not None:
        accelerator = wats_accel.install(spec["config"], strict=True)
        if spec["waits"]:
            CONNECTED.wait(_CONNECT_SECONDS)
    if spec["waits"]:
        warm_up(spec)
    print("ready", flush=True)
    if spec["lists"]:
        cold(spec, accelerator)
    else:
        member = Member(spec, accelerator)
        member.run()
        member.write_down()
    if accelerator is not None:
        with contextlib.suppress(Exception):
            accelerator.uninstall()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
