"""Answers that time alone changes are good until exactly the moment at which it does."""

from __future__ import annotations

import functools
import inspect
import sqlite3
import time
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from wats_accel.errors import ConfigError
from wats_accel.extension import NotStored, ValidUntilFailed
from wats_accel.testing import FakeClock, accelerated
from wats_accel.wrappers.valid_until import SqlNextChange, seconds_since_epoch

HOUR = 3600.0


# -- moments ------------------------------------------------------------------------------------------------


@pytest.fixture
def local_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Puts the process into a time zone."""
    if not hasattr(time, "tzset"):
        pytest.skip("this system has no tzset")

    def enter(zone: str) -> None:
        monkeypatch.setenv("TZ", zone)
        time.tzset()

    yield enter
    monkeypatch.undo()
    time.tzset()


BERLIN = "CET-1CEST,M3.5.0,M10.5.0/3"
SAO_PAULO = "<-03>3"
UTC_NOON = datetime(2024, 3, 11, 12, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param(UTC_NOON, id="aware"),
        pytest.param(datetime(2024, 3, 11, 9), id="naive"),
        pytest.param("2024-03-11 09:00:00", id="text as SQLite keeps it"),
        pytest.param(" 2024-03-11T09:00 ", id="ISO 8601"),
        pytest.param("2024-03-11T12:00:00Z", id="ISO 8601 of UTC"),
        pytest.param("2024-03-11T13:00:00.0+01:00", id="ISO 8601 of a zone"),
        pytest.param("2024-03-11 09:00:00.0000000", id="seven digits, as of SQL Server"),
        pytest.param(1710158400, id="seconds"),
        pytest.param(1710158400.0, id="seconds as a float"),
        pytest.param(Decimal(1710158400), id="seconds as a decimal"),
    ],
)
def test_a_moment_may_be_said_in_many_ways(local_zone: Callable[[str], None], moment: object) -> None:
    local_zone(SAO_PAULO)
    assert seconds_since_epoch(moment) == UTC_NOON.timestamp()


def test_a_date_is_its_first_moment(local_zone: Callable[[str], None]) -> None:
    local_zone(SAO_PAULO)
    midnight = datetime(2024, 3, 11, 3, tzinfo=timezone.utc).timestamp()
    assert seconds_since_epoch(date(2024, 3, 11)) == midnight
    assert seconds_since_epoch("2024-03-11") == midnight


@pytest.mark.parametrize("zone", [BERLIN, SAO_PAULO, "UTC0"])
@pytest.mark.parametrize(
    "moment", [None, datetime.max, date.max, "9999-12-31", datetime(9999, 1, 1, tzinfo=timezone.utc)], ids=str
)
def test_nothing_and_the_end_of_the_calendar_are_never(
    local_zone: Callable[[str], None], zone: str, moment: object
) -> None:
    local_zone(zone)
    assert seconds_since_epoch(moment) is None


@pytest.mark.parametrize(
    ("moment", "utc"),
    [
        pytest.param(datetime(2024, 3, 31, 1, 59), datetime(2024, 3, 31, 0, 59), id="before spring"),
        pytest.param(datetime(2024, 3, 31, 3, 0), datetime(2024, 3, 31, 1, 0), id="after spring"),
        pytest.param(datetime(2024, 10, 27, 2, 30), datetime(2024, 10, 27, 0, 30), id="twice: the first"),
        pytest.param(
            datetime(2024, 10, 27, 2, 30, fold=1), datetime(2024, 10, 27, 1, 30), id="twice: the second"
        ),
        pytest.param(datetime(2024, 10, 27, 3, 0), datetime(2024, 10, 27, 2, 0), id="after autumn"),
    ],
)
def test_naive_times_are_local_ones_when_the_clocks_change_too(
    local_zone: Callable[[str], None], moment: datetime, utc: datetime
) -> None:
    local_zone(BERLIN)
    expected = utc.replace(tzinfo=timezone.utc).timestamp()
    assert seconds_since_epoch(moment) == expected
    if not moment.fold:
        assert seconds_since_epoch(str(moment)) == expected


@pytest.mark.parametrize(
    ("moment", "error"),
    [
        (True, TypeError),
        (b"2024-03-11", TypeError),
        (timedelta(1), TypeError),
        ((2024, 3, 11), TypeError),
        (float("nan"), ValueError),
        (float("inf"), ValueError),
        ("", ValueError),
        ("tomorrow", ValueError),
        ("9", ValueError),
    ],
    ids=repr,
)
def test_anything_else_is_no_moment_and_its_value_is_not_told(moment: object, error: type[Exception]) -> None:
    with pytest.raises(error) as caught:
        seconds_since_epoch(moment)
    assert "tomorrow" not in str(caught.value)


# -- a function ---------------------------------------------------------------------------------------------


@pytest.fixture
def door(app: Any) -> Any:
    """A class that says whether a door is open, a function that says when that changes, and who asked."""
    app.module.changes_at = None
    app.module.asked = []

    @app.add
    def next_change(repository: Any, name: str, *, side: str = "left") -> Any:
        app.module.asked.append((name, side))
        found = app.module.changes_at
        if isinstance(found, BaseException):
            raise found
        return found

    @app.add
    class Repository:
        loads = 0

        def is_open(self, name: str, *, side: str = "left") -> str:
            self.loads += 1
            now, change = app.clock.wall_time(), app.module.changes_at
            before = not isinstance(change, float) or now < change
            return f"{name}: {'closed' if before else 'open'}"

        def report(self, name: str) -> list[str]:
            return [str(self.is_open(name))]

        def touch(self, name: str) -> bool:
            return True

    return Repository()


RULE = {"namespace": "doors", "ttl": "1h", "valid_until": "legacy_app:next_change"}


def test_an_answer_is_good_until_the_moment_and_not_at_it(app: Any, door: Any) -> None:
    app.module.changes_at = app.clock.wall_time() + 600
    with app.accelerated({"is_open": RULE}) as accelerator:
        assert door.is_open("front") == "front: closed"
        app.clock.advance(599.9)
        assert (door.is_open("front"), door.loads) == ("front: closed", 1)
        app.clock.advance(0.1)
        assert (door.is_open("front"), door.loads) == ("front: open", 2)
        assert accelerator.stats().total.expired == 1


def test_the_ttl_is_a_bound_still(app: Any, door: Any) -> None:
    app.module.changes_at = app.clock.wall_time() + 2 * HOUR
    with app.accelerated({"is_open": RULE}):
        door.is_open("front")
        app.clock.advance(HOUR)
        door.is_open("front")
    assert door.loads == 2


def test_nothing_means_that_time_changes_nothing(app: Any, door: Any) -> None:
    with app.accelerated({"is_open": RULE | {"ttl": 0}}):
        door.is_open("front")
        app.clock.advance(1000 * HOUR)
        door.is_open("front")
    assert door.loads == 1


def test_the_function_gets_the_call_as_it_came_once_for_each_load(app: Any, door: Any) -> None:
    with app.accelerated({"is_open": RULE}):
        for _ in range(3):
            door.is_open("front", side="right")
            door.is_open(name="back")
    assert app.module.asked == [("front", "right"), ("back", "left")]


def test_a_computers_clock_that_is_set_forward_ends_what_is_over_then(app: Any, door: Any) -> None:
    app.module.changes_at = app.clock.wall_time() + 600
    with app.accelerated({"is_open": RULE}):
        door.is_open("front")
        app.clock.set_wall_time(app.module.changes_at)
        assert door.is_open("front") == "front: open"


def test_a_change_between_the_question_and_the_load_leaves_nothing_stored(app: Any, door: Any) -> None:
    heard: list[NotStored] = []
    app.module.changes_at = app.clock.wall_time() + 600
    loaded = type(door).is_open

    def slow(self: Any, name: str, *, side: str = "left") -> str:
        answer: str = loaded(self, name, side=side)
        app.clock.advance(600)  # the door opens after it was looked at
        return answer

    type(door).is_open = slow
    with app.accelerated({"is_open": RULE}, listen=[(NotStored, heard.append)]):
        assert door.is_open("front") == "front: closed"
        assert door.is_open("front") == "front: open"
    assert [event.why for event in heard] == ["expired_already", "expired_already"]


def test_a_moment_that_has_passed_leaves_nothing_stored(app: Any, door: Any) -> None:
    app.module.changes_at = app.clock.wall_time()
    with app.accelerated({"is_open": RULE}) as accelerator:
        door.is_open("front")
        door.is_open("front")
        assert (door.loads, accelerator.stats().total.size) == (2, 0)


@pytest.mark.parametrize(
    "failure", [OSError("PWD=secret"), object(), "soon"], ids=["raises", "object", "text"]
)
def test_what_fails_leaves_nothing_stored_and_never_reaches_the_application(
    app: Any, door: Any, failure: object
) -> None:
    heard: list[Any] = []
    app.module.changes_at = failure
    watched = [(NotStored, heard.append), (ValidUntilFailed, heard.append)]
    with app.accelerated({"is_open": RULE}, listen=watched):
        assert (door.is_open("front"), door.is_open("front")) == ("front: closed", "front: closed")
        app.module.changes_at = None
        door.is_open("front")
        door.is_open("front")
        app.module.changes_at = failure
        door.is_open("back")
    assert door.loads == 4
    told = ["ValidUntilFailed", "valid_until_failed"]  # a failure that lasts is told once
    assert [getattr(event, "why", type(event).__name__) for event in heard] == [*told, told[1], *told]
    assert "secret" not in repr(heard)


@pytest.mark.parametrize("missing", ["legacy_app:no_such", "no_such_module_at_all:function"])
def test_a_function_that_is_not_there_is_a_failure_of_each_load(app: Any, door: Any, missing: str) -> None:
    heard: list[ValidUntilFailed] = []
    rule = RULE | {"valid_until": missing}
    with app.accelerated({"is_open": rule}, listen=[(ValidUntilFailed, heard.append)]):
        assert door.is_open("front") == "front: closed"
    assert len(heard) == 1


def test_an_interrupt_in_the_function_passes(app: Any, door: Any) -> None:
    app.module.changes_at = KeyboardInterrupt()
    with app.accelerated({"is_open": RULE}), pytest.raises(KeyboardInterrupt):
        door.is_open("front")


# -- answers that are made from such answers -----------------------------------------------------------------


OUTER = {"is_open": RULE, "report": {"namespace": "doors", "ttl": "10h"}}


def is_seen_on_time(app: Any, door: Any, accelerator: Any) -> bool:
    """Whether the outer method, which is cached, notices the opening when it was asked just before."""
    app.module.changes_at = app.clock.wall_time() + 600
    assert door.report("front") == ["front: closed"]
    app.clock.advance(599)
    assert door.report("front") == ["front: closed"]
    assert accelerator.stats().methods["legacy_app:Repository.report"].hits == 1
    app.clock.advance(1)
    return bool(door.report("front") == ["front: open"])


def test_an_outer_answer_ends_with_the_inner_one(app: Any, door: Any) -> None:
    with app.accelerated(OUTER) as accelerator:
        assert is_seen_on_time(app, door, accelerator)


def test_an_outer_answer_ends_with_an_inner_one_that_could_not_be_stored(app: Any, door: Any) -> None:
    found = type(door).is_open
    type(door).is_open = lambda self, name, *, side="left": _Uncopyable(found(self, name, side=side))
    with app.accelerated(OUTER) as accelerator:
        assert is_seen_on_time(app, door, accelerator)
        assert accelerator.stats().methods["legacy_app:Repository.is_open"].stored == 0


def test_an_outer_answer_ends_with_an_inner_one_that_went_past_the_cache(app: Any, door: Any) -> None:
    with app.accelerated(OUTER) as accelerator:
        accelerator.disable("Repository.is_open")
        assert is_seen_on_time(app, door, accelerator)


class _Uncopyable(str):
    def __deepcopy__(self, memo: object) -> str:
        raise TypeError


@pytest.mark.parametrize("switched_off", [False, True], ids=["cached", "past the cache"])
def test_an_outer_answer_is_not_kept_when_the_inner_moment_is_not_known(
    app: Any, door: Any, switched_off: bool
) -> None:
    app.module.changes_at = OSError()
    with app.accelerated(OUTER) as accelerator:
        if switched_off:
            accelerator.disable("Repository.is_open")
        door.report("front")
        door.report("front")
        assert accelerator.stats().methods["legacy_app:Repository.report"].stored == 0
    assert door.loads == 2


def test_of_many_inner_moments_the_first_counts_and_one_is_kept(app: Any) -> None:
    @app.add
    def next_change(number: int) -> float:
        return float(app.clock.wall_time() + 1000 - number)

    @app.add
    def one(number: int) -> float:
        return float(app.clock.wall_time())

    @app.add
    def many() -> list[float]:
        return [app.module.one(number) for number in range(100)]

    rules = {"one": {"namespace": "n", "valid_until": "legacy_app:next_change"}, "many": "n"}
    with app.accelerated({name: _long(rule) for name, rule in rules.items()}, target=""):
        first = app.module.many()
        app.clock.advance(900)
        assert app.module.many() == first
        app.clock.advance(1)
        assert app.module.many() != first


def _long(rule: Any) -> dict[str, Any]:
    return {"ttl": 0, **({"namespace": rule} if isinstance(rule, str) else rule)}


# -- SQL ----------------------------------------------------------------------------------------------------


class ClosingConnection(sqlite3.Connection):
    """It is dropped, as the application does; Python 3.13 warns of what is not closed before."""

    def __del__(self) -> None:
        self.close()


class Database:
    """One SQLite file, and how an application may reach it."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self.opened = 0
        self.down = False
        self.options: dict[str, Any] = {"factory": ClosingConnection}
        self.shared = sqlite3.connect(self.path, check_same_thread=False)
        self.shared.execute("CREATE TABLE opening (door TEXT, at TEXT)")
        self.shared.commit()
        self.reading = self.shared.cursor()

    def connect(self) -> sqlite3.Connection | None:
        self.opened += 1
        return None if self.down else sqlite3.connect(self.path, **self.options)

    def get_cursor(self) -> sqlite3.Cursor | None:
        connection = self.connect()
        return None if connection is None else connection.cursor()

    def get_shared(self) -> sqlite3.Connection:
        return self.shared

    def plan(self, door: str, at: datetime | None) -> None:
        text = at.isoformat(" ") if at else None
        self.shared.execute("INSERT INTO opening VALUES (?, ?)", (door, text))
        self.shared.commit()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(tmp_path / "doors.db")
    yield made
    made.shared.close()


