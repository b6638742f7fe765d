"""When time alone changes an answer: found out by SQL or by a function of the application's."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import math
import operator
import re
from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final

from wats_accel.cache.keys import ArgumentReader
from wats_accel.errors import TargetError
from wats_accel.targets import Target
from wats_accel.wrappers.bypassing import Args, Kwargs
from wats_accel.wrappers.named_parameters import NamedSql, paramstyle_of

NOW: Final = "now"
"""The parameter that stands for the local time, unless the method has one of this name."""


class FunctionNextChange:
    """Asks a function, which is called with the call's own arguments.

    Args:
        target: the function, ``package.module:function``; imported when it is first needed, since it may
            be in a module that is not complete yet.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._function: Callable[..., Any] | None = None

    def __call__(self, args: Args, kwargs: Kwargs) -> float | None:
        """When the answer of a call changes, in seconds since the epoch; None: never.

        Raises:
            Exception: whatever the function raises; ValueError or TypeError if it gives no moment.
        """
        if self._function is None:
            module = importlib.import_module(self._target.module)
            self._function = operator.attrgetter(self._target.path)(module)
        return seconds_since_epoch(self._function(*args, **kwargs))


class SqlNextChange:
    """Asks the database: the first column of the first row is the moment.

    Args:
        sql: names the call's arguments, as in ``:username``; ``:now`` is the local time.
        cursor: the path to a cursor, to a connection, or to what gives one of them when it is called.
        signature: of the method as a plain function.
        has_instance: whether the first parameter is the instance or class.
        is_exact: whether calls are bound by that very signature.
        wall_clock: seconds since the epoch.

    Raises:
        TargetError: the text or the path names what the method does not have.
    """

    def __init__(
        self,
        sql: str,
        *,
        cursor: str,
        signature: inspect.Signature,
        has_instance: bool,
        wall_clock: Callable[[], float],
        is_exact: bool = True,
    ) -> None:
        if not is_exact:
            raise TargetError("a decorator may change its arguments: the SQL of 'valid_until' needs them")
        self._sql = NamedSql(sql)
        self._cursor_path = cursor
        self._wall_clock = wall_clock
        self._binds_now = NOW in self._sql.names and NOW not in signature.parameters
        names = {name for name in self._sql.names if not (self._binds_now and name == NOW)}
        own = {"self", "cls", *list(signature.parameters)[:1]} if has_instance else set()
        if names & own:
            raise TargetError(f"the SQL of 'valid_until' cannot name {sorted(names & own)[0]!r}")
        self._reader = ArgumentReader(
            signature, has_instance=has_instance, paths=(*sorted(names), cursor), is_exact=is_exact
        )

    def __call__(self, args: Args, kwargs: Kwargs) -> float | None:
        """When the answer of a call changes, in seconds since the epoch; None: never.

        Raises:
            Exception: whatever the driver raises; LookupError if an argument or the cursor is not there;
                ValueError or TypeError if the row has no moment.
        """
        found = dict(self._reader.read(args, kwargs))
        if self._binds_now:
            found[NOW] = datetime.fromtimestamp(self._wall_clock())
        with _cursor_at(found.get(self._cursor_path)) as cursor:
            sql, parameters = self._sql.written_for(paramstyle_of(cursor), found)
            if parameters:
                cursor.execute(sql, parameters)
            else:
                cursor.execute(sql)
            row = cursor.fetchone()
        return None if row is None else seconds_since_epoch(row[0])


# -- cursors -----------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _cursor_at(place: Any) -> Iterator[Any]:
    """A cursor of our own for a ``with`` block, from what the path has led to.

    Nothing is committed, and no connection is closed: it may be shared. One that was opened for this
    cursor ends with the last reference to it, as those of the application do.
    """
    cursor = _opened(place)
    try:
        yield cursor
    finally:
        cursor.close()


def _opened(place: Any) -> Any:
    if _is_cursor(place):
        return place.connection.cursor()  # somebody else reads from that one
    if not hasattr(place, "cursor") and callable(place):
        place = place()
        if _is_cursor(place):
            return place
    if place is None:  # of a parameter, or of a function that could not connect
        raise LookupError("there is no cursor")
    return place.cursor()


def _is_cursor(place: Any) -> bool:
    return hasattr(place, "fetchone") and hasattr(place, "execute")


# -- moments -----------------------------------------------------------------------------------------------

_LAST_YEAR: Final = 9999
_FRACTION: Final = re.compile(r"\.(\d+)")


def seconds_since_epoch(moment: object) -> float | None:
    """What an application means by a moment.

    Args:
        moment: a datetime (a naive one is local time, by the rules of `datetime.timestamp`), a date (its
            first moment), seconds since the epoch, a text in the form of ISO 8601, or None.

    Returns:
        seconds since the epoch; None: never. The last year of the calendar is never, too: it is what
        stands in many a column for "without end".

    Raises:
        TypeError: it is nothing of these.
        ValueError: it is no moment.
    """
    if isinstance(moment, str):
        moment = _moment_in_text(moment)
    elif isinstance(moment, date) and not isinstance(moment, datetime):
        moment = datetime.combine(moment, time.min)
    if isinstance(moment, datetime):
        # At the end of the calendar the local time may be one that UTC cannot say.
        return None if moment.year == _LAST_YEAR else moment.timestamp()
    if moment is None:
        return None
    if isinstance(moment, int | float | Decimal) and not isinstance(moment, bool):
        if math.isfinite(moment):
            return float(moment)
        raise ValueError("a moment is a finite number of seconds")
    raise TypeError(f"expected a moment, got {type(moment).__name__}")


def _moment_in_text(text: str) -> datetime:
    # As far as Python 3.10 reads it, which knows six digits of a second, and no Z.
    text = _FRACTION.sub(lambda found: "." + found[1][:6].ljust(6, "0"), text.strip())
    try:
        return datetime.fromisoformat(re.sub("[zZ]$", "+00:00", text))
    except ValueError:
        raise ValueError("expected a moment in the form of ISO 8601") from None  # the text is a value
