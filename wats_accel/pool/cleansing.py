"""Cleansing: what is done to a connection that comes back, so that its next user finds it as new."""

from __future__ import annotations

from typing import Any

from wats_accel.pool.lease import UNCLEAR, Lease, close_quietly
from wats_accel.pool.rules import Reset


def cleanse(lease: Lease, reset: Reset, baseline: tuple[str, ...]) -> str | None:
    """Undo what the user of a lease has done; gives why the connection cannot be used again, or None."""
    if lease.lost:
        return "lost"
    if lease.doubt not in (None, UNCLEAR):
        return lease.doubt
    try:
        return _cleanse(lease, reset, baseline)
    except Exception:  # noqa: BLE001 - whatever it is: a connection that resists is not used again
        return "failed reset"


def _cleanse(lease: Lease, reset: Reset, baseline: tuple[str, ...]) -> str | None:
    raw, driver = lease.raw, lease.lender.driver
    if lease.dependents:
        for dependent, _ in reversed(list(lease.dependents.values())):
            close_quietly(dependent)
        lease.dependents.clear()
    driver.roll_back(raw)
    if lease.doubt and not lease.dialect.is_alive(raw):
        return "lost"
    for name, value in reversed(lease.changed.items()):
        setattr(raw, name, value)
    if lease.changed:  # some attributes begin a transaction when they are set, or leave the driver's own open
        driver.roll_back(raw)
    if lease.taint or reset == "full":
        if reset == "rollback" or not lease.dialect.reset_sql or lease.taint in lease.dialect.not_reset:
            return f"session state: {lease.taint}" if lease.taint else "no full reset"
        lease.dialect.forget_session(raw, baseline)
    elif _has_history(lease, raw):
        lease.dialect.forget_history(raw)
    return None


def _has_history(lease: Lease, raw: Any) -> bool:
    """Whether the session could tell its next user that rows were written."""
    changes = getattr(raw, "total_changes", None)
    if changes is not None and changes != lease.changes_before:
        return True
    if changes is not None and not lease.inserted:
        return False  # several rows of which the last was refused are no change, but have had a number
    if lease.known_changes is None and not lease.inserted:
        return False  # nothing was called that does more than read
    return lease.dialect.has_history(raw, inserted=lease.inserted)
