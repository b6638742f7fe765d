"""Acts of the fault matrix: what an application does before a part breaks, and while it is broken."""

from __future__ import annotations

import gc
import json
import sqlite3
import threading
from typing import Any

from shelves import BOOKS
from stages import Stage

from wats_accel.testing import Fault, failing


def nothing(stage: Stage) -> None:
    """Nothing is cached yet."""


def warm(stage: Stage) -> None:
    for _ in range(2):
        _read_all(stage)
    stage.outcomes.clear()
    stage.app.runs.clear()


def _read_all(stage: Stage) -> None:
    for book in BOOKS[:2]:
        stage.method("title", book)
    stage.method("listing")
    stage.method("details", 1)
    stage.method("opened")
    stage.method("missing", 1, inside=True)
    stage.method("title", 99)  # there is none: the application's own IndexError


def read_twice(stage: Stage) -> None:
    for _ in range(2):
        _read_all(stage)
    _change_what_was_given(stage)


def _change_what_was_given(stage: Stage) -> None:
    """A caller does what he likes with an answer; nobody else may see that."""
    for _ in range(2):
        found = stage.method("listing")
        if isinstance(found, list) and found and isinstance(found[0], dict):
            found[0]["title"] = "spoilt"
            found.append("spoilt")


def write(stage: Stage) -> None:
    stage.method("rename", 1, "Persuasion")
    stage.method("title", 1)
    stage.method("listing")
    stage.method("lend", 2, "eve")
    stage.method("details", 2)
    stage.method("title", 2)
    stage.method("rename_badly", 3, "Cape Cod", inside=True)
    stage.method("title", 3)
    stage.method("rename_all", {1: "Sanditon", 2: "Dubliners"})
    stage.method("summary")
    stage.method("rename", 1)  # the application's own TypeError


def nested(stage: Stage) -> None:
    stage.method("summary")
    stage.method("rename", 2, "Dubliners")
    stage.method("summary")
    stage.method("summary", 2)
    stage.method("summary")


def joined(stage: Stage) -> None:
    """A second thread wants what a first one is loading."""
    others: list[threading.Thread] = []

    def join() -> None:
        other = threading.Thread(target=stage.method, args=("title", 3), name="the application's")
        others.append(other)
        other.start()
        other.join(0.01)

    stage.app.in_title = join
    stage.method("title", 3)
    for other in others:
        other.join(10)
    stage.outcomes.sort(key=repr)


def warm_and_old(stage: Stage) -> None:
    stage.method("count")
    stage.method("count")
    stage.outcomes.clear()
    stage.app.runs.clear()
    stage.clock.advance(400)


def renew(stage: Stage) -> None:
    stage.method("count")
    threading.Event().wait(0.005)
    stage.method("count")


def check(stage: Stage) -> None:
    for _ in range(2):
        stage.method("checked", 1)
        stage.method("tried", 1)
    threading.Event().wait(0.003)
    stage.method("rename", 1, "Persuasion")
    for _ in range(2):
        stage.method("checked", 1)
        stage.method("tried", 1)
    threading.Event().wait(0.003)


def warm_with_other_rules(stage: Stage) -> None:
    """The configuration is another one by now, and nobody has told the accelerator yet."""
    warm(stage)
    if stage.accelerator is not None:
        changed = json.loads(json.dumps(stage.wanted))
        rules = changed["repositories"][0]
        rules["cached"]["listing"] = {"namespace": "books", "ttl": 5}
        rules["invalidates"]["rename"] = ["books:*", "other:*"]
        del rules["cached"]["missing"]
        stage.accelerator.source = changed


def reload(stage: Stage) -> None:
    stage.ask("reload", lambda known: known.reload())
    _read_all(stage)
    write(stage)
    _read_all(stage)


def install(stage: Stage) -> None:
    stage.ask("install", lambda known: known.install())
    stage.elsewhere.settle(stage.patience)
    _read_all(stage)
    write(stage)
    _read_all(stage)


def uninstall(stage: Stage) -> None:
    stage.ask("uninstall", lambda known: known.uninstall())
    _read_all(stage)
    write(stage)
    _read_all(stage)


def ask(stage: Stage) -> None:
    stage.ask("stats", lambda known: known.stats())
    stage.ask("disable", lambda known: known.disable("books:*"))
    _read_all(stage)
    stage.ask("enable", lambda known: known.enable("books:*"))
    stage.ask("invalidate", lambda known: known.invalidate("books:title:1"))
    stage.ask("invalidate", lambda known: known.invalidate("*"))
    stage.ask("explain", lambda known: known.explain("legacy_app:Shelves.title"))
    _read_all(stage)


