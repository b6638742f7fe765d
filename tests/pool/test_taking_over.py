"""`connect` is taken over under all its names, early or late, and what cannot be pooled is handed through."""

from __future__ import annotations

import importlib
import os
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pool_bench
import pytest

TINY = '''
"""A DB-API module of nobody's acquaintance."""
import sqlite3
from sqlite3 import Error, InterfaceError, OperationalError, ProgrammingError
apilevel, threadsafety, paramstyle = "2.0", 1, "qmark"
opened = []
class Connection:
    def __init__(self, path):
        self._real = sqlite3.connect(path, check_same_thread=False)
        opened.append(self)
    def cursor(self): return Cursor(self)
    def commit(self): self._real.commit()
    def rollback(self): self._real.rollback()
    def close(self): self._real.close()
class Cursor:
    def __init__(self, connection): self.connection, self._real = connection, connection._real.cursor()
    description = property(lambda self: self._real.description)
    def execute(self, sql, values=()):
        self._real.execute(sql, values)
        return self
    def fetchone(self): return self._real.fetchone()
    def fetchall(self): return self._real.fetchall()
    def close(self): self._real.close()
def connect(path): return Connection(path)
'''


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of a DB-API module in Python, which has not been imported yet."""
    (tmp_path / "tiny_driver.py").write_text(TINY, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    yield "tiny_driver"
    module = sys.modules.pop("tiny_driver", None)
    for connection in getattr(module, "opened", ()):
        connection.close()


def run(script: str, *arguments: str) -> str:
    """What a script of its own prints."""
    command = [sys.executable, "-c", textwrap.dedent(script), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


# -- names -----------------------------------------------------------------------------------------------


def test_the_attribute_fetched_late_is_pooled(bench: Callable[..., Any]) -> None:
    driver_module = importlib.import_module("sqlite3")
    pool = bench()
    driver_module.connect(pool.database).close()
    driver_module.connect(pool.database).close()
    assert (pool.stats.opened, pool.stats.reused) == (1, 1)


def test_all_names_of_one_connect_are_taken_over_together_and_given_back(
    tmp_path: Path, tiny: str, bench: Callable[..., Any]
) -> None:
    module = importlib.import_module(tiny)
    original = module.connect
    (tmp_path / "tiny_user.py").write_text("from tiny_driver import connect as open_it\n", encoding="utf-8")
    user = importlib.import_module("tiny_user")
    with pool_bench.benched(module, str(tmp_path / "a.db")) as pool:
        for connect in (user.open_it, module.connect, user.open_it):
            connect(pool.database).cursor().execute("SELECT 1")
        assert (pool.stats.opened, pool.stats.reused) == (1, 2)
    assert user.open_it is module.connect is original
    del sys.modules["tiny_user"]


def test_sqlite3_and_its_dbapi2_are_one(bench: Callable[..., Any], tmp_path: Path) -> None:
    before = sqlite3.connect, sqlite3.dbapi2.connect
    assert before[0] is before[1]
    with pool_bench.benched(sqlite3, str(tmp_path / "a.db")) as pool:
        sqlite3.dbapi2.connect(pool.database).close()
        sqlite3.connect(pool.database).close()
        assert (pool.stats.opened, pool.stats.reused) == (1, 1)
    assert (sqlite3.connect, sqlite3.dbapi2.connect) == before


def test_the_target_may_be_named_by_its_other_module(bench: Callable[..., Any]) -> None:
    pool = bench(target="sqlite3.dbapi2:connect")
    pool.use_and_return()
    pool.use_and_return()
    assert (pool.stats.opened, pool.stats.reused) == (1, 1)


def test_a_name_made_while_it_was_pooled_gets_the_drivers_own_back(tmp_path: Path, tiny: str) -> None:
    module = importlib.import_module(tiny)
    original = module.connect
    (tmp_path / "tiny_user.py").write_text("from tiny_driver import connect\n", encoding="utf-8")
    with pool_bench.benched(module, str(tmp_path / "a.db")):
        user = importlib.import_module("tiny_user")
        assert user.connect is not original
    assert user.connect is original
    del sys.modules["tiny_user"]


def test_connect_keeps_its_signature_and_its_documentation(bench: Callable[..., Any]) -> None:
    name, words = sqlite3.connect.__name__, sqlite3.connect.__doc__
    bench()
    assert (sqlite3.connect.__name__, sqlite3.connect.__doc__) == (name, words)


# -- early and late --------------------------------------------------------------------------------------


def test_a_driver_imported_after_the_install_is_pooled_by_its_import(tmp_path: Path, tiny: str) -> None:
    database = str(tmp_path / "a.db")
    with pool_bench.benched(None, database, target=f"{tiny}:connect") as pool:
        assert tiny not in sys.modules
        pool.module = importlib.import_module(tiny)
        pool.connect().close()
        pool.connect().close()
        # Nothing is known of this driver: its first close is a real one, to learn what a closed one says.
        pool.connect().close()
        assert len(pool.module.opened) == pool.stats.opened == 2
        assert pool.stats.reused == 1
        assert pool.discarded() == {"first close": 1}


def test_any_dbapi_module_is_pooled_by_the_same_means(tmp_path: Path, tiny: str) -> None:
    module = importlib.import_module(tiny)
    with pool_bench.benched(module, str(tmp_path / "a.db")) as pool:
        connection = pool.connect()
        connection.cursor().execute("CREATE TABLE t (n)")
        connection.cursor().execute("INSERT INTO t VALUES (1)")
        connection.commit()
        connection.cursor().execute("INSERT INTO t VALUES (2)")
        del connection
        assert pool.connect().cursor().execute("SELECT n FROM t").fetchall() == [(1,)]
        assert isinstance(pool.connect(), module.Connection)
        connection = pool.connect()
        assert connection.cursor().connection is connection


def test_a_driver_whose_types_resist_is_handed_through(tmp_path: Path, tiny: str) -> None:
    class Resisting(type):
        def __getattribute__(cls, name: str) -> Any:
            if name == "commit":
                raise RuntimeError("a metaclass of the driver's own")
            return super().__getattribute__(name)

    module = importlib.import_module(tiny)
    module.Connection = Resisting("Connection", (module.Connection,), {})
    with pool_bench.benched(module, str(tmp_path / "a.db"), timeout="0s") as pool:
        for _ in range(20):
            connection = pool.connect()
            assert type(connection) is module.Connection
            assert connection.cursor().execute("SELECT 1").fetchone() == (1,)
        assert (pool.stats.checked_out, pool.stats.direct, pool.stats.exhausted) == (0, 20, 0)


def test_installing_imports_neither_sqlalchemy_nor_the_driver(tmp_path: Path) -> None:
    told = run(
        """
        import sys
        already = "sqlite3" in sys.modules  # whatever else runs here may have it, such as coverage
        import wats_accel
        config = {"version": 1, "pool": [{"connect": "sqlite3:connect", "min_idle": 2}]}
        with wats_accel.installed(config, strict=True):
            before = "sqlalchemy" in sys.modules, ("sqlite3" in sys.modules) is not already
            import sqlite3
            sqlite3.connect(":memory:").close()
            bare = "sqlalchemy" in sys.modules
            sqlite3.connect(sys.argv[1]).close()
            print(before, bare, "sqlalchemy" in sys.modules)
        """,
        str(tmp_path / "a.db"),
    )
    assert told == "(False, False) False True"


def test_without_sqlalchemy_the_application_works_as_ever_and_it_is_said_once(tmp_path: Path) -> None:
    told = run(
        """
        import sqlite3, sys
        import wats_accel
        sys.modules["sqlalchemy"] = None
        accelerator = wats_accel.install({"version": 1, "pool": [{"connect": "sqlite3:connect"}]})
        for _ in range(3):
            print(type(sqlite3.connect(sys.argv[1])) is sqlite3.Connection)
        print(len(accelerator.problems), accelerator.problems[0].message)
        """,
        str(tmp_path / "a.db"),
    )
    assert told.splitlines() == [
        *["True"] * 3,
        "1 no pool: ModuleNotFoundError (sqlalchemy is not installed)",
    ]


# -- what is handed through --------------------------------------------------------------------------------


class Mine(sqlite3.Connection):
    """A connection class of the application's own."""


