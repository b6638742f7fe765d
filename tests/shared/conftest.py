"""What the tests of the shared part have in common: a Redis of their own, and members that take steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest
from private_redis import PrivateRedis, RedisMissingError
from steps import Member, Members


@contextmanager
def _running(missing: Callable[[str], NoReturn]) -> Iterator[PrivateRedis]:
    try:
        server = PrivateRedis()
        server.start()
    except RedisMissingError as error:
        missing(str(error))
    yield server
    server.kill()


@pytest.fixture(scope="session")
def _redis(missing: Callable[[str], NoReturn]) -> Iterator[PrivateRedis]:
    with _running(missing) as server:
        yield server


@pytest.fixture
def own_redis(missing: Callable[[str], NoReturn]) -> Iterator[PrivateRedis]:
    """A running server of one test, which may leave it as it likes."""
    with _running(missing) as server:
        yield server


@pytest.fixture
def redis_server(_redis: PrivateRedis) -> Iterator[PrivateRedis]:
    """A server with nothing in it, which may be stopped, paused and started again."""
    _redis.begin_empty()
    yield _redis
    _redis.resume()


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
