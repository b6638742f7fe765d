"""One call of a driver's object on behalf of its user: what goes with it, before and after.

The driver is called exactly once, and its caller gets what it gave or raised. What is ours goes around that:
if it fails, the connection is its user's own from then on, and whoever relies on what was to be seen is told
that nobody knows what the call has done.
"""

from __future__ import annotations

from typing import Any, Protocol

from wats_accel.pool.changes import BY_METHOD, EXECUTING, READS, UNKNOWN, Change, statement_of
from wats_accel.pool.lease import Lease
from wats_accel.pool.observing import Seen, is_observed, see
from wats_accel.pool.own_classes import changes_so_far
from wats_accel.pool.uncommitted import Covered
from wats_accel.transactions import Transaction


class Called(Protocol):
    """What the call is made on: a proxy."""

    _accel_lease: Lease
    _accel_raw: Any

    def _accel_change(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Change: ...

    def _accel_note(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None: ...

    def _accel_present(self, value: Any) -> Any: ...

    def _accel_link(self) -> Any: ...

    def _accel_outlast(self, seen: Seen, told: Any) -> None: ...


class Call:
    """A call that is about to be made, is being made, or has been made.

    A Control-C may come at any moment: so all that is to be undone or settled stands in attributes, as soon
    as it is there, and `failed` finds it.

    Args:
        proxy: what the user calls.
        change: what the call can do to data.
    """

    __slots__ = ("_change", "_counted", "_covered", "_lease", "_proxy", "_seen", "_settling")

    def __init__(self, proxy: Called, change: Change = READS) -> None:
        self._proxy = proxy
        self._lease = proxy._accel_lease
        self._change = change
        self._counted: int | None = None
        self._covered: Covered | None = None
        self._seen: Seen | None = None
        self._settling = False

    # -- before ----------------------------------------------------------------------------------------

    def before(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Be told what is going to be called. Raises nothing of its own."""
        lease = self._lease
        try:
            if lease.observer is not None and lease.released:
                self._counted = changes_of(self._proxy)
            self._change = BY_METHOD.get(name, UNKNOWN) or self._proxy._accel_change(name, args, kwargs)
            if lease.observer is not None and is_observed(name, self._change):
                self.see(name, statement_of(args, kwargs))
            if self._change is not READS or lease.dirty:
                self.begin()
            if lease.on_use is not None and name in EXECUTING:
                lease.on_use(lease)
            self._proxy._accel_note(name, args, kwargs)
        except Exception as error:  # noqa: BLE001 - the driver is called all the same
            self._lose_sight(error)

    def begin(self) -> None:
        """Have the connection know of the call."""
        uncommitted = self._lease.uncommitted
        self._covered = uncommitted.begin(self._change)
        if self._change is READS:
            uncommitted.note_read()

    def see(self, name: str, sql: object) -> None:
        """Show the call to an observer, if there is one."""
        lease = self._lease
        if lease.observer is not None:
            self._seen = see(lease.observer, lease.dialect.language, name, sql, self._change)
            if self._seen is not None:
                self._change = self._seen.change

    def _lose_sight(self, error: Exception) -> None:
        """A call is about to be made of which nobody knows what it does."""
        lease = self._lease
        lease.broke(error)
        self._change = UNKNOWN
        self._covered = self._covered or ()
        with lease.harmless:
            self._covered = lease.uncommitted.begin(UNKNOWN)
        if self._seen is None:
            try:
                self.see("", None)
            except Exception as again:  # noqa: BLE001 - then nobody knows of it at all
                lease.broke(again)
                with lease.harmless:
                    if lease.observer is not None:
                        lease.observer.lost_sight(f"a call could not be shown: {type(again).__name__}")

    # -- after -----------------------------------------------------------------------------------------

    def returned(self, raw: Any) -> Any:
        """Be told what the driver gave; gives what the user gets. Raises nothing of its own."""
        told, lease = raw, self._lease
        try:
            told = self._proxy._accel_present(raw)
            if self._change is READS and lease.dirty:
                lease.uncommitted.note_read()
            if self._covered is not None:  # of a read, too: it shows a commit that nobody has seen
                self.settle(told)
            if self._counted is not None and self._seen is None:
                self._notice_other_changes()
        except Exception as error:  # noqa: BLE001 - the call has been made, and its user gets its result
            lease.broke(error)
            self._lose_track()
        return told

    def settle(self, told: Any = None) -> None:
        """See what the call has done to data, and tell who observes it, before its user goes on."""
        self._settling = True
        self._settle(raised=False, told=told)

    def failed(self, error: BaseException) -> None:
        """Be told what the driver raised, or that the call was cut short. Raises nothing of its own."""
        lease = self._lease
        try:
            with lease.harmless:
                lease.failed(error)
                if self._covered is None and self._seen is not None:
                    self._covered = lease.uncommitted.begin(self._change)
                if self._covered is not None and not self._settling:
                    self._settling = True
                    self._settle(raised=True)
                    self._settling = False
        finally:
            if self._settling:  # once it was cut short nobody knows how far it has come
                self._lose_track()

    def _settle(self, *, raised: bool, told: Any = None) -> None:
        lease, link, seen = self._lease, self._proxy._accel_link(), self._seen
        lost = raised and lease.lost
        part_of = lease.uncommitted.settle(
            self._change, self._covered or (), lease.lender.driver, link, raised=raised, lost=lost
        )
        if seen is not None:
            if part_of is None:
                self._proxy._accel_outlast(seen, told)
            seen.observer.after(seen.token, self._change, part_of)

    def _lose_track(self) -> None:
        part_of: Transaction | None = None
        if self._covered is not None:
            with self._lease.harmless:
                part_of = self._lease.uncommitted.lose_track(self._change, self._covered)
        if self._seen is not None:
            self._seen.observer.after(self._seen.token, UNKNOWN, part_of)

    def _notice_other_changes(self) -> None:
        if changes_of(self._proxy) not in (None, self._counted):
            notice(self._proxy)


# -- changes out of sight --------------------------------------------------------------------------------


def changes_of(proxy: Called) -> int | None:
    """How many rows a connection has changed so far, if a class of its user's may do so out of sight."""
    return changes_so_far(proxy._accel_raw.__class__, proxy._accel_link())


def notice(proxy: Called) -> None:
    """Have an observer know of a change that a class of the user's own has made out of sight."""
    if proxy._accel_lease.observer is None:
        return
    call = Call(proxy, UNKNOWN)
    call.begin()
    call.see("", None)
    call.settle()
