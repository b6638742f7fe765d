"""The clock: what reads the time of day. What only measures how long something takes is not among it."""

from __future__ import annotations

from typing import Final

_CLOCKS: Final = frozenset(
    {
        *(f"datetime.datetime.{name}" for name in ("now", "today", "utcnow")),
        "datetime.date.today",
        *(
            f"time.{name}"
            for name in ("time", "time_ns", "localtime", "gmtime", "ctime", "asctime", "strftime")
        ),
        *(f"pandas.Timestamp.{name}" for name in ("now", "today", "utcnow")),
        *(f"pendulum.{name}" for name in ("now", "today", "tomorrow", "yesterday")),
        *(f"arrow.{name}" for name in ("now", "utcnow", "get")),
        *(f"django.utils.timezone.{name}" for name in ("now", "localtime", "localdate")),
        "os.times",
        "uuid.uuid1",
    }
)
_METHODS: Final = frozenset({"utcnow", "now", "today"})
_FIRST: Final = frozenset({"datetime", "date", "dt", "timezone", "Timestamp", "pd", "pendulum", "arrow"})


def reads_clock(name: str) -> bool:
    """Whether a function from outside the tree tells the time, by its dotted name."""
    if name in _CLOCKS:
        return True
    before, _, last = name.rpartition(".")
    return last in _METHODS and before.rpartition(".")[2] in _FIRST


def needs_argument(name: str) -> bool:
    """Whether it tells the time only if it is given none: ``time.strftime(format)``."""
    return name in (
        "time.localtime",
        "time.gmtime",
        "time.ctime",
        "time.asctime",
        "time.strftime",
        "arrow.get",
    )
