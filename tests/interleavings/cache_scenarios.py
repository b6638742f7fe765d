"""What threads do to a cache, as actors: reads, writes, and whatever else moves entries.

All operations meet in the same two rows: ``warm`` has an entry when a run begins, ``cold`` has none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from actors import point
from exploration import Scenario
from history_check import check
from noted_application import REFRESH_AFTER, TTL_SECONDS, NotedApplication
from scheduler import TIMES_OUT, Run

from wats_accel.cache.loads import stacks


def _load_or_join(app: NotedApplication, me: str) -> None:
    app.get("cold")
    point("caller.reads again")
    app.get("cold")  # perhaps what this very call has stored: it must not be older


def _hit(app: NotedApplication, me: str) -> None:
    app.get("warm")


def _load_nested(app: NotedApplication, me: str) -> None:
    app.list()
    point("caller.reads again")
    app.list()


def _invalidate_exact(app: NotedApplication, me: str) -> None:
    app.put(["cold"], ["rows:get:{names}"], me)  # the list rests on that row's entry, and goes with it


def _invalidate_pattern(app: NotedApplication, me: str) -> None:
    app.put(["warm", "cold"], ["lists:list:*", "rows:get:[cw]*"], me)


def _invalidate_namespace(app: NotedApplication, me: str) -> None:
    app.put(["warm", "cold"], ["rows:*", "lists:*"], me)


def _invalidate_by_hand(app: NotedApplication, me: str) -> None:
    app.change_unannounced(me, lambda: app.drop("lists:*", "rows:*"))


def _expire(app: NotedApplication, me: str) -> None:
    app.change_unannounced(me, lambda: app.clock.advance(TTL_SECONDS))
    app.get("warm")


def _evict(app: NotedApplication, me: str) -> None:
    app.get("other")


def _refresh(app: NotedApplication, me: str) -> None:
    app.clock.advance(TTL_SECONDS * REFRESH_AFTER)
    point("clock.advanced")
    app.get("warm")
    point("background.begins")
    app.renewals.run()


def _fail_store(app: NotedApplication, me: str) -> None:
    app.store.failing |= {"get", "put", "remove", "clear", "entries", "len"}
    point("store.fails")
    app.store.failing.clear()


READS: dict[str, Callable[[NotedApplication, str], None]] = {
    "load or join": _load_or_join,  # which of both it is, the order decides
    "hit": _hit,
    "nested load": _load_nested,
}
WRITES: dict[str, Callable[[NotedApplication, str], None]] = {
    "invalidate exact": _invalidate_exact,
    "invalidate pattern": _invalidate_pattern,
    "invalidate namespace": _invalidate_namespace,
    "invalidate by hand": _invalidate_by_hand,
    "expire": _expire,
}
DISTURBANCES: dict[str, Callable[[NotedApplication, str], None]] = {
    "evict": _evict,
    "refresh": _refresh,
    "store failure": _fail_store,
}
OPERATIONS = READS | WRITES | DISTURBANCES
"""What an actor may do. It is told its own name, under which it writes."""


def scenario(kinds: Sequence[str], *, patient: bool = True) -> Scenario:
    """An application, an actor for each of these operations, and the check of what they have done.

    Args:
        kinds: names of `OPERATIONS`.
        patient: whether calls wait for the loads of others as long as it takes.
    """
    kind_of = {f"{number} {kind}": kind for number, kind in enumerate(kinds, 1)}
    writers = [name for name, kind in kind_of.items() if kind in WRITES]
    app = NotedApplication(writers, wait_seconds=3_600.0 if patient else 0.0)
    app.get("warm")

    def verify(run: Run) -> None:
        _check_answers(app)
        _check_rest(app)
        if patient:
            _check_waits(run)
        if patient and READS.keys() >= set(kinds):
            assert app.runs["get"] <= 2, "a row was read more than once"
            assert app.runs["list"] <= 1, "the list was read more than once"

    actors = {name: partial(OPERATIONS[kind], app, name) for name, kind in kind_of.items()}
    return Scenario(actors, verify)


def _check_answers(app: NotedApplication) -> None:
    """Nobody got a stale answer, nobody will, no call ran its method twice, and the cache still caches."""
    for method, calls in app.calls.items():
        assert app.runs[method] <= calls + app.renewals.count, f"a call ran {method} more than once"
    app.renewals.run()  # late
    for read in (partial(app.get, "warm"), partial(app.get, "cold"), app.list):
        read()
        runs = sum(app.runs.values())
        read()
        assert sum(app.runs.values()) == runs or app.rows.why_off, "what was loaded is not kept any more"
    violations = check(app.history)
    assert not violations, "; ".join(map(str, violations))


def _check_rest(app: NotedApplication) -> None:
    """Nothing is left of loads and writes that have ended."""
    for region in (app.rows, app.lists):
        assert not len(region.flights), "a load is still registered"
        assert not region.is_being_written(None), "a write is still open"
    assert not stacks, "a thread is still inside a load"


def _check_waits(run: Run) -> None:
    """Somebody woke everybody who waited: a wait times out only where nobody else can go on."""
    forgotten = [step for step in run.steps if step.move.endswith(TIMES_OUT)]
    assert not forgotten, f"nobody wakes {forgotten[0]}"
