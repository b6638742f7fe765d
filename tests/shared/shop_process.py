"""A process of a small application, accelerated, that does what lines on its standard input say.

A line is a JSON list: a word, and what it wants. Each is answered by one line. ``start`` calls in a thread,
of which ``result`` gets the answer; a call that is to stop inside the method, after it has read, comes to the
gate.
"""

from __future__ import annotations

import json
import os
import sqlite3
import sys
import threading
import time
from typing import Any

PATIENCE_SECONDS = 30.0


class Gate:
    """Where methods stop, if somebody has closed it, between what they read and what they return."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.reached = threading.Event()
        self.opened.set()

    def pass_through(self) -> None:
        if not self.opened.is_set():
            self.reached.set()
            assert self.opened.wait(PATIENCE_SECONDS)


gate = Gate()


class Users:
    """A repository, as the application has it: no line of it knows that it is accelerated."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.runs: list[str] = []

    def _all(self, sql: str, *values: object) -> list[Any]:
        connection = sqlite3.connect(self.path, timeout=30)
        try:
            return connection.execute(sql, values).fetchall()
        finally:
            connection.close()

    def role(self, user_id: int) -> str:
        self.runs.append("role")
        found = self._all("SELECT role FROM users WHERE id = ?", user_id)
        gate.pass_through()
        return str(found[0][0])

    def everybody(self) -> list[Any]:
        self.runs.append("everybody")
        found = self._all("SELECT id, role FROM users ORDER BY id")
        gate.pass_through()
        return found

    def whole(self) -> list[Any]:
        self.runs.append("whole")
        return self._all("SELECT * FROM users ORDER BY id")

    def title(self, user_id: int) -> str:
        self.runs.append("title")
        return self.role(user_id).title()

    def odd(self) -> object:
        self.runs.append("odd")
        return Odd()

    def account(self, user_id: int) -> dict[str, object]:
        self.runs.append("account")
        found = self._all("SELECT id, role FROM users WHERE id = ?", user_id)
        return {"id": found[0][0], "Usu_Senha": found[0][1]}

    def set_role(self, user_id: int, role: str) -> bool:
        connection = sqlite3.connect(self.path, timeout=30)
        try:
            connection.execute("UPDATE users SET role = ? WHERE id = ?", (role, user_id))
            connection.commit()
        finally:
            connection.close()
        return True


class Odd:
    """Of no type that goes over the wire."""

    def __eq__(self, other: object) -> bool:
        return type(other) is Odd

    __hash__ = None  # type: ignore[assignment]


class Process:
    """What the words do."""

    def __init__(self, accelerator: Any, users: Users) -> None:
        self.accelerator = accelerator
        self.users = users
        self.threads: dict[str, tuple[threading.Thread, list[Any]]] = {}

    @property
    def membership(self) -> Any:
        return self.accelerator._assembly.context.caches.announcer

    def call(self, method: str, *args: object) -> object:
        return repr(getattr(self.users, method)(*args))

    def runs(self) -> list[str]:
        return self.users.runs

    def close_gate(self) -> None:
        gate.opened.clear()
        gate.reached.clear()

    def open_gate(self) -> None:
        gate.opened.set()

    def at_gate(self) -> bool:
        return gate.reached.wait(PATIENCE_SECONDS)

    def start(self, name: str, method: str, *args: object) -> None:
        answer: list[Any] = []
        thread = threading.Thread(target=lambda: answer.append(self.call(method, *args)), daemon=True)
        self.threads[name] = thread, answer
        thread.start()

    def result(self, name: str) -> object:
        thread, answer = self.threads.pop(name)
        thread.join(PATIENCE_SECONDS)
        return answer[0]

    def is_connected(self, members: int) -> bool:
        shared = self.accelerator.stats().shared
        return bool(shared.mode == "connected" and shared.members >= members)

    def problems(self) -> list[str]:
        return [str(problem) for problem in self.accelerator.problems]

    def shared(self) -> dict[str, Any]:
        return dict(self.accelerator.stats().shared.as_dict())

    def counted(self) -> dict[str, int]:
        return dict(self.accelerator.stats().total.shared)

    def members_are(self, members: int) -> bool:
        shared = self.accelerator.stats().shared
        return bool(shared.mode == "connected" and shared.members == members)

    def received(self, count: int) -> bool:
        return bool(self.accelerator.stats().shared.received >= count)

    def deaf(self) -> None:
        """Hear nothing any more, and believe that all is well."""
        self.membership._listening.stop()
        self.membership.backplane._inbox.apply = lambda *_: True

    def uninstall(self) -> None:
        self.accelerator.uninstall()

    def fork(self) -> dict[str, Any]:
        """What a child process says of its share, once it is connected."""
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            mode = "?"
            until = time.monotonic() + PATIENCE_SECONDS
            while time.monotonic() < until and mode != "connected":
                mode = self.accelerator.stats().shared.mode
                time.sleep(0.01)
            os.write(writing, json.dumps([mode, self.call("role", 1)]).encode())
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "rb") as told:
            answer = json.loads(told.read())
        os.waitpid(child, 0)
        return {"mode": answer[0], "role": answer[1]}


def main() -> None:
    """Install, and do what is said."""
    import wats_accel

    accelerator = wats_accel.install(sys.argv[1], strict=True)
    sys.modules["shop_process"] = sys.modules["__main__"]
    process = Process(accelerator, Users(sys.argv[2]))
    for line in sys.stdin:
        word, *wanted = json.loads(line)
        try:
            told: object = ["told", getattr(process, word)(*wanted)]
        except Exception as error:
            told = ["raised", type(error).__name__, str(error)]
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
