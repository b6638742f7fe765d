"""Reloads of what is not a rule: pools, the mode that needs no rules, plugins, the log, the lock file."""

from __future__ import annotations

import logging
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from accel_shop import UserRepository, config, is_patched
from threads_in_step import HeldCall, in_thread, midway, result_of

from wats_accel.events import FeatureInitialized
from wats_accel.runtime import Accelerator
from wats_accel.testing import accelerated

MODULE = "reloaded_stock"


class Stock:
    """One table; the application keeps one connection for writes, and opens one for each read."""

    def __init__(self, database: str) -> None:
        self.database = database
        self.connection = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
        self.runs = 0

    def total(self) -> int:
        self.runs += 1
        connection = sqlite3.connect(self.database, isolation_level=None)
        try:
            found = int(connection.execute("SELECT SUM(count) FROM stock").fetchone()[0])
            midway()
            return found
        finally:
            connection.close()

    def add(self) -> None:
        self.connection.execute("INSERT INTO stock VALUES (1)")


SCHEMA = {"assume_plain_tables": True}


def rules(**others: Any) -> dict[str, Any]:
    return {
        "version": 1,
        "pool": [{"connect": "sqlite3:connect"}],
        "cache": {"namespaces": {"stock": {}}},
        "invalidation": "sql",
        "sql": dict(SCHEMA),
        "repositories": [
            {"target": f"{MODULE}:Stock", "scope": "self.database", "cached": {"total": "stock"}}
        ],
        **others,
    }


@pytest.fixture
def stock(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[[], Any]]:
    """Makes the application's object; call it when connections are patched, or before."""
    module: Any = ModuleType(MODULE)
    module.Stock = type("Stock", (Stock,), dict(vars(Stock)))
    monkeypatch.setitem(sys.modules, MODULE, module)
    database = str(tmp_path / "stock.db")
    connection = sqlite3.connect(database)
    connection.executescript("CREATE TABLE stock (count INTEGER); INSERT INTO stock VALUES (1);")
    connection.close()
    made: list[Any] = []

    def make() -> Any:
        made.append(module.Stock(database))
        return made[-1]

    yield make
    for known in made:
        known.connection.close()


def is_fresh_and_cached(stock: Any) -> bool:
    for _ in range(2):
        before = stock.total()
        stock.add()
        if stock.total() != before + 1:
            return False
    runs = stock.runs
    stock.total()
    return bool(stock.runs == runs)


# -- where the SQL decides ---------------------------------------------------------------------------------


def test_entries_survive_where_neither_sql_nor_their_rule_changes(stock: Any) -> None:
    document = rules()
    with accelerated(document) as accelerator:
        known = stock()
        known.total()
        document["logging"] = {"level": "error"}
        assert accelerator.reload()
        known.total()
        assert known.runs == 1
        assert is_fresh_and_cached(known)


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document["sql"].update(dialect="sqlite"),
        lambda document: document["pool"][0].update(size=2),
        lambda document: document["cache"]["namespaces"]["stock"].update(ttl="1m"),
    ],
    ids=["sql", "pool", "read"],
)
def test_a_connection_from_before_goes_on_being_seen(stock: Any, change: Callable[[Any], None]) -> None:
    document = rules()
    with accelerated(document) as accelerator:
        known = stock()
        assert is_fresh_and_cached(known)
        change(document)
        assert accelerator.reload()
        assert is_fresh_and_cached(known)
        assert is_fresh_and_cached(stock())
        assert accelerator.problems == ()


def test_a_watch_for_leaks_keeps_no_cache_from_keeping(stock: Any) -> None:
    document = rules(pool=[{"connect": "sqlite3:connect", "leak_after": "1h"}])
    with accelerated(document) as accelerator:
        known = stock()
        known.total()
        document["sql"]["dialect"] = "sqlite"
        assert accelerator.reload()
        assert is_fresh_and_cached(known)


def test_a_change_that_is_open_during_a_reload_of_sql_is_awaited(stock: Any) -> None:
    document = rules()
    with accelerated(document) as accelerator:
        known = stock()
        result_of(lambda: known.connection.execute("BEGIN"))
        result_of(known.add)
        document["sql"]["dialect"] = "sqlite"
        assert accelerator.reload()
        assert [known.total() for _ in range(2)] == [1, 1]
        result_of(lambda: known.connection.execute("COMMIT"))
        assert known.total() == 2
        assert is_fresh_and_cached(known)


