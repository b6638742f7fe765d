"""Following a database: what anybody changes is dropped, and what nobody has changed lives on."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from wats_accel.runtime import Accelerator
from wats_accel.shared.following import Following, FollowingRules
from wats_accel.testing import FakeClock, Fault, accelerated, failing
from wats_accel.versions.choosing import source_of
from wats_accel.versions.ddl import script

UNSEEN = (sqlite3.connect,)
"""As it is before anything is patched, and where no patch finds it: what is done through it nobody sees."""
TTL = 60.0
PATIENCE = 30.0


class Repository:
    """Of a database file."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.runs = 0

    def _ask(self, sql: str) -> list[Any]:
        self.runs += 1
        connection = sqlite3.connect(self.path)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()

    def people(self) -> list[Any]:
        return self._ask("SELECT name FROM person")

    def pets(self) -> list[Any]:
        return self._ask("SELECT name FROM pet")

    def moments(self) -> list[Any]:
        return self._ask("SELECT name, CURRENT_TIMESTAMP FROM person")


class Database:
    """A file, changed by somebody of whom the accelerator knows nothing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.run("CREATE TABLE person (name TEXT)", "CREATE TABLE pet (name TEXT)")
        self.run("INSERT INTO person VALUES ('ann')", "INSERT INTO pet VALUES ('rex')")
        connection = self.connect()
        connection.executescript(str(script("sqlite", ["person", "pet"])))
        connection.close()

    def connect(self) -> sqlite3.Connection:
        return UNSEEN[0](self.path, check_same_thread=False)

    def run(self, *statements: str) -> None:
        connection = self.connect()
        for statement in statements:
            connection.execute(statement)
        connection.commit()
        connection.close()


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path / "one.db")


class _Silent:
    """A database that does not answer."""

    def cursor(self) -> None:
        raise TimeoutError

    def close(self) -> None:
        """It is not open."""


class Followed:
    """An accelerator whose database is asked when a test says so."""

    def __init__(self, accelerator: Any, database: Database, clock: FakeClock) -> None:
        self.accelerator = accelerator
        self.clock = clock
        self.database = database
        self.repository = Repository(str(database.path))
        context = accelerator._assembly.context
        self.caches = context.caches
        self.following = Following(
            lambda: self.database.connect(),
            lambda: source_of("version-table", "sqlite"),
            FollowingRules(poll_seconds=1.0, isolated_seconds=30.0),
            caches=self.caches,
            bus=context.bus,
            clock=clock,
        )
        self.following._horizon._thread = threading.current_thread()  # nobody else looks
        self.following._thread = threading.current_thread()  # nor asks
        self.following.begin(context.pools.observer)
        self.following.step()

    def outlive_the_ttl(self) -> None:
        """Let what was just loaded get older than its rule has it; shortly before, the database is asked."""
        self.clock.now += TTL - 1
        self.following.step()
        self.clock.now += 2

    def lose_the_database(self) -> None:
        """Have it asked, without an answer."""
        self.following._close_connection()
        self.following._connection = _Silent()
        with pytest.raises(TimeoutError):
            self.following.step()
        self.following._lost("a test")

    def runs(self, call: Callable[[], object]) -> int:
        """How often a call runs its method: once, or not at all."""
        before = self.repository.runs
        call()
        return self.repository.runs - before


BY_RULES = {"people": {"namespace": "all", "reads": ["person"]}, "pets": {"namespace": "all", "reads": "pet"}}
UNKNOWN = {"people": "all", "pets": "all"}
BY_SQL = {"people": "all", "pets": "all", "moments": "all"}


def config(cached: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "version": 1,
        "cache": {"namespaces": {"all": {"ttl": TTL}}},
        "repositories": [{"target": f"{__name__}:Repository", "scope": "self.path", "cached": cached}],
        **more,
    }


@pytest.fixture
def followed(database: Database) -> Iterator[Callable[..., Followed]]:
    made: list[Followed] = []
    opened: list[Any] = []

    def make(cached: dict[str, Any], **more: Any) -> Followed:
        clock = FakeClock()
        context = accelerated(config(cached, **more), clock=clock)
        opened.append(context)
        made.append(Followed(context.__enter__(), database, clock))
        return made[-1]

    yield make
    for one, context in zip(made, opened, strict=True):
        one.following.end()
        one.following._close_connection()
        context.__exit__(None, None, None)


SQL = {
    "invalidation": "sql",
    "pool": [{"connect": "sqlite3:connect", "enabled": False}],
    "sql": {"assume_plain_tables": True},
}
MODES = pytest.mark.parametrize(("cached", "more"), [(BY_RULES, {}), (BY_SQL, SQL)], ids=["rules", "sql"])


@MODES
def test_what_somebody_else_changes_is_dropped_and_nothing_else(
    followed: Callable[..., Followed], cached: dict[str, Any], more: dict[str, Any]
) -> None:
    one = followed(cached, **more)
    for call in (one.repository.people, one.repository.pets):
        assert (one.runs(call), one.runs(call)) == (1, 0)
    one.database.run("UPDATE person SET name = 'bob'")
    assert one.repository.people() == [("ann",)]  # as old as the last question
    one.following.step()
    assert one.repository.people() == [("bob",)]
    assert one.runs(one.repository.pets) == 0


def test_of_which_nobody_knows_what_it_reads_any_change_drops(followed: Callable[..., Followed]) -> None:
    one = followed(UNKNOWN)
    one.repository.pets()
    one.database.run("UPDATE person SET name = 'bob'")
    one.following.step()
    assert one.runs(one.repository.pets) == 1


@MODES
def test_what_nobody_has_changed_lives_on(
    followed: Callable[..., Followed], cached: dict[str, Any], more: dict[str, Any]
) -> None:
    one = followed(cached, **more)
    one.repository.people()
    one.outlive_the_ttl()
    assert one.runs(one.repository.people) == 0
    assert one.accelerator.stats().total.revalidated == 1
    one.clock.now += TTL  # nobody has asked since
    assert one.runs(one.repository.people) == 1


def test_the_last_good_answer_lives_on_too_and_keeps_its_grace(followed: Callable[..., Followed]) -> None:
    rule = {
        "namespace": "all",
        "reads": "person",
        "stale_if_error": {"grace": 100, "errors": ["sqlite3:Error"]},
    }
    one = followed({"people": rule})
    one.repository.people()
    one.outlive_the_ttl()
    assert one.runs(one.repository.people) == 0
    one.clock.now += TTL + 50  # nobody vouches for it any more
    one.database.run("DROP TABLE person")
    assert one.repository.people() == [("ann",)]
    assert one.accelerator.stats().total.served_stale == 1


def test_where_nothing_may_get_old_nothing_lives_on(followed: Callable[..., Followed]) -> None:
    one = followed(BY_RULES)
    one.repository.people()
    one.clock.now += TTL - 1
    one.following.step()
    one.caches.bounds.set("others", 0.0)
    one.clock.now += 2
    assert one.runs(one.repository.people) == 1


def test_what_was_loaded_before_the_first_answer_is_not_vouched_for(
    followed: Callable[..., Followed],
) -> None:
    one = followed(BY_RULES)
    one.following._close_connection()
    one.following._known = one.following._source = None  # as if nobody had asked yet
    one.repository.people()
    one.database.run("UPDATE person SET name = 'bob'")
    one.following.step()
    assert one.repository.people() == [("bob",)]


def test_what_was_loaded_under_no_bound_is_gone_when_it_begins(followed: Callable[..., Followed]) -> None:
    one = followed(BY_RULES)
    one.repository.people()
    one.following.begin(None)  # as a reload does; the database may never answer
    assert one.runs(one.repository.people) == 1


def test_what_others_keep_is_told_of_before_it_is_dropped_here(followed: Callable[..., Followed]) -> None:
    one = followed(BY_RULES)
    told: list[object] = []
    one.caches.announcer = Announcing(one, told)
    one.repository.people()
    one.database.run("UPDATE person SET name = 'bob'")
    one.following.step()
    one.caches.announcer = None
    assert told == [("drops", ["all:people"], 1)]


def test_of_two_databases_no_answer_lives_on(followed: Callable[..., Followed], tmp_path: Path) -> None:
    one = followed(BY_RULES)
    Repository(str(Database(tmp_path / "two.db").path)).people()
    one.repository.people()
    one.outlive_the_ttl()
    assert one.runs(one.repository.people) == 1


class Announcing:
    """Notes what it is told, and how many entries there are then."""

    def __init__(self, followed: Followed, told: list[object]) -> None:
        self.followed, self.told = followed, told

    def _size(self) -> int:
        return sum(map(len, self.followed.caches))

    def changed(self, tables: dict[str, list[str]], /) -> None:
        self.told.append(("tables", sorted(tables), self._size()))

    def dropped(self, drops: list[tuple[Any, Any]], /) -> None:
        self.told.append(("drops", [pattern.text for pattern, _ in drops], self._size()))


@MODES
def test_what_somebody_has_changed_does_not_live_on(
    followed: Callable[..., Followed], cached: dict[str, Any], more: dict[str, Any]
) -> None:
    one = followed(cached, **more)
    one.repository.people()
    one.database.run("UPDATE person SET name = 'bob'")
    one.outlive_the_ttl()
    assert one.repository.people() == [("bob",)]
    assert one.accelerator.stats().total.revalidated == 0


def test_of_unknown_reads_none_lives_on(followed: Callable[..., Followed]) -> None:
    one = followed(UNKNOWN)
    one.repository.people()
    one.outlive_the_ttl()
    assert one.runs(one.repository.people) == 1


def test_what_time_alone_changes_does_not_live_on(followed: Callable[..., Followed]) -> None:
    one = followed(BY_SQL, **SQL)
    one.repository.moments()
    one.outlive_the_ttl()
    assert one.runs(one.repository.moments) == 1


def test_of_a_table_that_is_not_watched_none_lives_on(followed: Callable[..., Followed]) -> None:
    one = followed({"people": {"namespace": "all", "reads": ["person", "elsewhere"]}})
    one.repository.people()
    one.outlive_the_ttl()
    assert one.runs(one.repository.people) == 1


def test_a_sweep_takes_no_entry_that_lives_on(followed: Callable[..., Followed]) -> None:
    one = followed(BY_RULES)
    one.repository.people()
    one.outlive_the_ttl()
    (space,) = one.caches._namespaces.values()
    assert space.sweep(one.clock.now) == []
    assert one.runs(one.repository.people) == 0


def test_while_the_database_does_not_answer_nothing_gets_old(followed: Callable[..., Followed]) -> None:
    one = followed(BY_RULES)
    one.repository.people()
    one.lose_the_database()
    assert one.caches.bounds.longest_seconds == 30.0
    one.clock.now += 29.0
    assert not one.following._horizon.look()
    one.repository.pets()
    one.clock.now += 1.0
    assert one.following._horizon.look()
    assert one.runs(one.repository.people) == 1
    one.clock.now += 29.0
    assert one.runs(one.repository.people) == 0
    one.clock.now += 1.0
    assert one.runs(one.repository.people) == 1


def test_when_it_answers_again_everything_is_as_before(followed: Callable[..., Followed]) -> None:
    one = followed(BY_RULES)
    one.repository.people()
    one.lose_the_database()
    one.following.step()  # on another connection; the version table's numbers are the same on all
    assert one.caches.bounds.longest_seconds is None
    assert one.runs(one.repository.people) == 0
    assert one.accelerator.stats().following.losses == 1


@pytest.mark.parametrize(
    ("seam", "fault"),
    [
        ("poll.apply", Fault.raises(MemoryError)),
        ("poll.changes", Fault.raises(MemoryError)),
        ("poll.changes", Fault.returns(None)),
        ("poll.table", Fault.returns(3.5)),
        ("heard.everything", Fault.raises(MemoryError)),
    ],
)
def test_a_change_that_could_not_be_dropped_is_dropped_with_the_next_answer(
    followed: Callable[..., Followed], seam: str, fault: Fault
) -> None:
    known = followed(BY_RULES)
    known.repository.people()
    known.database.run("INSERT INTO person VALUES ('bob')", "DELETE FROM pet")
    with failing(seam, fault), contextlib.suppress(AttributeError, MemoryError, TypeError):
        known.following.step()
    known.following.step()
    assert known.repository.people() == [("ann",), ("bob",)]


def test_where_no_thread_starts_it_is_tried_again(database: Database) -> None:
    section = {"dialect": "sqlite", "connect": "sqlite3:connect", "connection": str(database.path)}
    wanted = config(BY_RULES, freshness=section)
    with failing("follow.start", Fault.raises(RuntimeError)):
        accelerator = Accelerator(wanted, strict=False, environ={})
        accelerator.install()
    try:
        Repository(str(database.path)).people()
        known = accelerator._assembly
        assert known is not None
        _until(lambda: known.context.caches.follower.counters.polls > 0)
    finally:
        accelerator.uninstall()


def test_a_script_that_runs_again_drops_everything(followed: Callable[..., Followed]) -> None:
    one = followed(BY_RULES)
    one.repository.people()
    connection = one.database.connect()
    connection.executescript(str(script("sqlite", ["person", "pet"])))
    connection.close()
    one.following.step()
    assert one.runs(one.repository.people) == 1


def test_a_load_that_a_change_has_overtaken_is_not_kept(followed: Callable[..., Followed]) -> None:
    one = followed(BY_RULES)
    ask = one.repository._ask

    def slow(sql: str) -> list[Any]:
        found = ask(sql)
        one.database.run("UPDATE person SET name = 'bob'")
        one.following.step()
        return found

    one.repository._ask = slow  # type: ignore[method-assign]
    assert one.repository.people() == [("ann",)]  # the call began before that
    one.repository._ask = ask  # type: ignore[method-assign]
    assert one.repository.people() == [("bob",)]


# -- by its section --------------------------------------------------------------------------------------


def freshness(database: Database) -> dict[str, Any]:
    """The section for a database, which is asked often."""
    connection = {"connect": "sqlite3:connect", "connection": str(database.path)}
    return {"dialect": "sqlite", **connection, "poll": 0.01}


def test_the_section_follows_by_itself(database: Database) -> None:
    with accelerated(config(BY_RULES, freshness=freshness(database)), strict=True) as accelerator:
        repository = Repository(str(database.path))
        _until(lambda: not accelerator.stats().following.why_lost)
        assert repository.people() == [("ann",)]
        database.run("UPDATE person SET name = 'bob'")
        _until(lambda: repository.people() == [("bob",)])
        thread = accelerator._assembly.context.caches.follower._thread
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_through_a_pool_it_has_a_connection_of_its_own(database: Database) -> None:
    rules = config(BY_SQL, freshness=freshness(database), **{**SQL, "pool": [{"connect": "sqlite3:connect"}]})
    with accelerated(rules, strict=True) as accelerator:
        _until(lambda: not accelerator.stats().following.why_lost)
        assert accelerator.stats().pools["sqlite3:connect"].opened == 0


def test_it_imports_no_driver_before_that_is_patched(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(program)], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["1", "2"]


PROGRAM = """
import threading
import wats_accel

