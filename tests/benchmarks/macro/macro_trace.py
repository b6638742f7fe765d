"""One simulated day of the example, written down call by call, so that every design is given the same work.

The day itself reacts: whoever is shown an old list clicks on something else, and two designs would soon have
lived through two different days. So it is lived once, by the unpatched application, and what it called is
called again. What the window and its panels did to the lists that they were given is called again, too: they
sort them, filter them, and put rows into them.
"""

from __future__ import annotations

import hashlib
import json
import logging
import pickle
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from unittest import mock

EXAMPLE: Final = Path(__file__).resolve().parents[3] / "docs" / "examples" / "legacy_wats"
_LISTS_WATCHED: Final = 8


@dataclass(frozen=True, slots=True)
class NewRow:
    """A row that a caller has put into a list."""

    row: Any


@dataclass(frozen=True, slots=True)
class Change:
    """What a caller has made of a list that it was given: old places of the rows, and new rows."""

    of_step: int
    rows: tuple[int | NewRow, ...]

    def apply(self, given: list[Any]) -> None:
        """Do the same to a list; a place that it has not, since a design made it another one, is left out."""
        before = list(given)
        here = (row for row in self.rows if isinstance(row, NewRow) or row < len(before))
        given[:] = [row.row if isinstance(row, NewRow) else before[row] for row in here]


@dataclass(frozen=True, slots=True)
class Step:
    """One call of a repository method, and the answer of the unpatched application.

    Attributes:
        at_seconds: the simulated time since the start of the day.
        repository: the class.
        given: the arguments, pickled: each call is given objects of its own.
        answer: a digest of the answer, see `digest`.
        changes: what callers did to earlier answers before this call.
    """

    at_seconds: float
    repository: str
    method: str
    given: bytes
    answer: str
    is_read: bool
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Trace:
    """A day, or its beginning."""

    seed: int
    hours: float
    steps: tuple[Step, ...]

    def save(self, path: Path) -> None:
        """Write it into a file for our own processes."""
        path.write_bytes(pickle.dumps(self))

    @staticmethod
    def load(path: Path) -> Trace:
        """Read what `save` wrote."""
        found = pickle.loads(path.read_bytes())
        assert isinstance(found, Trace)
        return found


def digest(answer: object) -> str:
    """The answer with all its types, as a short text."""
    from simulation.recording import normalised

    text = json.dumps(normalised(answer), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def outcome(method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """What the method returns, or the type of what it raises: both are answers."""
    try:
        return method(*args, **kwargs)
    except Exception as error:
        return type(error)


class Watcher:
    """Sees what callers do to the lists that they were given last."""

    def __init__(self) -> None:
        self._lists: dict[int, tuple[list[Any], list[Any]]] = {}

    def watch(self, step: int, answer: object) -> None:
        """Look at this answer from now on, if it is a list."""
        if isinstance(answer, list):
            self._lists[step] = (answer, list(answer))
            while len(self._lists) > _LISTS_WATCHED:
                del self._lists[min(self._lists)]

    def changes(self) -> Iterable[Change]:
        """What has been done since the last time that this was asked."""
        for step, (given, before) in self._lists.items():
            if len(given) == len(before) and all(map(_is, given, before)):
                continue
            places = {id(row): place for place, row in enumerate(before)}
            yield Change(step, tuple(places.get(id(row), NewRow(row)) for row in given))
            before[:] = given


def _is(one: object, other: object) -> bool:
    return one is other


class Writer:
    """Takes the place of the simulation's recorder: writes down each call, and lets it happen."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._watcher = Watcher()
        self.steps: list[Step] = []

    def call(self, target: str, method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """As the simulation's `Recorder.call`."""
        from simulation.recording import Call

        repository, _, name = target.partition(".")
        is_read = Call(0, target, "", "", 0.0).is_read
        changes, given = tuple(self._watcher.changes()), pickle.dumps((args, kwargs))
        answer: Any = None
        try:
            answer = method(*args, **kwargs)
        except Exception as error:
            answer = type(error)
            raise
        finally:
            self.steps.append(Step(self._now(), repository, name, given, digest(answer), is_read, changes))
        self._watcher.watch(len(self.steps) - 1, answer)
        return answer


def live_one_day(seed: int, hours: float) -> Trace:
    """Let the example live through its day on the database that the environment names."""
    from simulation import workload
    from simulation.clock import SimulatedTime
    from src.wats.config.settings import Settings

    time = SimulatedTime()
    writer = Writer(time.monotonic)
    day = workload.Workload(Settings(), seed=seed, hours=hours, time=time)
    with mock.patch.object(workload, "Recorder", return_value=writer):
        day.run(lambda call: None)
    return Trace(seed, hours, tuple(writer.steps))


def put_example_on_path() -> None:
    """The example's modules can be imported."""
    if str(EXAMPLE) not in sys.path:
        sys.path.insert(0, str(EXAMPLE))


def main() -> None:
    """Write a day into a file; for processes of `macro_database`."""
    path, log_file, seed, hours = sys.argv[1:]
    put_example_on_path()
    logging.basicConfig(level=logging.INFO, filename=log_file, encoding="utf-8")
    live_one_day(int(seed), float(hours)).save(Path(path))


if __name__ == "__main__":
    # Under its own name: what is pickled must be found by who reads it.
    import macro_trace

    macro_trace.main()