@pytest.fixture
def planned(app: Any, database: Database) -> Any:
    """A class over that database, whose doors open when it says so."""

    @app.add
    class Repository:
        loads = 0

        def __init__(self) -> None:
            self.db = database
            self.nothing = None

        def openings(self, door: str, kind: str = "all") -> int:
            self.loads += 1
            sql = "SELECT count(*) FROM opening WHERE door = ? AND at <= ?"
            found = self.db.shared.execute(sql, (door, app.clock.local_time().isoformat(" ")))
            return int(found.fetchone()[0])

        def anything(self, *args: Any, **kwargs: Any) -> int:
            return 0

    return Repository()


SQL = "SELECT min(at) FROM opening WHERE door = :door AND at > strftime('%Y-%m-%d %H:%M:%S', :now)"
# The default adapter of sqlite3 is deprecated; applications register their own.
sqlite3.register_adapter(datetime, lambda moment: moment.isoformat(" "))


def by_sql(sql: str = SQL, cursor: str = "self.db.get_cursor") -> dict[str, Any]:
    return {"openings": {"namespace": "doors", "ttl": 0, "valid_until": {"sql": sql, "cursor": cursor}}}


def on_the_hour(app: Any) -> datetime:
    """Set the clock to a full second, since that is how exact the SQL above is."""
    app.clock.set_wall_time(datetime(2024, 3, 11, 8).timestamp())
    found: datetime = app.clock.local_time()
    return found