freshness = {
    "dialect": "sqlite", "source": "sqlite-data-version", "connect": "sqlite3:connect", "connection": "a.db"
}
rules = {
    "version": 1, "status": False, "invalidation": "sql", "sql": {"assume_plain_tables": True},
    "pool": [{"connect": "sqlite3:connect"}], "cache": {"namespaces": {"all": {"ttl": 60}}},
    "repositories": [{"target": "__main__:Numbers", "scope": "self.url", "cached": {"same": "all"}}],
    "freshness": freshness,
}

class Numbers:
    url = "one"

    def same(self, number):
        import sqlite3
        connection = sqlite3.connect("a.db")
        try:
            return connection.execute("SELECT ?", (number,)).fetchone()[0]
        finally:
            connection.close()

accelerator = wats_accel.install(rules, strict=True)
waits = threading.Event()
while accelerator.stats().following.why_lost:
    waits.wait(0.01)
for _ in range(3):
    Numbers().same(1)
print(accelerator.stats().total.stored, accelerator.stats().total.hits)
"""


def test_a_database_that_cannot_be_asked_leaves_the_cache_bounded(tmp_path: Path) -> None:
    unknown = {"dialect": "sqlite", "connect": "no_such_module:connect"}
    with accelerated(config(BY_RULES, freshness=unknown), strict=True) as accelerator:
        assert accelerator._assembly.context.caches.bounds.longest_seconds == 30.0
        _until(lambda: "ModuleNotFoundError" in accelerator.stats().following.why_lost)


def _until(holds: Callable[[], bool]) -> None:
    ends = threading.Event()
    for _ in range(int(PATIENCE / 0.01)):
        if holds():
            return
        ends.wait(0.01)
    raise AssertionError("it never came")
