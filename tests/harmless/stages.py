"""A stage: the application of the fault matrix, plain or accelerated, and what happens on it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import shelves
from elsewhere import Elsewhere
from shelves import READS, WRITES, Shelves

from wats_accel.runtime import Accelerator
from wats_accel.testing import FakeClock

Outcome = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Mode:
    """One way to accelerate the application.

    Attributes:
        name: in the table.
        pooled: whether it has a pool.
        invalidation: by rules, or by statements.
        with_plugin: whether a plugin stands by, with a store of its own.
        level: of the log.
        shared: whether answers are shared, over a server.
        source: that is asked what other processes have changed; empty: none.
    """

    name: str
    pooled: bool
    invalidation: str
    with_plugin: bool
    level: str
    shared: bool = False
    source: str = ""

    @property
    def hears_of_others(self) -> bool:
        """Whether it is about what other processes do."""
        return self.shared or bool(self.source)


MODES = (
    Mode("rules", pooled=False, invalidation="rules", with_plugin=True, level="debug"),
    Mode("pool", pooled=True, invalidation="rules", with_plugin=False, level="warning"),
    Mode("sql", pooled=True, invalidation="sql", with_plugin=False, level="info"),
    Mode("shared", pooled=False, invalidation="rules", with_plugin=False, level="warning", shared=True),
    Mode("shared sql", pooled=True, invalidation="sql", with_plugin=False, level="warning", shared=True),
    Mode(
        "versions",
        pooled=False,
        invalidation="rules",
        with_plugin=False,
        level="warning",
        source="sqlite-data-version",
    ),
    Mode(
        "versions sql",
        pooled=True,
        invalidation="sql",
        with_plugin=False,
        level="warning",
        source="version-table",
    ),
)


@dataclass
class Stage:
    """The application, what other processes do, and what happened here: an outcome for each step."""

    app: Any
    database: str
    accelerator: Accelerator | None = None
    before: dict[str, Any] = field(default_factory=dict)
    clock: FakeClock = field(default_factory=FakeClock)
    wanted: dict[str, Any] = field(default_factory=dict)
    outcomes: list[Outcome] = field(default_factory=list)
    elsewhere: Elsewhere = field(default_factory=Elsewhere)
    patience: float = 0.0  # seconds that something in the background is waited for: broken, it never comes

    @property
    def known_accelerator(self) -> Accelerator:
        """The accelerator, which there is."""
        assert self.accelerator is not None
        return self.accelerator

    def step(self, what: str, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Make a call, and note what came of it."""
        try:
            value = call(*args, **kwargs)
        except Exception as error:
            self.outcomes.append((what, "raised", chain(error)))
            return None
        self.outcomes.append((what, "gave", shape(value)))
        return value

    def method(self, name: str, *args: Any, inside: bool = False) -> Any:
        """Call a method of the application; `inside`: while it handles an exception of its own."""
        call = getattr(self.app, name)
        if not inside:
            return self.step(name, call, *args)
        try:
            raise KeyError("the application's own")
        except KeyError:
            return self.step(name, call, *args)

    def ask(self, what: str, question: Callable[[Accelerator], object]) -> None:
        """Ask the accelerator, if there is one; the answer is of no interest."""
        known = self.accelerator

        def put() -> None:
            if known is not None:
                question(known)

        self.step(what, put)


# -- outcomes, comparable ----------------------------------------------------------------------------------


def shape(value: Any) -> Any:
    """A value with the types of all that is in it."""
    kind = type(value).__name__
    if isinstance(value, dict):
        return kind, tuple((shape(key), shape(item)) for key, item in value.items())
    if isinstance(value, set):
        return kind, tuple(sorted(value))
    if isinstance(value, list | tuple):
        return kind, tuple(map(shape, value))
    return kind, value if isinstance(value, str | int | float | bool | None) else "an object"


def chain(error: BaseException | None, most: int = 5) -> Any:
    """An exception with what it came from: type and arguments of each."""
    if error is None or not most:
        return None
    args = tuple(map(shape, error.args))
    return (
        type(error).__name__,
        args,
        chain(error.__context__, most - 1),
        chain(error.__cause__, most - 1),
        error.__suppress_context__,
    )


# -- the application as a module ---------------------------------------------------------------------------


def new_application() -> Any:
    """A class of its own, to be patched, in the module ``legacy_app``."""
    module = ModuleType("legacy_app")
    module.Shelves = type("Shelves", (), dict(vars(Shelves)))  # type: ignore[attr-defined]
    module.next_change = shelves.next_change  # type: ignore[attr-defined]
    sys.modules["legacy_app"] = module
    return module.Shelves  # type: ignore[attr-defined]


def methods_of(kind: Any) -> dict[str, Any]:
    """What its methods are at present."""
    return {name: vars(kind)[name] for name in (*READS, *WRITES)}
