"""Checks recorded histories of versioned registers: whether the reads are those of atomic registers.

A *history* is what threads did to registers, each operation with two stamps of one counter that all threads
share: one taken just before the call, one just after. Stamps are whole numbers and unique; a smaller one was
taken earlier. A register is anything that is overwritten as a whole, such as the name in one row. Its writes
come one after another and carry the versions 1, 2, 3, …; version 0 is what was there before.

A read must return a version that

1. is not older than the newest one whose write had returned before the read began (else it is *stale*),
2. is not newer than the newest one whose write had begun before the read returned (else of the *future*),
3. is not older than one that a read returned which had ended before this one began (else *backwards*).

**Why nothing is missed.** Rules 1 and 2 say that the register is regular, rule 3 that there is no inversion
of a new and an old value. With writes that do not overlap, the two together are atomicity (L. Lamport, On
Interprocess Communication, Part II, 1986, proposition 5), and atomicity is linearisability of one register
(M. Herlihy and J. Wing, 1990), which holds for many registers if it does for each. No order has to be
searched for, since the versions give it: one pass over the sorted stamps decides.

**A failed write** may have happened or not. It counts as one that never returned: readers may see its
version from its begin on, and none has to, until a later write has returned or somebody has seen it.

**A read that does not tell the version**, only that it is one of several, is judged by the oldest of them
that rules 1 and 3 allow. That is exact: an older choice never forbids what a newer one allows to later
reads, and reads are judged in the order in which they return.

**Sources.** A read may name what answered it. Then rule 3 holds among reads of the same source only.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Key = Hashable
"""Names a register."""

Versions = int | range
"""The version that was read, or a rising range of those that it may have been."""


@dataclass(frozen=True, slots=True)
class Write:
    """One write of a register, from stamp `start` to stamp `end`; `failed` if it may not have happened."""

    thread: int
    key: Key
    version: int
    start: int
    end: int
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Read:
    """One read of one or more registers, from stamp `start` to stamp `end`.

    Attributes:
        thread: who called.
        versions: what the answer says of each register.
        source: what answered, if rule 3 is to hold within it only.
    """

    thread: int
    versions: Mapping[Key, Versions]
    start: int
    end: int
    source: Hashable = None


Operation = Read | Write


@dataclass(frozen=True, slots=True)
class Violation:
    """A read of `key` that no atomic register gives: it found `found`, which lies outside of the bounds."""

    kind: Literal["stale", "backwards", "future"]
    read: Read
    key: Key
    found: int
    oldest: int
    newest: int

    def __str__(self) -> str:
        source = "" if self.read.source is None else f" from {self.read.source}"
        return (
            f"{self.kind}: thread {self.read.thread} read version {self.found} of {self.key}{source} between "
            f"the stamps {self.read.start} and {self.read.end}; allowed: {self.oldest} to {self.newest}"
        )


class MalformedHistoryError(ValueError):
    """Writes of a register overlap or do not rise, so that the history cannot be judged."""


def check(history: Iterable[Operation]) -> list[Violation]:
    """All reads that no atomic register gives, in the order in which they returned.

    Raises:
        MalformedHistoryError: the writes are not as this module needs them.
    """
    boundaries: list[tuple[int, bool, Operation]] = []
    for operation in history:
        boundaries.append((operation.start, False, operation))
        boundaries.append((operation.end, True, operation))
    boundaries.sort(key=lambda boundary: boundary[0])
    registers: dict[Key, _Register] = {}
    violations: list[Violation] = []
    for _, has_ended, operation in boundaries:
        for key in (operation.key,) if isinstance(operation, Write) else operation.versions:
            register = registers.setdefault(key, _Register())
            if isinstance(operation, Write):
                register.move_write(operation, has_ended=has_ended)
            elif not has_ended:
                register.begin_read(operation)
            elif (violation := register.end_read(operation, key)) is not None:
                violations.append(violation)
    return violations


@dataclass(slots=True)
class _Register:
    """What is known of one register at one stamp."""

    begun: int = 0  # the newest version whose write has begun
    written: int = 0  # the newest whose write has returned
    writing: bool = False
    read: dict[Hashable, int] = field(default_factory=dict)  # the newest that was read, of each source
    at_begin: dict[int, tuple[int, int]] = field(default_factory=dict)  # written and read, by start of read

    def move_write(self, write: Write, *, has_ended: bool) -> None:
        if has_ended:
            self.writing = False
            self.written = self.written if write.failed else write.version
        elif self.writing or write.version <= self.begun:
            raise MalformedHistoryError(f"version {write.version} of {write.key} follows {self.begun}")
        else:
            self.writing, self.begun = True, write.version

    def begin_read(self, read: Read) -> None:
        self.at_begin[read.start] = self.written, self.read.get(read.source, 0)

    def end_read(self, read: Read, key: Key) -> Violation | None:
        written, seen = self.at_begin.pop(read.start)
        oldest = max(written, seen)
        found = _best_explanation(read.versions[key], oldest, self.begun)
        if oldest <= found <= self.begun:
            self.read[read.source] = max(found, self.read.get(read.source, 0))
            return None
        kind: Literal["stale", "backwards", "future"] = "stale" if found < written else "backwards"
        if found > self.begun:
            kind = "future"
        return Violation(kind, read, key, found, oldest, self.begun)


def _best_explanation(versions: Versions, oldest: int, newest: int) -> int:
    """The oldest version within the bounds; if there is none, the newest below them, else the first."""
    if isinstance(versions, int):
        return versions
    within = _at_least(versions, oldest)
    if within:
        return within[0] if within[0] <= newest else _last_below(versions, oldest, within[0])
    return versions[-1]


def _at_least(versions: range, bound: int) -> Sequence[int]:
    steps = -((versions.start - bound) // versions.step)
    return versions[max(0, steps) :]


def _last_below(versions: range, bound: int, otherwise: int) -> int:
    below = len(versions) - len(_at_least(versions, bound))
    return versions[below - 1] if below else otherwise
