"""A cluster: processes of the application `cluster_registers` over one database, and what they have seen."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import cluster_registers
from member_process import COLUMNS, POLL, READ, WRITE
from staleness import History, Judgement, Stale, judge

FOLDER = Path(__file__).parent
TIMES = {"timeout": "50ms", "isolated_ttl": "3s", "lost_after": "1s", "beat": "300ms"}
ISOLATED_SECONDS, TIMEOUT_SECONDS = 3.0, 0.05
_PATIENCE_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Size:
    """How much is done.

    Attributes:
        processes: how many.
        threads: of each, besides the one that polls.
        seconds: of each scenario, from the first call on, without its disturbance.
        pause: between two calls of a thread, in seconds, on the average.
        write_share: how many of the calls write.
    """

    processes: int = 3
    threads: int = 2
    seconds: float = 2.0
    pause: float = 0.005
    write_share: float = 0.05

    @property
    def writers(self) -> int:
        """The last process only reads: it asks the server for nothing, unless it beats."""
        return max(1, self.processes - 1)

    @property
    def registers(self) -> int:
        """How many there are: two of each writer's own, and two that all write."""
        return 2 * self.writers + 2

    def written_by(self, member: int) -> list[int]:
        """The registers that a process writes. What only others write it drops only if they are heard."""
        if member >= self.writers:
            return []
        return [member, member + self.writers, 2 * self.writers, 2 * self.writers + 1]

    def is_cut_off(self, member: int) -> bool:
        """Whether a process belongs to the half that is cut off when half of them are."""
        return member >= self.processes // 2

    @property
    def polled(self) -> list[int]:
        """The registers that each process reads all the time: one of either half."""
        return [0, min(self.processes // 2, self.writers - 1)]


@dataclass(slots=True)
class Seen:
    """What a whole cluster has seen.

    Attributes:
        late_seconds: how late this computer has woken a thread at worst: so much older an answer may be,
            since whoever drops it in time is a thread, too.
        calls: how long they took, in nanoseconds, by what they did.
        added: how much longer than the application's own code.
    """

    judgement: Judgement
    failures: list[str]
    events: dict[int, list[tuple[float, str, str]]]
    late_seconds: float
    caches: list[dict[str, Any]]
    backplanes: list[dict[str, Any]]
    calls: dict[str, list[int]] = field(default_factory=dict)
    added: dict[str, list[int]] = field(default_factory=dict)

    def too_old(self) -> list[Stale]:
        """The reads that were older than the bound."""
        return self.judgement.older_than(ISOLATED_SECONDS + self.late_seconds)

    def recovered_after(self, moment: float) -> float | None:
        """Seconds from a moment until all processes have been connected since; None if one never was."""
        connected = []
        for known in self.events.values():
            before = [name for when, name, _ in known if when < moment]
            after = [when for when, name, _ in known if when >= moment and name == "BackplaneConnected"]
            if before and before[-1] == "BackplaneConnected":
                continue  # it has not noticed anything, or is over it
            if not after:
                return None
            connected.append(after[0] - moment)
        return max(connected, default=0.0)


class Cluster:
    """Processes that are ready when the ``with`` block begins; nothing is left of them after it.

    Args:
        database: the ODBC string.
        url_of: what a process reaches the server by.
        size: of it.
        mode: `rules` or `sql`; `bare` accelerates nothing.
        tier: `shared`, `backplane-only` or `version-table`.
        lists: names of lists; with them each process asks for each list once, and does nothing else.
        waits: whether processes are ready when they are connected, and all is loaded that they need; or each
            goes on by itself as soon as it is there.
        times: of the section `shared`, other than usual.
    """

    def __init__(
        self,
        database: str,
        url_of: Callable[[int], str],
        size: Size,
        *,
        mode: str = "rules",
        tier: str = "backplane-only",
        lists: tuple[str, ...] = (),
        waits: bool = True,
        times: dict[str, str] | None = None,
        seed: int = 0,
    ) -> None:
        self._database = database
        self._url_of = url_of
        self._size = size
        self._mode, self._tier, self._lists, self._waits, self._seed = mode, tier, lists, waits, seed
        self._times = {**TIMES, **(times or {})}
        self._processes: list[subprocess.Popen[str]] = []
        self._stack = contextlib.ExitStack()
        self._folder = Path()

    def __enter__(self) -> Cluster:
        self._folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        try:
            cluster_registers.create(self._database, self._size.registers)
            if self._tier == cluster_registers.VERSION_TABLE:
                cluster_registers.watch(self._database)
            self._processes += [self._start(member) for member in range(self._size.processes)]
            if not self._waits:
                self.go()
            for process in self._processes:
                assert process.stdout is not None
                assert process.stdout.readline() == "ready\n", "a process has not come up"
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        for process in self._processes:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()
        self._stack.close()

    def _start(self, member: int) -> subprocess.Popen[str]:
        size = self._size
        spec = {
            "folder": str(self._folder),
            "config": self._config(member),
            "database": self._database,
            "member": member + 1,
            "threads": size.threads,
            "registers": size.registers,
            "own": size.written_by(member),
            "polled": size.polled,
            "pause": size.pause,
            "write_share": size.write_share,
            "seed": self._seed,
            "lists": self._lists,
            "waits": self._waits,
        }
        path = self._folder / f"spec-{member}.json"
        path.write_text(json.dumps(spec), encoding="utf-8")
        return subprocess.Popen(
            [sys.executable, str(FOLDER / "member_process.py"), str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=FOLDER,
        )

    def _config(self, member: int) -> str | None:
        if self._mode == "bare":
            return None
        document = cluster_registers.configuration(
            self._mode,
            self._tier,
            self._url_of(member),
            times=self._times,
            connections=self._size.threads + 1,
            plugin=str(FOLDER / "noting_backplane.py"),
        )
        path = self._folder / f"config-{member}.yaml"
        path.write_text(json.dumps(document), encoding="utf-8")  # which is YAML, too
        return str(path)

    # -- what it does ----------------------------------------------------------------------------------------

    def go(self) -> float:
        """Have all begin; gives when."""
        self._tell("go")
        return time.monotonic()

    def until_connected(self) -> None:
        """Wait until all are, or give up."""
        self._tell("until connected")
        for process in self._processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "connected\n", "a process is not connected again"

    def stop(self) -> Seen:
        """Have all stop, and judge what they have seen."""
        self._tell("stop")
        for process in self._processes:
            assert process.wait(_PATIENCE_SECONDS) == 0
        return self._collected()

    def answers(self) -> list[dict[str, Any]]:
        """What each process has told of its lists."""
        return [json.loads(process.stdout.readline()) for process in self._processes if process.stdout]

    def _tell(self, line: str) -> None:
        for process in self._processes:
            assert process.stdin is not None
            process.stdin.write(f"{line}\n")
            process.stdin.flush()

    def _collected(self) -> Seen:
        history, seen = History(), Seen(Judgement(), [], {}, 0.0, [], [])
        for member in range(1, self._size.processes + 1):
            rows = array("q")
            rows.frombytes((self._folder / f"member-{member}.rows").read_bytes())
            told = json.loads((self._folder / f"member-{member}.json").read_text(encoding="utf-8"))
            history.add(member, rows)
            seen.failures += [text for _, text in told["failures"]]
            seen.events[member] = told["events"]
            seen.late_seconds = max(seen.late_seconds, told["late_seconds"])
            seen.caches.append(told["cache"])
            seen.backplanes.append(told["backplane"])
            _measure_calls(rows, seen)
        seen.judgement = judge(history)
        return seen


def _measure_calls(rows: array[int], seen: Seen) -> None:
    """How long calls took, and how much longer than the application's own code."""
    names = {READ: "read", POLL: "read", WRITE: "write"}
    for begin_of_row in _first_rows(rows):
        kind = rows[begin_of_row]
        begin, end, own = rows[begin_of_row + 4 : begin_of_row + COLUMNS]
        name = names.get(kind, "list")
        if name != "write":
            name = f"{name}, {'loaded' if own else 'cached'}"
        seen.calls.setdefault(name, []).append(end - begin)
        seen.added.setdefault(name, []).append(end - begin - own)


def _first_rows(rows: array[int]) -> Iterator[int]:
    """Where calls begin: an answer of several registers has a row for each."""
    before = None
    for start in range(0, len(rows), COLUMNS):
        call = (rows[start], rows[start + 4])
        if call != before:
            yield start
        before = call
