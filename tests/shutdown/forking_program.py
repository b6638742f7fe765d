"""A program that forks while another thread holds every lock of the package; what its child can do then."""

from __future__ import annotations

import faulthandler
import gc
import logging
import os
import sqlite3
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import wats_accel

SECONDS = 20.0
LOCKS = (type(threading.Lock()), type(threading.RLock()), threading.Condition, threading.Event)


class Stock:
    """Reads and writes over SQLite."""

    queries = 0

    def __init__(self, database: str) -> None:
        self.database = database

    def run(self, sql: str, *values: object) -> list[Any]:
        connection = sqlite3.connect(self.database, isolation_level=None)
        return connection.execute(sql, values).fetchall()

    def amounts(self) -> list[Any]:
        Stock.queries += 1
        return self.run("SELECT amount FROM item ORDER BY rowid")

    def renewed(self) -> list[Any]:
        return self.run("SELECT amount FROM item ORDER BY rowid")

    def receive(self, amount: int) -> None:
        self.run("INSERT INTO item VALUES (?)", amount)


CONFIG = """
version: 1
invalidation: both
logging: {summary_every: 1h}
watch: %s
pool:
  - {connect: "sqlite3:connect", leak_after: 1h}
sql: {dialect: sqlite, assume_plain_tables: true}
cache:
  namespaces: {stock: {ttl: 5m}}
repositories:
  - target: stock_of_program:Stock
    scope: self.database
    cached:
      amounts: stock
      renewed: {namespace: stock, refresh_ahead: 80%%}
    invalidates:
      receive: ["stock:*"]
"""


def locks() -> dict[str, Any]:
    """Every lock of the package's objects and modules, by where it is."""
    return {name: lock for name, lock in _all_attributes() if type(lock) in LOCKS}


def _all_attributes() -> Iterator[tuple[str, Any]]:
    for found in gc.get_objects():
        if type(found) is ModuleType:
            if _is_own(found.__name__):
                yield from ((f"{found.__name__}.{name}", value) for name, value in list(vars(found).items()))
        elif _is_own(type(found).__module__):
            for name in _names(found):
                value = getattr(found, name, None)
                yield f"{type(found).__module__}.{type(found).__name__}.{name}#{id(found)}", value


def _is_own(module: object) -> bool:
    return isinstance(module, str) and module.split(".")[0] in ("wats_accel", "wats_accel_plugins")


def _names(found: Any) -> set[str]:
    slots = {name for kind in type(found).__mro__ for name in vars(kind).get("__slots__", ())}
    return {*getattr(found, "__dict__", ()), *slots} - {"__dict__", "__weakref__"}


def hold(known: dict[str, Any], held: threading.Event, over: threading.Event) -> None:
    """Hold all of them, in this thread."""
    each_once = {id(lock): lock for lock in map(_inside, known.values())}  # several names may lead to one
    taken = [lock for lock in each_once.values() if lock.acquire(timeout=SECONDS)]
    held.set()
    over.wait()
    for lock in reversed(taken):
        lock.release()


def _inside(lock: Any) -> Any:
    lock = lock._cond if isinstance(lock, threading.Event) else lock
    return lock._lock if isinstance(lock, threading.Condition) else lock


def in_child(accelerator: Any, stock: Stock, kept: Any) -> None:
    """What a child may want to do."""
    Stock.queries = 0
    assert [stock.amounts(), stock.amounts()] == [[(1,)]] * 2
    assert Stock.queries == 1
    stock.receive(2)
    assert [stock.amounts(), stock.renewed()] == [[(1,), (2,)]] * 2
    assert kept.execute("SELECT 1").fetchall() == [(1,)]  # of the parent's, and used all the same
    accelerator.disable("stock:*")
    accelerator.enable("stock:*")
    accelerator.invalidate("stock:*")
    accelerator.explain("Stock.amounts")
    assert accelerator.stats().total.hits
    assert accelerator.reload() is False
    wats_accel.install()
    accelerator.uninstall()
    assert Stock.amounts is PLAIN
    wats_accel.install(sys.argv[1]).uninstall()


sys.modules["stock_of_program"] = sys.modules["__main__"]
PLAIN = Stock.amounts


def main() -> None:
    """Fork, and say which locks were held."""
    config, watch = Path(sys.argv[1]), sys.argv[2]
    logging.basicConfig(filename=config.with_suffix(".log"), level=logging.DEBUG)
    config.write_text(CONFIG % watch, encoding="utf-8")
    stock = Stock(str(config.with_suffix(".db")))
    stock.run("CREATE TABLE item (amount)")
    stock.run("INSERT INTO item VALUES (1)")
    accelerator = wats_accel.install(config, strict=True)
    stock.receive(2)
    stock.run("DELETE FROM item WHERE amount = 2")
    kept = sqlite3.connect(stock.database)
    assert [stock.amounts(), stock.amounts(), stock.renewed()] == [[(1,)]] * 3
    known, held, over = locks(), threading.Event(), threading.Event()
    holder = threading.Thread(target=hold, args=(known, held, over))
    holder.start()
    held.wait()
    child = os.fork()
    if not child:
        faulthandler.dump_traceback_later(SECONDS, exit=True)
        in_child(accelerator, stock, kept)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    over.set()
    holder.join()
    assert status or stock.run("SELECT amount FROM item") == [(1,), (2,)]
    kept.close()
    accelerator.uninstall()
    print(status, *sorted({name.partition("#")[0] for name in known}))


if __name__ == "__main__":
    main()
