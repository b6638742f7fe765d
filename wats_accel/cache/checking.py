"""Checking: runs of a method beside its cache, and whether what they give says anything of an entry."""

from __future__ import annotations

from wats_accel.cache.comparing import difference
from wats_accel.cache.entries import Entry
from wats_accel.cache.loading import board, end, is_failure, usable
from wats_accel.cache.loads import Load, enter_load
from wats_accel.cache.namespace import Departures
from wats_accel.cache.nesting import tell_outer_load
from wats_accel.cache.region import Region, report_departures
from wats_accel.cache.writers import is_writing
from wats_accel.failures import failures_met, note_failure
from wats_accel.transactions import has_uncommitted_changes


class Inconclusive(Exception):  # noqa: N818 - it reads as what the comparison is
    """Nobody can tell whether an entry is wrong. The message is the reason."""


def would_answer(region: Region, load: Load) -> Entry | None:
    """The entry that would answer a load's call; `load.renews` says whether it would be renewed then."""
    departures: Departures = []
    with region.lock:
        entry = usable(region, load, departures)
    report_departures(departures)
    return entry


def begin_beside(region: Region, load: Load) -> None:
    """Begin a load that nobody joins, whatever there is. `end` it, or have it `finish`."""
    with region.lock:
        board(region, load, joinable=False)
    enter_load(load)


def compare(region: Region, load: Load, entry: Entry, result: object) -> str | None:
    """In which shape the method's own answer differs from an entry; None if it is the same.

    The load has run, and has not ended yet: invalidations must find it until this has looked. Who holds the
    entry when the load has run has held it since before: under a key no entry comes back.

    Raises:
        Inconclusive: the entry may have been right when it was given. So it is when a write came in
            between or is under way, when anything failed, or when the answers cannot be compared.
    """
    try:
        how = difference(entry.snapshot.give(), result)
        why_not = _why_inconclusive(region, load, entry, result)
    except Exception as error:  # noqa: BLE001 - values and stores are foreign code
        raise Inconclusive(type(error).__name__) from None
    if why_not is not None:
        raise Inconclusive(why_not)
    return how


def _why_inconclusive(region: Region, load: Load, entry: Entry, result: object) -> str | None:
    if load.objection:
        return load.objection
    if failures_met() != load.failures or is_failure(region, result):
        return "failure_within"
    if is_writing() or has_uncommitted_changes():
        return "uncommitted_changes"  # which the entry must not show, and the method does
    with region.lock:
        if load.overtaken or not region.vouches_for(entry):
            return "overtaken"
        if region.is_being_written(load.texts):
            return "being_written"
        if region.is_settling():
            return "settling"
        if not region.active:
            return "switched_off"
        if entry.fresh_until <= region.clock() or entry.breach() or _rests_on_what_is_gone(load):
            return "expired"
        return None if region.watch is None else region.watch.why_not_keep(region, load)


def _rests_on_what_is_gone(load: Load) -> bool:
    return any(premise.breach() for premise in load.premises.values())


def end_beside(region: Region, load: Load, result: object) -> None:
    """End a load whose answer is not stored. A load around it gets to know what its method has got."""
    why = "overtaken" if load.overtaken else load.objection
    if why is None and region.is_being_written(load.texts):
        why = "being_written"
    if is_failure(region, result):
        note_failure()
    end(region, load)
    tell_outer_load(region, load, why)
