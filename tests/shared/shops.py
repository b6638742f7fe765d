"""Processes of a small application that share a database, and a Redis."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

PROGRAM = Path(__file__).with_name("shop_process.py")
PATIENCE_SECONDS = 30.0

RULES = """
version: 1
status: false
cache:
  namespaces:
    users: {{ttl: 300s, wait_timeout: 20s}}
repositories:
  - target: __main__:Users
    scope: self.path
    cached: {{role: users, everybody: users, title: users, odd: users, account: users, whole: users}}
    {writes}
shared:
  url: {url}
  tier: shared
  namespaces: [users]
  timeout: 5s
  isolated_ttl: 60s
  lost_after: 20s
  beat: 100ms
  arguments_in_clear: true
  {options}
{rest}
"""
BY_RULES = 'invalidates: {set_role: ["users:role:{user_id}", "users:everybody:*", "users:title:{user_id}"]}'
BY_SQL = """
invalidation: sql
pool: [{{connect: "sqlite3:connect"}}]
sql: {{assume_plain_tables: true, {sql}}}
"""


class Shop:
    """One process."""

    def __init__(self, folder: Path, config: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(PROGRAM), str(config), str(folder / "shop.db")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __call__(self, word: str, *wanted: object) -> Any:
        """Have it do something; gives what that gave.

        Raises:
            RuntimeError: it raised.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([word, *wanted]) + "\n")
        self._process.stdin.flush()
        told = json.loads(self._process.stdout.readline())
        if told[0] == "raised":
            raise RuntimeError(f"{told[1]}: {told[2]}")
        return told[1]

    def call(self, method: str, *args: object) -> Any:
        """What a method of the repository gives, as a text."""
        return self("call", method, *args)

    def until(self, word: str, *wanted: object) -> None:
        """Wait until it says yes."""
        ends = time.monotonic() + PATIENCE_SECONDS
        while not self(word, *wanted):
            assert time.monotonic() < ends, (word, self("shared"))
            time.sleep(0.005)

    def kill(self) -> None:
        """End it without a word."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()


class Shops:
    """Makes processes."""

    def __init__(self, folder: Path, url: str) -> None:
        self._folder = folder
        self._url = url
        self._all: list[Shop] = []
        with sqlite3.connect(folder / "shop.db") as connection:
            connection.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, role TEXT)")
            connection.executemany("INSERT INTO users VALUES (?, ?)", [(n, f"role {n}") for n in range(5)])
        connection.close()

    def open(self, count: int, *, options: str = "", sql: bool | str = False) -> list[Shop]:
        """So many that are connected; `sql`: by SQL, with these keys of that section if it is a text."""
        config = self._folder / f"{len(self._all)}.yaml"
        by_sql = BY_SQL.format(sql=sql if isinstance(sql, str) else "")
        writes, rest = ("", by_sql) if sql else (BY_RULES, "")
        config.write_text(RULES.format(url=self._url, options=options, writes=writes, rest=rest))
        made = [Shop(self._folder, config) for _ in range(count)]
        self._all += made
        for shop in made:
            shop.until("is_connected", count)
        return made

    def close(self) -> None:
        """End them all."""
        for shop in self._all:
            shop.kill()
