"""The promise of mode sql, as a model: whatever statements do, a cached read gives what is committed.

The model is the database itself, read on a bare connection each time.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import sqlite3
import sys
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from small_shop import SCHEMA, Shop

from wats_accel.testing import FakeClock, accelerated

BARE_CONNECT = sqlite3.connect
MORE = """
CREATE TABLE tag (item INTEGER REFERENCES item (id) ON DELETE CASCADE, word TEXT UNIQUE);
CREATE VIEW tagged AS SELECT word, name FROM tag JOIN item ON item.id = tag.item;
CREATE TRIGGER noted AFTER UPDATE OF seen ON item BEGIN
    INSERT INTO note (text, item) VALUES ('seen', NULL);
END;
"""


class ModelledShop(Shop):
    """The shop with more reads: by key, of a view, of a view through another read."""

    def item(self, number: int) -> list[Any]:
        """By key."""
        return self.query("item", "SELECT name, price FROM item WHERE id = ?", number)

    def tagged(self) -> list[Any]:
        """Of a view."""
        return self.query("tagged", "SELECT word, name FROM tagged ORDER BY word")

    def everything(self) -> list[Any]:
        """Made from other answers and a statement of its own."""
        return [self.listing(), self.tagged(), self.query("everything", "SELECT COUNT(*) FROM note")]


NOTHING_HIDDEN: dict[str, Any] = {
    "tables": {
        "item": ["id", "name", "price", "seen"],
        "note": ["text", "item"],
        "tag": ["item", "word"],
    },
    "foreign_keys": [{"table": "tag", "columns": "item", "parent": "item", "on_delete": "cascade"}],
    "views": {"tagged": ["tag", "item"]},
    "triggers": [{"table": "item", "name": "noted", "events": ["update"], "writes": ["note"]}],
}
READS = st.one_of(
    st.tuples(st.sampled_from(["names", "prices", "total", "notes", "listing", "tagged", "everything"])),
    st.tuples(st.just("item"), st.integers(1, 3)),
)
NUMBERS = st.integers(1, 4)
WORDS = st.sampled_from("xyz")
STATEMENTS = st.one_of(
    st.tuples(st.just("UPDATE item SET name = ? WHERE id = ?"), st.tuples(WORDS, NUMBERS)),
    st.tuples(st.just("UPDATE item SET price = price + ? WHERE id = ?"), st.tuples(NUMBERS, NUMBERS)),
    st.tuples(st.just("UPDATE item SET seen = 1 WHERE id = ?"), st.tuples(NUMBERS)),
    st.tuples(st.just("INSERT INTO item (id, name, price) VALUES (?, 'new', 1)"), st.tuples(NUMBERS)),
    st.tuples(st.just("INSERT OR REPLACE INTO item (id, name) VALUES (?, ?)"), st.tuples(NUMBERS, WORDS)),
    st.tuples(st.just("DELETE FROM item WHERE id = ?"), st.tuples(NUMBERS)),
    st.tuples(st.just("INSERT INTO tag SELECT id, ? FROM item WHERE id = ?"), st.tuples(WORDS, NUMBERS)),
    st.tuples(st.just("DELETE FROM tag"), st.just(())),
    st.tuples(st.just("INSERT INTO note (text) VALUES (?)"), st.tuples(WORDS)),
    st.tuples(st.just("WITH t AS (SELECT item FROM tag) DELETE FROM note WHERE text = ?"), st.tuples(WORDS)),
)


class SqlModeMachine(RuleBasedStateMachine):
    """Two connections, one that commits each statement and one that does not, and reads between."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = contextlib.ExitStack()
        folder = self.stack.enter_context(tempfile.TemporaryDirectory())
        self.database = str(Path(folder) / "model.db")
        self.bare = BARE_CONNECT(self.database)
        self.bare.executescript(SCHEMA + MORE)
        self.clock = FakeClock()
        module = ModuleType("legacy_app")
        module.ModelledShop = type("ModelledShop", (ModelledShop,), {})
        sys.modules["legacy_app"] = module
        self.accelerator = self.stack.enter_context(accelerated(self.config(), clock=self.clock))
        self.shop: Any = module.ModelledShop(self.database)
        self.plain = _PlainShop(self.database, self.bare)
        self.committing = self.shop.connect(timeout=0.0)
        self.gathering = self.shop.connect(timeout=0.0, isolation_level="DEFERRED")
        for connection in (self.committing, self.gathering):
            connection.execute("PRAGMA foreign_keys = ON")
        self.numbers = itertools.count()
        self.dropped_before = 0  # the open transaction

    def config(self) -> dict[str, Any]:
        reads = ["names", "prices", "total", "notes", "listing", "item", "tagged", "everything"]
        return {
            "version": 1,
            "pool": [{"connect": "sqlite3:connect"}],
            "invalidation": "sql",
            "sql": NOTHING_HIDDEN,
            "cache": {"namespaces": {"shop": {"ttl": 0, "max_entries": 7}}},
            "repositories": [
                {
                    "target": "legacy_app:ModelledShop",
                    "scope": "self.database",
                    "cached": dict.fromkeys(reads, "shop"),
                }
            ],
        }

    # -- reads -----------------------------------------------------------------------------------------

    @rule(calls=st.lists(READS, min_size=1, max_size=6))
    def read(self, calls: list[tuple[Any, ...]]) -> None:
        for name, *args in calls:
            assert getattr(self.shop, name)(*args) == getattr(self.plain, name)(*args)

    @rule(calls=st.lists(READS, min_size=1, max_size=4), statement=STATEMENTS)
    def write_between_reads(self, calls: Any, statement: Any) -> None:
        self.read(calls=calls)
        self.write(self.committing, statement)
        self.read(calls=calls)

    # -- writes ----------------------------------------------------------------------------------------

    def write(self, connection: Any, statement: tuple[str, tuple[Any, ...]]) -> None:
        with contextlib.suppress(sqlite3.IntegrityError, sqlite3.OperationalError):  # or it is locked
            connection.execute(*statement)

    @rule(statement=STATEMENTS)
    def write_and_commit_at_once(self, statement: Any) -> None:
        self.write(self.committing, statement)

    @rule(statement=STATEMENTS)
    def write_and_commit_later(self, statement: Any) -> None:
        self.write(self.gathering, statement)

    @rule(words=st.lists(WORDS, max_size=3), which=st.booleans())
    def write_many(self, words: list[str], which: bool) -> None:
        connection = self.gathering if which else self.committing
        with contextlib.suppress(sqlite3.OperationalError):
            connection.executemany("INSERT INTO note (text) VALUES (?)", [(word,) for word in words])

    @precondition(lambda self: not self.gathering.in_transaction)
    @rule()
    def run_a_script(self) -> None:
        script = "BEGIN; UPDATE item SET price = 9; SAVEPOINT a; DELETE FROM tag; RELEASE a; COMMIT"
        self.committing.executescript(script)

    @precondition(lambda self: not self.gathering.in_transaction)
    @rule()
    def alter_a_table(self) -> None:
        self.committing.execute(f"ALTER TABLE note ADD COLUMN more_{next(self.numbers)} TEXT DEFAULT 'x'")

    # -- transactions ----------------------------------------------------------------------------------

    @rule()
    def commit(self) -> None:
        self.gathering.commit()

    @precondition(lambda self: self.gathering.in_transaction)
    @rule(statement=STATEMENTS, calls=st.lists(READS, max_size=3), by_text=st.booleans())
    def change_something_and_roll_back(self, statement: Any, calls: Any, by_text: bool) -> None:
        before = self.accelerator.stats().total.invalidated
        self.write(self.gathering, statement)
        self.read(calls=calls)
        self.gathering.execute("ROLLBACK") if by_text else self.gathering.rollback()
        assert self.accelerator.stats().total.invalidated == before, "nothing was committed"
        self.read(calls=calls)

    @rule(statement=STATEMENTS)
    def go_back_to_a_savepoint(self, statement: Any) -> None:
        self.gathering.execute("SAVEPOINT here")
        self.write(self.gathering, statement)
        self.gathering.execute("ROLLBACK TO here")
        self.gathering.execute("RELEASE here")

    @rule()
    def drop_the_connection_and_take_another(self) -> None:
        self.gathering.close()
        self.gathering = self.shop.connect(timeout=0.0, isolation_level="DEFERRED")
        self.gathering.execute("PRAGMA foreign_keys = ON")

    # -- everything else -------------------------------------------------------------------------------

    @rule()
    def nothing_is_gone_that_nobody_changed(self) -> None:
        if self.gathering.in_transaction:
            return  # what it has changed is kept from the cache
        self.shop.prices()
        before = self.shop.runs["prices"]
        self.write(self.committing, ("UPDATE item SET seen = NULL WHERE id = 77", ()))
        self.shop.prices()
        assert self.shop.runs["prices"] == before

    @invariant()
    def it_caches_and_sees_everything(self) -> None:
        assert self.accelerator.problems == ()
        assert not {"unknown_reads", "no_statement_seen"} & set(self.accelerator.stats().total.not_stored)

    def teardown(self) -> None:
        for connection in (self.gathering, self.committing, self.bare):
            connection.close()
        self.stack.close()
        del sys.modules["legacy_app"]


class _PlainShop(ModelledShop):
    """The model: reads what is committed, on a bare connection, each time."""

    def __init__(self, database: str, bare: Any) -> None:
        super().__init__(database)
        self._bare = bare

    def query(self, name: str, sql: str, *values: object) -> list[Any]:
        return list(self._bare.execute(sql, values).fetchall())


TestSqlMode = pytest.mark.soak(SqlModeMachine.TestCase)
TestSqlMode.settings = settings(
    max_examples=300 if os.environ.get("WATS_ACCEL_SOAK") == "1" else 40,
    stateful_step_count=50,
    deadline=None,
)
