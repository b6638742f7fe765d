"""What drawing charts leaves behind must not reach other tests."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def no_finder_of_pygal() -> Iterator[None]:
    """Importing it adds a finder of a kind that Python warns of at each import that fails later."""
    before = sys.meta_path[:]
    yield
    sys.meta_path[:] = before