@pytest.mark.parametrize(
    "cursor",
    [
        "self.db.get_cursor",
        "self.db.connect",
        "self.db.get_shared",
        "self.db.shared",
        "self.db.reading",
        "self.db.shared.cursor",
    ],
)
def test_sql_is_asked_on_whatever_the_path_leads_to(
    app: Any, planned: Any, database: Database, cursor: str
) -> None:
    now = on_the_hour(app)
    for minutes in (20, 10):
        database.plan("front", now + timedelta(minutes=minutes))
    with app.accelerated(by_sql(cursor=cursor)):
        seen = []
        for _ in range(5):
            seen.append((planned.openings("front"), planned.loads))
            app.clock.advance(300)
    assert seen == [(0, 1), (0, 1), (1, 2), (1, 2), (2, 3)]


def test_it_disturbs_neither_a_reader_nor_a_transaction_on_what_is_shared(
    app: Any, planned: Any, database: Database
) -> None:
    for door in ("a", "b", "c"):
        database.plan(door, None)
    database.reading.execute("SELECT door FROM opening ORDER BY door")
    assert database.reading.fetchone() == ("a",)
    database.shared.execute("INSERT INTO opening VALUES ('front', NULL)")
    with app.accelerated(by_sql(cursor="self.db.reading")):
        planned.openings("front")
    assert database.reading.fetchall() == [("b",), ("c",)]
    assert database.shared.in_transaction
    database.shared.rollback()


