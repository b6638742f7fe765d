"""Loading: who runs the method and who waits for it, and what becomes of its answer."""

from __future__ import annotations

import threading
import time

from wats_accel.cache.copying import Snapshot, Uncopyable, take_snapshot
from wats_accel.cache.entries import DetailedEntry, Entry, place_of
from wats_accel.cache.flights import wait_for
from wats_accel.cache.key_size import is_too_large
from wats_accel.cache.loads import NOT_FOUND, Load, enter_load, leave_load, stacks
from wats_accel.cache.namespace import Departures
from wats_accel.cache.nesting import tell_outer_load
from wats_accel.cache.region import Region, report_departures
from wats_accel.cache.results import same_result
from wats_accel.cache.sizing import ENTRY_BYTES, estimate_bytes
from wats_accel.cache.writers import is_writing
from wats_accel.events import Hit, Joined, LoadFailed, NotStored, ServedStale, Stored
from wats_accel.failures import failures_met, note_failure
from wats_accel.transactions import has_uncommitted_changes

# -- beginning -------------------------------------------------------------------------------------------


def begin(region: Region, load: Load) -> Entry | None:
    """Begin a load, or get the answer of one that another call has begun.

    Whoever is writing waits for nobody: the other load may wait for his transaction. Nor does a finalizer
    that runs in the middle of what holds the lock: the other load needs that in order to end.

    Returns:
        the entry that answers the call; None: run the method now, then call `finish` or `fail`.

    Raises:
        Exception: of what is foreign in it. Then run the method all the same, and have nothing stored.
    """
    alone: bool | None = None  # that is asked only where there is a load to wait for
    began = 0.0
    while True:
        entry, flight = _board_or_join(region, load, alone=alone)
        if entry is not None:
            return _found(region, load, entry)  # point: found-after-all
        if flight is None:
            enter_load(load)  # point: boarded
            region.counters.misses += 1
            region.bus.checkpoint()
            return None
        if alone is None:
            alone = is_writing() or has_uncommitted_changes() or _holds(region.lock)
            began = time.perf_counter()
            continue
        now = time.perf_counter()
        if not wait_for(flight, began + region.rules.wait_seconds - now, load):
            _stop_joining(region, flight)
            alone = True
        elif flight.entry is not None and _is_good(region, flight.entry):
            return _joined(region, load, flight.entry, now)
        else:
            # One that an invalidation has overtaken is no answer for anybody else, so: once more. One that
            # failed is none either; then everybody tries for himself, as without a cache.
            alone = flight.entry is None and not flight.overtaken  # point: flight-landed


def _holds(lock: threading.RLock) -> bool:
    is_owned = getattr(lock, "_is_owned", None)  # what `threading.Condition` asks as well
    return bool(is_owned and is_owned())


def _board_or_join(region: Region, load: Load, *, alone: bool | None) -> tuple[Entry | None, Load | None]:
    """What answers the call already, or the load to wait for; if neither, `load` is registered now."""
    departures: Departures = []
    flight = None
    with region.lock:
        entry = usable(region, load, departures)
        if entry is None:
            flight = None if alone else region.flights.of_key(load.key)
            if flight is None or not _is_joinable(region, flight):
                flight = None
                board(region, load)
            elif alone is not None:
                region.flights.join(flight)
    if departures:
        report_departures(departures)
    return entry, flight


def _is_joinable(region: Region, flight: Load) -> bool:
    ttl = region.rules.ttl_seconds
    if ttl and region.clock() - flight.began_at >= ttl:
        region.flights.give_up(flight)  # its answer would be too old already
        return False
    return True


def _is_good(region: Region, entry: Entry) -> bool:
    # A grace keeps entries that are too old to answer a call: they only stand in for failures.
    return entry.fresh_until > region.clock() and entry.breach() is None


def _stop_joining(region: Region, flight: Load) -> None:
    """A load that has kept a call waiting for too long keeps no other one."""
    if time.perf_counter() - flight.started >= region.rules.wait_seconds:
        with region.lock:
            region.flights.give_up(flight)


