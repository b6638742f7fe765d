"""In the shadow, and verified: whatever part of ours fails, each call gives what it gives unpatched."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from typing import Any

import pytest

from wats_accel.cache.background import Background
from wats_accel.testing import Fault, accelerated, failing, seams

FAULTS = [
    Fault.raises(RuntimeError),
    Fault.raises(RecursionError),
    Fault.raises(MemoryError),
    Fault.raises(RuntimeError, afterwards=True),
    Fault.returns(None),
    Fault.returns((3.5, "nonsense"), "nonsense"),
]
PARTS = (
    "key",
    "copy",
    "memory",
    "index",
    "region",
    "premise",
    "load",
    "flight",
    "writer",
    "event",
    "breaker",
)
SEAMS = [name for name in seams() if name.partition(".")[0] in PARTS]
TRUST: dict[str, dict[str, Any]] = {
    "shadow": {"shadow": True},
    "verify": {"verify": "100%"},
    "disable": {"verify": {"sample": "100%", "on_difference": "disable"}},
}
# Where two arguments freeze to the same, or a copy is not what was kept, `cached` itself cannot know better.
CASES = [
    (seam, number, trust)
    for seam, number, trust in itertools.product(SEAMS, range(len(FAULTS)), TRUST)
    if not (seam in ("key.freeze", "copy.give") and FAULTS[number].text.startswith("returns"))
]
SHARE = 60


class Repository:
    """Answers from a table; `slip` is a write that no rule knows of."""

    def __init__(self) -> None:
        self.rows: dict[str, Any] = {"ada": [1, "a"], "bob": {"b": [2]}}
        self.runs: list[str] = []

    def get(self, name: str) -> Any:
        self.runs.append(f"get {name}")
        if name == "nobody":
            raise LookupError(name)
        return self.rows[name]

    def report(self) -> Any:
        self.runs.append("report")
        return [self.get("ada"), self.get("bob")]

    def set(self, name: str, value: Any) -> bool:
        self.rows = self.rows | {name: value}
        return True


def live(repository: Any) -> list[Any]:
    """Reads, hits, writes, nested reads, exceptions; gives what each call gave or raised."""

    def outcome(call: Callable[[], Any]) -> Any:
        try:
            return repr(call())
        except Exception as error:
            return repr(error)

    told: list[Any] = []
    for value in ([1, "x"], {"y": 2}):
        told += [outcome(lambda: repository.get("ada")) for _ in range(2)]
        told += [outcome(repository.report) for _ in range(2)]
        told += [outcome(lambda: repository.get("nobody"))]
        told += [outcome(lambda: repository.set("ada", value))]  # noqa: B023 - called at once
        told += [outcome(lambda: repository.get("ada")), outcome(repository.report)]
    return told


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The background does what it is given at once, and keeps its failures to itself."""

    def submit(background: Background, job: Callable[[], None]) -> bool:
        try:
            job()
        except Exception:
            return True
        return True

    monkeypatch.setattr(Background, "submit", submit)


@pytest.mark.soak
def test_every_call_gives_what_it_gives_unpatched(app: Any, at_once: None, soak: bool) -> None:
    app.add(Repository)
    plain = Repository()
    expected, expected_after = live(plain), live(plain)
    struck, wrong = 0, []
    for seam, number, trust in CASES if soak else random.Random(1).sample(CASES, SHARE):
        fault, repository = FAULTS[number], Repository()
        config = {
            "version": 1,
            "logging": {"level": "error"},
            "cache": {"namespaces": {"n": TRUST[trust]}},
            "repositories": [
                {
                    "target": "legacy_app:Repository",
                    "cached": {"get": "n", "report": "n"},
                    "invalidates": {"set": "n:*"},
                }
            ],
        }
        with accelerated(config):
            repository.report()
            repository.runs.clear()
            with failing(seam, fault) as made:
                told = live(repository)
            struck += made.struck
            after = live(repository)
        where = f"{seam}, which {fault.text}, {trust}"
        if told != expected:
            wrong.append(f"{where}: {told}")
        if after != expected_after:
            wrong.append(f"after {where}: {after}")
        if trust == "shadow" and repository.runs[: len(plain.runs)] != plain.runs:
            wrong.append(f"{where}: a method ran more or less often than it was called")
    assert not wrong, "\n".join(wrong)
    assert struck > 0
