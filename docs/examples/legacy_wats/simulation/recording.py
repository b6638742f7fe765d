"""Records every call of a repository method with its answer as plain, comparable text."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any, Final

_PLAIN: Final = frozenset({str, int, float, bool, type(None)})
_LONGEST_ANSWER: Final = 400
_LONGEST_ARGUMENT: Final = 40
_READ_PREFIXES: Final = ("select_", "get_", "list_", "has_", "admin_get_")


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a repository method, as its caller saw it."""

    sequence: int
    target: str
    arguments: str
    answer: str
    seconds: float

    @property
    def is_read(self) -> bool:
        """Whether the method only reads."""
        return self.target.partition(".")[2].startswith(_READ_PREFIXES)

    def same_as(self, other: Call) -> bool:
        """Whether both are the same call with the same answer, however long they took."""
        return (self.sequence, self.target, self.arguments, self.answer) == (
            other.sequence,
            other.target,
            other.arguments,
            other.answer,
        )

    def as_json(self) -> str:
        """One line of an answers file, without the line end."""
        return json.dumps(asdict(self), ensure_ascii=False)


def read_calls(path: Path) -> Iterator[Call]:
    """The calls of an answers file, in order."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield Call(**json.loads(line))


class Recorder:
    """Numbers and times calls and hands each finished `Call` to `on_call`.

    The simulation hands every step over and waits for it, so calls never overlap and need no lock.
    """

    def __init__(self, on_call: Callable[[Call], None]) -> None:
        self._on_call = on_call
        self._sequence = 0

    def call(self, target: str, method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call `method`; an exception is recorded by its type and raised again."""
        # Before the call: a method may change what it was given.
        arguments = _summary(args, kwargs)
        begin = perf_counter()
        try:
            answer = method(*args, **kwargs)
        except Exception as error:
            self._record(target, arguments, ["raised", type(error).__name__], perf_counter() - begin)
            raise
        seconds = perf_counter() - begin
        # Before it is handed over: callers change what they are given.
        self._record(target, arguments, normalised(answer), seconds)
        return answer

    def _record(self, target: str, arguments: str, answer: object, seconds: float) -> None:
        self._sequence += 1
        self._on_call(Call(self._sequence, target, arguments, _text(answer), seconds))


class RecordedRepository:
    """Stands in for a repository object; its public methods go through a recorder."""

    def __init__(self, repository: Any, recorder: Recorder) -> None:
        self._repository = repository
        self._recorder = recorder

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._repository, name)
        if name.startswith("_") or not callable(attribute):
            return attribute
        return partial(self._recorder.call, f"{type(self._repository).__name__}.{name}", attribute)


def normalised(value: Any) -> Any:
    """`value` as JSON-able data that keeps type names apart: 1 and True, a tuple and a row, differ."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    if isinstance(value, dict):
        return [kind.__name__, *([normalised(key), normalised(item)] for key, item in value.items())]
    if isinstance(value, (set, frozenset)):
        return [kind.__name__, *sorted((normalised(item) for item in value), key=repr)]
    if isinstance(value, (list, tuple)) or hasattr(value, "cursor_description"):
        # Nearly all answers are rows of plain values; looking at their types alone is several times faster.
        plain = _PLAIN.issuperset(map(type, value))
        return [kind.__name__, *(value if plain else map(normalised, value))]
    return [kind.__name__, str(value)]


def _text(answer: object) -> str:
    text = json.dumps(answer, ensure_ascii=False, separators=(",", ":"))
    if len(text) <= _LONGEST_ANSWER:
        return text
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()} of {len(text)} characters"


def _summary(args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
    parts = [_short(value) for value in args]
    parts += [f"{name}={_short(value)}" for name, value in kwargs.items()]
    return ", ".join(parts)


def _short(value: Any) -> str:
    if isinstance(value, dict):  # names only: a connection's data holds a password
        return "{" + ", ".join(map(str, value)) + "}"
    text = repr(value)
    return text if len(text) <= _LONGEST_ARGUMENT else f"{text[: _LONGEST_ARGUMENT - 1]}…"