def begin_renewal(region: Region, load: Load) -> bool:
    """Begin a load whose answer nobody waits for; False if one of its key is under way already."""
    with region.lock:
        if region.flights.of_key(load.key) is not None:
            return False
        board(region, load)
    enter_load(load)
    region.counters.refreshed += 1
    return True


def usable(region: Region, load: Load, departures: Departures) -> Entry | None:
    """The entry that answers a load's call, if there is one. Called under the lock."""
    try:
        entry = region.settle(load.key, departures)
    except Exception:  # noqa: BLE001 - an entry that a store cannot give is a miss
        return None
    if entry is None:
        return None
    now = region.clock()
    if entry.fresh_until <= now and not region.renew(entry, now):
        return None
    if entry.due_at <= region.clock():
        entry.due_at = entry.fresh_until  # whoever sees it first renews it, and nobody else
        load.renews = True
    entry.visited = True
    return entry


def board(region: Region, load: Load, *, joinable: bool = True) -> None:
    """Register a load that begins now. Called under the lock; `enter_load` follows."""
    if region.scopes.dead:
        region.bury_dead_instances()
    load.failures = failures_met()
    load.version = region.version
    load.footprint = region.declared
    load.began_at = region.clock()
    load.started = time.perf_counter()
    if region.bounds.longest_seconds is not None:
        load.expires_by = load.gone_by = load.began_at + region.bounds.longest_seconds
    if has_uncommitted_changes():
        load.objection = "uncommitted_changes"
    elif region.settling is not None and region.is_settling():
        load.objection = "settling"  # it may read what is being changed by a write that nobody sees end
    (region.flights.board if joinable else region.flights.register)(load)


def _found(region: Region, load: Load, entry: Entry) -> Entry:
    region.counters.hits += 1
    if region.on_hit.listeners:
        region.on_hit.send(Hit(load.label(), region.rules.target))
    return entry


def _joined(region: Region, load: Load, entry: Entry, since: float) -> Entry:
    region.counters.misses += 1
    region.counters.joined += 1
    if region.bus.channel(Joined).listeners:
        region.bus.emit(Joined(load.label(), region.rules.target, time.perf_counter() - since))
    return entry


# -- ending ----------------------------------------------------------------------------------------------


def finish(
    region: Region, load: Load, result: object, *, objection: str | None = None, never: object = None
) -> Entry | None:
    """End a load that gave `result`: store it, unless there is a reason not to.

    Args:
        region: of the method.
        load: what has begun.
        result: the method's answer; it stays the caller's own, and may be changed by him.
        objection: a reason of the caller's for not storing it.
        never: what must not be copied along with it: the instance that the method was called on.

    Returns:
        the entry to answer from instead, if `result` is the answer to a failure; otherwise None.
    """
    why_not: str | None = "store_failed"
    seconds, failure = 0.0, None
    try:
        leave_load(load)
        seconds = time.perf_counter() - load.started if load.started else 0.0
        counters = region.counters
        if load.found is NOT_FOUND:  # else the method has not run
            counters.loads += 1
            counters.load_seconds += seconds
        why_not = objection or _objection(load) or _store(region, load, result, never)
    except Exception as error:  # noqa: BLE001 - stores and values are foreign code
        failure = type(error).__name__
    finally:
        if why_not is not None:  # else it has landed in the same step in which its answer was stored
            end(region, load)
    if stacks:
        tell_outer_load(region, load, why_not)
    if failure is not None:
        region.broke(failure)
    if why_not is None:
        if not region.breaker.closed:
            region.worked()
        region.counters.stored += 1
        if region.on_stored.listeners:
            region.bus.emit(Stored(load.label(), region.rules.target, seconds))
        return None
    region.counters.not_stored[why_not] += 1
    if region.bus.channel(NotStored).listeners:
        region.bus.emit(NotStored(load.label(), region.rules.target, why_not))
    return _stand_in(region, load, why_not) if why_not == "unless_result" else None


