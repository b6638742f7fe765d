"""A bench to patch on, and applications that live for one test."""

from __future__ import annotations

import importlib
import itertools
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from wats_accel.errors import Problem
from wats_accel.event_bus import EventBus
from wats_accel.patching.patcher import Patcher
from wats_accel.patching.plan import Layer, MethodInfo, PatchPlan, PatchSpec, Wrap
from wats_accel.targets import Target

_numbers = itertools.count()
_SAMPLE = Path(__file__).with_name("sample_application.py").read_text(encoding="utf-8")


@dataclass
class Bench:
    """One patcher, what it reports, and the calls that its wrappers saw."""

    calls: list[str] = field(default_factory=list)
    infos: list[MethodInfo] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    bus: EventBus = field(default_factory=EventBus)

    def __post_init__(self) -> None:
        self.patcher = Patcher(bus=self.bus, report=self.problems.append)

    def counting(self, name: str) -> Wrap:
        """A wrapper that notes the call and passes it on."""

        def wrap(call: Callable[..., Any], info: MethodInfo) -> Callable[..., Any]:
            self.infos.append(info)

            def counted(*args: Any, **kwargs: Any) -> Any:
                self.calls.append(name)
                return call(*args, **kwargs)

            return counted

        return wrap

    def spec(self, target: str, wrap: Wrap | None = None, **options: Any) -> PatchSpec:
        """A counting spec, unless told otherwise."""
        options.setdefault("layer", Layer.CACHE)
        options.setdefault("on_left_out", self.left_out.append)
        parsed = Target.parse(target)
        return PatchSpec(parsed, wrap=wrap or self.counting(parsed.path), **options)

    def install(self, *specs: str | PatchSpec) -> None:
        """Patch, in the order given."""
        whole = [self.spec(spec) if isinstance(spec, str) else spec for spec in specs]
        self.patcher.install(PatchPlan.of(whole))

    def uninstall(self) -> None:
        """Put everything back."""
        self.patcher.uninstall()

    @property
    def messages(self) -> list[str]:
        """What was reported, as text."""
        return [str(problem) for problem in self.problems]


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.uninstall()


@pytest.fixture
def second_bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.uninstall()


@dataclass
class Applications:
    """Writes modules where they can be imported from."""

    folder: Path

    def write(self, source: str, name: str | None = None) -> str:
        """Write a module; gives its name, which no other test uses."""
        name = name or f"application_{next(_numbers)}"
        (self.folder / f"{name}.py").write_text(source, encoding="utf-8")
        importlib.invalidate_caches()
        return name

    def load(self, source: str) -> Any:
        """Write a module and import it."""
        return importlib.import_module(self.write(source))

    def sample(self) -> Any:
        """A module with methods of all kinds."""
        return self.load(_SAMPLE)


@pytest.fixture
def applications(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Applications]:
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    made = Applications(tmp_path)
    # When sys.path has changed, coverage looks around at the next import, and then takes away from
    # sys.modules what has come meanwhile. It shall do so now, and not while threads of a test import.
    made.load("")
    yield made
    for name in set(sys.modules) - before:
        if name.startswith("application_"):
            del sys.modules[name]


@pytest.fixture
def sample(applications: Applications) -> Any:
    return applications.sample()
