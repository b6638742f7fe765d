"""Secrets go through every part of the accelerator, and come out nowhere."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from canaries import CONNECTION, LITERAL, PASSWORD, RESULT, SECRET, TEXT, Watch, raised, watching

from wats_accel.runtime import Accelerator
from wats_accel.status.view import View, state_of
from wats_accel.testing import FakeClock, FaultyStore
from wats_accel.wrappers import invalidating

_PLUGIN = """
from canary_app import watch, store
from wats_accel.extension import hookimpl

@hookimpl
def accel_event_subscriptions(context):
    return watch.subscriptions()

@hookimpl
def accel_create_store(namespace, target):
    return store(namespace, target)

@hookimpl
def accel_shutdown(context):
    raise RuntimeError("canarytext")
"""


class Repository:
    """Reads and writes, each of which fails when its argument ends with ``fails``."""

    def __init__(self, folder: Path) -> None:
        self.connection_string = f"{folder}/{CONNECTION}.db"
        self.answers = [RESULT]

    def session_of(self, token: str, site: int = 0) -> Any:
        """A read by a secret."""
        return self._answer(token)

    def items(self, token: str) -> Iterator[Any]:
        """The same, item by item."""
        yield self._answer(token)
        if token.endswith("later"):
            raise RuntimeError(TEXT)

    def uncopyable(self, token: str) -> Any:
        """A read whose answer cannot be kept."""
        return iter([self._answer(token)])

    def log_out(self, token: str, reason: str = "bored") -> bool:
        """A write by the same secret."""
        return bool(self._answer(token))

    def _answer(self, token: str) -> Any:
        if token.endswith("fails"):
            raise RuntimeError(f"{TEXT} {token}")
        return {"answer": list(self.answers)}

    # on a database

    def query(self, name: str) -> list[Any]:
        """Rows by a literal inside the text, which the driver's own function gets past any frame."""
        return self._run(f"SELECT value FROM secrets WHERE name = '{LITERAL}{name}'")

    def change(self, name: str) -> None:
        """A write by a literal inside the text."""
        self._run(f"UPDATE secrets SET value = '{RESULT}' WHERE name = '{LITERAL}{name}'")

    def broken(self) -> None:
        """A statement that nobody can read."""
        self._run(f"SELEC '{LITERAL}' FRM secrets WHERE")

    def session(self) -> None:
        """What is left in the session."""
        self._run(f"CREATE TEMP TABLE IF NOT EXISTS kept (name TEXT DEFAULT '{LITERAL}')")
        self._run(f"ATTACH DATABASE 'file:{LITERAL}?mode=memory' AS other")

    def procedure(self) -> None:
        """A call that sqlite3 does not have."""
        self._run(f"EXEC sp_forget '{LITERAL}'")

    def _run(self, sql: str) -> list[Any]:
        connection = sqlite3.connect(self.connection_string, isolation_level=None)
        return connection.execute(sql).fetchall()


@pytest.fixture
def watch() -> Iterator[Watch]:
    with watching() as made:
        yield made


@pytest.fixture
def accelerated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, watch: Watch) -> Iterator[Any]:
    """Starts an accelerator that everything is watched of."""
    module: Any = ModuleType("canary_app")
    module.Repository = type("Repository", (), dict(vars(Repository)))
    module.watch, module.store = watch, lambda namespace, target: None
    monkeypatch.setitem(sys.modules, "canary_app", module)
    plugin = tmp_path / "watching.py"
    plugin.write_text(_PLUGIN, encoding="utf-8")
    started: list[Accelerator] = []

    def start(style: str = "text", clock: Any = None, **sections: Any) -> Any:
        config = {
            "version": 1,
            "logging": {"level": "debug", "format": style},
            "plugins": {"load": [str(plugin)]},
            **sections,
        }
        accelerator = Accelerator(config, clock=clock or FakeClock(), strict=True, environ={})
        accelerator.install()
        started.append(accelerator)
        return accelerator, module.Repository(tmp_path)

    yield SimpleNamespace(start=start, module=module)
    for accelerator in started:
        accelerator.uninstall()