def read_broken(stage: Stage) -> None:
    """Something else is broken already."""
    with failing("key.freeze", Fault.raises(LookupError)):
        for _ in range(3):
            _read_all(stage)
        stage.method("rename", 1, "Persuasion")
    _read_all(stage)


def old(stage: Stage) -> None:
    warm(stage)
    stage.clock.advance(700)  # past every TTL


def drive(stage: Stage) -> None:
    """The driver itself, through the pool."""
    _with_a_connection(stage, stage.step("connect", sqlite3.connect, stage.database, timeout=0.5))
    _with_a_connection(stage, stage.step("connect", sqlite3.connect, stage.database, timeout=0.5))
    nobodys = stage.step("connect", sqlite3.connect, stage.database, timeout=0.5)
    stage.step("execute", _never_committed, nobodys)
    nobodys = None
    gc.collect(1)  # a connection of sqlite3 refers to itself
    reader = stage.step("connect", sqlite3.connect, stage.database, timeout=0.5)
    stage.step("rows", lambda: reader.execute("SELECT * FROM loan").fetchall())
    stage.step("close", lambda: reader.close())


def _never_committed(connection: Any) -> int:
    return int(connection.execute("INSERT INTO loan VALUES (3, 'nobody')").rowcount)


def _with_a_connection(stage: Stage, connection: Any) -> None:
    if connection is None:
        return
    step = stage.step
    cursor = step("cursor", connection.cursor)
    step("select", lambda: cursor.execute("SELECT id, title FROM book ORDER BY id").fetchone())
    step("fetch", lambda: cursor.fetchall())
    step("iterate", lambda: list(connection.execute("SELECT reader FROM loan ORDER BY 1")))
    step("wrong", lambda: cursor.execute("SELECT 1 FROM nowhere"))
    step("many", lambda: cursor.executemany("INSERT INTO loan VALUES (?, ?)", [(2, "x"), (2, "y")]).rowcount)
    step("open", lambda: connection.in_transaction)
    step("rollback", connection.rollback)
    step("insert", lambda: cursor.execute("INSERT INTO loan VALUES (3, 'zoe')").rowcount)
    step("commit", connection.commit)
    step("block", lambda: _in_a_block(connection))
    step("types", lambda: [type(connection).__name__, isinstance(connection, sqlite3.Connection)])
    step("setting", lambda: connection.execute("PRAGMA cache_size = 100").fetchall())
    step("close", connection.close)
    step("after", lambda: cursor.execute("SELECT 1"))
    step("after", lambda: connection.execute("SELECT 1"))


def _in_a_block(connection: Any) -> int:
    with connection:
        return int(connection.execute("UPDATE book SET title = 'Emma' WHERE id = 1").rowcount)


# -- other processes ----------------------------------------------------------------------------------------


def warm_elsewhere(stage: Stage) -> None:
    warm(stage)
    stage.elsewhere.settle(10.0)
    stage.elsewhere.forget_here()


def written_elsewhere(stage: Stage) -> None:
    stage.elsewhere.write(stage.database, "Northanger Abbey")
    stage.elsewhere.settle(stage.patience)
    stage.method("count")


def cut_off(stage: Stage) -> None:
    """What is written meanwhile is told later."""
    stage.elsewhere.cut_off(stage.patience)
    stage.method("rename", 1, "Persuasion")
    stage.method("title", 1)
    stage.elsewhere.settle(3 * stage.patience)
    stage.method("title", 1)


def not_told(stage: Stage) -> None:
    """The server takes no messages."""
    with failing("server.announce", Fault.raises(LookupError)):
        stage.method("rename", 1, "Persuasion")
        stage.method("title", 1)
    stage.elsewhere.settle(3 * stage.patience)
    stage.method("title", 1)


def silent(stage: Stage) -> None:
    stage.elsewhere.fall_silent(stage.patience)
    _read_all(stage)
    stage.elsewhere.settle(stage.patience)
    _read_all(stage)


def warm_and_told(stage: Stage) -> None:
    """There are messages that the server can lose."""
    warm(stage)
    for _ in range(2):
        stage.elsewhere.settle(10.0)


def forgotten(stage: Stage) -> None:
    """Another process has written, and the server has lost its message with all others."""
    stage.elsewhere.write(stage.database, "Northanger Abbey", tells=False)
    stage.elsewhere.forget_there()
    stage.elsewhere.settle(3 * stage.patience)
    stage.method("count")
