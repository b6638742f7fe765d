"""What was aimed at: each goal is a figure of `wats_accel`, or its ratio to another one of the same run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

WATS: Final = "wats_accel"
BY_DATABASE: Final = "wats_accel (scope: self.db.connection_string)"
LRU_CACHE: Final = "functools.lru_cache"
_DATABASES: Final = ("SQLite", "SQLite over ODBC", "PostgreSQL over ODBC")
_KINDS: Final = ("as WATS has them", "of all kinds")
_ROWS: Final = "hit: 200 rows of pyodbc, "
_SCALES: Final = {"times": 1.0, "µs": 1e6, "bytes": 1.0}


@dataclass(frozen=True)
class Figure:
    """What was measured of one thing: seconds, or bytes, once for each round."""

    samples: Sequence[float]

    @property
    def least(self) -> float:
        """What it costs when nothing comes in between."""
        return min(self.samples)

    @property
    def median(self) -> float:
        """What it cost in the middle of all rounds."""
        return median(self.samples)


Figures = dict[str, dict[str, Figure]]
"""By group, and by whose they are."""


@dataclass(frozen=True)
class Goal:
    """One goal.

    Attributes:
        key: names it in `remarks` and in the saved results.
        what: what it is about, for people.
        group: where the figures are.
        peer: whose figure it is.
        bound: what it may be at most.
        over: whose figure it is divided by.
        minus: whose figure is taken away from it.
        unit: of the bound: a ratio, µs, bytes.
        at_least: it may be no less than the bound.
    """

    key: str
    what: str
    group: str
    bound: float
    peer: str = WATS
    over: str | None = None
    minus: str | None = None
    unit: str = "times"
    at_least: bool = False

    def measured(self, figures: Figures) -> tuple[float, float] | None:
        """By the least of all rounds, and by the median round; None: not measured.

        A ratio is taken round by round: what disturbed one of the two disturbed the other in the same round.
        """
        group = figures.get(self.group, {})
        if not {self.peer, self.over or self.peer, self.minus or self.peer} <= group.keys():
            return None
        own, scale = group[self.peer], _SCALES[self.unit]
        if self.over is not None:
            other = group[self.over]
            pairs = zip(own.samples, other.samples, strict=True)
            return own.least / other.least, median(mine / theirs for mine, theirs in pairs)
        if self.minus is not None:
            other = group[self.minus]
            return (own.least - other.least) * scale, (own.median - other.median) * scale
        return own.least * scale, own.median * scale

    def holds(self, value: float) -> bool:
        """Whether a figure is within the bound."""
        return value >= self.bound if self.at_least else value <= self.bound

    @property
    def text(self) -> str:
        """The bound, for people."""
        return f"{'≥' if self.at_least else '≤'} {self.bound:g} {self.unit}"


def _hits(key: str, what: str, group: str, bound: float, over: str) -> list[Goal]:
    """Both for an instance with entries of its own, and for those that share a database."""
    return [
        Goal(key, f"{what}; each instance for itself", group, bound, over=over),
        Goal(
            f"{key}, by database",
            f"{what}; `scope: self.db.connection_string`",
            group,
            bound,
            BY_DATABASE,
            over,
        ),
    ]


def _by_call(how: str, peer: str, what: str) -> Goal:
    return Goal(
        f"hit with {how}{what}",
        f"hit with {how}{what} ÷ the positional one",
        "hit: ways to call",
        2.0,
        f"{peer}, {how}",
        f"{peer}, positional",
    )


def _checkout(database: str) -> Goal:
    return Goal(
        f"checkout, {database}",
        f"pooled `connect`, `cursor`, close, `pre_ping: 30s` ÷ SQLAlchemy's `QueuePool`; {database}",
        f"pool: connect, cursor, close; {database}",
        2.0,
        over="SQLAlchemy (QueuePool)",
    )


def _asked(database: str) -> Goal:
    """As by default: a question to each connection before it is lent. A bare `QueuePool` puts none."""
    return Goal(
        f"checkout, asked, {database}",
        "pooled `connect`, `cursor`, close, the connection asked before it is lent "
        f"÷ SQLAlchemy's `QueuePool` with `pre_ping`; {database}",
        f"pool: connect, cursor, close, asked each time; {database}",
        2.0,
        over="SQLAlchemy (QueuePool, pre_ping)",
    )


def _statements(database: str, bound: float) -> Goal:
    return Goal(
        f"statements, {database}",
        f"proxied `execute` and `fetchall` of 200 rows ÷ bare; {database}",
        f"pool: execute, fetchall; {database}",
        bound,
        over="the driver's own",
    )


def _wire(what: str) -> Goal:
    return Goal(f"wire, {what}", f"200 {what}, to bytes and back", f"wire: 200 {what}", 150.0, unit="µs")


GOALS: Final = (
    *_hits("hit, lru_cache", "hit, a text ÷ `lru_cache`", "hit: a text", 4.0, LRU_CACHE),
    *_hits(
        "hit, cachebox", "hit, a text ÷ cachebox without copies", "hit: a text", 1.0, "cachebox (no copy)"
    ),
    *_hits(
        "list, lru_cache",
        "hit, a list of 200 tuples, isolated ÷ `lru_cache`",
        "hit: 200 tuples",
        8.0,
        LRU_CACHE,
    ),
    *_hits(
        "list, cachebox",
        "hit, a list of 200 tuples, isolated ÷ cachebox with copies",
        "hit: 200 tuples",
        0.7,
        "cachebox (copies)",
    ),
    Goal(
        "rows, SQLite",
        "hit, 200 `pyodbc.Row` of 12 columns, each isolated; SQLite",
        f"{_ROWS}SQLite",
        15.0,
        unit="µs",
    ),
    Goal(
        "rows, PostgreSQL",
        "hit, 200 `pyodbc.Row` of 12 columns, each isolated; psqlODBC",
        f"{_ROWS}PostgreSQL",
        15.0,
        unit="µs",
    ),
    Goal(
        "rows, query",
        "hit, 200 `pyodbc.Row` of 12 columns ÷ the query over psqlODBC",
        f"{_ROWS}PostgreSQL",
        0.02,
        over="the query itself",
    ),
    *(_by_call(how, WATS, "") for how in ("keywords", "defaults")),
    *(_by_call(how, BY_DATABASE, ", by database") for how in ("keywords", "defaults")),
    Goal(
        "threads",
        "hits per second, 8 threads ÷ 1 thread",
        "hit: threads",
        0.85,
        f"{WATS}, threads: 1",
        f"{WATS}, threads: 8",
        at_least=True,
    ),
    Goal(
        "miss",
        "miss and store, above the method's own time",
        "miss and store",
        6.0,
        minus="plain call",
        unit="µs",
    ),
    Goal(
        "bytes",
        "bytes of an entry beyond key and value, of 100,000",
        "memory: 100,000 entries",
        200.0,
        unit="bytes",
    ),
    *map(_checkout, _DATABASES),
    *map(_asked, _DATABASES),
    _statements("SQLite", 1.05),
    _statements("SQLite over ODBC", 1.05),
    _statements("PostgreSQL over ODBC", 1.02),
    Goal(
        "switched off",
        "a method whose cache is switched off ÷ a plain call",
        "switched off",
        3.0,
        f"{WATS}, switched off: get",
        "plain call: get",
    ),
    *(_wire(f"{what} {kind}") for what in ("tuples", "rows of pyodbc") for kind in _KINDS),
)
