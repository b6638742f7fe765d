"""An application for the soak: numbered registers in one table, read and written in the ways of WATS."""

from __future__ import annotations

from typing import Any, ClassVar

SHARED = tuple(range(8))


def OWN(thread: int) -> tuple[int, ...]:
    """The registers that only this thread writes."""
    return tuple(range(100 + 4 * thread, 104 + 4 * thread))


class Registers:
    """A repository that opens a connection for each call, and one for each transaction."""

    METHODS: ClassVar = ("version_of", "all_shared", "write", "write_in_transaction")

    def __init__(self, driver: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.driver = driver
        self.args = args
        self.kwargs = kwargs
        self.database = str(args)

    def make(self, threads: int) -> None:
        """The table, with version 0 of every register."""
        numbers = [*SHARED, *(number for thread in range(threads) for number in OWN(thread))]
        connection = self._connect()
        cursor = connection.cursor()
        cursor.execute("CREATE TABLE register (number INTEGER PRIMARY KEY, version INTEGER)")
        cursor.executemany("INSERT INTO register VALUES (?, 0)", [(number,) for number in numbers])
        connection.commit()
        connection.close()

    def _connect(self) -> Any:
        return self.driver.connect(*self.args, **self.kwargs)

    def version_of(self, number: int) -> int:
        cursor = self._connect().cursor()
        cursor.execute("SELECT version FROM register WHERE number = ?", (number,))
        return int(cursor.fetchone()[0])

    def all_shared(self) -> list[tuple[int, int]]:
        """Answers of other cached reads, and one of its own."""
        first = [(number, self.version_of(number)) for number in SHARED[:2]]
        cursor = self._connect().cursor()
        cursor.execute(f"SELECT number, version FROM register WHERE number BETWEEN 2 AND {SHARED[-1]}")
        return [*first, *((int(number), int(version)) for number, version in cursor.fetchall())]

    def write(self, number: int, version: int) -> tuple[bool, str]:
        connection = self._connect()
        cursor = connection.cursor()
        cursor.execute("UPDATE register SET version = ? WHERE number = ?", (version, number))
        connection.commit()
        return True, "written"

    def write_in_transaction(self, number: int, version: int) -> tuple[bool, str]:
        connection = self._connect()
        begin = "BEGIN IMMEDIATE" if self.driver.__name__ == "sqlite3" else None
        try:
            cursor = connection.cursor()
            if begin:
                cursor.execute(begin)
            else:
                connection.autocommit = False
            cursor.execute("SELECT version FROM register WHERE number = ?", (number,))
            cursor.fetchone()
            cursor.execute("UPDATE register SET version = ? WHERE number = ?", (version, number))
            connection.commit()
        finally:
            connection.close()
        return True, "written"


_RULES = """\
version: 1
status: false
{top}
pool: [{{connect: "{driver}:connect", size: {size}, max_overflow: 20, pre_ping: {ping}}}]
cache:
  namespaces:
    registers: {{ttl: {ttl}, max_entries: {entries}{more}}}
allow_targets: ["{module}:*"]
repositories:
  - target: {module}:Registers
    scope: self.database
    cached:
      version_of: registers
      all_shared: {all_shared}
    invalidates:
      write: {write}
      write_in_transaction: ["registers:*"]
"""

_PLAIN: dict[str, object] = {
    "top": "", "size": 8, "ping": "always", "ttl": "60s", "entries": 1000, "more": "",
    "all_shared": "registers", "write": '["registers:version_of:{number}", "registers:all_shared:*"]',
}  # fmt: skip
_CHANGES: tuple[dict[str, object], ...] = (
    {},
    {"ttl": "200ms"},
    {"entries": 5},
    {"write": '["registers:*"]'},
    {"all_shared": "{namespace: registers, enabled: false}"},
    {"more": ", verify: 20%"},
    {"more": ", shadow: true"},
    {"size": 2},
    {"ping": "5s", "more": ", refresh_ahead: 50%"},
    {"top": "enabled: false"},
    {"top": "nonsense: true"},
)


def rules_text(driver: str) -> list[str]:
    """Configurations of one application, one of them not valid."""
    return [
        _RULES.format(**{**_PLAIN, **change}, driver=driver, module="soaked_registers") for change in _CHANGES
    ]