def test_rules_give_way_to_sql_and_come_back(stock: Any) -> None:
    document = rules(invalidation="rules")
    document["repositories"][0]["invalidates"] = {"add": ["stock:*"]}
    with accelerated(document) as accelerator:
        known = stock()
        assert is_fresh_and_cached(known)
        for mode in ("sql", "both", "rules", "sql"):
            known.connection.close()  # which nobody sees if it was opened under rules
            document["invalidation"] = mode
            assert accelerator.reload()
            known = stock()
            assert is_fresh_and_cached(known), mode
        assert accelerator.problems == ()


def test_another_mode_that_is_refused_changes_nothing(stock: Any) -> None:
    document = rules(invalidation="rules")
    with accelerated(document, strict=False) as accelerator:
        known = stock()
        document.update(invalidation="sql", sql={"schema": "no_such_file.yaml"})
        assert not accelerator.reload()
        known.total()
        known.total()
        assert known.runs == 1


def test_while_a_connection_is_out_that_nobody_sees_nothing_is_kept_by_sql(stock: Any) -> None:
    document = rules(invalidation="rules")
    with accelerated(document) as accelerator:
        known = stock()  # its connection is of the pool, which nobody observes
        document["invalidation"] = "sql"
        assert accelerator.reload()
        known.total()
        known.add()
        assert known.total() == 2
        assert accelerator.stats().total.not_stored == {"settling": 2}
        known.connection.close()
        other = stock()
        assert is_fresh_and_cached(other)


