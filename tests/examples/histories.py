"""Threads that use the example application freely, and the history of what they did."""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from random import Random
from typing import Final

from history_check import Operation, Read, Write
from versioned_company import Company

THREADS: Final = 16
WRITE_SHARE: Final = 0.05
JUMP_SHARE: Final = 0.002
JUMP_SECONDS: Final = 61.0
"""More than the shortest TTL of the application's configuration; five jumps are more than the longest."""
LAST_LOOKS: Final = 100
_WAIT_SECONDS: Final = 30.0


class JumpingClock:
    """The monotonic clock, and whatever it was told to jump ahead. Seconds.

    It does not stand still between jumps: the cache tells by its clock which of two loads began first.
    """

    def __init__(self) -> None:
        self._ahead = 0.0
        self._lock = threading.Lock()

    def __call__(self) -> float:
        """The time it is now."""
        return time.monotonic() + self._ahead

    def jump(self) -> None:
        """Let many TTLs run out at once."""
        with self._lock:  # two at a time must not take it back
            self._ahead += JUMP_SECONDS


@dataclass
class Register:
    """The newest version of a register, and the lock under which the next one is written."""

    lock: threading.Lock
    version: int = 0


@dataclass
class History:
    """What all threads did, and what went wrong for other reasons than an old answer."""

    operations: list[Operation] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    def add(self, other: History) -> None:
        """Take in what another thread did."""
        self.operations += other.operations
        self.failures += other.failures


class Recorder:
    """Lets 16 threads use the application, each as its own dice say, and keeps what they did.

    Writes of one register come one after another, so that their versions rise; nothing else is held back.

    Args:
        company: the application.
        clock: that the caches go by.
        one_writer: whether writes of different registers come one after another, too.
    """

    def __init__(self, company: Company, clock: JumpingClock, *, one_writer: bool) -> None:
        self._company = company
        self._clock = clock
        common = threading.Lock()
        self._registers = {
            key: Register(common if one_writer else threading.Lock()) for key in company.registers()
        }
        self._stamps = itertools.count()  # its next() is one step that no other thread divides
        self._begin = threading.Barrier(THREADS)

    def record(self, operations: int, *, seed: int) -> History:
        """The history of that many operations, an equal number by each thread, and of a last look around."""
        whole = History()
        began = time.perf_counter()
        with ThreadPoolExecutor(THREADS) as threads:
            works = [
                threads.submit(self._work, number, Random(f"{seed}/{number}"), operations // THREADS)
                for number in range(THREADS)
            ]
            for work in works:
                whole.add(work.result())
        whole.seconds = time.perf_counter() - began
        dice = Random(seed)
        for _ in range(LAST_LOOKS):  # nothing old may be left
            self._read(THREADS, dice, whole)
        return whole

    def _work(self, thread: int, dice: Random, operations: int) -> History:
        history = History()
        self._begin.wait(_WAIT_SECONDS)
        for _ in range(operations):
            if dice.random() < JUMP_SHARE:
                self._clock.jump()
            if dice.random() < WRITE_SHARE:
                history.operations.append(self._write(thread, dice, history.failures))
            else:
                self._read(thread, dice, history)
        return history

    def _read(self, thread: int, dice: Random, history: History) -> None:
        question = self._company.question(dice)
        start = next(self._stamps)
        try:
            answer = question.call()
        except Exception as error:
            history.failures[f"read {question.source[0]}: {type(error).__name__}"] += 1
            return
        end = next(self._stamps)
        if not answer and question.is_never_empty:
            history.failures[f"read {question.source[0]}: no answer"] += 1
        else:
            history.operations.append(Read(thread, question.see(answer), start, end, question.source))

    def _write(self, thread: int, dice: Random, failures: Counter[str]) -> Write:
        key, register = dice.choice(list(self._registers.items()))
        with register.lock:
            register.version += 1
            start = next(self._stamps)
            try:
                done = self._company.write(key, register.version, dice)
            except Exception as error:
                done = False
                failures[f"write {key[0]}: {type(error).__name__}"] += 1
            else:
                failures[f"write {key[0]}: refused"] += not done
            return Write(thread, key, register.version, start, next(self._stamps), failed=not done)
