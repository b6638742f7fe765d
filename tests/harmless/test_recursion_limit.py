"""Near the recursion limit a call gives its answer or a RecursionError; and no answer is old afterwards."""

from __future__ import annotations

import contextlib
import importlib.metadata
import inspect
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from matrix import Found, Matrix
from stages import MODES, Mode, Stage

CALLS = (("title", 1), ("summary", 1), ("rename", 1, "Persuasion"), ("title", 1), ("details", 1))


@contextlib.contextmanager
def frames_left(count: int) -> Iterator[None]:
    """Have so many frames left of the stack."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack(0)) + count)
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
        # The limit is that of all threads. One that has looked for a package meanwhile, as redis does when it
        # connects, has found none, and Python keeps that.
        importlib.metadata.MetadataPathFinder().invalidate_caches()


def outcomes(stage: Stage, count: int) -> list[object]:
    """What comes of some calls with so many frames left."""
    stage.outcomes.clear()
    for name, *args in CALLS:
        with contextlib.suppress(RecursionError), frames_left(count):
            stage.method(name, *args)
    return [outcome[1:] for outcome in stage.outcomes]


def modes(*, shared: bool) -> Any:
    """Marks a test to be run in the modes in which answers are shared, or in the others."""
    return pytest.mark.parametrize(
        "mode", [mode for mode in MODES if mode.shared is shared], ids=lambda mode: mode.name
    )


@modes(shared=False)
def test_calls_near_the_recursion_limit(matrix: Matrix, mode: Mode) -> None:
    _call_near_the_limit(matrix, mode)


@modes(shared=True)
def test_calls_near_the_recursion_limit_where_answers_are_shared(shared_matrix: Matrix, mode: Mode) -> None:
    _call_near_the_limit(shared_matrix, mode)


def _call_near_the_limit(matrix: Matrix, mode: Mode) -> None:
    found, refused = Found(), 0
    for count in range(12, 90, 3):
        stage = matrix._installed(mode)
        for known in outcomes(stage, count):
            is_refused = known[0] == "raised" and known[1][0] == "RecursionError"  # type: ignore[index]
            refused += is_refused
            assert is_refused or known[0] == "gave"  # type: ignore[index]
        matrix._afterwards(found, stage)
        matrix._idle = mode, stage
        assert found.differences == [], count
    assert refused > len(CALLS)
