"""Many threads: how often a cold key is loaded, whom a failing load concerns, and who waits for whom."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

from peer import Peer, Read, Rule
from scenario import KEY, OK, scenario
from stage import PATIENCE, UNTIL_IT_WAITS, Caller, Gathering

CROWD = 200
FEW = 10
CROWDS = "Many threads"


@scenario(CROWDS, f"{CROWD} threads ask for one cold key: number of loads")
def crowd(peer: Peer) -> str:
    start, gathering = threading.Barrier(CROWD), Gathering(CROWD, PATIENCE / 2)

    def load(key: object) -> int:
        gathering.wait()
        return 1

    def call(read: Read) -> Any:
        start.wait(PATIENCE)
        return read(KEY)

    with peer.reads(get=Rule(load)) as reads:
        callers = [Caller(call, reads.get) for _ in range(CROWD)]
        for caller in callers:
            caller.answer()
    return f"{OK}: 1" if gathering.arrived == 1 else f"{gathering.arrived} loads"


@contextlib.contextmanager
def failing_first_load(peer: Peer, error: type[BaseException]) -> Iterator[tuple[Read, list[Caller]]]:
    """`FEW` callers of one key, of whose loads the first raises once the others load or wait."""
    gathering = Gathering(FEW, UNTIL_IT_WAITS)

    def load(key: object) -> int:
        if gathering.wait() == 1:
            raise error
        return 1

    with peer.reads(get=Rule(load)) as reads:
        yield reads.get, [Caller(reads.get, KEY) for _ in range(FEW)]


def _outcomes(callers: list[Caller], error: type[BaseException]) -> Counter[str]:
    """How many callers hang, raised the load's own exception, another one, or got an answer."""
    found: Counter[str] = Counter()
    for caller in callers:
        # The first who hangs has used up the patience for all of them.
        if not caller.has_ended(0.1 if found["hang"] else PATIENCE):
            found["hang"] += 1
        elif caller.error is None:
            found["answered"] += 1
        else:
            found["failed" if type(caller.error) is error else type(caller.error).__name__] += 1
    return found


@scenario(
    CROWDS, f"The load fails while others wait: of {FEW} callers each ends, with an exception or an answer"
)
def failing_load(peer: Peer) -> str:
    with failing_first_load(peer, ConnectionError) as (_, callers):
        found = _outcomes(callers, ConnectionError)
    if found["hang"]:
        return f"{found['hang']} hang"
    return f"{OK}: {found['failed']} failed"


@scenario(CROWDS, "... and the key works afterwards")
def after_failing_load(peer: Peer) -> str:
    with failing_first_load(peer, ConnectionError) as (read, callers):
        _outcomes(callers, ConnectionError)
        return OK if Caller(read, KEY).answer() == 1 else "wrong answer"


@scenario(CROWDS, "A KeyboardInterrupt in one load reaches its own caller only")
def interrupted_load(peer: Peer) -> str:
    with failing_first_load(peer, KeyboardInterrupt) as (_, callers):
        found = _outcomes(callers, KeyboardInterrupt)
    if found["hang"]:
        return f"{found['hang']} hang"
    return OK if found["failed"] == 1 else f"{found['failed']} callers interrupted"


@scenario(CROWDS, "... and the key works afterwards")
def after_interrupted_load(peer: Peer) -> str:
    with failing_first_load(peer, KeyboardInterrupt) as (read, callers):
        _outcomes(callers, KeyboardInterrupt)
        return OK if Caller(read, KEY).answer() == 1 else "wrong answer"


@scenario(CROWDS, "A load that asks for its own key ends")
def reentrant_load(peer: Peer) -> str:
    inside = threading.Event()

    def load(key: object) -> Any:
        if inside.is_set():
            return 1
        inside.set()
        return reads.get(key)

    with peer.reads(get=Rule(load)) as reads:
        return OK if Caller(reads.get, KEY).answer() == 1 else "wrong answer"


@scenario(CROWDS, "Two loads that ask for each other's key end")
def crossing_loads(peer: Peer) -> str:
    both_load = threading.Barrier(2)
    inside = threading.local()

    def load(key: object) -> Any:
        if hasattr(inside, "load"):
            return key
        inside.load = True
        with contextlib.suppress(threading.BrokenBarrierError):  # where one load keeps all others out
            both_load.wait(PATIENCE / 2)
        return reads.get("bob" if key == KEY else KEY)

    with peer.reads(get=Rule(load)) as reads:
        callers = [Caller(reads.get, key) for key in (KEY, "bob")]
        for caller in callers:
            caller.answer()
    return OK
