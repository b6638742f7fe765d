"""A small application for the tests of this folder: users in a dictionary, and a count of its queries."""

from __future__ import annotations

import copy
from typing import Any

MODULE = "accel_shop"
URL = "Server=db;UID=sa;PWD=hunter2"


class Database:
    """What a connection string leads to."""

    def __init__(self, url: str = URL) -> None:
        self.url = url
        self.users: dict[str, str] = {}
        self.queries = 0


class UserRepository:
    """Reads and writes of users."""

    def __init__(self, db: Database | None = None) -> None:
        self.db = db or Database()

    def get_user(self, name: str) -> str | None:
        self.db.queries += 1
        return self.db.users.get(name)

    def list_users(self) -> list[str]:
        self.db.queries += 1
        return sorted(self.db.users)

    def set_user(self, name: str, role: str) -> bool:
        self.db.users[name] = role
        return True

    def rename_user(self, name: str, new: str) -> bool:
        self.db.users[new] = self.db.users.pop(name)
        return True


ORIGINAL = dict(vars(UserRepository))


def is_patched() -> bool:
    """Whether any method is not the one that stands above."""
    return dict(vars(UserRepository)) != ORIGINAL


_CONFIG: dict[str, Any] = {
    "version": 1,
    "cache": {"default_ttl": "5m", "namespaces": {"users": {}, "lists": {"ttl": "60s"}}},
    "repositories": [
        {
            "target": f"{MODULE}:UserRepository",
            "scope": "self.db.url",
            "cached": {"get_user": "users", "list_users": "lists"},
            "invalidates": {"set_user": ["users:get_user:{name}", "lists:*"], "rename_user": ["*"]},
        }
    ],
}


def config(**changes: Any) -> dict[str, Any]:
    """The rules above, with other values for some keys: of the repository, or else of the file."""
    changed = copy.deepcopy(_CONFIG)
    for key, value in changes.items():
        inside = key in ("target", "scope", "cached", "invalidates")
        (changed["repositories"][0] if inside else changed)[key] = value
    return changed