@pytest.mark.parametrize(
    "sql",
    [
        pytest.param("SELECT at FROM opening WHERE door = :door", id="no row"),
        pytest.param("SELECT max(at) FROM opening WHERE door = :door", id="NULL"),
    ],
)
def test_no_row_and_null_are_never(app: Any, planned: Any, sql: str) -> None:
    with app.accelerated(by_sql(sql)):
        planned.openings("front")
        app.clock.advance(1000 * HOUR)
        planned.openings("front")
    assert planned.loads == 1


class Cursor:
    """Writes down what it is asked; it has the parameter style that its module has, which is none."""

    def __init__(self) -> None:
        self.executed: list[tuple[object, ...]] = []
        self.closed = False

    def execute(self, *statement: object) -> None:
        self.executed.append(statement)

    def fetchone(self) -> tuple[None]:
        return (None,)

    def close(self) -> None:
        self.closed = True


def asked(app: Any, planned: Any, sql: str, *args: Any, **kwargs: Any) -> tuple[object, ...]:
    """What the database is asked in one call of `openings`."""
    cursor = Cursor()
    planned.db.get_cursor = lambda: cursor
    with app.accelerated(by_sql(sql)):
        planned.openings(*args, **kwargs)
    assert cursor.closed
    (statement,) = cursor.executed
    return statement


