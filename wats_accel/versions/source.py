"""Sources: who can be asked for versions, and what every one of them owes to who asks."""

from __future__ import annotations

from typing import Any, Protocol

from wats_accel.errors import AccelError
from wats_accel.versions.answers import Versions


class SourceLostError(AccelError):
    """The connection speaks of a database that is no longer the one that others use. Open another one."""


class VersionSource(Protocol):
    """Tells which tables of one database have changed.

    If a table has the same number in two answers of the same epoch, the second of which was asked for when
    the first was there, then no transaction that has changed it has ended between them. A commit that has
    returned before a question was asked is in the answer. Nothing depends on the clock of any computer.

    A source belongs to one thread at a time. Whatever it or the driver raises means doubt, as the answer
    "everything" does: the connection is to be closed, and `begin` to be asked on another one.
    """

    def begin(self, connection: Any) -> Versions:
        """Prepare a connection, and ask for the first time.

        The connection is used for nothing else from then on: its settings are changed, it commits by itself,
        and what is written through it may go unnoticed.

        Args:
            connection: a new one, of any DB-API driver.
        """
        ...

    def poll(self, connection: Any) -> Versions:
        """Ask again, on a connection that has begun: one statement, one round trip."""
        ...
