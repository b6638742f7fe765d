"""What the tests of the shared part have in common: members that take steps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from private_redis import PrivateRedis
from steps import Member, Members


@pytest.fixture
def members(redis_server: PrivateRedis) -> Iterator[Members]:
    """Makes processes on one backplane, as far as that can be told from one process."""
    made = Members(redis_server)
    yield made
    made.close()


@pytest.fixture
def two(members: Members) -> tuple[Member, Member]:
    """Two that are connected, and know of each other."""
    one, other = members.join(), members.join()
    one.step()
    return one, other


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """For files of a test."""
    return tmp_path
