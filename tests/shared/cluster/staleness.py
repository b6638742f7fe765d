"""How old the answers were that several processes gave: exact, from a history with one clock.

All stamps are of the system's monotonic clock, which all processes of one machine share. The writes of a
register carry versions that the database gave them in the order of their commits, so an answer contains a
write if its version is not smaller. Writers may overlap, and need not return in the order of their versions.

*Stale by* so much is a read that began so long after the first write had returned that its answer does not
contain. A read that missed nothing is stale by 0. `history_check` asks whether there is any such read, within
one process; here it is asked how old, since between processes a message is under way for a while.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

READ, READ_ALL, WRITE, POLL = range(4)
COLUMNS = 7
NEVER = 1 << 62


@dataclass(frozen=True, slots=True)
class Write:
    """One that has returned; times are in nanoseconds."""

    process: int
    register: int
    version: int
    token: int
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Read:
    """One register of one answer."""

    process: int
    kind: int
    register: int
    version: int
    token: int
    begin: int
    end: int


@dataclass(slots=True)
class History:
    """What all processes saw."""

    writes: list[Write] = field(default_factory=list)
    reads: list[Read] = field(default_factory=list)

    def add(self, process: int, rows: array[int]) -> None:
        """Take in what one process has noted; see `member_process.COLUMNS`."""
        for start in range(0, len(rows), COLUMNS):
            kind, register, version, token, begin, end, _ = rows[start : start + COLUMNS]
            if kind == WRITE:
                self.writes.append(Write(process, register, version, token, begin, end))
            else:
                self.reads.append(Read(process, kind, register, version, token, begin, end))


@dataclass(frozen=True, slots=True)
class Stale:
    """A read that missed a write which had returned before it began."""

    read: Read
    nanoseconds: int
    own: bool

    def __str__(self) -> str:
        whose = "its own process's" if self.own else "another process's"
        return (
            f"process {self.read.process} read version {self.read.version} of register {self.read.register} "
            f"{self.nanoseconds / 1e6:.1f} ms after {whose} newer write had returned"
        )


@dataclass(slots=True)
class Judgement:
    """What is wrong with a history, and how old answers were.

    Attributes:
        stale: all reads that missed a write, of whatever process.
        own: those that missed one of their own process; there must be none.
        impossible: answers that no write has ever given.
        reads: how many answers were judged.
        delays: nanoseconds from the return of a write to the begin of the last read that missed it, for each
            write and each other process that read the register afterwards; 0 if none missed it.
        seen: the same up to the begin of the first read after the write that found it, where somebody polled.
    """

    stale: list[Stale] = field(default_factory=list)
    own: list[Stale] = field(default_factory=list)
    impossible: list[str] = field(default_factory=list)
    reads: int = 0
    delays: list[int] = field(default_factory=list)
    seen: list[int] = field(default_factory=list)

    @property
    def oldest(self) -> int:
        """How stale the stalest read was, in nanoseconds."""
        return max((found.nanoseconds for found in self.stale), default=0)

    def older_than(self, seconds: float) -> list[Stale]:
        """The reads that were stale by more than that."""
        return [found for found in self.stale if found.nanoseconds > seconds * 1e9]


class _Register:
    """The writes of one register, by version."""

    def __init__(self, writes: Iterable[Write]) -> None:
        self.writes = sorted(writes, key=lambda write: write.version)
        self.versions = [write.version for write in self.writes]
        self.by_version = {write.version: write for write in self.writes}
        self._first_ends = _first_ends(self.writes)
        self._of_process = {
            process: _Own([write for write in self.writes if write.process == process])
            for process in {write.process for write in self.writes}
        }

    def missed(self, read: Read) -> int:
        """When the first write returned that an answer does not contain; `NEVER` if it contains all."""
        return self._first_ends[bisect_left(self.versions, read.version + 1)]

    def missed_of_its_own(self, read: Read) -> int:
        """The same, of the writes of its own process."""
        own = self._of_process.get(read.process)
        return NEVER if own is None else own.missed(read.version)

    def why_impossible(self, read: Read) -> str | None:
        """What is wrong with an answer that no write has given."""
        write = self.by_version.get(read.version)
        if write is None:
            return None if (read.version, read.token) == (0, 0) else f"nobody wrote {read}"
        if write.token != read.token:
            return f"another token than the writer's: {read}"
        return f"of the future: {read}" if write.begin > read.end else None


class _Own:
    """The writes of one register by one process."""

    def __init__(self, writes: Sequence[Write]) -> None:
        self._versions = [write.version for write in writes]
        self._first_ends = _first_ends(writes)

    def missed(self, version: int) -> int:
        return self._first_ends[bisect_left(self._versions, version + 1)]


def _first_ends(writes: Sequence[Write]) -> list[int]:
    """For each place in the order of versions, when the first write from there on returned."""
    ends = [NEVER]
    for write in reversed(writes):
        ends.append(min(ends[-1], write.end))
    return ends[::-1]


def judge(history: History) -> Judgement:
    """How old all answers of a history were."""
    registers = _registers(history)
    judgement = Judgement(reads=len(history.reads))
    last_missed: dict[tuple[int, int, int], int] = {}
    for read in history.reads:
        register = registers.get(read.register) or registers.setdefault(read.register, _Register(()))
        why = register.why_impossible(read)
        if why is not None:
            judgement.impossible.append(why)
        if register.missed_of_its_own(read) < read.begin:
            age = read.begin - register.missed_of_its_own(read)
            judgement.own.append(Stale(read, age, own=True))
        age = read.begin - register.missed(read)
        if age > 0:
            judgement.stale.append(Stale(read, age, own=False))
            for write in _missed_writes(register, read):
                key = (read.process, read.register, write.version)
                last_missed[key] = max(last_missed.get(key, 0), read.begin - write.end)
    _measure(history, registers, last_missed, judgement)
    return judgement


def _registers(history: History) -> dict[int, _Register]:
    writes: dict[int, list[Write]] = {}
    for write in history.writes:
        writes.setdefault(write.register, []).append(write)
    return {register: _Register(known) for register, known in writes.items()}


def _missed_writes(register: _Register, read: Read) -> Iterator[Write]:
    for write in register.writes[bisect_left(register.versions, read.version + 1) :]:
        if write.end < read.begin:
            yield write


def _measure(
    history: History,
    registers: dict[int, _Register],
    last_missed: dict[tuple[int, int, int], int],
    judgement: Judgement,
) -> None:
    """Of each write and each other process: how long it was missed there, and when it was seen."""
    reads: dict[tuple[int, int], list[Read]] = {}
    polled = {(read.process, read.register) for read in history.reads if read.kind == POLL}
    for read in history.reads:
        reads.setdefault((read.process, read.register), []).append(read)
    for (process, number), known in reads.items():
        known.sort(key=lambda read: read.begin)
        begins = [read.begin for read in known]
        for write in registers[number].writes:
            place = bisect_left(begins, write.end)
            if write.process == process or place == len(known):
                continue
            judgement.delays.append(last_missed.get((process, number, write.version), 0))
            if (process, number) in polled:
                first = next((read for read in known[place:] if read.version >= write.version), None)
                if first is not None:
                    judgement.seen.append(first.begin - write.end)


def percentile(values: Sequence[int], share: float) -> float:
    """The value below which this share of them lies; from nanoseconds, in milliseconds."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] / 1e6 if ordered else 0.0