def test_arguments_are_bound_by_name_however_they_are_passed(app: Any, planned: Any) -> None:
    sql = "SELECT :kind, :door"
    assert asked(app, planned, sql, "front") == ("SELECT ?, ?", ("all", "front"))
    assert asked(app, planned, sql, "front", "glass") == ("SELECT ?, ?", ("glass", "front"))
    assert asked(app, planned, sql, kind="glass", door="back") == ("SELECT ?, ?", ("glass", "back"))


def test_sql_without_parameters_is_executed_without_any(app: Any, planned: Any) -> None:
    assert asked(app, planned, "SELECT NULL", "front") == ("SELECT NULL",)


def test_now_is_the_parameter_of_that_name_if_the_method_has_one(app: Any, planned: Any) -> None:
    type(planned).openings = lambda self, now: 0
    assert asked(app, planned, "SELECT :now", "then") == ("SELECT ?", ("then",))


def test_now_is_otherwise_the_local_time_before_the_load(app: Any, planned: Any) -> None:
    type(planned).openings = lambda self, door: app.clock.advance(1)
    before = app.clock.local_time()
    assert asked(app, planned, "SELECT :now", "front") == ("SELECT ?", (before,))


FAILING = {
    "the database is down": (SQL, "self.db.get_cursor"),
    "the path leads to nothing": (SQL, "self.nothing"),
    "the path leads nowhere": (SQL, "self.db.no_such"),
    "the path leads to something else": (SQL, "self.db.path"),
    "a word of SQL is wrong": ("SELECTED :door", "self.db.shared"),
    "the answer is no moment": ("SELECT :door", "self.db.shared"),
}


@pytest.mark.parametrize("case", FAILING)
def test_a_question_that_fails_leaves_nothing_stored(
    app: Any, planned: Any, database: Database, case: str
) -> None:
    heard: list[ValidUntilFailed] = []
    database.down = True
    with app.accelerated(by_sql(*FAILING[case]), listen=[(ValidUntilFailed, heard.append)]) as accelerator:
        assert (planned.openings("front"), planned.openings("front")) == (0, 0)
        assert accelerator.stats().total.not_stored == {"valid_until_failed": 2}
    assert {event.target for event in heard} == {"legacy_app:Repository.openings"}
    assert planned.loads == 2


def test_an_argument_that_only_keywords_catch_is_bound_if_it_is_there(app: Any, planned: Any) -> None:
    cursor = Cursor()
    planned.db.get_cursor = lambda: cursor
    until = {"sql": "SELECT :door", "cursor": "self.db.get_cursor"}
    with app.accelerated({"anything": {"namespace": "doors", "valid_until": until}}) as accelerator:
        planned.anything(door="front")
        planned.anything(other=1)
        assert accelerator.stats().total.not_stored == {"valid_until_failed": 1}
    assert cursor.executed == [("SELECT ?", ("front",))]