def test_a_connection_that_is_being_opened_while_the_mode_changes_is_one_that_nobody_sees(
    stock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = sqlite3.connect

    def slow(*args: Any, **kwargs: Any) -> Any:
        midway()
        return connect(*args, **kwargs)

    monkeypatch.setattr(sqlite3, "connect", slow)
    document = rules(invalidation="rules")
    with accelerated(document) as accelerator:
        opening = HeldCall(stock)
        document["invalidation"] = "sql"
        assert result_of(accelerator.reload)
        known = opening.end()
        known.total()
        known.add()
        assert known.total() == 2
        known.connection.close()
        assert is_fresh_and_cached(stock())


def test_a_load_under_way_while_the_mode_changes_is_not_kept(stock: Any) -> None:
    document = rules()
    with accelerated(document) as accelerator:
        known = stock()
        load = HeldCall(known.total)
        document["sql"]["dialect"] = "sqlite"
        assert result_of(accelerator.reload)
        known.add()
        assert load.end() == 1
        assert known.total() == 2


# -- pools -------------------------------------------------------------------------------------------------


def pool_of(accelerator: Accelerator) -> Any:
    assembly: Any = accelerator._assembly
    (pooled,) = assembly.context.pools
    return pooled


def test_a_pool_whose_rules_are_the_same_keeps_its_connections(stock: Any) -> None:
    document = rules(invalidation="rules")
    with accelerated(document) as accelerator:
        stock().total()
        before = pool_of(accelerator)
        document["cache"]["default_ttl"] = "1m"
        assert accelerator.reload()
        assert pool_of(accelerator) is before
        assert before.idle == 1


def test_a_pool_whose_rules_change_is_replaced_and_its_connections_are_closed(stock: Any) -> None:
    document = rules(invalidation="rules")
    told: list[str] = []
    with accelerated(document) as accelerator:
        accelerator._bus.subscribe(FeatureInitialized, lambda event: told.append(event.summary))
        held = sqlite3.connect
        known = stock()
        known.total()
        before = pool_of(accelerator)
        document["pool"][0]["size"] = 2
        assert accelerator.reload()
        after = pool_of(accelerator)
        assert (after is before, before.idle, before.checked_out) == (False, 0, 1)
        assert told == ["Connection Pool initialized (size=2, overflow=10)"]
        known.add()  # on a connection of the old pool
        sqlite3.connect(known.database).close()
        known.connection.close()
        assert (before.checked_out, before.idle, after.idle) == (0, 0, 1)
        held(known.database).close()  # an old name of `connect` gives connections of the new pool
        assert (after.counters.reused, after.idle) == (1, 1)


def test_a_pool_is_removed_and_added(stock: Any) -> None:
    document = rules(invalidation="rules")
    original = sqlite3.connect
    with accelerated(document) as accelerator:
        pool = document.pop("pool")
        assert accelerator.reload()
        assert sqlite3.connect is original
        document["pool"] = pool
        assert accelerator.reload()
        assert sqlite3.connect is not original
        stock().total()
        assert pool_of(accelerator).idle == 1
    assert sqlite3.connect is original


# -- plugins, log, summary, lock ---------------------------------------------------------------------------

_PLUGIN = """
from wats_accel.extension import hookimpl
import accel_shop

@hookimpl
def accel_startup(context):
    accel_shop.journal.append("start {name}")

@hookimpl
def accel_shutdown(context):
    accel_shop.journal.append("stop {name}")
"""


def test_other_plugins_are_started_and_those_that_are_gone_are_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import accel_shop

    journal: list[str] = []
    monkeypatch.setattr(accel_shop, "journal", journal, raising=False)
    for name in ("one", "two"):
        (tmp_path / f"{name}.py").write_text(_PLUGIN.format(name=name), encoding="utf-8")
    document = config(plugins={"load": [str(tmp_path / "one.py")]})
    with accelerated(document) as accelerator:
        document["plugins"] = {"load": [str(tmp_path / "two.py")]}
        assert accelerator.reload()
        assert journal == ["start one", "start two", "stop one"]
        assert accelerator.problems == ()
    assert journal[3:] == ["stop two"]


def test_a_plugin_that_cannot_be_loaded_leaves_the_old_ones(tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("raise OSError('PWD=hunter2')\n", encoding="utf-8")
    document = config()
    with accelerated(document, strict=False) as accelerator:
        document["plugins"] = {"load": [str(broken)]}
        assert not accelerator.reload()
        (problem,) = accelerator.problems
        assert "plugin 'broken' failed in loading: OSError" in problem.message
        document["plugins"] = {"disable": ["write_invalidation"]}
        del document["repositories"][0]["invalidates"]
        assert accelerator.reload()


def test_the_log_gets_another_format_and_level(caplog: pytest.LogCaptureFixture) -> None:
    document = config()
    with accelerated(document) as accelerator:
        caplog.clear()
        document["logging"] = {"format": "json", "level": "info"}
        assert accelerator.reload()
        UserRepository().get_user("ada")
        lines = [record.getMessage() for record in caplog.records]
        assert any(line.startswith("{") and "accel.config_reloaded" in line for line in lines)
    assert logging.getLogger("wats_accel").level == logging.NOTSET


def test_the_summary_comes_at_other_intervals_or_not_at_all() -> None:
    def threads() -> int:
        return sum(known.name == "wats-accel-summary" for known in threading.enumerate())

    document = config(logging={"summary_every": "1h"})
    with accelerated(document) as accelerator:
        summary = accelerator._companions._summary
        document["logging"]["summary_every"] = "2h"
        assert accelerator.reload()
        assert accelerator._companions._summary not in (None, summary)
        document["logging"]["summary_every"] = 0
        assert accelerator.reload()
        assert accelerator._companions._summary is None


# -- while others act --------------------------------------------------------------------------------------


def test_an_uninstall_in_the_middle_of_a_reload_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import accel_shop

    monkeypatch.setattr(accel_shop, "midway", midway, raising=False)
    path = tmp_path / "slow.py"
    path.write_text(
        "from wats_accel.extension import hookimpl\nimport accel_shop\n"
        "@hookimpl\ndef accel_patch_specs(context):\n    accel_shop.midway()\n    return []\n",
        encoding="utf-8",
    )
    document = config(plugins={"load": [str(path)]})
    accelerator = Accelerator(document, environ={})
    accelerator.install()
    document["cache"]["default_ttl"] = "1m"
    reload = HeldCall(accelerator.reload)
    result_of(accelerator.uninstall)
    assert not is_patched()
    assert reload.end() is False
    assert not is_patched()
    assert accelerator.problems == ()


def test_reloads_in_two_threads_come_one_after_the_other() -> None:
    document = config()
    with accelerated(document) as accelerator:
        document["cache"]["default_ttl"] = "1m"
        both = [in_thread(accelerator.reload) for _ in range(2)]
        assert sorted(future.result(30) for future in both) == [False, True]


def test_a_reload_whose_step_fails_takes_everything_down(monkeypatch: pytest.MonkeyPatch) -> None:
    document = config()
    with accelerated(document, strict=False) as accelerator:
        document["cache"]["default_ttl"] = "1m"
        monkeypatch.setattr(accelerator._patcher, "apply", lambda changes: 1 / 0)
        assert accelerator.reload() is False
        assert (is_patched(), accelerator.installed) == (False, False)
        assert [problem.message for problem in accelerator.problems] == [
            "cannot be installed: ZeroDivisionError"
        ]