@pytest.mark.filterwarnings("ignore:Passing more than 1 positional argument:DeprecationWarning")
@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        ((":memory:",), {}),
        (("",), {}),
        ((b":memory:",), {}),
        ((), {"database": ":memory:"}),
        (("file::memory:",), {"uri": True}),
        (("file::memory:?cache=shared",), {"uri": True}),
        (("file:anything?mode=memory&cache=shared",), {"uri": True}),
        (("file:",), {"uri": True}),
        (("file:?cache=private",), {"uri": True}),
        (("file:x?vfs=memdb",), {"uri": True}),
        (("file::memory:", 5.0, 0, "", True, sqlite3.Connection, 128, True), {}),
    ],
    ids=repr,
)
def test_a_database_that_lives_with_its_connection_is_handed_through(
    bench: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    pool = bench()
    connection = sqlite3.connect(*args, **kwargs)
    assert type(connection) is sqlite3.Connection
    connection.close()
    assert (pool.stats.bare, pool.stats.pools) == (1, 0)


@pytest.mark.filterwarnings("ignore:Passing more than 1 positional argument:DeprecationWarning")
@pytest.mark.parametrize("by_name", [True, False])
def test_a_factory_of_the_applications_own_is_handed_through(
    bench: Callable[..., Any], *, by_name: bool
) -> None:
    pool = bench()
    connection = pool.connect(factory=Mine) if by_name else pool.connect(5.0, 0, "", True, Mine)
    assert type(connection) is Mine
    connection.close()
    assert (pool.stats.bare, pool.stats.pools) == (1, 0)


@pytest.mark.parametrize("name", ["file:plain.db", "file::memory:", "file:x?mode=memory"])
def test_a_name_that_is_a_uri_in_some_builds_of_sqlite_is_handed_through(
    bench: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    pool = bench(database=name)
    pool.use_and_return()
    assert (pool.stats.bare, pool.stats.pools) == (1, 0)


def test_arguments_that_do_not_tell_whether_they_are_equal_are_handed_through(
    tmp_path: Path, tiny: str
) -> None:
    class Path2(str):
        __slots__ = ()
        __hash__ = None  # type: ignore[assignment]

    module = importlib.import_module(tiny)
    with pool_bench.benched(module, "") as pool:
        assert type(module.connect(Path2(tmp_path / "a.db"))) is module.Connection
        assert (pool.stats.bare, pool.stats.pools, pool.accelerator.problems) == (1, 0, ())


@pytest.mark.parametrize("breaks", ["__hash__", "__eq__"])
def test_an_argument_that_cannot_be_compared_spoils_that_one_call_only(
    tmp_path: Path, tiny: str, breaks: str
) -> None:
    def broken(self: object, *others: object) -> Any:
        raise RuntimeError("mine")

    odd = type("Odd", (str,), {"__hash__": str.__hash__, breaks: broken})
    module = importlib.import_module(tiny)
    path = str(tmp_path / "a.db")
    with pool_bench.benched(module, path) as pool:
        module.connect(odd(path))
        assert type(module.connect(odd(path))) is module.Connection
        assert type(pool.connect()) is not module.Connection
        assert pool.accelerator.problems == ()


def test_a_call_that_the_driver_refuses_is_refused_in_its_own_words(bench: Callable[..., Any]) -> None:
    def refusal(*args: Any, **kwargs: Any) -> tuple[type[BaseException], str]:
        with pytest.raises(Exception) as caught:  # noqa: PT011 - that is what is compared
            sqlite3.connect(*args, **kwargs)
        return caught.type, str(caught.value)

    odd: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
        ((), {}),
        ((3,), {}),
        (("a\0b",), {}),
        (("x.db",), {"no_such": 1}),
        (("/no/such/folder/x.db",), {}),
        (("x.db",), {"database": "y.db"}),
    ]
    bare = [refusal(*args, **kwargs) for args, kwargs in odd]
    pool = bench()
    assert [refusal(*args, **kwargs) for args, kwargs in odd] == bare
    pool.use_and_return()
    assert (pool.stats.opened, pool.accelerator.problems) == (1, ())


@pytest.mark.skipif(os.name == "nt", reason="Windows does not let the current folder be removed")
def test_a_current_folder_that_is_gone_spoils_nothing_but_relative_paths(
    bench: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = bench()
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(sqlite3.OperationalError, match="unable to open database file"):
        sqlite3.connect("relative.db")
    pool.use_and_return()
    assert (pool.stats.opened, pool.accelerator.problems) == (1, ())


# -- files that are not there any more ---------------------------------------------------------------------


def ones(connection: Any) -> list[Any]:
    """What is in the table that tells one file from another."""
    found = connection.execute("SELECT name FROM sqlite_master").fetchall()
    return [row[0] for row in found]


def fill(path: str, table: str) -> None:
    """A database file with one table."""
    made = sqlite3.Connection(path)
    made.execute(f"CREATE TABLE {table} (n)")
    made.close()


def test_an_idle_connection_whose_file_was_deleted_is_discarded(bench: Callable[..., Any]) -> None:
    pool = bench(pre_ping="never")
    fill(pool.database, "old")
    assert ones(pool.connect()) == ["old"]
    os.unlink(pool.database)
    assert ones(pool.connect()) == []
    assert pool.discarded() == {"another database file": 1}
    assert os.path.exists(pool.database)


def test_an_idle_connection_whose_file_was_replaced_is_discarded(
    bench: Callable[..., Any], tmp_path: Path
) -> None:
    pool = bench(pre_ping="never")
    fill(pool.database, "old")
    pool.use_and_return(3)
    fill(str(tmp_path / "new.db"), "new")
    os.replace(tmp_path / "new.db", pool.database)
    assert [ones(connection) for connection in pool.connections(3)] == [["new"]] * 3
    assert pool.discarded() == {"another database file": 3}


def test_a_new_file_is_known_from_the_first_connection_on(bench: Callable[..., Any]) -> None:
    pool = bench()
    for _ in range(3):
        pool.connect().execute("CREATE TABLE IF NOT EXISTS t (n)")
    assert (pool.stats.opened, pool.discarded()) == (1, {})


def test_a_relative_path_is_another_file_in_another_folder(
    bench: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = bench(database="same.db")
    for folder in ("a", "b", "a"):
        (tmp_path / folder).mkdir(exist_ok=True)
        monkeypatch.chdir(tmp_path / folder)
        connection = pool.connect()
        connection.execute(f"CREATE TABLE IF NOT EXISTS {folder} (n)")
        assert ones(connection) == [folder]
        connection.close()
    assert (pool.stats.pools, pool.stats.opened, pool.stats.reused) == (2, 2, 1)


@pytest.mark.parametrize("form", ["file:{}", "file://{}", "file://localhost{}", "file:{}?mode=rwc#part"])
def test_a_uri_of_a_file_is_pooled_and_its_file_is_watched(
    bench: Callable[..., Any], tmp_path: Path, form: str
) -> None:
    path = tmp_path / "with space.db"
    pool = bench(database=form.format(str(path).replace(" ", "%20")))
    fill(str(path), "old")
    assert ones(pool.connect(uri=True)) == ["old"]
    path.unlink()
    assert ones(pool.connect(uri=True)) == []
    assert pool.discarded() == {"another database file": 1}
