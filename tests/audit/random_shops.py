"""Random applications: a class with reads and writes of a few tables, and rules that may forget some."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import strategies as st

TABLES = ("t0", "t1", "t2")
COLUMNS = ("id", "a", "b")
SCHEMA = (
    "CREATE TABLE t0 (id INTEGER PRIMARY KEY, a INTEGER, b INTEGER)",
    "CREATE TABLE t1 (id INTEGER PRIMARY KEY, a INTEGER, b INTEGER)",
    "CREATE TABLE t2 (id INTEGER PRIMARY KEY, a INTEGER REFERENCES t1 (id) ON DELETE CASCADE, b INTEGER)",
)

_HEAD = """\
import sqlite3


class Shop:
    def __init__(self, path):
        self.path = path
        self.db = sqlite3.connect(path, isolation_level=None)
        self.db.execute("PRAGMA foreign_keys = ON")
        self.db.execute("PRAGMA synchronous = OFF")

    def rows(self, sql, *params):
        return self.db.execute(sql, params).fetchall()

    def run(self, sql, *params):
        self.db.execute(sql, params)
        return True
"""


@dataclass(frozen=True)
class Application:
    """One application.

    Attributes:
        reads: the text of each read, in the order of their names ``read_0`` …
        writes: likewise, ``write_0`` …; private ones are ``_write_0`` …
        cached: for each read, whether it is cached.
        rules: for each write, the patterns that it drops.
    """

    reads: list[str]
    writes: list[str]
    private: set[int]
    cached: list[bool]
    rules: dict[int, list[str]] = field(default_factory=dict)

    @property
    def source(self) -> str:
        """Its only module."""
        return "\n".join([_HEAD, *self.reads, *self.writes])

    def write_name(self, number: int) -> str:
        """What a write is called."""
        return f"_write_{number}" if number in self.private else f"write_{number}"

    @property
    def callable_writes(self) -> list[int]:
        """Those that others may call: the public ones, and the private ones that no method calls."""
        called = {
            number for number in self.private if any(f"self._write_{number}(" in text for text in self.writes)
        }
        return [number for number in range(len(self.writes)) if number not in called]

    def settings(self, module: str) -> dict[str, object]:
        """Its configuration."""
        entry: dict[str, object] = {
            "target": f"{module}:Shop",
            "scope": "self.path",
            "cached": {f"read_{number}": "shop" for number, known in enumerate(self.cached) if known},
            "invalidates": {self.write_name(number): texts for number, texts in self.rules.items() if texts},
        }
        cache = {"namespaces": {"shop": {"ttl": "1h"}, "none": {}}}
        return {"version": 1, "cache": cache, "repositories": [entry], "sql": {"dialect": "sqlite"}}


@st.composite
def applications(draw: st.DrawFn) -> Application:
    """An application with one to four reads and writes."""
    reads = [_read(draw, number) for number in range(draw(st.integers(1, 4)))]
    count = draw(st.integers(1, 4))
    private = draw(st.sets(st.integers(0, count - 1)))
    names = [f"_write_{number}" if number in private else f"write_{number}" for number in range(count)]
    writes = [_write(draw, number, names) for number in range(count)]
    cached = draw(st.lists(st.booleans(), min_size=len(reads), max_size=len(reads)))
    cached[draw(st.integers(0, len(reads) - 1))] = True
    patterns = [f"shop:read_{number}:*" for number, known in enumerate(cached) if known] + ["shop:*"]
    rules = {number: draw(st.lists(st.sampled_from(patterns), max_size=2)) for number in range(count)}
    return Application(reads, writes, private, cached, rules)


def _columns(draw: st.DrawFn) -> list[str]:
    return draw(st.lists(st.sampled_from(COLUMNS), min_size=1, max_size=2, unique=True))


def _read(draw: st.DrawFn, number: int) -> str:
    first, second = draw(st.permutations(TABLES))[:2]
    joins = draw(st.booleans())
    shown = [f"x.{column}" for column in _columns(draw)]
    sql = f"SELECT {', '.join(shown)} FROM {first} x"
    if joins:
        sql += f" JOIN {second} y ON y.{draw(st.sampled_from(COLUMNS))} = x.id"
    sql += f" WHERE x.{draw(st.sampled_from(COLUMNS))} >= ?"
    if draw(st.booleans()):
        sql += f" AND EXISTS (SELECT 1 FROM {second} z WHERE z.{draw(st.sampled_from(COLUMNS))} = ?)"
        call = f'self.rows("{sql} ORDER BY 1", key, key)'
    else:
        call = f'self.rows("{sql} ORDER BY 1", key)'
    inner = f" + self.read_{draw(st.integers(0, number - 1))}(key)" if number and draw(st.booleans()) else ""
    return f"    def read_{number}(self, key):\n        return {call}{inner}\n"


def _write(draw: st.DrawFn, number: int, names: list[str]) -> str:
    table = draw(st.sampled_from(TABLES))
    kind = draw(st.sampled_from(["update", "insert", "delete", "nothing"]))
    column = draw(st.sampled_from(("a", "b")))
    value = "(SELECT MAX(id) FROM t1)" if (table, column) == ("t2", "a") else "? + 1"
    lines = {
        "update": [f'self.run("UPDATE {table} SET {column} = {value} WHERE id = ?", {_params(value)})'],
        "insert": [f'self.run("INSERT INTO {table} (a, b) VALUES ((SELECT MAX(id) FROM t1), ?)", key)'],
        "delete": [f'self.run("DELETE FROM {table} WHERE id = ?", key)'],
        "nothing": [],
    }[kind]
    if number and draw(st.booleans()):
        lines.append(f"self.{names[draw(st.integers(0, number - 1))]}(key)")
    body = "\n        ".join([*lines, "return True"])
    return f"    def {names[number]}(self, key):\n        {body}\n"


def _params(value: str) -> str:
    return "key, key" if "?" in value else "key"