def _rules(**more: Any) -> dict[str, Any]:
    secret = {"namespace": "users", "secret": "token"}
    items = {**secret, "materialize": True}
    cached = {"session_of": {**secret, **more}, "items": items, "uncopyable": {**secret, "copy": "deep"}}
    return {
        "cache": {"namespaces": {"users": {"max_bytes": "1MB"}}},
        "repositories": [
            {
                "target": "canary_app:Repository",
                "scope": "self.connection_string",
                "cached": cached,
                "invalidates": {"log_out": ["users:session_of:{token}", "users:items:*:{reason}"]},
            }
        ],
    }


def _use(repository: Any, watch: Watch) -> None:
    for token in (SECRET, SECRET, f"{SECRET}fails"):
        raised(watch, repository.session_of, token)
        raised(watch, lambda token=token: list(repository.items(token)))
        raised(watch, repository.uncopyable, token)
        raised(watch, repository.log_out, token)
        raised(watch, repository.session_of, token)
    raised(watch, lambda: list(repository.items(f"{SECRET}later")))
    raised(watch, repository.session_of, [SECRET, object()])
    raised(watch, repository.session_of, SECRET, nobody=SECRET)


def _ask(accelerator: Accelerator, watch: Watch, *targets: str) -> None:
    watch.add("stats", accelerator.stats().as_dict())
    watch.add("stats", accelerator.stats())
    watch.add("problems", accelerator.problems)
    watch.add("state file", state_of(View(accelerator._assembly)))
    for target in targets:
        watch.add("explain", accelerator.explain(target))
        watch.add("explain", repr(accelerator.explain(target)))
    watch.objects()


@pytest.mark.parametrize(
    ("style", "trust"),
    [("text", {}), ("json", {}), ("json", {"shadow": True}), ("text", {"verify": "100%"})],
    ids=["text", "json", "shadow", "verify"],
)
def test_by_rules(accelerated: Any, watch: Watch, style: str, trust: dict[str, Any]) -> None:
    accelerator, repository = accelerated.start(style, **_rules(**trust))
    _use(repository, watch)
    repository.session_of(SECRET)
    repository.answers = [RESULT, "another"]
    repository.session_of(SECRET)
    if trust:  # before the next write: a comparison in the background that a write overtakes says nothing
        assert watch.differed.wait(30)
    _use(repository, watch)
    assert accelerator.invalidate(f"users:session_of:{SECRET}") >= 0
    _ask(accelerator, watch, "Repository.session_of", "Repository.log_out")
    accelerator.uninstall()
    assert watch.found() == []


@pytest.mark.parametrize("failing", ["get", "put", "remove", "clear", "entries", "len"])
def test_with_a_store_that_tells_what_it_was_given(accelerated: Any, watch: Watch, failing: str) -> None:
    error = lambda: RuntimeError(f"{TEXT} {SECRET} {RESULT}")  # noqa: E731 - one line is enough
    accelerated.module.store = lambda namespace, target: FaultyStore(failing, error=error)
    accelerator, repository = accelerated.start(**_rules())
    _use(repository, watch)
    _ask(accelerator, watch, "Repository.session_of")
    accelerator.uninstall()
    assert watch.found() == []


@pytest.mark.parametrize(("protection", "place"), [("secret", "event"), ("forgetful", "local args")])
def test_without_a_protection_the_watch_sees_it(
    accelerated: Any, watch: Watch, monkeypatch: pytest.MonkeyPatch, protection: str, place: str
) -> None:
    rules = _rules()
    if protection == "secret":
        del rules["repositories"][0]["cached"]["session_of"]["secret"]
    else:
        monkeypatch.setattr(invalidating, "forgetful", lambda call: call)
    accelerator, repository = accelerated.start(**rules)
    _use(repository, watch)
    accelerator.uninstall()
    assert any(found.startswith(place) for found in watch.found())


