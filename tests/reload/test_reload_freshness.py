"""A reload in the middle of calls: no answer is older than a write that has returned."""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from threads_in_step import PATIENCE, HeldCall, in_thread, midway, result_of

from wats_accel.runtime import Accelerator
from wats_accel.testing import accelerated

MODULE = "reloaded_app"


class Notes:
    """A text in a store. A read has read it when it comes to its middle, a write is about to change it."""

    def __init__(self) -> None:
        self.text = "old"
        self.runs = 0

    def read(self) -> str:
        self.runs += 1
        text = self.text
        midway()
        return text

    def page(self) -> str:
        text = f"<{self.read()}>"
        midway()
        return text

    def write(self, text: str) -> bool:
        midway()
        self.text = text
        return True

    def write_both(self, text: str) -> bool:
        return self.write(text)


def rules(cached: dict[str, Any], invalidates: dict[str, Any], **others: Any) -> dict[str, Any]:
    repository = {"target": f"{MODULE}:Notes", "cached": cached, "invalidates": invalidates}
    cache = {"namespaces": {"notes": {}, "pages": {}}}
    return {"version": 1, "cache": cache, "repositories": [repository], **others}


READ, BOTH = {"read": "notes"}, {"read": "notes", "page": "pages"}
DROPS = {"write": ["notes:*"]}


@pytest.fixture
def notes(monkeypatch: pytest.MonkeyPatch) -> Notes:
    module: Any = ModuleType(MODULE)
    kept = type("Notes", (Notes,), dict(vars(Notes)))  # its own for each test
    module.Notes = kept
    monkeypatch.setitem(sys.modules, MODULE, module)
    made: Notes = kept()
    return made


def reload_to(accelerator: Accelerator, cached: dict[str, Any], invalidates: dict[str, Any]) -> None:
    source: Any = accelerator.source
    source["repositories"] = rules(cached, invalidates)["repositories"]
    assert result_of(accelerator.reload)


def settling(accelerator: Accelerator) -> int:
    return accelerator.stats().total.not_stored.get("settling", 0)


def reads_are_cached(notes: Notes) -> bool:
    notes.read()
    before = notes.runs
    notes.read()
    return notes.runs == before


@pytest.mark.parametrize("first_install", [True, False], ids=["install", "reload"])
def test_a_write_that_nobody_saw_begin_keeps_new_caches_from_keeping(
    notes: Notes, first_install: bool
) -> None:
    before = None if first_install else Accelerator(rules({}, {}), environ={}, strict=True)
    accelerator = before or Accelerator(rules(READ, DROPS), environ={}, strict=True)
    if before is not None:
        before.install()
    held = HeldCall(lambda: notes.write("new"))  # unpatched
    try:
        if before is None:
            accelerator.install()
        else:
            reload_to(before, READ, DROPS)
        assert notes.read() == "old"
        assert settling(accelerator) == 1
        held.end()
        assert notes.read() == "new"
        assert reads_are_cached(notes)
        assert settling(accelerator) == 1
    finally:
        accelerator.uninstall()


def test_a_load_that_began_while_such_a_write_was_under_way_is_not_kept_after_its_end(notes: Notes) -> None:
    with accelerated(rules({}, {})) as accelerator:
        write = HeldCall(lambda: notes.write("new"))
        reload_to(accelerator, READ, DROPS)
        load = HeldCall(notes.read)  # it has read the old text
        write.end()
        assert load.end() == "old"
        assert notes.read() == "new"


def test_a_write_that_is_patched_and_under_way_keeps_a_new_cache_from_keeping(notes: Notes) -> None:
    with accelerated(rules(READ, {"write": ["*"]})) as accelerator:
        write = HeldCall(lambda: notes.write("new"))
        reload_to(accelerator, BOTH, {"write": ["*"]})
        assert notes.page() == "<old>"
        assert notes.runs == 1
        assert notes.page() == "<old>"
        assert notes.runs == 2
        write.end()
        assert notes.page() == "<new>"
        assert notes.page() == "<new>"
        assert notes.runs == 3


def test_a_write_under_way_drops_what_the_rules_say_when_it_ends(notes: Notes) -> None:
    with accelerated(rules(BOTH, {"write": ["pages:*"]})) as accelerator:
        write = HeldCall(lambda: notes.write("new"))
        reload_to(accelerator, BOTH, DROPS)
        assert notes.read() == "old"
        write.end()
        assert notes.read() == "new"


def test_a_write_whose_rule_goes_while_it_is_under_way_drops_what_its_own_said(notes: Notes) -> None:
    with accelerated(rules(BOTH, {"write": ["pages:*"], "write_both": ["notes:*"]})) as accelerator:
        assert (notes.read(), notes.page()) == ("old", "<old>")
        write = HeldCall(lambda: notes.write_both("new"))
        reload_to(accelerator, BOTH, {"write": ["pages:*"]})
        write.end()
        assert (notes.read(), notes.page()) == ("new", "<new>")


def test_a_load_under_way_is_not_kept_by_the_cache_that_takes_over(notes: Notes) -> None:
    with accelerated(rules(READ, DROPS)) as accelerator:
        load = HeldCall(notes.read)
        reload_to(accelerator, {"read": {"namespace": "notes", "ttl": "1m"}}, DROPS)
        notes.write("new")
        assert load.end() == "old"
        assert notes.read() == "new"
        assert reads_are_cached(notes)


