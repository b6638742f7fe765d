"""Functions with points, for the tests of `named_points`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

LOG: list[str] = []


class Counter:
    def __init__(self) -> None:
        self.value = 0

    def add(self) -> None:
        value = self.value
        self.value = value + 1  # point: counter.write

    @staticmethod
    def constant() -> int:
        return 1  # point: static

    @property
    def doubled(self) -> int:
        return self.value * 2  # point: property


def branches(number: int) -> str:
    if number == 0:  # point: if
        answer = "none"  # point: body
    elif number == 1:  # point: elif
        answer = "one"
    else:
        answer = "many"
        while number:  # point: loop
            number -= 1  # point: turn
    return answer


def handlers(action: Callable[[], object]) -> str:
    try:
        action()  # point: try
    except ValueError:
        return "error"  # point: except
    else:
        return "fine"  # point: else
    finally:
        LOG.append("finally")  # point: finally


@contextlib.contextmanager
def managed() -> Iterator[None]:
    LOG.append("in")  # point: enter
    yield
    LOG.append("out")  # point: exit


def closure() -> Callable[[], int]:
    number = 41

    def inner() -> int:
        return number + 1  # point: inner

    return inner


CLOSURE = closure()


def spread() -> list[int]:
    return [  # point: first line
        1,
        2,
    ]