def _on_a_database(invalidation: str) -> dict[str, Any]:
    cached = {"query": {"namespace": "shop", "secret": "name"}}
    return {
        "pool": [{"connect": "sqlite3:connect", "size": 2}],
        "invalidation": invalidation,
        "sql": {"assume_plain_tables": True},
        "cache": {"namespaces": {"shop": {}}},
        "repositories": [
            {
                "target": "canary_app:Repository",
                "scope": "self.connection_string",
                "cached": cached,
                "invalidates": {} if invalidation == "sql" else {"change": ["shop:*"]},
            }
        ],
    }


@pytest.mark.filterwarnings("ignore:unclosed database:ResourceWarning")
@pytest.mark.parametrize("invalidation", ["rules", "sql", "both"])
def test_on_a_database(accelerated: Any, watch: Watch, tmp_path: Path, invalidation: str) -> None:
    accelerator, repository = accelerated.start(**_on_a_database(invalidation))
    connection = sqlite3.connect(repository.connection_string)
    connection.execute("CREATE TABLE secrets (name TEXT, value TEXT)")
    connection.close()
    for _ in range(2):
        raised(watch, repository.query, "one")
        raised(watch, repository.change, "one")
        raised(watch, repository.broken)
        raised(watch, repository.session)
        raised(watch, repository.procedure)
    repository.connection_string = f"{tmp_path}/nowhere/{CONNECTION}.db"
    assert isinstance(raised(watch, repository.query, "one"), sqlite3.OperationalError)
    _ask(accelerator, watch, "Repository.query", "sqlite3:connect")
    accelerator.uninstall()
    assert watch.found() == []


@pytest.mark.filterwarnings("ignore:unclosed database:ResourceWarning")
def test_a_driver_that_tells_its_connection_string(
    accelerated: Any, watch: Watch, odbc: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    accelerator, _ = accelerated.start(pool=[{"connect": "pyodbc:connect"}], cache={})
    text = f"Driver={{{CONNECTION}}};UID={PASSWORD};PWD={PASSWORD}"
    assert isinstance(raised(watch, odbc.connect, text, password=PASSWORD), odbc.Error)
    watch.add("stats", accelerator.stats().as_dict())
    watch.objects()
    accelerator.uninstall()
    assert watch.found() == []


@pytest.mark.filterwarnings("ignore:unclosed database:ResourceWarning")
@pytest.mark.parametrize("is_shared", [False, True], ids=["one each", "per thread"])
def test_what_a_pooled_connection_is_given(
    accelerated: Any, watch: Watch, odbc: Any, sqlite_odbc: Any, tmp_path: Path, is_shared: bool
) -> None:
    class Gateway:
        def connect(self, password: str) -> Any:
            if password == "fails":
                raise RuntimeError(TEXT)
            return odbc.connect(sqlite_odbc(tmp_path / f"{CONNECTION}.db"), attrs_before={1: 1})

    accelerated.module.Gateway = Gateway
    pool = {"connect": "pyodbc:connect", "per_thread": ["canary_app:Gateway.connect"] if is_shared else []}
    accelerator, _ = accelerated.start(pool=[pool], cache={})
    raised(watch, Gateway().connect, "fails")
    connection = Gateway().connect("works")
    connection.execute("CREATE TABLE secrets (name TEXT)")
    cursor = connection.cursor()
    failing = (
        (cursor.execute, f"INSERT INTO nothing VALUES ('{LITERAL}')"),
        (cursor.execute, "INSERT INTO secrets VALUES (?)", PASSWORD, PASSWORD),
        (cursor.executemany, "INSERT INTO secrets VALUES (?)", [[PASSWORD, 1]]),
        (connection.execute, f"SELECT '{LITERAL}"),
        (cursor.fetchall,),
    )
    for call, *arguments in failing:
        assert isinstance(raised(watch, call, *arguments), odbc.Error)
    cursor.execute("INSERT INTO secrets VALUES (?)", PASSWORD)
    connection.commit()
    watch.objects()
    del connection, cursor, failing, call
    _ask(accelerator, watch, "pyodbc:connect")
    accelerator.uninstall()
    assert watch.found() == []
