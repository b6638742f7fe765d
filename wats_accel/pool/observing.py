"""Observing: who sees each call that may read or change data, on whatever connection.

The pool knows drivers, calls and transactions, and nothing of SQL or of caches. So it tells an observer,
if there is one, before the driver is called and after the call is settled.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from wats_accel.pool.changes import BEGIN, EXECUTING, READS, Change
from wats_accel.transactions import Transaction

_READS_PAST_SQL: Final = frozenset(
    {"backup", "blobopen", "columns", "foreignKeys", "getTypeInfo", "iterdump", "primaryKeys"}
    | {"procedureColumns", "procedures", "rowIdColumns", "rowVerColumns", "serialize", "statistics", "tables"}
)
"""Methods that read data, or the catalogue, without a text of SQL."""


class Observer(Protocol):
    """Who is told of each call. None of its methods raises anything of its own.

    One that has the attribute `loading`, the numbers of all threads that load something just now, is not told
    of calls of other threads that it has said to be reads alone.
    """

    def before(self, language: str, name: str, sql: object, change: Change) -> object | None:
        """Be told of a call, before the driver is.

        Args:
            language: that the database speaks: `Dialect.language`.
            name: of the driver's method.
            sql: what it is given to execute, or to call by name; None if that is neither.
            change: what the call can do to data, as far as its name and the first words of a text tell.

        Returns:
            what `after` wants, if the call may change data; None if it does not.
        """
        ...

    def after(self, token: object, change: Change, transaction: Transaction | None) -> None:
        """Be told that a call of which `before` gave something has returned or raised, and is settled.

        Args:
            token: what `before` gave.
            change: what the call could do.
            transaction: that the change is a part of; None if nothing is open.
        """
        ...

    def outlasts(self, token: object) -> Callable[[], object]:
        """Be told, before `after`, that a change may be committed later than its call returns.

        Returns:
            what is called when that is over, in any thread, perhaps by the garbage collector in the middle of
            anything: it must wait for nobody.
        """
        ...

    def only_reads(self, language: str, sql: str) -> bool:
        """Whether executing a text changes nothing, as far as is known from its last time."""
        ...

    def reader(self) -> object:
        """On whose behalf this thread reads right now: what `fetched` wants of a statement."""
        ...

    def fetched(self, reader: object) -> None:
        """Be told, before rows are fetched, on whose behalf their statement was executed."""
        ...

    def lost_sight(self, why: str) -> None:
        """Be told that there is a connection of which nobody sees what is done with it."""
        ...


def is_observed(name: str, change: Change) -> bool:
    """Whether an observer is told of a call."""
    if change is READS:
        return name in EXECUTING or name in _READS_PAST_SQL
    return name in EXECUTING or (change.may_change and change is not BEGIN)


@dataclass(frozen=True, slots=True)
class Seen:
    """A call that may change data, from the moment before it until it is settled.

    Attributes:
        observer: who has seen it.
        token: what that one gave.
        change: what the call can do. An observer who reads the whole text may know of more than the first
            words tell: a SELECT may call a function that writes.
    """

    observer: Observer
    token: object
    change: Change


def see(observer: Observer, language: str, name: str, sql: object, change: Change) -> Seen | None:
    """Show an observer a call, before it is made; None if it changes nothing."""
    token = observer.before(language, name, sql, change)
    try:
        if token is None:
            return None
        known = change if change.may_change else dataclasses.replace(change, may_change=True)
        return Seen(observer, token, known)
    except BaseException:  # a Control-C; else the change would be under way for ever
        observer.after(token, change, None)
        raise
