"""A repository as a legacy application has it, and wats_accel on it as in production."""

from __future__ import annotations

import contextlib
import itertools
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import wats_accel

WATS = "wats_accel"
TTL = 300.0
"""Seconds to live, for everybody who has such a thing."""
MANY = 10_000
"""Entries, for everybody who has a limit."""

_databases = itertools.count()


class Database:
    """What a repository talks to; no two have the same text."""

    def __init__(self) -> None:
        self.connection_string = f"Driver=None;Database=d{next(_databases)};UID=someone;PWD=secret"


class Repository:
    """Methods that cost next to nothing: what is measured is what stands around them.

    Attributes:
        answer: gives what `get` and `find` return for a name.
    """

    def __init__(self, answer: Callable[[str], Any]) -> None:
        self.db = Database()
        self.answer = answer

    def get(self, name: str) -> Any:
        """By one argument."""
        return self.answer(name)

    def find(self, name: str, active: bool = True, limit: int = 100) -> Any:
        """By several arguments with defaults."""
        return self.answer(name)

    def save(self, name: str) -> None:
        """A write, which drops what `get` said of the name."""


def never(name: str) -> Any:
    """Stands where only hits are to be measured: a benchmark of a cache that does not cache is none."""
    raise AssertionError(f"the answer for {name} was to be in the cache")


def copy_of(name: str) -> type[Repository]:
    """The class anew, to be changed without the others."""
    own = {key: value for key, value in vars(Repository).items() if key not in ("__dict__", "__weakref__")}
    return type(name, (), own)


ByInstance = copy_of("ByInstance")
ByDatabase = copy_of("ByDatabase")
SwitchedOff = copy_of("SwitchedOff")
Roomy = copy_of("Roomy")
Crowded = copy_of("Crowded")

FEW = 1_000
"""Entries where entries have to go."""
VERY_MANY = 1_000_000
"""Entries where none has to go."""
_BY_DATABASE = "    scope: self.db.connection_string\n"
# class -> entries, scope.
_REPOSITORIES = {
    "ByInstance": (MANY, ""),
    "ByDatabase": (MANY, _BY_DATABASE),
    "SwitchedOff": (MANY, _BY_DATABASE),
    "Roomy": (VERY_MANY, _BY_DATABASE),
    "Crowded": (FEW, _BY_DATABASE),
}
_RULES = """
  - target: {module}:{name}
{scope}    cached: {{get: {name}, find: {name}}}
    invalidates:
      save: ["{name}:get:{{name}}"]
"""


def configuration() -> str:
    """The YAML file."""
    namespaces = "".join(
        f"    {name}: {{ttl: {TTL:.0f}s, max_entries: {limit}}}\n"
        for name, (limit, _) in _REPOSITORIES.items()
    )
    repositories = "".join(
        _RULES.format(module=__name__, name=name, scope=scope) for name, (_, scope) in _REPOSITORIES.items()
    )
    return (
        "version: 1\nlogging: {format: text, summary_every: 5m}\n"
        f"cache:\n  namespaces:\n{namespaces}repositories:{repositories}"
    )


@contextlib.contextmanager
def logging_into(path: Path) -> Iterator[None]:
    """The application logs into a file, from INFO on, as WATS does."""
    root = logging.getLogger()
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(
        logging.Formatter("%(asctime)s [%(levelname)s] %(filename)s:%(lineno)d - %(message)s")
    )
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        yield
    finally:
        root.setLevel(level)
        root.removeHandler(handler)
        handler.close()


@contextlib.contextmanager
def in_production(folder: Path, text: str | None = None) -> Iterator[Any]:
    """Installed from a file, for a ``with`` block; gives the accelerator."""
    path = folder / "wats-accel.yaml"
    path.write_text(text or configuration(), encoding="utf-8")
    with logging_into(folder / "application.log"), wats_accel.installed(path, strict=True) as accelerator:
        yield accelerator
