"""A database that tracks changes by the published rules of SQL Server, as far as these questions go."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

_FORKS = itertools.count()


@dataclass
class Tracked:
    """One table: which rows have changed last in which version, as far as that is kept."""

    begin: int = 0
    cleaned: int = 0
    modified: str = "2026-01-01T00:00:00"
    rows: int = 1
    changes: dict[str, int] = field(default_factory=dict)

    @property
    def min_valid(self) -> int:
        return max(self.begin, self.cleaned)


class FakeSqlServer:
    """Versions are given out at commit. `late` commits have theirs and are not visible yet."""

    def __init__(self) -> None:
        self.tables: dict[str, Tracked] = {"[dbo].[person]": Tracked(), "[dbo].[stone]": Tracked()}
        self.hidden: set[str] = set()
        self.forbidden: set[str] = set()
        self.version = 40
        self.tracks = True
        self.snapshots = True
        self.azure = False
        self.fork: str | None = f"fork-{next(_FORKS)}"
        self.late: list[Callable[[], None]] = []
        self.statements: list[str] = []

    def commit(self, table: str, *rows: str, late: bool = False) -> None:
        """A transaction that has changed these rows."""
        self.version += 1
        version, full = self.version, f"[dbo].[{table}]"

        def show() -> None:
            self.tables[full].changes.update(dict.fromkeys(rows, version))

        self.late.append(show) if late else show()

    def settle(self) -> None:
        """What was late is visible now."""
        while self.late:
            self.late.pop()()

    def answer(self, statement: str) -> list[tuple[Any, ...]]:
        self.statements.append(statement)
        if statement.startswith("SET "):
            return []
        if "snapshot_isolation_state" in statement:
            return [(self.version if self.tracks else None, int(self.snapshots), None if self.azure else 5)]
        if "AS schema_name" in statement:
            for right in ("SELECT", "VIEW CHANGE TRACKING"):
                assert f"N'OBJECT', N'{right}') = 1" in statement
            seen = [name for name in self.tables if name not in self.hidden | self.forbidden]
            return [tuple(name[1:-1].split("].[")) for name in seen]
        base, since = (int(number) for number in re.findall(r"@(?:base|since) = (\d+)", statement))
        assert self.azure != ("sys.database_recovery_status" in statement)
        text = statement.replace("''", "'")
        if any(f"CHANGES {name}," in text for name in self.forbidden):
            raise PermissionError("The VIEW CHANGE TRACKING permission was denied")
        return [
            self._row(name, base, since) for name in re.findall(r"CHANGES (\[.+?\]\.\[.+?\]), @base", text)
        ]

    def _row(self, name: str, base: int, since: int) -> tuple[Any, ...]:
        table = self.tables.get(name)
        current = self.version if self.tracks else None
        if table is None or name in self.hidden:
            return (name, current, self.fork, None, None, 0, None, 0, None)
        definition = f"{name} {table.begin} {table.modified} {int(table.rows > 0)}"
        visible = [version for version in table.changes.values() if version > base]
        new = [version for version in visible if version > since]
        sums = (len(visible), sum(visible) or None, len(new), sum(new) or None)
        return (name, current, self.fork, table.min_valid, definition, *sums)

    def connect(self) -> FakeConnection:
        return FakeConnection(self)


class FakeConnection:
    """Of a driver whose autocommit can be set."""

    def __init__(self, server: FakeSqlServer) -> None:
        self.server = server
        self.autocommit = False
        self._rows: list[tuple[Any, ...]] = []

    def cursor(self) -> FakeConnection:
        return self

    def close(self) -> None:
        self._rows = []

    def execute(self, statement: str) -> None:
        assert self.autocommit
        self._rows = self.server.answer(statement)

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self._rows
