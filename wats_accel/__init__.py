"""wats_accel: caching with correct invalidation for an existing application, from a config file.

```python
import wats_accel
accelerator = wats_accel.install("config/wats.yaml")
```

Importing this package imports nothing else: the rest is loaded by the first call.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wats_accel.runtime import Accelerator

__all__ = ["__version__", "active", "install", "installed"]

__version__ = "0.1.0"

_OLDEST_PYTHON = (3, 10)
_lock = threading.RLock()  # a plugin may import the application, which installs as well
_active: Accelerator | None = None


def _in_child() -> None:
    global _lock
    _lock = threading.RLock()  # a thread of the parent process may have held it


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)


def install(
    config: str | os.PathLike[str] | Mapping[str, Any] | None = None,
    *,
    strict: bool | None = None,
    clock: Callable[[], float] | None = None,
) -> Accelerator:
    """Put a configuration into effect for this process, until `uninstall` or the interpreter's exit.

    Call it before or after the application's modules are imported. If an accelerator is in effect
    already, that one is given back and nothing is patched twice. Where a dependency is missing or broken,
    it gives one that does nothing.

    Args:
        config: a YAML or TOML file, a mapping of the same shape, or None for the usual places.
            The environment variable ``WATS_ACCEL_CONFIG`` beats it.
        strict: raise what would otherwise be left out and logged. None: as the configuration says.
        clock: seconds, never going backwards; for tests and simulations.

    Raises:
        ConfigError: only if strict.
        AlreadyInstalledError: only if strict, and another accelerator is in effect.
    """
    global _active
    with _lock:
        if _active is not None and _active.underway:
            return _active.kept_for(config, strict=bool(strict))
        _active = _made(config, strict, clock or time.monotonic)
        _active.install()
        return _active


def _made(config: Any, strict: bool | None, clock: Callable[[], float]) -> Accelerator:
    failure: Exception | None = None
    if sys.version_info >= _OLDEST_PYTHON:
        try:
            from wats_accel.runtime import Accelerator  # noqa: PLC0415 - importing the package costs nothing

            return Accelerator(config, strict=strict, clock=clock)
        except Exception as error:  # noqa: BLE001 - the application goes on without what cannot be loaded
            failure = error
    from wats_accel.inert import instead  # noqa: PLC0415 - seldom needed

    made: Any = instead(failure, config, strict=strict, oldest_python=_OLDEST_PYTHON)
    return made  # type: ignore[no-any-return]  # it has the same names


def active() -> Accelerator | None:
    """The accelerator that is in effect in this process, if there is one."""
    return _active if _active is not None and _active.installed else None


@contextlib.contextmanager
def installed(
    config: str | os.PathLike[str] | Mapping[str, Any] | None = None,
    *,
    strict: bool | None = None,
    clock: Callable[[], float] | None = None,
) -> Iterator[Accelerator]:
    """`install` for the length of a ``with`` block, for scripts and tests.

    An accelerator that is in effect already stays so after the block.
    """
    before = active()
    accelerator = install(config, strict=strict, clock=clock)
    try:
        yield accelerator
    finally:
        if accelerator is not before:
            accelerator.uninstall()