def test_a_load_under_way_is_not_kept_when_other_writes_drop_its_answer_now(notes: Notes) -> None:
    with accelerated(rules(READ, {})) as accelerator:
        load = HeldCall(notes.read)
        result_of(lambda: notes.write("new"))  # of which no rule says anything
        reload_to(accelerator, READ, DROPS)
        assert load.end() == "old"
        assert notes.read() == "new"


def test_what_is_made_from_a_cache_that_has_retired_is_not_kept(notes: Notes) -> None:
    with accelerated(rules(BOTH, DROPS)) as accelerator:
        page = HeldCall(notes.page)  # it stands in the read, which is inside
        reload_to(accelerator, {"read": {"namespace": "notes", "ttl": "1m"}, "page": "pages"}, DROPS)
        result_of(lambda: notes.write("new"))
        assert page.end() == "<old>"
        assert notes.page() == "<new>"


def test_what_was_made_from_a_cache_that_has_retired_is_dropped(notes: Notes) -> None:
    with accelerated(rules(BOTH, DROPS)) as accelerator:
        assert notes.page() == "<old>"
        reload_to(accelerator, {"read": {"namespace": "notes", "ttl": "1m"}, "page": "pages"}, DROPS)
        notes.write("new")
        assert notes.page() == "<new>"


def test_calls_that_wait_for_a_load_of_a_cache_that_retires_get_their_answer(
    notes: Notes, joins: Any
) -> None:
    with accelerated(rules(READ, DROPS)) as accelerator:
        load = HeldCall(notes.read)
        waiter = in_thread(notes.read)
        joins.await_waiting()
        reload_to(accelerator, {"read": {"namespace": "notes", "ttl": "1m"}}, DROPS)
        assert load.end() == "old"
        assert waiter.result(PATIENCE) == "old"


def test_a_write_whose_module_comes_late_has_what_it_concerns_begin_from_empty(
    notes: Notes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # Its own module writes while it is imported, when nothing is patched yet.
    (tmp_path / "late_writer.py").write_text(
        f"from {MODULE} import shared\n"
        "class Writer:\n    def write(self, text): shared.text = text\n"
        "Writer().write('new')\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    sys.modules[MODULE].shared = notes  # type: ignore[attr-defined] # put there for the late module
    document = rules(READ, DROPS)
    document["repositories"].append({"target": "late_writer:Writer", "invalidates": {"write": ["notes:*"]}})
    with accelerated(document):
        assert notes.read() == "old"
        __import__("late_writer")
        monkeypatch.delitem(sys.modules, "late_writer")
        assert notes.read() == "new"
        assert reads_are_cached(notes)


# -- transactions ------------------------------------------------------------------------------------------


class Ledger:
    """Rows of a database; the caller of `add` commits."""

    def __init__(self, database: str) -> None:
        self.database = database
        self.connection = sqlite3.connect(database, check_same_thread=False)

    def total(self) -> int:
        connection = sqlite3.connect(self.database)
        try:
            return int(connection.execute("SELECT COUNT(*) FROM entry").fetchone()[0])
        finally:
            connection.close()

    def add(self) -> None:
        self.connection.execute("INSERT INTO entry VALUES (1)")


@pytest.fixture
def ledger_module(monkeypatch: pytest.MonkeyPatch) -> Any:
    module: Any = ModuleType(MODULE)
    module.Ledger = type("Ledger", (Ledger,), dict(vars(Ledger)))
    monkeypatch.setitem(sys.modules, MODULE, module)
    return module


def test_a_transaction_that_is_open_keeps_a_new_cache_from_keeping(
    ledger_module: Any, tmp_path: Path
) -> None:
    database = str(tmp_path / "ledger.db")
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE entry (id INTEGER)")
    connection.close()
    document = rules({}, {}, pool=[{"connect": "sqlite3:connect"}])
    with accelerated(document) as accelerator:
        ledger = ledger_module.Ledger(database)
        result_of(ledger.add)  # unpatched, in a thread of its own
        document["repositories"] = [
            {
                "target": f"{MODULE}:Ledger",
                "scope": "self.database",
                "cached": {"total": "notes"},
                "invalidates": {"add": ["notes:*"]},
            }
        ]
        assert accelerator.reload()
        assert (ledger.total(), settling(accelerator)) == (0, 1)
        result_of(ledger.connection.commit)
        assert [ledger.total() for _ in range(3)] == [1, 1, 1]
        assert settling(accelerator) == 1
        assert accelerator.stats().total.hits == 2
        ledger.connection.close()


def test_a_module_that_was_made_anew_brings_nothing_old_back(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = {1: "old"}
    module: Any = ModuleType("functions_made_anew")
    monkeypatch.setitem(sys.modules, module.__name__, module)

    def make_anew() -> None:
        text = "def read(key): return rows[key]\ndef write(key, text): rows[key] = text; return True\n"
        exec(text, vars(module))  # as importlib.reload does

    vars(module).update(rows=rows)
    make_anew()
    source = rules({}, {})
    source["repositories"] = [
        {"target": module.__name__, "cached": {"read": "notes"}, "invalidates": {"write": "notes:*"}}
    ]
    with accelerated(source) as accelerator:
        assert module.read(1) == "old"
        make_anew()
        module.write(1, "new")
        assert module.read(1) == "new"
        source["cache"]["namespaces"]["pages"] = {"ttl": "3m"}
        assert accelerator.reload()
        assert module.read(1) == "new"
        rows[1] = "newer"
        assert module.read(1) == "new"
