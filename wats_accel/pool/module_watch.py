"""Whether a module is asked for an attribute: pyodbc reads its settings once, when ODBC is first used."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

Connect = Callable[..., Any]


def telling_if_not_asked(module: Any, name: str, connect: Connect, tell: Callable[[], None]) -> Connect:
    """`connect`, which tells after its first call if `module` was not asked for `name` in it."""
    first = threading.Lock()

    def watching(*args: Any, **kwargs: Any) -> Any:
        if not first.acquire(blocking=False):
            return connect(*args, **kwargs)
        asked: list[str] = []
        try:
            with _noting(module, name, asked):
                return connect(*args, **kwargs)
        finally:
            if not asked:
                tell()

    return watching


@contextlib.contextmanager
def _noting(module: Any, name: str, asked: list[str]) -> Iterator[None]:
    """Note in `asked` when somebody gets an attribute; if that cannot be seen, as if somebody had."""
    kind = type(module)

    def get(this: ModuleType) -> Any:
        asked.append(name)
        return vars(this)[name]

    def put(this: ModuleType, value: Any) -> None:
        vars(this)[name] = value

    try:
        module.__class__ = type(kind.__name__, (kind,), {name: property(get, put)})
    except TypeError:
        asked.append(name)
    try:
        yield
    finally:
        with contextlib.suppress(TypeError):
            module.__class__ = kind