def fail(region: Region, load: Load, error: BaseException) -> Entry | None:
    """End a load that raised; safe to call when it has not even begun.

    Returns:
        the entry to answer from instead of raising, if the rules allow one to stand in for this error.
    """
    end(region, load)
    if not load.started and not load.objection:
        return None
    note_failure()  # whoever called this method may swallow the error
    if not load.started:
        return None
    region.counters.load_failures += 1
    why = type(error).__name__
    if region.bus.channel(LoadFailed).listeners:
        region.bus.emit(LoadFailed(load.label(), region.rules.target, why))
    excused = isinstance(error, Exception) and region.rules.ages.excuses(error)
    return _stand_in(region, load, why) if excused else None


def end(region: Region, load: Load) -> None:
    """Have a load be over, and whoever waits for it go on. Safe to call at any time, and more than once."""
    leave_load(load)
    with region.lock:
        region.flights.land(load)


def _objection(load: Load) -> str | None:
    if not load.started:
        return "load_not_registered"
    if load.objection:
        return load.objection
    if failures_met() != load.failures:
        return "failure_within"
    return "uncommitted_changes" if has_uncommitted_changes() else None


def is_failure(region: Region, result: object) -> bool:
    """Whether a result is one of those that the rules list as answers to a failure."""
    literals = region.rules.unless_results
    return bool(literals) and any(same_result(result, literal) for literal in literals)


def _store(region: Region, load: Load, result: object, never: object) -> str | None:
    if region.rules.unless_results and is_failure(region, result):
        return "unless_result"
    if load.known_texts is not None and is_too_large(load.key):  # else its parts are few and short
        return "key_too_large"
    try:
        snapshot = take_snapshot(result, region.rules.copy_mode, never=never)
    except Uncopyable:
        return "uncopyable"
    entry = _entry(region, load, snapshot)
    with region.lock:  # point: about-to-store
        why_not = region.why_not_keep(entry, load)
        if why_not is not None:
            return why_not
        departures = region.keep(entry)
        if load.overtaken:  # by a write of a finalizer's, which has run in the middle of that
            region.remove(entry)
            why_not = "overtaken"
        else:
            load.entry = entry
            region.flights.land(load)  # in the same step: nobody joins it who finds the entry gone again
    if departures:
        report_departures(departures)
    return why_not


def _entry(region: Region, load: Load, snapshot: Snapshot) -> Entry:
    rules, ages = region.rules, region.rules.ages
    home, place = region.home_of(load.key[0]), place_of(load.key)
    premises = tuple(load.premises.values()) if load.premises else ()
    # Which of two loads began later is of interest only where one that began before is still under way.
    is_alone = len(region.flights) <= 1
    needs_details = ages.grace_seconds or ages.refresh_after or region.counts_bytes
    if is_alone and load.known_texts is None and not needs_details:
        end_at = ages.end(load.began_at, rules.ttl_seconds, at_most=load.expires_by)
        return Entry(home, place, snapshot, end_at, premises, load.footprint)
    lifetime = ages.lifetime(load.began_at, rules.ttl_seconds, at_most=load.expires_by, gone_by=load.gone_by)
    return DetailedEntry(
        home,
        place,
        snapshot,
        lifetime.expires_at,
        premises,
        load.footprint,
        texts=load.texts,
        began_at=load.began_at,
        number=0 if is_alone else load.number,
        fresh_until=lifetime.fresh_until,
        due_at=lifetime.due_at,
        size=_size(load, snapshot) if region.counts_bytes else 0,
    )


def _size(load: Load, snapshot: Snapshot) -> int:
    return ENTRY_BYTES + estimate_bytes((place_of(load.key), load.texts, snapshot.stored))


# -- standing in for a failure ---------------------------------------------------------------------------


def _stand_in(region: Region, load: Load, why: str) -> Entry | None:
    """The last good answer, if the rules let it stand in and no write has dropped it."""
    if not region.rules.ages.grace_seconds or region.rules.shadow:
        return None
    departures: Departures = []
    try:
        with region.lock:
            entry = region.settle(load.key, departures)
    except Exception:  # noqa: BLE001 - then there is none
        return None
    report_departures(departures)
    if entry is None:
        return None
    note_failure()  # an answer that is made from this one must not be kept
    region.counters.served_stale += 1
    if region.bus.channel(ServedStale).listeners:
        age = region.clock() - entry.began_at
        region.bus.emit(ServedStale(load.label(), region.rules.target, why, age))
    return entry