@pytest.mark.parametrize(
    ("sql", "cursor", "message"),
    [
        ("SELECT :dor", "self.db.get_cursor", "there is no parameter 'dor'; did you mean 'door'?"),
        ("SELECT :door", "db.get_cursor", "there is no parameter 'db'"),
        ("SELECT :self", "self.db.get_cursor", "the SQL of 'valid_until' cannot name 'self'"),
    ],
    ids=["argument", "path", "instance"],
)
def test_what_the_method_does_not_have_is_an_error_when_it_is_patched(
    app: Any, planned: Any, sql: str, cursor: str, message: str
) -> None:
    with pytest.raises(ConfigError, match="openings") as caught, app.accelerated(by_sql(sql, cursor)):
        pass
    assert message in str(caught.value)


def test_behind_a_decorator_that_may_change_arguments_no_name_can_be_trusted(app: Any, planned: Any) -> None:
    plain = type(planned).openings

    @functools.wraps(plain)
    def decorated(*args: Any, **kwargs: Any) -> Any:
        return plain(*args, **kwargs)

    type(planned).openings = decorated
    with pytest.raises(ConfigError, match="a decorator may change its arguments"), app.accelerated(by_sql()):
        pass


def test_a_pooled_cursor_serves_and_comes_back(app: Any, planned: Any, database: Database) -> None:
    now = on_the_hour(app)
    database.options = {}  # a connection of a class of one's own cannot be pooled
    database.plan("front", now + timedelta(minutes=10))
    config = {
        "version": 1,
        "pool": [{"connect": "sqlite3:connect"}],
        "cache": {"namespaces": {"doors": {}}},
        "repositories": [
            {
                "target": "legacy_app:Repository",
                "cursor": "self.db.get_cursor",
                "cached": {"openings": {"namespace": "doors", "ttl": 0, "valid_until": SQL}},
            }
        ],
    }
    with accelerated(config, clock=app.clock) as accelerator:
        for _ in range(3):
            planned.openings("front")
            app.clock.advance(300)
        pool = accelerator.stats().pools["sqlite3:connect"]
        assert (planned.loads, pool.opened, pool.checked_out) == (2, 1, 0)


def test_a_computers_own_clock_goes_with_a_clock_that_has_no_time_of_day(app: Any, door: Any) -> None:
    app.module.changes_at = time.time() + HOUR
    config = {
        "version": 1,
        "cache": {"namespaces": {"doors": {}}},
        "repositories": [{"target": "legacy_app:Repository", "cached": {"is_open": RULE}}],
    }
    with accelerated(config, clock=lambda: 0.0):
        door.is_open("front")
        door.is_open("front")
    assert door.loads == 1
    with accelerated(config, clock=lambda: 0.0, wall_clock=lambda: app.module.changes_at + 1):
        door.is_open("front")
        door.is_open("front")
    assert door.loads == 3


def test_a_fake_clock_has_a_time_of_day_that_goes_along() -> None:
    clock = FakeClock(100, wall_time=5000)
    clock.advance(10)
    assert (clock(), clock.wall_time(), clock.local_time()) == (110, 5010, datetime.fromtimestamp(5010))
    clock.set_wall_time(20)
    assert (clock(), clock.wall_time()) == (110, 20)


def test_a_real_server_is_asked_in_its_own_types_through_odbc(postgresql: Any, odbc: Any) -> None:
    connection = odbc.connect(postgresql.odbc(), autocommit=True)
    cursor = connection.cursor()
    cursor.execute("CREATE TABLE moments (door varchar(20), at timestamp)")
    moment = (datetime.now() + timedelta(hours=1)).replace(microsecond=0)
    cursor.execute("INSERT INTO moments VALUES ('front', ?)", (moment,))

    class Doors:
        def __init__(self) -> None:
            self.connection = connection

        def is_open(self, door: str) -> bool:
            return False

    ask = SqlNextChange(
        "SELECT min(at) FROM moments WHERE door = :door AND at >= :now /* :x */ AND at::text <> ':x'",
        cursor="self.connection",
        signature=inspect.signature(Doors.is_open),
        has_instance=True,
        wall_clock=time.time,
    )
    try:
        assert ask((Doors(), "front"), {}) == moment.timestamp()
        assert ask((Doors(),), {"door": "back"}) is None
    finally:
        cursor.execute("DROP TABLE moments")
        connection.close()
