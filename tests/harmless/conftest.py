"""What the fault matrix needs: a folder, a log that somebody reads, no search for plugins each time."""

from __future__ import annotations

import functools
import importlib.metadata
import io
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from matrix import Matrix
from private_redis import PrivateRedis

from wats_accel.cache import loads, writers
from wats_accel.patching import standing


@pytest.fixture
def matrix(tmp_path: Path, quiet: None) -> Iterator[Matrix]:
    """Runs combinations."""
    made = Matrix(tmp_path)
    yield made
    made.end()


@pytest.fixture
def shared_matrix(tmp_path: Path, quiet: None, redis_server: PrivateRedis) -> Iterator[Matrix]:
    """The same, also where answers are shared."""
    made = Matrix(tmp_path, redis_server)
    yield made
    made.end()


@pytest.fixture
def quiet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A log that somebody reads, and nothing that other tests have left."""
    once = functools.lru_cache(maxsize=8)(importlib.metadata.entry_points)
    monkeypatch.setattr(importlib.metadata, "entry_points", once)
    # What other tests have left in this process is not to be found here.
    monkeypatch.setattr(standing, "_installed", {})
    loads.stacks.clear()
    writers._here.writes.clear()
    logger, handler = logging.getLogger("wats_accel"), logging.StreamHandler(io.StringIO())
    monkeypatch.setattr(logger, "propagate", False)
    logger.addHandler(handler)
    level = logger.level
    yield
    logger.removeHandler(handler)
    logger.setLevel(level)  # where closing the log is what broke, nobody gave it back
